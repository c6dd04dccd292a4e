/* SPDX-License-Identifier: MIT */
/*
 * Allocators that are wrong on purpose: one of ours, with one flaw put in between.
 */
#ifndef UNIT_IOVA_FLAWED_H
#define UNIT_IOVA_FLAWED_H

#include <dmasim/iova.h>

enum flaw {
	FLAW_NONE,
	FLAW_PFN_0,	     /* the space begins at 0 */
	FLAW_LIMIT,	     /* the limit is ignored */
	FLAW_LIMIT_BY_ONE,   /* the limit is taken for the first page beyond it, twice wrongly */
	FLAW_ALIGNMENT,	     /* half of it is enough */
	FLAW_TWICE,	     /* now and then the same range again */
	FLAW_LAST_PAGE,	     /* the last page is never used */
	FLAW_SECOND_BEST,    /* promises the highest place, and takes another one at times */
	FLAW_HUGE,	     /* sizes are taken modulo 2^32 */
	FLAW_RESERVE,	     /* every second reservation is forgotten */
	FLAW_RESERVE_LATE,   /* reservations are forgotten once something was allocated */
	FLAW_LOST,	     /* every 11th free is forgotten */
	FLAW_ROUNDS,	     /* sizes are rounded up, though no cache was allowed */
	FLAW_HIDDEN,	     /* what is freed with IOVA_CACHE is forgotten */
	FLAW_NEXT,	     /* next leaves single pages out */
	FLAW_STATS,	     /* stats counts one too many */
	FLAW_ONE_FOR_ALL,    /* a second allocator is the first one */
	FLAW_LEAK,	     /* destroy leaves memory */
	FLAW_TIMER,	     /* destroy leaves a timer */
	FLAW_GROWS,	     /* every call takes some memory, until the end */
	FLAW_FREE_ALLOCATES, /* free takes memory for a moment */
	FLAW_NO_WAY_BACK,    /* without memory, alloc fails and keeps the range */
	FLAW_RARE,	     /* three pages after a failure overlap */
	FLAW_LATE,	     /* the same range again, after two thousand calls */
	FLAW_RACE,	     /* a cache of one page that is looked at before its lock is taken */
	FLAW_COUNT,
};

struct flawed {
	struct iova_allocator_ops ops; /* the table to be judged */
	const struct iova_allocator_ops *base;
	enum flaw flaw;
	struct iova_allocator *only; /* FLAW_ONE_FOR_ALL */
	u32 users;
};

/* The flawed allocator must stay where it is while it is used. */
void flawed_init(struct flawed *flawed, const struct iova_allocator_ops *base, enum flaw flaw);

#endif
