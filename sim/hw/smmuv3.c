/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3: stream table entries, events, and what the architecture is made of (facts
 * "iova-and-page-tables" 2.4, 2.6 and 3.4). The unit has stage 1, the 4 KiB granule, ASIDs of 16
 * bits; not: a second stage, substreams, stalls, page requests, hardware's marks (HTTU).
 *
 * A context is a stream table entry and the context descriptor that it leads to:
 *
 *   translate       stage 1: TTB0, TxSZ of 3 or 4 levels, and the ASID, which is the domain
 *   pass through    bypass
 *   absent          V clear: C_BAD_STE; of a bus that no device of was ever attached to, there is
 *                   no second-level table: C_BAD_STREAMID
 *
 * Where the facts leave a choice:
 *   - levels beyond the unit's and a top table that is no page of its addresses make the descriptor
 *     illegal: C_BAD_CD; another type of context makes the entry so: C_BAD_STE;
 *   - the two are cached as one, which commands for the stream drop, not those for a descriptor;
 *   - entries that give no translation are not cached;
 *   - requests are unprivileged, and for data;
 *   - a substream is C_BAD_SUBSTREAMID where stage 1 translates, else ignored [M];
 *   - with a hint at a level the others' pages may stay; table entries go as without;
 *   - commands for another granule find nothing;
 *   - a translation request of a device whose entry does not allow it is F_BAD_ATS_TREQ, a
 *     translated one F_TRANSL_FORBIDDEN;
 *   - nothing behind a wait starts before it;
 *   - that a wait's write finds no memory stops nothing [M];
 *   - CERROR is told by the queue's state, there is no event;
 *   - F_WALK_EABT does not say the address that was fetched.
 */
#include <dmasim/hw/arm.h>
#include <dmasim/hw/smmuv3.h>

#include "hw/arm_walk.h"
#include "hw/hw.h"
#include "hw/smmuv3_queue.h"

#define EVENTS	   128 /* the log as Linux makes it, 4 KiB [M] */
#define GRANULE	   12
#define INDEX_BITS 9
#define LEVELS_MIN 3

/* ---- Contexts --------------------------------------------------------- */

static bool is_bad_descriptor(const struct hw_iommu *iommu, const struct hw_context *context)
{
	return context->levels < LEVELS_MIN || context->levels > iommu->walker.levels ||
	       context->root & ((1ULL << GRANULE) - 1) ||
	       context->root >> iommu->walker.address_bits || context->marks;
}

static u16 context_event(const struct hw_iommu *iommu, const struct hw_context *context)
{
	switch (context->type) {
	case HW_CONTEXT_TRANSLATE:
		return is_bad_descriptor(iommu, context) ? SMMUV3_C_BAD_CD : 0;
	case HW_CONTEXT_PASS_THROUGH:
		return 0;
	case HW_CONTEXT_ABSENT:
		return context->flags & HW_CONTEXT_NO_PLACE ? SMMUV3_C_BAD_STREAMID
							    : SMMUV3_C_BAD_STE;
	default:
		return SMMUV3_C_BAD_STE;
	}
}

static struct hw_refusal context_refusal(const struct hw_iommu *iommu,
					 const struct hw_context *context, bool write)
{
	return (struct hw_refusal){ .write = write, .code = context_event(iommu, context) };
}

/* A request with a substream. */
static struct hw_translation translate(struct hw_iommu *iommu, const struct hw_ask *ask, bool probe)
{
	const struct hw_context context =
		probe ? hw_context_get(iommu, ask->requester)
		      : *hw_context_find(iommu, ask->requester, ask->write);

	if (context.type == HW_CONTEXT_TRANSLATE && context.allows)
		return (struct hw_translation){ .fault = SMMUV3_C_BAD_SUBSTREAMID,
						.domain = context.domain };
	if (probe)
		return hw_translate_probe(iommu, ask->requester, ask->iova, ask->write);
	return hw_translate_in(iommu, &context, ask->iova, ask->write);
}

static bool is_absence(u16 fault, u16 flags)
{
	(void)flags;
	return fault >= ARM_F_TRANSLATION && fault <= ARM_F_PERMISSION;
}

/* ---- Walks ------------------------------------------------------------ */

