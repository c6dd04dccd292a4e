/* SPDX-License-Identifier: MIT */
/*
 * A pool from within: what swiotlb.c and swiotlb_copy.c share. Facts 1.9 and 7.2.
 */
#ifndef DMA_SWIOTLB_POOL_H
#define DMA_SWIOTLB_POOL_H

#include "dma/swiotlb.h"

/* All zeros: free, as is everything behind it in its segment. */
struct io_tlb_slot {
	phys_addr_t orig; /* what the slot stands for, if it is lent */
	u64 alloc_size;	  /* bytes of the run from here on; 0: the slot is free */
	u16 missing;	  /* slots to the segment's end that are not a free run from here */
	u16 pad_slots;	  /* first slot of a buffer: slots of its run before it */
	bool lent;	  /* false: free, or padding of a run */
};

struct io_tlb_area {
	struct platform_lock lock;
	u32 index; /* where the next search begins */
	u32 used;
};

struct io_tlb_pool {
	phys_addr_t start;
	u64 slots;
	struct io_tlb_slot *slot;
	u64 high_water;
	bool restricted; /* firmware's memory, for one device */
	u32 area_slots;
	u32 areas; /* a power of two */
	struct io_tlb_area area[];
};

/* The bits of a buffer's address that its copy keeps, within its slot; and with slots before it. */
static inline u64 swiotlb_kept_in_slot(const struct device *dev, u64 address)
{
	return address & dev->min_align_mask & (IO_TLB_SIZE - 1);
}

static inline u64 swiotlb_kept(const struct device *dev, u64 address, u64 align_mask)
{
	return address & dev->min_align_mask & (align_mask | (IO_TLB_SIZE - 1));
}

/* The slot in which the result begins, behind its padding; -1: nothing is free. */
s64 swiotlb_lend(struct device *dev, struct io_tlb_pool *pool, phys_addr_t orig, size_t size,
		 u64 align_mask);

/* slot: where the result began; within: its offset in that slot. */
void swiotlb_take_back(struct os *os, struct io_tlb_pool *pool, u64 slot, u64 within);

#endif
