/* SPDX-License-Identifier: MIT */
/* The DMA API. */
#ifndef DMASIM_KERNEL_DMA_MAPPING_H
#define DMASIM_KERNEL_DMA_MAPPING_H

#include <dmasim/dma.h>

#include <linux/device.h>
#include <linux/dma-direction.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

/* Where a driver keeps what it needs to unmap; the fields are always there. */
#define DEFINE_DMA_UNMAP_ADDR(name)	     dma_addr_t name
#define DEFINE_DMA_UNMAP_LEN(name)	     u32 name
#define dma_unmap_addr(ptr, name)	     ((ptr)->name)
#define dma_unmap_addr_set(ptr, name, value) ((void)((ptr)->name = (value)))
#define dma_unmap_len(ptr, name)	     ((ptr)->name)
#define dma_unmap_len_set(ptr, name, value)  ((void)((ptr)->name = (value)))

static inline int dma_get_cache_alignment(void)
{
	return 64;
}

#endif
