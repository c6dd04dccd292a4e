/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_KERNEL_H
#define KERNEL_LINUX_KERNEL_H

#include <limits.h>
#include <string.h>

#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/types.h>

/* The allocator is built, and so is what it needs. */
#define CONFIG_IOMMU_IOVA    1
#define IS_ENABLED(option)   (option)
#define IS_REACHABLE(option) (option)
#define IS_BUILTIN(option)   (option)

#ifndef static_assert
#define static_assert_(condition, text, ...) _Static_assert(condition, text)
#define static_assert(condition, ...) static_assert_(condition, ##__VA_ARGS__, #condition)
#endif

#define typeof_member(type, member) __typeof__(((type *)0)->member)
#define ARRAY_SIZE(array)	    (sizeof(array) / sizeof((array)[0]))

#define check_add_overflow(a, b, sum) __builtin_add_overflow(a, b, sum)

#define ALIGN_DOWN(x, to) ((x) & ~((__typeof__(x))(to)-1))
#define ALIGN(x, to)	  ALIGN_DOWN((x) + ((__typeof__(x))(to)-1), to)
#define IS_ALIGNED(x, to) (((x) & ((__typeof__(x))(to)-1)) == 0)

/* There is nobody to read it. */
#define pr_err(...)		((void)0)
#define pr_warn(...)		((void)0)
#define pr_info(...)		((void)0)
#define pr_err_ratelimited(...) ((void)0)

#define might_sleep() ((void)0)

#endif
