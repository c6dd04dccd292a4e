/* SPDX-License-Identifier: MIT */
/*
 * Memory that comes mapped: shared without syncs, or as pages that are synced like a mapping, or as
 * a table (facts "dma-api" 3.10b). Behind an IOMMU, without one, and for a device that does not
 * snoop.
 */
#include "unit/api/machines.h"

static int setup_no_snoop(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .traits.no_snoop = true });
}

static int setup_direct_no_snoop(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .traits.no_snoop = true });
}

static int setup_lazy(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .policy = DMASIM_LAZY });
}

static int setup_restricted(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .traits.pool_bytes = SZ_1M });
}

static struct device *nvme(struct rig *rig)
{
	return &rig->nvme->dev;
}

static u64 in_use(struct rig *rig)
{
	return dmasim_in_use(rig->s, DMASIM_FAULT_COHERENT);
}

/* Each side sees the other's bytes at once. */
static void expect_shared(struct rig *rig, u8 *memory, dma_addr_t dma, u64 bytes)
{
	u8 data[SZ_4K];

	assert_true(bytes <= sizeof(data));
	fill_pattern(memory, bytes, dma);
	expect_done(dmasim_dev_read(rig->nvme, dma, data, bytes), bytes);
	assert_memory_equal(data, memory, bytes);
	fill_pattern(data, bytes, ~dma);
	expect_done(dmasim_dev_write(rig->nvme, dma, data, bytes), bytes);
	assert_memory_equal(memory, data, bytes);
}

/* ---- Shared ---------------------------------------------------------------------------------- */

static void both_sides_share_zeroed_pages(void **state)
{
	static const size_t sizes[] = { 1, 100, SZ_4K, SZ_4K + 1, 5 * SZ_4K, SZ_1M };
	struct rig *rig = *state;

	for (u32 i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i], last = size > 64 ? size - 64 : 0;
		dma_addr_t dma = DMA_MAPPING_ERROR;
		u8 *memory = dma_alloc_coherent(nvme(rig), size, &dma, GFP_KERNEL);

		assert_non_null(memory);
		expect_u64(dma & (SZ_4K - 1), 0);
		expect_u64(dmasim_virt_to_phys(rig->s, memory) & (SZ_4K - 1), 0);
		expect_u64((uintptr_t)memory & (SZ_4K - 1), 0);
		for (size_t k = 0; k < size; k++)
			expect_u64(memory[k], 0);
		expect_shared(rig, memory, dma, size < SZ_4K ? size : SZ_4K);
		expect_shared(rig, memory + last, dma + last, size - last);
		assert_true(in_use(rig) > 0);
		dma_free_coherent(nvme(rig), size, memory, dma);
		dmasim_run(rig->s, 20000000);
		expect_u64(in_use(rig), 0);
	}
	dmasim_assert_clean(rig->s);
}

/* Used memory comes back as zeros, on both sides. */
static void what_was_freed_is_zeroed_for_the_next(void **state)
{
	struct rig *rig = *state;
	u8 zeros[SZ_4K] = { 0 }, found[SZ_4K];

	for (u32 i = 0; i < 10; i++) {
		dma_addr_t dma;
		u8 *memory = dma_alloc_coherent(nvme(rig), SZ_4K, &dma, GFP_KERNEL);

		assert_non_null(memory);
		assert_memory_equal(memory, zeros, SZ_4K);
		expect_done(dmasim_dev_read(rig->nvme, dma, found, SZ_4K), SZ_4K);
		assert_memory_equal(found, zeros, SZ_4K);
		memset(memory, 0x5a, SZ_2M / 512);
		dma_free_coherent(nvme(rig), SZ_4K, memory, dma);
	}
	dmasim_assert_clean(rig->s);
}

