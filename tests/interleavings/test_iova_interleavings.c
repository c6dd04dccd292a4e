/* SPDX-License-Identifier: MIT */
/*
 * IOVA allocators under CPUs that take turns at every preemption point, in every order within a
 * bound: the model of the workbench judges each call, and that nothing is lost at the end.
 */
#include "unit/iova/rows.h"

#include <string.h>

#include "property/seeds.h"
#include "unit/iova/flawed.h"
#include "workbench/iova_judge.h"
#include "world/explore.h"

#define CPUS_MAX  3
#define CALLS_MAX 4

enum what { END, TAKE, GIVE };

struct call {
	enum what what;
	u64 pages;
	u64 limit;
	u32 how; /* TAKE; GIVE gives back what the CPU took `pages` calls of TAKE before, from 1 */
};

struct program {
	u64 last_pfn;
	u32 filled; /* single pages that lie in CPU 0's cache at the beginning */
	struct call call[CPUS_MAX][CALLS_MAX + 1];
};

struct bench {
	const struct iova_allocator_ops *ops;
	u32 repairs;
	const struct program *program;
	struct iova_world *world;
	struct iova_judge judge;
	struct schedule schedule;
	char said[512]; /* what was wrong */
};

struct cpu {
	struct bench *bench;
	const struct call *call;
};

/* ---- One run --------------------------------------------------------------------------------- */

static void at_point(void *context, enum dmasim_point point)
{
	struct schedule *schedule = context;

	(void)point;
	if (schedule_is_running(schedule))
		schedule_point(schedule);
}

static bool at_held_lock(void *context, const bool *held)
{
	return schedule_wait(context, held);
}

static void give(struct iova_judge *judge, u64 pfn)
{
	if (pfn != IOVA_NO_PFN && !judge->wrong[0])
		iova_judge_free(judge, iova_spans_at(&judge->model.live, pfn));
}

static void run_cpu(void *context)
{
	struct cpu *cpu = context;
	struct iova_judge *judge = &cpu->bench->judge;
	u64 taken[CALLS_MAX];
	u32 count = 0;

	for (const struct call *call = cpu->call; call->what != END && !judge->wrong[0]; call++) {
		if (call->what == TAKE)
			taken[count++] =
				iova_judge_alloc(judge, call->pages, call->limit, call->how);
		else
			give(judge, taken[count - call->pages]);
	}
}

static void begin(struct bench *bench)
{
	const struct iova_allocator_config space = { .granule_lg2 = 12,
						     .start_pfn = 1,
						     .last_pfn = bench->program->last_pfn,
						     .repairs = bench->repairs };

	bench->world = iova_world_create(CPUS_MAX);
	assert_true(iova_judge_begin(&bench->judge, bench->ops, bench->world, &space));
	for (u32 i = 0; i < bench->program->filled; i++)
		iova_judge_alloc(&bench->judge, 1, space.last_pfn, IOVA_CACHE);
	for (u32 i = 0; i < bench->program->filled; i++)
		iova_judge_free(&bench->judge, 0);
	schedule_init(&bench->schedule, &iova_world_platform(bench->world)->cpu);
	iova_world_step(bench->world, at_point, &bench->schedule);
	iova_world_wait(bench->world, at_held_lock);
}

/* False: bench->said has the choices that lead to what is wrong. */
static bool end(struct bench *bench, int err)
{
	struct iova_judge *judge = &bench->judge;
	bool good;

	iova_world_run_freely(bench->world);
	iova_world_set_cpu(bench->world, 0);
	if (!judge->wrong[0])
		iova_judge_tells(judge);
	if (!judge->wrong[0])
		iova_judge_drain(judge);
	good = !err && !judge->wrong[0];
	snprintf(bench->said, sizeof(bench->said), "choices %s: %s",
		 schedule_choices(&bench->schedule), err ? "nobody can go on" : judge->wrong);
	schedule_fini(&bench->schedule);
	iova_judge_end(judge);
	expect_u64(iova_world_destroy(bench->world), 0);
	return good;
}

static bool run(struct bench *bench, struct schedule_chooser chooser)
{
	struct schedule_task task[CPUS_MAX];
	struct cpu cpu[CPUS_MAX];
	u32 count = 0;

	begin(bench);
	for (u32 i = 0; i < CPUS_MAX; i++) {
		cpu[i] = (struct cpu){ bench, bench->program->call[i] };
		task[i] = (struct schedule_task){ .run = run_cpu, .context = &cpu[i], .cpu = i };
		count += cpu[i].call->what != END;
	}
	return end(bench, schedule_run(&bench->schedule, task, count, chooser));
}

