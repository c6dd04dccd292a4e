/* SPDX-License-Identifier: MIT */
#include "hw/fabric.h"

#include <dmasim/hw/vtd.h>

#include "hw/ats.h"

#define PAGE_BYTES 4096ULL

/* A request on its way. */
struct journey {
	struct hw *hw;
	const struct hw_request *request;
	struct hw_route *route;
	u64 address; /* what the TLP carries now */
	u64 run_bytes;
	u16 requester;	 /* who asks, as far as anybody further up can tell */
	bool redirected; /* ACS sent it up though a peer claims it */
	bool passed_root;
	bool as_it_is; /* the unit let the address pass */
	struct hw_iommu *iommu;
	u16 domain;
};

static const char *const hop_names[] = {
	[HW_HOP_SENT] = "sent",
	[HW_HOP_UP] = "up",
	[HW_HOP_REDIRECTED] = "redirect",
	[HW_HOP_ACROSS] = "across",
	[HW_HOP_DOWN] = "down",
	[HW_HOP_ROOT] = "root",
	[HW_HOP_TRANSLATED] = "iommu",
	[HW_HOP_FORWARDED] = "forward",
	[HW_HOP_RAM] = "ram",
	[HW_HOP_BAR] = "bar",
	[HW_HOP_INTERRUPT] = "interrupt",
	[HW_HOP_UNSUPPORTED] = "unsupported",
	[HW_HOP_FAULT] = "fault",
};

const char *hw_hop_name(enum hw_hop_kind kind)
{
	return hop_names[kind];
}

static void hop(struct journey *journey, enum hw_hop_kind kind, const struct hw_function *at)
{
	struct hw_route *route = journey->route;
	struct trace *trace = &journey->hw->world->trace;

	if (route && route->count < HW_HOPS_MAX)
		route->hop[route->count++] = (struct hw_hop){
			.kind = kind,
			.at = hw_function_sbdf(at),
			.address = journey->address,
		};
	if (journey->hw->trace_hops && !journey->request->probe && trace_begin(trace, "hop")) {
		trace_bdf(trace, "at", hw_function_sbdf(at));
		trace_word(trace, "what", hop_names[kind]);
		trace_hex(trace, "addr", journey->address);
		trace_end(trace);
	}
}

static void limit_run(struct journey *journey, u64 bytes)
{
	if (bytes < journey->run_bytes)
		journey->run_bytes = bytes;
}

static struct hw_target arrive(const struct journey *journey, struct hw_target target)
{
	target.passed_root = journey->passed_root;
	target.iommu = journey->iommu;
	target.domain = journey->domain;
	target.requester = journey->requester;
	target.translated = journey->request->type == HW_REQUEST_TRANSLATED;
	target.as_it_is = journey->as_it_is;
	target.prefix = journey->request->prefix;
	target.run_bytes = journey->run_bytes;
	return target;
}

static struct hw_target unsupported(struct journey *journey)
{
	hop(journey, HW_HOP_UNSUPPORTED, journey->request->from);
	return arrive(journey,
		      (struct hw_target){ .kind = HW_TARGET_UNSUPPORTED, .phys = RAM_NO_PHYS });
}

static bool window_has(const struct hw_function *function, u64 address)
{
	return hw_span_has(function->window, address) ||
	       hw_span_has(function->prefetch_window, address);
}

static bool claims(const struct hw_function *function, u64 address)
{
	return window_has(function, address) || hw_bar_at(function, address) >= 0;
}

/*
 * Who on a bus claims the address. Where nobody does, the answer holds only up to the next BAR:
 * those can be smaller than a page.
 */
static struct hw_function *claimer(struct journey *journey, const struct hw_bus *bus,
				   const struct hw_function *except)
{
	struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		if (function != except && claims(function, journey->address))
			return function;
		for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
			struct hw_span span = function->bar[i].span;

			if (span.start <= span.last && span.start > journey->address)
				limit_run(journey, span.start - journey->address);
		}
	}
	return NULL;
}

/* The CPU's name for a bus address in a window of the host bridge; RAM_NO_PHYS: it is in none. */
static phys_addr_t phys_in_windows(const struct hw_root *root, u64 address)
{
	for (u32 i = 0; i < root->window_count; i++) {
		const struct hw_window *window = &root->window[i];
		phys_addr_t phys = address - window->bus_offset;

		if (phys - window->start < window->bytes)
			return phys;
	}
	return RAM_NO_PHYS;
}

