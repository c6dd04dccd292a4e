/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists: their entries come one by one, before the map is over and before the unmap begins.
 */
#include <dmasim/dma.h>

#include "check/judge.h"

void judge_map_sg_entry(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);

	if (!space)
		return;
	owners_add_to_list(&check->owners, space,
			   &(struct piece_desc){
				   .kind = event->bus_address ? PIECE_SG_BUS : PIECE_SG,
				   .dev = event->dev,
				   .dma = event->dma,
				   .size = event->size,
				   .phys = event->phys,
				   .dir = DMA_NONE,
				   .synced = true,
				   .site = event->site,
			   });
	if (!event->bus_address)
		judge_way(check, event);
}

/* The list is complete: its pieces learn their direction. */
void judge_map_sg(struct check *check, const struct dmasim_event *event)
{
	struct owner_list *list = owners_close_list(&check->owners);
	struct piece *piece;

	if (!list)
		return;
	list->entries = event->count;
	LIST_FOREACH(piece, &list->pieces, of_list)
		piece->dir = event->dir;
}

static void judge_flag(struct check *check, const struct dmasim_event *event,
		       const struct piece *piece)
{
	bool is_bus = piece->kind == PIECE_SG_BUS;

	if (is_bus && !event->bus_address)
		judge_found(check, event,
			    &(struct finding){ .id = DMASIM_REPORT_BUS_FLAG_LOST, .piece = piece });
	if (!is_bus && event->bus_address)
		judge_found(
			check, event,
			&(struct finding){ .id = DMASIM_REPORT_UNMAP_MISMATCH,
					   .what = "an IOVA carries the bus-address flag: it is "
						   "not unmapped",
					   .piece = piece });
}

void judge_unmap_sg_entry(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);
	u64 last = judge_last(event->dma, event->size);
	struct piece *piece;

	if (!space)
		return;
	for (piece = owners_first(space, event->dma, last); piece;
	     piece = owners_next(space, piece, event->dma, last)) {
		if (piece->dev != event->dev || !piece->list)
			continue;
		piece->ending = true;
		check->ending_list = piece->list;
		judge_flag(check, event, piece);
	}
}

/* Ends the pieces that the unmap named. Returns one it did not name; NULL: all are gone. */
static struct piece *end_named(struct check *check, struct owner_list *list,
			       const struct dmasim_site *site)
{
	struct piece *stays = NULL;
	struct piece *piece, *next;

	for (piece = LIST_FIRST(&list->pieces); piece; piece = next) {
		next = LIST_NEXT(piece, of_list);
		if (piece->ending)
			owners_end(&check->owners, piece, site);
		else
			stays = piece;
	}
	return stays;
}

void judge_unmap_sg(struct check *check, const struct dmasim_event *event)
{
	struct owner_list *list = check->ending_list;
	struct finding finding = { .id = DMASIM_REPORT_UNMAP_MISMATCH };

	check->ending_list = NULL;
	if (!list) {
		finding.id = DMASIM_REPORT_UNMAP_NOT_MAPPED;
		judge_found(check, event, &finding);
		return;
	}
	if (list->entries != event->count)
		finding.what = "the number of entries is another than the map was given";
	else if (LIST_FIRST(&list->pieces)->dir != event->dir)
		finding.what = "the direction is another";
	finding.piece = end_named(check, list, event->site);
	if (finding.piece && !finding.what)
		finding.what = "a part of the list stays mapped";
	if (finding.what)
		judge_found(check, event, &finding);
}
