/* SPDX-License-Identifier: MIT */
#include "workbench/small_states.h"

#include <stdlib.h>

#include <dmasim/contract.h>

static u32 find(const struct small_states *states, struct small_key key)
{
	u64 sum = (key.pages ^ (key.history << 32 | key.history >> 32)) * 0x9e3779b97f4a7c15ULL;
	u32 at = (u32)(sum >> 32) & (states->slots - 1);

	while (states->slot[at]) {
		const struct small_key *seen = &states->at[states->slot[at] - 1].key;

		if (seen->pages == key.pages && seen->history == key.history)
			break;
		at = (at + 1) & (states->slots - 1);
	}
	return at;
}

static void grow(struct small_states *states)
{
	states->slots = states->slots ? 2 * states->slots : 1024;
	free(states->slot);
	states->slot = calloc(states->slots, sizeof(states->slot[0]));
	states->at = realloc(states->at, states->slots / 2 * sizeof(states->at[0]));
	DMASIM_CONTRACT(states->slot && states->at, "there is memory for the judge");
	for (u32 i = 0; i < states->count; i++)
		states->slot[find(states, states->at[i].key)] = i + 1;
}

void small_states_add(struct small_states *states, u32 parent, struct small_op op,
		      struct small_key key, u64 history)
{
	struct small_state state = { { key.pages, history }, key, parent, op };
	u32 at;

	if (2 * (states->count + 1) > states->slots)
		grow(states);
	at = find(states, state.key);
	if (states->slot[at])
		return;
	states->at[states->count++] = state;
	states->slot[at] = states->count;
}

void small_states_begin(struct small_states *states, struct small_key first, u64 history)
{
	*states = (struct small_states){ 0 };
	small_states_add(states, 0, (struct small_op){ SMALL_NONE, 0, 0, 0, 0 }, first, history);
}

void small_states_end(struct small_states *states)
{
	free(states->at);
	free(states->slot);
}

u32 small_key_live(struct small_key key)
{
	u32 count = 0;

	for (u64 pages = key.pages; pages; pages >>= 4)
		count += pages >> 1 & 1;
	return count;
}
