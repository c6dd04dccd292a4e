/* SPDX-License-Identifier: MIT */
/*
 * The short way through second-stage tables: nothing but tables, down to a page of 4 KiB.
 */
#ifndef HW_VTD_PLAIN_H
#define HW_VTD_PLAIN_H

#include <dmasim/hw/vtd.h>

#include "hw/walker.h"

/* An entry with none of these bits has no reserved one set, and is of 4 KiB or of a table. */
static inline u64 ss_special_bits(const struct hw_walker *walker)
{
	return (VTD_SS_ADDR_MASK & ~((1ULL << walker->address_bits) - 1)) | VTD_SS_SNOOP |
	       VTD_SS_TM | VTD_SS_SUPERPAGE;
}

/* log2 of what a table of so many levels maps. */
static inline u32 ss_levels_lg2(u8 levels)
{
	return VTD_SS_GRANULE_LG2 + (u32)VTD_SS_INDEX_BITS * levels;
}

/*
 * Goes down from the table at *entry, which maps 2^top_lg2 bytes, to the entry of a page of 4 KiB,
 * or of the table that maps 2^bottom_lg2; *allowed loses what an entry on the way does not allow.
 * Entries are judged together, at the end. False: an entry is special, or not at hand; reading them
 * has no effect.
 *
 * Each entry is the address of the next, so little stands between the two: an entry that has more
 * in it than an address and what stands below it leads to no chunk.
 */
static inline bool ss_pass_plain(const struct ram *ram, u64 special, u32 top_lg2, u32 bottom_lg2,
				 u64 address, u64 *entry, u64 *allowed)
{
	u64 at = *entry, all = *allowed, seen = 0;

	for (u32 lg2 = top_lg2; lg2 > bottom_lg2;) {
		u64 chunk = at >> RAM_CHUNK_LG2;
		u64 within = at & (RAM_CHUNK_BYTES - PAGE_SIZE);

		lg2 -= VTD_SS_INDEX_BITS;
		within += (address >> lg2 & ((1U << VTD_SS_INDEX_BITS) - 1)) * sizeof(at);
		if (!ram_is_recent(ram, chunk))
			return false;
		memcpy(&at, ram_recent(ram, chunk) + within, sizeof(at));
		at = le64toh(at);
		seen |= at;
		all &= at;
	}
	*entry = at;
	*allowed = all;
	return !(seen & special);
}

#endif
