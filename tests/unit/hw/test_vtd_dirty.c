/* SPDX-License-Identifier: MIT */
/*
 * Accessed and dirty bits: which requests set which, in the words in memory; and what a cached
 * translation does about them (facts "iova-and-page-tables" 2.2, 2.3 and 3.6).
 */
#include "pasids.h"

#include <string.h>

#define AT PASIDS_AT

/* The entry of a level, top first in the trees' own words. */
static u64 entry(const struct tables *tables, u8 level)
{
	phys_addr_t table = tables->root;

	for (u8 at = tables->levels - 1; at > level; at--)
		table = get_entry(tables->ram, table, index_of(AT, at)) & 0x000ffffffffff000ULL;
	return get_entry(tables->ram, table, index_of(AT, level));
}

static void expect_all(const struct tables *tables, u64 bits, u64 tables_have, u64 leaf_has)
{
	for (u8 level = 1; level < 4; level++)
		expect_u64(entry(tables, level) & bits, tables_have);
	expect_u64(entry(tables, 0) & bits, leaf_has);
}

static void track(struct pasids *pasids, u8 flags)
{
	struct hw_context second = pasids_second(5, SS_ROOT);

	second.flags = flags;
	pasids_set(pasids, 0, second);
}

/* trust: a walk sets A in all entries, and D in the leaf of a write | our reading of the facts */
static void a_first_stage_is_always_marked(void **state)
{
	struct pasids *pasids = *state;

	expect_all(&pasids->first, FS_A | FS_D, 0, 0);
	pasids_ask(pasids, 7, AT, false);
	expect_all(&pasids->first, FS_A | FS_D | FS_EA, FS_A, FS_A);
	pasids_ask(pasids, 7, AT, true);
	expect_all(&pasids->first, FS_A | FS_D | FS_EA, FS_A, FS_A | FS_D);
	/* Nothing else of the word has changed. */
	expect_u64(entry(&pasids->first, 0), 0x6000 | FS_ALL | FS_A | FS_D);
}

static void extended_access_is_set_where_it_is_enabled(void **state)
{
	struct pasids *pasids = *state;
	struct hw_context first = pasids_first(5, FS_ROOT);

	first.flags = HW_CONTEXT_EXT_ACCESSED;
	pasids_set(pasids, 7, first);
	pasids_ask(pasids, 7, AT, true);
	expect_all(&pasids->first, FS_A | FS_D | FS_EA, FS_A | FS_EA, FS_A | FS_D | FS_EA);
}

static void a_second_stage_is_marked_where_it_is_enabled(void **state)
{
	struct pasids *pasids = *state;

	pasids_plain(pasids, AT, true);
	expect_all(&pasids->second, SS_A | SS_D, 0, 0);
	iotlb_invalidate_all(&pasids->iommu->iotlb);
	track(pasids, HW_CONTEXT_TRACK);
	pasids_plain(pasids, AT, false);
	expect_all(&pasids->second, SS_A | SS_D, SS_A, SS_A);
	pasids_plain(pasids, AT, true);
	expect_all(&pasids->second, SS_A | SS_D, SS_A, SS_A | SS_D);
	expect_u64(entry(&pasids->second, 0), 0x5000 | ENTRY_RW | SS_A | SS_D);
}

/* A large leaf is one entry, of a higher level. */
static void a_large_leaf_is_marked(void **state)
{
	struct pasids *pasids = *state;
	const u64 at = 0x4000000000ULL;

	pasids_put_first(pasids, at, 1, 0x400000 | FS_ALL | ENTRY_LEAF);
	pasids_ask(pasids, 7, at + 0x123456, true);
	expect_u64(
		get_entry(pasids->first.ram, tables_reach(&pasids->first, at, 1), index_of(at, 1)),
		0x400000 | FS_ALL | ENTRY_LEAF | FS_A | FS_D);
}

static void a_refused_or_dry_request_marks_nothing(void **state)
{
	struct pasids *pasids = *state;

	pasids_put_first(pasids, AT, 0, 0x6000 | FS_P | FS_US);
	expect_u64(pasids_ask(pasids, 7, AT, true).fault, 0x85);
	expect_u64(pasids_probe(pasids, 7, AT, false).phys, 0x6000);
	pasids_put_first(pasids, AT, 0, 0xfee00000 | FS_ALL);
	expect_u64(pasids_ask(pasids, 7, AT, true).fault, 0x87);
	expect_all(&pasids->first, FS_A | FS_D, 0, 0);
}

