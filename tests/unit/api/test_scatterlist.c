/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists of RAM: what is joined into one DMA segment behind an IOMMU, and what is not (facts
 * 4.3).
 */
#include "unit/api/lists.h"

/* `pages` whole pages, no two of them neighbours. */
static void scattered_pages(struct rig *rig, struct list *list, u32 pages)
{
	phys_addr_t buf = ram(rig, 2 * pages * SZ_4K);

	list_init(list, pages);
	for (u32 i = 0; i < pages; i++)
		list_set(rig, list, i, buf + 2 * i * SZ_4K, SZ_4K);
	list_remember(list);
}

static void map(struct rig *rig, struct list *list, u32 segments)
{
	expect_ok(dma_map_sgtable(&rig->nvme->dev, &list->table, DMA_BIDIRECTIONAL, 0));
	expect_u64(list->table.nents, segments);
	expect_list_carries(rig->s, rig->nvme, &list->table);
}

static void unmap(struct rig *rig, struct list *list)
{
	dma_unmap_sgtable(&rig->nvme->dev, &list->table, DMA_BIDIRECTIONAL, 0);
	expect_list_restored(list);
	dmasim_assert_clean(rig->s);
}

static void expect_segment(const struct list *list, u32 index, u64 bytes, u64 low_bits)
{
	expect_u64(list->sg[index].dma_length, bytes);
	expect_u64(list->sg[index].dma_address & (SZ_4K - 1), low_bits);
}

static void scattered_pages_become_one_segment(void **state)
{
	struct rig *rig = *state;
	struct list list;

	scattered_pages(rig, &list, 8);
	map(rig, &list, 1);
	expect_segment(&list, 0, 8 * SZ_4K, 0);
	expect_unused(&list, 1);
	unmap(rig, &list);
}

static void without_an_iommu_nothing_is_joined(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct list list;

	list_init(&list, 4);
	for (u32 i = 0; i < 4; i++)
		list_set(rig, &list, i, buf + i * SZ_4K, SZ_4K);
	list_remember(&list);
	map(rig, &list, 4);
	for (u32 i = 0; i < 4; i++) {
		expect_u64(list.sg[i].dma_address, buf + i * SZ_4K);
		expect_u64(list.sg[i].dma_length, SZ_4K);
	}
	unmap(rig, &list);
}

static void one_entry_is_one_segment(void **state)
{
	struct rig *rig = *state;
	struct list list;

	list_init(&list, 1);
	list_set(rig, &list, 0, ram(rig, SZ_16K) + 0x123, SZ_4K + 7);
	list_remember(&list);
	map(rig, &list, 1);
	expect_segment(&list, 0, SZ_4K + 7, 0x123);
	unmap(rig, &list);
}

/* The default limit of a segment is 64 KiB: 16 pages each. */
static void a_segment_ends_at_64K(void **state)
{
	struct rig *rig = *state;
	struct list list;

	scattered_pages(rig, &list, 33);
	map(rig, &list, 3);
	expect_segment(&list, 0, SZ_64K, 0);
	expect_segment(&list, 1, SZ_64K, 0);
	expect_segment(&list, 2, SZ_4K, 0);
	expect_u64(list.sg[1].dma_address, list.sg[0].dma_address + SZ_64K);
	expect_unused(&list, 3);
	unmap(rig, &list);
}

static void a_segment_ends_at_the_limit_that_was_set(void **state)
{
	struct rig *rig = *state;
	struct list list;

	dma_set_max_seg_size(&rig->nvme->dev, 3 * SZ_4K);
	scattered_pages(rig, &list, 8);
	map(rig, &list, 3);
	expect_segment(&list, 0, 3 * SZ_4K, 0);
	expect_segment(&list, 1, 3 * SZ_4K, 0);
	expect_segment(&list, 2, 2 * SZ_4K, 0);
	unmap(rig, &list);
}

/* What does not fit any more starts the next segment; entries are not cut. */
static void a_limit_between_entries_does_not_cut_them(void **state)
{
	struct rig *rig = *state;
	struct list list;

	dma_set_max_seg_size(&rig->nvme->dev, 2 * SZ_4K + 100);
	scattered_pages(rig, &list, 4);
	map(rig, &list, 2);
	expect_segment(&list, 0, 2 * SZ_4K, 0);
	expect_segment(&list, 1, 2 * SZ_4K, 0);
	unmap(rig, &list);
}

