/* SPDX-License-Identifier: MIT */
/*
 * What the Armv8 formats share (facts "iova-and-page-tables" 2.4): two stages, three granules, and
 * with LPA2 wider addresses. A *kind* is one such combination; each is a format of its own, so that
 * the compiler folds what is constant in it.
 *
 *   granule | index bits | leaves                | contiguous
 *      4K   |     9      |  4K,  2M,  1G (512G)  | 16 of each
 *     16K   |    11      | 16K, 32M,     (64G)   | 128 of 16K, 32 of 32M
 *     64K   |    13      | 64K, 512M,    (4T)    | 32 of each
 *
 * In brackets: with LPA2, or with more than 48 address bits.
 */
#ifndef PGTABLE_ARMV8_H
#define PGTABLE_ARMV8_H

#include <dmasim/contract.h>
#include <dmasim/hw/arm.h>
#include <dmasim/pgtable/define_ops.h>

#include "pgtable/formats.h"

struct arm_kind {
	u8 granule_lg2;
	bool lpa2;
};

/* ---- Addresses -------------------------------------------------------- */

/* Where the bits of an address are that do not fit where all the others are. */
PT_INLINE u64 arm_put(struct arm_kind kind, phys_addr_t phys)
{
	if (kind.granule_lg2 == 16)
		return (phys & ((1ULL << ARM_ADDR_TOP) - 1)) |
		       phys >> ARM_ADDR_TOP << ARM_64K_HIGH_SHIFT;
	if (kind.lpa2)
		return (phys & ((1ULL << ARM_LPA2_TOP) - 1)) | phys >> ARM_LPA2_TOP
									       << ARM_LPA2_SHIFT;
	return phys;
}

PT_INLINE phys_addr_t arm_get(struct arm_kind kind, u64 entry)
{
	u64 granule = 1ULL << kind.granule_lg2;
	u64 low = (1ULL << (kind.lpa2 ? ARM_LPA2_TOP : ARM_ADDR_TOP)) - granule;

	if (kind.granule_lg2 == 16)
		return (entry & low) | (entry >> ARM_64K_HIGH_SHIFT & ARM_64K_HIGH_MASK)
					       << ARM_ADDR_TOP;
	if (kind.lpa2)
		return (entry & low) | (entry >> ARM_LPA2_SHIFT & ARM_LPA2_MASK) << ARM_LPA2_TOP;
	return entry & low;
}

/* ---- Descriptors ------------------------------------------------------ */

PT_INLINE bool arm_is_table(u64 entry, u8 level)
{
	return level && (entry & ARM_DESC_TABLE);
}

/* log2 of how many leaves of a level are one, with the contiguous bit; 0: there is no such bit. */
PT_INLINE u8 arm_contiguous_lg2(struct arm_kind kind, u8 level)
{
	if (kind.granule_lg2 == 12)
		return 4;
	if (kind.granule_lg2 == 14)
		return level > 1 ? 0 : level ? 5 : 7;
	return 5;
}

PT_INLINE u8 arm_level_lg2(struct arm_kind kind, u8 level)
{
	return (u8)(kind.granule_lg2 + (kind.granule_lg2 - 3) * level);
}

PT_INLINE u8 arm_leaf_lg2(struct arm_kind kind, u64 entry, u8 level)
{
	return arm_level_lg2(kind, level) +
	       (entry & ARM_CONTIGUOUS ? arm_contiguous_lg2(kind, level) : 0);
}

/* The type of a leaf, and whether it is one of many. */
PT_INLINE u64 arm_leaf_kind(struct arm_kind kind, u8 lg2)
{
	u8 above = (lg2 - kind.granule_lg2) % (kind.granule_lg2 - 3);
	u64 entry = ARM_DESC_VALID | ARM_AF;

	if (lg2 < arm_level_lg2(kind, 1))
		entry |= ARM_DESC_TABLE;
	return above ? entry | ARM_CONTIGUOUS : entry;
}

/* With LPA2 it is the translation control register's to say. */
PT_INLINE u64 arm_shareability(struct arm_kind kind, u32 prot)
{
	if (kind.lpa2)
		return 0;
	return (prot & IOMMU_CACHE ? ARM_SH_INNER : ARM_SH_OUTER) << ARM_SH_SHIFT;
}

/* What an MMIO leaf keeps of a cacheable request: with LPA2 an address stands there. */
PT_INLINE bool arm_is_inner(struct arm_kind kind, u64 entry)
{
	return !kind.lpa2 && (entry >> ARM_SH_SHIFT & ARM_SH_INNER) == ARM_SH_INNER;
}

/* ---- Sizes ------------------------------------------------------------ */

