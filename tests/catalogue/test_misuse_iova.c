/* SPDX-License-Identifier: MIT */
/*
 * The catalogue where IOVAs come from: what wrong unmaps leave in the caches of Linux's allocator
 * (M4, M5, M14), and what is handed out at all (T1, T16).
 */
#include "catalogue/catalogue.h"

#define HUGE_PAGES 64 /* a size that no cache keeps */

static dma_addr_t map_pages(struct rig *rig, u64 pages)
{
	return dma_map_phys(&rig->nvme->dev, SZ_64M, pages * SZ_4K, DMA_TO_DEVICE, 0);
}

static void unmap_pages(struct rig *rig, dma_addr_t dma, u64 pages)
{
	dma_unmap_phys(&rig->nvme->dev, dma, pages * SZ_4K, DMA_TO_DEVICE, 0);
}

/* What is queued in a lazy domain is freed. */
static void settle(struct rig *rig)
{
	dmasim_run(rig->s, 20 * 1000 * 1000);
}

/* ---- M4: the class of another size ----------------------------------------------------------- */

/*
 * trust: M04_iova_class: the wrong size frees into another cache
 * | our reading of the facts: dma-api 15
 */
/*
 *   mapped    |  b  |  a  |   a page each, a is freed: its number lies in the cache of one page
 *   unmapped  |---- b ----|   as two: b lies in the cache of two pages
 *   mapped    |---- c ----|   there it comes from, with a below it
 *   mapped          |  d  |   a is handed out, and is not free
 */
static void M04_iova_class_of_a_larger_size(void **state)
{
	struct rig *rig = *state;
	dma_addr_t a = map_pages(rig, 1), b = map_pages(rig, 1), c;

	expect_u64(b + SZ_4K, a);
	expect_u64(b % (2 * SZ_4K), 0);
	unmap_pages(rig, a, 1);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	unmap_pages(rig, b, 2);
	settle(rig);
	c = map_pages(rig, 2);
	expect_u64(c, b);
	/* It fails for ever: what could not be mapped goes back to where it came from. */
	for (u32 i = 0; i < 3; i++)
		expect_u64(map_pages(rig, 1), DMA_MAPPING_ERROR);
	unmap_pages(rig, c, 2);
	settle(rig);
	a = map_pages(rig, 1);
	expect_ok(dma_mapping_error(&rig->nvme->dev, a));
	unmap_pages(rig, a, 1);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

/* The second page is mapped still, and nobody will ever free it. */
static void M04_iova_class_of_a_smaller_size(void **state)
{
	struct rig *rig = *state;
	dma_addr_t a = map_pages(rig, 2), b;

	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	unmap_pages(rig, a, 1);
	settle(rig);
	b = map_pages(rig, 1);
	expect_u64(b, a);
	expect_u64(live_entries(rig->s), 2);
	unmap_pages(rig, b, 1);
	expect_u64(live_entries(rig->s), 1);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

/* ---- M5: twice into the cache ---------------------------------------------------------------- */

static void unmap_mmio_twice(struct rig *rig, size_t bytes, dma_addr_t *dma)
{
	struct device *dev = &rig->nvme->dev;

	*dma = dma_map_resource(dev, pci_resource_start(rig->gpu, 0), bytes, DMA_TO_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, *dma));
	dma_unmap_resource(dev, *dma, bytes, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_resource(dev, *dma, bytes, DMA_TO_DEVICE, 0);
	settle(rig);
}

/* trust: M05_iova_cache: one IOVA for two | our reading of the facts: dma-api 15 */
static void M05_iova_cache_hands_it_out_twice(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state first, second;
	dma_addr_t dma;

	unmap_mmio_twice(rig, SZ_4K, &dma);
	assert_true(dma_iova_try_alloc(dev, &first, 0, SZ_4K));
	assert_true(dma_iova_try_alloc(dev, &second, 0, SZ_4K));
	expect_u64(first.addr, dma);
	expect_u64(second.addr, dma);
	/* Both believe that it is theirs; the page table has place for one. */
	expect_ok(dma_iova_link(dev, &first, SZ_64M, 0, SZ_4K, DMA_TO_DEVICE, 0));
	expect_error(dma_iova_link(dev, &second, SZ_64M, 0, SZ_4K, DMA_TO_DEVICE, 0), -EADDRINUSE);
	dma_iova_destroy(dev, &first, SZ_4K, DMA_TO_DEVICE, 0);
}

/* A size that no cache keeps goes to the tree, which knows that it is free. */
static void M05_iova_cache_is_not_asked_of_large_ones(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state first, second;
	dma_addr_t dma;

	unmap_mmio_twice(rig, HUGE_PAGES * SZ_4K, &dma);
	assert_true(dma_iova_try_alloc(dev, &first, 0, HUGE_PAGES * SZ_4K));
	assert_true(dma_iova_try_alloc(dev, &second, 0, HUGE_PAGES * SZ_4K));
	expect_u64(first.addr, dma);
	assert_true(second.addr != dma);
	dma_iova_free(dev, &first);
	dma_iova_free(dev, &second);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
}

/* ---- M14: a number that was never allocated -------------------------------------------------- */

static void unmap_bus_as_mmio(struct rig *rig, dma_addr_t *bus)
{
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	*bus = pci_p2pdma_bus_addr_map(pcim_p2pdma_provider(rig->gpu, 0),
				       pci_resource_start(rig->gpu, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, 1);
	dma_unmap_phys(&rig->nvme->dev, *bus, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO);
}

/*
 * trust: M14_iova_cache: a bus address becomes an IOVA
 * | our reading of the facts: dma-api 15
 */
/* Though the window is reserved: the next one below 2^64 is the bus address of the peer. */
static void M14_iova_cache_takes_a_bus_address(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;
	dma_addr_t bus;

	unmap_bus_as_mmio(rig, &bus);
	dmasim_expect(rig->s, DMASIM_REPORT_IOVA_IN_WINDOW, 1);
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	expect_u64(st.addr, bus);
	dma_iova_free(dev, &st);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_IOVA_IN_WINDOW), 1);
	dmasim_assert_clean(rig->s);
}

/* While 32 bits are tried first it lies there, too high for them. */
static void M14_iova_cache_keeps_it_while_32_bits_are_first(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state large, st;
	dma_addr_t bus;

	unmap_bus_as_mmio(rig, &bus);
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	assert_true(st.addr < SZ_4G);
	dma_iova_free(dev, &st);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_IOVA_IN_WINDOW), 0);
	/* Until they fail; then it comes as soon as nothing newer is in the cache. */
	assert_true(dma_iova_try_alloc(dev, &large, 0, 2 * SZ_4G));
	dma_iova_free(dev, &large);
	assert_true(dma_iova_try_alloc(dev, &large, 0, SZ_4K));
	dmasim_expect(rig->s, DMASIM_REPORT_IOVA_IN_WINDOW, 1);
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	expect_u64(st.addr, bus);
	dma_iova_free(dev, &st);
	dma_iova_free(dev, &large);
	dmasim_assert_clean(rig->s);
}

