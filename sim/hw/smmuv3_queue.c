/* SPDX-License-Identifier: MIT */
/*
 * Where the facts leave a choice:
 *   - a bit that means nothing must be 0, VMID among them: there is no second stage;
 *   - without a granule NUM, SCALE and TTL mean nothing;
 *   - a range that would wrap ends with the last address there is;
 *   - TTL 1 with 16 KiB needs DS, which the unit has not; of 64 KiB level 1 has no leaves either.
 */
#include "hw/smmuv3_queue.h"

#include <dmasim/hw/smmuv3.h>

#define OPCODE SMMUV3_CMD_OPCODE_MASK

/* True if no bit is set but these. */
static bool only(u64 word, u64 bits)
{
	return !(word & ~bits);
}

/* ---- Configuration ---------------------------------------------------- */

#define SID  (0xffffffffULL << SMMUV3_CFGI_SID_SHIFT)
#define SSID (SMMUV3_CFGI_SSID_MASK << SMMUV3_CFGI_SSID_SHIFT)

static bool decode_stream(const u64 word[2], struct hw_smmuv3_command *command)
{
	command->stream = (u32)(word[0] >> SMMUV3_CFGI_SID_SHIFT);
	command->all_substreams = true;
	return only(word[0], OPCODE | SID) && only(word[1], SMMUV3_CFGI_LEAF);
}

static bool decode_streams(const u64 word[2], struct hw_smmuv3_command *command)
{
	u64 range = word[1] & SMMUV3_CFGI_RANGE_MASK;

	command->stream = (u32)(word[0] >> SMMUV3_CFGI_SID_SHIFT);
	command->all_substreams = true;
	command->streams_ignored = (u32)((2ULL << range) - 1);
	return only(word[0], OPCODE | SID) && only(word[1], SMMUV3_CFGI_RANGE_MASK);
}

static bool decode_context(const u64 word[2], struct hw_smmuv3_command *command)
{
	command->stream = (u32)(word[0] >> SMMUV3_CFGI_SID_SHIFT);
	command->substream = word[0] >> SMMUV3_CFGI_SSID_SHIFT & SMMUV3_CFGI_SSID_MASK;
	return only(word[0], OPCODE | SID | SSID) && only(word[1], SMMUV3_CFGI_LEAF);
}

static bool decode_contexts(const u64 word[2], struct hw_smmuv3_command *command)
{
	command->stream = (u32)(word[0] >> SMMUV3_CFGI_SID_SHIFT);
	command->all_substreams = true;
	return only(word[0], OPCODE | SID) && !word[1];
}

static bool decode_prefetch(const u64 word[2], struct hw_smmuv3_command *command)
{
	command->stream = (u32)(word[0] >> SMMUV3_CFGI_SID_SHIFT);
	return only(word[0], OPCODE | SMMUV3_CFGI_SSV | SID | SSID) && !word[1];
}

/* ---- Translations ----------------------------------------------------- */

#define ASID  (SMMUV3_TLBI_ASID_MASK << SMMUV3_TLBI_ASID_SHIFT)
#define NUM   (SMMUV3_TLBI_NUM_MASK << SMMUV3_TLBI_NUM_SHIFT)
#define SCALE (SMMUV3_TLBI_SCALE_MASK << SMMUV3_TLBI_SCALE_SHIFT)
#define TTL   (SMMUV3_TLBI_TTL_MASK << SMMUV3_TLBI_TTL_SHIFT)
#define TG    (SMMUV3_TLBI_TG_MASK << SMMUV3_TLBI_TG_SHIFT)

static bool decode_all(const u64 word[2], struct hw_smmuv3_command *command)
{
	command->tables = true;
	command->last = ~0ULL;
	return only(word[0], OPCODE) && !word[1];
}

static bool decode_asid(const u64 word[2], struct hw_smmuv3_command *command)
{
	command->asid = (u16)(word[0] >> SMMUV3_TLBI_ASID_SHIFT);
	command->tables = true;
	command->last = ~0ULL;
	return only(word[0], OPCODE | ASID) && !word[1];
}

static bool decode_range(const u64 word[2], struct hw_smmuv3_command *command)
{
	u64 num = word[0] >> SMMUV3_TLBI_NUM_SHIFT & SMMUV3_TLBI_NUM_MASK;
	u64 scale = word[0] >> SMMUV3_TLBI_SCALE_SHIFT & SMMUV3_TLBI_SCALE_MASK;
	u64 granule = word[1] >> SMMUV3_TLBI_TG_SHIFT & SMMUV3_TLBI_TG_MASK;
	u64 ttl = word[1] >> SMMUV3_TLBI_TTL_SHIFT & SMMUV3_TLBI_TTL_MASK;
	u64 less_1;

	if (granule == SMMUV3_TLBI_TG_NONE) {
		command->last = command->start | 0xfff;
		return !num && !scale && !ttl;
	}
	command->granule_lg2 = (u8)(10 + 2 * granule);
	command->has_level = ttl;
	command->level = (u8)(ttl ? 3 - ttl : 0);
	less_1 = ((num + 1) << (scale + command->granule_lg2)) - 1;
	command->last = command->start + less_1;
	if (command->last < command->start)
		command->last = ~0ULL;
	return (num || scale || ttl) && (ttl != 1 || granule == SMMUV3_TLBI_TG_4K);
}

