/* SPDX-License-Identifier: MIT */
/*
 * Transfers of devices and of the CPU: bytes arrive, failures stop them at the right byte.
 */
#include "yard.h"

#include <string.h>

#define BUFFER 0x200000ULL /* in RAM */

static void expect_transfer_of(struct hw_transfer transfer, enum hw_transfer_status status,
			       u64 done, u64 address)
{
	assert_int_equal(transfer.status, status);
	expect_u64(transfer.done, done);
	if (status != HW_TRANSFER_DONE)
		expect_u64(transfer.address, address);
}

static void fill(u8 *buffer, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		buffer[i] = (u8)(i * 31 + i / 256);
}

static void bytes_travel_between_a_device_and_ram(void **state)
{
	const struct yard *yard = *state;
	static u8 sent[10000], seen[10002];

	fill(sent, sizeof(sent));
	expect_transfer_of(hw_engine_write(yard->left, BUFFER + 77, sent, sizeof(sent)),
			   HW_TRANSFER_DONE, sizeof(sent), 0);
	ram_read(&yard->hw->ram, BUFFER + 76, seen, sizeof(seen));
	assert_int_equal(seen[0], 0);
	assert_memory_equal(seen + 1, sent, sizeof(sent));
	assert_int_equal(seen[10001], 0);
	memset(seen, 0xff, sizeof(seen));
	expect_transfer_of(hw_engine_read(yard->disk, BUFFER + 77, seen, sizeof(sent)),
			   HW_TRANSFER_DONE, sizeof(sent), 0);
	assert_memory_equal(seen, sent, sizeof(sent));
	assert_int_equal(seen[10000], 0xff);
}

static void bytes_travel_between_a_device_and_another_ones_bar(void **state)
{
	const struct yard *yard = *state;
	static u8 sent[9000], seen[9000];

	fill(sent, sizeof(sent));
	expect_transfer_of(hw_engine_write(yard->disk, FAR_AT + 0x4567, sent, sizeof(sent)),
			   HW_TRANSFER_DONE, sizeof(sent), 0);
	ram_read(hw_bar_memory(yard->far, 0), 0x4567, seen, sizeof(seen));
	assert_memory_equal(seen, sent, sizeof(seen));
	memset(seen, 0, sizeof(seen));
	expect_transfer_of(hw_engine_read(yard->left, FAR_AT + 0x4567, seen, sizeof(seen)),
			   HW_TRANSFER_DONE, sizeof(seen), 0);
	assert_memory_equal(seen, sent, sizeof(seen));
}

static void a_device_that_is_not_master_moves_nothing(void **state)
{
	const struct yard *yard = *state;
	u8 byte = 1;

	bench_command(yard->left, PCI_COMMAND_MEMORY);
	expect_transfer_of(hw_engine_write(yard->left, BUFFER, &byte, 1), HW_TRANSFER_NOT_MASTER, 0,
			   BUFFER);
	expect_transfer_of(hw_engine_read(yard->left, BUFFER, &byte, 1), HW_TRANSFER_NOT_MASTER, 0,
			   BUFFER);
	assert_int_equal(byte, 1);
	expect_u64(yard->hw->costs.tlps, 0);
	ram_read(&yard->hw->ram, BUFFER, &byte, 1);
	assert_int_equal(byte, 0);
}

static void a_transfer_of_no_bytes_is_done_and_costs_nothing(void **state)
{
	const struct yard *yard = *state;

	expect_transfer_of(hw_engine_write(yard->left, 0x9000000000ULL, NULL, 0), HW_TRANSFER_DONE,
			   0, 0);
	expect_u64(yard->hw->costs.tlps, 0);
}

/*   iova   |  RW   |  RW   |  none  |
 *              [-----------------]      from the middle: 800 + 1000 bytes arrive */
static void a_fault_stops_a_write_at_its_page(void **state)
{
	struct yard *yard = *state;
	static u8 sent[0x2800], seen[0x2800];
	struct hw_transfer transfer;

	yard_iommu(yard);
	yard_map(yard, 0x10000, BUFFER, ENTRY_RW);
	yard_map(yard, 0x11000, BUFFER + 0x1000, ENTRY_RW);
	fill(sent, sizeof(sent));
	transfer = hw_engine_write(yard->left, 0x10800, sent, sizeof(sent));
	expect_transfer_of(transfer, HW_TRANSFER_FAULT, 0x1800, 0x12000);
	expect_u64(transfer.fault, 5);
	ram_read(&yard->hw->ram, BUFFER + 0x800, seen, sizeof(seen));
	assert_memory_equal(seen, sent, 0x1800);
	assert_int_equal(seen[0x1800], 0);
	expect_u64(yard->iommu->faults_total, 1);
}

