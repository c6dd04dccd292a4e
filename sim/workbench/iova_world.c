/* SPDX-License-Identifier: MIT */
#include "workbench/iova_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/contract.h>

/* Stands in front of what is handed out; 32 bytes keep that aligned for any type. */
struct block {
	struct block *next;
	struct block *prev;
	u64 bytes;
	u64 point;
};

struct pending {
	struct dmasim_timer *timer;
	u64 deadline_ns;
};

struct iova_world {
	struct platform platform;
	u32 cpus;
	u64 now_ns;
	struct block blocks; /* circular through this head */
	/*
	 * In the order of their arming. Not linked through the timers: whoever forgets to cancel
	 * one does no harm until time passes.
	 */
	struct pending *pending;
	u32 pending_room;
	struct iova_world_counts counts;
	enum dmasim_fault_point fail_point;
	u64 fail_in; /* allocations until one fails, with it; 0: none will */
	iova_world_hook hook;
	bool (*wait)(void *context, const bool *held);
	void *hook_context;
};

/* ---- Memory ---------------------------------------------------------------------------------- */

static bool fails(struct iova_world *world, enum dmasim_fault_point point)
{
	if (DMASIM_LIKELY(!world->fail_in))
		return false;
	if (world->fail_point != point && world->fail_point != DMASIM_FAULT_ANY)
		return false;
	if (--world->fail_in)
		return false;
	world->counts.failures++;
	return true;
}

static void *world_alloc(void *machine, enum dmasim_fault_point why, size_t bytes)
{
	struct iova_world *world = machine;
	struct iova_world_counts *counts = &world->counts;
	struct block *block;

	counts->allocations++;
	if (fails(world, why) || bytes > SIZE_MAX - sizeof(*block))
		return NULL;
	block = calloc(1, sizeof(*block) + bytes);
	if (!block)
		return NULL;
	*block = (struct block){ world->blocks.next, &world->blocks, bytes, why };
	block->next->prev = block;
	world->blocks.next = block;
	counts->live_blocks++;
	counts->live_bytes += bytes;
	counts->live_of[why]++;
	counts->bytes_of[why] += bytes;
	if (counts->live_bytes > counts->peak_bytes)
		counts->peak_bytes = counts->live_bytes;
	return block + 1;
}

static void world_free(void *machine, void *memory)
{
	struct iova_world *world = machine;
	struct iova_world_counts *counts = &world->counts;
	struct block *block = memory;

	if (!memory)
		return;
	block--;
	counts->frees++;
	counts->live_blocks--;
	counts->live_bytes -= block->bytes;
	counts->live_of[block->point]--;
	counts->bytes_of[block->point] -= block->bytes;
	block->next->prev = block->prev;
	block->prev->next = block->next;
	free(block);
}

void iova_world_fail(struct iova_world *world, enum dmasim_fault_point point, u64 nth)
{
	world->fail_point = point;
	world->fail_in = nth;
	world->counts.failures = 0;
}

/* ---- Time ------------------------------------------------------------------------------------ */

static u64 world_now(void *machine)
{
	return ((struct iova_world *)machine)->now_ns;
}

static void world_timer_cancel(void *machine, struct dmasim_timer *timer)
{
	struct iova_world *world = machine;
	u64 *count = &world->counts.pending_timers;

	timer->pending = false;
	for (u64 i = 0; i < *count; i++) {
		if (world->pending[i].timer != timer)
			continue;
		--*count;
		memmove(&world->pending[i], &world->pending[i + 1],
			(*count - i) * sizeof(world->pending[0]));
		return;
	}
}

static void world_timer_arm(void *machine, struct dmasim_timer *timer, u64 delay_ns)
{
	struct iova_world *world = machine;
	u64 delay = delay_ns ? delay_ns : 1;

	world_timer_cancel(machine, timer);
	if (world->counts.pending_timers == world->pending_room) {
		world->pending_room = 2 * world->pending_room + 8;
		world->pending =
			realloc(world->pending, world->pending_room * sizeof(world->pending[0]));
		DMASIM_CONTRACT(world->pending, "there is memory for the world");
	}
	timer->deadline_ns = delay > ~0ULL - world->now_ns ? ~0ULL : world->now_ns + delay;
	timer->pending = true;
	world->pending[world->counts.pending_timers++] =
		(struct pending){ timer, timer->deadline_ns };
}

/* The one to fire next, if it fires by then. There are few: they are searched. */
static const struct pending *next_timer(const struct iova_world *world, u64 until_ns)
{
	const struct pending *best = NULL;

	for (u64 i = 0; i < world->counts.pending_timers; i++) {
		const struct pending *is = &world->pending[i];

		if (is->deadline_ns <= until_ns && (!best || is->deadline_ns < best->deadline_ns))
			best = is;
	}
	return best;
}

void iova_world_advance(struct iova_world *world, u64 duration_ns)
{
	u64 until_ns = world->now_ns + duration_ns;
	const struct pending *next;

	while ((next = next_timer(world, until_ns))) {
		struct dmasim_timer *timer = next->timer;

		world->now_ns = next->deadline_ns;
		world_timer_cancel(world, timer);
		timer->fire(timer);
	}
	world->now_ns = until_ns;
}

/* ---- What only a machine has ----------------------------------------------------------------- */

static phys_addr_t no_frames(void *machine, enum dmasim_fault_point why, u64 count,
			     phys_addr_t last)
{
	(void)machine, (void)why, (void)count, (void)last;
	return PLATFORM_NO_PHYS;
}

static void no_frames_free(void *machine, enum dmasim_fault_point why, phys_addr_t phys, u64 count)
{
	(void)machine, (void)why, (void)phys, (void)count;
}

