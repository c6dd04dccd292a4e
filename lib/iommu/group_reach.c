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
#include "pci/p2p_allow.h"

#define DEVFNS 256

/* ---- What a function leads to ----------------------------------------- */

/* The next device below `top`, `top` itself being the first; NULL: no more. */
static struct pci_dev *next_below(const struct pci_dev *top, struct pci_dev *pdev)
{
	if (pdev->subordinate && pdev->subordinate->devices)
		return pdev->subordinate->devices;
	for (; pdev != top; pdev = pci_upstream_bridge(pdev)) {
		if (pdev->sibling)
			return pdev->sibling;
	}
	return NULL;
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

static bool is_root_port(const struct pci_dev *pdev)
{
	return pdev->express_type == PCI_EXP_TYPE_ROOT_PORT && !pdev->bus->bridge;
}

/* True if a request for some address that `top` claims on its bus arrives at the device. */
static bool leads_to(const struct pci_dev *top, const struct pci_dev *pdev)
{
	s32 below = pdev->group_notes.depth - top->group_notes.depth;

	/* A root port is asked for what lies behind it. */
	if (pdev == top && is_root_port(top))
		return false;
	return pdev->group_notes.bridges_to >= below;
}

/* ---- One bus ---------------------------------------------------------- */

/* A function of the bus. */
struct member {
	struct pci_dev *pdev;
	struct pci_dev *reached; /* one that it leads to; NULL: it leads to nobody */
	bool lets_across;	 /* its ACS does, for others on the bus in general */
	bool has_vector;	 /* its ACS says for each one */
	bool sources_joined;
	bool targets_joined;
};

struct whole_bus {
	bool is_root;
	bool is_conventional;
	bool root_forwards; /* between its ports */
	u32 count;
	struct member member[DEVFNS];
};

static struct pci_dev *first_reached(struct pci_dev *top)
{
	struct pci_dev *pdev = top;

