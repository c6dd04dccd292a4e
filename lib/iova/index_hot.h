/* SPDX-License-Identifier: MIT */
/*
 * The short ways through the index, inline in the allocators that live by them. The next range is
 * often wanted near the last one, so each way looks there first; what is rare is called.
 */
#ifndef IOVA_INDEX_HOT_H
#define IOVA_INDEX_HOT_H

#include <string.h>

#include "iova/index_node.h"

/* ---- Finding ---------------------------------------------------------- */

/* True if range i is the first of the leaf that begins at or below pfn. */
static inline bool leaf_is_position(const struct index_leaf *leaf, u32 i, u64 pfn)
{
	return i <= leaf->node.count && (!i || leaf_first(leaf, i - 1) > pfn) &&
	       (i == leaf->node.count || leaf_first(leaf, i) <= pfn);
}

/* The highest range that begins at or below pfn. NULL: none. */
static inline struct index_leaf *index_at_or_below(struct iova_index *index, u32 finger, u64 pfn,
						   u32 *i)
{
	struct index_finger *hint = &index->finger[finger];
	struct index_leaf *leaf = hint->leaf;

	*i = hint->i;
	if (leaf && *i < leaf->node.count && leaf_first(leaf, *i) <= pfn &&
	    (*i ? leaf_first(leaf, *i - 1) > pfn : pfn <= leaf_last(leaf, 0)))
		return leaf;
	if (!index->root)
		return NULL;
	leaf = index_locate(index, finger, pfn, i);
	if (*i < leaf->node.count)
		return leaf;
	*i = 0;
	return leaf->below;
}

static inline struct iova_range leaf_range(const struct index_leaf *leaf, u32 i)
{
	return (struct iova_range){
		.first_pfn = leaf_first(leaf, i),
		.last_pfn = leaf_last(leaf, i),
		.reserved = leaf->reserved >> i & 1,
	};
}

/* The next one upwards, or [~0, ~0]. */
static inline struct iova_range leaf_range_above(const struct index_leaf *leaf, u32 i)
{
	if (i)
		return leaf_range(leaf, i - 1);
	if (leaf->above)
		return leaf_range(leaf->above, leaf->above->node.count - 1U);
	return (struct iova_range){ .first_pfn = ~0ULL, .last_pfn = ~0ULL };
}

/* The gap right below the range that begins at search->top, if that is where it was last. */
static inline bool index_search_near(struct iova_index *index, const struct iova_search *search,
				     struct iova_place *place)
{
	struct index_leaf *leaf = index->finger[0].leaf;
	u32 i = index->finger[0].i;

	place->leaf = leaf;
	place->i = i;
	return leaf && i && i <= leaf->node.count && leaf_first(leaf, i - 1) == search->top &&
	       fit_place(leaf_gap_start(leaf, i - 1), search->top, search->pages,
			 (1ULL << search->align_lg2) - 1, &place->pfn);
}

/* ---- Inserting -------------------------------------------------------- */

static inline u64 bits_shift_up(u64 bits, u32 i)
{
	u64 below = (1ULL << i) - 1;

	return (bits & below) | (bits & ~below) << 1;
}

static inline void leaf_open(struct index_leaf *leaf, u32 i)
{
	u32 move = leaf->node.count - i;

	leaf->node.count++;
	leaf->reserved = bits_shift_up(leaf->reserved, i);
	if (!move)
		return;
	memmove(&leaf->low[i + 1], &leaf->low[i], move * sizeof(leaf->low[0]));
	memmove(&leaf->extra[i + 1], &leaf->extra[i], move * sizeof(leaf->extra[0]));
	memmove(&leaf->node.fit[i + 1], &leaf->node.fit[i], move);
	memmove(&leaf->node.gap[i + 1], &leaf->node.gap[i], move);
}

/* The codes changed, from what had the largest `was` to what has `now`. */
static inline void index_note(struct index_node *node, struct codes was, struct codes now)
{
	if (was.fit != now.fit || was.gap != now.gap)
		index_changed(node, was, now);
}

/* Range i is new: the gap that it lies in is two, its own and that of the range above it. */
static inline void leaf_split_gap(struct index_leaf *leaf, u32 i)
{
	struct codes was = { 0 };
	struct codes now = index_set_gap(leaf, i);

	if (DMASIM_LIKELY(i)) {
		was = codes_at(&leaf->node, i - 1);
		now = codes_larger(now, index_set_gap(leaf, i - 1));
	}
	index_note(&leaf->node, was, now);
	if (!i && leaf->above)
		index_set_lowest_gap(leaf->above);
}

