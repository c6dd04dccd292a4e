/* SPDX-License-Identifier: MIT */
/*
 * Ownership that changes while a mapping lives: caches and copies, as the mode asks (facts
 * "dma-api" 3.9).
 */
#include "dma/direct.h"
#include "dma/sg.h"
#include "dma/swiotlb.h"

/* One of the two ways. */
enum sync_way {
	SYNC_FOR_CPU,
	SYNC_FOR_DEVICE,
};

/* Nothing to do for a device that snoops and was never bounced. */
static bool skips(struct device *dev, enum dma_data_direction dir)
{
	return !dma_valid_direction(dev, dir) || !dma_has_mask(dev) || !dma_ready(dev) ||
	       dev->dma_skip_sync;
}

static void sync_single(struct device *dev, dma_addr_t dma, size_t size,
			enum dma_data_direction dir, enum sync_way way)
{
	struct iommu_domain *domain = iommu_dma_domain(dev);

	if (domain && way == SYNC_FOR_CPU)
		iommu_dma_sync_single_for_cpu(dev, domain, dma, size, dir);
	else if (domain)
		iommu_dma_sync_single_for_device(dev, domain, dma, size, dir);
	else if (way == SYNC_FOR_CPU)
		dma_direct_sync_single_for_cpu(dev, dma, size, dir);
	else
		dma_direct_sync_single_for_device(dev, dma, size, dir);
}

void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir)
{
	if (!skips(dev, dir))
		sync_single(dev, addr, size, dir, SYNC_FOR_CPU);
	PLATFORM_EVENT(dev->os->platform, SYNC_FOR_CPU, .dev = dev->id, .dma = addr, .size = size,
		       .dir = dir, .site = dev->site);
	dma_leave(dev);
}

void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	if (!skips(dev, dir))
		sync_single(dev, addr, size, dir, SYNC_FOR_DEVICE);
	PLATFORM_EVENT(dev->os->platform, SYNC_FOR_DEVICE, .dev = dev->id, .dma = addr,
		       .size = size, .dir = dir, .site = dev->site);
	dma_leave(dev);
}

/* One entry of a list that an IOMMU serves: its memory is known, copies are not involved. */
static void sync_entry_cache(struct device *dev, struct scatterlist *s, enum dma_data_direction dir,
			     enum sync_way way)
{
	if (dev->dma_coherent)
		return;
	if (way == SYNC_FOR_CPU)
		arch_sync_dma_for_cpu(dev, sg_phys(s), s->length, dir);
	else
		arch_sync_dma_for_device(dev, sg_phys(s), s->length);
}

static void sync_sg(struct device *dev, struct scatterlist *sg, int nents,
		    enum dma_data_direction dir, enum sync_way way)
{
	bool whole = iommu_dma_domain(dev) && !sg_dma_is_swiotlb(sg);
	struct scatterlist *s;
	int i;

	for_each_sg(sg, s, nents, i) {
		if (whole)
			sync_entry_cache(dev, s, dir, way);
		else
			sync_single(dev, s->dma_address, s->length, dir, way);
	}
}

void dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir)
{
	if (!skips(dev, dir))
		sync_sg(dev, sg, nents, dir, SYNC_FOR_CPU);
	PLATFORM_EVENT(dev->os->platform, SYNC_SG_FOR_CPU, .dev = dev->id, .count = (u32)nents,
		       .dir = dir, .list = &(struct dmasim_event_list){ .sg = sg },
		       .site = dev->site);
	dma_leave(dev);
}

void dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir)
{
	if (!skips(dev, dir))
		sync_sg(dev, sg, nents, dir, SYNC_FOR_DEVICE);
	PLATFORM_EVENT(dev->os->platform, SYNC_SG_FOR_DEVICE, .dev = dev->id, .count = (u32)nents,
		       .dir = dir, .list = &(struct dmasim_event_list){ .sg = sg },
		       .site = dev->site);
	dma_leave(dev);
}

void dma_sync_single_range_for_cpu(struct device *dev, dma_addr_t addr, unsigned long offset,
				   size_t size, enum dma_data_direction dir)
{
	dma_sync_single_for_cpu(dev, addr + offset, size, dir);
}

void dma_sync_single_range_for_device(struct device *dev, dma_addr_t addr, unsigned long offset,
				      size_t size, enum dma_data_direction dir)
{
	dma_sync_single_for_device(dev, addr + offset, size, dir);
}
