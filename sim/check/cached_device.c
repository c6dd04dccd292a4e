/* SPDX-License-Identifier: MIT */
#include "check/cached_device.h"

#include "check/cached_inside.h"
#include "hw/ats.h"

static struct cached_device *find(const struct cached *cached, const struct hw_iommu *iommu,
				  u16 requester)
{
	struct cached_device *device;

	SLIST_FOREACH(device, &cached->devices, link) {
		if (device->iommu == iommu && device->requester == requester)
			return device;
	}
	return NULL;
}

static struct cached_device *get(struct cached *cached, struct hw_iommu *iommu, u16 requester)
{
	struct cached_device *device = find(cached, iommu, requester);

	if (device)
		return device;
	device = cached_record(cached, sizeof(*device));
	if (!device)
		return NULL;
	device->iommu = iommu;
	device->requester = requester;
	interval_tree_init(&device->fetched);
	SLIST_INSERT_HEAD(&cached->devices, device, link);
	return device;
}

static void drop(struct cached *cached, struct cached_device *device,
		 struct cached_fetched *fetched)
{
	interval_remove(&device->fetched, &fetched->at);
	memory_free(&cached->world->memory, fetched);
}

static void drop_all(struct cached *cached, struct cached_device *device)
{
	struct interval *any;

	while ((any = interval_any(&device->fetched)))
		drop(cached, device, (struct cached_fetched *)any);
}

void cached_devices_fini(struct cached *cached)
{
	while (!SLIST_EMPTY(&cached->devices)) {
		struct cached_device *device = SLIST_FIRST(&cached->devices);

		SLIST_REMOVE_HEAD(&cached->devices, link);
		drop_all(cached, device);
		memory_free(&cached->world->memory, device);
	}
}

void cached_device_off(struct cached *cached, const struct hw_iommu *iommu, u16 requester)
{
	struct cached_device *device = find(cached, iommu, requester);

	if (device)
		drop_all(cached, device);
}

/* ---- What is kept ----------------------------------------------------- */

static void put(struct cached *cached, struct cached_device *device,
		const struct cached_fetched *from)
{
	struct cached_fetched *fetched = cached_record(cached, sizeof(*fetched));

	if (!fetched)
		return;
	*fetched = *from;
	interval_insert(&device->fetched, &fetched->at);
}

static struct cached_fetched of_leaf(const struct cached_leaf *leaf)
{
	return (struct cached_fetched){
		.at = { .start = leaf->at.start, .last = leaf->at.last },
		.domain = leaf->domain,
		.phys = leaf->phys,
		.page_lg2 = leaf->page_lg2,
		.read = leaf->read,
		.write = leaf->write,
		.accessed = leaf->accessed,
		.dirty = leaf->dirty,
		.told = leaf->told,
		.since = leaf->since,
	};
}

static bool may_fetch(const struct cached_context *context)
{
	const struct hw_function *function;

	if (context->context.type != HW_CONTEXT_TRANSLATE || !context->context.device_tlb)
		return false;
	function = hw_requester_function(context->iommu, (u16)context->at.start);
	return function && function->ats_enabled;
}

void cached_devices_keep(struct cached *cached, const struct cached_leaf *leaf,
			 const struct cached_command *command, u64 behind, struct check_moment now)
{
	const struct interval_tree *contexts = &cached->contexts.by_domain;
	struct cached_fetched fetched;
	u64 id = leaf->domain->domain;
	struct interval *at;

	if (leaf->absent || !leaf->domain->iommu->walker.device_tlb)
		return;
	fetched = of_leaf(leaf);
	fetched.emptied = command->submitted;
	fetched.gone = now;
	fetched.behind = behind;
	for (at = interval_first(contexts, id, id); at; at = interval_next(contexts, at, id, id)) {
		const struct cached_context *context = cached_context_of_domain(at);
		struct cached_device *device;

		if (context->iommu != leaf->domain->iommu || !may_fetch(context))
			continue;
		device = get(cached, context->iommu, (u16)context->at.start);
		if (device)
			put(cached, device, &fetched);
	}
}

