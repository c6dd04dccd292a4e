/* SPDX-License-Identifier: MIT */
/*
 * Translations that tell their steps: what they tell is what the costs count, and watching changes
 * nothing.
 */
#include "amd_tables.h"
#include "bench.h"

#include "hw/steps.h"
#include "support/scale.h"

#define DEV    0x0318
#define DOMAIN 5
#define ROOT   0x100000ULL

/* A unit with small caches, so that they are full all the time. */
struct side {
	struct bench *bench;
	struct hw_iommu *iommu;
	struct tables tables;
	bool amd;
};

/*
 * Of five devices one may pass and one has no context. Two share a domain; of AMD's these two may
 * not do the same.
 */
static void set_contexts(const struct side *side)
{
	for (u16 i = 0; i < 3; i++)
		expect_ok(hw_context_set(side->iommu, DEV + i,
					 (struct hw_context){ .type = HW_CONTEXT_TRANSLATE,
							      .levels = 4,
							      .domain = DOMAIN + (i > 0),
							      .root = ROOT,
							      .no_read = side->amd && i == 2,
							      .no_write = side->amd && i == 1,
							      .marks = side->amd && i ? 3 : 0 }));
	expect_ok(hw_context_set(side->iommu, DEV + 3,
				 (struct hw_context){ .type = HW_CONTEXT_PASS_THROUGH }));
}

static void side_init(struct side *side, bool amd, bool caching_mode)
{
	const struct hw_iommu_desc desc = { .arch = amd ? &hw_amd : &hw_vtd,
					    .levels = 4,
					    .address_bits = 46,
					    .max_address_mask = 18,
					    .huge_1g = true,
					    .coherent = true,
					    .caching_mode = caching_mode,
					    .iotlb_entries = 8,
					    .walk_entries = 4,
					    .context_entries = 2 };
	void *state = NULL;

	assert_int_equal(bench_setup(&state), 0);
	side->bench = state;
	ram_add_range(&side->bench->hw.ram, 0, SZ_1G);
	side->iommu = hw_iommu_add(&side->bench->hw, &desc);
	assert_non_null(side->iommu);
	side->tables = (struct tables){ &side->bench->hw.ram, 4, ROOT, ROOT + 0x1000 };
	side->amd = amd;
	set_contexts(side);
}

static void side_fini(struct side *side)
{
	void *state = side->bench;

	assert_int_equal(bench_teardown(&state), 0);
}

/* ---- Known answers --------------------------------------------------------------------------- */

#define AT 0x8040207123ULL /* index 1 at level 3 and 2 and 1, 7 at level 0 */

static void a_walk_tells_each_entry(void **state)
{
	struct hw_translation found;
	struct hw_steps steps;
	struct side side;

	(void)state;
	side_init(&side, false, false);
	tables_put(&side.tables, AT, 0, 0x5000 | ENTRY_RW);
	found = hw_translate_steps(side.iommu, DEV, AT, false, &steps);
	expect_u64(found.phys, 0x5123);
	assert_false(steps.context_hit || steps.iotlb_found || steps.beyond);
	expect_u64(steps.context.root, ROOT);
	expect_u64(steps.known, WALK_CACHE_LEVELS);
	expect_u64(steps.walk.tables, 4);
	/* Tables were made one behind the other; entries 1, 1, 1 and 7 of them. */
	for (u32 i = 0; i < 4; i++) {
		expect_u64(steps.walk.step[i].table, ROOT + i * 0x1000);
		expect_u64(steps.at[i], ROOT + i * 0x1000 + (i < 3 ? 8 : 56));
		expect_u64(steps.entry[i], i < 3 ? (ROOT + (i + 1) * 0x1000) | 3 : 0x5003);
		assert_true(steps.fetched[i]);
	}
	side_fini(&side);
}

