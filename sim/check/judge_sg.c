/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists: their entries come one by one, before the map is over and before the unmap begins.
 */
#include <dmasim/dma.h>
#include <dmasim/scatterlist.h>

#include "check/judge.h"

/* Those that an event is about: several, or the only one, which *only has then. */
struct entries {
	const struct dmasim_sg_entry *at;
	const struct dmasim_sg_entry *end;
};

static inline struct entries entries_of(const struct dmasim_event *event,
					struct dmasim_sg_entry *only)
{
	if (DMASIM_LIKELY(event->list))
		return (struct entries){ event->list->entry, event->list->entry + event->done };
	only->dma = event->dma;
	only->phys = event->phys;
	only->size = event->size;
	only->done = event->done;
	only->bus_address = event->bus_address;
	return (struct entries){ only, only + 1 };
}

/* What is to be said of one entry by itself: rarely anything. */
static void judge_entry(struct check *check, const struct dmasim_event *event,
			const struct dmasim_sg_entry *entry)
{
	struct dmasim_event one = *event;

	one.dma = entry->dma;
	one.phys = entry->phys;
	one.size = entry->size;
	if (!entry->bus_address) {
		judge_no_absent(check, &one, one.dma, judge_last(one.dma, one.size));
		judge_way(check, &one);
	} else if (entry->done != entry->size) {
		judge_found(check, &one,
			    &(struct finding){ .id = DMASIM_REPORT_SEGMENT_LENGTH,
					       .what = "the device goes by the segment" });
	}
}

/*
 * A new piece is judged at once while there is nothing to say. From the first of which there may be
 * something, all wait: it is told when the list is complete.
 */
static inline bool is_quiet_call(const struct check *check, const struct dmasim_event *event)
{
	return event->dir != DMA_NONE && !(event->attrs & DMA_ATTR_MMIO) &&
	       check_can_judge(check) && !memory_kinds_any(&check->kinds);
}

static inline void begin_quietly(struct check *check, struct piece *piece, bool is_quiet)
{
	if (piece->list->waits)
		return;
	if (DMASIM_UNLIKELY(!is_quiet || piece->kind != PIECE_SG ||
			    !share_begin(&check->owners, piece)))
		piece->list->waits = piece;
}

/*
 * Those from `piece` on that do not wait are the device's. By themselves: what they lead to may be
 * far away for the host, which fetches several at once if there is little else to do.
 */
static inline void give_quietly(struct check *check, struct piece *piece)
{
	bool can = cpu_first_can(check);

	if (!check->cpu.on)
		return;
	for (; piece && piece != piece->list->waits; piece = TAILQ_NEXT(piece, of_list)) {
		if (DMASIM_UNLIKELY(!can || !cpu_first_keep(check, piece)))
			cpu_give(check, piece);
	}
}

static inline struct piece *add_entry(struct check *check, struct owner_space *space,
				      const struct dmasim_event *event,
				      const struct dmasim_sg_entry *entry, bool is_quiet)
{
	struct piece *piece =
		owners_add_to_list(&check->owners, space,
				   &(struct piece_desc){
					   .kind = entry->bus_address ? PIECE_SG_BUS : PIECE_SG,
					   .dev = event->dev,
					   .dma = entry->dma,
					   .size = entry->size,
					   .phys = entry->phys,
					   .dir = event->dir,
					   .attrs = event->attrs,
					   .synced = true,
					   .site = event->site,
				   });

	if (piece)
		begin_quietly(check, piece, is_quiet);
	if (DMASIM_UNLIKELY(entry->bus_address || check->cached.caching ||
			    !judge_is_ram(check, entry->phys)))
		judge_entry(check, event, entry);
	return piece;
}

