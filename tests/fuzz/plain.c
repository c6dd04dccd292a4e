/* SPDX-License-Identifier: MIT */
#include "plain.h"

u64 *plain_word(struct plain_memory *memory, u64 at)
{
	u64 offset = at - 0x10000;

	if (at < 0x10000 || offset / 4096 >= RIG_TABLES)
		return NULL;
	return &memory->word[offset / 4096][offset % 4096 / 8];
}

struct plain_command plain_command(const struct rig_unit *unit, u64 low, u64 high)
{
	return unit->architecture == RIG_AMD ? plain_amd_command(unit, low, high)
					     : plain_vtd_command(unit, low, high);
}

struct plain_walk plain_walk(const struct rig_unit *unit, struct plain_memory *memory,
			     const struct rig_context *context, u64 iova, enum plain_access access)
{
	return unit->architecture == RIG_AMD ? plain_amd_walk(unit, memory, context, iova, access)
					     : plain_vtd_walk(unit, memory, context, iova, access);
}

u8 plain_context(const struct rig_unit *unit, const struct rig_context *context)
{
	return unit->architecture == RIG_AMD ? plain_amd_context(unit, context)
					     : plain_vtd_context(unit, context);
}

bool plain_is_present(const struct rig_unit *unit, u64 word)
{
	return word & (unit->architecture == RIG_AMD ? 1 : 3);
}

bool plain_is_leaf(const struct rig_unit *unit, u64 word, u8 lg2)
{
	u32 next = word >> 9 & 7;

	if (unit->architecture == RIG_AMD)
		return lg2 == 12 || next == 0 || next == 7;
	return lg2 == 12 || word & 0x80;
}
