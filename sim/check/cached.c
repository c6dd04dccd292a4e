/* SPDX-License-Identifier: MIT */
#include "check/cached.h"

void cached_init(struct cached *cached, struct world *world, bool *blind)
{
	*cached = (struct cached){ .world = world, .blind = blind };
	SLIST_INIT(&cached->domains);
	STAILQ_INIT(&cached->pending);
	interval_tree_init(&cached->tables_by_phys);
	cached_contexts_init(&cached->contexts, world, blind);
}

static void *record(struct cached *cached, size_t bytes)
{
	void *memory = memory_alloc(&cached->world->memory, DMASIM_FAULT_CHECK_RECORD, bytes);

	if (!memory)
		*cached->blind = true;
	return memory;
}

static void drop(struct cached *cached, struct interval_tree *tree, struct interval *interval)
{
	interval_remove(tree, interval);
	memory_free(&cached->world->memory, interval);
}

static void drop_all(struct cached *cached, struct interval_tree *tree)
{
	struct interval *interval;

	while ((interval = interval_any(tree)))
		drop(cached, tree, interval);
}

void cached_fini(struct cached *cached)
{
	cached_contexts_fini(&cached->contexts);
	while (!SLIST_EMPTY(&cached->domains)) {
		struct cached_domain *domain = SLIST_FIRST(&cached->domains);

		SLIST_REMOVE_HEAD(&cached->domains, link);
		drop_all(cached, &domain->leaves);
		drop_all(cached, &domain->tables);
		drop_all(cached, &domain->absents);
		memory_free(&cached->world->memory, domain);
	}
	while (!STAILQ_EMPTY(&cached->pending)) {
		struct cached_pending *pending = STAILQ_FIRST(&cached->pending);

		STAILQ_REMOVE_HEAD(&cached->pending, link);
		memory_free(&cached->world->memory, pending);
	}
}

struct cached_domain *cached_domain_find(const struct cached *cached, u32 domain)
{
	struct cached_domain *found;

	SLIST_FOREACH(found, &cached->domains, link) {
		if (found->domain == domain)
			return found;
	}
	return NULL;
}

/* ---- Filling ---------------------------------------------------------- */

struct filling {
	struct cached *cached;
	struct cached_domain *domain;
	struct cached_leaf *tail; /* the last stretch found: the next may continue it */
};

static bool continues(const struct cached_leaf *tail, const struct cached_leaf *leaf)
{
	return tail && tail->at.last + 1 == leaf->at.start &&
	       tail->phys + (tail->at.last - tail->at.start + 1) == leaf->phys &&
	       tail->read == leaf->read && tail->write == leaf->write;
}

/* True if the set has exactly this translation already. */
static bool known(const struct cached_domain *domain, const struct cached_leaf *leaf)
{
	struct interval *found;

	for (found = interval_first(&domain->leaves, leaf->at.start, leaf->at.last); found;
	     found = interval_next(&domain->leaves, found, leaf->at.start, leaf->at.last)) {
		const struct cached_leaf *old = (const struct cached_leaf *)found;

		if (found->start <= leaf->at.start && found->last >= leaf->at.last &&
		    old->phys + (leaf->at.start - found->start) == leaf->phys &&
		    old->read == leaf->read && old->write == leaf->write)
			return true;
	}
	return false;
}

static void flush_tail(struct filling *filling)
{
	struct cached_leaf *tail = filling->tail;

	filling->tail = NULL;
	if (!tail)
		return;
	if (known(filling->domain, tail))
		memory_free(&filling->cached->world->memory, tail);
	else
		interval_insert(&filling->domain->leaves, &tail->at);
}

static void add_leaf(void *cookie, const struct hw_leaf *found)
{
	struct filling *filling = cookie;
	struct cached_leaf leaf = {
		.at = { .start = found->iova, .last = found->iova + found->bytes - 1 },
		.phys = found->phys,
		.read = found->read,
		.write = found->write,
		.since_ns = filling->cached->world->clock.now_ns,
	};

	if (continues(filling->tail, &leaf)) {
		filling->tail->at.last = leaf.at.last;
		return;
	}
	flush_tail(filling);
	filling->tail = record(filling->cached, sizeof(leaf));
	if (filling->tail)
		*filling->tail = leaf;
}

