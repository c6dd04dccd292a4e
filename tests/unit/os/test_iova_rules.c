/* SPDX-License-Identifier: MIT */
/*
 * The allocator "linux" against the rules written out, in step: the same random operations, the
 * same answers, and after each the same state.
 *
 * A run has a shape (how large the space is, where it begins, what lies in it) and phases: of
 * growth and decay, each with a size it likes and a CPU. DMASIM_SEED is the seed of the first run.
 */
#include "iova_subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iova_shapes.h"
#include "property/seeds.h"
#include "workbench/iova_world.h"

#define STEPS 200000 /* of each test, full count; of all together a million */
#define TEXT  160

struct live {
	u64 pfn, size;
	bool fast;
};

struct run {
	struct iova_subject rules, judged;
	const struct shape *shape;
	struct dice dice;
	u64 seed, step;
	u32 cpus;
	u64 boundary;
	struct live live[SHAPE_LIVE_MAX];
	u32 count;
	u32 growth; /* percent, in this phase */
	u32 phase_lg2, phase_cpu;
	char did[TEXT]; /* the step, for who wants to know what failed */
	u64 failed, placed, depot_pushes, memory_failures;
};

/* ---- Comparison ------------------------------------------------------------------------------ */

static void expect_same(struct run *run, const char *what, u64 value, u64 expected)
{
	if (value == expected)
		return;
	seed_failed(run->seed);
	fail_msg("step %llu, %s: %s is 0x%llx, and 0x%llx by the rules", run->step, run->did, what,
		 value, expected);
}

static void compare_state(struct run *run)
{
	struct rules_state rules = run->rules.ops->state(&run->rules);
	struct rules_state judged = run->judged.ops->state(&run->judged);

	expect_same(run, "cached", judged.cached, rules.cached);
	expect_same(run, "cached32", judged.cached32, rules.cached32);
	expect_same(run, "max32", judged.max32, rules.max32);
	expect_same(run, "nodes", judged.nodes, rules.nodes);
}

static void compare_all(struct run *run)
{
	struct rules_range rules = { 0, 0 }, judged = { 0, 0 };
	u64 pfn = 0;

	expect_same(run, "the number of cached ranges", run->judged.ops->cached(&run->judged),
		    run->rules.ops->cached(&run->rules));
	for (;;) {
		bool there = run->rules.ops->next(&run->rules, pfn, &rules);

		expect_same(run, "a next range", run->judged.ops->next(&run->judged, pfn, &judged),
			    there);
		if (!there)
			return;
		expect_same(run, "a first page", judged.lo, rules.lo);
		expect_same(run, "a last page", judged.hi, rules.hi);
		pfn = rules.hi + 1;
	}
}

/* ---- Draws ----------------------------------------------------------------------------------- */

static u64 below(struct run *run, u64 bound)
{
	return dice_below(&run->dice, bound);
}

/* Any number of up to so many bits, each length as often. */
static u64 bits(struct run *run, u32 lg2_max)
{
	u32 lg2 = (u32)below(run, lg2_max + 1);

	return lg2 ? (1ULL << (lg2 - 1)) + below(run, 1ULL << (lg2 - 1)) : 0;
}

static u64 draw_size(struct run *run)
{
	switch (below(run, run->shape->steep ? 40 : 8)) {
	case 0:
		return 1 + below(run, 40);
	case 1:
		return 1 + bits(run, run->shape->pages_lg2);
	case 2:
		return below(run, 20) ? 1 : 1 + bits(run, 50);
	case 3:
		/* Just beside a power of two. */
		return dice_from(&run->dice, 1, 2) +
		       (1ULL << below(run, run->shape->pages_lg2 + 1)) - 1;
	default:
		return 1ULL << run->phase_lg2;
	}
}

