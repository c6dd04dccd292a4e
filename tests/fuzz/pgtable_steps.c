/* SPDX-License-Identifier: MIT */
/*
 * Steps in the window: places, lengths and memory are chosen so that leaves of several sizes meet.
 */
#include "pgtable.h"

enum step {
	STEP_MAP = 0, /* 0 to 4 */
	STEP_UNMAP = 5,
	STEP_UNMAP_LAST,
	STEP_PROTECT,
	STEP_CUT,
	STEP_COLLAPSE,
	STEP_ITERATE,
	STEP_MARK,
	STEP_READ_MARKS,
	STEP_CLEAR_MARKS,
	STEP_ODD,
	STEP_FILL,
};

/* ---- Calls ----------------------------------------------------------------------------------- */

void pgtable_invalidate(struct pgtable_fuzz *fuzz)
{
	format_release(fuzz->fixture);
	iommu_iotlb_gather_init(&fuzz->fixture->gather);
}

/* The n-th table from here on cannot be had. */
static void arm(struct pgtable_fuzz *fuzz)
{
	if (fuzz->nth)
		dmasim_fail(fuzz->fixture->s, DMASIM_FAULT_TABLE_PAGE, fuzz->nth);
}

static void disarm(struct pgtable_fuzz *fuzz)
{
	fuzz->failed = fuzz->nth && dmasim_failures(fuzz->fixture->s);
	if (fuzz->nth)
		dmasim_fail(fuzz->fixture->s, DMASIM_FAULT_TABLE_PAGE, 0);
}

int pgtable_map(struct pgtable_fuzz *fuzz, u64 iova, phys_addr_t phys, u64 bytes, u32 prot,
		u64 *mapped)
{
	int err;

	arm(fuzz);
	err = fuzz->ops->map(fuzz->pt, iova, phys, bytes, prot, &fuzz->fixture->gather, mapped);
	disarm(fuzz);
	if (err == -ENOMEM && fuzz->run->canary == PGTABLE_LOSES_TABLE)
		fuzz->fixture->s->os->tables.costs.tables_allocated += fuzz->pt->levels;
	return err;
}

