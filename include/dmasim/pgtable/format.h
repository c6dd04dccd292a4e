/* SPDX-License-Identifier: MIT */
/*
 * What the one walker of all page-table formats must know of a format.
 *
 * A format file describes itself in a `static const struct pt_format` and wraps the walker's
 * functions (define_ops.h). They are inlined there, so that the compiler folds the constants and
 * the calls through the descriptor away: one specialised walker per format, from one source.
 *
 *   level 2 | index |                         one table at each level; level 0 has the smallest
 *   level 1         | index |                 leaves. The walk starts at the top table and goes
 *   level 0                 | index | offset |   down to the level of the wanted leaf.
 *
 * Words are 64 bits, little endian in memory; 0 is an empty entry. A leaf of a size between those
 * of two levels takes several entries of the lower one, its items: either all hold the same word,
 * whose address says how large the leaf is, or each has an address of its own and a mark.
 */
#ifndef DMASIM_PGTABLE_FORMAT_H
#define DMASIM_PGTABLE_FORMAT_H

#ifdef __cplusplus
#error "a page-table format is a C file: C++ sees dmasim/pgtable/pgtable.h alone"
#endif

#include <dmasim/pgtable/pgtable.h>

#define PT_INLINE static DMASIM_ALWAYS_INLINE

/* What is not written into each caller: a copy in each file, which not every file needs. */
#define PT_SHARED static __attribute__((unused))

struct pt_format {
	u8 granule_lg2;	   /* smallest leaf */
	u8 index_lg2;	   /* entries of a table, but for the top */
	u8 top_extra_lg2;  /* how many times as many the top may have */
	bool sign_extends; /* addresses repeat their highest bit: both ends of 64 bits are used */
	bool items_differ; /* the items of a leaf have addresses of their own */
	u64 many;	   /* bits of a level 0 leaf that are only set in items of larger ones */
	u64 flushed;	   /* software bit: "the table behind this entry is flushed" */
	u8 straight_lg2;   /* addresses are coded straight up to this bit; 0: all of them */

	/* Makes the table reach an address; NULL: it has all its levels from the start. */
	int (*grow)(struct pgtable *pt, u64 last);
	/*
	 * A leaf of 2^lg2 bytes, or the first item of one: lg2 is the size of the whole leaf. From
	 * one leaf of a run to the next the word grows by the same number; where items differ, so
	 * it does from one item to the next.
	 */
	u64 (*leaf)(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2);
	u64 (*table)(const struct pgtable *pt, phys_addr_t phys, u8 level); /* level of the entry */
	bool (*is_table)(u64 entry, u8 level); /* of an entry that is not empty */
	/* Where the table, the leaf, or the item that has an address of its own, is. */
	phys_addr_t (*address)(const struct pgtable *pt, u64 entry);
	/* log2 of the size of a leaf; NULL: leaves have the natural size of their level. */
	u8 (*leaf_lg2)(u64 entry, u8 level);
	/* What a leaf was asked to be, as far as it shows. */
	u32 (*prot)(const struct pgtable *pt, u64 entry);
	/* The dirty bit of an item; all three NULL: the format has none. */
	bool (*is_dirty)(u64 entry);
	u64 (*clean)(u64 entry);
	u64 (*dirty)(u64 entry);
};

/* ---- Geometry --------------------------------------------------------- */

PT_INLINE u8 pt_level_lg2(const struct pt_format *format, u8 level)
{
	return (u8)(format->granule_lg2 + format->index_lg2 * level);
}

/* How many entries a table of this level has. */
PT_INLINE u64 pt_entries(const struct pt_format *format, const struct pgtable *pt, u8 level)
{
	u64 entries = 1ULL << format->index_lg2;

	return format->top_extra_lg2 && level == pt->levels - 1 ? entries << pt->top_extra_lg2
								: entries;
}

/* The place of an address that the table reaches. */
PT_INLINE u64 pt_index(const struct pt_format *format, const struct pgtable *pt, u64 iova, u8 level)
{
	return iova >> pt_level_lg2(format, level) & (pt_entries(format, pt, level) - 1);
}

