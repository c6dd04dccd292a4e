/* SPDX-License-Identifier: MIT */
/*
 * A virtual lock: where another CPU would wait. Taking and releasing it are preemption points.
 */
#ifndef DMASIM_LOCK_H
#define DMASIM_LOCK_H

#include <dmasim/contract.h>
#include <dmasim/platform.h>

struct platform_lock {
	bool held;
};

static inline void platform_lock(struct platform *p, struct platform_lock *lock)
{
	platform_point(p, DMASIM_POINT_LOCK);
	DMASIM_CONTRACT(!lock->held, "a lock is taken once");
	lock->held = true;
}

static inline void platform_unlock(struct platform *p, struct platform_lock *lock)
{
	platform_point(p, DMASIM_POINT_UNLOCK);
	lock->held = false;
}

#endif
