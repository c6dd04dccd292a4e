/* SPDX-License-Identifier: MIT */
/*
 * What is lent is a copy: mapping, syncing and unmapping copy between a buffer and its slots (facts
 * "dma-api" 7.3 to 7.7).
 */
#include <string.h>

#include "dma/dma.h"
#include "dma/swiotlb_pool.h"

/*
 * Host memory at phys, and in *run how much of it may be used: no more than *run, than the page, or
 * than the machine has there. NULL: it has none.
 */
static void *memory_at(struct platform *p, phys_addr_t phys, u64 *run)
{
	u64 in_page = PAGE_SIZE - (phys & (PAGE_SIZE - 1));
	void *host = platform_ptr(p, phys);
	u64 in_window = p->window_start + p->window_bytes - phys;

	if (*run > in_page)
		*run = in_page;
	if (host && *run > in_window)
		*run = in_window;
	return host;
}

/* Copies between physical addresses; what is not memory is left out. */
static void copy_phys(struct platform *p, phys_addr_t to, phys_addr_t from, u64 bytes)
{
	while (bytes) {
		u64 run = bytes;
		void *target = memory_at(p, to, &run);
		const void *source = memory_at(p, from, &run);

		if (target && source)
			memcpy(target, source, (size_t)run);
		to += run;
		from += run;
		bytes -= run;
	}
}

static void zero_phys(struct platform *p, phys_addr_t at, u64 bytes)
{
	while (bytes) {
		u64 run = bytes;
		void *target = memory_at(p, at, &run);

		if (target)
			memset(target, 0, (size_t)run);
		at += run;
		bytes -= run;
	}
}

static const struct io_tlb_slot *slot_at(const struct io_tlb_pool *pool, phys_addr_t tlb)
{
	return &pool->slot[(tlb - pool->start) >> IO_TLB_SHIFT];
}

/*
 * The original behind an address in the pool, and how much of `size` may be copied there. False:
 * the slot stands for nothing.
 */
static bool original(struct device *dev, const struct io_tlb_pool *pool, phys_addr_t tlb,
		     size_t *size, phys_addr_t *orig)
{
	const struct io_tlb_slot *slot = slot_at(pool, tlb);
	s64 into;
	u64 left;

	if (!slot->lent)
		return false;
	/* Slots begin that much before what they stand for: this may be below 0. */
	into = (s64)(tlb & (IO_TLB_SIZE - 1)) - (s64)swiotlb_kept_in_slot(dev, slot->orig);
	left = into < (s64)slot->alloc_size ? slot->alloc_size - (u64)into : 0;
	if (*size > left) {
		dma_warn(dev, DMASIM_REPORT_BOUNCE_OVERRUN, tlb, *size,
			 "Buffer overflow detected: the copy is cut");
		*size = (size_t)left;
	}
	*orig = slot->orig + (u64)into;
	return left;
}

static void bounce(struct device *dev, phys_addr_t tlb, size_t size, bool to_device)
{
	struct io_tlb_pool *pool = swiotlb_pool(dev);
	struct platform *p = dev->os->platform;
	phys_addr_t orig;

	if (!original(dev, pool, tlb, &size, &orig))
		return;
	p->ops->cpu_copies(p->machine, orig, size, !to_device);
	if (to_device)
		copy_phys(p, tlb, orig, size);
	else
		copy_phys(p, orig, tlb, size);
}

static void mark_lent(struct io_tlb_pool *pool, s64 slot, phys_addr_t orig, size_t size, u64 within)
{
	u64 count = (size + within + IO_TLB_SIZE - 1) >> IO_TLB_SHIFT;

	for (u64 k = 0; k < count; k++) {
		pool->slot[slot + (s64)k].orig = orig + (k << IO_TLB_SHIFT);
		pool->slot[slot + (s64)k].lent = true;
	}
}

static void say_full(struct device *dev, size_t size, unsigned long attrs, bool pool)
{
	if (!(attrs & DMA_ATTR_NO_WARN))
		dma_warn(dev, DMASIM_REPORT_BOUNCE_FULL, 0, size,
			 pool ? "swiotlb buffer is full" : "there is no memory to bounce to");
}

