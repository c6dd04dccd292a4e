/* SPDX-License-Identifier: MIT */
/*
 * What a page table of Linux's knows of the IOMMU layer (facts "dma-api" 1.5 and
 * "iova-and-page-tables" 2.7).
 */
#ifndef KERNEL_LINUX_IOMMU_H
#define KERNEL_LINUX_IOMMU_H

#include <linux/types.h>

#define IOMMU_READ   (1 << 0)
#define IOMMU_WRITE  (1 << 1)
#define IOMMU_CACHE  (1 << 2)
#define IOMMU_NOEXEC (1 << 3)
#define IOMMU_MMIO   (1 << 4)
#define IOMMU_PRIV   (1 << 5)

struct device;

struct iommu_iotlb_gather {
	bool queued;
};

static inline bool iommu_iotlb_gather_queued(const struct iommu_iotlb_gather *gather)
{
	return gather && gather->queued;
}

#define IOMMU_DIRTY_NO_CLEAR (1 << 0)

struct iommu_dirty_bitmap {
	u64 told; /* bytes */
};

static inline void iommu_dirty_bitmap_record(struct iommu_dirty_bitmap *dirty, unsigned long iova,
					     unsigned long bytes)
{
	(void)iova;
	dirty->told += bytes;
}

#endif
