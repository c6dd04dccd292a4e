/* SPDX-License-Identifier: MIT */
/*
 * The walk over the numbers that a device's requests may bear: its own, those that its kind is
 * known to use by mistake, and those of bridges that take its requests for theirs.
 */
#include "pci/alias.h"

#define DEVFNS 256

struct pci_dev *pci_real_dma_dev(struct pci_dev *pdev)
{
	return pdev->real_dma ? pdev->real_dma : pdev;
}

bool pci_devs_are_dma_aliases(struct pci_dev *pdev, struct pci_dev *other)
{
	return pci_alias_has(pdev, other->devfn) || pci_alias_has(other, pdev->devfn) ||
	       pci_real_dma_dev(pdev) == other || pci_real_dma_dev(other) == pdev;
}

struct pci_requester pci_own_requester(struct pci_dev *pdev)
{
	struct pci_dev *real = pci_real_dma_dev(pdev);

	return (struct pci_requester){ real, (u16)real->dev.id, 0, 0 };
}

bool pci_bridge_requester(const struct pci_dev *bridge, u16 *id)
{
	u16 secondary = (u16)(bridge->subordinate->number << 8);

	switch (bridge->express_type) {
	case PCI_EXP_TYPE_PCI_BRIDGE:
		*id = secondary;
		return !(bridge->alias_flags & PCI_ALIAS_NONE);
	case PCI_EXP_TYPE_PCIE_BRIDGE:
		*id = (u16)bridge->dev.id;
		return true;
	case -1:
		*id = bridge->alias_flags & PCI_ALIAS_SECONDARY ? secondary : (u16)bridge->dev.id;
		return true;
	default:
		return false;
	}
}

/* The next devfn of the mask; only the device itself has one, bridges come without. */
static bool next_of_mask(struct pci_requester *requester)
{
	struct pci_dev *pdev = requester->of;

	while (requester->next_devfn < DEVFNS) {
		u32 devfn = requester->next_devfn++;

		if (pci_alias_has(pdev, devfn)) {
			requester->id = (u16)(pdev->bus->number << 8 | devfn);
			requester->step++;
			return true;
		}
	}
	return false;
}

bool pci_next_requester(struct pci_requester *requester)
{
	struct pci_dev *at;
	u16 id;

	if (next_of_mask(requester))
		return true;
	for (at = pci_upstream_bridge(requester->of); at; at = pci_upstream_bridge(at)) {
		if (at->alias_flags & PCI_ALIAS_ROOT)
			return false;
		if (pci_bridge_requester(at, &id)) {
			*requester = (struct pci_requester){ at, id, requester->step + 1, DEVFNS };
			return true;
		}
	}
	return false;
}
