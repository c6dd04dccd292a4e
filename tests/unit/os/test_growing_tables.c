/* SPDX-License-Identifier: MIT */
/*
 * AMD's tables get levels on top when an address asks for them (facts "iova-and-page-tables" 2.1
 * and 2.7): what was mapped stays, hardware is told before, and a table that could not grow works
 * as before.
 */
#include "formats.h"

#include <errno.h>

#define PROT (IOMMU_READ | IOMMU_WRITE)

/* The last address of tables of 3, 4, 5 and 6 levels. */
static const u64 last_of[] = {
	[3] = (1ULL << 39) - 1, [4] = (1ULL << 48) - 1, [5] = (1ULL << 57) - 1, [6] = ~0ULL
};

struct told {
	u32 calls;
	phys_addr_t root;
	u8 levels;
	phys_addr_t root_then; /* the table's own, at that moment */
	int answer;
	struct format_fixture *fixture;
};

static int tell(void *cookie, phys_addr_t root, u8 levels)
{
	struct told *told = cookie;

	told->calls++;
	told->root = root;
	told->levels = levels;
	told->root_then = told->fixture->pt.root;
	return told->answer;
}

static void listen(struct format_fixture *fixture, struct told *told)
{
	*told = (struct told){ .fixture = fixture };
	fixture->pt.change_top = tell;
	fixture->pt.cookie = told;
}

/* One level or two at once; the new root is told while the old one is still in use. */
static void a_table_grows_to_what_an_address_needs(void **state)
{
	struct format_fixture *fixture = *state;
	struct told told;

	listen(fixture, &told);
	expect_u64(fixture->pt.levels, 3);
	expect_u64(fixture->pt.va_bits, 57);
	expect_ok(format_map(fixture, last_of[3] - 0xfff, 0x5000, SZ_4K, PROT));
	expect_u64(told.calls, 0);
	expect_ok(format_map(fixture, last_of[3] + 1, 0x6000, SZ_4K, PROT));
	expect_u64(told.calls, 1);
	expect_u64(told.levels, 4);
	expect_u64(fixture->pt.levels, 4);
	expect_u64(fixture->pt.root, told.root);
	assert_true(told.root_then != told.root);
	expect_ok(format_map(fixture, last_of[5] - 0xfff, 0x7000, SZ_4K, PROT));
	expect_u64(told.calls, 2);
	expect_u64(told.levels, 5);
	/* All are there, through the new top. */
	format_expect(fixture, last_of[3] - 0xfff, 0x5000, SZ_4K, PROT);
	format_expect(fixture, last_of[3] + 1, 0x6000, SZ_4K, PROT);
	format_expect(fixture, last_of[5] - 0xfff, 0x7000, SZ_4K, PROT);
	expect_error(format_map(fixture, last_of[5] + 1, 0x8000, SZ_4K, PROT), -ERANGE);
	expect_u64(told.calls, 2);
}

/* The page just beyond the top makes it one level higher, until there is no address beyond. */
static void a_table_grows_one_level_at_a_time_to_all_there_are(void **state)
{
	struct format_fixture *fixture = *state;
	struct told told;

	listen(fixture, &told);
	expect_u64(fixture->pt.va_bits, 64);
	for (u8 levels = 3; levels < 6; levels++) {
		expect_u64(fixture->pt.levels, levels);
		expect_ok(format_map(fixture, last_of[levels] - 0xfff, 0x5000, SZ_4K, PROT));
		expect_u64(fixture->pt.levels, levels);
		expect_ok(format_map(fixture, last_of[levels] + 1, 0x6000, SZ_4K, PROT));
		expect_u64(fixture->pt.levels, levels + 1U);
		expect_u64(told.calls, levels - 2U);
		expect_u64(told.levels, levels + 1U);
	}
	expect_ok(format_map(fixture, last_of[6] - 0xfff, 0x7000, SZ_4K, PROT));
	expect_u64(told.calls, 3);
	for (u8 levels = 3; levels < 6; levels++) {
		format_expect(fixture, last_of[levels] - 0xfff, 0x5000, SZ_4K, PROT);
		format_expect(fixture, last_of[levels] + 1, 0x6000, SZ_4K, PROT);
	}
	format_expect(fixture, last_of[6] - 0xfff, 0x7000, SZ_4K, PROT);
}