void cached_device_lost(struct cached *cached, const struct cached_context *context,
			const struct cached_command *command, u64 behind, struct check_moment now)
{
	struct cached_domain *domain;
	struct cached_device *device;
	struct interval *at;

	if (!may_fetch(context))
		return;
	domain = cached_domain_find(cached, context->iommu, context->context.domain);
	device = domain ? get(cached, context->iommu, (u16)context->at.start) : NULL;
	if (!device)
		return;
	cached_pages_spread(cached, domain, 0, ~0ULL);
	for (at = interval_first(&domain->leaves, 0, ~0ULL); at;
	     at = interval_next(&domain->leaves, at, 0, ~0ULL)) {
		const struct cached_leaf *leaf = (const struct cached_leaf *)at;
		struct cached_fetched fetched = of_leaf(leaf);

		fetched.emptied = command->submitted;
		fetched.gone = now;
		fetched.behind = behind;
		if (!leaf->absent)
			put(cached, device, &fetched);
	}
}

/* ---- What is covered -------------------------------------------------- */

/* What lies outside [start, last], which are whole pages, stays. */
static void cut(struct cached *cached, struct cached_device *device, struct cached_fetched *fetched,
		u64 start, u64 last)
{
	struct cached_fetched rest = *fetched;

	drop(cached, device, fetched);
	if (rest.at.last > last) {
		struct cached_fetched above = rest;

		above.at.start = last + 1;
		above.phys += above.at.start - rest.at.start;
		put(cached, device, &above);
	}
	if (rest.at.start < start) {
		rest.at.last = start - 1;
		put(cached, device, &rest);
	}
}

static bool comes_after(const struct cached_command *command, const struct cached_fetched *fetched)
{
	return command->what.number > fetched->behind ||
	       check_before(fetched->gone, command->submitted);
}

void cached_device_invalidated(struct cached *cached, const struct hw_iommu *iommu,
			       const struct cached_command *command)
{
	struct cached_device *device = find(cached, iommu, command->what.requester);
	u64 start = command->what.start, last = command->what.last;
	struct interval *at = device ? interval_first(&device->fetched, start, last) : NULL;

	while (at) {
		struct cached_fetched *fetched = (struct cached_fetched *)at;
		u64 less_1 = (1ULL << fetched->page_lg2) - 1;

		at = interval_next(&device->fetched, at, start, last);
		if (comes_after(command, fetched))
			cut(cached, device, fetched, start & ~less_1, last | less_1);
	}
}

/* ---- Judging ---------------------------------------------------------- */

/* Held against what the tables say now. */
static enum cached_harm harm_of(const struct cached_fetched *fetched, u64 from, u64 to)
{
	const struct cached_leaf leaf = {
		.at = { .start = fetched->at.start, .last = fetched->at.last },
		.domain = fetched->domain,
		.phys = fetched->phys,
		.page_lg2 = fetched->page_lg2,
		.read = fetched->read,
		.write = fetched->write,
		.accessed = fetched->accessed,
		.dirty = fetched->dirty,
	};
	enum cached_harm harm = cached_harm(fetched->domain, &leaf, from, to);

	/* It translates alike. */
	return harm == CACHED_LARGER ? CACHED_HARMLESS : harm;
}

bool cached_device_left(const struct cached *cached, const struct hw_iommu *iommu, u16 requester,
			struct cached_device_stale *stale)
{
	struct cached_device *device = find(cached, iommu, requester);
	struct interval *at = device ? interval_first(&device->fetched, 0, ~0ULL) : NULL;

	while (at && ((struct cached_fetched *)at)->told)
		at = interval_next(&device->fetched, at, 0, ~0ULL);
	if (!at)
		return false;
	*stale = (struct cached_device_stale){ device, (struct cached_fetched *)at, at->start,
					       at->last, CACHED_GONE };
	return true;
}

bool cached_device_stale(struct cached *cached, const struct cached_domain *domain, u64 start,
			 u64 last, struct cached_device_stale *stale)
{
	struct cached_device *device;
	struct interval *at;

	SLIST_FOREACH(device, &cached->devices, link) {
		for (at = interval_first(&device->fetched, start, last); at;
		     at = interval_next(&device->fetched, at, start, last)) {
			struct cached_fetched *fetched = (struct cached_fetched *)at;
			u64 from = at->start > start ? at->start : start;
			u64 to = at->last < last ? at->last : last;
			enum cached_harm harm;

			if (fetched->told || fetched->domain != domain)
				continue;
			harm = harm_of(fetched, from, to);
			if (!harm)
				continue;
			*stale =
				(struct cached_device_stale){ device, fetched, from, to, (u8)harm };
			return true;
		}
	}
	return false;
}