static void one_entry_above_the_limit_stays_one_segment(void **state)
{
	struct rig *rig = *state;
	struct list list;

	list_init(&list, 2);
	list_set(rig, &list, 0, ram(rig, SZ_1M), SZ_1M);
	list_set(rig, &list, 1, ram(rig, SZ_4K), SZ_4K);
	list_remember(&list);
	dmasim_expect(rig->s, DMASIM_REPORT_SEGMENT_LIMIT, 1);
	map(rig, &list, 2);
	expect_segment(&list, 0, SZ_1M, 0);
	expect_segment(&list, 1, SZ_4K, 0);
	unmap(rig, &list);
}

static void a_large_limit_joins_everything(void **state)
{
	struct rig *rig = *state;
	struct list list;

	dma_set_max_seg_size(&rig->nvme->dev, SZ_1M);
	scattered_pages(rig, &list, 100);
	map(rig, &list, 1);
	expect_segment(&list, 0, 100 * SZ_4K, 0);
	unmap(rig, &list);
}

/*
 *   granules  |-------|-------|-------|
 *   entries       [aaa|bbbbbbb|cc]         only the ends are off the granule: one segment
 */
static void unaligned_ends_of_a_list_do_not_hinder(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct list list;

	list_init(&list, 3);
	list_set(rig, &list, 0, buf + 0x5cc, SZ_4K - 0x5cc);
	list_set(rig, &list, 1, buf + 4 * SZ_4K, SZ_4K);
	list_set(rig, &list, 2, buf + 8 * SZ_4K, 0x200);
	list_remember(&list);
	map(rig, &list, 1);
	expect_segment(&list, 0, 2 * SZ_4K - 0x5cc + 0x200, 0x5cc);
	expect_unused(&list, 1);
	unmap(rig, &list);
}

/*
 *   granules  |-------|-------|
 *   entries   [aaaa]  |[bbbbb]|      a ends in its granule: b starts a segment of its own
 */
static void an_entry_that_ends_in_its_granule_ends_the_segment(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct list list;

	list_init(&list, 3);
	list_set(rig, &list, 0, buf, 0x800);
	list_set(rig, &list, 1, buf + 2 * SZ_4K, SZ_4K);
	list_set(rig, &list, 2, buf + 4 * SZ_4K, SZ_4K);
	list_remember(&list);
	map(rig, &list, 2);
	expect_segment(&list, 0, 0x800, 0);
	expect_segment(&list, 1, 2 * SZ_4K, 0);
	expect_unused(&list, 2);
	unmap(rig, &list);
}

static void an_entry_that_starts_in_its_granule_starts_a_segment(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct list list;

	list_init(&list, 3);
	list_set(rig, &list, 0, buf, SZ_4K);
	list_set(rig, &list, 1, buf + 2 * SZ_4K + 0x10, SZ_4K - 0x10);
	list_set(rig, &list, 2, buf + 4 * SZ_4K, SZ_4K);
	list_remember(&list);
	map(rig, &list, 2);
	expect_segment(&list, 0, SZ_4K, 0);
	expect_segment(&list, 1, 2 * SZ_4K - 0x10, 0x10);
	unmap(rig, &list);
}

/* Neighbours in one granule: physically adjacent, and still each needs its granule. */
static void two_halves_of_one_page_are_two_segments(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct list list;

	list_init(&list, 2);
	list_set(rig, &list, 0, buf, SZ_4K / 2);
	list_set(rig, &list, 1, buf + SZ_4K / 2, SZ_4K / 2);
	list_remember(&list);
	map(rig, &list, 2);
	expect_segment(&list, 0, SZ_4K / 2, 0);
	expect_segment(&list, 1, SZ_4K / 2, SZ_4K / 2);
	unmap(rig, &list);
}

/*
 *   boundary  |---------------|---------------|      every 64 KiB
 *   entries   [aaaaaaaaa]     [bbbbbbbbb]            48 KiB and 32 KiB: b would cross, so it moves
 */
static void an_entry_that_would_cross_the_boundary_starts_on_it(void **state)
{
	struct rig *rig = *state;
	struct list list;

	dma_set_seg_boundary(&rig->nvme->dev, SZ_64K - 1);
	dma_set_max_seg_size(&rig->nvme->dev, SZ_1M);
	list_init(&list, 2);
	list_set(rig, &list, 0, ram(rig, SZ_64K), 12 * SZ_4K);
	list_set(rig, &list, 1, ram(rig, SZ_64K), 8 * SZ_4K);
	list_remember(&list);
	map(rig, &list, 2);
	expect_segment(&list, 0, 12 * SZ_4K, 0);
	expect_segment(&list, 1, 8 * SZ_4K, 0);
	expect_u64(list.sg[1].dma_address & (SZ_64K - 1), 0);
	unmap(rig, &list);
}

