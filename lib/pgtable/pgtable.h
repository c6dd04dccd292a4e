/* SPDX-License-Identifier: MIT */
/*
 * I/O page tables: what the IOMMU layer asks of a format.
 *
 * Semantics are those of Linux's generic page table (facts "iova-and-page-tables" 2.7): mapping
 * over a leaf is -EADDRINUSE, unmapping stops at the first hole and takes a whole leaf when it ends
 * inside one, a table is unlinked when the range covers all it maps, and is freed by whoever owns
 * the gather after the invalidation.
 */
#ifndef PGTABLE_PGTABLE_H
#define PGTABLE_PGTABLE_H

#include <dmasim/lock.h>

#include "mm/page.h"

struct os;

#define PGTABLE_LEVELS_MAX 6

/* IOMMU_ protection bits (facts "dma-api" 1.5). */
#define IOMMU_READ   (1U << 0)
#define IOMMU_WRITE  (1U << 1)
#define IOMMU_CACHE  (1U << 2)
#define IOMMU_NOEXEC (1U << 3)
#define IOMMU_MMIO   (1U << 4)
#define IOMMU_PRIV   (1U << 5)

/*
 * What changed in a table and is not yet invalidated. Empty while start > last. Pages on the list
 * are unlinked tables: they are freed only after the invalidation.
 */
struct iommu_iotlb_gather {
	u64 start;
	u64 last;
	u8 leaf_levels;	 /* bit n: leaves of level n went */
	u8 table_levels; /* bit n: tables that hung on entries of level n went */
	struct page *freelist;
};

static inline void iommu_iotlb_gather_init(struct iommu_iotlb_gather *gather)
{
	*gather = (struct iommu_iotlb_gather){ .start = ~0ULL };
}

static inline bool iommu_iotlb_gather_empty(const struct iommu_iotlb_gather *gather)
{
	return gather->start > gather->last;
}

static inline void iommu_iotlb_gather_add(struct iommu_iotlb_gather *gather, u64 start, u64 last)
{
	if (start < gather->start)
		gather->start = start;
	if (last > gather->last)
		gather->last = last;
}

struct pgtable {
	struct os *os;
	struct platform *platform;
	phys_addr_t root;
	u64 *top;	  /* host pointer to the root table */
	u64 page_sizes;	  /* bit n: leaves of 2^n bytes */
	u8 levels;	  /* now */
	u8 top_extra_lg2; /* how many times as many entries the top has */
	u8 va_bits;	  /* with all the levels that it can have */
	u8 pa_bits;
	bool coherent;	/* else written entries are flushed */
	bool snoop;	/* leaves force snooping */
	u64 encryption; /* address bit that marks encrypted memory; 0: none */

	struct platform_lock top_lock; /* of root, top and levels, where they change */
	int (*change_top)(void *cookie, phys_addr_t root, u8 levels);
	void *cookie;

	/* The table of the smallest leaves that was written last: links come in runs. */
	u64 last_leaves; /* the IOVA it serves, shifted; PGTABLE_NO_LEAVES: none is known */
	phys_addr_t last_phys;
	u64 *last_entry;
};

#define PGTABLE_NO_LEAVES (~0ULL)

struct pgtable_config {
	struct os *os;
	u64 page_sizes;	  /* if not 0: of the format's sizes these alone, and the smallest */
	u64 encryption;	  /* AMD: what marks encrypted memory; beyond pa_bits */
	u8 levels;	  /* to begin with */
	u8 levels_max;	  /* AMD: it grows up to so many; 0: not */
	u8 top_extra_lg2; /* RISC-V, Arm: the top has so many times as many entries */
	u8 pa_bits;
	bool huge_1g; /* VT-d */
	bool coherent;
	bool snoop;
	/*
	 * A table that grows tells its user before it uses the new top: hardware is to begin there.
	 * 0, or an error, which the map then gives; the new top is used all the same. May be NULL.
	 */
	int (*change_top)(void *cookie, phys_addr_t root, u8 levels);
	void *cookie;
};

/* A format. One per file in this folder. */
struct pgtable_ops {
	const char *name;
	/* 0, -ENOMEM. */
	int (*init)(struct pgtable *pt, const struct pgtable_config *config);
	/* Frees all tables; the hardware does not use them any more. */
	void (*fini)(struct pgtable *pt);
	/*
	 * Maps [iova, iova + bytes) to phys, in leaves as large as the addresses allow. Adds to
	 * *mapped what was done, also on failure. 0, -EINVAL (no permission, or 0 bytes), -ENXIO
	 * (not aligned), -EADDRINUSE, -ERANGE (beyond the table or the physical width), -EOVERFLOW
	 * (wraps), -ENOMEM.
	 */
	int (*map)(struct pgtable *pt, u64 iova, phys_addr_t phys, u64 bytes, u32 prot,
		   struct iommu_iotlb_gather *gather, u64 *mapped);
	/* Returns the bytes removed, from iova on. */
	u64 (*unmap)(struct pgtable *pt, u64 iova, u64 bytes, struct iommu_iotlb_gather *gather);
	/* The physical address, or 0 where nothing is mapped. */
	phys_addr_t (*iova_to_phys)(struct pgtable *pt, u64 iova);
};

/* Intel VT-d second stage. */
extern const struct pgtable_ops pgtable_vtdss;

/* AMD's host table. */
extern const struct pgtable_ops pgtable_amdv1;

#endif
