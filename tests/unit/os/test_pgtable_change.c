/* SPDX-License-Identifier: MIT */
/*
 * Rights that change, leaves that are cut, and leaves that become larger, at random between maps
 * and unmaps: no address leads anywhere else, and there are exactly the leaves and tables that the
 * model has.
 */
#include "table_run.h"

#include <errno.h>

#include "judges.h"
#include "support/scale.h"

#define STEPS 20000 /* full count */
#define RW    (IOMMU_READ | IOMMU_WRITE)
#define PHYS  0x400000000ULL

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

static u64 clip(const struct run *run, u64 iova, u64 bytes)
{
	u64 left = run->at + RUN_WINDOW - iova;

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
	bytes = clip(run, iova, run_draw_bytes(run));
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

	collapse(run, iova, clip(run, iova, run_draw_bytes(run) + 2 * run_large(run)));
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
	u64 iova = draw_place(run), bytes = clip(run, iova, run_draw_bytes(run));
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

/* The window in as few leaves as there can be, cut somewhere, and made whole again. */
static void cut_the_window(struct run *run)
{
	run_empty_the_window(run);
	run_map(run, run->at, 3 * RUN_WINDOW, RUN_WINDOW);
	run_count_tables(run);
	step_cut(run);
	run_count_tables(run);
	collapse(run, run->at, RUN_WINDOW);
	format_release(run->fixture);
	run_count_tables(run);
}

static void change_at_random(struct run *run, u32 steps)
{
	struct format_fixture *fixture = run->fixture;

	for (run->steps = 0; run->steps < steps; run->steps++) {
		step(run);
		format_release(fixture);
		run_count_tables(run);
		if (run->steps % 500 == 100)
			cut_the_window(run);
		if (run->steps % 500 == 200)
			collapse(run, run->at, RUN_WINDOW);
		format_release(fixture);
		if (run->steps % 100 == 0)
			run_compare(run, run->at, RUN_WINDOW);
	}
	run_empty_the_window(run);
	/* Of a few steps all may have found nothing. */
	if (steps > 200)
		assert_true(run->changed > steps / 20);
}

/*
 * trust: page tables: rights that change, leaves that are cut and joined
 * | an independent model: an array of pages, and the hardware side's walker
 */
static void random_changes_do_what_the_model_does(void **state)
{
	change_at_random(run_start(*state), scaled(STEPS));
}

static void random_changes_in_more_configurations(void **state)
{
	change_at_random(run_start(*state), scaled(STEPS / 8));
}

/* Of addresses that repeat their highest bit. */
static void random_changes_in_the_upper_half(void **state)
{
	change_at_random(run_start_at(*state, -3 * RUN_WINDOW), scaled(STEPS / 8));
}

/* At the first of all addresses, too. */
static void rights_of_nothing_are_an_error(void **state)
{
	struct format_fixture *fixture = *state;
	const u64 page = 1ULL << fixture->format->granule_lg2, at[] = { 0, page, SZ_1G };

	for (u32 i = 0; i < 3; i++) {
		u64 changed = 0;

		expect_error(fixture->format->ops->protect(&fixture->pt, at[i], page, RW,
							   &fixture->gather, &changed),
			     -ENOENT);
		expect_u64(changed, 0);
		assert_true(iommu_iotlb_gather_empty(&fixture->gather));
	}
}

/* Of as many levels as there are, whose top maps more than all addresses. */
static FORMAT_CASE(amdv1_6, amdv1, amdv1, 12, false, false, .levels = 6, .pa_bits = 52,
		   .coherent = true);

static void a_collapse_reaches_the_highest_top(void **state)
{
	struct format_fixture *fixture = *state;
	const u64 at = 0xfe00000000000000ULL;
	u64 fewer = 0;

	for (u64 page = 0; page < 4; page++)
		expect_ok(format_map(fixture, at + page * SZ_4K, PHYS + page * SZ_4K, SZ_4K, RW));
	expect_ok(
		fixture->format->ops->collapse(&fixture->pt, at, SZ_16K, &fixture->gather, &fewer));
	expect_u64(fewer, 3);
	format_expect(fixture, at, PHYS, SZ_16K, RW);
	expect_u64(format_unmap(fixture, at, SZ_4K), SZ_16K);
}

TEST_MAIN(ON_FORMAT(amdv1_6, a_collapse_reaches_the_highest_top),
	  ON_EVERY_FORMAT_AND_SIZE(rights_of_nothing_are_an_error),
	  ON_EVERY_FORMAT_AND_SIZE(random_changes_do_what_the_model_does),
	  ON_FORMAT(armv8_s1_4k_bbm, random_changes_do_what_the_model_does),
	  ON_FORMAT(armv8_s1_16k_bbm, random_changes_do_what_the_model_does),
	  ON_MORE_CONFIGURATIONS(random_changes_in_more_configurations),
	  ON_SIGNED(random_changes_in_the_upper_half))
