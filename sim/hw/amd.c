/* SPDX-License-Identifier: MIT */
/*
 * The AMD IOMMU: device table entries, events, and what the architecture is made of (facts
 * "iova-and-page-tables" 2.1, 2.6 and 3.3).
 *
 * A context is a device table entry with V and TV set:
 *
 *   translate       mode 1 to 6, IR and IW; no_read and no_write are those bits when clear
 *   pass through    mode 0, IR and IW
 *   absent          mode 0, neither: as Linux leaves what shall not pass
 *
 * Where the facts leave a choice:
 *   - a request that an entry of mode 0 denies is an IO_PAGE_FAULT with PR clear: there is no page;
 *   - mode 7, a mode beyond what the unit has, a root that is no 52-bit page, and HAD 2 make the
 *     entry illegal: ILLEGAL_DEV_TABLE_ENTRY with RZ;
 *   - A and D are set in leaves alone, in one of the items of a page, whichever the unit likes;
 *   - pages queued behind a device table entry are forgotten after it;
 *   - the unit has no guest tables: a command with GN is illegal; without it a PASID is ignored;
 *   - a request of a device TLB, of a device whose entry has no IOTLB bit, is an
 *     INVALID_DEVICE_REQUEST (of translation requests with TR) [M];
 *   - a device that does not answer stops the queue, beside the event [M];
 *   - a wait whose store finds no memory is a COMMAND_HARDWARE_ERROR, and stops the queue, too;
 *   - the queue is not in memory: events name the place of a command in a ring without end.
 */
#include <dmasim/hw/amd.h>

#include <endian.h>

#include "hw/amd_queue.h"
#include "hw/hw.h"

#define EVENTS 512 /* the log as Linux makes it, 8 KiB */

/* ---- Device table entries -------------------------------------------------------------------- */

static bool is_illegal(const struct hw_iommu *iommu, const struct hw_context *context)
{
	if (context->marks == HW_MARK_DIRTY || context->marks > AMD_DTE0_HAD_MASK)
		return true;
	if (context->type != HW_CONTEXT_TRANSLATE)
		return false;
	return context->levels < AMD_MODE_MIN || context->levels > AMD_MODE_MAX ||
	       context->levels > iommu->walker.levels || (context->root & ~AMD_DTE0_ROOT_MASK) != 0;
}

static struct hw_refusal context_refusal(const struct hw_iommu *iommu,
					 const struct hw_context *context, bool write)
{
	u16 direction = write ? AMD_FLAG_RW : 0;
	bool denied = write ? context->no_write : context->no_read;

	if (is_illegal(iommu, context))
		return (struct hw_refusal){ .code = AMD_EVENT_ILLEGAL_DEV_TABLE_ENTRY,
					    .flags = AMD_FLAG_RZ | direction };
	if (context->type == HW_CONTEXT_ABSENT ||
	    (context->type == HW_CONTEXT_PASS_THROUGH && denied))
		return (struct hw_refusal){ .code = AMD_EVENT_IO_PAGE_FAULT,
					    .domain = context->domain,
					    .flags = direction };
	if (denied)
		return (struct hw_refusal){ .code = AMD_EVENT_IO_PAGE_FAULT, .by_tables = true };
	return (struct hw_refusal){ .code = 0 };
}

/* ---- Device TLBs --------------------------------------------------------------------------- */

static bool is_absence(u16 fault, u16 flags)
{
	return fault == AMD_EVENT_IO_PAGE_FAULT && !(flags & AMD_FLAG_RZ);
}

/* ---- Walks ----------------------------------------------------------------------------------- */

static struct hw_walk beyond(u64 iova, bool write)
{
	(void)iova;
	return (struct hw_walk){
		.fault = AMD_EVENT_IO_PAGE_FAULT,
		.fault_flags = AMD_FLAG_PR | AMD_FLAG_RZ | (write ? AMD_FLAG_RW : 0),
	};
}

