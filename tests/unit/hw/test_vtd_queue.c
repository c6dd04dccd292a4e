/* SPDX-License-Identifier: MIT */
/*
 * Invalidation commands, encoded here by hand from facts "iova-and-page-tables" 3.2, and what they
 * do to the cache.
 *
 *   IOTLB   word 0   type 2 in 3:0, granularity 5:4 (1 global, 2 domain, 3 page), DW 6, DR 7,
 *                    domain 31:16
 *           word 1   AM 5:0, IH 6, address 63:12
 *   wait    word 0   type 5 in 3:0, interrupt 4, status write 5, fence 6, data 63:32
 *           word 1   status address 63:2
 */
#include "queue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void a_global_command_takes_everything(void **state)
{
	struct queue *queue = *state;

	expect_ok(queue_run(queue, (struct command){ { 0x12, 0 } }));
	queue_expect_left(queue, 0);
	expect_u64(queue->invalidated, 1);
	assert_true(queue->last.all_domains);
	expect_u64(queue->last.start, 0);
	expect_u64(queue->last.last, ~0ULL);
	assert_false(queue->last.leaf_only);
}

static void a_domain_command_takes_one_domain(void **state)
{
	struct queue *queue = *state;

	expect_ok(queue_run(queue, (struct command){ { 0x22 | 0x0201ULL << 16, 0 } }));
	queue_expect_left(queue, QUEUE_ALL & ~(QUEUE_4K | QUEUE_4K_NEXT | QUEUE_2M | QUEUE_1G));
	assert_false(queue->last.all_domains);
	expect_u64(queue->last.domain, 0x0201);
	expect_u64(queue->last.start, 0);
	expect_u64(queue->last.last, ~0ULL);
}

static void a_page_command_takes_one_page_of_one_domain(void **state)
{
	struct queue *queue = *state;

	expect_ok(queue_run(queue, (struct command){ { 0x32 | 0x0201ULL << 16, QUEUE_4K_AT } }));
	queue_expect_left(queue, QUEUE_ALL & ~QUEUE_4K);
	expect_u64(queue->last.domain, 0x0201);
	expect_u64(queue->last.start, QUEUE_4K_AT);
	expect_u64(queue->last.last, QUEUE_4K_AT + 0xfff);
}

/* The domain has 16 bits: no other field may leak into it, nor be mistaken for it. */
static void every_bit_of_the_domain_counts(void **state)
{
	struct queue *queue = *state;

	for (u32 bit = 0; bit < 16; bit++) {
		u16 domain = (u16)(0x0201 ^ 1U << bit);

		expect_ok(queue_run(queue,
				    (struct command){ { 0x32 | (u64)domain << 16, QUEUE_4K_AT } }));
		expect_u64(queue->last.domain, domain);
		queue_expect_left(queue, QUEUE_ALL & ~(domain == 0x0301 ? QUEUE_OTHER : 0));
		queue_fill(queue);
	}
}

/* AM is the log2 of the number of pages; the address bits below that are ignored. */
static void the_address_mask_sets_the_window(void **state)
{
	struct queue *queue = *state;

	for (u64 mask = 0; mask <= QUEUE_MAMV; mask++) {
		u64 bytes = 0x1000ULL << mask;

		for (u64 bit = 12; bit < 64; bit++) {
			u64 address = QUEUE_4K_AT ^ 1ULL << bit;

			expect_ok(queue_run(queue, (struct command){ { 0x32 | 0x0201ULL << 16,
								       address | mask } }));
			expect_u64(queue->last.start, address & ~(bytes - 1));
			expect_u64(queue->last.last, address | (bytes - 1));
		}
	}
}

/*
 *   window of 2 pages   |--------|            takes the page and its neighbour, and any large page
 *   2M                  |--------------...|   that it touches
 */
static void a_window_takes_what_it_touches(void **state)
{
	static const struct {
		u64 address;
		u64 mask;
		u32 taken;
	} row[] = {
		{ QUEUE_4K_AT, 1, QUEUE_4K | QUEUE_4K_NEXT },
		{ QUEUE_4K_AT + 0x1000, 1, QUEUE_4K | QUEUE_4K_NEXT },
		{ QUEUE_4K_AT + 0x1000, 0, QUEUE_4K_NEXT },
		{ QUEUE_4K_AT + 0x2000, 1, 0 },
		{ QUEUE_2M_AT, 0, QUEUE_2M },
		{ QUEUE_2M_AT + 0x1ff000, 0, QUEUE_2M },
		{ QUEUE_2M_AT + 0x200000, 0, 0 },
		{ QUEUE_2M_AT - 0x1000, 0, 0 },
		{ QUEUE_1G_AT + 0x3ffff000, 0, QUEUE_1G },
		{ QUEUE_1G_AT, 18, QUEUE_1G },
		{ 0, 18, QUEUE_4K | QUEUE_4K_NEXT | QUEUE_2M },
	};
	struct queue *queue = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		expect_ok(queue_run(queue, (struct command){ { 0x32 | 0x0201ULL << 16,
							       row[i].address | row[i].mask } }));
		queue_expect_left(queue, QUEUE_ALL & ~row[i].taken);
		queue_fill(queue);
	}
}