static void then_caches_answer(void **state)
{
	struct hw_steps steps;
	struct side side;

	(void)state;
	side_init(&side, false, false);
	tables_put(&side.tables, AT, 0, 0x5000 | ENTRY_R);
	tables_put(&side.tables, AT + SZ_4K, 0, 0x6000 | ENTRY_RW);
	hw_translate_steps(side.iommu, DEV, AT, false, &steps);
	hw_translate_steps(side.iommu, DEV, AT, false, &steps);
	assert_true(steps.context_hit && steps.iotlb_hit && !steps.walked);
	expect_u64(steps.iotlb.phys, 0x5000);
	hw_translate_steps(side.iommu, DEV, AT + SZ_4K, false, &steps);
	assert_false(steps.iotlb_found);
	expect_u64(steps.known, 0);
	expect_u64(steps.start.table, ROOT + 0x3000);
	expect_u64(steps.walk.tables, 1);
	/* There is one, and it does not allow the access. */
	expect_u64(hw_translate_steps(side.iommu, DEV, AT, true, &steps).fault, 5);
	assert_true(steps.iotlb_found && !steps.iotlb_hit && steps.walked);
	side_fini(&side);
}

static void where_there_is_no_memory_nothing_is_fetched(void **state)
{
	struct hw_steps steps;
	struct side side;

	(void)state;
	side_init(&side, false, false);
	tables_put(&side.tables, AT, 1, 0x7ffffff000 | ENTRY_RW);
	expect_u64(hw_translate_steps(side.iommu, DEV, AT, true, &steps).fault, 7);
	expect_u64(steps.walk.tables, 4);
	assert_true(steps.fetched[2] && !steps.fetched[3]);
	side_fini(&side);
}

static void what_no_table_reaches_is_not_walked(void **state)
{
	struct hw_steps steps;
	struct side side;

	(void)state;
	side_init(&side, false, false);
	expect_u64(hw_translate_steps(side.iommu, DEV, 1ULL << 48, true, &steps).fault, 4);
	assert_true(steps.beyond && !steps.walked);
	hw_translate_steps(side.iommu, DEV + 3, 1ULL << 48, true, &steps);
	assert_true(!steps.beyond && !steps.walked && !steps.context_refuses);
	expect_u64(hw_translate_steps(side.iommu, DEV + 4, AT, true, &steps).fault, 2);
	assert_true(steps.context_refuses && !steps.walked);
	side_fini(&side);
}

static void a_dry_run_asks_no_cache(void **state)
{
	struct hw_costs before;
	struct hw_steps steps;
	struct side side;

	(void)state;
	side_init(&side, false, false);
	tables_put(&side.tables, AT, 0, 0x5000 | ENTRY_RW);
	hw_translate(side.iommu, DEV, AT, true);
	before = side.bench->hw.costs;
	expect_u64(hw_translate_probe_steps(side.iommu, DEV, AT, true, &steps).phys, 0x5123);
	assert_false(steps.context_hit || steps.iotlb_found);
	expect_u64(steps.walk.tables, 4);
	assert_memory_equal(&before, &side.bench->hw.costs, sizeof(before));
	side_fini(&side);
}

/* ---- At random ------------------------------------------------------------------------------- */

#define STEPS 1000000 /* full count */

/* Few places at each level. */
static u64 draw_iova(struct random *random)
{
	return random_below(random, 2) << 39 | random_below(random, 2) << 30 |
	       random_below(random, 3) << 21 | random_below(random, 4) << 12;
}

static bool is_table(const struct side *side, u64 entry)
{
	return side->amd ? (entry & AMD_PR) && entry & AMD_NEXT(7)
			 : (entry & ENTRY_RW) && !(entry & ENTRY_LEAF);
}

/* A table below an entry of `level`: each place has one, which keeps what was in it. */
static u64 table_entry(const struct side *side, u64 iova, u8 level)
{
	u64 slot = (iova >> 39 & 1) << 3 | (iova >> 30 & 1) << 2 | (iova >> 21 & 3);
	phys_addr_t table = 0x10000000 + ((u64)level << 20) + (slot << 12);

	return table | (side->amd ? AMD_PR | AMD_RW | AMD_NEXT(level) : ENTRY_RW);
}

/* rights: bit 0 read, bit 1 write; none of them: nothing is there. */
static u64 leaf_entry(const struct side *side, u8 level, phys_addr_t phys, u64 rights)
{
	if (side->amd)
		return rights ? phys | AMD_PR | rights << 61 : 0;
	return phys | rights | (level ? ENTRY_LEAF : 0);
}

static void put(struct side *side, u64 iova, u8 level, u64 word)
{
	phys_addr_t table = ROOT;

	for (u8 at = 3; at > level; at--) {
		u64 entry = get_entry(side->tables.ram, table, index_of(iova, at));

		if (!is_table(side, entry)) {
			entry = table_entry(side, iova, at);
			put_entry(side->tables.ram, table, index_of(iova, at), entry);
		}
		table = entry & 0x000ffffffffff000ULL;
	}
	put_entry(side->tables.ram, table, index_of(iova, level), word);
}

