/* SPDX-License-Identifier: MIT */
/*
 * Several virtual CPUs at once: each runs a task, and they take turns at the preemption points that
 * the software passes (point.h) and where one needs a lock that another holds.
 *
 * Who goes on is a choice. The choices of a run are a line of digits, one for each place where two
 * or more could have gone on: the number of the task that did. The line replays the run.
 *
 * An explorer runs a program again and again until it has seen all its interleavings:
 *
 *	struct dmasim_explorer *explorer = dmasim_explorer_create(2);
 *
 *	while (dmasim_explorer_next(explorer)) {
 *		struct dmasim *s = dmasim_create(...);
 *		...
 *		dmasim_run_cpus(s, tasks, 2, &(struct dmasim_schedule){ .explorer = explorer });
 *		if (dmasim_check_clean(s, text, sizeof(text)))
 *			printf("DMASIM_CHOICES=%s: %s\n", dmasim_choices(s), text);
 *		dmasim_destroy(s);
 *	}
 *	dmasim_explorer_destroy(explorer);
 */
#ifndef DMASIM_SCHEDULE_H
#define DMASIM_SCHEDULE_H

#include <dmasim/types.h>

struct dmasim;
struct dmasim_explorer;

#define DMASIM_TASKS_MAX 8

/* What one CPU does. */
struct dmasim_task {
	/*
	 * Calls the software as any program does, except that it lets no time pass (dmasim_run()),
	 * on the stack that it is given: 256 KiB. It returns; or jumps out of dmasim_run_cpus(), as
	 * a test does that fails, and nothing more runs on the machine then (report.h). What is
	 * compared after dmasim_run_cpus() tells more: all tasks have ended, and dmasim_choices()
	 * replays them.
	 */
	void (*run)(struct dmasim *s, void *context);
	void *context;
};

/* How tasks take turns; the first member that is set counts. All zeros: one after the other. */
struct dmasim_schedule {
	struct dmasim_explorer *explorer; /* the interleaving that it wants next */
	const char *choices;		  /* a line of choices; after its end, in order */
	u64 seed;			  /* at every choice each CPU has the same chance */
	/*
	 * So many pending timers at most fire while tasks run, at any moment, whatever their
	 * deadline: they are the last task, on the CPU after the others' if there is one, else on
	 * the last. Time moves on to the deadline of a timer that fires.
	 */
	u32 timers;
};

DMASIM_BEGIN_DECLS

/*
 * Starts the machine if need be, and runs task i on CPU i: 1 to DMASIM_TASKS_MAX of them, and no
 * more than the machine has CPUs. Returns when all have ended and no timer is in the middle: 0.
 *
 * -EDEADLK: nobody can go on, which is reported; what ran is left as it is, and the machine is good
 * for reports and its end alone. -EINVAL: the choices name a task that could not go on; what ran is
 * left likewise. -ENOMEM: no memory to run anything.
 */
DMASIM_API int dmasim_run_cpus(struct dmasim *s, const struct dmasim_task *tasks, u32 count,
			       const struct dmasim_schedule *how);

/* The choices of the run that is on or that was last, "" if there were none; until the next run. */
DMASIM_API const char *dmasim_choices(const struct dmasim *s);

/* ---- Explorers -------------------------------------------------------- */

#define DMASIM_ALL_PREEMPTIONS (~0U)

/*
 * preemptions_max: in one run, so often at most a task that could go on has to wait for another;
 * most mistakes show with 2. NULL: no memory. If DMASIM_CHOICES of the environment is set, that
 * line is the only run.
 */
DMASIM_API struct dmasim_explorer *dmasim_explorer_create(u32 preemptions_max);
/* NULL is nothing. */
DMASIM_API void dmasim_explorer_destroy(struct dmasim_explorer *explorer);

/*
 * True: run the program once more, the same from its start; dmasim_run_cpus() is called with the
 * explorer once. False: all interleavings were run, or there is no memory for more.
 */
DMASIM_API bool dmasim_explorer_next(struct dmasim_explorer *explorer);

/* Interleavings that were run and followed by dmasim_explorer_next(). */
DMASIM_API u64 dmasim_explorer_runs(const struct dmasim_explorer *explorer);
/* True if there is no other interleaving within the bound. */
DMASIM_API bool dmasim_explorer_complete(const struct dmasim_explorer *explorer);

DMASIM_END_DECLS

#endif
