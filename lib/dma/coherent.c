/* SPDX-License-Identifier: MIT */
/*
 * Memory that a driver gets already mapped: shared with the device without syncs, or as pages that
 * are synced like a mapping (facts "dma-api" 3.10b).
 */
#include "dma/alloc.h"

#include "dma/direct.h"
#include "dma/swiotlb.h"

/* ---- Frames ----------------------------------------------------------- */

static bool reachable(struct device *dev, phys_addr_t phys, u64 bytes, u64 limit)
{
	dma_addr_t dma = phys_to_dma(dev, phys);

	return dma != DMA_MAPPING_ERROR && dma + bytes - 1 <= limit;
}

/* Frames that end by `last`, if the device reaches them. */
static phys_addr_t frames_below(struct device *dev, u64 count, phys_addr_t last, u64 limit)
{
	struct platform *p = dev->os->platform;
	phys_addr_t phys = platform_frames_alloc_below(p, DMASIM_FAULT_COHERENT, count, last);

	if (phys == PLATFORM_NO_PHYS || reachable(dev, phys, count << PAGE_SHIFT, limit))
		return phys;
	platform_frames_free(p, DMASIM_FAULT_COHERENT, phys, count);
	return PLATFORM_NO_PHYS;
}

/* Frames for a device in direct mode. */
static phys_addr_t direct_frames(struct device *dev, u64 count, u64 limit)
{
	phys_addr_t phys = PLATFORM_NO_PHYS;

	if (dev->io_tlb)
		return swiotlb_alloc(dev, count << PAGE_SHIFT);
	if (!dev->dma_range_count)
		return frames_below(dev, count, limit, limit);
	for (u32 i = 0; i < dev->dma_range_count && phys == PLATFORM_NO_PHYS; i++) {
		const struct platform_dma_range *range = &dev->dma_range[i];

		phys = frames_below(dev, count, range->start + range->bytes - 1, limit);
	}
	return phys;
}

/* What is given out has a host pointer to all of it. */
static phys_addr_t frames_for(struct device *dev, u64 count)
{
	if (count > PLATFORM_CONTIGUOUS_BYTES >> PAGE_SHIFT)
		return PLATFORM_NO_PHYS;
	if (iommu_dma_domain(dev))
		return platform_frames_alloc(dev->os->platform, DMASIM_FAULT_COHERENT, count);
	return direct_frames(dev, count, dma_coherent_limit(dev));
}

static bool is_pooled(struct device *dev, phys_addr_t phys)
{
	return !iommu_dma_domain(dev) && dev->io_tlb && is_swiotlb_buffer(dev, phys);
}

void dma_free_frames(struct device *dev, phys_addr_t phys, u64 count)
{
	if (is_pooled(dev, phys))
		swiotlb_free(dev, phys, count << PAGE_SHIFT);
	else if (count)
		platform_frames_free(dev->os->platform, DMASIM_FAULT_COHERENT, phys, count);
}

/* Freeing other frames than were given out corrupts a kernel's lists of pages. */
u64 dma_frames_to_free(struct device *dev, phys_addr_t phys, size_t size, dma_addr_t dma)
{
	struct platform *p = dev->os->platform;
	u64 count = dma_page_count(size), given;

	if (is_pooled(dev, phys))
		return count;
	given = phys == PLATFORM_NO_PHYS ? 0 : p->ops->frames_count(p->machine, phys);
	if (given >= count && given < 2 * count)
		return count;
	dma_warn(dev, DMASIM_REPORT_KERNEL_MISUSE, dma, size,
		 given ? "the memory that is freed is not as large as it was"
		       : "the memory that is freed is not allocated");
	return given;
}

/* ---- Shared memory ---------------------------------------------------- */

/* A device that does not snoop shares memory only with a CPU that does not cache it. */
static void set_cached(struct device *dev, phys_addr_t phys, u64 bytes, bool cached)
{
	struct platform *p = dev->os->platform;

	if (!dev->dma_coherent)
		p->ops->cache_bypass(p->machine, phys, bytes, !cached);
}

