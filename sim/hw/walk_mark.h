/* SPDX-License-Identifier: MIT */
/*
 * Accessed and dirty bits: what hardware writes into the entries that a walk used.
 */
#ifndef HW_WALK_MARK_H
#define HW_WALK_MARK_H

#include "hw/walker.h"

struct hw;

/* The bits of a format, and whether the leaf becomes dirty. */
struct hw_marks {
	u64 accessed;
	u64 dirty;
	bool write;
};

struct hw_marked {
	bool lacked; /* an entry was without one of its bits */
	bool dirty;  /* the leaf is dirty, now or before */
};

/*
 * Looks at the entries of a walk that found a page, of tables of 512; with `hw` it sets what they
 * lack, by a read and a write of the entry, which caches of the CPU see.
 */
struct hw_marked hw_walk_mark(const struct hw_walker *walker, struct hw *hw,
			      const struct hw_walk *walk, u64 iova, const struct hw_marks *marks);

/* Writes a marked entry where it lies in memory; caches of the CPU see it. */
void hw_walk_mark_write(struct hw *hw, phys_addr_t at, u64 entry);

#endif
