/* SPDX-License-Identifier: MIT */
/*
 * Text built piece by piece: what does not fit is cut, and it is terminated at any time.
 */
#include "support/expect.h"

#include <errno.h>
#include <string.h>

#include "world/text.h"

static void pieces_follow_each_other(void **state)
{
	char buffer[64];
	struct text text;

	(void)state;
	text_init(&text, buffer, sizeof(buffer));
	assert_string_equal(buffer, "");
	text_add(&text, "%s-%d", "a", 1);
	assert_string_equal(buffer, "a-1");
	text_add(&text, "%c", 'z');
	assert_string_equal(buffer, "a-1z");
	expect_u64(text.length, 4);
}

/* Every size from 1 up: never a byte beyond it, always an end. */
static void what_does_not_fit_is_cut(void **state)
{
	static const char whole[] = "abcdefghij";
	char buffer[32];

	(void)state;
	for (size_t size = 1; size <= sizeof(whole) + 2; size++) {
		size_t fits = size - 1 < 10 ? size - 1 : 10;
		struct text text;

		memset(buffer, '#', sizeof(buffer));
		text_init(&text, buffer, size);
		text_add(&text, "abc");
		text_add(&text, "defg");
		text_add(&text, "hij");
		expect_u64(text.length, fits);
		expect_u64(strlen(buffer), fits);
		assert_memory_equal(buffer, whole, fits);
		for (size_t i = size; i < sizeof(buffer); i++)
			assert_int_equal(buffer[i], '#');
	}
}

static void a_full_text_takes_no_more(void **state)
{
	char buffer[4];
	struct text text;

	(void)state;
	text_init(&text, buffer, sizeof(buffer));
	text_add(&text, "abcdef");
	text_add(&text, "x");
	text_add(&text, "%s", "");
	assert_string_equal(buffer, "abc");
}

static void a_device_shows_its_segment(void **state)
{
	static const struct {
		dmasim_sbdf dev;
		const char *text;
	} row[] = {
		{ DMASIM_SBDF(0, 0x3a, 0, 0), "0000:3a:00.0" },
		{ DMASIM_SBDF(0xffff, 0xff, 0x1f, 7), "ffff:ff:1f.7" },
		{ DMASIM_SBDF(0x10, 0, 0x10, 1), "0010:00:10.1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char buffer[32];
		struct text text;

		text_init(&text, buffer, sizeof(buffer));
		text_add_bdf(&text, row[i].dev);
		assert_string_equal(buffer, row[i].text);
	}
}

static void a_size_has_the_largest_unit_that_divides_it(void **state)
{
	static const struct {
		u64 bytes;
		const char *text;
	} row[] = {
		{ 0, "0 bytes" },
		{ 1, "1 byte" },
		{ 300, "300 bytes" },
		{ 1024, "1 KiB" },
		{ 1025, "1025 bytes" },
		{ 4096, "4 KiB" },
		{ 1536, "1536 bytes" },
		{ (1ULL << 20) + 1024, "1025 KiB" },
		{ 1ULL << 20, "1 MiB" },
		{ 3ULL << 30, "3 GiB" },
		{ 1ULL << 40, "1 TiB" },
		{ 1ULL << 50, "1024 TiB" },
		{ ~0ULL, "18446744073709551615 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char buffer[64];
		struct text text;

		text_init(&text, buffer, sizeof(buffer));
		text_add_size(&text, row[i].bytes);
		assert_string_equal(buffer, row[i].text);
	}
}

/* The errors of the functions that dmasim has from Linux, and one it has no use for. */
static void an_error_has_its_name(void **state)
{
	static const struct {
		int error;
		const char *text;
	} row[] = {
		{ EINVAL, "EINVAL" },	    { ENOMEM, "ENOMEM" },
		{ ENXIO, "ENXIO" },	    { ERANGE, "ERANGE" },
		{ EOVERFLOW, "EOVERFLOW" }, { EADDRINUSE, "EADDRINUSE" },
		{ EREMOTEIO, "EREMOTEIO" }, { EIO, "EIO" },
		{ ETIMEDOUT, "ETIMEDOUT" }, { 4095, "4095" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char buffer[32];
		struct text text;

		text_init(&text, buffer, sizeof(buffer));
		text_add_errno(&text, row[i].error);
		assert_string_equal(buffer, row[i].text);
	}
}

TEST_MAIN(cmocka_unit_test(pieces_follow_each_other), cmocka_unit_test(what_does_not_fit_is_cut),
	  cmocka_unit_test(a_full_text_takes_no_more), cmocka_unit_test(a_device_shows_its_segment),
	  cmocka_unit_test(a_size_has_the_largest_unit_that_divides_it),
	  cmocka_unit_test(an_error_has_its_name))
