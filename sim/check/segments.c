/* SPDX-License-Identifier: MIT */
#include "check/segments.h"

#define FIRST_ROOM 16

bool check_segments_grow(struct check_segments *segments, struct memory *memory)
{
	u32 room = segments->room ? 2 * segments->room : FIRST_ROOM;
	struct dmasim_sg_entry *at;

	at = memory_alloc(memory, DMASIM_FAULT_CHECK_RECORD, room * sizeof(*at));
	if (!at)
		return false;
	for (u32 i = 0; i < segments->count; i++)
		at[i] = segments->at[i];
	memory_free(memory, segments->at);
	segments->at = at;
	segments->room = room;
	return true;
}

void check_segments_fini(struct check_segments *segments, struct memory *memory)
{
	memory_free(memory, segments->at);
	*segments = (struct check_segments){ 0 };
}
