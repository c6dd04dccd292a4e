/* SPDX-License-Identifier: MIT */
/*
 * Shapes of random runs over IOVA space: how large it is, what is asked for, what lies in it. Each
 * is drawn anew for every run. boundary: the page at 4 GiB.
 */
#ifndef UNIT_OS_IOVA_SHAPES_H
#define UNIT_OS_IOVA_SHAPES_H

#include <dmasim/types.h>

#include "property/dice.h"

#define SHAPE_LIVE_MAX 4000

struct shape {
	u64 first, last;  /* where most limits are */
	u32 pages_lg2;	  /* sizes are mostly below its power of two */
	u32 live_max;	  /* how many ranges there may be, about */
	u32 fast_percent; /* of allocations */
	u32 repairs;
	u32 steps, phase; /* of a run, and of one of its phases */
	u32 reserves;	  /* of a thousand steps */
	u32 reserve_lg2;  /* sizes of them are below */
	bool steep;	  /* phases of almost nothing but growth, or decay, of one size */
	bool misuse;	  /* frees what was never allocated, and twice, and by another size */
	bool timers;	  /* time passes, and nobody trims by hand */
	bool short_of_memory;
};

/* Small and often full; 1 to 400 pages that begin anywhere below 300. */
void shape_dense(struct dice *dice, u64 boundary, struct shape *shape);

/* The same around 4 GiB. */
void shape_around_4g(struct dice *dice, u64 boundary, struct shape *shape);

/* Either of them; and calls that nobody should make. */
void shape_misused(struct dice *dice, u64 boundary, struct shape *shape);

/* 32, 33 or 48 bits, or more, hardly filled; reserved ranges of every size. */
void shape_sparse(struct dice *dice, u64 boundary, struct shape *shape);

/* Thousands of small ranges, so that magazines go to the depot and come back. */
void shape_cached(struct dice *dice, u64 boundary, struct shape *shape);

/* Any of them; the rules say what happens without memory. */
void shape_short_of_memory(struct dice *dice, u64 boundary, struct shape *shape);

/* Any of them; single repairs or both. */
void shape_repaired(struct dice *dice, u64 boundary, struct shape *shape);

#endif
