/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_BITOPS_H
#define KERNEL_LINUX_BITOPS_H

#include <limits.h>

#include <linux/types.h>

#define BITS_PER_LONG ((int)(CHAR_BIT * sizeof(long)))
#define BIT(n)	      (1UL << (n))

/* The number of the highest bit that is set, from 1; 0 if none is. */
static inline unsigned int fls_long(unsigned long word)
{
	return word ? (unsigned int)(BITS_PER_LONG - __builtin_clzl(word)) : 0;
}

/* The number of the lowest bit that is set, from 0; there is one. */
static inline unsigned long __ffs(unsigned long word)
{
	return (unsigned long)__builtin_ctzl(word);
}

/* The number of the highest bit that is set, from 0; there is one. */
static inline unsigned long __fls(unsigned long word)
{
	return fls_long(word) - 1UL;
}

static inline int fls(unsigned int word)
{
	return (int)fls_long(word);
}

static inline int fls64(u64 word)
{
	return word ? 64 - __builtin_clzll(word) : 0;
}

/* Of what is not 0, and of what is not all ones. */
#define __ffs64(word) ((unsigned long)__builtin_ctzll(word))
#define ffz(word)     __ffs64(~(word))

#endif
