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
#define OWNED_MAX 4
#define PAGES_MAX 64 /* of a program that reserves */

enum what { END, TAKE, GIVE, KEEP };

struct call {
	enum what what;
	u64 pages;
	u64 limit;
	u32 how; /* TAKE; GIVE gives back what the CPU took `pages` calls of TAKE before, from 1 */
		 /* KEEP: [pages, limit] is reserved; it is looked at when all have ended. */
};

struct program {
	u64 last_pfn;
	u32 filled; /* single pages that lie in CPU 0's cache at the beginning */
	u32 owned;  /* and that each CPU has taken, with IOVA_CACHE */
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
	u32 number;
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
	u64 taken[OWNED_MAX + CALLS_MAX];
	u32 count = cpu->bench->program->owned;

	/* They are the lowest ranges. */
	for (u32 i = 0; i < count; i++)
		taken[i] = judge->model.start_pfn + cpu->number * count + i;
	for (const struct call *call = cpu->call; call->what != END && !judge->wrong[0]; call++) {
		if (call->what == TAKE)
			taken[count++] =
				iova_judge_alloc(judge, call->pages, call->limit, call->how);
		else if (call->what == GIVE)
			give(judge, taken[count - call->pages]);
		else
			expect_ok(judge->ops->reserve(judge->allocator, call->pages, call->limit));
	}
}

static void begin(struct bench *bench)
{
	const struct iova_allocator_config space = { .granule_lg2 = 12,
						     .start_pfn = 1,
						     .last_pfn = bench->program->last_pfn,
						     .repairs = bench->repairs };
	u32 owned = CPUS_MAX * bench->program->owned;

	bench->world = iova_world_create(CPUS_MAX);
	assert_true(iova_judge_begin(&bench->judge, bench->ops, bench->world, &space));
	for (u32 i = 0; i < bench->program->filled + owned; i++)
		iova_judge_alloc(&bench->judge, 1, space.last_pfn, IOVA_CACHE);
	for (u32 i = 0; i < bench->program->filled; i++)
		iova_judge_free(&bench->judge, owned);
	schedule_init(&bench->schedule, &iova_world_platform(bench->world)->cpu);
	iova_world_step(bench->world, at_point, &bench->schedule);
	iova_world_wait(bench->world, at_held_lock);
}

static const struct call *find_keep(const struct program *program)
{
	for (u32 cpu = 0; cpu < CPUS_MAX; cpu++) {
		for (const struct call *call = program->call[cpu]; call->what != END; call++) {
			if (call->what == KEEP)
				return call;
		}
	}
	return NULL;
}

/* Whatever can be had now, on each CPU, through its cache, is not what was reserved. */
static void judge_kept(struct iova_judge *judge, const struct call *keep)
{
	u64 taken[PAGES_MAX];
	u32 count = 0;

	for (u32 i = judge->model.live.count; i-- > 0;)
		iova_judge_free(judge, i);
	for (u32 cpu = 0; cpu < CPUS_MAX; cpu++) {
		u64 pfn;

		iova_world_set_cpu(judge->world, cpu);
		while ((pfn = judge->ops->alloc(judge->allocator, 1, judge->model.last_pfn,
						IOVA_CACHE)) != IOVA_NO_PFN) {
			if (pfn >= keep->pages && pfn <= keep->limit)
				iova_judge_wrong(judge, "page %llu was reserved", pfn);
			assert_true(count < PAGES_MAX);
			taken[count++] = pfn;
		}
	}
	for (u32 i = 0; i < count; i++)
		judge->ops->free(judge->allocator, taken[i], 1, 0);
}

/* False: bench->said has the choices that lead to what is wrong. */
static bool end(struct bench *bench, int err)
{
	const struct call *keep = find_keep(bench->program);
	struct iova_judge *judge = &bench->judge;
	bool good;

	iova_world_run_freely(bench->world);
	iova_world_set_cpu(bench->world, 0);
	if (keep && !judge->wrong[0])
		judge_kept(judge, keep);
	if (!keep && !judge->wrong[0])
		iova_judge_tells(judge);
	if (!keep && !judge->wrong[0])
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
		cpu[i] = (struct cpu){ bench, i, bench->program->call[i] };
		task[i] = (struct schedule_task){ .run = run_cpu, .context = &cpu[i], .cpu = i };
		count += cpu[i].call->what != END;
	}
	return end(bench, schedule_run(&bench->schedule, task, count, chooser));
}

