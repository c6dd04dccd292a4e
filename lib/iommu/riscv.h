/* SPDX-License-Identifier: MIT */
/*
 * The RISC-V IOMMU's commands: how they are encoded (facts "iova-and-page-tables" 3.5).
 */
#ifndef IOMMU_RISCV_H
#define IOMMU_RISCV_H

#include "iommu/arch.h"

/* What of an address space is to be forgotten. */
struct riscv_space {
	u32 pscid;   /* the address space, 20 bits */
	bool tables; /* NL: cached entries that are no leaves, too */
	u64 start;   /* of the page, or of the window */
	u8 lg2;	     /* its size: 12, or with S 13 to 63 */
};

/* All of an address space: leaves and what is no leaf. */
struct iommu_command riscv_forget_space(u32 pscid);
/* One page, or an aligned window: the one that `start` lies in. */
struct iommu_command riscv_forget_window(const struct riscv_space *space);

/* The context entry of a device. */
struct iommu_command riscv_forget_device(u32 device);

/* What a device's own TLB has of the smallest aligned window with [start, last]. */
struct iommu_command riscv_forget_in_device(u16 requester, u64 start, u64 last);

/* Everything before it is complete when the 4 bytes at phys, a multiple of 4, are `value`. */
struct iommu_command riscv_fence(phys_addr_t phys, u32 value);

#endif
