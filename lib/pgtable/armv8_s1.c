/* SPDX-License-Identifier: MIT */
/*
 * Armv8 stage 1: leaves name a kind of memory by its place in MAIR. With PGTABLE_HW_DIRTY a leaf
 * that may be written says that hardware is to mark it (DBM): it is born dirty, and clean means
 * that a write takes its read-only bit away. There is no write-only.
 */
#include "pgtable/armv8.h"

DMASIM_HOT static u64 s1_attributes(u32 prot)
{
	u64 entry = 0;

	if (prot & IOMMU_MMIO)
		entry = ARM_S1_ATTR_DEV << ARM_S1_ATTR_SHIFT;
	else if (prot & IOMMU_CACHE)
		entry = ARM_S1_ATTR_CACHE << ARM_S1_ATTR_SHIFT;
	if (!(prot & IOMMU_PRIV))
		entry |= ARM_S1_AP_EL0;
	if (!(prot & IOMMU_WRITE))
		entry |= ARM_S1_AP_RO;
	return prot & IOMMU_NOEXEC ? entry | ARM_NO_EXECUTE : entry;
}

PT_INLINE u64 s1_leaf(struct arm_kind kind, const struct pgtable *pt, phys_addr_t phys, u32 prot,
		      u8 lg2)
{
	u64 entry = arm_put(kind, phys) | arm_leaf_kind(kind, lg2) | s1_attributes(prot) |
		    arm_shareability(kind, prot) | ARM_S1_NG;

	if (pt->features & PGTABLE_NON_SECURE)
		entry |= ARM_S1_NS;
	if (pt->features & PGTABLE_HW_DIRTY && prot & IOMMU_WRITE)
		entry |= ARM_DBM;
	return entry;
}

PT_INLINE u64 s1_table(struct arm_kind kind, const struct pgtable *pt, phys_addr_t phys)
{
	return arm_put(kind, phys) | ARM_DESC_VALID | ARM_DESC_TABLE |
	       (pt->features & PGTABLE_NON_SECURE ? ARM_S1_NS_TABLE : 0);
}

PT_INLINE u32 s1_prot(struct arm_kind kind, u64 entry)
{
	u64 attr = entry >> ARM_S1_ATTR_SHIFT & ARM_S1_ATTR_MASK;
	u32 prot = IOMMU_READ;

	if (!(entry & ARM_S1_AP_RO) || entry & ARM_DBM)
		prot |= IOMMU_WRITE;
	if (!(entry & ARM_S1_AP_EL0))
		prot |= IOMMU_PRIV;
	if (entry & ARM_NO_EXECUTE)
		prot |= IOMMU_NOEXEC;
	if (attr == ARM_S1_ATTR_CACHE || (attr == ARM_S1_ATTR_DEV && arm_is_inner(kind, entry)))
		prot |= IOMMU_CACHE;
	return attr == ARM_S1_ATTR_DEV ? prot | IOMMU_MMIO : prot;
}

static bool s1_is_dirty(u64 entry)
{
	return (entry & (ARM_DBM | ARM_S1_AP_RO)) == ARM_DBM;
}

static u64 s1_clean(u64 entry)
{
	return entry & ARM_DBM ? entry | ARM_S1_AP_RO : entry;
}

static u64 s1_dirty(u64 entry)
{
	return entry & ARM_DBM ? entry & ~ARM_S1_AP_RO : entry;
}

#define S1(name, granule, lpa2)                                                                \
	ARM_DEFINE_FORMAT(name, s1, granule, lpa2, .is_dirty = s1_is_dirty, .clean = s1_clean, \
			  .dirty = s1_dirty)

S1(armv8_s1_4k, 12, false);
S1(armv8_s1_16k, 14, false);
S1(armv8_s1_64k, 16, false);
S1(armv8_s1_4k_lpa2, 12, true);
S1(armv8_s1_16k_lpa2, 14, true);
