/* SPDX-License-Identifier: MIT */
#include "hw/ats.h"

#include <dmasim/hw/amd.h>
#include <dmasim/hw/vtd.h>

#include "hw/journey.h"

/* ---- The unit's side ------------------------------------------------------------------------- */

/* A context that lets requests through, but none of a device TLB. */
static bool blocks(const struct hw_context *context)
{
	return context->allows && !context->device_tlb;
}

static struct hw_translation blocked(const struct hw_iommu *iommu, const struct hw_context *context)
{
	return (struct hw_translation){ .fault = iommu->scalable ? VTD_FAULT_SM_CONTEXT_DTE
								 : iommu->arch->ats_fault,
					.domain = context->domain };
}

static struct hw_translation blocked_translated(const struct hw_iommu *iommu,
						const struct hw_context *context)
{
	struct hw_translation found = blocked(iommu, context);

	if (iommu->arch->translated_fault)
		found.fault = iommu->arch->translated_fault;
	return found;
}

static bool is_absence(const struct hw_iommu *iommu, const struct hw_translation *found)
{
	return found->fault && iommu->arch->is_absence(found->fault, found->fault_flags);
}

static struct hw_translation answer(struct hw_iommu *iommu, u16 requester, u64 iova, bool write)
{
	const struct hw_context context = *hw_context_find(iommu, requester, write);
	struct hw_translation found;

	if (blocks(&context))
		return blocked(iommu, &context);
	found = hw_translate_in(iommu, &context, iova, write);
	/* What was asked for is not to be had: maybe the other is. */
	if (is_absence(iommu, &found))
		found = hw_translate_in(iommu, &context, iova, !write);
	if (is_absence(iommu, &found))
		return (struct hw_translation){ .domain = context.domain };
	found.allows &= context.allows;
	/* Of what is written through the TLB the unit hears nothing: it marks the page before. */
	if (context.marks & HW_MARK_DIRTY && !write)
		found.allows &= 1;
	return found;
}

struct hw_translation hw_ats_answer(struct hw_iommu *iommu, u16 requester, u64 iova, bool write)
{
	struct hw_translation found = answer(iommu, requester, iova, write);

	iommu->hw->costs.ats_requests++;
	if (found.fault)
		found.fault_flags |= AMD_FLAG_TR;
	return found;
}

struct hw_translation hw_ats_check(struct hw_iommu *iommu, u16 requester, u64 address, bool write)
{
	const struct hw_context *context = hw_context_find(iommu, requester, write);

	if (blocks(context))
		return blocked_translated(iommu, context);
	if (!context->allows)
		return hw_translate_in(iommu, context, address, write);
	return (struct hw_translation){
		.domain = context->domain,
		.page_lg2 = VTD_SS_GRANULE_LG2,
		.phys = address,
	};
}

/* ---- The function's side --------------------------------------------------------------------- */

static void switched_off(struct hw_function *function)
{
	const struct hw_hooks *hooks = &function->hw->hooks;
	struct hw_iommu *iommu = function->bus->root->iommu;

	iotlb_invalidate_all(&function->device_tlb);
	if (iommu && hooks->ats_off)
		hooks->ats_off(hooks->cookie, iommu, (u16)hw_function_sbdf(function));
}

void hw_ats_enable(struct hw_function *function, bool enable)
{
	if (function->ats_enabled && !enable)
		switched_off(function);
	function->ats_enabled = enable;
}

static bool may(const struct iotlb_entry *entry, bool write)
{
	return write ? entry->write : entry->read;
}

/* Asks the unit, and caches what it says. found->kind: where the request for it ended. */
static struct hw_target fetch(struct hw *hw, const struct hw_request *request)
{
	struct iotlb *tlb = &request->from->device_tlb;
	struct hw_request ask = *request;
	struct hw_target target;

	ask.type = HW_REQUEST_TRANSLATION;
	target = hw_route(hw, &ask, NULL);
	if (target.kind != HW_TARGET_TRANSLATION)
		return target;
	/* Without permission there is nothing to cache. One without the right one makes room. */
	if (!target.allows)
		return target;
	iotlb_invalidate_range(tlb, iotlb_tag(0), request->address, request->address);
	iotlb_fill(tlb, &(struct iotlb_entry){
				.tag = iotlb_tag(0),
				.page = request->address >> target.page_lg2,
				.phys = target.phys & ~((1ULL << target.page_lg2) - 1),
				.page_lg2 = target.page_lg2,
				.read = target.allows & 1,
				.write = target.allows >> 1 & 1,
			});
	return target;
}

/* The device has no permission, and does not ask for the memory. */
static struct hw_target give_up(struct hw_target target)
{
	target.kind = HW_TARGET_FAULT;
	target.fault = 0;
	target.fault_flags = 0;
	target.phys = RAM_NO_PHYS;
	return target;
}

struct hw_target hw_ats_route(struct hw *hw, const struct hw_request *request)
{
	struct iotlb *tlb = &request->from->device_tlb;
	const struct iotlb_entry *hit;
	struct hw_request translated = *request;
	struct hw_target target;

	/* What has a PASID, and messages, do without. */
	if (request->prefix.present ||
	    root_has_message(hw_root_above(hw_root_of(request->from)), request->address))
		return hw_route(hw, request, NULL);
	hit = iotlb_find(tlb, iotlb_tag(0), request->address);
	if (hit && may(hit, request->write)) {
		hw->costs.device_tlb_hits++;
		translated.address = hit->phys | (request->address & ((1ULL << hit->page_lg2) - 1));
	} else {
		hw->costs.device_tlb_misses++;
		target = fetch(hw, request);
		if (target.kind != HW_TARGET_TRANSLATION)
			return target;
		if (!(target.allows >> request->write & 1))
			return give_up(target);
		translated.address = target.phys;
	}
	translated.type = HW_REQUEST_TRANSLATED;
	return hw_route(hw, &translated, NULL);
}

static struct hw_root *root_of(const struct hw_iommu *iommu, struct hw_root *after)
{
	struct hw_root *root = after ? TAILQ_NEXT(after, link) : TAILQ_FIRST(&iommu->hw->roots);

	while (root && root->iommu != iommu)
		root = TAILQ_NEXT(root, link);
	return root;
}

struct hw_function *hw_requester_function(const struct hw_iommu *iommu, u16 requester)
{
	struct hw_root *root;

	for (root = root_of(iommu, NULL); root; root = root_of(iommu, root)) {
		if (requester >> 8 >= root->bus_first && requester >> 8 <= root->bus_last)
			return hw_function_find(iommu->hw, (u32)root->segment << 16 | requester);
	}
	return NULL;
}

bool hw_ats_invalidate(struct hw_iommu *iommu, const struct hw_invalidation *what)
{
	struct hw_function *function = hw_requester_function(iommu, what->requester);

	/* There is no host bridge that would pass the message on. */
	if (!root_of(iommu, NULL))
		return true;
	if (!function || !function->ats_at || function->hung)
		return false;
	/* It keeps nothing of PASIDs. */
	if (!what->has_pasid)
		iotlb_invalidate_range(&function->device_tlb, iotlb_tag(0), what->start,
				       what->last);
	return true;
}
