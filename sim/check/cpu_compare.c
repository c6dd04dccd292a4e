/* SPDX-License-Identifier: MIT */
/*
 * Copies of what memory held when a device got it: made, kept up to date, and compared.
 *
 * Memory that nobody has touched is zeros and needs no copy. A copy that cannot be had is done
 * without: its mapping is not compared.
 */
#include <string.h>

#include "check/check.h"

static size_t copy_bytes(u32 lg2)
{
	return (size_t)1 << lg2;
}

static u8 *take_copy(struct cpu_watches *cpu, u32 lg2)
{
	void **list = &cpu->given_back[lg2 - CPU_COPY_LG2];
	void *copy = *list;

	if (!copy)
		return memory_alloc(cpu->memory, DMASIM_FAULT_CHECK_COPY, copy_bytes(lg2));
	*list = *(void **)copy;
	return copy;
}

void cpu_forget_copy(struct check *check, struct cpu_watch *watch)
{
	void **list;

	if (!watch->copy)
		return;
	list = &check->cpu.given_back[watch->copy_lg2 - CPU_COPY_LG2];
	*(void **)watch->copy = *list;
	*list = watch->copy;
	watch->copy = NULL;
}

/* With anything in it. */
static bool make_copy(struct check *check, struct cpu_watch *watch)
{
	u32 lg2 = CPU_COPY_LG2;

	while (copy_bytes(lg2) < watch->compared)
		lg2++;
	watch->copy_lg2 = (u8)lg2;
	watch->copy = take_copy(&check->cpu, lg2);
	if (!watch->copy)
		watch->compared = 0;
	return watch->copy;
}

/* Cuts [start, last] to what is compared; false: nothing is. */
static bool cut(const struct cpu_watch *watch, u64 *start, u64 *last)
{
	if (*start < watch->at.start)
		*start = watch->at.start;
	if (*start - watch->at.start >= watch->compared)
		return false;
	if (*last - watch->at.start >= watch->compared)
		*last = watch->at.start + watch->compared - 1;
	return *start <= *last;
}

static bool is_touched(struct ram *ram, u64 start, u64 last)
{
	while (start <= last) {
		u64 run = last - start + 1;

		if (ram_look(ram, start, &run))
			return true;
		start += run;
	}
	return false;
}

void cpu_remember(struct check *check, struct cpu_watch *watch, u64 start, u64 last)
{
	struct ram *ram = &check->hw->ram;
	bool fresh = !watch->copy;

	if (!cut(watch, &start, &last) || (fresh && !is_touched(ram, start, last)))
		return;
	if (fresh && !make_copy(check, watch))
		return;
	/* Zeros, so far. */
	if (fresh && last - start + 1 < watch->compared)
		memset(watch->copy, 0, (size_t)watch->compared);
	ram_read(ram, start, watch->copy + (start - watch->at.start), last - start + 1);
}

void cpu_recall(struct check *check, struct cpu_watch *watch, const u8 *first)
{
	if (make_copy(check, watch))
		memcpy(watch->copy, first, (size_t)watch->compared);
}

static bool are_zeros(const u8 *bytes, u64 count)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, (size_t)(count - 1));
}

static bool is_same(const u8 *host, const u8 *copy, u64 bytes)
{
	if (host && copy)
		return !memcmp(host, copy, (size_t)bytes);
	if (!host && !copy)
		return true;
	return are_zeros(host ? host : copy, bytes);
}

/* The copy of a stretch of memory is what that holds. */
static void follow(struct check *check, struct cpu_watch *watch, u64 offset, const u8 *host,
		   u64 bytes)
{
	if (!watch->copy) {
		if (!make_copy(check, watch))
			return;
		memset(watch->copy, 0, (size_t)watch->compared);
	}
	if (host)
		memcpy(watch->copy + offset, host, (size_t)bytes);
	else
		memset(watch->copy + offset, 0, (size_t)bytes);
}

/* One stretch of host memory. Noted is where it differs, and the copy follows. */
static void compare_run(struct check *check, struct cpu_watch *watch, u64 at, const u8 *host,
			u64 bytes)
{
	u64 offset = at - watch->at.start;

	if (is_same(host, watch->copy ? watch->copy + offset : NULL, bytes))
		return;
	for (u64 i = 0; i < bytes; i++) {
		u8 is = host ? host[i] : 0, was = watch->copy ? watch->copy[offset + i] : 0;

		if (is != was)
			cpu_bytes_add(&watch->wrote, at + i);
	}
	follow(check, watch, offset, host, bytes);
}

static void compare_owned(struct check *check, struct cpu_watch *watch,
			  const struct cpu_range *part)
{
	u64 bytes = part->last - part->start + 1;

	cpu_lift(check, part->start, bytes);
	for (u64 done = 0, run; done < bytes; done += run) {
		const u8 *host;

		run = bytes - done;
		host = ram_look(&check->hw->ram, part->start + done, &run);
		compare_run(check, watch, part->start + done, host, run);
	}
	cpu_lower(check, part->start, bytes);
}

void cpu_compare(struct check *check, struct cpu_watch *watch, u64 start, u64 last)
{
	struct cpu_range part;

	if (!cut(watch, &start, &last))
		return;
	while (cpu_next_owned(watch, &start, last, &part))
		compare_owned(check, watch, &part);
}
