/* SPDX-License-Identifier: MIT */
#include "queue.h"

static u64 table_at(u32 table)
{
	return RIG_BASE + ((u64)table << RIG_TABLE_LG2);
}

/* ---- Entries --------------------------------------------------------------------------------- */

void queue_look_again(struct queue *queue, u64 at)
{
	u64 word = rig_seen(&queue->rig, at);
	u64 *seen = plain_word(&queue->seen, at);

	if (*seen == word)
		return;
	stale_entry(&queue->stale, at, word);
	*seen = word;
}

static void put(struct queue *queue, u64 at, u64 word, bool clean)
{
	rig_store(&queue->rig, at, word);
	*plain_word(&queue->stored, at) = word;
	if (!queue->rig.unit.coherent && clean)
		rig_clean(&queue->rig, at);
	/* Of a line all is written back. */
	for (u64 i = at & ~63ULL; i <= (at | 63); i += 8)
		queue_look_again(queue, i);
}

static u64 items_of(const struct queue *queue, u64 word)
{
	return plain_items(&queue->rig.unit, word);
}

/* Two entries of one page. SMMUv3: each has an address of its own. */
static bool is_same_page(const struct queue *queue, u64 one, u64 other)
{
	return one == other ||
	       (queue->rig.unit.architecture == RIG_SMMUV3 && items_of(queue, other) > 1);
}

/* What stands in the entry at this address, of a page that begins with this word. */
static u64 item_at(const struct queue *queue, u64 word, u64 at)
{
	if (queue->rig.unit.architecture != RIG_SMMUV3 || items_of(queue, word) == 1)
		return word;
	return (word & ~0xf000ULL) | (at / 8 % 16) << 12;
}

/* Software takes a page out of all entries that hold it. */
static void clear_page(struct queue *queue, u64 at)
{
	u64 word = *plain_word(&queue->stored, at);
	u64 bytes = 8 * items_of(queue, word);

	if (bytes == 8)
		return;
	for (u64 i = at & ~(bytes - 1); i <= (at | (bytes - 1)); i += 8) {
		if (is_same_page(queue, word, *plain_word(&queue->stored, i)))
			put(queue, i, 0, true);
	}
}

/* And puts one into all. */
static void write_page(struct queue *queue, u64 at, u64 word, bool clean)
{
	u64 bytes = 8 * items_of(queue, word);

	for (u64 i = at & ~(bytes - 1); i <= (at | (bytes - 1)); i += 8)
		clear_page(queue, i);
	for (u64 i = at & ~(bytes - 1); i <= (at | (bytes - 1)); i += 8)
		put(queue, i, item_at(queue, word, i), clean);
}

void queue_stored(struct queue *queue, u64 at, u64 word)
{
	u64 *stored = plain_word(&queue->stored, at);

	/* A page that is in some of its entries only: which of them answers is open. */
	if (items_of(queue, *stored) > 1 || items_of(queue, word) > 1)
		queue->stale.undefined = true;
	*stored = word;
}

void queue_change_entry(struct queue *queue, struct bytes *bytes)
{
	u8 what = take8(bytes);
	u64 at = table_at(what % RIG_TABLES) + 8ULL * input_index(take8(bytes));
	u64 word = input_entry(&queue->rig.unit, bytes);

	/* SMMUv3: blocks that are one together would have to know their level. */
	if (queue->rig.unit.architecture == RIG_SMMUV3 && !(word & 2))
		word &= ~(1ULL << 52);
	fuzz_feature(queue->run, FEATURE_ENTRY, word & 0xe83, word >> 62 & 1);
	write_page(queue, at, word, !(what & 0x80));
}

/* ---- Contexts -------------------------------------------------------------------------------- */

static void set_context(struct queue *queue, u32 requester, struct rig_context context)
{
	bool set = rig_set_context(&queue->rig, input_requester((u8)requester), context);

	fuzz_check(queue->run, set, "a context could not be set");
	stale_context(&queue->stale, requester, context);
}

static u8 levels_of(const struct queue *queue)
{
	return queue->rig.unit.levels < 4 ? queue->rig.unit.levels : 4;
}

void queue_change_context(struct queue *queue, struct bytes *bytes)
{
	static const u8 types[] = { RIG_TRANSLATE, RIG_TRANSLATE, RIG_ABSENT, RIG_PASS_THROUGH };
	u32 requester = take8(bytes) % INPUT_REQUESTERS;
	u8 what = take8(bytes);
	struct rig_context context = {
		.type = types[what & 3],
		.levels = what & 4 ? what >> 5 : levels_of(queue),
		.domain = what >> 3 & 3,
		.root = input_table(take8(bytes)),
	};

	if (input_is_newer(&queue->rig.unit) && !(what & 4)) {
		context.device_tlb = what & 0x40;
		context.marks = what & 0x80;
		if (context.type == RIG_ABSENT && what & 0x20)
			context.type = RIG_FOREIGN;
	}

	fuzz_feature(queue->run, FEATURE_CONTEXT, context.type, context.levels);
	set_context(queue, requester, context);
}

/* An entry of both permissions for a table of so many levels; 0: for a page. */
static u64 entry_for(const struct queue *queue, u64 to, u64 levels)
{
	switch (queue->rig.unit.architecture) {
	case RIG_AMD:
		return to | 3ULL << 61 | levels << 9 | 1;
	case RIG_SMMUV3:
		return to | (levels ? 3 : 0x443);
	case RIG_RISCV:
		return to >> 2 | (levels ? 1 : 0xd7);
	default:
		return to | 3;
	}
}

/* Two trees: tables 0 to 3 and 8 to 11, a level each. All that inputs use maps something. */
static void build_tree(struct queue *queue, u32 first)
{
	for (u32 table = 4U - levels_of(queue); table < 4; table++) {
		for (u8 i = 0; i < 3; i++) {
			u64 to = table_at(first + (table < 3 ? table + 1 : 4U + i));

			put(queue, table_at(first + table) + 8ULL * input_index(i),
			    entry_for(queue, to, 3 - table), true);
		}
	}
}

void queue_build(struct queue *queue)
{
	u8 levels = levels_of(queue);

	build_tree(queue, 0);
	build_tree(queue, 8);
	for (u32 i = 0; i < 3; i++)
		set_context(
			queue, i,
			(struct rig_context){ .type = RIG_TRANSLATE,
					      .levels = levels,
					      .domain = i < 2 ? 1 : 2,
					      .root = table_at((i < 2 ? 0 : 8) + 4U - levels) });
}
