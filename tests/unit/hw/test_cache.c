/* SPDX-License-Identifier: MIT */
/*
 * The CPU's cache and what does not snoop it: who sees which of two views, and when they meet.
 */
#include "bench.h"
#include "support/rig.h"

#include <stdlib.h>
#include <string.h>

#define LINE	CACHE_LINE_BYTES
#define PLACE	(SZ_1M + 0x2000ULL) /* a line's start, and a page's */
#define RAM_END SZ_1G
#define OWN	(SZ_4G + 24) /* adopted memory: begins and ends in the middle of a line */
#define OWN_LEN 200

static int setup(void **state)
{
	struct bench *bench;

	if (bench_setup(state))
		return -1;
	bench = *state;
	ram_add_range(&bench->hw.ram, 0, RAM_END);
	return 0;
}

static struct hw *hw_of(void **state)
{
	struct bench *bench = *state;

	return &bench->hw;
}

/* ---- Both sides, by patterns ----------------------------------------------------------------- */

static void cpu_writes(struct hw *hw, phys_addr_t phys, u64 bytes, u64 seed)
{
	u8 data[SZ_4K];

	fill_pattern(data, bytes, seed);
	expect_u64(ram_write(&hw->ram, phys, data, bytes), bytes);
}

static void device_writes(struct hw *hw, phys_addr_t phys, u64 bytes, u64 seed)
{
	u8 data[SZ_4K];

	fill_pattern(data, bytes, seed);
	expect_u64(hw_cache_write(hw, phys, data, bytes), bytes);
}

static void fill_expected(u8 *expected, u64 bytes, u64 seed)
{
	if (seed)
		fill_pattern(expected, bytes, seed);
	else
		memset(expected, 0, bytes);
}

/* seed 0: zeros. */
static void expect_cpu_sees(struct hw *hw, phys_addr_t phys, u64 bytes, u64 seed)
{
	u8 expected[SZ_4K], found[SZ_4K];

	fill_expected(expected, bytes, seed);
	expect_u64(ram_read(&hw->ram, phys, found, bytes), bytes);
	assert_memory_equal(found, expected, bytes);
}

static void expect_device_sees(struct hw *hw, phys_addr_t phys, u64 bytes, u64 seed)
{
	u8 expected[SZ_4K], found[SZ_4K];

	fill_expected(expected, bytes, seed);
	expect_u64(hw_cache_read(hw, phys, found, bytes), bytes);
	assert_memory_equal(found, expected, bytes);
}

static void expect_both_see(struct hw *hw, phys_addr_t phys, u64 bytes, u64 seed)
{
	expect_cpu_sees(hw, phys, bytes, seed);
	expect_device_sees(hw, phys, bytes, seed);
}

/* ---- Cleaning -------------------------------------------------------------------------------- */

static void the_device_sees_what_was_cleaned(void **state)
{
	struct hw *hw = hw_of(state);

	cpu_writes(hw, PLACE, 3 * LINE, 1);
	expect_device_sees(hw, PLACE, 3 * LINE, 0);
	hw_cache_clean(hw, PLACE, 3 * LINE);
	expect_both_see(hw, PLACE, 3 * LINE, 1);
	cpu_writes(hw, PLACE, 3 * LINE, 2);
	expect_device_sees(hw, PLACE, 3 * LINE, 1);
}

static void a_clean_takes_the_lines_it_touches_and_no_other(void **state)
{
	struct hw *hw = hw_of(state);

	for (u64 i = 0; i < 4; i++)
		cpu_writes(hw, PLACE + i * LINE, LINE, i + 1);
	/* The last byte of the second line and the first of the third. */
	hw_cache_clean(hw, PLACE + 2 * LINE - 1, 2);
	expect_device_sees(hw, PLACE, LINE, 0);
	expect_device_sees(hw, PLACE + LINE, LINE, 2);
	expect_device_sees(hw, PLACE + 2 * LINE, LINE, 3);
	expect_device_sees(hw, PLACE + 3 * LINE, LINE, 0);
}

static void a_clean_of_nothing_does_nothing(void **state)
{
	struct hw *hw = hw_of(state);

	cpu_writes(hw, PLACE, LINE, 1);
	hw_cache_clean(hw, PLACE, 0);
	expect_device_sees(hw, PLACE, LINE, 0);
	hw_cache_invalidate(hw, PLACE, 0);
	expect_cpu_sees(hw, PLACE, LINE, 1);
}

