/* SPDX-License-Identifier: MIT */
/*
 * What a table is told to be: of the format's sizes some alone, addresses of few bits, features of
 * other formats (facts "iova-and-page-tables" 2.7; 6.6, 8 and 19).
 */
#include <errno.h>

#include "formats.h"

#define RW (IOMMU_READ | IOMMU_WRITE)

static u64 smallest(const struct format_fixture *fixture)
{
	return 1ULL << fixture->format->granule_lg2;
}

/* The fixture's table is another one from now on. */
static void make_again(struct format_fixture *fixture, const struct pgtable_config *config)
{
	format_release(fixture);
	fixture->format->ops->fini(&fixture->pt);
	fixture->config = *config;
	expect_ok(fixture->format->ops->init(&fixture->pt, config));
}

/* Two leaves of a size, or what takes their place: no leaf is of a size that there is not. */
static void expect_sizes_used(struct format_fixture *fixture, u8 lg2, u64 sizes)
{
	u64 size = 1ULL << lg2;
	struct leaf_counts leaves;

	expect_ok(format_map(fixture, 2 * size, format_phys(size), size, RW));
	leaves = format_leaves(fixture);
	for (u8 other = 0; other < 64; other++) {
		if (!(sizes >> other & 1))
			expect_u64(leaves.of_size[other], 0);
	}
	format_expect(fixture, 2 * size, format_phys(size), smallest(fixture), RW);
	format_expect(fixture, 3 * size - smallest(fixture),
		      format_phys(size) + size - smallest(fixture), smallest(fixture), RW);
	expect_u64(format_unmap(fixture, 2 * size, size), size);
	expect_u64(format_leaves(fixture).all, 0);
}

/* Each size in turn is left out; the smallest cannot be, whatever the domain says. */
static void a_size_that_is_left_out_is_not_used(void **state)
{
	struct format_fixture *fixture = *state;
	u64 all = fixture->pt.page_sizes;

	for (u8 lg2 = 0; lg2 < 64; lg2++) {
		struct pgtable_config config = fixture->config;

		if (!(all >> lg2 & 1))
			continue;
		config.page_sizes = all & ~(1ULL << lg2);
		make_again(fixture, &config);
		expect_u64(fixture->pt.page_sizes, config.page_sizes | smallest(fixture));
		/* What it becomes must be few enough to be looked at. */
		if (1ULL << lg2 <= smallest(fixture) << 2 * fixture->format->index_lg2 && lg2 <= 30)
			expect_sizes_used(fixture, lg2, fixture->pt.page_sizes);
	}
}

static void the_smallest_size_alone_is_enough(void **state)
{
	struct format_fixture *fixture = *state;
	struct pgtable_config config = fixture->config;

	config.page_sizes = smallest(fixture);
	make_again(fixture, &config);
	expect_u64(fixture->pt.page_sizes, smallest(fixture));
	expect_sizes_used(fixture, fixture->format->granule_lg2 + fixture->format->index_lg2,
			  smallest(fixture));
}

/* A bit that is no size of the format is none of the table's. */
static void sizes_of_others_are_not_taken_over(void **state)
{
	struct format_fixture *fixture = *state;
	struct pgtable_config config = fixture->config;
	u64 all = fixture->pt.page_sizes;

	config.page_sizes = ~0ULL;
	make_again(fixture, &config);
	expect_u64(fixture->pt.page_sizes & all, all);
	config.page_sizes = 1;
	make_again(fixture, &config);
	expect_u64(fixture->pt.page_sizes, smallest(fixture));
}

/* A leaf as large as all that a table maps would be the table: there is none, at no width. */
static void small_tables_have_no_leaf_as_large_as_themselves(void **state)
{
	struct format_fixture *fixture = *state;
	bool is_small = strstr(fixture->format->ops->name, "armv8") ||
			strstr(fixture->format->ops->name, "amdv1");

	for (u8 levels = 1; is_small && levels <= fixture->config.levels; levels++) {
		struct pgtable_config config = fixture->config;

		config.levels = levels;
		config.levels_max = 0;
		config.page_sizes = 0;
		make_again(fixture, &config);
		assert_true(fixture->pt.page_sizes & smallest(fixture));
		assert_true(fixture->pt.page_sizes < 1ULL << (fixture->pt.va_bits - 1));
	}
	assert_true(fixture->pt.page_sizes < 1ULL << (fixture->pt.va_bits - 1));
}

/* Nor one as large as all memory can be. */
static void no_leaf_is_as_large_as_memory(void **state)
{
	struct format_fixture *fixture = *state;
	struct pgtable_config config = fixture->config;

	config.pa_bits = 30;
	config.page_sizes = 0;
	make_again(fixture, &config);
	assert_true(fixture->pt.page_sizes & smallest(fixture));
	assert_true(fixture->pt.page_sizes < 1ULL << 30);
}

/* Where hardware has Svpbmt the domain is made all the same: Linux 7.3 refuses (6.6, 19). */
static void svpbmt_is_no_reason_to_refuse(void **state)
{
	struct format_fixture *fixture = *state;
	struct pgtable_config config = fixture->config;

	config.features |= PGTABLE_PBMT;
	make_again(fixture, &config);
	expect_ok(format_map(fixture, 0, 0x4000000, smallest(fixture), RW | IOMMU_CACHE));
	format_expect(fixture, 0, 0x4000000, smallest(fixture), RW);
}

/* A feature of another format changes no word. */
static void features_of_others_do_nothing(void **state)
{
	struct format_fixture *fixture = *state;
	struct pgtable_config config = fixture->config;

	config.features |= PGTABLE_NAPOT | PGTABLE_PBMT | PGTABLE_CONTIGUOUS | PGTABLE_S2FWB;
	make_again(fixture, &config);
	expect_ok(format_map(fixture, 0x10000, 0x4000000, 0x10000, RW));
	expect_u64(format_leaves(fixture).of_size[12], 16);
}

TEST_MAIN(ON_EVERY_FORMAT_AND_SIZE(a_size_that_is_left_out_is_not_used),
	  ON_EVERY_FORMAT_AND_SIZE(the_smallest_size_alone_is_enough),
	  ON_EVERY_FORMAT_AND_SIZE(sizes_of_others_are_not_taken_over),
	  ON_EVERY_FORMAT_AND_SIZE(small_tables_have_no_leaf_as_large_as_themselves),
	  ON_MORE_CONFIGURATIONS(small_tables_have_no_leaf_as_large_as_themselves),
	  ON_EVERY_FORMAT_AND_SIZE(no_leaf_is_as_large_as_memory),
	  ON_FORMAT(riscv_39, svpbmt_is_no_reason_to_refuse),
	  ON_FORMAT(riscv_57, svpbmt_is_no_reason_to_refuse),
	  ON_FORMAT(riscv_48x4, svpbmt_is_no_reason_to_refuse),
	  ON_VTDSS(features_of_others_do_nothing), ON_X86_64(features_of_others_do_nothing),
	  ON_FORMAT(amdv1_3, features_of_others_do_nothing))
