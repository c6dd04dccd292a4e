/* SPDX-License-Identifier: MIT */
/*
 * One piece behind an IOMMU: IOVA space, entries, and the way back (facts "dma-api" 3.6, 3.7, 6).
 */
#include "dma/swiotlb.h"

#include "dma/dma.h"
#include "iova/flush_queue.h"

/*
 * Many devices, and much firmware, claim more address bits than work. So Linux tries the lowest 32
 * first, until that fails once (facts "iova-and-page-tables" 1.3); what it logs then is an event.
 */
static u64 alloc_below_4g(struct device *dev, struct iommu_domain *domain, u64 bytes, u64 limit)
{
	u64 iova = iommu_alloc_iova(domain, bytes, DMA_BIT_MASK(32), false);

	if (iova)
		return iova;
	dev->pci_32bit_workaround = false;
	PLATFORM_EVENT(dev->os->platform, IOVA_DAC, .dev = dev->id,
		       .count = 64 - (u32)__builtin_clzll(limit));
	return 0;
}

DMASIM_HOT u64 iommu_dma_alloc_iova(struct device *dev, struct iommu_domain *domain, u64 bytes,
				    u64 limit)
{
	u64 last = (domain->last_pfn << PAGE_SHIFT) + (PAGE_SIZE - 1);
	u64 iova = 0;

	limit = limit < last ? limit : last;
	if (limit > DMA_BIT_MASK(32) && dev->pci_32bit_workaround)
		iova = alloc_below_4g(dev, domain, bytes, limit);
	if (!iova)
		iova = iommu_alloc_iova(domain, bytes, limit, true);
	if (iova)
		dev->os->costs.iova_allocs++;
	PLATFORM_EVENT(dev->os->platform, IOVA_ALLOC, .dev = dev->id, .domain = domain->id,
		       .dma = iova, .size = bytes, .ret = iova ? 0 : -ENOMEM, .site = dev->site);
	return iova;
}

/* ---- Whole granules --------------------------------------------------- */

DMASIM_HOT dma_addr_t iommu_dma_map(struct device *dev, struct iommu_domain *domain,
				    phys_addr_t phys, u64 size, u32 prot, u64 limit)
{
	u64 bytes = iommu_dma_span(domain, phys, size);
	u64 iova;

	iova = iommu_dma_alloc_iova(dev, domain, bytes, limit);
	if (!iova)
		return DMA_MAPPING_ERROR;
	if (iommu_map(domain, iova, iommu_dma_base(domain, phys), bytes, prot)) {
		iommu_free_iova(domain, iova, bytes);
		return DMA_MAPPING_ERROR;
	}
	return iova + iommu_dma_offset(domain, phys);
}

static void say_short(struct device *dev, u64 iova, u64 bytes, u64 done)
{
	if (done != bytes)
		dma_warn(dev, DMASIM_REPORT_UNMAP_SHORT, iova, bytes,
			 "the page table held less, or more, than was to be unmapped");
}

DMASIM_HOT void iommu_dma_unmap_range(struct device *dev, struct iommu_domain *domain, u64 iova,
				      u64 bytes)
{
	say_short(dev, iova, bytes, iommu_unmap(domain, iova, bytes));
}

DMASIM_HOT void iommu_dma_unmap(struct device *dev, struct iommu_domain *domain, dma_addr_t dma,
				u64 size)
{
	u64 base = iommu_dma_base(domain, dma);
	u64 bytes = iommu_dma_span(domain, dma, size);
	struct iommu_iotlb_gather gather;

	iommu_iotlb_gather_init(&gather);
	say_short(dev, base, bytes, iommu_unmap_fast(domain, base, bytes, &gather));
	if (domain->fq) {
		flush_queue_add(domain->fq, base, bytes, gather.freelist);
		return;
	}
	iommu_iotlb_sync(domain, &gather);
	iommu_free_iova(domain, base, bytes);
}

/* ---- Bouncing --------------------------------------------------------- */

phys_addr_t iommu_dma_map_swiotlb(struct device *dev, struct iommu_domain *domain, phys_addr_t phys,
				  size_t size, struct dma_call call)
{
	u64 align_mask = iommu_granule(domain) - 1;
	phys_addr_t tlb;

	if (!is_swiotlb_active(dev)) {
		dma_warn(dev, DMASIM_REPORT_BOUNCE_FULL, phys, size,
			 "DMA bounce buffers are inactive, unable to map unaligned transaction");
		return DMA_MAPPING_ERROR;
	}
	tlb = swiotlb_tbl_map_single(dev, phys, size, align_mask, call.dir, call.attrs);
	if (tlb != DMA_MAPPING_ERROR && dev->untrusted)
		swiotlb_zero_padding(dev, tlb, size, align_mask);
	return tlb;
}

