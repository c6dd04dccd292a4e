/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_ERR_H
#define KERNEL_LINUX_ERR_H

#include <errno.h>
#include <stdint.h>

#include <linux/types.h>

#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

static inline void *ERR_PTR(long error)
{
	return (void *)(intptr_t)error;
}

static inline long PTR_ERR(const void *pointer)
{
	return (long)(intptr_t)pointer;
}

static inline bool IS_ERR(const void *pointer)
{
	return (uintptr_t)pointer > (uintptr_t)-4096;
}

#endif
