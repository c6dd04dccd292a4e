/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "property/caching.h"

#define BEGINNING 16 /* steps */

static const struct {
	bool (*step)(struct caching_run *run, struct dice *dice);
	const char *name;
	u32 weight;
	bool optional;
} step_of[CACHING_STEP_COUNT] = {
#define CACHING_ROW(id, name, weight, optional) { caching_step_##name, #name, weight, optional },
	CACHING_STEP_LIST(CACHING_ROW)
#undef CACHING_ROW
};

/* Each seed leaves out some steps, and makes mistakes often, rarely or never. */
static void choose_steps(struct caching_run *run)
{
	static const u32 mistakes[] = { 0, 10, 30, 60 };
	struct dice dice = dice_of(run->seed, ~1ULL);
	bool all = dice_chance(&dice, 30);

	run->mistakes = mistakes[dice_below(&dice, 4)];
	for (u32 i = 0; i < CACHING_STEP_COUNT; i++) {
		bool off = step_of[i].optional && !all && dice_chance(&dice, 30);

		run->weight[i] = off ? 0 : step_of[i].weight;
	}
}

/* First there must be something; then anything. */
static u32 pick_step(const struct caching_run *run, struct dice *dice)
{
	u32 total = 0, at;

	if (run->step < BEGINNING)
		return dice_chance(dice, 40) ? CACHING_ALLOC : CACHING_MAP;
	for (u32 i = 0; i < CACHING_STEP_COUNT; i++)
		total += run->weight[i];
	at = (u32)dice_below(dice, total);
	for (u32 i = 0;; i++) {
		if (at < run->weight[i])
			return i;
		at -= run->weight[i];
	}
}

static bool do_script(struct caching_run *run, const struct caching_script *script)
{
	if (!caching_make(run, script->flaw, script->first_stage))
		return false;
	choose_steps(run);
	for (run->step = 0; run->step < script->steps; run->step++) {
		struct dice dice = dice_of(run->seed, run->step);
		u32 chosen = pick_step(run, &dice);

		if (script->skip && script->skip[run->step])
			continue;
		run->counts->steps++;
		if (!step_of[chosen].step(run, &dice) || !caching_no_report(run))
			return false;
	}
	run->counts->scripts++;
	run->counts->first += run->model.arch == PLAIN_VTD_FIRST;
	return true;
}

void caching_run_script(const struct caching_script *script, struct caching_outcome *outcome)
{
	struct caching_run *run = calloc(1, sizeof(*run));

	*outcome = (struct caching_outcome){ .wrong = true };
	if (!run) {
		snprintf(outcome->failure, sizeof(outcome->failure), "no memory");
		return;
	}
	run->seed = script->seed;
	run->log = script->log;
	run->counts = script->counts;
	outcome->wrong = !do_script(run, script);
	if (!caching_end(run))
		outcome->wrong = true;
	if (dmasim_destroy(run->s) && !outcome->wrong)
		outcome->wrong = !caching_wrong(run, "the machine leaked");
	outcome->step = run->step;
	memcpy(outcome->failure, run->failure, sizeof(outcome->failure));
	free(run);
}