/* Puts a free range where a search found its place. 0; or -ENOMEM, and nothing changed. */
static inline int index_insert(struct iova_index *index, struct iova_place place, u64 last,
			       bool reserved)
{
	u64 first = place.pfn;

	if (DMASIM_UNLIKELY(!place.leaf || place.leaf->node.count == INDEX_FANOUT ||
			    place.leaf->wide || first - place.leaf->base > ~0U ||
			    last - first >= INDEX_EXTRA_MAX)) {
		int err = index_make_room(index, &place, first, last);

		if (err)
			return err;
	}
	leaf_open(place.leaf, place.i);
	place.leaf->low[place.i] = (u32)(first - place.leaf->base);
	place.leaf->extra[place.i] = (u32)(last - first);
	place.leaf->reserved |= (u64)reserved << place.i;
	if (DMASIM_UNLIKELY(last - first >= INDEX_EXTRA_MAX)) {
		place.leaf->wide = true;
		place.leaf->wide_last = last;
	}
	index->count++;
	index->finger[0] = (struct index_finger){ .leaf = place.leaf, .i = place.i + 1 };
	index->finger[1] = (struct index_finger){ .leaf = place.leaf, .i = place.i };
	/* Whoever looks for it must come here. */
	if (place.i + 1U == place.leaf->node.count && place.leaf->below)
		index_separate(place.leaf->below, leaf_first(place.leaf->below, 0));
	if (!place.i)
		index_separate(place.leaf, first);
	leaf_split_gap(place.leaf, place.i);
	return 0;
}

/* ---- Removing --------------------------------------------------------- */

static inline u64 bits_shift_down(u64 bits, u32 i)
{
	u64 below = (1ULL << i) - 1;

	return (bits & below) | (bits >> 1 & ~below);
}

static inline void leaf_close(struct index_leaf *leaf, u32 i)
{
	u32 last = leaf->node.count - 1U;
	u32 move = last - i;

	if (move) {
		memmove(&leaf->low[i], &leaf->low[i + 1], move * sizeof(leaf->low[0]));
		memmove(&leaf->extra[i], &leaf->extra[i + 1], move * sizeof(leaf->extra[0]));
		memmove(&leaf->node.fit[i], &leaf->node.fit[i + 1], move);
		memmove(&leaf->node.gap[i], &leaf->node.gap[i + 1], move);
	}
	leaf->low[last] = 0;
	leaf->node.fit[last] = 0;
	leaf->node.gap[last] = 0;
	leaf->reserved = bits_shift_down(leaf->reserved, i);
	leaf->wide = false;
	leaf->node.count = (u8)last;
}

/*
 * A leaf that is not half full looks at its neighbours each time, another one every second time: so
 * two neighbours hold nearly a leaf's worth at least, whichever of them lost its ranges last.
 */
static inline bool leaf_may_shrink(const struct index_leaf *leaf)
{
	return leaf->node.parent &&
	       (leaf->node.count <= INDEX_FANOUT / 2 || !(leaf->node.count & 1));
}

/* Its gap becomes part of that of the range above it. */
static inline void index_remove_at(struct iova_index *index, struct index_leaf *leaf, u32 i)
{
	struct codes was = codes_at(&leaf->node, i);
	struct codes now = { 0 };

	leaf_close(leaf, i);
	index->count--;
	index->finger[0] = (struct index_finger){ .leaf = leaf, .i = i };
	index->finger[1] = (struct index_finger){ .leaf = leaf, .i = i };
	if (DMASIM_LIKELY(i)) {
		was = codes_larger(was, codes_at(&leaf->node, i - 1));
		now = index_set_gap(leaf, i - 1);
	}
	if (DMASIM_LIKELY(leaf->node.count)) {
		index_note(&leaf->node, was, now);
		if (!i && leaf->above)
			index_set_lowest_gap(leaf->above);
	} else {
		leaf->node.max_fit = 0;
		leaf->node.max_gap = 0;
	}
	if (leaf_may_shrink(leaf))
		index_shrink(index, leaf);
}

/*
 * Removes the range that contains pfn. *range: what it was; *above: the next one upwards, or
 * [~0, ~0]. False: pfn is free.
 */
static inline bool index_remove(struct iova_index *index, u64 pfn, struct iova_range *range,
				struct iova_range *above)
{
	u32 i;
	struct index_leaf *leaf = index_at_or_below(index, 1, pfn, &i);

	if (!leaf || leaf_last(leaf, i) < pfn)
		return false;
	*range = leaf_range(leaf, i);
	*above = leaf_range_above(leaf, i);
	index_remove_at(index, leaf, i);
	return true;
}

/*
 * Removes this range. *end: that of the gap which it lies in now. False: there is no such range, or
 * it is reserved.
 */
static inline bool index_remove_exact(struct iova_index *index, u64 first, u64 last, u64 *end)
{
	u32 i;
	struct index_leaf *leaf = index_at_or_below(index, 1, first, &i);

	if (!leaf || leaf_first(leaf, i) != first || leaf_last(leaf, i) != last ||
	    leaf->reserved >> i & 1)
		return false;
	*end = leaf_range_above(leaf, i).first_pfn;
	index_remove_at(index, leaf, i);
	return true;
}

#endif
