/* SPDX-License-Identifier: MIT */
/*
 * A translation cache: sets of some ways, tagged by domain, page and page size.
 *
 * Which way is replaced is the hardware's choice: the least recently used one in a plain run, any
 * of the set in a run with random choices. Invalidating one page looks at one set for each page
 * size that is present, however many sets there are.
 */
#ifndef HW_IOTLB_H
#define HW_IOTLB_H

#include "world/world.h"

#define IOTLB_WAYS 4 /* if nothing else is said */

struct iotlb_entry {
	u64 page;	  /* iova >> page_lg2 */
	phys_addr_t phys; /* of the page */
	u64 used_at;
	u16 domain;
	u8 page_lg2;
	bool valid;
	bool read;
	bool write;
};

struct iotlb {
	struct world *world;
	struct iotlb_entry *entry; /* sets x ways */
	u32 sets;		   /* a power of two */
	u32 ways;
	u64 clock;
	u64 present;   /* a bit for each page size that has entries: absent ones cost no probe */
	u32 count[64]; /* valid entries by page size */
	u64 compared;  /* entries that invalidations have looked at */
};

/*
 * Ways, at least 1, times as many sets as entry_count needs: a power of two. One set of all entries
 * is fully associative. 0 or -ENOMEM.
 */
int iotlb_init(struct iotlb *iotlb, struct world *world, u32 entry_count, u32 ways);
void iotlb_fini(struct iotlb *iotlb);

/* NULL on a miss. Valid until the next call. Counts as a use. */
const struct iotlb_entry *iotlb_find(struct iotlb *iotlb, u16 domain, u64 iova);

/* Replaces what the set must give up. `entry` is complete but for used_at. */
void iotlb_fill(struct iotlb *iotlb, const struct iotlb_entry *entry);

/* Drops every translation of the domain that touches [start, last]. */
void iotlb_invalidate_range(struct iotlb *iotlb, u16 domain, u64 start, u64 last);
void iotlb_invalidate_domain(struct iotlb *iotlb, u16 domain);
void iotlb_invalidate_all(struct iotlb *iotlb);

#endif
