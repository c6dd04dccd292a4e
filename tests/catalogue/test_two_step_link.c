/* SPDX-License-Identifier: MIT */
/*
 * Links that do not fit their range, or each other, and their syncs: S01 to S09.
 */
#include "catalogue/two_step.h"

/* ---- S01: beyond the range ------------------------------------------------------------------- */

/* trust: S01: a link past the end of its range | our reading of the facts: dma-api 5.2 */
static void S01_link_past_the_end(void **state)
{
	struct rig *rig = *state;
	struct pages below, pages;

	below = pages_of(rig, 2);
	pages = pages_of(rig, 2);
	expect_u64(pages.st.addr + PAGES(2), below.st.addr);
	about_to(rig, DMASIM_REPORT_LINK_OUTSIDE);
	expect_ok(dma_iova_link(pages.dev, &pages.st, pages.buf, PAGES(1), PAGES(2),
				DMA_BIDIRECTIONAL, 0));
	/* It ends as it began: no second mistake. */
	dma_iova_unlink(pages.dev, &pages.st, PAGES(1), PAGES(2), DMA_BIDIRECTIONAL, 0);
	dma_iova_free(pages.dev, &pages.st);
	dma_iova_free(below.dev, &below.st);
	expect_one(rig, DMASIM_REPORT_LINK_OUTSIDE,
		   "from offset 0x1000 on 0x2000 bytes, and the range has 0x2000");
}

/* The page table refuses it, for the neighbour is there: that is not the cause. */
static void S01_link_past_the_end_into_a_link(void **state)
{
	struct rig *rig = *state;
	struct pages other = linked_pages(rig, 2), pages = pages_of(rig, 2);

	expect_u64(pages.st.addr + PAGES(2), other.st.addr);
	about_to(rig, DMASIM_REPORT_LINK_OUTSIDE);
	expect_error(dma_iova_link(pages.dev, &pages.st, pages.buf, PAGES(1), PAGES(2),
				   DMA_BIDIRECTIONAL, 0),
		     -EADDRINUSE);
	dma_iova_free(pages.dev, &pages.st);
	destroy_pages(&other, 2);
	expect_only(rig->s, DMASIM_REPORT_LINK_OUTSIDE, 1);
}

/* The neighbour did nothing wrong, and finds nothing: that is told where it looks. */
static void S01_destroy_past_the_end(void **state)
{
	struct rig *rig = *state;
	struct pages other = linked_pages(rig, 1), pages = linked_pages(rig, 1);

	expect_u64(pages.st.addr + PAGES(1), other.st.addr);
	about_to(rig, DMASIM_REPORT_LINK_OUTSIDE);
	destroy_pages(&pages, 2);
	expect_says(rig->s, DMASIM_REPORT_LINK_OUTSIDE, "mapping   dma_iova_link");
	about_to(rig, DMASIM_REPORT_USE_AFTER_UNMAP);
	assert_false(page_is_used(&other, 0));
	about_to(rig, DMASIM_REPORT_UNMAP_SHORT);
	destroy_pages(&other, 1);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_SHORT, "it was unlinked before");
	dmasim_assert_clean(rig->s);
	expect_u64(dmasim_report_count(rig->s), 3);
}

