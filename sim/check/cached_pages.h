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

#define CACHED_PAGES	 64
#define CACHED_PAGE_LG2	 12
#define CACHED_PAGE_LAST ((1ULL << CACHED_PAGE_LG2) - 1)

struct cached;
struct cached_command;
struct cached_domain;

struct cached_pages {
	struct interval at;		    /* addresses; first member */
	LIST_ENTRY(cached_pages) any_ended; /* of the set, if any has */
	struct cached_domain *domain;
	u64 holding; /* a bit for each page */
	u64 ended;
	u64 read; /* what it allows */
	u64 write;
	u64 confirmed; /* by the comparison of this */
	u64 round;
	phys_addr_t memory_first; /* what they translate to is all in here */
	phys_addr_t memory_last;
	phys_addr_t phys[CACHED_PAGES];
	struct check_moment since[CACHED_PAGES];
	struct check_moment until[CACHED_PAGES]; /* of those that have ended */
};

/* What a page is. */
struct cached_page {
	u64 start;
	phys_addr_t phys;
	bool read;
	bool write;
};

static inline u32 cached_pages_index(u64 address)
{
	return (u32)(address >> CACHED_PAGE_LG2) % CACHED_PAGES;
}

static inline u64 cached_pages_bit(u64 address)
{
	return 1ULL << cached_pages_index(address);
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
struct cached_pages *cached_pages_search(const struct cached_domain *domain, u64 start, u64 last);
struct cached_pages *cached_pages_next(const struct cached_domain *domain,
				       struct cached_pages *pages, u64 start, u64 last);

/* A page that is not there as one that holds. No memory: the checker is blind. */
void cached_pages_put(struct cached *cached, struct cached_domain *domain,
		      const struct cached_page *page, struct check_moment now);

/* True if a page that holds is this one. */
bool cached_pages_is(const struct cached_pages *pages, const struct cached_page *page);

/* True if any page of [start, last] holds; holds, or has ended. */
bool cached_pages_hold(const struct cached_domain *domain, u64 start, u64 last);
bool cached_pages_any(const struct cached_domain *domain, u64 start, u64 last);

/* What holds of [start, last] has ended; what the comparison has confirmed is spared. */
void cached_pages_end(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
		      struct check_moment now);
void cached_pages_end_unconfirmed(struct cached *cached, struct cached_domain *domain, u64 start,
				  u64 last, struct check_moment now);

/* True if this page holds: it is confirmed. */
bool cached_pages_confirm(struct cached *cached, const struct cached_domain *domain,
			  const struct cached_page *page);

/* A completed command takes out those of [start, last] that had ended before it. */
void cached_pages_cover(struct cached *cached, struct cached_domain *domain,
			const struct cached_command *command);

/* The pages of [start, last] become leaves: all of them; or those that have ended. */
void cached_pages_spread(struct cached *cached, struct cached_domain *domain, u64 start, u64 last);
void cached_pages_spread_ended(struct cached *cached, struct cached_domain *domain, u64 start,
			       u64 last);

/* The same of all that have ended and translate to [start, last] of memory. */
void cached_pages_spread_reaching(struct cached *cached, phys_addr_t start, phys_addr_t last);

#endif
