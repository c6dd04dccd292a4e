/* SPDX-License-Identifier: MIT */
/*
 * Random calls against the model: spaces, sizes, limits and habits are drawn anew for each run, so
 * that what one run hardly does another one does all the time.
 */
#include "workbench/conform.h"

#include <stdlib.h>

#include <dmasim/contract.h>

#include "workbench/iova_dice.h"

#define RUNS	   100 /* at a scale of 100 % */
#define RUN_CALLS  10000
#define PERIOD	   2500 /* calls until growth and decay change places */
#define LIVE_MAX   1500
#define TRIM_NS	   (120ULL * 1000 * 1000) /* longer than what caches wait for */
#define NESTED_MAX 4

struct habits {
	u64 start_pfn, last_pfn;
	u8 granule_lg2;
	u32 reserved;	   /* ranges, at the beginning */
	u32 size_lg2;	   /* most sizes are up to this */
	u64 cache_percent; /* of allocations that go through caches */
	u64 fault_percent; /* of calls that find no memory */
	u64 odd_percent;   /* of alignments that are not the natural one */
	u32 live_max;
	u32 cpus;
	bool nested; /* other CPUs run at preemption points */
};

struct run {
	struct conform *c;
	struct iova_judge judge;
	struct iova_dice dice;
	struct habits is;
	struct iova_allocator_config space;
	u32 step;   /* the number of the one that runs */
	u32 held;   /* locks taken by the call that runs */
	u32 nested; /* calls within the call that runs */
	u64 nested_calls;
};

static u64 draw(struct run *run, u64 bound)
{
	return iova_dice_below(&run->dice, bound);
}

