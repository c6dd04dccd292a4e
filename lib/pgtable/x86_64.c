/* SPDX-License-Identifier: MIT */
/*
 * x86-64 tables as a first stage: VT-d's, and AMD's v2 (facts "iova-and-page-tables" 2.3). 4 or 5
 * levels of 512 entries, leaves of 4 KiB, 2 MiB and 1 GiB. Addresses repeat their highest bit;
 * AMD's are used without PASID and with one, so that only their lower half means the same.
 * Hardware's marks are set beforehand. There is no write-only, and no-execute, cacheable and
 * privileged requests leave no trace; an MMIO request only where memory is encrypted.
 */
#include <dmasim/contract.h>
#include <dmasim/hw/x86.h>
#include <dmasim/pgtable/define_ops.h>

#include "pgtable/formats.h"

#define SW_FLUSHED (1ULL << 9) /* of the bits that hardware ignores */

static u64 x86_64_leaf(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2)
{
	u64 entry = phys | X86_FS_PRESENT | X86_FS_USER | X86_FS_ACCESSED;

	if (prot & IOMMU_WRITE)
		entry |= X86_FS_WRITE | X86_FS_DIRTY;
	if (lg2 > X86_FS_GRANULE_LG2)
		entry |= X86_FS_PAGE_SIZE;
	if (!(prot & IOMMU_MMIO))
		entry |= pt->encryption;
	return entry;
}

static u64 x86_64_table(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	(void)level;
	return phys | pt->encryption | X86_FS_PRESENT | X86_FS_WRITE | X86_FS_USER |
	       X86_FS_ACCESSED;
}

static bool x86_64_is_table(u64 entry, u8 level)
{
	return level && !(entry & X86_FS_PAGE_SIZE);
}

static phys_addr_t x86_64_address(const struct pgtable *pt, u64 entry)
{
	return entry & X86_FS_ADDR_MASK & ~pt->encryption;
}

static u32 x86_64_prot(const struct pgtable *pt, u64 entry)
{
	return IOMMU_READ | (entry & X86_FS_WRITE ? IOMMU_WRITE : 0) |
	       (pt->encryption & ~entry ? IOMMU_MMIO : 0);
}

static const struct pt_format x86_64 = {
	.granule_lg2 = X86_FS_GRANULE_LG2,
	.index_lg2 = X86_FS_INDEX_BITS,
	.sign_extends = true,
	.flushed = SW_FLUSHED,
	.leaf = x86_64_leaf,
	.table = x86_64_table,
	.is_table = x86_64_is_table,
	.address = x86_64_address,
	.prot = x86_64_prot,
};

static int x86_64_init(struct pgtable *pt, const struct pgtable_config *config)
{
	int err;

	DMASIM_CONTRACT(config->levels >= X86_FS_LEVELS_MIN && config->levels <= X86_FS_LEVELS_MAX,
			"an x86-64 table has 4 or 5 levels");
	err = pt_init(&x86_64, pt, config);
	pt_set_sizes(&x86_64, pt, config,
		     1ULL << 12 | 1ULL << 21 | (config->huge_1g ? 1ULL << 30 : 0));
	return err;
}

PT_DEFINE_OPS(x86_64);
