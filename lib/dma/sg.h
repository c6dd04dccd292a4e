/* SPDX-License-Identifier: MIT */
#ifndef DMA_SG_H
#define DMA_SG_H

#include <dmasim/event.h>
#include <dmasim/p2pdma.h>

#include "dma/dma.h"

#define DMA_SG_TOLD 32

/* Entries of a list that are told together, if somebody listens. */
struct dma_sg_told {
	enum dmasim_event_type type;
	u32 count;
	struct dmasim_sg_entry entry[DMA_SG_TOLD];
};

/* Tells what is left to be told; the last word about a list. */
void dma_sg_tell(struct device *dev, struct dma_sg_told *told);

/* Tells of a list whose entries were mapped one by one. */
void dma_sg_tell_mapped(struct device *dev, struct scatterlist *sg, int nents);

static inline void dma_sg_add(struct device *dev, struct dma_sg_told *told,
			      const struct dmasim_sg_entry *entry)
{
	if (DMASIM_LIKELY(!dev->os->platform->listening))
		return;
	told->entry[told->count++] = *entry;
	if (told->count == DMA_SG_TOLD)
		dma_sg_tell(dev, told);
}

#endif
