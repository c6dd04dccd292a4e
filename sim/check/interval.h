/* SPDX-License-Identifier: MIT */
/*
 * Inclusive ranges of 64-bit addresses, found by overlap. Ranges may overlap each other; the ones
 * with the same start keep the order in which they came.
 *
 * They are in a balanced tree. With interval_tree_by_page() those that lie in one page of 4 KiB, as
 * most of what is mapped does, are in blocks by their page number instead, where coming and going
 * is a matter of a few instructions.
 */
#ifndef CHECK_INTERVAL_H
#define CHECK_INTERVAL_H

#include <bsd/sys/tree.h>

#include <dmasim/types.h>

struct interval_block;
struct memory;

struct interval {
	u64 start;
	u64 last;
	u64 order;
	struct interval_block *block; /* that it is in; NULL: it is in the tree */
	union {
		RB_ENTRY(interval) node;
		struct interval *beside; /* in a block: the next one of the page, in order */
	};
	u64 max_last; /* in the tree: largest last of the subtree */
};

RB_HEAD(interval_root, interval);

#define INTERVAL_PAGE_LG2 12
#define INTERVAL_PAGES	  64
#define INTERVAL_NEAR	  8 /* blocks that are found at once */

struct interval_block {
	struct interval at; /* the pages it is for; first member */
	u64 used;	    /* a bit for each page that has any */
	bool is_near;	    /* it is one of those that are found at once */
	struct interval *page[INTERVAL_PAGES];
};

struct interval_tree {
	struct interval_root root;
	struct interval_root blocks;
	struct interval_block *near[INTERVAL_NEAR]; /* used last, by address; they may be empty */
	struct interval_block *spare;
	/* The one that came last, where the tree has it and it shares no page; NULL: not known. */
	struct interval *sole;
	struct memory *memory; /* for blocks; NULL: there are none */
	bool *blind;	       /* set when there is no memory for one: the tree has it, then */
	u64 next_order;
	u64 low;		 /* no interval of the tree, not of a block, starts below it */
	struct interval *lowest; /* the one of these that starts first; NULL: not known */
};

void interval_tree_init(struct interval_tree *tree);

/* Said of an empty tree. Afterwards interval_tree_fini() must follow when it is empty again. */
void interval_tree_by_page(struct interval_tree *tree, struct memory *memory, bool *blind);
void interval_tree_fini(struct interval_tree *tree);

/* True: nothing else is in any page of 4 KiB that it has a part of; false: that may be. */
bool interval_put(struct interval_tree *tree, struct interval *interval);
void interval_take(struct interval_tree *tree, struct interval *interval);

struct interval *interval_search_first(const struct interval_tree *tree, u64 start, u64 last);
struct interval *interval_search_next(const struct interval_tree *tree,
				      const struct interval *interval, u64 start, u64 last);

static inline u32 interval_page(u64 address)
{
	return (address >> INTERVAL_PAGE_LG2) % INTERVAL_PAGES;
}

static inline u32 interval_slot(u64 address)
{
	return address / ((u64)INTERVAL_PAGES << INTERVAL_PAGE_LG2) % INTERVAL_NEAR;
}

/* True if an address is one of the block's. */
static inline bool interval_is_in(const struct interval_block *block, u64 address)
{
	return DMASIM_LIKELY(block != NULL) &&
	       DMASIM_LIKELY(address - block->at.start < (u64)INTERVAL_PAGES << INTERVAL_PAGE_LG2);
}

/* True if no interval that is not in a block can share an address with [start, last]. */
static inline bool interval_only_blocks(const struct interval_tree *tree, u64 start, u64 last)
{
	const struct interval *root = RB_ROOT(&tree->root);

	return DMASIM_LIKELY(!root) || last < tree->low || start > root->max_last;
}

/*
 * True if an interval may have both the address and the one before it. Those of blocks lie in one
 * page.
 */
static inline bool interval_may_cross(const struct interval_tree *tree, u64 address)
{
	const struct interval *root = RB_ROOT(&tree->root);

	return address & ((1ULL << INTERVAL_PAGE_LG2) - 1) ||
	       (root && address > tree->low && address <= root->max_last);
}