static struct hw_walk absent(bool write)
{
	return (struct hw_walk){
		.fault = AMD_EVENT_IO_PAGE_FAULT,
		.fault_flags = write ? AMD_FLAG_RW : 0,
	};
}

static void store(struct hw_iommu *iommu, phys_addr_t at, u64 entry)
{
	struct hw *hw = iommu->hw;
	u64 raw = htole64(entry);

	if (iommu->walker.cache) {
		hw_cache_write(hw, at, &raw, sizeof(raw));
		return;
	}
	ram_write(&hw->ram, at, &raw, sizeof(raw));
	hw_cache_snooped(hw, at, &raw, sizeof(raw));
}

/* Any item of the page that `index` is one of, as the unit likes: one that says the same. */
static u64 any_item(struct hw_iommu *iommu, phys_addr_t table, u64 index, u64 items, u64 *entry)
{
	u64 item = (index + world_choose(iommu->hw->world, (u32)items)) & (items - 1);
	u64 other;

	item |= index & ~(items - 1);
	if (!hw_walker_fetch(&iommu->walker, table, item, &other) ||
	    (other ^ *entry) & ~(AMD_V1_ACCESSED | AMD_V1_DIRTY))
		return index;
	*entry = other;
	return item;
}

/* The unit looks at the item that the address leads to. */
static void mark(struct hw_iommu *iommu, const struct hw_context *context, u64 iova, bool write,
		 struct hw_walk *walk)
{
	const struct hw_walk_start *at = &walk->step[walk->tables - 1];
	u8 level_lg2 = (u8)(AMD_V1_GRANULE_LG2 + AMD_V1_INDEX_BITS * (at->levels - 1));
	u64 items = 1ULL << (walk->page_lg2 - level_lg2);
	u64 index = iova >> level_lg2 & ((1ULL << AMD_V1_INDEX_BITS) - 1);
	u64 wanted = AMD_V1_ACCESSED;
	u64 entry;

	if (write && context->marks & HW_MARK_DIRTY)
		wanted |= AMD_V1_DIRTY;
	if (!hw_walker_fetch(&iommu->walker, at->table, index, &entry))
		return;
	if (wanted & ~entry) {
		index = any_item(iommu, at->table, index, items, &entry);
		store(iommu, at->table + index * sizeof(entry), entry | wanted);
	}
	walk->accessed = true;
	walk->dirty = (entry | wanted) & AMD_V1_DIRTY;
}

/* ---- Commands -------------------------------------------------------------------------------- */

static struct hw_invalidation pages(const struct hw_amd_command *from)
{
	return (struct hw_invalidation){
		.what = HW_INVALIDATED_IOTLB,
		.domain = from->domain,
		.start = from->start,
		.last = from->last,
		.leaf_only = !from->tables,
		.larger_stay = true,
		.drain_reads = true,
		.drain_writes = true,
	};
}

static struct hw_invalidation device_pages(const struct hw_amd_command *from)
{
	return (struct hw_invalidation){
		.what = HW_INVALIDATED_DEVICE_TLB,
		.all_domains = true,
		.start = from->start,
		.last = from->last,
		.queue_depth = from->depth,
		.requester = from->device,
		.pf_requester = from->queue,
	};
}

/* All of one requester: a device table entry, or what is cached of its interrupt table. */
static struct hw_invalidation of_device(const struct hw_amd_command *from, u8 what, u64 last)
{
	return (struct hw_invalidation){
		.what = what,
		.all_domains = true,
		.last = last,
		.requester = from->device,
	};
}

static struct hw_wait completion(const struct hw_amd_command *from)
{
	return (struct hw_wait){
		.store_bytes = from->store ? sizeof(u64) : 0,
		.interrupt = from->interrupt,
		.fence = from->flush,
		.store_at = from->store_at,
		.value = from->value,
	};
}

