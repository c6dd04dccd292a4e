/* SPDX-License-Identifier: MIT */
/*
 * The set of what may be cached: what only a cached table leads to, while commands are on their
 * way. Random scripts found each of these.
 */
#include "unit/hw/cached_rig.h"

static struct hw_invalidation leaves(u64 start, u64 last)
{
	struct hw_invalidation what = pages(start, last);

	what.leaf_only = true;
	return what;
}

static void unlink_low(struct fixture *fixture)
{
	put(fixture, MID, 0, 0);
	changed(fixture);
}

static void execute_and_wait(struct fixture *fixture, const struct hw_invalidation *what, u32 count)
{
	for (u32 i = 0; i < count; i++)
		execute(fixture, 0, &what[i]);
	wait(fixture, 0);
}

/* One that is for both, but came before the end of the table, says nothing of what comes late. */
static void an_early_command_is_not_for_what_a_table_led_to(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what[3];

	map_three(fixture);
	what[0] = submit(fixture, 0, pages(0, ~0ULL));
	unlink_low(fixture);
	what[1] = submit(fixture, 0, leaves(0x1000, 0x1fff));
	what[2] = submit(fixture, 0, pages(0, 0xfff));
	execute_and_wait(fixture, what, 3);
	expect_harm(fixture, 0, 0xfff, CACHED_HARMLESS);
	expect_harm(fixture, 0x1000, 0x1fff, CACHED_GONE);
	invalidate(fixture, 0, leaves(0, ~0ULL));
	expect_clean(fixture);
}

/* What comes into such a table goes with it: the command for both is on its way. */
static void what_comes_into_a_table_that_goes_goes_with_it(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	unlink_low(fixture);
	what = submit(fixture, 0, pages(0, 0x3fff));
	put(fixture, LOW, 1, (PAGE + SZ_1M) | ENTRY_RW);
	put(fixture, LOW, 9, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	execute_and_wait(fixture, &what, 1);
	expect_harm(fixture, 0, 0x3fff, CACHED_HARMLESS);
	/* Beside the window it was cached, perhaps, before the table went. */
	expect_harm(fixture, 0x9000, 0x9fff, CACHED_GONE);
}

/* The same page in the table that holds: it may have been cached again by that way. */
static void what_another_table_has_too_lives_longer(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	put(fixture, LOW_2, 0, PAGE | ENTRY_RW);
	put(fixture, MID, 0, LOW_2 | ENTRY_RW);
	changed(fixture);
	what = submit(fixture, 0, pages(0, ~0ULL));
	put(fixture, LOW_2, 0, 0);
	changed(fixture);
	execute_and_wait(fixture, &what, 1);
	expect_harm(fixture, 0x1000, 0x2fff, CACHED_HARMLESS);
	expect_harm(fixture, 0, 0xfff, CACHED_GONE);
}

/* A table over the same addresses that goes late has nothing to do with it. */
static void a_table_that_does_not_lead_there_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what[3];

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_ABSENT, 0, 0);
	unlink_low(fixture);
	what[0] = submit(fixture, 0, pages(0, SZ_2M - 1));
	what[1] = submit(fixture, 0, of_context(DOM));
	what[2] = submit(fixture, 0, pages(SZ_2M, 2 * SZ_2M - 1));
	execute_and_wait(fixture, what, 3);
	expect_clean(fixture);
	assert_null(cached_table_use(&fixture->cached, LOW));
	assert_null(cached_table_use(&fixture->cached, MID));
}

/* The first of two commands for a context: what it led to is over for all that stand behind it. */
static void of_two_commands_for_a_context_the_first_counts(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what[3];

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_ABSENT, 0, 0);
	what[0] = submit(fixture, 0, of_context(DOM));
	what[1] = submit(fixture, 0, pages(0, ~0ULL));
	what[2] = submit(fixture, 0, of_context(DOM));
	execute(fixture, 0, &what[2]);
	execute_and_wait(fixture, what, 2);
	for (u64 i = 0; i < 3; i++)
		put(fixture, LOW, i, 0);
	changed(fixture);
	expect_clean(fixture);
	assert_null(cached_table_use(&fixture->cached, MID));
}

/* What holds in a range that was told of is told of when it goes. */
static void what_holds_is_not_told(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	unlink_low(fixture);
	put(fixture, LOW_2, 4, (PAGE + SZ_1M) | ENTRY_RW);
	put(fixture, MID, 0, LOW_2 | ENTRY_RW);
	changed(fixture);
	expect_harm(fixture, 0, ~0ULL, CACHED_GONE);
	cached_told(&fixture->cached, domain_of(fixture, 0), 0, ~0ULL);
	expect_clean(fixture);
	invalidate_pages(fixture, 0, ~0ULL);
	put(fixture, LOW_2, 4, 0);
	changed(fixture);
	expect_harm(fixture, 0, ~0ULL, CACHED_GONE);
}

/* Between the two stores the upper table said that nothing is in it. */
static void a_new_table_in_a_new_table_was_absent(void **state)
{
	struct fixture *fixture = *state;

	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP);
	put(fixture, TOP, 0, MID | ENTRY_RW);
	put(fixture, MID, 0, LOW | ENTRY_RW);
	put(fixture, LOW, 0, PAGE | ENTRY_RW);
	cached_mapped(&fixture->cached, domain_of(fixture, 0), 0, 0xfff);
	/* It drops what was absent in the top table. */
	invalidate_pages(fixture, SZ_2M, SZ_2M + SZ_4K - 1);
	put(fixture, LOW, 1, (PAGE + SZ_1M) | ENTRY_RW);
	cached_mapped(&fixture->cached, domain_of(fixture, 0), 0x1000, 0x1fff);
	invalidate(fixture, 0, leaves(0x1000, 0x1fff));
	assert_true(cached_absent_take(&fixture->cached, domain_of(fixture, 0), 0x1000, 0x1fff));
}

TEST_MAIN(T(an_early_command_is_not_for_what_a_table_led_to),
	  T(what_comes_into_a_table_that_goes_goes_with_it),
	  T(what_another_table_has_too_lives_longer),
	  T(a_table_that_does_not_lead_there_does_not_count),
	  T(of_two_commands_for_a_context_the_first_counts), T(what_holds_is_not_told),
	  CACHING(a_new_table_in_a_new_table_was_absent))
