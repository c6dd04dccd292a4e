/* SPDX-License-Identifier: MIT */
/*
 * AMD's invalidation commands: how they are encoded (facts "iova-and-page-tables" 3.3).
 */
#ifndef IOMMU_AMD_H
#define IOMMU_AMD_H

#include "iommu/arch.h"

/* What of a domain is to be forgotten: [start, last]. */
struct amd_pages {
	u16 domain;
	u32 pasid; /* of a guest table, 20 bits; else 0 */
	u64 start;
	u64 last;
	bool guest;  /* the table is a guest's: the v2 format */
	bool tables; /* cached table entries, too: tables were unlinked, or replaced by leaves */
};

/*
 * The window is the smallest aligned power of two that holds the range, so never smaller than the
 * largest page of it: an entry larger than the window could survive.
 */
struct iommu_command amd_invalidate_pages(const struct amd_pages *pages);

/* What a device's own cache is to forget. */
struct amd_device_pages {
	u16 device; /* requester ID */
	u16 queue;  /* whose invalidations share a limit: the device itself */
	u8 depth;   /* that limit */
	u16 pasid;
	u64 start;
	u64 last;
	bool guest;
};
struct iommu_command amd_invalidate_device_pages(const struct amd_device_pages *pages);

struct iommu_command amd_invalidate_device_entry(u16 device);
struct iommu_command amd_invalidate_interrupts(u16 device);
struct iommu_command amd_invalidate_all(void);

/* Everything before it is complete when `value` is at phys, a multiple of 8. */
struct iommu_command amd_wait(phys_addr_t phys, u64 value);

/*
 * Where absent entries are cached a map invalidates, too, and in naturally aligned pieces: nothing
 * beside the range shall be forgotten. The last byte of the first piece of [start, last]; the range
 * is of whole pages.
 */
u64 amd_first_piece(u64 start, u64 last);

#endif
