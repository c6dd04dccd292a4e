/* SPDX-License-Identifier: MIT */
/*
 * An IOMMU unit: context entries, translations and their cache, fault records.
 */
#include "rig.h"

#include <errno.h>

#define ROOT 0x100000ULL

#define VTD_RECORDS 8 /* if nothing else is said */

static const struct hw_iommu_desc plain = { .unit = 3,
					    .levels = 4,
					    .address_bits = 46,
					    .max_address_mask = 18,
					    .huge_1g = true,
					    .coherent = true,
					    .iotlb_entries = 64 };

static int set_context(struct rig *rig, u16 requester, u16 domain, u8 levels)
{
	return hw_context_set(rig->iommu, requester,
			      (struct hw_context){ .type = HW_CONTEXT_TRANSLATE,
						   .levels = levels,
						   .domain = domain,
						   .root = rig->tables.root });
}

static int setup(void **state)
{
	if (rig_setup_unit(state, &plain, ROOT))
		return -1;
	return set_context(*state, RIG_DEV, 5, 4);
}

static struct hw_costs *costs(struct rig *rig)
{
	return &rig->bench->hw.costs;
}

/* ---- Units and contexts ---------------------------------------------------------------------- */

static void units_are_found_by_their_number(void **state)
{
	struct rig *rig = *state;
	struct hw *hw = &rig->bench->hw;
	struct hw_iommu_desc desc = plain;
	struct hw_iommu *second;

	desc.unit = 8;
	second = hw_iommu_add(hw, &desc);
	assert_ptr_equal(hw_iommu_find(hw, 3), rig->iommu);
	assert_ptr_equal(hw_iommu_find(hw, 8), second);
	assert_null(hw_iommu_find(hw, 0));
	hw_iommu_remove(second);
	assert_null(hw_iommu_find(hw, 8));
	assert_ptr_equal(hw_iommu_find(hw, 3), rig->iommu);
}

static void a_unit_without_memory_is_not_there(void **state)
{
	struct rig *rig = *state;
	struct hw_iommu_desc desc = plain;
	u64 live = bench_live(rig->bench), nth = 0;
	struct hw_iommu *unit;

	desc.coherent = false;
	do {
		bench_fail(rig->bench, ++nth);
		unit = hw_iommu_add(&rig->bench->hw, &desc);
		expect_u64(rig->bench->world.memory.hits, !unit);
		if (!unit)
			expect_u64(bench_live(rig->bench), live);
	} while (!unit);
	/* The unit and its cache; what it does not snoop is kept for all. */
	expect_u64(nth, 2 + 1);
	bench_fail(rig->bench, 0);
}

static void every_requester_has_a_context_of_its_own(void **state)
{
	struct rig *rig = *state;

	expect_ok(set_context(rig, 0x0000, 1, 3));
	expect_ok(set_context(rig, 0xffff, 2, 4));
	expect_ok(set_context(rig, 0x0319, 3, 4));
	expect_u64(hw_context_get(rig->iommu, 0x0000).domain, 1);
	expect_u64(hw_context_get(rig->iommu, 0x0000).levels, 3);
	expect_u64(hw_context_get(rig->iommu, 0xffff).domain, 2);
	expect_u64(hw_context_get(rig->iommu, 0x0319).domain, 3);
	expect_u64(hw_context_get(rig->iommu, RIG_DEV).domain, 5);
	expect_u64(hw_context_get(rig->iommu, 0x031a).type, HW_CONTEXT_ABSENT);
	expect_u64(hw_context_get(rig->iommu, 0x4242).type, HW_CONTEXT_ABSENT);
}

static void a_context_without_memory_stays_absent(void **state)
{
	struct rig *rig = *state;

	bench_fail(rig->bench, 1);
	expect_error(set_context(rig, 0x4242, 1, 4), -ENOMEM);
	expect_u64(hw_context_get(rig->iommu, 0x4242).type, HW_CONTEXT_ABSENT);
	/* A bus that has a table needs no more. */
	bench_fail(rig->bench, 1);
	expect_ok(set_context(rig, RIG_DEV + 1, 1, 4));
	bench_fail(rig->bench, 0);
}

