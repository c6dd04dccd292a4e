/* SPDX-License-Identifier: MIT */
/*
 * What a table refuses, without a trace: ranges without bytes, that are not aligned, that wrap or
 * lie beyond it. And single pages outside the window, which make a table grow.
 */
#include "pgtable.h"

struct odd {
	u64 iova, bytes;
	phys_addr_t phys;
	u32 prot;
};

/* True if an address is none of the table's. */
static bool is_beyond(const struct pgtable_fuzz *fuzz, u64 iova)
{
	u8 width = format_width(fuzz->fixture);

	if (width >= 64 || !(iova >> width))
		return false;
	return !fuzz->format.signed_iova || fuzz->fixture->config.features & PGTABLE_LOWER_HALF ||
	       ~iova >> width;
}

/* What every call but map says of a range; 0: nothing is wrong with it. */
static int range_error(const struct pgtable_fuzz *fuzz, const struct odd *odd)
{
	u64 last = odd->iova + (odd->bytes - 1);

	if (!odd->bytes)
		return -EINVAL;
	if (last < odd->iova)
		return -EOVERFLOW;
	if (is_beyond(fuzz, odd->iova) || is_beyond(fuzz, last) ||
	    (fuzz->format.signed_iova && (odd->iova ^ last) >> 63))
		return -ERANGE;
	return 0;
}

/* Of several mistakes the one that Linux's table tells. */
static int map_error(const struct pgtable_fuzz *fuzz, const struct odd *odd)
{
	u64 last = odd->phys + (odd->bytes - 1);

	if (!(odd->prot & (IOMMU_READ | IOMMU_WRITE)))
		return -EINVAL;
	if (odd->phys >> fuzz->pt->pa_bits)
		return -ERANGE;
	if (!odd->bytes ||
	    (fuzz->fixture->config.features & PGTABLE_FORCE_WRITE && !(odd->prot & IOMMU_WRITE)))
		return -EINVAL;
	if (odd->iova + (odd->bytes - 1) < odd->iova)
		return -EOVERFLOW;
	if ((odd->iova | odd->phys | odd->bytes) & (pgtable_granule(fuzz) - 1))
		return -ENXIO;
	if (last >> fuzz->pt->pa_bits || last < odd->phys)
		return -ERANGE;
	return range_error(fuzz, odd);
}

static bool ignore_leaf(void *cookie, const struct pgtable_leaf *leaf)
{
	(void)leaf;
	++*(u64 *)cookie;
	return true;
}

static void ignore_mark(void *cookie, u64 iova, u64 bytes)
{
	(void)iova;
	(void)bytes;
	++*(u64 *)cookie;
}

static void expect(struct pgtable_fuzz *fuzz, const char *call, const struct odd *odd, int err,
		   int expected)
{
	fuzz_check(fuzz->run, err == expected,
		   "step %u: %s of %llx to %llx, %llu bytes, %x gives %d, not %d", fuzz->step, call,
		   odd->iova, odd->phys, odd->bytes, odd->prot, err, expected);
	fuzz_feature(fuzz->run, PGTABLE_FEATURE_ODD, (u64)-expected, (u64)call[0]);
}

/* Refused by all calls, with nothing done. */
static void refuse(struct pgtable_fuzz *fuzz, const struct odd *odd, int err)
{
	const struct pgtable_ops *ops = fuzz->ops;
	struct iommu_iotlb_gather *gather = &fuzz->fixture->gather;
	struct pgtable *pt = fuzz->pt;
	u64 done = 0;
	u64 unmapped = ops->unmap(pt, odd->iova, odd->bytes, gather);

	expect(fuzz, "iteration", odd, ops->iterate(pt, odd->iova, odd->bytes, ignore_leaf, &done),
	       err);
	expect(fuzz, "marks", odd,
	       ops->read_and_clear_dirty(pt, odd->iova, odd->bytes, true, ignore_mark, &done,
					 gather),
	       pgtable_has_marks(fuzz) ? err : -EOPNOTSUPP);
	expect(fuzz, "rights", odd,
	       ops->protect(pt, odd->iova, odd->bytes, IOMMU_WRITE, gather, &done), err);
	expect(fuzz, "collapse", odd, ops->collapse(pt, odd->iova, odd->bytes, gather, &done), err);
	if (is_beyond(fuzz, odd->iova)) {
		u64 found = ops->iova_to_phys(pt, odd->iova);

		expect(fuzz, "cut", odd, ops->cut(pt, odd->iova, gather), -ERANGE);
		fuzz_check(fuzz->run, !found, "step %u: %llx leads to %llx", fuzz->step, odd->iova,
			   found);
	}
	fuzz_check(fuzz->run, !done && !unmapped && iommu_iotlb_gather_empty(gather),
		   "step %u: a range that is refused changes something: %llu, %llu", fuzz->step,
		   done, unmapped);
}

