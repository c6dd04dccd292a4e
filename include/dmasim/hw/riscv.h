/* SPDX-License-Identifier: MIT */
/*
 * RISC-V page tables: bit positions only.
 *
 * Source: facts "iova-and-page-tables" 2.5. Entries are little-endian in memory.
 */
#ifndef DMASIM_HW_RISCV_H
#define DMASIM_HW_RISCV_H

#define RISCV_PTE_V	    (1ULL << 0)
#define RISCV_PTE_R	    (1ULL << 1)
#define RISCV_PTE_W	    (1ULL << 2)
#define RISCV_PTE_X	    (1ULL << 3)
#define RISCV_PTE_U	    (1ULL << 4)
#define RISCV_PTE_G	    (1ULL << 5)
#define RISCV_PTE_A	    (1ULL << 6)
#define RISCV_PTE_D	    (1ULL << 7)
#define RISCV_PTE_RSW	    (3ULL << 8) /* software's */
#define RISCV_PTE_PPN_SHIFT 10
#define RISCV_PTE_PPN_MASK  0x00000fffffffffffULL /* after the shift: 44 bits */
#define RISCV_PTE_RESERVED  0x1fc0000000000000ULL /* 60:54; 60:59 are software's with Svrsw60t59b */
#define RISCV_PTE_PBMT	    61			  /* the lower bit of two (Svpbmt): */
#define RISCV_PBMT_PMA	    0ULL
#define RISCV_PBMT_NC	    1ULL
#define RISCV_PBMT_IO	    2ULL
#define RISCV_PTE_N	    (1ULL << 63) /* Svnapot; of level 0 only: */
#define RISCV_NAPOT_LG2	    16		 /* the one size there is */
#define RISCV_NAPOT_PPN	    0x8ULL	 /* what the low bits of the PPN say of it */
#define RISCV_NAPOT_MASK    0xfULL

#define RISCV_GRANULE_LG2 12
#define RISCV_INDEX_BITS  9
#define RISCV_TOP_EXTRA	  2 /* index bits that the root of a G stage has more */
#define RISCV_LEVELS_MIN  3 /* Sv39; 4: Sv48; 5: Sv57 */
#define RISCV_LEVELS_MAX  5
#define RISCV_PA_BITS	  56

/* Causes of faults: of a fetch, of a read, of a write. */
#define RISCV_CAUSE_ACCESS_X	 1 /* tables lie where no memory is */
#define RISCV_CAUSE_ACCESS_R	 5
#define RISCV_CAUSE_ACCESS_W	 7
#define RISCV_CAUSE_PAGE_X	 12
#define RISCV_CAUSE_PAGE_R	 13
#define RISCV_CAUSE_PAGE_W	 15
#define RISCV_CAUSE_GUEST_PAGE_X 20
#define RISCV_CAUSE_GUEST_PAGE_R 21
#define RISCV_CAUSE_GUEST_PAGE_W 23

#endif