phys_addr_t hw_bar_phys(const struct hw_function *function, u32 bar)
{
	return phys_in_windows(function->bus->root, function->bar[bar].span.start);
}

static struct hw_target reach_bar(struct journey *journey, struct hw_function *function, int bar)
{
	const struct hw_span *span = &function->bar[bar].span;
	u64 offset = journey->address - span->start;
	phys_addr_t phys = hw_bar_phys(function, (u32)bar);

	limit_run(journey, function->bar[bar].bytes - offset);
	hop(journey, HW_HOP_BAR, function);
	return arrive(journey, (struct hw_target){
				       .kind = HW_TARGET_BAR,
				       .phys = phys == RAM_NO_PHYS ? phys : phys + offset,
				       .function = function,
				       .bar = (u32)bar,
				       .offset = offset,
			       });
}

/* From a function that claims the address down to the BAR. */
static struct hw_target descend(struct journey *journey, struct hw_function *function)
{
	for (;;) {
		int bar = hw_bar_at(function, journey->address);
		struct hw_function *below;

		if (bar >= 0)
			return reach_bar(journey, function, bar);
		hop(journey, HW_HOP_DOWN, function);
		below = claimer(journey, function->secondary, NULL);
		if (!below)
			return unsupported(journey);
		function = below;
	}
}

static struct hw_target at_phys(struct journey *journey, phys_addr_t phys);

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
	*phys = phys_in_windows(root, address);
	return *phys != RAM_NO_PHYS || inbound(root, address, phys);
}

/* The requester's number with its segment. */
static dmasim_sbdf as_requester(const struct journey *journey)
{
	return (u32)journey->request->from->bus->root->segment << 16 | journey->requester;
}

static void trace_fault(const struct journey *journey, const struct hw_iommu *iommu, u8 code)
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
				       });
	}
	hop(journey, HW_HOP_FAULT, request->from);
	return arrive(journey, (struct hw_target){
				       .kind = HW_TARGET_FAULT,
				       .fault = why->fault,
				       .fault_flags = why->fault_flags,
				       .phys = RAM_NO_PHYS,
			       });
}

/* Without a translation. */
static struct hw_target pass(struct journey *journey, const struct hw_root *root)
{
	phys_addr_t phys;

	if (!untranslated(root, journey->address, &phys))
		return unsupported(journey);
	return at_phys(journey, phys);
}

static bool is_message(const struct journey *journey)
{
	return journey->address >= VTD_MSI_START && journey->address <= VTD_MSI_LAST &&
	       !journey->request->prefix.present;
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
	hop(journey, HW_HOP_TRANSLATED, journey->request->from);
	return arrive(journey, (struct hw_target){
				       .kind = HW_TARGET_TRANSLATION,
				       .phys = found->phys,
				       .page_lg2 = found->page_lg2,
				       .allows = found->allows,
			       });
}

static struct hw_target at_root(struct journey *journey, const struct hw_root *root)
{
	const struct hw_request *request = journey->request;
	struct hw_iommu *iommu = root->iommu;
	struct hw_translation found;

	journey->passed_root = true;
	hop(journey, HW_HOP_ROOT, request->from);
	if (is_message(journey)) {
		if (!request->write || request->type != HW_REQUEST_UNTRANSLATED)
			return unsupported(journey);
		hop(journey, HW_HOP_INTERRUPT, request->from);
		return arrive(journey, (struct hw_target){ .kind = HW_TARGET_INTERRUPT,
							   .phys = RAM_NO_PHYS });
	}
	if (!iommu && request->type == HW_REQUEST_TRANSLATION)
		return unsupported(journey);
	if (!iommu)
		return pass(journey, root);
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
	hop(journey, HW_HOP_TRANSLATED, request->from);
	return at_phys(journey, found.phys);
}

static struct hw_root *root_of_window(const struct hw *hw, phys_addr_t phys, u64 *bus_address)
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

static struct hw_target at_phys(struct journey *journey, phys_addr_t phys)
{
	u64 ram_bytes = ram_covered(&journey->hw->ram, phys, journey->run_bytes);
	struct hw_function *function;
	struct hw_root *root;