static u64 no_frames_count(void *machine, phys_addr_t phys)
{
	(void)machine, (void)phys;
	return 0;
}

static void *no_ptr(void *machine, phys_addr_t phys)
{
	(void)machine, (void)phys;
	return NULL;
}

static phys_addr_t no_phys(void *machine, const void *ptr)
{
	(void)machine, (void)ptr;
	return PLATFORM_NO_PHYS;
}

static void *no_bar(void *machine, enum dmasim_fault_point why, phys_addr_t phys, u64 bytes)
{
	(void)machine, (void)why, (void)phys, (void)bytes;
	return NULL;
}

static u32 no_config_read(void *machine, dmasim_sbdf dev, u32 offset, u32 bytes)
{
	(void)machine, (void)dev, (void)offset, (void)bytes;
	return ~(u32)0;
}

static void no_config_write(void *machine, dmasim_sbdf dev, u32 offset, u32 bytes, u32 value)
{
	(void)machine, (void)dev, (void)offset, (void)bytes, (void)value;
}

static const struct platform_firmware *no_firmware(void *machine)
{
	static const struct platform_firmware nothing = { .cpu_vendor = PLATFORM_CPU_OTHER };

	(void)machine;
	return &nothing;
}

static int no_context(void *machine, u32 unit, u16 requester,
		      const struct platform_context *context)
{
	(void)machine, (void)unit, (void)requester, (void)context;
	return -ENOMEM;
}

static int no_queue(void *machine, u32 unit, const void *commands, size_t bytes)
{
	(void)machine, (void)unit, (void)commands, (void)bytes;
	return -EINVAL;
}

static void no_unit(void *machine, u32 unit)
{
	(void)machine, (void)unit;
}

static int no_wait(void *machine, u32 unit)
{
	(void)machine, (void)unit;
	return -EINVAL;
}

static void no_cache(void *machine, phys_addr_t phys, u64 bytes)
{
	(void)machine, (void)phys, (void)bytes;
}

static u64 no_chance(void *machine, u64 bound)
{
	(void)machine, (void)bound;
	return 0;
}

static void no_bypass(void *machine, phys_addr_t phys, u64 bytes, bool bypass)
{
	(void)machine, (void)phys, (void)bytes, (void)bypass;
}

static void no_event(void *machine, const struct dmasim_event *event)
{
	(void)machine, (void)event;
}

/* ---- The world ------------------------------------------------------------------------------- */

static void world_point(void *machine, enum dmasim_point point)
{
	struct iova_world *world = machine;

	world->counts.points++;
	if (world->hook)
		world->hook(world->hook_context, point);
}

static bool world_wait(void *machine, const bool *held)
{
	struct iova_world *world = machine;

	return world->wait && world->wait(world->hook_context, held);
}

static void world_report(void *machine, const struct platform_report *report)
{
	(void)report;
	((struct iova_world *)machine)->counts.reports++;
}

static const struct platform_ops world_ops = {
	.frames_alloc = no_frames,
	.frames_free = no_frames_free,
	.frames_count = no_frames_count,
	.ptr = no_ptr,
	.phys = no_phys,
	.bar_ptr = no_bar,
	.alloc = world_alloc,
	.free = world_free,
	.config_read = no_config_read,
	.config_write = no_config_write,
	.firmware = no_firmware,
	.context_set = no_context,
	.queue_submit = no_queue,
	.queue_clear_error = no_unit,
	.queue_wait = no_wait,
	.cache_clean = no_cache,
	.cache_invalidate = no_cache,
	.cache_bypass = no_bypass,
	.cpu_copies = no_bypass,
	.chance = no_chance,
	.now = world_now,
	.timer_arm = world_timer_arm,
	.timer_cancel = world_timer_cancel,
	.point = world_point,
	.wait = world_wait,
	.event = no_event,
	.report = world_report,
};

struct iova_world *iova_world_create(u32 cpus)
{
	struct iova_world *world = calloc(1, sizeof(*world));

	DMASIM_CONTRACT(cpus >= 1, "a world has a CPU");
	if (!world)
		return NULL;
	world->cpus = cpus;
	world->platform = (struct platform){ .ops = &world_ops, .machine = world };
	world->blocks.next = world->blocks.prev = &world->blocks;
	return world;
}

u64 iova_world_destroy(struct iova_world *world)
{
	u64 left = world->counts.live_blocks + world->counts.pending_timers;

	for (struct block *block = world->blocks.next, *next; block != &world->blocks;
	     block = next) {
		next = block->next;
		free(block);
	}
	free(world->pending);
	free(world);
	return left;
}

struct platform *iova_world_platform(struct iova_world *world)
{
	return &world->platform;
}

u32 iova_world_cpus(const struct iova_world *world)
{
	return world->cpus;
}

const struct iova_world_counts *iova_world_counts(const struct iova_world *world)
{
	return &world->counts;
}

void iova_world_set_cpu(struct iova_world *world, u32 cpu)
{
	DMASIM_CONTRACT(cpu < world->cpus, "the world has this CPU");
	world->platform.cpu = cpu;
}

void iova_world_step(struct iova_world *world, iova_world_hook hook, void *context)
{
	world->hook = hook;
	world->hook_context = context;
	world->platform.stepping = true;
}

void iova_world_run_freely(struct iova_world *world)
{
	world->hook = NULL;
	world->wait = NULL;
	world->platform.stepping = false;
}

void iova_world_wait(struct iova_world *world, bool (*wait)(void *context, const bool *held))
{
	world->wait = wait;
}
