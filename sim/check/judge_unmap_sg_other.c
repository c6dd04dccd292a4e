/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists that are unmapped as none was mapped: which is meant, and what is wrong with it.
 */
#include <dmasim/dma.h>

#include "check/judge.h"

#define COUNT_BYTES 64 /* of the line that tells two numbers of entries */

/* What the call tells of the list, from some segment on. */
struct segments {
	const struct dmasim_sg_entry *at;
	const struct dmasim_sg_entry *end;
};

static inline u64 last_of(const struct dmasim_sg_entry *segment)
{
	return segment->dma + (segment->size - 1);
}

/*
 * The segment that names a piece, from the first of `segments` on, which goes on with it: both
 * follow the order of the list's entries. One segment may name several pieces; it is used up with
 * the one that ends where it ends. NULL: none names it.
 */
static const struct dmasim_sg_entry *naming(struct segments *segments, const struct piece *piece)
{
	const struct dmasim_sg_entry *segment;

	for (segment = segments->at; segment < segments->end; segment++) {
		if (piece->at.start < segment->dma || piece->at.start > last_of(segment))
			continue;
		segments->at = piece->at.last < last_of(segment) ? segment : segment + 1;
		return segment;
	}
	return NULL;
}

/* How well a mapped list fits what is unmapped; the highest is everything. */
struct fit {
	u32 named;
	bool all_named;
	bool all_segments; /* each ends where a piece does */
	bool same_entries;
	bool same_direction;
	bool same_attrs;
};

static struct fit fit_of(const struct owner_list *list, struct segments segments,
			 const struct dmasim_event *event)
{
	struct fit fit = {
		.all_named = true,
		.same_entries = list->entries == event->count,
		.same_direction = list->dir == event->dir,
		.same_attrs = !judge_other_attrs(list->attrs, event->attrs),
	};
	const struct piece *piece;
	bool within = true;

	TAILQ_FOREACH(piece, &list->pieces, of_list) {
		const struct dmasim_sg_entry *segment = naming(&segments, piece);

		if (segment)
			fit.named++;
		else
			fit.all_named = false;
		within = within && segment && piece->at.last <= last_of(segment);
	}
	fit.all_segments = within && segments.at == segments.end;
	return fit;
}

static u32 score(const struct fit *fit)
{
	return 16U * fit->all_named + 8U * fit->all_segments + 4U * fit->same_entries +
	       2U * fit->same_direction + fit->same_attrs;
}

/* The mapped list that is meant: of those that have the first segment, the one that fits best. */
static struct owner_list *find_list(struct owner_space *space, struct segments segments,
				    const struct dmasim_event *event, struct fit *fit)
{
	struct owner_list *best = NULL;
	struct piece *piece;
	u64 start, last;

	if (segments.at == segments.end)
		return NULL;
	start = segments.at->dma;
	last = last_of(segments.at);
	for (piece = owners_first(space, start, last); piece;
	     piece = owners_next(space, piece, start, last)) {
		struct fit this;

		if (!owners_is_of_list(piece) || piece->dev != event->dev || piece->list == best)
			continue;
		this = fit_of(piece->list, segments, event);
		if (this.named && (!best || score(&this) > score(fit))) {
			best = piece->list;
			*fit = this;
		}
	}
	return best;
}

/* Its segment says of the flag what the mapping does not. */
static void tell_flag(struct check *check, const struct piece *piece,
		      const struct dmasim_event *event)
{
	if (piece->kind == PIECE_SG_BUS)
		judge_found(check, event,
			    &(struct finding){ .id = DMASIM_REPORT_BUS_FLAG_LOST, .piece = piece });
	else
		judge_found(check, event,
			    &(struct finding){ .id = DMASIM_REPORT_UNMAP_MISMATCH,
					       .what = "an IOVA carries the bus-address flag: it "
						       "is not unmapped",
					       .piece = piece });
}

/* Ends the pieces that are named, and tells where a flag is not what it was. */
static void end_named(struct check *check, struct owner_list *list, struct segments segments,
		      const struct dmasim_event *event)
{
	const struct dmasim_sg_entry *segment;
	struct piece *piece, *following;
	bool told = false;

	for (piece = TAILQ_FIRST(&list->pieces); piece; piece = following) {
		following = TAILQ_NEXT(piece, of_list);
		segment = naming(&segments, piece);
		if (!segment)
			continue;
		if ((piece->kind == PIECE_SG_BUS) != segment->bus_address && !told) {
			tell_flag(check, piece, event);
			told = true;
		}
		judge_settle(check, event, piece);
		owners_end(&check->owners, piece, event->site);
	}
}