static void cleaning_a_clean_line_keeps_what_the_device_wrote(void **state)
{
	struct hw *hw = hw_of(state);

	cpu_writes(hw, PLACE, LINE, 1);
	hw_cache_clean(hw, PLACE, LINE);
	device_writes(hw, PLACE, LINE, 2);
	hw_cache_clean(hw, PLACE, LINE);
	expect_cpu_sees(hw, PLACE, LINE, 1);
	expect_device_sees(hw, PLACE, LINE, 2);
}

/* Two owners of one line: the write-back takes the whole line along. */
static void cleaning_a_dirty_line_overwrites_what_the_device_wrote_beside(void **state)
{
	struct hw *hw = hw_of(state);

	device_writes(hw, PLACE + 32, 32, 2);
	cpu_writes(hw, PLACE, 32, 1);
	hw_cache_clean(hw, PLACE, 32);
	expect_device_sees(hw, PLACE, 32, 1);
	expect_device_sees(hw, PLACE + 32, 32, 0);
}

/* ---- Invalidating ---------------------------------------------------------------------------- */

static void the_cpu_sees_what_the_device_wrote_after_an_invalidate(void **state)
{
	struct hw *hw = hw_of(state);

	device_writes(hw, PLACE, 3 * LINE, 1);
	expect_cpu_sees(hw, PLACE, 3 * LINE, 0);
	hw_cache_invalidate(hw, PLACE, 2 * LINE);
	expect_cpu_sees(hw, PLACE + 2 * LINE, LINE, 0);
	hw_cache_invalidate(hw, PLACE, 3 * LINE);
	expect_both_see(hw, PLACE, 3 * LINE, 1);
}

static void an_invalidate_loses_what_the_cpu_wrote_to_whole_lines(void **state)
{
	struct hw *hw = hw_of(state);

	cpu_writes(hw, PLACE, LINE, 1);
	hw_cache_clean(hw, PLACE, LINE);
	cpu_writes(hw, PLACE, LINE, 2);
	hw_cache_invalidate(hw, PLACE, LINE);
	expect_both_see(hw, PLACE, LINE, 1);
}

static void lines_in_part_are_cleaned_before_they_are_dropped(void **state)
{
	struct hw *hw = hw_of(state);

	cpu_writes(hw, PLACE, 3 * LINE, 1);
	hw_cache_invalidate(hw, PLACE + 16, 3 * LINE - 32);
	/* The first and the last line reached memory; the one between is lost. */
	expect_device_sees(hw, PLACE + LINE, LINE, 0);
	expect_cpu_sees(hw, PLACE + LINE, LINE, 0);
	cpu_writes(hw, PLACE + LINE, LINE, 9);
	hw_cache_invalidate(hw, PLACE + LINE, LINE);
	for (u64 i = 0; i < 3; i += 2) {
		u8 all[3 * LINE], found[LINE];

		fill_pattern(all, sizeof(all), 1);
		expect_u64(hw_cache_read(hw, PLACE + i * LINE, found, LINE), LINE);
		assert_memory_equal(found, all + i * LINE, LINE);
		expect_u64(ram_read(&hw->ram, PLACE + i * LINE, found, LINE), LINE);
		assert_memory_equal(found, all + i * LINE, LINE);
	}
}

static void a_clean_line_in_part_shows_what_the_device_wrote(void **state)
{
	struct hw *hw = hw_of(state);

	cpu_writes(hw, PLACE, 16, 1);
	hw_cache_clean(hw, PLACE, 16);
	device_writes(hw, PLACE + 16, 16, 2);
	hw_cache_invalidate(hw, PLACE + 16, 16);
	expect_both_see(hw, PLACE, 16, 1);
	expect_both_see(hw, PLACE + 16, 16, 2);
}

/* ---- Where memory ends ----------------------------------------------------------------------- */

static void requests_stop_where_memory_ends(void **state)
{
	struct hw *hw = hw_of(state);
	u8 data[2 * LINE];

	fill_pattern(data, sizeof(data), 1);
	expect_u64(hw_cache_write(hw, RAM_END - LINE - 5, data, sizeof(data)), LINE + 5);
	expect_u64(hw_cache_read(hw, RAM_END - LINE - 5, data, sizeof(data)), LINE + 5);
	expect_u64(hw_cache_peek(&hw->cache, &hw->ram, RAM_END - 1, data, 2), 1);
	expect_u64(hw_cache_read(hw, RAM_END, data, 1), 0);
	expect_u64(hw_cache_write(hw, RAM_END, data, 1), 0);
	hw_cache_invalidate(hw, RAM_END - LINE - 5, SZ_4K);
	fill_pattern(data, sizeof(data), 1);
	{
		u8 found[LINE + 5];

		expect_u64(ram_read(&hw->ram, RAM_END - LINE - 5, found, sizeof(found)),
			   sizeof(found));
		assert_memory_equal(found, data, sizeof(found));
	}
}

