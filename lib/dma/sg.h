/* SPDX-License-Identifier: MIT */
#ifndef DMA_SG_H
#define DMA_SG_H

#include <dmasim/event.h>
#include <dmasim/p2pdma.h>

#include "dma/dma.h"

#define DMA_SG_TOLD 32

/*
 * Entries of a list that is mapped: they are told together, if somebody listens, and the last of
 * them in the event of the call itself.
 */
struct dma_sg_told {
	u32 count;
	struct dma_call call;
	struct dmasim_sg_entry entry[DMA_SG_TOLD];
};

static inline void dma_sg_begin(struct dma_sg_told *told, struct dma_call call)
{
	told->count = 0;
	told->call = call;
}

/* Tells them by themselves: there are too many to be told with the call. */
void dma_sg_tell(struct device *dev, struct dma_sg_told *told);

/* Adds those of a list that was mapped entry by entry. */
void dma_sg_add_mapped(struct device *dev, struct dma_sg_told *told, struct scatterlist *sg,
		       int nents);

/* Somebody listens. */
static inline void dma_sg_put(struct device *dev, struct dma_sg_told *told,
			      const struct dmasim_sg_entry *entry)
{
	if (DMASIM_UNLIKELY(told->count == DMA_SG_TOLD))
		dma_sg_tell(dev, told);
	told->entry[told->count++] = *entry;
}

static inline void dma_sg_add(struct device *dev, struct dma_sg_told *told,
			      const struct dmasim_sg_entry *entry)
{
	if (DMASIM_UNLIKELY(dev->os->platform->listening))
		dma_sg_put(dev, told, entry);
}

#endif
