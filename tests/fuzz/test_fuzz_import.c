/* SPDX-License-Identifier: MIT */
/*
 * The kept inputs of the targets that read text are clean, and mistakes that are put in are found,
 * by a fixed seed and number of runs.
 */
#include <stdlib.h>

#include "support/expect.h"

#include "driver.h"
#include "import.h"
#include "lint.h"
#include "rules.h"

#define RUNS_MAX 2000

static struct fuzz_driver *driver_on(const struct fuzz_target *target, u8 canary)
{
	struct fuzz_driver *driver = malloc(sizeof(*driver));

	assert_non_null(driver);
	fuzz_driver_init(driver, target, 1, canary);
	return driver;
}

static void driver_free(struct fuzz_driver *driver)
{
	fuzz_driver_fini(driver);
	free(driver);
}

static void expect_clean(const struct fuzz_target *target)
{
	struct fuzz_driver *driver = driver_on(target, IMPORT_SOUND);
	char folder[4096];

	snprintf(folder, sizeof(folder), "%s/%s", FUZZ_CORPUS, target->name);
	if (fuzz_driver_load(driver, folder) != 1)
		fail_msg("after %llu inputs: %s", driver->runs, driver->run.failure);
	assert_true(driver->runs > 10);
	for (u32 i = 0; i < RUNS_MAX / 10; i++) {
		if (!fuzz_driver_step(driver))
			fail_msg("after %llu inputs: %s", driver->runs, driver->run.failure);
	}
	driver_free(driver);
}

static void expect_found(const struct fuzz_target *target, u8 canary)
{
	struct fuzz_driver *driver = driver_on(target, canary);

	while (driver->runs < RUNS_MAX && fuzz_driver_step(driver))
		;
	if (!driver->run.failure[0])
		fail_msg("not found in %llu runs", driver->runs);
	print_message("%llu runs: %s\n", driver->runs, driver->run.failure);
	driver_free(driver);
}

/*
 * trust: any bytes as text of lspci are refused whole, or give the same machine twice
 * | our reading of the facts: fuzzing
 */
static void kept_inputs_of_text_are_clean(void **state)
{
	(void)state;
	expect_clean(&fuzz_text_target);
}

static void kept_inputs_of_registers_are_clean(void **state)
{
	(void)state;
	expect_clean(&fuzz_hex_target);
}

/* trust: any bytes as rules for reports are refused whole, or listed | an independent model */
static void kept_inputs_of_rules_are_clean(void **state)
{
	(void)state;
	expect_clean(&fuzz_rules_target);
}

/*
 * trust: any bytes as a trace are refused, or judged the same way twice
 * | our reading of the facts: fuzzing
 */
static void kept_inputs_of_traces_are_clean(void **state)
{
	(void)state;
	expect_clean(&fuzz_lint_target);
}

static void a_report_or_a_line_that_is_lost_is_found(void **state)
{
	(void)state;
	expect_found(&fuzz_lint_target, LINT_LOSES_REPORT);
	expect_found(&fuzz_lint_target, LINT_LOSES_LINE);
}

static void a_rule_that_stays_or_is_lost_is_found(void **state)
{
	(void)state;
	expect_found(&fuzz_rules_target, RULES_KEEPS_RULE);
	expect_found(&fuzz_rules_target, RULES_LOSES_RULE);
}

static void a_function_that_stays_is_found(void **state)
{
	(void)state;
	expect_found(&fuzz_text_target, IMPORT_KEEPS_FUNCTION);
	expect_found(&fuzz_hex_target, IMPORT_KEEPS_FUNCTION);
}

static void an_error_without_its_line_is_found(void **state)
{
	(void)state;
	expect_found(&fuzz_text_target, IMPORT_LOSES_LINE);
	expect_found(&fuzz_hex_target, IMPORT_LOSES_LINE);
	expect_found(&fuzz_rules_target, RULES_LOSES_LINE);
}

TEST_MAIN(cmocka_unit_test(kept_inputs_of_text_are_clean),
	  cmocka_unit_test(kept_inputs_of_registers_are_clean),
	  cmocka_unit_test(kept_inputs_of_rules_are_clean),
	  cmocka_unit_test(kept_inputs_of_traces_are_clean),
	  cmocka_unit_test(a_report_or_a_line_that_is_lost_is_found),
	  cmocka_unit_test(a_rule_that_stays_or_is_lost_is_found),
	  cmocka_unit_test(a_function_that_stays_is_found),
	  cmocka_unit_test(an_error_without_its_line_is_found))
