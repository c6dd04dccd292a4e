/* SPDX-License-Identifier: MIT */
/*
 * What an SMMUv3 does with commands (facts "iova-and-page-tables" 3.4): what each takes out of the
 * caches and what it leaves, SYNCs, and what stops the queue. The words are made by hand.
 */
#include "queue.h"

#include <errno.h>
#include <string.h>

#define NH_VA(asid)   (0x12ULL | (u64)(asid) << 48)
#define NH_ASID(asid) (0x11ULL | (u64)(asid) << 48)
#define NH_ALL	      0x10ULL
#define STE(stream)   (0x03ULL | (u64)(stream) << 32)
#define SYNC	      0x46ULL
#define STORES	      (SYNC | 1ULL << 12)
#define ATC(stream)   (0x40ULL | (u64)(stream) << 32)
#define LEAF	      1ULL
#define TTL(n)	      ((n)*0x100ULL)
#define TG_4K	      0x400ULL
#define TWO	      (1ULL << 12) /* NUM */
#define SCALE(n)      ((n)*0x100000ULL)

static int setup(void **state)
{
	const struct hw_iommu_desc desc = {
		.arch = &hw_smmuv3,
		.unit = 6,
		.levels = 4,
		.address_bits = 48,
		.coherent = true,
		.device_tlb = true,
		.command_ranges = true,
		.iotlb_entries = 64,
		.context_entries = 16,
		.walk_entries = 16,
	};

	return queue_setup_unit(state, &desc);
}

/* ---- Translations ---------------------------------------------------------------------------- */

/* trust: SMMUv3's commands, executed | our reading of the facts: 3.4 */
static void a_command_takes_what_it_names(void **state)
{
	static const struct {
		u64 low, high;
		u32 left;
	} row[] = {
		{ NH_VA(0x201), QUEUE_4K_AT | LEAF, QUEUE_ALL & ~QUEUE_4K },
		{ NH_VA(0x201), QUEUE_4K_AT, QUEUE_ALL & ~QUEUE_4K },
		{ NH_VA(0x201) | TWO, QUEUE_4K_AT | TG_4K | TTL(3),
		  QUEUE_ALL & ~(QUEUE_4K | QUEUE_4K_NEXT) },
		/* A leaf goes by any address of it, whatever its size, unless a hint spares it. */
		{ NH_VA(0x201), QUEUE_2M_AT + 0x5000, QUEUE_ALL & ~QUEUE_2M },
		{ NH_VA(0x201), (QUEUE_2M_AT + 0x5000) | TG_4K | TTL(2), QUEUE_ALL & ~QUEUE_2M },
		{ NH_VA(0x201), QUEUE_2M_AT | TG_4K | TTL(3), QUEUE_ALL },
		{ NH_VA(0x201), QUEUE_1G_AT | TG_4K | TTL(1), QUEUE_ALL & ~QUEUE_1G },
		{ NH_VA(0x201) | SCALE(31) | TWO, TG_4K | TTL(1), QUEUE_ALL & ~QUEUE_1G },
		{ NH_VA(0x201) | SCALE(31), TG_4K, QUEUE_OTHER },
		{ NH_ASID(0x201), 0, QUEUE_OTHER },
		{ NH_ASID(0x301), 0, QUEUE_ALL & ~QUEUE_OTHER },
		{ NH_ASID(0x401), 0, QUEUE_ALL },
		{ NH_ALL, 0, 0 },
		{ 0x30, 0, 0 },
		/* Tables of 16 KiB have none of these. */
		{ NH_VA(0x201) | TWO, QUEUE_4K_AT | 0x800, QUEUE_ALL },
		{ 0x05 | 0x318ULL << 32, 1, QUEUE_ALL },
		{ 0x01 | 0x318ULL << 32, 0, QUEUE_ALL },
	};
	struct queue *queue = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		queue_fill(queue);
		expect_ok(queue_run(queue, (struct command){ { row[i].low, row[i].high } }));
		queue_expect_left(queue, row[i].left);
	}
}

