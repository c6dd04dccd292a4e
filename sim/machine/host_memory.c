/* SPDX-License-Identifier: MIT */
/*
 * What memory of the process is: a stack, code and constants, or neither. Only that leaves here,
 * and it is the same on each run; the addresses are not.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dl_iterate_phdr(), pthread_getattr_np() */
#endif

#include <link.h>
#include <pthread.h>

#include "machine/machine.h"

/* Inclusive. */
struct host_range {
	uintptr_t start;
	uintptr_t last;
};

static bool touch(const struct host_range *a, const struct host_range *b)
{
	return a->start <= b->last && b->start <= a->last;
}

/* ---- Code and constants ----------------------------------------------- */

struct segment_query {
	struct host_range range;
	bool read_only;
};

/* A segment that is not writable, or is so only until its addresses are filled in. */
static int look_at_module(struct dl_phdr_info *module, size_t size, void *context)
{
	struct segment_query *query = context;

	(void)size;
	for (u32 i = 0; i < module->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
		uintptr_t start = (uintptr_t)module->dlpi_addr + (uintptr_t)segment->p_vaddr;
		struct host_range range = { start, start + (uintptr_t)segment->p_memsz - 1 };
		bool fixed = segment->p_type == PT_GNU_RELRO ||
			     (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W));

		if (fixed && segment->p_memsz && touch(&range, &query->range))
			query->read_only = true;
	}
	return query->read_only;
}

static bool is_read_only(const struct host_range *range)
{
	struct segment_query query = { .range = *range };

	dl_iterate_phdr(look_at_module, &query);
	return query.read_only;
}

/* ---- Stacks ----------------------------------------------------------- */

static struct host_range range_of(const void *start, size_t bytes)
{
	return (struct host_range){ (uintptr_t)start, (uintptr_t)start + bytes - 1 };
}

/* A task of dmasim_run_cpus() has a stack of its own. */
static bool is_on_task_stack(const struct dmasim *s, const struct host_range *range)
{
	struct schedule *schedule = s->world.schedule;
	const struct coroutine *coroutine;
	struct host_range stack;

	if (!schedule || !schedule_is_running(schedule))
		return false;
	coroutine = &schedule->slot[schedule->current].coroutine;
	stack = range_of(coroutine->stack, coroutine->bytes);
	return touch(&stack, range);
}

static bool is_on_thread_stack(const struct host_range *range)
{
	pthread_attr_t attributes;
	struct host_range stack;
	size_t bytes;
	void *start;

	if (pthread_getattr_np(pthread_self(), &attributes))
		return false;
	if (pthread_attr_getstack(&attributes, &start, &bytes))
		bytes = 0;
	pthread_attr_destroy(&attributes);
	if (!bytes)
		return false;
	stack = range_of(start, bytes);
	return touch(&stack, range);
}

enum memory_kind machine_host_kind(void *cookie, const void *ptr, u64 bytes)
{
	const struct dmasim *s = cookie;
	struct host_range range = range_of(ptr, bytes ? (size_t)bytes : 1);

	if (kernel_is_vmalloc(s, ptr))
		return MEMORY_VMALLOC;
	if (is_on_task_stack(s, &range) || is_on_thread_stack(&range))
		return MEMORY_STACK;
	return is_read_only(&range) ? MEMORY_READ_ONLY : MEMORY_PLAIN;
}
