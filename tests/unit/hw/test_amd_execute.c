/* SPDX-License-Identifier: MIT */
/*
 * What an AMD unit does with commands (facts "iova-and-page-tables" 3.3): what each takes out of
 * the caches and what it leaves, waits, and what stops the queue. The words are made by hand; how
 * they are decoded is test_amd_queue.c's.
 */
#include "queue.h"

#include <errno.h>
#include <string.h>

#define PAGES(domain) (3ULL << 60 | (u64)(domain) << 32)
#define DEVICE_ENTRY  (2ULL << 60)
#define DEVICE_PAGES  (4ULL << 60)
#define INTERRUPTS    (5ULL << 60)
#define ALL	      (8ULL << 60)
#define WAIT	      (1ULL << 60)
#define S	      1ULL
#define PDE	      2ULL
#define GN	      4ULL
#define EVERYTHING    (0x7ffffffffffff000ULL | S)
#define WINDOW_2M     (QUEUE_2M_AT | 0xff000 | S)
#define WINDOW_8K     (QUEUE_4K_AT | S)

static int setup(void **state)
{
	return queue_setup_unit(state, &(struct hw_iommu_desc){ .arch = &hw_amd,
								.unit = 6,
								.levels = 4,
								.address_bits = 52,
								.coherent = true,
								.device_tlb = true,
								.iotlb_entries = 64,
								.context_entries = 16,
								.walk_entries = 16 });
}

/* ---- Pages ----------------------------------------------------------------------------------- */

/* trust: AMD's commands, executed | our reading of the facts: 3.3 */
static void pages_take_what_their_window_holds(void **state)
{
	static const struct {
		u64 low, high;
		u32 left;
	} row[] = {
		{ PAGES(0x0201), QUEUE_4K_AT, QUEUE_ALL & ~QUEUE_4K },
		{ PAGES(0x0201), QUEUE_4K_AT | PDE, QUEUE_ALL & ~QUEUE_4K },
		{ PAGES(0x0201), WINDOW_8K, QUEUE_ALL & ~(QUEUE_4K | QUEUE_4K_NEXT) },
		{ PAGES(0x0201), WINDOW_2M, QUEUE_ALL & ~QUEUE_2M },
		{ PAGES(0x0201), EVERYTHING, QUEUE_OTHER },
		{ PAGES(0x0301), EVERYTHING | PDE, QUEUE_ALL & ~QUEUE_OTHER },
		{ PAGES(0x0301), QUEUE_4K_AT, QUEUE_ALL & ~QUEUE_OTHER },
		{ PAGES(0x0401), EVERYTHING, QUEUE_ALL },
		/* Without GN a PASID means nothing. */
		{ PAGES(0x0201) | 0x54321, QUEUE_4K_AT, QUEUE_ALL & ~QUEUE_4K },
		{ ALL, 0, 0 },
	};
	struct queue *queue = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		queue_fill(queue);
		expect_ok(queue_run(queue, (struct command){ { row[i].low, row[i].high } }));
		queue_expect_left(queue, row[i].left);
	}
	expect_u64(queue->bench->hw.costs.invalidations, sizeof(row) / sizeof(row[0]));
}

/* A page larger than the window may stay: it does in a plain run, and now and then by chance. */
static void a_page_larger_than_the_window_may_survive(void **state)
{
	const struct command narrow = { { PAGES(0x0201), QUEUE_1G_AT | S } };
	const struct command large = { { PAGES(0x0201), QUEUE_1G_AT | 0x1ffff000 | S } };
	struct queue *queue = *state;
	u32 gone = 0;

	expect_ok(queue_run(queue, narrow));
	queue_expect_left(queue, QUEUE_ALL);
	expect_ok(queue_run(queue, (struct command){ { PAGES(0x0201), QUEUE_2M_AT } }));
	queue_expect_left(queue, QUEUE_ALL);
	expect_ok(queue_run(queue, large));
	queue_expect_left(queue, QUEUE_ALL & ~QUEUE_1G);

	queue->bench->world.random_choices = true;
	for (int i = 0; i < 64; i++) {
		queue_fill(queue);
		expect_ok(queue_run(queue, narrow));
		gone += !(queue_left(queue) & QUEUE_1G);
	}
	assert_in_range(gone, 1, 63);
}