static void add_table(void *cookie, const struct hw_table *at)
{
	phys_addr_t phys = at->phys;
	u64 iova = at->iova, bytes = at->bytes;
	struct filling *filling = cookie;
	struct interval_tree *tables = &filling->domain->tables;
	struct cached_table *table;
	struct interval *found;

	for (found = interval_first(tables, iova, iova); found;
	     found = interval_next(tables, found, iova, iova)) {
		if (((struct cached_table *)found)->phys == phys)
			return;
	}
	table = record(filling->cached, sizeof(*table));
	if (!table)
		return;
	table->at.start = iova;
	table->at.last = iova + bytes - 1;
	table->phys = phys;
	table->domain = filling->domain->domain;
	table->page.at.start = phys;
	table->page.at.last = phys;
	table->page.table = table;
	interval_insert(tables, &table->at);
	interval_insert(&filling->cached->tables_by_phys, &table->page.at);
}

/* Before they were written the unit may have looked. */
static void add_absent(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	struct cached_absent *absent = record(cached, sizeof(*absent));

	if (!absent)
		return;
	absent->at.start = start;
	absent->at.last = last;
	interval_insert(&domain->absents, &absent->at);
}

static void find_all(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	struct filling filling = { .cached = cached, .domain = domain };

	hw_walk_range(domain->iommu, domain->root, domain->levels, start, last, add_leaf, add_table,
		      &filling);
	flush_tail(&filling);
}

void cached_mapped(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	if (domain->iommu->caching_mode)
		add_absent(cached, domain, start, last);
	find_all(cached, domain, start, last);
}

/* ---- Emptying --------------------------------------------------------- */

/* What lies outside [start, last] of a stretch that is dropped stays. False: no memory. */
static bool keep_outside(struct cached *cached, struct cached_domain *domain,
			 const struct cached_leaf *leaf, u64 start, u64 last)
{
	if (leaf->at.start < start) {
		struct cached_leaf *below = record(cached, sizeof(*below));

		if (!below)
			return false;
		*below = *leaf;
		below->at.last = start - 1;
		interval_insert(&domain->leaves, &below->at);
	}
	if (leaf->at.last > last) {
		struct cached_leaf *above = record(cached, sizeof(*above));

		if (!above)
			return false;
		*above = *leaf;
		above->at.start = last + 1;
		above->phys = leaf->phys + (last + 1 - leaf->at.start);
		interval_insert(&domain->leaves, &above->at);
	}
	return true;
}

void cached_forget(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	struct interval *found;

	while ((found = interval_first(&domain->leaves, start, last))) {
		struct cached_leaf leaf = *(struct cached_leaf *)found;

		drop(cached, &domain->leaves, found);
		if (!keep_outside(cached, domain, &leaf, start, last))
			return;
	}
}

/* What lies outside [start, last] of a stretch that is dropped stays. True: there was one. */
static bool forget_absents(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	struct interval *found;
	bool any = false;

	while ((found = interval_first(&domain->absents, start, last))) {
		u64 from = found->start, to = found->last;

		drop(cached, &domain->absents, found);
		if (from < start)
			add_absent(cached, domain, from, start - 1);
		if (to > last)
			add_absent(cached, domain, last + 1, to);
		any = true;
	}
	return any;
}

bool cached_absent_take(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	return forget_absents(cached, domain, start, last);
}

static void drop_table(struct cached *cached, struct cached_domain *domain, struct interval *found)
{
	struct cached_table *table = (struct cached_table *)found;

	interval_remove(&cached->tables_by_phys, &table->page.at);
	drop(cached, &domain->tables, found);
}

static void forget_tables(struct cached *cached, struct cached_domain *domain, u64 start, u64 last)
{
	struct interval *found;

	while ((found = interval_first(&domain->tables, start, last)))
		drop_table(cached, domain, found);
}

/* What the tables still hold may be cached again at once. */
static void apply(struct cached *cached, struct cached_domain *domain,
		  const struct hw_invalidation *what)
{
	cached_forget(cached, domain, what->start, what->last);
	if (!what->leaf_only)
		forget_tables(cached, domain, what->start, what->last);
	forget_absents(cached, domain, what->start, what->last);
	find_all(cached, domain, what->start, what->last);
}

