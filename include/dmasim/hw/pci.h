/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space: register offsets and bit positions only.
 *
 * Sources: PCI Local Bus 3.0 section 6 (type 0 header), PCI-to-PCI Bridge 1.2 section 3 (type 1
 * header), PCI Express Base 5.0 sections 7.5 (Express capability), 7.7.8 (ACS), 7.8.6 (resizable
 * BAR), 9.3.3 (SR-IOV). Marked [M]: known from no more than memory of the
 * specification. Field names are those of Linux's pci_regs.h.
 */
#ifndef DMASIM_HW_PCI_H
#define DMASIM_HW_PCI_H

/* The system's linux/pci_regs.h may have come first: the same values in other words. */
#ifdef LINUX_PCI_REGS_H
#pragma GCC system_header
#endif

#define PCI_CFG_SPACE_SIZE     256
#define PCI_CFG_SPACE_EXP_SIZE 4096

#define PCI_VENDOR_ID		       0x00
#define PCI_DEVICE_ID		       0x02
#define PCI_COMMAND		       0x04
#define PCI_COMMAND_IO		       0x0001
#define PCI_COMMAND_MEMORY	       0x0002
#define PCI_COMMAND_MASTER	       0x0004
#define PCI_STATUS		       0x06
#define PCI_STATUS_CAP_LIST	       0x0010
#define PCI_CLASS_REVISION	       0x08
#define PCI_CLASS_DEVICE	       0x0a
#define PCI_HEADER_TYPE		       0x0e
#define PCI_HEADER_TYPE_MASK	       0x7f
#define PCI_HEADER_TYPE_MULTI	       0x80
#define PCI_HEADER_TYPE_NORMAL	       0
#define PCI_HEADER_TYPE_BRIDGE	       1
#define PCI_HEADER_TYPE_CARDBUS	       2
#define PCI_BASE_ADDRESS_0	       0x10
#define PCI_BASE_ADDRESS_SPACE_IO      0x01
#define PCI_BASE_ADDRESS_MEM_TYPE_MASK 0x06
#define PCI_BASE_ADDRESS_MEM_TYPE_64   0x04
#define PCI_BASE_ADDRESS_MEM_PREFETCH  0x08
#define PCI_BASE_ADDRESS_MEM_MASK      (~0x0fULL)
#define PCI_BASE_ADDRESS_IO_MASK       (~0x03ULL)
#define PCI_SUBSYSTEM_VENDOR_ID	       0x2c
#define PCI_CAPABILITY_LIST	       0x34

#define PCI_STD_NUM_BARS    6
#define PCI_BRIDGE_NUM_BARS 2

/* Type 1 header. */
#define PCI_PRIMARY_BUS	       0x18
#define PCI_SECONDARY_BUS      0x19
#define PCI_SUBORDINATE_BUS    0x1a
#define PCI_MEMORY_BASE	       0x20
#define PCI_MEMORY_LIMIT       0x22
#define PCI_MEMORY_RANGE_MASK  0xfff0
#define PCI_PREF_MEMORY_BASE   0x24
#define PCI_PREF_MEMORY_LIMIT  0x26
#define PCI_PREF_RANGE_TYPE_64 0x0001
#define PCI_PREF_RANGE_MASK    0xfff0
#define PCI_PREF_BASE_UPPER32  0x28
#define PCI_PREF_LIMIT_UPPER32 0x2c

/* Capability list. */
#define PCI_CAP_LIST_ID	  0
#define PCI_CAP_LIST_NEXT 1
#define PCI_CAP_ID_EXP	  0x10

/* PCI Express capability. */
#define PCI_EXP_FLAGS		     0x02
#define PCI_EXP_FLAGS_VERS	     0x000f
#define PCI_EXP_FLAGS_TYPE	     0x00f0
#define PCI_EXP_FLAGS_TYPE_SHIFT     4
#define PCI_EXP_TYPE_ENDPOINT	     0x0
#define PCI_EXP_TYPE_LEG_END	     0x1
#define PCI_EXP_TYPE_ROOT_PORT	     0x4
#define PCI_EXP_TYPE_UPSTREAM	     0x5
#define PCI_EXP_TYPE_DOWNSTREAM	     0x6
#define PCI_EXP_TYPE_PCI_BRIDGE	     0x7
#define PCI_EXP_TYPE_PCIE_BRIDGE     0x8
#define PCI_EXP_TYPE_RC_END	     0x9
#define PCI_EXP_TYPE_RC_EC	     0xa
#define PCI_EXP_DEVCAP		     0x04
#define PCI_EXP_DEVCTL		     0x08
#define PCI_EXP_DEVCTL_PAYLOAD	     0x00e0
#define PCI_EXP_DEVCTL_PAYLOAD_SHIFT 5
#define PCI_EXP_DEVCTL_READRQ	     0x7000
#define PCI_EXP_DEVCTL_READRQ_SHIFT  12
#define PCI_EXP_LNKCAP		     0x0c
#define PCI_EXP_LNKCAP_PN_SHIFT	     24 /* the port's number [M] */
#define PCI_EXP_SIZE		     0x3c

