/* SPDX-License-Identifier: MIT */
/*
 * Address Translation Services: the device's side, as an IOMMU's driver uses it. Names and answers
 * are those of Linux; where the registers' meaning is from memory it says [M] (hw/pci.h).
 */
#ifndef PCI_ATS_H
#define PCI_ATS_H

#include <dmasim/pci.h>

/* A device that somebody may have plugged in could say it has translated what it has not. */
bool pci_ats_supported(const struct pci_dev *pdev);

/* How many invalidations of its TLB it takes at once: 1 to 32. */
u32 pci_ats_queue_depth(const struct pci_dev *pdev);

/* ps: log2 of the smallest page, at least 12. 0; -EINVAL: not supported; -EBUSY: it is on. */
int pci_enable_ats(struct pci_dev *pdev, int ps);
/* Its TLB is empty before. One that is off stays so. */
void pci_disable_ats(struct pci_dev *pdev);

#endif
