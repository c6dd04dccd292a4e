/* SPDX-License-Identifier: MIT */
/*
 * Where the reach of a table ends, and what happens between two stores: tops that have not grown,
 * addresses wider than Arm has them, marks and lookups in the middle of a change.
 */
#include <errno.h>

#include "formats.h"

#define RW (IOMMU_READ | IOMMU_WRITE)

/* The fixture's table is another one from now on. */
static void make_again(struct format_fixture *fixture, const struct pgtable_config *config)
{
	format_release(fixture);
	fixture->format->ops->fini(&fixture->pt);
	fixture->config = *config;
	expect_ok(fixture->format->ops->init(&fixture->pt, config));
}

/* ---- Reach ------------------------------------------------------------ */

/* One level has no table above it that could say so: index 7 is not that of 2 MiB and 7 pages. */
static void beyond_a_top_of_any_level_nothing_goes(void **state)
{
	struct format_fixture *fixture = *state;

	for (u8 levels = 1; levels <= 5; levels++) {
		struct pgtable_config config = fixture->config;
		u64 beyond = 1ULL << (12 + 9 * levels);

		config.levels = levels;
		config.levels_max = 6;
		make_again(fixture, &config);
		expect_ok(format_map(fixture, 0x7000, 0x5000, SZ_4K, RW));
		expect_u64(format_unmap(fixture, beyond + 0x7000, SZ_4K), 0);
		expect_u64(format_unmap(fixture, beyond + 0x7000, beyond), 0);
		expect_u64(fixture->format->ops->iova_to_phys(&fixture->pt, 0x7000), 0x5000);
		expect_u64(fixture->format->ops->iova_to_phys(&fixture->pt, beyond + 0x7000), 0);
		expect_u64(fixture->pt.levels, levels);
	}
}

/* Only what grows has an address for levels that are not there. */
static void levels_that_never_come_reach_nothing(void **state)
{
	struct format_fixture *fixture = *state;
	u64 granule = 1ULL << fixture->format->granule_lg2;
	struct pgtable_config config = fixture->config;
	u8 width = fixture->pt.va_bits;

	config.levels_max = config.levels + 1;
	make_again(fixture, &config);
	expect_u64(fixture->pt.va_bits, width);
	expect_error(format_map(fixture, 1ULL << width, granule, granule, RW), -ERANGE);
	expect_u64(fixture->format->ops->iova_to_phys(&fixture->pt, 0), 0);
}

/*
 * As many levels as an address takes may have entries for more of it: 57 bits of 5 levels. No
 * translation control register says more than 52 bits, or 48.
 */
static void an_address_is_no_wider_than_arm_has_it(void **state)
{
	struct format_fixture *fixture = *state;
	bool wide = strstr(fixture->format->ops->name, "lpa2") ||
		    strstr(fixture->format->ops->name, "64k");
	u64 granule = 1ULL << fixture->format->granule_lg2;
	u64 end = 1ULL << (wide ? 52 : 48);
	struct pgtable_config config = fixture->config;

	config.levels = granule == SZ_4K ? wide ? 5 : 4 : granule == SZ_64K ? 3 : 4;
	make_again(fixture, &config);
	expect_u64(fixture->pt.va_bits, wide ? 52 : 48);
	expect_ok(format_map(fixture, end - granule, granule, granule, RW));
	format_expect(fixture, end - granule, granule, granule, RW);
	expect_error(format_map(fixture, end, granule, granule, RW), -ERANGE);
	expect_error(format_map(fixture, end - granule, granule, 2 * granule, RW), -ERANGE);
	expect_u64(format_unmap(fixture, end, granule), 0);
	expect_u64(fixture->format->ops->iova_to_phys(&fixture->pt, end), 0);
}

/* ---- What a leaf says ------------------------------------------------- */

/* Facts 2.4: with 16 KiB granules two sizes have the contiguous bit, not that of LPA2. */
static void leaves_of_64_gib_are_not_contiguous(void **state)
{
	struct format_fixture *fixture = *state;
	const u64 sizes = 1ULL << 14 | 1ULL << 21 | 1ULL << 25 | 1ULL << 30 | 1ULL << 36;

	expect_u64(fixture->pt.page_sizes, sizes);
	expect_ok(format_map(fixture, 1ULL << 41, 1ULL << 41, 1ULL << 41, RW));
	expect_u64(format_leaves(fixture).of_size[36], 32);
}

