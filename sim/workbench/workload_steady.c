/* SPDX-License-Identifier: MIT */
/*
 * Workloads of everyday: what is live stays as much, and each step frees one range and allocates
 * another.
 */
#include "workbench/workload.h"

#define PAGES_MAX 32 /* the largest that Linux caches: 128 KiB, what the DMA API calls optimal */

static u32 how_of(const struct workload_plan *plan, u64 pages)
{
	return iova_natural(pages) | plan->cache;
}

static u64 some_pages(struct workload_plan *plan)
{
	return 1 + workload_below(&plan->dice, PAGES_MAX);
}

static void allocate(struct dmasim_iova_workload *workload, const struct workload_plan *plan,
		     u32 id, u64 pages)
{
	workload_alloc(workload, id, pages, plan->limit, how_of(plan, pages));
}

static void fill(struct dmasim_iova_workload *workload, struct workload_plan *plan, bool one_page)
{
	for (u32 id = 0; id < plan->live; id++)
		allocate(workload, plan, id, one_page ? 1 : some_pages(plan));
}

/* ---- One comes and goes ----------------------------------------------- */

void workload_uniform(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	u32 id = (u32)plan->live;

	fill(workload, plan, true);
	for (u64 step = 0; step <= plan->steps; step++) {
		workload->timing = step > 0; /* the first one may fill a cache */
		allocate(workload, plan, id, 1);
		workload_free(workload, id);
	}
}

/* ---- A random one is replaced ----------------------------------------- */

static void replace(struct dmasim_iova_workload *workload, struct workload_plan *plan, u64 steps,
		    bool one_page)
{
	for (u64 step = 0; step < steps; step++) {
		u32 id = (u32)workload_below(&plan->dice, plan->live);
		u32 cpu = plan->cpus > 1 ? (u32)workload_below(&plan->dice, plan->cpus) : 0;

		workload_free(workload, id);
		workload_on_cpu(workload, cpu);
		allocate(workload, plan, id, one_page ? 1 : some_pages(plan));
		workload_on_cpu(workload, cpu);
	}
}

/* Caches are as full as they will be, before anything is timed. */
#define WARM_UP_MIN 10000
#define WARM_UP_MAX 200000

static void fill_and_replace(struct dmasim_iova_workload *workload, struct workload_plan *plan,
			     u64 lead, bool one_page)
{
	fill(workload, plan, one_page);
	replace(workload, plan, lead, one_page);
	workload->timing = true;
	replace(workload, plan, plan->steps, one_page);
}

static u64 warm_up(const struct workload_plan *plan)
{
	return WARM_UP_MIN + (plan->live < WARM_UP_MAX ? plan->live : WARM_UP_MAX);
}

void workload_churn(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	fill_and_replace(workload, plan, warm_up(plan), true);
}

void workload_mixed(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	fill_and_replace(workload, plan, warm_up(plan), false);
}

/* So often is every range replaced, on the average, before anything is timed. */
#define AGEING_ROUNDS 2

void workload_ageing(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	fill_and_replace(workload, plan, AGEING_ROUNDS * plan->live, false);
}

/* ---- First in, first out ---------------------------------------------- */

/*
 * The slot that was filled longest ago is emptied and filled again. CPUs take turns in pairs: one
 * allocates, its neighbour frees; on an uneven number, or on one, both do both.
 */
static void turn(struct dmasim_iova_workload *workload, struct workload_plan *plan, u64 from,
		 u64 to, bool in_pairs)
{
	u32 pairs = plan->cpus / 2;

	for (u64 step = from; step < to; step++) {
		u32 id = (u32)(step % plan->live);
		u32 cpu = in_pairs ? 2 * (id % pairs) : 0;

		workload_free(workload, id);
		workload_on_cpu(workload, in_pairs ? cpu + 1 : 0);
		allocate(workload, plan, id, 1);
		workload_on_cpu(workload, cpu);
	}
}

static void turn_rings(struct dmasim_iova_workload *workload, struct workload_plan *plan,
		       bool in_pairs)
{
	u64 begin = plan->live + WARM_UP_MIN;

	fill(workload, plan, true);
	turn(workload, plan, 0, begin, in_pairs);
	workload->timing = true;
	turn(workload, plan, begin, begin + plan->steps, in_pairs);
}

void workload_ring(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	turn_rings(workload, plan, false);
}

void workload_pair(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	turn_rings(workload, plan, true);
}

/* ---- The 32-bit space is full ----------------------------------------- */

#define LIMIT_32 0xfffffULL

static void prefer_32(struct dmasim_iova_workload *workload, struct workload_plan *plan, u32 id)
{
	u64 pages = some_pages(plan);

	workload_alloc(workload, id, pages, LIMIT_32, how_of(plan, pages));
	workload_retry(workload, plan->limit, how_of(plan, pages) | (plan->cache ? IOVA_FLUSH : 0));
}

void workload_full32(struct dmasim_iova_workload *workload, struct workload_plan *plan)
{
	for (u32 id = 0; id < plan->live; id++)
		prefer_32(workload, plan, id);
	workload->timing = true;
	for (u64 step = 0; step < plan->steps; step++) {
		u32 id = (u32)workload_below(&plan->dice, plan->live);

		workload_free(workload, id);
		prefer_32(workload, plan, id);
	}
}
