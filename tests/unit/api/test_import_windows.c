/* SPDX-License-Identifier: MIT */
/*
 * Import: the windows of host bridges, where RAM is, and which CPU this would be.
 */
#include "unit/api/dump.h"

static void expect_no_window(struct dump *dump, u32 index)
{
	struct dmasim_window window;

	assert_false(dmasim_window(dump->s, index, &window));
}

static void expect_ram(struct dump *dump, u32 index, u64 start, u64 bytes)
{
	phys_addr_t seen_start;
	u64 seen_bytes;

	assert_true(dmasim_ram(dump->s, index, &seen_start, &seen_bytes));
	expect_u64(seen_start, start);
	expect_u64(seen_bytes, bytes);
}

/* ---- Hulls ---------------------------------------------------------------------------------- */

/*
 *        bridge        BAR            4 GiB    prefetchable
 *   -----|----|--------|--|-------------|--------|------|---
 *        |    window 0    |                      |  1   |
 */
static void a_host_bridge_has_one_hull_below_4_gib_and_one_above(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);

	dump_window(port, 0x80000000, 0x801fffff);
	dump_prefetch_window(port, 0x4000000000, 0x40ffffffff);
	dump_bar_32(dump_device(dump, "00:02.0"), 0, 0x90100000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x80000000, 0x901fffff);
	expect_window(dump, 1, 0x00, 0x4000000000, 0x40ffffffff);
	expect_no_window(dump, 2);
}

static void bars_count_whether_decoding_is_on_or_not(void **state)
{
	struct dump *dump = *state;
	struct dump_function *device = dump_device(dump, "80:02.0");

	/* Decoding may be off now: a driver will switch it on. */
	dump_put(device, PCI_COMMAND, 2, 0);
	dump_bar_32(device, 0, 0x90100000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x80, 0x90100000, 0x901fffff);
	expect_no_window(dump, 1);
}

static void windows_of_a_bridge_that_is_off_do_not_count(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);

	dump_window(port, 0x80000000, 0x801fffff);
	dump_put(port, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
	expect_ok(dump_import(dump, NULL));
	expect_no_window(dump, 0);
}

static void closed_windows_and_ports_do_not_count(void **state)
{
	struct dump *dump = *state;

	dump_bridge(dump, "00:01.0", 0x01, 0x01);
	dump_bar_io(dump_device(dump, "00:02.0"), 0, 0x3000);
	expect_ok(dump_import(dump, NULL));
	expect_no_window(dump, 0);
}

/* Both of its registers read as zero. */
static void a_prefetchable_window_that_is_not_there_does_not_count(void **state)
{
	struct dump *dump = *state;

	dump_put(dump_bridge(dump, "00:01.0", 0x01, 0x01), PCI_PREF_MEMORY_BASE, 4, 0);
	expect_ok(dump_import(dump, NULL));
	expect_no_window(dump, 0);
}

/*
 *                     4 GiB
 *   ------------|-------|------|-----   one window of a bridge
 *               |   0   |  1   |        two of the host bridge
 */
static void a_window_across_4_gib_is_two(void **state)
{
	struct dump *dump = *state;

	dump_prefetch_window(dump_bridge(dump, "00:01.0", 0x01, 0x01), 0xf0000000, 0x10fffffff);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0xf0000000, 0xffffffff);
	expect_window(dump, 1, 0x00, 0x100000000, 0x10fffffff);
}

/* The CPU has addresses of 52 bits, and the upper half of them is for adopted memory. */
static void what_the_cpu_cannot_address_has_no_window(void **state)
{
	struct dump *dump = *state;

	dump_bar_64(dump_device(dump, "00:02.0"), 0, 0xffff000000000000);
	dump_bar_64(dump_device(dump, "00:03.0"), 0, 0x7ff0000000000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x7ff0000000000, 0x7ffffffffffff);
	expect_no_window(dump, 1);
}

/* ---- Several host bridges ------------------------------------------------------------------- */

/*
 *   bus 00   |aaaa|        |aaaa|           a hull that spans b's
 *   bus 80           |bb|
 *   bus c0                        |cc|      its hull meets nobody's
 */
