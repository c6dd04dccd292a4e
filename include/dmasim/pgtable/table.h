/* SPDX-License-Identifier: MIT */
/*
 * Tables: their words, how they are found from the top, how they come and go.
 *
 * A table that is unlinked is not freed here: hardware may still walk it. It goes onto the gather's
 * list, and whoever owns that frees it after the invalidation.
 */
#ifndef DMASIM_PGTABLE_TABLE_H
#define DMASIM_PGTABLE_TABLE_H

#include <errno.h>

#include <dmasim/pgtable/words.h>

/* A table on the way down. */
struct pt_table {
	phys_addr_t phys;
	u64 *entry;
};

PT_INLINE u64 pt_load(const struct pt_table *table, u64 index)
{
	return le64toh(table->entry[index]);
}

PT_INLINE struct pt_table pt_table_at(struct pgtable *pt, phys_addr_t phys)
{
	return (struct pt_table){ phys, platform_frame_ptr(pt->platform, phys) };
}

PT_INLINE struct pt_table pt_top(const struct pgtable *pt)
{
	return (struct pt_table){ pt->root, pt->top };
}

/* Entries [index, index + count) were stored: an incoherent walker must be made to see them. */
PT_INLINE void pt_flush(struct pgtable *pt, const struct pt_table *table, u64 index, u64 count)
{
	struct platform *p = pt->platform;

	if (DMASIM_UNLIKELY(!pt->coherent))
		p->ops->cache_clean(p->machine, table->phys + 8 * index, 8 * count);
}

PT_INLINE void pt_store(struct pgtable *pt, struct pt_table *table, u64 index, u64 entry,
			enum dmasim_point point)
{
	platform_point(pt->platform, point);
	table->entry[index] = htole64(entry);
}

/* ---- Pages of tables -------------------------------------------------- */

/* log2 of the page frames of a table with so many entries. */
PT_INLINE u8 pt_order(u8 index_lg2)
{
	u8 lg2 = index_lg2 + 3;

	return lg2 > PAGE_SHIFT ? lg2 - PAGE_SHIFT : 0;
}

/* A new, empty table. NULL: no memory. */
static inline struct page *pt_page_alloc(struct pgtable *pt, u8 order)
{
	struct page *page = pt->host->alloc(pt->host, order);

	pt->host->costs.tables_allocated += page != NULL;
	return page;
}

static inline void pt_page_free(struct pgtable *pt, struct page *page)
{
	pt->host->free(pt->host, page);
	pt->host->costs.tables_freed++;
}

/* An unlinked table waits for the invalidation. */
static inline void pt_gather_table(struct pgtable *pt, struct iommu_iotlb_gather *gather,
				   phys_addr_t phys, u8 level)
{
	struct page *page = pt->host->find(pt->host, phys);

	pt->last_leaves = PGTABLE_NO_LEAVES;
	page->next = gather->freelist;
	gather->freelist = page;
	gather->table_levels |= (u8)(1U << level);
}

/* Puts an unlinked table and all tables below it on the gather's list. */
PT_SHARED void pt_gather_tree(const struct pt_format *format, struct pgtable *pt,
			      struct iommu_iotlb_gather *gather, phys_addr_t phys, u8 level)
{
	struct pt_table table = pt_table_at(pt, phys);

	for (u64 index = 0; level && index < 1ULL << format->index_lg2; index++) {
		u64 entry = pt_load(&table, index);

		if (entry && format->is_table(entry, level))
			pt_gather_tree(format, pt, gather, format->address(pt, entry), level - 1);
	}
	pt_gather_table(pt, gather, phys, level + 1);
}

/* Frees a table and all below it; hardware does not use them. */
PT_SHARED void pt_free_tree(const struct pt_format *format, struct pgtable *pt, phys_addr_t phys,
			    u8 level)
{
	struct pt_table table = pt_table_at(pt, phys);

	for (u64 index = 0; level && index < pt_entries(format, pt, level); index++) {
		u64 entry = pt_load(&table, index);

		if (entry && format->is_table(entry, level))
			pt_free_tree(format, pt, format->address(pt, entry), level - 1);
	}
	pt_page_free(pt, pt->host->find(pt->host, phys));
}

/* True if no leaf hangs anywhere below this table. */
PT_SHARED bool pt_is_empty(const struct pt_format *format, struct pgtable *pt,
			   struct pt_table table, u8 level)
{
	for (u64 index = 0; index < 1ULL << format->index_lg2; index++) {
		u64 entry = pt_load(&table, index);

		if (!entry)
			continue;
		if (!format->is_table(entry, level) ||
		    !pt_is_empty(format, pt, pt_table_at(pt, format->address(pt, entry)),
				 level - 1))
			return false;
	}
	return true;
}

