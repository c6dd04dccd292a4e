/* SPDX-License-Identifier: MIT */
#include "dma/direct.h"

#include "dma/swiotlb.h"

bool dma_capable(struct device *dev, dma_addr_t dma, u64 size)
{
	return dma != DMA_MAPPING_ERROR && dma + size - 1 <= dma_limit(dev);
}

static dma_addr_t overflow(struct device *dev, dma_addr_t dma, size_t size)
{
	dma_warn(dev, DMASIM_REPORT_MASK_OVERFLOW, dma, size,
		 "the end of the buffer is beyond the device's mask or its bus limit");
	return DMA_MAPPING_ERROR;
}

dma_addr_t swiotlb_map(struct device *dev, phys_addr_t phys, size_t size, struct dma_call call)
{
	phys_addr_t tlb = swiotlb_tbl_map_single(dev, phys, size, 0, call.dir, call.attrs);
	dma_addr_t dma;

	if (tlb == DMA_MAPPING_ERROR)
		return DMA_MAPPING_ERROR;
	dma = phys_to_dma(dev, tlb);
	if (!dma_capable(dev, dma, size)) {
		swiotlb_tbl_unmap_single(dev, tlb, size, call.dir,
					 call.attrs | DMA_ATTR_SKIP_CPU_SYNC);
		return overflow(dev, dma, size);
	}
	if (!dev->dma_coherent && !(call.attrs & DMA_ATTR_SKIP_CPU_SYNC))
		arch_sync_dma_for_device(dev, tlb, size);
	return dma;
}

/* What is no memory: a BAR somewhere else. It is never bounced, and no cache holds it. */
static dma_addr_t map_mmio(struct device *dev, phys_addr_t phys, size_t size)
{
	dma_addr_t dma = phys_to_dma(dev, phys);

	if (os_has_bug(dev->os, DMASIM_BUG_MMIO_UNTRANSLATED))
		dma = phys;
	return dma_capable(dev, dma, size) ? dma : overflow(dev, dma, size);
}

DMASIM_HOT dma_addr_t dma_direct_map_phys(struct device *dev, phys_addr_t phys, size_t size,
					  struct dma_call call)
{
	bool may_bounce = !(call.attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT));
	dma_addr_t dma;

	if (is_swiotlb_force_bounce(dev))
		return may_bounce ? swiotlb_map(dev, phys, size, call) : DMA_MAPPING_ERROR;
	if (call.attrs & DMA_ATTR_MMIO)
		return map_mmio(dev, phys, size);
	dma = phys_to_dma(dev, phys);
	if (DMASIM_UNLIKELY(!dma_capable(dev, dma, size) ||
			    dma_kmalloc_needs_bounce(dev, size, call.dir))) {
		if (may_bounce && is_swiotlb_active(dev))
			return swiotlb_map(dev, phys, size, call);
		return overflow(dev, dma, size);
	}
	if (!dev->dma_coherent && !(call.attrs & DMA_ATTR_SKIP_CPU_SYNC))
		arch_sync_dma_for_device(dev, phys, size);
	return dma;
}

void dma_direct_sync_single_for_device(struct device *dev, dma_addr_t dma, size_t size,
				       enum dma_data_direction dir)
{
	phys_addr_t phys = dma_to_phys(dev, dma);

	if (is_swiotlb_buffer(dev, phys))
		swiotlb_sync_single_for_device(dev, phys, size, dir);
	if (!dev->dma_coherent)
		arch_sync_dma_for_device(dev, phys, size);
}

DMASIM_HOT void dma_direct_sync_single_for_cpu(struct device *dev, dma_addr_t dma, size_t size,
					       enum dma_data_direction dir)
{
	phys_addr_t phys = dma_to_phys(dev, dma);

	if (!dev->dma_coherent)
		arch_sync_dma_for_cpu(dev, phys, size, dir);
	if (is_swiotlb_buffer(dev, phys))
		swiotlb_sync_single_for_cpu(dev, phys, size, dir);
}

DMASIM_HOT void dma_direct_unmap_phys(struct device *dev, dma_addr_t dma, size_t size,
				      struct dma_call call)
{
	phys_addr_t phys = dma_to_phys(dev, dma);

	if (call.attrs & (DMA_ATTR_MMIO | DMA_ATTR_REQUIRE_COHERENT))
		return;
	if (!(call.attrs & DMA_ATTR_SKIP_CPU_SYNC))
		dma_direct_sync_single_for_cpu(dev, dma, size, call.dir);
	/* Copied back above, or not wanted. */
	if (is_swiotlb_buffer(dev, phys))
		swiotlb_tbl_unmap_single(dev, phys, size, call.dir,
					 call.attrs | DMA_ATTR_SKIP_CPU_SYNC);
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

/* A PC keeps memory below 16 MiB for devices that reach no further. */
#define ZONE_DMA_BITS 24

bool dma_direct_supported(struct device *dev, u64 mask)
{
	u64 last = last_of_memory(dev->os->firmware);

	if (mask >= DMA_BIT_MASK(32))
		return true;
	if (last > DMA_BIT_MASK(ZONE_DMA_BITS))
		last = DMA_BIT_MASK(ZONE_DMA_BITS);
	return mask >= phys_to_dma(dev, last);
}

u64 dma_direct_get_required_mask(struct device *dev)
{
	dma_addr_t last = phys_to_dma(dev, last_of_memory(dev->os->firmware));

	return last ? ~0ULL >> __builtin_clzll(last) : 1;
}

/* True if every byte of RAM has a DMA address. */
static bool ranges_cover(const struct device *dev, const struct platform_memory *memory)
{
	phys_addr_t at = memory->start, end = memory->start + memory->bytes;

	while (at != end) {
		phys_addr_t reached = at;

		for (u32 i = 0; i < dev->dma_range_count; i++) {
			const struct platform_dma_range *range = &dev->dma_range[i];

			if (at - range->start < range->bytes)
				reached = range->start + range->bytes;
		}
		if (reached == at)
			return false;
		at = reached < end ? reached : end;
	}
	return true;
}

bool dma_direct_addressing_limited(struct device *dev)
{
	const struct platform_firmware *firmware = dev->os->firmware;

	if (dma_limit(dev) < dma_direct_get_required_mask(dev))
		return true;
	for (u32 i = 0; dev->dma_range_count && i < firmware->memory_count; i++) {
		if (!ranges_cover(dev, &firmware->memory[i]))
			return true;
	}
	return false;
}
