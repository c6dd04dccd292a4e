/* SPDX-License-Identifier: MIT */
/*
 * A format that no hardware has: AMD's words with a granule of 2 KiB in tables of 4 KiB, as Linux's
 * iommufd self-test has it (facts "iova-and-page-tables" 2.1). Its granule is unlike the host's on
 * purpose: whatever takes one page size for granted stumbles. The address field counts granules as
 * AMD's counts pages, so that it is shifted by one bit.
 */
#include <dmasim/pgtable/define_ops.h>

#include "pgtable/amd_words.h"
#include "pgtable/formats.h"

#define MOCK_GRANULE_LG2 11
#define MOCK_LEVELS	 5

static u8 coded_lg2(u64 entry)
{
	return MOCK_GRANULE_LG2 + amd_coded_granules_lg2(entry);
}

static u64 mock_leaf(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2)
{
	return phys << 1 | amd_leaf_bits(pt, prot, lg2 - MOCK_GRANULE_LG2);
}

static u64 mock_table(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	(void)pt;
	return phys << 1 | amd_table_bits(level);
}

static phys_addr_t mock_address(const struct pgtable *pt, u64 entry)
{
	u64 address = (entry & AMD_V1_ADDR_MASK) >> 1;

	(void)pt;
	return amd_is_coded(entry) ? address & ~((1ULL << coded_lg2(entry)) - 1) : address;
}

static u8 mock_leaf_lg2(u64 entry, u8 level)
{
	return amd_is_coded(entry) ? coded_lg2(entry)
				   : (u8)(MOCK_GRANULE_LG2 + AMD_V1_INDEX_BITS * level);
}

static u32 mock_prot(const struct pgtable *pt, u64 entry)
{
	(void)pt;
	return amd_rights(entry);
}

static const struct pt_format mock = {
	.granule_lg2 = MOCK_GRANULE_LG2,
	.index_lg2 = AMD_V1_INDEX_BITS,
	.many = AMD_V1_NEXT_MASK << AMD_V1_NEXT_SHIFT,
	.leaf = mock_leaf,
	.table = mock_table,
	.is_table = amd_is_table,
	.address = mock_address,
	.leaf_lg2 = mock_leaf_lg2,
	.prot = mock_prot,
	.is_dirty = amd_is_dirty,
	.clean = amd_clean,
	.dirty = amd_dirty,
};

static int mock_init(struct pgtable *pt, const struct pgtable_config *config)
{
	struct pgtable_config own = *config;
	int err;

	own.levels = MOCK_LEVELS;
	own.pa_bits = config->pa_bits < 51 ? config->pa_bits : 51;
	err = pt_init(&mock, pt, &own);
	pt_set_sizes(&mock, pt, config, (1ULL << 50) - (1ULL << MOCK_GRANULE_LG2));
	return err;
}

PT_DEFINE_OPS(mock);
