/* SPDX-License-Identifier: MIT */
/*
 * Random maps and unmaps.
 */
#include "support/scale.h"
#include "table_run.h"

#define STEPS 30000 /* full count */

static void step(struct run *run)
{
	/* Now and then a whole window in one leaf, or as few as possible. */
	if (run->steps % 1000 == 200) {
		run_empty_the_window(run);
		run_map(run, run->at, 3 * RUN_WINDOW, RUN_WINDOW);
		run_compare(run, run->at, RUN_WINDOW);
		run_unmap(run, run->at, RUN_WINDOW);
	} else if (run_draw(run, 100) < 55) {
		run_step_map(run);
	} else {
		run_step_unmap(run);
	}
}

static void random_steps(struct run *run, u32 steps)
{
	for (run->steps = 0; run->steps < steps; run->steps++) {
		step(run);
		run_count_tables(run);
		if (run->steps % 100 == 0)
			run_compare(run, run->at, RUN_WINDOW);
	}
	run_empty_the_window(run);
	run_count_tables(run);
}

/* The run must have met what it is about, so often at least. */
static void expect_met(const struct run *run, u32 often)
{
	assert_true(run->refused > often);
	assert_true(run->holes > often);
	if (run->model.sizes & (RUN_WINDOW / 8 - (2ULL << run->model.granule_lg2)))
		assert_true(run->large > often);
}

/* As few of the steps as that say nothing of how often each is met; none may be missing. */
static void some_random_steps(struct run *run)
{
	u32 steps = scaled(STEPS / 8);

	random_steps(run, steps);
	if (steps > 300)
		expect_met(run, 0);
}

/*
 * trust: page tables under random maps and unmaps
 * | an independent model: an array of pages, and the hardware side's walker
 */
static void random_maps_and_unmaps_do_what_the_model_does(void **state)
{
	struct run *run = run_start(*state);
	u32 steps = scaled(STEPS);

	random_steps(run, steps);
	expect_met(run, steps / 100);
}

static void random_maps_and_unmaps_in_more_configurations(void **state)
{
	some_random_steps(run_start(*state));
}

/* Of addresses that repeat their highest bit: as far up as a window is that is not the last. */
static void random_maps_and_unmaps_in_the_upper_half(void **state)
{
	some_random_steps(run_start_at(*state, -3 * RUN_WINDOW));
}

/* Behind what the first levels reach. */
static void random_maps_and_unmaps_in_a_table_that_grew(void **state)
{
	struct format_fixture *fixture = *state;
	struct run *run = run_start_at(fixture, (1ULL << 48) + RUN_WINDOW_AT);

	expect_u64(fixture->pt.levels, 5);
	/* The old top, and what leads to it. */
	expect_u64(run->others, 2);
	some_random_steps(run);
}

TEST_MAIN(ON_EVERY_FORMAT_AND_SIZE(random_maps_and_unmaps_do_what_the_model_does),
	  ON_FORMAT(armv8_s1_4k_bbm, random_maps_and_unmaps_do_what_the_model_does),
	  ON_FORMAT(armv8_s1_16k_bbm, random_maps_and_unmaps_do_what_the_model_does),
	  ON_MORE_CONFIGURATIONS(random_maps_and_unmaps_in_more_configurations),
	  ON_SIGNED(random_maps_and_unmaps_in_the_upper_half),
	  ON_FORMAT(amdv1_grows, random_maps_and_unmaps_in_a_table_that_grew),
	  ON_FORMAT(amdv1_grows_6, random_maps_and_unmaps_in_a_table_that_grew))
