/* SPDX-License-Identifier: MIT */
/*
 * Faults that the IOMMU records: the words of a record, the line of Linux's driver, and what
 * happens when nobody takes them.
 */
#include <dmasim/hw/vtd.h>

#include "unit/api/machines.h"

/* Each fault here is a report, too, and that is the test's will. */
static void fault_at(struct rig *rig, struct pci_dev *pdev, dma_addr_t dma, bool write)
{
	u8 byte = 1;

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	if (write)
		expect_transfer(dmasim_dev_write(pdev, dma, &byte, 1), DMASIM_IOMMU_FAULT, 0);
	else
		expect_transfer(dmasim_dev_read(pdev, dma, &byte, 1), DMASIM_IOMMU_FAULT, 0);
}

static void take(struct rig *rig, struct dmasim_fault_record *record)
{
	memset(record, 0xee, sizeof(*record));
	assert_true(dmasim_fault_take(rig->s, record));
}

static void nothing_to_take(struct rig *rig)
{
	struct dmasim_fault_record record;

	assert_false(dmasim_fault_take(rig->s, &record));
}

static void no_fault_no_record(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);

	expect_both_ways(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	nothing_to_take(rig);
	dmasim_assert_clean(rig->s);
}

static void a_write_to_nothing_is_recorded(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;

	fault_at(rig, rig->nvme, 0x12345678, true);
	take(rig, &record);
	assert_int_equal(record.requester, rig->nvme->dev.id & 0xffff);
	expect_u64(record.address, 0x12345000);
	assert_true(record.write);
	assert_int_equal(record.reason, VTD_FAULT_NO_WRITE);
	assert_string_equal(record.line,
			    "DMAR: [DMA Write NO_PASID] Request device [03:00.0] fault addr "
			    "0x12345000 [fault reason 0x05] PTE Write access is not set");
	nothing_to_take(rig);
	dmasim_assert_clean(rig->s);
}

static void a_read_of_nothing_is_recorded(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;

	fault_at(rig, rig->disk, 0xabcdef123fff, false);
	take(rig, &record);
	assert_int_equal(record.requester, rig->disk->dev.id & 0xffff);
	expect_u64(record.address, 0xabcdef123000);
	assert_false(record.write);
	assert_int_equal(record.reason, VTD_FAULT_NO_READ);
	assert_string_equal(record.line,
			    "DMAR: [DMA Read NO_PASID] Request device [06:00.0] fault addr "
			    "0xabcdef123000 [fault reason 0x06] PTE Read access is not set");
	dmasim_assert_clean(rig->s);
}

/* Facts "iova-and-page-tables" 2.6: low word address; high word source, reason, type, F. */
static void the_words_are_those_of_the_hardware(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;
	u64 source = rig->nvme->dev.id & 0xffff;

	fault_at(rig, rig->nvme, 0x7f0000123, false);
	fault_at(rig, rig->nvme, 0x7f0000123, true);
	take(rig, &record);
	expect_u64(record.word[0] & VTD_FRCD_ADDR_MASK, 0x7f0000000);
	expect_u64(record.word[1], VTD_FRCD_FAULT | VTD_FRCD_TYPE_READ |
					   ((u64)VTD_FAULT_NO_READ << VTD_FRCD_REASON_SHIFT) |
					   source);
	take(rig, &record);
	expect_u64(record.word[1],
		   VTD_FRCD_FAULT | ((u64)VTD_FAULT_NO_WRITE << VTD_FRCD_REASON_SHIFT) | source);
	dmasim_assert_clean(rig->s);
}

/* 4 levels translate 48 bits. */
static void an_address_beyond_the_width_has_its_own_reason(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;

	fault_at(rig, rig->nvme, 1ULL << 48, true);
	take(rig, &record);
	assert_int_equal(record.reason, VTD_FAULT_BEYOND_MGAW);
	expect_u64(record.address, 1ULL << 48);
	assert_non_null(strstr(record.line, "[fault reason 0x04]"));
	dmasim_assert_clean(rig->s);
}

