/* SPDX-License-Identifier: MIT */
/*
 * The machine's allocator: which allocation fails on purpose, what is counted, what is left at the
 * end.
 */
#include "support/expect.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "world/memory.h"

#define RED  DMASIM_FAULT_RAM_CHUNK
#define BLUE DMASIM_FAULT_REPORT

static int setup(void **state)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	memory_init(memory);
	*state = memory;
	return 0;
}

static int teardown(void **state)
{
	struct memory *memory = *state;

	memory_fini(memory);
	free(memory);
	return 0;
}

static void memory_is_zeroed_and_aligned_for_any_type(void **state)
{
	struct memory *memory = *state;
	static const u8 zeros[4096];

	for (size_t bytes = 1; bytes <= sizeof(zeros); bytes *= 2) {
		u8 *at = memory_alloc(memory, RED, bytes);

		assert_non_null(at);
		expect_u64((uintptr_t)at % alignof(max_align_t), 0);
		assert_memory_equal(at, zeros, bytes);
		memset(at, 0xa5, bytes);
		memory_free(memory, at);
	}
}

/* Address space goes back too: 256 GiB in all would not be had at once. */
static void large_blocks_are_zeroed_and_cost_what_is_touched(void **state)
{
	struct memory *memory = *state;

	for (int i = 0; i < 4096; i++) {
		u8 *at = memory_alloc(memory, RED, 64U << 20);

		assert_non_null(at);
		expect_u64((uintptr_t)at % alignof(max_align_t), 0);
		expect_u64(at[0] + at[32U << 20] + at[(64U << 20) - 1], 0);
		at[(64U << 20) - 1] = 1;
		memory_free(memory, at);
	}
	expect_u64(memory->live[RED], 0);
	assert_non_null(memory_alloc(memory, RED, 64U << 20));
}

static void nothing_fails_without_a_plan(void **state)
{
	struct memory *memory = *state;

	for (int i = 0; i < 100; i++)
		assert_non_null(memory_alloc(memory, RED, 16));
	expect_u64(memory->hits, 0);
	expect_u64(memory->passes[RED], 100);
	expect_u64(memory->passes[DMASIM_FAULT_ANY], 100);
}

/* red blue red red blue red: the third red one fails. */
static void the_nth_pass_of_a_point_fails_and_no_other(void **state)
{
	static const enum dmasim_fault_point pass[] = { RED, BLUE, RED, RED, BLUE, RED };
	struct memory *memory = *state;

	memory_fail(memory, (struct memory_plan){ RED, 3 });
	for (size_t i = 0; i < sizeof(pass) / sizeof(pass[0]); i++) {
		void *at = memory_alloc(memory, pass[i], 16);

		if (i == 3)
			assert_null(at);
		else
			assert_non_null(at);
	}
	expect_u64(memory->hits, 1);
}

/* red blue red red blue red: the third one of all fails. */
static void the_nth_pass_of_any_point_counts_them_together(void **state)
{
	static const enum dmasim_fault_point pass[] = { RED, BLUE, RED, RED, BLUE, RED };
	struct memory *memory = *state;

	memory_fail(memory, (struct memory_plan){ DMASIM_FAULT_ANY, 3 });
	for (size_t i = 0; i < sizeof(pass) / sizeof(pass[0]); i++) {
		void *at = memory_alloc(memory, pass[i], 16);

		if (i == 2)
			assert_null(at);
		else
			assert_non_null(at);
	}
	expect_u64(memory->hits, 1);
}

static void a_plan_counts_from_when_it_was_made(void **state)
{
	struct memory *memory = *state;

	for (int i = 0; i < 5; i++)
		memory_alloc(memory, RED, 16);
	memory_fail(memory, (struct memory_plan){ RED, 2 });
	assert_non_null(memory_alloc(memory, RED, 16));
	assert_null(memory_alloc(memory, RED, 16));
	assert_non_null(memory_alloc(memory, RED, 16));
	/* Passes are counted since the beginning, failed ones too. */
	expect_u64(memory->passes[RED], 8);
}

