/* SPDX-License-Identifier: MIT */
/*
 * The root complex: what becomes of a request at a host bridge.
 *
 *                    memory
 *                      |
 *   forwarding ---- root complex      what lies in a window of a host bridge goes down again
 *                      |
 *                    IOMMU
 *                      |
 *   handing across -- host bridge     without request redirect in the port that it came through,
 *                   /      |      \   one for below another port of the same host bridge does not
 *               port     port    function   get as far as the IOMMU
 *
 * Functions of one device of the root complex reach each other's BARs within it, as elsewhere;
 * apart from that what they send goes to the IOMMU. A root complex forwards and hands across only
 * where the host bridges do so (enum hw_forwards); where they do not, a request in another port's
 * window is one like any other, and goes to the IOMMU.
 */
#include <dmasim/hw/vtd.h>

#include "hw/acs.h"
#include "hw/ats.h"
#include "hw/journey.h"

bool root_forwards(const struct hw_root *from, const struct hw_root *to)
{
	if (from == to)
		return from->forwards != HW_FORWARDS_NONE;
	return from->forwards == HW_FORWARDS_ANY && to->forwards == HW_FORWARDS_ANY;
}

/* ---- Addresses ------------------------------------------------------------------------------- */

phys_addr_t root_phys_in_windows(const struct hw_root *root, u64 address)
{
	for (u32 i = 0; i < root->window_count; i++) {
		const struct hw_window *window = &root->window[i];
		phys_addr_t phys = address - window->bus_offset;

		if (phys - window->start < window->bytes)
			return phys;
	}
	return RAM_NO_PHYS;
}

struct hw_root *root_of_window(const struct hw *hw, phys_addr_t phys, u64 *bus_address)
{
	struct hw_root *root;

	TAILQ_FOREACH(root, &hw->roots, link) {
		for (u32 i = 0; i < root->window_count; i++) {
			if (phys - root->window[i].start < root->window[i].bytes) {
				*bus_address = phys + root->window[i].bus_offset;
				return root;
			}
		}
	}
	return NULL;
}

/* Where a bus address lies in memory; false: the host bridge does not take it. */
static bool inbound(const struct hw_root *root, u64 address, phys_addr_t *phys)
{
	*phys = address;
	for (u32 i = 0; i < root->inbound_count; i++) {
		const struct hw_inbound *range = &root->inbound[i];

		if (address - range->bus_start < range->bytes) {
			*phys = range->start + (address - range->bus_start);
			return true;
		}
	}
	return !root->inbound_count;
}

/*
 * The bus address `address` at the root, with no IOMMU, as the CPU would name it. False: nobody
 * takes it.
 */
static bool untranslated(const struct hw_root *root, u64 address, phys_addr_t *phys)
{
	*phys = root_phys_in_windows(root, address);
	return *phys != RAM_NO_PHYS || inbound(root, address, phys);
}

/* ---- To memory, or down again ---------------------------------------------------------------- */

static struct hw_target at_phys(struct journey *journey, const struct hw_root *from,
				phys_addr_t phys)
{
	u64 ram_bytes = ram_covered(&journey->hw->ram, phys, journey->run_bytes);
	struct hw_function *function;
	struct hw_root *root;

	if (ram_bytes) {
		journey_limit_run(journey, ram_bytes);
		journey_hop(journey, HW_HOP_RAM, journey->request->from, HW_WHY_NONE);
		return journey_arrive(journey,
				      (struct hw_target){ .kind = HW_TARGET_RAM, .phys = phys });
	}
	root = root_of_window(journey->hw, phys, &journey->address);
	if (!root)
		return journey_unsupported(journey, HW_WHY_NOBODY);
	if (!root_forwards(from, root))
		return journey_unsupported(journey, HW_WHY_NOT_FORWARDED);
	journey_hop(journey, HW_HOP_FORWARDED, journey->request->from, HW_WHY_NONE);
	function = journey_claimer(journey, &root->bus, NULL);
	return function ? journey_descend(journey, function)
			: journey_unsupported(journey, HW_WHY_NOBODY);
}

