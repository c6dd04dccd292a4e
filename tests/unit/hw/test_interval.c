/* SPDX-License-Identifier: MIT */
/*
 * The checker's sets of intervals, by tree alone and by page, held against a plain list.
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#include "check/interval.h"

#define COUNT 600 /* intervals that are in or out */
#define STEPS 20000

struct sets {
	struct world world;
	struct interval_tree tree;
	bool blind;
	struct interval interval[COUNT];
	bool in[COUNT];
	u64 born[COUNT]; /* the order in which they came */
	u64 clock;
};

static int setup(void **state)
{
	struct sets *sets = calloc(1, sizeof(*sets));

	if (!sets)
		return -1;
	world_init(&sets->world, &(struct world_config){ 0 });
	interval_tree_init(&sets->tree);
	*state = sets;
	return 0;
}

static int setup_by_page(void **state)
{
	struct sets *sets;

	if (setup(state))
		return -1;
	sets = *state;
	interval_tree_by_page(&sets->tree, &sets->world.memory, &sets->blind);
	return 0;
}

static int teardown(void **state)
{
	struct sets *sets = *state;
	u64 left;

	interval_tree_fini(&sets->tree);
	left = sets->world.memory.live[DMASIM_FAULT_CHECK_RECORD];
	world_fini(&sets->world);
	free(sets);
	return left ? -1 : 0;
}

static u64 draw(struct sets *sets, u64 bound)
{
	return random_below(&sets->world.random, bound);
}

/* Mostly in a page, many in the same; some reach over pages and blocks; near both ends, too. */
static u64 draw_start(struct sets *sets)
{
	u64 page = draw(sets, 4) ? draw(sets, 6) : draw(sets, 300);
	u64 start = (page << 12) + draw(sets, 8) * 512;

	return draw(sets, 8) ? start : ~0ULL - start;
}

static u64 draw_last(struct sets *sets, u64 start)
{
	u64 bytes = draw(sets, 6) ? draw(sets, 600) : draw(sets, 3ULL << 18);

	return start + bytes < start ? ~0ULL : start + bytes;
}

static bool is_before(const struct sets *sets, u32 a, u32 b)
{
	const struct interval *one = &sets->interval[a], *two = &sets->interval[b];

	return one->start != two->start ? one->start < two->start : sets->born[a] < sets->born[b];
}

/* The first in order behind `after` that shares an address with [start, last], by asking all. */
static struct interval *plain_first(struct sets *sets, const struct interval *after, u64 start,
				    u64 last)
{
	u32 best = COUNT, behind = after ? (u32)(after - sets->interval) : COUNT;

	for (u32 i = 0; i < COUNT; i++) {
		const struct interval *at = &sets->interval[i];

		if (!sets->in[i] || at->start > last || at->last < start ||
		    (after && (i == behind || is_before(sets, i, behind))))
			continue;
		if (best == COUNT || is_before(sets, i, best))
			best = i;
	}
	return best < COUNT ? &sets->interval[best] : NULL;
}

static struct interval *plain_beside(struct sets *sets, u64 address, bool above)
{
	u32 best = COUNT;

	for (u32 i = 0; i < COUNT; i++) {
		u64 start = sets->interval[i].start;

		if (!sets->in[i] || (above ? start <= address : start >= address))
			continue;
		if (best == COUNT || is_before(sets, i, best) == above)
			best = i;
	}
	return best < COUNT ? &sets->interval[best] : NULL;
}

static void compare_in(struct sets *sets, u64 start, u64 last)
{
	struct interval *at = interval_first(&sets->tree, start, last);
	struct interval *plain = plain_first(sets, NULL, start, last);

	while (plain || at) {
		assert_ptr_equal(at, plain);
		at = interval_next(&sets->tree, at, start, last);
		plain = plain_first(sets, plain, start, last);
	}
}

static void compare(struct sets *sets)
{
	u64 start = draw_start(sets), last = draw_last(sets, start);

	compare_in(sets, start, last);
	assert_ptr_equal(interval_before(&sets->tree, start), plain_beside(sets, start, false));
	assert_ptr_equal(interval_after(&sets->tree, start), plain_beside(sets, start, true));
	assert_int_equal(!interval_any(&sets->tree), !plain_first(sets, NULL, 0, ~0ULL));
}

/* What came last may be found on a way of its own. */
static void compare_inside(struct sets *sets, const struct interval *interval)
{
	u64 start = interval->start + draw(sets, interval->last - interval->start + 1);

	compare_in(sets, interval->start, interval->last);
	compare_in(sets, start, start + draw(sets, interval->last - start + 1));
}

static void step(struct sets *sets, u32 live)
{
	u32 i = (u32)draw(sets, live);

	if (sets->in[i]) {
		interval_remove(&sets->tree, &sets->interval[i]);
	} else {
		sets->interval[i].start = draw_start(sets);
		sets->interval[i].last = draw_last(sets, sets->interval[i].start);
		sets->born[i] = sets->clock++;
		interval_insert(&sets->tree, &sets->interval[i]);
	}
	sets->in[i] = !sets->in[i];
	if (sets->in[i] && !draw(sets, 4))
		compare_inside(sets, &sets->interval[i]);
}

