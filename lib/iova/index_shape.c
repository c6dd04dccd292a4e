/* SPDX-License-Identifier: MIT */
/*
 * How the tree of the index grows and shrinks. A leaf that is full splits in the middle, but where
 * a range comes at its end, or on top of all, a new leaf begins: filling in order fills leaves.
 * Neighbours of one parent that together are less than full become one.
 */
#include "iova/index_node.h"

#include <errno.h>
#include <string.h>

/* Two leaves that hold no more than this together become one; a little room is left. */
#define LEAF_MERGE  62U
#define INNER_MERGE 60U

/* ---- Memory ----------------------------------------------------------- */

void iova_index_init(struct iova_index *index, struct platform *platform)
{
	*index = (struct iova_index){ .platform = platform };
}

static void free_list(struct iova_index *index, struct index_node *node)
{
	while (node) {
		struct index_node *next = (struct index_node *)node->parent;

		platform_free(index->platform, node);
		node = next;
	}
}

/* Without recursion: a node that is empty goes, and its parent loses a child. */
void iova_index_fini(struct iova_index *index)
{
	struct index_node *node = index->root;
	u32 level = index->height;

	while (node) {
		struct index_node *parent = (struct index_node *)node->parent;

		if (level && node->count) {
			node = index_inner(node)->child[--node->count];
			level--;
			continue;
		}
		platform_free(index->platform, node);
		node = parent;
		level++;
	}
	free_list(index, index->spare_leaves);
	free_list(index, index->spare_inners);
	iova_index_init(index, index->platform);
}

static int add_spare(struct iova_index *index, struct index_node **list, u64 *count, size_t bytes)
{
	struct index_node *node = platform_alloc(index->platform, DMASIM_FAULT_IOVA_NODE, bytes);

	if (!node)
		return -ENOMEM;
	node->parent = (struct index_inner *)*list;
	*list = node;
	++*count;
	return 0;
}

static int set_aside(struct iova_index *index, u64 leaves, u64 inners)
{
	int err = 0;

	while (!err && index->spare_leaf_count < leaves)
		err = add_spare(index, &index->spare_leaves, &index->spare_leaf_count,
				sizeof(struct index_leaf));
	while (!err && index->spare_inner_count < inners)
		err = add_spare(index, &index->spare_inners, &index->spare_inner_count,
				sizeof(struct index_inner));
	return err;
}

/* Each may add two leaves, and each leaf split an inner node, all up to a new root. */
int iova_index_prepare(struct iova_index *index, u64 insertions)
{
	return set_aside(index, 2 * insertions, 2 * insertions + index->height + 2);
}

static void free_spares(struct iova_index *index, struct index_node **list, u64 *count)
{
	while (*count > 1) {
		struct index_node *node = *list;

		*list = (struct index_node *)node->parent;
		--*count;
		platform_free(index->platform, node);
	}
}

void iova_index_settle(struct iova_index *index)
{
	free_spares(index, &index->spare_leaves, &index->spare_leaf_count);
	free_spares(index, &index->spare_inners, &index->spare_inner_count);
}

/* Spares are clean: what a node loses is zeroed at once, so only the parent pointer is left. */
static struct index_node *take_spare(struct index_node **list, u64 *count)
{
	struct index_node *node = *list;

	*list = (struct index_node *)node->parent;
	--*count;
	node->parent = NULL;
	return node;
}

static struct index_leaf *new_leaf(struct iova_index *index)
{
	return index_leaf(take_spare(&index->spare_leaves, &index->spare_leaf_count));
}

static struct index_inner *new_inner(struct iova_index *index)
{
	return index_inner(take_spare(&index->spare_inners, &index->spare_inner_count));
}

static void forget(struct index_node *node)
{
	node->parent = NULL;
	node->max_fit = 0;
	node->max_gap = 0;
}

/* One is kept: whoever takes and gives one range at the edge of a leaf needs no allocator. */
static void drop_leaf(struct iova_index *index, struct index_leaf *leaf)
{
	for (u32 i = 0; i < 2; i++) {
		if (index->finger[i].leaf == leaf)
			index->finger[i].leaf = NULL;
	}
	if (leaf->above)
		leaf->above->below = leaf->below;
	else
		index->highest = leaf->below;
	if (leaf->below)
		leaf->below->above = leaf->above;
	if (index->spare_leaf_count) {
		platform_free(index->platform, leaf);
		return;
	}
	leaf->above = NULL;
	leaf->below = NULL;
	forget(&leaf->node);
	index->spare_leaves = &leaf->node;
	index->spare_leaf_count = 1;
}

