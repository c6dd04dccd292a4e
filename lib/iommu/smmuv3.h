/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3's commands: how they are encoded (facts "iova-and-page-tables" 3.4). Tables are of the
 * 4 KiB granule, streams have the number of their requester, and there is no second stage.
 */
#ifndef IOMMU_SMMUV3_H
#define IOMMU_SMMUV3_H

#include "iommu/arch.h"

/* Everything of an address space: leaves and table entries. */
struct iommu_command smmuv3_forget_asid(u16 asid);

/* What is cached for one address, of whatever size; with `tables` also the entries above it. */
struct iommu_command smmuv3_forget_address(u16 asid, u64 address, bool tables);

/*
 * What one command of a unit with range support takes: num << scale granules from the address on.
 * level: from 0, of the leaves, if all are of one; SMMUV3_ANY_LEVEL: they may be of any.
 */
#define SMMUV3_ANY_LEVEL 3
struct smmuv3_pages {
	u16 asid;
	u64 address;
	u8 granule_lg2; /* 12, 14 or 16 */
	u8 num;		/* 1 to 32; not 1 with scale 0 and any level: that command is illegal */
	u8 scale;	/* to 31 */
	u8 level;
	bool tables;
};
struct iommu_command smmuv3_forget_pages(const struct smmuv3_pages *pages);

/*
 * The next command for `count` granules, at least 1: how many it takes is taken off the count, and
 * the address is moved on. More than the count, by one at most, where the right number has no
 * encoding.
 */
void smmuv3_next_pages(struct smmuv3_pages *pages, u64 *count);

/* The stream table entry of a stream, and what it leads to; one context descriptor of it. */
struct iommu_command smmuv3_forget_stream(u32 stream);
struct iommu_command smmuv3_forget_context(u32 stream, u32 substream);

/* What a device's own TLB has of the smallest aligned window with [start, last]. */
struct iommu_command smmuv3_forget_in_device(u32 stream, u64 start, u64 last);

/* Everything before it is complete when the 4 bytes at phys, a multiple of 4, are `value`. */
struct iommu_command smmuv3_sync(phys_addr_t phys, u32 value);

#endif
