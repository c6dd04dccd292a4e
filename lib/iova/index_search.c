/* SPDX-License-Identifier: MIT */
/*
 * The highest place for a range below some page: down the leaf, up to the first node that knows a
 * gap further down, and down to it. Codes (fit.h) say where to look; pages decide.
 */
#include "iova/index_node.h"

/* What a search needs at each step. */
struct probe {
	u64 pages;
	u64 align_mask;
	u32 need;     /* codes from this one on may fit */
	bool natural; /* of the nodes' fit, or of their gap */
};

static struct probe probe_of(const struct iova_search *search)
{
	return (struct probe){
		.pages = search->pages,
		.align_mask = (1ULL << search->align_lg2) - 1,
		.need = fit_code(search->pages),
		/* What fits at a multiple of more than its size fits naturally, too. */
		.natural = search->align_lg2 >= iova_natural(search->pages),
	};
}

static const u8 *codes_of(const struct index_node *node, const struct probe *probe)
{
	return probe->natural ? node->fit : node->gap;
}

/* Among the gaps of the leaf in `slots`. */
static bool search_leaf(struct index_leaf *leaf, u64 slots, const struct probe *probe,
			struct iova_place *place)
{
	u64 some = codes_at_least(codes_of(&leaf->node, probe), probe->need) & slots;

	while (some) {
		u32 i = (u32)__builtin_ctzll(some);

		if (fit_place(leaf_gap_start(leaf, i), leaf_first(leaf, i), probe->pages,
			      probe->align_mask, &place->pfn)) {
			place->leaf = leaf;
			place->i = i + 1;
			return true;
		}
		some &= some - 1;
	}
	return false;
}

/* The next leaf below this one that may have a gap; NULL: none. */
static struct index_leaf *next_leaf(struct index_node *node, const struct probe *probe)
{
	u32 level = 0;
	u64 some = 0;

	while (!some) {
		u32 slot;

		if (!node->parent)
			return NULL;
		slot = index_slot(node->parent, node);
		node = &node->parent->node;
		level++;
		some = codes_at_least(codes_of(node, probe), probe->need) & bits_after(slot);
	}
	for (;;) {
		node = index_inner(node)->child[__builtin_ctzll(some)];
		if (!--level)
			return index_leaf(node);
		some = codes_at_least(codes_of(node, probe), probe->need);
	}
}

/* From the gap after range i of the leaf on. */
static bool search_on(struct index_leaf *leaf, u32 i, const struct probe *probe,
		      struct iova_place *place)
{
	u64 slots = bits_after(i);

	while (leaf) {
		if (search_leaf(leaf, slots, probe, place))
			return true;
		leaf = next_leaf(&leaf->node, probe);
		slots = ~0ULL;
	}
	return false;
}

static bool search_empty(const struct iova_index *index, const struct iova_search *search,
			 struct iova_place *place)
{
	place->leaf = index->highest;
	place->i = 0;
	return fit_place(0, search->top, search->pages, (1ULL << search->align_lg2) - 1,
			 &place->pfn);
}

/* Above the highest range. */
DMASIM_HOT static bool search_above(const struct index_leaf *highest,
				    const struct iova_search *search, struct iova_place *place)
{
	place->leaf = (struct index_leaf *)highest;
	place->i = 0;
	/* Its last page is below top: the gap's start does not wrap. */
	return fit_place(leaf_last(highest, 0) + 1, search->top, search->pages,
			 (1ULL << search->align_lg2) - 1, &place->pfn);
}

bool iova_index_search(struct iova_index *index, const struct iova_search *search,
		       struct iova_place *place)
{
	struct index_leaf *leaf = index->highest;
	u64 top = search->top;
	struct probe probe;
	u32 i = 0;

	if (!index->count)
		return search_empty(index, search, place);
	if (top > leaf_last(leaf, 0)) {
		if (search_above(leaf, search, place))
			return true;
		top = leaf_first(leaf, 0);
	}
	if (top < search->pages)
		return false;
	/* The lowest range that begins at or above top: the rest of its gap, then whole gaps. */
	leaf = index_locate(index, 0, top - 1, &i);
	if (!i)
		leaf = leaf->above;
	if (!leaf) {
		/* top lies inside the highest range. */
		leaf = index->highest;
		top = leaf_first(leaf, 0);
		i = 1;
	}
	i = (i ? i : leaf->node.count) - 1;
	if (top > leaf_first(leaf, i))
		top = leaf_first(leaf, i);
	probe = probe_of(search);
	if (fit_place(leaf_gap_start(leaf, i), top, probe.pages, probe.align_mask, &place->pfn)) {
		place->leaf = leaf;
		place->i = i + 1;
		return true;
	}
	return search_on(leaf, i, &probe, place);
}
