/* SPDX-License-Identifier: MIT */
#include "tables.h"

#include "support/expect.h"

#include <string.h>

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

struct hw_walk walk_both_ways(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 iova,
			      bool write)
{
	const struct hw_walk_start start = { root, levels, true, true };
	struct hw_walk found = hw_walk_vtd_ss(walker, root, levels, iova, write);
	struct hw_walk other;

	if (!hw_walk_vtd_ss_reaches(levels, iova))
		return found;
	/* What was there before must not shine through. */
	memset(&other, 0xa5, sizeof(other));
	other.no_steps = true;
	hw_walk_vtd_ss_from(walker, &start, iova, write, &other);
	expect_u64(other.fault, found.fault);
	expect_u64(other.fault_flags, found.fault_flags);
	expect_u64(other.page_lg2, found.page_lg2);
	expect_u64(other.absent_lg2, found.absent_lg2);
	expect_u64(other.read, found.read);
	expect_u64(other.write, found.write);
	expect_u64(other.phys, found.phys);
	expect_u64(other.reads, found.reads);
	expect_u64(other.tables, found.tables);
	return found;
}
