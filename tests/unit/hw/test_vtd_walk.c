/* SPDX-License-Identifier: MIT */
/*
 * The second-stage walker on tables made by hand: every depth, every leaf size, every combination
 * of permissions (facts "iova-and-page-tables" 2.2 and 2.6).
 *
 * Fault reasons: 4 beyond the width, 5 no write, 6 no read, 7 the entry cannot be fetched, c a
 * reserved bit.
 */
#include "rig.h"

#define ROOT 0x10000ULL

static int setup(void **state)
{
	return rig_setup_walker(
		state, &(struct hw_walker){ .levels = 5, .address_bits = 46, .huge_1g = true },
		ROOT);
}

static struct hw_walk walk(const struct rig *rig, u64 iova, bool write)
{
	return walk_both_ways(&rig->walker, rig->tables.root, rig->tables.levels, iova, write);
}

static void expect_fault(const struct rig *rig, u64 iova, u8 of_read, u8 of_write)
{
	expect_u64(walk(rig, iova, false).fault, of_read);
	expect_u64(walk(rig, iova, true).fault, of_write);
}

/* An address with a different index at every level: 257, 3, 510, 129. */
#define SOME_IOVA (257ULL << 39 | 3ULL << 30 | 510ULL << 21 | 129ULL << 12)

/* The same without the fourth level, or with a fifth: 386. */
static u64 iova_of(u8 levels)
{
	return levels == 3 ? SOME_IOVA & ((1ULL << 39) - 1)
			   : SOME_IOVA | (levels == 5 ? 386ULL << 48 : 0);
}

/* First byte, last byte, one in the middle: of the page, and of the leaf's address. */
static void every_leaf_size_translates_at_every_depth(void **state)
{
	struct rig *rig = *state;

	for (u8 levels = 3; levels <= 5; levels++) {
		for (u8 level = 0; level <= 2; level++) {
			u64 bytes = bytes_of(level);
			u64 iova = iova_of(levels) & ~(bytes - 1);
			u64 phys = 0x2940000000ULL + (level == 0 ? 0x155000 : 0);
			const u64 offset[] = { 0, bytes - 1, bytes / 2 + 0x123 };

			rig_start_over(rig, levels);
			tables_put(&rig->tables, iova, level,
				   phys | ENTRY_RW | (level ? ENTRY_LEAF : 0));
			for (int i = 0; i < 3; i++) {
				struct hw_walk found = walk(rig, iova + offset[i], i & 1);

				expect_u64(found.fault, 0);
				expect_u64(found.phys, phys + offset[i]);
				expect_u64(1ULL << found.page_lg2, bytes);
				assert_true(found.read && found.write);
				expect_u64(found.reads, levels - level);
				expect_u64(found.tables, levels - level);
				expect_u64(found.step[0].table, rig->tables.root);
				expect_u64(found.step[found.tables - 1].table,
					   tables_reach(&rig->tables, iova, level));
			}
			/* Its neighbours are not mapped. */
			expect_fault(rig, iova - 1, 6, 5);
			expect_fault(rig, iova + bytes, 6, 5);
		}
	}
}

static void an_empty_entry_of_any_level_refuses(void **state)
{
	struct rig *rig = *state;

	for (u8 levels = 3; levels <= 5; levels++) {
		u64 iova = iova_of(levels);

		rig_start_over(rig, levels);
		expect_fault(rig, iova, 6, 5);
		expect_u64(walk(rig, iova, false).reads, 1);
		for (u8 level = levels - 1; level-- > 0;) {
			tables_reach(&rig->tables, iova, level);
			expect_fault(rig, iova, 6, 5);
			expect_u64(walk(rig, iova, false).reads, levels - level);
		}
	}
}

static void addresses_beyond_the_width_are_refused_before_the_tables(void **state)
{
	struct rig *rig = *state;

	for (u8 levels = 3; levels <= 5; levels++) {
		u64 end = 1ULL << (12 + 9 * levels);

		rig_start_over(rig, levels);
		tables_put(&rig->tables, 0, 0, 0x5000 | ENTRY_RW);
		tables_put(&rig->tables, end - 1, 0, 0x6000 | ENTRY_RW);
		expect_u64(walk(rig, end - 1, true).phys, 0x6fff);
		expect_fault(rig, end, 4, 4);
		expect_fault(rig, end | (end - 1), 4, 4);
		expect_fault(rig, ~0ULL, 4, 4);
		expect_u64(walk(rig, end, true).reads, 0);
	}
}