/* ---- T1: placement --------------------------------------------------------------------------- */

/* trust: T01: natural alignment, 32 bits first | our reading of the facts: dma-api 17 */
static void T01_natural_alignment_below_4_gib(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st[130];

	for (u64 pages = 1; pages <= 130; pages++) {
		u64 align = SZ_4K;

		while (align < pages * SZ_4K)
			align *= 2;
		assert_true(dma_iova_try_alloc(dev, &st[pages - 1], 0, pages * SZ_4K));
		expect_u64(st[pages - 1].addr % align, 0);
		assert_true(st[pages - 1].addr < SZ_4G);
	}
	for (u32 i = 0; i < 130; i++)
		dma_iova_free(dev, &st[i]);
	dmasim_assert_clean(rig->s);
}

/* All that there is below 1 MiB, page by page. */
static void T01_page_0_is_never_returned(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	static struct dma_iova_state st[256];
	u32 count = 0;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(20)));
	while (dma_iova_try_alloc(dev, &st[count], 0, SZ_4K)) {
		assert_true(st[count++].addr >= SZ_4K);
		assert_true(count < 256);
	}
	expect_u64(count, 255);
	while (count)
		dma_iova_free(dev, &st[--count]);
	dmasim_assert_clean(rig->s);
}

/* All that there is around a window, in pieces of its size. */
static void T01_windows_are_never_returned(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	static struct dma_iova_state st[64];
	struct dmasim_window window;
	u32 count = 0;

	assert_true(dmasim_window(rig->s, 0, &window));
	expect_ok(dma_set_mask(dev, window.start + 2 * window.bytes - 1));
	/* What is above the window comes first, then what is below it. */
	while (count < 64 && dma_iova_try_alloc(dev, &st[count], 0, (size_t)window.bytes)) {
		u64 end = st[count].addr + window.bytes;

		assert_true(st[count].addr >= window.start + window.bytes || end <= window.start);
		count++;
	}
	assert_true(count > 1);
	assert_true(st[count - 1].addr < window.start);
	while (count)
		dma_iova_free(dev, &st[--count]);
	dmasim_assert_clean(rig->s);
}

