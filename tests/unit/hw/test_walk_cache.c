/* SPDX-License-Identifier: MIT */
/*
 * The walk cache: what walks need not read, what each command takes away and the invalidation hint
 * leaves, and what a unit translates through a table that is known no longer (facts
 * "iova-and-page-tables" 3.1, 3.2 and 6.4).
 *
 *   level 3     |------------------------ top, of the context -----------------------|
 *   level 2     |-- 512 GiB --|      known: a walk reads 3 entries
 *   level 1     |-- 1 GiB --|        known: 2
 *   level 0     |-- 2 MiB --|        known: 1
 */
#include "bench.h"
#include "tables.h"

#include <stdlib.h>

#include "support/scale.h"

#define DEV    0x0318
#define DOMAIN 5
#define ROOT   0x100000ULL
#define AT     0x8040207000ULL /* index 1 at level 3 and 2 and 1, 7 at level 0 */

#define MAP_2M	 (1ULL << 21)
#define MAP_1G	 (1ULL << 30)
#define MAP_512G (1ULL << 39)

struct fixture {
	struct bench *bench;
	struct hw_iommu *iommu;
	struct tables tables;
};

static const struct hw_iommu_desc desc = { .levels = 4,
					   .address_bits = 46,
					   .max_address_mask = 18,
					   .coherent = true,
					   .iotlb_entries = 4,
					   .walk_entries = 4 };

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture || bench_setup(state))
		return -1;
	fixture->bench = *state;
	*state = fixture;
	ram_add_range(&fixture->bench->hw.ram, 0, SZ_1G);
	fixture->iommu = hw_iommu_add(&fixture->bench->hw, &desc);
	fixture->tables = (struct tables){ &fixture->bench->hw.ram, 4, ROOT, ROOT + 0x1000 };
	if (!fixture->iommu)
		return -1;
	for (u16 i = 0; i < 2; i++)
		expect_ok(hw_context_set(
			fixture->iommu, DEV + i,
			(struct hw_context){ HW_CONTEXT_TRANSLATE, 4, DOMAIN + i, ROOT }));
	tables_put(&fixture->tables, AT, 0, 0x5000 | ENTRY_RW);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *bench = fixture->bench;

	free(fixture);
	return bench_teardown(&bench);
}

/* Entries read for a request that the IOTLB does not answer. */
static u64 reads_of(struct fixture *fixture, u16 requester, u64 iova, bool write)
{
	u64 before = fixture->bench->hw.costs.walk_reads;

	iotlb_invalidate_all(&fixture->iommu->iotlb);
	hw_translate(fixture->iommu, requester, iova, write);
	return fixture->bench->hw.costs.walk_reads - before;
}

static u64 reads(struct fixture *fixture, u64 iova)
{
	return reads_of(fixture, DEV, iova, true);
}

static struct hw_translation translate(struct fixture *fixture, u64 iova, bool write)
{
	iotlb_invalidate_all(&fixture->iommu->iotlb);
	return hw_translate(fixture->iommu, DEV, iova, write);
}

static void command(struct fixture *fixture, u64 low, u64 high)
{
	u8 bytes[16];

	for (u32 i = 0; i < 16; i++)
		bytes[i] = (u8)((i < 8 ? low : high) >> 8 * (i % 8));
	expect_ok(hw_queue_execute(fixture->iommu, bytes, 16));
}

/* ---- What walks need not read ---------------------------------------------------------------- */

static void a_walk_begins_at_the_lowest_table_that_is_known(void **state)
{
	struct fixture *fixture = *state;
	const u64 *hits = fixture->bench->hw.costs.walk_hits;

	tables_put(&fixture->tables, AT + SZ_4K, 0, 0x6000 | ENTRY_RW);
	tables_put(&fixture->tables, AT + MAP_2M, 0, 0x7000 | ENTRY_RW);
	tables_put(&fixture->tables, AT + MAP_1G, 0, 0x8000 | ENTRY_RW);
	tables_put(&fixture->tables, AT + MAP_512G, 0, 0x9000 | ENTRY_RW);
	expect_u64(reads(fixture, AT), 4);
	expect_u64(reads(fixture, AT + SZ_4K), 1);
	expect_u64(hits[0], 1);
	expect_u64(reads(fixture, AT + MAP_2M), 2);
	expect_u64(hits[1], 1);
	expect_u64(reads(fixture, AT + MAP_1G), 3);
	expect_u64(hits[2], 1);
	expect_u64(reads(fixture, AT + MAP_512G), 4);
	expect_u64(hits[0] + hits[1] + hits[2], 3);
	/* All of them are known by now. */
	expect_u64(reads(fixture, AT) + reads(fixture, AT + MAP_2M) + reads(fixture, AT + MAP_1G) +
			   reads(fixture, AT + MAP_512G),
		   4);
	expect_u64(translate(fixture, AT + MAP_1G + 0x123, true).phys, 0x8123);
	expect_u64(translate(fixture, AT + SZ_4K, true).phys, 0x6000);
}

