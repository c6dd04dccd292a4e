/* SPDX-License-Identifier: MIT */
/*
 * What may be cached, held against what the tables say now.
 */
#include "check/cached_inside.h"

/* A stretch of a leaf being compared. */
struct judging {
	const struct cached_leaf *leaf;
	u64 next; /* first address not yet compared */
	u64 last;
	bool over;
	enum cached_harm harm;
};

static enum cached_harm harm_of(const struct cached_leaf *leaf, u64 at, const struct hw_leaf *now)
{
	if (now->phys + (at - now->iova) != leaf->phys + (at - leaf->at.start))
		return CACHED_OTHER;
	if ((leaf->read && !now->read) || (leaf->write && !now->write))
		return CACHED_PERMISSION;
	if (leaf->page_lg2 > now->page_lg2)
		return CACHED_LARGER;
	if (leaf->dirty && !now->dirty)
		return CACHED_DIRTY;
	return leaf->accessed && !now->accessed ? CACHED_ACCESSED : CACHED_HARMLESS;
}

static void judge_page(void *cookie, const struct hw_leaf *now)
{
	struct judging *judging = cookie;
	u64 last = now->iova + (now->bytes - 1);

	if (judging->over || last < judging->next || now->iova > judging->last)
		return;
	if (now->iova > judging->next || (!now->read && !now->write))
		judging->harm = CACHED_GONE;
	else
		judging->harm = harm_of(judging->leaf, judging->next, now);
	judging->over = judging->harm || last >= judging->last;
	if (!judging->over)
		judging->next = last + 1;
}

/* *from: the first address at which it does harm. */
static enum cached_harm judge(const struct cached_domain *domain, const struct cached_leaf *leaf,
			      u64 start, u64 last, u64 *from)
{
	struct judging judging = { .leaf = leaf, .next = start, .last = last };

	*from = start;
	if (cached_holds(leaf) && leaf->unmapped)
		return CACHED_GONE;
	hw_walk_range(domain->iommu, domain->root, domain->levels, start, last, judge_page, NULL,
		      &judging);
	*from = judging.next;
	return judging.over ? judging.harm : CACHED_GONE;
}

enum cached_harm cached_harm(const struct cached_domain *domain, const struct cached_leaf *leaf,
			     u64 start, u64 last)
{
	u64 from;

	return judge(domain, leaf, start, last, &from);
}

/* True if pages can hold that the tables which hold do not have. */
static bool other_ways(const struct cached_domain *domain)
{
	const struct cached_source *source = SLIST_FIRST(&domain->sources);

	return domain->ended_tables ||
	       (source && (SLIST_NEXT(source, link) || source->root != domain->root));
}

/* True if it may do harm. */
static bool is_suspect(const struct cached_domain *domain, const struct cached_leaf *leaf)
{
	return !cached_holds(leaf) || leaf->unmapped || other_ways(domain);
}

struct cached_leaf *cached_stale(struct cached *cached, struct cached_domain *domain, u64 start,
				 u64 last, enum cached_harm *harm, u64 *from, u64 *to)
{
	const struct interval_tree *leaves = &domain->leaves;
	struct interval *at;

	if (cached_any_holds(domain, start, last))
		cached_changed(cached, domain, start, last);
	if (other_ways(domain))
		cached_pages_spread(cached, domain, start, last);
	else
		cached_pages_spread_ended(cached, domain, start, last);
	for (at = interval_first(leaves, start, last); at;
	     at = interval_next(leaves, at, start, last)) {
		struct cached_leaf *leaf = (struct cached_leaf *)at;

		if (leaf->absent || leaf->told || !is_suspect(domain, leaf))
			continue;
		*to = at->last < last ? at->last : last;
		*harm = judge(domain, leaf, at->start > start ? at->start : start, *to, from);
		if (*harm)
			return leaf;
	}
	return NULL;
}

/* Whole pages are told: what is cached of one is one thing. */
static void tell(struct cached *cached, struct cached_leaf *leaf, u64 start, u64 last)
{
	leaf = cached_pages_take(cached, leaf, start, last);
	if (!leaf)
		return;
	leaf->told = true;
	cached_leaf_put(cached, leaf);
}

void cached_told(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	struct interval *at;

	cached_pages_spread(cached, domain, start, last);
	at = interval_first(&domain->leaves, start, last);
	while (at) {
		struct cached_leaf *leaf = (struct cached_leaf *)at;
		u64 from = at->start > start ? at->start : start;
		u64 to = at->last < last ? at->last : last;

		at = interval_next(&domain->leaves, at, start, last);
		/* What holds may go, and do harm, another time. */
		if (!leaf->absent && !leaf->told &&
		    (!cached_holds(leaf) || cached_harm(domain, leaf, from, to)))
			tell(cached, leaf, start, last);
	}
}

/* ---- Absent entries --------------------------------------------------- */

static void note_presence(void *cookie, const struct hw_leaf *leaf)
{
	bool *any = cookie;

	*any |= leaf->read || leaf->write;
}

static bool is_mapped(const struct cached_domain *domain, u64 start, u64 last)
{
	bool any = false;

	hw_walk_range(domain->iommu, domain->root, domain->levels, start, last, note_presence, NULL,
		      &any);
	return any;
}

bool cached_absent_take(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	struct interval *at;
	bool any = false;

	if (!cached_has_absents(domain))
		return false;
	cached_changed(cached, domain, start, last);
	at = interval_first(&domain->leaves, start, last);
	while (at) {
		struct cached_leaf *leaf = (struct cached_leaf *)at;
		u64 from = at->start > start ? at->start : start;
		u64 to = at->last < last ? at->last : last;

		at = interval_next(&domain->leaves, at, start, last);
		if (!leaf->absent || leaf->told || (cached_holds(leaf) && !other_ways(domain)) ||
		    !is_mapped(domain, from, to))
			continue;
		tell(cached, leaf, start, last);
		any = true;
	}
	return any;
}

/* ---- By memory -------------------------------------------------------- */

static struct cached_leaf *leaf_of(struct interval *by_phys)
{
	return (struct cached_leaf *)((char *)by_phys - offsetof(struct cached_leaf, by_phys));
}

/* Most leaves are covered before anybody asks. */
static void index_all(struct cached *cached)
{
	while (!LIST_EMPTY(&cached->unindexed)) {
		struct cached_leaf *leaf = LIST_FIRST(&cached->unindexed);

		LIST_REMOVE(leaf, unindexed);
		leaf->indexed = true;
		leaf->by_phys.start = leaf->phys;
		leaf->by_phys.last = leaf->phys + (leaf->at.last - leaf->at.start);
		interval_insert(&cached->ended_by_phys, &leaf->by_phys);
	}
}

struct cached_leaf *cached_reaching(struct cached *cached, phys_addr_t start, phys_addr_t last)
{
	struct interval *found;

	cached_pages_spread_reaching(cached, start, last);
	index_all(cached);
	found = interval_first(&cached->ended_by_phys, start, last);
	return found ? leaf_of(found) : NULL;
}

struct cached_leaf *cached_reaching_next(const struct cached *cached, struct cached_leaf *leaf,
					 phys_addr_t start, phys_addr_t last)
{
	struct interval *found = interval_next(&cached->ended_by_phys, &leaf->by_phys, start, last);

	return found ? leaf_of(found) : NULL;
}
