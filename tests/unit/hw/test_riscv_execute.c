/* SPDX-License-Identifier: MIT */
/*
 * What a RISC-V unit does with commands (facts "iova-and-page-tables" 3.5): what each takes out of
 * the caches and what it leaves, fences, and what stops the queue. The words are made by hand.
 */
#include "queue.h"

#include <errno.h>
#include <string.h>

#define VMA(pscid) (1ULL | (u64)(pscid) << 12 | PSCV)
#define GVMA	   (1ULL | 1ULL << 7)
#define FENCE	   2ULL
#define DDT	   3ULL
#define PDT	   (3ULL | 1ULL << 7)
#define ATS	   4ULL
#define PRGR	   (4ULL | 1ULL << 7)
#define AV	   (1ULL << 10)
#define WSI	   (1ULL << 11)
#define PSCV	   (1ULL << 32)
#define GV	   (1ULL << 33)
#define NL	   (1ULL << 34)
#define DV	   (1ULL << 33)
#define DSV	   (1ULL << 33)
#define S	   (1ULL << 9)
#define PAGE(iova) ((u64)(iova) >> 12 << 10)
#define WINDOW_8K  (PAGE(QUEUE_4K_AT) | S)
#define ALL_ONES   (PAGE(~0ULL) | S)
#define EVERYTHING (PAGE(~0ULL >> 1) | S)

static int setup_without(void **state, bool forgets)
{
	const struct hw_iommu_desc desc = {
		.arch = &hw_riscv,
		.unit = 6,
		.levels = 4,
		.address_bits = 52,
		.coherent = true,
		.device_tlb = forgets,
		.forgets_tables = forgets,
		.forgets_windows = forgets,
		.iotlb_entries = 64,
		.context_entries = 16,
		.walk_entries = 16,
	};

	return queue_setup_unit(state, &desc);
}

static int setup(void **state)
{
	return setup_without(state, true);
}

static int setup_bare(void **state)
{
	return setup_without(state, false);
}

/* ---- Translations ---------------------------------------------------------------------------- */

/* trust: RISC-V's commands, executed | our reading of the facts: 3.5 */
static void a_command_takes_what_it_names(void **state)
{
	static const struct {
		u64 low, high;
		u32 left;
	} row[] = {
		{ VMA(0x201) | AV, PAGE(QUEUE_4K_AT), QUEUE_ALL & ~QUEUE_4K },
		{ VMA(0x201) | AV | NL, PAGE(QUEUE_4K_AT), QUEUE_ALL & ~QUEUE_4K },
		{ VMA(0x201) | AV, WINDOW_8K, QUEUE_ALL & ~(QUEUE_4K | QUEUE_4K_NEXT) },
		/* A leaf goes by any address of it, whatever its size. */
		{ VMA(0x201) | AV, PAGE(QUEUE_2M_AT + 0x5000), QUEUE_ALL & ~QUEUE_2M },
		{ VMA(0x201) | AV, PAGE(QUEUE_1G_AT), QUEUE_ALL & ~QUEUE_1G },
		{ VMA(0x201) | AV, EVERYTHING, QUEUE_OTHER },
		{ VMA(0x201), 0, QUEUE_OTHER },
		{ VMA(0x301), 0, QUEUE_ALL & ~QUEUE_OTHER },
		/* With AV clear the rest does not count. */
		{ VMA(0x301) | NL, WINDOW_8K, QUEUE_ALL & ~QUEUE_OTHER },
		{ 1, 0, 0 },
		/* Nobody's: a PSCID that no context has, a machine's, a second stage's. */
		{ VMA(0x10201), 0, QUEUE_ALL },
		{ VMA(0x401), 0, QUEUE_ALL },
		{ VMA(0x201) | GV, 0, QUEUE_ALL },
		{ 1 | GV | 5ULL << 44, 0, QUEUE_ALL },
		{ GVMA, 0, QUEUE_ALL },
		{ GVMA | GV | AV, PAGE(QUEUE_4K_AT), QUEUE_ALL },
		/* Of all ones nothing is specified. */
		{ VMA(0x201) | AV, ALL_ONES, QUEUE_ALL },
	};
	struct queue *queue = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		queue_fill(queue);
		expect_ok(queue_run(queue, (struct command){ { row[i].low, row[i].high } }));
		queue_expect_left(queue, row[i].left);
	}
}

