/* SPDX-License-Identifier: MIT */
/*
 * The two-step API from within: what linking needs where the ends of a buffer are bounced.
 */
#ifndef DMA_TWO_STEP_H
#define DMA_TWO_STEP_H

#include "dma/dma.h"

/* One link, as the call gave it. */
struct dma_link {
	struct device *dev;
	struct iommu_domain *domain;
	struct dma_iova_state *state;
	phys_addr_t phys;
	size_t offset;
	size_t size;
	struct dma_call call;
};

/* Writes the entries of whole granules. 0 or the page table's error. */
int iova_link_granules(const struct dma_link *link);

/* The same, with a head or a tail that shares a granule copied. Facts 5.3. */
int iova_link_bounced(const struct dma_link *link);

/* Gives back copies and cares for caches, granule by granule, before a range is unlinked. */
void iova_unlink_slow(const struct dma_link *link);

/* Unlinks [offset, offset + size) of the range and invalidates at once. */
void iova_unlink(const struct dma_link *link);

#endif
