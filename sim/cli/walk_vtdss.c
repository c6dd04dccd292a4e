/* SPDX-License-Identifier: MIT */
/*
 * VT-d second stage: the bits of an entry (facts "iova-and-page-tables" 2.2).
 */
#include <dmasim/hw/vtd.h>

#include "walk_format.h"

static const struct walk_field fields[] = {
	{ 0, 0, "R", "read; the device may read. R and W both 0: the entry is absent" },
	{ 1, 1, "W", "write; the device may write" },
	{ 2, 2, "X", "execute, where the unit has it; else ignored" },
	{ 6, 3, "EMT", "memory type, in nested and extended use; else ignored" },
	{ 7, 7, "PS", "a leaf, at levels 1 and 2; ignored at 0, must be 0 at 3, 4" },
	{ 8, 8, "A", "accessed, where the unit keeps it; else ignored" },
	{ 9, 9, "D", "dirty, where the unit keeps it; else ignored" },
	{ 10, 10, NULL, "ignored; Linux notes here that it flushed the entry" },
	{ 11, 11, "SNP", "snoop the CPU's cache; must be 0 without snoop control" },
	{ 51, 12, "address", "of the page, or of the table one level below" },
	{ 61, 52, NULL, "ignored; software's own" },
	{ 62, 62, "TM", "transient mapping, of old; must be 0 where no device has a TLB" },
	{ 63, 63, NULL, "ignored; software's own" },
};

static u64 reserved_bits(u64 entry, u8 level, const struct walk_unit *unit)
{
	bool page = entry & VTD_SS_SUPERPAGE;
	u64 reserved = 0;

	if (!unit->snoop)
		reserved |= VTD_SS_SNOOP;
	if (!unit->device_tlb)
		reserved |= VTD_SS_TM;
	if (level >= 3 || (level == 2 && unit->no_1g))
		reserved |= VTD_SS_SUPERPAGE;
	if (level == 2 && page)
		reserved |= VTD_SS_1G_RESERVED;
	if (level == 1 && page)
		reserved |= VTD_SS_2M_RESERVED;
	return reserved;
}

static struct walk_said say(u64 entry, u8 level, const struct walk_unit *unit)
{
	struct walk_said said = {
		.read = entry & VTD_SS_READ,
		.write = entry & VTD_SS_WRITE,
		.phys = entry & VTD_SS_ADDR_MASK,
		.reserved = entry & reserved_bits(entry, level, unit),
	};

	if (!said.read && !said.write)
		return (struct walk_said){ .kind = WALK_ABSENT };
	if (said.reserved) {
		said.kind = WALK_MALFORMED;
	} else if (!level || (entry & VTD_SS_SUPERPAGE)) {
		said.kind = WALK_LEAF;
		said.page_lg2 = (u8)walk_level_lg2(level);
	} else {
		said.kind = WALK_TABLE;
		said.next = level - 1;
	}
	return said;
}

const struct walk_format walk_vtdss = {
	.name = "vtdss",
	.title = "VT-d second stage",
	.iommu = DMASIM_VTD,
	.context = "context entry",
	.context_cache = "context cache",
	.levels_min = VTD_LEVELS_MIN,
	.levels_max = VTD_LEVELS_MAX,
	.levels = 4,
	.entry_levels = VTD_LEVELS_MAX,
	.address_mask = VTD_SS_ADDR_MASK,
	.field = fields,
	.field_count = sizeof(fields) / sizeof(fields[0]),
	.note = "A leaf's address is a multiple of its size: of one of 2 MiB bits 20:12 must be 0, "
		"of one of\n1 GiB 29:12. A device may do what the entries of all levels allow.\n",
	.say = say,
};
