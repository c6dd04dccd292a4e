/* SPDX-License-Identifier: MIT */
/*
 * A link that is all of its state's range: it is kept in the record of the range.
 *
 *   range    |================|
 *   link     |----------------|
 *
 * Many a state has no other. It begins, is synced and ends with what the range says of it. As with
 * rows, whoever asks for links finds a piece, and calls about a part of it are judged by that.
 */
#ifndef CHECK_WHOLE_H
#define CHECK_WHOLE_H

#include "check/links.h"

/* The call is about all of the range, from its first byte to its last. */
static inline bool whole_is_meant(const struct owner_range *range, const struct dmasim_event *event)
{
	return !event->offset && event->size == range->size;
}

/*
 * True if the link is kept in its range: it is all of it, and nothing else is known to be there. It
 * is not synced, and nothing was told of it.
 */
static inline bool whole_add(struct owner_space *space, struct owner_range *range,
			     const struct dmasim_event *event)
{
	struct owner_whole *whole = &range->whole;
	u64 start = range->at.start, last = range->at.last;

	if (!whole_is_meant(range, event) || whole->is_linked || !space->links ||
	    owners_first_apart(space, start, last) ||
	    (links_in_rows(space) && links_has_row(space->links, start, last)))
		return false;
	whole->is_linked = true;
	whole->synced = false;
	whole->dir = (u8)event->dir;
	whole->phys = event->phys;
	whole->attrs = event->attrs;
	whole->site = event->site;
	space->linked++;
	space->whole++;
	return true;
}

/* Ends it, of which there is nothing to be told; its range has to end next. */
static inline void whole_end(struct owners *owners, struct owner_space *space,
			     struct owner_range *range, const struct dmasim_site *where)
{
	struct owner_whole *whole = &range->whole;

	whole->is_linked = false;
	whole->has_ended = true;
	whole->ended.age = space->ended++;
	owners_set_end(owners, &whole->ended, where);
	space->linked--;
	space->whole--;
}

/* Those that touch [start, last] are pieces afterwards. */
void whole_spread(struct owners *owners, struct owner_space *space, u64 start, u64 last);

/*
 * The latest that had this address for the device (DMASIM_NO_SBDF: any) and ended with its range.
 * NULL: none is remembered.
 */
const struct owner_past *whole_past(struct owner_links *links, dmasim_sbdf dev, u64 dma);

#endif
