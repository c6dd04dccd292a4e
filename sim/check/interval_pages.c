/* SPDX-License-Identifier: MIT */
#include "check/interval_pages.h"

#include "world/memory.h"

#define BLOCK_LG2 (INTERVAL_PAGE_LG2 + 6)
#define LIST_MAX  8

/* ---- Blocks ----------------------------------------------------------- */

/* The first block that reaches up to an address. */
static struct interval_block *block_from(const struct interval_tree *tree, u64 address)
{
	struct interval *at = RB_ROOT(&tree->blocks), *best = NULL;

	struct interval_block *near = tree->near[interval_slot(address)];

	if (DMASIM_LIKELY(interval_is_in(near, address)))
		return near;
	while (at) {
		if (at->last >= address) {
			best = at;
			at = RB_LEFT(at, node);
		} else {
			at = RB_RIGHT(at, node);
		}
	}
	return (struct interval_block *)best;
}

static struct interval_block *block_next(struct interval_block *block)
{
	return (struct interval_block *)RB_NEXT(interval_root, &tree->blocks, &block->at);
}

static void block_drop(struct interval_tree *tree, struct interval_block *block)
{
	interval_root_remove(&tree->blocks, &block->at);
	if (tree->spare)
		memory_free(tree->memory, block);
	else
		tree->spare = block;
}

/* Those used last stay, so that pages that come and go do not make and drop it. */
static void set_near(struct interval_tree *tree, struct interval_block *block)
{
	struct interval_block **near = &tree->near[interval_slot(block->at.start)];
	struct interval_block *old = *near;

	if (old == block)
		return;
	*near = block;
	block->is_near = true;
	if (!old)
		return;
	old->is_near = false;
	if (!old->used)
		block_drop(tree, old);
}

static struct interval_block *block_new(struct interval_tree *tree, u64 address)
{
	struct interval_block *block = tree->spare;

	tree->spare = NULL;
	if (!block)
		block = memory_alloc(tree->memory, DMASIM_FAULT_CHECK_RECORD, sizeof(*block));
	if (!block) {
		*tree->blind = true;
		return NULL;
	}
	block->at.start = address >> BLOCK_LG2 << BLOCK_LG2;
	block->at.last = block->at.start + ((1ULL << BLOCK_LG2) - 1);
	interval_root_insert(&tree->blocks, &block->at);
	return block;
}

static struct interval_block *block_get(struct interval_tree *tree, u64 address)
{
	struct interval_block *block = block_from(tree, address);

	if (!block || block->at.start > address)
		block = block_new(tree, address);
	if (block)
		set_near(tree, block);
	return block;
}

void interval_pages_fini(struct interval_tree *tree)
{
	struct interval *at;

	while ((at = RB_ROOT(&tree->blocks))) {
		interval_root_remove(&tree->blocks, at);
		memory_free(tree->memory, at);
	}
	if (tree->memory)
		memory_free(tree->memory, tree->spare);
	tree->spare = NULL;
	for (u32 i = 0; i < INTERVAL_NEAR; i++)
		tree->near[i] = NULL;
}

/* ---- Coming and going ------------------------------------------------- */

bool interval_pages_insert(struct interval_tree *tree, struct interval *interval)
{
	struct interval_block *block = tree->near[interval_slot(interval->start)];
	u32 page = interval_page(interval->start), length = 0;
	struct interval **at;

	if (!interval_is_in(block, interval->start))
		block = block_get(tree, interval->start);
	if (!block)
		return false;
	/* It is the youngest: behind those of the same start. */
	for (at = &block->page[page]; *at && (*at)->start <= interval->start; at = &(*at)->beside) {
		if (++length == LIST_MAX)
			return false;
	}
	interval->beside = *at;
	interval->block = block;
	*at = interval;
	block->used |= 1ULL << page;
	return true;
}

void interval_pages_remove(struct interval_tree *tree, struct interval *interval)
{
	struct interval_block *block = interval->block;
	u32 page = interval_page(interval->start);
	struct interval **at;

	for (at = &block->page[page]; *at != interval; at = &(*at)->beside)
		;
	*at = interval->beside;
	if (!block->page[page])
		block->used &= ~(1ULL << page);
	set_near(tree, block);
}

/* ---- Finding ---------------------------------------------------------- */

struct interval *interval_pages_first(const struct interval_tree *tree,
				      const struct interval *after, u64 start, u64 last)
{
	u64 from = start & ~((1ULL << INTERVAL_PAGE_LG2) - 1);
	struct interval_block *block;

	if (after && after->start > from)
		from = after->start;
	block = after && after->block ? after->block : block_from(tree, from);
	for (; block && block->at.start <= last; block = block_next(block)) {
		u64 pages = from <= block->at.last ? block->used : 0;

		if (block->at.start < from)
			pages &= ~0ULL << interval_page(from);
		for (; pages; pages &= pages - 1) {
			struct interval *at = block->page[__builtin_ctzll(pages)];

			for (; at; at = at->beside) {
				if (at->start > last)
					return NULL;
				if (at->last >= start &&
				    (!after || interval_compare(at, after) > 0))
					return at;
			}
		}
	}
	return NULL;
}

struct interval *interval_pages_before(const struct interval_tree *tree, u64 address)
{
	struct interval *block = RB_MAX(interval_root, (struct interval_root *)&tree->blocks);

	for (; block; block = RB_PREV(interval_root, &tree->blocks, block)) {
		const struct interval_block *pages = (const struct interval_block *)block;

		if (block->start >= address)
			continue;
		for (u32 page = INTERVAL_PAGES; page--;) {
			struct interval *best = NULL;

			for (struct interval *at = pages->page[page]; at && at->start < address;
			     at = at->beside)
				best = at;
			if (best)
				return best;
		}
	}
	return NULL;
}
