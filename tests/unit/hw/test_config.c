/* SPDX-License-Identifier: MIT */
/*
 * Configuration registers: which bits can be written, how BARs tell their size, what is decoded.
 * Sources: PCI Local Bus 3.0 section 6.2, PCI-to-PCI Bridge 1.2 section 3.2, PCI Express Base 5.0
 * sections 7.5.3 and 7.7.8.
 */
#include "bench.h"

#include <string.h>

static int setup(void **state)
{
	struct bench *bench;

	if (bench_setup(state))
		return -1;
	bench = *state;
	return hw_root_add(&bench->hw, 0, 0, 0xff) ? 0 : -1;
}

static struct hw_bus *root_bus(struct bench *bench)
{
	return &TAILQ_FIRST(&bench->hw.roots)->bus;
}

static struct hw_function *add(void **state, const struct bench_function *what)
{
	struct bench *bench = *state;

	return bench_add(bench, root_bus(bench), what);
}

/* The bits of a dword that follow what is written. */
static u32 writable(struct hw_function *function, u32 offset)
{
	u32 old = hw_config_read(function, offset, 4), zeros, ones;

	hw_config_write(function, offset, 4, 0);
	zeros = hw_config_read(function, offset, 4);
	hw_config_write(function, offset, 4, ~0U);
	ones = hw_config_read(function, offset, 4);
	hw_config_write(function, offset, 4, old);
	/* Bits that cannot be written are the same in both. */
	assert_int_equal(zeros & ones, old & ~(zeros ^ ones));
	return zeros ^ ones;
}

static void what_identifies_a_function_cannot_be_written(void **state)
{
	static const u32 read_only[] = { PCI_VENDOR_ID,
					 PCI_CLASS_REVISION,
					 PCI_HEADER_TYPE & ~3U,
					 PCI_SUBSYSTEM_VENDOR_ID,
					 PCI_CAPABILITY_LIST,
					 BENCH_EXPRESS_AT,
					 BENCH_EXPRESS_AT + PCI_EXP_DEVCAP,
					 BENCH_ACS_AT };
	struct hw_function *endpoint = add(
		state, &(struct bench_function){ .devfn = 8, .bar = { { SZ_4K } }, .acs = 0x1f });
	struct hw_function *port =
		add(state, &(struct bench_function){ .devfn = 16, .bridge = true, .acs = 0x1f });

	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
		expect_u64(writable(endpoint, read_only[i]), 0);
		if (read_only[i] != PCI_SUBSYSTEM_VENDOR_ID)
			expect_u64(writable(port, read_only[i]), 0);
	}
}

/* Decode I/O, decode memory, master, parity, SERR, INTx off; the status half is not written. */
static void the_command_register_has_its_bits(void **state)
{
	struct hw_function *function = add(state, &(struct bench_function){ .devfn = 8 });

	expect_u64(writable(function, PCI_COMMAND), 0x0547);
	bench_command(function, PCI_COMMAND_MEMORY);
	assert_true(function->memory_enabled);
	assert_false(function->master_enabled);
	bench_command(function, PCI_COMMAND_MASTER);
	assert_false(function->memory_enabled);
	assert_true(function->master_enabled);
	assert_true(hw_config_read(function, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
}

static void the_size_of_a_32_bit_bar_shows_in_its_mask(void **state)
{
	static const u64 bytes[] = { 16, 128, SZ_4K, SZ_16K, SZ_1M, SZ_1G, 1ULL << 31 };

	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		struct hw_function *function = add(state, &(struct bench_function){
								  .devfn = (u8)(8 * i),
								  .bar = { [2] = { bytes[i] } },
							  });

		hw_config_write(function, PCI_BASE_ADDRESS_0 + 8, 4, ~0U);
		expect_u64(hw_config_read(function, PCI_BASE_ADDRESS_0 + 8, 4),
			   (u32)(0x100000000ULL - bytes[i]));
		/* BARs that are not there read as 0. */
		for (u32 bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
			if (bar != 2)
				expect_u64(writable(function, PCI_BASE_ADDRESS_0 + 4 * bar), 0);
		}
	}
}

static void the_size_of_a_64_bit_bar_shows_in_both_registers(void **state)
{
	static const u64 bytes[] = { SZ_4K,	 SZ_1G,	     1ULL << 31, 1ULL << 32,
				     1ULL << 33, 1ULL << 40, 1ULL << 51 };

	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		struct hw_function *function =
			add(state, &(struct bench_function){
					   .devfn = (u8)(8 * i),
					   .bar = { [4] = { bytes[i], .is_64 = true } },
				   });
		u64 mask = ~(bytes[i] - 1);

		hw_config_write(function, PCI_BASE_ADDRESS_0 + 16, 4, ~0U);
		hw_config_write(function, PCI_BASE_ADDRESS_0 + 20, 4, ~0U);
		/* 64-bit and prefetchable: these bits stay. */
		expect_u64(hw_config_read(function, PCI_BASE_ADDRESS_0 + 16, 4),
			   (u32)mask | 0x4 | 0x8);
		expect_u64(hw_config_read(function, PCI_BASE_ADDRESS_0 + 20, 4), mask >> 32);
		expect_u64(writable(function, PCI_BASE_ADDRESS_0 + 12), 0);
	}
}

