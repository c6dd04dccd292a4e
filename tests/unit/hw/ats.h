/* SPDX-License-Identifier: MIT */
/*
 * The yard with an IOMMU that knows device TLBs, and one more function beside left, 03:01.0: it has
 * ATS, which is on, a TLB of one set of 4 entries, and a page of its own.
 */
#ifndef UNIT_HW_ATS_H
#define UNIT_HW_ATS_H

#include "yard.h"

#define ENABLE	0x8000 /* in the control word */
#define PAGE_AT 0x40000000ULL
#define PHYS	0x00700000ULL /* where it leads */
#define OTHER	0x00900000ULL

#define SMART_ID 0x0308

struct ats {
	struct yard *yard;
	struct hw *hw;
	struct hw_iommu *iommu;
	struct hw_function *smart;
	u32 timed_out;
	struct hw_invalidation late; /* the last that was not answered */
};

int ats_setup(void **state);
int ats_teardown(void **state);

/* The context entry of a requester: the yard's tables and domain. */
void ats_context(struct ats *ats, u16 requester, u8 type, bool device_tlb);

/* The function writes an x, or reads. */
struct hw_transfer write_byte(struct ats *ats, u64 iova);
struct hw_transfer read_byte(struct ats *ats, u64 iova);
u8 memory_at(struct ats *ats, phys_addr_t phys);

/* One command, executed at once. */
int ats_run(struct ats *ats, u64 low, u64 high);

/* Words of a VT-d descriptor: type 3, requester in 47:32; S in bit 0 of the second. */
int ats_invalidate(struct ats *ats, u16 requester, u64 high);

#endif