/* What a hint spares may also go. */
static void hardware_need_not_heed_a_hint(void **state)
{
	struct queue *queue = *state;
	u32 went = 0;

	queue->bench->world.random_choices = true;
	for (int i = 0; i < 64; i++) {
		queue_fill(queue);
		expect_ok(queue_run(
			queue, (struct command){ { NH_VA(0x201), QUEUE_2M_AT | TG_4K | TTL(3) } }));
		went += !(queue_left(queue) & QUEUE_2M);
	}
	assert_in_range(went, 1, 63);
}

static void listeners_hear_what_was_covered(void **state)
{
	struct queue *queue = *state;

	expect_ok(queue_run(queue, (struct command){ { NH_VA(0x201) | TWO,
						       QUEUE_4K_AT | LEAF | TG_4K | TTL(3) } }));
	expect_u64(queue->last.what, HW_INVALIDATED_IOTLB);
	expect_u64(queue->last.domain, 0x201);
	expect_u64(queue->last.start, QUEUE_4K_AT);
	expect_u64(queue->last.last, QUEUE_4K_AT + 0x1fff);
	expect_u64(queue->last.only_level, 1);
	assert_true(queue->last.leaf_only && !queue->last.larger_stay && !queue->last.all_domains);
	expect_ok(queue_run(queue, (struct command){ { NH_ASID(0x201), 0 } }));
	assert_false(queue->last.leaf_only || queue->last.only_level);
	expect_u64(queue->last.last, ~0ULL);
	expect_ok(queue_run(queue, (struct command){ { 0x13, QUEUE_4K_AT } }));
	assert_true(queue->last.all_domains);
	expect_u64(queue->last.last, QUEUE_4K_AT + 0xfff);

	expect_ok(queue_run(queue, (struct command){ { STE(0x0318), 1 } }));
	expect_u64(queue->last.what, HW_INVALIDATED_CONTEXT);
	expect_u64(queue->last.requester, 0x0318);
	expect_u64(queue->last.requester_ignored, 0);
	expect_ok(queue_run(queue, (struct command){ { 0x04 | 0x0300ULL << 32, 7 } }));
	expect_u64(queue->last.requester_ignored, 0xff);
	expect_ok(queue_run(queue, (struct command){ { 0x04, 31 } }));
	expect_u64(queue->last.requester_ignored, 0xffff);

	expect_ok(queue_run(queue, (struct command){ { ATC(0x0318), QUEUE_4K_AT | 1 } }));
	expect_u64(queue->last.what, HW_INVALIDATED_DEVICE_TLB);
	expect_u64(queue->last.requester, 0x0318);
	expect_u64(queue->last.start, QUEUE_4K_AT);
	expect_u64(queue->last.last, QUEUE_4K_AT + 0x1fff);
	assert_false(queue->last.has_pasid);
	expect_ok(queue_run(queue,
			    (struct command){ { ATC(0x0318) | 1 << 11 | 0x54321 << 12, 52 } }));
	assert_true(queue->last.has_pasid);
	expect_u64(queue->last.pasid, 0x54321);
	expect_u64(queue->last.last, ~0ULL);
	/* Streams beyond all requesters: nobody hears of those. */
	expect_ok(queue_run(queue, (struct command){ { STE(0x10318), 1 } }));
	expect_ok(queue_run(queue, (struct command){ { ATC(0x10318), 52 } }));
	assert_string_equal(queue->order, "iiiiiiii");
}

static void cached_tables_go_without_the_leaf_bit(void **state)
{
	struct queue *queue = *state;

	queue_fill_tables(queue);
	expect_ok(queue_run(queue, (struct command){ { NH_VA(0x201), QUEUE_4K_AT | LEAF } }));
	assert_true(queue_holds_tables(queue));
	expect_ok(queue_run(queue, (struct command){ { NH_VA(0x201), QUEUE_4K_AT } }));
	assert_false(queue_holds_tables(queue));
	queue_fill_tables(queue);
	expect_ok(queue_run(queue, (struct command){ { NH_ASID(0x201), 0 } }));
	assert_false(queue_holds_tables(queue));
}

