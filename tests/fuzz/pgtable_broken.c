/* SPDX-License-Identifier: MIT */
/*
 * VT-d's second stage with a mistake in its leaves, which the target must find: larger ones allow
 * no writes.
 */
#include <dmasim/pgtable/define_ops.h>

#include "pgtable/formats.h"

#include "pgtable.h"

static u64 broken_leaf(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2)
{
	if (lg2 > 12 && prot & IOMMU_READ)
		prot &= ~IOMMU_WRITE;
	return pgtable_vtdss.format->leaf(pt, phys, prot, lg2);
}

static u64 broken_table(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	return pgtable_vtdss.format->table(pt, phys, level);
}

static bool broken_is_table(u64 entry, u8 level)
{
	return pgtable_vtdss.format->is_table(entry, level);
}

static phys_addr_t broken_address(const struct pgtable *pt, u64 entry)
{
	return pgtable_vtdss.format->address(pt, entry);
}

static u32 broken_prot(const struct pgtable *pt, u64 entry)
{
	return pgtable_vtdss.format->prot(pt, entry);
}

static const struct pt_format broken = {
	.granule_lg2 = 12,
	.index_lg2 = 9,
	.leaf = broken_leaf,
	.table = broken_table,
	.is_table = broken_is_table,
	.address = broken_address,
	.prot = broken_prot,
};

static int broken_init(struct pgtable *pt, const struct pgtable_config *config)
{
	int err = pt_init(&broken, pt, config);

	pt->page_sizes = 1ULL << 12 | 1ULL << 21;
	return err;
}

PT_DEFINE_OPS(broken);
