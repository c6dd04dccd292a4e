/* SPDX-License-Identifier: MIT */
/*
 * Rights that change, leaves that are cut, and leaves that become larger, at random between maps
 * and unmaps: no address leads anywhere else, and there are exactly the leaves and tables that the
 * model has.
 */
#include "table_run.h"

#include <errno.h>

#include "unit/hw/scale.h"

#define STEPS 20000 /* full count */
#define RW    (IOMMU_READ | IOMMU_WRITE)

static bool can_reshape(const struct format_fixture *fixture)
{
	return !strstr(fixture->format->ops->name, "armv8") ||
	       fixture->config.features & PGTABLE_BBML2;
}

/* What shows of rights, so that the model takes equal ones for equal. */
static u32 draw_prot(struct run *run)
{
	static const u32 prots[] = { IOMMU_READ, IOMMU_WRITE, RW };

	return format_shows(run->fixture, prots[run_draw(run, 3)]);
}

/* Where something was mapped a moment ago, or anywhere. */
static u64 draw_place(struct run *run)
{
	u64 granule = 1ULL << run->model.granule_lg2;

	if (!run->last_bytes || !run_draw(run, 4))
		return run_draw_iova(run);
	return run->last_iova + (run_draw(run, run->last_bytes) & ~(granule - 1));
}

static u64 clip(u64 iova, u64 bytes)
{
	u64 left = RUN_WINDOW_AT + RUN_WINDOW - iova;

	return bytes < left ? bytes : left;
}

static void begin(struct run *run)
{
	format_release(run->fixture);
	iommu_iotlb_gather_init(&run->fixture->gather);
}

static void step_protect(struct run *run)
{
	const struct pgtable_ops *ops = run->fixture->format->ops;
	u64 iova = draw_place(run), bytes, changed = 0;
	u32 prot = draw_prot(run);
	struct model_change change;

	if (run_draw(run, 4) && model_page(&run->model, iova)->leaf_lg2)
		iova = model_leaf_start(&run->model, iova);
	bytes = clip(iova, run_draw_bytes(run));
	change = model_protect(&run->model, iova, bytes, prot);
	begin(run);
	expect_error(
		ops->protect(&run->fixture->pt, iova, bytes, prot, &run->fixture->gather, &changed),
		change.err);
	expect_u64(changed, change.done);
	assert_null(run->fixture->gather.freelist);
	run_compare(run, iova, bytes);
	run->changed += changed != 0;
}

static void step_cut(struct run *run)
{
	const struct pgtable_ops *ops = run->fixture->format->ops;
	u64 iova = draw_place(run);
	struct model_change change;

	begin(run);
	if (!can_reshape(run->fixture)) {
		bool inside = model_page(&run->model, iova)->leaf_lg2 &&
			      model_leaf_start(&run->model, iova) != iova;

		if (inside)
			expect_error(ops->cut(&run->fixture->pt, iova, &run->fixture->gather),
				     -EOPNOTSUPP);
		return;
	}
	change = model_cut(&run->model, iova);
	expect_error(ops->cut(&run->fixture->pt, iova, &run->fixture->gather), change.err);
	expect_u64(run->fixture->gather.leaf_levels, change.leaf_levels);
	assert_null(run->fixture->gather.freelist);
	run_compare(run, iova, 1);
	run->changed += change.leaf_levels != 0;
}

static void collapse(struct run *run, u64 iova, u64 bytes)
{
	const struct pgtable_ops *ops = run->fixture->format->ops;
	struct model_change change;
	u64 fewer = 0;

	begin(run);
	if (!can_reshape(run->fixture)) {
		expect_error(ops->collapse(&run->fixture->pt, iova, bytes, &run->fixture->gather,
					   &fewer),
			     -EOPNOTSUPP);
		return;
	}
	change = model_collapse(&run->model, iova, bytes);
	expect_ok(ops->collapse(&run->fixture->pt, iova, bytes, &run->fixture->gather, &fewer));
	expect_u64(fewer, change.done);
	assert_int_equal(fewer != 0, !iommu_iotlb_gather_empty(&run->fixture->gather));
	run_compare(run, iova, bytes);
	run->changed += fewer != 0;
}

static void step_collapse(struct run *run)
{
	u64 iova = draw_place(run);

	collapse(run, iova, clip(iova, run_draw_bytes(run) + 2 * run_large(run)));
}

/* Tells the leaves of a range, which follow the model's. */
struct told {
	struct run *run;
	u64 leaves;
};

static bool expect_leaf(void *cookie, const struct pgtable_leaf *leaf)
{
	struct told *told = cookie;
	struct run *run = told->run;
	const struct model_page *page = model_page(&run->model, leaf->iova);

	expect_u64(leaf->lg2, page->leaf_lg2);
	expect_u64(leaf->phys, page->phys);
	expect_u64(leaf->prot & RW, format_shows(run->fixture, page->prot));
	told->leaves++;
	return true;
}

static void step_iterate(struct run *run)
{
	const struct pgtable_ops *ops = run->fixture->format->ops;
	u64 iova = draw_place(run), bytes = clip(iova, run_draw_bytes(run));
	struct told told = { run, 0 };

	expect_ok(ops->iterate(&run->fixture->pt, iova, bytes, expect_leaf, &told));
	expect_u64(told.leaves, model_leaves(&run->model, iova, bytes));
}

static void step(struct run *run)
{
	switch (run_draw(run, 10)) {
	case 0:
	case 1:
		step_protect(run);
		break;
	case 2:
	case 3:
		step_cut(run);
		break;
	case 4:
		step_collapse(run);
		break;
	case 5:
		step_iterate(run);
		break;
	case 6:
		run_step_unmap(run);
		break;
	default:
		run_step_map(run);
		break;
	}
}

/*
 * trust: page tables: rights that change, leaves that are cut and joined
 * | an independent model: an array of pages, and the hardware side's walker
 */
static void random_changes_do_what_the_model_does(void **state)
{
	struct format_fixture *fixture = *state;
	struct run *run = run_start(fixture);
	u32 steps = scaled(STEPS);

	for (run->steps = 0; run->steps < steps; run->steps++) {
		step(run);
		format_release(fixture);
		expect_u64(format_tables(fixture), 1 + model_tables(&run->model));
		if (run->steps % 500 == 200)
			collapse(run, RUN_WINDOW_AT, RUN_WINDOW);
		format_release(fixture);
		if (run->steps % 100 == 0)
			run_compare(run, RUN_WINDOW_AT, RUN_WINDOW);
	}
	run_empty_the_window(run);
	assert_true(run->changed > steps / 20);
}

TEST_MAIN(ON_EVERY_FORMAT_AND_SIZE(random_changes_do_what_the_model_does),
	  ON_FORMAT(armv8_s1_4k_bbm, random_changes_do_what_the_model_does),
	  ON_FORMAT(armv8_s1_16k_bbm, random_changes_do_what_the_model_does))
