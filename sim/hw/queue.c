/* SPDX-License-Identifier: MIT */
#include "hw/queue.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include <dmasim/contract.h>
#include <dmasim/hw/vtd.h>

#include "hw/hw.h"

static void trace_iotlb(struct trace *trace, const struct hw_command *command)
{
	const struct hw_invalidation *what = &command->invalidation;

	trace_word(trace, "granularity", command->granularity);
	if (!what->all_domains)
		trace_dec(trace, "dom", what->domain);
	if (what->last != ~0ULL) {
		trace_hex(trace, "dma", what->start);
		trace_dec(trace, "size", what->last - what->start + 1);
	}
	trace_dec(trace, "ih", what->leaf_only);
}

static void trace_context(struct trace *trace, const struct hw_command *command)
{
	const struct hw_invalidation *what = &command->invalidation;

	trace_word(trace, "granularity", command->granularity);
	if (!what->all_domains)
		trace_dec(trace, "dom", what->domain);
	if (what->requester_ignored != 0xffff) {
		trace_hex(trace, "source", what->requester);
		trace_hex(trace, "ignored", what->requester_ignored);
	}
}

static void trace_command(const struct hw_iommu *iommu, const struct hw_command *command)
{
	const char *name = iommu->arch->trace_name[command->invalidation.what];
	struct trace *trace = &iommu->hw->world->trace;

	if (!name || !trace_begin(trace, name))
		return;
	trace_dec(trace, "unit", iommu->unit);
	if (command->invalidation.what == HW_INVALIDATED_IOTLB)
		trace_iotlb(trace, command);
	else
		trace_context(trace, command);
	trace_end(trace);
}

static void empty_iotlb(struct hw_iommu *iommu, const struct hw_invalidation *what)
{
	u64 tag = iotlb_tag(what->domain);

	if (what->all_domains) {
		iotlb_invalidate_all(&iommu->iotlb);
		walk_cache_invalidate_all(&iommu->walk_cache);
		return;
	}
	if (!what->start && what->last == ~0ULL) {
		iotlb_invalidate_domain(&iommu->iotlb, what->domain);
		if (!what->leaf_only)
			walk_cache_invalidate_domain(&iommu->walk_cache, what->domain);
		return;
	}
	iotlb_invalidate_range(&iommu->iotlb, tag, what->start, what->last);
	if (!what->leaf_only)
		walk_cache_invalidate_range(&iommu->walk_cache, tag, what->start, what->last);
}

static void invalidate(struct hw_iommu *iommu, const struct hw_command *command)
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
	case HW_INVALIDATED_DEVICE_TLB:
		/* No device has a TLB here. */
		costs->device_tlb_invalidations++;
		break;
	default:
		costs->interrupt_invalidations++;
		break;
	}
	trace_command(iommu, command);
	if (hooks->invalidated)
		hooks->invalidated(hooks->cookie, iommu, what);
}

static void invalidate_everything(struct hw_iommu *iommu)
{
	struct hw_command all = {
		.granularity = "global",
		.invalidation = { .all_domains = true, .last = ~0ULL, .requester_ignored = 0xffff },
	};

	all.invalidation.what = HW_INVALIDATED_CONTEXT;
	invalidate(iommu, &all);
	all.invalidation.what = HW_INVALIDATED_IOTLB;
	invalidate(iommu, &all);
	all.invalidation.what = HW_INVALIDATED_INTERRUPT;
	all.invalidation.last = 0xffff;
	invalidate(iommu, &all);
}

static void wait(struct hw_iommu *iommu, const struct hw_wait *wait)
{
	const struct hw_hooks *hooks = &iommu->hw->hooks;
	u64 value = htole64(wait->value);

	if (wait->store_bytes)
		ram_write(&iommu->hw->ram, wait->store_at, &value, wait->store_bytes);
	if (wait->interrupt)
		iommu->hw->costs.wait_interrupts++;
	if (hooks->waited)
		hooks->waited(hooks->cookie, iommu);
}

static bool execute(struct hw_iommu *iommu, const u64 word[2])
{
	struct hw_command command = { .kind = HW_COMMAND_INVALIDATE };

	if (!iommu->arch->decode(iommu, word, &command))
		return false;
	switch (command.kind) {
	case HW_COMMAND_INVALIDATE:
		invalidate(iommu, &command);
		break;
	case HW_COMMAND_INVALIDATE_EVERYTHING:
		invalidate_everything(iommu);
		break;
	default:
		wait(iommu, &command.wait);
		break;
	}
	return true;
}

int hw_queue_execute(struct hw_iommu *iommu, const void *commands, size_t bytes)
{
	const struct hw_hooks *hooks = &iommu->hw->hooks;
	const u8 *at = commands;

	DMASIM_CONTRACT(!(bytes % HW_COMMAND_BYTES), "commands have 16 bytes");
	if (iommu->queue_stopped)
		return -EINVAL;
	for (size_t done = 0; done < bytes; done += HW_COMMAND_BYTES) {
		u64 word[2];

		memcpy(word, at + done, sizeof(word));
		word[0] = le64toh(word[0]);
		word[1] = le64toh(word[1]);
		if (execute(iommu, word))
			continue;
		iommu->queue_stopped = true;
		iommu->arch->queue_stopped(iommu, word);
		if (hooks->queue_error)
			hooks->queue_error(hooks->cookie, iommu, word);
		return -EINVAL;
	}
	return 0;
}

void hw_queue_resume(struct hw_iommu *iommu)
{
	iommu->queue_stopped = false;
	iommu->fault_status &= ~VTD_FSTS_IQE;
}