static void drop_inner(struct iova_index *index, struct index_inner *inner)
{
	if (index->spare_inner_count) {
		platform_free(index->platform, inner);
		return;
	}
	forget(&inner->node);
	index->spare_inners = &inner->node;
	index->spare_inner_count = 1;
}

/* ---- Inner nodes ------------------------------------------------------ */

/* Moves children [from, from + count) of one node to another, or within it. */
static void move_children(struct index_inner *to, u32 at, struct index_inner *from, u32 i,
			  u32 count)
{
	memmove(&to->top[at], &from->top[i], count * sizeof(to->top[0]));
	memmove(&to->child[at], &from->child[i], count * sizeof(to->child[0]));
	memmove(&to->node.fit[at], &from->node.fit[i], count);
	memmove(&to->node.gap[at], &from->node.gap[i], count);
	for (u32 c = at; to != from && c < at + count; c++) {
		to->child[c]->parent = to;
		to->child[c]->slot = (u16)c;
	}
}

/* Slots from `count` on say nothing any more. */
static void cut_children(struct index_inner *inner, u32 count)
{
	u32 cut = inner->node.count - count;

	memset(&inner->child[count], 0, cut * sizeof(inner->child[0]));
	memset(&inner->node.fit[count], 0, cut);
	memset(&inner->node.gap[count], 0, cut);
	inner->node.count = (u8)count;
}

static void put_child(struct index_inner *parent, u32 slot, struct index_node *child, u64 top)
{
	move_children(parent, slot + 1, parent, slot, parent->node.count - slot);
	parent->node.count++;
	parent->child[slot] = child;
	parent->top[slot] = top;
	parent->node.fit[slot] = child->max_fit;
	parent->node.gap[slot] = child->max_gap;
	child->parent = parent;
	child->slot = (u16)slot;
	index_refresh(&parent->node);
}

static struct index_inner *new_root(struct iova_index *index)
{
	struct index_inner *root = new_inner(index);

	put_child(root, 0, index->root, ~0ULL);
	index->root = &root->node;
	index->height++;
	return root;
}

static void add_child(struct iova_index *index, struct index_node *after, struct index_node *child,
		      u64 top);

/* Makes room in the parent for a child at `slot`; returns whose child it becomes, and where. */
static struct index_inner *split_inner(struct iova_index *index, struct index_inner *inner,
				       u32 *slot)
{
	struct index_inner *lower = new_inner(index);
	u32 at = *slot == INDEX_FANOUT ? INDEX_FANOUT - 1 : INDEX_FANOUT / 2;

	move_children(lower, 0, inner, at, INDEX_FANOUT - at);
	lower->node.count = (u8)(INDEX_FANOUT - at);
	cut_children(inner, at);
	index_refresh(&inner->node);
	lower->node.max_fit = codes_max(lower->node.fit);
	lower->node.max_gap = codes_max(lower->node.gap);
	add_child(index, &inner->node, &lower->node, lower->top[0]);
	if (*slot <= at)
		return inner;
	*slot -= at;
	return lower;
}

/* The nodes that add_child() will need. */
static u32 full_above(const struct index_node *node)
{
	u32 full = 0;

	while (node->parent && node->parent->node.count == INDEX_FANOUT) {
		node = &node->parent->node;
		full++;
	}
	return full + !node->parent;
}

/* child comes right below `after`; all in it is at or below top. */
static void add_child(struct iova_index *index, struct index_node *after, struct index_node *child,
		      u64 top)
{
	struct index_inner *parent = after->parent ? after->parent : new_root(index);
	u32 slot = index_slot(parent, after) + 1;

	if (parent->node.count == INDEX_FANOUT)
		parent = split_inner(index, parent, &slot);
	put_child(parent, slot, child, top);
}

/* The same above the highest of all, which begins at `first`. */
static void add_highest(struct iova_index *index, struct index_node *child, u64 first)
{
	struct index_inner *parent = index->highest->node.parent;
	u32 slot = 0;

	if (!parent)
		parent = new_root(index);
	if (parent->node.count == INDEX_FANOUT)
		parent = split_inner(index, parent, &slot);
	parent->top[0] = first;
	put_child(parent, 0, child, ~0ULL);
}

static void remove_child(struct iova_index *index, struct index_node *child);

