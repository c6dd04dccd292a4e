/* SPDX-License-Identifier: MIT */
/*
 * First-stage tables: which addresses they have, and that the walk over a range finds what single
 * walks find, on tables of random entries, in both halves of the addresses.
 */
#include "ranges.h"
#include "support/scale.h"

#include "hw/arch.h"
#include "hw/vtd_fs.h"

#define ROOT  0x100000ULL
#define TREES 400 /* full count */

#define P_RW_US 7ULL

/* The entries of each table that are in use: in both halves. */
static const u64 place[RANGES_PLACES] = { 0, 7, 255, 256, 511 };

static int setup(void **state)
{
	return rig_setup_range(
		state,
		&(struct hw_walker){ .address_bits = 46, .first_levels = 5, .first_huge_1g = true },
		ROOT, 16384);
}

/* ---- Addresses ------------------------------------------------------------------------------- */

static void an_address_is_canonical_or_there_is_no_entry(void **state)
{
	static const struct {
		u64 iova;
		bool four, five;
	} row[] = {
		{ 0, true, true },
		{ 0x00007fffffffffffULL, true, true },
		{ 0x0000800000000000ULL, false, true },
		{ 0x00ffffffffffffffULL, false, true },
		{ 0x0100000000000000ULL, false, false },
		{ 0x7fffffffffffffffULL, false, false },
		{ 0xfeffffffffffffffULL, false, false },
		{ 0xff00000000000000ULL, false, true },
		{ 0xffff7fffffffffffULL, false, true },
		{ 0xffff800000000000ULL, true, true },
		{ 0xffffffffffffffffULL, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		expect_u64(hw_walk_vtd_fs_reaches(4, row[i].iova), row[i].four);
		expect_u64(hw_walk_vtd_fs_reaches(5, row[i].iova), row[i].five);
	}
}

/* Facts 6.2: P|R/W|U/S|A|D of page 0x123456000, and a read-only one; tables are 0x27. */
static void words_of_the_facts_are_walked(void **state)
{
	struct rig *rig = *state;
	struct ram *ram = rig->walker.ram;
	const struct hw_walk_start start = { 0x10000, 4, true, true };
	struct hw_walk walk;

	put_entry(ram, 0x10000, 0, 0x11000 | 0x27);
	put_entry(ram, 0x11000, 0, 0x12000 | 0x27);
	put_entry(ram, 0x12000, 0, 0x13000 | 0x27);
	put_entry(ram, 0x13000, 1, 0x0000000123456067ULL);
	put_entry(ram, 0x13000, 2, 0x0000000123456025ULL);
	walk = hw_walk_vtd_fs_from(&rig->walker, &start,
				   &(struct hw_fs_access){ .iova = 0x1abc, .write = true });
	expect_u64(walk.fault, 0);
	expect_u64(walk.phys, 0x123456abcULL);
	expect_u64(walk.reads, 4);
	walk = hw_walk_vtd_fs_from(&rig->walker, &start,
				   &(struct hw_fs_access){ .iova = 0x2abc, .write = false });
	expect_u64(walk.fault, 0);
	expect_u64(walk.phys, 0x123456abcULL);
	assert_false(walk.write);
	walk = hw_walk_vtd_fs_from(&rig->walker, &start,
				   &(struct hw_fs_access){ .iova = 0x2abc, .write = true });
	expect_u64(walk.fault, 0x85);
}

/* ---- Ranges ---------------------------------------------------------------------------------- */

/* One entry in ten is malformed, one in twenty leads out of memory; permissions are any. */
static phys_addr_t grow(struct rig *rig, u8 level)
{
	phys_addr_t table = rig->tables.next;

	rig->tables.next += 0x1000;
	for (int i = 0; i < RANGES_PLACES; i++) {
		u64 word = ranges_draw(rig, 4) ? P_RW_US : ranges_draw(rig, 8);
		u64 kind = ranges_draw(rig, 10);

		if (kind < 3 && level < 4)
			continue;
		word |= ranges_draw(rig, 4) << 5;
		if (level == 0 || (level < 3 && kind < 6))
			word |= ranges_draw(rig, 1 << 10) << 30 | (level ? ENTRY_LEAF : 0);
		else if (ranges_draw(rig, 20) == 0)
			word |= RIG_WALKER_RAM;
		else
			word |= grow(rig, level - 1);
		if (ranges_draw(rig, 10) == 0)
			word |= ranges_draw(rig, 2) ? 1ULL << 50 : 1ULL << 63;
		put_entry(rig->walker.ram, table, place[i], word);
	}
	return table;
}

/* As the unit does it, which is told that this is a first stage. */
static void walk_range(struct rig *rig, hw_walk_table *table)
{
	rig->found->leaves = rig->found->tables = 0;
	hw_vtd.range(&rig->walker, rig->tables.root, rig->tables.levels | HW_FIRST_STAGE,
		     rig->found->first, rig->found->last, found_leaf, table, rig->found);
}

static void expect_table(const struct hw_table *table, const struct hw_walk_start *step)
{
	assert_true(table->read >= step->read);
	assert_true(table->write >= step->write);
	expect_u64(table->bytes, 1ULL << (12 + 9 * table->levels));
}

/* By the supervisor, whom U/S does not bind. */
static struct hw_walk walk(const struct rig *rig, u64 iova, bool write)
{
	const struct hw_walk_start start = { rig->tables.root, rig->tables.levels, true, true };

	return hw_walk_vtd_fs_from(&rig->walker, &start,
				   &(struct hw_fs_access){ iova, write, false, true, true });
}

static void expect_leaf(const struct hw_leaf *leaf, const struct hw_walk *walk)
{
	expect_u64(walk->page_lg2, leaf->page_lg2);
}

static const struct ranges ranges = {
	.place = place,
	.repeat_highest = true,
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
		rig->tables.levels = tree % 4 ? 4 : 5;
		rig->tables.root = grow(rig, rig->tables.levels - 1);
		ranges_try(rig, &ranges, leaves);
	}
	assert_true(leaves[0] > trees);
	assert_true(leaves[1] > trees);
}

