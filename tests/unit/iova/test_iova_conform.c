/* SPDX-License-Identifier: MIT */
/*
 * Our IOVA allocators pass the conformance suite of the workbench, with a seed of its own for each
 * run of the tests that names one.
 */
#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "property/seeds.h"

/* What the suite wrote, on stderr if something failed. */
static void show(FILE *out)
{
	char line[1024];

	rewind(out);
	while (fgets(line, sizeof(line), out))
		print_error("%s", line);
}

/*
 * trust: placement of IOVAs, reserved space, freeing, by each allocator here
 * | an independent model: a sorted array of ranges
 */
/* All checks: the named ones, small worlds, random calls, other CPUs at preemption points. */
static void the_suite_passes(void **state)
{
	const struct allocator_row *row = *state;
	const struct dmasim_iova_conform_options options = {
		DMASIM_IOVA_CONFORM,
		.seed = test_seed(1),
		.scale_percent = scaled(100),
		.repairs = row->repairs,
	};
	FILE *out = tmpfile();
	u32 failed;

	assert_non_null(out);
	failed = dmasim_iova_conform(row->ops(), &options, out);
	if (failed)
		show(out);
	fclose(out);
	expect_u64(failed, 0);
}

static void a_check_can_be_run_alone(void **state)
{
	const struct allocator_row *row = *state;
	const char *what;
	u32 count = 0;

	for (const char *name; (name = dmasim_iova_conform_check(count, &what)); count++) {
		const struct dmasim_iova_conform_options options = { DMASIM_IOVA_CONFORM,
								     .check = name,
								     .scale_percent = 1,
								     .repairs = row->repairs };

		assert_true(strlen(what) > 10);
		if (strcmp(name, "small_worlds"))
			expect_u64(dmasim_iova_conform(row->ops(), &options, NULL), 0);
	}
	assert_true(count > 15);
}

static void a_check_that_does_not_exist_is_a_failure(void **state)
{
	const struct dmasim_iova_conform_options options = { DMASIM_IOVA_CONFORM,
							     .check = "nothing" };

	(void)state;
	expect_u64(dmasim_iova_conform(dmasim_iova_exact(), &options, NULL), 1);
	assert_null(dmasim_iova_conform_check(1000, NULL));
}

TEST_MAIN(ON_EVERY_ALLOCATOR(the_suite_passes), ON_EVERY_ALLOCATOR(a_check_can_be_run_alone),
	  cmocka_unit_test(a_check_that_does_not_exist_is_a_failure))
