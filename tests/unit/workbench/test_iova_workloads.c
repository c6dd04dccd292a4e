/* SPDX-License-Identifier: MIT */
/*
 * Workloads for IOVA allocators: each is what its paragraph in dmasim/iova-bench.h says.
 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "unit/workbench/placed.h"
#include "workbench/player.h"

static struct dmasim_iova_workload *make(const struct dmasim_iova_workload_config *config)
{
	struct dmasim_iova_error error = { "" };
	struct dmasim_iova_workload *workload = dmasim_iova_workload_create(config, &error);

	assert_string_equal(error.text, "");
	assert_non_null(workload);
	return workload;
}

static bool same(const struct dmasim_iova_workload *a, const struct dmasim_iova_workload *b)
{
	return a->count == b->count && !memcmp(a->op, b->op, a->count * sizeof(*a->op));
}

static u64 count(const struct dmasim_iova_workload *workload, enum workload_type type, bool timed)
{
	u64 found = 0;

	for (size_t i = 0; i < workload->count; i++)
		found += workload->op[i].type == type && workload->op[i].timed == timed;
	return found;
}

static void a_seed_means_one_list(void **state)
{
	struct dmasim_iova_workload_config config = { .name = "mixed", .steps = 100, .seed = 3 };
	struct dmasim_iova_workload *one = make(&config), *two = make(&config), *other;

	(void)state;
	assert_true(same(one, two));
	config.seed = 4;
	other = make(&config);
	assert_false(same(one, other));
	dmasim_iova_workload_destroy(one);
	dmasim_iova_workload_destroy(two);
	dmasim_iova_workload_destroy(other);
}

static void seed_0_is_seed_1(void **state)
{
	struct dmasim_iova_workload *one =
		make(&(struct dmasim_iova_workload_config){ .name = "mixed", .steps = 9 });
	struct dmasim_iova_workload *two = make(
		&(struct dmasim_iova_workload_config){ .name = "mixed", .steps = 9, .seed = 1 });

	(void)state;
	assert_true(same(one, two));
	dmasim_iova_workload_destroy(one);
	dmasim_iova_workload_destroy(two);
}

/* Nothing is freed that is not allocated, and sizes and caches go back as they came. */
static void expect_sound(const struct dmasim_iova_workload *workload)
{
	struct workload_op *holder = calloc(workload->id_count + 1, sizeof(*holder));

	assert_non_null(holder);
	for (size_t i = 0; i < workload->count; i++) {
		const struct workload_op *op = &workload->op[i];
		struct workload_op *held = &holder[op->id];

		if (op->type == WORKLOAD_ALLOC) {
			expect_u64(held->pages, 0);
			*held = *op;
		} else if (op->type == WORKLOAD_FREE) {
			expect_u64(op->pages, held->pages);
			expect_u64(op->how, held->how & IOVA_CACHE);
			held->pages = 0;
		} else if (op->type == WORKLOAD_FIND) {
			assert_true(held->pages);
		}
		if (op->type == WORKLOAD_ALLOC || op->type == WORKLOAD_RETRY) {
			assert_true(op->limit <= workload->last_pfn);
			assert_true(!(op->how & IOVA_FLUSH) || op->how & IOVA_CACHE);
			assert_true((op->how & IOVA_ALIGN_LG2) == iova_natural(op->pages));
		}
		assert_true(op->cpu < workload->cpus);
	}
	free(holder);
}

static void every_workload_asks_for_what_can_be_asked(void **state)
{
	const char *name;

	(void)state;
	for (u32 i = 0; (name = dmasim_iova_workload_name(i, NULL)); i++) {
		for (u32 no_cache = 0; no_cache < 2; no_cache++) {
			struct dmasim_iova_workload *workload =
				make(&(struct dmasim_iova_workload_config){ .name = name,
									    .live = 40,
									    .steps = 30,
									    .cpus = 3,
									    .no_cache = no_cache });

			expect_sound(workload);
			assert_true(count(workload, WORKLOAD_ALLOC, true) +
					    count(workload, WORKLOAD_RESERVE, true) +
					    count(workload, WORKLOAD_FIND, true) >=
				    29);
			dmasim_iova_workload_destroy(workload);
		}
	}
}

