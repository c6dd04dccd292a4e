/* SPDX-License-Identifier: MIT */
/*
 * One piece behind an IOMMU: IOVA space, entries, and the way back (facts "dma-api" 3.6, 3.7, 6).
 */
#include "dma/dma.h"

u64 iommu_dma_alloc_iova(struct device *dev, struct iommu_domain *domain, u64 bytes)
{
	struct platform *p = dev->os->platform;
	u64 pfn;

	os_lock(p, &domain->iova_lock);
	pfn = domain->iova_ops->alloc(domain->iova, bytes >> PAGE_SHIFT,
				      dma_limit(dev) >> PAGE_SHIFT);
	os_unlock(p, &domain->iova_lock);

	if (pfn == IOVA_NO_PFN)
		pfn = 0;
	else
		dev->os->costs.iova_allocs++;
	PLATFORM_EVENT(p, IOVA_ALLOC, .dev = dev->id, .domain = domain->id,
		       .dma = pfn << PAGE_SHIFT, .size = bytes, .ret = pfn ? 0 : -ENOMEM,
		       .site = dev->site);
	return pfn << PAGE_SHIFT;
}

void iommu_dma_free_iova(struct iommu_domain *domain, u64 iova, u64 bytes)
{
	struct platform *p = domain->os->platform;

	os_lock(p, &domain->iova_lock);
	domain->iova_ops->free(domain->iova, iova >> PAGE_SHIFT, bytes >> PAGE_SHIFT);
	os_unlock(p, &domain->iova_lock);
	PLATFORM_EVENT(p, IOVA_FREE, .domain = domain->id, .dma = iova, .size = bytes);
}

dma_addr_t iommu_dma_map(struct device *dev, struct iommu_domain *domain, phys_addr_t phys,
			 u64 size, u32 prot)
{
	u64 bytes = iommu_dma_span(domain, phys, size);
	u64 iova = iommu_dma_alloc_iova(dev, domain, bytes);

	if (!iova)
		return DMA_MAPPING_ERROR;
	if (iommu_map(domain, iova, iommu_dma_base(domain, phys), bytes, prot)) {
		iommu_dma_free_iova(domain, iova, bytes);
		return DMA_MAPPING_ERROR;
	}
	return iova + (phys & (iommu_granule(domain) - 1));
}

void iommu_dma_unmap_range(struct device *dev, struct iommu_domain *domain, u64 iova, u64 bytes)
{
	if (iommu_unmap(domain, iova, bytes) != bytes)
		dma_warn(dev, DMASIM_REPORT_UNMAP_SHORT, iova, bytes,
			 "the page table held less, or more, than was to be unmapped");
}

void iommu_dma_unmap(struct device *dev, struct iommu_domain *domain, dma_addr_t dma, u64 size)
{
	u64 base = iommu_dma_base(domain, dma);
	u64 bytes = iommu_dma_span(domain, dma, size);

	iommu_dma_unmap_range(dev, domain, base, bytes);
	iommu_dma_free_iova(domain, base, bytes);
}
