/* SPDX-License-Identifier: MIT */
/*
 * The world a machine lives in: the only sources of time, chance, failure and memory, and the only
 * sinks of traces and reports. The hardware gets a pointer to it; the software sees it through the
 * port.
 */
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include <dmasim/point.h>

#include "world/clock.h"
#include "world/memory.h"
#include "world/random.h"
#include "world/report.h"
#include "world/schedule.h"
#include "world/trace.h"

struct world_config {
	u64 seed;
	const char *program; /* for the line that replays a report; NULL: not known */
	bool random_choices; /* draw at choice points; else always take answer 0 */
	FILE *trace_file;
	bool trace;
};

struct world {
	u64 seed;
	const char *program;
	bool random_choices;
	struct clock clock;
	struct random random;
	struct memory memory;
	struct trace trace;
	struct reports reports;
	u64 points[DMASIM_POINT_COUNT]; /* passes of each preemption point */
	struct schedule *schedule;	/* NULL: CPUs never ran at once */
	/* Answers choice points, each answer a task's number; NULL: chance, or 0. */
	const struct schedule_chooser *choices;
};

void world_init(struct world *world, const struct world_config *config);
void world_fini(struct world *world);

/* True while virtual CPUs take turns. */
static inline bool world_cpus_run(const struct world *world)
{
	return DMASIM_UNLIKELY(world->schedule != NULL) && schedule_is_running(world->schedule);
}

/*
 * A choice point: what hardware is free to do. Answers are 0 to `answers` - 1; 0 is what a plain
 * run does.
 */
u64 world_choose(struct world *world, u64 answers);

#endif
