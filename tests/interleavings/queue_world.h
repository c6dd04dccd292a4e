/* SPDX-License-Identifier: MIT */
/*
 * A flush queue alone with some CPUs and a ghost that judges it.
 *
 * The ghost knows nothing of counters. It sees when an address is unmapped, when an invalidation
 * begins and ends, when an address is released, and when an enqueue returns; and it says what is
 * wrong:
 *
 *   - an address is released although no invalidation that began after its unmap has ended
 *   - its tables are given back although no such invalidation went well
 *   - an address is released twice, or one that nobody unmapped
 *   - a ring holds more than it has room for: somebody queued in a full one
 *   - the timer is armed while it is pending
 *   - all is over, the timer has fired until it was quiet, and an address is still missing
 */
#ifndef INTERLEAVINGS_QUEUE_WORLD_H
#define INTERLEAVINGS_QUEUE_WORLD_H

#include <dmasim/platform.h>

#include "iova/flush_queue.h"
#include "world/explore.h"

#define QUEUE_CPUS_MAX 3
#define QUEUE_ADDS_MAX 8

struct queue_program {
	u32 cpus;
	u32 adds;    /* of each CPU */
	bool single; /* one ring for all */
	u32 entries; /* of a ring; one is never used */
	u32 timers;  /* so often at most the timer fires while CPUs run */
	u32 bugs;
	u32 fails; /* a bit for each flush that fails, in the order in which they begin */
};

/* All that a run can change lies in here, at one place. */
struct queue_state {
	u32 unmapped; /* a bit for each address */
	u32 covered;  /* by an invalidation that began after the unmap */
	u32 well;     /* the same, by one that did not fail */
	u32 released;
	u32 flushes; /* that began */
	u32 queued
		[QUEUE_CPUS_MAX]; /* of a ring, by enqueues that returned; less what was released */
	const char *wrong;	  /* the first thing; NULL: nothing */
	struct dmasim_timer *armed;
	struct flush_queue *fq;
	size_t used;
	u8 memory[1024] __attribute__((aligned(16)));
};

/* The different states that runs end in, by what the ghost and the queue are then. */
#define QUEUE_ENDS_MAX 1024

struct queue_ends {
	u64 end[QUEUE_ENDS_MAX]; /* hashes, ascending */
	u32 count;
};

struct queue_cpu {
	struct queue_world *world;
	u32 cpu;
};

struct queue_world {
	struct queue_program program;
	struct platform platform;
	struct schedule schedule;
	struct schedule_task task[QUEUE_CPUS_MAX + 1];
	struct queue_cpu cpu[QUEUE_CPUS_MAX];
	struct queue_ends *ends; /* NULL: nobody wants to know */
	struct queue_state state;
};

void queue_world_init(struct queue_world *world, const struct queue_program *program);
void queue_world_fini(struct queue_world *world);

/* Addresses of the last run that were unmapped and are not back when all is over. */
u32 queue_world_lost(const struct queue_world *world);

/*
 * One run. NULL: nothing is wrong, or the chooser gave the run up; else what is. The line of its
 * choices is world->schedule.choices.
 */
const char *queue_world_run(struct queue_world *world, struct schedule_chooser chooser);

/* The run with these choices. */
const char *queue_world_replay(struct queue_world *world, const char *choices);

/*
 * Runs all interleavings, or, if something is wrong, those up to the first where it is: *wrong says
 * what. `merge`: states are merged, where stacks can be compared.
 */
struct explorer_counts queue_world_explore(struct queue_world *world, u32 preemptions_max,
					   bool merge, const char **wrong);

#endif
