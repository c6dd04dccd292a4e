/* SPDX-License-Identifier: MIT */
/*
 * IOVA allocators through their table: where allocations may be, what is reserved, what is freed,
 * and what happens without memory. include/dmasim/iova.h has the rules.
 */
#include "allocators.h"

#include <errno.h>
#include <stdlib.h>

#define NO_LIMIT (~0ULL)
#define SPACE	 256 /* pfns of the small spaces that are used up page by page */

/* Takes every single page there is; true in `got` for each that was handed out. */
static u32 take_all(struct allocator_fixture *fixture, bool *got)
{
	u32 count = 0;
	u64 pfn;

	for (u32 i = 0; i < SPACE; i++)
		got[i] = false;
	while ((pfn = allocator_alloc(fixture, 1, NO_LIMIT)) != IOVA_NO_PFN) {
		assert_true(pfn < SPACE);
		assert_false(got[pfn]);
		got[pfn] = true;
		count++;
	}
	return count;
}

/* ---- Placement ------------------------------------------------------------------------------- */

static void the_table_says_what_it_is(void **state)
{
	struct allocator_fixture *fixture = *state;

	expect_u64(fixture->ops->size, sizeof(struct iova_allocator_ops));
	assert_non_null(fixture->ops->name);
}

static void every_size_is_aligned_to_its_power_of_two(void **state)
{
	struct allocator_fixture *fixture = *state;

	allocator_start(fixture, 1, (1ULL << 36) - 1);
	for (u64 pages = 1; pages <= 130; pages++)
		assert_true(allocator_alloc(fixture, pages, NO_LIMIT) != IOVA_NO_PFN);
	for (u32 lg2 = 8; lg2 <= 34; lg2++) {
		u64 pfn = allocator_alloc(fixture, (1ULL << lg2) + 1, NO_LIMIT);

		if (lg2 < 34)
			assert_true(pfn != IOVA_NO_PFN);
	}
}

static void allocations_do_not_overlap(void **state)
{
	struct allocator_fixture *fixture = *state;
	u8 owner[SPACE] = { 0 };
	u8 number = 0;
	u64 pfn;

	allocator_start(fixture, 1, SPACE - 1);
	for (u64 pages = 1;; pages = pages % 7 + 1) {
		pfn = allocator_alloc(fixture, pages, NO_LIMIT);
		if (pfn == IOVA_NO_PFN)
			break;
		number++;
		for (u64 i = 0; i < pages; i++) {
			assert_int_equal(owner[pfn + i], 0);
			owner[pfn + i] = number;
		}
	}
	assert_true(number > 20);
}

/* Pfn 0 stands for nothing, so it is never handed out. */
static void page_0_is_never_handed_out(void **state)
{
	struct allocator_fixture *fixture = *state;
	bool got[SPACE];

	allocator_start(fixture, 1, 63);
	expect_u64(allocator_alloc(fixture, 64, NO_LIMIT), IOVA_NO_PFN);
	expect_u64(allocator_alloc(fixture, 33, NO_LIMIT), IOVA_NO_PFN);
	expect_u64(take_all(fixture, got), 63);
	assert_false(got[0]);
	expect_u64(allocator_alloc(fixture, 1, NO_LIMIT), IOVA_NO_PFN);
}

static void the_space_begins_and_ends_where_it_was_told(void **state)
{
	struct allocator_fixture *fixture = *state;
	bool got[SPACE];

	allocator_start(fixture, 10, 99);
	expect_u64(take_all(fixture, got), 90);
	for (u32 i = 0; i < SPACE; i++)
		assert_int_equal(got[i], i >= 10 && i <= 99);
}

static void the_limit_is_the_last_page_that_may_be_used(void **state)
{
	struct allocator_fixture *fixture = *state;

	allocator_start(fixture, 1, 1000);
	expect_u64(allocator_alloc(fixture, 1, 1), 1);
	expect_u64(allocator_alloc(fixture, 1, 1), IOVA_NO_PFN);
	expect_u64(allocator_alloc(fixture, 4, 6), IOVA_NO_PFN);
	expect_u64(allocator_alloc(fixture, 4, 7), 4);
	expect_u64(allocator_alloc(fixture, 1, 0), IOVA_NO_PFN);
	/* A limit beyond the end is no limit. */
	assert_true(allocator_alloc(fixture, 1, 1001) <= 1000);
}

