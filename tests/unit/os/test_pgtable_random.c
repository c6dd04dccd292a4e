/* SPDX-License-Identifier: MIT */
/*
 * Random maps and unmaps.
 */
#include "table_run.h"
#include "unit/hw/scale.h"

#define STEPS 30000 /* full count */

static void step(struct run *run)
{
	/* Now and then a whole window in one leaf, or as few as possible. */
	if (run->steps % 1000 == 200) {
		run_empty_the_window(run);
		run_map(run, RUN_WINDOW_AT, 3 * RUN_WINDOW, RUN_WINDOW);
		run_compare(run, RUN_WINDOW_AT, RUN_WINDOW);
		run_unmap(run, RUN_WINDOW_AT, RUN_WINDOW);
	} else if (run_draw(run, 100) < 55) {
		run_step_map(run);
	} else {
		run_step_unmap(run);
	}
}

/*
 * trust: page tables under random maps and unmaps
 * | an independent model: an array of pages, and the hardware side's walker
 */
static void random_maps_and_unmaps_do_what_the_model_does(void **state)
{
	struct format_fixture *fixture = *state;
	struct run *run = run_start(fixture);
	u32 steps = scaled(STEPS);

	for (run->steps = 0; run->steps < steps; run->steps++) {
		step(run);
		expect_u64(format_tables(fixture), 1 + model_tables(&run->model));
		if (run->steps % 100 == 0)
			run_compare(run, RUN_WINDOW_AT, RUN_WINDOW);
	}
	run_empty_the_window(run);
	expect_u64(format_tables(fixture), 1 + model_tables(&run->model));
	/* The run must have met what it is about. */
	assert_true(run->refused > steps / 100);
	assert_true(run->holes > steps / 100);
	assert_true(run->large > steps / 100);
}

TEST_MAIN(ON_EVERY_FORMAT_AND_SIZE(random_maps_and_unmaps_do_what_the_model_does))
