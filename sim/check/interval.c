/* SPDX-License-Identifier: MIT */
/* The tree's header asks for this hook at each change of a node's children. */
#define RB_AUGMENT(node) update(node)

#include "check/interval.h"

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

static int compare(struct interval *a, struct interval *b)
{
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

RB_PROTOTYPE(interval_root, interval, node, compare)
RB_GENERATE(interval_root, interval, node, compare)

static void update_upwards(struct interval *interval)
{
	for (; interval; interval = RB_PARENT(interval, node))
		update(interval);
}

void interval_tree_init(struct interval_tree *tree)
{
	RB_INIT(&tree->root);
	tree->next_order = 0;
}

void interval_insert(struct interval_tree *tree, struct interval *interval)
{
	u64 last = interval->last;

	interval->order = tree->next_order++;
	interval->max_last = interval->last;
	RB_INSERT(interval_root, &tree->root, interval);
	/* The hook sees the changed nodes, perhaps before what is below them is up to date. */
	while ((interval = RB_PARENT(interval, node))) {
		if (interval->max_last < last)
			interval->max_last = last;
	}
}

void interval_remove(struct interval_tree *tree, struct interval *interval)
{
	struct interval *parent = RB_PARENT(interval, node);

	RB_REMOVE(interval_root, &tree->root, interval);
	/* The hook sees the changed nodes, not all above them. */
	update_upwards(parent);
}

/* The first overlap in a subtree that is known to reach up to `start`. */
static struct interval *first_in(struct interval *interval, u64 start, u64 last)
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

struct interval *interval_first(const struct interval_tree *tree, u64 start, u64 last)
{
	struct interval *root = RB_ROOT(&tree->root);

	return root && root->max_last >= start ? first_in(root, start, last) : NULL;
}

struct interval *interval_next(const struct interval_tree *tree, struct interval *interval,
			       u64 start, u64 last)
{
	(void)tree;
	do
		interval = RB_NEXT(interval_root, &tree->root, interval);
	while (interval && interval->start <= last && interval->last < start);
	return interval && interval->start <= last ? interval : NULL;
}

struct interval *interval_any(const struct interval_tree *tree)
{
	return RB_ROOT(&tree->root);
}

struct interval *interval_before(const struct interval_tree *tree, u64 address)
{
	struct interval *interval = RB_ROOT(&tree->root);
	struct interval *best = NULL;

	while (interval) {
		if (interval->start < address) {
			best = interval;
			interval = RB_RIGHT(interval, node);
		} else {
			interval = RB_LEFT(interval, node);
		}
	}
	return best;
}

struct interval *interval_after(const struct interval_tree *tree, u64 address)
{
	struct interval *interval = RB_ROOT(&tree->root);
	struct interval *best = NULL;

	while (interval) {
		if (interval->start > address) {
			best = interval;
			interval = RB_LEFT(interval, node);
		} else {
			interval = RB_RIGHT(interval, node);
		}
	}
	return best;
}
