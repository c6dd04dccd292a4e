/* SPDX-License-Identifier: MIT */
/*
 * Unmap: stops at the first hole, refuses to start inside a leaf, takes the whole leaf when it ends
 * inside one. Tables that the range covers whole are unlinked after what they held.
 */
#ifndef DMASIM_PGTABLE_UNMAP_H
#define DMASIM_PGTABLE_UNMAP_H

#include <dmasim/pgtable/table.h>

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
 * Clears the smallest leaves of a run of entries, up to an empty one or one of a larger leaf.
 * Returns how many.
 */
PT_INLINE u64 pt_clear_smallest(const struct pt_format *format, struct pgtable *pt,
				struct pt_table *table, u64 index, u64 count)
{
	u64 done = 0;

	/* Larger leaves come in runs, too. */
	if (format->many && pt_load(table, index) & format->many)
		return 0;
	if (DMASIM_LIKELY(!pt->platform->stepping))
		return pt_words_clear(table->entry + index, count, format->many);
	for (; done < count; done++) {
		u64 entry = pt_load(table, index + done);

		if (!entry || entry & format->many)
			break;
		pt_clear(pt, table, index + done);
	}
	return done;
}

PT_INLINE void pt_clear_items(struct pgtable *pt, struct pt_table *table, u64 index, u64 items)
{
	if (DMASIM_LIKELY(!pt->platform->stepping)) {
		pt_words_zero(table->entry + index, items);
		return;
	}
	for (u64 item = 0; item < items; item++)
		pt_clear(pt, table, index + item);
}

/* How many of the entries from `at` on the range has, at least in part. */
PT_INLINE u64 pt_entries_left(const struct pt_format *format, const struct pt_unmap *unmap,
			      u8 level, u64 most)
{
	u64 left = (unmap->last - unmap->at) >> pt_level_lg2(format, level);

	return left < most ? left + 1 : most;
}

/* One leaf that begins at `at`. False: there is none, or the range starts inside it. */
PT_INLINE bool pt_unmap_leaf(const struct pt_format *format, struct pgtable *pt,
			     struct pt_table *table, u64 *index, u8 level, struct pt_unmap *unmap)
{
	u64 entry = pt_load(table, *index);
	u64 bytes = 1ULL << pt_level_lg2(format, level);
	u64 items = entry ? pt_items(format, entry, level) : 1;

	if (!entry || unmap->at & (bytes - 1) || *index & (items - 1))
		return false;
	pt_clear_items(pt, table, *index, items);
	unmap->at += items * bytes;
	*index += items;
	return true;
}

/* The leaves of a table of the smallest ones, from `at` on. */
PT_INLINE void pt_unmap_leaves(const struct pt_format *format, struct pgtable *pt,
			       struct pt_table *table, struct pt_unmap *unmap)
{
	u64 index = pt_index(format, pt, unmap->at, 0);
	u64 end = index + pt_entries_left(format, unmap, 0, pt_entries(format, pt, 0) - index);
	u64 first = index;
	u64 leaves = 0;

	/* Inside a granule nothing begins. */
	unmap->stopped = unmap->at & ((1ULL << format->granule_lg2) - 1);
	while (!unmap->stopped && index < end) {
		u64 done = pt_clear_smallest(format, pt, table, index, end - index);

		index += done;
		unmap->at += done << format->granule_lg2;
		leaves += done;
		if (DMASIM_LIKELY(index == end))
			break;
		unmap->stopped = !pt_unmap_leaf(format, pt, table, &index, 0, unmap);
		leaves += !unmap->stopped;
	}
	if (!leaves)
		return;
	unmap->at_end = !unmap->at;
	unmap->gather->leaf_levels |= 1;
	pt_flush(pt, table, first, index - first);
	pt->host->costs.entries_cleared += leaves;
}

/*
 * Removes what a table maps of the range. `base` is the first address the table maps.
 */
PT_SHARED void pt_unmap_table(const struct pt_format *format, struct pgtable *pt,
			      struct pt_table table, u8 level, u64 base, struct pt_unmap *unmap)
{
	u64 bytes = 1ULL << pt_level_lg2(format, level);
	u64 entries = pt_entries(format, pt, level);
	u64 index = (unmap->at - base) >> pt_level_lg2(format, level);
	u64 first = index;
	u64 done = 0;

	if (!level) {
		pt_unmap_leaves(format, pt, &table, unmap);
		return;
	}
	while (index < entries && !unmap->at_end && unmap->at <= unmap->last) {
		u64 entry = pt_load(&table, index);
		u64 start = base + index * bytes;

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
		unmap->stopped = !pt_unmap_leaf(format, pt, &table, &index, level, unmap);
		if (unmap->stopped)
			break;
		unmap->at_end = !unmap->at;
		unmap->gather->leaf_levels |= (u8)(1U << level);
		done++;
	}
	pt_flush(pt, &table, first, index - first + (index < entries));
	pt->host->costs.entries_cleared += done;
}

/* True if the range lies in one table of the smallest leaves, and leaves something of it. */
PT_INLINE bool pt_is_within_leaves(const struct pt_format *format, u64 iova, u64 last, u64 bytes)
{
	u8 lg2 = pt_level_lg2(format, 1);

	return (iova ^ last) >> lg2 == 0 && bytes < 1ULL << lg2;
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
	struct pt_table table;

	if (!bytes || unmap.last < iova || pt_range_is_beyond(format, pt, iova, unmap.last))
		return 0;
	/* Beyond a top that has not grown nothing is mapped. */
	if (format->grow && pt_is_above(format, pt->levels, iova))
		return 0;
	if (DMASIM_LIKELY(pt_is_within_leaves(format, iova, unmap.last, bytes)) &&
	    pt_find_leaves(format, pt, iova, &table))
		pt_unmap_leaves(format, pt, &table, &unmap);
	else
		pt_unmap_table(format, pt, pt_top(pt), pt->levels - 1, pt_base(format, pt, iova),
			       &unmap);
	/* All 2^64 bytes: more than the return value can say, but not more than a gather. */
	if (unmap.at != iova || unmap.at_end)
		iommu_iotlb_gather_add(gather, iova, unmap.at - 1);
	return unmap.at - iova;
}

#endif
