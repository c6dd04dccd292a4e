/* SPDX-License-Identifier: MIT */
/*
 * Reports as a list, expectations, and dmasim_check_clean().
 */
#include "unit/api/machines.h"

static const struct {
	enum dmasim_report_id id;
	const char *name;
	const char *sentence;
} registry[] = {
#define ROW(number, id, name, sentence) { DMASIM_REPORT_##id, name, sentence },
	DMASIM_REPORTS(ROW)
#undef ROW
};

#define REGISTRY (sizeof(registry) / sizeof(registry[0]))

/* n faults, each at another address. */
static void faults(struct rig *rig, u32 n)
{
	u8 byte;

	for (u32 i = 0; i < n; i++)
		dmasim_dev_read(rig->nvme, SZ_1M * (i + 1), &byte, 1);
}

static u32 lines_of(const char *text)
{
	u32 lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* ---- The registry ---------------------------------------------------------------------------- */

static void every_report_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < REGISTRY; i++) {
		assert_string_equal(dmasim_report_name(registry[i].id), registry[i].name);
		assert_string_equal(dmasim_report_sentence(registry[i].id), registry[i].sentence);
		for (size_t k = 0; k < i; k++) {
			assert_int_not_equal(registry[i].id, registry[k].id);
			assert_string_not_equal(registry[i].name, registry[k].name);
		}
	}
}

static void sizes_are_exact_in_the_largest_unit(void **state)
{
	static const struct {
		u64 bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0 bytes" },	    { 1, "1 byte" },
		{ 2, "2 bytes" },	    { 1023, "1023 bytes" },
		{ 1024, "1 KiB" },	    { 1536, "1536 bytes" },
		{ SZ_2M, "2 MiB" },	    { 5ULL << 30, "5 GiB" },
		{ 1ULL << 51, "2048 TiB" }, { ~0ULL, "18446744073709551615 bytes" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		dmasim_size_text(sizes[i].bytes, text, sizeof(text));
		assert_string_equal(text, sizes[i].text);
	}
	dmasim_size_text(SZ_2M, text, 4);
	assert_string_equal(text, "2 M");
}

static void unknown_numbers_have_neither(void **state)
{
	static const int unknown[] = { 0, 7, 25, 66, 1000, -1 };

	(void)state;
	for (int i = 0; i < 6; i++) {
		assert_null(dmasim_report_name((enum dmasim_report_id)unknown[i]));
		assert_null(dmasim_report_sentence((enum dmasim_report_id)unknown[i]));
	}
}

/* ---- The list -------------------------------------------------------------------------------- */

static void reports_are_copied_in_the_order_of_time(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;

	assert_false(dmasim_report_get(rig->s, 0, &report));
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 3);
	for (u32 i = 0; i < 3; i++) {
		u8 byte;

		dmasim_run(rig->s, 10);
		dmasim_dev_read(rig->nvme, SZ_1M * (i + 1), &byte, 1);
	}
	expect_u64(dmasim_report_count(rig->s), 3);
	for (u32 i = 0; i < 3; i++) {
		memset(&report, 0xee, sizeof(report));
		assert_true(dmasim_report_get(rig->s, i, &report));
		assert_int_equal(report.id, DMASIM_REPORT_IOMMU_FAULT);
		expect_u64(report.at_ns, 10 * (i + 1));
		expect_u64(report.dev, rig->nvme->dev.id);
		expect_u64(report.dma, SZ_1M * (i + 1));
		assert_true(report.expected);
		assert_true(strlen(report.line) < DMASIM_REPORT_LINE_BYTES);
		assert_true(strlen(report.text) < DMASIM_REPORT_TEXT_BYTES);
	}
	assert_false(dmasim_report_get(rig->s, 3, &report));
	assert_false(dmasim_report_get(rig->s, ~0u, &report));
}

static void the_line_is_for_machines(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;
	u8 byte;

	dmasim_run(rig->s, 42);
	dmasim_dev_read(rig->nvme, 0x123456, &byte, 1);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	assert_string_equal(report.line, "t=42 report=DMASIM-001 name=iommu-fault "
					 "dev=0000:03:00.0 dma=0x123456 size=1");
	assert_null(strchr(report.line, '\n'));
}

static void the_text_is_for_people(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;
	char replay[64];

	faults(rig, 1);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	assert_true(lines_of(report.text) >= 3);
	snprintf(replay, sizeof(replay), "DMASIM_SEED=0x%llx", dmasim_seed(rig->s));
	assert_non_null(strstr(report.text, replay));
	assert_non_null(strstr(report.text, "0x100000"));
	assert_int_equal(report.text[strlen(report.text) - 1], '\n');
}

/* ---- Expectations ---------------------------------------------------------------------------- */

static void the_next_reports_of_a_kind_are_expected_and_no_more(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 2);
	faults(rig, 3);
	for (u32 i = 0; i < 3; i++) {
		assert_true(dmasim_report_get(rig->s, i, &report));
		assert_int_equal(report.expected, i < 2);
	}
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
}

