/* SPDX-License-Identifier: MIT */
/*
 * Tables and what is gathered: which tables are made, unlinked and freed, and what the gather says
 * for the invalidation (facts "iova-and-page-tables" 2.7 and 6.4).
 */
#include "formats.h"

#include <errno.h>

#define RW   (IOMMU_READ | IOMMU_WRITE)
#define PHYS 0x400000000ULL

static u64 smallest(const struct format_fixture *fixture)
{
	return 1ULL << format_size_lg2(fixture, 0);
}

/* Bytes that one entry of a level maps: the span of a table of the level below. */
static u64 span(const struct format_fixture *fixture, u8 level)
{
	return smallest(fixture) << (fixture->format->index_lg2 * level);
}

static void expect_gather(const struct format_fixture *fixture, u64 start, u64 last, u8 leaf_levels,
			  u8 table_levels)
{
	expect_u64(fixture->gather.start, start);
	expect_u64(fixture->gather.last, last);
	expect_u64(fixture->gather.leaf_levels, leaf_levels);
	expect_u64(fixture->gather.table_levels, table_levels);
	/* Bits of tables are there exactly if pages are. */
	assert_int_equal(fixture->gather.freelist != NULL, table_levels != 0);
}

/* ---- Making tables --------------------------------------------------------------------------- */

static void a_leaf_has_a_table_for_each_level_above_it(void **state)
{
	struct format_fixture *fixture = *state;

	expect_u64(format_tables(fixture), 1);
	for (u32 index = 2; index-- > 0;) {
		u64 size = 1ULL << format_size_lg2(fixture, index);

		/* Each in a part of its own of the top table. */
		expect_ok(format_map(fixture, span(fixture, fixture->pt.levels - 1) * (index + 1),
				     PHYS, size, RW));
	}
	/* The top, and below it levels - 2 for the larger leaf, levels - 1 for the page. */
	expect_u64(format_tables(fixture), 1 + 2 * fixture->pt.levels - 3);
}

/* A map into empty entries has nothing to invalidate. */
static void making_tables_gathers_nothing(void **state)
{
	struct format_fixture *fixture = *state;

	expect_ok(format_map(fixture, 0, PHYS, 3 * span(fixture, 1) + smallest(fixture), RW));
	assert_true(iommu_iotlb_gather_empty(&fixture->gather));
	expect_u64(fixture->gather.leaf_levels, 0);
	expect_u64(fixture->gather.table_levels, 0);
	assert_null(fixture->gather.freelist);
}

static void tables_are_shared(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);
	u64 before;

	expect_ok(format_map(fixture, 0, PHYS, page, RW));
	before = format_tables(fixture);
	expect_ok(format_map(fixture, span(fixture, 1) - page, PHYS, page, RW));
	expect_u64(format_tables(fixture), before);
	expect_ok(format_map(fixture, span(fixture, 1), PHYS, page, RW));
	expect_u64(format_tables(fixture), before + 1);
}

static void made_and_freed_tables_are_counted(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pgtable_costs *costs = &fixture->s->os->tables.costs;

	expect_u64(costs->tables_allocated, 1);
	expect_ok(format_map(fixture, 0, PHYS, smallest(fixture), RW));
	expect_u64(costs->tables_allocated, fixture->pt.levels);
	expect_u64(costs->tables_allocated - costs->tables_freed, format_tables(fixture));
}

/* ---- What an unmap gathers ------------------------------------------------------------------- */

static void one_page_is_gathered_as_it_is(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	expect_ok(format_map(fixture, page, PHYS, 5 * page, RW));
	format_unmap(fixture, 2 * page, page);
	expect_gather(fixture, 2 * page, 3 * page - 1, 0x1, 0);
}

