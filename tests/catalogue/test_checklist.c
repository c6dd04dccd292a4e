/* SPDX-License-Identifier: MIT */
/*
 * The checklist: offsets and neighbours of links (T2 to T4), lazy invalidation (T6), direct mode
 * (T8) and dma_need_unmap() (T15).
 */
#include "catalogue/catalogue.h"

/* ---- T2: an offset inside a granule ---------------------------------------------------------- */

/* trust: T02: an offset of 0xa34 in its granule | our reading of the facts: dma-api 17 */
static void T02_offset_is_kept(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K) + 0xa34;
	struct dma_iova_state st;
	u64 before;

	/* 0xa34 + 0x600 crosses into a second granule, 0xa34 + 0x5cc just does not. */
	assert_true(dma_iova_try_alloc(dev, &st, buf, 0x600));
	expect_u64(st.addr & (SZ_4K - 1), 0xa34);
	expect_u64(dma_iova_size(&st), 0x600);
	before = live_entries(rig->s);
	expect_ok(dma_iova_link(dev, &st, buf, 0, 0x600, DMA_BIDIRECTIONAL, 0));
	expect_u64(live_entries(rig->s) - before, 2);
	expect_ok(dma_iova_sync(dev, &st, 0, 0x600));
	expect_both_ways(rig->s, rig->nvme, st.addr, buf, 0x600);
	dma_iova_unlink(dev, &st, 0, 0x600, DMA_BIDIRECTIONAL, 0);
	expect_ok(dma_iova_link(dev, &st, buf, 0, 0x5cc, DMA_BIDIRECTIONAL, 0));
	expect_u64(live_entries(rig->s) - before, 1);
	dma_iova_destroy(dev, &st, 0x5cc, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- T3: two links, one range ---------------------------------------------------------------- */

/* trust: T03: two links, one contiguous range | our reading of the facts: dma-api 17 */
static void T03_two_links_are_contiguous(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t first = ram(rig, SZ_4K) + 0xa34, second = ram(rig, SZ_16K);
	u64 bytes = 0x5cc + SZ_4K + 0x10;
	u8 sent[2 * SZ_4K];
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, first, bytes));
	expect_ok(dma_iova_link(dev, &st, first, 0, 0x5cc, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_link(dev, &st, second, 0x5cc, SZ_4K + 0x10, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, bytes));
	/* One transfer over both. */
	fill_pattern(sent, bytes, 3);
	expect_done(dmasim_dev_write(rig->nvme, st.addr, sent, bytes), bytes);
	expect_bytes_at(rig->s, first, sent, 0x5cc);
	expect_bytes_at(rig->s, second, sent + 0x5cc, SZ_4K + 0x10);
	dma_iova_destroy(dev, &st, bytes, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- T4: links that are not aligned ---------------------------------------------------------- */

/* trust: T04: links that are not aligned | our reading of the facts: dma-api 17 */
static void T04_misaligned_behind_the_first_is_eio(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_16K));
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	expect_error(dma_iova_link(dev, &st, buf + 0x200, SZ_4K, SZ_4K, DMA_TO_DEVICE, 0), -EIO);
	expect_u64(live_entries(rig->s), 0);
	dma_iova_free(dev, &st);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

/* The partial link succeeds; the next one's IOVA is not aligned: a generic page table's -ENXIO. */
static void T04_partial_middle_is_enxio(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_16K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_TO_DEVICE, 0));
	expect_ok(dma_iova_link(dev, &st, buf + SZ_4K, SZ_4K, 0x800, DMA_TO_DEVICE, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_LINK_MISALIGNED, 1);
	expect_error(
		dma_iova_link(dev, &st, buf + 2 * SZ_4K, SZ_4K + 0x800, SZ_4K, DMA_TO_DEVICE, 0),
		-ENXIO);
	expect_u64(live_entries(rig->s), 2);
	dma_iova_destroy(dev, &st, SZ_4K + 0x800, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_LINK_MISALIGNED, 1);
}

/* ---- T6: lazy -------------------------------------------------------------------------------- */

#define RING_ENTRIES 255

static dma_addr_t map_once(struct rig *rig, phys_addr_t buf)
{
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	return dma;
}

