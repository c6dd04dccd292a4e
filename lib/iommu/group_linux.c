/* SPDX-License-Identifier: MIT */
/*
 * Which group a device has to join, as Linux decides it (facts "dma-api" 18.1):
 *
 *   1. a device on the way of its requests' numbers that has a group;
 *   2. from the last of those upwards, every bridge from which the way on does not isolate;
 *   3. from there on the same bus: who goes by the same number;
 *   4. and the other functions of the slot, if neither keeps itself apart.
 *
 *       root bus
 *       --+-----------------
 *         root port                     2. the first test that the way up passes ends the climb
 *         --+----------
 *           bridge to PCI     <- 1. the last device that the numbers name
 *           --+------
 *             device
 */
#include "iommu/group.h"
#include "pci/acs.h"
#include "pci/alias.h"

#define DEVFNS 256

/* The search of one device. */
struct search {
	struct pci_dev *pdev;
	u64 visited[DEVFNS / 64]; /* devfns on the bus that the search has come to, steps 3 and 4 */
};

/* The answer, with the reason. */
static struct iommu_group *join(struct search *search, struct dmasim_group_reason reason)
{
	struct iommu_group *group = reason.other->dev.iommu_group;

	if (!group)
		return NULL;
	search->pdev->group_reason = reason;
	return group;
}

static struct iommu_group *find_by_requester(struct search *search, struct pci_dev **last)
{
	struct pci_requester requester = pci_own_requester(search->pdev);
	struct iommu_group *group;

	do {
		group = join(search, (struct dmasim_group_reason){
					     .kind = DMASIM_GROUP_REQUESTER,
					     .other = requester.of,
					     .id = requester.id,
				     });
		*last = requester.of;
	} while (!group && pci_next_requester(&requester));
	return group;
}

/* *from becomes the device from which the way up isolates. */
static struct iommu_group *find_upwards(struct search *search, struct pci_dev **from)
{
	struct iommu_group *group = NULL;
	struct pci_dev *bridge;

	for (bridge = pci_upstream_bridge(*from); bridge && !group;
	     bridge = pci_upstream_bridge(bridge)) {
		struct pci_dev *blocker = pci_acs_path_blocker(bridge, PCI_ACS_ISOLATION);

		if (!blocker)
			break;
		*from = bridge;
		group = join(search, (struct dmasim_group_reason){
					     .kind = DMASIM_GROUP_BRIDGE,
					     .other = bridge,
					     .at = blocker,
				     });
	}
	return group;
}

static struct iommu_group *find_by_function(struct search *search, struct pci_dev *pdev);

/*
 * The group of the device, or of one on its bus that goes by the same number. Goes no deeper than
 * there are devfns: each is visited once. `reason` is what it means if `pdev` has a group.
 */
static struct iommu_group *find_by_alias(struct search *search, struct pci_dev *pdev,
					 struct dmasim_group_reason reason)
{
	u64 bit = 1ULL << pdev->devfn % 64;
	u64 *visited = &search->visited[pdev->devfn / 64];
	struct iommu_group *group;
	struct pci_dev *other;

	if (*visited & bit)
		return NULL;
	*visited |= bit;
	group = join(search, reason);
	for (other = pdev->bus->devices; other && !group; other = other->sibling) {
		if (other == pdev || !pci_devs_are_dma_aliases(pdev, other))
			continue;
		group = find_by_alias(search, other,
				      (struct dmasim_group_reason){
					      .kind = DMASIM_GROUP_BUS_ALIAS,
					      .other = other,
					      .at = pdev,
				      });
		if (!group)
			group = find_by_function(search, other);
	}
	return group;
}

static struct iommu_group *find_by_function(struct search *search, struct pci_dev *pdev)
{
	struct iommu_group *group = NULL;
	struct pci_dev *other;

	if (!pdev->multifunction || pci_acs_enabled(pdev, PCI_ACS_ISOLATION))
		return NULL;
	for (other = pdev->bus->devices; other && !group; other = other->sibling) {
		if (other == pdev || PCI_SLOT(other->devfn) != PCI_SLOT(pdev->devfn) ||
		    pci_acs_enabled(other, PCI_ACS_ISOLATION))
			continue;
		group = find_by_alias(search, other,
				      (struct dmasim_group_reason){
					      .kind = DMASIM_GROUP_FUNCTION,
					      .other = other,
					      .at = pdev,
				      });
	}
	return group;
}

struct iommu_group *iommu_group_find_linux(struct pci_dev *pdev)
{
	struct search search = { .pdev = pdev };
	struct dmasim_group_reason *reason = &pdev->group_reason;
	struct pci_dev *from;
	struct iommu_group *group;

	*reason = (struct dmasim_group_reason){ .kind = DMASIM_GROUP_FIRST };
	reason->at = pci_upstream_bridge(pdev);
	group = find_by_requester(&search, &from);
	if (!group)
		group = find_upwards(&search, &from);
	/* `from` has no group, or it would have been found. */
	if (!group)
		group = find_by_alias(&search, from, (struct dmasim_group_reason){ .other = from });
	if (!group)
		group = find_by_function(&search, from);
	reason->isolation = pci_acs_judge(reason->at ? reason->at : pdev, PCI_ACS_ISOLATION);
	return group;
}
