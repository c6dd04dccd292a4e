/* SPDX-License-Identifier: MIT */
/*
 * Whose turn it is, byte by byte: what is the CPU's for now is a few ranges in order; all else of a
 * mapping is the device's.
 */
#include "check/cpu.h"

bool cpu_next_owned(const struct cpu_watch *watch, u64 *start, u64 last, struct cpu_range *part)
{
	u64 at = *start > watch->at.start ? *start : watch->at.start;

	if (last > watch->at.last)
		last = watch->at.last;
	for (u32 i = 0; i < watch->turns; i++) {
		const struct cpu_range *turn = &watch->turn[i];

		if (turn->last < at)
			continue;
		if (turn->start > at) {
			last = turn->start <= last ? turn->start - 1 : last;
			break;
		}
		at = turn->last + 1;
	}
	if (at > last)
		return false;
	*part = (struct cpu_range){ at, last };
	*start = last + 1;
	return true;
}

/* With one range more than there is room for; then two of them become one. */
struct turns {
	u32 count;
	struct cpu_range range[CPU_TURNS + 1];
};

static void append(struct turns *turns, u64 start, u64 last)
{
	turns->range[turns->count++] = (struct cpu_range){ start, last };
}

/* The two that are closest to each other; what lies between them goes unwatched. */
static void merge_closest(struct turns *turns)
{
	u32 best = 0;

	for (u32 i = 1; i + 1 < turns->count; i++) {
		if (turns->range[i + 1].start - turns->range[i].last <
		    turns->range[best + 1].start - turns->range[best].last)
			best = i;
	}
	turns->range[best].last = turns->range[best + 1].last;
	turns->count--;
	for (u32 i = best + 1; i < turns->count; i++)
		turns->range[i] = turns->range[i + 1];
}

static void keep(struct cpu_watch *watch, struct turns *turns)
{
	if (turns->count > CPU_TURNS)
		merge_closest(turns);
	watch->turns = turns->count;
	watch->told_unsynced = false;
	for (u32 i = 0; i < turns->count; i++)
		watch->turn[i] = turns->range[i];
}

void cpu_turn_begin(struct cpu_watch *watch, u64 start, u64 last)
{
	struct turns turns = { 0 };
	bool placed = false;

	if (start < watch->at.start)
		start = watch->at.start;
	if (last > watch->at.last)
		last = watch->at.last;
	if (start > last)
		return;
	for (u32 i = 0; i < watch->turns; i++) {
		const struct cpu_range *old = &watch->turn[i];

		if (old->last + 1 < start) {
			append(&turns, old->start, old->last);
		} else if (old->start > last && old->start - last > 1) {
			if (!placed)
				append(&turns, start, last);
			placed = true;
			append(&turns, old->start, old->last);
		} else {
			start = old->start < start ? old->start : start;
			last = old->last > last ? old->last : last;
		}
	}
	if (!placed)
		append(&turns, start, last);
	keep(watch, &turns);
}

void cpu_turn_end(struct cpu_watch *watch, u64 start, u64 last)
{
	struct turns turns = { 0 };

	for (u32 i = 0; i < watch->turns; i++) {
		const struct cpu_range *old = &watch->turn[i];

		if (old->last < start || old->start > last) {
			append(&turns, old->start, old->last);
			continue;
		}
		if (old->start < start)
			append(&turns, old->start, start - 1);
		if (old->last > last)
			append(&turns, last + 1, old->last);
	}
	keep(watch, &turns);
}
