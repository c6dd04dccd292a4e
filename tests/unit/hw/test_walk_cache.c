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
#include "rig.h"

#include "support/scale.h"

#define ROOT 0x100000ULL
#define AT   0x8040207000ULL /* index 1 at level 3 and 2 and 1, 7 at level 0 */

#define MAP_2M	 (1ULL << 21)
#define MAP_1G	 (1ULL << 30)
#define MAP_512G (1ULL << 39)

static const struct hw_iommu_desc desc = { .levels = 4,
					   .address_bits = 46,
					   .max_address_mask = 18,
					   .coherent = true,
					   .iotlb_entries = 4,
					   .walk_entries = 4 };

static int setup(void **state)
{
	struct hw_context context;
	struct rig *rig;

	if (rig_setup_unit(state, &desc, ROOT))
		return -1;
	rig = *state;
	context = rig_to_tables(rig);
	for (u16 i = 0; i < 2; i++, context.domain++)
		expect_ok(hw_context_set(rig->iommu, RIG_DEV + i, context));
	tables_put(&rig->tables, AT, 0, 0x5000 | ENTRY_RW);
	return 0;
}

/* Entries read for a request that the IOTLB does not answer. */
static u64 reads_of(struct rig *rig, u16 requester, u64 iova, bool write)
{
	u64 before = rig->bench->hw.costs.walk_reads;

	iotlb_invalidate_all(&rig->iommu->iotlb);
	hw_translate(rig->iommu, requester, iova, write);
	return rig->bench->hw.costs.walk_reads - before;
}

static u64 reads(struct rig *rig, u64 iova)
{
	return reads_of(rig, RIG_DEV, iova, true);
}

static struct hw_translation translate(struct rig *rig, u64 iova, bool write)
{
	iotlb_invalidate_all(&rig->iommu->iotlb);
	return hw_translate(rig->iommu, RIG_DEV, iova, write);
}

static void command(struct rig *rig, u64 low, u64 high)
{
	expect_ok(bench_execute(rig->iommu, low, high));
}

/* ---- What walks need not read ---------------------------------------------------------------- */

static void a_walk_begins_at_the_lowest_table_that_is_known(void **state)
{
	struct rig *rig = *state;
	const u64 *hits = rig->bench->hw.costs.walk_hits;

	tables_put(&rig->tables, AT + SZ_4K, 0, 0x6000 | ENTRY_RW);
	tables_put(&rig->tables, AT + MAP_2M, 0, 0x7000 | ENTRY_RW);
	tables_put(&rig->tables, AT + MAP_1G, 0, 0x8000 | ENTRY_RW);
	tables_put(&rig->tables, AT + MAP_512G, 0, 0x9000 | ENTRY_RW);
	expect_u64(reads(rig, AT), 4);
	expect_u64(reads(rig, AT + SZ_4K), 1);
	expect_u64(hits[0], 1);
	expect_u64(reads(rig, AT + MAP_2M), 2);
	expect_u64(hits[1], 1);
	expect_u64(reads(rig, AT + MAP_1G), 3);
	expect_u64(hits[2], 1);
	expect_u64(reads(rig, AT + MAP_512G), 4);
	expect_u64(hits[0] + hits[1] + hits[2], 3);
	/* All of them are known by now. */
	expect_u64(reads(rig, AT) + reads(rig, AT + MAP_2M) + reads(rig, AT + MAP_1G) +
			   reads(rig, AT + MAP_512G),
		   4);
	expect_u64(translate(rig, AT + MAP_1G + 0x123, true).phys, 0x8123);
	expect_u64(translate(rig, AT + SZ_4K, true).phys, 0x6000);
}

static void tables_of_another_domain_are_not_known(void **state)
{
	struct rig *rig = *state;

	expect_u64(reads_of(rig, RIG_DEV, AT, true), 4);
	expect_u64(reads_of(rig, RIG_DEV + 1, AT, true), 4);
	expect_u64(reads_of(rig, RIG_DEV, AT, true), 1);
	expect_u64(reads_of(rig, RIG_DEV + 1, AT, true), 1);
}

static void a_walk_that_ends_in_a_fault_makes_tables_known_too(void **state)
{
	struct rig *rig = *state;

	expect_u64(translate(rig, AT + SZ_4K, true).fault, 5);
	expect_u64(translate(rig, AT + MAP_1G, true).fault, 5);
	expect_u64(reads(rig, AT), 1);
	/* A table that is not there is not known: the walk ends in the one above. */
	expect_u64(reads(rig, AT + MAP_1G), 1);
	tables_put(&rig->tables, AT + MAP_1G, 0, 0x8000 | ENTRY_RW);
	expect_u64(translate(rig, AT + MAP_1G, true).phys, 0x8000);
}

/* Large leaves are translations, not tables. */
static void the_walk_to_a_large_page_knows_what_is_above_it(void **state)
{
	struct rig *rig = *state;

	tables_put(&rig->tables, AT + MAP_2M, 1, 0x200000 | ENTRY_RW | ENTRY_LEAF);
	expect_u64(reads(rig, AT + MAP_2M), 3);
	expect_u64(reads(rig, AT + MAP_2M), 1);
	expect_u64(rig->bench->hw.costs.walk_hits[1], 1);
	expect_u64(translate(rig, AT + MAP_2M, true).page_lg2, 21);
}

