/* SPDX-License-Identifier: MIT */
/*
 * AMD's commands as software writes them: bytes worked out by hand from facts
 * "iova-and-page-tables" 3.3, and what the hardware's decoder makes of random ones.
 */
#include "support/expect.h"

#include <string.h>

#include "hw/amd_queue.h"
#include "iommu/amd.h"
#include "support/scale.h"
#include "world/random.h"

#define ROUNDS 1000000 /* full count */

/* Sixteen bytes, as they lie in memory. */
static void expect_bytes(struct iommu_command command, const char *bytes)
{
	assert_int_equal(sizeof(command), 16);
	assert_memory_equal(&command, bytes, 16);
}

/* The second word: a little-endian number. */
static u64 high(struct iommu_command command)
{
	u8 byte[16];
	u64 word = 0;

	memcpy(byte, &command, 16);
	for (int i = 0; i < 8; i++)
		word |= (u64)byte[8 + i] << (8 * i);
	return word;
}

/* The word that a decoder of the architecture sees. */
static struct hw_amd_command decode(struct iommu_command command)
{
	struct hw_amd_command decoded;
	u64 word[2] = { 0, high(command) };
	u8 byte[16];

	memcpy(byte, &command, 16);
	for (int i = 0; i < 8; i++)
		word[0] |= (u64)byte[i] << (8 * i);
	assert_true(hw_amd_decode(word, &decoded));
	return decoded;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void pages_of_a_domain(void **state)
{
	struct amd_pages pages = { .domain = 0x0201, .start = 0x10000, .last = 0x1ffff };

	(void)state;
	expect_bytes(amd_invalidate_pages(&pages), "\x00\x00\x00\x00\x01\x02\x00\x30"
						   "\x01\x70\x01\x00\x00\x00\x00\x00");
	pages.tables = true;
	expect_bytes(amd_invalidate_pages(&pages), "\x00\x00\x00\x00\x01\x02\x00\x30"
						   "\x03\x70\x01\x00\x00\x00\x00\x00");
	/* A page of a guest: its PASID has 20 bits. */
	pages = (struct amd_pages){ .domain = 0xffff,
				    .pasid = 0xa5432,
				    .guest = true,
				    .start = 0x7fffffffe000ULL,
				    .last = 0x7fffffffefffULL };
	expect_bytes(amd_invalidate_pages(&pages), "\x32\x54\x0a\x00\xff\xff\x00\x30"
						   "\x04\xe0\xff\xff\xff\x7f\x00\x00");
}

static void pages_of_a_device(void **state)
{
	struct amd_device_pages pages = { .device = 0x0310,
					  .queue = 0x0318,
					  .depth = 0x20,
					  .start = 0x200000,
					  .last = 0x3fffff };

	(void)state;
	expect_bytes(amd_invalidate_device_pages(&pages), "\x10\x03\x00\x20\x18\x03\x00\x40"
							  "\x01\xf0\x2f\x00\x00\x00\x00\x00");
	pages.pasid = 0xabcd;
	pages.guest = true;
	expect_bytes(amd_invalidate_device_pages(&pages), "\x10\x03\xab\x20\x18\x03\xcd\x40"
							  "\x05\xf0\x2f\x00\x00\x00\x00\x00");
}

static void the_other_commands(void **state)
{
	(void)state;
	expect_bytes(amd_invalidate_device_entry(0x0310), "\x10\x03\x00\x00\x00\x00\x00\x20"
							  "\x00\x00\x00\x00\x00\x00\x00\x00");
	expect_bytes(amd_invalidate_interrupts(0x0310), "\x10\x03\x00\x00\x00\x00\x00\x50"
							"\x00\x00\x00\x00\x00\x00\x00\x00");
	expect_bytes(amd_invalidate_all(), "\x00\x00\x00\x00\x00\x00\x00\x80"
					   "\x00\x00\x00\x00\x00\x00\x00\x00");
	expect_bytes(amd_wait(0x000f123456789ab8ULL, 0x1122334455667788ULL),
		     "\xb9\x9a\x78\x56\x34\x12\x0f\x10"
		     "\x88\x77\x66\x55\x44\x33\x22\x11");
}

/* ---- Windows --------------------------------------------------------------------------------- */

/* The first five are the facts' own; then the borders of the rule. */
static void windows_by_hand(void **state)
{
	static const struct {
		u64 start, last, word;
	} row[] = {
		{ 0x2000, 0x3fff, 0x2001 },
		{ 0x10000, 0x1ffff, 0x17001 },
		{ 0x3000, 0x4fff, 0x3001 },
		{ 0x200000, 0x3fffff, 0x2ff001 },
		{ 0, (1ULL << 52) - 1, 0x7fffffffff001ULL },
		{ 0x5000, 0x5fff, 0x5000 },
		{ 0x5678, 0x5678, 0x5000 },
		{ 0, 0, 0 },
		{ 0x5000, 0x6fff, 0x5001 },
		{ ~0ULL, ~0ULL, 0xfffffffffffff000ULL },
		{ (1ULL << 63) - 1, 1ULL << 63, 0x7ffffffffffff001ULL },
		{ 0, ~0ULL, 0x7ffffffffffff001ULL },
		{ 0, 1ULL << 52, 0x7ffffffffffff001ULL },
		{ 1ULL << 52, (2ULL << 52) - 1, 0x17fffffffff001ULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct amd_pages pages = { .start = row[i].start, .last = row[i].last };
		struct amd_device_pages device = { .start = row[i].start, .last = row[i].last };

		expect_u64(high(amd_invalidate_pages(&pages)), row[i].word);
		expect_u64(high(amd_invalidate_device_pages(&device)), row[i].word);
	}
}

static u64 draw_address(struct random *random)
{
	u64 bits = 1 + random_below(random, 64);
	u64 address = random_below(random, 1ULL << 32) << 32 | random_below(random, 1ULL << 32);

	return bits < 64 ? address & ((1ULL << bits) - 1) : address;
}

/* Is the window the smallest aligned power of two of pages around the range? Above 2^52: all. */
static void check_window(const struct hw_amd_command *seen, u64 start, u64 last)
{
	u64 size = 4096;

	while (size && start / size != last / size)
		size *= 2;
	if (!size || size > 1ULL << 52) {
		expect_u64(seen->start, 0);
		expect_u64(seen->last, ~0ULL);
		return;
	}
	expect_u64(seen->start, start / size * size);
	expect_u64(seen->last, start / size * size + (size - 1));
}

/*
 * trust: AMD's invalidation commands
 * | an independent model: the hardware side's decoder, and windows by plain division
 */
static void random_commands_are_read_as_they_were_meant(void **state)
{
	struct random random;
	u32 rounds = scaled(ROUNDS);

	(void)state;
	random_init(&random, test_seed(1));
	for (u32 i = 0; i < rounds; i++) {
		u64 a = draw_address(&random), b = draw_address(&random);
		u64 flags = random_below(&random, 4);
		struct amd_pages pages = {
			.domain = (u16)random_below(&random, 1 << 16),
			.pasid = (u32)random_below(&random, 1 << 20),
			.start = a < b ? a : b,
			.last = a < b ? b : a,
			.guest = flags & 1,
			.tables = flags & 2,
		};
		struct amd_device_pages device = {
			.device = (u16)random_below(&random, 1 << 16),
			.queue = (u16)random_below(&random, 1 << 16),
			.depth = (u8)random_below(&random, 1 << 8),
			.pasid = (u16)random_below(&random, 1 << 16),
			.start = pages.start,
			.last = pages.last,
			.guest = flags & 1,
		};
		struct hw_amd_command seen = decode(amd_invalidate_pages(&pages));

		expect_u64(seen.opcode, 3);
		expect_u64(seen.domain, pages.domain);
		expect_u64(seen.pasid, pages.pasid);
		assert_true(seen.guest == pages.guest && seen.tables == pages.tables);
		check_window(&seen, pages.start, pages.last);

		seen = decode(amd_invalidate_device_pages(&device));
		expect_u64(seen.opcode, 4);
		expect_u64(seen.device, device.device);
		expect_u64(seen.queue, device.queue);
		expect_u64(seen.depth, device.depth);
		expect_u64(seen.pasid, device.pasid);
		assert_true(seen.guest == device.guest && !seen.tables);
		check_window(&seen, device.start, device.last);
	}
}

static void what_names_a_device_or_nothing_is_read_back(void **state)
{
	struct hw_amd_command seen;

	(void)state;
	for (u32 device = 0; device < 0x10000; device += 0x111) {
		seen = decode(amd_invalidate_device_entry((u16)device));
		assert_true(seen.opcode == 2 && seen.device == device);
		seen = decode(amd_invalidate_interrupts((u16)device));
		assert_true(seen.opcode == 5 && seen.device == device);
	}
	assert_int_equal(decode(amd_invalidate_all()).opcode, 8);
	for (u32 bit = 3; bit < 52; bit++) {
		seen = decode(amd_wait(1ULL << bit, ~0ULL << bit));
		assert_true(seen.opcode == 1 && seen.store && !seen.interrupt);
		expect_u64(seen.store_at, 1ULL << bit);
		expect_u64(seen.value, ~0ULL << bit);
	}
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

/*   3000      4000                8000          a000
 *   |--4 KiB--|------16 KiB-------|----8 KiB----|          one command each */
static void pieces_by_hand(void **state)
{
	(void)state;
	expect_u64(amd_first_piece(0x3000, 0x9fff), 0x3fff);
	expect_u64(amd_first_piece(0x4000, 0x9fff), 0x7fff);
	expect_u64(amd_first_piece(0x8000, 0x9fff), 0x9fff);
	expect_u64(amd_first_piece(0, 0xfff), 0xfff);
	expect_u64(amd_first_piece(0, 0x2fff), 0x1fff);
	expect_u64(amd_first_piece(0, ~0ULL), ~0ULL);
	expect_u64(amd_first_piece(0x1000, ~0ULL), 0x1fff);
	expect_u64(amd_first_piece(1ULL << 63, ~0ULL), ~0ULL);
	expect_u64(amd_first_piece(0, ~0ULL - 4096), ~0ULL >> 1);
}

/* Aligned powers of two, the largest that fit, that are the range; each is its command's window. */
static void pieces_are_windows_and_make_up_the_range(void **state)
{
	struct random random;
	u32 rounds = scaled(ROUNDS / 10);

	(void)state;
	random_init(&random, test_seed(2));
	for (u32 i = 0; i < rounds; i++) {
		u64 a = draw_address(&random) >> 12, b = draw_address(&random) >> 12;
		u64 at = (a < b ? a : b) << 12, last = (a < b ? b : a) << 12 | 0xfff;

		for (;;) {
			u64 end = amd_first_piece(at, last), within = end - at;
			struct amd_pages pages = { .start = at, .last = end };
			struct hw_amd_command seen = decode(amd_invalidate_pages(&pages));

			assert_true(end >= at && end <= last && within >= 0xfff);
			/* A power of two less 1, aligned. */
			assert_false(within & (within + 1));
			assert_false(at & within);
			/* Not half of one that would do. */
			if (within <= ~0ULL >> 1 && !(at & (within * 2 + 1)))
				assert_true(last - at < within * 2 + 1);
			if (within < 1ULL << 52) {
				expect_u64(seen.start, at);
				expect_u64(seen.last, end);
			}
			if (end == last)
				break;
			at = end + 1;
		}
	}
}

TEST_MAIN(cmocka_unit_test(pages_of_a_domain), cmocka_unit_test(pages_of_a_device),
	  cmocka_unit_test(the_other_commands), cmocka_unit_test(windows_by_hand),
	  cmocka_unit_test(random_commands_are_read_as_they_were_meant),
	  cmocka_unit_test(what_names_a_device_or_nothing_is_read_back),
	  cmocka_unit_test(pieces_by_hand),
	  cmocka_unit_test(pieces_are_windows_and_make_up_the_range))