static void each_size_sets_the_bit_of_its_level(void **state)
{
	struct format_fixture *fixture = *state;

	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u64 size = 1ULL << format_size_lg2(fixture, index);
		u8 level = (u8)((format_size_lg2(fixture, index) - fixture->format->granule_lg2) /
				fixture->format->index_lg2);

		expect_ok(format_map(fixture, size, format_phys(size), size, RW));
		format_unmap(fixture, size, size);
		expect_gather(fixture, size, 2 * size - 1, (u8)(1U << level), 0);
	}
}

/* Both bits, and the end of the large leaf although less was asked for. */
static void what_went_is_gathered_not_what_was_asked_for(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), large = span(fixture, 1);

	expect_ok(format_map(fixture, 2 * large - page, PHYS + large - page, page + large, RW));
	format_unmap(fixture, 2 * large - page, 2 * page);
	expect_gather(fixture, 2 * large - page, 3 * large - 1, 0x3, 0);
	expect_ok(format_map(fixture, page, PHYS, page, RW));
	format_unmap(fixture, page, 3 * page);
	expect_gather(fixture, page, 2 * page - 1, 0x1, 0);
}

/* A gather over several unmaps covers them all. */
static void gathers_add_up(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pgtable_ops *ops = fixture->format->ops;
	u64 page = smallest(fixture), large = span(fixture, 1);

	expect_ok(format_map(fixture, page, PHYS, 9 * page, RW));
	expect_ok(format_map(fixture, 3 * large, PHYS, large, RW));
	iommu_iotlb_gather_init(&fixture->gather);
	ops->unmap(&fixture->pt, 5 * page, page, &fixture->gather);
	ops->unmap(&fixture->pt, 2 * page, page, &fixture->gather);
	expect_gather(fixture, 2 * page, 6 * page - 1, 0x1, 0);
	ops->unmap(&fixture->pt, 3 * large, large, &fixture->gather);
	expect_gather(fixture, 2 * page, 4 * large - 1, 0x3, 0);
}

/* ---- Tables that go -------------------------------------------------------------------------- */

/*   |<- all that the table maps ->|     the table goes, but is freed only after the invalidation */
static void a_table_that_is_wholly_covered_goes(void **state)
{
	struct format_fixture *fixture = *state;
	u64 bytes = span(fixture, 1), before;

	/* Not congruent to anything larger, so that it is all pages. */
	expect_ok(format_map(fixture, bytes, PHYS + smallest(fixture), bytes, RW));
	before = format_tables(fixture);
	expect_u64(format_unmap(fixture, bytes, bytes), bytes);
	expect_gather(fixture, bytes, 2 * bytes - 1, 0x1, 0x2);
	expect_u64(format_tables(fixture), before);
	expect_u64(format_release(fixture), 1);
	expect_u64(format_tables(fixture), before - 1);
	/* A new one takes its place. */
	expect_ok(format_map(fixture, bytes, PHYS, smallest(fixture), RW));
	expect_u64(format_tables(fixture), before);
	expect_u64(format_leaves(fixture).all, 1);
}

/* All but one page at either end: the table stays, empty or not. */
static void a_table_that_is_not_wholly_covered_stays(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), bytes = span(fixture, 1), before;

	expect_ok(format_map(fixture, bytes, PHYS + page, bytes, RW));
	before = format_tables(fixture);
	expect_u64(format_unmap(fixture, bytes + page, bytes - page), bytes - page);
	expect_gather(fixture, bytes + page, 2 * bytes - 1, 0x1, 0);
	expect_u64(format_unmap(fixture, bytes, page), page);
	expect_gather(fixture, bytes, bytes + page - 1, 0x1, 0);
	expect_u64(format_leaves(fixture).all, 0);
	expect_u64(format_tables(fixture), before);
}

