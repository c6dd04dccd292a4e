/* SPDX-License-Identifier: MIT */
/*
 * A PASID with both stages, in a unit: what is refused, what caches keep of the two together, and
 * which commands take that (facts "iova-and-page-tables" 2.6, 3.1 and 3.2).
 *
 *   PASID 10   first stage at FS_ROOT, below the second stage at SS_ROOT; domain 5
 *   PASID 11   the same, domain 6
 *
 * The second stage has the 2 MiB of the first's tables where they are, and the page 0x6000 that
 * these lead to at 0x9000.
 */
#include "pasids.h"

#define AT     PASIDS_AT
#define NESTED 10U
#define OTHER  11U

static struct hw_context nested(u16 domain)
{
	return (struct hw_context){
		.type = HW_CONTEXT_NESTED,
		.levels = 4,
		.domain = domain,
		.root = FS_ROOT,
		.second_levels = 4,
		.second_root = SS_ROOT,
	};
}

static void unit(struct pasids *pasids, struct hw_iommu_desc desc)
{
	desc.coherent = true;
	desc.nested = true;
	desc.first_levels = 5;
	desc.pasid_flags = 0x3e;
	pasids_unit(pasids, desc);
	pasids_set(pasids, NESTED, nested(5));
	pasids_set(pasids, OTHER, nested(6));
	pasids->second.next = 0x300000;
	tables_put(&pasids->second, FS_ROOT, 1, FS_ROOT | ENTRY_RW | ENTRY_LEAF);
	tables_put(&pasids->second, 0x6000, 0, 0x9000 | ENTRY_RW);
}

static void refused(struct pasids *pasids, u32 pasid, const char *how, u8 fault)
{
	expect_u64(pasids_ask_as(pasids, pasid, AT, how).fault, fault);
}

/* ---- Entries and faults ---------------------------------------------------------------------- */

static void both_stages_lead_to_the_page(void **state)
{
	struct pasids *pasids = *state;
	struct hw_translation found;

	unit(pasids, (struct hw_iommu_desc){ 0 });
	found = pasids_probe(pasids, NESTED, AT + 0x123, true);
	expect_u64(found.fault, 0);
	expect_u64(found.phys, 0x9123);
	expect_u64(pasids->bench->hw.costs.walk_reads, 0);
	found = pasids_ask(pasids, NESTED, AT + 0x123, true);
	expect_u64(found.phys, 0x9123);
	expect_u64(found.domain, 5);
	/* Four entries by three of the second stage each, and the page by four. */
	expect_u64(pasids->bench->hw.costs.walk_reads, 4 * (1 + 3) + 4);
	/* Neither stage alone is meant. */
	expect_u64(pasids_ask(pasids, 7, AT, false).phys, 0x6000);
	expect_u64(pasids_plain(pasids, AT, false).phys, 0x5000);
}

static void an_entry_has_two_good_tops(void **state)
{
	struct pasids *pasids = *state;
	struct hw_context bad;

	unit(pasids, (struct hw_iommu_desc){ 0 });
	bad = nested(5);
	bad.second_root |= 8;
	pasids_set(pasids, NESTED, bad);
	refused(pasids, NESTED, "", 0x5a);
	bad = nested(5);
	bad.second_levels = 5;
	pasids_set(pasids, NESTED, bad);
	refused(pasids, NESTED, "", 0x5b);
	bad = nested(5);
	bad.levels = 3;
	pasids_set(pasids, NESTED, bad);
	refused(pasids, NESTED, "", 0x5b);
	bad = nested(5);
	bad.root = 1ULL << 46;
	pasids_set(pasids, NESTED, bad);
	refused(pasids, NESTED, "", 0x5a);
	/* A unit without the feature. */
	pasids_unit(pasids, (struct hw_iommu_desc){ .coherent = true, .first_levels = 5 });
	pasids_set(pasids, NESTED, nested(5));
	refused(pasids, NESTED, "", 0x5b);
}

