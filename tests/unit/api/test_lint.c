/* SPDX-License-Identifier: MIT */
/*
 * dmasim_lint(): traces that are none, what is told of those that are, and what no trace shows.
 * That it finds what live machines find, the programs of catalogue, museum and property show.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/api/lists.h"

#define HEADER "# dmasim-trace v=1 seed=0x5 iommu=vtd\n"
#define RAM    "t=0 cpu=0 ram phys=0x0 size=1073741824\n"
#define MAP                                                                           \
	"t=0 cpu=0 dma_map_phys dev=0000:03:00.0 dma=0x1000 phys=0x200000 size=4096 " \
	"dir=TO_DEVICE\n"
#define UNMAP(size) \
	"t=7 cpu=0 dma_unmap_phys dev=0000:03:00.0 dma=0x1000 size=" #size " dir=TO_DEVICE\n"

/* ---- A trace and its result -------------------------------------------------------------- */

struct lint_run {
	struct dmasim *s;
	struct dmasim_lint_result result;
	int err;
	u32 found;
	u64 line; /* of the last */
	struct dmasim_report report;
	u32 differs;
	char difference[256];
};

static void note_report(void *cookie, const struct dmasim_report *report, u64 line)
{
	struct lint_run *run = cookie;

	run->found++;
	run->line = line;
	run->report = *report;
}

static void note_difference(void *cookie, const char *text)
{
	struct lint_run *run = cookie;

	run->differs++;
	snprintf(run->difference, sizeof(run->difference), "%s", text);
}

static void read_trace(struct lint_run *run, const char *text, size_t bytes, bool leaks)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, bytes, "r");
	const struct dmasim_lint lint = { .trace = file,
					  .name = "a.trace",
					  .leaks = leaks,
					  .found = note_report,
					  .differs = note_difference,
					  .cookie = run };

	assert_non_null(file);
	*run = (struct lint_run){ .s = dmasim_create(NULL) };
	assert_non_null(run->s);
	run->err = dmasim_lint(run->s, &lint, &run->result);
	fclose(file);
}

static void end_run(struct lint_run *run)
{
	expect_u64(dmasim_destroy(run->s), 0);
}

static void lint(struct lint_run *run, const char *text)
{
	read_trace(run, text, strlen(text), false);
	end_run(run);
}

/* ---- What is no trace -------------------------------------------------------------------- */

