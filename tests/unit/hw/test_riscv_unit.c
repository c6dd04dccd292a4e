/* SPDX-License-Identifier: MIT */
/*
 * A RISC-V unit: what its device contexts let through, the records it makes, what it caches (facts
 * "iova-and-page-tables" 2.5, 2.6, 3.1 and 3.5).
 *
 * A record: cause 11:0, PID 31:12, PV 32, PRIV 33, type 39:34, device 63:40; the address in the
 * third word.
 */
#include "rig.h"

#include "hw/ats.h"

#define ROOT 0x100000ULL
#define IOVA 0x7000ULL

#define LEAF(phys)  ((phys) >> 12 << 10 | 0xd7) /* V R W U A D */
#define TABLE(phys) ((phys) >> 12 << 10 | 1)
#define DIRTY	    0x80ULL
#define ACCESSED    0x40ULL
#define NAPOT	    (1ULL << 63)

static u64 pointer(phys_addr_t table)
{
	return TABLE(table);
}

static int setup(void **state)
{
	if (rig_setup_unit(state,
			   &(struct hw_iommu_desc){ .arch = &hw_riscv,
						    .unit = 3,
						    .levels = 4,
						    .address_bits = 52,
						    .coherent = true,
						    .napot = true,
						    .iotlb_entries = 64,
						    .context_entries = 4,
						    .walk_entries = 4 },
			   ROOT))
		return -1;
	rig_build(*state, 4, pointer);
	return 0;
}

static void expect_faults(struct rig *rig, u64 iova, u16 of_reads, u16 of_writes)
{
	for (int write = 0; write < 2; write++) {
		u16 expected = write ? of_writes : of_reads;

		expect_u64(hw_translate_probe(rig->iommu, RIG_DEV, iova, write).fault, expected);
		expect_u64(rig_translate(rig, iova, write).fault, expected);
	}
}

/* ---- Contexts -------------------------------------------------------------------------------- */

/* trust: RISC-V device contexts: valid, misconfigured, Bare | our reading of the facts: 2.5, 2.6 */
static void a_context_that_is_not_valid_lets_nothing_through(void **state)
{
	struct rig *rig = *state;
	struct hw_context good = rig->context;

	rig_put(rig, IOVA, LEAF(0x5000));
	rig_set(rig, (struct hw_context){ .type = HW_CONTEXT_ABSENT });
	expect_faults(rig, IOVA, 258, 258);
	expect_u64(hw_translate(rig->iommu, RIG_DEV + 1, IOVA, false).fault, 258);
	/* Nor is it cached: the next is seen at once, and that is. */
	rig_set(rig, good);
	expect_u64(rig_translate(rig, IOVA, true).phys, 0x5000);
	rig_set(rig, (struct hw_context){ .type = HW_CONTEXT_ABSENT });
	expect_u64(rig_translate(rig, IOVA, true).phys, 0x5000);
}

static void a_context_that_asks_for_too_much_is_misconfigured(void **state)
{
	struct rig *rig = *state;
	const struct hw_context good = rig->context;
	struct hw_context bad[8];

	for (u32 i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].levels = 2;
	bad[1].levels = 5;
	bad[2].root |= 0x800;
	bad[3].root |= 1ULL << 56;
	bad[4].marks = HW_MARK_ACCESSED;
	bad[5].device_tlb = true;
	bad[6].no_write = true;
	bad[7].type = HW_CONTEXT_PASIDS;
	rig_put(rig, IOVA, LEAF(0x5000));
	for (u32 i = 0; i < 8; i++) {
		rig_set(rig, bad[i]);
		expect_faults(rig, IOVA, 259, 259);
	}
	rig_set(rig, good);
	expect_faults(rig, IOVA, 0, 0);
}

static void a_bare_context_lets_addresses_pass(void **state)
{
	struct rig *rig = *state;
	struct hw_translation found;

	rig_set(rig, (struct hw_context){ .type = HW_CONTEXT_PASS_THROUGH, .domain = 9 });
	for (int write = 0; write < 2; write++) {
		found = rig_translate(rig, ~0xfffULL, write);
		assert_true(!found.fault && found.pass_through);
		expect_u64(found.phys, ~0xfffULL);
	}
}