static void earlier_reports_are_not_expected_afterwards(void **state)
{
	struct rig *rig = *state;

	faults(rig, 1);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	/* One that nobody expected, and one that did not come. */
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 2);
}

static void expectations_add_up(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 2);
	faults(rig, 3);
	dmasim_assert_clean(rig->s);
}

static void what_was_expected_and_did_not_come_is_unclean(void **state)
{
	struct rig *rig = *state;
	char found[1024];

	dmasim_expect(rig->s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	expect_u64(dmasim_check_clean(rig->s, found, sizeof(found)), 1);
	expect_u64(lines_of(found), 1);
	assert_non_null(strstr(found, "DMASIM-008"));
}

static void each_kind_is_counted_by_itself(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	faults(rig, 1);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 2);
}

static void an_expected_leak_is_clean(void **state)
{
	struct rig *rig = *state;

	dma_map_phys(&rig->nvme->dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 1);
	dmasim_assert_clean(rig->s);
	dmasim_assert_clean(rig->s);
}

static void a_kind_that_is_suppressed_may_come_any_number_of_times(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;

	dmasim_suppress(rig->s, DMASIM_REPORT_IOMMU_FAULT);
	dmasim_assert_clean(rig->s);
	faults(rig, 5);
	expect_u64(dmasim_report_count(rig->s), 5);
	for (u32 i = 0; i < 5; i++) {
		assert_true(dmasim_report_get(rig->s, i, &report));
		assert_true(report.expected);
	}
	dmasim_assert_clean(rig->s);
}

static void suppressing_begins_now_and_is_for_one_kind(void **state)
{
	struct rig *rig = *state;

	faults(rig, 2);
	dmasim_suppress(rig->s, DMASIM_REPORT_IOMMU_FAULT);
	faults(rig, 3);
	dma_unmap_phys(&rig->nvme->dev, 0x5000, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 3);
}

/* ---- check_clean ----------------------------------------------------------------------------- */

static void a_clean_machine_writes_an_empty_text(void **state)
{
	struct rig *rig = *state;
	char found[16];

	memset(found, 'x', sizeof(found));
	expect_u64(dmasim_check_clean(rig->s, found, sizeof(found)), 0);
	assert_string_equal(found, "");
}

/* Lines first: up to the empty line before the first block, or all. */
static size_t lines_end(const char *found)
{
	const char *block = strstr(found, "\n\n");

	return block ? (size_t)(block + 1 - found) : strlen(found);
}

static void one_line_for_each_thing_that_is_wrong(void **state)
{
	struct rig *rig = *state;
	char found[2048];
	struct dmasim_report report;

	faults(rig, 3);
	dma_map_phys(&rig->nvme->dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	expect_u64(dmasim_check_clean(rig->s, found, sizeof(found)), 5);
	found[lines_end(found)] = '\0';
	expect_u64(lines_of(found), 5);
	for (u32 i = 0; dmasim_report_get(rig->s, i, &report); i++)
		assert_non_null(strstr(found, report.line));
}

static void the_blocks_follow_the_lines(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;
	char found[16384];
	const char *at;

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	faults(rig, 4);
	expect_u64(dmasim_check_clean(rig->s, found, sizeof(found)), 3);
	at = found + lines_end(found);
	for (u32 i = 1; i < 4; i++) {
		assert_true(dmasim_report_get(rig->s, i, &report));
		assert_int_equal(*at++, '\n');
		assert_memory_equal(at, report.text, strlen(report.text));
		at += strlen(report.text);
	}
	assert_string_equal(at, "");
}

static void the_same_is_found_again_and_leaks_are_counted_once(void **state)
{
	struct rig *rig = *state;
	char first[2048], second[2048];

	faults(rig, 2);
	dma_map_phys(&rig->nvme->dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	expect_u64(dmasim_check_clean(rig->s, first, sizeof(first)), 4);
	for (int i = 0; i < 3; i++) {
		expect_u64(dmasim_check_clean(rig->s, second, sizeof(second)), 4);
		assert_string_equal(second, first);
	}
	expect_u64(count_reports(rig->s, DMASIM_REPORT_MAPPING_LEAKED), 1);
}

static void a_leak_found_once_and_ended_later_stays_found(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);

	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
	expect_u64(dmasim_report_count(rig->s), 1);
}

/* The text is cut at len, always with its end; the count does not depend on it. */
static void the_buffer_may_have_any_length(void **state)
{
	struct rig *rig = *state;
	char whole[8192], cut[8192];
	size_t len, lines;

	faults(rig, 3);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 3);
	expect_u64(dmasim_check_clean(rig->s, whole, sizeof(whole)), 3);
	len = strlen(whole);
	lines = lines_end(whole);
	assert_true(lines > 100 && len > lines + 100);
	memset(cut, 'x', sizeof(cut));
	expect_u64(dmasim_check_clean(rig->s, cut, 0), 3);
	assert_int_equal(cut[0], 'x');
	for (size_t size = 1; size <= len + 1; size += 7) {
		size_t got;

		memset(cut, 'x', sizeof(cut));
		expect_u64(dmasim_check_clean(rig->s, cut, size), 3);
		got = strlen(cut);
		assert_memory_equal(cut, whole, got);
		assert_int_equal(cut[size], 'x');
		/* Lines are cut anywhere; of blocks there are whole ones. */
		if (size <= lines)
			expect_u64(got, size - 1);
		else
			assert_true(got == lines || got == len ||
				    !strncmp(whole + got, "\nDMASIM-001", 11));
	}
	expect_u64(dmasim_check_clean(rig->s, cut, len + 1), 3);
	assert_string_equal(cut, whole);
}

