/* SPDX-License-Identifier: MIT */
#ifndef DMA_ALLOC_H
#define DMA_ALLOC_H

#include "dma/dma.h"

static inline u64 dma_page_count(size_t size)
{
	return ((u64)size + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/*
 * Whole frames, zeroed and mapped, that are synced like any mapping; limit: of their IOVA, behind
 * an IOMMU. PLATFORM_NO_PHYS: none, or none that the device reaches.
 */
phys_addr_t dma_alloc_mapped(struct device *dev, size_t size, dma_addr_t *dma, struct dma_call call,
			     u64 limit);
void dma_free_mapped(struct device *dev, size_t size, phys_addr_t phys, dma_addr_t dma);

/* The two halves of that: in between it is told that the mapping is over. */
void dma_unmap_mapped(struct device *dev, size_t size, dma_addr_t dma);
void dma_free_frames(struct device *dev, phys_addr_t phys, u64 count);

/*
 * How many frames a driver frees that says so: what begins at phys, if that is another size, which
 * is reported; 0: nothing does, which is reported.
 */
u64 dma_frames_to_free(struct device *dev, phys_addr_t phys, size_t size, dma_addr_t dma);

#endif
