/* SPDX-License-Identifier: MIT */
/*
 * Every interleaving of small programs that use the flush queue (facts "iova-and-page-tables" 6.3
 * and 1.4), judged by a ghost that knows nothing of its counters (queue_world.h).
 *
 * The numbers of interleavings are exact, the same on every compiler and host, and held here. With
 * merging (world/explore.h) a machine runs but a few of them; where stacks cannot be compared, and
 * at small scales, those with few preemptions are run one by one.
 */
#include <stdio.h>
#include <string.h>

#include "interleavings/queue_world.h"
#include "property/seeds.h"
#include "support/expect.h"

struct row {
	struct queue_program program;
	u32 scale;	 /* percentage of the full counts from which on all are explored */
	const char *all; /* interleavings */
	u32 preemptions; /* else those with so many at most */
	const char *of_few;
};

static bool can_merge(void)
{
	return coroutine_is_whole();
}

static void print_number(char text[40], struct explorer_number number)
{
	if (number.high)
		snprintf(text, 40, "%llu%018llu", number.high, number.low);
	else
		snprintf(text, 40, "%llu", number.low);
}

static void fail_with(const struct queue_world *world, const char *wrong)
{
	fail_msg("%s; choices %s", wrong, schedule_choices(&world->schedule));
}

/*
 * trust: the flush queue's rule in every interleaving of small programs
 * | an independent model: a ghost that knows no counters
 */
static void nothing_is_released_early_or_lost(void **state)
{
	const struct row *row = *state;
	const char *choices = getenv("DMASIM_CHOICES");
	bool all = scaled(100) >= row->scale && can_merge();
	struct explorer_counts counts;
	struct queue_world *world = calloc(1, sizeof(*world));
	const char *wrong;
	char number[40];

	assert_non_null(world);
	queue_world_init(world, &row->program);
	if (choices && *choices) {
		wrong = queue_world_replay(world, choices);
		if (wrong)
			fail_with(world, wrong);
	}
	counts = queue_world_explore(world, all ? EXPLORER_ALL : row->preemptions, all, &wrong);
	if (wrong)
		fail_with(world, wrong);
	print_number(number, counts.interleavings);
	print_message("# %s interleavings, %s; %llu runs\n", number,
		      all ? "which is all" : "those with few preemptions", counts.runs);
	assert_string_equal(number, all ? row->all : row->of_few);
	queue_world_fini(world);
	free(world);
}

/* ---- The switches ---------------------------------------------------------------------------- */

/* The first interleaving that is wrong, and its replay. Returns what is. */
static const char *find_wrong(struct queue_world *world, u32 preemptions)
{
	const char *wrong, *again;
	char *choices;

	queue_world_explore(world, preemptions, can_merge(), &wrong);
	if (!wrong)
		return NULL;
	choices = strdup(schedule_choices(&world->schedule));
	assert_non_null(choices);
	print_message("# %s: choices %s\n", wrong, choices);
	again = queue_world_replay(world, choices);
	free(choices);
	assert_non_null(again);
	assert_string_equal(again, wrong);
	return wrong;
}

static void expect_wrong(const struct queue_program *program, const char *what, u32 lost)
{
	struct queue_world *world = calloc(1, sizeof(*world));
	const char *wrong;

	assert_non_null(world);
	queue_world_init(world, program);
	wrong = find_wrong(world, 2);
	assert_non_null(wrong);
	assert_string_equal(wrong, what);
	expect_u64(queue_world_lost(world), lost);
	queue_world_fini(world);
	free(world);
}

/* One CPU's flush is held up; the other's frees nothing, and it queues all the same. */
static void queueing_in_a_full_ring_is_caught_and_loses_addresses(void **state)
{
	(void)state;
	expect_wrong(
		&(struct queue_program){
			.cpus = 2, .adds = 2, .entries = 2, .bugs = DMASIM_BUG(FQ_OVERWRITE) },
		"an address was queued in a ring that was full", 2);
}

static void the_rule_with_or_equal_is_caught(void **state)
{
	(void)state;
	expect_wrong(&(struct queue_program){ .cpus = 2,
					      .adds = 1,
					      .entries = 2,
					      .timers = 1,
					      .bugs = DMASIM_BUG(FQ_RECYCLE_EARLY) },
		     "an address is released before an invalidation has covered it", 0);
	expect_wrong(&(struct queue_program){ .cpus = 2,
					      .adds = 2,
					      .single = true,
					      .entries = 4,
					      .bugs = DMASIM_BUG(FQ_RECYCLE_EARLY) },
		     "an address is released before an invalidation has covered it", 0);
}

/* ---- Flushes that fail ----------------------------------------------------------------------- */

/*
 * The address goes as it would; the tables stay with the domain unless another flush, that began
 * after the unmap too, went well.
 */
