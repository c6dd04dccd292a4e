/* SPDX-License-Identifier: MIT */
#include "check/cached_inside.h"
#include "check/cached_way.h"

void cached_init(struct cached *cached, struct world *world, bool *blind)
{
	*cached = (struct cached){ .world = world, .clock.world = world, .blind = blind };
	interval_tree_init(&cached->domains);
	interval_tree_init(&cached->tables_by_phys);
	interval_tree_init(&cached->ended_by_phys);
	SLIST_INIT(&cached->units);
	SLIST_INIT(&cached->devices);
	check_pool_init(&cached->leaves, &world->memory, blind, sizeof(struct cached_leaf));
	check_pool_init(&cached->pages, &world->memory, blind, sizeof(struct cached_pages));
	check_pool_init(&cached->moments, &world->memory, blind, sizeof(struct cached_moments));
	LIST_INIT(&cached->pages_ended);
	cached_contexts_init(&cached->contexts, world, blind);
}

void *cached_record(struct cached *cached, size_t bytes)
{
	void *memory = memory_alloc(&cached->world->memory, DMASIM_FAULT_CHECK_RECORD, bytes);

	if (!memory)
		*cached->blind = true;
	return memory;
}

/* ---- Leaves ----------------------------------------------------------- */

static void note_end(struct cached *cached, struct cached_leaf *leaf)
{
	cached->ended++;
	if (leaf->domain->ended_last < leaf->until.order)
		leaf->domain->ended_last = leaf->until.order;
	if (leaf->absent)
		return;
	leaf->indexed = false;
	LIST_INSERT_HEAD(&cached->unindexed, leaf, unindexed);
	cached->windows.open++;
}

void cached_leaf_put(struct cached *cached, struct cached_leaf *leaf)
{
	interval_insert(&leaf->domain->leaves, &leaf->at);
	leaf->domain->count++;
	leaf->domain->large |= leaf->page_lg2 > 12;
	if (cached_holds(leaf))
		leaf->domain->holding++;
	else
		note_end(cached, leaf);
}

void cached_leaf_remove(struct cached *cached, struct cached_leaf *leaf)
{
	interval_remove(&leaf->domain->leaves, &leaf->at);
	if (cached_holds(leaf)) {
		leaf->domain->count--;
		leaf->domain->holding--;
		return;
	}
	cached_leaf_forget_ended(cached, leaf);
}

void cached_leaf_forget_ended(struct cached *cached, struct cached_leaf *leaf)
{
	leaf->domain->count--;
	cached->ended--;
	if (leaf->absent)
		return;
	if (leaf->indexed)
		interval_remove(&cached->ended_by_phys, &leaf->by_phys);
	else
		LIST_REMOVE(leaf, unindexed);
	cached->windows.open--;
}

static struct cached_leaf *part_of(struct cached *cached, const struct cached_leaf *leaf, u64 from,
				   u64 to)
{
	struct cached_leaf *part = cached_leaf_new(cached);

	if (!part)
		return NULL;
	*part = *leaf;
	part->at.start = from;
	part->at.last = to;
	part->phys = leaf->phys + (from - leaf->at.start);
	return part;
}

struct cached_leaf *cached_leaf_take(struct cached *cached, struct cached_leaf *leaf, u64 from,
				     u64 to)
{
	bool below = from > leaf->at.start, above = to < leaf->at.last;
	struct cached_leaf *part = leaf, *rest = NULL;

	/* What comes back is younger than all that is there. */
	if (below || above)
		cached_pages_spread(cached, leaf->domain, leaf->at.start, leaf->at.last);
	if (below || above) {
		part = part_of(cached, leaf, from, to);
		if (!part)
			return NULL;
	}
	if (below && above) {
		rest = part_of(cached, leaf, leaf->at.start, from - 1);
		if (!rest) {
			cached_leaf_free(cached, part);
			return NULL;
		}
	}
	cached_leaf_remove(cached, leaf);
	if (rest)
		cached_leaf_put(cached, rest);
	if (above) {
		leaf->phys += to + 1 - leaf->at.start;
		leaf->at.start = to + 1;
	} else if (below) {
		leaf->at.last = from - 1;
	}
	if (part != leaf)
		cached_leaf_put(cached, leaf);
	return part;
}

