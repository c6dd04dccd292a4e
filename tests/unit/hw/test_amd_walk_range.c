/* SPDX-License-Identifier: MIT */
/*
 * The walk over a range of AMD's v1 tables finds what single walks find: on tables of random
 * entries, some of them malformed, some that skip levels, some whose page is not the same in all
 * its entries, for random ranges.
 */
#include "amd_tables.h"
#include "ranges.h"
#include "support/scale.h"

#define ROOT  0x100000ULL
#define TREES 600 /* full count */

/* The entries of each table that are in use. */
static const u64 place[RANGES_PLACES] = { 0, 1, 7, 510, 511 };

static int setup(void **state)
{
	return rig_setup_range(state, &(struct hw_walker){ .ram = NULL }, ROOT, 8192);
}

/* A leaf, in all the entries of its page or in one alone. */
static void put_leaf(struct rig *rig, phys_addr_t table, u8 level, u64 index, u64 word)
{
	u8 more = ranges_draw(rig, 2) ? (u8)ranges_draw(rig, 9) : 0;
	u8 lg2 = (u8)(12 + 9 * level + more);
	u64 items = 1ULL << more;

	word |= ranges_draw(rig, 1 << 10) << 40;
	if (more)
		word |= amd_size(lg2);
	if (ranges_draw(rig, 3) == 0) {
		put_entry(rig->walker.ram, table, index, word);
		return;
	}
	for (u64 i = index & ~(items - 1); i < (index & ~(items - 1)) + items; i++)
		put_entry(rig->walker.ram, table, i,
			  word | (ranges_draw(rig, 20) ? 0 : ranges_draw(rig, 4) << 5));
}

/* One entry in ten is malformed, one in twenty leads out of memory; permissions are any. */
static phys_addr_t grow(struct rig *rig, u8 level)
{
	phys_addr_t table = rig->tables.next;

	rig->tables.next += 0x1000;
	for (int i = 0; i < RANGES_PLACES; i++) {
		u64 word = AMD_PR | (ranges_draw(rig, 4) ? AMD_RW : ranges_draw(rig, 4) << 61);
		u64 kind = ranges_draw(rig, 10), next = level;

		if (ranges_draw(rig, 10) == 0)
			word |= ranges_draw(rig, 2) ? 1ULL << 55 : AMD_NEXT(5);
		if (kind < 2)
			continue;
		if (level == 0 || kind < 5) {
			put_leaf(rig, table, level, place[i], word);
			continue;
		}
		if (ranges_draw(rig, 8) == 0)
			next = 1 + ranges_draw(rig, level);
		if (ranges_draw(rig, 20) == 0)
			word |= RIG_WALKER_RAM;
		else
			word |= grow(rig, (u8)(next - 1));
		put_entry(rig->walker.ram, table, place[i], word | AMD_NEXT(next));
	}
	return table;
}

static void walk_range(struct rig *rig, hw_walk_table *table)
{
	rig->found->leaves = rig->found->tables = 0;
	hw_walk_amd_v1_range(&rig->walker, rig->tables.root, rig->tables.levels, rig->found->first,
			     rig->found->last, found_leaf, table, rig->found);
}

static void expect_table(const struct hw_table *table, const struct hw_walk_start *step)
{
	expect_u64(table->read, step->read);
	expect_u64(table->write, step->write);
}

static struct hw_walk walk(const struct rig *rig, u64 iova, bool write)
{
	return hw_walk_amd_v1(&rig->walker, rig->tables.root, rig->tables.levels, iova, write);
}

/* A page that its entries do not agree on is told in parts. */
static void expect_leaf(const struct hw_leaf *leaf, const struct hw_walk *walk)
{
	assert_true(leaf->bytes <= 1ULL << walk->page_lg2);
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
		rig->tables.levels = (u8)(1 + tree % 4);
		rig->tables.root = grow(rig, rig->tables.levels - 1);
		ranges_try(rig, &ranges, leaves);
	}
	assert_true(leaves[0] + leaves[1] > trees * 25);
}

