/* SPDX-License-Identifier: MIT */
/*
 * Measuring IOVA allocators: what is timed is what the workload says, each allocator does all of
 * it, and who cannot says why. Times themselves are nobody's to test.
 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "unit/workbench/placed.h"
#include "workbench/measure.h"

static const struct measure_config config = {
	.runs = 2,
	.timed_ms_max = 60000,
	.total_ms_max = 60000,
	.lead_ms_max = 60000,
};

static struct dmasim_iova_workload *make(const char *name, u64 live, u64 steps)
{
	struct dmasim_iova_error error;
	struct dmasim_iova_workload *workload = dmasim_iova_workload_create(
		&(struct dmasim_iova_workload_config){ .name = name, .live = live, .steps = steps },
		&error);

	assert_non_null(workload);
	return workload;
}

static void expect_plan(const char *name, u64 live, enum measure_shape shape, bool alone)
{
	struct dmasim_iova_workload *workload = make(name, live, 1000);
	struct measure_plan plan;

	assert_true(measure_plan_init(&plan, workload));
	expect_u64(plan.shape, shape);
	expect_u64(plan.alone, alone);
	expect_u64(plan.unit_count, 1000);
	measure_plan_fini(&plan);
	dmasim_iova_workload_destroy(workload);
}

static void the_commonest_workloads_have_loops_of_their_own(void **state)
{
	(void)state;
	expect_plan("churn", 50, MEASURE_SWAP, false);
	expect_plan("uniform", 0, MEASURE_PAIR, false);
	expect_plan("uniform", 50, MEASURE_PAIR, false);
	expect_plan("mixed", 50, MEASURE_SWAP, false);
	expect_plan("ring", 50, MEASURE_SWAP, false);
	expect_plan("pair", 50, MEASURE_SWAP, false);
	expect_plan("ageing", 50, MEASURE_SWAP, false);
	expect_plan("full32", 50, MEASURE_OPS, false);
	expect_plan("windows", 50, MEASURE_OPS, false);
	expect_plan("lookup", 50, MEASURE_OPS, false);
}

static void what_stands_apart_is_timed_alone(void **state)
{
	(void)state;
	expect_plan("walk", 50, MEASURE_OPS, true);
	expect_plan("flush", 50, MEASURE_OPS, true);
}

/* A loop of its own or not: the allocator is asked for the same. */
static void loops_do_what_the_list_says(void **state)
{
	static const char *const names[] = { "uniform", "mixed", "pair", "full32", "uniform" };

	(void)state;
	for (u32 i = 0; i < 5; i++) {
		struct dmasim_iova_workload *workload = make(names[i], i < 4 ? 30 : 0, 500);
		struct placed by_list = { 0 }, by_loop = { 0 };
		struct iova_allocator_ops ops = placed_ops(&by_list, false);
		struct measure_plan plan;
		struct player player;

		/* Some allocations fail. */
		for (u32 k = 0; k < PLACED_MAX; k++)
			by_list.pfn[k] = by_loop.pfn[k] = k % 7 ? 1 + k : IOVA_NO_PFN;
		assert_true(measure_plan_init(&plan, workload));
		assert_true(player_open(&player, &ops, workload));
		player_play(&player, 0, workload->count);
		expect_u64(player.failed > 0, 1);
		by_list.reserves = player.live;
		player_close(&player);

		ops = placed_ops(&by_loop, false);
		assert_true(player_open(&player, &ops, workload));
		player_play(&player, 0, plan.unit[0].first);
		measure_batch(&plan, &player, 0, 100);
		measure_batch(&plan, &player, 100, plan.unit_count);
		by_loop.reserves = player.live;
		player_close(&player);
		assert_memory_equal(&by_list, &by_loop, sizeof(by_list));
		measure_plan_fini(&plan);
		dmasim_iova_workload_destroy(workload);
	}
}

static void every_unit_is_done_in_every_run(void **state)
{
	static const char *const names[] = { "uniform", "mixed", "walk" };
	const struct iova_allocator_ops *allocators[] = { dmasim_iova_linux(),
							  dmasim_iova_exact() };
	struct ticks ticks;

	(void)state;
	ticks_init(&ticks);
	assert_true(ticks.per_ms > 0);
	for (u32 i = 0; i < 3; i++) {
		struct dmasim_iova_workload *workload = make(names[i], 100, 1000);
		struct measure_result result[3];

		assert_true(measure(&config, &ticks, workload, allocators, 2, result));
		for (u32 k = 0; k < 3; k++) {
			assert_null(result[k].unable);
			expect_u64(result[k].runs, 2);
			expect_u64(result[k].units, 1000);
			/* Of each block of 15 units, 12 are timed as a whole. */
			assert_true(i == 2 ? result[k].samples == 1000
					   : result[k].samples >= 190 && result[k].samples <= 260);
			assert_true(result[k].p50_ps <= result[k].p99_ps);
			assert_true(result[k].p99_ps <= result[k].p999_ps);
			assert_true(result[k].p999_ps <= result[k].worst_ps);
		}
		/* Of walk, the last timed allocation is still there. */
		expect_u64(result[0].live, workload_live(workload) + (i == 2));
		assert_true(result[0].bytes > 0 && result[0].worst_bytes > 0);
		dmasim_iova_workload_destroy(workload);
	}
}