void judge_map_sg_entry(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);
	struct dmasim_sg_entry only;
	struct entries entries = entries_of(event, &only);
	const struct owner_list *open = check->owners.open;
	bool all_wait = open && open->waits, is_quiet = is_quiet_call(check, event);
	struct piece *first = NULL;

	if (!space)
		return;
	for (; entries.at < entries.end; entries.at++) {
		struct piece *piece;

		/* An entry without bytes gives the device nothing. */
		if (!entries.at->size)
			continue;
		piece = add_entry(check, space, event, entries.at, is_quiet);
		first = first ? first : piece;
	}
	if (!all_wait)
		give_quietly(check, first);
}

DMASIM_COLD static void tell_limit(struct check *check, const struct dmasim_event *event,
				   const struct scatterlist *sg, const struct finding *finding)
{
	struct finding full = *finding;

	full.id = DMASIM_REPORT_SEGMENT_LIMIT;
	full.dev = event->dev;
	full.dma = sg->dma_address;
	full.size = sg->length;
	full.site = event->site;
	check_report(check, &full);
}

/* A driver that says what its device takes is not to ask for more. */
static void judge_limits(struct check *check, const struct dmasim_event *event)
{
	u64 boundary = event->list->boundary;
	u32 longest = event->list->segment_bytes;
	struct scatterlist *sg;
	u32 i;

	for_each_sg(event->list->sg, sg, event->count, i) {
		u64 last = judge_last(sg->dma_address, sg->dma_length);

		if (DMASIM_UNLIKELY(sg->length > longest))
			tell_limit(
				check, event, sg,
				&(struct finding){
					.what = "the entry is longer than dma_get_max_seg_size()",
					.debug[0] = { .check = DMA_DEBUG_SEGMENT_LENGTH,
						      .number = { sg->length, longest } } });
		if (DMASIM_UNLIKELY((sg->dma_address ^ last) & ~boundary) && i < (u32)event->ret)
			tell_limit(check, event, sg,
				   &(struct finding){
					   .what = "the segment crosses dma_get_seg_boundary()",
					   .debug[0] = { .check = DMA_DEBUG_SEGMENT_BOUNDARY,
							 .number = { sg->dma_address, last,
								     boundary } } });
	}
}

/* The list is complete: what was put off is judged. */
static void judge_waiting(struct check *check, const struct dmasim_event *event,
			  struct owner_list *list)
{
	struct piece *piece = list->waits;

	list->waits = NULL;
	for (; piece; piece = TAILQ_NEXT(piece, of_list)) {
		piece->dir = (u8)event->dir;
		piece->attrs = event->attrs;
		/* What it shares was found, and not yet told. */
		if (piece->is_shared && check_can_judge(check))
			judge_shared(check, event, piece);
		else if (piece->kind == PIECE_SG)
			judge_memory(check, event, piece);
		judge_give(check, piece);
	}
}

void judge_map_sg(struct check *check, const struct dmasim_event *event)
{
	struct owner_list *list;

	if (event->list->entry)
		judge_map_sg_entry(check, event);
	list = owners_close_list(&check->owners);
	if (event->ret > 0 && check_can_judge(check))
		judge_limits(check, event);
	if (DMASIM_UNLIKELY(event->list->changed))
		judge_found(
			check, event,
			&(struct finding){ .id = DMASIM_REPORT_LIST_CHANGED,
					   .what = "the driver's own list is another one now" });

	if (!list)
		return;
	list->entries = event->count;
	list->dir = event->dir;
	list->attrs = event->attrs;
	if (DMASIM_UNLIKELY(list->waits))
		judge_waiting(check, event, list);
}

/* ---- Unmap -------------------------------------------------------------- */

static inline u64 last_of(const struct dmasim_sg_entry *segment)
{
	return segment->dma + (segment->size - 1);
}

/*
 * The segment that names a piece, from the first of `segments` on, which goes on with it: both
 * follow the order of the list's entries. One segment may name several pieces; it is used up with
 * the one that ends where it ends. NULL: none names it.
 */