/* ---- SYNCs ----------------------------------------------------------------------------------- */

static void a_sync_stores_four_bytes(void **state)
{
	struct queue *queue = *state;
	struct ram *ram = &queue->bench->hw.ram;
	static const u8 expected[] = { 0x44, 0x33, 0x22, 0x11, 0xee };
	u8 bytes[5];

	memset(bytes, 0xee, sizeof(bytes));
	ram_write(ram, 0x4004, bytes, sizeof(bytes));
	expect_ok(queue_run(queue, (struct command){ { STORES | 0x11223344ULL << 32, 0x4004 } }));
	ram_read(ram, 0x4004, bytes, sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(bytes));
	/* It signals otherwise, or not; where no memory is nobody hears of it. */
	expect_ok(queue_run(queue, (struct command){ { SYNC | 5ULL << 32, 0x4004 } }));
	expect_ok(queue_run(queue, (struct command){ { STORES | 5ULL << 32, 0 } }));
	expect_ok(queue_run(queue, (struct command){ { STORES, SZ_1M } }));
	ram_read(ram, 0x4004, bytes, sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(bytes));
	expect_u64(queue->bench->hw.costs.wait_interrupts, 1);
	expect_u64(queue->waited, 4);
}

/* How often the second is executed first, of 64 times. */
static u32 overtaken(struct queue *queue, struct command first, struct command second, u8 what)
{
	const struct command batch[2] = { first, second };
	u32 count = 0;

	for (int i = 0; i < 64; i++) {
		memset(queue->order, 0, sizeof(queue->order));
		queue->last.what = HW_INVALIDATED_COUNT;
		expect_ok(queue_run_all(queue, batch, 2));
		count += queue->order[0] == 'w' || queue->last.what == what;
	}
	return count;
}

/* trust: what an SMMUv3 executes in order | our reading of the facts: 3.4 */
static void only_a_sync_keeps_the_order(void **state)
{
	const struct command stream = { { STE(0x0318), 1 } }, space = { { NH_ASID(0x201), 0 } };
	const struct command device = { { ATC(0x0318), 52 } }, sync = { { SYNC, 0 } };
	struct queue *queue = *state;

	expect_u64(overtaken(queue, stream, space, HW_INVALIDATED_CONTEXT), 0);
	queue->bench->world.random_choices = true;
	assert_in_range(overtaken(queue, stream, space, HW_INVALIDATED_CONTEXT), 1, 63);
	assert_in_range(overtaken(queue, space, device, HW_INVALIDATED_IOTLB), 1, 63);
	expect_u64(overtaken(queue, space, sync, HW_INVALIDATED_COUNT), 0);
	for (int i = 0; i < 64; i++) {
		memset(queue->order, 0, sizeof(queue->order));
		expect_ok(queue_run_all(queue, (struct command[]){ sync, space }, 2));
		assert_string_equal(queue->order, "wi");
	}
}

/* ---- What stops the queue -------------------------------------------------------------------- */

/* trust: SMMUv3's CERROR_ILL | our reading of the facts: 3.4 */
static void an_illegal_command_stops_the_queue(void **state)
{
	const struct command commands[] = { { { NH_ASID(0x301), 0 } },
					    { { NH_VA(0x201), QUEUE_4K_AT | TG_4K } },
					    { { NH_ALL, 0 } } };
	struct queue *queue = *state;
	struct hw_fault_record record;

	expect_error(queue_run_all(queue, commands, 3), -EINVAL);
	queue_expect_left(queue, QUEUE_ALL & ~QUEUE_OTHER);
	expect_u64(queue->rejected, 1);
	expect_u64(queue->bad[0], commands[1].word[0]);
	expect_u64(queue->bad[1], commands[1].word[1]);
	/* The status says it, and no record. */
	expect_u64(queue->iommu->fault_status, HW_STATUS_QUEUE);
	assert_false(hw_fault_take(queue->iommu, &record));
	expect_error(queue_run(queue, commands[2]), -EINVAL);
	hw_queue_resume(queue->iommu);
	expect_u64(queue->iommu->fault_status, 0);
	expect_ok(queue_run(queue, commands[2]));
	queue_expect_left(queue, 0);
}

