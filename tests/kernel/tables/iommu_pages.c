/* SPDX-License-Identifier: MIT */
/*
 * Where the tree's tables come from, behind its own iommu-pages.h. What is known of a table's page
 * lies behind it (linux/mm_types.h); walkers see what is written at once.
 */
#include <stdlib.h>
#include <string.h>

#include "tree-iommu-pages.h"

void *iommu_alloc_pages_node_sz(int node, gfp_t gfp, size_t size)
{
	size_t align = size > STANDIN_TABLE ? size : STANDIN_TABLE;
	size_t bytes = align + STANDIN_TABLE;
	void *memory = aligned_alloc(align, (bytes + align - 1) / align * align);

	(void)node, (void)gfp;
	return memory ? memset(memory, 0, bytes) : NULL;
}

void iommu_free_pages(void *memory)
{
	free(memory);
}

void iommu_put_pages_list(struct iommu_pages_list *list)
{
	while (!list_empty(&list->pages)) {
		struct list_head *first = list->pages.next;

		list->pages.next = first->next;
		first->next->prev = &list->pages;
		free((void *)(((uintptr_t)first & ~(STANDIN_TABLE - 1)) - STANDIN_TABLE));
	}
}

int iommu_pages_start_incoherent(void *memory, struct device *dev)
{
	(void)memory, (void)dev;
	return 0;
}

int iommu_pages_start_incoherent_list(struct iommu_pages_list *list, struct device *dev)
{
	(void)list, (void)dev;
	return 0;
}

void iommu_pages_stop_incoherent_list(struct iommu_pages_list *list, struct device *dev)
{
	(void)list, (void)dev;
}

void iommu_pages_free_incoherent(void *memory, struct device *dev)
{
	(void)dev;
	iommu_free_pages(memory);
}
