/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_LINUX_SLAB_H
#define KERNEL_LINUX_SLAB_H

#include <string.h>

#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/types.h>

#include "standin.h"

#define SLAB_HWCACHE_ALIGN 0U
#define SLAB_PANIC	   0U

struct kmem_cache {
	u32 bytes; /* of an object, in whole lines; 0: no such cache */
	u32 index; /* of struct standin.arena */
};

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     slab_flags_t flags, void (*ctor)(void *));
void kmem_cache_destroy(struct kmem_cache *cache);

#define KMEM_CACHE(type, flags) \
	kmem_cache_create(#type, sizeof(struct type), __alignof__(struct type), flags, NULL)

/* Puts new objects on the free list. False: no memory. */
bool standin_refill(struct kmem_cache *cache);

static inline void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t flags)
{
	struct standin_arena *arena = &standin_now->arena[cache->index];
	void *object;

	(void)flags;
	if (unlikely(!arena->free) && !standin_refill(cache))
		return NULL;
	object = arena->free;
	arena->free = *(void **)object;
	arena->live++;
	return object;
}

static inline void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t flags)
{
	void *object = kmem_cache_alloc(cache, flags);

	return object ? memset(object, 0, cache->bytes) : NULL;
}

static inline void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	struct standin_arena *arena = &standin_now->arena[cache->index];

	if (!object)
		return;
	*(void **)object = arena->free;
	arena->free = object;
	arena->live--;
}

/* All of it comes zeroed. */
void *kmalloc(size_t bytes, gfp_t flags);
void *kcalloc(size_t count, size_t bytes, gfp_t flags);
void kfree(const void *memory);

#define kzalloc(bytes, flags)		   kmalloc(bytes, flags)
#define kmalloc_array(count, bytes, flags) kcalloc(count, bytes, flags)

/* As newer trees write it; their flags may be left out. */
#define kmalloc_obj(what, ...) ((__typeof__(what) *)kmalloc(sizeof(what), GFP_KERNEL))
#define kzalloc_obj(what, ...) kmalloc_obj(what)
#define kmalloc_objs(what, count, ...) \
	((__typeof__(what) *)kcalloc(count, sizeof(what), GFP_KERNEL))
#define kzalloc_objs(what, count, ...) kmalloc_objs(what, count)

#endif