/* trust: CERROR_ATC_INV_SYNC stops the queue at the SYNC | our reading of the facts: 3.4 */
static void a_device_that_does_not_answer_stops_the_next_sync(void **state)
{
	struct queue *queue = *state;
	struct ram *ram = &queue->bench->hw.ram;
	const struct command commands[] = { { { ATC(0x0318), 52 } },
					    { { NH_ASID(0x201), 0 } },
					    { { STORES | 7ULL << 32, 0x4000 } },
					    { { NH_ALL, 0 } } };
	u32 word = 0;

	/* A unit below a host bridge, where no such device is. */
	hw_root_add(&queue->bench->hw, 0, 0, 255)->iommu = queue->iommu;
	expect_error(queue_run_all(queue, commands, 4), -ETIMEDOUT);
	queue_expect_left(queue, QUEUE_OTHER);
	ram_read(ram, 0x4000, &word, sizeof(word));
	expect_u64(word, 0);
	expect_u64(queue->iommu->fault_status, HW_STATUS_TIMEOUT);
	expect_u64(queue->bench->hw.costs.device_tlb_timeouts, 1);
	hw_queue_resume(queue->iommu);
	expect_u64(queue->iommu->fault_status, 0);
	expect_ok(queue_run_all(queue, commands + 1, 2));
	ram_read(ram, 0x4000, &word, sizeof(word));
	assert_true(word != 0);
}

/* ---- The trace ------------------------------------------------------------------------------- */

static void commands_are_traced(void **state)
{
	struct queue *queue = *state;
	struct trace *trace = &queue->bench->world.trace;
	char text[1024] = "";

	trace->file = fmemopen(text, sizeof(text), "w");
	queue_run(queue,
		  (struct command){ { NH_VA(0x201) | TWO, QUEUE_4K_AT | LEAF | TG_4K | TTL(3) } });
	queue_run(queue, (struct command){ { NH_ASID(0x201), 0 } });
	queue_run(queue, (struct command){ { NH_ALL, 0 } });
	queue_run(queue, (struct command){ { STE(0x0318), 1 } });
	queue_run(queue, (struct command){ { 0x04, 31 } });
	fclose(trace->file);
	trace->file = NULL;
	assert_string_equal(text,
			    "t=0 cpu=0 smmuv3_tlbi unit=6 granularity=pages dom=513 dma=0x12344000 "
			    "size=8192 level=0 tables=0\n"
			    "t=0 cpu=0 smmuv3_tlbi unit=6 granularity=domain dom=513 tables=1\n"
			    "t=0 cpu=0 smmuv3_tlbi unit=6 granularity=global tables=1\n"
			    "t=0 cpu=0 smmuv3_cfgi unit=6 granularity=device source=0x318 "
			    "ignored=0x0\n"
			    "t=0 cpu=0 smmuv3_cfgi unit=6 granularity=global\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, queue_teardown)

TEST_MAIN(TEST(a_command_takes_what_it_names), TEST(hardware_need_not_heed_a_hint),
	  TEST(listeners_hear_what_was_covered), TEST(cached_tables_go_without_the_leaf_bit),
	  TEST(a_sync_stores_four_bytes), TEST(only_a_sync_keeps_the_order),
	  TEST(an_illegal_command_stops_the_queue),
	  TEST(a_device_that_does_not_answer_stops_the_next_sync), TEST(commands_are_traced))
