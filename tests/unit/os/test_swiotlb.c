/* SPDX-License-Identifier: MIT */
/*
 * Which slots of a bounce pool are lent: against a model that keeps a list of slots and searches it
 * word by word (facts "dma-api" 7.2), and by rules that can be seen.
 */
#include <stdlib.h>
#include <string.h>

#include "dma/swiotlb_pool.h"
#include "support/rig.h"

#define POOL_BYTES SZ_1M
#define SLOTS	   (POOL_BYTES / IO_TLB_SIZE)
#define BUFFER	   (2 * SZ_256K)
#define SZ_256K	   0x40000
#define NO_ADDRESS DMA_MAPPING_ERROR
#define LENT_MAX   SLOTS

struct lent {
	phys_addr_t tlb, orig;
	size_t size;
	u32 first, slots;
};

struct fixture {
	struct rig rig;
	struct device *dev;
	phys_addr_t buffer, start;
	/* The model. */
	bool taken[SLOTS];
	u32 areas, index[4];
	u64 high_water;
	struct lent lent[LENT_MAX];
	u32 lent_count;
	u8 sent[BUFFER], found[BUFFER];
};

static void start(struct fixture *f, u32 areas, u32 cpus)
{
	*f = (struct fixture){ .areas = areas };
	rig_init(&f->rig, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						   .swiotlb_bytes = POOL_BYTES, .cpus = cpus,
						   .swiotlb_areas = areas, .no_check = true });
	f->dev = &f->rig.nvme->dev;
	f->buffer = dmasim_alloc(f->rig.s, BUFFER);
	assert_true(f->buffer != DMASIM_NO_PHYS);
	assert_non_null(swiotlb_pool(f->dev));
	f->start = swiotlb_pool(f->dev)->start;
}

static int setup(void **state)
{
	struct fixture *f = malloc(sizeof(*f));

	if (!f)
		return -1;
	start(f, 1, 4);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	u64 leaks = dmasim_destroy(f->rig.s);

	free(f);
	return leaks ? -1 : 0;
}

static void restart(struct fixture *f, u32 areas, u32 cpus)
{
	expect_u64(dmasim_destroy(f->rig.s), 0);
	start(f, areas, cpus);
}

/* ---- The pool -------------------------------------------------------------------------------- */

static phys_addr_t map(struct fixture *f, phys_addr_t orig, size_t size, u64 align_mask)
{
	return swiotlb_tbl_map_single(f->dev, orig, size, align_mask, DMA_BIDIRECTIONAL,
				      DMA_ATTR_NO_WARN);
}

static void unmap(struct fixture *f, phys_addr_t tlb, size_t size)
{
	swiotlb_tbl_unmap_single(f->dev, tlb, size, DMA_BIDIRECTIONAL, 0);
}

static u64 slots_used(struct fixture *f)
{
	return swiotlb_use(swiotlb_pool(f->dev)).used;
}

/* Where a buffer of so many slots went: the number of its first slot. */
static u64 take(struct fixture *f, u32 slots)
{
	phys_addr_t tlb = map(f, f->buffer, (size_t)slots * IO_TLB_SIZE, IO_TLB_SIZE - 1);

	assert_true(tlb != NO_ADDRESS);
	expect_u64((tlb - f->start) % IO_TLB_SIZE, 0);
	return (tlb - f->start) / IO_TLB_SIZE;
}

static void give(struct fixture *f, u64 slot, u32 slots)
{
	unmap(f, f->start + slot * IO_TLB_SIZE, (size_t)slots * IO_TLB_SIZE);
}

/* ---- The model ------------------------------------------------------------------------------- */

struct question {
	phys_addr_t orig;
	size_t size;
	u64 align_mask;
	u32 cpu;
};

static u32 taken_in(const struct fixture *f, u32 first, u32 count)
{
	u32 taken = 0;

	for (u32 i = first; i < first + count; i++)
		taken += f->taken[i];
	return taken;
}

static bool is_free_run(const struct fixture *f, u32 first, u32 count)
{
	return first / IO_TLB_SEGSIZE == (first + count - 1) / IO_TLB_SEGSIZE &&
	       !taken_in(f, first, count);
}

