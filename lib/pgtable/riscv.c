/* SPDX-License-Identifier: MIT */
/*
 * RISC-V tables (facts "iova-and-page-tables" 2.5): Sv39, Sv48 and Sv57 of 3, 4 and 5 levels, whose
 * addresses repeat their highest bit; and the x4 forms of a G stage, whose root has four times as
 * many entries, and whose addresses do not. Leaves at every level, and of 64 KiB in 16 equal
 * entries (Svnapot). With Svpbmt a leaf says what is not cacheable or MMIO. Hardware's marks are
 * set beforehand; there is no write-only.
 */
#include <dmasim/contract.h>
#include <dmasim/hw/riscv.h>
#include <dmasim/pgtable/define_ops.h>

#include "pgtable/formats.h"

static u64 ppn_of(phys_addr_t phys)
{
	return phys >> RISCV_GRANULE_LG2 << RISCV_PTE_PPN_SHIFT;
}

static u64 memory_type(u32 prot)
{
	if (prot & IOMMU_MMIO)
		return RISCV_PBMT_IO << RISCV_PTE_PBMT;
	return (prot & IOMMU_CACHE ? RISCV_PBMT_PMA : RISCV_PBMT_NC) << RISCV_PTE_PBMT;
}

DMASIM_HOT static u64 riscv_leaf(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2)
{
	u64 entry = ppn_of(phys) | RISCV_PTE_V | RISCV_PTE_R | RISCV_PTE_U | RISCV_PTE_A;

	if (prot & IOMMU_WRITE)
		entry |= RISCV_PTE_W | RISCV_PTE_D;
	if (!(prot & IOMMU_NOEXEC))
		entry |= RISCV_PTE_X;
	if (pt->features & PGTABLE_PBMT)
		entry |= memory_type(prot);
	if (lg2 == RISCV_NAPOT_LG2)
		entry |= RISCV_PTE_N | RISCV_NAPOT_PPN << RISCV_PTE_PPN_SHIFT;
	return entry;
}

static u64 riscv_table(const struct pgtable *pt, phys_addr_t phys, u8 level)
{
	(void)pt;
	(void)level;
	return ppn_of(phys) | RISCV_PTE_V;
}

static bool riscv_is_table(u64 entry, u8 level)
{
	return level && !(entry & (RISCV_PTE_R | RISCV_PTE_W | RISCV_PTE_X));
}

static phys_addr_t riscv_address(const struct pgtable *pt, u64 entry)
{
	u64 ppn = entry >> RISCV_PTE_PPN_SHIFT & RISCV_PTE_PPN_MASK;

	(void)pt;
	if (entry & RISCV_PTE_N)
		ppn &= ~RISCV_NAPOT_MASK;
	return ppn << RISCV_GRANULE_LG2;
}

static u8 riscv_leaf_lg2(u64 entry, u8 level)
{
	return entry & RISCV_PTE_N ? RISCV_NAPOT_LG2
				   : (u8)(RISCV_GRANULE_LG2 + RISCV_INDEX_BITS * level);
}

static u32 riscv_prot(const struct pgtable *pt, u64 entry)
{
	u32 prot = IOMMU_READ;

	if (entry & RISCV_PTE_W)
		prot |= IOMMU_WRITE;
	if (!(entry & RISCV_PTE_X))
		prot |= IOMMU_NOEXEC;
	if (pt->features & PGTABLE_PBMT) {
		u64 type = entry >> RISCV_PTE_PBMT & 3;

		prot |= type == RISCV_PBMT_IO ? IOMMU_MMIO : 0;
		prot |= type == RISCV_PBMT_PMA ? IOMMU_CACHE : 0;
	}
	return prot;
}

#define RISCV_FORMAT(...)                                                                         \
	{                                                                                         \
		.granule_lg2 = RISCV_GRANULE_LG2, .index_lg2 = RISCV_INDEX_BITS,                  \
		.many = RISCV_PTE_N, .leaf = riscv_leaf, .table = riscv_table,                    \
		.is_table = riscv_is_table, .address = riscv_address, .leaf_lg2 = riscv_leaf_lg2, \
		.prot = riscv_prot, __VA_ARGS__                                                   \
	}

static const struct pt_format riscv = RISCV_FORMAT(.sign_extends = true);
static const struct pt_format riscv_g = RISCV_FORMAT(.top_extra_lg2 = RISCV_TOP_EXTRA);

static u64 sizes(const struct pgtable *pt)
{
	u64 sizes = 0;

	for (u8 level = 0; level < pt->levels; level++)
		sizes |= 1ULL << (RISCV_GRANULE_LG2 + RISCV_INDEX_BITS * level);
	if (pt->features & PGTABLE_NAPOT)
		sizes |= 1ULL << RISCV_NAPOT_LG2;
	return sizes;
}

static int init(const struct pt_format *format, struct pgtable *pt,
		const struct pgtable_config *config)
{
	int err;

	DMASIM_CONTRACT(config->levels >= RISCV_LEVELS_MIN && config->levels <= RISCV_LEVELS_MAX,
			"a RISC-V table has 3, 4 or 5 levels");
	err = pt_init(format, pt, config);
	pt_set_sizes(format, pt, config, sizes(pt));
	return err;
}

static int riscv_init(struct pgtable *pt, const struct pgtable_config *config)
{
	return init(&riscv, pt, config);
}

static int riscv_g_init(struct pgtable *pt, const struct pgtable_config *config)
{
	struct pgtable_config wide = *config;

	wide.top_extra_lg2 = RISCV_TOP_EXTRA;
	return init(&riscv_g, pt, &wide);
}

PT_DEFINE_OPS(riscv);
PT_DEFINE_OPS(riscv_g);
