/* SPDX-License-Identifier: MIT */
/*
 * The RISC-V IOMMU: device contexts, fault records, and what the architecture is made of (facts
 * "iova-and-page-tables" 2.5, 2.6 and 3.5).
 *
 * A context is what the device directory says of a device:
 *
 *   translate       iosatp names a first-stage table, Sv39, Sv48 or Sv57 by its levels; PSCID
 *   pass through    iosatp is Bare
 *   absent          V is clear
 *
 * Where the facts leave a choice:
 *   - a first-stage table is 4 KiB and its page number has 44 bits: another, levels that the unit
 *     does not have, and SADE or GADE, which it does not have, make the entry misconfigured;
 *   - A and D are never set: without them a page faults;
 *   - entries that are not valid are not cached, nor are page-table entries without V;
 *   - contexts have no directory of processes: a request with a PASID is a transaction type that
 *     is not allowed [M];
 *   - a request of a device TLB, of a device whose context has no EN_ATS, is a transaction type
 *     that is not allowed; what translation requests meet is told as long as it is no page fault;
 *   - after a device that does not answer the next fence stops the queue, with cmd_to; a fence
 *     whose store finds no memory stops it, too [M]; no record tells of either;
 *   - the fault queue has 512 records.
 */
#include <dmasim/hw/amd.h>
#include <dmasim/hw/riscv.h>
#include <dmasim/hw/riscv_iommu.h>

#include "hw/hw.h"
#include "hw/riscv_queue.h"
#include "hw/riscv_walk.h"

#define RECORDS 512

/* ---- Contexts -------------------------------------------------------------------------------- */

static bool is_misconfigured(const struct hw_iommu *iommu, const struct hw_context *context)
{
	if (context->marks || context->no_read || context->no_write ||
	    (context->device_tlb && !iommu->walker.device_tlb))
		return true;
	if (context->type == HW_CONTEXT_PASS_THROUGH)
		return false;
	return context->type != HW_CONTEXT_TRANSLATE || context->levels < RISCV_LEVELS_MIN ||
	       context->levels > iommu->walker.levels ||
	       context->root & ~(RISCV_PTE_PPN_MASK << RISCV_GRANULE_LG2);
}

static struct hw_refusal context_refusal(const struct hw_iommu *iommu,
					 const struct hw_context *context, bool write)
{
	struct hw_refusal refusal = { .write = write };

	if (context->type == HW_CONTEXT_ABSENT)
		refusal.code = RISCV_CAUSE_DDT_INVALID;
	else if (is_misconfigured(iommu, context))
		refusal.code = RISCV_CAUSE_DDT_MISCONFIGURED;
	return refusal;
}

/* There are no entries of processes: a request with a PASID is of a type that nobody may send. */
static struct hw_translation translate(struct hw_iommu *iommu, const struct hw_ask *ask, bool probe)
{
	struct hw_context context = probe ? hw_context_get(iommu, ask->requester)
					  : *hw_context_find(iommu, ask->requester, ask->write);
	struct hw_refusal refusal = context_refusal(iommu, &context, ask->write);

	return (struct hw_translation){
		.fault = refusal.code ? refusal.code : RISCV_CAUSE_TYPE_DISALLOWED,
		.domain = context.domain,
	};
}

/* ---- Walks ----------------------------------------------------------------------------------- */

static struct hw_riscv_stage stage_of(const struct hw_walker *walker, phys_addr_t root, u8 levels)
{
	return (struct hw_riscv_stage){
		.walker = walker,
		.root = root,
		.levels = levels,
		.napot = walker->napot,
		.pbmt = walker->page_types,
	};
}

static bool reaches(u8 levels, u64 iova)
{
	const struct hw_riscv_stage stage = { .levels = levels };

	return hw_walk_riscv_reaches(&stage, iova);
}

static struct hw_walk page_fault(bool write)
{
	return (struct hw_walk){ .fault = write ? RISCV_CAUSE_PAGE_W : RISCV_CAUSE_PAGE_R };
}

