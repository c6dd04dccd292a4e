/* SPDX-License-Identifier: MIT */
/*
 * Every leaf of a range, in order of address; holes are passed over.
 */
#ifndef DMASIM_PGTABLE_VISIT_H
#define DMASIM_PGTABLE_VISIT_H

#include <dmasim/pgtable/table.h>

/* A leaf, and where it stands. */
struct pt_place {
	struct pt_table table;
	u64 index; /* of its first item */
	u64 items;
	u64 iova;  /* where it begins */
	u64 entry; /* the first item */
	u8 level;
	u8 lg2; /* its size */
};

/* False: enough. */
typedef bool pt_visit_fn(const struct pt_format *format, struct pgtable *pt, struct pt_place *place,
			 void *cookie);

struct pt_visit {
	u64 start;
	u64 last;
	pt_visit_fn *leaf;
	void *cookie;
};

/* `base` is the first address the table maps. */
PT_SHARED bool pt_visit_table(const struct pt_format *format, struct pgtable *pt,
			      struct pt_table table, u8 level, u64 base,
			      const struct pt_visit *visit)
{
	u8 lg2 = pt_level_lg2(format, level);
	u64 entries = pt_entries(format, pt, level);
	u64 index = visit->start > base ? (visit->start - base) >> lg2 : 0;

	while (index < entries && base + (index << lg2) <= visit->last) {
		u64 entry = pt_load(&table, index);
		struct pt_place place = { .table = table, .level = level };

		if (!entry) {
			index++;
			continue;
		}
		if (format->is_table(entry, level)) {
			if (!pt_visit_table(format, pt, pt_table_at(pt, format->address(pt, entry)),
					    level - 1, base + (index << lg2), visit))
				return false;
			index++;
			continue;
		}
		place.items = pt_items(format, entry, level);
		place.index = index & ~(place.items - 1);
		place.entry = pt_load(&table, place.index);
		place.iova = base + (place.index << lg2);
		place.lg2 = pt_leaf_lg2(format, entry, level);
		if (!visit->leaf(format, pt, &place, visit->cookie))
			return false;
		index = place.index + place.items;
		/* The last leaf of the address space. */
		if (!(base + (index << lg2)))
			break;
	}
	return true;
}

/* 0, or what a range that the table cannot have is: -EINVAL, -EOVERFLOW, -ERANGE. */
PT_INLINE int pt_check_range(const struct pt_format *format, const struct pgtable *pt, u64 iova,
			     u64 bytes)
{
	if (!bytes)
		return -EINVAL;
	if (iova + (bytes - 1) < iova)
		return -EOVERFLOW;
	return pt_range_is_beyond(format, pt, iova, iova + (bytes - 1)) ? -ERANGE : 0;
}

/* The range is one that pt_check_range() lets pass. */
PT_INLINE void pt_visit_range(const struct pt_format *format, struct pgtable *pt, u64 iova,
			      u64 bytes, pt_visit_fn *leaf, void *cookie)
{
	const struct pt_visit visit = { iova, iova + (bytes - 1), leaf, cookie };

	pt_visit_table(format, pt, pt_top(pt), pt->levels - 1, pt_base(format, pt, iova), &visit);
}

PT_SHARED bool pt_keep_place(const struct pt_format *format, struct pgtable *pt,
			     struct pt_place *place, void *cookie)
{
	(void)format;
	(void)pt;
	*(struct pt_place *)cookie = *place;
	return false;
}

/* The leaf that serves one address. False: there is none. */
PT_INLINE bool pt_find_place(const struct pt_format *format, struct pgtable *pt, u64 iova,
			     struct pt_place *place)
{
	place->items = 0;
	pt_visit_range(format, pt, iova, 1, pt_keep_place, place);
	return place->items;
}

PT_INLINE phys_addr_t pt_place_phys(const struct pt_format *format, const struct pgtable *pt,
				    const struct pt_place *place)
{
	return format->address(pt, place->entry);
}

/* True if hardware has marked an item. */
static inline bool pt_place_is_dirty(const struct pt_format *format, const struct pt_place *place)
{
	for (u64 item = 0; format->is_dirty && item < place->items; item++) {
		if (format->is_dirty(pt_load(&place->table, place->index + item)))
			return true;
	}
	return false;
}

/* What a user is told of it. */
static inline struct pgtable_leaf pt_place_leaf(const struct pt_format *format,
						const struct pgtable *pt,
						const struct pt_place *place)
{
	return (struct pgtable_leaf){
		.iova = place->iova,
		.phys = pt_place_phys(format, pt, place),
		.lg2 = place->lg2,
		.prot = format->prot(pt, place->entry),
		.dirty = pt_place_is_dirty(format, place),
	};
}

/* ---- Iteration -------------------------------------------------------- */

struct pt_iteration {
	pgtable_leaf_fn *leaf;
	void *cookie;
};

PT_SHARED bool pt_tell_leaf(const struct pt_format *format, struct pgtable *pt,
			    struct pt_place *place, void *cookie)
{
	const struct pt_iteration *iteration = cookie;
	const struct pgtable_leaf leaf = pt_place_leaf(format, pt, place);

	return iteration->leaf(iteration->cookie, &leaf);
}

PT_INLINE int pt_iterate(const struct pt_format *format, struct pgtable *pt, u64 iova, u64 bytes,
			 pgtable_leaf_fn *leaf, void *cookie)
{
	struct pt_iteration iteration = { leaf, cookie };
	int err = pt_check_range(format, pt, iova, bytes);

	if (!err)
		pt_visit_range(format, pt, iova, bytes, pt_tell_leaf, &iteration);
	return err;
}

#endif
