/* SPDX-License-Identifier: MIT */
#include "hw/ram.h"

#include <errno.h>
#include <string.h>

#include <dmasim/contract.h>

static int compare_phys(struct ram_extent *a, struct ram_extent *b)
{
	return (a->start > b->start) - (a->start < b->start);
}

static int compare_host(struct ram_extent *a, struct ram_extent *b)
{
	uintptr_t at_a = (uintptr_t)a->host;
	uintptr_t at_b = (uintptr_t)b->host;

	return (at_a > at_b) - (at_a < at_b);
}

RB_PROTOTYPE(ram_phys_tree, ram_extent, by_phys, compare_phys)
RB_GENERATE(ram_phys_tree, ram_extent, by_phys, compare_phys)
RB_PROTOTYPE(ram_host_tree, ram_extent, host_link.by_host, compare_host)
RB_GENERATE(ram_host_tree, ram_extent, host_link.by_host, compare_host)

static void forget_recent(struct ram *ram)
{
	for (u32 i = 0; i < RAM_RECENT; i++)
		ram->recent[i] = ~0ULL;
}

void ram_init(struct ram *ram, struct world *world, enum dmasim_fault_point chunk_point)
{
	*ram = (struct ram){ .world = world,
			     .chunk_point = chunk_point,
			     .chunk_bytes = RAM_CHUNK_BYTES };
	forget_recent(ram);
	RB_INIT(&ram->phys_tree);
	RB_INIT(&ram->host_tree);
	LIST_INIT(&ram->adopted);
}

static void drop_extent(struct ram *ram, struct ram_extent *extent)
{
	RB_REMOVE(ram_phys_tree, &ram->phys_tree, extent);
	if (extent->adopted)
		LIST_REMOVE(extent, host_link.adopted_link);
	else
		RB_REMOVE(ram_host_tree, &ram->host_tree, extent);
	if (ram->last == extent)
		ram->last = NULL;
	forget_recent(ram);
	ram->dropped++;
	if (!extent->adopted)
		memory_free(&ram->world->memory, extent->block);
	memory_free(&ram->world->memory, extent);
}

void ram_fini(struct ram *ram)
{
	struct ram_extent *extent = RB_MIN(ram_phys_tree, &ram->phys_tree);

	while (extent) {
		struct ram_extent *next = RB_NEXT(ram_phys_tree, &ram->phys_tree, extent);

		drop_extent(ram, extent);
		extent = next;
	}
}

void ram_add_range(struct ram *ram, phys_addr_t start, u64 bytes)
{
	DMASIM_CONTRACT(ram->range_count < RAM_RANGES_MAX, "too many stretches of RAM");
	ram->range[ram->range_count++] = (struct ram_range){ start, bytes };
}

static const struct ram_range *find_range(const struct ram *ram, phys_addr_t phys)
{
	for (u32 i = 0; i < ram->range_count; i++) {
		if (phys - ram->range[i].start < ram->range[i].bytes)
			return &ram->range[i];
	}
	return NULL;
}

static void lift(const struct ram *ram, phys_addr_t phys, u64 bytes)
{
	if (DMASIM_UNLIKELY(ram->guard))
		ram->guard->lift(ram->guard->cookie, phys, bytes);
}

static void lower(const struct ram *ram, phys_addr_t phys, u64 bytes)
{
	if (DMASIM_UNLIKELY(ram->guard))
		ram->guard->lower(ram->guard->cookie, phys, bytes);
}

static bool contains(const struct ram_extent *extent, phys_addr_t phys)
{
	return phys - extent->start < extent->bytes;
}

/* The last extent that starts at or below phys, or NULL. */
static struct ram_extent *extent_at_or_below(const struct ram *ram, phys_addr_t phys)
{
	struct ram_extent *extent = RB_ROOT(&ram->phys_tree);
	struct ram_extent *best = NULL;

	while (extent) {
		if (extent->start <= phys) {
			best = extent;
			extent = RB_RIGHT(extent, by_phys);
		} else {
			extent = RB_LEFT(extent, by_phys);
		}
	}
	return best;
}

