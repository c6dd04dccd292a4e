/* SPDX-License-Identifier: MIT */
/*
 * Leaves that stay where they are, and change: what a device may do with them, and whether
 * hardware has marked them as written.
 */
#ifndef DMASIM_PGTABLE_CHANGE_H
#define DMASIM_PGTABLE_CHANGE_H

#include <dmasim/pgtable/visit.h>

/* Stores another word in each item of a leaf; change() makes it from the one that is there. */
PT_INLINE void pt_rewrite(struct pgtable *pt, struct pt_place *place, u64 (*change)(u64 entry))
{
	for (u64 item = 0; item < place->items; item++)
		pt_store(pt, &place->table, place->index + item,
			 change(pt_load(&place->table, place->index + item)), DMASIM_POINT_PT_LEAF);
	pt_flush(pt, &place->table, place->index, place->items);
}

static inline void pt_gather_place(const struct pt_place *place, struct iommu_iotlb_gather *gather)
{
	iommu_iotlb_gather_add(gather, place->iova, place->iova + ((1ULL << place->lg2) - 1));
	gather->leaf_levels |= (u8)(1U << place->level);
}

/* ---- Dirty ------------------------------------------------------------ */

struct pt_dirty {
	u64 start;
	u64 last;
	bool clear;
	pgtable_dirty_fn *tell;
	void *cookie;
	struct iommu_iotlb_gather *gather;
};

/* A page is dirty as a whole; it is told as far as it was asked for. */
PT_SHARED bool pt_read_dirty(const struct pt_format *format, struct pgtable *pt,
			     struct pt_place *place, void *cookie)
{
	struct pt_dirty *dirty = cookie;
	u64 start = place->iova, last = start + ((1ULL << place->lg2) - 1);

	if (!pt_place_is_dirty(format, place))
		return true;
	if (start < dirty->start)
		start = dirty->start;
	if (last > dirty->last)
		last = dirty->last;
	dirty->tell(dirty->cookie, start, last - start + 1);
	if (dirty->clear) {
		pt_rewrite(pt, place, format->clean);
		pt_gather_place(place, dirty->gather);
	}
	return true;
}

PT_INLINE int pt_read_and_clear_dirty(const struct pt_format *format, struct pgtable *pt, u64 iova,
				      u64 bytes, bool clear, pgtable_dirty_fn *tell, void *cookie,
				      struct iommu_iotlb_gather *gather)
{
	struct pt_dirty dirty = { iova, iova + (bytes - 1), clear, tell, cookie, gather };
	int err = pt_check_range(format, pt, iova, bytes);

	if (!format->is_dirty)
		return -EOPNOTSUPP;
	if (!err)
		pt_visit_range(format, pt, iova, bytes, pt_read_dirty, &dirty);
	return err;
}

PT_INLINE int pt_set_dirty(const struct pt_format *format, struct pgtable *pt, u64 iova)
{
	int err = pt_check_range(format, pt, iova, 1);
	struct pt_place place;
	u64 index;

	if (!format->dirty)
		return -EOPNOTSUPP;
	if (err)
		return err;
	if (!pt_find_place(format, pt, iova, &place))
		return -ENOENT;
	index = place.index + ((iova - place.iova) >> pt_level_lg2(format, place.level));
	pt_store(pt, &place.table, index, format->dirty(pt_load(&place.table, index)),
		 DMASIM_POINT_PT_LEAF);
	return 0;
}

/* ---- Protection ------------------------------------------------------- */

struct pt_protect {
	u32 prot;
	u64 at; /* where the next leaf must begin */
	u64 last;
	bool some; /* leaves were there */
	int err;
	struct iommu_iotlb_gather *gather;
};

/* A leaf's word with the mark that another one has. */
PT_INLINE u64 pt_marked_as(const struct pt_format *format, u64 word, bool dirty)
{
	if (!format->is_dirty)
		return word;
	return dirty ? format->dirty(word) : format->clean(word);
}

/* The same leaf with other rights; what hardware has marked stays marked. False: it is as before */
PT_SHARED bool pt_protect_items(const struct pt_format *format, struct pgtable *pt,
				struct pt_place *place, u32 prot)
{
	phys_addr_t phys = pt_place_phys(format, pt, place);
	u64 word = format->leaf(pt, phys, prot, place->lg2);
	u64 apart = 1ULL << pt_level_lg2(format, place->level);
	u64 step = format->items_differ ? format->leaf(pt, phys + apart, prot, place->lg2) - word
					: 0;
	bool changed = false;

	for (u64 item = 0; item < place->items; item++, word += step) {
		u64 index = place->index + item, old, entry;

		/* Hardware may mark the entry up to here: in a kernel, compare and exchange. */
		platform_point(pt->platform, DMASIM_POINT_PT_LEAF);
		old = pt_load(&place->table, index);
		entry = pt_marked_as(format, word, format->is_dirty && format->is_dirty(old));
		if (entry == old)
			continue;
		place->table.entry[index] = htole64(entry);
		changed = true;
	}
	if (changed)
		pt_flush(pt, &place->table, place->index, place->items);
	return changed;
}

PT_SHARED bool pt_protect_leaf(const struct pt_format *format, struct pgtable *pt,
			       struct pt_place *place, void *cookie)
{
	struct pt_protect *protect = cookie;

	if (place->iova != protect->at) {
		protect->err = place->iova < protect->at ? -EINVAL : -ENOENT;
		return false;
	}
	protect->at += 1ULL << place->lg2;
	protect->some = true;
	if (pt_protect_items(format, pt, place, protect->prot))
		pt_gather_place(place, protect->gather);
	return true;
}

PT_INLINE int pt_protect_range(const struct pt_format *format, struct pgtable *pt, u64 iova,
			       u64 bytes, u32 prot, struct iommu_iotlb_gather *gather, u64 *changed)
{
	struct pt_protect protect = {
		.prot = prot, .at = iova, .last = iova + (bytes - 1), .gather = gather
	};
	int err = pt_check_range(format, pt, iova, bytes);

	if (!err && !(prot & (IOMMU_READ | IOMMU_WRITE)))
		err = -EINVAL;
	if (!err && pt->features & PGTABLE_FORCE_WRITE && !(prot & IOMMU_WRITE))
		err = -EINVAL;
	if (err)
		return err;
	pt_visit_range(format, pt, iova, bytes, pt_protect_leaf, &protect);
	*changed += protect.at - iova;
	/* The end of the last leaf may be that of the address space. */
	if (!protect.err && (!protect.some || protect.at - 1 < protect.last))
		protect.err = -ENOENT;
	return protect.err;
}

#endif