static void what_nobody_can_have_is_null(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = 0x1234;

	assert_null(dma_alloc_attrs(nvme(rig), 0, &dma, GFP_KERNEL, 0));
	assert_null(dma_alloc_attrs(nvme(rig), SZ_4K, &dma, GFP_KERNEL, DMA_ATTR_CC_SHARED));
	assert_null(
		dma_alloc_attrs(nvme(rig), SZ_4K, &dma, GFP_KERNEL, __DMA_ATTR_ALLOC_CC_SHARED));
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	assert_null(dma_alloc_attrs(nvme(rig), SZ_4K, &dma, GFP_KERNEL | __GFP_COMP, 0));
	expect_u64(dma, 0x1234);
	/* To free nothing is nothing. */
	dma_free_coherent(nvme(rig), SZ_4K, NULL, 0);
	expect_u64(in_use(rig), 0);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

static void the_coherent_mask_says_how_far(void **state)
{
	static const u32 bits[] = { 24, 31, 32, 36, 64 };
	struct rig *rig = *state;
	dma_addr_t dma[5];
	void *memory[5];

	for (u32 i = 0; i < 5; i++) {
		expect_ok(dma_set_coherent_mask(nvme(rig), DMA_BIT_MASK(bits[i])));
		memory[i] = dma_alloc_coherent(nvme(rig), SZ_64K, &dma[i], GFP_KERNEL);
		assert_non_null(memory[i]);
		assert_true(dma[i] + SZ_64K - 1 <= DMA_BIT_MASK(bits[i]));
		expect_shared(rig, memory[i], dma[i], SZ_4K);
	}
	for (u32 i = 0; i < 5; i++)
		dma_free_coherent(nvme(rig), SZ_64K, memory[i], dma[i]);
	dmasim_assert_clean(rig->s);
}

static void a_coherent_mask_of_nothing_is_reported(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;
	void *memory;

	nvme(rig)->coherent_dma_mask = 0;
	dmasim_expect(rig->s, DMASIM_REPORT_NO_DMA_MASK, 1);
	memory = dma_alloc_coherent(nvme(rig), SZ_4K, &dma, GFP_KERNEL);
	if (memory)
		dma_free_coherent(nvme(rig), SZ_4K, memory, dma);
	expect_u64(in_use(rig), 0);
	expect_only(rig->s, DMASIM_REPORT_NO_DMA_MASK, 1);
}

/* 16 MiB of it at most: then there is none, and all can be given back. */
static void memory_within_a_small_mask_runs_out(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma[32];
	void *memory[32];
	u32 count = 0;

	expect_ok(dma_set_coherent_mask(nvme(rig), DMA_BIT_MASK(24)));
	while (count < 32) {
		memory[count] = dma_alloc_coherent(nvme(rig), SZ_1M, &dma[count], GFP_KERNEL);
		if (!memory[count])
			break;
		count++;
	}
	assert_in_range(count, 8, 16);
	while (count--)
		dma_free_coherent(nvme(rig), SZ_1M, memory[count], dma[count]);
	expect_u64(in_use(rig), 0);
	expect_u64(dmasim_report_count(rig->s), 0);
	dmasim_assert_clean(rig->s);
}

static void what_is_not_freed_is_found(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;
	void *memory = dma_alloc_coherent(nvme(rig), SZ_4K, &dma, GFP_KERNEL);
	char text[512];

	assert_non_null(memory);
	expect_u64(dmasim_check_clean(rig->s, text, sizeof(text)), 1);
	assert_non_null(strstr(text, "mapping-leaked"));
	/* What was found is found again; and it is not lost. */
	dma_free_coherent(nvme(rig), SZ_4K, memory, dma);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
}

static void a_device_that_uses_freed_memory_is_found(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;
	void *memory = dma_alloc_coherent(nvme(rig), SZ_4K, &dma, GFP_KERNEL);
	u8 byte = 0;

	assert_non_null(memory);
	dma_free_coherent(nvme(rig), SZ_4K, memory, dma);
	dmasim_suppress(rig->s, DMASIM_REPORT_IOMMU_FAULT);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	(void)dmasim_dev_write(rig->nvme, dma, &byte, 1);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP), 1);
	dmasim_assert_clean(rig->s);
}

static void a_restricted_device_shares_its_pool(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;
	u8 *memory = dma_alloc_coherent(nvme(rig), 3 * SZ_4K, &dma, GFP_KERNEL);

	assert_non_null(memory);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 6);
	expect_shared(rig, memory + 2 * SZ_4K, dma + 2 * SZ_4K, SZ_4K);
	/* No longer than a segment of it. */
	{
		dma_addr_t other;

		assert_null(dma_alloc_coherent(nvme(rig), 65 * SZ_4K, &other, GFP_KERNEL));
	}
	dma_free_coherent(nvme(rig), 3 * SZ_4K, memory, dma);
	expect_u64(dmasim_bounce_use(rig->nvme).used, 0);
	dmasim_suppress(rig->s, DMASIM_REPORT_BOUNCE_FULL);
	dmasim_assert_clean(rig->s);
}

/* ---- Pages ----------------------------------------------------------------------------------- */

