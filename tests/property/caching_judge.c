/* SPDX-License-Identifier: MIT */
/*
 * What a command drops, what may be cached after all of them, and what that means for a claim.
 */
#include "property/caching_model.h"

#include <dmasim/hw/vtd.h>

#define PAGE_BYTES 4096ULL
#define TOP	   (PLAIN_LEVELS - 1)

/* ---- What a command drops -------------------------------------------------------------------- */

/* A page, or what a table maps, does not fit into the window; where nothing is, nothing need. */
static bool is_larger(const struct plain_item *item, struct range window)
{
	u64 bytes = item->kind == PLAIN_TABLE ? item->at.last - item->at.start + 1 : item->page;

	return item->kind != PLAIN_ABSENT && bytes - 1 > window.last - window.start;
}

bool plain_covers(const struct plain_model *model, const struct plain_command *command,
		  const struct plain_item *item)
{
	bool same_domain = command->all_domains || command->domain == item->domain ||
			   model->flaw == PLAIN_FLAW_ANY_DOMAIN;

	if (command->unit != item->unit || !same_domain ||
	    command->contexts != (item->kind == PLAIN_CONTEXT))
		return false;
	if (command->contexts)
		return !((command->requester ^ item->context.requester) & (u16)~command->ignored);
	if (model->arch == PLAIN_AMD && model->flaw != PLAIN_FLAW_LARGER &&
	    is_larger(item, command->window))
		return false;
	/* What is cached of an upper entry, there or not, is spared by the hint. */
	if (command->leaf_only && model->flaw != PLAIN_FLAW_LEAF_ONLY &&
	    (item->kind == PLAIN_TABLE || (item->kind == PLAIN_ABSENT && item->level)))
		return false;
	return range_overlap(command->window, item->at);
}

bool plain_has_dropped(const struct plain_model *model, const struct plain_command *command,
		       const struct plain_item *item)
{
	if (command->waited == PLAIN_FOREVER && model->flaw != PLAIN_FLAW_NO_WAIT)
		return false;
	if (item->until > (model->flaw == PLAIN_FLAW_EARLY ? command->waited : command->submitted))
		return false;
	return plain_covers(model, command, item);
}

bool plain_may_be_cached(const struct plain_model *model, const struct plain_item *item)
{
	for (u32 i = 0; i < model->commands; i++)
		if (plain_has_dropped(model, &model->command[i], item))
			return false;
	return true;
}

#define CUTS_MAX 1100

/* Ranges that are taken away from another. */
struct cuts {
	struct range at[CUTS_MAX];
	u32 count;
};

static void cut(struct cuts *cuts, struct range range)
{
	if (cuts->count < CUTS_MAX)
		cuts->at[cuts->count++] = range;
}

static bool something_left(const struct cuts *cuts, u32 next, struct range of)
{
	for (u32 i = next; i < cuts->count; i++) {
		struct range by = cuts->at[i];

		if (!range_overlap(by, of))
			continue;
		if (of.start < by.start &&
		    something_left(cuts, i + 1, (struct range){ of.start, by.start - 1 }))
			return true;
		return by.last < of.last &&
		       something_left(cuts, i + 1, (struct range){ by.last + 1, of.last });
	}
	return true;
}

/* Each page that a window touches is dropped whole, and so is an entry where nothing is. */
static void cut_dropped(const struct plain_model *model, const struct plain_item *item,
			struct cuts *cuts)
{
	u64 within = model->flaw == PLAIN_FLAW_PART ? 0 : item->page - 1;

	for (u32 i = 0; i < model->commands; i++) {
		const struct plain_command *command = &model->command[i];

		if (plain_has_dropped(model, command, item))
			cut(cuts, (struct range){ command->window.start & ~within,
						  command->window.last | within });
	}
}

/* Some of the range may be cached by this item, less what `cuts` has already. */
static bool part_may_be_cached(const struct plain_model *model, const struct plain_item *item,
			       struct range range, struct cuts *cuts)
{
	if (!range_overlap(item->at, range))
		return false;
	if (range.start < item->at.start)
		range.start = item->at.start;
	if (range.last > item->at.last)
		range.last = item->at.last;
	cut_dropped(model, item, cuts);
	return something_left(cuts, 0, range);
}

static bool byte_may_be_cached(const struct plain_model *model, const struct plain_item *item,
			       u64 iova)
{
	struct cuts cuts;

	cuts.count = 0;
	return part_may_be_cached(model, item, (struct range){ iova, iova }, &cuts);
}

/* ---- Claims ---------------------------------------------------------------------------------- */

static struct plain_item top_of(const struct plain_model *model, u16 domain)
{
	return (struct plain_item){
		.level = TOP,
		.read = true,
		.write = true,
		.at = { 0, plain_entry_bytes(TOP + 1) - 1 },
		.phys = model->domain[domain].root,
	};
}

