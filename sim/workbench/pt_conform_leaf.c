/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a range: leaves, refusals, and where an unmap stops.
 */
#include <errno.h>

#include "workbench/pt_conform.h"

bool pt_check_empty(struct pt_conform *c)
{
	u64 page, last;

	if (!pt_start(c, true))
		return false;
	page = pt_page(c);
	last = c->last;
	return pt_compare(c, 0, last) && pt_unmap(c, 0, page) &&
	       pt_unmap(c, last & ~(page - 1), page) && pt_compare(c, 0, last);
}

/* One leaf comes and goes, at the beginning, somewhere, and at the end of the addresses. */
static bool one_leaf(struct pt_conform *c, u64 iova, u8 lg2)
{
	u64 size = 1ULL << lg2;

	return pt_map(c, iova, pt_memory(c, lg2), size, PT_RW) && pt_unmap(c, iova, size);
}

bool pt_check_sizes(struct pt_conform *c)
{
	u8 lg2;

	if (!pt_start(c, true))
		return false;
	for (u32 i = 0; (lg2 = pt_size_lg2(c, i)); i++) {
		u64 size = 1ULL << lg2;

		if (pt_memory(c, lg2) && (!one_leaf(c, 0, lg2) || !one_leaf(c, size, lg2) ||
					  !one_leaf(c, (c->last / 3) & ~(size - 1), lg2) ||
					  !one_leaf(c, c->last & ~(size - 1), lg2)))
			return false;
	}
	return true;
}

bool pt_check_rights(struct pt_conform *c)
{
	static const u32 rights[] = { IOMMU_READ, IOMMU_WRITE, PT_RW };
	u8 lg2;

	if (!pt_start(c, true))
		return false;
	for (u32 i = 0; (lg2 = pt_size_lg2(c, i)); i++) {
		u64 size = 1ULL << lg2;

		for (u32 j = 0; j < 3 && pt_memory(c, lg2); j++) {
			if (!pt_map(c, size, pt_memory(c, lg2), size, rights[j]) ||
			    !pt_unmap(c, size, size))
				return false;
		}
	}
	return true;
}

/* From just below the end of a larger leaf to just beyond another: all sizes on the way. */
bool pt_check_choice(struct pt_conform *c)
{
	u64 page;
	u8 lg2;

	if (!pt_start(c, true))
		return false;
	page = pt_page(c);
	for (u32 i = 1; (lg2 = pt_size_lg2(c, i)); i++) {
		u64 size = 1ULL << lg2;
		phys_addr_t phys = pt_memory(c, lg2);

		/* In 64 larger pieces the model has room for all that is smaller. */
		if (lg2 - c->granule_lg2 > 30 || !phys || 3 * size > c->last)
			continue;
		if (!pt_map(c, size - page, phys - page, size + 2 * page, PT_RW) ||
		    !pt_unmap(c, size - page, size + 2 * page))
			return false;
		/* Aligned in one of the two alone: small leaves, as far as that goes. */
		if (lg2 - c->granule_lg2 <= 10 &&
		    (!pt_map(c, size, phys + page, size, PT_RW) || !pt_unmap(c, size, size)))
			return false;
	}
	return true;
}

/* ---- Refusals --------------------------------------------------------- */

static bool no_leaf(void *cookie, const struct pgtable_leaf *leaf)
{
	(void)cookie;
	(void)leaf;
	return true;
}

static void no_mark(void *cookie, u64 iova, u64 bytes)
{
	(void)cookie;
	(void)iova;
	(void)bytes;
}

/* A range that a table may have, or not, for each function that takes one. */
static bool range_refused(struct pt_conform *c, u64 iova, u64 bytes, int expected)
{
	const struct pgtable_ops *ops = c->subject->ops;
	struct pgtable *pt = &c->pt;
	u64 done = 0;
	const struct {
		const char *name;
		int err;
	} calls[] = {
		{ "iterate",
		  ops->iterate ? ops->iterate(pt, iova, bytes, no_leaf, NULL) : expected },
		{ "protect", ops->protect ? ops->protect(pt, iova, bytes, PT_RW, &c->gather, &done)
					  : expected },
		{ "read_and_clear_dirty",
		  ops->read_and_clear_dirty ? ops->read_and_clear_dirty(pt, iova, bytes, true,
									no_mark, NULL, &c->gather)
					    : expected },
		{ "collapse",
		  ops->collapse ? ops->collapse(pt, iova, bytes, &c->gather, &done) : expected },
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		int err = calls[i].err;
		bool may_be_missing = i >= 2;

		/* What a format does not have it may say first. */
		if (err != expected && !(may_be_missing && err == -EOPNOTSUPP))
			return pt_wrong(c, "%s of 0x%llx, 0x%llx bytes, gives %s, expected %s",
					calls[i].name, iova, bytes, pt_error(err).text,
					pt_error(expected).text);
	}
	return !done || pt_wrong(c, "a range at 0x%llx is refused, and changes", iova);
}

