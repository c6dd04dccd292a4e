/* SPDX-License-Identifier: MIT */
/*
 * Files of rules for reports: what they may say, and what is refused, where and why.
 */
#include <errno.h>
#include <setjmp.h>
#include <unistd.h>

#include "unit/api/machines.h"

static struct {
	bool armed;
	const char *what;
	const char *file;
	int line;
	jmp_buf out;
} contract;

void dmasim_contract_failed(const char *what, const char *file, int line)
{
	if (!contract.armed) {
		print_error("contract broken: %s (%s:%d)\n", what, file, line);
		abort();
	}
	contract.armed = false;
	contract.what = what;
	contract.file = file;
	contract.line = line;
	longjmp(contract.out, 1);
}

static int parse(struct dmasim *s, const char *text, struct dmasim_error *error)
{
	return dmasim_parse_suppressions(s, text, strlen(text), "rules", error);
}

/* ---- What is read ---------------------------------------------------------------------------- */

static void rules_are_read_as_they_are_written(void **state)
{
	static const char text[] = "# a comment\n"
				   "\n"
				   "   \t \r\n"
				   "suppress use-after-unmap\n"
				   "  suppress\tDMASIM-011 dev=0000:03:00.0 # another\r\n"
				   "suppress * function=foo_* file=dir/#1?.c\n"
				   "expect 2 unmap-mismatch dma=0x1000-0x1fff\n"
				   "expect unmap-mismatch dma=4096\n"
				   "expect 4294967295 * dma=0-0xffffffffffffffff\n"
				   "expect * dma=0xFFFFffffFFFFffff-18446744073709551615";
	struct rig *rig = *state;
	struct dmasim_error error;
	char rules[2048];

	expect_ok(parse(rig->s, text, &error));
	expect_u64(dmasim_report_rules(rig->s, rules, sizeof(rules)), 7);
	assert_string_equal(
		rules, "rules:4: suppress use-after-unmap: 0 reports\n"
		       "rules:5: suppress unmap-mismatch dev=0000:03:00.0: 0 reports\n"
		       "rules:6: suppress * function=foo_* file=dir/#1?.c: 0 reports\n"
		       "rules:7: expect unmap-mismatch dma=0x1000-0x1fff: 0 reports\n"
		       "rules:8: expect unmap-mismatch dma=0x1000-0x1000: 0 reports\n"
		       "rules:9: expect * dma=0x0-0xfffffffffffffffe: 0 reports\n"
		       "rules:10: expect * dma=0xffffffffffffffff-0xffffffffffffffff: 0 reports\n");
}

static void a_rule_works(void **state)
{
	struct rig *rig = *state;
	u8 byte;

	expect_ok(parse(rig->s, "suppress iommu-fault dev=03:00.0\nexpect 2 DMASIM-001", NULL));
	dmasim_dev_read(rig->nvme, 0x1000, &byte, 1);
	dmasim_dev_read(rig->nvme, 0x2000, &byte, 1);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 2);
	dmasim_dev_read(rig->nic, 0x1000, &byte, 1);
	dmasim_dev_read(rig->nic, 0x2000, &byte, 1);
	dmasim_assert_clean(rig->s);
	dmasim_dev_read(rig->nic, 0x3000, &byte, 1);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
}

static void every_report_has_its_two_names(void **state)
{
	struct rig *rig = *state;
	char text[128];
	u32 names = 0;

	for (int id = 0; id < 64; id++) {
		const char *name = dmasim_report_name((enum dmasim_report_id)id);

		snprintf(text, sizeof(text), "suppress %s\nsuppress DMASIM-%03d\n",
			 name ? name : "no-such-name", id);
		expect_error(parse(rig->s, text, NULL), name ? 0 : -EINVAL);
		names += name != NULL;
	}
	assert_true(names > 30);
	expect_u64(dmasim_report_rules(rig->s, NULL, 0), 2ULL * names);
}

/* ---- What is not ----------------------------------------------------------------------------- */

#define NAMES "expected: a report is use-after-unmap, or DMASIM-017, or *"
#define KEYS  "expected: dev=, function=, file= or dma= follows the report"
#define ONCE  "expected: dev=, function=, file= and dma= each stand once"
#define DMA   "expected: addresses are dma=START or dma=START-LAST, of 64 bits"
#define COUNT "expected: the number of reports is 1 to 4294967295"
#define BEGIN "expected: a rule begins with suppress or expect"

