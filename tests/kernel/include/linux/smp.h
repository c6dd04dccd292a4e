/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_SMP_H
#define KERNEL_LINUX_SMP_H

#include <linux/types.h>

#include "standin.h"

static inline unsigned int smp_processor_id(void)
{
	return standin_now->platform->cpu;
}

#define raw_smp_processor_id() smp_processor_id()
#define get_cpu()	       smp_processor_id()
#define put_cpu()	       ((void)0)

#define smp_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

#endif
