/* SPDX-License-Identifier: MIT */
/*
 * Commands of scalable mode, encoded here by hand from facts "iova-and-page-tables" 3.2: what each
 * takes, and every bit that is rejected.
 *
 *   PASID IOTLB       word 0   type 6, granularity 5:4 (2 all of the PASID, 3 page), domain 31:16,
 *                              PASID 51:32
 *                     word 1   AM 5:0, IH 6, address 63:12
 *   PASID cache       word 0   type 7, granularity 5:4 (0 domain, 1 PASID, 3 global), domain 31:16,
 *                              PASID 51:32
 *   PASID device TLB  word 0   type 8, queue depth 8:4, PFSID 3:0 in 15:12, source 31:16,
 *                              PASID 51:32, PFSID 15:4 in 63:52
 *                     word 1   all PASIDs 0, S 11, address 63:12
 *   page group        word 0   type 9
 */
#include "queue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define AT    QUEUE_4K_AT
#define DID   0x0201ULL
#define PASID 0xabcdeULL

/* Translations in the cache, a bit each. */
#define SECOND	     1U	 /* AT in domain 0201, of the second stage */
#define FIRST	     2U	 /* the same address, of the PASID's first stage */
#define FIRST_NEXT   4U	 /* the page behind it */
#define FIRST_2M     8U	 /* QUEUE_2M_AT */
#define OTHER_PASID  16U /* AT of another PASID */
#define OTHER_DOMAIN 32U /* AT of the same PASID in domain 0301 */
#define FIRST_HIGH   64U /* an address of the upper half */
#define ALL	     127U
#define OF_PASID     (FIRST | FIRST_NEXT | FIRST_2M | FIRST_HIGH)
#define HIGH_AT	     0xffff800012344000ULL
#define TRANSLATIONS 7

static const struct {
	u64 iova;
	u16 domain;
	bool first;
	u32 pasid;
	u8 page_lg2;
} cached[TRANSLATIONS] = {
	{ AT, DID, false, 0, 12 },
	{ AT, DID, true, PASID, 12 },
	{ AT + 0x1000, DID, true, PASID, 12 },
	{ QUEUE_2M_AT, DID, true, PASID, 21 },
	{ AT, DID, true, PASID ^ 1, 12 },
	{ AT, 0x0301, true, PASID, 12 },
	{ HIGH_AT, DID, true, PASID, 12 },
};

static u64 tag_of(u32 i)
{
	return cached[i].first ? iotlb_pasid_tag(cached[i].domain, cached[i].pasid)
			       : iotlb_tag(cached[i].domain);
}

static void fill(struct queue *queue)
{
	struct iotlb *iotlb = &queue->iommu->iotlb;

	iotlb_invalidate_all(iotlb);
	for (u32 i = 0; i < TRANSLATIONS; i++)
		iotlb_fill(iotlb, &(struct iotlb_entry){
					  .tag = tag_of(i),
					  .page = cached[i].iova >> cached[i].page_lg2,
					  .phys = 0x1000,
					  .page_lg2 = cached[i].page_lg2,
					  .read = true,
				  });
}

static u32 left(struct queue *queue)
{
	u32 found = 0;

	for (u32 i = 0; i < TRANSLATIONS; i++) {
		if (iotlb_find(&queue->iommu->iotlb, tag_of(i), cached[i].iova))
			found |= 1U << i;
	}
	return found;
}

static int setup(void **state)
{
	struct queue *queue;

	if (queue_setup(state))
		return -1;
	queue = *state;
	queue->iommu->scalable = true;
	queue->iommu->page_requests = true;
	fill(queue);
	expect_u64(left(queue), ALL);
	return 0;
}

/* What the command takes; all is back afterwards. */
static u32 taken(struct queue *queue, u64 low, u64 high)
{
	u32 gone;

	expect_ok(queue_run(queue, (struct command){ { low, high } }));
	gone = ALL & ~left(queue);
	fill(queue);
	return gone;
}

