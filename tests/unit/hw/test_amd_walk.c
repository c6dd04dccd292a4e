/* SPDX-License-Identifier: MIT */
/*
 * The walker of AMD's v1 tables on tables made by hand: every depth, every size of a leaf, skipped
 * levels, permissions, and what each malformed entry is refused with (facts
 * "iova-and-page-tables" 2.1 and 2.6).
 *
 * Events: 2 a page fault, with PR if the entry is present, PE for a permission, RZ for a reserved
 * bit or an illegal level; 4 the entry cannot be fetched. RW with each of a write.
 */
#include "amd_tables.h"
#include "rig.h"

#define ROOT 0x10000ULL

static int setup(void **state)
{
	return rig_setup_walker(state, &(struct hw_walker){ .ram = NULL }, ROOT);
}

static struct hw_walk walk(const struct rig *rig, u64 iova, bool write)
{
	return hw_walk_amd_v1(&rig->walker, rig->tables.root, rig->tables.levels, iova, write);
}

/* The event, and its flags but RW, which stands for the write. */
static void expect_fault(const struct rig *rig, u64 iova, u8 code, u16 flags)
{
	for (int write = 0; write < 2; write++) {
		struct hw_walk found = walk(rig, iova, write);

		expect_u64(found.fault, code);
		expect_u64(found.fault_flags, code ? flags | (write ? FLAG_RW : 0) : 0);
	}
}

/* An address with a different index at every level, from level 5 down: 77, 5, 257, 3, 510, 129. */
#define SOME_IOVA \
	(77ULL << 57 | 5ULL << 48 | 257ULL << 39 | 3ULL << 30 | 510ULL << 21 | 129ULL << 12)

static u64 width_mask(u8 mode)
{
	return mode == 6 ? ~0ULL : (4096ULL << (9 * mode)) - 1;
}

static u64 iova_of(u8 mode)
{
	return SOME_IOVA & width_mask(mode);
}

/* ---- What translates ------------------------------------------------------------------------- */

static void check_leaf(struct rig *rig, u8 mode, u8 level, u8 lg2)
{
	u64 bytes = 1ULL << lg2, iova = iova_of(mode) & ~(bytes - 1);
	u64 phys = 0x0009a5a5a5a5a000ULL & ~(bytes - 1), coded = 0;
	const u64 offset[] = { 0, bytes - 1, bytes / 2 + 0x123, bytes / 4 };

	if (lg2 != 12 + 9 * level)
		coded = amd_size(lg2);
	rig_start_over(rig, mode);
	amd_put_leaf(&rig->tables, iova, level, lg2, phys | coded | AMD_PR | AMD_RW);
	for (int i = 0; i < 4; i++) {
		struct hw_walk found = walk(rig, iova + offset[i], i & 1);

		expect_u64(found.fault, 0);
		expect_u64(found.fault_flags, 0);
		expect_u64(found.phys, phys + offset[i]);
		expect_u64(found.page_lg2, lg2);
		assert_true(found.read && found.write);
		expect_u64(found.reads, mode - level);
		expect_u64(found.tables, mode - level);
		expect_u64(found.step[0].table, rig->tables.root);
		expect_u64(found.step[found.tables - 1].table,
			   amd_reach(&rig->tables, iova, level));
	}
	/* Its neighbours are not mapped. */
	if (iova)
		expect_fault(rig, iova - 1, PAGE_FAULT, 0);
	if (iova + (bytes - 1) < width_mask(mode))
		expect_fault(rig, iova + bytes, PAGE_FAULT, 0);
}

/* Natural sizes and coded ones: 4 KiB to 2 PiB, at each depth that has their level. */
static void every_leaf_size_translates_at_every_depth(void **state)
{
	struct rig *rig = *state;

	for (u8 mode = 1; mode <= 6; mode++) {
		for (u8 lg2 = 12; lg2 <= 51 && (lg2 - 12) / 9 < mode; lg2++)
			check_leaf(rig, mode, (u8)((lg2 - 12) / 9), lg2);
	}
}

