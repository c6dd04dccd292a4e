/* SPDX-License-Identifier: MIT */
/*
 * What a walk over a range tells, collected and held against the range.
 */
#ifndef UNIT_HW_FOUND_H
#define UNIT_HW_FOUND_H

#include "support/expect.h"

#include "hw/walker.h"

#define FOUND_MAX 16384

struct found {
	u32 max;	 /* as many leaves, and tables, as there may be; at most FOUND_MAX */
	u64 first, last; /* the range */
	struct hw_leaf leaf[FOUND_MAX];
	u32 leaves;
	struct hw_table table[FOUND_MAX];
	u32 tables;
};

/* For the walk; the cookie is the struct found. Leaves come in order, and all touch the range. */
void found_leaf(void *cookie, const struct hw_leaf *leaf);
void found_table(void *cookie, const struct hw_table *table);

/* NULL: none has the address. */
const struct hw_leaf *found_leaf_at(const struct found *found, u64 iova);

/* The table that a single walk visited at this step must have been found, and for this address. */
const struct hw_table *found_step(const struct found *found, const struct hw_walk *walk, u8 step,
				  u64 iova);

#endif
