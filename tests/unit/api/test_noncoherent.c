/* SPDX-License-Identifier: MIT */
/*
 * A device that does not snoop: it sees memory, the CPU sees its cache, and only the DMA API brings
 * the two together. Behind an IOMMU and without (facts "dma-api" 3.4 to 3.7, 3.9).
 */
#include "unit/api/machines.h"

#define BYTES SZ_4K

static const struct dmasim_traits no_snoop = { .no_snoop = true };

static int setup_vtd(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .traits = no_snoop });
}

static int setup_direct(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .traits = no_snoop,
							      .iommu = DMASIM_NO_IOMMU });
}

static int setup_chance(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .traits = no_snoop,
							      .random_choices = true });
}

static dma_addr_t map(struct rig *rig, phys_addr_t phys, size_t bytes, enum dma_data_direction dir,
		      unsigned long attrs)
{
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, phys, bytes, dir, attrs);

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

/* seed 0: zeros, what new memory holds. */
static void expected_bytes(u8 *data, u64 bytes, u64 seed)
{
	if (seed)
		fill_pattern(data, bytes, seed);
	else
		memset(data, 0, bytes);
}

static void expect_cpu(struct rig *rig, phys_addr_t phys, u64 bytes, u64 seed)
{
	u8 data[SZ_4K];

	expected_bytes(data, bytes, seed);
	expect_bytes_at(rig->s, phys, data, bytes);
}

static void expect_device(struct rig *rig, dma_addr_t dma, u64 bytes, u64 seed)
{
	u8 data[SZ_4K], found[SZ_4K];

	expected_bytes(data, bytes, seed);
	expect_done(dmasim_dev_read(rig->nvme, dma, found, bytes), bytes);
	assert_memory_equal(found, data, bytes);
}

/* ---- One call -------------------------------------------------------------------------------- */

static void a_map_cleans_and_later_stores_need_a_sync(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, BYTES);
	dma_addr_t dma;

	cpu_fills(rig, phys, BYTES, 1);
	dma = map(rig, phys, BYTES, DMA_TO_DEVICE, 0);
	expect_device(rig, dma, BYTES, 1);
	dmasim_expect(rig->s, DMASIM_REPORT_CPU_WROTE, 2);
	cpu_fills(rig, phys, BYTES, 2);
	expect_device(rig, dma, BYTES, 1);
	dma_sync_single_for_device(&rig->nvme->dev, dma, BYTES, DMA_TO_DEVICE);
	expect_device(rig, dma, BYTES, 2);
	/* An unmap of what goes to the device drops nothing. */
	cpu_fills(rig, phys, BYTES, 3);
	dma_unmap_phys(&rig->nvme->dev, dma, BYTES, DMA_TO_DEVICE, 0);
	expect_cpu(rig, phys, BYTES, 3);
	dmasim_assert_clean(rig->s);
}

static void an_unmap_shows_what_the_device_wrote(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, BYTES);

	for (u32 i = 0; i < 2; i++) {
		enum dma_data_direction dir = i ? DMA_BIDIRECTIONAL : DMA_FROM_DEVICE;
		dma_addr_t dma = map(rig, phys, BYTES, dir, 0);

		device_fills(rig, dma, BYTES, 10 + i);
		expect_cpu(rig, phys, BYTES, i ? 10 : 0);
		dma_unmap_phys(&rig->nvme->dev, dma, BYTES, dir, 0);
		expect_cpu(rig, phys, BYTES, 10 + i);
	}
	dmasim_assert_clean(rig->s);
}

