/* SPDX-License-Identifier: MIT */
#include "hw/queue.h"

#include <endian.h>
#include <errno.h>

#include "hw/ats.h"

/* How much of what, of which domain and PASID. */
static void trace_scope(struct trace *trace, const struct hw_command *command)
{
	const struct hw_invalidation *what = &command->invalidation;

	trace_word(trace, "granularity", command->granularity);
	if (!what->all_domains)
		trace_dec(trace, "dom", what->domain);
	if (what->has_pasid)
		trace_dec(trace, "pasid", what->pasid);
}

static void trace_iotlb(struct trace *trace, const struct hw_command *command, const char *tables)
{
	const struct hw_invalidation *what = &command->invalidation;

	trace_scope(trace, command);
	if (what->start || what->last != ~0ULL) {
		trace_hex(trace, "dma", what->start);
		trace_dec(trace, "size", what->last - what->start + 1);
	}
	if (what->only_level)
		trace_dec(trace, "level", what->only_level - 1U);
	if (tables)
		trace_dec(trace, tables, !what->leaf_only);
	else
		trace_dec(trace, "ih", what->leaf_only);
}

static void trace_context(struct trace *trace, const struct hw_command *command)
{
	const struct hw_invalidation *what = &command->invalidation;

	trace_scope(trace, command);
	if (what->requester_ignored != 0xffff) {
		trace_hex(trace, "source", what->requester);
		trace_hex(trace, "ignored", what->requester_ignored);
	}
}

static void trace_device_tlb(struct trace *trace, const struct hw_command *command)
{
	const struct hw_invalidation *what = &command->invalidation;

	trace_hex(trace, "source", what->requester);
	trace_hex(trace, "dma", what->start);
	if (what->start || what->last != ~0ULL)
		trace_dec(trace, "size", what->last - what->start + 1);
}

static void trace_command(const struct hw_iommu *iommu, const struct hw_command *command)
{
	const char *name = iommu->arch->trace_name[command->invalidation.what];
	struct trace *trace = &iommu->hw->world->trace;

	if (!name || !trace_begin(trace, name))
		return;
	trace_dec(trace, "unit", iommu->unit);
	if (command->invalidation.what == HW_INVALIDATED_IOTLB)
		trace_iotlb(trace, command, iommu->arch->trace_tables);
	else if (command->invalidation.what == HW_INVALIDATED_DEVICE_TLB)
		trace_device_tlb(trace, command);
	else if (command->invalidation.what == HW_INVALIDATED_PASID)
		trace_scope(trace, command);
	else
		trace_context(trace, command);
	trace_end(trace);
}

void hw_queue_trace_error(const struct hw_iommu *iommu, const u64 word[2])
{
	struct trace *trace = &iommu->hw->world->trace;

	if (!trace_begin(trace, "queue_error"))
		return;
	trace_dec(trace, "unit", iommu->unit);
	trace_hex(trace, "low", word[0]);
	trace_hex(trace, "high", word[1]);
	trace_end(trace);
}

void hw_queue_trace_timeout(const struct hw_iommu *iommu, const struct hw_invalidation *what)
{
	struct trace *trace = &iommu->hw->world->trace;

	if (!trace_begin(trace, "device_tlb_timeout"))
		return;
	trace_dec(trace, "unit", iommu->unit);
	trace_bdf(trace, "dev", (u32)hw_iommu_segment(iommu) << 16 | what->requester);
	trace_hex(trace, "dma", what->start);
	if (what->start || what->last != ~0ULL)
		trace_dec(trace, "size", what->last - what->start + 1);
	trace_end(trace);
}

static u64 tag_of(const struct hw_invalidation *what)
{
	return what->has_pasid ? iotlb_pasid_tag(what->domain, what->pasid)
			       : iotlb_tag(what->domain);
}

