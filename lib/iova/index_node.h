/* SPDX-License-Identifier: MIT */
/*
 * The nodes of the index of ranges: a B+ tree in descending order, so that an allocator that fills
 * the space from the top appends.
 *
 *                  inner:  child 0 | child 1 | child 2      top[i]: nothing in child i is above it
 *                          /            |         \
 *   leaf:  [range 0] gap 0 [range 1] gap 1 ...   [range 0] gap 0 ...
 *          higher  <-------------- addresses -------------->  lower
 *
 * The gap below a range belongs to it, also the one below the last range of a leaf. Each node has
 * two bytes for each of its ranges or children (fit.h): the largest naturally aligned size that
 * fits into that gap or below that child, and the longest gap's length.
 */
#ifndef IOVA_INDEX_NODE_H
#define IOVA_INDEX_NODE_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "iova/fit.h"
#include "iova/index.h"

#define INDEX_FANOUT	64U
#define INDEX_EXTRA_MAX (~0U) /* pages after the first one */

struct index_inner;

struct index_node {
	struct index_inner *parent;
	u16 slot; /* where it was in its parent when last asked */
	u8 count;
	u8 max_fit; /* the largest of fit[] and gap[]; the parent has them, too */
	u8 max_gap;
	u8 fit[INDEX_FANOUT]; /* codes; 0 beyond count */
	u8 gap[INDEX_FANOUT];
};

struct index_leaf {
	struct index_node node;
	bool wide; /* has one range, longer than `extra` can say: up to wide_last */
	u64 base;  /* its ranges begin in [base, base + 2^32) */
	u64 wide_last;
	u64 reserved; /* a bit for each range */
	struct index_leaf *above;
	struct index_leaf *below;
	u32 low[INDEX_FANOUT];	 /* first pfn - base; 0 beyond count */
	u32 extra[INDEX_FANOUT]; /* last pfn - first pfn */
};

struct index_inner {
	struct index_node node;
	u64 top[INDEX_FANOUT]; /* top[0] is not used: the parent knows */
	struct index_node *child[INDEX_FANOUT];
};

static inline struct index_leaf *index_leaf(struct index_node *node)
{
	return (struct index_leaf *)node;
}

static inline struct index_inner *index_inner(struct index_node *node)
{
	return (struct index_inner *)node;
}

/* ---- Ranges of a leaf ------------------------------------------------- */

static inline u64 leaf_first(const struct index_leaf *leaf, u32 i)
{
	return leaf->base + leaf->low[i];
}

static inline u64 leaf_last(const struct index_leaf *leaf, u32 i)
{
	if (DMASIM_UNLIKELY(leaf->wide))
		return leaf->wide_last;
	return leaf->base + leaf->low[i] + leaf->extra[i];
}

/* The first free page below range i, or that range's first page. */
static inline u64 leaf_gap_start(const struct index_leaf *leaf, u32 i)
{
	if (i + 1U < leaf->node.count)
		return leaf_last(leaf, i + 1) + 1;
	return leaf->below ? leaf_last(leaf->below, 0) + 1 : 0;
}

/* ---- Many bytes at once ----------------------------------------------- */

#ifdef __SSE2__

/* A bit for each code that is not below `need`, which is at least 1. */
static inline u64 codes_at_least(const u8 *codes, u32 need)
{
	const __m128i bar = _mm_set1_epi8((char)need);
	u64 found = 0;

	for (u32 i = 0; i < INDEX_FANOUT; i += 16) {
		__m128i some = _mm_loadu_si128((const __m128i *)(const void *)(codes + i));
		__m128i high = _mm_cmpeq_epi8(_mm_max_epu8(some, bar), some);

		found |= (u64)(u32)_mm_movemask_epi8(high) << i;
	}
	return found;
}

static inline u8 codes_max(const u8 *codes)
{
	const __m128i *some = (const __m128i *)(const void *)codes;
	__m128i max =
		_mm_max_epu8(_mm_max_epu8(_mm_loadu_si128(some), _mm_loadu_si128(some + 1)),
			     _mm_max_epu8(_mm_loadu_si128(some + 2), _mm_loadu_si128(some + 3)));

	max = _mm_max_epu8(max, _mm_srli_si128(max, 8));
	max = _mm_max_epu8(max, _mm_srli_si128(max, 4));
	max = _mm_max_epu8(max, _mm_srli_si128(max, 2));
	max = _mm_max_epu8(max, _mm_srli_si128(max, 1));
	return (u8)_mm_cvtsi128_si32(max);
}

