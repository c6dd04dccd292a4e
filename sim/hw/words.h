/* SPDX-License-Identifier: MIT */
/*
 * Words of tables as they stand on the host, in memory's byte order, 8 bytes each: many are looked
 * at together, as most of what is asked about tables is whether a stretch of one is all the same.
 */
#ifndef HW_WORDS_H
#define HW_WORDS_H

#include <dmasim/types.h>

/* How many from the first on are 0. */
u64 words_empty(const u8 *words, u64 count);

/* What any of them has that `word` has not, or the other way round. */
u64 words_differ(const u8 *words, u64 count, u64 word);

/* True if they are, in the CPU's order, first, first + step, first + 2 * step, ... */
bool words_step(const u8 *words, u64 count, u64 first, u64 step);

#endif
