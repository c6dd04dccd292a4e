/* SPDX-License-Identifier: MIT */
#ifndef DMA_SG_H
#define DMA_SG_H

#include <dmasim/p2pdma.h>

#include "dma/dma.h"

struct dma_sg_piece {
	u64 dma;
	u64 phys;
	u64 size; /* bytes of the entry */
	bool bus_address;
	u64 segment; /* length that a bus address was given */
};

void dma_sg_event(struct device *dev, enum dmasim_event_type type,
		  const struct dma_sg_piece *piece);

#endif
