/* SPDX-License-Identifier: MIT */
/*
 * The allocator of page frames: sizes, alignment, splitting and joining, zeroed and contiguous
 * memory behind them.
 */
#include "bench.h"

#include <errno.h>
#include <string.h>

#define WHY DMASIM_FAULT_FRAMES

/* 256 frames; naturally aligned, so that it is one block. */
#define START SZ_16M
#define BYTES SZ_1M

static int setup(void **state)
{
	struct bench *bench;

	if (bench_setup(state))
		return -1;
	bench = *state;
	ram_add_range(&bench->hw.ram, START, SZ_1G);
	return frames_add(&bench->hw.frames, START, BYTES);
}

static struct frames *frames_of(void **state)
{
	struct bench *bench = *state;

	return &bench->hw.frames;
}

/* What a fresh allocator of this size must still be able to give: everything, in one piece. */
static void expect_whole(struct frames *frames)
{
	phys_addr_t all = frames_alloc(frames, WHY, BYTES >> FRAME_SHIFT);

	expect_u64(all, START);
	expect_u64(frames_alloc(frames, WHY, 1), RAM_NO_PHYS);
	frames_free(frames, WHY, all, BYTES >> FRAME_SHIFT);
	expect_u64(frames->in_use[WHY], 0);
}

static void every_size_is_aligned_to_itself(void **state)
{
	struct frames *frames = frames_of(state);

	for (u64 count = 1; count <= 256; count *= 2) {
		phys_addr_t odd_one_out = count < 256 ? frames_alloc(frames, WHY, 1) : 0;
		phys_addr_t phys = frames_alloc(frames, WHY, count);

		assert_true(phys != RAM_NO_PHYS);
		expect_u64(phys % (count << FRAME_SHIFT), 0);
		assert_in_range(phys, START, START + BYTES - (count << FRAME_SHIFT));
		frames_free(frames, WHY, phys, count);
		if (odd_one_out)
			frames_free(frames, WHY, odd_one_out, 1);
	}
	expect_whole(frames);
}

/* 3 frames take a block of 4; so do the bounds of every power of two. */
static void counts_are_rounded_up_to_a_power_of_two(void **state)
{
	static const struct {
		u64 count;
		u64 takes;
	} row[] = { { 1, 1 },  { 2, 2 },     { 3, 4 },	   { 4, 4 },	 { 5, 8 },    { 8, 8 },
		    { 9, 16 }, { 127, 128 }, { 129, 256 }, { 255, 256 }, { 256, 256 } };
	struct frames *frames = frames_of(state);

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		phys_addr_t phys = frames_alloc(frames, WHY, row[i].count);

		assert_true(phys != RAM_NO_PHYS);
		expect_u64(frames->in_use[WHY], row[i].takes);
		frames_free(frames, WHY, phys, row[i].count);
		expect_u64(frames->in_use[WHY], 0);
	}
}

static void frames_in_use_are_counted_by_what_they_are_for(void **state)
{
	struct frames *frames = frames_of(state);
	phys_addr_t table = frames_alloc(frames, DMASIM_FAULT_TABLE_PAGE, 1);
	phys_addr_t buffer = frames_alloc(frames, WHY, 8);

	expect_u64(frames->in_use[DMASIM_FAULT_TABLE_PAGE], 1);
	expect_u64(frames->in_use[WHY], 8);
	frames_free(frames, DMASIM_FAULT_TABLE_PAGE, table, 1);
	expect_u64(frames->in_use[DMASIM_FAULT_TABLE_PAGE], 0);
	expect_u64(frames->in_use[WHY], 8);
	frames_free(frames, WHY, buffer, 8);
}

/*
 *   |1111111111111111|    256 single frames, then none
 *   |1.1.1.1.1.1.1.1.|    every other one free: no block of 2
 *   |................|    one block again
 */
static void single_frames_split_a_block_and_join_again(void **state)
{
	struct frames *frames = frames_of(state);
	bool had[256] = { false };

	for (int i = 0; i < 256; i++) {
		u64 index = (frames_alloc(frames, WHY, 1) - START) >> FRAME_SHIFT;

		assert_true(index < 256);
		assert_false(had[index]);
		had[index] = true;
	}
	expect_u64(frames_alloc(frames, WHY, 1), RAM_NO_PHYS);
	for (u64 i = 0; i < 256; i += 2)
		frames_free(frames, WHY, START + i * FRAME_BYTES, 1);
	expect_u64(frames_alloc(frames, WHY, 2), RAM_NO_PHYS);
	for (u64 i = 255; i < 256; i -= 2)
		frames_free(frames, WHY, START + i * FRAME_BYTES, 1);
	expect_whole(frames);
}

