/* SPDX-License-Identifier: MIT */
#include "plain.h"

u64 *plain_word(struct plain_memory *memory, u64 at)
{
	u64 offset = at - 0x10000;

	if (at < 0x10000 || offset / 4096 >= RIG_TABLES)
		return NULL;
	return &memory->word[offset / 4096][offset % 4096 / 8];
}

u64 *plain_read(struct plain_walk *walk, struct plain_memory *memory, u64 at, u8 lg2)
{
	u64 *word = plain_word(memory, at);

	walk->entry[walk->entries].at = at;
	walk->entry[walk->entries].word = word ? *word : 0;
	walk->entry[walk->entries++].lg2 = lg2;
	return word;
}

struct plain_command plain_command(const struct rig_unit *unit, u64 low, u64 high)
{
	switch (unit->architecture) {
	case RIG_AMD:
		return plain_amd_command(unit, low, high);
	case RIG_SMMUV3:
		return plain_smmuv3_command(unit, low, high);
	case RIG_RISCV:
		return plain_riscv_command(unit, low, high);
	default:
		return plain_vtd_command(unit, low, high);
	}
}

struct plain_walk plain_walk(const struct rig_unit *unit, struct plain_memory *memory,
			     const struct rig_context *context, u64 iova, enum plain_access access)
{
	switch (unit->architecture) {
	case RIG_AMD:
		return plain_amd_walk(unit, memory, context, iova, access);
	case RIG_SMMUV3:
		return plain_smmuv3_walk(unit, memory, context, iova, access);
	case RIG_RISCV:
		return plain_riscv_walk(unit, memory, context, iova, access);
	default:
		return plain_vtd_walk(unit, memory, context, iova, access);
	}
}

u16 plain_context(const struct rig_unit *unit, const struct rig_context *context)
{
	switch (unit->architecture) {
	case RIG_AMD:
		return plain_amd_context(unit, context);
	case RIG_SMMUV3:
		return plain_smmuv3_context(unit, context);
	case RIG_RISCV:
		return plain_riscv_context(unit, context);
	default:
		return plain_vtd_context(unit, context);
	}
}

u16 plain_process(const struct rig_unit *unit, const struct rig_context *context)
{
	u16 refused = plain_context(unit, context);

	if (refused)
		return refused;
	if (unit->architecture == RIG_RISCV)
		return 260;
	/* Who bypasses has no use for it. */
	return context->type == RIG_TRANSLATE ? 8 : 0;
}

/* ---- Entries --------------------------------------------------------------------------------- */

bool plain_is_present(const struct rig_unit *unit, u64 word)
{
	return word & (unit->architecture == RIG_VTD ? 3 : 1);
}

bool plain_is_leaf(const struct rig_unit *unit, u64 word, u8 lg2)
{
	u32 next = word >> 9 & 7;

	switch (unit->architecture) {
	case RIG_AMD:
		return lg2 == 12 || next == 0 || next == 7;
	case RIG_SMMUV3:
		return lg2 == 12 || !(word & 2);
	case RIG_RISCV:
		return lg2 == 12 || word & 0xe;
	default:
		return lg2 == 12 || word & 0x80;
	}
}

void plain_limit(const struct rig_unit *unit, u64 word, bool *read, bool *write)
{
	switch (unit->architecture) {
	case RIG_AMD:
		*read = *read && word >> 61 & 1;
		*write = *write && word >> 62 & 1;
		break;
	case RIG_SMMUV3:
		/* APTable: no user, and so no write either; no write. */
		*read = *read && !(word >> 61 & 1);
		*write = *write && !(word >> 61 & 3);
		break;
	case RIG_RISCV:
		break;
	default:
		*read = *read && word & 1;
		*write = *write && word & 2;
		break;
	}
}

u32 plain_items(const struct rig_unit *unit, u64 word)
{
	u32 lg2 = 13;

	switch (unit->architecture) {
	case RIG_AMD:
		if (!(word & 1) || (word >> 9 & 7) != 7)
			return 1;
		while (lg2 < 52 && word >> (lg2 - 1) & 1)
			lg2++;
		return 1U << ((lg2 - 12) % 9);
	case RIG_SMMUV3:
		return word & 1 && word >> 52 & 1 ? 16 : 1;
	case RIG_RISCV:
		/* N, and the number of its page says 64 KiB. */
		return word & 1 && word & 0xe && word >> 63 && (word >> 10 & 0xf) == 8 ? 16 : 1;
	default:
		return 1;
	}
}

bool plain_is_documented(const struct rig_unit *unit, u16 fault)
{
	static const u16 faults[][12] = {
		[RIG_VTD] = { 2, 3, 4, 5, 6, 7, 0xb, 0xc },
		[RIG_AMD] = { 1, 2, 4 },
		[RIG_SMMUV3] = { 2, 4, 8, 0xa, 0xb, 0x10, 0x11, 0x12, 0x13 },
		[RIG_RISCV] = { 5, 7, 13, 15, 258, 259, 260 },
	};

	for (u32 i = 0; i < 12; i++) {
		if (faults[unit->architecture][i] == fault)
			return true;
	}
	return false;
}
