/* SPDX-License-Identifier: MIT */
/*
 * The values of pci=disable_acs_redir= and pci=config_acs= (see struct dmasim_config).
 */
#ifndef PCI_ACS_PARAM_H
#define PCI_ACS_PARAM_H

#include <dmasim/pci.h>

/* What one item of a list asks for. */
struct acs_change {
	u16 named; /* PCI_ACS_ bits that it decides */
	u16 value; /* of those */
};

/* What the list asks for the device; *named 0: nothing. The first item that names it decides. */
struct acs_change acs_param_redir(const char *text, struct pci_dev *pdev);
struct acs_change acs_param_config(const char *text, struct pci_dev *pdev);

#endif