static void a_segment_ends_at_the_boundary(void **state)
{
	struct rig *rig = *state;
	struct list list;

	dma_set_seg_boundary(&rig->nvme->dev, 4 * SZ_4K - 1);
	scattered_pages(rig, &list, 9);
	map(rig, &list, 3);
	expect_segment(&list, 0, 4 * SZ_4K, 0);
	expect_segment(&list, 1, 4 * SZ_4K, 0);
	expect_segment(&list, 2, SZ_4K, 0);
	expect_u64(list.sg[0].dma_address & (4 * SZ_4K - 1), 0);
	unmap(rig, &list);
}

static void chained_lists_map_as_one(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct scatterlist first[4], second[3], *sg;
	struct sg_table table = { .sgl = first, .orig_nents = 6 };
	u32 i, at = 0;

	sg_init_table(first, 4);
	sg_init_table(second, 3);
	sg_chain(first, 4, second);
	for_each_sg(first, sg, 6, i)
		sg_set_page(sg, dmasim_page(rig->s, buf + 2 * at++ * SZ_4K), SZ_4K, 0);

	dma_set_max_seg_size(dev, 2 * SZ_4K);
	expect_ok(dma_map_sgtable(dev, &table, DMA_BIDIRECTIONAL, 0));
	expect_u64(table.nents, dma_get_merge_boundary(dev) ? 3 : 6);
	expect_list_carries(rig->s, rig->nvme, &table);
	dma_unmap_sgtable(dev, &table, DMA_BIDIRECTIONAL, 0);
	assert_true(sg_is_chain(&first[3]));
	for_each_sg(first, sg, 6, i)
		expect_u64(sg->length, SZ_4K);
	dmasim_assert_clean(rig->s);
}

/* The DMA half may reach into the second array: three segments need entries 0, 1 and 2. */
static void segments_continue_in_the_chained_array(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct scatterlist first[2], second[3], *sg;
	u32 i;

	sg_init_table(first, 2);
	sg_init_table(second, 3);
	sg_chain(first, 2, second);
	for_each_sg(first, sg, 4, i)
		sg_set_page(sg, dmasim_page(rig->s, buf + i * SZ_4K), 0x80, 0);

	expect_u64(dma_map_sg(dev, first, 4, DMA_BIDIRECTIONAL), 4);
	for_each_sg(first, sg, 4, i) {
		expect_u64(sg_dma_len(sg), 0x80);
		expect_both_ways(rig->s, rig->nvme, sg_dma_address(sg), buf + i * SZ_4K, 0x80);
	}
	dma_unmap_sg(dev, first, 4, DMA_BIDIRECTIONAL);
	dmasim_assert_clean(rig->s);
}

static void a_part_of_a_list_can_be_mapped(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	scattered_pages(rig, &list, 6);
	list.sg[4].dma_address = 0x1234;
	list.sg[4].dma_length = 0x99;
	expect_u64(dma_map_sg(dev, list.sg, 4, DMA_TO_DEVICE), 1);
	expect_u64(list.sg[4].dma_address, 0x1234);
	expect_u64(list.sg[4].dma_length, 0x99);
	dma_unmap_sg(dev, list.sg, 4, DMA_TO_DEVICE);
	dmasim_assert_clean(rig->s);
}

static void a_list_can_be_mapped_again_after_its_unmap(void **state)
{
	struct rig *rig = *state;
	struct list list;

	scattered_pages(rig, &list, 20);
	for (int round = 0; round < 3; round++) {
		map(rig, &list, 2);
		unmap(rig, &list);
	}
}

static void the_direction_of_a_list_is_enforced(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;
	u8 byte = 1;

	scattered_pages(rig, &list, 2);
	expect_u64(dma_map_sg(dev, list.sg, 2, DMA_TO_DEVICE), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
	expect_transfer(dmasim_dev_write(rig->nvme, list.sg[0].dma_address + SZ_4K, &byte, 1),
			DMASIM_IOMMU_FAULT, 0);
	dma_unmap_sg(dev, list.sg, 2, DMA_TO_DEVICE);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
}

/* One block of IOVA space and one invalidation, however many entries (facts 4.3, 14). */
static void a_list_costs_one_iova_block_and_one_invalidation(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dmasim_costs before, after;
	struct list list;

	scattered_pages(rig, &list, 40);
	before = dmasim_costs(rig->s);
	expect_u64(dma_map_sg(dev, list.sg, 40, DMA_TO_DEVICE), 3);
	dma_unmap_sg(dev, list.sg, 40, DMA_TO_DEVICE);
	after = dmasim_costs(rig->s);
	expect_u64(after.iova_allocs - before.iova_allocs, 1);
	expect_u64(after.invalidations - before.invalidations, 1);
	expect_u64(after.entries_written - before.entries_written, 40);
	expect_u64(after.entries_cleared - before.entries_cleared, 40);
	dmasim_assert_clean(rig->s);
}

static void after_the_unmap_no_segment_is_in_reach(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	scattered_pages(rig, &list, 20);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
	dma_unmap_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 4);
	expect_refused(rig->nvme, list.sg[0].dma_address);
	expect_refused(rig->nvme, list.sg[1].dma_address + 4 * SZ_4K - 1);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 4);
}