static void adopted_memory_has_lines_that_begin_and_end_with_it(void **state)
{
	struct hw *hw = hw_of(state);
	u8 own[OWN_LEN], beside[4];

	memset(own, 0, sizeof(own));
	expect_ok(ram_adopt(&hw->ram, OWN, own, OWN_LEN));
	fill_pattern(own, OWN_LEN, 1);
	expect_device_sees(hw, OWN, OWN_LEN, 0);
	hw_cache_clean(hw, OWN, OWN_LEN);
	expect_both_see(hw, OWN, OWN_LEN, 1);
	device_writes(hw, OWN, OWN_LEN, 2);
	expect_cpu_sees(hw, OWN, OWN_LEN, 1);
	/* One byte at each end stands for its line. */
	hw_cache_invalidate(hw, OWN, 1);
	hw_cache_invalidate(hw, OWN + OWN_LEN - 1, 1);
	hw_cache_invalidate(hw, OWN + 40, OWN_LEN - 80);
	expect_both_see(hw, OWN, OWN_LEN, 2);
	expect_u64(hw_cache_read(hw, OWN + OWN_LEN - 2, beside, 4), 2);
	expect_u64(hw_cache_write(hw, OWN + OWN_LEN, beside, 1), 0);
	ram_unadopt(&hw->ram, OWN);
}

/* ---- Snooped writes, and memory without a cache ---------------------------------------------- */

static void a_snooped_write_is_seen_by_all(void **state)
{
	struct hw *hw = hw_of(state);
	u8 data[16];

	cpu_writes(hw, PLACE, LINE, 1);
	hw_cache_clean(hw, PLACE, LINE);
	fill_pattern(data, sizeof(data), 2);
	expect_u64(ram_write(&hw->ram, PLACE + 16, data, sizeof(data)), sizeof(data));
	hw_cache_snooped(hw, PLACE + 16, data, sizeof(data));
	expect_both_see(hw, PLACE + 16, sizeof(data), 2);
	/* It left nothing dirty: what the device writes survives a clean. */
	device_writes(hw, PLACE, LINE, 3);
	hw_cache_clean(hw, PLACE, LINE);
	expect_device_sees(hw, PLACE, LINE, 3);
}

static void a_page_without_a_cache_is_seen_alike_by_both(void **state)
{
	struct hw *hw = hw_of(state);

	cpu_writes(hw, PLACE, SZ_4K, 1);
	cpu_writes(hw, PLACE + SZ_4K, LINE, 1);
	hw_cache_bypass(hw, PLACE, SZ_4K, true);
	expect_both_see(hw, PLACE, SZ_4K, 1);
	cpu_writes(hw, PLACE, SZ_4K, 2);
	expect_device_sees(hw, PLACE, SZ_4K, 2);
	device_writes(hw, PLACE + 100, 300, 3);
	expect_cpu_sees(hw, PLACE + 100, 300, 3);
	/* Its neighbours have one. */
	expect_device_sees(hw, PLACE + SZ_4K, LINE, 0);
	device_writes(hw, PLACE - LINE, LINE, 4);
	expect_cpu_sees(hw, PLACE - LINE, LINE, 0);
	hw_cache_bypass(hw, PLACE, SZ_4K, false);
	expect_both_see(hw, PLACE + 100, 300, 3);
	cpu_writes(hw, PLACE + 100, 300, 5);
	expect_device_sees(hw, PLACE + 100, 300, 3);
}

static void a_page_that_loses_its_cache_shows_what_the_device_wrote_before(void **state)
{
	struct hw *hw = hw_of(state);

	device_writes(hw, PLACE, LINE, 1);
	expect_cpu_sees(hw, PLACE, LINE, 0);
	hw_cache_bypass(hw, PLACE, SZ_4K, true);
	expect_both_see(hw, PLACE, LINE, 1);
	hw_cache_bypass(hw, PLACE, SZ_4K, false);
	expect_both_see(hw, PLACE, LINE, 1);
}

static void many_pages_without_a_cache_are_told_apart(void **state)
{
	struct hw *hw = hw_of(state);

	/* Every second page, in an order that is neither up nor down. */
	for (u64 i = 0; i < 64; i++)
		hw_cache_bypass(hw, PLACE + (i * 37 % 64) * 2 * SZ_4K, SZ_4K, true);
	for (u64 i = 0; i < 128; i++) {
		cpu_writes(hw, PLACE + i * SZ_4K + SZ_4K - 8, 8, i + 1);
		expect_device_sees(hw, PLACE + i * SZ_4K + SZ_4K - 8, 8, i & 1 ? 0 : i + 1);
	}
	for (u64 i = 0; i < 64; i++)
		hw_cache_bypass(hw, PLACE + (i * 11 % 64) * 2 * SZ_4K, SZ_4K, false);
	for (u64 i = 0; i < 128; i++) {
		cpu_writes(hw, PLACE + i * SZ_4K, 8, i + 1);
		expect_device_sees(hw, PLACE + i * SZ_4K, 8, 0);
	}
}

