/* SPDX-License-Identifier: MIT */
/*
 * The virtual clock: when timers fire, in which order, and what a callback may do.
 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "world/clock.h"

#define PROBES 4

struct fixture;

/* A timer that writes its name into the log when it fires. */
struct probe {
	struct dmasim_timer timer; /* first, so that the callback finds the probe */
	struct fixture *fixture;
	char name;
	u64 again_ns;	      /* it arms itself again with this delay */
	u32 again_count;      /* so many times */
	struct probe *cancel; /* it cancels this one */
	bool pending_seen;    /* its own flag as the callback saw it */
};

struct fixture {
	struct clock clock;
	struct probe probe[PROBES]; /* named a, b, c, d */
	char log[256];		    /* names in the order of firing */
	u64 at_ns[256];
	u32 fired;
};

static void fire(struct dmasim_timer *timer)
{
	struct probe *probe = (struct probe *)timer;
	struct fixture *fixture = probe->fixture;

	assert_true(fixture->fired < sizeof(fixture->log) - 1);
	fixture->log[fixture->fired] = probe->name;
	fixture->at_ns[fixture->fired] = fixture->clock.now_ns;
	fixture->fired++;
	probe->pending_seen = timer->pending;
	if (probe->cancel)
		clock_cancel(&fixture->clock, &probe->cancel->timer);
	if (probe->again_count) {
		probe->again_count--;
		clock_arm(&fixture->clock, timer, probe->again_ns);
	}
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	clock_init(&fixture->clock);
	for (int i = 0; i < PROBES; i++) {
		fixture->probe[i].timer.fire = fire;
		fixture->probe[i].fixture = fixture;
		fixture->probe[i].name = (char)('a' + i);
	}
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	clock_fini(&fixture->clock);
	free(fixture);
	return 0;
}

static void arm(struct fixture *fixture, int probe, u64 delay_ns)
{
	clock_arm(&fixture->clock, &fixture->probe[probe].timer, delay_ns);
}

static void a_run_without_timers_moves_the_time_only(void **state)
{
	struct fixture *fixture = *state;

	expect_u64(fixture->clock.now_ns, 0);
	clock_run(&fixture->clock, 7);
	clock_run(&fixture->clock, 0);
	clock_run(&fixture->clock, 35);
	expect_u64(fixture->clock.now_ns, 42);
}

/*   0 ...... 10 ...... 20 ...... 30 ...... 35
 *            b         c         a         end of the run */
static void timers_fire_at_their_deadlines_and_see_them_as_the_time(void **state)
{
	struct fixture *fixture = *state;

	arm(fixture, 0, 30);
	arm(fixture, 1, 10);
	arm(fixture, 2, 20);
	clock_run(&fixture->clock, 35);
	assert_string_equal(fixture->log, "bca");
	expect_u64(fixture->at_ns[0], 10);
	expect_u64(fixture->at_ns[1], 20);
	expect_u64(fixture->at_ns[2], 30);
	expect_u64(fixture->clock.now_ns, 35);
}

static void deadlines_count_from_the_time_of_arming(void **state)
{
	struct fixture *fixture = *state;

	clock_run(&fixture->clock, 100);
	arm(fixture, 0, 10);
	expect_u64(fixture->probe[0].timer.deadline_ns, 110);
	clock_run(&fixture->clock, 9);
	expect_u64(fixture->fired, 0);
	clock_run(&fixture->clock, 1);
	assert_string_equal(fixture->log, "a");
	expect_u64(fixture->at_ns[0], 110);
}

/* Two deadlines, armed turn by turn: each group keeps the order in which it was armed. */
static void timers_with_the_same_deadline_fire_in_the_order_of_arming(void **state)
{
	struct fixture *fixture = *state;

	arm(fixture, 3, 20);
	arm(fixture, 1, 10);
	arm(fixture, 2, 20);
	arm(fixture, 0, 10);
	clock_run(&fixture->clock, 20);
	assert_string_equal(fixture->log, "badc");
}

static void a_timer_beyond_the_run_stays_pending(void **state)
{
	struct fixture *fixture = *state;

	arm(fixture, 0, 11);
	clock_run(&fixture->clock, 10);
	expect_u64(fixture->fired, 0);
	assert_true(fixture->probe[0].timer.pending);
	clock_run(&fixture->clock, 1);
	expect_u64(fixture->fired, 1);
	assert_false(fixture->probe[0].timer.pending);
}

static void a_timer_without_delay_fires_with_the_next_run(void **state)
{
	struct fixture *fixture = *state;

	arm(fixture, 0, 0);
	expect_u64(fixture->fired, 0);
	clock_run(&fixture->clock, 0);
	expect_u64(fixture->fired, 1);
	expect_u64(fixture->clock.now_ns, 0);
}

static void a_timer_fires_once_and_is_not_pending_while_it_does(void **state)
{
	struct fixture *fixture = *state;

	fixture->probe[0].pending_seen = true;
	arm(fixture, 0, 5);
	assert_true(fixture->probe[0].timer.pending);
	clock_run(&fixture->clock, 100);
	clock_run(&fixture->clock, 100);
	assert_string_equal(fixture->log, "a");
	assert_false(fixture->probe[0].pending_seen);
}

