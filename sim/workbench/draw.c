/* SPDX-License-Identifier: MIT */
#include "workbench/draw.h"

#include <stdlib.h>

#include "workbench/text.h"

static void make_title(const struct player *player, char *text, size_t bytes)
{
	const struct dmasim_iova_workload_config *config = &player->workload->config;
	char live[TEXT_BYTES], failed[TEXT_BYTES];
	int length;

	length = snprintf(text, bytes, "%s: %s live range%s", player->workload->name,
			  text_count(player->live, live), player->live == 1 ? "" : "s");
	if (config->seed)
		length += snprintf(text + length, bytes - (size_t)length,
				   ", below 2^%u, %u CPU%s%s, seed %llu", config->limit_bits,
				   config->cpus, config->cpus == 1 ? "" : "s",
				   config->no_cache ? ", no cache" : "", config->seed);
	if (player->failed)
		snprintf(text + length, bytes - (size_t)length, ", %s failure%s",
			 text_count(player->failed, failed), player->failed == 1 ? "" : "s");
}

static u64 cached_ranges(const struct player *player)
{
	struct iova_stats stats;

	if (!player->ops->stats)
		return ~0ULL;
	player->ops->stats(player->allocator, &stats);
	return stats.cached_ranges;
}

/* Plays the workload and looks at what is left. False: no memory. */
static bool prepare(struct drawing *drawing, const struct iova_allocator_ops *ops,
		    const struct dmasim_iova_workload *workload)
{
	struct player player;
	bool done;

	if (!player_open(&player, ops, workload))
		return false;
	player_play(&player, 0, workload->count);
	drawing->name = ops->name;
	drawing->cached_ranges = cached_ranges(&player);
	make_title(&player, drawing->title, sizeof(drawing->title));
	done = space_init(&drawing->space, &player);
	player_close(&player);
	return done;
}

int dmasim_iova_draw(const struct dmasim_iova_drawing *what, FILE *out,
		     struct dmasim_iova_error *error)
{
	struct drawing *drawing = calloc(what->allocator_count, sizeof(*drawing));
	bool done = drawing;
	u32 made = 0;

	while (done && made < what->allocator_count) {
		done = prepare(&drawing[made], what->allocators[made], what->workload);
		made += done;
	}
	if (done)
		(what->svg ? draw_svg : draw_text)(out, drawing, made);
	while (made)
		space_fini(&drawing[--made].space);
	free(drawing);
	if (done)
		return 0;
	snprintf(error->text, sizeof(error->text), "no memory");
	return -1;
}
