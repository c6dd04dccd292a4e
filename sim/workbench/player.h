/* SPDX-License-Identifier: MIT */
/*
 * Plays a workload on one allocator, in a world of its own.
 */
#ifndef WORKBENCH_PLAYER_H
#define WORKBENCH_PLAYER_H

#include "workbench/iova_world.h"
#include "workbench/workload.h"

struct player {
	const struct iova_allocator_ops *ops;
	struct iova_allocator *allocator;
	struct iova_world *world;
	struct platform *platform;
	const struct dmasim_iova_workload *workload;
	u64 *pfn;	 /* of each id; IOVA_NO_PFN: it has no range */
	u64 last_pfn;	 /* of the space, or of what of it the allocator can manage */
	u64 live;	 /* ranges */
	u64 failed;	 /* allocations, and reservations */
	u64 empty_bytes; /* what the allocator has before the first operation */
};

/* False: no memory. */
bool player_open(struct player *player, const struct iova_allocator_ops *ops,
		 const struct dmasim_iova_workload *workload);
void player_close(struct player *player);

/* Plays [first, end) of the list. */
void player_play(struct player *player, size_t first, size_t end);

/* Plays one; inline, because it is timed. */
static inline void player_alloc(struct player *player, const struct workload_op *op)
{
	u64 limit = op->limit < player->last_pfn ? op->limit : player->last_pfn;
	u64 pfn = player->ops->alloc(player->allocator, op->pages, limit, op->how);

	player->pfn[op->id] = pfn;
	player->live += pfn != IOVA_NO_PFN;
	player->failed += pfn == IOVA_NO_PFN;
}

static inline void player_free(struct player *player, const struct workload_op *op)
{
	u64 pfn = player->pfn[op->id];

	if (pfn == IOVA_NO_PFN)
		return;
	player->pfn[op->id] = IOVA_NO_PFN;
	player->live--;
	player->ops->free(player->allocator, pfn, op->pages, op->how & IOVA_CACHE);
}

/* Is it there, as far as the allocator tells? */
static inline bool player_find(struct player *player, const struct workload_op *op)
{
	struct iova_range range;
	u64 pfn = player->pfn[op->id];

	if (!player->ops->next || pfn == IOVA_NO_PFN)
		return true;
	return player->ops->next(player->allocator, pfn, &range) && range.first_pfn <= pfn;
}

static inline void player_do(struct player *player, const struct workload_op *op)
{
	player->platform->cpu = op->cpu;
	switch (op->type) {
	case WORKLOAD_ALLOC:
		player_alloc(player, op);
		break;
	case WORKLOAD_RETRY:
		if (player->pfn[op->id] == IOVA_NO_PFN)
			player_alloc(player, op);
		break;
	case WORKLOAD_FREE:
		player_free(player, op);
		break;
	case WORKLOAD_RESERVE:
		player->failed += player->ops->reserve(player->allocator, op->pages, op->limit) < 0;
		break;
	case WORKLOAD_FIND:
		player->failed += !player_find(player, op);
		break;
	default:
		iova_world_advance(player->world, op->limit);
	}
}

#endif
