/* SPDX-License-Identifier: MIT */
#include "tables.h"

#include "support/expect.h"

void put_entry(struct ram *ram, phys_addr_t table, u64 index, u64 word)
{
	for (u64 i = 0; i < 8; i++) {
		u8 byte = (u8)(word >> (8 * i));

		expect_u64(ram_write(ram, table + 8 * index + i, &byte, 1), 1);
	}
}

u64 get_entry(struct ram *ram, phys_addr_t table, u64 index)
{
	u64 word = 0;

	for (u64 i = 0; i < 8; i++) {
		u8 byte;

		expect_u64(ram_read(ram, table + 8 * index + i, &byte, 1), 1);
		word |= (u64)byte << (8 * i);
	}
	return word;
}

u64 bytes_of(u8 level)
{
	u64 bytes = 4096;

	while (level--)
		bytes *= 512;
	return bytes;
}

u64 index_of(u64 iova, u8 level)
{
	return iova / bytes_of(level) % 512;
}

phys_addr_t tables_reach(struct tables *tables, u64 iova, u8 level)
{
	phys_addr_t table = tables->root;

	for (u8 at = tables->levels - 1; at > level; at--) {
		u64 word = get_entry(tables->ram, table, index_of(iova, at));

		if (!word) {
			word = tables->next | ENTRY_RW;
			tables->next += 4096;
			put_entry(tables->ram, table, index_of(iova, at), word);
		}
		table = word & 0x000ffffffffff000ULL;
	}
	return table;
}

void tables_put(struct tables *tables, u64 iova, u8 level, u64 word)
{
	put_entry(tables->ram, tables_reach(tables, iova, level), index_of(iova, level), word);
}
