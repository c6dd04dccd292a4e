/* SPDX-License-Identifier: MIT */
/*
 * VT-d queued invalidation: decoding the architecture's own descriptors
 * (facts "iova-and-page-tables" 3.2).
 *
 * Known here: all of legacy mode, which are the types 1 to 5. The others belong to scalable mode
 * (vtd_queue_pasid.c) or to nothing: then they are an invalidation queue error, as is a reserved
 * bit that is set or a granularity that does not exist.
 */
#include "hw/vtd.h"

#include <dmasim/hw/vtd.h>

#include "hw/iommu.h"

/* The page-selective form: AM low bits of the page number are ignored. False: AM too large. */
static bool decode_window(const struct hw_iommu *iommu, u64 word, struct hw_invalidation *what)
{
	u8 mask_lg2 = word & VTD_IOTLB_AM_MASK;
	u64 within;

	if (mask_lg2 > iommu->max_address_mask)
		return false;
	within = mask_lg2 < 52 ? (1ULL << (12 + mask_lg2)) - 1 : ~0ULL;
	what->leaf_only = word & VTD_IOTLB_IH;
	what->start = word & VTD_IOTLB_ADDR_MASK & ~within;
	what->last = what->start | within;
	return true;
}

static bool decode_iotlb(const struct hw_iommu *iommu, const u64 word[2],
			 struct hw_command *command)
{
	struct hw_invalidation *what = &command->invalidation;

	if ((word[0] & VTD_IOTLB_RESERVED_0) || (word[1] & VTD_IOTLB_RESERVED_1))
		return false;
	*what = (struct hw_invalidation){
		.what = HW_INVALIDATED_IOTLB,
		.domain = (u16)(word[0] >> VTD_IOTLB_DID_SHIFT),
		.last = ~0ULL,
		.drain_reads = word[0] & VTD_IOTLB_DR,
		.drain_writes = word[0] & VTD_IOTLB_DW,
	};
	switch ((word[0] >> VTD_IOTLB_GRANU_SHIFT) & VTD_IOTLB_GRANU_MASK) {
	case VTD_IOTLB_GRANU_GLOBAL:
		what->all_domains = true;
		what->domain = 0;
		command->granularity = "global";
		return true;
	case VTD_IOTLB_GRANU_DOMAIN:
		command->granularity = "domain";
		return true;
	case VTD_IOTLB_GRANU_PAGE:
		command->granularity = "page";
		return decode_window(iommu, word[1], what);
	default:
		return false;
	}
}

/* The bits of a requester that a function mask leaves out, from the highest of the function on. */
static u16 function_bits(u64 mask)
{
	return (u16)(0x7 & ~(0x7U >> mask));
}

/* In scalable mode context entries name no domain: that of the command does not count. */
static bool decode_context(const struct hw_iommu *iommu, const u64 word[2],
			   struct hw_command *command)
{
	static const char *const names[] = { NULL, "global", "domain", "device" };
	u64 granularity = (word[0] >> VTD_CONTEXT_GRANU_SHIFT) & VTD_CONTEXT_GRANU_MASK;
	u64 mask = (word[0] >> VTD_CONTEXT_FM_SHIFT) & VTD_CONTEXT_FM_MASK;
	struct hw_invalidation *what = &command->invalidation;

	if ((word[0] & VTD_CONTEXT_RESERVED_0) || (word[1] & VTD_CONTEXT_RESERVED_1))
		return false;
	if (!names[granularity])
		return false;
	command->granularity = names[granularity];
	*what = (struct hw_invalidation){
		.what = HW_INVALIDATED_CONTEXT,
		.last = ~0ULL,
		.requester_ignored = 0xffff,
	};
	what->all_domains = granularity == VTD_CONTEXT_GRANU_GLOBAL || iommu->scalable;
	if (!what->all_domains)
		what->domain = (u16)(word[0] >> VTD_CONTEXT_DID_SHIFT);
	if (granularity == VTD_CONTEXT_GRANU_DEVICE) {
		what->requester = (u16)(word[0] >> VTD_CONTEXT_SID_SHIFT);
		what->requester_ignored = function_bits(mask);
	}
	return true;
}

u64 hw_vtd_device_tlb_within(u64 address, bool sized)
{
	u64 zeros = ~(address | 0xfff);

	if (!sized)
		return 0xfff;
	return zeros ? ((zeros & -zeros) << 1) - 1 : ~0ULL;
}

