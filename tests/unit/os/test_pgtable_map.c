/* SPDX-License-Identifier: MIT */
/*
 * Mapping: which leaves are written, what is refused and how, what a refusal leaves behind (facts
 * "iova-and-page-tables" 2.7). The hardware is the judge.
 */
#include "formats.h"

#include <errno.h>
#include <string.h>

#define RW (IOMMU_READ | IOMMU_WRITE)

/* Where physical memory of any size may be: no byte of it is touched. */
#define PHYS 0x400000000ULL

static u64 smallest(const struct format_fixture *fixture)
{
	return 1ULL << format_size_lg2(fixture, 0);
}

/* ---- Leaves ---------------------------------------------------------------------------------- */

static void every_page_size_maps_as_one_leaf(void **state)
{
	struct format_fixture *fixture = *state;
	u32 count = 0;

	for (u8 lg2; (lg2 = format_size_lg2(fixture, count)); count++) {
		u64 size = 1ULL << lg2, iova = 3 * size;
		phys_addr_t phys = format_phys(size);

		expect_ok(format_map(fixture, iova, phys, size, RW));
		expect_u64(fixture->mapped, size);
		expect_u64(format_leaves(fixture).all, 1);
		expect_u64(format_leaves(fixture).of_size[lg2], 1);
		format_expect(fixture, iova, phys, smallest(fixture), RW);
		format_expect(fixture, iova + size - smallest(fixture),
			      phys + size - smallest(fixture), smallest(fixture), RW);
		format_expect_absent(fixture, iova - smallest(fixture), smallest(fixture));
		format_expect_absent(fixture, iova + size, smallest(fixture));
		expect_u64(format_unmap(fixture, iova, size), size);
		expect_u64(format_leaves(fixture).all, 0);
	}
	assert_true(count >= 2);
}

static void permissions_are_what_was_asked_for(void **state)
{
	static const u32 asked[] = { IOMMU_READ, IOMMU_WRITE, RW };
	struct format_fixture *fixture = *state;

	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u64 size = 1ULL << format_size_lg2(fixture, index);

		for (u64 i = 0; i < 3; i++) {
			u64 iova = (i + 1) * size;

			expect_ok(format_map(fixture, iova, PHYS, size, asked[i]));
			format_expect(fixture, iova, PHYS, smallest(fixture), asked[i]);
			format_unmap(fixture, iova, size);
		}
	}
}

/* They leave no trace in the entry, and do not stand for a permission. */
static void other_attributes_change_nothing(void **state)
{
	struct format_fixture *fixture = *state;

	expect_ok(format_map(fixture, smallest(fixture), PHYS, smallest(fixture),
			     IOMMU_READ | IOMMU_CACHE | IOMMU_NOEXEC | IOMMU_MMIO | IOMMU_PRIV));
	format_expect(fixture, smallest(fixture), PHYS, smallest(fixture), IOMMU_READ);
}

/* The first and the last page of the table, which share no table below the top. */
static void the_whole_width_can_be_mapped(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), end = 1ULL << format_width(fixture);

	expect_ok(format_map(fixture, 0, PHYS, page, RW));
	expect_ok(format_map(fixture, end - page, PHYS + page, page, RW));
	format_expect(fixture, 0, PHYS, page, RW);
	format_expect(fixture, end - page, PHYS + page, page, RW);
	expect_u64(format_unmap(fixture, end - page, page), page);
	expect_u64(format_unmap(fixture, 0, page), page);
}

/* The last page of memory there may be. */
static void the_whole_physical_width_can_be_mapped(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), end = 1ULL << fixture->pt.pa_bits;

	expect_ok(format_map(fixture, page, end - page, page, RW));
	format_expect(fixture, page, end - page, page, RW);
}

/*   small pages up to the border, one larger leaf, small pages behind it */
static void a_range_uses_larger_leaves_in_its_middle(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), large = 1ULL << format_size_lg2(fixture, 1);
	u64 start = 4 * large - 3 * page, bytes = 3 * page + 2 * large + 5 * page;
	struct leaf_counts leaves;

	expect_ok(format_map(fixture, start, PHYS + large - 3 * page, bytes, RW));
	leaves = format_leaves(fixture);
	expect_u64(leaves.of_size[format_size_lg2(fixture, 0)], 8);
	expect_u64(leaves.of_size[format_size_lg2(fixture, 1)], 2);
	expect_u64(leaves.all, 10);
	format_expect(fixture, start, PHYS + large - 3 * page, bytes, RW);
	expect_u64(format_unmap(fixture, start, bytes), bytes);
	expect_u64(format_leaves(fixture).all, 0);
}