/* What the checker hears: the window, that table entries stay unless PDE says so, larger pages. */
static void listeners_hear_what_was_covered(void **state)
{
	struct queue *queue = *state;

	expect_ok(queue_run(queue, (struct command){ { PAGES(0x0201), WINDOW_2M } }));
	expect_u64(queue->last.what, HW_INVALIDATED_IOTLB);
	expect_u64(queue->last.domain, 0x0201);
	expect_u64(queue->last.start, QUEUE_2M_AT);
	expect_u64(queue->last.last, QUEUE_2M_AT + SZ_2M - 1);
	assert_true(queue->last.leaf_only && queue->last.larger_stay);
	expect_ok(queue_run(queue, (struct command){ { PAGES(0x0201), EVERYTHING | PDE } }));
	expect_u64(queue->last.start, 0);
	expect_u64(queue->last.last, ~0ULL);
	assert_false(queue->last.leaf_only);

	expect_ok(queue_run(queue, (struct command){ { DEVICE_ENTRY | 0x0318, 0 } }));
	expect_u64(queue->last.what, HW_INVALIDATED_CONTEXT);
	assert_true(queue->last.all_domains);
	expect_u64(queue->last.requester, 0x0318);
	expect_u64(queue->last.requester_ignored, 0);

	expect_ok(queue_run(queue, (struct command){ { INTERRUPTS | 0x0318, 0 } }));
	expect_u64(queue->last.what, HW_INVALIDATED_INTERRUPT);
	expect_u64(queue->last.requester, 0x0318);
	expect_u64(queue->last.last, 0xffff);

	expect_ok(queue_run(queue,
			    (struct command){ { DEVICE_PAGES | 0x0300ULL << 32 | 8 << 24 | 0x0318,
						WINDOW_8K } }));
	expect_u64(queue->last.what, HW_INVALIDATED_DEVICE_TLB);
	expect_u64(queue->last.requester, 0x0318);
	expect_u64(queue->last.pf_requester, 0x0300);
	expect_u64(queue->last.queue_depth, 8);
	expect_u64(queue->last.start, QUEUE_4K_AT);
	expect_u64(queue->last.last, QUEUE_4K_AT + 0x1fff);
	assert_string_equal(queue->order, "iiiii");
}

/* Table entries go with PDE alone. */
static void cached_tables_go_with_pde(void **state)
{
	struct queue *queue = *state;

	queue_fill_tables(queue);
	expect_ok(queue_run(queue, (struct command){ { PAGES(0x0201), QUEUE_4K_AT } }));
	expect_ok(queue_run(queue, (struct command){ { PAGES(0x0201), EVERYTHING } }));
	assert_true(queue_holds_tables(queue));
	expect_ok(queue_run(queue, (struct command){ { PAGES(0x0201), QUEUE_4K_AT | PDE } }));
	assert_false(queue_holds_tables(queue));
}

/* ---- Device table entries -------------------------------------------------------------------- */

static bool is_cached(struct queue *queue, u16 requester)
{
	return context_cache_find(&queue->iommu->context_cache, requester) != NULL;
}

/* Of one device, whatever domain it named. */
static void a_device_table_entry_is_forgotten_alone(void **state)
{
	struct queue *queue = *state;
	struct context_cache *cache = &queue->iommu->context_cache;

	for (u16 requester = 0x0318; requester < 0x031b; requester++)
		context_cache_fill(cache, requester, requester & 1,
				   (struct hw_context){ .type = HW_CONTEXT_TRANSLATE });
	expect_ok(queue_run(queue, (struct command){ { DEVICE_ENTRY | 0x0319, 0 } }));
	assert_true(is_cached(queue, 0x0318) && is_cached(queue, 0x031a));
	assert_false(is_cached(queue, 0x0319));
	/* What it translated is not: that takes pages, or everything. */
	queue_expect_left(queue, QUEUE_ALL);
	expect_ok(queue_run(queue, (struct command){ { ALL, 0 } }));
	assert_false(is_cached(queue, 0x0318) || is_cached(queue, 0x031a));
	expect_u64(queue->bench->hw.costs.context_invalidations, 2);
}

/* ---- Waits ----------------------------------------------------------------------------------- */