static void tables_of_another_domain_are_not_known(void **state)
{
	struct fixture *fixture = *state;

	expect_u64(reads_of(fixture, DEV, AT, true), 4);
	expect_u64(reads_of(fixture, DEV + 1, AT, true), 4);
	expect_u64(reads_of(fixture, DEV, AT, true), 1);
	expect_u64(reads_of(fixture, DEV + 1, AT, true), 1);
}

static void a_walk_that_ends_in_a_fault_makes_tables_known_too(void **state)
{
	struct fixture *fixture = *state;

	expect_u64(translate(fixture, AT + SZ_4K, true).fault, 5);
	expect_u64(translate(fixture, AT + MAP_1G, true).fault, 5);
	expect_u64(reads(fixture, AT), 1);
	/* A table that is not there is not known: the walk ends in the one above. */
	expect_u64(reads(fixture, AT + MAP_1G), 1);
	tables_put(&fixture->tables, AT + MAP_1G, 0, 0x8000 | ENTRY_RW);
	expect_u64(translate(fixture, AT + MAP_1G, true).phys, 0x8000);
}

/* Large leaves are translations, not tables. */
static void the_walk_to_a_large_page_knows_what_is_above_it(void **state)
{
	struct fixture *fixture = *state;

	tables_put(&fixture->tables, AT + MAP_2M, 1, 0x200000 | ENTRY_RW | ENTRY_LEAF);
	expect_u64(reads(fixture, AT + MAP_2M), 3);
	expect_u64(reads(fixture, AT + MAP_2M), 1);
	expect_u64(fixture->bench->hw.costs.walk_hits[1], 1);
	expect_u64(translate(fixture, AT + MAP_2M, true).page_lg2, 21);
}

/* Permissions of the entries above a known table are known with it. */
static void what_the_entries_above_allow_is_kept(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t above = tables_reach(&fixture->tables, AT, 1);
	u64 entry = get_entry(fixture->tables.ram, above, index_of(AT, 1));

	put_entry(fixture->tables.ram, above, index_of(AT, 1), entry & ~ENTRY_W);
	expect_u64(translate(fixture, AT, false).phys & ~0xfffULL, 0x5000);
	expect_u64(reads_of(fixture, DEV, AT, false), 1);
	/* For a write the table below it is of no use: the entry above is read again. */
	expect_u64(translate(fixture, AT, true).fault, 5);
	expect_u64(reads_of(fixture, DEV, AT, true), 1);
	put_entry(fixture->tables.ram, above, index_of(AT, 1), entry);
	expect_u64(translate(fixture, AT, true).phys & ~0xfffULL, 0x5000);
	/* And then it is known for writes, once. */
	expect_u64(reads_of(fixture, DEV, AT, true), 1);
	expect_u64(fixture->iommu->walk_cache.level[0].count[21], 1);
}

static void an_address_beyond_the_tables_is_refused_all_the_same(void **state)
{
	struct fixture *fixture = *state;

	translate(fixture, AT, true);
	expect_u64(translate(fixture, AT | 1ULL << 48, true).fault, 4);
	expect_u64(reads(fixture, AT | 1ULL << 48), 0);
}

/* ---- What commands take away ----------------------------------------------------------------- */

