/* SPDX-License-Identifier: MIT */
/*
 * The set of what may be cached: pages that are mapped one by one, which are rows of a table, and
 * what turns them into leaves.
 */
#include "check/cached_row.h"
#include "unit/hw/cached_rig.h"

#define LAST(page) ((page)*SZ_4K + (SZ_4K - 1))

static struct cached_rows *rows_of(struct fixture *fixture)
{
	return &domain_of(fixture, 0)->rows;
}

static void expect_rows(struct fixture *fixture, u64 holding, u64 all)
{
	const struct cached_pages *pages = cached_pages_first(rows_of(fixture), 0, 0);
	u64 count = 0;

	for (u64 page = 0; pages && page < CACHED_PAGES; page++)
		count += pages->holding >> page & 1;
	expect_u64(count, holding);
	expect_u64(rows_of(fixture)->pages, all);
}

static void map_page(struct fixture *fixture, u64 page, phys_addr_t phys)
{
	put(fixture, LOW, page, phys | ENTRY_RW);
	cached_mapped(&fixture->cached, domain_of(fixture, 0), page * SZ_4K, LAST(page));
}

static void unmap_page(struct fixture *fixture, u64 page)
{
	put(fixture, LOW, page, 0);
	cached_changed(&fixture->cached, domain_of(fixture, 0), page * SZ_4K, LAST(page));
}

/* The first one shows the way, and what an entry looks like; pages 0 to 3 are rows. */
static void map_rows(struct fixture *fixture)
{
	put(fixture, TOP, 0, MID | ENTRY_RW);
	put(fixture, MID, 0, LOW | ENTRY_RW);
	context(fixture, 0, HW_CONTEXT_TRANSLATE, DOM, TOP);
	map_page(fixture, 16, PAGE + SZ_2M);
	for (u64 page = 0; page < 4; page++)
		map_page(fixture, page, PAGE + 2 * page * SZ_4K);
	expect_rows(fixture, 4, 4);
}

static struct cached_domain *domain_of_rows(struct fixture *fixture)
{
	map_rows(fixture);
	return domain_of(fixture, 0);
}

static void a_row_ends_and_is_covered(void **state)
{
	struct fixture *fixture = *state;

	map_rows(fixture);
	expect_harm(fixture, 0, LAST(3), CACHED_HARMLESS);
	unmap_page(fixture, 2);
	expect_rows(fixture, 3, 4);
	expect_u64(fixture->cached.windows.open, 1);
	invalidate_pages(fixture, 0, LAST(1));
	expect_rows(fixture, 3, 4);
	invalidate_pages(fixture, 2 * SZ_4K, LAST(2));
	expect_rows(fixture, 3, 3);
	expect_u64(fixture->cached.windows.open, 0);
	expect_u64(fixture->cached.windows.count, 1);
	expect_harm(fixture, 0, LAST(3), CACHED_HARMLESS);
}

static void what_ended_behind_a_command_is_not_covered_by_it(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_rows(fixture);
	what = submit(fixture, 0, pages(0, ~0ULL));
	unmap_page(fixture, 1);
	execute(fixture, 0, &what);
	wait(fixture, 0);
	expect_rows(fixture, 3, 4);
	expect_harm(fixture, SZ_4K, LAST(1), CACHED_GONE);
}

/* A row has one page: the older one is a leaf from then on. */
static void what_is_mapped_over_an_ended_row_leaves_it_in_the_set(void **state)
{
	struct fixture *fixture = *state;

	map_rows(fixture);
	unmap_page(fixture, 1);
	map_page(fixture, 1, PAGE + SZ_1M);
	expect_rows(fixture, 4, 4);
	expect_u64(fixture->cached.windows.open, 1);
	expect_harm(fixture, SZ_4K, LAST(1), CACHED_OTHER);
	invalidate_pages(fixture, SZ_4K, LAST(1));
	expect_harm(fixture, SZ_4K, LAST(1), CACHED_HARMLESS);
	expect_u64(fixture->cached.windows.open, 0);
}

static void an_entry_that_was_replaced_by_hand_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	map_rows(fixture);
	changed(fixture);
	expect_rows(fixture, 4, 4);
	put(fixture, LOW, 3, (PAGE + SZ_1M) | ENTRY_RW);
	changed(fixture);
	expect_harm(fixture, 3 * SZ_4K, LAST(3), CACHED_OTHER);
	expect_harm(fixture, 0, LAST(2), CACHED_HARMLESS);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_harm(fixture, 0, LAST(3), CACHED_HARMLESS);
}

