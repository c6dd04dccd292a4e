/* SPDX-License-Identifier: MIT */
/*
 * The walk over a range finds what single walks find: on tables of random entries, some of them
 * malformed, for random ranges.
 */
#include "ranges.h"
#include "support/scale.h"

#define ROOT  0x100000ULL
#define TREES 600 /* full count */

/* The entries of each table that are in use. */
static const u64 place[RANGES_PLACES] = { 0, 1, 7, 510, 511 };

static int setup(void **state)
{
	return rig_setup_range(
		state, &(struct hw_walker){ .levels = 5, .address_bits = 46, .huge_1g = true },
		ROOT, 8192);
}

/* One entry in ten is malformed, one in twenty leads out of memory; permissions are any. */
static phys_addr_t grow(struct rig *rig, u8 level)
{
	phys_addr_t table = rig->tables.next;

	rig->tables.next += 0x1000;
	for (int i = 0; i < RANGES_PLACES; i++) {
		u64 word = ranges_draw(rig, 4) ? ENTRY_RW : ranges_draw(rig, 4);
		u64 kind = ranges_draw(rig, 10);

		if (kind < 2)
			continue;
		if (level == 0 || (level < 3 && kind < 5))
			word |= ranges_draw(rig, 1 << 10) << 30 | (level ? ENTRY_LEAF : 0);
		else if (ranges_draw(rig, 20) == 0)
			word |= RIG_WALKER_RAM;
		else
			word |= grow(rig, level - 1);
		if (ranges_draw(rig, 10) == 0)
			word |= 1ULL << (ranges_draw(rig, 2) ? 50 : 11);
		put_entry(rig->walker.ram, table, place[i], word);
	}
	return table;
}

static void walk_range(struct rig *rig, hw_walk_table *table)
{
	rig->found->leaves = rig->found->tables = 0;
	hw_walk_vtd_ss_range(&rig->walker, rig->tables.root, rig->tables.levels, rig->found->first,
			     rig->found->last, found_leaf, table, rig->found);
}

static void expect_table(const struct hw_table *table, const struct hw_walk_start *step)
{
	expect_u64(table->read, step->read);
	expect_u64(table->write, step->write);
	expect_u64(table->bytes, 1ULL << (12 + 9 * table->levels));
}

static struct hw_walk walk(const struct rig *rig, u64 iova, bool write)
{
	return walk_both_ways(&rig->walker, rig->tables.root, rig->tables.levels, iova, write);
}

static void expect_leaf(const struct hw_leaf *leaf, const struct hw_walk *walk)
{
	expect_u64(1ULL << walk->page_lg2, leaf->bytes);
}

static const struct ranges ranges = {
	.place = place,
	.walk_range = walk_range,
	.walk = walk,
	.expect_leaf = expect_leaf,
	.expect_table = expect_table,
};

static void a_range_finds_what_single_walks_find(void **state)
{
	struct rig *rig = *state;
	u32 trees = scaled(TREES);
	u64 leaves[2] = { 0 };

	for (u32 tree = 0; tree < trees; tree++) {
		rig->tables.levels = tree % 8 == 7 ? 5 : tree % 2 ? 4 : 3;
		rig->tables.root = grow(rig, rig->tables.levels - 1);
		ranges_try(rig, &ranges, leaves);
	}
	assert_true(leaves[0] + leaves[1] > trees * 25);
}

/* A range beyond the table's width is cut, or empty. */
static void a_range_ends_with_the_width_of_the_table(void **state)
{
	struct rig *rig = *state;
	struct tables tables = { rig->walker.ram, 3, 0x10000, 0x11000 };

	tables_put(&tables, (1ULL << 39) - 0x1000, 0, 0x5000 | ENTRY_RW);
	rig->tables.levels = 3;
	rig->tables.root = tables.root;
	rig->found->first = 0;
	rig->found->last = ~0ULL;
	walk_range(rig, NULL);
	expect_u64(rig->found->leaves, 1);
	expect_u64(rig->found->leaf[0].iova, (1ULL << 39) - 0x1000);
	rig->found->first = 1ULL << 39;
	walk_range(rig, NULL);
	expect_u64(rig->found->leaves, 0);
}

/*   leaf 2M  |---------------|
 *   range         [-]            the leaf is told as a whole */
static void a_leaf_is_told_whole_however_little_of_it_is_asked_for(void **state)
{
	struct rig *rig = *state;
	struct tables tables = { rig->walker.ram, 4, 0x10000, 0x11000 };

	tables_put(&tables, 0x600000, 1, 0x40000000 | ENTRY_R | ENTRY_LEAF);
	rig->tables.levels = 4;
	rig->tables.root = tables.root;
	rig->found->first = rig->found->last = 0x712345;
	walk_range(rig, found_table);
	expect_u64(rig->found->leaves, 1);
	expect_u64(rig->found->leaf[0].iova, 0x600000);
	expect_u64(rig->found->leaf[0].bytes, SZ_2M);
	expect_u64(rig->found->leaf[0].phys, 0x40000000);
	assert_true(rig->found->leaf[0].read);
	assert_false(rig->found->leaf[0].write);
	/* Tables of level 2 and 1, in this order. */
	expect_u64(rig->found->tables, 2);
	expect_u64(rig->found->table[0].bytes, 1ULL << 39);
	expect_u64(rig->found->table[1].bytes, 1ULL << 30);
	expect_u64(rig->found->table[1].phys, 0x12000);
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
	struct rig *rig = *state;
	struct tables tables = { rig->walker.ram, 4, 0x10000, 0x11000 };
	const struct hw_leaf *leaf = rig->found->leaf;

	for (u32 i = 0; i < 6; i++)
		tables_put(&tables, 0x600000 + i * 0x1000, 0, entry[i]);
	rig->walker.runs = true;
	rig->tables.levels = 4;
	rig->tables.root = tables.root;
	rig->found->first = 0;
	rig->found->last = ~0ULL;
	walk_range(rig, NULL);
	expect_u64(rig->found->leaves, 4);
	assert_true(leaf[0].iova == 0x600000 && leaf[0].bytes == 0x2000 && leaf[0].write);
	assert_true(leaf[0].phys == 0x5000 && leaf[0].page_lg2 == 12);
	assert_true(leaf[1].iova == 0x602000 && leaf[1].bytes == 0x1000 && !leaf[1].write);
	assert_true(leaf[2].iova == 0x603000 && leaf[2].bytes == 0x1000);
	assert_true(leaf[3].iova == 0x604000 && leaf[3].bytes == 0x1000);
	/* It ends where the range does. */
	rig->found->first = rig->found->last = 0x600fff;
	walk_range(rig, NULL);
	expect_u64(rig->found->leaves, 1);
	expect_u64(leaf[0].bytes, 0x1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(TEST(a_range_finds_what_single_walks_find),
	  TEST(a_range_ends_with_the_width_of_the_table),
	  TEST(a_leaf_is_told_whole_however_little_of_it_is_asked_for),
	  TEST(like_pages_side_by_side_are_told_at_once))
