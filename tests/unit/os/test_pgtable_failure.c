/* SPDX-License-Identifier: MIT */
/*
 * Tables without memory: every allocation behind a map fails in turn. What was done is counted, can
 * be taken back, and the same map works afterwards. Tear-down looks for tables that were lost.
 */
#include "formats.h"

#include <errno.h>

#define RW   (IOMMU_READ | IOMMU_WRITE)
#define PHYS 0x400000000ULL

/* What a map needs: small pages of three tables, with larger leaves in between. */
struct plan {
	u64 iova;
	phys_addr_t phys;
	u64 bytes;
};

static struct plan plan_of(const struct format_fixture *fixture)
{
	u64 page = 1ULL << format_size_lg2(fixture, 0);
	u64 large = 1ULL << format_size_lg2(fixture, 1);
	u64 border = page << (fixture->format->index_lg2 * (fixture->pt.levels - 1));

	return (struct plan){ .iova = 3 * border - large - 2 * page,
			      .phys = PHYS + large - 2 * page,
			      .bytes = 2 * page + 3 * large + 5 * page };
}

static void check_undone(struct format_fixture *fixture, const struct plan *plan)
{
	u64 granule = 1ULL << fixture->format->granule_lg2;

	format_expect(fixture, plan->iova, plan->phys, fixture->mapped, RW);
	format_expect_absent(fixture, plan->iova + fixture->mapped, granule);
	expect_u64(format_unmap(fixture, plan->iova, fixture->mapped), fixture->mapped);
	expect_u64(format_leaves(fixture).all, 0);
}

/* From the first allocation of the point to the last; returns how many there were. */
static u64 sweep(struct format_fixture *fixture, enum dmasim_fault_point point)
{
	const struct plan plan = plan_of(fixture);
	u64 nth = 0, last_mapped = 0;
	int err = -ENOMEM;

	while (err) {
		/* Empty again, without the tables that earlier rounds made. */
		fixture->format->ops->fini(&fixture->pt);
		expect_u64(format_tables(fixture), 0);
		expect_ok(fixture->format->ops->init(&fixture->pt, &fixture->config));
		dmasim_fail(fixture->s, point, ++nth);
		err = format_map(fixture, plan.iova, plan.phys, plan.bytes, RW);
		expect_error(err, dmasim_failures(fixture->s) ? -ENOMEM : 0);
		dmasim_fail(fixture->s, point, 0);
		assert_true(fixture->mapped >= last_mapped);
		last_mapped = fixture->mapped;
		if (!err)
			break;
		assert_true(fixture->mapped < plan.bytes);
		check_undone(fixture, &plan);
		expect_ok(format_map(fixture, plan.iova, plan.phys, plan.bytes, RW));
		expect_u64(fixture->mapped, plan.bytes);
		format_expect(fixture, plan.iova, plan.phys, plan.bytes, RW);
		expect_u64(format_unmap(fixture, plan.iova, plan.bytes), plan.bytes);
		format_release(fixture);
	}
	expect_u64(fixture->mapped, plan.bytes);
	return nth - 1;
}

/* Two branches from the top down to the pages. */
static void a_map_without_a_table_page_can_be_taken_back_and_repeated(void **state)
{
	struct format_fixture *fixture = *state;

	expect_u64(sweep(fixture, DMASIM_FAULT_TABLE_PAGE), 2 * (fixture->pt.levels - 1));
}

static void whatever_allocation_fails_it_is_ENOMEM_and_nothing_is_lost(void **state)
{
	struct format_fixture *fixture = *state;

	assert_true(sweep(fixture, DMASIM_FAULT_ANY) >= 2U * (fixture->pt.levels - 1));
}

static void a_table_without_memory_is_not_made(void **state)
{
	struct format_fixture *fixture = *state;
	struct pgtable pt;
	u64 nth = 0;
	int err;

	do {
		dmasim_fail(fixture->s, DMASIM_FAULT_ANY, ++nth);
		err = fixture->format->ops->init(&pt, &fixture->config);
		expect_error(err, dmasim_failures(fixture->s) ? -ENOMEM : 0);
		expect_u64(format_tables(fixture), err ? 1 : 2);
	} while (err);
	dmasim_fail(fixture->s, DMASIM_FAULT_ANY, 0);
	assert_true(nth > 1);
	fixture->format->ops->fini(&pt);
}