static bool no_rights_refused(struct pt_conform *c, u64 iova)
{
	u64 changed = 0;
	int err;

	if (!c->subject->ops->protect)
		return true;
	err = c->subject->ops->protect(&c->pt, iova, pt_page(c), 0, &c->gather, &changed);
	return err == -EINVAL ||
	       pt_wrong(c, "protect without rights gives %s, expected -EINVAL", pt_error(err).text);
}

bool pt_check_refuses(struct pt_conform *c)
{
	u64 page, beyond;
	phys_addr_t phys;

	if (!pt_start(c, true))
		return false;
	page = pt_page(c);
	phys = pt_memory(c, c->granule_lg2);
	if (!pt_map_refuse(c, page, phys, 0, PT_RW, -EINVAL) ||
	    !pt_map_refuse(c, page, phys, page, 0, -EINVAL) ||
	    !pt_map_refuse(c, page, phys, page, IOMMU_CACHE, -EINVAL) ||
	    !pt_map_refuse(c, page + page / 2, phys, page, PT_RW, -ENXIO) ||
	    !pt_map_refuse(c, page, phys + page / 2, page, PT_RW, -ENXIO) ||
	    !pt_map_refuse(c, -page, phys, 2 * page, PT_RW, -EOVERFLOW))
		return false;
	if (c->pt.pa_bits < 64 &&
	    !pt_map_refuse(c, page, 1ULL << c->pt.pa_bits, page, PT_RW, -ERANGE))
		return false;
	beyond = c->last + 1;
	if (!range_refused(c, page, 0, -EINVAL) || !range_refused(c, -page, 2 * page, -EOVERFLOW) ||
	    (beyond && !range_refused(c, beyond, page, -ERANGE)) || !no_rights_refused(c, page))
		return false;
	if (beyond && (!pt_map_refuse(c, beyond, phys, page, PT_RW, -ERANGE) ||
		       !pt_map_refuse(c, beyond - page, phys, 2 * page, PT_RW, -ERANGE)))
		return false;
	return pt_compare(c, 0, c->last);
}

bool pt_check_in_use(struct pt_conform *c)
{
	phys_addr_t phys;
	u64 page;
	u8 lg2;

	if (!pt_start(c, true))
		return false;
	page = pt_page(c);
	phys = pt_memory(c, c->granule_lg2 + 8);
	/* The middle one is there already: what comes before it is mapped, and counted. */
	if (!pt_map(c, 5 * page, phys, page, IOMMU_READ) ||
	    !pt_map(c, 5 * page, phys + page, page, PT_RW) ||
	    !pt_map(c, 3 * page, phys + 8 * page, 5 * page, PT_RW) || !pt_unmap(c, 3 * page, page))
		return false;
	for (u32 i = 1; (lg2 = pt_size_lg2(c, i)); i++) {
		u64 size = 1ULL << lg2;

		if (!pt_memory(c, lg2) || 4 * size - 1 > c->last)
			continue;
		/* A large leaf over a small one, a small one in a large one. */
		if (!pt_map(c, 2 * size + page, phys, page, PT_RW) ||
		    !pt_map(c, 2 * size, pt_memory(c, lg2), size, PT_RW) ||
		    !pt_unmap(c, 2 * size + page, page) ||
		    !pt_map(c, 3 * size - page, phys, page, PT_RW) ||
		    !pt_map(c, 2 * size, pt_memory(c, lg2), size, PT_RW) ||
		    !pt_unmap(c, 3 * size - page, page) ||
		    !pt_map(c, 2 * size, pt_memory(c, lg2), size, PT_RW) ||
		    !pt_map(c, 2 * size + page, phys, page, PT_RW) || !pt_unmap(c, 2 * size, size))
			return false;
	}
	return true;
}