static void an_io_bar_has_its_own_low_bits_and_decodes_no_memory(void **state)
{
	struct hw_function *function =
		add(state, &(struct bench_function){ .devfn = 8, .bar = { { 32, .io = true } } });

	hw_config_write(function, PCI_BASE_ADDRESS_0, 4, ~0U);
	expect_u64(hw_config_read(function, PCI_BASE_ADDRESS_0, 4), 0xffffffe1);
	hw_config_write(function, PCI_BASE_ADDRESS_0, 4, 0xe000);
	bench_command(function, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	assert_int_equal(hw_bar_at(function, 0xe000), -1);
}

/* A BAR decodes while memory is enabled, at the address in its register, and nothing beside it. */
static void a_bar_decodes_where_it_was_put(void **state)
{
	struct hw_function *function =
		add(state, &(struct bench_function){
				   .devfn = 8,
				   .bar = { { SZ_4K }, [2] = { 1ULL << 33, .is_64 = true } },
			   });

	bench_set_bar(function, 0, 0xe0001000);
	bench_set_bar(function, 2, 0x4600000000ULL);
	assert_int_equal(hw_bar_at(function, 0xe0001000), -1);
	bench_command(function, PCI_COMMAND_MEMORY);
	assert_int_equal(hw_bar_at(function, 0xe0000fff), -1);
	assert_int_equal(hw_bar_at(function, 0xe0001000), 0);
	assert_int_equal(hw_bar_at(function, 0xe0001fff), 0);
	assert_int_equal(hw_bar_at(function, 0xe0002000), -1);
	assert_int_equal(hw_bar_at(function, 0x45ffffffffULL), -1);
	assert_int_equal(hw_bar_at(function, 0x4600000000ULL), 2);
	assert_int_equal(hw_bar_at(function, 0x47ffffffffULL), 2);
	assert_int_equal(hw_bar_at(function, 0x4800000000ULL), -1);
	/* The upper register holds no BAR of its own. */
	assert_int_equal(hw_bar_at(function, 0x46), -1);
	bench_set_bar(function, 0, 0xe0003000);
	assert_int_equal(hw_bar_at(function, 0xe0001000), -1);
	assert_int_equal(hw_bar_at(function, 0xe0003000), 0);
	bench_command(function, 0);
	assert_int_equal(hw_bar_at(function, 0xe0003000), -1);
}

/* Address bits below the size are not kept: BARs are naturally aligned. */
static void a_bar_is_aligned_to_its_size(void **state)
{
	struct hw_function *function =
		add(state, &(struct bench_function){ .devfn = 8, .bar = { { SZ_1M } } });

	bench_set_bar(function, 0, 0xe01ff000);
	expect_u64(hw_config_read(function, PCI_BASE_ADDRESS_0, 4), 0xe0100000);
}

static void a_write_changes_only_its_bytes(void **state)
{
	struct hw_function *function =
		add(state, &(struct bench_function){ .devfn = 8, .bar = { { 16 } } });

	hw_config_write(function, PCI_BASE_ADDRESS_0, 4, 0x11223340);
	hw_config_write(function, PCI_BASE_ADDRESS_0 + 1, 1, 0xaa);
	expect_u64(hw_config_read(function, PCI_BASE_ADDRESS_0, 4), 0x1122aa40);
	hw_config_write(function, PCI_BASE_ADDRESS_0 + 2, 2, 0xbbcc);
	expect_u64(hw_config_read(function, PCI_BASE_ADDRESS_0, 4), 0xbbccaa40);
	hw_config_write(function, PCI_BASE_ADDRESS_0 + 3, 1, 0x5500dd);
	expect_u64(hw_config_read(function, PCI_BASE_ADDRESS_0, 4), 0xddccaa40);
	expect_u64(hw_config_read(function, PCI_BASE_ADDRESS_0 + 1, 1), 0xaa);
	expect_u64(hw_config_read(function, PCI_BASE_ADDRESS_0 + 2, 2), 0xddcc);
}

/* 64 bytes of a dump are known: the rest reads as zeros and takes nothing. */
static void what_is_not_known_reads_as_zeros(void **state)
{
	struct bench *bench = *state;
	u8 config[64] = { 0xcd, 0xab };
	struct hw_function *function =
		hw_function_add(&bench->hw, root_bus(bench),
				&(struct hw_function_desc){ .config = config, .config_bytes = 64 });

	assert_non_null(function);
	expect_u64(hw_config_read(function, 0, 2), 0xabcd);
	for (u32 offset = 64; offset < 4096; offset += 4) {
		hw_config_write(function, offset, 4, ~0U);
		expect_u64(hw_config_read(function, offset, 4), 0);
	}
	assert_int_equal(function->express_type, -1);
	expect_u64(function->acs_at, 0);
}

/* ---- Bridges --------------------------------------------------------------------------------- */

static struct hw_function *add_bridge(void **state)
{
	struct hw_function *port =
		add(state, &(struct bench_function){ .devfn = 8,
						     .express_type = PCI_EXP_TYPE_ROOT_PORT,
						     .bridge = true });

	bench_command(port, PCI_COMMAND_MEMORY);
	return port;
}

static void a_bridge_has_bus_numbers_and_windows_to_write(void **state)
{
	struct hw_function *port = add_bridge(state);

	expect_u64(writable(port, PCI_PRIMARY_BUS), 0x00ffffff);
	expect_u64(writable(port, PCI_MEMORY_BASE), 0xfff0fff0);
	expect_u64(writable(port, PCI_PREF_MEMORY_BASE), 0xfff0fff0);
	expect_u64(writable(port, PCI_PREF_BASE_UPPER32), 0xffffffff);
	expect_u64(writable(port, PCI_PREF_LIMIT_UPPER32), 0xffffffff);
	/* Only two BARs: what would be the third is the bus numbers. */
	hw_config_write(port, PCI_PRIMARY_BUS, 4, 0x00050403);
	expect_u64(hw_config_read(port, PCI_PRIMARY_BUS, 1), 3);
	expect_u64(hw_config_read(port, PCI_SECONDARY_BUS, 1), 4);
	expect_u64(hw_config_read(port, PCI_SUBORDINATE_BUS, 1), 5);
}

/* Granules of 1 MiB; the limit is the last MiB inside. Base above limit is an empty window. */
static void the_memory_window_ends_with_the_limits_last_mebibyte(void **state)
{
	struct hw_function *port = add_bridge(state);

	hw_config_write(port, PCI_MEMORY_BASE, 2, 0xe010);
	hw_config_write(port, PCI_MEMORY_LIMIT, 2, 0xe02f);
	expect_u64(port->window.start, 0xe0100000);
	expect_u64(port->window.last, 0xe02fffff);
	hw_config_write(port, PCI_MEMORY_LIMIT, 2, 0xe000);
	assert_true(port->window.start > port->window.last);
	assert_false(hw_span_has(port->window, 0xe0100000));
	hw_config_write(port, PCI_MEMORY_LIMIT, 2, 0xe020);
	bench_command(port, 0);
	assert_false(hw_span_has(port->window, 0xe0100000));
}

static void the_prefetchable_window_has_64_bits(void **state)
{
	struct hw_function *port = add_bridge(state);

	hw_config_write(port, PCI_PREF_MEMORY_BASE, 2, 0x1000);
	hw_config_write(port, PCI_PREF_MEMORY_LIMIT, 2, 0x2ff0);
	hw_config_write(port, PCI_PREF_BASE_UPPER32, 4, 0x46);
	hw_config_write(port, PCI_PREF_LIMIT_UPPER32, 4, 0x47);
	expect_u64(port->prefetch_window.start, 0x4610000000ULL);
	expect_u64(port->prefetch_window.last, 0x472fffffffULL);
	/* The low bits say "64-bit" whatever is written. */
	expect_u64(hw_config_read(port, PCI_PREF_MEMORY_BASE, 4), 0x2ff11001);
	hw_config_write(port, PCI_PREF_LIMIT_UPPER32, 4, 0x45);
	assert_false(hw_span_has(port->prefetch_window, 0x4610000000ULL));
}

/* A bridge whose type bits are 0 has 32 bits: the upper registers are not there. */
static void a_32_bit_prefetchable_window_has_no_upper_half(void **state)
{
	struct bench *bench = *state;
	u8 config[256] = { [PCI_HEADER_TYPE] = PCI_HEADER_TYPE_BRIDGE };
	struct hw_function *port = hw_function_add(
		&bench->hw, root_bus(bench),
		&(struct hw_function_desc){ .config = config, .config_bytes = sizeof(config) });

	bench_command(port, PCI_COMMAND_MEMORY);
	expect_u64(writable(port, PCI_PREF_BASE_UPPER32), 0);
	expect_u64(writable(port, PCI_PREF_LIMIT_UPPER32), 0);
	/* Both 0: there is no such window at all. */
	assert_false(hw_span_has(port->prefetch_window, 0));
	hw_config_write(port, PCI_PREF_MEMORY_BASE, 2, 0x9000);
	hw_config_write(port, PCI_PREF_MEMORY_LIMIT, 2, 0x9010);
	expect_u64(port->prefetch_window.start, 0x90000000);
	expect_u64(port->prefetch_window.last, 0x901fffff);
}

/* ---- Capabilities ---------------------------------------------------------------------------- */

static void the_device_control_register_can_be_written(void **state)
{
	struct hw_function *function = add(state, &(struct bench_function){ .devfn = 8 });

	/* The upper half is the device status. */
	expect_u64(writable(function, BENCH_EXPRESS_AT + PCI_EXP_DEVCTL), 0xffff);
	assert_int_equal(function->express_type, PCI_EXP_TYPE_ENDPOINT);
}

/* A control bit exists where the capability bit does. */
static void acs_control_follows_the_capability(void **state)
{
	static const u16 capability[] = { 0x01, 0x04, 0x1d, 0x5f, 0x7f };

	for (size_t i = 0; i < sizeof(capability) / sizeof(capability[0]); i++) {
		struct hw_function *port =
			add(state, &(struct bench_function){
					   .devfn = (u8)(8 * i),
					   .express_type = PCI_EXP_TYPE_DOWNSTREAM,
					   .bridge = true,
					   .acs = capability[i],
				   });

		expect_u64(port->acs, 0);
		bench_set_acs(port, 0xffff);
		expect_u64(port->acs, capability[i]);
		expect_u64(hw_config_read(port, BENCH_ACS_AT + PCI_ACS_CAP, 2), capability[i]);
		bench_set_acs(port, 0);
		expect_u64(port->acs, 0);
	}
}

static void without_the_capability_acs_control_is_0(void **state)
{
	struct hw_function *port = add_bridge(state);

	bench_set_acs(port, 0xffff);
	expect_u64(port->acs, 0);
	expect_u64(hw_config_read(port, BENCH_ACS_AT + PCI_ACS_CTRL, 2), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_teardown)

TEST_MAIN(TEST(what_identifies_a_function_cannot_be_written),
	  TEST(the_command_register_has_its_bits), TEST(the_size_of_a_32_bit_bar_shows_in_its_mask),
	  TEST(the_size_of_a_64_bit_bar_shows_in_both_registers),
	  TEST(an_io_bar_has_its_own_low_bits_and_decodes_no_memory),
	  TEST(a_bar_decodes_where_it_was_put), TEST(a_bar_is_aligned_to_its_size),
	  TEST(a_write_changes_only_its_bytes), TEST(what_is_not_known_reads_as_zeros),
	  TEST(a_bridge_has_bus_numbers_and_windows_to_write),
	  TEST(the_memory_window_ends_with_the_limits_last_mebibyte),
	  TEST(the_prefetchable_window_has_64_bits),
	  TEST(a_32_bit_prefetchable_window_has_no_upper_half),
	  TEST(the_device_control_register_can_be_written),
	  TEST(acs_control_follows_the_capability), TEST(without_the_capability_acs_control_is_0))
