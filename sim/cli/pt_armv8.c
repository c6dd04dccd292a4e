/* SPDX-License-Identifier: MIT */
/*
 * Armv8, two stages and three granules (facts "iova-and-page-tables" 2.4). Levels count from 0, the
 * smallest pages: that is Arm's level 3.
 */
#include <dmasim/hw/arm.h>

#include "arm_fields.h"
#include "pt_format.h"

/* ---- Names ------------------------------------------------------------ */

static const struct walk_field s1_table[] = {
	ARM_FIELD_VALID,     ARM_FIELD_TYPE,	  ARM_FIELD_FLUSHED,  ARM_FIELD_SOFTWARE,
	ARM_FIELD_PXN_TABLE, ARM_FIELD_UXN_TABLE, ARM_FIELD_AP_TABLE, ARM_FIELD_NS_TABLE,
};

static const struct walk_field s2_table[] = { ARM_FIELD_VALID, ARM_FIELD_TYPE, ARM_FIELD_FLUSHED,
					      ARM_FIELD_SOFTWARE };

/* What leaves of both stages have. */
#define LEAF_FIELDS                                                                   \
	ARM_FIELD_VALID, ARM_FIELD_TYPE, ARM_FIELD_AF, ARM_FIELD_DBM, ARM_FIELD_CONT, \
		ARM_FIELD_FLUSHED, ARM_FIELD_SOFTWARE

#define S1_FIELDS                                                                       \
	LEAF_FIELDS, ARM_FIELD_ATTR_INDX, ARM_FIELD_NS, ARM_FIELD_AP_1, ARM_FIELD_AP_2, \
		ARM_FIELD_NG, ARM_FIELD_GP, ARM_FIELD_PXN, ARM_FIELD_UXN

#define S1_BLOCK_FIELDS                     \
	S1_FIELDS,                          \
	{                                   \
		16, 16, "nT", "of its size" \
	}

#define S2_FIELDS                                                                     \
	LEAF_FIELDS, { 5, 2, "MemAttr", "memory type" }, { 6, 6, "S2AP[0]", "read" }, \
		{ 7, 7, "S2AP[1]", "write" },                                         \
		{ 11, 11, "FnXS", "of what invalidations wait for" },                 \
	{                                                                             \
		54, 53, "XN", "who may not execute"                                   \
	}

static const struct walk_field s1_page[] = { S1_FIELDS, ARM_FIELD_SH };
static const struct walk_field s1_block[] = { S1_BLOCK_FIELDS, ARM_FIELD_SH };
static const struct walk_field s2_leaf[] = { S2_FIELDS, ARM_FIELD_SH };

/* With LPA2 shareability is the translation control register's, and its place address. */
static const struct walk_field s1_page_lpa2[] = { S1_FIELDS };
static const struct walk_field s1_block_lpa2[] = { S1_BLOCK_FIELDS };
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

/* log2 of how many leaves of a level are one, with the contiguous bit; 0: there is no such bit. */
static u8 many_entries_lg2(const struct pt_layout *layout, u8 level)
{
	switch (layout->granule_lg2) {
	case 12:
		return 4;
	case 14:
		return level > 1 ? 0 : level ? 5 : 7;
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