static void start(struct rig *rig, const struct tables *tables)
{
	rig->tables.levels = tables->levels;
	rig->tables.root = tables->root;
}

/* A range beyond the table's width is cut, or empty. */
static void a_range_ends_with_the_width_of_the_table(void **state)
{
	struct rig *rig = *state;
	struct tables tables = { rig->walker.ram, 3, 0x10000, 0x11000 };

	amd_put(&tables, (1ULL << 39) - 0x1000, 0, 0x5000 | AMD_PR | AMD_RW);
	start(rig, &tables);
	rig->found->first = 0;
	rig->found->last = ~0ULL;
	walk_range(rig, NULL);
	expect_u64(rig->found->leaves, 1);
	expect_u64(rig->found->leaf[0].iova, (1ULL << 39) - 0x1000);
	rig->found->first = 1ULL << 39;
	walk_range(rig, NULL);
	expect_u64(rig->found->leaves, 0);
}

/* Six levels: all there is, from the first page to the last. */
static void a_range_may_be_the_whole_address_space(void **state)
{
	struct rig *rig = *state;
	struct tables tables = { rig->walker.ram, 6, 0x10000, 0x11000 };

	amd_put(&tables, 0, 0, 0x5000 | AMD_PR | AMD_IR);
	amd_put(&tables, ~0ULL, 0, 0x6000 | AMD_PR | AMD_IW);
	start(rig, &tables);
	rig->found->first = 0;
	rig->found->last = ~0ULL;
	walk_range(rig, found_table);
	expect_u64(rig->found->leaves, 2);
	expect_u64(rig->found->leaf[0].phys, 0x5000);
	expect_u64(rig->found->leaf[1].iova, ~0ULL - 0xfff);
	assert_true(rig->found->leaf[0].read && !rig->found->leaf[0].write);
	assert_true(rig->found->leaf[1].write && !rig->found->leaf[1].read);
	expect_u64(rig->found->tables, 10);
}

/*   64 KiB   |----------------|
 *   range           [-]            the page is told as a whole */
static void a_page_of_many_entries_is_told_whole(void **state)
{
	struct rig *rig = *state;
	struct tables tables = { rig->walker.ram, 4, 0x10000, 0x11000 };

	amd_put_leaf(&tables, 0x650000, 0, 16, 0x2000000001237e01ULL);
	/* Hardware has marked one of them. */
	amd_put(&tables, 0x653000, 0, 0x2000000001237e61ULL);
	start(rig, &tables);
	rig->found->first = rig->found->last = 0x657123;
	walk_range(rig, found_table);
	expect_u64(rig->found->leaves, 1);
	expect_u64(rig->found->leaf[0].iova, 0x650000);
	expect_u64(rig->found->leaf[0].bytes, 0x10000);
	expect_u64(rig->found->leaf[0].phys, 0x1230000);
	expect_u64(rig->found->tables, 3);
	rig->found->first = 0x640000;
	rig->found->last = 0x66ffff;
	walk_range(rig, NULL);
	expect_u64(rig->found->leaves, 1);
}

/*   64 KiB   |---|x|----------|    what one entry says differs: three parts */
static void a_page_whose_entries_differ_is_told_in_parts(void **state)
{
	static const struct hw_leaf part[] = {
		{ .iova = 0x650000, .bytes = 0x3000, .phys = 0x1230000, .read = true },
		{ .iova = 0x653000, .bytes = 0x1000, .phys = 0x5553000, .read = true },
		{ .iova = 0x654000, .bytes = 0xc000, .phys = 0x1234000, .read = true },
	};
	struct rig *rig = *state;
	struct tables tables = { rig->walker.ram, 4, 0x10000, 0x11000 };

	amd_put_leaf(&tables, 0x650000, 0, 16, 0x2000000001237e01ULL);
	amd_put(&tables, 0x653000, 0, 0x2000000005557e01ULL);
	start(rig, &tables);
	for (u64 page = 0; page < 16; page++) {
		const struct hw_leaf *expected = &part[page < 3 ? 0 : page == 3 ? 1 : 2];

		rig->found->first = rig->found->last = 0x650000 + (page << 12);
		walk_range(rig, NULL);
		expect_u64(rig->found->leaves, 1);
		expect_u64(rig->found->leaf[0].iova, expected->iova);
		expect_u64(rig->found->leaf[0].bytes, expected->bytes);
		expect_u64(rig->found->leaf[0].phys, expected->phys);
	}
	rig->found->first = 0x651000;
	rig->found->last = 0x654000;
	walk_range(rig, NULL);
	expect_u64(rig->found->leaves, 3);
}