static const struct dmasim_sg_entry *naming(struct entries *segments, const struct piece *piece)
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

	if (list->entries != event->count || list->dir != event->dir ||
	    judge_other_attrs(list->attrs, event->attrs))
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
		keep_segment(check, &(struct dmasim_sg_entry){
					    .dma = sg->dma_address,
					    .size = sg_dma_len(sg),
					    .bus_address = sg_dma_is_bus_address(sg) });
		told_next(&told);
	}
}

void judge_unmap_sg_entry(struct check *check, const struct dmasim_event *event)
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

static struct fit fit_of(const struct owner_list *list, struct entries segments,
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
static struct owner_list *find_list(struct owner_space *space, struct entries segments,
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
static void end_named(struct check *check, struct owner_list *list, struct entries segments,
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

/* True if the CPU has done nothing to its memory that is to be told, or to be looked for. */
static bool is_quiet(const struct check *check, const struct piece *piece)
{
	return !piece->watched && (!piece->keeps_first || cpu_first_is_same(check, piece));
}

/* Ends pieces as long as there is nothing to tell of them. The first that is left; NULL: none. */
static struct piece *end_quiet(struct check *check, const struct owner_list *list,
			       const struct dmasim_event *event)
{
	struct piece *piece = TAILQ_FIRST(&list->pieces), *next;
	struct piece_end end;

	owners_set_end(&check->owners, &end, event->site);
	for (; piece && is_quiet(check, piece); piece = next) {
		next = TAILQ_NEXT(piece, of_list);
		owners_remember(&check->owners, piece);
		piece->ended.where = end.where;
		piece->ended.ns = end.ns;
		piece->ended.frames_allocated = end.frames_allocated;
	}
	return piece;
}

static void end_all(struct check *check, struct owner_list *list, const struct dmasim_event *event)
{
	struct piece *piece = end_quiet(check, list, event), *next;

	/* Whoever is told of the others jumps out, perhaps. */
	owners_begin_list_at(&check->owners, list, piece);
	for (; piece; piece = next) {
		next = TAILQ_NEXT(piece, of_list);
		judge_settle(check, event, piece);
		owners_end(&check->owners, piece, event->site);
	}
}

/* Everything in which an unmap differs from the map of the list that it means. */
static void tell_differences(struct check *check, const struct dmasim_event *event,
			     const struct owner_list *list, const struct fit *fit)
{
	const struct piece *first = TAILQ_FIRST(&list->pieces);
	u64 size = first->at.last - first->at.start + 1;

	if (!fit->same_entries)
		judge_found(check, event,
			    &(struct finding){
				    .id = DMASIM_REPORT_UNMAP_MISMATCH,
				    .what = "the number of entries is another than the map was "
					    "given",
				    .piece = first,
				    .debug[0] = { .check = DMA_DEBUG_ENTRY_COUNT,
						  .number = { list->entries, event->count } } });
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
static struct piece *find_no_list(const struct owner_space *space, struct entries segments,
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

static void judge_no_list(struct check *check, struct owner_space *space, struct entries segments,
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

/* It is not what any list was mapped as. By itself: what is usual needs no stack for it. */
DMASIM_COLD __attribute__((noinline)) static void unmap_other(struct check *check,
							      struct owner_space *space,
							      const struct dmasim_event *event)
{
	const struct check_segments *told = &check->call->segments;
	struct entries segments = { told->at, told->at + told->count };
	struct fit fit = { 0 };
	struct owner_list *list = space ? find_list(space, segments, event, &fit) : NULL;

	if (list) {
		tell_differences(check, event, list, &fit);
		end_named(check, list, segments, event);
	} else {
		judge_no_list(check, space, segments, event);
	}
}

void judge_unmap_sg(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);
	struct check_call *call = check->call;

	if (DMASIM_LIKELY(call->same && call->same->number == call->same_number)) {
		end_all(check, call->same, event);
	} else {
		/* Another CPU's call has ended it. */
		if (call->same)
			keep_segments(check, event);
		unmap_other(check, space, event);
	}
	call->same = NULL;
	call->segments.count = 0;
}
