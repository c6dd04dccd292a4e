/* SPDX-License-Identifier: MIT */
/*
 * How a device finds its group: one file for each policy.
 */
#ifndef IOMMU_GROUP_H
#define IOMMU_GROUP_H

#include "iommu/iommu.h"

/*
 * Linux's policy: the group of another device that `pdev` has to be in; NULL: it begins one. Says
 * why in pdev->group_reason. Bridges have theirs before what is below them (facts 18.1).
 */
struct iommu_group *iommu_group_find_linux(struct pci_dev *pdev);

/*
 * The strict policy looks at the whole machine at once, before devices are asked for and whenever
 * there are new ones, and says why in pdev->group_reason. A new group is told to it with the first
 * device that is in it.
 */
void iommu_groups_join_strictly(struct os *os);
struct iommu_group *iommu_group_find_strict(struct pci_dev *pdev);
void iommu_group_take_strict(struct pci_dev *pdev, struct iommu_group *group);

/* ---- Between the two files of the strict policy ------------------------ */

/* Both are in one group from now on. */
void iommu_group_unite(struct pci_dev *pdev, struct pci_dev *other);
/* Why; the first reason stays. */
void iommu_group_tell(struct pci_dev *pdev, const struct dmasim_group_reason *reason);

/* Unites what reaches each other (group_reach.c). */
void iommu_groups_join_by_reach(struct os *os);

#endif
