/* SPDX-License-Identifier: MIT */
/*
 * Import: how large BARs are. A dump has their addresses only.
 */
#include "unit/api/dump.h"

#define KB 1024ULL
#define MB (1024 * KB)
#define GB (1024 * MB)

static void expect_size(struct dump *dump, const char *bdf, int bar, u64 bytes)
{
	struct pci_dev *pdev = dump_dev(dump, bdf);

	if (pci_resource_len(pdev, bar) != bytes)
		print_error("BAR %d of %s\n", bar, bdf);
	expect_u64(pci_resource_len(pdev, bar), bytes);
}

/*   00:01.0 [01] with a window, and one endpoint behind it   */
static struct dump_function *behind_window(struct dump *dump, u32 start, u32 last)
{
	dump_window(dump_bridge(dump, "00:01.0", 0x01, 0x01), start, last);
	return dump_endpoint(dump, "01:00.0");
}

/*
 *   window |----------------|  4 MiB
 *   BAR    |----------------|
 */
static void a_bar_alone_fills_its_window(void **state)
{
	struct dump *dump = *state;

	dump_bar_32(behind_window(dump, 0x80000000, 0x803fffff), 0, 0x80000000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "01:00.0", 0, 4 * MB);
}

/*
 *   window |----------------|     16 MiB from 0x80000000
 *   BAR            |--|           at 4 MiB: a larger one would not be aligned
 */
static void a_bar_is_as_large_as_its_address_is_aligned(void **state)
{
	struct dump *dump = *state;

	dump_bar_32(behind_window(dump, 0x80000000, 0x80ffffff), 0, 0x80400000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "01:00.0", 0, 4 * MB);
}

/*
 *   window |---------|            5 MiB
 *   BAR    |--------|             8 would not fit, 4 do
 */
static void a_bar_ends_where_its_window_ends(void **state)
{
	struct dump *dump = *state;

	dump_bar_32(behind_window(dump, 0x80000000, 0x804fffff), 0, 0x80000000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "01:00.0", 0, 4 * MB);
}

/*
 *   BAR 0  |--|
 *   BAR 2        |--|      at 3 MiB
 */
static void a_bar_ends_before_the_next_of_its_function(void **state)
{
	struct dump *dump = *state;
	struct dump_function *device = behind_window(dump, 0x80000000, 0x807fffff);

	dump_bar_32(device, 0, 0x80000000);
	dump_bar_32(device, 2, 0x80300000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "01:00.0", 0, 2 * MB);
	expect_size(dump, "01:00.0", 2, 1 * MB);
}

static void a_bar_ends_before_one_of_another_function_on_the_bus(void **state)
{
	struct dump *dump = *state;

	dump_bar_32(behind_window(dump, 0x80000000, 0x807fffff), 0, 0x80000000);
	dump_bar_32(dump_endpoint(dump, "01:00.1"), 0, 0x80001000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "01:00.0", 0, 4 * KB);
	expect_size(dump, "01:00.1", 0, 4 * KB);
}

/* Its own window, too: a port's BAR lies beside what is behind the port. */
static void a_bar_ends_before_the_window_of_a_bridge_on_the_bus(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);

	dump_window(port, 0x80100000, 0x801fffff);
	dump_bar_32(port, 0, 0x80000000);
	dump_bar_32(dump_device(dump, "00:02.0"), 0, 0x70000000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "00:01.0", 0, 1 * MB);
	expect_size(dump, "00:02.0", 0, 256 * MB);
}

/*
 *   window of 00:01.0   |-------------------------|   16 MiB
 *   window of 01:00.0                 (closed)
 *   BAR of 02:00.0      |--------?                    only the outer window is there
 */
static void a_bar_ends_where_an_outer_window_ends(void **state)
{
	struct dump *dump = *state;

	dump_window(dump_bridge(dump, "00:01.0", 0x01, 0x02), 0x80000000, 0x80ffffff);
	dump_bridge(dump, "01:00.0", 0x02, 0x02);
	dump_bar_32(dump_endpoint(dump, "02:00.0"), 0, 0x80000000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "02:00.0", 0, 16 * MB);
}

