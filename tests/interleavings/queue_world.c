/* SPDX-License-Identifier: MIT */
#include "interleavings/queue_world.h"

#include <errno.h>
#include <string.h>

#define IOVA(address) ((u64)(address) + 1)

static void is_wrong(struct queue_world *world, const char *what)
{
	if (!world->state.wrong)
		world->state.wrong = what;
}

/* ---- The port: only what a flush queue asks for ---------------------------------------------- */

static void *port_alloc(void *machine, enum dmasim_fault_point why, size_t bytes)
{
	struct queue_state *state = &((struct queue_world *)machine)->state;
	size_t at = (state->used + 15) & ~(size_t)15;

	(void)why;
	if (bytes > sizeof(state->memory) - at)
		return NULL;
	state->used = at + bytes;
	return &state->memory[at];
}

static void port_free(void *machine, void *memory)
{
	(void)machine;
	(void)memory;
}

static void port_timer_arm(void *machine, struct dmasim_timer *timer, u64 delay_ns)
{
	struct queue_world *world = machine;

	(void)delay_ns;
	if (world->state.armed)
		is_wrong(world, "the timer is armed while it is pending");
	world->state.armed = timer;
}

static void port_timer_cancel(void *machine, struct dmasim_timer *timer)
{
	struct queue_world *world = machine;

	if (world->state.armed == timer)
		world->state.armed = NULL;
}

static void port_point(void *machine, enum dmasim_point point)
{
	struct queue_world *world = machine;

	(void)point;
	schedule_point(&world->schedule);
}

static bool port_wait(void *machine, const bool *held)
{
	struct queue_world *world = machine;

	return schedule_wait(&world->schedule, held);
}

/* ---- The domain, with the ghost's eyes ------------------------------------------------------- */

static int flush(void *domain)
{
	struct queue_world *world = domain;
	/* What is unmapped later may be cached again after the invalidation has passed it. */
	u32 before = world->state.unmapped;
	bool fails = world->program.fails >> world->state.flushes++ & 1;

	platform_point(&world->platform, DMASIM_POINT_QUEUE);
	world->state.covered |= before;
	if (fails)
		return -EIO;
	world->state.well |= before;
	return 0;
}

static u32 ring_of(const struct queue_world *world, u32 address)
{
	return world->program.single ? 0 : address / world->program.adds;
}

static void release(void *domain, u64 iova, u64 bytes, struct page *tables, bool cached)
{
	struct queue_world *world = domain;
	struct queue_state *state = &world->state;
	u32 address = (u32)(iova - IOVA(0));
	u32 bit = 1U << address;

	(void)bytes;
	(void)tables;
	if (!(state->unmapped & bit))
		is_wrong(world, "an address is released that nobody unmapped");
	else if (state->released & bit)
		is_wrong(world, "an address is released twice");
	else if (!(state->covered & bit))
		is_wrong(world, "an address is released before an invalidation has covered it");
	else if (!cached && !(state->well & bit))
		is_wrong(world, "tables are given back after a flush that failed");
	state->released |= bit;
	state->queued[ring_of(world, address)]--;
}

static void forget(void *domain, struct page *tables)
{
	(void)domain;
	(void)tables;
}

/* ---- Tasks ----------------------------------------------------------------------------------- */

static void run_cpu(void *context)
{
	const struct queue_cpu *cpu = context;
	struct queue_world *world = cpu->world;
	struct queue_state *state = &world->state;
	u32 adds = world->program.adds;

	for (u32 i = 0; i < adds; i++) {
		u32 address = cpu->cpu * adds + i;
		u32 *queued = &state->queued[ring_of(world, address)];

		state->unmapped |= 1U << address;
		flush_queue_add(state->fq, IOVA(address), 1, NULL);
		++*queued;
		if ((s32)*queued > (s32)world->program.entries - 1)
			is_wrong(world, "an address was queued in a ring that was full");
	}
}

static bool timer_is_armed(void *context)
{
	return ((struct queue_world *)context)->state.armed;
}

static void run_timer(void *context)
{
	struct queue_world *world = context;
	struct dmasim_timer *timer = world->state.armed;

	world->state.armed = NULL;
	timer->fire(timer);
}

/* ---- Runs ------------------------------------------------------------------------------------ */

