/* SPDX-License-Identifier: MIT */
/*
 * Masks and limits: what a device can put on the bus, behind VT-d and without an IOMMU (facts 2,
 * 6.2).
 */
#include "unit/api/machines.h"

/* Takes ranges of `bytes` below a mask until there are none; returns how many. */
static u32 fill(struct device *dev, u64 bytes, struct dma_iova_state *taken, u32 room, u64 last)
{
	u32 count = 0;

	for (; count < room; count++) {
		if (!dma_iova_try_alloc(dev, &taken[count], 0, bytes))
			break;
		assert_true(taken[count].addr >= SZ_4K);
		assert_true(taken[count].addr + bytes - 1 <= last);
		for (u32 i = 0; i < count; i++)
			assert_true(taken[i].addr != taken[count].addr);
	}
	return count;
}

static void give_back(struct device *dev, struct dma_iova_state *taken, u32 count)
{
	while (count--)
		dma_iova_free(dev, &taken[count]);
}

static void the_mask_is_what_was_set(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	for (int bits = 32; bits <= 64; bits++) {
		expect_ok(dma_set_mask(dev, DMA_BIT_MASK(bits)));
		expect_u64(dma_get_mask(dev), DMA_BIT_MASK(bits));
	}
}

/* State is the machine alone: rig_init() sets masks. */
static int setup_bare(void **state)
{
	*state = dmasim_create(NULL);
	return *state ? 0 : -1;
}

static int teardown_bare(void **state)
{
	return dmasim_destroy(*state) ? -1 : 0;
}

static void a_fresh_device_has_a_32_bit_mask(void **state)
{
	struct pci_dev *pdev =
		dmasim_add_endpoint(*state, "00:03.0/00.0", &(struct dmasim_endpoint){ 0 });

	expect_u64(dma_get_mask(&pdev->dev), DMA_BIT_MASK(32));
}

static void a_device_without_a_mask_refuses_one_and_counts_as_32_bits(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	dev->dma_mask = NULL;
	expect_error(dma_set_mask(dev, DMA_BIT_MASK(64)), -EIO);
	expect_u64(dma_get_mask(dev), DMA_BIT_MASK(32));
}

static void behind_an_iommu_every_mask_is_accepted(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	for (int bits = 13; bits <= 64; bits++)
		expect_ok(dma_set_mask(dev, DMA_BIT_MASK(bits)));
}

/* Facts 2: a small mask need only reach what is kept for such devices, the first 16 MiB. */
static void without_an_iommu_a_small_mask_must_reach_16_mib(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	expect_error(dma_set_mask(dev, DMA_BIT_MASK(23)), -EIO);
	expect_error(dma_set_mask(dev, 0), -EIO);
	expect_u64(dma_get_mask(dev), DMA_BIT_MASK(64));
	for (int bits = 24; bits <= 32; bits++)
		expect_ok(dma_set_mask(dev, DMA_BIT_MASK(bits)));
}

static int setup_small_direct(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .ram_bytes = 8 * SZ_1M });
}

/* 8 MiB at 0: 23 bits reach its last byte, 22 do not. */
static void without_an_iommu_a_mask_that_covers_a_small_ram_is_accepted(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(23)));
	expect_error(dma_set_mask(dev, DMA_BIT_MASK(22)), -EIO);
	expect_u64(dma_get_mask(dev), DMA_BIT_MASK(23));
}

static void iovas_stay_below_every_mask(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);

	for (int bits = 20; bits <= 64; bits++) {
		dma_addr_t dma;

		expect_ok(dma_set_mask(dev, DMA_BIT_MASK(bits)));
		dma = dma_map_phys(dev, buf, SZ_64K, DMA_BIDIRECTIONAL, 0);
		expect_ok(dma_mapping_error(dev, dma));
		assert_true(dma + SZ_64K - 1 <= DMA_BIT_MASK(bits));
		expect_both_ways(rig->s, rig->nvme, dma, buf, 64);
		dma_unmap_phys(dev, dma, SZ_64K, DMA_BIDIRECTIONAL, 0);
	}
	dmasim_assert_clean(rig->s);
}

/* Without a try below 4 GiB the first of each mask is in its upper half. */
static void iovas_use_every_mask(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	for (int bits = 33; bits <= 44; bits++) {
		struct dma_iova_state st;

		expect_ok(dma_set_mask(dev, DMA_BIT_MASK(bits)));
		assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_64M));
		assert_true(st.addr + SZ_64M - 1 <= DMA_BIT_MASK(bits));
		assert_true(st.addr >= DMA_BIT_MASK(bits - 1));
		dma_iova_free(dev, &st);
	}
	dmasim_assert_clean(rig->s);
}

/*
 *   0      64K                                1M
 *   |--x---|------|------| ..... |------|------|      x: page 0 is never given out, so the first
 *                                                     64 KiB are not free as a whole
 */
static void a_20_bit_space_has_room_for_15_times_64K(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state taken[20];
	u32 count;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(20)));
	count = fill(dev, SZ_64K, taken, 20, DMA_BIT_MASK(20));
	expect_u64(count, 15);
	expect_u64(dma_map_phys(dev, ram(rig, SZ_64K), SZ_64K, DMA_TO_DEVICE, 0),
		   DMA_MAPPING_ERROR);
	give_back(dev, taken, count);
	expect_u64(fill(dev, SZ_64K, taken, 20, DMA_BIT_MASK(20)), 15);
	give_back(dev, taken, 15);
	dmasim_assert_clean(rig->s);
}

static void a_20_bit_space_has_255_pages_and_page_0_is_none_of_them(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state taken[300];
	u32 count;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(20)));
	count = fill(dev, SZ_4K, taken, 300, DMA_BIT_MASK(20));
	give_back(dev, taken, count);
	expect_u64(count, 255);
	dmasim_assert_clean(rig->s);
}

