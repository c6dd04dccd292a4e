/* SPDX-License-Identifier: MIT */
/*
 * What a table may do beyond map and unmap. Where it has no such function, or says that it has no
 * such thing (-EOPNOTSUPP), there is nothing to judge, and the line says so.
 */
#include <errno.h>

#include "workbench/pt_conform.h"

bool pt_check_protect(struct pt_conform *c)
{
	phys_addr_t phys;
	u64 page;
	u8 lg2;

	if (!c->subject->ops->protect)
		return pt_absent(c, "protect");
	if (!pt_start(c, true))
		return false;
	page = pt_page(c);
	phys = pt_memory(c, c->granule_lg2 + 8);
	if (!pt_map(c, page, phys, 6 * page, PT_RW) ||
	    !pt_protect(c, 2 * page, 3 * page, IOMMU_READ) || !pt_unmap(c, 4 * page, page) ||
	    /* up to a hole, and from one */
	    !pt_protect(c, page, 6 * page, IOMMU_WRITE) || !pt_protect(c, 4 * page, page, PT_RW))
		return false;
	for (u32 i = 1; (lg2 = pt_size_lg2(c, i)); i++) {
		u64 size = 1ULL << lg2;

		if (!pt_memory(c, lg2) || 4 * size - 1 > c->last)
			continue;
		/* Inside a leaf nothing begins; one that ends inside takes it whole. */
		if (!pt_map(c, 2 * size, pt_memory(c, lg2), size, PT_RW) ||
		    !pt_protect(c, 2 * size + size / 2, page, IOMMU_READ) ||
		    !pt_protect(c, 2 * size, page, IOMMU_READ) || !pt_unmap(c, 2 * size, size))
			return false;
	}
	return true;
}

/* ---- Dirty ------------------------------------------------------------ */

struct pt_told {
	u64 start;
	u64 last;
	u32 count;
};

static void tell(void *cookie, u64 iova, u64 bytes)
{
	struct pt_told *told = cookie;

	told->start = told->count && told->start < iova ? told->start : iova;
	told->last = iova + (bytes - 1);
	told->count++;
}

static bool read_dirty(struct pt_conform *c, u64 iova, u64 bytes, bool clear, struct pt_told *told)
{
	int err;

	*told = (struct pt_told){ 0 };
	iommu_iotlb_gather_init(&c->gather);
	err = c->subject->ops->read_and_clear_dirty(&c->pt, iova, bytes, clear, tell, told,
						    &c->gather);
	return !err || pt_wrong(c, "read_and_clear_dirty gives %s", pt_error(err).text);
}

/* All of that is told, and nothing else. */
static bool told_is(struct pt_conform *c, const struct pt_told *told, u64 start, u64 last)
{
	return (told->count && told->start == start && told->last == last) ||
	       pt_wrong(c,
			"0x%llx to 0x%llx was marked, read_and_clear_dirty tells of %s0x%llx to "
			"0x%llx",
			start, last, told->count ? "" : "nothing: ", told->start, told->last);
}

/*
 * The mark of a leaf, at whatever address it was written, is told of all of it, or of the part that
 * was asked for; stays if it is not to go, and goes if it is.
 */
static bool one_mark(struct pt_conform *c, u64 iova, u8 lg2, u64 at)
{
	u64 size = 1ULL << lg2, page = pt_page(c);
	const struct pt_change change = { iova, iova + (size - 1), pt_level_bit(c, lg2) };
	int err = c->subject->ops->set_dirty(&c->pt, at);
	struct pt_told told;

	if (err)
		return pt_wrong(c, "set_dirty of 0x%llx gives %s", at, pt_error(err).text);
	if (!read_dirty(c, at, page, false, &told) || !told_is(c, &told, at, at + (page - 1)))
		return false;
	for (int clear = 0; clear < 2; clear++) {
		if (!read_dirty(c, 0, iova + 2 * size, clear, &told) ||
		    !told_is(c, &told, iova, iova + (size - 1)))
			return false;
	}
	if (!pt_gathered(c, "read_and_clear_dirty", &change))
		return false;
	return read_dirty(c, 0, iova + 2 * size, true, &told) &&
	       (!told.count || pt_wrong(c, "a mark that was cleared at 0x%llx is there", at)) &&
	       pt_compare(c, 0, iova + 2 * size);
}

/* The first, the last and a page between; what is born marked is cleared first. */
static bool marks_of(struct pt_conform *c, u64 iova, u8 lg2)
{
	u64 size = 1ULL << lg2;
	struct pt_told told;

	return read_dirty(c, iova, size, true, &told) && one_mark(c, iova, lg2, iova) &&
	       one_mark(c, iova, lg2, iova + (size / 2 & ~(pt_page(c) - 1))) &&
	       one_mark(c, iova, lg2, iova + size - pt_page(c));
}

