/* SPDX-License-Identifier: MIT */
/*
 * The program's own memory, adopted: devices reach it to the byte, and nothing beside it.
 *
 *   program   ....|<- adopted ->|....
 *   pages     |---------|---------|
 */
#include "unit/api/machines.h"

/* The middle of a static area, at an odd place; the bytes around it are guards. */
#define GUARD 64
#define BYTES 10000

static u8 *area(void)
{
	static u8 bytes[GUARD + 3 + BYTES + GUARD];

	memset(bytes, 0xaa, sizeof(bytes));
	return bytes + GUARD + 3;
}

static void expect_guards(const u8 *memory)
{
	for (int i = 1; i <= GUARD; i++) {
		assert_int_equal(memory[-i], 0xaa);
		assert_int_equal(memory[BYTES + i - 1], 0xaa);
	}
}

static phys_addr_t adopt(struct rig *rig, void *memory, u64 bytes)
{
	phys_addr_t phys = dmasim_adopt(rig->s, memory, bytes);

	assert_true(phys != DMASIM_NO_PHYS);
	return phys;
}

static void the_low_bits_are_those_of_the_pointer(void **state)
{
	struct rig *rig = *state;
	u8 *memory = area();

	for (int i = 0; i < 5; i++) {
		phys_addr_t phys = adopt(rig, memory + i * 777, 100);

		expect_u64(phys & 0xfff, (uintptr_t)(memory + i * 777) & 0xfff);
		expect_u64(dmasim_virt_to_phys(rig->s, memory + i * 777), phys);
		expect_u64(dmasim_virt_to_phys(rig->s, memory + i * 777 + 99), phys + 99);
		assert_ptr_equal(dmasim_ptr(rig->s, phys, 100), memory + i * 777);
	}
}

static void data_goes_both_ways_without_copies(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	u8 *memory = area();
	phys_addr_t phys = adopt(rig, memory, BYTES);
	dma_addr_t dma = dma_map_phys(dev, phys, BYTES, DMA_BIDIRECTIONAL, 0);
	static u8 other[BYTES];

	expect_ok(dma_mapping_error(dev, dma));
	fill_pattern(other, BYTES, 1);
	expect_done(dmasim_dev_write(rig->nvme, dma, other, BYTES), BYTES);
	assert_memory_equal(memory, other, BYTES);
	dma_sync_single_for_cpu(dev, dma, BYTES, DMA_BIDIRECTIONAL);
	fill_pattern(memory, BYTES, 2);
	dma_sync_single_for_device(dev, dma, BYTES, DMA_BIDIRECTIONAL);
	expect_done(dmasim_dev_read(rig->nvme, dma, other, BYTES), BYTES);
	assert_memory_equal(memory, other, BYTES);
	expect_guards(memory);
	dma_unmap_phys(dev, dma, BYTES, DMA_BIDIRECTIONAL, 0);
	dmasim_unadopt(rig->s, phys);
	dmasim_assert_clean(rig->s);
}

/* The IOMMU lets the whole granule through; what is not adopted is nobody's memory. */
static void no_byte_beside_the_range_is_in_reach(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	u8 *memory = area();
	phys_addr_t phys = adopt(rig, memory, BYTES);
	dma_addr_t dma = dma_map_phys(dev, phys, BYTES, DMA_BIDIRECTIONAL, 0);
	u8 bytes[4] = { 1, 2, 3, 4 };

	dmasim_expect(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 5);
	expect_transfer(dmasim_dev_write(rig->nvme, dma - 1, bytes, 1), DMASIM_UNSUPPORTED_REQUEST,
			0);
	expect_transfer(dmasim_dev_read(rig->nvme, dma - 1, bytes, 1), DMASIM_UNSUPPORTED_REQUEST,
			0);
	expect_transfer(dmasim_dev_write(rig->nvme, dma + BYTES, bytes, 1),
			DMASIM_UNSUPPORTED_REQUEST, 0);
	expect_transfer(dmasim_dev_read(rig->nvme, dma + BYTES, bytes, 1),
			DMASIM_UNSUPPORTED_REQUEST, 0);
	expect_transfer(dmasim_dev_write(rig->nvme, dma + BYTES - 2, bytes, 4),
			DMASIM_UNSUPPORTED_REQUEST, 2);
	expect_guards(memory);
	assert_int_equal(memory[BYTES - 1], 2);
	dma_unmap_phys(dev, dma, BYTES, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 5);
}

static void the_cpu_stops_at_both_ends(void **state)
{
	struct rig *rig = *state;
	u8 *memory = area(), bytes[8] = { 0 };
	phys_addr_t phys = adopt(rig, memory, BYTES);

	expect_u64(dmasim_read(rig->s, phys - 1, bytes, 2), 0);
	expect_u64(dmasim_write(rig->s, phys + BYTES - 3, bytes, 8), 3);
	expect_u64(dmasim_read(rig->s, phys + BYTES, bytes, 1), 0);
	assert_null(dmasim_ptr(rig->s, phys - 1, 2));
	assert_null(dmasim_ptr(rig->s, phys + BYTES - 1, 2));
	assert_null(dmasim_ptr(rig->s, phys + BYTES, 1));
	expect_u64(dmasim_virt_to_phys(rig->s, memory - 1), DMASIM_NO_PHYS);
	expect_u64(dmasim_virt_to_phys(rig->s, memory + BYTES), DMASIM_NO_PHYS);
	expect_guards(memory);
}

