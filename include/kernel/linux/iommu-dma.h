/* SPDX-License-Identifier: MIT */
/* The DMA API behind an IOMMU, called directly. */
#ifndef DMASIM_KERNEL_IOMMU_DMA_H
#define DMASIM_KERNEL_IOMMU_DMA_H

#include <linux/dma-mapping.h>

/* True: the device's DMA addresses are IOVAs. */
static inline bool use_dma_iommu(struct device *dev)
{
	return dma_get_merge_boundary(dev) != 0;
}

static inline dma_addr_t iommu_dma_map_phys(struct device *dev, phys_addr_t phys, size_t size,
					    enum dma_data_direction dir, unsigned long attrs)
{
	return dma_map_phys(dev, phys, size, dir, attrs);
}

static inline void iommu_dma_unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
					enum dma_data_direction dir, unsigned long attrs)
{
	dma_unmap_phys(dev, addr, size, dir, attrs);
}

#endif
