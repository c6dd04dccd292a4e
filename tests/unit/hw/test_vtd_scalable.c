/* SPDX-License-Identifier: MIT */
/*
 * Scalable mode: what a request with or without a PASID is translated with, what is cached of it
 * and under which name, and what each invalidation takes (facts "iova-and-page-tables" 3.1, 3.2).
 */
#include "pasids.h"

#include <errno.h>

#define AT PASIDS_AT

/* ---- Whose tables ---------------------------------------------------------------------------- */

static void a_request_without_pasid_takes_the_entry_of_RID_PASID(void **state)
{
	struct pasids *pasids = *state;
	struct hw_translation found = pasids_plain(pasids, AT + 0xabc, true);

	expect_u64(found.fault, 0);
	expect_u64(found.phys, 0x5abc);
	expect_u64(found.domain, 5);
	/* And it is the same as with that PASID. */
	expect_u64(pasids_ask(pasids, 0, AT + 0xabc, true).phys, 0x5abc);
}

static void each_pasid_has_tables_of_its_own(void **state)
{
	struct pasids *pasids = *state;

	for (int round = 0; round < 2; round++) {
		expect_u64(pasids_ask(pasids, 7, AT + 1, true).phys, 0x6001);
		expect_u64(pasids_ask(pasids, 7, AT + 1, true).domain, 5);
		expect_u64(pasids_ask(pasids, 8, AT + 1, true).phys, 0x6001);
		expect_u64(pasids_ask(pasids, 8, AT + 1, true).domain, 6);
		expect_u64(pasids_plain(pasids, AT + 1, true).phys, 0x5001);
	}
}

static void a_pasid_may_pass_addresses_as_they_are(void **state)
{
	struct pasids *pasids = *state;
	struct hw_translation found = pasids_ask(pasids, 9, 0x12345678, true);

	expect_u64(found.fault, 0);
	assert_true(found.pass_through);
	expect_u64(found.phys, 0x12345678);
	expect_u64(found.domain, 3);
	expect_u64(pasids_ask(pasids, 9, (1ULL << 46) - 1, false).fault, 0);
	expect_u64(pasids_ask(pasids, 9, 1ULL << 46, false).fault, 0x83);
	expect_u64(pasids_ask(pasids, 9, 0xfee00000, true).fault, 0x87);
	expect_u64(pasids_ask(pasids, 9, 0xfeefffff, true).fault, 0x87);
	expect_u64(pasids_ask(pasids, 9, 0xfef00000, true).fault, 0);
	expect_u64(pasids_ask(pasids, 9, 0xfedfffff, true).fault, 0);
}

static void a_blocked_pasid_faults_and_the_others_do_not(void **state)
{
	struct pasids *pasids = *state;

	pasids_set(pasids, 7, (struct hw_context){ .type = HW_CONTEXT_ABSENT });
	expect_u64(pasids_ask(pasids, 7, AT, true).fault, 0x59);
	expect_u64(pasids_ask(pasids, 8, AT, true).fault, 0);
	expect_u64(pasids_plain(pasids, AT, true).fault, 0);
}

/* A page of the table has 64 entries: beside one that is set there is a place, elsewhere none. */
static void a_pasid_nobody_set_has_an_empty_place_or_none(void **state)
{
	struct pasids *pasids = *state;

	expect_u64(pasids_ask(pasids, 63, AT, true).fault, 0x59);
	expect_u64(pasids_ask(pasids, 64, AT, true).fault, 0x51);
	expect_u64(pasids_ask(pasids, 0xfffff, AT, true).fault, 0x51);
	pasids_set(pasids, 0xfffff, pasids_first(9, FS_ROOT));
	expect_u64(pasids_ask(pasids, 0xfffff, AT, true).phys, 0x6000);
	expect_u64(pasids_ask(pasids, 0xffffe, AT, true).fault, 0x59);
}

static void a_context_limits_the_pasids(void **state)
{
	struct pasids *pasids = *state;
	struct hw_context context = hw_context_get(pasids->iommu, PASIDS_DEV);

	context.pasid_bits = 3;
	expect_ok(hw_context_set(pasids->iommu, PASIDS_DEV, context));
	expect_u64(pasids_ask(pasids, 7, AT, true).fault, 0);
	expect_u64(pasids_ask(pasids, 8, AT, true).fault, 0x46);
	context.flags = 0;
	expect_ok(hw_context_set(pasids->iommu, PASIDS_DEV, context));
	expect_u64(pasids_ask(pasids, 7, AT, true).fault, 0x45);
	expect_u64(pasids_plain(pasids, AT, true).fault, 0);
}

