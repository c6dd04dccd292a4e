/* SPDX-License-Identifier: MIT */
/*
 * Page-table formats with a mistake: a function of a good one stands behind one that spoils what it
 * does. The conformance suite must say so.
 */
#ifndef EXAMPLES_SPOILT_FORMATS_H
#define EXAMPLES_SPOILT_FORMATS_H

#include <dmasim/page-table.h>
#include <dmasim/pgtable-bench.h>

#include "support/expect.h"

extern const struct pgtable_ops pgtable_three_level;
extern const struct dmasim_walker_ops three_level_walker;

#define GOOD (&pgtable_three_level)
#define RW   (IOMMU_READ | IOMMU_WRITE)

#define MAP_ARGS                                                             \
	struct pgtable *pt, u64 iova, phys_addr_t phys, u64 bytes, u32 prot, \
		struct iommu_iotlb_gather *gather, u64 *mapped
#define UNMAP_ARGS struct pgtable *pt, u64 iova, u64 bytes, struct iommu_iotlb_gather *gather

struct spoilt {
	const char *check;	/* the first that fails, */
	const char *says;	/* and what it says */
	struct pgtable_ops ops; /* the functions that are replaced */
	struct dmasim_walker_ops walker;
	const char *base; /* one of ours, without a walker; NULL: the example */
	struct pgtable_config config;
	bool no_write_only; /* as in the subject */
};

/* What the example cannot do, VT-d's tables can. */
const struct pgtable_ops *spoilt_vtdss(void);

/* Fails unless the suite finds it. `number` is for the message. */
void spoilt_is_found(const struct spoilt *spoilt, size_t number);

#endif
