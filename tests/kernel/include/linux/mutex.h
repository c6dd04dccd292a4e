/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_MUTEX_H
#define KERNEL_LINUX_MUTEX_H

#include <linux/types.h>

/* Guards what all kernels of the process share, which threads may have one each: it is real. */
struct mutex {
	u32 held;
};

#define DEFINE_MUTEX(name) struct mutex name = { 0 }
#define mutex_init(mutex_) ((void)((mutex_)->held = 0))

static inline void mutex_lock(struct mutex *mutex)
{
	while (__atomic_exchange_n(&mutex->held, 1, __ATOMIC_ACQUIRE))
		;
}

static inline void mutex_unlock(struct mutex *mutex)
{
	__atomic_store_n(&mutex->held, 0, __ATOMIC_RELEASE);
}

#endif
