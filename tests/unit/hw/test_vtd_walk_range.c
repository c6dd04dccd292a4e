/* SPDX-License-Identifier: MIT */
/*
 * The walk over a range finds what single walks find: on tables of random entries, some of them
 * malformed, for random ranges.
 */
#include "bench.h"
#include "scale.h"
#include "tables.h"

#include <stdlib.h>

#include "hw/walker.h"

#define RAM_BYTES (1ULL << 40)
#define TREES	  600 /* full count */
#define RANGES	  25
#define PLACES	  5
#define FOUND_MAX 8192

/* The entries of each table that are in use. */
static const u64 place[PLACES] = { 0, 1, 7, 510, 511 };

struct leaf {
	u64 iova, bytes;
	phys_addr_t phys;
	bool read, write;
};

struct fixture {
	struct bench *bench;
	struct hw_walker walker;
	u8 levels;
	phys_addr_t root, next;
	u64 first, last; /* the range */
	struct leaf leaf[FOUND_MAX];
	u32 leaves;
	struct hw_table table[FOUND_MAX];
	u32 tables;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || bench_setup(state))
		return -1;
	fixture->bench = *state;
	*state = fixture;
	ram_add_range(&fixture->bench->hw.ram, 0, RAM_BYTES);
	fixture->walker = (struct hw_walker){
		.ram = &fixture->bench->hw.ram, .levels = 4, .address_bits = 46, .huge_1g = true
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

static void found_leaf(void *cookie, const struct hw_leaf *leaf)
{
	struct fixture *fixture = cookie;

	assert_true(fixture->leaves < FOUND_MAX);
	if (fixture->leaves) {
		const struct leaf *before = &fixture->leaf[fixture->leaves - 1];

		assert_true(leaf->iova >= before->iova + before->bytes);
	}
	assert_true(leaf->iova <= fixture->last);
	assert_true(leaf->iova + (leaf->bytes - 1) >= fixture->first);
	fixture->leaf[fixture->leaves++] =
		(struct leaf){ leaf->iova, leaf->bytes, leaf->phys, leaf->read, leaf->write };
}

static void found_table(void *cookie, const struct hw_table *table)
{
	struct fixture *fixture = cookie;

	assert_true(fixture->tables < FOUND_MAX);
	assert_true(table->iova <= fixture->last);
	assert_true(table->iova + (table->bytes - 1) >= fixture->first);
	fixture->table[fixture->tables++] = *table;
}

static void walk_range(struct fixture *fixture, hw_walk_table *table)
{
	fixture->leaves = fixture->tables = 0;
	hw_walk_vtd_ss_range(&fixture->walker, fixture->root, fixture->levels, fixture->first,
			     fixture->last, found_leaf, table, fixture);
}

static const struct leaf *leaf_at(const struct fixture *fixture, u64 iova)
{
	for (u32 i = 0; i < fixture->leaves; i++) {
		if (iova - fixture->leaf[i].iova < fixture->leaf[i].bytes)
			return &fixture->leaf[i];
	}
	return NULL;
}

/* The table that a single walk visited at this step must have been found, and for this address. */
static void expect_table(const struct fixture *fixture, const struct hw_walk *walk, u8 step,
			 u64 iova)
{
	for (u32 i = 0; i < fixture->tables; i++) {
		const struct hw_table *table = &fixture->table[i];

		if (table->phys != walk->step[step].table || iova - table->iova >= table->bytes)
			continue;
		expect_u64(table->levels, walk->step[step].levels);
		expect_u64(table->read, walk->step[step].read);
		expect_u64(table->write, walk->step[step].write);
		expect_u64(table->bytes, 1ULL << (12 + 9 * table->levels));
		return;
	}
	fail_msg("the table at 0x%llx for 0x%llx was not found", walk->step[step].table, iova);
}

static void compare(const struct fixture *fixture, u64 iova)
{
	const struct leaf *leaf = leaf_at(fixture, iova);

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
		if (iova >= fixture->first && iova <= fixture->last)
			compare(fixture, iova);
	}
	compare(fixture, fixture->first);
	compare(fixture, fixture->last);
}

static void a_range_finds_what_single_walks_find(void **state)
{
	struct fixture *fixture = *state;
	u32 trees = scaled(TREES);
	u64 found = 0;

	fixture->next = 0x100000;
	for (u32 tree = 0; tree < trees; tree++) {
		fixture->levels = tree % 2 ? 4 : 3;
		fixture->root = grow(fixture, fixture->levels - 1);
		for (u32 n = 0; n < RANGES; n++) {
			u64 a = draw_iova(fixture), b = draw_iova(fixture);

			fixture->first = a < b ? a : b;
			fixture->last = a < b ? b : a;
			walk_range(fixture, found_table);
			if (n < 3)
				compare_all(fixture);
			for (int i = 0; i < 40; i++) {
				u64 iova = draw_iova(fixture);

				if (iova >= fixture->first && iova <= fixture->last)
					compare(fixture, iova);
			}
			found += fixture->leaves;
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
	fixture->first = 0;
	fixture->last = ~0ULL;
	walk_range(fixture, NULL);
	expect_u64(fixture->leaves, 1);
	expect_u64(fixture->leaf[0].iova, (1ULL << 39) - 0x1000);
	fixture->first = 1ULL << 39;
	walk_range(fixture, NULL);
	expect_u64(fixture->leaves, 0);
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
	fixture->first = fixture->last = 0x712345;
	walk_range(fixture, found_table);
	expect_u64(fixture->leaves, 1);
	expect_u64(fixture->leaf[0].iova, 0x600000);
	expect_u64(fixture->leaf[0].bytes, SZ_2M);
	expect_u64(fixture->leaf[0].phys, 0x40000000);
	assert_true(fixture->leaf[0].read);
	assert_false(fixture->leaf[0].write);
	/* Tables of level 2 and 1, in this order. */
	expect_u64(fixture->tables, 2);
	expect_u64(fixture->table[0].bytes, 1ULL << 39);
	expect_u64(fixture->table[1].bytes, 1ULL << 30);
	expect_u64(fixture->table[1].phys, 0x12000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(a_range_finds_what_single_walks_find),
	  TEST(a_range_ends_with_the_width_of_the_table),
	  TEST(a_leaf_is_told_whole_however_little_of_it_is_asked_for))