static void hulls_that_overlap_are_cut_into_what_devices_claim(void **state)
{
	struct dump *dump = *state;

	dump_bar_32(dump_device(dump, "00:01.0"), 0, 0x80100000);
	dump_bar_32(dump_device(dump, "00:02.0"), 0, 0x90100000);
	dump_bar_32(dump_device(dump, "80:01.0"), 0, 0x88100000);
	dump_bar_32(dump_device(dump, "c0:01.0"), 0, 0xa0100000);
	dump_bar_32(dump_device(dump, "c0:02.0"), 0, 0xa0300000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x80100000, 0x801fffff);
	expect_window(dump, 1, 0x00, 0x90100000, 0x901fffff);
	expect_window(dump, 2, 0x80, 0x88100000, 0x881fffff);
	expect_window(dump, 3, 0xc0, 0xa0100000, 0xa03fffff);
	expect_no_window(dump, 4);
	assert_string_equal(dump->error.text, "");
}

/* A window and a BAR behind it, and another BAR right after the window. */
static void claims_that_touch_are_one_window(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);

	dump_window(port, 0x80000000, 0x800fffff);
	dump_bar_32(dump_device(dump, "01:00.0"), 0, 0x80080000);
	dump_bar_32(dump_device(dump, "00:02.0"), 0, 0x80100000);
	dump_bar_32(dump_device(dump, "00:03.0"), 0, 0x90100000);
	dump_bar_32(dump_device(dump, "80:01.0"), 0, 0x88100000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x80000000, 0x801fffff);
	expect_window(dump, 1, 0x00, 0x90100000, 0x901fffff);
	expect_window(dump, 2, 0x80, 0x88100000, 0x881fffff);
}

/* The halves are looked at one by one: hulls that overlap below 4 GiB stay whole above. */
static void only_the_half_that_overlaps_is_cut(void **state)
{
	struct dump *dump = *state;

	dump_bar_32(dump_device(dump, "00:01.0"), 0, 0x80100000);
	dump_bar_32(dump_device(dump, "00:02.0"), 0, 0x90100000);
	dump_bar_64(dump_device(dump, "00:03.0"), 0, 0x4001000000);
	dump_bar_64(dump_device(dump, "00:04.0"), 0, 0x4003000000);
	dump_bar_32(dump_device(dump, "80:01.0"), 0, 0x88100000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x80100000, 0x801fffff);
	expect_window(dump, 1, 0x00, 0x90100000, 0x901fffff);
	expect_window(dump, 2, 0x00, 0x4001000000, 0x4003ffffff);
	expect_window(dump, 3, 0x80, 0x88100000, 0x881fffff);
}

/*
 * Two domains whose buses both have 0x80000000:
 *
 *   0000   |----aaaa----|
 *   0001         |----bbbb----|
 *   so     |----aaaa----|bbbb-|      the CPU reaches the first one's
 */
static void an_address_of_two_host_bridges_is_the_first_ones(void **state)
{
	struct dump *dump = *state;
	u32 value = 0x11111111, seen;
	struct pci_dev *first, *second;

	dump_window(dump_bridge(dump, "0000:00:02.0", 0x01, 0x01), 0x80000000, 0x801fffff);
	dump_bar_32(dump_device(dump, "0000:01:00.0"), 0, 0x80000000);
	dump_bar_32(dump_device(dump, "0000:01:01.0"), 0, 0x80100000);
	dump_window(dump_bridge(dump, "0001:00:02.0", 0x01, 0x01), 0x80100000, 0x802fffff);
	dump_bar_32(dump_device(dump, "0001:01:00.0"), 0, 0x80100000);
	dump_bar_32(dump_device(dump, "0001:01:01.0"), 0, 0x80200000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x80000000, 0x801fffff);
	expect_window(dump, 1, 0x00, 0x80200000, 0x802fffff);
	expect_no_window(dump, 2);
	assert_string_equal(dump->error.text,
			    "1 range of addresses belongs to two host bridges: the first keeps "
			    "them, the CPU does not reach the other's");

	first = dump_dev(dump, "0000:01:01.0");
	second = dump_dev(dump, "0001:01:01.0");
	expect_u64(dmasim_write(dump->s, 0x80100000, &value, 4), 4);
	expect_u64(dmasim_read(dump->s, pci_resource_start(first, 0), &seen, 4), 4);
	expect_u64(seen, value);
	expect_u64(dmasim_write(dump->s, pci_resource_start(second, 0), &value, 4), 4);
}

