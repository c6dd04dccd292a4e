/* SPDX-License-Identifier: MIT */
/*
 * One call per mapping: dma_map_phys() and dma_unmap_phys(), behind VT-d and without an IOMMU.
 */
#include "unit/api/machines.h"
#include "unit/api/plain_iova.h"

/* ---- What goes through the mapping ----------------------------------------------------------- */

static void data_goes_both_ways_through_a_mapping(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_64K, DMA_BIDIRECTIONAL, 0);

	expect_ok(dma_mapping_error(dev, dma));
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_64K);
	dma_unmap_phys(dev, dma, SZ_64K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/*
 *   granules  |-------|-------|
 *   buffer        [......]          it starts at 0xa34 and crosses into the second granule
 */
static void the_offset_in_the_granule_is_kept(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K) + 0xa34;
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	expect_u64(dma & (SZ_4K - 1), 0xa34);
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void one_byte_at_the_end_of_a_granule_maps(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K) + SZ_4K - 1;
	dma_addr_t dma = dma_map_phys(dev, buf, 1, DMA_BIDIRECTIONAL, 0);

	expect_u64(dma & (SZ_4K - 1), SZ_4K - 1);
	expect_both_ways(rig->s, rig->nvme, dma, buf, 1);
	dma_unmap_phys(dev, dma, 1, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void many_sizes_and_offsets_map_and_move_data(void **state)
{
	static const u64 sizes[] = { 1, 511, SZ_4K, SZ_4K + 1, 3 * SZ_4K, SZ_64K - 1, SZ_2M + 5 };
	static const u64 offsets[] = { 0, 1, 0x7ff, SZ_4K - 1, SZ_4K };
	struct rig *rig = *state;
	struct device *dev = &rig->disk->dev;
	phys_addr_t buf = ram(rig, SZ_2M + SZ_64K);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t k = 0; k < sizeof(offsets) / sizeof(offsets[0]); k++) {
			phys_addr_t phys = buf + offsets[k];
			dma_addr_t dma = dma_map_phys(dev, phys, sizes[i], DMA_BIDIRECTIONAL, 0);

			expect_u64(dma & (SZ_4K - 1), phys & (SZ_4K - 1));
			expect_both_ways(rig->s, rig->disk, dma, phys, sizes[i]);
			dma_unmap_phys(dev, dma, sizes[i], DMA_BIDIRECTIONAL, 0);
		}
	}
	dmasim_assert_clean(rig->s);
}

