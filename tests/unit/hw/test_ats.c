/* SPDX-License-Identifier: MIT */
/*
 * Address translation services: the capability, a function's TLB, and what the unit makes of
 * requests that come out of it (facts "iova-and-page-tables" 3.1, 2.6; PCI Express [M]).
 */
#include "ats.h"

/* ---- The capability -------------------------------------------------------------------------- */

static void only_the_control_word_can_be_written(void **state)
{
	struct ats *ats = *state;

	expect_u64(ats->smart->ats_at, BENCH_ATS_AT);
	hw_config_write(ats->smart, BENCH_ATS_AT, 4, ~0U);
	hw_config_write(ats->smart, BENCH_ATS_AT + 4, 4, ~0U);
	expect_u64(hw_config_read(ats->smart, BENCH_ATS_AT, 4), 0x0001000f);
	/* Enable 15 and STU 4:0 of the control word; queue depth 5, page aligned. */
	expect_u64(hw_config_read(ats->smart, BENCH_ATS_AT + 4, 4), 0x801f0025);
	assert_true(ats->smart->ats_enabled);
	bench_set_ats(ats->smart, 0x001f);
	assert_false(ats->smart->ats_enabled);
}

static void a_function_without_it_has_no_such_registers(void **state)
{
	struct ats *ats = *state;

	expect_u64(ats->yard->left->ats_at, 0);
	hw_config_write(ats->yard->left, BENCH_ATS_AT + 4, 4, ~0U);
	expect_u64(hw_config_read(ats->yard->left, BENCH_ATS_AT + 4, 4), 0);
	assert_false(ats->yard->left->ats_enabled);
}

static void without_memory_for_a_tlb_there_is_no_function(void **state)
{
	struct ats *ats = *state;
	u8 config[4096] = { [0x100] = 0x0f, [0x102] = 0x01 };
	struct hw_function_desc desc = { .devfn = 0x10, .config = config, .config_bytes = 4096 };
	u64 live = bench_live(ats->yard->bench);
	struct hw_function *function = NULL;

	for (u64 nth = 1; !function; nth++) {
		expect_u64(bench_live(ats->yard->bench), live);
		bench_fail(ats->yard->bench, nth);
		function = hw_function_add(ats->hw, ats->yard->down[0]->secondary, &desc);
		assert_true(nth < 10);
	}
	bench_fail(ats->yard->bench, 0);
	expect_u64(function->ats_at, 0x100);
	hw_function_remove(function);
	expect_u64(bench_live(ats->yard->bench), live);
}

/* ---- Its TLB --------------------------------------------------------------------------------- */

static void a_miss_asks_and_a_hit_does_not(void **state)
{
	const struct hw_costs *costs = &((struct ats *)*state)->hw->costs;
	struct ats *ats = *state;

	expect_u64(write_byte(ats, PAGE_AT + 5).done, 1);
	expect_u64(memory_at(ats, PHYS + 5), 'x');
	expect_u64(costs->ats_requests, 1);
	expect_u64(costs->device_tlb_misses, 1);
	expect_u64(costs->device_tlb_hits, 0);
	expect_u64(costs->iotlb_misses, 1);
	for (int i = 0; i < 3; i++)
		expect_u64(read_byte(ats, PAGE_AT + 0xfff).done, 1);
	expect_u64(costs->ats_requests, 1);
	expect_u64(costs->device_tlb_hits, 3);
	expect_u64(costs->iotlb_misses, 1);
	expect_u64(costs->iotlb_hits, 0);
	/* Memory requests; translation requests are none. */
	expect_u64(costs->tlps, 4);
}

static void a_long_transfer_asks_once_for_each_page(void **state)
{
	struct ats *ats = *state;
	u8 bytes[2 * 4096] = { 1 };

	yard_map(ats->yard, PAGE_AT + 0x1000, OTHER, ENTRY_RW);
	expect_u64(hw_engine_write(ats->smart, PAGE_AT, bytes, sizeof(bytes)).done, sizeof(bytes));
	expect_u64(ats->hw->costs.ats_requests, 2);
	expect_u64(ats->hw->costs.device_tlb_misses, 2);
	/* 128 bytes each; the first of each page is a miss. */
	expect_u64(ats->hw->costs.device_tlb_hits, 62);
	expect_u64(ats->hw->costs.tlps, 64);
	expect_u64(ats->hw->costs.iotlb_hits, 0);
}

