/* SPDX-License-Identifier: MIT */
/*
 * Machines that a program describes by tables: what the tables say is there, what they do not say
 * is inferred, and what is wrong in them is told by the function's place.
 */
#include "unit/api/dump.h"

static const struct dmasim_register port[] = {
	{ 0x00, 0x0001d51a }, { 0x04, 0x00100006 }, { 0x08, 0x06040000 },
	{ 0x0c, 0x00010000 }, { 0x18, 0x00010100 }, { 0x20, 0x90f09000 },
	{ 0x24, 0x0001fff1 }, { 0x34, 0x40 },	    { 0x40, 0x00420010 },
};

static const struct dmasim_register disk[] = {
	{ 0x00, 0x0002d51a }, { 0x04, 0x00100006 }, { 0x08, 0x01080200 }, { 0x10, 0x90000000 },
	{ 0x14, 0x90080004 }, { 0x34, 0x40 },	    { 0x40, 0x00020010 }, { 0x100, 0x0001000f },
};

static const struct dmasim_function functions[] = {
	{ .bdf = "01:00.0", DMASIM_REGISTERS(disk), .bar = { SZ_16K }, .ats_entries = 64 },
	{ .bdf = "0000:00:01.0", .config_bytes = 256, DMASIM_REGISTERS(port) },
};

static const struct dmasim_description two = { .functions = functions, .function_count = 2 };

static int describe(struct dump *dump, const struct dmasim_description *description)
{
	int err = dmasim_import_description(dump->s, description, NULL, &dump->error);

	if (err == -EINVAL)
		print_message("# %s\n", dump->error.text);
	return err;
}

static void what_the_tables_say_is_there(void **state)
{
	struct dump *dump = *state;
	struct pci_dev *pdev;

	expect_ok(describe(dump, &two));
	expect_u64(dump_count(dump), 2);
	pdev = dump_dev(dump, "01:00.0");
	assert_ptr_equal(pci_upstream_bridge(pdev), dump_dev(dump, "00:01.0"));
	expect_u64(dmasim_config_bytes(pdev), 4096);
	expect_u64(dmasim_config_bytes(pci_upstream_bridge(pdev)), 256);
	expect_u64(pci_resource_start(pdev, 0), 0x90000000);
	expect_u64(pci_resource_len(pdev, 0), SZ_16K);
	assert_false(dmasim_bar_inferred(pdev, 0));
	/* Of this one nothing is said. */
	expect_u64(pci_resource_len(pdev, 1), SZ_1M / 2);
	assert_true(dmasim_bar_inferred(pdev, 1));
	assert_true(pdev->ats_cap);
	expect_window(dump, 0, 0, 0x90000000, 0x90ffffff);
}

static void windows_are_as_told(void **state)
{
	static const struct dmasim_window window = { .start = 0x190000000,
						     .bytes = SZ_16M,
						     .bus_offset = 0ULL - SZ_4G };
	struct dmasim_description told = two;
	struct dmasim_window found;
	struct dump *dump = *state;

	told.windows = &window;
	told.window_count = 1;
	expect_ok(describe(dump, &told));
	assert_true(dmasim_window(dump->s, 0, &found));
	expect_u64(found.start, window.start);
	expect_u64(found.bytes, window.bytes);
	expect_u64(found.bus_offset, window.bus_offset);
	assert_false(found.inferred);
	assert_false(dmasim_window(dump->s, 1, &found));
	expect_u64(pci_resource_start(dump_dev(dump, "01:00.0"), 0), 0x190000000);
	expect_u64(pci_bus_address(dump_dev(dump, "01:00.0"), 0), 0x90000000);
}

static void devices_of_a_described_machine_do_dma(void **state)
{
	struct dump *dump = *state;
	struct pci_dev *pdev;
	phys_addr_t phys;
	dma_addr_t dma;

	expect_ok(describe(dump, &two));
	pdev = dump_dev(dump, "01:00.0");
	phys = dmasim_alloc(dump->s, SZ_4K);
	dma = dma_map_phys(&pdev->dev, phys, SZ_4K, DMA_FROM_DEVICE, 0);
	assert_false(dma_mapping_error(&pdev->dev, dma));
	expect_u64(dmasim_dev_write(pdev, dma, "here", 5).done, 5);
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	assert_string_equal(dmasim_ptr(dump->s, phys, 5), "here");
}

/* ---- What is wrong -------------------------------------------------------------------------- */

/* The second function is as given, the rest of the description is right. */
static void expect_refused(struct dump *dump, struct dmasim_function second, const char *text)
{
	struct dmasim_function both[] = { functions[1], second };
	struct dmasim_description description = { .functions = both, .function_count = 2 };

	expect_error(describe(dump, &description), -EINVAL);
	assert_string_equal(dump->error.text, text);
	expect_u64(dump_count(dump), 0);
}

