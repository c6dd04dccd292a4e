/* SPDX-License-Identifier: MIT */
/*
 * What the files of the set share.
 */
#ifndef CHECK_CACHED_INSIDE_H
#define CHECK_CACHED_INSIDE_H

#include "check/cached.h"

/* Zeroed memory for a record; NULL: none, and the checker is blind. */
DMASIM_COLD void *cached_record(struct cached *cached, size_t bytes);

/* The page that an address lies in; its last address. */
static inline u64 cached_page_start(const struct cached_leaf *leaf, u64 address)
{
	return address & ~((1ULL << leaf->page_lg2) - 1);
}

static inline u64 cached_page_last(const struct cached_leaf *leaf, u64 address)
{
	return address | ((1ULL << leaf->page_lg2) - 1);
}

static inline bool cached_holds(const struct cached_leaf *leaf)
{
	return !check_happened(leaf->until);
}

/* True if something of [start, last] holds. */
bool cached_any_leaf_holds(const struct cached_domain *domain, u64 start, u64 last);
static inline bool cached_any_holds(const struct cached_domain *domain, u64 start, u64 last)
{
	return DMASIM_UNLIKELY(cached_pages_hold(&domain->rows, start, last)) ||
	       (DMASIM_UNLIKELY(domain->holding) && cached_any_leaf_holds(domain, start, last));
}

/* A record of a leaf, to be filled in whole; NULL: no memory, and the checker is blind. */
static inline struct cached_leaf *cached_leaf_new(struct cached *cached)
{
	return check_pool_get(&cached->leaves);
}

static inline void cached_leaf_free(struct cached *cached, struct cached_leaf *leaf)
{
	check_pool_put(&cached->leaves, leaf);
}

/* So many stretches that were over at that moment are covered. */
static inline void cached_note_windows(struct cached *cached, struct check_moment until, u64 count)
{
	struct cached_windows *windows = &cached->windows;
	u64 ns = cached->world->clock.now_ns - until.ns;

	windows->count += count;
	windows->total_ns += count * ns;
	if (DMASIM_UNLIKELY(ns > windows->longest_ns))
		windows->longest_ns = ns;
}

/* Puts a leaf into the set. */
void cached_leaf_put(struct cached *cached, struct cached_leaf *leaf);

/* [from, to] of a leaf of the set has ended. */
void cached_leaf_end(struct cached *cached, struct cached_leaf *leaf, u64 from, u64 to,
		     struct check_moment when);

/*
 * Takes [from, to] of a leaf out of the set. What lies beside it stays: the part above in this
 * record, if there is one. NULL: no memory, and all stays.
 */
struct cached_leaf *cached_leaf_take(struct cached *cached, struct cached_leaf *leaf, u64 from,
				     u64 to);

/* Takes all of a leaf out of the set. */
void cached_leaf_remove(struct cached *cached, struct cached_leaf *leaf);

/* The same of one that has ended and is not among the leaves of its domain any more. */
void cached_leaf_forget_ended(struct cached *cached, struct cached_leaf *leaf);

/* Takes out the pages of a leaf that [start, last], which touches it, has a part of. */
static inline struct cached_leaf *cached_pages_take(struct cached *cached, struct cached_leaf *leaf,
						    u64 start, u64 last)
{
	u64 from, to;

	if (DMASIM_LIKELY(start <= leaf->at.start && last >= leaf->at.last)) {
		cached_leaf_remove(cached, leaf);
		return leaf;
	}
	from = start > leaf->at.start ? cached_page_start(leaf, start) : leaf->at.start;
	to = last < leaf->at.last ? cached_page_last(leaf, last) : leaf->at.last;

	return cached_leaf_take(cached, leaf, from, to);
}

void cached_table_drop(struct cached *cached, struct cached_table *table);

/* The tops that contexts which may be cached lead to. True: they are others than before. */
bool cached_find_sources(struct cached *cached, struct cached_domain *domain);

/*
 * True if a command that no wait has confirmed drops this table, which is only cached (`way`), and
 * the leaf, or the other table, that was found through it: so the two are over together, whenever
 * it is executed. One of leaf and table is NULL.
 */
bool cached_goes_with(struct cached *cached, const struct cached_table *way,
		      const struct cached_leaf *leaf, const struct cached_table *table);

struct cached_unit *cached_unit_search(struct cached *cached, struct hw_iommu *iommu);

/* The record of a unit; NULL: no memory, and the checker is blind. */
static inline struct cached_unit *cached_unit_get(struct cached *cached, struct hw_iommu *iommu)
{
	struct cached_unit *first = SLIST_FIRST(&cached->units);

	if (DMASIM_LIKELY(first && first->iommu == iommu))
		return first;
	return cached_unit_search(cached, iommu);
}

void cached_units_fini(struct cached *cached);

/* Out of the ring, to where it waits for its confirmation. False: no memory. */
DMASIM_COLD bool cached_pending_move_aside(struct cached *cached, struct cached_unit *unit,
					   struct cached_pending *pending);

/* The record of a new command, the unit's latest, in no list yet; NULL: no memory. */
static inline struct cached_pending *cached_pending_new(struct cached *cached,
							struct cached_unit *unit)
{
	struct cached_pending *pending = cached_unit_place(unit, unit->commands + 1);

	/* Mostly a wait has confirmed long ago what was there. */
	if (DMASIM_UNLIKELY(pending->listed) && !cached_pending_move_aside(cached, unit, pending))
		return NULL;
	unit->commands++;
	return pending;
}

DMASIM_COLD void cached_pending_free(struct cached *cached, struct cached_pending *pending);

/* It is in no list any more. */
static inline void cached_pending_end(struct cached *cached, struct cached_pending *pending)
{
	pending->listed = false;
	if (DMASIM_UNLIKELY(pending->aside))
		cached_pending_free(cached, pending);
}

/*
 * Compares the tables with the set, for [start, last] and the rest of pages that reach into it:
 * what is new there holds since `now`, what is gone has ended then. `mapped`: see cached_mapped().
 */
void cached_compare(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
		    struct check_moment now, bool mapped);

#endif
