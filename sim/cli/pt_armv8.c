/* SPDX-License-Identifier: MIT */
/*
 * Armv8, two stages and three granules (facts "iova-and-page-tables" 2.4). Levels count from 0, the
 * smallest pages: that is Arm's level 3.
 */
#include <dmasim/hw/arm.h>

#include "pt_format.h"

/* ---- Names ------------------------------------------------------------ */

#define SOFTWARE "ignored; software's own"

static const struct walk_field s1_table[] = {
	{ 0, 0, "Valid", "0: the other bits are ignored" },
	{ 1, 1, "Table", "a table, not a block" },
	{ 55, 55, NULL, "ignored; Linux notes here that it flushed the entry" },
	{ 59, 59, "PXNTable", "nothing below is executed by who is privileged" },
	{ 60, 60, "UXNTable", "nothing below is executed by who is not" },
	{ 62, 61, "APTable",
	  "what is below is allowed less: 1 to who is not privileged; 2 writes" },
	{ 63, 63, "NSTable", "all below is not secure" },
};

static const struct walk_field s2_table[] = {
	{ 0, 0, "Valid", "0: the other bits are ignored" },
	{ 1, 1, "Table", "a table, not a block" },
	{ 55, 55, NULL, "ignored; Linux notes here that it flushed the entry" },
};

/* What leaves of both stages have. */
#define LEAF_FIELDS                                                                     \
	{ 0, 0, "Valid", "0: the other bits are ignored" },                             \
		{ 1, 1, "Page", "of level 0; 0 at other levels: a block" },             \
		{ 10, 10, "AF", "accessed; 0: a request faults, or hardware sets it" }, \
		{ 51, 51, "DBM",                                                        \
		  "hardware tells by the bit that forbids writes what was written" },   \
		{ 52, 52, "Contiguous", "one of many that are a larger leaf" },         \
	{                                                                               \
		58, 55, NULL, SOFTWARE                                                  \
	}

#define S1_FIELDS                                                                 \
	LEAF_FIELDS, { 4, 2, "AttrIndx", "memory type: a byte of MAIR" },         \
		{ 5, 5, "NS", "not secure" },                                     \
		{ 6, 6, "AP[1]", "requests that are not privileged may use it" }, \
		{ 7, 7, "AP[2]", "read-only" },                                   \
		{ 11, 11, "nG", "not global: of one address space" },             \
		{ 50, 50, "GP", "guarded page" },                                 \
		{ 53, 53, "PXN", "no execute by who is privileged" },             \
	{                                                                         \
		54, 54, "UXN", "no execute by who is not"                         \
	}

#define S2_FIELDS                                                                     \
	LEAF_FIELDS, { 5, 2, "MemAttr", "memory type" }, { 6, 6, "S2AP[0]", "read" }, \
		{ 7, 7, "S2AP[1]", "write" },                                         \
		{ 11, 11, "FnXS", "of what invalidations wait for" },                 \
	{                                                                             \
		54, 53, "XN", "who may not execute"                                   \
	}

#define SHARES                                               \
	{                                                    \
		9, 8, "SH", "shareability: 2 outer, 3 inner" \
	}

static const struct walk_field s1_page[] = { S1_FIELDS, SHARES };
static const struct walk_field s1_block[] = { S1_FIELDS, SHARES, { 16, 16, "nT", "of its size" } };
static const struct walk_field s2_leaf[] = { S2_FIELDS, SHARES };

/* With LPA2 shareability is the translation control register's, and its place address. */
static const struct walk_field s1_page_lpa2[] = { S1_FIELDS };
static const struct walk_field s1_block_lpa2[] = { S1_FIELDS, { 16, 16, "nT", "of its size" } };
static const struct walk_field s2_leaf_lpa2[] = { S2_FIELDS };

static bool has_lpa2(const struct pt_layout *layout)
{
	return layout->switches & PT_LPA2;
}

static bool is_table(u64 entry, u8 level)
{
	return level && entry & ARM_DESC_TABLE;
}

/* A block's are fewer: its address is a multiple of its size. */
static u64 address_bits(const struct pt_layout *layout, u64 entry, u8 level)
{
	u8 lg2 = is_table(entry, level) ? layout->granule_lg2 : (u8)pt_level_lg2(layout, level);
	u64 low = (1ULL << lg2) - 1;

	if (has_lpa2(layout))
		return (((1ULL << ARM_LPA2_TOP) - 1) & ~low) | ARM_LPA2_MASK << ARM_LPA2_SHIFT;
	if (layout->granule_lg2 == 16)
		return (((1ULL << ARM_ADDR_TOP) - 1) & ~low) | ARM_64K_HIGH_MASK
								       << ARM_64K_HIGH_SHIFT;
	return ((1ULL << ARM_ADDR_TOP) - 1) & ~low;
}

static struct pt_fields fields(const struct pt_layout *layout, u64 entry, u8 level)
{
	u64 address = address_bits(layout, entry, level);

	if (layout->stage == 2) {
		if (is_table(entry, level))
			return PT_FIELDS(s2_table, address);
		return has_lpa2(layout) ? PT_FIELDS(s2_leaf_lpa2, address)
					: PT_FIELDS(s2_leaf, address);
	}
	if (is_table(entry, level))
		return PT_FIELDS(s1_table, address);
	if (level)
		return has_lpa2(layout) ? PT_FIELDS(s1_block_lpa2, address)
					: PT_FIELDS(s1_block, address);
	return has_lpa2(layout) ? PT_FIELDS(s1_page_lpa2, address) : PT_FIELDS(s1_page, address);
}

/* ---- What an entry says ----------------------------------------------- */

