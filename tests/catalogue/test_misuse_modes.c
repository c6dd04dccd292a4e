/* SPDX-License-Identifier: MIT */
/*
 * Misuse that depends on where memory is and how a device reaches it: M13 to M18 and M20.
 */
#include "catalogue/catalogue.h"

/* The start of 1 MiB of the gpu's memory. */
static phys_addr_t peer_memory(struct rig *rig)
{
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	return pci_resource_start(rig->gpu, 0);
}

/* ---- M13: a page of a BAR, mapped as if it were memory --------------------------------------- */

/* trust: M13: a peer page mapped as if it were memory | our reading of the facts: dma-api 15 */
/* The call does not look at the map type: the short way is not taken, and nothing tells. */
static void M13_peer_page_as_memory(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = peer_memory(rig);
	dma_addr_t dma;

	dmasim_expect(rig->s, DMASIM_REPORT_P2P_WRONG_WAY, 1);
	dma = dma_map_page(dev, dmasim_page(rig->s, bar), 0, SZ_4K, DMA_BIDIRECTIONAL);
	expect_ok(dma_mapping_error(dev, dma));
	/* Behind an IOMMU it is an IOVA like any other; without one the CPU's address. */
	assert_true((dma == bar) == !translates(dev));
	expect_both_ways(rig->s, rig->nvme, dma, bar, SZ_4K);
	dma_unmap_page(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	expect_only(rig->s, DMASIM_REPORT_P2P_WRONG_WAY, 1);
}

static void M13_peer_page_on_a_debug_kernel(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = peer_memory(rig);

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	expect_u64(dma_map_page(dev, dmasim_page(rig->s, bar), 0, SZ_4K, DMA_BIDIRECTIONAL),
		   DMA_MAPPING_ERROR);
	expect_u64(live_entries(rig->s), 0);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

/* ---- M14: a bus address taken for an IOVA ---------------------------------------------------- */

/* attrs: what the unmap says of it. */
static void unmap_a_bus_address(struct rig *rig, unsigned long attrs, const char *words)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = peer_memory(rig);
	dma_addr_t bus = pci_p2pdma_bus_addr_map(pcim_p2pdma_provider(rig->gpu, 0), bar);

	/* Using it is no mistake that anything could see. */
	expect_both_ways(rig->s, rig->nvme, bus, bar, SZ_4K);
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_expect(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, 1);
	dma_unmap_phys(dev, bus, SZ_4K, DMA_BIDIRECTIONAL, attrs);
	assert_true(report_says(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, words) ==
		    translates(dev));
	/* A bus address needs no mapping: it still leads there. */
	expect_both_ways(rig->s, rig->nvme, bus, bar, SZ_4K);
	expect_only(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, 1);
}

/* trust: M14: a bus address unmapped | our reading of the facts: dma-api 15 */
static void M14_unmap_of_a_bus_address(void **state)
{
	unmap_a_bus_address(*state, 0, "does not translate");
}

static void M14_unmap_of_a_bus_address_as_mmio(void **state)
{
	unmap_a_bus_address(*state, DMA_ATTR_MMIO, "page table held less");
}

/* ---- M15: after the unmap -------------------------------------------------------------------- */

/* trust: M15: an access after the unmap, lazy | our reading of the facts: dma-api 15 */
/* A translation that is cached lives until the flush; the page may be somebody else's by then. */
static void M15_access_after_unmap(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	expect_done(write_byte(rig->nvme, dma, 1), 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(live_entries(rig->s), 0);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 2);
	expect_done(write_byte(rig->nvme, dma, 2), 1);
	expect_u64(byte_at(rig->s, buf), 2);
	dmasim_run(rig->s, 10 * 1000 * 1000);
	expect_transfer(write_byte(rig->nvme, dma, 3), DMASIM_IOMMU_FAULT, 0);
	expect_u64(byte_at(rig->s, buf), 2);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 2);
}

