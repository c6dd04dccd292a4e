/* SPDX-License-Identifier: MIT */
/*
 * Syncs: what they name must be mapped, all of it, and the way it was mapped.
 */
#include <dmasim/dma.h>
#include <dmasim/scatterlist.h>

#include "check/judge.h"

/* A stretch of a sync. */
struct turn {
	u64 start;
	u64 last;
};

static bool allows(const struct piece *piece, u32 dir)
{
	return piece->dir == DMA_BIDIRECTIONAL || piece->dir == dir;
}

/* The device's mapping of an address; of several, one that allows the direction. */
static struct piece *piece_at(struct owner_space *space, const struct dmasim_event *event, u64 dma)
{
	struct piece *piece, *found = NULL;

	for (piece = owners_first(space, dma, dma); piece;
	     piece = owners_next(space, piece, dma, dma)) {
		if (piece->dev != event->dev)
			continue;
		if (allows(piece, event->dir))
			return piece;
		if (!found)
			found = piece;
	}
	return found;
}

static void found(struct check *check, const struct dmasim_event *event, const struct turn *turn,
		  const struct finding *finding)
{
	struct finding full = *finding;

	/* To look for a mapping may take memory. */
	if (!check_can_judge(check))
		return;
	full.dev = event->dev;
	full.dma = turn->start;
	full.size = turn->last - turn->start + 1;
	full.site = event->site;
	check_report(check, &full);
}

static void tell_not_mapped(struct check *check, const struct dmasim_event *event,
			    struct owner_space *space, const struct turn *turn, u64 at)
{
	const struct piece *piece = at > turn->start ? piece_at(space, event, at - 1) : NULL;
	struct check_held *held = &check->call->held;
	bool overrun = held->valid && held->report.id == DMASIM_REPORT_BOUNCE_OVERRUN;

	/* What the pool has seen of it is part of this. */
	held->valid = held->valid && !overrun;
	found(check, event, turn,
	      &(struct finding){
		      .id = overrun ? DMASIM_REPORT_BOUNCE_OVERRUN : DMASIM_REPORT_SYNC_NOT_MAPPED,
		      .what = piece ? "it goes on beyond the end of the mapping" : NULL,
		      .linux_says = overrun ? held->report.what : NULL,
		      .piece = piece,
		      .past = piece ? NULL : owners_past(space, event->dev, at),
		      .debug[0] = { .check = DMA_DEBUG_SYNC_NOT_ALLOCATED,
				    .number = { turn->start, turn->last - turn->start + 1 } },
	      });
}

static void tell_direction(struct check *check, const struct dmasim_event *event,
			   const struct turn *turn, const struct piece *piece)
{
	struct finding finding = {
		.id = DMASIM_REPORT_SYNC_MISMATCH,
		.what = "the direction is another",
		.piece = piece,
		.debug[0] = { .check = DMA_DEBUG_SYNC_DIRECTION,
			      .number = { turn->start, piece->at.last - piece->at.start + 1 },
			      .word = { dma_debug_direction(piece->dir),
					dma_debug_direction(event->dir) } },
	};
	bool for_cpu = judge_is_for_cpu(event);

	if (piece->dir == (for_cpu ? DMA_TO_DEVICE : DMA_FROM_DEVICE)) {
		finding.debug[1] = finding.debug[0];
		finding.debug[1].check = for_cpu ? DMA_DEBUG_SYNC_READ_ONLY
						 : DMA_DEBUG_SYNC_WRITE_ONLY;
		finding.what = for_cpu ? "the direction is another, and the device never writes it"
				       : "the direction is another, and the device never reads it";
	}
	found(check, event, turn, &finding);
}

bool check_stopped(const struct check *check, const struct dmasim_event *event)
{
	const struct check_held *held = &check->call->held;

	return event->dir >= DMA_NONE ||
	       (held->valid && held->report.id == DMASIM_REPORT_NO_DMA_MASK);
}

/* Parts of one mapping: entries that a segment has joined, links of a state. */
static bool is_one_mapping(const struct piece *a, const struct piece *b)
{
	return a->dev == b->dev &&
	       ((a->list && a->list == b->list) || (a->state && a->state == b->state));
}

