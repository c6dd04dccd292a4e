/* SPDX-License-Identifier: MIT */
/*
 * Strict groups: two functions are together if, directly or through others,
 *
 *   - the IOMMU may take the requests of one for those of the other, or
 *   - one reaches the memory of the other with no IOMMU on the way, and be it in that direction
 *     only ("real-bugs" C1 and C2).
 *
 * This file has the first, and the groups; group_reach.c has the second.
 */
#include "iommu/group.h"
#include "pci/acs.h"
#include "pci/alias.h"

#define DEVFNS 256

/* ---- Who stands for a group ------------------------------------------- */

static struct pci_dev *leader_of(struct pci_dev *pdev)
{
	while (pdev->group_notes.leader != pdev) {
		struct pci_group_notes *notes = &pdev->group_notes;

		notes->leader = notes->leader->group_notes.leader;
		pdev = notes->leader;
	}
	return pdev;
}

/* The larger group takes in the smaller one. */
void iommu_group_unite(struct pci_dev *pdev, struct pci_dev *other)
{
	struct pci_dev *a = leader_of(pdev);
	struct pci_dev *b = leader_of(other);
	struct pci_dev *large = a->group_notes.size < b->group_notes.size ? b : a;
	struct pci_dev *small = large == a ? b : a;

	if (a == b)
		return;
	large->group_notes.size += small->group_notes.size;
	small->group_notes.leader = large;
}

void iommu_group_tell(struct pci_dev *pdev, const struct dmasim_group_reason *reason)
{
	if (!pdev->dev.iommu_group && pdev->group_reason.kind == DMASIM_GROUP_APART &&
	    pdev != reason->other)
		pdev->group_reason = *reason;
}

struct iommu_group *iommu_group_find_strict(struct pci_dev *pdev)
{
	return leader_of(pdev)->group_notes.group;
}

void iommu_group_take_strict(struct pci_dev *pdev, struct iommu_group *group)
{
	leader_of(pdev)->group_notes.group = group;
}

/* ---- Numbers of requests ---------------------------------------------- */

static void tell_number(struct pci_dev *pdev, struct pci_dev *other, u16 id)
{
	iommu_group_tell(pdev, &(struct dmasim_group_reason){
				       .kind = DMASIM_GROUP_REQUESTER,
				       .other = other,
				       .id = id,
			       });
}

static void share_number(struct pci_dev *pdev, struct pci_dev *other, u16 id)
{
	if (pdev == other)
		return;
	iommu_group_unite(pdev, other);
	tell_number(pdev, other, id);
	tell_number(other, pdev, id);
}

/*
 * A bridge that sends as itself is one more that uses the number; one that sends as 00.0 of its
 * secondary bus is not, and the first that is found below stands for the number.
 */
static void join_at_bridge(struct pci_dev *pdev, const struct pci_requester *requester)
{
	struct pci_dev *bridge = requester->of;

	if (requester->id == (u16)bridge->dev.id) {
		share_number(pdev, bridge, requester->id);
		return;
	}
	if (!bridge->group_notes.below)
		bridge->group_notes.below = pdev;
	share_number(pdev, bridge->group_notes.below, requester->id);
}

static void join_by_bridges(struct pci_dev *pdev)
{
	struct pci_requester requester = pci_own_requester(pdev);

	if (requester.of != pdev)
		share_number(pdev, requester.of, requester.id);
	while (pci_next_requester(&requester)) {
		if (requester.of->subordinate)
			join_at_bridge(pdev, &requester);
	}
}

/* Whoever uses a number first stands for it. */
static void join_on_bus(struct pci_bus *bus)
{
	struct pci_dev *user[DEVFNS] = { NULL };
	struct pci_dev *pdev;

	for (pdev = bus->devices; pdev; pdev = pdev->sibling)
		user[pdev->devfn] = pdev;
	for (pdev = bus->devices; pdev; pdev = pdev->sibling) {
		for (u32 devfn = 0; devfn < DEVFNS && pci_has_aliases(pdev); devfn++) {
			if (!pci_alias_has(pdev, devfn))
				continue;
			if (!user[devfn])
				user[devfn] = pdev;
			share_number(pdev, user[devfn], (u16)(bus->number << 8 | devfn));
		}
	}
}

static void begin(struct pci_dev *pdev)
{
	struct pci_dev *bridge = pci_upstream_bridge(pdev);

	pdev->group_notes = (struct pci_group_notes){ .leader = pdev, .size = 1 };
	pdev->group_notes.depth = bridge ? bridge->group_notes.depth + 1 : 0;
	/* A group stays what it is, and its reason, whoever comes later. */
	if (pdev->dev.iommu_group)
		return;
	pdev->group_reason = (struct dmasim_group_reason){ DMASIM_GROUP_APART, .at = bridge };
	pdev->group_reason.isolation = pci_acs_judge(bridge ? bridge : pdev, PCI_ACS_ISOLATION);
}

void iommu_groups_join_strictly(struct os *os)
{
	struct pci_dev *pdev;

	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev))
		begin(pdev);
	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev)) {
		join_by_bridges(pdev);
		if (pdev == pdev->bus->devices)
			join_on_bus(pdev->bus);
	}
	iommu_groups_join_by_reach(os);
	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev)) {
		if (pdev->dev.iommu_group)
			iommu_group_take_strict(pdev, pdev->dev.iommu_group);
	}
}
