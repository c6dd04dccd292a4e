/* SPDX-License-Identifier: MIT */
/*
 * An SMMUv3: what its stream table entries let through, the events it records, what it caches
 * (facts "iova-and-page-tables" 2.4, 2.6, 3.1 and 3.4).
 */
#include "hw/ats.h"
#include "rig.h"

#define ROOT 0x100000ULL
#define IOVA 0x7000ULL

#define LEAF	  0xf47ULL /* AttrIndx 1, AP[1], SH 3, AF, nG, a page */
#define READ_ONLY 0x80ULL
#define AF	  0x400ULL
#define EL0	  0x40ULL
#define TABLE	  3ULL
#define NO_EL0	  (1ULL << 61) /* APTable */
#define NO_WRITES (1ULL << 62)

/* Events, and of their second words what stands beside. */
#define CLASS_TABLE (1U << 1)
#define CLASS_INPUT (2U << 1)

static u64 pointer(phys_addr_t table)
{
	return table | TABLE;
}

static int setup(void **state)
{
	if (rig_setup_unit(state,
			   &(struct hw_iommu_desc){ .arch = &hw_smmuv3,
						    .unit = 3,
						    .levels = 4,
						    .address_bits = 40,
						    .coherent = true,
						    .device_tlb = true,
						    .iotlb_entries = 64,
						    .context_entries = 4,
						    .walk_entries = 4 },
			   ROOT))
		return -1;
	rig_build(*state, 4, pointer);
	return 0;
}

/* 0: it goes through. */
static void expect_faults(struct rig *rig, u64 iova, u16 of_reads, u16 of_writes, u16 flags)
{
	for (int write = 0; write < 2; write++) {
		u16 expected = write ? of_writes : of_reads;
		struct hw_translation probed = hw_translate_probe(rig->iommu, RIG_DEV, iova, write);
		struct hw_translation found = rig_translate(rig, iova, write);

		expect_u64(probed.fault, expected);
		expect_u64(found.fault, expected);
		expect_u64(probed.fault_flags, expected ? flags : 0);
		expect_u64(found.fault_flags, expected ? flags : 0);
	}
}

/* ---- Contexts -------------------------------------------------------------------------------- */

/* trust: SMMUv3's stream table entries that are not valid | our reading of the facts: 2.6, 3.1 */
static void a_stream_that_is_not_valid_lets_nothing_through(void **state)
{
	struct rig *rig = *state;
	struct hw_context good = rig->context;

	rig_put(rig, IOVA, 0x5000 | LEAF);
	rig_set(rig, (struct hw_context){ .type = HW_CONTEXT_ABSENT });
	expect_faults(rig, IOVA, 0x04, 0x04, 0);
	/* Its neighbour has a place, who is on another bus has none. */
	expect_u64(hw_translate(rig->iommu, RIG_DEV + 1, IOVA, false).fault, 0x04);
	expect_u64(hw_translate(rig->iommu, 0x0418, IOVA, false).fault, 0x02);
	/* Nor is it cached: the next is seen at once, and that is. */
	rig_set(rig, good);
	expect_u64(rig_translate(rig, IOVA, true).phys, 0x5000);
	rig_set(rig, (struct hw_context){ .type = HW_CONTEXT_ABSENT });
	expect_u64(rig_translate(rig, IOVA, true).phys, 0x5000);
}

static void what_a_stream_leads_to_may_ask_for_too_much(void **state)
{
	struct rig *rig = *state;
	const struct hw_context good = rig->context;
	struct hw_context bad[5];

	for (u32 i = 0; i < 5; i++)
		bad[i] = good;
	bad[0].levels = 2;
	bad[1].levels = 5;
	bad[2].root |= 0x800;
	bad[3].root |= 1ULL << 40;
	bad[4].marks = HW_MARK_ACCESSED;
	rig_put(rig, IOVA, 0x5000 | LEAF);
	for (u32 i = 0; i < 5; i++) {
		rig_set(rig, bad[i]);
		expect_faults(rig, IOVA, 0x0a, 0x0a, 0);
	}
	bad[0] = good;
	bad[0].type = HW_CONTEXT_PASIDS;
	rig_set(rig, bad[0]);
	expect_faults(rig, IOVA, 0x04, 0x04, 0);
	rig_set(rig, good);
	expect_faults(rig, IOVA, 0, 0, 0);
}