static void a_page_that_loses_its_cache_twice_gets_it_back_at_once(void **state)
{
	struct bench *bench = *state;
	struct hw *hw = &bench->hw;
	u64 live;

	hw_cache_bypass(hw, PLACE, SZ_4K, true);
	live = bench_live(bench);
	hw_cache_bypass(hw, PLACE, SZ_4K, true);
	expect_u64(bench_live(bench), live);
	cpu_writes(hw, PLACE, LINE, 1);
	expect_device_sees(hw, PLACE, LINE, 1);
	hw_cache_bypass(hw, PLACE, SZ_4K, false);
	cpu_writes(hw, PLACE, LINE, 2);
	expect_device_sees(hw, PLACE, LINE, 1);
}

static void new_frames_are_zeros_on_both_sides(void **state)
{
	struct hw *hw = hw_of(state);

	cpu_writes(hw, PLACE, SZ_4K, 1);
	hw_cache_clean(hw, PLACE, SZ_4K);
	device_writes(hw, PLACE, 16, 2);
	ram_zero(&hw->ram, PLACE, SZ_4K);
	hw_cache_zero(&hw->cache, PLACE, SZ_4K);
	expect_both_see(hw, PLACE, SZ_4K, 0);
	device_writes(hw, PLACE, LINE, 3);
	hw_cache_clean(hw, PLACE, LINE);
	expect_device_sees(hw, PLACE, LINE, 3);
}

/* ---- Chance ---------------------------------------------------------------------------------- */

#define TRIES 200

/* For each of many lines: did the CPU's store leave on its own, and the device's write arrive? */
static void play(struct hw *hw, u8 left[TRIES], u8 arrived[TRIES])
{
	u8 sent[LINE], found[LINE], zeros[LINE] = { 0 };

	for (u64 i = 0; i < TRIES; i++) {
		phys_addr_t phys = PLACE + 2 * i * LINE;

		cpu_writes(hw, phys, LINE, i + 1);
		fill_pattern(sent, LINE, i + 1);
		expect_u64(hw_cache_read(hw, phys, found, LINE), LINE);
		left[i] = !memcmp(found, sent, LINE);
		assert_true(left[i] || !memcmp(found, zeros, LINE));
		expect_cpu_sees(hw, phys, LINE, i + 1);

		phys += LINE;
		device_writes(hw, phys, LINE, i + 1);
		expect_u64(hw_cache_read(hw, phys, found, LINE), LINE);
		assert_memory_equal(found, sent, LINE);
		expect_u64(ram_read(&hw->ram, phys, found, LINE), LINE);
		arrived[i] = !memcmp(found, sent, LINE);
		assert_true(arrived[i] || !memcmp(found, zeros, LINE));
	}
}

static u32 count(const u8 *flags)
{
	u32 sum = 0;

	for (u32 i = 0; i < TRIES; i++)
		sum += flags[i];
	return sum;
}

static void by_chance_lines_leave_and_the_seed_says_which(void **state)
{
	u8 left[2][TRIES], arrived[2][TRIES];
	struct hw *hw = hw_of(state);

	hw->world->random_choices = true;
	for (u32 i = 0; i < 2; i++) {
		random_init(&hw->world->random, test_seed(7));
		play(hw, left[i], arrived[i]);
		ram_zero(&hw->ram, 0, SZ_4K * 1024);
		hw_cache_zero(&hw->cache, 0, SZ_4K * 1024);
	}
	assert_memory_equal(left[0], left[1], TRIES);
	assert_memory_equal(arrived[0], arrived[1], TRIES);
	/* Neither always nor never. */
	assert_in_range(count(left[0]), TRIES / 5, TRIES * 4 / 5);
	assert_in_range(count(arrived[0]), TRIES / 5, TRIES * 4 / 5);
}

/* ---- No memory of the host ------------------------------------------------------------------- */

static void fail_cache(struct hw *hw, u64 nth)
{
	memory_fail(&hw->world->memory, (struct memory_plan){ DMASIM_FAULT_CACHE, nth });
}

