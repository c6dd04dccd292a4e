/* SPDX-License-Identifier: MIT */
#include "check/ranges.h"

#define FIRST_ROOM 16

bool check_ranges_grow(struct check_ranges *ranges, struct memory *memory)
{
	u32 room = ranges->room ? 2 * ranges->room : FIRST_ROOM;
	struct check_range *at;

	at = memory_alloc(memory, DMASIM_FAULT_CHECK_RECORD, room * sizeof(*at));
	if (!at)
		return false;
	for (u32 i = 0; i < ranges->count; i++)
		at[i] = ranges->at[i];
	memory_free(memory, ranges->at);
	ranges->at = at;
	ranges->room = room;
	return true;
}

void check_ranges_fini(struct check_ranges *ranges, struct memory *memory)
{
	memory_free(memory, ranges->at);
	*ranges = (struct check_ranges){ 0 };
}
