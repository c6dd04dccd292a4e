/* SPDX-License-Identifier: MIT */
/*
 * A virtual lock: where another CPU would wait. Taking and releasing it are preemption points.
 */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include <dmasim/contract.h>
#include <dmasim/platform.h>

struct os_lock {
	bool held;
};

static inline void os_lock(struct platform *p, struct os_lock *lock)
{
	platform_point(p, DMASIM_POINT_LOCK);
	DMASIM_CONTRACT(!lock->held, "a lock is taken once");
	lock->held = true;
}

static inline void os_unlock(struct platform *p, struct os_lock *lock)
{
	platform_point(p, DMASIM_POINT_UNLOCK);
	lock->held = false;
}

#endif
