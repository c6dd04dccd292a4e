/* SPDX-License-Identifier: MIT */
/*
 * The states of a small world that were seen, each with the operation that led to it first.
 */
#ifndef WORKBENCH_SMALL_STATES_H
#define WORKBENCH_SMALL_STATES_H

#include <dmasim/types.h>

enum small_kind {
	SMALL_NONE,
	SMALL_ALLOC,   /* a pages, limit b */
	SMALL_FREE,    /* live range number a */
	SMALL_RESERVE, /* a to b */
};

struct small_op {
	u8 kind;
	u8 a, b;
	u8 how;
	u8 cpu;
};

struct small_key {
	u64 pages;   /* four bits for each: bit 1 is set in the first one of a live range */
	u64 history; /* whatever else tells states apart */
};

struct small_state {
	struct small_key key;
	struct small_key plain; /* before what answers tell was added */
	u32 parent;		/* the first state is its own */
	struct small_op op;	/* from the parent to here */
};

struct small_states {
	struct small_state *at; /* in the order in which they were found */
	u32 count;
	u32 *slot; /* open addressing: 1 + the index of a state, 0: nothing */
	u32 slots; /* a power of two, more than twice the count */
};

void small_states_begin(struct small_states *states, struct small_key first, u64 history);
void small_states_end(struct small_states *states);

/* A state that `op` leads to, unless it was seen; `history` takes the place of the key's. */
void small_states_add(struct small_states *states, u32 parent, struct small_op op,
		      struct small_key key, u64 history);

/* Live ranges in a state. */
u32 small_key_live(struct small_key key);

#endif
