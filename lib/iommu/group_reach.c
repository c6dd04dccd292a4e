/* SPDX-License-Identifier: MIT */
/*
 * Who reaches whose memory with no IOMMU on the way, for strict groups.
 *
 * A request leaves its way up where a function on the same bus claims the address, and ACS of the
 * function through which it came to that bus lets it. So a bus is looked at as a whole: what is
 * below one function of it reaches what is below another, or does not.
 *
 *   --+-------------+-------------+--     a bus
 *     from          to                    ACS of `from` decides; `to` leads to what lies in its
 *     --+---+--     --+---+--             windows and BARs
 *       all         what is reached
 *
 * Memory that is assigned counts as decoded, and every bridge as forwarding: drivers switch that on
 * when they come, and the group is made before. What the tables of ids say of isolation does not
 * count: no request asks them.
 */
#include "iommu/group.h"
#include "pci/acs.h"
#include "pci/p2p_judge.h"

/* ---- What a function leads to ----------------------------------------- */

/* The next device below `top`, which is the first itself; NULL: no more. */
static struct pci_dev *next_below(const struct pci_dev *top, struct pci_dev *pdev)
{
	struct pci_dev *next = pci_next_device(pdev->dev.os, pdev);

	return next && next->group_notes.depth > top->group_notes.depth ? next : NULL;
}

/* Leaves of a range what one of the bridge's windows has of it; false: nothing. */
static bool clip(const struct pci_dev *bridge, u64 *start, u64 *last)
{
	const struct pci_bridge_window *windows[] = { &bridge->window, &bridge->prefetch_window };

	for (u32 i = 0; i < 2; i++) {
		u64 from = *start > windows[i]->start ? *start : windows[i]->start;
		u64 to = *last < windows[i]->last ? *last : windows[i]->last;

		if (from <= to) {
			*start = from;
			*last = to;
			return true;
		}
	}
	return false;
}

