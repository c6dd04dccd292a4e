/* SPDX-License-Identifier: MIT */
/*
 * Map: a range becomes runs of leaves, each as large as the addresses allow. A run lies in one
 * table, which is gone down to once.
 */
#ifndef DMASIM_PGTABLE_MAP_H
#define DMASIM_PGTABLE_MAP_H

#include <dmasim/pgtable/table.h>

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

/* ---- Room ------------------------------------------------------------- */

/* An entry that is to become a leaf holds a table, which is empty: it goes. */
PT_SHARED void pt_replace_table(const struct pt_format *format, struct pgtable *pt,
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

/* ---- Leaves ----------------------------------------------------------- */

/*
 * Fills entries that are empty, which may be known; where somebody may look at each store, one by
 * one.
 */
PT_INLINE u64 pt_fill(struct pgtable *pt, const struct pt_table *table, u64 index, u64 count,
		      u64 word, u64 step, bool known)
{
	struct pt_table here = *table;
	u64 done = 0;

	if (DMASIM_LIKELY(!pt->platform->stepping))
		return pt_words_fill(table->entry + index, count, word, step, known);
	for (; done < count && !pt_load(&here, index + done); done++)
		pt_store(pt, &here, index + done, word + done * step, DMASIM_POINT_PT_LEAF);
	return done;
}

/* The word of the leaf at phys; *step: how much more that of the one `apart` bytes further is. */
PT_INLINE u64 pt_leaf_word(const struct pt_format *format, const struct pgtable *pt,
			   const struct pt_run *run, phys_addr_t phys, u64 apart, u64 *step)
{
	u64 word = format->leaf(pt, phys, run->prot, run->lg2);

	*step = format->leaf(pt, phys + apart, run->prot, run->lg2) - word;
	return word;
}

/* Leaves that take one entry each, up to one that is in use; returns how many. */
PT_INLINE u64 pt_write_single(const struct pt_format *format, struct pgtable *pt,
			      const struct pt_table *table, const struct pt_run *run, u64 done)
{
	u64 index = pt_index(format, pt, run->iova, run->level) + done;
	phys_addr_t phys = run->phys + (done << run->lg2);
	u64 step, word = pt_leaf_word(format, pt, run, phys, 1ULL << run->lg2, &step);

	return pt_fill(pt, table, index, run->count - done, word, step, false);
}

/* The same of leaves that take several entries: all of them, or none. */
PT_INLINE u64 pt_write_many(const struct pt_format *format, struct pgtable *pt,
			    const struct pt_table *table, const struct pt_run *run, u64 done)
{
	u64 items = 1ULL << run->items_lg2;
	u64 index = pt_index(format, pt, run->iova, run->level) + done * items;
	phys_addr_t phys = run->phys + (done << run->lg2);
	u64 leaf_step, item_step = 0, before = done;
	u64 word = pt_leaf_word(format, pt, run, phys, 1ULL << run->lg2, &leaf_step);

	if (format->items_differ)
		pt_leaf_word(format, pt, run, phys, 1ULL << pt_level_lg2(format, run->level),
			     &item_step);
	for (; done < run->count && pt_words_empty(table->entry + index, items); done++) {
		pt_fill(pt, table, index, items, word, item_step, true);
		word += leaf_step;
		index += items;
	}
	return done - before;
}

/* Writes the run until an entry is in use; *written counts the leaves that were done. */
PT_INLINE int pt_write_leaves(const struct pt_format *format, struct pgtable *pt,
			      struct pt_table *table, const struct pt_run *run,
			      struct iommu_iotlb_gather *gather, u64 *written)
{
	u64 first = pt_index(format, pt, run->iova, run->level);
	u64 done = 0;
	int err = 0;

	for (;;) {
		if (format->leaf_lg2 && run->items_lg2)
			done += pt_write_many(format, pt, table, run, done);
		else
			done += pt_write_single(format, pt, table, run, done);
		if (DMASIM_LIKELY(done == run->count))
			break;
		err = pt_make_room(format, pt, table, first + (done << run->items_lg2), run,
				   run->iova + (done << run->lg2), gather);
		if (err)
			break;
	}
	pt_flush(pt, table, first, done << run->items_lg2);
	pt->host->costs.entries_written += done;
	*written = done;
	return err;
}

/* ---- Ranges ----------------------------------------------------------- */

/* Of two mistakes Linux's table tells the same one. */
PT_INLINE int pt_check_map(const struct pt_format *format, const struct pgtable *pt, u64 iova,
			   phys_addr_t phys, u64 bytes, u32 prot)
{
	u64 last = bytes - 1;

	if (!(prot & (IOMMU_READ | IOMMU_WRITE)))
		return -EINVAL;
	if (phys >> pt->pa_bits)
		return -ERANGE;
	if (!bytes || (pt->features & PGTABLE_FORCE_WRITE && !(prot & IOMMU_WRITE)))
		return -EINVAL;
	if (iova + last < iova)
		return -EOVERFLOW;
	if ((iova | phys | bytes) & ((1ULL << format->granule_lg2) - 1))
		return -ENXIO;
	if ((phys + last) >> pt->pa_bits || phys + last < phys)
		return -ERANGE;
	return pt_range_is_beyond(format, pt, iova, iova + last) ? -ERANGE : 0;
}

/* One leaf of the smallest size: most maps are that. */
PT_INLINE int pt_map_granule(const struct pt_format *format, struct pgtable *pt, u64 iova,
			     phys_addr_t phys, u32 prot, u64 *mapped)
{
	u64 bytes = 1ULL << format->granule_lg2;
	struct pt_table table;
	u64 index;
	int err;

	err = pt_descend(format, pt, iova, 0, &table);
	if (err)
		return err;
	index = pt_index(format, pt, iova, 0);
	if (DMASIM_UNLIKELY(table.entry[index]))
		return -EADDRINUSE;
	pt_store(pt, &table, index, format->leaf(pt, phys, prot, format->granule_lg2),
		 DMASIM_POINT_PT_LEAF);
	pt_flush(pt, &table, index, 1);
	pt->host->costs.entries_written++;
	*mapped += bytes;
	return 0;
}

/* As many leaves as fit into the table, and go up by one and the same step. */
PT_INLINE u64 pt_run_count(const struct pt_format *format, const struct pgtable *pt,
			   const struct pt_run *run, u64 bytes)
{
	u64 count = pt_leaf_count(pt->page_sizes, run->iova, run->phys, bytes, run->lg2);
	u64 room = (pt_entries(format, pt, run->level) -
		    pt_index(format, pt, run->iova, run->level)) >>
		   run->items_lg2;

	if (format->straight_lg2) {
		u64 straight = (1ULL << format->straight_lg2) -
			       (run->phys & ((1ULL << format->straight_lg2) - 1));

		if (room > straight >> run->lg2)
			room = straight >> run->lg2;
	}
	return count < room ? count : room;
}

/* The next run of a range. 0, or -ENXIO where no size fits. */
PT_INLINE int pt_next_run(const struct pt_format *format, const struct pgtable *pt, u64 bytes,
			  struct pt_run *run)
{
	run->lg2 = pt_best_size_lg2(pt->page_sizes, run->iova, run->phys, bytes);
	if (DMASIM_UNLIKELY(!run->lg2))
		return -ENXIO;
	run->level = (u8)((run->lg2 - format->granule_lg2) / format->index_lg2);
	/* A table of the top that has more entries than others maps more, too. */
	if (format->top_extra_lg2 && run->level >= pt->levels)
		run->level = pt->levels - 1;
	run->items_lg2 = (u8)(run->lg2 - pt_level_lg2(format, run->level));
	run->count = pt_run_count(format, pt, run, bytes);
	return 0;
}

PT_INLINE int pt_map(const struct pt_format *format, struct pgtable *pt, u64 iova, phys_addr_t phys,
		     u64 bytes, u32 prot, struct iommu_iotlb_gather *gather, u64 *mapped)
{
	struct pt_run run = { .iova = iova, .phys = phys, .prot = prot };
	int err = pt_check_map(format, pt, iova, phys, bytes, prot);

	if (format->grow && !err &&
	    DMASIM_UNLIKELY(pt_is_above(format, pt->levels, iova + (bytes - 1))))
		err = format->grow(pt, iova + (bytes - 1));
	if (!err && bytes == 1ULL << format->granule_lg2)
		return pt_map_granule(format, pt, iova, phys, prot, mapped);
	while (!err && bytes) {
		struct pt_table table;
		u64 written = 0;

		err = pt_next_run(format, pt, bytes, &run);
		if (!err)
			err = pt_descend(format, pt, run.iova, run.level, &table);
		if (!err)
			err = pt_write_leaves(format, pt, &table, &run, gather, &written);
		written <<= run.lg2;
		run.iova += written;
		run.phys += written;
		bytes -= written;
		*mapped += written;
	}
	return err;
}

#endif
