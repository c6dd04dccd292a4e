/* SPDX-License-Identifier: MIT */
/*
 * Inclusive ranges of 64-bit addresses in a tree, found by overlap. Ranges may overlap each other;
 * the ones with the same start keep the order in which they came.
 */
#ifndef CHECK_INTERVAL_H
#define CHECK_INTERVAL_H

#include <bsd/sys/tree.h>

#include <dmasim/types.h>

struct interval {
	RB_ENTRY(interval) node;
	u64 start;
	u64 last;
	u64 max_last; /* largest last of the subtree */
	u64 order;
};

RB_HEAD(interval_root, interval);

struct interval_tree {
	struct interval_root root;
	u64 next_order;
};

void interval_tree_init(struct interval_tree *tree);

/* start and last are set by the caller and stay as they are while the interval is in the tree. */
void interval_insert(struct interval_tree *tree, struct interval *interval);
void interval_remove(struct interval_tree *tree, struct interval *interval);

/*
 * The first interval, in order of start, that shares an address with [start, last]; and the next.
 */
struct interval *interval_first(const struct interval_tree *tree, u64 start, u64 last);
struct interval *interval_next(const struct interval_tree *tree, struct interval *interval,
			       u64 start, u64 last);

/* Any interval at all; NULL: the tree is empty. */
struct interval *interval_any(const struct interval_tree *tree);

/* The last interval that starts below `address`, and the first that starts above it. */
struct interval *interval_before(const struct interval_tree *tree, u64 address);
struct interval *interval_after(const struct interval_tree *tree, u64 address);

#endif
