/* SPDX-License-Identifier: MIT */
/*
 * dma_sync_ calls on copies: they move what they name, in the direction that the mapping lets bytes
 * flow, and nothing else (facts "dma-api" 3.9, 7.4); and links whose ends are copies (5.3, 5.5).
 */
#include "unit/api/machines.h"

#define BYTES 3000 /* of a buffer that begins and ends in the middle of a granule */
#define AT    500

/* Everything is copied: without an IOMMU; behind one, for a device that is not trusted. */
static int setup_forced(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .swiotlb = DMASIM_SWIOTLB_FORCE });
}

static int setup_untrusted(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .traits.untrusted = true,
						       .cpus = 1, .swiotlb_bytes = SZ_1M });
}

/* One buffer: what each side is known to hold, byte by byte. */
struct buffer {
	struct rig *rig;
	struct device *dev;
	phys_addr_t phys;
	dma_addr_t dma;
	u8 cpu[BYTES];
	u8 copy[BYTES];
};

static void expect_sides(struct buffer *b)
{
	u8 found[BYTES];

	expect_bytes_at(b->rig->s, b->phys, b->cpu, BYTES);
	expect_done(dmasim_dev_read(b->rig->nvme, b->dma, found, BYTES), BYTES);
	assert_memory_equal(found, b->copy, BYTES);
}

static void cpu_fills(struct buffer *b, u64 seed)
{
	fill_pattern(b->cpu, BYTES, seed);
	expect_u64(dmasim_write(b->rig->s, b->phys, b->cpu, BYTES), BYTES);
}

static void device_fills(struct buffer *b, u64 seed)
{
	fill_pattern(b->copy, BYTES, seed);
	expect_done(dmasim_dev_write(b->rig->nvme, b->dma, b->copy, BYTES), BYTES);
}

static void map(struct buffer *b, struct rig *rig, enum dma_data_direction dir)
{
	*b = (struct buffer){ .rig = rig, .dev = &rig->nvme->dev, .phys = ram(rig, SZ_4K) + AT };
	/* What a sync moves shows best where both sides write whenever they want. */
	dmasim_suppress(rig->s, DMASIM_REPORT_CPU_WROTE);
	dma_set_min_align_mask(b->dev, SZ_4K - 1);
	cpu_fills(b, 1);
	b->dma = dma_map_phys(b->dev, b->phys, BYTES, dir, 0);
	expect_ok(dma_mapping_error(b->dev, b->dma));
	memcpy(b->copy, b->cpu, BYTES);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 2);
}

static void unmap(struct buffer *b, enum dma_data_direction dir)
{
	dma_unmap_phys(b->dev, b->dma, BYTES, dir, 0);
	if (dir != DMA_TO_DEVICE)
		memcpy(b->cpu, b->copy, BYTES);
	expect_bytes_at(b->rig->s, b->phys, b->cpu, BYTES);
	expect_u64(dmasim_bounce_use(b->rig->nvme).used, 0);
	dmasim_assert_clean(b->rig->s);
}

static void a_sync_moves_what_it_names(void **state)
{
	static const struct {
		u32 offset, bytes;
	} parts[] = { { 0, 1 },		{ 7, 64 },     { 1500, 100 }, { 1547, 2 },
		      { BYTES - 1, 1 }, { 100, 2500 }, { 0, BYTES } };
	struct buffer b;

	map(&b, *state, DMA_BIDIRECTIONAL);
	expect_sides(&b);
	for (u32 i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		u32 at = parts[i].offset, bytes = parts[i].bytes;

		cpu_fills(&b, 10 + i);
		expect_sides(&b);
		dma_sync_single_for_device(b.dev, b.dma + at, bytes, DMA_BIDIRECTIONAL);
		memcpy(b.copy + at, b.cpu + at, bytes);
		expect_sides(&b);
		device_fills(&b, 20 + i);
		expect_sides(&b);
		dma_sync_single_range_for_cpu(b.dev, b.dma, at, bytes, DMA_BIDIRECTIONAL);
		memcpy(b.cpu + at, b.copy + at, bytes);
		expect_sides(&b);
		cpu_fills(&b, 30 + i);
		dma_sync_single_range_for_device(b.dev, b.dma, at, bytes, DMA_BIDIRECTIONAL);
		memcpy(b.copy + at, b.cpu + at, bytes);
		device_fills(&b, 40 + i);
		dma_sync_single_for_cpu(b.dev, b.dma + at, bytes, DMA_BIDIRECTIONAL);
		memcpy(b.cpu + at, b.copy + at, bytes);
		expect_sides(&b);
	}
	unmap(&b, DMA_BIDIRECTIONAL);
}

