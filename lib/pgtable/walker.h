/* SPDX-License-Identifier: MIT */
/*
 * The one walker of all page-table formats.
 *
 * A format file describes itself in a `static const struct pt_format` and wraps these functions.
 * They are inlined there, so that the compiler folds the constants and the calls through the
 * descriptor away: one specialised walker per format, from one source.
 *
 *   level 2 | index |                         one table at each level; level 0 has the smallest
 *   level 1         | index |                 leaves. The walk starts at the top table and goes
 *   level 0                 | index | offset |   down to the level of the wanted leaf.
 *
 * A leaf of a size between those of two levels takes several entries of the lower one, which all
 * hold the same word: its items.
 */
#ifndef PGTABLE_WALKER_H
#define PGTABLE_WALKER_H

#include <endian.h>
#include <errno.h>

#include "os.h"
#include "pgtable/pgtable.h"

#define PT_INLINE static inline __attribute__((always_inline))

struct pt_format {
	u8 granule_lg2; /* smallest leaf, and a table, in bytes */
	u8 index_lg2;	/* entries per table */
	u64 flushed;	/* software bit: "the table behind this entry is flushed" */
	/* Makes the table reach an address; NULL: it has all its levels from the start. */
	int (*grow)(struct pgtable *pt, u64 last);
	u64 (*leaf)(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2);
	u64 (*table)(const struct pgtable *pt, phys_addr_t phys, u8 level); /* level of the entry */
	bool (*is_table)(u64 entry, u8 level); /* of an entry that is not empty */
	phys_addr_t (*address)(const struct pgtable *pt,
			       u64 entry); /* of the leaf or of the table */
	/* log2 of the size of a leaf; NULL: leaves have the natural size of their level. */
	u8 (*leaf_lg2)(u64 entry, u8 level);
};

/* A table on the way down. */
struct pt_table {
	phys_addr_t phys;
	u64 *entry;
};

PT_INLINE u8 pt_level_lg2(const struct pt_format *format, u8 level)
{
	return (u8)(format->granule_lg2 + format->index_lg2 * level);
}

PT_INLINE u64 pt_index(const struct pt_format *format, u64 iova, u8 level)
{
	return (iova >> pt_level_lg2(format, level)) & ((1ULL << format->index_lg2) - 1);
}

/* True if an address lies beyond what the table can map. */
PT_INLINE bool pt_is_beyond(const struct pgtable *pt, u64 iova)
{
	return pt->va_bits < 64 && iova >> pt->va_bits;
}

/* True if a table of so many levels has no entry for the address. */
PT_INLINE bool pt_is_above(const struct pt_format *format, u8 levels, u64 iova)
{
	u8 lg2 = pt_level_lg2(format, levels);

	return lg2 < 64 && iova >> lg2;
}

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

PT_INLINE u64 pt_load(const struct pt_table *table, u64 index)
{
	return le64toh(table->entry[index]);
}