/* How far the mapping of a piece goes on without a gap; no farther than `last` is of interest. */
static u64 mapping_last(struct owner_space *space, const struct piece *piece, u64 last)
{
	u64 end = piece->at.last;

	while (end < last) {
		struct piece *next = owners_first(space, end + 1, end + 1);

		while (next && !is_one_mapping(piece, next))
			next = owners_next(space, next, end + 1, end + 1);
		if (!next)
			return end;
		end = next->at.last;
	}
	return last;
}

/* The mapping that a sync means: the one that has most of it, then one that allows it. */
static const struct piece *meant(struct owner_space *space, const struct dmasim_event *event,
				 const struct turn *turn, u64 *last)
{
	struct piece *piece, *best = NULL;

	for (piece = owners_first(space, turn->start, turn->start); piece;
	     piece = owners_next(space, piece, turn->start, turn->start)) {
		u64 end;

		if (piece->dev != event->dev)
			continue;
		end = mapping_last(space, piece, turn->last);
		if (best && (end < *last || (end == *last && allows(best, event->dir))))
			continue;
		best = piece;
		*last = end;
	}
	return best;
}

/* False: it was told that the direction is another; once is enough. */
static bool judge_turn(struct check *check, const struct dmasim_event *event,
		       const struct turn *turn)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);
	const struct piece *piece;
	u64 last = 0;

	if (!space)
		return true;
	piece = meant(space, event, turn, &last);
	if (!piece || last < turn->last)
		tell_not_mapped(check, event, space, turn, piece ? last + 1 : turn->start);
	if (!piece || allows(piece, event->dir))
		return true;
	tell_direction(check, event, turn, piece);
	return false;
}

static bool is_judged(const struct check *check, const struct dmasim_event *event)
{
	return check_can_judge(check) && !check_stopped(check, event);
}

void judge_turn_single(struct check *check, const struct dmasim_event *event)
{
	const struct turn turn = { event->dma, judge_last(event->dma, event->size) };

	if (DMASIM_UNLIKELY(check->blind))
		check_let_go(check);
	if (!is_judged(check, event) || !event->size)
		return;
	judge_turn(check, event, &turn);
	if (check->cpu.on)
		cpu_turn(check, event, turn.start, turn.last);
}

/*
 * The device's list that a sync of it means, by its first segment: of several that share memory,
 * one that has as many entries.
 */
static const struct piece *list_at(struct owner_space *space, const struct dmasim_event *event,
				   u64 dma)
{
	struct piece *piece, *found = NULL;

	for (piece = owners_first(space, dma, dma); piece;
	     piece = owners_next(space, piece, dma, dma)) {
		if (piece->dev != event->dev || !owners_is_of_list(piece))
			continue;
		if (piece->list->entries == event->count)
			return piece;
		if (!found)
			found = piece;
	}
	return found;
}

/* The list that was mapped has as many entries as the sync was given, or this is told. */
static void judge_count(struct check *check, const struct dmasim_event *event,
			const struct turn *turn)
{
	struct owner_space *space = owners_space(&check->owners, event->dev);
	const struct piece *piece = space ? list_at(space, event, turn->start) : NULL;

	if (!piece || piece->list->entries == event->count)
		return;
	found(check, event, turn,
	      &(struct finding){
		      .id = DMASIM_REPORT_SYNC_MISMATCH,
		      .what = "the number of entries is another than the map was given",
		      .piece = piece,
		      .debug[0] = { .check = DMA_DEBUG_SYNC_COUNT,
				    .number = { piece->list->entries, event->count } },
	      });
}

void judge_turn_sg(struct check *check, const struct dmasim_event *event)
{
	bool same_direction = true;
	struct scatterlist *sg;
	u32 i;

	if (DMASIM_UNLIKELY(check->blind))
		check_let_go(check);
	if (!is_judged(check, event))
		return;
	for_each_sg(event->list->sg, sg, event->count, i) {
		const struct turn turn = { sg->dma_address,
					   judge_last(sg->dma_address, sg->dma_length) };

		/* Merging left the last entries without a segment. */
		if (!sg->dma_length)
			return;
		if (!i)
			judge_count(check, event, &turn);
		if (same_direction)
			same_direction = judge_turn(check, event, &turn);
		if (check->cpu.on)
			cpu_turn(check, event, turn.start, turn.last);
	}
}
