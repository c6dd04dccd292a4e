/* SPDX-License-Identifier: MIT */
/*
 * Import of lspci dumps: which functions there are, where they sit in the tree, what is known.
 */
#include "unit/api/dump.h"

/* ---- What the file looks like --------------------------------------------------------------- */

static void a_64_byte_dump_shows_no_capabilities(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);

	dump_express(port, PCI_EXP_TYPE_ROOT_PORT);
	dump_acs(port, 0x1f, 0x1d);
	port->bytes = 64;
	expect_ok(dump_import(dump, NULL));

	expect_u64(dmasim_config_bytes(dump_dev(dump, "00:01.0")), 64);
	assert_int_equal(dump_dev(dump, "00:01.0")->express_type, -1);
	expect_u64(dump_dev(dump, "00:01.0")->acs_cap, 0);
}

static void a_256_byte_dump_shows_express_and_no_acs(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);

	dump_express(port, PCI_EXP_TYPE_ROOT_PORT);
	dump_acs(port, 0x1f, 0x1d);
	port->bytes = 256;
	expect_ok(dump_import(dump, NULL));

	expect_u64(dmasim_config_bytes(dump_dev(dump, "00:01.0")), 256);
	assert_int_equal(dump_dev(dump, "00:01.0")->express_type, PCI_EXP_TYPE_ROOT_PORT);
	expect_u64(dump_dev(dump, "00:01.0")->acs_cap, 0);
}

static void a_4096_byte_dump_shows_acs(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);
	struct pci_dev *pdev;
	u16 control;

	dump_express(port, PCI_EXP_TYPE_ROOT_PORT);
	dump_acs(port, 0x5f, 0x1d);
	expect_ok(dump_import(dump, NULL));

	pdev = dump_dev(dump, "00:01.0");
	expect_u64(dmasim_config_bytes(pdev), 4096);
	expect_u64(pdev->acs_cap, 0x100);
	pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, &control);
	expect_u64(control, 0x1d);
}

static const char plain[] = "00:1f.0 ISA bridge\n"
			    "00: 86 80 03 7a 06 00 00 00 00 00 01 06 00 00 00 00\n"
			    "10: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
			    "20: 00 00 00 00 00 00 00 00 00 00 00 00 43 10 82 1f\n"
			    "30: 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00\n";

static void expect_plain(struct dump *dump, int err)
{
	expect_ok(err);
	expect_u64(dump_count(dump), 1);
	expect_u64(dump_dev(dump, "0000:00:1f.0")->device, 0x7a03);
	expect_u64(dump_dev(dump, "00:1f.0")->class_code, 0x060100);
	assert_string_equal(dump->error.text, "");
}

static void the_last_function_needs_no_empty_line_after_it(void **state)
{
	struct dump *dump = *state;

	expect_plain(dump, dump_import_bytes(dump, plain, sizeof(plain) - 1));
}

static void the_last_line_needs_no_end(void **state)
{
	struct dump *dump = *state;

	expect_plain(dump, dump_import_bytes(dump, plain, sizeof(plain) - 2));
}

static void a_header_may_name_the_domain_and_nothing_else(void **state)
{
	struct dump *dump = *state;
	char text[sizeof(plain) + 32];

	snprintf(text, sizeof(text), "0000:00:1f.0\n%s", strchr(plain, '\n') + 1);
	expect_plain(dump, dump_import_text(dump, text));
}

static void lines_may_end_as_on_windows(void **state)
{
	struct dump *dump = *state;
	char text[2 * sizeof(plain)];
	size_t length = 0;

	for (const char *at = plain; *at; at++) {
		if (*at == '\n')
			text[length++] = '\r';
		text[length++] = *at;
	}
	expect_plain(dump, dump_import_bytes(dump, text, length));
}

static void digits_may_be_large(void **state)
{
	struct dump *dump = *state;
	char text[sizeof(plain)];

	for (size_t i = 0; i < sizeof(plain); i++)
		text[i] = plain[i] >= 'a' && plain[i] <= 'f' ? (char)(plain[i] - 32) : plain[i];
	expect_plain(dump, dump_import_text(dump, text));
}