/* An entry that holds says the same as the item, or allows more. */
static bool gives(const struct plain_item *entry, const struct plain_item *item)
{
	return entry->kind == PLAIN_LEAF &&
	       entry->phys - entry->at.start == item->phys - item->at.start &&
	       entry->read >= item->read && entry->write >= item->write;
}

/* Cuts what the tables give now just as the item does. */
static void cut_given(struct plain_model *model, const struct plain_item *from,
		      const struct plain_item *item, struct cuts *cuts)
{
	const struct plain_table *table = plain_table(model, from->phys);

	for (u32 slot = 0; table && slot < plain_slots(from->level); slot++) {
		struct plain_item entry;

		if (!plain_read_entry(from, slot, table->entry[slot], &entry) ||
		    !range_overlap(entry.at, item->at))
			continue;
		if (entry.kind == PLAIN_TABLE)
			cut_given(model, &entry, item, cuts);
		else if (gives(&entry, item))
			cut(cuts, entry.at);
	}
}

/* Some of the range may be cached by this item that the tables give now in smaller pages. */
static bool is_split(struct plain_model *model, const struct plain_item *from,
		     const struct plain_item *item, struct range range)
{
	const struct plain_table *table = plain_table(model, from->phys);

	for (u32 slot = 0; table && slot < plain_slots(from->level); slot++) {
		struct plain_item entry;
		struct cuts cuts;

		cuts.count = 0;
		if (!plain_read_entry(from, slot, table->entry[slot], &entry) ||
		    !range_overlap(entry.at, item->at) || !range_overlap(entry.at, range))
			continue;
		if (entry.kind == PLAIN_TABLE && is_split(model, &entry, item, range))
			return true;
		if (entry.page >= item->page || !gives(&entry, item))
			continue;
		entry.at.start = entry.at.start < range.start ? range.start : entry.at.start;
		entry.at.last = entry.at.last > range.last ? range.last : entry.at.last;
		if (part_may_be_cached(model, item, entry.at, &cuts))
			return true;
	}
	return false;
}

u32 plain_harm(struct plain_model *model, u16 domain, struct range range)
{
	struct plain_item top = top_of(model, domain);
	struct cuts cuts;
	u32 harm = 0;

	for (u32 i = 0; i < model->items; i++) {
		const struct plain_item *item = &model->item[i];

		if (item->kind != PLAIN_LEAF || item->domain != domain ||
		    !(item->read || item->write))
			continue;
		cuts.count = 0;
		cut_given(model, &top, item, &cuts);
		if (part_may_be_cached(model, item, range, &cuts))
			harm |= PLAIN_STALE;
		if (item->page > PAGE_BYTES && is_split(model, &top, item, range))
			harm |= PLAIN_LARGER;
	}
	return harm;
}

/* Something of the range is mapped now below this table, for whatever access. */
static bool is_mapped(struct plain_model *model, const struct plain_item *from, struct range range)
{
	const struct plain_table *table = plain_table(model, from->phys);

	for (u32 slot = 0; table && slot < plain_slots(from->level); slot++) {
		struct plain_item item;

		if (!plain_read_entry(from, slot, table->entry[slot], &item) ||
		    !range_overlap(item.at, range))
			continue;
		if (item.kind == PLAIN_LEAF || is_mapped(model, &item, range))
			return true;
	}
	return false;
}

bool plain_is_absent(struct plain_model *model, u16 domain, struct range range)
{
	struct plain_item top = top_of(model, domain);

	for (u32 i = 0; i < model->items && plain_has_absents(model); i++) {
		const struct plain_item *item = &model->item[i];

		if (item->kind != PLAIN_ABSENT || item->domain != domain ||
		    !range_overlap(item->at, range))
			continue;
		for (u64 at = range.start; at <= range.last; at += PAGE_BYTES)
			if (at >= item->at.start && at <= item->at.last &&
			    byte_may_be_cached(model, item, at) &&
			    is_mapped(model, &top, (struct range){ at, at + PAGE_BYTES - 1 }))
				return true;
	}
	return false;
}

bool plain_table_is_used(struct plain_model *model, phys_addr_t page)
{
	for (u32 i = 0; i < model->items; i++) {
		const struct plain_item *item = &model->item[i];

		if (item->kind == PLAIN_TABLE && item->phys == page &&
		    plain_may_be_cached(model, item))
			return true;
	}
	return false;
}

