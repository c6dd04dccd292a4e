/* SPDX-License-Identifier: MIT */
/*
 * I/O page tables: what the IOMMU layer asks of a format.
 *
 * A format of your own is one C file that describes its words (dmasim/pgtable/format.h) and ends
 * with PT_DEFINE_OPS() of dmasim/pgtable/define_ops.h, which makes a struct pgtable_ops of it; or
 * one that fills that struct by itself. This header is C++, too; the others are C alone.
 *
 * Semantics are those of Linux's generic page table (facts "iova-and-page-tables" 2.7): mapping
 * over a leaf is -EADDRINUSE, unmapping stops at the first hole and takes a whole leaf when it ends
 * inside one, a table is unlinked when the range covers all it maps, and is freed by whoever owns
 * the gather after the invalidation.
 */
#ifndef DMASIM_PGTABLE_PGTABLE_H
#define DMASIM_PGTABLE_PGTABLE_H

#include <dmasim/lock.h>
#include <dmasim/page.h>
#include <dmasim/platform.h>

#define PGTABLE_LEVELS_MAX 6

/* IOMMU_ protection bits (facts "dma-api" 1.5). */
#define IOMMU_READ   (1U << 0)
#define IOMMU_WRITE  (1U << 1)
#define IOMMU_CACHE  (1U << 2)
#define IOMMU_NOEXEC (1U << 3)
#define IOMMU_MMIO   (1U << 4)
#define IOMMU_PRIV   (1U << 5)

/* What a table does beyond its format's ordinary ways; of other formats than named: nothing. */
#define PGTABLE_CONTIGUOUS  (1U << 0) /* Arm: leaves of several entries with the contiguous bit */
#define PGTABLE_HW_DIRTY    (1U << 1) /* Arm, stage 1: hardware marks what was written */
#define PGTABLE_NON_SECURE  (1U << 2) /* Arm, stage 1 */
#define PGTABLE_S2FWB	    (1U << 3) /* Arm, stage 2: cacheable whatever the first stage says */
#define PGTABLE_NAPOT	    (1U << 4) /* RISC-V: leaves of 64 KiB (Svnapot) */
#define PGTABLE_PBMT	    (1U << 5) /* RISC-V: leaves say what is not cacheable (Svpbmt) */
#define PGTABLE_FORCE_WRITE (1U << 6) /* VT-d: read-only is refused: an erratum of a parent */
#define PGTABLE_LOWER_HALF  (1U << 7) /* x86-64, RISC-V: of addresses the lower half alone */
#define PGTABLE_BBML2	    (1U << 8) /* Arm: leaves may be cut and collapsed (FEAT_BBM level 2) */

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
	gather->start = ~0ULL;
	gather->last = 0;
	gather->leaf_levels = 0;
	gather->table_levels = 0;
	gather->freelist = NULL;
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

/* Exact counts. */
struct pgtable_costs {
	u64 entries_written; /* leaf entries */
	u64 entries_cleared;
	u64 tables_allocated;
	u64 tables_freed;
};

/* Where tables come from: one for all the tables of a machine. */
struct pgtable_host {
	struct platform *platform;
	/*
	 * 2^order zeroed frames, contiguous and naturally aligned, and the page of the first, which
	 * knows the order; NULL: no memory.
	 */
	struct page *(*alloc)(struct pgtable_host *host, u8 order);
	void (*free)(struct pgtable_host *host, struct page *page);
	/* The page that alloc() gave for a table. */
	struct page *(*find)(struct pgtable_host *host, phys_addr_t phys);
	struct pgtable_costs costs;
};

struct pgtable {
	struct pgtable_host *host;
	struct platform *platform;
	phys_addr_t root;
	u64 *top;	  /* host pointer to the root table */
	u64 page_sizes;	  /* bit n: leaves of 2^n bytes */
	u32 features;	  /* PGTABLE_ */
	u8 levels;	  /* now */
	u8 top_extra_lg2; /* how many times as many entries the top has */
	u8 va_bits;	  /* with all the levels that it can have; Arm: 48, or 52, at most */
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

	void *context; /* of the configuration: for a format's own use */
};

#define PGTABLE_NO_LEAVES (~0ULL)