static void nothing_comes_back_from_what_goes_to_the_device(void **state)
{
	struct buffer b;

	map(&b, *state, DMA_TO_DEVICE);
	cpu_fills(&b, 2);
	dma_sync_single_for_cpu(b.dev, b.dma, BYTES, DMA_TO_DEVICE);
	expect_sides(&b);
	dma_sync_single_for_device(b.dev, b.dma, BYTES, DMA_TO_DEVICE);
	memcpy(b.copy, b.cpu, BYTES);
	expect_sides(&b);
	unmap(&b, DMA_TO_DEVICE);
}

static void nothing_goes_where_the_device_writes(void **state)
{
	struct buffer b;

	map(&b, *state, DMA_FROM_DEVICE);
	device_fills(&b, 2);
	dma_sync_single_for_device(b.dev, b.dma, BYTES, DMA_FROM_DEVICE);
	dma_sync_single_for_cpu(b.dev, b.dma, BYTES, DMA_FROM_DEVICE);
	memcpy(b.cpu, b.copy, BYTES);
	expect_bytes_at(b.rig->s, b.phys, b.cpu, BYTES);
	cpu_fills(&b, 3);
	dma_sync_single_for_device(b.dev, b.dma, BYTES, DMA_FROM_DEVICE);
	/* The copy is as the device left it: it comes back. */
	unmap(&b, DMA_FROM_DEVICE);
}

static void a_sync_with_no_direction_is_reported(void **state)
{
	struct buffer b;

	map(&b, *state, DMA_BIDIRECTIONAL);
	dma_sync_single_for_cpu(b.dev, b.dma, BYTES, DMA_BIDIRECTIONAL);
	cpu_fills(&b, 2);
	dmasim_expect(b.rig->s, DMASIM_REPORT_BAD_DIRECTION, 2);
	dma_sync_single_for_device(b.dev, b.dma, BYTES, DMA_NONE);
	dma_sync_single_for_cpu(b.dev, b.dma, BYTES, (enum dma_data_direction)7);
	expect_sides(&b);
	unmap(&b, DMA_BIDIRECTIONAL);
	expect_only(b.rig->s, DMASIM_REPORT_BAD_DIRECTION, 2);
}

/* Without an IOMMU: longer than what was mapped, beyond the padding too. */
static void a_sync_that_is_too_long_is_reported_and_cut(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, SZ_16K);
	dma_addr_t dma = dma_map_phys(dev, phys, SZ_4K, DMA_BIDIRECTIONAL, 0);
	u8 mine[SZ_4K], next[SZ_4K];

	expect_ok(dma_mapping_error(dev, dma));
	fill_pattern(mine, SZ_4K, 1);
	fill_pattern(next, SZ_4K, 2);
	expect_done(dmasim_dev_write(rig->nvme, dma, mine, SZ_4K), SZ_4K);
	expect_u64(dmasim_write(rig->s, phys + SZ_4K, next, SZ_4K), SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_BOUNCE_OVERRUN, 1);
	dma_sync_single_for_cpu(dev, dma, 2 * SZ_4K, DMA_BIDIRECTIONAL);
	expect_bytes_at(rig->s, phys, mine, SZ_4K);
	expect_bytes_at(rig->s, phys + SZ_4K, next, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_BOUNCE_OVERRUN, 1);
}

/* ---- Behind an IOMMU ------------------------------------------------------------------------- */

/* It is shown its own bytes and zeros, neither its neighbours nor what was there before. */
static void an_untrusted_device_sees_its_buffer_and_zeros_around_it(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, SZ_4K);
	u8 page[SZ_4K], found[SZ_4K];
	dma_addr_t dma;

	dma_set_min_align_mask(dev, SZ_4K - 1);
	fill_pattern(page, SZ_4K, 1);
	expect_u64(dmasim_write(rig->s, phys, page, SZ_4K), SZ_4K);
	/* Leave something in every slot. */
	for (u32 i = 0; i < SZ_1M / SZ_4K; i++) {
		dma = dma_map_phys(dev, phys + 1, SZ_4K - 1, DMA_BIDIRECTIONAL, 0);
		expect_ok(dma_mapping_error(dev, dma));
		dma_unmap_phys(dev, dma, SZ_4K - 1, DMA_BIDIRECTIONAL, 0);
	}
	/* Beside the buffer, in its granule: allowed by the table, and reported. */
	dmasim_suppress(rig->s, DMASIM_REPORT_ACCESS_BEYOND);
	memset(page, 0, AT);
	memset(page + AT + BYTES, 0, SZ_4K - AT - BYTES);
	for (u32 i = 0; i < 8; i++) {
		dma = dma_map_phys(dev, phys + AT, BYTES, DMA_BIDIRECTIONAL, 0);
		expect_ok(dma_mapping_error(dev, dma));
		expect_u64(dma & (SZ_4K - 1), AT);
		expect_done(dmasim_dev_read(rig->nvme, dma - AT, found, SZ_4K), SZ_4K);
		assert_memory_equal(found, page, SZ_4K);
		dma_unmap_phys(dev, dma, BYTES, DMA_BIDIRECTIONAL, 0);
	}
	dmasim_assert_clean(rig->s);
}

