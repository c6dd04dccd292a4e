/* SPDX-License-Identifier: MIT */
/*
 * The checklist: links of a device that may see nothing but its buffer (T5, T7).
 *
 *   buffer       |..head|middle granules ...|tail..|
 *   linked to     copy   the buffer itself   copy
 */
#include "catalogue/catalogue.h"

#include "catalogue/bounce.h"

/* ---- T5 -------------------------------------------------------------------------------------- */

/* Fills the buffer and links it: what the device reads is the buffer, and nothing beside it. */
static struct dma_iova_state expect_linked(struct rig *rig, phys_addr_t buf, u64 bytes, u64 copies)
{
	struct dma_iova_state st;
	u8 sent[4 * SZ_4K], got[4 * SZ_4K];

	assert_true(bytes <= sizeof(sent));
	fill_pattern(sent, bytes, bytes);
	expect_u64(dmasim_write(rig->s, buf, sent, bytes), bytes);
	st = bounced_state(rig, buf, bytes);
	expect_u64(lent(rig->nvme), copies * (SZ_4K / (2 * SZ_1K)));
	assert_true(!(st.__size & DMA_IOVA_USE_SWIOTLB) == !copies);
	expect_u64(dma_iova_size(&st), bytes);
	expect_done(dmasim_dev_read(rig->nvme, st.addr, got, bytes), bytes);
	assert_memory_equal(got, sent, bytes);
	return st;
}

/* The device writes; the buffer has it after the end, and the slots are back. */
static void expect_written_back(struct rig *rig, struct dma_iova_state *st, phys_addr_t buf,
				u64 bytes)
{
	u8 sent[4 * SZ_4K];

	fill_pattern(sent, bytes, ~bytes);
	expect_done(dmasim_dev_write(rig->nvme, st->addr, sent, bytes), bytes);
	dma_iova_destroy(&rig->nvme->dev, st, bytes, DMA_BIDIRECTIONAL, 0);
	expect_bytes_at(rig->s, buf, sent, bytes);
	expect_u64(lent(rig->nvme), 0);
	expect_u64(live_entries(rig->s), 0);
	dmasim_assert_clean(rig->s);
}

static void link_and_destroy(struct rig *rig, u64 offset, u64 bytes, u64 copies)
{
	phys_addr_t buf = ram(rig, SZ_16K) + offset;
	struct dma_iova_state st = expect_linked(rig, buf, bytes, copies);

	expect_written_back(rig, &st, buf, bytes);
}

/*
 * trust: T05: links of an untrusted device: head, middle, tail
 * | our reading of the facts: dma-api 17
 */
static void T05_buffer_inside_a_granule(void **state)
{
	link_and_destroy(*state, 0x234, 0x100, 1);
}

static void T05_head_only(void **state)
{
	link_and_destroy(*state, 0x800, 0x800 + 2 * SZ_4K, 1);
}

static void T05_tail_only(void **state)
{
	link_and_destroy(*state, 0, 2 * SZ_4K + 0x123, 1);
}

static void T05_head_and_tail_with_an_empty_middle(void **state)
{
	link_and_destroy(*state, 0x800, 0x1000, 2);
}

static void T05_head_middle_and_tail(void **state)
{
	link_and_destroy(*state, 0xa34, 0x5cc + SZ_4K + 0x77, 2);
}

/* Whole granules need no copies. */
static void T05_aligned_is_not_bounced(void **state)
{
	link_and_destroy(*state, 0, 2 * SZ_4K, 0);
}

