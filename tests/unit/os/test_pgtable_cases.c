/* SPDX-License-Identifier: MIT */
/*
 * Cases of Linux's own suites that no other file here has (facts "iova-and-page-tables" 2.8 and
 * 6.6); kunit_cases.tsv says which test stands for which case.
 */
#include <errno.h>

#include "formats.h"

#define RW (IOMMU_READ | IOMMU_WRITE)

static u64 smallest(const struct format_fixture *fixture)
{
	return 1ULL << fixture->format->granule_lg2;
}

/* Bytes that an entry of a level maps. */
static u64 span(const struct format_fixture *fixture, u8 level)
{
	return smallest(fixture) << (fixture->format->index_lg2 * level);
}

static u8 level_of(const struct format_fixture *fixture, u8 lg2)
{
	return (u8)((lg2 - fixture->format->granule_lg2) / fixture->format->index_lg2);
}

/* The table reaches so far without growing, and a range of so many bytes fits beside another. */
static bool fits(const struct format_fixture *fixture, u64 bytes)
{
	u8 width = format_width(fixture);
	u8 now = (u8)(fixture->format->granule_lg2 +
		      fixture->format->index_lg2 * fixture->config.levels);

	width = fixture->config.levels_max && now < width ? now : width;
	return width >= 64 || bytes < 1ULL << width;
}

/* ---- test_table_ptr -------------------------------------------------------------------------- */

/* The largest size below a level, or 0 if a whole table of it would be too many. */
static u64 size_that_fills(const struct format_fixture *fixture, u8 level)
{
	u64 sizes = fixture->pt.page_sizes & (span(fixture, level) - 1), size;

	if (!sizes)
		return 0;
	size = 1ULL << (63 - __builtin_clzll(sizes));
	return span(fixture, level) / size <= 4 * 8192 ? size : 0;
}

/*
 * A table hangs on an entry of each level in turn, filled to its end by leaves that could be
 * larger; it goes with the last of them, and another one takes its place.
 */
static void a_table_of_every_level_goes_and_comes_back(void **state)
{
	struct format_fixture *fixture = *state;
	u32 levels = 0;

	for (u8 level = 1; level < fixture->config.levels; level++) {
		u64 bytes = span(fixture, level), size = size_that_fills(fixture, level);
		u64 before;

		if (!size || !fits(fixture, 2 * bytes) || (bytes + size) >> fixture->pt.pa_bits)
			continue;
		for (int again = 0; again < 2; again++) {
			expect_ok(format_map(fixture, bytes, size, bytes, RW));
			before = format_tables(fixture);
			format_expect(fixture, 2 * bytes - smallest(fixture),
				      bytes + size - smallest(fixture), smallest(fixture), RW);
			expect_u64(format_unmap(fixture, bytes, bytes), bytes);
			assert_true(fixture->gather.table_levels >> level & 1);
			assert_true(format_release(fixture) >= 1);
			assert_true(format_tables(fixture) < before);
			format_expect_absent(fixture, bytes, smallest(fixture));
			format_expect_absent(fixture, 2 * bytes - smallest(fixture),
					     smallest(fixture));
		}
		levels++;
	}
	assert_true(levels >= 1);
}

/* ---- test_map_simple ------------------------------------------------------------------------- */

/* As many pages as there are, or 600 of them: all distances from both ends that are powers of 2. */
static void expect_pages(struct format_fixture *fixture, u64 iova, phys_addr_t phys, u64 size)
{
	u64 page = smallest(fixture);

	if (size <= 512 * page) {
		format_expect(fixture, iova, phys, size, RW);
		return;
	}
	for (u64 far = page; far < size; far *= 2) {
		format_expect(fixture, iova + far, phys + far, page, RW);
		format_expect(fixture, iova + far - page, phys + far - page, page, RW);
		format_expect(fixture, iova + size - far, phys + size - far, page, RW);
	}
	for (u64 i = 0; i < 512; i++) {
		u64 at = i * 0x9e3779b97f4a7c15ULL % size & ~(page - 1);

		format_expect(fixture, iova + at, phys + at, page, RW);
	}
}