static void legacy_tables_know_no_pasids(void **state)
{
	struct pasids *pasids = *state;

	pasids->iommu->scalable = false;
	expect_ok(hw_context_set(pasids->iommu, PASIDS_DEV, pasids_second(5, SS_ROOT)));
	expect_u64(pasids_ask(pasids, 7, AT, true).fault, 0x31);
	expect_u64(pasids_plain(pasids, AT, true).phys, 0x5000);
}

static void five_levels_serve_a_wider_address(void **state)
{
	struct pasids *pasids = *state;
	struct hw_context entry = pasids_first(5, 0x300000);
	const u64 high = 0xff12000000000000ULL | AT;

	put_entry(pasids->first.ram, 0x300000, index_of(high, 4), FS_ROOT | FS_ALL);
	entry.levels = 5;
	pasids_set(pasids, 7, entry);
	expect_u64(pasids_ask(pasids, 7, high + 5, true).phys, 0x6005);
	expect_u64(pasids_ask(pasids, 7, AT, true).fault, 0x71);
	expect_u64(pasids_ask(pasids, 7, 0x0112000000000000ULL, true).fault, 0x80);
}

/* ---- What is cached, and under which name ---------------------------------------------------- */

static void first_stages_are_cached_by_domain_and_pasid(void **state)
{
	struct pasids *pasids = *state;
	const struct hw_costs *costs = &pasids->bench->hw.costs;

	pasids_ask(pasids, 7, AT, true);
	pasids_ask(pasids, 8, AT, true);
	pasids_ask(pasids, 0, AT, true);
	expect_u64(costs->iotlb_misses, 3);
	expect_u64(costs->iotlb_hits, 0);
	pasids_ask(pasids, 7, AT, false);
	pasids_ask(pasids, 8, AT, false);
	/* A second stage's by domain alone. */
	pasids_plain(pasids, AT, false);
	pasids_set(pasids, 10, pasids_second(5, SS_ROOT));
	pasids_ask(pasids, 10, AT, false);
	expect_u64(costs->iotlb_hits, 4);
	expect_u64(costs->iotlb_misses, 3);
	/* The same PASID of another requester in the same domain. */
	expect_ok(hw_context_set(pasids->iommu, PASIDS_OTHER,
				 hw_context_get(pasids->iommu, PASIDS_DEV)));
	expect_ok(hw_pasid_set(pasids->iommu, PASIDS_OTHER, 7, pasids_first(5, FS_ROOT)));
	expect_u64(hw_translate_ask(pasids->iommu,
				    &(struct hw_ask){ .requester = PASIDS_OTHER,
						      .iova = AT,
						      .prefix = { .present = true, .pasid = 7 } },
				    false)
			   .phys,
		   0x6000);
	expect_u64(costs->iotlb_hits, 5);
}

/* Only what serves everybody is kept. */
static void requests_to_execute_or_with_privilege_are_not_cached(void **state)
{
	struct pasids *pasids = *state;
	struct hw_costs *costs = &pasids->bench->hw.costs;
	struct hw_context entry = pasids_first(5, FS_ROOT);

	entry.flags = HW_CONTEXT_MAY_EXECUTE | HW_CONTEXT_MAY_SUPERVISE;
	pasids_set(pasids, 7, entry);
	pasids_put_first(pasids, AT, 0, 0x6000 | FS_P);
	expect_u64(pasids_ask_as(pasids, 7, AT, "s").phys, 0x6000);
	expect_u64(pasids_ask_as(pasids, 7, AT, "sw").phys, 0x6000);
	expect_u64(pasids_ask_as(pasids, 7, AT, "").fault, 0x81);
	pasids_put_first(pasids, AT, 0, 0x6000 | FS_ALL | FS_XD);
	expect_u64(pasids_ask_as(pasids, 7, AT, "").phys, 0x6000);
	expect_u64(pasids_ask_as(pasids, 7, AT, "x").fault, 0x82);
	expect_u64(costs->iotlb_hits, 0);
	/* To a second stage they are as any other. */
	entry = pasids_second(5, SS_ROOT);
	entry.flags = HW_CONTEXT_MAY_EXECUTE | HW_CONTEXT_MAY_SUPERVISE;
	pasids_set(pasids, 0, entry);
	pasids_plain(pasids, AT, false);
	expect_u64(pasids_ask_as(pasids, 0, AT, "xs").phys, 0x5000);
	expect_u64(costs->iotlb_hits, 1);
}

