/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_PERCPU_H
#define KERNEL_LINUX_PERCPU_H

#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/smp.h>
#include <linux/types.h>

/* One part for each CPU, in whole lines, zeroed. The pointer is the first CPU's. */
void *__alloc_percpu(size_t bytes, size_t align);
void free_percpu(void *first);

#define __alloc_percpu_gfp(bytes, align, flags) __alloc_percpu(bytes, align)
#define alloc_percpu(type)			((type *)__alloc_percpu(sizeof(type), 8))
#define alloc_percpu_gfp(type, flags)		alloc_percpu(type)

#define per_cpu_ptr(first, cpu)                                                       \
	((__typeof__(first))((u8 *)(first) +                                          \
			     (size_t)(cpu) * ((sizeof(*(first)) + STANDIN_LINE - 1) / \
					      STANDIN_LINE * STANDIN_LINE)))
#define raw_cpu_ptr(first)  per_cpu_ptr(first, smp_processor_id())
#define this_cpu_ptr(first) raw_cpu_ptr(first)
#define get_cpu_ptr(first)  raw_cpu_ptr(first)
#define put_cpu_ptr(first)  ((void)(first))

#endif
