/* SPDX-License-Identifier: MIT */
/*
 * Waits: what the commands before them take out of the set.
 */
#include "check/cached_covers.h"

/* A wait that is over: the commands that it confirms. */
struct confirmation {
	struct cached *cached;
	struct hw_iommu *iommu;
	struct cached_unit *unit;
	u64 wait; /* its number */
	struct check_moment now;
};

/* ---- Tables ----------------------------------------------------------- */

/* Takes out the tables that cannot be cached any more. True: any, within [*first, *end]. */
static bool drop_tables(struct cached *cached, struct cached_domain *domain,
			const struct cached_command *command, u64 *first, u64 *end)
{
	u64 start = command->what.start, last = command->what.last;
	struct interval *at = interval_first(&domain->tables, start, last);
	bool any = false;

	while (at) {
		struct cached_table *table = (struct cached_table *)at;

		at = interval_next(&domain->tables, at, start, last);
		if (!cached_takes_table(command, table))
			continue;
		*first = table->at.start < *first ? table->at.start : *first;
		*end = table->at.last > *end ? table->at.last : *end;
		cached_table_drop(cached, table);
		any = true;
	}
	return any;
}

/* What they led to, and no command dropped with them, has ended only now. */
static void confirm_tables(struct confirmation *confirmation, struct cached_domain *domain)
{
	struct cached_pending *pending;
	u64 first = ~0ULL, end = 0;
	bool any = false;

	STAILQ_FOREACH(pending, &confirmation->unit->confirmed, link)
		any |= drop_tables(confirmation->cached, domain, &pending->command, &first, &end);
	if (any)
		cached_compare(confirmation->cached, domain, first, end, confirmation->now, false);
}

/* ---- Pages ------------------------------------------------------------ */

/*
 * The number from which on commands for device TLBs take effect after this one: what stands behind
 * it, or where they overtake, behind the wait.
 */
static u64 devices_after(const struct confirmation *confirmation, u64 number)
{
	return confirmation->iommu->arch->devices_overtake ? confirmation->wait : number;
}

/* True if all leaves of the domain have ended before the command, which spares none. */
static bool takes_all_leaves(const struct cached_domain *domain,
			     const struct cached_command *command)
{
	const struct hw_invalidation *what = &command->what;

	return what->last == ~0ULL && !what->start && !domain->holding &&
	       domain->ended_last < command->submitted.order && !what->leaf_only &&
	       !what->only_level && !domain->iommu->walker.device_tlb;
}

/* A flush of many: they need not be found one after the other, nor the tree be kept in order. */
static void drop_all_leaves(struct cached *cached, struct cached_domain *domain)
{
	struct interval *at = interval_clear_tree(&domain->leaves);

	while (at) {
		struct cached_leaf *leaf = (struct cached_leaf *)at;

		at = interval_clear_next(at);
		if (!leaf->absent)
			cached_note_windows(cached, leaf->until, 1);
		cached_leaf_forget_ended(cached, leaf);
		cached_leaf_free(cached, leaf);
	}
}

static DMASIM_NOINLINE void confirm_each_leaf(const struct confirmation *confirmation,
					      struct cached_domain *domain,
					      const struct cached_command *command)
{
	u64 start = command->what.start, last = command->what.last;
	struct cached *cached = confirmation->cached;
	struct interval *at = interval_first(&domain->leaves, start, last);

	while (at) {
		struct cached_leaf *leaf = (struct cached_leaf *)at;

		at = interval_next(&domain->leaves, at, start, last);
		if (!cached_is_for_leaf(&command->what, leaf) ||
		    !check_before(leaf->until, command->submitted))
			continue;
		leaf = cached_pages_take(cached, leaf, start, last);
		if (!leaf)
			return;
		if (!leaf->absent)
			cached_note_windows(cached, leaf->until, 1);
		if (leaf->domain->iommu->walker.device_tlb)
			cached_devices_keep(cached, leaf, command,
					    devices_after(confirmation, command->what.number),
					    confirmation->now);
		cached_leaf_free(cached, leaf);
	}
}

