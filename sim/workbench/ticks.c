/* SPDX-License-Identifier: MIT */
#include "workbench/ticks.h"

#define CALIBRATION_NS 20000000ULL
#define READINGS       10001

void ticks_init(struct ticks *ticks)
{
	u64 start_ns = ticks_ns(), start = ticks_now(), passed_ns;

	do {
		passed_ns = ticks_ns() - start_ns;
	} while (passed_ns < CALIBRATION_NS);
	ticks->per_ms = (ticks_now() - start) * TICKS_NS_PER_MS / passed_ns;

	/* The least: interruptions only add. */
	ticks->overhead = ~0ULL;
	for (u32 i = 0; i < READINGS; i++) {
		u64 first = ticks_now(), cost = ticks_now() - first;

		if (cost < ticks->overhead)
			ticks->overhead = cost;
	}
}
