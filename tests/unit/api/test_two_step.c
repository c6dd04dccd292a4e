/* SPDX-License-Identifier: MIT */
/*
 * The two-step API: one IOVA range, links in it, one sync, one destroy.
 */
#include "unit/api/machines.h"

static void a_read_lands_where_it_was_linked(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_1M);
	static u8 pattern[SZ_1M];
	struct dma_iova_state st;

	fill_pattern(pattern, sizeof(pattern), 1);
	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_1M));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_1M, DMA_FROM_DEVICE, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_1M));
	expect_done(dmasim_dev_write(rig->nvme, st.addr, pattern, SZ_1M), SZ_1M);
	dma_iova_destroy(dev, &st, SZ_1M, DMA_FROM_DEVICE, 0);

	assert_memory_equal(dmasim_ptr(rig->s, buf, SZ_1M), pattern, SZ_1M);
	dmasim_assert_clean(rig->s);
}

/* ---- The state ------------------------------------------------------------------------------- */

static void the_state_is_linuxs_16_bytes(void **state)
{
	(void)state;
	expect_u64(sizeof(struct dma_iova_state), 16);
	expect_u64(offsetof(struct dma_iova_state, addr), 0);
	expect_u64(offsetof(struct dma_iova_state, __size), 8);
	expect_u64(DMA_IOVA_USE_SWIOTLB, 1ULL << 63);
}

static void the_state_has_the_size_that_was_asked_for(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(&rig->nvme->dev, &st, 0x40, 0x1234));
	expect_u64(st.__size, 0x1234);
	expect_u64(dma_iova_size(&st), 0x1234);
	assert_true(dma_use_iova(&st));
	dma_iova_free(&rig->nvme->dev, &st);
	dmasim_assert_clean(rig->s);
}

static void the_size_is_read_without_the_bounce_bit(void **state)
{
	struct dma_iova_state st = { .addr = SZ_4K, .__size = DMA_IOVA_USE_SWIOTLB | 0x1234 };

	(void)state;
	expect_u64(dma_iova_size(&st), 0x1234);
	assert_true(dma_use_iova(&st));
}

static void freeing_does_not_clear_the_state(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st, before;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	before = st;
	dma_iova_free(dev, &st);
	assert_memory_equal(&st, &before, sizeof(st));
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	before = st;
	dma_iova_destroy(dev, &st, 0, DMA_TO_DEVICE, 0);
	assert_memory_equal(&st, &before, sizeof(st));
	assert_true(dma_use_iova(&st));
	dmasim_assert_clean(rig->s);
}

/* Ownership goes by device and address: the 16 bytes may move (facts 1.4). */
static void the_state_may_be_copied_between_calls(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state first, second, third;

	assert_true(dma_iova_try_alloc(dev, &first, buf, SZ_64K));
	second = first;
	memset(&first, 0xee, sizeof(first));
	expect_ok(dma_iova_link(dev, &second, buf, 0, SZ_64K, DMA_BIDIRECTIONAL, 0));
	third = second;
	memset(&second, 0xee, sizeof(second));
	expect_ok(dma_iova_sync(dev, &third, 0, SZ_64K));
	expect_both_ways(rig->s, rig->nvme, third.addr, buf, SZ_64K);
	first = third;
	memset(&third, 0xee, sizeof(third));
	dma_iova_destroy(dev, &first, SZ_64K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- Links ----------------------------------------------------------------------------------- */

/* T2: the low bits of phys are those of the address, and a crossing takes a second granule. */
static void t2_the_offset_in_the_granule_is_kept(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K) + 0xa34;
	struct dma_iova_state st;
	u64 before;

	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_4K));
	expect_u64(st.addr & (SZ_4K - 1), 0xa34);
	before = dmasim_costs(rig->s).entries_written;
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_u64(dmasim_costs(rig->s).entries_written - before, 2);
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
	expect_both_ways(rig->s, rig->nvme, st.addr, buf, SZ_4K);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/*
 * T3:
 *   granules  |-------|-------|
 *   links        [aaaa|bbbbbbb]     0x5cc bytes up to the boundary, then one granule
 */
