/* SPDX-License-Identifier: MIT */
/*
 * Unmapping: what goes, what stays, and what is said about it (facts "iova-and-page-tables" 2.7).
 */
#include "formats.h"

#define RW   (IOMMU_READ | IOMMU_WRITE)
#define PHYS 0x400000000ULL

static u64 smallest(const struct format_fixture *fixture)
{
	return 1ULL << format_size_lg2(fixture, 0);
}

static u64 large(const struct format_fixture *fixture)
{
	return 1ULL << format_size_lg2(fixture, 1);
}

static void exactly_the_range_goes(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	expect_ok(format_map(fixture, page, PHYS, 20 * page, RW));
	expect_u64(format_unmap(fixture, 6 * page, 10 * page), 10 * page);
	format_expect(fixture, page, PHYS, 5 * page, RW);
	format_expect_absent(fixture, 6 * page, 10 * page);
	format_expect(fixture, 16 * page, PHYS + 15 * page, 5 * page, RW);
}

static void what_was_unmapped_can_be_mapped_again(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	expect_ok(format_map(fixture, page, PHYS, 3 * page, RW));
	expect_u64(format_unmap(fixture, 2 * page, page), page);
	expect_ok(format_map(fixture, 2 * page, PHYS + 50 * page, page, IOMMU_WRITE));
	format_expect(fixture, page, PHYS, page, RW);
	format_expect(fixture, 2 * page, PHYS + 50 * page, page, IOMMU_WRITE);
	format_expect(fixture, 3 * page, PHYS + 2 * page, page, RW);
}

/*   |P1|..|P3|     three pages asked for, one removed: the walk stops at the hole */
static void a_hole_stops_the_unmap(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	expect_ok(format_map(fixture, page, PHYS, page, RW));
	expect_ok(format_map(fixture, 3 * page, PHYS + 2 * page, page, RW));
	expect_u64(format_unmap(fixture, page, 3 * page), page);
	format_expect_absent(fixture, page, 2 * page);
	format_expect(fixture, 3 * page, PHYS + 2 * page, page, RW);
}

static void a_hole_at_the_start_removes_nothing(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	expect_ok(format_map(fixture, 2 * page, PHYS, page, RW));
	expect_u64(format_unmap(fixture, page, 2 * page), 0);
	format_expect(fixture, 2 * page, PHYS, page, RW);
	assert_true(iommu_iotlb_gather_empty(&fixture->gather));
	expect_u64(fixture->gather.leaf_levels, 0);
}

/* The hole is a whole table that is not there, on every level. */
static void a_missing_table_is_a_hole(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	for (u8 level = 1; level < fixture->pt.levels; level++) {
		u64 span = page << (fixture->format->index_lg2 * level);

		expect_ok(format_map(fixture, span - page, PHYS, page, RW));
		expect_ok(format_map(fixture, 2 * span, PHYS, page, RW));
		expect_u64(format_unmap(fixture, span - page, span + 2 * page), page);
		format_expect(fixture, 2 * span, PHYS, page, RW);
		expect_u64(format_unmap(fixture, 2 * span, page), page);
	}
}

/*   leaf    |--------------|        asked   |-|       gone   |--------------| */
static void an_end_inside_a_leaf_takes_the_leaf_whole(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	for (u32 index = 1; format_size_lg2(fixture, index); index++) {
		u64 size = 1ULL << format_size_lg2(fixture, index);

		expect_ok(format_map(fixture, size, format_phys(size), 2 * size, RW));
		expect_u64(format_unmap(fixture, size, page), size);
		format_expect_absent(fixture, size, page);
		format_expect_absent(fixture, 2 * size - page, page);
		format_expect(fixture, 2 * size, format_phys(size) + size, page, RW);
		expect_u64(format_unmap(fixture, 2 * size, size - page), size);
		expect_u64(format_leaves(fixture).all, 0);
	}
}

/*   |P|P|P|[ large ]|      asked: the pages and one page more */
static void an_end_inside_a_later_leaf_takes_it_whole_too(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), size = large(fixture);
	u64 start = 2 * size - 3 * page;

	expect_ok(format_map(fixture, start, PHYS + size - 3 * page, 3 * page + size, RW));
	expect_u64(format_unmap(fixture, start, 4 * page), 3 * page + size);
	expect_u64(format_leaves(fixture).all, 0);
	expect_u64(fixture->gather.start, start);
	expect_u64(fixture->gather.last, start + 3 * page + size - 1);
}

/* Not at its first byte: nothing goes, whatever the length. */
static void a_start_inside_a_leaf_removes_nothing(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u64 size = 1ULL << format_size_lg2(fixture, index);
		const u64 inside[] = { 1, size / 2, size - 1, size > page ? page : 1 };

		expect_ok(format_map(fixture, size, format_phys(size), 2 * size, RW));
		for (int i = 0; i < 4; i++) {
			expect_u64(format_unmap(fixture, size + inside[i], size - inside[i]), 0);
			expect_u64(format_unmap(fixture, size + inside[i], size), 0);
			assert_true(iommu_iotlb_gather_empty(&fixture->gather));
		}
		expect_u64(format_leaves(fixture).all, 2);
		expect_u64(format_unmap(fixture, size, 2 * size), 2 * size);
	}
}

