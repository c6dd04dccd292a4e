/* SPDX-License-Identifier: MIT */
#include "check/stale.h"

#include "check/explain.h"
#include "check/stale_text.h"

/* ---- What was found, until it is told --------------------------------- */

static struct stale *note(struct check *check)
{
	struct stale *stale =
		memory_alloc(&check->world->memory, DMASIM_FAULT_CHECK_RECORD, sizeof(*stale));

	if (!stale)
		check->blind = true;
	return stale;
}

/* What a timer does is nobody's call; while CPUs run at once, others may change it by the end. */
static bool tells_at_once(const struct check *check)
{
	return check->world->clock.running || world_cpus_run(check->world);
}

static void keep(struct check *check, struct stale *stale)
{
	STAILQ_INSERT_TAIL(&check->call->stale, stale, link);
	if (tells_at_once(check))
		stale_tell(check, &check->call->stale, NULL);
}

/* A call about another domain is not the one that did it. */
static bool is_its_call(struct check *check, const struct stale *stale,
			const struct dmasim_event *event)
{
	const struct owner_space *space = owners_space(&check->owners, event->dev);

	return space && space->is_domain && space->id == stale->domain;
}

static void tell(struct check *check, const struct stale *stale, const struct dmasim_event *event)
{
	const struct owner_space *space = owners_domain(&check->owners, stale->domain);
	struct finding finding = {
		.id = stale->id,
		.dev = DMASIM_NO_SBDF,
		.dma = stale->dma,
		.size = stale->size,
		.what = stale->what,
		.cause = stale->cause,
		.explained = stale->text,
		.past = space ? owners_past_of_any(space, stale->dma) : NULL,
	};

	if (event && is_its_call(check, stale, event)) {
		finding.dev = event->dev;
		finding.site = event->site;
	}
	check_report(check, &finding);
}

void stale_tell(struct check *check, struct stale_list *found, const struct dmasim_event *event)
{
	while (!STAILQ_EMPTY(found)) {
		struct stale *stale = STAILQ_FIRST(found);

		STAILQ_REMOVE_HEAD(found, link);
		if (check_can_judge(check))
			tell(check, stale, event);
		memory_free(&check->world->memory, stale);
	}
}

void stale_fini(struct check *check, struct stale_list *found)
{
	while (!STAILQ_EMPTY(found)) {
		struct stale *stale = STAILQ_FIRST(found);

		STAILQ_REMOVE_HEAD(found, link);
		memory_free(&check->world->memory, stale);
	}
}

/* ---- Translations ----------------------------------------------------- */

static const char *const claim_texts[] = {
	[STALE_SYNCED] = "its invalidation is over",
	[STALE_UNMAPPED] = "its unmap is over",
	[STALE_FREED] = "its IOVA is free for others",
	[STALE_REUSED] = "its IOVA was handed out again",
};

static const char *const harm_texts[] = {
	[CACHED_GONE] = "nothing is mapped there",
	[CACHED_OTHER] = "other memory is mapped there",
	[CACHED_PERMISSION] = "it may do less there now",
	[CACHED_LARGER] = "smaller pages are mapped there",
	[CACHED_DIRTY] = "the dirty bit is clear there",
	[CACHED_ACCESSED] = "the accessed bit is clear there",
};

static void note_leaf(struct check *check, struct stale *stale, const struct cached_leaf *leaf,
		      enum cached_harm harm, u64 from, u64 to)
{
	struct text text;

	stale->id = harm == CACHED_LARGER ? DMASIM_REPORT_MIXED_PAGE_SIZES
					  : DMASIM_REPORT_STALE_TRANSLATION;
	stale->domain = leaf->domain->domain;
	stale->dma = from;
	stale->size = to - from + 1;
	text_init(&text, stale->text, sizeof(stale->text));
	stale->cause = stale_text_leaf(check, &text, leaf, from, to);
}

