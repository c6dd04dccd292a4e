// SPDX-License-Identifier: MIT
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>

#include <linux/cpu.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

_Thread_local struct standin *standin_now;

void standin_warn(void)
{
	standin_now->warnings++;
}

void standin_bug(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: BUG: %s\n", file, line, what);
	abort();
}

/* ---- Object caches --------------------------------------------------------------------------- */

#define SLAB_BYTES 4096U

/* Of the process, as in a kernel; the objects are each kernel's own. */
static struct kmem_cache cache_table[STANDIN_CACHES];

struct kmem_cache *kmem_cache_create(const char *name, unsigned int size, unsigned int align,
				     slab_flags_t flags, void (*ctor)(void *))
{
	u32 bytes = size > align ? size : align;

	(void)name, (void)flags, (void)ctor;
	for (u32 i = 0; i < STANDIN_CACHES; i++) {
		if (cache_table[i].bytes)
			continue;
		bytes = (bytes + STANDIN_LINE - 1) / STANDIN_LINE * STANDIN_LINE;
		cache_table[i] = (struct kmem_cache){ .bytes = bytes, .index = i };
		return &cache_table[i];
	}
	return NULL;
}

void kmem_cache_destroy(struct kmem_cache *cache)
{
	if (cache)
		cache->bytes = 0;
}

/* A slab begins with a pointer to the next one; its objects follow, each on a line of its own. */
bool standin_refill(struct kmem_cache *cache)
{
	struct standin *kernel = standin_now;
	struct standin_arena *arena = &kernel->arena[cache->index];
	u32 count = cache->bytes < SLAB_BYTES / 4 ? SLAB_BYTES / cache->bytes : 4;
	u8 *slab, *object;

	slab = platform_alloc(kernel->platform, DMASIM_FAULT_IOVA_NODE,
			      sizeof(void *) + STANDIN_LINE + (size_t)count * cache->bytes);
	if (!slab)
		return false;
	*(void **)slab = arena->slabs;
	arena->slabs = slab;
	object = slab + sizeof(void *);
	object += -(uintptr_t)object % STANDIN_LINE;
	/* The lowest is handed out first. */
	for (u32 i = count; i-- > 0;) {
		*(void **)(object + (size_t)i * cache->bytes) = arena->free;
		arena->free = object + (size_t)i * cache->bytes;
	}
	return true;
}

void standin_release(struct standin *kernel)
{
	for (u32 i = 0; i < STANDIN_CACHES; i++) {
		void *slab = kernel->arena[i].slabs, *next;

		for (; slab; slab = next) {
			next = *(void **)slab;
			platform_free(kernel->platform, slab);
		}
		kernel->arena[i] = (struct standin_arena){ NULL };
	}
}

/* ---- Other memory ---------------------------------------------------------------------------- */

void *kmalloc(size_t bytes, gfp_t flags)
{
	(void)flags;
	return platform_alloc(standin_now->platform, DMASIM_FAULT_IOVA_DOMAIN, bytes);
}

void *kcalloc(size_t count, size_t bytes, gfp_t flags)
{
	return bytes && count > SIZE_MAX / bytes ? NULL : kmalloc(count * bytes, flags);
}

void kfree(const void *memory)
{
	platform_free(standin_now->platform, (void *)memory);
}

/* What the platform gave stands in the line below the first CPU's part. */
void *__alloc_percpu(size_t bytes, size_t align)
{
	size_t part = (bytes + STANDIN_LINE - 1) / STANDIN_LINE * STANDIN_LINE;
	u8 *memory, *first;

	if (align > STANDIN_LINE)
		return NULL;
	memory = kmalloc(2 * STANDIN_LINE + part * standin_now->cpus, GFP_KERNEL);
	if (!memory)
		return NULL;
	first = memory + STANDIN_LINE;
	first += -(uintptr_t)first % STANDIN_LINE;
	((void **)first)[-1] = memory;
	return first;
}

void free_percpu(void *first)
{
	if (first)
		kfree(((void **)first)[-1]);
}

/* ---- Delayed work ---------------------------------------------------------------------------- */

static void run_work(struct dmasim_timer *timer)
{
	struct delayed_work *work = container_of(timer, struct delayed_work, timer);

	standin_now = work->kernel;
	work->work.func(&work->work);
}

void standin_init_work(struct delayed_work *work, work_func_t function)
{
	*work = (struct delayed_work){ .kernel = standin_now };
	work->work.func = function;
	work->timer.fire = run_work;
}

/* Work that waits already keeps its time. */
bool schedule_delayed_work(struct delayed_work *work, unsigned long delay)
{
	struct platform *p = standin_now->platform;

	if (work->timer.pending)
		return false;
	p->ops->timer_arm(p->machine, &work->timer, delay * STANDIN_NS_PER_JIFFY);
	return true;
}

bool cancel_delayed_work_sync(struct delayed_work *work)
{
	struct platform *p = standin_now->platform;
	bool pending = work->timer.pending;

	p->ops->timer_cancel(p->machine, &work->timer);
	return pending;
}
