/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "topo_place.h"

/* ---- The tree --------------------------------------------------------- */

/* The first from `next` on that is `depth` deep and has a box; TOPO_NONE: the bus ends before. */
static u32 next_on_bus(const struct topo *topo, u32 next, u32 host_bridge, u32 depth)
{
	for (; next < topo->function_count; next++) {
		const struct topo_function *function = &topo->function[next];

		if (function->depth < depth || function->host_bridge != host_bridge)
			break;
		if (function->depth == depth && !function->physfn)
			return next;
	}
	return TOPO_NONE;
}

u32 topo_first_below(const struct topo *topo, u32 bridge)
{
	const struct topo_function *function = &topo->function[bridge];

	return next_on_bus(topo, bridge + 1, function->host_bridge, function->depth + 1);
}

u32 topo_next_beside(const struct topo *topo, u32 at)
{
	const struct topo_function *function = &topo->function[at];

	return next_on_bus(topo, at + 1, function->host_bridge, function->depth);
}

static bool same_device(const struct topo *topo, u32 a, u32 b)
{
	return topo->function[a].pdev->dev.id >> 3 == topo->function[b].pdev->dev.id >> 3;
}

/* ---- Rows ------------------------------------------------------------- */

static bool has_frame(const struct topo *topo, u32 at)
{
	return topo_is_switch(&topo->function[at]) && topo_first_below(topo, at) != TOPO_NONE;
}

/* The frame's head of a switch that begins in the row of `at`. */
static u32 head_of_row(const struct topo *topo, u32 at)
{
	for (; at != TOPO_NONE; at = topo_first_below(topo, at)) {
		if (has_frame(topo, at))
			return SWITCH_HEAD;
	}
	return 0;
}

static void lower(struct topo_place *place, u32 bottom)
{
	if (place->bottom < bottom)
		place->bottom = bottom;
}

/* A bus and all that is below, from the row at y on. */
static void place_bus(struct topo_place *place, u32 first, u32 x, u32 y)
{
	const struct topo *topo = place->topo;
	u32 before = TOPO_NONE;

	for (u32 at = first; at != TOPO_NONE; at = topo_next_beside(topo, at)) {
		u32 below = topo_first_below(topo, at);

		if (before != TOPO_NONE)
			y = place->bottom + head_of_row(topo, at) +
			    (same_device(topo, before, at) ? GAP_FUNCTIONS : GAP_DEVICES);
		place->at[at] = (struct topo_at){ x, y };
		lower(place, y + BOX_HEIGHT);
		if (below != TOPO_NONE)
			place_bus(place, below, x + STEP, y);
		if (has_frame(topo, at)) {
			struct topo_frame frame = topo_switch_frame(place, at);

			lower(place, frame.y + frame.height);
		}
		before = at;
	}
}

struct topo_frame topo_switch_frame(const struct topo_place *place, u32 upstream)
{
	const struct topo *topo = place->topo;
	struct topo_at corner = place->at[upstream];
	u32 bottom = corner.y;

	for (u32 at = topo_first_below(topo, upstream); at != TOPO_NONE;
	     at = topo_next_beside(topo, at))
		bottom = place->at[at].y;
	return (struct topo_frame){
		.x = corner.x - FRAME_PAD,
		.y = corner.y - SWITCH_HEAD,
		.width = STEP + BOX_WIDTH + 2 * FRAME_PAD,
		.height = bottom + BOX_HEIGHT + FRAME_PAD - (corner.y - SWITCH_HEAD),
	};
}

/* ---- Columns ---------------------------------------------------------- */

u32 topo_host_lines(const struct topo_host_bridge *host)
{
	return host->window_count < HOST_WINDOWS_MAX ? host->window_count : HOST_WINDOWS_MAX;
}

static u32 deepest(const struct topo *topo, const struct topo_host_bridge *host)
{
	u32 depth = 1;

	for (u32 i = 0; i < host->function_count; i++) {
		const struct topo_function *function = &topo->function[host->first_function + i];

		if (function->depth > depth)
			depth = function->depth;
	}
	return depth;
}

static u32 column_width(const struct topo *topo, const struct topo_host_bridge *host)
{
	return 2 * FRAME_PAD + deepest(topo, host) * STEP - LINK_WIDTH;
}

static void place_host(struct topo_place *place, u32 index, u32 x, u32 y)
{
	const struct topo_host_bridge *host = &place->topo->host_bridge[index];
	u32 head = HOST_HEAD + topo_host_lines(host) * HOST_LINE;
	u32 first = host->first_function;

	place->bottom = 0;
	place_bus(place, first, x + FRAME_PAD, y + head + head_of_row(place->topo, first));
	lower(place, place->bottom + FRAME_PAD);
	place->host[index] = (struct topo_frame){
		.x = x,
		.y = y,
		.width = BOX_WIDTH + 2 * FRAME_PAD,
		.height = place->bottom - y,
	};
}

/* Columns side by side; those that would make the picture too wide begin another row of columns. */
static void place_columns(struct topo_place *place)
{
	const struct topo *topo = place->topo;
	u32 x = 0, y = 0;

	for (u32 i = 0; i < topo->host_bridge_count; i++) {
		u32 width = column_width(topo, &topo->host_bridge[i]);

		if (x && x + width > WIDTH_MAX) {
			x = 0;
			y = place->height + COLUMN_GAP;
		}
		place_host(place, i, x, y);
		if (place->height < place->bottom)
			place->height = place->bottom;
		if (place->width < x + width)
			place->width = x + width;
		x += width + COLUMN_GAP;
	}
}

bool topo_place(struct topo_place *place, const struct topo *topo)
{
	*place = (struct topo_place){
		.topo = topo,
		.at = calloc(topo->function_count + 1, sizeof(*place->at)),
		.host = calloc(topo->host_bridge_count + 1, sizeof(*place->host)),
	};
	if (!place->at || !place->host)
		return false;
	place_columns(place);
	return true;
}

void topo_place_free(struct topo_place *place)
{
	free(place->at);
	free(place->host);
}