static void a_limit_below_the_space_leaves_nothing(void **state)
{
	struct allocator_fixture *fixture = *state;

	allocator_start(fixture, 100, 1000);
	expect_u64(allocator_alloc(fixture, 1, 99), IOVA_NO_PFN);
	expect_u64(allocator_alloc(fixture, 1, 100), 100);
	expect_u64(allocator_alloc(fixture, 2, 103), 102);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
	static const u64 sizes[] = {
		0,    1001, 1ULL << 36, 1ULL << 62, (1ULL << 62) + 1, 1ULL << 63, (1ULL << 63) + 1,
		~0ULL
	};
	struct allocator_fixture *fixture = *state;

	allocator_start(fixture, 1, 1000);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		expect_u64(allocator_alloc(fixture, sizes[i], NO_LIMIT), IOVA_NO_PFN);
	assert_true(allocator_alloc(fixture, 1, NO_LIMIT) != IOVA_NO_PFN);
}

/*   |......[4]..[8     ]|      from the top down, each as high as its alignment allows */
static void the_highest_place_is_taken(void **state)
{
	struct allocator_fixture *fixture = *state;

	allocator_start(fixture, 1, 1000);
	expect_u64(allocator_alloc(fixture, 1, NO_LIMIT), 1000);
	expect_u64(allocator_alloc(fixture, 8, NO_LIMIT), 992);
	expect_u64(allocator_alloc(fixture, 3, NO_LIMIT), 988);
	/* The page that the three left over. */
	expect_u64(allocator_alloc(fixture, 1, NO_LIMIT), 991);
	expect_u64(allocator_alloc(fixture, 512, NO_LIMIT), IOVA_NO_PFN);
	expect_u64(allocator_alloc(fixture, 256, NO_LIMIT), 512);
	expect_u64(allocator_alloc(fixture, 2, 900), 898);
	expect_u64(allocator_alloc(fixture, 200, 511), 256);
}

/* Freed space is found again, the highest first. */
static void the_highest_gap_is_taken_first(void **state)
{
	struct allocator_fixture *fixture = *state;

	allocator_start(fixture, 1, 100);
	for (u64 pfn = 100; pfn >= 1; pfn--)
		expect_u64(allocator_alloc(fixture, 1, NO_LIMIT), pfn);
	allocator_free(fixture, 20, 1);
	allocator_free(fixture, 70, 1);
	allocator_free(fixture, 50, 1);
	expect_u64(allocator_alloc(fixture, 2, NO_LIMIT), IOVA_NO_PFN);
	expect_u64(allocator_alloc(fixture, 1, NO_LIMIT), 70);
	expect_u64(allocator_alloc(fixture, 1, 60), 50);
	expect_u64(allocator_alloc(fixture, 1, 19), IOVA_NO_PFN);
	expect_u64(allocator_alloc(fixture, 1, NO_LIMIT), 20);
}

/* ---- Reserved ranges ------------------------------------------------------------------------- */

struct reservation {
	u64 first, last;
};

/* Reserves all, then takes whatever is left page by page, and compares. */
static void check_reserved(struct allocator_fixture *fixture, const struct reservation *reserved,
			   u32 count)
{
	bool got[SPACE];

	allocator_start(fixture, 1, SPACE - 1);
	for (u32 i = 0; i < count; i++)
		expect_ok(allocator_reserve(fixture, reserved[i].first, reserved[i].last));
	take_all(fixture, got);
	for (u32 pfn = 0; pfn < SPACE; pfn++) {
		bool kept = pfn == 0;

		for (u32 i = 0; i < count; i++)
			kept |= pfn >= reserved[i].first && pfn <= reserved[i].last;
		assert_int_equal(got[pfn], !kept);
	}
}

#define CHECK_RESERVED(fixture, ...)                                           \
	check_reserved((fixture), (const struct reservation[]){ __VA_ARGS__ }, \
		       sizeof((struct reservation[]){ __VA_ARGS__ }) / sizeof(struct reservation))

static void reserved_ranges_are_not_handed_out(void **state)
{
	CHECK_RESERVED(*state, { 50, 59 });
	CHECK_RESERVED(*state, { 1, 1 }, { 255, 255 }, { 100, 100 });
	CHECK_RESERVED(*state, { 1, SPACE - 1 });
}

/*   [----]         [----]        [----]          [--]
 *      [----]          [----]    [----]        [------]     overlap, abut, same, inside, around */
