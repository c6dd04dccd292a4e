/* SPDX-License-Identifier: MIT */
/*
 * kmalloc() and pages: memory of the machine, cut into pieces.
 *
 * A slab is one page of pieces of one size; or one larger piece; or pages. Its record lies outside
 * the page, so that nothing but pieces is within a device's reach. A slab without a piece in use is
 * given back at once: what is in use of the point "kmalloc" is what drivers hold.
 */
#include <string.h>

#include "machine/machine.h"

/* The machine remembers nothing that is freed. */
#define FILL_FREED 0x6b

#define PIECES_MAX     (PAGE_SIZE / 8)
#define LARGEST_BUCKET 2048
#define KMALLOC_MAX    (4ULL << 20)
#define ORDER_MAX      10

struct kernel_slab {
	RB_ENTRY(kernel_slab) by_frame;
	LIST_ENTRY(kernel_slab) partial; /* in its bucket's list while a piece is free */
	phys_addr_t phys;
	u8 *host;
	u32 bytes; /* of a piece */
	u32 pieces;
	u32 used;
	u32 frames;
	bool is_pages; /* of alloc_pages() */
	struct kernel_slab_list *list;
	u64 taken[PIECES_MAX / 64];
};

static int compare_frame(struct kernel_slab *a, struct kernel_slab *b)
{
	return (a->phys > b->phys) - (a->phys < b->phys);
}

RB_PROTOTYPE(kernel_slab_tree, kernel_slab, by_frame, compare_frame)
RB_GENERATE(kernel_slab_tree, kernel_slab, by_frame, compare_frame)

static const u16 bucket_bytes[KERNEL_BUCKETS] = {
	8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048
};

static u32 bucket_of(size_t size)
{
	u32 bucket = 0;

	while (bucket_bytes[bucket] < size)
		bucket++;
	return bucket;
}

static enum kernel_zone zone_of(gfp_t gfp)
{
	if (gfp & __GFP_DMA)
		return KERNEL_ZONE_DMA;
	return gfp & __GFP_DMA32 ? KERNEL_ZONE_DMA32 : KERNEL_ZONE_NORMAL;
}

static phys_addr_t zone_last(enum kernel_zone zone)
{
	static const phys_addr_t lasts[] = {
		[KERNEL_ZONE_NORMAL] = ~(phys_addr_t)0,
		[KERNEL_ZONE_DMA32] = SZ_4G - 1,
		[KERNEL_ZONE_DMA] = SZ_16M - 1,
	};

	return lasts[zone];
}

/* Naturally aligned frames with a record; NULL: no memory. */
static struct kernel_slab *new_slab(struct dmasim *s, enum kernel_zone zone, u32 frames)
{
	struct kernel_slab *slab =
		memory_alloc(&s->world.memory, DMASIM_FAULT_KMALLOC, sizeof(*slab));

	if (!slab)
		return NULL;
	slab->frames = frames;
	slab->phys = platform_frames_alloc_below(&s->platform, DMASIM_FAULT_KMALLOC, frames,
						 zone_last(zone));
	if (slab->phys == PLATFORM_NO_PHYS)
		goto free_slab;
	slab->host = platform_ptr(&s->platform, slab->phys);
	if (!slab->host)
		goto free_frames;
	RB_INSERT(kernel_slab_tree, &s->kernel.slabs, slab);
	return slab;

free_frames:
	platform_frames_free(&s->platform, DMASIM_FAULT_KMALLOC, slab->phys, frames);
free_slab:
	memory_free(&s->world.memory, slab);
	return NULL;
}

static void free_slab(struct dmasim *s, struct kernel_slab *slab)
{
	RB_REMOVE(kernel_slab_tree, &s->kernel.slabs, slab);
	platform_frames_free(&s->platform, DMASIM_FAULT_KMALLOC, slab->phys, slab->frames);
	memory_free(&s->world.memory, slab);
}

static u32 rounded_frames(u64 bytes)
{
	u32 frames = 1;

	while (frames * (u64)PAGE_SIZE < bytes)
		frames *= 2;
	return frames;
}

