/* SPDX-License-Identifier: MIT */
/*
 * What a driver can ask of a device's mode, before and after mappings (facts "dma-api" 2, 3.9 to
 * 3.11).
 */
#include "unit/api/machines.h"

#define HIGH	(8ULL * SZ_1G)
#define LOW_RAM (3ULL * SZ_64M) /* beyond the pool */
#define SEGMENT (256u * SZ_1K)

struct expected {
	struct dmasim_config config;
	u32 mask_bits;
	unsigned int align_mask;
	size_t max, opt;
	bool limited, need_unmap;
	unsigned long merge;
	u32 required_bits;
};

#define DIRECT .iommu = DMASIM_NO_IOMMU

/* 16 GiB of RAM end at 19 GiB: 35 bits. */
static const struct expected table[] = {
	{ { DIRECT }, 64, 0, SIZE_MAX, SIZE_MAX, false, false, 0, 35 },
	{ { DIRECT }, 35, 0, SIZE_MAX, SIZE_MAX, false, false, 0, 35 },
	{ { DIRECT }, 34, 0, SEGMENT, SEGMENT, true, false, 0, 35 },
	{ { DIRECT }, 32, 0xfff, SEGMENT - SZ_4K, SEGMENT - SZ_4K, true, false, 0, 35 },
	{ { DIRECT }, 32, 0x1ff, SEGMENT - 2048, SEGMENT - 2048, true, false, 0, 35 },
	{ { DIRECT, .swiotlb = DMASIM_SWIOTLB_OFF },
	  32,
	  0,
	  SIZE_MAX,
	  SIZE_MAX,
	  true,
	  false,
	  0,
	  35 },
	{ { DIRECT, .swiotlb = DMASIM_SWIOTLB_FORCE },
	  64,
	  0,
	  SEGMENT,
	  SEGMENT,
	  false,
	  false,
	  0,
	  35 },
	{ { DIRECT, .traits.pool_bytes = SZ_1M }, 64, 0, SEGMENT, SEGMENT, false, false, 0, 35 },
	{ { DIRECT, .traits.bus_limit = 0xffffffff }, 64, 0, SEGMENT, SEGMENT, true, false, 0, 35 },
	{ { DIRECT, .traits.no_snoop = true }, 64, 0, SIZE_MAX, SIZE_MAX, false, true, 0, 35 },
	{ { DIRECT, .dma_debug = true }, 64, 0, SIZE_MAX, SIZE_MAX, false, true, 0, 35 },
	{ { DIRECT, .ram_bytes = SZ_256M }, 32, 0, SIZE_MAX, SIZE_MAX, false, false, 0, 28 },
	{ { .policy = DMASIM_PASS_THROUGH }, 64, 0, SIZE_MAX, SIZE_MAX, false, false, 0, 35 },
	{ { .policy = DMASIM_PASS_THROUGH }, 32, 0, SEGMENT, SEGMENT, true, false, 0, 35 },
	{ { .policy = DMASIM_STRICT }, 64, 0, SIZE_MAX, 32 * SZ_4K, false, true, 4095, 32 },
	{ { .policy = DMASIM_LAZY }, 32, 0, SIZE_MAX, 32 * SZ_4K, false, true, 4095, 32 },
	{ { .policy = DMASIM_STRICT }, 31, 0, SIZE_MAX, 32 * SZ_4K, true, true, 4095, 32 },
	{ { .traits.untrusted = true },
	  64,
	  0xfff,
	  SEGMENT - SZ_4K,
	  32 * SZ_4K,
	  false,
	  true,
	  4095,
	  32 },
	{ { .traits.bus_limit = 0x3fffffff }, 64, 0, SIZE_MAX, 32 * SZ_4K, true, true, 4095, 32 },
};

static void each_mode_has_its_answers(void **state)
{
	(void)state;
	for (u32 i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct expected *is = &table[i];
		struct dmasim_config config = is->config;
		struct device *dev;
		struct rig rig;

		config.size = sizeof(config);
		rig_init(&rig, &config);
		dev = &rig.nvme->dev;
		expect_ok(dma_set_mask(dev, DMA_BIT_MASK(is->mask_bits)));
		dma_set_min_align_mask(dev, is->align_mask);
		expect_u64(dma_max_mapping_size(dev), is->max);
		expect_u64(dma_opt_mapping_size(dev), is->opt);
		expect_u64(dma_addressing_limited(dev), is->limited);
		expect_u64(dma_need_unmap(dev), is->need_unmap);
		expect_u64(dma_get_merge_boundary(dev), is->merge);
		expect_u64(dma_get_required_mask(dev), DMA_BIT_MASK(is->required_bits));
		expect_u64(dmasim_report_count(rig.s), 0);
		rig_fini(&rig);
	}
}

