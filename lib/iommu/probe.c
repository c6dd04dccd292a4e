/* SPDX-License-Identifier: MIT */
/*
 * A device comes to the IOMMU, and goes: group, domain, context.
 */
#include <errno.h>

#include "iommu/iommu.h"

int iommu_start_device(struct pci_dev *pdev)
{
	struct iommu_group *group = pdev->dev.iommu_group;

	if (!group)
		return 0;
	if (!group->domain && group->policy != OS_PASS_THROUGH) {
		group->domain = iommu_domain_create(pdev);
		if (!group->domain)
			return -ENOMEM;
	}
	return iommu_attach_device(pdev);
}

int iommu_probe_device(struct pci_dev *pdev)
{
	int err = iommu_group_join(pdev);

	return err ? err : iommu_start_device(pdev);
}

void iommu_release_device(struct pci_dev *pdev)
{
	iommu_detach_device(pdev);
	iommu_group_leave(pdev);
}
