/* SPDX-License-Identifier: MIT */
/* Pages. */
#ifndef DMASIM_KERNEL_GFP_H
#define DMASIM_KERNEL_GFP_H

#include <dmasim/kernel.h>

#include <linux/types.h>

#define GFP_NOWAIT   ((gfp_t)0x800u)
#define GFP_NOIO     ((gfp_t)0xc00u)
#define GFP_NOFS     ((gfp_t)0xc40u)
#define GFP_USER     GFP_KERNEL
#define GFP_DMA	     __GFP_DMA
#define GFP_DMA32    __GFP_DMA32
#define GFP_HIGHUSER (GFP_USER | __GFP_HIGHMEM)

#define alloc_page(gfp)	  alloc_pages(gfp, 0)
#define __free_page(page) __free_pages((page), 0)

static inline struct page *alloc_pages_node(int node, gfp_t gfp, unsigned int order)
{
	(void)node;
	return alloc_pages(gfp, order);
}

static inline unsigned long __get_free_pages(gfp_t gfp, unsigned int order)
{
	struct page *page = alloc_pages(gfp, order);

	return page ? (unsigned long)page_address(page) : 0;
}

static inline unsigned long __get_free_page(gfp_t gfp)
{
	return __get_free_pages(gfp, 0);
}

static inline unsigned long get_zeroed_page(gfp_t gfp)
{
	return __get_free_pages(gfp | __GFP_ZERO, 0);
}

static inline void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

static inline void free_page(unsigned long addr)
{
	free_pages(addr, 0);
}

#endif
