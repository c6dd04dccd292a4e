/* SPDX-License-Identifier: MIT */
/*
 * Invalidations of functions' TLBs: what they cover, whom they reach, and what happens when nobody
 * answers (facts "iova-and-page-tables" 3.2, 3.6, 2.6).
 */
#include "ats.h"

#include <errno.h>

/* ---- Invalidation ---------------------------------------------------------------------------- */

/* The IOTLB's command alone is not enough, nor is the device's alone: it asks a stale IOTLB. */
static void both_caches_must_be_emptied_the_devices_last(void **state)
{
	struct ats *ats = *state;

	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	yard_map(ats->yard, PAGE_AT, 0, 0);
	expect_ok(ats_run(ats, 0x12, 0));
	expect_u64(write_byte(ats, PAGE_AT).done, 1); /* its own TLB */
	expect_ok(ats_invalidate(ats, SMART_ID, PAGE_AT));
	assert_int_equal(write_byte(ats, PAGE_AT).status, HW_TRANSFER_FAULT);

	yard_map(ats->yard, PAGE_AT, PHYS, ENTRY_RW);
	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	yard_map(ats->yard, PAGE_AT, 0, 0);
	expect_ok(ats_invalidate(ats, SMART_ID, PAGE_AT));
	expect_u64(write_byte(ats, PAGE_AT).done, 1); /* fetched again */
	expect_ok(ats_run(ats, 0x12, 0));
	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	expect_ok(ats_invalidate(ats, SMART_ID, PAGE_AT));
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
		expect_ok(ats_invalidate(ats, SMART_ID, row[i].high));
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
	expect_ok(ats_invalidate(ats, (u16)hw_function_sbdf(twin), 0x7ffffffffffff001ULL));
	expect_u64(write_byte(ats, PAGE_AT).done, 1);
	expect_u64(ats->hw->costs.ats_requests, 1);
	/* One whose ATS is off has nothing, and answers. */
	bench_set_ats(ats->smart, 0);
	expect_ok(ats_invalidate(ats, SMART_ID, 0x7ffffffffffff001ULL));
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
	expect_ok(ats_run(ats, 0x25 | 9ULL << 32, 0x6000));
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
	expect_ok(ats_invalidate(ats, SMART_ID, PAGE_AT));
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, ats_setup, ats_teardown)

TEST_MAIN(TEST(both_caches_must_be_emptied_the_devices_last),
	  TEST(an_invalidation_covers_its_window_and_no_more),
	  TEST(an_invalidation_reaches_the_function_it_names), TEST(a_device_that_hangs_times_out),
	  TEST(nobody_answers_for_a_function_that_is_not_there_or_has_no_ats))