static void after_a_flush_that_failed_tables_are_kept(void **state)
{
	(void)state;
	for (u32 fails = 1; fails < 8; fails++) {
		struct queue_program program = {
			.cpus = 2, .adds = 2, .entries = 2, .fails = fails
		};
		struct queue_world *world = calloc(1, sizeof(*world));
		const char *wrong;

		assert_non_null(world);
		queue_world_init(world, &program);
		queue_world_explore(world, can_merge() ? EXPLORER_ALL : 2, can_merge(), &wrong);
		if (wrong)
			fail_with(world, wrong);
		queue_world_fini(world);
		free(world);
	}
}

/* ---- Merging --------------------------------------------------------------------------------- */

static struct explorer_counts ends_of(struct queue_world *world, u32 preemptions, bool merge,
				      struct queue_ends *ends)
{
	struct explorer_counts counts;
	const char *wrong;

	*ends = (struct queue_ends){ .count = 0 };
	world->ends = ends;
	counts = queue_world_explore(world, preemptions, merge, &wrong);
	if (wrong)
		fail_with(world, wrong);
	return counts;
}

/* In one world: the ends hold addresses. */
static void compare_merged(const struct queue_program *program, u32 preemptions)
{
	struct queue_world *world = calloc(1, sizeof(*world));
	struct queue_ends one_by_one, merged;
	struct explorer_counts counts, fewer;

	assert_non_null(world);
	queue_world_init(world, program);
	counts = ends_of(world, preemptions, false, &one_by_one);
	fewer = ends_of(world, preemptions, true, &merged);
	expect_u64(fewer.interleavings.low, counts.interleavings.low);
	expect_u64(fewer.interleavings.high, counts.interleavings.high);
	assert_true(fewer.runs <= counts.runs);
	expect_u64(merged.count, one_by_one.count);
	assert_true(merged.count && merged.count < QUEUE_ENDS_MAX);
	for (u32 i = 0; i < merged.count; i++)
		expect_u64(merged.end[i], one_by_one.end[i]);
	print_message("# %llu interleavings, %llu runs, %u ends\n", counts.runs, fewer.runs,
		      merged.count);
	queue_world_fini(world);
	free(world);
}

static void merging_loses_no_interleaving_and_no_end(void **state)
{
	static const struct queue_program programs[] = {
		{ .cpus = 2, .adds = 1, .entries = 2 },
		{ .cpus = 2, .adds = 1, .single = true, .entries = 2 },
		{ .cpus = 2, .adds = 2, .entries = 2, .timers = 1 },
		{ .cpus = 3, .adds = 1, .single = true, .entries = 2, .timers = 1 },
	};

	(void)state;
	if (!can_merge())
		skip();
	/* All of the small ones, those with two preemptions of the others. */
	for (u32 i = 0; i < 4; i++)
		compare_merged(&programs[i], i < 2 && scaled(100) >= 10 ? EXPLORER_ALL : 2);
}

/* ---- The table ------------------------------------------------------------------------------- */

#define OWN false
#define ONE true

/* Named by CPUs, unmaps of each, whose rings of how many entries, and timers. */
#define ROW(cpus, adds, rings, entries, timers, ...)                                       \
	{                                                                                  \
		"nothing_is_released_early_or_lost__" #cpus "_cpus_" #adds "_each_" #rings \
		"_of_" #entries "_timer_" #timers,                                         \
			nothing_is_released_early_or_lost, NULL, NULL, &(struct row)       \
		{                                                                          \
			{ cpus, adds, rings, entries, timers, 0, 0 }, __VA_ARGS__          \
		}                                                                          \
	}

TEST_MAIN(cmocka_unit_test(queueing_in_a_full_ring_is_caught_and_loses_addresses),
	  cmocka_unit_test(the_rule_with_or_equal_is_caught),
	  cmocka_unit_test(after_a_flush_that_failed_tables_are_kept),
	  cmocka_unit_test(merging_loses_no_interleaving_and_no_end),
	  ROW(2, 1, OWN, 2, 0, 10, "29744", 2, "142"),
	  ROW(2, 1, OWN, 2, 1, 10, "41224404", 2, "804"),
	  ROW(2, 2, OWN, 2, 1, 10, "1596086038421656212789", 2, "7789"),
	  ROW(2, 2, ONE, 2, 1, 10, "458436779863685842", 2, "6686"),
	  ROW(2, 3, OWN, 2, 0, 10, "1837143394873556154", 2, "2134"),
	  ROW(2, 4, OWN, 4, 0, 10, "27661305433335548962", 2, "2304"),
	  ROW(3, 1, ONE, 2, 1, 10, "36491543366114616", 2, "34962"),
	  ROW(3, 2, ONE, 2, 0, 100, "147205834341770226", 2, "14586"),
	  ROW(3, 1, OWN, 2, 1, 100, "15639853261676589", 2, "22902"),
	  ROW(2, 2, OWN, 2, 2, 100, "1857827310373733450970180", 2, "10598"),
	  ROW(3, 2, OWN, 2, 0, 100, "387796023975048207407286288", 2, "14826"),
	  ROW(2, 4, OWN, 4, 1, 100, "7305046885806031464711492403556", 1, "370"),
	  ROW(3, 2, ONE, 4, 0, 10, "761524469908644", 2, "8562"))
