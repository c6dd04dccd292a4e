/* SPDX-License-Identifier: MIT */
/*
 * Intel VT-d in legacy mode: contexts, fault records, and what the architecture is made of.
 */
#include "hw/vtd.h"

#include <dmasim/hw/vtd.h>

#include "hw/iommu.h"

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

static struct hw_refusal context_refusal(const struct hw_iommu *iommu,
					 const struct hw_context *context, bool write)
{
	struct hw_refusal refusal = { .write = write };

	if (context->type == HW_CONTEXT_ABSENT)
		refusal.code = VTD_FAULT_CONTEXT_NOT_PRESENT;
	else if (context->type == HW_CONTEXT_TRANSLATE &&
		 (context->levels < VTD_LEVELS_MIN || context->levels > iommu->walker.levels))
		refusal.code = VTD_FAULT_CONTEXT_INVALID;
	return refusal;
}

static bool is_absence(u8 fault, u16 flags)
{
	(void)flags;
	return fault == VTD_FAULT_NO_READ || fault == VTD_FAULT_NO_WRITE;
}

/* The status says it: there is no record. */
static void queue_stopped(struct hw_iommu *iommu, enum hw_queue_stop why, u64 behind)
{
	(void)iommu;
	(void)why;
	(void)behind;
}

static void device_timed_out(struct hw_iommu *iommu, u16 requester, u64 behind)
{
	(void)requester;
	(void)behind;
	iommu->fault_status |= HW_STATUS_TIMEOUT;
}

static struct hw_fault_record record(const struct hw_refusal *refusal)
{
	return (struct hw_fault_record){
		.word = { refusal->iova & VTD_FRCD_ADDR_MASK,
			  refusal->requester | (u64)refusal->code << VTD_FRCD_REASON_SHIFT |
				  VTD_FRCD_FAULT | (refusal->write ? 0 : VTD_FRCD_TYPE_READ) },
	};
}

const struct hw_arch hw_vtd = {
	.name = "vtd",
	.trace_name = { [HW_INVALIDATED_IOTLB] = "qi_iotlb",
			[HW_INVALIDATED_CONTEXT] = "qi_context",
			[HW_INVALIDATED_DEVICE_TLB] = "qi_device_tlb" },
	.fault_records = 8,
	.reaches = hw_walk_vtd_ss_reaches,
	.beyond = beyond,
	.absent = absent,
	.walk = hw_walk_vtd_ss_from,
	.range = hw_walk_vtd_ss_range,
	.context_refusal = context_refusal,
	.ats_fault = VTD_FAULT_TYPE_BLOCKED,
	.is_absence = is_absence,
	.decode = hw_vtd_decode,
	.contexts_first = true,
	.queue_stopped = queue_stopped,
	.device_timed_out = device_timed_out,
	.record = record,
};
