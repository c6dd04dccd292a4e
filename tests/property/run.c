/* SPDX-License-Identifier: MIT */
#include "property/run.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	bool (*step)(struct run *run, struct dice *dice);
	const char *name;
	u32 weight;
	bool optional;
} operation[RUN_OPERATION_COUNT] = {
#define RUN_OPERATION(ID, name, weight, optional) { step_##name, #name, weight, optional },
	RUN_OPERATIONS(RUN_OPERATION)
#undef RUN_OPERATION
};

/* Each seed leaves out some operations: what is rare among all is common among few. */
static void choose_operations(struct run *run)
{
	struct dice dice = dice_of(run->seed, ~2ULL);
	bool all = dice_chance(&dice, 20);

	for (u32 i = 0; i < RUN_OPERATION_COUNT; i++) {
		bool off = operation[i].optional && !all && dice_chance(&dice, 35);

		run->weight[i] = off ? 0 : operation[i].weight;
	}
}

static u32 pick_operation(const struct run *run, struct dice *dice)
{
	u32 total = 0, at;

	for (u32 i = 0; i < RUN_OPERATION_COUNT; i++)
		total += run->weight[i];
	at = (u32)dice_below(dice, total);
	for (u32 i = 0;; i++) {
		if (at < run->weight[i])
			return i;
		at -= run->weight[i];
	}
}

/* All of memory is compared often, but a large one costs. */
static bool is_time_to_compare(const struct run *run)
{
	return run->step % (run->big ? 128 : 16) == 0;
}

static bool do_step(struct run *run)
{
	struct dice dice = dice_of(run->seed, run->step);
	u32 chosen = pick_operation(run, &dice);

	if (!operation[chosen].step(run, &dice)) {
		char why[sizeof(run->failure) - 64];

		memcpy(why, run->failure, sizeof(why));
		why[sizeof(why) - 1] = 0;
		return wrong(run, "%s: %s", operation[chosen].name, why);
	}
	return is_time_to_compare(run) ? memory_is_right(run, NULL) : true;
}

static bool do_script(struct run *run, const struct script *script)
{
	if (!machine_make(run, script->traced))
		return false;
	choose_operations(run);
	for (run->step = 0; run->step < script->steps; run->step++)
		if (!(script->skip && script->skip[run->step]) && !do_step(run))
			return false;
	return true;
}

void run_script(const struct script *script, struct outcome *outcome)
{
	struct run *run = calloc(1, sizeof(*run));

	*outcome = (struct outcome){ .wrong = true };
	if (!run) {
		snprintf(outcome->failure, sizeof(outcome->failure), "no memory");
		return;
	}
	run->seed = script->seed;
	run->log = script->log;
	outcome->wrong = !do_script(run, script);
	if (!outcome->wrong && script->traced)
		outcome->trace_hash = dmasim_trace_hash(run->s);
	if (!outcome->wrong)
		outcome->wrong = !machine_end(run);
	outcome->step = run->step;
	memcpy(outcome->failure, run->failure, sizeof(outcome->failure));
	dmasim_destroy(run->s);
	rig_trace_end(&run->trace);
	model_fini(&run->model);
	free(run);
}