/* The base of a closed window, 0xfff00000, is no address of anything. */
static void a_closed_window_ends_no_bar(void **state)
{
	struct dump *dump = *state;

	dump_bridge(dump, "00:01.0", 0x01, 0x01);
	dump_bar_32(dump_device(dump, "00:02.0"), 0, 0xff000000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "00:02.0", 0, 16 * MB);
}

/* Windows of 32-bit addresses and BARs of 64 bits: 0x2_80000000 is not in 0x80000000. */
static void a_bar_of_64_bits_lies_where_both_its_registers_say(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);
	struct dump_function *gpu = dump_endpoint(dump, "01:00.0");

	dump_window(port, 0x80000000, 0x800fffff);
	dump_prefetch_window(port, 0x280000000, 0x4ffffffff);
	dump_bar_64(gpu, 0, 0x280000000);
	dump_bar_64(gpu, 2, 0x400000000);
	dump_bar_32(gpu, 4, 0x80000000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "01:00.0", 0, 2 * GB);
	expect_size(dump, "01:00.0", 2, 4 * GB);
	expect_size(dump, "01:00.0", 4, 1 * MB);
	expect_u64(pci_resource_start(dump_dev(dump, "01:00.0"), 0), 0x280000000);
	expect_u64(pci_resource_flags(dump_dev(dump, "01:00.0"), 1), 0);
	expect_u64(pci_bus_address(dump_dev(dump, "01:00.0"), 2), 0x400000000);
}

static void a_bar_of_32_bits_ends_at_4_gib(void **state)
{
	struct dump *dump = *state;

	dump_bar_32(dump_device(dump, "00:02.0"), 0, 0xc0000000);
	dump_bar_64(dump_device(dump, "00:03.0"), 0, 0xffffffff00000000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "00:02.0", 0, 1 * GB);
	/* And one of 64 bits where addresses end. */
	expect_size(dump, "00:03.0", 0, 4 * GB);
}

static void a_bar_without_an_address_is_not_there(void **state)
{
	struct dump *dump = *state;
	struct dump_function *device = dump_device(dump, "00:02.0");

	dump_bar_64(device, 0, 0);
	dump_bar_32(device, 2, 0);
	dump_bar_io(device, 3, 0);
	dump_bar_32(device, 4, 0x80000000);
	expect_ok(dump_import(dump, NULL));
	for (int bar = 0; bar < 4; bar++)
		expect_u64(pci_resource_flags(dump_dev(dump, "00:02.0"), bar), 0);
	expect_size(dump, "00:02.0", 4, 2 * GB);
}

/* Three ports: 16 bytes apart, 1 KiB apart, and the last. */
static void an_io_bar_has_at_most_256_ports(void **state)
{
	struct dump *dump = *state;
	struct dump_function *device = dump_device(dump, "00:02.0");

	dump_bar_io(device, 0, 0x3000);
	dump_bar_io(device, 1, 0x3010);
	dump_bar_io(device, 2, 0x3400);
	dump_bar_io(device, 3, 0xe00c);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "00:02.0", 0, 16);
	expect_size(dump, "00:02.0", 1, 16);
	expect_size(dump, "00:02.0", 2, 256);
	expect_size(dump, "00:02.0", 3, 4);
	expect_u64(pci_resource_start(dump_dev(dump, "00:02.0"), 3), 0xe00c);
	expect_u64(pci_resource_flags(dump_dev(dump, "00:02.0"), 3), IORESOURCE_IO);
}

/* I/O and memory are two address spaces: ports do not end a BAR of memory. */
static void ports_and_memory_do_not_meet(void **state)
{
	struct dump *dump = *state;
	struct dump_function *device = dump_device(dump, "00:02.0");

	dump_bar_32(device, 0, 0x00010000);
	dump_bar_io(device, 1, 0x00010010);
	dump_bar_io(device, 2, 0x0000ff00);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "00:02.0", 0, 64 * KB);
	expect_size(dump, "00:02.0", 2, 256);
}

