/* SPDX-License-Identifier: MIT */
/*
 * Thousands of random steps against a plain model.
 *
 * Each seed makes a machine and does some hundred steps on it; see run.h. A failure prints its seed
 * and a short list of steps that are enough for it.
 */
#include "property/run.h"
#include "property/seeds.h"
#include "property/shrink.h"
#include "support/expect.h"

#define RUNS_FULL 14000
#define STEPS	  400

/* A script and what came of it first. */
struct failed {
	struct script script;
	struct outcome first;
};

/* The same operation failed, and not another one that a shorter list happens to upset. */
static bool fails_again(void *context, const bool *skip)
{
	struct failed *failed = context;
	struct outcome outcome;

	failed->script.skip = skip;
	run_script(&failed->script, &outcome);
	return outcome.wrong && shrink_is_same(failed->first.failure, outcome.failure);
}

static void explain(u64 seed, const struct outcome *outcome)
{
	u32 steps = outcome->step < STEPS ? outcome->step + 1 : STEPS;
	struct failed failed = { { .seed = seed, .steps = steps }, *outcome };
	bool skip[STEPS] = { false };
	struct outcome last;

	print_error("seed 0x%llx step %u: %s\n", seed, outcome->step, outcome->failure);
	shrink_steps(skip, steps, fails_again, &failed);
	fprintf(stderr, "# these steps of seed 0x%llx are enough:\n", seed);
	failed.script.skip = skip;
	failed.script.log = stderr;
	run_script(&failed.script, &last);
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

/* The seed that runs now; 0: none. */
static int no_seed(void **state)
{
	*state = calloc(1, sizeof(u64));
	return *state ? 0 : -1;
}

/* A run that crashed has not said which seed it was. */
static int free_seed(void **state)
{
	u64 *seed = *state;

	if (*seed) {
		print_error("seed 0x%llx\n", *seed);
		seed_failed(*seed);
	}
	free(seed);
	return 0;
}

/*
 * trust: random driver calls: data, errors, reports
 * | an independent model: a model of memory and addresses
 */
static void random_mappings_behave_as_a_plain_model_says(void **state)
{
	u64 first = test_seed(1), *seed = *state;
	u32 runs = scaled(RUNS_FULL);
	struct outcome outcome;

	for (u32 i = 0; i < runs; i++) {
		*seed = first + i;
		run_script(&(struct script){ .seed = *seed, .steps = STEPS }, &outcome);
		if (outcome.wrong)
			explain(*seed, &outcome);
	}
	print_message("# %u runs of %u steps from seed 0x%llx\n", runs, (u32)STEPS, first);
	*seed = 0;
}

static void the_same_seed_gives_the_same_trace(void **state)
{
	u64 first = test_seed(1), last_hash = 0, *seed = *state;

	for (u32 i = 0; i < 8; i++) {
		struct script script = { .seed = first + i, .steps = STEPS, .traced = true };
		struct outcome one, two;

		*seed = script.seed;
		run_script(&script, &one);
		run_script(&script, &two);
		expect_u64(one.trace_hash, two.trace_hash);
		expect_u64(one.wrong, two.wrong);
		assert_true(one.wrong || one.trace_hash != last_hash);
		last_hash = one.trace_hash;
	}
	*seed = 0;
}

TEST_MAIN(cmocka_unit_test_setup_teardown(random_mappings_behave_as_a_plain_model_says, no_seed,
					  free_seed),
	  cmocka_unit_test_setup_teardown(the_same_seed_gives_the_same_trace, no_seed, free_seed))
