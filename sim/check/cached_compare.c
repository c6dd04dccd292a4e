/* SPDX-License-Identifier: MIT */
/*
 * The tables held against the set: which pages a walk finds, and which it no longer does; of
 * tables: cached_compare_tables.c.
 *
 * A walk tells what it finds in order. It is told in stretches of like pages, which confirm the
 * leaves that hold, or are new. Whatever no walk of this round confirms has ended. A stretch that
 * only a later walk of the round confirms, after a gap in an earlier one, may end and begin anew:
 * that says the same.
 */
#include "check/cached_comparison.h"

static bool same(const struct stretch *a, const struct stretch *b)
{
	return a->page_lg2 == b->page_lg2 && a->read == b->read && a->write == b->write &&
	       a->absent == b->absent && a->accessed == b->accessed && a->dirty == b->dirty &&
	       a->phys - a->start == b->phys - b->start;
}

static bool is_of(const struct cached_leaf *leaf, const struct stretch *stretch)
{
	return leaf->page_lg2 == stretch->page_lg2 && leaf->read == stretch->read &&
	       leaf->write == stretch->write && leaf->absent == stretch->absent &&
	       leaf->accessed == stretch->accessed && leaf->dirty == stretch->dirty &&
	       leaf->phys - leaf->at.start == stretch->phys - stretch->start;
}

/* A leaf of the set that has what was found, and has held since now. */
static struct cached_leaf of_stretch(const struct comparison *comparison,
				     const struct stretch *stretch)
{
	return (struct cached_leaf){
		.at = { .start = stretch->start, .last = stretch->last },
		.domain = comparison->domain,
		.phys = stretch->phys,
		.page_lg2 = stretch->page_lg2,
		.read = stretch->read,
		.write = stretch->write,
		.accessed = stretch->accessed,
		.dirty = stretch->dirty,
		.absent = stretch->absent,
		.since = comparison->now,
		.until = CHECK_NEVER,
		.round = comparison->cached->round,
		.confirmed = true,
	};
}

/* ---- Pages ------------------------------------------------------------ */

static u64 lower(u64 a, u64 b)
{
	return a < b ? a : b;
}

