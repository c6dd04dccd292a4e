/* SPDX-License-Identifier: MIT */
/*
 * How transfers are cut into TLPs: none crosses a 4 KiB boundary, writes carry at most the maximum
 * payload, reads ask for at most the maximum read request (PCI Express Base 5.0, 2.2.7, 7.5.3.4).
 */
#include "yard.h"

#include <string.h>

#define BUFFER 0x200000ULL

/* Device control: payload in bits 7:5, read request in bits 14:12; 128 bytes times 2^n. */
static void set_sizes(struct hw_function *function, u32 payload_lg2, u32 request_lg2)
{
	hw_config_write(function, BENCH_EXPRESS_AT + 8, 2,
			(payload_lg2 - 7) << 5 | (request_lg2 - 7) << 12);
}

/* Byte by byte: a new TLP begins where the last one is full or a page begins. */
static u64 count_tlps(u64 address, u64 bytes, u64 largest)
{
	u64 tlps = 0, in_tlp = 0;

	for (u64 at = address; at < address + bytes; at++) {
		if (!in_tlp || in_tlp == largest || at % 4096 == 0) {
			tlps++;
			in_tlp = 0;
		}
		in_tlp++;
	}
	return tlps;
}

static void a_few_counts_done_by_hand(void **state)
{
	static const struct {
		u64 address;
		u64 bytes;
		u64 tlps;
	} row[] = {
		{ 0, 1, 1 },	      { 0, 128, 1 },	 { 0, 129, 2 },	     { 127, 2, 1 },
		{ 4095, 1, 1 },	      { 4095, 2, 2 },	 { 4096, 4096, 32 }, { 1, 4096, 32 + 1 },
		{ 4000, 200, 1 + 1 }, { 100, 8092, 64 }, { 3968, 129, 2 },
	};
	const struct yard *yard = *state;
	static u8 buffer[SZ_16K];

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		u64 before = yard->hw->costs.tlps;

		hw_engine_write(yard->left, BUFFER + row[i].address, buffer, row[i].bytes);
		expect_u64(yard->hw->costs.tlps - before, row[i].tlps);
		expect_u64(count_tlps(row[i].address, row[i].bytes, 128), row[i].tlps);
	}
}

static void every_size_alignment_and_length_counts_as_the_rules_say(void **state)
{
	const struct yard *yard = *state;
	struct random *random = &yard->bench->world.random;
	static u8 buffer[20000];

	for (u32 lg2 = 7; lg2 <= 12; lg2++) {
		/* The other size is different, so that they cannot be mixed up. */
		u32 other = lg2 == 12 ? 7 : lg2 + 1;

		for (int n = 0; n < 100; n++) {
			u64 address = BUFFER + random_below(random, 5000);
			u64 bytes = random_below(random, sizeof(buffer));
			u64 before = yard->hw->costs.tlps;

			set_sizes(yard->left, lg2, other);
			hw_engine_write(yard->left, address, buffer, bytes);
			expect_u64(yard->hw->costs.tlps - before,
				   count_tlps(address, bytes, 1U << lg2));
			before = yard->hw->costs.tlps;
			set_sizes(yard->left, other, lg2);
			hw_engine_read(yard->left, address, buffer, bytes);
			expect_u64(yard->hw->costs.tlps - before,
				   count_tlps(address, bytes, 1U << lg2));
		}
	}
}

/* A function that has no Express capability moves 128 bytes at a time. */
static void a_conventional_function_has_the_smallest_size(void **state)
{
	const struct yard *yard = *state;
	struct hw_function *plain =
		bench_add(yard->bench, &yard->root[0]->bus,
			  &(struct bench_function){ .devfn = 0x40, .express_type = -1 });
	u8 buffer[1000];

	bench_command(plain, PCI_COMMAND_MASTER);
	hw_engine_read(plain, BUFFER, buffer, sizeof(buffer));
	expect_u64(yard->hw->costs.tlps, 8);
}