/* No segment is longer than the limit or crosses the boundary, unless one entry does so alone. */
static void expect_limits_kept(struct device *dev, struct list *list)
{
	u32 cpu = 0;

	for (u32 i = 0; i < list->table.nents; i++) {
		const struct scatterlist *sg = &list->sg[i];
		u64 last = sg->dma_address + sg->dma_length - 1, covered = 0;
		u32 entries = 0;

		for (; covered < sg->dma_length; entries++)
			covered += list->before[cpu++].length;
		expect_u64(covered, sg->dma_length);
		if (entries == 1)
			continue;
		assert_true(sg->dma_length <= dev->max_segment_size);
		expect_u64(sg->dma_address & ~dev->segment_boundary_mask,
			   last & ~dev->segment_boundary_mask);
	}
	expect_u64(cpu, list->table.orig_nents);
}

static void random_lists_keep_the_limits_and_carry_their_bytes(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_2M);

	/* Limits are for what is joined: entries that are beyond them by themselves are told. */
	dmasim_suppress(rig->s, DMASIM_REPORT_SEGMENT_LIMIT);
	for (int round = 0; round < 60; round++) {
		u32 entries = 1 + dmasim_random(rig->s, 40);
		struct list list;

		dma_set_max_seg_size(dev, SZ_4K << dmasim_random(rig->s, 5));
		dma_set_seg_boundary(dev, (SZ_4K << dmasim_random(rig->s, 6)) - 1);
		list_init(&list, entries);
		for (u32 i = 0; i < entries; i++) {
			u64 offset = dmasim_random(rig->s, 3) ? 0 : dmasim_random(rig->s, SZ_4K);
			u64 bytes = dmasim_random(rig->s, 3) ? SZ_4K - offset
							     : 1 + dmasim_random(rig->s, SZ_16K);

			list_set(rig, &list, i, buf + i * 2 * SZ_16K + offset, bytes);
		}
		list_remember(&list);
		expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
		expect_list_carries(rig->s, rig->nvme, &list.table);
		expect_limits_kept(dev, &list);
		dma_unmap_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0);
		expect_list_restored(&list);
	}
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(BEHIND_VTD(scattered_pages_become_one_segment),
	  WITHOUT_IOMMU(without_an_iommu_nothing_is_joined),
	  IN_BOTH_MODES(one_entry_is_one_segment), BEHIND_VTD(a_segment_ends_at_64K),
	  BEHIND_VTD(a_segment_ends_at_the_limit_that_was_set),
	  BEHIND_VTD(a_limit_between_entries_does_not_cut_them),
	  BEHIND_VTD(one_entry_above_the_limit_stays_one_segment),
	  BEHIND_VTD(a_large_limit_joins_everything),
	  BEHIND_VTD(unaligned_ends_of_a_list_do_not_hinder),
	  BEHIND_VTD(an_entry_that_ends_in_its_granule_ends_the_segment),
	  BEHIND_VTD(an_entry_that_starts_in_its_granule_starts_a_segment),
	  IN_BOTH_MODES(two_halves_of_one_page_are_two_segments),
	  BEHIND_VTD(an_entry_that_would_cross_the_boundary_starts_on_it),
	  BEHIND_VTD(a_segment_ends_at_the_boundary), IN_BOTH_MODES(chained_lists_map_as_one),
	  IN_BOTH_MODES(segments_continue_in_the_chained_array),
	  BEHIND_VTD(a_part_of_a_list_can_be_mapped),
	  BEHIND_VTD(a_list_can_be_mapped_again_after_its_unmap),
	  BEHIND_VTD(the_direction_of_a_list_is_enforced),
	  BEHIND_VTD(a_list_costs_one_iova_block_and_one_invalidation),
	  BEHIND_VTD(after_the_unmap_no_segment_is_in_reach),
	  BEHIND_VTD(random_lists_keep_the_limits_and_carry_their_bytes))