/* Both addresses must be as far from a border: else nothing larger than a page fits. */
static void addresses_that_do_not_match_use_small_pages(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), large = 1ULL << format_size_lg2(fixture, 1);

	expect_ok(format_map(fixture, large, PHYS + page, 2 * large, RW));
	expect_u64(format_leaves(fixture).of_size[format_size_lg2(fixture, 0)], 2 * large / page);
	expect_u64(format_leaves(fixture).all, 2 * large / page);
	format_expect(fixture, large, PHYS + page, 2 * large, RW);
}

/* Across every border of tables: of the level above the leaves, and of the one above that. */
static void a_range_runs_over_borders_of_tables(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	for (u8 level = 1; level < fixture->pt.levels; level++) {
		u64 border = page << (fixture->format->index_lg2 * level);

		expect_ok(format_map(fixture, border - 2 * page, PHYS + page, 4 * page, RW));
		format_expect(fixture, border - 2 * page, PHYS + page, 4 * page, RW);
		expect_u64(format_unmap(fixture, border - 2 * page, 4 * page), 4 * page);
	}
}

static void collect(void *cookie, const struct seen_leaf *leaf)
{
	char *sizes = cookie;

	strcat(sizes, leaf->bytes == SZ_1G ? "G" : leaf->bytes == SZ_2M ? "M" : "k");
}

/* A real case: 14 leaves of 2 MiB, 3 of 1 GiB, 3 of 2 MiB, in this order. */
static void a_mixed_range_takes_20_leaves(void **state)
{
	struct format_fixture *fixture = *state;
	u64 start = 0x3fe400000ULL, last = 0x4c0600000ULL - 1;
	u64 before = fixture->s->os->tables.costs.entries_written;
	char sizes[64] = "";

	expect_ok(format_map(fixture, start, start, last - start + 1, RW));
	fixture->format->walk_range(fixture, start, last, collect, sizes);
	assert_string_equal(sizes, "MMMMMMMMMMMMMMGGGMMM");
	expect_u64(format_leaves(fixture).all, 20);
	expect_u64(fixture->s->os->tables.costs.entries_written - before, 20);
	expect_u64(fixture->mapped, last - start + 1);
	expect_u64(format_unmap(fixture, start, last - start + 1), last - start + 1);
}

/* Another real case: 128 KiB just below 4 GiB, to memory that is congruent to nothing larger. */
static void a_range_near_4_GiB_takes_32_pages(void **state)
{
	struct format_fixture *fixture = *state;

	expect_ok(format_map(fixture, 0xfef80000ULL, 0x208b95d000ULL, 128 * 1024, RW));
	format_expect(fixture, 0xfef80000ULL, 0x208b95d000ULL, 128 * 1024, RW);
	expect_u64(format_leaves(fixture).of_size[12], 32);
	expect_u64(format_leaves(fixture).all, 32);
	format_expect_absent(fixture, 0xfef80000ULL - SZ_4K, SZ_4K);
	format_expect_absent(fixture, 0xfef80000ULL + 128 * 1024, SZ_4K);
}

/* ---- Refusals -------------------------------------------------------------------------------- */

/* Refused before anything is written: no table, no leaf, nothing gathered, nothing counted. */
static void expect_refused(struct format_fixture *fixture, u64 iova, phys_addr_t phys, u64 bytes,
			   u32 prot, int error)
{
	u64 mapped = 77;

	iommu_iotlb_gather_init(&fixture->gather);
	expect_error(fixture->format->ops->map(&fixture->pt, iova, phys, bytes, prot,
					       &fixture->gather, &mapped),
		     error);
	expect_u64(mapped, 77);
	expect_u64(format_tables(fixture), 1);
	expect_u64(format_leaves(fixture).all, 0);
	assert_true(iommu_iotlb_gather_empty(&fixture->gather));
	assert_null(fixture->gather.freelist);
}

static void without_read_and_write_it_is_EINVAL(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	expect_refused(fixture, page, PHYS, page, 0, -EINVAL);
	expect_refused(fixture, page, PHYS, page,
		       IOMMU_CACHE | IOMMU_NOEXEC | IOMMU_MMIO | IOMMU_PRIV, -EINVAL);
}

static void no_bytes_are_EINVAL(void **state)
{
	struct format_fixture *fixture = *state;

	expect_refused(fixture, smallest(fixture), PHYS, 0, RW, -EINVAL);
}