/* Two small BARs in one page: a TLP ends with the BAR, too. */
static void a_refused_transfer_costs_the_tlps_that_were_sent(void **state)
{
	struct yard *yard = *state;
	static u8 buffer[SZ_4K];

	hw_engine_write(yard->disk, OLD_AT, buffer, 300);
	expect_u64(yard->hw->costs.tlps, 2 + 1);
	yard_iommu(yard);
	yard->hw->costs.tlps = 0;
	yard_map(yard, 0x10000, BUFFER, ENTRY_RW);
	hw_engine_write(yard->left, 0x10000, buffer, 0x1000);
	expect_u64(yard->hw->costs.tlps, 32);
	hw_engine_write(yard->left, 0x10f80, buffer, 0x1000);
	expect_u64(yard->hw->costs.tlps, 32 + 1 + 1);
}

/* One walk for a page: the other TLPs find the translation cached. */
static void each_tlp_is_a_hit_or_a_miss(void **state)
{
	struct yard *yard = *state;
	static u8 buffer[SZ_16K];

	yard_iommu(yard);
	for (u64 i = 0; i < 4; i++)
		yard_map(yard, 0x10000 + i * 0x1000, BUFFER + i * 0x1000, ENTRY_RW);
	hw_engine_write(yard->left, 0x10000, buffer, SZ_16K);
	expect_u64(yard->hw->costs.tlps, 128);
	expect_u64(yard->hw->costs.iotlb_misses, 4);
	expect_u64(yard->hw->costs.iotlb_hits, 124);
	expect_u64(yard->hw->costs.walk_reads, 4 * 4);
	hw_engine_write(yard->left, 0x10000, buffer, SZ_16K);
	expect_u64(yard->hw->costs.iotlb_misses, 4);
	expect_u64(yard->hw->costs.iotlb_hits, 124 + 128);
}

/* What is taken as it is asks no cache of translations, with the first TLP or a later one. */
static void what_passes_as_it_is_hits_nothing(void **state)
{
	struct yard *yard = *state;
	static u8 buffer[SZ_4K];

	yard_iommu(yard);
	expect_ok(hw_context_set(
		yard->iommu, (u16)hw_function_sbdf(yard->left),
		(struct hw_context){ .type = HW_CONTEXT_PASS_THROUGH, .domain = 2 }));
	expect_u64(hw_engine_write(yard->left, BUFFER, buffer, SZ_4K).done, SZ_4K);
	expect_u64(yard->hw->costs.tlps, 32);
	expect_u64(yard->hw->costs.iotlb_misses, 0);
	expect_u64(yard->hw->costs.iotlb_hits, 0);
}

/* ---- BARs with behaviour --------------------------------------------------------------------- */

struct registers {
	u32 calls;
	u64 next;    /* where the next piece must begin */
	u32 largest; /* piece seen */
	u64 bar_bytes;
	u8 bytes[SZ_16K];
};

static void note(struct registers *registers, u64 offset, u32 bytes)
{
	assert_true(bytes >= 1 && bytes <= 4096);
	assert_true(offset + bytes <= registers->bar_bytes);
	expect_u64(offset, registers->next);
	registers->next = offset + bytes;
	registers->calls++;
	if (bytes > registers->largest)
		registers->largest = bytes;
}

static void read_registers(void *cookie, u32 bar, u64 offset, void *to, u32 bytes)
{
	struct registers *registers = cookie;

	assert_int_equal(bar, 0);
	note(registers, offset, bytes);
	memcpy(to, registers->bytes + offset, bytes);
}

static void write_registers(void *cookie, u32 bar, u64 offset, const void *from, u32 bytes)
{
	struct registers *registers = cookie;

	assert_int_equal(bar, 0);
	note(registers, offset, bytes);
	memcpy(registers->bytes + offset, from, bytes);
}

static const struct hw_bar_ops register_ops = { read_registers, write_registers };

static void add_registers(const struct yard *yard, struct registers *registers)
{
	struct hw_function *function = bench_add(yard->bench, yard->down[1]->secondary,
						 &(struct bench_function){
							 .devfn = 1,
							 .bar = { { SZ_16K } },
							 .ops = &register_ops,
							 .cookie = registers,
						 });

	registers->bar_bytes = SZ_16K;
	bench_set_bar(function, 0, RIGHT_AT + SZ_64K);
	bench_command(function, PCI_COMMAND_MEMORY);
}