/* What -v prints before the registers, mail around it, a very long line, binary bytes. */
static void other_lines_mean_nothing(void **state)
{
	struct dump *dump = *state;
	static char text[100000];
	size_t length;

	length = (size_t)snprintf(text, sizeof(text),
				  "On Monday somebody wrote:\n"
				  "> $ lspci -xxxx | grep 00:1f.0\n"
				  "be: a word of prose\n\n"
				  "00:1f.0 ISA bridge: X\n"
				  "\tControl: I/O- Mem+ BusMaster+\n"
				  "\tCapabilities: [40] Express (v2)\n"
				  "%s"
				  "-- \nsignature\n",
				  strchr(plain, '\n') + 1);
	memset(text + length, 'x', 90000);
	length += 90000;
	memcpy(text + length, "\n\0\xff\x01\n", 5);
	expect_plain(dump, dump_import_bytes(dump, text, length + 5));
}

/* ---- The tree ------------------------------------------------------------------------------- */

/*
 *   00:01.0 [01-03] -- 01:00.0 [02-03] -- 02:01.0 [03] -- 03:00.0
 *   80:00.0
 */
static void bridges_lead_by_their_bus_numbers(void **state)
{
	struct dump *dump = *state;

	/* In any order. */
	dump_device(dump, "80:00.0");
	dump_device(dump, "03:00.0");
	dump_bridge(dump, "02:01.0", 0x03, 0x03);
	dump_bridge(dump, "01:00.0", 0x02, 0x03);
	dump_bridge(dump, "00:01.0", 0x01, 0x03);
	expect_ok(dump_import(dump, NULL));

	expect_u64(dump_count(dump), 5);
	assert_ptr_equal(pci_upstream_bridge(dump_dev(dump, "03:00.0")), dump_dev(dump, "02:01.0"));
	assert_ptr_equal(pci_upstream_bridge(dump_dev(dump, "02:01.0")), dump_dev(dump, "01:00.0"));
	assert_ptr_equal(pci_upstream_bridge(dump_dev(dump, "01:00.0")), dump_dev(dump, "00:01.0"));
	assert_null(pci_upstream_bridge(dump_dev(dump, "00:01.0")));
	assert_null(pci_upstream_bridge(dump_dev(dump, "80:00.0")));
}

static void domains_have_buses_of_their_own(void **state)
{
	struct dump *dump = *state;

	dump_bridge(dump, "0000:00:00.0", 0x01, 0xff);
	dump_device(dump, "0000:01:00.0");
	dump_bridge(dump, "0030:00:00.0", 0x01, 0xff);
	dump_device(dump, "0030:01:00.0");
	expect_ok(dump_import(dump, NULL));

	expect_u64(dump_count(dump), 4);
	assert_ptr_equal(pci_upstream_bridge(dump_dev(dump, "0000:01:00.0")),
			 dump_dev(dump, "0000:00:00.0"));
	assert_ptr_equal(pci_upstream_bridge(dump_dev(dump, "0030:01:00.0")),
			 dump_dev(dump, "0030:00:00.0"));
}

/* Old root complexes have a primary bus of 0 in every bridge. */
static void the_primary_bus_number_is_not_asked(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "04:00.0", 0x05, 0x05);

	dump_put(port, PCI_PRIMARY_BUS, 1, 0xaa);
	dump_device(dump, "05:00.0");
	expect_ok(dump_import(dump, NULL));
	assert_ptr_equal(pci_upstream_bridge(dump_dev(dump, "05:00.0")), dump_dev(dump, "04:00.0"));
}

static void bridges_without_numbers_lead_nowhere(void **state)
{
	struct dump *dump = *state;

	dump_bridge(dump, "00:01.0", 0, 0);
	dump_bridge(dump, "00:02.0", 0, 0);
	dump_bridge(dump, "00:03.0", 0x01, 0x01);
	dump_device(dump, "01:00.0");
	expect_ok(dump_import(dump, NULL));
	expect_u64(dump_count(dump), 4);
	assert_ptr_equal(pci_upstream_bridge(dump_dev(dump, "01:00.0")), dump_dev(dump, "00:03.0"));
}

