/* SPDX-License-Identifier: MIT */
/*
 * Groups: which devices share a domain because nothing on the way keeps them apart
 * (facts "dma-api" 18.1 and 18.3, without aliases and quirk tables).
 */
#include <errno.h>

#include "iommu/iommu.h"
#include "pci/bus.h"

#define ACS_REQUIRED (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

static bool acs_is_on(struct pci_dev *pdev)
{
	u32 capability, required;

	if (!pdev->acs_cap)
		return false;
	/* A capability bit that is 0 is hard-wired to isolating. */
	capability = pci_config_read(pdev, pdev->acs_cap + PCI_ACS_CAP, 2);
	required = ACS_REQUIRED & (capability | PCI_ACS_EC);
	return (pci_acs_control(pdev) & required) == required;
}

bool pci_acs_isolates(struct pci_dev *pdev)
{
	switch (pdev->express_type) {
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_DOWNSTREAM:
		return acs_is_on(pdev);
	case PCI_EXP_TYPE_ENDPOINT:
	case PCI_EXP_TYPE_LEG_END:
	case PCI_EXP_TYPE_RC_END:
	case PCI_EXP_TYPE_UPSTREAM:
		return !pdev->multifunction || acs_is_on(pdev);
	default:
		/* Conventional PCI, bridges to it, event collectors. */
		return false;
	}
}

/* The device that decides the group: the topmost one from which the way up does not isolate. */
static struct pci_dev *deciding_device(struct pci_dev *pdev)
{
	struct pci_dev *deciding = pdev;
	struct pci_dev *bridge;

	for (bridge = pci_upstream_bridge(pdev); bridge; bridge = pci_upstream_bridge(bridge)) {
		if (!pci_acs_isolates(bridge))
			deciding = bridge;
	}
	return deciding;
}

static struct iommu_group *group_of_sibling_functions(struct pci_dev *pdev)
{
	struct pci_dev *other;

	if (!pdev->multifunction || pci_acs_isolates(pdev))
		return NULL;
	for (other = pdev->bus->devices; other; other = other->sibling) {
		if (other != pdev && PCI_SLOT(other->devfn) == PCI_SLOT(pdev->devfn) &&
		    other->dev.iommu_group && !pci_acs_isolates(other))
			return other->dev.iommu_group;
	}
	return NULL;
}

/* The index of the IOMMU whose scope the device is in; -1: none. */
static int unit_index(const struct pci_dev *pdev)
{
	const struct platform_firmware *firmware = pdev->dev.os->firmware;

	for (u32 i = 0; i < firmware->iommu_count; i++) {
		const struct platform_iommu *hw = &firmware->iommu[i];

		if (hw->segment == pdev->bus->segment && pdev->bus->number >= hw->bus_first &&
		    pdev->bus->number <= hw->bus_last)
			return (int)i;
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

bool iommu_will_translate(const struct pci_dev *pdev)
{
	if (pdev->dev.iommu_group)
		return pdev->dev.iommu_group->policy != OS_PASS_THROUGH;
	return unit_index(pdev) >= 0 && wanted_policy(pdev) != OS_PASS_THROUGH;
}

static struct iommu_group *new_group(struct os *os, struct iommu_unit *unit)
{
	struct iommu_group *group = os_alloc(os, DMASIM_FAULT_IOMMU_GROUP, sizeof(*group));

	if (!group)
		return NULL;
	group->id = os->next_group++;
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

/* Bridges come before what is below them, so the deciding device has its group already. */
static int add_to_group(struct os *os, struct pci_dev *pdev, struct iommu_unit *unit)
{
	struct pci_dev *deciding = deciding_device(pdev);
	struct iommu_group *group = deciding->dev.iommu_group;

	if (!group)
		group = group_of_sibling_functions(deciding);
	if (!group)
		group = new_group(os, unit);
	if (!group)
		return -ENOMEM;
	pdev->dev.iommu_group = group;
	hear_wish(group, pdev);
	PLATFORM_EVENT(os->platform, GROUP_ADD, .dev = pdev->dev.id, .group = group->id);
	return 0;
}

int iommu_group_join(struct pci_dev *pdev)
{
	struct os *os = pdev->dev.os;
	int unit = unit_index(pdev);

	return unit >= 0 ? add_to_group(os, pdev, &os->units[unit]) : 0;
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
	os_free(os, group);
}

int iommu_groups_form(struct os *os)
{
	struct pci_dev *pdev;

	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev)) {
		if (iommu_group_join(pdev)) {
			iommu_groups_release(os);
			return -ENOMEM;
		}
	}
	return 0;
}

void iommu_groups_release(struct os *os)
{
	struct pci_dev *pdev;

	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev))
		pdev->dev.iommu_group = NULL;
	while (!SLIST_EMPTY(&os->groups)) {
		struct iommu_group *group = SLIST_FIRST(&os->groups);

		SLIST_REMOVE_HEAD(&os->groups, link);
		os_free(os, group);
	}
	os->next_group = 0;
}
