/* SPDX-License-Identifier: MIT */
#include "plain.h"

static u64 field(u64 word, u32 last, u32 first)
{
	return (word >> first) % (2ULL << (last - first));
}

/* ---- Commands (3.4) -------------------------------------------------------------------------- */

static struct plain_command of_kind(enum plain_kind kind)
{
	return (struct plain_command){ .kind = kind };
}

/* Numbers of requesters have 16 bits: another is nobody's. */
static struct plain_command streams(u64 low, u64 ignored)
{
	u64 stream = field(low, 63, 32);

	if (stream & ~ignored & 0xffff0000)
		return of_kind(PLAIN_NOTHING);
	return (struct plain_command){
		.kind = PLAIN_CONTEXT,
		.any_domain = true,
		.requester = (u16)stream,
		.ignored = (u16)ignored,
	};
}

/* CFGI_STE, CFGI_STE_RANGE */
static struct plain_command stream_command(u64 low, u64 high, bool range)
{
	if (field(low, 31, 8) || high > (range ? 31 : 1))
		return of_kind(PLAIN_MALFORMED);
	return streams(low, range ? (2ULL << high) - 1 : 0);
}

static struct plain_command all_of(bool any, u64 domain)
{
	return (struct plain_command){
		.kind = PLAIN_PAGES,
		.any_domain = any,
		.domain = (u16)domain,
		.last = ~0ULL,
	};
}

/* A range ends with the last address there is: it never wraps. */
static struct plain_command range_command(struct plain_command command, u64 low, u64 high)
{
	u64 num = field(low, 16, 12), scale = field(low, 24, 20);
	u64 level = field(high, 9, 8), granule = field(high, 11, 10);
	u64 last;

	if (!granule) {
		command.last = command.start + 0xfff;
		return num || scale || level ? of_kind(PLAIN_MALFORMED) : command;
	}
	if ((!num && !scale && !level) || (level == 1 && granule != 1))
		return of_kind(PLAIN_MALFORMED);
	/* Tables of 16 and 64 KiB are nobody's. */
	if (granule != 1)
		return of_kind(PLAIN_NOTHING);
	last = command.start + ((num + 1) << scale) * 4096 - 1;
	command.last = last < command.start ? ~0ULL : last;
	command.hint_lg2 = (u8[]){ 0, 30, 21, 12 }[level];
	return command;
}

/* TLBI_NH_VA, TLBI_NH_VAA */
static struct plain_command address_command(const struct rig_unit *unit, u64 low, u64 high,
					    bool any)
{
	struct plain_command command = all_of(any, any ? 0 : field(low, 63, 48));
	u64 unused_low = any ? 0xfffffffffe0e0f00 : 0x0000fffffe0e0f00;
	u64 unused_high = 0x0fe;

	if (!unit->command_ranges) {
		unused_low |= 0x1f1f000;
		unused_high |= 0xf00;
	}
	if (low & unused_low || high & unused_high)
		return of_kind(PLAIN_MALFORMED);
	command.start = high & ~0xfffULL;
	command.leaf_only = high & 1;
	return range_command(command, low, high);
}

static struct plain_command device_command(const struct rig_unit *unit, u64 low, u64 high)
{
	if (!unit->device_tlb || low & 0x500 || high & 0xfc0 || field(high, 5, 0) > 52)
		return of_kind(PLAIN_MALFORMED);
	return of_kind(low >> 48 ? PLAIN_NOTHING : PLAIN_DEVICE_TLB);
}

static struct plain_command wait_command(u64 low, u64 high)
{
	struct plain_command command = { .kind = PLAIN_WAIT, .fence = true };

	if (low & 0xf03fcf00 || high & 0xfff0000000000003 || field(low, 13, 12) == 3)
		return of_kind(PLAIN_MALFORMED);
	/* An interrupt that is a write, if it says where. */
	if (field(low, 13, 12) == 1 && high) {
		command.store_bytes = 4;
		command.store_at = high;
		command.value = low >> 32;
	}
	return command;
}