/* Function 0 is missing, and function 0 that does not say there are more. */
static void functions_are_found_whatever_function_0_says(void **state)
{
	struct dump *dump = *state;

	dump_device(dump, "00:02.3");
	dump_device(dump, "00:03.0");
	dump_device(dump, "00:03.5");
	expect_ok(dump_import(dump, NULL));
	expect_u64(dump_count(dump), 3);
	dump_dev(dump, "00:02.3");
	dump_dev(dump, "00:03.5");
	assert_true(dump_dev(dump, "00:03.0")->multifunction);
}

/* Every register reads as ones. */
static void a_function_that_did_not_answer_is_there_and_unknown(void **state)
{
	struct dump *dump = *state;
	struct dump_function *silent;
	struct pci_dev *pdev;

	dump_bridge(dump, "00:01.0", 0x01, 0x01);
	silent = dump_endpoint(dump, "01:00.0");
	memset(silent->config, 0xff, silent->bytes);
	expect_ok(dump_import(dump, NULL));

	pdev = dump_dev(dump, "01:00.0");
	assert_ptr_equal(pci_upstream_bridge(pdev), dump_dev(dump, "00:01.0"));
	expect_u64(dmasim_config_bytes(pdev), 64);
	expect_u64(pdev->vendor, 0);
	expect_u64(pci_resource_flags(pdev, 0), 0);
	assert_string_equal(dump->error.text,
			    "1 function (0000:01:00.0) did not answer when the dump was made: "
			    "registers unknown, read as zeros");
}

/* Their vendor reads as ones, so enumeration does not find them. */
static void virtual_functions_are_left_out_and_told(void **state)
{
	struct dump *dump = *state;

	dump_device(dump, "00:02.0");
	dump_put(dump_device(dump, "00:02.1"), PCI_VENDOR_ID, 4, 0xffffffff);
	dump_put(dump_device(dump, "00:02.2"), PCI_VENDOR_ID, 4, 0xffffffff);
	expect_ok(dump_import(dump, NULL));
	expect_u64(dump_count(dump), 1);
	assert_string_equal(dump->error.text, "2 functions (0000:00:02.1 ...) left out: virtual "
					      "functions of SR-IOV that no function in the file "
					      "has enabled");
}

static void domains_that_no_machine_has_are_left_out_and_told(void **state)
{
	struct dump *dump = *state;

	dump_device(dump, "00:0e.0");
	dump_device(dump, "ffc0:00:00.0");
	dump_bridge(dump, "20000:e0:06.0", 0xe1, 0xe1);
	dump_device(dump, "20000:e1:00.0");
	expect_ok(dump_import(dump, NULL));
	expect_u64(dump_count(dump), 1);
	assert_string_equal(dump->error.text,
			    "3 functions (ffc0:00:00.0 ...) left out: a domain is 0000 to ffbf, or "
			    "VMD's 10000 to 1003e, here");
}

static void cards_behind_a_cardbus_bridge_are_left_out_and_told(void **state)
{
	struct dump *dump = *state;
	struct dump_function *cardbus = dump_bridge(dump, "00:02.0", 0x02, 0x05);

	dump_put(cardbus, PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_CARDBUS);
	dump_device(dump, "02:00.0");
	dump_bridge(dump, "02:01.0", 0x03, 0x03);
	dump_device(dump, "03:00.0");
	expect_ok(dump_import(dump, NULL));
	expect_u64(dump_count(dump), 1);
	expect_u64(dump_dev(dump, "00:02.0")->hdr_type, PCI_HEADER_TYPE_CARDBUS);
	assert_string_equal(dump->error.text, "3 functions (0000:02:00.0 ...) left out: behind a "
					      "CardBus bridge");
}

