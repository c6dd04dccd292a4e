/* SPDX-License-Identifier: MIT */
/*
 * Intel VT-d second-stage tables (facts "iova-and-page-tables" 2.2): 3, 4 or 5 levels of 512
 * entries, leaves of 4 KiB, 2 MiB and 1 GiB. No-execute, cacheable and MMIO requests leave no
 * trace.
 */
#include <dmasim/contract.h>
#include <dmasim/hw/vtd.h>
#include <dmasim/pgtable/define_ops.h>

#include "pgtable/formats.h"

static u64 vtdss_leaf(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2)
{
	u64 entry = phys;

	if (prot & IOMMU_READ)
		entry |= VTD_SS_READ;
	if (prot & IOMMU_WRITE)
		entry |= VTD_SS_WRITE;
	if (lg2 > VTD_SS_GRANULE_LG2)
		entry |= VTD_SS_SUPERPAGE;
	if (pt->snoop)
		entry |= VTD_SS_SNOOP;
	return entry;
}

static u64 vtdss_table(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	(void)pt;
	(void)level;
	return phys | VTD_SS_READ | VTD_SS_WRITE;
}

static bool vtdss_is_table(u64 entry, u8 level)
{
	return level && !(entry & VTD_SS_SUPERPAGE);
}

static phys_addr_t vtdss_address(const struct pgtable *pt, u64 entry)
{
	(void)pt;
	return entry & VTD_SS_ADDR_MASK;
}

static u32 vtdss_prot(const struct pgtable *pt, u64 entry)
{
	(void)pt;
	return (entry & VTD_SS_READ ? IOMMU_READ : 0) | (entry & VTD_SS_WRITE ? IOMMU_WRITE : 0);
}

static bool vtdss_is_dirty(u64 entry)
{
	return entry & VTD_SS_DIRTY;
}

static u64 vtdss_clean(u64 entry)
{
	return entry & ~VTD_SS_DIRTY;
}

static u64 vtdss_dirty(u64 entry)
{
	return entry | VTD_SS_DIRTY;
}

static const struct pt_format vtdss = {
	.granule_lg2 = VTD_SS_GRANULE_LG2,
	.index_lg2 = VTD_SS_INDEX_BITS,
	.flushed = VTD_SS_SW_FLUSHED,
	.leaf = vtdss_leaf,
	.table = vtdss_table,
	.is_table = vtdss_is_table,
	.address = vtdss_address,
	.prot = vtdss_prot,
	.is_dirty = vtdss_is_dirty,
	.clean = vtdss_clean,
	.dirty = vtdss_dirty,
};

static int vtdss_init(struct pgtable *pt, const struct pgtable_config *config)
{
	int err;

	DMASIM_CONTRACT(config->levels >= VTD_LEVELS_MIN && config->levels <= VTD_LEVELS_MAX,
			"a VT-d table has 3, 4 or 5 levels");
	err = pt_init(&vtdss, pt, config);
	pt_set_sizes(&vtdss, pt, config,
		     1ULL << 12 | 1ULL << 21 | (config->huge_1g ? 1ULL << 30 : 0));
	return err;
}

PT_DEFINE_OPS(vtdss);
