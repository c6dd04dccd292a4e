/* SPDX-License-Identifier: MIT */
#include "iova/index_node.h"

#include <string.h>

/* ---- Finding ---------------------------------------------------------- */

/* The child under which ranges that begin at pfn are. */
static u32 child_of(const struct index_inner *inner, u64 pfn)
{
	u32 slot = 0;

	/* top[] descends: the last one that is not below pfn. */
	for (u32 step = INDEX_FANOUT / 2; step; step /= 2) {
		if (slot + step < inner->node.count && inner->top[slot + step] >= pfn)
			slot += step;
	}
	return slot;
}

/* True if the first range that begins at or below pfn is in the leaf, or right below it. */
static bool leaf_covers(const struct index_leaf *leaf, u64 pfn)
{
	if (leaf->above && pfn > leaf_first(leaf, 0))
		return false;
	return !leaf->below || pfn >= leaf_first(leaf, leaf->node.count - 1U);
}

struct index_leaf *index_locate(struct iova_index *index, u32 finger, u64 pfn, u32 *i)
{
	struct index_leaf *leaf = index->finger[finger];
	struct index_node *node;

	if (!leaf || !leaf_covers(leaf, pfn)) {
		node = index->root;
		for (u32 level = index->height; level; level--)
			node = index_inner(node)->child[child_of(index_inner(node), pfn)];
		leaf = index_leaf(node);
		index->finger[finger] = leaf;
	}
	*i = leaf_position(leaf, pfn);
	return leaf;
}

/* The highest range that begins at or below pfn. NULL: none. */
static struct index_leaf *at_or_below(struct iova_index *index, u32 finger, u64 pfn, u32 *i)
{
	struct index_leaf *leaf;

	if (!index->root)
		return NULL;
	leaf = index_locate(index, finger, pfn, i);
	if (*i < leaf->node.count)
		return leaf;
	*i = 0;
	return leaf->below;
}

static struct iova_range range_of(const struct index_leaf *leaf, u32 i)
{
	return (struct iova_range){
		.first_pfn = leaf_first(leaf, i),
		.last_pfn = leaf_last(leaf, i),
		.reserved = leaf->reserved >> i & 1,
	};
}

/* The next one upwards, or [~0, ~0]. */
static struct iova_range range_above(const struct index_leaf *leaf, u32 i)
{
	if (i)
		return range_of(leaf, i - 1);
	if (leaf->above)
		return range_of(leaf->above, leaf->above->node.count - 1U);
	return (struct iova_range){ .first_pfn = ~0ULL, .last_pfn = ~0ULL };
}

bool iova_index_find(struct iova_index *index, u64 pfn, struct iova_range *range)
{
	u32 i;
	struct index_leaf *leaf = at_or_below(index, 1, pfn, &i);

	if (!leaf || leaf_last(leaf, i) < pfn)
		return false;
	*range = range_of(leaf, i);
	return true;
}

bool iova_index_next(struct iova_index *index, u64 pfn, struct iova_range *range)
{
	struct index_leaf *leaf;
	u32 i;

	if (iova_index_find(index, pfn, range))
		return true;
	if (!index->root)
		return false;
	leaf = index_locate(index, 1, pfn, &i);
	*range = range_above(leaf, i);
	return i || leaf->above;
}

/* ---- Codes ------------------------------------------------------------ */

void index_refresh(struct index_node *node)
{
	for (;;) {
		struct index_inner *parent = node->parent;
		u8 fit = codes_max(node->fit);
		u8 gap = codes_max(node->gap);
		u32 slot;

		if (fit == node->max_fit && gap == node->max_gap)
			return;
		node->max_fit = fit;
		node->max_gap = gap;
		if (!parent)
			return;
		slot = index_slot(node);
		parent->node.fit[slot] = fit;
		parent->node.gap[slot] = gap;
		node = &parent->node;
	}
}

/* ---- Inserting -------------------------------------------------------- */

static u64 shift_bits_up(u64 bits, u32 i)
{
	u64 below = (1ULL << i) - 1;

	return (bits & below) | (bits & ~below) << 1;
}

static void open_slot(struct index_leaf *leaf, u32 i)
{
	u32 move = leaf->node.count - i;

	memmove(&leaf->low[i + 1], &leaf->low[i], move * sizeof(leaf->low[0]));
	memmove(&leaf->extra[i + 1], &leaf->extra[i], move * sizeof(leaf->extra[0]));
	memmove(&leaf->node.fit[i + 1], &leaf->node.fit[i], move);
	memmove(&leaf->node.gap[i + 1], &leaf->node.gap[i], move);
	leaf->reserved = shift_bits_up(leaf->reserved, i);
	leaf->node.count++;
}

static void set_range(struct index_leaf *leaf, u32 i, u64 first, u64 last)
{
	leaf->low[i] = (u32)(first - leaf->base);
	leaf->extra[i] = (u32)(last - first);
	leaf->wide = last - first >= INDEX_EXTRA_MAX;
	leaf->wide_last = last;
}