/* ---- What functions do ---------------------------------------------------------------------- */

/*
 *   00:01.0 [01] window 0x80000000-0x800fffff -- 01:00.0 BAR 0 at 0x80000000, memory off
 */
static void memory_decoding_is_as_the_command_register_says(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);
	struct dump_function *off = dump_endpoint(dump, "01:00.0");
	u32 value = 0x12345678, seen = 0;

	dump_window(port, 0x80000000, 0x800fffff);
	dump_bar_32(off, 0, 0x80000000);
	dump_put(off, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	expect_ok(dump_import(dump, NULL));

	expect_u64(dmasim_write(dump->s, 0x80000000, &value, 4), 0);
	expect_ok(pci_enable_device(dump_dev(dump, "01:00.0")));
	expect_u64(dmasim_write(dump->s, 0x80000000, &value, 4), 4);
	expect_u64(dmasim_read(dump->s, 0x80000000, &seen, 4), 4);
	expect_u64(seen, value);
}

static void devices_of_an_imported_machine_do_dma(void **state)
{
	struct dump *dump = *state;
	char sent[64] = "through the page tables", received[64];
	phys_addr_t buffer;
	struct pci_dev *pdev;
	dma_addr_t dma;

	dump_bridge(dump, "00:01.0", 0x01, 0x01);
	dump_endpoint(dump, "01:00.0");
	expect_ok(dump_import(dump, NULL));

	pdev = dump_dev(dump, "01:00.0");
	buffer = dmasim_alloc(dump->s, PAGE_SIZE);
	dma = dma_map_phys(&pdev->dev, buffer, sizeof(sent), DMA_FROM_DEVICE, 0);
	expect_ok(dma_mapping_error(&pdev->dev, dma));
	assert_true(dma != buffer);
	expect_done(dmasim_dev_write(pdev, dma, sent, sizeof(sent)), sizeof(sent));
	dma_unmap_phys(&pdev->dev, dma, sizeof(sent), DMA_FROM_DEVICE, 0);
	expect_u64(dmasim_read(dump->s, buffer, received, sizeof(received)), sizeof(received));
	assert_memory_equal(received, sent, sizeof(sent));
	dmasim_free(dump->s, buffer, PAGE_SIZE);
	dmasim_assert_clean(dump->s);
}

/* ---- Again ---------------------------------------------------------------------------------- */

static void a_machine_that_failed_to_import_takes_another_dump(void **state)
{
	struct dump *dump = *state;

	expect_error(dump_import_text(dump, "00:00.0 X\n00: 11\n"), -EINVAL);
	expect_u64(dump_count(dump), 0);
	expect_plain(dump, dump_import_text(dump, plain));
}

/* No way leads to 03:00.0: this is found only when all the hardware is there. */
static void a_machine_whose_tree_was_wrong_is_empty_again(void **state)
{
	struct dump *dump = *state;
	struct dmasim_window window;

	dump_bridge(dump, "00:01.0", 0x01, 0x03);
	dump_bar_32(dump_device(dump, "01:00.0"), 0, 0x80000000);
	dump_device(dump, "03:00.0");
	expect_error(dump_import(dump, NULL), -EINVAL);
	expect_u64(dump_count(dump), 0);
	assert_false(dmasim_window(dump->s, 0, &window));
	assert_non_null(dmasim_add_endpoint(dump->s, "00:01.0/00.0",
					    &(struct dmasim_endpoint){ .bar = { SZ_16K } }));
}

static int setup_hash(void **state)
{
	return dump_setup_config(state,
				 &(struct dmasim_config){ DMASIM_CONFIG, .trace_hash = true });
}

/* A device that uses an address nobody mapped: the trace names the IOMMU that refuses it. */
static u64 hash_of_a_fault(struct dmasim *s)
{
	struct pci_dev *pdev = dmasim_pci_dev(s, "00:1f.0");

	assert_non_null(pdev);
	dmasim_expect(s, DMASIM_REPORT_IOMMU_FAULT, 1);
	pci_set_master(pdev);
	expect_transfer(dmasim_dev_write(pdev, 0x1000, "x", 1), DMASIM_IOMMU_FAULT, 0);
	return dmasim_trace_hash(s);
}