static void two_bars_at_one_address_have_a_size_each(void **state)
{
	struct dump *dump = *state;
	struct dump_function *device = behind_window(dump, 0x80000000, 0x800fffff);

	dump_bar_32(device, 0, 0x80000000);
	dump_bar_32(device, 1, 0x80000000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "01:00.0", 0, 1 * MB);
	expect_size(dump, "01:00.0", 1, 1 * MB);
}

/* The upper half of a 64-bit BAR would be no register of a BAR. */
static void the_last_bar_cannot_have_64_bits(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);

	dump_put(port, PCI_BASE_ADDRESS_0 + 4, 4, 0x80000004);
	dump_put(dump_device(dump, "01:00.0"), PCI_BASE_ADDRESS_0 + 20, 4, 0x80000004);
	expect_ok(dump_import(dump, NULL));
	expect_u64(pci_resource_flags(dump_dev(dump, "00:01.0"), 1), 0);
	expect_u64(pci_resource_flags(dump_dev(dump, "01:00.0"), 5), 0);
	assert_ptr_equal(pci_upstream_bridge(dump_dev(dump, "01:00.0")), dump_dev(dump, "00:01.0"));
}

/* ---- Resizable BARs ------------------------------------------------------------------------- */

/* BARs 0 and 2, of 2^lg2 MiB each. */
static void put_rebar(struct dump_function *function, u32 lg2_of_0, u32 lg2_of_2)
{
	dump_extended(function, PCI_EXT_CAP_ID_REBAR);
	dump_put(function, 0x104, 4, 0xfffffff0);
	dump_put(function, 0x108, 4, 0 | 2 << 5 | lg2_of_0 << 8);
	dump_put(function, 0x10c, 4, 0xfffffff0);
	dump_put(function, 0x110, 4, 2 | lg2_of_2 << 8);
}

/*   window |-------------------------------|  32 GiB; inferred, BAR 0 would have 16 GiB   */
static void a_resizable_bar_says_how_large_it_is(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);
	struct dump_function *gpu = dump_endpoint(dump, "01:00.0");

	dump_prefetch_window(port, 0x4000000000, 0x47ffffffff);
	dump_bar_64(gpu, 0, 0x4000000000);
	dump_bar_64(gpu, 2, 0x4400000000);
	put_rebar(gpu, 8, 13);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "01:00.0", 0, 256 * MB);
	expect_size(dump, "01:00.0", 2, 8 * GB);
	assert_false(dmasim_bar_inferred(dump_dev(dump, "01:00.0"), 0));
	assert_false(dmasim_bar_inferred(dump_dev(dump, "01:00.0"), 2));
}

/* 512 MiB at an address of 256 MiB: the register does not tell the truth. */
static void a_resizable_bar_is_at_a_multiple_of_its_size(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);
	struct dump_function *gpu = dump_endpoint(dump, "01:00.0");

	dump_prefetch_window(port, 0x4000000000, 0x47ffffffff);
	dump_bar_64(gpu, 0, 0x4010000000);
	/* Nor can a BAR have 2^83 bytes. */
	dump_bar_64(gpu, 2, 0x4400000000);
	put_rebar(gpu, 9, 63);
	expect_ok(dump_import(dump, NULL));
	/* Its last byte is there, and none after it. */
	expect_u64(dmasim_write(dump->s, 0x401fffffff, "xy", 2), 1);
	expect_size(dump, "01:00.0", 0, 256 * MB);
	expect_size(dump, "01:00.0", 2, 16 * GB);
	assert_true(dmasim_bar_inferred(dump_dev(dump, "01:00.0"), 0));
	assert_true(dmasim_bar_inferred(dump_dev(dump, "01:00.0"), 2));
}

/* ---- Virtual functions ---------------------------------------------------------------------- */

static void put_sriov(struct dump_function *function, u32 count, u64 address)
{
	dump_extended(function, PCI_EXT_CAP_ID_SRIOV);
	dump_put(function, 0x100 + PCI_SRIOV_TOTAL_VF, 2, count);
	dump_put(function, 0x100 + PCI_SRIOV_BAR, 8, address | PCI_BASE_ADDRESS_MEM_TYPE_64);
}