static void a_wait_stores_eight_bytes(void **state)
{
	struct queue *queue = *state;
	struct ram *ram = &queue->bench->hw.ram;
	static const u8 expected[] = { 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xee };
	u8 bytes[9];

	memset(bytes, 0xee, sizeof(bytes));
	ram_write(ram, 0x4008, bytes, sizeof(bytes));
	expect_ok(queue_run(queue, (struct command){ { WAIT | 0x4008 | 1, 0x1122334455667788 } }));
	ram_read(ram, 0x4008, bytes, sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(bytes));
	expect_u64(queue->waited, 1);
	/* Without the store bit it stores nothing; it may interrupt. */
	expect_ok(queue_run(queue, (struct command){ { WAIT | 0x4008 | 2, 0 } }));
	ram_read(ram, 0x4008, bytes, sizeof(bytes));
	assert_memory_equal(bytes, expected, sizeof(bytes));
	expect_u64(queue->bench->hw.costs.wait_interrupts, 1);
	expect_u64(queue->waited, 2);
}

/* ---- What stops the queue -------------------------------------------------------------------- */

/* Two good ones are before it, so its place is 0x20; what is behind it is not executed. */
static void expect_stop(struct queue *queue, struct command bad, u64 event)
{
	const struct command commands[] = {
		{ { PAGES(0x0301), EVERYTHING } }, { { WAIT | 0x4008 | 1, 7 } }, bad, { { ALL, 0 } }
	};
	u64 place = 16 * queue->iommu->queue.submitted + 0x20;
	int err = event >> 60 == 5 ? -EINVAL : -EIO;
	u32 rejected = queue->rejected;
	struct hw_fault_record record;

	queue_fill(queue);
	expect_error(queue_run_all(queue, commands, 4), err);
	queue_expect_left(queue, QUEUE_ALL & ~QUEUE_OTHER);
	expect_u64(queue->rejected, rejected + 1);
	expect_u64(queue->bad[0], bad.word[0]);
	expect_u64(queue->bad[1], bad.word[1]);
	expect_u64(queue->iommu->fault_status, HW_STATUS_QUEUE | HW_STATUS_PENDING);
	assert_true(hw_fault_take(queue->iommu, &record));
	expect_u64(record.word[0], event);
	expect_u64(record.word[1], place);
	/* Until it is resumed nothing is executed. */
	expect_error(queue_run(queue, (struct command){ { ALL, 0 } }), err);
	queue_expect_left(queue, QUEUE_ALL & ~QUEUE_OTHER);
	assert_false(hw_fault_take(queue->iommu, &record));
	hw_queue_resume(queue->iommu);
	expect_u64(queue->iommu->fault_status, 0);
	expect_ok(queue_run(queue, (struct command){ { ALL, 0 } }));
	queue_expect_left(queue, 0);
}

/* trust: AMD events of commands | our reading of the facts: 2.6 and 3.3 */
static void an_illegal_command_stops_the_queue_and_is_logged(void **state)
{
	static const struct command bad[] = {
		{ { 0, 0 } },
		{ { 6ULL << 60, 0 } },
		{ { 7ULL << 60, 0 } },
		{ { 9ULL << 60, 0 } },
		{ { ALL | 1, 0 } },
		{ { DEVICE_ENTRY | 1 << 16, 0 } },
		{ { PAGES(0x0201), QUEUE_4K_AT | 8 } },
		/* Guest tables, which the unit does not have. */
		{ { PAGES(0x0201), QUEUE_4K_AT | GN } },
		{ { DEVICE_PAGES | 0x0318, QUEUE_4K_AT | GN } },
		{ { WAIT | 1ULL << 52 | 0x4008 | 1, 0 } },
	};
	struct queue *queue = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_stop(queue, bad[i], 0x5000000000000000ULL);
}

/* The store's address has no memory behind it, or only for a part of it. */
static void a_wait_that_cannot_store_stops_the_queue_and_is_logged(void **state)
{
	struct queue *queue = *state;

	expect_stop(queue, (struct command){ { WAIT | SZ_1M | 1, 5 } }, 0x6200000000000000ULL);
	expect_stop(queue, (struct command){ { WAIT | 0xffffffffffff8ULL | 1, 5 } },
		    0x6200000000000000ULL);
	/* One that stores nothing needs no memory. */
	expect_ok(queue_run(queue, (struct command){ { WAIT | SZ_1M, 5 } }));
}

