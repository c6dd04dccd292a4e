/* SPDX-License-Identifier: MIT */
/*
 * RISC-V IOMMUs as an architecture: which commands a change needs. The choice is Linux's (facts
 * "iova-and-page-tables" 3.5, the last paragraph).
 */
#include "iommu/iommu.h"
#include "iommu/riscv.h"

#define INDEX_BITS 9
#define MANY	   512 /* pages of one size: beyond it all of the address space is less */

/*
 * log2 of the pages that commands for one address each would name: the smallest of what has
 * changed. 0: nobody knows.
 */
static u8 stride_lg2(const struct iommu_range *range)
{
	u32 levels = range->leaf_levels | range->table_levels;

	return levels ? (u8)(PAGE_SHIFT + INDEX_BITS * __builtin_ctz(levels)) : 0;
}

/* One command for each page. False: there are none, or too many. */
static bool add_pages(struct iommu_batch *batch, const struct iommu_range *range, u8 lg2)
{
	struct riscv_space space = { range->domain, range->tables, range->start, PAGE_SHIFT };
	u64 count = ((range->last - range->start) >> lg2) +
		    !(~(range->last - range->start) & ((1ULL << lg2) - 1));

	if (!count || count > MANY)
		return false;
	for (; count; count--, space.start += 1ULL << lg2)
		iommu_batch_add(batch, riscv_forget_window(&space));
	return true;
}

DMASIM_HOT static void riscv_range(struct iommu_batch *batch, const struct iommu_range *range)
{
	const struct platform_iommu *hw = batch->unit->hw;
	u8 window_lg2 = iommu_window_lg2(range->start, range->last);
	u8 lg2 = stride_lg2(range);
	struct riscv_space window = { range->domain, range->tables, range->start, window_lg2 };

	if ((range->tables && !hw->forgets_tables) || !lg2 || window_lg2 == 64)
		iommu_batch_add(batch, riscv_forget_space(range->domain));
	else if (hw->forgets_windows && window_lg2 > PAGE_SHIFT)
		iommu_batch_add(batch, riscv_forget_window(&window));
	else if (!add_pages(batch, range, lg2))
		iommu_batch_add(batch, riscv_forget_space(range->domain));
}

static struct iommu_command riscv_device_range(const struct iommu_unit *unit,
					       const struct iommu_device_range *range)
{
	(void)unit;
	return riscv_forget_in_device(range->requester, range->start, range->last);
}

/* Of one device, whatever domain it named. */
static struct iommu_command riscv_context(u16 requester, u32 tag)
{
	(void)tag;
	return riscv_forget_device(requester);
}

static bool riscv_absent_context_cached(const struct iommu_unit *unit)
{
	(void)unit;
	return false;
}

static u32 riscv_features(const struct platform_iommu *hw)
{
	return (hw->napot ? PGTABLE_NAPOT : 0) | (hw->page_types ? PGTABLE_PBMT : 0);
}

const struct iommu_arch iommu_riscv = {
	.name = "riscv",
	.pgtable = &pgtable_riscv,
	.features = PGTABLE_LOWER_HALF,
	.features_of = riscv_features,
	.range = riscv_range,
	.device_range = riscv_device_range,
	.context = riscv_context,
	.wait = riscv_fence,
	.absent_context_cached = riscv_absent_context_cached,
	.commands_overtake = true,
};