/* Without a translation. */
static struct hw_target pass(struct journey *journey, const struct hw_root *root)
{
	phys_addr_t phys;

	if (!untranslated(root, journey->address, &phys))
		return journey_unsupported(journey, HW_WHY_WAY);
	return at_phys(journey, root, phys);
}

/* ---- Translation ----------------------------------------------------------------------------- */

/* The requester's number with its segment. */
static dmasim_sbdf as_requester(const struct journey *journey)
{
	const struct hw_root *root = hw_root_above(hw_root_of(journey->request->from));

	return (u32)root->segment << 16 | journey->requester;
}

static void trace_fault(const struct journey *journey, const struct hw_iommu *iommu, u16 code)
{
	struct trace *trace = &journey->hw->world->trace;

	if (!trace_begin(trace, "fault"))
		return;
	trace_dec(trace, "unit", iommu->unit);
	trace_bdf(trace, "dev", as_requester(journey));
	trace_hex(trace, "dma", journey->address);
	trace_hex(trace, "reason", code);
	trace_word(trace, "dir", journey->request->write ? "write" : "read");
	trace_end(trace);
}

static struct hw_target refuse(struct journey *journey, struct hw_iommu *iommu,
			       const struct hw_translation *why)
{
	const struct hw_request *request = journey->request;

	if (!request->probe) {
		trace_fault(journey, iommu, why->fault);
		hw_fault_record(iommu, &(struct hw_refusal){
					       .requester = journey->requester,
					       .domain = why->domain,
					       .prefix = request->prefix,
					       .iova = journey->address,
					       .write = request->write,
					       .code = why->fault,
					       .flags = why->fault_flags,
					       .translated = request->type == HW_REQUEST_TRANSLATED,
				       });
	}
	journey_hop(journey, HW_HOP_FAULT, request->from, HW_WHY_NONE);
	return journey_arrive(journey, (struct hw_target){
					       .kind = HW_TARGET_FAULT,
					       .fault = why->fault,
					       .fault_flags = why->fault_flags,
					       .phys = RAM_NO_PHYS,
				       });
}

bool root_has_message(const struct hw_root *root, u64 address)
{
	return address >= VTD_MSI_START && address <= VTD_MSI_LAST &&
	       !(root->iommu && root->iommu->arch->no_messages);
}

static bool is_message(const struct journey *journey, const struct hw_root *root)
{
	return root_has_message(root, journey->address) && !journey->request->prefix.present;
}

static struct hw_translation translate(const struct journey *journey, struct hw_iommu *iommu)
{
	const struct hw_request *request = journey->request;
	u64 address = journey->address;

	switch (request->type) {
	case HW_REQUEST_TRANSLATION:
		return hw_ats_answer(iommu, journey->requester, address, request->write);
	case HW_REQUEST_TRANSLATED:
		return hw_ats_check(iommu, journey->requester, address, request->write);
	default:
		break;
	}
	if (!request->prefix.present && !request->probe)
		return hw_translate(iommu, journey->requester, address, request->write);
	return hw_translate_ask(iommu,
				&(struct hw_ask){ .requester = journey->requester,
						  .write = request->write,
						  .iova = address,
						  .prefix = request->prefix },
				request->probe);
}

/* The completion of a translation request goes back to who sent it. */
static struct hw_target answered(struct journey *journey, const struct hw_translation *found)
{
	journey->address = found->phys;
	journey_hop(journey, HW_HOP_TRANSLATED, journey->request->from, HW_WHY_NONE);
	return journey_arrive(journey, (struct hw_target){
					       .kind = HW_TARGET_TRANSLATION,
					       .phys = found->phys,
					       .page_lg2 = found->page_lg2,
					       .allows = found->allows,
				       });
}

/* A message: an interrupt. */
static struct hw_target at_messages(struct journey *journey)
{
	const struct hw_request *request = journey->request;

