/* SPDX-License-Identifier: MIT */
/*
 * The context cache: what it keeps, what it gives up, what each command takes away, and what a unit
 * translates while it holds an entry that is no longer so.
 */
#include "rig.h"

#include <errno.h>
#include <string.h>

#define OLD_ROOT  0x100000ULL
#define NEW_ROOT  0x200000ULL
#define ENTRIES	  8
#define OTHER_DOM 6

/* The tables of the rig are the old ones. */
static int setup_with(void **state, bool caching_mode)
{
	const struct hw_iommu_desc desc = {
		.levels = 4,
		.address_bits = 46,
		.max_address_mask = 18,
		.coherent = true,
		.caching_mode = caching_mode,
		.iotlb_entries = 4,
		.context_entries = ENTRIES,
	};
	struct tables new = { .levels = 4, .root = NEW_ROOT, .next = NEW_ROOT + 0x1000 };
	struct rig *rig;

	if (rig_setup_unit(state, &desc, OLD_ROOT))
		return -1;
	rig = *state;
	new.ram = &rig->bench->hw.ram;
	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_RW);
	tables_put(&new, 0x7000, 0, 0x6000 | ENTRY_RW);
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, false);
}

static int setup_caching_mode(void **state)
{
	return setup_with(state, true);
}

static struct hw_context to_tables(u16 domain, phys_addr_t root)
{
	return (struct hw_context){ HW_CONTEXT_TRANSLATE, 4, domain, root };
}

static void set(struct rig *rig, u16 requester, struct hw_context context)
{
	expect_ok(hw_context_set(rig->iommu, requester, context));
}

static struct hw_translation translate(struct rig *rig, u16 requester)
{
	return hw_translate(rig->iommu, requester, 0x7000, true);
}

/* One command, words as the facts number their bits. */
static void command(struct rig *rig, u64 low, u64 high)
{
	expect_ok(bench_execute(rig->iommu, low, high));
}

static bool holds(struct rig *rig, u16 requester)
{
	return context_cache_find(&rig->iommu->context_cache, requester) != NULL;
}

static void fill(struct rig *rig, u16 requester, u16 domain)
{
	context_cache_fill(&rig->iommu->context_cache, requester, domain,
			   to_tables(domain, OLD_ROOT));
}

static void empty(struct rig *rig)
{
	context_cache_invalidate(&rig->iommu->context_cache, true, 0, 0, 0xffff);
}

/* ---- What a unit translates with it ---------------------------------------------------------- */

static void a_context_is_fetched_once_and_counted(void **state)
{
	struct rig *rig = *state;
	const struct hw_costs *costs = &rig->bench->hw.costs;

	set(rig, RIG_DEV, to_tables(RIG_DOMAIN, OLD_ROOT));
	expect_u64(translate(rig, RIG_DEV).phys, 0x5000);
	expect_u64(translate(rig, RIG_DEV).phys, 0x5000);
	expect_u64(translate(rig, RIG_DEV).phys, 0x5000);
	expect_u64(costs->context_misses, 1);
	expect_u64(costs->context_hits, 2);
}

/* The old tables are walked on, under the old tag, though memory says something else. */
static void a_cached_context_outlives_its_entry(void **state)
{
	struct rig *rig = *state;

	set(rig, RIG_DEV, to_tables(RIG_DOMAIN, OLD_ROOT));
	translate(rig, RIG_DEV);
	set(rig, RIG_DEV, to_tables(OTHER_DOM, NEW_ROOT));
	iotlb_invalidate_all(&rig->iommu->iotlb);
	expect_u64(translate(rig, RIG_DEV).phys, 0x5000);
	expect_u64(translate(rig, RIG_DEV).domain, RIG_DOMAIN);
	/* What memory says is seen by a probe, and after the invalidation by all. */
	expect_u64(hw_translate_probe(rig->iommu, RIG_DEV, 0x7000, true).phys, 0x6000);
	command(rig, 0x31 | RIG_DOMAIN << 16 | (u64)RIG_DEV << 32, 0);
	expect_u64(translate(rig, RIG_DEV).phys, 0x6000);
	expect_u64(translate(rig, RIG_DEV).domain, OTHER_DOM);
}