/* Of one address in every space all may go; what the checker hears is the page. */
static void an_address_of_all_spaces_goes_in_each(void **state)
{
	struct queue *queue = *state;

	expect_ok(queue_run(queue, (struct command){ { 1 | AV, PAGE(QUEUE_4K_AT) } }));
	assert_false(queue_left(queue) & (QUEUE_4K | QUEUE_OTHER));
	assert_true(queue->last.all_domains && queue->last.leaf_only);
	expect_u64(queue->last.start, QUEUE_4K_AT);
	expect_u64(queue->last.last, QUEUE_4K_AT + 0xfff);
}

static void listeners_hear_what_was_covered(void **state)
{
	struct queue *queue = *state;

	expect_ok(queue_run(queue, (struct command){ { VMA(0x201) | AV, WINDOW_8K } }));
	expect_u64(queue->last.what, HW_INVALIDATED_IOTLB);
	expect_u64(queue->last.domain, 0x201);
	expect_u64(queue->last.start, QUEUE_4K_AT);
	expect_u64(queue->last.last, QUEUE_4K_AT + 0x1fff);
	assert_true(queue->last.leaf_only && !queue->last.larger_stay && !queue->last.all_domains);
	expect_ok(queue_run(queue, (struct command){ { VMA(0x201) | AV | NL, WINDOW_8K } }));
	assert_false(queue->last.leaf_only);
	expect_ok(queue_run(queue, (struct command){ { VMA(0x201), 0 } }));
	assert_false(queue->last.leaf_only);
	expect_u64(queue->last.start, 0);
	expect_u64(queue->last.last, ~0ULL);

	expect_ok(queue_run(queue, (struct command){ { DDT | DV | 0x0318ULL << 40, 0 } }));
	expect_u64(queue->last.what, HW_INVALIDATED_CONTEXT);
	expect_u64(queue->last.requester, 0x0318);
	expect_u64(queue->last.requester_ignored, 0);
	expect_ok(queue_run(queue, (struct command){ { DDT, 0 } }));
	expect_u64(queue->last.requester_ignored, 0xffff);

	expect_ok(queue_run(queue,
			    (struct command){ { ATS | 0x0318ULL << 40, QUEUE_4K_AT | 1 << 11 } }));
	expect_u64(queue->last.what, HW_INVALIDATED_DEVICE_TLB);
	expect_u64(queue->last.requester, 0x0318);
	expect_u64(queue->last.start, QUEUE_4K_AT);
	expect_u64(queue->last.last, QUEUE_4K_AT + 0x1fff);
	assert_false(queue->last.has_pasid);
	expect_ok(queue_run(
		queue,
		(struct command){ { ATS | 0x54321 << 12 | PSCV | DSV | 0x0318ULL << 40, 1 } }));
	assert_true(queue->last.has_pasid && queue->last.all_pasids);
	expect_u64(queue->last.pasid, 0x54321);
	assert_string_equal(queue->order, "iiiiiii");
}

/* What does nothing is heard of by nobody. */
static void commands_for_what_there_is_none_of_do_nothing(void **state)
{
	static const struct command nothing[] = {
		{ { PDT | DV | 0x0318ULL << 40 | 5 << 12, 0 } },
		{ { DDT | DV | 0x10318ULL << 40, 0 } },
		{ { PRGR | 0x0318ULL << 40, 1ULL << 32 } },
		/* Another segment's. */
		{ { ATS | DSV | 0x0318ULL << 40 | 1ULL << 56, 0 } },
		{ { ATS | 0x0318ULL << 40, ~0ULL << 12 | 1 << 11 } },
	};
	struct queue *queue = *state;

	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
		expect_ok(queue_run(queue, nothing[i]));
	queue_expect_left(queue, QUEUE_ALL);
	assert_string_equal(queue->order, "");
}

static void cached_tables_go_with_nl(void **state)
{
	struct queue *queue = *state;

	queue_fill_tables(queue);
	expect_ok(queue_run(queue, (struct command){ { VMA(0x201) | AV, PAGE(QUEUE_4K_AT) } }));
	expect_ok(queue_run(queue, (struct command){ { VMA(0x201) | AV, WINDOW_8K } }));
	assert_true(queue_holds_tables(queue));
	expect_ok(
		queue_run(queue, (struct command){ { VMA(0x201) | AV | NL, PAGE(QUEUE_4K_AT) } }));
	assert_false(queue_holds_tables(queue));
	queue_fill_tables(queue);
	expect_ok(queue_run(queue, (struct command){ { VMA(0x201), 0 } }));
	assert_false(queue_holds_tables(queue));
}

