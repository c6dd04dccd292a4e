/* SPDX-License-Identifier: MIT */
#include "plain.h"

static u64 field(u64 word, u32 last, u32 first)
{
	return (word >> first) % (2ULL << (last - first));
}

/* ---- Commands (3.5) -------------------------------------------------------------------------- */

static struct plain_command of_kind(enum plain_kind kind)
{
	return (struct plain_command){ .kind = kind };
}

/* Of a page's number and S: ones from bit 0 up to the first zero double the window each. */
static bool read_window(struct plain_command *command, u64 number, bool coded)
{
	u64 pages = 1;

	if (coded) {
		for (pages = 2; number & (pages / 2); pages *= 2) {
			if (pages >> 52)
				return false;
		}
	}
	command->start = number / pages * pages * 4096;
	command->last = command->start + pages * 4096 - 1;
	return true;
}

/* Bits that mean nothing, functions that are none, what asks for an extension that is not there. */
static bool is_bad_iotinval(const struct rig_unit *unit, u64 low, u64 high)
{
	u64 function = field(low, 9, 7);

	if (field(low, 11, 11) || field(low, 43, 35) || field(low, 63, 60) || field(high, 8, 0) ||
	    field(high, 63, 62))
		return true;
	if (function > 1 || (function == 1 && field(low, 32, 32)))
		return true;
	return (field(low, 34, 34) && !unit->forgets_tables) ||
	       (field(high, 9, 9) && !unit->forgets_windows);
}

static struct plain_command iotinval(const struct rig_unit *unit, u64 low, u64 high)
{
	bool address = field(low, 10, 10), space = field(low, 32, 32), machine = field(low, 33, 33);
	struct plain_command command = {
		.kind = PLAIN_PAGES,
		.any_domain = !space,
		.domain = space ? (u16)field(low, 31, 12) : 0,
		.leaf_only = address && !field(low, 34, 34),
		.last = ~0ULL,
	};

	if (is_bad_iotinval(unit, low, high))
		return of_kind(PLAIN_MALFORMED);
	/* There are no virtual machines, and no numbers of more than 16 bits. */
	if (field(low, 9, 7) == 1 || machine || (space && field(low, 31, 12) > 0xffff))
		return of_kind(PLAIN_NOTHING);
	if (address && !read_window(&command, field(high, 61, 10), field(high, 9, 9)))
		return of_kind(PLAIN_NOTHING);
	return command;
}

static struct plain_command iofence(u64 low, u64 high)
{
	struct plain_command command = { .kind = PLAIN_WAIT, .fence = true };

	if (field(low, 9, 7) || field(low, 31, 14) || field(high, 63, 62))
		return of_kind(PLAIN_MALFORMED);
	if (field(low, 10, 10)) {
		command.store_bytes = 4;
		command.store_at = high * 4;
		command.value = field(low, 63, 32);
	}
	return command;
}

static struct plain_command iodir(u64 low, u64 high)
{
	bool one = field(low, 33, 33);

	if (field(low, 11, 10) || field(low, 32, 32) || field(low, 39, 34) || high)
		return of_kind(PLAIN_MALFORMED);
	/* Contexts of processes are a device's; those of devices have no process. */
	switch (field(low, 9, 7)) {
	case 0:
		if (field(low, 31, 12))
			return of_kind(PLAIN_MALFORMED);
		break;
	case 1:
		return of_kind(one ? PLAIN_NOTHING : PLAIN_MALFORMED);
	default:
		return of_kind(PLAIN_MALFORMED);
	}
	if (one && field(low, 63, 40) > 0xffff)
		return of_kind(PLAIN_NOTHING);
	return (struct plain_command){
		.kind = PLAIN_CONTEXT,
		.any_domain = true,
		.requester = one ? (u16)field(low, 55, 40) : 0,
		.ignored = one ? 0 : 0xffff,
	};
}

static struct plain_command ats(const struct rig_unit *unit, u64 low, u64 high)
{
	struct plain_command command;

	if (!unit->device_tlb || field(low, 11, 10) || field(low, 39, 34) || field(low, 9, 7) > 1)
		return of_kind(PLAIN_MALFORMED);
	/* An answer to a request for pages: there are none. */
	if (field(low, 9, 7) == 1)
		return of_kind(PLAIN_NOTHING);
	if (field(high, 10, 1))
		return of_kind(PLAIN_MALFORMED);
	/* The unit serves segment 0. */
	if (!read_window(&command, high / 4096, field(high, 11, 11)) ||
	    (field(low, 33, 33) && field(low, 63, 56)))
		return of_kind(PLAIN_NOTHING);
	return of_kind(PLAIN_DEVICE_TLB);
}

