/* SPDX-License-Identifier: MIT */
/*
 * The walk over a range finds what single walks find: on tables of random entries, some of them
 * malformed, for random ranges.
 */
#include "bench.h"
#include "found.h"
#include "support/scale.h"
#include "tables.h"

#include <stdlib.h>

#include "hw/walker.h"

#define RAM_BYTES (1ULL << 40)
#define TREES	  600 /* full count */
#define RANGES	  25
#define PLACES	  5

/* The entries of each table that are in use. */
static const u64 place[PLACES] = { 0, 1, 7, 510, 511 };

struct fixture {
	struct bench *bench;
	struct hw_walker walker;
	u8 levels;
	phys_addr_t root, next;
	struct found found;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || bench_setup(state))
		return -1;
	fixture->bench = *state;
	*state = fixture;
	fixture->found.max = 8192;
	ram_add_range(&fixture->bench->hw.ram, 0, RAM_BYTES);
	fixture->walker = (struct hw_walker){
		.ram = &fixture->bench->hw.ram, .levels = 5, .address_bits = 46, .huge_1g = true
	};
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *bench = fixture->bench;

	free(fixture);
	return bench_teardown(&bench);
}

static u64 draw(const struct fixture *fixture, u64 bound)
{
	return random_below(&fixture->bench->world.random, bound);
}

/* One entry in ten is malformed, one in twenty leads out of memory; permissions are any. */
static phys_addr_t grow(struct fixture *fixture, u8 level)
{
	phys_addr_t table = fixture->next;

	fixture->next += 0x1000;
	for (int i = 0; i < PLACES; i++) {
		u64 word = draw(fixture, 4) ? ENTRY_RW : draw(fixture, 4);
		u64 kind = draw(fixture, 10);

		if (kind < 2)
			continue;
		if (level == 0 || (level < 3 && kind < 5))
			word |= draw(fixture, 1 << 10) << 30 | (level ? ENTRY_LEAF : 0);
		else if (draw(fixture, 20) == 0)
			word |= RAM_BYTES;
		else
			word |= grow(fixture, level - 1);
		if (draw(fixture, 10) == 0)
			word |= 1ULL << (draw(fixture, 2) ? 50 : 11);
		put_entry(fixture->walker.ram, table, place[i], word);
	}
	return table;
}

static u64 draw_iova(const struct fixture *fixture)
{
	u64 iova = draw(fixture, 4096);

	for (u8 level = 0; level < fixture->levels; level++)
		iova |= place[draw(fixture, PLACES)] << (12 + 9 * level);
	return iova;
}

static void walk_range(struct fixture *fixture, hw_walk_table *table)
{
	fixture->found.leaves = fixture->found.tables = 0;
	hw_walk_vtd_ss_range(&fixture->walker, fixture->root, fixture->levels, fixture->found.first,
			     fixture->found.last, found_leaf, table, &fixture->found);
}

static void expect_table(const struct fixture *fixture, const struct hw_walk *walk, u8 step,
			 u64 iova)
{
	const struct hw_table *table = found_step(&fixture->found, walk, step, iova);

	expect_u64(table->read, walk->step[step].read);
	expect_u64(table->write, walk->step[step].write);
	expect_u64(table->bytes, 1ULL << (12 + 9 * table->levels));
}

static void compare(const struct fixture *fixture, u64 iova)
{
	const struct hw_leaf *leaf = found_leaf_at(&fixture->found, iova);

	for (int write = 0; write < 2; write++) {
		struct hw_walk walk = walk_both_ways(&fixture->walker, fixture->root,
						     fixture->levels, iova, write);
		bool allowed = leaf && (write ? leaf->write : leaf->read);

		if (allowed != !walk.fault)
			fail_msg("0x%llx: walk fault 0x%x, range %s", iova, walk.fault,
				 leaf ? "has a leaf" : "has nothing");
		for (u8 i = 1; i < walk.tables; i++)
			expect_table(fixture, &walk, i, iova);
		if (walk.fault)
			continue;
		expect_u64(walk.phys, leaf->phys + (iova - leaf->iova));
		expect_u64(1ULL << walk.page_lg2, leaf->bytes);
	}
}

/* Every page of every table, as far as it lies in the range. */
static void compare_all(const struct fixture *fixture)
{
	u32 combinations = 1;

	for (u8 level = 0; level < fixture->levels; level++)
		combinations *= PLACES;
	for (u32 n = 0; n < combinations; n++) {
		u64 iova = 0;
		u32 rest = n;

		for (u8 level = 0; level < fixture->levels; level++, rest /= PLACES)
			iova |= place[rest % PLACES] << (12 + 9 * level);
		if (iova >= fixture->found.first && iova <= fixture->found.last)
			compare(fixture, iova);
	}
	compare(fixture, fixture->found.first);
	compare(fixture, fixture->found.last);
}

