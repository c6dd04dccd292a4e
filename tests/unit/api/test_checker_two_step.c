/* SPDX-License-Identifier: MIT */
/*
 * The checker watches the two-step API: for each report a wrong program that gives exactly it, and
 * the right one beside it that gives none (test_two_step.c has many more of those).
 */
#include "unit/api/sites.h"

static struct dma_iova_state linked(struct rig *rig, u64 bytes)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, bytes);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, bytes));
	expect_ok(dma_iova_link(dev, &st, buf, 0, bytes, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, bytes));
	return st;
}

/* ---- 13 unmap-short -------------------------------------------------------------------------- */

/* M11, too big. */
static void destroying_more_than_was_linked(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;
	struct place call;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_16K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, 2 * SZ_4K, DMA_TO_DEVICE, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_SHORT, 1);
	NEXT_LINE(call);
	dma_iova_destroy(dev, &st, SZ_16K, DMA_TO_DEVICE, 0);
	expect_headline(rig->s, DMASIM_REPORT_UNMAP_SHORT);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_SHORT, call.words);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_SHORT, 1);
}

static void unlinking_twice(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = linked(rig, SZ_16K);
	struct place call;

	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_SHORT, 1);
	NEXT_LINE(call);
	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_SHORT, call.words);
	dma_iova_unlink(dev, &st, 0, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma_iova_unlink(dev, &st, 2 * SZ_4K, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma_iova_free(dev, &st);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_SHORT, 1);
}

/* ---- 14 free-with-links ---------------------------------------------------------------------- */

/* M10. */
static void freeing_without_unlinking(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct dma_iova_state st;
	struct place link, call;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	NEXT_LINE(link);
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, 1);
	NEXT_LINE(call);
	dma_iova_free(dev, &st);
	expect_headline(rig->s, DMASIM_REPORT_FREE_WITH_LINKS);
	expect_says(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, link.words);
	expect_says(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, call.words);
	expect_only(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, 1);
}

/* M11, too small: what was not unlinked stays in the page table. */
static void destroying_less_than_was_linked(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = linked(rig, SZ_16K), again;

	dmasim_expect(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, 1);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	/* The next user of the address finds it in use (M10). */
	assert_true(dma_iova_try_alloc(dev, &again, 0, SZ_16K));
	expect_u64(again.addr, st.addr);
	expect_error(dma_iova_link(dev, &again, ram(rig, SZ_16K), 0, SZ_16K, DMA_BIDIRECTIONAL, 0),
		     -EADDRINUSE);
	dma_iova_free(dev, &again);
	expect_only(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, 1);
}

/* ---- 57 state-ended -------------------------------------------------------------------------- */

static void every_call_with_a_state_that_was_freed(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = linked(rig, SZ_4K);
	struct place call;

	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(dma_use_iova(&st));
	dmasim_expect(rig->s, DMASIM_REPORT_STATE_ENDED, 1);
	NEXT_LINE(call);
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
	expect_headline(rig->s, DMASIM_REPORT_STATE_ENDED);
	expect_says(rig->s, DMASIM_REPORT_STATE_ENDED, call.words);
	dmasim_expect(rig->s, DMASIM_REPORT_STATE_ENDED, 1);
	NEXT_LINE(call);
	dma_iova_free(dev, &st);
	expect_says(rig->s, DMASIM_REPORT_STATE_ENDED, call.words);
	dmasim_expect(rig->s, DMASIM_REPORT_STATE_ENDED, 1);
	NEXT_LINE(call);
	dma_iova_destroy(dev, &st, 0, DMA_BIDIRECTIONAL, 0);
	expect_says(rig->s, DMASIM_REPORT_STATE_ENDED, call.words);
	expect_only(rig->s, DMASIM_REPORT_STATE_ENDED, 3);
}

static void linking_with_a_state_that_was_freed(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = linked(rig, SZ_4K);

	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_STATE_ENDED, 2);
	expect_ok(dma_iova_link(dev, &st, ram(rig, SZ_4K), 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	dma_iova_unlink(dev, &st, 0, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_STATE_ENDED, 2);
}

/* ---- 16 state-unknown ------------------------------------------------------------------------ */

static void a_state_that_was_never_allocated(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = { 0 };

	dmasim_expect(rig->s, DMASIM_REPORT_STATE_UNKNOWN, 1);
	dma_iova_free(&rig->nvme->dev, &st);
	expect_only(rig->s, DMASIM_REPORT_STATE_UNKNOWN, 1);
}

/* ---- 58 state-foreign ------------------------------------------------------------------------ */

/* The state is the nvme's; the disk has another domain. */
static void a_state_of_another_device(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = linked(rig, SZ_4K);

	dmasim_expect(rig->s, DMASIM_REPORT_STATE_FOREIGN, 1);
	expect_ok(dma_iova_sync(&rig->disk->dev, &st, 0, SZ_4K));
	dma_iova_destroy(&rig->nvme->dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_STATE_FOREIGN, 1);
}

/* ---- 21 bad-argument ------------------------------------------------------------------------- */

static void an_unaligned_link_behind_the_first(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;
	struct place call;
	int err;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_16K));
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	NEXT_LINE(call);
	err = dma_iova_link(dev, &st, buf + 0x10, SZ_4K, SZ_4K, DMA_TO_DEVICE, 0);
	expect_error(err, -EIO);
	expect_headline(rig->s, DMASIM_REPORT_BAD_ARGUMENT);
	expect_says(rig->s, DMASIM_REPORT_BAD_ARGUMENT, call.words);
	dma_iova_free(dev, &st);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

