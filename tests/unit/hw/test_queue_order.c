/* SPDX-License-Identifier: MIT */
/*
 * The order in which commands are executed: for small batches all orders that hardware may choose,
 * against what the rules allow (facts "iova-and-page-tables" 3.2 and 3.6).
 *
 * Words, by hand: 0x11 context, global; 0x12 IOTLB, global; 0x3 device TLB; 0x4 interrupt entries;
 * 0x5 wait, and with bit 6 a fence.
 */
#include "queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "world/explore.h"
#include "yard.h"

#define BATCH_MAX 4

enum kind { CONTEXT, IOTLB, DEVICE, INTERRUPT, WAIT, FENCE, KINDS };

static const u64 word_of[KINDS] = { 0x11, 0x12, 0x3, 0x4, 0x5, 0x45 };

/* What was executed, by the place of its command in the batch. */
struct log {
	u64 base; /* number of the last command before the batch */
	u32 count;
	u8 place[BATCH_MAX];
};

static void note(struct log *log, u64 number)
{
	assert_true(log->count < BATCH_MAX);
	log->place[log->count++] = (u8)(number - log->base - 1);
}

static void note_invalidated(void *cookie, struct hw_iommu *iommu,
			     const struct hw_invalidation *what)
{
	(void)iommu;
	note(cookie, what->number);
}

static void note_waited(void *cookie, struct hw_iommu *iommu, u64 number)
{
	(void)iommu;
	note(cookie, number);
}

static void encode(const enum kind *kinds, u32 count, u8 *bytes)
{
	memset(bytes, 0, 16 * count);
	for (u32 i = 0; i < count; i++)
		bytes[16 * i] = (u8)word_of[kinds[i]];
}

/* One of the orders of 4 places, as a number below 256: which were seen, which may be. */
struct orders {
	bool is[256];
};

static u32 number_of(const u8 *place, u32 count)
{
	u32 number = 0;

	for (u32 i = 0; i < count; i++)
		number = number * 4 + place[i];
	return number;
}

/* The rules, pair by pair: must the command at `a` be executed before that at `b` behind it? */
static bool must_precede(const enum kind *kinds, u32 a, u32 b)
{
	if (kinds[b] == WAIT || kinds[b] == FENCE)
		return true;
	if (kinds[b] == DEVICE && kinds[a] == IOTLB)
		return true;
	if (kinds[b] == IOTLB && kinds[a] == CONTEXT)
		return true;
	return kinds[a] == FENCE;
}

/* What a fence keeps behind it stays behind all that it waits for. */
static bool is_allowed(const enum kind *kinds, const u8 *place, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		for (u32 k = i + 1; k < count; k++) {
			if (place[k] < place[i] && must_precede(kinds, place[k], place[i]))
				return false;
			if (place[k] == place[i])
				return false;
		}
	}
	return true;
}

static void find_allowed(const enum kind *kinds, u32 count, struct orders *orders)
{
	u32 all = 1;

	memset(orders, 0, sizeof(*orders));
	for (u32 i = 0; i < count; i++)
		all *= count;
	for (u32 draw = 0; draw < all; draw++) {
		u8 place[BATCH_MAX];
		u32 rest = draw;

		for (u32 i = 0; i < count; i++, rest /= count)
			place[i] = (u8)(rest % count);
		if (is_allowed(kinds, place, count))
			orders->is[number_of(place, count)] = true;
	}
}

static void find_seen(struct queue *queue, const enum kind *kinds, u32 count, struct orders *orders)
{
	struct explorer *explorer = explorer_create(EXPLORER_ALL);
	u8 bytes[16 * BATCH_MAX];

	assert_non_null(explorer);
	memset(orders, 0, sizeof(*orders));
	encode(kinds, count, bytes);
	while (explorer_next(explorer)) {
		struct schedule_chooser chooser = explorer_chooser(explorer);
		struct log log = { .base = queue->iommu->queue.submitted };

		queue->bench->hw.hooks = (struct hw_hooks){ .cookie = &log,
							    .invalidated = note_invalidated,
							    .waited = note_waited };
		queue->bench->world.choices = &chooser;
		expect_ok(hw_queue_execute(queue->iommu, bytes, 16 * count));
		queue->bench->world.choices = NULL;
		expect_u64(log.count, count);
		orders->is[number_of(log.place, count)] = true;
	}
	assert_true(explorer_counts(explorer).complete);
	explorer_destroy(explorer);
}

static void expect_all_orders(struct queue *queue, const enum kind *kinds, u32 count)
{
	struct orders allowed, seen;

	find_allowed(kinds, count, &allowed);
	find_seen(queue, kinds, count, &seen);
	for (u32 i = 0; i < 256; i++) {
		if (allowed.is[i] != seen.is[i])
			fail_msg("batch %u %u %u %u, order %03x (base 4 places): %s", kinds[0],
				 kinds[1], count > 2 ? kinds[2] : 9, count > 3 ? kinds[3] : 9, i,
				 seen.is[i] ? "seen, not allowed" : "allowed, not seen");
	}
}