/* What a device keeps for itself. */
static void judge_devices(struct check *check, struct cached_domain *domain, u64 start, u64 last,
			  enum stale_claim claim)
{
	struct cached_device_stale found;
	struct stale *stale;
	struct text text;

	if (SLIST_EMPTY(&check->cached.devices) ||
	    !cached_device_stale(&check->cached, domain, start, last, &found))
		return;
	found.fetched->told = true;
	stale = note(check);
	if (!stale)
		return;
	stale->id = DMASIM_REPORT_STALE_TRANSLATION;
	stale->domain = domain->domain;
	stale->dma = found.from;
	stale->size = found.to - found.from + 1;
	text_init(&text, stale->text, sizeof(stale->text));
	stale->cause = stale_text_fetched(check, &text, &found);
	text_init(&text, stale->what, sizeof(stale->what));
	text_add(&text, "%s; %s", claim_texts[claim], harm_texts[found.harm]);
	keep(check, stale);
}

static void judge_domain(struct check *check, struct cached_domain *domain, u64 start, u64 last,
			 enum stale_claim claim)
{
	enum cached_harm harm;
	struct cached_leaf *leaf;
	struct stale *stale;
	struct text text;
	u64 from, to;

	leaf = cached_stale(&check->cached, domain, start, last, &harm, &from, &to);
	if (!leaf) {
		judge_devices(check, domain, start, last, claim);
		return;
	}
	stale = note(check);
	if (!stale)
		return;
	note_leaf(check, stale, leaf, harm, from, to);
	text_init(&text, stale->what, sizeof(stale->what));
	text_add(&text, "%s; %s", claim_texts[claim], harm_texts[harm]);
	cached_told(&check->cached, domain, start, last);
	keep(check, stale);
}

void stale_judge(struct check *check, u32 id, u64 start, u64 last, enum stale_claim claim)
{
	struct cached_domain *domain = cached_domain_first(&check->cached, id);

	for (; domain && check_can_judge(check); domain = cached_domain_next(domain)) {
		if (DMASIM_UNLIKELY(cached_any(domain, start, last) ||
				    !SLIST_EMPTY(&check->cached.devices)))
			judge_domain(check, domain, start, last, claim);
	}
}

/* ---- Tables and contexts ---------------------------------------------- */

static void tell_table(struct check *check, const struct cached_table *table)
{
	char explained[STALE_TEXT_BYTES];
	struct finding finding = {
		.id = DMASIM_REPORT_TABLE_FREED_EARLY,
		.dev = DMASIM_NO_SBDF,
		.dma = table->at.start,
		.size = table->at.last - table->at.start + 1,
		.what = "no invalidation of non-leaf entries covered it since it was unlinked",
		.explained = explained,
	};
	struct text text;

	if (!check_happened(table->until))
		finding.what = "it is linked";
	text_init(&text, explained, sizeof(explained));
	finding.cause = stale_text_table(check, &text, table);
	check_report(check, &finding);
}

/* A requester may still be sent to what its entry said. */
static void tell_context(struct check *check, const struct cached_context *context,
			 enum dmasim_report_id id)
{
	u16 requester = (u16)context->at.start;
	char explained[STALE_TEXT_BYTES];
	char what[96];
	struct finding finding = {
		.id = id,
		.dev = DMASIM_NO_SBDF,
		.what = what,
		.explained = explained,
	};
	struct text text;

	if (id == DMASIM_REPORT_TABLE_FREED_EARLY)
		finding.hardware = "a walk takes what comes to lie in the table for entries";
	text_init(&text, what, sizeof(what));
	text_add(&text, "no invalidation covered the context entry of %02x:%02x.%x, domain %u",
		 requester >> 8, (requester >> 3) & 0x1f, requester & 7, context->context.domain);
	text_init(&text, explained, sizeof(explained));
	finding.cause = stale_text_context(check, &text, context);
	check_report(check, &finding);
}

