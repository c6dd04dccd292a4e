/* SPDX-License-Identifier: MIT */
/*
 * What is behind VMD: a domain of its own, whose addresses lie in the endpoint's BARs and whose
 * requests bear the endpoint's number.
 *
 *   0000:00:0e.0 the endpoint, BAR 2 at 80000000
 *      10000:e0:06.0 root port [e1] [80000000, 800fffff] -- 10000:e1:00.0 a drive at 80000000
 *      10000:e0:06.2 root port [e2] [80100000, 801fffff] -- 10000:e2:00.0 a drive at 80100000
 */
#include "unit/api/dump.h"

#define VMD_AT 0x80000000

static struct dump_function *describe_endpoint(struct dump *dump, const char *address, u32 at)
{
	struct dump_function *endpoint = dump_device(dump, address);

	dump_put(endpoint, PCI_DEVICE_ID, 2, 0x467f);
	dump_put(endpoint, PCI_CLASS_DEVICE, 2, 0x0104);
	dump_bar_32(endpoint, 2, at);
	return endpoint;
}

static void describe_drive(struct dump *dump, const char *port_at, const char *drive_at, u32 bus,
			   u32 address)
{
	struct dump_function *port = dump_bridge(dump, port_at, bus, bus);

	dump_express(port, PCI_EXP_TYPE_ROOT_PORT);
	dump_acs(port, 0x1f, 0x1d);
	dump_window(port, address, address + SZ_1M - 1);
	dump_bar_32(dump_endpoint(dump, drive_at), 0, address);
}

static void describe(struct dump *dump)
{
	describe_endpoint(dump, "00:0e.0", VMD_AT);
	describe_drive(dump, "10000:e0:06.0", "10000:e1:00.0", 0xe1, VMD_AT);
	describe_drive(dump, "10000:e0:06.2", "10000:e2:00.0", 0xe2, VMD_AT + SZ_1M);
}

/*
 * trust: VMD's domains have Linux's numbers
 * | a real machine's data: Dell XPS 9320, domain 10000
 */
static void it_has_the_number_that_linux_gave_it(void **state)
{
	struct dump *dump = *state;
	struct pci_dev *drive;

	describe(dump);
	expect_ok(dump_import(dump, NULL));
	assert_string_equal(dump->error.text, "");
	expect_u64(dump_count(dump), 5);
	drive = dump_dev(dump, "10000:e1:00.0");
	assert_string_equal(pci_name(drive), "10000:e1:00.0");
	assert_ptr_equal(pci_upstream_bridge(drive), dump_dev(dump, "10000:e0:06.0"));
	assert_ptr_equal(drive->real_dma, dump_dev(dump, "00:0e.0"));
	assert_ptr_equal(dump_dev(dump, "10000:e0:06.0")->real_dma, dump_dev(dump, "00:0e.0"));
	assert_null(dump_dev(dump, "00:0e.0")->real_dma);
	assert_null(dmasim_pci_dev(dump->s, "e1:00.0"));
	assert_null(dmasim_pci_dev(dump->s, "10001:e1:00.0"));
}

/*
 * trust: requests from behind VMD bear its endpoint's number
 * | our reading of the facts: its real DMA device
 */
