/* SPDX-License-Identifier: MIT */
/*
 * AMD IOMMUs as an architecture: which commands a change needs (facts "iova-and-page-tables" 3.3
 * and 6.4).
 */
#include "iommu/amd.h"
#include "iommu/iommu.h"

#define FIRST_LEVELS 3

DMASIM_HOT static void amd_range(struct iommu_batch *batch, const struct iommu_range *range)
{
	const struct amd_pages pages = {
		.domain = (u16)range->domain,
		.start = range->start,
		.last = range->last,
		.tables = range->tables,
	};

	iommu_batch_add(batch, amd_invalidate_pages(&pages));
}

static struct iommu_command amd_device_range(const struct iommu_unit *unit,
					     const struct iommu_device_range *range)
{
	const struct amd_device_pages pages = {
		.device = range->requester,
		.queue = range->queue,
		.depth = (u8)range->depth,
		.start = range->start,
		.last = range->last,
	};

	(void)unit;
	return amd_invalidate_device_pages(&pages);
}

/* Of one device, whatever domain it named. */
static struct iommu_command amd_context(u16 requester, u32 tag)
{
	(void)tag;
	return amd_invalidate_device_entry(requester);
}

DMASIM_HOT static struct iommu_command amd_wait_for(phys_addr_t phys, u32 value)
{
	return amd_wait(phys, value);
}

/* An entry that blocks is as valid as others. */
static bool amd_absent_context_cached(const struct iommu_unit *unit)
{
	(void)unit;
	return true;
}

const struct iommu_arch iommu_amd = {
	.name = "amd",
	.pgtable = &pgtable_amdv1,
	.first_levels = FIRST_LEVELS,
	.range = amd_range,
	.device_range = amd_device_range,
	.context = amd_context,
	.wait = amd_wait_for,
	.absent_context_cached = amd_absent_context_cached,
	.first_piece = amd_first_piece,
};
