/* SPDX-License-Identifier: MIT */
/*
 * Memory: what an allocator takes, when, and what it does without.
 */
#include "workbench/conform.h"

#include <string.h>

#include "workbench/iova_dice.h"

/* Live, cached, freed and reserved ranges, on all CPUs. */
static void mess(struct conform *c)
{
	conform_reserve(c, 2000, 2100);
	for (u64 i = 0; i < 2000; i++) {
		u32 how = i % 3 ? IOVA_CACHE : 0;
		u64 pages = 1 + i % 9, pfn;

		iova_world_set_cpu(c->world, (u32)i % c->options.cpus);
		pfn = conform_alloc(c, pages, 1ULL << 19, iova_natural(pages) | how);
		if (i % 8 && pfn != IOVA_NO_PFN)
			conform_free(c, pfn, pages, how);
	}
	iova_world_set_cpu(c->world, 0);
}

static bool nothing_left(struct conform *c, const char *when)
{
	const struct iova_world_counts *counts = iova_world_counts(c->world);

	if (counts->live_blocks)
		return conform_wrong(c, "%llu pieces of memory, %llu bytes, are left after %s",
				     counts->live_blocks, counts->live_bytes, when);
	if (counts->pending_timers)
		return conform_wrong(c, "%llu timers are pending after %s", counts->pending_timers,
				     when);
	return true;
}

bool conform_check_leaves_nothing(struct conform *c)
{
	u64 last = conform_last(c, (1ULL << 36) - 1);
	u64 nth, failures = 1;

	if (!conform_start(c, 1, last))
		return false;
	conform_end(c);
	if (!nothing_left(c, "create and destroy"))
		return false;
	if (!conform_start(c, 1, last))
		return false;
	mess(c);
	conform_end(c);
	if (!nothing_left(c, "destroy with live, cached and reserved ranges"))
		return false;
	/* create itself, at each of its allocations. */
	for (nth = 1; failures && nth < 1000; nth++) {
		bool made;

		iova_world_fail(c->world, DMASIM_FAULT_ANY, nth);
		made = conform_start(c, 1, last);
		failures = iova_world_counts(c->world)->failures;
		iova_world_fail(c->world, DMASIM_FAULT_ANY, 0);
		conform_end(c);
		if (!made && !failures)
			return false;
		if (!nothing_left(c, "a create that finds no memory"))
			return false;
	}
	c->reason[0] = '\0';
	return true;
}

/* The same work again and again: after some rounds it needs no more memory. */
bool conform_check_steady(struct conform *c)
{
	u64 after = 0, now = 0;

	if (!conform_start(c, 1, conform_last(c, (1ULL << 36) - 1)))
		return false;
	for (u32 round = 0; round < 600; round++) {
		u64 pfn[32];

		for (u64 i = 0; i < 32; i++)
			pfn[i] = conform_alloc(c, 1 + i, CONFORM_NO_LIMIT,
					       iova_natural(1 + i) | (i % 2 ? IOVA_CACHE : 0));
		for (u64 i = 0; i < 32; i++) {
			if (pfn[i] != IOVA_NO_PFN)
				conform_free(c, pfn[i], 1 + i, i % 2 ? IOVA_CACHE : 0);
		}
		iova_world_advance(c->world, 10 * 1000 * 1000);
		now = iova_world_counts(c->world)->live_bytes;
		if (round == 300)
			after = now;
	}
	return now <= after || conform_wrong(c,
					     "%llu bytes after 300 rounds of the same, %llu after "
					     "600",
					     after, now);
}

/* ---- Freeing --------------------------------------------------------------------------------- */

static u64 allocations(const struct conform *c)
{
	return iova_world_counts(c->world)->allocations;
}

/* Frees all of them, on other CPUs than they came from. Returns how many frees took memory. */
static u32 count_takers(struct conform *c, const u64 *pfn, u32 count, u32 how)
{
	u32 takers = 0;

	for (u32 i = 0; i < count; i++) {
		u64 before = allocations(c);

		if (pfn[i] == IOVA_NO_PFN)
			continue;
		iova_world_set_cpu(c->world, (i / 400) % c->options.cpus);
		conform_free(c, pfn[i], 1 + i % 33, how);
		takers += allocations(c) != before;
	}
	iova_world_set_cpu(c->world, 0);
	return takers;
}

#define MANY 3000 /* enough for a CPU's cache to overflow */

bool conform_check_free_takes_none(struct conform *c)
{
	u32 takers[2] = { 0, 0 };

	if (!conform_start(c, 1, conform_last(c, (1ULL << 36) - 1)))
		return false;
	for (u32 cached = 0; cached < 2; cached++) {
		u32 how = cached ? IOVA_CACHE : 0;
		u64 pfn[MANY];

		for (u64 i = 0; i < MANY; i++)
			pfn[i] = conform_alloc(c, 1 + i % 33, CONFORM_NO_LIMIT,
					       iova_natural(1 + i % 33) | how);
		takers[cached] = count_takers(c, pfn, MANY, how);
	}
	if (!takers[0] && !takers[1])
		return true;
	if (!conform_has(c, IOVA_FREE_ALLOCATES))
		return conform_wrong(c, "of %u frees %u take memory; with IOVA_CACHE %u do", MANY,
				     takers[0], takers[1]);
	conform_note(c, "IOVA_FREE_ALLOCATES: of %u frees %u do; with IOVA_CACHE %u do", MANY,
		     takers[0], takers[1]);
	return true;
}