/* Permissions of the entries above a known table are known with it. */
static void what_the_entries_above_allow_is_kept(void **state)
{
	struct rig *rig = *state;
	phys_addr_t above = tables_reach(&rig->tables, AT, 1);
	u64 entry = get_entry(rig->tables.ram, above, index_of(AT, 1));

	put_entry(rig->tables.ram, above, index_of(AT, 1), entry & ~ENTRY_W);
	expect_u64(translate(rig, AT, false).phys & ~0xfffULL, 0x5000);
	expect_u64(reads_of(rig, RIG_DEV, AT, false), 1);
	/* For a write the table below it is of no use: the entry above is read again. */
	expect_u64(translate(rig, AT, true).fault, 5);
	expect_u64(reads_of(rig, RIG_DEV, AT, true), 1);
	put_entry(rig->tables.ram, above, index_of(AT, 1), entry);
	expect_u64(translate(rig, AT, true).phys & ~0xfffULL, 0x5000);
	/* And then it is known for writes, once. */
	expect_u64(reads_of(rig, RIG_DEV, AT, true), 1);
	expect_u64(rig->iommu->walk_cache.level[0].count[21], 1);
}

static void an_address_beyond_the_tables_is_refused_all_the_same(void **state)
{
	struct rig *rig = *state;

	translate(rig, AT, true);
	expect_u64(translate(rig, AT | 1ULL << 48, true).fault, 4);
	expect_u64(reads(rig, AT | 1ULL << 48), 0);
}

/* ---- What commands take away ----------------------------------------------------------------- */

static void a_command_takes_tables_unless_it_has_the_hint(void **state)
{
	static const struct {
		u64 low, high;
		u64 reads; /* of a walk of AT after it */
	} row[] = {
		{ 0x32 | RIG_DOMAIN << 16, AT, 4 },
		{ 0x32 | RIG_DOMAIN << 16, AT | 0x40, 1 },	      /* IH */
		{ 0x32 | (RIG_DOMAIN + 2) << 16, AT, 1 },	      /* another domain's */
		{ 0x32 | RIG_DOMAIN << 16, AT + SZ_4K, 4 },	      /* in the same tables */
		{ 0x32 | RIG_DOMAIN << 16, AT + MAP_2M, 1 },	      /* shares two of them */
		{ 0x32 | RIG_DOMAIN << 16, (AT + MAP_2M) | 0x40, 1 }, /* IH */
		{ 0x32 | RIG_DOMAIN << 16, AT + MAP_512G, 1 },	      /* shares none */
		{ 0x32 | RIG_DOMAIN << 16, ((AT - MAP_2M) & ~0x3fffffULL) | 10, 4 }, /* 4 MiB */
		{ 0x22 | RIG_DOMAIN << 16, 0, 4 },
		{ 0x22 | RIG_DOMAIN << 16, 0x40, 4 }, /* no hint in this form */
		{ 0x22 | (RIG_DOMAIN + 2) << 16, 0, 1 },
		{ 0x12, 0, 4 },
		{ 0x11, 0, 1 }, /* contexts are something else */
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		translate(rig, AT, true);
		expect_u64(reads(rig, AT), 1);
		command(rig, row[i].low, row[i].high);
		expect_u64(reads(rig, AT), row[i].reads);
	}
}

/* Only the tables around the page go: what is beside it begins as low as before. */
static void what_lies_beside_the_page_stays_known(void **state)
{
	struct rig *rig = *state;

	tables_put(&rig->tables, AT + MAP_2M, 0, 0x7000 | ENTRY_RW);
	translate(rig, AT, true);
	translate(rig, AT + MAP_2M, true);
	command(rig, 0x32 | RIG_DOMAIN << 16, AT);
	expect_u64(reads(rig, AT + MAP_2M), 1);
	expect_u64(reads(rig, AT), 4);
}

/* A table takes the place of another; the hint says that none did. */
static void with_the_hint_the_old_table_is_walked_on(void **state)
{
	struct rig *rig = *state;
	phys_addr_t above = tables_reach(&rig->tables, AT, 1);

	expect_u64(translate(rig, AT, true).phys, 0x5000);
	put_entry(rig->tables.ram, above, index_of(AT, 1), 0x300000 | ENTRY_RW);
	put_entry(rig->tables.ram, 0x300000, index_of(AT, 0), 0x6000 | ENTRY_RW);
	command(rig, 0x32 | RIG_DOMAIN << 16, AT | 0x40);
	expect_u64(hw_translate(rig->iommu, RIG_DEV, AT, true).phys, 0x5000);
	command(rig, 0x32 | RIG_DOMAIN << 16, AT);
	expect_u64(hw_translate(rig->iommu, RIG_DEV, AT, true).phys, 0x6000);
}

/* ---- Its size -------------------------------------------------------------------------------- */