static bool decode(const struct hw_iommu *iommu, const u64 word[2], struct hw_command *command)
{
	struct hw_invalidation *what = &command->invalidation;
	struct hw_amd_command from;

	if (!hw_amd_decode(word, &from) || from.guest)
		return false;
	switch (from.opcode) {
	case AMD_CMD_COMPLETION_WAIT:
		command->kind = HW_COMMAND_WAIT;
		command->wait = completion(&from);
		return true;
	case AMD_CMD_INVALIDATE_DEVTAB_ENTRY:
		command->granularity = "device";
		*what = of_device(&from, HW_INVALIDATED_CONTEXT, ~0ULL);
		return true;
	case AMD_CMD_INVALIDATE_IOMMU_PAGES:
		command->granularity = "pages";
		*what = pages(&from);
		return true;
	case AMD_CMD_INVALIDATE_IOTLB_PAGES:
		*what = device_pages(&from);
		/* A unit that knows no such TLBs does not know the command either. */
		return iommu->walker.device_tlb;
	case AMD_CMD_INVALIDATE_INTERRUPT_TABLE:
		*what = of_device(&from, HW_INVALIDATED_INTERRUPT, 0xffff);
		return true;
	default:
		command->kind = HW_COMMAND_INVALIDATE_EVERYTHING;
		return true;
	}
}

/* ---- Events ---------------------------------------------------------------------------------- */

static void queue_stopped(struct hw_iommu *iommu, enum hw_queue_stop why, u64 behind)
{
	struct hw_refusal refusal = { .iova = behind * HW_COMMAND_BYTES };

	if (why == HW_QUEUE_STORE) {
		refusal.code = AMD_EVENT_COMMAND_HARDWARE_ERROR;
		refusal.flags = AMD_TYPE_MASTER_ABORT << AMD_FLAG_TYPE_SHIFT;
	} else {
		refusal.code = AMD_EVENT_ILLEGAL_COMMAND_ERROR;
	}
	hw_fault_record(iommu, &refusal);
}

static void device_timed_out(struct hw_iommu *iommu, u16 requester, u64 behind)
{
	hw_fault_record(iommu, &(struct hw_refusal){
				       .code = AMD_EVENT_IOTLB_INV_TIMEOUT,
				       .requester = requester,
				       .iova = behind * HW_COMMAND_BYTES,
			       });
}

/* The field of the domain is the PASID's in all events but page faults. */
static struct hw_fault_record record(const struct hw_refusal *refusal)
{
	u64 domain = refusal->code == AMD_EVENT_IO_PAGE_FAULT ? refusal->domain : 0;

	return (struct hw_fault_record){
		.word = { refusal->requester | domain << AMD_EVENT_DOMAIN_SHIFT |
				  (u64)refusal->flags << AMD_EVENT_FLAGS_SHIFT |
				  (u64)refusal->code << AMD_EVENT_CODE_SHIFT,
			  refusal->iova },
	};
}

const struct hw_arch hw_amd = {
	.name = "amd",
	.trace_name = { [HW_INVALIDATED_IOTLB] = "amd_iommu_pages",
			[HW_INVALIDATED_CONTEXT] = "amd_devtab_entry",
			[HW_INVALIDATED_DEVICE_TLB] = "amd_iotlb_pages" },
	.trace_tables = "pde",
	.fault_records = EVENTS,
	.reaches = hw_walk_amd_v1_reaches,
	.beyond = beyond,
	.absent = absent,
	.walk = hw_walk_amd_v1_from,
	.range = hw_walk_amd_v1_range,
	.page_bits = hw_amd_v1_page_bits,
	.larger_page = hw_amd_v1_larger_page,
	.mark = mark,
	.refusing_contexts_cached = true,
	.context_refusal = context_refusal,
	.ats_fault = AMD_EVENT_INVALID_DEVICE_REQUEST,
	.is_absence = is_absence,
	.decode = decode,
	.contexts_first = true,
	.lost_store_stops = true,
	.queue_stopped = queue_stopped,
	.device_timed_out = device_timed_out,
	.record = record,
};
