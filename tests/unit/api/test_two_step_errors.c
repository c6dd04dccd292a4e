/* SPDX-License-Identifier: MIT */
/*
 * The two-step API refuses: each documented error of dma_iova_try_alloc() and dma_iova_link()
 * (facts 5.1, 5.2, 6.6), and that a refused link leaves no trace. Those that a driver brings about
 * itself are reported.
 */
#include "unit/api/machines.h"
#include "unit/api/plain_iova.h"

/* Every refusal here is followed by a good link, so nothing may be in its way. */
static void expect_still_usable(struct rig *rig, struct dma_iova_state *st)
{
	struct device *dev = &rig->nvme->dev;
	u64 bytes = dma_iova_size(st);
	phys_addr_t buf = ram(rig, bytes);

	expect_ok(dma_iova_link(dev, st, buf, 0, bytes, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, st, 0, bytes));
	expect_both_ways(rig->s, rig->nvme, st->addr, buf, bytes);
	dma_iova_destroy(dev, st, bytes, DMA_BIDIRECTIONAL, 0);
}

static struct dma_iova_state range(struct rig *rig, phys_addr_t phys, u64 bytes)
{
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(&rig->nvme->dev, &st, phys, bytes));
	return st;
}

/* ---- try_alloc ------------------------------------------------------------------------------- */

static void no_size_is_refused_and_reported(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st;

	memset(&st, 0xff, sizeof(st));
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	assert_false(dma_iova_try_alloc(&rig->nvme->dev, &st, 0, 0));
	expect_u64(st.addr, 0);
	assert_false(dma_use_iova(&st));
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

static void a_size_with_the_bounce_bit_is_refused_and_reported(void **state)
{
	static const u64 sizes[] = { 1ULL << 63, (1ULL << 63) | SZ_4K, ~0ULL };
	struct rig *rig = *state;
	struct dma_iova_state st;

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 3);
	for (int i = 0; i < 3; i++) {
		assert_false(dma_iova_try_alloc(&rig->nvme->dev, &st, 0, sizes[i]));
		assert_false(dma_use_iova(&st));
	}
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 3);
}

static void a_size_beyond_the_space_is_refused(void **state)
{
	static const u64 sizes[] = { 1ULL << 48, 1ULL << 49, (1ULL << 63) - 1,
				     (1ULL << 63) - 4096 };
	struct rig *rig = *state;
	struct dma_iova_state st;

	for (int i = 0; i < 4; i++) {
		assert_false(dma_iova_try_alloc(&rig->nvme->dev, &st, 0xfff, sizes[i]));
		assert_false(dma_use_iova(&st));
	}
	dmasim_assert_clean(rig->s);
}

/* An allocator that takes memory for each range, and one try with it. */
static int setup_own_allocator(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .forcedac = true,
							      .iova_ops = &plain_iova });
}

static void no_memory_for_the_record_is_refused(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = range(rig, 0, SZ_4K), other;

	dmasim_fail(rig->s, DMASIM_FAULT_IOVA_NODE, 1);
	assert_false(dma_iova_try_alloc(dev, &other, 0, SZ_4K));
	assert_false(dma_use_iova(&other));
	expect_u64(dmasim_failures(rig->s), 1);
	dma_iova_free(dev, &st);
	dmasim_assert_clean(rig->s);
}

/* ---- link ------------------------------------------------------------------------------------ */

/* T4, first half (M8). */
static void t4_an_unaligned_phys_behind_the_first_link_is_eio(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st = range(rig, 0, SZ_16K);

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	expect_error(dma_iova_link(&rig->nvme->dev, &st, buf + 1, SZ_4K, SZ_4K, DMA_TO_DEVICE, 0),
		     -EIO);
	expect_still_usable(rig, &st);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

/* T4, second half: the partial link is fine, the one behind it is not aligned any more. */
static void t4_a_link_behind_a_partial_one_is_enxio(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st = range(rig, 0, SZ_16K);

	dmasim_expect(rig->s, DMASIM_REPORT_LINK_MISALIGNED, 1);
	expect_ok(dma_iova_link(dev, &st, buf, 0, 0x800, DMA_TO_DEVICE, 0));
	expect_error(dma_iova_link(dev, &st, buf + SZ_4K, 0x800, SZ_4K, DMA_TO_DEVICE, 0), -ENXIO);
	dma_iova_destroy(dev, &st, 0x800, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_LINK_MISALIGNED, 1);
}

/* Facts 5.2: allocated for offset 0, linked with one: the address is below the range, and odd. */
static void low_bits_that_differ_from_those_allocated_are_enxio(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st = range(rig, 0, SZ_16K);

	dmasim_expect(rig->s, DMASIM_REPORT_LINK_MISALIGNED, 2);
	expect_error(dma_iova_link(dev, &st, buf + 0x40, 0, SZ_4K, DMA_TO_DEVICE, 0), -ENXIO);
	expect_still_usable(rig, &st);
	st = range(rig, 0x40, SZ_16K);
	expect_error(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_TO_DEVICE, 0), -ENXIO);
	dma_iova_free(dev, &st);
	expect_only(rig->s, DMASIM_REPORT_LINK_MISALIGNED, 2);
}

