/* SPDX-License-Identifier: MIT */
/*
 * Small worlds: spaces of a few pages, explored breadth first from the empty one until no new state
 * appears. In each state every operation is tried, judged, and tried without memory.
 */
#ifndef WORKBENCH_CONFORM_SMALL_H
#define WORKBENCH_CONFORM_SMALL_H

#include "workbench/conform.h"

#define SMALL_SIZES    8
#define SMALL_LIMITS   8
#define SMALL_RESERVES 4

struct small_range {
	u8 first, last;
};

struct small_world {
	const char *name;
	u8 start, last;
	u8 granule_lg2;
	u8 cpus;
	bool cache;		 /* allocations through the caches, too */
	bool long_only;		 /* at a scale of 100 % */
	u8 sizes[SMALL_SIZES];	 /* 0: no more */
	u8 limits[SMALL_LIMITS]; /* the same */
	u8 reserved_count;	 /* so many of `reserve` at the beginning; */
	u8 reserve_count;	 /* the others are operations */
	struct small_range reserve[SMALL_RESERVES];
};

struct small_counts {
	u64 states;
	u64 transitions;
	bool stopped; /* there were too many states */
};

/* NULL: there is no world with this number. */
const struct small_world *small_world(u32 index);

/* False: c->reason says what is wrong, and gives the shortest list of calls that leads to it. */
bool small_explore(struct conform *c, const struct small_world *world, struct small_counts *counts);

#endif
