/* SPDX-License-Identifier: MIT */
#include "pgtable.h"

#include <stdlib.h>

#include <dmasim/pgtable/format.h>

#include "unit/os/table_compare.h"

u64 pgtable_granule(const struct pgtable_fuzz *fuzz)
{
	return 1ULL << fuzz->model.granule_lg2;
}

u64 pgtable_large(const struct pgtable_fuzz *fuzz)
{
	return 1ULL << (fuzz->model.granule_lg2 + fuzz->model.index_lg2);
}

/* Only to know which of them are the same for the format: what they allow, the judge says. */
u32 pgtable_shown(const struct pgtable_fuzz *fuzz, u32 prot)
{
	const struct pt_format *format = fuzz->ops->format;
	u64 leaf = format->leaf(fuzz->pt, 0, prot, format->granule_lg2);
	u32 rights = format_shows(fuzz->fixture, prot) & (IOMMU_READ | IOMMU_WRITE);

	return (format->prot(fuzz->pt, leaf) & ~(u32)(IOMMU_READ | IOMMU_WRITE)) | rights;
}

/* ---- Translations ---------------------------------------------------------------------------- */

/* A table that grows is not asked for what lies above it: hardware would call that malformed. */
struct seen pgtable_walk(const struct pgtable_fuzz *fuzz, u64 iova)
{
	u8 lg2 = (u8)(fuzz->format.granule_lg2 + fuzz->format.index_lg2 * fuzz->pt->levels);

	if (fuzz->ops->format->grow && lg2 < 64 && iova >> lg2)
		return (struct seen){ 0 };
	return fuzz->format.walk(fuzz->fixture, iova);
}

static void compare_address(struct pgtable_fuzz *fuzz, u64 iova)
{
	const struct model_page *page = model_page(&fuzz->model, iova);
	u64 offset = iova & (pgtable_granule(fuzz) - 1);
	phys_addr_t phys = page->leaf_lg2 ? page->phys + offset : 0;
	u32 shows = page->leaf_lg2 ? format_shows(fuzz->fixture, page->prot) : 0;
	phys_addr_t found = fuzz->ops->iova_to_phys(fuzz->pt, iova);
	struct seen seen = pgtable_walk(fuzz, iova);

	fuzz_check(fuzz->run, found == phys, "step %u: lookup of %llx: %llx, not %llx", fuzz->step,
		   iova, found, phys);
	fuzz_check(fuzz->run,
		   seen.read == !!(shows & IOMMU_READ) && seen.write == !!(shows & IOMMU_WRITE) &&
			   (!shows || (seen.phys == phys && seen.page_lg2 == page->leaf_lg2)),
		   "step %u: hardware finds %llx%s%s, %u for %llx, not %llx, %x, %u", fuzz->step,
		   seen.phys, seen.read ? " R" : "", seen.write ? " W" : "", seen.page_lg2, iova,
		   phys, shows, page->leaf_lg2);
	/* The walk wrote, and hardware marks that. */
	if (seen.write && fuzz->fixture->config.features & PGTABLE_HW_DIRTY)
		pgtable_set_marks(fuzz, iova, 1, MARK_DIRTY);
	fuzz_feature(fuzz->run, PGTABLE_FEATURE_LEAF, page->leaf_lg2, shows);
}

void pgtable_compare(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes)
{
	const struct model *model = &fuzz->model;
	u64 around = 2 * pgtable_large(fuzz);
	u64 end = model->base + model->bytes;
	u64 start = iova - model->base < around ? model->base : iova - around;
	struct table_compare compare = { .fixture = fuzz->fixture, .model = model };

	start &= ~(pgtable_granule(fuzz) - 1);
	if (end - iova > bytes && end - iova - bytes > around)
		end = (iova + bytes + around) & ~(pgtable_granule(fuzz) - 1);
	fuzz_check(fuzz->run, table_compare(&compare, start, end), "step %u: %s", fuzz->step,
		   compare.why);
	compare_address(fuzz, iova);
	compare_address(fuzz, end - 1);
	compare_address(fuzz, start + (end - start) / 3);
	if (bytes > 1 && iova + bytes - 1 < end)
		compare_address(fuzz, iova + bytes - 1);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static u64 waiting_tables(const struct pgtable_fuzz *fuzz)
{
	u64 count = 0;

	for (const struct page *page = fuzz->fixture->gather.freelist; page; page = page->next)
		count++;
	return count;
}

void pgtable_compare_tables(struct pgtable_fuzz *fuzz)
{
	u64 tables = format_tables(fuzz->fixture), waiting = waiting_tables(fuzz);
	u64 expected = fuzz->extra + model_tables(&fuzz->model);

	fuzz_check(fuzz->run, tables - waiting == expected,
		   "step %u: %llu tables and %llu that wait, expected %llu", fuzz->step,
		   tables - waiting, waiting, expected);
}

void pgtable_compare_gather(struct pgtable_fuzz *fuzz, u64 iova, const struct model_change *change)
{
	const struct iommu_iotlb_gather *gather = &fuzz->fixture->gather;

	fuzz_check(fuzz->run,
		   gather->table_levels == change->table_levels &&
			   !gather->freelist == !change->table_levels,
		   "step %u: tables of levels %x went, and%s wait, expected %x", fuzz->step,
		   gather->table_levels, gather->freelist ? "" : " none", change->table_levels);
	if (!change->done) {
		fuzz_check(fuzz->run, iommu_iotlb_gather_empty(gather),
			   "step %u: nothing went, and is to be invalidated", fuzz->step);
		return;
	}
	fuzz_check(
		fuzz->run,
		gather->start == iova && gather->last == iova + (change->done - 1) &&
			gather->leaf_levels == change->leaf_levels,
		"step %u: %llx to %llx, levels %x, is to be invalidated, not %llx, %llu bytes, %x",
		fuzz->step, gather->start, gather->last, gather->leaf_levels, iova, change->done,
		change->leaf_levels);
	fuzz_feature(fuzz->run, PGTABLE_FEATURE_GATHER, change->leaf_levels, change->table_levels);
}

/* What was there hangs below the first entry of each new table; it may lead to the window. */
void pgtable_grown(struct pgtable_fuzz *fuzz)
{
	struct model *model = &fuzz->model;

	for (; model->levels < fuzz->pt->levels; model->levels++) {
		u8 level = model->levels - 1, lg2 = model->granule_lg2;
		bool leads;

		lg2 += model->index_lg2 * model->levels;
		leads = !(model->base >> lg2);
		model->table[level] = calloc(1, sizeof(bool));
		if (!model->table[level])
			abort();
		model->table[level][0] = leads;
		fuzz->extra += !leads;
	}
}
