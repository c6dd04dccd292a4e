/* SPDX-License-Identifier: MIT */
/*
 * Tasks that take turns: in order, by chance, as a line says, at locks; background tasks; and all
 * their interleavings, counted against what combinatorics says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "world/explore.h"

#define LOG_MAX 64

struct bench {
	struct schedule schedule;
	struct schedule_task task[SCHEDULE_TASKS_MAX];
	struct step_task {
		struct bench *bench;
		char name;
		u32 points;
	} step[SCHEDULE_TASKS_MAX];
	u32 count;
	u32 cpu;
	/* What a run changes. */
	struct bench_state {
		char log[LOG_MAX + 1];
		u32 logged;
		bool lock[2];
		u32 shared;
		bool ready;
	} state;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (!bench)
		return -1;
	schedule_init(&bench->schedule, &bench->cpu);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	schedule_fini(&bench->schedule);
	free(bench);
	return 0;
}

static void note(struct bench *bench, char what)
{
	if (bench->state.logged < LOG_MAX)
		bench->state.log[bench->state.logged++] = what;
}

/* Notes its name, and passes a point after each time but the last. */
static void run_steps(void *context)
{
	const struct step_task *step = context;

	for (u32 i = 0; i < step->points; i++) {
		note(step->bench, step->name);
		schedule_point(&step->bench->schedule);
	}
	note(step->bench, step->name);
}

static void add(struct bench *bench, void (*run)(void *context), u32 points)
{
	u32 i = bench->count++;

	bench->step[i] = (struct step_task){ bench, (char)('a' + i), points };
	bench->task[i] = (struct schedule_task){ .run = run, .context = &bench->step[i], .cpu = i };
}

static int run(struct bench *bench, struct schedule_chooser chooser)
{
	memset(&bench->state, 0, sizeof(bench->state));
	return schedule_run(&bench->schedule, bench->task, bench->count, chooser);
}

static int run_list(struct bench *bench, const char *choices)
{
	struct schedule_list list = { .choices = choices };

	return run(bench, schedule_as_listed(&list));
}

/* ---- Turns ----------------------------------------------------------------------------------- */

static void in_order_each_task_runs_to_its_end(void **state)
{
	struct bench *bench = *state;

	add(bench, run_steps, 2);
	add(bench, run_steps, 0);
	add(bench, run_steps, 1);
	expect_ok(run(bench, schedule_in_order()));
	assert_string_equal(bench->state.log, "aaabcc");
	assert_false(schedule_is_running(&bench->schedule));
}

static void a_line_of_choices_is_followed_and_then_order(void **state)
{
	struct bench *bench = *state;

	add(bench, run_steps, 2);
	add(bench, run_steps, 2);
	/* At the start, and at the points of a, b, a, b; what follows stays with b to its end. */
	expect_ok(run_list(bench, "01011"));
	assert_string_equal(bench->state.log, "ababba");
	assert_string_equal(schedule_choices(&bench->schedule), "01011");
	expect_ok(run_list(bench, "1"));
	assert_string_equal(bench->state.log, "bbbaaa");
	assert_string_equal(schedule_choices(&bench->schedule), "111");
}

static void a_line_that_names_who_cannot_go_on_is_refused(void **state)
{
	struct bench *bench = *state;
	struct schedule_list list = { .choices = "07" };

	add(bench, run_steps, 2);
	add(bench, run_steps, 2);
	expect_error(run(bench, schedule_as_listed(&list)), -ECANCELED);
	assert_true(list.wrong);
	assert_string_equal(bench->state.log, "a");
	/* What was left behind does not matter to the next run. */
	expect_ok(run_list(bench, ""));
	assert_string_equal(bench->state.log, "aaabbb");
}

static void chance_is_replayed_by_its_choices(void **state)
{
	struct bench *bench = *state;
	u32 different = 0;

	for (u32 i = 0; i < 4; i++)
		add(bench, run_steps, 5);
	for (u64 seed = 1; seed <= 50; seed++) {
		struct random random;
		char log[LOG_MAX + 1], choices[LOG_MAX + 1];

		random_init(&random, seed);
		expect_ok(run(bench, schedule_by_chance(&random)));
		memcpy(log, bench->state.log, sizeof(log));
		assert_true(strlen(schedule_choices(&bench->schedule)) < sizeof(choices));
		memcpy(choices, schedule_choices(&bench->schedule),
		       strlen(schedule_choices(&bench->schedule)) + 1);
		different += strcmp(log, "aaaaaabbbbbbccccccdddddd") != 0;
		expect_ok(run_list(bench, choices));
		assert_string_equal(bench->state.log, log);
	}
	expect_u64(different, 50);
}

static void run_cpu_number(void *context)
{
	const struct step_task *step = context;

	for (u32 i = 0; i < 3; i++) {
		note(step->bench, (char)('0' + step->bench->cpu));
		schedule_point(&step->bench->schedule);
	}
}

