/* SPDX-License-Identifier: MIT */
#include "check/cached_pages.h"

#include "check/cached_inside.h"

/* ---- Records ---------------------------------------------------------- */

static void drop(struct cached *cached, struct cached_pages *pages)
{
	interval_remove(&pages->domain->rows.records, &pages->at);
	if (pages->apart)
		check_pool_put(&cached->moments, pages->apart);
	check_pool_put(&cached->pages, pages);
}

/* Those used last stay, so that pages that come and go do not make and drop it. */
static void set_near(struct cached *cached, struct cached_domain *domain,
		     struct cached_pages *pages)
{
	struct cached_pages **near = &domain->rows.near[cached_pages_slot(pages->at.start)];
	struct cached_pages *old = *near;

	*near = pages;
	if (old && old != pages && !(old->holding | old->ended))
		drop(cached, old);
}

static struct cached_pages *record_new(struct cached *cached, struct cached_domain *domain,
				       u64 address)
{
	struct cached_pages *pages = check_pool_get(&cached->pages);

	if (!pages)
		return NULL;
	pages->at.start = address & ~(CACHED_PAGES_BYTES - 1);
	pages->at.last = pages->at.start + (CACHED_PAGES_BYTES - 1);
	pages->domain = domain;
	pages->holding = pages->ended = 0;
	pages->apart = NULL;
	pages->round = 0;
	pages->memory_first = ~0ULL;
	pages->memory_last = 0;
	interval_insert(&domain->rows.records, &pages->at);
	return pages;
}

static struct cached_pages *record_get(struct cached *cached, struct cached_domain *domain,
				       u64 address)
{
	struct cached_pages *pages = domain->rows.near[cached_pages_slot(address)];

	if (DMASIM_LIKELY(cached_pages_are(pages, address)))
		return pages;
	pages = cached_pages_first(&domain->rows, address, address);
	if (!pages)
		pages = record_new(cached, domain, address);
	if (pages)
		set_near(cached, domain, pages);
	return pages;
}

static void tidy(struct cached *cached, struct cached_pages *pages)
{
	if (pages->holding | pages->ended)
		return;
	pages->memory_first = ~0ULL;
	pages->memory_last = 0;
	if (DMASIM_UNLIKELY(pages != pages->domain->rows.near[cached_pages_slot(pages->at.start)]))
		drop(cached, pages);
}

/* The first of some pages, which is taken out of them. */
static u32 take_first(u64 *of)
{
	u32 page = (u32)__builtin_ctzll(*of);

	*of &= *of - 1;
	return page;
}

struct cached_pages *cached_pages_make_room(struct cached *cached, struct cached_domain *domain,
					    u64 start)
{
	struct cached_pages *pages = record_get(cached, domain, start);

	if (pages && DMASIM_UNLIKELY(pages->ended & cached_pages_bit(start)))
		cached_pages_spread(cached, domain, start, start);
	return pages;
}

static inline u32 count_of(u64 which)
{
	return DMASIM_LIKELY(!(which & (which - 1))) ? which != 0
						     : (u32)__builtin_popcountll(which);
}

bool cached_pages_search_holding(const struct cached_rows *rows, u64 start, u64 last)
{
	struct cached_pages *pages = cached_pages_first(rows, start, last);

	for (; pages; pages = cached_pages_next(rows, pages, start, last)) {
		if (pages->holding & cached_pages_mask(pages, start, last))
			return true;
	}
	return false;
}

/* ---- Beginning -------------------------------------------------------- */

static void set_moments(struct check_moment *moments, u64 which, struct check_moment when)
{
	while (which)
		moments[take_first(&which)] = when;
}

/* Room for what anybody can tell apart; NULL: no memory, and the checker is blind. */
static struct cached_moments *moments_of(struct cached *cached, struct cached_pages *pages)
{
	if (!pages->apart)
		pages->apart = check_pool_get(&cached->moments);
	return pages->apart;
}

/* Some come to those of `known`, which all have one moment unless they are apart already. */
static void set_apart(struct check_moment *moments, bool *apart, u64 known, struct check_moment at,
		      u64 which, struct check_moment now)
{
	if (!*apart)
		set_moments(moments, known, at);
	*apart = true;
	set_moments(moments, which, now);
}

void cached_pages_begin_apart(struct cached *cached, struct cached_pages *pages, u64 which,
			      struct check_moment now)
{
	struct cached_moments *apart = moments_of(cached, pages);