void stale_judge_table(struct check *check, phys_addr_t phys)
{
	const struct cached_context *context = cached_context_use(&check->cached.contexts, phys);
	const struct cached_table *table;

	if (!check_can_judge(check))
		return;
	/* A whole page table goes. */
	if (context) {
		tell_context(check, context, DMASIM_REPORT_TABLE_FREED_EARLY);
		cached_top_forget(&check->cached, phys);
	}
	table = cached_table_use(&check->cached, phys);
	if (table) {
		tell_table(check, table);
		cached_table_forget(&check->cached, phys);
	}
}

/* What its own TLB has of where it was before. */
static void judge_left(struct check *check, const struct dmasim_event *event,
		       const struct hw_iommu *iommu)
{
	char explained[STALE_TEXT_BYTES];
	struct cached_device_stale left;
	struct finding finding = {
		.id = DMASIM_REPORT_STALE_TRANSLATION,
		.dev = event->dev,
		.what = "its device was attached anew",
		.explained = explained,
	};
	struct text text;

	if (!cached_device_left(&check->cached, iommu, (u16)event->dev, &left))
		return;
	left.fetched->told = true;
	finding.dma = left.from;
	finding.size = left.to - left.from + 1;
	text_init(&text, explained, sizeof(explained));
	finding.cause = stale_text_fetched(check, &text, &left);
	check_report(check, &finding);
}

void stale_judge_context(struct check *check, const struct dmasim_event *event)
{
	const struct hw_function *function = hw_function_find(check->hw, event->dev);
	struct cached_context *context;

	if (!check_can_judge(check) || event->ret || !function ||
	    !hw_root_above(function->bus->root)->iommu)
		return;
	context = cached_context_stale(&check->cached.contexts,
				       hw_root_above(function->bus->root)->iommu, (u16)event->dev);
	if (context) {
		context->told = true;
		tell_context(check, context, DMASIM_REPORT_STALE_CONTEXT);
	}
	judge_left(check, event, hw_root_above(function->bus->root)->iommu);
}

/* ---- Memory ----------------------------------------------------------- */

static void tell_frames(struct check *check, const struct cached_leaf *leaf, u64 start, u64 last)
{
	char explained[STALE_TEXT_BYTES];
	struct finding finding = {
		.id = DMASIM_REPORT_STALE_TRANSLATION,
		.dev = DMASIM_NO_SBDF,
		.dma = start,
		.size = last - start + 1,
		.what = "its memory was allocated again",
		.explained = explained,
	};
	struct text text;

	text_init(&text, explained, sizeof(explained));
	finding.cause = stale_text_leaf(check, &text, leaf, start, last);
	check_report(check, &finding);
}

static void judge_frames(struct check *check, struct cached_leaf *leaf, phys_addr_t first,
			 phys_addr_t last)
{
	phys_addr_t from = leaf->by_phys.start > first ? leaf->by_phys.start : first;
	phys_addr_t to = leaf->by_phys.last < last ? leaf->by_phys.last : last;
	u64 start = leaf->at.start + (from - leaf->phys);
	u64 end = leaf->at.start + (to - leaf->phys);

	if (!cached_harm(leaf->domain, leaf, start, end))
		return;
	check->cached.windows.pages_reused += (to - from + FRAME_BYTES) >> FRAME_SHIFT;
	if (!check->report_lazy_pages || leaf->told || leaf->told_page)
		return;
	leaf->told_page = true;
	tell_frames(check, leaf, start, end);
}

void stale_judge_frames(struct check *check, phys_addr_t phys, u64 bytes)
{
	phys_addr_t last = phys + (bytes - 1);
	struct cached_leaf *leaf;

	if (!check_can_judge(check) || !check->cached.windows.open)
		return;
	for (leaf = cached_reaching(&check->cached, phys, last); leaf;
	     leaf = cached_reaching_next(&check->cached, leaf, phys, last))
		judge_frames(check, leaf, phys, last);
}
