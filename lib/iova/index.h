/* SPDX-License-Identifier: MIT */
/*
 * An index of disjoint ranges of page numbers that knows the gaps between them: find, insert,
 * remove, and the highest place for a range of some size, alignment and limit, each in O(log n).
 * Removing never needs memory.
 *
 * A search by natural alignment, or by none, looks at one gap for sizes up to 64 pages and for
 * powers of two; for other sizes it may also look at gaps that are up to a quarter too short;
 * for other alignments at any that is long enough.
 */
#ifndef IOVA_INDEX_H
#define IOVA_INDEX_H

#include <dmasim/iova.h>

struct index_leaf;
struct index_node;

/* Where a range was last put, or removed: the next one is often near. */
struct index_finger {
	struct index_leaf *leaf; /* NULL: nowhere */
	u32 i;
};

struct iova_index {
	struct platform *platform;
	struct index_node *root; /* NULL: nothing was ever in it */
	u32 height;		 /* levels of inner nodes */
	u64 count;		 /* ranges */
	struct index_leaf *highest;
	struct index_finger finger[2]; /* of searches for places, of removals */
	/* Kept for the next split, by their parent pointers. */
	struct index_node *spare_leaves;
	struct index_node *spare_inners;
	u64 spare_leaf_count;
	u64 spare_inner_count;
};

/* A place in the index for one new range: before range i of the leaf. NULL: it is the first. */
struct iova_place {
	struct index_leaf *leaf;
	u32 i;
	u64 pfn; /* of the range */
};

/* What is looked for. */
struct iova_search {
	u64 top; /* all of it below */
	u64 pages;
	u32 align_lg2;
};

void iova_index_init(struct iova_index *index, struct platform *platform);
void iova_index_fini(struct iova_index *index);

/* The highest place. False: there is none. */
bool iova_index_search(struct iova_index *index, const struct iova_search *search,
		       struct iova_place *place);

/* Puts [first, last] in, all of which is free. 0; or -ENOMEM, and nothing changed. */
int iova_index_insert_at(struct iova_index *index, u64 first, u64 last, bool reserved);

/* Sets memory aside: that many insertions cannot fail. 0 or -ENOMEM. */
int iova_index_prepare(struct iova_index *index, u64 insertions);

/* Gives back what was set aside and not needed. */
void iova_index_settle(struct iova_index *index);

/* The range that contains pfn. */
bool iova_index_find(struct iova_index *index, u64 pfn, struct iova_range *range);

/* The lowest range that ends at or above pfn. */
bool iova_index_next(struct iova_index *index, u64 pfn, struct iova_range *range);

/* The range that contains pfn is reserved from now on. */
void iova_index_keep(struct iova_index *index, u64 pfn);

/* The range that contains pfn begins at `first` now: what lies between is free. 0 or -ENOMEM. */
int iova_index_extend(struct iova_index *index, u64 pfn, u64 first);

#endif