static struct ram_extent *find_extent(const struct ram *ram, phys_addr_t phys)
{
	struct ram_extent *extent = extent_at_or_below(ram, phys);

	return extent && contains(extent, phys) ? extent : NULL;
}

bool ram_find_range(const struct ram *ram, phys_addr_t phys, struct ram_range *range)
{
	const struct ram_range *found = find_range(ram, phys);

	if (found)
		*range = *found;
	return found;
}

u64 ram_covered(const struct ram *ram, phys_addr_t phys, u64 bytes)
{
	u64 covered = 0;

	while (covered < bytes) {
		const struct ram_range *range = find_range(ram, phys + covered);
		const struct ram_extent *extent;

		if (range) {
			covered = range->start + range->bytes - phys;
			continue;
		}
		extent = find_extent(ram, phys + covered);
		if (!extent)
			return covered;
		covered = extent->start + extent->bytes - phys;
	}
	return bytes;
}

static void insert_extent(struct ram *ram, struct ram_extent *extent)
{
	RB_INSERT(ram_phys_tree, &ram->phys_tree, extent);
	if (extent->adopted)
		LIST_INSERT_HEAD(&ram->adopted, extent, host_link.adopted_link);
	else
		RB_INSERT(ram_host_tree, &ram->host_tree, extent);
}

/*
 * An extent with host memory of its own, zeroed, not yet in the trees. Programs look at the low
 * bits of pointers: they are those of the physical address.
 */
static struct ram_extent *new_extent(struct ram *ram, phys_addr_t start, u64 bytes)
{
	struct memory *memory = &ram->world->memory;
	struct ram_extent *extent;

	if (bytes > SIZE_MAX - PAGE_SIZE)
		return NULL;
	extent = memory_alloc(memory, ram->chunk_point, sizeof(*extent));
	if (!extent)
		return NULL;
	extent->start = start;
	extent->bytes = bytes;
	extent->block = memory_alloc(memory, ram->chunk_point, (size_t)bytes + PAGE_SIZE - 1);
	if (!extent->block) {
		memory_free(memory, extent);
		return NULL;
	}
	extent->host = extent->block + (-(uintptr_t)extent->block & (PAGE_SIZE - 1));
	return extent;
}

/* The chunk around phys, cut where the stretch of RAM ends. */
static struct ram_extent *make_chunk(struct ram *ram, const struct ram_range *range,
				     phys_addr_t phys)
{
	struct ram_extent *extent;
	phys_addr_t start = phys & ~(ram->chunk_bytes - 1);
	phys_addr_t end = start + ram->chunk_bytes;

	if (start < range->start)
		start = range->start;
	if (end > range->start + range->bytes)
		end = range->start + range->bytes;
	extent = new_extent(ram, start, end - start);
	if (extent)
		insert_extent(ram, extent);
	return extent;
}

DMASIM_HOT struct ram_extent *ram_touch(struct ram *ram, phys_addr_t phys)
{
	const struct ram_range *range;
	struct ram_extent *extent = ram->last;

	if (DMASIM_LIKELY(extent && contains(extent, phys)))
		return extent;
	extent = find_extent(ram, phys);
	if (!extent) {
		range = find_range(ram, phys);
		if (!range)
			return NULL;
		extent = make_chunk(ram, range, phys);
	}
	if (extent)
		ram->last = extent;
	return extent;
}

/*
 * Moves what [whole->start, whole->start + whole->bytes) holds so far into `whole`. False if there
 * was nothing: it is all zeros.
 */
static bool absorb(struct ram *ram, struct ram_extent *whole)
{
	bool found = false;
	u64 offset = 0;

	while (offset < whole->bytes) {
		struct ram_extent *old = find_extent(ram, whole->start + offset);

		if (!old) {
			offset += RAM_CHUNK_BYTES;
			continue;
		}
		lift(ram, old->start, old->bytes);
		memcpy(whole->host + offset, old->host, (size_t)old->bytes);
		offset += old->bytes;
		drop_extent(ram, old);
		found = true;
	}
	return found;
}