static void a_start_that_no_size_fits_is_ENXIO(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	expect_refused(fixture, page + page / 2, PHYS, page, RW, -ENXIO);
	expect_refused(fixture, page, PHYS + 1, page, RW, -ENXIO);
	expect_refused(fixture, page, PHYS + page / 2, page, RW, -ENXIO);
	expect_refused(fixture, page, PHYS, page / 2, RW, -ENXIO);
	/* Nothing is half done for the sake of a length. */
	expect_refused(fixture, page, PHYS, 3 * page + page / 2, RW, -ENXIO);
}

/* trust: which of two mistakes of a map is told | Linux's own code: generic_pt of 7.3 */
static void of_two_mistakes_linuxs_is_told(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), end = 1ULL << format_width(fixture);
	u64 beyond = 1ULL << fixture->pt.pa_bits, last = ~0ULL - page + 1;

	expect_refused(fixture, page, beyond, page, 0, -EINVAL);
	expect_refused(fixture, page, beyond, 0, RW, -ERANGE);
	expect_refused(fixture, last, beyond, 2 * page, RW, -ERANGE);
	expect_refused(fixture, last + 1, PHYS, 0, RW, -EINVAL);
	expect_refused(fixture, last + page / 2, PHYS, 2 * page, RW, -EOVERFLOW);
	expect_refused(fixture, end + page / 2, PHYS, page, RW, -ENXIO);
}

static void an_iova_outside_the_table_is_ERANGE(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), end = 1ULL << format_width(fixture);

	expect_refused(fixture, end, PHYS, page, RW, -ERANGE);
	expect_refused(fixture, end - page, PHYS, 2 * page, RW, -ERANGE);
	expect_refused(fixture, 1ULL << 63, PHYS, page, RW, -ERANGE);
}

static void a_physical_address_beyond_the_width_is_ERANGE(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), end = 1ULL << fixture->pt.pa_bits;

	expect_refused(fixture, page, end, page, RW, -ERANGE);
	expect_refused(fixture, page, end - page, 2 * page, RW, -ERANGE);
	expect_refused(fixture, page, 1ULL << 63, page, RW, -ERANGE);
}

/* Of the two addresses only the IOVA can overflow: a physical one is beyond its width first. */
static void a_physical_address_that_wraps_is_ERANGE_too(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	expect_refused(fixture, page, ~0ULL - page + 1, 2 * page, RW, -ERANGE);
}

static void an_iova_that_wraps_is_EOVERFLOW(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	expect_refused(fixture, ~0ULL - page + 1, PHYS, 2 * page, RW, -EOVERFLOW);
}

static void what_was_mapped_is_only_added_to(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), mapped = 5;

	iommu_iotlb_gather_init(&fixture->gather);
	expect_ok(fixture->format->ops->map(&fixture->pt, page, PHYS, 3 * page, RW,
					    &fixture->gather, &mapped));
	expect_u64(mapped, 5 + 3 * page);
}

/* ---- Over what is there ---------------------------------------------------------------------- */

/*   there   |..|..|..|P4|..|        asked   |P1|P2|P3|P4|P5|      done   |P1|P2|P3| */
static void a_page_in_the_way_is_EADDRINUSE_and_what_came_before_is_counted(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture), large = 1ULL << format_size_lg2(fixture, 1);
	phys_addr_t old = PHYS + 100 * large;

	expect_ok(format_map(fixture, 4 * page, old, page, IOMMU_READ));
	expect_error(format_map(fixture, page, PHYS, 5 * page, RW), -EADDRINUSE);
	expect_u64(fixture->mapped, 3 * page);
	format_expect(fixture, page, PHYS, 3 * page, RW);
	format_expect(fixture, 4 * page, old, page, IOMMU_READ);
	format_expect_absent(fixture, 5 * page, page);
	/* The caller takes back what was done. */
	expect_u64(format_unmap(fixture, page, fixture->mapped), 3 * page);
	format_expect_absent(fixture, page, 3 * page);
	format_expect(fixture, 4 * page, old, page, IOMMU_READ);
}

static void mapping_the_same_again_is_EADDRINUSE(void **state)
{
	struct format_fixture *fixture = *state;

	for (u32 index = 0; format_size_lg2(fixture, index); index++) {
		u64 size = 1ULL << format_size_lg2(fixture, index);

		expect_ok(format_map(fixture, size, PHYS, size, RW));
		expect_error(format_map(fixture, size, PHYS, size, RW), -EADDRINUSE);
		expect_u64(fixture->mapped, 0);
		expect_u64(format_unmap(fixture, size, size), size);
	}
}

