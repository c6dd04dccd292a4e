/* SPDX-License-Identifier: MIT */
/*
 * Calls that come in pairs: what an unmap must repeat of its map.
 */
#include <dmasim/dma.h>

#include "check/judge.h"

static enum dma_debug_type type_of(enum piece_kind kind, enum dmasim_alloc alloc)
{
	static const enum dma_debug_type allocs[] = {
		[DMASIM_ALLOC_COHERENT] = DMA_DEBUG_COHERENT,
		[DMASIM_ALLOC_NONCOHERENT] = DMA_DEBUG_NONCOHERENT,
		[DMASIM_ALLOC_NONCONTIGUOUS] = DMA_DEBUG_SG,
	};

	if (kind == PIECE_ALLOC)
		return allocs[alloc];
	return kind == PIECE_SG || kind == PIECE_SG_BUS ? DMA_DEBUG_SG : DMA_DEBUG_PHY;
}

enum dma_debug_type judge_type(const struct piece *piece)
{
	return type_of(piece->kind, piece->alloc);
}

static void tell(struct check *check, const struct dmasim_event *event, const struct piece *was,
		 const char *what, const struct dma_debug_message *message)
{
	judge_found(check, event,
		    &(struct finding){ .id = DMASIM_REPORT_UNMAP_MISMATCH,
				       .what = what,
				       .piece = was,
				       .debug[0] = *message });
}

static void judge_size(struct check *check, const struct dmasim_event *event,
		       const struct piece *was)
{
	u64 size = was->at.last - was->at.start + 1;

	/* A segment of a list may be longer than what one entry leads to. */
	if (owners_is_of_list(was) && event->size > size)
		return;
	if (size != event->size)
		tell(check, event, was, "the size is another",
		     &(struct dma_debug_message){ .check = DMA_DEBUG_SIZE,
						  .number = { event->dma, size, event->size } });
}

static void judge_function(struct check *check, const struct dmasim_event *event,
			   const struct piece *was)
{
	enum dma_debug_type type = type_of(judge_kind(event), event->alloc);

	if (type != judge_type(was))
		tell(check, event, was, "it was mapped by another call",
		     &(struct dma_debug_message){
			     .check = DMA_DEBUG_FUNCTION,
			     .number = { event->dma, event->size },
			     .word = { dma_debug_type(judge_type(was)), dma_debug_type(type) } });
	else if (was->kind == PIECE_ALLOC && was->phys != event->phys)
		tell(check, event, was, "the CPU's address is of other memory",
		     &(struct dma_debug_message){
			     .check = DMA_DEBUG_CPU_ADDRESS,
			     .number = { event->dma, event->size, was->phys, event->phys } });
}

static void judge_direction(struct check *check, const struct dmasim_event *event,
			    const struct piece *was)
{
	if (was->dir != event->dir)
		tell(check, event, was, "the direction is another",
		     &(struct dma_debug_message){ .check = DMA_DEBUG_DIRECTION,
						  .number = { event->dma, event->size },
						  .word = { dma_debug_direction(was->dir),
							    dma_debug_direction(event->dir) } });
}

static void judge_attrs(struct check *check, const struct dmasim_event *event,
			const struct piece *was)
{
	if (judge_other_attrs(was->attrs, event->attrs))
		tell(check, event, was, "the attributes are others",
		     &(struct dma_debug_message){
			     .check = DMA_DEBUG_ATTRS,
			     .number = { event->dma, event->size, was->attrs, event->attrs } });
}

/* What a mapping returns looks like an address, also when it is none. */
static void judge_asked(struct check *check, const struct dmasim_event *event,
			const struct piece *was)
{
	if (check->report_unchecked && was->kind == PIECE_PHYS && !was->asked)
		judge_found(check, event,
			    &(struct finding){
				    .id = DMASIM_REPORT_MAPPING_UNCHECKED,
				    .what = "when it fails one day, the device gets an address "
					    "that is none",
				    .piece = was,
				    .debug[0] = { .check = DMA_DEBUG_NOT_CHECKED,
						  .number = { event->dma, event->size },
						  .word = { dma_debug_type(judge_type(was)) } } });
}

void judge_differences(struct check *check, const struct dmasim_event *event,
		       const struct piece *was)
{
	judge_size(check, event, was);
	judge_function(check, event, was);
	judge_direction(check, event, was);
	judge_asked(check, event, was);
	judge_attrs(check, event, was);
}