static const struct {
	const char *line, *error;
} bad_line[] = {
	{ "t=0\n", "'t=0', expected t=, a number up to 18446744073709551615 and a blank" },
	{ "cpu=0 iova_free\n",
	  "'cpu=0', expected t=, a number up to 18446744073709551615 and a blank" },
	{ "t=01 cpu=0 settled\n",
	  "'t=01', expected t=, a number up to 18446744073709551615 and a blank" },
	{ "t=18446744073709551616 cpu=0 settled\n",
	  "'t=18446744073709551616', expected t=, a number up to 18446744073709551615 and "
	  "a blank" },
	{ "t=0 cpu=64 settled\n", "'cpu=64', expected cpu=, a number up to 63 and a blank" },
	{ "t=0 cpu=0 dma_unlink\n", "'dma_unlink', expected an event of trace.h" },
	{ "t=0 cpu=0 \n", "'', expected an event of trace.h" },
	{ "t=0 cpu=0 settled now\n", "'now' in settled, expected the end of the line" },
	{ "t=0 cpu=0 iova_free dom=1 dma=0x1000\n", "'' in iova_free, expected size=" },
	{ "t=0 cpu=0 iova_free dma=0x1000 dom=1 size=1\n",
	  "'dma=0x1000' in iova_free, expected dom=" },
	{ "t=0 cpu=0 iova_free dom=1 dma=0x1000 size=0x1\n",
	  "size= of iova_free goes on with 'x1', expected a decimal number of 64 bits" },
	{ "t=0 cpu=0 iova_free dom=1 dma=4096 size=1\n",
	  "dma= of iova_free goes on with '4096', expected 0x and up to 16 hexadecimal "
	  "digits" },
	{ "t=0 cpu=0 iova_free dom=4294967296 dma=0x0 size=1\n",
	  "dom= of iova_free goes on with '4294967296', expected a decimal number of 32 "
	  "bits" },
	{ "t=0 cpu=0 iova_using_bits dev=03:00.0 n=1\n",
	  "dev= of iova_using_bits goes on with '03:00.0', expected a device, as "
	  "0000:3a:00.0" },
	{ "t=0 cpu=0 iova_using_bits dev=ffff:ff:1f.7 n=1\n",
	  "dev= of iova_using_bits goes on with '', expected a device, as 0000:3a:00.0" },
	{ "t=0 cpu=0 dma_need_unmap dev=0000:03:00.0 ret=-E\n",
	  "ret= of dma_need_unmap goes on with '', expected 0, a count of 31 bits or -E..." },
	{ "t=0 cpu=0 dma_sync_sg_for_cpu dev=0000:03:00.0 n=1 dir=SIDEWAYS\n",
	  "dir= of dma_sync_sg_for_cpu goes on with 'SIDEWAYS', expected a word that "
	  "trace.h has for it" },
	{ "t=0 cpu=0 dma_sync_sg_for_cpu dev=0000:03:00.0 n=1 dir=TO_DEVICE\n",
	  "0 sg_entry before dma_sync_sg_for_cpu, expected n=1 of them" },
	{ "t=0 cpu=0 dma_map_phys dev=0000:03:00.0 dma=0xfffffffffffff000 phys=0x1000 "
	  "size=8192 dir=TO_DEVICE\n",
	  "8192 bytes at 0xfffffffffffff000, expected some that end below 2^64" },
	{ "t=0 cpu=0 warn id=nonsense dma=0x0 size=0 what=\"\"\n",
	  "id=nonsense, expected a report that `dmasim reports` prints" },
	{ "t=0 cpu=0 warn id=unmap-short dma=0x0 size=0 what=\"open\n",
	  "what= of warn goes on with '\"open', expected a text in quotes" },
	{ "t=0 cpu=0 bar dev=0000:03:00.0 bar=6 phys=0x1000 bus=0x1000 size=4096\n",
	  "bar=6, expected 0 to 5" },
	{ "t=0 cpu=0 dev_access dev=0000:03:00.0 dma=0x0 size=1 dir=read to=ram\n",
	  "no phys= in dev_access, expected one with to=ram" },
	{ "t=0 cpu=0 dev_access dev=0000:03:00.0 dma=0x0 size=1 dir=read to=fault "
	  "source=0x300 dom=1 reason=0x5 flags=0x0\n",
	  "no unit= in dev_access, expected whose reason it is" },
	{ "t=0 cpu=0 settled", "the line is cut, expected its end" },
	{ "# dmasim-trace v=2\n", "a trace of another version, expected v=1" },
	{ "# dmasim-trace v=1 seed\n", "'seed' in the header, expected key=value" },
};

/* trust: lines that no trace has are refused by the reader of traces | our reading of the facts */
static void a_line_that_no_trace_has_is_told_with_what_was_expected(void **state)
{
	char text[1024], error[1024];
	struct lint_run run;

	(void)state;
	for (size_t i = 0; i < sizeof(bad_line) / sizeof(bad_line[0]); i++) {
		snprintf(text, sizeof(text), HEADER "%s", bad_line[i].line);
		snprintf(error, sizeof(error), "a.trace:2: %s", bad_line[i].error);
		lint(&run, text);
		assert_string_equal(run.result.error.text, error);
		expect_error(run.err, -EINVAL);
		expect_u64(run.found, 0);
	}
}

static void time_does_not_go_back(void **state)
{
	struct lint_run run;

	(void)state;
	lint(&run, HEADER "t=5 cpu=0 settled\nt=5 cpu=1 settled\nt=4 cpu=0 settled\n");
	assert_string_equal(run.result.error.text,
			    "a.trace:4: t=4, expected 5 or later: time goes on");
}

static void a_file_without_a_header_is_no_trace(void **state)
{
	static const char *const bad[] = { "\n", "t=0 cpu=0 settled\n", "#\n", "# dmasim-trace\n" };
	struct lint_run run;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		lint(&run, bad[i]);
		assert_string_equal(run.result.error.text,
				    "a.trace:1: no header, expected '# dmasim-trace v=1 ...'");
	}
}