/* ---- Programs -------------------------------------------------------------------------------- */

#define CACHED (IOVA_CACHE)
#define LAST   (IOVA_CACHE | IOVA_FLUSH)

static const struct program programs[] = {
	{
		.last_pfn = 8,
		.call = {
			{ { TAKE, 2, 8, 1 }, { TAKE, 1, 8, 0 }, { GIVE, 2, 0, 0 } },
			{ { TAKE, 3, 8, 0 }, { GIVE, 1, 0, 0 }, { TAKE, 2, 4, 1 } },
		},
	},
	{
		.last_pfn = 8,
		.filled = 2,
		.call = {
			{ { TAKE, 1, 8, CACHED }, { GIVE, 1, 0, 0 }, { TAKE, 1, 8, CACHED } },
			{ { TAKE, 1, 8, CACHED }, { GIVE, 1, 0, 0 } },
		},
	},
	/* All of a small space lies in one CPU's cache: another one wants it, as one range. */
	{
		.last_pfn = 4,
		.filled = 4,
		.call = {
			{ { TAKE, 1, 4, CACHED }, { GIVE, 1, 0, 0 } },
			{ { TAKE, 2, 4, 1 | LAST }, { GIVE, 1, 0, 0 }, { TAKE, 1, 1, LAST } },
		},
	},
	{
		.last_pfn = 3,
		.filled = 2,
		.call = {
			{ { TAKE, 1, 3, LAST }, { GIVE, 1, 0, 0 } },
			{ { TAKE, 1, 3, LAST }, { TAKE, 1, 3, LAST } },
			{ { TAKE, 1, 3, LAST } },
		},
	},
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

/* How often a CPU that could go on is left, in one run. */
static u32 preemptions(void)
{
	u32 percent = scaled(100);

	return percent < 10 ? 1 : percent < 100 ? 2 : 3;
}

/* The runs that were made; 0: one of them went wrong. */
static u64 explore(struct bench *bench, const struct program *program)
{
	struct explorer *explorer = explorer_create(preemptions());
	struct explorer_counts counts;
	bool good = true;

	assert_non_null(explorer);
	bench->program = program;
	while (good && explorer_next(explorer))
		good = run(bench, explorer_chooser(explorer));
	counts = explorer_counts(explorer);
	explorer_destroy(explorer);
	assert_true(!good || counts.complete);
	return good ? counts.runs : 0;
}

/*
 * trust: allocators under several CPUs
 * | an independent model: a sorted array of ranges
 */
static void every_interleaving_of_small_programs_is_right(void **state)
{
	const struct allocator_row *row = *state;
	struct bench bench = { .ops = row->ops(), .repairs = row->repairs };

	for (u32 i = 0; i < PROGRAMS; i++) {
		if (explore(&bench, &programs[i]) < 5)
			fail_msg("%s, program %u: %s", row->name, i, bench.said);
	}
}

/* Without a bound on preemptions, by chance. */
static void random_interleavings_are_right(void **state)
{
	const struct allocator_row *row = *state;
	struct bench bench = { .ops = row->ops(), .repairs = row->repairs };
	u64 seed = test_seed(1);

	for (u32 i = 0; i < scaled(20000); i++) {
		struct random random;

		seed_failed(seed + i);
		random_init(&random, seed + i);
		bench.program = &programs[i % PROGRAMS];
		if (!run(&bench, schedule_by_chance(&random)))
			fail_msg("%s, program %u: %s", row->name, (u32)(i % PROGRAMS), bench.said);
	}
}

/* A cache of one page that is looked at before its lock is taken: both CPUs get the page. */
static void a_race_is_found(void **state)
{
	struct flawed flawed;
	struct bench bench = { .ops = &flawed.ops };
	bool found = false;

	(void)state;
	flawed_init(&flawed, dmasim_iova_bitmap(), FLAW_RACE);
	for (u32 i = 0; i < PROGRAMS && !found; i++)
		found = !explore(&bench, &programs[i]);
	assert_true(found);
	assert_non_null(strstr(bench.said, "1 pages at"));
}

TEST_MAIN(ON_EVERY_ALLOCATOR(every_interleaving_of_small_programs_is_right),
	  ON_EVERY_ALLOCATOR(random_interleavings_are_right), cmocka_unit_test(a_race_is_found))