void cached_leaf_end(struct cached *cached, struct cached_leaf *leaf, u64 from, u64 to,
		     struct check_moment when)
{
	if (from == leaf->at.start && to == leaf->at.last) {
		leaf->until = when;
		leaf->domain->holding--;
		note_end(cached, leaf);
		return;
	}
	leaf = cached_leaf_take(cached, leaf, from, to);
	if (!leaf)
		return;
	leaf->until = when;
	cached_leaf_put(cached, leaf);
}

/* ---- Tables ----------------------------------------------------------- */

void cached_table_drop(struct cached *cached, struct cached_table *table)
{
	cached_ways_forget(table->domain);
	if (check_happened(table->until))
		table->domain->ended_tables--;
	interval_remove(&cached->tables_by_phys, &table->by_phys);
	interval_remove(&table->domain->tables, &table->at);
	memory_free(&cached->world->memory, table);
}

static struct cached_table *table_of(struct interval *by_phys)
{
	return (struct cached_table *)((char *)by_phys - offsetof(struct cached_table, by_phys));
}

const struct cached_table *cached_table_use(const struct cached *cached, phys_addr_t table)
{
	const struct interval_tree *tables = &cached->tables_by_phys;
	struct interval *found;

	found = interval_first(tables, table, table);
	return found ? table_of(found) : NULL;
}

void cached_table_forget(struct cached *cached, phys_addr_t table)
{
	struct interval *found;

	while ((found = interval_first(&cached->tables_by_phys, table, table)))
		cached_table_drop(cached, table_of(found));
}

/* ---- Domains ---------------------------------------------------------- */

struct cached_domain *cached_domain_search(struct cached *cached, u32 id)
{
	struct interval *found = interval_first(&cached->domains, id, id);

	if (found)
		cached->recent = (struct cached_domain *)found;
	return (struct cached_domain *)found;
}

struct cached_domain *cached_domain_find(struct cached *cached, const struct hw_iommu *iommu,
					 u32 id)
{
	struct cached_domain *domain = cached_domain_first(cached, id);

	while (domain && domain->iommu != iommu)
		domain = cached_domain_next(domain);
	return domain;
}

static struct cached_domain *domain_get(struct cached *cached, struct hw_iommu *iommu, u32 id)
{
	struct cached_domain *domain = cached_domain_find(cached, iommu, id);
	struct cached_domain **last = NULL;

	if (domain)
		return domain;
	domain = cached_domain_first(cached, id);
	for (; domain; domain = domain->next)
		last = &domain->next;
	domain = cached_record(cached, sizeof(*domain));
	if (!domain)
		return NULL;
	domain->at.start = id;
	domain->at.last = id;
	domain->iommu = iommu;
	domain->domain = id;
	SLIST_INIT(&domain->sources);
	cached_ways_init(domain);
	interval_tree_init(&domain->leaves);
	interval_tree_by_page(&domain->leaves, &cached->world->memory, cached->blind);
	interval_tree_init(&domain->rows.records);
	interval_tree_init(&domain->tables);
	interval_insert(&cached->domains, &domain->at);
	cached->caching |= iommu->caching_mode;
	if (last)
		*last = domain;
	return domain;
}

static void domain_drop(struct cached *cached, struct cached_domain *domain)
{
	struct memory *memory = &cached->world->memory;
	struct interval *any;

	interval_tree_fini(&domain->leaves);
	while ((any = interval_any(&domain->tables)))
		cached_table_drop(cached, (struct cached_table *)any);
	while (!SLIST_EMPTY(&domain->sources)) {
		struct cached_source *source = SLIST_FIRST(&domain->sources);

		SLIST_REMOVE_HEAD(&domain->sources, link);
		memory_free(memory, source);
	}
	interval_remove(&cached->domains, &domain->at);
	cached_ways_fini(cached, domain);
	memory_free(memory, domain);
}

void cached_fini(struct cached *cached)
{
	struct interval *any;

	cached_devices_fini(cached);
	cached_contexts_fini(&cached->contexts);
	while ((any = interval_any(&cached->domains)))
		domain_drop(cached, (struct cached_domain *)any);
	check_pool_fini(&cached->leaves);
	check_pool_fini(&cached->pages);
	check_pool_fini(&cached->moments);
	cached_units_fini(cached);
}

/* ---- Contexts --------------------------------------------------------- */

static u8 levels_of(const struct hw_context *context)
{
	return context->type == HW_CONTEXT_FIRST_STAGE ? context->levels | HW_FIRST_STAGE
						       : context->levels;
}