bool pt_check_hole(struct pt_conform *c)
{
	phys_addr_t phys;
	u64 page;

	if (!pt_start(c, true))
		return false;
	page = pt_page(c);
	phys = pt_memory(c, c->granule_lg2 + 8);
	return pt_map(c, page, phys, 3 * page, PT_RW) &&
	       pt_map(c, 5 * page, phys + 4 * page, 3 * page, PT_RW) &&
	       /* up to the hole; from the hole; over it */
	       pt_unmap(c, page, 7 * page) && pt_unmap(c, 4 * page, 4 * page) &&
	       pt_unmap(c, 5 * page, page) && pt_unmap(c, page, page << 12) &&
	       pt_unmap(c, 6 * page, 2 * page);
}

/* An address that differs in one bit is another one, even if the table does not reach it yet. */
static bool is_absent(struct pt_conform *c, u64 iova)
{
	phys_addr_t phys;

	if (iova <= c->last)
		return pt_unmap(c, iova, pt_page(c));
	phys = c->subject->ops->iova_to_phys(&c->pt, iova);
	if (phys)
		return pt_wrong(c, "iova_to_phys finds 0x%llx at 0x%llx, expected 0x0", phys, iova);
	return !c->subject->ops->unmap(&c->pt, iova, pt_page(c), &c->gather) ||
	       pt_wrong(c, "unmap of 0x%llx, which the table cannot reach, removes something",
			iova);
}

/*
 * The other half of addresses that repeat their highest bit: a page comes and goes there, and the
 * one that looks like it in the first half stays. Beyond the model: the calls are looked at here.
 */
static bool other_half(struct pt_conform *c, u64 at)
{
	const struct pgtable_ops *ops = c->subject->ops;
	u64 upper = at | ~c->last, page = pt_page(c), done;
	phys_addr_t phys = 2 * pt_memory(c, c->granule_lg2), below, above;
	int err;

	if (!is_absent(c, upper))
		return false;
	if (!pt_sign_extends(c) || c->pt.features & PGTABLE_LOWER_HALF)
		return true;
	pt_world_call(c->world);
	iommu_iotlb_gather_init(&c->gather);
	err = ops->map(&c->pt, upper, phys, page, PT_RW, &c->gather, &c->mapped);
	below = ops->iova_to_phys(&c->pt, at);
	above = ops->iova_to_phys(&c->pt, upper);
	if (err || above != phys || below == phys)
		return pt_wrong(c,
				"map of 0x%llx to 0x%llx gives %s; then iova_to_phys finds 0x%llx, "
				"and 0x%llx at 0x%llx",
				upper, phys, pt_error(err).text, above, below, at);
	done = ops->unmap(&c->pt, upper, page, &c->gather);
	pt_world_release(c->world, c->gather.freelist);
	iommu_iotlb_gather_init(&c->gather);
	return (done == page && !ops->iova_to_phys(&c->pt, upper)) ||
	       pt_wrong(c, "unmap of 0x%llx removes 0x%llx, expected 0x%llx", upper, done, page);
}

bool pt_check_elsewhere(struct pt_conform *c)
{
	u64 at;

	if (!pt_start(c, true))
		return false;
	at = 5 * pt_page(c);
	if (!pt_map(c, at, pt_memory(c, c->granule_lg2), pt_page(c), PT_RW))
		return false;
	for (u8 bit = c->granule_lg2; bit < 64; bit++) {
		if (!is_absent(c, at ^ 1ULL << bit))
			return false;
	}
	return (!(c->last + 1) || other_half(c, at)) && pt_unmap(c, at, pt_page(c));
}

bool pt_check_inside(struct pt_conform *c)
{
	u64 page;
	u8 lg2;

	if (!pt_start(c, true))
		return false;
	page = pt_page(c);
	for (u32 i = 1; (lg2 = pt_size_lg2(c, i)); i++) {
		u64 size = 1ULL << lg2;

		if (!pt_memory(c, lg2) || 4 * size - 1 > c->last)
			continue;
		if (!pt_map(c, size, pt_memory(c, lg2), size, PT_RW) ||
		    /* From its middle: nothing. Up to its middle: all of it, and that is said. */
		    !pt_unmap(c, size + size / 2, page) || !pt_unmap(c, size + size / 2, size) ||
		    !pt_unmap(c, size, page))
			return false;
	}
	return true;
}