/* Nothing changes where a map is refused; but a table may have grown before. */
static void map_odd(struct pgtable_fuzz *fuzz, const struct odd *odd, int expected)
{
	u64 mapped = 0;

	fuzz->nth = 0;
	expect(fuzz, "a map", odd,
	       pgtable_map(fuzz, odd->iova, odd->phys, odd->bytes, odd->prot, &mapped), expected);
	fuzz_check(fuzz->run, !mapped, "step %u: of a refused map %llu bytes are there", fuzz->step,
		   mapped);
	pgtable_grown(fuzz);
}

/* ---- Outside the window ---------------------------------------------------------------------- */

/* `made` tables came on the way to a page: those that the window shares the model has, too. */
static void share_tables(struct pgtable_fuzz *fuzz, u64 iova, u64 made)
{
	struct model *model = &fuzz->model;

	for (u8 level = model->levels - 1; made && level-- > 0;) {
		u8 lg2 = (u8)(model->granule_lg2 + model->index_lg2 * (level + 1));
		bool *table = &model->table[level][0];

		if (lg2 < 64 && iova >> lg2 != model->base >> lg2)
			break;
		/* More than one has the window: the page lies in none of them. */
		if (lg2 < 64 && model->bytes >> lg2 > 1)
			break;
		made -= !*table;
		*table = true;
	}
	fuzz->extra += made;
}

static void map_far(struct pgtable_fuzz *fuzz, const struct odd *odd)
{
	u64 mapped = 0, tables, made;
	int err = pgtable_map(fuzz, odd->iova, odd->phys, odd->bytes, odd->prot, &mapped);
	struct seen seen;

	pgtable_grown(fuzz);
	made = format_tables(fuzz->fixture) - fuzz->extra - model_tables(&fuzz->model);
	fuzz_check(fuzz->run, made < fuzz->pt->levels, "step %u: %llu tables for a page at %llx",
		   fuzz->step, made, odd->iova);
	share_tables(fuzz, odd->iova, made);
	expect(fuzz, "a page", odd, err, fuzz->failed ? -ENOMEM : 0);
	seen = pgtable_walk(fuzz, odd->iova);
	fuzz_check(fuzz->run, err ? !seen.write && !mapped : seen.write && seen.phys == odd->phys,
		   "step %u: hardware finds %llx at %llx, not %llx", fuzz->step, seen.phys,
		   odd->iova, odd->phys);
	fuzz->nth = 0;
	tables = fuzz->ops->unmap(fuzz->pt, odd->iova, odd->bytes, &fuzz->fixture->gather);
	fuzz_check(fuzz->run, tables == mapped, "step %u: an unmap of %llx returns %llu",
		   fuzz->step, odd->iova, tables);
	seen = pgtable_walk(fuzz, odd->iova);
	fuzz_check(fuzz->run, !seen.write && !seen.read, "step %u: %llx is still mapped",
		   fuzz->step, odd->iova);
}

/* ---- Choosing -------------------------------------------------------------------------------- */

/* 3 bytes. */
static struct odd take_odd(struct pgtable_fuzz *fuzz, struct bytes *bytes)
{
	u8 what = take8(bytes), where = take8(bytes), more = take8(bytes);
	u64 granule = pgtable_granule(fuzz);
	struct odd odd = { .iova = fuzz->model.base,
			   .bytes = granule,
			   .phys = 1ULL << 36,
			   .prot = IOMMU_READ | IOMMU_WRITE };
	u8 width = format_width(fuzz->fixture);

	/* A power of two and some pages from a start, or from an end: the table's, or of all. */
	odd.iova = (1ULL << (where & 63)) & ~(granule - 1);
	if (where & 64)
		odd.iova = (width < 64 ? 1ULL << width : 0) - odd.iova;
	if (where & 128)
		odd.iova = -odd.iova;
	odd.iova += (u64)(more & 3) * granule;
	if (what & 1)
		odd.iova += (more >> 2 & 7) * (granule / 8);
	if (what & 2)
		odd.phys += granule / 2;
	if (what & 4)
		odd.phys = (1ULL << fuzz->pt->pa_bits) - (more >> 5) * granule;
	if (what & 8)
		odd.bytes = what & 16 ? ~0ULL >> (more & 63) : 0;
	if (what & 32)
		odd.prot = what & 64 ? 0 : IOMMU_CACHE;
	return odd;
}

void pgtable_odd(struct pgtable_fuzz *fuzz, struct bytes *bytes)
{
	struct odd odd = take_odd(fuzz, bytes);
	int of_range = range_error(fuzz, &odd), of_map = map_error(fuzz, &odd);
	const struct model *model = &fuzz->model;
	bool outside = odd.bytes == pgtable_granule(fuzz) && odd.iova - model->base >= model->bytes;

	if (of_range)
		refuse(fuzz, &odd, of_range);
	if (of_map)
		map_odd(fuzz, &odd, of_map);
	else if (outside)
		map_far(fuzz, &odd);
	pgtable_compare(fuzz, model->base, 1);
}