static void expect_rejected(struct queue *queue, u64 low, u64 high)
{
	expect_error(queue_run(queue, (struct command){ { low, high } }), -EINVAL);
	expect_u64(queue->bad[0], low);
	expect_u64(queue->bad[1], high);
	expect_u64(queue->iommu->fault_status, 0x10);
	expect_u64(left(queue), ALL);
	hw_queue_resume(queue->iommu);
}

/* Each bit of the words alone: it must be rejected if it is reserved, else taken. */
static void sweep_bits(struct queue *queue, u64 low, u64 high, u64 low_reserved, u64 high_reserved)
{
	/* The granularity has tests of its own, and the type is another command. */
	const u64 fixed = low & 0xf ? 0x3f : 0;

	for (u32 bit = 0; bit < 64; bit++) {
		u64 one = 1ULL << bit;

		if (low_reserved & one)
			expect_rejected(queue, low | one, high);
		else if (!(one & fixed))
			expect_ok(queue_run(queue, (struct command){ { low ^ one, high } }));
		fill(queue);
		if (high_reserved & one)
			expect_rejected(queue, low, high | one);
		else
			expect_ok(queue_run(queue, (struct command){ { low, high ^ one } }));
		fill(queue);
	}
}

/* ---- First stages ---------------------------------------------------------------------------- */

static void a_pasid_command_takes_its_first_stage(void **state)
{
	struct queue *queue = *state;

	expect_u64(taken(queue, 0x26 | DID << 16 | PASID << 32, 0), OF_PASID);
	expect_u64(queue->last.what, HW_INVALIDATED_IOTLB);
	assert_true(queue->last.has_pasid);
	assert_false(queue->last.all_domains);
	expect_u64(queue->last.domain, DID);
	expect_u64(queue->last.pasid, PASID);
	expect_u64(queue->last.start, 0);
	expect_u64(queue->last.last, ~0ULL);
	assert_false(queue->last.leaf_only);
	expect_u64(taken(queue, 0x26 | DID << 16 | (PASID ^ 1) << 32, 0), OTHER_PASID);
	expect_u64(taken(queue, 0x26 | 0x0301ULL << 16 | PASID << 32, 0), OTHER_DOMAIN);
	expect_u64(queue->bench->hw.costs.invalidations, 3);
}

static void a_page_command_takes_one_page_of_a_pasid(void **state)
{
	struct queue *queue = *state;
	const u64 low = 0x36 | DID << 16 | PASID << 32;

	expect_u64(taken(queue, low, AT), FIRST);
	expect_u64(queue->last.start, AT);
	expect_u64(queue->last.last, AT + 0xfff);
	assert_false(queue->last.leaf_only);
	expect_u64(taken(queue, low, AT | 0x40 | 1), FIRST | FIRST_NEXT);
	assert_true(queue->last.leaf_only);
	expect_u64(taken(queue, low, QUEUE_2M_AT + 0x5000), FIRST_2M);
	expect_u64(taken(queue, low, HIGH_AT), FIRST_HIGH);
	expect_u64(taken(queue, low, AT + 0x2000), 0);
}

/* trust: AM of a PASID command; from 52 on it is everything | our reading of the facts */
static void the_address_mask_sets_the_window(void **state)
{
	struct queue *queue = *state;

	for (u64 mask = 0; mask < 64; mask++) {
		u64 within = mask < 52 ? (0x1000ULL << mask) - 1 : ~0ULL;

		for (u64 bit = 12; bit < 64; bit++) {
			u64 address = AT ^ 1ULL << bit;

			expect_ok(queue_run(
				queue, (struct command){ { 0x36 | DID << 16, address | mask } }));
			expect_u64(queue->last.start, address & ~within);
			expect_u64(queue->last.last, address | within);
		}
	}
	expect_u64(taken(queue, 0x36 | DID << 16 | PASID << 32, 52), OF_PASID);
}

