/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_LIMITS_H
#define KERNEL_LINUX_LIMITS_H

#include <limits.h>
#include <stdint.h>

#define U32_MAX UINT32_MAX
#define U64_MAX UINT64_MAX

#endif