	if (ram_bytes) {
		limit_run(journey, ram_bytes);
		hop(journey, HW_HOP_RAM, journey->request->from);
		return arrive(journey, (struct hw_target){ .kind = HW_TARGET_RAM, .phys = phys });
	}
	root = root_of_window(journey->hw, phys, &journey->address);
	if (!root || !journey->hw->root_forwards)
		return unsupported(journey);
	hop(journey, HW_HOP_FORWARDED, journey->request->from);
	function = claimer(journey, &root->bus, NULL);
	return function ? descend(journey, function) : unsupported(journey);
}

/*
 * Who the request comes from above a bridge. Conventional PCI has no requester IDs: a bridge from
 * there takes requests for its own, one to PCI Express under its secondary bus, devfn 0 (facts
 * "dma-api" 18.2).
 */
static u16 requester_above(const struct hw_function *bridge, u16 below)
{
	switch (bridge->express_type) {
	case PCI_EXP_TYPE_PCI_BRIDGE:
		return (u16)(hw_bus_number(bridge->secondary) << 8);
	case PCI_EXP_TYPE_PCIE_BRIDGE:
	case -1:
		return (u16)hw_function_sbdf(bridge);
	default:
		return below;
	}
}

/*
 * Through a bridge towards the root. False: it does not pass the request. What lies in its own
 * window belongs below it, so it is passed on only if ACS took it away from a peer there.
 */
static bool climb(struct journey *journey, const struct hw_function *bridge)
{
	hop(journey, HW_HOP_UP, bridge);
	if (!bridge->master_enabled)
		return false;
	if (window_has(bridge, journey->address) && !journey->redirected &&
	    journey->request->type != HW_REQUEST_TRANSLATION)
		return false;
	journey->requester = requester_above(bridge, journey->requester);
	return true;
}

struct hw_target hw_route(struct hw *hw, const struct hw_request *request, struct hw_route *route)
{
	struct journey journey = {
		.hw = hw,
		.request = request,
		.route = route,
		.address = request->address,
		.run_bytes = PAGE_BYTES - (request->address & (PAGE_BYTES - 1)),
		.requester = (u16)hw_function_sbdf(request->from),
	};
	struct hw_function *node = request->from;
	const struct hw_bus *bus;

	if (route)
		route->count = 0;
	hop(&journey, HW_HOP_SENT, node);
	if (node->traits.bus_limit && request->address > node->traits.bus_limit)
		return unsupported(&journey);
	for (bus = node->bus; bus->bridge; bus = node->bus) {
		struct hw_function *peer = NULL;

		if (request->type != HW_REQUEST_TRANSLATION)
			peer = claimer(&journey, bus, node);

		if (peer && !(hw_acs_control(node) & PCI_ACS_RR)) {
			hop(&journey, HW_HOP_ACROSS, peer);
			return descend(&journey, peer);
		}
		if (peer) {
			hop(&journey, HW_HOP_REDIRECTED, node);
			journey.redirected = true;
		}
		node = bus->bridge;
		if (!climb(&journey, node))
			return unsupported(&journey);
	}
	return at_root(&journey, bus->root);
}

/* The first on the bus, as for requests. */
static struct hw_function *first_claimer(const struct hw_bus *bus, u64 address)
{
	struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		if (claims(function, address))
			return function;
	}
	return NULL;
}

struct hw_target hw_phys_target(struct hw *hw, phys_addr_t phys)
{
	struct hw_target none = { .kind = HW_TARGET_UNSUPPORTED, .phys = RAM_NO_PHYS };
	u64 left = PAGE_BYTES - (phys & (PAGE_BYTES - 1));
	u64 ram_bytes = ram_covered(&hw->ram, phys, left);
	struct hw_root *root;
	const struct hw_bus *bus;
	u64 address;

	if (ram_bytes)
		return (struct hw_target){ HW_TARGET_RAM, .phys = phys, .run_bytes = ram_bytes };
	root = root_of_window(hw, phys, &address);
	for (bus = root ? &root->bus : NULL; bus;) {
		struct hw_function *found = first_claimer(bus, address);

		if (!found)
			return none;
		if (hw_bar_at(found, address) >= 0) {
			u32 bar = (u32)hw_bar_at(found, address);
			u64 offset = address - found->bar[bar].span.start;
			u64 in_bar = found->bar[bar].bytes - offset;

			return (struct hw_target){
				.kind = HW_TARGET_BAR,
				.phys = phys,
				.function = found,
				.bar = bar,
				.offset = offset,
				.run_bytes = in_bar < left ? in_bar : left,
			};
		}
		bus = found->secondary;
	}
	return none;
}
