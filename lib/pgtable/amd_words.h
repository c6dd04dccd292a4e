/* SPDX-License-Identifier: MIT */
/*
 * What AMD's v1 words say that does not depend on the granule (facts "iova-and-page-tables" 2.1):
 * AMD's own tables, and the mock's, which are made of the same words.
 */
#ifndef PGTABLE_AMD_WORDS_H
#define PGTABLE_AMD_WORDS_H

#include <dmasim/hw/amd.h>

#include <dmasim/pgtable/pgtable.h>

static inline u64 amd_next_level(u64 entry)
{
	return entry >> AMD_V1_NEXT_SHIFT & AMD_V1_NEXT_MASK;
}

/* A leaf whose address codes its size. */
static inline bool amd_is_coded(u64 entry)
{
	return amd_next_level(entry) == AMD_V1_NEXT_SIZE;
}

/* log2 of its granules: ones in the address, one fewer than they need. */
static inline u8 amd_coded_granules_lg2(u64 entry)
{
	return (u8)(1 + __builtin_ctzll(~(entry >> AMD_V1_GRANULE_LG2)));
}

static inline bool amd_is_table(u64 entry, u8 level)
{
	return level && amd_next_level(entry) != AMD_V1_NEXT_LEAF && !amd_is_coded(entry);
}

/* What leaves with these rights have in common; of 2^granules_lg2 granules, where that is coded. */
static inline u64 amd_leaf_bits(const struct pgtable *pt, u32 prot, u8 granules_lg2)
{
	u64 entry = AMD_V1_PRESENT;

	if (prot & IOMMU_READ)
		entry |= AMD_V1_READ;
	if (prot & IOMMU_WRITE)
		entry |= AMD_V1_WRITE;
	if (granules_lg2 % AMD_V1_INDEX_BITS)
		entry |= ((1ULL << (granules_lg2 - 1)) - 1) << AMD_V1_GRANULE_LG2 |
			 AMD_V1_NEXT_SIZE << AMD_V1_NEXT_SHIFT;
	return pt->snoop ? entry | AMD_V1_FC : entry;
}

static inline u64 amd_table_bits(u8 level)
{
	return (u64)level << AMD_V1_NEXT_SHIFT | AMD_V1_READ | AMD_V1_WRITE | AMD_V1_PRESENT;
}

static inline u32 amd_rights(u64 entry)
{
	return (entry & AMD_V1_READ ? IOMMU_READ : 0) | (entry & AMD_V1_WRITE ? IOMMU_WRITE : 0);
}

static inline bool amd_is_dirty(u64 entry)
{
	return entry & AMD_V1_DIRTY;
}

static inline u64 amd_clean(u64 entry)
{
	return entry & ~AMD_V1_DIRTY;
}

static inline u64 amd_dirty(u64 entry)
{
	return entry | AMD_V1_DIRTY;
}

#endif
