/* SPDX-License-Identifier: MIT */
/*
 * Misuse of the calls that map in one step: M1 to M7 and M22.
 */
#include "catalogue/catalogue.h"

/* ---- M1: a direction that no mapping has ----------------------------------------------------- */

/* trust: M01: a direction that no mapping has | our reading of the facts: dma-api 15 */
static void M01_bad_direction(void **state)
{
	static const int bad[] = { DMA_NONE, 4, -1 };
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t good = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	u64 before = live_entries(rig->s);
	struct list list;

	list_of_pages(rig, &list, 2);
	/* Linux stops at each of these: a report each, the error value, and nothing has changed. */
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_DIRECTION, 21);
	for (int i = 0; i < 3; i++) {
		enum dma_data_direction dir = (enum dma_data_direction)bad[i];

		expect_u64(dma_map_phys(dev, buf, SZ_4K, dir, 0), DMA_MAPPING_ERROR);
		expect_u64(dma_map_sg(dev, list.sg, 2, dir), 0);
		expect_error(dma_map_sgtable(dev, &list.table, dir, 0), -EINVAL);
		dma_sync_single_for_cpu(dev, good, SZ_4K, dir);
		dma_sync_single_for_device(dev, good, SZ_4K, dir);
		dma_unmap_sg(dev, list.sg, 2, dir);
		dma_unmap_phys(dev, good, SZ_4K, dir, 0);
	}
	expect_u64(live_entries(rig->s), before);
	expect_list_restored(&list);
	expect_read_sees(rig->s, rig->nvme, good, buf, SZ_4K);
	dma_unmap_phys(dev, good, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_BAD_DIRECTION, 21);
}