static void *fill_new(u8 *at, size_t bytes, gfp_t gfp)
{
	memset(at, gfp & __GFP_ZERO ? 0 : KERNEL_FILL_NEW, bytes);
	return at;
}

static void *alloc_large(struct dmasim *s, size_t size, gfp_t gfp)
{
	struct kernel_slab *slab = new_slab(s, zone_of(gfp), rounded_frames(size));

	if (!slab)
		return NULL;
	slab->bytes = slab->frames * (u32)PAGE_SIZE;
	slab->pieces = slab->used = 1;
	slab->taken[0] = 1;
	return fill_new(slab->host, slab->bytes, gfp);
}

static struct kernel_slab *slab_with_room(struct dmasim *s, size_t size, gfp_t gfp)
{
	enum kernel_zone zone = zone_of(gfp);
	u32 bucket = bucket_of(size);
	struct kernel_slab_list *list = &s->kernel.partial[zone][bucket];
	struct kernel_slab *slab = LIST_FIRST(list);

	if (slab)
		return memory_fails(&s->world.memory, DMASIM_FAULT_KMALLOC) ? NULL : slab;
	slab = new_slab(s, zone, 1);
	if (!slab)
		return NULL;
	slab->bytes = bucket_bytes[bucket];
	slab->pieces = (u32)PAGE_SIZE / slab->bytes;
	slab->list = list;
	LIST_INSERT_HEAD(list, slab, partial);
	return slab;
}

/* The lowest free piece. */
static u32 take_piece(struct kernel_slab *slab)
{
	u32 word = 0;
	u32 piece;

	while (slab->taken[word] == ~0ULL)
		word++;
	piece = (u32)__builtin_ctzll(~slab->taken[word]);
	slab->taken[word] |= 1ULL << piece;
	if (++slab->used == slab->pieces)
		LIST_REMOVE(slab, partial);
	return word * 64 + piece;
}

void *kmalloc(size_t size, gfp_t gfp)
{
	struct dmasim *s = kernel_machine();
	struct kernel_slab *slab;

	if (!size)
		return ZERO_SIZE_PTR;
	if (size > KMALLOC_MAX)
		return NULL;
	if (size > LARGEST_BUCKET)
		return alloc_large(s, size, gfp);
	slab = slab_with_room(s, size, gfp);
	if (!slab)
		return NULL;
	return fill_new(slab->host + (size_t)take_piece(slab) * slab->bytes, slab->bytes, gfp);
}

static struct kernel_slab *slab_at(struct dmasim *s, phys_addr_t phys)
{
	struct kernel_slab *slab = RB_ROOT(&s->kernel.slabs);

	while (slab && phys - slab->phys >= slab->frames * (u64)PAGE_SIZE)
		slab = phys < slab->phys ? RB_LEFT(slab, by_frame) : RB_RIGHT(slab, by_frame);
	return slab;
}

/* The slab of a piece that is in use and begins here; NULL: there is none. */
static struct kernel_slab *slab_of(struct dmasim *s, const void *ptr, u32 *piece)
{
	phys_addr_t phys = s->platform.ops->phys(s, ptr);
	struct kernel_slab *slab = phys == PLATFORM_NO_PHYS ? NULL : slab_at(s, phys);
	u32 offset;

	if (!slab || slab->is_pages)
		return NULL;
	offset = (u32)(phys - slab->phys);
	*piece = offset / slab->bytes;
	if (offset % slab->bytes || *piece >= slab->pieces ||
	    !(slab->taken[*piece / 64] >> *piece % 64 & 1))
		return NULL;
	return slab;
}

static bool is_nothing(const void *ptr)
{
	return !ptr || ptr == ZERO_SIZE_PTR;
}

