/* SPDX-License-Identifier: MIT */
/*
 * The one-call interface and what decides the mode (facts "dma-api" 2 and 3).
 */
#include "dma/direct.h"

void dma_warn(struct device *dev, enum dmasim_report_id id, u64 dma, u64 size, const char *what)
{
	platform_report(dev->os->platform, &(struct platform_report){
						   .id = id,
						   .dev = dev->id,
						   .dma = dma,
						   .size = size,
						   .what = what,
						   .site = dev->site,
					   });
}

DMASIM_HOT bool dma_valid_direction(struct device *dev, enum dma_data_direction dir)
{
	if (DMASIM_LIKELY(dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE ||
			  dir == DMA_FROM_DEVICE))
		return true;
	dma_warn(dev, DMASIM_REPORT_BAD_DIRECTION, 0, 0,
		 "Linux stops here: a mapping is to, from or bidirectional");
	return false;
}

DMASIM_HOT bool dma_has_mask(struct device *dev)
{
	if (DMASIM_LIKELY(dev->dma_mask))
		return true;
	dma_warn(dev, DMASIM_REPORT_NO_DMA_MASK, 0, 0, "the device has no DMA mask");
	return false;
}

DMASIM_HOT u32 dma_prot(const struct device *dev, struct dma_call call)
{
	u32 prot = dev->dma_coherent ? IOMMU_CACHE : 0;

	if (call.attrs & DMA_ATTR_MMIO)
		prot = IOMMU_MMIO;
	if (call.attrs & DMA_ATTR_PRIVILEGED)
		prot |= IOMMU_PRIV;
	switch (call.dir) {
	case DMA_BIDIRECTIONAL:
		return prot | IOMMU_READ | IOMMU_WRITE;
	case DMA_TO_DEVICE:
		return prot | IOMMU_READ;
	case DMA_FROM_DEVICE:
		return prot | IOMMU_WRITE;
	default:
		return 0;
	}
}

/* ---- Physical addresses ----------------------------------------------- */

static dma_addr_t map_in_mode(struct device *dev, phys_addr_t phys, size_t size,
			      struct dma_call call)
{
	struct iommu_domain *domain;

	if (!dma_ready(dev))
		return DMA_MAPPING_ERROR;
	domain = iommu_dma_domain(dev);
	if (!domain)
		return dma_direct_map_phys(dev, phys, size, call);
	if (call.attrs & DMA_ATTR_CC_SHARED)
		return DMA_MAPPING_ERROR;
	return iommu_dma_map_phys(dev, domain, phys, size, call);
}

/* Larger than the address space that is left: Linux maps what the sum wraps to. */
static void say_wraps(struct device *dev, phys_addr_t phys, size_t size)
{
	if (DMASIM_UNLIKELY(phys + size < phys))
		dma_warn(dev, DMASIM_REPORT_BAD_ARGUMENT, phys, size,
			 "the end of the buffer is beyond the end of all addresses");
}

DMASIM_HOT static dma_addr_t map_phys(struct device *dev, phys_addr_t phys, size_t size,
				      struct dma_call call)
{
	dma_addr_t dma;

	if (!dma_valid_direction(dev, call.dir) || !dma_has_mask(dev))
		return DMA_MAPPING_ERROR;
	if (call.attrs & DMA_ATTR_REQUIRE_COHERENT && !dev->dma_coherent)
		return DMA_MAPPING_ERROR;
	say_wraps(dev, phys, size);
	dma = dma_mapping_fails(dev) ? DMA_MAPPING_ERROR : map_in_mode(dev, phys, size, call);
	PLATFORM_EVENT(dev->os->platform, MAP_PHYS, .dev = dev->id, .dma = dma, .phys = phys,
		       .size = size, .dir = call.dir, .attrs = call.attrs, .site = dev->site);
	return dma;
}

DMASIM_HOT static void unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
				  struct dma_call call)
{
	struct iommu_domain *domain;

	if (!dma_valid_direction(dev, call.dir) || !dma_has_mask(dev) || !dma_ready(dev))
		return;
	domain = iommu_dma_domain(dev);
	if (domain && (call.attrs & DMA_ATTR_CC_SHARED))
		return;
	if (domain)
		iommu_dma_unmap_phys(dev, domain, addr, size, call);
	else
		dma_direct_unmap_phys(dev, addr, size, call);
	PLATFORM_EVENT(dev->os->platform, UNMAP_PHYS, .dev = dev->id, .dma = addr, .size = size,
		       .dir = call.dir, .attrs = call.attrs, .site = dev->site);
}