/* The first bridge has the middle of what the second claims. */
static void what_the_first_leaves_can_be_two_windows(void **state)
{
	struct dump *dump = *state;

	dump_bar_32(dump_device(dump, "0000:00:01.0"), 0, 0x80100000);
	dump_window(dump_bridge(dump, "0001:00:02.0", 0x01, 0x01), 0x80000000, 0x803fffff);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x80100000, 0x801fffff);
	expect_window(dump, 1, 0x00, 0x80000000, 0x800fffff);
	expect_window(dump, 2, 0x00, 0x80200000, 0x803fffff);
}

/* Three host bridges before have parts of it, not in the order of addresses. */
static void what_three_leave_can_be_four_windows(void **state)
{
	struct dump *dump = *state;

	dump_bar_32(dump_device(dump, "0000:00:01.0"), 0, 0x80300000);
	dump_bar_32(dump_device(dump, "0001:00:01.0"), 0, 0x80100000);
	dump_bar_32(dump_device(dump, "0002:00:01.0"), 0, 0x80500000);
	dump_window(dump_bridge(dump, "0003:00:02.0", 0x01, 0x01), 0x80000000, 0x806fffff);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x80300000, 0x803fffff);
	expect_window(dump, 1, 0x00, 0x80100000, 0x801fffff);
	expect_window(dump, 2, 0x00, 0x80500000, 0x805fffff);
	expect_window(dump, 3, 0x00, 0x80000000, 0x800fffff);
	expect_window(dump, 4, 0x00, 0x80200000, 0x802fffff);
	expect_window(dump, 5, 0x00, 0x80400000, 0x804fffff);
	expect_window(dump, 6, 0x00, 0x80600000, 0x806fffff);
	expect_no_window(dump, 7);
}

/*
 * 40 devices of bus 00 with two BARs each and one of bus 80 in between: 80 windows, of which a host
 * bridge has 64. The smallest go: those of 4 KiB, the second BARs of the first 16 devices.
 */
static void a_host_bridge_with_too_many_windows_has_the_largest(void **state)
{
	struct dump *dump = *state;
	struct dmasim_window window;
	u32 of_first = 0, small = 0;

	for (u32 i = 0; i < 40; i++) {
		char address[16];
		struct dump_function *device;

		snprintf(address, sizeof(address), "00:%02x.%u", i / 8 + 1, i % 8);
		device = dump_device(dump, address);
		dump_bar_32(device, 0, 0x80100000 + i * 0x400000);
		dump_bar_32(device, 1, 0x80201000 + i * 0x400000 + (i < 16 ? 0 : 0x1f000));
	}
	dump_bar_32(dump_device(dump, "80:00.0"), 0, 0x80300000);
	expect_ok(dump_import(dump, NULL));
	for (u32 i = 0; dmasim_window(dump->s, i, &window); i++) {
		of_first += window.bus == 0;
		small += window.bytes == SZ_4K;
	}
	expect_u64(of_first, 64);
	expect_u64(small, 0);
	assert_string_equal(dump->error.text,
			    "16 windows left out: a host bridge has the 64 largest at most");
}

/* ---- RAM ------------------------------------------------------------------------------------ */

static void ram_is_1_gib_at_0_and_the_rest_from_4_gib(void **state)
{
	struct dump *dump = *state;

	dump_bar_64(dump_device(dump, "00:02.0"), 0, 0x4000000000);
	expect_ok(dump_import(dump, NULL));
	expect_ram(dump, 0, 0, SZ_1G);
	expect_ram(dump, 1, SZ_4G, 15ULL * SZ_1G);
}

/*
 *   4 GiB                            16 GiB of RAM by default
 *   |..|a|.....|b|....................
 *              |b| |------ RAM ------|     the first place of 15 GiB is behind b
 */
static void ram_goes_where_no_window_is(void **state)
{
	struct dump *dump = *state;
	u64 pattern = 0x0123456789abcdef, seen;
	phys_addr_t phys;

	dump_bar_64(dump_device(dump, "00:02.0"), 0, 0x140000000);
	dump_bar_64(dump_device(dump, "80:02.0"), 0, 0x340400000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x140000000, 0x17fffffff);
	expect_window(dump, 1, 0x80, 0x340400000, 0x3407fffff);
	expect_ram(dump, 1, 0x340800000, 15ULL * SZ_1G);

	/* And it is RAM. More than 1 GiB at once is there only. */
	phys = dmasim_alloc(dump->s, 2ULL * SZ_1G);
	assert_true(phys >= 0x340800000 && phys < 0x340800000 + 15ULL * SZ_1G);
	expect_u64(dmasim_write(dump->s, phys, &pattern, 8), 8);
	expect_u64(dmasim_read(dump->s, phys, &seen, 8), 8);
	expect_u64(seen, pattern);
	dmasim_free(dump->s, phys, 2ULL * SZ_1G);
	expect_u64(dmasim_read(dump->s, SZ_4G, &seen, 8), 0);
}