static void whoever_goes_on_has_its_cpu(void **state)
{
	struct bench *bench = *state;

	add(bench, run_cpu_number, 0);
	add(bench, run_cpu_number, 0);
	bench->task[1].cpu = 5;
	expect_ok(run_list(bench, "010101"));
	assert_string_equal(bench->state.log, "050505");
}

/* ---- Locks ----------------------------------------------------------------------------------- */

static void take(struct bench *bench, u32 lock)
{
	schedule_point(&bench->schedule);
	while (bench->state.lock[lock])
		assert_true(schedule_wait(&bench->schedule, &bench->state.lock[lock]));
	bench->state.lock[lock] = true;
}

static void run_locked(void *context)
{
	const struct step_task *step = context;
	struct bench *bench = step->bench;

	take(bench, 0);
	run_steps(context);
	bench->state.lock[0] = false;
}

static void who_meets_a_held_lock_lets_others_run(void **state)
{
	struct bench *bench = *state;

	add(bench, run_locked, 2);
	add(bench, run_locked, 2);
	/* b wants the lock in the middle of a's time, and waits. */
	expect_ok(run_list(bench, "0011"));
	assert_string_equal(bench->state.log, "aaabbb");
	for (u64 seed = 1; seed <= 50; seed++) {
		struct random random;

		random_init(&random, seed);
		expect_ok(run(bench, schedule_by_chance(&random)));
		assert_true(!strcmp(bench->state.log, "aaabbb") ||
			    !strcmp(bench->state.log, "bbbaaa"));
	}
}

static void run_crossed(void *context)
{
	const struct step_task *step = context;
	u32 first = step->name == 'a' ? 0 : 1;

	take(step->bench, first);
	take(step->bench, 1 - first);
	step->bench->state.lock[0] = false;
	step->bench->state.lock[1] = false;
}

static void a_deadlock_is_an_error(void **state)
{
	struct bench *bench = *state;

	add(bench, run_crossed, 0);
	add(bench, run_crossed, 0);
	expect_ok(run(bench, schedule_in_order()));
	/* Each has one, and wants the other's. */
	expect_error(run_list(bench, "0011"), -EDEADLK);
	expect_ok(run(bench, schedule_in_order()));
}

static void nobody_waits_where_no_task_runs(void **state)
{
	struct bench *bench = *state;
	const bool held = true;

	assert_false(schedule_wait(&bench->schedule, &held));
	schedule_point(&bench->schedule);
}

/* ---- Background tasks ------------------------------------------------------------------------ */

static bool is_ready(void *context)
{
	return ((const struct step_task *)context)->bench->state.ready;
}

static void run_background(void *context)
{
	const struct step_task *step = context;

	step->bench->state.ready = false;
	run_steps(context);
}

static void run_making_ready(void *context)
{
	const struct step_task *step = context;

	step->bench->state.ready = true;
	run_steps(context);
	schedule_point(&step->bench->schedule);
	step->bench->state.ready = true;
	schedule_point(&step->bench->schedule);
	note(step->bench, '.');
}

static void a_background_task_begins_while_it_is_ready_and_others_have_not_ended(void **state)
{
	struct bench *bench = *state;

	add(bench, run_making_ready, 1);
	add(bench, run_background, 1);
	bench->task[1].ready = is_ready;
	bench->task[1].rounds = 9;
	/* Ready before the first point, and before the last one. */
	expect_ok(run_list(bench, "1111"));
	assert_string_equal(bench->state.log, "abbabb.");
	expect_ok(run_list(bench, "0010"));
	assert_string_equal(bench->state.log, "aab.b");
	expect_ok(run_list(bench, "000"));
	assert_string_equal(bench->state.log, "aa.");
	/* So often and no more. */
	bench->task[1].rounds = 1;
	expect_ok(run_list(bench, "11"));
	assert_string_equal(bench->state.log, "abba.");
	bench->task[1].rounds = 0;
	expect_ok(run_list(bench, ""));
	assert_string_equal(bench->state.log, "aa.");
}

/* ---- All of them ----------------------------------------------------------------------------- */

static struct explorer_counts explore(struct bench *bench, u32 preemptions, bool merge)
{
	const struct coroutine_bytes memory = { (const u8 *)&bench->state, sizeof(bench->state) };
	struct explorer_counts counts;
	struct explorer *explorer;

	if (merge && !coroutine_is_whole())
		skip();
	explorer = explorer_create(preemptions);
	assert_non_null(explorer);
	if (merge)
		assert_true(explorer_merge(explorer, &bench->schedule, &memory, 1));
	while (explorer_next(explorer)) {
		int err = run(bench, explorer_chooser(explorer));

		assert_true(!err || (err == -ECANCELED && merge));
	}
	counts = explorer_counts(explorer);
	assert_true(counts.complete);
	explorer_destroy(explorer);
	return counts;
}

/* n! / (k! (n - k)!), small. */
static u64 binomial(u64 n, u64 k)
{
	u64 result = 1;

	for (u64 i = 1; i <= k; i++)
		result = result * (n - k + i) / i;
	return result;
}