static void what_is_no_rule_is_refused(void **state)
{
	static const struct {
		const char *line;
		const char *says;
	} rows[] = {
		{ "supress *", "found 'supress'; " BEGIN },
		{ "Suppress *", "found 'Suppress'; " BEGIN },
		{ "\x7fx\xff *", "found '?x?'; " BEGIN },
		{ "suppress", NAMES },
		{ "expect", NAMES },
		{ "expect 3", NAMES },
		{ "suppress # *", NAMES },
		{ "suppress use-after", "found 'use-after'; " NAMES },
		{ "suppress 2 iommu-fault", "found '2'; " NAMES },
		{ "suppress DMASIM-000", "found 'DMASIM-000'; " NAMES },
		{ "suppress DMASIM-0x1", "found 'DMASIM-0x1'; " NAMES },
		{ "suppress DMASIM-1", "found 'DMASIM-1'; " NAMES },
		{ "suppress dmasim-001", "found 'dmasim-001'; " NAMES },
		{ "suppress iommu-fault#x", "found 'iommu-fault#x'; " NAMES },
		{ "expect -1 *", "found '-1'; " NAMES },
		{ "expect 0 *", "found '0'; " COUNT },
		{ "expect 4294967296 *", "found '4294967296'; " COUNT },
		{ "expect 99999999999999999999 *", "found '99999999999999999999'; " COUNT },
		{ "expect 1x *", "found '1x'; " COUNT },
		{ "suppress * *", "found '*'; " KEYS },
		{ "suppress * driver=x", "found 'driver'; " KEYS },
		{ "suppress * =x", "found ''; " KEYS },
		{ "suppress * dev=", "found 'dev'; expected: there is a value after the =" },
		{ "suppress * dev=nvme0", "found 'nvme0'; expected: a device is like 0000:3a:00.0, "
					  "or 3a:*" },
		{ "suppress * dev=* dev=*", "found '*'; " ONCE },
		{ "suppress * file=a function=b file=c", "found 'c'; " ONCE },
		{ "suppress * function=a function=a", "found 'a'; " ONCE },
		{ "suppress * dma=1 dma=1", "found '1'; " ONCE },
		{ "suppress * dma=x", "found 'x'; " DMA },
		{ "suppress * dma=-5", "found '-5'; " DMA },
		{ "suppress * dma=+5", "found '+5'; " DMA },
		{ "suppress * dma=5-", "found '5-'; " DMA },
		{ "suppress * dma=5-4", "found '5-4'; " DMA },
		{ "suppress * dma=5-6-7", "found '5-6-7'; " DMA },
		{ "suppress * dma=0x", "found '0x'; " DMA },
		{ "suppress * dma=0x0x1", "found '0x0x1'; " DMA },
		{ "suppress * dma=12ab", "found '12ab'; " DMA },
		{ "suppress * dma=0x10000000000000000", "found '0x10000000000000000'; " DMA },
	};
	struct rig *rig = *state;
	struct dmasim_error error;
	char text[256], says[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "suppress *\n\n%s\nsuppress *\n", rows[i].line);
		snprintf(says, sizeof(says), "rules:3: %s",
			 strncmp(rows[i].says, "found ''; ", 10) ? rows[i].says : KEYS);
		expect_error(parse(rig->s, text, &error), -EINVAL);
		assert_string_equal(error.text, says);
	}
	/* Nothing is half done. */
	expect_u64(dmasim_report_rules(rig->s, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void lines_and_files_have_bounds(void **state)
{
	struct rig *rig = *state;
	struct dmasim_error error;
	char *text = malloc(SZ_1M + 1);

	assert_non_null(text);
	memset(text, 'x', SZ_1M + 1);
	memcpy(text, "suppress * file=", 16);
	text[1023] = '\0';
	expect_ok(parse(rig->s, text, &error));
	text[1023] = 'x';
	expect_error(dmasim_parse_suppressions(rig->s, text, 1024, "rules", &error), -EINVAL);
	assert_string_equal(error.text,
			    "rules:1: found 'more'; expected: a line has at most 1023 bytes");
	expect_error(dmasim_parse_suppressions(rig->s, "suppress *\0 x", 13, "rules", &error),
		     -EINVAL);
	assert_string_equal(error.text,
			    "rules:1: found 'a byte of 0'; expected: a file of rules is text");
	memset(text, '\n', SZ_1M + 1);
	expect_ok(dmasim_parse_suppressions(rig->s, text, SZ_1M, "rules", &error));
	expect_error(dmasim_parse_suppressions(rig->s, text, SZ_1M + 1, "rules", &error), -EINVAL);
	assert_string_equal(error.text, "rules: expected: a file of rules has at most 1 MiB");
	free(text);
}

static void every_allocation_may_fail(void **state)
{
	static const char text[] = "suppress iommu-fault\nexpect *\nsuppress * file=x";
	struct rig *rig = *state;
	struct dmasim_error error;

	for (u64 nth = 1; nth <= 3; nth++) {
		u64 before = dmasim_in_use(rig->s, DMASIM_FAULT_REPORT_RULE);

		dmasim_fail(rig->s, DMASIM_FAULT_REPORT_RULE, nth);
		expect_error(parse(rig->s, text, &error), -ENOMEM);
		expect_u64(dmasim_failures(rig->s), 1);
		expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_REPORT_RULE), before);
		assert_non_null(strstr(error.text, "no memory"));
	}
	expect_u64(dmasim_report_rules(rig->s, NULL, 0), 0);
	expect_ok(parse(rig->s, text, &error));
	expect_u64(dmasim_report_rules(rig->s, NULL, 0), 3);
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* A file with that text. The path is good until the next call. */
static const char *file_of(const char *text)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/dmasim-rules-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
	return path;
}

