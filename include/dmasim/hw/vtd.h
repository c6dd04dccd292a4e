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

/* Address width of a table in an entry: AW = levels - 2. 39, 48 and 57 bits. */
#define VTD_LEVELS_MIN 3
#define VTD_LEVELS_MAX 5

/*
 * Queued-invalidation descriptor, two 64-bit words. Type in bits 3:0 of word 0. Those from 6 on
 * belong to scalable mode; the last was retired.
 */
#define VTD_QI_TYPE_MASK	0xfULL
#define VTD_QI_CONTEXT		0x1ULL
#define VTD_QI_IOTLB		0x2ULL
#define VTD_QI_DEVICE_TLB	0x3ULL
#define VTD_QI_INTERRUPT	0x4ULL
#define VTD_QI_WAIT		0x5ULL
#define VTD_QI_PASID_IOTLB	0x6ULL
#define VTD_QI_PASID_CACHE	0x7ULL
#define VTD_QI_PASID_DEVICE_TLB 0x8ULL
#define VTD_QI_PAGE_GROUP	0x9ULL
#define VTD_QI_PAGE_STREAM	0xaULL

#define VTD_CONTEXT_GRANU_SHIFT	 4
#define VTD_CONTEXT_GRANU_MASK	 0x3ULL
#define VTD_CONTEXT_GRANU_GLOBAL 1ULL
#define VTD_CONTEXT_GRANU_DOMAIN 2ULL
#define VTD_CONTEXT_GRANU_DEVICE 3ULL
#define VTD_CONTEXT_DID_SHIFT	 16
#define VTD_CONTEXT_SID_SHIFT	 32
#define VTD_CONTEXT_FM_SHIFT	 48 /* so many high bits of the function number are ignored */
#define VTD_CONTEXT_FM_MASK	 0x3ULL
#define VTD_CONTEXT_RESERVED_0	 0xfffc00000000ffc0ULL
#define VTD_CONTEXT_RESERVED_1	 0xffffffffffffffffULL

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

#define VTD_DEVICE_TLB_PFSID_LOW_SHIFT	12 /* PFSID 3:0 */
#define VTD_DEVICE_TLB_PFSID_LOW_MASK	0xfULL
#define VTD_DEVICE_TLB_QDEP_SHIFT	16 /* invalidations the device takes at once; 0: 32 */
#define VTD_DEVICE_TLB_QDEP_MASK	0x1fULL
#define VTD_DEVICE_TLB_SID_SHIFT	32
#define VTD_DEVICE_TLB_PFSID_HIGH_SHIFT 52		      /* PFSID 15:4 */
#define VTD_DEVICE_TLB_PFSID		0xfff000000000f000ULL /* reserved where it is not known */
#define VTD_DEVICE_TLB_RESERVED_0	0x000f0000ffe00ff0ULL
#define VTD_DEVICE_TLB_SIZE		(1ULL << 0) /* word 1: the lowest 0 of the address tells */
#define VTD_DEVICE_TLB_RESERVED_1	0xffeULL
#define VTD_DEVICE_TLB_ADDR_MASK	0xfffffffffffff000ULL

#define VTD_INTERRUPT_SELECTIVE	  (1ULL << 4)
#define VTD_INTERRUPT_IM_SHIFT	  27 /* log2 of the number of entries */
#define VTD_INTERRUPT_IM_MASK	  0x1fULL
#define VTD_INTERRUPT_INDEX_SHIFT 32
#define VTD_INTERRUPT_RESERVED_0  0xffff000007ffffe0ULL
#define VTD_INTERRUPT_RESERVED_1  0xffffffffffffffffULL

#define VTD_WAIT_INTERRUPT    (1ULL << 4)
#define VTD_WAIT_STATUS_WRITE (1ULL << 5)
#define VTD_WAIT_FENCE	      (1ULL << 6)
#define VTD_WAIT_PAGE_DRAIN   (1ULL << 7) /* reserved where there are no page requests */
#define VTD_WAIT_RESERVED_0   0xffffff00ULL
#define VTD_WAIT_DATA_SHIFT   32
#define VTD_WAIT_RESERVED_1   0x3ULL
#define VTD_WAIT_ADDR_MASK    (~0x3ULL)