static bool decode_device_tlb(const struct hw_iommu *iommu, const u64 word[2],
			      struct hw_command *command)
{
	u64 reserved = VTD_DEVICE_TLB_RESERVED_0 | (iommu->pf_requester ? 0 : VTD_DEVICE_TLB_PFSID);
	u64 within = hw_vtd_device_tlb_within(word[1], word[1] & VTD_DEVICE_TLB_SIZE);
	u64 start = word[1] & VTD_DEVICE_TLB_ADDR_MASK & ~within;
	u64 depth = (word[0] >> VTD_DEVICE_TLB_QDEP_SHIFT) & VTD_DEVICE_TLB_QDEP_MASK;
	u64 low = (word[0] >> VTD_DEVICE_TLB_PFSID_LOW_SHIFT) & VTD_DEVICE_TLB_PFSID_LOW_MASK;

	/* A unit that knows no such TLBs does not know the command either. */
	if (!iommu->walker.device_tlb)
		return false;
	if ((word[0] & reserved) || (word[1] & VTD_DEVICE_TLB_RESERVED_1))
		return false;
	command->invalidation = (struct hw_invalidation){
		.what = HW_INVALIDATED_DEVICE_TLB,
		.all_domains = true,
		.start = start,
		.last = start | within,
		.queue_depth = depth ? (u8)depth : 32,
		.requester = (u16)(word[0] >> VTD_DEVICE_TLB_SID_SHIFT),
		.pf_requester = (u16)(word[0] >> VTD_DEVICE_TLB_PFSID_HIGH_SHIFT << 4 | low),
	};
	return true;
}

static bool decode_interrupt(const u64 word[2], struct hw_command *command)
{
	u64 within = (1ULL << ((word[0] >> VTD_INTERRUPT_IM_SHIFT) & VTD_INTERRUPT_IM_MASK)) - 1;
	u16 index = (u16)(word[0] >> VTD_INTERRUPT_INDEX_SHIFT);
	struct hw_invalidation *what = &command->invalidation;

	if ((word[0] & VTD_INTERRUPT_RESERVED_0) || (word[1] & VTD_INTERRUPT_RESERVED_1))
		return false;
	*what = (struct hw_invalidation){
		.what = HW_INVALIDATED_INTERRUPT,
		.all_domains = true,
		.last = 0xffff,
	};
	if (word[0] & VTD_INTERRUPT_SELECTIVE) {
		what->start = index & ~within;
		what->last = (index | within) & 0xffff;
	}
	return true;
}

static bool decode_wait(const struct hw_iommu *iommu, const u64 word[2], struct hw_command *command)
{
	u64 reserved = VTD_WAIT_RESERVED_0 | (iommu->page_requests ? 0 : VTD_WAIT_PAGE_DRAIN);

	if ((word[0] & reserved) || (word[1] & VTD_WAIT_RESERVED_1))
		return false;
	command->kind = HW_COMMAND_WAIT;
	command->wait = (struct hw_wait){
		.store_bytes = word[0] & VTD_WAIT_STATUS_WRITE ? sizeof(u32) : 0,
		.interrupt = word[0] & VTD_WAIT_INTERRUPT,
		.fence = word[0] & VTD_WAIT_FENCE,
		.page_requests = word[0] & VTD_WAIT_PAGE_DRAIN,
		.store_at = word[1] & VTD_WAIT_ADDR_MASK,
		.value = word[0] >> VTD_WAIT_DATA_SHIFT,
	};
	return true;
}

DMASIM_HOT bool hw_vtd_decode(const struct hw_iommu *iommu, const u64 word[2],
			      struct hw_command *command)
{
	switch (word[0] & VTD_QI_TYPE_MASK) {
	case VTD_QI_CONTEXT:
		return decode_context(iommu, word, command);
	case VTD_QI_IOTLB:
		return decode_iotlb(iommu, word, command);
	case VTD_QI_DEVICE_TLB:
		return decode_device_tlb(iommu, word, command);
	case VTD_QI_INTERRUPT:
		return decode_interrupt(word, command);
	case VTD_QI_WAIT:
		return decode_wait(iommu, word, command);
	default:
		return iommu->scalable && hw_vtd_decode_pasid(iommu, word, command);
	}
}