/* Sv39 and Sv48, on a unit that has both. */
static void addresses_repeat_their_highest_bit(void **state)
{
	struct rig *rig = *state;

	for (u8 levels = 3; levels <= 4; levels++) {
		u64 half = 1ULL << (9 * levels + 11);

		rig_build(rig, levels, pointer);
		rig_forget(rig);
		rig_put(rig, IOVA, LEAF(0x5000));
		expect_u64(rig_translate(rig, IOVA, true).phys, 0x5000);
		/* The upper half begins with an entry of its own. */
		put_entry(&rig->bench->hw.ram, ROOT + 0x1000 * (levels - 1), 256,
			  TABLE(ROOT + 0x1000 * (levels - 2)));
		expect_u64(rig_translate(rig, -half + IOVA, true).phys, 0x5000);
		expect_faults(rig, half + IOVA, 13, 15);
		expect_faults(rig, -2 * half + IOVA, 13, 15);
	}
}

/* ---- Entries --------------------------------------------------------------------------------- */

/* Nobody marks them: what is not marked is not allowed, whatever was read before. */
static void without_marks_a_page_is_not_to_be_used(void **state)
{
	struct rig *rig = *state;

	rig_put(rig, IOVA, LEAF(0x5000) & ~DIRTY);
	expect_u64(rig_translate(rig, IOVA, false).phys, 0x5000);
	expect_faults(rig, IOVA, 0, 15);
	rig_put(rig, IOVA, LEAF(0x5000) & ~ACCESSED);
	rig_forget(rig);
	expect_faults(rig, IOVA, 13, 15);
	/* Absent entries are not cached. */
	rig_put(rig, IOVA, LEAF(0x5000));
	expect_faults(rig, IOVA, 0, 0);
}

/* Sixteen entries, one translation. */
static void a_page_of_64_kib_is_cached_whole(void **state)
{
	struct rig *rig = *state;
	u64 before = rig->bench->hw.costs.iotlb_misses;

	for (u64 page = 0; page < 16; page++)
		rig_put(rig, 0x10000 + page * 0x1000, LEAF(0x78000ULL) | NAPOT);
	expect_u64(rig_translate(rig, 0x13456, true).phys, 0x73456);
	expect_u64(rig_translate(rig, 0x1ffff, true).phys, 0x7ffff);
	expect_u64(rig->bench->hw.costs.iotlb_misses - before, 1);
	expect_u64(rig_translate(rig, 0x10000, true).page_lg2, 16);
}

/* What the checker asks: from the top with what is above, from a lower table without. */
static void keep_leaf(void *cookie, const struct hw_leaf *leaf)
{
	struct hw_leaf *kept = cookie;

	while (kept->bytes)
		kept++;
	*kept = *leaf;
}

