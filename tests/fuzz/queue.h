/* SPDX-License-Identifier: MIT */
/*
 * The queue target's parts: what it keeps of its unit, and how its tables and contexts are made and
 * changed.
 */
#ifndef FUZZ_QUEUE_H
#define FUZZ_QUEUE_H

#include "fuzz.h"
#include "input.h"
#include "pending.h"
#include "plain.h"
#include "stale.h"

enum queue_feature {
	FEATURE_COMMAND = 1,
	FEATURE_BEHIND,
	FEATURE_OVERTAKES,
	FEATURE_STOPPED,
	FEATURE_ANSWER,
	FEATURE_ENTRY,
	FEATURE_CONTEXT,
	FEATURE_FRESH,
	FEATURE_RESUME,
	FEATURE_RUN,
	FEATURE_WAIT,
};

struct queue {
	struct fuzz_run *run;
	struct rig rig;
	struct plain_memory seen;   /* by the unit */
	struct plain_memory stored; /* by the CPU, and by waits */
	struct stale stale;
	struct pending pending;
	bool stopped;
	bool lost_store; /* since the queue was resumed: a wait's, which stopped it */
	u32 rejected;
	u64 bad[2]; /* the last rejected */
};

/* Tables and contexts to begin with. */
void queue_build(struct queue *queue);

/* Steps: an entry of a table, a context. */
void queue_change_entry(struct queue *queue, struct bytes *bytes);
void queue_change_context(struct queue *queue, struct bytes *bytes);

/* The unit may have another word to fetch than before. */
void queue_look_again(struct queue *queue, u64 at);
/* A wait has stored into the tables. */
void queue_stored(struct queue *queue, u64 at, u64 word);

#endif
