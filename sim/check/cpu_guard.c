/* SPDX-License-Identifier: MIT */
/*
 * Keeping the program out of what is a device's, where something can do that: AddressSanitizer
 * closes memory by 8 bytes at a time, so the ends of a range that share 8 bytes with others stay
 * open. The simulator opens what it is about to use, and closes it again.
 */
#include "check/check.h"

#define GUARD_BYTES 8ULL /* a power of two */

static void set(struct check *check, u64 start, u64 end, bool closed)
{
	while (start < end) {
		u64 run = end - start;
		u8 *host = ram_look(&check->hw->ram, start, &run);

		if (host)
			check->cpu.guard(host, run, closed);
		start += run;
	}
}

static void close_part(struct check *check, const struct cpu_range *part)
{
	u64 start = (part->start + GUARD_BYTES - 1) & ~(GUARD_BYTES - 1);
	u64 end = (part->last + 1) & ~(GUARD_BYTES - 1);

	set(check, start, end, true);
}

/* All 8 bytes that a byte of [start, last] is among are as the watch wants them. */
void cpu_close(struct check *check, struct cpu_watch *watch, u64 start, u64 last)
{
	struct cpu_range part;

	if (!watch->guarded)
		return;
	start &= ~(GUARD_BYTES - 1);
	last |= GUARD_BYTES - 1;
	while (cpu_next_owned(watch, &start, last, &part))
		close_part(check, &part);
}

void cpu_open(struct check *check, u64 start, u64 last)
{
	if (check->cpu.guarded)
		set(check, start, last + 1, false);
}

static bool is_guarded(const struct cpu_watches *cpu, u64 start, u64 last)
{
	struct cpu_watch *watch = cpu_watch_first(cpu, start, last);

	while (watch && !watch->guarded)
		watch = cpu_watch_next(cpu, watch, start, last);
	return watch;
}

void cpu_lift(void *cookie, phys_addr_t phys, u64 bytes)
{
	struct check *check = cookie;

	if (check->cpu.guarded && bytes && is_guarded(&check->cpu, phys, phys + bytes - 1))
		cpu_open(check, phys, phys + bytes - 1);
}

void cpu_lower(void *cookie, phys_addr_t phys, u64 bytes)
{
	struct check *check = cookie;
	u64 last = phys + bytes - 1;
	struct cpu_watch *watch;

	if (!check->cpu.guarded || !bytes)
		return;
	for (watch = cpu_watch_first(&check->cpu, phys, last); watch;
	     watch = cpu_watch_next(&check->cpu, watch, phys, last))
		cpu_close(check, watch, phys, last);
}