/* Hardware reads the one entry that the address selects: the others of its page may lack. */
static void one_entry_of_a_page_serves_its_own_addresses(void **state)
{
	struct rig *rig = *state;

	/* 64 KiB at 0x1230000, of which only the entry of the sixth page is there. */
	amd_put(&rig->tables, 0x25000, 0, 0x6000000001237e01ULL);
	expect_u64(walk(rig, 0x25abc, true).phys, 0x1235abc);
	expect_u64(walk(rig, 0x25abc, true).page_lg2, 16);
	expect_fault(rig, 0x24fff, PAGE_FAULT, 0);
	expect_fault(rig, 0x26000, PAGE_FAULT, 0);
}

static void address_bits_below_a_natural_leaf_are_ignored(void **state)
{
	struct rig *rig = *state;

	amd_put(&rig->tables, 0, 1, 0x401ff000 | AMD_PR | AMD_RW);
	expect_u64(walk(rig, 0x123, true).phys, 0x40000123);
	amd_put(&rig->tables, 1ULL << 39, 2, 0x7ffff000 | AMD_PR | AMD_RW);
	expect_u64(walk(rig, (1ULL << 39) + 0x123, true).phys, 0x40000123);
}

static void an_absent_entry_of_any_level_refuses(void **state)
{
	struct rig *rig = *state;

	for (u8 mode = 1; mode <= 6; mode++) {
		u64 iova = iova_of(mode);

		rig_start_over(rig, mode);
		expect_fault(rig, iova, PAGE_FAULT, 0);
		expect_u64(walk(rig, iova, false).reads, 1);
		for (u8 level = mode - 1; level-- > 0;) {
			amd_reach(&rig->tables, iova, level);
			expect_fault(rig, iova, PAGE_FAULT, 0);
			expect_u64(walk(rig, iova, false).reads, mode - level);
		}
	}
}

/* Without PR all other bits are ignored. */
static void an_entry_that_is_not_present_may_hold_anything(void **state)
{
	struct rig *rig = *state;

	for (u8 level = 0; level < 4; level++) {
		u64 iova = 0x1000ULL << (9 * level);

		amd_put(&rig->tables, iova, level, ~AMD_PR);
		expect_fault(rig, iova, PAGE_FAULT, 0);
		for (u32 bit = 1; bit < 64; bit++) {
			amd_put(&rig->tables, iova, level, 1ULL << bit);
			expect_fault(rig, iova, PAGE_FAULT, 0);
		}
	}
}

static void addresses_beyond_the_mode_are_refused_before_the_tables(void **state)
{
	struct rig *rig = *state;

	for (u8 mode = 1; mode <= 5; mode++) {
		u64 end = width_mask(mode) + 1;

		rig_start_over(rig, mode);
		amd_put(&rig->tables, 0, 0, 0x5000 | AMD_PR | AMD_RW);
		amd_put(&rig->tables, end - 1, 0, 0x6000 | AMD_PR | AMD_RW);
		expect_u64(walk(rig, end - 1, true).phys, 0x6fff);
		for (u64 bit = end; bit; bit <<= 1)
			expect_fault(rig, bit, PAGE_FAULT, FLAG_PR | FLAG_RZ);
		expect_fault(rig, ~0ULL, PAGE_FAULT, FLAG_PR | FLAG_RZ);
		expect_u64(walk(rig, end, true).reads, 0);
	}
	/* Six levels take every address: their top table has 128 entries. */
	rig_start_over(rig, 6);
	amd_put(&rig->tables, ~0ULL, 0, 0x6000 | AMD_PR | AMD_RW);
	expect_u64(walk(rig, ~0ULL, true).phys, 0x6fff);
	expect_u64(get_entry(rig->tables.ram, rig->tables.root, 127) & 1, 1);
}

static void there_are_modes_1_to_6(void **state)
{
	struct rig *rig = *state;

	expect_contract(hw_walk_amd_v1(&rig->walker, ROOT, 0, 0, false), "a page mode is 1 to 6");
	expect_contract(hw_walk_amd_v1(&rig->walker, ROOT, 7, 0, false), "a page mode is 1 to 6");
}

/* ---- Permissions ----------------------------------------------------------------------------- */

