/* SPDX-License-Identifier: MIT */
/*
 * The machine's allocator. All memory of a machine, on both sides, comes from here: the one place
 * where allocations fail on purpose and where leaks are counted. Destroying it releases what is
 * left, so a machine never leaks to its process.
 */
#ifndef WORLD_MEMORY_H
#define WORLD_MEMORY_H

#include <dmasim/fault.h>

struct memory_block;

/* Which passes of which point fail. */
struct memory_plan {
	enum dmasim_fault_point point; /* DMASIM_FAULT_ANY: the passes of all points together */
	u64 nth;		       /* from 1, counted from when the plan was made; 0: never */
};

struct memory {
	u64 passes[DMASIM_FAULT_COUNT + 1]; /* last: all points together */
	u64 live[DMASIM_FAULT_COUNT];	    /* allocations not freed */
	u64 hits;			    /* times an allocation failed on purpose */
	struct memory_plan plan;
	u64 plan_base; /* passes of the plan's point when it was made */
	struct memory_block *blocks;
};

void memory_init(struct memory *memory);
void memory_fini(struct memory *memory);

/* Replaces the plan; counting starts now. */
void memory_fail(struct memory *memory, struct memory_plan plan);

/*
 * Counts a pass of the point. True: the caller must behave as if what it wants could not be had.
 * For resources that are not host memory; memory_alloc() asks by itself.
 */
bool memory_fails(struct memory *memory, enum dmasim_fault_point point);

/* Zeroed memory, or NULL. bytes is at least 1. */
void *memory_alloc(struct memory *memory, enum dmasim_fault_point point, size_t bytes);

/* NULL is nothing. */
void memory_free(struct memory *memory, void *at);

#endif