static void one_byte_can_be_adopted(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	u8 *memory = area();
	phys_addr_t phys = adopt(rig, memory, 1);
	dma_addr_t dma = dma_map_phys(dev, phys, 1, DMA_FROM_DEVICE, 0);
	u8 bytes[2] = { 0x11, 0x22 };

	dmasim_expect(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
	expect_transfer(dmasim_dev_write(rig->nvme, dma, bytes, 2), DMASIM_UNSUPPORTED_REQUEST, 1);
	assert_int_equal(memory[0], 0x11);
	assert_int_equal(memory[1], 0xaa);
	dma_unmap_phys(dev, dma, 1, DMA_FROM_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* Two pieces of one host page: each has pages of its own, so neither opens the other. */
static void neighbours_in_one_host_page_stay_apart(void **state)
{
	struct rig *rig = *state;
	u8 *memory = area();
	phys_addr_t first = adopt(rig, memory, 16);
	phys_addr_t second = adopt(rig, memory + 16, 16);

	assert_true(first >> PAGE_SHIFT != second >> PAGE_SHIFT);
	expect_u64(dmasim_read(rig->s, first, &(u64[4]){ 0 }, 32), 16);
	expect_u64(dmasim_virt_to_phys(rig->s, memory + 15), first + 15);
	expect_u64(dmasim_virt_to_phys(rig->s, memory + 16), second);
}

static void adopted_pages_can_be_mapped_by_page(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	u8 *memory = area();
	phys_addr_t phys = adopt(rig, memory, BYTES);
	struct page *page = dmasim_page(rig->s, phys);
	u64 offset = phys & (PAGE_SIZE - 1);
	dma_addr_t dma;

	assert_non_null(page);
	assert_false(is_pci_p2pdma_page(page));
	dma = dma_map_page(dev, page, offset, BYTES, DMA_BIDIRECTIONAL);
	expect_both_ways(rig->s, rig->nvme, dma, phys, BYTES);
	dma_unmap_page(dev, dma, BYTES, DMA_BIDIRECTIONAL);
	dmasim_assert_clean(rig->s);
}

static void after_unadopt_the_address_is_nobodys(void **state)
{
	struct rig *rig = *state;
	u8 *memory = area(), byte = 0;
	phys_addr_t phys = adopt(rig, memory, BYTES);

	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_ADOPTED), 1);
	dmasim_unadopt(rig->s, phys);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_ADOPTED), 0);
	expect_u64(dmasim_read(rig->s, phys, &byte, 1), 0);
	assert_null(dmasim_ptr(rig->s, phys, 1));
	expect_u64(dmasim_virt_to_phys(rig->s, memory), DMASIM_NO_PHYS);
	phys = adopt(rig, memory, BYTES);
	expect_u64(dmasim_read(rig->s, phys, &byte, 1), 1);
	expect_guards(memory);
}

static void memory_that_stays_adopted_is_no_leak(void **state)
{
	struct rig *rig = *state;

	adopt(rig, area(), BYTES);
	dmasim_assert_clean(rig->s);
}

static void no_memory_for_the_record_gives_no_address(void **state)
{
	struct rig *rig = *state;

	dmasim_fail(rig->s, DMASIM_FAULT_ADOPTED, 1);
	expect_u64(dmasim_adopt(rig->s, area(), BYTES), DMASIM_NO_PHYS);
	expect_u64(dmasim_failures(rig->s), 1);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_ADOPTED), 0);
}

static void many_small_pieces_are_each_found(void **state)
{
	struct rig *rig = *state;
	u8 *memory = area();
	phys_addr_t phys[200];

	for (int i = 0; i < 200; i++)
		phys[i] = adopt(rig, memory + i * 50, 50);
	for (int i = 0; i < 200; i += 2)
		dmasim_unadopt(rig->s, phys[i]);
	for (int i = 1; i < 200; i += 2) {
		expect_write_lands(rig->s, rig->nvme,
				   dma_map_phys(&rig->nvme->dev, phys[i], 50, DMA_FROM_DEVICE, 0),
				   phys[i], 50);
		expect_u64(dmasim_virt_to_phys(rig->s, memory + i * 50 + 49), phys[i] + 49);
		expect_u64(dmasim_virt_to_phys(rig->s, memory + i * 50 - 1), DMASIM_NO_PHYS);
	}
	expect_guards(memory);
}

TEST_MAIN(BEHIND_VTD(the_low_bits_are_those_of_the_pointer),
	  IN_BOTH_MODES(data_goes_both_ways_without_copies),
	  IN_BOTH_MODES(no_byte_beside_the_range_is_in_reach),
	  BEHIND_VTD(the_cpu_stops_at_both_ends), IN_BOTH_MODES(one_byte_can_be_adopted),
	  BEHIND_VTD(neighbours_in_one_host_page_stay_apart),
	  IN_BOTH_MODES(adopted_pages_can_be_mapped_by_page),
	  BEHIND_VTD(after_unadopt_the_address_is_nobodys),
	  BEHIND_VTD(memory_that_stays_adopted_is_no_leak),
	  BEHIND_VTD(no_memory_for_the_record_gives_no_address),
	  BEHIND_VTD(many_small_pieces_are_each_found))
