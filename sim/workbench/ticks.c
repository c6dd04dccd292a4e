/* SPDX-License-Identifier: MIT */
#include "workbench/ticks.h"

#define CALIBRATION_NS 20000000ULL
#define READINGS       10001

/* Intervals of one step may differ by rounding. */
#define STEP_JITTER 2

/* The shortest interval seen between two readings that is longer than so many ticks. */
static u64 least_above(u64 bound)
{
	u64 least = ~0ULL;

	for (u32 i = 0; i < READINGS; i++) {
		u64 first = ticks_now(), interval = ticks_now() - first;

		if (interval > bound && interval < least)
			least = interval;
	}
	return least;
}

void ticks_init(struct ticks *ticks)
{
	u64 start_ns = ticks_ns(), start = ticks_now(), passed_ns;

	do {
		passed_ns = ticks_ns() - start_ns;
	} while (passed_ns < CALIBRATION_NS);
	ticks->per_ms = (ticks_now() - start) * TICKS_NS_PER_MS / passed_ns;

	ticks->overhead = least_above(0);
	ticks->step = least_above(ticks->overhead + STEP_JITTER) - ticks->overhead;
}

/* Whoever loses the CPU loses it for longer. */
#define SHORT_NS 100000ULL

u64 ticks_own(const struct ticks *ticks, struct ticks_mark *mark, u64 passed)
{
	struct ticks_mark before = *mark;
	u64 wall_ns, cpu_ns, lost;

	if (passed < SHORT_NS * ticks->per_ms / TICKS_NS_PER_MS)
		return passed;
	ticks_mark(mark);
	wall_ns = mark->wall_ns - before.wall_ns;
	cpu_ns = mark->cpu_ns - before.cpu_ns;
	if (wall_ns <= cpu_ns)
		return passed;
	lost = (wall_ns - cpu_ns) * ticks->per_ms / TICKS_NS_PER_MS;
	return lost < passed ? passed - lost : 0;
}
