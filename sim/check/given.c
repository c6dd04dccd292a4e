/* SPDX-License-Identifier: MIT */
#include "check/given.h"

void givens_init(struct givens *givens, struct world *world, bool *blind)
{
	*givens = (struct givens){ .world = world, .blind = blind };
	interval_tree_init(&givens->tree);
	TAILQ_INIT(&givens->over);
}

static struct given *first_of(const struct givens *givens, u64 start, u64 last)
{
	return (struct given *)(void *)interval_first(&givens->tree, start, last);
}

static void drop(struct givens *givens, struct given *given)
{
	interval_remove(&givens->tree, &given->at);
	if (given->is_over) {
		TAILQ_REMOVE(&givens->over, given, returned);
		givens->over_count--;
	}
	memory_free(&givens->world->memory, given);
}

void givens_fini(struct givens *givens)
{
	struct interval *at;

	while ((at = interval_any(&givens->tree)))
		drop(givens, (struct given *)(void *)at);
}

void givens_add(struct givens *givens, const struct dmasim_event *event)
{
	u64 last = event->phys + event->size - 1;
	struct given *given;

	while ((given = first_of(givens, event->phys, last)))
		drop(givens, given);
	given = memory_alloc(&givens->world->memory, DMASIM_FAULT_CHECK_RECORD, sizeof(*given));
	if (!given) {
		*givens->blind = true;
		return;
	}
	given->at.start = event->phys;
	given->at.last = last;
	interval_insert(&givens->tree, &given->at);
}

void givens_end(struct givens *givens, const struct dmasim_event *event)
{
	struct given *given = first_of(givens, event->phys, event->phys);

	if (!given || given->is_over)
		return;
	given->is_over = true;
	TAILQ_INSERT_TAIL(&givens->over, given, returned);
	if (++givens->over_count > GIVEN_OVER_MAX)
		drop(givens, TAILQ_FIRST(&givens->over));
}

bool givens_came_back(const struct givens *givens, u64 phys, u64 last, u64 *first)
{
	const struct given *given = first_of(givens, phys, last);

	while (given && !given->is_over)
		given = (const struct given *)(const void *)interval_next(&givens->tree, &given->at,
									  phys, last);
	if (given)
		*first = given->at.start > phys ? given->at.start : phys;
	return given != NULL;
}
