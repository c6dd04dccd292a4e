/* SPDX-License-Identifier: MIT */
/*
 * Direct mode: no IOMMU translates, the DMA address is the physical address behind the host
 * bridge's inbound ranges (facts "dma-api" 3.4, 3.5, 3.9).
 */
#ifndef DMA_DIRECT_H
#define DMA_DIRECT_H

#include "dma/dma.h"

/* What the device puts on the bus for phys; DMA_MAPPING_ERROR: no range leads there. */
static inline dma_addr_t phys_to_dma(const struct device *dev, phys_addr_t phys)
{
	for (u32 i = 0; i < dev->dma_range_count; i++) {
		const struct platform_dma_range *range = &dev->dma_range[i];

		if (phys - range->start < range->bytes)
			return range->bus_start + (phys - range->start);
	}
	return dev->dma_range_count ? DMA_MAPPING_ERROR : phys;
}

static inline phys_addr_t dma_to_phys(const struct device *dev, dma_addr_t dma)
{
	for (u32 i = 0; i < dev->dma_range_count; i++) {
		const struct platform_dma_range *range = &dev->dma_range[i];

		if (dma - range->bus_start < range->bytes)
			return range->start + (dma - range->bus_start);
	}
	return dev->dma_range_count ? DMA_MAPPING_ERROR : dma;
}

/* True if the device can put every address of [dma, dma + size) on the bus. */
bool dma_capable(struct device *dev, dma_addr_t dma, u64 size);

dma_addr_t dma_direct_map_phys(struct device *dev, phys_addr_t phys, size_t size,
			       struct dma_call call);
void dma_direct_unmap_phys(struct device *dev, dma_addr_t dma, size_t size, struct dma_call call);

void dma_direct_sync_single_for_device(struct device *dev, dma_addr_t dma, size_t size,
				       enum dma_data_direction dir);
void dma_direct_sync_single_for_cpu(struct device *dev, dma_addr_t dma, size_t size,
				    enum dma_data_direction dir);

/* Lends slots to a buffer and gives their DMA address, or DMA_MAPPING_ERROR. */
dma_addr_t swiotlb_map(struct device *dev, phys_addr_t phys, size_t size, struct dma_call call);

/*
 * Any mask of 32 bits or more will do; a smaller one must reach the memory that is kept for such
 * devices, or all memory if that is less. Facts 2.
 */
bool dma_direct_supported(struct device *dev, u64 mask);

/* The smallest mask of ones that reaches all RAM. */
u64 dma_direct_get_required_mask(struct device *dev);

/* True if the device's mask and limits leave out some RAM. */
bool dma_direct_addressing_limited(struct device *dev);

#endif
