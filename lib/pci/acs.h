/* SPDX-License-Identifier: MIT */
/*
 * Access control: what keeps functions apart (facts "dma-api" 18.3, 18.4 and 19).
 */
#ifndef PCI_ACS_H
#define PCI_ACS_H

#include "pci/bus.h"

/* What groups ask for. */
#define PCI_ACS_ISOLATION (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

/* The isolation test with its reason; flags: PCI_ACS_ bits that are asked for. */
struct dmasim_isolation pci_acs_judge(struct pci_dev *pdev, u16 flags);
bool pci_acs_enabled(struct pci_dev *pdev, u16 flags);

/* The first function from `start` up to the root bus that fails the test; NULL: none. */
struct pci_dev *pci_acs_path_blocker(struct pci_dev *start, u16 flags);

/* What enumeration keeps of the capability. */
void pci_acs_init(struct pci_dev *pdev);

/* The bits of `flags` that registers lack: a capability bit that is 0 is hard-wired on. */
u16 pci_acs_missing(u16 flags, u32 capability, u32 control);

/* ---- Tables of ids (acs_quirk.c) -------------------------------------- */

/* False: no rule applies. Else *isolation is what the first that does says. */
bool pci_acs_quirk(struct pci_dev *pdev, u16 flags, struct dmasim_isolation *isolation);

/* A device of this vendor may stand in the table. */
bool pci_acs_quirk_vendor(u16 vendor);

/* The rules take these two devices of a vendor for the same. */
bool pci_acs_quirk_alike(u16 vendor, u16 device, u16 other);

/* Root ports of Intel's that keep functions apart without the capability, or with it elsewhere. */
bool pci_acs_is_intel_pch(const struct pci_dev *pdev);
bool pci_acs_is_intel_spt(const struct pci_dev *pdev);
/* The latter by their device ids alone. */
bool pci_acs_is_spt_id(u16 device);

/* The control register of the latter, from the capability on. */
#define PCI_ACS_SPT_CTRL 8

/* ---- What is done at boot (acs_setup.c) ------------------------------- */

/* Once for each function, before groups are formed or it joins one. */
void pci_acs_set_up(struct os *os);

/* True if a value of pci=disable_acs_redir= or pci=config_acs= is well formed; NULL is. */
bool pci_acs_redir_is_valid(const char *text);
bool pci_acs_config_is_valid(const char *text);

#endif
