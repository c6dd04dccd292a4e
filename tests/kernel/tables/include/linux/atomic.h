/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_ATOMIC_H
#define KERNEL_LINUX_ATOMIC_H

#include <asm/barrier.h>
#include <linux/compiler.h>
#include <linux/types.h>

typedef struct {
	int counter;
} atomic_t;

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

/* Puts value there if what is expected is there; else says what is. */
#define try_cmpxchg64(at, expected, value)                                              \
	__atomic_compare_exchange_n((at), (expected), (value), false, __ATOMIC_SEQ_CST, \
				    __ATOMIC_RELAXED)
#define try_cmpxchg64_release(at, expected, value)                                      \
	__atomic_compare_exchange_n((at), (expected), (value), false, __ATOMIC_RELEASE, \
				    __ATOMIC_RELAXED)
#define try_cmpxchg_release(at, expected, value) try_cmpxchg64_release(at, expected, value)

#endif
