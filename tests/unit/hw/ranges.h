/* SPDX-License-Identifier: MIT */
/*
 * Walks over random ranges of random tables, held against walks of single addresses: both must find
 * the same. The tables are a format's; a few entries of each are in use.
 */
#ifndef UNIT_HW_RANGES_H
#define UNIT_HW_RANGES_H

#include "rig.h"

#define RANGES_PLACES 5

struct ranges {
	const u64 *place;    /* the entries of each table that are in use */
	bool repeat_highest; /* addresses repeat their highest bit above */
	/* All of rig->tables from found->first to found->last, into rig->found. */
	void (*walk_range)(struct rig *rig, hw_walk_table *table);
	struct hw_walk (*walk)(const struct rig *rig, u64 iova, bool write);
	/* What else is the same of a page, and of a table, that both have found. */
	void (*expect_leaf)(const struct hw_leaf *leaf, const struct hw_walk *walk);
	void (*expect_table)(const struct hw_table *table, const struct hw_walk_start *step);
};

u64 ranges_draw(const struct rig *rig, u64 bound);

/* A few ranges of the tables that stand in rig->tables. Adds what leaves it found in each half. */
void ranges_try(struct rig *rig, const struct ranges *ranges, u64 leaves[2]);

#endif
