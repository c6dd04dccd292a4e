/* SPDX-License-Identifier: MIT */
/*
 * RAM: what is there before anybody touches it, where it ends, and what touching costs.
 */
#include "bench.h"

#include <string.h>

/*   |--------- RAM ---------|   hole   |---- RAM ----|----- RAM -----|
 *   0                     1M-4K     16M            17M             1T+17M */
#define LOW_BYTES  (SZ_1M - SZ_4K)
#define HIGH_START SZ_16M
#define HIGH_BYTES SZ_1M
#define TOP_START  (HIGH_START + HIGH_BYTES)
#define TOP_BYTES  (1ULL << 40)

static int setup(void **state)
{
	struct bench *bench;

	if (bench_setup(state))
		return -1;
	bench = *state;
	ram_add_range(&bench->hw.ram, 0, LOW_BYTES);
	ram_add_range(&bench->hw.ram, HIGH_START, HIGH_BYTES);
	ram_add_range(&bench->hw.ram, TOP_START, TOP_BYTES);
	return 0;
}

static struct ram *ram_of(void **state)
{
	struct bench *bench = *state;

	return &bench->hw.ram;
}

static u64 chunks_asked_for(void **state)
{
	struct bench *bench = *state;

	return bench->world.memory.passes[DMASIM_FAULT_ANY];
}

static void a_map_of_a_tebibyte_costs_nothing(void **state)
{
	expect_u64(ram_covered(ram_of(state), TOP_START, TOP_BYTES), TOP_BYTES);
	expect_u64(chunks_asked_for(state), 0);
}

static void untouched_memory_reads_as_zeros_and_stays_untouched(void **state)
{
	static const u8 zeros[SZ_1M];
	static u8 buffer[SZ_1M];

	memset(buffer, 0xff, sizeof(buffer));
	expect_u64(ram_read(ram_of(state), TOP_START + TOP_BYTES / 2 + 3, buffer, sizeof(buffer)),
		   sizeof(buffer));
	assert_memory_equal(buffer, zeros, sizeof(buffer));
	expect_u64(chunks_asked_for(state), 0);
}

static void what_is_written_is_read_and_nothing_beside_it(void **state)
{
	struct ram *ram = ram_of(state);
	phys_addr_t at = TOP_START + TOP_BYTES - 5000;
	u8 seen[6];

	expect_u64(ram_write(ram, at, "\xa1\xa2\xa3\xa4", 4), 4);
	expect_u64(ram_read(ram, at - 1, seen, 6), 6);
	assert_memory_equal(seen, "\0\xa1\xa2\xa3\xa4\0", 6);
}

/* One byte makes one chunk: an extent and its memory. */
static void a_write_touches_one_chunk(void **state)
{
	struct ram *ram = ram_of(state);
	const struct ram_extent *extent;

	expect_u64(ram_write(ram, HIGH_START + RAM_CHUNK_BYTES + 5, "x", 1), 1);
	expect_u64(chunks_asked_for(state), 2);
	extent = ram_touch(ram, HIGH_START + RAM_CHUNK_BYTES);
	expect_u64(chunks_asked_for(state), 2);
	expect_u64(extent->start, HIGH_START + RAM_CHUNK_BYTES);
	expect_u64(extent->bytes, RAM_CHUNK_BYTES);
	assert_int_equal(extent->host[5], 'x');
}

/*   | chunk | chunk | chunk |
 *        [written]              from the middle of one to the middle of the third */
static void a_copy_runs_over_borders_of_chunks(void **state)
{
	struct ram *ram = ram_of(state);
	static u8 pattern[2 * RAM_CHUNK_BYTES], seen[2 * RAM_CHUNK_BYTES];
	phys_addr_t at = TOP_START + RAM_CHUNK_BYTES / 2;

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (u8)(i * 7 + i / 251);
	expect_u64(ram_write(ram, at, pattern, sizeof(pattern)), sizeof(pattern));
	expect_u64(chunks_asked_for(state), 3 * 2);
	expect_u64(ram_read(ram, at, seen, sizeof(seen)), sizeof(seen));
	assert_memory_equal(seen, pattern, sizeof(seen));
}

/* Touched, untouched, touched: the zeros between come from nowhere. */
static void a_read_joins_touched_and_untouched_memory(void **state)
{
	struct ram *ram = ram_of(state);
	static u8 seen[2 * RAM_CHUNK_BYTES];

	ram_write(ram, TOP_START + RAM_CHUNK_BYTES - 1, "a", 1);
	ram_write(ram, TOP_START + 2 * RAM_CHUNK_BYTES, "b", 1);
	memset(seen, 0xff, sizeof(seen));
	expect_u64(ram_read(ram, TOP_START + RAM_CHUNK_BYTES - 1, seen, RAM_CHUNK_BYTES + 2),
		   RAM_CHUNK_BYTES + 2);
	assert_int_equal(seen[0], 'a');
	for (size_t i = 1; i <= RAM_CHUNK_BYTES; i++)
		assert_int_equal(seen[i], 0);
	assert_int_equal(seen[RAM_CHUNK_BYTES + 1], 'b');
	expect_u64(chunks_asked_for(state), 2 * 2);
}

static void copies_stop_where_ram_ends(void **state)
{
	struct ram *ram = ram_of(state);
	static u8 buffer[SZ_16K];

	expect_u64(ram_write(ram, LOW_BYTES - 100, buffer, sizeof(buffer)), 100);
	expect_u64(ram_read(ram, LOW_BYTES - 100, buffer, sizeof(buffer)), 100);
	expect_u64(ram_read(ram, LOW_BYTES, buffer, 1), 0);
	expect_u64(ram_write(ram, LOW_BYTES, buffer, 1), 0);
	expect_u64(ram_write(ram, HIGH_START - 1, buffer, 2), 0);
	expect_u64(ram_read(ram, HIGH_START - 1, buffer, 2), 0);
	expect_u64(ram_read(ram, TOP_START + TOP_BYTES - 1, buffer, 2), 1);
	assert_null(ram_touch(ram, LOW_BYTES));
}