/* ---- Programs -------------------------------------------------------------------------------- */

#define ALL    (~0ULL)
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

/* Not for those that say IOVA_LOOSE_RESERVE. */
static const struct program keeping[] = {
	/* While it is taken, given back, or in a cache. */
	{
		.last_pfn = 8,
		.filled = 2,
		.owned = 1,
		.call = {
			{ { KEEP, 1, 8, 0 } },
			{ { GIVE, 1, 0, 0 }, { TAKE, 1, 8, CACHED }, { GIVE, 1, 0, 0 } },
		},
	},
	{
		.last_pfn = 8,
		.filled = 2,
		.owned = 1,
		.call = {
			{ { TAKE, 1, 8, CACHED }, { GIVE, 1, 0, 0 } },
			{ { KEEP, 2, 7, 0 } },
			{ { GIVE, 1, 0, 0 }, { TAKE, 9, 8, LAST } },
		},
	},
};

#define KEEPING (sizeof(keeping) / sizeof(keeping[0]))

/* Caches that overflow, and are robbed meanwhile: too many points to try all orders. */
static const struct program large[] = {
	/* Two magazines are full: another one goes to the depot, and comes from there. */
	{
		.last_pfn = 2 * 127 + 3 * 3,
		.filled = 2 * 127,
		.owned = 3,
		.call = {
			{ { GIVE, 1, 0, 0 }, { GIVE, 2, 0, 0 }, { TAKE, 1, ALL, CACHED } },
			{ { TAKE, 1, ALL, CACHED }, { GIVE, 1, 0, 0 }, { GIVE, 2, 0, 0 } },
			{ { TAKE, 2, ALL, 1 | LAST }, { GIVE, 2, 0, 0 }, { TAKE, 1, 9, LAST } },
		},
	},
	{
		.last_pfn = 4 * 127 + 3 * 2,
		.filled = 4 * 127,
		.owned = 2,
		.call = {
			{ { GIVE, 1, 0, 0 }, { GIVE, 2, 0, 0 }, { TAKE, 4, ALL, 2 | LAST } },
			{ { TAKE, 1, ALL, CACHED }, { TAKE, 1, ALL, LAST }, { GIVE, 1, 0, 0 } },
			{ { TAKE, 1, ALL, CACHED }, { TAKE, 8, ALL, 3 | LAST } },
		},
	},
	/* A stack of 63 is full, and there is no other space. */
	{
		.last_pfn = 63 + 3 * 2,
		.filled = 63,
		.owned = 2,
		.call = {
			{ { GIVE, 1, 0, 0 }, { GIVE, 2, 0, 0 }, { TAKE, 1, ALL, CACHED } },
			{ { TAKE, 1, ALL, CACHED }, { TAKE, 1, ALL, LAST }, { GIVE, 1, 0, 0 } },
			{ { TAKE, 8, ALL, 3 | LAST }, { GIVE, 1, 0, 0 }, { TAKE, 1, 3, LAST } },
		},
	},
};

#define LARGE (sizeof(large) / sizeof(large[0]))

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

static void what_is_reserved_is_not_given_in_any_order(void **state)
{
	const struct allocator_row *row = *state;
	struct bench bench = { .ops = row->ops(), .repairs = row->repairs };

	for (u32 i = 0; i < KEEPING; i++) {
		if (explore(&bench, &keeping[i]) < 5)
			fail_msg("%s, program %u: %s", row->name, i, bench.said);
	}
}

static void caches_overflow_and_are_emptied_in_any_order(void **state)
{
	const struct allocator_row *row = *state;
	struct bench bench = { .ops = row->ops(), .repairs = row->repairs };
	u64 seed = test_seed(1);

	for (u32 i = 0; i < scaled(6000); i++) {
		struct random random;

		seed_failed(seed + i);
		random_init(&random, seed + i);
		bench.program = &large[i % LARGE];
		if (!run(&bench, schedule_by_chance(&random)))
			fail_msg("%s, program %u: %s", row->name, (u32)(i % LARGE), bench.said);
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
	  ON_EVERY_ALLOCATOR(random_interleavings_are_right),
	  ON_EVERY_ALLOCATOR(caches_overflow_and_are_emptied_in_any_order),
	  ON_ALLOCATOR(exact, what_is_reserved_is_not_given_in_any_order),
	  ON_ALLOCATOR(bitmap, what_is_reserved_is_not_given_in_any_order),
	  cmocka_unit_test(a_race_is_found))