/* A file of one byte more than any line may have, and of bytes that are no text. */
static void what_is_no_text_is_refused(void **state)
{
	char *text = calloc(1, 200000);
	struct lint_run run;

	(void)state;
	assert_non_null(text);
	read_trace(&run, text, 200000, false);
	end_run(&run);
	assert_string_equal(run.result.error.text,
			    "a.trace:1: a line of more than 4096 bytes, expected less");
	memcpy(text, HEADER, strlen(HEADER));
	memset(text + strlen(HEADER), 'x', 5000);
	text[strlen(HEADER) + 4999] = '\n';
	read_trace(&run, text, strlen(HEADER) + 5000, false);
	end_run(&run);
	assert_string_equal(run.result.error.text,
			    "a.trace:2: a line of more than 4096 bytes, expected less");
	memcpy(text + strlen(HEADER), "t=0 cpu=0 \0\xff\n", 13);
	read_trace(&run, text, strlen(HEADER) + 13, false);
	end_run(&run);
	assert_string_equal(run.result.error.text, "a.trace:2: '', expected an event of trace.h");
	free(text);
}

/* So many that no machine has them: the reader stops where it says so, not where memory ends. */
static void a_trace_of_a_million_devices_is_refused(void **state)
{
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);
	struct lint_run run;

	(void)state;
	assert_non_null(file);
	fputs(HEADER, file);
	for (u32 i = 0; i < 65537; i++)
		fprintf(file, "t=0 cpu=0 dma_need_unmap dev=%04x:%02x:%02x.%x ret=1\n", i >> 16,
			i >> 8 & 0xff, i >> 3 & 0x1f, i & 7);
	fclose(file);
	read_trace(&run, text, bytes, false);
	end_run(&run);
	free(text);
	assert_string_equal(run.result.error.text,
			    "a.trace:65538: one more device, expected at most 65536");
}

/* ---- What is told ------------------------------------------------------------------------ */

static void a_report_names_lines_of_the_trace(void **state)
{
	struct lint_run run;

	(void)state;
	lint(&run, HEADER RAM MAP UNMAP(512));
	expect_ok(run.err);
	expect_u64(run.found, 1);
	expect_u64(run.line, 4);
	expect_u64(run.report.id, DMASIM_REPORT_UNMAP_MISMATCH);
	assert_string_equal(run.report.line, "t=7 report=DMASIM-011 name=unmap-mismatch "
					     "dev=0000:03:00.0 dma=0x1000 size=512");
	assert_string_equal(run.report.mapped.file, "a.trace");
	expect_u64(run.report.mapped.line, 3);
	assert_string_equal(run.report.mapped.function, "dma_map_phys");
	expect_u64(run.report.call.line, 4);
	assert_non_null(strstr(run.report.text, "a.trace:3"));
	expect_u64(run.result.lines, 4);
	expect_u64(run.result.extra, 1);
	assert_string_equal(
		run.difference,
		"a.trace:4: unmap-mismatch dev=0000:03:00.0 dma=0x1000 was found, and is "
		"not in the trace");
}

/*
 * trust: what lint finds in a trace is held against what the run found
 * | our reading of the facts
 */
static void what_the_run_has_found_is_no_difference(void **state)
{
	struct lint_run run;

	(void)state;
	lint(&run, HEADER RAM MAP UNMAP(512) "t=7 cpu=0 report id=unmap-mismatch dev=0000:03:00.0 "
					     "dma=0x1000 size=512\n");
	expect_ok(run.err);
	expect_u64(run.found, 1);
	expect_u64(run.differs, 0);
	assert_true(run.result.compared);
}

static void what_the_run_alone_has_found_is_told(void **state)
{
	struct lint_run run;

	(void)state;
	lint(&run, HEADER RAM MAP UNMAP(4096) "t=7 cpu=0 report id=unmap-mismatch dev=0000:03:00.0 "
					      "dma=0x1000 size=512\n");
	expect_u64(run.found, 0);
	expect_u64(run.result.missing, 1);
	assert_string_equal(
		run.difference,
		"a.trace:5: unmap-mismatch dev=0000:03:00.0 dma=0x1000 is in the trace, "
		"and was not found");
}

/* With its checker off, a run has told nothing of what it did. */
static void a_run_without_a_checker_is_judged_and_not_compared(void **state)
{
	struct lint_run run;

	(void)state;
	lint(&run, "# dmasim-trace v=1 seed=0x5 check=0\n" RAM MAP UNMAP(512));
	expect_ok(run.err);
	expect_u64(run.found, 1);
	expect_u64(run.differs, 0);
	assert_false(run.result.compared);
}