static void without_cache_no_request_may_be_cached(void **state)
{
	const char *name;

	(void)state;
	for (u32 i = 0; (name = dmasim_iova_workload_name(i, NULL)); i++) {
		struct dmasim_iova_workload *workload = make(&(struct dmasim_iova_workload_config){
			.name = name, .live = 40, .steps = 9, .no_cache = true });

		for (size_t k = 0; k < workload->count; k++) {
			u8 type = workload->op[k].type;

			if (type == WORKLOAD_ALLOC || type == WORKLOAD_RETRY)
				assert_false(workload->op[k].how & (IOVA_CACHE | IOVA_FLUSH));
		}
		dmasim_iova_workload_destroy(workload);
	}
}

static void mixed_keeps_as_many_live_as_asked_for(void **state)
{
	struct dmasim_iova_workload *workload = make(
		&(struct dmasim_iova_workload_config){ .name = "mixed", .live = 77, .steps = 50 });

	(void)state;
	expect_u64(workload_live(workload), 77);
	expect_u64(count(workload, WORKLOAD_ALLOC, true), 50);
	expect_u64(count(workload, WORKLOAD_FREE, true), 50);
	dmasim_iova_workload_destroy(workload);
}

/* The id that was allocated longest ago is freed. */
static void ring_frees_the_oldest_first(void **state)
{
	struct dmasim_iova_workload *workload = make(
		&(struct dmasim_iova_workload_config){ .name = "ring", .live = 10, .steps = 40 });
	u32 next = 0;

	(void)state;
	for (size_t i = 10; i < workload->count; i += 2) {
		expect_u64(workload->op[i].type, WORKLOAD_FREE);
		expect_u64(workload->op[i].id, next);
		expect_u64(workload->op[i + 1].id, next);
		next = (next + 1) % 10;
	}
	dmasim_iova_workload_destroy(workload);
}

static void in_pair_no_cpu_does_both(void **state)
{
	struct dmasim_iova_workload *workload = make(&(struct dmasim_iova_workload_config){
		.name = "pair", .live = 16, .steps = 100, .cpus = 4 });
	u64 seen = 0;

	(void)state;
	for (size_t i = 16; i < workload->count; i++) {
		const struct workload_op *op = &workload->op[i];

		expect_u64(op->cpu % 2, op->type == WORKLOAD_FREE);
		seen |= 1U << op->cpu;
	}
	expect_u64(seen, 0xf);
	dmasim_iova_workload_destroy(workload);
}

static void full32_asks_low_first_and_then_anywhere(void **state)
{
	struct dmasim_iova_workload *workload = make(
		&(struct dmasim_iova_workload_config){ .name = "full32", .live = 5, .steps = 20 });
	u64 retries = 0;

	(void)state;
	for (size_t i = 0; i < workload->count; i++) {
		const struct workload_op *op = &workload->op[i];

		if (op->type == WORKLOAD_ALLOC) {
			expect_u64(op->limit, 0xfffff);
			assert_false(op->how & IOVA_FLUSH);
		}
		if (op->type != WORKLOAD_RETRY)
			continue;
		retries++;
		expect_u64(op->limit, 0xfffffffff);
		assert_true(op->how & IOVA_FLUSH);
	}
	expect_u64(retries, 25);
	dmasim_iova_workload_destroy(workload);
}

/* On an allocator that is right, each timed request must end as the workload's name says. */
static u64 failures_of(const char *name)
{
	struct dmasim_iova_workload *workload = make(
		&(struct dmasim_iova_workload_config){ .name = name, .live = 200, .steps = 20 });
	struct player player;
	u64 failed;

	assert_true(player_open(&player, dmasim_iova_exact(), workload));
	player_play(&player, 0, workload->count);
	failed = player.failed;
	player_close(&player);
	dmasim_iova_workload_destroy(workload);
	return failed;
}

static void the_adversary_fails_each_time(void **state)
{
	(void)state;
	expect_u64(failures_of("adversary"), 20);
}