static void expect_turns(struct rig *rig, u8 *memory, dma_addr_t dma, u64 bytes)
{
	u8 data[SZ_4K];

	dma_sync_single_for_cpu(nvme(rig), dma, bytes, DMA_BIDIRECTIONAL);
	fill_pattern(memory, bytes, dma);
	dma_sync_single_for_device(nvme(rig), dma, bytes, DMA_BIDIRECTIONAL);
	expect_done(dmasim_dev_read(rig->nvme, dma, data, bytes), bytes);
	assert_memory_equal(data, memory, bytes);
	fill_pattern(data, bytes, ~dma);
	expect_done(dmasim_dev_write(rig->nvme, dma, data, bytes), bytes);
	dma_sync_single_for_cpu(nvme(rig), dma, bytes, DMA_BIDIRECTIONAL);
	assert_memory_equal(memory, data, bytes);
}

static void pages_are_zeroed_and_synced(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;
	struct page *page =
		dma_alloc_pages(nvme(rig), SZ_4K + 100, &dma, DMA_BIDIRECTIONAL, GFP_KERNEL);
	u8 *memory, zeros[SZ_4K] = { 0 };

	assert_non_null(page);
	memory = dmasim_ptr(rig->s, page_to_phys(page), 2 * SZ_4K);
	assert_non_null(memory);
	assert_memory_equal(memory, zeros, SZ_4K);
	expect_turns(rig, memory, dma, SZ_4K);
	expect_turns(rig, memory + SZ_4K, dma + SZ_4K, 100);
	dma_free_pages(nvme(rig), SZ_4K + 100, page, dma, DMA_BIDIRECTIONAL);
	memory = dma_alloc_noncoherent(nvme(rig), SZ_4K, &dma, DMA_BIDIRECTIONAL, GFP_KERNEL);
	assert_non_null(memory);
	assert_memory_equal(memory, zeros, SZ_4K);
	expect_turns(rig, memory, dma, SZ_4K);
	dma_free_noncoherent(nvme(rig), SZ_4K, memory, dma, DMA_BIDIRECTIONAL);
	expect_u64(in_use(rig), 0);
	dmasim_assert_clean(rig->s);
}

static void pages_of_a_device_that_does_not_snoop_need_their_syncs(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma;
	u8 *memory = dma_alloc_noncoherent(nvme(rig), SZ_4K, &dma, DMA_BIDIRECTIONAL, GFP_KERNEL);
	u8 found[64], zeros[64] = { 0 };

	assert_non_null(memory);
	memset(memory, 0x77, 64);
	expect_done(dmasim_dev_read(rig->nvme, dma, found, 64), 64);
	assert_memory_equal(found, zeros, 64);
	dma_sync_single_for_device(nvme(rig), dma, 64, DMA_BIDIRECTIONAL);
	expect_done(dmasim_dev_read(rig->nvme, dma, found, 64), 64);
	assert_memory_equal(found, memory, 64);
	dma_free_noncoherent(nvme(rig), SZ_4K, memory, dma, DMA_BIDIRECTIONAL);
	dmasim_assert_clean(rig->s);
}

static void a_caller_cannot_choose_the_zone_of_pages(void **state)
{
	static const gfp_t bad[] = { __GFP_DMA, __GFP_DMA32, __GFP_COMP };
	struct rig *rig = *state;
	dma_addr_t dma;

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 6);
	for (u32 i = 0; i < 3; i++) {
		assert_null(dma_alloc_pages(nvme(rig), SZ_4K, &dma, DMA_TO_DEVICE,
					    GFP_KERNEL | bad[i]));
		assert_null(dma_alloc_noncoherent(nvme(rig), SZ_4K, &dma, DMA_TO_DEVICE,
						  GFP_KERNEL | bad[i]));
	}
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 6);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

static void a_table_is_one_segment_and_one_piece_for_the_cpu(void **state)
{
	struct rig *rig = *state;
	struct sg_table *table = dma_alloc_noncontiguous(nvme(rig), 5 * SZ_4K - 7,
							 DMA_BIDIRECTIONAL, GFP_KERNEL,
							 DMA_ATTR_ALLOC_SINGLE_PAGES);
	u8 data[SZ_4K];
	dma_addr_t dma;
	u8 *memory;

	assert_non_null(table);
	expect_u64(table->nents, 1);
	expect_u64(sg_dma_len(table->sgl), 5 * SZ_4K);
	dma = sg_dma_address(table->sgl);
	memory = dma_vmap_noncontiguous(nvme(rig), 5 * SZ_4K - 7, table);
	assert_non_null(memory);
	for (u32 i = 0; i < 5; i++) {
		fill_pattern(memory + i * SZ_4K, SZ_4K, i);
		dma_sync_sgtable_for_device(nvme(rig), table, DMA_BIDIRECTIONAL);
		expect_done(dmasim_dev_read(rig->nvme, dma + i * SZ_4K, data, SZ_4K), SZ_4K);
		assert_memory_equal(memory + i * SZ_4K, data, SZ_4K);
		fill_pattern(data, SZ_4K, 10 + i);
		expect_done(dmasim_dev_write(rig->nvme, dma + i * SZ_4K, data, SZ_4K), SZ_4K);
		dma_sync_sgtable_for_cpu(nvme(rig), table, DMA_BIDIRECTIONAL);
		assert_memory_equal(memory + i * SZ_4K, data, SZ_4K);
	}
	dma_vunmap_noncontiguous(nvme(rig), memory);
	dma_free_noncontiguous(nvme(rig), 5 * SZ_4K - 7, table, DMA_BIDIRECTIONAL);
	expect_u64(in_use(rig), 0);
	dmasim_assert_clean(rig->s);
}