/*   |pages of one table|pages of the next|      half, all, half */
static void of_several_tables_the_covered_ones_go(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), bytes = span(fixture, 1), before;
	u64 start = bytes + bytes / 2, length = 3 * bytes;

	expect_ok(format_map(fixture, start, PHYS + page + bytes / 2, length, RW));
	before = format_tables(fixture);
	expect_u64(format_unmap(fixture, start, length), length);
	expect_gather(fixture, start, start + length - 1, 0x1, 0x2);
	expect_u64(format_release(fixture), 2);
	expect_u64(format_tables(fixture), before - 2);
}

/* A whole table of tables, each of pages: all of them, on two levels. */
static void tables_of_tables_go_together(void **state)
{
	struct format_fixture *fixture = *state;
	u64 bytes = span(fixture, 2), entries = 1ULL << fixture->format->index_lg2, before;

	expect_ok(format_map(fixture, bytes, PHYS + smallest(fixture), bytes, RW));
	before = format_tables(fixture);
	expect_u64(format_unmap(fixture, bytes, bytes), bytes);
	expect_gather(fixture, bytes, 2 * bytes - 1, 0x1, 0x6);
	expect_u64(format_release(fixture), entries + 1);
	expect_u64(format_tables(fixture), before - entries - 1);
}

/* Leaves of the middle size fill a table of level 1: that one hangs on an entry of level 2. */
static void a_table_of_larger_leaves_goes_by_its_own_level(void **state)
{
	struct format_fixture *fixture = *state;
	u64 large = span(fixture, 1), bytes = span(fixture, 2);

	expect_ok(format_map(fixture, bytes, PHYS + large, bytes, RW));
	expect_u64(format_leaves(fixture).of_size[format_size_lg2(fixture, 1)], bytes / large);
	expect_u64(format_unmap(fixture, bytes, bytes), bytes);
	expect_gather(fixture, bytes, 2 * bytes - 1, 0x2, 0x4);
	expect_u64(format_release(fixture), 1);
}

/* The hole is in the table: the walk stops there, the table stays. */
static void a_table_with_a_hole_stays(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), bytes = span(fixture, 1), before;

	expect_ok(format_map(fixture, bytes, PHYS + page, bytes, RW));
	before = format_tables(fixture);
	expect_u64(format_unmap(fixture, 2 * bytes - page, page), page);
	expect_u64(format_unmap(fixture, bytes, bytes), bytes - page);
	expect_gather(fixture, bytes, 2 * bytes - page - 1, 0x1, 0);
	expect_u64(format_tables(fixture), before);
}

/* ---- Empty tables and larger leaves ---------------------------------------------------------- */

/*   entry -> empty table       entry = leaf       the table goes, its walk must be forgotten */
static void an_empty_table_gives_way_to_a_larger_leaf(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), large = span(fixture, 1), before;

	expect_ok(format_map(fixture, large + 3 * page, PHYS, page, RW));
	before = format_tables(fixture);
	expect_u64(format_unmap(fixture, large + 3 * page, page), page);
	expect_ok(format_map(fixture, large, PHYS + large, large, RW));
	expect_u64(fixture->gather.table_levels, 0x2);
	assert_true(fixture->gather.start <= large && fixture->gather.last >= 2 * large - 1);
	expect_u64(format_leaves(fixture).of_size[format_size_lg2(fixture, 1)], 1);
	format_expect(fixture, large, PHYS + large, large, RW);
	expect_u64(format_tables(fixture), before);
	expect_u64(format_release(fixture), 1);
	expect_u64(format_tables(fixture), before - 1);
}

/* Two levels of empty tables below the entry that becomes a leaf. */
static void empty_tables_of_two_levels_give_way_together(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), huge = span(fixture, 2), before;

	for (u64 i = 0; i < 3; i++) {
		u64 iova = huge + i * 5 * span(fixture, 1);

		expect_ok(format_map(fixture, iova, PHYS, page, RW));
		expect_u64(format_unmap(fixture, iova, page), page);
	}
	before = format_tables(fixture);
	expect_ok(format_map(fixture, huge, PHYS + huge, huge, RW));
	expect_u64(format_leaves(fixture).of_size[format_size_lg2(fixture, 2)], 1);
	expect_u64(format_leaves(fixture).all, 1);
	expect_u64(fixture->gather.table_levels, 0x6);
	assert_true(fixture->gather.start <= huge && fixture->gather.last >= 2 * huge - 1);
	expect_u64(format_release(fixture), 4);
	expect_u64(format_tables(fixture), before - 4);
}

