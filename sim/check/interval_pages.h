/* SPDX-License-Identifier: MIT */
/*
 * The half of an interval tree that is kept by page. A block holds 64 pages, and each page a list
 * of its intervals; a tree of blocks finds a page, if the block used last is not the one. A list
 * stays short: what would make it longer goes into the other half.
 */
#ifndef CHECK_INTERVAL_PAGES_H
#define CHECK_INTERVAL_PAGES_H

#include "check/interval.h"

/* The balanced tree that both halves use: by start, then by order. */
RB_PROTOTYPE(interval_root, interval, node, interval_compare)

static inline int interval_compare(const struct interval *a, const struct interval *b)
{
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

void interval_root_insert(struct interval_root *root, struct interval *interval);
void interval_root_remove(struct interval_root *root, struct interval *interval);

/* One that lies in a page of 4 KiB. False: there is no room for it. */
bool interval_pages_insert(struct interval_tree *tree, struct interval *interval);
void interval_pages_remove(struct interval_tree *tree, struct interval *interval);

/* The first in order behind `after` (NULL: of all) that shares an address with [start, last]. */
struct interval *interval_pages_first(const struct interval_tree *tree,
				      const struct interval *after, u64 start, u64 last);

/* The last that starts below `address`. */
struct interval *interval_pages_before(const struct interval_tree *tree, u64 address);

void interval_pages_fini(struct interval_tree *tree);

#endif
