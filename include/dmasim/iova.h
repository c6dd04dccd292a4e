/* SPDX-License-Identifier: MIT */
/*
 * The table behind which IOVA allocators stand. A new one is one file that fills this table, in
 * this tree or out of it; it is used by naming the table in struct dmasim_config, and judged and
 * measured beside the others by `dmasim iova --plugin` (dmasim/workbench.h).
 *
 * All numbers are page frame numbers of the domain's granule (pfn = IOVA >> granule_lg2); bounds
 * are inclusive. create and destroy are called while nobody else knows the domain. The others may
 * be called by every virtual CPU; another CPU runs only where the allocator passes a preemption
 * point (platform_point(), or a lock of dmasim/lock.h): one that passes none needs no lock.
 */
#ifndef DMASIM_IOVA_H
#define DMASIM_IOVA_H

#include <dmasim/platform.h>
#include <dmasim/types.h>

/* No pfn: what a failed allocation returns. Pfn 0 is never handed out either. */
#define IOVA_NO_PFN (~0ULL)

/*
 * How a range is wanted, and how it is given back: log2 of the alignment in pages, and flags.
 *
 *	ops->alloc(allocator, pages, limit_pfn, iova_natural(pages) | IOVA_CACHE);
 *	ops->free(allocator, pfn, pages, IOVA_CACHE);
 */
#define IOVA_ALIGN_LG2 0x3fU /* the bits of the alignment */
/*
 * A cache may answer, and may round the size up: such a range is given back with the flag, the
 * others without it. (Linux: the calls whose names end in _fast.)
 */
#define IOVA_CACHE     0x40U
/* With IOVA_CACHE: if nothing fits, caches are emptied before the allocation fails. */
#define IOVA_FLUSH     0x80U

/* The alignment of DMA mappings: the power of two not below `pages`, which is at least 1. */
static inline u32 iova_natural(u64 pages)
{
	return pages < 2 ? 0 : 64 - (u32)__builtin_clzll(pages - 1);
}

struct iova_allocator;

struct iova_allocator_config {
	struct platform *platform; /* for memory, locks, time, and the CPU that runs */
	u32 cpus;		   /* platform->cpu is below it */
	u8 granule_lg2;
	u64 start_pfn; /* lowest that may be handed out, at least 1 */
	u64 last_pfn;  /* no limit is above it */
	u32 repairs;   /* bits of enum iova_repair: for "linux" */
	void *context; /* of the table */
};

/* A range that is not free. */
struct iova_range {
	u64 first_pfn;
	u64 last_pfn;
	bool reserved; /* by reserve; if the allocator knows */
};

/* What an allocator says of itself. */
struct iova_stats {
	u64 ranges;	   /* that are not free: live, cached and reserved ones */
	u64 cached_ranges; /* of these, those in caches */
	u64 cached_pages;
};

/*
 * What an allocator says of itself to those who judge it: bits of iova_allocator_ops.traits. The
 * first ones take something back that is asked of all others.
 */
enum iova_trait {
	/* It may fail although there is a place, but never when nothing is allocated. */
	IOVA_FAILS_EARLY = 1 << 0,
	/* Freeing takes memory, for its caches. If there is none, no range is lost. */
	IOVA_FREE_ALLOCATES = 1 << 1,
	/*
	 * Reserved space that overlaps what is allocated, or lies in a cache, is open again when
	 * that is freed; a reservation that finds no memory may hold in part.
	 */
	IOVA_LOOSE_RESERVE = 1 << 2,
	/* It knows two alignments alone: none, and iova_natural(). */
	IOVA_NATURAL_ALIGN = 1 << 3,
	/* With IOVA_CACHE, a limit below the size, as a cache rounds it up, may be no limit. */
	IOVA_LIMIT_WRAPS = 1 << 4,

	/* Without IOVA_CACHE it is always the highest aligned place. */
	IOVA_HIGHEST_FIT = 1 << 5,
};

struct iova_allocator_ops {
	size_t size; /* sizeof(struct iova_allocator_ops) */
	const char *name;
	void *context; /* passed on in the config */
	u32 traits;    /* bits of enum iova_trait */
	u64 max_pfn;   /* no last_pfn may be above it; 0: any may be */

