/* SPDX-License-Identifier: MIT */
/*
 * Under which number a device is known to the IOMMU, where it is not its own: conventional PCI has
 * none, so bridges from there lend theirs (facts "dma-api" 18.2). Software must know it, too.
 *
 *   00:01.0 root port -- 01:00.0 bridge to PCI --+-- 02:04.0
 *                                                +-- 02:05.0
 *                                                +-- 02:06.0 conventional bridge -- 03:00.0
 *   00:02.0 conventional bridge -- 04:00.0
 */
#include "unit/api/dump.h"

static void describe(struct dump *dump)
{
	dump_express(dump_bridge(dump, "00:01.0", 0x01, 0x03), PCI_EXP_TYPE_ROOT_PORT);
	dump_express(dump_bridge(dump, "01:00.0", 0x02, 0x03), PCI_EXP_TYPE_PCI_BRIDGE);
	dump_device(dump, "02:04.0");
	dump_device(dump, "02:05.0");
	dump_bridge(dump, "02:06.0", 0x03, 0x03);
	dump_device(dump, "03:00.0");
	dump_bridge(dump, "00:02.0", 0x04, 0x04);
	dump_device(dump, "04:00.0");
}

static int setup(void **state)
{
	struct dump *dump;

	if (dump_setup(state))
		return -1;
	dump = *state;
	describe(dump);
	return dump_import(dump, NULL);
}

static void expect_arrival(struct dump *dump, const char *bdf)
{
	struct pci_dev *pdev = dump_dev(dump, bdf);
	phys_addr_t buf = dmasim_alloc(dump->s, SZ_4K);
	dma_addr_t dma = dma_map_phys(&pdev->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	char found[5] = "";

	assert_false(dma_mapping_error(&pdev->dev, dma));
	expect_done(dmasim_dev_write(pdev, dma + 8, "hello", 5), 5);
	expect_u64(dmasim_read(dump->s, buf + 8, found, 5), 5);
	assert_memory_equal(found, "hello", 5);
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(dump->s, buf, SZ_4K);
}

static void devices_behind_bridges_from_pci_reach_what_they_mapped(void **state)
{
	struct dump *dump = *state;

	expect_arrival(dump, "02:04.0");
	expect_arrival(dump, "02:05.0");
	expect_arrival(dump, "03:00.0");
	expect_arrival(dump, "04:00.0");
	dmasim_assert_clean(dump->s);
}

/* The hardware cannot tell them apart, so they have one domain. */
static void who_shares_a_number_shares_the_group(void **state)
{
	struct dump *dump = *state;
	int group = dmasim_group(dump_dev(dump, "01:00.0"));

	assert_int_equal(dmasim_group(dump_dev(dump, "02:04.0")), group);
	assert_int_equal(dmasim_group(dump_dev(dump, "02:05.0")), group);
	assert_int_equal(dmasim_group(dump_dev(dump, "03:00.0")), group);
	assert_int_not_equal(dmasim_group(dump_dev(dump, "04:00.0")), group);
	assert_int_equal(dmasim_group(dump_dev(dump, "04:00.0")),
			 dmasim_group(dump_dev(dump, "00:02.0")));
}

static void expect_fault(struct dump *dump, const char *bdf, u16 requester, const char *said)
{
	struct pci_dev *pdev = dump_dev(dump, bdf);
	struct dmasim_fault_record record;
	struct dmasim_report report;
	u32 count = dmasim_report_count(dump->s);

	dmasim_expect(dump->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_u64(dmasim_dev_write(pdev, 0x7000, "x", 1).done, 0);
	assert_true(dmasim_fault_take(dump->s, &record));
	expect_u64(record.requester, requester);
	assert_non_null(strstr(record.line, said));
	/* The report names the device, and then what the driver would say. */
	assert_true(dmasim_report_get(dump->s, count, &report));
	expect_u64(report.dev, pdev->dev.id);
	assert_non_null(strstr(report.text, said));
}

static void faults_are_recorded_under_the_number_the_hardware_sees(void **state)
{
	struct dump *dump = *state;

	expect_fault(dump, "02:04.0", 0x0200, "Request device [02:00.0]");
	expect_fault(dump, "02:05.0", 0x0200, "Request device [02:00.0]");
	expect_fault(dump, "03:00.0", 0x0200, "Request device [02:00.0]");
	expect_fault(dump, "04:00.0", 0x0010, "Request device [00:02.0]");
	dmasim_assert_clean(dump->s);
}

/* Whatever context entry there is no memory for: nothing works at first, everything later. */
static void contexts_without_memory_are_tried_again(void **state)
{
	struct dump *dump = *state;
	struct pci_dev *pdev = dump_dev(dump, "03:00.0");
	phys_addr_t buf = dmasim_alloc(dump->s, SZ_4K);
	u64 nth = 0;
	dma_addr_t dma;

	do {
		dmasim_fail(dump->s, DMASIM_FAULT_IOMMU_CONTEXT, ++nth);
		dma = dma_map_phys(&pdev->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	} while (dma_mapping_error(&pdev->dev, dma));
	dmasim_fail(dump->s, DMASIM_FAULT_ANY, 0);
	/* Entries are made a bus at a time, and kept: without 00; 01; 03; then two are left. */
	expect_u64(nth, 4);
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(dump->s, buf, SZ_4K);
	expect_arrival(dump, "02:04.0");
	expect_arrival(dump, "03:00.0");
	dmasim_assert_clean(dump->s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, dump_teardown)

TEST_MAIN(TEST(devices_behind_bridges_from_pci_reach_what_they_mapped),
	  TEST(who_shares_a_number_shares_the_group),
	  TEST(faults_are_recorded_under_the_number_the_hardware_sees),
	  TEST(contexts_without_memory_are_tried_again))
