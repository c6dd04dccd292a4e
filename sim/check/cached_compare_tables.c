/* SPDX-License-Identifier: MIT */
/*
 * Which tables a walk finds, and which it no longer does: those of the set near the range are
 * looked up beforehand, as far as they are few, and each that is not found has ended.
 */
#include "check/cached_comparison.h"

static bool is_table(const struct cached_table *table, const struct cached_table *found)
{
	return table->phys == found->phys && table->at.start == found->at.start &&
	       table->levels == found->levels && table->read == found->read &&
	       table->write == found->write;
}

static struct cached_table *add_table(struct comparison *comparison, const struct cached_table *new)
{
	struct cached *cached = comparison->cached;
	struct cached_table *table = cached_record(cached, sizeof(*table));

	if (!table)
		return NULL;
	*table = *new;
	comparison_add_absent(comparison, table->at.start, table->at.last,
			      (u8)(63 - __builtin_clzll(table->at.last - table->at.start)) + 1);
	comparison->new_tables = true;
	if (comparison->near_count < COMPARISON_NEAR_MAX)
		comparison->near[comparison->near_count++] = table;
	interval_insert(&comparison->domain->tables, &table->at);
	interval_insert(&cached->tables_by_phys, &table->by_phys);
	return table;
}

static void confirm_table(struct comparison *comparison, struct cached_table *table)
{
	table->round = comparison->cached->round;
	if (!check_happened(table->until))
		return;
	table->until = CHECK_NEVER;
	comparison->domain->ended_tables--;
}

/* The first of the set from `at` on, that have its first address, which is this one; NULL: none. */
static struct cached_table *known_from(const struct interval_tree *tables, struct interval *at,
				       const struct cached_table *found)
{
	u64 iova = found->at.start;

	while (at && !is_table((struct cached_table *)at, found))
		at = interval_next(tables, at, iova, iova);
	return (struct cached_table *)at;
}

/* The same table, as the set knows it. Walks go from one to the next, as a rule. */
static struct cached_table *known_table(const struct comparison *comparison,
					const struct cached_table *found)
{
	const struct interval_tree *tables = &comparison->domain->tables;
	u64 iova = found->at.start;
	struct cached_table *table = NULL;

	if (comparison->near_count < COMPARISON_NEAR_MAX) {
		for (u32 i = 0; i < comparison->near_count; i++) {
			if (is_table(comparison->near[i], found))
				return comparison->near[i];
		}
		return NULL;
	}
	if (comparison->known)
		table = known_from(
			tables, interval_next(tables, &comparison->known->at, iova, iova), found);
	return table ? table : known_from(tables, interval_first(tables, iova, iova), found);
}

static void note_found(struct comparison *comparison, const struct cached_table *table,
		       phys_addr_t entry)
{
	if (comparison->found_count < CACHED_WAY_MAX)
		comparison->found[comparison->found_count] = (struct cached_step){ table, entry };
	comparison->found_count++;
}

void comparison_found_table(void *cookie, const struct hw_table *at)
{
	struct comparison *comparison = cookie;
	u64 iova = comparison->base + at->iova;
	const struct cached_table found = {
		.at = { .start = iova, .last = iova + (at->bytes - 1) },
		.by_phys = { .start = at->phys, .last = at->phys },
		.domain = comparison->domain,
		.phys = at->phys,
		.levels = at->levels,
		.read = at->read && comparison->read,
		.write = at->write && comparison->write,
		.since = comparison->now,
		.until = CHECK_NEVER,
		.round = comparison->cached->round,
	};
	struct cached_table *table;

	if (comparison->way && cached_goes_with(comparison->cached, comparison->way, NULL, &found))
		return;
	table = known_table(comparison, &found);
	comparison->known = table;
	if (table)
		confirm_table(comparison, table);
	else
		table = add_table(comparison, &found);
	note_found(comparison, table, at->entry);
}

void comparison_find_near_tables(struct comparison *comparison)
{
	struct interval_tree *tables = &comparison->domain->tables;
	u64 start = comparison->start, last = comparison->last;
	struct interval *at;

	comparison->near_count = 0;
	for (at = interval_first(tables, start, last);
	     at && comparison->near_count < COMPARISON_NEAR_MAX;
	     at = interval_next(tables, at, start, last))
		comparison->near[comparison->near_count++] = (struct cached_table *)at;
}

static bool end_unconfirmed(struct comparison *comparison, struct cached_table *table)
{
	if (table->round == comparison->cached->round || check_happened(table->until))
		return false;
	table->until = comparison->now;
	comparison->domain->ended_tables++;
	/* What only this table leads to may be cached, too: every walk looks there. */
	cached_ways_forget(comparison->domain);
	return true;
}

bool comparison_end_unconfirmed_tables(struct comparison *comparison)
{
	struct interval_tree *tables = &comparison->domain->tables;
	u64 start = comparison->start, last = comparison->last;
	struct interval *at;
	bool any = false;

	if (comparison->near_count < COMPARISON_NEAR_MAX) {
		for (u32 i = 0; i < comparison->near_count; i++)
			any |= end_unconfirmed(comparison, comparison->near[i]);
		return any;
	}
	for (at = interval_first(tables, start, last); at;
	     at = interval_next(tables, at, start, last))
		any |= end_unconfirmed(comparison, (struct cached_table *)at);
	return any;
}
