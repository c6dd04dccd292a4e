/* SPDX-License-Identifier: MIT */
/*
 * Direct mode: no IOMMU, the DMA address is the physical address (facts "dma-api" 3.4 and 3.5).
 */
#include "dma/dma.h"

dma_addr_t dma_direct_map(struct device *dev, phys_addr_t phys, u64 size)
{
	if (DMASIM_LIKELY(phys + size - 1 <= dma_limit(dev)))
		return phys;
	dma_warn(dev, DMASIM_REPORT_MASK_OVERFLOW, phys, size,
		 "the end of the buffer is beyond the device's mask or its bus limit");
	return DMA_MAPPING_ERROR;
}