static void reserved_ranges_may_meet_in_any_way(void **state)
{
	CHECK_RESERVED(*state, { 50, 59 }, { 55, 70 });
	CHECK_RESERVED(*state, { 55, 70 }, { 50, 59 });
	CHECK_RESERVED(*state, { 50, 59 }, { 60, 70 });
	CHECK_RESERVED(*state, { 60, 70 }, { 50, 59 });
	CHECK_RESERVED(*state, { 50, 59 }, { 50, 59 });
	CHECK_RESERVED(*state, { 50, 70 }, { 55, 60 });
	CHECK_RESERVED(*state, { 55, 60 }, { 50, 70 });
	CHECK_RESERVED(*state, { 50, 50 }, { 52, 52 }, { 54, 54 }, { 51, 53 });
	CHECK_RESERVED(*state, { 10, 20 }, { 30, 40 }, { 50, 60 }, { 15, 55 });
	CHECK_RESERVED(*state, { 10, 20 }, { 30, 40 }, { 50, 60 }, { 5, 100 });
	CHECK_RESERVED(*state, { 10, 20 }, { 30, 40 }, { 21, 29 }, { 20, 30 });
}

/* Windows and reserved regions come from firmware: they may lie anywhere. */
static void reserved_ranges_may_lie_outside_the_space(void **state)
{
	struct allocator_fixture *fixture = *state;
	bool got[SPACE];

	CHECK_RESERVED(fixture, { 0, 0 });
	CHECK_RESERVED(fixture, { 0, 5 }, { 250, 1ULL << 40 });
	CHECK_RESERVED(fixture, { 1ULL << 40, 1ULL << 41 });
	CHECK_RESERVED(fixture, { 0, ~0ULL >> 12 });
	allocator_start(fixture, 100, 199);
	expect_ok(allocator_reserve(fixture, 0, 120));
	expect_ok(allocator_reserve(fixture, 180, 300));
	expect_u64(take_all(fixture, got), 59);
}

/*   0    5        10        19  20       100
 *   [res]..........|  start  ...[  res   ]        8 pages: 8 to 15 would begin below the space */
static void a_reserved_range_below_the_space_does_not_open_it(void **state)
{
	struct allocator_fixture *fixture = *state;

	allocator_start(fixture, 10, 100);
	expect_ok(allocator_reserve(fixture, 0, 5));
	expect_ok(allocator_reserve(fixture, 20, 100));
	expect_u64(allocator_alloc(fixture, 8, NO_LIMIT), IOVA_NO_PFN);
	for (u64 i = 0; i < 10; i++)
		assert_true(allocator_alloc(fixture, 1, NO_LIMIT) != IOVA_NO_PFN);
	expect_u64(allocator_alloc(fixture, 1, NO_LIMIT), IOVA_NO_PFN);
}

static void a_reserved_range_cannot_be_freed(void **state)
{
	struct allocator_fixture *fixture = *state;
	bool got[SPACE];

	allocator_start(fixture, 1, SPACE - 1);
	expect_ok(allocator_reserve(fixture, 50, 53));
	allocator_free(fixture, 50, 4);
	allocator_free(fixture, 50, 1);
	allocator_free(fixture, 52, 1);
	expect_u64(take_all(fixture, got), 255 - 4);
	assert_false(got[50] || got[51] || got[52] || got[53]);
}

/* ---- Freeing --------------------------------------------------------------------------------- */

static void what_was_freed_can_be_had_again(void **state)
{
	struct allocator_fixture *fixture = *state;
	bool got[SPACE];

	allocator_start(fixture, 1, SPACE - 1);
	for (int round = 0; round < 3; round++) {
		expect_u64(take_all(fixture, got), 255);
		/* In another order than they came: 101 and 255 have no divisor in common. */
		for (u64 i = 0; i < 255; i++)
			allocator_free(fixture, 1 + i * 101 % 255, 1);
	}
	expect_u64(allocator_alloc(fixture, 128, NO_LIMIT), 128);
}

static void freed_neighbours_make_one_gap(void **state)
{
	struct allocator_fixture *fixture = *state;
	bool got[SPACE];

	allocator_start(fixture, 1, SPACE - 1);
	take_all(fixture, got);
	for (u64 i = 0; i < 16; i++)
		allocator_free(fixture, 64 + (i * 7) % 16, 1);
	expect_u64(allocator_alloc(fixture, 16, NO_LIMIT), 64);
}

