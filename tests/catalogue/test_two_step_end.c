/* SPDX-License-Identifier: MIT */
/*
 * Links and ranges that do not end as they began: S10 to S22.
 */
#include "catalogue/two_step.h"

/* ---- S10, S11: nothing to unlink ------------------------------------------------------------- */

/* trust: S10: an unlink of what was not linked | our reading of the facts: dma-api 5.5 */
static void S10_unlink_of_nothing(void **state)
{
	struct pages pages = pages_of(*state, 2);

	expect_ok(link_page(&pages, 0));
	about_to(pages.rig, DMASIM_REPORT_UNMAP_SHORT);
	unlink_pages(&pages, 1, 1);
	destroy_pages(&pages, 1);
	expect_one(pages.rig, DMASIM_REPORT_UNMAP_SHORT, "nothing was linked there");
}

static void S10_right(void **state)
{
	struct pages pages = linked_pages(*state, 2);

	unlink_pages(&pages, 1, 1);
	destroy_pages(&pages, 1);
	dmasim_assert_clean(pages.rig->s);
}

/* trust: S11: an unlink twice | our reading of the facts: dma-api 5.5 */
static void S11_unlink_twice(void **state)
{
	struct pages pages = linked_pages(*state, 2);
	struct place first;

	NEXT_LINE(first);
	dma_iova_unlink(pages.dev, &pages.st, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	about_to(pages.rig, DMASIM_REPORT_UNMAP_SHORT);
	unlink_pages(&pages, 1, 1);
	destroy_pages(&pages, 1);
	expect_says(pages.rig->s, DMASIM_REPORT_UNMAP_SHORT, first.words);
	expect_one(pages.rig, DMASIM_REPORT_UNMAP_SHORT, "it was unlinked before");
}

/* A destroy that counts what was unlinked is the same. */
static void S11_unlink_and_destroy(void **state)
{
	struct pages pages = linked_pages(*state, 2);

	unlink_pages(&pages, 0, 2);
	about_to(pages.rig, DMASIM_REPORT_UNMAP_SHORT);
	destroy_pages(&pages, 2);
	expect_one(pages.rig, DMASIM_REPORT_UNMAP_SHORT, "it was unlinked before");
}

static void S11_right(void **state)
{
	struct pages pages = linked_pages(*state, 2);

	unlink_pages(&pages, 1, 1);
	unlink_pages(&pages, 0, 1);
	dma_iova_free(pages.dev, &pages.st);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S12, S13: another length ---------------------------------------------------------------- */

/* trust: S12: a destroy shorter than the links | our reading of the facts: dma-api 5.7 */
static void S12_short_destroy(void **state)
{
	struct pages pages = linked_pages(*state, 3);

	about_to(pages.rig, DMASIM_REPORT_FREE_WITH_LINKS);
	destroy_pages(&pages, 1);
	expect_u64(live_entries(pages.rig->s), 2);
	expect_one(pages.rig, DMASIM_REPORT_FREE_WITH_LINKS,
		   "dma_iova_destroy() was given 0x1000 bytes, and there are links behind");
}

/* Ends that are copies are as far as the links go. */
static void S12_short_destroy_of_copies(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = bounced_state(rig, ram(rig, SZ_16K) + 0x100, 2 * SZ_4K);

	about_to(rig, DMASIM_REPORT_FREE_WITH_LINKS);
	dma_iova_destroy(&rig->nvme->dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, 1);
}

static void S12_right(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = bounced_state(rig, ram(rig, SZ_16K) + 0x100, 2 * SZ_4K);

	dma_iova_destroy(&rig->nvme->dev, &st, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(lent(rig->nvme), 0);
	dmasim_assert_clean(rig->s);
}

/* trust: S13: a destroy longer than the links | our reading of the facts: dma-api 5.7 */
static void S13_long_destroy(void **state)
{
	struct pages pages = pages_of(*state, 3);

	expect_ok(link_page(&pages, 0));
	about_to(pages.rig, DMASIM_REPORT_UNMAP_SHORT);
	destroy_pages(&pages, 3);
	expect_one(pages.rig, DMASIM_REPORT_UNMAP_SHORT,
		   "0x1000 of 0x3000 bytes are linked: the length is that of the links");
}

/* A copy among the links makes Linux look twice, and warn twice: it is one mistake. */
static void S13_long_destroy_of_copies(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_16K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, 0x800, DMA_BIDIRECTIONAL, 0));
	about_to(rig, DMASIM_REPORT_UNMAP_SHORT);
	dma_iova_destroy(dev, &st, SZ_16K, DMA_BIDIRECTIONAL, 0);
	expect_one(rig, DMASIM_REPORT_UNMAP_SHORT, "0x1000 of 0x4000 bytes are linked");
}

/* A destroy of no bytes is the end of a range without links. */
static void S13_right(void **state)
{
	struct pages pages = pages_of(*state, 3), none = pages_of(*state, 3);

	expect_ok(link_page(&pages, 0));
	destroy_pages(&pages, 1);
	destroy_pages(&none, 0);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S14: links that outlive their range ----------------------------------------------------- */

/* trust: S14: a range freed with links alive | our reading of the facts: dma-api 5.6 */
static void S14_free_with_links(void **state)
{
	struct pages pages = linked_pages(*state, 2);

	unlink_pages(&pages, 0, 1);
	about_to(pages.rig, DMASIM_REPORT_FREE_WITH_LINKS);
	dma_iova_free(pages.dev, &pages.st);
	expect_one(pages.rig, DMASIM_REPORT_FREE_WITH_LINKS, "dma_iova_unlink() comes first");
}

static void S14_right(void **state)
{
	struct pages pages = linked_pages(*state, 2);

	unlink_pages(&pages, 0, 2);
	dma_iova_free(pages.dev, &pages.st);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S15: a state that is allocated over ----------------------------------------------------- */

/* trust: S15: a state reused without destroy | our reading of the facts: dma-api 5.1 */
/* The bytes of a state may be anywhere: it is a mistake when nobody has ended the range. */
static void S15_allocated_over(void **state)
{
	struct pages pages = pages_of(*state, 4);
	struct place over;

	dma_iova_free(pages.dev, &pages.st);
	assert_true(dma_iova_try_alloc(pages.dev, &pages.st, 0, PAGES(4)));
	for (u32 page = 0; page < 4; page++)
		expect_ok(link_page(&pages, page));
	NEXT_LINE(over);
	assert_true(dma_iova_try_alloc(pages.dev, &pages.st, 0, SZ_4K));
	dma_iova_free(pages.dev, &pages.st);
	expect_u64(dmasim_report_count(pages.rig->s), 0);
	about_to(pages.rig, DMASIM_REPORT_MAPPING_LEAKED);
	dmasim_assert_clean(pages.rig->s);
	expect_says(pages.rig->s, DMASIM_REPORT_MAPPING_LEAKED, over.words);
	expect_says(pages.rig->s, DMASIM_REPORT_MAPPING_LEAKED, "4 links");
	expect_one(pages.rig, DMASIM_REPORT_MAPPING_LEAKED,
		   "the call below allocated into the same struct dma_iova_state");
}

/* A copy of it was taken before. */
static void S15_right(void **state)
{
	struct pages pages = linked_pages(*state, 4), copy = pages;

	assert_true(dma_iova_try_alloc(pages.dev, &pages.st, 0, SZ_4K));
	dma_iova_free(pages.dev, &pages.st);
	destroy_pages(&copy, 4);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S16: a state that is over --------------------------------------------------------------- */

/* trust: S16: a state used after its destroy | our reading of the facts: dma-api 5.6, 5.7 */
static void S16_after_destroy(void **state)
{
	struct pages pages = linked_pages(*state, 1);
	struct rig *rig = pages.rig;
	struct place end;

	NEXT_LINE(end);
	dma_iova_destroy(pages.dev, &pages.st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(dma_use_iova(&pages.st));
	dmasim_expect(rig->s, DMASIM_REPORT_STATE_ENDED, 5);
	expect_ok(link_page(&pages, 0));
	expect_says(rig->s, DMASIM_REPORT_STATE_ENDED, end.words);
	sync_pages(&pages, 0, 1);
	unlink_pages(&pages, 0, 1);
	dma_iova_free(pages.dev, &pages.st);
	destroy_pages(&pages, 1);
	expect_only(rig->s, DMASIM_REPORT_STATE_ENDED, 5);
}

/* What such a link leaves behind is no leak of its own. */
static void S16_link_after_free(void **state)
{
	struct pages pages = pages_of(*state, 1);

	dma_iova_free(pages.dev, &pages.st);
	about_to(pages.rig, DMASIM_REPORT_STATE_ENDED);
	expect_ok(link_page(&pages, 0));
	expect_only(pages.rig->s, DMASIM_REPORT_STATE_ENDED, 1);
}

static void S16_right(void **state)
{
	struct pages pages = linked_pages(*state, 1);

	destroy_pages(&pages, 1);
	assert_true(dma_iova_try_alloc(pages.dev, &pages.st, 0, SZ_4K));
	expect_ok(link_page(&pages, 0));
	destroy_pages(&pages, 1);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S17: another device's ------------------------------------------------------------------- */

/* trust: S17: a state used with another device | our reading of the facts: dma-api 5 */
static void S17_another_device(void **state)
{
	struct pages pages = linked_pages(*state, 1);

	about_to(pages.rig, DMASIM_REPORT_STATE_FOREIGN);
	dma_iova_destroy(&pages.rig->disk->dev, &pages.st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_one(pages.rig, DMASIM_REPORT_STATE_FOREIGN, "it was allocated for 0000:03:00.0");
}

/* Of one group, and so of one domain: it works, where neither cache nor copy is in between. */
static void S17_another_device_of_the_group(void **state)
{
	struct pages pages = linked_pages(*state, 1);

	about_to(pages.rig, DMASIM_REPORT_STATE_FOREIGN);
	dma_iova_destroy(&pages.rig->nic->dev, &pages.st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(live_entries(pages.rig->s), 0);
	expect_only(pages.rig->s, DMASIM_REPORT_STATE_FOREIGN, 1);
}

/* Two states of two devices may have the same address. */
static void S17_right(void **state)
{
	struct pages pages = linked_pages(*state, 1), other = pages;

	other.dev = &other.rig->disk->dev;
	assert_true(dma_iova_try_alloc(other.dev, &other.st, 0, SZ_4K));
	expect_u64(other.st.addr, pages.st.addr);
	dma_iova_free(other.dev, &other.st);
	destroy_pages(&pages, 1);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S18: a state that got nothing ----------------------------------------------------------- */

/* trust: S18: a state used although nothing was allocated | our reading of the facts: dma-api 5 */
static void S18_no_range(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = { 0 };

	about_to(rig, DMASIM_REPORT_STATE_UNKNOWN);
	dma_iova_destroy(&rig->nvme->dev, &st, 0, DMA_TO_DEVICE, 0);
	expect_one(rig, DMASIM_REPORT_STATE_UNKNOWN, "dma_use_iova() tells");
}

static void S18_said_no(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;

	assert_false(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	about_to(rig, DMASIM_REPORT_STATE_UNKNOWN);
	expect_error(dma_iova_link(dev, &st, ram(rig, SZ_4K), 0, SZ_4K, DMA_TO_DEVICE, 0),
		     -EOPNOTSUPP);
	expect_one(rig, DMASIM_REPORT_STATE_UNKNOWN, "each piece is to be mapped by itself");
}

/* Each piece by itself where there is no range for all. */
static void S18_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct dma_iova_state st;
	dma_addr_t dma;

	if (dma_iova_try_alloc(dev, &st, 0, SZ_4K)) {
		expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_TO_DEVICE, 0));
		dma_iova_destroy(dev, &st, SZ_4K, DMA_TO_DEVICE, 0);
	} else {
		assert_false(dma_use_iova(&st));
		dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
		expect_ok(dma_mapping_error(dev, dma));
		dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	}
	dmasim_assert_clean(rig->s);
}

/* ---- S19, S20: direction and attributes ------------------------------------------------------ */

/* trust: S19: an unlink with another direction | our reading of the facts: dma-api 5.5 */
static void S19_other_direction(void **state)
{
	struct pages pages = linked_pages(*state, 3);

	about_to(pages.rig, DMASIM_REPORT_UNMAP_MISMATCH);
	dma_iova_unlink(pages.dev, &pages.st, PAGES(1), PAGES(2), DMA_TO_DEVICE, 0);
	destroy_pages(&pages, 1);
	expect_one(pages.rig, DMASIM_REPORT_UNMAP_MISMATCH, "the direction is another");
}

/* What the device wrote into the copy is lost. */
static void S19_other_direction_of_a_copy(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct dma_iova_state st = bounced_state(rig, buf, 0x800);

	expect_done(write_byte(rig->nvme, st.addr, 0x5a), 1);
	about_to(rig, DMASIM_REPORT_UNMAP_MISMATCH);
	dma_iova_destroy(&rig->nvme->dev, &st, 0x800, DMA_TO_DEVICE, 0);
	expect_u64(byte_at(rig->s, buf), 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

/* Each link has its own. */
static void S19_right(void **state)
{
	struct pages pages = pages_of(*state, 2);

	expect_ok(link_page(&pages, 0));
	expect_ok(dma_iova_link(pages.dev, &pages.st, pages.buf + SZ_4K, SZ_4K, SZ_4K,
				DMA_TO_DEVICE, 0));
	dma_iova_unlink(pages.dev, &pages.st, SZ_4K, SZ_4K, DMA_TO_DEVICE, 0);
	destroy_pages(&pages, 1);
	dmasim_assert_clean(pages.rig->s);
}

/* trust: S20: a destroy with other attributes | our reading of the facts: dma-api 5.5, 11 */
static void S20_other_attributes(void **state)
{
	struct pages pages = linked_pages(*state, 2);

	about_to(pages.rig, DMASIM_REPORT_UNMAP_MISMATCH);
	dma_iova_destroy(pages.dev, &pages.st, PAGES(2), DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	expect_one(pages.rig, DMASIM_REPORT_UNMAP_MISMATCH, "DMA_ATTR_MMIO is in one of link");
}

/* Whether caches are looked after is the caller's at each call. */
static void S20_right(void **state)
{
	struct pages pages = linked_pages(*state, 2);

	dma_iova_destroy(pages.dev, &pages.st, PAGES(2), DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S21: two mistakes are two --------------------------------------------------------------- */

/* trust: S21: each mistake of one call is told, and once | our reading of the facts: dma-api 5.7 */
static void S21_two_mistakes(void **state)
{
	struct pages pages = linked_pages(*state, 3);

	about_to(pages.rig, DMASIM_REPORT_UNMAP_MISMATCH);
	about_to(pages.rig, DMASIM_REPORT_FREE_WITH_LINKS);
	dma_iova_destroy(pages.dev, &pages.st, PAGES(2), DMA_TO_DEVICE, 0);
	dmasim_assert_clean(pages.rig->s);
	expect_u64(dmasim_report_count(pages.rig->s), 2);
}

static void S21_right(void **state)
{
	struct pages pages = linked_pages(*state, 3);

	destroy_pages(&pages, 3);
	dmasim_assert_clean(pages.rig->s);
}

/* ---- S22: part of a granule ------------------------------------------------------------------ */

static struct dma_iova_state page_and_a_half(struct rig *rig)
{
	struct pages pages = pages_of(rig, 2);

	expect_ok(link_page(&pages, 0));
	expect_ok(dma_iova_link(pages.dev, &pages.st, pages.buf + SZ_4K, SZ_4K, 0x800,
				DMA_BIDIRECTIONAL, 0));
	return pages.st;
}

/*
 * trust: S22: an unlink of part of a granule takes it whole
 * | our reading of the facts: dma-api 15
 */
static void S22_odd_tail(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = page_and_a_half(rig);

	/* The half granule goes for a quarter; a second unlink of it finds nothing. */
	dma_iova_unlink(dev, &st, SZ_4K, 0x400, DMA_BIDIRECTIONAL, 0);
	about_to(rig, DMASIM_REPORT_UNMAP_SHORT);
	dma_iova_unlink(dev, &st, SZ_4K + 0x400, 0x400, DMA_BIDIRECTIONAL, 0);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_one(rig, DMASIM_REPORT_UNMAP_SHORT, "it was unlinked before");
}

/* A leaf of two pages is not cut. */
static void S22_half_a_leaf(void **state)
{
	struct pages pages = pages_of(*state, 2);

	expect_ok(
		dma_iova_link(pages.dev, &pages.st, pages.buf, 0, PAGES(2), DMA_BIDIRECTIONAL, 0));
	about_to(pages.rig, DMASIM_REPORT_UNMAP_SHORT);
	unlink_pages(&pages, 1, 1);
	destroy_pages(&pages, 2);
	expect_one(pages.rig, DMASIM_REPORT_UNMAP_SHORT, "a link is unlinked as it was linked");
}

static void S22_right(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = page_and_a_half(rig);

	dma_iova_unlink(dev, &st, SZ_4K, 0x800, DMA_BIDIRECTIONAL, 0);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(lent(rig->nvme), 0);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(BEHIND_ALL(S10_unlink_of_nothing), BEHIND_ALL(S10_right), BEHIND_ALL(S11_unlink_twice),
	  BEHIND_ALL(S11_unlink_and_destroy), BEHIND_ALL(S11_right), BEHIND_ALL(S12_short_destroy),
	  IN(untrusted, S12_short_destroy_of_copies), BEHIND_ALL(S12_right),
	  BEHIND_ALL(S13_long_destroy), BEHIND_ALL(S13_long_destroy_of_copies),
	  BEHIND_ALL(S13_right), BEHIND_ALL(S14_free_with_links), BEHIND_ALL(S14_right),
	  BEHIND_ALL(S15_allocated_over), BEHIND_ALL(S15_right), BEHIND_ALL(S16_after_destroy),
	  BEHIND_ALL(S16_link_after_free), BEHIND_ALL(S16_right), BEHIND_ALL(S17_another_device),
	  IN(strict_bus, S17_another_device_of_the_group), BEHIND_ALL(S17_right),
	  BEHIND_ALL(S18_no_range), IN(direct, S18_said_no), IN(pass_through, S18_said_no),
	  BEHIND_ALL(S18_right), IN(direct, S18_right), IN(pass_through, S18_right),
	  BEHIND_ALL(S19_other_direction), IN(untrusted, S19_other_direction_of_a_copy),
	  BEHIND_ALL(S19_right), BEHIND_ALL(S20_other_attributes), BEHIND_ALL(S20_right),
	  BEHIND_ALL(S21_two_mistakes), BEHIND_ALL(S21_right), BEHIND_ALL(S22_odd_tail),
	  IN(amd_vi, S22_half_a_leaf), BEHIND_ALL(S22_right))
