/* SPDX-License-Identifier: MIT */
/*
 * Traces of IOVA workloads: what is written is read again as it was, and what cannot be read is
 * refused in one line that says where, and what was expected.
 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include <dmasim/iova-bench.h>

#define HEAD "dmasim-iova-trace 1\nspace 1 0xffff 2\n"

static struct dmasim_iova_workload *read_text(const char *text, size_t bytes,
					      struct dmasim_iova_error *error)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, bytes, "r");
	struct dmasim_iova_workload *workload;

	assert_non_null(in);
	workload = dmasim_iova_workload_read(in, "a.trace", error);
	fclose(in);
	return workload;
}

static char *write_text(const struct dmasim_iova_workload *workload, size_t *bytes)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, bytes);

	assert_non_null(out);
	assert_true(dmasim_iova_workload_write(workload, out));
	assert_int_equal(fclose(out), 0);
	return text;
}

/* Writes, reads, writes, and compares. */
static void round_trip(const struct dmasim_iova_workload *workload)
{
	struct dmasim_iova_error error = { "" };
	struct dmasim_iova_workload *again;
	size_t bytes, bytes_again;
	char *text = write_text(workload, &bytes), *text_again;

	again = read_text(text, bytes, &error);
	assert_string_equal(error.text, "");
	text_again = write_text(again, &bytes_again);
	assert_int_equal(bytes, bytes_again);
	assert_memory_equal(text, text_again, bytes);
	dmasim_iova_workload_destroy(again);
	free(text_again);
	free(text);
}

static void every_workload_is_read_as_it_was_written(void **state)
{
	struct dmasim_iova_error error;
	const char *name;

	(void)state;
	for (u32 i = 0; (name = dmasim_iova_workload_name(i, NULL)); i++) {
		struct dmasim_iova_workload *workload;

		workload = dmasim_iova_workload_create(
			&(struct dmasim_iova_workload_config){
				.name = name, .live = 50, .steps = 20, .cpus = 4, .seed = 7 },
			&error);
		assert_non_null(workload);
		round_trip(workload);
		dmasim_iova_workload_destroy(workload);
	}
}

static void all_that_the_grammar_has_is_kept(void **state)
{
	static const char text[] = HEAD "alloc 0 3 0xffff 2+cache 1\n"
					"retry 0 3 0xff 0+cache+flush 0\n"
					"timing on\n"
					"find 0\n"
					"advance 100000000\n"
					"timing off\n"
					"free 0 1\n"
					"reserve 0x10 0x1f\n"
					"alloc 0 1 0xffff 0 0\n";
	struct dmasim_iova_error error = { "" };
	struct dmasim_iova_workload *workload = read_text(text, strlen(text), &error);
	size_t bytes;
	char *written;

	(void)state;
	assert_string_equal(error.text, "");
	written = write_text(workload, &bytes);
	assert_string_equal(written + strlen("dmasim-iova-trace 1\nspace 0x1 0xffff 2\n"),
			    text + strlen(HEAD));
	free(written);
	dmasim_iova_workload_destroy(workload);
}

static void comments_and_empty_lines_are_nothing(void **state)
{
	static const char text[] = "# made by hand\n\ndmasim-iova-trace 1 # the head\n"
				   "   space 1 10 1\n\t\nalloc 0 1 10 0 0 # a page\n#\n";
	struct dmasim_iova_error error = { "" };
	struct dmasim_iova_workload *workload = read_text(text, strlen(text), &error);
	size_t bytes;
	char *written;

	(void)state;
	assert_string_equal(error.text, "");
	written = write_text(workload, &bytes);
	assert_string_equal(written, "dmasim-iova-trace 1\nspace 0x1 0xa 1\nalloc 0 1 0xa 0 0\n");
	free(written);
	dmasim_iova_workload_destroy(workload);
}

#define A0 "alloc 0 1 9 0 0\n"

