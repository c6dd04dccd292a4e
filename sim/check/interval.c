/* SPDX-License-Identifier: MIT */
/* The tree's header asks for this hook at each change of a node's children. */
#define RB_AUGMENT(node) update(node)

#include "check/interval_pages.h"

static void update(struct interval *interval)
{
	const struct interval *left = RB_LEFT(interval, node);
	const struct interval *right = RB_RIGHT(interval, node);

	interval->max_last = interval->last;
	if (left && left->max_last > interval->max_last)
		interval->max_last = left->max_last;
	if (right && right->max_last > interval->max_last)
		interval->max_last = right->max_last;
}

RB_GENERATE(interval_root, interval, node, interval_compare)

static void update_upwards(struct interval *interval)
{
	for (; interval; interval = RB_PARENT(interval, node))
		update(interval);
}

/*
 * The hook sees the changed nodes of an insertion, perhaps before what is below them is up to date.
 * Where something reaches farther, it does further up, too.
 */
static void reach_upwards(struct interval *interval, u64 last)
{
	while ((interval = RB_PARENT(interval, node)) && interval->max_last <= last)
		interval->max_last = last;
}

void interval_root_insert(struct interval_root *root, struct interval *interval)
{
	u64 last = interval->last;

	interval->max_last = interval->last;
	if (RB_EMPTY(root)) {
		RB_SET(interval, NULL, node);
		RB_COLOR(interval, node) = RB_BLACK;
		RB_ROOT(root) = interval;
		return;
	}
	RB_INSERT(interval_root, root, interval);
	reach_upwards(interval, last);
}

/* The same of one that starts before the first there is. */
static void insert_lowest(struct interval_root *root, struct interval *lowest,
			  struct interval *interval)
{
	interval->max_last = interval->last;
	RB_SET(interval, lowest, node);
	RB_LEFT(lowest, node) = interval;
	RB_AUGMENT(lowest);
	interval_root_RB_INSERT_COLOR(root, interval);
	reach_upwards(interval, interval->last);
}

void interval_root_remove(struct interval_root *root, struct interval *interval)
{
	struct interval *parent = RB_PARENT(interval, node);

	if (!parent && !RB_LEFT(interval, node) && !RB_RIGHT(interval, node)) {
		RB_INIT(root);
		return;
	}
	RB_REMOVE(interval_root, root, interval);
	/* The hook sees the changed nodes, not all above them. */
	update_upwards(parent);
}

void interval_tree_init(struct interval_tree *tree)
{
	*tree = (struct interval_tree){ .next_order = 0 };
	RB_INIT(&tree->root);
	RB_INIT(&tree->blocks);
}

void interval_tree_by_page(struct interval_tree *tree, struct memory *memory, bool *blind)
{
	tree->memory = memory;
	tree->blind = blind;
}

void interval_tree_fini(struct interval_tree *tree)
{
	interval_pages_fini(tree);
}

/* True if nothing is in the pages of one that is not in the tree yet. */
static bool is_alone(const struct interval_tree *tree, const struct interval *interval)
{
	u64 page_last = (1ULL << INTERVAL_PAGE_LG2) - 1;
	u64 start = interval->start & ~page_last, last = interval->last | page_last;

	return interval_only_blocks(tree, start, last) &&
	       (RB_EMPTY(&tree->blocks) || !interval_pages_first(tree, NULL, start, last));
}

static inline void insert(struct interval_tree *tree, struct interval *interval)
{
	bool is_only = RB_EMPTY(&tree->root);
	bool is_lowest = !is_only && tree->lowest && interval->start < tree->lowest->start;

	if (is_lowest)
		insert_lowest(&tree->root, tree->lowest, interval);
	else
		interval_root_insert(&tree->root, interval);
	if (is_only || is_lowest)
		tree->lowest = interval;
	if (is_only || interval->start < tree->low)
		tree->low = interval->start;
}

DMASIM_HOT bool interval_put(struct interval_tree *tree, struct interval *interval)
{
	bool is_in_page = !((interval->start ^ interval->last) >> INTERVAL_PAGE_LG2), alone;

	if (is_in_page && tree->memory && interval_pages_insert(tree, interval))
		return false;
	alone = is_alone(tree, interval);
	interval->block = NULL;
	insert(tree, interval);
	tree->sole = alone ? interval : NULL;
	return alone;
}

DMASIM_HOT void interval_take(struct interval_tree *tree, struct interval *interval)
{
	if (interval == tree->sole)
		tree->sole = NULL;
	if (interval == tree->lowest)
		tree->lowest = NULL;
	if (interval->block)
		interval_pages_remove(tree, interval);
	else
		interval_root_remove(&tree->root, interval);
}

/* Those below an interval come before it: nobody needs what they point to any more. */
static struct interval *lowest(struct interval *interval)
{
	struct interval *below;

	while ((below = RB_LEFT(interval, node)) || (below = RB_RIGHT(interval, node)))
		interval = below;
	return interval;
}

