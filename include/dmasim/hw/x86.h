/* SPDX-License-Identifier: MIT */
/*
 * x86-64 page tables as a first stage: bit positions only.
 *
 * Source: facts "iova-and-page-tables" 2.3. Entries are little-endian in memory.
 */
#ifndef DMASIM_HW_X86_H
#define DMASIM_HW_X86_H

#define X86_FS_PRESENT	    (1ULL << 0)
#define X86_FS_WRITE	    (1ULL << 1)
#define X86_FS_USER	    (1ULL << 2)
#define X86_FS_ACCESSED	    (1ULL << 5)
#define X86_FS_DIRTY	    (1ULL << 6)
#define X86_FS_PAGE_SIZE    (1ULL << 7)	 /* of levels 1 and 2: a leaf; of level 0: PAT */
#define X86_FS_EXT_ACCESSED (1ULL << 10) /* VT-d's own, set beside A where it is enabled */
#define X86_FS_ADDR_MASK    0x000ffffffffff000ULL
#define X86_FS_NO_EXECUTE   (1ULL << 63)
#define X86_FS_2M_RESERVED  0x00000000001fe000ULL /* 20:13; bit 12 is PAT */
#define X86_FS_1G_RESERVED  0x000000003fffe000ULL /* 29:13 */
#define X86_FS_INDEX_BITS   9
#define X86_FS_GRANULE_LG2  12
#define X86_FS_LEVELS_MIN   4
#define X86_FS_LEVELS_MAX   5

#endif