/*   iova   |  RW   |   R   |   W   |      a write stops at the second, a read at the third */
static void a_missing_permission_stops_at_its_page(void **state)
{
	struct yard *yard = *state;
	static u8 buffer[0x3000];
	struct hw_transfer transfer;

	yard_iommu(yard);
	yard_map(yard, 0x10000, BUFFER, ENTRY_RW);
	yard_map(yard, 0x11000, BUFFER + 0x1000, ENTRY_R);
	yard_map(yard, 0x12000, BUFFER + 0x2000, ENTRY_W);
	transfer = hw_engine_write(yard->left, 0x10ffc, buffer, 0x2000);
	expect_transfer_of(transfer, HW_TRANSFER_FAULT, 4, 0x11000);
	expect_u64(transfer.fault, 5);
	transfer = hw_engine_read(yard->left, 0x10ffc, buffer, 0x2000);
	expect_transfer_of(transfer, HW_TRANSFER_FAULT, 0x1004, 0x12000);
	expect_u64(transfer.fault, 6);
}

static void the_end_of_a_bar_stops_a_transfer(void **state)
{
	const struct yard *yard = *state;
	static u8 buffer[SZ_16K];

	expect_transfer_of(hw_engine_write(yard->left, RIGHT_AT + SZ_16K - 100, buffer, 300),
			   HW_TRANSFER_UNSUPPORTED, 100, RIGHT_AT + SZ_16K);
	expect_transfer_of(hw_engine_read(yard->old, OLDER_AT + 200, buffer, 57),
			   HW_TRANSFER_UNSUPPORTED, 56, OLDER_AT + 256);
}

static void the_end_of_ram_stops_a_transfer(void **state)
{
	const struct yard *yard = *state;
	u8 buffer[64];

	expect_transfer_of(hw_engine_read(yard->left, SZ_1G - 5, buffer, 64),
			   HW_TRANSFER_UNSUPPORTED, 5, SZ_1G);
}

/* The second chunk of RAM cannot be had: what went into the first is done. */
static void a_process_without_memory_stops_a_write(void **state)
{
	const struct yard *yard = *state;
	static u8 buffer[0x3000];
	phys_addr_t border = 4 * RAM_CHUNK_BYTES;

	ram_touch(&yard->hw->ram, border - 1);
	bench_fail(yard->bench, 1);
	expect_transfer_of(hw_engine_write(yard->left, border - 0x1000, buffer, 0x3000),
			   HW_TRANSFER_NO_MEMORY, 0x1000, border);
	bench_fail(yard->bench, 1);
	expect_transfer_of(hw_engine_write(yard->left, RIGHT_AT, buffer, 4), HW_TRANSFER_NO_MEMORY,
			   0, RIGHT_AT);
	/* Reads need none. */
	bench_fail(yard->bench, 1);
	expect_transfer_of(hw_engine_read(yard->left, border, buffer, 4), HW_TRANSFER_DONE, 4, 0);
}

static void a_message_is_counted_as_an_interrupt(void **state)
{
	const struct yard *yard = *state;

	expect_transfer_of(hw_engine_write(yard->left, 0xfee00000, "\1\0\0\0", 4), HW_TRANSFER_DONE,
			   4, 0);
	expect_u64(yard->hw->costs.interrupts, 1);
	expect_u64(yard->hw->costs.tlps, 1);
}

/* ---- Hooks ----------------------------------------------------------------------------------- */

struct heard {
	u32 accesses, refusals;
	struct hw_access last;
	enum hw_target_kind kind;
	u8 fault;
};

static void hear_access(void *cookie, const struct hw_access *access)
{
	struct heard *heard = cookie;

	heard->accesses++;
	heard->last = *access;
	heard->kind = access->target->kind;
}

