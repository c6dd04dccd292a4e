/* SPDX-License-Identifier: MIT */
/*
 * x86-64 as a first stage: VT-d's, and AMD's v2 (facts "iova-and-page-tables" 2.3). The bits of an
 * entry depend on its level and on what it leads to.
 */
#include <dmasim/hw/x86.h>

#include "pt_format.h"

/* What all entries have. */
#define FIELDS                                                                                \
	{ 0, 0, "P", "present; 0: the other bits are ignored" },                              \
		{ 1, 1, "R/W", "the device may write" },                                      \
		{ 2, 2, "U/S", "requests that are not privileged may use it" },               \
		{ 3, 3, "PWT", "of the memory type" }, { 4, 4, "PCD", "of the memory type" }, \
		{ 5, 5, "A", "accessed" }, { 10, 10, "EA", "VT-d's extended accessed" },      \
		{ 51, 12, "address", "of the page or of the table" },                         \
	{                                                                                     \
		63, 63, "XD", "no execute"                                                    \
	}

static const struct walk_field table[] = {
	FIELDS,
	{ 6, 6, NULL, "ignored" },
	{ 8, 8, NULL, "ignored" },
	{ 9, 9, NULL, "ignored; Linux notes here that it flushed the entry" },
	{ 11, 11, NULL, "ignored" },
	{ 62, 52, NULL, "ignored" },
};

#define LEAF_FIELDS                                                                         \
	FIELDS, { 6, 6, "D", "dirty" }, { 8, 8, "G", "global" }, { 9, 9, NULL, "ignored" }, \
		{ 11, 11, NULL, "ignored" },                                                \
	{                                                                                   \
		62, 52, NULL, "ignored"                                                     \
	}

static const struct walk_field page[] = {
	LEAF_FIELDS,
	{ 7, 7, "PAT", "of the memory type" },
};

static const struct walk_field large_page[] = {
	LEAF_FIELDS,
	{ 7, 7, "PS", "a leaf" },
	{ 12, 12, "PAT", "of the memory type" },
};

static struct pt_shape shape(const struct pt_layout *layout)
{
	(void)layout;
	return (struct pt_shape){
		.title = "x86-64 first stage",
		.writer = "x86_64",
		.levels = 4,
		.levels_min = X86_FS_LEVELS_MIN,
		.levels_max = X86_FS_LEVELS_MAX,
		.pa_bits = 52,
		.sign_extends = true,
	};
}

static bool is_large(u64 entry, u8 level)
{
	return level && entry & X86_FS_PAGE_SIZE;
}

static u64 reserved_bits(const struct pt_layout *layout, u64 entry, u8 level)
{
	if (!is_large(entry, level))
		return 0;
	if (level > 2 || (level == 2 && layout->switches & PT_NO_1G))
		return X86_FS_PAGE_SIZE;
	return level == 2 ? X86_FS_1G_RESERVED : X86_FS_2M_RESERVED;
}

static struct pt_said say(const struct pt_layout *layout, u64 entry, u8 level)
{
	struct pt_said said = { .rights = pt_rights(true, entry & X86_FS_WRITE,
						    !(entry & X86_FS_NO_EXECUTE)),
				.phys = entry & X86_FS_ADDR_MASK & ~layout->encryption };
	u32 also = 0;

	if (!(entry & X86_FS_PRESENT))
		return (struct pt_said){ .kind = WALK_ABSENT };
	said.reserved = entry & reserved_bits(layout, entry, level);
	if (said.reserved) {
		said.kind = WALK_MALFORMED;
		return said;
	}
	if (entry & layout->encryption)
		said.also[also++] = "encrypted";
	if (level && !is_large(entry, level)) {
		said.kind = WALK_TABLE;
		said.next = level - 1;
		return said;
	}
	said.kind = WALK_LEAF;
	said.lg2 = (u8)pt_level_lg2(layout, level);
	said.phys &= ~((1ULL << said.lg2) - 1);
	if (!(entry & X86_FS_USER))
		said.also[also] = "privileged";
	return said;
}

static struct pt_fields fields(const struct pt_layout *layout, u64 entry, u8 level)
{
	u64 address = X86_FS_ADDR_MASK;

	(void)layout;
	if (!level)
		return PT_FIELDS(page, address);
	if (is_large(entry, level))
		return PT_FIELDS(large_page, address);
	return PT_FIELDS(table, address);
}

const struct pt_format pt_x86_64 = {
	.name = "x86_64",
	.switches = PT_NO_1G | PT_LOWER_HALF | PT_INCOHERENT | PT_ENCRYPTED,
	.shape = shape,
	.say = say,
	.fields = fields,
};
