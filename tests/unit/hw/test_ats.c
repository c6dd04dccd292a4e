/* SPDX-License-Identifier: MIT */
/*
 * Address translation services: the capability, a function's TLB, what the unit makes of requests
 * that come out of it, and the invalidations that reach it (facts "iova-and-page-tables" 3.1 to
 * 3.3, 2.6; PCI Express [M]).
 *
 *   yard with one more function, 03:01.0 `smart`, beside left
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "yard.h"

#define ENABLE	0x8000
#define PAGE_AT 0x40000000ULL
#define PHYS	0x00700000ULL
#define OTHER	0x00900000ULL

#define SMART_ID 0x0308

struct ats {
	struct yard *yard;
	struct hw *hw;
	struct hw_iommu *iommu;
	struct hw_function *smart;
	u32 timed_out;
	struct hw_invalidation late;
};

static void note_timed_out(void *cookie, struct hw_iommu *iommu, const struct hw_invalidation *what)
{
	struct ats *ats = cookie;

	assert_ptr_equal(iommu, ats->iommu);
	ats->timed_out++;
	ats->late = *what;
}

static void set_context(struct ats *ats, u16 requester, u8 type, bool device_tlb)
{
	expect_ok(hw_context_set(ats->iommu, requester,
				 (struct hw_context){ .type = type,
						      .levels = 4,
						      .domain = 1,
						      .root = ats->yard->tables.root,
						      .device_tlb = device_tlb }));
}

static int setup(void **state)
{
	struct ats *ats = calloc(1, sizeof(*ats));

	if (!ats || yard_setup(state))
		return -1;
	ats->yard = *state;
	*state = ats;
	ats->hw = ats->yard->hw;
	yard_iommu(ats->yard);
	ats->iommu = ats->yard->iommu;
	ats->iommu->walker.device_tlb = true;
	ats->smart = bench_add(
		ats->yard->bench, ats->yard->down[0]->secondary,
		&(struct bench_function){
			.devfn = 0x08, .ats = true, .ats_bits = 0x0025, .tlb_entries = 4 });
	bench_command(ats->smart, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	ats->hw->hooks = (struct hw_hooks){ .cookie = ats, .timed_out = note_timed_out };
	set_context(ats, SMART_ID, HW_CONTEXT_TRANSLATE, true);
	yard_map(ats->yard, PAGE_AT, PHYS, ENTRY_RW);
	bench_set_ats(ats->smart, ENABLE);
	return 0;
}

static int teardown(void **state)
{
	struct ats *ats = *state;
	void *yard = ats->yard;

	free(ats);
	return yard_teardown(&yard);
}

static struct hw_transfer write_byte(struct ats *ats, u64 iova)
{
	return hw_engine_write(ats->smart, iova, "x", 1);
}

static struct hw_transfer read_byte(struct ats *ats, u64 iova)
{
	u8 byte;

	return hw_engine_read(ats->smart, iova, &byte, 1);
}

static u8 memory_at(struct ats *ats, phys_addr_t phys)
{
	u8 byte = 0;

	ram_read(&ats->hw->ram, phys, &byte, 1);
	return byte;
}

static int run(struct ats *ats, u64 low, u64 high)
{
	u64 words[2] = { htole64(low), htole64(high) };

	return hw_queue_execute(ats->iommu, words, sizeof(words));
}

/* Words of a VT-d descriptor: type 3, requester in 47:32; S in bit 0 of the second. */
static int invalidate(struct ats *ats, u16 requester, u64 high)
{
	return run(ats, 0x3 | (u64)requester << 32, high);
}

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
		set_context(ats, SMART_ID, types[i], false);
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
	set_context(ats, SMART_ID, HW_CONTEXT_PASIDS, false);
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
	set_context(ats, SMART_ID, HW_CONTEXT_TRANSLATE, false);
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

	set_context(ats, SMART_ID, HW_CONTEXT_ABSENT, false);
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

/* ---- Invalidation ---------------------------------------------------------------------------- */

/* The IOTLB's command alone is not enough, nor is the device's alone: it asks a stale IOTLB. */
static void both_caches_must_be_emptied_the_devices_last(void **state)
{
	struct ats *ats = *state;

	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	yard_map(ats->yard, PAGE_AT, 0, 0);
	expect_ok(run(ats, 0x12, 0));
	expect_u64(write_byte(ats, PAGE_AT).done, 1); /* its own TLB */
	expect_ok(invalidate(ats, SMART_ID, PAGE_AT));
	assert_int_equal(write_byte(ats, PAGE_AT).status, HW_TRANSFER_FAULT);

	yard_map(ats->yard, PAGE_AT, PHYS, ENTRY_RW);
	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	yard_map(ats->yard, PAGE_AT, 0, 0);
	expect_ok(invalidate(ats, SMART_ID, PAGE_AT));
	expect_u64(write_byte(ats, PAGE_AT).done, 1); /* fetched again */
	expect_ok(run(ats, 0x12, 0));
	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	expect_ok(invalidate(ats, SMART_ID, PAGE_AT));
	assert_int_equal(write_byte(ats, PAGE_AT).status, HW_TRANSFER_FAULT);
	expect_u64(ats->hw->costs.device_tlb_invalidations, 3);
}