/* A mask need not be a power of two minus 1. */
static void an_odd_mask_is_honoured_to_the_page(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state taken[8];
	u32 count;

	expect_ok(dma_set_mask(dev, 6 * SZ_4K - 1));
	count = fill(dev, SZ_4K, taken, 8, 6 * SZ_4K - 1);
	give_back(dev, taken, count);
	/* Pages 1 to 5. */
	expect_u64(count, 5);
	dmasim_assert_clean(rig->s);
}

static void a_mask_below_one_page_leaves_no_space(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;

	expect_ok(dma_set_mask(dev, SZ_4K - 1));
	assert_false(dma_iova_try_alloc(dev, &st, 0, 1));
	dmasim_assert_clean(rig->s);
}

static void the_bus_limit_counts_like_a_mask_behind_an_iommu(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state taken[20];
	u32 count;

	dev->bus_dma_limit = DMA_BIT_MASK(20);
	count = fill(dev, SZ_64K, taken, 20, DMA_BIT_MASK(20));
	give_back(dev, taken, count);
	expect_u64(count, 15);
	/* The smaller of both decides. */
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(18)));
	count = fill(dev, SZ_64K, taken, 20, DMA_BIT_MASK(18));
	give_back(dev, taken, count);
	expect_u64(count, 3);
	dmasim_assert_clean(rig->s);
}

/*
 *   phys   0 ......... limit|limit+1
 *   buffer         [......]             the last byte may be the limit, not the one after it
 *                   [......]
 */
static void without_an_iommu_the_last_byte_decides(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);

	dev->bus_dma_limit = buf + SZ_4K - 1;
	expect_u64(dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0), buf);
	dma_unmap_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
	expect_u64(dma_map_phys(dev, buf + 1, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	expect_only(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
}

static int setup_no_bounce(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .swiotlb = DMASIM_SWIOTLB_OFF });
}

/*
 * RAM from 4 GiB up exists: a 32-bit device with neither an IOMMU nor a bounce pool cannot be given
 * it.
 */
static void without_an_iommu_a_32_bit_device_cannot_have_high_ram(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t start = 0, high = 0;
	u64 bytes;

	for (u32 i = 0; dmasim_ram(rig->s, i, &start, &bytes); i++)
		high = start;
	assert_true(high >= SZ_4G);
	expect_u64(dma_map_phys(dev, high, SZ_4K, DMA_TO_DEVICE, 0), high);
	dma_unmap_phys(dev, high, SZ_4K, DMA_TO_DEVICE, 0);

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 2);
	expect_u64(dma_map_phys(dev, high, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	expect_u64(dma_map_page(dev, dmasim_page(rig->s, high), 0, SZ_4K, DMA_TO_DEVICE),
		   DMA_MAPPING_ERROR);
	expect_only(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 2);
}

/* The same buffer is no trouble behind an IOMMU. */
static void behind_an_iommu_a_32_bit_device_can_have_high_ram(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	dma = dma_map_phys(dev, SZ_4G, SZ_64K, DMA_BIDIRECTIONAL, 0);
	assert_true(dma + SZ_64K - 1 <= DMA_BIT_MASK(32));
	expect_both_ways(rig->s, rig->nvme, dma, SZ_4G, SZ_64K);
	dma_unmap_phys(dev, dma, SZ_64K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static int setup_3_levels(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu_levels = 3 });
}

/* Three levels translate 39 bits; a larger mask does not help. */
static void three_levels_end_at_39_bits(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	assert_true(dma + SZ_4K - 1 <= DMA_BIT_MASK(39));
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void the_largest_range_of_three_levels_is_less_than_all_of_it(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;

	assert_false(dma_iova_try_alloc(dev, &st, 0, 1ULL << 39));
	assert_true(dma_iova_try_alloc(dev, &st, 0, 1ULL << 37));
	dma_iova_free(dev, &st);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(IN_BOTH_MODES(the_mask_is_what_was_set),
	  cmocka_unit_test_setup_teardown(a_fresh_device_has_a_32_bit_mask, setup_bare,
					  teardown_bare),
	  IN_BOTH_MODES(a_device_without_a_mask_refuses_one_and_counts_as_32_bits),
	  BEHIND_VTD(behind_an_iommu_every_mask_is_accepted),
	  WITHOUT_IOMMU(without_an_iommu_a_small_mask_must_reach_16_mib),
	  WITH_SETUP(without_an_iommu_a_mask_that_covers_a_small_ram_is_accepted,
		     setup_small_direct),
	  BEHIND_VTD(iovas_stay_below_every_mask),
	  WITH_SETUP(iovas_use_every_mask, rig_setup_forcedac),
	  BEHIND_VTD(a_20_bit_space_has_room_for_15_times_64K),
	  BEHIND_VTD(a_20_bit_space_has_255_pages_and_page_0_is_none_of_them),
	  BEHIND_VTD(an_odd_mask_is_honoured_to_the_page),
	  BEHIND_VTD(a_mask_below_one_page_leaves_no_space),
	  BEHIND_VTD(the_bus_limit_counts_like_a_mask_behind_an_iommu),
	  WITHOUT_IOMMU(without_an_iommu_the_last_byte_decides),
	  WITH_SETUP(without_an_iommu_a_32_bit_device_cannot_have_high_ram, setup_no_bounce),
	  BEHIND_VTD(behind_an_iommu_a_32_bit_device_can_have_high_ram),
	  WITH_SETUP(three_levels_end_at_39_bits, setup_3_levels),
	  WITH_SETUP(the_largest_range_of_three_levels_is_less_than_all_of_it, setup_3_levels))