static void whole_granules_are_not_copied(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, SZ_16K);
	dma_addr_t dma = dma_map_phys(dev, phys, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);

	expect_ok(dma_mapping_error(dev, dma));
	expect_u64(dmasim_bounce_use(rig->nvme).used, 0);
	expect_both_ways(rig->s, rig->nvme, dma, phys, 2 * SZ_4K);
	dma_unmap_phys(dev, dma, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	/* Nor is what is no memory; whoever must not be copied is refused. */
	dma = dma_map_resource(dev, pci_resource_start(rig->disk, 0) + 16, 100, DMA_TO_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, dma));
	dma_unmap_resource(dev, dma, 100, DMA_TO_DEVICE, 0);
	expect_u64(dma_map_phys(dev, phys + 1, 100, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT),
		   DMA_MAPPING_ERROR);
	expect_u64(dmasim_bounce_use(rig->nvme).high_water, 0);
	dmasim_assert_clean(rig->s);
}

/* Entry by entry, whole granules among them: none is merged, the copies are synced. */
static void a_list_of_an_untrusted_device_is_mapped_one_by_one(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, SZ_16K);
	struct scatterlist sg[3];
	u8 sent[SZ_4K];

	dma_set_max_seg_size(dev, SZ_1M);
	sg_init_table(sg, 3);
	sg_set_page(&sg[0], dmasim_page(rig->s, phys), SZ_4K, 0);
	sg_set_page(&sg[1], dmasim_page(rig->s, phys + SZ_4K), SZ_4K, 0);
	sg_set_page(&sg[2], dmasim_page(rig->s, phys + 2 * SZ_4K), 1000, 0);
	expect_u64(dma_map_sg(dev, sg, 3, DMA_BIDIRECTIONAL), 3);
	assert_true(sg_dma_is_swiotlb(&sg[0]));
	expect_u64(dmasim_bounce_use(rig->nvme).used, 2);
	fill_pattern(sent, sizeof(sent), 1);
	for (u32 i = 0; i < 3; i++)
		expect_done(dmasim_dev_write(rig->nvme, sg_dma_address(&sg[i]), sent, sg[i].length),
			    sg[i].length);
	expect_bytes_at(rig->s, phys, sent, SZ_4K);
	expect_bytes_at(rig->s, phys + SZ_4K, sent, SZ_4K);
	dma_sync_sg_for_cpu(dev, sg, 3, DMA_BIDIRECTIONAL);
	expect_bytes_at(rig->s, phys + 2 * SZ_4K, sent, 1000);
	dma_unmap_sg(dev, sg, 3, DMA_BIDIRECTIONAL);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- Two steps ------------------------------------------------------------------------------- */

static void a_head_and_a_tail_are_copies_and_the_middle_is_not(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, SZ_16K) + AT;
	size_t bytes = SZ_16K - AT - 100, head = SZ_4K - AT, tail = SZ_4K - 100;
	u8 before[SZ_16K], sent[SZ_16K];
	struct dma_iova_state iova;

	dma_set_min_align_mask(dev, SZ_4K - 1);
	fill_pattern(before, bytes, 1);
	expect_u64(dmasim_write(rig->s, phys, before, bytes), bytes);
	assert_true(dma_iova_try_alloc(dev, &iova, phys, bytes));
	expect_ok(dma_iova_link(dev, &iova, phys, 0, bytes, DMA_BIDIRECTIONAL, 0));
	expect_u64(iova.__size, bytes | DMA_IOVA_USE_SWIOTLB);
	expect_u64(dma_iova_size(&iova), bytes);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 4);
	expect_ok(dma_iova_sync(dev, &iova, 0, bytes));
	expect_done(dmasim_dev_read(rig->nvme, iova.addr, sent, bytes), bytes);
	assert_memory_equal(sent, before, bytes);
	fill_pattern(sent, bytes, 2);
	expect_done(dmasim_dev_write(rig->nvme, iova.addr, sent, bytes), bytes);
	expect_bytes_at(rig->s, phys, before, head);
	expect_bytes_at(rig->s, phys + head, sent + head, bytes - head - tail);
	expect_bytes_at(rig->s, phys + bytes - tail, before + bytes - tail, tail);
	/* In pieces: the tail first. */
	dma_iova_unlink(dev, &iova, bytes - tail, tail, DMA_BIDIRECTIONAL, 0);
	expect_bytes_at(rig->s, phys + bytes - tail, sent + bytes - tail, tail);
	expect_bytes_at(rig->s, phys, before, head);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 2);
	dma_iova_destroy(dev, &iova, bytes - tail, DMA_BIDIRECTIONAL, 0);
	expect_bytes_at(rig->s, phys, sent, bytes);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 0);
	dmasim_assert_clean(rig->s);
}