/* The child in `slot` becomes one with the next one below it, if both are one node's worth. */
static bool merge_inners(struct iova_index *index, struct index_inner *parent, u32 slot)
{
	struct index_inner *inner = index_inner(parent->child[slot]);
	struct index_inner *lower;

	if (slot + 1U == parent->node.count)
		return false;
	lower = index_inner(parent->child[slot + 1]);
	if (inner->node.count + lower->node.count > INNER_MERGE)
		return false;
	lower->top[0] = parent->top[slot + 1];
	move_children(inner, inner->node.count, lower, 0, lower->node.count);
	inner->node.count = (u8)(inner->node.count + lower->node.count);
	cut_children(lower, 0);
	index_refresh(&inner->node);
	remove_child(index, &lower->node);
	drop_inner(index, lower);
	return true;
}

static void merge_inner(struct iova_index *index, struct index_inner *inner)
{
	struct index_inner *parent = inner->node.parent;
	u32 slot = index_slot(parent, &inner->node);

	if (!merge_inners(index, parent, slot) && slot)
		merge_inners(index, parent, slot - 1);
}

static void drop_root(struct iova_index *index)
{
	struct index_inner *root = index_inner(index->root);

	index->root = root->node.count ? root->child[0] : NULL;
	index->height = root->node.count ? index->height - 1 : 0;
	if (index->root)
		index->root->parent = NULL;
	cut_children(root, 0);
	drop_inner(index, root);
}

static void remove_child(struct iova_index *index, struct index_node *child)
{
	struct index_inner *parent = child->parent;
	u32 slot = index_slot(parent, child);

	move_children(parent, slot, parent, slot + 1, parent->node.count - slot - 1U);
	cut_children(parent, parent->node.count - 1U);
	index_refresh(&parent->node);
	if (!parent->node.parent) {
		if (parent->node.count <= 1)
			drop_root(index);
	} else if (!parent->node.count) {
		remove_child(index, &parent->node);
		drop_inner(index, parent);
	} else if (parent->node.count < INNER_MERGE) {
		merge_inner(index, parent);
	}
}

void index_separate(struct index_leaf *leaf, u64 first)
{
	struct index_node *node = &leaf->node;

	while (node->parent && !index_slot(node->parent, node))
		node = &node->parent->node;
	if (node->parent)
		node->parent->top[node->slot] = first;
}

/* ---- Leaves ----------------------------------------------------------- */

bool index_leaf_takes(const struct index_leaf *leaf, u64 first, u64 last)
{
	if (last - first >= INDEX_EXTRA_MAX)
		return !leaf->node.count;
	return !leaf->wide && first - leaf->base <= ~0U;
}

static bool has_room(const struct index_leaf *leaf, u64 first, u64 last)
{
	return leaf->node.count < INDEX_FANOUT && index_leaf_takes(leaf, first, last);
}

/* So that what comes near it, on either side, can be told. */
static u64 base_for(u64 first)
{
	u64 base = first & ~0x7fffffffULL;

	return base ? base - 0x80000000ULL : 0;
}

static void link_below(struct index_leaf *leaf, struct index_leaf *lower)
{
	lower->above = leaf;
	lower->below = leaf->below;
	if (leaf->below)
		leaf->below->above = lower;
	leaf->below = lower;
}

static int first_leaf(struct iova_index *index, struct iova_place *place, u64 first)
{
	if (set_aside(index, 1, 0))
		return -ENOMEM;
	index->highest = new_leaf(index);
	index->highest->base = base_for(first);
	index->root = &index->highest->node;
	*place = (struct iova_place){ .leaf = index->highest, .pfn = place->pfn };
	return 0;
}

static int add_leaf_below(struct iova_index *index, struct iova_place *place, u64 first)
{
	struct index_leaf *leaf = place->leaf;
	struct index_leaf *lower;

	if (set_aside(index, 1, full_above(&leaf->node)))
		return -ENOMEM;
	lower = new_leaf(index);
	lower->base = base_for(first);
	if (leaf->below)
		index_separate(leaf->below, leaf_first(leaf->below, 0));
	link_below(leaf, lower);
	add_child(index, &leaf->node, &lower->node, first);
	place->leaf = lower;
	place->i = 0;
	return 0;
}

