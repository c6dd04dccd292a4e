/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists that are unmapped as they were mapped; judge_unmap_sg_other.c has the rest.
 */
#include <dmasim/dma.h>
#include <dmasim/scatterlist.h>

#include "check/judge.h"
#include "check/owner_list.h"

/* The segments of a list that is about to be unmapped, one after the other. */
struct told {
	struct scatterlist *sg;
	u32 left;
	bool merged;
};

static inline void told_next(struct told *told)
{
	told->sg = --told->left ? sg_next(told->sg) : NULL;
}

/* The next that has bytes; NULL: there are no more. */
static inline struct scatterlist *told_segment(struct told *told)
{
	while (told->sg && DMASIM_UNLIKELY(!sg_dma_len(told->sg))) {
		if (told->merged)
			return NULL;
		told_next(told);
	}
	return told->sg;
}

static inline struct told told_of(const struct dmasim_event *event)
{
	return (struct told){ event->count ? event->list->sg : NULL, event->count,
			      event->list->merged };
}

/*
 * True if the list is unmapped as it was mapped: every piece is named, in order, and every segment
 * ends where a piece does.
 */
static bool is_all(const struct owner_list *list, const struct dmasim_event *event)
{
	struct told told = told_of(event);
	struct scatterlist *segment = told_segment(&told);
	const struct piece *piece;

	if (DMASIM_UNLIKELY(list->entries != event->count) ||
	    DMASIM_UNLIKELY(list->dir != event->dir) ||
	    DMASIM_UNLIKELY(judge_other_attrs(list->attrs, event->attrs)))
		return false;
	TAILQ_FOREACH(piece, &list->pieces, of_list) {
		u64 last;

		if (!segment)
			return false;
		last = segment->dma_address + (sg_dma_len(segment) - 1);
		if (piece->at.start < segment->dma_address || piece->at.last > last ||
		    (piece->kind == PIECE_SG_BUS) != sg_dma_is_bus_address(segment))
			return false;
		if (piece->at.last != last)
			continue;
		told_next(&told);
		segment = told_segment(&told);
	}
	return !segment;
}

/* The mapped list that is unmapped as it was mapped; NULL: there is none. */
static struct owner_list *find_same(struct owner_space *space, const struct dmasim_event *event)
{
	struct told told = told_of(event);
	const struct scatterlist *first = told_segment(&told);
	const struct owner_list *tried = NULL;
	struct piece *piece;
	u64 last;

	if (!first)
		return NULL;
	last = first->dma_address + (sg_dma_len(first) - 1);
	if (space->together) {
		struct owner_list *list = owners_first_list(space, first->dma_address, last);

		if (list && TAILQ_FIRST(&list->pieces)->dev == event->dev && is_all(list, event))
			return list;
	}
	for (piece = owners_first(space, first->dma_address, last); piece;
	     piece = owners_next(space, piece, first->dma_address, last)) {
		if (!owners_is_of_list(piece) || piece->dev != event->dev || piece->list == tried)
			continue;
		if (DMASIM_LIKELY(is_all(piece->list, event)))
			return piece->list;
		tried = piece->list;
	}
	return NULL;
}

static void keep_segment(struct check *check, const struct dmasim_sg_entry *segment)
{
	if (segment->size &&
	    !check_segments_add(&check->call->segments, &check->world->memory, segment))
		check->blind = true;
}

DMASIM_COLD static void keep_segments(struct check *check, const struct dmasim_event *event)
{
	struct told told = told_of(event);
	struct scatterlist *sg;

	check->call->segments.count = 0;
	for (sg = told_segment(&told); sg; sg = told_segment(&told)) {
		keep_segment(check,
			     &(struct dmasim_sg_entry){ .dma = sg->dma_address,
							.size = sg_dma_len(sg),
							.bus_address = sg_dma_is_bus_address(sg) });
		told_next(&told);
	}
}

DMASIM_HOT void judge_unmap_sg_entry(struct check *check, const struct dmasim_event *event)
{
	struct check_call *call = check->call;
	struct owner_space *space;

	if (DMASIM_UNLIKELY(!event->list)) {
		keep_segment(check, &(struct dmasim_sg_entry){ .dma = event->dma,
							       .size = event->size,
							       .bus_address = event->bus_address });
		return;
	}
	space = owners_space(&check->owners, event->dev);
	call->same = space ? find_same(space, event) : NULL;
	if (DMASIM_LIKELY(call->same))
		call->same_number = call->same->number;
	else
		keep_segments(check, event);
}

/* True if the CPU has done nothing to its memory that is to be told, or to be looked for. */
static bool is_quiet(const struct check *check, const struct piece *piece)
{
	return DMASIM_LIKELY(!piece->watched) &&
	       (!piece->keeps_first || DMASIM_LIKELY(cpu_first_is_same(check, piece)));
}

/* Ends pieces as long as there is nothing to tell of them. The first that is left; NULL: none. */
static struct piece *end_quiet(struct check *check, const struct owner_list *list, bool together,
			       const struct dmasim_event *event)
{
	struct piece *piece = TAILQ_FIRST(&list->pieces), *next;
	struct piece_end end;

	owners_set_end(&check->owners, &end, event->site);
	for (; piece && is_quiet(check, piece); piece = next) {
		next = TAILQ_NEXT(piece, of_list);
		if (!together)
			interval_remove(&piece->space->pieces, &piece->at);
		owners_remember(&check->owners, piece);
		piece->ended.where = end.where;
		piece->ended.ns = end.ns;
		piece->ended.frames_allocated = end.frames_allocated;
	}
	return piece;
}

static void end_all(struct check *check, struct owner_list *list, const struct dmasim_event *event)
{
	struct owner_space *space = list->space;
	bool together = list->is_together;
	struct piece *piece, *next;

	if (together)
		owners_take_list(list);
	piece = end_quiet(check, list, together, event);
	for (next = together ? piece : NULL; next; next = TAILQ_NEXT(next, of_list))
		interval_insert(&space->pieces, &next->at);
	/* Whoever is told of the others jumps out, perhaps. */
	owners_begin_list_at(&check->owners, list, piece);
	for (; piece; piece = next) {
		next = TAILQ_NEXT(piece, of_list);
		judge_settle(check, event, piece);
		owners_end(&check->owners, piece, event->site);
	}
}

DMASIM_HOT void judge_unmap_sg(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);
	struct check_call *call = check->call;

	if (DMASIM_LIKELY(call->same && call->same->number == call->same_number)) {
		end_all(check, call->same, event);
	} else {
		/* Another CPU's call has ended it. */
		if (call->same)
			keep_segments(check, event);
		judge_unmap_sg_other(check, space, event);
	}
	call->same = NULL;
	call->segments.count = 0;
}
