/* SPDX-License-Identifier: MIT */
/*
 * AMD IOMMU: bit positions only.
 *
 * Source: facts "iova-and-page-tables" sections 2.1 (v1 host table and device table), 2.6 (events)
 * and 3.3 (commands), which name the drivers and emulators they agree with. Marked [M]: known from
 * no more than memory of the specification. Entries, commands and records are little-endian in
 * memory.
 */
#ifndef DMASIM_HW_AMD_H
#define DMASIM_HW_AMD_H

/* ---- v1 page-table entry, 64 bits ------------------------------------------------------ */

#define AMD_V1_PRESENT	   (1ULL << 0)
#define AMD_V1_ACCESSED	   (1ULL << 5) /* [M] */
#define AMD_V1_DIRTY	   (1ULL << 6) /* set by hardware when the device table asks for it */
#define AMD_V1_NEXT_SHIFT  9
#define AMD_V1_NEXT_MASK   0x7ULL
#define AMD_V1_ADDR_MASK   0x000ffffffffff000ULL
#define AMD_V1_RESERVED	   0x07f0000000000000ULL /* 58:52 [M] */
#define AMD_V1_U	   (1ULL << 59)		 /* copied to ATS responses */
#define AMD_V1_FC	   (1ULL << 60)		 /* leaf: the PCI No-Snoop bit is ignored */
#define AMD_V1_READ	   (1ULL << 61)
#define AMD_V1_WRITE	   (1ULL << 62)
#define AMD_V1_INDEX_BITS  9
#define AMD_V1_GRANULE_LG2 12

/* NextLevel: 0 or 7 in a leaf, else the mode of the table that the entry points to. */
#define AMD_V1_NEXT_LEAF 0ULL /* of the level's natural size */
#define AMD_V1_NEXT_SIZE 7ULL /* of the size that the address codes */

/*
 * Address of a leaf of 2^k bytes whose size is coded: bits 12 to k-2 are ones, bit k-1 is zero. It
 * stands in each of the entries that its page covers.
 */
#define AMD_V1_LEAF_LG2_MAX   51
#define AMD_V1_LEAF_LG2_ERRED 39 /* 512 GiB: software must not use it, an erratum */

/* Page mode: how many levels a walk has. The last has 7 index bits only: addresses end at 64. */
#define AMD_MODE_MIN 1
#define AMD_MODE_MAX 6

/* ---- Device table entry, quadword 0 ---------------------------------------------------- */

#define AMD_DTE0_VALID	     (1ULL << 0)
#define AMD_DTE0_TRANSLATION (1ULL << 1) /* the fields of translation are valid */
#define AMD_DTE0_HAD_SHIFT   7		 /* 8:7, hardware access and dirty */
#define AMD_DTE0_HAD_MASK    0x3ULL
#define AMD_DTE0_MODE_SHIFT  9 /* 11:9; 0: not translated */
#define AMD_DTE0_MODE_MASK   0x7ULL
#define AMD_DTE0_ROOT_MASK   0x000ffffffffff000ULL
#define AMD_DTE0_PPR	     (1ULL << 52)
#define AMD_DTE0_GIOV	     (1ULL << 54)
#define AMD_DTE0_GV	     (1ULL << 55)
#define AMD_DTE0_GLX_SHIFT   56 /* 57:56 */
#define AMD_DTE0_GLX_MASK    0x3ULL
#define AMD_DTE0_GCR3_SHIFT  58 /* 60:58 are address bits 14:12 */
#define AMD_DTE0_GCR3_MASK   0x7ULL
#define AMD_DTE0_READ	     (1ULL << 61)
#define AMD_DTE0_WRITE	     (1ULL << 62)

/* Quadword 1. */
#define AMD_DTE1_DOMAIN_MASK	 0xffffULL
#define AMD_DTE1_GCR3_LOW_SHIFT	 16 /* 31:16 are address bits 30:15 */
#define AMD_DTE1_GCR3_LOW_MASK	 0xffffULL
#define AMD_DTE1_IOTLB		 (1ULL << 32) /* the device may use ATS */
#define AMD_DTE1_GCR3_HIGH_SHIFT 43	      /* 63:43 are address bits 51:31 */
#define AMD_DTE1_GCR3_HIGH_MASK	 0x1fffffULL

/* ---- Commands, two 64-bit words -------------------------------------------------------- */

#define AMD_CMD_OPCODE_SHIFT 60 /* in word 0 */
#define AMD_CMD_OPCODE_MASK  0xfULL

#define AMD_CMD_COMPLETION_WAIT		   0x1
#define AMD_CMD_INVALIDATE_DEVTAB_ENTRY	   0x2
#define AMD_CMD_INVALIDATE_IOMMU_PAGES	   0x3
#define AMD_CMD_INVALIDATE_IOTLB_PAGES	   0x4
#define AMD_CMD_INVALIDATE_INTERRUPT_TABLE 0x5
#define AMD_CMD_PREFETCH_IOMMU_PAGES	   0x6
#define AMD_CMD_COMPLETE_PPR_REQUEST	   0x7
#define AMD_CMD_INVALIDATE_IOMMU_ALL	   0x8

