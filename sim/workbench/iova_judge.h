/* SPDX-License-Identifier: MIT */
/*
 * An allocator beside the model: every call is made on both, and what the allocator answers is
 * judged by include/dmasim/iova.h and by the traits of its table.
 */
#ifndef WORKBENCH_IOVA_JUDGE_H
#define WORKBENCH_IOVA_JUDGE_H

#include <stdio.h>

#include "workbench/iova_model.h"
#include "workbench/iova_world.h"

/* Calls of other CPUs that one may meet. */
#define IOVA_JUDGE_MEETS 64

/* What was freed, or reserved, since no call was on. */
struct iova_meeting {
	struct iova_span span[IOVA_JUDGE_MEETS];
	u32 count;
};

struct iova_judge {
	const struct iova_allocator_ops *ops;
	struct iova_world *world;
	struct iova_allocator *allocator;
	struct iova_model model;
	char wrong[256];	/* the first thing that was wrong; "": nothing yet */
	bool cached;		/* something may lie in caches */
	bool failed_since_free; /* ... that the space itself has seen */
	u64 calls;
	u32 running; /* calls that have begun and not ended */
	struct iova_meeting freed;
	struct iova_meeting reserved;
	u64 full;  /* allocations that failed, and nothing fits */
	u64 early; /* ... although something fits, as the traits allow */
	u64 short_of_memory;
	FILE *log; /* NULL, or where each call is written when it has returned, a line for each */
};

/*
 * Creates the allocator; the world's CPUs are its CPUs. False: it could not be created, which
 * is judged. iova_judge_end() follows in both cases.
 */
bool iova_judge_begin(struct iova_judge *judge, const struct iova_allocator_ops *ops,
		      struct iova_world *world, const struct iova_allocator_config *space);
void iova_judge_end(struct iova_judge *judge);

/*
 * The calls, judged. Memory that was refused on purpose excuses a failure; a call made by a hook of
 * the world while another one runs is another CPU's.
 */
u64 iova_judge_alloc(struct iova_judge *judge, u64 pages, u64 limit_pfn, u32 how);
/* Frees live range number `index`. */
void iova_judge_free(struct iova_judge *judge, u32 index);
int iova_judge_reserve(struct iova_judge *judge, u64 first_pfn, u64 last_pfn);

/* next and stats agree with what is known, if the table has them. */
void iova_judge_tells(struct iova_judge *judge);
/* Frees all; then the largest gap can be had again. */
void iova_judge_drain(struct iova_judge *judge);

/* Says what was wrong, unless something was before. */
void iova_judge_wrong(struct iova_judge *judge, const char *format, ...) DMASIM_PRINTF(2, 3);

#endif
