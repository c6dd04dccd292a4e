/* SPDX-License-Identifier: MIT */
/*
 * AMD IOMMU (AMD-Vi): bit positions only.
 *
 * Source: facts "iova-and-page-tables" section 2.6 (events). Records are little-endian in memory.
 */
#ifndef DMASIM_HW_AMD_H
#define DMASIM_HW_AMD_H

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
