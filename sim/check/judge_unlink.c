/* SPDX-License-Identifier: MIT */
/*
 * The two-step API: how links end, and with them the range.
 *
 *   range    |==============================|
 *   links    |--a--|--b--|          |--c--|       an unlink of [a, c] stops at the hole
 */
#include <dmasim/dma.h>

#include "check/judge.h"
#include "check/whole.h"

/* What an unlink or a destroy has told of its links so far. */
struct ending {
	const struct dmasim_event *event;
	const struct owner_range *range; /* NULL: not known */
	bool told_direction;
	bool told_attrs;
};

static void judge_other(struct check *check, struct ending *ending, const struct piece *piece,
			const char *what)
{
	judge_found(check, ending->event,
		    &(struct finding){ .id = DMASIM_REPORT_UNMAP_MISMATCH,
				       .what = what,
				       .piece = piece,
				       .range = ending->range });
}

/* Caches and copies are looked after by what this call says, not by what the link said. */
static void judge_same(struct check *check, struct ending *ending, const struct piece *piece)
{
	if (!ending->range || piece->state != ending->range->state)
		return;
	if (DMASIM_UNLIKELY(piece->dir != ending->event->dir) && !ending->told_direction) {
		ending->told_direction = true;
		judge_other(check, ending, piece, "the direction is another than the link's");
	}
	if (DMASIM_UNLIKELY(judge_other_attrs(piece->attrs, ending->event->attrs)) &&
	    !ending->told_attrs) {
		ending->told_attrs = true;
		judge_other(check, ending, piece,
			    (piece->attrs ^ ending->event->attrs) & DMA_ATTR_MMIO
				    ? "DMA_ATTR_MMIO is in one of link and unlink alone"
				    : "the attributes are others than the link's");
	}
}

/* Behind the range everything went that was there, whoever mapped it. */
static bool is_gone(const struct ending *ending, const struct piece *piece)
{
	if (piece->kind == PIECE_LINK)
		return true;
	return ending->range && piece->at.start > ending->range->at.last &&
	       piece->kind != PIECE_SG_BUS;
}

/*
 * Takes the links of [start, last] out of the account. `last` is that of a granule, or the end of
 * what was found there: beyond a hole links stay.
 */
DMASIM_HOT static void end_links(struct check *check, struct owner_space *space, u64 start,
				 u64 last, struct ending *ending)
{
	struct piece *piece;

	/* While CPUs run at once, links of the range may be another call's. */
	if (space->linked && !check->call->taken.number)
		links_end(space->links, start, last, ending->range, ending->event);
	judge_cut_around(check, space, start, last);
	piece = owners_first(space, start, last);
	while (piece) {
		struct piece *next = owners_next(space, piece, start, last);

		if (is_gone(ending, piece) && !judge_is_others(&check->call->taken, piece)) {
			judge_same(check, ending, piece);
			judge_settle(check, ending->event, piece);
			owners_end(&check->owners, piece, ending->event->site);
		}
		piece = next;
	}
}

/* What the call has really unlinked. */
static void end_taken(struct check *check, struct owner_space *space, struct ending *ending)
{
	const struct check_taken *taken = &check->call->taken;

	if (taken->valid)
		end_links(check, space, taken->start, taken->last, ending);
}

/* ---- Less than told --------------------------------------------------- */

/* The first address that the call found nothing at. */
static u64 hole_of(const struct check *check, const struct dmasim_event *event)
{
	const struct check_taken *taken = &check->call->taken;
	u64 start = event->dma + event->offset;

	return taken->valid && taken->last > start ? taken->last + 1 : start;
}

DMASIM_HOT static struct piece *first_link(struct owner_space *space, u64 start, u64 last)
{
	struct piece *piece = start <= last ? owners_first(space, start, last) : NULL;

	while (piece && piece->kind != PIECE_LINK)
		piece = owners_next(space, piece, start, last);
	return piece;
}

/* Why the page table held another number of bytes than was to be unlinked. */
static void add_short(struct text *text, const struct dmasim_event *event, u64 hole, u64 last,
		      const struct finding *finding)
{
	if (hole > (last | JUDGE_GRANULE_MASK) ||
	    (finding->piece && finding->piece->at.start <= hole))
		text_add(
			text,
			"it is not a whole page of the table: a link is unlinked as it was linked");
	else if (finding->piece)
		text_add(text,
			 "a hole at offset 0x%llx ends the unlink: each part is unlinked by "
			 "itself",
			 hole - event->dma);
	else if (hole > event->dma + event->offset)
		text_add(text, "0x%llx of 0x%llx bytes are linked: the length is that of the links",
			 hole - event->dma - event->offset, event->size);
	else if (finding->past)
		text_add(text, "it was unlinked before");
	else
		text_add(text, "nothing was linked there");
}

