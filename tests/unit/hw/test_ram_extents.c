/* SPDX-License-Identifier: MIT */
/*
 * Extents: memory of the program's with a physical address, and stretches that are made contiguous
 * on the host.
 */
#include "bench.h"

#include <errno.h>
#include <string.h>

#define RAM_START SZ_16M
#define RAM_BYTES SZ_256M
#define ADOPTED	  (1ULL << 51)

static int setup(void **state)
{
	struct bench *bench;

	if (bench_setup(state))
		return -1;
	bench = *state;
	ram_add_range(&bench->hw.ram, RAM_START, RAM_BYTES);
	return 0;
}

static struct ram *ram_of(void **state)
{
	struct bench *bench = *state;

	return &bench->hw.ram;
}

static void fill(struct ram *ram, phys_addr_t phys, u64 bytes, u8 seed)
{
	for (u64 i = 0; i < bytes; i++) {
		u8 byte = (u8)(i * 13 + seed);

		expect_u64(ram_write(ram, phys + i, &byte, 1), 1);
	}
}

static void expect_filled(struct ram *ram, phys_addr_t phys, u64 bytes, u8 seed)
{
	for (u64 i = 0; i < bytes; i++) {
		u8 byte;

		expect_u64(ram_read(ram, phys + i, &byte, 1), 1);
		assert_int_equal(byte, (u8)(i * 13 + seed));
	}
}

/* ---- Adopted memory -------------------------------------------------------------------------- */

/*   program   ..[ 300 bytes ]..
 *   phys         x          x+300     nothing before, nothing behind */
static void adopted_memory_is_exact_to_the_byte(void **state)
{
	struct ram *ram = ram_of(state);
	phys_addr_t at = ADOPTED + 0x7c3;
	u8 mine[300], buffer[400];

	memset(mine, 0x11, sizeof(mine));
	expect_ok(ram_adopt(ram, at, mine, sizeof(mine)));
	expect_u64(ram_read(ram, at - 1, buffer, 1), 0);
	expect_u64(ram_write(ram, at - 1, buffer, 1), 0);
	expect_u64(ram_read(ram, at, buffer, sizeof(buffer)), 300);
	expect_u64(ram_read(ram, at + 299, buffer, 2), 1);
	expect_u64(ram_write(ram, at + 300, buffer, 1), 0);
	expect_u64(ram_covered(ram, at, 400), 300);
	expect_u64(ram_covered(ram, at + 17, 400), 283);
	assert_null(ram_touch(ram, at + 300));
	ram_unadopt(ram, at);
}

static void the_program_and_the_machine_see_the_same_bytes(void **state)
{
	struct ram *ram = ram_of(state);
	u8 mine[64] = { 0 }, seen[64];

	expect_ok(ram_adopt(ram, ADOPTED, mine, sizeof(mine)));
	expect_u64(ram_write(ram, ADOPTED + 60, "abcdef", 6), 4);
	assert_memory_equal(mine + 60, "abcd", 4);
	mine[0] = 0x77;
	ram_read(ram, ADOPTED, seen, sizeof(seen));
	assert_int_equal(seen[0], 0x77);
	expect_u64(ram_phys_of(ram, mine + 63), ADOPTED + 63);
	ram_unadopt(ram, ADOPTED);
	assert_memory_equal(mine + 60, "abcd", 4);
}

static void what_is_given_back_is_gone(void **state)
{
	struct ram *ram = ram_of(state);
	u64 dropped = ram->dropped;
	u8 mine[64], seen;

	expect_ok(ram_adopt(ram, ADOPTED, mine, sizeof(mine)));
	ram_touch(ram, ADOPTED);
	ram_unadopt(ram, ADOPTED);
	expect_u64(ram_read(ram, ADOPTED, &seen, 1), 0);
	expect_u64(ram_phys_of(ram, mine), RAM_NO_PHYS);
	assert_null(ram_touch(ram, ADOPTED));
	/* Pointers resolved before are void, and whoever keeps them is told. */
	expect_u64(ram->dropped, dropped + 1);
}