/* Another size, another start, inside it, never allocated, twice: all of it stays as it is. */
static void freeing_what_is_not_one_allocation_is_ignored(void **state)
{
	struct allocator_fixture *fixture = *state;
	u64 pfn;

	allocator_start(fixture, 1, 15);
	pfn = allocator_alloc(fixture, 8, NO_LIMIT);
	expect_u64(pfn, 8);
	allocator_free(fixture, 8, 7);
	allocator_free(fixture, 8, 9);
	allocator_free(fixture, 8, 1);
	allocator_free(fixture, 8, 0);
	allocator_free(fixture, 9, 7);
	allocator_free(fixture, 12, 1);
	allocator_free(fixture, 7, 9);
	allocator_free(fixture, 1, 1);
	allocator_free(fixture, 0, 1);
	allocator_free(fixture, 16, 8);
	allocator_free(fixture, ~0ULL, 1);
	allocator_free(fixture, IOVA_NO_PFN, 8);
	expect_u64(allocator_alloc(fixture, 8, NO_LIMIT), IOVA_NO_PFN);
	allocator_free(fixture, 8, 8);
	allocator_free(fixture, 8, 8);
	expect_u64(allocator_alloc(fixture, 8, NO_LIMIT), 8);
	expect_u64(allocator_alloc(fixture, 8, NO_LIMIT), IOVA_NO_PFN);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static void freeing_needs_no_memory(void **state)
{
	struct allocator_fixture *fixture = *state;
	bool got[SPACE];
	u64 passes;

	allocator_start(fixture, 1, SPACE - 1);
	take_all(fixture, got);
	passes = dmasim_fault_passes(fixture->s, DMASIM_FAULT_ANY);
	for (u64 pfn = 1; pfn < SPACE; pfn++)
		allocator_free(fixture, pfn, 1);
	expect_u64(dmasim_fault_passes(fixture->s, DMASIM_FAULT_ANY), passes);
}

static void an_allocation_without_memory_changes_nothing(void **state)
{
	struct allocator_fixture *fixture = *state;
	bool got[SPACE];

	allocator_start(fixture, 1, SPACE - 1);
	for (int i = 0; i < 20; i++) {
		u64 pfn;

		dmasim_fail(fixture->s, DMASIM_FAULT_ANY, 1);
		pfn = allocator_alloc(fixture, 2, NO_LIMIT);
		/* Whoever has memory in store may do without. */
		assert_int_equal(pfn == IOVA_NO_PFN, dmasim_failures(fixture->s) != 0);
		dmasim_fail(fixture->s, DMASIM_FAULT_ANY, 0);
		if (pfn != IOVA_NO_PFN)
			allocator_free(fixture, pfn, 2);
	}
	expect_u64(take_all(fixture, got), 255);
}

static void an_allocator_without_memory_is_not_made(void **state)
{
	struct allocator_fixture *fixture = *state;
	const struct iova_allocator_config config = { .platform = &fixture->s->platform,
						      .granule_lg2 = 12,
						      .start_pfn = 1,
						      .last_pfn = 1000,
						      .context = fixture->ops->context };
	u64 nth = 0;

	do {
		dmasim_fail(fixture->s, DMASIM_FAULT_ANY, ++nth);
		fixture->allocator = fixture->ops->create(&config);
		expect_u64(dmasim_failures(fixture->s), !fixture->allocator);
		if (!fixture->allocator)
			expect_u64(dmasim_in_use(fixture->s, DMASIM_FAULT_IOVA_DOMAIN), 0);
	} while (!fixture->allocator);
	dmasim_fail(fixture->s, DMASIM_FAULT_ANY, 0);
	assert_true(nth > 1);
}

/* Each allocation behind a row of reservations fails in turn: what was reserved before stays so. */
static void a_reservation_without_memory_leaves_the_others_in_force(void **state)
{
	static const struct reservation rows[] = {
		{ 50, 59 }, { 100, 109 }, { 55, 70 }, { 150, 160 }, { 40, 105 }
	};
	struct allocator_fixture *fixture = *state;
	bool got[SPACE];
	u64 nth = 0, hits = 1;

	while (hits) {
		bool kept[SPACE] = { true };
		u64 failed = 0;

		allocator_start(fixture, 1, SPACE - 1);
		dmasim_fail(fixture->s, DMASIM_FAULT_ANY, ++nth);
		for (int i = 0; i < 5; i++) {
			int err = allocator_reserve(fixture, rows[i].first, rows[i].last);

			assert_true(err == 0 || err == -ENOMEM);
			failed += err != 0;
			for (u64 pfn = rows[i].first; pfn <= rows[i].last && !err; pfn++)
				kept[pfn] = true;
		}
		hits = dmasim_failures(fixture->s);
		expect_u64(failed, hits);
		dmasim_fail(fixture->s, DMASIM_FAULT_ANY, 0);
		take_all(fixture, got);
		for (int pfn = 0; pfn < SPACE; pfn++)
			assert_int_equal(got[pfn], !kept[pfn]);
	}
	assert_true(nth > 3);
}

/* A working set that stays the same size needs no more memory with time. */
static void memory_does_not_grow_with_use(void **state)
{
	struct allocator_fixture *fixture = *state;
	u64 pfn[16], after = 0;

	allocator_start(fixture, 1, (1ULL << 36) - 1);
	for (int round = 0; round < 1000; round++) {
		for (u64 i = 0; i < 16; i++)
			pfn[i] = allocator_alloc(fixture, 1 + i, NO_LIMIT);
		for (u64 i = 0; i < 16; i++)
			allocator_free(fixture, pfn[i], 1 + i);
		if (round == 10)
			after = dmasim_in_use(fixture->s, DMASIM_FAULT_IOVA_NODE);
	}
	expect_u64(dmasim_in_use(fixture->s, DMASIM_FAULT_IOVA_NODE), after);
}

static void two_allocators_know_nothing_of_each_other(void **state)
{
	struct allocator_fixture *fixture = *state;
	struct iova_allocator *first;
	bool got[SPACE];

	allocator_start(fixture, 1, SPACE - 1);
	take_all(fixture, got);
	first = fixture->allocator;
	fixture->allocator = NULL;
	allocator_start(fixture, 1, SPACE - 1);
	expect_u64(take_all(fixture, got), 255);
	fixture->ops->free(first, 77, 1, 0);
	expect_u64(allocator_alloc(fixture, 1, NO_LIMIT), IOVA_NO_PFN);
	expect_u64(fixture->ops->alloc(first, 1, SPACE - 1, 0), 77);
	fixture->ops->destroy(first);
}

TEST_MAIN(ON_EVERY_ALLOCATOR(the_table_says_what_it_is),
	  ON_EVERY_ALLOCATOR(every_size_is_aligned_to_its_power_of_two),
	  ON_EVERY_ALLOCATOR(allocations_do_not_overlap),
	  ON_EVERY_ALLOCATOR(page_0_is_never_handed_out),
	  ON_EVERY_ALLOCATOR(the_space_begins_and_ends_where_it_was_told),
	  ON_EVERY_ALLOCATOR(the_limit_is_the_last_page_that_may_be_used),
	  ON_EVERY_ALLOCATOR(a_limit_below_the_space_leaves_nothing),
	  ON_EVERY_ALLOCATOR(sizes_that_cannot_be_are_refused),
	  ON_HIGHEST_FIT_ALLOCATORS(the_highest_place_is_taken),
	  ON_HIGHEST_FIT_ALLOCATORS(the_highest_gap_is_taken_first),
	  ON_EVERY_ALLOCATOR(reserved_ranges_are_not_handed_out),
	  ON_EVERY_ALLOCATOR(reserved_ranges_may_meet_in_any_way),
	  ON_EVERY_ALLOCATOR(reserved_ranges_may_lie_outside_the_space),
	  ON_EVERY_ALLOCATOR(a_reserved_range_below_the_space_does_not_open_it),
	  ON_EVERY_ALLOCATOR(a_reserved_range_cannot_be_freed),
	  ON_EVERY_ALLOCATOR(what_was_freed_can_be_had_again),
	  ON_EVERY_ALLOCATOR(freed_neighbours_make_one_gap),
	  ON_EVERY_ALLOCATOR(freeing_what_is_not_one_allocation_is_ignored),
	  ON_EVERY_ALLOCATOR(freeing_needs_no_memory),
	  ON_EVERY_ALLOCATOR(an_allocation_without_memory_changes_nothing),
	  ON_EVERY_ALLOCATOR(an_allocator_without_memory_is_not_made),
	  ON_EVERY_ALLOCATOR(a_reservation_without_memory_leaves_the_others_in_force),
	  ON_EVERY_ALLOCATOR(memory_does_not_grow_with_use),
	  ON_EVERY_ALLOCATOR(two_allocators_know_nothing_of_each_other))