/* Each of the tree is told once, and not needed after the next was asked for. */
static void clear_tree(struct sets *sets)
{
	struct interval *at = interval_clear_tree(&sets->tree);

	while (at) {
		u32 i = (u32)(at - sets->interval);
		struct interval *next = interval_clear_next(at);

		assert_true(sets->in[i]);
		sets->in[i] = false;
		memset(at, 0, sizeof(*at));
		at = next;
	}
	for (u32 i = 0; i < COUNT; i++)
		assert_true(!sets->in[i] || sets->interval[i].block);
}

static void any_set_answers_as_a_list_does(void **state)
{
	struct sets *sets = *state;

	/* Few at first, then many, then few. */
	for (u32 i = 0; i < STEPS; i++) {
		step(sets, i < STEPS / 4 || i > STEPS / 2 ? 12 : COUNT);
		if (i % 8 == 0)
			compare(sets);
	}
	clear_tree(sets);
	compare(sets);
	for (u32 i = 0; i < COUNT; i++) {
		if (sets->in[i])
			interval_remove(&sets->tree, &sets->interval[i]);
	}
	assert_null(interval_any(&sets->tree));
}

static void insert_from(struct sets *sets, u32 i, u64 start, u64 bytes)
{
	sets->interval[i].start = start;
	sets->interval[i].last = start + bytes - 1;
	sets->born[i] = sets->clock++;
	interval_insert(&sets->tree, &sets->interval[i]);
	sets->in[i] = true;
}

/* Allocators go down through the addresses: each is the first, until some have gone. */
static void each_before_the_others_is_found(void **state)
{
	struct sets *sets = *state;
	u64 top = 1ULL << 40;

	for (u32 round = 0; round < 4; round++) {
		for (u32 i = 0; i < COUNT; i++) {
			if (sets->in[i])
				continue;
			top -= 0x3000;
			/* A few reach beyond all that were there. */
			insert_from(sets, i, top, draw(sets, 50) ? 0x2000 : SZ_1G);
			compare_in(sets, top - 0x1000, top + 0x4000);
			compare_in(sets, top + SZ_1G / 2, top + SZ_1G / 2);
		}
		for (u32 i = 0; i < COUNT; i += 1 + (u32)draw(sets, 4)) {
			interval_remove(&sets->tree, &sets->interval[i]);
			sets->in[i] = false;
		}
		compare_in(sets, 0, ~0ULL);
	}
	clear_tree(sets);
}

/* Sizes come from drivers: a range may begin high and end low, and is in nothing then. */
static void what_goes_beyond_the_last_address_is_in_nothing(void **state)
{
	struct sets *sets = *state;
	struct interval *interval = sets->interval;

	interval->start = 0x1000;
	interval->last = 0x7fff;
	interval_insert(&sets->tree, interval);
	assert_ptr_equal(interval_first(&sets->tree, 0x2000, 0x2fff), interval);
	assert_null(interval_first(&sets->tree, ~0ULL - 0xfff, 0x2fff));
	interval_remove(&sets->tree, interval);
	assert_null(interval_first(&sets->tree, 0x2000, 0x2fff));
}

/* Where there is no memory for pages the tree has them, and the checker is told. */
static void no_memory_for_pages_loses_nothing(void **state)
{
	struct sets *sets = *state;
	struct interval *interval = sets->interval;

	for (u32 i = 0; i < 3; i++) {
		interval[i].start = (u64)i << 20;
		interval[i].last = interval[i].start + 0xfff;
	}
	interval_insert(&sets->tree, &interval[0]);
	assert_false(sets->blind);
	memory_fail(&sets->world.memory,
		    (struct memory_plan){ .point = DMASIM_FAULT_CHECK_RECORD, .nth = 1 });
	interval_insert(&sets->tree, &interval[1]);
	assert_true(sets->blind);
	interval_insert(&sets->tree, &interval[2]);
	assert_ptr_equal(interval_first(&sets->tree, 0, ~0ULL), &interval[0]);
	assert_ptr_equal(interval_next(&sets->tree, &interval[0], 0, ~0ULL), &interval[1]);
	assert_ptr_equal(interval_next(&sets->tree, &interval[1], 0, ~0ULL), &interval[2]);
	assert_null(interval_next(&sets->tree, &interval[2], 0, ~0ULL));
	for (u32 i = 0; i < 3; i++)
		interval_remove(&sets->tree, &interval[i]);
	assert_null(interval_any(&sets->tree));
}

TEST_MAIN(cmocka_unit_test_setup_teardown(any_set_answers_as_a_list_does, setup, teardown),
	  { "any_set_answers_as_a_list_does by page", any_set_answers_as_a_list_does, setup_by_page,
	    teardown, NULL },
	  cmocka_unit_test_setup_teardown(each_before_the_others_is_found, setup, teardown),
	  cmocka_unit_test_setup_teardown(what_goes_beyond_the_last_address_is_in_nothing, setup,
					  teardown),
	  cmocka_unit_test_setup_teardown(no_memory_for_pages_loses_nothing, setup_by_page,
					  teardown))
