/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_EXPORT_H
#define KERNEL_LINUX_EXPORT_H

#define EXPORT_SYMBOL(name)	     _Static_assert(1, "")
#define EXPORT_SYMBOL_GPL(name)	     _Static_assert(1, "")
#define EXPORT_SYMBOL_NS(...)	     _Static_assert(1, "")
#define EXPORT_SYMBOL_NS_GPL(...)    _Static_assert(1, "")
#define EXPORT_SYMBOL_FOR_KUNIT(...) _Static_assert(1, "")
#define THIS_MODULE		     ((void *)0)

#endif