static bool keep(void *cookie, const struct pgtable_leaf *leaf)
{
	*(struct pgtable_leaf *)cookie = *leaf;
	return true;
}

/* Bits 9:8 are an address, and no shareability. */
static void where_memory_is_says_nothing_of_how_it_is_cached(void **state)
{
	struct format_fixture *fixture = *state;
	u64 granule = 1ULL << fixture->format->granule_lg2;

	for (u64 high = 0; high < 4; high++) {
		struct pgtable_leaf leaf = { .lg2 = 0 };

		expect_ok(format_map(fixture, granule, high << 50 | granule, granule,
				     RW | IOMMU_MMIO));
		expect_ok(
			fixture->format->ops->iterate(&fixture->pt, granule, granule, keep, &leaf));
		expect_u64(leaf.phys, high << 50 | granule);
		expect_u64(leaf.prot, RW | IOMMU_MMIO);
		expect_u64(format_unmap(fixture, granule, granule), granule);
	}
}

/* ---- Between two stores ----------------------------------------------- */

/* A platform whose preemption points are the test's. */
struct stepped {
	struct platform platform; /* first member */
	struct platform_ops ops;
	struct platform *real;
	struct format_fixture *fixture;
	void (*at_point)(struct stepped *stepped, enum dmasim_point point);
	u64 iova;
	u64 points;
};

static void *stepped_ptr(void *machine, phys_addr_t phys)
{
	return platform_ptr(((struct stepped *)machine)->real, phys);
}

static void stepped_point(void *machine, enum dmasim_point point)
{
	struct stepped *stepped = machine;

	stepped->points++;
	stepped->at_point(stepped, point);
}

static void step(struct stepped *stepped, struct format_fixture *fixture)
{
	stepped->fixture = fixture;
	stepped->real = fixture->pt.platform;
	stepped->ops = (struct platform_ops){ .ptr = stepped_ptr, .point = stepped_point };
	stepped->platform = (struct platform){ .ops = &stepped->ops, .machine = stepped };
	stepped->platform.stepping = true;
	fixture->pt.platform = &stepped->platform;
}

static void step_no_more(struct stepped *stepped)
{
	stepped->fixture->pt.platform = stepped->real;
}

static void count_dirty(void *cookie, u64 iova, u64 bytes)
{
	(void)iova;
	(void)bytes;
	++*(u64 *)cookie;
}

static u64 read_dirty(struct format_fixture *fixture, u64 iova, u64 bytes, bool clear)
{
	struct iommu_iotlb_gather gather;
	u64 count = 0;

	iommu_iotlb_gather_init(&gather);
	expect_ok(fixture->format->ops->read_and_clear_dirty(&fixture->pt, iova, bytes, clear,
							     count_dirty, &count, &gather));
	return count;
}

/* A device writes just before the entry is stored. */
static void write_once(struct stepped *stepped, enum dmasim_point point)
{
	if (point != DMASIM_POINT_PT_LEAF || stepped->points > 1)
		return;
	stepped->platform.stepping = false;
	expect_ok(stepped->fixture->format->ops->set_dirty(&stepped->fixture->pt, stepped->iova));
	stepped->platform.stepping = true;
}

static void a_mark_that_comes_while_rights_change_stays(void **state)
{
	struct format_fixture *fixture = *state;
	struct stepped stepped = { .at_point = write_once };
	u64 size = 1ULL << format_size_lg2(fixture, 1), changed = 0;

	stepped.iova = size;
	expect_ok(format_map(fixture, size, format_phys(size), size, RW));
	read_dirty(fixture, size, size, true);
	step(&stepped, fixture);
	expect_ok(fixture->format->ops->protect(&fixture->pt, size, size, RW | IOMMU_NOEXEC,
						&fixture->gather, &changed));
	step_no_more(&stepped);
	assert_true(stepped.points > 0);
	expect_u64(read_dirty(fixture, size, size, false), 1);
}

