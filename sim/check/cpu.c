/* SPDX-License-Identifier: MIT */
#include "check/cpu.h"

#include <dmasim/dma.h>

#include "check/cpu_first.h"
#include "check/judge.h"

void cpu_init(struct check *check, const struct cpu_config *config)
{
	struct cpu_watches *cpu = &check->cpu;
	struct memory *memory = &check->world->memory;

	*cpu = (struct cpu_watches){
		.compares = config->compares,
		.compared = config->compared,
		.guards_reads = config->guards_reads,
		.guard = config->guard,
		.memory = memory,
		.ram_guard = { check, cpu_lift, cpu_lower },
	};
	cpu->on = check->judging && (config->compares || config->guard);
	cpu->first_only = cpu->on && !config->guard && config->compared <= OWNER_FIRST_BYTES;
	interval_tree_init(&cpu->tree);
	interval_tree_by_page(&cpu->tree, memory, &check->blind);
	check_pool_init(&cpu->pool, memory, &check->blind, sizeof(struct cpu_watch));
	for (u32 i = 0; i < CPU_DEVICES; i++)
		LIST_INIT(&cpu->devices[i]);
	if (!cpu->on)
		return;
	if (cpu->guard)
		check->hw->ram.guard = &cpu->ram_guard;
	check->hw->hooks.changing = check_ram_changing;
	check->hw->hooks.changed = check_ram_changed;
	check->hw->hooks.writing_back = check_writing_back;
}

static struct cpu_watch_list *list_of(struct cpu_watches *cpu, dmasim_sbdf dev)
{
	return &cpu->devices[(dev >> 3) % CPU_DEVICES];
}

/* ---- A mapping begins -------------------------------------------------------------------- */

static bool is_watched(const struct check *check, const struct piece *piece, bool no_snoop)
{
	if (piece->attrs & CPU_SHARED || ram_is_adopted_twice(&check->hw->ram, piece->phys))
		return false;
	return piece->kind == PIECE_PHYS || piece->kind == PIECE_SG ||
	       (piece->kind == PIECE_LINK && no_snoop);
}

static bool sees_only_memory(struct check *check, dmasim_sbdf dev)
{
	const struct hw_function *function;

	if (DMASIM_LIKELY(!check->hw->any_no_snoop))
		return false;
	function = hw_function_find(check->hw, dev);
	return function && function->traits.no_snoop;
}

static struct cpu_watch *new_watch(struct check *check, struct piece *piece, u64 bytes)
{
	struct cpu_watches *cpu = &check->cpu;
	struct cpu_watch *watch = check_pool_get(&cpu->pool);

	if (!watch)
		return NULL;
	*watch = (struct cpu_watch){
		.at = { .start = piece->phys, .last = piece->phys + bytes - 1 },
		.piece = piece,
		.bounced = bounces_has(&check->bounces, piece->phys),
		.guarded = cpu->guard && (cpu->guards_reads || piece->dir != DMA_TO_DEVICE),
		.compared = bytes < cpu->compared ? bytes : cpu->compared,
	};
	piece->watch = watch;
	piece->watched = true;
	interval_insert(&cpu->tree, &watch->at);
	LIST_INSERT_HEAD(list_of(cpu, piece->dev), watch, beside);
	cpu->guarded += watch->guarded;
	return watch;
}

/* [start, last] is the device's from now on. */
static void hand_over(struct check *check, struct cpu_watch *watch, u64 start, u64 last)
{
	cpu_turn_end(watch, start, last);
	cpu_remember(check, watch, start, last);
	cpu_close(check, watch, start, last);
}

void cpu_give(struct check *check, struct piece *piece)
{
	bool no_snoop = sees_only_memory(check, piece->dev);
	u64 bytes = piece->at.last - piece->at.start + 1;
	struct cpu_watch *watch;

	if (!is_watched(check, piece, no_snoop))
		return;
	bytes = ram_covered(&check->hw->ram, piece->phys, bytes);
	watch = bytes ? new_watch(check, piece, bytes) : NULL;
	if (!watch)
		return;
	watch->no_snoop = no_snoop;
	hand_over(check, watch, watch->at.start, watch->at.last);
}

