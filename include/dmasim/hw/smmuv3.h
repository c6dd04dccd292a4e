/* SPDX-License-Identifier: MIT */
/*
 * Arm SMMUv3: bit positions of its commands and event records only; its tables are in arm.h.
 *
 * Source: facts "iova-and-page-tables" 2.6 (events) and 3.4 (commands). Marked [M]: known from no
 * more than memory of the specification. Commands and records are little-endian in memory.
 */
#ifndef DMASIM_HW_SMMUV3_H
#define DMASIM_HW_SMMUV3_H

/* ---- Commands, two 64-bit words -------------------------------------------------------- */

#define SMMUV3_CMD_OPCODE_MASK 0xffULL /* of word 0 */

#define SMMUV3_CMD_PREFETCH_CFG	  0x01
#define SMMUV3_CMD_CFGI_STE	  0x03
#define SMMUV3_CMD_CFGI_STE_RANGE 0x04 /* of all streams with range 31: CFGI_ALL */
#define SMMUV3_CMD_CFGI_CD	  0x05
#define SMMUV3_CMD_CFGI_CD_ALL	  0x06
#define SMMUV3_CMD_TLBI_NH_ALL	  0x10
#define SMMUV3_CMD_TLBI_NH_ASID	  0x11
#define SMMUV3_CMD_TLBI_NH_VA	  0x12
#define SMMUV3_CMD_TLBI_NH_VAA	  0x13
#define SMMUV3_CMD_TLBI_EL3_ALL	  0x18
#define SMMUV3_CMD_TLBI_EL3_VA	  0x1a
#define SMMUV3_CMD_TLBI_EL2_ALL	  0x20
#define SMMUV3_CMD_TLBI_EL2_ASID  0x21
#define SMMUV3_CMD_TLBI_EL2_VA	  0x22
#define SMMUV3_CMD_TLBI_EL2_VAA	  0x23
#define SMMUV3_CMD_TLBI_S12_VMALL 0x28
#define SMMUV3_CMD_TLBI_S2_IPA	  0x2a
#define SMMUV3_CMD_TLBI_NSNH_ALL  0x30
#define SMMUV3_CMD_ATC_INV	  0x40
#define SMMUV3_CMD_PRI_RESP	  0x41
#define SMMUV3_CMD_RESUME	  0x44
#define SMMUV3_CMD_STALL_TERM	  0x45
#define SMMUV3_CMD_SYNC		  0x46

/* CFGI and PREFETCH, word 0. */
#define SMMUV3_CFGI_SSV	       (1ULL << 11) /* PREFETCH [M] */
#define SMMUV3_CFGI_SSID_SHIFT 12	    /* 31:12 */
#define SMMUV3_CFGI_SSID_MASK  0xfffffULL
#define SMMUV3_CFGI_SID_SHIFT  32 /* 63:32 */
/* Word 1. */
#define SMMUV3_CFGI_LEAF       (1ULL << 0)
#define SMMUV3_CFGI_RANGE_MASK 0x1fULL /* of STE_RANGE: 2^(range + 1) streams */
#define SMMUV3_CFGI_RANGE_ALL  31ULL

/* TLBI, word 0. */
#define SMMUV3_TLBI_NUM_SHIFT	12 /* 16:12; ranges alone, as SCALE, TTL and TG */
#define SMMUV3_TLBI_NUM_MASK	0x1fULL
#define SMMUV3_TLBI_SCALE_SHIFT 20 /* 24:20; with DS one more */
#define SMMUV3_TLBI_SCALE_MASK	0x1fULL
#define SMMUV3_TLBI_VMID_SHIFT	32 /* 47:32 */
#define SMMUV3_TLBI_VMID_MASK	0xffffULL
#define SMMUV3_TLBI_ASID_SHIFT	48 /* 63:48 */
#define SMMUV3_TLBI_ASID_MASK	0xffffULL
/* Word 1. */
#define SMMUV3_TLBI_LEAF	(1ULL << 0) /* cached table entries stay */
#define SMMUV3_TLBI_TTL_SHIFT	8	    /* 9:8: Arm's level of the leaves; 0: any */
#define SMMUV3_TLBI_TTL_MASK	0x3ULL
#define SMMUV3_TLBI_TG_SHIFT	10 /* 11:10 */
#define SMMUV3_TLBI_TG_MASK	0x3ULL
#define SMMUV3_TLBI_TG_NONE	0ULL /* no range */
#define SMMUV3_TLBI_TG_4K	1ULL
#define SMMUV3_TLBI_TG_16K	2ULL
#define SMMUV3_TLBI_TG_64K	3ULL
#define SMMUV3_TLBI_ADDR_MASK	0xfffffffffffff000ULL