static void S01_right(void **state)
{
	struct pages pages = linked_pages(*state, 2);

	destroy_pages(&pages, 2);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S02: over each other -------------------------------------------------------------------- */

/* trust: S02: a link over what is linked | our reading of the facts: dma-api 5.2 */
static void S02_link_twice(void **state)
{
	struct rig *rig = *state;
	struct pages pages = pages_of(rig, 2);
	struct place first;

	NEXT_LINE(first);
	expect_ok(dma_iova_link(pages.dev, &pages.st, pages.buf, 0, SZ_4K, DMA_TO_DEVICE, 0));
	about_to(rig, DMASIM_REPORT_LINK_OVERLAP);
	expect_error(link_page(&pages, 0), -EADDRINUSE);
	dma_iova_destroy(pages.dev, &pages.st, SZ_4K, DMA_TO_DEVICE, 0);
	expect_says(rig->s, DMASIM_REPORT_LINK_OVERLAP, first.words);
	expect_one(rig, DMASIM_REPORT_LINK_OVERLAP, "dma_iova_unlink() comes first");
}

static void S02_link_over_a_part(void **state)
{
	struct rig *rig = *state;
	struct pages pages = pages_of(rig, 4);

	expect_ok(link_page(&pages, 2));
	about_to(rig, DMASIM_REPORT_LINK_OVERLAP);
	expect_error(
		dma_iova_link(pages.dev, &pages.st, pages.buf, 0, PAGES(4), DMA_BIDIRECTIONAL, 0),
		-EADDRINUSE);
	unlink_pages(&pages, 2, 1);
	dma_iova_free(pages.dev, &pages.st);
	expect_only(rig->s, DMASIM_REPORT_LINK_OVERLAP, 1);
}

static void S02_right(void **state)
{
	struct pages pages = linked_pages(*state, 2);

	unlink_pages(&pages, 0, 1);
	expect_ok(link_page(&pages, 0));
	sync_pages(&pages, 0, 1);
	assert_true(page_is_used(&pages, 0));
	destroy_pages(&pages, 2);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S03: a hole ----------------------------------------------------------------------------- */

static struct pages with_a_hole(struct rig *rig)
{
	struct pages pages = pages_of(rig, 3);

	expect_ok(link_page(&pages, 0));
	expect_ok(link_page(&pages, 2));
	return pages;
}

/* trust: S03: a hole between links | our reading of the facts: dma-api 5.5, 5.7 */
/* The unlink ends there: what is behind stays, and is freed with the range. */
static void S03_destroy_across_a_hole(void **state)
{
	struct pages pages = with_a_hole(*state);

	about_to(pages.rig, DMASIM_REPORT_FREE_WITH_LINKS);
	destroy_pages(&pages, 3);
	expect_u64(live_entries(pages.rig->s), 1);
	expect_one(pages.rig, DMASIM_REPORT_FREE_WITH_LINKS,
		   "a hole at offset 0x1000 ends the unlink: each part is unlinked by itself");
}

/* It is told whose range the device is in. */
static void S03_use_of_a_hole(void **state)
{
	struct pages pages = with_a_hole(*state);

	sync_pages(&pages, 0, 3);
	about_to(pages.rig, DMASIM_REPORT_IOMMU_FAULT);
	assert_false(page_is_used(&pages, 1));
	expect_says(pages.rig->s, DMASIM_REPORT_IOMMU_FAULT, "range     state 1 owns");
	unlink_pages(&pages, 2, 1);
	destroy_pages(&pages, 1);
	expect_only(pages.rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
}

static void S03_unlink_across_a_hole(void **state)
{
	struct pages pages = with_a_hole(*state);

	about_to(pages.rig, DMASIM_REPORT_UNMAP_SHORT);
	unlink_pages(&pages, 0, 3);
	unlink_pages(&pages, 2, 1);
	dma_iova_free(pages.dev, &pages.st);
	expect_one(pages.rig, DMASIM_REPORT_UNMAP_SHORT, "a hole at offset 0x1000");
}

/* A range may be linked in any order, and in part; sync does not mind. */
static void S03_right(void **state)
{
	struct pages pages = with_a_hole(*state);

	sync_pages(&pages, 0, 3);
	assert_true(page_is_used(&pages, 2));
	unlink_pages(&pages, 2, 1);
	destroy_pages(&pages, 1);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S04: a link that ends inside a granule -------------------------------------------------- */

/* trust: S04: a partial link in the middle | our reading of the facts: dma-api 5.2 */
static void S04_partial_middle(void **state)
{
	struct pages pages = pages_of(*state, 2);
	struct device *dev = pages.dev;

	dma_set_min_align_mask(dev, SZ_4K - 1);
	expect_ok(dma_iova_link(dev, &pages.st, pages.buf, 0, 0x800, DMA_TO_DEVICE, 0));
	about_to(pages.rig, DMASIM_REPORT_LINK_MISALIGNED);
	expect_error(
		dma_iova_link(dev, &pages.st, pages.buf + SZ_4K, 0x800, SZ_4K, DMA_TO_DEVICE, 0),
		-ENXIO);
	dma_iova_destroy(dev, &pages.st, 0x800, DMA_TO_DEVICE, 0);
	expect_says(pages.rig->s, DMASIM_REPORT_LINK_MISALIGNED, "mapping   dma_iova_link");
	expect_one(pages.rig, DMASIM_REPORT_LINK_MISALIGNED,
		   "offset 0x800 is inside a granule: every link but the last has whole ones");
}

/* The first may start and the last may end anywhere. */
static void S04_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K) + 0x800;
	struct dma_iova_state st;

	dma_set_min_align_mask(dev, SZ_4K - 1);
	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, 0x800, DMA_TO_DEVICE, 0));
	expect_ok(dma_iova_link(dev, &st, buf + 0x1800, 0x800, 0x400, DMA_TO_DEVICE, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, 0xc00));
	dma_iova_destroy(dev, &st, 0xc00, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- S05: another place in the granule ------------------------------------------------------- */

/* trust: S05: low bits of a buffer that differ | our reading of the facts: dma-api 5.2 */
static void S05_low_bits_differ(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;

	dma_set_min_align_mask(dev, SZ_4K - 1);
	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_4K));
	about_to(rig, DMASIM_REPORT_LINK_MISALIGNED);
	expect_error(dma_iova_link(dev, &st, buf + 0x40, 0, SZ_4K, DMA_TO_DEVICE, 0), -ENXIO);
	dma_iova_free(dev, &st);
	expect_one(rig, DMASIM_REPORT_LINK_MISALIGNED,
		   "the buffer is at 0x40 of its granule, that of dma_iova_try_alloc() was at 0x0");
}

