/* SPDX-License-Identifier: MIT */
/*
 * A domain whose unmaps are invalidated later, many at once.
 */
#ifndef IOMMU_LAZY_H
#define IOMMU_LAZY_H

#include "iommu/iommu.h"

/* Without memory for a queue the domain stays strict. */
void iommu_make_lazy(struct iommu_domain *domain);

/* The domain ends, and nothing of it is cached any more. */
void iommu_end_lazy(struct iommu_domain *domain);

#endif