/* Linux goes by the segments: with too few entries, all may be unmapped all the same. */
static void tell_count(struct check *check, const struct dmasim_event *event,
		       const struct owner_list *list, const struct fit *fit)
{
	const struct piece *first = TAILQ_FIRST(&list->pieces);
	char explained[COUNT_BYTES];
	struct text text;

	text_init(&text, explained, sizeof(explained));
	text_add(&text, "  %-9s %u at the map, %u at the unmap\n", "entries", list->entries,
		 event->count);
	judge_found(check, event,
		    &(struct finding){
			    .id = DMASIM_REPORT_UNMAP_MISMATCH,
			    .dma = first->at.start,
			    .what = "the number of entries is another than the map was given",
			    .explained = explained,
			    .hardware = fit->all_named ? "all of it is unmapped, but caches are "
							 "cleaned for other entries"
						       : NULL,
			    .piece = first,
			    .debug[0] = { .check = DMA_DEBUG_ENTRY_COUNT,
					  .number = { list->entries, event->count } } });
}

/* Everything in which an unmap differs from the map of the list that it means. */
static void tell_differences(struct check *check, const struct dmasim_event *event,
			     const struct owner_list *list, const struct fit *fit)
{
	const struct piece *first = TAILQ_FIRST(&list->pieces);
	u64 size = first->at.last - first->at.start + 1;

	if (!fit->same_entries)
		tell_count(check, event, list, fit);
	else if (!fit->all_named)
		judge_found(check, event,
			    &(struct finding){ .id = DMASIM_REPORT_UNMAP_MISMATCH,
					       .what = "a part of the list stays mapped",
					       .piece = first });
	if (!fit->same_direction)
		judge_found(check, event,
			    &(struct finding){
				    .id = DMASIM_REPORT_UNMAP_MISMATCH,
				    .what = "the direction is another",
				    .piece = first,
				    .debug[0] = { .check = DMA_DEBUG_DIRECTION,
						  .number = { first->at.start, size },
						  .word = { dma_debug_direction(list->dir),
							    dma_debug_direction(event->dir) } } });
	if (!fit->same_attrs)
		judge_found(check, event,
			    &(struct finding){
				    .id = DMASIM_REPORT_UNMAP_MISMATCH,
				    .what = "the attributes are others",
				    .piece = first,
				    .debug[0] = { .check = DMA_DEBUG_ATTRS,
						  .number = { first->at.start, size, list->attrs,
							      event->attrs } } });
}

/* What the first segment names was mapped by a call for no list. */
static struct piece *find_no_list(struct owner_space *space, struct segments segments,
				  const struct dmasim_event *event)
{
	struct piece *piece;
	u64 start;

	if (segments.at == segments.end)
		return NULL;
	start = segments.at->dma;
	for (piece = owners_first(space, start, start); piece;
	     piece = owners_next(space, piece, start, start)) {
		if (piece->dev == event->dev && piece->at.start == start &&
		    (piece->kind == PIECE_PHYS || piece->kind == PIECE_ALLOC))
			return piece;
	}
	return NULL;
}

static void judge_no_list(struct check *check, struct owner_space *space, struct segments segments,
			  const struct dmasim_event *event)
{
	struct piece *piece = space ? find_no_list(space, segments, event) : NULL;
	bool any = segments.at < segments.end;
	u64 start = any ? segments.at->dma : 0;
	struct finding finding = {
		.id = DMASIM_REPORT_UNMAP_NOT_MAPPED,
		.debug[0] = { .check = start == DMA_MAPPING_ERROR ? DMA_DEBUG_ERROR_VALUE
								  : DMA_DEBUG_NOT_ALLOCATED,
			      .number = { start, any ? segments.at->size : 0 } },
	};

	if (!event->count) {
		/* dma-debug goes from entry to entry, and there is none. */
		finding.what = "the list has no entries: was it never mapped?";
		finding.debug[0].check = DMA_DEBUG_NONE;
	}
	if (piece) {
		finding.id = DMASIM_REPORT_UNMAP_MISMATCH;
		finding.what = "it was mapped by another call";
		finding.piece = piece;
		finding.debug[0].check = DMA_DEBUG_FUNCTION;
		finding.debug[0].word[0] = dma_debug_type(judge_type(piece));
		finding.debug[0].word[1] = dma_debug_type(DMA_DEBUG_SG);
	}
	judge_found(check, event, &finding);
	if (!piece)
		return;
	judge_settle(check, event, piece);
	owners_end(&check->owners, piece, event->site);
}

void judge_unmap_sg_other(struct check *check, struct owner_space *space,
			  const struct dmasim_event *event)
{
	const struct check_segments *told = &check->call->segments;
	/* None were ever kept: then there is no array. */
	struct segments segments = { told->at, told->at ? told->at + told->count : NULL };
	struct fit fit = { 0 };
	struct owner_list *list = space ? find_list(space, segments, event, &fit) : NULL;

	if (list) {
		tell_differences(check, event, list, &fit);
		end_named(check, list, segments, event);
	} else {
		judge_no_list(check, space, segments, event);
	}
}