void cpu_first_watch(struct check *check, struct piece *piece)
{
	u64 bytes = ram_covered(&check->hw->ram, piece->phys, piece->at.last - piece->at.start + 1);
	struct cpu_watch *watch = new_watch(check, piece, bytes);

	piece->keeps_first = false;
	if (!watch)
		return;
	watch->no_snoop = sees_only_memory(check, piece->dev);
	cpu_recall(check, watch, piece->first);
}

void cpu_first_watch_all(struct check *check, phys_addr_t start, phys_addr_t last)
{
	struct piece *piece = share_first(&check->owners, start, last);

	for (; piece; piece = share_next(&check->owners, piece, start, last)) {
		if (piece->keeps_first)
			cpu_first_watch(check, piece);
	}
}

/* The first watch of memory of [start, last]. */
static struct cpu_watch *watch_of(struct check *check, u64 start, u64 last)
{
	if (check->cpu.first_only)
		cpu_first_watch_all(check, start, last);
	return cpu_watch_first(&check->cpu, start, last);
}

/* ---- It ends ----------------------------------------------------------------------------- */

/* [start, last] is the CPU's from now on. */
static void let_cpu(struct check *check, struct cpu_watch *watch, u64 start, u64 last)
{
	cpu_turn_begin(watch, start, last);
	if (!watch->guarded)
		return;
	cpu_open(check, start, last);
	/* Another mapping may want otherwise. */
	cpu_lower(check, start, last - start + 1);
}

void cpu_settle(struct check *check, const struct dmasim_event *event, struct piece *piece)
{
	struct cpu_watch *watch = piece->watch;

	if (!piece->watched)
		return;
	cpu_compare(check, watch, watch->at.start, watch->at.last);
	cpu_tell(check, event, watch);
}

void cpu_end(struct check *check, struct piece *piece)
{
	struct cpu_watches *cpu = &check->cpu;
	struct cpu_watch *watch = piece->watch;

	piece->watched = false;
	let_cpu(check, watch, watch->at.start, watch->at.last);
	cpu_forget_copy(check, watch);
	interval_remove(&cpu->tree, &watch->at);
	LIST_REMOVE(watch, beside);
	cpu->guarded -= watch->guarded;
	check_pool_put(&cpu->pool, watch);
}

void cpu_cut(struct check *check, struct owner_space *space, u64 address)
{
	struct piece *piece = owners_first(space, address, address);
	struct cpu_watch *watch;
	u64 bytes;

	while (piece &&
	       (!piece->watched || piece->kind != PIECE_LINK || piece->at.start == address))
		piece = owners_next(space, piece, address, address);
	if (!piece)
		return;
	watch = piece->watch;
	bytes = address - piece->at.start;
	if (bytes >= watch->at.last - watch->at.start + 1)
		return;
	let_cpu(check, watch, watch->at.start + bytes, watch->at.last);
	interval_remove(&check->cpu.tree, &watch->at);
	watch->at.last = watch->at.start + bytes - 1;
	cpu_turn_end(watch, watch->at.last + 1, ~0ULL);
	interval_insert(&check->cpu.tree, &watch->at);
	if (watch->compared > bytes)
		watch->compared = bytes;
}

/* ---- Turns ------------------------------------------------------------------------------- */

/*
 * What a device only reads it has by a sync for the device alone, wherever it was written: it need
 * not have been synced for the CPU before. Facts "dma-api" 3.9, 7.4.
 */
static void turn(struct check *check, const struct dmasim_event *event, struct cpu_watch *watch,
		 u64 start, u64 last)
{
	bool for_cpu = judge_is_for_cpu(event);

	if (for_cpu || watch->piece->dir != DMA_TO_DEVICE)
		cpu_compare(check, watch, start, last);
	cpu_tell(check, event, watch);
	if (for_cpu)
		let_cpu(check, watch, start, last);
	else
		hand_over(check, watch, start, last);
}

/* Without an IOMMU two mappings may have the same addresses: a sync may be of either. */
static bool is_of_two(struct owner_space *space, const struct piece *piece, u64 start, u64 last)
{
	struct piece *other = space->is_domain ? NULL : owners_first(space, start, last);

	while (other && (other == piece || other->dev != piece->dev))
		other = owners_next(space, other, start, last);
	return other;
}

