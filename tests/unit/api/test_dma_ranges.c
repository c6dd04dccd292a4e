/* SPDX-License-Identifier: MIT */
/*
 * Host bridges that take only some bus addresses for memory, elsewhere than the CPU has it; and
 * ways to a device that carry only low addresses (facts "dma-api" 2, 3.4, 20.1).
 *
 *   bus   256M [ 256 MiB ] ...  64G [ 1 GiB ]
 *                  |                    |
 *   phys  0    [ 256 MiB ]      8G  [ 1 GiB ]         the rest of RAM: no bus address
 */
#include "unit/api/machines.h"

#define LOW_BUS	   (256ULL * SZ_1M)
#define LOW_BYTES  (256ULL * SZ_1M)
#define HIGH_BUS   (64ULL * SZ_1G)
#define HIGH_PHYS  (8ULL * SZ_1G)
#define HIGH_BYTES SZ_1G
#define LOW_RAM	   (3ULL * SZ_64M) /* beyond the pool */
#define OUTSIDE	   (10ULL * SZ_1G)

static int setup_ranges(void **state, const struct dmasim_config *config)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct dmasim_host_bridge bridge = {
		.dma_range_count = 2,
		.dma_range = { { LOW_BUS, 0, LOW_BYTES }, { HIGH_BUS, HIGH_PHYS, HIGH_BYTES } },
	};

	if (!rig)
		return -1;
	*state = rig;
	rig->s = dmasim_create(config);
	expect_ok(dmasim_add_host_bridge(rig->s, &bridge));
	rig->nvme = dmasim_add_endpoint(rig->s, "00:01.0/00.0",
					&(struct dmasim_endpoint){ .bar = { SZ_16K } });
	rig->disk = dmasim_add_endpoint(rig->s, "00:02.0/00.0",
					&(struct dmasim_endpoint){ .bar = { SZ_16K } });
	assert_true(rig->nvme && rig->disk);
	expect_ok(dma_set_mask_and_coherent(&rig->nvme->dev, DMA_BIT_MASK(64)));
	return 0;
}

static int setup(void **state)
{
	return setup_ranges(state,
			    &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU });
}

static int setup_off(void **state)
{
	return setup_ranges(state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
							    .swiotlb = DMASIM_SWIOTLB_OFF });
}

static int setup_bug(void **state)
{
	return setup_ranges(state,
			    &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						     .bugs = DMASIM_BUG(MMIO_UNTRANSLATED) });
}

static int setup_vtd(void **state)
{
	return setup_ranges(state, &(struct dmasim_config){ DMASIM_CONFIG });
}

static int setup_limit(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){
					     DMASIM_CONFIG, .traits.bus_limit = DMA_BIT_MASK(32) });
}

static int setup_direct_limit(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .traits.bus_limit = DMA_BIT_MASK(32) });
}

static struct device *nvme(struct rig *rig)
{
	return &rig->nvme->dev;
}

static dma_addr_t map(struct rig *rig, phys_addr_t phys, size_t bytes)
{
	dma_addr_t dma = dma_map_phys(nvme(rig), phys, bytes, DMA_BIDIRECTIONAL, 0);

	expect_ok(dma_mapping_error(nvme(rig), dma));
	return dma;
}

static void unmap(struct rig *rig, dma_addr_t dma, size_t bytes)
{
	dma_unmap_phys(nvme(rig), dma, bytes, DMA_BIDIRECTIONAL, 0);
}

static bool in_low(dma_addr_t dma, u64 bytes)
{
	return dma >= LOW_BUS && dma + bytes <= LOW_BUS + LOW_BYTES;
}

static bool in_ranges(dma_addr_t dma, u64 bytes)
{
	return in_low(dma, bytes) || (dma >= HIGH_BUS && dma + bytes <= HIGH_BUS + HIGH_BYTES);
}

/* ---- Without an IOMMU ------------------------------------------------------------------------ */