/* Each address of the run has the same bits above the boundary mask. */
static bool spans(u64 address, u64 bytes, u64 boundary)
{
	return (address & ~boundary) != ((address + bytes - 1) & ~boundary);
}

static s64 model_search(struct fixture *f, const struct question *q, u32 area, u32 slots,
			u64 align_mask)
{
	u64 boundary = dma_get_seg_boundary(f->dev), min_mask = f->dev->min_align_mask;
	u64 keep = min_mask & ~align_mask;
	u64 stride = ((align_mask > keep ? align_mask : keep) >> IO_TLB_SHIFT) + 1;
	u32 in_area = SLOTS / f->areas, first = area * in_area;
	u64 at = f->index[area];

	if (slots > in_area - taken_in(f, first, in_area))
		return -1;
	for (u64 visited = 0, step; visited < in_area; visited += step, at += step) {
		u64 slot, address;

		at = at >= in_area ? 0 : at;
		slot = first + at;
		address = (f->start & boundary) + slot * IO_TLB_SIZE;
		step = 1;
		if ((address & align_mask) || (address & keep) != (q->orig & keep))
			continue;
		step = stride;
		if (spans(address, (u64)slots * IO_TLB_SIZE, boundary) ||
		    slot + slots > first + in_area || !is_free_run(f, (u32)slot, slots))
			continue;
		f->index[area] = (u32)(at + slots) % in_area;
		return (s64)slot;
	}
	return -1;
}

static phys_addr_t model_map(struct fixture *f, const struct question *q)
{
	u64 offset = q->orig & f->dev->min_align_mask & (q->align_mask | (IO_TLB_SIZE - 1));
	u64 total = (q->size + offset + q->align_mask) / (q->align_mask + 1) * (q->align_mask + 1);
	u32 slots = (u32)((total + IO_TLB_SIZE - 1) / IO_TLB_SIZE);
	u64 align_mask = q->align_mask;
	s64 slot = -1;

	if (!align_mask && !f->dev->min_align_mask && total >= PAGE_SIZE)
		align_mask = PAGE_SIZE - 1;
	for (u32 i = 0; i < f->areas && slots <= IO_TLB_SEGSIZE && slot < 0; i++)
		slot = model_search(f, q, (q->cpu + i) % f->areas, slots,
				    align_mask | (IO_TLB_SIZE - 1));
	if (slot < 0)
		return NO_ADDRESS;
	memset(f->taken + slot, true, slots);
	if (taken_in(f, 0, SLOTS) > f->high_water)
		f->high_water = taken_in(f, 0, SLOTS);
	assert_true(f->lent_count < LENT_MAX);
	f->lent[f->lent_count++] = (struct lent){ f->start + (u64)slot * IO_TLB_SIZE + offset,
						  q->orig, q->size, (u32)slot, slots };
	return f->lent[f->lent_count - 1].tlb;
}

/* ---- At random ------------------------------------------------------------------------------- */

static u64 dice(struct fixture *f, u64 bound)
{
	return dmasim_random(f->rig.s, bound);
}

static struct question ask(struct fixture *f)
{
	static const u64 align_masks[] = { 0, 0, 0, 0x1ff, 0x7ff, 0xfff, 0x1fff, 0xffff };
	struct question q = { .align_mask = align_masks[dice(f, 8)], .cpu = (u32)dice(f, 4) };
	u64 spread = dice(f, 4) ? 3 * PAGE_SIZE : SZ_256K + 100;

	q.size = (size_t)(1 + dice(f, spread));
	if (!dice(f, 4))
		q.size = (q.size + IO_TLB_SIZE - 1) & ~(size_t)(IO_TLB_SIZE - 1);
	q.orig = f->buffer + dice(f, BUFFER - q.size);
	if (!dice(f, 3))
		q.orig &= ~(u64)0xfff;
	return q;
}

