/* SPDX-License-Identifier: MIT */
/*
 * Armv8 stage 1 of 4 KiB pages, as an SMMUv3 walks it: the bits of an entry (facts
 * "iova-and-page-tables" 2.4).
 */
#include <dmasim/hw/arm.h>

#include "arm_fields.h"

#define LEVELS_MIN 3
#define LEVELS_MAX 4

#define CONTIGUOUS_LG2 4 /* sixteen of a level */

static const struct walk_field fields[] = {
	ARM_FIELD_VALID,
	ARM_FIELD_TYPE,
	ARM_FIELD_ATTR_INDX,
	ARM_FIELD_NS,
	ARM_FIELD_AP_1,
	ARM_FIELD_AP_2,
	ARM_FIELD_SH,
	ARM_FIELD_AF,
	ARM_FIELD_NG,
	{ 47, 12, "address", "of the page, or of a table" },
	{ 49, 48, NULL, "ignored" },
	ARM_FIELD_GP,
	ARM_FIELD_DBM,
	ARM_FIELD_CONT,
	ARM_FIELD_PXN,
	ARM_FIELD_UXN,
	ARM_FIELD_FLUSHED,
	ARM_FIELD_SOFTWARE,
	ARM_FIELD_PXN_TABLE,
	ARM_FIELD_UXN_TABLE,
	ARM_FIELD_AP_TABLE,
	ARM_FIELD_NS_TABLE,
};

static struct walk_said say_table(struct walk_said said, u64 entry, u8 level)
{
	u64 forbidden = entry >> ARM_S1_AP_TABLE & 3;

	said.kind = WALK_TABLE;
	said.next = level - 1;
	said.read = !(forbidden & 1);
	said.write = !forbidden;
	return said;
}

static struct walk_said say_leaf(struct walk_said said, u64 entry, u8 level)
{
	said.kind = WALK_LEAF;
	said.page_lg2 = (u8)walk_level_lg2(level);
	/* Each of sixteen has the address of its own part. */
	said.phys &= ~((1ULL << said.page_lg2) - 1);
	if (entry & ARM_CONTIGUOUS)
		said.page_lg2 += CONTIGUOUS_LG2;
	/* Nobody marks entries: a mark that is not there is a right that is not. */
	said.read = entry & ARM_S1_AP_EL0 && entry & ARM_AF;
	said.write = said.read && !(entry & ARM_S1_AP_RO);
	return said;
}

static struct walk_said say(u64 entry, u8 level, const struct walk_unit *unit)
{
	struct walk_said said = {
		.phys = entry & ((1ULL << ARM_ADDR_TOP) - 1) & ~((1ULL << WALK_GRANULE_LG2) - 1),
	};

	(void)unit;
	if (!(entry & ARM_DESC_VALID))
		return (struct walk_said){ .kind = WALK_ABSENT };
	if (!level && !(entry & ARM_DESC_TABLE))
		return walk_malformed(said, "of level 0 bit 1 must be set");
	if (level && entry & ARM_DESC_TABLE)
		return say_table(said, entry, level);
	if (level > 2)
		return walk_malformed(said, "there are no blocks of 512 GiB");
	return say_leaf(said, entry, level);
}

const struct walk_format walk_armv8 = {
	.name = "armv8",
	.title = "Armv8 stage 1",
	.iommu = DMASIM_SMMUV3,
	.context = "stream table entry",
	.context_cache = "config cache",
	.levels_min = LEVELS_MIN,
	.levels_max = LEVELS_MAX,
	.levels = LEVELS_MAX,
	.entry_levels = LEVELS_MAX,
	.no_absents = true,
	.address_mask = ((1ULL << ARM_ADDR_TOP) - 1) & ~((1ULL << WALK_GRANULE_LG2) - 1),
	.field = fields,
	.field_count = sizeof(fields) / sizeof(fields[0]),
	.note = "Levels count from the smallest pages: level 0 is Arm's level 3. What a table "
		"forbids is\nforbidden to all that it leads to.\n",
	.say = say,
};
