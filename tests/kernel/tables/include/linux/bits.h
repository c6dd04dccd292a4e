/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_BITS_H
#define KERNEL_LINUX_BITS_H

#include <linux/bitops.h>

#define BIT_ULL(bit)	       (1ULL << (bit))
#define GENMASK(high, low)     (~0UL >> (63 - (high)) & ~0UL << (low))
#define GENMASK_ULL(high, low) (~0ULL >> (63 - (high)) & ~0ULL << (low))

#endif