static void linking_what_is_linked_is_eaddrinuse(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K), other = ram(rig, SZ_16K);
	struct dma_iova_state st = range(rig, 0, SZ_16K);

	dmasim_expect(rig->s, DMASIM_REPORT_LINK_OVERLAP, 2);
	expect_ok(dma_iova_link(dev, &st, buf, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_error(dma_iova_link(dev, &st, other, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0),
		     -EADDRINUSE);
	/* The first piece of this one would be free; it is taken back. */
	expect_error(dma_iova_link(dev, &st, other, 0, SZ_16K, DMA_BIDIRECTIONAL, 0), -EADDRINUSE);
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_16K));
	expect_both_ways(rig->s, rig->nvme, st.addr + SZ_4K, buf, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 4);
	expect_refused(rig->nvme, st.addr);
	expect_refused(rig->nvme, st.addr + 2 * SZ_4K);
	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma_iova_free(dev, &st);
	dmasim_assert_clean(rig->s);
}

static void overlapping_a_large_leaf_is_eaddrinuse(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_2M);
	struct dma_iova_state st = range(rig, 0, SZ_2M);

	dmasim_expect(rig->s, DMASIM_REPORT_LINK_OVERLAP, 4);
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_2M, DMA_BIDIRECTIONAL, 0));
	for (u64 offset = 0; offset < SZ_2M; offset += SZ_2M / 4)
		expect_error(dma_iova_link(dev, &st, buf, offset, SZ_4K, DMA_BIDIRECTIONAL, 0),
			     -EADDRINUSE);
	dma_iova_destroy(dev, &st, SZ_2M, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_LINK_OVERLAP, 4);
}

/* The reverse: small entries in the way of a large leaf. */
static void a_large_link_over_small_ones_is_eaddrinuse(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_2M);
	struct dma_iova_state st = range(rig, 0, SZ_2M);

	dmasim_expect(rig->s, DMASIM_REPORT_LINK_OVERLAP, 1);
	expect_ok(dma_iova_link(dev, &st, buf + SZ_4K, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_error(dma_iova_link(dev, &st, buf, 0, SZ_2M, DMA_BIDIRECTIONAL, 0), -EADDRINUSE);
	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_still_usable(rig, &st);
	expect_only(rig->s, DMASIM_REPORT_LINK_OVERLAP, 1);
}

static void a_link_of_no_bytes_is_einval(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st = range(rig, 0, SZ_16K);

	expect_error(dma_iova_link(&rig->nvme->dev, &st, buf, 0, 0, DMA_TO_DEVICE, 0), -EINVAL);
	expect_still_usable(rig, &st);
	dmasim_assert_clean(rig->s);
}

/* Facts 1.1, M1: no permission bits; the page table warns and refuses. */
static void a_link_without_a_direction_is_einval_and_reported(void **state)
{
	static const int directions[] = { DMA_NONE, 4, -1 };
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st = range(rig, 0, SZ_16K);

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_DIRECTION, 3);
	for (int i = 0; i < 3; i++)
		expect_error(dma_iova_link(&rig->nvme->dev, &st, buf, 0, SZ_4K,
					   (enum dma_data_direction)directions[i], 0),
			     -EINVAL);
	expect_still_usable(rig, &st);
	expect_only(rig->s, DMASIM_REPORT_BAD_DIRECTION, 3);
}

static void a_phys_that_no_entry_holds_is_erange(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = range(rig, 0, SZ_16K);

	expect_error(dma_iova_link(&rig->nvme->dev, &st, 1ULL << 52, 0, SZ_4K, DMA_TO_DEVICE, 0),
		     -ERANGE);
	expect_error(dma_iova_link(&rig->nvme->dev, &st, (1ULL << 52) - SZ_4K, 0, 2 * SZ_4K,
				   DMA_TO_DEVICE, 0),
		     -ERANGE);
	expect_still_usable(rig, &st);
	dmasim_assert_clean(rig->s);
}

/* Facts 6.6: what is beyond the format is looked at first, and such an address is. */
static void a_phys_range_that_wraps_is_erange(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = range(rig, 0, SZ_16K);

	expect_error(
		dma_iova_link(&rig->nvme->dev, &st, -(u64)SZ_4K, 0, 2 * SZ_4K, DMA_TO_DEVICE, 0),
		-ERANGE);
	expect_still_usable(rig, &st);
	dmasim_assert_clean(rig->s);
}