static void map_at_random(struct fixture *f)
{
	struct question q = ask(f);
	phys_addr_t expected, tlb;

	fill_pattern(f->sent, q.size, dice(f, 1 << 30));
	expect_u64(dmasim_write(f->rig.s, q.orig, f->sent, q.size), q.size);
	expected = model_map(f, &q);
	dmasim_set_cpu(f->rig.s, q.cpu);
	tlb = map(f, q.orig, q.size, q.align_mask);
	expect_u64(tlb, expected);
	if (tlb == NO_ADDRESS)
		return;
	expect_u64((tlb ^ q.orig) & f->dev->min_align_mask, 0);
	expect_u64(dmasim_read(f->rig.s, tlb, f->found, q.size), q.size);
	assert_memory_equal(f->found, f->sent, q.size);
}

static void unmap_at_random(struct fixture *f)
{
	u32 which = (u32)dice(f, f->lent_count);
	struct lent lent = f->lent[which];

	fill_pattern(f->sent, lent.size, dice(f, 1 << 30));
	expect_u64(dmasim_write(f->rig.s, lent.tlb, f->sent, lent.size), lent.size);
	dmasim_set_cpu(f->rig.s, (u32)dice(f, 4));
	unmap(f, lent.tlb, lent.size);
	memset(f->taken + lent.first, false, lent.slots);
	f->lent[which] = f->lent[--f->lent_count];
	expect_u64(dmasim_read(f->rig.s, lent.orig, f->found, lent.size), lent.size);
	assert_memory_equal(f->found, f->sent, lent.size);
}

static void compare_use(struct fixture *f)
{
	struct swiotlb_use use = swiotlb_use(swiotlb_pool(f->dev));

	expect_u64(use.slots, SLOTS);
	expect_u64(use.used, taken_in(f, 0, SLOTS));
	expect_u64(use.high_water, f->high_water);
}

/* Fills and empties in turn, so that full pools and single holes come up. */
static void play(struct fixture *f, u32 steps)
{
	u64 bias = 5;

	for (u32 i = 0; i < steps; i++) {
		if (i % 60 == 0)
			bias = 2 + dice(f, 7);
		if (f->lent_count < LENT_MAX && dice(f, 10) < bias)
			map_at_random(f);
		else if (f->lent_count)
			unmap_at_random(f);
		compare_use(f);
	}
	while (f->lent_count)
		unmap_at_random(f);
	compare_use(f);
}

/* trust: places of bounced buffers | an independent model: a model that searches a list of slots */
static void random_buffers_go_where_the_model_says(void **state)
{
	static const unsigned int min_masks[] = { 0, 0x1ff, 0x7ff, 0xfff, 0x3fff, 0xffff };
	static const u64 boundaries[] = { ~0UL, 0xffff, 0xffffffff, 0x3ffff };
	struct fixture *f = *state;

	for (u32 areas = 1; areas <= 4; areas *= 2) {
		restart(f, areas, 4);
		for (u32 i = 0; i < 24; i++) {
			dma_set_min_align_mask(f->dev, min_masks[i % 6]);
			dma_set_seg_boundary(f->dev, boundaries[i / 6]);
			play(f, 150);
		}
	}
}

/* ---- By rules -------------------------------------------------------------------------------- */

static void a_search_begins_behind_the_last_find_and_wraps(void **state)
{
	struct fixture *f = *state;

	for (u32 i = 0; i < 10; i++)
		expect_u64(take(f, 1), i);
	give(f, 3, 1);
	give(f, 4, 1);
	for (u32 i = 10; i < SLOTS; i++)
		expect_u64(take(f, 1), i);
	expect_u64(take(f, 1), 3);
	expect_u64(take(f, 1), 4);
	expect_u64(slots_used(f), SLOTS);
	for (u32 i = SLOTS; i--;)
		give(f, i, 1);
	expect_u64(slots_used(f), 0);
}