static void a_file_is_read(void **state)
{
	struct rig *rig = *state;
	const char *path = file_of("suppress iommu-fault\n");
	struct dmasim_error error;
	char rules[256], says[256];

	expect_ok(dmasim_read_suppressions(rig->s, path, &error));
	expect_u64(dmasim_report_rules(rig->s, rules, sizeof(rules)), 1);
	snprintf(says, sizeof(says), "%s:1: suppress iommu-fault: 0 reports\n", path);
	assert_string_equal(rules, says);
	/* What a file costs is given back, but for the rule. */
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_REPORT_RULE), 1);
	dmasim_fail(rig->s, DMASIM_FAULT_REPORT_RULE, 1);
	expect_error(dmasim_read_suppressions(rig->s, path, &error), -ENOMEM);
	unlink(path);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	struct rig *rig = *state;
	struct dmasim_error error;

	expect_error(dmasim_read_suppressions(rig->s, "/nowhere/rules", &error), -ENOENT);
	assert_string_equal(error.text, "/nowhere/rules: No such file or directory; expected a "
					"file of rules");
	expect_error(dmasim_read_suppressions(rig->s, "/", &error), -EISDIR);
	expect_error(dmasim_read_suppressions(rig->s, "/nowhere/rules", NULL), -ENOENT);
}

static void expect_quiet(struct dmasim *s)
{
	struct pci_dev *pdev = dmasim_add_endpoint(s, "00:01.0/00.0",
						   &(struct dmasim_endpoint){ .bar = { SZ_4K } });
	u8 byte;

	dmasim_dev_read(pdev, 0x1000, &byte, 1);
	expect_u64(dmasim_report_count(s), 1);
	dmasim_assert_clean(s);
	expect_u64(dmasim_destroy(s), 0);
}

static void a_machine_reads_the_file_of_its_configuration(void **state)
{
	const char *path = file_of("suppress *\n");

	(void)state;
	expect_quiet(dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .suppressions = path }));
	setenv("DMASIM_SUPPRESSIONS", path, 1);
	expect_quiet(dmasim_create(NULL));
	/* Both are read. */
	expect_quiet(dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .suppressions = path }));
	setenv("DMASIM_SUPPRESSIONS", "", 1);
	expect_u64(dmasim_destroy(dmasim_create(NULL)), 0);
	unsetenv("DMASIM_SUPPRESSIONS");
	unlink(path);
}

static void create_breaks(const struct dmasim_config *config, const char *what, const char *file,
			  int line)
{
	contract.what = NULL;
	contract.armed = true;
	if (!setjmp(contract.out))
		dmasim_create(config);
	contract.armed = false;
	assert_non_null(contract.what);
	assert_string_equal(contract.what, what);
	assert_string_equal(contract.file, file);
	assert_int_equal(contract.line, line);
}

/* A test does not go on without what it asked for. */
static void a_machine_is_not_made_without_its_file(void **state)
{
	static const char begin[] = "a rule begins with suppress or expect";
	static const char read[] = "the file of suppressions can be read";
	const char *path = file_of("suppress *\nhide *\n");

	(void)state;
	create_breaks(&(struct dmasim_config){ DMASIM_CONFIG, .suppressions = path }, begin, path,
		      2);
	create_breaks(&(struct dmasim_config){ DMASIM_CONFIG, .suppressions = "/nowhere" }, read,
		      "/nowhere", 0);
	setenv("DMASIM_SUPPRESSIONS", path, 1);
	create_breaks(NULL, begin, path, 2);
	setenv("DMASIM_SUPPRESSIONS", "/nowhere", 1);
	create_breaks(NULL, read, "/nowhere", 0);
	unsetenv("DMASIM_SUPPRESSIONS");
	unlink(path);
}

TEST_MAIN(BEHIND_VTD(rules_are_read_as_they_are_written), BEHIND_VTD(a_rule_works),
	  BEHIND_VTD(every_report_has_its_two_names), BEHIND_VTD(what_is_no_rule_is_refused),
	  BEHIND_VTD(lines_and_files_have_bounds), BEHIND_VTD(every_allocation_may_fail),
	  BEHIND_VTD(a_file_is_read), BEHIND_VTD(a_file_that_cannot_be_read_is_named),
	  cmocka_unit_test(a_machine_reads_the_file_of_its_configuration),
	  cmocka_unit_test(a_machine_is_not_made_without_its_file))