static void a_range_finds_what_single_walks_find(void **state)
{
	struct fixture *fixture = *state;
	u32 trees = scaled(TREES);
	u64 found = 0;

	fixture->next = 0x100000;
	for (u32 tree = 0; tree < trees; tree++) {
		fixture->levels = tree % 8 == 7 ? 5 : tree % 2 ? 4 : 3;
		fixture->root = grow(fixture, fixture->levels - 1);
		for (u32 n = 0; n < RANGES; n++) {
			u64 a = draw_iova(fixture), b = draw_iova(fixture);

			fixture->found.first = a < b ? a : b;
			fixture->found.last = a < b ? b : a;
			walk_range(fixture, found_table);
			if (n < 3)
				compare_all(fixture);
			for (int i = 0; i < 40; i++) {
				u64 iova = draw_iova(fixture);

				if (iova >= fixture->found.first && iova <= fixture->found.last)
					compare(fixture, iova);
			}
			found += fixture->found.leaves;
		}
	}
	assert_true(found > trees * RANGES);
}

/* A range beyond the table's width is cut, or empty. */
static void a_range_ends_with_the_width_of_the_table(void **state)
{
	struct fixture *fixture = *state;
	struct tables tables = { fixture->walker.ram, 3, 0x10000, 0x11000 };

	tables_put(&tables, (1ULL << 39) - 0x1000, 0, 0x5000 | ENTRY_RW);
	fixture->levels = 3;
	fixture->root = tables.root;
	fixture->found.first = 0;
	fixture->found.last = ~0ULL;
	walk_range(fixture, NULL);
	expect_u64(fixture->found.leaves, 1);
	expect_u64(fixture->found.leaf[0].iova, (1ULL << 39) - 0x1000);
	fixture->found.first = 1ULL << 39;
	walk_range(fixture, NULL);
	expect_u64(fixture->found.leaves, 0);
}

/*   leaf 2M  |---------------|
 *   range         [-]            the leaf is told as a whole */
static void a_leaf_is_told_whole_however_little_of_it_is_asked_for(void **state)
{
	struct fixture *fixture = *state;
	struct tables tables = { fixture->walker.ram, 4, 0x10000, 0x11000 };

	tables_put(&tables, 0x600000, 1, 0x40000000 | ENTRY_R | ENTRY_LEAF);
	fixture->levels = 4;
	fixture->root = tables.root;
	fixture->found.first = fixture->found.last = 0x712345;
	walk_range(fixture, found_table);
	expect_u64(fixture->found.leaves, 1);
	expect_u64(fixture->found.leaf[0].iova, 0x600000);
	expect_u64(fixture->found.leaf[0].bytes, SZ_2M);
	expect_u64(fixture->found.leaf[0].phys, 0x40000000);
	assert_true(fixture->found.leaf[0].read);
	assert_false(fixture->found.leaf[0].write);
	/* Tables of level 2 and 1, in this order. */
	expect_u64(fixture->found.tables, 2);
	expect_u64(fixture->found.table[0].bytes, 1ULL << 39);
	expect_u64(fixture->found.table[1].bytes, 1ULL << 30);
	expect_u64(fixture->found.table[1].phys, 0x12000);
}

/*   4 KiB   |RW 5|RW 6|R 7|R 9|RW last|RW behind the last|    one is reserved, two are a run */
static void like_pages_side_by_side_are_told_at_once(void **state)
{
	static const u64 entry[] = { 0x5000 | ENTRY_RW,
				     0x6000 | ENTRY_RW,
				     0x7000 | ENTRY_R,
				     0x9000 | ENTRY_R,
				     ((1ULL << 46) - 0x1000) | ENTRY_RW,
				     (1ULL << 46) | ENTRY_RW };
	struct fixture *fixture = *state;
	struct tables tables = { fixture->walker.ram, 4, 0x10000, 0x11000 };
	const struct hw_leaf *leaf = fixture->found.leaf;

	for (u32 i = 0; i < 6; i++)
		tables_put(&tables, 0x600000 + i * 0x1000, 0, entry[i]);
	fixture->walker.runs = true;
	fixture->levels = 4;
	fixture->root = tables.root;
	fixture->found.first = 0;
	fixture->found.last = ~0ULL;
	walk_range(fixture, NULL);
	expect_u64(fixture->found.leaves, 4);
	assert_true(leaf[0].iova == 0x600000 && leaf[0].bytes == 0x2000 && leaf[0].write);
	assert_true(leaf[0].phys == 0x5000 && leaf[0].page_lg2 == 12);
	assert_true(leaf[1].iova == 0x602000 && leaf[1].bytes == 0x1000 && !leaf[1].write);
	assert_true(leaf[2].iova == 0x603000 && leaf[2].bytes == 0x1000);
	assert_true(leaf[3].iova == 0x604000 && leaf[3].bytes == 0x1000);
	/* It ends where the range does. */
	fixture->found.first = fixture->found.last = 0x600fff;
	walk_range(fixture, NULL);
	expect_u64(fixture->found.leaves, 1);
	expect_u64(leaf[0].bytes, 0x1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(a_range_finds_what_single_walks_find),
	  TEST(a_range_ends_with_the_width_of_the_table),
	  TEST(a_leaf_is_told_whole_however_little_of_it_is_asked_for),
	  TEST(like_pages_side_by_side_are_told_at_once))