static u64 draw_limit(struct run *run)
{
	const struct shape *shape = run->shape;

	switch (below(run, 16)) {
	case 0:
		return run->boundary - 1;
	case 1:
		return run->boundary - 3 + below(run, 6);
	case 2:
		return 2 * run->boundary - 1;
	case 3:
		return (1ULL << (48 - 12)) - 1;
	case 4:
		return below(run, 8) ? shape->last : ~0ULL;
	case 5:
		return below(run, 8) ? shape->last : ~0ULL - 1 - below(run, 3);
	case 6:
		return below(run, shape->first + 70);
	case 7:
	case 8:
	case 9:
		return dice_from(&run->dice, shape->first, shape->last);
	default:
		return shape->last;
	}
}

static u64 draw_pfn(struct run *run)
{
	const struct live *live = &run->live[run->count ? below(run, run->count) : 0];

	if (run->count && below(run, 3))
		return live->pfn + below(run, live->size + 2) - below(run, 2);
	return dice_from(&run->dice, run->shape->first, run->shape->last);
}

static u32 draw_cpu(struct run *run)
{
	return below(run, 4) ? run->phase_cpu : (u32)below(run, run->cpus);
}

static void begin_phase(struct run *run)
{
	bool growing = below(run, 2);

	run->phase_lg2 = (u32)below(run, run->shape->pages_lg2 + 1);
	run->phase_cpu = (u32)below(run, run->cpus);
	if (run->shape->steep)
		run->growth = growing ? 95 : 5;
	else
		run->growth = (u32)(growing ? dice_from(&run->dice, 55, 100)
					    : dice_from(&run->dice, 0, 45));
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static void keep(struct run *run, u64 pfn, u64 size, bool fast)
{
	if (pfn == RULES_FAIL) {
		run->failed++;
		return;
	}
	run->placed++;
	if (run->count < SHAPE_LIVE_MAX)
		run->live[run->count++] = (struct live){ pfn, size, fast };
}

/* Now and then the next memory that is asked for is not there. */
static void spoil_memory(struct run *run)
{
	if (run->shape->short_of_memory && below(run, 2))
		iova_world_fail(run->judged.world, DMASIM_FAULT_ANY, 1);
}

/* True if it was asked for. */
static bool memory_failed(struct run *run)
{
	bool failed;

	if (!run->shape->short_of_memory)
		return false;
	failed = iova_world_counts(run->judged.world)->failures;
	iova_world_fail(run->judged.world, DMASIM_FAULT_ANY, 0);
	run->memory_failures += failed;
	return failed;
}

static void step_alloc(struct run *run)
{
	u64 size = draw_size(run), limit = draw_limit(run), pfn;
	u32 align_lg2 = rules_order(size);

	if (!below(run, 3))
		align_lg2 = below(run, 4) ? 0 : (u32)below(run, 12);
	snprintf(run->did, TEXT, "alloc of 0x%llx below 0x%llx, aligned to %u bits", size, limit,
		 align_lg2);
	spoil_memory(run);
	pfn = run->judged.ops->alloc(&run->judged, size, limit, align_lg2);
	run->rules.rules->no_memory = memory_failed(run);
	expect_same(run, "the place", pfn,
		    run->rules.ops->alloc(&run->rules, size, limit, align_lg2));
	run->rules.rules->no_memory = false;
	keep(run, pfn, size, false);
}

static void step_fast_alloc(struct run *run)
{
	u64 size = draw_size(run), limit = draw_limit(run), pfn;
	/* Which of two tries it was that had no memory one could not tell. */
	bool flush = !run->shape->short_of_memory && !below(run, 3);
	u32 cpu = draw_cpu(run);

	snprintf(run->did, TEXT, "fast alloc of 0x%llx below 0x%llx on CPU %u, flush %d", size,
		 limit, cpu, flush);
	spoil_memory(run);
	pfn = run->judged.ops->fast_alloc(&run->judged, size, limit, flush, cpu);
	run->rules.rules->no_memory = memory_failed(run);
	expect_same(run, "the place", pfn,
		    run->rules.ops->fast_alloc(&run->rules, size, limit, flush, cpu));
	run->rules.rules->no_memory = false;
	keep(run, pfn, size, true);
}

static void free_fast(struct run *run, u64 pfn, u64 size)
{
	u32 cpu = draw_cpu(run);

	snprintf(run->did, TEXT, "fast free of 0x%llx at 0x%llx on CPU %u", size, pfn, cpu);
	spoil_memory(run);
	run->judged.ops->fast_free(&run->judged, pfn, size, cpu);
	/* No magazine for it: it goes to the tree. */
	if (memory_failed(run))
		run->rules.ops->free(&run->rules, pfn);
	else
		run->rules.ops->fast_free(&run->rules, pfn, size, cpu);
}

static void free_direct(struct run *run, u64 pfn)
{
	snprintf(run->did, TEXT, "free at 0x%llx", pfn);
	spoil_memory(run);
	run->judged.ops->free(&run->judged, pfn);
	expect_same(run, "a failure of memory", memory_failed(run), false);
	run->rules.ops->free(&run->rules, pfn);
}

static void step_free(struct run *run)
{
	u32 at = (u32)below(run, run->count);
	struct live live = run->live[at];

	/* In many orders: the last one, the first one, any. */
	if (!below(run, 3))
		at = run->count - 1;
	live = run->live[at];
	run->live[at] = run->live[--run->count];
	if (live.fast)
		free_fast(run, live.pfn, live.size);
	else
		free_direct(run, live.pfn + (below(run, 2) ? 0 : below(run, live.size)));
}

static void step_misuse(struct run *run)
{
	u64 pfn = draw_pfn(run);

	/* There Linux would free the anchor, which is a part of the domain. */
	if (pfn == RULES_ANCHOR)
		return;
	if (below(run, 2))
		free_direct(run, pfn);
	else
		free_fast(run, pfn, draw_size(run));
}

static void step_reserve(struct run *run)
{
	u64 first = draw_pfn(run), size = 1 + bits(run, run->shape->reserve_lg2), last;
	bool can;

	if (!below(run, 4))
		first = first > size ? first - size : 0;
	last = first + size - 1;
	snprintf(run->did, TEXT, "reserve of 0x%llx to 0x%llx", first, last);
	can = run->rules.ops->reserve(&run->rules, first, last);
	expect_same(run, "the answer", run->judged.ops->reserve(&run->judged, first, last), can);
}

static void step_time(struct run *run)
{
	u64 ns = 1000000ULL * (below(run, 3) ? below(run, 120) : below(run, 3000));
	u32 class = (u32)below(run, RULES_CLASSES);
	u32 left;

	if (run->shape->timers) {
		snprintf(run->did, TEXT, "%llu ns", ns);
		run->rules.ops->pass(&run->rules, ns);
		run->judged.ops->pass(&run->judged, ns);
		return;
	}
	snprintf(run->did, TEXT, "trim of class %u", class);
	left = run->rules.ops->trim(&run->rules, class);
	expect_same(run, "what is left", run->judged.ops->trim(&run->judged, class), left);
}

static void step(struct run *run)
{
	const struct shape *shape = run->shape;
	bool grow = below(run, 100) < run->growth;

	if (below(run, 1000) < shape->reserves)
		step_reserve(run);
	else if (shape->misuse && !below(run, 25))
		step_misuse(run);
	else if (!below(run, 100))
		step_time(run);
	else if (run->count && (!grow || run->count >= shape->live_max))
		step_free(run);
	else if (below(run, 100) < shape->fast_percent)
		step_fast_alloc(run);
	else
		step_alloc(run);
}

/* ---- Runs ------------------------------------------------------------------------------------ */

static void start(struct run *run, const struct shape *shape, u32 granule_lg2)
{
	run->shape = shape;
	run->dice = dice_of(run->seed, 0);
	run->cpus = (u32)dice_from(&run->dice, 1, 3);
	run->boundary = 1ULL << (32 - granule_lg2);
	run->count = 0;
	run->rules.repairs = run->judged.repairs = shape->repairs;
	run->rules.ops->start(&run->rules, run->cpus, granule_lg2, shape->first);
	run->judged.ops->start(&run->judged, run->cpus, granule_lg2, shape->first);
}

static void one_run(struct run *run, const struct shape *shape, u32 granule_lg2)
{
	start(run, shape, granule_lg2);
	for (run->step = 0; run->step < shape->steps; run->step++) {
		if (run->step % shape->phase == 0)
			begin_phase(run);
		step(run);
		compare_state(run);
		if (run->step % 64 == 0)
			compare_all(run);
	}
	compare_all(run);
	run->depot_pushes += run->rules.rules->depot_pushes;
}

static struct run *new_run(void)
{
	struct run *run = calloc(1, sizeof(*run));

	assert_non_null(run);
	run->rules.ops = &iova_subject_rules;
	run->judged.ops = &iova_subject_linux;
	return run;
}

static void end(struct run *run)
{
	run->rules.ops->end(&run->rules);
	run->judged.ops->end(&run->judged);
	free(run);
}

/* Runs with shapes that `draw` makes, each with a seed of its own. */
static struct run *run_all(void (*draw)(struct dice *dice, u64 boundary, struct shape *shape))
{
	static const u32 granules_lg2[] = { 12, 12, 12, 11, 16, 9 };
	struct run *run = new_run();
	u64 first = test_seed(1);
	u32 steps = scaled(STEPS), runs = 0;

	for (u32 done = 0; done < steps; runs++) {
		struct dice dice = dice_of(first + runs, 1);
		u32 granule_lg2 = granules_lg2[dice_below(&dice, 6)];
		struct shape shape = { 0 };

		draw(&dice, 1ULL << (32 - granule_lg2), &shape);
		run->seed = first + runs;
		one_run(run, &shape, granule_lg2);
		done += shape.steps;
	}
	print_message("# %u runs from seed 0x%llx: %llu placed, %llu not, %llu depots filled, "
		      "%llu times no memory\n",
		      runs, first, run->placed, run->failed, run->depot_pushes,
		      run->memory_failures);
	return run;
}

/* ---- Tests ----------------------------------------------------------------------------------- */

/*
 * trust: IOVAs of "linux": places, failures and state, in step
 * | an independent model: the rules, over a sorted array
 */
static void in_small_spaces_that_are_often_full(void **state)
{
	struct run *run = run_all(shape_dense);

	(void)state;
	assert_true(run->placed > 0 && run->failed > 0);
	end(run);
}

static void in_small_spaces_around_4_gib(void **state)
{
	struct run *run = run_all(shape_around_4g);

	(void)state;
	assert_true(run->placed > 0 && run->failed > 0);
	end(run);
}

static void in_large_spaces_with_reserved_ranges_of_every_size(void **state)
{
	struct run *run = run_all(shape_sparse);

	(void)state;
	assert_true(run->placed > 0 && run->failed > 0);
	end(run);
}

/*
 * trust: per-CPU caches of IOVAs and their depot
 * | an independent model: the rules, over a sorted array
 */
static void with_full_caches(void **state)
{
	struct run *run = run_all(shape_cached);

	(void)state;
	assert_true(run->depot_pushes > 0);
	end(run);
}

static void under_misuse(void **state)
{
	struct run *run = run_all(shape_misused);

	(void)state;
	assert_true(run->placed > 0 && run->failed > 0);
	end(run);
}

static void without_memory_nothing_changes_and_frees_need_none(void **state)
{
	struct run *run = run_all(shape_short_of_memory);

	(void)state;
	assert_true(run->memory_failures > 0);
	end(run);
}

static void with_repairs(void **state)
{
	struct run *run = run_all(shape_repaired);

	(void)state;
	assert_true(run->placed > 0 && run->failed > 0);
	end(run);
}

TEST_MAIN(cmocka_unit_test(in_small_spaces_that_are_often_full),
	  cmocka_unit_test(in_small_spaces_around_4_gib),
	  cmocka_unit_test(in_large_spaces_with_reserved_ranges_of_every_size),
	  cmocka_unit_test(with_full_caches), cmocka_unit_test(under_misuse),
	  cmocka_unit_test(without_memory_nothing_changes_and_frees_need_none),
	  cmocka_unit_test(with_repairs))
