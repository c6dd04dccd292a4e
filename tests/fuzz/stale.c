/* SPDX-License-Identifier: MIT */
#include "stale.h"

#include <string.h>

void stale_init(struct stale *stale, const struct rig_unit *unit, struct plain_memory *memory)
{
	memset(stale, 0, sizeof(*stale));
	stale->unit = unit;
	stale->memory = memory;
}

static bool translates(const struct stale *stale, const struct rig_context *context)
{
	return context->type == RIG_TRANSLATE && !plain_context(stale->unit, context);
}

static bool same_tables(const struct rig_context *a, const struct rig_context *b)
{
	return a->root == b->root && a->levels == b->levels;
}

/* ---- Changes --------------------------------------------------------------------------------- */

/* May the unit have kept what the entry said? */
static bool is_cached(const struct stale *stale, u64 word)
{
	return plain_is_present(stale->unit, word) || stale->unit->caching_mode;
}

/* A leaf, or nothing: cached table entries say nothing of it. */
static bool is_no_table(const struct stale *stale, u64 word, u8 lg2)
{
	return !plain_is_present(stale->unit, word) || plain_is_leaf(stale->unit, word, lg2);
}

static void change_address(struct stale *stale, u32 domain, u32 address, u64 at, u64 new_word)
{
	struct plain_walk walk = plain_walk(stale->unit, stale->memory,
					    &stale->domain[domain].context,
					    input_address(stale->unit, address), PLAIN_ANY);
	u8 *page_lg2 = &stale->domain[domain].page_lg2[address];

	for (u32 i = 0; i < walk.entries; i++) {
		u64 word = walk.entry[i].word;
		u8 lg2 = walk.entry[i].lg2;
		/* A table's entry serves more than any page below it has. */
		u8 size_lg2 = i + 1 == walk.entries && !walk.fault ? walk.page_lg2 : lg2;

		if (walk.entry[i].at != at || !is_cached(stale, word))
			continue;
		stale->domain[domain].leaf[address] = true;
		*page_lg2 = size_lg2 > *page_lg2 ? size_lg2 : *page_lg2;
		stale->domain[domain].sizes[address] |= 1ULL << size_lg2;
		if (is_no_table(stale, word, lg2) && is_no_table(stale, new_word, lg2))
			continue;
		/* Through it any page may still be reached. */
		stale->domain[domain].table[address] = true;
		stale->domain[domain].sizes[address] = ~0ULL;
	}
}

void stale_entry(struct stale *stale, u64 at, u64 new_word)
{
	for (u32 domain = 0; domain < STALE_DOMAINS; domain++) {
		for (u32 i = 0; stale->domain[domain].known && i < INPUT_ADDRESSES; i++)
			change_address(stale, domain, i, at, new_word);
	}
}

void stale_context(struct stale *stale, u32 requester, struct rig_context context)
{
	struct stale_requester *its = &stale->requester[requester];
	u16 domain = context.domain;
	u8 all = true;

	if (its->asked && stale->unit->context_entries &&
	    (translates(stale, &its->now) || its->now.type == RIG_PASS_THROUGH ||
	     stale->unit->caching_mode || stale->unit->architecture == RIG_AMD)) {
		if (its->old_count < STALE_OLD)
			its->old[its->old_count++] = its->now;
		else
			its->lost = true;
	}
	its->now = context;
	its->asked = false;
	if (!translates(stale, &context))
		return;
	/* Other tables under the same name: all that is cached of the first may be wrong. */
	if (stale->domain[domain].known && !same_tables(&stale->domain[domain].context, &context)) {
		memset(stale->domain[domain].leaf, all, INPUT_ADDRESSES);
		memset(stale->domain[domain].table, all, INPUT_ADDRESSES);
		memset(stale->domain[domain].page_lg2, 63, INPUT_ADDRESSES);
		for (u32 i = 0; i < INPUT_ADDRESSES; i++)
			stale->domain[domain].sizes[i] = ~0ULL;
	}
	stale->domain[domain].context = context;
	stale->domain[domain].known = true;
}

/* ---- Commands -------------------------------------------------------------------------------- */

/* Two contexts that may be in use have one domain and different tables. */
static bool is_mixed(const struct stale *stale, u32 domain)
{
	const struct rig_context *tables = &stale->domain[domain].context;

	for (u32 i = 0; i < INPUT_REQUESTERS; i++) {
		const struct stale_requester *its = &stale->requester[i];
		const struct rig_context *now = &its->now;

		if (its->lost ||
		    (translates(stale, now) && now->domain == domain && !same_tables(now, tables)))
			return true;
		for (u32 j = 0; j < its->old_count; j++) {
			if (translates(stale, &its->old[j]) && its->old[j].domain == domain &&
			    !same_tables(&its->old[j], tables))
				return true;
		}
	}
	return false;
}