/* The first address of the half of the addresses that one lies in. */
PT_INLINE u64 pt_base(const struct pt_format *format, const struct pgtable *pt, u64 iova)
{
	return format->sign_extends && pt->va_bits < 64 ? iova & ~((1ULL << pt->va_bits) - 1) : 0;
}

/* True if an address lies beyond what the table can map, whatever it grows to. */
PT_INLINE bool pt_is_beyond(const struct pt_format *format, const struct pgtable *pt, u64 iova)
{
	if (pt->va_bits >= 64)
		return false;
	if (format->sign_extends) {
		u64 high = iova >> (pt->va_bits - 1);

		return high &&
		       (pt->features & PGTABLE_LOWER_HALF || high != ~0ULL >> (pt->va_bits - 1));
	}
	return iova >> pt->va_bits;
}

/* The same of a range; one that leads from one half of the addresses to the other is none. */
PT_INLINE bool pt_range_is_beyond(const struct pt_format *format, const struct pgtable *pt,
				  u64 iova, u64 last)
{
	if (format->sign_extends)
		return pt_is_beyond(format, pt, iova) || pt_is_beyond(format, pt, last) ||
		       (iova ^ last) >> 63;
	return pt_is_beyond(format, pt, last);
}

/* True if a table of so many levels has no entry for the address: it has to grow. */
PT_INLINE bool pt_is_above(const struct pt_format *format, u8 levels, u64 iova)
{
	u8 lg2 = pt_level_lg2(format, levels);

	return lg2 < 64 && iova >> lg2;
}

/* ---- Leaves ----------------------------------------------------------- */

PT_INLINE u8 pt_leaf_lg2(const struct pt_format *format, u64 entry, u8 level)
{
	return format->leaf_lg2 ? format->leaf_lg2(entry, level) : pt_level_lg2(format, level);
}

/* How many entries the leaf takes that this one belongs to. */
PT_INLINE u64 pt_items(const struct pt_format *format, u64 entry, u8 level)
{
	return format->leaf_lg2
		       ? 1ULL << (format->leaf_lg2(entry, level) - pt_level_lg2(format, level))
		       : 1;
}

/* The physical address that an address of the leaf leads to. */
PT_INLINE phys_addr_t pt_leaf_phys(const struct pt_format *format, const struct pgtable *pt,
				   u64 entry, u8 level, u64 iova)
{
	u8 lg2 = format->items_differ ? pt_level_lg2(format, level)
				      : pt_leaf_lg2(format, entry, level);

	return format->address(pt, entry) | (iova & ((1ULL << lg2) - 1));
}

/*
 * log2 of the largest leaf that may start at (iova, phys) and maps at most `bytes`; 0: none.
 * Constraints: in the format's sizes, divides both addresses, does not pass the end.
 */
static inline u8 pt_best_size_lg2(u64 sizes, u64 iova, phys_addr_t phys, u64 bytes)
{
	u64 both = iova | phys;
	u64 dividing = both ? (both & -both) * 2 - 1 : ~0ULL;
	u64 fitting = bytes >> 63 ? ~0ULL : (1ULL << (64 - __builtin_clzll(bytes))) - 1;
	u64 usable = sizes & dividing & fitting;

	return usable ? (u8)(63 - __builtin_clzll(usable)) : 0;
}

/*
 * How many leaves of 2^lg2 bytes to write from here: to the end, or to where the next larger size
 * becomes usable, which needs both addresses congruent modulo that size.
 */
static inline u64 pt_leaf_count(u64 sizes, u64 iova, phys_addr_t phys, u64 bytes, u8 lg2)
{
	u64 larger = lg2 < 63 ? sizes & ~((1ULL << (lg2 + 1)) - 1) : 0;
	u64 size = larger & -larger;

	if (larger && !((iova ^ phys) & (size - 1))) {
		u64 to_boundary = size - (iova & (size - 1));

		if (to_boundary < bytes)
			bytes = to_boundary;
	}
	return bytes >> lg2;
}

#endif