int ram_make_contiguous(struct ram *ram, phys_addr_t start, u64 bytes)
{
	struct ram_extent *whole = find_extent(ram, start);
	bool fresh;

	if (whole && whole->start + whole->bytes >= start + bytes)
		return 0;
	whole = new_extent(ram, start, bytes);
	if (!whole)
		return -ENOMEM;
	fresh = !absorb(ram, whole);
	insert_extent(ram, whole);
	lower(ram, start, bytes);
	return fresh;
}

bool ram_join(struct ram *ram, phys_addr_t start, u64 bytes)
{
	phys_addr_t first = start & ~(ram->chunk_bytes - 1);
	phys_addr_t end = (start + bytes + ram->chunk_bytes - 1) & ~(ram->chunk_bytes - 1);
	struct ram_extent *extent = find_extent(ram, start);

	if (extent)
		return extent->start + extent->bytes >= start + bytes;
	if (end - first == ram->chunk_bytes)
		return true;
	extent = extent_at_or_below(ram, end - 1);
	if (extent && extent->start >= start)
		return false;
	extent = new_extent(ram, first, end - first);
	if (extent)
		insert_extent(ram, extent);
	return extent != NULL;
}

/* Memory of the program may be adopted again, all of it or a part. */
static void mark_twice(struct ram *ram, struct ram_extent *extent)
{
	struct ram_extent *other;

	LIST_FOREACH(other, &ram->adopted, host_link.adopted_link) {
		if ((uintptr_t)extent->host - (uintptr_t)other->host < other->bytes ||
		    (uintptr_t)other->host - (uintptr_t)extent->host < extent->bytes)
			extent->twice = other->twice = true;
	}
}

int ram_adopt(struct ram *ram, phys_addr_t start, void *host, u64 bytes)
{
	struct ram_extent *extent;

	extent = memory_alloc(&ram->world->memory, DMASIM_FAULT_ADOPTED, sizeof(*extent));
	if (!extent)
		return -ENOMEM;
	extent->start = start;
	extent->bytes = bytes;
	extent->host = host;
	extent->adopted = true;
	mark_twice(ram, extent);
	insert_extent(ram, extent);
	return 0;
}

void ram_unadopt(struct ram *ram, phys_addr_t start)
{
	struct ram_extent *extent = find_extent(ram, start);

	DMASIM_CONTRACT(extent && extent->adopted, "the address is of adopted memory");
	drop_extent(ram, extent);
}

u64 ram_adopted_bytes(const struct ram *ram, phys_addr_t phys)
{
	const struct ram_extent *extent = find_extent(ram, phys);

	return extent && extent->adopted && extent->start == phys ? extent->bytes : 0;
}

bool ram_is_adopted_twice(const struct ram *ram, phys_addr_t phys)
{
	const struct ram_extent *extent = find_extent(ram, phys);

	return extent && extent->twice;
}

phys_addr_t ram_phys_of(const struct ram *ram, const void *host)
{
	struct ram_extent *extent;

	LIST_FOREACH(extent, &ram->adopted, host_link.adopted_link) {
		if ((uintptr_t)host - (uintptr_t)extent->host < extent->bytes)
			return extent->start + ((uintptr_t)host - (uintptr_t)extent->host);
	}
	extent = RB_ROOT(&ram->host_tree);
	while (extent) {
		uintptr_t offset = (uintptr_t)host - (uintptr_t)extent->host;

		if (offset < extent->bytes)
			return extent->start + offset;
		extent = (uintptr_t)host < (uintptr_t)extent->host
				 ? RB_LEFT(extent, host_link.by_host)
				 : RB_RIGHT(extent, host_link.by_host);
	}
	return RAM_NO_PHYS;
}

