/* SPDX-License-Identifier: MIT */
/*
 * Invalidation commands that hardware rejects: every reserved bit, every unknown type; and that
 * nothing behind them is executed (facts "iova-and-page-tables" 3.2).
 */
#include "queue.h"

#include <errno.h>

#define QUEUE_ERROR 0x10U /* FSTS.IQE, bit 4 */

/* The reserved bits as the facts list them. */
#define IOTLB_LOW_RESERVED   0xffffffff0000ff00ULL
#define IOTLB_HIGH_RESERVED  0x0000000000000f80ULL
#define CONTEXT_LOW_RESERVED 0xfffc00000000ffc0ULL
#define DEVICE_LOW_RESERVED  0xffff0000ffe0fff8ULL
#define DEVICE_HIGH_RESERVED 0x0000000000000ffeULL
#define PFSID		     0xfff000000000f000ULL /* reserved where it is not known */
#define TYPE		     0x000000000000000fULL
#define WAIT_LOW_RESERVED    0x00000000ffffff80ULL
#define WAIT_HIGH_RESERVED   0x0000000000000003ULL

/* good, bad, good: the first is executed, the second rejected, the third never seen. */
static void expect_rejected(struct queue *queue, struct command bad)
{
	const struct command batch[] = {
		{ { 0x22 | 0x0301ULL << 16, 0 } },
		bad,
		{ { 0x12, 0 } },
	};

	queue_fill(queue);
	queue->invalidated = queue->waited = queue->rejected = 0;
	expect_error(queue_run_all(queue, batch, 3), -EINVAL);
	expect_u64(queue->iommu->fault_status, QUEUE_ERROR);
	queue_expect_left(queue, QUEUE_ALL & ~QUEUE_OTHER);
	expect_u64(queue->invalidated, 1);
	expect_u64(queue->waited, 0);
	expect_u64(queue->rejected, 1);
	expect_u64(queue->bad[0], bad.word[0]);
	expect_u64(queue->bad[1], bad.word[1]);
	hw_queue_resume(queue->iommu);
}

/* Each bit alone, and all that is not reserved: it must be taken. */
static void sweep_bits(struct queue *queue, struct command good, u64 low_reserved,
		       u64 high_reserved, u64 high_used)
{
	expect_ok(queue_run(queue, good));
	for (u32 bit = 0; bit < 64; bit++) {
		struct command low = good, high = good;

		low.word[0] |= 1ULL << bit;
		high.word[1] |= 1ULL << bit;
		if (low_reserved >> bit & 1)
			expect_rejected(queue, low);
		if (high_reserved >> bit & 1)
			expect_rejected(queue, high);
		else if (high_used >> bit & 1)
			expect_ok(queue_run(queue, high));
	}
}

static void every_reserved_bit_of_an_iotlb_command_is_rejected(void **state)
{
	static const u64 granularity[] = { 0x12, 0x22, 0x32 };

	for (int i = 0; i < 3; i++)
		sweep_bits(*state, (struct command){ { granularity[i], 0 } }, IOTLB_LOW_RESERVED,
			   IOTLB_HIGH_RESERVED, 0xfffffffffffff00fULL);
}

static void every_reserved_bit_of_a_context_command_is_rejected(void **state)
{
	static const u64 granularity[] = { 0x11, 0x21, 0x31 };

	for (int i = 0; i < 3; i++)
		sweep_bits(*state, (struct command){ { granularity[i], 0 } }, CONTEXT_LOW_RESERVED,
			   ~0ULL, 0);
}

static void every_reserved_bit_of_a_device_tlb_command_is_rejected(void **state)
{
	struct queue *queue = *state;
	const struct command good = { { 0x03, 0 } };

	sweep_bits(queue, good, DEVICE_LOW_RESERVED & ~PFSID & ~TYPE, DEVICE_HIGH_RESERVED,
		   0xfffffffffffff001ULL);
	queue->iommu->pf_requester = false;
	sweep_bits(queue, good, DEVICE_LOW_RESERVED & ~TYPE, DEVICE_HIGH_RESERVED,
		   0xfffffffffffff001ULL);
}

static void a_unit_without_device_tlbs_rejects_their_command(void **state)
{
	struct queue *queue = *state;

	queue->iommu->walker.device_tlb = false;
	expect_rejected(queue, (struct command){ { 0x03 | 0x0318ULL << 32, 0x7000 } });
}

/* The facts give the fields: granularity 4, index mask 31:27, index 47:32. */
static void every_other_bit_of_an_interrupt_command_is_rejected(void **state)
{
	static const u64 granularity[] = { 0x04, 0x14 };

	for (int i = 0; i < 2; i++)
		sweep_bits(*state, (struct command){ { granularity[i], 0 } },
			   ~(0x1fULL | 0x1fULL << 27 | 0xffffULL << 32), ~0ULL, 0);
}

static void every_reserved_bit_of_a_wait_is_rejected(void **state)
{
	static const u64 flags[] = { 0x05, 0x15, 0x25, 0x35, 0x45, 0x55, 0x65, 0x75 };

	for (int i = 0; i < 8; i++)
		sweep_bits(*state, (struct command){ { flags[i], 0x6000 } }, WAIT_LOW_RESERVED,
			   WAIT_HIGH_RESERVED, 0xff0);
}