/* |.AA.| two free neighbours that are not buddies do not make a block; their buddies do. */
static void only_buddies_join(void **state)
{
	struct frames *frames = frames_of(state);

	for (int i = 0; i < 256; i++)
		frames_alloc(frames, WHY, 1);
	frames_free(frames, WHY, START + 1 * FRAME_BYTES, 1);
	frames_free(frames, WHY, START + 2 * FRAME_BYTES, 1);
	expect_u64(frames_alloc(frames, WHY, 2), RAM_NO_PHYS);
	frames_free(frames, WHY, START + 3 * FRAME_BYTES, 1);
	expect_u64(frames_alloc(frames, WHY, 2), START + 2 * FRAME_BYTES);
}

static void what_cannot_be_had_is_refused(void **state)
{
	struct frames *frames = frames_of(state);

	expect_u64(frames_alloc(frames, WHY, 0), RAM_NO_PHYS);
	expect_u64(frames_alloc(frames, WHY, 257), RAM_NO_PHYS);
	expect_u64(frames_alloc(frames, WHY, 1ULL << 40), RAM_NO_PHYS);
	expect_u64(frames_alloc(frames, WHY, (1ULL << 40) + 1), RAM_NO_PHYS);
	expect_u64(frames_alloc(frames, WHY, ~0ULL), RAM_NO_PHYS);
	expect_u64(frames->in_use[WHY], 0);
	expect_whole(frames);
}

/* 0x1_0001_0000 + 0x5_3000 bytes: neither end is aligned, yet every frame can be had. */
static void an_odd_stretch_gives_all_its_frames(void **state)
{
	struct bench *bench = *state;
	struct frames *frames = &bench->hw.frames;
	phys_addr_t start = SZ_256M + 0x11000;
	u64 count = 0x53;

	frames_remove(frames, START, BYTES);
	expect_u64(frames_alloc(frames, WHY, 1), RAM_NO_PHYS);
	expect_ok(frames_add(frames, start, count << FRAME_SHIFT));
	for (u64 i = 0; i < count; i++) {
		phys_addr_t phys = frames_alloc(frames, WHY, 1);

		assert_in_range(phys, start, start + ((count - 1) << FRAME_SHIFT));
	}
	expect_u64(frames_alloc(frames, WHY, 1), RAM_NO_PHYS);
}

/* RAM that starts at 0 holds a block of any order there. */
static void a_stretch_may_start_at_0(void **state)
{
	struct bench *bench = *state;
	struct frames *frames = &bench->hw.frames;

	frames_remove(frames, START, BYTES);
	ram_add_range(&bench->hw.ram, 0, SZ_16M);
	expect_ok(frames_add(frames, 0, SZ_16M));
	expect_u64(frames_alloc(frames, WHY, SZ_16M >> FRAME_SHIFT), 0);
	frames_free(frames, WHY, 0, SZ_16M >> FRAME_SHIFT);
	expect_u64(frames_alloc(frames, WHY, 1) % FRAME_BYTES, 0);
}

/* A tebibyte is a handful of records. */
static void free_memory_costs_nothing_until_it_is_split(void **state)
{
	struct bench *bench = *state;
	u64 live = bench_live(bench);

	expect_ok(frames_add(&bench->hw.frames, 1ULL << 41, 1ULL << 40));
	expect_u64(bench_live(bench), live + 1);
}

static void memory_comes_zeroed(void **state)
{
	struct bench *bench = *state;
	struct frames *frames = &bench->hw.frames;
	static const u8 zeros[SZ_1M];

	for (u64 count = 1; count <= 256; count *= 2) {
		u64 bytes = count << FRAME_SHIFT;
		phys_addr_t phys = frames_alloc(frames, WHY, 256);

		memset(ram_touch(&bench->hw.ram, phys)->host, 0xee, BYTES);
		frames_free(frames, WHY, phys, 256);
		phys = frames_alloc(frames, WHY, count);
		assert_memory_equal(ram_touch(&bench->hw.ram, phys)->host +
					    (phys - ram_touch(&bench->hw.ram, phys)->start),
				    zeros, bytes);
		frames_free(frames, WHY, phys, count);
	}
}