static void a_timer_that_arms_itself_fires_again_in_the_same_run(void **state)
{
	struct fixture *fixture = *state;

	fixture->probe[0].again_ns = 10;
	fixture->probe[0].again_count = 100;
	arm(fixture, 0, 10);
	clock_run(&fixture->clock, 35);
	expect_u64(fixture->fired, 3);
	expect_u64(fixture->at_ns[2], 30);
	assert_true(fixture->probe[0].timer.pending);
	expect_u64(fixture->probe[0].timer.deadline_ns, 40);
}

/* A run ends, whatever its timers do: one without delay waits for the next run. */
static void a_timer_that_arms_itself_without_delay_does_not_hold_up_the_run(void **state)
{
	struct fixture *fixture = *state;

	fixture->probe[0].again_count = 100;
	arm(fixture, 0, 10);
	clock_run(&fixture->clock, 20);
	expect_u64(fixture->fired, 1);
	expect_u64(fixture->clock.now_ns, 20);
	clock_run(&fixture->clock, 0);
	expect_u64(fixture->fired, 2);
}

static void arming_a_pending_timer_moves_it(void **state)
{
	struct fixture *fixture = *state;

	arm(fixture, 0, 10);
	arm(fixture, 1, 20);
	arm(fixture, 0, 30);
	clock_run(&fixture->clock, 40);
	assert_string_equal(fixture->log, "ba");
	expect_u64(fixture->at_ns[1], 30);
}

/* Moved to the deadline it had, a timer goes behind those that were armed meanwhile. */
static void a_timer_moved_to_its_own_deadline_goes_last(void **state)
{
	struct fixture *fixture = *state;

	arm(fixture, 0, 10);
	arm(fixture, 1, 10);
	arm(fixture, 0, 10);
	clock_run(&fixture->clock, 10);
	assert_string_equal(fixture->log, "ba");
}

static void a_cancelled_timer_does_not_fire(void **state)
{
	struct fixture *fixture = *state;

	arm(fixture, 0, 10);
	arm(fixture, 1, 10);
	arm(fixture, 2, 10);
	clock_cancel(&fixture->clock, &fixture->probe[1].timer);
	assert_false(fixture->probe[1].timer.pending);
	clock_run(&fixture->clock, 10);
	assert_string_equal(fixture->log, "ac");
}

static void cancelling_what_is_not_pending_is_nothing(void **state)
{
	struct fixture *fixture = *state;

	clock_cancel(&fixture->clock, &fixture->probe[0].timer);
	arm(fixture, 0, 1);
	clock_run(&fixture->clock, 1);
	clock_cancel(&fixture->clock, &fixture->probe[0].timer);
	arm(fixture, 0, 1);
	clock_run(&fixture->clock, 1);
	assert_string_equal(fixture->log, "aa");
}

static void a_callback_may_cancel_a_timer_that_is_due_as_well(void **state)
{
	struct fixture *fixture = *state;

	fixture->probe[0].cancel = &fixture->probe[1];
	arm(fixture, 0, 10);
	arm(fixture, 1, 10);
	arm(fixture, 2, 10);
	clock_run(&fixture->clock, 10);
	assert_string_equal(fixture->log, "ac");
}

static void the_end_of_a_clock_takes_its_timers_off_without_firing(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < PROBES; i++)
		arm(fixture, i, 10);
	clock_fini(&fixture->clock);
	for (int i = 0; i < PROBES; i++)
		assert_false(fixture->probe[i].timer.pending);

	/* They are free for another clock. */
	clock_init(&fixture->clock);
	arm(fixture, 2, 1);
	clock_run(&fixture->clock, 10);
	assert_string_equal(fixture->log, "c");
}

/* "Never" is a delay, too: the sum of time and delay does not wrap around to the past. */
static void a_deadline_beyond_the_end_of_time_does_not_fire_early(void **state)
{
	struct fixture *fixture = *state;

	clock_run(&fixture->clock, 1000);
	arm(fixture, 0, ~0ULL - 10);
	clock_run(&fixture->clock, 1);
	expect_u64(fixture->fired, 0);
}

static void a_run_beyond_the_end_of_time_fires_what_is_pending(void **state)
{
	struct fixture *fixture = *state;

	clock_run(&fixture->clock, 1000);
	arm(fixture, 0, 10);
	clock_run(&fixture->clock, ~0ULL);
	assert_string_equal(fixture->log, "a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(a_run_without_timers_moves_the_time_only),
	  TEST(timers_fire_at_their_deadlines_and_see_them_as_the_time),
	  TEST(deadlines_count_from_the_time_of_arming),
	  TEST(timers_with_the_same_deadline_fire_in_the_order_of_arming),
	  TEST(a_timer_beyond_the_run_stays_pending),
	  TEST(a_timer_without_delay_fires_with_the_next_run),
	  TEST(a_timer_fires_once_and_is_not_pending_while_it_does),
	  TEST(a_timer_that_arms_itself_fires_again_in_the_same_run),
	  TEST(a_timer_that_arms_itself_without_delay_does_not_hold_up_the_run),
	  TEST(arming_a_pending_timer_moves_it), TEST(a_timer_moved_to_its_own_deadline_goes_last),
	  TEST(a_cancelled_timer_does_not_fire), TEST(cancelling_what_is_not_pending_is_nothing),
	  TEST(a_callback_may_cancel_a_timer_that_is_due_as_well),
	  TEST(the_end_of_a_clock_takes_its_timers_off_without_firing),
	  TEST(a_deadline_beyond_the_end_of_time_does_not_fire_early),
	  TEST(a_run_beyond_the_end_of_time_fires_what_is_pending))
