/* SPDX-License-Identifier: MIT */
/*
 * The set of what may be cached: pages, what of them does harm, and when they are out of it. Each
 * wrong case stands beside its right twin.
 */
#include "unit/hw/cached_rig.h"

/* ---- Pages ----------------------------------------------------------------------------------- */

static void what_holds_does_no_harm(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	expect_clean(fixture);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_clean(fixture);
}

static void what_was_cleared_stays_until_it_is_covered(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	unmap_three(fixture);
	expect_harm(fixture, 0, 0x2fff, CACHED_GONE);
	expect_harm(fixture, 0x3000, ~0ULL, CACHED_HARMLESS);
	invalidate_pages(fixture, 0, 0x3fff);
	expect_clean(fixture);
}

static void a_window_takes_what_it_covers_and_no_more(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	unmap_three(fixture);
	invalidate_pages(fixture, 0x1000, 0x1fff);
	expect_harm(fixture, 0, 0xfff, CACHED_GONE);
	expect_harm(fixture, 0x1000, 0x1fff, CACHED_HARMLESS);
	expect_harm(fixture, 0x2000, 0x2fff, CACHED_GONE);
	invalidate_pages(fixture, 0x2000, 0x2fff);
	invalidate_pages(fixture, 0, 0xfff);
	expect_clean(fixture);
}

static void what_is_not_waited_for_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	unmap_three(fixture);
	what = submit(fixture, 0, pages(0, 0x3fff));
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	execute(fixture, 0, &what);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	wait(fixture, 0);
	expect_clean(fixture);
}

/* It may have been executed before the entries were cleared. */
static void what_was_submitted_too_early_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	what = submit(fixture, 0, pages(0, 0x3fff));
	unmap_three(fixture);
	execute(fixture, 0, &what);
	wait(fixture, 0);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	invalidate_pages(fixture, 0, 0x3fff);
	expect_clean(fixture);
}

/* Nobody said that the entries were cleared; but they were when the command was submitted. */
static void what_was_cleared_by_hand_before_is_covered(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	for (u64 i = 0; i < 3; i++)
		put(fixture, LOW, i, 0);
	invalidate_pages(fixture, 0, 0x3fff);
	changed(fixture);
	expect_clean(fixture);
}

/* A wait is for what stands before it. */
static void a_wait_confirms_lower_numbers_only(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	unmap_three(fixture);
	what = submit(fixture, 0, pages(0, 0x3fff));
	execute(fixture, 0, &what);
	cached_waited(&fixture->cached, fixture->unit[0], what.number);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	wait(fixture, 0);
	expect_clean(fixture);
}

/* A queue that had an error forgets commands: the next wait is over without them. */
static void a_command_that_was_not_executed_does_not_count(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_three(fixture);
	unmap_three(fixture);
	what = submit(fixture, 0, pages(0, 0x3fff));
	wait(fixture, 0);
	execute(fixture, 0, &what);
	wait(fixture, 0);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
}

/* More than are kept of those that are over: each counts, executed or not when others came. */
static void many_commands_wait_at_once(void **state)
{
	enum { MANY = 3 * CACHED_HISTORY };
	struct fixture *fixture = *state;
	struct hw_invalidation early, late;

	map_three(fixture);
	unmap_three(fixture);
	early = submit(fixture, 0, pages(0, 0xfff));
	late = submit(fixture, 0, pages(0x1000, 0x1fff));
	execute(fixture, 0, &early);
	for (u64 i = 0; i < MANY; i++) {
		struct hw_invalidation other = submit(fixture, 0, pages(SZ_1M, SZ_1M + 0xfff));

		if (i % 2)
			execute(fixture, 0, &other);
	}
	execute(fixture, 0, &late);
	expect_harm(fixture, 0, 0xfff, CACHED_GONE);
	expect_harm(fixture, 0x1000, 0x1fff, CACHED_GONE);
	wait(fixture, 0);
	expect_harm(fixture, 0, 0x1fff, CACHED_HARMLESS);
	expect_harm(fixture, 0x2000, 0x2fff, CACHED_GONE);
	/* Those that no wait has confirmed by the end leave nothing behind, either. */
	for (u64 i = 0; i < MANY; i++)
		submit(fixture, 0, pages(SZ_1M, SZ_1M + 0xfff));
}

