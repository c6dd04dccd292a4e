/* SPDX-License-Identifier: MIT */
/*
 * One comparison of tables with the set: of pages (cached_compare.c), and of the tables that lead
 * to them (cached_compare_tables.c).
 */
#ifndef CHECK_CACHED_COMPARISON_H
#define CHECK_CACHED_COMPARISON_H

#include "check/cached_inside.h"
#include "check/cached_way.h"

#define COMPARISON_NEAR_MAX 16 /* tables on the way to one address are a handful */

/* Like pages that a walk has found side by side. */
struct stretch {
	u64 start;
	u64 last;
	phys_addr_t phys;
	u8 page_lg2;
	bool read;
	bool write;
	bool accessed;
	bool dirty;
	bool absent;
};

struct comparison {
	struct cached *cached;
	struct cached_domain *domain;
	struct check_moment now;
	bool mapped;
	bool new_tables;
	u64 start;
	u64 last;
	u64 found_first; /* what pages were found reaches from here to found_last */
	u64 found_last;
	const struct cached_table *way; /* that this walk begins at, and is only cached; or NULL */
	u64 base;			/* of the table that this walk begins at */
	bool read;			/* what leads there allows */
	bool write;
	bool alone; /* all in the range is one stretch that is new */
	bool running;
	struct stretch run; /* the stretch found last: the next page may continue it */
	u32 near_count;	    /* tables of the set in the range; so many that fit: look there */
	struct cached_table **near;
	struct cached_table *known; /* the one of the set that was found last; NULL: none was */
	u32 found_count; /* tables that the walks have found; more than CACHED_WAY_MAX: too many */
	struct cached_step found[CACHED_WAY_MAX];
};

/* Between a new table and what is in it now, that was absent. */
void comparison_add_absent(struct comparison *comparison, u64 start, u64 last, u8 page_lg2);

/* Those of the set that a walk of the range should find. */
void comparison_find_near_tables(struct comparison *comparison);

/* What a walk tells of tables; the cookie is the comparison. */
void comparison_found_table(void *cookie, const struct hw_table *at);

/* True: any. What only they lead to does not end with them: they may be cached. */
bool comparison_end_unconfirmed_tables(struct comparison *comparison);

#endif
