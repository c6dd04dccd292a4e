/* SPDX-License-Identifier: MIT */
/*
 * The isolation test: does a function keep apart what is below it, or its own functions (facts
 * "dma-api" 18.3).
 */
#include "pci/acs.h"

u16 pci_acs_control(const struct pci_dev *pdev)
{
	return pdev->acs_cap ? (u16)pci_config_read(pdev, pdev->acs_cap + PCI_ACS_CTRL, 2) : 0;
}

/* Switches that claim source validation and get it wrong (facts 19.4). */
static bool lacks_source_validation(const struct pci_dev *pdev)
{
	return pdev->vendor == 0x111d && (pdev->device == 0x80b5 || pdev->device == 0x8090);
}

void pci_acs_init(struct pci_dev *pdev)
{
	pdev->acs_capabilities = 0;
	if (!pdev->acs_cap)
		return;
	pdev->acs_capabilities = (u16)pci_config_read(pdev, pdev->acs_cap + PCI_ACS_CAP, 2);
	if (lacks_source_validation(pdev))
		pdev->acs_capabilities &= (u16)~PCI_ACS_SV;
}

u16 pci_acs_missing(u16 flags, u32 capability, u32 control)
{
	return (u16)(flags & (capability | PCI_ACS_EC) & ~control);
}

static struct dmasim_isolation by_registers(struct pci_dev *pdev, u16 flags)
{
	struct dmasim_isolation isolation = { .by = DMASIM_ISOLATION_ACS };

	if (!pdev->acs_cap)
		return (struct dmasim_isolation){ .by = DMASIM_ISOLATION_NO_ACS, .missing = flags };
	isolation.missing = pci_acs_missing(flags, pdev->acs_capabilities, pci_acs_control(pdev));
	isolation.isolates = !isolation.missing;
	return isolation;
}

struct dmasim_isolation pci_acs_judge(struct pci_dev *pdev, u16 flags)
{
	struct dmasim_isolation isolation;

	if (pci_acs_quirk(pdev, flags, &isolation))
		return isolation;
	switch (pdev->express_type) {
	case -1:
		return (struct dmasim_isolation){ .by = DMASIM_ISOLATION_CONVENTIONAL };
	case PCI_EXP_TYPE_PCI_BRIDGE:
	case PCI_EXP_TYPE_PCIE_BRIDGE:
		return (struct dmasim_isolation){ .by = DMASIM_ISOLATION_BRIDGE };
	case PCI_EXP_TYPE_RC_EC:
		return (struct dmasim_isolation){ .by = DMASIM_ISOLATION_COLLECTOR };
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_DOWNSTREAM:
		return by_registers(pdev, flags);
	case PCI_EXP_TYPE_ENDPOINT:
	case PCI_EXP_TYPE_LEG_END:
	case PCI_EXP_TYPE_RC_END:
	case PCI_EXP_TYPE_UPSTREAM:
		if (pdev->multifunction)
			return by_registers(pdev, flags);
		return (struct dmasim_isolation){ true, DMASIM_ISOLATION_SINGLE_FUNCTION };
	default:
		return (struct dmasim_isolation){ true, DMASIM_ISOLATION_TYPE };
	}
}

bool pci_acs_enabled(struct pci_dev *pdev, u16 flags)
{
	return pci_acs_judge(pdev, flags).isolates;
}

struct pci_dev *pci_acs_path_blocker(struct pci_dev *start, u16 flags)
{
	while (start && pci_acs_enabled(start, flags))
		start = pci_upstream_bridge(start);
	return start;
}
