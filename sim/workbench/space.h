/* SPDX-License-Identifier: MIT */
/*
 * The address space behind an allocator, seen from outside: stretches of pages of one kind, and how
 * broken the free ones are.
 *
 * The workload knows what is live and what was reserved. What the allocator says is not free (next
 * in its table) and is neither of these: behind a live range, up to where the allocator's ends, it
 * is rounding; else it lies in a cache. Without next, caches and rounding count as free.
 */
#ifndef WORKBENCH_SPACE_H
#define WORKBENCH_SPACE_H

#include "workbench/player.h"

enum space_kind {
	SPACE_FREE,
	SPACE_LIVE,
	SPACE_ROUNDING,
	SPACE_CACHED,
	SPACE_RESERVED,
	SPACE_KIND_COUNT,
};

/* Sizes of live ranges: 1, 2, 3-4, 5-8, 9-16, 17-32 pages, more. */
#define SPACE_CLASSES 7
#define SPACE_ORDERS  53

struct space_stretch {
	u64 first;
	u64 last;
	u8 kind;
	u8 class; /* of a live one */
};

struct space {
	struct space_stretch *stretch; /* ascending, without gaps, from start_pfn to last_pfn */
	size_t count;
	size_t room;
	bool told; /* the allocator has next */

	u64 pages[SPACE_KIND_COUNT];
	u64 ranges[SPACE_KIND_COUNT];
	u64 class_ranges[SPACE_CLASSES];

	/*
	 * Free stretches that are larger than all that is not free are open space; the others are
	 * holes.
	 */
	u64 open;
	u64 open_pages;
	u64 hole_count[SPACE_ORDERS]; /* of 2^order to 2^(order+1)-1 pages */
	u64 holes;
	u64 hole_pages;
	u64 hole_largest;
	/* Of hole_pages, what lies in aligned runs of 2^order. */
	u64 usable_pages[SPACE_ORDERS];
};

/* The space as it is now. False: no memory. */
bool space_init(struct space *space, struct player *player);
void space_fini(struct space *space);

u32 space_class(u64 pages);
/* log2, rounded down; pages is at least 1. */
u32 space_order(u64 pages);

#endif