static void S05_right(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_16K) + 0x40;
	struct dma_iova_state st = bounced_state(rig, buf, SZ_4K);

	expect_done(write_byte(rig->nvme, st.addr, 0x5a), 1);
	dma_iova_destroy(&rig->nvme->dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(byte_at(rig->s, buf), 0x5a);
	dmasim_assert_clean(rig->s);
}

/* ---- S06: a later link that starts inside a granule ------------------------------------------ */

/* trust: S06: a later link starts inside a granule | our reading of the facts: dma-api 5.2 */
static void S06_unaligned_later_link(void **state)
{
	struct pages pages = pages_of(*state, 2);

	expect_ok(link_page(&pages, 0));
	about_to(pages.rig, DMASIM_REPORT_BAD_ARGUMENT);
	expect_error(dma_iova_link(pages.dev, &pages.st, pages.buf + SZ_4K + 8, SZ_4K, 8,
				   DMA_BIDIRECTIONAL, 0),
		     -EIO);
	destroy_pages(&pages, 1);
	expect_one(pages.rig, DMASIM_REPORT_BAD_ARGUMENT, "starts inside a granule at offset > 0");
}

static void S06_right(void **state)
{
	struct pages pages = pages_of(*state, 2);

	expect_ok(link_page(&pages, 0));
	expect_ok(dma_iova_link(pages.dev, &pages.st, pages.buf + SZ_4K, SZ_4K, 8,
				DMA_BIDIRECTIONAL, 0));
	dma_iova_destroy(pages.dev, &pages.st, SZ_4K + 8, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S07 to S09: syncs ----------------------------------------------------------------------- */

/* trust: S07: a range used before its sync | our reading of the facts: dma-api 5.4 */
static void S07_no_sync(void **state)
{
	struct pages pages = pages_of(*state, 1);

	expect_ok(link_page(&pages, 0));
	about_to(pages.rig, DMASIM_REPORT_ACCESS_BEFORE_SYNC);
	page_is_used(&pages, 0);
	destroy_pages(&pages, 1);
	expect_only(pages.rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 1);
}

/* What no device has used needs no sync to be given back. */
static void S07_right(void **state)
{
	struct pages pages = pages_of(*state, 2);

	expect_ok(link_page(&pages, 0));
	expect_ok(link_page(&pages, 1));
	unlink_pages(&pages, 1, 1);
	destroy_pages(&pages, 1);
	dmasim_assert_clean(pages.rig->s);
}

/* trust: S08: a sync shorter than the links | our reading of the facts: dma-api 5.4 */
static void S08_short_sync(void **state)
{
	struct pages pages = pages_of(*state, 2);

	expect_ok(link_page(&pages, 0));
	expect_ok(link_page(&pages, 1));
	sync_pages(&pages, 0, 1);
	assert_true(page_is_used(&pages, 0));
	about_to(pages.rig, DMASIM_REPORT_ACCESS_BEFORE_SYNC);
	page_is_used(&pages, 1);
	destroy_pages(&pages, 2);
	expect_only(pages.rig->s, DMASIM_REPORT_ACCESS_BEFORE_SYNC, 1);
}

/* In parts, and more than is linked: all the same. */
static void S08_right(void **state)
{
	struct pages pages = pages_of(*state, 3);

	expect_ok(link_page(&pages, 0));
	expect_ok(link_page(&pages, 1));
	sync_pages(&pages, 0, 1);
	sync_pages(&pages, 1, 2);
	assert_true(page_is_used(&pages, 1));
	destroy_pages(&pages, 2);
	dmasim_assert_clean(pages.rig->s);
}

/* trust: S09: a sync of what is not linked | our reading of the facts: dma-api 5.4 */
static void S09_sync_comes_first(void **state)
{
	struct pages pages = pages_of(*state, 1);

	about_to(pages.rig, DMASIM_REPORT_SYNC_NOT_MAPPED);
	sync_pages(&pages, 0, 1);
	expect_ok(link_page(&pages, 0));
	destroy_pages(&pages, 1);
	expect_one(pages.rig, DMASIM_REPORT_SYNC_NOT_MAPPED,
		   "dma_iova_sync() comes after the links");
}

static void S09_sync_of_what_was_unlinked(void **state)
{
	struct pages pages = linked_pages(*state, 2);

	unlink_pages(&pages, 1, 1);
	about_to(pages.rig, DMASIM_REPORT_SYNC_NOT_MAPPED);
	sync_pages(&pages, 1, 1);
	destroy_pages(&pages, 1);
	expect_only(pages.rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
}

static void S09_right(void **state)
{
	struct pages pages = linked_pages(*state, 2);

	unlink_pages(&pages, 1, 1);
	sync_pages(&pages, 0, 2);
	expect_ok(link_page(&pages, 1));
	sync_pages(&pages, 1, 1);
	assert_true(page_is_used(&pages, 1));
	destroy_pages(&pages, 2);
	dmasim_assert_clean(pages.rig->s);
}

TEST_MAIN(BEHIND_ALL(S01_link_past_the_end), BEHIND_ALL(S01_link_past_the_end_into_a_link),
	  BEHIND_ALL(S01_destroy_past_the_end), BEHIND_ALL(S01_right), BEHIND_ALL(S02_link_twice),
	  BEHIND_ALL(S02_link_over_a_part), BEHIND_ALL(S02_right),
	  BEHIND_ALL(S03_destroy_across_a_hole), BEHIND_ALL(S03_unlink_across_a_hole),
	  BEHIND_ALL(S03_use_of_a_hole), BEHIND_ALL(S03_right), BEHIND_ALL(S04_partial_middle),
	  BEHIND_ALL(S04_right), BEHIND_ALL(S05_low_bits_differ), BEHIND_ALL(S05_right),
	  BEHIND_ALL(S06_unaligned_later_link), BEHIND_ALL(S06_right), BEHIND_ALL(S07_no_sync),
	  BEHIND_ALL(S07_right), BEHIND_ALL(S08_short_sync), BEHIND_ALL(S08_right),
	  BEHIND_ALL(S09_sync_comes_first), BEHIND_ALL(S09_sync_of_what_was_unlinked),
	  BEHIND_ALL(S09_right))
