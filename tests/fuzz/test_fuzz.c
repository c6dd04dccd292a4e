/* SPDX-License-Identifier: MIT */
/*
 * The kept inputs are clean; and what looks for mistakes finds those that are put in, by a fixed
 * seed and number of runs.
 */
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"

#include "driver.h"
#include "rig.h"

/* Each is found in a tenth of them, or less. */
#define RUNS_MAX 200000

static struct fuzz_driver *driver_on(const struct fuzz_target *target, u64 seed, u8 canary)
{
	struct fuzz_driver *driver = malloc(sizeof(*driver));

	assert_non_null(driver);
	fuzz_driver_init(driver, target, seed, canary);
	return driver;
}

static void driver_free(struct fuzz_driver *driver)
{
	fuzz_driver_fini(driver);
	free(driver);
}

static void expect_clean(const struct fuzz_target *target)
{
	struct fuzz_driver *driver = driver_on(target, 1, RIG_SOUND);
	char folder[4096];

	snprintf(folder, sizeof(folder), "%s/%s", FUZZ_CORPUS, target->name);
	if (fuzz_driver_load(driver, folder) != 1)
		fail_msg("after %llu inputs: %s", driver->runs, driver->run.failure);
	assert_true(driver->runs > 20);
	driver_free(driver);
}

static struct fuzz_driver *find(const struct fuzz_target *target, u8 canary)
{
	struct fuzz_driver *driver = driver_on(target, 1, canary);

	while (driver->runs < RUNS_MAX && fuzz_driver_step(driver))
		;
	if (!driver->run.failure[0])
		fail_msg("not found in %llu runs", driver->runs);
	return driver;
}

/* Found; and by the one input alone, again; which without the mistake is clean. */
static void expect_found(const struct fuzz_target *target, u8 canary)
{
	struct fuzz_driver *found = find(target, canary);
	struct fuzz_driver *again = driver_on(target, 2, canary);
	struct fuzz_driver *sound = driver_on(target, 2, RIG_SOUND);

	print_message("%llu runs: %s\n", found->runs, found->run.failure);
	again->input = sound->input = found->input;
	assert_false(fuzz_driver_run(again));
	assert_string_equal(again->run.failure, found->run.failure);
	assert_true(fuzz_driver_run(sound));
	driver_free(found);
	driver_free(again);
	driver_free(sound);
}

/* trust: any bytes as command queue between translations | an independent model: a plain list
 * of what may be stale */
static void kept_inputs_of_the_queue_are_clean(void **state)
{
	(void)state;
	expect_clean(&fuzz_queue_target);
}

/* trust: any bytes as page tables and contexts | an independent model: a plain second reading */
static void kept_inputs_of_tables_are_clean(void **state)
{
	(void)state;
	expect_clean(&fuzz_tables_target);
}

static void a_queue_that_runs_on_behind_an_error_is_found(void **state)
{
	(void)state;
	expect_found(&fuzz_queue_target, RIG_RUNS_ON);
}

static void a_page_command_that_keeps_cached_tables_is_found(void **state)
{
	(void)state;
	expect_found(&fuzz_queue_target, RIG_KEEPS_TABLES);
}

static void a_walker_that_takes_a_reserved_bit_is_found(void **state)
{
	(void)state;
	expect_found(&fuzz_tables_target, RIG_TAKES_RESERVED);
}

static void a_walker_that_halves_coded_pages_is_found(void **state)
{
	(void)state;
	expect_found(&fuzz_tables_target, RIG_SHORT_PAGES);
}

static void the_same_seed_makes_the_same_inputs(void **state)
{
	struct fuzz_driver *first = driver_on(&fuzz_queue_target, 7, RIG_SOUND);
	struct fuzz_driver *second = driver_on(&fuzz_queue_target, 7, RIG_SOUND);

	(void)state;
	for (u32 i = 0; i < 500; i++) {
		assert_true(fuzz_driver_step(first));
		assert_true(fuzz_driver_step(second));
		expect_u64(first->features, second->features);
		expect_u64(first->input.bytes, second->input.bytes);
		assert_memory_equal(first->input.data, second->input.data, first->input.bytes);
	}
	driver_free(first);
	driver_free(second);
}

TEST_MAIN(cmocka_unit_test(kept_inputs_of_the_queue_are_clean),
	  cmocka_unit_test(kept_inputs_of_tables_are_clean),
	  cmocka_unit_test(a_queue_that_runs_on_behind_an_error_is_found),
	  cmocka_unit_test(a_page_command_that_keeps_cached_tables_is_found),
	  cmocka_unit_test(a_walker_that_takes_a_reserved_bit_is_found),
	  cmocka_unit_test(a_walker_that_halves_coded_pages_is_found),
	  cmocka_unit_test(the_same_seed_makes_the_same_inputs))
