/* SPDX-License-Identifier: MIT */
/*
 * Armv8 stage 1 of 4 KiB pages, as an SMMUv3 walks it: the bits of an entry (facts
 * "iova-and-page-tables" 2.4).
 */
#include <dmasim/hw/arm.h>

#include "walk_format.h"

#define LEVELS_MIN 3
#define LEVELS_MAX 4

#define CONTIGUOUS_LG2 4 /* sixteen of a level */

static const struct walk_field fields[] = {
	{ 0, 0, "Valid", "0: the other bits are ignored" },
	{ 1, 1, "Type", "a table; of level 0, where it must be 1, a page; 0: a block" },
	{ 4, 2, "AttrIndx", "kind of memory: a byte of MAIR" },
	{ 5, 5, "NS", "not secure" },
	{ 6, 6, "AP[1]", "unprivileged requests are taken, as a device's are" },
	{ 7, 7, "AP[2]", "read-only" },
	{ 9, 8, "SH", "shareability: 0 none, 2 outer, 3 inner" },
	{ 10, 10, "AF", "access flag; without it a request faults" },
	{ 11, 11, "nG", "not global: of one address space" },
	{ 47, 12, "address", "of the page, or of a table" },
	{ 50, 48, NULL, "ignored" },
	{ 51, 51, "DBM", "a write may clear AP[2], where hardware marks what was written" },
	{ 52, 52, "Cont", "one of sixteen entries of a larger page" },
	{ 53, 53, "PXN", "privileged requests may not execute" },
	{ 54, 54, "UXN", "unprivileged ones may not" },
	{ 58, 55, NULL, "ignored; software's" },
	{ 59, 59, "PXNTable", "of a table: likewise all that it leads to" },
	{ 60, 60, "UXNTable", "of a table" },
	{ 62, 61, "APTable", "of a table, forbids below: 1 unprivileged requests, 2 writes" },
	{ 63, 63, "NSTable", "of a table: nothing below is secure" },
};

static struct walk_said malformed(struct walk_said said, const char *wrong)
{
	said.kind = WALK_MALFORMED;
	said.wrong = wrong;
	return said;
}

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
		return malformed(said, "of level 0 bit 1 must be set");
	if (level && entry & ARM_DESC_TABLE)
		return say_table(said, entry, level);
	if (level > 2)
		return malformed(said, "there are no blocks of 512 GiB");
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