static void bypass_lets_addresses_pass(void **state)
{
	struct rig *rig = *state;
	struct hw_ask ask = { .requester = RIG_DEV, .iova = IOVA, .prefix = { .present = true } };

	rig_set(rig, (struct hw_context){ .type = HW_CONTEXT_PASS_THROUGH, .domain = 9 });
	for (int write = 0; write < 2; write++) {
		struct hw_translation found = rig_translate(rig, ~0xfffULL, write);

		assert_true(!found.fault && found.pass_through);
		expect_u64(found.phys, ~0xfffULL);
	}
	expect_u64(hw_translate_ask(rig->iommu, &ask, true).fault, 0);
	expect_u64(hw_translate_ask(rig->iommu, &ask, false).fault, 0);
}

/* There is one context descriptor. */
static void a_request_with_a_pasid_has_a_bad_substream(void **state)
{
	struct rig *rig = *state;
	struct hw_ask ask = { .requester = RIG_DEV, .iova = IOVA, .prefix = { .present = true } };

	rig_put(rig, IOVA, 0x5000 | LEAF);
	for (int probe = 0; probe < 2; probe++) {
		expect_u64(hw_translate_ask(rig->iommu, &ask, probe).fault, 0x08);
		ask.requester = RIG_DEV + 1;
		expect_u64(hw_translate_ask(rig->iommu, &ask, probe).fault, 0x04);
		ask.requester = RIG_DEV;
	}
}

/* What it asks of is the entry that is cached, as requests without a substream do. */
static void a_request_with_a_pasid_meets_the_cached_stream(void **state)
{
	struct rig *rig = *state;
	const struct hw_ask ask = { .requester = RIG_DEV,
				    .iova = IOVA,
				    .prefix = { .present = true } };
	const struct hw_context stage_1 = rig->context;
	const struct hw_context bypass = { .type = HW_CONTEXT_PASS_THROUGH, .domain = 9 };
	struct hw_costs *costs = &rig->bench->hw.costs;

	rig_put(rig, IOVA, 0x5000 | LEAF);
	expect_u64(hw_translate_ask(rig->iommu, &ask, false).fault, 0x08);
	expect_u64(costs->context_misses, 1);
	rig_set(rig, bypass);
	expect_u64(hw_translate_ask(rig->iommu, &ask, false).fault, 0x08);
	expect_u64(hw_translate_ask(rig->iommu, &ask, true).phys, IOVA);
	expect_u64(costs->context_hits, 1);
	rig_forget(rig);
	expect_u64(hw_translate_ask(rig->iommu, &ask, false).phys, IOVA);
	rig_set(rig, stage_1);
	assert_true(hw_translate_ask(rig->iommu, &ask, false).pass_through);
	expect_u64(costs->context_misses + costs->context_hits, 4);
}

/* A stream without EATS takes neither kind of request from a device TLB. */
static void a_device_tlb_needs_the_streams_consent(void **state)
{
	struct rig *rig = *state;

	rig_put(rig, IOVA, 0x5000 | LEAF);
	expect_u64(hw_ats_answer(rig->iommu, RIG_DEV, IOVA, false).fault, 0x05);
	expect_u64(hw_ats_check(rig->iommu, RIG_DEV, 0x5000, false).fault, 0x07);
	rig->context.device_tlb = true;
	rig_set(rig, rig->context);
	rig_forget(rig);
	expect_u64(hw_ats_answer(rig->iommu, RIG_DEV, IOVA, false).allows, 3);
	expect_u64(hw_ats_check(rig->iommu, RIG_DEV, 0x5000, false).fault, 0);
	/* What is not there is no fault: it allows nothing. */
	expect_u64(hw_ats_answer(rig->iommu, RIG_DEV, IOVA + 0x1000, false).fault, 0);
	expect_u64(hw_ats_answer(rig->iommu, RIG_DEV, IOVA + 0x1000, false).allows, 0);
	rig_put(rig, IOVA, 0x5000 | LEAF | READ_ONLY);
	rig_forget(rig);
	expect_u64(hw_ats_answer(rig->iommu, RIG_DEV, IOVA, true).allows, 1);
}

/* ---- Entries --------------------------------------------------------------------------------- */

