/* SPDX-License-Identifier: MIT */
/*
 * What an entry of RISC-V page tables says (facts "iova-and-page-tables" 2.5 and 2.6).
 *
 *   63 62 61 60  54 53                                        10 9   8 7 6 5 4 3 2 1 0
 *   N  PBMT  reserved  page number of a page or of a table       RSW   D A G U X W R V
 */
#ifndef HW_RISCV_ENTRY_H
#define HW_RISCV_ENTRY_H

#include <dmasim/hw/riscv.h>

#include "hw/riscv_walk.h"

static inline u8 riscv_level_lg2(u8 level)
{
	return (u8)(RISCV_GRANULE_LG2 + RISCV_INDEX_BITS * level);
}

static inline u8 riscv_address_bits(const struct hw_riscv_stage *stage)
{
	return riscv_level_lg2(stage->levels) + (stage->guest ? RISCV_TOP_EXTRA : 0);
}

static inline u64 riscv_entries_of(const struct hw_riscv_stage *stage, u8 level)
{
	bool wide = stage->guest && level == stage->levels - 1;

	return 1ULL << (RISCV_INDEX_BITS + (wide ? RISCV_TOP_EXTRA : 0));
}

static inline u64 riscv_page_number(u64 entry)
{
	return entry >> RISCV_PTE_PPN_SHIFT & RISCV_PTE_PPN_MASK;
}

/* ---- One entry -------------------------------------------------------- */

static inline bool riscv_is_leaf(u64 entry)
{
	return entry & (RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X);
}

static inline bool riscv_is_malformed(const struct hw_riscv_stage *stage, u64 entry, u8 level)
{
	u64 type = entry >> RISCV_PTE_PBMT & 3;
	u64 reserved = RISCV_PTE_RESERVED;

	if (stage->software_bits)
		reserved &= ~(3ULL << 59);
	if ((entry & (RISCV_PTE_R | RISCV_PTE_W)) == RISCV_PTE_W || entry & reserved)
		return true;
	if (type == 3 || (type && !stage->pbmt))
		return true;
	if (entry & RISCV_PTE_N && (level || !stage->napot))
		return true;
	if (riscv_is_leaf(entry))
		return false;
	return !level || entry & (RISCV_PTE_A | RISCV_PTE_D | RISCV_PTE_U) || type ||
	       entry & RISCV_PTE_N;
}

/* A G stage knows no supervisor: its pages are all the user's. */
static inline bool riscv_is_allowed(const struct hw_riscv_stage *stage, u64 entry,
				    const struct hw_riscv_access *access)
{
	bool user = entry & RISCV_PTE_U;

	if (access->supervisor && !stage->guest) {
		if (user && (access->execute || !access->sum))
			return false;
	} else if (!user) {
		return false;
	}
	if (access->execute && !(entry & RISCV_PTE_X))
		return false;
	if (access->write)
		return entry & RISCV_PTE_W;
	return access->execute || entry & RISCV_PTE_R;
}

/* log2 of a leaf's size; 0: there is no such leaf. */
static inline u8 riscv_leaf_lg2(u64 entry, u8 level)
{
	if (entry & RISCV_PTE_N)
		return (riscv_page_number(entry) & RISCV_NAPOT_MASK) == RISCV_NAPOT_PPN
			       ? RISCV_NAPOT_LG2
			       : 0;
	return riscv_page_number(entry) &
			       ((1ULL << (riscv_level_lg2(level) - RISCV_GRANULE_LG2)) - 1)
		       ? 0
		       : riscv_level_lg2(level);
}

#endif