/* What a walk may do is what every entry on the way allows. */
static void permissions_are_those_of_all_entries_together(void **state)
{
	struct rig *rig = *state;

	for (u8 leaf = 0; leaf < 4; leaf++) {
		u32 entries = 4 - leaf;
		u64 iova = iova_of(4) & ~(bytes_of(leaf) - 1);

		rig_start_over(rig, 4);
		amd_put(&rig->tables, iova, leaf, 0x8000000000 | AMD_PR);
		/* Two bits for each entry: IR and IW. */
		for (u32 bits = 0; bits < 1U << (2 * entries); bits++) {
			u64 both = 3;

			for (u32 i = 0; i < entries; i++) {
				u8 level = (u8)(leaf + i);
				phys_addr_t table = amd_reach(&rig->tables, iova, level);
				u64 index = index_of(iova, level), mine = bits >> (2 * i) & 3;
				u64 word = get_entry(rig->tables.ram, table, index);

				put_entry(rig->tables.ram, table, index,
					  (word & ~AMD_RW) | mine << 61);
				both &= mine;
			}
			for (int write = 0; write < 2; write++) {
				struct hw_walk found = walk(rig, iova, write);
				bool allowed = both >> write & 1;

				expect_u64(found.fault, allowed ? 0 : PAGE_FAULT);
				expect_u64(found.fault_flags,
					   allowed ? 0 : FLAG_PR | FLAG_PE | (write ? FLAG_RW : 0));
				assert_int_equal(found.read, both & 1);
				assert_int_equal(found.write, both >> 1);
			}
		}
	}
}

/* The verdict comes at the end: an entry below that is absent or malformed is what is told. */
static void what_is_wrong_with_an_entry_comes_before_permissions(void **state)
{
	struct rig *rig = *state;
	phys_addr_t table = amd_reach(&rig->tables, 0, 0);

	amd_put(&rig->tables, 0, 1, table | AMD_PR | AMD_NEXT(1));
	expect_fault(rig, 0, PAGE_FAULT, 0);
	put_entry(rig->tables.ram, table, 0, AMD_PR | 1ULL << 52);
	expect_fault(rig, 0, PAGE_FAULT, FLAG_PR | FLAG_RZ);
	put_entry(rig->tables.ram, table, 0, AMD_PR | AMD_RW);
	expect_fault(rig, 0, PAGE_FAULT, FLAG_PR | FLAG_PE);
}

/* ---- Levels ---------------------------------------------------------------------------------- */

/* A pointer leads to any level below its own; NextLevel counts from 1. */
static void next_level_must_be_below_the_entrys_own(void **state)
{
	struct rig *rig = *state;

	for (u8 mode = 1; mode <= 6; mode++) {
		for (u8 level = 0; level < mode; level++) {
			for (u64 next = 1; next <= 6; next++) {
				phys_addr_t table;
				bool legal = next <= level;

				rig_start_over(rig, mode);
				table = rig->tables.next;
				rig->tables.next += 0x1000;
				/* Entry 0 of the table it leads to: a leaf, of whatever level. */
				put_entry(rig->tables.ram, table, 0,
					  0x8000000000000 | AMD_PR | AMD_RW);
				amd_put(&rig->tables, 0, level,
					table | AMD_PR | AMD_RW | AMD_NEXT(next));
				expect_fault(rig, 0x321, legal ? 0 : PAGE_FAULT,
					     legal ? 0 : FLAG_PR | FLAG_RZ);
				if (!legal)
					continue;
				expect_u64(walk(rig, 0x321, false).page_lg2, 12 + 9 * (next - 1));
				expect_u64(walk(rig, 0x321, false).reads, mode - level + 1);
			}
		}
	}
}

