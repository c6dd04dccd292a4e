/* SPDX-License-Identifier: MIT */
/*
 * dma-debug as a kernel has it: what it prints and when, its files, its rules of which mapping is
 * meant, its end when memory is short. tests/catalogue has its checks, one by one.
 */
#include "unit/api/lists.h"

#include <dmasim/kernel.h>

#define LOG_BYTES 8192

static const char start[] = "DMA-API: preallocated 65536 debug entries\n"
			    "DMA-API: debugging enabled by kernel config\n";

static int setup(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .dma_debug = true });
}

/* The checker's own reports are not what is looked at. */
static int setup_direct(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .dma_debug = true, .no_check = true });
}

static void expect_log(struct rig *rig, const char *expected)
{
	char log[LOG_BYTES];
	size_t length = dmasim_dma_debug_log(rig->s, log, sizeof(log));

	assert_string_equal(log, expected);
	expect_u64(length, strlen(expected));
}

static u32 errors(struct rig *rig)
{
	return dmasim_dma_debug(rig->s).error_count;
}

static dma_addr_t mapped(struct rig *rig, phys_addr_t phys, size_t size)
{
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, phys, size, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	return dma;
}

static void unmapped(struct rig *rig, dma_addr_t dma, size_t size)
{
	dma_unmap_phys(&rig->nvme->dev, dma, size, DMA_TO_DEVICE, 0);
}

/* ---- What is printed ------------------------------------------------------------------------- */

static void it_is_off_unless_asked_for(void **state)
{
	struct rig *rig = *state;
	struct dmasim_dma_debug now = dmasim_dma_debug(rig->s);
	char text[10];

	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	unmapped(rig, 0x5000, SZ_4K);
	assert_true(now.disabled);
	expect_u64(errors(rig), 0);
	expect_u64(dmasim_dma_debug_log(rig->s, text, sizeof(text)), 0);
	expect_u64(dmasim_dma_debug_dump(rig->s, text, sizeof(text)), 0);
	dmasim_assert_clean(rig->s);
}

/* The message, and where the mapping was made. */
static void an_error_is_printed_with_its_mapping(void **state)
{
	struct rig *rig = *state;
	char expected[LOG_BYTES];
	phys_addr_t buf = ram(rig, SZ_4K);
	int line = __LINE__ + 1;
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	unmapped(rig, dma, 0x100);
	snprintf(expected, sizeof(expected),
		 "%sDMA-API: pci 0000:03:00.0: device driver frees DMA memory with different size "
		 "[device address=0x%016llx] [map size=4096 bytes] [unmap size=256 bytes]\n"
		 "DMA-API: Mapped at:\n %s at %s:%d\n",
		 start, dma, __func__, __FILE__, line);
	expect_log(rig, expected);
	dmasim_assert_clean(rig->s);
}

/* num_errors is 1: the second is counted, not printed. It can be set, or all asked for. */
static void the_first_error_alone_is_printed(void **state)
{
	static const char line[] = "DMA-API: pci 0000:03:00.0: device driver tries to free an "
				   "invalid DMA memory address\n";
	struct rig *rig = *state;
	char expected[LOG_BYTES];

	dmasim_suppress(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED);
	for (int i = 0; i < 3; i++)
		unmapped(rig, DMA_MAPPING_ERROR, SZ_4K);
	snprintf(expected, sizeof(expected), "%s%s", start, line);
	expect_log(rig, expected);
	expect_u64(errors(rig), 3);
	expect_u64(dmasim_dma_debug(rig->s).num_errors, 0);
	dmasim_dma_debug_num_errors(rig->s, 2);
	for (int i = 0; i < 3; i++)
		unmapped(rig, DMA_MAPPING_ERROR, SZ_4K);
	snprintf(expected, sizeof(expected), "%s%s%s%s", start, line, line, line);
	expect_log(rig, expected);
	dmasim_dma_debug_all_errors(rig->s, true);
	unmapped(rig, DMA_MAPPING_ERROR, SZ_4K);
	assert_true(dmasim_dma_debug(rig->s).all_errors);
	snprintf(expected, sizeof(expected), "%s%s%s%s%s", start, line, line, line, line);
	expect_log(rig, expected);
	expect_u64(errors(rig), 7);
	dmasim_assert_clean(rig->s);
}