/* No walk finds a page any more: the entry above is gone. */
static void rows_that_no_walk_finds_have_ended(void **state)
{
	struct fixture *fixture = *state;

	map_rows(fixture);
	for (u64 page = 0; page < 4; page++)
		put(fixture, LOW, page, 0);
	changed(fixture);
	expect_rows(fixture, 0, 4);
	expect_u64(fixture->cached.windows.open, 4);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_rows(fixture, 0, 0);
}

static void a_part_of_a_row_is_compared_by_itself(void **state)
{
	struct fixture *fixture = *state;

	map_rows(fixture);
	put(fixture, LOW, 2, 0);
	cached_changed(&fixture->cached, domain_of(fixture, 0), 2 * SZ_4K, 2 * SZ_4K + 0x7ff);
	expect_rows(fixture, 3, 3);
	expect_harm(fixture, 2 * SZ_4K, LAST(2), CACHED_GONE);
}

static void ended_rows_are_found_by_their_memory(void **state)
{
	struct fixture *fixture = *state;
	struct cached_leaf *leaf;

	map_rows(fixture);
	unmap_page(fixture, 1);
	unmap_page(fixture, 3);
	assert_null(cached_reaching(&fixture->cached, PAGE + 4 * SZ_4K, PAGE + 4 * SZ_4K));
	expect_rows(fixture, 2, 4);
	leaf = cached_reaching(&fixture->cached, PAGE + 2 * SZ_4K + 8, PAGE + 2 * SZ_4K + 8);
	assert_non_null(leaf);
	expect_u64(leaf->at.start, SZ_4K);
	expect_rows(fixture, 2, 3);
}

/* Far from each other: each has its record, which goes with its last page. */
static void records_come_and_go(void **state)
{
	struct fixture *fixture = *state;

	map_rows(fixture);
	for (u64 page = 4; page < 512; page++)
		map_page(fixture, page, PAGE + 2 * page * SZ_4K);
	expect_u64(rows_of(fixture)->pages, 511);
	for (u64 page = 0; page < 512; page++)
		unmap_page(fixture, page);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_u64(rows_of(fixture)->pages, 0);
	expect_u64(fixture->cached.windows.open, 0);
	for (u64 page = 0; page < 512; page += 64)
		map_page(fixture, page, PAGE + page * SZ_4K);
	expect_harm(fixture, 0, LAST(511), CACHED_HARMLESS);
	/* The first one has shown the way again. */
	expect_u64(rows_of(fixture)->pages, 7);
}

/* Pages that are mapped one after the other come to the set together, over what has ended, too. */
static void a_row_of_new_pages_leaves_what_has_ended_in_the_set(void **state)
{
	struct fixture *fixture = *state;
	struct cached *cached = &fixture->cached;
	struct cached_domain *domain = domain_of_rows(fixture);

	unmap_page(fixture, 16);
	invalidate_pages(fixture, 16 * SZ_4K, LAST(16));
	unmap_page(fixture, 2);
	unmap_page(fixture, 3);
	cached_row_begin(cached, domain, SZ_4K);
	cached_row_begin(cached, domain, 2 * SZ_4K);
	for (u64 page = 2; page < 5; page++) {
		put(fixture, LOW, page, (PAGE + SZ_1M + page * SZ_4K) | ENTRY_RW);
		assert_true(cached_row_goes_on(cached, DOM, page * SZ_4K));
	}
	cached_row_end(cached);
	expect_rows(fixture, 5, 5);
	expect_u64(cached->windows.open, 2);
	expect_harm(fixture, 0, LAST(1), CACHED_HARMLESS);
	expect_harm(fixture, 2 * SZ_4K, LAST(2), CACHED_OTHER);
	expect_harm(fixture, 3 * SZ_4K, LAST(3), CACHED_OTHER);
	expect_harm(fixture, 4 * SZ_4K, LAST(4), CACHED_HARMLESS);
	invalidate_pages(fixture, 0, ~0ULL);
	expect_harm(fixture, 0, LAST(4), CACHED_HARMLESS);
	expect_u64(cached->windows.open, 0);
}

static const struct cached_leaf *leaf_at(struct fixture *fixture, u64 page)
{
	struct cached_domain *domain = domain_of(fixture, 0);

	cached_pages_spread(&fixture->cached, domain, page * SZ_4K, LAST(page));
	return (const struct cached_leaf *)interval_first(&domain->leaves, page * SZ_4K,
							  page * SZ_4K);
}

/* A record says once when its pages began, until somebody could tell two of them apart. */
static void each_page_began_before_a_command_or_behind_it(void **state)
{
	struct fixture *fixture = *state;
	u64 order;

	map_rows(fixture);
	submit(fixture, 0, pages(32 * SZ_4K, LAST(32)));
	order = fixture->cached.clock.order;
	map_page(fixture, 4, PAGE);
	map_page(fixture, 5, PAGE);
	expect_rows(fixture, 6, 6);
	for (u64 page = 0; page < 4; page++)
		assert_true(leaf_at(fixture, page)->since.order < order);
	assert_true(leaf_at(fixture, 4)->since.order > order);
	assert_true(leaf_at(fixture, 5)->since.order > order);
}