void cpu_turn(struct check *check, const struct dmasim_event *event, u64 start, u64 last)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);
	struct piece *piece = space ? owners_first(space, start, last) : NULL;

	for (; piece; piece = owners_next(space, piece, start, last)) {
		u64 from = start > piece->at.start ? start : piece->at.start;
		u64 to = last < piece->at.last ? last : piece->at.last;
		u64 offset = piece->phys - piece->at.start; /* it may wrap */

		if (piece->keeps_first)
			cpu_first_watch(check, piece);

		if (!piece->watched || piece->dev != event->dev)
			continue;
		/* Who was not told that it is the device's may still write. */
		if (!judge_is_for_cpu(event) && is_of_two(space, piece, from, to))
			continue;
		if (to + offset > piece->watch->at.last)
			to = piece->watch->at.last - offset;
		if (from + offset <= piece->watch->at.last)
			turn(check, event, piece->watch, from + offset, to + offset);
	}
}

void cpu_excuse(struct check *check, const struct dmasim_event *event)
{
	struct cpu_watch *watch;

	if (check->cpu.first_only)
		cpu_first_watch_all(check, 0, ~0ULL);
	watch = LIST_FIRST(list_of(&check->cpu, event->dev));
	while (watch) {
		struct cpu_watch *next = LIST_NEXT(watch, beside);

		if (watch->piece->dev == event->dev && watch->piece->kind != PIECE_LINK) {
			cpu_settle(check, event, watch->piece);
			cpu_end(check, watch->piece);
		}
		watch = next;
	}
}

/* ---- What else there is ------------------------------------------------------------------ */

void check_memory_gone(struct check *check, phys_addr_t phys, u64 bytes)
{
	u64 last = phys + bytes - 1;
	struct cpu_watch *watch;

	if (!check->cpu.on || !bytes)
		return;
	for (watch = watch_of(check, phys, last); watch;
	     watch = cpu_watch_next(&check->cpu, watch, phys, last))
		let_cpu(check, watch, phys, last);
}

void check_let_go(struct check *check)
{
	struct piece *piece = NULL;
	struct interval *any;

	check->cpu.on = false;
	check->cpu.first_only = false;
	while ((piece = owners_next_of_all(&check->owners, piece)))
		piece->keeps_first = false;
	while ((any = interval_any(&check->cpu.tree)))
		cpu_end(check, ((struct cpu_watch *)any)->piece);
}

void cpu_fini(struct check *check)
{
	struct cpu_watches *cpu = &check->cpu;

	check_let_go(check);
	interval_tree_fini(&cpu->tree);
	check_pool_fini(&cpu->pool);
	for (u32 i = 0; i < CPU_COPIES; i++) {
		while (cpu->given_back[i]) {
			void *copy = cpu->given_back[i];

			cpu->given_back[i] = *(void **)copy;
			memory_free(cpu->memory, copy);
		}
	}
}

void check_cpu_copies(struct check *check, phys_addr_t phys, u64 bytes, bool writes)
{
	u64 last = phys + bytes - 1;
	struct cpu_watch *watch;

	if (!check->cpu.on || !bytes)
		return;
	for (watch = watch_of(check, phys, last); watch;
	     watch = cpu_watch_next(&check->cpu, watch, phys, last)) {
		if (writes || watch->piece->dir != DMA_TO_DEVICE)
			cpu_compare(check, watch, phys, last);
		if (writes)
			cpu_turn_begin(watch, phys, last);
	}
	cpu_open(check, phys, last);
}

typedef void watch_fn(struct check *check, struct cpu_watch *watch, u64 start, u64 last);

/* What is compared of [phys, phys + bytes), mapping by mapping. */
static inline void each_compared(struct check *check, phys_addr_t phys, u64 bytes, watch_fn *what)
{
	u64 last = phys + bytes - 1;
	struct cpu_watch *watch;

	if (!check->cpu.compares || !bytes)
		return;
	for (watch = watch_of(check, phys, last); watch;
	     watch = cpu_watch_next(&check->cpu, watch, phys, last))
		what(check, watch, phys, last);
}

void check_ram_changing(void *cookie, phys_addr_t phys, u64 bytes)
{
	each_compared(cookie, phys, bytes, cpu_compare);
}

void check_ram_changed(void *cookie, phys_addr_t phys, u64 bytes)
{
	each_compared(cookie, phys, bytes, cpu_remember);
}
