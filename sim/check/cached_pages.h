/* SPDX-License-Identifier: MIT */
/*
 * Pages of 4 KiB in the set, 64 to a record.
 *
 * Most of what may be cached are pages that were mapped one by one, and of which nothing is to be
 * said but their address and what they allow. A record of a leaf for each would be large, and the
 * set spends most of its time on them. So they are rows of a table, by page number, and a bit says
 * whether a page holds or has ended. Whatever is more than that is a leaf: what cannot be said here
 * is said by spreading the pages out into leaves, and they stay so.
 *
 * One address has one page here: the latest that came to the set for it.
 */
#ifndef CHECK_CACHED_PAGES_H
#define CHECK_CACHED_PAGES_H

#include <bsd/sys/queue.h>

#include "check/interval.h"
#include "check/moment.h"

#define CACHED_PAGES	   64
#define CACHED_NEAR	   8 /* records that are found at once */
#define CACHED_PAGE_LG2	   12
#define CACHED_PAGE_LAST   ((1ULL << CACHED_PAGE_LG2) - 1)
#define CACHED_PAGES_BYTES ((u64)CACHED_PAGES << CACHED_PAGE_LG2)

/* What a page says: its memory, and what it allows. */
#define CACHED_PAGE_READ  1ULL
#define CACHED_PAGE_WRITE 2ULL

struct cached;
struct cached_command;
struct cached_domain;

/* Moments of the pages of a record by themselves: of few records anybody can tell them apart. */
struct cached_moments {
	struct check_moment since[CACHED_PAGES];
	struct check_moment until[CACHED_PAGES];
};

struct cached_pages {
	struct interval at; /* addresses; first member */
	struct cached_domain *domain;
	u64 holding; /* a bit for each page */
	u64 ended;
	u64 confirmed; /* by the comparison of this round */
	u64 round;
	LIST_ENTRY(cached_pages) any_ended; /* of the set, if any has */
	phys_addr_t memory_first;	    /* what they translate to is all in here */
	phys_addr_t memory_last;
	bool ended_apart;	      /* not all that have ended did so at once, */
	struct check_moment ended_at; /* then */
	bool begun_apart;	      /* nor have all begun at once, */
	struct check_moment begun_at; /* then: as far as anybody can tell */
	struct cached_moments *apart; /* of those that have; NULL: there never were any */
	u64 says[CACHED_PAGES];
};

/* The records of a domain. */
struct cached_rows {
	struct interval_tree records;
	struct cached_pages *near[CACHED_NEAR]; /* used last, by address; they may be empty */
	u64 pages;				/* in all of them */
};

static inline u32 cached_pages_index(u64 address)
{
	return (u32)(address >> CACHED_PAGE_LG2) % CACHED_PAGES;
}

static inline u64 cached_pages_bit(u64 address)
{
	return 1ULL << cached_pages_index(address);
}

static inline u32 cached_pages_slot(u64 address)
{
	return address / CACHED_PAGES_BYTES % CACHED_NEAR;
}

/* True if an address is one of the record's. */
static inline bool cached_pages_are(const struct cached_pages *pages, u64 address)
{
	return DMASIM_LIKELY(pages != NULL) &&
	       DMASIM_LIKELY(address - pages->at.start < CACHED_PAGES_BYTES);
}

/* The pages of a record that [start, last], which touches it, has a part of. */
static inline u64 cached_pages_mask(const struct cached_pages *pages, u64 start, u64 last)
{
	u64 mask = ~0ULL;

	if (start > pages->at.start)
		mask &= -cached_pages_bit(start);
	if (last < pages->at.last)
		mask &= cached_pages_bit(last) * 2 - 1;
	return mask;
}

/* The records that have a part of [start, last], in order; NULL: no more. */
static inline struct cached_pages *cached_pages_first(const struct cached_rows *rows, u64 start,
						      u64 last)
{
	struct cached_pages *near = rows->near[cached_pages_slot(start)];

	if (DMASIM_LIKELY(cached_pages_are(near, start)))
		return near;
	return rows->pages ? (struct cached_pages *)interval_first(&rows->records, start, last)
			   : NULL;
}

static inline struct cached_pages *cached_pages_next(const struct cached_rows *rows,
						     struct cached_pages *pages, u64 start,
						     u64 last)
{
	if (DMASIM_LIKELY(pages->at.last >= last))
		return NULL;
	return (struct cached_pages *)interval_next(&rows->records, &pages->at, start, last);
}

/* One of those used last, with all of [start, last]; NULL: there is none. */
static inline struct cached_pages *cached_pages_near(const struct cached_rows *rows, u64 start,
						     u64 last)
{
	struct cached_pages *near = rows->near[cached_pages_slot(start)];

	return DMASIM_LIKELY(cached_pages_are(near, start)) && DMASIM_LIKELY(last <= near->at.last)
		       ? near
		       : NULL;
}

