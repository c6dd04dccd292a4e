/* SPDX-License-Identifier: MIT */
/*
 * All interleavings of a program, one after the other: depth first, by running the program again
 * from its start with other choices.
 *
 *	while (explorer_next(explorer)) {
 *		... make a world ...
 *		err = schedule_run(&schedule, tasks, count, explorer_chooser(explorer));
 *		... judge, unless err is -ECANCELED ...
 *	}
 *
 * The program must be the same each time: what it does may depend on the choices alone.
 *
 * Merging. If the program says where all its memory is, a run is given up where it comes to a state
 * that was explored: tasks, registers, stacks and memory are byte for byte as they were then, and
 * all that can follow was seen. That loses nothing, and counts nothing less: the interleavings that
 * would have followed are added. A hash of 128 bits stands for the bytes.
 */
#ifndef WORLD_EXPLORE_H
#define WORLD_EXPLORE_H

#include "world/schedule.h"

#define EXPLORER_ALL (~0U) /* preemptions: as many as there can be */

struct explorer;

/* preemptions_max: how often a task that could go on is left, in one run. NULL: no memory. */
struct explorer *explorer_create(u32 preemptions_max);
void explorer_destroy(struct explorer *explorer);

/*
 * From now on states are merged: the program's memory is these parts, at the same addresses in each
 * run, and the stacks of the schedule's tasks. False: here stacks cannot be compared, nothing is
 * merged.
 */
bool explorer_merge(struct explorer *explorer, struct schedule *schedule,
		    const struct coroutine_bytes *memory, u32 count);

/* True: there is another interleaving to run. False: there is none, or no memory (see complete). */
bool explorer_next(struct explorer *explorer);

/* For the run that follows. */
struct schedule_chooser explorer_chooser(struct explorer *explorer);

/* Up to 36 decimal digits: "%llu%018llu", or low alone. */
#define EXPLORER_LIMB 1000000000000000000ULL

struct explorer_number {
	u64 high; /* times EXPLORER_LIMB */
	u64 low;
};

struct explorer_counts {
	struct explorer_number interleavings; /* that were explored, merged ones too */
	u64 runs;
	u64 states;    /* where there was a choice, and that were told apart */
	bool complete; /* within the bound there is no other interleaving */
};

struct explorer_counts explorer_counts(const struct explorer *explorer);

#endif
