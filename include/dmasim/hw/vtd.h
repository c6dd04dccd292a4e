/* SPDX-License-Identifier: MIT */
/*
 * Intel VT-d: bit positions only.
 *
 * Source: facts "iova-and-page-tables" sections 2.2 (second-stage entries), 2.6 (fault reasons and
 * records) and 3.2 (queued invalidation), which name the specification and emulators they agree
 * with. Entries, descriptors and records are little-endian in memory.
 */
#ifndef DMASIM_HW_VTD_H
#define DMASIM_HW_VTD_H

/* Second-stage page-table entry, 64 bits. */
#define VTD_SS_READ	    (1ULL << 0)
#define VTD_SS_WRITE	    (1ULL << 1)
#define VTD_SS_SUPERPAGE    (1ULL << 7)
#define VTD_SS_ACCESSED	    (1ULL << 8)
#define VTD_SS_DIRTY	    (1ULL << 9)
#define VTD_SS_SW_FLUSHED   (1ULL << 10) /* ignored by hardware; Linux: "table was flushed" */
#define VTD_SS_SNOOP	    (1ULL << 11)
#define VTD_SS_ADDR_MASK    0x000ffffffffff000ULL
#define VTD_SS_IGNORED_HIGH 0xbff0000000000000ULL /* 63 and 61:52 */
#define VTD_SS_TM	    (1ULL << 62)	  /* tolerated only with device-TLB support */
#define VTD_SS_2M_RESERVED  0x00000000001ff000ULL
#define VTD_SS_1G_RESERVED  0x000000003ffff000ULL
#define VTD_SS_INDEX_BITS   9
#define VTD_SS_GRANULE_LG2  12

/* Address width of a table in a context entry: AW = levels - 2. */
#define VTD_LEVELS_MIN 3
#define VTD_LEVELS_MAX 4

/* Queued-invalidation descriptor, two 64-bit words. Type in bits 3:0 of word 0. */
#define VTD_QI_TYPE_MASK 0xfULL
#define VTD_QI_IOTLB	 0x2ULL
#define VTD_QI_WAIT	 0x5ULL

#define VTD_IOTLB_GRANU_SHIFT  4
#define VTD_IOTLB_GRANU_MASK   0x3ULL
#define VTD_IOTLB_GRANU_GLOBAL 1ULL
#define VTD_IOTLB_GRANU_DOMAIN 2ULL
#define VTD_IOTLB_GRANU_PAGE   3ULL
#define VTD_IOTLB_DW	       (1ULL << 6) /* drain writes */
#define VTD_IOTLB_DR	       (1ULL << 7) /* drain reads */
#define VTD_IOTLB_DID_SHIFT    16
#define VTD_IOTLB_DID_MASK     0xffffULL
#define VTD_IOTLB_RESERVED_0   0xffffffff0000ff00ULL
#define VTD_IOTLB_AM_MASK      0x3fULL	   /* word 1: log2 of the number of 4K pages */
#define VTD_IOTLB_IH	       (1ULL << 6) /* word 1: only leaf entries changed */
#define VTD_IOTLB_RESERVED_1   0xf80ULL
#define VTD_IOTLB_ADDR_MASK    0xfffffffffffff000ULL

#define VTD_WAIT_INTERRUPT    (1ULL << 4)
#define VTD_WAIT_STATUS_WRITE (1ULL << 5)
#define VTD_WAIT_FENCE	      (1ULL << 6)
#define VTD_WAIT_RESERVED_0   0xffffff80ULL /* PRQ drain (bit 7) needs page-request support */
#define VTD_WAIT_DATA_SHIFT   32
#define VTD_WAIT_RESERVED_1   0x3ULL
#define VTD_WAIT_ADDR_MASK    (~0x3ULL)

/* Fault record, two 64-bit words. */
#define VTD_FRCD_ADDR_MASK    0xfffffffffffff000ULL
#define VTD_FRCD_SID_MASK     0xffffULL
#define VTD_FRCD_REASON_SHIFT 32
#define VTD_FRCD_REASON_MASK  0xffULL
#define VTD_FRCD_TYPE_READ    (1ULL << 62)
#define VTD_FRCD_FAULT	      (1ULL << 63)

/* Fault status. */
#define VTD_FSTS_PFO (1U << 0) /* primary fault overflow: a record was lost */
#define VTD_FSTS_PPF (1U << 1) /* primary pending fault */
#define VTD_FSTS_IQE (1U << 4) /* invalidation queue error: a malformed descriptor */

/* Legacy fault reasons that second-stage translation raises. */
#define VTD_FAULT_CONTEXT_NOT_PRESENT 0x02
#define VTD_FAULT_CONTEXT_INVALID     0x03
#define VTD_FAULT_BEYOND_MGAW	      0x04
#define VTD_FAULT_NO_WRITE	      0x05
#define VTD_FAULT_NO_READ	      0x06
#define VTD_FAULT_TABLE_ACCESS	      0x07
#define VTD_FAULT_PTE_RESERVED	      0x0c

/* Addresses in this window are interrupts; they are never translated. */
#define VTD_MSI_START 0xfee00000ULL
#define VTD_MSI_LAST  0xfeefffffULL

#endif
