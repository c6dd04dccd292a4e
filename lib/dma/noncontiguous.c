/* SPDX-License-Identifier: MIT */
/*
 * Memory that is one piece for the device and need not be one for the CPU (facts "dma-api" 3.10b).
 * Here it is one for both; a driver may count on one DMA segment only.
 */
#include "dma/alloc.h"
#include "dma/direct.h"

static bool may_alloc(struct device *dev, size_t size, gfp_t gfp, unsigned long attrs)
{
	if (!(attrs & ~(unsigned long)DMA_ATTR_ALLOC_SINGLE_PAGES) && !(gfp & __GFP_COMP))
		return true;
	dma_warn(dev, DMASIM_REPORT_BAD_ARGUMENT, 0, size,
		 "dma_alloc_noncontiguous() knows no attribute but ALLOC_SINGLE_PAGES");
	return false;
}

/* The table and its one entry in one piece of memory. */
struct contiguous_table {
	struct sg_table table;
	struct scatterlist entry;
};

static struct sg_table *new_table(struct device *dev)
{
	struct contiguous_table *made = os_alloc(dev->os, DMASIM_FAULT_COHERENT, sizeof(*made));

	if (!made)
		return NULL;
	sg_init_table(&made->entry, 1);
	made->table = (struct sg_table){ &made->entry, 1, 1 };
	return &made->table;
}

/* The segment has whole pages, and the device may use all of them. */
static u64 whole_pages(size_t size)
{
	return dma_page_count(size) << PAGE_SHIFT;
}

static struct sg_table *alloc_table(struct device *dev, size_t size, struct dma_call call)
{
	u64 bytes = whole_pages(size);
	struct sg_table *table = new_table(dev);
	struct page *page = NULL;
	phys_addr_t phys;
	dma_addr_t dma;

	if (!table)
		return NULL;
	phys = dma_alloc_mapped(dev, size, &dma, call, dma_coherent_limit(dev));
	if (phys != PLATFORM_NO_PHYS) {
		page = page_at(dev->os, phys);
		if (!page)
			dma_free_mapped(dev, size, phys, dma);
	}
	if (!page) {
		os_free(dev->os, table);
		return NULL;
	}
	/* Behind an IOMMU what was zeroed is in memory, too, not only in the cache. */
	if (!dev->dma_coherent && iommu_dma_domain(dev))
		arch_sync_dma_for_device(dev, phys, bytes);
	sg_set_page(table->sgl, page, (unsigned int)bytes, 0);
	table->sgl->dma_address = dma;
	sg_dma_len(table->sgl) = (unsigned int)bytes;
	return table;
}

struct sg_table *dma_alloc_noncontiguous(struct device *dev, size_t size,
					 enum dma_data_direction dir, gfp_t gfp,
					 unsigned long attrs)
{
	struct sg_table *table = NULL;

	if (may_alloc(dev, size, gfp, attrs))
		table = alloc_table(dev, size, (struct dma_call){ dir, attrs });
	PLATFORM_EVENT(dev->os->platform, ALLOC, .dev = dev->id,
		       .dma = table ? table->sgl->dma_address : DMA_MAPPING_ERROR,
		       .phys = table ? sg_phys(table->sgl) : 0, .size = whole_pages(size),
		       .dir = dir, .attrs = attrs, .alloc = DMASIM_ALLOC_NONCONTIGUOUS,
		       .site = dev->site);
	dma_leave(dev);
	return table;
}

void dma_free_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt,
			    enum dma_data_direction dir)
{
	dma_addr_t dma = sgt->sgl->dma_address;
	u64 count;

	dma_unmap_mapped(dev, size, dma);
	count = dma_frames_to_free(dev, sg_phys(sgt->sgl), size, dma);
	PLATFORM_EVENT(dev->os->platform, ALLOC_FREE, .dev = dev->id, .dma = dma,
		       .phys = sg_phys(sgt->sgl), .size = whole_pages(size), .dir = dir,
		       .alloc = DMASIM_ALLOC_NONCONTIGUOUS, .site = dev->site);
	dma_free_frames(dev, sg_phys(sgt->sgl), count);
	os_free(dev->os, sgt);
	dma_leave(dev);
}

void *dma_vmap_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt)
{
	(void)size;
	return platform_ptr(dev->os->platform, sg_phys(sgt->sgl));
}

void dma_vunmap_noncontiguous(struct device *dev, void *vaddr)
{
	(void)dev;
	(void)vaddr;
}
