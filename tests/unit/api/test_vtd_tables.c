/* SPDX-License-Identifier: MIT */
/*
 * A machine with VT-d tables of other shapes than usual: five levels of a second stage, and first
 * stages in scalable mode (facts "iova-and-page-tables" 2.2, 2.3, 3.2).
 */
#include "support/rig.h"

/* The highest byte of so many levels; of a first stage in the lower half. */
static u64 last_of(u8 levels, bool first_stage)
{
	return (1ULL << (12 + 9 * levels - first_stage)) - 1;
}

/* From the top of the space down: the first mapping makes tables of all levels. */
static void use_last_page(u8 levels, bool first_stage, bool incoherent)
{
	const struct dmasim_config config = {
		DMASIM_CONFIG,
		.iommu_levels = levels,
		.iommu_scalable = first_stage,
		.iommu_first_stage = first_stage,
		.iommu_incoherent = incoherent,
		.walk_entries = 16,
		.pasid_entries = 1,
		.forcedac = true,
	};
	struct rig rig;
	phys_addr_t buf;
	dma_addr_t dma;
	u64 before;
	u8 byte = 7;

	rig_init(&rig, &config);
	before = dmasim_in_use(rig.s, DMASIM_FAULT_TABLE_PAGE);
	buf = dmasim_alloc(rig.s, SZ_4K);
	dma = dma_map_phys(&rig.nvme->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_u64(dma | 0xfff, last_of(levels, first_stage));
	expect_u64(dmasim_in_use(rig.s, DMASIM_FAULT_TABLE_PAGE) - before, levels - 1U);
	expect_done(dmasim_dev_write(rig.nvme, dma + 0xfff, &byte, 1), 1);
	expect_u64(dmasim_costs(rig.s).walk_reads, levels);
	expect_u64(*(u8 *)dmasim_ptr(rig.s, buf + 0xfff, 1), 7);
	dma_unmap_phys(&rig.nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_expect(rig.s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	assert_int_equal(dmasim_dev_write(rig.nvme, dma, &byte, 1).status, DMASIM_IOMMU_FAULT);
	dmasim_free(rig.s, buf, SZ_4K);
	dmasim_assert_clean(rig.s);
	rig_fini(&rig);
}

static void every_depth_is_used_up_to_its_last_page(void **state)
{
	(void)state;
	for (u8 levels = 3; levels <= 5; levels++) {
		for (int incoherent = 0; incoherent < 2; incoherent++) {
			use_last_page(levels, false, incoherent);
			if (levels > 3)
				use_last_page(levels, true, incoherent);
		}
	}
}

TEST_MAIN(cmocka_unit_test(every_depth_is_used_up_to_its_last_page))
