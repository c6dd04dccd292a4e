/* SPDX-License-Identifier: MIT */
/*
 * The trace: its lines as include/dmasim/trace.h defines them, and the hash over them.
 */
#include "support/expect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world/trace.h"

struct fixture {
	struct clock clock;
	struct trace trace;
	FILE *file;
	char *text;
	size_t bytes;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	fixture->file = open_memstream(&fixture->text, &fixture->bytes);
	if (!fixture->file)
		return -1;
	clock_init(&fixture->clock);
	trace_init(&fixture->trace, &fixture->clock, fixture->file, true);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fclose(fixture->file);
	free(fixture->text);
	free(fixture);
	return 0;
}

static const char *written(struct fixture *fixture)
{
	fflush(fixture->file);
	return fixture->text;
}

/* FNV-1a 64 from its definition: offset basis, then xor and multiply for each byte. */
static u64 fnv1a(const char *text)
{
	u64 hash = 14695981039346656037ULL;

	for (; *text; text++) {
		hash ^= (unsigned char)*text;
		hash *= 1099511628211ULL;
	}
	return hash;
}

/* trust: the hash of traces, FNV-1a 64 | a specification's vector: of its authors */
/* The vectors that the authors of the function publish. */
static void the_judge_of_the_hash_is_right(void **state)
{
	(void)state;
	expect_u64(fnv1a(""), 0xcbf29ce484222325ULL);
	expect_u64(fnv1a("a"), 0xaf63dc4c8601ec8cULL);
	expect_u64(fnv1a("foobar"), 0x85944171f73967e8ULL);
}

static void a_line_has_time_cpu_event_and_fields(void **state)
{
	static const u32 cpu = 3;
	struct fixture *fixture = *state;
	struct trace *trace = &fixture->trace;

	clock_run(&fixture->clock, 42);
	trace->cpu = &cpu;
	assert_true(trace_begin(trace, "dma_iova_link"));
	trace_bdf(trace, "dev", DMASIM_SBDF(1, 0x3a, 0x1f, 7));
	trace_dec(trace, "st", 3);
	trace_hex(trace, "phys", 0x8000000000001000ULL);
	trace_hex(trace, "off", 0);
	trace_dec(trace, "size", 18446744073709551615ULL);
	trace_word(trace, "dir", "FROM_DEVICE");
	trace_ret(trace, "ret", 0);
	trace_end(trace);
	assert_string_equal(written(fixture),
			    "t=42 cpu=3 dma_iova_link dev=0001:3a:1f.7 st=3 "
			    "phys=0x8000000000001000 off=0x0 size=18446744073709551615 "
			    "dir=FROM_DEVICE ret=0\n");
	expect_u64(trace->lines, 1);
}

static void a_result_is_a_count_or_an_error_by_name(void **state)
{
	struct fixture *fixture = *state;
	struct trace *trace = &fixture->trace;

	trace_begin(trace, "x");
	trace_ret(trace, "a", 4096);
	trace_ret(trace, "b", -EINVAL);
	trace_ret(trace, "c", -EADDRINUSE);
	trace_ret(trace, "d", -4095);
	trace_end(trace);
	assert_string_equal(written(fixture),
			    "t=0 cpu=0 x a=4096 b=-EINVAL c=-EADDRINUSE d=-4095\n");
}

static void each_line_shows_the_time_it_was_begun_at(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++) {
		trace_begin(&fixture->trace, "tick");
		trace_end(&fixture->trace);
		clock_run(&fixture->clock, 10);
	}
	assert_string_equal(written(fixture), "t=0 cpu=0 tick\nt=10 cpu=0 tick\nt=20 cpu=0 tick\n");
}

static void a_header_is_written_as_it_is(void **state)
{
	struct fixture *fixture = *state;

	trace_header(&fixture->trace, "# dmasim-trace v=1 seed=0x1");
	assert_string_equal(written(fixture), "# dmasim-trace v=1 seed=0x1\n");
	expect_u64(fixture->trace.lines, 1);
}

static void the_hash_is_fnv1a_over_all_bytes_of_the_file(void **state)
{
	struct fixture *fixture = *state;
	struct trace *trace = &fixture->trace;

	expect_u64(trace->hash, fnv1a(""));
	trace_header(trace, "# header");
	expect_u64(trace->hash, fnv1a("# header\n"));
	for (u64 i = 0; i < 20; i++) {
		trace_begin(trace, "event");
		trace_hex(trace, "value", i * 0x123456789abcdefULL);
		trace_end(trace);
		expect_u64(trace->hash, fnv1a(written(fixture)));
	}
}

static void without_a_file_the_hash_is_the_same(void **state)
{
	struct fixture *fixture = *state;
	struct trace *trace[2] = { &fixture->trace, NULL };
	struct trace hash_only;

	trace_init(&hash_only, &fixture->clock, NULL, true);
	trace[1] = &hash_only;
	for (int i = 0; i < 2; i++) {
		trace_header(trace[i], "# header");
		assert_true(trace_begin(trace[i], "event"));
		trace_dec(trace[i], "n", 5);
		trace_end(trace[i]);
	}
	expect_u64(hash_only.hash, fixture->trace.hash);
	expect_u64(hash_only.lines, 2);
}

static void a_file_alone_switches_the_trace_on(void **state)
{
	struct fixture *fixture = *state;

	trace_init(&fixture->trace, &fixture->clock, fixture->file, false);
	assert_true(trace_begin(&fixture->trace, "event"));
	trace_end(&fixture->trace);
	assert_string_equal(written(fixture), "t=0 cpu=0 event\n");
}

static void a_trace_nobody_wants_says_so_and_stays_empty(void **state)
{
	struct fixture *fixture = *state;

	trace_init(&fixture->trace, &fixture->clock, NULL, false);
	trace_header(&fixture->trace, "# header");
	assert_false(trace_begin(&fixture->trace, "event"));
	expect_u64(fixture->trace.hash, fnv1a(""));
	expect_u64(fixture->trace.lines, 0);
}

/* A line that is too long loses its end, nothing else; the hash is that of what was written. */
static void a_line_that_is_too_long_is_cut(void **state)
{
	struct fixture *fixture = *state;
	struct trace *trace = &fixture->trace;
	static const char end[] = "t=0 cpu=0 next\n";
	const char *text;

	trace_begin(trace, "long");
	for (int i = 0; i < TRACE_LINE_BYTES; i++)
		trace_dec(trace, "key", 7);
	trace_end(trace);
	trace_begin(trace, "next");
	trace_end(trace);
	text = written(fixture);
	expect_u64(strcspn(text, "\n"), TRACE_LINE_BYTES - 1);
	assert_memory_equal(text, "t=0 cpu=0 long key=7 key=7", 26);
	assert_string_equal(text + TRACE_LINE_BYTES, end);
	expect_u64(trace->hash, fnv1a(text));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(the_judge_of_the_hash_is_right), TEST(a_line_has_time_cpu_event_and_fields),
	  TEST(a_result_is_a_count_or_an_error_by_name),
	  TEST(each_line_shows_the_time_it_was_begun_at), TEST(a_header_is_written_as_it_is),
	  TEST(the_hash_is_fnv1a_over_all_bytes_of_the_file),
	  TEST(without_a_file_the_hash_is_the_same), TEST(a_file_alone_switches_the_trace_on),
	  TEST(a_trace_nobody_wants_says_so_and_stays_empty), TEST(a_line_that_is_too_long_is_cut))