static void a_requester_without_context_is_refused(void **state)
{
	struct rig *rig = *state;

	expect_u64(hw_translate(rig->iommu, RIG_DEV + 1, 0x1000, true).fault, 2);
	expect_u64(hw_translate(rig->iommu, 0x4242, 0x1000, false).fault, 2);
	expect_ok(hw_context_set(rig->iommu, RIG_DEV, (struct hw_context){ 0 }));
	expect_u64(rig_translate(rig, 0x1000, true).fault, 2);
	expect_u64(costs(rig)->walk_reads, 0);
	expect_u64(costs(rig)->iotlb_misses, 0);
}

/* A unit with 3 levels walks no tables of 4; nobody walks tables of 2 or 5. */
static void a_context_with_a_depth_the_unit_lacks_is_refused(void **state)
{
	static const u8 faults[2][6] = { { 3, 3, 3, 6, 6, 3 }, { 3, 3, 3, 6, 3, 3 } };
	struct rig *rig = *state;

	for (int shallow = 0; shallow < 2; shallow++) {
		rig->iommu->walker.levels = shallow ? 3 : 4;
		for (u8 levels = 0; levels <= 5; levels++) {
			expect_ok(set_context(rig, RIG_DEV, 5, levels));
			expect_u64(rig_translate(rig, 0x1000, false).fault,
				   faults[shallow][levels]);
		}
	}
}

static void an_address_beyond_the_tables_is_refused(void **state)
{
	struct rig *rig = *state;

	expect_u64(rig_translate(rig, 1ULL << 48, false).fault, 4);
	expect_ok(set_context(rig, RIG_DEV, 5, 3));
	expect_u64(rig_translate(rig, 1ULL << 39, true).fault, 4);
	expect_u64(rig_translate(rig, (1ULL << 39) - 1, true).fault, 5);
}

/* ---- Translations and their cache ------------------------------------------------------------ */

static void a_walk_is_cached_and_counted(void **state)
{
	struct rig *rig = *state;
	struct hw_translation found;

	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_RW);
	found = rig_translate(rig, 0x7123, true);
	expect_u64(found.fault, 0);
	expect_u64(found.phys, 0x5123);
	expect_u64(found.page_lg2, 12);
	expect_u64(found.domain, 5);
	expect_u64(costs(rig)->iotlb_misses, 1);
	expect_u64(costs(rig)->walk_reads, 4);
	found = rig_translate(rig, 0x7fff, false);
	expect_u64(found.phys, 0x5fff);
	expect_u64(found.page_lg2, 12);
	expect_u64(found.domain, 5);
	expect_u64(costs(rig)->iotlb_hits, 1);
	expect_u64(costs(rig)->iotlb_misses, 1);
	expect_u64(costs(rig)->walk_reads, 4);
}

static void a_large_page_is_cached_once(void **state)
{
	struct rig *rig = *state;

	tables_put(&rig->tables, 0x40000000, 2, 0x80000000 | ENTRY_RW | ENTRY_LEAF);
	expect_u64(rig_translate(rig, 0x40000001, true).phys, 0x80000001);
	expect_u64(rig_translate(rig, 0x7fffffff, true).phys, 0xbfffffff);
	expect_u64(costs(rig)->iotlb_misses, 1);
	expect_u64(costs(rig)->walk_reads, 2);
}

/* The cache is the point: memory changes, the translation stays, until it is invalidated. */
static void a_cached_translation_outlives_its_entry(void **state)
{
	struct rig *rig = *state;

	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_RW);
	rig_translate(rig, 0x7000, true);
	tables_put(&rig->tables, 0x7000, 0, 0);
	expect_u64(rig_translate(rig, 0x7000, true).phys, 0x5000);
	iotlb_invalidate_range(&rig->iommu->iotlb, 5, 0x7000, 0x7fff);
	expect_u64(rig_translate(rig, 0x7000, true).fault, 5);
}

