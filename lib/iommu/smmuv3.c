/* SPDX-License-Identifier: MIT */
/*
 * SMMUv3 units as an architecture: which commands a change needs. The choice is Linux's (facts
 * "iova-and-page-tables" 3.4).
 *
 * A unit with range support takes all of a range in a few commands, and hears of the leaves' level
 * if there is but one. One without takes an address at a time; beyond as many as a table of the
 * size's own width has entries, all of the address space goes.
 */
#include "iommu/smmuv3.h"
#include "iommu/iommu.h"

#define INDEX_BITS 9

static u8 level_lg2(u32 level)
{
	return (u8)(PAGE_SHIFT + INDEX_BITS * level);
}

static bool is_everything(const struct iommu_range *range)
{
	return !range->start && range->last == ~0ULL;
}

static bool is_one_level(u32 levels)
{
	return levels && !(levels & (levels - 1));
}

/* As few as there are 5 bits of a number of pages that are not all 0. */
static void add_ranges(struct iommu_batch *batch, const struct iommu_range *range)
{
	u64 count = ((range->last - range->start) >> PAGE_SHIFT) + 1;
	struct smmuv3_pages pages = {
		.asid = (u16)range->domain,
		.address = range->start,
		.granule_lg2 = PAGE_SHIFT,
		.level = SMMUV3_ANY_LEVEL,
		.tables = range->tables,
	};

	if (!range->tables && is_one_level(range->leaf_levels))
		pages.level = (u8)__builtin_ctz(range->leaf_levels);
	while (count) {
		smmuv3_next_pages(&pages, &count);
		iommu_batch_add(batch, smmuv3_forget_pages(&pages));
		pages.address += (u64)pages.num << (pages.scale + PAGE_SHIFT);
	}
}

/* One for each of the smallest leaves, or tables, that have changed. */
static void add_addresses(struct iommu_batch *batch, const struct iommu_range *range)
{
	u32 levels = range->leaf_levels | range->table_levels;
	u8 lg2 = level_lg2(levels ? (u32)__builtin_ctz(levels) : 0);
	u64 count = ((range->last - range->start) >> lg2) + 1;

	if (count >= 1ULL << (lg2 - 3)) {
		iommu_batch_add(batch, smmuv3_forget_asid((u16)range->domain));
		return;
	}
	for (u64 i = 0; i < count; i++)
		iommu_batch_add(batch,
				smmuv3_forget_address((u16)range->domain, range->start + (i << lg2),
						      range->tables));
}

DMASIM_HOT static void smmuv3_range(struct iommu_batch *batch, const struct iommu_range *range)
{
	if (is_everything(range))
		iommu_batch_add(batch, smmuv3_forget_asid((u16)range->domain));
	else if (batch->unit->hw->forgets_ranges)
		add_ranges(batch, range);
	else
		add_addresses(batch, range);
}

static struct iommu_command smmuv3_device_range(const struct iommu_unit *unit,
						const struct iommu_device_range *range)
{
	(void)unit;
	return smmuv3_forget_in_device(range->requester, range->start, range->last);
}

/* Of one stream, whatever domain its context named. */
static struct iommu_command smmuv3_context(u16 requester, u32 tag)
{
	(void)tag;
	return smmuv3_forget_stream(requester);
}

/* The facts say so of what translates alone. The unit is told of each change, as by Linux. */
static bool smmuv3_absent_context_cached(const struct iommu_unit *unit)
{
	(void)unit;
	return true;
}

const struct iommu_arch iommu_smmuv3 = {
	.name = "smmuv3",
	.pgtable = &pgtable_armv8_s1_4k,
	.range = smmuv3_range,
	.device_range = smmuv3_device_range,
	.context = smmuv3_context,
	.wait = smmuv3_sync,
	.absent_context_cached = smmuv3_absent_context_cached,
	.commands_overtake = true,
};
