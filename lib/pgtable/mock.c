/* SPDX-License-Identifier: MIT */
/*
 * A format that no hardware has: AMD's words with a granule of 2 KiB in tables of 4 KiB, as Linux's
 * iommufd self-test has it (facts "iova-and-page-tables" 2.1). Its granule is unlike the host's on
 * purpose: whatever takes one page size for granted stumbles. The address field counts granules as
 * AMD's counts pages, so that it is shifted by one bit.
 */
#include <dmasim/hw/amd.h>

#include "pgtable/define_ops.h"

#define MOCK_GRANULE_LG2 11
#define MOCK_LEVELS	 5

static bool is_natural(u8 lg2)
{
	return (lg2 - MOCK_GRANULE_LG2) % AMD_V1_INDEX_BITS == 0;
}

static u64 next_level(u64 entry)
{
	return entry >> AMD_V1_NEXT_SHIFT & AMD_V1_NEXT_MASK;
}

/* As AMD's: ones in the address, one fewer than the granules need. */
static u8 coded_lg2(u64 entry)
{
	return (u8)(MOCK_GRANULE_LG2 + 1 + __builtin_ctzll(~(entry >> AMD_V1_GRANULE_LG2)));
}

static u64 mock_leaf(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2)
{
	u64 entry = phys << 1 | AMD_V1_PRESENT;

	if (prot & IOMMU_READ)
		entry |= AMD_V1_READ;
	if (prot & IOMMU_WRITE)
		entry |= AMD_V1_WRITE;
	if (!is_natural(lg2))
		entry |= ((1ULL << lg2) - (1ULL << AMD_V1_GRANULE_LG2)) |
			 AMD_V1_NEXT_SIZE << AMD_V1_NEXT_SHIFT;
	if (pt->snoop)
		entry |= AMD_V1_FC;
	return entry;
}

static u64 mock_table(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	(void)pt;
	return phys << 1 | (u64)level << AMD_V1_NEXT_SHIFT | AMD_V1_READ | AMD_V1_WRITE |
	       AMD_V1_PRESENT;
}

static bool mock_is_table(u64 entry, u8 level)
{
	u64 next = next_level(entry);

	return level && next != AMD_V1_NEXT_LEAF && next != AMD_V1_NEXT_SIZE;
}

static u8 mock_leaf_lg2(u64 entry, u8 level)
{
	return next_level(entry) == AMD_V1_NEXT_SIZE
		       ? coded_lg2(entry)
		       : (u8)(MOCK_GRANULE_LG2 + AMD_V1_INDEX_BITS * level);
}

static phys_addr_t mock_address(const struct pgtable *pt, u64 entry)
{
	u64 address = (entry & AMD_V1_ADDR_MASK) >> 1;

	(void)pt;
	if (next_level(entry) == AMD_V1_NEXT_SIZE)
		address &= ~((1ULL << coded_lg2(entry)) - 1);
	return address;
}

static u32 mock_prot(const struct pgtable *pt, u64 entry)
{
	(void)pt;
	return (entry & AMD_V1_READ ? IOMMU_READ : 0) | (entry & AMD_V1_WRITE ? IOMMU_WRITE : 0);
}

static bool mock_is_dirty(u64 entry)
{
	return entry & AMD_V1_DIRTY;
}

static u64 mock_clean(u64 entry)
{
	return entry & ~AMD_V1_DIRTY;
}

static u64 mock_dirty(u64 entry)
{
	return entry | AMD_V1_DIRTY;
}

static const struct pt_format mock = {
	.granule_lg2 = MOCK_GRANULE_LG2,
	.index_lg2 = AMD_V1_INDEX_BITS,
	.many = AMD_V1_NEXT_MASK << AMD_V1_NEXT_SHIFT,
	.leaf = mock_leaf,
	.table = mock_table,
	.is_table = mock_is_table,
	.address = mock_address,
	.leaf_lg2 = mock_leaf_lg2,
	.prot = mock_prot,
	.is_dirty = mock_is_dirty,
	.clean = mock_clean,
	.dirty = mock_dirty,
};

static int mock_init(struct pgtable *pt, const struct pgtable_config *config)
{
	struct pgtable_config own = *config;
	int err;

	own.levels = MOCK_LEVELS;
	own.pa_bits = config->pa_bits < 51 ? config->pa_bits : 51;
	err = pt_init(&mock, pt, &own);
	pt->page_sizes = (1ULL << 50) - (1ULL << MOCK_GRANULE_LG2);
	if (config->page_sizes)
		pt->page_sizes &= config->page_sizes | 1ULL << MOCK_GRANULE_LG2;
	return err;
}

PT_DEFINE_OPS(mock);