static const char *unable(const struct iova_allocator_ops *ops, const char *name, u64 live)
{
	struct dmasim_iova_workload *workload = make(name, live, 1000);
	struct measure_result result[2];
	struct ticks ticks;

	ticks_init(&ticks);
	assert_true(measure(&config, &ticks, workload, &ops, 1, result));
	dmasim_iova_workload_destroy(workload);
	return result[0].unable;
}

static void who_has_no_next_finds_nothing(void **state)
{
	struct placed placed = { .pfn = { 1 } };
	struct iova_allocator_ops ops = placed_ops(&placed, false);

	(void)state;
	assert_string_equal(unable(&ops, "lookup", 10), "it has no next");
	expect_u64(placed.live, 0);
}

static void a_space_that_is_too_small_is_told(void **state)
{
	struct placed placed = { 0 };
	struct iova_allocator_ops ops = placed_ops(&placed, false);

	(void)state;
	for (u32 i = 0; i < PLACED_MAX; i++)
		placed.pfn[i] = IOVA_NO_PFN;
	assert_string_equal(unable(&ops, "mixed", 10000), "its space is too small");
	expect_u64(placed.live, 0);
}

/* The mark lies 50 ms back, without a CPU since: so much of 60 ms belongs to others. */
static void time_that_others_had_is_taken_away(void **state)
{
	const struct ticks ticks = { .per_ms = 1000 };
	struct ticks_mark mark;
	u64 own;

	(void)state;
	ticks_mark(&mark);
	mark.wall_ns -= 50 * TICKS_NS_PER_MS;
	own = ticks_own(&ticks, &mark, 60000);
	assert_true(own <= 10000);
	/* The mark is new: nothing to speak of was lost since. */
	own = ticks_own(&ticks, &mark, 60000000);
	assert_true(own > 0 && own <= 60000000);
}

static void what_was_short_is_left_as_it_is(void **state)
{
	const struct ticks ticks = { .per_ms = 1000 };
	struct ticks_mark mark = { .wall_ns = 5, .cpu_ns = 5 };

	(void)state;
	expect_u64(ticks_own(&ticks, &mark, 99), 99);
	expect_u64(mark.wall_ns, 5);
}

static void ticks_are_picoseconds_by_their_rate(void **state)
{
	const struct ticks ticks = { .per_ms = 3400000 };

	(void)state;
	expect_u64(ticks_ps(&ticks, 0), 0);
	expect_u64(ticks_ps(&ticks, 34), 10000);
	expect_u64(ticks_ps(&ticks, 3400000ULL * 86400000), 86400000ULL * 1000000000);
}

static void a_list_without_timing_cannot_be_measured(void **state)
{
	struct dmasim_iova_workload *workload = workload_new("own", 1, 0xff, 1);
	const struct iova_allocator_ops *allocator = dmasim_iova_exact();
	struct dmasim_iova_error error = { "" };
	FILE *out = fopen("/dev/null", "w");

	(void)state;
	workload_alloc(workload, 0, 1, 0xff, 0);
	assert_int_equal(
		dmasim_iova_bench_one(&(struct dmasim_iova_bench){ .allocators = &allocator,
								   .allocator_count = 1 },
				      workload, out, &error),
		-1);
	assert_string_equal(error.text, "own: nothing is timed: expected 'timing on'");
	fclose(out);
	dmasim_iova_workload_destroy(workload);
}

TEST_MAIN(cmocka_unit_test(the_commonest_workloads_have_loops_of_their_own),
	  cmocka_unit_test(what_stands_apart_is_timed_alone),
	  cmocka_unit_test(loops_do_what_the_list_says),
	  cmocka_unit_test(every_unit_is_done_in_every_run),
	  cmocka_unit_test(who_has_no_next_finds_nothing),
	  cmocka_unit_test(a_space_that_is_too_small_is_told),
	  cmocka_unit_test(time_that_others_had_is_taken_away),
	  cmocka_unit_test(what_was_short_is_left_as_it_is),
	  cmocka_unit_test(ticks_are_picoseconds_by_their_rate),
	  cmocka_unit_test(a_list_without_timing_cannot_be_measured))
