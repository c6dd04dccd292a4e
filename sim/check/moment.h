/* SPDX-License-Identifier: MIT */
/*
 * When something happened: its place in the order of all that the checker was told, and the virtual
 * time, in which much happens at once.
 */
#ifndef CHECK_MOMENT_H
#define CHECK_MOMENT_H

#include "world/world.h"

struct check_moment {
	u64 order; /* from 1 */
	u64 ns;
};

/* The moment of what has not happened. */
#define CHECK_NEVER ((struct check_moment){ ~0ULL, ~0ULL })

struct check_clock {
	const struct world *world;
	u64 order;     /* of the latest moment */
	u64 commanded; /* and of the latest command to any IOMMU, or wait that was over */
};

/* Later than all moments before. */
static inline struct check_moment check_now(struct check_clock *clock)
{
	return (struct check_moment){ ++clock->order, clock->world->clock.now_ns };
}

static inline bool check_happened(struct check_moment moment)
{
	return moment.order != ~0ULL;
}

static inline bool check_before(struct check_moment a, struct check_moment b)
{
	return a.order < b.order;
}

/*
 * True if nobody can tell two moments apart: no time lies between them, no command was submitted,
 * and no wait was over, neither then nor since.
 */
static inline bool check_is_same(const struct check_clock *clock, struct check_moment a,
				 struct check_moment b)
{
	return a.order > clock->commanded && b.order > clock->commanded && a.ns == b.ns;
}

#endif
