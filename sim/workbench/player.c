/* SPDX-License-Identifier: MIT */
#include "workbench/player.h"

#include <stdlib.h>

#define GRANULE_LG2 12

static bool make(struct player *player)
{
	const struct dmasim_iova_workload *workload = player->workload;

	player->world = iova_world_create(workload->cpus);
	if (!player->world)
		return false;
	player->platform = iova_world_platform(player->world);
	player->allocator = player->ops->create(&(struct iova_allocator_config){
		.platform = player->platform,
		.cpus = workload->cpus,
		.granule_lg2 = GRANULE_LG2,
		.start_pfn = workload->start_pfn,
		.last_pfn = player->last_pfn,
		.context = player->ops->context,
	});
	return player->allocator;
}

bool player_open(struct player *player, const struct iova_allocator_ops *ops,
		 const struct dmasim_iova_workload *workload)
{
	*player =
		(struct player){ .ops = ops, .workload = workload, .last_pfn = workload->last_pfn };
	player->pfn = reallocarray(NULL, (size_t)workload->id_count + 1, sizeof(*player->pfn));
	if (ops->max_pfn && ops->max_pfn < player->last_pfn)
		player->last_pfn = ops->max_pfn;
	if (!player->pfn || !make(player)) {
		player_close(player);
		return false;
	}
	for (u32 id = 0; id < workload->id_count; id++)
		player->pfn[id] = IOVA_NO_PFN;
	player->empty_bytes = iova_world_counts(player->world)->live_bytes;
	return true;
}

void player_close(struct player *player)
{
	if (player->allocator)
		player->ops->destroy(player->allocator);
	if (player->world)
		iova_world_destroy(player->world);
	free(player->pfn);
}

void player_play(struct player *player, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		player_do(player, &player->workload->op[i]);
}
