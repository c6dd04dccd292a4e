/* SPDX-License-Identifier: MIT */
/* Bits. */
#if __has_include_next(<linux/bits.h>)
#include_next <linux/bits.h>
#endif
#ifndef DMASIM_KERNEL_BITS_H
#define DMASIM_KERNEL_BITS_H

#include <linux/types.h>

#ifndef BITS_PER_LONG
#define BITS_PER_LONG (8 * (int)sizeof(long))
#endif

#ifndef BIT
#define BIT(n) (1UL << (n))
#endif
#ifndef BIT_ULL
#define BIT_ULL(n) (1ULL << (n))
#endif

/* Bits l to h. */
#ifndef GENMASK
#define GENMASK(h, l) ((~0UL << (l)) & (~0UL >> (8 * sizeof(long) - 1 - (h))))
#endif
#ifndef GENMASK_ULL
#define GENMASK_ULL(h, l) ((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#endif

#endif