static void a_detached_device_goes_on_until_its_context_is_invalidated(void **state)
{
	struct rig *rig = *state;

	set(rig, RIG_DEV, to_tables(RIG_DOMAIN, OLD_ROOT));
	translate(rig, RIG_DEV);
	set(rig, RIG_DEV, (struct hw_context){ 0 });
	command(rig, 0x22 | RIG_DOMAIN << 16, 0);
	expect_u64(translate(rig, RIG_DEV).phys, 0x5000);
	command(rig, 0x11, 0);
	expect_u64(translate(rig, RIG_DEV).fault, 2);
}

static void a_pass_through_context_is_cached_too(void **state)
{
	struct rig *rig = *state;

	set(rig, RIG_DEV, (struct hw_context){ .type = HW_CONTEXT_PASS_THROUGH });
	assert_true(translate(rig, RIG_DEV).pass_through);
	set(rig, RIG_DEV, (struct hw_context){ 0 });
	assert_true(translate(rig, RIG_DEV).pass_through);
	command(rig, 0x31 | (u64)RIG_DEV << 32, 0);
	expect_u64(translate(rig, RIG_DEV).fault, 2);
}

/* Absent, or with tables of a depth that the unit does not walk. */
static void a_context_that_refuses_is_not_cached(void **state)
{
	struct rig *rig = *state;

	expect_u64(translate(rig, RIG_DEV).fault, 2);
	set(rig, RIG_DEV, (struct hw_context){ HW_CONTEXT_TRANSLATE, 5, RIG_DOMAIN, OLD_ROOT });
	expect_u64(translate(rig, RIG_DEV).fault, 3);
	set(rig, RIG_DEV, to_tables(RIG_DOMAIN, OLD_ROOT));
	expect_u64(translate(rig, RIG_DEV).phys, 0x5000);
	expect_u64(rig->bench->hw.costs.context_misses, 3);
}

/* Caching mode: under domain id 0, whatever the entry says. */
static void in_caching_mode_a_context_that_refuses_is_cached_under_domain_0(void **state)
{
	struct rig *rig = *state;

	for (int invalid = 0; invalid < 2; invalid++) {
		u8 fault = invalid ? 3 : 2;

		set(rig, RIG_DEV,
		    invalid ? (struct hw_context){ HW_CONTEXT_TRANSLATE, 5, RIG_DOMAIN, OLD_ROOT }
			    : (struct hw_context){ 0 });
		expect_u64(translate(rig, RIG_DEV).fault, fault);
		set(rig, RIG_DEV, to_tables(RIG_DOMAIN, OLD_ROOT));
		expect_u64(translate(rig, RIG_DEV).fault, fault);
		command(rig, 0x31 | RIG_DOMAIN << 16 | (u64)RIG_DEV << 32, 0);
		expect_u64(translate(rig, RIG_DEV).fault, fault);
		command(rig, 0x31 | (u64)RIG_DEV << 32, 0);
		expect_u64(translate(rig, RIG_DEV).phys, 0x5000);
		empty(rig);
	}
}

/*
 * Caching mode: that an entry is absent is kept for all that it would map, and taken away like a
 * translation of that size.
 */
static void in_caching_mode_absent_entries_are_cached_by_what_they_would_map(void **state)
{
	static const u64 taken[] = { 0x8000, 0x200000, 0x40000000, 0x8000000000 };
	struct rig *rig = *state;

	set(rig, RIG_DEV, to_tables(RIG_DOMAIN, OLD_ROOT));
	for (u32 level = 0; level < 4; level++) {
		u64 at = taken[level], last = at + bytes_of((u8)level) - 1;
		u64 reads;

		expect_u64(hw_translate(rig->iommu, RIG_DEV, at, true).fault, 5);
		reads = rig->bench->hw.costs.walk_reads;
		expect_u64(hw_translate(rig->iommu, RIG_DEV, last, false).fault, 6);
		expect_u64(rig->bench->hw.costs.walk_reads, reads);
		tables_put(&rig->tables, at, 0, 0x9000 | ENTRY_RW);
		expect_u64(hw_translate(rig->iommu, RIG_DEV, at, true).fault, 5);
		command(rig, 0x32 | RIG_DOMAIN << 16, last & ~0xfffULL);
		expect_u64(hw_translate(rig->iommu, RIG_DEV, at, true).phys, 0x9000);
	}
}

