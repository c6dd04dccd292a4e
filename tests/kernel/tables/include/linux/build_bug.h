/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_BUILD_BUG_H
#define KERNEL_LINUX_BUILD_BUG_H

#include <linux/bug.h>
#include <linux/kernel.h>

#endif
