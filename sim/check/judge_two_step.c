/* SPDX-License-Identifier: MIT */
/*
 * The two-step API: states, from try_alloc to the end, and calls that do not fit them. What is
 * linked in their ranges is in judge_link.c and judge_unlink.c.
 *
 * The account knows a state by its device and address: Linux's 16 bytes may be copied. So a state
 * that is allocated over is no mistake yet; the range that nobody can end any more is a leak, and
 * that is told with the call that took the struct.
 */
#include "check/judge.h"

DMASIM_HOT void judge_try_alloc(struct check *check, const struct dmasim_event *event)
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
						       .where = event->pointer,
						       .site = event->site });
}

/* It was meant to end the range, which now stays: the same mistake, and no leak beside it. */
static void excuse(struct owner_space *space, struct owner_range *range)
{
	struct piece *piece = owners_first(space, range->at.start, range->at.last);

	range->told = true;
	for (; piece; piece = owners_next(space, piece, range->at.start, range->at.last))
		piece->told |= piece->kind == PIECE_LINK && piece->state == range->state;
}

static struct owner_range *tell_foreign(struct check *check, const struct dmasim_event *event,
					struct owner_space *space, struct owner_space *its_space,
					struct owner_range *range)
{
	char what[96];
	struct text text;

	text_init(&text, what, sizeof(what));
	text_add(&text, "it was allocated for ");
	text_add_bdf(&text, range->dev);
	text_add(&text, ": every call of a state takes the same device");
	judge_found(check, event,
		    &(struct finding){
			    .id = DMASIM_REPORT_STATE_FOREIGN, .what = what, .range = range });
	if (its_space == space)
		return range;
	if (event->type == DMASIM_EVENT_FREE || event->type == DMASIM_EVENT_DESTROY)
		excuse(its_space, range);
	return NULL;
}

struct owner_range *judge_no_range(struct check *check, const struct dmasim_event *event,
				   struct owner_space *space)
{
	const struct owner_range *past = owners_range_past(space, event->dev, event->dma);
	struct owner_space *its_space;
	struct owner_range *range;

	if (past) {
		judge_found(check, event,
			    &(struct finding){ .id = DMASIM_REPORT_STATE_ENDED,
					       .what = "dma_iova_free() and dma_iova_destroy() end "
						       "a state, and leave its bytes as they are",
					       .range = past });
		return NULL;
	}
	range = event->dma ? owners_range_of_any(&check->owners, event->dma, &its_space) : NULL;
	if (range)
		return tell_foreign(check, event, space, its_space, range);
	judge_found(check, event,
		    &(struct finding){
			    .id = DMASIM_REPORT_STATE_UNKNOWN,
			    .what = event->dma ? "no dma_iova_try_alloc() gave this address"
					       : "dma_iova_try_alloc() was not called, or said no: "
						 "dma_use_iova() tells",
		    });
	return NULL;
}

/* ---- Outside ---------------------------------------------------------- */

/* What lies behind the range: links that went too far with a report, or somebody else's mapping. */
static struct piece *behind(struct owner_space *space, const struct owner_range *range,
			    const struct dmasim_event *event)
{
	u64 start = event->dma + event->offset;
	u64 last = judge_last(start, event->size);

	start = start > range->at.last ? start : range->at.last + 1;
	return last < start ? NULL : owners_first(space, start, last);
}

bool judge_goes_out(struct check *check, const struct dmasim_event *event,
		    struct owner_space *space, const struct owner_range *range)
{
	const struct piece *piece;
	char what[128];
	struct text text;

	piece = behind(space, range, event);
	if (piece && piece->told && piece->state == range->state)
		return true;
	text_init(&text, what, sizeof(what));
	text_add(&text, "from offset 0x%llx on 0x%llx bytes, and the range has 0x%llx",
		 event->offset, event->size, range->size);
	judge_found(check, event,
		    &(struct finding){ .id = DMASIM_REPORT_LINK_OUTSIDE,
				       .what = what,
				       .piece = piece,
				       .range = range });
	return true;
}

/* ---- Inside ---------------------------------------------------------- */

void judge_cut(struct check *check, struct owner_space *space, u64 address)
{
	cpu_cut(check, space, address);
	owners_cut(&check->owners, space, address);
}
