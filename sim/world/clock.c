/* SPDX-License-Identifier: MIT */
#include "world/clock.h"

void clock_init(struct clock *clock)
{
	clock->now_ns = 0;
	clock->pending.next = &clock->pending;
	clock->pending.prev = &clock->pending;
}

static void unlink_timer(struct dmasim_timer *timer)
{
	timer->prev->next = timer->next;
	timer->next->prev = timer->prev;
	timer->pending = false;
}

void clock_fini(struct clock *clock)
{
	while (clock->pending.next != &clock->pending)
		unlink_timer(clock->pending.next);
}

void clock_cancel(struct clock *clock, struct dmasim_timer *timer)
{
	(void)clock;
	if (timer->pending)
		unlink_timer(timer);
}

void clock_arm(struct clock *clock, struct dmasim_timer *timer, u64 delay_ns)
{
	struct dmasim_timer *before;

	clock_cancel(clock, timer);
	timer->deadline_ns = clock->now_ns + delay_ns;

	/* From the end: most timers of a machine have the same few delays, so this is one step. */
	before = clock->pending.prev;
	while (before != &clock->pending && before->deadline_ns > timer->deadline_ns)
		before = before->prev;

	timer->prev = before;
	timer->next = before->next;
	before->next->prev = timer;
	before->next = timer;
	timer->pending = true;
}

void clock_run(struct clock *clock, u64 duration_ns)
{
	u64 until_ns = clock->now_ns + duration_ns;
	struct dmasim_timer *first = clock->pending.next;

	while (first != &clock->pending && first->deadline_ns <= until_ns) {
		unlink_timer(first);
		if (first->deadline_ns > clock->now_ns)
			clock->now_ns = first->deadline_ns;
		first->fire(first);
		first = clock->pending.next;
	}
	if (clock->now_ns < until_ns)
		clock->now_ns = until_ns;
}