static void every_bit_of_domain_and_pasid_counts(void **state)
{
	struct queue *queue = *state;

	for (u32 bit = 0; bit < 20; bit++) {
		const u64 one = 1ULL << bit;

		expect_u64(taken(queue, 0x26 | DID << 16 | (PASID ^ one) << 32, 0),
			   bit ? 0 : OTHER_PASID);
		expect_u64(queue->last.pasid, PASID ^ one);
		expect_u64(queue->last.domain, DID);
		if (bit >= 16)
			continue;
		expect_u64(taken(queue, 0x36 | (DID ^ one) << 16 | PASID << 32, AT),
			   (DID ^ one) == 0x0301 ? OTHER_DOMAIN : 0);
		expect_u64(queue->last.pasid, PASID);
		expect_u64(queue->last.domain, DID ^ one);
	}
}

static void granularities_that_are_not_there_are_rejected(void **state)
{
	struct queue *queue = *state;

	expect_rejected(queue, 0x06 | DID << 16, 0);
	expect_rejected(queue, 0x16 | DID << 16, 0);
	expect_rejected(queue, 0x27 | DID << 16, 0);
}

static void every_reserved_bit_of_a_pasid_iotlb_command_is_rejected(void **state)
{
	struct queue *queue = *state;

	sweep_bits(queue, 0x26, 0, 0xfff000000000ffc0ULL, 0xf80);
	sweep_bits(queue, 0x36, AT, 0xfff000000000ffc0ULL, 0xf80);
}

/* ---- Second stages --------------------------------------------------------------------------- */

/* The commands of legacy mode leave first stages alone, but for the global one. */
static void a_domain_command_takes_the_second_stage(void **state)
{
	struct queue *queue = *state;

	expect_u64(taken(queue, 0x22 | DID << 16, 0), SECOND);
	assert_false(queue->last.has_pasid);
	expect_u64(taken(queue, 0x32 | DID << 16, AT), SECOND);
	expect_u64(taken(queue, 0x32 | DID << 16, AT + 0x1000), 0);
	expect_u64(taken(queue, 0x12, 0), ALL);
	queue->iommu->scalable = false;
	expect_u64(taken(queue, 0x22 | DID << 16, 0), ALL & ~OTHER_DOMAIN);
}

/* ---- Entries of PASIDs ----------------------------------------------------------------------- */

static void a_pasid_cache_command_says_what_it_takes(void **state)
{
	struct queue *queue = *state;
	const u64 rest = DID << 16 | PASID << 32;

	expect_u64(taken(queue, 0x07 | rest, 0), 0);
	expect_u64(queue->last.what, HW_INVALIDATED_PASID);
	assert_false(queue->last.all_domains || queue->last.has_pasid);
	expect_u64(queue->last.domain, DID);
	expect_u64(queue->last.requester_ignored, 0xffff);
	expect_u64(taken(queue, 0x17 | rest, 0), 0);
	assert_true(queue->last.has_pasid);
	assert_false(queue->last.all_domains);
	expect_u64(queue->last.domain, DID);
	expect_u64(queue->last.pasid, PASID);
	expect_u64(taken(queue, 0x37 | rest, 0), 0);
	assert_true(queue->last.all_domains);
	assert_false(queue->last.has_pasid);
	expect_u64(queue->bench->hw.costs.pasid_invalidations, 3);
	expect_u64(queue->bench->hw.costs.invalidations, 0);
}

static void every_bit_of_a_pasid_cache_commands_fields_counts(void **state)
{
	struct queue *queue = *state;

	for (u32 bit = 0; bit < 20; bit++) {
		const u64 one = 1ULL << bit;

		expect_u64(taken(queue, 0x17 | DID << 16 | one << 32, 0), 0);
		expect_u64(queue->last.pasid, one);
		expect_u64(queue->last.domain, DID);
		if (bit >= 16)
			continue;
		expect_u64(taken(queue, 0x07 | one << 16 | PASID << 32, 0), 0);
		expect_u64(queue->last.domain, one);
		expect_u64(taken(queue, 0x17 | one << 16 | PASID << 32, 0), 0);
		expect_u64(queue->last.domain, one);
		expect_u64(queue->last.pasid, PASID);
	}
}