static void a_command_takes_tables_unless_it_has_the_hint(void **state)
{
	static const struct {
		u64 low, high;
		u64 reads; /* of a walk of AT after it */
	} row[] = {
		{ 0x32 | DOMAIN << 16, AT, 4 },
		{ 0x32 | DOMAIN << 16, AT | 0x40, 1 },		  /* IH */
		{ 0x32 | (DOMAIN + 2) << 16, AT, 1 },		  /* another domain's */
		{ 0x32 | DOMAIN << 16, AT + SZ_4K, 4 },		  /* in the same tables */
		{ 0x32 | DOMAIN << 16, AT + MAP_2M, 1 },	  /* shares two of them */
		{ 0x32 | DOMAIN << 16, (AT + MAP_2M) | 0x40, 1 }, /* IH */
		{ 0x32 | DOMAIN << 16, AT + MAP_512G, 1 },	  /* shares none */
		{ 0x32 | DOMAIN << 16, ((AT - MAP_2M) & ~0x3fffffULL) | 10, 4 }, /* 4 MiB */
		{ 0x22 | DOMAIN << 16, 0, 4 },
		{ 0x22 | DOMAIN << 16, 0x40, 4 }, /* no hint in this form */
		{ 0x22 | (DOMAIN + 2) << 16, 0, 1 },
		{ 0x12, 0, 4 },
		{ 0x11, 0, 1 }, /* contexts are something else */
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		translate(fixture, AT, true);
		expect_u64(reads(fixture, AT), 1);
		command(fixture, row[i].low, row[i].high);
		expect_u64(reads(fixture, AT), row[i].reads);
	}
}

/* Only the tables around the page go: what is beside it begins as low as before. */
static void what_lies_beside_the_page_stays_known(void **state)
{
	struct fixture *fixture = *state;

	tables_put(&fixture->tables, AT + MAP_2M, 0, 0x7000 | ENTRY_RW);
	translate(fixture, AT, true);
	translate(fixture, AT + MAP_2M, true);
	command(fixture, 0x32 | DOMAIN << 16, AT);
	expect_u64(reads(fixture, AT + MAP_2M), 1);
	expect_u64(reads(fixture, AT), 4);
}

/* A table takes the place of another; the hint says that none did. */
static void with_the_hint_the_old_table_is_walked_on(void **state)
{
	struct fixture *fixture = *state;
	phys_addr_t above = tables_reach(&fixture->tables, AT, 1);

	expect_u64(translate(fixture, AT, true).phys, 0x5000);
	put_entry(fixture->tables.ram, above, index_of(AT, 1), 0x300000 | ENTRY_RW);
	put_entry(fixture->tables.ram, 0x300000, index_of(AT, 0), 0x6000 | ENTRY_RW);
	command(fixture, 0x32 | DOMAIN << 16, AT | 0x40);
	expect_u64(hw_translate(fixture->iommu, DEV, AT, true).phys, 0x5000);
	command(fixture, 0x32 | DOMAIN << 16, AT);
	expect_u64(hw_translate(fixture->iommu, DEV, AT, true).phys, 0x6000);
}

/* ---- Its size -------------------------------------------------------------------------------- */

static void a_small_cache_gives_up_the_oldest_table(void **state)
{
	struct fixture *fixture = *state;

	for (u64 i = 0; i < 5; i++) {
		tables_put(&fixture->tables, AT + i * MAP_2M, 0, 0x5000 | ENTRY_RW);
		translate(fixture, AT + i * MAP_2M, true);
	}
	/* Four of the five lowest tables; the levels above have one each. */
	expect_u64(reads(fixture, AT + 4 * MAP_2M), 1);
	expect_u64(reads(fixture, AT + MAP_2M), 1);
	expect_u64(reads(fixture, AT), 2);
}

static void a_unit_without_memory_for_it_is_not_there(void **state)
{
	struct fixture *fixture = *state;
	u64 live = bench_live(fixture->bench), nth = 0;
	struct hw_iommu *unit;

	do {
		bench_fail(fixture->bench, ++nth);
		unit = hw_iommu_add(&fixture->bench->hw, &desc);
		if (!unit)
			expect_u64(bench_live(fixture->bench), live);
	} while (!unit);
	/* The unit, its translations, three levels of tables. */
	expect_u64(nth, 5 + 1);
	bench_fail(fixture->bench, 0);
}

static void without_it_every_walk_reads_all_levels(void **state)
{
	struct fixture *fixture = *state;

	walk_cache_fini(&fixture->iommu->walk_cache);
	for (int i = 0; i < 3; i++)
		expect_u64(reads(fixture, AT), 4);
	command(fixture, 0x12, 0);
	command(fixture, 0x22 | DOMAIN << 16, 0);
	command(fixture, 0x32 | DOMAIN << 16, AT);
	expect_u64(reads(fixture, AT), 4);
	expect_u64(fixture->bench->hw.costs.walk_hits[0], 0);
}