static void no_buffer_crosses_a_segment(void **state)
{
	struct fixture *f = *state;

	for (u32 i = 0; i < 4; i++)
		expect_u64(take(f, 100), i * IO_TLB_SEGSIZE);
	expect_u64(map(f, f->buffer, 29 * IO_TLB_SIZE, IO_TLB_SIZE - 1), NO_ADDRESS);
	expect_u64(take(f, 28), 3 * IO_TLB_SEGSIZE + 100);
	expect_u64(take(f, 28), 100);
	give(f, 0, 100);
	expect_u64(map(f, f->buffer, 101 * IO_TLB_SIZE, IO_TLB_SIZE - 1), NO_ADDRESS);
	give(f, 100, 28);
	expect_u64(take(f, 128), 0);
	give(f, 0, 128);
	for (u32 i = 1; i < 4; i++)
		give(f, i * IO_TLB_SEGSIZE, 100);
	give(f, 3 * IO_TLB_SEGSIZE + 100, 28);
	expect_u64(slots_used(f), 0);
}

static void the_longest_buffer_fills_a_segment(void **state)
{
	struct fixture *f = *state;
	size_t longest = swiotlb_max_mapping_size(f->dev);

	expect_u64(longest, SZ_256K);
	expect_u64(map(f, f->buffer, longest + 1, 0), NO_ADDRESS);
	expect_u64(take(f, 128), 0);
	give(f, 0, 128);
	dma_set_min_align_mask(f->dev, 0xfff);
	longest = swiotlb_max_mapping_size(f->dev);
	expect_u64(longest, SZ_256K - SZ_4K);
	for (u64 offset = 0; offset < SZ_4K; offset += 511) {
		phys_addr_t tlb = map(f, f->buffer + offset, longest, 0xfff);

		assert_true(tlb != NO_ADDRESS);
		expect_u64(tlb & 0xfff, offset);
		unmap(f, tlb, longest);
	}
	expect_u64(slots_used(f), 0);
}

/* As it always was: who fills a page and asks for nothing gets whole pages. */
static void a_page_or_more_begins_on_a_page(void **state)
{
	struct fixture *f = *state;
	phys_addr_t small = map(f, f->buffer + 100, PAGE_SIZE - 1, 0);
	phys_addr_t one = map(f, f->buffer, 1, 0);
	phys_addr_t page = map(f, f->buffer + 100, PAGE_SIZE, 0);

	expect_u64(small, f->start);
	expect_u64(one, f->start + 2 * IO_TLB_SIZE);
	expect_u64(page, f->start + 4 * IO_TLB_SIZE);
	unmap(f, one, 1);
	unmap(f, small, PAGE_SIZE - 1);
	unmap(f, page, PAGE_SIZE);
	expect_u64(slots_used(f), 0);
}

static void each_cpu_begins_in_its_own_area(void **state)
{
	struct fixture *f = *state;

	restart(f, 4, 4);
	for (u32 cpu = 0; cpu < 4; cpu++) {
		dmasim_set_cpu(f->rig.s, cpu);
		expect_u64(take(f, 100), cpu * 128);
	}
	/* CPU 2's is full, and so are the next: it comes back to its own last slots. */
	dmasim_set_cpu(f->rig.s, 2);
	expect_u64(take(f, 28), 2 * 128 + 100);
	expect_u64(take(f, 28), 3 * 128 + 100);
	expect_u64(take(f, 28), 100);
	expect_u64(take(f, 28), 128 + 100);
	expect_u64(map(f, f->buffer, 1, 0), NO_ADDRESS);
	/* Who gives back need not be who took. */
	dmasim_set_cpu(f->rig.s, 1);
	for (u32 area = 0; area < 4; area++) {
		give(f, area * 128, 100);
		give(f, area * 128 + 100, 28);
	}
	expect_u64(slots_used(f), 0);
}

static void there_is_an_area_for_each_cpu_if_segments_suffice(void **state)
{
	struct fixture *f = *state;

	restart(f, 0, 3);
	expect_u64(swiotlb_pool(f->dev)->areas, 4);
	restart(f, 0, 1);
	expect_u64(swiotlb_pool(f->dev)->areas, 1);
	restart(f, 0, 64);
	expect_u64(swiotlb_pool(f->dev)->areas, SLOTS / IO_TLB_SEGSIZE);
}

