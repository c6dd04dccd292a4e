/* SPDX-License-Identifier: MIT */
#include "check/memory_kind.h"

struct kind_range {
	struct interval at; /* first member */
	enum memory_kind kind;
};

void memory_kinds_init(struct memory_kinds *kinds, struct world *world, bool *blind)
{
	*kinds = (struct memory_kinds){ .world = world, .blind = blind };
	interval_tree_init(&kinds->tree);
}

static void drop(struct memory_kinds *kinds, struct interval *at)
{
	interval_remove(&kinds->tree, at);
	memory_free(&kinds->world->memory, at);
}

void memory_kinds_fini(struct memory_kinds *kinds)
{
	struct interval *at;

	while ((at = interval_any(&kinds->tree)))
		drop(kinds, at);
}

const char *memory_kind_name(enum memory_kind kind)
{
	static const char *const names[] = {
		[MEMORY_PLAIN] = "plain",
		[MEMORY_STACK] = "stack",
		[MEMORY_READ_ONLY] = "read-only",
		[MEMORY_VMALLOC] = "vmalloc",
	};

	return names[kind];
}

/* Nothing: what it was is over. */
static void trace_kind(struct trace *trace, u64 phys, u64 bytes, enum memory_kind kind)
{
	if (!trace_begin(trace, "memory"))
		return;
	trace_hex(trace, "phys", phys);
	trace_dec(trace, "size", bytes);
	trace_word(trace, "memory", memory_kind_name(kind));
	trace_end(trace);
}

void memory_kinds_add(struct memory_kinds *kinds, u64 phys, const void *ptr, u64 bytes)
{
	enum memory_kind kind = kinds->of_host(kinds->cookie, ptr, bytes);
	struct kind_range *range;

	if (kind == MEMORY_PLAIN)
		return;
	trace_kind(&kinds->world->trace, phys, bytes, kind);
	range = memory_alloc(&kinds->world->memory, DMASIM_FAULT_CHECK_RECORD, sizeof(*range));
	if (!range) {
		*kinds->blind = true;
		return;
	}
	range->at.start = phys;
	range->at.last = phys + (bytes - 1);
	range->kind = kind;
	interval_insert(&kinds->tree, &range->at);
}

void memory_kinds_drop(struct memory_kinds *kinds, u64 phys)
{
	struct interval *at = interval_first(&kinds->tree, phys, phys);

	if (!at)
		return;
	trace_kind(&kinds->world->trace, phys, 0, MEMORY_PLAIN);
	drop(kinds, at);
}

enum memory_kind memory_kind_at(const struct memory_kinds *kinds, u64 phys, u64 bytes)
{
	const struct interval *at;

	if (DMASIM_LIKELY(!memory_kinds_any(kinds)) || !bytes)
		return MEMORY_PLAIN;
	at = interval_first(&kinds->tree, phys, phys + (bytes - 1));
	return at ? ((const struct kind_range *)(const void *)at)->kind : MEMORY_PLAIN;
}
