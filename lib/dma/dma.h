/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the DMA API share: which mode a device is in, and the ways to map one piece.
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
DMASIM_COLD void dma_warn(struct device *dev, enum dmasim_report_id id, u64 dma, u64 size,
			  const char *what);

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

/* False (and reported): a direction no mapping can have; a device without a mask. */
bool dma_valid_direction(struct device *dev, enum dma_data_direction dir);
bool dma_has_mask(struct device *dev);

/* Smallest of the mask and the bus limit: the highest DMA address of the device. */
u64 dma_limit(struct device *dev);
/* The same for memory that both share. */
u64 dma_coherent_limit(struct device *dev);

/* IOMMU_ bits for a direction and attributes; 0 for no access at all. Facts 1.5. */
u32 dma_prot(const struct device *dev, struct dma_call call);

/* Peer memory that a device reaches through the host bridge is none that a cache holds. */
#define DMA_ATTRS_NO_CACHE (DMA_ATTR_SKIP_CPU_SYNC | DMA_ATTR_MMIO)

/* ---- The CPU's cache -------------------------------------------------- */

/* Before a device that does not snoop looks: what the CPU wrote goes to memory. */
static inline void arch_sync_dma_for_device(struct device *dev, phys_addr_t phys, u64 size)
{
	struct platform *p = dev->os->platform;

	p->ops->cache_clean(p->machine, phys, size);
}

/* After such a device wrote: the CPU forgets what it has of it. */
static inline void arch_sync_dma_for_cpu(struct device *dev, phys_addr_t phys, u64 size,
					 enum dma_data_direction dir)
{
	struct platform *p = dev->os->platform;

	if (dir != DMA_TO_DEVICE)
		p->ops->cache_invalidate(p->machine, phys, size);
}

/* True if what kmalloc() gives for `size` may share a cache line with others. */
bool dma_kmalloc_shares_line(size_t size);

/* True if such a buffer is bounced for that. Facts 3.8. */
static inline bool dma_kmalloc_needs_bounce(const struct device *dev, size_t size,
					    enum dma_data_direction dir)
{
	if (dev->dma_coherent || !dev->os->bounce_kmalloc || dir == DMA_TO_DEVICE)
		return false;
	return dma_kmalloc_shares_line(size);
}

/* One more mapping. True: it was asked to fail, as if there were no room for it. */
static inline bool dma_mapping_fails(const struct device *dev)
{
	struct platform *p = dev->os->platform;

	return DMASIM_UNLIKELY(++p->mappings == p->mapping_fails);
}

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

/* The part of an address below the granule. */
static inline u64 iommu_dma_offset(const struct iommu_domain *domain, u64 address)
{
	return address & (iommu_granule(domain) - 1);
}

/* True if such a buffer is bounced where its ends share a granule with something else. */
static inline bool dev_use_swiotlb(const struct device *dev, size_t size,
				   enum dma_data_direction dir)
{
	return DMASIM_UNLIKELY(dev->untrusted || dma_kmalloc_needs_bounce(dev, size, dir));
}

/* IOVA space for `bytes`, a multiple of the granule, below `limit`; 0: none. */
u64 iommu_dma_alloc_iova(struct device *dev, struct iommu_domain *domain, u64 bytes, u64 limit);

dma_addr_t iommu_dma_map_phys(struct device *dev, struct iommu_domain *domain, phys_addr_t phys,
			      size_t size, struct dma_call call);
void iommu_dma_unmap_phys(struct device *dev, struct iommu_domain *domain, dma_addr_t dma,
			  size_t size, struct dma_call call);

/* Whole granules around [phys, phys + size): no bounce, no cache. DMA_MAPPING_ERROR: none. */
dma_addr_t iommu_dma_map(struct device *dev, struct iommu_domain *domain, phys_addr_t phys,
			 u64 size, u32 prot, u64 limit);
/* The way back; the invalidation may be left to the flush queue. */
void iommu_dma_unmap(struct device *dev, struct iommu_domain *domain, dma_addr_t dma, u64 size);

/* A copy that shares its granules with nothing; DMA_MAPPING_ERROR: none. */
phys_addr_t iommu_dma_map_swiotlb(struct device *dev, struct iommu_domain *domain, phys_addr_t phys,
				  size_t size, struct dma_call call);

/* Unmaps whole granules and invalidates at once; reports if there was less. */
void iommu_dma_unmap_range(struct device *dev, struct iommu_domain *domain, u64 iova, u64 bytes);

void iommu_dma_sync_single_for_device(struct device *dev, struct iommu_domain *domain,
				      dma_addr_t dma, size_t size, enum dma_data_direction dir);
void iommu_dma_sync_single_for_cpu(struct device *dev, struct iommu_domain *domain, dma_addr_t dma,
				   size_t size, enum dma_data_direction dir);

/* Returns the number of DMA segments or -errno. What was mapped is added to `told`. */
struct dma_sg_told;
int iommu_dma_map_sg(struct device *dev, struct iommu_domain *domain, struct scatterlist *sg,
		     int nents, struct dma_call call, struct dma_sg_told *told);
void iommu_dma_unmap_sg(struct device *dev, struct iommu_domain *domain, struct scatterlist *sg,
			int nents, struct dma_call call);

#endif
