/* SPDX-License-Identifier: MIT */
#include "iommu/vtd_commands.h"

#include <endian.h>

#include <dmasim/hw/vtd.h>

static struct iommu_command command(u64 low, u64 high)
{
	return (struct iommu_command){ { htole64(low), htole64(high) } };
}

/* The smallest window in 4 KiB pages: the AM of a page-selective command. */
static u8 address_mask(u64 start, u64 last)
{
	u8 bits = iommu_window_lg2(start, last);

	return bits > PAGE_SHIFT ? (u8)(bits - PAGE_SHIFT) : 0;
}

/* Word 1 of a page-selective command. */
static u64 window(const struct iommu_range *range, u8 mask_lg2)
{
	u64 first = range->start & ~(((u64)PAGE_SIZE << mask_lg2) - 1);

	return first | mask_lg2 | (range->tables ? 0 : VTD_IOTLB_IH);
}

/* ---- Contexts -------------------------------------------------------------------------------- */

static u64 contexts(u64 granularity)
{
	return VTD_QI_CONTEXT | granularity << VTD_CONTEXT_GRANU_SHIFT;
}

struct iommu_command vtd_all_contexts(void)
{
	return command(contexts(VTD_CONTEXT_GRANU_GLOBAL), 0);
}

struct iommu_command vtd_domain_contexts(u32 domain)
{
	return command(contexts(VTD_CONTEXT_GRANU_DOMAIN) | (u64)domain << VTD_CONTEXT_DID_SHIFT,
		       0);
}

struct iommu_command vtd_device_context(u16 requester, u32 domain, u8 functions_lg2)
{
	return command(contexts(VTD_CONTEXT_GRANU_DEVICE) | (u64)domain << VTD_CONTEXT_DID_SHIFT |
			       (u64)requester << VTD_CONTEXT_SID_SHIFT |
			       (functions_lg2 & VTD_CONTEXT_FM_MASK) << VTD_CONTEXT_FM_SHIFT,
		       0);
}

static u64 pasids(u64 granularity)
{
	return VTD_QI_PASID_CACHE | granularity << VTD_PASID_GRANU_SHIFT;
}

/* The domain and the PASID that types 6 and 7 name. */
static u64 named(u32 domain, u32 pasid)
{
	return (u64)domain << VTD_PASID_DID_SHIFT | (u64)pasid << VTD_PASID_SHIFT;
}

struct iommu_command vtd_all_pasids(void)
{
	return command(pasids(VTD_PASID_CACHE_GRANU_GLOBAL), 0);
}

struct iommu_command vtd_domain_pasids(u32 domain)
{
	return command(pasids(VTD_PASID_CACHE_GRANU_DOMAIN) | named(domain, 0), 0);
}

struct iommu_command vtd_pasid(u32 domain, u32 pasid)
{
	return command(pasids(VTD_PASID_CACHE_GRANU_PASID) | named(domain, pasid), 0);
}

/* ---- Translations ---------------------------------------------------------------------------- */

static u64 translations(const struct iommu_unit *unit, u64 granularity, u32 domain)
{
	return VTD_QI_IOTLB | granularity << VTD_IOTLB_GRANU_SHIFT |
	       (u64)domain << VTD_IOTLB_DID_SHIFT | (unit->hw->drain_reads ? VTD_IOTLB_DR : 0) |
	       (unit->hw->drain_writes ? VTD_IOTLB_DW : 0);
}

struct iommu_command vtd_all_translations(const struct iommu_unit *unit)
{
	return command(translations(unit, VTD_IOTLB_GRANU_GLOBAL, 0), 0);
}

struct iommu_command vtd_domain_translations(const struct iommu_unit *unit, u32 domain)
{
	return command(translations(unit, VTD_IOTLB_GRANU_DOMAIN, domain), 0);
}

DMASIM_HOT struct iommu_command vtd_range_translations(const struct iommu_unit *unit,
						       const struct iommu_range *range)
{
	u8 mask_lg2 = address_mask(range->start, range->last);

	if (mask_lg2 > unit->hw->max_address_mask)
		return vtd_domain_translations(unit, range->domain);
	return command(translations(unit, VTD_IOTLB_GRANU_PAGE, range->domain),
		       window(range, mask_lg2));
}

static u64 first_stage(u64 granularity, u32 domain, u32 pasid)
{
	return VTD_QI_PASID_IOTLB | granularity << VTD_PASID_GRANU_SHIFT | named(domain, pasid);
}

