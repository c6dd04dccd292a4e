/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_LOG2_H
#define KERNEL_LINUX_LOG2_H

#include <linux/bitops.h>
#include <linux/types.h>

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

/* Of the smallest power of two that is not below n. */
static inline unsigned int order_base_2(unsigned long n)
{
	return n > 1 ? fls_long(n - 1) : 0;
}

static inline unsigned int ilog2(unsigned long n)
{
	return fls_long(n) - 1;
}

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return 1UL << order_base_2(n);
}

#endif