/* A fault for want of a permission is none for want of an entry. */
static void in_caching_mode_a_present_entry_is_walked_again(void **state)
{
	struct rig *rig = *state;

	set(rig, RIG_DEV, to_tables(RIG_DOMAIN, OLD_ROOT));
	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_R);
	expect_u64(hw_translate(rig->iommu, RIG_DEV, 0x7000, true).fault, 5);
	expect_u64(hw_translate(rig->iommu, RIG_DEV, 0x7000, false).phys, 0x5000);
	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_RW);
	expect_u64(hw_translate(rig->iommu, RIG_DEV, 0x7000, true).phys, 0x5000);
	/* What is found absent takes the place of what was cached of it. */
	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_R);
	iotlb_invalidate_all(&rig->iommu->iotlb);
	hw_translate(rig->iommu, RIG_DEV, 0x7000, false);
	tables_put(&rig->tables, 0x7000, 0, 0);
	expect_u64(hw_translate(rig->iommu, RIG_DEV, 0x7000, true).fault, 5);
	expect_u64(hw_translate(rig->iommu, RIG_DEV, 0x7000, false).fault, 6);
	expect_u64(rig->iommu->iotlb.count[12], 1);
}

/* ---- What commands take away ----------------------------------------------------------------- */

static void a_command_takes_its_domain_or_its_functions(void **state)
{
	/* bit n: requester 0318 + n is taken; 0318 to 031b are in domain 5, the rest in 6. */
	static const struct {
		u64 low;
		u32 taken;
	} row[] = {
		{ 0x11, 0xff },
		{ 0x21 | 5 << 16, 0x0f },
		{ 0x21 | 6 << 16, 0xf0 },
		{ 0x21, 0x00 },
		{ 0x31 | 5 << 16 | 0x0319ULL << 32, 0x02 },
		{ 0x31 | 6 << 16 | 0x0319ULL << 32, 0x00 },
		{ 0x31 | 6 << 16 | 0x031dULL << 32, 0x20 },
		{ 0x31 | 5 << 16 | 0x0319ULL << 32 | 1ULL << 48, 0x02 },
		{ 0x31 | 5 << 16 | 0x031dULL << 32 | 1ULL << 48, 0x02 },
		{ 0x31 | 6 << 16 | 0x0319ULL << 32 | 1ULL << 48, 0x20 },
		{ 0x31 | 5 << 16 | 0x031fULL << 32 | 2ULL << 48, 0x0a },
		{ 0x31 | 5 << 16 | 0x031fULL << 32 | 3ULL << 48, 0x0f },
		{ 0x31 | 5 << 16 | 0x0320ULL << 32 | 3ULL << 48, 0x00 },
	};
	struct rig *rig = *state;

	context_cache_fini(&rig->iommu->context_cache);
	expect_ok(context_cache_init(&rig->iommu->context_cache, &rig->bench->world, 64));
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		u32 left = 0;

		empty(rig);
		for (u16 n = 0; n < 8; n++)
			fill(rig, RIG_DEV + n, n < 4 ? 5 : 6);
		command(rig, row[i].low, 0);
		for (u16 n = 0; n < 8; n++)
			left |= holds(rig, RIG_DEV + n) ? 1U << n : 0;
		expect_u64(left, 0xff & ~row[i].taken);
	}
}

/* ---- What it gives up ------------------------------------------------------------------------ */

static void the_least_recently_used_context_is_replaced(void **state)
{
	struct rig *rig = *state;

	/* Two sets of four: even and odd requesters of one bus. */
	for (u16 n = 0; n < 4; n++)
		fill(rig, 2 * n, RIG_DOMAIN);
	assert_true(holds(rig, 0) && holds(rig, 4));
	fill(rig, 8, RIG_DOMAIN);
	assert_false(holds(rig, 2));
	assert_true(holds(rig, 0) && holds(rig, 4) && holds(rig, 6) && holds(rig, 8));
	assert_false(holds(rig, 1));
}

