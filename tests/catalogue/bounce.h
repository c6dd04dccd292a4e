/* SPDX-License-Identifier: MIT */
/*
 * Links of an untrusted device, and a bounce pool that is full.
 */
#ifndef CATALOGUE_BOUNCE_H
#define CATALOGUE_BOUNCE_H

#include "catalogue/catalogue.h"

/* A range with the buffer linked and synced. A copy keeps the buffer's place in its granule. */
static inline struct dma_iova_state bounced_state(struct rig *rig, phys_addr_t buf, u64 bytes)
{
	dma_set_min_align_mask(&rig->nvme->dev, SZ_4K - 1);
	return linked(rig->nvme, buf, bytes);
}

/* Mappings that take the whole pool: the largest that still find room, then smaller ones. */
#define FILLER_MAX 1024

struct filler {
	dma_addr_t dma[FILLER_MAX];
	u32 bytes[FILLER_MAX];
	u32 count;
};

/* No copy of a granule finds a place after this. */
static inline void fill_pool(struct rig *rig, struct filler *filler)
{
	struct device *dev = &rig->nic->dev;
	phys_addr_t buf = ram(rig, SZ_1M);

	filler->count = 0;
	for (u32 bytes = 252 * SZ_1K + 1; bytes; bytes = bytes > SZ_4K ? 1 : 0) {
		for (;;) {
			dma_addr_t dma =
				dma_map_phys(dev, buf, bytes, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);

			if (dma_mapping_error(dev, dma))
				break;
			assert_true(filler->count < FILLER_MAX);
			filler->dma[filler->count] = dma;
			filler->bytes[filler->count++] = bytes;
		}
	}
}

static inline void empty_pool(struct rig *rig, struct filler *filler)
{
	for (u32 i = 0; i < filler->count; i++)
		dma_unmap_phys(&rig->nic->dev, filler->dma[i], filler->bytes[i], DMA_TO_DEVICE,
			       DMA_ATTR_NO_WARN);
	filler->count = 0;
}

#endif