	if (!request->write || request->type != HW_REQUEST_UNTRANSLATED)
		return journey_unsupported(journey, HW_WHY_MESSAGE);
	journey_hop(journey, HW_HOP_INTERRUPT, request->from, HW_WHY_NONE);
	return journey_arrive(
		journey, (struct hw_target){ .kind = HW_TARGET_INTERRUPT, .phys = RAM_NO_PHYS });
}

static struct hw_target at_iommu(struct journey *journey, const struct hw_root *root)
{
	const struct hw_request *request = journey->request;
	struct hw_iommu *iommu = root->iommu;
	struct hw_translation found;

	if (!request->probe && hw_queue_pending(&iommu->queue))
		hw_queue_run(iommu);
	found = translate(journey, iommu);
	journey->iommu = iommu;
	journey->domain = found.domain;
	if (found.fault)
		return refuse(journey, iommu, &found);
	if (request->type == HW_REQUEST_TRANSLATION)
		return answered(journey, &found);
	journey->as_it_is = found.pass_through;
	if (found.pass_through)
		return pass(journey, root);
	journey->address = found.phys;
	journey_hop(journey, HW_HOP_TRANSLATED, request->from, HW_WHY_NONE);
	return at_phys(journey, root, found.phys);
}

/* ---- On the root bus ------------------------------------------------------------------------- */

static u8 slot_of(const struct hw_function *function)
{
	return PCI_SLOT(function->physfn ? function->physfn->devfn : function->devfn);
}

bool root_are_neighbours(const struct hw_function *one, const struct hw_function *other)
{
	return slot_of(one) == slot_of(other) && !one->secondary && !other->secondary;
}

/*
 * Who on the root bus takes the request before the IOMMU sees it, unless ACS is against it. Most
 * requests are for memory, and are in no window.
 */
static struct hw_function *peer_of(struct journey *journey, const struct hw_root *root,
				   const struct hw_function *from)
{
	struct hw_function *peer;

	if (journey->request->type == HW_REQUEST_TRANSLATION ||
	    root_phys_in_windows(root, journey->address) == RAM_NO_PHYS)
		return NULL;
	peer = journey_claimer(journey, &root->bus, from);
	if (!peer || root_are_neighbours(from, peer))
		return peer;
	return acs_is_downstream_port(from) && acs_is_downstream_port(peer) &&
			       root_forwards(root, root)
		       ? peer
		       : NULL;
}

static struct hw_target hand_across(struct journey *journey, struct hw_function *from,
				    struct hw_function *peer, enum hw_why why)
{
	if (!root_are_neighbours(from, peer)) {
		journey->passed_root = true;
		journey_hop(journey, HW_HOP_ROOT, journey->request->from, HW_WHY_NONE);
		why = why ? why : HW_WHY_NO_REDIRECT;
	}
	journey_hop(journey, HW_HOP_ACROSS, peer, why);
	return journey_descend(journey, peer);
}

struct hw_target journey_at_root(struct journey *journey, struct hw_function *from)
{
	const struct hw_root *root = hw_root_of(from);
	struct hw_function *peer = peer_of(journey, root, from);
	struct acs_ruling ruling;

	if (peer) {
		ruling = acs_towards(from, peer, journey->request->type);
		if (ruling.way == ACS_BLOCKED)
			return journey_blocked(journey, from, ruling.why);
		if (ruling.way == ACS_DIRECTLY)
			return hand_across(journey, from, peer, ruling.why);
		journey_hop(journey, HW_HOP_REDIRECTED, from, ruling.why);
	}
	journey->passed_root = true;
	journey_hop(journey, HW_HOP_ROOT, journey->request->from, HW_WHY_NONE);
	if (is_message(journey, root))
		return at_messages(journey);
	if (root->iommu)
		return at_iommu(journey, root);
	if (journey->request->type == HW_REQUEST_TRANSLATION)
		return journey_unsupported(journey, HW_WHY_NO_IOMMU);
	return pass(journey, root);
}