void ram_zero(struct ram *ram, phys_addr_t start, u64 bytes)
{
	struct ram_extent *extent = extent_at_or_below(ram, start);
	phys_addr_t end = start + bytes;

	if (!extent)
		extent = RB_MIN(ram_phys_tree, &ram->phys_tree);
	lift(ram, start, bytes);
	for (; extent && extent->start < end;
	     extent = RB_NEXT(ram_phys_tree, &ram->phys_tree, extent)) {
		phys_addr_t from = extent->start > start ? extent->start : start;
		phys_addr_t to = extent->start + extent->bytes;

		if (to > end)
			to = end;
		if (from < to)
			memset(extent->host + (from - extent->start), 0, (size_t)(to - from));
	}
	lower(ram, start, bytes);
}

/* How many of `bytes` from phys are RAM that nobody touched: they read as zeros. */
static u64 untouched_bytes(const struct ram *ram, phys_addr_t phys, u64 bytes)
{
	const struct ram_range *range = find_range(ram, phys);
	u64 here;

	if (!range)
		return 0;
	here = range->start + range->bytes - phys;
	if (here > RAM_CHUNK_BYTES - (phys & (RAM_CHUNK_BYTES - 1)))
		here = RAM_CHUNK_BYTES - (phys & (RAM_CHUNK_BYTES - 1));
	return here < bytes ? here : bytes;
}

u8 *ram_look(struct ram *ram, phys_addr_t phys, u64 *run)
{
	struct ram_extent *extent = ram->last;
	u64 within;

	if (!extent || !contains(extent, phys))
		extent = find_extent(ram, phys);
	if (!extent) {
		u64 untouched = untouched_bytes(ram, phys, *run);

		if (untouched)
			*run = untouched;
		return NULL;
	}
	ram->last = extent;
	within = phys - extent->start;
	if (*run > extent->bytes - within)
		*run = extent->bytes - within;
	return extent->host + within;
}

DMASIM_HOT u64 ram_write(struct ram *ram, phys_addr_t phys, const void *from, u64 bytes)
{
	const u8 *source = from;
	u64 done = 0;

	lift(ram, phys, bytes);
	while (done < bytes) {
		struct ram_extent *extent = ram_touch(ram, phys + done);
		u64 within, here;

		if (!extent)
			break;
		within = phys + done - extent->start;
		here = extent->bytes - within;
		if (here > bytes - done)
			here = bytes - done;
		memcpy(extent->host + within, source + done, (size_t)here);
		done += here;
	}
	lower(ram, phys, bytes);
	return done;
}

static void remember(struct ram *ram, const struct ram_extent *extent, phys_addr_t phys)
{
	phys_addr_t start = phys & ~(RAM_CHUNK_BYTES - 1);
	u64 number = phys >> RAM_CHUNK_LG2;

	/* The whole chunk, or nothing: then one comparison is enough. */
	if (start < extent->start || extent->bytes < RAM_CHUNK_BYTES ||
	    start - extent->start > extent->bytes - RAM_CHUNK_BYTES)
		return;
	ram->recent[number % RAM_RECENT] = number;
	ram->recent_host[number % RAM_RECENT] = extent->host + (start - extent->start);
}

u64 ram_read(struct ram *ram, phys_addr_t phys, void *to, u64 bytes)
{
	u8 *target = to;
	u64 done = 0;

	lift(ram, phys, bytes);
	while (done < bytes) {
		struct ram_extent *extent = ram->last;
		u64 within, here;

		if (!extent || !contains(extent, phys + done))
			extent = find_extent(ram, phys + done);
		if (!extent) {
			here = untouched_bytes(ram, phys + done, bytes - done);
			if (!here)
				break;
			memset(target + done, 0, (size_t)here);
			done += here;
			continue;
		}
		ram->last = extent;
		remember(ram, extent, phys + done);
		within = phys + done - extent->start;
		here = extent->bytes - within;
		if (here > bytes - done)
			here = bytes - done;
		memcpy(target + done, extent->host + within, (size_t)here);
		done += here;
	}
	lower(ram, phys, bytes);
	return done;
}
