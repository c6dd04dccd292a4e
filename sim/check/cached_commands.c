/* SPDX-License-Identifier: MIT */
/*
 * Commands as they are submitted, and executed.
 */
#include "check/cached_covers.h"

/* ---- What goes together ----------------------------------------------- */

static bool any_takes_both(const struct cached_pending_list *list, const struct cached_table *way,
			   const struct cached_leaf *leaf, const struct cached_table *table)
{
	const struct cached_pending *pending;

	STAILQ_FOREACH(pending, list, link) {
		const struct cached_command *command = &pending->command;

		if (cached_takes_table(command, way) &&
		    (leaf ? cached_covers_leaf(&command->what, leaf)
			  : cached_covers_table(&command->what, table)))
			return true;
	}
	return false;
}

bool cached_goes_with(struct cached *cached, const struct cached_table *way,
		      const struct cached_leaf *leaf, const struct cached_table *table)
{
	const struct cached_unit *unit = cached_unit_get(cached, way->domain->iommu);

	return unit && check_happened(way->until) &&
	       (any_takes_both(&unit->queued, way, leaf, table) ||
		any_takes_both(&unit->executed, way, leaf, table) ||
		any_takes_both(&unit->confirmed, way, leaf, table));
}

/* ---- Submitting and executing ----------------------------------------- */

/* The domains of a unit, one after the other; NULL: no more. */
static struct cached_domain *any_of_unit(struct cached *cached, const struct hw_iommu *iommu,
					 struct cached_domain *after)
{
	struct interval_tree *domains = &cached->domains;
	struct interval *at;

	at = after ? interval_next(domains, &after->at, 0, ~0ULL)
		   : interval_first(domains, 0, ~0ULL);
	while (at && ((struct cached_domain *)at)->iommu != iommu)
		at = interval_next(domains, at, 0, ~0ULL);
	return (struct cached_domain *)at;
}

struct cached_domain *cached_concerned(struct cached *cached, const struct hw_iommu *iommu,
				       const struct hw_invalidation *what,
				       struct cached_domain *after)
{
	struct cached_domain *domain;

	if (what->all_domains)
		return any_of_unit(cached, iommu, after);
	domain = after ? after->next : cached_domain_first(cached, what->domain);
	while (domain && (domain->iommu != iommu || !cached_is_tagged(domain, what)))
		domain = domain->next;
	return domain;
}

static inline bool any_holds(const struct cached_domain *domain, const struct hw_invalidation *what)
{
	return (!what->leaf_only && interval_first(&domain->tables, what->start, what->last)) ||
	       cached_any_holds(domain, what->start, what->last);
}

static inline void compare_window(struct cached *cached, struct cached_domain *domain,
				  const struct hw_invalidation *what, struct check_moment now)
{
	if (DMASIM_UNLIKELY(any_holds(domain, what)))
		cached_compare(cached, domain, what->start, what->last, now, false);
}

/* True if tables of any of them have ended. */
static DMASIM_NOINLINE bool compare_each(struct cached *cached, struct hw_iommu *iommu,
					 const struct hw_invalidation *what,
					 struct check_moment now)
{
	struct cached_domain *domain = NULL;
	bool any = false;

	while ((domain = cached_concerned(cached, iommu, what, domain))) {
		compare_window(cached, domain, what, now);
		any |= domain->ended_tables;
	}
	return any;
}

/*
 * What was changed by hand and not told has ended before the command, too. Only what holds can
 * have ended. True: it may be for tables that have ended.
 */
static inline bool compare_before(struct cached *cached, struct hw_iommu *iommu,
				  const struct hw_invalidation *what, struct check_moment now)
{
	struct cached_domain *only;

	if (DMASIM_UNLIKELY(what->what != HW_INVALIDATED_IOTLB))
		return false;
	only = cached_only_concerned(cached, iommu, what);
	if (DMASIM_UNLIKELY(!only))
		return compare_each(cached, iommu, what, now) && !what->leaf_only;
	compare_window(cached, only, what, now);
	return !what->leaf_only && only->ended_tables;
}

/* What is fetched only through tables that go by this command ends with them, if it goes by it. */
static void end_what_goes(struct cached *cached, struct hw_iommu *iommu,
			  const struct cached_command *command, struct check_moment now)
{
	const struct hw_invalidation *what = &command->what;
	struct cached_domain *domain = NULL;

	while ((domain = cached_concerned(cached, iommu, what, domain))) {
		u64 first = ~0ULL, end = 0;
		struct interval *at = NULL;

		if (domain->ended_tables)
			at = interval_first(&domain->tables, what->start, what->last);
		for (; at; at = interval_next(&domain->tables, at, what->start, what->last)) {
			if (!cached_takes_table(command, (struct cached_table *)at))
				continue;
			first = at->start < first ? at->start : first;
			end = at->last > end ? at->last : end;
		}
		if (first <= end)
			cached_compare(cached, domain, first, end, now, false);
	}
}

/* What has just been written in parts is not copied in larger ones: a host would wait for it. */
static void set_command(struct cached_command *command, const struct hw_invalidation *what,
			u64 place, struct check_moment submitted)
{
	command->what = *what;
	command->place = place;
	command->submitted.order = submitted.order;
	command->submitted.ns = submitted.ns;
	command->waited = CHECK_NEVER;
}

DMASIM_HOT void cached_submitted(struct cached *cached, struct hw_iommu *iommu,
				 const struct hw_invalidation *what)
{
	struct cached_unit *unit = cached_unit_get(cached, iommu);
	struct check_moment now = check_now(&cached->clock);
	bool for_tables = compare_before(cached, iommu, what, now);
	struct cached_pending *pending;

	pending = DMASIM_LIKELY(unit != NULL) ? cached_pending_new(cached, unit) : NULL;
	if (DMASIM_UNLIKELY(!pending))
		return;
	set_command(&pending->command, what, unit->commands, check_now(&cached->clock));
	cached->clock.commanded = cached->clock.order;
	pending->listed = true;
	STAILQ_INSERT_TAIL(&unit->queued, pending, link);
	if (DMASIM_UNLIKELY(for_tables))
		end_what_goes(cached, iommu, &pending->command, now);
}

static inline bool is_command(const struct cached_pending *pending,
			      const struct hw_invalidation *what)
{
	return DMASIM_LIKELY(pending->command.what.number == what->number) &&
	       DMASIM_LIKELY(pending->command.what.what == what->what);
}

static DMASIM_NOINLINE void executed_out_of_order(struct cached_unit *unit,
						  const struct hw_invalidation *what)
{
	struct cached_pending *pending;

	STAILQ_FOREACH(pending, &unit->queued, link) {
		if (is_command(pending, what))
			break;
	}
	if (!pending)
		return;
	STAILQ_REMOVE(&unit->queued, pending, cached_pending, link);
	STAILQ_INSERT_TAIL(&unit->executed, pending, link);
}

DMASIM_HOT void cached_executed(struct cached *cached, struct hw_iommu *iommu,
				const struct hw_invalidation *what)
{
	struct cached_unit *unit = cached_unit_get(cached, iommu);
	struct cached_pending *pending;

	if (DMASIM_UNLIKELY(!unit))
		return;
	/* Mostly they are executed as they come: then it is the first, and all. */
	pending = STAILQ_FIRST(&unit->queued);
	if (DMASIM_LIKELY(pending && is_command(pending, what)) &&
	    DMASIM_LIKELY(!STAILQ_NEXT(pending, link)))
		STAILQ_CONCAT(&unit->executed, &unit->queued);
	else
		executed_out_of_order(unit, what);
}