/* No window: strict mode, and the two-step calls in any mode. */
static void M15_access_after_strict_unmap(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	expect_done(write_byte(rig->nvme, dma, 1), 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_transfer(write_byte(rig->nvme, dma, 2), DMASIM_IOMMU_FAULT, 0);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

static void M15_access_after_destroy(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = linked(rig->nvme, ram(rig, SZ_4K), SZ_4K);

	expect_done(write_byte(rig->nvme, st.addr, 1), 1);
	dma_iova_destroy(&rig->nvme->dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_transfer(write_byte(rig->nvme, st.addr, 2), DMASIM_IOMMU_FAULT, 0);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

/* Nothing ever stops the device here. */
static void M15_access_after_direct_unmap(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_done(write_byte(rig->nvme, dma, 2), 1);
	expect_u64(byte_at(rig->s, buf), 2);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

/* ---- M16: against the direction -------------------------------------------------------------- */

/* trust: M16: a write to a TO_DEVICE mapping | our reading of the facts: dma-api 15 */
static void M16_write_to_a_to_device_mapping(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	bool refused = translates(dev);
	struct dmasim_transfer done;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
	done = write_byte(rig->nvme, dma, 0x5a);
	expect_transfer(done, refused ? DMASIM_IOMMU_FAULT : DMASIM_DONE, !refused);
	expect_u64(done.reason, refused ? VTD_FAULT_WRITE : 0);
	expect_u64(byte_at(rig->s, buf), refused ? 0 : 0x5a);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
}

/* ---- M17: no bounce buffer left -------------------------------------------------------------- */

#define POOL_FILL_MAX 8

/* Maps until nothing is left; 252 KiB and a byte take a whole segment of slots. */
static u32 fill_pool(struct rig *rig, dma_addr_t dma[POOL_FILL_MAX], unsigned long attrs)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_1M);
	u32 count = 0;

	while (count < POOL_FILL_MAX) {
		dma[count] = dma_map_phys(dev, buf, 252 * SZ_1K + 1, DMA_TO_DEVICE, attrs);
		if (dma_mapping_error(dev, dma[count]))
			break;
		count++;
	}
	assert_true(count && count < POOL_FILL_MAX);
	return count;
}

/* trust: M17: the bounce pool is full | our reading of the facts: dma-api 15 */
static void M17_bounce_pool_full(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma[POOL_FILL_MAX];
	struct dmasim_bounce_use use;
	u32 count;

	/* Silent where asked to be; not a bug, but a thing to try again. */
	count = fill_pool(rig, dma, DMA_ATTR_NO_WARN);
	use = dmasim_bounce_use(rig->nvme);
	expect_u64(use.slots, SZ_1M / (2 * SZ_1K));
	expect_u64(use.high_water, use.used);
	dmasim_expect(rig->s, DMASIM_REPORT_BOUNCE_FULL, 1);
	expect_u64(dma_map_phys(dev, ram(rig, SZ_4K) + 1, 252 * SZ_1K, DMA_TO_DEVICE, 0),
		   DMA_MAPPING_ERROR);
	assert_true(report_says(rig->s, DMASIM_REPORT_BOUNCE_FULL, "swiotlb buffer is full"));
	dma_unmap_phys(dev, dma[0], 252 * SZ_1K + 1, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
	dma[0] = dma_map_phys(dev, ram(rig, SZ_1M), 252 * SZ_1K + 1, DMA_TO_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, dma[0]));
	for (u32 i = 0; i < count; i++)
		dma_unmap_phys(dev, dma[i], 252 * SZ_1K + 1, DMA_TO_DEVICE, 0);
	expect_u64(lent(rig->nvme), 0);
	expect_u64(live_entries(rig->s), 0);
	expect_only(rig->s, DMASIM_REPORT_BOUNCE_FULL, 1);
}

/* ---- M18: an unmap left out ------------------------------------------------------------------ */

/* trust: M18: an unmap left out | our reading of the facts: dma-api 15 */
/* Asked after mapping, nothing bounced: there is nothing to undo, and nobody says otherwise. */
static void M18_unmap_left_out_with_leave(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	assert_false(dma_need_unmap(dev));
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	dmasim_assert_clean(rig->s);
}

/* Asked before, of a buffer that then is bounced: the slot is lost, and so is what was written. */
static void M18_unmap_left_out_asked_too_early(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	assert_false(dma_need_unmap(dev));
	dma = dma_map_phys(dev, SZ_4G, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, dma));
	assert_true(dma_need_unmap(dev));
	expect_done(write_byte(rig->nvme, dma, 0x5a), 1);
	assert_true(lent(rig->nvme) > 0);
	expect_u64(byte_at(rig->s, SZ_4G), 0);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 1);
	dmasim_assert_clean(rig->s);
	expect_u64(dmasim_report_count(rig->s), 1);
}

/* With translation the answer is always yes; who does not ask leaves entries behind. */
static void M18_unmap_left_out_without_asking(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	expect_ok(dma_mapping_error(dev,
				    dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0)));
	assert_true(dma_need_unmap(dev));
	expect_u64(live_entries(rig->s), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 1);
	dmasim_assert_clean(rig->s);
	expect_u64(dmasim_report_count(rig->s), 1);
}

/* ---- M20: longer than dma_max_mapping_size() ------------------------------------------------- */

/*
 * trust: M20: a mapping longer than dma_max_mapping_size()
 * | our reading of the facts: dma-api 15
 */
