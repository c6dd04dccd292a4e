/* SPDX-License-Identifier: MIT */
/*
 * Random scripts of what software does to tables, contexts and caches, right and wrong, against a
 * plain model of what may be cached: the checker reports what the model says, no more and no less;
 * and the hardware, with caches of any size, shows nothing that the model did not allow.
 */
#include <stdlib.h>
#include <string.h>

#include "property/caching.h"
#include "property/seeds.h"
#include "support/expect.h"

#define SCRIPTS_FULL 100000
#define ENOUGH	     1000 /* scripts that have some of each kind of report */
#define SHRINK_MAX   2000 /* runs spent on a shorter list of steps */
#define CANARY_MAX   2000 /* scripts in which a broken rule must be found */

static bool is_same_failure(const struct caching_outcome *one, const struct caching_outcome *two)
{
	size_t length = strcspn(one->failure, ":\n");

	return two->wrong && !strncmp(one->failure, two->failure, length);
}

/* Leaves out ever smaller stretches of steps while the script still fails. */
static void shrink(struct caching_script *script, bool *skip, const struct caching_outcome *first)
{
	struct caching_outcome outcome;
	u32 spent = 0;

	script->skip = skip;
	for (u32 stretch = script->steps / 2; stretch; stretch /= 2) {
		for (u32 start = 0; start < script->steps && spent < SHRINK_MAX;
		     start += stretch, spent++) {
			u32 end = start + stretch < script->steps ? start + stretch : script->steps;
			bool before[CACHING_STEPS];

			memcpy(before, skip, sizeof(before));
			memset(skip + start, 1, end - start);
			caching_run_script(script, &outcome);
			if (!is_same_failure(first, &outcome))
				memcpy(skip, before, sizeof(before));
		}
	}
}

static void explain(u64 seed, const struct caching_outcome *outcome)
{
	struct caching_counts counts = { 0 };
	struct caching_script script = { .seed = seed, .counts = &counts };
	bool skip[CACHING_STEPS] = { false };
	struct caching_outcome last;

	print_error("seed 0x%llx step %u: %s\n", seed, outcome->step, outcome->failure);
	script.steps = outcome->step < CACHING_STEPS ? outcome->step + 1 : CACHING_STEPS;
	shrink(&script, skip, outcome);
	fprintf(stderr, "# these steps of seed 0x%llx are enough:\n", seed);
	script.log = stderr;
	caching_run_script(&script, &last);
	fprintf(stderr, "#   step %u: %s\n", last.step, last.failure);
	seed_failed(seed);
	fail();
}

/* A contract that a step breaks is a failed script, too. */
void dmasim_contract_failed(const char *what, const char *file, int line)
{
	print_error("contract broken: %s\n", what);
	_fail(file, line);
}

/*
 * trust: what may still be cached, and what the hardware then shows, over random scripts
 * | an independent model: lists of what could be fetched, and when
 */
static void the_checker_reports_what_a_plain_model_says(void **state)
{
	struct caching_counts counts = { 0 };
	u64 first = test_seed(1);
	u32 scripts = scaled(SCRIPTS_FULL);
	struct caching_outcome outcome;

	(void)state;
	for (u32 i = 0; i < scripts; i++) {
		caching_run_script(&(struct caching_script){ .seed = first + i,
							     .steps = CACHING_STEPS,
							     .counts = &counts },
				   &outcome);
		if (outcome.wrong)
			explain(first + i, &outcome);
	}
	print_message("# %llu scripts, %llu steps from seed 0x%llx; %llu claims judged, reported: "
		      "%llu stale, %llu larger, %llu tables, %llu contexts, %llu absent\n",
		      counts.scripts, counts.steps, first, counts.judged, counts.stale,
		      counts.larger, counts.tables, counts.contexts, counts.absent);
	print_message("# %llu scripts on a first stage\n", counts.first);
	print_message("# %llu accesses, %llu answered with what memory does not say any more\n",
		      counts.accesses, counts.shown);
	if (scripts < ENOUGH)
		return;
	assert_true(counts.stale > scripts / 10 && counts.larger > scripts / 100);
	assert_true(counts.tables > scripts / 10 && counts.contexts > scripts / 100);
	assert_true(counts.absent > scripts / 10 && counts.first > scripts / 20);
	assert_true(counts.shown > scripts / 10);
}

/* The first seeds find a rule that the model is made to break. */
static void expect_found(enum plain_flaw flaw, bool first_stage)
{
	struct caching_counts counts = { 0 };
	struct caching_outcome outcome = { .wrong = false };
	u64 seed = 0;

	while (!outcome.wrong && seed++ < CANARY_MAX)
		caching_run_script(&(struct caching_script){ .seed = seed,
							     .steps = CACHING_STEPS,
							     .flaw = flaw,
							     .first_stage = first_stage,
							     .counts = &counts },
				   &outcome);
	print_message("# flaw %u: script %llu\n", (u32)flaw, seed);
	assert_true(outcome.wrong);
}

static void a_broken_rule_is_found(void **state)
{
	(void)state;
	for (enum plain_flaw flaw = PLAIN_FLAW_NONE + 1; flaw < PLAIN_FLAW_COUNT; flaw++)
		expect_found(flaw, false);
}

static void a_broken_rule_is_found_on_a_first_stage(void **state)
{
	(void)state;
	for (enum plain_flaw flaw = PLAIN_FLAW_NONE + 1; flaw < PLAIN_FLAW_COUNT; flaw++) {
		/* That rule is AMD's. */
		if (flaw != PLAIN_FLAW_LARGER)
			expect_found(flaw, true);
	}
}

TEST_MAIN(cmocka_unit_test(the_checker_reports_what_a_plain_model_says),
	  cmocka_unit_test(a_broken_rule_is_found),
	  cmocka_unit_test(a_broken_rule_is_found_on_a_first_stage))