/* ---- News ------------------------------------------------------------------------------------ */

static void what_was_shown_is_no_news(void **state)
{
	struct rig *rig = *state;
	char all[8192], found[8192];

	faults(rig, 2);
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	expect_u64(dmasim_check_clean(rig->s, all, sizeof(all)), 3);
	expect_u64(dmasim_check_news(rig->s, found, sizeof(found)), 3);
	assert_string_equal(found, all);
	expect_u64(dmasim_check_news(rig->s, found, sizeof(found)), 0);
	assert_string_equal(found, "");
	/* A third one: neither the others nor what is still missing. */
	faults(rig, 1);
	expect_u64(dmasim_check_news(rig->s, found, sizeof(found)), 1);
	expect_u64(lines_end(found), strlen("t=0 report=DMASIM-001 name=iommu-fault "
					    "dev=0000:03:00.0 dma=0x100000 size=1\n"));
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 2);
	expect_u64(dmasim_check_news(rig->s, NULL, 0), 3);
	expect_u64(dmasim_check_news(rig->s, NULL, 0), 0);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 6);
}

static void a_machine_without_any_device_is_clean(void **state)
{
	struct dmasim *s = dmasim_create(NULL);

	*state = s;
	dmasim_assert_clean(s);
}

static int destroy_machine(void **state)
{
	return dmasim_destroy(*state) ? -1 : 0;
}

/* fault.h: the record of a report that cannot be had; the report is then counted only. */
static void a_report_without_memory_is_counted(void **state)
{
	struct rig *rig = *state;

	dmasim_fail(rig->s, DMASIM_FAULT_REPORT, 1);
	faults(rig, 1);
	expect_u64(dmasim_failures(rig->s), 1);
	assert_true(dmasim_check_clean(rig->s, NULL, 0) >= 1);
}

static void a_thousand_reports_are_kept(void **state)
{
	struct rig *rig = *state;
	struct dmasim_report report;

	faults(rig, 1000);
	expect_u64(dmasim_report_count(rig->s), 1000);
	assert_true(dmasim_report_get(rig->s, 999, &report));
	expect_u64(report.dma, SZ_1M * 1000ULL);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1000);
}

TEST_MAIN(BEHIND_VTD(every_report_has_a_name_and_a_sentence),
	  BEHIND_VTD(unknown_numbers_have_neither),
	  cmocka_unit_test(sizes_are_exact_in_the_largest_unit),
	  BEHIND_VTD(reports_are_copied_in_the_order_of_time), BEHIND_VTD(the_line_is_for_machines),
	  BEHIND_VTD(the_text_is_for_people),
	  BEHIND_VTD(the_next_reports_of_a_kind_are_expected_and_no_more),
	  BEHIND_VTD(earlier_reports_are_not_expected_afterwards), BEHIND_VTD(expectations_add_up),
	  BEHIND_VTD(what_was_expected_and_did_not_come_is_unclean),
	  BEHIND_VTD(each_kind_is_counted_by_itself),
	  BEHIND_VTD(a_kind_that_is_suppressed_may_come_any_number_of_times),
	  BEHIND_VTD(suppressing_begins_now_and_is_for_one_kind),
	  IN_BOTH_MODES(an_expected_leak_is_clean),
	  BEHIND_VTD(a_clean_machine_writes_an_empty_text),
	  BEHIND_VTD(one_line_for_each_thing_that_is_wrong),
	  BEHIND_VTD(the_blocks_follow_the_lines),
	  BEHIND_VTD(the_same_is_found_again_and_leaks_are_counted_once),
	  IN_BOTH_MODES(a_leak_found_once_and_ended_later_stays_found),
	  BEHIND_VTD(the_buffer_may_have_any_length), BEHIND_VTD(what_was_shown_is_no_news),
	  cmocka_unit_test_teardown(a_machine_without_any_device_is_clean, destroy_machine),
	  BEHIND_VTD(a_report_without_memory_is_counted), BEHIND_VTD(a_thousand_reports_are_kept))
