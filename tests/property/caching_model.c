/* SPDX-License-Identifier: MIT */
/*
 * What is in memory, what happens, and what can be fetched.
 */
#include "property/caching_model.h"

#include <dmasim/hw/vtd.h>

#define PAGE_LG2 12
#define TOP	 (PLAIN_LEVELS - 1)

/* ---- Tables ---------------------------------------------------------------------------------- */

u32 plain_index(u8 level, u32 slot)
{
	static const u32 index[PLAIN_LEVELS][PLAIN_SLOTS] = {
		{ 0, 1, 2, 511, 3 },
		{ 0, 511 },
		{ 254, 255 },
	};

	return index[level][slot];
}

u32 plain_entries(u8 level, u32 slot)
{
	return !level && slot == PLAIN_REST ? 508 : 1;
}

u32 plain_slots(u8 level)
{
	return level ? 2 : PLAIN_SLOTS;
}

u64 plain_entry_bytes(u8 level)
{
	return 1ULL << (PAGE_LG2 + 9 * level);
}

struct plain_table *plain_table(struct plain_model *model, phys_addr_t phys)
{
	for (u32 i = 0; i < PLAIN_TABLES_MAX; i++)
		if (phys && model->table[i].phys == phys)
			return &model->table[i];
	return NULL;
}

bool plain_read_entry(const struct plain_item *from, u32 slot, u64 entry, struct plain_item *item)
{
	u64 bytes = plain_entry_bytes(from->level);

	*item = *from;
	item->at.start = from->at.start + plain_index(from->level, slot) * bytes;
	item->at.last = item->at.start + plain_entries(from->level, slot) * bytes - 1;
	item->read = from->read && entry & VTD_SS_READ;
	item->write = from->write && entry & VTD_SS_WRITE;
	item->phys = entry & VTD_SS_ADDR_MASK;
	item->page = bytes;
	item->kind = PLAIN_LEAF;
	if (!(entry & (VTD_SS_READ | VTD_SS_WRITE))) {
		item->kind = PLAIN_ABSENT;
		item->phys = 0;
	} else if (from->level && !(entry & VTD_SS_SUPERPAGE)) {
		item->kind = PLAIN_TABLE;
		item->level = from->level - 1;
		item->page = 0;
	}
	return item->read || item->write;
}

/* ---- What can be fetched now ----------------------------------------------------------------- */

static bool same_context(const struct plain_context *one, const struct plain_context *two)
{
	return one->type == two->type && one->requester == two->requester &&
	       one->unit == two->unit && one->domain == two->domain && one->root == two->root;
}

static bool same(const struct plain_item *one, const struct plain_item *two)
{
	return one->kind == two->kind && one->unit == two->unit && one->domain == two->domain &&
	       one->level == two->level && one->read == two->read && one->write == two->write &&
	       one->at.start == two->at.start && one->at.last == two->at.last &&
	       one->phys == two->phys && same_context(&one->context, &two->context);
}

/*
 * Fetched through something that is only cached: a command that is to drop both leaves nothing, in
 * whatever order with others it is executed. NULL: there is none.
 */
static const struct plain_command *drops_both(const struct plain_model *model,
					      const struct plain_item *through,
					      const struct plain_item *item)
{
	for (u32 i = 0; through && i < model->commands; i++) {
		const struct plain_command *command = &model->command[i];

		if (command->submitted >= through->until && plain_covers(model, command, through) &&
		    plain_covers(model, command, item))
			return command;
	}
	return NULL;
}

static void keep(struct plain_model *model, struct plain_item item)
{
	for (u32 i = 0; i < model->items; i++) {
		struct plain_item *known = &model->item[i];

		if (known->until == PLAIN_FOREVER && same(known, &item)) {
			known->fetched = true;
			return;
		}
	}
	if (model->items == PLAIN_ITEMS_MAX) {
		model->full = true;
		return;
	}
	item.from = model->now;
	item.until = PLAIN_FOREVER;
	item.fetched = true;
	model->item[model->items++] = item;
}

static void fetch(struct plain_model *model, const struct plain_item *through,
		  struct plain_item item)
{
	const struct plain_command *command = drops_both(model, through, &item);
	struct plain_item part = item;

	if (!command) {
		keep(model, item);
		return;
	}
	/* Of several pages those beside the window stay. */
	if (item.kind == PLAIN_TABLE || item.page > item.at.last - item.at.start)
		return;
	if (item.at.start < command->window.start) {
		part.at.last = command->window.start - 1;
		fetch(model, through, part);
	}
	if (item.at.last > command->window.last) {
		part = item;
		part.at.start = command->window.last + 1;
		part.phys += item.phys ? part.at.start - item.at.start : 0;
		fetch(model, through, part);
	}
}

/* Everything below a table, as memory is; `through`: it is only cached, NULL: memory says so. */
static void walk(struct plain_model *model, const struct plain_item *through,
		 const struct plain_item *from)
{
	const struct plain_table *table = plain_table(model, from->phys);

	for (u32 slot = 0; table && slot < plain_slots(from->level); slot++) {
		struct plain_item item;

		plain_read_entry(from, slot, table->entry[slot], &item);
		fetch(model, through, item);
		if (item.kind == PLAIN_TABLE)
			walk(model, through, &item);
	}
}

/*
 * From the top, through what a context entry says. A first stage has one more above: then the
 * domain's own is a table that is cached, too.
 */