static void a_table_knows_one_attribute(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 2);
	assert_null(dma_alloc_noncontiguous(nvme(rig), SZ_4K, DMA_TO_DEVICE, GFP_KERNEL,
					    DMA_ATTR_WRITE_COMBINE));
	assert_null(dma_alloc_noncontiguous(nvme(rig), SZ_4K, DMA_TO_DEVICE,
					    GFP_KERNEL | __GFP_COMP, 0));
	expect_u64(in_use(rig), 0);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 2);
}

#define EVERYWHERE(test)                                                         \
	BEHIND_VTD(test), WITHOUT_IOMMU(test), WITH_SETUP(test, setup_no_snoop), \
		WITH_SETUP(test, setup_direct_no_snoop), WITH_SETUP(test, setup_lazy)

/* The host pointer is to all of it, or there is none. */
static void more_than_the_host_has_in_one_piece_is_refused(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;
	u8 *memory = dma_alloc_coherent(dev, SZ_64M, &dma, GFP_KERNEL);

	assert_non_null(memory);
	memory[SZ_64M - 1] = 1;
	dma_free_coherent(dev, SZ_64M, memory, dma);
	assert_null(dma_alloc_coherent(dev, SZ_64M + 1, &dma, GFP_KERNEL));
	assert_null(dma_alloc_pages(dev, SZ_64M + 1, &dma, DMA_TO_DEVICE, GFP_KERNEL));
	assert_null(dma_alloc_noncontiguous(dev, SZ_256M, DMA_TO_DEVICE, GFP_KERNEL, 0));
	dmasim_assert_clean(rig->s);
}

/* Pages are mapped like any other: under the mask for mappings (facts 3.10b). */
static void pages_obey_the_streaming_mask(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct page *page;
	dma_addr_t dma;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(30)));
	expect_ok(dma_set_coherent_mask(dev, DMA_BIT_MASK(40)));
	page = dma_alloc_pages(dev, SZ_4K, &dma, DMA_TO_DEVICE, GFP_KERNEL);
	assert_non_null(page);
	assert_true(dma + SZ_4K - 1 <= DMA_BIT_MASK(30));
	dma_free_pages(dev, SZ_4K, page, dma, DMA_TO_DEVICE);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(IN_BOTH_MODES(more_than_the_host_has_in_one_piece_is_refused),
	  BEHIND_VTD(pages_obey_the_streaming_mask), EVERYWHERE(both_sides_share_zeroed_pages),
	  EVERYWHERE(what_was_freed_is_zeroed_for_the_next),
	  IN_BOTH_MODES(what_nobody_can_have_is_null), EVERYWHERE(the_coherent_mask_says_how_far),
	  IN_BOTH_MODES(a_coherent_mask_of_nothing_is_reported),
	  IN_BOTH_MODES(memory_within_a_small_mask_runs_out),
	  IN_BOTH_MODES(what_is_not_freed_is_found),
	  IN_BOTH_MODES(a_device_that_uses_freed_memory_is_found),
	  WITH_SETUP(a_restricted_device_shares_its_pool, setup_restricted),
	  EVERYWHERE(pages_are_zeroed_and_synced),
	  WITH_SETUP(pages_of_a_device_that_does_not_snoop_need_their_syncs, setup_no_snoop),
	  WITH_SETUP(pages_of_a_device_that_does_not_snoop_need_their_syncs, setup_direct_no_snoop),
	  IN_BOTH_MODES(a_caller_cannot_choose_the_zone_of_pages),
	  EVERYWHERE(a_table_is_one_segment_and_one_piece_for_the_cpu),
	  IN_BOTH_MODES(a_table_knows_one_attribute))