/* What lies in a copy's granule beside the buffer is zeros, whatever was there before. */
static void T05_padding_is_zeroed(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K) + 0x400;
	u8 secret[SZ_4K], page[SZ_4K];
	struct dma_iova_state st;

	/* A pool that has been used, and a page around the buffer that is not the device's. */
	memset(secret, 0xee, sizeof(secret));
	for (int i = 0; i < 2; i++) {
		expect_u64(dmasim_write(rig->s, buf - 0x400, secret, sizeof(secret)),
			   sizeof(secret));
		st = bounced_state(rig, buf - 0x3ff, 0xc00);
		dma_iova_destroy(dev, &st, 0xc00, DMA_BIDIRECTIONAL, 0);
	}
	st = bounced_state(rig, buf, 0x100);
	dmasim_suppress(rig->s, DMASIM_REPORT_ACCESS_BEYOND);
	expect_done(dmasim_dev_read(rig->nvme, st.addr - 0x400, page, SZ_4K), SZ_4K);
	for (u32 i = 0; i < SZ_4K; i++)
		expect_u64(page[i], i >= 0x400 && i < 0x500 ? 0xee : 0);
	dma_iova_destroy(dev, &st, 0x100, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/*
 * At an offset the middle is linked, then the tail finds no slot: the middle is taken back, and
 * only it.
 */
static void T05_failure_at_an_offset_is_undone(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;
	struct filler filler;

	assert_true(dma_iova_try_alloc(dev, &st, 0, 2 * SZ_4K + 0x100));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	fill_pool(rig, &filler);
	dmasim_expect(rig->s, DMASIM_REPORT_BOUNCE_FULL, 1);
	expect_error(
		dma_iova_link(dev, &st, buf + SZ_4K, SZ_4K, SZ_4K + 0x100, DMA_BIDIRECTIONAL, 0),
		-ENOMEM);
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
	expect_both_ways(rig->s, rig->nvme, st.addr, buf, SZ_4K);
	/* Room again, and the same link works. */
	empty_pool(rig, &filler);
	expect_ok(dma_iova_link(dev, &st, buf + SZ_4K, SZ_4K, SZ_4K + 0x100, DMA_BIDIRECTIONAL, 0));
	dma_iova_destroy(dev, &st, 2 * SZ_4K + 0x100, DMA_BIDIRECTIONAL, 0);
	expect_u64(lent(rig->nvme), 0);
	expect_only(rig->s, DMASIM_REPORT_BOUNCE_FULL, 1);
}

/* Facts 5.2: what may not be copied is refused where it would have to be. */
static void T05_what_may_not_be_copied_is_eperm(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	expect_error(
		dma_iova_link(dev, &st, buf, 0, 0x800, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT),
		-EPERM);
	expect_error(dma_iova_link(dev, &st, pci_resource_start(rig->disk, 0), 0, 0x800,
				   DMA_TO_DEVICE, DMA_ATTR_MMIO),
		     -EPERM);
	dma_iova_free(dev, &st);
	dmasim_assert_clean(rig->s);
}

/* ---- T7 -------------------------------------------------------------------------------------- */

/* trust: T07: one copy makes every unlink slow | our reading of the facts: dma-api 17 */
/*
 * The mark is the state's: once a part is a copy, the unlink of any granule looks every granule up.
 * One that finds nothing ends the walk, and the copy behind it is never given back.
 */
static void T07_one_copy_makes_every_unlink_slow(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st = bounced_state(rig, buf, 2 * SZ_4K + 0x100);

	/* A granule that is no copy. */
	dma_iova_unlink(dev, &st, 0, SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(st.__size & DMA_IOVA_USE_SWIOTLB);
	expect_u64(dmasim_report_count(rig->s), 0);
	/* Again: the walk stops there. The rest is unlinked, but its copy stays lent. */
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_SHORT, 1);
	dma_iova_unlink(dev, &st, 0, 2 * SZ_4K + 0x100, DMA_BIDIRECTIONAL, 0);
	assert_true(report_says(rig->s, DMASIM_REPORT_UNMAP_SHORT,
				"a granule that is to be unlinked does not translate"));
	expect_u64(lent(rig->nvme), SZ_4K / (2 * SZ_1K));
	expect_u64(live_entries(rig->s), 2);
	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K + 0x100, DMA_BIDIRECTIONAL, 0);
	dma_iova_free(dev, &st);
	expect_u64(lent(rig->nvme), 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_SHORT, 1);
}

/* The same granules, none a copy: no walk, one finding. */
static void T07_without_a_copy_nothing_is_slow(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = bounced_state(rig, ram(rig, SZ_16K), 2 * SZ_4K);

	dma_iova_unlink(dev, &st, 0, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_SHORT, 1);
	dma_iova_unlink(dev, &st, 0, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_false(report_says(rig->s, DMASIM_REPORT_UNMAP_SHORT,
				 "a granule that is to be unlinked does not translate"));
	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma_iova_free(dev, &st);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_SHORT, 1);
}

TEST_MAIN(IN(untrusted, T05_buffer_inside_a_granule), IN(untrusted, T05_head_only),
	  IN(untrusted, T05_tail_only), IN(untrusted, T05_head_and_tail_with_an_empty_middle),
	  IN(untrusted, T05_head_middle_and_tail), IN(untrusted, T05_aligned_is_not_bounced),
	  IN(untrusted, T05_padding_is_zeroed), IN(untrusted, T05_failure_at_an_offset_is_undone),
	  IN(untrusted, T05_what_may_not_be_copied_is_eperm),
	  IN(untrusted, T07_one_copy_makes_every_unlink_slow),
	  IN(untrusted, T07_without_a_copy_nothing_is_slow))
