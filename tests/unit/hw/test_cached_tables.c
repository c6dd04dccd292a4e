/* SPDX-License-Identifier: MIT */
/*
 * The set of what may be cached: tables, contexts and what is absent. Each wrong case stands beside
 * its right twin.
 */
#include "unit/hw/cached_rig.h"

/* ---- Tables ---------------------------------------------------------------------------------- */

static void a_table_stays_until_non_leaf_entries_are_covered(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation leaves = pages(0, ~0ULL);

	map_three(fixture);
	assert_non_null(cached_table_use(&fixture->cached, LOW));
	unmap_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	leaves.leaf_only = true;
	invalidate(fixture, 0, leaves);
	expect_clean(fixture);
	assert_non_null(cached_table_use(&fixture->cached, LOW));
	/* A window for anything that it maps. */
	invalidate_pages(fixture, 0x100000, 0x100fff);
	assert_null(cached_table_use(&fixture->cached, LOW));
	assert_non_null(cached_table_use(&fixture->cached, MID));
}

/* What hangs on a table that was unlinked may be cached anew for as long as the table may. */
static void an_unlinked_table_leads_on(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation leaves = pages(0, ~0ULL);

	map_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	leaves.leaf_only = true;
	invalidate(fixture, 0, leaves);
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	/* One command for both: the page cannot come back. */
	invalidate_pages(fixture, 0, 0x3fff);
	expect_clean(fixture);
	assert_null(cached_table_use(&fixture->cached, LOW));
}

/* They may be executed the other way round: the page comes back in between. */
static void commands_for_a_table_and_its_page_need_a_wait_between(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation leaves = pages(0, 0x3fff), table, page;

	map_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	leaves.leaf_only = true;
	table = submit(fixture, 0, pages(0x100000, 0x100fff));
	page = submit(fixture, 0, leaves);
	execute(fixture, 0, &table);
	execute(fixture, 0, &page);
	wait(fixture, 0);
	assert_null(cached_table_use(&fixture->cached, LOW));
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	invalidate(fixture, 0, leaves);
	expect_clean(fixture);
}

/* Two halves of what a table maps: each command takes the table, and its half of the pages. */
static void two_commands_that_both_take_the_table_may_be_in_any_order(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation first, second;

	map_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	first = submit(fixture, 0, pages(0, 0x1fff));
	second = submit(fixture, 0, pages(0x2000, 0x3fff));
	execute(fixture, 0, &second);
	execute(fixture, 0, &first);
	wait(fixture, 0);
	expect_clean(fixture);
}

static void with_larger_stay_a_table_needs_a_window_of_its_size(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation window = pages(0, SZ_2M / 2 - 1);

	map_three(fixture);
	unmap_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	window.larger_stay = true;
	invalidate(fixture, 0, window);
	assert_non_null(cached_table_use(&fixture->cached, LOW));
	window.last = SZ_2M - 1;
	invalidate(fixture, 0, window);
	assert_null(cached_table_use(&fixture->cached, LOW));
}

static void a_table_that_is_linked_again_holds(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	put(fixture, MID, 0, 0);
	changed(fixture);
	put(fixture, MID, 0, LOW | ENTRY_RW);
	changed(fixture);
	expect_clean(fixture);
	invalidate_pages(fixture, 0, ~0ULL);
	assert_non_null(cached_table_use(&fixture->cached, LOW));
}

/* ---- Contexts -------------------------------------------------------------------------------- */

static void a_context_that_was_replaced_leads_on(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP_2);
	assert_non_null(cached_context_use(&fixture->cached.contexts, TOP));
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	/* The old tables may be walked again at once. */
	invalidate_pages(fixture, 0, ~0ULL);
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	invalidate(fixture, 0, of_context(DOM));
	assert_null(cached_context_use(&fixture->cached.contexts, TOP));
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_clean(fixture);
}

/* One wait for both, as drivers do it: the second waits for the first. */
static void a_context_and_then_its_domain_need_no_wait_between(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation first, second;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP_2);
	first = submit(fixture, 0, of_context(DOM));
	second = submit(fixture, 0, pages(0, ~0ULL));
	execute(fixture, 0, &first);
	execute(fixture, 0, &second);
	wait(fixture, 0);
	expect_clean(fixture);
	assert_null(cached_table_use(&fixture->cached, LOW));
}

static void the_domain_and_then_its_context_leaves_the_old(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation first, second;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP_2);
	first = submit(fixture, 0, pages(0, ~0ULL));
	second = submit(fixture, 0, of_context(DOM));
	execute(fixture, 0, &first);
	execute(fixture, 0, &second);
	wait(fixture, 0);
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
}

