/* SPDX-License-Identifier: MIT */
/*
 * Measures allocators on one workload.
 *
 * The timed operations are cut into units: an allocation with the free that belongs to it, or one
 * allocation, reservation or search. Where they follow each other without end, they are divided
 * into blocks; the first part of each is timed as a whole (its time by its units: no clock in
 * between), the units of the rest one by one (for percentiles). Where something else comes between,
 * every unit is timed by itself.
 *
 * Every run begins with a new allocator and the same operations, and runs of all allocators take
 * turns, so that a slow minute of the host is slow for all. A unit's time is the least of its runs:
 * interruptions fall on another unit each time, what the allocator itself is slow at does not.
 */
#ifndef WORKBENCH_MEASURE_H
#define WORKBENCH_MEASURE_H

#include "workbench/player.h"
#include "workbench/ticks.h"

#define MEASURE_RUNS_MAX   9
#define MEASURE_BLOCKS_MAX 64

/* ---- What is timed ---------------------------------------------------- */

struct measure_unit {
	u32 first; /* operations [first, end) of the workload */
	u32 end;
};

/* One unit of the commonest kind: a range is freed, another allocated under its id. */
struct measure_swap {
	u32 id;
	u16 free_pages;
	u16 alloc_pages;
	u8 free_cpu;
	u8 alloc_cpu;
	u8 free_how;
	u8 alloc_how;
};

enum measure_shape {
	MEASURE_OPS,  /* whatever the list says */
	MEASURE_PAIR, /* the same range over and over: alloc, free */
	MEASURE_SWAP,
};

struct measure_plan {
	const struct dmasim_iova_workload *workload;
	struct measure_unit *unit;
	u32 unit_count;
	bool alone; /* every unit is timed by itself */
	enum measure_shape shape;
	struct measure_swap *swap; /* of each unit, for that shape */
	u64 limit;		   /* of all of them */
};

/* False: no memory. A workload without timed operations has no units. */
bool measure_plan_init(struct measure_plan *plan, const struct dmasim_iova_workload *workload);
void measure_plan_fini(struct measure_plan *plan);

/* Does the units [first, end) as fast as their shape allows. */
void measure_batch(const struct measure_plan *plan, struct player *player, u32 first, u32 end);

/* ---- What came out ---------------------------------------------------- */

struct measure_result {
	const struct iova_allocator_ops *ops;
	const char *unable; /* why there is nothing here; NULL: there is */
	u32 runs;
	u64 units;     /* that were timed, in one run */
	u64 median_ps; /* of one unit: the median of the runs' medians; 0 units: of single ones */
	u64 least_ps;  /* the least of the runs' medians */
	u64 samples;   /* units timed one by one; of these: */
	u64 p50_ps;
	u64 p99_ps;
	u64 p999_ps;
	u64 worst_ps;
	u64 live;	 /* ranges at the end */
	u64 empty_bytes; /* of the allocator before the first operation */
	u64 bytes;	 /* at the end, without these */
	u64 worst_live;	 /* where bytes for a live range were the most */
	u64 worst_bytes;
	u64 failed; /* allocations, and reservations, in one run */
};

struct measure_config {
	u32 runs;
	u64 timed_ms_max; /* of one run: then it ends early */
	u64 total_ms_max; /* of one allocator: then there are no more runs */
	u64 lead_ms_max;  /* of what leads to the timed part: then the allocator is left out */
};

/*
 * Measures `count` allocators by this clock; result[count] has what the loop costs, with an
 * allocator that does nothing. False: no memory.
 */
bool measure(const struct measure_config *config, const struct ticks *ticks,
	     const struct dmasim_iova_workload *workload,
	     const struct iova_allocator_ops *const *allocators, u32 count,
	     struct measure_result *result);

/* Alloc gives always the same, and nothing else does anything. */
const struct iova_allocator_ops *measure_nothing(void);

#endif
