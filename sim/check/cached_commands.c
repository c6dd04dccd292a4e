/* SPDX-License-Identifier: MIT */
/*
 * Commands: what a completed invalidation takes out of the set.
 */
#include "check/cached_inside.h"

/* ---- What a command covers -------------------------------------------- */

static bool leaves_it(const struct hw_invalidation *what, u8 lg2)
{
	u64 bytes_less_1 = lg2 < 64 ? (1ULL << lg2) - 1 : ~0ULL;

	return what->larger_stay && bytes_less_1 > what->last - what->start;
}

static bool leaves_page(const struct hw_invalidation *what, u8 lg2)
{
	return leaves_it(what, lg2) || hw_hint_spares(what, lg2);
}

static bool covers_table(const struct hw_invalidation *what, const struct cached_table *table)
{
	return !what->leaf_only && what->start <= table->at.last && what->last >= table->at.start &&
	       !leaves_it(what, (u8)(12 + 9 * table->levels));
}

/* Whatever window it has: it drops such leaves. */
static bool is_for_leaf(const struct hw_invalidation *what, const struct cached_leaf *leaf)
{
	return leaf->absent ? leaf->page_lg2 <= 12 || !what->leaf_only
			    : !leaves_page(what, leaf->page_lg2);
}

static bool covers_leaf(const struct hw_invalidation *what, const struct cached_leaf *leaf)
{
	return is_for_leaf(what, leaf) && what->start <= leaf->at.last &&
	       what->last >= leaf->at.start;
}

static bool takes_table(const struct cached_command *command, const struct cached_table *table)
{
	const struct hw_invalidation *what = &command->what;

	return what->what == HW_INVALIDATED_IOTLB && cached_is_tagged(table->domain, what) &&
	       check_before(table->until, command->submitted) && covers_table(what, table);
}

