/* SPDX-License-Identifier: MIT */
/*
 * Commands for the other caches, encoded here by hand from facts "iova-and-page-tables" 3.2, and
 * what the unit says that they covered.
 *
 *   context      word 0   type 1, granularity 5:4 (1 global, 2 domain, 3 device), domain 31:16,
 *                         source 47:32, function mask 49:48
 *   device TLB   word 0   type 3, PFSID 3:0 in 15:12, queue depth 20:16, source 47:32,
 *                         PFSID 15:4 in 63:52
 *                word 1   S 0, address 63:12
 *   interrupts   word 0   type 4, selective 4, index mask 31:27, index 47:32
 */
#include "queue.h"

#include <stdio.h>

/* Runs it; what it covered. None of them touches the translations. */
static struct hw_invalidation covered(struct queue *queue, u64 low, u64 high)
{
	u32 before = queue->invalidated;

	expect_ok(queue_run(queue, (struct command){ { low, high } }));
	expect_u64(queue->invalidated, before + 1);
	queue_expect_left(queue, QUEUE_ALL);
	return queue->last;
}

/* ---- Contexts -------------------------------------------------------------------------------- */

static void a_global_context_command_names_nobody(void **state)
{
	struct hw_invalidation done = covered(*state, 0x11 | 0xabcdULL << 16, 0);

	expect_u64(done.what, HW_INVALIDATED_CONTEXT);
	assert_true(done.all_domains);
	expect_u64(done.requester_ignored, 0xffff);
}

static void a_domain_context_command_names_a_domain(void **state)
{
	struct hw_invalidation done = covered(*state, 0x21 | 0xabcdULL << 16 | 0x0318ULL << 32, 0);

	expect_u64(done.what, HW_INVALIDATED_CONTEXT);
	assert_false(done.all_domains);
	expect_u64(done.domain, 0xabcd);
	expect_u64(done.requester_ignored, 0xffff);
}

/* trust: function mask of a context command | our reading of the facts: 1, 2, 3 high bits */
static void a_device_context_command_names_functions(void **state)
{
	static const u16 ignored[] = { 0, 4, 6, 7 };

	for (u64 mask = 0; mask < 4; mask++) {
		struct hw_invalidation done =
			covered(*state, 0x31 | 0xabcdULL << 16 | 0x0318ULL << 32 | mask << 48, 0);

		expect_u64(done.domain, 0xabcd);
		expect_u64(done.requester, 0x0318);
		expect_u64(done.requester_ignored, ignored[mask]);
		assert_false(done.all_domains);
	}
}

static void every_bit_of_domain_and_source_of_a_context_command_counts(void **state)
{
	for (u32 bit = 0; bit < 16; bit++) {
		u64 one = 1ULL << bit;

		expect_u64(covered(*state, 0x21 | one << 16, 0).domain, one);
		expect_u64(covered(*state, 0x31 | one << 16, 0).domain, one);
		expect_u64(covered(*state, 0x31 | one << 32, 0).requester, one);
		expect_u64(covered(*state, 0x31 | one << 32, 0).domain, 0);
	}
}

static void context_commands_are_counted_and_stand_in_the_trace(void **state)
{
	struct queue *queue = *state;
	struct trace *trace = &queue->bench->world.trace;
	char text[512] = "";

	trace->file = fmemopen(text, sizeof(text), "w");
	covered(queue, 0x11, 0);
	covered(queue, 0x21 | 0x0201ULL << 16, 0);
	covered(queue, 0x31 | 0x0201ULL << 16 | 0x0318ULL << 32 | 3ULL << 48, 0);
	fclose(trace->file);
	trace->file = NULL;
	expect_u64(queue->bench->hw.costs.context_invalidations, 3);
	expect_u64(queue->bench->hw.costs.invalidations, 0);
	assert_string_equal(text, "t=0 cpu=0 qi_context unit=6 granularity=global\n"
				  "t=0 cpu=0 qi_context unit=6 granularity=domain dom=513\n"
				  "t=0 cpu=0 qi_context unit=6 granularity=device dom=513 "
				  "source=0x318 ignored=0x7\n");
}

/* ---- Device TLBs ----------------------------------------------------------------------------- */

static void a_device_tlb_command_without_s_takes_one_page(void **state)
{
	struct queue *queue = *state;
	struct hw_invalidation done = covered(queue, 0x03 | 0x0318ULL << 32, 0xfedcba9876543000ULL);

	expect_u64(done.what, HW_INVALIDATED_DEVICE_TLB);
	expect_u64(done.requester, 0x0318);
	expect_u64(done.requester_ignored, 0);
	expect_u64(done.start, 0xfedcba9876543000ULL);
	expect_u64(done.last, 0xfedcba9876543fffULL);
	expect_u64(queue->bench->hw.costs.device_tlb_invalidations, 1);
	expect_u64(queue->bench->hw.costs.invalidations, 0);
}

