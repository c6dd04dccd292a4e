/* SPDX-License-Identifier: MIT */
/*
 * Copies for what a device cannot reach or may not see, in direct mode: when there is one, which
 * way bytes flow at each call, and what happens where none can be had (facts "dma-api" 3.4, 3.5,
 * 7).
 */
#include "unit/api/machines.h"

#define HIGH	(8ULL * SZ_1G) /* RAM that 32 bits do not reach */
#define LOW	(256ULL * SZ_1M)
#define SLOT	2048u
#define POOL_MB 2

static int setup_with(void **state, struct dmasim_config config)
{
	struct rig *rig;

	config.size = sizeof(config);
	config.iommu = DMASIM_NO_IOMMU;
	if (!config.swiotlb_bytes)
		config.swiotlb_bytes = POOL_MB * SZ_1M;
	if (rig_setup_with(state, &config))
		return -1;
	rig = *state;
	expect_ok(dma_set_mask_and_coherent(&rig->nvme->dev, DMA_BIT_MASK(32)));
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, (struct dmasim_config){ .cpus = 1 });
}

static int setup_large(void **state)
{
	return setup_with(state, (struct dmasim_config){ .swiotlb_bytes = 64 * SZ_1M });
}

static int setup_forced(void **state)
{
	return setup_with(state, (struct dmasim_config){ .swiotlb = DMASIM_SWIOTLB_FORCE });
}

static int setup_off(void **state)
{
	return setup_with(state, (struct dmasim_config){ .swiotlb = DMASIM_SWIOTLB_OFF });
}

static int setup_restricted(void **state)
{
	return setup_with(state, (struct dmasim_config){ .traits.pool_bytes = SZ_1M });
}

static u64 used(struct rig *rig)
{
	return dmasim_bounce_use(rig->nvme).used;
}

static dma_addr_t map(struct rig *rig, phys_addr_t phys, size_t bytes, enum dma_data_direction dir)
{
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, phys, bytes, dir, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	return dma;
}

static void cpu_fills(struct rig *rig, phys_addr_t phys, u64 bytes, u64 seed)
{
	u8 data[SZ_4K];

	fill_pattern(data, bytes, seed);
	expect_u64(dmasim_write(rig->s, phys, data, bytes), bytes);
}

static void device_fills(struct rig *rig, dma_addr_t dma, u64 bytes, u64 seed)
{
	u8 data[SZ_4K];

	fill_pattern(data, bytes, seed);
	expect_done(dmasim_dev_write(rig->nvme, dma, data, bytes), bytes);
}

static void expect_cpu(struct rig *rig, phys_addr_t phys, u64 bytes, u64 seed)
{
	u8 data[SZ_4K];

	fill_pattern(data, bytes, seed);
	expect_bytes_at(rig->s, phys, data, bytes);
}

static void expect_device(struct rig *rig, dma_addr_t dma, u64 bytes, u64 seed)
{
	u8 data[SZ_4K], found[SZ_4K];

	fill_pattern(data, bytes, seed);
	expect_done(dmasim_dev_read(rig->nvme, dma, found, bytes), bytes);
	assert_memory_equal(found, data, bytes);
}

/* ---- When ------------------------------------------------------------------------------------ */