void cached_invalidated(struct cached *cached, struct hw_iommu *iommu,
			const struct hw_invalidation *what)
{
	struct cached_pending *pending = record(cached, sizeof(*pending));

	if (!pending)
		return;
	pending->iommu = iommu;
	pending->what = *what;
	STAILQ_INSERT_TAIL(&cached->pending, pending, link);
}

static void apply_everywhere(struct cached *cached, const struct cached_pending *pending)
{
	struct cached_domain *domain;

	if (pending->what.what == HW_INVALIDATED_CONTEXT) {
		cached_contexts_invalidated(&cached->contexts, pending->iommu, &pending->what);
		return;
	}
	SLIST_FOREACH(domain, &cached->domains, link) {
		if (domain->iommu == pending->iommu &&
		    (pending->what.all_domains || pending->what.domain == domain->domain))
			apply(cached, domain, &pending->what);
	}
}

void cached_waited(struct cached *cached, struct hw_iommu *iommu, u64 number)
{
	struct cached_pending_list later = STAILQ_HEAD_INITIALIZER(later);

	while (!STAILQ_EMPTY(&cached->pending)) {
		struct cached_pending *pending = STAILQ_FIRST(&cached->pending);

		STAILQ_REMOVE_HEAD(&cached->pending, link);
		if (pending->iommu != iommu || pending->what.number > number) {
			STAILQ_INSERT_TAIL(&later, pending, link);
			continue;
		}
		apply_everywhere(cached, pending);
		memory_free(&cached->world->memory, pending);
	}
	STAILQ_CONCAT(&cached->pending, &later);
}

void cached_domain_set(struct cached *cached, struct hw_iommu *iommu, u32 domain, phys_addr_t root,
		       u8 levels)
{
	struct cached_domain *found = cached_domain_find(cached, domain);

	if (!found) {
		found = record(cached, sizeof(*found));
		if (!found)
			return;
		found->domain = domain;
		interval_tree_init(&found->leaves);
		interval_tree_init(&found->tables);
		interval_tree_init(&found->absents);
		SLIST_INSERT_HEAD(&cached->domains, found, link);
	}
	if (found->root == root && found->iommu == iommu)
		return;
	/* A domain id that is used again: the old tables are gone, and were invalidated. */
	found->iommu = iommu;
	found->root = root;
	found->levels = levels;
	cached_forget(cached, found, 0, ~0ULL);
	forget_tables(cached, found, 0, ~0ULL);
	forget_absents(cached, found, 0, ~0ULL);
	/* What was mapped before the first device was attached. */
	find_all(cached, found, 0, ~0ULL);
}

/* ---- Judging ---------------------------------------------------------- */

/* A translation being compared with what the tables give now. */
struct comparison {
	u64 next; /* first address not yet confirmed */
	u64 last;
	const struct cached_leaf *leaf;
};

static void compare_leaf(void *cookie, const struct hw_leaf *found)
{
	struct comparison *comparison = cookie;
	const struct cached_leaf *leaf = comparison->leaf;
	u64 at = comparison->next;

	if (found->iova > at || found->iova + found->bytes - 1 < at)
		return;
	if (found->phys + (at - found->iova) != leaf->phys + (at - leaf->at.start))
		return;
	if ((leaf->read && !found->read) || (leaf->write && !found->write))
		return;
	comparison->next = found->iova + found->bytes;
}

static bool still_true(const struct cached_domain *domain, const struct cached_leaf *leaf,
		       u64 start, u64 last)
{
	struct comparison comparison = { start, last, leaf };

	hw_walk_range(domain->iommu, domain->root, domain->levels, start, last, compare_leaf, NULL,
		      &comparison);
	return comparison.next > last;
}

const struct cached_leaf *cached_stale(const struct cached_domain *domain, u64 start, u64 last)
{
	struct interval *found;

	for (found = interval_first(&domain->leaves, start, last); found;
	     found = interval_next(&domain->leaves, found, start, last)) {
		struct cached_leaf *leaf = (struct cached_leaf *)found;
		u64 from = found->start > start ? found->start : start;
		u64 to = found->last < last ? found->last : last;

		if (!still_true(domain, leaf, from, to))
			return leaf;
	}
	return NULL;
}

const struct cached_table *cached_table_use(const struct cached *cached, phys_addr_t table)
{
	const struct interval *found = interval_first(&cached->tables_by_phys, table, table);

	return found ? ((const struct cached_page *)found)->table : NULL;
}