/* What is filtered out is counted, and counts down. */
static void a_filter_leaves_out_other_drivers(void **state)
{
	struct rig *rig = *state;
	char expected[LOG_BYTES];

	dmasim_suppress(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED);
	dmasim_dma_debug_driver_filter(rig->s, "nvme");
	assert_string_equal(dmasim_dma_debug(rig->s).driver_filter, "nvme");
	unmapped(rig, DMA_MAPPING_ERROR, SZ_4K);
	expect_u64(errors(rig), 1);
	expect_u64(dmasim_dma_debug(rig->s).num_errors, 0);
	dmasim_dma_debug_all_errors(rig->s, true);
	dmasim_dma_debug_driver_filter(rig->s, "pci");
	unmapped(rig, DMA_MAPPING_ERROR, SZ_4K);
	snprintf(expected, sizeof(expected),
		 "%sDMA-API: enable driver filter for driver [nvme]\n"
		 "DMA-API: enable driver filter for driver [pci]\n"
		 "DMA-API: pci 0000:03:00.0: device driver tries to free an invalid DMA memory "
		 "address\n",
		 start);
	expect_log(rig, expected);
	dmasim_assert_clean(rig->s);
}

/* ---- dump ------------------------------------------------------------------------------------ */

static void the_dump_has_a_line_for_each_entry(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	char dump[LOG_BYTES], expected[LOG_BYTES];
	phys_addr_t buf = ram(rig, SZ_16K);
	dma_addr_t asked = mapped(rig, buf, 0x100);
	dma_addr_t not_asked =
		dma_map_phys(dev, buf + SZ_4K, SZ_4K, DMA_FROM_DEVICE, DMA_ATTR_PRIVILEGED);
	dma_addr_t shared;
	void *memory = dma_alloc_coherent(dev, 0x80, &shared, GFP_KERNEL);
	phys_addr_t phys = dmasim_virt_to_phys(rig->s, memory);

	/* All in one machine's order of buckets: by bits 13 to 26 of the address. */
	expect_u64(asked, buf);
	expect_u64(not_asked, buf + SZ_4K);
	expect_u64(shared, phys);
	expect_u64(dmasim_dma_debug_dump(rig->s, dump, sizeof(dump)), 3);
	snprintf(expected, sizeof(expected),
		 "pci 0000:03:00.0 phy idx %llu P=0x%016llx D=%llx L=100 cln=0x%016llx "
		 "DMA_TO_DEVICE dma map error checked attrs=0x0\n"
		 "pci 0000:03:00.0 phy idx %llu P=0x%016llx D=%llx L=1000 cln=0x%016llx "
		 "DMA_FROM_DEVICE dma map error not checked attrs=0x200\n"
		 "pci 0000:03:00.0 coherent idx %llu P=0x%016llx D=%llx L=80 cln=0x%016llx "
		 "DMA_BIDIRECTIONAL dma map error check not applicable attrs=0x0\n",
		 asked >> 13 & 16383, buf, asked, buf >> 6, not_asked >> 13 & 16383, buf + SZ_4K,
		 not_asked, (buf + SZ_4K) >> 6, shared >> 13 & 16383, phys, shared, phys >> 6);
	assert_string_equal(dump, expected);
	expect_u64(dmasim_dma_debug(rig->s).num_free_entries, 65533);
	dma_free_coherent(dev, 0x80, memory, shared);
	unmapped(rig, asked, 0x100);
	dma_unmap_phys(dev, not_asked, SZ_4K, DMA_FROM_DEVICE, DMA_ATTR_PRIVILEGED);
	expect_u64(dmasim_dma_debug(rig->s).num_free_entries, 65536);
	expect_u64(dmasim_dma_debug(rig->s).min_free_entries, 65533);
}