static void every_page_of_every_size_is_translated(void **state)
{
	struct format_fixture *fixture = *state;

	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u64 size = 1ULL << format_size_lg2(fixture, index);

		if (!fits(fixture, 2 * size))
			continue;
		expect_ok(format_map(fixture, size, format_phys(size), size, RW));
		expect_u64(format_leaves(fixture).all, 1);
		expect_pages(fixture, size, format_phys(size), size);
		expect_u64(format_unmap(fixture, size, size), size);
		expect_u64(format_leaves(fixture).all, 0);
	}
}

/* ---- test_map_table_to_oa -------------------------------------------------------------------- */

/* Tables that small leaves have left, at the start, in the middle and at the end of the range. */
static void leave_tables(struct format_fixture *fixture, u64 iova, u64 size)
{
	u64 page = smallest(fixture);
	const u64 at[] = { iova, iova + size / 2, iova + size - page };

	for (int i = 0; i < 3; i++) {
		expect_ok(format_map(fixture, at[i], format_phys(size) + i * page, page, RW));
		expect_u64(format_unmap(fixture, at[i], page), page);
	}
}

/* Of every size, up to 16 GiB, into a range that has tables and nothing else. */
static void every_size_takes_the_place_of_empty_tables(void **state)
{
	struct format_fixture *fixture = *state;

	for (u32 index = 1; format_size_lg2(fixture, index); index++) {
		u8 lg2 = format_size_lg2(fixture, index), level = level_of(fixture, lg2);
		u64 size = 1ULL << lg2, before;

		if (lg2 > 34 || !fits(fixture, 2 * size))
			continue;
		leave_tables(fixture, size, size);
		before = format_tables(fixture);
		expect_ok(format_map(fixture, size, format_phys(size), size, RW));
		expect_u64(format_leaves(fixture).of_size[lg2], 1);
		expect_u64(format_leaves(fixture).all, 1);
		/* Below a leaf of the lowest level no table hangs. */
		assert_int_equal(fixture->gather.table_levels != 0, level > 0);
		if (level)
			assert_true(fixture->gather.start <= size && fixture->gather.last >= size);
		expect_u64(format_tables(fixture), before);
		before -= format_release(fixture);
		expect_u64(format_tables(fixture), before);
		expect_pages(fixture, size, format_phys(size), size);
		expect_u64(format_unmap(fixture, size, size), size);
	}
}

/* ---- The end of a run (6.6, 3) --------------------------------------------------------------- */

/* Leaves [first, first + count) of a table, with room on both sides or at its very ends. */
static void check_run(struct format_fixture *fixture, u8 lg2, u64 first, u64 count)
{
	u64 size = 1ULL << lg2, page = smallest(fixture);
	u64 table = span(fixture, level_of(fixture, lg2) + 1);
	u64 iova = table + first * size, phys = format_phys(size) + size, bytes = count * size;
	struct leaf_counts leaves;

	expect_ok(format_map(fixture, iova, phys, bytes, RW));
	leaves = format_leaves(fixture);
	expect_u64(leaves.of_size[lg2], count);
	expect_u64(leaves.all, count);
	format_expect(fixture, iova, phys, page, RW);
	format_expect(fixture, iova + bytes - page, phys + bytes - page, page, RW);
	format_expect_absent(fixture, iova - page, page);
	format_expect_absent(fixture, iova + bytes, page);
	expect_u64(format_unmap(fixture, iova, bytes), bytes);
	expect_u64(format_leaves(fixture).all, 0);
}

