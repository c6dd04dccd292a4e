/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite from within: what a check is, and what checks share. The list is in
 * conform.c; the checks are in files by their subject.
 */
#ifndef WORKBENCH_CONFORM_H
#define WORKBENCH_CONFORM_H

#include <dmasim/workbench.h>

#include "workbench/iova_judge.h"

/* The small spaces that are used up page by page have pfns below this. */
#define CONFORM_SPACE 256

/* Beyond any space: no limit. */
#define CONFORM_NO_LIMIT (~0ULL)

struct conform {
	const struct iova_allocator_ops *ops;
	struct dmasim_iova_conform_options options; /* without defaults to be filled in */
	struct iova_world *world;		    /* this check's own */
	struct iova_allocator *allocator;	    /* of conform_start() */
	u64 start_pfn;
	u64 last_pfn;
	u64 seed; /* runs what failed again */
	char reason[4096];
	char note[256];
};

typedef bool (*conform_check)(struct conform *c);

/* Says why the check fails. Returns false. */
bool conform_wrong(struct conform *c, const char *format, ...) DMASIM_PRINTF(2, 3);
/*
 * The same, with the space and the calls that a judge's log has, the last ones if there are many.
 * Frees the log.
 */
bool conform_wrong_after(struct conform *c, const char *what, const char *where,
			 const struct iova_allocator_config *space, char *log);
/* Something to know, though nothing is wrong. */
void conform_note(struct conform *c, const char *format, ...) DMASIM_PRINTF(2, 3);

/* A new allocator for [start_pfn, last_pfn]; the one before is destroyed. */
bool conform_start(struct conform *c, u64 start_pfn, u64 last_pfn);
void conform_end(struct conform *c);
bool conform_has(const struct conform *c, enum iova_trait trait);
/* The table's max_pfn, or last_pfn if that is lower. */
u64 conform_last(const struct conform *c, u64 last_pfn);
/* Many: this share of them. At least 1. */
u32 conform_scaled(const struct conform *c, u64 full);

/* On the allocator of conform_start(); a limit beyond the space is the end of the space. */
u64 conform_alloc(struct conform *c, u64 pages, u64 limit_pfn, u32 how);
void conform_free(struct conform *c, u64 pfn, u64 pages, u32 how);
int conform_reserve(struct conform *c, u64 first_pfn, u64 last_pfn);
/* Takes single pages until it fails; got[pfn] for each, up to CONFORM_SPACE of them. */
u32 conform_take_all(struct conform *c, bool got[CONFORM_SPACE]);

/* conform_place.c */
bool conform_check_start(struct conform *c);
bool conform_check_limit(struct conform *c);
bool conform_check_aligned(struct conform *c);
bool conform_check_apart(struct conform *c);
bool conform_check_whole(struct conform *c);
bool conform_check_refuses(struct conform *c);
bool conform_check_highest(struct conform *c);

/* conform_reserve.c */
bool conform_check_reserved(struct conform *c);
bool conform_check_reserved_late(struct conform *c);

/* conform_free.c */
bool conform_check_found_again(struct conform *c);
bool conform_check_caches(struct conform *c);
bool conform_check_domains(struct conform *c);
bool conform_check_tells(struct conform *c);

/* conform_memory.c */
bool conform_check_leaves_nothing(struct conform *c);
bool conform_check_steady(struct conform *c);
bool conform_check_free_takes_none(struct conform *c);
bool conform_check_no_memory(struct conform *c);

/* conform_small.c */
bool conform_check_small_worlds(struct conform *c);

/* conform_random.c */
bool conform_check_random(struct conform *c);
bool conform_check_cpus(struct conform *c);

#endif