static void without_an_iommu_the_address_is_the_physical_one(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K) + 5;

	expect_u64(dma_map_phys(dev, buf, 100, DMA_TO_DEVICE, 0), buf);
	dma_unmap_phys(dev, buf, 100, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

static void two_mappings_of_one_buffer_have_different_iovas(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t first = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma_addr_t second;

	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	second = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(first != second);
	expect_both_ways(rig->s, rig->nvme, first, buf, SZ_4K);
	dma_unmap_phys(dev, first, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_both_ways(rig->s, rig->nvme, second, buf, SZ_4K);
	dma_unmap_phys(dev, second, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* Facts 6.2: a block is aligned to the power of two that its pages round up to. */
static void iovas_are_naturally_aligned(void **state)
{
	static const u64 pages[] = { 1, 2, 3, 4, 5, 17, 512, 513 };
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	phys_addr_t big = ram(rig, 2 * SZ_2M);

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		u64 bytes = pages[i] * SZ_4K, aligned = SZ_4K;
		dma_addr_t one = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
		dma_addr_t dma = dma_map_phys(dev, big, bytes, DMA_TO_DEVICE, 0);

		while (aligned < bytes)
			aligned *= 2;
		expect_u64(dma & (aligned - 1), 0);
		dma_unmap_phys(dev, one, SZ_4K, DMA_TO_DEVICE, 0);
		dma_unmap_phys(dev, dma, bytes, DMA_TO_DEVICE, 0);
	}
	dmasim_assert_clean(rig->s);
}

/* ---- What the mapping does not give ---------------------------------------------------------- */

/*
 *   granules  |-------|-------|-------|
 *   buffer            [..]              the rest of its granule is in reach, the next is not
 */
static void the_granule_around_a_buffer_is_in_reach_and_no_more(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	dma_addr_t dma = dma_map_phys(dev, buf + SZ_4K, 16, DMA_BIDIRECTIONAL, 0);
	u8 byte = 1;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_BEYOND, 1);
	expect_done(dmasim_dev_write(rig->nvme, dma + SZ_4K - 1, &byte, 1), 1);
	expect_bytes_at(rig->s, buf + 2 * SZ_4K - 1, &byte, 1);

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 4);
	expect_refused(rig->nvme, dma - 1);
	expect_refused(rig->nvme, dma + SZ_4K);
	dma_unmap_phys(dev, dma, 16, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void a_transfer_that_runs_off_the_mapping_stops_at_its_last_granule(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	/* Takes the highest granule, so that the next mapping does not end at the end of all. */
	dma_addr_t top = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	dma_addr_t dma = dma_map_phys(dev, buf, 2 * SZ_4K, DMA_FROM_DEVICE, 0);
	u8 sent[3 * SZ_4K];
	struct dmasim_transfer transfer;

	fill_pattern(sent, sizeof(sent), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	transfer = dmasim_dev_write(rig->nvme, dma, sent, sizeof(sent));
	expect_transfer(transfer, DMASIM_IOMMU_FAULT, 2 * SZ_4K);
	expect_u64(transfer.at, dma + 2 * SZ_4K);
	expect_u64(transfer.reason, VTD_FAULT_WRITE);
	expect_bytes_at(rig->s, buf, sent, 2 * SZ_4K);
	dma_unmap_phys(dev, dma, 2 * SZ_4K, DMA_FROM_DEVICE, 0);
	dma_unmap_phys(dev, top, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

static void a_mapping_to_the_device_refuses_its_writes(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	static const u8 zeros[16];
	u8 ones[16];
	struct dmasim_transfer transfer;

	memset(ones, 0xff, sizeof(ones));
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
	transfer = dmasim_dev_write(rig->nvme, dma, ones, sizeof(ones));
	expect_transfer(transfer, DMASIM_IOMMU_FAULT, 0);
	expect_u64(transfer.at, dma);
	expect_u64(transfer.reason, VTD_FAULT_WRITE);
	expect_bytes_at(rig->s, buf, zeros, sizeof(zeros));
	expect_read_sees(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
}

static void a_mapping_from_the_device_refuses_its_reads(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	u8 byte = 0x5a;
	struct dmasim_transfer transfer;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
	transfer = dmasim_dev_read(rig->nvme, dma, &byte, 1);
	expect_transfer(transfer, DMASIM_IOMMU_FAULT, 0);
	expect_u64(transfer.reason, VTD_FAULT_READ);
	expect_u64(byte, 0x5a);
	expect_write_lands(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
}

/* Without an IOMMU nothing stops the device; the checker sees it all the same (facts 15, M16). */
static void without_an_iommu_a_write_against_the_direction_lands(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
	expect_write_lands(rig->s, rig->nvme, dma, buf, 64);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
}

/* The disk is below another root port, so it has a domain of its own. */
static void a_mapping_is_for_its_device_alone(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 2);
	expect_refused(rig->disk, dma);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void after_unmap_the_device_is_refused(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_2M);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_2M, DMA_BIDIRECTIONAL, 0);

	/* Brings the translations into the cache first. */
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_64K);
	dma_unmap_phys(dev, dma, SZ_2M, DMA_BIDIRECTIONAL, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 4);
	expect_refused(rig->nvme, dma);
	expect_refused(rig->nvme, dma + SZ_2M - 1);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 4);
}

/* Strict: one invalidation in each unmap, none in a map (facts 14). */
static void each_unmap_invalidates_before_it_returns(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	u64 before, between;
	dma_addr_t dma;

	dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	before = dmasim_costs(rig->s).invalidations;
	dma = dma_map_phys(dev, buf, SZ_64K, DMA_TO_DEVICE, 0);
	between = dmasim_costs(rig->s).invalidations;
	dma_unmap_phys(dev, dma, SZ_64K, DMA_TO_DEVICE, 0);

	expect_u64(between, before);
	expect_u64(dmasim_costs(rig->s).invalidations, between + 1);
	dmasim_assert_clean(rig->s);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

static void a_direction_that_does_not_exist_is_refused_and_reported(void **state)
{
	static const int directions[] = { DMA_NONE, 4, 7, -1 };
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);

	for (size_t i = 0; i < 4; i++) {
		enum dma_data_direction dir = (enum dma_data_direction)directions[i];

		dmasim_expect(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
		expect_u64(dma_map_phys(dev, buf, SZ_4K, dir, 0), DMA_MAPPING_ERROR);
	}
	expect_only(rig->s, DMASIM_REPORT_BAD_DIRECTION, 4);
}

static void a_bad_direction_at_unmap_is_reported_and_unmaps_nothing(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_NONE, 0);
	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
}

static void a_device_without_a_mask_maps_nothing(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);

	dev->dma_mask = NULL;
	dmasim_expect(rig->s, DMASIM_REPORT_NO_DMA_MASK, 1);
	expect_u64(dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	expect_only(rig->s, DMASIM_REPORT_NO_DMA_MASK, 1);
}

static void the_error_value_is_enomem_and_every_other_address_is_fine(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	expect_error(dma_mapping_error(dev, DMA_MAPPING_ERROR), -ENOMEM);
	expect_ok(dma_mapping_error(dev, 0));
	expect_ok(dma_mapping_error(dev, DMA_MAPPING_ERROR - 1));
	expect_u64(DMA_MAPPING_ERROR, ~0ULL);
}

/* Physical addresses have at most 52 bits in an entry; the kernel's page table refuses this one. */
static void an_address_beyond_the_page_table_is_refused(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;

	dma_addr_t first = dma_map_phys(dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);

	dma_unmap_phys(dev, first, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dma_map_phys(dev, 1ULL << 60, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	/* The IOVA of the attempt is free again: it is the next to be given out. */
	expect_u64(dma_map_phys(dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0), first);
	dma_unmap_phys(dev, first, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

static void when_memory_for_tables_runs_out_the_map_fails_and_keeps_nothing(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	u64 tables, nodes;
	dma_addr_t dma;

	/* The first mapping starts the machine and makes the tables; the next one needs others. */
	dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	tables = dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE);
	nodes = dmasim_in_use(rig->s, DMASIM_FAULT_IOVA_NODE);
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(31)));

	dmasim_fail(rig->s, DMASIM_FAULT_TABLE_PAGE, 1);
	expect_u64(dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	expect_u64(dmasim_failures(rig->s), 1);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE), tables);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_IOVA_NODE), nodes);
	/* The highest page below the mask was not lost. */
	dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dma, DMA_BIT_MASK(31) - SZ_4K + 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* An allocator that takes memory for each range, and one try with it. */
static int setup_own_allocator(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .forcedac = true,
							      .iova_ops = &plain_iova });
}

static void when_an_iova_record_cannot_be_had_the_map_fails(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);

	dmasim_fail(rig->s, DMASIM_FAULT_IOVA_NODE, 1);
	expect_u64(dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	expect_u64(dmasim_failures(rig->s), 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* Linux's allocator empties its caches and tries again, whatever the failure was. */
static void one_iova_record_that_cannot_be_had_is_survived(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma[1000];
	u32 count = 0;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	dma[count++] = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_fail(rig->s, DMASIM_FAULT_IOVA_NODE, 1);
	while (!dmasim_failures(rig->s)) {
		assert_true(count < 1000);
		dma[count] = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
		expect_ok(dma_mapping_error(dev, dma[count++]));
	}
	while (count)
		dma_unmap_phys(dev, dma[--count], SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(IN_BOTH_MODES(data_goes_both_ways_through_a_mapping),
	  IN_BOTH_MODES(the_offset_in_the_granule_is_kept),
	  IN_BOTH_MODES(one_byte_at_the_end_of_a_granule_maps),
	  IN_BOTH_MODES(many_sizes_and_offsets_map_and_move_data),
	  WITHOUT_IOMMU(without_an_iommu_the_address_is_the_physical_one),
	  BEHIND_VTD(two_mappings_of_one_buffer_have_different_iovas),
	  BEHIND_VTD(iovas_are_naturally_aligned),
	  BEHIND_VTD(the_granule_around_a_buffer_is_in_reach_and_no_more),
	  BEHIND_VTD(a_transfer_that_runs_off_the_mapping_stops_at_its_last_granule),
	  BEHIND_VTD(a_mapping_to_the_device_refuses_its_writes),
	  BEHIND_VTD(a_mapping_from_the_device_refuses_its_reads),
	  WITHOUT_IOMMU(without_an_iommu_a_write_against_the_direction_lands),
	  BEHIND_VTD(a_mapping_is_for_its_device_alone),
	  BEHIND_VTD(after_unmap_the_device_is_refused),
	  BEHIND_VTD(each_unmap_invalidates_before_it_returns),
	  IN_BOTH_MODES(a_direction_that_does_not_exist_is_refused_and_reported),
	  IN_BOTH_MODES(a_bad_direction_at_unmap_is_reported_and_unmaps_nothing),
	  IN_BOTH_MODES(a_device_without_a_mask_maps_nothing),
	  IN_BOTH_MODES(the_error_value_is_enomem_and_every_other_address_is_fine),
	  BEHIND_VTD(an_address_beyond_the_page_table_is_refused),
	  BEHIND_VTD(when_memory_for_tables_runs_out_the_map_fails_and_keeps_nothing),
	  WITH_SETUP(when_an_iova_record_cannot_be_had_the_map_fails, setup_own_allocator),
	  BEHIND_VTD(one_iova_record_that_cannot_be_had_is_survived))
