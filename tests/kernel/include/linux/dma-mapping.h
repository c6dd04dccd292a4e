/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_DMA_MAPPING_H
#define KERNEL_LINUX_DMA_MAPPING_H

#include <linux/bug.h>
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#endif