/* False: the format has none. */
static bool has_marks(struct pt_conform *c)
{
	return c->subject->ops->set_dirty(&c->pt, 0) != -EOPNOTSUPP;
}

bool pt_check_dirty(struct pt_conform *c)
{
	u8 lg2;

	if (!c->subject->ops->set_dirty || !c->subject->ops->read_and_clear_dirty)
		return pt_absent(c, "read_and_clear_dirty, or no set_dirty");
	if (!pt_start(c, true))
		return false;
	if (!has_marks(c))
		return pt_absent(c, "marks of what was written (-EOPNOTSUPP)");
	for (u32 i = 0; (lg2 = pt_size_lg2(c, i)); i++) {
		u64 size = 1ULL << lg2;

		if (!pt_memory(c, lg2) || 4 * size - 1 > c->last)
			continue;
		if (!pt_map(c, size, pt_memory(c, lg2), size, PT_RW) || !marks_of(c, size, lg2) ||
		    !pt_unmap(c, size, size))
			return false;
	}
	return true;
}

/* ---- Cut and collapse ------------------------------------------------- */

/*
 * What was gathered goes, addresses lead where they led, before and after, and another call begins.
 * `levels` are those of the leaves that were there, as far as they are known.
 */
static bool settled(struct pt_conform *c, const char *what, u8 lg2, u8 levels)
{
	u64 size = 1ULL << lg2;
	const struct pt_change change = { size, 2 * size - 1, levels };

	if (c->gather.freelist && !c->gather.table_levels)
		return pt_wrong(c, "%s at 0x%llx lets tables go, and names no table_levels", what,
				size);
	if (!pt_gathered(c, what, &change) || !pt_compare(c, size, 2 * size - 1))
		return false;
	pt_world_release(c->world, c->gather.freelist);
	iommu_iotlb_gather_init(&c->gather);
	pt_world_call(c->world);
	return pt_compare(c, size, 2 * size - 1);
}

/* The second page of a leaf of 2^lg2 bytes at 2^lg2 begins one. *can: it may be cut. */
static bool cut(struct pt_conform *c, u8 lg2, bool *can)
{
	u64 size = 1ULL << lg2, at = size + pt_page(c);
	int err;

	iommu_iotlb_gather_init(&c->gather);
	pt_world_call(c->world);
	err = c->subject->ops->cut(&c->pt, at, &c->gather);
	*can = err != -EOPNOTSUPP;
	if (!*can)
		return true;
	return err ? pt_wrong(c, "cut at 0x%llx gives %s", at, pt_error(err).text)
		   : settled(c, "cut", lg2, pt_level_bit(c, lg2));
}

static bool collapse(struct pt_conform *c, u8 lg2)
{
	u64 size = 1ULL << lg2, fewer = 0;
	int err = c->subject->ops->collapse(&c->pt, size, size, &c->gather, &fewer);

	if (err || !fewer)
		return pt_wrong(c, "collapse of what was cut gives %s, %llu leaves less",
				pt_error(err).text, fewer);
	return settled(c, "collapse", lg2, 0);
}

/* False: wrong, or *can says that it cannot be cut. */
static bool cut_one(struct pt_conform *c, u8 lg2, bool *can)
{
	u64 size = 1ULL << lg2, page = pt_page(c), done;

	if (!pt_map(c, size, pt_memory(c, lg2), size, PT_RW))
		return false;
	c->leaves_vary = true;
	if (!cut(c, lg2, can))
		return false;
	if (!*can)
		return true;
	if (c->subject->ops->collapse && (!collapse(c, lg2) || !cut(c, lg2, can)))
		return false;
	/* What begins at the cut can go alone. */
	done = c->subject->ops->unmap(&c->pt, size + page, size - page, &c->gather);
	if (done != size - page)
		return pt_wrong(c, "unmap from a cut at 0x%llx removes 0x%llx, expected 0x%llx",
				size + page, done, size - page);
	/* The page before the cut is there, and nothing else, for hardware either. */
	c->model->leaf[0].lg2 = c->granule_lg2;
	return pt_compare(c, size, 2 * size - 1);
}

bool pt_check_reshape(struct pt_conform *c)
{
	bool can = true;
	u8 lg2;

	if (!c->subject->ops->cut)
		return pt_absent(c, "cut");
	for (u32 i = 1; can; i++) {
		if (!pt_start(c, true))
			return false;
		lg2 = pt_size_lg2(c, i);
		if (!lg2)
			break;
		if (pt_memory(c, lg2) && 4ULL << lg2 <= c->last && !cut_one(c, lg2, &can))
			return false;
		/* The model cannot follow: a new table. */
		if (c->made)
			pt_world_release(c->world, c->gather.freelist);
		c->gather.freelist = NULL;
	}
	return can || pt_absent(c, "cut (-EOPNOTSUPP)");
}
