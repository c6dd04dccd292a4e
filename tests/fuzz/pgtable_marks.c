/* SPDX-License-Identifier: MIT */
/*
 * Which pages hardware has marked as written. A mark is a leaf's: after a map, and where pieces of
 * leaves meet, it is not known until it is read.
 */
#include <dmasim/pgtable/format.h>

#include "pgtable.h"

static u8 *mark_of(const struct pgtable_fuzz *fuzz, u64 iova)
{
	return &fuzz->mark[(iova - fuzz->model.base) >> fuzz->model.granule_lg2];
}

static bool is_arm(const struct pgtable_fuzz *fuzz)
{
	return !strncmp(fuzz->ops->name, "armv8", 5);
}

bool pgtable_has_marks(const struct pgtable_fuzz *fuzz)
{
	return fuzz->ops->format->is_dirty;
}

/* One that the format can keep: Arm's says that a write was refused before. */
static bool can_be_marked(const struct pgtable_fuzz *fuzz, const struct model_page *page)
{
	return !is_arm(fuzz) ||
	       (fuzz->fixture->config.features & PGTABLE_HW_DIRTY && page->prot & IOMMU_WRITE);
}

/* Of the leaves that lie in the range, in part at least; or of empty pages in it. */
void pgtable_set_marks(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes, enum pgtable_mark mark)
{
	u64 granule = pgtable_granule(fuzz), end = iova + bytes;
	u64 at = iova & ~(granule - 1);

	while (at < end) {
		const struct model_page *page = model_page(&fuzz->model, at);
		u64 start = page->leaf_lg2 ? model_leaf_start(&fuzz->model, at) : at;
		u64 size = page->leaf_lg2 ? 1ULL << page->leaf_lg2 : granule;

		memset(mark_of(fuzz, start), mark, size / granule);
		at = start + size;
	}
}

/* All of a cut leaf's pieces have its mark; a larger leaf has that of any of its pieces. */
void pgtable_reshape_marks(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes)
{
	u64 granule = pgtable_granule(fuzz), end = iova + bytes;
	u64 at = iova;

	while (at < end) {
		const struct model_page *page = model_page(&fuzz->model, at);
		u64 start = page->leaf_lg2 ? model_leaf_start(&fuzz->model, at) : at;
		u64 size = page->leaf_lg2 ? 1ULL << page->leaf_lg2 : granule;
		u8 seen = 0;

		for (u64 offset = 0; offset < size; offset += granule)
			seen |= (u8)(1U << *mark_of(fuzz, start + offset));
		pgtable_set_marks(fuzz, start, 1,
				  seen & 1U << MARK_DIRTY    ? MARK_DIRTY
				  : seen == 1U << MARK_CLEAN ? MARK_CLEAN
							     : MARK_UNKNOWN);
		at = start + size;
	}
}

void pgtable_step_mark(struct pgtable_fuzz *fuzz, u64 iova)
{
	const struct model_page *page = model_page(&fuzz->model, iova);
	int expected = page->leaf_lg2 ? 0 : -ENOENT;
	int err = fuzz->ops->set_dirty(fuzz->pt, iova);

	if (!pgtable_has_marks(fuzz))
		expected = -EOPNOTSUPP;
	fuzz_check(fuzz->run, err == expected, "step %u: a mark at %llx gives %d, not %d",
		   fuzz->step, iova, err, expected);
	if (!err && can_be_marked(fuzz, page))
		pgtable_set_marks(fuzz, iova, 1, MARK_DIRTY);
}

/* ---- Reading --------------------------------------------------------------------------------- */

struct reading {
	struct pgtable_fuzz *fuzz;
	u64 next, end;
	bool clear;
	u64 first, last; /* of the leaves whose marks went; first > last: none */
};

/* [from, to) was not told. */
static void expect_clean(struct reading *reading, u64 from, u64 to)
{
	struct pgtable_fuzz *fuzz = reading->fuzz;
	u64 granule = pgtable_granule(fuzz);

	for (u64 at = from; at < to; at = (at & ~(granule - 1)) + granule) {
		if (!model_page(&fuzz->model, at)->leaf_lg2)
			continue;
		fuzz_check(fuzz->run, *mark_of(fuzz, at) != MARK_DIRTY,
			   "step %u: %llx was written, which is not told", fuzz->step, at);
	}
}

static void hear(void *cookie, u64 iova, u64 bytes)
{
	struct reading *reading = cookie;
	struct pgtable_fuzz *fuzz = reading->fuzz;
	bool inside = iova >= reading->next && bytes && bytes <= reading->end - iova;
	const struct model_page *page;
	u64 start;

	fuzz_check(fuzz->run, inside, "step %u: %llx, %llu bytes, is told, which was not asked for",
		   fuzz->step, iova, bytes);
	if (!inside)
		return;
	page = model_page(&fuzz->model, iova);
	start = model_leaf_start(&fuzz->model, iova);
	expect_clean(reading, reading->next, iova);
	fuzz_check(fuzz->run,
		   page->leaf_lg2 && *mark_of(fuzz, iova) != MARK_CLEAN &&
			   iova - start + bytes <= 1ULL << page->leaf_lg2,
		   "step %u: %llx, %llu bytes, is told, which was not written", fuzz->step, iova,
		   bytes);
	reading->next = iova + bytes;
	if (start < reading->first)
		reading->first = start;
	reading->last = start + ((1ULL << page->leaf_lg2) - 1);
}

static void compare_cleared(const struct reading *reading)
{
	const struct pgtable_fuzz *fuzz = reading->fuzz;
	const struct iommu_iotlb_gather *gather = &fuzz->fixture->gather;
	bool none = reading->first > reading->last || !reading->clear;
	bool right = none ? iommu_iotlb_gather_empty(gather)
			  : gather->start == reading->first && gather->last == reading->last;

	fuzz_check(fuzz->run, right && !gather->freelist,
		   "step %u: marks went of %llx to %llx, to be invalidated is %llx to %llx",
		   fuzz->step, reading->first, reading->last, gather->start, gather->last);
}

/* What was told is known from here on; what was not is clean. */
static void learn(void *cookie, u64 iova, u64 bytes)
{
	pgtable_set_marks(cookie, iova, bytes, MARK_DIRTY);
}

void pgtable_step_read_marks(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes, bool clear)
{
	struct reading reading = { fuzz, iova, iova + bytes, clear, ~0ULL, 0 };
	struct iommu_iotlb_gather *gather = &fuzz->fixture->gather;
	int expected = pgtable_has_marks(fuzz) ? 0 : -EOPNOTSUPP;
	int err = fuzz->ops->read_and_clear_dirty(fuzz->pt, iova, bytes, clear, hear, &reading,
						  gather);

	fuzz_check(fuzz->run, err == expected, "step %u: reading marks of %llx gives %d, not %d",
		   fuzz->step, iova, err, expected);
	if (err)
		return;
	expect_clean(&reading, reading.next, reading.end);
	fuzz_feature(fuzz->run, PGTABLE_FEATURE_MARKS, clear, gather->leaf_levels);
	compare_cleared(&reading);
	pgtable_set_marks(fuzz, iova, bytes, MARK_CLEAN);
	if (!clear)
		fuzz->ops->read_and_clear_dirty(fuzz->pt, iova, bytes, false, learn, fuzz, gather);
}
