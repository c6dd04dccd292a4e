/* SPDX-License-Identifier: MIT */
#include "amd_tables.h"

phys_addr_t amd_reach(struct tables *tables, u64 iova, u8 level)
{
	phys_addr_t table = tables->root;

	for (u8 at = tables->levels - 1; at > level; at--) {
		u64 word = get_entry(tables->ram, table, index_of(iova, at));

		if (!word) {
			word = tables->next | AMD_PR | AMD_RW | AMD_NEXT(at);
			tables->next += 4096;
			put_entry(tables->ram, table, index_of(iova, at), word);
		}
		table = word & 0x000ffffffffff000ULL;
	}
	return table;
}

void amd_put(struct tables *tables, u64 iova, u8 level, u64 word)
{
	put_entry(tables->ram, amd_reach(tables, iova, level), index_of(iova, level), word);
}

u64 amd_size(u8 lg2)
{
	u64 bits = AMD_NEXT(7);

	for (u8 bit = 12; bit + 2 <= lg2; bit++)
		bits |= 1ULL << bit;
	return bits;
}

void amd_put_leaf(struct tables *tables, u64 iova, u8 level, u8 lg2, u64 word)
{
	for (u64 at = 0; at < 1ULL << lg2; at += bytes_of(level))
		amd_put(tables, iova + at, level, word);
}
