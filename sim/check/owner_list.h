/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists, while they are mapped and when they are unmapped. Behind an IOMMU the pieces of one
 * follow each other, and mostly nobody asks for one of many: then they are in no tree, but their
 * list is.
 */
#ifndef CHECK_OWNER_LIST_H
#define CHECK_OWNER_LIST_H

#include <string.h>

#include "check/owner.h"

/* A list is being mapped; with `together`, its pieces will be. NULL: there is no memory. */
struct owner_list *owners_new_list(struct owners *owners, struct owner_space *space, bool together);

/* It is complete. NULL: it has no pieces. */
struct owner_list *owners_close_list(struct owners *owners);

/* True if a piece is behind those that the list has, and nothing else is known there. */
static inline bool owners_follows(const struct owner_list *list, const struct piece *piece)
{
	return piece->kind == PIECE_SG && piece->at.start > list->at.last &&
	       piece->at.last >= piece->at.start && piece->at.last <= list->alone_until &&
	       !list->space->linked;
}

/* It is the first, or does not. */
void owners_begin_anew(struct owner_list *list, struct piece *piece);

/* The record of a piece that differs from another one in where it is and what it leads to. */
static inline void owners_describe_like(struct piece *piece, const struct piece *other)
{
	const size_t from = offsetof(struct piece, space), to = offsetof(struct piece, alloc);

	memcpy((u8 *)piece + from, (const u8 *)other + from, to + sizeof(piece->alloc) - from);
}

/*
 * Adds a piece to the list that is being mapped; it has bytes. What it is: like `other`, or as
 * `desc` says if that is NULL. NULL: there is no memory.
 */
static inline struct piece *owners_add_to_list(struct owners *owners, struct owner_list *list,
					       const struct dmasim_sg_entry *entry,
					       const struct piece *other,
					       const struct piece_desc *desc)
{
	struct owner_space *space = list->space;
	struct piece *piece = check_pool_get(&owners->past);

	if (!piece)
		return NULL;
	if (other)
		owners_describe_like(piece, other);
	else
		owners_describe(piece, space, desc);
	owners_set_flags(piece, true);
	piece->kind = entry->bus_address ? PIECE_SG_BUS : PIECE_SG;
	piece->at.start = entry->dma;
	piece->at.last = entry->dma + entry->size - 1;
	piece->phys = entry->phys;
	/* What is there already is older. */
	if (!list->is_together)
		owners_spread(space, piece->at.start, piece->at.last);
	else if (DMASIM_UNLIKELY(!owners_follows(list, piece)))
		owners_begin_anew(list, piece);
	if (!list->is_together)
		interval_insert(&space->pieces, &piece->at);
	piece->number = ++owners->pieces;
	list->at.last = piece->at.last;
	piece->list = list;
	TAILQ_INSERT_TAIL(&list->pieces, piece, of_list);
	return piece;
}

/* What is unmapped as it was mapped: its pieces are in no tree any more. */
static inline void owners_take_list(struct owner_list *list)
{
	interval_remove(&list->space->lists, &list->at);
	list->is_together = false;
	list->space->together--;
}

/* A list whose pieces are together, and that has some of [start, last]; NULL: none has. */
static inline struct owner_list *owners_first_list(struct owner_space *space, u64 start, u64 last)
{
	struct interval *at = interval_first(&space->lists, start, last);

	return at ? (struct owner_list *)(void *)((u8 *)at - offsetof(struct owner_list, at))
		  : NULL;
}

/* The pieces of a list before this one have ended without it; NULL: all have. */
static inline void owners_begin_list_at(struct owners *owners, struct owner_list *list,
					struct piece *piece)
{
	TAILQ_FIRST(&list->pieces) = piece;
	if (DMASIM_UNLIKELY(list->waits))
		list->waits = piece;
	if (piece)
		piece->of_list.tqe_prev = &TAILQ_FIRST(&list->pieces);
	else if (list == owners->open)
		TAILQ_INIT(&list->pieces);
	else
		owners_drop_list(owners, list);
}

#endif