/* trust: a write through a cached clean page walks and sets D | our reading of the facts */
static void a_cached_clean_page_is_walked_again_for_a_write(void **state)
{
	struct pasids *pasids = *state;
	const struct hw_costs *costs = &pasids->bench->hw.costs;

	track(pasids, HW_CONTEXT_TRACK);
	for (u32 pasid = 0; pasid <= 7; pasid += 7) {
		const struct tables *tables = pasid ? &pasids->first : &pasids->second;
		u64 dirty = pasid ? FS_D : SS_D;
		u64 reads;

		pasids_ask(pasids, pasid, AT, false);
		reads = costs->walk_reads;
		pasids_ask(pasids, pasid, AT, false);
		expect_u64(costs->walk_reads, reads);
		assert_false(entry(tables, 0) & dirty);
		pasids_ask(pasids, pasid, AT, true);
		expect_u64(costs->walk_reads, reads + 4);
		assert_true(entry(tables, 0) & dirty);
		/* From now on it is known to be dirty. */
		pasids_ask(pasids, pasid, AT, true);
		expect_u64(costs->walk_reads, reads + 4);
	}
}

/* Facts 3.6: whoever clears D must invalidate, or the next write leaves no trace. */
static void a_cached_dirty_page_does_not_set_D_again(void **state)
{
	struct pasids *pasids = *state;

	pasids_ask(pasids, 7, AT, true);
	pasids_put_first(pasids, AT, 0, 0x6000 | FS_ALL | FS_A);
	expect_u64(pasids_ask(pasids, 7, AT, true).fault, 0);
	assert_false(entry(&pasids->first, 0) & FS_D);
	expect_ok(pasids_command(pasids, 0x36 | 5ULL << 16 | 7ULL << 32, AT | 0x40));
	pasids_ask(pasids, 7, AT, true);
	assert_true(entry(&pasids->first, 0) & FS_D);
}

/* A page that is dirty already in memory is so in the cache from the first read on. */
static void a_dirty_page_that_is_read_is_cached_as_dirty(void **state)
{
	struct pasids *pasids = *state;
	u64 reads;

	pasids_put_first(pasids, AT, 0, 0x6000 | FS_ALL | FS_A | FS_D);
	pasids_ask(pasids, 7, AT, false);
	reads = pasids->bench->hw.costs.walk_reads;
	pasids_ask(pasids, 7, AT, true);
	expect_u64(pasids->bench->hw.costs.walk_reads, reads);
}

/* Where it does not snoop it cannot: unless all is set, it refuses. */
static void a_unit_that_does_not_snoop_sets_nothing(void **state)
{
	struct pasids *pasids = *state;
	struct hw *hw = &pasids->bench->hw;

	pasids_unit(pasids, (struct hw_iommu_desc){ .first_levels = 4, .pasid_flags = 0x3e });
	hw_cache_clean(hw, 0, 4 * SZ_1M);
	expect_u64(pasids_ask(pasids, 7, AT, false).fault, 0x90);
	expect_u64(pasids_probe(pasids, 7, AT, false).fault, 0x90);
	expect_u64(pasids_plain(pasids, AT, true).phys, 0x5000);
	iotlb_invalidate_all(&pasids->iommu->iotlb);
	track(pasids, HW_CONTEXT_TRACK);
	expect_u64(pasids_plain(pasids, AT, false).fault, 0x7c);
	expect_all(&pasids->first, FS_A | FS_D, 0, 0);
	expect_all(&pasids->second, SS_A | SS_D, 0, 0);
	/* As Linux writes first-stage entries: A in all, D in leaves that may be written. */
	for (u8 level = 0; level < 4; level++) {
		pasids_put_first(pasids, AT, level,
				 entry(&pasids->first, level) | FS_A | (level ? 0 : FS_D));
		tables_put(&pasids->second, AT, level, entry(&pasids->second, level) | SS_A);
	}
	expect_u64(pasids_ask(pasids, 7, AT, true).fault, 0x90);
	hw_cache_clean(hw, 0, 4 * SZ_1M);
	expect_u64(pasids_ask(pasids, 7, AT, true).fault, 0);
	expect_u64(pasids_plain(pasids, AT, false).fault, 0);
	expect_u64(pasids_plain(pasids, AT, true).fault, 0x7c);
}

