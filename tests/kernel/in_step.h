/* SPDX-License-Identifier: MIT */
/*
 * Two subjects that are to do the same: random operations on both, and after each the same answer
 * and the same state. A run has one seed; the first operation that differs ends it.
 */
#ifndef KERNEL_IN_STEP_H
#define KERNEL_IN_STEP_H

#include "unit/os/iova_subject.h"

#include "property/dice.h"

#define LIVE_MAX      20000
#define PREDECESSORS  16 /* operations that are told before the one that differs */
#define STEP_TEXT_MAX 256

/* What runs of a workload have in common; each run draws the rest by its seed. */
struct workload {
	u32 steps;		/* of a run */
	u32 live_max;		/* ranges that are live at a time; at most LIVE_MAX */
	u32 fast_percent;	/* of allocations: through the caches */
	u32 unaligned_percent;	/* of the others */
	u32 odd_limit_percent;	/* limits that are not the run's own: 32, 33, 48 bits, any */
	u32 reserve_permille;	/* of operations; as many ranges are reserved at the start */
	u32 find_permille;	/* of operations */
	u32 pass_permille;	/* of operations: up to 300 ms pass, and delayed work runs */
	u32 misfree_permille;	/* of operations: frees by an inner page, and of nothing */
	u32 narrow_percent;	/* of runs: the space is small, and often full */
	bool odd_sizes;		/* up to 64 pages, and now and then any number of them */
	bool impossible_limits; /* 0, ~0, and below the size */
};

enum step_kind {
	STEP_ALLOC,
	STEP_FREE,
	STEP_FAST_ALLOC,
	STEP_FAST_FREE,
	STEP_RESERVE,
	STEP_FIND,
	STEP_PASS
};

struct step {
	enum step_kind kind;
	u32 cpu;
	u32 align_lg2; /* of STEP_ALLOC */
	bool flush;
	u64 pfn; /* or a limit, or nanoseconds */
	u64 pages;
	u64 answer; /* of the first subject: a pfn, or 1 for yes */
};

struct live {
	u64 pfn, pages;
	bool fast;
};

struct in_step {
	struct iova_subject one, two;
	const struct workload *workload;
	struct dice dice;
	u32 cpus;
	u32 granule_lg2;
	u64 boundary; /* pages below 4 GiB */
	u64 first_pfn, last_pfn;
	u32 size_lg2_max; /* of most sizes, in this run */
	/* In this stretch of the run: */
	u32 grow_percent;
	u32 usual_lg2; /* of sizes */
	u32 usual_cpu;
	u32 live_count;
	struct live live[LIVE_MAX];

	/* What was done, the last PREDECESSORS + 1 of it, and how it came out. */
	u64 step_count;
	struct step done[PREDECESSORS + 1];
	char different[STEP_TEXT_MAX];		 /* empty: nothing was */
	u64 placed, refused, most_cached, trims; /* trims: times that delayed work freed ranges */
};

/* For two subjects that have their ops. */
void in_step_init(struct in_step *run, const struct iova_subject_ops *one,
		  const struct iova_subject_ops *two);
/* Returns whether all was the same; run->different has what was not. */
bool in_step_run(struct in_step *run, const struct workload *workload, u64 seed);
/* One operation on both. False: they differ. */
bool in_step_do(struct in_step *run, const struct step *step);
/* The last operations, the one that differs last, on stderr. */
void in_step_explain(const struct in_step *run);
void in_step_fini(struct in_step *run);

#endif