static u64 higher(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* [from, to] of a leaf is still so. What comes before it and was not confirmed has ended. */
static void confirm(struct comparison *comparison, struct cached_leaf *leaf, u64 from, u64 to)
{
	if (leaf->round != comparison->cached->round) {
		leaf->round = comparison->cached->round;
		leaf->next = higher(leaf->at.start, comparison->start);
		leaf->confirmed = false;
	}
	if (leaf->confirmed)
		return;
	if (from > leaf->next)
		cached_leaf_end(comparison->cached, leaf, leaf->next, from - 1, comparison->now);
	if (to >= lower(leaf->at.last, comparison->last))
		leaf->confirmed = true;
	else if (to >= leaf->next)
		leaf->next = to + 1;
}

void comparison_add_absent(struct comparison *comparison, u64 start, u64 last, u8 page_lg2)
{
	struct cached_leaf *absent;

	if (DMASIM_LIKELY(!comparison->mapped) || !comparison->new_tables)
		return;
	absent = cached_leaf_new(comparison->cached);
	if (!absent)
		return;
	*absent = of_stretch(comparison, &(struct stretch){ .start = start,
							    .last = last,
							    .phys = start,
							    .page_lg2 = page_lg2,
							    .absent = true });
	absent->until = comparison->now;
	cached_leaf_put(comparison->cached, absent);
}

static void add(struct comparison *comparison, u64 from, u64 to)
{
	const struct stretch *run = &comparison->run;
	struct cached_leaf *leaf = cached_leaf_new(comparison->cached);

	if (!leaf)
		return;
	*leaf = of_stretch(comparison, run);
	leaf->at.start = from;
	leaf->at.last = to;
	leaf->phys += from - run->start;
	cached_leaf_put(comparison->cached, leaf);
	if (DMASIM_UNLIKELY(comparison->mapped) && !run->absent)
		comparison_add_absent(comparison, from, to, run->page_lg2);
}

/* The stretch is complete: it confirms what the set has of it, the rest is new. */
static void end_run(struct comparison *comparison)
{
	const struct stretch *run = &comparison->run;
	struct interval_tree *leaves = &comparison->domain->leaves;
	u64 next = run->start;
	bool others = false;
	struct interval *at;

	if (!comparison->running)
		return;
	comparison->running = false;
	/* What is there of pages is something else, and older. */
	cached_pages_spread(comparison->cached, comparison->domain, run->start, run->last);
	for (at = interval_first(leaves, run->start, run->last); at;
	     at = interval_next(leaves, at, run->start, run->last)) {
		struct cached_leaf *leaf = (struct cached_leaf *)at;

		others |= cached_holds(leaf);
		if (!cached_holds(leaf) || !is_of(leaf, run))
			continue;
		confirm(comparison, leaf, higher(leaf->at.start, run->start), run->last);
		if (leaf->at.start > next)
			add(comparison, next, leaf->at.start - 1);
		if (leaf->at.last >= run->last)
			return;
		next = leaf->at.last + 1;
	}
	if (next == run->start)
		comparison->alone = run->start <= comparison->start &&
				    run->last >= comparison->last && !others;
	add(comparison, next, run->last);
}

static bool continues(const struct comparison *comparison, const struct stretch *stretch)
{
	const struct stretch *run = &comparison->run;

	return comparison->running && run->last != ~0ULL && run->last + 1 == stretch->start &&
	       same(run, stretch);
}

/* What was found goes by a command that no wait has confirmed, with the table that leads there. */
static bool goes(const struct comparison *comparison, const struct stretch *stretch)
{
	struct cached_leaf leaf;

	if (DMASIM_LIKELY(!comparison->way))
		return false;
	leaf = of_stretch(comparison, stretch);
	return cached_goes_with(comparison->cached, comparison->way, &leaf, NULL);
}

/* True if the set has it as a page, and it holds: that is confirmed. */
static bool is_known_page(const struct comparison *comparison, const struct stretch *stretch)
{
	u64 says = stretch->phys | (stretch->read ? CACHED_PAGE_READ : 0) |
		   (stretch->write ? CACHED_PAGE_WRITE : 0);

	return stretch->page_lg2 == CACHED_PAGE_LG2 &&
	       stretch->last - stretch->start == CACHED_PAGE_LAST && !stretch->absent &&
	       !stretch->accessed && !stretch->dirty &&
	       cached_pages_confirm(comparison->cached, comparison->domain, stretch->start, says);
}

static void found_stretch(struct comparison *comparison, const struct stretch *stretch)
{
	bool known;

	if (goes(comparison, stretch))
		return;
	comparison->found_first = lower(comparison->found_first, stretch->start);
	comparison->found_last = higher(comparison->found_last, stretch->last);
	known = is_known_page(comparison, stretch);
	if (!known && continues(comparison, stretch)) {
		comparison->run.last = stretch->last;
		return;
	}
	end_run(comparison);
	comparison->run = *stretch;
	comparison->running = !known;
}

/* Whether it goes with a table is another question for each page. */
static void found_pages(struct comparison *comparison, const struct stretch *stretch, u64 less_1)
{
	struct stretch page = *stretch;

	for (;;) {
		page.last = page.start + less_1;
		found_stretch(comparison, &page);
		if (page.last == stretch->last)
			return;
		page.start += less_1 + 1;
		page.phys += less_1 + 1;
	}
}

static void found_leaf(void *cookie, const struct hw_leaf *found)
{
	struct comparison *comparison = cookie;
	u64 iova = comparison->base + found->iova;
	u64 less_1 = (1ULL << found->page_lg2) - 1;
	struct stretch stretch = {
		/* Of a page that several entries hold any of them lets all of it be cached. */
		.start = iova & ~less_1,
		.last = (iova + (found->bytes - 1)) | less_1,
		.page_lg2 = found->page_lg2,
		.read = found->read && comparison->read,
		.write = found->write && comparison->write,
		.accessed = found->accessed,
		.dirty = found->dirty,
		.absent = found->absent && (comparison->read || comparison->write),
	};

	if (!stretch.read && !stretch.write && !stretch.absent)
		return;
	stretch.phys = stretch.absent ? stretch.start : found->phys - (iova & less_1);
	if (DMASIM_LIKELY(!comparison->way))
		found_stretch(comparison, &stretch);
	else
		found_pages(comparison, &stretch, less_1);
}

static void end_unconfirmed_leaves(struct comparison *comparison)
{
	struct interval_tree *leaves = &comparison->domain->leaves;
	u64 start = comparison->start, last = comparison->last;
	struct interval *at = NULL;

	cached_pages_end_unconfirmed(comparison->cached, comparison->domain, start, last,
				     comparison->now);
	if (comparison->domain->holding && !comparison->alone)
		at = interval_first(leaves, start, last);
	while (at) {
		struct cached_leaf *leaf = (struct cached_leaf *)at;
		u64 from = higher(at->start, start), to = lower(at->last, last);

		at = interval_next(leaves, at, start, last);
		if (!cached_holds(leaf))
			continue;
		if (leaf->round != comparison->cached->round)
			leaf->next = from;
		else if (leaf->confirmed || leaf->next > to)
			continue;
		cached_leaf_end(comparison->cached, leaf, leaf->next, to, comparison->now);
	}
}

/* ---- One round -------------------------------------------------------- */

static void walk_from_top(struct comparison *comparison, const struct cached_source *source)
{
	comparison->way = NULL;
	comparison->base = 0;
	comparison->read = source->read;
	comparison->write = source->write;
	hw_walk_range(comparison->domain->iommu, source->root, source->levels, comparison->start,
		      comparison->last, found_leaf, comparison_found_table, comparison);
	end_run(comparison);
}

static void walk_from(struct comparison *comparison, const struct cached_table *table)
{
	u64 start = higher(comparison->start, table->at.start);
	u64 last = lower(comparison->last, table->at.last);
	u8 levels = table->levels | cached_below_top(comparison->domain);

	comparison->base = table->at.start;
	comparison->read = table->read;
	comparison->write = table->write;
	hw_walk_range(comparison->domain->iommu, table->phys, levels, start - table->at.start,
		      last - table->at.start, found_leaf, comparison_found_table, comparison);
	end_run(comparison);
}

/* From the last table of the way, which is all that may have changed. */
static void walk_the_way(struct comparison *comparison, struct cached_way *way)
{
	const struct stretch *run = &comparison->run;

	comparison->near_count = 0;
	comparison->run.page_lg2 = 0;
	walk_from(comparison, way->table);
	if (run->page_lg2 == INTERVAL_PAGE_LG2 && !run->absent && !run->accessed && !run->dirty)
		cached_way_learn(comparison->domain, way, run->start, run->read, run->write);
}

static void keep_way(struct comparison *comparison)
{
	struct cached_domain *domain = comparison->domain;
	const struct cached_source *source = SLIST_FIRST(&domain->sources);

	if (source && !SLIST_NEXT(source, link) && !domain->ended_tables &&
	    comparison->found_count <= CACHED_WAY_MAX)
		cached_way_keep(comparison->cached, domain, comparison->found,
				comparison->found_count, comparison->start, comparison->last);
}

static void walk_all(struct comparison *comparison)
{
	struct cached_domain *domain = comparison->domain;
	struct cached_way *way = cached_way_of(domain, comparison->start);
	const struct cached_source *source;
	struct interval *at = NULL;

	comparison->cached->round++;
	comparison->alone = false;
	if (cached_way_holds(domain, way, comparison->start, comparison->last)) {
		walk_the_way(comparison, way);
		return;
	}
	comparison->found_count = 0;
	comparison_find_near_tables(comparison);
	SLIST_FOREACH(source, &domain->sources, link)
		walk_from_top(comparison, source);
	if (domain->ended_tables)
		at = interval_first(&domain->tables, comparison->start, comparison->last);
	for (; at; at = interval_next(&domain->tables, at, comparison->start, comparison->last)) {
		const struct cached_table *table = (const struct cached_table *)at;

		/* No entry leads to it any more, but a walk cache may. */
		if (check_happened(table->until)) {
			comparison->way = table;
			walk_from(comparison, table);
		}
	}
	keep_way(comparison);
}

/* To the ends of the pages in the set that an address lies in. */
static void widen_to_pages(struct comparison *comparison, u64 address)
{
	struct interval_tree *leaves = &comparison->domain->leaves;
	struct interval *at;

	if (cached_pages_hold(&comparison->domain->rows, address, address)) {
		comparison->start = lower(comparison->start, address & ~CACHED_PAGE_LAST);
		comparison->last = higher(comparison->last, address | CACHED_PAGE_LAST);
	}
	for (at = interval_first(leaves, address, address); at;
	     at = interval_next(leaves, at, address, address)) {
		const struct cached_leaf *leaf = (const struct cached_leaf *)at;

		if (!cached_holds(leaf))
			continue;
		comparison->start = lower(comparison->start, cached_page_start(leaf, address));
		comparison->last = higher(comparison->last, cached_page_last(leaf, address));
	}
}

static void widen(struct comparison *comparison)
{
	u64 start, last;

	if (!comparison->domain->large)
		return;
	do {
		start = comparison->start;
		last = comparison->last;
		widen_to_pages(comparison, start);
		widen_to_pages(comparison, last);
	} while (start != comparison->start || last != comparison->last);
}

static void compare_tables(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
			   struct check_moment now, bool mapped)
{
	struct cached_table *near[COMPARISON_NEAR_MAX];
	struct comparison comparison;

	/* Of a page of which only a part is compared, another part may hold on. */
	if (start & CACHED_PAGE_LAST)
		cached_pages_spread(cached, domain, start, start);
	if (~last & CACHED_PAGE_LAST)
		cached_pages_spread(cached, domain, last, last);
	comparison.cached = cached;
	comparison.domain = domain;
	comparison.now = now;
	comparison.mapped = mapped && cached_has_absents(domain);
	comparison.new_tables = false;
	comparison.way = NULL;
	comparison.known = NULL;
	comparison.running = false;
	comparison.near = near;
	comparison.found_first = start;
	comparison.found_last = last;
	/* A large page that is found may have taken the place of more than was asked for. */
	do {
		comparison.start = comparison.found_first;
		comparison.last = comparison.found_last;
		widen(&comparison);
		comparison.found_first = comparison.start;
		comparison.found_last = comparison.last;
		walk_all(&comparison);
	} while (comparison.found_first < comparison.start ||
		 comparison.found_last > comparison.last ||
		 (comparison.near_count && comparison_end_unconfirmed_tables(&comparison)));
	end_unconfirmed_leaves(&comparison);
}

void cached_compare(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
		    struct check_moment now, bool mapped)
{
	if (cached_way_compare(cached, domain, start, last, now))
		return;
	cached_way_find(cached, domain, start, last);
	if (!cached_way_compare(cached, domain, start, last, now))
		compare_tables(cached, domain, start, last, now, mapped);
}