static void the_adversary_that_fits_never_fails(void **state)
{
	(void)state;
	expect_u64(failures_of("adversary-fit"), 0);
}

static void a_flush_fails_each_time(void **state)
{
	(void)state;
	expect_u64(failures_of("flush"), 20);
}

/* What failed is not freed, and a retry is one only if it is needed. */
static void a_failed_allocation_is_tried_again_and_not_freed(void **state)
{
	struct dmasim_iova_workload *workload = workload_new("own", 1, 0xff, 1);
	struct placed placed = { .pfn = { IOVA_NO_PFN, IOVA_NO_PFN, 5 } };
	struct iova_allocator_ops ops = placed_ops(&placed, false);
	struct player player;

	(void)state;
	workload_alloc(workload, 0, 1, 0xf, 0);
	workload_retry(workload, 0xff, 0);
	workload_free(workload, 0);
	workload_alloc(workload, 1, 1, 0xf, 0);
	workload_retry(workload, 0xff, 0);
	workload_free(workload, 1);
	assert_true(player_open(&player, &ops, workload));
	player_play(&player, 0, workload->count);
	expect_u64(placed.allocations, 3);
	expect_u64(placed.frees, 1);
	expect_u64(placed.limit, 0xf);
	expect_u64(player.failed, 2);
	expect_u64(player.live, 0);
	player_close(&player);
	expect_u64(placed.live, 0);
	dmasim_iova_workload_destroy(workload);
}

/* An allocator with a limit of its own gets a smaller space, and no request beyond it. */
static void a_space_that_is_too_large_is_cut(void **state)
{
	struct dmasim_iova_workload *workload = workload_new("own", 1, 0xffff, 1);
	struct placed placed = { .pfn = { 5 } };
	struct iova_allocator_ops ops = placed_ops(&placed, false);
	struct player player;

	(void)state;
	ops.max_pfn = 0xfff;
	workload_alloc(workload, 0, 1, 0xffff, 0);
	assert_true(player_open(&player, &ops, workload));
	player_play(&player, 0, workload->count);
	expect_u64(placed.last_pfn, 0xfff);
	expect_u64(placed.limit, 0xfff);
	player_close(&player);
	dmasim_iova_workload_destroy(workload);
}

static const struct {
	struct dmasim_iova_workload_config config;
	const char *error;
} refused[] = {
	{ { .name = "none" }, "workload none: no such workload" },
	{ { .name = "mixed", .live = DMASIM_IOVA_LIVE_MAX + 1 },
	  "workload mixed: too many live ranges: 8,000,000 are the most" },
	{ { .name = "mixed", .limit_bits = 12 }, "workload mixed: the limit is 13 to 63 bits" },
	{ { .name = "mixed", .limit_bits = 64 }, "workload mixed: the limit is 13 to 63 bits" },
	{ { .name = "mixed", .cpus = 257 }, "workload mixed: 256 CPUs are the most" },
};

static void what_cannot_be_made_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct dmasim_iova_error error = { "" };

		assert_null(dmasim_iova_workload_create(&refused[i].config, &error));
		assert_string_equal(error.text, refused[i].error);
	}
}

TEST_MAIN(cmocka_unit_test(a_seed_means_one_list), cmocka_unit_test(seed_0_is_seed_1),
	  cmocka_unit_test(every_workload_asks_for_what_can_be_asked),
	  cmocka_unit_test(without_cache_no_request_may_be_cached),
	  cmocka_unit_test(mixed_keeps_as_many_live_as_asked_for),
	  cmocka_unit_test(ring_frees_the_oldest_first), cmocka_unit_test(in_pair_no_cpu_does_both),
	  cmocka_unit_test(full32_asks_low_first_and_then_anywhere),
	  cmocka_unit_test(the_adversary_fails_each_time),
	  cmocka_unit_test(the_adversary_that_fits_never_fails),
	  cmocka_unit_test(a_flush_fails_each_time),
	  cmocka_unit_test(a_failed_allocation_is_tried_again_and_not_freed),
	  cmocka_unit_test(a_space_that_is_too_large_is_cut),
	  cmocka_unit_test(what_cannot_be_made_is_refused))