/* CAP.MAMV is the largest AM the unit takes. */
static void a_mask_beyond_the_units_limit_is_rejected(void **state)
{
	struct queue *queue = *state;

	for (u64 mask = QUEUE_MAMV + 1; mask < 64; mask++) {
		expect_error(queue_run(queue, (struct command){ { 0x32 | 0x0201ULL << 16, mask } }),
			     -EINVAL);
		expect_u64(queue->rejected, 1);
		queue_expect_left(queue, QUEUE_ALL);
		queue->rejected = 0;
		hw_queue_resume(queue->iommu);
	}
	/* In the other forms the field means nothing. */
	expect_ok(queue_run(queue, (struct command){ { 0x12, 63 } }));
	expect_ok(queue_run(queue, (struct command){ { 0x22, 63 } }));
}

static void a_unit_with_another_limit_takes_other_masks(void **state)
{
	struct queue *queue = *state;

	for (u8 limit = 0; limit <= 52; limit += 4) {
		queue->iommu->max_address_mask = limit;
		expect_ok(queue_run(queue, (struct command){ { 0x32, limit } }));
		expect_u64(queue->last.start, 0);
		expect_u64(queue->last.last, limit == 52 ? ~0ULL : (0x1000ULL << limit) - 1);
		expect_error(queue_run(queue, (struct command){ { 0x32, limit + 1U } }), -EINVAL);
		hw_queue_resume(queue->iommu);
	}
}

/* IH: only leaf entries changed. It is passed on, and only page commands have it. */
static void the_invalidation_hint_is_passed_on(void **state)
{
	struct queue *queue = *state;

	expect_ok(queue_run(queue, (struct command){ { 0x32, 1 << 6 } }));
	assert_true(queue->last.leaf_only);
	expect_ok(queue_run(queue, (struct command){ { 0x32, 0 } }));
	assert_false(queue->last.leaf_only);
	expect_ok(queue_run(queue, (struct command){ { 0x22, 1 << 6 } }));
	assert_false(queue->last.leaf_only);
}

static void draining_is_accepted_and_passed_on(void **state)
{
	static const u64 drain[] = { 0, 1 << 6, 1 << 7, 3 << 6 };
	struct queue *queue = *state;

	for (int i = 0; i < 4; i++) {
		expect_ok(queue_run(queue, (struct command){ { 0x12 | drain[i], 0 } }));
		expect_ok(queue_run(queue, (struct command){ { 0x22 | drain[i], 0 } }));
		expect_ok(queue_run(queue, (struct command){ { 0x32 | drain[i], 0 } }));
	}
	expect_u64(queue->invalidated, 12);
	for (u64 granularity = 1; granularity <= 3; granularity++) {
		for (int i = 0; i < 4; i++) {
			expect_ok(queue_run(
				queue, (struct command){ { 0x2 | granularity << 4 | drain[i] } }));
			assert_int_equal(queue->last.drain_writes, drain[i] >> 6 & 1);
			assert_int_equal(queue->last.drain_reads, drain[i] >> 7 & 1);
		}
	}
}

/* ---- Wait ------------------------------------------------------------------------------------ */

static void a_wait_writes_its_status(void **state)
{
	struct queue *queue = *state;
	u8 seen[12];

	memset(seen, 0xee, sizeof(seen));
	ram_write(&queue->bench->hw.ram, 0x5ffc, seen, sizeof(seen));
	expect_ok(queue_run(queue, (struct command){ { 0x25 | 0x11223344ULL << 32, 0x6000 } }));
	ram_read(&queue->bench->hw.ram, 0x5ffc, seen, sizeof(seen));
	/* 32 bits, little-endian, and nothing beside them. */
	assert_memory_equal(seen, "\xee\xee\xee\xee\x44\x33\x22\x11\xee\xee\xee\xee", 12);
	expect_u64(queue->waited, 1);
	expect_u64(queue->invalidated, 0);
}

static void a_wait_without_status_writes_nothing(void **state)
{
	struct queue *queue = *state;
	u8 seen[4];

	ram_write(&queue->bench->hw.ram, 0x6000, "\xee\xee\xee\xee", 4);
	expect_ok(queue_run(queue, (struct command){ { 0x45 | 0x11223344ULL << 32, 0x6000 } }));
	ram_read(&queue->bench->hw.ram, 0x6000, seen, 4);
	assert_memory_equal(seen, "\xee\xee\xee\xee", 4);
	expect_u64(queue->waited, 1);
}

static void a_status_may_be_at_any_multiple_of_4(void **state)
{
	struct queue *queue = *state;

	for (u64 at = 0x6000; at < 0x6020; at += 4) {
		u8 seen[4];

		expect_ok(queue_run(queue, (struct command){ { 0x25 | at << 32, at } }));
		ram_read(&queue->bench->hw.ram, at, seen, 4);
		expect_u64(seen[0] | (u64)seen[1] << 8, at);
	}
}

