/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of free gaps (facts "iova-and-page-tables" 1.9, 6.1). A gap is [start, end).
 *
 * Fit is monotone in size: where a naturally aligned range of n pages fits, one of n - 1 pages
 * does. So one number says everything about a gap and natural alignment: the largest size that
 * fits. Trees keep that number, and the gap's length, in a byte each:
 *
 *   code    0 .. 64   |  65  66  67   68  69  70  71   72  ...
 *   size    the same  |  80  96 112  128 160 192 224  256  ...   (four steps an octave)
 */
#ifndef IOVA_FIT_H
#define IOVA_FIT_H

#include <dmasim/types.h>

#define FIT_EXACT_LG2 6U /* sizes up to 64 have codes of their own */
#define FIT_CODE_MAX  255U

static inline u32 fit_log2(u64 n)
{
	return 63 - (u32)__builtin_clzll(n);
}

/* The largest n so that n pages at a multiple of the power of two not below n fit; 0: none. */
static inline u64 fit_natural(u64 start, u64 end)
{
	u64 block, middle, left, right;

	if (start >= end)
		return 0;
	/* middle: the one multiple of block in (start, end] that has the most trailing zeros. */
	block = 1ULL << fit_log2(start ^ end);
	middle = end & ~(block - 1);
	left = middle - start;
	right = end - middle;
	/* start is then a multiple of 2 * block, and the gap is shorter than that. */
	if (left == block)
		return end - start;
	left = 1ULL << fit_log2(left);
	return left > right ? left : right;
}

/* The code of the largest size with a code that is not above `pages`. */
static inline u32 fit_code(u64 pages)
{
	u32 lg2, code;

	if (pages <= 1U << FIT_EXACT_LG2)
		return (u32)pages;
	lg2 = fit_log2(pages);
	code = (1U << FIT_EXACT_LG2) + 4 * (lg2 - FIT_EXACT_LG2) + ((pages >> (lg2 - 2)) & 3);
	return code < FIT_CODE_MAX ? code : FIT_CODE_MAX;
}

/*
 * The highest place for `pages` in the gap, at a multiple of align_mask + 1. False: it does not
 * fit.
 */
static inline bool fit_place(u64 start, u64 end, u64 pages, u64 align_mask, u64 *pfn)
{
	*pfn = (end - pages) & ~align_mask;
	return end >= pages && *pfn >= start;
}

#endif
