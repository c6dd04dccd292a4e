/* SPDX-License-Identifier: MIT */
/* Numbers, messages, warnings. */
#if __has_include_next(<linux/kernel.h>)
#include_next <linux/kernel.h>
#endif
#ifndef DMASIM_KERNEL_KERNEL_H
#define DMASIM_KERNEL_KERNEL_H

#include <stdarg.h>
#include <string.h>

#include <dmasim/kernel.h>

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/types.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

#ifndef container_of
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(uintptr_t)(ptr)-offsetof(type, member)))
#endif

/* To a power of two. */
#ifndef ALIGN
#define ALIGN(x, a) (((x) + ((__typeof__(x))(a)-1)) & ~((__typeof__(x))(a)-1))
#endif
#ifndef ALIGN_DOWN
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#endif
#ifndef IS_ALIGNED
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)
#endif
#define PTR_ALIGN(p, a)	 ((__typeof__(p))ALIGN((uintptr_t)(p), (a)))
#define round_up(x, a)	 ALIGN(x, a)
#define round_down(x, a) ALIGN_DOWN(x, a)

#ifndef DIV_ROUND_UP
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#endif
#ifndef roundup
#define roundup(x, y) ((((x) + ((y)-1)) / (y)) * (y))
#endif

#define upper_32_bits(n) ((u32)(((n) >> 16) >> 16))
#define lower_32_bits(n) ((u32)((n)&0xffffffff))

#define min_t(type, a, b) dmasim_min_(type, a, b)
#define max_t(type, a, b) dmasim_max_(type, a, b)
#define dmasim_min_(type, a, b)                    \
	(__extension__({                           \
		type min_a_ = (a);                 \
		type min_b_ = (b);                 \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	}))
#define dmasim_max_(type, a, b)                    \
	(__extension__({                           \
		type max_a_ = (a);                 \
		type max_b_ = (b);                 \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	}))

/* C++ has functions of these names. */
#ifndef __cplusplus
#ifndef min
#define min(a, b) min_t(__typeof__((a) + (b)), a, b)
#endif
#ifndef max
#define max(a, b) max_t(__typeof__((a) + (b)), a, b)
#endif
#ifndef swap
#define swap(a, b)                         \
	do {                               \
		__typeof__(a) swap_ = (a); \
		(a) = (b);                 \
		(b) = swap_;               \
	} while (0)
#endif
#endif

/* ---- Messages: see dmasim_print_to() ---------------------------------- */

#define KERN_SOH     "\001"
#define KERN_EMERG   KERN_SOH "0"
#define KERN_ALERT   KERN_SOH "1"
#define KERN_CRIT    KERN_SOH "2"
#define KERN_ERR     KERN_SOH "3"
#define KERN_WARNING KERN_SOH "4"
#define KERN_NOTICE  KERN_SOH "5"
#define KERN_INFO    KERN_SOH "6"
#define KERN_DEBUG   KERN_SOH "7"

/* A file may define it before it includes anything. */
#ifndef pr_fmt
#define pr_fmt(format) format
#endif

#define printk(...)	     _printk(__VA_ARGS__)
#define pr_err(format, ...)  _printk(KERN_ERR pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...) _printk(KERN_WARNING pr_fmt(format), ##__VA_ARGS__)
#define pr_info(format, ...) _printk(KERN_INFO pr_fmt(format), ##__VA_ARGS__)

static inline DMASIM_PRINTF(1, 2) void dmasim_no_printk(const char *format, ...)
{
	(void)format;
}

#define pr_debug(format, ...) dmasim_no_printk(pr_fmt(format), ##__VA_ARGS__)

/* ---- Warnings: reports of dmasim -------------------------------------- */

#define WARN_ON(condition)		  dmasim_warn_on(!!(condition), "WARN_ON(" #condition ")")
#define WARN_ON_ONCE(condition)		  WARN_ON(condition)
#define WARN(condition, format, ...)	  dmasim_warn_on(!!(condition), format)
#define WARN_ONCE(condition, format, ...) WARN(condition, format)

/* A kernel would stop. */
#define BUG_ON(condition) DMASIM_CONTRACT(!(condition), "BUG_ON(" #condition ")")
#define BUG()		  DMASIM_CONTRACT(false, "BUG()")

#endif
