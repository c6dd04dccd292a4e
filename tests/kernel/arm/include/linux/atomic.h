/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_ATOMIC_H
#define KERNEL_LINUX_ATOMIC_H

#include <linux/compiler.h>
#include <linux/types.h>

/* There is one thread: what was there, and the new value if it was what was expected. */
#define cmpxchg64_relaxed(at, expected, value)                                             \
	({                                                                                 \
		__typeof__(*(at)) was_ = (expected);                                       \
		__atomic_compare_exchange_n((at), &was_, (value), false, __ATOMIC_RELAXED, \
					    __ATOMIC_RELAXED);                             \
		was_;                                                                      \
	})
#define cmpxchg64_release(at, expected, value)                                             \
	({                                                                                 \
		__typeof__(*(at)) was_ = (expected);                                       \
		__atomic_compare_exchange_n((at), &was_, (value), false, __ATOMIC_RELEASE, \
					    __ATOMIC_RELAXED);                             \
		was_;                                                                      \
	})

#endif
