/* SPDX-License-Identifier: MIT */
/*
 * The end of a mapping of one piece: which one an address means, and what went along with it.
 */
#include <dmasim/dma.h>

#include "check/judge.h"

/* What dma-debug finds that looks at addresses and sizes alone. */
static struct dma_debug_message unlike(const struct dmasim_event *event, const struct piece *meant)
{
	u64 size = meant ? meant->at.last - meant->at.start + 1 : 0;

	if (!meant)
		return (struct dma_debug_message){ .check = DMA_DEBUG_NOT_ALLOCATED,
						   .number = { event->dma, event->size } };
	if (size == event->size)
		return (struct dma_debug_message){ .check = DMA_DEBUG_NONE };
	return (struct dma_debug_message){ .check = DMA_DEBUG_SIZE,
					   .number = { event->dma, size, event->size } };
}

static void tell_foreign(struct check *check, struct owner_space *space,
			 const struct dmasim_event *event, const struct piece *torn,
			 const struct piece *meant)
{
	struct dma_debug_message debug = unlike(event, meant);

	if (!meant && !owners_past(space, event->dev, event->dma) &&
	    judge_bus_unmapped(check, space, event, torn, &debug))
		return;
	judge_found(check, event,
		    &(struct finding){
			    .id = DMASIM_REPORT_UNMAP_FOREIGN, .piece = torn, .debug[0] = debug });
}

static const struct owner_list *list_of(const struct piece *piece)
{
	return piece && owners_is_of_list(piece) ? piece->list : NULL;
}

/* A segment leads to several pieces, which are the list's own. */
static bool is_of_list(const struct piece *piece, const struct owner_list *list)
{
	return list && list_of(piece) == list;
}

/*
 * Somebody else's mapping in what was taken out of the page table: it is torn down, and from now on
 * its owner finds nothing there. False: there is none. `meant` is the mapping that the unmap is
 * for; NULL: there is none either.
 */
static bool judge_foreign(struct check *check, struct owner_space *space,
			  const struct dmasim_event *event, const struct piece *meant)
{
	const struct check_taken *taken = &check->call->taken;
	const struct owner_list *list = list_of(meant);
	struct piece *piece;
	bool found = false;

	piece = taken->valid ? owners_first(space, taken->start, taken->last) : NULL;
	while (piece) {
		struct piece *next = owners_next(space, piece, taken->start, taken->last);

		if (is_of_list(piece, list)) {
			/* Whoever is told jumps out, perhaps, before it is ended. */
			piece->told = true;
		} else if (piece->kind != PIECE_SG_BUS && !judge_is_others(taken, piece)) {
			if (!found)
				tell_foreign(check, space, event, piece, meant);
			found = true;
			owners_end(&check->owners, piece, event->site);
		}
		piece = next;
	}
	return found;
}

/* What else was taken of the list. */
static void end_own(struct check *check, struct owner_space *space,
		    const struct dmasim_event *event, const struct owner_list *list)
{
	const struct check_taken *taken = &check->call->taken;
	struct piece *piece;

	piece = taken->valid ? owners_first(space, taken->start, taken->last) : NULL;
	while (piece) {
		struct piece *next = owners_next(space, piece, taken->start, taken->last);

		if (is_of_list(piece, list)) {
			judge_settle(check, event, piece);
			owners_end(&check->owners, piece, event->site);
		}
		piece = next;
	}
}

/*
 * The mapping that an unmap means, of those at its address, of which this is the first. Without an
 * IOMMU the same buffer may be mapped several times: of those, the one that differs least; *same:
 * in nothing.
 */
static struct piece *best_of(const struct check_taken *taken, const struct owner_space *space,
			     const struct dmasim_event *event, struct piece *piece, bool *same)
{
	enum piece_kind kind = judge_kind(event);
	u64 last = judge_last(event->dma, event->size);
	struct piece *best = NULL;
	u32 least = ~0U;

	for (; piece; piece = owners_next(space, piece, event->dma, event->dma)) {
		u32 differs;

		if (piece->at.start != event->dma || piece->dev != event->dev ||
		    piece->kind == PIECE_LINK || piece->kind == PIECE_SG_BUS ||
		    judge_is_others(taken, piece))
			continue;
		differs = 8U * (piece->kind != kind) + 4U * (piece->at.last != last) +
			  2U * (piece->dir != event->dir) +
			  judge_other_attrs(piece->attrs, event->attrs);
		*same = !differs;
		if (*same)
			return piece;
		if (differs < least) {
			least = differs;
			best = piece;
		}
	}
	return best;
}

