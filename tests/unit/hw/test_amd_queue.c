/* SPDX-License-Identifier: MIT */
/*
 * AMD's commands as hardware reads them: words made here by hand from facts
 * "iova-and-page-tables" 3.3, every field, every reserved bit, every opcode.
 *
 *   opcode   word 0, 63:60
 *   1 wait             store 0, interrupt 1, (flush 2), address 51:3 | value
 *   2 device entry     device 15:0 | 0
 *   3 pages            PASID 19:0, domain 47:32 | S 0, PDE 1, GN 2, address 63:12
 *   4 device's pages   device 15:0, PASID[15:8] 23:16, QDEP 31:24, queue 47:32, PASID[7:0] 55:48
 *                      | S 0, GN 2, address 63:12
 *   5 interrupts       device 15:0 | 0
 *   6 prefetch, 7 complete page request: not offered
 *   8 everything       0 | 0
 */
#include "support/expect.h"

#include <string.h>

#include "hw/amd_queue.h"

/* The bits that must be 0, by opcode; bits that mean nothing in a wait may be anything. */
static const struct {
	u64 low, high;
} reserved[16] = {
	[1] = { 0x0ff0000000000000ULL, 0 },
	[2] = { 0x0fffffffffff0000ULL, ~0ULL },
	[3] = { 0x0fff0000fff00000ULL, 0x0000000000000ff8ULL },
	[4] = { 0x0f00000000000000ULL, 0x0000000000000ffaULL },
	[5] = { 0x0fffffffffff0000ULL, ~0ULL },
	[8] = { 0x0fffffffffffffffULL, ~0ULL },
};

static const u8 known[] = { 1, 2, 3, 4, 5, 8 };

#define KNOWN (sizeof(known) / sizeof(known[0]))

static struct hw_amd_command decode(u64 low, u64 high)
{
	const u64 word[2] = { low, high };
	struct hw_amd_command command;

	memset(&command, 0xee, sizeof(command));
	if (!hw_amd_decode(word, &command))
		fail_msg("0x%016llx 0x%016llx is refused", low, high);
	return command;
}

static bool refused(u64 low, u64 high)
{
	const u64 word[2] = { low, high };
	struct hw_amd_command command;

	return !hw_amd_decode(word, &command);
}

static void a_wait_stores_and_interrupts(void **state)
{
	struct hw_amd_command command = decode(0x1008123456789ab9ULL, 0x1122334455667788ULL);

	(void)state;
	expect_u64(command.opcode, 1);
	assert_true(command.store && !command.interrupt);
	expect_u64(command.store_at, 0x0008123456789ab8ULL);
	expect_u64(command.value, 0x1122334455667788ULL);
	command = decode(0x1000000000000002ULL, 0);
	assert_true(!command.store && command.interrupt);
	expect_u64(command.store_at, 0);
	/* The bit beside them orders what comes behind: here all is in order. */
	command = decode(0x1000000000006004ULL, 0);
	assert_true(!command.store && !command.interrupt);
	expect_u64(command.store_at, 0x6000);
}

static void commands_of_one_device_name_it(void **state)
{
	static const u8 opcode[] = { 2, 5 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		for (u32 device = 1; device < 0x10000; device <<= 1) {
			struct hw_amd_command command = decode((u64)opcode[i] << 60 | device, 0);

			expect_u64(command.opcode, opcode[i]);
			expect_u64(command.device, device);
		}
	}
}

static void pages_have_a_domain_a_pasid_and_flags(void **state)
{
	struct hw_amd_command command = decode(0x3000abcd00054321ULL, 0x0000000012345006ULL);

	(void)state;
	expect_u64(command.opcode, 3);
	expect_u64(command.domain, 0xabcd);
	expect_u64(command.pasid, 0x54321);
	assert_true(command.guest && command.tables);
	expect_u64(command.start, 0x12345000);
	expect_u64(command.last, 0x12345fff);
	assert_true(decode(0x3000000000000000ULL, 2).tables);
	assert_false(decode(0x3000000000000000ULL, 2).guest);
	assert_true(decode(0x3000000000000000ULL, 4).guest);
	assert_false(decode(0x3000000000000000ULL, 4).tables);
	for (u32 bit = 0; bit < 16; bit++)
		expect_u64(decode(0x3ULL << 60 | 1ULL << (32 + bit), 0).domain, 1ULL << bit);
	for (u32 bit = 0; bit < 20; bit++)
		expect_u64(decode(0x3ULL << 60 | 1ULL << bit, 0).pasid, 1ULL << bit);
}