static void a_link_inside_one_granule_is_one_copy(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, SZ_4K) + AT;
	struct dma_iova_state iova;
	u8 sent[100];

	dma_set_min_align_mask(dev, SZ_4K - 1);
	assert_true(dma_iova_try_alloc(dev, &iova, phys, 100));
	expect_ok(dma_iova_link(dev, &iova, phys, 0, 100, DMA_FROM_DEVICE, 0));
	expect_u64(dmasim_bounce_use(rig->nvme).used, 2);
	expect_ok(dma_iova_sync(dev, &iova, 0, 100));
	fill_pattern(sent, 100, 1);
	expect_done(dmasim_dev_write(rig->nvme, iova.addr, sent, 100), 100);
	dma_iova_destroy(dev, &iova, 100, DMA_FROM_DEVICE, 0);
	expect_bytes_at(rig->s, phys, sent, 100);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 0);
	dmasim_assert_clean(rig->s);
}

/* The copy of a head must keep its offset in the granule: by default nothing does. */
static void a_head_needs_the_devices_align_mask(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, SZ_16K);
	struct dma_iova_state iova;

	assert_true(dma_iova_try_alloc(dev, &iova, phys + AT, SZ_4K));
	expect_error(dma_iova_link(dev, &iova, phys + AT, 0, SZ_4K, DMA_TO_DEVICE, 0), -ENXIO);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 0);
	dma_iova_free(dev, &iova);
	/* A tail begins with its granule. */
	assert_true(dma_iova_try_alloc(dev, &iova, phys, SZ_4K + AT));
	expect_ok(dma_iova_link(dev, &iova, phys, 0, SZ_4K + AT, DMA_TO_DEVICE, 0));
	dma_iova_destroy(dev, &iova, SZ_4K + AT, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 0);
	dmasim_assert_clean(rig->s);
}

static void what_must_not_be_copied_is_not_linked(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, SZ_4K) + AT;
	struct dma_iova_state iova;

	dma_set_min_align_mask(dev, SZ_4K - 1);
	assert_true(dma_iova_try_alloc(dev, &iova, phys, 100));
	expect_error(
		dma_iova_link(dev, &iova, phys, 0, 100, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT),
		-EPERM);
	expect_error(dma_iova_link(dev, &iova, phys, 0, 100, DMA_TO_DEVICE, DMA_ATTR_MMIO), -EPERM);
	expect_u64(iova.__size, 100);
	dma_iova_free(dev, &iova);
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_assert_clean(rig->s);
}

#define UNTRUSTED(test) WITH_SETUP(test, setup_untrusted)
#define IN_BOTH(test)	WITH_SETUP(test, setup_forced), UNTRUSTED(test)

TEST_MAIN(IN_BOTH(a_sync_moves_what_it_names),
	  IN_BOTH(nothing_comes_back_from_what_goes_to_the_device),
	  IN_BOTH(nothing_goes_where_the_device_writes),
	  IN_BOTH(a_sync_with_no_direction_is_reported),
	  WITH_SETUP(a_sync_that_is_too_long_is_reported_and_cut, setup_forced),
	  UNTRUSTED(an_untrusted_device_sees_its_buffer_and_zeros_around_it),
	  UNTRUSTED(whole_granules_are_not_copied),
	  UNTRUSTED(a_list_of_an_untrusted_device_is_mapped_one_by_one),
	  UNTRUSTED(a_head_and_a_tail_are_copies_and_the_middle_is_not),
	  UNTRUSTED(a_link_inside_one_granule_is_one_copy),
	  UNTRUSTED(a_head_needs_the_devices_align_mask),
	  UNTRUSTED(what_must_not_be_copied_is_not_linked))
