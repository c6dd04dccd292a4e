/* SPDX-License-Identifier: MIT */
/*
 * What a page table of Linux's knows of the IOMMU layer (facts "dma-api" 1.5 and
 * "iova-and-page-tables" 2.7).
 */
#ifndef KERNEL_LINUX_IOMMU_H
#define KERNEL_LINUX_IOMMU_H

#include <asm/page.h>
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/kconfig.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>

#define IOMMU_READ   (1 << 0)
#define IOMMU_WRITE  (1 << 1)
#define IOMMU_CACHE  (1 << 2)
#define IOMMU_NOEXEC (1 << 3)
#define IOMMU_MMIO   (1 << 4)
#define IOMMU_PRIV   (1 << 5)

#define NUMA_NO_NODE (-1)

struct device;

typedef unsigned long pgoff_t;

struct iommu_domain_geometry {
	dma_addr_t aperture_start, aperture_end;
	bool force_aperture;
};

#define __IOMMU_DOMAIN_PAGING 1U

struct iommu_domain {
	unsigned int type;
	bool is_iommupt;
	unsigned long pgsize_bitmap;
	struct iommu_domain_geometry geometry;
};

struct iommu_pages_list {
	struct list_head pages;
};

#define IOMMU_PAGES_LIST_INIT(name) \
	((struct iommu_pages_list){ .pages = { &(name).pages, &(name).pages } })

struct iommu_iotlb_gather {
	unsigned long start, end; /* the last byte; start above end: nothing */
	size_t pgsize;
	struct iommu_pages_list freelist;
	bool queued;
	struct {
		u8 leaf_levels_bitmap, table_levels_bitmap;
	} pt;
};

static inline void iommu_iotlb_gather_init(struct iommu_iotlb_gather *gather)
{
	*gather = (struct iommu_iotlb_gather){
		.start = ~0UL,
		.freelist = IOMMU_PAGES_LIST_INIT(gather->freelist),
	};
}

static inline bool iommu_iotlb_gather_queued(const struct iommu_iotlb_gather *gather)
{
	return gather && gather->queued;
}

static inline void iommu_iotlb_gather_add_range(struct iommu_iotlb_gather *gather,
						unsigned long iova, size_t bytes)
{
	unsigned long last = iova + (bytes - 1);

	if (iova < gather->start)
		gather->start = iova;
	if (last > gather->end)
		gather->end = last;
}

/* Neither meets nor abuts what is gathered, if anything is. */
static inline bool iommu_iotlb_gather_is_disjoint(const struct iommu_iotlb_gather *gather,
						  unsigned long iova, size_t bytes)
{
	unsigned long last = iova + (bytes - 1);

	return gather->end && (last + 1 < gather->start || iova > gather->end + 1);
}

void iommu_put_pages_list(struct iommu_pages_list *list);

/* Nothing is cached here: tables go at once. */
static inline void iommu_iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	(void)domain;
	iommu_put_pages_list(&gather->freelist);
	iommu_iotlb_gather_init(gather);
}

#define IOMMU_DIRTY_NO_CLEAR (1 << 0)

/* Who has no bitmap asks for nothing, and all is cleared. */
struct iova_bitmap {
	u64 told; /* bytes */
};

static inline void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova, size_t bytes)
{
	(void)iova;
	bitmap->told += bytes;
}

struct iommu_dirty_bitmap {
	struct iova_bitmap *bitmap;
	struct iommu_iotlb_gather *gather;
};

static inline void iommu_dirty_bitmap_record(struct iommu_dirty_bitmap *dirty, unsigned long iova,
					     size_t bytes)
{
	if (dirty->bitmap)
		iova_bitmap_set(dirty->bitmap, iova, bytes);
}

#endif
