/* SPDX-License-Identifier: MIT */
/*
 * The two formulas that choose leaves, against their plain meaning (facts
 * "iova-and-page-tables" 6.1):
 *
 *   best size   the largest 2^k of the bitmap that divides both addresses and does not pass the end
 *   count       leaves of that size until the end, or until the next larger size becomes possible
 */
#include "formats.h"
#include "support/scale.h"

#define ROUNDS 2000000 /* full count */

#define SIZES_X86  (1ULL << 12 | 1ULL << 21 | 1ULL << 30)
#define SIZES_HALF (1ULL << 11 | 1ULL << 19 | 1ULL << 27)

static u8 plain_best_size_lg2(u64 sizes, u64 iova, phys_addr_t phys, u64 bytes)
{
	for (u8 lg2 = 63; lg2 > 0; lg2--) {
		u64 size = 1ULL << lg2;

		if ((sizes & size) && iova % size == 0 && phys % size == 0 && size <= bytes)
			return lg2;
	}
	return 0;
}

/* Leaf after leaf: stop where a larger size divides both addresses, even if it does not fit. */
static u64 plain_leaf_count(u64 sizes, u64 iova, phys_addr_t phys, u64 bytes, u8 lg2)
{
	u64 size = 1ULL << lg2, larger = 0, count = 0;

	for (u8 next = lg2 + 1; next < 64 && !larger; next++)
		larger = sizes & 1ULL << next;
	while (bytes >= size) {
		if (count && larger && iova % larger == 0 && phys % larger == 0)
			return count;
		count++;
		iova += size;
		phys += size;
		bytes -= size;
	}
	return count;
}

static void best_size_by_hand(void **state)
{
	static const struct {
		u64 iova;
		phys_addr_t phys;
		u64 bytes;
		u8 lg2;
	} row[] = {
		{ 0, 0, ~0ULL, 30 },
		{ 0, 0, SZ_1G, 30 },
		{ 0, 0, SZ_1G - 1, 21 },
		{ 0, 0, SZ_4K, 12 },
		{ 0, 0, SZ_4K - 1, 0 },
		{ SZ_2M, SZ_1G, SZ_1G, 21 },
		{ SZ_1G, SZ_2M, SZ_1G, 21 },
		{ SZ_2M, SZ_4K, SZ_1G, 12 },
		{ 0x800, 0, SZ_1G, 0 },
		{ 0, 0x800, SZ_1G, 0 },
		{ 1ULL << 63, 1ULL << 63, 1ULL << 63, 30 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		expect_u64(formula_best_size_lg2(SIZES_X86, row[i].iova, row[i].phys, row[i].bytes),
			   row[i].lg2);
	expect_u64(formula_best_size_lg2(0, 0, 0, ~0ULL), 0);
	expect_u64(formula_best_size_lg2(1ULL << 63, 0, 1ULL << 63, ~0ULL), 63);
}

/*   2M border      2M        2M        2M
 *      |-----------|---------|---------|
 *             [4K 4K 4K][2M ...                 3 pages, if both addresses are as far from it */
static void count_by_hand(void **state)
{
	(void)state;
	expect_u64(
		formula_leaf_count(SIZES_X86, SZ_2M - 3 * SZ_4K, 5 * SZ_2M - 3 * SZ_4K, SZ_1G, 12),
		3);
	expect_u64(
		formula_leaf_count(SIZES_X86, SZ_2M - 3 * SZ_4K, 5 * SZ_2M - 2 * SZ_4K, SZ_1M, 12),
		SZ_1M / SZ_4K);
	expect_u64(
		formula_leaf_count(SIZES_X86, SZ_2M - 3 * SZ_4K, SZ_2M - 3 * SZ_4K, 2 * SZ_4K, 12),
		2);
	/* The largest size runs to the end. */
	expect_u64(formula_leaf_count(SIZES_X86, 0, 0, 100ULL * SZ_1G, 30), 100);
	/* On a border already: a full 2 MiB, because it was found not to fit. */
	expect_u64(formula_leaf_count(SIZES_X86, SZ_2M, SZ_2M, SZ_1M, 12), SZ_1M / SZ_4K);
	expect_u64(formula_leaf_count(1ULL << 63, 0, 0, 1ULL << 63, 63), 1);
}

static u64 draw(struct random *random, u64 bound)
{
	return random_below(random, bound);
}

/* Few bits set, at random places: addresses that are often aligned to something. */
static u64 draw_address(struct random *random, u8 bits)
{
	u64 address = 0;

	for (u64 n = draw(random, 6); n > 0; n--)
		address |= 1ULL << draw(random, bits);
	if (draw(random, 8) == 0)
		address |= (1ULL << bits) - 1;
	return address;
}

static void the_best_size_is_what_its_definition_says(void **state)
{
	struct random random;
	u32 rounds = scaled(ROUNDS);

	(void)state;
	random_init(&random, test_seed(1));
	for (u32 i = 0; i < rounds; i++) {
		u64 sizes = draw(&random, 3) ? SIZES_X86 : draw_address(&random, 63) & ~1ULL;
		u64 iova = draw_address(&random, 63), phys = draw_address(&random, 52);
		u64 bytes = draw_address(&random, 63) + 1;

		expect_u64(formula_best_size_lg2(sizes, iova, phys, bytes),
			   plain_best_size_lg2(sizes, iova, phys, bytes));
	}
}

/* As map uses it: for the size that was found best. */
static void the_count_is_what_its_definition_says(void **state)
{
	static const u64 bitmaps[] = { SIZES_X86, SIZES_HALF, 1ULL << 12, 1ULL << 12 | 1ULL << 21,
				       1ULL << 12 | 1ULL << 13 | 1ULL << 16 };
	struct random random;
	u32 rounds = scaled(ROUNDS), larger_ahead = 0;

	(void)state;
	random_init(&random, test_seed(1));
	for (u32 i = 0; i < rounds; i++) {
		u64 sizes = bitmaps[draw(&random, 5)];
		u64 iova = draw_address(&random, 34) & ~0x7ffULL;
		u64 phys = draw(&random, 2) ? iova ^ 1ULL << (12 + draw(&random, 24))
					    : draw_address(&random, 34) & ~0x7ffULL;
		u64 bytes = (1 + draw(&random, 1500)) << 11;
		u8 lg2 = plain_best_size_lg2(sizes, iova, phys, bytes);

		if (!lg2)
			continue;
		expect_u64(formula_leaf_count(sizes, iova, phys, bytes, lg2),
			   plain_leaf_count(sizes, iova, phys, bytes, lg2));
		larger_ahead += formula_leaf_count(sizes, iova, phys, bytes, lg2) < bytes >> lg2;
	}
	/* Both ends of a run must have been met. */
	assert_true(larger_ahead > rounds / 1000);
}

TEST_MAIN(cmocka_unit_test(best_size_by_hand), cmocka_unit_test(count_by_hand),
	  cmocka_unit_test(the_best_size_is_what_its_definition_says),
	  cmocka_unit_test(the_count_is_what_its_definition_says))