/* ---- At random ------------------------------------------------------------------------------- */

#define STEPS 1000000 /* full count */

static u64 draw(struct fixture *fixture, u64 bound)
{
	return random_below(&fixture->bench->world.random, bound);
}

/* Few places at each level, so that tables come and go around what is known. */
static u64 draw_iova(struct fixture *fixture)
{
	return draw(fixture, 2) << 39 | draw(fixture, 2) << 30 | draw(fixture, 3) << 21 |
	       draw(fixture, 3) << 12;
}

static phys_addr_t table_at(struct fixture *fixture, u64 iova, u8 level)
{
	u64 slot = (iova >> 39 & 1) << 3 | (iova >> 30 & 1) << 2 | (iova >> 21 & 3);
	u64 version = draw(fixture, 3);

	return 0x10000000 + ((version << 12 | (u64)level << 8 | slot) << 12);
}

/* Any entry of any table becomes another, or none; and then what the facts ask for. */
static void change(struct fixture *fixture)
{
	u64 iova = draw_iova(fixture);
	phys_addr_t table = ROOT;
	u8 level = 3, to = (u8)draw(fixture, 4);
	u64 entry, rights = draw(fixture, 4);

	for (; level > to; level--) {
		entry = get_entry(fixture->tables.ram, table, index_of(iova, level));
		if (!(entry & ENTRY_RW) || entry & ENTRY_LEAF)
			break;
		table = entry & ~0xfffULL;
	}
	entry = !level ? 0x40000000 + (draw(fixture, 64) << 12)
		: level == 1 && draw(fixture, 2)
			? 0x80000000ULL + (draw(fixture, 8) << 21) + ENTRY_LEAF
			: table_at(fixture, iova, level);
	put_entry(fixture->tables.ram, table, index_of(iova, level),
		  draw(fixture, 4) ? entry | (rights ? rights : ENTRY_RW) : 0);
	if (!level)
		command(fixture, 0x32 | DOMAIN << 16, iova | (draw(fixture, 2) ? 0x40 : 0));
	else if (draw(fixture, 2) || level > 2)
		command(fixture, 0x22 | DOMAIN << 16, 0);
	else
		command(fixture, 0x32 | DOMAIN << 16, (iova & -bytes_of(level)) | 9 * level);
}

/*
 * trust: walk cache and IOTLB under random changes of tables
 * | our reading of the facts: the same walker without caches
 */
static void invalidated_as_it_should_be_it_is_never_seen(void **state)
{
	struct fixture *fixture = *state;
	u32 steps = scaled(STEPS);

	fixture->bench->world.random_choices = true;
	for (u32 step = 0; step < steps; step++) {
		u64 iova = draw_iova(fixture) | draw(fixture, 4096);
		bool write = draw(fixture, 2);
		struct hw_translation plain, found;

		if (!draw(fixture, 4))
			change(fixture);
		plain = hw_translate_probe(fixture->iommu, DEV, iova, write);
		found = hw_translate(fixture->iommu, DEV, iova, write);
		expect_u64(found.fault, plain.fault);
		if (!plain.fault) {
			expect_u64(found.phys, plain.phys);
			expect_u64(found.page_lg2, plain.page_lg2);
		}
	}
	/* It was worth something. */
	for (u32 level = 0; level < fixture->iommu->walk_cache.levels; level++)
		assert_true(fixture->bench->hw.costs.walk_hits[level] > steps / 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(a_walk_begins_at_the_lowest_table_that_is_known),
	  TEST(tables_of_another_domain_are_not_known),
	  TEST(a_walk_that_ends_in_a_fault_makes_tables_known_too),
	  TEST(the_walk_to_a_large_page_knows_what_is_above_it),
	  TEST(what_the_entries_above_allow_is_kept),
	  TEST(an_address_beyond_the_tables_is_refused_all_the_same),
	  TEST(a_command_takes_tables_unless_it_has_the_hint),
	  TEST(what_lies_beside_the_page_stays_known),
	  TEST(with_the_hint_the_old_table_is_walked_on),
	  TEST(a_small_cache_gives_up_the_oldest_table),
	  TEST(a_unit_without_memory_for_it_is_not_there),
	  TEST(without_it_every_walk_reads_all_levels),
	  TEST(invalidated_as_it_should_be_it_is_never_seen))