/* Two names for one piece of memory are legal: each goes on its own. */
static void memory_may_be_adopted_twice(void **state)
{
	struct ram *ram = ram_of(state);
	u8 mine[64], other[64], seen;

	expect_ok(ram_adopt(ram, ADOPTED, mine, sizeof(mine)));
	expect_ok(ram_adopt(ram, ADOPTED + SZ_1M, mine, sizeof(mine)));
	expect_ok(ram_adopt(ram, ADOPTED + 2 * SZ_1M, other, sizeof(other)));
	ram_write(ram, ADOPTED + SZ_1M, "x", 1);
	expect_u64(ram_read(ram, ADOPTED, &seen, 1), 1);
	assert_int_equal(seen, 'x');
	ram_unadopt(ram, ADOPTED + SZ_1M);
	expect_u64(ram_phys_of(ram, mine), ADOPTED);
	expect_u64(ram_phys_of(ram, other), ADOPTED + 2 * SZ_1M);
	ram_unadopt(ram, ADOPTED);
	expect_u64(ram_phys_of(ram, mine), RAM_NO_PHYS);
	expect_u64(ram_phys_of(ram, other), ADOPTED + 2 * SZ_1M);
	ram_unadopt(ram, ADOPTED + 2 * SZ_1M);
}

/* A buffer and a part of it, as a driver maps a ring and one entry of it; in either order. */
static void a_part_of_adopted_memory_may_be_adopted_too(void **state)
{
	struct ram *ram = ram_of(state);
	u8 mine[256];

	for (int part_first = 0; part_first < 2; part_first++) {
		if (part_first)
			expect_ok(ram_adopt(ram, ADOPTED + SZ_1M, mine + 64, 64));
		expect_ok(ram_adopt(ram, ADOPTED, mine, sizeof(mine)));
		if (!part_first)
			expect_ok(ram_adopt(ram, ADOPTED + SZ_1M, mine + 64, 64));
		expect_u64(ram_phys_of(ram, mine + 200), ADOPTED + 200);
		expect_u64(ram_phys_of(ram, mine + 10), ADOPTED + 10);
		ram_unadopt(ram, ADOPTED + SZ_1M);
		expect_u64(ram_phys_of(ram, mine + 64), ADOPTED + 64);
		ram_unadopt(ram, ADOPTED);
		expect_u64(ram_phys_of(ram, mine + 64), RAM_NO_PHYS);
	}
}

/*   | adopted, 300 bytes | adopted, 100 bytes |      what abuts is covered together */
static void adopted_memory_that_abuts_is_one_stretch(void **state)
{
	struct ram *ram = ram_of(state);
	u8 first[300], second[100], buffer[500];

	memset(first, 1, sizeof(first));
	memset(second, 2, sizeof(second));
	expect_ok(ram_adopt(ram, ADOPTED + 7, first, sizeof(first)));
	expect_ok(ram_adopt(ram, ADOPTED + 307, second, sizeof(second)));
	expect_u64(ram_covered(ram, ADOPTED + 7, 500), 400);
	expect_u64(ram_covered(ram, ADOPTED + 306, 2), 2);
	expect_u64(ram_read(ram, ADOPTED + 7, buffer, sizeof(buffer)), 400);
	assert_true(buffer[299] == 1 && buffer[300] == 2);
	ram_unadopt(ram, ADOPTED + 7);
	expect_u64(ram_covered(ram, ADOPTED + 306, 2), 0);
	expect_u64(ram_covered(ram, ADOPTED + 307, 500), 100);
	ram_unadopt(ram, ADOPTED + 307);
}

static void adopting_without_memory_changes_nothing(void **state)
{
	struct bench *bench = *state;
	u8 mine[64], seen;

	bench_fail(bench, 1);
	expect_error(ram_adopt(&bench->hw.ram, ADOPTED, mine, sizeof(mine)), -ENOMEM);
	expect_u64(ram_read(&bench->hw.ram, ADOPTED, &seen, 1), 0);
	expect_u64(bench_live(bench), 0);
}

static void only_adopted_memory_is_given_back(void **state)
{
	struct ram *ram = ram_of(state);

	ram_touch(ram, RAM_START);
	expect_contract(ram_unadopt(ram, ADOPTED), "of adopted memory");
	expect_contract(ram_unadopt(ram, RAM_START), "of adopted memory");
}

/* ---- Contiguous on the host ------------------------------------------------------------------ */

