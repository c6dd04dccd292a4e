/* SPDX-License-Identifier: MIT */
/*
 * Page tables made by hand: words stored byte by byte, indexes by plain arithmetic. Nothing here
 * comes from what writes or reads tables in the library.
 */
#ifndef UNIT_HW_TABLES_H
#define UNIT_HW_TABLES_H

#include "hw/walker.h"

/* Bits of an entry, as the architecture numbers them. */
#define ENTRY_R	   0x001ULL
#define ENTRY_W	   0x002ULL
#define ENTRY_RW   0x003ULL
#define ENTRY_LEAF 0x080ULL /* of 2 MiB or 1 GiB */

/* The entry number `index` of the 4 KiB table at `table`, little-endian in memory. */
void put_entry(struct ram *ram, phys_addr_t table, u64 index, u64 word);
u64 get_entry(struct ram *ram, phys_addr_t table, u64 index);

/* The index of an address in a table of this level; 0 holds the 4 KiB leaves. */
u64 index_of(u64 iova, u8 level);

/* Bytes that an entry of this level maps. */
u64 bytes_of(u8 level);

/* A tree of tables; new ones are taken from `next` on. */
struct tables {
	struct ram *ram;
	u8 levels;
	phys_addr_t root;
	phys_addr_t next;
};

/* The table of `level` that serves the address, made on the way down with entries of R and W. */
phys_addr_t tables_reach(struct tables *tables, u64 iova, u8 level);

/* Puts a word where the entry of `level` for the address is. */
void tables_put(struct tables *tables, u64 iova, u8 level, u64 word);

/* Walks second-stage tables; a walk without steps, which has a shorter way, must find the same. */
struct hw_walk walk_both_ways(const struct hw_walker *walker, phys_addr_t root, u8 levels, u64 iova,
			      bool write);

#endif
