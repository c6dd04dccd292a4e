/* SPDX-License-Identifier: MIT */
/*
 * Intel VT-d: contexts, fault records, and what the architecture is made of.
 */
#include "hw/vtd.h"

#include <dmasim/hw/vtd.h>

#include "hw/iommu.h"
#include "hw/vtd_fs.h"

static struct hw_walk beyond(u64 iova, bool write)
{
	(void)iova;
	(void)write;
	return (struct hw_walk){ .fault = VTD_FAULT_BEYOND_MGAW };
}

static struct hw_walk absent(bool write)
{
	return (struct hw_walk){ .fault = write ? VTD_FAULT_NO_WRITE : VTD_FAULT_NO_READ };
}

/* Of a table's address. */
static bool has_reserved_bits(const struct hw_iommu *iommu, phys_addr_t root)
{
	return root & 0xfff || root >> iommu->walker.address_bits;
}

static u8 legacy_fault(const struct hw_iommu *iommu, const struct hw_context *context)
{
	switch (context->type) {
	case HW_CONTEXT_ABSENT:
		return VTD_FAULT_CONTEXT_NOT_PRESENT;
	case HW_CONTEXT_PASS_THROUGH:
		return 0;
	case HW_CONTEXT_TRANSLATE:
		break;
	default:
		return VTD_FAULT_CONTEXT_INVALID;
	}
	if (has_reserved_bits(iommu, context->root))
		return VTD_FAULT_CONTEXT_RESERVED;
	if (context->levels < VTD_LEVELS_MIN || context->levels > iommu->walker.levels)
		return VTD_FAULT_CONTEXT_INVALID;
	return 0;
}

static u8 scalable_fault(const struct hw_context *context)
{
	if (context->type == HW_CONTEXT_ABSENT)
		return VTD_FAULT_SM_CONTEXT_NOT_PRESENT;
	if (context->flags & ~HW_CONTEXT_MAY_SEND_PASIDS || context->pasid_bits > HW_PASID_BITS)
		return VTD_FAULT_SM_CONTEXT_RESERVED;
	/* Device TLBs are there in legacy mode alone. */
	if (context->device_tlb)
		return VTD_FAULT_SM_CONTEXT_RESERVED;
	if (context->type != HW_CONTEXT_PASIDS)
		return VTD_FAULT_SM_CONTEXT_INVALID;
	return 0;
}

static struct hw_refusal context_refusal(const struct hw_iommu *iommu,
					 const struct hw_context *context, bool write)
{
	return (struct hw_refusal){
		.write = write,
		.code = iommu->scalable ? scalable_fault(context) : legacy_fault(iommu, context),
	};
}

static void range(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 start, u64 last,
		  hw_walk_leaf *leaf, hw_walk_table *table, void *cookie)
{
	if (levels & HW_FIRST_STAGE)
		hw_walk_vtd_fs_range(walker, root, levels & (u8)~HW_FIRST_STAGE, start, last, leaf,
				     table, cookie);
	else
		hw_walk_vtd_ss_range(walker, root, levels, start, last, leaf, table, cookie);
}

static bool is_absence(u16 fault, u16 flags)
{
	(void)flags;
	return fault == VTD_FAULT_NO_READ || fault == VTD_FAULT_NO_WRITE;
}

static struct hw_fault_record record(const struct hw_refusal *refusal)
{
	const struct hw_prefix *prefix = &refusal->prefix;
	u64 whose = prefix->present
			    ? VTD_FRCD_PASID_SET | (u64)prefix->pasid << VTD_FRCD_PASID_SHIFT
			    : 0;

	return (struct hw_fault_record){
		.word = { refusal->iova & VTD_FRCD_ADDR_MASK,
			  refusal->requester | (u64)refusal->code << VTD_FRCD_REASON_SHIFT | whose |
				  VTD_FRCD_FAULT | (refusal->write ? 0 : VTD_FRCD_TYPE_READ) },
	};
}

const struct hw_arch hw_vtd = {
	.name = "vtd",
	.trace_name = { [HW_INVALIDATED_IOTLB] = "qi_iotlb",
			[HW_INVALIDATED_CONTEXT] = "qi_context",
			[HW_INVALIDATED_DEVICE_TLB] = "qi_device_tlb",
			[HW_INVALIDATED_PASID] = "qi_pasid" },
	.fault_records = 8,
	.reaches = hw_walk_vtd_ss_reaches,
	.beyond = beyond,
	.absent = absent,
	.walk = hw_walk_vtd_ss_from,
	.range = range,
	.page_bits = hw_vtd_ss_page_bits,
	.context_refusal = context_refusal,
	.ats_fault = VTD_FAULT_TYPE_BLOCKED,
	.is_absence = is_absence,
	.pasid_refusal = hw_vtd_pasid_refusal,
	.translate = hw_vtd_translate,
	.decode = hw_vtd_decode,
	.contexts_first = true,
	.record = record,
};
