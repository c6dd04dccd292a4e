/* SPDX-License-Identifier: MIT */
/* Pages and addresses. */
#ifndef DMASIM_KERNEL_MM_H
#define DMASIM_KERNEL_MM_H

#include <dmasim/kernel.h>

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/types.h>

#ifndef PAGE_MASK
#define PAGE_MASK (~((u64)PAGE_SIZE - 1))
#endif
#define PAGE_ALIGN(x)	ALIGN(x, PAGE_SIZE)
#define PAGE_ALIGNED(x) IS_ALIGNED((uintptr_t)(x), PAGE_SIZE)
#define PHYS_PFN(phys)	((unsigned long)((phys) >> PAGE_SHIFT))
#define PFN_PHYS(pfn)	((phys_addr_t)(pfn) << PAGE_SHIFT)
#define PFN_UP(x)	(((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)
#define PFN_DOWN(x)	((x) >> PAGE_SHIFT)

static inline unsigned long offset_in_page(const volatile void *ptr)
{
	return (unsigned long)((uintptr_t)ptr & (PAGE_SIZE - 1));
}

static inline unsigned long page_to_pfn(const struct page *page)
{
	return PHYS_PFN(page_to_phys(page));
}

static inline struct page *pfn_to_page(unsigned long pfn)
{
	return phys_to_page(PFN_PHYS(pfn));
}

/* The order of the smallest run of pages that holds `size` bytes. */
static inline int get_order(unsigned long size)
{
	int order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

/* There is no high memory: every page has an address. */
static inline void *kmap_local_page(struct page *page)
{
	return page_address(page);
}

static inline void kunmap_local(const void *ptr)
{
	(void)ptr;
}

#endif