/* ---- Which mapping is meant ------------------------------------------------------------------ */

/* The same buffer twice has one address: one question is about the first mapping alone. */
static void one_question_is_about_one_mapping(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t first = mapped(rig, buf, SZ_4K);
	dma_addr_t second = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_TO_DEVICE, 0);

	expect_u64(first, second);
	unmapped(rig, first, SZ_4K);
	expect_u64(errors(rig), 0);
	unmapped(rig, second, SZ_4K);
	expect_u64(errors(rig), 1);
}

/* Of two mappings that differ from the unmap none is meant; if one is like it, that one is. */
static void of_several_only_one_that_is_alike_is_found(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = mapped(rig, buf, 0x100);
	char dump[LOG_BYTES];

	expect_u64(mapped(rig, buf, 0x200), dma);
	unmapped(rig, dma, 0x300);
	expect_u64(errors(rig), 1);
	expect_u64(dmasim_dma_debug_dump(rig->s, dump, sizeof(dump)), 2);
	unmapped(rig, dma, 0x200);
	unmapped(rig, dma, 0x100);
	expect_u64(errors(rig), 1);
	expect_u64(dmasim_dma_debug_dump(rig->s, dump, sizeof(dump)), 0);
}

/* A sync is never alike in everything, so that two mappings around it are one too many. */
static void a_sync_within_two_mappings_finds_none(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = mapped(rig, buf, 0x100);

	dma_sync_single_for_device(&rig->nvme->dev, dma, 0x100, DMA_TO_DEVICE);
	expect_u64(errors(rig), 0);
	expect_u64(mapped(rig, buf, 0x100), dma);
	dma_sync_single_for_device(&rig->nvme->dev, dma, 0x100, DMA_TO_DEVICE);
	expect_u64(errors(rig), 1);
	unmapped(rig, dma, 0x100);
	unmapped(rig, dma, 0x100);
	expect_u64(errors(rig), 1);
}

/* Far behind the start of a mapping: it is looked for in the buckets before. */
static void a_sync_far_inside_finds_its_mapping(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = mapped(rig, ram(rig, SZ_16M), SZ_16M);

	dma_sync_single_for_device(&rig->nvme->dev, dma + SZ_16M - 1, 1, DMA_TO_DEVICE);
	expect_u64(errors(rig), 0);
	dma_sync_single_for_device(&rig->nvme->dev, dma + SZ_16M, 1, DMA_TO_DEVICE);
	expect_u64(errors(rig), 1);
	unmapped(rig, dma, SZ_16M);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* 32 more at a time. */
static void the_pool_grows(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_64M);
	struct dmasim_dma_debug now;

	for (u32 i = 0; i <= 65536; i++)
		mapped(rig, buf + 64ULL * i, 64);
	now = dmasim_dma_debug(rig->s);
	expect_u64(now.nr_total_entries, 65568);
	expect_u64(now.num_free_entries, 31);
	expect_u64(now.min_free_entries, 0);
	assert_false(now.disabled);
}

static void without_memory_it_gives_up(void **state)
{
	struct rig *rig = *state;
	char expected[LOG_BYTES];

	/* The buckets, then an entry. */
	dmasim_fail(rig->s, DMASIM_FAULT_DMA_DEBUG, 2);
	mapped(rig, ram(rig, SZ_4K), SZ_4K);
	assert_true(dmasim_dma_debug(rig->s).disabled);
	snprintf(expected, sizeof(expected), "%sDMA-API: debugging out of memory - disabling\n",
		 start);
	expect_log(rig, expected);
	/* Whatever comes now is not looked at. */
	unmapped(rig, 0x5000, SZ_4K);
	expect_u64(errors(rig), 0);
}

