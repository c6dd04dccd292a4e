/* SPDX-License-Identifier: MIT */
/*
 * The kept inputs are clean; and what looks for mistakes finds those that are put in, by a fixed
 * seed and number of runs.
 */
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"

#include "driver.h"
#include "input.h"

/* Each is found in a tenth of them, or less. */
#define RUNS_MAX 200000

#define ALL_PARTS 0

static struct fuzz_driver *driver_on(const struct fuzz_target *target, u64 seed, u8 canary, u8 part)
{
	struct fuzz_driver *driver = malloc(sizeof(*driver));

	assert_non_null(driver);
	fuzz_driver_init(driver, target, seed, canary);
	driver->run.part = part;
	return driver;
}

static void driver_free(struct fuzz_driver *driver)
{
	fuzz_driver_fini(driver);
	free(driver);
}

static void expect_clean(const struct fuzz_target *target)
{
	struct fuzz_driver *driver = driver_on(target, 1, RIG_SOUND, ALL_PARTS);
	char folder[4096];

	snprintf(folder, sizeof(folder), "%s/%s", FUZZ_CORPUS, target->name);
	if (fuzz_driver_load(driver, folder) != 1)
		fail_msg("after %llu inputs: %s", driver->runs, driver->run.failure);
	assert_true(driver->runs > 20);
	driver_free(driver);
}

static struct fuzz_driver *find(const struct fuzz_target *target, u8 canary, u8 part)
{
	struct fuzz_driver *driver = driver_on(target, 2, canary, part);

	while (driver->runs < RUNS_MAX && fuzz_driver_step(driver))
		;
	if (!driver->run.failure[0])
		fail_msg("not found in %llu runs", driver->runs);
	return driver;
}

/* Found; and by the one input alone, again; which without the mistake is clean. */
static void expect_found_in(const struct fuzz_target *target, u8 canary, u8 architecture)
{
	u8 part = input_parts[architecture].part;
	struct fuzz_driver *found = find(target, canary, part);
	struct fuzz_driver *again = driver_on(target, 3, canary, part);
	struct fuzz_driver *sound = driver_on(target, 3, RIG_SOUND, part);

	print_message("%s, %llu runs: %s\n", input_parts[architecture].name, found->runs,
		      found->run.failure);
	again->input = sound->input = found->input;
	assert_false(fuzz_driver_run(again));
	assert_string_equal(again->run.failure, found->run.failure);
	assert_true(fuzz_driver_run(sound));
	driver_free(found);
	driver_free(again);
	driver_free(sound);
}

static void expect_found_in_all(const struct fuzz_target *target, u8 canary)
{
	for (u8 architecture = 0; architecture < INPUT_PARTS; architecture++)
		expect_found_in(target, canary, architecture);
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
	expect_found_in_all(&fuzz_queue_target, RIG_RUNS_ON);
}

static void a_page_command_that_keeps_cached_tables_is_found(void **state)
{
	(void)state;
	expect_found_in_all(&fuzz_queue_target, RIG_KEEPS_TABLES);
}

static void a_window_that_is_dropped_in_part_is_found(void **state)
{
	(void)state;
	expect_found_in_all(&fuzz_queue_target, RIG_SHORT_WINDOWS);
}

static void a_command_for_another_requesters_context_is_found(void **state)
{
	(void)state;
	expect_found_in_all(&fuzz_queue_target, RIG_LATE_CONTEXTS);
}

static void a_walker_that_takes_a_reserved_bit_is_found(void **state)
{
	(void)state;
	expect_found_in(&fuzz_tables_target, RIG_TAKES_RESERVED, RIG_VTD);
	expect_found_in(&fuzz_tables_target, RIG_TAKES_RESERVED, RIG_SMMUV3);
	expect_found_in(&fuzz_tables_target, RIG_TAKES_RESERVED, RIG_RISCV);
}

static void a_walker_that_halves_pages_of_several_entries_is_found(void **state)
{
	(void)state;
	expect_found_in(&fuzz_tables_target, RIG_SHORT_PAGES, RIG_AMD);
	expect_found_in(&fuzz_tables_target, RIG_SHORT_PAGES, RIG_SMMUV3);
	expect_found_in(&fuzz_tables_target, RIG_SHORT_PAGES, RIG_RISCV);
}

static void the_same_seed_makes_the_same_inputs(void **state)
{
	struct fuzz_driver *first = driver_on(&fuzz_queue_target, 7, RIG_SOUND, ALL_PARTS);
	struct fuzz_driver *second = driver_on(&fuzz_queue_target, 7, RIG_SOUND, ALL_PARTS);

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
	  cmocka_unit_test(a_window_that_is_dropped_in_part_is_found),
	  cmocka_unit_test(a_command_for_another_requesters_context_is_found),
	  cmocka_unit_test(a_walker_that_takes_a_reserved_bit_is_found),
	  cmocka_unit_test(a_walker_that_halves_pages_of_several_entries_is_found),
	  cmocka_unit_test(the_same_seed_makes_the_same_inputs))