static void faults_are_not_cached(void **state)
{
	struct rig *rig = *state;

	expect_u64(rig_translate(rig, 0x7000, true).fault, 5);
	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_RW);
	expect_u64(rig_translate(rig, 0x7000, true).phys, 0x5000);
	/* A walk that failed was a miss, and its reads count. */
	expect_u64(costs(rig)->iotlb_misses, 2);
	expect_u64(costs(rig)->walk_reads, 1 + 4);
}

/* More may be allowed by now than when the entry was cached: it is walked again. */
static void a_cached_translation_without_the_permission_is_walked_again(void **state)
{
	struct rig *rig = *state;

	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_R);
	rig_translate(rig, 0x7000, false);
	expect_u64(rig_translate(rig, 0x7000, true).fault, 5);
	expect_u64(rig_translate(rig, 0x7000, false).phys, 0x5000);
	expect_u64(costs(rig)->iotlb_hits, 1);
	tables_put(&rig->tables, 0x7000, 0, 0x6000 | ENTRY_RW);
	expect_u64(rig_translate(rig, 0x7000, true).phys, 0x6000);
	/* One translation is cached now, the new one. */
	expect_u64(rig_translate(rig, 0x7000, false).phys, 0x6000);
	iotlb_invalidate_range(&rig->iommu->iotlb, 5, 0x7000, 0x7000);
	assert_null(iotlb_find(&rig->iommu->iotlb, 5, 0x7000));
}

/* Two devices of one domain share what is cached; another domain does not. */
static void the_cache_is_tagged_by_domain(void **state)
{
	struct rig *rig = *state;

	expect_ok(set_context(rig, RIG_DEV + 1, 5, 4));
	expect_ok(set_context(rig, RIG_DEV + 2, 6, 4));
	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_RW);
	rig_translate(rig, 0x7000, true);
	hw_translate(rig->iommu, RIG_DEV + 1, 0x7000, true);
	expect_u64(costs(rig)->iotlb_misses, 1);
	expect_u64(hw_translate(rig->iommu, RIG_DEV + 2, 0x7000, true).domain, 6);
	expect_u64(costs(rig)->iotlb_misses, 2);
}

static void a_probe_sees_the_tables_as_they_are_and_touches_nothing(void **state)
{
	struct rig *rig = *state;
	struct hw_costs before;

	tables_put(&rig->tables, 0x7000, 0, 0x5000 | ENTRY_RW);
	rig_translate(rig, 0x7000, true);
	tables_put(&rig->tables, 0x7000, 0, 0x6000 | ENTRY_R);
	before = *costs(rig);
	expect_u64(hw_translate_probe(rig->iommu, RIG_DEV, 0x7000, false).phys, 0x6000);
	expect_u64(hw_translate_probe(rig->iommu, RIG_DEV, 0x7000, true).fault, 5);
	expect_u64(hw_translate_probe(rig->iommu, RIG_DEV + 1, 0x7000, true).fault, 2);
	assert_memory_equal(&before, costs(rig), sizeof(before));
	expect_u64(rig_translate(rig, 0x7000, true).phys, 0x5000);
}

/* ---- Fault records --------------------------------------------------------------------------- */

static void refuse(const struct rig *rig, u16 requester, u64 iova, bool write, u8 reason)
{
	hw_fault_record(rig->iommu, &(struct hw_refusal){ .requester = requester,
							  .iova = iova,
							  .write = write,
							  .code = reason });
}

