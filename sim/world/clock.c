/* SPDX-License-Identifier: MIT */
#include "world/clock.h"

#define END_OF_TIME (~0ULL)

static void list_init(struct dmasim_timer *head)
{
	head->next = head;
	head->prev = head;
}

void clock_init(struct clock *clock)
{
	clock->now_ns = 0;
	clock->running = false;
	list_init(&clock->pending);
	list_init(&clock->later);
}

static void unlink_timer(struct dmasim_timer *timer)
{
	timer->prev->next = timer->next;
	timer->next->prev = timer->prev;
	timer->pending = false;
}

static void unlink_all(struct dmasim_timer *head)
{
	while (head->next != head)
		unlink_timer(head->next);
}

void clock_fini(struct clock *clock)
{
	unlink_all(&clock->pending);
	unlink_all(&clock->later);
}

void clock_cancel(struct clock *clock, struct dmasim_timer *timer)
{
	(void)clock;
	if (timer->pending)
		unlink_timer(timer);
}

/* Behind all timers with an earlier or the same deadline. */
static void link_timer(struct dmasim_timer *head, struct dmasim_timer *timer)
{
	/* From the end: most timers of a machine have the same few delays, so this is one step. */
	struct dmasim_timer *before = head->prev;

	while (before != head && before->deadline_ns > timer->deadline_ns)
		before = before->prev;
	timer->prev = before;
	timer->next = before->next;
	before->next->prev = timer;
	before->next = timer;
	timer->pending = true;
}

static u64 after(u64 start_ns, u64 duration_ns)
{
	return duration_ns > END_OF_TIME - start_ns ? END_OF_TIME : start_ns + duration_ns;
}

void clock_arm(struct clock *clock, struct dmasim_timer *timer, u64 delay_ns)
{
	clock_cancel(clock, timer);
	timer->deadline_ns = after(clock->now_ns, delay_ns);
	link_timer(clock->running && !delay_ns ? &clock->later : &clock->pending, timer);
}

/* What was put off until the next run is due in this one. */
static void take_later(struct clock *clock)
{
	while (clock->later.next != &clock->later) {
		struct dmasim_timer *timer = clock->later.next;

		unlink_timer(timer);
		link_timer(&clock->pending, timer);
	}
}

void clock_pass(struct clock *clock, u64 duration_ns)
{
	clock->now_ns = after(clock->now_ns, duration_ns);
}

bool clock_is_armed(const struct clock *clock)
{
	return clock->pending.next != &clock->pending || clock->later.next != &clock->later;
}

static void fire(struct clock *clock, struct dmasim_timer *timer)
{
	unlink_timer(timer);
	if (timer->deadline_ns > clock->now_ns)
		clock->now_ns = timer->deadline_ns;
	timer->fire(timer);
}

void clock_fire_next(struct clock *clock)
{
	take_later(clock);
	fire(clock, clock->pending.next);
}

void clock_run(struct clock *clock, u64 duration_ns)
{
	u64 until_ns = after(clock->now_ns, duration_ns);
	struct dmasim_timer *first;

	take_later(clock);
	clock->running = true;
	first = clock->pending.next;
	while (first != &clock->pending && first->deadline_ns <= until_ns) {
		fire(clock, first);
		first = clock->pending.next;
	}
	clock->running = false;
	if (clock->now_ns < until_ns)
		clock->now_ns = until_ns;
}