/* ---- T16: the first granule of a window ------------------------------------------------------ */

#define INBOUND (256ULL * SZ_1M)

static int below_an_inbound_range(void **state)
{
	const struct dmasim_host_bridge bridge = {
		.dma_range_count = 1,
		.dma_range = { { INBOUND, 0, SZ_1M } },
	};

	return rig_setup_below(state, &(struct dmasim_config){ DMASIM_CONFIG }, &bridge);
}

/* The gap below the range is reserved up to the range's first page, which it includes. */
static void T16_window_granule_is_lost(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	static struct dma_iova_state st[256];
	u32 count = 0;

	while (dma_iova_try_alloc(dev, &st[count], 0, SZ_4K)) {
		assert_true(st[count].addr > INBOUND && st[count].addr < INBOUND + SZ_1M);
		count++;
		assert_true(count < 256);
	}
	expect_u64(count, 255);
	while (count)
		dma_iova_free(dev, &st[--count]);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(
	IN(strict, M04_iova_class_of_a_larger_size), IN(amd_vi, M04_iova_class_of_a_larger_size),
	IN(riscv, M04_iova_class_of_a_larger_size), IN(smmuv3, M04_iova_class_of_a_larger_size),
	IN(lazy, M04_iova_class_of_a_larger_size), IN(amd_vi_lazy, M04_iova_class_of_a_larger_size),
	IN(riscv_lazy, M04_iova_class_of_a_larger_size),
	IN(smmuv3_lazy, M04_iova_class_of_a_larger_size),
	IN(strict, M04_iova_class_of_a_smaller_size), IN(lazy, M04_iova_class_of_a_smaller_size),
	IN(strict, M05_iova_cache_hands_it_out_twice),
	IN(amd_vi, M05_iova_cache_hands_it_out_twice), IN(riscv, M05_iova_cache_hands_it_out_twice),
	IN(smmuv3, M05_iova_cache_hands_it_out_twice), IN(lazy, M05_iova_cache_hands_it_out_twice),
	IN(amd_vi_lazy, M05_iova_cache_hands_it_out_twice),
	IN(riscv_lazy, M05_iova_cache_hands_it_out_twice),
	IN(smmuv3_lazy, M05_iova_cache_hands_it_out_twice),
	IN(strict, M05_iova_cache_is_not_asked_of_large_ones),
	IN(amd_vi, M05_iova_cache_is_not_asked_of_large_ones),
	IN(riscv, M05_iova_cache_is_not_asked_of_large_ones),
	IN(smmuv3, M05_iova_cache_is_not_asked_of_large_ones),
	IN(lazy, M05_iova_cache_is_not_asked_of_large_ones),
	IN(amd_vi_lazy, M05_iova_cache_is_not_asked_of_large_ones),
	IN(riscv_lazy, M05_iova_cache_is_not_asked_of_large_ones),
	IN(smmuv3_lazy, M05_iova_cache_is_not_asked_of_large_ones),
	IN(strict_bus_dac, M14_iova_cache_takes_a_bus_address),
	IN(strict_bus, M14_iova_cache_keeps_it_while_32_bits_are_first),
	IN(strict, T01_natural_alignment_below_4_gib),
	IN(amd_vi, T01_natural_alignment_below_4_gib), IN(riscv, T01_natural_alignment_below_4_gib),
	IN(smmuv3, T01_natural_alignment_below_4_gib), IN(lazy, T01_natural_alignment_below_4_gib),
	IN(amd_vi_lazy, T01_natural_alignment_below_4_gib),
	IN(riscv_lazy, T01_natural_alignment_below_4_gib),
	IN(smmuv3_lazy, T01_natural_alignment_below_4_gib),
	IN(strict, T01_page_0_is_never_returned), IN(amd_vi, T01_page_0_is_never_returned),
	IN(riscv, T01_page_0_is_never_returned), IN(smmuv3, T01_page_0_is_never_returned),
	IN(strict_dac, T01_windows_are_never_returned),
	cmocka_unit_test_setup_teardown(T16_window_granule_is_lost, below_an_inbound_range,
					rig_teardown))