/* The pages of such a record that are in [start, last]. */
static inline u64 cached_pages_within(u64 start, u64 last)
{
	return ~0ULL << cached_pages_index(start) &
	       ~0ULL >> (CACHED_PAGES - 1 - cached_pages_index(last));
}

/* True if any page of [start, last] holds; holds, or has ended. */
bool cached_pages_search_holding(const struct cached_rows *rows, u64 start, u64 last);
static inline bool cached_pages_hold(const struct cached_rows *rows, u64 start, u64 last)
{
	const struct cached_pages *near = cached_pages_near(rows, start, last);

	if (DMASIM_LIKELY(near != NULL))
		return near->holding & cached_pages_within(start, last);
	return cached_pages_search_holding(rows, start, last);
}

static inline bool cached_pages_any(const struct cached_rows *rows, u64 start, u64 last)
{
	struct cached_pages *pages = cached_pages_first(rows, start, last);

	for (; pages; pages = cached_pages_next(rows, pages, start, last)) {
		if ((pages->holding | pages->ended) & cached_pages_mask(pages, start, last))
			return true;
	}
	return false;
}

/* True if the page at `start` says this, and holds; of which that was asked before. */
static inline bool cached_pages_holds(const struct cached_pages *pages, u64 start)
{
	return pages && pages->holding & cached_pages_bit(start);
}

static inline bool cached_pages_says(const struct cached_pages *pages, u64 start, u64 says)
{
	return pages->says[cached_pages_index(start)] == says;
}

/*
 * A record for the page at `start`, where none holds. What has ended there is a leaf from now on.
 * NULL: no memory, and the checker is blind.
 */
struct cached_pages *cached_pages_make_room(struct cached *cached, struct cached_domain *domain,
					    u64 start);

/* Some of a record begin to hold. */
void cached_pages_begin_apart(struct cached *cached, struct cached_pages *pages, u64 which,
			      struct check_moment now);
static inline void cached_pages_begin(struct cached *cached, struct cached_pages *pages, u64 which,
				      const struct check_clock *clock, struct check_moment now)
{
	if (DMASIM_LIKELY(!(pages->holding | pages->ended))) {
		pages->begun_apart = false;
		pages->begun_at.order = now.order;
		pages->begun_at.ns = now.ns;
	} else if (DMASIM_UNLIKELY(pages->begun_apart) ||
		   DMASIM_UNLIKELY(!check_is_same(clock, pages->begun_at, now))) {
		cached_pages_begin_apart(cached, pages, which, now);
	}
	pages->holding |= which;
}

/* What one of them says. */
static inline void cached_pages_say(struct cached_pages *pages, u32 index, u64 says)
{
	pages->says[index] = says;
	if (says < pages->memory_first)
		pages->memory_first = says & ~CACHED_PAGE_LAST;
	if (says > pages->memory_last)
		pages->memory_last = says | CACHED_PAGE_LAST;
}

/* A page that holds is in the record where there is room for it. */
static inline void cached_pages_fill(struct cached *cached, struct cached_pages *pages,
				     struct cached_rows *rows, u64 start, u64 says,
				     const struct check_clock *clock, struct check_moment now)
{
	rows->pages++;
	cached_pages_begin(cached, pages, cached_pages_bit(start), clock, now);
	cached_pages_say(pages, cached_pages_index(start), says);
}

/* What holds of these pages of a record has ended. */
void cached_pages_end_some(struct cached *cached, struct cached_pages *pages, u64 which,
			   struct check_moment now);

/* What holds of [start, last] has ended; or what of that the comparison has not confirmed. */
void cached_pages_end(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
		      struct check_moment now);
void cached_pages_end_unconfirmed(struct cached *cached, struct cached_domain *domain, u64 start,
				  u64 last, struct check_moment now);

/* True if a page holds that says this: it is confirmed. */
bool cached_pages_confirm(struct cached *cached, const struct cached_domain *domain, u64 start,
			  u64 says);

/* A completed command takes out those of its window that had ended before it. */
void cached_pages_cover(struct cached *cached, struct cached_domain *domain,
			const struct cached_command *command);

/* The pages of [start, last] become leaves: all of them; or those that have ended. */
void cached_pages_spread(struct cached *cached, struct cached_domain *domain, u64 start, u64 last);
void cached_pages_spread_ended(struct cached *cached, struct cached_domain *domain, u64 start,
			       u64 last);

/* The same of all that have ended and translate to [start, last] of memory. */
void cached_pages_spread_reaching(struct cached *cached, phys_addr_t start, phys_addr_t last);

#endif
