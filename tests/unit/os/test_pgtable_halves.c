/* SPDX-License-Identifier: MIT */
/*
 * Addresses that repeat their highest bit: two halves, and a hole between them that no table has
 * (facts "iova-and-page-tables" 2.3, 2.5; 6.6, 12).
 */
#include <errno.h>

#include "formats.h"

#define RW   (IOMMU_READ | IOMMU_WRITE)
#define PHYS 0x400000000ULL

static u64 half(const struct format_fixture *fixture)
{
	return 1ULL << format_width(fixture);
}

/* The first and the last page of both halves, side by side in no table but the top. */
static void both_halves_are_mapped(void **state)
{
	struct format_fixture *fixture = *state;
	const u64 at[] = { 0, half(fixture) - 4096, -half(fixture), -4096ULL };

	for (u64 i = 0; i < 4; i++)
		expect_ok(format_map(fixture, at[i], PHYS + i * 4096, 4096, RW));
	for (u64 i = 0; i < 4; i++)
		format_expect(fixture, at[i], PHYS + i * 4096, 4096, RW);
	for (u64 i = 0; i < 4; i++)
		expect_u64(format_unmap(fixture, at[i], 4096), 4096);
	for (u64 i = 0; i < 4; i++)
		format_expect_absent(fixture, at[i], 4096);
}

/* A range of many leaves up to the very last address. */
static void a_range_ends_with_the_last_address(void **state)
{
	struct format_fixture *fixture = *state;
	u64 bytes = 3 * (u64)SZ_2M + 5 * 4096;

	expect_ok(format_map(fixture, -bytes, PHYS + SZ_2M - 5 * 4096, bytes, RW));
	format_expect(fixture, -bytes, PHYS + SZ_2M - 5 * 4096, bytes, RW);
	expect_u64(format_unmap(fixture, -bytes, bytes), bytes);
	expect_u64(fixture->gather.start, -bytes);
	expect_u64(fixture->gather.last, ~0ULL);
	format_expect_absent(fixture, -bytes, 4096);
	format_expect_absent(fixture, -4096ULL, 4096);
}

static void the_hole_is_refused(void **state)
{
	struct format_fixture *fixture = *state;
	const u64 at[] = { half(fixture), half(fixture) << 1, -half(fixture) - 4096 };

	for (u64 i = 0; i < 3; i++) {
		expect_error(format_map(fixture, at[i], PHYS, 4096, RW), -ERANGE);
		expect_u64(format_unmap(fixture, at[i], 4096), 0);
		expect_u64(fixture->format->ops->iova_to_phys(&fixture->pt, at[i]), 0);
	}
}

/* Both ends are addresses, and what lies between them is none. */
static void a_range_across_the_hole_is_refused(void **state)
{
	struct format_fixture *fixture = *state;
	u64 start = half(fixture) - 4096, bytes = -2 * half(fixture) + 8192;

	expect_ok(format_map(fixture, start, PHYS, 4096, RW));
	expect_error(format_map(fixture, start, PHYS, bytes, RW), -ERANGE);
	expect_u64(format_unmap(fixture, start, bytes), 0);
	format_expect(fixture, start, PHYS, 4096, RW);
}

struct seen_halves {
	u64 leaves, first, last;
};

static bool see(void *cookie, const struct pgtable_leaf *leaf)
{
	struct seen_halves *seen = cookie;

	seen->first = seen->leaves++ ? seen->first : leaf->iova;
	seen->last = leaf->iova + ((1ULL << leaf->lg2) - 1);
	return true;
}

/* One after the other: what is asked of both at once is refused, whatever it is. */
static void each_half_is_gone_through_by_itself(void **state)
{
	struct format_fixture *fixture = *state;
	const struct pgtable_ops *ops = fixture->format->ops;
	u64 end = half(fixture), value = 0;
	struct seen_halves lower = { 0 }, upper = { 0 }, none = { 0 };

	expect_ok(format_map(fixture, end - 4096, PHYS, 4096, RW));
	expect_ok(format_map(fixture, 0, PHYS, 4096, RW));
	expect_ok(format_map(fixture, -end, PHYS, 4096, RW));
	expect_ok(format_map(fixture, -4096ULL, PHYS, 4096, RW));
	expect_ok(ops->iterate(&fixture->pt, 0, end, see, &lower));
	expect_u64(lower.leaves, 2);
	expect_u64(lower.first, 0);
	expect_u64(lower.last, end - 1);
	expect_ok(ops->iterate(&fixture->pt, -end, end, see, &upper));
	expect_u64(upper.leaves, 2);
	expect_u64(upper.first, -end);
	expect_u64(upper.last, ~0ULL);
	expect_error(ops->iterate(&fixture->pt, 0, ~0ULL, see, &none), -ERANGE);
	expect_error(ops->protect(&fixture->pt, end - 4096, -2 * end + 8192, RW, &fixture->gather,
				  &value),
		     -ERANGE);
	expect_error(
		ops->collapse(&fixture->pt, end - 4096, -2 * end + 8192, &fixture->gather, &value),
		-ERANGE);
	expect_u64(none.leaves + value, 0);
}

/* AMD's tables mean the same with and without PASID in their lower half alone. */
static void the_lower_half_alone(void **state)
{
	struct format_fixture *fixture = *state;

	fixture->pt.features |= PGTABLE_LOWER_HALF;
	expect_ok(format_map(fixture, half(fixture) - 4096, PHYS, 4096, RW));
	expect_error(format_map(fixture, -half(fixture), PHYS, 4096, RW), -ERANGE);
	expect_error(format_map(fixture, -4096ULL, PHYS, 4096, RW), -ERANGE);
}

TEST_MAIN(ON_SIGNED(both_halves_are_mapped), ON_SIGNED(a_range_ends_with_the_last_address),
	  ON_SIGNED(the_hole_is_refused), ON_SIGNED(a_range_across_the_hole_is_refused),
	  ON_SIGNED(each_half_is_gone_through_by_itself), ON_SIGNED(the_lower_half_alone))