/* All bits of the data are data. */
static void no_bit_of_a_waits_data_is_reserved(void **state)
{
	struct queue *queue = *state;

	for (u32 bit = 32; bit < 64; bit++)
		expect_ok(queue_run(queue, (struct command){ { 0x25 | 1ULL << bit, 0x6000 } }));
	expect_u64(queue->iommu->fault_status, 0);
}

static void granularity_0_is_rejected(void **state)
{
	expect_rejected(*state, (struct command){ { 0x02, 0 } });
	expect_rejected(*state, (struct command){ { 0xc2 | 0x0201ULL << 16, QUEUE_4K_AT } });
	expect_rejected(*state, (struct command){ { 0x01, 0 } });
	expect_rejected(*state,
			(struct command){ { 0x01 | 0x0201ULL << 16 | 0x0318ULL << 32, 0 } });
}

static void a_mask_beyond_the_limit_is_rejected(void **state)
{
	expect_rejected(*state, (struct command){ { 0x32 | 0x0201ULL << 16, QUEUE_MAMV + 1 } });
	expect_rejected(*state, (struct command){ { 0x32 | 0x0201ULL << 16, 0x3f } });
}

/* 6 to a are for PASIDs and page requests, which scalable mode has; the others are nobody's. */
static void types_of_scalable_mode_and_unknown_ones_are_rejected(void **state)
{
	for (u64 type = 0; type < 16; type++) {
		if (type >= 1 && type <= 5)
			continue;
		for (u64 granularity = 0; granularity < 4; granularity++)
			expect_rejected(*state, (struct command){ { type | granularity << 4, 0 } });
	}
}

/* A status that was to be written is not. */
static void a_rejected_wait_writes_no_status(void **state)
{
	struct queue *queue = *state;
	u8 seen[4];

	expect_error(queue_run(queue, (struct command){ { 0x25 | 0x80 | 7ULL << 32, 0x6000 } }),
		     -EINVAL);
	ram_read(&queue->bench->hw.ram, 0x6000, seen, 4);
	assert_memory_equal(seen, "\0\0\0\0", 4);
}

/* After an error nothing is fetched until software has cleared it. */
static void a_queue_in_error_stands_still_until_it_is_cleared(void **state)
{
	const struct command good = { { 0x12, 0 } };
	struct queue *queue = *state;

	expect_error(queue_run(queue, (struct command){ { 0x0f, 0 } }), -EINVAL);
	expect_error(queue_run(queue, good), -EINVAL);
	expect_error(queue_run(queue, (struct command){ { 0x0e, 0 } }), -EINVAL);
	queue_expect_left(queue, QUEUE_ALL);
	expect_u64(queue->invalidated, 0);
	expect_u64(queue->iommu->fault_status, QUEUE_ERROR);
	/* Told once. */
	expect_u64(queue->rejected, 1);
	expect_u64(queue->bad[0], 0x0f);

	hw_queue_resume(queue->iommu);
	expect_u64(queue->iommu->fault_status, 0);
	expect_ok(queue_run(queue, good));
	queue_expect_left(queue, 0);
}

/* The other bits of the status are other things. */
static void clearing_a_queue_error_leaves_faults_alone(void **state)
{
	struct queue *queue = *state;

	hw_fault_record(queue->iommu, &(struct hw_refusal){
					      .requester = 0x0300,
					      .iova = 0x1000,
					      .write = true,
					      .code = 5,
				      });
	expect_error(queue_run(queue, (struct command){ { 0x0f, 0 } }), -EINVAL);
	hw_queue_resume(queue->iommu);
	expect_u64(queue->iommu->fault_status, 2);
}

static void commands_are_handed_over_whole(void **state)
{
	struct queue *queue = *state;
	const u8 bytes[24] = { 0x22, 0, 0x01, 0x03, [16] = 0x12 };

	expect_contract(hw_queue_execute(queue->iommu, bytes, sizeof(bytes)),
			"commands have 16 bytes");
	expect_contract(hw_queue_execute(queue->iommu, bytes, 15), "commands have 16 bytes");
	expect_ok(hw_queue_execute(queue->iommu, bytes, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)

TEST_MAIN(TEST(every_reserved_bit_of_an_iotlb_command_is_rejected),
	  TEST(every_reserved_bit_of_a_context_command_is_rejected),
	  TEST(every_reserved_bit_of_a_device_tlb_command_is_rejected),
	  TEST(a_unit_without_device_tlbs_rejects_their_command),
	  TEST(every_other_bit_of_an_interrupt_command_is_rejected),
	  TEST(every_reserved_bit_of_a_wait_is_rejected), TEST(no_bit_of_a_waits_data_is_reserved),
	  TEST(granularity_0_is_rejected), TEST(a_mask_beyond_the_limit_is_rejected),
	  TEST(types_of_scalable_mode_and_unknown_ones_are_rejected),
	  TEST(a_rejected_wait_writes_no_status),
	  TEST(a_queue_in_error_stands_still_until_it_is_cleared),
	  TEST(clearing_a_queue_error_leaves_faults_alone), TEST(commands_are_handed_over_whole))