static phys_addr_t address_of(const struct pt_layout *layout, u64 entry, u8 level)
{
	u64 plain = entry & address_bits(layout, entry, level) &
		    ~((1ULL << layout->granule_lg2) - 1);

	if (has_lpa2(layout))
		return plain | (entry >> ARM_LPA2_SHIFT & ARM_LPA2_MASK) << ARM_LPA2_TOP;
	if (layout->granule_lg2 == 16)
		return plain | (entry >> ARM_64K_HIGH_SHIFT & ARM_64K_HIGH_MASK) << ARM_ADDR_TOP;
	return plain;
}

/* log2 of how many leaves of a level are one, with the contiguous bit. */
static u8 many_entries_lg2(const struct pt_layout *layout, u8 level)
{
	switch (layout->granule_lg2) {
	case 12:
		return 4;
	case 14:
		return level ? 5 : 7;
	default:
		return 5;
	}
}

/* How many levels have leaves. */
static u8 leaf_levels(const struct pt_layout *layout)
{
	u8 levels = layout->granule_lg2 == 12 ? 3 : 2;
	bool wide = layout->granule_lg2 == 16 && layout->pa_bits > ARM_ADDR_TOP;

	return has_lpa2(layout) || wide ? levels + 1 : levels;
}

static const char *s1_memory(u64 entry)
{
	static const char *const types[] = { "not cacheable", "cacheable", "device" };
	u64 index = entry >> ARM_S1_ATTR_SHIFT & ARM_S1_ATTR_MASK;

	return index < sizeof(types) / sizeof(types[0]) ? types[index] : NULL;
}

static const char *s2_memory(u64 entry)
{
	switch (entry >> ARM_S2_ATTR_SHIFT & ARM_S2_ATTR_MASK) {
	case ARM_S2_ATTR_DEV:
		return "device";
	case ARM_S2_ATTR_NC:
		return "not cacheable";
	case ARM_S2_ATTR_FWB:
	case ARM_S2_ATTR_CACHE:
		return "cacheable";
	default:
		return NULL;
	}
}

static void say_s1(u64 entry, struct pt_said *said, u32 also)
{
	bool clean = entry & ARM_S1_AP_RO;

	said->rights = pt_rights(true, !clean || entry & ARM_DBM, !(entry & ARM_NO_EXECUTE));
	if (!(entry & ARM_S1_AP_EL0))
		said->also[also++] = "privileged";
	if (!clean && entry & ARM_DBM && also < 3)
		said->also[also] = "dirty";
}

static void say_leaf(const struct pt_layout *layout, u64 entry, u8 level, struct pt_said *said)
{
	const char *memory = layout->stage == 2 ? s2_memory(entry) : s1_memory(entry);
	u32 also = 0;

	said->kind = WALK_LEAF;
	said->own_address = true;
	said->lg2 = (u8)pt_level_lg2(layout, level);
	if (entry & ARM_CONTIGUOUS)
		said->lg2 += many_entries_lg2(layout, level);
	if (memory)
		said->also[also++] = memory;
	if (!(entry & ARM_AF))
		said->also[also++] = "not accessed";
	if (layout->stage == 1)
		say_s1(entry, said, also);
	else
		said->rights = pt_rights(entry & ARM_S2_READ, entry & ARM_S2_WRITE,
					 !(entry & ARM_NO_EXECUTE));
}

static struct pt_said say(const struct pt_layout *layout, u64 entry, u8 level)
{
	struct pt_said said = { .phys = address_of(layout, entry, level), .rights = "" };

	if (!(entry & ARM_DESC_VALID))
		return (struct pt_said){ .kind = WALK_ABSENT };
	if (is_table(entry, level)) {
		said.kind = WALK_TABLE;
		said.next = level - 1;
	} else if (!level && !(entry & ARM_DESC_TABLE)) {
		said.kind = WALK_MALFORMED;
		said.wrong = "no blocks at level 0";
	} else if (level >= leaf_levels(layout)) {
		said.kind = WALK_MALFORMED;
		said.wrong = "no blocks at this level";
	} else {
		say_leaf(layout, entry, level, &said);
	}
	return said;
}

/* ---- The format ------------------------------------------------------- */

static struct pt_shape shape(const struct pt_layout *layout)
{
	static const char *const titles[] = {
		"Armv8 stage 1, granule 4K",  "Armv8 stage 2, granule 4K",
		"Armv8 stage 1, granule 16K", "Armv8 stage 2, granule 16K",
		"Armv8 stage 1, granule 64K", "Armv8 stage 2, granule 64K",
	};
	u32 index = layout->granule_lg2 == 12 ? 0 : layout->granule_lg2 == 14 ? 1 : 2;
	bool wide = has_lpa2(layout) || index == 2;
	struct pt_shape shape = {
		.title = titles[2 * index + (layout->stage - 1U)],
		.levels = index ? 3 : 4,
		.levels_min = 2,
		.levels_max = index == 0   ? has_lpa2(layout) ? 5 : 4
			      : index == 1 ? 4
					   : 3,
		.va_bits = wide ? 52 : 48,
		.pa_bits = wide ? 52 : 48,
		.many_lg2 = (u8)(layout->granule_lg2 + many_entries_lg2(layout, 0)),
	};

	snprintf(shape.writer, sizeof(shape.writer), "armv8_s%u_%uk%s", layout->stage,
		 4U << 2 * index, has_lpa2(layout) ? "_lpa2" : "");
	return shape;
}

const struct pt_format pt_armv8 = {
	.name = "armv8",
	.switches = PT_STAGE | PT_GRANULE | PT_CONCATENATE | PT_CONTIGUOUS | PT_LPA2 | PT_DIRTY |
		    PT_NON_SECURE | PT_FWB | PT_BBML2 | PT_INCOHERENT,
	.shape = shape,
	.say = say,
	.fields = fields,
};
