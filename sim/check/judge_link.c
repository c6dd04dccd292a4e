/* SPDX-License-Identifier: MIT */
/*
 * The two-step API: links, and what makes them usable.
 */
#include <errno.h>

#include "check/judge.h"
#include "check/whole.h"

/* The page table has something there. */
static void judge_overlap(struct check *check, const struct dmasim_event *event,
			  struct owner_space *space, const struct owner_range *range)
{
	u64 start = (event->dma + event->offset) & ~JUDGE_GRANULE_MASK;
	u64 last = judge_last(event->dma + event->offset, event->size) | JUDGE_GRANULE_MASK;
	const struct piece *piece = owners_first(space, start, last);

	if (piece && piece->kind == PIECE_LINK && piece->state == range->state)
		judge_found(check, event,
			    &(struct finding){ .id = DMASIM_REPORT_LINK_OVERLAP,
					       .what = "dma_iova_unlink() comes first",
					       .piece = piece,
					       .range = range });
}

/* Whole granules are linked, so buffer and IOVA start at the same place of one. */
static void judge_aligned(struct check *check, const struct dmasim_event *event,
			  struct owner_space *space, const struct owner_range *range)
{
	u64 start = event->dma + event->offset;
	char what[160];
	struct text text;

	if (!((start ^ event->phys) & JUDGE_GRANULE_MASK))
		return;
	text_init(&text, what, sizeof(what));
	if (event->offset)
		text_add(&text,
			 "offset 0x%llx is inside a granule: every link but the last has "
			 "whole ones, dma_get_merge_boundary() tells",
			 event->offset);
	else
		text_add(&text,
			 "the buffer is at 0x%llx of its granule, that of "
			 "dma_iova_try_alloc() was at 0x%llx",
			 event->phys & JUDGE_GRANULE_MASK, event->dma & JUDGE_GRANULE_MASK);
	judge_found(check, event,
		    &(struct finding){ .id = DMASIM_REPORT_LINK_MISALIGNED,
				       .what = what,
				       .piece = event->offset
							? owners_first(space, start - 1, start - 1)
							: NULL,
				       .range = range });
}

static void judge_refused_link(struct check *check, const struct dmasim_event *event,
			       struct owner_space *space, const struct owner_range *range)
{
	if (!range || !event->size || judge_outside(check, event, space, range))
		return;
	if (event->ret == -EADDRINUSE)
		judge_overlap(check, event, space, range);
	else if (event->ret == -ENXIO || event->ret == -EINVAL || event->ret == -ERANGE)
		judge_aligned(check, event, space, range);
}

/* All that there is to say of the link is where it leads. */
static inline bool is_plain(const struct check *check, const struct dmasim_event *event)
{
	return !(event->attrs & DMA_ATTR_MMIO) && !memory_kinds_any(&check->kinds) &&
	       !check->hw->any_no_snoop;
}

DMASIM_HOT void judge_link(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;
	struct owner_range *range = judge_range(check, event, &space);
	struct piece *piece;
	bool told;

	if (check->call->mapped_nothing && event->size)
		judge_found(check, event,
			    &(struct finding){ .id = DMASIM_REPORT_LINKED_NOTHING,
					       .what = "some tables refuse that, others do it" });
	if (!space)
		return;
	if (DMASIM_UNLIKELY(event->ret)) {
		judge_refused_link(check, event, space, range);
		return;
	}
	/* What it leaves behind is the same mistake. */
	told = !range || judge_outside(check, event, space, range);
	if (!told && is_plain(check, event) &&
	    (whole_add(space, range, event) || links_add(space, range, event))) {
		judge_way(check, event);
		return;
	}
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
	if (piece)
		piece->told = told;
	judge_way(check, event);
	judge_memory(check, event, piece);
	/* Of one who snoops nobody watches links. */
	if (check->cpu.on && piece && DMASIM_UNLIKELY(check->hw->any_no_snoop))
		cpu_give(check, piece);
}

/* More than is linked may be synced: nobody looks. Where nothing is, it comes too early. */
DMASIM_HOT void judge_sync(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space;
	struct owner_range *range = judge_range(check, event, &space);
	u64 start = event->dma + event->offset;
	u64 last = judge_last(start, event->size);
	struct piece *piece;
	bool any = false;

	if (!range || event->ret || !event->size)
		return;
	if (range->whole.is_linked && whole_is_meant(range, event)) {
		range->whole.synced = true;
		judge_no_absent(check, event, start, last);
		return;
	}
	any = judge_outside(check, event, space, range);
	if (space->linked)
		any |= links_sync(space->links, start, last);
	judge_cut_around(check, space, start, last);
	for (piece = owners_first_apart(space, start, last); piece;
	     piece = owners_next(space, piece, start, last)) {
		piece->synced |= piece->kind == PIECE_LINK;
		any = true;
	}
	if (!any)
		judge_found(check, event,
			    &(struct finding){
				    .id = DMASIM_REPORT_SYNC_NOT_MAPPED,
				    .what = "nothing is linked there: dma_iova_sync() comes after "
					    "the links, with their offset and length",
				    .range = range,
			    });
	judge_no_absent(check, event, start, last);
}