static void memory_in_a_range_has_its_bus_address(void **state)
{
	struct rig *rig = *state;
	dma_addr_t low = map(rig, LOW_RAM + 5, 3000), high = map(rig, HIGH_PHYS + SZ_4K, SZ_64K);

	expect_u64(low, LOW_BUS + LOW_RAM + 5);
	expect_u64(high, HIGH_BUS + SZ_4K);
	expect_both_ways(rig->s, rig->nvme, low, LOW_RAM + 5, 3000);
	expect_both_ways(rig->s, rig->nvme, high, HIGH_PHYS + SZ_4K, SZ_64K);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 0);
	unmap(rig, low, 3000);
	unmap(rig, high, SZ_64K);
	dmasim_assert_clean(rig->s);
}

static void memory_in_no_range_is_bounced_into_one(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = map(rig, OUTSIDE, 3000);
	u8 sent[3000];

	assert_true(in_ranges(dma, 3000));
	expect_u64(dmasim_bounce_use(rig->nvme).used, 2);
	fill_pattern(sent, sizeof(sent), 1);
	expect_done(dmasim_dev_write(rig->nvme, dma, sent, 3000), 3000);
	dma_sync_single_for_cpu(nvme(rig), dma, 1000, DMA_BIDIRECTIONAL);
	expect_bytes_at(rig->s, OUTSIDE, sent, 1000);
	unmap(rig, dma, 3000);
	expect_bytes_at(rig->s, OUTSIDE, sent, 3000);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 0);
	dmasim_assert_clean(rig->s);
}