static void unmap_once(struct rig *rig, dma_addr_t dma)
{
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

/* trust: T06: lazy invalidation: ring, timer, reuse | our reading of the facts: dma-api 17 */
static void T06_ring_is_full_at_255(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	u64 before = dmasim_costs(rig->s).invalidations;
	dma_addr_t highest = map_once(rig, buf);

	unmap_once(rig, highest);
	for (u32 i = 1; i < RING_ENTRIES; i++) {
		dma_addr_t dma = map_once(rig, buf);

		/* What is queued is not handed out. */
		expect_u64(dma, highest - i * SZ_4K);
		unmap_once(rig, dma);
	}
	expect_u64(dmasim_costs(rig->s).invalidations, before);
	/* One more flushes in line, and frees all 255. */
	unmap_once(rig, map_once(rig, buf));
	expect_u64(dmasim_costs(rig->s).invalidations, before + 1);
	/* They are in the CPU's cache, above all others. */
	for (u32 i = 0; i < RING_ENTRIES; i++)
		assert_true(map_once(rig, buf) > highest - RING_ENTRIES * SZ_4K);
	for (u32 i = 0; i < RING_ENTRIES; i++)
		unmap_once(rig, highest - i * SZ_4K);
	dmasim_assert_clean(rig->s);
}

static void T06_timer_flushes_after_10_ms(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	u64 before = dmasim_costs(rig->s).invalidations;
	dma_addr_t dma = map_once(rig, buf), other;

	unmap_once(rig, dma);
	dmasim_run(rig->s, 10 * 1000 * 1000 - 1);
	expect_u64(dmasim_costs(rig->s).invalidations, before);
	other = map_once(rig, buf);
	assert_true(other != dma);
	dmasim_run(rig->s, 1);
	expect_u64(dmasim_costs(rig->s).invalidations, before + 1);
	/* Armed by an entry, not by itself: nothing is flushed without one. */
	dmasim_run(rig->s, 100 * 1000 * 1000);
	expect_u64(dmasim_costs(rig->s).invalidations, before + 1);
	expect_u64(map_once(rig, buf), dma);
	unmap_once(rig, dma);
	unmap_once(rig, other);
	dmasim_assert_clean(rig->s);
}

static void T06_two_step_calls_stay_strict(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st = linked(rig->nvme, buf, SZ_16K), again;
	u64 before = dmasim_costs(rig->s).invalidations;

	dma_iova_unlink(dev, &st, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(dmasim_costs(rig->s).invalidations, before + 1);
	expect_ok(dma_iova_link(dev, &st, buf, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0));
	dma_iova_destroy(dev, &st, SZ_16K, DMA_BIDIRECTIONAL, 0);
	expect_u64(dmasim_costs(rig->s).invalidations, before + 2);
	/* Free at once. */
	assert_true(dma_iova_try_alloc(dev, &again, 0, SZ_16K));
	expect_u64(again.addr, st.addr);
	dma_iova_free(dev, &again);
	dmasim_assert_clean(rig->s);
}

/* Lists are queued, too, with one entry for the whole. */
static void T06_lists_are_queued(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	u64 before = dmasim_costs(rig->s).invalidations;
	dma_addr_t dma;
	struct list list;

	list_of_pages(rig, &list, 8);
	expect_u64(dma_map_sg(dev, list.sg, 8, DMA_TO_DEVICE), 1);
	dma = sg_dma_address(list.sg);
	dma_unmap_sg(dev, list.sg, 8, DMA_TO_DEVICE);
	expect_u64(live_entries(rig->s), 0);
	expect_u64(dmasim_costs(rig->s).invalidations, before);
	dmasim_run(rig->s, 10 * 1000 * 1000);
	expect_u64(dmasim_costs(rig->s).invalidations, before + 1);
	expect_u64(dma_map_sg(dev, list.sg, 8, DMA_TO_DEVICE), 1);
	expect_u64(sg_dma_address(list.sg), dma);
	dma_unmap_sg(dev, list.sg, 8, DMA_TO_DEVICE);
	dmasim_assert_clean(rig->s);
}

/* ---- T8: direct ------------------------------------------------------------------------------ */

#define OFFSET (1ULL << 40)

/* The host bridge adds 2^40 to everything: to memory and to its windows. */
static int setup_offset(void **state)
{
	return rig_setup_below(
		state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU },
		&(struct dmasim_host_bridge){ .bus_offset = OFFSET,
					      .dma_range_count = 1,
					      .dma_range = { { OFFSET, 0, 1ULL << 46 } } });
}

/* trust: T08: direct mode: ranges, masks, bouncing | our reading of the facts: dma-api 17 */
static void T08_memory_and_mmio_are_translated(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K), bar = pci_resource_start(rig->disk, 0);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	expect_u64(dma, buf + OFFSET);
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma = dma_map_resource(dev, bar, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(dma, bar + OFFSET);
	expect_both_ways(rig->s, rig->nvme, dma, bar, SZ_4K);
	dma_unmap_resource(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* Memory out of reach is bounced; what is no memory, or must be coherent, is refused. */
static void T08_beyond_the_mask(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->disk, 0);
	u8 byte = 0x5a, seen = 0;
	dma_addr_t dma;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	expect_u64(dmasim_write(rig->s, SZ_4G, &byte, 1), 1);
	dma = dma_map_phys(dev, SZ_4G, SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(dma + SZ_4K - 1 <= DMA_BIT_MASK(32));
	expect_done(dmasim_dev_read(rig->nvme, dma, &seen, 1), 1);
	expect_u64(seen, 0x5a);
	expect_done(write_byte(rig->nvme, dma, 0xa5), 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(byte_at(rig->s, SZ_4G), 0xa5);
	expect_u64(lent(rig->nvme), 0);
	assert_true(bar > DMA_BIT_MASK(32));
	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 2);
	expect_u64(dma_map_resource(dev, bar, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	expect_u64(dma_map_phys(dev, SZ_4G, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT),
		   DMA_MAPPING_ERROR);
	assert_true(report_says(rig->s, DMASIM_REPORT_MASK_OVERFLOW, "beyond the device's mask"));
	expect_only(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 2);
}

/* ---- T15: dma_need_unmap() ------------------------------------------------------------------- */

/*
 * trust: T15: dma_need_unmap() flips with the first bounce
 * | our reading of the facts: dma-api 17
 */
static void T15_need_unmap_flips_with_the_first_bounce(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t near, far;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	near = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(near, buf);
	assert_false(dma_need_unmap(dev));
	assert_false(dma_need_sync(dev, near));
	far = dma_map_phys(dev, SZ_4G, SZ_4K, DMA_TO_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, far));
	assert_true(dma_need_unmap(dev));
	assert_false(dma_need_sync(dev, near));
	assert_true(dma_need_sync(dev, far));
	dma_unmap_phys(dev, far, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, near, SZ_4K, DMA_TO_DEVICE, 0);
	/* It stays, until a mask is set again; another device never had it. */
	assert_true(dma_need_unmap(dev));
	assert_false(dma_need_unmap(&rig->disk->dev));
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	assert_false(dma_need_unmap(dev));
	dmasim_assert_clean(rig->s);
}

static void T15_need_unmap_is_always_yes(void **state)
{
	struct rig *rig = *state;

	assert_true(dma_need_unmap(&rig->nvme->dev));
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(IN(strict, T02_offset_is_kept), IN(lazy, T02_offset_is_kept),
	  IN(strict, T03_two_links_are_contiguous), IN(amd_vi, T03_two_links_are_contiguous),
	  IN(riscv, T03_two_links_are_contiguous), IN(smmuv3, T03_two_links_are_contiguous),
	  IN(lazy, T03_two_links_are_contiguous), IN(amd_vi_lazy, T03_two_links_are_contiguous),
	  IN(riscv_lazy, T03_two_links_are_contiguous),
	  IN(smmuv3_lazy, T03_two_links_are_contiguous),
	  IN(strict, T04_misaligned_behind_the_first_is_eio),
	  IN(amd_vi, T04_misaligned_behind_the_first_is_eio),
	  IN(riscv, T04_misaligned_behind_the_first_is_eio),
	  IN(smmuv3, T04_misaligned_behind_the_first_is_eio),
	  IN(lazy, T04_misaligned_behind_the_first_is_eio),
	  IN(amd_vi_lazy, T04_misaligned_behind_the_first_is_eio),
	  IN(riscv_lazy, T04_misaligned_behind_the_first_is_eio),
	  IN(smmuv3_lazy, T04_misaligned_behind_the_first_is_eio),
	  IN(strict, T04_partial_middle_is_enxio), IN(amd_vi, T04_partial_middle_is_enxio),
	  IN(riscv, T04_partial_middle_is_enxio), IN(smmuv3, T04_partial_middle_is_enxio),
	  IN(lazy, T04_partial_middle_is_enxio), IN(amd_vi_lazy, T04_partial_middle_is_enxio),
	  IN(riscv_lazy, T04_partial_middle_is_enxio), IN(smmuv3_lazy, T04_partial_middle_is_enxio),
	  IN(lazy, T06_ring_is_full_at_255), IN(amd_vi_lazy, T06_ring_is_full_at_255),
	  IN(riscv_lazy, T06_ring_is_full_at_255), IN(smmuv3_lazy, T06_ring_is_full_at_255),
	  IN(lazy, T06_timer_flushes_after_10_ms), IN(amd_vi_lazy, T06_timer_flushes_after_10_ms),
	  IN(riscv_lazy, T06_timer_flushes_after_10_ms),
	  IN(smmuv3_lazy, T06_timer_flushes_after_10_ms), IN(lazy, T06_two_step_calls_stay_strict),
	  IN(strict, T06_two_step_calls_stay_strict), IN(lazy, T06_lists_are_queued),
	  IN(amd_vi_lazy, T06_lists_are_queued), IN(riscv_lazy, T06_lists_are_queued),
	  IN(smmuv3_lazy, T06_lists_are_queued),
	  WITH_SETUP(T08_memory_and_mmio_are_translated, setup_offset),
	  IN(direct, T08_beyond_the_mask), IN(pass_through, T08_beyond_the_mask),
	  IN(direct, T15_need_unmap_flips_with_the_first_bounce),
	  IN(pass_through, T15_need_unmap_flips_with_the_first_bounce),
	  IN(strict, T15_need_unmap_is_always_yes), IN(amd_vi, T15_need_unmap_is_always_yes),
	  IN(riscv, T15_need_unmap_is_always_yes), IN(smmuv3, T15_need_unmap_is_always_yes),
	  IN(lazy, T15_need_unmap_is_always_yes), IN(amd_vi_lazy, T15_need_unmap_is_always_yes),
	  IN(riscv_lazy, T15_need_unmap_is_always_yes),
	  IN(smmuv3_lazy, T15_need_unmap_is_always_yes),
	  IN(direct_no_snoop, T15_need_unmap_is_always_yes))