static int add_leaf_on_top(struct iova_index *index, struct iova_place *place, u64 first)
{
	struct index_leaf *leaf = place->leaf;
	struct index_leaf *top;

	if (set_aside(index, 1, full_above(&leaf->node)))
		return -ENOMEM;
	top = new_leaf(index);
	top->base = base_for(first);
	add_highest(index, &top->node, leaf_first(leaf, 0));
	top->below = leaf;
	leaf->above = top;
	index->highest = top;
	place->leaf = top;
	return 0;
}

static void move_ranges(struct index_leaf *to, struct index_leaf *from, u32 i)
{
	u32 at = to->node.count;
	u32 count = from->node.count - i;

	for (u32 c = 0; c < count; c++)
		to->low[at + c] = (u32)(leaf_first(from, i + c) - to->base);
	memcpy(&to->extra[at], &from->extra[i], count * sizeof(to->extra[0]));
	memcpy(&to->node.fit[at], &from->node.fit[i], count);
	memcpy(&to->node.gap[at], &from->node.gap[i], count);
	to->reserved |= from->reserved >> i << at;
	to->node.count = (u8)(at + count);
	memset(&from->low[i], 0, count * sizeof(from->low[0]));
	memset(&from->node.fit[i], 0, count);
	memset(&from->node.gap[i], 0, count);
	from->reserved &= (1ULL << i) - 1;
	from->node.count = (u8)i;
}

static int split_leaf(struct iova_index *index, struct iova_place *place, u32 at)
{
	struct index_leaf *leaf = place->leaf;
	struct index_leaf *lower;

	if (set_aside(index, 1, full_above(&leaf->node)))
		return -ENOMEM;
	lower = new_leaf(index);
	lower->base = leaf->base;
	link_below(leaf, lower);
	move_ranges(lower, leaf, at);
	index_refresh(&leaf->node);
	lower->node.max_fit = codes_max(lower->node.fit);
	lower->node.max_gap = codes_max(lower->node.gap);
	add_child(index, &leaf->node, &lower->node, leaf_first(lower, 0));
	if (place->i > at) {
		place->leaf = lower;
		place->i -= at;
	}
	return 0;
}

int index_make_room(struct iova_index *index, struct iova_place *place, u64 first, u64 last)
{
	int err = 0;

	while (!err) {
		struct index_leaf *leaf = place->leaf;

		if (!leaf)
			return first_leaf(index, place, first);
		if (!leaf->node.count)
			leaf->base = base_for(first);
		if (has_room(leaf, first, last))
			return 0;
		if (!place->i && leaf->above) {
			place->leaf = leaf->above;
			place->i = leaf->above->node.count;
		} else if (!place->i) {
			return add_leaf_on_top(index, place, first);
		} else if (place->i < leaf->node.count) {
			err = split_leaf(index, place,
					 index_leaf_takes(leaf, first, last) ? INDEX_FANOUT / 2
									     : place->i);
		} else if (leaf->below && has_room(leaf->below, first, last)) {
			place->leaf = leaf->below;
			place->i = 0;
		} else {
			return add_leaf_below(index, place, first);
		}
	}
	return err;
}

/* True if what is in both can be told with one base, which it sets in `leaf`. */
static bool share_base(struct index_leaf *leaf, const struct index_leaf *lower)
{
	u64 base = leaf_first(lower, lower->node.count - 1U) & ~0x7fffffffULL;
	u64 shift = leaf->base - base; /* wraps where base is the higher one */

	if (leaf->wide || lower->wide || leaf_first(leaf, 0) - base > ~0U)
		return false;
	for (u32 i = 0; i < leaf->node.count; i++)
		leaf->low[i] += (u32)shift;
	leaf->base = base;
	return true;
}

static bool merge_below(struct iova_index *index, struct index_leaf *leaf)
{
	struct index_leaf *lower = leaf->below;

	if (!lower || lower->node.parent != leaf->node.parent ||
	    leaf->node.count + lower->node.count > LEAF_MERGE || !share_base(leaf, lower))
		return false;
	move_ranges(leaf, lower, 0);
	index_refresh(&leaf->node);
	remove_child(index, &lower->node);
	drop_leaf(index, lower);
	return true;
}

void index_shrink(struct iova_index *index, struct index_leaf *leaf)
{
	struct index_leaf *above = leaf->above;

	if (leaf->node.count) {
		if (!merge_below(index, leaf) && above)
			merge_below(index, above);
		return;
	}
	/* The last one stays, empty. */
	if (!leaf->node.parent)
		return;
	remove_child(index, &leaf->node);
	drop_leaf(index, leaf);
	if (above)
		index_set_lowest_gap(above);
}