static void walks_of_a_pasid_begin_at_its_cached_tables(void **state)
{
	struct pasids *pasids = *state;
	const struct hw_costs *costs = &pasids->bench->hw.costs;

	pasids_unit(pasids, (struct hw_iommu_desc){
				    .coherent = true, .first_levels = 4, .walk_entries = 4 });
	pasids_put_first(pasids, AT + 0x1000, 0, 0x7000 | FS_ALL);
	pasids_ask(pasids, 7, AT, true);
	expect_u64(costs->walk_reads, 4);
	expect_u64(pasids_ask(pasids, 7, AT + 0x1000, true).phys, 0x7000);
	expect_u64(costs->walk_reads, 5);
	expect_u64(costs->walk_hits[0], 1);
	/* Of another domain and of the second stage nothing is known. */
	pasids_ask(pasids, 8, AT + 0x1000, true);
	expect_u64(costs->walk_reads, 9);
	pasids_plain(pasids, AT, true);
	expect_u64(costs->walk_reads, 13);
}

/* ---- The PASID cache ------------------------------------------------------------------------- */

static void small(struct pasids *pasids)
{
	pasids_unit(pasids, (struct hw_iommu_desc){
				    .coherent = true, .first_levels = 4, .pasid_entries = 8 });
}

static void an_entry_is_fetched_once_and_counted(void **state)
{
	struct pasids *pasids = *state;
	const struct hw_costs *costs = &pasids->bench->hw.costs;

	small(pasids);
	pasids_ask(pasids, 7, AT, true);
	pasids_ask(pasids, 7, AT, true);
	pasids_ask(pasids, 8, AT, true);
	pasids_ask(pasids, 7, AT, true);
	expect_u64(costs->pasid_misses, 2);
	expect_u64(costs->pasid_hits, 2);
	/* A dry run looks at memory, and counts nothing. */
	pasids_set(pasids, 7, pasids_second(5, SS_ROOT));
	expect_u64(pasids_probe(pasids, 7, AT, true).phys, 0x5000);
	expect_u64(pasids_ask(pasids, 7, AT, true).phys, 0x6000);
	expect_u64(costs->pasid_misses, 2);
}

/* Which of these the command takes: PASIDs 0, 7, 8, 9 of the requester. */
static u32 left_after(struct pasids *pasids, u64 low)
{
	static const u32 pasid[] = { 0, 7, 8, 9 };
	u32 left = 0;

	small(pasids);
	for (u32 i = 0; i < 4; i++)
		pasids_ask(pasids, pasid[i], AT, true);
	expect_ok(pasids_command(pasids, low, 0));
	for (u32 i = 0; i < 4; i++)
		left |= (u32)(context_cache_find(&pasids->iommu->pasid_cache,
						 hw_pasid_tag(PASIDS_DEV, pasid[i])) != NULL)
			<< i;
	return left;
}

static void what_a_pasid_cache_command_takes(void **state)
{
	struct pasids *pasids = *state;

	/* All PASIDs of the domain. */
	expect_u64(left_after(pasids, 0x07 | 5ULL << 16), 0xc);
	expect_u64(left_after(pasids, 0x07 | 6ULL << 16 | 7ULL << 32), 0xb);
	/* One PASID of the domain. */
	expect_u64(left_after(pasids, 0x17 | 5ULL << 16 | 7ULL << 32), 0xd);
	expect_u64(left_after(pasids, 0x17 | 6ULL << 16 | 7ULL << 32), 0xf);
	expect_u64(left_after(pasids, 0x17 | 3ULL << 16 | 9ULL << 32), 0x7);
	/* All. */
	expect_u64(left_after(pasids, 0x37 | 5ULL << 16 | 7ULL << 32), 0);
	expect_u64(pasids->bench->hw.costs.pasid_invalidations, 6);
}

