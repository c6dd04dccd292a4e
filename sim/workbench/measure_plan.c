/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "workbench/measure.h"

/* ---- Units ------------------------------------------------------------ */

/* Where a stretch begins with a free, units do; else they begin with what asks for something. */
static bool begins_unit(const struct workload_op *op, bool with_free)
{
	if (op->type == WORKLOAD_RETRY)
		return false;
	return with_free ? op->type == WORKLOAD_FREE : op->type != WORKLOAD_FREE;
}

/* Counts units, and fills them in if there is room. Stretches: runs of timed operations. */
static u32 cut(const struct dmasim_iova_workload *workload, struct measure_unit *unit,
	       u32 *stretches)
{
	bool inside = false, with_free = false;
	u32 count = 0;

	*stretches = 0;
	for (size_t i = 0; i < workload->count; i++) {
		const struct workload_op *op = &workload->op[i];
		bool first = op->timed && !inside;

		inside = op->timed;
		if (!inside)
			continue;
		if (first) {
			with_free = op->type == WORKLOAD_FREE;
			(*stretches)++;
		}
		if (first || begins_unit(op, with_free))
			count++;
		if (!unit)
			continue;
		if (first || begins_unit(op, with_free))
			unit[count - 1].first = (u32)i;
		unit[count - 1].end = (u32)i + 1;
	}
	return count;
}

/* ---- Shapes ----------------------------------------------------------- */

static bool is_two(const struct measure_plan *plan, u32 index, enum workload_type first,
		   enum workload_type second)
{
	const struct measure_unit *unit = &plan->unit[index];
	const struct workload_op *op = &plan->workload->op[unit->first];

	return unit->end - unit->first == 2 && op[0].type == first && op[1].type == second &&
	       op[0].id == op[1].id;
}

static bool is_same(const struct workload_op *a, const struct workload_op *b)
{
	return a->limit == b->limit && a->pages == b->pages && a->id == b->id && a->cpu == b->cpu &&
	       a->how == b->how;
}

static bool all_pairs(const struct measure_plan *plan)
{
	const struct workload_op *first = &plan->workload->op[plan->unit[0].first];

	for (u32 i = 0; i < plan->unit_count; i++) {
		const struct workload_op *op = &plan->workload->op[plan->unit[i].first];

		if (!is_two(plan, i, WORKLOAD_ALLOC, WORKLOAD_FREE) || !is_same(op, first) ||
		    op[1].cpu != op[0].cpu)
			return false;
	}
	return true;
}

static bool fits_swap(const struct workload_op *op, u64 limit)
{
	return op[0].pages <= 0xffff && op[1].pages <= 0xffff && op[0].cpu <= 0xff &&
	       op[1].cpu <= 0xff && op[1].limit == limit;
}

static bool all_swaps(const struct measure_plan *plan)
{
	u64 limit = plan->workload->op[plan->unit[0].first + 1].limit;

	for (u32 i = 0; i < plan->unit_count; i++) {
		if (!is_two(plan, i, WORKLOAD_FREE, WORKLOAD_ALLOC) ||
		    !fits_swap(&plan->workload->op[plan->unit[i].first], limit))
			return false;
	}
	return true;
}

static bool make_swaps(struct measure_plan *plan)
{
	plan->swap = reallocarray(NULL, plan->unit_count, sizeof(*plan->swap));
	if (!plan->swap)
		return false;
	plan->shape = MEASURE_SWAP;
	for (u32 i = 0; i < plan->unit_count; i++) {
		const struct workload_op *op = &plan->workload->op[plan->unit[i].first];

		plan->limit = op[1].limit;
		plan->swap[i] = (struct measure_swap){
			.id = op[0].id,
			.free_pages = (u16)op[0].pages,
			.alloc_pages = (u16)op[1].pages,
			.free_cpu = (u8)op[0].cpu,
			.alloc_cpu = (u8)op[1].cpu,
			.free_how = op[0].how & IOVA_CACHE,
			.alloc_how = op[1].how,
		};
	}
	return true;
}

static bool find_shape(struct measure_plan *plan)
{
	if (plan->alone)
		return true;
	if (all_pairs(plan)) {
		plan->shape = MEASURE_PAIR;
		return true;
	}
	return all_swaps(plan) ? make_swaps(plan) : true;
}

/* ---- The plan --------------------------------------------------------- */

/* Fewer than that are not worth a block. */
#define UNITS_IN_BLOCKS_MIN 256

bool measure_plan_init(struct measure_plan *plan, const struct dmasim_iova_workload *workload)
{
	u32 stretches;

	*plan = (struct measure_plan){ .workload = workload };
	plan->unit_count = cut(workload, NULL, &stretches);
	if (!plan->unit_count)
		return true;
	plan->unit = reallocarray(NULL, plan->unit_count, sizeof(*plan->unit));
	if (!plan->unit)
		return false;
	cut(workload, plan->unit, &stretches);
	plan->alone = stretches > 1 || plan->unit_count < UNITS_IN_BLOCKS_MIN;
	return find_shape(plan);
}

void measure_plan_fini(struct measure_plan *plan)
{
	free(plan->unit);
	free(plan->swap);
}

/* ---- Doing them ------------------------------------------------------- */

static u64 highest(const struct player *player, u64 limit)
{
	return limit < player->last_pfn ? limit : player->last_pfn;
}

static void do_pairs(const struct measure_plan *plan, struct player *player, u32 count)
{
	const struct workload_op *op = &plan->workload->op[plan->unit[0].first];
	struct iova_allocator *allocator = player->allocator;
	u64 (*const alloc)(struct iova_allocator *, u64, u64, u32) = player->ops->alloc;
	void (*const give_back)(struct iova_allocator *, u64, u64, u32) = player->ops->free;
	u64 pages = op->pages, limit = highest(player, op->limit);
	u32 how = op->how;

	player->platform->cpu = op->cpu;
	for (u32 i = 0; i < count; i++) {
		u64 pfn = alloc(allocator, pages, limit, how);

		if (DMASIM_LIKELY(pfn != IOVA_NO_PFN))
			give_back(allocator, pfn, pages, how & IOVA_CACHE);
		else
			player->failed++;
	}
}

static void do_swaps(const struct measure_plan *plan, struct player *player, u32 first, u32 end)
{
	struct iova_allocator *allocator = player->allocator;
	const struct iova_allocator_ops *ops = player->ops;
	struct platform *platform = player->platform;
	u64 *pfn = player->pfn, limit = highest(player, plan->limit);

	for (const struct measure_swap *swap = &plan->swap[first]; swap < &plan->swap[end];
	     swap++) {
		if (DMASIM_LIKELY(pfn[swap->id] != IOVA_NO_PFN)) {
			platform->cpu = swap->free_cpu;
			ops->free(allocator, pfn[swap->id], swap->free_pages, swap->free_how);
		} else {
			player->live++;
		}
		platform->cpu = swap->alloc_cpu;
		pfn[swap->id] = ops->alloc(allocator, swap->alloc_pages, limit, swap->alloc_how);
		if (DMASIM_UNLIKELY(pfn[swap->id] == IOVA_NO_PFN)) {
			player->failed++;
			player->live--;
		}
	}
}

void measure_batch(const struct measure_plan *plan, struct player *player, u32 first, u32 end)
{
	if (plan->shape == MEASURE_PAIR)
		do_pairs(plan, player, end - first);
	else if (plan->shape == MEASURE_SWAP)
		do_swaps(plan, player, first, end);
	else
		player_play(player, plan->unit[first].first, plan->unit[end - 1].end);
}