static dma_addr_t map_frames(struct device *dev, phys_addr_t phys, u64 bytes, struct dma_call call,
			     u64 limit)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);

	if (dma_mapping_fails(dev))
		return DMA_MAPPING_ERROR;
	if (!domain)
		return phys_to_dma(dev, phys);
	return iommu_dma_map(dev, domain, phys, bytes, dma_prot(dev, call), limit);
}

static bool may_alloc(struct device *dev, size_t size, gfp_t gfp, unsigned long attrs)
{
	if (!dev->coherent_dma_mask)
		dma_warn(dev, DMASIM_REPORT_NO_DMA_MASK, 0, size, "the coherent mask is 0");
	if (gfp & __GFP_COMP) {
		dma_warn(dev, DMASIM_REPORT_BAD_ARGUMENT, 0, size,
			 "shared memory cannot be asked for as compound pages");
		return false;
	}
	return !(attrs & (DMA_ATTR_CC_SHARED | __DMA_ATTR_ALLOC_CC_SHARED)) && size &&
	       dma_ready(dev);
}

static void *alloc_shared(struct device *dev, size_t size, dma_addr_t *dma, phys_addr_t *phys,
			  struct dma_call call)
{
	u64 count = dma_page_count(size);

	*phys = frames_for(dev, count);
	if (*phys == PLATFORM_NO_PHYS)
		return NULL;
	*dma = map_frames(dev, *phys, count << PAGE_SHIFT, call, dma_coherent_limit(dev));
	if (*dma == DMA_MAPPING_ERROR) {
		dma_free_frames(dev, *phys, count);
		return NULL;
	}
	set_cached(dev, *phys, count << PAGE_SHIFT, false);
	return platform_ptr(dev->os->platform, *phys);
}

void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *dma_handle, gfp_t gfp,
		      unsigned long attrs)
{
	const struct dma_call call = { DMA_BIDIRECTIONAL, attrs };
	phys_addr_t phys = 0;
	dma_addr_t dma = DMA_MAPPING_ERROR;
	void *memory = NULL;

	if (may_alloc(dev, size, gfp, attrs))
		memory = alloc_shared(dev, size, &dma, &phys, call);
	if (memory)
		*dma_handle = dma;
	PLATFORM_EVENT(dev->os->platform, ALLOC, .dev = dev->id,
		       .dma = memory ? dma : DMA_MAPPING_ERROR, .phys = phys, .size = size,
		       .dir = DMA_BIDIRECTIONAL, .attrs = attrs, .site = dev->site);
	dma_leave(dev);
	return memory;
}

void dma_free_attrs(struct device *dev, size_t size, void *cpu_addr, dma_addr_t dma_handle,
		    unsigned long attrs)
{
	struct platform *p = dev->os->platform;
	phys_addr_t phys = cpu_addr ? p->ops->phys(p->machine, cpu_addr) : PLATFORM_NO_PHYS;
	u64 count;

	if (cpu_addr) {
		dma_unmap_mapped(dev, size, dma_handle);
		count = dma_frames_to_free(dev, phys, size, dma_handle);
		set_cached(dev, phys, count << PAGE_SHIFT, true);
		PLATFORM_EVENT(p, ALLOC_FREE, .dev = dev->id, .dma = dma_handle, .phys = phys,
			       .size = size, .dir = DMA_BIDIRECTIONAL, .attrs = attrs,
			       .site = dev->site);
		dma_free_frames(dev, phys, count);
	}
	dma_leave(dev);
}

/* ---- Pages that are synced -------------------------------------------- */

