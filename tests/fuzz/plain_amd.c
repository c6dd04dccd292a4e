/* SPDX-License-Identifier: MIT */
#include "plain.h"

/* Flags of an event (2.6). */
#define PRESENT	   0x010
#define WRITING	   0x020
#define PERMISSION 0x040
#define RESERVED   0x080
#define ABORT	   0x200 /* hardware error, type 1: master abort */

/* ---- Commands (3.3) -------------------------------------------------------------------------- */

static u64 field(u64 word, u32 last, u32 first)
{
	return (word >> first) % (2ULL << (last - first));
}

static struct plain_command malformed(void)
{
	return (struct plain_command){ .kind = PLAIN_MALFORMED };
}

/* S, bit 0: so many ones from bit 12 on, each doubles 8 KiB. */
static void read_window(struct plain_command *command, u64 word)
{
	u32 lg2 = 12;

	if (word & 1) {
		lg2 = 13;
		while (lg2 < 65 && word >> (lg2 - 1) & 1)
			lg2++;
	}
	command->last = lg2 < 64 ? word | ((1ULL << lg2) - 1) : ~0ULL;
	command->start = lg2 < 64 ? command->last - ((1ULL << lg2) - 1) : 0;
}

static struct plain_command pages_command(u64 low, u64 high)
{
	struct plain_command command = { .kind = PLAIN_PAGES, .larger_stay = true };

	/* Without guest tables GN, bit 2, asks for what is not there. */
	if ((low & 0x0fff0000fff00000) || (high & 0xffc))
		return malformed();
	command.domain = (u16)field(low, 47, 32);
	command.leaf_only = !(high & 2);
	read_window(&command, high);
	return command;
}

static struct plain_command wait_command(u64 low, u64 high)
{
	struct plain_command command = { .kind = PLAIN_WAIT, .fence = low & 4 };

	if (low & 0x0ff0000000000000)
		return malformed();
	if (low & 1) {
		command.store_bytes = 8;
		command.store_at = low & 0x000ffffffffffff8;
		command.value = high;
	}
	return command;
}

static struct plain_command context_command(u64 low)
{
	return (struct plain_command){
		.kind = PLAIN_CONTEXT,
		.any_domain = true,
		.requester = (u16)field(low, 15, 0),
	};
}

struct plain_command plain_amd_command(const struct rig_unit *unit, u64 low, u64 high)
{
	u64 opcode = field(low, 63, 60);

	switch (opcode) {
	case 1:
		return wait_command(low, high);
	case 2:
	case 5:
		if ((low & 0x0fffffffffff0000) || high)
			return malformed();
		if (opcode == 5)
			return (struct plain_command){ .kind = PLAIN_INTERRUPT };
		return context_command(low);
	case 3:
		return pages_command(low, high);
	case 4:
		if (!unit->device_tlb || (low & 0x0f00000000000000) || (high & 0xffe))
			return malformed();
		return (struct plain_command){ .kind = PLAIN_DEVICE_TLB };
	case 8:
		if ((low & 0x0fffffffffffffff) || high)
			return malformed();
		return (struct plain_command){ .kind = PLAIN_EVERYTHING,
					       .any_domain = true,
					       .last = ~0ULL,
					       .ignored = 0xffff };
	default:
		return malformed();
	}
}

/* ---- Contexts: device table entries ---------------------------------------------------------- */

u16 plain_amd_context(const struct rig_unit *unit, const struct rig_context *context)
{
	if (context->type == RIG_ABSENT)
		return 2;
	if (context->type == RIG_TRANSLATE && (!context->levels || context->levels > unit->levels))
		return 1;
	return 0;
}

u16 plain_amd_context_flags(u8 fault, bool write)
{
	return (fault == 1 ? RESERVED : 0) | (fault && write ? WRITING : 0);
}

/* ---- Walks (2.1, 2.6) ------------------------------------------------------------------------ */

/* log2 of the size of the leaf; 0: it is none that this level may have. */
static u8 leaf_lg2(u64 word, u8 level)
{
	u8 lg2 = 12 + 9 * level;
	u8 ones = 0;

	if (word >> 9 & 7) {
		while (ones < 40 && word >> (12 + ones) & 1)
			ones++;
		if (12 + ones + 1 <= lg2)
			return 0;
		lg2 = 12 + ones + 1;
	}
	/* Never all that the table above would map, and 2 PiB at most. */
	return lg2 < 12 + 9 * (level + 1) && lg2 <= 51 ? lg2 : 0;
}

static void refuse(struct plain_walk *walk, u8 code, u16 flags, bool writing)
{
	walk->fault = code;
	walk->flags = flags | (writing ? WRITING : 0);
}

/* The top bits of an address that the level does not index. */
static bool is_beyond(u64 iova, u8 mode)
{
	return mode < 6 && iova >> (12 + 9 * mode);
}

/* Address bits between what a table of `level` indexes and what one of `below` does. */
static bool skips_ones(u64 iova, u8 level, u8 below)
{
	for (u32 bit = 12 + 9 * (below + 1U); bit < 12 + 9U * level; bit++) {
		if (iova >> bit & 1)
			return true;
	}
	return false;
}

struct plain_walk plain_amd_walk(const struct rig_unit *unit, struct plain_memory *memory,
				 const struct rig_context *context, u64 iova,
				 enum plain_access access)
{
	struct plain_walk walk = { .read = true, .write = true };
	bool writing = access == PLAIN_WRITE;
	u64 table = context->root;
	u8 level = context->levels - 1;

	(void)unit;
	if (is_beyond(iova, context->levels)) {
		refuse(&walk, 2, PRESENT | RESERVED, writing);
		return walk;
	}
	for (;;) {
		u8 shift = 12 + 9 * level;
		u64 *word = plain_read(&walk, memory, table + (iova >> shift) % 512 * 8, shift);
		u8 next, lg2;

		if (!word) {
			refuse(&walk, 4, ABORT, writing);
			return walk;
		}
		if (!(*word & 1)) {
			refuse(&walk, 2, 0, writing);
			return walk;
		}
		next = *word >> 9 & 7;
		lg2 = leaf_lg2(*word, level);
		walk.read = walk.read && *word >> 61 & 1;
		walk.write = walk.write && *word >> 62 & 1;
		/* A leaf has 0 or 7; a pointer one of the levels below. Bits 58:52 are reserved. */
		if (*word >> 52 & 0x7f || ((next == 0 || next == 7) && !lg2) ||
		    (next != 7 && next > level) ||
		    (next && next != 7 && skips_ones(iova, level, next - 1))) {
			refuse(&walk, 2, PRESENT | RESERVED, writing);
			return walk;
		}
		table = *word & 0x000ffffffffff000;
		if (next && next != 7) {
			level = next - 1;
			continue;
		}
		walk.page_lg2 = lg2;
		walk.phys = table >> lg2 << lg2 | (iova & ((1ULL << lg2) - 1));
		if ((access == PLAIN_READ && !walk.read) || (writing && !walk.write))
			refuse(&walk, 2, PRESENT | PERMISSION, writing);
		return walk;
	}
}
