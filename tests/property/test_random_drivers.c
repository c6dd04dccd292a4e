/* SPDX-License-Identifier: MIT */
/*
 * Random drivers that do nothing wrong, in every mode of the matrix: no report, and the bytes that
 * a plain model has. See driver.h.
 */
#include <stdlib.h>
#include <string.h>

#include "property/driver.h"
#include "property/seeds.h"
#include "property/shrink.h"
#include "support/expect.h"

#define CALLS_FULL 1000000
#define STEPS	   400

/* A script and what came of it first. */
struct failed {
	struct driver_script script;
	struct driver_outcome first;
};

static bool fails_again(void *context, const bool *skip)
{
	struct failed *failed = context;
	struct driver_outcome outcome;

	failed->script.skip = skip;
	driver_run(&failed->script, &outcome);
	return outcome.wrong && shrink_is_same(failed->first.failure, outcome.failure);
}

static enum mode mode_of(u64 seed)
{
	return (enum mode)(seed % MODES);
}

static void explain(u64 seed, const struct driver_outcome *outcome)
{
	u32 steps = outcome->step < STEPS ? outcome->step + 1 : STEPS;
	struct failed failed = { { .mode = mode_of(seed), .seed = seed, .steps = steps },
				 *outcome };
	bool skip[STEPS] = { false };
	struct driver_outcome last;

	print_error("seed 0x%llx, mode %s, step %u: %s\n", seed, mode_name[mode_of(seed)],
		    outcome->step, outcome->failure);
	shrink_steps(skip, steps, fails_again, &failed);
	fprintf(stderr, "# these steps of seed 0x%llx are enough:\n", seed);
	failed.script.skip = skip;
	failed.script.log = stderr;
	driver_run(&failed.script, &last);
	fprintf(stderr, "#   step %u: %s\n", last.step, last.failure);
	seed_failed(seed);
	fail();
}

/* A contract that a step breaks is a failed run, too. */
void dmasim_contract_failed(const char *what, const char *file, int line)
{
	print_error("contract broken: %s\n", what);
	_fail(file, line);
}

/*
 * trust: a million calls of random drivers, in every mode, without a report
 * | an independent model: a driver that keeps to the rules, and a copy of its bytes
 */
static void random_drivers_that_keep_the_rules_bring_no_report(void **state)
{
	u64 first = test_seed(1), seed = first, calls = 0, accesses = 0;
	u32 wanted = scaled(CALLS_FULL);
	struct driver_outcome outcome;

	(void)state;
	for (; calls < wanted || (seed - first) % MODES; seed++) {
		driver_run(&(struct driver_script){ .mode = mode_of(seed),
						    .seed = seed,
						    .steps = STEPS },
			   &outcome);
		if (outcome.wrong)
			explain(seed, &outcome);
		calls += outcome.calls;
		accesses += outcome.accesses;
	}
	print_message("# %llu runs of %u steps from seed 0x%llx: %llu calls, %llu accesses\n",
		      seed - first, (u32)STEPS, first, calls, accesses);
}

TEST_MAIN(cmocka_unit_test(random_drivers_that_keep_the_rules_bring_no_report))
