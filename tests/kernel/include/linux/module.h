/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_MODULE_H
#define KERNEL_LINUX_MODULE_H

#include <linux/export.h>
#include <linux/kernel.h>

#define MODULE_AUTHOR(text)	 _Static_assert(1, "")
#define MODULE_DESCRIPTION(text) _Static_assert(1, "")
#define MODULE_LICENSE(text)	 _Static_assert(1, "")
#define MODULE_IMPORT_NS(text)	 _Static_assert(1, "")
#define module_init(function)	 _Static_assert(1, "")
#define module_exit(function)	 _Static_assert(1, "")

#endif
