/* SPDX-License-Identifier: MIT */
/*
 * The one-call interface and what decides the mode (facts "dma-api" 2 and 3).
 */
#include "dma/dma.h"

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

bool dma_valid_direction(struct device *dev, enum dma_data_direction dir)
{
	if (DMASIM_LIKELY(dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE ||
			  dir == DMA_FROM_DEVICE))
		return true;
	dma_warn(dev, DMASIM_REPORT_BAD_DIRECTION, 0, 0,
		 "Linux stops here: a mapping is to, from or bidirectional");
	return false;
}

static bool has_mask(struct device *dev)
{
	if (DMASIM_LIKELY(dev->dma_mask))
		return true;
	dma_warn(dev, DMASIM_REPORT_NO_DMA_MASK, 0, 0, "the device has no DMA mask");
	return false;
}

u64 dma_get_mask(struct device *dev)
{
	return dev->dma_mask && *dev->dma_mask ? *dev->dma_mask : DMA_BIT_MASK(32);
}

u64 dma_limit(struct device *dev)
{
	u64 mask = dma_get_mask(dev);

	return dev->bus_dma_limit && dev->bus_dma_limit < mask ? dev->bus_dma_limit : mask;
}

u32 dma_prot(enum dma_data_direction dir, unsigned long attrs)
{
	u32 prot = attrs & DMA_ATTR_MMIO ? IOMMU_MMIO : IOMMU_CACHE;

	if (attrs & DMA_ATTR_PRIVILEGED)
		prot |= IOMMU_PRIV;
	switch (dir) {
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

/* The highest byte of RAM. */
static u64 last_of_memory(const struct platform_firmware *firmware)
{
	u64 last = 0;

	for (u32 i = 0; i < firmware->memory_count; i++) {
		u64 end = firmware->memory[i].start + firmware->memory[i].bytes;

		if (end && end - 1 > last)
			last = end - 1;
	}
	return last;
}

int dma_set_mask(struct device *dev, u64 mask)
{
	if (!dev->dma_mask)
		return -EIO;
	if (!iommu_serves(to_pci_dev(dev)) && mask < DMA_BIT_MASK(32) &&
	    mask < last_of_memory(dev->os->firmware))
		return -EIO;
	*dev->dma_mask = mask;
	return 0;
}

void dma_set_max_seg_size(struct device *dev, unsigned int size)
{
	dev->max_segment_size = size;
}

void dma_set_seg_boundary(struct device *dev, unsigned long mask)
{
	dev->segment_boundary_mask = mask;
}

static dma_addr_t map_in_mode(struct device *dev, phys_addr_t phys, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct iommu_domain *domain;

	if (!dma_ready(dev))
		return DMA_MAPPING_ERROR;
	domain = iommu_dma_domain(dev);
	if (!domain)
		return dma_direct_map(dev, phys, size);
	if (attrs & DMA_ATTR_CC_SHARED)
		return DMA_MAPPING_ERROR;
	return iommu_dma_map(dev, domain, phys, size, dma_prot(dir, attrs));
}

static dma_addr_t map_phys(struct device *dev, phys_addr_t phys, size_t size,
			   enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t dma;

	if (!dma_valid_direction(dev, dir) || !has_mask(dev))
		return DMA_MAPPING_ERROR;
	dma = map_in_mode(dev, phys, size, dir, attrs);
	PLATFORM_EVENT(dev->os->platform, MAP_PHYS, .dev = dev->id, .dma = dma, .phys = phys,
		       .size = size, .dir = dir, .attrs = attrs, .site = dev->site);
	return dma;
}

dma_addr_t dma_map_phys(struct device *dev, phys_addr_t phys, size_t size,
			enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t dma = map_phys(dev, phys, size, dir, attrs);

	dma_leave(dev);
	return dma;
}

/* Nobody here can tell an IOVA from a bus address: behind an IOMMU it is looked up as an IOVA. */
static void unmap_as_iova(struct device *dev, struct iommu_domain *domain, dma_addr_t addr,
			  size_t size, unsigned long attrs)
{
	if (!(attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT)) &&
	    !iommu_iova_to_phys(domain, addr)) {
		dma_warn(dev, DMASIM_REPORT_UNMAP_NOT_MAPPED, addr, size,
			 "the address does not translate: nothing is unmapped, nothing is freed");
		return;
	}
	iommu_dma_unmap(dev, domain, addr, size);
}

static void unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
		       enum dma_data_direction dir, unsigned long attrs)
{
	struct iommu_domain *domain;

	if (!dma_valid_direction(dev, dir) || !has_mask(dev) || !dma_ready(dev))
		return;
	domain = iommu_dma_domain(dev);
	if (domain && (attrs & DMA_ATTR_CC_SHARED))
		return;
	if (domain)
		unmap_as_iova(dev, domain, addr, size, attrs);
	PLATFORM_EVENT(dev->os->platform, UNMAP_PHYS, .dev = dev->id, .dma = addr, .size = size,
		       .dir = dir, .attrs = attrs, .site = dev->site);
}

void dma_unmap_phys(struct device *dev, dma_addr_t addr, size_t size, enum dma_data_direction dir,
		    unsigned long attrs)
{
	unmap_phys(dev, addr, size, dir, attrs);
	dma_leave(dev);
}

dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	dma_addr_t dma = DMA_MAPPING_ERROR;

	if (!(attrs & DMA_ATTR_MMIO))
		dma = map_phys(dev, page_phys(page) + offset, size, dir, attrs);
	dma_leave(dev);
	return dma;
}

void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	if (!(attrs & DMA_ATTR_MMIO))
		unmap_phys(dev, addr, size, dir, attrs);
	dma_leave(dev);
}

int dma_mapping_error(struct device *dev, dma_addr_t addr)
{
	(void)dev;
	return addr == DMA_MAPPING_ERROR ? -ENOMEM : 0;
}

bool dma_need_unmap(struct device *dev)
{
	return dma_ready(dev) && iommu_dma_domain(dev);
}

unsigned long dma_get_merge_boundary(struct device *dev)
{
	struct iommu_domain *domain = dma_ready(dev) ? iommu_dma_domain(dev) : NULL;

	return domain ? (unsigned long)(iommu_granule(domain) - 1) : 0;
}
