/* SPDX-License-Identifier: MIT */
#include "check/cached_context.h"

void cached_contexts_init(struct cached_contexts *contexts, struct world *world, bool *blind)
{
	*contexts = (struct cached_contexts){ .world = world, .blind = blind };
	interval_tree_init(&contexts->by_requester);
	interval_tree_init(&contexts->by_root);
	interval_tree_init(&contexts->by_domain);
}

static bool translates(const struct cached_context *cached)
{
	return hw_context_has_tables(&cached->context);
}

static void drop(struct cached_contexts *contexts, struct cached_context *cached)
{
	interval_remove(&contexts->by_requester, &cached->at);
	interval_remove(&contexts->by_domain, &cached->by_domain);
	if (translates(cached))
		interval_remove(&contexts->by_root, &cached->by_root);
	memory_free(&contexts->world->memory, cached);
}

void cached_contexts_fini(struct cached_contexts *contexts)
{
	struct interval *any;

	while ((any = interval_any(&contexts->by_requester)))
		drop(contexts, (struct cached_context *)any);
}

static bool same(const struct hw_context *a, const struct hw_context *b)
{
	return a->type == b->type && a->levels == b->levels && a->domain == b->domain &&
	       a->root == b->root && a->no_read == b->no_read && a->no_write == b->no_write &&
	       a->marks == b->marks && a->device_tlb == b->device_tlb;
}

/* What the entry said so far, as the set knows it; *known: it knows anything of the requester. */
static struct cached_context *current(const struct cached_contexts *contexts,
				      const struct hw_iommu *iommu, u16 requester, bool *known)
{
	const struct interval_tree *tree = &contexts->by_requester;
	struct interval *at;

	*known = false;
	for (at = interval_first(tree, requester, requester); at;
	     at = interval_next(tree, at, requester, requester)) {
		struct cached_context *cached = (struct cached_context *)at;

		if (cached->iommu != iommu)
			continue;
		*known = true;
		if (!check_happened(cached->until))
			return cached;
	}
	return NULL;
}

static void add(struct cached_contexts *contexts, const struct cached_context *from)
{
	struct cached_context *cached;
	u64 tag = from->context.type == HW_CONTEXT_ABSENT ? 0 : from->context.domain;

	cached = memory_alloc(&contexts->world->memory, DMASIM_FAULT_CHECK_RECORD, sizeof(*cached));
	if (!cached) {
		*contexts->blind = true;
		return;
	}
	*cached = *from;
	cached->by_domain.start = cached->by_domain.last = tag;
	cached->by_root.start = cached->by_root.last = cached->context.root;
	interval_insert(&contexts->by_requester, &cached->at);
	interval_insert(&contexts->by_domain, &cached->by_domain);
	if (translates(cached))
		interval_insert(&contexts->by_root, &cached->by_root);
}

void cached_context_set(struct cached_contexts *contexts, struct hw_iommu *iommu, u16 requester,
			const struct hw_context *context, struct check_moment now)
{
	struct cached_context entry = {
		.at = { .start = requester, .last = requester },
		.iommu = iommu,
		.until = now,
	};
	bool absents = iommu->caching_mode || iommu->arch->refusing_contexts_cached;
	struct cached_context *old;
	bool known;

	old = current(contexts, iommu, requester, &known);
	if (old && same(&old->context, context))
		return;
	if (old)
		old->until = now;
	/* Of what nothing is known all was absent. */
	if (!known && absents && context->type != HW_CONTEXT_ABSENT)
		add(contexts, &entry);
	if (context->type == HW_CONTEXT_ABSENT && !absents)
		return;
	entry.context = *context;
	entry.since = now;
	entry.until = CHECK_NEVER;
	add(contexts, &entry);
}

static bool is_covered(const struct cached_context *cached, const struct hw_iommu *iommu,
		       const struct cached_command *command)
{
	const struct hw_invalidation *what = &command->what;

	return cached->iommu == iommu && check_before(cached->until, command->submitted) &&
	       (what->all_domains || what->domain == cached->by_domain.start) &&
	       !((cached->at.start ^ what->requester) & (u16)~what->requester_ignored);
}

void cached_contexts_invalidated(struct cached_contexts *contexts, const struct hw_iommu *iommu,
				 const struct cached_command *command,
				 void (*gone)(void *cookie, const struct cached_context *context),
				 void *cookie)
{
	u64 first = command->what.requester & (u16)~command->what.requester_ignored;
	u64 last = command->what.requester | command->what.requester_ignored;
	struct interval *at = interval_first(&contexts->by_requester, first, last);

	while (at) {
		struct cached_context *cached = (struct cached_context *)at;
		struct cached_context lost = *cached;

		at = interval_next(&contexts->by_requester, at, first, last);
		if (!is_covered(cached, iommu, command))
			continue;
		drop(contexts, cached);
		gone(cookie, &lost);
	}
}

static struct cached_context *of_root(struct interval *by_root)
{
	return (struct cached_context *)((char *)by_root -
					 offsetof(struct cached_context, by_root));
}

const struct cached_context *cached_context_use(const struct cached_contexts *contexts,
						phys_addr_t root)
{
	struct interval *found = interval_first(&contexts->by_root, root, root);

	return found ? of_root(found) : NULL;
}

struct cached_context *cached_context_stale(const struct cached_contexts *contexts,
					    const struct hw_iommu *iommu, u16 requester)
{
	const struct interval_tree *tree = &contexts->by_requester;
	struct interval *at;

	for (at = interval_first(tree, requester, requester); at;
	     at = interval_next(tree, at, requester, requester)) {
		struct cached_context *cached = (struct cached_context *)at;

		if (cached->iommu == iommu && check_happened(cached->until) && !cached->told)
			return cached;
	}
	return NULL;
}

void cached_context_forget(struct cached_contexts *contexts, phys_addr_t root)
{
	struct interval *found;

	while ((found = interval_first(&contexts->by_root, root, root)))
		drop(contexts, of_root(found));
}