static void t3_two_links_make_one_contiguous_range(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t head = ram(rig, SZ_4K) + SZ_4K - 0x5cc;
	phys_addr_t body = ram(rig, SZ_64K) + 3 * SZ_4K;
	struct dma_iova_state st;
	u8 sent[0x5cc + SZ_4K];

	assert_true(dma_iova_try_alloc(dev, &st, head, 0x5cc + SZ_4K));
	expect_ok(dma_iova_link(dev, &st, head, 0, 0x5cc, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_link(dev, &st, body, 0x5cc, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, 0x5cc + SZ_4K));

	fill_pattern(sent, sizeof(sent), 3);
	expect_done(dmasim_dev_write(rig->nvme, st.addr, sent, sizeof(sent)), sizeof(sent));
	expect_bytes_at(rig->s, head, sent, 0x5cc);
	expect_bytes_at(rig->s, body, sent + 0x5cc, SZ_4K);
	dma_iova_destroy(dev, &st, 0x5cc + SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void the_last_link_may_end_in_its_granule(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_4K + 0x321));
	expect_ok(dma_iova_link(dev, &st, buf + SZ_16K, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_link(dev, &st, buf, SZ_4K, 0x321, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K + 0x321));
	expect_both_ways(rig->s, rig->nvme, st.addr, buf + SZ_16K, SZ_4K);
	expect_both_ways(rig->s, rig->nvme, st.addr + SZ_4K, buf, 0x321);
	dma_iova_destroy(dev, &st, SZ_4K + 0x321, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* The order of links is free, and so is where each leads. */
static void links_may_come_in_any_order(void **state)
{
	static const u64 order[] = { 3, 0, 7, 5, 1, 6, 2, 4 };
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, 8 * SZ_4K));
	for (u64 i = 0; i < 8; i++)
		expect_ok(dma_iova_link(dev, &st, buf + i * SZ_4K, order[i] * SZ_4K, SZ_4K,
					DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, 8 * SZ_4K));
	for (u64 i = 0; i < 8; i++)
		expect_both_ways(rig->s, rig->nvme, st.addr + order[i] * SZ_4K, buf + i * SZ_4K,
				 SZ_4K);
	dma_iova_destroy(dev, &st, 8 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void each_link_has_its_own_direction(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state st;
	u8 byte = 1;

	assert_true(dma_iova_try_alloc(dev, &st, 0, 2 * SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_TO_DEVICE, 0));
	expect_ok(dma_iova_link(dev, &st, buf + SZ_4K, SZ_4K, SZ_4K, DMA_FROM_DEVICE, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, 2 * SZ_4K));
	expect_read_sees(rig->s, rig->nvme, st.addr, buf, SZ_4K);
	expect_write_lands(rig->s, rig->nvme, st.addr + SZ_4K, buf + SZ_4K, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 2);
	expect_transfer(dmasim_dev_write(rig->nvme, st.addr, &byte, 1), DMASIM_IOMMU_FAULT, 0);
	expect_transfer(dmasim_dev_read(rig->nvme, st.addr + SZ_4K, &byte, 1), DMASIM_IOMMU_FAULT,
			0);
	dma_iova_unlink(dev, &st, 0, SZ_4K, DMA_TO_DEVICE, 0);
	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_FROM_DEVICE, 0);
	dma_iova_free(dev, &st);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 2);
}

/* ---- Unlinking ------------------------------------------------------------------------------- */

/*
 *   before  |aaaaaaa|bbbbbbb|ccccccc|
 *   after   |aaaaaaa|       |ccccccc|
 */
static void unlinking_the_middle_leaves_the_ends(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, 3 * SZ_4K));
	for (u64 i = 0; i < 3; i++)
		expect_ok(dma_iova_link(dev, &st, buf + i * SZ_4K, i * SZ_4K, SZ_4K,
					DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, 3 * SZ_4K));
	expect_both_ways(rig->s, rig->nvme, st.addr + SZ_4K, buf + SZ_4K, SZ_4K);
	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_both_ways(rig->s, rig->nvme, st.addr, buf, SZ_4K);
	expect_both_ways(rig->s, rig->nvme, st.addr + 2 * SZ_4K, buf + 2 * SZ_4K, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 4);
	expect_refused(rig->nvme, st.addr + SZ_4K);
	expect_refused(rig->nvme, st.addr + 2 * SZ_4K - 1);
	dma_iova_unlink(dev, &st, 0, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma_iova_unlink(dev, &st, 2 * SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma_iova_free(dev, &st);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 4);
}

static void an_unlinked_part_can_be_linked_to_something_else(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t first = ram(rig, SZ_16K), second = ram(rig, SZ_16K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, 4 * SZ_4K));
	expect_ok(dma_iova_link(dev, &st, first, 0, 4 * SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, 4 * SZ_4K));
	expect_both_ways(rig->s, rig->nvme, st.addr, first, 4 * SZ_4K);
	dma_iova_unlink(dev, &st, SZ_4K, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_ok(dma_iova_link(dev, &st, second, SZ_4K, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, SZ_4K, 2 * SZ_4K));
	expect_both_ways(rig->s, rig->nvme, st.addr, first, SZ_4K);
	expect_both_ways(rig->s, rig->nvme, st.addr + SZ_4K, second, 2 * SZ_4K);
	expect_both_ways(rig->s, rig->nvme, st.addr + 3 * SZ_4K, first + 3 * SZ_4K, SZ_4K);
	dma_iova_destroy(dev, &st, 4 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* HMM's way: a large range, and one page at a time; a page gets the same address again. */
static void pages_come_and_go_in_one_range(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_2M));
	for (u64 round = 0; round < 40; round++) {
		u64 offset = dmasim_random(rig->s, SZ_2M / SZ_4K) * SZ_4K;
		phys_addr_t page = buf + (round % 16) * SZ_4K;

		expect_ok(dma_iova_link(dev, &st, page, offset, SZ_4K, DMA_BIDIRECTIONAL, 0));
		expect_ok(dma_iova_sync(dev, &st, offset, SZ_4K));
		expect_both_ways(rig->s, rig->nvme, st.addr + offset, page, SZ_4K);
		dma_iova_unlink(dev, &st, offset, SZ_4K, DMA_BIDIRECTIONAL, 0);
	}
	dma_iova_free(dev, &st);
	dmasim_assert_clean(rig->s);
}

/*
 * Facts 5.5:
 *   before    |aaaaaaa|bbbbbbb|
 *   unlink             [.]          a part of a granule takes the whole granule with it
 *   after     |aaaaaaa|       |
 */
static void unlinking_rounds_out_to_granules(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, buf, 2 * SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, 2 * SZ_4K));
	dma_iova_unlink(dev, &st, SZ_4K + 0x80, 0x10, DMA_BIDIRECTIONAL, 0);
	expect_both_ways(rig->s, rig->nvme, st.addr, buf, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 4);
	expect_refused(rig->nvme, st.addr + SZ_4K);
	expect_refused(rig->nvme, st.addr + 2 * SZ_4K - 1);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 4);
}

