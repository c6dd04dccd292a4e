/* SPDX-License-Identifier: MIT */
/*
 * The kept programs that use page tables are clean on every format; and mistakes that are put in
 * are found, by a fixed seed and number of runs.
 */
#include <stdlib.h>

#include "support/expect.h"

#include "driver.h"
#include "pgtable.h"

#define RUNS_MAX 3000

static struct fuzz_driver *driver_on(u8 canary, u8 part)
{
	struct fuzz_driver *driver = malloc(sizeof(*driver));

	assert_non_null(driver);
	fuzz_driver_init(driver, &fuzz_pgtable_target, 1, canary);
	driver->run.part = part;
	return driver;
}

static void driver_free(struct fuzz_driver *driver)
{
	fuzz_driver_fini(driver);
	free(driver);
}

static void expect_clean(u8 part)
{
	struct fuzz_driver *driver = driver_on(PGTABLE_SOUND, part);

	if (fuzz_driver_load(driver, FUZZ_CORPUS "/pgtable") != 1)
		fail_msg("part %u, after %llu inputs: %s", part, driver->runs, driver->run.failure);
	assert_true(driver->runs > 20);
	driver_free(driver);
}

/* Found; and the same input is clean without the mistake. */
static void expect_found(u8 canary)
{
	struct fuzz_driver *driver = driver_on(canary, 0);
	struct fuzz_driver *sound = driver_on(PGTABLE_SOUND, 0);

	while (driver->runs < RUNS_MAX && fuzz_driver_step(driver))
		;
	if (!driver->run.failure[0])
		fail_msg("not found in %llu runs", driver->runs);
	print_message("%llu runs: %s\n", driver->runs, driver->run.failure);
	sound->input = driver->input;
	if (!fuzz_driver_run(sound))
		fail_msg("without the mistake: %s", sound->run.failure);
	driver_free(driver);
	driver_free(sound);
}

/* trust: any program of maps, unmaps, changes and odd ranges, of each format of page tables
 * | an independent model: an array of pages, and the hardware side's walkers */
static void kept_programs_are_clean_on_every_format(void **state)
{
	(void)state;
	expect_clean(0);
	for (u32 i = 0; i < fuzz_pgtable_target.parts; i++)
		expect_clean(fuzz_pgtable_target.part[i].part);
}

static void an_unmap_that_leaves_a_page_is_found(void **state)
{
	(void)state;
	expect_found(PGTABLE_KEEPS_LAST);
}

static void an_unmap_that_frees_tables_early_is_found(void **state)
{
	(void)state;
	expect_found(PGTABLE_FREES_EARLY);
}

static void a_map_that_loses_tables_is_found(void **state)
{
	(void)state;
	expect_found(PGTABLE_LOSES_TABLE);
}

static void a_broken_format_is_found(void **state)
{
	(void)state;
	expect_found(PGTABLE_BROKEN);
}

TEST_MAIN(cmocka_unit_test(kept_programs_are_clean_on_every_format),
	  cmocka_unit_test(an_unmap_that_leaves_a_page_is_found),
	  cmocka_unit_test(an_unmap_that_frees_tables_early_is_found),
	  cmocka_unit_test(a_map_that_loses_tables_is_found),
	  cmocka_unit_test(a_broken_format_is_found))
