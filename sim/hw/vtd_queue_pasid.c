/* SPDX-License-Identifier: MIT */
/*
 * VT-d queued invalidation: the descriptors of scalable mode, types 6 to 9 (facts
 * "iova-and-page-tables" 3.2).
 *
 * The facts do not give the fields of a page-group response: whatever stands in them is taken.
 */
#include <dmasim/hw/vtd.h>

#include "hw/iommu.h"
#include "hw/vtd.h"

static u64 granularity_of(u64 word)
{
	return (word >> VTD_PASID_GRANU_SHIFT) & VTD_PASID_GRANU_MASK;
}

static u32 pasid_of(u64 word)
{
	return (u32)((word >> VTD_PASID_SHIFT) & VTD_PASID_MASK);
}

/* The page-selective form: AM low bits of the page number are ignored. */
static void decode_window(u64 word, struct hw_invalidation *what)
{
	u8 mask_lg2 = word & VTD_IOTLB_AM_MASK;
	u64 within = ~0ULL;

	if (mask_lg2 < VTD_PASID_IOTLB_AM_ALL)
		within = (1ULL << (12 + mask_lg2)) - 1;
	what->leaf_only = word & VTD_IOTLB_IH;
	what->start = word & VTD_IOTLB_ADDR_MASK & ~within;
	what->last = what->start | within;
}

static bool decode_iotlb(const u64 word[2], struct hw_command *command)
{
	struct hw_invalidation *what = &command->invalidation;

	if ((word[0] & VTD_PASID_IOTLB_RESERVED_0) || (word[1] & VTD_IOTLB_RESERVED_1))
		return false;
	*what = (struct hw_invalidation){
		.what = HW_INVALIDATED_IOTLB,
		.has_pasid = true,
		.domain = (u16)(word[0] >> VTD_PASID_DID_SHIFT),
		.pasid = pasid_of(word[0]),
		.last = ~0ULL,
	};
	switch (granularity_of(word[0])) {
	case VTD_PASID_IOTLB_GRANU_ALL:
		command->granularity = "pasid";
		return true;
	case VTD_PASID_IOTLB_GRANU_PAGE:
		command->granularity = "page";
		decode_window(word[1], what);
		return true;
	default:
		return false;
	}
}

static bool decode_cache(const u64 word[2], struct hw_command *command)
{
	struct hw_invalidation *what = &command->invalidation;

	if ((word[0] & VTD_PASID_CACHE_RESERVED_0) || (word[1] & VTD_PASID_CACHE_RESERVED_1))
		return false;
	*what = (struct hw_invalidation){
		.what = HW_INVALIDATED_PASID,
		.last = ~0ULL,
		.requester_ignored = 0xffff,
	};
	if (granularity_of(word[0]) != VTD_PASID_CACHE_GRANU_GLOBAL)
		what->domain = (u16)(word[0] >> VTD_PASID_DID_SHIFT);
	switch (granularity_of(word[0])) {
	case VTD_PASID_CACHE_GRANU_DOMAIN:
		command->granularity = "domain";
		return true;
	case VTD_PASID_CACHE_GRANU_PASID:
		command->granularity = "pasid";
		what->has_pasid = true;
		what->pasid = pasid_of(word[0]);
		return true;
	case VTD_PASID_CACHE_GRANU_GLOBAL:
		command->granularity = "global";
		what->all_domains = true;
		return true;
	default:
		return false;
	}
}

static bool decode_device_tlb(const struct hw_iommu *iommu, const u64 word[2],
			      struct hw_command *command)
{
	u64 reserved = VTD_PASID_DEVICE_TLB_RESERVED_0 |
		       (iommu->pf_requester ? 0 : VTD_DEVICE_TLB_PFSID);
	u64 within = hw_vtd_device_tlb_within(word[1], word[1] & VTD_PASID_DEVICE_TLB_SIZE);
	u64 start = word[1] & VTD_DEVICE_TLB_ADDR_MASK & ~within;
	u64 depth = (word[0] >> VTD_PASID_DEVICE_TLB_QDEP_SHIFT) & VTD_DEVICE_TLB_QDEP_MASK;
	u64 low = (word[0] >> VTD_DEVICE_TLB_PFSID_LOW_SHIFT) & VTD_DEVICE_TLB_PFSID_LOW_MASK;
	bool all = word[1] & VTD_PASID_DEVICE_TLB_GLOBAL;

	if (!iommu->walker.device_tlb)
		return false;
	if ((word[0] & reserved) || (word[1] & VTD_PASID_DEVICE_TLB_RESERVED_1))
		return false;
	command->invalidation = (struct hw_invalidation){
		.what = HW_INVALIDATED_DEVICE_TLB,
		.all_domains = true,
		.has_pasid = !all,
		.all_pasids = all,
		.pasid = all ? 0 : pasid_of(word[0]),
		.start = start,
		.last = start | within,
		.queue_depth = depth ? (u8)depth : 32,
		.requester = (u16)(word[0] >> VTD_PASID_DEVICE_TLB_SID_SHIFT),
		.pf_requester = (u16)(word[0] >> VTD_DEVICE_TLB_PFSID_HIGH_SHIFT << 4 | low),
	};
	return true;
}

bool hw_vtd_decode_pasid(const struct hw_iommu *iommu, const u64 word[2],
			 struct hw_command *command)
{
	switch (word[0] & VTD_QI_TYPE_MASK) {
	case VTD_QI_PASID_IOTLB:
		return decode_iotlb(word, command);
	case VTD_QI_PASID_CACHE:
		return decode_cache(word, command);
	case VTD_QI_PASID_DEVICE_TLB:
		return decode_device_tlb(iommu, word, command);
	case VTD_QI_PAGE_GROUP:
		command->kind = HW_COMMAND_NOTHING;
		return iommu->page_requests;
	default:
		return false;
	}
}