/* Nothing is cached of an entry that gives no translation, unless in caching mode: as domain 0. */
static void blocked_entries_are_cached_in_caching_mode(void **state)
{
	struct pasids *pasids = *state;

	for (int caching_mode = 0; caching_mode < 2; caching_mode++) {
		pasids_unit(pasids, (struct hw_iommu_desc){ .coherent = true,
							    .first_levels = 4,
							    .caching_mode = caching_mode,
							    .pasid_entries = 8 });
		expect_u64(pasids_ask(pasids, 11, AT, true).fault, 0x59);
		pasids_set(pasids, 11, pasids_first(5, FS_ROOT));
		expect_u64(pasids_ask(pasids, 11, AT, true).fault, caching_mode ? 0x59 : 0);
		expect_ok(pasids_command(pasids, 0x17 | 5ULL << 16 | 11ULL << 32, 0));
		expect_u64(pasids_ask(pasids, 11, AT, true).fault, caching_mode ? 0x59 : 0);
		expect_ok(pasids_command(pasids, 0x17 | 0ULL << 16 | 11ULL << 32, 0));
		expect_u64(pasids_ask(pasids, 11, AT, true).fault, 0);
	}
}

static void the_cache_gives_up_what_chance_says(void **state)
{
	struct pasids *pasids = *state;
	u32 given_up = 0;

	pasids_unit(pasids, (struct hw_iommu_desc){
				    .coherent = true, .first_levels = 4, .pasid_entries = 4 });
	pasids->bench->world.random_choices = true;
	for (u32 round = 0; round < 64; round++) {
		context_cache_invalidate(&pasids->iommu->pasid_cache, true, 0, 0, HW_TAG_ANY);
		for (u32 pasid = 16; pasid < 21; pasid++) {
			pasids_set(pasids, pasid, pasids_first(5, FS_ROOT));
			pasids_ask(pasids, pasid, AT, true);
		}
		for (u32 pasid = 16; pasid < 20; pasid++) {
			if (!context_cache_find(&pasids->iommu->pasid_cache,
						hw_pasid_tag(PASIDS_DEV, pasid)))
				given_up |= 1U << (pasid - 16);
		}
	}
	expect_u64(given_up, 0xf);
}

/* ---- Caching mode, memory -------------------------------------------------------------------- */

/* Facts 3.2: of a first stage what is absent is never cached. */
static void only_a_second_stage_is_cached_as_absent(void **state)
{
	struct pasids *pasids = *state;
	const u64 next = AT + 0x1000;

	pasids_unit(pasids, (struct hw_iommu_desc){
				    .coherent = true, .first_levels = 4, .caching_mode = true });
	expect_u64(pasids_plain(pasids, next, true).fault, 0x79);
	expect_u64(pasids_ask(pasids, 7, next, true).fault, 0x71);
	tables_put(&pasids->second, next, 0, 0x7000 | ENTRY_RW);
	pasids_put_first(pasids, next, 0, 0x8000 | FS_ALL);
	expect_u64(pasids_plain(pasids, next, true).fault, 0x79);
	expect_u64(pasids_ask(pasids, 7, next, true).phys, 0x8000);
	expect_ok(pasids_command(pasids, 0x32 | 5ULL << 16, next | 0x40));
	expect_u64(pasids_plain(pasids, next, true).phys, 0x7000);
}

static void without_memory_for_it_an_entry_is_not_set(void **state)
{
	struct pasids *pasids = *state;

	bench_fail(pasids->bench, 1);
	expect_error(hw_pasid_set(pasids->iommu, PASIDS_DEV, 128, pasids_first(5, FS_ROOT)),
		     -ENOMEM);
	expect_u64(pasids_ask(pasids, 128, AT, true).fault, 0x51);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pasids_setup, pasids_teardown)

TEST_MAIN(TEST(a_request_without_pasid_takes_the_entry_of_RID_PASID),
	  TEST(each_pasid_has_tables_of_its_own), TEST(a_pasid_may_pass_addresses_as_they_are),
	  TEST(a_blocked_pasid_faults_and_the_others_do_not),
	  TEST(a_pasid_nobody_set_has_an_empty_place_or_none), TEST(a_context_limits_the_pasids),
	  TEST(legacy_tables_know_no_pasids), TEST(five_levels_serve_a_wider_address),
	  TEST(first_stages_are_cached_by_domain_and_pasid),
	  TEST(requests_to_execute_or_with_privilege_are_not_cached),
	  TEST(walks_of_a_pasid_begin_at_its_cached_tables),
	  TEST(an_entry_is_fetched_once_and_counted), TEST(what_a_pasid_cache_command_takes),
	  TEST(blocked_entries_are_cached_in_caching_mode),
	  TEST(the_cache_gives_up_what_chance_says), TEST(only_a_second_stage_is_cached_as_absent),
	  TEST(without_memory_for_it_an_entry_is_not_set))