static void what_is_missing_of_the_second_stage_is_told_apart(void **state)
{
	struct pasids *pasids = *state;

	unit(pasids, (struct hw_iommu_desc){ 0 });
	expect_u64(pasids_ask(pasids, NESTED, 1ULL << 47, false).fault, 0x80);
	tables_put(&pasids->second, 0x6000, 0, 0);
	refused(pasids, NESTED, "", 0x79);
	tables_put(&pasids->second, 0x6000, 0, 0x9000 | ENTRY_R);
	refused(pasids, NESTED, "w", 0x85);
	expect_u64(pasids_ask(pasids, NESTED, AT, false).phys, 0x9000);
	/* Of the supervisor's requests nothing is kept, and the second stage does not know them. */
	refused(pasids, NESTED, "s", 0x5d);
	iotlb_invalidate_all(&pasids->iommu->iotlb);
	tables_put(&pasids->second, FS_ROOT, 1, 0);
	refused(pasids, NESTED, "", 0x75);
}

/* The entries were not marked: they would be now, in pages that may only be read. */
static void marks_go_through_the_second_stage(void **state)
{
	struct pasids *pasids = *state;
	phys_addr_t leaves;

	unit(pasids, (struct hw_iommu_desc){ 0 });
	leaves = tables_reach(&pasids->first, AT, 0);
	tables_put(&pasids->second, FS_ROOT, 1, FS_ROOT | ENTRY_R | ENTRY_LEAF);
	refused(pasids, NESTED, "", 0x77);
	expect_u64(pasids_probe(pasids, NESTED, AT, false).fault, 0x77);
	expect_u64(get_entry(pasids->first.ram, leaves, index_of(AT, 0)), 0x6000 | FS_ALL);
	tables_put(&pasids->second, FS_ROOT, 1, FS_ROOT | ENTRY_RW | ENTRY_LEAF);
	expect_u64(pasids_probe(pasids, NESTED, AT, true).fault, 0);
	expect_u64(get_entry(pasids->first.ram, leaves, index_of(AT, 0)), 0x6000 | FS_ALL);
	expect_u64(pasids_ask(pasids, NESTED, AT, false).fault, 0);
	expect_u64(get_entry(pasids->first.ram, leaves, index_of(AT, 0)), 0x6000 | FS_ALL | FS_A);
	/* What is cached is clean: a write walks, and marks. */
	expect_u64(pasids_ask(pasids, NESTED, AT, true).fault, 0);
	expect_u64(get_entry(pasids->first.ram, leaves, index_of(AT, 0)),
		   0x6000 | FS_ALL | FS_A | FS_D);
}

/* ---- Caches ---------------------------------------------------------------------------------- */

#define FIRST_PAGE  (0x36 | 5ULL << 16 | (u64)NESTED << 32)
#define FIRST_ALL   (0x26 | 5ULL << 16 | (u64)NESTED << 32)
#define SECOND_PAGE (0x32 | 5ULL << 16)
#define SECOND_ALL  (0x22 | 5ULL << 16)
#define GLOBAL	    0x12

/*
 * trust: what both stages of VT-d gave together, and which commands take it
 * | our reading of the facts: 3.1 and 3.2
 */
