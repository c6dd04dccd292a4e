/* SPDX-License-Identifier: MIT */
/*
 * An allocator that does what a test says: it hands out pages where the test placed them, tells of
 * the ranges that the test wrote down, and counts its calls.
 */
#ifndef WORKBENCH_PLACED_H
#define WORKBENCH_PLACED_H

#include <dmasim/iova.h>

#define PLACED_MAX 64

struct placed {
	u64 pfn[PLACED_MAX]; /* what the allocations give, in order; IOVA_NO_PFN fails */
	struct iova_range range[PLACED_MAX]; /* what next tells, ascending */
	u32 range_count;

	/* What was seen. */
	u64 allocations;
	u64 frees;
	u64 reserves;
	u64 limit;     /* of the last allocation */
	u64 last_pfn;  /* of the space */
	u32 cpus_seen; /* bits */
	u32 live;      /* allocators */
};

/* The context of the table is the struct; without next it tells nothing. */
struct iova_allocator_ops placed_ops(struct placed *placed, bool with_next);

#endif