/* ATC_INV, word 0. */
#define SMMUV3_ATC_GLOBAL     (1ULL << 9) /* of all substreams */
#define SMMUV3_ATC_SSV	      (1ULL << 11)
#define SMMUV3_ATC_SSID_SHIFT 12 /* 31:12 */
#define SMMUV3_ATC_SSID_MASK  0xfffffULL
#define SMMUV3_ATC_SID_SHIFT  32 /* 63:32 */
/* Word 1. */
#define SMMUV3_ATC_SIZE_MASK  0x3fULL /* log2 of pages of 4 KiB */
#define SMMUV3_ATC_SIZE_ALL   52ULL
#define SMMUV3_ATC_ADDR_MASK  0xfffffffffffff000ULL

/* SYNC, word 0. */
#define SMMUV3_SYNC_CS_SHIFT   12 /* 13:12, what tells that it is complete: */
#define SMMUV3_SYNC_CS_MASK    0x3ULL
#define SMMUV3_SYNC_NONE       0ULL
#define SMMUV3_SYNC_IRQ	       1ULL /* a write of the data, 4 bytes, if the address is not 0 */
#define SMMUV3_SYNC_SEV	       2ULL
#define SMMUV3_SYNC_SH_SHIFT   22 /* 23:22, how the write is shared */
#define SMMUV3_SYNC_SH_INNER   3ULL
#define SMMUV3_SYNC_ATTR_SHIFT 24 /* 27:24, and cached */
#define SMMUV3_SYNC_ATTR_WB    0xfULL
#define SMMUV3_SYNC_DATA_SHIFT 32 /* 63:32 */
/* Word 1. */
#define SMMUV3_SYNC_ADDR_MASK  0x000ffffffffffffcULL

/* Why the queue has stopped. */
#define SMMUV3_CERROR_NONE	   0
#define SMMUV3_CERROR_ILL	   1
#define SMMUV3_CERROR_ABT	   2
#define SMMUV3_CERROR_ATC_INV_SYNC 3

/* ---- Events ---------------------------------------------------------------------------- */

/* Record, four 64-bit words. Word 0. */
#define SMMUV3_EVENT_ID_MASK	 0xffULL
#define SMMUV3_EVENT_SSV	 (1ULL << 11)
#define SMMUV3_EVENT_SSID_SHIFT	 12 /* 31:12 */
#define SMMUV3_EVENT_SSID_MASK	 0xfffffULL
#define SMMUV3_EVENT_SID_SHIFT	 32 /* 63:32 */
#define SMMUV3_EVENT_SID_MASK	 0xffffffffULL
/* Word 1; word 2 is the address that was asked for. */
#define SMMUV3_EVENT_STAG_MASK	 0xffffULL
#define SMMUV3_EVENT_STALL	 (1ULL << 31)
#define SMMUV3_EVENT_PRIVILEGED	 (1ULL << 33) /* PnU */
#define SMMUV3_EVENT_EXECUTE	 (1ULL << 34) /* InD */
#define SMMUV3_EVENT_READ	 (1ULL << 35) /* RnW */
#define SMMUV3_EVENT_S2		 (1ULL << 39)
#define SMMUV3_EVENT_CLASS_SHIFT 40 /* 41:40; ARM_CLASS_ */
#define SMMUV3_EVENT_CLASS_MASK	 0x3ULL
#define SMMUV3_EVENT_WALK_READ	 (1ULL << 44)
/* Word 3. */
#define SMMUV3_EVENT_IPA_MASK	 0x000ffffffffff000ULL
#define SMMUV3_EVENT_FETCH_MASK	 0x000ffffffffffff8ULL

/* Events beside those of walks (arm.h). */
#define SMMUV3_F_UUT		  0x01 /* a transaction of a kind that is not supported */
#define SMMUV3_C_BAD_STREAMID	  0x02
#define SMMUV3_F_STE_FETCH	  0x03
#define SMMUV3_C_BAD_STE	  0x04
#define SMMUV3_F_BAD_ATS_TREQ	  0x05
#define SMMUV3_F_STREAM_DISABLED  0x06
#define SMMUV3_F_TRANSL_FORBIDDEN 0x07
#define SMMUV3_C_BAD_SUBSTREAMID  0x08
#define SMMUV3_F_CD_FETCH	  0x09
#define SMMUV3_C_BAD_CD		  0x0a
#define SMMUV3_F_TLB_CONFLICT	  0x20
#define SMMUV3_F_CFG_CONFLICT	  0x21
#define SMMUV3_E_PAGE_REQ	  0x24
#define SMMUV3_F_VMS_FETCH	  0x25

#endif
