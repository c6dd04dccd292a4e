/* SPDX-License-Identifier: MIT */
/*
 * VT-d invalidation commands: how they are encoded (facts "iova-and-page-tables" 3.2).
 */
#include <endian.h>

#include <dmasim/hw/vtd.h>

#include "iommu/iommu.h"

/*
 * The smallest power-of-two window around [start, last], in 4 KiB pages: the bits in which the two
 * differ. Beyond what the unit can take, the whole domain.
 */
static struct iommu_command vtd_range(const struct iommu_unit *unit,
				      const struct iommu_range *range)
{
	u64 first = range->start & ~(u64)(PAGE_SIZE - 1);
	u64 differ = first ^ range->last;
	u8 bits = differ ? (u8)(64 - __builtin_clzll(differ)) : 0;
	u8 mask_lg2 = bits > PAGE_SHIFT ? (u8)(bits - PAGE_SHIFT) : 0;
	u64 low = VTD_QI_IOTLB | (u64)range->domain << VTD_IOTLB_DID_SHIFT;
	u64 high = 0;

	if (unit->hw->drain_reads)
		low |= VTD_IOTLB_DR;
	if (unit->hw->drain_writes)
		low |= VTD_IOTLB_DW;
	if (mask_lg2 > unit->hw->max_address_mask) {
		low |= VTD_IOTLB_GRANU_DOMAIN << VTD_IOTLB_GRANU_SHIFT;
	} else {
		low |= VTD_IOTLB_GRANU_PAGE << VTD_IOTLB_GRANU_SHIFT;
		high = (first & ~(((u64)PAGE_SIZE << mask_lg2) - 1)) | mask_lg2;
		if (!range->tables)
			high |= VTD_IOTLB_IH;
	}
	return (struct iommu_command){ { htole64(low), htole64(high) } };
}

/*
 * S: the lowest 0 from bit 12 on is the size, bit 12 for 8 KiB. So all address bits below the
 * window's highest one are ones, and that is 0: stray zeros would make the window smaller. A depth
 * of 32 is written as 0.
 */
static struct iommu_command vtd_device_range(const struct iommu_unit *unit,
					     const struct iommu_device_range *range)
{
	u64 first = range->start & ~(u64)(PAGE_SIZE - 1);
	u64 differ = first ^ range->last;
	u8 bits = differ ? (u8)(64 - __builtin_clzll(differ)) : 0;
	u64 low = VTD_QI_DEVICE_TLB | (u64)range->requester << VTD_DEVICE_TLB_SID_SHIFT |
		  (range->depth & VTD_DEVICE_TLB_QDEP_MASK) << VTD_DEVICE_TLB_QDEP_SHIFT;
	u64 high = first;

	if (unit->hw->pf_requester)
		low |= (u64)(range->queue & VTD_DEVICE_TLB_PFSID_LOW_MASK)
			       << VTD_DEVICE_TLB_PFSID_LOW_SHIFT |
		       (u64)(range->queue >> 4) << VTD_DEVICE_TLB_PFSID_HIGH_SHIFT;
	if (bits > PAGE_SHIFT) {
		u64 half = 1ULL << (bits - 1);

		high = (first & ~(half | (half - 1))) | (half - PAGE_SIZE) | VTD_DEVICE_TLB_SIZE;
	}
	return (struct iommu_command){ { htole64(low), htole64(high) } };
}

/* Stores 4 bytes. */
static struct iommu_command vtd_wait(phys_addr_t phys, u32 value)
{
	u64 low = VTD_QI_WAIT | VTD_WAIT_STATUS_WRITE | VTD_WAIT_FENCE |
		  (u64)value << VTD_WAIT_DATA_SHIFT;

	return (struct iommu_command){ { htole64(low), htole64(phys) } };
}

/* The entry of one requester, as it was tagged when it was cached: by its domain. */
static struct iommu_command vtd_context(u16 requester, u32 tag)
{
	u64 low = VTD_QI_CONTEXT | VTD_CONTEXT_GRANU_DEVICE << VTD_CONTEXT_GRANU_SHIFT |
		  (u64)tag << VTD_CONTEXT_DID_SHIFT | (u64)requester << VTD_CONTEXT_SID_SHIFT;

	return (struct iommu_command){ { htole64(low), 0 } };
}

static bool vtd_absent_context_cached(const struct iommu_unit *unit)
{
	return unit->hw->caching_mode;
}

const struct iommu_arch iommu_vtd = {
	.name = "vtd",
	.pgtable = &pgtable_vtdss,
	.range = vtd_range,
	.device_range = vtd_device_range,
	.context = vtd_context,
	.wait = vtd_wait,
	.absent_context_cached = vtd_absent_context_cached,
};