/* Of scalable mode. */
#define VTD_PASID_IOTLB_GRANU_ALL  2ULL /* of the PASID */
#define VTD_PASID_IOTLB_GRANU_PAGE 3ULL
#define VTD_PASID_IOTLB_RESERVED_0 0xfff000000000ffc0ULL
#define VTD_PASID_IOTLB_AM_ALL	   52 /* from this AM on it is all of the PASID */

#define VTD_PASID_CACHE_GRANU_DOMAIN 0ULL /* all PASIDs of the domain */
#define VTD_PASID_CACHE_GRANU_PASID  1ULL
#define VTD_PASID_CACHE_GRANU_GLOBAL 3ULL
#define VTD_PASID_CACHE_RESERVED_0   0xfff000000000ffc0ULL
#define VTD_PASID_CACHE_RESERVED_1   0xffffffffffffffffULL

#define VTD_PASID_GRANU_SHIFT 4 /* of both */
#define VTD_PASID_GRANU_MASK  0x3ULL
#define VTD_PASID_DID_SHIFT   16
#define VTD_PASID_SHIFT	      32 /* and of the next */
#define VTD_PASID_MASK	      0xfffffULL

#define VTD_PASID_DEVICE_TLB_QDEP_SHIFT 4
#define VTD_PASID_DEVICE_TLB_SID_SHIFT	16
#define VTD_PASID_DEVICE_TLB_RESERVED_0 0xe00ULL
#define VTD_PASID_DEVICE_TLB_GLOBAL	(1ULL << 0)  /* word 1: of all PASIDs */
#define VTD_PASID_DEVICE_TLB_SIZE	(1ULL << 11) /* word 1, as VTD_DEVICE_TLB_SIZE */
#define VTD_PASID_DEVICE_TLB_RESERVED_1 0x7feULL

/* Fault record, two 64-bit words. */
#define VTD_FRCD_ADDR_MASK    0xfffffffffffff000ULL
#define VTD_FRCD_SID_MASK     0xffffULL
#define VTD_FRCD_PASID_SET    (1ULL << 31) /* the request had a PASID */
#define VTD_FRCD_REASON_SHIFT 32
#define VTD_FRCD_REASON_MASK  0xffULL
#define VTD_FRCD_PASID_SHIFT  40
#define VTD_FRCD_PASID_MASK   0xfffffULL
#define VTD_FRCD_INDEX_SHIFT  48 /* word 0 of an interrupt request: the entry's index, 63:48 */
#define VTD_FRCD_TYPE_READ    (1ULL << 62)
#define VTD_FRCD_FAULT	      (1ULL << 63)

/* Fault status. */
#define VTD_FSTS_PFO	   (1U << 0) /* primary fault overflow: a record was lost */
#define VTD_FSTS_PPF	   (1U << 1) /* primary pending fault */
#define VTD_FSTS_IQE	   (1U << 4) /* invalidation queue error: a malformed descriptor */
#define VTD_FSTS_ICE	   (1U << 5) /* invalidation completion error, of a device TLB */
#define VTD_FSTS_ITE	   (1U << 6) /* invalidation time-out, of a device TLB */
#define VTD_FSTS_PRO	   (1U << 7) /* page request overflow */
#define VTD_FSTS_FRI_SHIFT 8	     /* index of the first pending record, 15:8 */
#define VTD_FSTS_FRI_MASK  0xffU

/* Fault reasons, legacy. */
#define VTD_FAULT_ROOT_NOT_PRESENT    0x01
#define VTD_FAULT_CONTEXT_NOT_PRESENT 0x02
#define VTD_FAULT_CONTEXT_INVALID     0x03
#define VTD_FAULT_BEYOND_MGAW	      0x04
#define VTD_FAULT_NO_WRITE	      0x05
#define VTD_FAULT_NO_READ	      0x06
#define VTD_FAULT_TABLE_ACCESS	      0x07
#define VTD_FAULT_ROOT_ACCESS	      0x08
#define VTD_FAULT_CONTEXT_ACCESS      0x09
#define VTD_FAULT_ROOT_RESERVED	      0x0a
#define VTD_FAULT_CONTEXT_RESERVED    0x0b
#define VTD_FAULT_PTE_RESERVED	      0x0c
#define VTD_FAULT_TYPE_BLOCKED	      0x0d

