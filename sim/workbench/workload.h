/* SPDX-License-Identifier: MIT */
/*
 * A workload: what an allocator is asked to do, one operation after the other, known before it
 * begins. So every allocator gets the same, and nothing but its own work happens while it is timed.
 *
 * A range is named by an id: alloc gives the id a range, free takes it back. An id whose allocation
 * failed has none, and its free is nothing. What is `timed` is what a benchmark measures; the rest
 * leads there.
 */
#ifndef WORKBENCH_WORKLOAD_H
#define WORKBENCH_WORKLOAD_H

#include <dmasim/iova-bench.h>

enum workload_type {
	WORKLOAD_ALLOC,
	WORKLOAD_RETRY, /* the same as alloc, if the alloc before it failed */
	WORKLOAD_FREE,
	WORKLOAD_RESERVE,
	WORKLOAD_FIND,
	WORKLOAD_ADVANCE,
	WORKLOAD_TYPE_COUNT,
};

struct workload_op {
	u64 limit; /* alloc, retry: highest pfn; reserve: last pfn; advance: nanoseconds */
	u64 pages; /* alloc, retry, free; reserve: first pfn */
	u32 id;
	u16 cpu;
	u8 how; /* alloc, retry, free: as in the table of dmasim/iova.h */
	u8 type : 7;
	u8 timed : 1;
};

/* What an id has at this place of the list. */
struct workload_id {
	u64 pages;
	u8 how;
	bool held;
};

#define WORKLOAD_IDS_MAX   (1U << 25)
#define WORKLOAD_CPUS_MAX  256U
/* Longer ranges are refused: sums of pages stay far from the end of u64. */
#define WORKLOAD_PAGES_MAX (1ULL << 52)

struct dmasim_iova_workload {
	/* As it was made, its defaults filled in; of a trace: what is known. */
	struct dmasim_iova_workload_config config;
	char name[32];
	u64 start_pfn;
	u64 last_pfn;
	u32 cpus;
	struct workload_op *op;
	size_t count;
	size_t room;
	struct workload_id *id;
	u32 id_count;
	u32 id_room;
	bool timing; /* what is added now is timed */
	bool no_memory;
};

/* An empty list. NULL: no memory. */
struct dmasim_iova_workload *workload_new(const char *name, u64 start_pfn, u64 last_pfn, u32 cpus);

/* Ranges that are live when the first timed operation comes. */
u64 workload_live(const struct dmasim_iova_workload *workload);

/* ---- Adding at the end: without memory it is noted in no_memory ------- */

void workload_add(struct dmasim_iova_workload *workload, const struct workload_op *op);
/* The id has nothing; it has `pages` then. */
void workload_alloc(struct dmasim_iova_workload *workload, u32 id, u64 pages, u64 limit, u32 how);
/* For the id of the operation before. */
void workload_retry(struct dmasim_iova_workload *workload, u64 limit, u32 how);
void workload_free(struct dmasim_iova_workload *workload, u32 id);
void workload_find(struct dmasim_iova_workload *workload, u32 id);
void workload_reserve(struct dmasim_iova_workload *workload, u64 first_pfn, u64 last_pfn);
/* The CPU of what was added last. */
void workload_on_cpu(struct dmasim_iova_workload *workload, u32 cpu);

/* NULL: no memory. Valid until the next call; ids up to the highest asked for exist. */
struct workload_id *workload_id(struct dmasim_iova_workload *workload, u32 id);

/* ---- Chance ----------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood 2014; constants of Stafford's mix 13). */
struct workload_dice {
	u64 state;
};

u64 workload_roll(struct workload_dice *dice);
/* In [0, bound); bound is at least 1 and far below 2^64. */
u64 workload_below(struct workload_dice *dice, u64 bound);

/* ---- Generators ------------------------------------------------------- */

/* How a workload is made: its own defaults are in. */
struct workload_plan {
	u64 live;
	u64 steps;
	u64 limit; /* highest pfn asked for */
	u32 cpus;
	u32 cache; /* IOVA_CACHE or 0 */
	struct workload_dice dice;
};

struct workload_kind {
	const char *name;
	const char *what; /* a line for --help */
	void (*build)(struct dmasim_iova_workload *workload, struct workload_plan *plan);
	u64 live; /* defaults, where the caller says 0 */
	u64 steps;
	u32 cpus_min;
	bool uncached; /* never asks a cache */
};

void workload_uniform(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_churn(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_mixed(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_ring(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_pair(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_ageing(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_full32(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_adversary(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_adversary_fit(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_walk(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_flush(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_windows(struct dmasim_iova_workload *workload, struct workload_plan *plan);
void workload_lookup(struct dmasim_iova_workload *workload, struct workload_plan *plan);

#endif