static void pages_of_a_device_have_its_queue_and_a_pasid_in_two_parts(void **state)
{
	struct hw_amd_command command = decode(0x40cd43212fab8765ULL, 0x0000000012345004ULL);

	(void)state;
	expect_u64(command.opcode, 4);
	expect_u64(command.device, 0x8765);
	expect_u64(command.queue, 0x4321);
	expect_u64(command.depth, 0x2f);
	expect_u64(command.pasid, 0xabcd);
	assert_true(command.guest);
	assert_false(command.tables);
	expect_u64(command.start, 0x12345000);
	expect_u64(command.last, 0x12345fff);
}

/* The examples of the facts, and the borders of the rule. */
static void the_address_codes_the_window(void **state)
{
	static const struct {
		u64 word, start, last;
	} row[] = {
		{ 0x0000000000002000ULL, 0x2000, 0x2fff },
		{ 0x0000000000002001ULL, 0x2000, 0x3fff },
		{ 0x0000000000000001ULL, 0, 0x1fff },
		{ 0x0000000000001001ULL, 0, 0x3fff },
		{ 0x0000000000017001ULL, 0x10000, 0x1ffff },
		{ 0x0000000000003001ULL, 0, 0x7fff },
		{ 0x00000000002ff001ULL, 0x200000, 0x3fffff },
		{ 0x0007fffffffff001ULL, 0, (1ULL << 52) - 1 },
		{ 0x0017fffffffff001ULL, 1ULL << 52, (2ULL << 52) - 1 },
		{ 0x3ffffffffffff001ULL, 0, ~0ULL >> 1 },
		{ 0x7ffffffffffff001ULL, 0, ~0ULL },
		{ 0xfffffffffffff001ULL, 0, ~0ULL },
		{ 0xfffffffffffff000ULL, 0xfffffffffffff000ULL, ~0ULL },
		{ 0xffffffffffffe001ULL, 0xffffffffffffe000ULL, ~0ULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		for (u64 opcode = 3; opcode <= 4; opcode++) {
			struct hw_amd_command command = decode(opcode << 60, row[i].word);

			expect_u64(command.start, row[i].start);
			expect_u64(command.last, row[i].last);
		}
	}
}

static void everything_has_no_fields(void **state)
{
	(void)state;
	expect_u64(decode(0x8000000000000000ULL, 0).opcode, 8);
}

/* Each bit alone, with the other bits of its command 0 and with those that may be set all set. */
static void every_reserved_bit_is_refused_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < KNOWN; i++) {
		u64 opcode = (u64)known[i] << 60;
		u64 low_full = opcode | (~reserved[known[i]].low & ~0ULL >> 4);
		u64 high_full = ~reserved[known[i]].high;

		assert_false(refused(opcode, 0));
		assert_false(refused(low_full, high_full));
		for (u32 bit = 0; bit < 60; bit++) {
			bool bad = reserved[known[i]].low >> bit & 1;

			assert_int_equal(refused(opcode | 1ULL << bit, 0), bad);
			assert_int_equal(refused(low_full | 1ULL << bit, high_full), bad);
		}
		for (u32 bit = 0; bit < 64; bit++) {
			bool bad = reserved[known[i]].high >> bit & 1;

			assert_int_equal(refused(opcode, 1ULL << bit), bad);
			assert_int_equal(refused(low_full, high_full | 1ULL << bit), bad);
		}
	}
}

/* Prefetches and answers to page requests are not offered; the rest is not defined. */
static void other_opcodes_are_refused(void **state)
{
	u32 taken = 0;

	(void)state;
	for (u64 opcode = 0; opcode < 16; opcode++) {
		if (memchr(known, (int)opcode, KNOWN)) {
			taken++;
			continue;
		}
		assert_true(refused(opcode << 60, 0));
		assert_true(refused(opcode << 60 | 0x1234, 0x5678000));
	}
	expect_u64(taken, KNOWN);
}

TEST_MAIN(cmocka_unit_test(a_wait_stores_and_interrupts),
	  cmocka_unit_test(commands_of_one_device_name_it),
	  cmocka_unit_test(pages_have_a_domain_a_pasid_and_flags),
	  cmocka_unit_test(pages_of_a_device_have_its_queue_and_a_pasid_in_two_parts),
	  cmocka_unit_test(the_address_codes_the_window),
	  cmocka_unit_test(everything_has_no_fields),
	  cmocka_unit_test(every_reserved_bit_is_refused_and_no_other),
	  cmocka_unit_test(other_opcodes_are_refused))