static void mixed_leaves_go_together(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), size = large(fixture);
	u64 start = 3 * size - 5 * page, bytes = 5 * page + 3 * size + 7 * page;

	expect_ok(format_map(fixture, start, PHYS + size - 5 * page, bytes, RW));
	expect_ok(format_map(fixture, start - page, PHYS, page, RW));
	expect_ok(format_map(fixture, start + bytes, PHYS, page, RW));
	expect_u64(format_unmap(fixture, start, bytes), bytes);
	expect_u64(format_leaves(fixture).all, 2);
	format_expect(fixture, start - page, PHYS, page, RW);
	format_expect(fixture, start + bytes, PHYS, page, RW);
}

static void several_maps_go_in_one_unmap(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), size = large(fixture);

	expect_ok(format_map(fixture, size - page, PHYS + 9 * page, page, IOMMU_READ));
	expect_ok(format_map(fixture, size, PHYS + 2 * size, size, IOMMU_WRITE));
	expect_ok(format_map(fixture, 2 * size, PHYS + 7 * page, 2 * page, RW));
	expect_u64(format_unmap(fixture, size - page, size + 3 * page), size + 3 * page);
	expect_u64(format_leaves(fixture).all, 0);
}

/* No bytes, beyond the width, across its end, around the end of all addresses. */
static void a_range_that_cannot_be_mapped_is_not_unmapped(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), end = 1ULL << format_width(fixture);

	expect_ok(format_map(fixture, end - page, PHYS, page, RW));
	expect_u64(format_unmap(fixture, end - page, 0), 0);
	expect_u64(format_unmap(fixture, end, page), 0);
	expect_u64(format_unmap(fixture, end - page, 2 * page), 0);
	expect_u64(format_unmap(fixture, ~0ULL - page + 1, 2 * page), 0);
	expect_u64(format_unmap(fixture, end - page, ~0ULL), 0);
	format_expect(fixture, end - page, PHYS, page, RW);
	expect_u64(format_unmap(fixture, end - page, page), page);
}

static void the_empty_table_has_nothing_to_remove(void **state)
{
	struct format_fixture *fixture = *state;

	expect_u64(format_unmap(fixture, 0, smallest(fixture)), 0);
	expect_u64(format_unmap(fixture, 0, 1ULL << format_width(fixture)), 0);
	expect_u64(format_tables(fixture), 1);
}

/* Every cleared entry is counted once, whatever its size. */
static void cleared_entries_are_counted(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), size = large(fixture);
	u64 before;

	expect_ok(format_map(fixture, 2 * size - 3 * page, PHYS + size - 3 * page,
			     3 * page + 2 * size, RW));
	before = fixture->s->os->tables.costs.entries_cleared;
	format_unmap(fixture, 2 * size - 3 * page, 3 * page + 2 * size);
	expect_u64(fixture->s->os->tables.costs.entries_cleared - before, 5);
}

/* Of an address that is not mapped, or cannot be: 0. */
static void lookup_gives_every_byte_or_0(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pgtable_ops *ops = fixture->format->ops;
	u64 page = smallest(fixture), size = large(fixture);

	expect_ok(format_map(fixture, size, PHYS, size, IOMMU_WRITE));
	for (u64 i = 0; i < size; i += page / 4 + 1)
		expect_u64(ops->iova_to_phys(&fixture->pt, size + i), PHYS + i);
	expect_u64(ops->iova_to_phys(&fixture->pt, size - 1), 0);
	expect_u64(ops->iova_to_phys(&fixture->pt, 2 * size), 0);
	expect_u64(ops->iova_to_phys(&fixture->pt, 1ULL << format_width(fixture)), 0);
	expect_u64(ops->iova_to_phys(&fixture->pt, size | 1ULL << format_width(fixture)), 0);
	expect_u64(ops->iova_to_phys(&fixture->pt, ~0ULL), 0);
}

TEST_MAIN(ON_EVERY_FORMAT_AND_SIZE(exactly_the_range_goes),
	  ON_EVERY_FORMAT_AND_SIZE(what_was_unmapped_can_be_mapped_again),
	  ON_EVERY_FORMAT_AND_SIZE(a_hole_stops_the_unmap),
	  ON_EVERY_FORMAT_AND_SIZE(a_hole_at_the_start_removes_nothing),
	  ON_EVERY_FORMAT_AND_SIZE(a_missing_table_is_a_hole),
	  ON_EVERY_FORMAT_AND_SIZE(an_end_inside_a_leaf_takes_the_leaf_whole),
	  ON_EVERY_FORMAT_AND_SIZE(an_end_inside_a_later_leaf_takes_it_whole_too),
	  ON_EVERY_FORMAT_AND_SIZE(a_start_inside_a_leaf_removes_nothing),
	  ON_EVERY_FORMAT_AND_SIZE(mixed_leaves_go_together),
	  ON_EVERY_FORMAT_AND_SIZE(several_maps_go_in_one_unmap),
	  ON_EVERY_FORMAT_AND_SIZE(a_range_that_cannot_be_mapped_is_not_unmapped),
	  ON_EVERY_FORMAT_AND_SIZE(the_empty_table_has_nothing_to_remove),
	  ON_EVERY_FORMAT(cleared_entries_are_counted),
	  ON_EVERY_FORMAT_AND_SIZE(lookup_gives_every_byte_or_0))