/* ---- 23 link-outside ------------------------------------------------------------------------- */

/*
 *   ranges  |bbbbbbb|aaaaaaa|       b is the younger, so it lies below a
 *   link        |-------|           from the middle of b into a: the kernel does not look
 */
static void linking_into_the_neighbours_range(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state a, b;
	struct place call;

	assert_true(dma_iova_try_alloc(dev, &a, 0, SZ_16K));
	assert_true(dma_iova_try_alloc(dev, &b, 0, SZ_16K));
	expect_u64(b.addr + SZ_16K, a.addr);
	dmasim_expect(rig->s, DMASIM_REPORT_LINK_OUTSIDE, 1);
	NEXT_LINE(call);
	expect_ok(dma_iova_link(dev, &b, buf, 2 * SZ_4K, SZ_16K, DMA_BIDIRECTIONAL, 0));
	expect_headline(rig->s, DMASIM_REPORT_LINK_OUTSIDE);
	expect_says(rig->s, DMASIM_REPORT_LINK_OUTSIDE, call.words);
	/* Its pair is the same mistake. */
	dma_iova_unlink(dev, &b, 2 * SZ_4K, SZ_16K, DMA_BIDIRECTIONAL, 0);
	dma_iova_free(dev, &b);
	dma_iova_free(dev, &a);
	expect_only(rig->s, DMASIM_REPORT_LINK_OUTSIDE, 1);
}

static void syncing_beyond_the_range(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = linked(rig, SZ_16K);

	dmasim_expect(rig->s, DMASIM_REPORT_LINK_OUTSIDE, 1);
	expect_ok(dma_iova_sync(dev, &st, SZ_4K, SZ_16K));
	/* Not a byte of these is inside. */
	dmasim_expect(rig->s, DMASIM_REPORT_LINK_OUTSIDE, 2);
	expect_ok(dma_iova_sync(dev, &st, SZ_16K, SZ_4K));
	expect_ok(dma_iova_sync(dev, &st, SZ_16K + SZ_4K, SZ_4K));
	dma_iova_destroy(dev, &st, SZ_16K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_LINK_OUTSIDE, 3);
}

/* The last granule of a range belongs to it whole: the last link may end inside it. */
static void up_to_the_end_of_the_range_is_inside(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K) + 0x800;
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_4K + 0x10));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K + 0x10, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K + 0x10));
	dma_iova_destroy(dev, &st, SZ_4K + 0x10, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- 24 mapping-leaked ----------------------------------------------------------------------- */

/* M12: allocating over a live state loses it. */
static void a_state_that_is_allocated_over(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;
	struct place call;

	NEXT_LINE(call);
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	dma_iova_free(dev, &st);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 1);
	dmasim_assert_clean(rig->s);
	expect_says(rig->s, DMASIM_REPORT_MAPPING_LEAKED, call.words);
	expect_only(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 1);
}

static void links_that_are_never_unlinked(void **state)
{
	struct rig *rig = *state;

	linked(rig, SZ_16K);
	assert_true(dmasim_check_clean(rig->s, NULL, 0) > 0);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_MAPPING_LEAKED),
		   dmasim_report_count(rig->s));
	expect_says(rig->s, DMASIM_REPORT_MAPPING_LEAKED, "test_checker_two_step.c:");
}

TEST_MAIN(BEHIND_VTD(destroying_more_than_was_linked), BEHIND_VTD(unlinking_twice),
	  BEHIND_VTD(freeing_without_unlinking), BEHIND_VTD(destroying_less_than_was_linked),
	  BEHIND_VTD(every_call_with_a_state_that_was_freed),
	  BEHIND_VTD(linking_with_a_state_that_was_freed),
	  BEHIND_VTD(a_state_that_was_never_allocated), BEHIND_VTD(a_state_of_another_device),
	  BEHIND_VTD(an_unaligned_link_behind_the_first),
	  BEHIND_VTD(linking_into_the_neighbours_range), BEHIND_VTD(syncing_beyond_the_range),
	  BEHIND_VTD(up_to_the_end_of_the_range_is_inside),
	  BEHIND_VTD(a_state_that_is_allocated_over), BEHIND_VTD(links_that_are_never_unlinked))
