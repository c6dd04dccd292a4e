/* SPDX-License-Identifier: MIT */
/*
 * Live mappings by the memory they lead to: which of them share bytes, or cache lines.
 */
#ifndef CHECK_SHARE_H
#define CHECK_SHARE_H

#include "check/owner.h"

/* What devices and the CPU's cache take turns with. */
#define SHARE_LINE_BYTES 64

/*
 * The piece is among those that share_first() finds, until it ends, or share_end(). True: no other
 * leads to the same page of 4 KiB, so to none of its lines.
 */
static inline bool share_begin(struct owners *owners, struct piece *piece)
{
	piece->memory.start = piece->phys;
	piece->memory.last = piece->phys + (piece->at.last - piece->at.start);
	piece->is_shared = true;
	return interval_insert_alone(&owners->by_phys, &piece->memory);
}

/* The piece, which is among those, is no longer. */
static inline void share_end(struct owners *owners, struct piece *piece)
{
	piece->is_shared = false;
	interval_remove(&owners->by_phys, &piece->memory);
}

static inline struct piece *share_piece(struct interval *memory)
{
	return memory ? (struct piece *)(void *)((u8 *)memory - offsetof(struct piece, memory))
		      : NULL;
}

/* The pieces that lead to some of [start, last], in order of their memory. */
static inline struct piece *share_first(const struct owners *owners, u64 start, u64 last)
{
	return share_piece(interval_first(&owners->by_phys, start, last));
}

static inline struct piece *share_next(const struct owners *owners, struct piece *piece, u64 start,
				       u64 last)
{
	return share_piece(interval_next(&owners->by_phys, &piece->memory, start, last));
}

#endif