	/* NULL: no memory. */
	struct iova_allocator *(*create)(const struct iova_allocator_config *config);
	/*
	 * Ranges still allocated are forgotten. Not called where a failing test has jumped out of
	 * the machine while locks were held (report.h): what the allocator has of the platform goes
	 * with the machine.
	 */
	void (*destroy)(struct iova_allocator *allocator);

	/*
	 * `pages` >= 1, at or below limit_pfn, aligned to 1 << (how & IOVA_ALIGN_LG2). IOVA_NO_PFN
	 * when there is no such range or no memory for its record.
	 */
	u64 (*alloc)(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how);
	/*
	 * Takes back exactly one allocation; how: IOVA_CACHE if it was allocated so, or 0. Never
	 * fails. A range it does not know may be ignored.
	 */
	void (*free)(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how);
	/*
	 * Keeps [first_pfn, last_pfn] from being handed out, for good; ranges may overlap each
	 * other and allocated ones, and may lie below start_pfn or above last_pfn, in part or as a
	 * whole. 0 or -ENOMEM.
	 */
	int (*reserve)(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn);

	/* ---- NULL: it does not tell -------------------------------------- */

	/* The lowest range that ends at or above pfn; false: there is none. */
	bool (*next)(struct iova_allocator *allocator, u64 pfn, struct iova_range *range);
	void (*stats)(struct iova_allocator *allocator, struct iova_stats *stats);
};

/*
 * Faults of Linux's allocator that "linux" has, too, unless they are repaired (facts
 * "iova-and-page-tables" 1.2, 1.5).
 */
enum iova_repair {
	/* P3: a failure is remembered only if it was one of the 32-bit space, and of its size. */
	IOVA_REPAIR_MAX32,
	/* A cache that holds a fitting range in `prev` or in the depot gives it. */
	IOVA_REPAIR_CACHE_MISS,
	IOVA_REPAIR_COUNT,
};

/* The bit of a repair: IOVA_REPAIR(MAX32) | IOVA_REPAIR(CACHE_MISS). */
#define IOVA_REPAIR(x) (1U << IOVA_REPAIR_##x)

/*
 * Stands in the file of an allocator that is built as a plugin, a shared object: what
 * `dmasim iova --plugin` looks for.
 */
#define DMASIM_IOVA_PLUGIN(table)                                             \
	DMASIM_BEGIN_DECLS                                                    \
	DMASIM_API const struct iova_allocator_ops *dmasim_iova_plugin(void); \
	DMASIM_API const struct iova_allocator_ops *dmasim_iova_plugin(void)  \
	{                                                                     \
		return &(table);                                              \
	}                                                                     \
	DMASIM_END_DECLS

DMASIM_BEGIN_DECLS

/*
 * The addresses and the failures of Linux 6.12 to 7.3, per-CPU caches included (facts
 * "iova-and-page-tables" 1.1, 1.2), each in O(log n). With IOVA_CACHE, sizes below 32 are rounded
 * up to a power of two, and freeing may take memory for a magazine: without, the range goes to
 * where uncached ones do.
 */
DMASIM_API const struct iova_allocator_ops *dmasim_iova_linux(void);

/*
 * The highest place that fits, always: any alignment, nothing rounded, bounded caches, freeing
 * takes no memory. O(log n), also to fail, for natural alignment and for none, where the size is at
 * most 64 pages or has three significant bits; for other sizes it may look at each gap that is less
 * than a quarter too short, and for other alignments at each that is long enough. A range that is
 * allocated when it is reserved stays taken when it is freed.
 */
DMASIM_API const struct iova_allocator_ops *dmasim_iova_exact(void);

/*
 * A bit for each of the lowest 2^20 pages, searched from the top: for teaching, and as a reference.
 * It serves no page above them, and has no caches.
 */
DMASIM_API const struct iova_allocator_ops *dmasim_iova_bitmap(void);

/* Our tables, from 0 on; NULL: there are no more. */
DMASIM_API const struct iova_allocator_ops *dmasim_iova_at(u32 index);

/* The table of one of these names: linux, exact, bitmap; NULL for another. */
DMASIM_API const struct iova_allocator_ops *dmasim_iova_by_name(const char *name);

DMASIM_END_DECLS

#endif
