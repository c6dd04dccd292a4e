/* SPDX-License-Identifier: MIT */
/*
 * What of the "linux" allocator's state decides its next answers, for comparison with Linux's own
 * (facts "iova-and-page-tables" 1.1 and iova-vectors.tsv).
 */
#ifndef IOVA_LINUX_H
#define IOVA_LINUX_H

#include <dmasim/iova.h>

struct iova_linux_state {
	u64 cached_pfn; /* where the cached range begins; IOVA_NO_PFN: above everything */
	u64 cached32_pfn;
	u64 max32; /* 32-bit requests of so many pages and more fail at once */
	u64 nodes; /* ranges: live, cached and reserved */
};

void iova_linux_state(const struct iova_allocator *allocator, struct iova_linux_state *state);

/* One run of the depot's delayed work. Returns the full magazines that are left. */
u32 iova_linux_trim(struct iova_allocator *allocator, u32 order);

/* Full magazines in the depot. */
u32 iova_linux_depot(const struct iova_allocator *allocator, u32 order);

#endif
