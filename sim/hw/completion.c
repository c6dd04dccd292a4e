/* SPDX-License-Identifier: MIT */
#include "hw/completion.h"

#include "hw/acs.h"
#include "hw/journey.h"

/* A completion on its way. */
struct way_back {
	struct hw_route *route;
	const struct hw_root *root; /* the requester's */
	u16 requester;
	bool sent_up; /* by CR on the bus below, though the requester is there */
	bool passed_root;
};

static void hop(const struct way_back *back, enum hw_hop_kind kind, dmasim_sbdf at, enum hw_why why)
{
	struct hw_route *route = back->route;

	if (route && route->back_count < HW_HOPS_MAX)
		route->back[route->back_count++] =
			(struct hw_hop){ .kind = kind, .why = why, .at = at };
}

static struct hw_return lost(struct way_back *back, struct hw_function *by, enum hw_why why)
{
	hop(back, hw_why_bit(why) ? HW_HOP_BLOCKED : HW_HOP_UNSUPPORTED, hw_function_sbdf(by), why);
	return (struct hw_return){ HW_COMPLETION_LOST, by, why };
}

/* Its requester is below the bridge: host bridges may have the same bus numbers. */
static bool leads_to(const struct way_back *back, const struct hw_function *bridge)
{
	u8 number = (u8)(back->requester >> 8);

	return bridge->bus->root == back->root && bridge->secondary &&
	       number >= bridge->config[PCI_SECONDARY_BUS] &&
	       number <= bridge->config[PCI_SUBORDINATE_BUS];
}

/* On the bus: under its number, or as a virtual function under one that follows. */
static bool is_on(const struct way_back *back, const struct hw_bus *bus)
{
	const struct hw_function *function;

	if (bus->root != back->root)
		return false;
	if (hw_bus_number(bus) == back->requester >> 8)
		return true;
	TAILQ_FOREACH(function, &bus->functions, link) {
		if (function->bus_ahead && (u16)hw_function_sbdf(function) == back->requester)
			return true;
	}
	return false;
}

/* A bridge on this bus that leads to the requester. */
static struct hw_function *towards(const struct way_back *back, const struct hw_bus *bus,
				   const struct hw_function *except)
{
	struct hw_function *bridge;

	TAILQ_FOREACH(bridge, &bus->functions, link) {
		if (bridge != except && leads_to(back, bridge))
			return bridge;
	}
	return NULL;
}

/*
 * On a bus. The requester has it when it has come to its bus: some send under a number there that
 * nobody has.
 */
static struct hw_return descend(struct way_back *back, const struct hw_bus *bus,
				struct hw_function *from)
{
	while (!is_on(back, bus)) {
		struct hw_function *bridge = towards(back, bus, from);

		if (!bridge)
			return lost(back, from, HW_WHY_LOST);
		hop(back, HW_HOP_DOWN, hw_function_sbdf(bridge), HW_WHY_NONE);
		bus = bridge->secondary;
		from = bridge;
	}
	hop(back, HW_HOP_COMPLETED, (u32)back->root->segment << 16 | back->requester, HW_WHY_NONE);
	return (struct hw_return){
		.way = back->passed_root ? HW_COMPLETION_ROOT : HW_COMPLETION_DIRECT,
	};
}

/*
 * A bridge that the completion climbs to. HW_WHY_LOST or HW_WHY_UF: it does not pass. A root port
 * leaves it to the root complex.
 */
static enum hw_why at_bridge(struct way_back *back, const struct hw_function *bridge)
{
	bool sent_up = back->sent_up;

	back->sent_up = leads_to(back, bridge);
	if (!back->sent_up)
		return HW_WHY_NONE;
	if (bridge->acs & PCI_ACS_UF)
		return HW_WHY_UF_LIFTS;
	if (!sent_up)
		return HW_WHY_LOST;
	return bridge->express_type == PCI_EXP_TYPE_DOWNSTREAM ? HW_WHY_UF : HW_WHY_NONE;
}

/* Functions of one device of the root complex answer each other within it. */
static bool is_neighbour(const struct way_back *back, const struct hw_function *node)
{
	const struct hw_function *requester;

	if (node->secondary || !is_on(back, node->bus))
		return false;
	requester = hw_function_find(node->hw, (u32)back->root->segment << 16 | back->requester);
	return requester ? root_are_neighbours(node, requester)
			 : PCI_SLOT(node->devfn) == PCI_SLOT(back->requester & 0xff);
}

static struct hw_return at_root(struct way_back *back, struct hw_function *node)
{
	const struct hw_root *root = hw_root_of(node);

	if (is_neighbour(back, node) && !(node->acs & PCI_ACS_CR))
		return descend(back, node->bus, node);
	back->passed_root = true;
	hop(back, HW_HOP_ROOT, hw_function_sbdf(node), HW_WHY_NONE);
	if (!root_forwards(root, back->root))
		return lost(back, node, HW_WHY_NOT_FORWARDED);
	return descend(back, &back->root->bus, NULL);
}

struct hw_return hw_complete(struct hw_function *completer, const struct hw_root *root,
			     u16 requester, struct hw_route *route)
{
	struct way_back back = { .route = route, .root = root, .requester = requester };
	struct hw_function *node = completer;

	hop(&back, HW_HOP_SENT, hw_function_sbdf(node), HW_WHY_NONE);
	for (const struct hw_bus *bus = node->bus; bus->bridge; bus = node->bus) {
		bool here = is_on(&back, bus) || towards(&back, bus, node);
		enum hw_why why;

		if (here && !(node->acs & PCI_ACS_CR))
			return descend(&back, bus, node);
		if (here)
			hop(&back, HW_HOP_REDIRECTED, hw_function_sbdf(node), HW_WHY_CR);
		back.sent_up = here || back.sent_up;
		node = bus->bridge;
		why = at_bridge(&back, node);
		hop(&back, HW_HOP_UP, hw_function_sbdf(node), why == HW_WHY_UF_LIFTS ? why : 0);
		if (why == HW_WHY_UF || why == HW_WHY_LOST)
			return lost(&back, node, why);
	}
	while (hw_root_of(node)->endpoint)
		node = hw_root_of(node)->endpoint;
	return at_root(&back, node);
}
