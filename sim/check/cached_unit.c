/* SPDX-License-Identifier: MIT */
/*
 * Units: the commands that each was given.
 */
#include "check/cached_inside.h"

struct cached_unit *cached_unit_search(struct cached *cached, struct hw_iommu *iommu)
{
	struct cached_unit *unit;

	SLIST_FOREACH(unit, &cached->units, link) {
		if (unit->iommu == iommu)
			return unit;
	}
	unit = cached_record(cached, sizeof(*unit));
	if (!unit)
		return NULL;
	unit->iommu = iommu;
	STAILQ_INIT(&unit->queued);
	STAILQ_INIT(&unit->executed);
	STAILQ_INIT(&unit->confirmed);
	SLIST_INSERT_HEAD(&cached->units, unit, link);
	return unit;
}

static bool replace(struct cached_pending_list *list, struct cached_pending *old,
		    struct cached_pending *by)
{
	struct cached_pending *at;

	STAILQ_FOREACH(at, list, link) {
		if (at != old)
			continue;
		STAILQ_INSERT_AFTER(list, old, by, link);
		STAILQ_REMOVE(list, old, cached_pending, link);
		return true;
	}
	return false;
}

bool cached_pending_move_aside(struct cached *cached, struct cached_unit *unit,
			       struct cached_pending *pending)
{
	struct cached_pending *aside = cached_record(cached, sizeof(*aside));

	if (!aside)
		return false;
	*aside = *pending;
	aside->aside = true;
	/* Between waits none is in the list of those that are confirmed. */
	return replace(&unit->queued, pending, aside) || replace(&unit->executed, pending, aside);
}

void cached_pending_free(struct cached *cached, struct cached_pending *pending)
{
	memory_free(&cached->world->memory, pending);
}

static void drop_all(struct cached *cached, struct cached_pending_list *list)
{
	while (!STAILQ_EMPTY(list)) {
		struct cached_pending *pending = STAILQ_FIRST(list);

		STAILQ_REMOVE_HEAD(list, link);
		cached_pending_end(cached, pending);
	}
}

void cached_units_fini(struct cached *cached)
{
	while (!SLIST_EMPTY(&cached->units)) {
		struct cached_unit *unit = SLIST_FIRST(&cached->units);

		SLIST_REMOVE_HEAD(&cached->units, link);
		drop_all(cached, &unit->queued);
		drop_all(cached, &unit->executed);
		drop_all(cached, &unit->confirmed);
		memory_free(&cached->world->memory, unit);
	}
}
