/* SPDX-License-Identifier: MIT */
/*
 * Page tables that no IOMMU of the machine uses.
 */
#include <dmasim/page-table.h>

#include "iommu/iommu.h"
#include "machine/machine.h"

struct pgtable_host *dmasim_pgtable_host(struct dmasim *s)
{
	machine_exists(s);
	return &s->os->tables;
}

void dmasim_pgtable_release(struct dmasim *s, struct iommu_iotlb_gather *gather)
{
	machine_exists(s);
	iommu_free_tables(s->os, gather->freelist);
	iommu_iotlb_gather_init(gather);
}