static void a_table_may_grow_by_more_than_one_level_at_once(void **state)
{
	struct format_fixture *fixture = *state;
	struct told told;
	u64 before;

	listen(fixture, &told);
	expect_ok(format_map(fixture, 0x7000, 0x5000, SZ_4K, PROT));
	before = format_tables(fixture);
	expect_ok(format_map(fixture, last_of[5] - 0xfff, 0x6000, SZ_4K, PROT));
	/* Two on top, and the four below the new top. */
	expect_u64(format_tables(fixture), before + 2 + 4);
	expect_u64(told.calls, 1);
	expect_u64(told.levels, 5);
	format_expect(fixture, 0x7000, 0x5000, SZ_4K, PROT);
}

/* A range that begins in reach and ends beyond it. */
static void a_range_across_the_border_grows_the_table(void **state)
{
	struct format_fixture *fixture = *state;

	expect_ok(format_map(fixture, last_of[3] - 0xfff, 0x10000, 2 * SZ_4K, PROT));
	expect_u64(fixture->pt.levels, 4);
	format_expect(fixture, last_of[3] - 0xfff, 0x10000, 2 * SZ_4K, PROT);
	expect_u64(format_unmap(fixture, last_of[3] - 0xfff, 2 * SZ_4K), 2 * SZ_4K);
}

/* What lies beyond a table that has not grown is not mapped: it is not what lies modulo that. */
static void beyond_the_top_nothing_is_mapped(void **state)
{
	struct format_fixture *fixture = *state;

	expect_ok(format_map(fixture, 0x7000, 0x5000, SZ_4K, PROT));
	expect_u64(fixture->format->ops->iova_to_phys(&fixture->pt, last_of[3] + 1 + 0x7000), 0);
	expect_u64(format_unmap(fixture, last_of[3] + 1 + 0x7000, SZ_4K), 0);
	expect_u64(fixture->pt.levels, 3);
	format_expect(fixture, 0x7000, 0x5000, SZ_4K, PROT);
}

/* The old top works on, and nothing is lost; the next try succeeds. */
static void every_failure_leaves_the_table_as_it_was(void **state)
{
	struct format_fixture *fixture = *state;
	struct dmasim *s = fixture->s;
	struct told told;
	u32 failed = 0;

	listen(fixture, &told);
	expect_ok(format_map(fixture, 0x7000, 0x5000, SZ_4K, PROT));
	for (u64 nth = 1;; nth++) {
		phys_addr_t root = fixture->pt.root;
		u64 tables = format_tables(fixture);

		dmasim_fail(s, DMASIM_FAULT_TABLE_PAGE, nth);
		if (!format_map(fixture, last_of[5] - 0xfff, 0x6000, SZ_4K, PROT))
			break;
		failed++;
		/* The first two are the tops: without both there is no new one. */
		expect_u64(told.calls, nth <= 2 ? 0 : 1);
		if (nth <= 2) {
			expect_u64(fixture->pt.root, root);
			expect_u64(fixture->pt.levels, 3);
			expect_u64(format_tables(fixture), tables);
		}
		format_expect(fixture, 0x7000, 0x5000, SZ_4K, PROT);
	}
	dmasim_fail(s, DMASIM_FAULT_TABLE_PAGE, 0);
	/* Below the tops the first failure leaves those there, so fewer are left to fail. */
	assert_in_range(failed, 3, 6);
	format_expect(fixture, last_of[5] - 0xfff, 0x6000, SZ_4K, PROT);
}

/* Hardware may use the new top by then. The map fails; what is mapped is reached from both. */
static void a_top_that_could_not_be_told_is_used_all_the_same(void **state)
{
	struct format_fixture *fixture = *state;
	struct told told;

	listen(fixture, &told);
	expect_ok(format_map(fixture, 0x7000, 0x5000, SZ_4K, PROT));
	told.answer = -ETIMEDOUT;
	expect_error(format_map(fixture, last_of[3] + 1, 0x6000, SZ_4K, PROT), -ETIMEDOUT);
	expect_u64(fixture->mapped, 0);
	expect_u64(fixture->pt.root, told.root);
	format_expect(fixture, 0x7000, 0x5000, SZ_4K, PROT);
	told.answer = 0;
	expect_ok(format_map(fixture, last_of[3] + 1, 0x6000, SZ_4K, PROT));
	expect_u64(told.calls, 1);
}

#define ON(test) ON_FORMAT(amdv1_grows, test)

TEST_MAIN(ON_FORMAT(amdv1_grows_6, a_table_grows_one_level_at_a_time_to_all_there_are),
	  ON(a_table_grows_to_what_an_address_needs),
	  ON(a_table_may_grow_by_more_than_one_level_at_once),
	  ON(a_range_across_the_border_grows_the_table), ON(beyond_the_top_nothing_is_mapped),
	  ON(every_failure_leaves_the_table_as_it_was),
	  ON(a_top_that_could_not_be_told_is_used_all_the_same))