/* What a walk may do is what every entry on the way allows; the first that does not decides. */
static void permissions_are_those_of_all_entries_together(void **state)
{
	struct rig *rig = *state;

	for (u8 levels = 3; levels <= 5; levels++) {
		for (u8 leaf = 0; leaf <= 2; leaf++) {
			u32 entries = levels - leaf;
			u64 iova = iova_of(levels) & ~(bytes_of(leaf) - 1);

			rig_start_over(rig, levels);
			tables_put(&rig->tables, iova, leaf, 0x40000000 | (leaf ? ENTRY_LEAF : 0));
			/* Two bits for each entry: R and W. */
			for (u32 bits = 0; bits < 1U << (2 * entries); bits++) {
				u64 both = 3;

				for (u32 i = 0; i < entries; i++) {
					u8 level = (u8)(leaf + i);
					phys_addr_t table = tables_reach(&rig->tables, iova, level);
					u64 word = get_entry(rig->tables.ram, table,
							     index_of(iova, level));
					u64 mine = bits >> (2 * i) & 3;

					put_entry(rig->tables.ram, table, index_of(iova, level),
						  (word & ~3ULL) | mine);
					both &= mine;
				}
				expect_fault(rig, iova, both & ENTRY_R ? 0 : 6,
					     both & ENTRY_W ? 0 : 5);
			}
		}
	}
}

/* The walk tells what else is allowed: a cache keeps both. */
static void a_walk_reports_both_permissions(void **state)
{
	struct rig *rig = *state;
	struct hw_walk found;

	tables_put(&rig->tables, 0x1000, 0, 0x5000 | ENTRY_R);
	tables_put(&rig->tables, 0x2000, 0, 0x6000 | ENTRY_W);
	found = walk(rig, 0x1000, false);
	assert_true(found.read);
	assert_false(found.write);
	found = walk(rig, 0x2000, true);
	assert_false(found.read);
	assert_true(found.write);
}

/* With neither R nor W an entry is absent: what its other bits say does not matter. */
static void an_entry_without_permission_is_absent_whatever_else_it_holds(void **state)
{
	struct rig *rig = *state;

	for (u8 level = 0; level < 4; level++) {
		u64 iova = 0x1000ULL << (9 * level);

		tables_put(&rig->tables, iova, level, ~(u64)ENTRY_RW);
		expect_fault(rig, iova, 6, 5);
		for (u32 bit = 2; bit < 64; bit++) {
			tables_put(&rig->tables, iova, level, 1ULL << bit);
			expect_fault(rig, iova, 6, 5);
		}
	}
}

/* Reserved bits come before permissions. */
static void a_malformed_entry_is_refused_as_such_even_for_what_it_does_not_allow(void **state)
{
	struct rig *rig = *state;

	tables_put(&rig->tables, 0x1000, 0, 0x5000 | ENTRY_R | 1ULL << 51);
	expect_fault(rig, 0x1000, 0xc, 0xc);
	tables_put(&rig->tables, 0x1000, 0, 0x5000 | ENTRY_W | 1ULL << 51);
	expect_fault(rig, 0x1000, 0xc, 0xc);
}

static void the_snoop_bit_needs_snoop_control(void **state)
{
	struct rig *rig = *state;

	for (u8 level = 0; level <= 2; level++) {
		u64 iova = bytes_of(level);

		tables_put(&rig->tables, iova, level,
			   0x40000000 | ENTRY_RW | 0x800 | (level ? ENTRY_LEAF : 0));
		rig->walker.snoop_control = false;
		expect_fault(rig, iova, 0xc, 0xc);
		rig->walker.snoop_control = true;
		expect_u64(walk(rig, iova, true).phys, 0x40000000);
	}
}

static void large_leaves_must_be_aligned(void **state)
{
	static const struct {
		u8 level;
		u64 phys;
		u8 fault;
	} row[] = {
		{ 1, 0x40200000, 0 },	{ 1, 0x40201000, 0xc }, { 1, 0x40300000, 0xc },
		{ 1, 0x403ff000, 0xc }, { 2, 0x40000000, 0 },	{ 2, 0x40001000, 0xc },
		{ 2, 0x40200000, 0xc }, { 2, 0x60000000, 0xc }, { 2, 0x80000000, 0 },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		rig_start_over(rig, 4);
		tables_put(&rig->tables, 0, row[i].level, row[i].phys | ENTRY_RW | ENTRY_LEAF);
		expect_fault(rig, 0x123, row[i].fault, row[i].fault);
	}
}

