/* SPDX-License-Identifier: MIT */
#include "iova/index_hot.h"

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

bool iova_index_find(struct iova_index *index, u64 pfn, struct iova_range *range)
{
	u32 i;
	struct index_leaf *leaf = index_at_or_below(index, 1, pfn, &i);

	if (!leaf || leaf_last(leaf, i) < pfn)
		return false;
	*range = leaf_range(leaf, i);
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
	*range = leaf_range_above(leaf, i);
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
	slot = index_slot(parent, node);
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

/* ---- Changing --------------------------------------------------------- */

int iova_index_insert_at(struct iova_index *index, u64 first, u64 last, bool reserved)
{
	struct iova_place place = { .pfn = first };

	if (index->root)
		place.leaf = index_locate(index, 0, first, &place.i);
	return index_insert(index, place, last, reserved);
}

void iova_index_keep(struct iova_index *index, u64 pfn)
{
	u32 i;
	struct index_leaf *leaf = index_at_or_below(index, 1, pfn, &i);

	leaf->reserved |= 1ULL << i;
}

/* Where it stands, if its leaf can tell it so. */
static bool extend_in_place(struct index_leaf *leaf, u32 i, u64 first, u64 last)
{
	struct codes was = codes_at(&leaf->node, i);

	if (!index_leaf_takes(leaf, first, last))
		return false;
	leaf->low[i] = (u32)(first - leaf->base);
	leaf->extra[i] = (u32)(last - first);
	/* What is below the leaf stays below it. */
	if (i + 1U == leaf->node.count && leaf->below)
		index_separate(leaf->below, leaf_first(leaf->below, 0));
	index_note(&leaf->node, was, index_set_gap(leaf, i));
	return true;
}

int iova_index_extend(struct iova_index *index, u64 pfn, u64 first)
{
	u32 i;
	struct index_leaf *leaf = index_at_or_below(index, 1, pfn, &i);
	struct iova_range range = leaf_range(leaf, i);
	int err;

	if (extend_in_place(leaf, i, first, range.last_pfn))
		return 0;
	err = iova_index_prepare(index, 1);
	if (err)
		return err;
	/* What follows cannot fail: all that it may need is set aside. */
	index_remove_at(index, leaf, i);
	err = iova_index_insert_at(index, first, range.last_pfn, range.reserved);
	iova_index_settle(index);
	return err;
}
