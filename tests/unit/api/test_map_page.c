/* SPDX-License-Identifier: MIT */
/*
 * Mapping by page: the address arithmetic, and what this call does not look at (facts 3.3).
 */
#include "unit/api/machines.h"

static void a_page_and_an_offset_name_the_buffer(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct page *page = dmasim_page(rig->s, buf + SZ_4K);
	dma_addr_t dma = dma_map_page(dev, page, 0x70, 0x200, DMA_BIDIRECTIONAL);

	expect_u64(page_to_phys(page), buf + SZ_4K);
	expect_u64(dma & (SZ_4K - 1), 0x70);
	expect_both_ways(rig->s, rig->nvme, dma, buf + SZ_4K + 0x70, 0x200);
	dma_unmap_page(dev, dma, 0x200, DMA_BIDIRECTIONAL);
	dmasim_assert_clean(rig->s);
}

/*
 *   pages     |------|------|------|------|
 *   page      ^
 *   offset    ------------->               an offset of two pages and a bit is fine
 *   buffer                    [.......]
 */
static void the_offset_may_lead_beyond_the_page(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	u64 offset = 2 * SZ_4K + 0x321;
	dma_addr_t dma =
		dma_map_page(dev, dmasim_page(rig->s, buf), offset, SZ_4K, DMA_BIDIRECTIONAL);

	expect_both_ways(rig->s, rig->nvme, dma, buf + offset, SZ_4K);
	dma_unmap_page(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	dmasim_assert_clean(rig->s);
}

static void a_buffer_may_span_many_pages(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->disk->dev;
	phys_addr_t buf = ram(rig, SZ_2M * 2);
	dma_addr_t dma =
		dma_map_page(dev, dmasim_page(rig->s, buf), 0x10, SZ_2M + 0x500, DMA_BIDIRECTIONAL);

	expect_both_ways(rig->s, rig->disk, dma, buf + 0x10, SZ_2M + 0x500);
	dma_unmap_page(dev, dma, SZ_2M + 0x500, DMA_BIDIRECTIONAL);
	dmasim_assert_clean(rig->s);
}

static void page_and_phys_calls_pair_with_each_other(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_page(dev, dmasim_page(rig->s, buf), 0, SZ_4K, DMA_TO_DEVICE);

	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_page(dev, dma, SZ_4K, DMA_TO_DEVICE);
	dmasim_assert_clean(rig->s);
}

static void a_page_is_found_from_any_byte_of_it(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct page *page = dmasim_page(rig->s, buf);

	assert_non_null(page);
	assert_ptr_equal(dmasim_page(rig->s, buf + SZ_4K - 1), page);
	assert_true(dmasim_page(rig->s, buf + SZ_4K) != page);
	assert_false(is_pci_p2pdma_page(page));
	assert_false(is_pci_p2pdma_page(NULL));
	expect_u64(page_to_phys(dmasim_page(rig->s, buf + SZ_4K + 7)), buf + SZ_4K);
}

static void pages_of_a_section_are_an_array(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_2M);
	struct page *page = dmasim_page(rig->s, buf);

	for (u64 i = 0; i < SZ_2M / SZ_4K; i++) {
		assert_ptr_equal(dmasim_page(rig->s, buf + i * SZ_4K), page + i);
		expect_u64(page_to_phys(page + i), buf + i * SZ_4K);
	}
}

static void a_section_that_cannot_be_had_gives_no_page(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_2M);

	dmasim_fail(rig->s, DMASIM_FAULT_PAGE_SECTION, 1);
	assert_null(dmasim_page(rig->s, buf));
	expect_u64(dmasim_failures(rig->s), 1);
	assert_non_null(dmasim_page(rig->s, buf));
}

/*
 * The call does not ask for the map type. nvme and gpu are below one switch whose ports redirect,
 * so the way leads through the host bridge and the page is well mapped by luck, if as RAM.
 */
static void peer_memory_behind_redirecting_ports_maps_as_a_page(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	dma_addr_t dma;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	assert_true(is_pci_p2pdma_page(dmasim_page(rig->s, bar)));
	dmasim_expect(rig->s, DMASIM_REPORT_PEER_AS_RAM, 1);
	dma = dma_map_page(dev, dmasim_page(rig->s, bar), 0, SZ_4K, DMA_BIDIRECTIONAL);
	expect_ok(dma_mapping_error(dev, dma));
	expect_both_ways(rig->s, rig->nvme, dma, bar, SZ_4K);
	dma_unmap_page(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	expect_only(rig->s, DMASIM_REPORT_PEER_AS_RAM, 1);
}

/* With redirect off the peer has a bus address; the page call maps it as RAM all the same (M13). */
static void peer_memory_below_a_common_switch_maps_the_long_way_with_a_report(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	struct dmasim_route route;
	dma_addr_t dma;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_P2P_WRONG_WAY, 1);
	dma = dma_map_page(dev, dmasim_page(rig->s, bar), 0, SZ_4K, DMA_BIDIRECTIONAL);
	expect_ok(dma_mapping_error(dev, dma));
	assert_true(dma != bar);
	dmasim_route(rig->nvme, dma, false, &route);
	assert_true(route.passed_root);
	expect_u64(route.phys, bar);
	dma_unmap_page(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	expect_only(rig->s, DMASIM_REPORT_P2P_WRONG_WAY, 1);
}

TEST_MAIN(IN_BOTH_MODES(a_page_and_an_offset_name_the_buffer),
	  IN_BOTH_MODES(the_offset_may_lead_beyond_the_page),
	  IN_BOTH_MODES(a_buffer_may_span_many_pages),
	  IN_BOTH_MODES(page_and_phys_calls_pair_with_each_other),
	  BEHIND_VTD(a_page_is_found_from_any_byte_of_it),
	  BEHIND_VTD(pages_of_a_section_are_an_array),
	  BEHIND_VTD(a_section_that_cannot_be_had_gives_no_page),
	  BEHIND_VTD(peer_memory_behind_redirecting_ports_maps_as_a_page),
	  WITH_SETUP(peer_memory_below_a_common_switch_maps_the_long_way_with_a_report,
		     rig_setup_acs_off))
