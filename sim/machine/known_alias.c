/* SPDX-License-Identifier: MIT */
/*
 * Devices of a real machine that send under other numbers than their own: what Linux knows of them
 * by their ids (facts "dma-api" 19.5), hardware does. A device with more than one such number may
 * use its own, and does.
 */
#include "machine/machine.h"
#include "pci/alias.h"

/* The only devfn that it is known for besides its own; -1: none, or several. */
static int only_alias(const struct pci_dev *pdev)
{
	int only = -1;

	for (u32 devfn = 0; devfn < 256 && pci_has_aliases(pdev); devfn++) {
		if (devfn == pdev->devfn || !pci_alias_has(pdev, devfn))
			continue;
		if (only >= 0)
			return -1;
		only = (int)devfn;
	}
	return only;
}

static enum hw_alias bridge_alias(const struct pci_dev *pdev)
{
	if (pdev->alias_flags & PCI_ALIAS_ROOT)
		return HW_ALIAS_LAST;
	if (pdev->alias_flags & PCI_ALIAS_SECONDARY && pdev->express_type < 0)
		return HW_ALIAS_SECONDARY;
	if (pdev->alias_flags & PCI_ALIAS_NONE && pdev->express_type == PCI_EXP_TYPE_PCI_BRIDGE)
		return HW_ALIAS_NONE;
	return HW_ALIAS_USUAL;
}

struct known_alias machine_known_alias(const struct pci_dev *pdev)
{
	int only = only_alias(pdev);

	return (struct known_alias){
		.sends_as_other = only >= 0,
		.sends_as = (u8)(only >= 0 ? only : 0),
		.alias = bridge_alias(pdev),
	};
}

static void use(struct hw_traits *traits, struct known_alias known)
{
	if (!traits->sends_as_other) {
		traits->sends_as_other = known.sends_as_other;
		traits->sends_as = known.sends_as;
	}
	if (traits->alias == HW_ALIAS_USUAL)
		traits->alias = known.alias;
}

void machine_use_known_alias(struct dmasim *s, struct hw_function *function)
{
	const struct pci_dev *pdev = s->imported ? machine_device(s, function) : NULL;

	if (pdev)
		use(&function->traits, machine_known_alias(pdev));
}

void machine_use_known_aliases(struct dmasim *s)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = pci_next_device(s->os, pdev)))
		use(&machine_function(pdev)->traits, machine_known_alias(pdev));
}