/* An entry of either side's tables changes, in most cases without what should follow. */
static void change(struct side side[2], struct random *random)
{
	u64 iova = draw_iova(random), rights = random_below(random, 4);
	u8 level = (u8)random_below(random, 8);
	u16 domain = (u16)(DOMAIN + random_below(random, 2));
	bool invalidates = !random_below(random, 3);
	phys_addr_t phys;

	/* Most are pages of 4 KiB. */
	level = level < 3 ? level : 0;
	phys = level ? random_below(random, 2) << 30 : random_below(random, 99) << 12;
	for (int i = 0; i < 2; i++) {
		put(&side[i], iova, level, leaf_entry(&side[i], level, phys, rights));
		if (!invalidates)
			continue;
		iotlb_invalidate_range(&side[i].iommu->iotlb, iotlb_tag(domain), iova, iova);
		walk_cache_invalidate_domain(&side[i].iommu->walk_cache, domain);
	}
}

static void steps_are_what_the_costs_count(const struct hw_steps *steps,
					   const struct hw_costs *before,
					   const struct hw_costs *after)
{
	expect_u64(after->context_hits - before->context_hits, steps->context_hit);
	expect_u64(after->iotlb_hits - before->iotlb_hits, steps->iotlb_hit);
	expect_u64(after->walk_reads - before->walk_reads, steps->walked ? steps->walk.reads : 0);
	for (u32 level = 0; level < WALK_CACHE_LEVELS; level++)
		expect_u64(after->walk_hits[level] - before->walk_hits[level],
			   steps->walked && steps->known == level);
}

static void expect_same(const struct hw_translation *one, const struct hw_translation *two)
{
	expect_u64(one->fault, two->fault);
	expect_u64(one->phys, two->phys);
	expect_u64(one->page_lg2, two->page_lg2);
	expect_u64(one->domain, two->domain);
	assert_int_equal(one->pass_through, two->pass_through);
}

static void play(struct side side[2], struct random *random)
{
	const struct hw_costs *costs = &side[1].bench->hw.costs;

	for (u32 step = 0; step < scaled(STEPS); step++) {
		u64 iova = draw_iova(random) | random_below(random, 4096);
		u16 requester = (u16)(DEV + random_below(random, 5));
		bool write = random_below(random, 2);
		struct hw_translation plain, watched;
		struct hw_costs before = *costs;
		struct hw_steps steps;

		if (!random_below(random, 4))
			change(side, random);
		plain = hw_translate(side[0].iommu, requester, iova, write);
		watched = hw_translate_steps(side[1].iommu, requester, iova, write, &steps);
		expect_same(&watched, &plain);
		steps_are_what_the_costs_count(&steps, &before, costs);
		assert_memory_equal(costs, &side[0].bench->hw.costs, sizeof(*costs));
		if (steps.walked)
			expect_u64(steps.walk.fault, watched.fault);
		if (steps.walked && !watched.fault)
			expect_u64(steps.walk.phys, watched.phys);
	}
	assert_true(costs->iotlb_hits && costs->context_hits && costs->walk_hits[0] &&
		    costs->walk_hits[1] && costs->walk_hits[2]);
}

/*
 * trust: translations watched step by step
 * | our reading of the facts: a unit beside it that nobody watches
 */
static void watching_changes_nothing(void **state)
{
	struct random random;
	struct side side[2];

	(void)state;
	random_init(&random, test_seed(7));
	for (int variant = 0; variant < 8; variant++) {
		for (int i = 0; i < 2; i++) {
			side_init(&side[i], variant & 4, variant & 1);
			side[i].bench->world.random_choices = variant & 2;
		}
		play(side, &random);
		for (int i = 0; i < 2; i++)
			side_fini(&side[i]);
	}
}

TEST_MAIN(cmocka_unit_test(a_walk_tells_each_entry), cmocka_unit_test(then_caches_answer),
	  cmocka_unit_test(where_there_is_no_memory_nothing_is_fetched),
	  cmocka_unit_test(what_no_table_reaches_is_not_walked),
	  cmocka_unit_test(a_dry_run_asks_no_cache), cmocka_unit_test(watching_changes_nothing))
