/* SPDX-License-Identifier: MIT */
#include "world/world.h"

void world_init(struct world *world, const struct world_config *config)
{
	world->seed = config->seed;
	world->program = config->program;
	world->random_choices = config->random_choices;
	clock_init(&world->clock);
	random_init(&world->random, config->seed);
	memory_init(&world->memory);
	trace_init(&world->trace, &world->clock, config->trace_file, config->trace);
	reports_init(&world->reports, &world->memory);
	world->schedule = NULL;
	world->choices = NULL;
	for (int i = 0; i < DMASIM_POINT_COUNT; i++)
		world->points[i] = 0;
}

void world_fini(struct world *world)
{
	clock_fini(&world->clock);
	memory_fini(&world->memory);
}

/* An explorer that is at its end, or that can take no more answers, gets the plain run. */
static u64 explored(const struct schedule_chooser *choices, u64 answers)
{
	u32 chosen;

	if (answers > SCHEDULE_TASKS_MAX)
		return 0;
	chosen = choices->choose(choices->context, (1U << answers) - 1, SCHEDULE_NOBODY);
	return chosen == SCHEDULE_NOBODY ? 0 : chosen;
}

DMASIM_HOT u64 world_choose(struct world *world, u64 answers)
{
	if (answers < 2)
		return 0;
	if (world->choices)
		return explored(world->choices, answers);
	if (!world->random_choices)
		return 0;
	return random_below(&world->random, answers);
}