static void a_full_pool_is_reported_unless_nobody_wants_to_know(void **state)
{
	struct fixture *f = *state;

	for (u32 i = 0; i < 4; i++)
		take(f, 128);
	expect_u64(map(f, f->buffer, 1, 0), NO_ADDRESS);
	expect_u64(count_reports(f->rig.s, DMASIM_REPORT_BOUNCE_FULL), 0);
	expect_u64(swiotlb_tbl_map_single(f->dev, f->buffer, 1, 0, DMA_TO_DEVICE, 0), NO_ADDRESS);
	expect_u64(swiotlb_use(swiotlb_pool(f->dev)).high_water, SLOTS);
	give(f, 128, 128);
	expect_u64(take(f, 1), 128);
	give(f, 128, 1);
	give(f, 0, 128);
	give(f, 256, 128);
	give(f, 384, 128);
	expect_u64(slots_used(f), 0);
	expect_u64(swiotlb_use(swiotlb_pool(f->dev)).high_water, SLOTS);
}

static void what_was_taken_back_is_not_taken_back_again(void **state)
{
	struct fixture *f = *state;

	expect_u64(take(f, 3), 0);
	expect_u64(take(f, 2), 3);
	give(f, 0, 3);
	give(f, 0, 3);
	expect_u64(slots_used(f), 2);
	give(f, 3, 2);
	expect_u64(slots_used(f), 0);
}

static void a_pool_that_cannot_be_had_is_half_as_large(void **state)
{
	struct fixture *f = *state;
	struct rig rig;

	rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						.swiotlb_bytes = 4 * SZ_1M });
	dmasim_fail(rig.s, DMASIM_FAULT_SWIOTLB, 1);
	expect_u64(swiotlb_use(swiotlb_pool(&rig.nvme->dev)).slots, 2 * SLOTS);
	rig_fini(&rig);
	/* One MiB is the least. */
	rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						.swiotlb_bytes = SZ_1M });
	dmasim_fail(rig.s, DMASIM_FAULT_SWIOTLB, 1);
	assert_null(swiotlb_pool(&rig.nvme->dev));
	assert_non_null(swiotlb_pool(&rig.nvme->dev));
	rig_fini(&rig);
	expect_u64(slots_used(f), 0);
}

static void shared_memory_takes_zeroed_pages_of_the_pool(void **state)
{
	static const u8 zeros[SZ_16K];
	struct fixture *f = *state;
	phys_addr_t phys, next;

	expect_u64(take(f, 1), 0);
	fill_pattern(f->sent, SZ_64K, 1);
	expect_u64(dmasim_write(f->rig.s, f->start, f->sent, SZ_64K), SZ_64K);
	phys = swiotlb_alloc(f->dev, SZ_16K);
	next = swiotlb_alloc(f->dev, SZ_4K);
	expect_u64(phys, f->start + SZ_4K);
	expect_u64(next, phys + SZ_16K);
	expect_u64(dmasim_read(f->rig.s, phys, f->found, SZ_16K), SZ_16K);
	assert_memory_equal(f->found, zeros, SZ_16K);
	expect_u64(slots_used(f), 1 + 8 + 2);
	assert_true(swiotlb_free(f->dev, phys, SZ_16K));
	assert_true(swiotlb_free(f->dev, next, SZ_4K));
	assert_false(swiotlb_free(f->dev, f->buffer, SZ_4K));
	give(f, 0, 1);
	expect_u64(slots_used(f), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(T(random_buffers_go_where_the_model_says),
	  T(a_search_begins_behind_the_last_find_and_wraps), T(no_buffer_crosses_a_segment),
	  T(the_longest_buffer_fills_a_segment), T(a_page_or_more_begins_on_a_page),
	  T(each_cpu_begins_in_its_own_area), T(there_is_an_area_for_each_cpu_if_segments_suffice),
	  T(a_full_pool_is_reported_unless_nobody_wants_to_know),
	  T(what_was_taken_back_is_not_taken_back_again),
	  T(a_pool_that_cannot_be_had_is_half_as_large),
	  T(shared_memory_takes_zeroed_pages_of_the_pool))