static void a_large_page_is_one_entry(void **state)
{
	struct ats *ats = *state;

	tables_put(&ats->yard->tables, 0x80000000, 1, 0x00200000 | ENTRY_RW | ENTRY_LEAF);
	expect_u64(write_byte(ats, 0x80000000).done, 1);
	expect_u64(write_byte(ats, 0x801ff123).done, 1);
	expect_u64(memory_at(ats, 0x003ff123), 'x');
	expect_u64(ats->hw->costs.ats_requests, 1);
}

/* Who is read-only asks again for a write, and hears the same. */
static void permissions_are_kept_with_the_translation(void **state)
{
	struct ats *ats = *state;
	struct hw_transfer result;

	yard_map(ats->yard, PAGE_AT, PHYS, ENTRY_R);
	expect_u64(read_byte(ats, PAGE_AT).done, 1);
	expect_u64(read_byte(ats, PAGE_AT).done, 1);
	expect_u64(ats->hw->costs.ats_requests, 1);
	result = write_byte(ats, PAGE_AT);
	assert_int_equal(result.status, HW_TRANSFER_FAULT);
	expect_u64(result.fault, 0);
	expect_u64(ats->hw->costs.ats_requests, 2);
	/* More is allowed now: it was not cached that it is not. */
	yard_map(ats->yard, PAGE_AT, PHYS, ENTRY_RW);
	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	expect_u64(read_byte(ats, PAGE_AT).done, 1);
	expect_u64(ats->hw->costs.ats_requests, 3);
}

static void a_page_for_writes_only_is_answered_so(void **state)
{
	struct ats *ats = *state;

	yard_map(ats->yard, PAGE_AT, PHYS, ENTRY_W);
	assert_int_equal(read_byte(ats, PAGE_AT).status, HW_TRANSFER_FAULT);
	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	expect_u64(ats->iommu->fault_count, 0);
}

/* No fault: an answer without permissions, and nothing is kept of it. */
static void what_is_not_mapped_is_no_fault(void **state)
{
	struct ats *ats = *state;
	struct hw_transfer result = write_byte(ats, 0x50000000);

	assert_int_equal(result.status, HW_TRANSFER_FAULT);
	expect_u64(result.done, 0);
	expect_u64(result.address, 0x50000000);
	expect_u64(result.fault, 0);
	expect_u64(ats->iommu->fault_count, 0);
	expect_u64(ats->iommu->fault_status, 0);
	expect_u64(ats->smart->device_tlb.valid, 0);
	yard_map(ats->yard, 0x50000000, OTHER, ENTRY_RW);
	expect_u64(write_byte(ats, 0x50000000).done, 1);
}

/* A malformed entry is one, whoever asks. */
static void other_faults_of_a_walk_are_recorded(void **state)
{
	struct ats *ats = *state;
	struct hw_fault_record record;

	yard_map(ats->yard, PAGE_AT, PHYS, ENTRY_RW | 1ULL << 50);
	expect_u64(write_byte(ats, PAGE_AT).fault, 0x0c);
	assert_true(hw_fault_take(ats->iommu, &record));
	expect_u64(record.word[1] & 0xffff, SMART_ID);
	expect_u64(record.word[0], PAGE_AT);
}

static void a_message_is_never_translated(void **state)
{
	struct ats *ats = *state;

	expect_u64(hw_engine_write(ats->smart, 0xfee01000, "\0\0\0", 4).done, 4);
	expect_u64(ats->hw->costs.interrupts, 1);
	expect_u64(ats->hw->costs.ats_requests, 0);
}

static void a_function_that_is_not_enabled_uses_no_tlb(void **state)
{
	struct ats *ats = *state;

	bench_set_ats(ats->smart, 0);
	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	expect_u64(ats->hw->costs.ats_requests, 0);
	expect_u64(ats->hw->costs.iotlb_misses, 1);
	assert_int_equal(write_byte(ats, 0x50000000).fault, 5);
	expect_u64(ats->iommu->fault_count, 1);
}

static void switching_it_off_empties_the_tlb(void **state)
{
	struct ats *ats = *state;

	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	bench_set_ats(ats->smart, 0);
	bench_set_ats(ats->smart, ENABLE);
	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	expect_u64(ats->hw->costs.ats_requests, 2);
}