struct iommu_command vtd_pasid_translations(u32 domain, u32 pasid)
{
	return command(first_stage(VTD_PASID_IOTLB_GRANU_ALL, domain, pasid), 0);
}

struct iommu_command vtd_pasid_range_translations(const struct iommu_range *range, u32 pasid)
{
	u8 mask_lg2 = address_mask(range->start, range->last);

	if (mask_lg2 >= VTD_PASID_IOTLB_AM_ALL)
		return vtd_pasid_translations(range->domain, pasid);
	return command(first_stage(VTD_PASID_IOTLB_GRANU_PAGE, range->domain, pasid),
		       window(range, mask_lg2));
}

/* ---- Device TLBs ----------------------------------------------------------------------------- */

/*
 * S: the lowest 0 from bit 12 on is the size, bit 12 for 8 KiB. So all address bits below the
 * window's highest one are ones, and that is 0: stray zeros would make the window smaller.
 */
static u64 device_window(const struct iommu_device_range *range, u64 sized)
{
	u64 first = range->start & ~(u64)(PAGE_SIZE - 1);
	u8 bits = iommu_window_lg2(range->start, range->last);
	u64 half;

	if (bits <= PAGE_SHIFT)
		return first;
	half = 1ULL << (bits - 1);
	return (first & ~(half | (half - 1))) | (half - PAGE_SIZE) | sized;
}

/* Whose invalidations count together, in the words of both types. */
static u64 counted_by(const struct iommu_unit *unit, u16 queue)
{
	u64 low = queue & VTD_DEVICE_TLB_PFSID_LOW_MASK;

	if (!unit->hw->pf_requester)
		return 0;
	return low << VTD_DEVICE_TLB_PFSID_LOW_SHIFT | (u64)(queue >> 4)
							       << VTD_DEVICE_TLB_PFSID_HIGH_SHIFT;
}

/* A depth of 32 is written as 0. */
static u64 depth_of(const struct iommu_device_range *range)
{
	return range->depth & VTD_DEVICE_TLB_QDEP_MASK;
}

struct iommu_command vtd_device_translations(const struct iommu_unit *unit,
					     const struct iommu_device_range *range)
{
	return command(VTD_QI_DEVICE_TLB | counted_by(unit, range->queue) |
			       depth_of(range) << VTD_DEVICE_TLB_QDEP_SHIFT |
			       (u64)range->requester << VTD_DEVICE_TLB_SID_SHIFT,
		       device_window(range, VTD_DEVICE_TLB_SIZE));
}

struct iommu_command vtd_pasid_device_translations(const struct iommu_unit *unit,
						   const struct iommu_device_range *range,
						   u32 pasid)
{
	bool every = pasid == VTD_EVERY_PASID;

	return command(VTD_QI_PASID_DEVICE_TLB | counted_by(unit, range->queue) |
			       depth_of(range) << VTD_PASID_DEVICE_TLB_QDEP_SHIFT |
			       (u64)range->requester << VTD_PASID_DEVICE_TLB_SID_SHIFT |
			       (every ? 0 : (u64)pasid << VTD_PASID_SHIFT),
		       device_window(range, VTD_PASID_DEVICE_TLB_SIZE) |
			       (every ? VTD_PASID_DEVICE_TLB_GLOBAL : 0));
}

/* ---- Interrupts and waits -------------------------------------------------------------------- */

struct iommu_command vtd_all_interrupts(void)
{
	return command(VTD_QI_INTERRUPT, 0);
}

struct iommu_command vtd_interrupts(u16 first, u8 count_lg2)
{
	return command(VTD_QI_INTERRUPT | VTD_INTERRUPT_SELECTIVE |
			       (count_lg2 & VTD_INTERRUPT_IM_MASK) << VTD_INTERRUPT_IM_SHIFT |
			       (u64)first << VTD_INTERRUPT_INDEX_SHIFT,
		       0);
}

DMASIM_HOT struct iommu_command vtd_wait_for_all(phys_addr_t phys, u32 value,
						 bool drain_page_requests)
{
	return command(VTD_QI_WAIT | VTD_WAIT_STATUS_WRITE | VTD_WAIT_FENCE |
			       (drain_page_requests ? VTD_WAIT_PAGE_DRAIN : 0) |
			       (u64)value << VTD_WAIT_DATA_SHIFT,
		       phys);
}