struct pgtable_config {
	struct pgtable_host *host;
	u64 page_sizes;	  /* if not 0: of the format's sizes these alone, and the smallest */
	u64 encryption;	  /* AMD, x86-64: what marks encrypted memory; beyond pa_bits */
	u32 features;	  /* PGTABLE_ */
	u8 levels;	  /* to begin with */
	u8 levels_max;	  /* AMD: it grows up to so many; 0: not; of others: nothing */
	u8 top_extra_lg2; /* RISC-V, Arm: the top has so many times as many entries */
	u8 pa_bits;
	bool huge_1g; /* VT-d, x86-64 */
	bool coherent;
	bool snoop;
	/*
	 * A table that grows tells its user before it uses the new top: hardware is to begin there.
	 * 0, or an error, which the map then gives; the new top is used all the same. May be NULL.
	 */
	int (*change_top)(void *cookie, phys_addr_t root, u8 levels);
	void *cookie;
	void *context; /* of struct pgtable_ops */
};

/* A leaf, as a program sees it. */
struct pgtable_leaf {
	u64 iova;
	phys_addr_t phys;
	u8 lg2;	  /* log2 of its bytes */
	u32 prot; /* IOMMU_, as far as the format keeps them */
	bool dirty;
};

/* False: enough. */
typedef bool pgtable_leaf_fn(void *cookie, const struct pgtable_leaf *leaf);

/* [iova, iova + bytes) was written. */
typedef void pgtable_dirty_fn(void *cookie, u64 iova, u64 bytes);

struct pt_format;

/* A format. */
struct pgtable_ops {
	size_t size; /* sizeof(struct pgtable_ops) */
	const char *name;
	void *context;			/* passed on in the configuration; of ours NULL */
	const struct pt_format *format; /* what it is made from; may be NULL */
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

	/*
	 * What follows takes a range, and refuses one that no table has: -EINVAL (0 bytes),
	 * -EOVERFLOW, -ERANGE. Leaves that lie in it in part belong to it whole, if nothing else is
	 * said. What is gathered must be invalidated; addresses lead where they led before.
	 */

	/* Tells every leaf, in order of address, until somebody has enough. */
	int (*iterate)(struct pgtable *pt, u64 iova, u64 bytes, pgtable_leaf_fn *leaf,
		       void *cookie);
	/*
	 * Tells what hardware has marked as written, as far as it was asked for; with `clear` the
	 * marks go, of whole leaves. What is told is final once the gather was invalidated.
	 * -EOPNOTSUPP: the format has no such mark.
	 */
	int (*read_and_clear_dirty)(struct pgtable *pt, u64 iova, u64 bytes, bool clear,
				    pgtable_dirty_fn *tell, void *cookie,
				    struct iommu_iotlb_gather *gather);
	/* Marks the entry of one address as hardware does. 0, -ENOENT, -EOPNOTSUPP. */
	int (*set_dirty)(struct pgtable *pt, u64 iova);
	/*
	 * Gives leaves other rights and attributes. Adds to *changed the bytes from iova on that
	 * have them now: the last leaf counts whole. What hardware has marked stays marked, but
	 * on Arm, where a leaf that may not be written has no mark. Arm without PGTABLE_BBML2 wants
	 * another kind of memory, and leaves of several entries, unmapped first (break before
	 * make): that is for the caller. -EINVAL also: no permission, or iova lies inside a leaf;
	 * -ENOENT: a hole, which ends it.
	 */
	int (*protect)(struct pgtable *pt, u64 iova, u64 bytes, u32 prot,
		       struct iommu_iotlb_gather *gather, u64 *changed);
	/*
	 * Makes a leaf begin at iova, in smaller ones, which have its mark. What hardware marks
	 * meanwhile may be lost, as with collapse. -EINVAL: not aligned; -ENOENT: nothing is
	 * mapped; -EOPNOTSUPP: see PGTABLE_BBML2; -ENOMEM: nothing has changed, or it is cut as far
	 * as memory went.
	 */
	int (*cut)(struct pgtable *pt, u64 iova, struct iommu_iotlb_gather *gather);
	/*
	 * Makes larger leaves of smaller ones that lie whole in the range, follow each other and
	 * allow the same. Adds to *fewer how many leaves there are less. -EOPNOTSUPP as above.
	 */
	int (*collapse)(struct pgtable *pt, u64 iova, u64 bytes, struct iommu_iotlb_gather *gather,
			u64 *fewer);
};

#endif
