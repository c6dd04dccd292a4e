/* SPDX-License-Identifier: MIT */
/*
 * AMD v1 tables made by hand, as tables.h makes VT-d's: nothing here comes from what writes or
 * reads tables in the library.
 */
#ifndef UNIT_HW_AMD_TABLES_H
#define UNIT_HW_AMD_TABLES_H

#include "tables.h"

#define AMD_PR	       0x0000000000000001ULL
#define AMD_IR	       0x2000000000000000ULL
#define AMD_IW	       0x4000000000000000ULL
#define AMD_RW	       (AMD_IR | AMD_IW)
#define AMD_NEXT(next) ((u64)(next) << 9)

/* Event codes and the flags of their records. */
#define PAGE_FAULT     2
#define HARDWARE_ERROR 4
#define FLAG_PR	       0x010
#define FLAG_RW	       0x020
#define FLAG_PE	       0x040
#define FLAG_RZ	       0x080
#define FLAG_MASTER    0x200 /* master abort */

/* The table of `level` that serves the address, made on the way down; all entries allow all. */
phys_addr_t amd_reach(struct tables *tables, u64 iova, u8 level);

/* Puts a word where the entry of `level` for the address is. */
void amd_put(struct tables *tables, u64 iova, u8 level, u64 word);

/* The low bits of an address that codes 2^lg2 bytes: ones from bit 12 to lg2 - 2, NextLevel 7. */
u64 amd_size(u8 lg2);

/* A leaf of 2^lg2 bytes at `level`, in each of the entries it takes. */
void amd_put_leaf(struct tables *tables, u64 iova, u8 level, u8 lg2, u64 word);

#endif