static struct cached_source *source_get(struct cached *cached, struct cached_domain *domain,
					const struct hw_context *context, bool *changed)
{
	struct cached_source *source;

	SLIST_FOREACH(source, &domain->sources, link) {
		if (source->root == context->root && source->levels == levels_of(context) &&
		    source->read == !context->no_read && source->write == !context->no_write)
			return source;
	}
	source = cached_record(cached, sizeof(*source));
	if (!source)
		return NULL;
	source->root = context->root;
	source->levels = levels_of(context);
	source->read = !context->no_read;
	source->write = !context->no_write;
	SLIST_INSERT_HEAD(&domain->sources, source, link);
	*changed = true;
	return source;
}

static bool drop_unused_sources(struct cached *cached, struct cached_domain *domain)
{
	struct cached_source *source = SLIST_FIRST(&domain->sources);
	bool any = false;

	while (source) {
		struct cached_source *next = SLIST_NEXT(source, link);

		if (!source->used) {
			SLIST_REMOVE(&domain->sources, source, cached_source, link);
			memory_free(&cached->world->memory, source);
			any = true;
		}
		source = next;
	}
	return any;
}

bool cached_find_sources(struct cached *cached, struct cached_domain *domain)
{
	const struct interval_tree *contexts = &cached->contexts.by_domain;
	struct cached_source *source;
	struct interval *at;
	bool changed = false;

	SLIST_FOREACH(source, &domain->sources, link)
		source->used = false;
	for (at = interval_first(contexts, domain->domain, domain->domain); at;
	     at = interval_next(contexts, at, domain->domain, domain->domain)) {
		const struct cached_context *context = cached_context_of_domain(at);

		if (context->iommu != domain->iommu || !hw_context_has_tables(&context->context))
			continue;
		source = source_get(cached, domain, &context->context, &changed);
		if (source)
			source->used = true;
	}
	changed |= drop_unused_sources(cached, domain);
	if (changed)
		cached_ways_forget(domain);
	return changed;
}

/* A page that is not there, or an entry that is not well-formed. */
static bool lets_nothing_through(const struct hw_iommu *iommu, const struct hw_context *context)
{
	struct hw_refusal read = hw_entry_refusal(iommu, context, false);
	struct hw_refusal write = hw_entry_refusal(iommu, context, true);

	return read.code && !read.by_tables && write.code && !write.by_tables;
}

void cached_context_written(struct cached *cached, struct hw_iommu *iommu, u16 requester,
			    const struct hw_context *context)
{
	struct check_moment now = check_now(&cached->clock);
	struct hw_context entry = *context;
	struct cached_domain *domain;

	if (lets_nothing_through(iommu, context))
		entry.type = HW_CONTEXT_ABSENT;
	cached_context_set(&cached->contexts, iommu, requester, &entry, now);
	if (!hw_context_has_tables(&entry))
		return;
	domain = domain_get(cached, iommu, context->domain);
	if (!domain)
		return;
	domain->root = context->root;
	domain->levels = levels_of(context);
	domain->first_stage = context->type == HW_CONTEXT_FIRST_STAGE;
	if (cached_find_sources(cached, domain))
		cached_compare(cached, domain, 0, ~0ULL, now, false);
}

void cached_top_forget(struct cached *cached, phys_addr_t root)
{
	struct interval *at;

	cached_context_forget(&cached->contexts, root);
	for (at = interval_first(&cached->domains, 0, ~0ULL); at;
	     at = interval_next(&cached->domains, at, 0, ~0ULL))
		cached_find_sources(cached, (struct cached_domain *)at);
}

/* ---- What changes ----------------------------------------------------- */

void cached_changed(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	cached_compare(cached, domain, start, last, check_now(&cached->clock), false);
}

/* Marks the pages of [start, last] that hold. */
static void mark_unmapped(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
			  bool unmapped)
{
	struct interval *at;

	cached_pages_spread(cached, domain, start, last);
	at = interval_first(&domain->leaves, start, last);
	while (at) {
		struct cached_leaf *leaf = (struct cached_leaf *)at;

		at = interval_next(&domain->leaves, at, start, last);
		if (!cached_holds(leaf) || leaf->absent || leaf->unmapped == unmapped)
			continue;
		leaf = cached_pages_take(cached, leaf, start, last);
		if (!leaf)
			return;
		leaf->unmapped = unmapped;
		domain->has_left |= unmapped;
		cached_leaf_put(cached, leaf);
	}
}

void cached_mapped_somehow(struct cached *cached, struct cached_domain *domain, u64 start, u64 last,
			   struct check_moment now)
{
	cached_compare(cached, domain, start, last, now, true);
}