/* The two-step calls do not test it: it becomes an entry without rights, which is refused. */
static void M01_bad_direction_link(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
	expect_error(dma_iova_link(dev, &st, ram(rig, SZ_4K), 0, SZ_4K, DMA_NONE, 0), -EINVAL);
	expect_u64(live_entries(rig->s), 0);
	dma_iova_free(dev, &st);
	expect_only(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
}

/* ---- M2: a device without a mask ------------------------------------------------------------- */

/* trust: M02: a device without a DMA mask | our reading of the facts: dma-api 15 */
static void M02_no_dma_mask(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	u64 *mask = dev->dma_mask;
	struct list list;

	list_of_pages(rig, &list, 2);
	list.table.nents = 7;
	dev->dma_mask = NULL;
	/* Mapping warns; an unmap or a sync would read through the NULL pointer. */
	dmasim_expect(rig->s, DMASIM_REPORT_NO_DMA_MASK, 5);
	expect_u64(dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	expect_u64(dma_map_sg(dev, list.sg, 2, DMA_TO_DEVICE), 0);
	/* So this one reports success, with nothing mapped. */
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	expect_u64(list.table.nents, 0);
	dma_unmap_phys(dev, 0x1000, SZ_4K, DMA_TO_DEVICE, 0);
	dma_sync_single_for_cpu(dev, 0x1000, SZ_4K, DMA_TO_DEVICE);
	expect_error(dma_set_mask(dev, DMA_BIT_MASK(64)), -EIO);
	expect_u64(dma_max_mapping_size(dev), 0);
	expect_u64(live_entries(rig->s), 0);
	dev->dma_mask = mask;
	expect_only(rig->s, DMASIM_REPORT_NO_DMA_MASK, 5);
}

/* ---- M3: nobody asks whether the mapping failed ---------------------------------------------- */

/* trust: M03: the error value is not looked for | our reading of the facts: dma-api 15 */
static void M03_ignored_mapping_error(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;

	/* Page 0 alone is below this mask. */
	expect_ok(dma_set_mask(dev, SZ_4K - 1));
	dma = dma_map_phys(dev, ram(rig, SZ_4K), SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(dma, DMA_MAPPING_ERROR);
	expect_error(dma_mapping_error(dev, dma), -ENOMEM);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_transfer(write_byte(rig->nvme, dma, 1), DMASIM_IOMMU_FAULT, 0);
	/* No translation: the kernel warns, and frees nothing. */
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(report_says(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, "does not translate"));
	dmasim_assert_clean(rig->s);
}

/* A buffer out of reach that may not be bounced. */
static void M03_ignored_mapping_error_of_a_mask(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
	dma = dma_map_phys(dev, SZ_4G, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT);
	expect_u64(dma, DMA_MAPPING_ERROR);
	dmasim_expect(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
	expect_transfer(write_byte(rig->nvme, dma, 1), DMASIM_UNSUPPORTED_REQUEST, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_REQUIRE_COHERENT);
	dmasim_assert_clean(rig->s);
}

/* ---- M4: another size ------------------------------------------------------------------------ */

/* trust: M04: an unmap with another size | our reading of the facts: dma-api 15 */
/*
 *   mappings   |bbbbbbb|aaaaaaa|       a is the older one, so b lies below it
 *   unmap of b |---------------|
 */
static void M04_unmap_wrong_size_takes_the_neighbour(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	dma_addr_t a = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dma_addr_t b = dma_map_phys(dev, buf + SZ_4K, SZ_4K, DMA_BIDIRECTIONAL, 0);

	expect_u64(b + SZ_4K, a);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_FOREIGN, 1);
	dma_unmap_phys(dev, b, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(live_entries(rig->s), 0);
	/* Its owner did nothing wrong, and finds nothing: in hardware, and at its own unmap. */
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_transfer(write_byte(rig->nvme, a, 1), DMASIM_IOMMU_FAULT, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_phys(dev, a, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* Beyond the mapping is nothing: less was unmapped than asked for. */
static void M04_unmap_wrong_size_finds_a_hole(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	dma_addr_t a = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dma_addr_t b = dma_map_phys(dev, buf + SZ_4K, SZ_4K, DMA_TO_DEVICE, 0);

	dma_unmap_phys(dev, a, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, b, 2 * SZ_4K, DMA_TO_DEVICE, 0);
	assert_true(report_says(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, "page table held less"));
	expect_u64(live_entries(rig->s), 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

/* Too small: what is left has no owner any more, and the device still reaches it. */
static void M04_unmap_wrong_size_leaves_the_rest(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	dma_addr_t dma = dma_map_phys(dev, buf, 2 * SZ_4K, DMA_BIDIRECTIONAL, 0);

	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(live_entries(rig->s), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_done(write_byte(rig->nvme, dma + SZ_4K, 0x5a), 1);
	expect_u64(byte_at(rig->s, buf + SZ_4K), 0x5a);
	dmasim_assert_clean(rig->s);
}

/* Without page tables there is nothing to go wrong but the account. */
static void M04_unmap_wrong_size_of_nothing(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, ram(rig, SZ_16K), SZ_4K, DMA_TO_DEVICE, 0);

	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, dma, 2 * SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

/* ---- M5: twice ------------------------------------------------------------------------------- */

/* trust: M05: an unmap twice | our reading of the facts: dma-api 15 */
static void M05_unmap_twice(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0), first, second;

	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	/* Behind an IOMMU the kernel looks the address up, warns and frees nothing. */
	assert_true(report_says(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, "does not translate") ==
		    translates(dev));
	first = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	second = dma_map_phys(dev, buf + 8, 8, DMA_TO_DEVICE, 0);
	assert_true(first != second);
	dma_unmap_phys(dev, first, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, second, 8, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
}

/* No lookup for MMIO: the page table is asked, has less than it was told, and the IOVA is freed. */
static void M05_unmap_twice_of_mmio(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->disk, 0);
	dma_addr_t dma = dma_map_resource(dev, bar, SZ_4K, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(dev, dma));
	dma_unmap_resource(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_resource(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	assert_true(report_says(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, "page table held less"));
	expect_u64(live_entries(rig->s), 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
}

/* ---- M6: other attributes -------------------------------------------------------------------- */

/* trust: M06: an unmap with other attributes | our reading of the facts: dma-api 15 */
/* The BAR is taken for memory on the way out; this table has a translation for it, so it works. */
static void M06_unmap_other_attrs_without_mmio(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->disk, 0);
	dma_addr_t dma = dma_map_resource(dev, bar, SZ_4K, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(dev, dma));
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(live_entries(rig->s), 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

/* REQUIRE_COHERENT says that nothing was bounced: the slot is never given back. */
static void M06_unmap_other_attrs_leaks_the_slot(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, 0x100, DMA_FROM_DEVICE, 0);
	u64 slots = lent(rig->nvme);

	assert_true(slots > 0);
	expect_done(write_byte(rig->nvme, dma, 0x77), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, dma, 0x100, DMA_FROM_DEVICE, DMA_ATTR_REQUIRE_COHERENT);
	expect_u64(lent(rig->nvme), slots);
	expect_u64(byte_at(rig->s, buf), 0);
	expect_u64(live_entries(rig->s), 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

/* ---- M7: the count that the map returned ----------------------------------------------------- */

/*
 * trust: M07: dma_unmap_sg() with the count that the map returned
 * | our reading of the facts: dma-api 15
 */
static void M07_unmap_sg_returned_count(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;
	dma_addr_t dma;
	u32 count;

	list_of_pages(rig, &list, 4);
	count = dma_map_sg(dev, list.sg, 4, DMA_TO_DEVICE);
	expect_u64(count, translates(dev) ? 1 : 4);
	dma = sg_dma_address(list.sg);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, count != 4);
	dma_unmap_sg(dev, list.sg, (int)count, DMA_TO_DEVICE);
	/* Segments sit in the first entries: the range goes whole. */
	expect_u64(live_entries(rig->s), 0);
	expect_u64(dma_map_sg(dev, list.sg, 4, DMA_TO_DEVICE), count);
	/* It is free again: at once, or when the flush queue has run. */
	if (translates(dev))
		assert_true(sg_dma_address(list.sg) <= dma);
	dma_unmap_sg(dev, list.sg, 4, DMA_TO_DEVICE);
	dmasim_assert_clean(rig->s);
	expect_u64(dmasim_report_count(rig->s), count != 4);
}

/* What is missed: the CPU's cache keeps what the trailing entries held before. */
static void M07_unmap_sg_returned_count_misses_the_cache(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	u8 sent[2 * SZ_4K];
	struct list list;

	memset(sent, 0x5a, sizeof(sent));
	list_of_pages(rig, &list, 2);
	expect_u64(dma_map_sg(dev, list.sg, 2, DMA_FROM_DEVICE), 1);
	expect_done(dmasim_dev_write(rig->nvme, sg_dma_address(list.sg), sent, sizeof(sent)),
		    sizeof(sent));
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_sg(dev, list.sg, 1, DMA_FROM_DEVICE);
	expect_u64(byte_at(rig->s, sg_phys(&list.sg[0])), 0x5a);
	expect_u64(byte_at(rig->s, sg_phys(&list.sg[1])), 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

/* ---- M22: MMIO and pages --------------------------------------------------------------------- */

/* trust: M22: dma_map_page() with MMIO | our reading of the facts: dma-api 15 */
static void M22_map_page_with_mmio(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct page *page = dmasim_page(rig->s, buf);
	dma_addr_t dma;

	expect_u64(dma_map_page_attrs(dev, page, 0, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO),
		   DMA_MAPPING_ERROR);
	expect_u64(dmasim_report_count(rig->s), 0);
	/* The unmap does nothing at all: the mapping lives on. */
	dma = dma_map_page(dev, page, 0, SZ_4K, DMA_TO_DEVICE);
	dma_unmap_page_attrs(dev, dma, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	expect_read_sees(rig->s, rig->nvme, dma, buf, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 1);
	expect_only(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 0);
}

TEST_MAIN(
	IN(strict, M01_bad_direction), IN(amd_vi, M01_bad_direction), IN(riscv, M01_bad_direction),
	IN(smmuv3, M01_bad_direction), IN(lazy, M01_bad_direction),
	IN(amd_vi_lazy, M01_bad_direction), IN(riscv_lazy, M01_bad_direction),
	IN(smmuv3_lazy, M01_bad_direction), IN(direct, M01_bad_direction),
	IN(strict, M01_bad_direction_link), IN(amd_vi, M01_bad_direction_link),
	IN(riscv, M01_bad_direction_link), IN(smmuv3, M01_bad_direction_link),
	IN(lazy, M01_bad_direction_link), IN(amd_vi_lazy, M01_bad_direction_link),
	IN(riscv_lazy, M01_bad_direction_link), IN(smmuv3_lazy, M01_bad_direction_link),
	IN(strict, M02_no_dma_mask), IN(amd_vi, M02_no_dma_mask), IN(riscv, M02_no_dma_mask),
	IN(smmuv3, M02_no_dma_mask), IN(lazy, M02_no_dma_mask), IN(amd_vi_lazy, M02_no_dma_mask),
	IN(riscv_lazy, M02_no_dma_mask), IN(smmuv3_lazy, M02_no_dma_mask),
	IN(direct, M02_no_dma_mask), IN(strict, M03_ignored_mapping_error),
	IN(amd_vi, M03_ignored_mapping_error), IN(riscv, M03_ignored_mapping_error),
	IN(smmuv3, M03_ignored_mapping_error), IN(lazy, M03_ignored_mapping_error),
	IN(amd_vi_lazy, M03_ignored_mapping_error), IN(riscv_lazy, M03_ignored_mapping_error),
	IN(smmuv3_lazy, M03_ignored_mapping_error), IN(direct, M03_ignored_mapping_error_of_a_mask),
	IN(strict, M04_unmap_wrong_size_takes_the_neighbour),
	IN(amd_vi, M04_unmap_wrong_size_takes_the_neighbour),
	IN(riscv, M04_unmap_wrong_size_takes_the_neighbour),
	IN(smmuv3, M04_unmap_wrong_size_takes_the_neighbour),
	IN(lazy, M04_unmap_wrong_size_takes_the_neighbour),
	IN(amd_vi_lazy, M04_unmap_wrong_size_takes_the_neighbour),
	IN(riscv_lazy, M04_unmap_wrong_size_takes_the_neighbour),
	IN(smmuv3_lazy, M04_unmap_wrong_size_takes_the_neighbour),
	IN(strict, M04_unmap_wrong_size_finds_a_hole),
	IN(amd_vi, M04_unmap_wrong_size_finds_a_hole), IN(riscv, M04_unmap_wrong_size_finds_a_hole),
	IN(smmuv3, M04_unmap_wrong_size_finds_a_hole), IN(lazy, M04_unmap_wrong_size_finds_a_hole),
	IN(amd_vi_lazy, M04_unmap_wrong_size_finds_a_hole),
	IN(riscv_lazy, M04_unmap_wrong_size_finds_a_hole),
	IN(smmuv3_lazy, M04_unmap_wrong_size_finds_a_hole),
	IN(strict, M04_unmap_wrong_size_leaves_the_rest),
	IN(lazy, M04_unmap_wrong_size_leaves_the_rest), IN(direct, M04_unmap_wrong_size_of_nothing),
	IN(pass_through, M04_unmap_wrong_size_of_nothing), IN(strict, M05_unmap_twice),
	IN(amd_vi, M05_unmap_twice), IN(riscv, M05_unmap_twice), IN(smmuv3, M05_unmap_twice),
	IN(lazy, M05_unmap_twice), IN(amd_vi_lazy, M05_unmap_twice),
	IN(riscv_lazy, M05_unmap_twice), IN(smmuv3_lazy, M05_unmap_twice),
	IN(direct, M05_unmap_twice), IN(untrusted, M05_unmap_twice),
	IN(strict, M05_unmap_twice_of_mmio), IN(amd_vi, M05_unmap_twice_of_mmio),
	IN(riscv, M05_unmap_twice_of_mmio), IN(smmuv3, M05_unmap_twice_of_mmio),
	IN(lazy, M05_unmap_twice_of_mmio), IN(amd_vi_lazy, M05_unmap_twice_of_mmio),
	IN(riscv_lazy, M05_unmap_twice_of_mmio), IN(smmuv3_lazy, M05_unmap_twice_of_mmio),
	IN(strict, M06_unmap_other_attrs_without_mmio),
	IN(amd_vi, M06_unmap_other_attrs_without_mmio),
	IN(riscv, M06_unmap_other_attrs_without_mmio),
	IN(smmuv3, M06_unmap_other_attrs_without_mmio),
	IN(lazy, M06_unmap_other_attrs_without_mmio),
	IN(amd_vi_lazy, M06_unmap_other_attrs_without_mmio),
	IN(riscv_lazy, M06_unmap_other_attrs_without_mmio),
	IN(smmuv3_lazy, M06_unmap_other_attrs_without_mmio),
	IN(untrusted, M06_unmap_other_attrs_leaks_the_slot),
	IN(bounced, M06_unmap_other_attrs_leaks_the_slot), IN(strict, M07_unmap_sg_returned_count),
	IN(amd_vi, M07_unmap_sg_returned_count), IN(riscv, M07_unmap_sg_returned_count),
	IN(smmuv3, M07_unmap_sg_returned_count), IN(lazy, M07_unmap_sg_returned_count),
	IN(amd_vi_lazy, M07_unmap_sg_returned_count), IN(riscv_lazy, M07_unmap_sg_returned_count),
	IN(smmuv3_lazy, M07_unmap_sg_returned_count), IN(direct, M07_unmap_sg_returned_count),
	IN(no_snoop, M07_unmap_sg_returned_count_misses_the_cache),
	IN(strict, M22_map_page_with_mmio), IN(amd_vi, M22_map_page_with_mmio),
	IN(riscv, M22_map_page_with_mmio), IN(smmuv3, M22_map_page_with_mmio),
	IN(direct, M22_map_page_with_mmio))