static void what_is_alive_at_the_end_is_a_leak_if_somebody_looks(void **state)
{
	static const char text[] = HEADER RAM MAP;
	struct lint_run run;

	(void)state;
	lint(&run, text);
	expect_u64(run.found, 0);
	expect_u64(run.result.alive, 1);
	read_trace(&run, text, strlen(text), true);
	end_run(&run);
	expect_u64(run.found, 1);
	expect_u64(run.report.id, DMASIM_REPORT_MAPPING_LEAKED);
	expect_u64(run.differs, 0);
	lint(&run, HEADER RAM MAP "t=0 cpu=0 leaks_sought\n");
	expect_u64(run.found, 1);
	expect_u64(run.differs, 1);
}

/* Each is of a machine of its own: nothing of the first is mapped in the second. */
static void a_file_may_have_several_traces(void **state)
{
	struct lint_run run;

	(void)state;
	lint(&run, HEADER RAM MAP HEADER RAM UNMAP(4096));
	expect_ok(run.err);
	expect_u64(run.found, 1);
	expect_u64(run.report.id, DMASIM_REPORT_UNMAP_NOT_MAPPED);
	expect_u64(run.result.alive, 1);
	assert_null(strstr(run.report.text, "a.trace:3"));
}

static void without_a_listener_reports_are_the_machines(void **state)
{
	static const char text[] = HEADER RAM MAP UNMAP(512) MAP UNMAP(256);
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct dmasim *s = dmasim_create(NULL);
	struct dmasim_lint_result result;

	(void)state;
	dmasim_expect(s, DMASIM_REPORT_UNMAP_MISMATCH, 2);
	expect_error(dmasim_lint(s, &(struct dmasim_lint){ .trace = file, .name = "x" }, &result),
		     -EINVAL);
	/* Time went back. */
	assert_string_equal(result.error.text, "x:5: t=0, expected 7 or later: time goes on");
	expect_u64(dmasim_report_count(s), 1);
	fclose(file);
	dmasim_destroy(s);
}

/* What a device did. */
static void accesses_are_held_against_mappings(void **state)
{
	static const struct {
		const char *line;
		enum dmasim_report_id id;
	} access[] = {
		{ "dma=0x1000 size=4096 dir=read to=ram phys=0x200000", 0 },
		{ "dma=0x1000 size=4 dir=write to=ram phys=0x200000",
		  DMASIM_REPORT_ACCESS_AGAINST_DIRECTION },
		{ "dma=0x1ffc size=8 dir=read to=ram phys=0x200ffc", DMASIM_REPORT_ACCESS_BEYOND },
		{ "dma=0x9000 size=8 dir=read to=ram phys=0x200ffc",
		  DMASIM_REPORT_ACCESS_NOT_MAPPED },
		{ "dma=0x1000 size=4 dir=read to=ram phys=0x300000",
		  DMASIM_REPORT_ACCESS_MISROUTED },
		{ "dma=0x9000 size=4 dir=read to=unsupported why=NOBODY",
		  DMASIM_REPORT_UNSUPPORTED_REQUEST },
		{ "dma=0x9000 size=4 dir=read to=fault unit=0 source=0x300 dom=1 reason=0x6 "
		  "flags=0x0",
		  DMASIM_REPORT_IOMMU_FAULT },
		{ "dma=0x9000 size=4 dir=read to=blocked at=0000:02:00.0 why=RR",
		  DMASIM_REPORT_ACS_VIOLATION },
	};
	struct lint_run run;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(access) / sizeof(access[0]); i++) {
		snprintf(text, sizeof(text), "%st=7 cpu=0 dev_access dev=0000:03:00.0 %s\n",
			 HEADER RAM MAP, access[i].line);
		lint(&run, text);
		expect_ok(run.err);
		expect_u64(run.found, access[i].id != 0);
		expect_u64(run.report.id, access[i].id);
	}
}

/* ---- What no trace shows ----------------------------------------------------------------- */