static void release_bounce(struct device *dev, phys_addr_t phys, size_t size, struct dma_call call)
{
	if (is_swiotlb_buffer(dev, phys))
		swiotlb_tbl_unmap_single(dev, phys, size, call.dir, call.attrs);
}

/* Address bits above the granule cannot be kept: an IOVA has its own. */
static bool may_align(struct device *dev, const struct iommu_domain *domain, size_t size)
{
	if (DMASIM_LIKELY(dev->min_align_mask < iommu_granule(domain)))
		return true;
	dma_warn(dev, DMASIM_REPORT_BAD_ARGUMENT, 0, size,
		 "Unsupported alignment constraint: min_align_mask is above the granule");
	return false;
}

DMASIM_HOT dma_addr_t iommu_dma_map_phys(struct device *dev, struct iommu_domain *domain,
					 phys_addr_t phys, size_t size, struct dma_call call)
{
	unsigned long attrs = call.attrs;
	dma_addr_t dma;

	if (DMASIM_UNLIKELY(!(attrs & DMA_ATTR_MMIO) && dev_use_swiotlb(dev, size, call.dir) &&
			    iommu_dma_offset(domain, phys | size))) {
		if (attrs & DMA_ATTR_REQUIRE_COHERENT)
			return DMA_MAPPING_ERROR;
		phys = iommu_dma_map_swiotlb(dev, domain, phys, size, call);
		if (phys == DMA_MAPPING_ERROR)
			return DMA_MAPPING_ERROR;
	}
	if (!dev->dma_coherent && !(attrs & DMA_ATTRS_NO_CACHE))
		arch_sync_dma_for_device(dev, phys, size);
	dma = may_align(dev, domain, size)
		      ? iommu_dma_map(dev, domain, phys, size, dma_prot(dev, call), dma_limit(dev))
		      : DMA_MAPPING_ERROR;
	if (dma == DMA_MAPPING_ERROR && !(attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT)))
		release_bounce(dev, phys, size, call);
	return dma;
}

/* Nobody here can tell an IOVA from a bus address: it is looked up as an IOVA. */
DMASIM_HOT void iommu_dma_unmap_phys(struct device *dev, struct iommu_domain *domain,
				     dma_addr_t dma, size_t size, struct dma_call call)
{
	phys_addr_t phys;

	if (call.attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT)) {
		iommu_dma_unmap(dev, domain, dma, size);
		return;
	}
	phys = iommu_iova_to_phys(domain, dma);
	if (!phys) {
		dma_warn(dev, DMASIM_REPORT_UNMAP_NOT_MAPPED, dma, size,
			 "the address does not translate: nothing is unmapped, nothing is freed");
		return;
	}
	if (!dev->dma_coherent && !(call.attrs & DMA_ATTR_SKIP_CPU_SYNC))
		arch_sync_dma_for_cpu(dev, phys, size, call.dir);
	iommu_dma_unmap(dev, domain, dma, size);
	release_bounce(dev, phys, size, call);
}

/* ---- Syncing ---------------------------------------------------------- */

/* False: there is neither a cache to care for nor a copy. */
static bool sync_phys(struct device *dev, struct iommu_domain *domain, dma_addr_t dma, size_t size,
		      enum dma_data_direction dir, phys_addr_t *phys)
{
	if (dev->dma_coherent && !dev_use_swiotlb(dev, size, dir))
		return false;
	*phys = iommu_iova_to_phys(domain, dma);
	return *phys;
}

void iommu_dma_sync_single_for_device(struct device *dev, struct iommu_domain *domain,
				      dma_addr_t dma, size_t size, enum dma_data_direction dir)
{
	phys_addr_t phys;

	if (!sync_phys(dev, domain, dma, size, dir, &phys))
		return;
	if (is_swiotlb_buffer(dev, phys))
		swiotlb_sync_single_for_device(dev, phys, size, dir);
	if (!dev->dma_coherent)
		arch_sync_dma_for_device(dev, phys, size);
}

void iommu_dma_sync_single_for_cpu(struct device *dev, struct iommu_domain *domain, dma_addr_t dma,
				   size_t size, enum dma_data_direction dir)
{
	phys_addr_t phys;

	if (!sync_phys(dev, domain, dma, size, dir, &phys))
		return;
	if (!dev->dma_coherent)
		arch_sync_dma_for_cpu(dev, phys, size, dir);
	if (is_swiotlb_buffer(dev, phys))
		swiotlb_sync_single_for_cpu(dev, phys, size, dir);
}