/* COMPLETION_WAIT, word 0; word 1 is the value stored. */
#define AMD_WAIT_STORE	    (1ULL << 0)
#define AMD_WAIT_INTERRUPT  (1ULL << 1)
#define AMD_WAIT_FLUSH	    (1ULL << 2) /* commands behind it are fetched after it [M] */
#define AMD_WAIT_ADDR_MASK  0x000ffffffffffff8ULL
#define AMD_WAIT_RESERVED_0 0x0ff0000000000000ULL

/* INVALIDATE_DEVTAB_ENTRY and INVALIDATE_INTERRUPT_TABLE; word 1 is reserved. */
#define AMD_DEVICE_MASK	      0xffffULL
#define AMD_DEVICE_RESERVED_0 0x0fffffffffff0000ULL

/* INVALIDATE_IOMMU_PAGES, word 0. */
#define AMD_PAGES_PASID_MASK   0xfffffULL
#define AMD_PAGES_DOMAIN_SHIFT 32
#define AMD_PAGES_DOMAIN_MASK  0xffffULL
#define AMD_PAGES_RESERVED_0   0x0fff0000fff00000ULL
/* Word 1. */
#define AMD_PAGES_S	       (1ULL << 0) /* the address codes a size */
#define AMD_PAGES_PDE	       (1ULL << 1) /* cached table entries go, too */
#define AMD_PAGES_GN	       (1ULL << 2) /* guest: the PASID counts */
#define AMD_PAGES_RESERVED_1   0xff8ULL
#define AMD_PAGES_ADDR_MASK    0xfffffffffffff000ULL
#define AMD_PAGES_ALL	       0x7ffffffffffff000ULL /* with S: the whole space */

/* INVALIDATE_IOTLB_PAGES, word 0; word 1 is that of the pages, without PDE. */
#define AMD_IOTLB_PASID_HIGH_SHIFT 16 /* 23:16 are PASID bits 15:8 */
#define AMD_IOTLB_QDEP_SHIFT	   24
#define AMD_IOTLB_QUEUE_SHIFT	   32
#define AMD_IOTLB_PASID_LOW_SHIFT  48 /* 55:48 are PASID bits 7:0 */
#define AMD_IOTLB_RESERVED_0	   0x0f00000000000000ULL

/* INVALIDATE_IOMMU_ALL: both words. */
#define AMD_ALL_RESERVED_0 0x0fffffffffffffffULL

/* ---- Events ---------------------------------------------------------------------------- */

/* Event record, two 64-bit words; word 1 is the address. Code 0: not written yet. */
#define AMD_EVENT_DEVICE_MASK	   0xffffULL
#define AMD_EVENT_PASID_HIGH_SHIFT 16 /* PASID 19:16 */
#define AMD_EVENT_PASID_HIGH_MASK  0xfULL
#define AMD_EVENT_DOMAIN_SHIFT	   32 /* the domain, or PASID 15:0 */
#define AMD_EVENT_DOMAIN_MASK	   0xffffULL
#define AMD_EVENT_FLAGS_SHIFT	   48
#define AMD_EVENT_FLAGS_MASK	   0xfffULL
#define AMD_EVENT_CODE_SHIFT	   60
#define AMD_EVENT_CODE_MASK	   0xfULL

/* Event codes. */
#define AMD_EVENT_ILLEGAL_DEV_TABLE_ENTRY 0x1
#define AMD_EVENT_IO_PAGE_FAULT		  0x2
#define AMD_EVENT_DEV_TAB_HARDWARE_ERROR  0x3
#define AMD_EVENT_PAGE_TAB_HARDWARE_ERROR 0x4
#define AMD_EVENT_ILLEGAL_COMMAND_ERROR	  0x5
#define AMD_EVENT_COMMAND_HARDWARE_ERROR  0x6
#define AMD_EVENT_IOTLB_INV_TIMEOUT	  0x7
#define AMD_EVENT_INVALID_DEVICE_REQUEST  0x8
#define AMD_EVENT_INVALID_PPR_REQUEST	  0x9
#define AMD_EVENT_RMP_PAGE_FAULT	  0xd
#define AMD_EVENT_RMP_HW_ERROR		  0xe

/* Flags of an event, inside their 12 bits. */
#define AMD_FLAG_GN	      (1U << 0) /* guest: the request had a PASID */
#define AMD_FLAG_NX	      (1U << 1) /* no execute */
#define AMD_FLAG_US	      (1U << 2) /* user */
#define AMD_FLAG_I	      (1U << 3) /* an interrupt request */
#define AMD_FLAG_PR	      (1U << 4) /* the entry was present */
#define AMD_FLAG_RW	      (1U << 5) /* a write */
#define AMD_FLAG_PE	      (1U << 6) /* no permission */
#define AMD_FLAG_RZ	      (1U << 7) /* a reserved bit was set, or a level is illegal */
#define AMD_FLAG_TR	      (1U << 8) /* a translation request */
#define AMD_FLAG_TYPE_SHIFT   9		/* of hardware errors */
#define AMD_FLAG_TYPE_MASK    0x3U
#define AMD_TYPE_MASTER_ABORT 1
#define AMD_TYPE_TARGET_ABORT 2
#define AMD_TYPE_DATA_ERROR   3

/* INVALID_PPR_REQUEST has flags of its own. */
#define AMD_FLAG_PPR_RX (1U << 0)
#define AMD_FLAG_PPR_GN (1U << 9)

#endif