/* With S the lowest zero of the address says the size: bit 12 is 8 KiB, bit 13 is 16 KiB. */
static void the_lowest_zero_of_the_address_is_the_size(void **state)
{
	for (u32 zero = 12; zero < 64; zero++) {
		u64 ones = (1ULL << zero) - 1;
		u64 high = zero == 63 ? 0 : 0xa5a5a5a5a5a5a5a5ULL << zero << 1;
		u64 word = (high & ~ones & ~(1ULL << zero)) | (ones & ~0xfffULL) | 1;
		struct hw_invalidation done = covered(*state, 0x03, word);
		u64 within = zero == 63 ? ~0ULL : (2ULL << zero) - 1;

		expect_u64(done.start, word & ~0xfffULL & ~within);
		expect_u64(done.last - done.start, within);
	}
	expect_u64(covered(*state, 0x03, 0x00001001).last, 0x3fff);
	expect_u64(covered(*state, 0x03, 0x00008001).start, 0x8000);
	expect_u64(covered(*state, 0x03, 0x00008001).last, 0x9fff);
	/* No zero is left: everything. */
	expect_u64(covered(*state, 0x03, 0xfffffffffffff001ULL).start, 0);
	expect_u64(covered(*state, 0x03, 0xfffffffffffff001ULL).last, ~0ULL);
}

static void every_bit_of_source_depth_and_physical_function_counts(void **state)
{
	for (u32 bit = 0; bit < 16; bit++) {
		u64 one = 1ULL << bit;
		u64 pfsid = (one & 0xf) << 12 | one >> 4 << 52;

		expect_u64(covered(*state, 0x03 | one << 32, 0).requester, one);
		expect_u64(covered(*state, 0x03 | pfsid, 0).pf_requester, one);
		expect_u64(covered(*state, 0x03 | pfsid, 0).requester, 0);
	}
	for (u64 depth = 1; depth < 32; depth++)
		expect_u64(covered(*state, 0x03 | depth << 16, 0).queue_depth, depth);
	expect_u64(covered(*state, 0x03, 0).queue_depth, 32);
}

/* ---- Interrupt entries ----------------------------------------------------------------------- */

static void interrupt_commands_are_accepted_and_counted(void **state)
{
	static const struct {
		u64 word;
		u64 start, last;
	} row[] = {
		{ 0x04, 0, 0xffff },
		{ 0x04 | 0x1234ULL << 32, 0, 0xffff },
		{ 0x14 | 0x1234ULL << 32, 0x1234, 0x1234 },
		{ 0x14 | 0x1234ULL << 32 | 4ULL << 27, 0x1230, 0x123f },
		{ 0x14 | 0xffffULL << 32 | 16ULL << 27, 0, 0xffff },
		{ 0x14 | 0x8000ULL << 32 | 31ULL << 27, 0, 0xffff },
	};
	struct queue *queue = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct hw_invalidation done = covered(queue, row[i].word, 0);

		expect_u64(done.what, HW_INVALIDATED_INTERRUPT);
		expect_u64(done.start, row[i].start);
		expect_u64(done.last, row[i].last);
	}
	expect_u64(queue->bench->hw.costs.interrupt_invalidations, 6);
	expect_u64(queue->bench->hw.costs.invalidations, 0);
}

/* Without the flag neither index nor mask counts. */
static void every_bit_of_index_and_mask_of_an_interrupt_command_counts(void **state)
{
	for (u32 bit = 0; bit < 16; bit++) {
		u64 index = 0xffffULL ^ 1ULL << bit;
		struct hw_invalidation done = covered(*state, 0x14 | index << 32, 0);

		expect_u64(done.start, index);
		expect_u64(done.last, index);
		expect_u64(covered(*state, 0x04 | index << 32, 0).start, 0);
	}
	for (u64 mask = 0; mask < 32; mask++) {
		u64 within = mask < 16 ? (1ULL << mask) - 1 : 0xffff;
		struct hw_invalidation done =
			covered(*state, 0x14 | 0x5aa5ULL << 32 | mask << 27, 0);

		expect_u64(done.start, 0x5aa5 & ~within);
		expect_u64(done.last, 0x5aa5 | within);
		expect_u64(covered(*state, 0x04 | mask << 27, 0).last, 0xffff);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

TEST_MAIN(TEST(a_global_context_command_names_nobody),
	  TEST(a_domain_context_command_names_a_domain),
	  TEST(a_device_context_command_names_functions),
	  TEST(every_bit_of_domain_and_source_of_a_context_command_counts),
	  TEST(context_commands_are_counted_and_stand_in_the_trace),
	  TEST(a_device_tlb_command_without_s_takes_one_page),
	  TEST(the_lowest_zero_of_the_address_is_the_size),
	  TEST(every_bit_of_source_depth_and_physical_function_counts),
	  TEST(interrupt_commands_are_accepted_and_counted),
	  TEST(every_bit_of_index_and_mask_of_an_interrupt_command_counts))