static void only_what_the_mask_does_not_reach_is_bounced(void **state)
{
	struct rig *rig = *state;
	dma_addr_t low = map(rig, LOW, SZ_4K, DMA_TO_DEVICE);
	dma_addr_t high;

	expect_u64(low, LOW);
	expect_u64(dmasim_bounce_use(rig->nvme).slots, 0);
	high = map(rig, HIGH, SZ_4K, DMA_TO_DEVICE);
	assert_true(high != HIGH && high + SZ_4K - 1 <= DMA_BIT_MASK(32));
	expect_u64(dmasim_bounce_use(rig->nvme).slots, POOL_MB * SZ_1M / SLOT);
	expect_u64(used(rig), 2);
	dma_unmap_phys(&rig->nvme->dev, low, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(used(rig), 2);
	dma_unmap_phys(&rig->nvme->dev, high, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(used(rig), 0);
	expect_u64(dmasim_bounce_use(rig->nvme).high_water, 2);
	dmasim_assert_clean(rig->s);
}

/* The last byte decides. */
static void a_buffer_that_ends_beyond_the_mask_is_bounced(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;

	expect_ok(dma_set_mask(&rig->disk->dev, DMA_BIT_MASK(33)));
	dma = dma_map_phys(&rig->disk->dev, HIGH - SZ_4K, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dma, HIGH - SZ_4K);
	dma_unmap_phys(&rig->disk->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dma = dma_map_phys(&rig->disk->dev, HIGH - SZ_4K, SZ_4K + 1, DMA_TO_DEVICE, 0);
	assert_true(dma < SZ_4G);
	dma_unmap_phys(&rig->disk->dev, dma, SZ_4K + 1, DMA_TO_DEVICE, 0);
	expect_u64(used(rig), 0);
	dmasim_assert_clean(rig->s);
}

static void the_copy_keeps_the_low_bits_that_the_device_asks_for(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma[8];

	dma_set_min_align_mask(&rig->nvme->dev, SZ_4K - 1);
	for (u32 i = 0; i < 8; i++) {
		dma[i] = map(rig, HIGH + i * SZ_64K + 519 * i, 3000, DMA_BIDIRECTIONAL);
		expect_u64(dma[i] & (SZ_4K - 1), (519 * i) & (SZ_4K - 1));
	}
	for (u32 i = 0; i < 8; i++) {
		device_fills(rig, dma[i], 3000, i);
		dma_unmap_phys(&rig->nvme->dev, dma[i], 3000, DMA_BIDIRECTIONAL, 0);
		expect_cpu(rig, HIGH + i * SZ_64K + 519 * i, 3000, i);
	}
	expect_u64(used(rig), 0);
	dmasim_assert_clean(rig->s);
}

/* ---- Which way ------------------------------------------------------------------------------- */

static void the_device_sees_what_the_cpu_wrote_before_the_map(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;

	cpu_fills(rig, HIGH + 77, 3000, 1);
	dma = map(rig, HIGH + 77, 3000, DMA_TO_DEVICE);
	expect_device(rig, dma, 3000, 1);
	/* Nothing comes back: what the CPU wrote since then stays, though it must not. */
	dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 1);
	cpu_fills(rig, HIGH + 77, 3000, 2);
	expect_device(rig, dma, 3000, 1);
	dma_unmap_phys(&rig->nvme->dev, dma, 3000, DMA_TO_DEVICE, 0);
	expect_cpu(rig, HIGH + 77, 3000, 2);
	dmasim_assert_clean(rig->s);
}

static void the_cpu_sees_what_the_device_wrote_after_the_unmap(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;

	for (u32 i = 0; i < 2; i++) {
		enum dma_data_direction dir = i ? DMA_FROM_DEVICE : DMA_BIDIRECTIONAL;

		cpu_fills(rig, HIGH, 3000, 1);
		dma = map(rig, HIGH, 3000, dir);
		device_fills(rig, dma, 3000, 2);
		expect_cpu(rig, HIGH, 3000, 1);
		dma_unmap_phys(&rig->nvme->dev, dma, 3000, dir, 0);
		expect_cpu(rig, HIGH, 3000, 2);
	}
	dmasim_assert_clean(rig->s);
}

/* The copy begins as the original, in every direction. */
static void what_the_device_leaves_out_stays(void **state)
{
	struct rig *rig = *state;
	u8 expected[3000];
	dma_addr_t dma;

	fill_pattern(expected, sizeof(expected), 1);
	expect_u64(dmasim_write(rig->s, HIGH, expected, sizeof(expected)), sizeof(expected));
	dma = dma_map_phys(&rig->nvme->dev, HIGH, 3000, DMA_FROM_DEVICE, DMA_ATTR_SKIP_CPU_SYNC);
	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	device_fills(rig, dma + 1000, 500, 2);
	dma_unmap_phys(&rig->nvme->dev, dma, 3000, DMA_FROM_DEVICE, 0);
	fill_pattern(expected + 1000, 500, 2);
	expect_bytes_at(rig->s, HIGH, expected, sizeof(expected));
	dmasim_assert_clean(rig->s);
}

static void an_unmap_that_skips_the_sync_copies_nothing_back(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;

	cpu_fills(rig, HIGH, 3000, 1);
	dma = map(rig, HIGH, 3000, DMA_BIDIRECTIONAL);
	device_fills(rig, dma, 3000, 2);
	dma_unmap_phys(&rig->nvme->dev, dma, 3000, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	expect_cpu(rig, HIGH, 3000, 1);
	expect_u64(used(rig), 0);
	dmasim_assert_clean(rig->s);
}

static void each_entry_of_a_list_has_its_own_copy(void **state)
{
	struct rig *rig = *state;
	struct scatterlist sg[4], *each;
	u32 i;

	sg_init_table(sg, 4);
	for (i = 0; i < 4; i++) {
		/* The third one is within reach. */
		phys_addr_t phys = i == 2 ? LOW : HIGH + i * SZ_4K;

		sg_set_page(&sg[i], dmasim_page(rig->s, phys), SZ_4K, 0);
		cpu_fills(rig, phys, SZ_4K, i);
	}
	expect_u64(dma_map_sg(&rig->nvme->dev, sg, 4, DMA_BIDIRECTIONAL), 4);
	expect_u64(used(rig), 6);
	expect_u64(sg_dma_address(&sg[2]), LOW);
	for_each_sg(sg, each, 4, i) {
		expect_u64(sg_dma_len(each), SZ_4K);
		expect_device(rig, sg_dma_address(each), SZ_4K, i);
		device_fills(rig, sg_dma_address(each), SZ_4K, 10 + i);
	}
	dma_sync_sg_for_cpu(&rig->nvme->dev, sg, 4, DMA_BIDIRECTIONAL);
	for (i = 0; i < 4; i++) {
		expect_cpu(rig, sg_phys(&sg[i]), SZ_4K, 10 + i);
		cpu_fills(rig, sg_phys(&sg[i]), SZ_4K, 20 + i);
	}
	dma_sync_sg_for_device(&rig->nvme->dev, sg, 4, DMA_BIDIRECTIONAL);
	for_each_sg(sg, each, 4, i) {
		expect_device(rig, sg_dma_address(each), SZ_4K, 20 + i);
		device_fills(rig, sg_dma_address(each), SZ_4K, 30 + i);
	}
	dma_unmap_sg(&rig->nvme->dev, sg, 4, DMA_BIDIRECTIONAL);
	for (i = 0; i < 4; i++)
		expect_cpu(rig, sg_phys(&sg[i]), SZ_4K, 30 + i);
	expect_u64(used(rig), 0);
	dmasim_assert_clean(rig->s);
}

/* ---- Where there is none --------------------------------------------------------------------- */

static void expect_no_mapping(struct rig *rig, phys_addr_t phys, size_t size, unsigned long attrs)
{
	expect_u64(dma_map_phys(&rig->nvme->dev, phys, size, DMA_TO_DEVICE, attrs),
		   DMA_MAPPING_ERROR);
	expect_u64(used(rig), 0);
}

static void who_must_not_be_bounced_overflows(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 2);
	expect_no_mapping(rig, HIGH, SZ_4K, DMA_ATTR_REQUIRE_COHERENT);
	expect_no_mapping(rig, HIGH, SZ_4K, DMA_ATTR_MMIO);
	expect_only(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 2);
}

static void without_a_pool_a_high_buffer_overflows(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
	expect_no_mapping(rig, HIGH, SZ_4K, 0);
	expect_only(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
	expect_u64(dmasim_bounce_use(rig->nvme).slots, 0);
}

/* A pool of 64 MiB lies below 4 GiB, not below 16 MiB. */
static void a_copy_that_is_out_of_reach_too_is_given_back(void **state)
{
	struct rig *rig = *state;

	expect_ok(dma_set_mask(&rig->nvme->dev, DMA_BIT_MASK(24)));
	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
	expect_no_mapping(rig, HIGH, SZ_4K, 0);
	expect_only(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
}

static void what_is_longer_than_a_segment_is_refused(void **state)
{
	struct rig *rig = *state;
	size_t most = dma_max_mapping_size(&rig->nvme->dev);
	dma_addr_t dma = map(rig, HIGH, most, DMA_TO_DEVICE);

	dma_unmap_phys(&rig->nvme->dev, dma, most, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_BOUNCE_FULL, 1);
	expect_no_mapping(rig, HIGH, most + 1, 0);
	expect_no_mapping(rig, HIGH, most + 1, DMA_ATTR_NO_WARN);
	expect_only(rig->s, DMASIM_REPORT_BOUNCE_FULL, 1);
}

static void a_full_pool_refuses_and_a_list_gives_back_its_part(void **state)
{
	struct rig *rig = *state;
	struct scatterlist sg[2];
	dma_addr_t dma[POOL_MB * 4];
	struct sg_table table = { .sgl = sg, .orig_nents = 2 };

	for (u32 i = 0; i < POOL_MB * 4; i++)
		dma[i] = map(rig, HIGH, i ? 256 * SZ_1K : 254 * SZ_1K, DMA_TO_DEVICE);
	sg_init_table(sg, 2);
	sg_set_page(&sg[0], dmasim_page(rig->s, HIGH), 1000, 0);
	sg_set_page(&sg[1], dmasim_page(rig->s, HIGH + SZ_4K), 1000, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_BOUNCE_FULL, 1);
	expect_error(dma_map_sgtable(&rig->nvme->dev, &table, DMA_TO_DEVICE, 0), -EIO);
	expect_u64(used(rig), POOL_MB * SZ_1M / SLOT - 1);
	for (u32 i = 0; i < POOL_MB * 4; i++)
		dma_unmap_phys(&rig->nvme->dev, dma[i], i ? 256 * SZ_1K : 254 * SZ_1K,
			       DMA_TO_DEVICE, 0);
	expect_u64(used(rig), 0);
	expect_only(rig->s, DMASIM_REPORT_BOUNCE_FULL, 1);
}

/* ---- Everything ------------------------------------------------------------------------------ */

static void where_it_is_forced_everything_is_bounced(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = map(rig, LOW + 5, 100, DMA_BIDIRECTIONAL);

	assert_true(dma != LOW + 5);
	expect_u64(used(rig), 1);
	device_fills(rig, dma, 100, 1);
	dma_unmap_phys(&rig->nvme->dev, dma, 100, DMA_BIDIRECTIONAL, 0);
	expect_cpu(rig, LOW + 5, 100, 1);
	/* Or refused, without a word. */
	expect_no_mapping(rig, LOW, SZ_4K, DMA_ATTR_REQUIRE_COHERENT);
	expect_no_mapping(rig, LOW, SZ_4K, DMA_ATTR_MMIO);
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_assert_clean(rig->s);
}

static void a_restricted_device_uses_its_own_pool_alone(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = map(rig, LOW, 3000, DMA_BIDIRECTIONAL);
	dma_addr_t other;

	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	other = dma_map_phys(&rig->disk->dev, LOW, 3000, DMA_BIDIRECTIONAL, 0);
	assert_true(dma != LOW && other != LOW && other != dma);
	expect_u64(dmasim_bounce_use(rig->nvme).slots, SZ_1M / SLOT);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 2);
	expect_u64(dmasim_bounce_use(rig->disk).used, 2);
	expect_u64(dmasim_bounce_use(rig->gpu).used, 0);
	device_fills(rig, dma, 3000, 1);
	dma_unmap_phys(&rig->disk->dev, other, 3000, DMA_BIDIRECTIONAL, 0);
	dma_unmap_phys(&rig->nvme->dev, dma, 3000, DMA_BIDIRECTIONAL, 0);
	expect_cpu(rig, LOW, 3000, 1);
	expect_no_mapping(rig, LOW, SZ_4K, DMA_ATTR_MMIO);
	dmasim_assert_clean(rig->s);
}

/* Sizes whose slots do not fit 32 bits, or whose end does not fit 64. */
static void sizes_beyond_all_slots_are_refused(void **state)
{
	static const size_t sizes[] = { ((size_t)1 << 43) + 2048, ~(size_t)0, ~(size_t)0 - 4095,
					256 * SZ_1K + 1 };
	struct rig *rig = *state;

	dmasim_suppress(rig->s, DMASIM_REPORT_BOUNCE_FULL);
	dmasim_suppress(rig->s, DMASIM_REPORT_BAD_ARGUMENT);
	for (u32 i = 0; i < 4; i++)
		expect_u64(dma_map_phys(&rig->nvme->dev, LOW, sizes[i], DMA_TO_DEVICE, 0),
			   DMA_MAPPING_ERROR);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 0);
	dmasim_assert_clean(rig->s);
}

/* Behind the end, in the buffer's last slot: nothing is copied, and it is told. */
static void a_sync_behind_the_end_copies_nothing(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	const u8 neighbour = 0x78;
	dma_addr_t dma;
	u8 found = 0;

	expect_u64(dmasim_write(rig->s, LOW + 200, &neighbour, 1), 1);
	dma = dma_map_phys(dev, LOW, 100, DMA_FROM_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, dma));
	dmasim_expect(rig->s, DMASIM_REPORT_BOUNCE_OVERRUN, 1);
	dma_sync_single_range_for_cpu(dev, dma, 200, 50, DMA_FROM_DEVICE);
	expect_u64(dmasim_read(rig->s, LOW + 200, &found, 1), 1);
	expect_u64(found, neighbour);
	dma_unmap_phys(dev, dma, 100, DMA_FROM_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_BOUNCE_OVERRUN, 1);
}

#define T(test) WITH_SETUP(test, setup)

TEST_MAIN(T(only_what_the_mask_does_not_reach_is_bounced),
	  T(a_buffer_that_ends_beyond_the_mask_is_bounced),
	  T(the_copy_keeps_the_low_bits_that_the_device_asks_for),
	  T(the_device_sees_what_the_cpu_wrote_before_the_map),
	  T(the_cpu_sees_what_the_device_wrote_after_the_unmap),
	  T(what_the_device_leaves_out_stays), T(an_unmap_that_skips_the_sync_copies_nothing_back),
	  T(each_entry_of_a_list_has_its_own_copy), T(who_must_not_be_bounced_overflows),
	  WITH_SETUP(without_a_pool_a_high_buffer_overflows, setup_off),
	  WITH_SETUP(a_copy_that_is_out_of_reach_too_is_given_back, setup_large),
	  T(what_is_longer_than_a_segment_is_refused),
	  T(a_full_pool_refuses_and_a_list_gives_back_its_part),
	  WITH_SETUP(where_it_is_forced_everything_is_bounced, setup_forced),
	  WITH_SETUP(sizes_beyond_all_slots_are_refused, setup_forced),
	  WITH_SETUP(a_sync_behind_the_end_copies_nothing, setup_forced),
	  WITH_SETUP(a_restricted_device_uses_its_own_pool_alone, setup_restricted))