/* ---- Going down ------------------------------------------------------- */

/* Writes the entry of a table, which is empty or full for hardware, too, before it is found. */
PT_INLINE void pt_link_table(const struct pt_format *format, struct pgtable *pt,
			     struct pt_table *parent, u64 index, u64 entry)
{
	parent->entry[index] = htole64(entry);
	pt_flush(pt, parent, index, 1);
	if (!pt->coherent && format->flushed)
		pt_store(pt, parent, index, entry | format->flushed, DMASIM_POINT_PT_MARK);
}

/* Links a new, empty table into an empty entry. 0 or -ENOMEM. */
PT_INLINE int pt_add_table(const struct pt_format *format, struct pgtable *pt,
			   struct pt_table *parent, u64 index, u8 level)
{
	struct page *page = pt_page_alloc(pt, pt_order(format->index_lg2));

	if (!page)
		return -ENOMEM;
	if (!pt->coherent) {
		struct pt_table table = pt_table_at(pt, page_to_phys(page));

		pt_flush(pt, &table, 0, 1ULL << format->index_lg2);
	}
	platform_point(pt->platform, DMASIM_POINT_PT_TABLE);
	if (DMASIM_UNLIKELY(pt_load(parent, index))) {
		/* Another CPU was first: compare and exchange fails, and its table is the one. */
		pt_page_free(pt, page);
		return 0;
	}
	pt_link_table(format, pt, parent, index, format->table(pt, page_to_phys(page), level));
	return 0;
}

/* Goes down to the table of `level`, making tables on the way. 0, -EADDRINUSE, -ENOMEM. */
PT_INLINE int pt_go_down(const struct pt_format *format, struct pgtable *pt, u64 iova, u8 level,
			 struct pt_table *table)
{
	*table = pt_top(pt);
	for (u8 at = pt->levels - 1; at > level; at--) {
		u64 index = pt_index(format, pt, iova, at);
		u64 entry = pt_load(table, index);

		if (DMASIM_UNLIKELY(!entry)) {
			int err = pt_add_table(format, pt, table, index, at);

			if (err)
				return err;
			entry = pt_load(table, index);
		}
		if (DMASIM_UNLIKELY(!format->is_table(entry, at)))
			return -EADDRINUSE;
		*table = pt_table_at(pt, format->address(pt, entry));
	}
	return 0;
}

/* The table of the smallest leaves was found: the next call may mean it, too. */
PT_INLINE void pt_remember(struct pgtable *pt, u64 leaves, const struct pt_table *table)
{
	pt->last_leaves = leaves;
	pt->last_phys = table->phys;
	pt->last_entry = table->entry;
}

/* True, and *table, if it is the one that was found last. */
PT_INLINE bool pt_recall(const struct pgtable *pt, u64 leaves, struct pt_table *table)
{
	if (leaves != pt->last_leaves)
		return false;
	*table = (struct pt_table){ pt->last_phys, pt->last_entry };
	return true;
}

/* As pt_go_down(); runs of small leaves find their table at once. */
PT_INLINE int pt_descend(const struct pt_format *format, struct pgtable *pt, u64 iova, u8 level,
			 struct pt_table *table)
{
	u64 leaves = iova >> pt_level_lg2(format, 1);
	int err;

	if (level == 0 && DMASIM_LIKELY(pt_recall(pt, leaves, table)))
		return 0;
	err = pt_go_down(format, pt, iova, level, table);
	if (!err && level == 0)
		pt_remember(pt, leaves, table);
	return err;
}

/* The table of the smallest leaves, if there is one. */
PT_INLINE bool pt_find_leaves(const struct pt_format *format, struct pgtable *pt, u64 iova,
			      struct pt_table *table)
{
	u64 leaves = iova >> pt_level_lg2(format, 1);

	if (DMASIM_LIKELY(pt_recall(pt, leaves, table)))
		return true;
	*table = pt_top(pt);
	for (u8 at = pt->levels - 1; at > 0; at--) {
		u64 entry = pt_load(table, pt_index(format, pt, iova, at));

		if (!entry || !format->is_table(entry, at))
			return false;
		*table = pt_table_at(pt, format->address(pt, entry));
	}
	pt_remember(pt, leaves, table);
	return true;
}

#endif
