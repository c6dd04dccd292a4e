/* SPDX-License-Identifier: MIT */
/*
 * Random maps and unmaps in a window of 1 GiB, against a plain model (table_model.h). After each
 * step the hardware must see exactly what the model says, the calls must have returned it, and as
 * many table pages must exist.
 */
#include "formats.h"

#include <stdlib.h>

#include "table_model.h"
#include "unit/hw/scale.h"

#define STEPS	   30000 /* full count */
#define WINDOW	   ((u64)SZ_1G)
#define WINDOW_AT  (5 * WINDOW)
#define MEMORY_LG2 40

struct run {
	struct format_fixture *fixture;
	struct model model;
	struct random random;
	u64 cursor; /* of a check: the first address that no leaf was seen for */
	u64 steps, refused, holes, large;
};

static u64 draw(struct run *run, u64 bound)
{
	return random_below(&run->random, bound);
}

/* Bytes of the larger leaves: what a table of the smallest ones maps. */
static u64 large_of(const struct run *run)
{
	return 1ULL << (run->model.granule_lg2 + run->model.index_lg2);
}

/* ---- Looking --------------------------------------------------------------------------------- */

static void expect_nothing_until(struct run *run, u64 end)
{
	for (; run->cursor < end; run->cursor += 1ULL << run->model.granule_lg2) {
		if (model_page(&run->model, run->cursor)->leaf_lg2)
			fail_msg("step %llu: hardware sees nothing at 0x%llx", run->steps,
				 run->cursor);
	}
}

static void compare_leaf(void *cookie, const struct seen_leaf *leaf)
{
	struct run *run = cookie;
	const struct model_page *page = model_page(&run->model, leaf->iova);

	if (leaf->iova > run->cursor)
		expect_nothing_until(run, leaf->iova);
	if (!page->leaf_lg2 || 1ULL << page->leaf_lg2 != leaf->bytes || page->phys != leaf->phys ||
	    leaf->read != !!(format_shows(run->fixture, page->prot) & IOMMU_READ) ||
	    leaf->write != !!(page->prot & IOMMU_WRITE))
		fail_msg("step %llu: hardware sees 0x%llx at 0x%llx, %llu bytes, the model 0x%llx, "
			 "%llu",
			 run->steps, leaf->phys, leaf->iova, leaf->bytes, page->phys,
			 1ULL << page->leaf_lg2);
	run->cursor = leaf->iova + leaf->bytes;
}

/* The range and what lies around it, as far as the window. */
static void compare(struct run *run, u64 iova, u64 bytes)
{
	u64 around = 2 * SZ_2M;
	u64 start = iova - WINDOW_AT < around ? WINDOW_AT : iova - around;
	u64 end = iova + bytes + around;

	start &= ~((1ULL << run->model.granule_lg2) - 1);
	if (end > WINDOW_AT + WINDOW)
		end = WINDOW_AT + WINDOW;
	run->cursor = start;
	run->fixture->format->walk_range(run->fixture, start, end - 1, compare_leaf, run);
	expect_nothing_until(run, end);
	for (int i = 0; i < 8; i++) {
		u64 at = start + draw(run, end - start);
		const struct model_page *page = model_page(&run->model, at);
		u64 offset = at & ((1ULL << run->model.granule_lg2) - 1);

		expect_u64(run->fixture->format->ops->iova_to_phys(&run->fixture->pt, at),
			   page->leaf_lg2 ? page->phys + offset : 0);
	}
}

static void compare_gather(const struct run *run, u64 iova, const struct model_change *change)
{
	const struct iommu_iotlb_gather *gather = &run->fixture->gather;

	expect_u64(gather->table_levels, change->table_levels);
	assert_int_equal(gather->freelist != NULL, change->table_levels != 0);
	if (!change->done) {
		assert_true(iommu_iotlb_gather_empty(gather));
		return;
	}
	expect_u64(gather->start, iova);
	expect_u64(gather->last, iova + change->done - 1);
	expect_u64(gather->leaf_levels, change->leaf_levels);
}

/* ---- Doing ----------------------------------------------------------------------------------- */

/* A length of 1 to very many pages, small ones far more often. */
static u64 draw_bytes(struct run *run)
{
	u64 pages = 1 + draw(run, 1ULL << draw(run, 14));

	return pages << run->model.granule_lg2;
}

static u64 draw_iova(struct run *run)
{
	u64 granule = 1ULL << run->model.granule_lg2;
	u64 large = large_of(run);
	u64 align = draw(run, 3) ? granule : large;

	return WINDOW_AT + (draw(run, WINDOW) & ~(align - 1));
}

static void unmap(struct run *run, u64 iova, u64 bytes)
{
	struct model_change change = model_unmap(&run->model, iova, bytes);

	expect_u64(format_unmap(run->fixture, iova, bytes), change.done);
	compare_gather(run, iova, &change);
	run->holes += change.done < bytes;
	compare(run, iova, change.done > bytes ? change.done : bytes);
	format_release(run->fixture);
}

