/* SPDX-License-Identifier: MIT */
/*
 * Armv8 page tables (VMSAv8-64), as an SMMUv3 walks them: bit positions only.
 *
 * Source: facts "iova-and-page-tables" 2.4. Descriptors are little-endian in memory. Levels here
 * count from 0, the smallest leaves: that is Arm's level 3.
 */
#ifndef DMASIM_HW_ARM_H
#define DMASIM_HW_ARM_H

#define ARM_DESC_VALID (1ULL << 0)
#define ARM_DESC_TABLE (1ULL << 1) /* at level 0: a page, which it must be */

/* Leaves of both stages. */
#define ARM_SH_SHIFT   8 /* not with LPA2 */
#define ARM_SH_OUTER   2ULL
#define ARM_SH_INNER   3ULL
#define ARM_AF	       (1ULL << 10)
#define ARM_DBM	       (1ULL << 51)
#define ARM_CONTIGUOUS (1ULL << 52)
#define ARM_NO_EXECUTE (3ULL << 53) /* stage 1: PXN and UXN */
#define ARM_SW_FLUSHED (1ULL << 55) /* of tables: software's */

/* Stage 1. */
#define ARM_S1_ATTR_SHIFT 2 /* of three bits: a byte of MAIR; what software puts there: */
#define ARM_S1_ATTR_NC	  0ULL
#define ARM_S1_ATTR_CACHE 1ULL
#define ARM_S1_ATTR_DEV	  2ULL
#define ARM_S1_ATTR_MASK  7ULL
#define ARM_S1_NS	  (1ULL << 5)
#define ARM_S1_AP_EL0	  (1ULL << 6)
#define ARM_S1_AP_RO	  (1ULL << 7)
#define ARM_S1_PXN	  (1ULL << 53)
#define ARM_S1_UXN	  (1ULL << 54)
#define ARM_S1_NG	  (1ULL << 11)
#define ARM_S1_NS_TABLE	  (1ULL << 63)
#define ARM_S1_AP_TABLE	  61 /* the lower bit of two: no EL0; read-only */
#define ARM_S1_UXN_TABLE  (1ULL << 60)
#define ARM_S1_PXN_TABLE  (1ULL << 59)

/* Stage 2. */
#define ARM_S2_ATTR_SHIFT 2 /* of four bits: */
#define ARM_S2_ATTR_DEV	  0x1ULL
#define ARM_S2_ATTR_NC	  0x5ULL
#define ARM_S2_ATTR_FWB	  0x6ULL /* write-back, whatever the first stage says (S2FWB) */
#define ARM_S2_ATTR_CACHE 0xfULL
#define ARM_S2_ATTR_MASK  0xfULL
#define ARM_S2_READ	  (1ULL << 6)
#define ARM_S2_WRITE	  (1ULL << 7)

/* Addresses: bits 47 down to the granule's; more of them elsewhere. */
#define ARM_ADDR_TOP	   48
#define ARM_64K_HIGH_SHIFT 12 /* 64 KiB granule: OA[51:48] in 15:12 */
#define ARM_64K_HIGH_MASK  0xfULL
#define ARM_LPA2_TOP	   50 /* 4 and 16 KiB with LPA2: OA[49:48] in place, OA[51:50] in 9:8 */
#define ARM_LPA2_SHIFT	   8
#define ARM_LPA2_MASK	   3ULL

/* Events of an SMMUv3, and what a translation's say beside their number. */
#define ARM_F_WALK_EABT	  0x0b
#define ARM_F_TRANSLATION 0x10
#define ARM_F_ADDR_SIZE	  0x11
#define ARM_F_ACCESS	  0x12
#define ARM_F_PERMISSION  0x13
#define ARM_FLAG_S2	  (1U << 0) /* the second stage's */
#define ARM_FLAG_CLASS	  1	    /* the lower bit of two: */
#define ARM_CLASS_TABLE	  1U	    /* on the way: the address of a table */
#define ARM_CLASS_INPUT	  2U	    /* of the address asked for */

#endif
