/* SPDX-License-Identifier: MIT */
/*
 * Groups: which devices share a domain, by one policy or the other; what no IOMMU covers is in
 * none.
 */
#include "iommu/group.h"

#include <errno.h>

#include "pci/alias.h"
#include "pci/bus.h"

/* AMD's IOMMU is a function 00.2 beside the host bridge 00.0: it translates neither. */
static bool is_beside_unit(struct pci_dev *pdev, const struct platform_iommu *hw)
{
	u32 class_code = pdev->class_code >> 8;

	if (hw->arch != PLATFORM_IOMMU_AMD || pci_upstream_bridge(pdev))
		return false;
	return (pdev->devfn == PCI_DEVFN(0, 0) && class_code == PCI_CLASS_BRIDGE_HOST) ||
	       (pdev->devfn == PCI_DEVFN(0, 2) && class_code == PCI_CLASS_SYSTEM_IOMMU);
}

/* The index of the IOMMU that takes the device's requests; -1: none. */
static int unit_index(struct pci_dev *sender)
{
	const struct platform_firmware *firmware = sender->dev.os->firmware;
	struct pci_dev *pdev = pci_real_dma_dev(sender);

	for (u32 i = 0; i < firmware->iommu_count; i++) {
		const struct platform_iommu *hw = &firmware->iommu[i];

		if (hw->segment == pdev->bus->segment && pdev->bus->number >= hw->bus_first &&
		    pdev->bus->number <= hw->bus_last)
			return is_beside_unit(pdev, hw) ? -1 : (int)i;
	}
	return -1;
}

/* What the device asks for; an untrusted one is never left alone, and never lazily unmapped. */
static enum os_policy wanted_policy(const struct pci_dev *pdev)
{
	if (pdev->dev.untrusted)
		return OS_STRICT;
	return pdev->policy_set ? pdev->policy : pdev->dev.os->policy;
}

bool iommu_will_translate(struct pci_dev *pdev)
{
	if (pdev->dev.iommu_group)
		return pdev->dev.iommu_group->policy != OS_PASS_THROUGH;
	return unit_index(pdev) >= 0 && wanted_policy(pdev) != OS_PASS_THROUGH;
}

static bool has_group(const struct os *os, u32 id)
{
	const struct iommu_group *group;

	SLIST_FOREACH(group, &os->groups, link) {
		if (group->id == id)
			return true;
	}
	return false;
}

/* The lowest number that no group has. Numbers below `next` with no group are what is rare. */
static u32 take_id(struct os *os)
{
	u32 id = os->free_group;

	if (id == os->next_group)
		os->next_group++;
	do {
		os->free_group++;
	} while (os->free_group < os->next_group && has_group(os, os->free_group));
	return id;
}

static struct iommu_group *new_group(struct os *os, struct iommu_unit *unit)
{
	struct iommu_group *group = os_alloc(os, DMASIM_FAULT_IOMMU_GROUP, sizeof(*group));

	if (!group)
		return NULL;
	group->id = take_id(os);
	group->unit = unit;
	group->policy = os->policy;
	SLIST_INSERT_HEAD(&os->groups, group, link);
	return group;
}

/* Who says nothing does not count; of those who do the most careful decides for all. */
static void hear_wish(struct iommu_group *group, const struct pci_dev *pdev)
{
	enum os_policy wanted = wanted_policy(pdev);

	if (!pdev->policy_set && !pdev->dev.untrusted)
		return;
	if (!group->policy_said || wanted < group->policy)
		group->policy = wanted;
	group->policy_said = true;
}

static bool is_strict(const struct os *os)
{
	return os->group_policy == DMASIM_GROUPS_STRICT;
}

static int add_to_group(struct os *os, struct pci_dev *pdev, struct iommu_unit *unit)
{
	struct iommu_group *group = is_strict(os) ? iommu_group_find_strict(pdev)
						  : iommu_group_find_linux(pdev);

	if (!group)
		group = new_group(os, unit);
	if (!group)
		return -ENOMEM;
	if (is_strict(os))
		iommu_group_take_strict(pdev, group);
	pdev->dev.iommu_group = group;
	hear_wish(group, pdev);
	PLATFORM_EVENT(os->platform, GROUP_ADD, .dev = pdev->dev.id, .group = group->id);
	return 0;
}

static int join_group(struct pci_dev *pdev)
{
	struct os *os = pdev->dev.os;
	int unit = unit_index(pdev);

	if (unit >= 0)
		return add_to_group(os, pdev, &os->units[unit]);
	pdev->group_reason = (struct dmasim_group_reason){ 0 };
	return 0;
}

int iommu_group_join(struct pci_dev *pdev)
{
	if (is_strict(pdev->dev.os))
		iommu_groups_join_strictly(pdev->dev.os);
	return join_group(pdev);
}

static bool has_devices(struct os *os, const struct iommu_group *group)
{
	struct pci_dev *pdev = pci_next_device(os, NULL);

	while (pdev && pdev->dev.iommu_group != group)
		pdev = pci_next_device(os, pdev);
	return pdev;
}

void iommu_group_leave(struct pci_dev *pdev)
{
	struct iommu_group *group = pdev->dev.iommu_group;
	struct os *os = pdev->dev.os;

	pdev->dev.iommu_group = NULL;
	if (!group || has_devices(os, group))
		return;
	if (group->domain)
		iommu_domain_destroy(group->domain);
	SLIST_REMOVE(&os->groups, group, iommu_group, link);
	if (group->id < os->free_group)
		os->free_group = group->id;
	os_free(os, group);
}

int iommu_groups_form(struct os *os)
{
	struct pci_dev *pdev;

	if (is_strict(os))
		iommu_groups_join_strictly(os);
	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev)) {
		if (join_group(pdev)) {
			iommu_groups_release(os);
			return -ENOMEM;
		}
	}
	return 0;
}

void iommu_groups_release(struct os *os)
{
	struct pci_dev *pdev;

	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev)) {
		pdev->dev.iommu_group = NULL;
		pdev->group_reason = (struct dmasim_group_reason){ 0 };
	}
	while (!SLIST_EMPTY(&os->groups)) {
		struct iommu_group *group = SLIST_FIRST(&os->groups);

		SLIST_REMOVE_HEAD(&os->groups, link);
		os_free(os, group);
	}
	os->next_group = 0;
	os->free_group = 0;
}