static void without_memory_for_a_line_it_gives_up(void **state)
{
	struct rig *rig = *state;
	char expected[LOG_BYTES];
	dma_addr_t dma;

	/* The buckets, an entry, and the cache line that it begins in. */
	dmasim_fail(rig->s, DMASIM_FAULT_DMA_DEBUG, 3);
	dma = dma_map_phys(&rig->nvme->dev, ram(rig, SZ_4K), SZ_4K, DMA_FROM_DEVICE, 0);
	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	assert_true(dmasim_dma_debug(rig->s).disabled);
	snprintf(expected, sizeof(expected),
		 "%sDMA-API: cacheline tracking ENOMEM, dma-debug disabled\n", start);
	expect_log(rig, expected);
}

/* ---- Drivers --------------------------------------------------------------------------------- */

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	u8 *buffer = kmalloc(64, GFP_KERNEL);
	dma_addr_t dma;

	(void)id;
	if (!buffer)
		return -ENOMEM;
	dma = dma_map_single(&pdev->dev, buffer, 64, DMA_TO_DEVICE);
	if (dma_mapping_error(&pdev->dev, dma))
		return -EIO;
	dma_sync_single_for_cpu(&pdev->dev, dma + 64, 64, DMA_TO_DEVICE);
	pdev->dev.driver_data = buffer;
	return 0;
}

static void forget(struct pci_dev *pdev)
{
	kfree(pdev->dev.driver_data);
}

/* By its driver's name; when that has let go, by the bus's. */
static void a_driver_is_named(void **state)
{
	static const struct pci_device_id ids[] = {
		{ PCI_ANY_ID, PCI_ANY_ID, PCI_ANY_ID, PCI_ANY_ID, 0, 0, 0 }, { 0 }
	};
	struct pci_driver driver = {
		.name = "leaky", .id_table = ids, .probe = probe, .remove = forget
	};
	struct rig *rig = *state;
	char log[LOG_BYTES];

	dmasim_enter(rig->s);
	dmasim_dma_debug_all_errors(rig->s, true);
	dmasim_suppress(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED);
	dmasim_suppress(rig->s, DMASIM_REPORT_MAPPING_LEAKED);
	dmasim_suppress(rig->s, DMASIM_REPORT_KERNEL_MISUSE);
	expect_ok(pci_register_driver(&driver));
	pci_unregister_driver(&driver);
	dmasim_enter(NULL);
	dmasim_dma_debug_log(rig->s, log, sizeof(log));
	assert_non_null(strstr(log, "DMA-API: leaky 0000:03:00.0: device driver tries to sync DMA "
				    "memory it has not allocated [device address=0x"));
	assert_non_null(strstr(log, "DMA-API: pci 0000:03:00.0: device driver has pending DMA "
				    "allocations while released from device [count=1]\nOne of "
				    "leaked entries details: [device address=0x"));
	assert_true(count_reports(rig->s, DMASIM_REPORT_MAPPING_LEAKED) >= 4);
	dmasim_assert_clean(rig->s);
}

#define DIRECT(test) WITH_SETUP(test, setup_direct)

TEST_MAIN(BEHIND_VTD(it_is_off_unless_asked_for),
	  WITH_SETUP(an_error_is_printed_with_its_mapping, setup),
	  WITH_SETUP(the_first_error_alone_is_printed, setup),
	  WITH_SETUP(a_filter_leaves_out_other_drivers, setup),
	  DIRECT(the_dump_has_a_line_for_each_entry), DIRECT(one_question_is_about_one_mapping),
	  DIRECT(of_several_only_one_that_is_alike_is_found),
	  DIRECT(a_sync_within_two_mappings_finds_none),
	  DIRECT(a_sync_far_inside_finds_its_mapping), DIRECT(the_pool_grows),
	  DIRECT(without_memory_it_gives_up), DIRECT(without_memory_for_a_line_it_gives_up),
	  WITH_SETUP(a_driver_is_named, setup))