/* One that nothing can be kept of in its place does not go unnoticed. */
static void without_memory_for_one_more_it_goes_blind(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	for (u64 i = 0; i < CACHED_HISTORY; i++)
		submit(fixture, 0, pages(0, 0xfff));
	assert_false(fixture->blind);
	memory_fail(&fixture->world.memory,
		    (struct memory_plan){ .point = DMASIM_FAULT_CHECK_RECORD, .nth = 1 });
	submit(fixture, 0, pages(0, 0xfff));
	assert_true(fixture->blind);
}

static void domains_and_units_are_told_apart(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation other = pages(0, ~0ULL);

	map_three(fixture);
	context(fixture, 1, HW_CONTEXT_TRANSLATE, DOM, TOP);
	unmap_three(fixture);
	other.domain = DOM + 1;
	invalidate(fixture, 0, other);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	invalidate(fixture, 1, pages(0, ~0ULL));
	assert_int_equal(harm_in(fixture, 1, 0, ~0ULL), CACHED_HARMLESS);
	expect_harm(fixture, 0, 0x3fff, CACHED_GONE);
	other.all_domains = true;
	invalidate(fixture, 0, other);
	expect_clean(fixture);
}

/* One that nobody looks at any more: its tables may change freely. */
static void without_a_context_nothing_is_cached(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_ABSENT, 0, 0);
	invalidate(fixture, 0, of_context(DOM));
	invalidate_pages(fixture, 0, ~0ULL);
	unmap_three(fixture);
	expect_clean(fixture);
}

static void an_id_that_is_used_again_brings_the_old_back(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	context(fixture, 0, HW_CONTEXT_ABSENT, 0, 0);
	invalidate(fixture, 0, of_context(DOM));
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP_2);
	expect_harm(fixture, 0, ~0ULL, CACHED_GONE);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_clean(fixture);
}

/* ---- What does harm -------------------------------------------------------------------------- */

static void other_memory_does_harm(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	put(fixture, LOW, 1, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	expect_harm(fixture, 0x1000, 0x1fff, CACHED_OTHER);
	expect_harm(fixture, 0, 0xfff, CACHED_HARMLESS);
	invalidate_pages(fixture, 0x1000, 0x1fff);
	expect_clean(fixture);
}

static void less_permission_does_harm_and_more_does_not(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	put(fixture, LOW, 0, PAGE | ENTRY_R);
	changed(fixture);
	expect_harm(fixture, 0, 0xfff, CACHED_PERMISSION);
	invalidate_pages(fixture, 0, 0xfff);
	expect_clean(fixture);
	put(fixture, LOW, 0, PAGE | ENTRY_RW);
	changed(fixture);
	expect_clean(fixture);
}

/* The walk cache has what the upper entries allowed: a hint that spares it is too little. */
static void less_permission_above_needs_non_leaf_entries(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation leaves = pages(0, ~0ULL);

	map_three(fixture);
	put(fixture, MID, 0, LOW | ENTRY_R);
	changed(fixture);
	expect_harm(fixture, 0, 0x2fff, CACHED_PERMISSION);
	leaves.leaf_only = true;
	invalidate(fixture, 0, leaves);
	expect_harm(fixture, 0, 0x2fff, CACHED_PERMISSION);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_clean(fixture);
}

static void marks_that_were_cleared_do_harm(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	put(fixture, LOW, 0, PAGE | ENTRY_RW | VTD_SS_ACCESSED | VTD_SS_DIRTY);
	changed(fixture);
	expect_clean(fixture);
	put(fixture, LOW, 0, PAGE | ENTRY_RW | VTD_SS_ACCESSED);
	changed(fixture);
	expect_harm(fixture, 0, 0xfff, CACHED_DIRTY);
	invalidate_pages(fixture, 0, 0xfff);
	expect_clean(fixture);
	put(fixture, LOW, 0, PAGE | ENTRY_RW);
	changed(fixture);
	expect_harm(fixture, 0, 0xfff, CACHED_ACCESSED);
	invalidate_pages(fixture, 0, 0xfff);
	expect_clean(fixture);
}

/* A large leaf at 2 MiB, and the table that says the same in small ones. */
static void map_large(struct fixture *fixture)
{
	put(fixture, TOP, 0, MID | ENTRY_RW);
	put(fixture, MID, 1, PAGE | ENTRY_RW | ENTRY_LEAF);
	for (u64 i = 0; i < 512; i++)
		put(fixture, LOW, i, (PAGE + i * SZ_4K) | ENTRY_RW);
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP);
}