/* Extended capabilities start at 0x100: id 15:0, version 19:16, next 31:20. */
#define PCI_EXT_CAP_START    0x100
#define PCI_EXT_CAP_ID(h)    ((h)&0xffff)
#define PCI_EXT_CAP_NEXT(h)  (((h) >> 20) & 0xffc)
#define PCI_EXT_CAP_ID_ACS   0x0d
#define PCI_EXT_CAP_ID_ATS   0x0f
#define PCI_EXT_CAP_ID_SRIOV 0x10
#define PCI_EXT_CAP_ID_REBAR 0x15

/* Access Control Services: capability word at +4, control word at +6. */
#define PCI_ACS_CAP	       0x04
#define PCI_ACS_CTRL	       0x06
#define PCI_ACS_SV	       0x01 /* source validation */
#define PCI_ACS_TB	       0x02 /* translation blocking */
#define PCI_ACS_RR	       0x04 /* P2P request redirect */
#define PCI_ACS_CR	       0x08 /* P2P completion redirect */
#define PCI_ACS_UF	       0x10 /* upstream forwarding */
#define PCI_ACS_EC	       0x20 /* P2P egress control */
#define PCI_ACS_DT	       0x40 /* direct translated P2P */
/* Egress control vector: a bit for each peer; the capability word says how many. */
#define PCI_ACS_EGRESS_CTL_V   0x08
#define PCI_ACS_EGRESS_BITS(c) ((c) >> 8 & 0xff ? (c) >> 8 & 0xff : 256)

/* Address Translation Services: capability word at +4, control word at +6 [M]. */
#define PCI_ATS_CAP		 0x04
#define PCI_ATS_CAP_QDEP(x)	 ((x)&0x1f) /* invalidations that it takes at once; 0: 32 */
#define PCI_ATS_MAX_QDEP	 32
#define PCI_ATS_CAP_PAGE_ALIGNED 0x0020 /* addresses of translation requests are page aligned */
#define PCI_ATS_CTRL		 0x06
#define PCI_ATS_CTRL_STU(x)	 ((x)&0x1f) /* smallest translation: log2, above PCI_ATS_MIN_STU */
#define PCI_ATS_CTRL_STU_MASK	 0x001f
#define PCI_ATS_CTRL_ENABLE	 0x8000
#define PCI_ATS_MIN_STU		 12

/* SR-IOV. */
#define PCI_SRIOV_CTRL	     0x08
#define PCI_SRIOV_CTRL_VFE   0x0001 /* virtual functions answer */
#define PCI_SRIOV_CTRL_MSE   0x0008 /* and decode memory */
#define PCI_SRIOV_CTRL_ARI   0x0010 /* their numbers may go on past function 7 */
#define PCI_SRIOV_INITIAL_VF 0x0c
#define PCI_SRIOV_TOTAL_VF   0x0e
#define PCI_SRIOV_NUM_VF     0x10
#define PCI_SRIOV_VF_OFFSET  0x14 /* requester of the first virtual function, from its own */
#define PCI_SRIOV_VF_STRIDE  0x16
#define PCI_SRIOV_VF_DID     0x1a
#define PCI_SRIOV_SUP_PGSIZE 0x1c
#define PCI_SRIOV_SYS_PGSIZE 0x20
#define PCI_SRIOV_BAR	     0x24
#define PCI_SRIOV_BYTES	     0x40

/* Resizable BAR: up to six (capability, control) pairs of 4 bytes from +4. */
#define PCI_REBAR_CAP		  0x04
#define PCI_REBAR_CTRL		  0x08
#define PCI_REBAR_CTRL_BAR_IDX	  0x00000007
#define PCI_REBAR_CTRL_NBAR_MASK  0x000000e0
#define PCI_REBAR_CTRL_NBAR_SHIFT 5
#define PCI_REBAR_CTRL_BAR_SIZE	  0x00003f00 /* log2 of the size in MiB */
#define PCI_REBAR_CTRL_BAR_SHIFT  8

/* Class codes that decide something here (base class and sub-class). */
#define PCI_CLASS_STORAGE_EXPRESS  0x0108
#define PCI_CLASS_NETWORK_ETHERNET 0x0200
#define PCI_CLASS_DISPLAY_3D	   0x0302
#define PCI_CLASS_BRIDGE_HOST	   0x0600
#define PCI_CLASS_BRIDGE_PCI	   0x0604
#define PCI_CLASS_SYSTEM_IOMMU	   0x0806
#define PCI_CLASS_ACCELERATOR	   0x1200

#define PCI_VENDOR_ID_ATI    0x1002
#define PCI_VENDOR_ID_AMD    0x1022
#define PCI_VENDOR_ID_NVIDIA 0x10de
#define PCI_VENDOR_ID_GOOGLE 0x1ae0
#define PCI_VENDOR_ID_HYGON  0x1d94
#define PCI_VENDOR_ID_INTEL  0x8086

#define PCI_DEVFN(device, function) ((((device)&0x1f) << 3) | ((function)&7))
#define PCI_SLOT(devfn)		    (((devfn) >> 3) & 0x1f)
#define PCI_FUNC(devfn)		    ((devfn)&7)

#endif