/* Which entry makes room is the hardware's choice: 4 entries are one set. */
static void replacement_is_a_choice(void **state)
{
	struct ats *ats = *state;
	u32 survived = 0;

	for (u64 page = 1; page <= 4; page++)
		yard_map(ats->yard, PAGE_AT + page * 0x1000, PHYS + page * 0x1000, ENTRY_RW);
	ats->hw->world->random_choices = true;
	for (u32 round = 0; round < 64; round++) {
		u64 asked;

		bench_set_ats(ats->smart, 0);
		bench_set_ats(ats->smart, ENABLE);
		for (u64 page = 0; page <= 4; page++)
			expect_u64(write_byte(ats, PAGE_AT + page * 0x1000).done, 1);
		asked = ats->hw->costs.ats_requests;
		expect_u64(write_byte(ats, PAGE_AT).done, 1);
		survived += ats->hw->costs.ats_requests == asked;
	}
	assert_true(survived > 20 && survived < 64);
	/* In a plain run it is the oldest. */
	ats->hw->world->random_choices = false;
	bench_set_ats(ats->smart, 0);
	bench_set_ats(ats->smart, ENABLE);
	ats->hw->costs.ats_requests = 0;
	for (u64 page = 0; page <= 4; page++)
		write_byte(ats, PAGE_AT + page * 0x1000);
	write_byte(ats, PAGE_AT + 0x1000);
	expect_u64(ats->hw->costs.ats_requests, 5);
	write_byte(ats, PAGE_AT);
	expect_u64(ats->hw->costs.ats_requests, 6);
}

/* ---- The unit -------------------------------------------------------------------------------- */

static struct hw_target send(struct ats *ats, enum hw_request_type type, u64 address)
{
	struct hw_request request = {
		.from = ats->smart, .address = address, .write = true, .type = type
	};

	return hw_route(ats->hw, &request, NULL);
}

/*
 * trust: which requests of device TLBs a context lets through
 *	| our reading of the facts: VT-d translation types, reason 0xD
 */
static void a_context_without_device_tlb_blocks_both_kinds(void **state)
{
	static const u8 types[] = { HW_CONTEXT_TRANSLATE, HW_CONTEXT_PASS_THROUGH };
	struct ats *ats = *state;
	struct hw_target target;

	for (int i = 0; i < 2; i++) {
		ats_context(ats, SMART_ID, types[i], false);
		target = send(ats, HW_REQUEST_TRANSLATION, PAGE_AT);
		assert_int_equal(target.kind, HW_TARGET_FAULT);
		expect_u64(target.fault, 0xd);
		target = send(ats, HW_REQUEST_TRANSLATED, PHYS);
		assert_int_equal(target.kind, HW_TARGET_FAULT);
		expect_u64(target.fault, 0xd);
		assert_int_equal(send(ats, HW_REQUEST_UNTRANSLATED, PAGE_AT).fault, 0);
	}
	expect_u64(ats->iommu->fault_count, 4);
}

/* Device TLBs are known in legacy mode alone. */
static void in_scalable_mode_both_kinds_are_blocked(void **state)
{
	struct ats *ats = *state;

	ats->iommu->scalable = true;
	ats_context(ats, SMART_ID, HW_CONTEXT_PASIDS, false);
	expect_u64(send(ats, HW_REQUEST_TRANSLATION, PAGE_AT).fault, 0x44);
	expect_u64(send(ats, HW_REQUEST_TRANSLATED, PHYS).fault, 0x44);
	ats->iommu->scalable = false;
}

/* Without the IOTLB bit of its entry a device has no TLB: 0x8; TR tells what it wanted. */
static void amds_unit_calls_them_invalid_device_requests(void **state)
{
	struct ats *ats = *state;
	struct hw_target target;

	ats->iommu->arch = &hw_amd;
	ats_context(ats, SMART_ID, HW_CONTEXT_TRANSLATE, false);
	target = send(ats, HW_REQUEST_TRANSLATION, PAGE_AT);
	expect_u64(target.fault, 0x8);
	assert_true(target.fault_flags & 1U << 8);
	target = send(ats, HW_REQUEST_TRANSLATED, PHYS);
	expect_u64(target.fault, 0x8);
	assert_false(target.fault_flags & 1U << 8);
	ats->iommu->arch = &hw_vtd;
}