/* Low word: address 63:12. High word: F 63, type 62 (1: read), reason 39:32, source 15:0. */
static void a_record_has_the_words_of_the_architecture(void **state)
{
	static const struct {
		u16 requester;
		u64 iova;
		bool write;
		u8 reason;
		u64 word[2];
	} row[] = {
		{ 0x0318, 0x12345678, false, 0x06, { 0x12345000, 0xc000000600000318ULL } },
		{ 0x0318, 0x12345678, true, 0x05, { 0x12345000, 0x8000000500000318ULL } },
		{ 0xffff, ~0ULL, true, 0x0c, { 0xfffffffffffff000ULL, 0x8000000c0000ffffULL } },
		{ 0x0000, 0xfff, false, 0x02, { 0, 0xc000000200000000ULL } },
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct hw_fault_record record;

		refuse(rig, row[i].requester, row[i].iova, row[i].write, row[i].reason);
		assert_true(hw_fault_take(rig->iommu, &record));
		expect_u64(record.word[0], row[i].word[0]);
		expect_u64(record.word[1], row[i].word[1]);
	}
}

static void records_are_taken_oldest_first(void **state)
{
	struct rig *rig = *state;
	struct hw_fault_record record;

	for (u64 i = 1; i <= 3; i++)
		refuse(rig, RIG_DEV, i << 12, true, 5);
	for (u64 i = 1; i <= 3; i++) {
		expect_u64(rig->iommu->fault_status, 2);
		assert_true(hw_fault_take(rig->iommu, &record));
		expect_u64(record.word[0], i << 12);
	}
	assert_false(hw_fault_take(rig->iommu, &record));
	expect_u64(rig->iommu->fault_status, 0);
}

/* When all registers are full the new record is lost and the overflow bit says so. */
static void a_record_too_many_is_lost_and_noted(void **state)
{
	struct rig *rig = *state;
	struct hw_fault_record record;

	for (u64 i = 1; i <= VTD_RECORDS; i++)
		refuse(rig, RIG_DEV, i << 12, true, 5);
	expect_u64(rig->iommu->fault_status, 2);
	refuse(rig, RIG_DEV, 0xbad000, true, 5);
	expect_u64(rig->iommu->fault_status, 3);
	expect_u64(rig->iommu->faults_total, VTD_RECORDS + 1);
	assert_true(hw_fault_take(rig->iommu, &record));
	expect_u64(record.word[0], 1 << 12);
	/* There is room again, but while the bit is set hardware records nothing. */
	refuse(rig, RIG_DEV, 0xbad000, true, 5);
	expect_u64(rig->iommu->fault_status, 3);
	expect_u64(rig->iommu->faults_total, VTD_RECORDS + 2);
	for (u64 i = 2; i <= VTD_RECORDS; i++) {
		expect_u64(rig->iommu->fault_status, 3);
		assert_true(hw_fault_take(rig->iommu, &record));
		expect_u64(record.word[0], i << 12);
	}
	assert_false(hw_fault_take(rig->iommu, &record));
	/* Taking the last one cleared it. */
	expect_u64(rig->iommu->fault_status, 0);
	refuse(rig, RIG_DEV, 0x9000, true, 5);
	assert_true(hw_fault_take(rig->iommu, &record));
	expect_u64(record.word[0], 0x9000);
}

static void translating_records_no_fault_by_itself(void **state)
{
	struct rig *rig = *state;

	rig_translate(rig, 0x7000, true);
	expect_u64(rig->iommu->faults_total, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(TEST(units_are_found_by_their_number), TEST(a_unit_without_memory_is_not_there),
	  TEST(every_requester_has_a_context_of_its_own),
	  TEST(a_context_without_memory_stays_absent), TEST(a_requester_without_context_is_refused),
	  TEST(a_context_with_a_depth_the_unit_lacks_is_refused),
	  TEST(an_address_beyond_the_tables_is_refused), TEST(a_walk_is_cached_and_counted),
	  TEST(a_large_page_is_cached_once), TEST(a_cached_translation_outlives_its_entry),
	  TEST(faults_are_not_cached),
	  TEST(a_cached_translation_without_the_permission_is_walked_again),
	  TEST(the_cache_is_tagged_by_domain),
	  TEST(a_probe_sees_the_tables_as_they_are_and_touches_nothing),
	  TEST(a_record_has_the_words_of_the_architecture), TEST(records_are_taken_oldest_first),
	  TEST(a_record_too_many_is_lost_and_noted), TEST(translating_records_no_fault_by_itself))