/* In a run of leaves one entry holds an empty table, a later one a table in use. */
static void a_run_replaces_what_is_empty_and_stops_at_what_is_not(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), large = span(fixture, 1);

	expect_ok(format_map(fixture, 5 * large, PHYS, page, RW));
	expect_u64(format_unmap(fixture, 5 * large, page), page);
	expect_ok(format_map(fixture, 7 * large + page, PHYS, page, IOMMU_READ));
	expect_error(format_map(fixture, 4 * large, PHYS + 4 * large, 6 * large, RW), -EADDRINUSE);
	expect_u64(fixture->mapped, 3 * large);
	format_expect(fixture, 4 * large, PHYS + 4 * large, 3 * large, RW);
	format_expect(fixture, 7 * large + page, PHYS, page, IOMMU_READ);
	expect_u64(format_release(fixture), 1);
}

/* ---- The end --------------------------------------------------------------------------------- */

/* Tear-down ends the table while all this is mapped, and looks for pages that are left. */
static void the_end_of_a_table_frees_all_of_it(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	for (u8 level = 0; level < fixture->pt.levels; level++) {
		u64 border = span(fixture, level);

		expect_ok(format_map(fixture, 3 * border + page, PHYS, page, RW));
	}
	expect_ok(format_map(fixture, 9 * span(fixture, 1), PHYS, span(fixture, 1), RW));
	expect_ok(format_map(fixture, 20 * span(fixture, 1), PHYS, page, RW));
	expect_u64(format_unmap(fixture, 20 * span(fixture, 1), page), page);
	assert_true(format_tables(fixture) > fixture->pt.levels);
}

TEST_MAIN(ON_EVERY_FORMAT(a_leaf_has_a_table_for_each_level_above_it),
	  ON_EVERY_FORMAT_AND_SIZE(making_tables_gathers_nothing),
	  ON_EVERY_FORMAT_AND_SIZE(tables_are_shared),
	  ON_EVERY_FORMAT_AND_SIZE(made_and_freed_tables_are_counted),
	  ON_EVERY_FORMAT_AND_SIZE(one_page_is_gathered_as_it_is),
	  ON_EVERY_FORMAT_AND_SIZE(each_size_sets_the_bit_of_its_level),
	  ON_EVERY_FORMAT_AND_SIZE(what_went_is_gathered_not_what_was_asked_for),
	  ON_EVERY_FORMAT_AND_SIZE(gathers_add_up),
	  ON_EVERY_FORMAT_AND_SIZE(a_table_that_is_wholly_covered_goes),
	  ON_EVERY_FORMAT_AND_SIZE(a_table_that_is_not_wholly_covered_stays),
	  ON_EVERY_FORMAT_AND_SIZE(of_several_tables_the_covered_ones_go),
	  ON_EVERY_FORMAT_AND_SIZE(tables_of_tables_go_together),
	  ON_EVERY_FORMAT(a_table_of_larger_leaves_goes_by_its_own_level),
	  ON_EVERY_FORMAT_AND_SIZE(a_table_with_a_hole_stays),
	  ON_EVERY_FORMAT(an_empty_table_gives_way_to_a_larger_leaf),
	  ON_FORMATS_OF_3_SIZES(empty_tables_of_two_levels_give_way_together),
	  ON_EVERY_FORMAT(a_run_replaces_what_is_empty_and_stops_at_what_is_not),
	  ON_EVERY_FORMAT_AND_SIZE(the_end_of_a_table_frees_all_of_it))
