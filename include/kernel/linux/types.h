/* SPDX-License-Identifier: MIT */
/* Integer types, list heads, and the words that the compiler's headers add in a kernel. */
#if __has_include_next(<linux/types.h>)
#include_next <linux/types.h>
#endif
#ifndef DMASIM_KERNEL_TYPES_H
#define DMASIM_KERNEL_TYPES_H

/* A member of a struct of libc is called __init: those headers come before the word below. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <dmasim/types.h>

typedef int8_t s8;
typedef int16_t s16;
typedef u64 pci_bus_addr_t;

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

struct hlist_node {
	struct hlist_node *next;
	struct hlist_node **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

/* Marks for tools and linkers that do not run here. */
#ifndef __iomem
#define __iomem
#endif
#ifndef __user
#define __user
#endif
#ifndef __force
#define __force
#endif
#ifndef __init
#define __init
#endif
#ifndef __exit
#define __exit
#endif
#ifndef __must_check
#define __must_check __attribute__((warn_unused_result))
#endif
#ifndef __maybe_unused
#define __maybe_unused __attribute__((unused))
#endif
#ifndef __always_unused
#define __always_unused __attribute__((unused))
#endif
#ifndef __packed
#define __packed __attribute__((packed))
#endif
#ifndef __aligned
#define __aligned(bytes) __attribute__((aligned(bytes)))
#endif

#ifndef likely
#define likely(x)   DMASIM_LIKELY(x)
#define unlikely(x) DMASIM_UNLIKELY(x)
#endif

/* One access, that the compiler neither splits nor leaves out. */
#ifndef READ_ONCE
#define READ_ONCE(x)	     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) ((void)(*(volatile __typeof__(x) *)&(x) = (value)))
#endif

/* A CPU of the machine does nothing out of order. */
static inline void dmasim_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#define mb()	  dmasim_barrier()
#define rmb()	  dmasim_barrier()
#define wmb()	  dmasim_barrier()
#define dma_rmb() dmasim_barrier()
#define dma_wmb() dmasim_barrier()

/* Between the CPU's byte order and the little end first, as devices have it. */
static inline u16 cpu_to_le16(u16 value)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap16(value);
}

static inline u32 cpu_to_le32(u32 value)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap32(value);
}

static inline u64 cpu_to_le64(u64 value)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap64(value);
}

static inline u16 le16_to_cpu(u16 value)
{
	return cpu_to_le16(value);
}

static inline u32 le32_to_cpu(u32 value)
{
	return cpu_to_le32(value);
}

static inline u64 le64_to_cpu(u64 value)
{
	return cpu_to_le64(value);
}

#endif