static inline struct piece *meant(const struct check_taken *taken, struct owner_space *space,
				  const struct dmasim_event *event, bool *same)
{
	struct piece *first = owners_first(space, event->dma, event->dma);

	*same = first && first->at.start == event->dma && first->dev == event->dev &&
		first->at.last - event->dma + 1 == event->size && first->dir == event->dir &&
		first->kind == judge_kind(event) &&
		!judge_other_attrs(first->attrs, event->attrs) && !judge_is_others(taken, first);
	return *same ? first : best_of(taken, space, event, first, same);
}

/* The device's own mapping that the address lies in, but does not begin; NULL: there is none. */
static struct piece *around(const struct check_taken *taken, struct owner_space *space,
			    const struct dmasim_event *event)
{
	struct piece *piece;

	for (piece = owners_first(space, event->dma, event->dma); piece;
	     piece = owners_next(space, piece, event->dma, event->dma)) {
		if (piece->dev == event->dev && piece->kind == PIECE_PHYS &&
		    !judge_is_others(taken, piece))
			return piece;
	}
	return NULL;
}

static void tell_not_mapped(struct check *check, struct owner_space *space,
			    const struct dmasim_event *event, const struct piece *around)
{
	bool error = event->dma == DMA_MAPPING_ERROR;
	const char *what = error ? "the address is what a failed mapping returns" : NULL;
	struct finding finding = {
		.id = DMASIM_REPORT_UNMAP_NOT_MAPPED,
		.what = around ? "the address is not that of the mapping, but inside it" : what,
		.piece = around,
		.past = around ? NULL : owners_past(space, event->dev, event->dma),
		.debug[0] = { .check = error ? DMA_DEBUG_ERROR_VALUE : DMA_DEBUG_NOT_ALLOCATED,
			      .number = { event->dma, event->size } },
	};

	if (around || finding.past ||
	    !judge_bus_unmapped(check, space, event, NULL, &finding.debug[0]))
		judge_found(check, event, &finding);
}

/* No mapping begins at the address. Behind an IOMMU one around it goes with its granule. */
static void unmap_unknown(struct check *check, struct owner_space *space,
			  const struct dmasim_event *event)
{
	const struct check_taken *taken = &check->call->taken;
	struct piece *piece = around(taken, space, event);

	if (!piece) {
		if (!judge_foreign(check, space, event, NULL))
			tell_not_mapped(check, space, event, NULL);
		return;
	}
	if (taken->valid)
		owners_end(&check->owners, piece, event->site);
	if (!taken->valid || !judge_foreign(check, space, event, NULL))
		tell_not_mapped(check, space, event, piece);
}

DMASIM_HOT void judge_unmap_phys(struct check *check, const struct dmasim_event *event)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);
	const struct check_taken *taken = &check->call->taken;
	const struct owner_list *list;
	struct piece *piece;
	bool same;

	if (!space || (!event->size && owners_end_empty(&check->owners, event->dev)))
		return;
	piece = meant(taken, space, event, &same);
	if (!piece) {
		unmap_unknown(check, space, event);
		return;
	}
	list = list_of(piece);
	judge_settle(check, event, piece);
	owners_end(&check->owners, piece, event->site);
	if (!taken->valid || !owners_first(space, taken->start, taken->last)) {
		judge_pair(check, event, piece, same);
		return;
	}
	/*
	 * With another size it may have taken a neighbour along: that is told instead. If not,
	 * nothing has ended since, and the record is still there.
	 */
	if (!judge_foreign(check, space, event, piece))
		judge_pair(check, event, piece, same);
	end_own(check, space, event, list);
}
