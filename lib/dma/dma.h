/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the DMA API share: which mode a device is in, and the two ways to map one
 * piece.
 */
#ifndef DMA_DMA_H
#define DMA_DMA_H

#include <dmasim/dma.h>

#include "iommu/iommu.h"

/* One mapping call's arguments, of the kind every entry point takes. */
struct dma_call {
	enum dma_data_direction dir;
	unsigned long attrs;
};

/* Reports what Linux would WARN or BUG about. */
void dma_warn(struct device *dev, enum dmasim_report_id id, u64 dma, u64 size, const char *what);

/*
 * Starts the machine's IOMMUs if that was not done. False: no memory for that, and the call fails
 * as if the mapping had found none.
 */
static inline bool dma_ready(struct device *dev)
{
	return DMASIM_LIKELY(dev->os->started) || !os_start(dev->os);
}

/* The call is over: a later one that does not say where it comes from must not borrow its place. */
static inline void dma_leave(struct device *dev)
{
	dev->site = NULL;
}

/* False (and reported): a direction no mapping can have. */
bool dma_valid_direction(struct device *dev, enum dma_data_direction dir);

/* Smallest of the mask and the bus limit: the highest DMA address of the device. */
u64 dma_limit(struct device *dev);

/* IOMMU_ bits for a direction and attributes; 0 for no access at all. Facts 1.5. */
u32 dma_prot(enum dma_data_direction dir, unsigned long attrs);

/* ---- Direct mode ------------------------------------------------------ */

dma_addr_t dma_direct_map(struct device *dev, phys_addr_t phys, u64 size);

/* ---- Behind an IOMMU -------------------------------------------------- */

/* The granules that [address, address + size) touches. */
static inline u64 iommu_dma_span(const struct iommu_domain *domain, u64 address, u64 size)
{
	u64 granule = iommu_granule(domain);

	return ((address & (granule - 1)) + size + granule - 1) & ~(granule - 1);
}

static inline u64 iommu_dma_base(const struct iommu_domain *domain, u64 address)
{
	return address & ~(iommu_granule(domain) - 1);
}

/* IOVA space for `bytes`, a multiple of the granule; 0: none. */
u64 iommu_dma_alloc_iova(struct device *dev, struct iommu_domain *domain, u64 bytes);
void iommu_dma_free_iova(struct iommu_domain *domain, u64 iova, u64 bytes);

dma_addr_t iommu_dma_map(struct device *dev, struct iommu_domain *domain, phys_addr_t phys,
			 u64 size, u32 prot);
void iommu_dma_unmap(struct device *dev, struct iommu_domain *domain, dma_addr_t dma, u64 size);

/* Unmaps whole granules and invalidates; reports if there was less. */
void iommu_dma_unmap_range(struct device *dev, struct iommu_domain *domain, u64 iova, u64 bytes);

/* Returns the number of DMA segments or -errno. */
int iommu_dma_map_sg(struct device *dev, struct iommu_domain *domain, struct scatterlist *sg,
		     int nents, struct dma_call call);
void iommu_dma_unmap_sg(struct device *dev, struct iommu_domain *domain, struct scatterlist *sg,
			int nents);

#endif