static void an_import_that_failed_leaves_no_trace(void **state)
{
	struct dump *dump = *state;
	struct dmasim *failed = dump->s;
	u64 hash;

	dump_bridge(dump, "00:01.0", 0x01, 0x03);
	dump_device(dump, "03:00.0");
	expect_error(dump_import(dump, NULL), -EINVAL);
	expect_plain(dump, dump_import_text(dump, plain));
	hash = hash_of_a_fault(failed);

	dump->s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .trace_hash = true });
	dmasim_destroy(failed);
	assert_non_null(dump->s);
	expect_plain(dump, dump_import_text(dump, plain));
	expect_u64(hash_of_a_fault(dump->s), hash);
}

/* A tree with everything that takes memory: two roots, bridges, windows, and RAM that moves. */
static void describe_all(struct dump *dump)
{
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);
	struct dump_function *gpu;

	dump_prefetch_window(port, SZ_4G, SZ_4G + SZ_1G - 1);
	gpu = dump_endpoint(dump, "01:00.0");
	dump_bar_64(gpu, 0, SZ_4G);
	dump_acs(gpu, 0x1f, 0);
	dump_bar_32(dump_device(dump, "80:00.0"), 0, 0x80000000);
}

static void expect_high_ram(struct dump *dump, phys_addr_t expected)
{
	phys_addr_t start;
	u64 bytes;

	assert_true(dmasim_ram(dump->s, 1, &start, &bytes));
	expect_u64(start, expected);
}

static void each_allocation_that_fails_leaves_the_machine_as_it_was(void **state)
{
	struct dump *dump = *state;
	u64 nth = 0;
	int err;

	describe_all(dump);
	do {
		u64 in_use = dmasim_in_use(dump->s, DMASIM_FAULT_IMPORT);

		expect_u64(in_use, 0);
		dmasim_fail(dump->s, DMASIM_FAULT_ANY, ++nth);
		err = dump_import(dump, NULL);
		expect_u64(dmasim_failures(dump->s), err ? 1 : 0);
		if (!err)
			break;
		expect_error(err, -ENOMEM);
		assert_non_null(strstr(dump->error.text, "no memory"));
		expect_u64(dump_count(dump), 0);
		expect_u64(dmasim_in_use(dump->s, DMASIM_FAULT_PCI_FUNCTION), 0);
		expect_u64(dmasim_in_use(dump->s, DMASIM_FAULT_PCI_DEV), 0);
		expect_u64(dmasim_in_use(dump->s, DMASIM_FAULT_IOMMU_UNIT), 0);
		expect_high_ram(dump, SZ_4G);
	} while (nth < 1000);
	assert_true(nth > 10);
	dmasim_fail(dump->s, DMASIM_FAULT_ANY, 0);
	expect_u64(dump_count(dump), 3);
	expect_u64(dmasim_in_use(dump->s, DMASIM_FAULT_IMPORT), 0);
	expect_high_ram(dump, SZ_4G + SZ_1G);
}

static u64 units(struct dmasim *s)
{
	return dmasim_in_use(s, DMASIM_FAULT_IOMMU_UNIT);
}

static void each_root_bus_has_an_iommu_of_its_own(void **state)
{
	struct dump *dump = *state;
	struct dmasim *one = dmasim_create(NULL);
	u64 of_one;

	assert_non_null(one);
	dmasim_add_host_bridge(one, &(struct dmasim_host_bridge){ 0 });
	of_one = units(one);
	dmasim_destroy(one);

	describe_all(dump);
	expect_ok(dump_import(dump, NULL));
	expect_u64(units(dump->s), 2 * of_one);
	assert_true(dmasim_group(dump_dev(dump, "01:00.0")) >= 0);
	assert_true(dmasim_group(dump_dev(dump, "80:00.0")) >= 0);
}

