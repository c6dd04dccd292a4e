/* SPDX-License-Identifier: MIT */
/*
 * What the call that is going on has named so far, in the order in which it came.
 */
#ifndef CHECK_RANGES_H
#define CHECK_RANGES_H

#include <dmasim/types.h>

#include "world/world.h"

struct check_range {
	u64 start;
	u64 last;
	bool bus_address; /* of a list's segment */
};

struct check_ranges {
	u32 count;
	u32 room;
	struct check_range *at;
};

bool check_ranges_grow(struct check_ranges *ranges, struct memory *memory);

/* False: no memory, and the range is not kept. */
static inline bool check_ranges_add(struct check_ranges *ranges, struct memory *memory,
				    const struct check_range *range)
{
	if (ranges->count == ranges->room && !check_ranges_grow(ranges, memory))
		return false;
	ranges->at[ranges->count++] = *range;
	return true;
}
void check_ranges_fini(struct check_ranges *ranges, struct memory *memory);

#endif
