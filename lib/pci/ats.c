/* SPDX-License-Identifier: MIT */
#include "pci/ats.h"

#include <errno.h>

#include "pci/bus.h"

bool pci_ats_supported(const struct pci_dev *pdev)
{
	return pdev->ats_cap && !pdev->dev.untrusted;
}

u32 pci_ats_queue_depth(const struct pci_dev *pdev)
{
	u32 depth = PCI_ATS_CAP_QDEP(pci_config_read(pdev, pdev->ats_cap + PCI_ATS_CAP, 2));

	return depth ? depth : PCI_ATS_MAX_QDEP;
}

int pci_enable_ats(struct pci_dev *pdev, int ps)
{
	if (!pci_ats_supported(pdev) || ps < PCI_ATS_MIN_STU)
		return -EINVAL;
	if (pdev->ats_enabled)
		return -EBUSY;
	pci_config_write(pdev, pdev->ats_cap + PCI_ATS_CTRL, 2,
			 PCI_ATS_CTRL_ENABLE | PCI_ATS_CTRL_STU((u32)ps - PCI_ATS_MIN_STU));
	pdev->ats_enabled = true;
	return 0;
}

void pci_disable_ats(struct pci_dev *pdev)
{
	u32 control;

	if (!pdev->ats_enabled)
		return;
	control = pci_config_read(pdev, pdev->ats_cap + PCI_ATS_CTRL, 2);
	pci_config_write(pdev, pdev->ats_cap + PCI_ATS_CTRL, 2,
			 control & ~(u32)PCI_ATS_CTRL_ENABLE);
	pdev->ats_enabled = false;
}
