/* SPDX-License-Identifier: MIT */
/*
 * A virtual lock: where another CPU would wait. Taking and releasing it are preemption points.
 *
 * A CPU that meets a held lock lets the others run (dmasim_run_cpus()). Where no others are, nobody
 * could let go of it: to take it is a broken contract.
 */
#ifndef DMASIM_LOCK_H
#define DMASIM_LOCK_H

#include <dmasim/contract.h>
#include <dmasim/platform.h>

struct platform_lock {
	bool held;
};

static inline void platform_wait(struct platform *p, const bool *held)
{
	bool others_ran = p->ops->wait && p->ops->wait(p->machine, held);

	DMASIM_CONTRACT(others_ran, "a lock is taken once");
}

static inline void platform_lock(struct platform *p, struct platform_lock *lock)
{
	platform_point(p, DMASIM_POINT_LOCK);
	while (DMASIM_UNLIKELY(lock->held))
		platform_wait(p, &lock->held);
	lock->held = true;
	p->locks_held++;
}

static inline void platform_unlock(struct platform *p, struct platform_lock *lock)
{
	platform_point(p, DMASIM_POINT_UNLOCK);
	lock->held = false;
	p->locks_held--;
}

#endif
