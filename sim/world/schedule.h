/* SPDX-License-Identifier: MIT */
/*
 * Virtual CPUs as coroutines: at a preemption point, and where a lock is held, another one may go
 * on. Who does is a choice; the choices of a run are a line of digits that replays it.
 *
 * Between two points a task is alone. What runs is a program of up to eight tasks, one for each
 * CPU, and of background tasks: those begin, again and again, while they are ready and somebody
 * else has not ended.
 */
#ifndef WORLD_SCHEDULE_H
#define WORLD_SCHEDULE_H

#include "world/coroutine.h"
#include "world/random.h"

#define SCHEDULE_TASKS_MAX 9
#define SCHEDULE_NOBODY	   SCHEDULE_TASKS_MAX /* no task has this number */

struct schedule_task {
	void (*run)(void *context);
	void *context;
	u32 cpu; /* what *schedule->cpu is while it runs */
	/* NULL: a CPU's task, which begins at once and runs once. Else a background task. */
	bool (*ready)(void *context);
	u32 rounds; /* so often at most a background task begins */
};

/*
 * Chooses who goes on: a number whose bit is in `enabled`, or SCHEDULE_NOBODY to give the run up.
 * `current` is who ran, and can go on if its bit is set. Called where there are two or more.
 */
struct schedule_chooser {
	u32 (*choose)(void *context, u32 enabled, u32 current);
	/* True if the next choice looks at the tasks, so that all must be away; NULL: none does. */
	bool (*looks)(void *context);
	void *context;
};

enum schedule_state { SCHEDULE_IDLE, SCHEDULE_RUNS, SCHEDULE_ENDED };

struct schedule_slot {
	struct coroutine coroutine;
	struct schedule *schedule;
	const struct schedule_task *task;
	enum schedule_state state;
	u32 rounds;	   /* left */
	const bool *waits; /* until this is false; NULL: for nothing */
};

struct schedule {
	struct coroutine_home home;
	struct schedule_slot slot[SCHEDULE_TASKS_MAX];
	u32 count;
	u32 current; /* the task that runs; SCHEDULE_NOBODY: none does */
	u32 next;
	bool given_up;
	bool jumped; /* a task was left by a jump: nothing runs here any more */
	struct schedule_chooser chooser;
	u32 *cpu;
	char *choices; /* of the last run, as text */
	size_t choices_count;
	size_t choices_room;
};

/* cpu: is set to the task's CPU whenever one goes on. */
void schedule_init(struct schedule *schedule, u32 *cpu);
void schedule_fini(struct schedule *schedule);

/*
 * Runs tasks until all but the background ones have ended. 0; -EDEADLK: nobody can go on, or
 * -ECANCELED: the chooser gave up (and then the tasks are left where they are, for good); -ENOMEM:
 * nothing was run.
 */
int schedule_run(struct schedule *schedule, const struct schedule_task *tasks, u32 count,
		 struct schedule_chooser chooser);

/* The choices of the run that is on or was last: a digit for each; "": there were none. */
const char *schedule_choices(const struct schedule *schedule);

/* True within a task, which stays on its stack. Notices that one was left by a jump. */
bool schedule_is_running(struct schedule *schedule);

/* A preemption point of the task that runs. */
void schedule_point(struct schedule *schedule);

/* Others run until *held is false. False: no task runs that could wait. */
bool schedule_wait(struct schedule *schedule, const bool *held);

/* ---- Choosers --------------------------------------------------------- */

/* Who runs goes on; then the lowest number. */
struct schedule_chooser schedule_in_order(void);

/* Each with the same chance. */
struct schedule_chooser schedule_by_chance(struct random *random);

/* As a line of choices says; after its end, in order. */
struct schedule_list {
	const char *choices;
	bool wrong; /* it named somebody who could not go on, and the run was given up */
};

struct schedule_chooser schedule_as_listed(struct schedule_list *list);

#endif