static void a_combined_translation_goes_by_either_stages_commands(void **state)
{
	static const struct {
		u64 low, high;
		bool goes;
	} row[] = {
		{ FIRST_PAGE, AT | 0x40, true },
		{ FIRST_PAGE, (AT + 0x1000) | 0x40, false },
		{ FIRST_PAGE + (1ULL << 32), AT | 0x40, false },
		{ FIRST_PAGE + (1ULL << 16), AT | 0x40, false },
		{ FIRST_ALL, 0, true },
		/* Of the second stage's addresses: any may have been on the way. */
		{ SECOND_PAGE, 0x6000 | 0x40, true },
		{ SECOND_PAGE, 0x777000 | 0x40, true },
		{ SECOND_PAGE + (1ULL << 16), 0x6000 | 0x40, false },
		{ SECOND_ALL, 0, true },
		{ SECOND_ALL + (1ULL << 16), 0, false },
		{ GLOBAL, 0, true },
	};
	struct pasids *pasids = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		unit(pasids, (struct hw_iommu_desc){ .walk_entries = i % 2 ? 4 : 0 });
		expect_u64(pasids_ask(pasids, NESTED, AT, true).phys, 0x9000);
		tables_put(&pasids->second, 0x6000, 0, 0xa000 | ENTRY_RW);
		expect_u64(pasids_ask(pasids, NESTED, AT, true).phys, 0x9000);
		expect_ok(pasids_command(pasids, row[i].low, row[i].high));
		if (pasids_ask(pasids, NESTED, AT, true).phys != (row[i].goes ? 0xa000 : 0x9000))
			fail_msg("row %zu", i);
	}
}

static u64 reads_of(struct pasids *pasids, u64 iova)
{
	u64 before = pasids->bench->hw.costs.walk_reads;

	expect_u64(pasids_ask(pasids, NESTED, iova, false).fault, 0);
	return pasids->bench->hw.costs.walk_reads - before;
}

/* Tables of the first stage are kept by the second's addresses. */
static void a_walk_may_begin_at_a_cached_table(void **state)
{
	struct pasids *pasids = *state;

	unit(pasids, (struct hw_iommu_desc){ .walk_entries = 4 });
	for (u64 page = 0; page < 4; page++)
		pasids_put_first(pasids, AT + 0x1000 * page, 0, 0x6000 | FS_ALL);
	expect_u64(reads_of(pasids, AT), 20);
	expect_u64(reads_of(pasids, AT + 0x1000), 1 + 3 + 4);
	/* Leaves alone went; then tables, too. */
	expect_ok(pasids_command(pasids, FIRST_PAGE, AT | 0x40));
	expect_u64(reads_of(pasids, AT), 1 + 3 + 4);
	expect_ok(pasids_command(pasids, FIRST_PAGE, AT));
	expect_u64(reads_of(pasids, AT + 0x2000), 20);
	expect_ok(pasids_command(pasids, SECOND_PAGE, 0x6000 | 0x40));
	expect_u64(reads_of(pasids, AT + 0x3000), 20);
}

/* Which the second stage has moved: only then the other copy is read. */
static void moved_tables_are_read_once_the_caches_are_empty(void **state)
{
	struct pasids *pasids = *state;
	u8 copy[SZ_4K];
	u64 at;

	unit(pasids, (struct hw_iommu_desc){ .walk_entries = 4 });
	expect_u64(pasids_ask(pasids, NESTED, AT, true).phys, 0x9000);
	for (at = 0; at < SZ_64K; at += SZ_4K) {
		expect_u64(ram_read(pasids->first.ram, FS_ROOT + at, copy, SZ_4K), SZ_4K);
		expect_u64(ram_write(pasids->first.ram, 0x800000 + at, copy, SZ_4K), SZ_4K);
	}
	tables_put(&pasids->second, FS_ROOT, 1, 0x800000 | ENTRY_RW | ENTRY_LEAF);
	put_entry(pasids->first.ram, tables_reach(&pasids->first, AT, 0) - FS_ROOT + 0x800000,
		  index_of(AT, 0), 0x2000 | FS_ALL);
	tables_put(&pasids->second, 0x2000, 0, 0xb000 | ENTRY_RW);
	expect_u64(pasids_ask(pasids, NESTED, AT, true).phys, 0x9000);
	expect_ok(pasids_command(pasids, SECOND_ALL, 0));
	expect_u64(pasids_ask(pasids, NESTED, AT, true).phys, 0xb000);
}