phys_addr_t swiotlb_tbl_map_single(struct device *dev, phys_addr_t orig, size_t size,
				   u64 align_mask, enum dma_data_direction dir, unsigned long attrs)
{
	struct io_tlb_pool *pool = swiotlb_pool(dev);
	u64 offset = swiotlb_kept(dev, orig, align_mask);
	phys_addr_t tlb;
	s64 slot;

	(void)dir;
	slot = pool && size && size <= IO_TLB_MAX_BYTES
		       ? swiotlb_lend(dev, pool, orig, size, align_mask)
		       : -1;
	if (slot < 0) {
		say_full(dev, size, attrs, pool);
		return DMA_MAPPING_ERROR;
	}
	tlb = pool->start + ((u64)slot << IO_TLB_SHIFT) + (offset & (IO_TLB_SIZE - 1));
	mark_lent(pool, slot, orig, size, offset & (IO_TLB_SIZE - 1));
	/* A device that writes less than all must not leave garbage around what it wrote. */
	bounce(dev, tlb, size, true);
	dev->dma_skip_sync = false;
	PLATFORM_EVENT(dev->os->platform, BOUNCE, .dev = dev->id, .dma = tlb, .phys = orig,
		       .size = size);
	return tlb;
}

void swiotlb_zero_padding(struct device *dev, phys_addr_t tlb, size_t size, u64 align_mask)
{
	phys_addr_t start = tlb & ~align_mask;
	phys_addr_t end = (tlb + size + align_mask) & ~align_mask;

	zero_phys(dev->os->platform, start, tlb - start);
	zero_phys(dev->os->platform, tlb + size, end - (tlb + size));
}

void swiotlb_tbl_unmap_single(struct device *dev, phys_addr_t tlb, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct io_tlb_pool *pool = swiotlb_pool(dev);
	u64 within = swiotlb_kept_in_slot(dev, tlb);

	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC) &&
	    (dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL))
		bounce(dev, tlb, size, false);
	swiotlb_take_back(dev->os, pool, (tlb - within - pool->start) >> IO_TLB_SHIFT, within);
	PLATFORM_EVENT(dev->os->platform, BOUNCE_END, .dev = dev->id, .dma = tlb, .size = size);
}

void swiotlb_sync_single_for_device(struct device *dev, phys_addr_t tlb, size_t size,
				    enum dma_data_direction dir)
{
	if (dir == DMA_TO_DEVICE || dir == DMA_BIDIRECTIONAL)
		bounce(dev, tlb, size, true);
}

void swiotlb_sync_single_for_cpu(struct device *dev, phys_addr_t tlb, size_t size,
				 enum dma_data_direction dir)
{
	if (dir == DMA_FROM_DEVICE || dir == DMA_BIDIRECTIONAL)
		bounce(dev, tlb, size, false);
}

/* Page aligned, as memory that is allocated must be; stands for no buffer. */
phys_addr_t swiotlb_alloc(struct device *dev, u64 bytes)
{
	struct io_tlb_pool *pool = swiotlb_pool(dev);
	s64 slot = -1;

	if (pool && bytes <= IO_TLB_MAX_BYTES)
		slot = swiotlb_lend(dev, pool, 0, (size_t)bytes, PAGE_SIZE - 1);

	if (slot < 0)
		return PLATFORM_NO_PHYS;
	zero_phys(dev->os->platform, pool->start + ((u64)slot << IO_TLB_SHIFT), bytes);
	return pool->start + ((u64)slot << IO_TLB_SHIFT);
}

bool swiotlb_free(struct device *dev, phys_addr_t phys, u64 bytes)
{
	(void)bytes;
	if (!is_swiotlb_buffer(dev, phys))
		return false;
	swiotlb_take_back(dev->os, swiotlb_pool(dev),
			  (phys - swiotlb_pool(dev)->start) >> IO_TLB_SHIFT, 0);
	return true;
}
