/* SPDX-License-Identifier: MIT */
/*
 * Workloads that look for the worst case: single operations are timed, what leads to them is not.
 */
#include "workbench/workload.h"

static void fill_with_pages(struct dmasim_iova_workload *workload, u64 count, u64 limit)
{
	for (u32 id = 0; id < count; id++)
		workload_alloc(workload, id, 1, limit, 0);
}

static void free_every_second(struct dmasim_iova_workload *workload, u64 count)
{
	for (u32 id = 1; id < count; id += 2)
		workload_free(workload, id);
}

/* ---- A full space with holes of one page ------------------------------------- */

static u32 make_holes(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	u32 count = (u32)(2 * plan->live - 1); /* from start_pfn, 1, to the limit */

	plan->limit = count;
	fill_with_pages(workload, count, plan->limit);
	free_every_second(workload, count);
	return count;
}

/*
 * A range near the top is freed and allocated again. An allocator that goes on where it allocated
 * last is there now, and one that remembers a failure forgets it.
 */
static void go_to_the_top(struct dmasim_iova_workload *workload, u64 limit)
{
	workload_free(workload, 0);
	workload_alloc(workload, 0, 1, limit, 0);
}

/* What is allocated; id: nobody else's. */
static void time_two_pages(struct dmasim_iova_workload *workload, u32 id, u64 limit)
{
	workload->timing = true;
	workload_alloc(workload, id, 2, limit, iova_natural(2));
	workload->timing = false;
}

void workload_adversary(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	u32 count = make_holes(workload, plan);

	for (u64 step = 0; step < plan->steps; step++) {
		go_to_the_top(workload, plan->limit);
		time_two_pages(workload, count, plan->limit);
		workload_free(workload, count);
	}
}

void workload_adversary_fit(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	u32 count = make_holes(workload, plan);
	u32 low = count - 1 - (count - 1) % 2; /* the lowest that is live */

	for (u64 step = 0; step < plan->steps && low > 16; step++, low -= 2) {
		workload_free(workload, low - 2);
		go_to_the_top(workload, plan->limit);
		time_two_pages(workload, count + (u32)step, plan->limit);
	}
}

/* ---- Any space with holes of one page --------------------------------- */

void workload_walk(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	u32 id = (u32)plan->live;

	fill_with_pages(workload, plan->live, plan->limit);
	free_every_second(workload, plan->live);
	for (u64 step = 0; step < plan->steps; step++) {
		go_to_the_top(workload, plan->limit);
		time_two_pages(workload, id, plan->limit);
		workload_free(workload, id);
	}
}

/* ---- A failure with full caches --------------------------------------- */

#define FLUSH_PAGES 64 /* more than any cache has */

void workload_flush(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	u32 id = (u32)plan->live;

	for (u64 step = 0; step < plan->steps; step++) {
		for (u32 i = 0; i < plan->live; i++) {
			u64 pages = 1ULL << i % 6;

			workload_alloc(workload, i, pages, plan->limit,
				       iova_natural(pages) | plan->cache);
		}
		for (u32 i = 0; i < plan->live; i++) {
			workload_free(workload, i);
			workload_on_cpu(workload, i % plan->cpus);
		}
		/* Pfn 0 is never handed out: one page is missing. */
		workload->timing = true;
		workload_alloc(workload, id, FLUSH_PAGES, FLUSH_PAGES - 1,
			       iova_natural(FLUSH_PAGES) | plan->cache |
				       (plan->cache ? IOVA_FLUSH : 0));
		workload->timing = false;
		workload_free(workload, id);
	}
}

/* ---- Reserving -------------------------------------------------------- */

#define WINDOW_PAGES   16
#define WINDOW_SPACING 32

/* There before anything is timed. */
#define WINDOWS 10000

/* In no order: 7919 is a prime that divides no count of ours. */
static u64 shuffled(u64 index, u64 count)
{
	return index * 7919 % count;
}

void workload_windows(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	u64 count = WINDOWS + plan->steps;

	for (u64 index = 0; index < count; index++) {
		u64 first = WINDOW_SPACING * (1 + shuffled(index, count));

		if (index == WINDOWS) {
			fill_with_pages(workload, plan->live, plan->limit);
			workload->timing = true;
		}
		workload_reserve(workload, first, first + WINDOW_PAGES - 1);
	}
}

/* ---- Finding ---------------------------------------------------------- */

void workload_lookup(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	fill_with_pages(workload, plan->live, plan->limit);
	workload->timing = true;
	for (u64 step = 0; step < plan->steps; step++)
		workload_find(workload, (u32)workload_below(&plan->dice, plan->live));
}