/* A pointer of level 2 to pages: of its 1 GiB the first 2 MiB are there. */
static void a_skipped_level_leaves_the_first_part(void **state)
{
	struct rig *rig = *state;
	struct tables tables = { rig->walker.ram, 4, 0x10000, 0x11000 };
	u64 iova = 5ULL << 30;

	put_entry(tables.ram, 0x90000, 511, 0x7000 | AMD_PR | AMD_RW);
	amd_put(&tables, iova, 2, 0x90000 | AMD_PR | AMD_RW | AMD_NEXT(1));
	start(rig, &tables);
	rig->found->first = iova;
	rig->found->last = iova + (1ULL << 30) - 1;
	walk_range(rig, found_table);
	expect_u64(rig->found->leaves, 1);
	expect_u64(rig->found->leaf[0].iova, iova + 0x1ff000);
	expect_u64(rig->found->table[rig->found->tables - 1].phys, 0x90000);
	expect_u64(rig->found->table[rig->found->tables - 1].bytes, SZ_2M);
	rig->found->first = iova + SZ_2M;
	walk_range(rig, found_table);
	expect_u64(rig->found->leaves, 0);
	expect_u64(rig->found->tables, 1);
}

/*   4 KiB   |RW 5|RW 6|IR 7|IR 9|RW last|reserved|    two are a run */
static void like_pages_side_by_side_are_told_at_once(void **state)
{
	static const u64 entry[] = { 0x5000 | AMD_PR | AMD_RW,
				     0x6000 | AMD_PR | AMD_RW,
				     0x7000 | AMD_PR | AMD_IR,
				     0x9000 | AMD_PR | AMD_IR,
				     ((1ULL << 52) - 0x1000) | AMD_PR | AMD_RW,
				     (1ULL << 52) | AMD_PR | AMD_RW };
	struct rig *rig = *state;
	struct tables tables = { rig->walker.ram, 4, 0x10000, 0x11000 };
	const struct hw_leaf *leaf = rig->found->leaf;

	for (u32 i = 0; i < 6; i++)
		amd_put(&tables, 0x600000 + i * 0x1000, 0, entry[i]);
	rig->walker.runs = true;
	start(rig, &tables);
	rig->found->first = 0;
	rig->found->last = ~0ULL;
	walk_range(rig, NULL);
	expect_u64(rig->found->leaves, 4);
	assert_true(leaf[0].iova == 0x600000 && leaf[0].bytes == 0x2000 && leaf[0].write);
	assert_true(leaf[0].phys == 0x5000 && leaf[0].page_lg2 == 12);
	assert_true(leaf[1].iova == 0x602000 && leaf[1].bytes == 0x1000 && !leaf[1].write);
	assert_true(leaf[2].iova == 0x603000 && leaf[2].bytes == 0x1000);
	assert_true(leaf[3].iova == 0x604000 && leaf[3].bytes == 0x1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(TEST(a_range_finds_what_single_walks_find),
	  TEST(a_range_ends_with_the_width_of_the_table),
	  TEST(a_range_may_be_the_whole_address_space),
	  TEST(like_pages_side_by_side_are_told_at_once),
	  TEST(a_page_of_many_entries_is_told_whole),
	  TEST(a_page_whose_entries_differ_is_told_in_parts),
	  TEST(a_skipped_level_leaves_the_first_part))
