/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_ASM_BARRIER_H
#define KERNEL_ASM_BARRIER_H

#include <linux/compiler.h>

#define dma_wmb() barrier()

#endif