static void two_tasks_have_as_many_interleavings_as_their_steps_can_be_shuffled(void **state)
{
	struct bench *bench = *state;

	for (u32 a = 0; a < 6; a++) {
		for (u32 b = 0; b < 6; b++) {
			u64 expected = binomial(a + b + 2, a + 1);

			bench->count = 0;
			add(bench, run_steps, a);
			add(bench, run_steps, b);
			expect_u64(explore(bench, EXPLORER_ALL, false).interleavings.low, expected);
			expect_u64(explore(bench, EXPLORER_ALL, false).runs, expected);
		}
	}
}

static void three_tasks_too(void **state)
{
	struct bench *bench = *state;

	add(bench, run_steps, 2);
	add(bench, run_steps, 1);
	add(bench, run_steps, 2);
	expect_u64(explore(bench, EXPLORER_ALL, false).runs, binomial(8, 3) * binomial(5, 2));
}

/* No preemption: the orders of the tasks. One: one task is cut once, the rest are whole. */
static void a_bound_counts_only_tasks_that_could_go_on(void **state)
{
	struct bench *bench = *state;

	add(bench, run_steps, 3);
	add(bench, run_steps, 3);
	expect_u64(explore(bench, 0, false).runs, 2);
	/* Who is first, and where it is cut: then the other runs whole. */
	expect_u64(explore(bench, 1, false).runs, 2 + 2 * 3);
	expect_u64(explore(bench, 99, false).runs, binomial(8, 4));
}

/* It reads, and writes what it read and one more: an update may be lost. */
static void run_increment(void *context)
{
	const struct step_task *step = context;
	struct bench *bench = step->bench;

	for (u32 i = 0; i < step->points; i++) {
		u32 read;

		schedule_point(&bench->schedule);
		read = bench->state.shared;
		schedule_point(&bench->schedule);
		bench->state.shared = read + 1;
	}
}

static void an_explorer_finds_each_lost_update(void **state)
{
	struct bench *bench = *state;
	struct explorer *explorer = explorer_create(EXPLORER_ALL);
	u32 ends[8] = { 0 };

	assert_non_null(explorer);
	add(bench, run_increment, 2);
	add(bench, run_increment, 2);
	while (explorer_next(explorer)) {
		expect_ok(run(bench, explorer_chooser(explorer)));
		ends[bench->state.shared]++;
	}
	explorer_destroy(explorer);
	/* One is possible nowhere: the last write of a task follows a read of its own first. */
	expect_u64(ends[0] + ends[1] + ends[5], 0);
	assert_true(ends[2] && ends[3] && ends[4]);
	expect_u64(ends[2] + ends[3] + ends[4], binomial(10, 5));
}

static void merging_counts_the_same_and_runs_fewer(void **state)
{
	struct bench *bench = *state;
	struct explorer_counts merged;

	add(bench, run_increment, 2);
	add(bench, run_increment, 2);
	add(bench, run_increment, 1);
	merged = explore(bench, EXPLORER_ALL, true);
	expect_u64(merged.interleavings.low, binomial(13, 5) * binomial(8, 5));
	assert_true(merged.runs < merged.interleavings.low / 10);
	merged = explore(bench, 2, true);
	expect_u64(merged.interleavings.low, explore(bench, 2, false).runs);
}

static void run_points(void *context)
{
	const struct step_task *step = context;

	for (u32 i = 0; i < step->points; i++)
		schedule_point(&step->bench->schedule);
}

/* More than 64 bits hold: the number is exact all the same. */
static void large_numbers_are_exact(void **state)
{
	struct bench *bench = *state;
	struct explorer_counts counts;

	for (u32 i = 0; i < 3; i++)
		add(bench, run_points, 19);
	counts = explore(bench, EXPLORER_ALL, true);
	/* 60! / (20!)^3 */
	expect_u64(counts.interleavings.high, 577831214ULL);
	expect_u64(counts.interleavings.low, 478475823831865900ULL);
	/* Where two or three have steps left, how far each is; bytes may tell more apart. */
	assert_true(counts.states >= 21 * 21 * 21 - 3 * 20 - 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(T(in_order_each_task_runs_to_its_end), T(a_line_of_choices_is_followed_and_then_order),
	  T(a_line_that_names_who_cannot_go_on_is_refused), T(chance_is_replayed_by_its_choices),
	  T(whoever_goes_on_has_its_cpu), T(who_meets_a_held_lock_lets_others_run),
	  T(a_deadlock_is_an_error), T(nobody_waits_where_no_task_runs),
	  T(a_background_task_begins_while_it_is_ready_and_others_have_not_ended),
	  T(two_tasks_have_as_many_interleavings_as_their_steps_can_be_shuffled),
	  T(three_tasks_too), T(a_bound_counts_only_tasks_that_could_go_on),
	  T(an_explorer_finds_each_lost_update), T(merging_counts_the_same_and_runs_fewer),
	  T(large_numbers_are_exact))
