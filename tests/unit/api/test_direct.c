/* SPDX-License-Identifier: MIT */
/*
 * A machine without an IOMMU: DMA addresses are physical ones, and the two-step API says no (facts
 * 3.4, 5.8).
 */
#include "unit/api/lists.h"

static void there_are_no_two_steps(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st;

	memset(&st, 0xff, sizeof(st));
	assert_false(dma_iova_try_alloc(&rig->nvme->dev, &st, 0, SZ_4K));
	expect_u64(st.addr, 0);
	expect_u64(st.__size, 0);
	assert_false(dma_use_iova(&st));
	expect_u64(dma_iova_size(&st), 0);
	dmasim_assert_clean(rig->s);
}

/* Facts 15, M24: the kernel does not look, and crashes; here the calls say so and do nothing. */
static void the_two_steps_are_refused(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st = { 0 };
	phys_addr_t buf = ram(rig, SZ_4K);

	dmasim_expect(rig->s, DMASIM_REPORT_STATE_UNKNOWN, 5);
	expect_error(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_TO_DEVICE, 0), -EOPNOTSUPP);
	expect_error(dma_iova_sync(dev, &st, 0, SZ_4K), -EOPNOTSUPP);
	dma_iova_unlink(dev, &st, 0, SZ_4K, DMA_TO_DEVICE, 0);
	dma_iova_free(dev, &st);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_STATE_UNKNOWN, 5);
}

/* What a driver does then: the same pieces, each mapped by itself (facts 5.9). */
static void the_fallback_maps_each_piece(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dma_iova_state st;
	dma_addr_t dma[4];

	assert_false(dma_iova_try_alloc(dev, &st, buf, 4 * SZ_4K));
	for (u64 i = 0; i < 4; i++) {
		dma[i] = dma_map_phys(dev, buf + 2 * i * SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);
		expect_u64(dma[i], buf + 2 * i * SZ_4K);
	}
	for (u64 i = 0; i < 4; i++) {
		expect_both_ways(rig->s, rig->nvme, dma[i], buf + 2 * i * SZ_4K, SZ_4K);
		dma_unmap_phys(dev, dma[i], SZ_4K, DMA_BIDIRECTIONAL, 0);
	}
	dmasim_assert_clean(rig->s);
}

/* Direct mode on a coherent machine: there is nothing to do at unmap. */
static void nothing_needs_an_unmap_or_joins(void **state)
{
	struct rig *rig = *state;

	assert_false(dma_need_unmap(&rig->nvme->dev));
	expect_u64(dma_get_merge_boundary(&rig->nvme->dev), 0);
}

static void behind_vtd_unmaps_are_needed_and_4K_pieces_join(void **state)
{
	struct rig *rig = *state;

	assert_true(dma_need_unmap(&rig->nvme->dev));
	expect_u64(dma_get_merge_boundary(&rig->nvme->dev), SZ_4K - 1);
}

static void no_device_has_a_group(void **state)
{
	struct rig *rig = *state;

	for (struct pci_dev *p = dmasim_next_dev(rig->s, NULL); p; p = dmasim_next_dev(rig->s, p)) {
		expect_error(dmasim_group(p), -ENODEV);
		assert_null(p->dev.iommu_group);
	}
}

static void nothing_is_written_and_nothing_invalidated(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct dmasim_costs costs;

	expect_u64(dma_map_phys(dev, buf, SZ_64K, DMA_BIDIRECTIONAL, 0), buf);
	expect_both_ways(rig->s, rig->nvme, buf, buf, SZ_64K);
	dma_unmap_phys(dev, buf, SZ_64K, DMA_BIDIRECTIONAL, 0);
	costs = dmasim_costs(rig->s);
	expect_u64(costs.entries_written, 0);
	expect_u64(costs.tables_allocated, 0);
	expect_u64(costs.iova_allocs, 0);
	expect_u64(costs.invalidations, 0);
	expect_u64(costs.walk_reads, 0);
	expect_u64(costs.iotlb_hits + costs.iotlb_misses, 0);
	assert_true(costs.tlps > 0);
	dmasim_assert_clean(rig->s);
}

/* No hardware stops it; the checker sees it. */
static void a_device_reaches_all_ram_but_not_unseen(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 2);
	expect_both_ways(rig->s, rig->nvme, buf, buf, 64);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 2);
}

static void an_address_where_nothing_is_is_an_unsupported_request(void **state)
{
	struct rig *rig = *state;
	struct dmasim_route route;
	struct dmasim_transfer transfer;
	u8 byte = 0;

	dmasim_expect(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 2);
	transfer = dmasim_dev_read(rig->nvme, 1ULL << 50, &byte, 1);
	expect_transfer(transfer, DMASIM_UNSUPPORTED_REQUEST, 0);
	expect_u64(transfer.at, 1ULL << 50);
	expect_transfer(dmasim_dev_write(rig->nvme, 1ULL << 50, &byte, 1),
			DMASIM_UNSUPPORTED_REQUEST, 0);
	dmasim_route(rig->nvme, 1ULL << 50, false, &route);
	assert_true(route.refused);
	assert_true(route.passed_root);
	expect_u64(route.phys, DMASIM_NO_PHYS);
	expect_only(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 2);
}

static void no_fault_is_ever_recorded(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;
	u8 byte = 0;

	dmasim_expect(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
	expect_transfer(dmasim_dev_read(rig->nvme, 1ULL << 50, &byte, 1),
			DMASIM_UNSUPPORTED_REQUEST, 0);
	assert_false(dmasim_fault_take(rig->s, &record));
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(WITHOUT_IOMMU(there_are_no_two_steps), WITHOUT_IOMMU(the_two_steps_are_refused),
	  WITHOUT_IOMMU(the_fallback_maps_each_piece),
	  WITHOUT_IOMMU(nothing_needs_an_unmap_or_joins),
	  BEHIND_VTD(behind_vtd_unmaps_are_needed_and_4K_pieces_join),
	  WITHOUT_IOMMU(no_device_has_a_group),
	  WITHOUT_IOMMU(nothing_is_written_and_nothing_invalidated),
	  WITHOUT_IOMMU(a_device_reaches_all_ram_but_not_unseen),
	  WITHOUT_IOMMU(an_address_where_nothing_is_is_an_unsupported_request),
	  WITHOUT_IOMMU(no_fault_is_ever_recorded))