static bool any_takes_both(const struct cached_pending_list *list, const struct cached_table *way,
			   const struct cached_leaf *leaf, const struct cached_table *table)
{
	const struct cached_pending *pending;

	STAILQ_FOREACH(pending, list, link) {
		const struct cached_command *command = &pending->command;

		if (takes_table(command, way) && (leaf ? covers_leaf(&command->what, leaf)
						       : covers_table(&command->what, table)))
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

/* Those that a command is about, in the same way. */
static inline struct cached_domain *concerned(struct cached *cached, const struct hw_iommu *iommu,
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

static bool any_holds(const struct cached_domain *domain, const struct hw_invalidation *what)
{
	return (!what->leaf_only && interval_first(&domain->tables, what->start, what->last)) ||
	       cached_any_holds(domain, what->start, what->last);
}

/*
 * What was changed by hand and not told has ended before the command, too. Only what holds can
 * have ended. True: it may be for tables that have ended.
 */
static bool compare_before(struct cached *cached, struct hw_iommu *iommu,
			   const struct hw_invalidation *what, struct check_moment now)
{
	struct cached_domain *domain = NULL;
	bool any = false;

	if (what->what != HW_INVALIDATED_IOTLB)
		return false;
	while ((domain = concerned(cached, iommu, what, domain))) {
		if (DMASIM_UNLIKELY(any_holds(domain, what)))
			cached_compare(cached, domain, what->start, what->last, now, false);
		any |= domain->ended_tables;
	}
	return any && !what->leaf_only;
}

/* What is fetched only through tables that go by this command ends with them, if it goes by it. */
static void end_what_goes(struct cached *cached, struct hw_iommu *iommu,
			  const struct cached_command *command, struct check_moment now)
{
	const struct hw_invalidation *what = &command->what;
	struct cached_domain *domain = NULL;

	while ((domain = concerned(cached, iommu, what, domain))) {
		u64 first = ~0ULL, end = 0;
		struct interval *at = NULL;

		if (domain->ended_tables)
			at = interval_first(&domain->tables, what->start, what->last);
		for (; at; at = interval_next(&domain->tables, at, what->start, what->last)) {
			if (!takes_table(command, (struct cached_table *)at))
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

	pending = unit ? cached_pending_new(cached, unit) : NULL;
	if (!pending)
		return;
	set_command(&pending->command, what, unit->commands, check_now(&cached->clock));
	pending->listed = true;
	STAILQ_INSERT_TAIL(&unit->queued, pending, link);
	if (DMASIM_UNLIKELY(for_tables))
		end_what_goes(cached, iommu, &pending->command, now);
}

DMASIM_HOT void cached_executed(struct cached *cached, struct hw_iommu *iommu,
				const struct hw_invalidation *what)
{
	struct cached_unit *unit = cached_unit_get(cached, iommu);
	struct cached_pending *pending;

	if (!unit)
		return;
	STAILQ_FOREACH(pending, &unit->queued, link) {
		if (DMASIM_LIKELY(pending->command.what.number == what->number &&
				  pending->command.what.what == what->what))
			break;
	}
	if (!pending)
		return;
	STAILQ_REMOVE(&unit->queued, pending, cached_pending, link);
	STAILQ_INSERT_TAIL(&unit->executed, pending, link);
}

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
		if (!takes_table(command, table))
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

	return !domain->holding && domain->ended_last < command->submitted.order && !what->start &&
	       what->last == ~0ULL && !what->leaf_only && !what->only_level &&
	       !domain->iommu->walker.device_tlb;
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

static void confirm_leaves(const struct confirmation *confirmation, struct cached_domain *domain,
			   const struct cached_command *command)
{
	u64 start = command->what.start, last = command->what.last;
	struct cached *cached = confirmation->cached;
	struct interval *at = NULL;

	/* What devices keep is known by leaves. */
	if (DMASIM_UNLIKELY(confirmation->iommu->walker.device_tlb))
		cached_pages_spread_ended(cached, domain, start, last);
	else if (!leaves_page(&command->what, CACHED_PAGE_LG2))
		cached_pages_cover(cached, domain, command);
	if (takes_all_leaves(domain, command))
		drop_all_leaves(cached, domain);
	if (cached->ended)
		at = interval_first(&domain->leaves, start, last);
	while (at) {
		struct cached_leaf *leaf = (struct cached_leaf *)at;

		at = interval_next(&domain->leaves, at, start, last);
		if (!is_for_leaf(&command->what, leaf) ||
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

DMASIM_HOT static void confirm_iotlb(struct confirmation *confirmation,
				     const struct cached_command *command)
{
	struct cached_domain *domain = NULL;

	while ((domain = concerned(confirmation->cached, confirmation->iommu, &command->what,
				   domain))) {
		if (domain->ended_tables)
			confirm_tables(confirmation, domain);
		confirm_leaves(confirmation, domain, command);
	}
}

DMASIM_HOT static void confirm_kind(struct confirmation *confirmation, enum hw_invalidated kind,
				    const struct cached_command *command)
{
	if (command->what.what != kind)
		return;
	if (kind == HW_INVALIDATED_CONTEXT)
		confirm_contexts(confirmation, command);
	else if (kind == HW_INVALIDATED_IOTLB)
		confirm_iotlb(confirmation, command);
	else
		cached_device_invalidated(confirmation->cached, confirmation->iommu, command);
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
static inline bool forget_queued(struct cached *cached, struct cached_unit *unit, u64 number)
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

/* What would have gone by commands that were given up is fetched on. */
static void compare_all(struct cached *cached, const struct hw_iommu *iommu,
			struct check_moment now)
{
	const struct hw_invalidation all = { .all_domains = true };
	struct cached_domain *domain = NULL;

	while ((domain = concerned(cached, iommu, &all, domain)))
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

	if (!unit)
		return;
	take_executed(unit, number);
	if (DMASIM_UNLIKELY(forget_queued(cached, unit, number)))
		compare_all(cached, iommu, now);
	confirm(&confirmation);
	while (!STAILQ_EMPTY(&unit->confirmed)) {
		struct cached_pending *pending = STAILQ_FIRST(&unit->confirmed);

		pending->command.waited = now;
		STAILQ_REMOVE_HEAD(&unit->confirmed, link);
		cached_pending_end(cached, pending);
	}
}