/* The gap below range i, and the one above it, whose end it is. */
static void set_gaps_around(struct index_leaf *leaf, u32 i)
{
	index_set_gap(leaf, i);
	if (i)
		index_set_gap(leaf, i - 1);
	index_refresh(&leaf->node);
	if (!i)
		index_set_gap_above(leaf);
}

static int insert(struct iova_index *index, struct iova_place place, u64 first, u64 last,
		  bool reserved)
{
	struct index_leaf *leaf = place.leaf;
	u32 i = place.i;

	if (DMASIM_UNLIKELY(!leaf || leaf->node.count == INDEX_FANOUT ||
			    !index_leaf_takes(leaf, first, last))) {
		int err = index_make_room(index, &place, first, last);

		if (err)
			return err;
		leaf = place.leaf;
		i = place.i;
	}
	if (i < leaf->node.count)
		open_slot(leaf, i);
	else
		leaf->node.count++;
	set_range(leaf, i, first, last);
	leaf->reserved |= (u64)reserved << i;
	index->count++;
	index->finger[0] = leaf;
	/* Whoever looks for it must come here. */
	if (i + 1U == leaf->node.count && leaf->below)
		index_separate(leaf->below, leaf_first(leaf->below, 0));
	if (!i)
		index_separate(leaf, first);
	set_gaps_around(leaf, i);
	return 0;
}

int iova_index_insert(struct iova_index *index, struct iova_place place, u64 pages, bool reserved)
{
	return insert(index, place, place.pfn, place.pfn + (pages - 1), reserved);
}

int iova_index_insert_at(struct iova_index *index, u64 first, u64 last, bool reserved)
{
	struct iova_place place = { .pfn = first };

	if (index->root)
		place.leaf = index_locate(index, 0, first, &place.i);
	return insert(index, place, first, last, reserved);
}

/* ---- Removing --------------------------------------------------------- */

static u64 shift_bits_down(u64 bits, u32 i)
{
	u64 below = (1ULL << i) - 1;

	return (bits & below) | (bits >> 1 & ~below);
}

static void close_slot(struct index_leaf *leaf, u32 i)
{
	u32 move = leaf->node.count - 1U - i;
	u32 last = leaf->node.count - 1U;

	memmove(&leaf->low[i], &leaf->low[i + 1], move * sizeof(leaf->low[0]));
	memmove(&leaf->extra[i], &leaf->extra[i + 1], move * sizeof(leaf->extra[0]));
	memmove(&leaf->node.fit[i], &leaf->node.fit[i + 1], move);
	memmove(&leaf->node.gap[i], &leaf->node.gap[i + 1], move);
	leaf->low[last] = 0;
	leaf->node.fit[last] = 0;
	leaf->node.gap[last] = 0;
	leaf->reserved = shift_bits_down(leaf->reserved, i);
	leaf->wide = false;
	leaf->node.count--;
}

static void remove_at(struct iova_index *index, struct index_leaf *leaf, u32 i)
{
	close_slot(leaf, i);
	index->count--;
	if (i) {
		index_set_gap(leaf, i - 1);
		index_refresh(&leaf->node);
	} else if (leaf->node.count) {
		index_refresh(&leaf->node);
		index_set_gap_above(leaf);
	}
	if (leaf->node.count <= INDEX_FANOUT / 2)
		index_shrink(index, leaf);
}

bool iova_index_remove(struct iova_index *index, u64 pfn, struct iova_range *range,
		       struct iova_range *above)
{
	u32 i;
	struct index_leaf *leaf = at_or_below(index, 1, pfn, &i);

	if (!leaf || leaf_last(leaf, i) < pfn)
		return false;
	*range = range_of(leaf, i);
	*above = range_above(leaf, i);
	remove_at(index, leaf, i);
	return true;
}

bool iova_index_remove_exact(struct iova_index *index, u64 first, u64 last)
{
	u32 i;
	struct index_leaf *leaf = at_or_below(index, 1, first, &i);

	if (!leaf || leaf_first(leaf, i) != first || leaf_last(leaf, i) != last ||
	    leaf->reserved >> i & 1)
		return false;
	remove_at(index, leaf, i);
	return true;
}

void iova_index_keep(struct iova_index *index, u64 pfn)
{
	u32 i;
	struct index_leaf *leaf = at_or_below(index, 1, pfn, &i);

	leaf->reserved |= 1ULL << i;
}

int iova_index_extend(struct iova_index *index, u64 pfn, u64 first)
{
	u32 i;
	struct index_leaf *leaf = at_or_below(index, 1, pfn, &i);
	struct iova_range range = range_of(leaf, i);
	int err = iova_index_prepare(index, 1);

	if (err)
		return err;
	/* What follows cannot fail: all that it may need is set aside. */
	remove_at(index, leaf, i);
	err = iova_index_insert_at(index, first, range.last_pfn, range.reserved);
	iova_index_settle(index);
	return err;
}
