/* SPDX-License-Identifier: MIT */
/*
 * A sync for the device that was forgotten: in its turn the CPU wrote, and the device, which does
 * not snoop, uses that memory while what was written is in the CPU's cache alone.
 *
 *   sync for cpu   the CPU stores   the device's access
 *    |- - - - - - - - - x - - - - - - - - |
 *                       in a dirty line: not in memory
 *
 * A device that uses memory in the CPU's turn is not wrong by that: nobody syncs what he has not
 * written. Nor is anything lost where the device snoops, and drivers may leave out the syncs there.
 * A line that has left the cache on its own (random choices) is in memory, and is not told. It is
 * told once, until the turns are others: a device may poll.
 */
#include <dmasim/dma.h>

#include "check/judge.h"

#define LINE_LAST ((u64)CACHE_LINE_BYTES - 1)

/* Bytes of [start, last], at most a line, that memory does not have as the CPU wrote them. */
static void look(struct check *check, u64 start, u64 last, struct cpu_bytes *unsynced)
{
	u8 cpu[CACHE_LINE_BYTES], met[CACHE_LINE_BYTES];
	u64 bytes = ram_read(&check->hw->ram, start, cpu, last - start + 1);

	ram_read(&check->hw->cache.met, start, met, bytes);
	for (u64 i = 0; i < bytes; i++) {
		if (cpu[i] != met[i])
			cpu_bytes_add(unsynced, start + i);
	}
}

/* The same of the CPU's turns in [start, last], line by line. */
static void look_in_turns(struct check *check, const struct cpu_watch *watch, u64 start, u64 last,
			  struct cpu_bytes *unsynced)
{
	for (u32 i = 0; i < watch->turns; i++) {
		const struct cpu_range *turn = &watch->turn[i];
		u64 at = turn->start > start ? turn->start : start;
		u64 end = turn->last < last ? turn->last : last;

		for (; at <= end; at = (at | LINE_LAST) + 1)
			look(check, at, end < (at | LINE_LAST) ? end : at | LINE_LAST, unsynced);
	}
}

bool cpu_unsynced(struct check *check, const struct cpu_watch *watch,
		  const struct hw_access *access, phys_addr_t start, phys_addr_t last,
		  struct cpu_bytes *unsynced)
{
	*unsynced = (struct cpu_bytes){ 0 };
	if (DMASIM_LIKELY(!watch->no_snoop || watch->bounced || !watch->turns) ||
	    watch->told_unsynced || check->hw->cache.broken ||
	    access->target->kind != HW_TARGET_RAM)
		return false;
	/* Whole lines are written back: over all that the device has written there. */
	if (access->write) {
		start &= ~LINE_LAST;
		last |= LINE_LAST;
	}
	look_in_turns(check, watch, start, last, unsynced);
	return unsynced->count;
}