struct interval *interval_clear_tree(struct interval_tree *tree)
{
	struct interval *root = RB_ROOT(&tree->root);

	RB_INIT(&tree->root);
	tree->sole = tree->lowest = NULL;
	return root ? lowest(root) : NULL;
}

struct interval *interval_clear_next(const struct interval *interval)
{
	struct interval *up = RB_PARENT(interval, node);

	if (up && RB_LEFT(up, node) == interval && RB_RIGHT(up, node))
		return lowest(RB_RIGHT(up, node));
	return up;
}

/* ---- Finding ---------------------------------------------------------- */

/* The first overlap in a subtree that is known to reach up to `start`. */
DMASIM_HOT static struct interval *first_in(struct interval *interval, u64 start, u64 last)
{
	while (interval) {
		struct interval *left = RB_LEFT(interval, node);

		if (left && left->max_last >= start) {
			interval = left;
			continue;
		}
		if (interval->start > last)
			return NULL;
		if (interval->last >= start)
			return interval;
		interval = RB_RIGHT(interval, node);
		if (interval && interval->max_last < start)
			return NULL;
	}
	return NULL;
}

/* The next overlap behind one that is in the tree. What ends too early is not looked through. */
DMASIM_HOT static struct interval *next_in(const struct interval *interval, u64 start, u64 last)
{
	for (;;) {
		struct interval *right = RB_RIGHT(interval, node), *up;

		/* What reaches far enough there, and begins too late, is before the rest. */
		if (right && right->max_last >= start)
			return first_in(right, start, last);
		while ((up = RB_PARENT(interval, node)) && RB_RIGHT(up, node) == interval)
			interval = up;
		if (!up || up->start > last || up->last >= start)
			return up && up->start <= last ? up : NULL;
		interval = up;
	}
}

/* The first of the tree in order behind one that is not in it. */
static struct interval *behind(const struct interval_tree *tree, const struct interval *interval)
{
	struct interval *at = RB_ROOT(&tree->root), *best = NULL;

	while (at) {
		if (interval_compare(at, interval) > 0) {
			best = at;
			at = RB_LEFT(at, node);
		} else {
			at = RB_RIGHT(at, node);
		}
	}
	return best;
}

static struct interval *earlier(struct interval *a, struct interval *b)
{
	if (!a || !b)
		return a ? a : b;
	return interval_compare(a, b) < 0 ? a : b;
}

/*
 * True if all of [start, last] is in the one that came last, which is then all that has it. What is
 * asked for may go beyond the last address: then it is in nothing.
 */
static bool is_in_sole(const struct interval_tree *tree, u64 start, u64 last)
{
	return tree->sole && start >= tree->sole->start && last <= tree->sole->last &&
	       start <= last;
}

DMASIM_HOT struct interval *interval_search_first(const struct interval_tree *tree, u64 start,
						  u64 last)
{
	struct interval *root = RB_ROOT(&tree->root), *found = NULL;

	if (is_in_sole(tree, start, last))
		return tree->sole;
	if (root && root->max_last >= start && tree->low <= last)
		found = first_in(root, start, last);
	if (RB_EMPTY(&tree->blocks))
		return found;
	return earlier(found, interval_pages_first(tree, NULL, start, last));
}

DMASIM_HOT struct interval *interval_search_next(const struct interval_tree *tree,
						 const struct interval *interval, u64 start,
						 u64 last)
{
	struct interval *found;

	if (interval == tree->sole && is_in_sole(tree, start, last))
		return NULL;
	if (!interval->block) {
		found = next_in(interval, start, last);
	} else {
		found = behind(tree, interval);
		if (found && found->start <= last && found->last < start)
			found = next_in(found, start, last);
		else if (found && found->start > last)
			found = NULL;
	}
	if (RB_EMPTY(&tree->blocks))
		return found;
	return earlier(found, interval_pages_first(tree, interval, start, last));
}

struct interval *interval_any(const struct interval_tree *tree)
{
	return RB_EMPTY(&tree->root) ? interval_pages_first(tree, NULL, 0, ~0ULL)
				     : RB_ROOT(&tree->root);
}

struct interval *interval_before(const struct interval_tree *tree, u64 address)
{
	struct interval *interval = RB_ROOT(&tree->root);
	struct interval *best = NULL, *page;

	while (interval) {
		if (interval->start < address) {
			best = interval;
			interval = RB_RIGHT(interval, node);
		} else {
			interval = RB_LEFT(interval, node);
		}
	}
	page = interval_pages_before(tree, address);
	return best && page && interval_compare(page, best) > 0 ? page : best ? best : page;
}

struct interval *interval_after(const struct interval_tree *tree, u64 address)
{
	const struct interval at = { .start = address, .order = ~0ULL };

	return earlier(behind(tree, &at), interval_pages_first(tree, &at, address, ~0ULL));
}
