/* SPDX-License-Identifier: MIT */
/*
 * Rows: lists have their pages mapped one after the other, and of each is told.
 *
 * The first two are compared. Of those behind them, in the same last table, what their entries say
 * is noted, and they come to the set together: before anything else happens to it, or is asked.
 * That they came one by one is nowhere to be seen: no time passes between, and what a unit caches
 * meanwhile, or a device uses, is something that happens.
 */
#ifndef CHECK_CACHED_ROW_H
#define CHECK_CACHED_ROW_H

#include "check/cached_way.h"

/* The page before `next` was added to the set, by a way that holds. If it is the second: a row. */
static inline void cached_row_begin(struct cached *cached, struct cached_domain *domain, u64 next)
{
	struct cached_row *row = &cached->row;

	/* Where several units have a domain, each is compared. */
	if (DMASIM_UNLIKELY(row->next == next - CACHED_PAGE_LAST - 1) && row->domain == domain &&
	    cached_domain_first(cached, domain->domain) == domain && !cached_domain_next(domain)) {
		row->way = cached_way_of(domain, next - 1);
		row->last = row->way->last;
		row->id = domain->domain;
	}
	row->domain = domain;
	row->next = next;
}

/* There is a row. True if the page at `start`, which was mapped, is the next of it: it is noted. */
static inline bool cached_row_goes_on(struct cached *cached, u32 domain, u64 start)
{
	struct cached_row *row = &cached->row;
	const struct cached_way *way = row->way;

	if (row->next != start || row->id != domain || start > row->last || !start ||
	    way->dropped != way->ram->dropped || row->count == CACHED_ROW ||
	    !cached_way_is_usual(way, start, &row->says[row->count]))
		return false;
	row->count++;
	row->next = start + CACHED_PAGE_LAST + 1;
	return true;
}

/* The pages that were noted come to the set. */
void cached_row_add(struct cached *cached);

static inline void cached_row_end(struct cached *cached)
{
	cached->row.way = NULL;
	if (DMASIM_UNLIKELY(cached->row.count))
		cached_row_add(cached);
}

#endif