/* The size is the only one: what is larger would take its place. */
static void a_run_ends_with_its_last_leaf(void **state)
{
	struct format_fixture *fixture = *state;
	u64 all = fixture->pt.page_sizes;

	for (u8 lg2 = fixture->format->granule_lg2; lg2 < 40; lg2++) {
		u64 places;

		if (!(all >> lg2 & 1) ||
		    !fits(fixture, 4 * span(fixture, level_of(fixture, lg2) + 1)))
			continue;
		places = span(fixture, level_of(fixture, lg2) + 1) >> lg2;
		fixture->pt.page_sizes = 1ULL << lg2;
		check_run(fixture, lg2, 0, 1);
		check_run(fixture, lg2, 0, places);
		check_run(fixture, lg2, places - 1, 1);
		check_run(fixture, lg2, places / 2 - 1, 2);
		check_run(fixture, lg2, places - 1, 2);
		check_run(fixture, lg2, places / 2, places);
	}
	fixture->pt.page_sizes = all;
}

/* ---- Flushes (6.6, 16) ----------------------------------------------------------------------- */

struct flushes {
	struct platform *platform;
	const struct platform_ops *ops;
	struct platform_ops counting;
	u64 calls, bytes;
};

/* The test has one at a time. */
static _Thread_local struct flushes *counted;

static void count_flush(void *machine, phys_addr_t phys, u64 bytes)
{
	counted->calls++;
	counted->bytes += bytes;
	counted->ops->cache_clean(machine, phys, bytes);
}

static void count_flushes(struct flushes *flushes, struct platform *platform)
{
	flushes->platform = platform;
	flushes->ops = platform->ops;
	flushes->counting = *platform->ops;
	flushes->counting.cache_clean = count_flush;
	flushes->calls = 0;
	flushes->bytes = 0;
	platform->ops = &flushes->counting;
	counted = flushes;
}

/* Entries that lie side by side are flushed by one call, not one by one. */
static void what_is_written_together_is_flushed_together(void **state)
{
	struct format_fixture *fixture = *state;
	u64 entries = 1ULL << fixture->format->index_lg2, page = smallest(fixture);
	u64 bytes = entries * page;
	struct flushes flushes;

	/* The table is there, and the memory is congruent to nothing larger. */
	expect_ok(format_map(fixture, bytes, 0, page, RW));
	expect_u64(format_unmap(fixture, bytes, page), page);
	fixture->pt.page_sizes = page;
	count_flushes(&flushes, fixture->pt.platform);
	expect_ok(format_map(fixture, bytes, page, bytes, RW));
	expect_u64(flushes.calls, 1);
	expect_u64(flushes.bytes, 8 * entries);
	flushes.calls = flushes.bytes = 0;
	expect_u64(format_unmap(fixture, bytes + page, bytes - page), bytes - page);
	expect_u64(flushes.calls, 1);
	expect_u64(flushes.bytes, 8 * (entries - 1));
	flushes.platform->ops = flushes.ops;
}

#define ON_INCOHERENT(test)                                                            \
	ON_FORMAT(vtdss_incoherent, test), ON_FORMAT(amdv1_grows, test),               \
		ON_FORMAT(x86_64_5, test), ON_FORMAT(riscv_57, test),                  \
		ON_FORMAT(armv8_s1_4k_many, test), ON_FORMAT(armv8_s1_16k_lpa2, test), \
		ON_FORMAT(armv8_s2_4k_many, test), ON_FORMAT(mock_lean, test)

TEST_MAIN(ON_EVERY_FORMAT_AND_SIZE(a_table_of_every_level_goes_and_comes_back),
	  ON_MORE_CONFIGURATIONS(a_table_of_every_level_goes_and_comes_back),
	  ON_EVERY_FORMAT_AND_SIZE(every_page_of_every_size_is_translated),
	  ON_MORE_CONFIGURATIONS(every_page_of_every_size_is_translated),
	  ON_EVERY_FORMAT_AND_SIZE(every_size_takes_the_place_of_empty_tables),
	  ON_MORE_CONFIGURATIONS(every_size_takes_the_place_of_empty_tables),
	  ON_EVERY_FORMAT_AND_SIZE(a_run_ends_with_its_last_leaf),
	  ON_MORE_CONFIGURATIONS(a_run_ends_with_its_last_leaf),
	  ON_INCOHERENT(what_is_written_together_is_flushed_together))
