/* SPDX-License-Identifier: MIT */
#include "input.h"

u16 input_requester(u8 byte)
{
	static const u16 requesters[INPUT_REQUESTERS] = { 0x0100, 0x0101, 0x0106, 0x0210 };

	return requesters[byte % INPUT_REQUESTERS];
}

u64 input_address(u32 index)
{
	static const u64 at[] = { 0, 1, 511 };
	u64 address = 0;

	for (u32 level = 0; level < 4; level++, index /= 3)
		address |= at[index % 3] << (12 + 9 * level);
	return address;
}

struct rig_unit input_unit(struct bytes *bytes)
{
	static const u8 sizes[] = { 64, 0, 1, 2, 3, 4, 8, 16 };
	static const u8 masks[] = { 18, 0, 9, 63 };
	u8 kind = take8(bytes), options = take8(bytes);
	u8 caches = take8(bytes), more = take8(bytes), limits = take8(bytes);
	u32 iotlb = sizes[caches % 8];
	bool amd = kind & 1;

	return (struct rig_unit){
		.architecture = amd ? RIG_AMD : RIG_VTD,
		.levels = amd ? (kind & 2 ? 4 : 6) : (kind & 2 ? 3 : 4),
		.random_choices = !(kind & 4),
		.coherent = amd || !(options & 1), /* AMD's always snoops */
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
		.address_bits = limits & 4 ? 52 : 46,
		.seed = take8(bytes),
	};
}

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

u64 input_entry(struct bytes *bytes)
{
	/* Bits 63:52, by sixteenths. 0x600 is AMD's read and write. */
	static const u16 high[16] = { 0,     0x600, 0x600, 0x200, 0x400, 0x601, 0x610, 0x640,
				      0x700, 0xe00, 0x680, 0x400, 0x800, 0x3ff, 0x001, 0xfff };
	/* Address bits that sizes are coded in, or that large pages reserve. */
	static const u64 mixed[] = { 0x7000, 0x200000, 0x2ff000, 0x40000000 };
	u64 low = take(bytes, 2);
	u64 word = (low & 0xfff) | (u64)high[low >> 12] << 52;
	u8 where = take8(bytes), what = take8(bytes);

	if (what < 192)
		return word | input_table(where);
	return word | (mixed[what % 4] & ~(where & 1 ? 0x1000ULL : 0)) | (u64)(where >> 1) << 30;
}
