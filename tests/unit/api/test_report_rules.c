/* SPDX-License-Identifier: MIT */
/*
 * Which reports are expected, suppressed or listed, by what they say; and what they say to
 * programs.
 */
#include "unit/api/machines.h"

#include <dmasim/kernel.h>

/* An unmap of what is not mapped, from two functions. */
static void foo_end(struct pci_dev *pdev, dma_addr_t dma)
{
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

static void bar_end(struct pci_dev *pdev, dma_addr_t dma)
{
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

static dma_addr_t map(struct rig *rig, struct pci_dev *pdev)
{
	return dma_map_phys(&pdev->dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
}

/* Four reports: nvme 0x5000 of foo_end, nvme 0x9000 of bar_end, nic 0x5000 of foo_end, a fault. */
static void four(struct rig *rig)
{
	u8 byte;

	foo_end(rig->nvme, 0x5000);
	bar_end(rig->nvme, 0x9000);
	foo_end(rig->nic, 0x5000);
	dmasim_dev_read(rig->disk, 0x7000, &byte, 1);
	expect_u64(dmasim_report_count(rig->s), 4);
}

/* ---- What matches ---------------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct dmasim_report_match match;
	u32 matches; /* a bit for each of the four */
} rows[] = {
	{ "nothing is asked", { 0 }, 0xf },
	{ "kind", { .id = DMASIM_REPORT_UNMAP_NOT_MAPPED }, 0x7 },
	{ "another kind", { .id = DMASIM_REPORT_IOMMU_FAULT }, 0x8 },
	{ "no such kind", { .id = DMASIM_REPORT_LINK_OUTSIDE }, 0 },
	{ "device", { .dev = "0000:03:00.0" }, 0x3 },
	{ "device without domain", { .dev = "03:00.0" }, 0x3 },
	{ "devices", { .dev = "*:0[3-5]:00.0" }, 0 },
	{ "devices of a pattern", { .dev = "0?:00.0" }, 0xf },
	{ "device of another domain", { .dev = "0001:03:00.0" }, 0 },
	{ "function", { .function = "foo_end" }, 0x5 },
	{ "functions", { .function = "foo*" }, 0x5 },
	{ "functions ending", { .function = "*_end" }, 0x7 },
	{ "part of a function", { .function = "foo" }, 0 },
	{ "file", { .file = "test_report_rules.c" }, 0x7 },
	{ "file in its folder", { .file = "api/test_report_rules.c" }, 0x7 },
	{ "half a folder", { .file = "pi/test_report_rules.c" }, 0 },
	{ "file by pattern", { .file = "test_*.c" }, 0x7 },
	{ "another file", { .file = "driver.c" }, 0 },
	{ "file and function", { .file = "*.c", .function = "bar_end" }, 0x2 },
	{ "address", { .dma = 0x5000, .size = 1 }, 0x5 },
	{ "the last byte", { .dma = 0x5fff, .size = 1 }, 0x5 },
	{ "behind it", { .dma = 0x6000, .size = 0x1000 }, 0 },
	{ "from below", { .dma = 0x1000, .size = 0x4001 }, 0x5 },
	{ "up to it", { .dma = 0x1000, .size = 0x4000 }, 0 },
	{ "all addresses", { .size = ~0ULL }, 0xf },
	{ "the highest", { .dma = ~0ULL, .size = ~0ULL }, 0 },
	{ "unexpected", { .standing = DMASIM_UNEXPECTED }, 0xf },
	{ "expected", { .standing = DMASIM_EXPECTED }, 0 },
	{ "all of it", { DMASIM_REPORT_UNMAP_NOT_MAPPED, "03:*", "*.c", "bar*", 0x9000, 1, 0 }, 2 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void a_list_has_what_matches(void **state)
{
	struct rig *rig = *state;

	four(rig);
	for (size_t i = 0; i < ROWS; i++) {
		struct dmasim_report report;
		u32 found = 0, at = 0;

		while (dmasim_report_next(rig->s, &rows[i].match, &at, &report))
			found |= 1U << (at - 1);
		if (found != rows[i].matches)
			fail_msg("%s: 0x%x, expected 0x%x", rows[i].what, found, rows[i].matches);
		expect_u64(dmasim_report_matches(rig->s, &rows[i].match),
			   (u64)__builtin_popcount(found));
		assert_false(dmasim_report_next(rig->s, &rows[i].match, &at, &report));
	}
}

/* Each in a machine of its own, as rules are for good. */
static void a_rule_takes_what_matches(bool suppress)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct dmasim_report report;
		struct rig rig;
		u32 taken = 0;

		if (rows[i].match.standing)
			continue;
		rig_init(&rig, NULL);
		if (suppress)
			expect_ok(dmasim_suppress_match(rig.s, &rows[i].match));
		else
			expect_ok(dmasim_expect_match(rig.s, &rows[i].match, 4));
		four(&rig);
		for (u32 at = 0; dmasim_report_next(rig.s, NULL, &at, &report);) {
			taken |= (u32)report.expected << (at - 1);
			assert_int_equal(report.suppressed, suppress && report.expected);
		}
		if (taken != rows[i].matches)
			fail_msg("%s: 0x%x, expected 0x%x", rows[i].what, taken, rows[i].matches);
		/* Of four that were expected some did not come. */
		expect_u64(dmasim_check_clean(rig.s, NULL, 0),
			   suppress ? 4 - (u64)__builtin_popcount(taken)
				    : 2 * (4 - (u64)__builtin_popcount(taken)));
		rig_fini(&rig);
	}
}

static void an_expectation_takes_what_matches(void **state)
{
	(void)state;
	a_rule_takes_what_matches(false);
}

static void a_suppression_takes_what_matches(void **state)
{
	(void)state;
	a_rule_takes_what_matches(true);
}

/* ---- Which one takes it ---------------------------------------------------------------------- */

static void what_is_suppressed_uses_up_no_expectation(void **state)
{
	const struct dmasim_report_match foo = { .function = "foo*" };
	struct rig *rig = *state;

	expect_ok(dmasim_expect_match(rig->s, &foo, 1));
	expect_ok(dmasim_suppress_match(rig->s, &foo));
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	foo_end(rig->nvme, 0x5000);
	expect_u64(dmasim_report_matches(
			   rig->s, &(struct dmasim_report_match){ .standing = DMASIM_SUPPRESSED }),
		   1);
	/* Both have yet to come. */
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 2);
}

static void the_oldest_expectation_comes_first_and_a_whole_kind_last(void **state)
{
	const struct dmasim_report_match match = { .id = DMASIM_REPORT_UNMAP_NOT_MAPPED };
	struct dmasim_report_match of_foo = match;
	struct rig *rig = *state;
	char rules[512];

	of_foo.function = "foo*";
	dmasim_expect(rig->s, match.id, 1);
	expect_ok(dmasim_expect_match(rig->s, &of_foo, 1));
	expect_ok(dmasim_expect_match(rig->s, &match, 1));
	foo_end(rig->nvme, 0x5000);
	expect_u64(dmasim_report_rules(rig->s, rules, sizeof(rules)), 1);
	assert_string_equal(rules, "expect unmap-not-mapped function=foo*: 1 reports\n"
				   "expect unmap-not-mapped: 0 reports\n");
	foo_end(rig->nvme, 0x5000);
	expect_u64(dmasim_report_rules(rig->s, NULL, 0), 0);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
	bar_end(rig->nvme, 0x5000);
	dmasim_assert_clean(rig->s);
	bar_end(rig->nvme, 0x5000);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
}

static void what_matched_and_did_not_come_is_named(void **state)
{
	struct rig *rig = *state;
	const struct dmasim_report_match match = {
		.id = DMASIM_REPORT_USE_AFTER_UNMAP,
		.dev = dev_name(&rig->nvme->dev),
		.file = "driver.c",
		.dma = 0x1000,
		.size = 0x1000,
	};
	char found[512];

	expect_ok(dmasim_expect_match(rig->s, &match, 3));
	expect_u64(dmasim_check_clean(rig->s, found, sizeof(found)), 3);
	assert_string_equal(found, "expected and did not come: expect use-after-unmap "
				   "dev=0000:03:00.0 file=driver.c dma=0x1000-0x1fff, 3 times\n");
}

static void a_rule_has_its_own_copy_of_its_patterns(void **state)
{
	struct rig *rig = *state;
	char function[] = "foo_end";

	expect_ok(dmasim_suppress_match(rig->s,
					&(struct dmasim_report_match){ .function = function }));
	memset(function, 'x', sizeof(function) - 1);
	foo_end(rig->nvme, 0x5000);
	dmasim_assert_clean(rig->s);
}

static void a_rule_without_memory_is_refused(void **state)
{
	const struct dmasim_report_match any = { 0 };
	struct rig *rig = *state;

	dmasim_fail(rig->s, DMASIM_FAULT_REPORT_RULE, 1);
	expect_error(dmasim_suppress_match(rig->s, &any), -ENOMEM);
	dmasim_fail(rig->s, DMASIM_FAULT_REPORT_RULE, 1);
	expect_error(dmasim_expect_match(rig->s, &any, 2), -ENOMEM);
	foo_end(rig->nvme, 0x5000);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
}

/* ---- What a report says to a program --------------------------------------------------------- */

static void a_report_has_its_numbers_and_its_places(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;
	dma_addr_t dma = map(rig, rig->nvme);
	u8 byte;

	foo_end(rig->nvme, dma);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	bar_end(rig->nvme, dma);
	assert_true(dmasim_report_find(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, &report));
	expect_u64(report.dma, dma);
	expect_u64(report.size, SZ_4K);
	assert_string_equal(report.call.function, "bar_end");
	assert_non_null(strstr(report.call.file, "test_report_rules.c"));
	assert_true(report.call.line > 10 && report.call.line < 30);
	assert_string_equal(report.mapped.function, "map");
	assert_string_equal(report.unmapped.function, "foo_end");
	expect_u64(report.mapping, dma);
	expect_u64(report.mapping_size, SZ_4K);
	assert_true(report.mapping_phys != 0);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	dmasim_dev_read(rig->disk, 0x7000, &byte, 1);
	assert_true(dmasim_report_find(rig->s, DMASIM_REPORT_IOMMU_FAULT, &report));
	expect_u64(report.call.line, 0);
	assert_string_equal(report.call.file, "");
	expect_u64(report.mapping_size, 0);
	expect_u64(report.size, 1);
	assert_false(dmasim_report_find(rig->s, DMASIM_REPORT_LINK_OUTSIDE, &report));
}

static void of_a_long_path_the_end_is_kept(void **state)
{
	static char path[301], name[101];
	static const struct dmasim_site site = { path, 7, name };
	struct rig *rig = *state;
	struct dmasim_report report;

	memset(path, 'p', sizeof(path) - 1);
	memcpy(path + 292, "/drive.c", 8);
	memset(name, 'n', sizeof(name) - 1);
	(dma_unmap_phys)(dmasim_called_at(&rig->nvme->dev, &site), 0x5000, SZ_4K, DMA_TO_DEVICE, 0);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	expect_u64(strlen(report.call.file), DMASIM_REPORT_FILE_BYTES - 1);
	assert_string_equal(report.call.file + DMASIM_REPORT_FILE_BYTES - 9, "/drive.c");
	expect_u64(strlen(report.call.function), DMASIM_REPORT_FUNCTION_BYTES - 1);
	expect_u64(report.call.line, 7);
	/* The whole path is what matches. */
	expect_u64(dmasim_report_matches(rig->s, &(struct dmasim_report_match){ .file = path }), 1);
}

static void a_leak_says_who_mapped_it(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;
	dma_addr_t dma = map(rig, rig->nvme);

	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
	assert_true(dmasim_report_find(rig->s, DMASIM_REPORT_MAPPING_LEAKED, &report));
	assert_string_equal(report.mapped.function, "map");
	expect_u64(report.mapping, dma);
	expect_u64(
		dmasim_report_matches(rig->s, &(struct dmasim_report_match){ .function = "map" }),
		1);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static void memory_that_a_driver_keeps_is_named(void **state)
{
	struct rig *rig = *state;
	char found[1024];
	void *piece, *area;
	struct page *pages;

	dmasim_enter(rig->s);
	piece = kmalloc(100, GFP_KERNEL);
	area = vmalloc(5000);
	pages = alloc_pages(GFP_KERNEL, 1);
	assert_true(piece && area && pages);
	expect_u64(dmasim_check_clean(rig->s, found, sizeof(found)), 3);
	assert_non_null(strstr(found, "memory leaked: kmalloc() of up to 128 bytes, at phys 0x"));
	assert_non_null(strstr(found, "memory leaked: alloc_pages() of 2, at phys 0x"));
	assert_non_null(strstr(found, "memory leaked: vmalloc() of 5000 bytes\n"));
	kfree(piece);
	vfree(area);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
	__free_pages(pages, 1);
	dmasim_assert_clean(rig->s);
	dmasim_enter(NULL);
}

TEST_MAIN(BEHIND_VTD(a_list_has_what_matches), cmocka_unit_test(an_expectation_takes_what_matches),
	  cmocka_unit_test(a_suppression_takes_what_matches),
	  BEHIND_VTD(what_is_suppressed_uses_up_no_expectation),
	  BEHIND_VTD(the_oldest_expectation_comes_first_and_a_whole_kind_last),
	  BEHIND_VTD(what_matched_and_did_not_come_is_named),
	  BEHIND_VTD(a_rule_has_its_own_copy_of_its_patterns),
	  BEHIND_VTD(a_rule_without_memory_is_refused),
	  BEHIND_VTD(a_report_has_its_numbers_and_its_places),
	  BEHIND_VTD(of_a_long_path_the_end_is_kept), BEHIND_VTD(a_leak_says_who_mapped_it),
	  BEHIND_VTD(memory_that_a_driver_keeps_is_named))