static void a_split_without_invalidation_does_harm(void **state)
{
	struct fixture *fixture = *state;

	map_large(fixture);
	put(fixture, MID, 1, LOW | ENTRY_RW);
	changed(fixture);
	expect_harm(fixture, 0, ~0ULL, CACHED_LARGER);
	invalidate_pages(fixture, SZ_2M, 2 * SZ_2M - 1);
	expect_clean(fixture);
}

static void a_merge_that_says_the_same_does_none(void **state)
{
	struct fixture *fixture = *state;

	map_large(fixture);
	put(fixture, MID, 1, LOW | ENTRY_RW);
	changed(fixture);
	invalidate_pages(fixture, 0, ~0ULL);
	put(fixture, MID, 1, PAGE | ENTRY_RW | ENTRY_LEAF);
	changed(fixture);
	expect_clean(fixture);
}

/* Of one page something is in the window: it goes whole, unless it may stay for its size. */
static void a_large_page_is_dropped_whole_or_not_at_all(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation small = pages(SZ_2M + SZ_4K, SZ_2M + 2 * SZ_4K - 1);

	map_large(fixture);
	put(fixture, MID, 1, 0);
	changed(fixture);
	small.larger_stay = true;
	invalidate(fixture, 0, small);
	expect_harm(fixture, 0, ~0ULL, CACHED_GONE);
	small.larger_stay = false;
	invalidate(fixture, 0, small);
	expect_clean(fixture);
}

static void a_window_as_large_as_the_page_takes_it(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation large = pages(SZ_2M, 2 * SZ_2M - 1);

	map_large(fixture);
	put(fixture, MID, 1, 0);
	changed(fixture);
	large.larger_stay = true;
	invalidate(fixture, 0, large);
	expect_clean(fixture);
}

/* ---- The end of addresses -------------------------------------------------------------------- */

/* Tables of AMD with six levels; the last page there is. */
static void the_last_address_is_one_like_others(void **state)
{
	struct fixture *fixture = *state;
	const u64 last_page = ~0ULL - (SZ_4K - 1);
	phys_addr_t table = TOP;

	for (u64 level = 5; level > 0; level--, table += SZ_4K)
		put(fixture, table, level == 5 ? 127 : 511, AMD_POINTER(table + SZ_4K, level));
	put(fixture, table, 511, AMD_POINTER(PAGE, 0ULL));
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP);
	expect_clean(fixture);
	put(fixture, table, 511, 0);
	changed(fixture);
	expect_harm(fixture, 0, last_page - 1, CACHED_HARMLESS);
	expect_harm(fixture, last_page, ~0ULL, CACHED_GONE);
	invalidate_pages(fixture, last_page - SZ_4K, last_page - 1);
	expect_harm(fixture, ~0ULL, ~0ULL, CACHED_GONE);
	invalidate_pages(fixture, ~0ULL, ~0ULL);
	expect_clean(fixture);
	assert_non_null(cached_table_use(&fixture->cached, table));
	put(fixture, TOP, 127, 0);
	changed(fixture);
	invalidate_pages(fixture, 0, ~0ULL);
	assert_null(cached_table_use(&fixture->cached, table));
}

/* ---- What hardware says; windows; memory ----------------------------------------------------- */

/* Written by hand, used, and cleared again before anybody was told. */
static void what_was_really_cached_is_in_the_set(void **state)
{
	struct fixture *fixture = *state;
	const struct hw_leaf page = {
		.iova = 0x3000, .bytes = SZ_4K, .phys = PAGE, .page_lg2 = 12, .read = true
	};

	map_three(fixture);
	put(fixture, LOW, 3, PAGE | ENTRY_R);
	cached_filled(&fixture->cached, fixture->unit[0], DOM, &page);
	put(fixture, LOW, 3, 0);
	changed(fixture);
	expect_harm(fixture, 0x3000, 0x3fff, CACHED_GONE);
	/* By a way that the set knows nothing of. */
	invalidate_pages(fixture, 0x3000, 0x3fff);
	cached_filled(&fixture->cached, fixture->unit[0], DOM, &page);
	expect_harm(fixture, 0x3000, 0x3fff, CACHED_GONE);
	invalidate_pages(fixture, 0x3000, 0x3fff);
	expect_clean(fixture);
}