/* Of interrupt requests. */
#define VTD_FAULT_IR_REQUEST_RESERVED 0x20
#define VTD_FAULT_IR_INDEX	      0x21
#define VTD_FAULT_IR_NOT_PRESENT      0x22
#define VTD_FAULT_IR_ACCESS	      0x23
#define VTD_FAULT_IR_RESERVED	      0x24
#define VTD_FAULT_IR_COMPATIBILITY    0x25
#define VTD_FAULT_IR_SOURCE	      0x26

/* Scalable mode: root, context, PASID directory (PDIR) and PASID entries. */
#define VTD_FAULT_SM_ROOT_ADDRESS	 0x30
#define VTD_FAULT_SM_TTM_PASID		 0x31
#define VTD_FAULT_SM_TTM_PAGE_GROUP	 0x32
#define VTD_FAULT_SM_ROOT_ACCESS	 0x38
#define VTD_FAULT_SM_ROOT_NOT_PRESENT	 0x39
#define VTD_FAULT_SM_ROOT_RESERVED	 0x3a
#define VTD_FAULT_SM_CONTEXT_ACCESS	 0x40
#define VTD_FAULT_SM_CONTEXT_NOT_PRESENT 0x41
#define VTD_FAULT_SM_CONTEXT_RESERVED	 0x42
#define VTD_FAULT_SM_CONTEXT_INVALID	 0x43
#define VTD_FAULT_SM_CONTEXT_DTE	 0x44
#define VTD_FAULT_SM_CONTEXT_PASIDE	 0x45
#define VTD_FAULT_SM_CONTEXT_PASID_MAX	 0x46
#define VTD_FAULT_SM_CONTEXT_PRE	 0x47
#define VTD_FAULT_SM_CONTEXT_RID_PASID	 0x48
#define VTD_FAULT_SM_PDIR_ACCESS	 0x50
#define VTD_FAULT_SM_PDIR_NOT_PRESENT	 0x51
#define VTD_FAULT_SM_PDIR_RESERVED	 0x52
#define VTD_FAULT_SM_PASID_ACCESS	 0x58
#define VTD_FAULT_SM_PASID_NOT_PRESENT	 0x59
#define VTD_FAULT_SM_PASID_RESERVED	 0x5a
#define VTD_FAULT_SM_PASID_INVALID	 0x5b
#define VTD_FAULT_SM_PASID_ERE		 0x5c
#define VTD_FAULT_SM_PASID_SRE		 0x5d

/* Scalable mode: first-stage (FS) and second-stage (SS) tables, and addresses. */
#define VTD_FAULT_FS_ACCESS	       0x70
#define VTD_FAULT_FS_NOT_PRESENT       0x71
#define VTD_FAULT_FS_RESERVED	       0x72
#define VTD_FAULT_FS_TOP_ACCESS	       0x73
#define VTD_FAULT_FS_BEYOND_MGAW       0x74
#define VTD_FAULT_FS_TOP_NESTED_READ   0x75
#define VTD_FAULT_FS_NESTED_READ       0x76
#define VTD_FAULT_FS_NESTED_WRITE      0x77
#define VTD_FAULT_SS_ACCESS	       0x78
#define VTD_FAULT_SS_PERMISSION	       0x79
#define VTD_FAULT_SS_RESERVED	       0x7a
#define VTD_FAULT_SS_TABLE	       0x7b
#define VTD_FAULT_SS_AD_NO_SNOOP       0x7c
#define VTD_FAULT_SM_NOT_CANONICAL     0x80
#define VTD_FAULT_SM_USER	       0x81
#define VTD_FAULT_SM_NO_EXECUTE	       0x82
#define VTD_FAULT_SM_BEYOND_MAX	       0x83
#define VTD_FAULT_SM_SS_BEYOND_MAX     0x84
#define VTD_FAULT_SM_NO_WRITE	       0x85
#define VTD_FAULT_SM_NO_READ	       0x86
#define VTD_FAULT_SM_INTERRUPT_ADDRESS 0x87
#define VTD_FAULT_FS_AD_NO_SNOOP       0x90

/* Addresses in this window are interrupts; they are never translated. */
#define VTD_MSI_START 0xfee00000ULL
#define VTD_MSI_LAST  0xfeefffffULL

#endif
