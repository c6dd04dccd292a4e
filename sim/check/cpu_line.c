/* SPDX-License-Identifier: MIT */
/*
 * Cache lines that the CPU shares with a device that does not snoop. Only whole lines are written
 * back: with what the CPU wrote goes what it has of its neighbours, from before the device wrote.
 *
 *   line      |.. the device's ..|.. the CPU's ..|
 *   device     1 1 1 1 1 1 1 1                      it writes to memory
 *   CPU                            2                into its cache
 *   memory     0 0 0 0 0 0 0 0 0 0 2 0 0 0 0 0      after the line was written back
 */
#include <dmasim/dma.h>

#include "check/check.h"

static void join(struct cpu_bytes *to, const struct cpu_bytes *from)
{
	if (!from->count)
		return;
	if (!to->count || from->first < to->first)
		to->first = from->first;
	if (!to->count || from->last > to->last)
		to->last = from->last;
	to->count += from->count;
}

static bool is_owned(const struct cpu_watch *watch, u64 at)
{
	struct cpu_range part;

	return cpu_next_owned(watch, &at, at, &part);
}

/*
 * Outside of the mapping a write is wrong even if the device has written nothing yet: it may at any
 * time. Inside, where the CPU has its turn, only what is really lost counts.
 */
static void judge_line(struct check *check, struct cpu_watch *watch, const struct cache_line *line)
{
	struct cpu_bytes wrote = { 0 }, lost = { 0 };
	bool any_owned = false, outside = false;
	u8 memory[CACHE_LINE_BYTES];

	hw_cache_peek(&check->hw->cache, &check->hw->ram, line->at, memory, line->bytes);
	for (u64 i = 0; i < line->bytes; i++) {
		phys_addr_t at = line->at + i;
		bool owned = is_owned(watch, at);

		any_owned |= owned;
		if (owned && memory[i] != line->met[i])
			cpu_bytes_add(&lost, at);
		if (owned || line->cpu[i] == line->met[i])
			continue;
		cpu_bytes_add(&wrote, at);
		outside |= at < watch->at.start || at > watch->at.last;
	}
	if (!any_owned || (!outside && !lost.count) || !wrote.count)
		return;
	join(&watch->wrote_beside, &wrote);
	join(&watch->lost, &lost);
}

void check_writing_back(void *cookie, const struct cache_line *line)
{
	struct check *check = cookie;
	u64 last = line->at + line->bytes - 1;
	struct cpu_watch *watch;

	if (!check->cpu.compares)
		return;
	if (check->cpu.first_only)
		cpu_first_watch_all(check, line->at, last);
	for (watch = cpu_watch_first(&check->cpu, line->at, last); watch;
	     watch = cpu_watch_next(&check->cpu, watch, line->at, last)) {
		if (watch->no_snoop && !watch->bounced && watch->piece->dir != DMA_TO_DEVICE)
			judge_line(check, watch, line);
	}
}