static void a_new_plan_replaces_the_old_one_and_its_hits(void **state)
{
	struct memory *memory = *state;

	memory_fail(memory, (struct memory_plan){ RED, 1 });
	assert_null(memory_alloc(memory, RED, 16));
	expect_u64(memory->hits, 1);
	memory_fail(memory, (struct memory_plan){ BLUE, 1 });
	expect_u64(memory->hits, 0);
	assert_non_null(memory_alloc(memory, RED, 16));
	memory_fail(memory, (struct memory_plan){ 0 });
	assert_non_null(memory_alloc(memory, BLUE, 16));
	expect_u64(memory->hits, 0);
}

static void a_resource_that_is_not_memory_passes_the_same_points(void **state)
{
	struct memory *memory = *state;

	memory_fail(memory, (struct memory_plan){ RED, 2 });
	assert_non_null(memory_alloc(memory, RED, 16));
	assert_true(memory_fails(memory, RED));
	assert_false(memory_fails(memory, RED));
	expect_u64(memory->passes[RED], 3);
	expect_u64(memory->live[RED], 1);
}

static void live_allocations_are_counted_by_point(void **state)
{
	struct memory *memory = *state;
	void *red[3], *blue;

	for (int i = 0; i < 3; i++)
		red[i] = memory_alloc(memory, RED, 16);
	blue = memory_alloc(memory, BLUE, 16);
	expect_u64(memory->live[RED], 3);
	expect_u64(memory->live[BLUE], 1);
	memory_free(memory, red[1]);
	expect_u64(memory->live[RED], 2);
	memory_free(memory, blue);
	expect_u64(memory->live[BLUE], 0);
	expect_u64(memory->live[RED], 2);
}

static void a_failed_allocation_is_not_live(void **state)
{
	struct memory *memory = *state;

	memory_fail(memory, (struct memory_plan){ RED, 1 });
	assert_null(memory_alloc(memory, RED, 16));
	expect_u64(memory->live[RED], 0);
	assert_null(memory_alloc(memory, RED, SIZE_MAX));
	expect_u64(memory->live[RED], 0);
}

static void freeing_null_is_nothing(void **state)
{
	struct memory *memory = *state;

	memory_free(memory, NULL);
	for (int point = 0; point < DMASIM_FAULT_COUNT; point++)
		expect_u64(memory->live[point], 0);
}

/* First, middle and last of the list, in every order; what stays must stay intact. */
static void blocks_may_be_freed_in_any_order(void **state)
{
	static const u8 order[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	struct memory *memory = *state;

	for (int i = 0; i < 6; i++) {
		u8 *at[3];

		for (int block = 0; block < 3; block++) {
			at[block] = memory_alloc(memory, RED, 64);
			memset(at[block], block + 1, 64);
		}
		for (int n = 0; n < 3; n++) {
			memory_free(memory, at[order[i][n]]);
			for (int rest = n + 1; rest < 3; rest++)
				assert_int_equal(at[order[i][rest]][63], order[i][rest] + 1);
		}
		expect_u64(memory->live[RED], 0);
		assert_null(memory->blocks);
	}
}

/* A leak checker sees it if memory_fini() forgets one: nobody else knows these pointers. */
static void what_is_left_goes_with_the_allocator(void **state)
{
	struct memory memory;

	(void)state;
	memory_init(&memory);
	for (size_t bytes = 1; bytes < 100000; bytes *= 3)
		assert_non_null(memory_alloc(&memory, BLUE, bytes));
	memory_fini(&memory);
	assert_null(memory.blocks);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(large_blocks_are_zeroed_and_cost_what_is_touched),
	  TEST(memory_is_zeroed_and_aligned_for_any_type), TEST(nothing_fails_without_a_plan),
	  TEST(the_nth_pass_of_a_point_fails_and_no_other),
	  TEST(the_nth_pass_of_any_point_counts_them_together),
	  TEST(a_plan_counts_from_when_it_was_made),
	  TEST(a_new_plan_replaces_the_old_one_and_its_hits),
	  TEST(a_resource_that_is_not_memory_passes_the_same_points),
	  TEST(live_allocations_are_counted_by_point), TEST(a_failed_allocation_is_not_live),
	  TEST(freeing_null_is_nothing), TEST(blocks_may_be_freed_in_any_order),
	  TEST(what_is_left_goes_with_the_allocator))