static const struct {
	const char *text;
	const char *error;
} bad[] = {
	{ "\n", "a.trace:2: the end, expected 'dmasim-iova-trace 1'" },
	{ "hello\n", "a.trace:1: no trace of IOVAs, expected 'dmasim-iova-trace 1' first" },
	{ "dmasim-iova-trace 2\n", "a.trace:1: version 2, expected 1" },
	{ "dmasim-iova-trace 1\n", "a.trace:2: the end, expected 'space START LAST CPUS'" },
	{ "dmasim-iova-trace 1\n" A0, "a.trace:2: 'alloc', expected 'space START LAST CPUS'" },
	{ "dmasim-iova-trace 1\nspace 1 2\n",
	  "a.trace:2: 'space' has 2 fields, expected 3: START LAST CPUS" },
	{ "dmasim-iova-trace 1\nspace 0 9 1\n", "a.trace:2: START is 0x0, expected 1 to LAST" },
	{ "dmasim-iova-trace 1\nspace 9 8 1\n", "a.trace:2: START is 0x9, expected 1 to LAST" },
	{ "dmasim-iova-trace 1\nspace 1 9 0\n", "a.trace:2: CPUS is 0, expected 1 or more" },
	{ "dmasim-iova-trace 1\nspace 1 9 257\n",
	  "a.trace:2: CPUS is '257', expected a number up to 256" },
	{ HEAD "allocate 1\n", "a.trace:3: 'allocate', expected alloc, retry, free, reserve, "
			       "find, advance or timing" },
	{ HEAD "alloc 0 1 9 0\n",
	  "a.trace:3: 'alloc' has 4 fields, expected 5: ID PAGES LIMIT HOW CPU" },
	{ HEAD "alloc 0 1 9 0 0 0\n",
	  "a.trace:3: 'alloc' has 6 fields, expected 5: ID PAGES LIMIT HOW CPU" },
	{ HEAD "alloc 33554432 1 9 0 0\n",
	  "a.trace:3: ID is '33554432', expected a number up to 33554431" },
	{ HEAD "alloc -1 1 9 0 0\n", "a.trace:3: ID is '-1', expected a number up to 33554431" },
	{ HEAD "alloc 0 0 9 0 0\n", "a.trace:3: PAGES is 0, expected 1 or more" },
	{ HEAD "alloc 0 1x 9 0 0\n",
	  "a.trace:3: PAGES is '1x', expected a number up to 4503599627370496" },
	{ HEAD "alloc 0 1 0x10000 0 0\n",
	  "a.trace:3: LIMIT is '0x10000', expected a number up to 65535" },
	{ HEAD "alloc 0 1 9 53 0\n", "a.trace:3: HOW is '53', expected log2 of the alignment, "
				     "0 to 52, and maybe +cache, +flush" },
	{ HEAD "alloc 0 1 9 0+flush 0\n", "a.trace:3: HOW is '0+flush', expected log2 of the "
					  "alignment, 0 to 52, and maybe +cache, +flush" },
	{ HEAD "alloc 0 1 9 0 2\n", "a.trace:3: CPU is '2', expected a number up to 1" },
	{ HEAD A0 A0, "a.trace:4: ID 0 is allocated, expected its free before" },
	{ HEAD "retry 0 1 9 0 0\n", "a.trace:3: a retry of ID 0, expected right behind its alloc" },
	{ HEAD A0 "retry 1 1 9 0 0\n",
	  "a.trace:4: a retry of ID 1, expected right behind its alloc" },
	{ HEAD A0 "retry 0 2 9 0 0\n",
	  "a.trace:4: another range, expected the PAGES and +cache of the alloc before" },
	{ HEAD A0 "retry 0 1 9 0+cache 0\n",
	  "a.trace:4: another range, expected the PAGES and +cache of the alloc before" },
	{ HEAD "free 0 0\n", "a.trace:3: ID 0 is free, expected its alloc before" },
	{ HEAD A0 "free 0\n", "a.trace:4: 'free' has 1 field, expected 2: ID CPU" },
	{ HEAD "find 4\n", "a.trace:3: ID 4 is free, expected its alloc before" },
	{ HEAD "reserve 9 8\n", "a.trace:3: LAST is below FIRST, expected it not to be" },
	{ HEAD "advance soon\n",
	  "a.trace:3: NS is 'soon', expected a number up to 18446744073709551615" },
	{ HEAD "advance 18446744073709551616\n",
	  "a.trace:3: NS is '18446744073709551616', expected a number up to "
	  "18446744073709551615" },
	{ HEAD "timing later\n", "a.trace:3: timing is 'later', expected on or off" },
};

static void what_cannot_be_read_is_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct dmasim_iova_error error = { "" };

		assert_null(read_text(bad[i].text, strlen(bad[i].text), &error));
		assert_string_equal(error.text, bad[i].error);
	}
}

static void a_byte_of_value_0_is_refused(void **state)
{
	static const char text[] = HEAD "alloc 0 1\0 9 0 0\n";
	struct dmasim_iova_error error = { "" };

	(void)state;
	assert_null(read_text(text, sizeof(text) - 1, &error));
	assert_string_equal(error.text, "a.trace:3: a byte of value 0, expected text");
}

TEST_MAIN(cmocka_unit_test(every_workload_is_read_as_it_was_written),
	  cmocka_unit_test(all_that_the_grammar_has_is_kept),
	  cmocka_unit_test(comments_and_empty_lines_are_nothing),
	  cmocka_unit_test(what_cannot_be_read_is_refused_with_its_line),
	  cmocka_unit_test(a_byte_of_value_0_is_refused))