static void a_range_is_told_with_what_it_allows(void **state)
{
	struct rig *rig = *state;
	struct hw_leaf leaf[8] = { { 0 } };
	u64 half = 1ULL << 47;

	rig_put(rig, 0x1000, LEAF(0x5000));
	rig_put(rig, 0x2000, LEAF(0x6000));
	rig_put(rig, 0x3000, LEAF(0x7000) & ~DIRTY);
	rig_put(rig, 0x4000, LEAF(0x8000) & ~ACCESSED);
	rig_put(rig, 0x5000, LEAF(0x9000) & ~2ULL); /* W without R */
	for (u64 page = 0; page < 16; page++)
		rig_put(rig, 0x10000 + page * 0x1000, LEAF(0x78000ULL) | NAPOT);
	put_entry(&rig->bench->hw.ram, ROOT + 0x3000, 256, TABLE(ROOT + 0x2000));
	hw_walk_range(rig->iommu, ROOT + 0x3000, 4, 0, 0x13fff, keep_leaf, NULL, leaf);
	expect_u64(leaf[0].iova, 0x1000);
	expect_u64(leaf[0].bytes, 0x2000);
	expect_u64(leaf[0].phys, 0x5000);
	assert_true(leaf[0].read && leaf[0].write && !leaf[0].accessed && !leaf[0].dirty);
	expect_u64(leaf[1].iova, 0x3000);
	assert_true(leaf[1].read && !leaf[1].write);
	assert_true(!leaf[2].read && !leaf[2].write);
	expect_u64(leaf[3].iova, 0x10000);
	expect_u64(leaf[3].bytes, 0x4000);
	expect_u64(leaf[3].page_lg2, 16);
	expect_u64(leaf[3].phys, 0x70000);
	expect_u64(leaf[4].bytes, 0);
	/* The upper half. */
	leaf[0].bytes = leaf[1].bytes = leaf[2].bytes = leaf[3].bytes = 0;
	hw_walk_range(rig->iommu, ROOT + 0x3000, 4, half, ~0ULL, keep_leaf, NULL, leaf);
	expect_u64(leaf[0].iova, -half + 0x1000);
	expect_u64(leaf[3].bytes, SZ_64K);
	expect_u64(leaf[4].bytes, 0);
	/* The lowest table by itself. */
	leaf[0].bytes = leaf[1].bytes = leaf[2].bytes = leaf[3].bytes = 0;
	hw_walk_range(rig->iommu, ROOT, 1 | HW_BELOW_TOP, 0x3000, ~0ULL, keep_leaf, NULL, leaf);
	expect_u64(leaf[0].iova, 0x3000);
	expect_u64(leaf[2].iova, 0x10000);
}

/* Sv39 in a unit that has Sv48, too: of these tables bit 38 is the one that is repeated. */
static void a_range_of_fewer_levels_has_signs(void **state)
{
	struct rig *rig = *state;
	struct hw_leaf leaf[3] = { { 0 } };
	u64 half = 1ULL << 38;

	rig_build(rig, 3, pointer);
	rig_put(rig, 0x1000, LEAF(0x5000));
	put_entry(&rig->bench->hw.ram, ROOT + 0x2000, 256, TABLE(ROOT + 0x1000));
	expect_u64(rig_translate(rig, half + 0x1000, true).fault, 15);
	expect_u64(rig_translate(rig, -half + 0x1000, true).phys, 0x5000);
	hw_walk_range(rig->iommu, ROOT + 0x2000, 3, 0x2000, ~0ULL, keep_leaf, NULL, leaf);
	expect_u64(leaf[0].iova, -half + 0x1000);
	expect_u64(leaf[1].bytes, 0);
	leaf[0].bytes = 0;
	hw_walk_range(rig->iommu, ROOT + 0x2000, 3 | HW_BELOW_TOP, 0x2000, ~0ULL, keep_leaf, NULL,
		      leaf);
	expect_u64(leaf[0].iova, half + 0x1000);
}

/* ---- Records --------------------------------------------------------------------------------- */

static void expect_record(const struct hw_refusal *refusal, u64 word)
{
	struct hw_fault_record record = hw_riscv.record(refusal);

	expect_u64(record.word[0], word | (u64)refusal->requester << 40);
	expect_u64(record.word[1], 0);
	expect_u64(record.word[2], refusal->iova);
	expect_u64(record.word[3], 0);
}

/* trust: RISC-V fault records, each field | our reading of the facts: 2.6 */
static void a_record_says_what_was_asked(void **state)
{
	struct hw_refusal refusal = { .requester = RIG_DEV,
				      .iova = 0x123456789abcdef0ULL,
				      .code = 13 };

	(void)state;
	expect_record(&refusal, 13 | 2ULL << 34);
	refusal.translated = true;
	expect_record(&refusal, 13 | 6ULL << 34);
	refusal.write = true;
	refusal.code = 260;
	expect_record(&refusal, 260 | 7ULL << 34);
	refusal.translated = false;
	expect_record(&refusal, 260 | 3ULL << 34);
	refusal.flags = 1 << 8;
	expect_record(&refusal, 260 | 8ULL << 34);
	refusal.flags = 0;
	refusal.write = false;
	refusal.prefix = (struct hw_prefix){
		.present = true, .execute = true, .privileged = true, .pasid = 0x54321
	};
	expect_record(&refusal, 260 | 0x54321ULL << 12 | 3ULL << 32 | 1ULL << 34);
}