	if (apart)
		set_apart(apart->since, &pages->begun_apart, pages->holding | pages->ended,
			  pages->begun_at, which, now);
}

static void end_apart(struct cached *cached, struct cached_pages *pages, u64 which,
		      struct check_moment now)
{
	struct cached_moments *apart = moments_of(cached, pages);

	if (apart)
		set_apart(apart->until, &pages->ended_apart, pages->ended, pages->ended_at, which,
			  now);
}

/* ---- Ending ----------------------------------------------------------- */

static struct check_moment since(const struct cached_pages *pages, u32 page)
{
	return pages->begun_apart ? pages->apart->since[page] : pages->begun_at;
}

static struct check_moment until(const struct cached_pages *pages, u32 page)
{
	return pages->ended_apart ? pages->apart->until[page] : pages->ended_at;
}

/* Most pages of a record that end do so together. */
static void note_end(struct cached *cached, struct cached_pages *pages, u64 which,
		     struct check_moment now)
{
	if (DMASIM_LIKELY(!pages->ended)) {
		LIST_INSERT_HEAD(&cached->pages_ended, pages, any_ended);
		pages->ended_apart = false;
		pages->ended_at = now;
	} else if (pages->ended_apart || !check_is_same(&cached->clock, pages->ended_at, now)) {
		end_apart(cached, pages, which, now);
	}
}

DMASIM_HOT void cached_pages_end_some(struct cached *cached, struct cached_pages *pages, u64 which,
				      struct check_moment now)
{
	which &= pages->holding;
	if (DMASIM_UNLIKELY(!which))
		return;
	note_end(cached, pages, which, now);
	pages->holding &= ~which;
	pages->ended |= which;
	cached->windows.open += count_of(which);
}

DMASIM_HOT void cached_pages_end(struct cached *cached, struct cached_domain *domain, u64 start,
				 u64 last, struct check_moment now)
{
	struct cached_pages *pages = cached_pages_first(&domain->rows, start, last);

	for (; pages; pages = cached_pages_next(&domain->rows, pages, start, last))
		cached_pages_end_some(cached, pages, cached_pages_mask(pages, start, last), now);
}

static u64 confirmed(const struct cached *cached, const struct cached_pages *pages)
{
	return pages->round == cached->round ? pages->confirmed : 0;
}

void cached_pages_end_unconfirmed(struct cached *cached, struct cached_domain *domain, u64 start,
				  u64 last, struct check_moment now)
{
	struct cached_pages *pages = cached_pages_first(&domain->rows, start, last);

	for (; pages; pages = cached_pages_next(&domain->rows, pages, start, last))
		cached_pages_end_some(
			cached, pages,
			cached_pages_mask(pages, start, last) & ~confirmed(cached, pages), now);
}

bool cached_pages_confirm(struct cached *cached, const struct cached_domain *domain, u64 start,
			  u64 says)
{
	struct cached_pages *pages = cached_pages_first(&domain->rows, start, start);

	if (!cached_pages_holds(pages, start) || !cached_pages_says(pages, start, says))
		return false;
	pages->confirmed = confirmed(cached, pages) | cached_pages_bit(start);
	pages->round = cached->round;
	return true;
}

/* ---- Covering --------------------------------------------------------- */

/* `which` are `count` pages. */
static void remove_ended(struct cached *cached, struct cached_pages *pages, u64 which, u32 count)
{
	if (DMASIM_UNLIKELY(!count))
		return;
	cached->windows.open -= count;
	pages->domain->rows.pages -= count;
	pages->ended &= ~which;
	if (!pages->ended)
		LIST_REMOVE(pages, any_ended);
}

/* Those of some pages, which ended apart, that had ended before. */
static u64 ended_before(struct cached *cached, const struct cached_pages *pages, u64 which,
			struct check_moment submitted)
{
	u64 before = 0;

	while (which) {
		u32 page = take_first(&which);

		if (!check_before(pages->apart->until[page], submitted))
			continue;
		cached_note_windows(cached, pages->apart->until[page], 1);
		before |= 1ULL << page;
	}
	return before;
}

static DMASIM_ALWAYS_INLINE void cover(struct cached *cached, struct cached_pages *pages, u64 which,
				       struct check_moment submitted)
{
	u32 count;

