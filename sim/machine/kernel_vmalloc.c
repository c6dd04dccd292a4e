/* SPDX-License-Identifier: MIT */
/*
 * vmalloc(): memory that is in one piece for the CPU and for nobody else. It has no physical
 * address as a whole; here it has none at all, so that no call of the DMA API takes it.
 */
#include <string.h>

#include "machine/machine.h"

/* The memory lies behind it. */
struct kernel_vmalloc {
	SLIST_ENTRY(kernel_vmalloc) link;
	size_t bytes;
	u8 at[];
};

/* The area that a pointer is into; NULL: none. */
static struct kernel_vmalloc *area_of(const struct dmasim *s, const void *ptr)
{
	struct kernel_vmalloc *area;

	SLIST_FOREACH(area, &s->kernel.vmallocs, link) {
		if ((uintptr_t)ptr - (uintptr_t)area->at < area->bytes)
			return area;
	}
	return NULL;
}

bool kernel_is_vmalloc(const struct dmasim *s, const void *ptr)
{
	return area_of(s, ptr) != NULL;
}

bool is_vmalloc_addr(const void *ptr)
{
	return kernel_is_vmalloc(kernel_machine(), ptr);
}

static void *alloc_area(unsigned long size, int fill)
{
	struct dmasim *s = kernel_machine();
	struct kernel_vmalloc *area;

	if (!size || size > SIZE_MAX - sizeof(*area))
		return NULL;
	area = memory_alloc(&s->world.memory, DMASIM_FAULT_KMALLOC, sizeof(*area) + size);
	if (!area)
		return NULL;
	area->bytes = size;
	memset(area->at, fill, size);
	SLIST_INSERT_HEAD(&s->kernel.vmallocs, area, link);
	return area->at;
}

void *vmalloc(unsigned long size)
{
	return alloc_area(size, KERNEL_FILL_NEW);
}

void *vzalloc(unsigned long size)
{
	return alloc_area(size, 0);
}

void vfree(const void *ptr)
{
	struct dmasim *s = kernel_machine();
	struct kernel_vmalloc *area = ptr ? area_of(s, ptr) : NULL;

	if (!ptr)
		return;
	if (!area || area->at != ptr) {
		kernel_misuse(s, NULL, 0, "vfree() of what vmalloc() did not give");
		return;
	}
	SLIST_REMOVE(&s->kernel.vmallocs, area, kernel_vmalloc, link);
	memory_free(&s->world.memory, area);
}

u32 kernel_list_vmallocs(const struct dmasim *s, struct text *text)
{
	const struct kernel_vmalloc *area;
	u32 found = 0;

	SLIST_FOREACH(area, &s->kernel.vmallocs, link) {
		text_add(text, "memory leaked: vmalloc() of %llu bytes\n", (u64)area->bytes);
		found++;
	}
	return found;
}