static void M20_longer_than_the_maximum(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	size_t most = dma_max_mapping_size(dev);
	phys_addr_t buf = ram(rig, SZ_1M) + 1;
	u8 last = 0x5a, seen = 0;
	dma_addr_t dma;

	expect_u64(most, 256 * SZ_1K);
	dmasim_expect(rig->s, DMASIM_REPORT_BOUNCE_FULL, 1);
	expect_u64(dma_map_phys(dev, buf, most + 1, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	expect_u64(lent(rig->nvme), 0);
	expect_u64(dmasim_write(rig->s, buf + most - 1, &last, 1), 1);
	dma = dma_map_phys(dev, buf, most, DMA_TO_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, dma));
	expect_done(dmasim_dev_read(rig->nvme, dma + most - 1, &seen, 1), 1);
	expect_u64(seen, last);
	dma_unmap_phys(dev, dma, most, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_BOUNCE_FULL, 1);
}

static void M20_there_is_no_maximum(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, 8 * SZ_1M);
	dma_addr_t dma;

	expect_u64(dma_max_mapping_size(dev), SIZE_MAX);
	dma = dma_map_phys(dev, buf + 1, 8 * SZ_1M - 1, DMA_BIDIRECTIONAL, 0);
	expect_ok(dma_mapping_error(dev, dma));
	expect_both_ways(rig->s, rig->nvme, dma + 7 * SZ_1M, buf + 1 + 7 * SZ_1M, SZ_4K);
	dma_unmap_phys(dev, dma, 8 * SZ_1M - 1, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(IN(strict_bus, M13_peer_page_as_memory), IN(direct_bus, M13_peer_page_as_memory),
	  IN(strict_debug, M13_peer_page_on_a_debug_kernel),
	  IN(strict_bus, M14_unmap_of_a_bus_address), IN(direct_bus, M14_unmap_of_a_bus_address),
	  IN(strict_bus, M14_unmap_of_a_bus_address_as_mmio),
	  IN(direct_bus, M14_unmap_of_a_bus_address_as_mmio), IN(lazy, M15_access_after_unmap),
	  IN(amd_vi_lazy, M15_access_after_unmap), IN(riscv_lazy, M15_access_after_unmap),
	  IN(smmuv3_lazy, M15_access_after_unmap), IN(strict, M15_access_after_strict_unmap),
	  IN(amd_vi, M15_access_after_strict_unmap), IN(riscv, M15_access_after_strict_unmap),
	  IN(smmuv3, M15_access_after_strict_unmap), IN(lazy, M15_access_after_destroy),
	  IN(amd_vi_lazy, M15_access_after_destroy), IN(riscv_lazy, M15_access_after_destroy),
	  IN(smmuv3_lazy, M15_access_after_destroy), IN(strict, M15_access_after_destroy),
	  IN(amd_vi, M15_access_after_destroy), IN(riscv, M15_access_after_destroy),
	  IN(smmuv3, M15_access_after_destroy), IN(direct, M15_access_after_direct_unmap),
	  IN(pass_through, M15_access_after_direct_unmap),
	  IN(strict, M16_write_to_a_to_device_mapping), IN(lazy, M16_write_to_a_to_device_mapping),
	  IN(direct, M16_write_to_a_to_device_mapping),
	  IN(pass_through, M16_write_to_a_to_device_mapping), IN(bounced, M17_bounce_pool_full),
	  IN(untrusted, M17_bounce_pool_full), IN(direct, M18_unmap_left_out_with_leave),
	  IN(pass_through, M18_unmap_left_out_with_leave),
	  IN(direct, M18_unmap_left_out_asked_too_early),
	  IN(strict, M18_unmap_left_out_without_asking),
	  IN(amd_vi, M18_unmap_left_out_without_asking),
	  IN(riscv, M18_unmap_left_out_without_asking),
	  IN(smmuv3, M18_unmap_left_out_without_asking),
	  IN(lazy, M18_unmap_left_out_without_asking),
	  IN(amd_vi_lazy, M18_unmap_left_out_without_asking),
	  IN(riscv_lazy, M18_unmap_left_out_without_asking),
	  IN(smmuv3_lazy, M18_unmap_left_out_without_asking),
	  IN(bounced, M20_longer_than_the_maximum), IN(untrusted, M20_longer_than_the_maximum),
	  IN(strict, M20_there_is_no_maximum), IN(amd_vi, M20_there_is_no_maximum),
	  IN(riscv, M20_there_is_no_maximum), IN(smmuv3, M20_there_is_no_maximum),
	  IN(lazy, M20_there_is_no_maximum), IN(amd_vi_lazy, M20_there_is_no_maximum),
	  IN(riscv_lazy, M20_there_is_no_maximum), IN(smmuv3_lazy, M20_there_is_no_maximum),
	  IN(direct, M20_there_is_no_maximum))