static int setup_incoherent(void **state)
{
	return dump_setup_config(
		state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu_incoherent = true });
}

/* What the CPU's cache and the walker know of RAM must move with it. */
static void ram_that_was_moved_is_mapped_by_an_incoherent_iommu(void **state)
{
	struct dump *dump = *state;
	phys_addr_t start, buf;
	struct pci_dev *pdev;
	dma_addr_t dma;
	u8 found[5];
	u64 bytes;

	dump_bar_64(dump_device(dump, "00:01.0"), 0, SZ_4G);
	expect_ok(dump_import(dump, NULL));
	assert_true(dmasim_ram(dump->s, 1, &start, &bytes));
	assert_true(start > SZ_4G);
	pdev = dump_dev(dump, "00:01.0");
	expect_ok(dma_set_mask(&pdev->dev, DMA_BIT_MASK(64)));
	/* Too much for what is below 4 GiB. */
	buf = dmasim_alloc(dump->s, SZ_1G);
	assert_true(buf >= start && buf < start + bytes);
	for (u64 offset = 0; offset < SZ_1G; offset += SZ_1G - SZ_64K) {
		dma = dma_map_phys(&pdev->dev, buf + offset, SZ_64K, DMA_BIDIRECTIONAL, 0);
		assert_false(dma_mapping_error(&pdev->dev, dma));
		expect_done(dmasim_dev_write(pdev, dma + SZ_64K - 5, "hello", 5), 5);
		expect_u64(dmasim_read(dump->s, buf + offset + SZ_64K - 5, found, 5), 5);
		assert_memory_equal(found, "hello", 5);
		dma_unmap_phys(&pdev->dev, dma, SZ_64K, DMA_BIDIRECTIONAL, 0);
	}
	dmasim_free(dump->s, buf, SZ_1G);
	dmasim_assert_clean(dump->s);
}

TEST_MAIN(cmocka_unit_test_setup_teardown(ram_that_was_moved_is_mapped_by_an_incoherent_iommu,
					  setup_incoherent, dump_teardown),
	  DUMP_TEST(a_64_byte_dump_shows_no_capabilities),
	  DUMP_TEST(a_256_byte_dump_shows_express_and_no_acs),
	  DUMP_TEST(a_4096_byte_dump_shows_acs),
	  DUMP_TEST(the_last_function_needs_no_empty_line_after_it),
	  DUMP_TEST(the_last_line_needs_no_end),
	  DUMP_TEST(a_header_may_name_the_domain_and_nothing_else),
	  DUMP_TEST(lines_may_end_as_on_windows), DUMP_TEST(digits_may_be_large),
	  DUMP_TEST(other_lines_mean_nothing), DUMP_TEST(bridges_lead_by_their_bus_numbers),
	  DUMP_TEST(domains_have_buses_of_their_own),
	  DUMP_TEST(the_primary_bus_number_is_not_asked),
	  DUMP_TEST(bridges_without_numbers_lead_nowhere),
	  DUMP_TEST(functions_are_found_whatever_function_0_says),
	  DUMP_TEST(a_function_that_did_not_answer_is_there_and_unknown),
	  DUMP_TEST(virtual_functions_are_left_out_and_told),
	  DUMP_TEST(domains_that_no_machine_has_are_left_out_and_told),
	  DUMP_TEST(cards_behind_a_cardbus_bridge_are_left_out_and_told),
	  DUMP_TEST(memory_decoding_is_as_the_command_register_says),
	  DUMP_TEST(devices_of_an_imported_machine_do_dma),
	  DUMP_TEST(a_machine_that_failed_to_import_takes_another_dump),
	  DUMP_TEST(a_machine_whose_tree_was_wrong_is_empty_again),
	  cmocka_unit_test_setup_teardown(an_import_that_failed_leaves_no_trace, setup_hash,
					  dump_teardown),
	  DUMP_TEST(each_allocation_that_fails_leaves_the_machine_as_it_was),
	  DUMP_TEST(each_root_bus_has_an_iommu_of_its_own))