/* A window that ends in the middle of a MiB. */
static void ram_begins_at_a_whole_mib(void **state)
{
	struct dump *dump = *state;

	dump_bar_64(dump_device(dump, "00:02.0"), 0, 0x100001000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x100001000, 0x100001fff);
	expect_ram(dump, 1, 0x100100000, 15ULL * SZ_1G);
}

static void ram_that_is_in_use_cannot_move(void **state)
{
	struct dump *dump = *state;
	phys_addr_t phys = dmasim_alloc(dump->s, SZ_4K);

	dump_bar_64(dump_device(dump, "00:02.0"), 0, 0x140000000);
	expect_error(dump_import(dump, NULL), -EINVAL);
	assert_non_null(
		strstr(dump->error.text,
		       ": RAM must move from 0x100000000 to 0x180000000, beside the host "
		       "bridges' windows; expected a machine whose memory is not in use yet"));
	dmasim_free(dump->s, phys, SZ_4K);
	expect_ok(dump_import(dump, NULL));
}

static void ram_that_was_written_cannot_move(void **state)
{
	struct dump *dump = *state;
	u32 value = 1;

	expect_u64(dmasim_write(dump->s, SZ_4G + 0x12345678, &value, 4), 4);
	dump_bar_64(dump_device(dump, "00:02.0"), 0, 0x140000000);
	expect_error(dump_import(dump, NULL), -EINVAL);
	assert_non_null(strstr(dump->error.text, "whose memory is not in use yet"));
}

/* What is in use does not matter where nothing has to move. */
static void memory_may_be_in_use_before_the_import(void **state)
{
	struct dump *dump = *state;
	phys_addr_t phys = dmasim_alloc(dump->s, SZ_4K);

	dump_bar_64(dump_device(dump, "00:02.0"), 0, 0x4000000000);
	expect_ok(dump_import(dump, NULL));
	dmasim_free(dump->s, phys, SZ_4K);
}

static int setup_petabyte(void **state)
{
	return dump_setup_config(state,
				 &(struct dmasim_config){ DMASIM_CONFIG, .ram_bytes = 1ULL << 50 });
}

/* 1 PiB of RAM from 4 GiB up, and a BAR of the upper half of the 2 PiB that there are. */
static void ram_that_finds_no_place_is_refused(void **state)
{
	struct dump *dump = *state;

	dump_bar_64(dump_device(dump, "00:02.0"), 0, 0x4000000000000);
	expect_error(dump_import(dump, NULL), -EINVAL);
	assert_non_null(strstr(dump->error.text,
			       ": 1073740800 MiB of RAM find no place beside the host bridges' "
			       "windows; expected a machine with less"));
}

static int setup_small(void **state)
{
	return dump_setup_config(state,
				 &(struct dmasim_config){ DMASIM_CONFIG, .ram_bytes = 64 * SZ_1M });
}

/*
 *   0          1 GiB
 *   |  RAM      |               windows below its end are cut: RAM goes before
 *        |------|----|          a bridge's window
 *               |  0 |          the host bridge's
 */
static void ram_at_0_goes_before_windows(void **state)
{
	struct dump *dump = *state;

	dump_window(dump_bridge(dump, "00:01.0", 0x01, 0x01), 0x30000000, 0x4fffffff);
	dump_bar_32(dump_device(dump, "00:02.0"), 0, 0x00100000);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x40000000, 0x4fffffff);
	expect_no_window(dump, 1);
}

static void with_less_ram_windows_are_lower(void **state)
{
	struct dump *dump = *state;
	phys_addr_t start;
	u64 bytes;

	dump_window(dump_bridge(dump, "00:01.0", 0x01, 0x01), 0x03000000, 0x4fffffff);
	expect_ok(dump_import(dump, NULL));
	expect_window(dump, 0, 0x00, 0x04000000, 0x4fffffff);
	assert_false(dmasim_ram(dump->s, 1, &start, &bytes));
}