struct plain_command plain_riscv_command(const struct rig_unit *unit, u64 low, u64 high)
{
	switch (field(low, 6, 0)) {
	case 1:
		return iotinval(unit, low, high);
	case 2:
		return iofence(low, high);
	case 3:
		return iodir(low, high);
	case 4:
		return ats(unit, low, high);
	default:
		return of_kind(PLAIN_MALFORMED);
	}
}

/* ---- Contexts of devices --------------------------------------------------------------------- */

u16 plain_riscv_context(const struct rig_unit *unit, const struct rig_context *context)
{
	if (context->type == RIG_ABSENT || context->type == RIG_NO_PLACE)
		return 258;
	if (context->marks || (context->device_tlb && !unit->device_tlb))
		return 259;
	if (context->type == RIG_PASS_THROUGH)
		return 0;
	/* The number of a table's page has 44 bits. */
	if (context->type != RIG_TRANSLATE || context->levels < 3 ||
	    context->levels > unit->levels || context->root % 4096 || context->root >> 56)
		return 259;
	return 0;
}

/* ---- Walks of a first stage (2.5, 2.6) ------------------------------------------------------- */

static void refuse(struct plain_walk *walk, u16 of_read, enum plain_access access)
{
	walk->fault = of_read + (access == PLAIN_WRITE ? 2 : 0);
}

/* The highest bit that counts is repeated above. */
static bool is_canonical(u64 iova, u8 levels)
{
	u64 above = iova >> (12 + 9 * levels - 1);

	return above == 0 || above == ~0ULL >> (12 + 9 * levels - 1);
}

static bool is_malformed(const struct rig_unit *unit, u64 word, u8 level)
{
	u64 type = field(word, 62, 61);
	bool pointer = !field(word, 3, 1), napot = field(word, 63, 63);

	/* W without R; reserved; types of memory. */
	if (field(word, 2, 1) == 2 || field(word, 60, 54) || type == 3 ||
	    (type && !unit->page_types))
		return true;
	if (napot && (level || !unit->napot))
		return true;
	return pointer && (level == 0 || type || napot || field(word, 7, 6) || field(word, 4, 4));
}

/* False: no such access. Nobody marks pages: without A there is none, without D no write. */
static bool arrive(struct plain_walk *walk, u64 word, u64 iova, enum plain_access access)
{
	u8 lg2 = walk->entry[walk->entries - 1].lg2;
	u64 page = field(word, 53, 10) * 4096;
	bool accessed = field(word, 6, 6), user = field(word, 4, 4);

	if (page % (1ULL << lg2))
		return false;
	if (field(word, 63, 63)) {
		if (page / 4096 % 16 != 8)
			return false;
		lg2 = 16;
		page -= 8 * 4096;
	}
	walk->read = user && accessed && field(word, 1, 1);
	walk->write = user && accessed && field(word, 2, 2) && field(word, 7, 7);
	walk->page_lg2 = lg2;
	walk->phys = page + iova % (1ULL << lg2);
	return access == PLAIN_ANY || (access == PLAIN_READ ? walk->read : walk->write);
}

struct plain_walk plain_riscv_walk(const struct rig_unit *unit, struct plain_memory *memory,
				   const struct rig_context *context, u64 iova,
				   enum plain_access access)
{
	struct plain_walk walk = { .read = true, .write = true };
	u64 table = context->root;

	if (!is_canonical(iova, context->levels)) {
		refuse(&walk, 13, access);
		return walk;
	}
	for (u8 level = context->levels - 1;; level--) {
		u8 lg2 = 12 + 9 * level;
		u64 *word = plain_read(&walk, memory, table + (iova >> lg2) % 512 * 8, lg2);

		if (!word) {
			refuse(&walk, 5, access);
			return walk;
		}
		if (!(*word & 1) || is_malformed(unit, *word, level)) {
			refuse(&walk, 13, access);
			return walk;
		}
		if (field(*word, 3, 1)) {
			if (!arrive(&walk, *word, iova, access))
				refuse(&walk, 13, access);
			return walk;
		}
		table = field(*word, 53, 10) * 4096;
	}
}
