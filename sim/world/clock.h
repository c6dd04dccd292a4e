/* SPDX-License-Identifier: MIT */
/*
 * The virtual clock: nanoseconds that pass only when somebody lets them pass, and the timers that
 * fire while they do. Timers with the same deadline fire in the order in which they were armed.
 * Time ends at 2^64 - 1: deadlines beyond it are that.
 */
#ifndef WORLD_CLOCK_H
#define WORLD_CLOCK_H

#include <dmasim/timer.h>

struct clock {
	u64 now_ns;
	/* Pending timers, earliest first; the list is circular through this head. */
	struct dmasim_timer pending;
	/* Armed without delay by a timer that fired: they wait for the next run. */
	struct dmasim_timer later;
	bool running;
};

void clock_init(struct clock *clock);

/* Takes every pending timer off the clock, without firing it. */
void clock_fini(struct clock *clock);

/* A timer that is pending already is moved. delay_ns 0 fires with the next clock_run(). */
void clock_arm(struct clock *clock, struct dmasim_timer *timer, u64 delay_ns);

void clock_cancel(struct clock *clock, struct dmasim_timer *timer);

/* True if a timer waits for its time. */
bool clock_is_armed(const struct clock *clock);

/* Time moves on to the earliest deadline, and that timer fires; one is armed. */
void clock_fire_next(struct clock *clock);

/* The same for hardware that keeps software waiting: timers that are due fire with the next run. */
void clock_pass(struct clock *clock, u64 duration_ns);

/* Lets `duration_ns` pass; timers see their own deadline as the time. */
void clock_run(struct clock *clock, u64 duration_ns);

#endif