/* There are no contexts of processes. */
static void a_request_with_a_pasid_is_disallowed(void **state)
{
	struct rig *rig = *state;
	struct hw_ask ask = { .requester = RIG_DEV, .iova = IOVA, .prefix = { .present = true } };

	rig_put(rig, IOVA, LEAF(0x5000));
	for (int probe = 0; probe < 2; probe++) {
		expect_u64(hw_translate_ask(rig->iommu, &ask, probe).fault, 260);
		ask.requester = RIG_DEV + 1;
		expect_u64(hw_translate_ask(rig->iommu, &ask, probe).fault, 258);
		ask.requester = RIG_DEV;
	}
}

/* ---- Device TLBs ----------------------------------------------------------------------------- */

static struct hw_translation ask(struct rig *rig, u64 iova, bool write)
{
	return hw_ats_answer(rig->iommu, RIG_DEV, iova, write);
}

/* EN_ATS, in the context: without it neither asking nor using the answer is allowed. */
static void device_tlbs_are_the_contexts_to_allow(void **state)
{
	struct rig *rig = *state;
	struct hw_context context = rig->context;

	rig->iommu->walker.device_tlb = true;
	rig_put(rig, IOVA, LEAF(0x5000));
	expect_u64(ask(rig, IOVA, true).fault, 260);
	expect_u64(hw_ats_check(rig->iommu, RIG_DEV, 0x5000, true).fault, 260);
	context.device_tlb = true;
	rig_set(rig, context);
	rig_forget(rig);
	expect_u64(ask(rig, IOVA, true).phys, 0x5000);
	expect_u64(hw_ats_check(rig->iommu, RIG_DEV, 0x5000, true).fault, 0);
	expect_u64(hw_ats_check(rig->iommu, RIG_DEV + 1, 0x5000, true).fault, 258);
}

/*
 * trust: RISC-V's answers to translation requests: a page fault is an answer
 * | our reading of the facts: 2.6
 */
static void a_missing_right_is_an_answer_and_no_fault(void **state)
{
	struct rig *rig = *state;
	struct hw_context context = rig->context;
	struct hw_translation found;

	rig->iommu->walker.device_tlb = true;
	context.device_tlb = true;
	rig_set(rig, context);
	rig_put(rig, IOVA, LEAF(0x5000) & ~4ULL);
	found = ask(rig, IOVA, true);
	expect_u64(found.fault, 0);
	expect_u64(found.allows, 1);
	found = ask(rig, IOVA + 0x1000, true);
	expect_u64(found.fault, 0);
	expect_u64(found.allows, 0);
	/* A table where no memory is. */
	put_entry(&rig->bench->hw.ram, ROOT + 0x1000, 1, TABLE(SZ_1G * 2ULL));
	expect_u64(ask(rig, SZ_2M, true).fault, 7);
	expect_u64(ask(rig, SZ_2M, false).fault, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

TEST_MAIN(TEST(a_context_that_is_not_valid_lets_nothing_through),
	  TEST(a_context_that_asks_for_too_much_is_misconfigured),
	  TEST(a_bare_context_lets_addresses_pass), TEST(addresses_repeat_their_highest_bit),
	  TEST(without_marks_a_page_is_not_to_be_used), TEST(a_page_of_64_kib_is_cached_whole),
	  TEST(a_range_is_told_with_what_it_allows), TEST(a_range_of_fewer_levels_has_signs),
	  TEST(a_record_says_what_was_asked), TEST(a_request_with_a_pasid_is_disallowed),
	  TEST(device_tlbs_are_the_contexts_to_allow),
	  TEST(a_missing_right_is_an_answer_and_no_fault))
