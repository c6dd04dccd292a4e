/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include <dmasim/schedule.h>

#include "machine/machine.h"
#include "world/explore.h"

struct dmasim_explorer {
	struct explorer *explorer;
	const char *only; /* of the environment; NULL: not set */
	u64 runs;
	bool running; /* there is a run that was not counted yet */
};

/* A task, and the machine that it is for. */
struct cpu_task {
	struct dmasim *s;
	const struct dmasim_task *task;
};

static void run_task(void *context)
{
	const struct cpu_task *cpu = context;

	cpu->task->run(cpu->s, cpu->task->context);
}

static bool timer_is_pending(void *context)
{
	const struct dmasim *s = context;

	return clock_is_armed(&s->world.clock);
}

static void fire_timer(void *context)
{
	struct dmasim *s = context;

	clock_fire_next(&s->world.clock);
}

/* Made for the first run, and kept. NULL: no memory. */
static struct schedule *schedule_of(struct dmasim *s)
{
	if (s->world.schedule)
		return s->world.schedule;
	s->world.schedule = calloc(1, sizeof(*s->world.schedule));
	if (s->world.schedule)
		schedule_init(s->world.schedule, &s->platform.cpu);
	return s->world.schedule;
}

void machine_schedule_fini(struct dmasim *s)
{
	if (s->world.schedule)
		schedule_fini(s->world.schedule);
	free(s->world.schedule);
	s->world.schedule = NULL;
}

bool machine_cpus_run(const struct dmasim *s)
{
	return world_cpus_run(&s->world);
}

/* Where the choices come from. */
struct source {
	struct schedule_list list;
	struct random random;
};

static struct schedule_chooser chooser_of(struct source *source, const struct dmasim_schedule *how)
{
	source->list = (struct schedule_list){ .choices = how->choices };
	if (how->explorer && !how->explorer->only)
		return explorer_chooser(how->explorer->explorer);
	if (how->explorer)
		source->list.choices = how->explorer->only;
	if (source->list.choices)
		return schedule_as_listed(&source->list);
	if (!how->seed)
		return schedule_in_order();
	random_init(&source->random, how->seed);
	return schedule_by_chance(&source->random);
}

static void say_deadlock(struct dmasim *s)
{
	platform_report(&s->platform,
			&(struct platform_report){
				.id = DMASIM_REPORT_DEADLOCK,
				.dev = DMASIM_NO_SBDF,
				.what = "each CPU that has not ended waits for a lock, and nobody "
					"is left who could let go of one",
			});
	check_settle_call(&s->check);
}

int dmasim_run_cpus(struct dmasim *s, const struct dmasim_task *tasks, u32 count,
		    const struct dmasim_schedule *how)
{
	struct schedule_task task[SCHEDULE_TASKS_MAX];
	struct cpu_task cpu[DMASIM_TASKS_MAX];
	struct schedule *schedule;
	struct source source;
	bool stepping;
	u32 before;
	int err;

	machine_exists(s);
	DMASIM_CONTRACT(tasks && count && count <= DMASIM_TASKS_MAX && count <= s->config.cpus,
			"each task has a CPU, of which at most 8 run at once");
	DMASIM_CONTRACT(how, "somebody says how tasks take turns");
	DMASIM_CONTRACT(!machine_cpus_run(s), "a task does not run tasks");
	schedule = schedule_of(s);
	if (!schedule || !machine_start(s))
		return -ENOMEM;
	for (u32 i = 0; i < count; i++) {
		cpu[i] = (struct cpu_task){ s, &tasks[i] };
		task[i] = (struct schedule_task){ .run = run_task, .context = &cpu[i], .cpu = i };
	}
	task[count] = (struct schedule_task){
		.run = fire_timer,
		.context = s,
		.cpu = count < s->config.cpus ? count : count - 1,
		.ready = timer_is_pending,
		.rounds = how->timers,
	};
	stepping = s->platform.stepping;
	before = s->platform.cpu;
	s->platform.stepping = true;
	err = schedule_run(schedule, task, count + 1, chooser_of(&source, how));
	s->platform.stepping = stepping;
	s->platform.cpu = before;
	if (err == -EDEADLK)
		say_deadlock(s);
	if (err == -ECANCELED)
		return source.list.wrong ? -EINVAL : -ENOMEM;
	return err;
}

const char *dmasim_choices(const struct dmasim *s)
{
	machine_exists(s);
	return s->world.schedule ? schedule_choices(s->world.schedule) : "";
}

/* ---- Explorers ------------------------------------------------------------------------------- */

struct dmasim_explorer *dmasim_explorer_create(u32 preemptions_max)
{
	struct dmasim_explorer *explorer = calloc(1, sizeof(*explorer));
	const char *only = getenv("DMASIM_CHOICES");

	if (!explorer)
		return NULL;
	explorer->explorer = explorer_create(preemptions_max);
	if (!explorer->explorer) {
		free(explorer);
		return NULL;
	}
	explorer->only = only && *only ? only : NULL;
	return explorer;
}

void dmasim_explorer_destroy(struct dmasim_explorer *explorer)
{
	if (!explorer)
		return;
	explorer_destroy(explorer->explorer);
	free(explorer);
}

bool dmasim_explorer_next(struct dmasim_explorer *explorer)
{
	DMASIM_CONTRACT(explorer, "there is an explorer");
	if (explorer->running)
		explorer->runs++;
	if (explorer->only)
		explorer->running = !explorer->runs;
	else
		explorer->running = explorer_next(explorer->explorer);
	return explorer->running;
}

u64 dmasim_explorer_runs(const struct dmasim_explorer *explorer)
{
	DMASIM_CONTRACT(explorer, "there is an explorer");
	return explorer->runs;
}

bool dmasim_explorer_complete(const struct dmasim_explorer *explorer)
{
	DMASIM_CONTRACT(explorer, "there is an explorer");
	return explorer_counts(explorer->explorer).complete;
}
