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

/* log2 of the smallest size whose leaves stand at a level; 0: it has none but tables. */
PT_INLINE u8 pt_smallest_lg2(const struct pt_format *format, const struct pgtable *pt, u8 level)
{
	u64 below = (1ULL << pt_level_lg2(format, level)) - 1;
	u8 lg2 = (u8)__builtin_ctzll(pt->page_sizes & ~below);

	return lg2 < pt_level_lg2(format, level + 1) ? lg2 : 0;
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

/*
 * A table of `level` with all that an entry above it led to, in the smallest leaves there are at
 * its level, or below it. It is nobody's yet. NULL: no memory.
 */
PT_SHARED struct page *pt_cut_table(const struct pt_format *format, struct pgtable *pt, u8 level,
				    const struct pt_stuff *stuff)
{
	u64 entries = 1ULL << format->index_lg2;
	u8 lg2 = pt_smallest_lg2(format, pt, level);
	struct page *page = pt_page_alloc(pt, pt_order(format->index_lg2)), *below;
	struct pt_table table;

	if (!page)
		return NULL;
	table = pt_table_at(pt, page_to_phys(page));
	if (lg2) {
		pt_lay_leaves(format, pt, &table, level, 0, entries, lg2, stuff);
		return page;
	}
	for (u64 index = 0; index < entries; index++) {
		struct pt_stuff part = *stuff;

		part.phys += index << pt_level_lg2(format, level);
		below = pt_cut_table(format, pt, level - 1, &part);
		if (!below) {
			pt_free_tree(format, pt, table.phys, level);
			return NULL;
		}
		pt_link_table(format, pt, &table, index,
			      format->table(pt, page_to_phys(below), level));
	}
	return page;
}

static void pt_free_made(const struct pt_format *format, struct pgtable *pt, struct page *made,
			 u8 level)
{
	while (made) {
		struct page *page = made;

		made = page->next;
		pt_free_tree(format, pt, page_to_phys(page), level);
	}
}

/* Each entry of a leaf becomes a table: none of them, if there is not the memory for all. */
PT_SHARED int pt_cut_entries(const struct pt_format *format, struct pgtable *pt,
			     struct pt_place *place, const struct pt_stuff *stuff)
{
	struct page *made = NULL;

	for (u64 item = place->items; item-- > 0;) {
		struct pt_stuff part = *stuff;
		struct page *page;

		part.phys += item << pt_level_lg2(format, place->level);
		page = pt_cut_table(format, pt, place->level - 1, &part);
		if (!page) {
			pt_free_made(format, pt, made, place->level - 1);
			return -ENOMEM;
		}
		page->next = made;
		made = page;
	}
	for (u64 item = 0; item < place->items; item++) {
		u64 entry = format->table(pt, page_to_phys(made), place->level);

		made = made->next;
		platform_point(pt->platform, DMASIM_POINT_PT_TABLE);
		pt_link_table(format, pt, &place->table, place->index + item, entry);
	}
	return 0;
}

/* Leaves as large as an entry of the level, where there are such; else tables. */
PT_INLINE int pt_cut_place(const struct pt_format *format, struct pgtable *pt,
			   struct pt_place *place, const struct pt_stuff *stuff)
{
	u8 natural = pt_level_lg2(format, place->level);

	if (place->items == 1 || !(pt->page_sizes >> natural & 1))
		return pt_cut_entries(format, pt, place, stuff);
	pt_lay_leaves(format, pt, &place->table, place->level, place->index, place->items, natural,
		      stuff);
	return 0;
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
		err = pt_cut_place(format, pt, &place, &stuff);
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
	u8 levels; /* bits of those that the leaves stand at */
};

static inline void pt_common_add(struct pt_common *common, const struct pt_common *more)
{
	if (!common->leaves)
		common->stuff = more->stuff;
	common->stuff.dirty |= more->stuff.dirty;
	common->leaves += more->leaves;
	common->levels |= more->levels;
}

/*
 * True if the entries are leaves that follow each other in memory and allow the same. A table
 * counts as the leaf that it would be if the format, or the domain, had that size.
 */
PT_SHARED bool pt_is_one(const struct pt_format *format, struct pgtable *pt, struct pt_table *table,
			 u8 level, u64 index, u64 count, struct pt_common *common)
{
	u8 item_lg2 = pt_level_lg2(format, level);
	u64 end = index + count, first = index;

	*common = (struct pt_common){ .leaves = 0 };
	while (index < end) {
		u64 entry = pt_load(table, index);
		struct pt_place place = { .table = *table, .index = index, .entry = entry };
		struct pt_common here = { .leaves = 1, .levels = (u8)(1U << level) };

		place.items = 1;
		if (!entry)
			return false;
		if (level && format->is_table(entry, level)) {
			struct pt_table below = pt_table_at(pt, format->address(pt, entry));

			if (pt->page_sizes >> item_lg2 & 1 ||
			    !pt_is_one(format, pt, &below, level - 1, 0, 1ULL << format->index_lg2,
				       &here))
				return false;
		} else {
			place.items = pt_items(format, entry, level);
			if (place.items > end - index || index & (place.items - 1))
				return false;
			here.stuff = pt_stuff_of(format, pt, &place);
		}
		pt_common_add(common, &here);
		if (here.stuff.prot != common->stuff.prot ||
		    here.stuff.phys != common->stuff.phys + ((index - first) << item_lg2))
			return false;
		index += place.items;
	}
	return true;
}

/* The tables among entries that become one leaf. */
PT_SHARED void pt_gather_below(const struct pt_format *format, struct pgtable *pt,
			       struct pt_table *table, u8 level, u64 index, u64 count,
			       struct iommu_iotlb_gather *gather)
{
	for (u64 end = index + count; level && index < end; index++) {
		u64 entry = pt_load(table, index);

		if (format->is_table(entry, level))
			pt_gather_tree(format, pt, gather, format->address(pt, entry), level - 1);
	}
}

/* The entries become one leaf. Who walks meanwhile finds the tables as they were. */
PT_SHARED void pt_join(const struct pt_format *format, struct pgtable *pt, struct pt_table *table,
		       u8 level, u64 index, u8 lg2, const struct pt_common *common,
		       struct iommu_iotlb_gather *gather)
{
	u64 items = 1ULL << (lg2 - pt_level_lg2(format, level));

	pt_gather_below(format, pt, table, level, index, items, gather);
	pt_lay_leaves(format, pt, table, level, index, items, lg2, &common->stuff);
	/* A lookup may have found one of those tables a moment ago. */
	pt->last_leaves = PGTABLE_NO_LEAVES;
	pt->host->costs.entries_cleared += common->leaves;
	gather->leaf_levels |= common->levels;
}

static inline void pt_collapsed(struct pt_collapse *collapse, u64 iova, u8 lg2, u64 leaves)
{
	iommu_iotlb_gather_add(collapse->gather, iova, iova + ((1ULL << lg2) - 1));
	collapse->fewer += leaves - 1;
}

/* Leaves of several entries, the largest first. */
PT_SHARED void pt_collapse_items(const struct pt_format *format, struct pgtable *pt,
				 struct pt_table *table, u8 level, u64 base,
				 struct pt_collapse *collapse)
{
	u8 item_lg2 = pt_level_lg2(format, level);
	u64 entries = pt_entries(format, pt, level);
	u8 end_lg2 = pt_level_lg2(format, level + 1);

	/* What a table of AMD's sixth level maps has more than 64 bits. */
	for (u8 lg2 = (end_lg2 < 64 ? end_lg2 : 64) - 1; lg2 > item_lg2; lg2--) {
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
			pt_join(format, pt, table, level, index, lg2, &common, collapse->gather);
			pt_collapsed(collapse, iova, lg2, common.leaves);
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
	pt_join(format, pt, table, level, index, lg2, &common, collapse->gather);
	pt_collapsed(collapse, iova, lg2, common.leaves);
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