/* Of a domain in scalable mode that is its second stage, or the first stage of one PASID. */
static void empty_domain(struct hw_iommu *iommu, const struct hw_invalidation *what)
{
	if (iommu->scalable)
		iotlb_invalidate_range(&iommu->iotlb, tag_of(what), 0, ~0ULL);
	else
		iotlb_invalidate_domain(&iommu->iotlb, what->domain);
	if (what->leaf_only)
		return;
	if (iommu->scalable)
		walk_cache_invalidate_range(&iommu->walk_cache, tag_of(what), 0, ~0ULL);
	else
		walk_cache_invalidate_domain(&iommu->walk_cache, what->domain);
}

/* The sizes of pages that a hint at their level means. */
static u64 hinted_sizes(const struct hw_invalidation *what)
{
	u64 sizes = 0;

	for (u8 lg2 = 12; lg2 < 64; lg2++) {
		if (!hw_hint_spares(what, lg2))
			sizes |= 1ULL << lg2;
	}
	return sizes;
}

/* A page that is larger than the window, or not of the level that is hinted at, may stay, or go. */
static void empty_window(struct hw_iommu *iommu, const struct hw_invalidation *what)
{
	u8 lg2 = (u8)(64 - __builtin_clzll(what->last - what->start));
	u64 tag = tag_of(what), hinted = what->only_level ? hinted_sizes(what) : ~0ULL;
	bool larger = iommu->iotlb.present >> lg2 > 1;

	/* Answer 0, the plain run's, is that it stays. */
	if (iommu->iotlb.present & ~hinted && !world_choose(iommu->hw->world, 2))
		iotlb_invalidate_sizes(&iommu->iotlb, tag, what->start, what->last, hinted);
	else if (what->larger_stay && larger && !world_choose(iommu->hw->world, 2))
		iotlb_invalidate_small_pages(&iommu->iotlb, tag, what->start, what->last, lg2);
	else
		iotlb_invalidate_range(&iommu->iotlb, tag, what->start, what->last);
}

/*
 * What both stages gave together is tagged by the first's addresses: what is for the second stage
 * takes all that its domain has, as nobody knows which addresses led through the window.
 */
static void empty_nested(struct hw_iommu *iommu, const struct hw_invalidation *what)
{
	u64 tag = iotlb_nested_tag(what->domain, what->pasid);

	if (!what->has_pasid) {
		iotlb_invalidate_nested(&iommu->iotlb, what->domain);
		walk_cache_invalidate_nested(&iommu->walk_cache, what->domain);
		return;
	}
	iotlb_invalidate_range(&iommu->iotlb, tag, what->start, what->last);
	if (!what->leaf_only)
		walk_cache_invalidate_range(&iommu->walk_cache, tag, what->start, what->last);
}

static void empty_iotlb(struct hw_iommu *iommu, const struct hw_invalidation *what)
{
	if (what->all_domains) {
		iotlb_invalidate_all(&iommu->iotlb);
		walk_cache_invalidate_all(&iommu->walk_cache);
		return;
	}
	if (iommu->nested)
		empty_nested(iommu, what);
	if (!what->start && what->last == ~0ULL) {
		empty_domain(iommu, what);
		return;
	}
	empty_window(iommu, what);
	if (!what->leaf_only)
		walk_cache_invalidate_range(&iommu->walk_cache, tag_of(what), what->start,
					    what->last);
}

