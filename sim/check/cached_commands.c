/* SPDX-License-Identifier: MIT */
/*
 * Commands: what a completed invalidation takes out of the set.
 */
#include "check/cached_inside.h"

/* ---- Units ------------------------------------------------------------ */

static struct cached_unit *unit_get(struct cached *cached, struct hw_iommu *iommu)
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
	SLIST_INSERT_HEAD(&cached->units, unit, link);
	return unit;
}

static struct cached_pending *pending_new(struct cached *cached, struct cached_unit *unit)
{
	struct cached_pending *pending = unit->spare;

	unit->spare = NULL;
	return pending ? pending : cached_record(cached, sizeof(*pending));
}

static void pending_free(struct cached *cached, struct cached_unit *unit,
			 struct cached_pending *pending)
{
	memory_free(&cached->world->memory, unit->spare);
	unit->spare = pending;
}

static void drop_all(struct cached *cached, struct cached_pending_list *list)
{
	while (!STAILQ_EMPTY(list)) {
		struct cached_pending *pending = STAILQ_FIRST(list);

		STAILQ_REMOVE_HEAD(list, link);
		memory_free(&cached->world->memory, pending);
	}
}

void cached_units_fini(struct cached *cached)
{
	while (!SLIST_EMPTY(&cached->units)) {
		struct cached_unit *unit = SLIST_FIRST(&cached->units);

		SLIST_REMOVE_HEAD(&cached->units, link);
		drop_all(cached, &unit->queued);
		drop_all(cached, &unit->executed);
		memory_free(&cached->world->memory, unit->spare);
		memory_free(&cached->world->memory, unit);
	}
}

static struct cached_command *in_history(struct cached_unit *unit, u64 place)
{
	if (place + CACHED_HISTORY <= unit->commands)
		return NULL;
	return &unit->history[(place - 1) % CACHED_HISTORY];
}

/* ---- Submitting and executing ----------------------------------------- */

/* The domains of a unit that a command is about, one after the other; NULL: no more. */
static struct cached_domain *concerned(const struct cached *cached, const struct hw_iommu *iommu,
				       const struct hw_invalidation *what,
				       struct cached_domain *after)
{
	u64 first = what->all_domains ? 0 : what->domain;
	u64 last = what->all_domains ? ~0ULL : what->domain;
	struct interval *at = after ? interval_next(&cached->domains, &after->at, first, last)
				    : interval_first(&cached->domains, first, last);

	while (at && ((struct cached_domain *)at)->iommu != iommu)
		at = interval_next(&cached->domains, at, first, last);
	return (struct cached_domain *)at;
}

static bool any_holds(const struct cached_domain *domain, const struct hw_invalidation *what)
{
	const struct interval_tree *leaves = &domain->leaves;
	struct interval *at;

	if (!what->leaf_only && interval_first(&domain->tables, what->start, what->last))
		return true;
	at = domain->holding ? interval_first(leaves, what->start, what->last) : NULL;
	while (at && !cached_holds((struct cached_leaf *)at))
		at = interval_next(leaves, at, what->start, what->last);
	return at;
}

/*
 * What was changed by hand and not told has ended before the command, too. Only what holds can
 * have ended.
 */
static void compare_before(struct cached *cached, struct hw_iommu *iommu,
			   const struct hw_invalidation *what)
{
	struct check_moment now = check_now(&cached->clock);
	struct cached_domain *domain = NULL;

	if (what->what != HW_INVALIDATED_IOTLB)
		return;
	while ((domain = concerned(cached, iommu, what, domain))) {
		if (any_holds(domain, what))
			cached_compare(cached, domain, what->start, what->last, now, false);
	}
}

void cached_submitted(struct cached *cached, struct hw_iommu *iommu,
		      const struct hw_invalidation *what)
{
	struct cached_unit *unit = unit_get(cached, iommu);
	struct cached_pending *pending;

	compare_before(cached, iommu, what);
	pending = unit ? pending_new(cached, unit) : NULL;
	if (!pending)
		return;
	pending->command = (struct cached_command){
		.what = *what,
		.place = ++unit->commands,
		.submitted = check_now(&cached->clock),
		.waited = CHECK_NEVER,
	};
	*in_history(unit, unit->commands) = pending->command;
	STAILQ_INSERT_TAIL(&unit->queued, pending, link);
}

void cached_executed(struct cached *cached, struct hw_iommu *iommu,
		     const struct hw_invalidation *what)
{
	struct cached_unit *unit = unit_get(cached, iommu);
	struct cached_command *kept;
	struct cached_pending *pending;

	if (!unit)
		return;
	STAILQ_FOREACH(pending, &unit->queued, link) {
		if (pending->command.what.number == what->number &&
		    pending->command.what.what == what->what)
			break;
	}
	if (!pending)
		return;
	STAILQ_REMOVE(&unit->queued, pending, cached_pending, link);
	pending->command.executed = true;
	STAILQ_INSERT_TAIL(&unit->executed, pending, link);
	kept = in_history(unit, pending->command.place);
	if (kept)
		kept->executed = true;
}

