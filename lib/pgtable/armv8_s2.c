/* SPDX-License-Identifier: MIT */
/*
 * Armv8 stage 2: leaves say themselves what kind of memory they lead to. Several top tables may lie
 * side by side as one. Privileged requests leave no trace.
 */
#include "pgtable/armv8.h"

static u64 s2_attributes(const struct pgtable *pt, u32 prot)
{
	u64 entry = ARM_S2_ATTR_NC << ARM_S2_ATTR_SHIFT;

	if (prot & IOMMU_MMIO)
		entry = ARM_S2_ATTR_DEV << ARM_S2_ATTR_SHIFT;
	else if (prot & IOMMU_CACHE)
		entry = (pt->features & PGTABLE_S2FWB ? ARM_S2_ATTR_FWB : ARM_S2_ATTR_CACHE)
			<< ARM_S2_ATTR_SHIFT;
	if (prot & IOMMU_READ)
		entry |= ARM_S2_READ;
	if (prot & IOMMU_WRITE)
		entry |= ARM_S2_WRITE;
	return prot & IOMMU_NOEXEC ? entry | ARM_NO_EXECUTE : entry;
}

PT_INLINE u64 s2_leaf(struct arm_kind kind, const struct pgtable *pt, phys_addr_t phys, u32 prot,
		      u8 lg2)
{
	return arm_put(kind, phys) | arm_leaf_kind(kind, lg2) | s2_attributes(pt, prot) |
	       arm_shareability(kind, prot);
}

PT_INLINE u64 s2_table(struct arm_kind kind, const struct pgtable *pt, phys_addr_t phys)
{
	(void)pt;
	return arm_put(kind, phys) | ARM_DESC_VALID | ARM_DESC_TABLE;
}

PT_INLINE u32 s2_prot(struct arm_kind kind, u64 entry)
{
	u64 attr = entry >> ARM_S2_ATTR_SHIFT & ARM_S2_ATTR_MASK;
	u32 prot = 0;

	if (entry & ARM_S2_READ)
		prot |= IOMMU_READ;
	if (entry & ARM_S2_WRITE)
		prot |= IOMMU_WRITE;
	if (entry & ARM_NO_EXECUTE)
		prot |= IOMMU_NOEXEC;
	if (attr == ARM_S2_ATTR_DEV)
		return prot | IOMMU_MMIO | (arm_is_inner(kind, entry) ? IOMMU_CACHE : 0);
	return attr == ARM_S2_ATTR_NC ? prot : prot | IOMMU_CACHE;
}

#define S2(name, granule, lpa2) ARM_DEFINE_FORMAT(name, s2, granule, lpa2, .top_extra_lg2 = 4)

S2(armv8_s2_4k, 12, false);
S2(armv8_s2_16k, 14, false);
S2(armv8_s2_64k, 16, false);
S2(armv8_s2_4k_lpa2, 12, true);
S2(armv8_s2_16k_lpa2, 14, true);