static struct hw_walk not_there(void)
{
	return (struct hw_walk){ .fault = ARM_F_TRANSLATION,
				 .fault_flags = ARM_CLASS_INPUT << ARM_FLAG_CLASS };
}

static struct hw_walk beyond(u64 iova, bool write)
{
	(void)iova;
	(void)write;
	return not_there();
}

static struct hw_walk absent(bool write)
{
	(void)write;
	return not_there();
}

static u8 input_bits(u8 levels)
{
	return (u8)(GRANULE + INDEX_BITS * levels);
}

static bool reaches(u8 levels, u64 iova)
{
	return !(iova >> input_bits(levels));
}

static struct hw_arm_stage stage_of(const struct hw_walker *walker, phys_addr_t table, u8 levels)
{
	return (struct hw_arm_stage){
		.walker = walker,
		.root = table,
		.granule_lg2 = GRANULE,
		.input_bits = input_bits(levels),
		.levels = levels,
		.output_bits = walker->address_bits,
	};
}

/* From a table below the top the address is one within it. */
static void walk(const struct hw_walker *walker, const struct hw_walk_start *start, u64 iova,
		 bool write, struct hw_walk *walk)
{
	const struct hw_arm_stage stage = stage_of(walker, start->table, start->levels);
	const struct hw_arm_access access = {
		.iova = iova & ((1ULL << stage.input_bits) - 1),
		.write = write,
	};

	hw_walk_arm_to(&stage, &access, walk);
	walk->read &= start->read;
	walk->write &= start->write;
	for (u32 i = 0; !walk->no_steps && i < walk->tables; i++) {
		walk->step[i].read &= start->read;
		walk->step[i].write &= start->write;
	}
}

static void range(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 start, u64 last,
		  hw_walk_leaf *leaf, hw_walk_table *table, void *cookie)
{
	const struct hw_arm_stage stage = stage_of(walker, root, levels);

	hw_walk_arm_range(&stage, start, last, leaf, table, cookie);
}

static u64 page_bits(const struct hw_walker *walker)
{
	return ((1ULL << walker->address_bits) - 1) & ~((1ULL << GRANULE) - 1);
}

/* ---- Commands --------------------------------------------------------- */

static struct hw_invalidation translations(const struct hw_smmuv3_command *from, bool all)
{
	return (struct hw_invalidation){
		.what = HW_INVALIDATED_IOTLB,
		.all_domains = all,
		.domain = from->asid,
		.start = from->start,
		.last = from->last,
		.leaf_only = !from->tables,
		.only_level = from->has_level ? (u8)(from->level + 1) : 0,
		.drain_reads = true,
		.drain_writes = true,
	};
}

/* Numbers of requesters have 16 bits. */
static bool is_requester(const struct hw_smmuv3_command *from)
{
	u32 counting = from->stream & ~from->streams_ignored;

	return counting <= 0xffff;
}

static struct hw_invalidation streams(const struct hw_smmuv3_command *from)
{
	return (struct hw_invalidation){
		.what = HW_INVALIDATED_CONTEXT,
		.all_domains = true,
		.last = ~0ULL,
		.requester = (u16)from->stream,
		.requester_ignored = (u16)from->streams_ignored,
	};
}

static struct hw_invalidation device(const struct hw_smmuv3_command *from)
{
	return (struct hw_invalidation){
		.what = HW_INVALIDATED_DEVICE_TLB,
		.all_domains = true,
		.has_pasid = from->has_substream && !from->all_substreams,
		.pasid = from->substream,
		.start = from->start,
		.last = from->last,
		.requester = (u16)from->stream,
		.pf_requester = (u16)from->stream,
		.queue_depth = 32,
	};
}

static struct hw_wait sync_of(const struct hw_smmuv3_command *from)
{
	return (struct hw_wait){
		.store_bytes = from->store ? sizeof(u32) : 0,
		.interrupt = from->interrupt,
		.fence = true,
		.store_at = from->store_at,
		.value = from->value,
	};
}

/* What finds nothing in this unit. */
static bool nothing(struct hw_command *command)
{
	command->kind = HW_COMMAND_NOTHING;
	return true;
}

