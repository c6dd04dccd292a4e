/* SPDX-License-Identifier: MIT */
/*
 * A translation that tells its steps: which cache answers, and what a walk reads. For people who
 * look and for tests; hw_translate() pays nothing for it.
 */
#ifndef HW_STEPS_H
#define HW_STEPS_H

#include "hw/iommu.h"

#define HW_STEPS_MAX 8 /* entries of a walk */

struct hw_steps {
	bool context_hit;
	struct hw_context context;
	bool context_refuses; /* the request ends there, as it does if the context lets it pass */
	bool tables_tell;     /* it refuses, and the tables tell why: the IOTLB is not asked */

	bool iotlb_hit;
	bool iotlb_found; /* or there is one without the permission, which is not taken */
	struct iotlb_entry iotlb;

	bool beyond; /* the tables do not reach the address: there is no walk */
	u32 known;   /* level of the cached table that it began at, or WALK_CACHE_LEVELS */
	bool walked;
	struct hw_walk_start start;
	struct hw_walk walk;
	phys_addr_t at[HW_STEPS_MAX]; /* of the entry that was fetched from walk.step[i] */
	u64 entry[HW_STEPS_MAX];
	bool fetched[HW_STEPS_MAX]; /* false: no memory is there */
};

/* hw_translate(), with all that it does to caches and costs. */
struct hw_translation hw_translate_steps(struct hw_iommu *iommu, u16 requester, u64 iova,
					 bool write, struct hw_steps *steps);

/* hw_translate_probe() likewise: no cache answers, and nothing changes. */
struct hw_translation hw_translate_probe_steps(struct hw_iommu *iommu, u16 requester, u64 iova,
					       bool write, struct hw_steps *steps);

#endif
