/* SPDX-License-Identifier: MIT */
/*
 * AMD's v1 host tables: the bits of an entry (facts "iova-and-page-tables" 2.1).
 */
#include <dmasim/hw/amd.h>

#include "walk_format.h"

static const struct walk_field fields[] = {
	{ 0, 0, "PR", "present; 0: the other bits are ignored" },
	{ 4, 1, NULL, "ignored" },
	{ 5, 5, "A", "accessed, where the device table asks for it" },
	{ 6, 6, "D", "dirty, where the device table asks for it" },
	{ 8, 7, NULL, "ignored" },
	{ 11, 9, "NextLevel", "0: leaf; 7: leaf whose address codes its size; else a table" },
	{ 51, 12, "address", "of the page, or of a table of NextLevel levels" },
	{ 58, 52, "reserved", "must be 0" },
	{ 59, 59, "U", "copied to answers of translation requests" },
	{ 60, 60, "FC", "force coherence, of a leaf: No-Snoop of the request is ignored" },
	{ 61, 61, "IR", "read; the device may read" },
	{ 62, 62, "IW", "write; the device may write" },
	{ 63, 63, NULL, "ignored" },
};

/* n ones from bit 12 on are a page of 2^(12 + n + 1). */
static u8 coded_lg2(u64 entry)
{
	u8 lg2 = AMD_V1_GRANULE_LG2 + 1;

	while (lg2 <= 52 && entry >> (lg2 - 1) & 1)
		lg2++;
	return lg2;
}

static struct walk_said say_leaf(struct walk_said said, u64 entry, u8 level, bool coded)
{
	u32 natural = walk_level_lg2(level);
	u8 lg2 = coded ? coded_lg2(entry) : (u8)natural;

	if (lg2 > AMD_V1_LEAF_LG2_MAX)
		return walk_malformed(said, "no page is larger than 2 PiB");
	if (coded && lg2 <= natural)
		return walk_malformed(said, "the coded size is not above the level's own");
	if (lg2 >= natural + WALK_INDEX_BITS)
		return walk_malformed(said, "the coded size is not below that of the level above");
	said.kind = WALK_LEAF;
	said.page_lg2 = lg2;
	said.phys &= ~((1ULL << lg2) - 1);
	return said;
}

static struct walk_said say(u64 entry, u8 level, const struct walk_unit *unit)
{
	u64 next = entry >> AMD_V1_NEXT_SHIFT & AMD_V1_NEXT_MASK;
	struct walk_said said = {
		.read = entry & AMD_V1_READ,
		.write = entry & AMD_V1_WRITE,
		.phys = entry & AMD_V1_ADDR_MASK,
		.reserved = entry & AMD_V1_RESERVED,
	};

	(void)unit;
	if (!(entry & AMD_V1_PRESENT))
		return (struct walk_said){ .kind = WALK_ABSENT };
	if (said.reserved)
		return walk_malformed(said, NULL);
	if (next == AMD_V1_NEXT_LEAF || next == AMD_V1_NEXT_SIZE)
		return say_leaf(said, entry, level, next == AMD_V1_NEXT_SIZE);
	if (next > level)
		return walk_malformed(said, "NextLevel does not lead downwards");
	said.kind = WALK_TABLE;
	said.next = (u8)(next - 1);
	return said;
}

const struct walk_format walk_amdv1 = {
	.name = "amdv1",
	.title = "AMD v1 host table",
	.iommu = DMASIM_AMD_VI,
	.context = "device table entry",
	.context_cache = "DTE cache",
	.levels_min = 4,
	.levels_max = AMD_MODE_MAX,
	.levels = 4,
	.levels_first = 3,
	.entry_levels = AMD_MODE_MAX,
	.address_mask = AMD_V1_ADDR_MASK,
	.field = fields,
	.field_count = sizeof(fields) / sizeof(fields[0]),
	.note = "A coded size: n ones from bit 12 on, then a zero, are a page of 2^(13+n) bytes. "
		"It stands in\neach entry that the page covers. NextLevel, like the mode of a "
		"device table entry, counts\nfrom 1 where levels count from 0: an entry of level "
		"2 leads with NextLevel 2 to a table of\nlevel 1. A device may do what the "
		"entries of all levels allow.\n",
	.say = say,
};
