/* SPDX-License-Identifier: MIT */
/* kmalloc() and its kin. */
#ifndef DMASIM_KERNEL_SLAB_H
#define DMASIM_KERNEL_SLAB_H

#include <string.h>

#include <dmasim/kernel.h>

#include <linux/gfp.h>
#include <linux/types.h>

#ifndef ARCH_DMA_MINALIGN
#define ARCH_DMA_MINALIGN 64
#endif
#define ZERO_OR_NULL_PTR(ptr) ((uintptr_t)(ptr) <= (uintptr_t)ZERO_SIZE_PTR)

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp | __GFP_ZERO);
}

static inline void *kmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return size && n > SIZE_MAX / size ? NULL : kmalloc(n * size, gfp);
}

static inline void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kmalloc_array(n, size, gfp | __GFP_ZERO);
}

static inline void *kmalloc_node(size_t size, gfp_t gfp, int node)
{
	(void)node;
	return kmalloc(size, gfp);
}

static inline void *kzalloc_node(size_t size, gfp_t gfp, int node)
{
	(void)node;
	return kzalloc(size, gfp);
}

static inline void *kmemdup(const void *from, size_t size, gfp_t gfp)
{
	void *to = kmalloc(size, gfp);

	if (to)
		memcpy(to, from, size);
	return to;
}

static inline void kfree_sensitive(const void *ptr)
{
	if (!ZERO_OR_NULL_PTR(ptr))
		memset((void *)(uintptr_t)ptr, 0, ksize(ptr));
	kfree(ptr);
}

/* Always in one piece, here. */
static inline void *kvmalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp);
}

static inline void *kvzalloc(size_t size, gfp_t gfp)
{
	return kzalloc(size, gfp);
}

static inline void *kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	return kcalloc(n, size, gfp);
}

static inline void kvfree(const void *ptr)
{
	kfree(ptr);
}

#endif
