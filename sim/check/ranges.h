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

/* False: no memory, and the range is not kept. */
bool check_ranges_add(struct check_ranges *ranges, struct memory *memory,
		      const struct check_range *range);
void check_ranges_fini(struct check_ranges *ranges, struct memory *memory);

#endif