/* ---- CPU ------------------------------------------------------------------------------------ */

/*
 * Two root ports of a host bridge that nobody has on a list: between them, peer-to-peer is allowed
 * if the CPU is AMD's from family 0x17 on.
 */
static int between_root_ports(struct dump *dump, u16 vendor, const struct dmasim_import *how)
{
	dump_put(dump_device(dump, "00:00.0"), PCI_VENDOR_ID, 2, vendor);
	dump_bridge(dump, "00:01.0", 0x01, 0x01);
	dump_bridge(dump, "00:02.0", 0x02, 0x02);
	dump_endpoint(dump, "01:00.0");
	dump_endpoint(dump, "02:00.0");
	expect_ok(dump_import(dump, how));
	return pci_p2pdma_distance(dump_dev(dump, "01:00.0"), &dump_dev(dump, "02:00.0")->dev,
				   false);
}

static void the_cpu_is_of_the_vendor_of_the_root(void **state)
{
	assert_int_equal(between_root_ports(*state, PCI_VENDOR_ID_AMD, NULL), 4);
}

static void an_intel_root_has_an_intel_cpu(void **state)
{
	assert_int_equal(between_root_ports(*state, PCI_VENDOR_ID_INTEL, NULL), -1);
}

static void a_hygon_root_has_no_amd_cpu(void **state)
{
	assert_int_equal(between_root_ports(*state, PCI_VENDOR_ID_HYGON, NULL), -1);
}

static void the_caller_may_choose_the_cpu(void **state)
{
	struct dmasim_import how = { .cpu_set = true, .cpu = DMASIM_CPU_AMD };

	assert_int_equal(between_root_ports(*state, PCI_VENDOR_ID_INTEL, &how), 4);
}

static void the_caller_may_choose_the_family(void **state)
{
	struct dmasim_import how = {
		.cpu_set = true,
		.cpu = DMASIM_CPU_AMD,
		.cpu_family = 0x15,
	};

	assert_int_equal(between_root_ports(*state, PCI_VENDOR_ID_AMD, &how), -1);
}

TEST_MAIN(DUMP_TEST(a_host_bridge_has_one_hull_below_4_gib_and_one_above),
	  DUMP_TEST(bars_count_whether_decoding_is_on_or_not),
	  DUMP_TEST(windows_of_a_bridge_that_is_off_do_not_count),
	  DUMP_TEST(closed_windows_and_ports_do_not_count),
	  DUMP_TEST(a_prefetchable_window_that_is_not_there_does_not_count),
	  DUMP_TEST(a_window_across_4_gib_is_two),
	  DUMP_TEST(what_the_cpu_cannot_address_has_no_window),
	  DUMP_TEST(hulls_that_overlap_are_cut_into_what_devices_claim),
	  DUMP_TEST(claims_that_touch_are_one_window),
	  DUMP_TEST(only_the_half_that_overlaps_is_cut),
	  DUMP_TEST(an_address_of_two_host_bridges_is_the_first_ones),
	  DUMP_TEST(what_the_first_leaves_can_be_two_windows),
	  DUMP_TEST(what_three_leave_can_be_four_windows),
	  DUMP_TEST(a_host_bridge_with_too_many_windows_has_the_largest),
	  DUMP_TEST(ram_is_1_gib_at_0_and_the_rest_from_4_gib),
	  DUMP_TEST(ram_goes_where_no_window_is), DUMP_TEST(ram_begins_at_a_whole_mib),
	  DUMP_TEST(ram_that_is_in_use_cannot_move), DUMP_TEST(ram_that_was_written_cannot_move),
	  DUMP_TEST(memory_may_be_in_use_before_the_import),
	  cmocka_unit_test_setup_teardown(ram_that_finds_no_place_is_refused, setup_petabyte,
					  dump_teardown),
	  DUMP_TEST(ram_at_0_goes_before_windows),
	  cmocka_unit_test_setup_teardown(with_less_ram_windows_are_lower, setup_small,
					  dump_teardown),
	  DUMP_TEST(the_cpu_is_of_the_vendor_of_the_root),
	  DUMP_TEST(an_intel_root_has_an_intel_cpu), DUMP_TEST(a_hygon_root_has_no_amd_cpu),
	  DUMP_TEST(the_caller_may_choose_the_cpu), DUMP_TEST(the_caller_may_choose_the_family))
