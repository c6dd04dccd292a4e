/* SPDX-License-Identifier: MIT */
/*
 * The table behind which IOVA allocators stand. A new one is one file that fills this table; it is
 * used by naming the table in struct dmasim_config.
 *
 * All numbers are page frame numbers of the domain's granule (pfn = IOVA >> granule_lg2); bounds
 * are inclusive. alloc and free are called with the domain's lock held, create, reserve and destroy
 * while nobody else knows the domain, so calls never overlap.
 */
#ifndef DMASIM_IOVA_H
#define DMASIM_IOVA_H

#include <dmasim/platform.h>
#include <dmasim/types.h>

/* No pfn: what a failed allocation returns. Pfn 0 is never handed out either. */
#define IOVA_NO_PFN (~0ULL)

struct iova_allocator;

struct iova_allocator_config {
	struct platform *platform; /* for memory, locks, time */
	u8 granule_lg2;
	u64 start_pfn; /* lowest that may be handed out, at least 1 */
	u64 last_pfn;  /* highest that may be */
	void *context; /* of the table */
};

struct iova_allocator_ops {
	size_t size; /* sizeof(struct iova_allocator_ops) */
	const char *name;
	void *context; /* passed on in the config */

	/* NULL: no memory. */
	struct iova_allocator *(*create)(const struct iova_allocator_config *config);
	/* Ranges still allocated are forgotten. */
	void (*destroy)(struct iova_allocator *allocator);

	/*
	 * `pages` >= 1, at or below limit_pfn (which may be above last_pfn), aligned to the power
	 * of two not below `pages`. IOVA_NO_PFN when there is no such range or no memory for its
	 * record.
	 */
	u64 (*alloc)(struct iova_allocator *allocator, u64 pages, u64 limit_pfn);
	/*
	 * Takes back exactly one allocation. Needs no memory. A range it does not know is ignored.
	 */
	void (*free)(struct iova_allocator *allocator, u64 pfn, u64 pages);
	/*
	 * Keeps [first_pfn, last_pfn] from being handed out, for good; ranges may overlap, and may
	 * lie below start_pfn or above last_pfn, in part or as a whole. 0 or -ENOMEM. Called before
	 * the first allocation.
	 */
	int (*reserve)(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn);
};

DMASIM_BEGIN_DECLS

/* Highest fit first, in a sorted tree of ranges: plain and right, linear in the ranges it skips. */
DMASIM_API const struct iova_allocator_ops *dmasim_iova_topdown(void);

DMASIM_END_DECLS

#endif