static void a_chunk_is_cut_where_its_stretch_of_ram_ends(void **state)
{
	struct ram *ram = ram_of(state);
	const struct ram_extent *extent = ram_touch(ram, LOW_BYTES - 1);

	expect_u64(extent->start, SZ_1M - RAM_CHUNK_BYTES);
	expect_u64(extent->start + extent->bytes, LOW_BYTES);
}

static void a_chunk_is_cut_where_its_stretch_of_ram_begins(void **state)
{
	struct ram *ram = ram_of(state);
	const struct ram_extent *extent;

	ram_add_range(ram, (2ULL << 40) + 3 * SZ_4K, SZ_1M);
	extent = ram_touch(ram, (2ULL << 40) + 3 * SZ_4K + 1);
	expect_u64(extent->start, (2ULL << 40) + 3 * SZ_4K);
	expect_u64(extent->start + extent->bytes, (2ULL << 40) + RAM_CHUNK_BYTES);
}

/* HIGH and TOP abut: together they are one stretch to who asks or copies. */
static void stretches_that_abut_are_covered_together(void **state)
{
	struct ram *ram = ram_of(state);

	expect_u64(ram_covered(ram, HIGH_START, 2 * HIGH_BYTES), 2 * HIGH_BYTES);
	expect_u64(ram_covered(ram, HIGH_START, ~0ULL - HIGH_START), HIGH_BYTES + TOP_BYTES);
	expect_u64(ram_covered(ram, HIGH_START - 1, 2), 0);
	expect_u64(ram_covered(ram, LOW_BYTES - 1, 2), 1);
	expect_u64(ram_covered(ram, LOW_BYTES, 1), 0);
	expect_u64(ram_covered(ram, 0, 0), 0);
	expect_u64(ram_write(ram, TOP_START - 1, "ab", 2), 2);
}

static void host_pointers_have_their_physical_address(void **state)
{
	struct ram *ram = ram_of(state);
	static const phys_addr_t at[] = { 0, LOW_BYTES - 1, HIGH_START + 12345,
					  TOP_START + (1ULL << 39) + 77 };
	int on_the_stack;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
			struct ram_extent *extent = ram_touch(ram, at[i]);

			assert_non_null(extent);
			expect_u64(ram_phys_of(ram, extent->host + (at[i] - extent->start)), at[i]);
			expect_u64(ram_phys_of(ram, extent->host), extent->start);
			expect_u64(ram_phys_of(ram, extent->host + extent->bytes - 1),
				   extent->start + extent->bytes - 1);
		}
	}
	expect_u64(ram_phys_of(ram, &on_the_stack), RAM_NO_PHYS);
	expect_u64(ram_phys_of(ram, NULL), RAM_NO_PHYS);
}

/* Both allocations of the second chunk in turn: the first one keeps what it got. */
static void a_write_stops_where_host_memory_cannot_be_had(void **state)
{
	struct bench *bench = *state;
	struct ram *ram = &bench->hw.ram;
	static const u8 ones[200] = { 1 };
	u8 seen[200];

	for (u64 nth = 1; nth <= 2; nth++) {
		phys_addr_t border = TOP_START + 16 * nth * RAM_CHUNK_BYTES;

		ram_touch(ram, border - 100);
		bench_fail(bench, nth);
		expect_u64(ram_write(ram, border - 100, ones, sizeof(ones)), 100);
		expect_u64(bench->world.memory.hits, 1);
		bench_fail(bench, nth);
		assert_null(ram_touch(ram, border));
		bench_fail(bench, 0);
		/* It reads as zeros still, and can be had later. */
		expect_u64(ram_read(ram, border - 100, seen, sizeof(seen)), sizeof(seen));
		expect_u64(ram_write(ram, border - 100, ones, sizeof(ones)), sizeof(ones));
	}
}

static void host_pointers_have_the_low_bits_of_the_address(void **state)
{
	for (u64 i = 0; i < 20; i++) {
		struct ram_extent *extent = ram_touch(ram_of(state), TOP_START + i * SZ_1M + 5);

		assert_non_null(extent);
		expect_u64(((uintptr_t)extent->host ^ extent->start) & (SZ_4K - 1), 0);
	}
	assert_true(ram_make_contiguous(ram_of(state), TOP_START, SZ_16M) >= 0);
	expect_u64((uintptr_t)ram_touch(ram_of(state), TOP_START)->host & (SZ_4K - 1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)

TEST_MAIN(TEST(host_pointers_have_the_low_bits_of_the_address),
	  TEST(a_map_of_a_tebibyte_costs_nothing),
	  TEST(untouched_memory_reads_as_zeros_and_stays_untouched),
	  TEST(what_is_written_is_read_and_nothing_beside_it), TEST(a_write_touches_one_chunk),
	  TEST(a_copy_runs_over_borders_of_chunks), TEST(a_read_joins_touched_and_untouched_memory),
	  TEST(copies_stop_where_ram_ends), TEST(a_chunk_is_cut_where_its_stretch_of_ram_ends),
	  TEST(a_chunk_is_cut_where_its_stretch_of_ram_begins),
	  TEST(stretches_that_abut_are_covered_together),
	  TEST(host_pointers_have_their_physical_address),
	  TEST(a_write_stops_where_host_memory_cannot_be_had))
