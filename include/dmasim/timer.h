/* SPDX-License-Identifier: MIT */
/*
 * A timer on a machine's virtual clock. The owner provides the memory and sets `fire`; everything
 * else belongs to the clock while the timer is pending. Zero-initialised is "not pending".
 */
#ifndef DMASIM_TIMER_H
#define DMASIM_TIMER_H

#include <dmasim/types.h>

struct dmasim_timer {
	/* Called once, at the deadline, not pending any more: it may arm itself again. */
	void (*fire)(struct dmasim_timer *timer);

	u64 deadline_ns;
	struct dmasim_timer *next;
	struct dmasim_timer *prev;
	bool pending;
};

#endif