DMASIM_HOT static bool invalidate(struct hw_iommu *iommu, const struct hw_command *command)
{
	const struct hw_invalidation *what = &command->invalidation;
	const struct hw_hooks *hooks = &iommu->hw->hooks;
	struct hw_costs *costs = &iommu->hw->costs;

	switch (what->what) {
	case HW_INVALIDATED_IOTLB:
		empty_iotlb(iommu, what);
		costs->invalidations++;
		break;
	case HW_INVALIDATED_CONTEXT:
		context_cache_invalidate(&iommu->context_cache, what->all_domains, what->domain,
					 what->requester, what->requester_ignored);
		costs->context_invalidations++;
		break;
	case HW_INVALIDATED_PASID:
		context_cache_invalidate(&iommu->pasid_cache, what->all_domains, what->domain,
					 hw_pasid_tag(0, what->pasid),
					 what->has_pasid ? HW_TAG_ANY_REQUESTER : HW_TAG_ANY);
		costs->pasid_invalidations++;
		break;
	case HW_INVALIDATED_DEVICE_TLB:
		if (!hw_ats_invalidate(iommu, what))
			return false;
		costs->device_tlb_invalidations++;
		break;
	default:
		costs->interrupt_invalidations++;
		break;
	}
	trace_command(iommu, command);
	if (hooks->invalidated)
		hooks->invalidated(hooks->cookie, iommu, what);
	return true;
}

void hw_command_split(const struct hw_command *command, struct hw_command part[HW_COMMAND_PARTS])
{
	static const u8 everything[HW_COMMAND_PARTS] = { HW_INVALIDATED_CONTEXT,
							 HW_INVALIDATED_IOTLB,
							 HW_INVALIDATED_INTERRUPT };

	for (u32 i = 0; i < HW_COMMAND_PARTS; i++)
		part[i] = (struct hw_command){
			.number = command->number,
			.granularity = "global",
			.invalidation = { .number = command->number,
					  .what = everything[i],
					  .all_domains = true,
					  .last = everything[i] == HW_INVALIDATED_INTERRUPT ? 0xffff
											    : ~0ULL,
					  .requester_ignored = 0xffff },
		};
}

static bool store(struct hw_iommu *iommu, const struct hw_wait *wait)
{
	u64 value = htole64(wait->value);

	return ram_write(&iommu->hw->ram, wait->store_at, &value, wait->store_bytes) ==
	       wait->store_bytes;
}

/* Where it stores there is no memory. */
static void fail(struct hw_iommu *iommu, const struct hw_command *command)
{
	const struct hw_hooks *hooks = &iommu->hw->hooks;

	iommu->queue.error = -EIO;
	iommu->fault_status |= HW_STATUS_QUEUE;
	if (iommu->arch->queue_stopped)
		iommu->arch->queue_stopped(iommu, HW_QUEUE_STORE, command->number - 1);
	hw_queue_trace_error(iommu, command->word);
	if (hooks->queue_error)
		hooks->queue_error(hooks->cookie, iommu, command->word);
}

static void wait(struct hw_iommu *iommu, const struct hw_command *command)
{
	const struct hw_wait *wait = &command->wait;
	const struct hw_hooks *hooks = &iommu->hw->hooks;

	if (iommu->queue.timed_out) {
		iommu->queue.error = -ETIMEDOUT;
		return;
	}
	if (wait->store_bytes && !store(iommu, wait) && iommu->arch->lost_store_stops) {
		fail(iommu, command);
		return;
	}
	if (wait->interrupt)
		iommu->hw->costs.wait_interrupts++;
	if (hooks->waited)
		hooks->waited(hooks->cookie, iommu, command->number);
}

static bool invalidate_everything(struct hw_iommu *iommu, const struct hw_command *command)
{
	struct hw_command part[HW_COMMAND_PARTS];

	hw_command_split(command, part);
	for (u32 i = 0; i < HW_COMMAND_PARTS; i++) {
		if (!invalidate(iommu, &part[i]))
			return false;
	}
	return true;
}

DMASIM_HOT bool hw_command_execute(struct hw_iommu *iommu, const struct hw_command *command)
{
	switch (command->kind) {
	case HW_COMMAND_INVALIDATE:
		return invalidate(iommu, command);
	case HW_COMMAND_INVALIDATE_EVERYTHING:
		return invalidate_everything(iommu, command);
	case HW_COMMAND_WAIT:
		wait(iommu, command);
		return true;
	default:
		return true;
	}
}
