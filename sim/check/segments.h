/* SPDX-License-Identifier: MIT */
/*
 * The segments of a list that is about to be unmapped, as many as were told before the call.
 */
#ifndef CHECK_SEGMENTS_H
#define CHECK_SEGMENTS_H

#include <dmasim/event.h>

#include "world/world.h"

struct check_segments {
	u32 count;
	u32 room;
	struct dmasim_sg_entry *at;
};

DMASIM_COLD bool check_segments_grow(struct check_segments *segments, struct memory *memory);

/* False: no memory, and the segment is not kept. */
static inline bool check_segments_add(struct check_segments *segments, struct memory *memory,
				      const struct dmasim_sg_entry *segment)
{
	if (DMASIM_UNLIKELY(segments->count == segments->room) &&
	    !check_segments_grow(segments, memory))
		return false;
	segments->at[segments->count++] = *segment;
	return true;
}
void check_segments_fini(struct check_segments *segments, struct memory *memory);

#endif