static void memory_in_no_range_overflows_without_a_pool(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
	expect_u64(dma_map_phys(nvme(rig), OUTSIDE, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	expect_only(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
}

static void each_entry_of_a_list_is_translated(void **state)
{
	struct rig *rig = *state;
	static const phys_addr_t phys[] = { LOW_RAM, HIGH_PHYS + SZ_1M, OUTSIDE };
	struct scatterlist sg[3];

	sg_init_table(sg, 3);
	for (u32 i = 0; i < 3; i++)
		sg_set_page(&sg[i], dmasim_page(rig->s, phys[i]), SZ_4K, 0);
	expect_u64(dma_map_sg(nvme(rig), sg, 3, DMA_BIDIRECTIONAL), 3);
	expect_u64(sg_dma_address(&sg[0]), LOW_BUS + LOW_RAM);
	expect_u64(sg_dma_address(&sg[1]), HIGH_BUS + SZ_1M);
	assert_true(in_ranges(sg_dma_address(&sg[2]), SZ_4K));
	expect_both_ways(rig->s, rig->nvme, sg_dma_address(&sg[1]), HIGH_PHYS + SZ_1M, SZ_4K);
	dma_unmap_sg(nvme(rig), sg, 3, DMA_BIDIRECTIONAL);
	dmasim_assert_clean(rig->s);
}

static void a_bus_address_in_no_range_reaches_nobody(void **state)
{
	static const dma_addr_t nowhere[] = {
		0,	 LOW_BUS - 1,  LOW_BUS + LOW_BYTES,  HIGH_PHYS,
		OUTSIDE, HIGH_BUS - 1, HIGH_BUS + HIGH_BYTES
	};
	struct rig *rig = *state;
	u8 byte = 0;

	dmasim_suppress(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST);
	for (u32 i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		expect_transfer(dmasim_dev_write(rig->nvme, nowhere[i], &byte, 1),
				DMASIM_UNSUPPORTED_REQUEST, 0);
	dmasim_assert_clean(rig->s);
}

/* Since 7.3; before that its address was taken for one of the bus. */
static void what_is_no_memory_is_translated_too(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->disk, 0);

	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
	expect_u64(dma_map_resource(nvme(rig), bar, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	expect_only(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
}

static void once_what_is_no_memory_was_not_translated(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->disk, 0);
	dma_addr_t dma = dma_map_resource(nvme(rig), bar, SZ_4K, DMA_TO_DEVICE, 0);

	expect_u64(dma, bar);
	dma_unmap_resource(nvme(rig), dma, SZ_4K, DMA_TO_DEVICE, 0);
}

static void shared_memory_lies_in_a_range(void **state)
{
	static const u32 bits[] = { 64, 40, 33, 32 };
	struct rig *rig = *state;

	for (u32 i = 0; i < 4; i++) {
		dma_addr_t dma;
		u8 *memory, found[100];

		expect_ok(dma_set_coherent_mask(nvme(rig), DMA_BIT_MASK(bits[i])));
		memory = dma_alloc_coherent(nvme(rig), SZ_64K, &dma, GFP_KERNEL);
		assert_non_null(memory);
		assert_true(in_ranges(dma, SZ_64K) && (bits[i] > 36 || in_low(dma, SZ_64K)));
		fill_pattern(memory, 100, i);
		expect_done(dmasim_dev_read(rig->nvme, dma, found, 100), 100);
		assert_memory_equal(found, memory, 100);
		dma_free_coherent(nvme(rig), SZ_64K, memory, dma);
	}
	dmasim_assert_clean(rig->s);
}

/* A mask of all ones does not help: some RAM has no bus address. */
static void a_device_that_ranges_keep_from_ram_is_limited(void **state)
{
	struct rig *rig = *state;

	assert_true(dma_addressing_limited(nvme(rig)));
	expect_u64(dma_max_mapping_size(nvme(rig)), 256 * SZ_1K);
}

/* ---- Behind an IOMMU ------------------------------------------------------------------------- */

static void iovas_lie_in_the_ranges_but_for_their_first_granules(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state taken[80];
	u32 count = 0;

	expect_ok(dma_set_mask(nvme(rig), DMA_BIT_MASK(32)));
	while (count < 80 && dma_iova_try_alloc(nvme(rig), &taken[count], 0, 4 * SZ_1M)) {
		assert_true(in_low(taken[count].addr, 4 * SZ_1M));
		assert_true(taken[count].addr != LOW_BUS);
		count++;
	}
	/* The first of 64 places is spoilt by its first granule. */
	expect_u64(count, 63);
	while (count--)
		dma_iova_free(nvme(rig), &taken[count]);
	dmasim_assert_clean(rig->s);
}

static void any_memory_is_reached_through_them(void **state)
{
	static const phys_addr_t phys[] = { LOW_RAM, HIGH_PHYS, OUTSIDE };
	struct rig *rig = *state;

	for (u32 i = 0; i < 3; i++) {
		dma_addr_t dma = map(rig, phys[i] + 7, SZ_16K);

		assert_true(in_ranges(dma, SZ_16K));
		expect_both_ways(rig->s, rig->nvme, dma, phys[i] + 7, SZ_16K);
		unmap(rig, dma, SZ_16K);
	}
	dmasim_assert_clean(rig->s);
}

/* ---- The way's own limit --------------------------------------------------------------------- */

static void addresses_stay_below_the_limit_of_the_way(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = map(rig, OUTSIDE, 3000), shared;
	void *memory = dma_alloc_coherent(nvme(rig), SZ_16K, &shared, GFP_KERNEL);
	u8 sent[3000];

	expect_u64(dma_get_mask(nvme(rig)), DMA_BIT_MASK(64));
	assert_true(dma + 2999 <= DMA_BIT_MASK(32));
	assert_non_null(memory);
	assert_true(shared + SZ_16K - 1 <= DMA_BIT_MASK(32));
	fill_pattern(sent, sizeof(sent), 1);
	expect_done(dmasim_dev_write(rig->nvme, dma, sent, 3000), 3000);
	unmap(rig, dma, 3000);
	expect_bytes_at(rig->s, OUTSIDE, sent, 3000);
	dma_free_coherent(nvme(rig), SZ_16K, memory, shared);
	dmasim_assert_clean(rig->s);
}

#define T(test) WITH_SETUP(test, setup)

TEST_MAIN(T(memory_in_a_range_has_its_bus_address), T(memory_in_no_range_is_bounced_into_one),
	  WITH_SETUP(memory_in_no_range_overflows_without_a_pool, setup_off),
	  T(each_entry_of_a_list_is_translated), T(a_bus_address_in_no_range_reaches_nobody),
	  T(what_is_no_memory_is_translated_too),
	  WITH_SETUP(once_what_is_no_memory_was_not_translated, setup_bug),
	  T(shared_memory_lies_in_a_range), T(a_device_that_ranges_keep_from_ram_is_limited),
	  WITH_SETUP(iovas_lie_in_the_ranges_but_for_their_first_granules, setup_vtd),
	  WITH_SETUP(any_memory_is_reached_through_them, setup_vtd),
	  WITH_SETUP(addresses_stay_below_the_limit_of_the_way, setup_limit),
	  WITH_SETUP(addresses_stay_below_the_limit_of_the_way, setup_direct_limit))
