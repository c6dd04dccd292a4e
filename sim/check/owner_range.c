/* SPDX-License-Identifier: MIT */
/*
 * Ranges of the two-step API: those that live, and the last that ended. States may be copied: a
 * range is known by its device and its address. Where its struct was is no more than a hint.
 */
#include "check/owner.h"

DMASIM_HOT struct owner_range *owners_range_add(struct owners *owners, struct owner_space *space,
						const struct piece_desc *desc)
{
	struct owner_range *range = check_pool_get(&owners->ranges);

	if (!range)
		return NULL;
	range->told = false;
	range->is_over = false;
	range->at.start = desc->dma;
	range->at.last = desc->dma + desc->size - 1;
	range->dev = desc->dev;
	range->size = desc->size;
	range->where = desc->where;
	range->site = desc->site;
	range->ended_at = NULL;
	range->whole.is_linked = range->whole.has_ended = false;
	range->whole.shown = NULL;
	range->state = owners->next_state++;
	/* The next call is about it. Of two that begin there it would be the older one. */
	if (interval_insert_alone(&space->ranges, &range->at))
		space->range = range;
	return range;
}

struct owner_range *owners_range_search(struct owner_space *space, dmasim_sbdf dev, u64 dma)
{
	struct interval *found;

	for (found = interval_first(&space->ranges, dma, dma); found;
	     found = interval_next(&space->ranges, found, dma, dma)) {
		struct owner_range *range = (struct owner_range *)found;

		if (range->at.start == dma && range->dev == dev) {
			space->range = range;
			return range;
		}
	}
	return NULL;
}

/* One that nobody remembers any more. */
static void forget(struct owners *owners, struct owner_range *range)
{
	if (range->whole.shown)
		check_pool_put(&owners->past, range->whole.shown);
	check_pool_put(&owners->ranges, range);
}

DMASIM_HOT void owners_range_end(struct owners *owners, struct owner_space *space,
				 struct owner_range *range, const struct dmasim_site *where)
{
	struct owner_range **past =
		&space->past_ranges[space->past_range_count++ % OWNER_PAST_RANGES];

	if (space->range == range)
		space->range = NULL;
	interval_remove(&space->ranges, &range->at);
	range->is_over = true;
	range->ended_at = where;
	if (*past)
		forget(owners, *past);
	*past = range;
}

const struct owner_range *owners_range_past(const struct owner_space *space, dmasim_sbdf dev,
					    u64 dma)
{
	for (u32 back = 1; back <= owners_ranges_kept(space); back++) {
		const struct owner_range *range = owners_range_ended(space, back);

		if (range->dev == dev && range->at.start == dma)
			return range;
	}
	return NULL;
}

const struct owner_range *owners_range_at(const struct owner_space *space, dmasim_sbdf dev, u64 dma)
{
	const struct interval *at;

	for (at = interval_first(&space->ranges, dma, dma); at;
	     at = interval_next(&space->ranges, at, dma, dma)) {
		const struct owner_range *range = (const struct owner_range *)at;

		if (range->dev == dev)
			return range;
	}
	return NULL;
}

struct owner_range *owners_range_of_any(struct owners *owners, u64 dma, struct owner_space **space)
{
	SLIST_FOREACH(*space, &owners->spaces, link) {
		struct interval *at = interval_first(&(*space)->ranges, dma, dma);

		for (; at; at = interval_next(&(*space)->ranges, at, dma, dma)) {
			if (at->start == dma)
				return (struct owner_range *)at;
		}
	}
	return NULL;
}

/* The earlier of two that came after the range, into the same struct. */
static const struct owner_range *next_into(const struct owner_range *range,
					   const struct owner_range *one,
					   const struct owner_range *best)
{
	if (one->where != range->where || one->state <= range->state)
		return best;
	return best && best->state < one->state ? best : one;
}

const struct owner_range *owners_range_over(const struct owner_space *space,
					    const struct owner_range *range)
{
	const struct owner_range *best = NULL;
	const struct interval *at;

	if (!range->where)
		return NULL;
	for (at = interval_first(&space->ranges, 0, ~0ULL); at;
	     at = interval_next(&space->ranges, at, 0, ~0ULL))
		best = next_into(range, (const struct owner_range *)at, best);
	for (u32 back = 1; back <= owners_ranges_kept(space); back++)
		best = next_into(range, owners_range_ended(space, back), best);
	return best;
}