static bool decode_address(const u64 word[2], const struct hw_smmuv3_has *has, u64 low,
			   struct hw_smmuv3_command *command)
{
	u64 ranges = has->ranges ? NUM | SCALE : 0;
	u64 levels = has->ranges ? TTL | TG : 0;

	command->asid = (u16)(word[0] >> SMMUV3_TLBI_ASID_SHIFT);
	command->tables = !(word[1] & SMMUV3_TLBI_LEAF);
	command->start = word[1] & SMMUV3_TLBI_ADDR_MASK;
	return only(word[0], OPCODE | low | ranges) &&
	       only(word[1], SMMUV3_TLBI_LEAF | levels | SMMUV3_TLBI_ADDR_MASK) &&
	       decode_range(word, command);
}

/* ---- Devices ---------------------------------------------------------- */

static bool decode_device(const u64 word[2], struct hw_smmuv3_command *command)
{
	u64 size = word[1] & SMMUV3_ATC_SIZE_MASK;
	u64 within = size < SMMUV3_ATC_SIZE_ALL ? (1ULL << (size + 12)) - 1 : ~0ULL;

	command->stream = (u32)(word[0] >> SMMUV3_ATC_SID_SHIFT);
	command->has_substream = word[0] & SMMUV3_ATC_SSV;
	command->all_substreams = word[0] & SMMUV3_ATC_GLOBAL;
	command->substream = word[0] >> SMMUV3_ATC_SSID_SHIFT & SMMUV3_ATC_SSID_MASK;
	command->start = word[1] & SMMUV3_ATC_ADDR_MASK & ~within;
	command->last = command->start | within;
	return only(word[0], OPCODE | SMMUV3_ATC_GLOBAL | SMMUV3_ATC_SSV | SID | SSID) &&
	       only(word[1], SMMUV3_ATC_SIZE_MASK | SMMUV3_ATC_ADDR_MASK) &&
	       size <= SMMUV3_ATC_SIZE_ALL;
}

/* ---- Waits ------------------------------------------------------------ */

static bool decode_sync(const u64 word[2], struct hw_smmuv3_command *command)
{
	u64 signal = word[0] >> SMMUV3_SYNC_CS_SHIFT & SMMUV3_SYNC_CS_MASK;
	u64 attributes = 0x3ULL << SMMUV3_SYNC_SH_SHIFT | 0xfULL << SMMUV3_SYNC_ATTR_SHIFT;
	u64 data = 0xffffffffULL << SMMUV3_SYNC_DATA_SHIFT;

	command->store_at = word[1] & SMMUV3_SYNC_ADDR_MASK;
	command->store = signal == SMMUV3_SYNC_IRQ && command->store_at;
	command->interrupt = signal == SMMUV3_SYNC_IRQ && !command->store_at;
	command->value = (u32)(word[0] >> SMMUV3_SYNC_DATA_SHIFT);
	return only(word[0],
		    OPCODE | SMMUV3_SYNC_CS_MASK << SMMUV3_SYNC_CS_SHIFT | attributes | data) &&
	       only(word[1], SMMUV3_SYNC_ADDR_MASK) && signal <= SMMUV3_SYNC_SEV;
}

DMASIM_HOT bool hw_smmuv3_decode(const u64 word[2], const struct hw_smmuv3_has *has,
				 struct hw_smmuv3_command *command)
{
	*command = (struct hw_smmuv3_command){ .opcode = word[0] & OPCODE };
	switch (command->opcode) {
	case SMMUV3_CMD_PREFETCH_CFG:
		return decode_prefetch(word, command);
	case SMMUV3_CMD_CFGI_STE:
		return decode_stream(word, command);
	case SMMUV3_CMD_CFGI_STE_RANGE:
		return decode_streams(word, command);
	case SMMUV3_CMD_CFGI_CD:
		return decode_context(word, command);
	case SMMUV3_CMD_CFGI_CD_ALL:
		return decode_contexts(word, command);
	case SMMUV3_CMD_TLBI_NH_ALL:
	case SMMUV3_CMD_TLBI_NSNH_ALL:
		return decode_all(word, command);
	case SMMUV3_CMD_TLBI_NH_ASID:
		return decode_asid(word, command);
	case SMMUV3_CMD_TLBI_NH_VA:
		return decode_address(word, has, ASID, command);
	case SMMUV3_CMD_TLBI_NH_VAA:
		return decode_address(word, has, 0, command);
	case SMMUV3_CMD_ATC_INV:
		return decode_device(word, command) && has->device_tlb;
	case SMMUV3_CMD_SYNC:
		return decode_sync(word, command);
	default:
		return false;
	}
}