/* Whatever failed: the cache is as if it were not there. */
static void expect_everything_snoops(struct hw *hw)
{
	fail_cache(hw, 0);
	assert_true(hw->cache.broken);
	cpu_writes(hw, PLACE, 2 * LINE, 21);
	expect_device_sees(hw, PLACE, 2 * LINE, 21);
	device_writes(hw, PLACE, 2 * LINE, 22);
	expect_cpu_sees(hw, PLACE, 2 * LINE, 22);
	hw_cache_invalidate(hw, PLACE, 2 * LINE);
	hw_cache_clean(hw, PLACE, 2 * LINE);
	expect_both_see(hw, PLACE, 2 * LINE, 22);
}

static void without_memory_for_a_clean_everything_snoops(void **state)
{
	struct hw *hw = hw_of(state);

	cpu_writes(hw, PLACE, SZ_4K, 1);
	fail_cache(hw, 1);
	hw_cache_clean(hw, PLACE, SZ_4K);
	expect_both_see(hw, PLACE, SZ_4K, 1);
	expect_everything_snoops(hw);
}

static void without_memory_for_a_page_without_cache_everything_snoops(void **state)
{
	struct hw *hw = hw_of(state);

	fail_cache(hw, 1);
	hw_cache_bypass(hw, PLACE, SZ_4K, true);
	expect_everything_snoops(hw);
	hw_cache_bypass(hw, PLACE, SZ_4K, false);
	expect_everything_snoops(hw);
}

static void without_memory_for_a_write_everything_snoops(void **state)
{
	struct hw *hw = hw_of(state);

	fail_cache(hw, 1);
	device_writes(hw, PLACE, SZ_4K, 1);
	expect_both_see(hw, PLACE, SZ_4K, 1);
	expect_everything_snoops(hw);
}

/* What the device wrote while there was memory is not lost with it. */
static void without_memory_what_the_device_wrote_before_is_seen(void **state)
{
	struct hw *hw = hw_of(state);
	u8 own[OWN_LEN] = { 0 };

	expect_ok(ram_adopt(&hw->ram, OWN, own, OWN_LEN));
	device_writes(hw, PLACE + SZ_2M, SZ_4K, 1);
	device_writes(hw, OWN, OWN_LEN, 3);
	cpu_writes(hw, PLACE, SZ_4K, 2);
	fail_cache(hw, 1);
	hw_cache_clean(hw, PLACE, SZ_4K);
	assert_true(hw->cache.broken);
	expect_both_see(hw, PLACE + SZ_2M, SZ_4K, 1);
	expect_both_see(hw, PLACE, SZ_4K, 2);
	expect_both_see(hw, OWN, OWN_LEN, 3);
	ram_unadopt(&hw->ram, OWN);
}

static void without_memory_an_invalidate_shows_all_lines(void **state)
{
	struct hw *hw = hw_of(state);

	device_writes(hw, PLACE, SZ_4K, 1);
	fail_cache(hw, 1);
	hw_cache_invalidate(hw, PLACE, SZ_4K);
	expect_both_see(hw, PLACE, SZ_4K, 1);
	expect_everything_snoops(hw);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, bench_teardown)

TEST_MAIN(T(the_device_sees_what_was_cleaned), T(a_clean_takes_the_lines_it_touches_and_no_other),
	  T(a_clean_of_nothing_does_nothing), T(cleaning_a_clean_line_keeps_what_the_device_wrote),
	  T(cleaning_a_dirty_line_overwrites_what_the_device_wrote_beside),
	  T(the_cpu_sees_what_the_device_wrote_after_an_invalidate),
	  T(an_invalidate_loses_what_the_cpu_wrote_to_whole_lines),
	  T(lines_in_part_are_cleaned_before_they_are_dropped),
	  T(a_clean_line_in_part_shows_what_the_device_wrote), T(requests_stop_where_memory_ends),
	  T(adopted_memory_has_lines_that_begin_and_end_with_it), T(a_snooped_write_is_seen_by_all),
	  T(a_page_without_a_cache_is_seen_alike_by_both),
	  T(a_page_that_loses_its_cache_shows_what_the_device_wrote_before),
	  T(many_pages_without_a_cache_are_told_apart),
	  T(a_page_that_loses_its_cache_twice_gets_it_back_at_once),
	  T(new_frames_are_zeros_on_both_sides), T(by_chance_lines_leave_and_the_seed_says_which),
	  T(without_memory_for_a_clean_everything_snoops),
	  T(without_memory_for_a_page_without_cache_everything_snoops),
	  T(without_memory_for_a_write_everything_snoops),
	  T(without_memory_what_the_device_wrote_before_is_seen),
	  T(without_memory_an_invalidate_shows_all_lines))
