/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_SLAB_H
#define KERNEL_LINUX_SLAB_H

#include <stdlib.h>

#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/types.h>

#define __GFP_HIGHMEM	     1U
#define VM_BUG_ON(condition) ((void)(condition))
#define dev_err(...)	     ((void)0)

#define DIV_ROUND_UP(n, by) (((n) + (by)-1) / (by))
#define set_bit(bit, word)  (*(word) |= 1UL << (bit))
#define wmb()		    barrier()

#define PAGE_MASK (~(PAGE_SIZE - 1))

#define kmalloc(bytes, flags)	 calloc(1, bytes)
#define kzalloc(bytes, flags)	 calloc(1, bytes)
#define kmalloc_obj(object, ...) ((__typeof__(object) *)calloc(1, sizeof(object)))
#define kfree(memory)		 free(memory)

#endif