/* How many of the leaf's offsets are above `offset`. */
static inline u32 offsets_above(const u32 *low, u32 offset)
{
	const __m128i sign = _mm_set1_epi32((int)0x80000000);
	const __m128i bar = _mm_xor_si128(_mm_set1_epi32((int)offset), sign);
	__m128i sum = _mm_setzero_si128();

	for (u32 i = 0; i < INDEX_FANOUT; i += 4) {
		__m128i some = _mm_loadu_si128((const __m128i *)(const void *)(low + i));

		sum = _mm_sub_epi32(sum, _mm_cmpgt_epi32(_mm_xor_si128(some, sign), bar));
	}
	sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 8));
	sum = _mm_add_epi32(sum, _mm_srli_si128(sum, 4));
	return (u32)_mm_cvtsi128_si32(sum);
}

#else

static inline u64 codes_at_least(const u8 *codes, u32 need)
{
	u64 found = 0;

	for (u32 i = 0; i < INDEX_FANOUT; i++)
		found |= (u64)(codes[i] >= need) << i;
	return found;
}

static inline u8 codes_max(const u8 *codes)
{
	u8 max = 0;

	for (u32 i = 0; i < INDEX_FANOUT; i++)
		max = codes[i] > max ? codes[i] : max;
	return max;
}

static inline u32 offsets_above(const u32 *low, u32 offset)
{
	u32 above = 0;

	for (u32 i = 0; i < INDEX_FANOUT; i++)
		above += low[i] > offset;
	return above;
}

#endif

/* The first range of the leaf that begins at or below pfn; its count: none does. */
static inline u32 leaf_position(const struct index_leaf *leaf, u64 pfn)
{
	if (pfn < leaf->base)
		return leaf->node.count;
	if (pfn - leaf->base > ~0U)
		return 0;
	return offsets_above(leaf->low, (u32)(pfn - leaf->base));
}

/* ---- Within the tree -------------------------------------------------- */

/* Where the node is in its parent, which it has. */
static inline u32 index_slot(const struct index_inner *parent, struct index_node *node)
{
	if (DMASIM_UNLIKELY(parent->child[node->slot] != node)) {
		u16 slot = 0;

		while (parent->child[slot] != node)
			slot++;
		node->slot = slot;
	}
	return node->slot;
}

/* The bits above `bit`. */
static inline u64 bits_after(u32 bit)
{
	return bit >= 63 ? 0 : ~0ULL << (bit + 1);
}

/*
 * The leaf of the first range that begins at or below pfn, and that range: index *i of it, or the
 * first of the leaf below if *i is its count. The index is not empty.
 */
struct index_leaf *index_locate(struct iova_index *index, u32 finger, u64 pfn, u32 *i);

/* The two codes of a gap, or of several: the larger ones. */
struct codes {
	u8 fit;
	u8 gap;
};

static inline struct codes codes_at(const struct index_node *node, u32 i)
{
	return (struct codes){ .fit = node->fit[i], .gap = node->gap[i] };
}

static inline struct codes codes_larger(struct codes a, struct codes b)
{
	return (struct codes){
		.fit = a.fit > b.fit ? a.fit : b.fit,
		.gap = a.gap > b.gap ? a.gap : b.gap,
	};
}

/* Some of the node's codes changed, from what had the largest `was` to what has `now`. */
void index_changed(struct index_node *node, struct codes was, struct codes now);

/* Any of the node's codes changed. */
void index_refresh(struct index_node *node);

/* Sets the codes of the gap below range i, and returns them. */
static inline struct codes index_set_gap(struct index_leaf *leaf, u32 i)
{
	u64 start = leaf_gap_start(leaf, i);
	u64 end = leaf_first(leaf, i);
	struct codes codes = { 0 };

	if (start < end) {
		codes.fit = (u8)fit_code(fit_natural(start, end));
		codes.gap = (u8)fit_code(end - start);
	}
	leaf->node.fit[i] = codes.fit;
	leaf->node.gap[i] = codes.gap;
	return codes;
}

/* The gap below the lowest range of `above` changed: something else is below it now. */
void index_set_lowest_gap(struct index_leaf *above);

/* ---- The shape of the tree (index_shape.c) ---------------------------- */

/*
 * Makes room for a new range, or for its leaf. 0: it can be put at *place. -ENOMEM: nothing changed
 * that matters.
 */
int index_make_room(struct iova_index *index, struct iova_place *place, u64 first, u64 last);

/* The leaf lost a range: it may go, or become one with a neighbour. */
void index_shrink(struct iova_index *index, struct index_leaf *leaf);

/* What is below the leaf begins with its first range: nothing above that goes there. */
void index_separate(struct index_leaf *leaf, u64 first);

/* True if the leaf's way of writing can tell the range. */
bool index_leaf_takes(const struct index_leaf *leaf, u64 first, u64 last);

#endif