/* Of 39 and of 48 bits, on a unit that has both. */
static void addresses_end_with_the_tables(void **state)
{
	struct rig *rig = *state;

	for (u8 levels = 3; levels <= 4; levels++) {
		u64 last = (1ULL << (12 + 9 * levels)) - 0x1000;

		rig_build(rig, levels, pointer);
		rig_forget(rig);
		rig_put(rig, IOVA, 0x5000 | LEAF);
		expect_u64(rig_translate(rig, IOVA, true).phys, 0x5000);
		expect_faults(rig, last, 0x10, 0x10, CLASS_INPUT);
		expect_faults(rig, last + 0x1000 + IOVA, 0x10, 0x10, CLASS_INPUT);
		expect_faults(rig, ~0xfffULL, 0x10, 0x10, CLASS_INPUT);
	}
}

/* trust: SMMUv3's events of walks | our reading of the facts: 2.4 and 2.6 */
static void each_event_has_its_cause(void **state)
{
	struct rig *rig = *state;
	struct ram *ram = &rig->bench->hw.ram;

	rig_put(rig, 0x0000, 0x5000 | LEAF | READ_ONLY);
	rig_put(rig, 0x1000, (0x5000 | LEAF) & ~AF);
	rig_put(rig, 0x2000, (0x5000 | LEAF) & ~EL0);
	rig_put(rig, 0x3000, 1ULL << 40 | LEAF);
	rig_put(rig, 0x4000, (0x5000 | LEAF) & ~2ULL);
	rig_put(rig, 0x5000, (0x5000 | LEAF) & ~1ULL);
	expect_faults(rig, 0x0000, 0, 0x13, CLASS_INPUT);
	expect_faults(rig, 0x1000, 0x12, 0x12, CLASS_INPUT);
	expect_faults(rig, 0x2000, 0x13, 0x13, CLASS_INPUT);
	expect_faults(rig, 0x3000, 0x11, 0x11, CLASS_INPUT);
	expect_faults(rig, 0x4000, 0x10, 0x10, CLASS_INPUT);
	expect_faults(rig, 0x5000, 0x10, 0x10, CLASS_INPUT);
	rig_forget(rig);
	put_entry(ram, ROOT + 0x1000, 0, 1ULL << 40 | TABLE);
	expect_faults(rig, 0x0000, 0x11, 0x11, CLASS_TABLE);
	put_entry(ram, ROOT + 0x1000, 0, 1ULL << 39 | TABLE);
	expect_faults(rig, 0x0000, 0x0b, 0x0b, CLASS_TABLE);
}

/* Also if the walk begins at a cached table. */
static void what_a_table_forbids_stays_forbidden(void **state)
{
	struct rig *rig = *state;
	struct ram *ram = &rig->bench->hw.ram;

	rig_put(rig, 0x1000, 0x5000 | LEAF);
	rig_put(rig, 0x2000, 0x6000 | LEAF);
	put_entry(ram, ROOT + 0x2000, 0, (ROOT + 0x1000) | TABLE | NO_WRITES);
	for (u64 iova = 0x1000; iova < 0x3000; iova += 0x1000)
		expect_faults(rig, iova, 0, 0x13, CLASS_INPUT);
	assert_true(rig->bench->hw.costs.walk_hits[0] > 0);
	expect_u64(rig_translate(rig, 0x2000, false).allows, 1);
	put_entry(ram, ROOT + 0x2000, 0, (ROOT + 0x1000) | TABLE | NO_EL0);
	rig_forget(rig);
	for (u64 iova = 0x1000; iova < 0x3000; iova += 0x1000)
		expect_faults(rig, iova, 0x13, 0x13, CLASS_INPUT);
}

/* What the checker asks. */
static void keep_leaf(void *cookie, const struct hw_leaf *leaf)
{
	struct hw_leaf *kept = cookie;

	while (kept->bytes)
		kept++;
	*kept = *leaf;
}

static void keep_table(void *cookie, const struct hw_table *table)
{
	(void)cookie;
	/* The one whose entry forbids writes, and what is below it. */
	assert_int_equal(table->write, table->levels == 3);
	assert_true(table->read);
}

