/* SPDX-License-Identifier: MIT */
/*
 * The list of reports: order, copies, expectations, and what happens without memory.
 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "world/report.h"

struct fixture {
	struct memory memory;
	struct reports reports;
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	memory_init(&fixture->memory);
	reports_init(&fixture->reports, &fixture->memory);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	memory_fini(&fixture->memory);
	free(fixture);
	return 0;
}

static void add(struct fixture *fixture, enum dmasim_report_id id, u64 dma)
{
	reports_add(&fixture->reports, &(struct report_content){ .id = id,
								 .at_ns = 7,
								 .dev = DMASIM_SBDF(0, 3, 0, 0),
								 .dma = dma,
								 .line = "line",
								 .text = "text" });
}

static const struct report *nth(const struct fixture *fixture, u32 index)
{
	const struct report *report = STAILQ_FIRST(&fixture->reports.list);

	while (report && index--)
		report = STAILQ_NEXT(report, link);
	return report;
}

static void reports_stand_in_order_of_time(void **state)
{
	struct fixture *fixture = *state;

	add(fixture, DMASIM_REPORT_IOMMU_FAULT, 0x1000);
	add(fixture, DMASIM_REPORT_USE_AFTER_UNMAP, 0x2000);
	add(fixture, DMASIM_REPORT_IOMMU_FAULT, 0x3000);
	expect_u64(fixture->reports.count, 3);
	for (u32 i = 0; i < 3; i++)
		expect_u64(nth(fixture, i)->says.dma, 0x1000 * (i + 1));
	assert_int_equal(nth(fixture, 1)->says.id, DMASIM_REPORT_USE_AFTER_UNMAP);
	expect_u64(nth(fixture, 1)->says.at_ns, 7);
	expect_u64(nth(fixture, 1)->says.dev, DMASIM_SBDF(0, 3, 0, 0));
	assert_null(nth(fixture, 3));
}

static void what_a_report_says_is_copied(void **state)
{
	struct fixture *fixture = *state;
	char line[] = "the line", text[] = "the\ntext";

	reports_add(&fixture->reports, &(struct report_content){ .id = DMASIM_REPORT_IOMMU_FAULT,
								 .line = line,
								 .text = text });
	memset(line, 'x', sizeof(line) - 1);
	memset(text, 'x', sizeof(text) - 1);
	reports_add(&fixture->reports, &(struct report_content){ .id = DMASIM_REPORT_IOMMU_FAULT,
								 .line = "",
								 .text = "" });
	assert_string_equal(nth(fixture, 0)->says.line, "the line");
	assert_string_equal(nth(fixture, 0)->says.text, "the\ntext");
	assert_string_equal(nth(fixture, 1)->says.line, "");
	assert_string_equal(nth(fixture, 1)->says.text, "");
}

/* Expected: two faults. Reported: fault, use after unmap, fault, fault. */
static void the_first_so_many_of_a_kind_are_expected(void **state)
{
	static const bool expected[] = { true, false, true, false };
	struct fixture *fixture = *state;

	reports_expect(&fixture->reports, DMASIM_REPORT_IOMMU_FAULT, 2);
	add(fixture, DMASIM_REPORT_IOMMU_FAULT, 0);
	add(fixture, DMASIM_REPORT_USE_AFTER_UNMAP, 0);
	add(fixture, DMASIM_REPORT_IOMMU_FAULT, 0);
	expect_u64(fixture->reports.expected[DMASIM_REPORT_IOMMU_FAULT], 0);
	add(fixture, DMASIM_REPORT_IOMMU_FAULT, 0);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(nth(fixture, i)->expected, expected[i]);
}

static void expectations_of_a_kind_add_up(void **state)
{
	struct fixture *fixture = *state;

	reports_expect(&fixture->reports, DMASIM_REPORT_IOMMU_FAULT, 1);
	reports_expect(&fixture->reports, DMASIM_REPORT_IOMMU_FAULT, 2);
	add(fixture, DMASIM_REPORT_IOMMU_FAULT, 0);
	expect_u64(fixture->reports.expected[DMASIM_REPORT_IOMMU_FAULT], 2);
}

/* For good, and only of that kind; what is expected of it is not used up. */
static void a_suppressed_kind_is_expected_any_number_of_times(void **state)
{
	struct fixture *fixture = *state;

	reports_expect(&fixture->reports, DMASIM_REPORT_IOMMU_FAULT, 1);
	reports_suppress(&fixture->reports, DMASIM_REPORT_IOMMU_FAULT);
	for (u64 i = 0; i < 4; i++)
		add(fixture, DMASIM_REPORT_IOMMU_FAULT, i);
	add(fixture, DMASIM_REPORT_USE_AFTER_UNMAP, 4);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(nth(fixture, i)->expected, i < 4);
	expect_u64(fixture->reports.expected[DMASIM_REPORT_IOMMU_FAULT], 1);
}

static void a_report_without_memory_is_counted_as_lost(void **state)
{
	struct fixture *fixture = *state;

	memory_fail(&fixture->memory, (struct memory_plan){ DMASIM_FAULT_REPORT, 2 });
	for (u64 i = 0; i < 3; i++)
		add(fixture, DMASIM_REPORT_IOMMU_FAULT, i);
	expect_u64(fixture->reports.count, 2);
	expect_u64(fixture->reports.lost, 1);
	expect_u64(nth(fixture, 0)->says.dma, 0);
	expect_u64(nth(fixture, 1)->says.dma, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(reports_stand_in_order_of_time), TEST(what_a_report_says_is_copied),
	  TEST(the_first_so_many_of_a_kind_are_expected), TEST(expectations_of_a_kind_add_up),
	  TEST(a_suppressed_kind_is_expected_any_number_of_times),
	  TEST(a_report_without_memory_is_counted_as_lost))