static void a_context_is_covered_by_its_tag_and_requester(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation other = of_context(DOM);
	const struct cached_contexts *contexts = &fixture->cached.contexts;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_PASS_THROUGH, DOM, 0);
	assert_non_null(cached_context_stale(contexts, fixture->unit[0], DEV));
	other.requester = DEV + 8;
	invalidate(fixture, 0, other);
	invalidate(fixture, 0, of_context(DOM + 1));
	invalidate(fixture, 1, of_context(DOM));
	assert_non_null(cached_context_stale(contexts, fixture->unit[0], DEV));
	other.requester_ignored = 0xffff;
	invalidate(fixture, 0, other);
	assert_null(cached_context_stale(contexts, fixture->unit[0], DEV));
	/* And that it lets all pass. */
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP);
	assert_non_null(cached_context_stale(contexts, fixture->unit[0], DEV));
}

/* ---- Absent ---------------------------------------------------------------------------------- */

static bool absent(struct fixture *fixture, u64 start, u64 last)
{
	return cached_absent_take(&fixture->cached, domain_of(fixture, 0), start, last);
}

static void in_caching_mode_what_was_absent_stays_so(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	assert_false(absent(fixture, 0, ~0ULL));
	put(fixture, LOW, 3, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	expect_clean(fixture);
	assert_false(absent(fixture, 0, 0x2fff));
	assert_true(absent(fixture, 0x3000, 0x3fff));
	/* Told once. */
	assert_false(absent(fixture, 0x3000, 0x3fff));
	put(fixture, LOW, 4, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	invalidate_pages(fixture, 0x4000, 0x4fff);
	assert_false(absent(fixture, 0x4000, 0x4fff));
}

static void without_caching_mode_nothing_absent_is_cached(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	put(fixture, LOW, 3, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	assert_false(absent(fixture, 0, ~0ULL));
}

/* Executed before, waited for after: it says nothing of what was mapped in between. */
static void an_invalidation_before_the_map_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	what = submit(fixture, 0, pages(0x3000, 0x3fff));
	execute(fixture, 0, &what);
	put(fixture, LOW, 3, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	wait(fixture, 0);
	assert_true(absent(fixture, 0x3000, 0x3fff));
}

/* No table was there: the entry above it said so, for all that the table maps now. */
static void an_absent_table_is_forgotten_with_any_of_its_pages(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation leaves = pages(SZ_2M, SZ_2M + SZ_4K - 1);

	map_three(fixture);
	put(fixture, LOW_2, 0, (PAGE + SZ_1M) | ENTRY_RW);
	put(fixture, LOW_2, 9, (PAGE + SZ_2M) | ENTRY_RW);
	put(fixture, MID, 1, LOW_2 | ENTRY_RW);
	changed(fixture);
	leaves.leaf_only = true;
	invalidate(fixture, 0, leaves);
	invalidate_pages(fixture, SZ_2M + SZ_1M, SZ_2M + SZ_1M);
	assert_false(absent(fixture, SZ_2M, 2 * SZ_2M - 1));
	put(fixture, MID, 2, LOW_2 | ENTRY_RW);
	changed(fixture);
	leaves.start += SZ_2M;
	leaves.last += SZ_2M;
	invalidate(fixture, 0, leaves);
	assert_true(absent(fixture, 2 * SZ_2M + 9 * SZ_4K, 2 * SZ_2M + 10 * SZ_4K - 1));
}

TEST_MAIN(T(a_table_stays_until_non_leaf_entries_are_covered), T(an_unlinked_table_leads_on),
	  T(commands_for_a_table_and_its_page_need_a_wait_between),
	  T(two_commands_that_both_take_the_table_may_be_in_any_order),
	  T(with_larger_stay_a_table_needs_a_window_of_its_size),
	  T(a_table_that_is_linked_again_holds), T(a_context_that_was_replaced_leads_on),
	  T(a_context_and_then_its_domain_need_no_wait_between),
	  T(the_domain_and_then_its_context_leaves_the_old),
	  T(a_context_is_covered_by_its_tag_and_requester),
	  CACHING(in_caching_mode_what_was_absent_stays_so),
	  T(without_caching_mode_nothing_absent_is_cached),
	  CACHING(an_invalidation_before_the_map_does_not_count),
	  CACHING(an_absent_table_is_forgotten_with_any_of_its_pages))