static void each_page_began_when_it_did(void **state)
{
	struct fixture *fixture = *state;

	map_rows(fixture);
	fixture->world.clock.now_ns = 100;
	map_page(fixture, 4, PAGE);
	fixture->world.clock.now_ns = 200;
	map_page(fixture, 5, PAGE);
	expect_rows(fixture, 6, 6);
	for (u64 page = 0; page < 4; page++)
		expect_u64(leaf_at(fixture, page)->since.ns, 0);
	expect_u64(leaf_at(fixture, 4)->since.ns, 100);
	expect_u64(leaf_at(fixture, 5)->since.ns, 200);
}

static void each_page_ended_before_a_command_or_behind_it(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;

	map_rows(fixture);
	unmap_page(fixture, 0);
	unmap_page(fixture, 1);
	what = submit(fixture, 0, pages(0, LAST(3)));
	unmap_page(fixture, 2);
	unmap_page(fixture, 3);
	execute(fixture, 0, &what);
	wait(fixture, 0);
	expect_rows(fixture, 0, 2);
	expect_harm(fixture, 0, LAST(1), CACHED_HARMLESS);
	expect_harm(fixture, 2 * SZ_4K, LAST(3), CACHED_GONE);
	expect_u64(fixture->cached.windows.count, 2);
	expect_u64(fixture->cached.windows.open, 2);
}

static void each_page_ended_before_a_wait_or_behind_it(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what;
	u64 waited;

	map_rows(fixture);
	what = submit(fixture, 0, pages(0, LAST(3)));
	unmap_page(fixture, 1);
	execute(fixture, 0, &what);
	wait(fixture, 0);
	waited = fixture->cached.clock.order;
	unmap_page(fixture, 2);
	fixture->world.clock.now_ns = 100;
	unmap_page(fixture, 3);
	expect_rows(fixture, 1, 4);
	assert_true(leaf_at(fixture, 1)->until.order < waited);
	assert_true(leaf_at(fixture, 2)->until.order > waited);
	expect_u64(leaf_at(fixture, 2)->until.ns, 0);
	expect_u64(leaf_at(fixture, 3)->until.ns, 100);
}

/* What a context led to ends when the command was submitted that drops it, which was before. */
static void a_page_may_end_at_a_moment_that_is_over(void **state)
{
	struct fixture *fixture = *state;
	struct check_moment then;

	map_rows(fixture);
	submit(fixture, 0, pages(32 * SZ_4K, LAST(32)));
	then = (struct check_moment){ fixture->cached.clock.order, 0 };
	unmap_page(fixture, 1);
	cached_pages_end(&fixture->cached, domain_of(fixture, 0), 2 * SZ_4K, LAST(2), then);
	assert_true(leaf_at(fixture, 1)->until.order > then.order);
	expect_u64(leaf_at(fixture, 2)->until.order, then.order);
}

/* What a first stage gave is tagged with the PASID of requests without one. */
static void a_command_without_a_pasid_is_not_for_a_first_stage(void **state)
{
	struct fixture *fixture = *state;
	struct hw_invalidation what = pages(0, ~0ULL);
	struct cached_domain *domain = domain_of_rows(fixture);

	domain->first_stage = true;
	cached_pages_end(&fixture->cached, domain, SZ_4K, LAST(1),
			 check_now(&fixture->cached.clock));
	expect_u64(fixture->cached.windows.open, 1);
	invalidate(fixture, 0, what);
	expect_u64(fixture->cached.windows.open, 1);
	what.has_pasid = true;
	invalidate(fixture, 0, what);
	expect_u64(fixture->cached.windows.open, 0);
}

TEST_MAIN(T(a_row_ends_and_is_covered), T(what_ended_behind_a_command_is_not_covered_by_it),
	  T(what_is_mapped_over_an_ended_row_leaves_it_in_the_set),
	  T(an_entry_that_was_replaced_by_hand_is_noticed), T(rows_that_no_walk_finds_have_ended),
	  T(a_part_of_a_row_is_compared_by_itself), T(ended_rows_are_found_by_their_memory),
	  T(records_come_and_go), T(each_page_began_before_a_command_or_behind_it),
	  T(each_page_began_when_it_did), T(each_page_ended_before_a_command_or_behind_it),
	  T(each_page_ended_before_a_wait_or_behind_it), T(a_page_may_end_at_a_moment_that_is_over),
	  T(a_row_of_new_pages_leaves_what_has_ended_in_the_set),
	  T(a_command_without_a_pasid_is_not_for_a_first_stage))
