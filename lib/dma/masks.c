/* SPDX-License-Identifier: MIT */
/*
 * What a device can address, and what follows from it for a driver (facts "dma-api" 2, 3.8, 3.11).
 */
#include "dma/direct.h"
#include "dma/swiotlb.h"

#define ARCH_DMA_MINALIGN   128U
#define DMA_CACHE_ALIGNMENT 64U
#define KMALLOC_BUCKET_MIN  8U

DMASIM_HOT u64 dma_get_mask(struct device *dev)
{
	return dev->dma_mask && *dev->dma_mask ? *dev->dma_mask : DMA_BIT_MASK(32);
}

static u64 min_not_zero(u64 a, u64 b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

DMASIM_HOT u64 dma_limit(struct device *dev)
{
	return min_not_zero(dma_get_mask(dev), dev->bus_dma_limit);
}

u64 dma_coherent_limit(struct device *dev)
{
	return min_not_zero(dev->coherent_dma_mask, dev->bus_dma_limit);
}

/* ---- Setting ---------------------------------------------------------- */

static bool is_behind_iommu(struct device *dev)
{
	return dma_ready(dev) && iommu_dma_domain(dev);
}

/* Behind an IOMMU every mask will do: the allocator honours it. */
static bool is_supported(struct device *dev, u64 mask)
{
	return iommu_will_translate(to_pci_dev(dev)) || dma_direct_supported(dev, mask);
}

int dma_set_mask(struct device *dev, u64 mask)
{
	if (!dev->dma_mask || !is_supported(dev, mask))
		return -EIO;
	*dev->dma_mask = mask;
	dev->dma_skip_sync = dev->dma_coherent;
	return 0;
}

int dma_set_coherent_mask(struct device *dev, u64 mask)
{
	if (!is_supported(dev, mask))
		return -EIO;
	dev->coherent_dma_mask = mask;
	return 0;
}

int dma_set_mask_and_coherent(struct device *dev, u64 mask)
{
	int err = dma_set_mask(dev, mask);

	if (!err)
		dma_set_coherent_mask(dev, mask);
	return err;
}

void dma_set_max_seg_size(struct device *dev, unsigned int size)
{
	dev->max_segment_size = size;
}

DMASIM_HOT unsigned int dma_get_max_seg_size(struct device *dev)
{
	return dev->max_segment_size ? dev->max_segment_size : SZ_64K;
}

void dma_set_seg_boundary(struct device *dev, unsigned long mask)
{
	if (mask & (mask + 1)) {
		dma_warn(dev, DMASIM_REPORT_BAD_ARGUMENT, 0, mask,
			 "a segment boundary is a mask of low bits: it stays as it was");
		return;
	}
	dev->segment_boundary_mask = mask;
}

DMASIM_HOT u64 dma_get_seg_boundary(struct device *dev)
{
	return dev->segment_boundary_mask ? dev->segment_boundary_mask : ~0ULL;
}

void dma_set_min_align_mask(struct device *dev, unsigned int mask)
{
	dev->min_align_mask = mask;
}

unsigned int dma_get_min_align_mask(struct device *dev)
{
	return dev->min_align_mask;
}

/* ---- Asking ----------------------------------------------------------- */

u64 dma_get_required_mask(struct device *dev)
{
	return is_behind_iommu(dev) ? DMA_BIT_MASK(32) : dma_direct_get_required_mask(dev);
}

bool dma_addressing_limited(struct device *dev)
{
	if (is_behind_iommu(dev))
		return dma_limit(dev) < DMA_BIT_MASK(32);
	return dma_direct_addressing_limited(dev);
}

size_t dma_max_mapping_size(struct device *dev)
{
	bool bounces;

	if (!dev->dma_mask)
		return 0;
	if (is_behind_iommu(dev))
		bounces = dev->untrusted;
	else
		bounces = is_swiotlb_active(dev) &&
			  (is_swiotlb_force_bounce(dev) || dma_addressing_limited(dev));
	return bounces ? swiotlb_max_mapping_size(dev) : SIZE_MAX;
}

/* Up to 32 granules an IOVA range comes from a cache. */
#define IOVA_RANGE_CACHE_BYTES (PAGE_SIZE << 5)

size_t dma_opt_mapping_size(struct device *dev)
{
	size_t most = dma_max_mapping_size(dev);

	if (is_behind_iommu(dev) && most > IOVA_RANGE_CACHE_BYTES)
		return IOVA_RANGE_CACHE_BYTES;
	return most;
}

unsigned long dma_get_merge_boundary(struct device *dev)
{
	struct iommu_domain *domain = dma_ready(dev) ? iommu_dma_domain(dev) : NULL;

	return domain ? (unsigned long)(iommu_granule(domain) - 1) : 0;
}

bool dma_need_unmap(struct device *dev)
{
	bool needed = is_behind_iommu(dev) || !dev->dma_skip_sync || dev->os->dma_debug;

	PLATFORM_EVENT(dev->os->platform, NEED_UNMAP, .dev = dev->id, .ret = needed);
	return needed;
}

bool dma_dev_need_sync(const struct device *dev)
{
	return !dev->dma_skip_sync || dev->os->dma_debug;
}

bool dma_need_sync(struct device *dev, dma_addr_t addr)
{
	if (!dma_dev_need_sync(dev))
		return false;
	if (is_behind_iommu(dev))
		return true;
	return !dev->dma_coherent || is_swiotlb_buffer(dev, dma_to_phys(dev, addr));
}

/* ---- Small buffers ---------------------------------------------------- */

/* The size of what kmalloc() gives for `size`: powers of two, and 96 and 192. */
static size_t kmalloc_bucket(size_t size)
{
	size_t bucket = KMALLOC_BUCKET_MIN;

	if (size > 64 && size <= 96)
		return 96;
	if (size > 128 && size <= 192)
		return 192;
	while (bucket < size)
		bucket *= 2;
	return bucket;
}

bool dma_kmalloc_shares_line(size_t size)
{
	return size < (size_t)2 * ARCH_DMA_MINALIGN && kmalloc_bucket(size) % DMA_CACHE_ALIGNMENT;
}