static void a_wait_may_interrupt_and_fence(void **state)
{
	struct queue *queue = *state;

	expect_ok(queue_run(queue, (struct command){ { 0x15, 0 } }));
	expect_u64(queue->bench->hw.costs.wait_interrupts, 1);
	expect_ok(queue_run(queue, (struct command){ { 0x45, 0 } }));
	expect_u64(queue->bench->hw.costs.wait_interrupts, 1);
	expect_ok(queue_run(queue, (struct command){ { 0x75 | 9ULL << 32, 0x6000 } }));
	expect_u64(queue->bench->hw.costs.wait_interrupts, 2);
	/* Those are the unit's own; no device sent a message. */
	expect_u64(queue->bench->hw.costs.interrupts, 0);
	expect_u64(queue->waited, 3);
}

/* ---- Batches --------------------------------------------------------------------------------- */

static void commands_are_executed_in_order(void **state)
{
	static const struct command batch[] = {
		{ { 0x32 | 0x0201ULL << 16, QUEUE_4K_AT } },
		{ { 0x25 | 1ULL << 32, 0x6000 } },
		{ { 0x22 | 0x0301ULL << 16, 0 } },
		{ { 0x25 | 2ULL << 32, 0x6000 } },
	};
	struct queue *queue = *state;
	u8 seen[4];

	expect_ok(queue_run_all(queue, batch, 4));
	expect_u64(queue->invalidated, 2);
	expect_u64(queue->waited, 2);
	expect_u64(queue->last.domain, 0x0301);
	ram_read(&queue->bench->hw.ram, 0x6000, seen, 4);
	assert_int_equal(seen[0], 2);
	queue_expect_left(queue, QUEUE_ALL & ~(QUEUE_4K | QUEUE_OTHER));
	assert_string_equal(queue->order, "iwiw");
}

static void waits_are_not_counted_as_invalidations(void **state)
{
	struct queue *queue = *state;

	queue_run(queue, (struct command){ { 0x12, 0 } });
	queue_run(queue, (struct command){ { 0x25, 0x6000 } });
	queue_run(queue, (struct command){ { 0x32, 0 } });
	expect_u64(queue->bench->hw.costs.invalidations, 2);
}

/* As include/dmasim/trace.h has it; waits leave no line. */
static void invalidations_stand_in_the_trace(void **state)
{
	static const struct command batch[] = {
		{ { 0x12, 0 } },
		{ { 0x22 | 0x0201ULL << 16, 0 } },
		{ { 0x32 | 0x0201ULL << 16, 0x12345000 | 0x40 | 4 } },
		{ { 0x25, 0x6000 } },
	};
	struct queue *queue = *state;
	struct trace *trace = &queue->bench->world.trace;
	char text[512] = "";

	trace->file = fmemopen(text, sizeof(text), "w");
	expect_ok(queue_run_all(queue, batch, 4));
	fclose(trace->file);
	trace->file = NULL;
	assert_string_equal(text, "t=0 cpu=0 qi_iotlb unit=6 granularity=global ih=0\n"
				  "t=0 cpu=0 qi_iotlb unit=6 granularity=domain dom=513 ih=0\n"
				  "t=0 cpu=0 qi_iotlb unit=6 granularity=page dom=513 "
				  "dma=0x12340000 size=65536 ih=1\n");
}

static void a_trace_nobody_wants_changes_nothing(void **state)
{
	struct queue *queue = *state;

	queue->bench->world.trace.on = false;
	expect_ok(queue_run(queue, (struct command){ { 0x32 | 0x0201ULL << 16, QUEUE_4K_AT } }));
	queue_expect_left(queue, QUEUE_ALL & ~QUEUE_4K);
	expect_u64(queue->invalidated, 1);
	expect_u64(queue->bench->world.trace.lines, 0);
}

static void nothing_is_nothing(void **state)
{
	struct queue *queue = *state;

	expect_ok(hw_queue_execute(queue->iommu, NULL, 0));
	expect_u64(queue->iommu->fault_status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

TEST_MAIN(TEST(a_global_command_takes_everything), TEST(a_domain_command_takes_one_domain),
	  TEST(a_page_command_takes_one_page_of_one_domain), TEST(every_bit_of_the_domain_counts),
	  TEST(the_address_mask_sets_the_window), TEST(a_window_takes_what_it_touches),
	  TEST(a_mask_beyond_the_units_limit_is_rejected),
	  TEST(a_unit_with_another_limit_takes_other_masks),
	  TEST(the_invalidation_hint_is_passed_on), TEST(draining_is_accepted_and_passed_on),
	  TEST(a_wait_writes_its_status), TEST(a_wait_without_status_writes_nothing),
	  TEST(a_status_may_be_at_any_multiple_of_4), TEST(a_wait_may_interrupt_and_fence),
	  TEST(commands_are_executed_in_order), TEST(waits_are_not_counted_as_invalidations),
	  TEST(invalidations_stand_in_the_trace), TEST(a_trace_nobody_wants_changes_nothing),
	  TEST(nothing_is_nothing))