static void map(struct run *run, u64 iova, phys_addr_t phys, u64 bytes)
{
	static const u32 prots[] = { IOMMU_READ, IOMMU_WRITE, IOMMU_READ | IOMMU_WRITE };
	u32 prot = prots[draw(run, 3)];
	struct model_change change = model_map(&run->model, iova, phys, bytes, prot);

	expect_error(format_map(run->fixture, iova, phys, bytes, prot), change.err);
	expect_u64(run->fixture->mapped, change.done);
	expect_u64(run->fixture->gather.table_levels, change.table_levels);
	compare(run, iova, bytes);
	format_release(run->fixture);
	run->refused += change.err != 0;
	run->large += model_page(&run->model, iova)->leaf_lg2 > run->model.granule_lg2;
	/* Some callers take back what was done. */
	if (change.err && change.done && draw(run, 2))
		unmap(run, iova, change.done);
}

static void step_map(struct run *run)
{
	u64 large = large_of(run);
	u64 iova = draw_iova(run), bytes = draw_bytes(run);
	phys_addr_t phys = draw(run, 1ULL << MEMORY_LG2) & ~(large - 1);

	/* Congruent to the IOVA or not; sometimes in large pieces. */
	phys |= draw(run, 3) ? iova & (large - 1)
			     : draw(run, large) & ~((1ULL << run->model.granule_lg2) - 1);
	if (draw(run, 4) == 0)
		bytes = (1 + draw(run, 8)) * large;
	if (bytes > WINDOW_AT + WINDOW - iova)
		bytes = WINDOW_AT + WINDOW - iova;
	map(run, iova, phys, bytes);
}

/* From the start of what is mapped somewhere, or from anywhere. */
static void step_unmap(struct run *run)
{
	u64 iova = draw_iova(run), bytes = draw_bytes(run);

	if (draw(run, 5) && model_page(&run->model, iova)->leaf_lg2)
		iova = model_leaf_start(&run->model, iova);
	if (draw(run, 4) == 0) {
		bytes = (1 + draw(run, 4)) * large_of(run);
	}
	if (bytes > WINDOW_AT + WINDOW - iova)
		bytes = WINDOW_AT + WINDOW - iova;
	unmap(run, iova, bytes);
}

/* From one end of the window to the other, over all holes. */
static void empty_the_window(struct run *run)
{
	u64 at = WINDOW_AT;

	while (at < WINDOW_AT + WINDOW) {
		if (model_page(&run->model, at)->leaf_lg2) {
			u64 bytes = WINDOW_AT + WINDOW - at;
			struct model_change change = model_unmap(&run->model, at, bytes);

			expect_u64(format_unmap(run->fixture, at, bytes), change.done);
			compare_gather(run, at, &change);
			at += change.done;
		} else {
			at += 1ULL << run->model.granule_lg2;
		}
	}
	format_release(run->fixture);
	expect_u64(format_leaves(run->fixture).all, 0);
}

static void end(void *extra)
{
	struct run *run = extra;

	model_fini(&run->model);
	free(run);
}

static struct run *start(struct format_fixture *fixture)
{
	struct run *run = calloc(1, sizeof(*run));

	assert_non_null(run);
	fixture->extra = run;
	fixture->end_extra = end;
	run->fixture = fixture;
	run->model = (struct model){ .base = WINDOW_AT,
				     .bytes = WINDOW,
				     .sizes = fixture->pt.page_sizes,
				     .granule_lg2 = fixture->format->granule_lg2,
				     .index_lg2 = fixture->format->index_lg2,
				     .levels = fixture->pt.levels };
	random_init(&run->random, test_seed(1));
	model_init(&run->model);
	return run;
}

static void step(struct run *run)
{
	/* Now and then a whole window in one leaf, or as few as possible. */
	if (run->steps % 1000 == 200) {
		empty_the_window(run);
		map(run, WINDOW_AT, 3 * WINDOW, WINDOW);
		compare(run, WINDOW_AT, WINDOW);
		unmap(run, WINDOW_AT, WINDOW);
	} else if (draw(run, 100) < 55) {
		step_map(run);
	} else {
		step_unmap(run);
	}
}

/*
 * trust: page tables under random maps and unmaps
 * | an independent model: an array of pages, and the hardware side's walker
 */
static void random_maps_and_unmaps_do_what_the_model_does(void **state)
{
	struct format_fixture *fixture = *state;
	struct run *run = start(fixture);
	u32 steps = scaled(STEPS);

	for (run->steps = 0; run->steps < steps; run->steps++) {
		step(run);
		expect_u64(format_tables(fixture), 1 + model_tables(&run->model));
		if (run->steps % 100 == 0)
			compare(run, WINDOW_AT, WINDOW);
	}
	empty_the_window(run);
	expect_u64(format_tables(fixture), 1 + model_tables(&run->model));
	/* The run must have met what it is about. */
	assert_true(run->refused > steps / 100);
	assert_true(run->holes > steps / 100);
	assert_true(run->large > steps / 100);
}

TEST_MAIN(ON_EVERY_FORMAT_AND_SIZE(random_maps_and_unmaps_do_what_the_model_does))