/* ---- Fences ---------------------------------------------------------------------------------- */

static void a_fence_stores_four_bytes(void **state)
{
	struct queue *queue = *state;
	struct ram *ram = &queue->bench->hw.ram;
	static const u8 expected[] = { 0x44, 0x33, 0x22, 0x11, 0xee };
	u8 bytes[5];

	memset(bytes, 0xee, sizeof(bytes));
	ram_write(ram, 0x4004, bytes, sizeof(bytes));
	expect_ok(queue_run(queue,
			    (struct command){ { FENCE | AV | 0x11223344ULL << 32, 0x4004 >> 2 } }));
	ram_read(ram, 0x4004, bytes, sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(bytes));
	/* Without AV it stores nothing; it may interrupt. */
	expect_ok(queue_run(queue, (struct command){ { FENCE | WSI | 5ULL << 32, 0x4004 >> 2 } }));
	ram_read(ram, 0x4004, bytes, sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(bytes));
	expect_u64(queue->bench->hw.costs.wait_interrupts, 1);
	expect_u64(queue->waited, 2);
}

/* How often the second is executed first, of 64 times. */
static u32 overtaken(struct queue *queue, const struct command batch[2], const char *order)
{
	u32 count = 0;

	for (int i = 0; i < 64; i++) {
		memset(queue->order, 0, sizeof(queue->order));
		queue->last.what = HW_INVALIDATED_COUNT;
		expect_ok(queue_run_all(queue, batch, 2));
		assert_int_equal(strlen(queue->order), 2);
		count += order ? !strcmp(queue->order, order)
			       : queue->last.what == HW_INVALIDATED_CONTEXT;
	}
	return count;
}

/* Contexts and translations overtake each other; a fence nobody. */
static void only_a_fence_keeps_the_order(void **state)
{
	const struct command context = { { DDT | DV | 0x0318ULL << 40, 0 } };
	const struct command space = { { VMA(0x201), 0 } }, fence = { { FENCE, 0 } };
	struct queue *queue = *state;

	expect_u64(overtaken(queue, (struct command[]){ context, space }, NULL), 0);
	queue->bench->world.random_choices = true;
	assert_in_range(overtaken(queue, (struct command[]){ context, space }, NULL), 1, 63);
	expect_u64(overtaken(queue, (struct command[]){ fence, space }, "iw"), 0);
	expect_u64(overtaken(queue, (struct command[]){ space, fence }, "wi"), 0);
}

/* ---- What stops the queue -------------------------------------------------------------------- */

/* Two good ones are before it; what is behind it is not executed. */
static void expect_stop(struct queue *queue, struct command bad, int err)
{
	const struct command commands[] = {
		{ { VMA(0x301), 0 } }, { { FENCE | AV, 0x4008 >> 2 } }, bad, { { 1, 0 } }
	};
	u32 rejected = queue->rejected;
	struct hw_fault_record record;

	queue_fill(queue);
	expect_error(queue_run_all(queue, commands, 4), err);
	queue_expect_left(queue, QUEUE_ALL & ~QUEUE_OTHER);
	expect_u64(queue->rejected, rejected + 1);
	expect_u64(queue->bad[0], bad.word[0]);
	expect_u64(queue->bad[1], bad.word[1]);
	/* The status says it, and no record. */
	expect_u64(queue->iommu->fault_status, HW_STATUS_QUEUE);
	assert_false(hw_fault_take(queue->iommu, &record));
	expect_error(queue_run(queue, (struct command){ { 1, 0 } }), err);
	hw_queue_resume(queue->iommu);
	expect_u64(queue->iommu->fault_status, 0);
	expect_ok(queue_run(queue, (struct command){ { 1, 0 } }));
	queue_expect_left(queue, 0);
}