static void look_up(struct stepped *stepped, enum dmasim_point point)
{
	(void)point;
	assert_true(
		stepped->fixture->format->ops->iova_to_phys(&stepped->fixture->pt, stepped->iova));
}

/*
 * Who looks up an address remembers the table that he came through. That one is on its way out: the
 * next call must not find it again, for by then it may be anything.
 */
static void a_lookup_while_tables_become_a_leaf_is_not_remembered(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pgtable_ops *ops = fixture->format->ops;
	struct stepped stepped = { .at_point = look_up, .iova = 2 * SZ_2M + SZ_4K };
	u64 fewer = 0;

	for (u64 at = 0; at < SZ_2M; at += SZ_4K)
		expect_ok(format_map(fixture, 2 * SZ_2M + at, 8 * SZ_2M + at, SZ_4K, RW));
	step(&stepped, fixture);
	expect_ok(ops->collapse(&fixture->pt, 2 * SZ_2M, SZ_2M, &fixture->gather, &fewer));
	step_no_more(&stepped);
	assert_true(stepped.points > 0);
	expect_u64(fewer, 511);
	expect_u64(format_release(fixture), 1);
	/* The leaf is found, and goes: not what was in the table. */
	expect_u64(ops->iova_to_phys(&fixture->pt, 2 * SZ_2M + SZ_4K), 8 * SZ_2M + SZ_4K);
	expect_u64(ops->unmap(&fixture->pt, 2 * SZ_2M + SZ_4K, SZ_4K, &fixture->gather), 0);
	expect_u64(ops->unmap(&fixture->pt, 2 * SZ_2M, SZ_4K, &fixture->gather), SZ_2M);
	expect_u64(ops->iova_to_phys(&fixture->pt, 2 * SZ_2M + SZ_4K), 0);
}

#define ON_WIDE(test) ON_FORMAT(armv8_s1_4k_lpa2, test), ON_FORMAT(armv8_s1_16k_lpa2, test)

TEST_MAIN(ON_FORMAT(amdv1_3, beyond_a_top_of_any_level_nothing_goes),
	  ON_FORMAT(vtdss_3, levels_that_never_come_reach_nothing),
	  ON_FORMAT(x86_64_4, levels_that_never_come_reach_nothing),
	  ON_FORMAT(riscv_39, levels_that_never_come_reach_nothing),
	  ON_FORMAT(riscv_39x4, levels_that_never_come_reach_nothing),
	  ON_FORMAT(armv8_s1_4k_3, levels_that_never_come_reach_nothing),
	  ON_FORMAT(armv8_s1_4k, an_address_is_no_wider_than_arm_has_it),
	  ON_FORMAT(armv8_s1_16k, an_address_is_no_wider_than_arm_has_it),
	  ON_FORMAT(armv8_s1_64k, an_address_is_no_wider_than_arm_has_it),
	  ON_FORMAT(armv8_s2_4k_lpa2, an_address_is_no_wider_than_arm_has_it),
	  ON_FORMAT(armv8_s2_16k_lpa2, an_address_is_no_wider_than_arm_has_it),
	  ON_WIDE(an_address_is_no_wider_than_arm_has_it),
	  ON_FORMAT(armv8_s1_16k_lpa2, leaves_of_64_gib_are_not_contiguous),
	  ON_WIDE(where_memory_is_says_nothing_of_how_it_is_cached),
	  ON_FORMAT(armv8_s2_4k_lpa2, where_memory_is_says_nothing_of_how_it_is_cached),
	  ON_FORMAT(amdv1_sizes, a_mark_that_comes_while_rights_change_stays),
	  ON_FORMAT(vtdss_4, a_mark_that_comes_while_rights_change_stays),
	  ON_FORMAT(armv8_s1_16k_bbm, a_mark_that_comes_while_rights_change_stays),
	  ON_FORMAT(vtdss_4, a_lookup_while_tables_become_a_leaf_is_not_remembered),
	  ON_FORMAT(riscv_39, a_lookup_while_tables_become_a_leaf_is_not_remembered))
