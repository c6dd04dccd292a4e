/* SPDX-License-Identifier: MIT */
#include "plain.h"

/* ---- Commands (3.2) -------------------------------------------------------------------------- */

static u64 field(u64 word, u32 last, u32 first)
{
	return (word >> first) % (2ULL << (last - first));
}

static struct plain_command context_command(u64 low, u64 high)
{
	struct plain_command command = { .kind = PLAIN_CONTEXT, .ignored = 0xffff };

	if ((low & 0xfffc00000000ffc0) || high)
		return (struct plain_command){ .kind = PLAIN_MALFORMED };
	command.domain = (u16)field(low, 31, 16);
	switch (field(low, 5, 4)) {
	case 1:
		command.any_domain = true;
		return command;
	case 2:
		return command;
	case 3:
		command.requester = (u16)field(low, 47, 32);
		/* So many of the function's bits are ignored, from the highest on. */
		command.ignored = (u16[]){ 0, 4, 6, 7 }[field(low, 49, 48)];
		return command;
	default:
		return (struct plain_command){ .kind = PLAIN_MALFORMED };
	}
}

static struct plain_command iotlb_command(const struct rig_unit *unit, u64 low, u64 high)
{
	struct plain_command command = { .kind = PLAIN_PAGES, .last = ~0ULL };
	u64 mask = field(high, 5, 0);
	u64 bytes;

	if ((low & 0xffffffff0000ff00) || (high & 0xf80))
		return (struct plain_command){ .kind = PLAIN_MALFORMED };
	command.domain = (u16)field(low, 31, 16);
	switch (field(low, 5, 4)) {
	case 1:
		command.any_domain = true;
		return command;
	case 2:
		return command;
	case 3:
		if (mask > unit->max_address_mask)
			break;
		command.leaf_only = field(high, 6, 6);
		if (mask >= 52)
			return command;
		bytes = 4096ULL << mask;
		command.start = high / bytes * bytes;
		command.last = command.start + bytes - 1;
		return command;
	default:
		break;
	}
	return (struct plain_command){ .kind = PLAIN_MALFORMED };
}

static struct plain_command wait_command(u64 low, u64 high)
{
	struct plain_command command = { .kind = PLAIN_WAIT, .fence = low & 0x40 };

	if ((low & 0xffffff80) || (high & 3))
		return (struct plain_command){ .kind = PLAIN_MALFORMED };
	if (low & 0x20) {
		command.store_bytes = 4;
		command.store_at = high;
		command.value = field(low, 63, 32);
	}
	return command;
}

struct plain_command plain_vtd_command(const struct rig_unit *unit, u64 low, u64 high)
{
	struct plain_command malformed = { .kind = PLAIN_MALFORMED };
	u64 reserved;

	switch (field(low, 3, 0)) {
	case 1:
		return context_command(low, high);
	case 2:
		return iotlb_command(unit, low, high);
	case 3:
		reserved = 0xffff0000ffe0fff0;
		if (unit->pf_requester)
			reserved &= ~0xfff000000000f000;
		if (!unit->device_tlb || (low & reserved) || (high & 0xffe))
			return malformed;
		return (struct plain_command){ .kind = PLAIN_DEVICE_TLB };
	case 4:
		/* Used are 4:0, 31:27 and 47:32. */
		if ((low & 0xffff000007ffffe0) || high)
			return malformed;
		return (struct plain_command){ .kind = PLAIN_INTERRUPT };
	case 5:
		return wait_command(low, high);
	default:
		return malformed;
	}
}

/* ---- Walks (2.2, 2.6) ------------------------------------------------------------------------ */

u16 plain_vtd_context(const struct rig_unit *unit, const struct rig_context *context)
{
	if (context->type == RIG_ABSENT)
		return 2;
	/* The table is aligned, and where an address can be. */
	if (context->type == RIG_TRANSLATE &&
	    (context->root % 4096 || context->root >= 1ULL << unit->address_bits))
		return 0xb;
	if (context->type == RIG_TRANSLATE &&
	    (context->levels < 3 || context->levels > unit->levels))
		return 3;
	return 0;
}

static bool has_reserved_bits(const struct rig_unit *unit, u64 word, u8 level, bool leaf)
{
	u64 reserved = 0;

	for (u32 bit = unit->address_bits; bit < 52; bit++)
		reserved |= 1ULL << bit;
	if (!unit->snoop_control)
		reserved |= 1ULL << 11;
	if (!unit->device_tlb)
		reserved |= 1ULL << 62;
	if (level == 3 || (level == 2 && !unit->huge_1g))
		reserved |= 1ULL << 7;
	if (leaf && level == 1)
		reserved |= 0x00000000001ff000;
	if (leaf && level == 2)
		reserved |= 0x000000003ffff000;
	return word & reserved;
}

struct plain_walk plain_vtd_walk(const struct rig_unit *unit, struct plain_memory *memory,
				 const struct rig_context *context, u64 iova,
				 enum plain_access access)
{
	struct plain_walk walk = { .read = true, .write = true };
	u64 table = context->root;

	if (iova >= 4096ULL << (9 * context->levels)) {
		walk.fault = 4;
		return walk;
	}
	for (u8 level = context->levels - 1;; level--) {
		u8 lg2 = 12 + 9 * level;
		u64 *word = plain_read(&walk, memory, table + (iova >> lg2) % 512 * 8, lg2);
		bool leaf;

		if (!word) {
			walk.fault = 7;
			return walk;
		}
		leaf = level == 0 || (level < 3 && *word & 0x80);
		if ((*word & 3) && has_reserved_bits(unit, *word, level, leaf)) {
			walk.fault = 0xc;
			return walk;
		}
		walk.read = walk.read && (*word & 1);
		walk.write = walk.write && (*word & 2);
		if ((access == PLAIN_READ && !walk.read) || (access == PLAIN_ANY && !(*word & 3))) {
			walk.fault = 6;
			return walk;
		}
		if (access == PLAIN_WRITE && !walk.write) {
			walk.fault = 5;
			return walk;
		}
		table = *word & 0x000ffffffffff000;
		if (leaf) {
			walk.page_lg2 = lg2;
			walk.phys = table >> lg2 << lg2 | (iova & ((1ULL << lg2) - 1));
			return walk;
		}
	}
}