static void a_small_cache_gives_up_the_oldest_table(void **state)
{
	struct rig *rig = *state;

	for (u64 i = 0; i < 5; i++) {
		tables_put(&rig->tables, AT + i * MAP_2M, 0, 0x5000 | ENTRY_RW);
		translate(rig, AT + i * MAP_2M, true);
	}
	/* Four of the five lowest tables; the levels above have one each. */
	expect_u64(reads(rig, AT + 4 * MAP_2M), 1);
	expect_u64(reads(rig, AT + MAP_2M), 1);
	expect_u64(reads(rig, AT), 2);
}

static void a_unit_without_memory_for_it_is_not_there(void **state)
{
	struct rig *rig = *state;
	u64 live = bench_live(rig->bench), nth = 0;
	struct hw_iommu *unit;

	do {
		bench_fail(rig->bench, ++nth);
		unit = hw_iommu_add(&rig->bench->hw, &desc);
		if (!unit)
			expect_u64(bench_live(rig->bench), live);
	} while (!unit);
	/* The unit, its translations, three levels of tables. */
	expect_u64(nth, 5 + 1);
	bench_fail(rig->bench, 0);
}

static void without_it_every_walk_reads_all_levels(void **state)
{
	struct rig *rig = *state;

	walk_cache_fini(&rig->iommu->walk_cache);
	for (int i = 0; i < 3; i++)
		expect_u64(reads(rig, AT), 4);
	command(rig, 0x12, 0);
	command(rig, 0x22 | RIG_DOMAIN << 16, 0);
	command(rig, 0x32 | RIG_DOMAIN << 16, AT);
	expect_u64(reads(rig, AT), 4);
	expect_u64(rig->bench->hw.costs.walk_hits[0], 0);
}

/* ---- At random ------------------------------------------------------------------------------- */

#define STEPS 1000000 /* full count */

static u64 draw(struct rig *rig, u64 bound)
{
	return random_below(&rig->bench->world.random, bound);
}

/* Few places at each level, so that tables come and go around what is known. */
static u64 draw_iova(struct rig *rig)
{
	return draw(rig, 2) << 39 | draw(rig, 2) << 30 | draw(rig, 3) << 21 | draw(rig, 3) << 12;
}

static phys_addr_t table_at(struct rig *rig, u64 iova, u8 level)
{
	u64 slot = (iova >> 39 & 1) << 3 | (iova >> 30 & 1) << 2 | (iova >> 21 & 3);
	u64 version = draw(rig, 3);

	return 0x10000000 + ((version << 12 | (u64)level << 8 | slot) << 12);
}

/* Any entry of any table becomes another, or none; and then what the facts ask for. */
static void change(struct rig *rig)
{
	u64 iova = draw_iova(rig);
	phys_addr_t table = ROOT;
	u8 level = 3, to = (u8)draw(rig, 4);
	u64 entry, rights = draw(rig, 4);

	for (; level > to; level--) {
		entry = get_entry(rig->tables.ram, table, index_of(iova, level));
		if (!(entry & ENTRY_RW) || entry & ENTRY_LEAF)
			break;
		table = entry & ~0xfffULL;
	}
	entry = !level			     ? 0x40000000 + (draw(rig, 64) << 12)
		: level == 1 && draw(rig, 2) ? 0x80000000ULL + (draw(rig, 8) << 21) + ENTRY_LEAF
					     : table_at(rig, iova, level);
	put_entry(rig->tables.ram, table, index_of(iova, level),
		  draw(rig, 4) ? entry | (rights ? rights : ENTRY_RW) : 0);
	if (!level)
		command(rig, 0x32 | RIG_DOMAIN << 16, iova | (draw(rig, 2) ? 0x40 : 0));
	else if (draw(rig, 2) || level > 2)
		command(rig, 0x22 | RIG_DOMAIN << 16, 0);
	else
		command(rig, 0x32 | RIG_DOMAIN << 16, (iova & -bytes_of(level)) | 9 * level);
}

/*
 * trust: walk cache and IOTLB under random changes of tables
 * | our reading of the facts: the same walker without caches
 */
static void invalidated_as_it_should_be_it_is_never_seen(void **state)
{
	struct rig *rig = *state;
	u32 steps = scaled(STEPS);

	rig->bench->world.random_choices = true;
	for (u32 step = 0; step < steps; step++) {
		u64 iova = draw_iova(rig) | draw(rig, 4096);
		bool write = draw(rig, 2);
		struct hw_translation plain, found;

		if (!draw(rig, 4))
			change(rig);
		plain = hw_translate_probe(rig->iommu, RIG_DEV, iova, write);
		found = hw_translate(rig->iommu, RIG_DEV, iova, write);
		expect_u64(found.fault, plain.fault);
		if (!plain.fault) {
			expect_u64(found.phys, plain.phys);
			expect_u64(found.page_lg2, plain.page_lg2);
		}
	}
	/* It was worth something. */
	for (u32 level = 0; level < rig->iommu->walk_cache.levels; level++)
		assert_true(rig->bench->hw.costs.walk_hits[level] > steps / 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

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
