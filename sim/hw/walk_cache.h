/* SPDX-License-Identifier: MIT */
/*
 * A walk cache: for each level below the top one, the tables that walks have been sent to, tagged
 * by domain (iotlb_tag()) and by the upper bits of the IOVA, with what the entries above them
 * allow. A walk starts at the lowest table that is known, and reads nothing above it.
 */
#ifndef HW_WALK_CACHE_H
#define HW_WALK_CACHE_H

#include "hw/iotlb.h"
#include "hw/walker.h"

#define WALK_CACHE_LEVELS 5 /* of six all but the top */

struct walk_cache {
	u32 levels; /* 0: there is no cache */
	/* By level of the table that is known; an entry's page is what that table maps. */
	struct iotlb level[WALK_CACHE_LEVELS];
};

/*
 * For so many levels, from the lowest on, with entry_count each; 0: there is none. 0 or -ENOMEM.
 */
int walk_cache_init(struct walk_cache *cache, struct world *world, u32 levels, u32 entry_count);
void walk_cache_fini(struct walk_cache *cache);

/*
 * Moves the start of a walk down to the lowest table that is known and allows the access. The level
 * of that table, or WALK_CACHE_LEVELS: none is, the start stays.
 */
u32 walk_cache_find(struct walk_cache *cache, u64 tag, u64 iova, bool write,
		    struct hw_walk_start *start);

/* Keeps the tables that a walk was sent to, also one that ended in a fault. */
void walk_cache_fill(struct walk_cache *cache, u64 tag, u64 iova, const struct hw_walk *walk);

/* Drops every table of the tag that maps something of [start, last]. */
void walk_cache_invalidate_range(struct walk_cache *cache, u64 tag, u64 start, u64 last);
/* Whatever the PASID. */
void walk_cache_invalidate_domain(struct walk_cache *cache, u16 domain);
/* Those of both stages together, whatever the PASID. */
void walk_cache_invalidate_nested(struct walk_cache *cache, u16 domain);
void walk_cache_invalidate_all(struct walk_cache *cache);

#endif
