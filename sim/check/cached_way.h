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
	return DMASIM_LIKELY(way->count) && DMASIM_LIKELY(way->age == domain->ways_age);
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

	if (DMASIM_UNLIKELY(!cached_way_is_kept(domain, way)) ||
	    DMASIM_UNLIKELY(start < way->start) || DMASIM_UNLIKELY(last > way->last) ||
	    DMASIM_UNLIKELY(way->dropped != way->ram->dropped))
		return false;
	for (u32 i = 0; i < way->count; i++) {
		memcpy(&word, way->entry[i], sizeof(word));
		differ |= word ^ way->word[i];
	}
	return !differ;
}

/* Where a page has its entry, in the last table; what an entry there says, and what that one. */
static inline const u8 *cached_way_place(const struct cached_way *way, u64 iova)
{
	return way->pages + ((iova - way->start) >> INTERVAL_PAGE_LG2) * sizeof(u64);
}

static inline u64 cached_way_read(const u8 *entry)
{
	u64 word;

	memcpy(&word, entry, sizeof(word));
	return le64toh(word);
}

static inline u64 cached_way_entry(const struct cached_way *way, u64 iova)
{
	return cached_way_read(cached_way_place(way, iova));
}

/* True if the entry is that of a page, and like others: *says is what rows have for it. */
static inline bool cached_way_is_usual(const struct cached_way *way, u64 iova, u64 *says)
{
	u64 word = cached_way_entry(way, iova);

	*says = (word & way->page_bits) << way->page_shift | way->allows;
	return DMASIM_LIKELY(word) && DMASIM_LIKELY((word & ~way->page_bits) == way->page_word);
}

/*
 * True if [start, last] is one page, of which the set knew nothing, and which is like others that
 * the tables have: the set has it now. False: nothing was done.
 */
static inline bool cached_way_add_page(struct cached *cached, struct cached_domain *domain,
				       u64 start, u64 last)
{
	struct cached_pages *pages = domain->rows.near[cached_pages_slot(start)];
	const struct cached_way *way = cached_way_of(domain, start);
	u64 says;

	if (DMASIM_UNLIKELY(start & CACHED_PAGE_LAST) ||
	    DMASIM_UNLIKELY(last - start != CACHED_PAGE_LAST) ||
	    DMASIM_UNLIKELY(domain->holding || domain->has_left) ||
	    DMASIM_UNLIKELY(!cached_pages_are(pages, start)) ||
	    DMASIM_UNLIKELY((pages->holding | pages->ended) & cached_pages_bit(start)) ||
	    DMASIM_UNLIKELY(!way->knows_page) ||
	    DMASIM_UNLIKELY(!cached_way_holds(domain, way, start, last)) ||
	    DMASIM_UNLIKELY(!cached_way_is_usual(way, start, &says)))
		return false;
	cached_pages_fill(cached, pages, &domain->rows, start, says, &cached->clock,
			  check_now(&cached->clock));
	return true;
}

/* The same where more may be known, of one whose entry said this. False: it is something else. */
bool cached_way_compare_page(struct cached *cached, struct cached_domain *domain, u64 start,
			     u64 says, struct check_moment now);

/*
 * True if [start, last] is one page that the tables had, as most that is unmapped is, and it has
 * ended now: nothing of it is left, and nothing else has to be asked. False: nothing was done.
 */
static inline bool cached_way_end_page(struct cached *cached, struct cached_domain *domain,
				       u64 start, u64 last)
{
	struct cached_pages *pages = domain->rows.near[cached_pages_slot(start)];
	const struct cached_way *way = cached_way_of(domain, start);

	/*
	 * No leaf holds that could reach into it; and the way of a unit that does not snoop is not
	 * kept.
	 */
	if (DMASIM_UNLIKELY(start & CACHED_PAGE_LAST) ||
	    DMASIM_UNLIKELY(last - start != CACHED_PAGE_LAST) || DMASIM_UNLIKELY(domain->holding) ||
	    DMASIM_UNLIKELY(!cached_pages_are(pages, start)) ||
	    DMASIM_UNLIKELY(!cached_pages_holds(pages, start)) || DMASIM_UNLIKELY(!way->is_plain) ||
	    DMASIM_UNLIKELY(!cached_way_holds(domain, way, start, last)) ||
	    DMASIM_UNLIKELY(cached_way_entry(way, start)))
		return false;
	cached_pages_end_some(cached, pages, cached_pages_bit(start), check_now(&cached->clock));
	return true;
}

/* A page of 4 KiB without marks was found at the end of the way, with these permissions. */
void cached_way_learn(struct cached_domain *domain, struct cached_way *way, u64 iova, bool read,
		      bool write);

/*
 * cached_way_compare() does the same as a comparison of [start, last] since `now`, where that is
 * simple: one page is there that is like others, or a run of them that is new, or nothing is.
 */

#endif
