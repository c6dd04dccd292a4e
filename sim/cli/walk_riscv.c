/* SPDX-License-Identifier: MIT */
/*
 * RISC-V first-stage tables: the bits of an entry (facts "iova-and-page-tables" 2.5).
 */
#include <dmasim/hw/riscv.h>

#include "walk_format.h"

static const struct walk_field fields[] = {
	{ 0, 0, "V", "valid; 0: the other bits are ignored" },
	{ 1, 1, "R", "read; neither R, W nor X: a table" },
	{ 2, 2, "W", "write; not without R" },
	{ 3, 3, "X", "execute" },
	{ 4, 4, "U", "user: a device's requests are a user's" },
	{ 5, 5, "G", "global" },
	{ 6, 6, "A", "accessed; without it a request faults" },
	{ 7, 7, "D", "dirty; without it a write faults" },
	{ 9, 8, "RSW", "software's" },
	{ 53, 10, "PPN", "bits 55:12 of the address of the page, or of a table" },
	{ 60, 54, "reserved", "must be 0" },
	{ 62, 61, "PBMT", "0: memory; 1: not cacheable; 2: MMIO; 3: reserved" },
	{ 63, 63, "N", "of level 0: one of sixteen entries of a page of 64 KiB" },
};

#define POINTER_ZEROS \
	(RISCV_PTE_U | RISCV_PTE_A | RISCV_PTE_D | RISCV_PTE_N | 3ULL << RISCV_PTE_PBMT)

static struct walk_said say_table(struct walk_said said, u64 entry, u8 level)
{
	said.reserved = entry & POINTER_ZEROS;
	if (said.reserved || !level)
		return walk_malformed(said, said.reserved ? NULL : "level 0 leads to no table");
	said.kind = WALK_TABLE;
	said.next = level - 1;
	said.read = said.write = true;
	return said;
}

static struct walk_said say_leaf(struct walk_said said, u64 entry, u8 level)
{
	u64 number = said.phys >> RISCV_GRANULE_LG2;
	bool napot = entry & RISCV_PTE_N;

	if (napot && (number & RISCV_NAPOT_MASK) != RISCV_NAPOT_PPN)
		return walk_malformed(said, "with N the low four bits of PPN are 8");
	said.page_lg2 = napot ? RISCV_NAPOT_LG2 : (u8)walk_level_lg2(level);
	if (!napot && said.phys & ((1ULL << said.page_lg2) - 1))
		return walk_malformed(said, "the address is not aligned to the page's size");
	said.kind = WALK_LEAF;
	said.phys &= ~((1ULL << said.page_lg2) - 1);
	/* Nobody marks entries: a mark that is not there is a right that is not. */
	if (entry & RISCV_PTE_U && entry & RISCV_PTE_A) {
		said.read = entry & RISCV_PTE_R;
		said.write = entry & RISCV_PTE_W && entry & RISCV_PTE_D;
	}
	return said;
}

static struct walk_said say(u64 entry, u8 level, const struct walk_unit *unit)
{
	struct walk_said said = {
		.phys = (entry >> RISCV_PTE_PPN_SHIFT & RISCV_PTE_PPN_MASK) << RISCV_GRANULE_LG2,
		.reserved = entry & RISCV_PTE_RESERVED,
	};

	(void)unit;
	if (!(entry & RISCV_PTE_V))
		return (struct walk_said){ .kind = WALK_ABSENT };
	if (said.reserved)
		return walk_malformed(said, NULL);
	if ((entry & (RISCV_PTE_R | RISCV_PTE_W)) == RISCV_PTE_W)
		return walk_malformed(said, "W without R is reserved");
	if ((entry >> RISCV_PTE_PBMT & 3) == 3)
		return walk_malformed(said, "PBMT 3 is reserved");
	if (entry & RISCV_PTE_N && level)
		return walk_malformed(said, "N is of level 0 alone");
	return entry & (RISCV_PTE_R | RISCV_PTE_X) ? say_leaf(said, entry, level)
						   : say_table(said, entry, level);
}

const struct walk_format walk_riscv = {
	.name = "riscv",
	.title = "RISC-V first stage",
	.iommu = DMASIM_RISCV,
	.context = "device context",
	.context_cache = "DDT cache",
	.levels_min = RISCV_LEVELS_MIN,
	.levels_max = RISCV_LEVELS_MAX,
	.levels = 4,
	.entry_levels = RISCV_LEVELS_MAX,
	.lower_half = true,
	.no_absents = true,
	.address_mask = RISCV_PTE_PPN_MASK << RISCV_PTE_PPN_SHIFT,
	.address_shift = RISCV_GRANULE_LG2 - RISCV_PTE_PPN_SHIFT,
	.field = fields,
	.field_count = sizeof(fields) / sizeof(fields[0]),
	.note = "3, 4 or 5 levels are Sv39, Sv48 or Sv57; the highest bit that the tables look at "
		"is repeated\nin all bits above. Of a pointer U, A, D, PBMT and N must be 0.\n",
	.say = say,
};