/* S: the lowest 0 from bit 12 on is the size: 8 KiB for bit 12 (facts 3.2). */
static void an_invalidation_covers_its_window_and_no_more(void **state)
{
	static const struct {
		u64 high;
		u32 gone; /* pages 0 to 3, a bit each */
	} row[] = {
		{ PAGE_AT, 0x1 },
		{ PAGE_AT + 0x3000, 0x8 },
		{ PAGE_AT | 1, 0x3 },
		{ (PAGE_AT + 0x2000) | 1, 0xc },
		{ (PAGE_AT + 0x1000) | 1, 0xf },
		{ (PAGE_AT + 0x4000) | 1, 0 },
		{ 0x7ffffffffffff000ULL | 1, 0xf },
		{ PAGE_AT - 0x1000, 0 },
	};
	struct ats *ats = *state;

	for (u64 page = 1; page < 4; page++)
		yard_map(ats->yard, PAGE_AT + page * 0x1000, PHYS + page * 0x1000, ENTRY_RW);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		for (u64 page = 0; page < 4; page++)
			write_byte(ats, PAGE_AT + page * 0x1000);
		expect_ok(invalidate(ats, SMART_ID, row[i].high));
		for (u64 page = 0; page < 4; page++) {
			u64 asked = ats->hw->costs.ats_requests;

			write_byte(ats, PAGE_AT + page * 0x1000);
			expect_u64(ats->hw->costs.ats_requests - asked, row[i].gone >> page & 1);
		}
	}
}

static void an_invalidation_reaches_the_function_it_names(void **state)
{
	struct ats *ats = *state;
	struct hw_function *twin =
		bench_add(ats->yard->bench, ats->yard->down[0]->secondary,
			  &(struct bench_function){ .devfn = 0x10, .ats = true });

	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	expect_ok(invalidate(ats, (u16)hw_function_sbdf(twin), 0x7ffffffffffff001ULL));
	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	expect_u64(ats->hw->costs.ats_requests, 1);
	/* One whose ATS is off has nothing, and answers. */
	bench_set_ats(ats->smart, 0);
	expect_ok(invalidate(ats, SMART_ID, 0x7ffffffffffff001ULL));
}

/* ---- Time-outs ------------------------------------------------------------------------------- */

#define MINUTE 60000000000ULL
#define ITE    0x40U /* FSTS, bit 6 */

static void expect_time_out(struct ats *ats, u16 requester)
{
	u64 now = ats->hw->world->clock.now_ns;
	const u64 commands[6] = { htole64(0x3 | (u64)requester << 32),
				  htole64(PAGE_AT),
				  htole64(0x25 | 7ULL << 32),
				  htole64(0x6000),
				  htole64(0x12),
				  0 };

	ats->timed_out = 0;
	expect_ok(hw_queue_submit(ats->iommu, commands, sizeof(commands)));
	expect_error(hw_queue_wait(ats->iommu), -ETIMEDOUT);
	expect_u64(ats->iommu->fault_status, ITE);
	expect_u64(ats->hw->world->clock.now_ns - now, MINUTE);
	expect_u64(memory_at(ats, 0x6000), 0);
	expect_u64(ats->timed_out, 1);
	expect_u64(ats->late.requester, requester);
	expect_u64(ats->late.start, PAGE_AT);
	/* It stands still until software has cleared the error. */
	expect_error(hw_queue_submit(ats->iommu, commands, sizeof(commands)), -ETIMEDOUT);
	expect_error(hw_queue_wait(ats->iommu), -ETIMEDOUT);
	hw_queue_resume(ats->iommu);
	expect_u64(ats->iommu->fault_status, 0);
	expect_ok(run(ats, 0x25 | 9ULL << 32, 0x6000));
	expect_u64(memory_at(ats, 0x6000), 9);
	ram_write(&ats->hw->ram, 0x6000, "\0", 1);
}

static void a_device_that_hangs_times_out(void **state)
{
	struct ats *ats = *state;

	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	ats->smart->hung = true;
	expect_time_out(ats, SMART_ID);
	/* Nothing was emptied. */
	yard_map(ats->yard, PAGE_AT, 0, 0);
	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	ats->smart->hung = false;
	expect_ok(invalidate(ats, SMART_ID, PAGE_AT));
	expect_u64(ats->hw->costs.device_tlb_timeouts, 1);
}

static void nobody_answers_for_a_function_that_is_not_there_or_has_no_ats(void **state)
{
	struct ats *ats = *state;

	expect_time_out(ats, 0x0310);
	expect_time_out(ats, (u16)hw_function_sbdf(ats->yard->left));
	/* Another unit's: of the second root. */
	expect_time_out(ats, (u16)hw_function_sbdf(ats->yard->far));
	expect_u64(ats->hw->costs.device_tlb_timeouts, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
	  TEST(a_port_that_does_not_master_passes_none),
	  TEST(both_caches_must_be_emptied_the_devices_last),
	  TEST(an_invalidation_covers_its_window_and_no_more),
	  TEST(an_invalidation_reaches_the_function_it_names), TEST(a_device_that_hangs_times_out),
	  TEST(nobody_answers_for_a_function_that_is_not_there_or_has_no_ats))