static void every_reserved_bit_of_a_pasid_cache_command_is_rejected(void **state)
{
	struct queue *queue = *state;

	sweep_bits(queue, 0x07, 0, 0xfff000000000ffc0ULL, ~0ULL);
	sweep_bits(queue, 0x17, 0, 0xfff000000000ffc0ULL, ~0ULL);
	sweep_bits(queue, 0x37, 0, 0xfff000000000ffc0ULL, ~0ULL);
}

/* A requester's context names no domain in this mode. */
static void a_context_command_takes_whatever_domain_it_says(void **state)
{
	struct queue *queue = *state;

	expect_u64(taken(queue, 0x31 | DID << 16 | 0x0318ULL << 32, 0), 0);
	assert_true(queue->last.all_domains);
	expect_u64(queue->last.requester, 0x0318);
	expect_u64(taken(queue, 0x21 | DID << 16, 0), 0);
	assert_true(queue->last.all_domains);
	expect_u64(queue->last.requester_ignored, 0xffff);
}

/* ---- Device TLBs ----------------------------------------------------------------------------- */

static void a_device_tlb_command_with_pasid_says_what_it_takes(void **state)
{
	struct queue *queue = *state;
	const u64 low = 0x08 | 5ULL << 4 | 0x3ULL << 12 | 0x0318ULL << 16 | PASID << 32 |
			0xabcULL << 52;

	expect_u64(taken(queue, low, AT), 0);
	expect_u64(queue->last.what, HW_INVALIDATED_DEVICE_TLB);
	assert_true(queue->last.has_pasid);
	assert_false(queue->last.all_pasids);
	expect_u64(queue->last.pasid, PASID);
	expect_u64(queue->last.requester, 0x0318);
	expect_u64(queue->last.requester_ignored, 0);
	expect_u64(queue->last.pf_requester, 0xabc3);
	expect_u64(queue->last.queue_depth, 5);
	expect_u64(queue->last.start, AT);
	expect_u64(queue->last.last, AT + 0xfff);
	/* The lowest zero from bit 12 on is the size: here 32 KiB. */
	expect_u64(taken(queue, low, 0x0000000012343000ULL | 0x800), 0);
	expect_u64(queue->last.start, 0x12340000);
	expect_u64(queue->last.last, 0x12347fff);
	/* Without S those ones are an address. */
	expect_u64(taken(queue, low, 0x0000000012343000ULL), 0);
	expect_u64(queue->last.last, 0x12343fff);
	expect_u64(taken(queue, low, 0x7ffffffffffff000ULL | 0x801), 0);
	assert_true(queue->last.all_pasids);
	assert_false(queue->last.has_pasid);
	expect_u64(queue->last.start, 0);
	expect_u64(queue->last.last, ~0ULL);
	expect_u64(queue->bench->hw.costs.device_tlb_invalidations, 4);
	expect_u64(taken(queue, 0x08, 0), 0);
	expect_u64(queue->last.queue_depth, 32);
}

static void every_bit_of_a_pasid_device_tlb_commands_fields_counts(void **state)
{
	struct queue *queue = *state;

	for (u32 bit = 0; bit < 20; bit++) {
		const u64 one = 1ULL << bit, half = one & 0xffff;

		expect_u64(taken(queue, 0x08 | one << 32, AT), 0);
		expect_u64(queue->last.pasid, one);
		expect_u64(queue->last.requester, 0);
		expect_u64(queue->last.pf_requester, 0);
		expect_u64(taken(queue, 0x08 | half << 16 | PASID << 32, AT), 0);
		expect_u64(queue->last.requester, half);
		expect_u64(queue->last.pasid, PASID);
		expect_u64(taken(queue, 0x08 | (half & 0xf) << 12 | half >> 4 << 52, AT), 0);
		expect_u64(queue->last.pf_requester, half);
		expect_u64(queue->last.requester, 0);
	}
	for (u64 depth = 1; depth < 32; depth++) {
		expect_u64(taken(queue, 0x08 | depth << 4, AT), 0);
		expect_u64(queue->last.queue_depth, depth);
	}
}

