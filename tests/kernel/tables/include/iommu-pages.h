/* SPDX-License-Identifier: MIT */
/* Pages of tables: zeroed, and aligned to their size. */
#ifndef KERNEL_IOMMU_PAGES_H
#define KERNEL_IOMMU_PAGES_H

#include <stdlib.h>
#include <string.h>

#include <linux/gfp.h>
#include <linux/types.h>

static inline void *standin_pages(int order)
{
	size_t bytes = (size_t)4096 << order;
	void *pages = aligned_alloc(bytes, bytes);

	return pages ? memset(pages, 0, bytes) : NULL;
}

static inline int get_order(unsigned long bytes)
{
	int order = 0;

	while ((4096UL << order) < bytes)
		order++;
	return order;
}

#define iommu_alloc_pages_node(node, gfp, order)    standin_pages(order)
#define iommu_free_pages(memory, order)		    free(memory)
#define iommu_alloc_pages_node_sz(node, gfp, bytes) standin_pages(get_order(bytes))

#endif