/* A pointer of level 3 to a table of level 0: bits 38:21 of the address must be 0. */
static void the_address_bits_of_skipped_levels_must_be_0(void **state)
{
	struct rig *rig = *state;

	for (u8 level = 2; level < 6; level++) {
		for (u8 to = 0; to + 1 < level; to++) {
			u64 index = 3, iova = index << (12 + 9 * level);
			phys_addr_t table;

			rig_start_over(rig, 6);
			table = rig->tables.next;
			rig->tables.next += 0x1000;
			amd_put(&rig->tables, iova, level,
				table | AMD_PR | AMD_RW | AMD_NEXT(to + 1));
			for (u64 i = 0; i < 512; i++)
				put_entry(rig->tables.ram, table, i,
					  0x8000000000000 | AMD_PR | AMD_RW);
			for (u32 bit = 0; bit < 12U + 9 * level; bit++) {
				bool skipped = bit >= 12U + 9 * (to + 1);

				expect_fault(rig, iova | 1ULL << bit, skipped ? PAGE_FAULT : 0,
					     skipped ? FLAG_PR | FLAG_RZ : 0);
			}
		}
	}
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

/* Larger than the level's own, smaller than that of the level above, at most 2 PiB. */
static void a_coded_size_must_fit_its_level(void **state)
{
	struct rig *rig = *state;

	rig_start_over(rig, 6);
	for (u8 level = 0; level < 6; level++) {
		u64 iova = 0x1000ULL << (9 * level);

		for (u8 lg2 = 13; lg2 <= 53; lg2++) {
			bool fits = lg2 > 12 + 9 * level && lg2 < 12 + 9 * (level + 1) && lg2 <= 51;

			amd_put(&rig->tables, iova, level, amd_size(lg2) | AMD_PR | AMD_RW);
			expect_fault(rig, iova, fits ? 0 : PAGE_FAULT,
				     fits ? 0 : FLAG_PR | FLAG_RZ);
		}
	}
}

/* A natural leaf of level 5 would be larger than memory can be. */
static void the_sixth_level_has_no_leaves(void **state)
{
	struct rig *rig = *state;

	rig_start_over(rig, 6);
	amd_put(&rig->tables, 0, 5, AMD_PR | AMD_RW);
	expect_fault(rig, 0, PAGE_FAULT, FLAG_PR | FLAG_RZ);
	rig_start_over(rig, 6);
	amd_put(&rig->tables, 0, 4, AMD_PR | AMD_RW);
	expect_u64(walk(rig, 0x123, false).page_lg2, 48);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static void an_entry_that_cannot_be_fetched_is_an_event_of_its_own(void **state)
{
	struct rig *rig = *state;

	for (u8 level = 1; level < 4; level++) {
		u64 iova = 0x1000ULL << (9 * level);

		amd_put(&rig->tables, iova, level,
			RIG_WALKER_RAM | AMD_PR | AMD_RW | AMD_NEXT(level));
		expect_fault(rig, iova, HARDWARE_ERROR, FLAG_MASTER);
		expect_u64(walk(rig, iova, false).reads, 4 - level + 1);
	}
	rig->tables.root = RIG_WALKER_RAM;
	expect_fault(rig, 0, HARDWARE_ERROR, FLAG_MASTER);
}

/* Where a translation leads is the fabric's business. */
static void a_leaf_may_lead_to_any_address(void **state)
{
	struct rig *rig = *state;

	amd_put(&rig->tables, 0x1000, 0, 0x000ffffffffff000ULL | AMD_PR | AMD_RW);
	expect_u64(walk(rig, 0x1fff, true).phys, 0x000fffffffffffffULL);
}

/* A walker that does not snoop reads what was flushed to memory. */
static void a_walker_may_have_a_cache_before_it(void **state)
{
	struct rig *rig = *state;

	amd_put(&rig->tables, 0x1000, 0, 0x5000 | AMD_PR | AMD_RW);
	rig->walker.cache = &rig->bench->hw.cache;
	expect_fault(rig, 0x1abc, PAGE_FAULT, 0);
	hw_cache_clean(&rig->bench->hw, ROOT, rig->tables.next - ROOT);
	expect_u64(walk(rig, 0x1abc, true).phys, 0x5abc);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(TEST(every_leaf_size_translates_at_every_depth),
	  TEST(one_entry_of_a_page_serves_its_own_addresses),
	  TEST(address_bits_below_a_natural_leaf_are_ignored),
	  TEST(an_absent_entry_of_any_level_refuses),
	  TEST(an_entry_that_is_not_present_may_hold_anything),
	  TEST(addresses_beyond_the_mode_are_refused_before_the_tables),
	  TEST(there_are_modes_1_to_6), TEST(permissions_are_those_of_all_entries_together),
	  TEST(what_is_wrong_with_an_entry_comes_before_permissions),
	  TEST(next_level_must_be_below_the_entrys_own),
	  TEST(the_address_bits_of_skipped_levels_must_be_0), TEST(a_coded_size_must_fit_its_level),
	  TEST(the_sixth_level_has_no_leaves),
	  TEST(an_entry_that_cannot_be_fetched_is_an_event_of_its_own),
	  TEST(a_leaf_may_lead_to_any_address), TEST(a_walker_may_have_a_cache_before_it))
