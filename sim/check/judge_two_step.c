/* SPDX-License-Identifier: MIT */
/*
 * The two-step API: ranges, and the links in them.
 */
#include "check/judge.h"

void judge_try_alloc(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;

	if (!event->ret)
		return;
	space = owners_space(&check->owners, event->dev);
	if (space)
		owners_range_add(&check->owners, space,
				 &(struct piece_desc){ .dev = event->dev,
						       .dma = event->dma,
						       .size = event->size,
						       .site = event->site });
}

/* The range of the state that a call names; reports a state that owns none. */
static struct owner_range *range_of(struct check *check, const struct dmasim_event *event,
				    struct owner_space **space)
{
	struct owner_range *range;

	*space = owners_space(&check->owners, event->dev);
	if (!*space)
		return NULL;
	range = owners_range_find(*space, event->dev, event->dma);
	if (!range)
		judge_found(check, event, &(struct finding){ .id = DMASIM_REPORT_STATE_UNKNOWN });
	return range;
}

static void judge_inside(struct check *check, const struct dmasim_event *event,
			 const struct owner_range *range)
{
	if (event->offset > range->size || event->size > range->size - event->offset)
		judge_found(check, event,
			    &(struct finding){ .id = DMASIM_REPORT_LINK_OUTSIDE, .range = range });
}

void judge_link(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;
	struct owner_range *range = range_of(check, event, &space);
	struct piece *piece;

	if (check->call->mapped_nothing && event->size)
		judge_found(check, event,
			    &(struct finding){ .id = DMASIM_REPORT_LINKED_NOTHING,
					       .what = "some tables refuse that, others do it" });
	if (event->ret || !space)
		return;
	if (range)
		judge_inside(check, event, range);
	piece = owners_add(&check->owners, space,
			   &(struct piece_desc){
				   .kind = PIECE_LINK,
				   .dev = event->dev,
				   .dma = event->dma + event->offset,
				   .size = event->size,
				   .phys = event->phys,
				   .dir = event->dir,
				   .attrs = event->attrs,
				   .state = range ? range->state : 0,
				   .site = event->site,
			   });
	judge_way(check, event);
	judge_memory(check, event, piece);
}

/* Afterwards links begin and end at both ends of [start, last]. */
static void cut_around(struct check *check, struct owner_space *space, u64 start, u64 last)
{
	owners_cut(&check->owners, space, start);
	owners_cut(&check->owners, space, last + 1);
}

void judge_sync(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;
	struct owner_range *range = range_of(check, event, &space);
	u64 start = event->dma + event->offset;
	u64 last = judge_last(start, event->size);
	struct piece *piece;

	if (!range || event->ret || !event->size)
		return;
	judge_inside(check, event, range);
	cut_around(check, space, start, last);
	for (piece = owners_first(space, start, last); piece;
	     piece = owners_next(space, piece, start, last))
		piece->synced |= piece->kind == PIECE_LINK;
	judge_no_absent(check, event, start, last);
}

/*
 * Takes the links of [start, last] out of the account. `last` is that of a granule, or the end of
 * what was found there: beyond a hole links stay.
 */
static void end_links(struct check *check, struct owner_space *space, u64 start, u64 last,
		      const struct dmasim_site *site)
{
	struct piece *piece;

	cut_around(check, space, start, last);
	piece = owners_first(space, start, last);
	while (piece) {
		struct piece *next = owners_next(space, piece, start, last);

		if (piece->kind == PIECE_LINK && !judge_is_others(&check->call->taken, piece))
			owners_end(&check->owners, piece, site);
		piece = next;
	}
}

/* What the call has really unlinked. */
static void end_taken(struct check *check, struct owner_space *space,
		      const struct dmasim_site *site)
{
	if (check->call->taken.valid)
		end_links(check, space, check->call->taken.start, check->call->taken.last, site);
}

void judge_unlink(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;
	struct owner_range *range = range_of(check, event, &space);
	u64 start = event->dma + event->offset;
	u64 last = judge_last(start, event->size);

	if (!space || !event->size)
		return;
	if (range)
		judge_inside(check, event, range);
	end_taken(check, space, event->site);
	if (space->is_domain)
		stale_judge(check, space->id, start, last, STALE_UNMAPPED);
}

/* The whole range goes: links that are still there are reachable through somebody else's IOVA. */
static void end_range(struct check *check, const struct dmasim_event *event,
		      struct owner_space *space, struct owner_range *range)
{
	struct piece *left = owners_first(space, range->at.start, range->at.last);

	while (left && left->kind != PIECE_LINK)
		left = owners_next(space, left, range->at.start, range->at.last);
	if (left) {
		judge_found(check, event,
			    &(struct finding){ .id = DMASIM_REPORT_FREE_WITH_LINKS,
					       .piece = left,
					       .range = range });
		end_links(check, space, range->at.start, range->at.last, event->site);
	}
	owners_range_end(&check->owners, space, range);
}

void judge_free(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;
	struct owner_range *range = range_of(check, event, &space);

	if (range)
		end_range(check, event, space, range);
}

void judge_destroy(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;
	struct owner_range *range = range_of(check, event, &space);

	if (!space)
		return;
	if (range)
		judge_inside(check, event, range);
	end_taken(check, space, event->site);
	if (range)
		end_range(check, event, space, range);
}