/* ---- No memory, at each allocation ----------------------------------------------------------- */

#define RESERVATIONS 4 /* the first calls */
#define STEPS	     160
#define NTH_MAX	     2000 /* whoever takes more memory for STEPS calls is stopped */

struct script {
	u32 cache;    /* IOVA_CACHE: half of the calls go through the caches */
	u64 nth;      /* this allocation of memory fails; 0: none */
	u32 without;  /* this step is left out; STEPS: none is */
	u64 failures; /* of memory, that were seen */
	u32 failed;   /* the step that saw it */
	u64 answers[STEPS];
};

static u64 step(struct iova_judge *judge, struct script *script, u32 number, struct iova_dice *dice)
{
	u64 what = iova_dice_below(dice, 10), pages = 1 + iova_dice_below(dice, 20);
	u64 limit = 40 + iova_dice_below(dice, 400), which = iova_dice_next(dice);
	u32 how = which % 2 ? script->cache : 0;

	if (number == script->without)
		return 0;
	if (script->cache)
		iova_world_set_cpu(judge->world, (u32)(which / 2) % iova_world_cpus(judge->world));
	if (number < RESERVATIONS)
		return iova_judge_reserve(judge, limit, limit + pages) == 0;
	if (what < 6)
		return iova_judge_alloc(judge, pages, limit,
					iova_natural(pages) | how | (what ? 0 : IOVA_FLUSH));
	if (judge->model.live.count)
		iova_judge_free(judge, (u32)(which % judge->model.live.count));
	return 0;
}

static bool play(struct conform *c, struct script *script)
{
	const struct iova_allocator_config space = {
		.granule_lg2 = 12,
		.start_pfn = 1,
		.last_pfn = 400,
		.repairs = c->options.repairs,
	};
	struct iova_dice dice = { c->seed };
	struct iova_judge judge;

	script->failed = STEPS;
	script->failures = 0;
	if (iova_judge_begin(&judge, c->ops, c->world, &space)) {
		iova_world_fail(c->world, DMASIM_FAULT_ANY, script->nth);
		for (u32 i = 0; i < STEPS && !judge.wrong[0]; i++) {
			script->answers[i] = step(&judge, script, i, &dice);
			if (!script->failures && iova_world_counts(c->world)->failures)
				script->failed = i;
			script->failures = iova_world_counts(c->world)->failures;
		}
		iova_world_fail(c->world, DMASIM_FAULT_ANY, 0);
		iova_world_set_cpu(c->world, 0);
		if (!judge.wrong[0])
			iova_judge_tells(&judge);
		if (!judge.wrong[0])
			iova_judge_drain(&judge);
	}
	if (judge.wrong[0])
		conform_wrong(c, "allocation %llu of memory fails: %s", script->nth, judge.wrong);
	iova_judge_end(&judge);
	return !judge.wrong[0] && nothing_left(c, "destroy, when memory was short");
}

/* The call that found no memory might as well not have been made: the others answer the same. */
static bool nothing_changed(struct conform *c, const struct script *failed)
{
	struct script twin = { .without = failed->failed };

	if (!play(c, &twin))
		return false;
	for (u32 i = 0; i < STEPS; i++) {
		if (i == failed->failed || twin.answers[i] == failed->answers[i])
			continue;
		return conform_wrong(c,
				     "call %u finds no memory; call %u then answers 0x%llx, and "
				     "without call %u it answers 0x%llx",
				     failed->failed, i, failed->answers[i], failed->failed,
				     twin.answers[i]);
	}
	return true;
}

/* Whether the step was one that answers with a failure. */
static bool refused(const struct script *script)
{
	u64 answer = script->failed < STEPS ? script->answers[script->failed] : 0;

	return answer == IOVA_NO_PFN || (script->failed < RESERVATIONS && !answer);
}

bool conform_check_no_memory(struct conform *c)
{
	struct script script = { .without = STEPS };
	u64 sweeps = 0;

	for (u32 cache = 0; cache <= IOVA_CACHE; cache += IOVA_CACHE) {
		script.cache = cache;
		script.failures = 1;
		for (script.nth = 1; script.failures && script.nth < NTH_MAX; script.nth++) {
			if (!play(c, &script))
				return false;
			sweeps += script.failures;
			/* Caches may have been emptied by the call that failed. */
			if (cache || !refused(&script) || conform_has(c, IOVA_LOOSE_RESERVE))
				continue;
			if (!nothing_changed(c, &script))
				return false;
		}
	}
	conform_note(c, "%llu allocations of memory failed", sweeps);
	return true;
}