/*
 * start and last are set by the caller and stay as they are while the interval is in the tree.
 * True: nothing else is in any page of 4 KiB that it has a part of; false: that may be.
 */
static inline bool interval_insert_alone(struct interval_tree *tree, struct interval *interval)
{
	struct interval_block *block = tree->near[interval_slot(interval->start)];
	u64 bit = 1ULL << interval_page(interval->start);

	interval->order = tree->next_order++;
	tree->sole = NULL;
	if (DMASIM_LIKELY(interval_is_in(block, interval->start)) &&
	    DMASIM_LIKELY(!(block->used & bit)) &&
	    DMASIM_LIKELY(!((interval->start ^ interval->last) >> INTERVAL_PAGE_LG2))) {
		interval->beside = NULL;
		interval->block = block;
		block->page[interval_page(interval->start)] = interval;
		block->used |= bit;
		return RB_EMPTY(&tree->root);
	}
	return interval_put(tree, interval);
}

static inline void interval_insert(struct interval_tree *tree, struct interval *interval)
{
	interval_insert_alone(tree, interval);
}

static inline void interval_remove(struct interval_tree *tree, struct interval *interval)
{
	struct interval_block *block = interval->block;
	u32 page = interval_page(interval->start);

	if (DMASIM_LIKELY(block && block->is_near) && DMASIM_LIKELY(!interval->beside) &&
	    DMASIM_LIKELY(block->page[page] == interval)) {
		block->page[page] = NULL;
		block->used &= ~(1ULL << page);
	} else {
		interval_take(tree, interval);
	}
}

/*
 * The first interval, in order of start, that shares an address with [start, last]; and the next.
 * What is all in one of the blocks used last is answered at once.
 */
static inline struct interval *interval_first(const struct interval_tree *tree, u64 start, u64 last)
{
	const struct interval_block *near = tree->near[interval_slot(start)];
	struct interval *at;
	u64 pages;

	if (DMASIM_UNLIKELY(!interval_is_in(near, start)) ||
	    DMASIM_UNLIKELY(!interval_only_blocks(tree, start, last)))
		return interval_search_first(tree, start, last);
	pages = near->used & ~0ULL << interval_page(start);
	if (DMASIM_UNLIKELY(!pages))
		return last <= near->at.last ? NULL : interval_search_first(tree, start, last);
	at = near->page[__builtin_ctzll(pages)];
	if (DMASIM_UNLIKELY(at->start > last))
		return NULL;
	return DMASIM_LIKELY(at->last >= start) ? at : interval_search_first(tree, start, last);
}

static inline struct interval *interval_next(const struct interval_tree *tree,
					     const struct interval *interval, u64 start, u64 last)
{
	const struct interval_block *block = interval->block;
	struct interval *at;
	u64 pages;

	if (DMASIM_UNLIKELY(!block || interval->beside || !interval_only_blocks(tree, start, last)))
		return interval_search_next(tree, interval, start, last);
	pages = block->used & ~1ULL << interval_page(interval->start);
	if (!pages)
		return last <= block->at.last ? NULL
					      : interval_search_next(tree, interval, start, last);
	at = block->page[__builtin_ctzll(pages)];
	if (at->start > last)
		return NULL;
	return at->last >= start ? at : interval_search_next(tree, interval, start, last);
}

/*
 * Empties the tree, but for what is in blocks, without putting it in order after each: the first of
 * what was in it; and the next, to be asked for while the one before it is still there. In no order
 * of addresses.
 */
struct interval *interval_clear_tree(struct interval_tree *tree);
struct interval *interval_clear_next(const struct interval *interval);

/* Any interval at all; NULL: the tree is empty. */
struct interval *interval_any(const struct interval_tree *tree);

/* The last interval that starts below `address`, and the first that starts above it. */
struct interval *interval_before(const struct interval_tree *tree, u64 address);
struct interval *interval_after(const struct interval_tree *tree, u64 address);

#endif
