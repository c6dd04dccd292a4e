/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists that are mapped: their entries come several at once, before the map is over.
 */
#include <dmasim/dma.h>
#include <dmasim/scatterlist.h>

#include "check/judge.h"

/* From so many entries on that are told at once, pieces of a list are kept together. */
#define TOGETHER 8

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
	if (DMASIM_LIKELY(is_quiet) && DMASIM_LIKELY(piece->kind == PIECE_SG) &&
	    DMASIM_LIKELY(share_begin(&check->owners, piece)))
		return;
	piece->list->waits = piece;
}

/*
 * Those from `piece` on that do not wait are the device's. By themselves: what they lead to may be
 * far away for the host, which fetches several at once if there is little else to do.
 */
static inline void give_quietly(struct check *check, struct piece *piece, u64 attrs)
{
	bool can = cpu_first_can(check, attrs);

	if (!check->cpu.on)
		return;
	for (; piece && piece != piece->list->waits; piece = TAILQ_NEXT(piece, of_list)) {
		if (DMASIM_UNLIKELY(!can) || DMASIM_UNLIKELY(!cpu_first_keep(check, piece)))
			cpu_give(check, piece);
	}
}

static inline struct piece *add_entry(struct check *check, struct owner_space *space,
				      const struct dmasim_event *event,
				      const struct dmasim_sg_entry *entry, bool is_quiet,
				      bool together)
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
				   },
				   together);

	if (piece)
		begin_quietly(check, piece, is_quiet);
	if (DMASIM_UNLIKELY(entry->bus_address) || DMASIM_UNLIKELY(check->cached.caching) ||
	    DMASIM_UNLIKELY(!judge_is_ram(check, entry->phys)))
		judge_entry(check, event, entry);
	return piece;
}

DMASIM_HOT void judge_map_sg_entry(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);
	struct dmasim_sg_entry only;
	struct entries entries = entries_of(event, &only);
	const struct owner_list *open = check->owners.open;
	bool all_wait = open && open->waits, is_quiet = is_quiet_call(check, event);
	bool together = entries.end - entries.at >= TOGETHER;
	struct piece *first = NULL;

	if (!space)
		return;
	for (; entries.at < entries.end; entries.at++) {
		struct piece *piece;

		/* An entry without bytes gives the device nothing. */
		if (!entries.at->size)
			continue;
		piece = add_entry(check, space, event, entries.at, is_quiet, together);
		first = first ? first : piece;
	}
	if (!all_wait)
		give_quietly(check, first, event->attrs);
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

DMASIM_HOT void judge_map_sg(struct check *check, const struct dmasim_event *event)
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