/* With S, bit 11, the lowest zero of the address says the size: bit 12 is 8 KiB. */
static void the_lowest_zero_of_the_address_is_the_size(void **state)
{
	struct queue *queue = *state;

	for (u32 zero = 12; zero < 64; zero++) {
		u64 within = zero == 63 ? ~0ULL : (2ULL << zero) - 1;
		u64 ones = ((1ULL << zero) - 1) & ~0xfffULL;
		u64 above = 0x5a5a5a5a5a5a5a5aULL & ~within;

		expect_u64(taken(queue, 0x08 | 0x0318ULL << 16, above | ones | 0x800), 0);
		expect_u64(queue->last.start, above);
		expect_u64(queue->last.last, above | within);
	}
	expect_u64(taken(queue, 0x08, 0xfffffffffffff800ULL), 0);
	expect_u64(queue->last.start, 0);
	expect_u64(queue->last.last, ~0ULL);
}

static void every_reserved_bit_of_a_pasid_device_tlb_command_is_rejected(void **state)
{
	struct queue *queue = *state;

	/* 5:4 are no granularity here. */
	for (u64 depth = 0; depth < 4; depth++)
		sweep_bits(queue, 0x08 | depth << 4, 0, 0xe00, 0x7fe);
	queue->iommu->pf_requester = false;
	sweep_bits(queue, 0x08, 0, 0xfff000000000fe00ULL, 0x7fe);
	queue->iommu->walker.device_tlb = false;
	expect_rejected(queue, 0x08, 0);
}

/* ---- Page requests --------------------------------------------------------------------------- */

static void answers_to_page_requests_are_taken_where_there_are_any(void **state)
{
	struct queue *queue = *state;

	expect_u64(taken(queue, 0x19 | DID << 16 | PASID << 32, 0), 0);
	/* The facts do not give its fields: no bit is known to be reserved. */
	for (u32 bit = 0; bit < 64; bit++) {
		if (bit > 3)
			expect_u64(taken(queue, 0x09 | 1ULL << bit, 0), 0);
		expect_u64(taken(queue, 0x09, 1ULL << bit), 0);
	}
	expect_u64(queue->invalidated, 0);
	queue->iommu->page_requests = false;
	expect_rejected(queue, 0x09, 0);
}

static void a_wait_may_drain_page_requests_where_there_are_any(void **state)
{
	struct queue *queue = *state;

	expect_u64(taken(queue, 0x85, 0), 0);
	expect_u64(taken(queue, 0xe5 | 7ULL << 32, 0x6000), 0);
	expect_u64(queue->waited, 2);
	for (u32 bit = 8; bit < 32; bit++)
		expect_rejected(queue, 0x85 | 1ULL << bit, 0);
	queue->iommu->page_requests = false;
	expect_rejected(queue, 0x85, 0);
}

/* ---- Types, widths, modes -------------------------------------------------------------------- */

static void other_types_are_rejected(void **state)
{
	static const u64 type[] = { 0x0, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf };
	struct queue *queue = *state;

	for (size_t i = 0; i < sizeof(type) / sizeof(type[0]); i++)
		expect_rejected(queue, type[i], 0);
}

static void legacy_mode_knows_none_of_them(void **state)
{
	struct queue *queue = *state;

	queue->iommu->scalable = false;
	expect_rejected(queue, 0x26, 0);
	expect_rejected(queue, 0x37, 0);
	expect_rejected(queue, 0x08, 0);
	expect_rejected(queue, 0x09, 0);
}