/* ---- The end --------------------------------------------------------------------------------- */

/* Facts 5.9: a link fails at running offset m, and the driver destroys m bytes. */
static void destroying_less_than_was_allocated_frees_all(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state st, again;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(17)));
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_64K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, 3 * SZ_4K, DMA_TO_DEVICE, 0));
	dma_iova_destroy(dev, &st, 3 * SZ_4K, DMA_TO_DEVICE, 0);
	/* 17 bits hold no second 64 KiB beside page 0: all of the first is free again. */
	assert_true(dma_iova_try_alloc(dev, &again, 0, SZ_64K));
	expect_u64(again.addr, st.addr);
	dma_iova_destroy(dev, &again, 0, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

static void after_destroy_nothing_of_the_range_is_in_reach(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_64K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_64K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_64K));
	expect_both_ways(rig->s, rig->nvme, st.addr, buf, SZ_64K);
	dma_iova_destroy(dev, &st, SZ_64K, DMA_BIDIRECTIONAL, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 4);
	expect_refused(rig->nvme, st.addr);
	expect_refused(rig->nvme, st.addr + SZ_64K - 1);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 4);
}

/* Facts 14: N links, one sync, one unmap: one IOVA block and one invalidation. */
static void many_links_cost_one_block_and_one_invalidation(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_1M);
	struct dmasim_costs before = dmasim_costs(rig->s), after;
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, 64 * SZ_4K));
	for (u64 i = 0; i < 64; i++)
		expect_ok(dma_iova_link(dev, &st, buf + 2 * i * SZ_4K, i * SZ_4K, SZ_4K,
					DMA_TO_DEVICE, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, 64 * SZ_4K));
	dma_iova_destroy(dev, &st, 64 * SZ_4K, DMA_TO_DEVICE, 0);
	after = dmasim_costs(rig->s);
	expect_u64(after.iova_allocs - before.iova_allocs, 1);
	expect_u64(after.entries_written - before.entries_written, 64);
	expect_u64(after.entries_cleared - before.entries_cleared, 64);
	expect_u64(after.invalidations - before.invalidations, 1);
	dmasim_assert_clean(rig->s);
}