static void untouched_memory_becomes_one_extent_of_zeros(void **state)
{
	struct ram *ram = ram_of(state);
	const struct ram_extent *extent;

	assert_int_equal(ram_make_contiguous(ram, RAM_START, SZ_64M), 1);
	extent = ram_touch(ram, RAM_START + SZ_64M - 1);
	expect_u64(extent->start, RAM_START);
	expect_u64(extent->bytes, SZ_64M);
	for (u64 i = 0; i < SZ_64M; i += 4093)
		assert_int_equal(extent->host[i], 0);
	/* What lies beside it is not part of it. */
	assert_true(ram_touch(ram, RAM_START + SZ_64M) != extent);
}

/*   before  |....[xx]....[x][y]....|     chunks, some touched
 *   after   |[   xx      x  y     ]|     one extent, same bytes */
static void contents_survive(void **state)
{
	struct ram *ram = ram_of(state);
	static const u64 offset[] = { 0, 1000, RAM_CHUNK_BYTES - 500, 7 * RAM_CHUNK_BYTES + 1,
				      SZ_2M - 1000 };
	u64 dropped = ram->dropped;

	for (u8 i = 0; i < 5; i++)
		fill(ram, RAM_START + offset[i], 900, i);
	assert_int_equal(ram_make_contiguous(ram, RAM_START, SZ_2M), 0);
	expect_u64(ram_touch(ram, RAM_START)->bytes, SZ_2M);
	for (u8 i = 1; i < 5; i++)
		expect_filled(ram, RAM_START + offset[i], 900, i);
	/* Three chunks had been touched. */
	expect_u64(ram->dropped, dropped + 3);
	expect_u64(ram_phys_of(ram, ram_touch(ram, RAM_START)->host + SZ_1M), RAM_START + SZ_1M);
}

static void smaller_contiguous_extents_become_part_of_larger_ones(void **state)
{
	struct ram *ram = ram_of(state);

	for (u64 bytes = RAM_CHUNK_BYTES; bytes <= SZ_16M; bytes *= 2) {
		phys_addr_t upper_half = RAM_START + bytes / 2;

		fill(ram, upper_half, 100, (u8)(bytes >> 18));
		ram_make_contiguous(ram, RAM_START, bytes);
		expect_u64(ram_touch(ram, upper_half)->bytes, bytes);
	}
	for (u64 bytes = RAM_CHUNK_BYTES; bytes <= SZ_16M; bytes *= 2)
		expect_filled(ram, RAM_START + bytes / 2, 100, (u8)(bytes >> 18));
}

static void a_range_inside_an_extent_is_contiguous_already(void **state)
{
	struct bench *bench = *state;
	struct ram *ram = &bench->hw.ram;
	u64 passes;

	ram_make_contiguous(ram, RAM_START, SZ_16M);
	fill(ram, RAM_START + SZ_2M, 100, 5);
	passes = bench->world.memory.passes[DMASIM_FAULT_ANY];
	assert_int_equal(ram_make_contiguous(ram, RAM_START + SZ_2M, SZ_2M), 0);
	expect_u64(bench->world.memory.passes[DMASIM_FAULT_ANY], passes);
	expect_u64(ram_touch(ram, RAM_START + SZ_2M)->bytes, SZ_16M);
	expect_filled(ram, RAM_START + SZ_2M, 100, 5);
}

static void without_memory_everything_stays_as_it_was(void **state)
{
	struct bench *bench = *state;
	struct ram *ram = &bench->hw.ram;

	fill(ram, RAM_START + SZ_1M, 100, 9);
	for (u64 nth = 1; nth <= 2; nth++) {
		bench_fail(bench, nth);
		expect_error(ram_make_contiguous(ram, RAM_START, SZ_2M), -ENOMEM);
		bench_fail(bench, 0);
		expect_u64(bench_live(bench), 2);
		expect_filled(ram, RAM_START + SZ_1M, 100, 9);
		expect_u64(ram_touch(ram, RAM_START + SZ_1M)->bytes, RAM_CHUNK_BYTES);
	}
	assert_int_equal(ram_make_contiguous(ram, RAM_START, SZ_2M), 0);
}

/* ---- Chunks that were read lately ------------------------------------------------------------ */