static void decode_translations(const struct hw_smmuv3_command *from, struct hw_command *command)
{
	bool all = from->opcode != SMMUV3_CMD_TLBI_NH_ASID && from->opcode != SMMUV3_CMD_TLBI_NH_VA;

	if (from->granule_lg2 && from->granule_lg2 != GRANULE) {
		nothing(command);
		return;
	}
	command->granularity = from->last - from->start != ~0ULL ? "pages"
			       : all				 ? "global"
								 : "domain";
	command->invalidation = translations(from, all);
}

static bool decode_stream(const struct hw_smmuv3_command *from, struct hw_command *command)
{
	if (!is_requester(from))
		return nothing(command);
	command->granularity = from->streams_ignored >= 0xffff ? "global" : "device";
	command->invalidation = streams(from);
	return true;
}

static bool decode_device(const struct hw_smmuv3_command *from, struct hw_command *command)
{
	if (!is_requester(from))
		return nothing(command);
	command->invalidation = device(from);
	return true;
}

static bool decode(const struct hw_iommu *iommu, const u64 word[2], struct hw_command *command)
{
	const struct hw_smmuv3_has has = { iommu->command_ranges, iommu->walker.device_tlb };
	struct hw_smmuv3_command from;

	if (!hw_smmuv3_decode(word, &has, &from))
		return false;
	switch (from.opcode) {
	case SMMUV3_CMD_SYNC:
		command->kind = HW_COMMAND_WAIT;
		command->wait = sync_of(&from);
		return true;
	case SMMUV3_CMD_CFGI_STE:
	case SMMUV3_CMD_CFGI_STE_RANGE:
		return decode_stream(&from, command);
	case SMMUV3_CMD_PREFETCH_CFG:
	case SMMUV3_CMD_CFGI_CD:
	case SMMUV3_CMD_CFGI_CD_ALL:
		return nothing(command);
	case SMMUV3_CMD_ATC_INV:
		return decode_device(&from, command);
	default:
		decode_translations(&from, command);
		return true;
	}
}

/* ---- Events ----------------------------------------------------------- */

static bool has_class(u16 event)
{
	return event == ARM_F_WALK_EABT ||
	       (event >= ARM_F_TRANSLATION && event <= ARM_F_PERMISSION);
}

static u64 second_word(const struct hw_refusal *refusal)
{
	u64 class = refusal->flags >> ARM_FLAG_CLASS & SMMUV3_EVENT_CLASS_MASK;
	u64 word = refusal->write ? 0 : SMMUV3_EVENT_READ;

	if (refusal->prefix.privileged)
		word |= SMMUV3_EVENT_PRIVILEGED;
	if (refusal->prefix.execute)
		word |= SMMUV3_EVENT_EXECUTE;
	if (has_class(refusal->code))
		word |= class << SMMUV3_EVENT_CLASS_SHIFT;
	return word;
}

static struct hw_fault_record record(const struct hw_refusal *refusal)
{
	u64 first = refusal->code | (u64)refusal->requester << SMMUV3_EVENT_SID_SHIFT;

	if (refusal->prefix.present)
		first |= SMMUV3_EVENT_SSV | (u64)refusal->prefix.pasid << SMMUV3_EVENT_SSID_SHIFT;
	return (struct hw_fault_record){ .word = { first, second_word(refusal), refusal->iova } };
}

const struct hw_arch hw_smmuv3 = {
	.name = "smmuv3",
	.trace_name = { [HW_INVALIDATED_IOTLB] = "smmuv3_tlbi",
			[HW_INVALIDATED_CONTEXT] = "smmuv3_cfgi",
			[HW_INVALIDATED_DEVICE_TLB] = "smmuv3_atc_inv" },
	.trace_tables = "tables",
	.fault_records = EVENTS,
	.reaches = reaches,
	.beyond = beyond,
	.absent = absent,
	.walk = walk,
	.range = range,
	.page_bits = page_bits,
	.context_refusal = context_refusal,
	.no_messages = true,
	.ats_fault = SMMUV3_F_BAD_ATS_TREQ,
	.translated_fault = SMMUV3_F_TRANSL_FORBIDDEN,
	.is_absence = is_absence,
	.translate = translate,
	.decode = decode,
	.devices_overtake = true,
	.timeouts_at_waits = true,
	.record = record,
};