bool plain_root_is_used(struct plain_model *model, phys_addr_t page)
{
	for (u32 i = 0; i < model->items; i++) {
		const struct plain_item *item = &model->item[i];

		if (item->kind == PLAIN_CONTEXT && item->context.type == PLAIN_TRANSLATE &&
		    item->context.root == page && plain_may_be_cached(model, item))
			return true;
	}
	return false;
}

bool plain_context_is_stale(struct plain_model *model, u32 which)
{
	for (u32 i = 0; i < model->items; i++) {
		const struct plain_item *item = &model->item[i];

		if (item->kind == PLAIN_CONTEXT && item->until != PLAIN_FOREVER &&
		    item->context.requester == model->context[which].requester &&
		    plain_may_be_cached(model, item))
			return true;
	}
	return false;
}

/* ---- Requests -------------------------------------------------------------------------------- */

/* What a context may lead to. */
static bool context_may_reach(struct plain_model *model, const struct plain_context *context,
			      u64 iova, bool write, phys_addr_t phys)
{
	if (context->type == PLAIN_PASS)
		return phys == iova;
	for (u32 i = 0; i < model->items && context->type == PLAIN_TRANSLATE; i++) {
		const struct plain_item *item = &model->item[i];

		if (item->kind == PLAIN_LEAF && item->unit == context->unit &&
		    item->domain == context->domain && (write ? item->write : item->read) &&
		    item->phys - item->at.start == phys - iova &&
		    byte_may_be_cached(model, item, iova))
			return true;
	}
	return false;
}

/* It can be fetched now, or ends with a command that may not have been executed yet. */
static bool may_be_fetched(const struct plain_model *model, const struct plain_item *item)
{
	for (u32 i = 0; i < model->commands; i++)
		if (model->command[i].submitted == item->until &&
		    model->command[i].waited == PLAIN_FOREVER)
			return true;
	return item->until == PLAIN_FOREVER;
}

/* Nothing there, or not the permission; of what is absent only caching mode remembers. */
static bool context_may_refuse(struct plain_model *model, const struct plain_context *context,
			       u64 iova, bool write)
{
	if (context->type != PLAIN_TRANSLATE)
		return context->type == PLAIN_ABSENT_CONTEXT;
	for (u32 i = 0; i < model->items; i++) {
		const struct plain_item *item = &model->item[i];
		bool absent = item->kind == PLAIN_ABSENT;
		bool refuses = absent ||
			       (item->kind == PLAIN_LEAF && !(write ? item->write : item->read));

		if (refuses && item->unit == context->unit && item->domain == context->domain &&
		    (may_be_fetched(model, item) || (absent && plain_has_absents(model))) &&
		    byte_may_be_cached(model, item, iova))
			return true;
	}
	return false;
}

bool plain_may_reach(struct plain_model *model, u16 requester, u64 iova, bool write,
		     phys_addr_t phys)
{
	for (u32 i = 0; i < model->items; i++) {
		const struct plain_item *item = &model->item[i];

		if (item->kind == PLAIN_CONTEXT && item->context.requester == requester &&
		    plain_may_be_cached(model, item) &&
		    context_may_reach(model, &item->context, iova, write, phys))
			return true;
	}
	return false;
}

bool plain_may_fault(struct plain_model *model, u16 requester, u64 iova, bool write)
{
	for (u32 i = 0; i < PLAIN_REQUESTERS; i++) {
		const struct plain_context *context = &model->context[i];

		if (context->requester == requester &&
		    context_may_refuse(model, context, iova, write))
			return true;
	}
	for (u32 i = 0; i < model->items; i++) {
		const struct plain_item *item = &model->item[i];

		if (item->kind == PLAIN_CONTEXT && item->context.requester == requester &&
		    plain_may_be_cached(model, item) &&
		    context_may_refuse(model, &item->context, iova, write))
			return true;
	}
	return false;
}

bool plain_translate(struct plain_model *model, u32 which, u64 iova, bool write, phys_addr_t *phys)
{
	const struct plain_context *context = &model->context[which];
	struct plain_item at = top_of(model, context->domain);

	*phys = iova;
	if (context->type != PLAIN_TRANSLATE)
		return context->type == PLAIN_PASS;
	at.phys = context->root;
	for (;;) {
		const struct plain_table *table = plain_table(model, at.phys);
		struct plain_item item = { .kind = PLAIN_ABSENT };

		for (u32 slot = 0; table && slot < plain_slots(at.level); slot++) {
			struct plain_item found;

			if (plain_read_entry(&at, slot, table->entry[slot], &found) &&
			    range_overlap(found.at, (struct range){ iova, iova }))
				item = found;
		}
		if (item.kind == PLAIN_ABSENT || !(write ? item.write : item.read))
			return false;
		*phys = item.phys + (iova - item.at.start);
		if (item.kind == PLAIN_LEAF)
			return true;
		at = item;
	}
}