DMASIM_HOT dma_addr_t dma_map_phys(struct device *dev, phys_addr_t phys, size_t size,
				   enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t dma = map_phys(dev, phys, size, (struct dma_call){ dir, attrs });

	dma_leave(dev);
	return dma;
}

DMASIM_HOT void dma_unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
			       enum dma_data_direction dir, unsigned long attrs)
{
	unmap_phys(dev, addr, size, (struct dma_call){ dir, attrs });
	dma_leave(dev);
}

dma_addr_t dma_map_resource(struct device *dev, phys_addr_t phys, size_t size,
			    enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t dma = map_phys(dev, phys, size, (struct dma_call){ dir, attrs | DMA_ATTR_MMIO });

	dma_leave(dev);
	return dma;
}

void dma_unmap_resource(struct device *dev, dma_addr_t addr, size_t size,
			enum dma_data_direction dir, unsigned long attrs)
{
	unmap_phys(dev, addr, size, (struct dma_call){ dir, attrs | DMA_ATTR_MMIO });
	dma_leave(dev);
}

/* ---- Pages and pointers ----------------------------------------------- */

static dma_addr_t map_page(struct device *dev, struct page *page, size_t offset, size_t size,
			   struct dma_call call)
{
	if (call.attrs & DMA_ATTR_MMIO)
		return DMA_MAPPING_ERROR;
	if (dev->os->dma_debug && is_pci_p2pdma_page(page)) {
		dma_warn(dev, DMASIM_REPORT_BAD_ARGUMENT, page_phys(page), size,
			 "a page of a BAR is not mapped as if it were memory");
		return DMA_MAPPING_ERROR;
	}
	return map_phys(dev, page_phys(page) + offset, size, call);
}

DMASIM_HOT dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset,
					 size_t size, enum dma_data_direction dir,
					 unsigned long attrs)
{
	dma_addr_t dma = map_page(dev, page, offset, size, (struct dma_call){ dir, attrs });

	dma_leave(dev);
	return dma;
}

DMASIM_HOT void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
				     enum dma_data_direction dir, unsigned long attrs)
{
	if (!(attrs & DMA_ATTR_MMIO))
		unmap_phys(dev, addr, size, (struct dma_call){ dir, attrs });
	dma_leave(dev);
}

/* Memory of the machine, or of the program if the machine adopted it. */
static dma_addr_t map_single(struct device *dev, const void *ptr, size_t size, struct dma_call call)
{
	struct platform *p = dev->os->platform;
	phys_addr_t phys = p->ops->phys(p->machine, ptr);

	if (call.attrs & DMA_ATTR_MMIO)
		return DMA_MAPPING_ERROR;
	if (phys == PLATFORM_NO_PHYS) {
		dma_warn(dev, DMASIM_REPORT_BAD_ARGUMENT, 0, size,
			 "rejecting DMA map of memory that the machine does not have");
		PLATFORM_EVENT(p, MAP_REFUSED, .dev = dev->id, .size = size, .dir = call.dir,
			       .pointer = ptr, .site = dev->site);
		return DMA_MAPPING_ERROR;
	}
	return map_phys(dev, phys, size, call);
}

dma_addr_t dma_map_single_attrs(struct device *dev, void *ptr, size_t size,
				enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t dma = map_single(dev, ptr, size, (struct dma_call){ dir, attrs });

	dma_leave(dev);
	return dma;
}

void dma_unmap_single_attrs(struct device *dev, dma_addr_t addr, size_t size,
			    enum dma_data_direction dir, unsigned long attrs)
{
	dma_unmap_page_attrs(dev, addr, size, dir, attrs);
}

int dma_mapping_error(struct device *dev, dma_addr_t addr)
{
	int err = addr == DMA_MAPPING_ERROR ? -ENOMEM : 0;

	if (dev)
		PLATFORM_EVENT(dev->os->platform, MAPPING_ERROR, .dev = dev->id, .dma = addr,
			       .ret = err);
	return err;
}