/* Beyond 64 MiB memory is not contiguous on the host, but zeroed all the same. */
static void memory_beyond_64_MiB_comes_zeroed_too(void **state)
{
	struct bench *bench = *state;
	struct frames *frames = &bench->hw.frames;
	u64 count = (2 * FRAMES_HOST_CONTIGUOUS_BYTES) >> FRAME_SHIFT;
	phys_addr_t phys;
	u8 seen = 0xff;

	frames_remove(frames, START, BYTES);
	expect_ok(frames_add(frames, SZ_256M, 2 * FRAMES_HOST_CONTIGUOUS_BYTES));
	phys = frames_alloc(frames, WHY, 1);
	expect_u64(ram_write(&bench->hw.ram, phys, "old", 3), 3);
	frames_free(frames, WHY, phys, 1);
	expect_u64(frames_alloc(frames, WHY, count), SZ_256M);
	expect_u64(ram_read(&bench->hw.ram, phys, &seen, 1), 1);
	assert_int_equal(seen, 0);
}

static void memory_is_contiguous_on_the_host_up_to_64_MiB(void **state)
{
	struct bench *bench = *state;
	struct frames *frames = &bench->hw.frames;

	frames_remove(frames, START, BYTES);
	expect_ok(frames_add(frames, SZ_256M, SZ_256M));
	for (u64 bytes = FRAME_BYTES; bytes <= FRAMES_HOST_CONTIGUOUS_BYTES; bytes *= 2) {
		phys_addr_t phys = frames_alloc(frames, WHY, bytes >> FRAME_SHIFT);
		struct ram_extent *extent = ram_touch(&bench->hw.ram, phys);

		assert_non_null(extent);
		assert_true(extent->start <= phys);
		assert_true(phys + bytes <= extent->start + extent->bytes);
		frames_free(frames, WHY, phys, bytes >> FRAME_SHIFT);
	}
}

/*   |A|.......|      A keeps its bytes and its host pointer while others come and go around it */
static void other_allocations_move_nothing_that_is_in_use(void **state)
{
	struct bench *bench = *state;
	struct frames *frames = &bench->hw.frames;
	phys_addr_t mine = frames_alloc(frames, WHY, 1);
	u8 *host = ram_touch(&bench->hw.ram, mine)->host +
		   (mine - ram_touch(&bench->hw.ram, mine)->start);

	memset(host, 0x5a, FRAME_BYTES);
	for (u64 count = 1; count <= 128; count *= 2) {
		phys_addr_t phys = frames_alloc(frames, WHY, count);

		assert_true(phys != RAM_NO_PHYS);
		frames_free(frames, WHY, phys, count);
	}
	expect_u64(ram_phys_of(&bench->hw.ram, host), mine);
	for (u64 i = 0; i < FRAME_BYTES; i++)
		assert_int_equal(host[i], 0x5a);
}

static void a_stretch_that_was_taken_back_gives_nothing(void **state)
{
	struct bench *bench = *state;
	struct frames *frames = &bench->hw.frames;

	expect_ok(frames_add(frames, SZ_256M, SZ_1M));
	frames_remove(frames, START, BYTES);
	for (int i = 0; i < 256; i++)
		assert_in_range(frames_alloc(frames, WHY, 1), SZ_256M, SZ_256M + SZ_1M - 1);
	expect_u64(frames_alloc(frames, WHY, 1), RAM_NO_PHYS);
}

/*   |..256 frames..|..256 frames..|     abutting stretches stay two things: one can go alone */
static void of_two_stretches_that_abut_one_can_be_taken_back(void **state)
{
	struct bench *bench = *state;
	struct frames *frames = &bench->hw.frames;
	phys_addr_t phys;

	expect_ok(frames_add(frames, START + BYTES, BYTES));
	phys = frames_alloc(frames, WHY, 1);
	frames_free(frames, WHY, phys, 1);
	frames_remove(frames, START + BYTES, BYTES);
	for (int i = 0; i < 256; i++)
		assert_in_range(frames_alloc(frames, WHY, 1), START, START + BYTES - 1);
	expect_u64(frames_alloc(frames, WHY, 1), RAM_NO_PHYS);
}