/* Unmapping allocates nothing: it can be relied on when memory is short. */
static void an_unmap_needs_no_memory(void **state)
{
	struct format_fixture *fixture = *state;
	const struct plan plan = plan_of(fixture);
	u64 passes;

	expect_ok(format_map(fixture, plan.iova, plan.phys, plan.bytes, RW));
	passes = dmasim_fault_passes(fixture->s, DMASIM_FAULT_ANY);
	expect_u64(format_unmap(fixture, plan.iova, plan.bytes), plan.bytes);
	expect_u64(dmasim_fault_passes(fixture->s, DMASIM_FAULT_ANY), passes);
}

/* Large enough to be cut, and few enough tables to fail one after the other. */
static u8 size_to_cut(const struct format_fixture *fixture, u32 index)
{
	u8 lg2 = format_size_lg2(fixture, index);
	u8 most = fixture->format->granule_lg2 + 2 * fixture->format->index_lg2;

	return lg2 <= most && lg2 <= 30 ? lg2 : 0;
}

/* One leaf of this size is cut where its second page begins; nth: the allocation that fails. */
static int cut_one(struct format_fixture *fixture, u8 lg2, u64 nth)
{
	u64 page = 1ULL << fixture->format->granule_lg2, size = 1ULL << lg2;
	phys_addr_t phys = format_phys(size);
	int err;

	expect_ok(format_map(fixture, size, phys, size, RW));
	expect_u64(format_leaves(fixture).all, 1);
	dmasim_fail(fixture->s, DMASIM_FAULT_TABLE_PAGE, nth);
	err = fixture->format->ops->cut(&fixture->pt, size + page, &fixture->gather);
	dmasim_fail(fixture->s, DMASIM_FAULT_TABLE_PAGE, 0);
	format_expect(fixture, size, phys, page, RW);
	format_expect(fixture, size + page, phys + page, page, RW);
	format_expect(fixture, size + size / 2, phys + size / 2, page, RW);
	format_expect(fixture, 2 * size - page, phys + size - page, page, RW);
	return err;
}

/* Every address leads where it did, whatever fails; one unmap takes it all; no page is lost. */
static void a_cut_without_memory_loses_nothing(void **state)
{
	struct format_fixture *fixture = *state;
	u64 tables = format_tables(fixture), failures = 0;

	for (u32 index = 1; size_to_cut(fixture, index); index++) {
		u8 lg2 = size_to_cut(fixture, index);
		u64 nth = 0;
		int err;

		do {
			/* The first few, and then ever further. */
			nth += 1 + nth / 8;
			err = cut_one(fixture, lg2, nth);
			assert_true(err == 0 || err == -ENOMEM || err == -EOPNOTSUPP);
			failures += err == -ENOMEM;
			expect_u64(format_unmap(fixture, 1ULL << lg2, 1ULL << lg2), 1ULL << lg2);
			expect_u64(format_leaves(fixture).all, 0);
			format_release(fixture);
			fixture->format->ops->fini(&fixture->pt);
			expect_ok(fixture->format->ops->init(&fixture->pt, &fixture->config));
			expect_u64(format_tables(fixture), tables);
		} while (err == -ENOMEM);
		if (err == -EOPNOTSUPP)
			return;
	}
	assert_true(failures);
}

TEST_MAIN(ON_EVERY_FORMAT_AND_SIZE(a_cut_without_memory_loses_nothing),
	  ON_MORE_CONFIGURATIONS(a_cut_without_memory_loses_nothing),
	  ON_EVERY_FORMAT_AND_SIZE(a_map_without_a_table_page_can_be_taken_back_and_repeated),
	  ON_EVERY_FORMAT_AND_SIZE(whatever_allocation_fails_it_is_ENOMEM_and_nothing_is_lost),
	  ON_EVERY_FORMAT_AND_SIZE(a_table_without_memory_is_not_made),
	  ON_EVERY_FORMAT_AND_SIZE(an_unmap_needs_no_memory))