/* Facts 5.5, point 3: strict, each time. */
static void each_unlink_invalidates(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state st;
	u64 before;

	assert_true(dma_iova_try_alloc(dev, &st, 0, 4 * SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, 4 * SZ_4K, DMA_TO_DEVICE, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, 4 * SZ_4K));
	before = dmasim_costs(rig->s).invalidations;
	for (u64 i = 0; i < 4; i++) {
		dma_iova_unlink(dev, &st, i * SZ_4K, SZ_4K, DMA_TO_DEVICE, 0);
		expect_u64(dmasim_costs(rig->s).invalidations, before + i + 1);
	}
	dma_iova_free(dev, &st);
	expect_u64(dmasim_costs(rig->s).invalidations, before + 4);
	dmasim_assert_clean(rig->s);
}

/* 2 MiB of RAM at a 2 MiB IOVA is one entry; 1 GiB is one, too. */
static void large_aligned_links_use_large_leaves(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;
	u64 before = dmasim_costs(rig->s).entries_written;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_2M));
	expect_ok(dma_iova_link(dev, &st, SZ_4G, 0, SZ_2M, DMA_BIDIRECTIONAL, 0));
	expect_u64(dmasim_costs(rig->s).entries_written - before, 1);
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_2M));
	expect_both_ways(rig->s, rig->nvme, st.addr + SZ_1M, SZ_4G + SZ_1M, SZ_4K);
	dma_iova_destroy(dev, &st, SZ_2M, DMA_BIDIRECTIONAL, 0);

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_1G));
	before = dmasim_costs(rig->s).entries_written;
	expect_ok(dma_iova_link(dev, &st, SZ_4G, 0, SZ_1G, DMA_BIDIRECTIONAL, 0));
	expect_u64(dmasim_costs(rig->s).entries_written - before, 1);
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_1G));
	expect_both_ways(rig->s, rig->nvme, st.addr + SZ_1G - SZ_4K, SZ_4G + SZ_1G - SZ_4K, SZ_4K);
	dma_iova_destroy(dev, &st, SZ_1G, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(BEHIND_VTD(a_read_lands_where_it_was_linked), BEHIND_VTD(the_state_is_linuxs_16_bytes),
	  BEHIND_VTD(the_state_has_the_size_that_was_asked_for),
	  BEHIND_VTD(the_size_is_read_without_the_bounce_bit),
	  BEHIND_VTD(freeing_does_not_clear_the_state),
	  BEHIND_VTD(the_state_may_be_copied_between_calls),
	  BEHIND_VTD(t2_the_offset_in_the_granule_is_kept),
	  BEHIND_VTD(t3_two_links_make_one_contiguous_range),
	  BEHIND_VTD(the_last_link_may_end_in_its_granule), BEHIND_VTD(links_may_come_in_any_order),
	  BEHIND_VTD(each_link_has_its_own_direction),
	  BEHIND_VTD(unlinking_the_middle_leaves_the_ends),
	  BEHIND_VTD(an_unlinked_part_can_be_linked_to_something_else),
	  BEHIND_VTD(pages_come_and_go_in_one_range), BEHIND_VTD(unlinking_rounds_out_to_granules),
	  BEHIND_VTD(destroying_less_than_was_allocated_frees_all),
	  BEHIND_VTD(after_destroy_nothing_of_the_range_is_in_reach),
	  BEHIND_VTD(many_links_cost_one_block_and_one_invalidation),
	  BEHIND_VTD(each_unlink_invalidates), BEHIND_VTD(large_aligned_links_use_large_leaves))