/* trust: RISC-V's malformed commands | our reading of the facts: 3.5 */
static void a_malformed_command_stops_the_queue(void **state)
{
	static const struct command bad[] = {
		{ { 0, 0 } },		{ { 5, 0 } },
		{ { 1 | 2 << 7, 0 } },	{ { 2 | 1 << 7, 0 } },
		{ { 3 | 2 << 7, 0 } },	{ { 4 | 2 << 7, 0 } },
		{ { GVMA | PSCV, 0 } }, { { DDT | 5 << 12, 0 } },
		{ { PDT, 0 } },		{ { DDT, 1 } },
	};
	/* The bits that must be 0. */
	static const struct {
		u64 low, low_reserved, high_reserved;
	} row[] = {
		{ 1, 0xf0000ff800000800ULL, 0xc0000000000001ffULL },
		{ 2, 0x00000000ffffc000ULL, 0xc000000000000000ULL },
		{ 3, 0x000000fd00000c00ULL, ~0ULL },
		{ 4, 0x000000fc00000c00ULL, 0x00000000000007feULL },
	};
	struct queue *queue = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_stop(queue, bad[i], -EINVAL);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		for (u32 bit = 0; bit < 64; bit++) {
			u64 one = 1ULL << bit;

			if (row[i].low_reserved & one)
				expect_stop(queue, (struct command){ { row[i].low | one, 0 } },
					    -EINVAL);
			if (row[i].high_reserved & one)
				expect_stop(queue, (struct command){ { row[i].low, one } },
					    -EINVAL);
		}
	}
}

/* Neither NL, nor S, nor device TLBs. */
static void what_a_unit_lacks_is_malformed(void **state)
{
	struct queue *queue = *state;

	expect_stop(queue, (struct command){ { VMA(0x201) | AV | NL, 0 } }, -EINVAL);
	expect_stop(queue, (struct command){ { VMA(0x201) | AV, WINDOW_8K } }, -EINVAL);
	expect_stop(queue, (struct command){ { ATS | 0x0318ULL << 40, 0 } }, -EINVAL);
	expect_stop(queue, (struct command){ { PRGR, 0 } }, -EINVAL);
}

static void a_fence_that_cannot_store_stops_the_queue(void **state)
{
	struct queue *queue = *state;

	expect_stop(queue, (struct command){ { FENCE | AV, SZ_1M >> 2 } }, -EIO);
	/* One that stores nothing needs no memory. */
	expect_ok(queue_run(queue, (struct command){ { FENCE, SZ_1M >> 2 } }));
}

/* ---- The trace ------------------------------------------------------------------------------- */

static void commands_are_traced(void **state)
{
	struct queue *queue = *state;
	struct trace *trace = &queue->bench->world.trace;
	char text[1024] = "";

	trace->file = fmemopen(text, sizeof(text), "w");
	queue_run(queue, (struct command){ { VMA(0x201) | AV, WINDOW_8K } });
	queue_run(queue, (struct command){ { VMA(0x201), 0 } });
	queue_run(queue, (struct command){ { 1, 0 } });
	queue_run(queue, (struct command){ { DDT | DV | 0x0318ULL << 40, 0 } });
	queue_run(queue, (struct command){ { DDT, 0 } });
	fclose(trace->file);
	trace->file = NULL;
	assert_string_equal(text, "t=0 cpu=0 riscv_iotinval unit=6 granularity=address dom=513 "
				  "dma=0x12344000 size=8192 nl=0\n"
				  "t=0 cpu=0 riscv_iotinval unit=6 granularity=space dom=513 nl=1\n"
				  "t=0 cpu=0 riscv_iotinval unit=6 granularity=all nl=1\n"
				  "t=0 cpu=0 riscv_iodir unit=6 granularity=device source=0x318 "
				  "ignored=0x0\n"
				  "t=0 cpu=0 riscv_iodir unit=6 granularity=all\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, queue_teardown)

TEST_MAIN(TEST(a_command_takes_what_it_names), TEST(an_address_of_all_spaces_goes_in_each),
	  TEST(listeners_hear_what_was_covered),
	  TEST(commands_for_what_there_is_none_of_do_nothing), TEST(cached_tables_go_with_nl),
	  TEST(a_fence_stores_four_bytes), TEST(only_a_fence_keeps_the_order),
	  TEST(a_malformed_command_stops_the_queue),
	  cmocka_unit_test_setup_teardown(what_a_unit_lacks_is_malformed, setup_bare,
					  queue_teardown),
	  TEST(a_fence_that_cannot_store_stops_the_queue), TEST(commands_are_traced))