static void the_permission_of_an_entry_decides(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	struct dmasim_fault_record record;
	u8 byte = 1;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
	dmasim_dev_write(rig->nvme, dma + 0x123, &byte, 1);
	take(rig, &record);
	expect_u64(record.address, dma);
	assert_int_equal(record.reason, VTD_FAULT_NO_WRITE);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

static void the_oldest_is_taken_first(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;

	for (u64 i = 1; i <= 5; i++)
		fault_at(rig, i % 2 ? rig->nvme : rig->nic, i * SZ_1M, true);
	for (u64 i = 1; i <= 5; i++) {
		take(rig, &record);
		expect_u64(record.address, i * SZ_1M);
		assert_int_equal(record.requester, (i % 2 ? rig->nvme : rig->nic)->dev.id & 0xffff);
	}
	nothing_to_take(rig);
}

/*
 *   records   |1|2|3|4|5|6|7|8|     9 and 10 find no place and are lost, as in hardware
 */
static void beyond_8_records_faults_are_lost(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;

	for (u64 i = 1; i <= 10; i++)
		fault_at(rig, rig->nvme, i * SZ_1M, true);
	for (u64 i = 1; i <= 8; i++) {
		take(rig, &record);
		expect_u64(record.address, i * SZ_1M);
	}
	nothing_to_take(rig);
	/* Every one of the ten was a report all the same. */
	expect_u64(count_reports(rig->s, DMASIM_REPORT_IOMMU_FAULT), 10);
	dmasim_assert_clean(rig->s);
}

static void after_an_overflow_recording_goes_on(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;

	for (int round = 0; round < 3; round++) {
		for (u64 i = 1; i <= 9; i++)
			fault_at(rig, rig->nvme, i * SZ_1M, true);
		for (u64 i = 1; i <= 8; i++)
			take(rig, &record);
		nothing_to_take(rig);
	}
	fault_at(rig, rig->nvme, 77 * SZ_1M, false);
	take(rig, &record);
	expect_u64(record.address, 77 * SZ_1M);
	nothing_to_take(rig);
}

/* A record that is taken makes room for one; the order stays. */
static void records_are_a_ring(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;
	u64 next = 1;

	for (u64 i = 1; i <= 6; i++)
		fault_at(rig, rig->nvme, i * SZ_1M, true);
	for (u64 i = 7; i <= 30; i++) {
		take(rig, &record);
		expect_u64(record.address, next++ * SZ_1M);
		fault_at(rig, rig->nvme, i * SZ_1M, true);
	}
}

/* One unit for each root bus; taking looks at all, and the oldest comes first. */
static void faults_of_all_units_are_taken_oldest_first(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct dmasim_fault_record record;

	assert_non_null(rig);
	*state = rig;
	rig->s = dmasim_create(NULL);
	rig->nvme = dmasim_add_endpoint(rig->s, "00:01.0/00.0", &(struct dmasim_endpoint){ 0 });
	rig->disk = dmasim_add_endpoint(rig->s, "80:01.0/00.0", &(struct dmasim_endpoint){ 0 });
	for (u64 i = 1; i <= 6; i++) {
		fault_at(rig, i % 3 ? rig->disk : rig->nvme, i * SZ_1M, true);
		dmasim_run(rig->s, 100);
	}
	for (u64 i = 1; i <= 6; i++) {
		take(rig, &record);
		expect_u64(record.address, i * SZ_1M);
		assert_int_equal(record.requester,
				 (i % 3 ? rig->disk : rig->nvme)->dev.id & 0xffff);
	}
	nothing_to_take(rig);
}

static void the_report_has_the_line_of_the_driver(void **state)
{
	struct rig *rig = *state;
	struct dmasim_fault_record record;

	fault_at(rig, rig->nvme, 0x4200, true);
	take(rig, &record);
	assert_true(report_says(rig->s, DMASIM_REPORT_IOMMU_FAULT, record.line));
}

TEST_MAIN(BEHIND_VTD(no_fault_no_record), BEHIND_VTD(a_write_to_nothing_is_recorded),
	  BEHIND_VTD(a_read_of_nothing_is_recorded),
	  BEHIND_VTD(the_words_are_those_of_the_hardware),
	  BEHIND_VTD(an_address_beyond_the_width_has_its_own_reason),
	  BEHIND_VTD(the_permission_of_an_entry_decides), BEHIND_VTD(the_oldest_is_taken_first),
	  BEHIND_VTD(beyond_8_records_faults_are_lost),
	  BEHIND_VTD(after_an_overflow_recording_goes_on), BEHIND_VTD(records_are_a_ring),
	  cmocka_unit_test_teardown(faults_of_all_units_are_taken_oldest_first, rig_teardown),
	  BEHIND_VTD(the_report_has_the_line_of_the_driver))
