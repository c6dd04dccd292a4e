/* SPDX-License-Identifier: MIT */
/*
 * The same translations in other leaves: a large one is cut into smaller ones, or small ones become
 * one large one, without a moment in which an address leads nowhere.
 *
 *   cut at x    [      2 MiB      ]   ->   a table of 512 leaves of 4 KiB, one of which begins at x
 *   collapse    a table of 512 leaves that follow each other   ->   [      2 MiB      ]
 *
 * Hardware may have the old leaves cached beside the new ones: it is invalidated before one of them
 * changes. Armv8 forbids both at once unless it says otherwise (FEAT_BBM level 2).
 */
#ifndef DMASIM_PGTABLE_RESHAPE_H
#define DMASIM_PGTABLE_RESHAPE_H

#include <dmasim/pgtable/change.h>

PT_INLINE bool pt_can_reshape(const struct pt_format *format, const struct pgtable *pt)
{
	return !format->items_differ || pt->features & PGTABLE_BBML2;
}

/* log2 of the smallest size whose leaves stand at a level, which has some. */
PT_INLINE u8 pt_smallest_lg2(const struct pt_format *format, const struct pgtable *pt, u8 level)
{
	u64 below = (1ULL << pt_level_lg2(format, level)) - 1;

	return (u8)__builtin_ctzll(pt->page_sizes & ~below);
}

/* What the leaves that take the place of one have of it. */
struct pt_stuff {
	phys_addr_t phys;
	u32 prot;
	bool dirty;
};

static inline struct pt_stuff pt_stuff_of(const struct pt_format *format, const struct pgtable *pt,
					  const struct pt_place *place)
{
	return (struct pt_stuff){
		.phys = pt_place_phys(format, pt, place),
		.prot = format->prot(pt, place->entry),
		.dirty = pt_place_is_dirty(format, place),
	};
}

/* Writes entries [index, index + count) of a table as leaves of 2^lg2 bytes, over what is there. */
PT_SHARED void pt_lay_leaves(const struct pt_format *format, struct pgtable *pt,
			     struct pt_table *table, u8 level, u64 index, u64 count, u8 lg2,
			     const struct pt_stuff *stuff)
{
	u8 item_lg2 = pt_level_lg2(format, level);
	u8 items_lg2 = lg2 - item_lg2;

	for (u64 i = 0; i < count; i++) {
		u64 apart = format->items_differ ? i << item_lg2 : i >> items_lg2 << lg2;
		u64 word = format->leaf(pt, stuff->phys + apart, stuff->prot, lg2);

		pt_store(pt, table, index + i, pt_marked_as(format, word, stuff->dirty),
			 DMASIM_POINT_PT_LEAF);
	}
	pt_flush(pt, table, index, count);
	pt->host->costs.entries_written += count >> items_lg2;
}

/* ---- Cut -------------------------------------------------------------- */

/* One entry of a leaf becomes a table of smaller ones. 0 or -ENOMEM. */
static int pt_cut_entry(const struct pt_format *format, struct pgtable *pt, struct pt_place *place,
			u64 item, const struct pt_stuff *stuff)
{
	u8 lower = place->level - 1;
	struct pt_stuff part = *stuff;
	struct pt_table table;
	struct page *page = pt_page_alloc(pt, pt_order(format->index_lg2));

	if (!page)
		return -ENOMEM;
	table = pt_table_at(pt, page_to_phys(page));
	part.phys += item << pt_level_lg2(format, place->level);
	pt_lay_leaves(format, pt, &table, lower, 0, 1ULL << format->index_lg2,
		      pt_smallest_lg2(format, pt, lower), &part);
	platform_point(pt->platform, DMASIM_POINT_PT_TABLE);
	pt_link_table(format, pt, &place->table, place->index + item,
		      format->table(pt, table.phys, place->level));
	return 0;
}

/* Leaves as large as an entry of the level, where there are such; else tables. */
static int pt_cut_items(const struct pt_format *format, struct pgtable *pt, struct pt_place *place,
			const struct pt_stuff *stuff)
{
	u8 natural = pt_level_lg2(format, place->level);
	int err = 0;

	if (pt->page_sizes >> natural & 1) {
		pt_lay_leaves(format, pt, &place->table, place->level, place->index, place->items,
			      natural, stuff);
		return 0;
	}
	for (u64 item = 0; !err && item < place->items; item++)
		err = pt_cut_entry(format, pt, place, item, stuff);
	return err;
}

PT_INLINE int pt_cut(const struct pt_format *format, struct pgtable *pt, u64 iova,
		     struct iommu_iotlb_gather *gather)
{
	int err = pt_check_range(format, pt, iova, 1);

	if (err || iova & ((1ULL << format->granule_lg2) - 1))
		return err ? err : -EINVAL;
	for (;;) {
		struct pt_place place;
		struct pt_stuff stuff;

		if (!pt_find_place(format, pt, iova, &place))
			return -ENOENT;
		if (place.iova == iova)
			return 0;
		if (!pt_can_reshape(format, pt))
			return -EOPNOTSUPP;
		stuff = pt_stuff_of(format, pt, &place);
		err = place.items > 1 ? pt_cut_items(format, pt, &place, &stuff)
				      : pt_cut_entry(format, pt, &place, 0, &stuff);
		if (err)
			return err;
		pt->host->costs.entries_cleared++;
		pt_gather_place(&place, gather);
	}
}

/* ---- Collapse --------------------------------------------------------- */

struct pt_collapse {
	u64 start;
	u64 last;
	struct iommu_iotlb_gather *gather;
	u64 fewer; /* leaves than before */
};