/*
 *   window  |----------------------------------|  64 MiB
 *   BAR 0   |-----|                               16 MiB, up to the virtual functions'
 *   VFs           |1|2|3|4|5|6|7|                 at 16 MiB
 */
static void a_bar_ends_before_those_of_virtual_functions(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);
	struct dump_function *nic = dump_endpoint(dump, "01:00.0");

	dump_prefetch_window(port, 0x4000000000, 0x4003ffffff);
	dump_bar_64(nic, 0, 0x4000000000);
	put_sriov(nic, 7, 0x4001000000);
	expect_ok(dump_import(dump, NULL));
	expect_size(dump, "01:00.0", 0, 16 * MB);
}

/*
 *   window  |--------------------|        64 MiB; the port is off, so only the BARs claim addresses
 *   VFs          |1|2|3|4|5|6|7|          at 16 MiB: seven of 8 MiB would end behind the window
 */
static void virtual_functions_have_a_bar_each_side_by_side(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);

	dump_prefetch_window(port, 0x4000000000, 0x4003ffffff);
	dump_put(port, PCI_COMMAND, 2, 0);
	put_sriov(dump_endpoint(dump, "01:00.0"), 7, 0x4001000000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x4001000000, 0x4001000000 + 7 * 4 * MB - 1);
}

/* The hull tells how large the virtual functions' BARs are taken for. */
static void the_bars_of_virtual_functions_count_as_often_as_there_can_be_some(void **state)
{
	struct dump *dump = *state;

	put_sriov(dump_device(dump, "00:02.0"), 3, 0x4001000000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x4001000000, 0x4003ffffff);
}

static void virtual_functions_without_a_place_have_no_bars(void **state)
{
	struct dump *dump = *state;
	struct dump_function *nic = dump_device(dump, "00:02.0");

	/* 65535 of them have 4 KiB in all, and none of them may come without a number. */
	put_sriov(nic, 65535, 0x4001000000);
	dump_bar_64(nic, 0, 0x4001001000);
	put_sriov(dump_device(dump, "00:03.0"), 0, 0x5000000000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x4001001000, 0x4001001fff);
}

TEST_MAIN(DUMP_TEST(a_bar_alone_fills_its_window),
	  DUMP_TEST(a_bar_is_as_large_as_its_address_is_aligned),
	  DUMP_TEST(a_bar_ends_where_its_window_ends),
	  DUMP_TEST(a_bar_ends_before_the_next_of_its_function),
	  DUMP_TEST(a_bar_ends_before_one_of_another_function_on_the_bus),
	  DUMP_TEST(a_bar_ends_before_the_window_of_a_bridge_on_the_bus),
	  DUMP_TEST(a_bar_ends_where_an_outer_window_ends), DUMP_TEST(a_closed_window_ends_no_bar),
	  DUMP_TEST(a_bar_of_64_bits_lies_where_both_its_registers_say),
	  DUMP_TEST(a_bar_of_32_bits_ends_at_4_gib),
	  DUMP_TEST(a_bar_without_an_address_is_not_there),
	  DUMP_TEST(an_io_bar_has_at_most_256_ports), DUMP_TEST(ports_and_memory_do_not_meet),
	  DUMP_TEST(two_bars_at_one_address_have_a_size_each),
	  DUMP_TEST(the_last_bar_cannot_have_64_bits),
	  DUMP_TEST(a_resizable_bar_says_how_large_it_is),
	  DUMP_TEST(a_resizable_bar_is_at_a_multiple_of_its_size),
	  DUMP_TEST(a_bar_ends_before_those_of_virtual_functions),
	  DUMP_TEST(virtual_functions_have_a_bar_each_side_by_side),
	  DUMP_TEST(the_bars_of_virtual_functions_count_as_often_as_there_can_be_some),
	  DUMP_TEST(virtual_functions_without_a_place_have_no_bars))
