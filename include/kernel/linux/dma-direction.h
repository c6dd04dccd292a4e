/* SPDX-License-Identifier: MIT */
/* Which way data goes. */
#ifndef DMASIM_KERNEL_DMA_DIRECTION_H
#define DMASIM_KERNEL_DMA_DIRECTION_H

#include <dmasim/dma.h>

static inline bool valid_dma_direction(enum dma_data_direction dir)
{
	return dir == DMA_BIDIRECTIONAL || dir == DMA_TO_DEVICE || dir == DMA_FROM_DEVICE;
}

#endif
