/* SPDX-License-Identifier: MIT */
/*
 * The numbers that a device's requests may bear at the IOMMU (facts "dma-api" 18.2).
 */
#ifndef PCI_ALIAS_H
#define PCI_ALIAS_H

#include "pci/bus.h"

/* Flags of a bridge that other bridges do not have (facts 19.5). */
#define PCI_ALIAS_SECONDARY 0x01 /* conventional, yet it sends as its secondary bus, 00.0 */
#define PCI_ALIAS_NONE	    0x02 /* it takes nothing for its own */
#define PCI_ALIAS_ROOT	    0x04 /* translation takes place below it */

/*
 * One step of the walk: a number, and whose it is. A number may come up more than once: a bridge
 * can take a device's requests for those of 00.0 below it, and the device be that.
 */
struct pci_requester {
	struct pci_dev *of; /* the device, then bridges above it that take its requests for theirs
			     */
	u16 id;
	u32 step; /* from 0 */
	/* The walk's own: the next devfn of the mask to look at. */
	u32 next_devfn;
};

struct pci_requester pci_own_requester(struct pci_dev *pdev);
/* False: that was the last; it stays. */
bool pci_next_requester(struct pci_requester *requester);

/* Who sends for the device: itself, or for devices behind VMD the VMD's function. */
struct pci_dev *pci_real_dma_dev(struct pci_dev *pdev);

/* Both on one bus: true if one may go by the other's number. */
bool pci_devs_are_dma_aliases(struct pci_dev *pdev, struct pci_dev *other);

/* The number that the bridge puts into requests from below; false: it leaves theirs. */
bool pci_bridge_requester(const struct pci_dev *bridge, u16 *id);

/* At enumeration: what the tables of ids say of the device. */
void pci_alias_init(struct pci_dev *pdev);

static inline bool pci_has_aliases(const struct pci_dev *pdev)
{
	return pdev->dma_alias[0] | pdev->dma_alias[1] | pdev->dma_alias[2] | pdev->dma_alias[3];
}

static inline bool pci_alias_has(const struct pci_dev *pdev, u32 devfn)
{
	return pdev->dma_alias[devfn / 64] >> devfn % 64 & 1;
}

#endif