static void its_requests_bear_the_endpoints_number(void **state)
{
	struct dump *dump = *state;
	struct dmasim_fault_record fault;
	struct dmasim_route route;
	char text[512];

	describe(dump);
	expect_ok(dump_import(dump, NULL));
	dmasim_route(dump_dev(dump, "10000:e1:00.0"), 0x1000, true, &route);
	dmasim_route_text(&route, text, sizeof(text));
	assert_non_null(
		strstr(text, "sent 10000:e1:00.0, up 10000:e0:06.0, up 0000:00:0e.0, root"));
	dmasim_expect(dump->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_u64(dmasim_dev_write(dump_dev(dump, "10000:e1:00.0"), 0x1000, "x", 1).done, 0);
	assert_true(dmasim_fault_take(dump->s, &fault));
	expect_u64(fault.requester, 0x0070);
}

static void its_devices_do_dma(void **state)
{
	struct dump *dump = *state;
	phys_addr_t buffer = dmasim_alloc(dump->s, SZ_4K);
	struct device *dev;
	dma_addr_t dma;

	describe(dump);
	expect_ok(dump_import(dump, NULL));
	dev = &dump_dev(dump, "10000:e2:00.0")->dev;
	dma = dma_map_phys(dev, buffer, SZ_4K, DMA_FROM_DEVICE, 0);
	assert_false(dma_mapping_error(dev, dma));
	expect_u64(dmasim_dev_write(to_pci_dev(dev), dma, "hello", 6).done, 6);
	assert_string_equal(dmasim_ptr(dump->s, buffer, 6), "hello");
	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(dump->s, buffer, SZ_4K);
	dmasim_assert_clean(dump->s);
}

static void all_of_it_is_in_the_endpoints_group(void **state)
{
	struct dump *dump = *state;
	int group;

	describe(dump);
	expect_ok(dump_import(dump, NULL));
	group = dmasim_group(dump_dev(dump, "00:0e.0"));
	assert_true(group >= 0);
	assert_int_equal(dmasim_group(dump_dev(dump, "10000:e0:06.0")), group);
	assert_int_equal(dmasim_group(dump_dev(dump, "10000:e1:00.0")), group);
	assert_int_equal(dmasim_group(dump_dev(dump, "10000:e2:00.0")), group);
}

static void the_cpu_reaches_it_through_the_endpoints_bars(void **state)
{
	struct dump *dump = *state;
	u32 bar = 9;

	describe(dump);
	expect_ok(dump_import(dump, NULL));
	assert_ptr_equal(dmasim_bar_at(dump->s, VMD_AT + SZ_1M, &bar),
			 dump_dev(dump, "10000:e2:00.0"));
	expect_u64(bar, 0);
	/* What nobody behind it has is its own. */
	assert_ptr_equal(dmasim_bar_at(dump->s, VMD_AT + 8 * SZ_1M, &bar),
			 dump_dev(dump, "00:0e.0"));
	expect_u64(bar, 2);
}

/* Of two endpoints, the one in whose BAR the domain's addresses are. */
static void the_endpoint_is_the_one_that_has_its_addresses(void **state)
{
	struct dump *dump = *state;

	describe(dump);
	describe_endpoint(dump, "00:0f.0", 0x90000000);
	describe_drive(dump, "10001:e0:06.0", "10001:e1:00.0", 0xe1, 0x90000000);
	expect_ok(dump_import(dump, NULL));
	assert_ptr_equal(dump_dev(dump, "10000:e1:00.0")->real_dma, dump_dev(dump, "00:0e.0"));
	assert_ptr_equal(dump_dev(dump, "10001:e1:00.0")->real_dma, dump_dev(dump, "00:0f.0"));
}

static void without_addresses_it_is_the_only_one(void **state)
{
	struct dump *dump = *state;

	describe_endpoint(dump, "00:0e.0", 0);
	dump_device(dump, "10000:e0:06.0");
	expect_ok(dump_import(dump, NULL));
	assert_ptr_equal(dump_dev(dump, "10000:e0:06.0")->real_dma, dump_dev(dump, "00:0e.0"));
}

static void without_an_endpoint_it_is_a_host_bridges_and_told(void **state)
{
	struct dump *dump = *state;

	dump_device(dump, "00:0e.0");
	dump_device(dump, "10000:e0:06.0");
	expect_ok(dump_import(dump, NULL));
	assert_null(dump_dev(dump, "10000:e0:06.0")->real_dma);
	assert_string_equal(dump->error.text,
			    "domain 10000 has a host bridge of its own: the file does not tell "
			    "which endpoint it is behind");
}

static void each_allocation_that_fails_leaves_nothing(void **state)
{
	struct dump *dump = *state;

	describe(dump);
	dump_import_failing(dump);
	expect_u64(dump_count(dump), 5);
}

TEST_MAIN(DUMP_TEST(it_has_the_number_that_linux_gave_it),
	  DUMP_TEST(its_requests_bear_the_endpoints_number), DUMP_TEST(its_devices_do_dma),
	  DUMP_TEST(all_of_it_is_in_the_endpoints_group),
	  DUMP_TEST(the_cpu_reaches_it_through_the_endpoints_bars),
	  DUMP_TEST(the_endpoint_is_the_one_that_has_its_addresses),
	  DUMP_TEST(without_addresses_it_is_the_only_one),
	  DUMP_TEST(without_an_endpoint_it_is_a_host_bridges_and_told),
	  DUMP_TEST(each_allocation_that_fails_leaves_nothing))
