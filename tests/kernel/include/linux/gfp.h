/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_GFP_H
#define KERNEL_LINUX_GFP_H

#include <linux/types.h>

/* All memory is had at once, or not at all. */
#define GFP_KERNEL   0U
#define GFP_ATOMIC   0U
#define GFP_NOWAIT   0U
#define __GFP_NOWARN 0U
#define __GFP_ZERO   0U

#endif