PT_INLINE struct pt_table pt_table_at(struct pgtable *pt, phys_addr_t phys)
{
	return (struct pt_table){ phys, platform_ptr(pt->platform, phys) };
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

/* ---- Sizes ------------------------------------------------------------ */

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

/* ---- Tables ----------------------------------------------------------- */

static inline void pt_gather_table(struct pgtable *pt, struct iommu_iotlb_gather *gather,
				   phys_addr_t phys, u8 level)
{
	struct page *page = page_find(pt->os, phys);

	pt->last_leaves = PGTABLE_NO_LEAVES;
	page->next = gather->freelist;
	gather->freelist = page;
	gather->table_levels |= (u8)(1U << level);
}

/* Links a new, empty table into an empty entry. 0 or -ENOMEM. */
PT_INLINE int pt_add_table(const struct pt_format *format, struct pgtable *pt,
			   struct pt_table *parent, u64 index, u8 level)
{
	struct page *page = page_alloc(pt->os, DMASIM_FAULT_TABLE_PAGE);
	u64 entry;

	if (!page)
		return -ENOMEM;
	pt->os->costs.tables_allocated++;
	entry = format->table(pt, page_phys(page), level);
	if (!pt->coherent) {
		struct pt_table table = pt_table_at(pt, page_phys(page));

		/* Empty for the hardware too, before it can find the table. */
		pt_flush(pt, &table, 0, 1ULL << format->index_lg2);
	}
	platform_point(pt->platform, DMASIM_POINT_PT_TABLE);
	if (DMASIM_UNLIKELY(pt_load(parent, index))) {
		/* Another CPU was first: compare and exchange fails, and its table is the one. */
		page_free(pt->os, DMASIM_FAULT_TABLE_PAGE, page);
		pt->os->costs.tables_freed++;
		return 0;
	}
	parent->entry[index] = htole64(entry);
	pt_flush(pt, parent, index, 1);
	if (!pt->coherent)
		pt_store(pt, parent, index, entry | format->flushed, DMASIM_POINT_PT_MARK);
	return 0;
}

/* Goes down to the table of `level`, making tables on the way. 0, -EADDRINUSE, -ENOMEM. */
PT_INLINE int pt_go_down(const struct pt_format *format, struct pgtable *pt, u64 iova, u8 level,
			 struct pt_table *table)
{
	*table = (struct pt_table){ pt->root, pt->top };
	for (u8 at = pt->levels - 1; at > level; at--) {
		u64 index = pt_index(format, iova, at);
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

/* The same; runs of small leaves find their table without going down. */
PT_INLINE int pt_descend(const struct pt_format *format, struct pgtable *pt, u64 iova, u8 level,
			 struct pt_table *table)
{
	u64 leaves = iova >> pt_level_lg2(format, 1);
	int err;

	if (level == 0 && DMASIM_LIKELY(leaves == pt->last_leaves)) {
		*table = (struct pt_table){ pt->last_phys, pt->last_entry };
		return 0;
	}
	err = pt_go_down(format, pt, iova, level, table);
	if (!err && level == 0) {
		pt->last_leaves = leaves;
		pt->last_phys = table->phys;
		pt->last_entry = table->entry;
	}
	return err;
}

/* True if no leaf hangs anywhere below this table. */
static bool pt_is_empty(const struct pt_format *format, struct pgtable *pt, struct pt_table table,
			u8 level)
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

/* Puts an unlinked table and all tables below it on the gather's list. */
static void pt_gather_tree(const struct pt_format *format, struct pgtable *pt,
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

/* ---- Map -------------------------------------------------------------- */

/* An entry that is to become a leaf holds a table, which is empty: it goes. */
static void pt_replace_table(const struct pt_format *format, struct pgtable *pt,
			     struct pt_table *table, u64 index, u8 level, u64 iova,
			     struct iommu_iotlb_gather *gather)
{
	phys_addr_t below = format->address(pt, pt_load(table, index));
	u64 bytes = 1ULL << pt_level_lg2(format, level);

	pt_store(pt, table, index, 0, DMASIM_POINT_PT_CLEAR);
	pt_flush(pt, table, index, 1);
	pt_gather_tree(format, pt, gather, below, level - 1);
	iommu_iotlb_gather_add(gather, iova & ~(bytes - 1), iova | (bytes - 1));
}

/* A run of leaves in one table. */
struct pt_run {
	u64 iova;
	phys_addr_t phys;
	u32 prot;
	u8 level;
	u8 lg2;	      /* of a leaf */
	u8 items_lg2; /* of its items */
	u64 count;
};

/*
 * Some of the entries that a leaf is to take are in use: if all they hold are empty tables, those
 * go. Else nothing changes. 0 or -EADDRINUSE.
 */
static int pt_make_room(const struct pt_format *format, struct pgtable *pt, struct pt_table *table,
			u64 index, const struct pt_run *run, u64 iova,
			struct iommu_iotlb_gather *gather)
{
	u64 items = 1ULL << run->items_lg2;

	for (u64 item = 0; item < items; item++) {
		u64 entry = pt_load(table, index + item);

		if (!entry)
			continue;
		if (!format->is_table(entry, run->level) ||
		    !pt_is_empty(format, pt, pt_table_at(pt, format->address(pt, entry)),
				 run->level - 1))
			return -EADDRINUSE;
	}
	for (u64 item = 0; item < items; item++) {
		if (pt_load(table, index + item))
			pt_replace_table(format, pt, table, index + item, run->level,
					 iova + (item << pt_level_lg2(format, run->level)), gather);
	}
	return 0;
}

PT_INLINE bool pt_in_use(const struct pt_table *table, u64 index, u64 items)
{
	u64 any = 0;

	for (u64 item = 0; item < items; item++)
		any |= table->entry[index + item];
	return any;
}

/* Writes the run until an entry is in use; *written counts the leaves that were done. */
PT_INLINE int pt_write_leaves(const struct pt_format *format, struct pgtable *pt,
			      struct pt_table *table, const struct pt_run *run,
			      struct iommu_iotlb_gather *gather, u64 *written)
{
	u64 first = pt_index(format, run->iova, run->level);
	u64 items = format->leaf_lg2 ? 1ULL << run->items_lg2 : 1;
	u64 entry = format->leaf(pt, run->phys, run->prot, run->lg2);
	int err = 0;
	u64 done;

	for (done = 0; done < run->count; done++) {
		u64 index = first + done * items;

		if (DMASIM_UNLIKELY(pt_in_use(table, index, items))) {
			err = pt_make_room(format, pt, table, index, run,
					   run->iova + (done << run->lg2), gather);
			if (err)
				break;
		}
		for (u64 item = 0; item < items; item++)
			pt_store(pt, table, index + item, entry, DMASIM_POINT_PT_LEAF);
		entry += 1ULL << run->lg2;
	}
	pt_flush(pt, table, first, done * items);
	pt->os->costs.entries_written += done;
	*written = done;
	return err;
}

static inline int pt_check_map(const struct pgtable *pt, u64 iova, phys_addr_t phys, u64 bytes,
			       u32 prot)
{
	if (!(prot & (IOMMU_READ | IOMMU_WRITE)) || !bytes)
		return -EINVAL;
	if ((phys + (bytes - 1)) >> pt->pa_bits || phys + (bytes - 1) < phys)
		return -ERANGE;
	if (iova + (bytes - 1) < iova)
		return -EOVERFLOW;
	return pt_is_beyond(pt, iova + (bytes - 1)) ? -ERANGE : 0;
}

/* One leaf of the smallest size: most maps are that. */
PT_INLINE int pt_map_granule(const struct pt_format *format, struct pgtable *pt, u64 iova,
			     phys_addr_t phys, u32 prot, u64 *mapped)
{
	u64 bytes = 1ULL << format->granule_lg2;
	struct pt_table table;
	u64 index;
	int err;

	if (DMASIM_UNLIKELY((iova | phys) & (bytes - 1)))
		return -ENXIO;
	err = pt_descend(format, pt, iova, 0, &table);
	if (err)
		return err;
	index = pt_index(format, iova, 0);
	if (DMASIM_UNLIKELY(table.entry[index]))
		return -EADDRINUSE;
	pt_store(pt, &table, index, format->leaf(pt, phys, prot, format->granule_lg2),
		 DMASIM_POINT_PT_LEAF);
	pt_flush(pt, &table, index, 1);
	pt->os->costs.entries_written++;
	*mapped += bytes;
	return 0;
}

PT_INLINE int pt_map(const struct pt_format *format, struct pgtable *pt, u64 iova, phys_addr_t phys,
		     u64 bytes, u32 prot, struct iommu_iotlb_gather *gather, u64 *mapped)
{
	int err = pt_check_map(pt, iova, phys, bytes, prot);

	if (format->grow && !err &&
	    DMASIM_UNLIKELY(pt_is_above(format, pt->levels, iova + (bytes - 1))))
		err = format->grow(pt, iova + (bytes - 1));
	if (!err && bytes == 1ULL << format->granule_lg2)
		return pt_map_granule(format, pt, iova, phys, prot, mapped);
	while (!err && bytes) {
		u8 lg2 = pt_best_size_lg2(pt->page_sizes, iova, phys, bytes);
		struct pt_run run = { .iova = iova, .phys = phys, .prot = prot, .lg2 = lg2 };
		struct pt_table table;
		u64 room, written = 0;

		if (DMASIM_UNLIKELY(!lg2))
			return -ENXIO;
		run.level = (u8)((lg2 - format->granule_lg2) / format->index_lg2);
		run.items_lg2 = (u8)(lg2 - pt_level_lg2(format, run.level));
		run.count = pt_leaf_count(pt->page_sizes, iova, phys, bytes, lg2);
		room = ((1ULL << format->index_lg2) - pt_index(format, iova, run.level)) >>
		       run.items_lg2;
		if (run.count > room)
			run.count = room;

		err = pt_descend(format, pt, iova, run.level, &table);
		if (!err)
			err = pt_write_leaves(format, pt, &table, &run, gather, &written);
		iova += written << lg2;
		phys += written << lg2;
		bytes -= written << lg2;
		*mapped += written << lg2;
	}
	return err;
}

/* ---- Unmap ------------------------------------------------------------ */

/* What is to go, and how far it went: `at` is the first address not yet removed. */
struct pt_unmap {
	struct iommu_iotlb_gather *gather;
	u64 start;
	u64 last;
	u64 at;
	bool stopped;
	bool at_end; /* of the address space: `at` is 0 again */
};

PT_INLINE void pt_clear(struct pgtable *pt, struct pt_table *table, u64 index)
{
	pt_store(pt, table, index, 0, DMASIM_POINT_PT_CLEAR);
}

/*
 * Removes what a table maps of the range. `base` is the first address the table maps. Stops at an
 * empty entry, and refuses to start inside a leaf.
 */
static void pt_unmap_table(const struct pt_format *format, struct pgtable *pt,
			   struct pt_table table, u8 level, u64 base, struct pt_unmap *unmap)
{
	u64 bytes = 1ULL << pt_level_lg2(format, level);
	u64 entries = 1ULL << format->index_lg2;
	u64 index = (unmap->at - base) >> pt_level_lg2(format, level);
	u64 first = index;
	u64 done = 0;

	while (index < entries && unmap->at <= unmap->last) {
		u64 entry = pt_load(&table, index);
		u64 start = base + index * bytes;
		u64 items;

		if (entry && format->is_table(entry, level)) {
			phys_addr_t below = format->address(pt, entry);

			pt_unmap_table(format, pt, pt_table_at(pt, below), level - 1, start, unmap);
			if (unmap->stopped)
				break;
			if (start >= unmap->start && start + (bytes - 1) <= unmap->last) {
				pt_clear(pt, &table, index);
				pt_gather_table(pt, unmap->gather, below, level);
			}
			index++;
			continue;
		}
		items = pt_items(format, entry, level);
		if (!entry || start != unmap->at || index % items) {
			unmap->stopped = true;
			break;
		}
		for (u64 item = 0; item < items; item++)
			pt_clear(pt, &table, index + item);
		unmap->at += items * bytes;
		unmap->at_end = !unmap->at;
		unmap->gather->leaf_levels |= (u8)(1U << level);
		index += items;
		done++;
	}
	pt_flush(pt, &table, first, index - first + (index < entries));
	pt->os->costs.entries_cleared += done;
}

PT_INLINE u64 pt_unmap(const struct pt_format *format, struct pgtable *pt, u64 iova, u64 bytes,
		       struct iommu_iotlb_gather *gather)
{
	struct pt_unmap unmap = {
		.gather = gather,
		.start = iova,
		.last = iova + (bytes - 1),
		.at = iova,
	};

	if (!bytes || unmap.last < iova || pt_is_beyond(pt, unmap.last))
		return 0;
	pt_unmap_table(format, pt, (struct pt_table){ pt->root, pt->top }, pt->levels - 1, 0,
		       &unmap);
	/* All 2^64 bytes: more than the return value can say, but not more than a gather. */
	if (unmap.at != iova || unmap.at_end)
		iommu_iotlb_gather_add(gather, iova, unmap.at - 1);
	return unmap.at - iova;
}

/* ---- Lookup, creation, end -------------------------------------------- */

PT_INLINE phys_addr_t pt_iova_to_phys(const struct pt_format *format, struct pgtable *pt, u64 iova)
{
	struct pt_table table = { pt->root, pt->top };

	if (pt_is_beyond(pt, iova) || (format->grow && pt_is_above(format, pt->levels, iova)))
		return 0;
	for (u8 level = pt->levels; level-- > 0;) {
		u64 entry = pt_load(&table, pt_index(format, iova, level));

		if (!entry)
			return 0;
		if (!format->is_table(entry, level))
			return format->address(pt, entry) |
			       (iova & ((1ULL << pt_leaf_lg2(format, entry, level)) - 1));
		table = pt_table_at(pt, format->address(pt, entry));
	}
	return 0;
}

PT_INLINE int pt_init(const struct pt_format *format, struct pgtable *pt,
		      const struct pgtable_config *config)
{
	struct page *page = page_alloc(config->os, DMASIM_FAULT_TABLE_PAGE);
	u8 levels_max = config->levels_max ? config->levels_max : config->levels;
	u8 va_bits = pt_level_lg2(format, levels_max);
	struct pt_table table;

	if (!page)
		return -ENOMEM;
	*pt = (struct pgtable){
		.os = config->os,
		.platform = config->os->platform,
		.root = page_phys(page),
		.levels = config->levels,
		.va_bits = va_bits < 64 ? va_bits : 64,
		.pa_bits = config->pa_bits,
		.coherent = config->coherent,
		.snoop = config->snoop,
		.encryption = config->encryption,
		.change_top = config->change_top,
		.cookie = config->cookie,
		.last_leaves = PGTABLE_NO_LEAVES,
	};
	table = pt_table_at(pt, pt->root);
	pt->top = table.entry;
	pt_flush(pt, &table, 0, 1ULL << format->index_lg2);
	config->os->costs.tables_allocated++;
	return 0;
}

static void pt_free_tree(const struct pt_format *format, struct pgtable *pt, phys_addr_t phys,
			 u8 level)
{
	struct pt_table table = pt_table_at(pt, phys);

	for (u64 index = 0; level && index < 1ULL << format->index_lg2; index++) {
		u64 entry = pt_load(&table, index);

		if (entry && format->is_table(entry, level))
			pt_free_tree(format, pt, format->address(pt, entry), level - 1);
	}
	page_free(pt->os, DMASIM_FAULT_TABLE_PAGE, page_find(pt->os, phys));
	pt->os->costs.tables_freed++;
}

#endif