u64 pgtable_unmap(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes)
{
	struct iommu_iotlb_gather *gather = &fuzz->fixture->gather;
	u64 page = pgtable_granule(fuzz), mapped = 0, last = iova + bytes - page;
	phys_addr_t phys = bytes > page ? fuzz->ops->iova_to_phys(fuzz->pt, last) : 0;
	u64 done = fuzz->ops->unmap(fuzz->pt, iova, bytes, gather);

	if (fuzz->run->canary == PGTABLE_KEEPS_LAST && phys && done == bytes)
		fuzz->ops->map(fuzz->pt, last, phys, page, IOMMU_READ, gather, &mapped);
	if (fuzz->run->canary == PGTABLE_FREES_EARLY)
		format_release(fuzz->fixture);
	return done;
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static u64 clip(const struct pgtable_fuzz *fuzz, u64 iova, u64 bytes)
{
	u64 left = fuzz->model.base + fuzz->model.bytes - iova;

	return bytes < left ? bytes : left;
}

/* 2 bytes: a page of the window. */
static u64 take_place(struct pgtable_fuzz *fuzz, struct bytes *bytes)
{
	u64 value = take(bytes, 2), granule = pgtable_granule(fuzz), large = pgtable_large(fuzz);
	u64 offset = (value & 0xfff) * granule;

	if (value >> 12 >= 14 && fuzz->last_bytes)
		offset = fuzz->last_iova - fuzz->model.base +
			 (value >> 12 == 15 ? offset % fuzz->last_bytes : 0);
	else if (value >> 12 >= 12)
		offset = (value >> 4 & 0xff) * large + (value & 0xf) * granule - 8 * granule;
	else if (value >> 12 >= 7)
		offset = (value & 0xfff) * large;
	return fuzz->model.base + (offset & (fuzz->model.bytes - 1));
}

/* 1 byte: some pages, what some tables map, one leaf of some size, all that is left. */
static u64 take_bytes(struct pgtable_fuzz *fuzz, struct bytes *bytes, u64 iova)
{
	u8 value = take8(bytes);
	u64 length = (1 + (value & 0x3f)) * pgtable_granule(fuzz);

	if (value >> 6 == 1)
		length = (1 + (value & 7)) * pgtable_large(fuzz);
	else if (value >> 6 == 2)
		length = 1ULL << format_size_lg2(
				 fuzz->fixture,
				 (value & 0x3f) % (u32)__builtin_popcountll(fuzz->pt->page_sizes));
	else if (value >> 6 == 3)
		length = (value & 0x30 ? (u64)(value & 0x3f) * 8 : ~0ULL >> 12) *
			 pgtable_granule(fuzz);
	return clip(fuzz, iova, length);
}

/* 1 byte: memory that is aligned as the address is, up to some size; in one of some places. */
static phys_addr_t take_phys(struct pgtable_fuzz *fuzz, struct bytes *bytes, u64 iova)
{
	u8 value = take8(bytes);
	u8 lg2 = (u8)(fuzz->model.granule_lg2 + (value & 7 ? 33 - 4 * (value & 7) : 33));
	u64 same = lg2 < 34 ? (1ULL << lg2) - 1 : (1ULL << 34) - 1;
	phys_addr_t phys = (iova & same) | (1ULL << 36) | (u64)(value >> 6) << 38;

	/* Pages further, so that nothing follows what is next to it. */
	return phys + (value >> 3 & 7) * pgtable_granule(fuzz);
}

/* 1 byte: what is allowed, and how. */
static u32 take_prot(const struct pgtable_fuzz *fuzz, struct bytes *bytes)
{
	static const u32 rights[] = { IOMMU_READ | IOMMU_WRITE, IOMMU_READ, IOMMU_WRITE,
				      IOMMU_READ | IOMMU_WRITE };
	u8 value = take8(bytes);
	u32 more = value & (IOMMU_CACHE | IOMMU_NOEXEC | IOMMU_MMIO | IOMMU_PRIV);

	/* Arm's ranges are walked as a device without privileges. */
	if (strstr(fuzz->ops->name, "armv8"))
		more &= ~IOMMU_PRIV;
	return rights[value & 3] | more;
}

static bool is_refused(const struct pgtable_fuzz *fuzz, u32 prot)
{
	return fuzz->fixture->config.features & PGTABLE_FORCE_WRITE && !(prot & IOMMU_WRITE) &&
	       strstr(fuzz->ops->name, "vtdss");
}

/* ---- Map and unmap --------------------------------------------------------------------------- */

/*
 * Memory went while a leaf's tables were made, from the top down: those that are there, the model
 * must have, too.
 */
static void add_tables_on_path(struct pgtable_fuzz *fuzz, u64 iova)
{
	struct model *model = &fuzz->model;
	u64 there = format_tables(fuzz->fixture);
	u64 before = fuzz->extra + model_tables(model);

	for (const struct page *page = fuzz->fixture->gather.freelist; page; page = page->next)
		there--;
	for (u8 level = model->levels - 1; level-- > 0 && before < there;) {
		u8 lg2 = (u8)(model->granule_lg2 + model->index_lg2 * (level + 1));
		bool *table = &model->table[level][(iova - model->base) >> lg2];

		before += !*table;
		*table = true;
	}
}

/* How a call ended, and two numbers of what it did. */
static void tell(struct pgtable_fuzz *fuzz, int err, u64 some, u64 more)
{
	fuzz_feature(fuzz->run, PGTABLE_FEATURE_RESULT, (u64)-err << 4 | (fuzz->what & 0xf),
		     some << 8 | more);
}

static void map(struct pgtable_fuzz *fuzz, u64 iova, phys_addr_t phys, u64 bytes, u32 prot)
{
	struct model_change change = { .err = -EINVAL };
	u64 mapped = 0;
	int err = pgtable_map(fuzz, iova, phys, bytes, prot, &mapped);

	pgtable_grown(fuzz);
	if (!is_refused(fuzz, prot)) {
		bool stopped = fuzz->failed && err == -ENOMEM && mapped < bytes;

		change = model_map(&fuzz->model, iova, phys, stopped ? mapped : bytes,
				   pgtable_shown(fuzz, prot));
		if (stopped && !change.err) {
			change.err = -ENOMEM;
			add_tables_on_path(fuzz, iova + mapped);
		}
	}
	fuzz_check(fuzz->run, err == change.err && mapped == change.done,
		   "step %u: a map of %llx to %llx, %llu bytes, gives %d after %llu, not %d after "
		   "%llu",
		   fuzz->step, iova, phys, bytes, err, mapped, change.err, change.done);
	fuzz_check(fuzz->run, fuzz->fixture->gather.table_levels == change.table_levels,
		   "step %u: a map unlinks tables of levels %x, not %x", fuzz->step,
		   fuzz->fixture->gather.table_levels, change.table_levels);
	tell(fuzz, err, mapped != 0, change.table_levels);
	pgtable_set_marks(fuzz, iova, change.done, MARK_UNKNOWN);
	fuzz->last_iova = iova;
	fuzz->last_bytes = mapped ? mapped : bytes;
	pgtable_compare(fuzz, iova, bytes);
}

static void step_map(struct pgtable_fuzz *fuzz, struct bytes *bytes)
{
	u64 iova = take_place(fuzz, bytes);
	phys_addr_t phys = take_phys(fuzz, bytes, iova);
	u64 length = take_bytes(fuzz, bytes, iova);

	map(fuzz, iova, phys, length, take_prot(fuzz, bytes));
}

/* Page by page, or piece by piece: what could be one leaf. */
static void step_fill(struct pgtable_fuzz *fuzz, struct bytes *bytes)
{
	u64 large = pgtable_large(fuzz);
	u64 iova = take_place(fuzz, bytes) & ~(large - 1);
	phys_addr_t phys = take_phys(fuzz, bytes, iova);
	u64 piece = clip(fuzz, iova, pgtable_granule(fuzz) << (take8(bytes) & 7));
	u32 prot = take_prot(fuzz, bytes);

	map(fuzz, iova, phys, piece, prot);
	pgtable_compare_tables(fuzz);
	pgtable_invalidate(fuzz);
	if (large > piece && clip(fuzz, iova, large) == large)
		map(fuzz, iova + piece, phys + piece, large - piece, prot);
}

static void step_unmap(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes)
{
	struct model_change change = model_unmap(&fuzz->model, iova, bytes);
	u64 done = pgtable_unmap(fuzz, iova, bytes);

	fuzz_check(fuzz->run, done == change.done,
		   "step %u: an unmap of %llx, %llu bytes, returns %llu, not %llu", fuzz->step,
		   iova, bytes, done, change.done);
	pgtable_compare_gather(fuzz, iova, &change);
	tell(fuzz, 0, change.leaf_levels, (done > bytes) | (done < bytes) << 1);
	pgtable_compare(fuzz, iova, done > bytes ? done : bytes);
}

/* ---- Changes --------------------------------------------------------------------------------- */

static bool can_reshape(const struct pgtable_fuzz *fuzz)
{
	return !strstr(fuzz->ops->name, "armv8") || fuzz->fixture->config.features & PGTABLE_BBML2;
}

static void step_protect(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes, u32 prot)
{
	struct model_change change = { .err = -EINVAL };
	u64 changed = 0;
	int err = fuzz->ops->protect(fuzz->pt, iova, bytes, prot, &fuzz->fixture->gather, &changed);

	if (!is_refused(fuzz, prot))
		change = model_protect(&fuzz->model, iova, bytes, pgtable_shown(fuzz, prot));
	fuzz_check(fuzz->run, err == change.err && changed == change.done,
		   "step %u: rights of %llx, %llu bytes, give %d after %llu, not %d after %llu",
		   fuzz->step, iova, bytes, err, changed, change.err, change.done);
	fuzz_check(fuzz->run, !fuzz->fixture->gather.freelist, "step %u: rights unlink tables",
		   fuzz->step);
	tell(fuzz, err, changed != 0, changed > bytes);
	/* Arm's mark is one of what may be written. */
	if (strstr(fuzz->ops->name, "armv8"))
		pgtable_set_marks(fuzz, iova, changed ? changed : 1, MARK_UNKNOWN);
	pgtable_compare(fuzz, iova, changed > bytes ? changed : bytes);
}

struct told {
	struct pgtable_fuzz *fuzz;
	u64 leaves;
	bool learn; /* sizes of leaves */
};

static bool hear_leaf(void *cookie, const struct pgtable_leaf *leaf)
{
	struct told *told = cookie;
	struct pgtable_fuzz *fuzz = told->fuzz;
	struct model_page *page = model_page(&fuzz->model, leaf->iova);

	told->leaves++;
	fuzz_check(fuzz->run,
		   page->leaf_lg2 && page->phys == leaf->phys && page->prot == leaf->prot &&
			   (leaf->lg2 == page->leaf_lg2 ||
			    (told->learn && leaf->lg2 < page->leaf_lg2)),
		   "step %u: %llx at %llx, %u, %x is told, not %llx, %u, %x", fuzz->step,
		   leaf->phys, leaf->iova, leaf->lg2, leaf->prot, page->phys, page->leaf_lg2,
		   page->prot);
	if (fuzz_failed(fuzz->run))
		return false;
	for (u64 at = 0; told->learn && at < 1ULL << leaf->lg2; at += pgtable_granule(fuzz))
		page[at >> fuzz->model.granule_lg2].leaf_lg2 = leaf->lg2;
	return true;
}

static void step_iterate(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes)
{
	struct told told = { .fuzz = fuzz };
	int err = fuzz->ops->iterate(fuzz->pt, iova, bytes, hear_leaf, &told);

	fuzz_check(fuzz->run, !err && told.leaves == model_leaves(&fuzz->model, iova, bytes),
		   "step %u: %llu leaves of %llx, %llu bytes, are told, result %d", fuzz->step,
		   told.leaves, iova, bytes, err);
}

/* A cut without memory: it may have become smaller leaves all the same, in as many tables. */
static void learn_cut(struct pgtable_fuzz *fuzz, u64 start, u8 lg2)
{
	struct told told = { .fuzz = fuzz, .learn = true };
	struct model *model = &fuzz->model;

	fuzz->ops->iterate(fuzz->pt, start, 1ULL << lg2, hear_leaf, &told);
	for (u64 at = start; at < start + (1ULL << lg2); at += pgtable_granule(fuzz)) {
		u8 level =
			(model_page(model, at)->leaf_lg2 - model->granule_lg2) / model->index_lg2;

		for (; level + 1 < model->levels; level++) {
			u8 span = (u8)(model->granule_lg2 + model->index_lg2 * (level + 1));

			model->table[level][(at - model->base) >> span] = true;
		}
	}
}

static void step_cut(struct pgtable_fuzz *fuzz, u64 iova)
{
	const struct model_page before = *model_page(&fuzz->model, iova);
	u64 start = before.leaf_lg2 ? model_leaf_start(&fuzz->model, iova) : iova;
	struct model_change change = { 0 };
	int err;

	arm(fuzz);
	err = fuzz->ops->cut(fuzz->pt, iova, &fuzz->fixture->gather);
	disarm(fuzz);
	if (fuzz->failed && err == -ENOMEM) {
		learn_cut(fuzz, start, before.leaf_lg2);
		change.err = -ENOMEM;
	} else if (start != iova && !can_reshape(fuzz)) {
		change.err = -EOPNOTSUPP;
	} else {
		change = model_cut(&fuzz->model, iova);
		fuzz_check(fuzz->run, fuzz->fixture->gather.leaf_levels == change.leaf_levels,
			   "step %u: a cut at %llx changes levels %x, not %x", fuzz->step, iova,
			   fuzz->fixture->gather.leaf_levels, change.leaf_levels);
	}
	tell(fuzz, err, change.leaf_levels, before.leaf_lg2);
	fuzz_check(fuzz->run, err == change.err, "step %u: a cut at %llx gives %d, not %d",
		   fuzz->step, iova, err, change.err);
	if (before.leaf_lg2 && start != iova)
		pgtable_reshape_marks(fuzz, start, 1ULL << before.leaf_lg2);
	pgtable_compare(fuzz, iova, 1);
}

static void step_collapse(struct pgtable_fuzz *fuzz, u64 iova, u64 bytes)
{
	struct model_change change = { .err = -EOPNOTSUPP };
	u64 fewer = 0;
	int err = fuzz->ops->collapse(fuzz->pt, iova, bytes, &fuzz->fixture->gather, &fewer);

	if (can_reshape(fuzz))
		change = model_collapse(&fuzz->model, iova, bytes);
	fuzz_check(fuzz->run, err == change.err && fewer == change.done,
		   "step %u: a collapse of %llx, %llu bytes, gives %d, %llu, not %d, %llu",
		   fuzz->step, iova, bytes, err, fewer, change.err, change.done);
	fuzz_check(fuzz->run, !fewer == iommu_iotlb_gather_empty(&fuzz->fixture->gather),
		   "step %u: %llu leaves less, and %llx to %llx is to be invalidated", fuzz->step,
		   fewer, fuzz->fixture->gather.start, fuzz->fixture->gather.last);
	tell(fuzz, err, model_page(&fuzz->model, iova)->leaf_lg2,
	     fuzz->fixture->gather.leaf_levels | fuzz->fixture->gather.table_levels << 8);
	pgtable_reshape_marks(fuzz, iova, bytes);
	pgtable_compare(fuzz, iova, bytes);
}

/* ---- All ------------------------------------------------------------------------------------- */

static void step_range(struct pgtable_fuzz *fuzz, struct bytes *bytes, enum step kind)
{
	u64 iova = take_place(fuzz, bytes);
	u64 length = take_bytes(fuzz, bytes, iova);

	if (kind == STEP_UNMAP_LAST && fuzz->last_bytes)
		step_unmap(fuzz, fuzz->last_iova, clip(fuzz, fuzz->last_iova, fuzz->last_bytes));
	else if (kind == STEP_UNMAP || kind == STEP_UNMAP_LAST)
		step_unmap(fuzz, iova, length);
	else if (kind == STEP_PROTECT)
		step_protect(fuzz, iova, length, take_prot(fuzz, bytes));
	else if (kind == STEP_CUT)
		step_cut(fuzz, iova);
	else if (kind == STEP_COLLAPSE)
		step_collapse(fuzz, iova, length);
	else if (kind == STEP_ITERATE)
		step_iterate(fuzz, iova, length);
	else if (kind == STEP_MARK)
		pgtable_step_mark(fuzz, iova);
	else
		pgtable_step_read_marks(fuzz, iova, length, kind == STEP_CLEAR_MARKS);
}

/* 1 byte: what is done, and which allocation fails. */
void pgtable_step(struct pgtable_fuzz *fuzz, struct bytes *bytes)
{
	u8 what = take8(bytes);
	enum step kind = what & 0xf;

	fuzz->what = what;
	fuzz->nth = what >> 4 & 8 ? what >> 4 & 7 : 0;
	fuzz->failed = false;
	fuzz->step++;
	if (kind < STEP_UNMAP)
		step_map(fuzz, bytes);
	else if (kind == STEP_FILL)
		step_fill(fuzz, bytes);
	else if (kind == STEP_ODD)
		pgtable_odd(fuzz, bytes);
	else
		step_range(fuzz, bytes, kind);
	fuzz_feature(fuzz->run, PGTABLE_FEATURE_STEP, kind < STEP_UNMAP ? STEP_MAP : kind,
		     fuzz->failed);
	pgtable_compare_tables(fuzz);
	pgtable_invalidate(fuzz);
	pgtable_compare_tables(fuzz);
}
