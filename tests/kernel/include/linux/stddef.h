/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_STDDEF_H
#define KERNEL_LINUX_STDDEF_H

#include <stddef.h>

#include <linux/types.h>

#endif