/* A page into a larger leaf; and a larger leaf over a table that holds one page. */
static void sizes_do_not_overlap_either(void **state)
{
	struct format_fixture *fixture = *state;
	u64 page = smallest(fixture);

	for (u32 index = 1; format_size_lg2(fixture, index); index++) {
		u64 size = 1ULL << format_size_lg2(fixture, index);
		phys_addr_t other = PHYS + 64 * size;

		expect_ok(format_map(fixture, size, PHYS, size, RW));
		expect_error(format_map(fixture, size + 7 * page, other, page, RW), -EADDRINUSE);
		expect_u64(fixture->mapped, 0);
		format_expect(fixture, size + 7 * page, PHYS + 7 * page, page, RW);
		expect_u64(format_unmap(fixture, size, size), size);

		expect_ok(format_map(fixture, size + size - page, other, page, RW));
		expect_error(format_map(fixture, size, PHYS, size, RW), -EADDRINUSE);
		expect_u64(fixture->mapped, 0);
		format_expect(fixture, size + size - page, other, page, RW);
		format_expect_absent(fixture, size, page);
		expect_u64(format_unmap(fixture, size + size - page, page), page);
	}
}

/* Formats whose sizes from 4 KiB to 1 GiB are those of x86-64 alone. */
#define ON_4K_2M_1G(test)                                                                       \
	ON_X86_SIZES(test), ON_X86_64(test), ON_ARMV8_3_SIZES(test), ON_FORMAT(riscv_39, test), \
		ON_FORMAT(riscv_39x4, test), ON_FORMAT(riscv_57_pbmt, test),                    \
		ON_FORMAT(armv8_s1_4k_3, test), ON_FORMAT(amdv1_grows, test),                   \
		ON_FORMAT(armv8_s2_4k_lpa2, test)

TEST_MAIN(ON_EVERY_FORMAT_AND_SIZE(every_page_size_maps_as_one_leaf),
	  ON_EVERY_FORMAT_AND_SIZE(permissions_are_what_was_asked_for),
	  ON_EVERY_FORMAT_AND_SIZE(other_attributes_change_nothing),
	  ON_EVERY_FORMAT_AND_SIZE(the_whole_width_can_be_mapped),
	  ON_EVERY_FORMAT_AND_SIZE(the_whole_physical_width_can_be_mapped),
	  ON_EVERY_FORMAT(a_range_uses_larger_leaves_in_its_middle),
	  ON_EVERY_FORMAT_AND_SIZE(addresses_that_do_not_match_use_small_pages),
	  ON_EVERY_FORMAT_AND_SIZE(a_range_runs_over_borders_of_tables),
	  ON_4K_2M_1G(a_mixed_range_takes_20_leaves),
	  ON_4K_2M_1G(a_range_near_4_GiB_takes_32_pages),
	  ON_FORMAT(amdv1_sizes, a_range_near_4_GiB_takes_32_pages),
	  ON_FORMAT(amdv1_encrypted, a_range_near_4_GiB_takes_32_pages),
	  ON_FORMAT(x86_64_encrypted, a_range_near_4_GiB_takes_32_pages),
	  ON_FORMAT(riscv_48, a_range_near_4_GiB_takes_32_pages),
	  ON_FORMAT(riscv_57, a_range_near_4_GiB_takes_32_pages),
	  ON_FORMAT(armv8_s1_4k_many, a_range_near_4_GiB_takes_32_pages),
	  ON_EVERY_FORMAT_AND_SIZE(without_read_and_write_it_is_EINVAL),
	  ON_EVERY_FORMAT_AND_SIZE(no_bytes_are_EINVAL),
	  ON_EVERY_FORMAT_AND_SIZE(a_start_that_no_size_fits_is_ENXIO),
	  ON_EVERY_FORMAT_AND_SIZE(of_two_mistakes_linuxs_is_told),
	  ON_EVERY_FORMAT_AND_SIZE(an_iova_outside_the_table_is_ERANGE),
	  ON_EVERY_FORMAT_AND_SIZE(a_physical_address_beyond_the_width_is_ERANGE),
	  ON_EVERY_FORMAT_AND_SIZE(a_physical_address_that_wraps_is_ERANGE_too),
	  ON_EVERY_FORMAT_AND_SIZE(an_iova_that_wraps_is_EOVERFLOW),
	  ON_EVERY_FORMAT_AND_SIZE(what_was_mapped_is_only_added_to),
	  ON_EVERY_FORMAT_AND_SIZE(a_page_in_the_way_is_EADDRINUSE_and_what_came_before_is_counted),
	  ON_EVERY_FORMAT_AND_SIZE(mapping_the_same_again_is_EADDRINUSE),
	  ON_EVERY_FORMAT(sizes_do_not_overlap_either))