static void which_context_is_replaced_is_a_choice_of_the_hardware(void **state)
{
	struct rig *rig = *state;
	u32 gone = 0;

	rig->bench->world.random_choices = true;
	for (int n = 0; n < 200; n++) {
		empty(rig);
		for (u16 i = 0; i < 5; i++)
			fill(rig, 2 * i, RIG_DOMAIN);
		assert_true(holds(rig, 8));
		for (u16 i = 0; i < 4; i++)
			gone |= holds(rig, 2 * i) ? 0 : 1U << i;
	}
	expect_u64(gone, 0xf);
}

static void sizes_are_rounded_up_and_0_is_none(void **state)
{
	static const u32 row[][3] = { { 1, 1, 1 },
				      { 2, 1, 2 },
				      { 3, 1, 4 },
				      { 5, 2, 4 },
				      { 64, 16, 4 },
				      { 65, 32, 4 },
				      { 1U << 16, 1U << 14, 4 },
				      { ~0U, 1U << 14, 4 } };
	struct rig *rig = *state;
	struct context_cache *cache = &rig->iommu->context_cache;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		context_cache_fini(cache);
		expect_ok(context_cache_init(cache, &rig->bench->world, row[i][0]));
		expect_u64(cache->sets, row[i][1]);
		expect_u64(cache->ways, row[i][2]);
		fill(rig, 0xffff, RIG_DOMAIN);
		assert_true(holds(rig, 0xffff));
	}
	context_cache_fini(cache);
	expect_ok(context_cache_init(cache, &rig->bench->world, 0));
	fill(rig, RIG_DEV, RIG_DOMAIN);
	assert_false(holds(rig, RIG_DEV));
	empty(rig);
	set(rig, RIG_DEV, to_tables(RIG_DOMAIN, OLD_ROOT));
	expect_u64(translate(rig, RIG_DEV).phys, 0x5000);
	expect_u64(rig->bench->hw.costs.context_misses, 0);
}

static void a_unit_without_memory_for_it_is_not_there(void **state)
{
	struct rig *rig = *state;
	const struct hw_iommu_desc desc = { .levels = 4,
					    .address_bits = 46,
					    .coherent = true,
					    .iotlb_entries = 4,
					    .context_entries = ENTRIES };
	u64 live = bench_live(rig->bench), nth = 0;
	struct hw_iommu *unit;

	do {
		bench_fail(rig->bench, ++nth);
		unit = hw_iommu_add(&rig->bench->hw, &desc);
		if (!unit)
			expect_u64(bench_live(rig->bench), live);
	} while (!unit);
	/* The unit, its translations, its contexts. */
	expect_u64(nth, 3 + 1);
	bench_fail(rig->bench, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(TEST(a_context_is_fetched_once_and_counted), TEST(a_cached_context_outlives_its_entry),
	  TEST(a_detached_device_goes_on_until_its_context_is_invalidated),
	  TEST(a_pass_through_context_is_cached_too), TEST(a_context_that_refuses_is_not_cached),
	  cmocka_unit_test_setup_teardown(
		  in_caching_mode_a_context_that_refuses_is_cached_under_domain_0,
		  setup_caching_mode, rig_teardown),
	  cmocka_unit_test_setup_teardown(
		  in_caching_mode_absent_entries_are_cached_by_what_they_would_map,
		  setup_caching_mode, rig_teardown),
	  cmocka_unit_test_setup_teardown(in_caching_mode_a_present_entry_is_walked_again,
					  setup_caching_mode, rig_teardown),
	  TEST(a_command_takes_its_domain_or_its_functions),
	  TEST(the_least_recently_used_context_is_replaced),
	  TEST(which_context_is_replaced_is_a_choice_of_the_hardware),
	  TEST(sizes_are_rounded_up_and_0_is_none), TEST(a_unit_without_memory_for_it_is_not_there))
