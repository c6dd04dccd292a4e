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

/* True if range i is the first of the leaf that begins at or below pfn. */
static bool leaf_is_position(const struct index_leaf *leaf, u32 i, u64 pfn)
{
	return i <= leaf->node.count && (!i || leaf_first(leaf, i - 1) > pfn) &&
	       (i == leaf->node.count || leaf_first(leaf, i) <= pfn);
}

struct index_leaf *index_locate(struct iova_index *index, u32 finger, u64 pfn, u32 *i)
{
	struct index_finger *hint = &index->finger[finger];
	struct index_leaf *leaf = hint->leaf;
	struct index_node *node;

	if (leaf && leaf_covers(leaf, pfn)) {
		/* Most often it is where it was last: no need to look at the whole leaf. */
		*i = hint->i;
		if (leaf_is_position(leaf, hint->i, pfn))
			return leaf;
	} else {
		node = index->root;
		for (u32 level = index->height; level; level--)
			node = index_inner(node)->child[child_of(index_inner(node), pfn)];
		leaf = index_leaf(node);
		hint->leaf = leaf;
	}
	*i = leaf_position(leaf, pfn);
	hint->i = *i;
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

/* Tells the parent what the node's largest codes are. Returns the parent, or NULL: it knows. */
static struct index_node *tell_parent(struct index_node *node, struct codes now)
{
	struct index_inner *parent = node->parent;
	u32 slot;

	if (now.fit == node->max_fit && now.gap == node->max_gap)
		return NULL;
	node->max_fit = now.fit;
	node->max_gap = now.gap;
	if (!parent)
		return NULL;
	slot = index_slot(node);
	parent->node.fit[slot] = now.fit;
	parent->node.gap[slot] = now.gap;
	return &parent->node;
}

void index_refresh(struct index_node *node)
{
	while (node)
		node = tell_parent(node, (struct codes){ .fit = codes_max(node->fit),
							 .gap = codes_max(node->gap) });
}

/* The largest code of a node whose largest one was `max`. */
static u8 new_max(const u8 *codes, u8 max, u8 was, u8 now)
{
	if (now >= max)
		return now;
	return was < max ? max : codes_max(codes);
}

void index_changed(struct index_node *node, struct codes was, struct codes now)
{
	while (node) {
		struct codes before = { .fit = node->max_fit, .gap = node->max_gap };

		now.fit = new_max(node->fit, before.fit, was.fit, now.fit);
		now.gap = new_max(node->gap, before.gap, was.gap, now.gap);
		node = tell_parent(node, now);
		was = before;
	}
}

void index_set_lowest_gap(struct index_leaf *above)
{
	u32 i = above->node.count - 1U;
	struct codes was = codes_at(&above->node, i);

	index_changed(&above->node, was, index_set_gap(above, i));
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

	leaf->node.count++;
	leaf->reserved = shift_bits_up(leaf->reserved, i);
	if (!move)
		return;
	memmove(&leaf->low[i + 1], &leaf->low[i], move * sizeof(leaf->low[0]));
	memmove(&leaf->extra[i + 1], &leaf->extra[i], move * sizeof(leaf->extra[0]));
	memmove(&leaf->node.fit[i + 1], &leaf->node.fit[i], move);
	memmove(&leaf->node.gap[i + 1], &leaf->node.gap[i], move);
}

static void set_range(struct index_leaf *leaf, u32 i, u64 first, u64 last)
{
	leaf->low[i] = (u32)(first - leaf->base);
	leaf->extra[i] = (u32)(last - first);
	leaf->wide = last - first >= INDEX_EXTRA_MAX;
	leaf->wide_last = last;
}

/* Range i is new: the gap that it lies in is two, its own and that of the range above it. */
static void split_gap(struct index_leaf *leaf, u32 i)
{
	struct codes was = { 0 };
	struct codes now = index_set_gap(leaf, i);

	if (i) {
		was = codes_at(&leaf->node, i - 1);
		now = codes_larger(now, index_set_gap(leaf, i - 1));
	}
	index_changed(&leaf->node, was, now);
	if (!i && leaf->above)
		index_set_lowest_gap(leaf->above);
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
	open_slot(leaf, i);
	set_range(leaf, i, first, last);
	leaf->reserved |= (u64)reserved << i;
	index->count++;
	index->finger[0] = (struct index_finger){ .leaf = leaf, .i = i + 1 };
	index->finger[1] = (struct index_finger){ .leaf = leaf, .i = i };
	/* Whoever looks for it must come here. */
	if (i + 1U == leaf->node.count && leaf->below)
		index_separate(leaf->below, leaf_first(leaf->below, 0));
	if (!i)
		index_separate(leaf, first);
	split_gap(leaf, i);
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

	if (move) {
		memmove(&leaf->low[i], &leaf->low[i + 1], move * sizeof(leaf->low[0]));
		memmove(&leaf->extra[i], &leaf->extra[i + 1], move * sizeof(leaf->extra[0]));
		memmove(&leaf->node.fit[i], &leaf->node.fit[i + 1], move);
		memmove(&leaf->node.gap[i], &leaf->node.gap[i + 1], move);
	}
	leaf->low[last] = 0;
	leaf->node.fit[last] = 0;
	leaf->node.gap[last] = 0;
	leaf->reserved = shift_bits_down(leaf->reserved, i);
	leaf->wide = false;
	leaf->node.count--;
}

/* Its gap becomes part of that of the range above it. */
static void remove_at(struct iova_index *index, struct index_leaf *leaf, u32 i)
{
	struct codes was = codes_at(&leaf->node, i);
	struct codes now = { 0 };

	close_slot(leaf, i);
	index->count--;
	index->finger[0].i = i;
	index->finger[1].i = i;
	if (i) {
		was = codes_larger(was, codes_at(&leaf->node, i - 1));
		now = index_set_gap(leaf, i - 1);
	}
	if (leaf->node.count) {
		index_changed(&leaf->node, was, now);
		if (!i && leaf->above)
			index_set_lowest_gap(leaf->above);
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