static void draw_habits(struct run *run)
{
	/* Often full, of 32 bits, across 4 GiB, of 48 bits. */
	static const u64 ends[] = { 300, 1500, 6000, 0xfffff, 0x101000, (1ULL << 36) - 1 };
	struct conform *c = run->c;
	struct habits *is = &run->is;
	u64 kind = draw(run, 6);

	is->granule_lg2 = draw(run, 3) ? 12 : (u8)(12 + draw(run, 9));
	is->last_pfn = conform_last(c, ends[kind] + draw(run, 100));
	is->start_pfn = 1 + (draw(run, 2) ? draw(run, 200) : 0);
	is->reserved = (u32)draw(run, 6);
	is->size_lg2 = 2 + (u32)draw(run, 10);
	is->cache_percent = draw(run, 3) ? draw(run, 3) * 50 : 0;
	is->fault_percent = draw(run, 2) * 3;
	is->odd_percent = conform_has(c, IOVA_NATURAL_ALIGN) ? 0 : draw(run, 3) * 20;
	is->live_max = 1 + (u32)draw(run, draw(run, 2) ? 200 : LIVE_MAX);
	is->cpus = 1 + (u32)draw(run, c->options.cpus);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static u64 draw_pages(struct run *run)
{
	if (!draw(run, 50))
		return 1 + draw(run, 3000);
	if (!draw(run, 500))
		return 1 + draw(run, 1ULL << draw(run, 40));
	return 1 + draw(run, 1ULL << draw(run, run->is.size_lg2));
}

static u64 draw_any_limit(struct run *run)
{
	u64 last = run->is.last_pfn, start = run->is.start_pfn;

	switch (draw(run, 8)) {
	case 0:
		return (1ULL << (32 - run->is.granule_lg2)) - 1;
	case 1:
		return start + draw(run, last - start + 1);
	case 2:
		return start + draw(run, 2 * start + 10);
	default:
		return last;
	}
}

static u64 draw_limit(struct run *run, u64 pages, u32 how)
{
	u64 limit = draw_any_limit(run);

	/* Below the size; a cache rounds that up. */
	if (how & IOVA_CACHE && limit >> iova_natural(pages) == 0 &&
	    conform_has(run->c, IOVA_LIMIT_WRAPS))
		return run->is.last_pfn;
	return limit;
}

static u32 draw_how(struct run *run, u64 pages)
{
	u32 align_lg2 = iova_natural(pages);
	u32 how = 0;

	if (iova_dice_percent(&run->dice, run->is.cache_percent))
		how |= IOVA_CACHE;
	if (!draw(run, 4))
		how |= IOVA_FLUSH;
	if (iova_dice_percent(&run->dice, run->is.odd_percent))
		align_lg2 = (u32)draw(run, draw(run, 4) ? 8 : 20);
	else if (!draw(run, 5))
		align_lg2 = 0;
	return how | align_lg2;
}

static void reserve_one(struct run *run)
{
	u64 last = run->is.last_pfn;
	u64 first = draw(run, last + 10);

	iova_judge_reserve(&run->judge, first, first + draw(run, 1 + (last >> draw(run, 12)) / 8));
}

/* Growth and decay in turn; now and then the rest. */
static void one_call(struct run *run)
{
	struct iova_judge *judge = &run->judge;
	u64 growth = run->step / PERIOD % 2 ? 25 : 80;
	u32 live = judge->model.live.count;

	if (!draw(run, 3000) && !conform_has(run->c, IOVA_LOOSE_RESERVE)) {
		u64 first = draw(run, run->is.last_pfn);

		iova_judge_reserve(judge, first, first + draw(run, 3));
	} else if (live < run->is.live_max && (!live || iova_dice_percent(&run->dice, growth))) {
		u64 pages = draw_pages(run);
		u32 how = draw_how(run, pages);

		iova_judge_alloc(judge, pages, draw_limit(run, pages, how), how);
	} else if (live) {
		iova_judge_free(judge, (u32)draw(run, live));
	}
}

/* Another CPU's whole call, where the one that runs holds no lock. */
static void at_point(void *context, enum dmasim_point point)
{
	struct run *run = context;
	struct conform *c = run->c;
	u32 cpu = iova_world_platform(c->world)->cpu, held = run->held;

	if (!held && run->nested < NESTED_MAX && run->is.cpus > 1 && !run->judge.wrong[0] &&
	    !draw(run, 4)) {
		run->nested++;
		run->nested_calls++;
		iova_world_set_cpu(c->world,
				   (cpu + 1 + (u32)draw(run, run->is.cpus - 1)) % run->is.cpus);
		one_call(run);
		iova_world_set_cpu(c->world, cpu);
		run->held = held;
	}
	if (point == DMASIM_POINT_LOCK)
		run->held++;
	else if (point == DMASIM_POINT_UNLOCK)
		run->held--;
}

/* A step draws by its own number: what it does stays the same when others are left out. */
static void step(struct run *run, u64 seed, u32 number)
{
	struct iova_world *world = run->c->world;
	u64 percent = run->is.fault_percent;

	run->dice.state = (seed << 32) + number;
	run->step = number;
	iova_world_set_cpu(world, (u32)draw(run, run->is.cpus));
	if (number < run->is.reserved) {
		reserve_one(run);
		return;
	}
	iova_world_fail(world, DMASIM_FAULT_ANY,
			iova_dice_percent(&run->dice, percent) ? 1 + draw(run, 2) : 0);
	run->held = run->nested = 0;
	one_call(run);
	run->nested = NESTED_MAX; /* the rest is one CPU's */
	iova_world_fail(world, DMASIM_FAULT_ANY, 0);
	if (!draw(run, 2000) && !run->judge.wrong[0])
		iova_judge_tells(&run->judge);
	if (!draw(run, 5000) && !run->judge.wrong[0])
		iova_judge_drain(&run->judge);
	if (!draw(run, 300))
		iova_world_advance(world, TRIM_NS);
}

/* ---- Runs ------------------------------------------------------------------------------------ */

struct script {
	u64 seed;
	bool nested; /* other CPUs run at preemption points */
	u32 steps;   /* up to RUN_CALLS */
	bool left_out[RUN_CALLS];
};

static void begin(struct run *run, struct conform *c, const struct script *script)
{
	*run = (struct run){ .c = c, .dice = { script->seed }, .nested = NESTED_MAX };
	draw_habits(run);
	if (script->nested)
		run->is.cpus = c->options.cpus;
	run->space = (struct iova_allocator_config){
		.granule_lg2 = run->is.granule_lg2,
		.start_pfn = run->is.start_pfn,
		.last_pfn = run->is.last_pfn,
		.repairs = c->options.repairs,
	};
}

/* False: run->judge.wrong says what is wrong, in step run->step or at the end. */
static bool play(struct run *run, struct conform *c, const struct script *script, FILE *log)
{
	struct iova_judge *judge = &run->judge;
	u64 before = iova_world_counts(c->world)->live_blocks, left;

	begin(run, c, script);
	if (iova_judge_begin(judge, c->ops, c->world, &run->space)) {
		judge->log = log;
		if (script->nested)
			iova_world_step(c->world, at_point, run);
		for (u32 i = 0; i < script->steps && !judge->wrong[0]; i++) {
			if (!script->left_out[i])
				step(run, script->seed, i);
		}
		iova_world_run_freely(c->world);
		if (!judge->wrong[0])
			iova_judge_tells(judge);
		if (!judge->wrong[0])
			iova_judge_drain(judge);
	}
	iova_world_set_cpu(c->world, 0);
	iova_judge_end(judge);
	left = iova_world_counts(c->world)->live_blocks - before;
	if (left)
		iova_judge_wrong(judge, "destroy leaves %llu pieces of memory", left);
	return !judge->wrong[0];
}

/* ---- What goes wrong, made short ------------------------------------------------------------- */

#define PATIENCE 500000 /* steps that are played to make others unnecessary */

/* Leaves out what it can: half of the steps, quarters, and so on, as long as something is wrong. */
static void shorten(struct conform *c, struct script *script)
{
	struct script *other = malloc(sizeof(*other));
	u64 played = 0;

	DMASIM_CONTRACT(other, "there is memory for the judge");
	for (u32 length = script->steps; length; length /= 2) {
		for (u32 first = 0; first < script->steps && played < PATIENCE; first += length) {
			struct run run;
			bool any = false;

			*other = *script;
			for (u32 i = first; i < first + length && i < script->steps; i++) {
				any |= !other->left_out[i];
				other->left_out[i] = true;
			}
			if (!any)
				continue;
			played += script->steps;
			if (!play(&run, c, other, NULL))
				*script = *other;
		}
	}
	free(other);
}

static bool explain(struct conform *c, struct script *script, const struct run *failed)
{
	char where[sizeof(failed->judge.wrong) + 64];
	char *text = NULL;
	struct run run;
	size_t size;
	FILE *log;

	snprintf(where, sizeof(where), "(in call %llu of the run: %s)\n", failed->judge.calls,
		 failed->judge.wrong);
	script->steps = failed->step + 1;
	shorten(c, script);
	log = open_memstream(&text, &size);
	play(&run, c, script, log);
	if (log)
		fclose(log);
	c->seed = script->seed;
	return conform_wrong_after(c, run.judge.wrong, where, &run.space, text);
}

struct sums {
	u64 calls, full, early, nested;
};

static bool one_run(struct conform *c, struct script *script, struct sums *sums)
{
	struct run run;

	script->steps = RUN_CALLS;
	if (!play(&run, c, script, NULL))
		return explain(c, script, &run);
	sums->calls += run.judge.calls;
	sums->full += run.judge.full;
	sums->early += run.judge.early;
	sums->nested += run.nested_calls;
	return true;
}

static bool all_runs(struct conform *c, bool nested, struct sums *sums)
{
	struct script *script = calloc(1, sizeof(*script));
	u32 runs = conform_scaled(c, RUNS);
	bool good = true;

	DMASIM_CONTRACT(script, "there is memory for the judge");
	script->nested = nested;
	for (u32 i = 0; good && i < runs; i++) {
		script->seed = c->options.seed + i;
		good = one_run(c, script, sums);
	}
	free(script);
	return good;
}

bool conform_check_random(struct conform *c)
{
	struct sums sums = { 0 };

	if (!all_runs(c, false, &sums))
		return false;
	conform_note(c, "%llu calls, %llu times full", sums.calls, sums.full);
	if (sums.early)
		conform_note(c, "%llu calls, %llu times full, %llu times failed early", sums.calls,
			     sums.full, sums.early);
	return true;
}

bool conform_check_cpus(struct conform *c)
{
	struct sums sums = { 0 };

	if (c->options.cpus < 2) {
		conform_note(c, "there is one CPU");
		return true;
	}
	if (!all_runs(c, true, &sums))
		return false;
	if (sums.nested)
		conform_note(c, "%llu calls, %llu of them at another CPU's point", sums.calls,
			     sums.nested);
	else
		conform_note(c, "it passes no preemption point");
	return true;
}