static void hear_refusal(void *cookie, const struct hw_access *access)
{
	struct heard *heard = cookie;

	heard->refusals++;
	heard->last = *access;
	heard->kind = access->target->kind;
	heard->fault = access->target->fault;
}

static void listeners_hear_of_each_stretch_and_of_refusals(void **state)
{
	struct yard *yard = *state;
	struct heard heard = { 0 };
	static u8 buffer[0x3000];

	yard_iommu(yard);
	yard->hw->hooks =
		(struct hw_hooks){ &heard, .access = hear_access, .refused = hear_refusal };
	yard_map(yard, 0x10000, BUFFER, ENTRY_RW);
	yard_map(yard, 0x11000, BUFFER, ENTRY_RW);
	hw_engine_write(yard->left, 0x10ff0, buffer, 0x20);
	expect_u64(heard.accesses, 2);
	expect_u64(heard.refusals, 0);
	assert_ptr_equal(heard.last.from, yard->left);
	expect_u64(heard.last.address, 0x11000);
	expect_u64(heard.last.bytes, 0x10);
	assert_true(heard.last.write);
	assert_int_equal(heard.kind, HW_TARGET_RAM);
	hw_engine_read(yard->left, 0x12004, buffer, 0x2000);
	expect_u64(heard.accesses, 2);
	expect_u64(heard.refusals, 1);
	expect_u64(heard.last.address, 0x12004);
	assert_false(heard.last.write);
	assert_int_equal(heard.kind, HW_TARGET_FAULT);
	expect_u64(heard.fault, 6);
}

/* ---- The CPU --------------------------------------------------------------------------------- */

static void the_cpu_reads_and_writes_ram_and_bars(void **state)
{
	const struct yard *yard = *state;
	static u8 sent[SZ_16K], seen[SZ_16K];

	fill(sent, sizeof(sent));
	expect_u64(hw_cpu_write(yard->hw, BUFFER + 3, sent, sizeof(sent)), sizeof(sent));
	expect_u64(hw_cpu_read(yard->hw, BUFFER + 3, seen, sizeof(seen)), sizeof(seen));
	assert_memory_equal(seen, sent, sizeof(sent));
	expect_u64(hw_cpu_write(yard->hw, RIGHT_AT, sent, sizeof(sent)), sizeof(sent));
	memset(seen, 0, sizeof(seen));
	hw_engine_read(yard->left, RIGHT_AT, seen, sizeof(seen));
	assert_memory_equal(seen, sent, sizeof(sent));
	/* The CPU's accesses are no TLPs of a device. */
	expect_u64(yard->hw->costs.tlps, (SZ_16K + 127) / 128);
}

static void the_cpu_stops_where_nothing_is(void **state)
{
	const struct yard *yard = *state;
	u8 buffer[64];

	expect_u64(hw_cpu_read(yard->hw, SZ_1G - 7, buffer, sizeof(buffer)), 7);
	expect_u64(hw_cpu_write(yard->hw, RIGHT_AT + SZ_16K - 9, buffer, sizeof(buffer)), 9);
	expect_u64(hw_cpu_read(yard->hw, OLD_AT + 250, buffer, sizeof(buffer)), 6);
	expect_u64(hw_cpu_read(yard->hw, 0x9000000000ULL, buffer, 1), 0);
	/* The interrupt window is none of the CPU's memory. */
	expect_u64(hw_cpu_write(yard->hw, 0xfee00000, buffer, 4), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, yard_setup, yard_teardown)

TEST_MAIN(TEST(bytes_travel_between_a_device_and_ram),
	  TEST(bytes_travel_between_a_device_and_another_ones_bar),
	  TEST(a_device_that_is_not_master_moves_nothing),
	  TEST(a_transfer_of_no_bytes_is_done_and_costs_nothing),
	  TEST(a_fault_stops_a_write_at_its_page), TEST(a_missing_permission_stops_at_its_page),
	  TEST(the_end_of_a_bar_stops_a_transfer), TEST(the_end_of_ram_stops_a_transfer),
	  TEST(a_process_without_memory_stops_a_write), TEST(a_message_is_counted_as_an_interrupt),
	  TEST(listeners_hear_of_each_stretch_and_of_refusals),
	  TEST(the_cpu_reads_and_writes_ram_and_bars), TEST(the_cpu_stops_where_nothing_is))
