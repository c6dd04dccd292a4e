/* SPDX-License-Identifier: MIT */
/*
 * Comparisons of what most calls change: entries of one last table, which is where it was.
 *
 * A comparison from the top finds the tables on the way, and whether the set has them. The ways to
 * the last tables of some are kept, with the entries that they read. While those say the
 * same, one top leads there and no table is only cached, every walk of a range that this table maps
 * goes that way, and finds the same tables: only its own entries need be compared. And an entry
 * that is like one which was read before, but for the address, says the same of another page.
 */
#ifndef CHECK_CACHED_WAY_H
#define CHECK_CACHED_WAY_H

#include <string.h>

#include "check/cached.h"

#define CACHED_WAY_LG2 21 /* bytes that a last table maps, as a rule */

/* A table that a walk found, and the entry that leads there. */
struct cached_step {
	const struct cached_table *table; /* NULL: the set has none, for lack of memory */
	phys_addr_t entry;
};

static inline struct cached_way *cached_way_of(struct cached_domain *domain, u64 address)
{
	return &domain->way[(address >> CACHED_WAY_LG2) & (domain->ways - 1)];
}

/* They may not be the only ones any more. */
static inline void cached_ways_forget(struct cached_domain *domain)
{
	domain->ways_age++;
}

static inline bool cached_way_is_kept(const struct cached_domain *domain,
				      const struct cached_way *way)
{
	return way->count && way->age == domain->ways_age;
}

void cached_ways_init(struct cached_domain *domain);
void cached_ways_fini(struct cached *cached, struct cached_domain *domain);

/* Keeps the way of a walk of [start, last] from the only top, if it is one to one last table. */
void cached_way_keep(struct cached *cached, struct cached_domain *domain,
		     const struct cached_step *step, u32 count, u64 start, u64 last);

/* Keeps the way to the table that all of [start, last] is in, if the set knows it. */
void cached_way_find(struct cached *cached, struct cached_domain *domain, u64 start, u64 last);

/* True if a walk of [start, last] would go the way that is kept. */
static inline bool cached_way_holds(const struct cached_domain *domain,
				    const struct cached_way *way, u64 start, u64 last)
{
	u64 word, differ = 0;

	if (!cached_way_is_kept(domain, way) || start < way->start || last > way->last ||
	    way->dropped != way->ram->dropped)
		return false;
	for (u32 i = 0; i < way->count; i++) {
		memcpy(&word, way->entry[i], sizeof(word));
		differ |= word ^ way->word[i];
	}
	return !differ;
}

/* A page of 4 KiB without marks was found at the end of the way, with these permissions. */
void cached_way_learn(struct cached_domain *domain, struct cached_way *way, u64 iova, bool read,
		      bool write);

/*
 * cached_way_compare() does the same as a comparison of [start, last] since `now`, where that is
 * simple: one page is there that is like others, or a run of them that is new, or nothing is.
 */

#endif