static void a_unit_without_device_tlbs_does_not_know_their_command(void **state)
{
	struct queue *queue = *state;

	queue->iommu->walker.device_tlb = false;
	expect_stop(queue, (struct command){ { DEVICE_PAGES | 0x0318, QUEUE_4K_AT } },
		    0x5000000000000000ULL);
}

/* Its command's place, and whose device it was. */
static void a_device_that_does_not_answer_is_logged(void **state)
{
	struct queue *queue = *state;
	struct hw_fault_record record;

	expect_ok(queue_run(queue, (struct command){ { WAIT | 0x4008 | 1, 7 } }));
	hw_amd.device_timed_out(queue->iommu, 0x0318, 1);
	expect_u64(queue->iommu->fault_status, HW_STATUS_PENDING);
	assert_true(hw_fault_take(queue->iommu, &record));
	expect_u64(record.word[0], 0x7000000000000318ULL);
	expect_u64(record.word[1], 0x10);
}

/* ---- The order of waits ---------------------------------------------------------------------- */

/* "iw": the pages behind the wait were taken before it was complete. */
static u32 overtaken(struct queue *queue, u64 flags)
{
	const struct command batch[] = {
		{ { WAIT | flags, 0 } },
		{ { PAGES(0x0201), QUEUE_4K_AT } },
	};
	u32 count = 0;

	for (int i = 0; i < 64; i++) {
		memset(queue->order, 0, sizeof(queue->order));
		queue->submitted = queue->invalidated = queue->waited = queue->rejected = 0;
		expect_ok(queue_run_all(queue, batch, 2));
		count += !strcmp(queue->order, "iw");
		assert_int_equal(strlen(queue->order), 2);
	}
	return count;
}

/* Bit 2, flush: nothing behind the wait begins before it is over. */
static void a_wait_with_flush_is_not_overtaken(void **state)
{
	struct queue *queue = *state;

	expect_u64(overtaken(queue, 0), 0);
	queue->bench->world.random_choices = true;
	expect_u64(overtaken(queue, 4), 0);
	assert_in_range(overtaken(queue, 0), 1, 63);
}

/* ---- The trace ------------------------------------------------------------------------------- */

static void commands_are_traced(void **state)
{
	struct queue *queue = *state;
	struct trace *trace = &queue->bench->world.trace;
	char text[1024] = "";

	trace->file = fmemopen(text, sizeof(text), "w");
	queue_run(queue, (struct command){ { PAGES(0x0201), WINDOW_8K } });
	queue_run(queue, (struct command){ { PAGES(0x0201), 0xfffffffffffff000ULL } });
	queue_run(queue, (struct command){ { PAGES(0x0201), EVERYTHING | PDE } });
	queue_run(queue, (struct command){ { DEVICE_ENTRY | 0x0318, 0 } });
	queue_run(queue, (struct command){ { ALL, 0 } });
	fclose(trace->file);
	trace->file = NULL;
	assert_string_equal(text, "t=0 cpu=0 amd_iommu_pages unit=6 granularity=pages dom=513 "
				  "dma=0x12344000 size=8192 pde=0\n"
				  "t=0 cpu=0 amd_iommu_pages unit=6 granularity=pages dom=513 "
				  "dma=0xfffffffffffff000 size=4096 pde=0\n"
				  "t=0 cpu=0 amd_iommu_pages unit=6 granularity=pages dom=513 "
				  "pde=1\n"
				  "t=0 cpu=0 amd_devtab_entry unit=6 granularity=device "
				  "source=0x318 ignored=0x0\n"
				  "t=0 cpu=0 amd_devtab_entry unit=6 granularity=global\n"
				  "t=0 cpu=0 amd_iommu_pages unit=6 granularity=global pde=1\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, queue_teardown)

TEST_MAIN(TEST(pages_take_what_their_window_holds), TEST(a_page_larger_than_the_window_may_survive),
	  TEST(listeners_hear_what_was_covered), TEST(cached_tables_go_with_pde),
	  TEST(a_device_table_entry_is_forgotten_alone), TEST(a_wait_stores_eight_bytes),
	  TEST(an_illegal_command_stops_the_queue_and_is_logged),
	  TEST(a_wait_that_cannot_store_stops_the_queue_and_is_logged),
	  TEST(a_unit_without_device_tlbs_does_not_know_their_command),
	  TEST(a_device_that_does_not_answer_is_logged), TEST(commands_are_traced),
	  TEST(a_wait_with_flush_is_not_overtaken))