static u64 read_at(struct ram *ram, phys_addr_t phys)
{
	u64 word = 0;

	expect_u64(ram_read(ram, phys, &word, sizeof(word)), sizeof(word));
	return word;
}

static bool knows(const struct ram *ram, phys_addr_t phys)
{
	return ram_is_recent(ram, phys >> RAM_CHUNK_LG2);
}

/* Where the known chunk of the address begins, on the host. */
static const u8 *chunk_of(const struct ram *ram, phys_addr_t phys)
{
	return ram_recent(ram, phys >> RAM_CHUNK_LG2);
}

/* A read makes a chunk known, until an extent goes away: the bytes may be somewhere else then. */
static void a_chunk_is_known_from_a_read_until_its_extent_goes(void **state)
{
	struct ram *ram = ram_of(state);
	phys_addr_t at = RAM_START + 5 * RAM_CHUNK_BYTES + 0x4568;

	fill(ram, at, 8, 1);
	assert_false(knows(ram, at));
	read_at(ram, at);
	assert_true(knows(ram, at));
	assert_true(knows(ram, at ^ 0x4568));
	assert_false(knows(ram, at + RAM_CHUNK_BYTES));
	/* The same place among the recent ones, and another chunk. */
	assert_false(knows(ram, at + RAM_RECENT * RAM_CHUNK_BYTES));
	assert_ptr_equal(chunk_of(ram, at), ram_touch(ram, at)->host);
	expect_ok(ram_make_contiguous(ram, RAM_START, SZ_2M));
	assert_false(knows(ram, at));
	expect_filled(ram, at, 8, 1);
	assert_true(knows(ram, at));
	assert_ptr_equal(chunk_of(ram, at), ram_touch(ram, at)->host + 5 * RAM_CHUNK_BYTES);
}

/* Memory that nobody touched has no place yet; a later write must be seen. */
static void an_untouched_chunk_is_not_known(void **state)
{
	struct ram *ram = ram_of(state);

	expect_u64(read_at(ram, RAM_START), 0);
	assert_false(knows(ram, RAM_START));
	fill(ram, RAM_START, 8, 1);
	read_at(ram, RAM_START);
	assert_true(knows(ram, RAM_START));
}

/*   chunk   |-----------|-----------|
 *   adopted    [----------]              no chunk of it is whole: never known */
static void a_chunk_that_is_there_in_part_is_not_known(void **state)
{
	static u8 mine[2 * RAM_CHUNK_BYTES];
	struct ram *ram = ram_of(state);

	expect_ok(ram_adopt(ram, ADOPTED + 64, mine, sizeof(mine) - 128));
	read_at(ram, ADOPTED + 64);
	read_at(ram, ADOPTED + RAM_CHUNK_BYTES);
	assert_false(knows(ram, ADOPTED + 64));
	assert_false(knows(ram, ADOPTED + RAM_CHUNK_BYTES));
	ram_unadopt(ram, ADOPTED + 64);
	expect_ok(ram_adopt(ram, ADOPTED, mine, RAM_CHUNK_BYTES));
	read_at(ram, ADOPTED + 64);
	assert_ptr_equal(chunk_of(ram, ADOPTED + 64), mine);
	assert_true(knows(ram, ADOPTED));
	ram_unadopt(ram, ADOPTED);
	assert_false(knows(ram, ADOPTED));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)

TEST_MAIN(TEST(adopted_memory_is_exact_to_the_byte),
	  TEST(the_program_and_the_machine_see_the_same_bytes), TEST(what_is_given_back_is_gone),
	  TEST(memory_may_be_adopted_twice), TEST(a_part_of_adopted_memory_may_be_adopted_too),
	  TEST(adopted_memory_that_abuts_is_one_stretch),
	  TEST(adopting_without_memory_changes_nothing), TEST(only_adopted_memory_is_given_back),
	  TEST(untouched_memory_becomes_one_extent_of_zeros), TEST(contents_survive),
	  TEST(smaller_contiguous_extents_become_part_of_larger_ones),
	  TEST(a_range_inside_an_extent_is_contiguous_already),
	  TEST(without_memory_everything_stays_as_it_was),
	  TEST(a_chunk_is_known_from_a_read_until_its_extent_goes),
	  TEST(an_untouched_chunk_is_not_known), TEST(a_chunk_that_is_there_in_part_is_not_known))