/*   |AAAA|..|B|.|....     inside A, across its end, a free frame, beyond */
static void allocated_ranges_are_known(void **state)
{
	struct frames *frames = frames_of(state);
	phys_addr_t a = frames_alloc(frames, WHY, 4);
	phys_addr_t b = frames_alloc(frames, WHY, 1);

	assert_true(frames_allocated(frames, a, 4 * FRAME_BYTES));
	assert_true(frames_allocated(frames, a + FRAME_BYTES + 1, 100));
	assert_false(frames_allocated(frames, a + FRAME_BYTES, 4 * FRAME_BYTES));
	assert_true(frames_allocated(frames, b, FRAME_BYTES));
	assert_false(frames_allocated(frames, b, FRAME_BYTES + 1));
	frames_free(frames, WHY, a, 4);
	assert_false(frames_allocated(frames, a, 1));
	assert_false(frames_allocated(frames, START + BYTES, 1));
	assert_false(frames_allocated(frames, START - 1, 1));
}

/* Who has a frame now came after, or before, a moment that is remembered. */
static void allocations_have_numbers(void **state)
{
	struct frames *frames = frames_of(state);
	phys_addr_t a = frames_alloc(frames, WHY, 4);
	u64 then = frames->allocations;

	expect_u64(frames_born(frames, a + 3 * FRAME_BYTES), then);
	frames_free(frames, WHY, a, 4);
	expect_u64(frames_born(frames, a), 0);
	expect_u64(frames_alloc(frames, WHY, 4), a);
	assert_true(frames_born(frames, a) > then);
	assert_true(frames_has(frames, START + BYTES - 1));
	assert_false(frames_has(frames, START + BYTES));
	expect_u64(frames_born(frames, START + BYTES), 0);
}

static void freeing_what_was_not_given_breaks_the_contract(void **state)
{
	struct frames *frames = frames_of(state);
	phys_addr_t phys = frames_alloc(frames, WHY, 4);

	expect_contract(frames_free(frames, WHY, phys + FRAME_BYTES, 1), "by their first address");
	expect_contract(frames_free(frames, WHY, phys, 2), "as many as they were");
	expect_contract(frames_remove(frames, START, BYTES), "not in use");
	frames_free(frames, WHY, phys, 3);
	expect_contract(frames_free(frames, WHY, phys, 4), "freed once");
}

/* To a place with other alignment, and back without memory. */
static void a_stretch_moves_and_moves_back_without_memory(void **state)
{
	struct bench *bench = *state;
	struct frames *frames = frames_of(state);
	const phys_addr_t there = START + 3 * SZ_64K;
	struct frame_list blocks;

	expect_ok(frames_prepare(frames, there, BYTES, &blocks));
	bench_fail(bench, 1);
	frames_move(frames, START, there, BYTES, &blocks);
	expect_u64(frames->stretch[0].frame, there >> FRAME_SHIFT);
	frames_move(frames, there, START, BYTES, &blocks);
	bench_fail(bench, 0);
	frames_drop(frames, &blocks);
	expect_whole(frames);
	bench_fail(bench, 2);
	expect_error(frames_prepare(frames, there, BYTES, &blocks), -ENOMEM);
	assert_true(LIST_EMPTY(&blocks));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)

TEST_MAIN(TEST(every_size_is_aligned_to_itself),
	  TEST(a_stretch_moves_and_moves_back_without_memory),
	  TEST(counts_are_rounded_up_to_a_power_of_two),
	  TEST(frames_in_use_are_counted_by_what_they_are_for),
	  TEST(single_frames_split_a_block_and_join_again), TEST(only_buddies_join),
	  TEST(what_cannot_be_had_is_refused), TEST(an_odd_stretch_gives_all_its_frames),
	  TEST(a_stretch_may_start_at_0), TEST(free_memory_costs_nothing_until_it_is_split),
	  TEST(memory_comes_zeroed), TEST(memory_beyond_64_MiB_comes_zeroed_too),
	  TEST(memory_is_contiguous_on_the_host_up_to_64_MiB),
	  TEST(other_allocations_move_nothing_that_is_in_use),
	  TEST(a_stretch_that_was_taken_back_gives_nothing),
	  TEST(of_two_stretches_that_abut_one_can_be_taken_back), TEST(allocated_ranges_are_known),
	  TEST(allocations_have_numbers), TEST(freeing_what_was_not_given_breaks_the_contract))