/* How many bridges above the device lead to the BAR; -1: it is not assigned. */
static s32 bridges_to_bar(struct pci_dev *pdev, int bar)
{
	struct pci_dev *bridge;
	u64 start, last;
	s32 count = 0;

	if (!(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
		return -1;
	start = pci_bus_address(pdev, bar);
	last = start + pci_resource_len(pdev, bar) - 1;
	if (!start)
		return -1;
	for (bridge = pci_upstream_bridge(pdev); bridge && clip(bridge, &start, &last);
	     bridge = pci_upstream_bridge(bridge))
		count++;
	return count;
}

static void find_bridges_to(struct pci_dev *pdev)
{
	pdev->group_notes.bridges_to = -1;
	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		s32 count = bridges_to_bar(pdev, bar);

		if (count > pdev->group_notes.bridges_to)
			pdev->group_notes.bridges_to = count;
	}
}

/* True if a request for some address that `top` claims on its bus arrives at the device. */
static bool leads_to(const struct pci_dev *top, const struct pci_dev *pdev)
{
	s32 below = pdev->group_notes.depth - top->group_notes.depth;

	return pdev->group_notes.bridges_to >= below;
}

/* ---- One bus ---------------------------------------------------------- */

/* What is the same for all of it. */
struct bus_rules {
	bool is_root;
	bool is_conventional;
	bool root_forwards; /* from one of its ports to another */
};

static struct pci_dev *first_of(struct pci_bus *bus)
{
	while (bus && !bus->devices)
		bus = bus->next_virtual;
	return bus ? bus->devices : NULL;
}

/* The next function of the bus, virtual functions with other bus numbers being the last. */
static struct pci_dev *next_on_bus(struct pci_dev *pdev)
{
	struct pci_bus *bus = pdev->bus;

	if (pdev->sibling)
		return pdev->sibling;
	return first_of(bus->parent ? bus->next_virtual : bus->virtual_buses);
}

/* Between ports of one host bridge, as peer-to-peer verdicts have it. */
static bool root_forwards(const struct pci_bus *root)
{
	const struct dmasim_p2p_host host[2] = { p2p_host(root->devices) };
	enum dmasim_p2p_reason reason;

	return p2p_hosts_forward(root->os, host, true, &reason);
}

static struct bus_rules rules_of(const struct pci_bus *bus)
{
	struct bus_rules rules = { .is_root = !bus->bridge };

	if (rules.is_root)
		rules.root_forwards = root_forwards(bus);
	else
		rules.is_conventional = bus->bridge->express_type < 0 ||
					bus->bridge->express_type == PCI_EXP_TYPE_PCI_BRIDGE;
	return rules;
}

/*
 * The ACS bits that are on, of those that functions have which point to others. Who has ACS without
 * the capability of RR need not send to peers at all; that it does is the careful reading.
 */
static u16 acs_bits(const struct pci_dev *pdev)
{
	switch (pdev->express_type) {
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_DOWNSTREAM:
	case PCI_EXP_TYPE_UPSTREAM:
	case PCI_EXP_TYPE_ENDPOINT:
	case PCI_EXP_TYPE_LEG_END:
	case PCI_EXP_TYPE_RC_END:
		return pci_acs_control(pdev) & pdev->acs_capabilities;
	default:
		return 0;
	}
}

static void look_at(const struct bus_rules *rules, struct pci_dev *pdev)
{
	struct pci_group_notes *notes = &pdev->group_notes;
	u16 bits = rules->is_conventional ? 0 : acs_bits(pdev);

	for (notes->reached = pdev; notes->reached && !leads_to(pdev, notes->reached);)
		notes->reached = next_below(pdev, notes->reached);
	notes->lets_across = !(bits & PCI_ACS_RR);
	notes->has_vector = bits & PCI_ACS_EC;
}

static bool is_downward_port(const struct pci_dev *pdev)
{
	return pdev->express_type == PCI_EXP_TYPE_ROOT_PORT ||
	       pdev->express_type == PCI_EXP_TYPE_DOWNSTREAM;
}

/*
 * The number by which an egress control vector knows a function: a port's, or a function's, which
 * has 8 bits where the device has the bus for itself. -1: what has no port number.
 */
static s32 egress_number(const struct pci_dev *from, const struct pci_dev *to)
{
	if (!is_downward_port(from))
		return (s32)(to->group_notes.depth ? to->devfn : PCI_FUNC(to->devfn));
	if (!to->express_cap)
		return -1;
	return (s32)(pci_config_read(to, to->express_cap + PCI_EXP_LNKCAP, 4) >>
		     PCI_EXP_LNKCAP_PN_SHIFT);
}

/* With a vector, only what has its bit clear is reached; beyond its end there are no bits. */
static bool vector_lets_across(const struct pci_dev *from, const struct pci_dev *to)
{
	s32 number = egress_number(from, to);
	u32 bits = pci_config_read(from, from->acs_cap + PCI_ACS_CAP, 2) >> 8;
	u32 at;

	if (number < 0 || number >= (s32)(bits ? bits : 256))
		return true;
	at = from->acs_cap + PCI_ACS_EGRESS_CTL_V + (u32)number / 32 * 4;
	return !(pci_config_read(from, at, 4) >> number % 32 & 1);
}

static u32 slot_of(struct pci_dev *pdev)
{
	return PCI_SLOT(pci_physfn(pdev)->devfn);
}

/*
 * What the root complex hands across: within one device of its own; and, if it forwards, from one
 * of its ports to another.
 */
static bool meet(const struct bus_rules *rules, struct pci_dev *from, struct pci_dev *to)
{
	if (!rules->is_root)
		return true;
	if (is_downward_port(from) && is_downward_port(to))
		return rules->root_forwards;
	return !from->subordinate && !to->subordinate && slot_of(from) == slot_of(to);
}

static bool reaches(const struct bus_rules *rules, struct pci_dev *from, struct pci_dev *to)
{
	if (from == to || !to->group_notes.reached || !meet(rules, from, to))
		return false;
	if (from->group_notes.has_vector)
		return vector_lets_across(from, to);
	return from->group_notes.lets_across;
}

static struct dmasim_isolation isolation_of(const struct bus_rules *rules,
					    const struct pci_dev *from)
{
	if (rules->is_conventional)
		return (struct dmasim_isolation){ .by = DMASIM_ISOLATION_CONVENTIONAL };
	return (struct dmasim_isolation){
		.by = from->acs_cap ? DMASIM_ISOLATION_ACS : DMASIM_ISOLATION_NO_ACS,
		.missing = from->group_notes.has_vector ? PCI_ACS_EC : PCI_ACS_RR,
	};
}

/* All that is at or below `from` is in one group. */
static void join_sources(struct pci_dev *from, const struct dmasim_group_reason *reason)
{
	struct pci_dev *pdev;

	if (from->group_notes.sources_joined)
		return;
	from->group_notes.sources_joined = true;
	for (pdev = from; pdev; pdev = next_below(from, pdev)) {
		iommu_group_unite(pdev, from);
		iommu_group_tell(pdev, reason);
	}
}

/* So is all that `to` leads to. */
static void join_targets(struct pci_dev *to, const struct dmasim_group_reason *reason)
{
	struct pci_dev *pdev;

	if (to->group_notes.targets_joined)
		return;
	to->group_notes.targets_joined = true;
	for (pdev = to; pdev; pdev = next_below(to, pdev)) {
		if (!leads_to(to, pdev))
			continue;
		iommu_group_unite(pdev, to->group_notes.reached);
		iommu_group_tell(pdev, reason);
	}
}

static void join(const struct bus_rules *rules, struct pci_dev *from, struct pci_dev *to)
{
	struct dmasim_group_reason reason = {
		.kind = DMASIM_GROUP_REACHES,
		.other = to->group_notes.reached,
		.at = from,
		.isolation = isolation_of(rules, from),
	};

	join_sources(from, &reason);
	reason.kind = DMASIM_GROUP_REACHED;
	reason.other = from;
	join_targets(to, &reason);
	iommu_group_unite(from, to->group_notes.reached);
}

/* Which functions are on one bus is bounded, so every pair may be looked at. */
static void join_bus(struct pci_bus *bus)
{
	struct bus_rules rules = rules_of(bus);
	struct pci_dev *from, *to;

	for (from = first_of(bus); from; from = next_on_bus(from))
		look_at(&rules, from);
	for (from = first_of(bus); from; from = next_on_bus(from)) {
		for (to = first_of(bus); to; to = next_on_bus(to)) {
			if (reaches(&rules, from, to))
				join(&rules, from, to);
		}
	}
}

void iommu_groups_join_by_reach(struct os *os)
{
	struct pci_dev *pdev;

	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev))
		find_bridges_to(pdev);
	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev)) {
		if (pdev == pdev->bus->devices && !pdev->bus->parent)
			join_bus(pdev->bus);
	}
}