/*
 *   0 |-----low half-----|      nothing is canonical here      |-----high half-----| ~0
 *                        [-----------------------------------]
 */
static void between_the_halves_is_nothing(void **state)
{
	struct rig *rig = *state;
	struct ram *ram = rig->walker.ram;

	rig->tables.levels = 4;
	rig->tables.root = 0x10000;
	put_entry(ram, 0x10000, 255, 0x11000 | P_RW_US);
	put_entry(ram, 0x10000, 256, 0x11000 | P_RW_US);
	put_entry(ram, 0x11000, 0, 0x40000000 | P_RW_US | ENTRY_LEAF);
	put_entry(ram, 0x11000, 511, 0x80000000 | 0x65 | ENTRY_LEAF);
	rig->found->last = ~0ULL;
	walk_range(rig, found_table);
	expect_u64(rig->found->leaves, 4);
	expect_u64(rig->found->tables, 2);
	expect_u64(rig->found->leaf[0].iova, 0x00007f8000000000ULL);
	expect_u64(rig->found->leaf[1].iova, 0x00007fffc0000000ULL);
	expect_u64(rig->found->leaf[2].iova, 0xffff800000000000ULL);
	expect_u64(rig->found->leaf[3].iova, 0xffff807fc0000000ULL);
	expect_u64(rig->found->leaf[3].page_lg2, 30);
	assert_false(rig->found->leaf[2].accessed || rig->found->leaf[2].dirty);
	assert_true(rig->found->leaf[3].accessed && rig->found->leaf[3].dirty);
	assert_true(rig->found->leaf[2].write && !rig->found->leaf[3].write);
	rig->found->first = 0x0000800000000000ULL;
	rig->found->last = 0xffff7fffffffffffULL;
	walk_range(rig, found_table);
	expect_u64(rig->found->leaves + rig->found->tables, 0);
	rig->found->first = 0x00007fffffffffffULL;
	rig->found->last = 0xffff800000000000ULL;
	walk_range(rig, found_table);
	expect_u64(rig->found->leaves, 2);
	expect_u64(rig->found->tables, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(TEST(an_address_is_canonical_or_there_is_no_entry), TEST(words_of_the_facts_are_walked),
	  TEST(a_range_finds_what_single_walks_find), TEST(between_the_halves_is_nothing))