/* The list is short, and stays so: a kind more is a decision. */
static void the_kinds_that_no_trace_shows_are_these(void **state)
{
	static const enum dmasim_report_id not_seen[] = {
		DMASIM_REPORT_STALE_TRANSLATION, DMASIM_REPORT_TABLE_FREED_EARLY,
		DMASIM_REPORT_CHECKER_BLIND,	 DMASIM_REPORT_ABSENT_CACHED,
		DMASIM_REPORT_MIXED_PAGE_SIZES,	 DMASIM_REPORT_STALE_CONTEXT,
		DMASIM_REPORT_CPU_WROTE,	 DMASIM_REPORT_CPU_LINE_LOST,
		DMASIM_REPORT_SYNC_MISSING,
	};
	size_t count = sizeof(not_seen) / sizeof(not_seen[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		assert_false(dmasim_lint_sees(not_seen[i]));
	for (int id = 1; id < 1000; id++)
		count -= dmasim_report_name((enum dmasim_report_id)id) &&
			 !dmasim_lint_sees((enum dmasim_report_id)id);
	expect_u64(count, 0);
}

static void a_report_of_such_a_kind_is_counted_apart(void **state)
{
	struct lint_run run;

	(void)state;
	lint(&run, HEADER RAM "t=0 cpu=0 report id=stale-translation dma=0x1000 size=4096\n");
	expect_ok(run.err);
	expect_u64(run.differs, 0);
	expect_u64(run.result.not_seen, 1);
}

/* From there on the run has judged nothing. */
static void after_the_runs_checker_went_blind_nothing_is_judged(void **state)
{
	struct lint_run run;

	(void)state;
	lint(&run, HEADER RAM MAP "t=0 cpu=0 report id=checker-blind\n" UNMAP(512));
	expect_ok(run.err);
	expect_u64(run.found, 0);
	expect_u64(run.differs, 0);
}

/* ---- Memory ------------------------------------------------------------------------------ */

/* One allocation after the other fails: the reader says so, or did not need it; nothing leaks. */
static void memory_that_fails_is_told(void **state)
{
	static const char text[] = HEADER RAM
		"t=0 cpu=0 window at=0000:00:00.0 last=255 dma=0x80000000 size=4096\n"
		"t=0 cpu=0 reserved dma=0x9000 size=4096\n"
		"t=0 cpu=0 bar dev=0000:04:00.0 bar=0 phys=0x80000000 bus=0x80000000 "
		"size=4096\n" MAP "t=0 cpu=0 sg_entry dma=0x1000 size=4096 done=4096\n"
		"t=0 cpu=0 dma_sync_sg_for_cpu dev=0000:03:00.0 n=1 dir=TO_DEVICE\n"
		"t=0 cpu=0 dev_access dev=0000:03:00.0 dma=0x9000 size=4 dir=read "
		"to=fault unit=0 source=0x300 dom=1 reason=0x6 flags=0x0\n" UNMAP(512);
	u64 failed = 1;

	(void)state;
	for (u64 nth = 1; failed; nth++) {
		FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
		struct dmasim *s = dmasim_create(NULL);
		struct dmasim_lint_result result = { 0 };
		int err;

		assert_non_null(file);
		dmasim_fail(s, DMASIM_FAULT_ANY, nth);
		err = dmasim_lint(s, &(struct dmasim_lint){ .trace = file, .name = "x" }, &result);
		failed = dmasim_failures(s);
		if (failed)
			assert_true(err == 0 || err == -ENOMEM);
		else
			expect_ok(err);
		if (err)
			assert_non_null(strstr(result.error.text, "no memory"));
		expect_u64(dmasim_destroy(s), 0);
		fclose(file);
		assert_true(nth < 1000);
	}
}

#define TEST(test) cmocka_unit_test(test)

TEST_MAIN(TEST(a_line_that_no_trace_has_is_told_with_what_was_expected),
	  TEST(time_does_not_go_back), TEST(a_file_without_a_header_is_no_trace),
	  TEST(what_is_no_text_is_refused), TEST(a_trace_of_a_million_devices_is_refused),
	  TEST(a_report_names_lines_of_the_trace), TEST(what_the_run_has_found_is_no_difference),
	  TEST(what_the_run_alone_has_found_is_told),
	  TEST(a_run_without_a_checker_is_judged_and_not_compared),
	  TEST(what_is_alive_at_the_end_is_a_leak_if_somebody_looks),
	  TEST(a_file_may_have_several_traces), TEST(without_a_listener_reports_are_the_machines),
	  TEST(accesses_are_held_against_mappings), TEST(the_kinds_that_no_trace_shows_are_these),
	  TEST(a_report_of_such_a_kind_is_counted_apart),
	  TEST(after_the_runs_checker_went_blind_nothing_is_judged),
	  TEST(memory_that_fails_is_told))