/* Where links stay behind a hole, the end of their range tells. */
static void judge_short(struct check *check, const struct dmasim_event *event,
			struct owner_space *space, const struct owner_range *range)
{
	u64 last = judge_last(event->dma + event->offset, event->size);
	u64 hole = hole_of(check, event);
	struct finding finding = {
		.id = DMASIM_REPORT_UNMAP_SHORT,
		.range = range,
		.piece = first_link(space, hole, last),
		.past = owners_past(space, range->dev, hole),
	};
	char what[128];
	struct text text;

	if (finding.piece && event->type == DMASIM_EVENT_DESTROY)
		return;
	text_init(&text, what, sizeof(what));
	add_short(&text, event, hole, last, &finding);
	finding.what = what;
	judge_found(check, event, &finding);
}

static bool was_short(const struct check *check)
{
	return DMASIM_UNLIKELY(check->call->held.valid) &&
	       check->call->held.report.id == DMASIM_REPORT_UNMAP_SHORT;
}

/* Links of [dma + offset, + size) are over, as far as the page table had them. */
DMASIM_HOT static void judge_ended(struct check *check, const struct dmasim_event *event,
				   struct owner_space *space, const struct owner_range *range)
{
	struct ending ending = { .event = event, .range = range };

	if (range && !judge_outside(check, event, space, range) && was_short(check))
		judge_short(check, event, space, range);
	end_taken(check, space, &ending);
}

void judge_unlink(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;
	struct owner_range *range = judge_range(check, event, &space);
	u64 start = event->dma + event->offset;

	if (!space || !event->size)
		return;
	judge_ended(check, event, space, range);
	if (space->is_domain)
		judge_no_stale(check, space->id, start, judge_last(start, event->size),
			       STALE_UNMAPPED);
}

/* ---- The end ---------------------------------------------------------- */

static void tell_left(struct check *check, const struct dmasim_event *event,
		      const struct owner_range *range, const struct piece *left)
{
	char what[128];
	struct text text;

	text_init(&text, what, sizeof(what));
	if (event->type == DMASIM_EVENT_FREE)
		text_add(&text, "dma_iova_unlink() comes first, or dma_iova_destroy() with the "
				"length of all links");
	else if (was_short(check))
		text_add(&text,
			 "a hole at offset 0x%llx ends the unlink: each part is unlinked by "
			 "itself, then dma_iova_free()",
			 hole_of(check, event) - event->dma);
	else
		text_add(&text,
			 "dma_iova_destroy() was given 0x%llx bytes, and there are links "
			 "behind",
			 event->size);
	judge_found(check, event,
		    &(struct finding){ .id = DMASIM_REPORT_FREE_WITH_LINKS,
				       .what = what,
				       .piece = left,
				       .range = range });
}

/* The whole range goes: links that are still there are reachable through somebody else's IOVA. */
DMASIM_HOT static void end_range(struct check *check, const struct dmasim_event *event,
				 struct owner_space *space, struct owner_range *range)
{
	struct piece *left = first_link(space, range->at.start, range->at.last);

	if (DMASIM_UNLIKELY(left != NULL)) {
		struct ending ending = { .event = event };

		tell_left(check, event, range, left);
		end_links(check, space, range->at.start, range->at.last, &ending);
	}
	owners_range_end(&check->owners, space, range, event->site);
}

void judge_free(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;
	struct owner_range *range = judge_range(check, event, &space);

	if (range)
		end_range(check, event, space, range);
}

/* The state's one link is all of it, went as it was linked, and there is nothing to be told. */
static bool ends_whole(const struct check *check, const struct dmasim_event *event,
		       const struct owner_range *range)
{
	const struct check_taken *taken = &check->call->taken;
	const struct owner_whole *whole = &range->whole;

	return whole->is_linked && whole_is_meant(range, event) && taken->valid && !taken->number &&
	       taken->start == (range->at.start & ~JUDGE_GRANULE_MASK) &&
	       taken->last == (range->at.last | JUDGE_GRANULE_MASK) && whole->dir == event->dir &&
	       !judge_other_attrs(whole->attrs, event->attrs) && !check->call->held.valid;
}

DMASIM_HOT void judge_destroy(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;
	struct owner_range *range = judge_range(check, event, &space);

	if (!space)
		return;
	if (range && ends_whole(check, event, range)) {
		whole_end(&check->owners, space, range, event->site);
		owners_range_end(&check->owners, space, range, event->site);
		return;
	}
	judge_ended(check, event, space, range);
	if (range)
		end_range(check, event, space, range);
}