void kfree(const void *ptr)
{
	struct dmasim *s = kernel_machine();
	struct kernel_slab *slab;
	u32 piece;

	if (is_nothing(ptr))
		return;
	slab = slab_of(s, ptr, &piece);
	if (!slab) {
		kernel_misuse(s, NULL, (uintptr_t)ptr, "kfree() of what kmalloc() did not give");
		return;
	}
	check_memory_freed(&s->check, slab->phys + (u64)piece * slab->bytes, slab->bytes);
	check_memory_gone(&s->check, slab->phys + (u64)piece * slab->bytes, slab->bytes);
	memset(slab->host + (size_t)piece * slab->bytes, FILL_FREED, slab->bytes);
	slab->taken[piece / 64] &= ~(1ULL << piece % 64);
	if (slab->list && slab->used == slab->pieces)
		LIST_INSERT_HEAD(slab->list, slab, partial);
	if (--slab->used)
		return;
	if (slab->list)
		LIST_REMOVE(slab, partial);
	free_slab(s, slab);
}

size_t ksize(const void *ptr)
{
	struct dmasim *s = kernel_machine();
	const struct kernel_slab *slab;
	u32 piece;

	if (is_nothing(ptr))
		return 0;
	slab = slab_of(s, ptr, &piece);
	if (!slab)
		kernel_misuse(s, NULL, (uintptr_t)ptr, "ksize() of what kmalloc() did not give");
	return slab ? slab->bytes : 0;
}

void *krealloc(const void *ptr, size_t size, gfp_t gfp)
{
	size_t had = ksize(ptr);
	void *to;

	if (!size) {
		kfree(ptr);
		return ZERO_SIZE_PTR;
	}
	if (size <= had)
		return (void *)(uintptr_t)ptr;
	to = kmalloc(size, gfp);
	if (!to)
		return NULL;
	if (had)
		memcpy(to, ptr, had);
	kfree(ptr);
	return to;
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	struct dmasim *s = kernel_machine();
	struct kernel_slab *slab;
	struct page *page;

	if (order > ORDER_MAX)
		return NULL;
	slab = new_slab(s, zone_of(gfp), 1U << order);
	if (!slab)
		return NULL;
	page = page_at(s->os, slab->phys);
	if (!page) {
		free_slab(s, slab);
		return NULL;
	}
	slab->is_pages = true;
	fill_new(slab->host, slab->frames * PAGE_SIZE, gfp);
	return page;
}

void __free_pages(struct page *page, unsigned int order)
{
	struct dmasim *s = kernel_machine();
	phys_addr_t phys = page_to_phys(page);
	struct kernel_slab *slab = slab_at(s, phys);

	if (!slab || !slab->is_pages || slab->phys != phys || slab->frames != 1U << order) {
		kernel_misuse(s, NULL, phys, "__free_pages() of what alloc_pages() did not give");
		return;
	}
	check_memory_freed(&s->check, phys, slab->frames * PAGE_SIZE);
	free_slab(s, slab);
}

bool kernel_has_freed(void *machine, phys_addr_t phys)
{
	const struct kernel_slab *slab = slab_at(machine, phys);
	u32 piece;

	if (!slab || slab->is_pages)
		return false;
	piece = (u32)(phys - slab->phys) / slab->bytes;
	return piece >= slab->pieces || !(slab->taken[piece / 64] >> piece % 64 & 1);
}

/* ---- What is left ----------------------------------------------------- */

static u32 list_slab(const struct kernel_slab *slab, struct text *text)
{
	u32 found = 0;

	if (slab->is_pages) {
		text_add(text, "memory leaked: alloc_pages() of %u, at phys 0x%llx\n", slab->frames,
			 slab->phys);
		return 1;
	}
	for (u32 piece = 0; piece < slab->pieces; piece++) {
		if (!(slab->taken[piece / 64] >> piece % 64 & 1))
			continue;
		text_add(text, "memory leaked: kmalloc() of up to %u bytes, at phys 0x%llx\n",
			 slab->bytes, slab->phys + (u64)piece * slab->bytes);
		found++;
	}
	return found;
}

u32 kernel_list_slabs(struct dmasim *s, struct text *text)
{
	struct kernel_slab *slab;
	u32 found = 0;

	RB_FOREACH(slab, kernel_slab_tree, &s->kernel.slabs)
		found += list_slab(slab, text);
	return found;
}