static struct hw_walk beyond(u64 iova, bool write)
{
	(void)iova;
	return page_fault(write);
}

/* Nobody marks a page as written: without the mark it is not to be. */
static void walk(const struct hw_walker *walker, const struct hw_walk_start *start, u64 iova,
		 bool write, struct hw_walk *found)
{
	const struct hw_riscv_stage stage = stage_of(walker, start->table, start->levels);

	hw_walk_riscv_from(&stage, iova, write, found);
	found->write &= found->dirty;
}

/* From the top addresses have their highest bit repeated. */
static void range(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 start, u64 last,
		  hw_walk_leaf *leaf, hw_walk_table *table, void *cookie)
{
	const struct hw_riscv_stage stage = stage_of(walker, root, levels & HW_LEVELS);

	hw_walk_riscv_range(&stage, !(levels & HW_BELOW_TOP), start, last, leaf, table, cookie);
}

static u64 page_bits(const struct hw_walker *walker)
{
	(void)walker;
	return RISCV_PTE_PPN_MASK << RISCV_PTE_PPN_SHIFT;
}

static bool larger_page(const struct hw_walker *walker, u64 entry, struct hw_leaf *leaf)
{
	const struct hw_riscv_stage stage = stage_of(walker, 0, 0);

	return hw_riscv_larger_page(&stage, entry, leaf);
}

/* ---- Device TLBs ----------------------------------------------------------------------------- */

static bool is_absence(u16 fault, u16 flags)
{
	(void)flags;
	return fault == RISCV_CAUSE_PAGE_R || fault == RISCV_CAUSE_PAGE_W;
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static u64 transaction_type(const struct hw_refusal *refusal)
{
	u64 type = refusal->write ? RISCV_TTYP_WRITE : RISCV_TTYP_READ;

	if (refusal->flags & AMD_FLAG_TR)
		return RISCV_TTYP_ATS;
	if (refusal->prefix.execute && !refusal->write)
		type = RISCV_TTYP_EXECUTE;
	return type + (refusal->translated ? RISCV_TTYP_TRANS_READ - RISCV_TTYP_READ : 0);
}

static struct hw_fault_record record(const struct hw_refusal *refusal)
{
	const struct hw_prefix *prefix = &refusal->prefix;
	u64 whose = 0;

	if (prefix->present)
		whose = RISCV_RECORD_PV | (u64)prefix->pasid << RISCV_RECORD_PID_SHIFT |
			(prefix->privileged ? RISCV_RECORD_PRIV : 0);
	return (struct hw_fault_record){
		.word = { refusal->code | whose |
				  transaction_type(refusal) << RISCV_RECORD_TTYP_SHIFT |
				  (u64)refusal->requester << RISCV_RECORD_DID_SHIFT,
			  0, refusal->iova, 0 },
	};
}

const struct hw_arch hw_riscv = {
	.name = "riscv",
	.trace_name = { [HW_INVALIDATED_IOTLB] = "riscv_iotinval",
			[HW_INVALIDATED_CONTEXT] = "riscv_iodir",
			[HW_INVALIDATED_DEVICE_TLB] = "riscv_ats_inval" },
	.trace_tables = "nl",
	.fault_records = RECORDS,
	.reaches = reaches,
	.beyond = beyond,
	.absent = page_fault,
	.walk = walk,
	.range = range,
	.signs = true,
	.page_bits = page_bits,
	.page_shift = RISCV_GRANULE_LG2 - RISCV_PTE_PPN_SHIFT,
	.larger_page = larger_page,
	.context_refusal = context_refusal,
	.no_messages = true,
	.ats_fault = RISCV_CAUSE_TYPE_DISALLOWED,
	.is_absence = is_absence,
	.translate = translate,
	.decode = hw_riscv_decode,
	.devices_overtake = true,
	.timeouts_at_waits = true,
	.lost_store_stops = true,
	.record = record,
};