/* How many levels have leaves. */
static inline u8 arm_leaf_levels(struct arm_kind kind, const struct pgtable *pt)
{
	u8 levels = kind.granule_lg2 == 12 ? 3 : 2;

	if (kind.lpa2 || (kind.granule_lg2 == 16 && pt->pa_bits > ARM_ADDR_TOP))
		levels++;
	return levels < pt->levels ? levels : pt->levels;
}

/* An address has 48 bits, or 52; the top of a table may have more entries than that takes. */
static inline u8 arm_va_bits_max(struct arm_kind kind)
{
	return kind.lpa2 || kind.granule_lg2 == 16 ? 52 : ARM_ADDR_TOP;
}

/* As many levels as such an address takes. */
static inline u8 arm_levels_max(struct arm_kind kind)
{
	u8 levels = 1;

	while (arm_level_lg2(kind, levels) < arm_va_bits_max(kind))
		levels++;
	return levels;
}

static inline u64 arm_sizes(struct arm_kind kind, const struct pgtable *pt)
{
	u64 sizes = 0;

	for (u8 level = 0; level < arm_leaf_levels(kind, pt); level++) {
		u8 lg2 = arm_level_lg2(kind, level);
		u8 many_lg2 = lg2 + arm_contiguous_lg2(kind, level);

		sizes |= 1ULL << lg2;
		if (pt->features & PGTABLE_CONTIGUOUS && many_lg2 < pt->va_bits)
			sizes |= 1ULL << many_lg2;
	}
	return sizes & (pt->va_bits < 64 ? (1ULL << pt->va_bits) - 1 : ~0ULL);
}

static inline int arm_init(struct arm_kind kind, const struct pt_format *format, struct pgtable *pt,
			   const struct pgtable_config *config)
{
	u8 most = arm_va_bits_max(kind); /* of a physical address, too */
	int err;

	DMASIM_CONTRACT(config->levels >= 1 && config->levels <= arm_levels_max(kind),
			"no more levels than an address takes");
	DMASIM_CONTRACT(config->pa_bits <= most, "a physical address fits into a descriptor");
	err = pt_init(format, pt, config);
	if (pt->va_bits > most)
		pt->va_bits = most;
	pt_set_sizes(format, pt, config, arm_sizes(kind, pt));
	return err;
}

/*
 * One format: STAGE_leaf(), STAGE_table() and STAGE_prot() take the kind first. `name` is that of
 * its pgtable_ops.
 */
#define ARM_DEFINE_FORMAT(name, stage, granule, with_lpa2, ...)                                 \
	static const struct arm_kind name##_kind = { granule, with_lpa2 };                      \
	static u64 name##_leaf(const struct pgtable *pt, phys_addr_t phys, u32 prot, u8 lg2)    \
	{                                                                                       \
		return stage##_leaf(name##_kind, pt, phys, prot, lg2);                          \
	}                                                                                       \
	static u64 name##_table(const struct pgtable *pt, phys_addr_t phys, u8 level)           \
	{                                                                                       \
		(void)level;                                                                    \
		return stage##_table(name##_kind, pt, phys);                                    \
	}                                                                                       \
	static phys_addr_t name##_address(const struct pgtable *pt, u64 entry)                  \
	{                                                                                       \
		(void)pt;                                                                       \
		return arm_get(name##_kind, entry);                                             \
	}                                                                                       \
	static u32 name##_prot(const struct pgtable *pt, u64 entry)                             \
	{                                                                                       \
		(void)pt;                                                                       \
		return stage##_prot(name##_kind, entry);                                        \
	}                                                                                       \
	static u8 name##_leaf_lg2(u64 entry, u8 level)                                          \
	{                                                                                       \
		return arm_leaf_lg2(name##_kind, entry, level);                                 \
	}                                                                                       \
	static const struct pt_format name = { .granule_lg2 = (granule),                        \
					       .index_lg2 = (granule)-3,                        \
					       .items_differ = true,                            \
					       .many = ARM_CONTIGUOUS,                          \
					       .flushed = ARM_SW_FLUSHED,                       \
					       .straight_lg2 = (with_lpa2)	 ? ARM_LPA2_TOP \
							       : (granule) == 16 ? ARM_ADDR_TOP \
										 : 0,           \
					       .leaf = name##_leaf,                             \
					       .table = name##_table,                           \
					       .is_table = arm_is_table,                        \
					       .address = name##_address,                       \
					       .leaf_lg2 = name##_leaf_lg2,                     \
					       .prot = name##_prot,                             \
					       __VA_ARGS__ };                                   \
	static int name##_init(struct pgtable *pt, const struct pgtable_config *config)         \
	{                                                                                       \
		return arm_init(name##_kind, &name, pt, config);                                \
	}                                                                                       \
	PT_DEFINE_OPS(name)

#endif