/*
 * trust: the order in which a queue's commands are executed
 *	| an independent model: all orders of 4 commands, by rules on pairs
 */
static void every_order_that_the_rules_allow_is_possible_and_no_other(void **state)
{
	struct queue *queue = *state;
	enum kind kinds[BATCH_MAX];
	u32 batches = 0;

	for (u32 count = 1; count <= BATCH_MAX; count++) {
		u32 all = 1;

		for (u32 i = 0; i < count; i++)
			all *= KINDS;
		for (u32 draw = 0; draw < all; draw++, batches++) {
			u32 rest = draw;

			for (u32 i = 0; i < count; i++, rest /= KINDS)
				kinds[i] = (enum kind)(rest % KINDS);
			expect_all_orders(queue, kinds, count);
		}
	}
	expect_u64(batches, 6 + 36 + 216 + 1296);
}

static u32 count_orders(struct queue *queue, const enum kind *kinds, u32 count)
{
	struct orders seen;
	u32 orders = 0;

	find_seen(queue, kinds, count, &seen);
	for (u32 i = 0; i < 256; i++)
		orders += seen.is[i];
	return orders;
}

/* By hand: how many orders there are. */
static void some_batches_have_so_many_orders(void **state)
{
	static const struct {
		enum kind kinds[BATCH_MAX];
		u32 count;
		u32 orders;
	} row[] = {
		{ { IOTLB, IOTLB, IOTLB, WAIT }, 4, 6 },
		{ { IOTLB, DEVICE, WAIT }, 3, 1 },
		{ { DEVICE, IOTLB, WAIT }, 3, 2 }, /* the wrong order may become the right one */
		{ { CONTEXT, IOTLB, DEVICE, WAIT }, 4, 1 },
		{ { IOTLB, WAIT, IOTLB }, 3, 3 }, /* it may run before, between and behind */
		{ { IOTLB, FENCE, IOTLB }, 3, 1 },
		{ { IOTLB, FENCE, IOTLB, IOTLB }, 4, 2 },
		{ { CONTEXT, DEVICE, INTERRUPT, IOTLB }, 4, 12 },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		expect_u64(count_orders(*state, row[i].kinds, row[i].count), row[i].orders);
}

/* ---- A queue that executes nothing until it must --------------------------------------------- */

static u32 last_answer(void *context, u32 enabled, u32 current)
{
	(void)context, (void)current;
	return enabled == 3 ? 1 : 0;
}

static const struct schedule_chooser lazy = { .choose = last_answer };

static void a_full_queue_executes_the_oldest(void **state)
{
	struct queue *queue = *state;
	struct command command = { { 0x22 | 0x0301ULL << 16, 0 } };
	u64 words[2] = { htole64(command.word[0]), 0 };

	queue->bench->world.choices = &lazy;
	for (u32 i = 0; i < 256; i++) {
		expect_ok(hw_queue_submit(queue->iommu, words, 16));
		expect_u64(queue->iommu->queue.count, i + 1);
	}
	expect_u64(queue->invalidated, 0);
	queue_expect_left(queue, QUEUE_ALL);
	expect_ok(hw_queue_submit(queue->iommu, words, 16));
	assert_true(queue->invalidated >= 1);
	queue_expect_left(queue, QUEUE_ALL & ~QUEUE_OTHER);
	expect_ok(hw_queue_execute(queue->iommu, NULL, 0));
	expect_u64(queue->invalidated, 257);
	expect_u64(queue->iommu->queue.count, 0);
}

static int submit_all(struct queue *queue, const struct command *commands, u32 count)
{
	u8 bytes[16 * 8];

	for (u32 i = 0; i < 16 * count; i++)
		bytes[i] = (u8)(commands[i / 16].word[i / 8 % 2] >> (8 * (i % 8)));
	return hw_queue_submit(queue->iommu, bytes, 16 * count);
}

/* Software goes on when the status is there: what stands behind the wait is nobody's business. */
static void waiting_ends_with_the_latest_wait(void **state)
{
	static const struct command batch[] = {
		{ { 0x22 | 0x0301ULL << 16, 0 } },
		{ { 0x65 | 7ULL << 32, 0x6000 } },
		{ { 0x12, 0 } },
	};
	struct queue *queue = *state;
	u8 seen[4];

	queue->bench->world.choices = &lazy;
	expect_ok(submit_all(queue, batch, 3));
	assert_string_equal(queue->order, "");
	expect_ok(hw_queue_wait(queue->iommu));
	assert_string_equal(queue->order, "iw");
	expect_u64(queue->last_wait, 2);
	queue_expect_left(queue, QUEUE_ALL & ~QUEUE_OTHER);
	ram_read(&queue->bench->hw.ram, 0x6000, seen, 4);
	assert_int_equal(seen[0], 7);
	/* No wait is on its way any more: all of it. */
	expect_ok(hw_queue_wait(queue->iommu));
	assert_string_equal(queue->order, "iwi");
	queue_expect_left(queue, 0);
}

static void what_stands_before_a_malformed_command_is_executed(void **state)
{
	static const struct command batch[] = {
		{ { 0x22 | 0x0301ULL << 16, 0 } },
		{ { 0x32 | 0x0201ULL << 16, QUEUE_4K_AT } },
		{ { 0x0f, 0 } },
		{ { 0x12, 0 } },
	};
	struct queue *queue = *state;

	queue->bench->world.choices = &lazy;
	expect_error(submit_all(queue, batch, 4), -EINVAL);
	queue_expect_left(queue, QUEUE_ALL & ~(QUEUE_OTHER | QUEUE_4K));
	assert_string_equal(queue->order, "iie");
	expect_error(hw_queue_wait(queue->iommu), -EINVAL);
	hw_queue_resume(queue->iommu);
	expect_ok(hw_queue_wait(queue->iommu));
}

static void what_was_not_executed_is_forgotten_when_an_error_is_cleared(void **state)
{
	static const struct command good = { { 0x12, 0 } };
	struct queue *queue = *state;

	queue->bench->world.choices = &lazy;
	expect_ok(submit_all(queue, &good, 1));
	hw_queue_resume(queue->iommu);
	expect_ok(hw_queue_wait(queue->iommu));
	queue_expect_left(queue, QUEUE_ALL);
}

static void a_plain_run_executes_each_command_as_it_is_submitted(void **state)
{
	static const struct command batch[] = { { { 0x12, 0 } }, { { 0x3, 0 } }, { { 0x5, 0 } } };
	struct queue *queue = *state;

	expect_ok(submit_all(queue, batch, 3));
	assert_string_equal(queue->order, "iiw");
	expect_u64(queue->iommu->queue.count, 0);
	expect_u64(queue->last_wait, 3);
}

/* ---- Devices meanwhile ----------------------------------------------------------------------- */

#define PAGE_AT 0x40000000ULL

/*
 * An unmap: the entry is cleared, then the command is submitted, then the device asks. It may meet
 * what was there or nothing; when the wait is over, nothing.
 */
static void a_device_may_be_before_or_after_a_command_that_is_on_its_way(void **state)
{
	static const u64 words[4] = { 0x12, 0, 0x5, 0 };
	struct explorer *explorer = explorer_create(EXPLORER_ALL);
	struct yard *yard = *state;
	bool was_there = false, was_gone = false;
	u64 commands[4];

	for (u32 i = 0; i < 4; i++)
		commands[i] = htole64(words[i]);
	yard_iommu(yard);
	while (explorer_next(explorer)) {
		struct schedule_chooser chooser = explorer_chooser(explorer);
		struct hw_target target;

		yard_map(yard, PAGE_AT, 0x7000, ENTRY_RW);
		yard_route(yard, yard->left, PAGE_AT, true, NULL);
		yard_map(yard, PAGE_AT, 0, 0);
		yard->hw->world->choices = &chooser;
		expect_ok(hw_queue_submit(yard->iommu, commands, sizeof(commands)));
		target = yard_route(yard, yard->left, PAGE_AT, true, NULL);
		was_there |= target.kind == HW_TARGET_RAM;
		was_gone |= target.kind == HW_TARGET_FAULT;
		expect_ok(hw_queue_wait(yard->iommu));
		target = yard_route(yard, yard->left, PAGE_AT, true, NULL);
		assert_int_equal(target.kind, HW_TARGET_FAULT);
		yard->hw->world->choices = NULL;
	}
	assert_true(explorer_counts(explorer).complete);
	assert_true(was_there);
	assert_true(was_gone);
	explorer_destroy(explorer);
}

/* A dry run is none. */
static void a_probe_lets_no_command_run(void **state)
{
	const u64 words[2] = { htole64(0x12), 0 };
	struct yard *yard = *state;
	struct hw_request request = { .from = yard->left, .address = PAGE_AT, .probe = true };

	yard_iommu(yard);
	yard->hw->world->choices = &lazy;
	expect_ok(hw_queue_submit(yard->iommu, words, sizeof(words)));
	yard->hw->world->choices = NULL;
	hw_route(yard->hw, &request, NULL);
	expect_u64(yard->iommu->queue.count, 1);
	request.probe = false;
	hw_route(yard->hw, &request, NULL);
	expect_u64(yard->iommu->queue.count, 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, queue_setup, queue_teardown)
#define YARD_TEST(name) cmocka_unit_test_setup_teardown(name, yard_setup, yard_teardown)

TEST_MAIN(TEST(every_order_that_the_rules_allow_is_possible_and_no_other),
	  TEST(some_batches_have_so_many_orders), TEST(a_full_queue_executes_the_oldest),
	  TEST(waiting_ends_with_the_latest_wait),
	  TEST(what_stands_before_a_malformed_command_is_executed),
	  TEST(what_was_not_executed_is_forgotten_when_an_error_is_cleared),
	  TEST(a_plain_run_executes_each_command_as_it_is_submitted),
	  YARD_TEST(a_device_may_be_before_or_after_a_command_that_is_on_its_way),
	  YARD_TEST(a_probe_lets_no_command_run))