static void functions_that_cannot_be_are_refused(void **state)
{
	static const struct dmasim_register odd[] = { { 0x02, 1 } }, beyond[] = { { 0x100, 1 } };
	struct dump *dump = *state;

	expect_refused(dump, (struct dmasim_function){ .bdf = "01:20.0" },
		       "description:2: '01:20.0' is no address of a function; expected one like "
		       "0000:3a:00.0");
	expect_refused(dump, (struct dmasim_function){ .bdf = NULL },
		       "description:2: 'NULL' is no address of a function; expected one like "
		       "0000:3a:00.0");
	expect_refused(dump, (struct dmasim_function){ .bdf = "00:01.0" },
		       "description:2: 0000:00:01.0 is there twice; expected once");
	expect_refused(dump, (struct dmasim_function){ .bdf = "01:00.0", .config_bytes = 128 },
		       "description:2: 0000:01:00.0 has 128 registers; expected 64, 256 or 4096");
	expect_refused(dump, (struct dmasim_function){ .bdf = "01:00.0", DMASIM_REGISTERS(odd) },
		       "description:2: 0000:01:00.0 has a register at 0x002; expected multiples of "
		       "4 below 0x1000");
	expect_refused(dump,
		       (struct dmasim_function){
			       .bdf = "01:00.0", .config_bytes = 256, DMASIM_REGISTERS(beyond) },
		       "description:2: 0000:01:00.0 has a register at 0x100; expected multiples of "
		       "4 below 0x100");
	expect_refused(dump, (struct dmasim_function){ .bdf = "01:00.0", .bar = { 0, 0, 48 } },
		       "description:2: 0000:01:00.0 has a BAR 2 of 0x30 bytes; expected a power of "
		       "two");
	expect_refused(dump, (struct dmasim_function){ .bdf = "01:00.0", .vf_bar = { 3 } },
		       "description:2: 0000:01:00.0 has a BAR 0 of 0x3 bytes; expected a power of "
		       "two");
	expect_ok(describe(dump, &two));
}

static void expect_windows_refused(struct dump *dump, const struct dmasim_window *window, u32 count,
				   const char *text)
{
	struct dmasim_description description = two;

	description.windows = window;
	description.window_count = count;
	expect_error(describe(dump, &description), -EINVAL);
	assert_string_equal(dump->error.text, text);
	expect_u64(dump_count(dump), 0);
}

static void windows_that_cannot_be_are_refused(void **state)
{
	struct dmasim_window window = { .bus = 2, .start = 0x90000000, .bytes = SZ_1M }, many[65];
	struct dump *dump = *state;

	expect_windows_refused(dump, &window, 1,
			       "description: window 1 is of root bus 0000:02; expected one with "
			       "functions");
	window.bus = 0;
	for (u32 i = 0; i < 65; i++)
		many[i] = window;
	expect_windows_refused(dump, many, 65,
			       "description: root bus 0000:00 has too many windows; expected 64 at "
			       "most");
	window.start = SZ_1G - SZ_4K;
	expect_windows_refused(dump, &window, 1,
			       "description: window 1 is 0x100000 bytes at 0x3ffff000; expected "
			       "some between the RAM at 0 and 0x8000000000000");
	window.start = SZ_1G;
	window.bytes = 0;
	expect_windows_refused(dump, &window, 1,
			       "description: window 1 is 0x0 bytes at 0x40000000; expected some "
			       "between the RAM at 0 and 0x8000000000000");
	window.bytes = ~0ULL;
	expect_windows_refused(dump, &window, 1,
			       "description: window 1 is 0xffffffffffffffff bytes at 0x40000000; "
			       "expected some between the RAM at 0 and 0x8000000000000");
}

static void other_nonsense_is_refused(void **state)
{
	static const struct dmasim_host_bridge other = { .bus = 7 };
	struct dmasim_description description = { 0 };
	struct dump *dump = *state;

	expect_error(describe(dump, &description), -EINVAL);
	assert_string_equal(dump->error.text,
			    "description: there is no function; expected one at least");
	description = two;
	description.host_bridges = &other;
	description.host_bridge_count = 1;
	expect_error(describe(dump, &description), -EINVAL);
	assert_string_equal(dump->error.text,
			    "description: a host bridge has root bus 0000:07; expected one with "
			    "functions");
	expect_u64(dump_count(dump), 0);
}

/* ---- No memory ------------------------------------------------------------------------------ */

static void each_allocation_that_fails_is_survived(void **state)
{
	struct dump *dump = *state;
	FILE *null = fopen("/dev/null", "w");
	u64 nth = 0;
	int err;

	assert_non_null(null);
	do {
		dmasim_fail(dump->s, DMASIM_FAULT_ANY, ++nth);
		err = describe(dump, &two);
		expect_u64(dmasim_failures(dump->s), err ? 1 : 0);
		if (err)
			expect_error(err, -ENOMEM);
		expect_u64(dump_count(dump), err ? 0 : 2);
	} while (err && nth < 1000);
	assert_true(nth > 5);
	dmasim_fail(dump->s, DMASIM_FAULT_ANY, 1);
	expect_error(dmasim_export_c(dump->s, null, "name"), -ENOMEM);
	dmasim_fail(dump->s, DMASIM_FAULT_ANY, 1);
	expect_error(dmasim_export_lspci(dump->s, null), -ENOMEM);
	dmasim_fail(dump->s, DMASIM_FAULT_ANY, 0);
	expect_u64(dmasim_in_use(dump->s, DMASIM_FAULT_IMPORT), 0);
	fclose(null);
}

static void a_file_that_is_full_is_told(void **state)
{
	struct dump *dump = *state;
	FILE *full = fopen("/dev/full", "w");

	if (!full)
		skip();
	expect_ok(describe(dump, &two));
	expect_error(dmasim_export_lspci(dump->s, full), -EIO);
	expect_error(dmasim_export_c(dump->s, full, "name"), -EIO);
	fclose(full);
}

TEST_MAIN(DUMP_TEST(what_the_tables_say_is_there), DUMP_TEST(windows_are_as_told),
	  DUMP_TEST(devices_of_a_described_machine_do_dma),
	  DUMP_TEST(functions_that_cannot_be_are_refused),
	  DUMP_TEST(windows_that_cannot_be_are_refused), DUMP_TEST(other_nonsense_is_refused),
	  DUMP_TEST(each_allocation_that_fails_is_survived), DUMP_TEST(a_file_that_is_full_is_told))