/* The longest is indeed possible, and in direct mode one byte more is not. */
static void the_longest_mapping_can_be_had(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	size_t most;
	dma_addr_t dma;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	dma_set_min_align_mask(dev, 0xfff);
	most = dma_max_mapping_size(dev);
	for (u32 i = 0; i < 5; i++) {
		dma = dma_map_phys(dev, HIGH + i * 1023, most, DMA_TO_DEVICE, 0);
		expect_ok(dma_mapping_error(dev, dma));
		expect_u64(dma & 0xfff, i * 1023);
		dma_unmap_phys(dev, dma, most, DMA_TO_DEVICE, 0);
	}
	expect_u64(dma_map_phys(dev, HIGH + 0xfff, most + SZ_4K, DMA_TO_DEVICE, DMA_ATTR_NO_WARN),
		   DMA_MAPPING_ERROR);
	dmasim_assert_clean(rig->s);
}

static void without_a_mask_nothing_can_be_mapped(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	dev->dma_mask = NULL;
	expect_u64(dma_max_mapping_size(dev), 0);
	expect_u64(dma_opt_mapping_size(dev), 0);
	expect_u64(dma_get_mask(dev), DMA_BIT_MASK(32));
}

/* Syncs and unmaps do nothing for a device that snoops: until something was bounced. */
static void the_first_bounce_makes_syncs_and_unmaps_needed(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t low, high;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	low = dma_map_phys(dev, LOW_RAM, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(low, LOW_RAM);
	assert_false(dma_need_unmap(dev));
	assert_false(dma_need_sync(dev, low));
	high = dma_map_phys(dev, HIGH, SZ_4K, DMA_TO_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, high));
	assert_true(dma_need_unmap(dev));
	assert_false(dma_need_sync(dev, low));
	assert_true(dma_need_sync(dev, high));
	/* Another device is not concerned. */
	assert_false(dma_need_unmap(&rig->disk->dev));
	dma_unmap_phys(dev, high, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, low, SZ_4K, DMA_TO_DEVICE, 0);
	/* It stays so until a driver sets the mask again. */
	assert_true(dma_need_unmap(dev));
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	assert_false(dma_need_unmap(dev));
	assert_false(dma_need_sync(dev, low));
	dmasim_assert_clean(rig->s);
}

static int setup_no_snoop(void **state)
{
	return rig_setup_with(
		state, &(struct dmasim_config){ DMASIM_CONFIG, DIRECT, .traits.no_snoop = true });
}

static int setup_debug(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .dma_debug = true });
}

static int setup_untrusted(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .traits.untrusted = true });
}

static void who_does_not_snoop_or_is_debugged_needs_all_syncs(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, LOW_RAM, SZ_4K, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(dev, dma));
	assert_true(dma_need_sync(dev, dma));
	assert_true(dma_need_unmap(dev));
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* Behind an IOMMU nobody looks which mapping it is. */
static void behind_an_iommu_one_copy_makes_every_sync_needed(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t whole = dma_map_phys(dev, LOW_RAM, SZ_4K, DMA_TO_DEVICE, 0), part;

	expect_ok(dma_mapping_error(dev, whole));
	assert_false(dma_need_sync(dev, whole));
	part = dma_map_phys(dev, LOW_RAM + SZ_4K, 100, DMA_TO_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, part));
	assert_true(dma_need_sync(dev, part));
	assert_true(dma_need_sync(dev, whole));
	dma_unmap_phys(dev, part, 100, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, whole, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(cmocka_unit_test(each_mode_has_its_answers),
	  WITHOUT_IOMMU(the_longest_mapping_can_be_had),
	  IN_BOTH_MODES(without_a_mask_nothing_can_be_mapped),
	  WITHOUT_IOMMU(the_first_bounce_makes_syncs_and_unmaps_needed),
	  WITH_SETUP(who_does_not_snoop_or_is_debugged_needs_all_syncs, setup_no_snoop),
	  WITH_SETUP(who_does_not_snoop_or_is_debugged_needs_all_syncs, setup_debug),
	  WITH_SETUP(behind_an_iommu_one_copy_makes_every_sync_needed, setup_untrusted))