/* An entry that translates nothing is kept under domain 0 (6.4: a flush after it names that). */
static u16 tag_of(const struct stale *stale, const struct rig_context *context)
{
	return plain_context(stale->unit, context) ? 0 : context->domain;
}

static u32 forget_contexts(struct stale *stale, const struct plain_command *command)
{
	u32 fresh = 0;

	for (u32 i = 0; i < INPUT_REQUESTERS; i++) {
		struct stale_requester *its = &stale->requester[i];
		u32 kept = 0;

		if ((input_requester((u8)i) ^ command->requester) & (u16)~command->ignored)
			continue;
		for (u32 j = 0; j < its->old_count; j++) {
			if (!command->any_domain && tag_of(stale, &its->old[j]) != command->domain)
				its->old[kept++] = its->old[j];
		}
		fresh += its->old_count - kept;
		its->old_count = kept;
		if (command->any_domain)
			its->lost = false;
	}
	return fresh;
}

/* Commands are told apart by what they cover and by what there was. */
static u8 how_of(const struct plain_command *command, bool table, bool asked)
{
	u64 pages = (command->last - command->start) >> 12;
	u8 size = pages == 0 ? 0 : pages < 512 ? 1 : pages < ~0ULL >> 12 ? 2 : 3;

	return (u8)(1 + size + 4 * table + 8 * command->leaf_only + 16 * command->any_domain +
		    32 * asked);
}

/* All pages that may be cached are dropped: none is too large, or of another level. */
static bool drops_all(const struct plain_command *command, u8 page_lg2, u64 sizes)
{
	u64 size = command->last - command->start;

	if (command->hint_lg2 && sizes & ~(0x1ffULL << command->hint_lg2))
		return false;
	return !command->larger_stay || size >> page_lg2 || size == (1ULL << page_lg2) - 1;
}

/* True: that made it fresh. */
static bool forget_address(struct stale *stale, u32 domain, u32 address,
			   const struct plain_command *command)
{
	u64 at = input_address(stale->unit, address);
	u64 *sizes = &stale->domain[domain].sizes[address];
	bool *table = &stale->domain[domain].table[address];
	bool *leaf = &stale->domain[domain].leaf[address];
	bool *asked = &stale->domain[domain].asked[address];
	u8 *page_lg2 = &stale->domain[domain].page_lg2[address];
	bool was_table = *table, was_asked = *asked, was = *leaf || *table;

	if (at < command->start || at > command->last)
		return false;
	if (!command->leaf_only)
		*table = false;
	if (drops_all(command, *page_lg2, *sizes)) {
		*leaf = *asked = false;
		*page_lg2 = 0;
		*sizes = 0;
	}
	if (!was || *leaf || *table)
		return false;
	stale->domain[domain].how[address] = how_of(command, was_table, was_asked);
	return true;
}

static u32 forget_pages(struct stale *stale, u32 domain, const struct plain_command *command)
{
	u32 fresh = 0;

	if (!stale->domain[domain].known || is_mixed(stale, domain))
		return 0;
	for (u32 i = 0; i < INPUT_ADDRESSES; i++)
		fresh += forget_address(stale, domain, i, command);
	return fresh;
}

u32 stale_command(struct stale *stale, const struct plain_command *command)
{
	u32 fresh = 0;

	if (command->kind == PLAIN_CONTEXT || command->kind == PLAIN_EVERYTHING)
		fresh += forget_contexts(stale, command);
	if (command->kind != PLAIN_PAGES && command->kind != PLAIN_EVERYTHING)
		return fresh;
	for (u32 domain = 0; domain < STALE_DOMAINS; domain++) {
		if (command->any_domain || command->domain == domain)
			fresh += forget_pages(stale, domain, command);
	}
	return fresh;
}

/* ---- Questions ------------------------------------------------------------------------------- */

bool stale_knows_context(const struct stale *stale, u32 requester)
{
	const struct stale_requester *its = &stale->requester[requester];

	return !its->old_count && !its->lost;
}

bool stale_knows(const struct stale *stale, u32 requester, u32 address)
{
	const struct rig_context *context = &stale->requester[requester].now;

	if (stale->undefined || !stale_knows_context(stale, requester))
		return false;
	if (!translates(stale, context))
		return true;
	return !is_mixed(stale, context->domain) && !stale->domain[context->domain].leaf[address] &&
	       !stale->domain[context->domain].table[address];
}

u8 stale_how(const struct stale *stale, u32 requester, u32 address)
{
	u16 domain = stale->requester[requester].now.domain;

	return stale->domain[domain].how[address];
}

void stale_asked(struct stale *stale, u32 requester, u32 address)
{
	u16 domain = stale->requester[requester].now.domain;

	stale->domain[domain].asked[address] = true;
	stale->requester[requester].asked = true;
}
