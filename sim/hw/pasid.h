/* SPDX-License-Identifier: MIT */
/*
 * The PASID tables of a unit in scalable mode: what each PASID of a requester is translated with.
 * As in memory they are pages of 64 entries, which a directory leads to: a page comes with the
 * first entry in it that is set, and stays.
 */
#ifndef HW_PASID_H
#define HW_PASID_H

#include <bsd/sys/tree.h>

#include "hw/context.h"

struct hw_iommu;

#define HW_PASID_BITS	      20
#define HW_PASIDS	      (1U << HW_PASID_BITS)
#define HW_RID_PASID	      0 /* the PASID of requests that have none */
#define HW_PASID_PAGE_ENTRIES 64

struct hw_pasid_page {
	RB_ENTRY(hw_pasid_page) by_key;
	u64 key; /* the tag of its first entry */
	struct hw_context entry[HW_PASID_PAGE_ENTRIES];
};

RB_HEAD(hw_pasid_pages, hw_pasid_page);

/* Frees the tables of all requesters. */
void hw_pasids_fini(struct hw_iommu *iommu);

/*
 * Writes the entry of a PASID; what is cached of it stays. HW_CONTEXT_ABSENT blocks it. 0 or
 * -ENOMEM.
 */
int hw_pasid_set(struct hw_iommu *iommu, u16 requester, u32 pasid, struct hw_context entry);

/* The entry as it is now, whatever is cached. False: the directory leads nowhere. */
bool hw_pasid_get(const struct hw_iommu *iommu, u16 requester, u32 pasid, struct hw_context *entry);

#endif
