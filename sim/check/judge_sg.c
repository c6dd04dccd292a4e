/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists that are mapped: their entries come several at once, before the map is over.
 */
#include <dmasim/dma.h>
#include <dmasim/scatterlist.h>

#include "check/judge.h"
#include "check/owner_list.h"

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
	return DMASIM_LIKELY(event->dir != DMA_NONE) &&
	       DMASIM_LIKELY(!(event->attrs & DMA_ATTR_MMIO)) && check_can_judge(check) &&
	       DMASIM_LIKELY(!memory_kinds_any(&check->kinds));
}

/*
 * Those from `piece` on that do not wait are the device's. By themselves: what they lead to may be
 * far away for the host, which fetches several at once if there is little else to do.
 */
static inline void give_quietly(struct check *check, struct piece *piece, const struct piece *waits,
				u64 attrs)
{
	bool can = cpu_first_can(check, attrs);

	if (!check->cpu.on)
		return;
	for (; piece != waits; piece = TAILQ_NEXT(piece, of_list)) {
		if (DMASIM_UNLIKELY(!can) || DMASIM_UNLIKELY(!cpu_first_keep(check, piece)))
			cpu_give(check, piece);
	}
}

/* The list that is being mapped. Who jumped out of a map has left one of another space, perhaps. */
static inline struct owner_list *list_of(struct owners *owners, struct owner_space *space,
					 bool together)
{
	if (DMASIM_LIKELY(!owners->open))
		return owners_new_list(owners, space, together);
	if (DMASIM_LIKELY(owners->open->space == space))
		return owners->open;
	owners_close_list(owners);
	return owners_new_list(owners, space, together);
}

/* Those that have bytes: another gives the device nothing. The first of their pieces, or NULL. */
static DMASIM_ALWAYS_INLINE struct piece *add_entries(struct check *check, struct owner_list *list,
						      const struct dmasim_event *event,
						      struct entries entries)
{
	bool is_quiet = is_quiet_call(check, event), asks = check->cached.caching;
	struct piece *first = NULL;

	for (; entries.at < entries.end; entries.at++) {
		const struct dmasim_sg_entry *entry = entries.at;
		struct piece *piece;

		if (DMASIM_UNLIKELY(!entry->size))
			continue;
		piece = owners_add_to_list(&check->owners, list, entry, first,
					   &(struct piece_desc){ .dev = event->dev,
								 .dir = event->dir,
								 .attrs = event->attrs,
								 .site = event->site });
		if (DMASIM_UNLIKELY(!piece))
			return first;
		first = first ? first : piece;
		if (DMASIM_LIKELY(!list->waits) &&
		    (DMASIM_UNLIKELY(!is_quiet) || DMASIM_UNLIKELY(entry->bus_address) ||
		     DMASIM_UNLIKELY(!share_begin(&check->owners, piece))))
			list->waits = piece;
		if (DMASIM_UNLIKELY(entry->bus_address) || DMASIM_UNLIKELY(asks) ||
		    DMASIM_UNLIKELY(!judge_is_ram(check, entry->phys)))
			judge_entry(check, event, entry);
	}
	return first;
}

DMASIM_HOT void judge_map_sg_entry(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);
	struct dmasim_sg_entry only;
	struct entries entries = entries_of(event, &only);
	bool together = entries.end - entries.at >= TOGETHER, all_wait;
	struct owner_list *list;
	struct piece *first;

	list = space ? list_of(&check->owners, space, together) : NULL;
	if (!list)
		return;
	all_wait = list->waits;
	first = add_entries(check, list, event, entries);
	if (DMASIM_LIKELY(!all_wait))
		give_quietly(check, first, list->waits, event->attrs);
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

/* An entry, and the segment beside it if there is one. */
DMASIM_COLD static void judge_limit_of(struct check *check, const struct dmasim_event *event,
				       const struct scatterlist *sg, bool has_segment)
{
	u64 boundary = event->list->boundary, last = judge_last(sg->dma_address, sg->dma_length);
	u32 longest = event->list->segment_bytes;

	if (sg->length > longest)
		tell_limit(check, event, sg,
			   &(struct finding){
				   .what = "the entry is longer than dma_get_max_seg_size()",
				   .debug[0] = { .check = DMA_DEBUG_SEGMENT_LENGTH,
						 .number = { sg->length, longest } } });
	if (has_segment && (sg->dma_address ^ last) & ~boundary)
		tell_limit(check, event, sg,
			   &(struct finding){
				   .what = "the segment crosses dma_get_seg_boundary()",
				   .debug[0] = { .check = DMA_DEBUG_SEGMENT_BOUNDARY,
						 .number = { sg->dma_address, last, boundary } } });
}

/* A driver that says what its device takes is not to ask for more. */
static void judge_limits(struct check *check, const struct dmasim_event *event)
{
	u64 boundary = event->list->boundary;
	u32 longest = event->list->segment_bytes;
	struct scatterlist *sg;
	u32 i;

	for_each_sg(event->list->sg, sg, event->count, i) {
		u64 last = sg->dma_address + sg->dma_length - 1;
		bool crosses = (sg->dma_address ^ last) & ~boundary;

		if (DMASIM_UNLIKELY((sg->length > longest) | crosses))
			judge_limit_of(check, event, sg, i < (u32)event->ret && sg->dma_length);
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
