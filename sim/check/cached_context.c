/* SPDX-License-Identifier: MIT */
#include "check/cached_context.h"

void cached_contexts_init(struct cached_contexts *contexts, struct world *world, bool *blind)
{
	*contexts = (struct cached_contexts){ .world = world, .blind = blind };
	interval_tree_init(&contexts->by_requester);
	interval_tree_init(&contexts->by_root);
}

static void drop(struct cached_contexts *contexts, struct cached_context *cached)
{
	interval_remove(&contexts->by_requester, &cached->at);
	interval_remove(&contexts->by_root, &cached->root.at);
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
	       a->root == b->root;
}

static bool is_known(const struct cached_contexts *contexts, const struct hw_iommu *iommu,
		     u16 requester, const struct hw_context *context)
{
	const struct interval_tree *tree = &contexts->by_requester;
	struct interval *at;

	for (at = interval_first(tree, requester, requester); at;
	     at = interval_next(tree, at, requester, requester)) {
		const struct cached_context *cached = (const struct cached_context *)at;

		if (cached->iommu == iommu && same(&cached->context, context))
			return true;
	}
	return false;
}

void cached_context_set(struct cached_contexts *contexts, struct hw_iommu *iommu, u16 requester,
			const struct hw_context *context)
{
	struct cached_context *cached;

	if (context->type != HW_CONTEXT_TRANSLATE || is_known(contexts, iommu, requester, context))
		return;
	cached = memory_alloc(&contexts->world->memory, DMASIM_FAULT_CHECK_RECORD, sizeof(*cached));
	if (!cached) {
		*contexts->blind = true;
		return;
	}
	*cached = (struct cached_context){
		.at = { .start = requester, .last = requester },
		.iommu = iommu,
		.context = *context,
		.since_ns = contexts->world->clock.now_ns,
		.root = { .at = { .start = context->root, .last = context->root },
			  .context = cached },
	};
	interval_insert(&contexts->by_requester, &cached->at);
	interval_insert(&contexts->by_root, &cached->root.at);
}

static bool is_covered(const struct cached_context *cached, const struct hw_iommu *iommu,
		       const struct hw_invalidation *what)
{
	u16 requester = (u16)cached->at.start;
	struct hw_context now;

	if (cached->iommu != iommu)
		return false;
	if (!what->all_domains && what->domain != cached->context.domain)
		return false;
	if ((requester ^ what->requester) & (u16)~what->requester_ignored)
		return false;
	now = hw_context_get(iommu, requester);
	return !same(&now, &cached->context);
}

void cached_contexts_invalidated(struct cached_contexts *contexts, struct hw_iommu *iommu,
				 const struct hw_invalidation *what)
{
	u64 first = what->requester & (u16)~what->requester_ignored;
	u64 last = what->requester | what->requester_ignored;
	struct interval *at = interval_first(&contexts->by_requester, first, last);

	while (at) {
		struct cached_context *cached = (struct cached_context *)at;

		at = interval_next(&contexts->by_requester, at, first, last);
		if (is_covered(cached, iommu, what))
			drop(contexts, cached);
	}
}

const struct cached_context *cached_context_use(const struct cached_contexts *contexts,
						phys_addr_t root)
{
	const struct interval *found = interval_first(&contexts->by_root, root, root);

	return found ? ((const struct cached_root *)found)->context : NULL;
}

void cached_context_forget(struct cached_contexts *contexts, phys_addr_t root)
{
	const struct interval *found;

	while ((found = interval_first(&contexts->by_root, root, root)))
		drop(contexts, ((const struct cached_root *)found)->context);
}