static void walk_from_context(struct plain_model *model, const struct plain_context *context)
{
	const struct plain_item top = {
		.kind = PLAIN_TABLE,
		.unit = context->unit,
		.domain = context->domain,
		.level = TOP,
		.read = true,
		.write = true,
		.at = { 0, plain_entry_bytes(TOP + 1) - 1 },
		.phys = context->root,
	};

	if (context->type != PLAIN_TRANSLATE)
		return;
	if (model->arch == PLAIN_VTD_FIRST)
		fetch(model, NULL, top);
	walk(model, NULL, &top);
}

/* The tag: an entry that gives no translation has none of its own, and is cached under 0. */
static struct plain_item context_item(const struct plain_context *context)
{
	return (struct plain_item){
		.kind = PLAIN_CONTEXT,
		.unit = context->unit,
		.domain = context->type == PLAIN_ABSENT_CONTEXT ? 0 : context->domain,
		.context = *context,
	};
}

/*
 * It cannot be fetched any more, but what is looked up through it still is. A command of contexts
 * comes before all of translations behind it, but for RISC-V's and SMMUv3's; others may come late,
 * but not after their wait.
 */
static bool lingers(const struct plain_model *model, const struct plain_item *item)
{
	if (item->kind == PLAIN_TABLE && model->flaw == PLAIN_FLAW_DEAD_TABLES)
		return false;
	if (item->kind == PLAIN_CONTEXT && model->flaw == PLAIN_FLAW_DEAD_CONTEXT)
		return false;
	if ((item->kind != PLAIN_CONTEXT || plain_overtakes(model->arch)) &&
	    model->flaw != PLAIN_FLAW_IN_ORDER)
		return plain_may_be_cached(model, item);
	for (u32 i = 0; i < model->commands; i++) {
		const struct plain_command *command = &model->command[i];

		if (command->submitted >= item->until && plain_covers(model, command, item))
			return false;
	}
	return true;
}

/* What was not found has ended. */
static void end_others(struct plain_model *model, enum plain_kind kind, u32 known)
{
	for (u32 i = 0; i < known; i++) {
		struct plain_item *item = &model->item[i];

		if (item->kind == kind && item->until == PLAIN_FOREVER && !item->fetched)
			item->until = model->now;
	}
}

static void look_at_contexts(struct plain_model *model, u32 known)
{
	for (u32 i = 0; i < PLAIN_REQUESTERS; i++) {
		const struct plain_context *context = &model->context[i];

		if (context->type != PLAIN_ABSENT_CONTEXT || model->caching_mode ||
		    model->arch == PLAIN_AMD)
			fetch(model, NULL, context_item(context));
		walk_from_context(model, context);
	}
	end_others(model, PLAIN_CONTEXT, known);
	for (u32 i = 0; i < known; i++) {
		const struct plain_item *item = &model->item[i];

		if (item->kind == PLAIN_CONTEXT && item->until != PLAIN_FOREVER &&
		    lingers(model, item))
			walk_from_context(model, &item->context);
	}
}

/* Who asks does not matter: a domain that no context has is taken as if one could have it yet. */
static void look(struct plain_model *model)
{
	u32 known = model->items;

	for (u32 i = 0; i < known; i++)
		model->item[i].fetched = false;
	look_at_contexts(model, known);
	end_others(model, PLAIN_TABLE, known);
	for (u32 i = 0; i < known; i++) {
		struct plain_item table = model->item[i];

		if (table.kind == PLAIN_TABLE && table.until != PLAIN_FOREVER &&
		    lingers(model, &table))
			walk(model, &table, &table);
	}
	end_others(model, PLAIN_LEAF, known);
	end_others(model, PLAIN_ABSENT, known);
}

/* ---- What happens ---------------------------------------------------------------------------- */

void plain_table_add(struct plain_model *model, phys_addr_t phys, u8 level)
{
	for (u32 i = 0; i < PLAIN_TABLES_MAX; i++) {
		if (model->table[i].phys)
			continue;
		model->table[i] = (struct plain_table){ .phys = phys, .level = level };
		return;
	}
	model->full = true;
}

void plain_table_drop(struct plain_model *model, phys_addr_t phys)
{
	struct plain_table *table = plain_table(model, phys);

	if (table)
		table->phys = 0;
	model->now++;
	look(model);
}

void plain_write(struct plain_model *model, phys_addr_t table, u32 slot, u64 entry)
{
	model->now++;
	plain_table(model, table)->entry[slot] = entry;
	look(model);
}

void plain_context_set(struct plain_model *model, u32 which, const struct plain_context *context)
{
	model->now++;
	model->context[which] = *context;
	look(model);
}

void plain_submit(struct plain_model *model, const struct plain_command *command)
{
	struct plain_command *new = &model->command[model->commands];

	model->now++;
	if (model->commands == PLAIN_COMMANDS_MAX) {
		model->full = true;
		return;
	}
	model->commands++;
	*new = *command;
	new->submitted = model->now;
	new->waited = PLAIN_FOREVER;
	look(model);
}

void plain_wait(struct plain_model *model, u32 unit)
{
	model->now++;
	for (u32 i = 0; i < model->commands; i++) {
		struct plain_command *command = &model->command[i];

		if (command->unit == unit && command->waited == PLAIN_FOREVER)
			command->waited = model->now;
	}
	look(model);
}