/* An offset that leads to the last granule of all 2^64 bytes, and two granules from there. */
static void an_iova_range_that_wraps_is_eoverflow(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st = range(rig, 0, SZ_16K);

	dmasim_expect(rig->s, DMASIM_REPORT_LINK_OUTSIDE, 1);
	expect_error(dma_iova_link(&rig->nvme->dev, &st, buf, -st.addr - SZ_4K, 2 * SZ_4K,
				   DMA_TO_DEVICE, 0),
		     -EOVERFLOW);
	expect_still_usable(rig, &st);
	expect_only(rig->s, DMASIM_REPORT_LINK_OUTSIDE, 1);
}

/* The first range ends at the top of the space; one more granule is beyond the table. */
static void an_iova_beyond_the_table_is_erange(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state st = range(rig, 0, SZ_16K);

	dmasim_expect(rig->s, DMASIM_REPORT_LINK_OUTSIDE, 1);
	expect_u64(st.addr + SZ_16K, 1ULL << 48);
	expect_error(dma_iova_link(&rig->nvme->dev, &st, buf, 0, SZ_16K + SZ_4K, DMA_TO_DEVICE, 0),
		     -ERANGE);
	expect_still_usable(rig, &st);
	expect_only(rig->s, DMASIM_REPORT_LINK_OUTSIDE, 1);
}

/* Each table on the way fails in turn; nothing of the link stays. */
static void no_page_for_a_table_is_enomem(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	u64 nth = 0;
	int err;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(31)));
	do {
		struct dma_iova_state st = range(rig, 0, SZ_4K);

		dmasim_fail(rig->s, DMASIM_FAULT_TABLE_PAGE, ++nth);
		err = dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_TO_DEVICE, 0);
		if (dmasim_failures(rig->s))
			expect_error(err, -ENOMEM);
		else
			expect_ok(err);
		dma_iova_destroy(dev, &st, err ? 0 : SZ_4K, DMA_TO_DEVICE, 0);
		dmasim_fail(rig->s, DMASIM_FAULT_ANY, 0);
		assert_true(nth < 8);
	} while (err);
	assert_true(nth > 1);
	dmasim_assert_clean(rig->s);
}

/* What a link had already written is taken back when a later piece fails (facts 6.6). */
static void a_link_that_fails_half_way_leaves_nothing(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, 4 * SZ_2M) + SZ_4K;
	struct dma_iova_state st = range(rig, buf, 3 * SZ_2M);

	/* The range is 3 x 2 MiB of single pages: a table for each, of which the second fails. */
	dmasim_fail(rig->s, DMASIM_FAULT_TABLE_PAGE, 3);
	expect_error(dma_iova_link(dev, &st, buf, 0, 3 * SZ_2M, DMA_BIDIRECTIONAL, 0), -ENOMEM);
	expect_u64(dmasim_failures(rig->s), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 2);
	expect_refused(rig->nvme, st.addr);
	expect_ok(dma_iova_link(dev, &st, buf, 0, 3 * SZ_2M, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, 3 * SZ_2M));
	expect_both_ways(rig->s, rig->nvme, st.addr + SZ_2M, buf + SZ_2M, SZ_4K);
	dma_iova_destroy(dev, &st, 3 * SZ_2M, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(BEHIND_VTD(no_size_is_refused_and_reported),
	  BEHIND_VTD(a_size_with_the_bounce_bit_is_refused_and_reported),
	  BEHIND_VTD(a_size_beyond_the_space_is_refused),
	  WITH_SETUP(no_memory_for_the_record_is_refused, setup_own_allocator),
	  BEHIND_VTD(t4_an_unaligned_phys_behind_the_first_link_is_eio),
	  BEHIND_VTD(t4_a_link_behind_a_partial_one_is_enxio),
	  BEHIND_VTD(low_bits_that_differ_from_those_allocated_are_enxio),
	  BEHIND_VTD(linking_what_is_linked_is_eaddrinuse),
	  BEHIND_VTD(overlapping_a_large_leaf_is_eaddrinuse),
	  BEHIND_VTD(a_large_link_over_small_ones_is_eaddrinuse),
	  BEHIND_VTD(a_link_of_no_bytes_is_einval),
	  BEHIND_VTD(a_link_without_a_direction_is_einval_and_reported),
	  BEHIND_VTD(a_phys_that_no_entry_holds_is_erange),
	  BEHIND_VTD(a_phys_range_that_wraps_is_erange),
	  BEHIND_VTD(an_iova_range_that_wraps_is_eoverflow),
	  WITH_SETUP(an_iova_beyond_the_table_is_erange, rig_setup_forcedac),
	  BEHIND_VTD(no_page_for_a_table_is_enomem),
	  BEHIND_VTD(a_link_that_fails_half_way_leaves_nothing))
