/* SPDX-License-Identifier: MIT */
#include "input.h"

u16 input_requester(u8 byte)
{
	static const u16 requesters[INPUT_REQUESTERS] = { 0x0100, 0x0101, 0x0106, 0x0210 };

	return requesters[byte % INPUT_REQUESTERS];
}

const struct fuzz_part input_parts[INPUT_PARTS] = {
	{ "vtd", 1 + RIG_VTD },
	{ "amd", 1 + RIG_AMD },
	{ "smmuv3", 1 + RIG_SMMUV3 },
	{ "riscv", 1 + RIG_RISCV },
};

u64 input_address(const struct rig_unit *unit, u32 index)
{
	static const u64 at[] = { 0, 1, 511 };
	u64 address = 0;

	for (u32 level = 0; level < 4; level++, index /= 3)
		address |= at[index % 3] << (12 + 9 * level);
	if (unit->architecture == RIG_RISCV && address >> 47)
		address |= 0xffffULL << 48;
	return address;
}

bool input_is_newer(const struct rig_unit *unit)
{
	return unit->architecture == RIG_SMMUV3 || unit->architecture == RIG_RISCV;
}

/* ---- Units ----------------------------------------------------------------------------------- */

static u8 levels_of(u8 architecture, u8 kind)
{
	if (architecture == RIG_AMD)
		return kind & 2 ? 4 : 6;
	if (architecture == RIG_RISCV && kind & 16)
		return 5;
	return kind & 2 ? 3 : 4;
}

static u8 address_bits_of(u8 architecture, bool many)
{
	if (architecture == RIG_SMMUV3)
		return many ? 48 : 44;
	return many ? 52 : 46;
}

struct rig_unit input_unit(struct bytes *bytes, u8 part)
{
	static const u8 sizes[] = { 64, 0, 1, 2, 3, 4, 8, 16 };
	static const u8 masks[] = { 18, 0, 9, 63 };
	u8 kind = take8(bytes), options = take8(bytes);
	u8 caches = take8(bytes), more = take8(bytes), limits = take8(bytes);
	u32 iotlb = sizes[caches % 8];
	u8 architecture = part ? part - 1 : (kind & 1) | (kind >> 2 & 2);
	struct rig_unit unit = {
		.architecture = architecture,
		.levels = levels_of(architecture, kind),
		.random_choices = !(kind & 4),
		.coherent = architecture == RIG_AMD || !(options & 1), /* AMD's always snoops */
		.huge_1g = !(options & 2),
		.snoop_control = options & 4,
		.device_tlb = !(options & 8),
		.pf_requester = options & 16,
		.caching_mode = options & 32,
		.iotlb_entries = iotlb ? iotlb : 1,
		.iotlb_ways = 1 + caches / 8 % 4,
		.context_entries = sizes[more % 8],
		.walk_entries = sizes[more / 8 % 8],
		.max_address_mask = masks[limits % 4],
		.address_bits = address_bits_of(architecture, limits & 4),
		.seed = take8(bytes),
	};

	if (input_is_newer(&unit)) {
		/* What is absent is never cached. */
		unit.caching_mode = false;
		unit.command_ranges = unit.napot = unit.huge_1g;
		unit.page_types = unit.snoop_control;
		unit.forgets_tables = !unit.pf_requester;
		unit.forgets_windows = !(options & 32);
	}
	return unit;
}

/* ---- Entries --------------------------------------------------------------------------------- */

u32 input_index(u8 byte)
{
	static const u32 used[] = { 0, 1, 511 };

	return byte < 240 ? used[byte % 3] : byte * 2U;
}

u64 input_table(u8 byte)
{
	if (byte < 224)
		return RIG_BASE + ((u64)(byte % RIG_TABLES) << RIG_TABLE_LG2);
	/* In front of memory, behind it, far away. */
	if (byte < 232)
		return RIG_BASE - 0x1000;
	if (byte < 240)
		return RIG_BASE + ((u64)RIG_TABLES << RIG_TABLE_LG2);
	return (u64)byte << 43;
}

/*
 * Bits 63:52, by sixteenths. VT-d and AMD: 0x600 is AMD's read and write. SMMUv3: 0x001 says that
 * a page has several entries, 0x600 what a table takes away. RISC-V: 0x800 is N, 0x600 a type of
 * memory, the last two bits are the address's.
 */
static const u16 high_bits[][16] = {
	[RIG_VTD] = { 0, 0x600, 0x600, 0x200, 0x400, 0x601, 0x610, 0x640, 0x700, 0xe00, 0x680,
		      0x400, 0x800, 0x3ff, 0x001, 0xfff },
	[RIG_AMD] = { 0, 0x600, 0x600, 0x200, 0x400, 0x601, 0x610, 0x640, 0x700, 0xe00, 0x680,
		      0x400, 0x800, 0x3ff, 0x001, 0xfff },
	[RIG_SMMUV3] = { 0, 0, 0, 0, 0x001, 0x001, 0x001, 0x200, 0x400, 0x600, 0x180, 0x800, 0x086,
			 0x078, 0x407, 0xfff },
	[RIG_RISCV] = { 0, 0, 0, 0, 0, 0x800, 0x800, 0x800, 0x200, 0x400, 0x600, 0x080, 0x100,
			0x004, 0x040, 0xfff },
};

/* Bits 11:0, or of RISC-V 9:0: those that may be set, and are: random ones are rarely an entry. */
static u64 low_bits(const struct rig_unit *unit, u64 low)
{
	/* A pointer has V, a leaf more. SMMUv3: tables and pages have two bits, blocks one. */
	static const u16 riscv[16] = { 1, 1, 1, 0xd3, 0xd7, 0xd7, 0xd3, 0x53, 0xc7, 0xd1 };
	static const u16 smmuv3[16] = { 3, 3, 0x443, 0x441, 0x443, 0x443, 0x441, 3, 3 };
	u16 set;

	switch (unit->architecture) {
	case RIG_SMMUV3:
		set = smmuv3[low >> 12];
		return set == 0x441 ? (low & 0xffd) | set : (low & 0xfff) | set;
	case RIG_RISCV:
		set = riscv[low >> 12];
		return set == 1 ? (low & 0x320) | set : (low & 0x3ff) | set;
	default:
		return low & 0xfff;
	}
}

/* Address bits that sizes are coded in, or that large pages reserve. */
static const u64 mixed_bits[][4] = {
	[RIG_VTD] = { 0x7000, 0x200000, 0x2ff000, 0x40000000 },
	[RIG_AMD] = { 0x7000, 0x200000, 0x2ff000, 0x40000000 },
	[RIG_SMMUV3] = { 0x10000, 0x200000, 0x1ff000, 0x40000000 },
	[RIG_RISCV] = { 0x8000, 0x200000, 0x9000, 0x40000000 },
};

u64 input_entry(const struct rig_unit *unit, struct bytes *bytes)
{
	bool riscv = unit->architecture == RIG_RISCV;
	u64 low = take(bytes, 2);
	u64 high = (u64)high_bits[unit->architecture][low >> 12] << 52;
	u8 where = take8(bytes), what = take8(bytes);
	u64 address;

	if (what < 192)
		address = input_table(where);
	else
		address =
			(mixed_bits[unit->architecture][what % 4] & ~(where & 1 ? 0x1000ULL : 0)) |
			(u64)(where >> 1) << 30;
	/* RISC-V has the number of the page from bit 10 on. */
	return low_bits(unit, low) | high | (riscv ? address >> 2 : address);
}