/* What the entries of a table have in common, as one leaf from the first of them on. */
struct pt_common {
	struct pt_stuff stuff;
	u64 leaves;
};

/* True if the entries are leaves that follow each other in memory and allow the same. */
PT_SHARED bool pt_is_one(const struct pt_format *format, struct pgtable *pt, struct pt_table *table,
			 u8 level, u64 index, u64 count, struct pt_common *common)
{
	u8 item_lg2 = pt_level_lg2(format, level);
	u64 end = index + count, first = index;

	*common = (struct pt_common){ .leaves = 0 };
	while (index < end) {
		u64 entry = pt_load(table, index);
		struct pt_place place = { .table = *table, .index = index, .entry = entry };
		struct pt_stuff stuff;

		if (!entry || format->is_table(entry, level))
			return false;
		place.items = pt_items(format, entry, level);
		if (place.items > end - index || index & (place.items - 1))
			return false;
		stuff = pt_stuff_of(format, pt, &place);
		if (!common->leaves)
			common->stuff = stuff;
		if (stuff.prot != common->stuff.prot ||
		    stuff.phys != common->stuff.phys + ((index - first) << item_lg2))
			return false;
		common->stuff.dirty |= stuff.dirty;
		common->leaves++;
		index += place.items;
	}
	return true;
}

PT_SHARED void pt_collapsed(struct pt_collapse *collapse, u64 iova, u8 lg2, u64 leaves, u8 level)
{
	iommu_iotlb_gather_add(collapse->gather, iova, iova + ((1ULL << lg2) - 1));
	collapse->gather->leaf_levels |= (u8)(1U << level);
	collapse->fewer += leaves - 1;
}

/* Leaves of several entries, the largest first. */
PT_SHARED void pt_collapse_items(const struct pt_format *format, struct pgtable *pt,
				 struct pt_table *table, u8 level, u64 base,
				 struct pt_collapse *collapse)
{
	u8 item_lg2 = pt_level_lg2(format, level);
	u64 entries = pt_entries(format, pt, level);

	for (u8 lg2 = pt_level_lg2(format, level + 1) - 1; lg2 > item_lg2; lg2--) {
		u64 items = 1ULL << (lg2 - item_lg2);

		if (!(pt->page_sizes >> lg2 & 1))
			continue;
		for (u64 index = 0; index + items <= entries; index += items) {
			u64 iova = base + (index << item_lg2);
			struct pt_common common;

			if (iova < collapse->start || iova + ((1ULL << lg2) - 1) > collapse->last ||
			    !pt_is_one(format, pt, table, level, index, items, &common) ||
			    common.leaves == 1 || common.stuff.phys & ((1ULL << lg2) - 1))
				continue;
			pt_lay_leaves(format, pt, table, level, index, items, lg2, &common.stuff);
			pt->host->costs.entries_cleared += common.leaves;
			pt_collapsed(collapse, iova, lg2, common.leaves, level);
		}
	}
}

/* A table that is one leaf of the level above, if there is such a size. */
PT_SHARED void pt_collapse_child(const struct pt_format *format, struct pgtable *pt,
				 struct pt_table *table, u8 level, u64 index, u64 iova,
				 struct pt_collapse *collapse)
{
	u8 lg2 = pt_level_lg2(format, level);
	phys_addr_t below = format->address(pt, pt_load(table, index));
	struct pt_table child = pt_table_at(pt, below);
	struct pt_common common;

	if (!(pt->page_sizes >> lg2 & 1) || iova < collapse->start ||
	    iova + ((1ULL << lg2) - 1) > collapse->last ||
	    !pt_is_one(format, pt, &child, level - 1, 0, 1ULL << format->index_lg2, &common) ||
	    common.stuff.phys & ((1ULL << lg2) - 1))
		return;
	pt_lay_leaves(format, pt, table, level, index, 1, lg2, &common.stuff);
	pt->host->costs.entries_cleared += common.leaves;
	pt_collapsed(collapse, iova, lg2, common.leaves, level - 1);
	pt_gather_table(pt, collapse->gather, below, level);
}

PT_SHARED void pt_collapse_table(const struct pt_format *format, struct pgtable *pt,
				 struct pt_table table, u8 level, u64 base,
				 struct pt_collapse *collapse)
{
	u8 lg2 = pt_level_lg2(format, level);

	for (u64 index = 0; level && index < pt_entries(format, pt, level); index++) {
		u64 iova = base + (index << lg2), entry = pt_load(&table, index);

		if (!entry || !format->is_table(entry, level) || iova > collapse->last ||
		    iova + ((1ULL << lg2) - 1) < collapse->start)
			continue;
		pt_collapse_table(format, pt, pt_table_at(pt, format->address(pt, entry)),
				  level - 1, iova, collapse);
		pt_collapse_child(format, pt, &table, level, index, iova, collapse);
	}
	if (format->leaf_lg2)
		pt_collapse_items(format, pt, &table, level, base, collapse);
}

PT_INLINE int pt_collapse_range(const struct pt_format *format, struct pgtable *pt, u64 iova,
				u64 bytes, struct iommu_iotlb_gather *gather, u64 *fewer)
{
	struct pt_collapse collapse = { iova, iova + (bytes - 1), gather, 0 };
	int err = pt_check_range(format, pt, iova, bytes);

	if (!err && !pt_can_reshape(format, pt))
		err = -EOPNOTSUPP;
	if (err)
		return err;
	pt_collapse_table(format, pt, pt_top(pt), pt->levels - 1, pt_base(format, pt, iova),
			  &collapse);
	*fewer += collapse.fewer;
	return 0;
}

#endif