static void where_large_leaves_may_not_be_the_bit_is_reserved(void **state)
{
	struct rig *rig = *state;

	for (u8 level = 3; level <= 4; level++) {
		rig_start_over(rig, 5);
		tables_put(&rig->tables, 0, level, ENTRY_RW | ENTRY_LEAF);
		expect_fault(rig, 0, 0xc, 0xc);
	}
	rig_start_over(rig, 4);
	rig->walker.huge_1g = false;
	tables_put(&rig->tables, 1ULL << 39, 2, 0x40000000 | ENTRY_RW | ENTRY_LEAF);
	expect_fault(rig, 1ULL << 39, 0xc, 0xc);
	/* 2 MiB leaves are always there. */
	tables_put(&rig->tables, 2ULL << 39, 1, 0x40000000 | ENTRY_RW | ENTRY_LEAF);
	expect_fault(rig, 2ULL << 39, 0, 0);
}

/* A table that is not in memory, and one whose address is wider than the machine's. */
static void an_entry_that_cannot_be_fetched_is_a_fault_of_its_own(void **state)
{
	struct rig *rig = *state;

	for (u8 level = 1; level < 4; level++) {
		u64 iova = 0x1000ULL << (9 * level);

		tables_put(&rig->tables, iova, level, RIG_WALKER_RAM | ENTRY_RW);
		expect_fault(rig, iova, 7, 7);
		expect_u64(walk(rig, iova, false).reads, 4 - level + 1);
		tables_put(&rig->tables, iova, level, 1ULL << 46 | ENTRY_RW);
		expect_fault(rig, iova, 0xc, 0xc);
	}
	rig->tables.root = RIG_WALKER_RAM;
	expect_fault(rig, 0, 7, 7);
}

/* The translation itself is not checked: where it leads is the fabric's business. */
static void a_leaf_may_lead_to_any_address_of_the_machine(void **state)
{
	struct rig *rig = *state;

	rig->walker.address_bits = 52;
	tables_put(&rig->tables, 0x1000, 0, 0x000ffffffffff000ULL | ENTRY_RW);
	expect_u64(walk(rig, 0x1fff, true).phys, 0x000fffffffffffffULL);
	rig->walker.address_bits = 39;
	tables_put(&rig->tables, 0x1000, 0, 0x0000007ffffff000ULL | ENTRY_RW);
	expect_u64(walk(rig, 0x1fff, true).phys, 0x0000007fffffffffULL);
	tables_put(&rig->tables, 0x1000, 0, 0x0000008000000000ULL | ENTRY_RW);
	expect_fault(rig, 0x1000, 0xc, 0xc);
}

/* Any entry of a table may be the last one before memory ends. */
static void a_walk_reads_nothing_but_its_entries(void **state)
{
	struct rig *rig = *state;
	phys_addr_t table = RIG_WALKER_RAM - 0x1000;

	tables_put(&rig->tables, 511ULL << 12, 1, table | ENTRY_RW);
	put_entry(rig->tables.ram, table, 511, 0x7000 | ENTRY_RW);
	expect_u64(walk(rig, (511ULL << 12) + 5, false).phys, 0x7005);
}

/* A context's table is where the context says, not where its page begins. */
static void a_root_that_is_not_aligned_is_read_where_it_is(void **state)
{
	struct rig *rig = *state;

	tables_put(&rig->tables, SOME_IOVA, 0, 0x9000 | ENTRY_RW);
	rig->tables.root += 0x18;
	tables_put(&rig->tables, SOME_IOVA, 0, 0x7000 | ENTRY_RW);
	for (int again = 0; again < 2; again++)
		expect_u64(walk(rig, SOME_IOVA, true).phys, 0x7000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(TEST(every_leaf_size_translates_at_every_depth),
	  TEST(an_empty_entry_of_any_level_refuses),
	  TEST(addresses_beyond_the_width_are_refused_before_the_tables),
	  TEST(permissions_are_those_of_all_entries_together),
	  TEST(a_walk_reports_both_permissions),
	  TEST(an_entry_without_permission_is_absent_whatever_else_it_holds),
	  TEST(a_malformed_entry_is_refused_as_such_even_for_what_it_does_not_allow),
	  TEST(the_snoop_bit_needs_snoop_control), TEST(large_leaves_must_be_aligned),
	  TEST(where_large_leaves_may_not_be_the_bit_is_reserved),
	  TEST(an_entry_that_cannot_be_fetched_is_a_fault_of_its_own),
	  TEST(a_leaf_may_lead_to_any_address_of_the_machine),
	  TEST(a_walk_reads_nothing_but_its_entries),
	  TEST(a_root_that_is_not_aligned_is_read_where_it_is))
