/* SPDX-License-Identifier: MIT */
/*
 * The attributes of a mapping: which are refused where, and what they change (facts 1.3, 3.1 to
 * 3.6).
 */
#include "unit/api/machines.h"

/* Not on SMMUv3: what is privileged there is not for a device. */
static void attributes_without_effect_here_are_accepted(void **state)
{
	static const unsigned long attrs[] = {
		DMA_ATTR_WEAK_ORDERING,
		DMA_ATTR_WRITE_COMBINE,
		DMA_ATTR_NO_KERNEL_MAPPING,
		DMA_ATTR_SKIP_CPU_SYNC,
		DMA_ATTR_NO_WARN,
		DMA_ATTR_PRIVILEGED,
		DMA_ATTR_REQUIRE_COHERENT,
		DMA_ATTR_WEAK_ORDERING | DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_PRIVILEGED,
		1UL << 6, /* DMA_ATTR_FORCE_CONTIGUOUS */
		1UL << 7, /* DMA_ATTR_ALLOC_SINGLE_PAGES */
		1UL << 11,
		1UL << 20, /* no attribute at all: ignored by the map paths */
	};
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K) + 0x123;

	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, attrs[i]);

		expect_ok(dma_mapping_error(dev, dma));
		expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
		dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, attrs[i]);
	}
	dmasim_assert_clean(rig->s);
}

static void attributes_are_accepted_when_linking(void **state)
{
	static const unsigned long attrs[] = { DMA_ATTR_WEAK_ORDERING, DMA_ATTR_PRIVILEGED,
					       DMA_ATTR_REQUIRE_COHERENT, DMA_ATTR_SKIP_CPU_SYNC };
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct dma_iova_state st;

	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_4K));
		expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, attrs[i]));
		expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
		expect_both_ways(rig->s, rig->nvme, st.addr, buf, SZ_4K);
		dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, attrs[i]);
	}
	dmasim_assert_clean(rig->s);
}

/* Facts 3.1 e: silent, nothing is mapped. */
static void cc_shared_is_refused_behind_an_iommu(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);

	expect_u64(dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_CC_SHARED),
		   DMA_MAPPING_ERROR);
	expect_u64(dma_map_phys(dev, pci_resource_start(rig->disk, 0), SZ_4K, DMA_TO_DEVICE,
				DMA_ATTR_CC_SHARED | DMA_ATTR_MMIO),
		   DMA_MAPPING_ERROR);
	expect_u64(dmasim_costs(rig->s).iova_allocs, 0);
	dmasim_assert_clean(rig->s);
}

static void cc_shared_is_accepted_without_an_iommu(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_CC_SHARED);

	expect_u64(dma, buf);
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_CC_SHARED);
	dmasim_assert_clean(rig->s);
}

/* Facts 3.2: behind an IOMMU such an unmap returns early, so the mapping lives on. */
static void an_unmap_with_cc_shared_does_nothing_behind_an_iommu(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_CC_SHARED);
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/*
 *   nvme -- root port 01.0 -- root complex -- root port 02.0 -- disk's BAR
 */
static void mmio_maps_a_bar_elsewhere(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->disk, 0);
	dma_addr_t dma = dma_map_phys(dev, bar, SZ_16K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);

	expect_ok(dma_mapping_error(dev, dma));
	expect_both_ways(rig->s, rig->nvme, dma, bar, SZ_16K);
	dma_unmap_phys(dev, dma, SZ_16K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	dmasim_assert_clean(rig->s);
}

/* Facts 3.6: an unaligned BAR range is mapped with the granules around it. */
static void mmio_keeps_the_offset_in_the_granule(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->disk, 0) + 0x888;
	dma_addr_t dma = dma_map_phys(dev, bar, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);

	expect_u64(dma & (SZ_4K - 1), 0x888);
	expect_both_ways(rig->s, rig->nvme, dma, bar, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	dmasim_assert_clean(rig->s);
}

static void mmio_and_the_mask_without_an_iommu(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->disk, 0);

	assert_true(bar > DMA_BIT_MASK(32));
	expect_u64(dma_map_phys(dev, bar, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO), bar);
	dma_unmap_phys(dev, bar, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO);

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
	expect_u64(dma_map_phys(dev, bar, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO), DMA_MAPPING_ERROR);
	expect_only(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
}

static void a_page_cannot_be_mapped_as_mmio(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct page *page = dmasim_page(rig->s, ram(rig, SZ_4K));

	expect_u64(dma_map_page_attrs(dev, page, 0, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO),
		   DMA_MAPPING_ERROR);
	dmasim_assert_clean(rig->s);
}

static void unmapping_a_page_as_mmio_does_nothing(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_page(dev, dmasim_page(rig->s, buf), 0, SZ_4K, DMA_BIDIRECTIONAL);

	dma_unmap_page_attrs(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_page(dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	dmasim_assert_clean(rig->s);
}

/* Facts 3.1: the unmap takes the attributes of the map. dma-debug compares these (D22). */
static void an_unmap_with_other_attributes_is_reported(void **state)
{
	static const unsigned long attrs[] = { DMA_ATTR_MMIO, DMA_ATTR_REQUIRE_COHERENT,
					       DMA_ATTR_PRIVILEGED };
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);

	for (size_t i = 0; i < 3; i++) {
		dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);

		dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
		dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, attrs[i]);
	}
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 3);
}

TEST_MAIN(ON_X86(attributes_without_effect_here_are_accepted),
	  BEHIND_VTD(attributes_are_accepted_when_linking),
	  BEHIND_VTD(cc_shared_is_refused_behind_an_iommu),
	  WITHOUT_IOMMU(cc_shared_is_accepted_without_an_iommu),
	  BEHIND_VTD(an_unmap_with_cc_shared_does_nothing_behind_an_iommu),
	  IN_BOTH_MODES(mmio_maps_a_bar_elsewhere),
	  IN_BOTH_MODES(mmio_keeps_the_offset_in_the_granule),
	  WITHOUT_IOMMU(mmio_and_the_mask_without_an_iommu),
	  IN_BOTH_MODES(a_page_cannot_be_mapped_as_mmio),
	  BEHIND_VTD(unmapping_a_page_as_mmio_does_nothing),
	  IN_BOTH_MODES(an_unmap_with_other_attributes_is_reported))