static void a_sync_for_the_cpu_shows_its_range_only(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, BYTES);
	dma_addr_t dma = map(rig, phys, BYTES, DMA_FROM_DEVICE, 0);

	device_fills(rig, dma + 1024, 512, 1);
	device_fills(rig, dma + 2048, 512, 2);
	dma_sync_single_range_for_cpu(&rig->nvme->dev, dma, 1024, 512, DMA_FROM_DEVICE);
	expect_cpu(rig, phys + 1024, 512, 1);
	expect_cpu(rig, phys + 2048, 512, 0);
	dma_sync_single_for_cpu(&rig->nvme->dev, dma, BYTES, DMA_FROM_DEVICE);
	expect_cpu(rig, phys + 2048, 512, 2);
	dma_unmap_phys(&rig->nvme->dev, dma, BYTES, DMA_FROM_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

static void who_skips_the_sync_sees_the_old(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, BYTES);
	dma_addr_t dma;

	cpu_fills(rig, phys, BYTES, 1);
	dma = map(rig, phys, BYTES, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	expect_device(rig, dma, BYTES, 0);
	dma_sync_single_for_device(&rig->nvme->dev, dma, BYTES, DMA_BIDIRECTIONAL);
	expect_device(rig, dma, BYTES, 1);
	device_fills(rig, dma, BYTES, 2);
	dma_unmap_phys(&rig->nvme->dev, dma, BYTES, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	expect_cpu(rig, phys, BYTES, 1);
	dmasim_assert_clean(rig->s);
}

/* Buffers of the program share cache lines with other data. */
static void the_neighbours_in_a_line_survive(void **state)
{
	struct rig *rig = *state;
	u8 *own = aligned_alloc(SZ_4K, SZ_4K), before[SZ_4K], sent[100];
	dma_addr_t dma;
	phys_addr_t phys;

	assert_non_null(own);
	phys = dmasim_adopt(rig->s, own, SZ_4K);
	assert_true(phys != DMASIM_NO_PHYS);
	fill_pattern(own, SZ_4K, 1);
	memcpy(before, own, SZ_4K);
	dma = map(rig, phys + 1000, 100, DMA_FROM_DEVICE, 0);
	device_fills(rig, dma, 100, 2);
	dma_unmap_phys(&rig->nvme->dev, dma, 100, DMA_FROM_DEVICE, 0);
	fill_pattern(sent, sizeof(sent), 2);
	assert_memory_equal(own, before, 1000);
	assert_memory_equal(own + 1000, sent, 100);
	assert_memory_equal(own + 1100, before + 1100, SZ_4K - 1100);
	dmasim_unadopt(rig->s, phys);
	free(own);
	dmasim_assert_clean(rig->s);
}

static void nothing_of_this_concerns_a_device_that_snoops(void **state)
{
	struct rig rig;
	phys_addr_t phys;
	dma_addr_t dma;
	u8 data[64] = { 1, 2, 3 }, found[64];

	(void)state;
	rig_init(&rig, NULL);
	phys = ram(&rig, BYTES);
	dma = dma_map_phys(&rig.nvme->dev, phys, BYTES, DMA_BIDIRECTIONAL, 0);
	expect_ok(dma_mapping_error(&rig.nvme->dev, dma));
	dma_sync_single_for_cpu(&rig.nvme->dev, dma, BYTES, DMA_BIDIRECTIONAL);
	expect_u64(dmasim_write(rig.s, phys, data, sizeof(data)), sizeof(data));
	dma_sync_single_for_device(&rig.nvme->dev, dma, BYTES, DMA_BIDIRECTIONAL);
	expect_done(dmasim_dev_read(rig.nvme, dma, found, sizeof(found)), sizeof(found));
	assert_memory_equal(found, data, sizeof(data));
	expect_both_ways(rig.s, rig.nvme, dma, phys, BYTES);
	dma_unmap_phys(&rig.nvme->dev, dma, BYTES, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig.s);
	rig_fini(&rig);
}

static void who_requires_coherence_is_refused_without_a_word(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, BYTES);
	struct scatterlist sg;
	struct sg_table table = { .sgl = &sg, .orig_nents = 1 };
	struct dma_iova_state iova;

	sg_init_table(&sg, 1);
	sg_set_page(&sg, dmasim_page(rig->s, phys), BYTES, 0);
	expect_u64(dma_map_phys(dev, phys, BYTES, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT),
		   DMA_MAPPING_ERROR);
	expect_error(dma_map_sgtable(dev, &table, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT),
		     -EOPNOTSUPP);
	expect_u64(dma_map_sg_attrs(dev, &sg, 1, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT), 0);
	if (dma_iova_try_alloc(dev, &iova, phys, BYTES)) {
		expect_error(dma_iova_link(dev, &iova, phys, 0, BYTES, DMA_TO_DEVICE,
					   DMA_ATTR_REQUIRE_COHERENT),
			     -EOPNOTSUPP);
		dma_iova_free(dev, &iova);
	}
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_assert_clean(rig->s);
}

/* A BAR is in no cache: each side sees the other at once. */
static void peer_memory_needs_no_sync(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->disk, 0);
	dma_addr_t dma = dma_map_resource(&rig->nvme->dev, bar, BYTES, DMA_BIDIRECTIONAL, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	expect_both_ways(rig->s, rig->nvme, dma, bar, BYTES);
	dma_unmap_resource(&rig->nvme->dev, dma, BYTES, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- Lists and two steps --------------------------------------------------------------------- */

static void a_list_is_cared_for_entry_by_entry(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, 8 * SZ_4K);
	struct scatterlist sg[4], *each;
	u32 i;

	sg_init_table(sg, 4);
	for (i = 0; i < 4; i++) {
		sg_set_page(&sg[i], dmasim_page(rig->s, phys + 2 * i * SZ_4K), 2000, 40);
		cpu_fills(rig, sg_phys(&sg[i]), 2000, 1 + i);
	}
	expect_u64(dma_map_sg(dev, sg, 4, DMA_BIDIRECTIONAL), 4);
	for_each_sg(sg, each, 4, i) {
		expect_device(rig, sg_dma_address(each), 2000, 1 + i);
		device_fills(rig, sg_dma_address(each), 2000, 11 + i);
		expect_cpu(rig, sg_phys(each), 2000, 1 + i);
	}
	dma_sync_sg_for_cpu(dev, sg, 4, DMA_BIDIRECTIONAL);
	for_each_sg(sg, each, 4, i) {
		expect_cpu(rig, sg_phys(each), 2000, 11 + i);
		cpu_fills(rig, sg_phys(each), 2000, 21 + i);
	}
	dma_sync_sg_for_device(dev, sg, 4, DMA_BIDIRECTIONAL);
	for_each_sg(sg, each, 4, i) {
		expect_device(rig, sg_dma_address(each), 2000, 21 + i);
		device_fills(rig, sg_dma_address(each), 2000, 31 + i);
	}
	dma_unmap_sg(dev, sg, 4, DMA_BIDIRECTIONAL);
	for (i = 0; i < 4; i++)
		expect_cpu(rig, sg_phys(&sg[i]), 2000, 31 + i);
	dmasim_assert_clean(rig->s);
}

static void a_link_cleans_and_an_unlink_invalidates(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, 2 * SZ_4K);
	struct dma_iova_state iova;

	cpu_fills(rig, phys, SZ_4K, 1);
	cpu_fills(rig, phys + SZ_4K, SZ_4K, 2);
	assert_true(dma_iova_try_alloc(dev, &iova, phys, 2 * SZ_4K));
	expect_ok(dma_iova_link(dev, &iova, phys, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_link(dev, &iova, phys + SZ_4K, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL,
				DMA_ATTR_SKIP_CPU_SYNC));
	expect_ok(dma_iova_sync(dev, &iova, 0, 2 * SZ_4K));
	expect_device(rig, iova.addr, SZ_4K, 1);
	expect_device(rig, iova.addr + SZ_4K, SZ_4K, 0);
	device_fills(rig, iova.addr, SZ_4K, 3);
	dma_iova_unlink(dev, &iova, 0, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_cpu(rig, phys, SZ_4K, 3);
	device_fills(rig, iova.addr + SZ_4K, SZ_4K, 4);
	dma_iova_unlink(dev, &iova, SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_SKIP_CPU_SYNC);
	expect_cpu(rig, phys + SZ_4K, SZ_4K, 2);
	dma_iova_free(dev, &iova);
	dmasim_assert_clean(rig->s);
}

/* ---- Chance ---------------------------------------------------------------------------------- */

/* Whatever leaves the cache on its own: who takes turns sees all. */
static void by_chance_taking_turns_is_enough(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, BYTES);

	for (u32 i = 0; i < 40; i++) {
		dma_addr_t dma;

		cpu_fills(rig, phys, BYTES, 100 + i);
		dma = map(rig, phys, BYTES, DMA_BIDIRECTIONAL, 0);
		expect_device(rig, dma, BYTES, 100 + i);
		device_fills(rig, dma, BYTES, 200 + i);
		dma_sync_single_for_cpu(dev, dma, BYTES, DMA_BIDIRECTIONAL);
		expect_cpu(rig, phys, BYTES, 200 + i);
		cpu_fills(rig, phys, BYTES, 300 + i);
		dma_sync_single_for_device(dev, dma, BYTES, DMA_BIDIRECTIONAL);
		expect_device(rig, dma, BYTES, 300 + i);
		device_fills(rig, dma, BYTES, 400 + i);
		dma_unmap_phys(dev, dma, BYTES, DMA_BIDIRECTIONAL, 0);
		expect_cpu(rig, phys, BYTES, 400 + i);
	}
	dmasim_assert_clean(rig->s);
}

#define IN_BOTH(test) WITH_SETUP(test, setup_vtd), WITH_SETUP(test, setup_direct)

TEST_MAIN(IN_BOTH(a_map_cleans_and_later_stores_need_a_sync),
	  IN_BOTH(an_unmap_shows_what_the_device_wrote),
	  IN_BOTH(a_sync_for_the_cpu_shows_its_range_only),
	  IN_BOTH(who_skips_the_sync_sees_the_old), IN_BOTH(the_neighbours_in_a_line_survive),
	  cmocka_unit_test(nothing_of_this_concerns_a_device_that_snoops),
	  IN_BOTH(who_requires_coherence_is_refused_without_a_word),
	  IN_BOTH(peer_memory_needs_no_sync), IN_BOTH(a_list_is_cared_for_entry_by_entry),
	  WITH_SETUP(a_link_cleans_and_an_unlink_invalidates, setup_vtd),
	  WITH_SETUP(by_chance_taking_turns_is_enough, setup_chance))
