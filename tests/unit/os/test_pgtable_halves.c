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
	  ON_SIGNED(the_lower_half_alone))