/* Its TLB is not asked, nor is anything kept. */
static void a_request_with_a_pasid_does_without(void **state)
{
	const struct hw_prefix prefix = { .present = true, .pasid = 7 };
	struct ats *ats = *state;

	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	hw_engine_write_as(ats->smart, &prefix, PAGE_AT, "x", 1);
	expect_u64(ats->hw->costs.ats_requests, 1);
	expect_u64(ats->hw->costs.device_tlb_hits, 0);
}

static void a_context_that_is_absent_says_so(void **state)
{
	struct ats *ats = *state;

	ats_context(ats, SMART_ID, HW_CONTEXT_ABSENT, false);
	expect_u64(send(ats, HW_REQUEST_TRANSLATION, PAGE_AT).fault, 2);
	expect_u64(send(ats, HW_REQUEST_TRANSLATED, PHYS).fault, 2);
}

/* The address is memory's: tables, and what they say, are not asked. */
static void a_translated_request_passes_as_it_is(void **state)
{
	struct ats *ats = *state;
	struct hw_target target = send(ats, HW_REQUEST_TRANSLATED, OTHER);

	assert_int_equal(target.kind, HW_TARGET_RAM);
	expect_u64(target.phys, OTHER);
	assert_ptr_equal(target.iommu, ats->iommu);
	expect_u64(target.domain, 1);
	expect_u64(ats->hw->costs.iotlb_misses, 0);
	expect_u64(ats->hw->costs.walk_reads, 0);
}

static void without_an_iommu_nobody_answers(void **state)
{
	struct ats *ats = *state;

	ats->yard->root[0]->iommu = NULL;
	assert_int_equal(send(ats, HW_REQUEST_TRANSLATION, PAGE_AT).kind, HW_TARGET_UNSUPPORTED);
	assert_int_equal(write_byte(ats, PAGE_AT).status, HW_TRANSFER_UNSUPPORTED);
	ats->yard->root[0]->iommu = ats->iommu;
}

/* Even if a peer claims the address that is asked about. */
static void a_translation_request_goes_to_the_root(void **state)
{
	struct ats *ats = *state;
	struct hw_target target;

	yard_map(ats->yard, RIGHT_AT, PHYS, ENTRY_RW);
	yard_map(ats->yard, LEFT_AT, PHYS, ENTRY_RW);
	target = send(ats, HW_REQUEST_TRANSLATION, RIGHT_AT);
	assert_int_equal(target.kind, HW_TARGET_TRANSLATION);
	expect_u64(target.phys, PHYS);
	assert_int_equal(send(ats, HW_REQUEST_TRANSLATION, LEFT_AT).kind, HW_TARGET_TRANSLATION);
	assert_int_equal(send(ats, HW_REQUEST_UNTRANSLATED, RIGHT_AT).kind, HW_TARGET_BAR);
}

static void a_port_that_does_not_master_passes_none(void **state)
{
	struct ats *ats = *state;

	bench_command(ats->yard->root_port, PCI_COMMAND_MEMORY);
	assert_int_equal(write_byte(ats, PAGE_AT).status, HW_TRANSFER_UNSUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ats_setup, ats_teardown)

TEST_MAIN(TEST(only_the_control_word_can_be_written),
	  TEST(a_function_without_it_has_no_such_registers),
	  TEST(without_memory_for_a_tlb_there_is_no_function), TEST(a_miss_asks_and_a_hit_does_not),
	  TEST(a_long_transfer_asks_once_for_each_page), TEST(a_large_page_is_one_entry),
	  TEST(permissions_are_kept_with_the_translation),
	  TEST(a_page_for_writes_only_is_answered_so), TEST(what_is_not_mapped_is_no_fault),
	  TEST(other_faults_of_a_walk_are_recorded), TEST(a_message_is_never_translated),
	  TEST(a_function_that_is_not_enabled_uses_no_tlb), TEST(switching_it_off_empties_the_tlb),
	  TEST(replacement_is_a_choice), TEST(a_context_without_device_tlb_blocks_both_kinds),
	  TEST(in_scalable_mode_both_kinds_are_blocked), TEST(a_request_with_a_pasid_does_without),
	  TEST(amds_unit_calls_them_invalid_device_requests),
	  TEST(a_context_that_is_absent_says_so), TEST(a_translated_request_passes_as_it_is),
	  TEST(without_an_iommu_nobody_answers), TEST(a_translation_request_goes_to_the_root),
	  TEST(a_port_that_does_not_master_passes_none))
