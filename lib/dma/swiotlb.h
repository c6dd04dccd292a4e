/* SPDX-License-Identifier: MIT */
/*
 * swiotlb: memory that a device can reach, lent to buffers that it cannot (facts "dma-api" 7).
 *
 * A pool is cut into slots of 2 KiB, 128 slots to a segment: no buffer crosses one. Slots belong to
 * areas, one for each CPU, so that CPUs do not wait for each other.
 *
 *   pool  | segment 0 (256 KiB)   | segment 1 ...          |
 *   slots |pad|run of a buffer|...free...|                 list: free slots from here to the
 *                                 4 3 2 1                  segment's end or the next that is used
 */
#ifndef DMA_SWIOTLB_H
#define DMA_SWIOTLB_H

#include <dmasim/dma.h>
#include <dmasim/lock.h>

#include "os.h"

#define IO_TLB_SHIFT   11
#define IO_TLB_SIZE    (1U << IO_TLB_SHIFT)
#define IO_TLB_SEGSIZE 128U

/* One buffer does not cross a segment. */
#define IO_TLB_MAX_BYTES ((u64)IO_TLB_SEGSIZE * IO_TLB_SIZE)

struct io_tlb_pool;

/* What a pool has lent out. In slots. */
struct swiotlb_use {
	u64 slots;
	u64 used;
	u64 high_water; /* most that were ever used at once */
};

/* The pool that serves the device; NULL: none. Made when first asked for. */
struct io_tlb_pool *swiotlb_pool(struct device *dev);

/* Makes a pool of firmware's memory for one device; NULL: no memory. */
struct io_tlb_pool *swiotlb_restricted_pool(struct os *os, phys_addr_t start, u64 bytes);

/* Returns the machine's memory, too, unless the pool is of firmware's. */
void swiotlb_destroy(struct os *os, struct io_tlb_pool *pool);

/* True if bouncing is possible at all: there is a pool, or one can be made. */
bool is_swiotlb_active(struct device *dev);

/* True if the device's every buffer is bounced. */
bool is_swiotlb_force_bounce(struct device *dev);

/*
 * Lends slots to [orig, orig + size) and copies it there, whatever the direction. align_mask: low
 * address bits of the result that are 0 before the offset that the device's min_align_mask keeps.
 * The result, or DMA_MAPPING_ERROR: no pool, or nothing free (reported, unless NO_WARN).
 */
phys_addr_t swiotlb_tbl_map_single(struct device *dev, phys_addr_t orig, size_t size,
				   u64 align_mask, enum dma_data_direction dir,
				   unsigned long attrs);

/* Copies back, unless SKIP_CPU_SYNC or the direction says no, and takes the slots back. */
void swiotlb_tbl_unmap_single(struct device *dev, phys_addr_t tlb, size_t size,
			      enum dma_data_direction dir, unsigned long attrs);

/*
 * Zeroes what lies in the granules of a bounced buffer before and behind it: an untrusted device
 * sees them, and may not see what was there before.
 */
void swiotlb_zero_padding(struct device *dev, phys_addr_t tlb, size_t size, u64 align_mask);

/* Copy part of what was lent, if the direction lets bytes flow this way. */
void swiotlb_sync_single_for_device(struct device *dev, phys_addr_t tlb, size_t size,
				    enum dma_data_direction dir);
void swiotlb_sync_single_for_cpu(struct device *dev, phys_addr_t tlb, size_t size,
				 enum dma_data_direction dir);

/* True if phys lies in the device's pool. */
bool is_swiotlb_buffer(struct device *dev, phys_addr_t phys);

/* The longest buffer that can be bounced for the device. */
size_t swiotlb_max_mapping_size(struct device *dev);

/* Slots for memory that both share, from a restricted pool; PLATFORM_NO_PHYS: none. */
phys_addr_t swiotlb_alloc(struct device *dev, u64 bytes);
bool swiotlb_free(struct device *dev, phys_addr_t phys, u64 bytes);

struct swiotlb_use swiotlb_use(const struct io_tlb_pool *pool);

#endif
