/* SPDX-License-Identifier: MIT */
#include "property/driver.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	bool (*step)(struct driver *driver, struct dice *dice);
	const char *name;
	u32 weight;
	bool optional;
} step_of[DRIVER_STEP_COUNT] = {
#define DRIVER_STEP(ID, name, weight, optional) { driver_##name, #name, weight, optional },
	DRIVER_STEPS(DRIVER_STEP)
#undef DRIVER_STEP
};

/* Each seed leaves out some steps: what is rare among all is common among few. */
void driver_choose_steps(struct driver *driver)
{
	struct dice dice = dice_of(driver->seed, ~2ULL);
	bool all = dice_chance(&dice, 40);

	for (u32 i = 0; i < DRIVER_STEP_COUNT; i++) {
		bool off = step_of[i].optional && !all && dice_chance(&dice, 30);

		driver->weight[i] = off ? 0 : step_of[i].weight;
	}
	if (driver->facts->peer_bus)
		driver->weight[DRIVER_BUS] *= 4;
}

static u32 pick_step(const struct driver *driver, struct dice *dice)
{
	u32 total = 0, at;

	for (u32 i = 0; i < DRIVER_STEP_COUNT; i++)
		total += driver->weight[i];
	at = (u32)dice_below(dice, total);
	for (u32 i = 0;; i++) {
		if (at < driver->weight[i])
			return i;
		at -= driver->weight[i];
	}
}

bool driver_step(struct driver *driver)
{
	struct dice dice = dice_of(driver->seed, driver->step);
	u32 chosen = pick_step(driver, &dice);
	char why[sizeof(driver->wrong) - 32];

	if (step_of[chosen].step(driver, &dice))
		return true;
	memcpy(why, driver->wrong, sizeof(why));
	why[sizeof(why) - 1] = 0;
	return driver_wrong(driver, "%s: %s", step_of[chosen].name, why);
}

static bool do_script(struct driver *driver, const struct driver_script *script)
{
	if (!driver_begin(driver))
		return false;
	for (driver->step = 0; driver->step < script->steps; driver->step++)
		if (!(script->skip && script->skip[driver->step]) && !driver_step(driver))
			return false;
	return driver_finish(driver);
}

void driver_run(const struct driver_script *script, struct driver_outcome *outcome)
{
	struct driver *driver = calloc(1, sizeof(*driver));

	*outcome = (struct driver_outcome){ .wrong = true };
	if (!driver) {
		snprintf(outcome->failure, sizeof(outcome->failure), "no memory");
		return;
	}
	driver->mode = script->mode;
	driver->seed = script->seed;
	driver->log = script->log;
	outcome->wrong = !do_script(driver, script);
	outcome->step = driver->step;
	outcome->calls = driver->calls;
	outcome->accesses = driver->accesses;
	memcpy(outcome->failure, driver->wrong, sizeof(outcome->failure));
	driver_destroy(driver);
	free(driver);
}
