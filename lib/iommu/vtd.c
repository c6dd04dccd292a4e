/* SPDX-License-Identifier: MIT */
/*
 * VT-d: which commands the IOMMU core uses; how they are encoded: vtd_commands.c.
 */
#include "iommu/iommu.h"
#include "iommu/vtd_commands.h"

DMASIM_HOT static void vtd_range(struct iommu_batch *batch, const struct iommu_range *range)
{
	iommu_batch_add(batch, vtd_range_translations(batch->unit, range));
}

DMASIM_HOT static struct iommu_command vtd_wait(phys_addr_t phys, u32 value)
{
	return vtd_wait_for_all(phys, value, false);
}

/* The entry of one requester, as it was tagged when it was cached: by its domain. */
static struct iommu_command vtd_context(u16 requester, u32 tag)
{
	return vtd_device_context(requester, tag, 0);
}

static bool vtd_absent_context_cached(const struct iommu_unit *unit)
{
	return unit->hw->caching_mode;
}

const struct iommu_arch iommu_vtd = {
	.name = "vtd",
	.pgtable = &pgtable_vtdss,
	.range = vtd_range,
	.device_range = vtd_device_translations,
	.context = vtd_context,
	.wait = vtd_wait,
	.absent_context_cached = vtd_absent_context_cached,
};

#define RID_PASID 0

/* Requests without PASID are translated by the entry of this one. */
static struct iommu_command vtd_rid_pasid(u16 requester, u32 tag)
{
	(void)requester;
	return vtd_pasid(tag, RID_PASID);
}

static struct iommu_command vtd_leading_context(u16 requester)
{
	return vtd_device_context(requester, 0, 0);
}

/*
 * As the driver uses scalable mode: a second stage for each requester, or a first one, and no PASID
 * but that of requests without.
 */
const struct iommu_arch iommu_vtd_scalable = {
	.name = "vtd, scalable",
	.pgtable = &pgtable_vtdss,
	.range = vtd_range,
	.device_range = vtd_device_translations,
	.context = vtd_rid_pasid,
	.leading_context = vtd_leading_context,
	.wait = vtd_wait,
	.absent_context_cached = vtd_absent_context_cached,
};

/* Its translations are tagged with the PASID, too. */
static void vtd_first_stage_range(struct iommu_batch *batch, const struct iommu_range *range)
{
	iommu_batch_add(batch, vtd_pasid_range_translations(range, RID_PASID));
}

const struct iommu_arch iommu_vtd_first_stage = {
	.name = "vtd, first stage",
	.pgtable = &pgtable_x86_64,
	.first_stage = true,
	.features = PGTABLE_LOWER_HALF,
	.range = vtd_first_stage_range,
	.device_range = vtd_device_translations,
	.context = vtd_rid_pasid,
	.leading_context = vtd_leading_context,
	.wait = vtd_wait,
	.absent_context_cached = vtd_absent_context_cached,
};