static inline void confirm_leaves(const struct confirmation *confirmation,
				  struct cached_domain *domain,
				  const struct cached_command *command)
{
	const struct hw_invalidation *what = &command->what;
	struct cached *cached = confirmation->cached;

	/* What devices keep is known by leaves. */
	if (DMASIM_UNLIKELY(confirmation->iommu->walker.device_tlb))
		cached_pages_spread_ended(cached, domain, what->start, what->last);
	else if (DMASIM_LIKELY(!cached_leaves_page(what, CACHED_PAGE_LG2)))
		cached_pages_cover(cached, domain, command);
	if (DMASIM_UNLIKELY(takes_all_leaves(domain, command)))
		drop_all_leaves(cached, domain);
	if (cached->ended)
		confirm_each_leaf(confirmation, domain, command);
}

/* ---- Waits ------------------------------------------------------------ */

struct losing {
	struct confirmation *confirmation;
	const struct cached_command *command;
	struct check_moment when;
};

/*
 * A command for a device TLB waits for those for the IOTLB before it, and these for those for
 * contexts, if the unit has them so. The number from which on one takes effect after the context's.
 */
static u64 in_order_after(const struct confirmation *confirmation,
			  const struct cached_command *command)
{
	const struct cached_pending *pending;
	u64 number = ~0ULL;

	STAILQ_FOREACH(pending, &confirmation->unit->confirmed, link) {
		const struct hw_invalidation *what = &pending->command.what;

		if (what->what == HW_INVALIDATED_IOTLB && what->number >= command->what.number &&
		    what->number < number &&
		    (confirmation->iommu->arch->contexts_first ||
		     what->number == command->what.number))
			number = what->number;
	}
	return devices_after(confirmation, number);
}

static void lost_context(void *cookie, const struct cached_context *context)
{
	u32 id = (u32)context->by_domain.start;
	struct losing *losing = cookie;
	struct confirmation *confirmation = losing->confirmation;
	struct cached_domain *domain =
		cached_domain_find(confirmation->cached, confirmation->iommu, id);

	cached_device_lost(confirmation->cached, context, losing->command,
			   in_order_after(confirmation, losing->command), confirmation->now);
	if (domain && cached_find_sources(confirmation->cached, domain))
		cached_compare(confirmation->cached, domain, 0, ~0ULL, losing->when, false);
}

/* True if the command empties the IOTLB, too. */
static bool has_iotlb(const struct confirmation *confirmation, const struct cached_command *command)
{
	const struct cached_pending *pending;

	STAILQ_FOREACH(pending, &confirmation->unit->confirmed, link) {
		if (pending->command.what.what == HW_INVALIDATED_IOTLB &&
		    pending->command.what.number == command->what.number)
			return true;
	}
	return false;
}

/*
 * What a context led to ends with it: for the commands behind it, if the unit has them wait for it,
 * or else for what is submitted after this wait.
 */
static void confirm_contexts(struct confirmation *confirmation,
			     const struct cached_command *command)
{
	struct losing losing = { confirmation, command, command->submitted };

	if (!confirmation->iommu->arch->contexts_first && !has_iotlb(confirmation, command))
		losing.when = check_now(&confirmation->cached->clock);

	cached_contexts_invalidated(&confirmation->cached->contexts, confirmation->iommu, command,
				    lost_context, &losing);
}

static inline void confirm_domain(struct confirmation *confirmation, struct cached_domain *domain,
				  const struct cached_command *command)
{
	if (DMASIM_UNLIKELY(domain->ended_tables))
		confirm_tables(confirmation, domain);
	confirm_leaves(confirmation, domain, command);
}

static DMASIM_NOINLINE void confirm_each(struct confirmation *confirmation,
					 const struct cached_command *command)
{
	struct cached_domain *domain = NULL;

	while ((domain = cached_concerned(confirmation->cached, confirmation->iommu, &command->what,
					  domain)))
		confirm_domain(confirmation, domain, command);
}

DMASIM_HOT static void confirm_kind(struct confirmation *confirmation, enum hw_invalidated kind,
				    const struct cached_command *command)
{
	struct cached_domain *only;

	if (DMASIM_UNLIKELY(command->what.what != kind))
		return;
	if (DMASIM_UNLIKELY(kind == HW_INVALIDATED_CONTEXT)) {
		confirm_contexts(confirmation, command);
	} else if (DMASIM_UNLIKELY(kind == HW_INVALIDATED_DEVICE_TLB)) {
		cached_device_invalidated(confirmation->cached, confirmation->iommu, command);
	} else {
		only = cached_only_concerned(confirmation->cached, confirmation->iommu,
					     &command->what);
		if (DMASIM_LIKELY(only != NULL))
			confirm_domain(confirmation, only, command);
		else
			confirm_each(confirmation, command);
	}
}

