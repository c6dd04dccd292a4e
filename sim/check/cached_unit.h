/* SPDX-License-Identifier: MIT */
/*
 * What a unit was commanded to invalidate: all the commands that no wait has confirmed yet, and the
 * latest ones, to explain why something is still cached.
 */
#ifndef CHECK_CACHED_UNIT_H
#define CHECK_CACHED_UNIT_H

#include <bsd/sys/queue.h>

#include "check/moment.h"
#include "hw/hw.h"

struct cached_command {
	struct hw_invalidation what;
	u64 place; /* among those that the unit was given, from 1 */
	struct check_moment submitted;
	struct check_moment waited; /* never: no wait has confirmed it */
};

/* A command as it is kept, and in one of the unit's lists until a wait has confirmed it. */
struct cached_pending {
	STAILQ_ENTRY(cached_pending) link;
	bool listed;
	bool aside; /* not in the ring any more */
	struct cached_command command;
};

STAILQ_HEAD(cached_pending_list, cached_pending);

#define CACHED_HISTORY 64

struct cached_unit {
	SLIST_ENTRY(cached_unit) link;
	struct hw_iommu *iommu;
	struct cached_pending_list queued;    /* not executed yet */
	struct cached_pending_list executed;  /* and not waited for */
	struct cached_pending_list confirmed; /* by the wait that is over just now */
	u64 commands;			      /* that it was given */
	/* A ring. What is in a list when its place is needed moves to memory of its own. */
	struct cached_pending history[CACHED_HISTORY];
};

SLIST_HEAD(cached_unit_list, cached_unit);

/* Where in the ring a command is. */
static inline struct cached_pending *cached_unit_place(struct cached_unit *unit, u64 place)
{
	return &unit->history[(place - 1) % CACHED_HISTORY];
}

/* The latest commands, from the last (0) back; NULL: no more are kept. */
static inline const struct cached_command *cached_unit_command(const struct cached_unit *unit,
							       u64 back)
{
	if (back >= CACHED_HISTORY || back >= unit->commands)
		return NULL;
	return &unit->history[(unit->commands - 1 - back) % CACHED_HISTORY].command;
}

#endif
