/* SPDX-License-Identifier: MIT */
/* Pools of small pieces of shared memory. */
#ifndef DMASIM_KERNEL_DMAPOOL_H
#define DMASIM_KERNEL_DMAPOOL_H

#include <linux/dma-mapping.h>

#endif
