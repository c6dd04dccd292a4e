/* SPDX-License-Identifier: MIT */
#include "hw/fabric.h"

#include "hw/acs.h"
#include "hw/completion.h"
#include "hw/journey.h"

#define PAGE_BYTES 4096ULL

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
	[HW_HOP_BLOCKED] = "blocked",
	[HW_HOP_COMPLETED] = "completed",
};

const char *hw_hop_name(enum hw_hop_kind kind)
{
	return hop_names[kind];
}

static const struct {
	u16 bit;
	const char *name;
	const char *text;
} whys[] = {
#define WHY(name, acs_bit, words) [HW_WHY_##name] = { acs_bit, #name, words },
	HW_WHYS(WHY)
#undef WHY
};

const char *hw_why_text(enum hw_why why)
{
	return whys[why].text;
}

const char *hw_why_name(enum hw_why why)
{
	return whys[why].name;
}

u16 hw_why_bit(enum hw_why why)
{
	return whys[why].bit;
}

void journey_tell_hop(const struct journey *journey, enum hw_hop_kind kind,
		      const struct hw_function *at, enum hw_why why)
{
	struct hw_route *route = journey->route;
	struct trace *trace = &journey->hw->world->trace;

	if (route && route->count < HW_HOPS_MAX)
		route->hop[route->count++] = (struct hw_hop){
			.kind = kind,
			.why = why,
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

void journey_limit_run(struct journey *journey, u64 bytes)
{
	if (bytes < journey->run_bytes)
		journey->run_bytes = bytes;
}

/* ---- Ends ------------------------------------------------------------------------------------ */

struct hw_target journey_unsupported(struct journey *journey, enum hw_why why)
{
	journey_hop(journey, HW_HOP_UNSUPPORTED, journey->request->from, why);
	return journey_arrive(journey, (struct hw_target){ .kind = HW_TARGET_UNSUPPORTED,
							   .why = why,
							   .carried = journey->address,
							   .phys = RAM_NO_PHYS });
}

struct hw_target journey_blocked(struct journey *journey, struct hw_function *by, enum hw_why why)
{
	journey_hop(journey, HW_HOP_BLOCKED, by, why);
	return journey_arrive(journey, (struct hw_target){ .kind = HW_TARGET_BLOCKED,
							   .why = why,
							   .function = by,
							   .phys = RAM_NO_PHYS });
}

/* ---- On a bus, and down ---------------------------------------------------------------------- */

static bool window_has(const struct hw_function *function, u64 address)
{
	return hw_span_has(function->window, address) ||
	       hw_span_has(function->prefetch_window, address);
}

static bool claims(const struct hw_function *function, u64 address)
{
	return window_has(function, address) || hw_bar_at(function, address) >= 0;
}

struct hw_function *journey_claimer(struct journey *journey, const struct hw_bus *bus,
				    const struct hw_function *except)
{
	struct hw_function *function;

	TAILQ_FOREACH(function, &bus->functions, link) {
		if (function != except && claims(function, journey->address))
			return function;
		for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
			struct hw_span span = function->bar[i].span;

			if (span.start <= span.last && span.start > journey->address)
				journey_limit_run(journey, span.start - journey->address);
		}
	}
	return NULL;
}

phys_addr_t hw_bar_phys(const struct hw_function *function, u32 bar)
{
	return root_phys_in_windows(hw_root_above(function->bus->root),
				    function->bar[bar].span.start);
}

static struct hw_target reach_bar(struct journey *journey, struct hw_function *function, int bar)
{
	const struct hw_span *span = &function->bar[bar].span;
	u64 offset = journey->address - span->start;
	phys_addr_t phys = hw_bar_phys(function, (u32)bar);

	journey_limit_run(journey, function->bar[bar].bytes - offset);
	journey_hop(journey, HW_HOP_BAR, function, HW_WHY_NONE);
	return journey_arrive(journey, (struct hw_target){
					       .kind = HW_TARGET_BAR,
					       .phys = phys == RAM_NO_PHYS ? phys : phys + offset,
					       .function = function,
					       .bar = (u32)bar,
					       .offset = offset,
				       });
}

struct hw_target journey_descend(struct journey *journey, struct hw_function *function)
{
	for (;;) {
		int bar = hw_bar_at(function, journey->address);
		struct hw_function *below = NULL;

		/* What nobody behind the endpoint has is its own. */
		if (bar >= 0 && function->inner)
			below = journey_claimer(journey, &function->inner->bus, NULL);
		if (bar >= 0 && !below)
			return reach_bar(journey, function, bar);
		journey_hop(journey, HW_HOP_DOWN, function, HW_WHY_NONE);
		if (!below)
			below = journey_claimer(journey, function->secondary, NULL);
		if (!below)
			return journey_unsupported(journey, HW_WHY_NOBODY);
		function = below;
	}
}

/* ---- Up -------------------------------------------------------------------------------------- */

/*
 * Who the request comes from above a bridge. Conventional PCI has no requester IDs: a bridge from
 * there takes requests for its own, one to PCI Express under its secondary bus, devfn 0 (facts
 * "dma-api" 18.2).
 */
static u16 requester_above(const struct hw_function *bridge, u16 below)
{
	u16 secondary = (u16)(hw_bus_number(bridge->secondary) << 8);

	if (bridge->traits.alias == HW_ALIAS_SECONDARY)
		return secondary;
	if (bridge->traits.alias != HW_ALIAS_USUAL)
		return below;
	switch (bridge->express_type) {
	case PCI_EXP_TYPE_PCI_BRIDGE:
		return secondary;
	case PCI_EXP_TYPE_PCIE_BRIDGE:
	case -1:
		return (u16)hw_function_sbdf(bridge);
	default:
		return below;
	}
}

/*
 * A request for what lies in a bridge's own windows comes from where it belongs. A port passes it
 * on by upstream forwarding. Another bridge does if ACS below has sent it up, or else refuses it.
 */
static struct acs_ruling own_window(const struct journey *journey, const struct hw_function *bridge)
{
	if (bridge->acs & PCI_ACS_UF)
		return (struct acs_ruling){ ACS_UP, HW_WHY_UF_LIFTS };
	if (!journey->sent_up)
		return (struct acs_ruling){ ACS_BLOCKED, HW_WHY_OWN_WINDOW };
	if (acs_is_downstream_port(bridge))
		return (struct acs_ruling){ ACS_BLOCKED, HW_WHY_UF };
	return (struct acs_ruling){ ACS_UP, HW_WHY_NONE };
}

/* ACS_BLOCKED, or it may pass: ACS_UP, though the address is in the bridge's own windows. */
static struct acs_ruling at_bridge(const struct journey *journey, const struct hw_function *bridge)
{
	enum hw_request_type type = journey->request->type;
	struct acs_ruling ruling = { ACS_DIRECTLY, HW_WHY_NONE };

	if (!bridge->master_enabled)
		return (struct acs_ruling){ ACS_BLOCKED, HW_WHY_MASTER };
	if (bridge->acs & (PCI_ACS_SV | PCI_ACS_TB))
		ruling = acs_admit(bridge, journey->requester, type);
	if (ruling.way != ACS_BLOCKED && type != HW_REQUEST_TRANSLATION &&
	    window_has(bridge, journey->address))
		ruling = own_window(journey, bridge);
	return ruling;
}

/* Through a bridge towards the root. ACS_BLOCKED: it does not pass the request. */
static struct acs_ruling climb(struct journey *journey, const struct hw_function *bridge)
{
	struct acs_ruling ruling = at_bridge(journey, bridge);

	journey->sent_up = ruling.way == ACS_UP;
	journey_hop(journey, HW_HOP_UP, bridge, journey->sent_up ? ruling.why : HW_WHY_NONE);
	if (ruling.way == ACS_BLOCKED || journey->alias_last)
		return ruling;
	journey->requester = requester_above(bridge, journey->requester);
	journey->alias_last = bridge->traits.alias == HW_ALIAS_LAST;
	return ruling;
}

static struct hw_target stopped(struct journey *journey, struct hw_function *by, enum hw_why why)
{
	return hw_why_bit(why) ? journey_blocked(journey, by, why)
			       : journey_unsupported(journey, why);
}

/* Out of a domain of its own: from here on the endpoint asks. False: it does not. */
static bool leave_domain(struct journey *journey, const struct hw_function *endpoint)
{
	journey_hop(journey, HW_HOP_UP, endpoint, HW_WHY_NONE);
	journey->requester = (u16)hw_function_sbdf(endpoint);
	journey->root = hw_root_of(endpoint);
	return endpoint->master_enabled;
}

static struct hw_target travel(struct journey *journey)
{
	enum hw_request_type type = journey->request->type;
	struct hw_function *node = journey->request->from;

	for (const struct hw_bus *bus = node->bus; bus->bridge || bus->root->endpoint;
	     bus = node->bus) {
		struct hw_function *peer = NULL;
		struct acs_ruling ruling;

		if (!bus->bridge) {
			node = bus->root->endpoint;
			if (!leave_domain(journey, node))
				return stopped(journey, node, HW_WHY_MASTER);
			continue;
		}
		if (type != HW_REQUEST_TRANSLATION)
			peer = journey_claimer(journey, bus, node);
		if (peer) {
			ruling = acs_towards(node, peer, type);
			if (ruling.way == ACS_BLOCKED)
				return journey_blocked(journey, node, ruling.why);
			if (ruling.way == ACS_DIRECTLY) {
				journey_hop(journey, HW_HOP_ACROSS, peer, ruling.why);
				return journey_descend(journey, peer);
			}
			journey_hop(journey, HW_HOP_REDIRECTED, node, ruling.why);
			journey->sent_up = true;
		}
		node = bus->bridge;
		ruling = climb(journey, node);
		if (ruling.way == ACS_BLOCKED)
			return stopped(journey, node, ruling.why);
	}
	return journey_at_root(journey, node);
}

static u16 requester_of(const struct hw_request *request)
{
	const struct hw_traits *traits = &request->from->traits;
	u16 own = (u16)hw_function_sbdf(request->from);

	if (request->forged)
		return request->requester;
	return traits->sends_as_other ? (own & 0xff00) | traits->sends_as : own;
}

/* Data that a BAR has for the requester takes its own way back. */
static void complete(struct journey *journey, struct hw_target *target)
{
	struct hw_return back =
		hw_complete(target->function, journey->root, journey->requester, journey->route);

	if (back.way == HW_COMPLETION_LOST)
		*target = stopped(journey, back.by, back.why);
	target->completion = back.way;
}

static struct hw_target send(struct hw *hw, const struct hw_request *request,
			     struct hw_route *route)
{
	struct journey journey = {
		.hw = hw,
		.request = request,
		.route = route,
		.address = request->address,
		.run_bytes = PAGE_BYTES - (request->address & (PAGE_BYTES - 1)),
		.requester = requester_of(request),
		.root = hw_root_of(request->from),
	};
	const struct hw_function *from = request->from;
	struct hw_target target;

	if (route)
		route->count = route->back_count = 0;
	journey_hop(&journey, HW_HOP_SENT, from, HW_WHY_NONE);
	if (request->heeds_master && !from->master_enabled)
		target = journey_unsupported(&journey, HW_WHY_REQUESTER_MASTER);
	else if (from->traits.bus_limit && request->address > from->traits.bus_limit)
		target = journey_unsupported(&journey, HW_WHY_WAY);
	else
		target = travel(&journey);
	if (target.kind == HW_TARGET_BAR && !request->write)
		complete(&journey, &target);
	return target;
}

struct hw_target hw_route(struct hw *hw, const struct hw_request *request, struct hw_route *route)
{
	if (DMASIM_UNLIKELY(hw->told))
		return hw->told->route(hw->told, request);
	return send(hw, request, route);
}

/* ---- The CPU's view -------------------------------------------------------------------------- */

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

	if (DMASIM_UNLIKELY(hw->told))
		return hw->told->at(hw->told, phys);
	if (ram_bytes)
		return (struct hw_target){ HW_TARGET_RAM, .phys = phys, .run_bytes = ram_bytes };
	root = root_of_window(hw, phys, &address);
	for (bus = root ? &root->bus : NULL; bus;) {
		struct hw_function *found = first_claimer(bus, address);

		if (!found)
			return none;
		if (hw_bar_at(found, address) >= 0 &&
		    !(found->inner && first_claimer(&found->inner->bus, address))) {
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
		bus = found->inner ? &found->inner->bus : found->secondary;
	}
	return none;
}