static void windows_are_measured_from_end_to_cover(void **state)
{
	struct fixture *fixture = *state;
	const struct cached_windows *windows = &fixture->cached.windows;

	map_three(fixture);
	fixture->world.clock.now_ns = 100;
	put(fixture, LOW, 0, 0);
	changed(fixture);
	fixture->world.clock.now_ns = 130;
	put(fixture, LOW, 2, 0);
	changed(fixture);
	expect_u64(windows->open, 2);
	expect_u64(windows->count, 0);
	fixture->world.clock.now_ns = 150;
	invalidate_pages(fixture, 0, ~0ULL);
	expect_u64(windows->open, 0);
	expect_u64(windows->count, 2);
	expect_u64(windows->longest_ns, 50);
	expect_u64(windows->total_ns, 70);
}

static void what_ended_is_found_by_its_memory(void **state)
{
	struct fixture *fixture = *state;
	struct cached_leaf *leaf;

	map_three(fixture);
	assert_null(cached_reaching(&fixture->cached, PAGE, PAGE));
	unmap_three(fixture);
	leaf = cached_reaching(&fixture->cached, PAGE + SZ_4K, PAGE + SZ_4K);
	assert_non_null(leaf);
	assert_null(cached_reaching_next(&fixture->cached, leaf, PAGE + SZ_4K, PAGE + SZ_4K));
	assert_null(cached_reaching(&fixture->cached, PAGE + 3 * SZ_4K, ~0ULL));
	invalidate_pages(fixture, 0x1000, 0x1fff);
	assert_null(cached_reaching(&fixture->cached, PAGE + SZ_4K, PAGE + 2 * SZ_4K - 1));
	assert_non_null(cached_reaching(&fixture->cached, PAGE, ~0ULL));
}

static void what_was_told_is_not_told_again(void **state)
{
	struct fixture *fixture = *state;

	map_three(fixture);
	unmap_three(fixture);
	cached_told(&fixture->cached, domain_of(fixture, 0), 0x1000, 0x1fff);
	expect_harm(fixture, 0x1000, 0x1fff, CACHED_HARMLESS);
	expect_harm(fixture, 0, 0xfff, CACHED_GONE);
	expect_harm(fixture, 0x2000, 0x2fff, CACHED_GONE);
}

/* Whichever record cannot be had: the checker says that it is blind, and nothing is lost. */
static void without_memory_it_goes_blind(void **state)
{
	struct fixture *fixture = *state;

	for (u64 nth = 1; nth < 12; nth++) {
		teardown(state);
		assert_int_equal(setup_caching(state), 0);
		fixture = *state;
		memory_fail(&fixture->world.memory,
			    (struct memory_plan){ .point = DMASIM_FAULT_CHECK_RECORD, .nth = nth });
		map_three(fixture);
		put(fixture, LOW, 1, 0);
		changed(fixture);
		invalidate_pages(fixture, 0, ~0ULL);
		assert_int_equal(fixture->blind, fixture->world.memory.hits > 0);
	}
}

TEST_MAIN(T(what_holds_does_no_harm), T(what_was_cleared_stays_until_it_is_covered),
	  T(a_window_takes_what_it_covers_and_no_more), T(what_is_not_waited_for_does_not_count),
	  T(what_was_submitted_too_early_does_not_count),
	  T(what_was_cleared_by_hand_before_is_covered), T(a_wait_confirms_lower_numbers_only),
	  T(a_command_that_was_not_executed_does_not_count), T(many_commands_wait_at_once),
	  T(without_memory_for_one_more_it_goes_blind), T(domains_and_units_are_told_apart),
	  T(without_a_context_nothing_is_cached), T(an_id_that_is_used_again_brings_the_old_back),
	  T(other_memory_does_harm), T(less_permission_does_harm_and_more_does_not),
	  T(less_permission_above_needs_non_leaf_entries), T(marks_that_were_cleared_do_harm),
	  T(a_split_without_invalidation_does_harm), T(a_merge_that_says_the_same_does_none),
	  T(a_large_page_is_dropped_whole_or_not_at_all), T(a_window_as_large_as_the_page_takes_it),
	  AMD(the_last_address_is_one_like_others), T(what_was_really_cached_is_in_the_set),
	  T(windows_are_measured_from_end_to_cover), T(what_ended_is_found_by_its_memory),
	  T(what_was_told_is_not_told_again), CACHING(without_memory_it_goes_blind))
