/* SPDX-License-Identifier: MIT */
/*
 * AMD's v1 host tables (facts "iova-and-page-tables" 2.1): 1 to 6 levels of 512 entries, the sixth
 * of 128, and leaves of every power of two from 4 KiB to 2 PiB but 512 GiB. Sizes between those of
 * two levels are coded in the address. A table may grow: levels come on top. No-execute and
 * privileged requests leave no trace; an MMIO request only where memory is encrypted: such memory
 * is not.
 */
#include <dmasim/contract.h>
#include <dmasim/pgtable/define_ops.h>
#include <dmasim/pgtable/grow.h>

#include "pgtable/amd_words.h"
#include "pgtable/formats.h"

static u8 coded_lg2(u64 entry)
{
	return AMD_V1_GRANULE_LG2 + amd_coded_granules_lg2(entry);
}

DMASIM_HOT static u64 amdv1_leaf(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2)
{
	u64 entry = phys | amd_leaf_bits(pt, prot, lg2 - AMD_V1_GRANULE_LG2);

	return prot & IOMMU_MMIO ? entry : entry | pt->encryption;
}

static u64 amdv1_table(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	return phys | pt->encryption | amd_table_bits(level);
}

static phys_addr_t amdv1_address(const struct pgtable *pt, u64 entry)
{
	u64 address = entry & AMD_V1_ADDR_MASK & ~pt->encryption;

	return amd_is_coded(entry) ? address & ~((1ULL << coded_lg2(entry)) - 1) : address;
}

static u8 amdv1_leaf_lg2(u64 entry, u8 level)
{
	return amd_is_coded(entry) ? coded_lg2(entry)
				   : (u8)(AMD_V1_GRANULE_LG2 + AMD_V1_INDEX_BITS * level);
}

static u32 amdv1_prot(const struct pgtable *pt, u64 entry)
{
	return amd_rights(entry) | (pt->encryption & ~entry ? IOMMU_MMIO : 0);
}

static int amdv1_grow(struct pgtable *pt, u64 last);

static const struct pt_format amdv1 = {
	.grow = amdv1_grow,
	.granule_lg2 = AMD_V1_GRANULE_LG2,
	.index_lg2 = AMD_V1_INDEX_BITS,
	.many = AMD_V1_NEXT_MASK << AMD_V1_NEXT_SHIFT,
	.leaf = amdv1_leaf,
	.table = amdv1_table,
	.is_table = amd_is_table,
	.address = amdv1_address,
	.leaf_lg2 = amdv1_leaf_lg2,
	.prot = amdv1_prot,
	.is_dirty = amd_is_dirty,
	.clean = amd_clean,
	.dirty = amd_dirty,
};

static int amdv1_grow(struct pgtable *pt, u64 last)
{
	return pt_grow(&amdv1, pt, last);
}

/* From 4 KiB up, without what would be half the address space. */
static u64 amdv1_sizes(const struct pgtable *pt)
{
	u64 sizes = (2ULL << AMD_V1_LEAF_LG2_MAX) - (1ULL << AMD_V1_GRANULE_LG2);

	sizes &= ~(1ULL << AMD_V1_LEAF_LG2_ERRED);
	return sizes & ((1ULL << (pt->va_bits - 1)) - 1);
}

static int amdv1_init(struct pgtable *pt, const struct pgtable_config *config)
{
	int err;

	DMASIM_CONTRACT(config->levels >= AMD_MODE_MIN && config->levels <= AMD_MODE_MAX,
			"an AMD table has 1 to 6 levels");
	DMASIM_CONTRACT(!config->levels_max || (config->levels_max >= config->levels &&
						config->levels_max <= AMD_MODE_MAX),
			"an AMD table grows to 6 levels at most");
	err = pt_init(&amdv1, pt, config);
	if (err)
		return err;
	pt_set_sizes(&amdv1, pt, config, amdv1_sizes(pt));
	return 0;
}

PT_DEFINE_OPS(amdv1);
