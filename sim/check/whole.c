/* SPDX-License-Identifier: MIT */
#include "check/whole.h"

static struct piece_desc desc_of(const struct owner_range *range)
{
	const struct owner_whole *whole = &range->whole;

	return (struct piece_desc){
		.kind = PIECE_LINK,
		.dev = range->dev,
		.dma = range->at.start,
		.size = range->size,
		.phys = whole->phys,
		.dir = whole->dir,
		.attrs = whole->attrs,
		.state = range->state,
		.synced = whole->synced,
		.site = whole->site,
	};
}

void whole_spread(struct owners *owners, struct owner_space *space, u64 start, u64 last)
{
	struct interval *at;

	for (at = interval_first(&space->ranges, start, last); at;
	     at = interval_next(&space->ranges, at, start, last)) {
		struct owner_range *range = (struct owner_range *)at;
		struct piece_desc desc = desc_of(range);

		if (!range->whole.is_linked)
			continue;
		range->whole.is_linked = false;
		space->linked--;
		space->whole--;
		owners_add(owners, space, &desc);
	}
}

/* ---- The past --------------------------------------------------------- */

/* The record of one. It stays as long as that of the range does. */
static const struct owner_past *shown(struct owner_links *links, struct owner_range *range)
{
	struct piece_desc desc = desc_of(range);
	struct piece *piece = range->whole.shown;

	if (piece)
		return (struct owner_past *)piece;
	piece = owners_new_piece(links->owners, links->space, &desc);
	if (!piece)
		return NULL;
	piece->number = 0;
	piece->ended = range->whole.ended;
	piece->ended.start = range->at.start;
	piece->ended.last = range->at.last;
	range->whole.shown = piece;
	return (struct owner_past *)piece;
}

const struct owner_past *whole_past(struct owner_links *links, dmasim_sbdf dev, u64 dma)
{
	const struct owner_space *space = links->space;

	for (u32 back = 1; back <= owners_ranges_kept(space); back++) {
		struct owner_range *range = owners_range_ended(space, back);

		if (range->whole.has_ended && (dev == DMASIM_NO_SBDF || range->dev == dev) &&
		    range->at.start <= dma && dma <= range->at.last)
			return owners_remembers(space, range->whole.ended.age) ? shown(links, range)
									       : NULL;
	}
	return NULL;
}
