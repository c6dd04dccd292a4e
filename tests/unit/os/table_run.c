/* SPDX-License-Identifier: MIT */
#include "table_run.h"

#include <stdlib.h>

#include "support/scale.h"
#include "table_compare.h"

#define MEMORY_LG2 40

u64 run_draw(struct run *run, u64 bound)
{
	return random_below(&run->random, bound);
}

/* Bytes of the larger leaves: what a table of the smallest ones maps. */
u64 run_large(const struct run *run)
{
	return 1ULL << (run->model.granule_lg2 + run->model.index_lg2);
}

/* ---- Looking --------------------------------------------------------------------------------- */

/* The range and what lies around it, as far as the window. */
void run_compare(struct run *run, u64 iova, u64 bytes)
{
	u64 around = 2 * SZ_2M;
	u64 start = iova - run->at < around ? run->at : iova - around;
	u64 end = iova + bytes + around;
	struct table_compare compare = { .fixture = run->fixture, .model = &run->model };

	start &= ~((1ULL << run->model.granule_lg2) - 1);
	if (end > run->at + RUN_WINDOW)
		end = run->at + RUN_WINDOW;
	if (!table_compare(&compare, start, end))
		fail_msg("step %llu: %s", run->steps, compare.why);
	for (int i = 0; i < 8; i++) {
		u64 at = start + run_draw(run, end - start);
		const struct model_page *page = model_page(&run->model, at);
		u64 offset = at & ((1ULL << run->model.granule_lg2) - 1);

		expect_u64(run->fixture->format->ops->iova_to_phys(&run->fixture->pt, at),
			   page->leaf_lg2 ? page->phys + offset : 0);
	}
}

void run_compare_gather(const struct run *run, u64 iova, const struct model_change *change)
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
u64 run_draw_bytes(struct run *run)
{
	u64 pages = 1 + run_draw(run, 1ULL << run_draw(run, 14));

	return pages << run->model.granule_lg2;
}

u64 run_draw_iova(struct run *run)
{
	u64 granule = 1ULL << run->model.granule_lg2;
	u64 large = run_large(run);
	u64 align = run_draw(run, 3) ? granule : large;

	return run->at + (run_draw(run, RUN_WINDOW) & ~(align - 1));
}

void run_unmap(struct run *run, u64 iova, u64 bytes)
{
	struct model_change change = model_unmap(&run->model, iova, bytes);

	expect_u64(format_unmap(run->fixture, iova, bytes), change.done);
	run_compare_gather(run, iova, &change);
	run->holes += change.done < bytes;
	run_compare(run, iova, change.done > bytes ? change.done : bytes);
	format_release(run->fixture);
}

void run_map(struct run *run, u64 iova, phys_addr_t phys, u64 bytes)
{
	static const u32 prots[] = { IOMMU_READ, IOMMU_WRITE, IOMMU_READ | IOMMU_WRITE };
	u32 prot = prots[run_draw(run, 3)];
	struct model_change change =
		model_map(&run->model, iova, phys, bytes, format_shows(run->fixture, prot));

	expect_error(format_map(run->fixture, iova, phys, bytes, prot), change.err);
	expect_u64(run->fixture->mapped, change.done);
	expect_u64(run->fixture->gather.table_levels, change.table_levels);
	run_compare(run, iova, bytes);
	format_release(run->fixture);
	run->refused += change.err != 0;
	run->last_iova = iova;
	run->last_bytes = change.err ? 0 : bytes;
	run->large += model_page(&run->model, iova)->leaf_lg2 > run->model.granule_lg2;
	/* Some callers take back what was done. */
	if (change.err && change.done && run_draw(run, 2))
		run_unmap(run, iova, change.done);
}

void run_step_map(struct run *run)
{
	u64 large = run_large(run);
	u64 iova = run_draw_iova(run), bytes = run_draw_bytes(run);
	phys_addr_t phys = run_draw(run, 1ULL << MEMORY_LG2) & ~(large - 1);

	/* Congruent to the IOVA or not; sometimes in large pieces. */
	phys |= run_draw(run, 3) ? iova & (large - 1)
				 : run_draw(run, large) & ~((1ULL << run->model.granule_lg2) - 1);
	if (run_draw(run, 4) == 0)
		bytes = (1 + run_draw(run, 8)) * large;
	if (bytes > run->at + RUN_WINDOW - iova)
		bytes = run->at + RUN_WINDOW - iova;
	run_map(run, iova, phys, bytes);
}

/* From the start of what is mapped somewhere, or from anywhere. */
void run_step_unmap(struct run *run)
{
	u64 iova = run_draw_iova(run), bytes = run_draw_bytes(run);

	if (run_draw(run, 5) && model_page(&run->model, iova)->leaf_lg2)
		iova = model_leaf_start(&run->model, iova);
	if (run_draw(run, 4) == 0) {
		bytes = (1 + run_draw(run, 4)) * run_large(run);
	}
	if (bytes > run->at + RUN_WINDOW - iova)
		bytes = run->at + RUN_WINDOW - iova;
	run_unmap(run, iova, bytes);
}

/* From one end of the window to the other, over all holes. */
void run_empty_the_window(struct run *run)
{
	u64 at = run->at;

	while (at < run->at + RUN_WINDOW) {
		if (model_page(&run->model, at)->leaf_lg2) {
			u64 bytes = run->at + RUN_WINDOW - at;
			struct model_change change = model_unmap(&run->model, at, bytes);

			expect_u64(format_unmap(run->fixture, at, bytes), change.done);
			run_compare_gather(run, at, &change);
			at += change.done;
		} else {
			at += 1ULL << run->model.granule_lg2;
		}
	}
	format_release(run->fixture);
	run_compare(run, run->at, RUN_WINDOW);
	expect_u64(format_leaves(run->fixture).all, 0);
}

static void end(void *extra)
{
	struct run *run = extra;

	model_fini(&run->model);
	free(run);
}

void run_count_tables(const struct run *run)
{
	expect_u64(format_tables(run->fixture), 1 + model_tables(&run->model) + run->others);
}

/* A table that grows has done so before: the window is below one entry of the new top. */
static void grow(struct run *run)
{
	struct format_fixture *fixture = run->fixture;
	u64 page = 1ULL << run->model.granule_lg2;

	expect_ok(format_map(fixture, run->at, 0, page, IOMMU_READ));
	expect_u64(format_unmap(fixture, run->at, page), page);
	run->model.levels = fixture->pt.levels;
}

struct run *run_start_at(struct format_fixture *fixture, u64 at)
{
	struct run *run = calloc(1, sizeof(*run));
	bool grows = fixture->config.levels_max > fixture->config.levels;

	assert_non_null(run);
	fixture->extra = run;
	fixture->end_extra = end;
	run->fixture = fixture;
	run->at = at;
	run->model = (struct model){ .base = at,
				     .bytes = RUN_WINDOW,
				     .sizes = fixture->pt.page_sizes,
				     .granule_lg2 = fixture->format->granule_lg2,
				     .index_lg2 = fixture->format->index_lg2,
				     .levels = fixture->pt.levels };
	random_init(&run->random, test_seed(1));
	if (grows)
		grow(run);
	model_init(&run->model);
	/* What grow() made for the window's first page is there. */
	for (u8 level = 0; grows && level + 1 < run->model.levels; level++)
		run->model.table[level][0] = true;
	run->others = format_tables(fixture) - 1 - model_tables(&run->model);
	return run;
}

struct run *run_start(struct format_fixture *fixture)
{
	return run_start_at(fixture, RUN_WINDOW_AT);
}