	which &= pages->ended;
	if (DMASIM_UNLIKELY(pages->ended_apart)) {
		which = ended_before(cached, pages, which, submitted);
		count = count_of(which);
	} else {
		count = check_before(pages->ended_at, submitted) ? count_of(which) : 0;
		if (DMASIM_LIKELY(count != 0))
			cached_note_windows(cached, pages->ended_at, count);
	}
	remove_ended(cached, pages, which, count);
	tidy(cached, pages);
}

static DMASIM_NOINLINE void cover_each(struct cached *cached, struct cached_domain *domain,
				       u64 start, u64 last, struct check_moment submitted)
{
	struct cached_pages *pages = cached_pages_first(&domain->rows, start, last);

	while (pages) {
		struct cached_pages *next = cached_pages_next(&domain->rows, pages, start, last);

		cover(cached, pages, cached_pages_mask(pages, start, last), submitted);
		pages = next;
	}
}

DMASIM_HOT void cached_pages_cover(struct cached *cached, struct cached_domain *domain,
				   const struct cached_command *command)
{
	u64 start = command->what.start, last = command->what.last;
	struct cached_pages *near = cached_pages_near(&domain->rows, start, last);

	if (DMASIM_LIKELY(near != NULL))
		cover(cached, near, cached_pages_within(start, last), command->submitted);
	else
		cover_each(cached, domain, start, last, command->submitted);
}

/* ---- Spreading -------------------------------------------------------- */

static void spread_page(struct cached *cached, struct cached_pages *pages, u32 page)
{
	struct cached_leaf *leaf = cached_leaf_new(cached);
	u64 bit = 1ULL << page;
	bool holds = pages->holding & bit;

	if (leaf) {
		*leaf = (struct cached_leaf){
			.at.start = pages->at.start + ((u64)page << CACHED_PAGE_LG2),
			.domain = pages->domain,
			.phys = pages->says[page] & ~CACHED_PAGE_LAST,
			.page_lg2 = CACHED_PAGE_LG2,
			.read = pages->says[page] & CACHED_PAGE_READ,
			.write = pages->says[page] & CACHED_PAGE_WRITE,
			.since = since(pages, page),
			.until = holds ? CHECK_NEVER : until(pages, page),
			.round = cached->round,
			.confirmed = confirmed(cached, pages) & bit,
		};
		leaf->at.last = leaf->at.start | CACHED_PAGE_LAST;
		leaf->next = leaf->at.start;
	}
	pages->holding &= ~bit;
	if (holds)
		pages->domain->rows.pages--;
	else
		remove_ended(cached, pages, bit, 1);
	if (leaf)
		cached_leaf_put(cached, leaf);
}

static void spread(struct cached *cached, struct cached_pages *pages, u64 which)
{
	while (which)
		spread_page(cached, pages, take_first(&which));
	tidy(cached, pages);
}

void cached_pages_spread(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	struct cached_pages *pages = cached_pages_first(&domain->rows, start, last);

	while (pages) {
		struct cached_pages *next = cached_pages_next(&domain->rows, pages, start, last);

		spread(cached, pages,
		       (pages->holding | pages->ended) & cached_pages_mask(pages, start, last));
		pages = next;
	}
}

void cached_pages_spread_ended(struct cached *cached, struct cached_domain *domain, u64 start,
			       u64 last)
{
	struct cached_pages *pages = cached_pages_first(&domain->rows, start, last);

	while (pages) {
		struct cached_pages *next = cached_pages_next(&domain->rows, pages, start, last);

		spread(cached, pages, pages->ended & cached_pages_mask(pages, start, last));
		pages = next;
	}
}

void cached_pages_spread_reaching(struct cached *cached, phys_addr_t start, phys_addr_t last)
{
	struct cached_pages *pages = LIST_FIRST(&cached->pages_ended);

	while (pages) {
		struct cached_pages *next = LIST_NEXT(pages, any_ended);
		u64 ended = pages->memory_first <= last && pages->memory_last >= start
				    ? pages->ended
				    : 0;
		u64 which = 0;

		while (ended) {
			u32 page = take_first(&ended);
			u64 says = pages->says[page];

			if ((says & ~CACHED_PAGE_LAST) <= last &&
			    (says | CACHED_PAGE_LAST) >= start)
				which |= 1ULL << page;
		}
		if (which)
			spread(cached, pages, which);
		pages = next;
	}
}