/* Caching mode keeps nothing of what is absent here: it may be the first stage's. */
static void what_is_absent_is_not_kept(void **state)
{
	struct pasids *pasids = *state;

	unit(pasids, (struct hw_iommu_desc){ .caching_mode = true });
	tables_put(&pasids->second, 0x6000, 0, 0);
	refused(pasids, NESTED, "", 0x79);
	tables_put(&pasids->second, 0x6000, 0, 0x9000 | ENTRY_RW);
	expect_u64(pasids_ask(pasids, NESTED, AT, false).phys, 0x9000);
}

/* ---- Where tables lie ------------------------------------------------------------------------ */

#define PAGE  4U /* others are tables of the first stage, by level */
#define PARTS 5U

/* An address of the second stage: in the first GiB or in the second, a bit each. */
static u64 part_at(u32 high, u32 part)
{
	return (u64)(high >> part & 1) << 30 | (0x100ULL + part) << 12;
}

/* The same in memory. */
static phys_addr_t placed(phys_addr_t base, u32 part)
{
	return base + 0x80000 + part * 0x1000;
}

/* Nothing is to be marked, so that the short way is gone, unless a walk cache wants the steps. */
static void put_parts(struct pasids *pasids, struct tables *second, u32 high)
{
	struct hw_context entry = nested(5);

	for (u32 part = 0; part < PARTS; part++)
		tables_put(second, part_at(high, part), 0, placed(second->root, part) | ENTRY_RW);
	/* Who is in the wrong GiB finds another page. */
	tables_put(second, part_at(~high, PAGE), 0, placed(second->root, PARTS) | ENTRY_RW);
	for (u8 level = 0; level < 4; level++)
		put_entry(second->ram, placed(second->root, level), index_of(AT, level),
			  part_at(high, level ? level - 1U : PAGE) | FS_ALL | FS_A | FS_D);
	entry.root = part_at(high, 3);
	entry.second_root = second->root;
	pasids_set(pasids, NESTED, entry);
}

/* What the second stage's upper tables allow is that of each address, whichever came before it. */
static void tables_may_lie_in_any_order(void **state)
{
	struct pasids *pasids = *state;

	for (u32 high = 0; high < 1U << PARTS; high++) {
		for (u32 walk_entries = 0; walk_entries <= 4; walk_entries += 4) {
			phys_addr_t root = 0x1000000ULL + high * 0x200000 + walk_entries * 0x40000;
			struct tables second = { pasids->first.ram, 4, root, root + 0x1000 };
			struct hw_translation found;

			unit(pasids, (struct hw_iommu_desc){ .walk_entries = walk_entries });
			put_parts(pasids, &second, high);
			found = pasids_ask(pasids, NESTED, AT + 0x123, true);
			expect_u64(found.fault, 0);
			expect_u64(found.phys, placed(root, PAGE) + 0x123);
			if (!high)
				continue;
			/* Of the second GiB nothing may be written any more. */
			tables_put(&second, 1ULL << 30, 2,
				   get_entry(second.ram, tables_reach(&second, 1ULL << 30, 2), 1) &
					   ~ENTRY_W);
			expect_ok(pasids_command(pasids, GLOBAL, 0));
			expect_u64(pasids_ask(pasids, NESTED, AT, false).phys, placed(root, PAGE));
			refused(pasids, NESTED, "w", high >> PAGE ? 0x85 : 0);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pasids_setup, pasids_teardown)

TEST_MAIN(TEST(both_stages_lead_to_the_page), TEST(an_entry_has_two_good_tops),
	  TEST(what_is_missing_of_the_second_stage_is_told_apart),
	  TEST(marks_go_through_the_second_stage),
	  TEST(a_combined_translation_goes_by_either_stages_commands),
	  TEST(a_walk_may_begin_at_a_cached_table),
	  TEST(moved_tables_are_read_once_the_caches_are_empty), TEST(what_is_absent_is_not_kept),
	  TEST(tables_may_lie_in_any_order))