static void a_range_is_told_with_what_it_allows(void **state)
{
	struct rig *rig = *state;
	struct hw_leaf leaf[8] = { { 0 } };

	rig_put(rig, 0x1000, 0x5000 | LEAF);
	rig_put(rig, 0x2000, 0x6000 | LEAF);
	rig_put(rig, 0x3000, 0x7000 | LEAF | READ_ONLY);
	/* These are for no request, and so for no cache. */
	rig_put(rig, 0x4000, (0x8000 | LEAF) & ~AF);
	rig_put(rig, 0x5000, 1ULL << 40 | LEAF);
	rig_put(rig, 0x6000, 0x9000 | LEAF);
	hw_walk_range(rig->iommu, ROOT + 0x3000, 4, 0, 0x6fff, keep_leaf, NULL, leaf);
	expect_u64(leaf[0].iova, 0x1000);
	expect_u64(leaf[0].bytes, 0x2000);
	expect_u64(leaf[0].phys, 0x5000);
	assert_true(leaf[0].read && leaf[0].write && !leaf[0].accessed && !leaf[0].dirty);
	expect_u64(leaf[1].iova, 0x3000);
	assert_true(leaf[1].read && !leaf[1].write);
	expect_u64(leaf[2].iova, 0x6000);
	expect_u64(leaf[3].bytes, 0);

	put_entry(&rig->bench->hw.ram, ROOT + 0x2000, 0, (ROOT + 0x1000) | TABLE | NO_WRITES);
	leaf[0].bytes = leaf[1].bytes = leaf[2].bytes = 0;
	hw_walk_range(rig->iommu, ROOT + 0x3000, 4, 0x2000, 0x2fff, keep_leaf, keep_table, leaf);
	expect_u64(leaf[0].iova, 0x2000);
	expect_u64(leaf[0].bytes, 0x1000);
	assert_true(leaf[0].read && !leaf[0].write);
	/* The lowest table by itself. */
	leaf[0].bytes = 0;
	hw_walk_range(rig->iommu, ROOT, 1, 0x2000, ~0ULL, keep_leaf, NULL, leaf);
	assert_true(leaf[0].write);
}

/* ---- Records --------------------------------------------------------------------------------- */

static void expect_record(const struct hw_refusal *refusal, u64 first, u64 second)
{
	struct hw_fault_record record = hw_smmuv3.record(refusal);

	expect_u64(record.word[0], first | (u64)refusal->requester << 32);
	expect_u64(record.word[1], second);
	expect_u64(record.word[2], refusal->iova);
	expect_u64(record.word[3], 0);
}

/* trust: SMMUv3's event records, each field | our reading of the facts: 2.6 */
static void a_record_says_what_was_asked(void **state)
{
	struct hw_refusal refusal = { .requester = RIG_DEV,
				      .iova = 0x123456789abcdef0ULL,
				      .code = 0x10,
				      .flags = CLASS_INPUT };

	(void)state;
	expect_record(&refusal, 0x10, 1ULL << 35 | 2ULL << 40);
	refusal.write = true;
	refusal.flags = CLASS_TABLE;
	refusal.code = 0x0b;
	expect_record(&refusal, 0x0b, 1ULL << 40);
	/* Others have no class, whatever else is said. */
	refusal.code = 0x04;
	refusal.flags = 1 << 8 | CLASS_INPUT;
	expect_record(&refusal, 0x04, 0);
	refusal.write = false;
	refusal.prefix = (struct hw_prefix){
		.present = true, .execute = true, .privileged = true, .pasid = 0x54321
	};
	expect_record(&refusal, 0x04 | 1 << 11 | 0x54321ULL << 12,
		      1ULL << 35 | 1ULL << 34 | 1ULL << 33);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(TEST(a_stream_that_is_not_valid_lets_nothing_through),
	  TEST(what_a_stream_leads_to_may_ask_for_too_much), TEST(bypass_lets_addresses_pass),
	  TEST(a_request_with_a_pasid_has_a_bad_substream),
	  TEST(a_request_with_a_pasid_meets_the_cached_stream),
	  TEST(a_device_tlb_needs_the_streams_consent), TEST(addresses_end_with_the_tables),
	  TEST(each_event_has_its_cause), TEST(what_a_table_forbids_stays_forbidden),
	  TEST(a_range_is_told_with_what_it_allows), TEST(a_record_says_what_was_asked))