static void confirm(struct confirmation *confirmation)
{
	static const enum hw_invalidated order[] = { HW_INVALIDATED_CONTEXT, HW_INVALIDATED_IOTLB,
						     HW_INVALIDATED_DEVICE_TLB };
	struct cached_pending_list *list = &confirmation->unit->confirmed;
	struct cached_pending *pending = STAILQ_FIRST(list);

	/* Most waits are for one. */
	if (DMASIM_LIKELY(pending && !STAILQ_NEXT(pending, link))) {
		confirm_kind(confirmation, pending->command.what.what, &pending->command);
		return;
	}
	for (u32 i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		STAILQ_FOREACH(pending, list, link)
			confirm_kind(confirmation, order[i], &pending->command);
	}
}

/* As they were submitted: of two for the same, the first counts. */
static void insert_in_place(struct cached_pending_list *list, struct cached_pending *pending)
{
	struct cached_pending *at, *before = NULL;

	STAILQ_FOREACH(at, list, link) {
		if (at->command.place < pending->command.place)
			before = at;
	}
	if (before)
		STAILQ_INSERT_AFTER(list, before, pending, link);
	else
		STAILQ_INSERT_HEAD(list, pending, link);
}

static void take_some_executed(struct cached_unit *unit, u64 number)
{
	struct cached_pending *pending = STAILQ_FIRST(&unit->executed);

	while (pending) {
		struct cached_pending *next = STAILQ_NEXT(pending, link);

		if (pending->command.what.number < number) {
			STAILQ_REMOVE(&unit->executed, pending, cached_pending, link);
			insert_in_place(&unit->confirmed, pending);
		}
		pending = next;
	}
}

/* Those with lower numbers that were executed: mostly one, which is all. */
static inline void take_executed(struct cached_unit *unit, u64 number)
{
	struct cached_pending *first = STAILQ_FIRST(&unit->executed);

	if (DMASIM_LIKELY(first && !STAILQ_NEXT(first, link) &&
			  first->command.what.number < number))
		STAILQ_CONCAT(&unit->confirmed, &unit->executed);
	else
		take_some_executed(unit, number);
}

/* What stands before a wait that is over and was not executed was given up. True: any. */
static DMASIM_NOINLINE bool forget_queued(struct cached *cached, struct cached_unit *unit,
					  u64 number)
{
	struct cached_pending *pending = STAILQ_FIRST(&unit->queued);
	bool any = false;

	while (pending) {
		struct cached_pending *next = STAILQ_NEXT(pending, link);

		if (pending->command.what.number < number) {
			any = true;
			STAILQ_REMOVE(&unit->queued, pending, cached_pending, link);
			cached_pending_end(cached, pending);
		}
		pending = next;
	}
	return any;
}

static inline void end_confirmed(struct cached *cached, struct cached_unit *unit,
				 struct check_moment now)
{
	struct cached_pending *pending = STAILQ_FIRST(&unit->confirmed), *next;

	STAILQ_INIT(&unit->confirmed);
	for (; pending; pending = next) {
		next = STAILQ_NEXT(pending, link);
		pending->command.waited = now;
		cached_pending_end(cached, pending);
	}
}

/* What would have gone by commands that were given up is fetched on. */
static void compare_all(struct cached *cached, const struct hw_iommu *iommu,
			struct check_moment now)
{
	const struct hw_invalidation all = { .all_domains = true };
	struct cached_domain *domain = NULL;

	while ((domain = cached_concerned(cached, iommu, &all, domain)))
		cached_compare(cached, domain, 0, ~0ULL, now, false);
}

DMASIM_HOT void cached_waited(struct cached *cached, struct hw_iommu *iommu, u64 number)
{
	struct cached_unit *unit = cached_unit_get(cached, iommu);
	const struct check_moment now = check_now(&cached->clock);
	struct confirmation confirmation = {
		.cached = cached,
		.iommu = iommu,
		.unit = unit,
		.wait = number,
		.now = now,
	};

	if (DMASIM_UNLIKELY(!unit))
		return;
	take_executed(unit, number);
	if (DMASIM_UNLIKELY(!STAILQ_EMPTY(&unit->queued)) && forget_queued(cached, unit, number))
		compare_all(cached, iommu, now);
	confirm(&confirmation);
	end_confirmed(cached, unit, now);
	cached->clock.commanded = now.order;
}