struct plain_command plain_smmuv3_command(const struct rig_unit *unit, u64 low, u64 high)
{
	switch (field(low, 7, 0)) {
	case 0x01:
		return of_kind(low & 0x700 || high ? PLAIN_MALFORMED : PLAIN_NOTHING);
	case 0x03:
	case 0x04:
		return stream_command(low, high, field(low, 7, 0) == 4);
	case 0x05:
		return of_kind(low & 0xf00 || high > 1 ? PLAIN_MALFORMED : PLAIN_NOTHING);
	case 0x06:
		return of_kind(field(low, 31, 8) || high ? PLAIN_MALFORMED : PLAIN_NOTHING);
	case 0x10:
	case 0x30:
		return low >> 8 || high ? of_kind(PLAIN_MALFORMED) : all_of(true, 0);
	case 0x11:
		return field(low, 47, 8) || high ? of_kind(PLAIN_MALFORMED)
						 : all_of(false, field(low, 63, 48));
	case 0x12:
	case 0x13:
		return address_command(unit, low, high, field(low, 7, 0) == 0x13);
	case 0x40:
		return device_command(unit, low, high);
	case 0x46:
		return wait_command(low, high);
	default:
		return of_kind(PLAIN_MALFORMED);
	}
}

/* ---- Contexts: stream table entries and the descriptors behind them -------------------------- */

u16 plain_smmuv3_context(const struct rig_unit *unit, const struct rig_context *context)
{
	switch (context->type) {
	case RIG_PASS_THROUGH:
		return 0;
	case RIG_TRANSLATE:
		break;
	case RIG_NO_PLACE:
		return 2;
	default:
		return 4;
	}
	if (context->levels < 3 || context->levels > unit->levels || context->root % 4096 ||
	    context->root >= 1ULL << unit->address_bits || context->marks)
		return 0xa;
	return 0;
}

/* ---- Walks of stage 1, 4 KiB (2.4, 2.6) ------------------------------------------------------ */

/* What a record says of where it was, from bit 1 on: on the way, or at the address itself. */
#define CLASS_TABLE 2
#define CLASS_INPUT 4

static void refuse(struct plain_walk *walk, u16 event, u16 class)
{
	walk->fault = event;
	walk->flags = class;
}

static void arrive(const struct rig_unit *unit, struct plain_walk *walk, u64 word, u64 iova,
		   enum plain_access access)
{
	u8 lg2 = walk->entry[walk->entries - 1].lg2;
	u64 page = (word & 0x0000fffffffff000) >> lg2 << lg2;

	walk->read = walk->read && word & 0x40;
	walk->write = walk->write && walk->read && !(word & 0x80);
	walk->page_lg2 = lg2 + (word >> 52 & 1 ? 4 : 0);
	walk->phys = page + iova % (1ULL << lg2);
	if (page >> unit->address_bits)
		refuse(walk, 0x11, CLASS_INPUT);
	else if (!(word & 0x400))
		refuse(walk, 0x12, CLASS_INPUT);
	else if ((access == PLAIN_READ && !walk->read) || (access == PLAIN_WRITE && !walk->write))
		refuse(walk, 0x13, CLASS_INPUT);
}

struct plain_walk plain_smmuv3_walk(const struct rig_unit *unit, struct plain_memory *memory,
				    const struct rig_context *context, u64 iova,
				    enum plain_access access)
{
	struct plain_walk walk = { .read = true, .write = true };
	u64 table = context->root;

	if (iova >> (12 + 9 * context->levels)) {
		refuse(&walk, 0x10, CLASS_INPUT);
		return walk;
	}
	for (u8 level = context->levels - 1;; level--) {
		u8 lg2 = 12 + 9 * level;
		u64 *word = plain_read(&walk, memory, table + (iova >> lg2) % 512 * 8, lg2);

		if (!word) {
			refuse(&walk, 0xb, CLASS_TABLE);
			return walk;
		}
		/* Blocks have 2 MiB or 1 GiB; of pages both bits are set. */
		if (!(*word & 1) || ((level == 0 || level == 3) && !(*word & 2))) {
			refuse(&walk, 0x10, CLASS_INPUT);
			return walk;
		}
		if (plain_is_leaf(unit, *word, lg2)) {
			arrive(unit, &walk, *word, iova, access);
			return walk;
		}
		table = *word & 0x0000fffffffff000;
		if (table >> unit->address_bits) {
			refuse(&walk, 0x11, CLASS_TABLE);
			return walk;
		}
		plain_limit(unit, *word, &walk.read, &walk.write);
	}
}
