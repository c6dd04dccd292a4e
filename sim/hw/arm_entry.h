/* SPDX-License-Identifier: MIT */
/*
 * What a descriptor of Armv8 page tables says (facts "iova-and-page-tables" 2.4 and 2.6).
 *
 *   stage 1  63      62:61   60  59   54  53  52    51   47         12 11 10 9:8 7:6 5  4:2  1:0
 *            NSTable APTable UXN/PXN  UXN PXN cont. DBM  address       nG AF SH  AP  NS attr type
 *   stage 2                            XN           DBM  address          AF SH  S2AP  attr  type
 *
 * Levels count from 0, the smallest leaves. What the facts leave open: bits of a block's address
 * below its size are ignored, and what a table forbids is forbidden to all that it leads to.
 */
#ifndef HW_ARM_ENTRY_H
#define HW_ARM_ENTRY_H

#include <dmasim/hw/arm.h>

#include "hw/arm_walk.h"

static inline u8 arm_level_lg2(const struct hw_arm_stage *stage, u8 level)
{
	return (u8)(stage->granule_lg2 + (stage->granule_lg2 - 3) * level);
}

/* A top of several tables side by side has more entries than one. */
static inline u64 arm_index_of(const struct hw_arm_stage *stage, u64 iova, u8 level)
{
	u64 index = iova >> arm_level_lg2(stage, level);

	return level == stage->levels - 1 ? index
					  : index & ((1ULL << (stage->granule_lg2 - 3)) - 1);
}

/* ---- One descriptor --------------------------------------------------- */

enum arm_kind {
	ARM_KIND_INVALID,
	ARM_KIND_TABLE,
	ARM_KIND_LEAF,
};

/* True where a block may stand above level 0. */
static inline bool arm_has_blocks(const struct hw_arm_stage *stage, u8 level)
{
	bool wide = stage->lpa2 || (stage->granule_lg2 == 16 && stage->output_bits > ARM_ADDR_TOP);
	u8 most = stage->granule_lg2 == 12 ? 2 : 1;

	return level <= most + (wide ? 1 : 0);
}

static inline enum arm_kind arm_kind_of(const struct hw_arm_stage *stage, u64 entry, u8 level)
{
	if (!(entry & ARM_DESC_VALID))
		return ARM_KIND_INVALID;
	if (!level)
		return entry & ARM_DESC_TABLE ? ARM_KIND_LEAF : ARM_KIND_INVALID;
	if (entry & ARM_DESC_TABLE)
		return ARM_KIND_TABLE;
	return arm_has_blocks(stage, level) ? ARM_KIND_LEAF : ARM_KIND_INVALID;
}

/* The address in a descriptor; what is below 2^lg2 is not it. */
static inline phys_addr_t arm_address_in(const struct hw_arm_stage *stage, u64 entry, u8 lg2)
{
	u64 straight = (1ULL << (stage->lpa2 ? ARM_LPA2_TOP : ARM_ADDR_TOP)) - 1;
	phys_addr_t address = entry & straight & ~((1ULL << lg2) - 1);

	if (stage->lpa2)
		address |= (entry >> ARM_LPA2_SHIFT & ARM_LPA2_MASK) << ARM_LPA2_TOP;
	else if (stage->granule_lg2 == 16 && stage->output_bits > ARM_ADDR_TOP)
		address |= (entry >> ARM_64K_HIGH_SHIFT & ARM_64K_HIGH_MASK) << ARM_ADDR_TOP;
	return address;
}

/*
 * log2 of the page that a leaf is, with those beside it if the contiguous bit says so. Leaves of
 * 64 GiB have no such bit: it is ignored.
 */
static inline u8 arm_page_lg2(const struct hw_arm_stage *stage, u64 entry, u8 level)
{
	static const u8 many_16k[] = { 7, 5, 0 };
	u8 many = stage->granule_lg2 == 12 ? 4 : stage->granule_lg2 == 14 ? many_16k[level] : 5;

	return arm_level_lg2(stage, level) + (entry & ARM_CONTIGUOUS ? many : 0);
}

/* ---- Rights ----------------------------------------------------------- */

struct arm_rights {
	bool read;
	bool write;
	bool execute;
	bool writable_later; /* DBM: a write makes it writable */
};

/* What the tables on the way forbid: bits of the last of them. */
struct arm_limits {
	bool no_user;
	bool read_only;
	bool no_user_execute;
	bool no_privileged_execute;
};

static inline void arm_limit(struct arm_limits *limits, u64 table)
{
	u64 ap = table >> ARM_S1_AP_TABLE & 3;

	limits->no_user |= ap & 1;
	limits->read_only |= ap >> 1;
	limits->no_user_execute |= (table & ARM_S1_UXN_TABLE) != 0;
	limits->no_privileged_execute |= (table & ARM_S1_PXN_TABLE) != 0;
}

static inline struct arm_rights arm_first_rights(const struct arm_limits *limits, u64 entry,
						 bool privileged)
{
	bool user = entry & ARM_S1_AP_EL0 && !limits->no_user;
	u64 no_execute = privileged ? ARM_S1_PXN : ARM_S1_UXN;
	bool forbidden = privileged ? limits->no_privileged_execute : limits->no_user_execute;

	if (!privileged && !user)
		return (struct arm_rights){ .execute = !(entry & no_execute) && !forbidden };
	return (struct arm_rights){
		.read = true,
		.write = !(entry & ARM_S1_AP_RO) && !limits->read_only,
		.execute = !(entry & no_execute) && !forbidden,
		.writable_later = entry & ARM_DBM && !limits->read_only,
	};
}

static inline struct arm_rights arm_second_rights(u64 entry)
{
	return (struct arm_rights){
		.read = entry & ARM_S2_READ,
		.write = entry & ARM_S2_WRITE,
		.execute = entry & ARM_S2_READ && !(entry & ARM_NO_EXECUTE),
		.writable_later = entry & ARM_DBM,
	};
}

static inline struct arm_rights arm_rights_of(const struct hw_arm_stage *stage,
					      const struct arm_limits *limits, u64 entry,
					      bool privileged)
{
	return stage->second_stage ? arm_second_rights(entry)
				   : arm_first_rights(limits, entry, privileged);
}

static inline bool arm_is_dirty(const struct hw_arm_stage *stage, u64 entry)
{
	if (!(entry & ARM_DBM))
		return false;
	return stage->second_stage ? entry & ARM_S2_WRITE : !(entry & ARM_S1_AP_RO);
}

#endif