/* ---- What a command covers -------------------------------------------- */

/* A wait that is over: the commands that it confirms. */
struct confirmation {
	struct cached *cached;
	struct hw_iommu *iommu;
	struct cached_pending_list commands;
	struct check_moment now;
};

static bool leaves_it(const struct hw_invalidation *what, u8 lg2)
{
	u64 bytes_less_1 = lg2 < 64 ? (1ULL << lg2) - 1 : ~0ULL;

	return what->larger_stay && bytes_less_1 > what->last - what->start;
}

static bool covers_table(const struct hw_invalidation *what, const struct cached_table *table)
{
	return !what->leaf_only && what->start <= table->at.last && what->last >= table->at.start &&
	       !leaves_it(what, (u8)(12 + 9 * table->levels));
}

/*
 * Something that ended only because tables are not cached any more that led there: commands may be
 * executed in any order, so a command that was not for these tables, too, may have come before they
 * went.
 */
static bool covers_ways(const struct cached_domain *domain, const struct hw_invalidation *what,
			u64 start, u64 last)
{
	struct interval *at;

	for (at = interval_first(&domain->tables, start, last); at;
	     at = interval_next(&domain->tables, at, start, last)) {
		const struct cached_table *table = (const struct cached_table *)at;

		if (table->dropped && !covers_table(what, table))
			return false;
	}
	return true;
}

/* True if what ended at `until` was over when the command was submitted, or by the command. */
static bool was_over(const struct confirmation *confirmation, const struct cached_domain *domain,
		     const struct cached_command *command, struct check_moment until, u64 start,
		     u64 last)
{
	if (check_before(until, command->submitted))
		return true;
	return until.order == confirmation->now.order &&
	       covers_ways(domain, &command->what, start, last);
}

/* ---- Tables ----------------------------------------------------------- */

/* Marks the tables that cannot be cached any more. True: any. */
static bool drop_tables(const struct confirmation *confirmation, struct cached_domain *domain,
			const struct cached_command *command, u64 *first, u64 *end)
{
	u64 start = command->what.start, last = command->what.last;
	struct interval *at;
	bool any = false;

	for (at = interval_first(&domain->tables, start, last); at;
	     at = interval_next(&domain->tables, at, start, last)) {
		struct cached_table *table = (struct cached_table *)at;

		if (table->dropped || !covers_table(&command->what, table) ||
		    !was_over(confirmation, domain, command, table->until, at->start, at->last))
			continue;
		table->dropped = true;
		*first = at->start < *first ? at->start : *first;
		*end = at->last > *end ? at->last : *end;
		any = true;
	}
	return any;
}

/* What only they led to has ended with them; and may be tables again. */
static void confirm_tables(struct confirmation *confirmation, struct cached_domain *domain)
{
	bool any;

	do {
		struct cached_pending *pending;
		u64 first = ~0ULL, end = 0;

		any = false;
		STAILQ_FOREACH(pending, &confirmation->commands, link) {
			const struct hw_invalidation *what = &pending->command.what;

			if (what->what == HW_INVALIDATED_IOTLB &&
			    (what->all_domains || what->domain == domain->domain))
				any |= drop_tables(confirmation, domain, &pending->command, &first,
						   &end);
		}
		if (any)
			cached_compare(confirmation->cached, domain, first, end, confirmation->now,
				       false);
	} while (any);
}

static void forget_dropped(struct cached *cached, struct cached_domain *domain)
{
	struct interval *at = interval_first(&domain->tables, 0, ~0ULL);

	while (at) {
		struct cached_table *table = (struct cached_table *)at;

		at = interval_next(&domain->tables, at, 0, ~0ULL);
		if (table->dropped)
			cached_table_drop(cached, table);
	}
}

/* ---- Pages ------------------------------------------------------------ */

static void note_window(struct cached *cached, const struct cached_leaf *leaf)
{
	struct cached_windows *windows = &cached->windows;
	u64 ns = cached->world->clock.now_ns - leaf->until.ns;

	windows->count++;
	windows->total_ns += ns;
	if (ns > windows->longest_ns)
		windows->longest_ns = ns;
}