/* Words 2 and 3 of a wide command are 0; there is no other difference. */
static void commands_may_have_32_bytes(void **state)
{
	struct queue *queue = *state;
	u8 bytes[64] = { 0x26 };

	queue->iommu->wide_commands = true;
	bytes[2] = 0x01;
	bytes[3] = 0x02;
	bytes[4] = 0xde;
	bytes[5] = 0xbc;
	bytes[6] = 0x0a;
	bytes[32] = 0x25; /* a wait with status */
	bytes[32 + 4] = 0x77;
	bytes[32 + 9] = 0x60;
	expect_ok(hw_queue_execute(queue->iommu, bytes, 64));
	expect_u64(ALL & ~left(queue), OF_PASID);
	assert_string_equal(queue->order, "iw");
	ram_read(&queue->bench->hw.ram, 0x6000, bytes, 4);
	assert_memory_equal(bytes, "\x77\0\0\0", 4);
	for (u32 bit = 128; bit < 256; bit++) {
		u8 bad[32] = { 0x12 };

		fill(queue);
		bad[bit / 8] = (u8)(1U << bit % 8);
		expect_error(hw_queue_execute(queue->iommu, bad, 32), -EINVAL);
		expect_u64(left(queue), ALL);
		hw_queue_resume(queue->iommu);
	}
}

/* As include/dmasim/trace.h has it. */
static void they_stand_in_the_trace(void **state)
{
	struct queue *queue = *state;
	struct trace *trace = &queue->bench->world.trace;
	char text[640] = "";

	trace->file = fmemopen(text, sizeof(text), "w");
	taken(queue, 0x26 | DID << 16 | PASID << 32, 0);
	taken(queue, 0x36 | DID << 16 | 7ULL << 32, 0x12345000 | 0x40 | 4);
	taken(queue, 0x07 | DID << 16, 0);
	taken(queue, 0x17 | DID << 16 | 7ULL << 32, 0);
	taken(queue, 0x37, 0);
	fclose(trace->file);
	trace->file = NULL;
	assert_string_equal(
		text, "t=0 cpu=0 qi_iotlb unit=6 granularity=pasid dom=513 pasid=703710 ih=0\n"
		      "t=0 cpu=0 qi_iotlb unit=6 granularity=page dom=513 pasid=7 "
		      "dma=0x12340000 size=65536 ih=1\n"
		      "t=0 cpu=0 qi_pasid unit=6 granularity=domain dom=513\n"
		      "t=0 cpu=0 qi_pasid unit=6 granularity=pasid dom=513 pasid=7\n"
		      "t=0 cpu=0 qi_pasid unit=6 granularity=global\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, queue_teardown)

TEST_MAIN(TEST(a_pasid_command_takes_its_first_stage),
	  TEST(a_page_command_takes_one_page_of_a_pasid), TEST(the_address_mask_sets_the_window),
	  TEST(every_bit_of_domain_and_pasid_counts),
	  TEST(granularities_that_are_not_there_are_rejected),
	  TEST(every_reserved_bit_of_a_pasid_iotlb_command_is_rejected),
	  TEST(a_domain_command_takes_the_second_stage),
	  TEST(a_pasid_cache_command_says_what_it_takes),
	  TEST(every_bit_of_a_pasid_cache_commands_fields_counts),
	  TEST(every_reserved_bit_of_a_pasid_cache_command_is_rejected),
	  TEST(a_context_command_takes_whatever_domain_it_says),
	  TEST(a_device_tlb_command_with_pasid_says_what_it_takes),
	  TEST(every_bit_of_a_pasid_device_tlb_commands_fields_counts),
	  TEST(the_lowest_zero_of_the_address_is_the_size),
	  TEST(every_reserved_bit_of_a_pasid_device_tlb_command_is_rejected),
	  TEST(answers_to_page_requests_are_taken_where_there_are_any),
	  TEST(a_wait_may_drain_page_requests_where_there_are_any), TEST(other_types_are_rejected),
	  TEST(legacy_mode_knows_none_of_them), TEST(commands_may_have_32_bytes),
	  TEST(they_stand_in_the_trace))