static void a_bar_with_behaviour_sees_one_tlp_at_a_time(void **state)
{
	const struct yard *yard = *state;
	struct registers registers = { 0 };
	static u8 sent[SZ_16K], seen[SZ_16K];
	u64 at = RIGHT_AT + SZ_64K;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (u8)(i * 3 + i / 256);
	add_registers(yard, &registers);
	set_sizes(yard->left, 8, 9);
	registers.next = 100;
	expect_u64(hw_engine_write(yard->left, at + 100, sent, 9000).done, 9000);
	expect_u64(registers.next, 9100);
	expect_u64(registers.largest, 256);
	expect_u64(registers.calls, count_tlps(at + 100, 9000, 256));
	assert_memory_equal(registers.bytes + 100, sent, 9000);

	registers.calls = registers.largest = 0;
	registers.next = 100;
	expect_u64(hw_engine_read(yard->left, at + 100, seen, 9000).done, 9000);
	expect_u64(registers.largest, 512);
	expect_u64(registers.calls, count_tlps(at + 100, 9000, 512));
	assert_memory_equal(seen, sent, 9000);
}

static void pieces_stay_inside_the_bar(void **state)
{
	const struct yard *yard = *state;
	struct registers registers = { 0 };
	u8 buffer[300] = { 0 };
	struct hw_transfer transfer;

	registers.next = SZ_16K - 200;
	add_registers(yard, &registers);
	transfer = hw_engine_write(yard->left, RIGHT_AT + SZ_64K + SZ_16K - 200, buffer, 300);
	assert_int_equal(transfer.status, HW_TRANSFER_UNSUPPORTED);
	expect_u64(transfer.done, 200);
	expect_u64(registers.next, SZ_16K);
}

/* The CPU's copies reach a BAR in pieces of at most a page. */
static void the_cpu_reaches_a_bar_with_behaviour(void **state)
{
	const struct yard *yard = *state;
	struct registers registers = { 0 };
	static u8 seen[SZ_16K];

	registers.next = 10;
	add_registers(yard, &registers);
	memset(registers.bytes, 0x42, sizeof(registers.bytes));
	expect_u64(hw_cpu_read(yard->hw, RIGHT_AT + SZ_64K + 10, seen, 9000), 9000);
	assert_int_equal(seen[8999], 0x42);
	expect_u64(registers.next, 9010);
}

/* Registers that nobody answers read as zeros and lose what is written. */
static void members_that_are_missing_read_as_zeros(void **state)
{
	static const struct hw_bar_ops none = { NULL, NULL };
	const struct yard *yard = *state;
	struct hw_function *mute = bench_add(
		yard->bench, yard->down[1]->secondary,
		&(struct bench_function){ .devfn = 1, .bar = { { SZ_4K } }, .ops = &none });
	u8 buffer[64];

	bench_set_bar(mute, 0, RIGHT_AT + SZ_64K);
	bench_command(mute, PCI_COMMAND_MEMORY);
	memset(buffer, 0xff, sizeof(buffer));
	expect_u64(hw_engine_write(yard->left, RIGHT_AT + SZ_64K, buffer, 64).done, 64);
	expect_u64(hw_engine_read(yard->left, RIGHT_AT + SZ_64K, buffer, 64).done, 64);
	for (size_t i = 0; i < sizeof(buffer); i++)
		assert_int_equal(buffer[i], 0);
	assert_null(hw_bar_memory(mute, 0));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, yard_setup, yard_teardown)

TEST_MAIN(TEST(a_few_counts_done_by_hand),
	  TEST(every_size_alignment_and_length_counts_as_the_rules_say),
	  TEST(a_conventional_function_has_the_smallest_size),
	  TEST(a_refused_transfer_costs_the_tlps_that_were_sent), TEST(each_tlp_is_a_hit_or_a_miss),
	  TEST(what_passes_as_it_is_hits_nothing),
	  TEST(a_bar_with_behaviour_sees_one_tlp_at_a_time), TEST(pieces_stay_inside_the_bar),
	  TEST(the_cpu_reaches_a_bar_with_behaviour), TEST(members_that_are_missing_read_as_zeros))