/*
 * A request that is refused marks nothing, so no cache may spare later ones the tables that it went
 * through: those would never be marked.
 */
static void tables_of_a_refused_request_are_marked_by_the_next(void **state)
{
	struct pasids *pasids = *state;

	pasids_unit(pasids, (struct hw_iommu_desc){ .coherent = true,
						    .first_levels = 4,
						    .pasid_flags = 0x3e,
						    .walk_entries = 16 });
	track(pasids, HW_CONTEXT_TRACK);
	for (u32 pasid = 0; pasid <= 7; pasid += 7) {
		struct tables *tables = pasid ? &pasids->first : &pasids->second;
		u64 accessed = pasid ? FS_A : SS_A;
		phys_addr_t leaves = tables_reach(tables, AT, 0);
		u64 leaf = entry(tables, 0);

		put_entry(tables->ram, leaves, index_of(AT, 0), 0);
		expect_u64(pasids_ask(pasids, pasid, AT, false).fault, pasid ? 0x71 : 0x79);
		expect_all(tables, accessed, 0, 0);
		/* What was empty is in no cache: nothing is to be invalidated. */
		put_entry(tables->ram, leaves, index_of(AT, 0), leaf);
		expect_u64(pasids_ask(pasids, pasid, AT, false).fault, 0);
		expect_all(tables, accessed, accessed, accessed);
	}
}

/* Nor does it hide that a unit cannot set them. */
static void a_unit_that_does_not_snoop_refuses_again(void **state)
{
	struct pasids *pasids = *state;

	pasids_unit(pasids, (struct hw_iommu_desc){
				    .first_levels = 4, .pasid_flags = 0x3e, .walk_entries = 16 });
	pasids_put_first(pasids, AT, 0, entry(&pasids->first, 0) | FS_A | FS_D);
	hw_cache_clean(&pasids->bench->hw, 0, 4 * SZ_1M);
	for (int round = 0; round < 3; round++)
		expect_u64(pasids_ask(pasids, 7, AT, false).fault, 0x90);
}

/* The CPU's cache and memory agree on what the unit wrote. */
static void marks_are_seen_by_the_cpu_and_in_memory(void **state)
{
	struct pasids *pasids = *state;
	struct hw *hw = &pasids->bench->hw;
	phys_addr_t at = tables_reach(&pasids->first, AT, 0) + 8 * index_of(AT, 0);
	u8 byte[2] = { 0, 0 };

	hw_cache_clean(hw, 0, 4 * SZ_1M);
	pasids_ask(pasids, 7, AT, true);
	expect_u64(hw_cache_peek(&hw->cache, &hw->ram, at, &byte[0], 1), 1);
	expect_u64(ram_read(&hw->ram, at, &byte[1], 1), 1);
	expect_u64(byte[0], FS_ALL | FS_A | FS_D);
	expect_u64(byte[1], FS_ALL | FS_A | FS_D);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pasids_setup, pasids_teardown)

TEST_MAIN(TEST(a_first_stage_is_always_marked), TEST(extended_access_is_set_where_it_is_enabled),
	  TEST(a_second_stage_is_marked_where_it_is_enabled), TEST(a_large_leaf_is_marked),
	  TEST(a_refused_or_dry_request_marks_nothing),
	  TEST(a_cached_clean_page_is_walked_again_for_a_write),
	  TEST(a_cached_dirty_page_does_not_set_D_again),
	  TEST(a_dirty_page_that_is_read_is_cached_as_dirty),
	  TEST(a_unit_that_does_not_snoop_sets_nothing),
	  TEST(tables_of_a_refused_request_are_marked_by_the_next),
	  TEST(a_unit_that_does_not_snoop_refuses_again),
	  TEST(marks_are_seen_by_the_cpu_and_in_memory))