static void confirm_leaves(const struct confirmation *confirmation, struct cached_domain *domain,
			   const struct cached_command *command)
{
	u64 start = command->what.start, last = command->what.last;
	struct cached *cached = confirmation->cached;
	struct interval *at = NULL;

	if (cached->ended)
		at = interval_first(&domain->leaves, start, last);
	while (at) {
		struct cached_leaf *leaf = (struct cached_leaf *)at;
		u64 from = start > at->start ? cached_page_start(leaf, start) : at->start;
		u64 to = last < at->last ? cached_page_last(leaf, last) : at->last;

		at = interval_next(&domain->leaves, at, start, last);
		if (leaf->absent ? leaf->page_lg2 > 12 && command->what.leaf_only
				 : leaves_it(&command->what, leaf->page_lg2))
			continue;
		if (!was_over(confirmation, domain, command, leaf->until, from, to))
			continue;
		leaf = cached_leaf_take(cached, leaf, from, to);
		if (!leaf)
			return;
		if (!leaf->absent)
			note_window(cached, leaf);
		cached_devices_keep(cached, leaf, command, confirmation->now);
		cached_leaf_free(cached, leaf);
	}
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

	STAILQ_FOREACH(pending, &confirmation->commands, link) {
		const struct hw_invalidation *what = &pending->command.what;

		if (what->what == HW_INVALIDATED_IOTLB && what->number >= command->what.number &&
		    what->number < number &&
		    (confirmation->iommu->arch->contexts_first ||
		     what->number == command->what.number))
			number = what->number;
	}
	return number;
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

	STAILQ_FOREACH(pending, &confirmation->commands, link) {
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

static void confirm_iotlb(struct confirmation *confirmation, const struct cached_command *command)
{
	struct cached_domain *domain = NULL;

	while ((domain = concerned(confirmation->cached, confirmation->iommu, &command->what,
				   domain))) {
		if (domain->ended_tables)
			confirm_tables(confirmation, domain);
		confirm_leaves(confirmation, domain, command);
	}
}

static void forget_all_dropped(struct confirmation *confirmation,
			       const struct cached_command *command)
{
	struct cached_domain *domain = NULL;

	while ((domain = concerned(confirmation->cached, confirmation->iommu, &command->what,
				   domain))) {
		if (domain->ended_tables && !command->what.leaf_only)
			forget_dropped(confirmation->cached, domain);
	}
}

static void confirm(struct confirmation *confirmation)
{
	struct cached_pending *pending;

	STAILQ_FOREACH(pending, &confirmation->commands, link) {
		if (pending->command.what.what == HW_INVALIDATED_CONTEXT)
			confirm_contexts(confirmation, &pending->command);
	}
	STAILQ_FOREACH(pending, &confirmation->commands, link) {
		if (pending->command.what.what == HW_INVALIDATED_IOTLB)
			confirm_iotlb(confirmation, &pending->command);
	}
	STAILQ_FOREACH(pending, &confirmation->commands, link) {
		if (pending->command.what.what == HW_INVALIDATED_IOTLB)
			forget_all_dropped(confirmation, &pending->command);
	}
	STAILQ_FOREACH(pending, &confirmation->commands, link) {
		if (pending->command.what.what == HW_INVALIDATED_DEVICE_TLB)
			cached_device_invalidated(confirmation->cached, confirmation->iommu,
						  &pending->command);
	}
}

/* Moves those with lower numbers to another list; `to` NULL: forgets them. */
static void take_before(struct cached *cached, struct cached_unit *unit,
			struct cached_pending_list *from, u64 number,
			struct cached_pending_list *to)
{
	struct cached_pending *pending = STAILQ_FIRST(from);

	while (pending) {
		struct cached_pending *next = STAILQ_NEXT(pending, link);

		if (pending->command.what.number < number) {
			STAILQ_REMOVE(from, pending, cached_pending, link);
			if (to)
				STAILQ_INSERT_TAIL(to, pending, link);
			else
				pending_free(cached, unit, pending);
		}
		pending = next;
	}
}

void cached_waited(struct cached *cached, struct hw_iommu *iommu, u64 number)
{
	struct cached_unit *unit = unit_get(cached, iommu);
	struct confirmation confirmation = {
		.cached = cached,
		.iommu = iommu,
		.now = check_now(&cached->clock),
	};

	if (!unit)
		return;
	STAILQ_INIT(&confirmation.commands);
	take_before(cached, unit, &unit->executed, number, &confirmation.commands);
	/* What stands before a wait that is over and was not executed was given up by the queue. */
	take_before(cached, unit, &unit->queued, number, NULL);
	confirm(&confirmation);
	while (!STAILQ_EMPTY(&confirmation.commands)) {
		struct cached_pending *pending = STAILQ_FIRST(&confirmation.commands);
		struct cached_command *kept = in_history(unit, pending->command.place);

		if (kept)
			kept->waited = confirmation.now;
		STAILQ_REMOVE_HEAD(&confirmation.commands, link);
		pending_free(cached, unit, pending);
	}
}