	while (pdev && !leads_to(top, pdev))
		pdev = next_below(top, pdev);
	return pdev;
}

static void add_member(struct whole_bus *whole, struct pci_dev *pdev)
{
	struct member *member = &whole->member[whole->count++];
	u16 control = pci_acs_control(pdev);

	*member = (struct member){ .pdev = pdev, .reached = first_reached(pdev) };
	member->lets_across = whole->is_conventional || !pdev->acs_cap ||
			      pci_acs_missing(PCI_ACS_RR, pdev->acs_capabilities, control);
	member->has_vector = !whole->is_conventional && control & PCI_ACS_EC;
}

/*
 * The function that stands for a host bridge knows whether it forwards: the first of its bus, if
 * that is 00.0 or a root port.
 */
static bool root_forwards(const struct pci_bus *root)
{
	const struct platform_firmware *firmware = root->os->firmware;
	const struct pci_dev *host = root->devices;

	if (p2p_allow_cpu(firmware->cpu_vendor, firmware->cpu_family))
		return true;
	if (host->devfn && host->express_type != PCI_EXP_TYPE_ROOT_PORT)
		return false;
	return p2p_allow(host->vendor, host->device) != P2P_ALLOW_NONE;
}

static void look_at(struct whole_bus *whole, const struct pci_bus *bus)
{
	struct pci_dev *pdev;

	whole->is_root = !bus->bridge;
	whole->is_conventional = bus->bridge &&
				 (bus->bridge->express_type < 0 ||
				  bus->bridge->express_type == PCI_EXP_TYPE_PCI_BRIDGE);
	whole->root_forwards = whole->is_root && root_forwards(bus);
	whole->count = 0;
	for (pdev = bus->devices; pdev; pdev = pdev->sibling)
		add_member(whole, pdev);
}

/* The number by which an egress control vector knows a function: a port's, or a function's. */
static u32 egress_number(const struct pci_dev *from, const struct pci_dev *to)
{
	if (from->express_type != PCI_EXP_TYPE_ROOT_PORT &&
	    from->express_type != PCI_EXP_TYPE_DOWNSTREAM)
		return PCI_FUNC(to->devfn);
	return pci_config_read(to, to->express_cap + PCI_EXP_LNKCAP, 4) >> PCI_EXP_LNKCAP_PN_SHIFT;
}

/* With a vector, only what has its bit clear is reached; beyond its end there are no bits. */
static bool vector_lets_across(const struct pci_dev *from, const struct pci_dev *to)
{
	u32 number = egress_number(from, to);
	u32 bits = pci_config_read(from, from->acs_cap + PCI_ACS_CAP, 2) >> 8;
	u32 at = from->acs_cap + PCI_ACS_EGRESS_CTL_V + number / 32 * 4;

	if (number >= (bits ? bits : 256))
		return true;
	return !(pci_config_read(from, at, 4) >> number % 32 & 1);
}

/* The root complex hands nothing across but between its ports, and within a device. */
static bool meet(const struct whole_bus *whole, const struct pci_dev *from,
		 const struct pci_dev *to)
{
	if (!whole->is_root)
		return true;
	if (is_root_port(from) && is_root_port(to))
		return whole->root_forwards;
	return PCI_SLOT(from->devfn) == PCI_SLOT(to->devfn);
}

static bool reaches(const struct whole_bus *whole, const struct member *from,
		    const struct member *to)
{
	if (from == to || !to->reached || !meet(whole, from->pdev, to->pdev))
		return false;
	if (from->has_vector)
		return vector_lets_across(from->pdev, to->pdev);
	return from->lets_across;
}

static struct dmasim_isolation isolation_of(const struct whole_bus *whole,
					    const struct member *from)
{
	if (whole->is_conventional)
		return (struct dmasim_isolation){ .by = DMASIM_ISOLATION_CONVENTIONAL };
	return (struct dmasim_isolation){
		.by = from->pdev->acs_cap ? DMASIM_ISOLATION_ACS : DMASIM_ISOLATION_NO_ACS,
		.missing = from->has_vector ? PCI_ACS_EC : PCI_ACS_RR,
	};
}

/* All that is at or below `from` is in one group. */
static void join_sources(struct member *from, const struct dmasim_group_reason *reason)
{
	struct pci_dev *pdev;

	if (from->sources_joined)
		return;
	from->sources_joined = true;
	for (pdev = from->pdev; pdev; pdev = next_below(from->pdev, pdev)) {
		iommu_group_unite(pdev, from->pdev);
		iommu_group_tell(pdev, reason);
	}
}

/* So is all that `to` leads to. */
static void join_targets(struct member *to, const struct dmasim_group_reason *reason)
{
	struct pci_dev *pdev;

	if (to->targets_joined)
		return;
	to->targets_joined = true;
	for (pdev = to->pdev; pdev; pdev = next_below(to->pdev, pdev)) {
		if (!leads_to(to->pdev, pdev))
			continue;
		iommu_group_unite(pdev, to->reached);
		iommu_group_tell(pdev, reason);
	}
}

static void join(const struct whole_bus *whole, struct member *from, struct member *to)
{
	struct dmasim_group_reason reason = {
		.kind = DMASIM_GROUP_REACHES,
		.other = to->reached,
		.at = from->pdev,
		.isolation = isolation_of(whole, from),
	};

	join_sources(from, &reason);
	reason.kind = DMASIM_GROUP_REACHED;
	reason.other = from->pdev;
	join_targets(to, &reason);
	iommu_group_unite(from->pdev, to->reached);
}

static void join_bus(const struct pci_bus *bus)
{
	struct whole_bus whole;

	look_at(&whole, bus);
	for (u32 from = 0; from < whole.count; from++) {
		for (u32 to = 0; to < whole.count; to++) {
			if (reaches(&whole, &whole.member[from], &whole.member[to]))
				join(&whole, &whole.member[from], &whole.member[to]);
		}
	}
}

void iommu_groups_join_by_reach(struct os *os)
{
	struct pci_dev *pdev;

	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev))
		find_bridges_to(pdev);
	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev)) {
		if (pdev == pdev->bus->devices)
			join_bus(pdev->bus);
	}
}