void queue_world_init(struct queue_world *world, const struct queue_program *program)
{
	static const struct platform_ops ops = {
		.alloc = port_alloc,
		.free = port_free,
		.timer_arm = port_timer_arm,
		.timer_cancel = port_timer_cancel,
		.point = port_point,
		.wait = port_wait,
	};

	memset(world, 0, sizeof(*world));
	world->program = *program;
	world->platform = (struct platform){ .ops = &ops, .machine = world, .stepping = true };
	schedule_init(&world->schedule, &world->platform.cpu);
	for (u32 i = 0; i < program->cpus; i++) {
		world->cpu[i] = (struct queue_cpu){ world, i };
		world->task[i] = (struct schedule_task){ .run = run_cpu,
							 .context = &world->cpu[i],
							 .cpu = i };
	}
	world->task[program->cpus] = (struct schedule_task){
		.run = run_timer,
		.context = world,
		.ready = timer_is_armed,
		.rounds = program->timers,
	};
}

void queue_world_fini(struct queue_world *world)
{
	schedule_fini(&world->schedule);
}

u32 queue_world_lost(const struct queue_world *world)
{
	return (u32)__builtin_popcount(world->state.unmapped & ~world->state.released);
}

/* FNV-1a over the bytes; kept in order. */
static void note_end(struct queue_ends *ends, const struct queue_state *state)
{
	u64 hash = 0xcbf29ce484222325ULL;
	u32 at = 0;

	for (size_t i = 0; i < sizeof(*state); i++)
		hash = (hash ^ ((const u8 *)state)[i]) * 0x100000001b3ULL;
	while (at < ends->count && ends->end[at] < hash)
		at++;
	if ((at < ends->count && ends->end[at] == hash) || ends->count == QUEUE_ENDS_MAX)
		return;
	memmove(&ends->end[at + 1], &ends->end[at], (ends->count - at) * sizeof(ends->end[0]));
	ends->end[at] = hash;
	ends->count++;
}

/* The CPUs have ended: the timer fires until it is quiet, and then nothing may be missing. */
static void drain(struct queue_world *world)
{
	struct queue_state *state = &world->state;

	while (state->armed)
		run_timer(world);
	if (state->released != state->unmapped)
		is_wrong(world, "an address is lost");
	flush_queue_destroy(state->fq, forget);
}

const char *queue_world_run(struct queue_world *world, struct schedule_chooser chooser)
{
	static const struct flush_queue_ops ops = { .flush = flush, .release = release };
	const struct queue_program *program = &world->program;
	int err;

	memset(&world->state, 0, sizeof(world->state));
	world->state.fq = flush_queue_create(&(struct flush_queue_config){
		.platform = &world->platform,
		.ops = &ops,
		.domain = world,
		.single = program->single,
		.cpus = program->cpus,
		.entries = program->entries,
		.bugs = program->bugs,
	});
	if (!world->state.fq)
		return "there is no memory";
	err = schedule_run(&world->schedule, world->task, program->cpus + 1, chooser);
	if (err == -EDEADLK)
		return "nobody can go on";
	if (err && err != -ECANCELED)
		return "there is no memory";
	if (!err && world->ends)
		note_end(world->ends, &world->state);
	if (!err)
		drain(world);
	return world->state.wrong;
}

const char *queue_world_replay(struct queue_world *world, const char *choices)
{
	struct schedule_list list = { .choices = choices };
	const char *wrong = queue_world_run(world, schedule_as_listed(&list));

	return list.wrong ? "the choices do not fit the program" : wrong;
}

struct explorer_counts queue_world_explore(struct queue_world *world, u32 preemptions_max,
					   bool merge, const char **wrong)
{
	struct explorer *explorer = explorer_create(preemptions_max);
	const struct coroutine_bytes memory = { (const u8 *)&world->state, sizeof(world->state) };
	struct explorer_counts counts = { 0 };

	*wrong = "there is no memory";
	if (!explorer)
		return counts;
	if (merge)
		explorer_merge(explorer, &world->schedule, &memory, 1);
	*wrong = NULL;
	while (!*wrong && explorer_next(explorer))
		*wrong = queue_world_run(world, explorer_chooser(explorer));
	counts = explorer_counts(explorer);
	if (!*wrong && !counts.complete)
		*wrong = "there is no memory";
	explorer_destroy(explorer);
	return counts;
}