phys_addr_t dma_alloc_mapped(struct device *dev, size_t size, dma_addr_t *dma, struct dma_call call,
			     u64 limit)
{
	u64 count = dma_page_count(size);
	phys_addr_t phys;

	if (!size || !dma_valid_direction(dev, call.dir) || !dma_ready(dev))
		return PLATFORM_NO_PHYS;
	phys = frames_for(dev, count);
	if (phys == PLATFORM_NO_PHYS)
		return PLATFORM_NO_PHYS;
	*dma = map_frames(dev, phys, count << PAGE_SHIFT, call, limit);
	if (*dma == DMA_MAPPING_ERROR) {
		dma_free_frames(dev, phys, count);
		return PLATFORM_NO_PHYS;
	}
	return phys;
}

void dma_unmap_mapped(struct device *dev, size_t size, dma_addr_t dma)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);

	if (domain)
		iommu_dma_unmap(dev, domain, dma, dma_page_count(size) << PAGE_SHIFT);
}

void dma_free_mapped(struct device *dev, size_t size, phys_addr_t phys, dma_addr_t dma)
{
	dma_unmap_mapped(dev, size, dma);
	dma_free_frames(dev, phys, dma_page_count(size));
}

static struct page *alloc_pages(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp,
				struct dma_call call)
{
	phys_addr_t phys;
	struct page *page;

	if (gfp & (__GFP_DMA | __GFP_DMA32 | __GFP_COMP)) {
		dma_warn(dev, DMASIM_REPORT_BAD_ARGUMENT, 0, size,
			 "the device decides the zone of its pages, and they are not compound");
		return NULL;
	}
	/* Mapped like any page: under the mask for mappings, and nothing is synced. */
	phys = dma_alloc_mapped(dev, size, dma, call, dma_limit(dev));
	if (phys == PLATFORM_NO_PHYS)
		return NULL;
	page = page_at(dev->os, phys);
	if (!page)
		dma_free_mapped(dev, size, phys, *dma);
	return page;
}

struct page *dma_alloc_pages(struct device *dev, size_t size, dma_addr_t *dma_handle,
			     enum dma_data_direction dir, gfp_t gfp)
{
	dma_addr_t dma = DMA_MAPPING_ERROR;
	struct page *page = alloc_pages(dev, size, &dma, gfp, (struct dma_call){ dir, 0 });

	if (page)
		*dma_handle = dma;
	PLATFORM_EVENT(dev->os->platform, ALLOC, .dev = dev->id,
		       .dma = page ? dma : DMA_MAPPING_ERROR, .phys = page ? page_phys(page) : 0,
		       .size = size, .dir = dir, .alloc = DMASIM_ALLOC_NONCOHERENT,
		       .site = dev->site);
	dma_leave(dev);
	return page;
}

void dma_free_pages(struct device *dev, size_t size, struct page *page, dma_addr_t dma_handle,
		    enum dma_data_direction dir)
{
	u64 count;

	dma_unmap_mapped(dev, size, dma_handle);
	count = dma_frames_to_free(dev, page_phys(page), size, dma_handle);
	PLATFORM_EVENT(dev->os->platform, ALLOC_FREE, .dev = dev->id, .dma = dma_handle,
		       .phys = page_phys(page), .size = size, .dir = dir,
		       .alloc = DMASIM_ALLOC_NONCOHERENT, .site = dev->site);
	dma_free_frames(dev, page_phys(page), count);
	dma_leave(dev);
}

void *dma_alloc_noncoherent(struct device *dev, size_t size, dma_addr_t *dma_handle,
			    enum dma_data_direction dir, gfp_t gfp)
{
	struct page *page = dma_alloc_pages(dev, size, dma_handle, dir, gfp);

	return page ? platform_ptr(dev->os->platform, page_phys(page)) : NULL;
}

void dma_free_noncoherent(struct device *dev, size_t size, void *vaddr, dma_addr_t dma_handle,
			  enum dma_data_direction dir)
{
	struct platform *p = dev->os->platform;
	struct page *page = page_find(dev->os, p->ops->phys(p->machine, vaddr));

	if (page)
		dma_free_pages(dev, size, page, dma_handle, dir);
}