void cached_mapped_over(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	mark_unmapped(cached, domain, start, last, false);
}

/* What is left in the tables, as they are walked. */
struct left {
	struct cached *cached;
	struct cached_domain *domain;
	u64 start; /* of what was unmapped */
	u64 last;
};

static void mark_left(void *cookie, const struct hw_leaf *leaf)
{
	const struct left *left = cookie;
	u64 start = leaf->iova, last = leaf->iova + (leaf->bytes - 1);

	if (!leaf->read && !leaf->write)
		return;
	mark_unmapped(left->cached, left->domain, start > left->start ? start : left->start,
		      last < left->last ? last : left->last, true);
}

bool cached_any_leaf_holds(const struct cached_domain *domain, u64 start, u64 last)
{
	struct interval *at = interval_first(&domain->leaves, start, last);

	while (at && !cached_holds((struct cached_leaf *)at))
		at = interval_next(&domain->leaves, at, start, last);
	return at;
}

DMASIM_HOT void cached_unmapped(struct cached *cached, struct cached_domain *domain, u64 start,
				u64 last)
{
	struct left left = { cached, domain, start, last };

	if (DMASIM_UNLIKELY(domain->iommu->walker.cache)) {
		mark_unmapped(cached, domain, start, last, true);
		return;
	}
	/* Through a table that was unlinked, and may be cached, pages hold that are not left. */
	if (DMASIM_UNLIKELY(cached_any_holds(domain, start, last)))
		hw_walk_range(domain->iommu, domain->root, domain->levels, start, last, mark_left,
			      NULL, &left);
}

static bool knows_page(const struct cached_domain *domain, const struct hw_leaf *leaf, bool ended)
{
	const struct cached_pages *pages =
		cached_pages_first(&domain->rows, leaf->iova, leaf->iova);
	u64 bit = cached_pages_bit(leaf->iova);
	u64 says;

	if (!pages || !(((ended ? pages->ended : 0) | pages->holding) & bit))
		return false;
	says = pages->says[cached_pages_index(leaf->iova)];
	return leaf->page_lg2 == CACHED_PAGE_LG2 &&
	       (says & ~CACHED_PAGE_LAST) + (leaf->iova & CACHED_PAGE_LAST) == leaf->phys &&
	       (!leaf->read || says & CACHED_PAGE_READ) &&
	       (!leaf->write || says & CACHED_PAGE_WRITE);
}

/* True if the set has it, as something that holds, or also as something that did. */
static bool knows(const struct cached_domain *domain, const struct hw_leaf *leaf, bool ended)
{
	u64 start = leaf->iova, last = leaf->iova + (leaf->bytes - 1);
	const struct interval_tree *leaves = &domain->leaves;
	struct interval *at;

	if (leaf->bytes <= PAGE_SIZE && knows_page(domain, leaf, ended))
		return true;
	for (at = interval_first(leaves, start, last); at;
	     at = interval_next(leaves, at, start, last)) {
		const struct cached_leaf *known = (const struct cached_leaf *)at;

		if (!known->absent && (ended || cached_holds(known)) && at->start <= start &&
		    at->last >= last && known->page_lg2 == leaf->page_lg2 &&
		    known->phys + (start - at->start) == leaf->phys && known->read >= leaf->read &&
		    known->write >= leaf->write)
			return true;
	}
	return false;
}

/*
 * Most of what is cached is known. If not, it was written by hand since; or it came by a way that
 * the set does not know, and nobody can say that it still holds.
 */
void cached_filled(struct cached *cached, struct hw_iommu *iommu, u32 id,
		   const struct hw_leaf *leaf)
{
	struct cached_domain *domain = cached_domain_find(cached, iommu, id);
	struct cached_leaf *new;

	if (!domain || knows(domain, leaf, false))
		return;
	cached_changed(cached, domain, leaf->iova, leaf->iova + (leaf->bytes - 1));
	if (knows(domain, leaf, true))
		return;
	cached_pages_spread(cached, domain, leaf->iova, leaf->iova + (leaf->bytes - 1));
	new = cached_leaf_new(cached);
	if (!new)
		return;
	*new = (struct cached_leaf){
		.at = { .start = leaf->iova, .last = leaf->iova + (leaf->bytes - 1) },
		.domain = domain,
		.phys = leaf->phys,
		.page_lg2 = leaf->page_lg2,
		.read = leaf->read,
		.write = leaf->write,
		.since = check_now(&cached->clock),
	};
	new->until = new->since;
	cached_leaf_put(cached, new);
}
