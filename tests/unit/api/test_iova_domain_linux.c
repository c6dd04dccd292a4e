/* SPDX-License-Identifier: MIT */
/*
 * What Linux's names do over Linux's allocator and no other: ranges that grow, caches whose ranges
 * are live to the tree, and what misuse does to both (facts "iova-and-page-tables" 1.1, 1.2,
 * "dma-api" 6.3, 6.5).
 */
#include "unit/api/iova_domain.h"

/*   before      [ 8  ]        what was reserved becomes part of what was there */
/*   after   [   16   ]                                                       */
static void a_range_grows_over_what_is_reserved_below_it(void **state)
{
	struct fixture *f = *state;
	struct iova *iova = must_alloc(f, 8, true);

	assert_ptr_equal(reserve_iova(&f->iovad, LAST - 15, LAST), iova);
	expect_u64(iova->pfn_lo, LAST - 15);
	expect_u64(iova->pfn_hi, LAST);
	expect_u64(records(f), 1);
	/* And with it that is freed. */
	__free_iova(&f->iovad, iova);
	expect_u64(must_alloc(f, 16, true)->pfn_lo, LAST - 15);
}

/*   before      [ b ]   [ a ]           each takes the gap below it, and the rest is */
/*   after   [   b   |   a   |  new ]    a range of its own                           */
static void reserving_across_ranges_makes_one_above_them(void **state)
{
	struct fixture *f = *state;
	struct iova *a, *b, *new;

	assert_non_null(reserve_iova(&f->iovad, LAST - 3, LAST));
	a = must_alloc(f, 4, true);
	assert_non_null(reserve_iova(&f->iovad, LAST - 11, LAST - 8));
	b = must_alloc(f, 4, true);
	free_iova(&f->iovad, LAST);
	free_iova(&f->iovad, LAST - 11);
	new = reserve_iova(&f->iovad, LAST - 19, LAST);
	assert_non_null(new);
	assert_true(new != a &&new != b);
	expect_u64(b->pfn_lo, LAST - 19);
	expect_u64(b->pfn_hi, LAST - 12);
	expect_u64(a->pfn_lo, LAST - 11);
	expect_u64(a->pfn_hi, LAST - 4);
	expect_u64(new->pfn_lo, LAST - 3);
	expect_u64(new->pfn_hi, LAST);
	expect_u64(records(f), 3);
}

/* To the tree it is live. */
static void a_range_in_a_cache_is_found(void **state)
{
	struct fixture *f = *state;
	struct iova *iova;
	dmasim_ulong pfn;

	expect_ok(iova_domain_init_rcaches(&f->iovad));
	pfn = alloc_iova_fast(&f->iovad, 3, LAST, true);
	iova = find_iova(&f->iovad, pfn + 3);
	assert_non_null(iova);
	expect_u64(iova_size(iova), 4);
	free_iova_fast(&f->iovad, pfn, 3);
	assert_ptr_equal(find_iova(&f->iovad, pfn), iova);
	assert_true(must_alloc(f, 4, true)->pfn_hi < pfn);
	expect_u64(alloc_iova_fast(&f->iovad, 4, LAST, true), pfn);
	assert_ptr_equal(find_iova(&f->iovad, pfn), iova);
}

/* A failure with a flush empties the caches: what was found there is gone. */
static void a_range_that_was_flushed_is_not_found(void **state)
{
	struct fixture *f = *state;
	dmasim_ulong pfn;

	expect_ok(iova_domain_init_rcaches(&f->iovad));
	for (u32 round = 0; round < 2; round++) {
		pfn = alloc_iova_fast(&f->iovad, 4, LAST, true);
		assert_non_null(find_iova(&f->iovad, pfn));
		free_iova_fast(&f->iovad, pfn, 4);
		expect_u64(alloc_iova_fast(&f->iovad, LAST + 1, LAST, true), 0);
		if (!round)
			assert_null(find_iova(&f->iovad, pfn + 1));
		else
			expect_u64(must_alloc(f, 4, true)->pfn_lo, pfn);
		expect_u64(records(f), round);
	}
}

/* A class is told by the size: the next of that class is not as long as it was asked for. */
static void a_range_freed_by_another_size_comes_back_for_that(void **state)
{
	struct fixture *f = *state;
	dmasim_ulong pfn;

	expect_ok(iova_domain_init_rcaches(&f->iovad));
	pfn = alloc_iova_fast(&f->iovad, 2, LAST, true);
	free_iova_fast(&f->iovad, pfn, 16);
	/* Of 16 pages it would end here. */
	expect_u64(alloc_iova_fast(&f->iovad, 16, pfn + 15, true), pfn);
	expect_u64(iova_size(find_iova(&f->iovad, pfn)), 2);
}

static void a_range_freed_twice_comes_back_twice(void **state)
{
	struct fixture *f = *state;
	dmasim_ulong pfn;

	expect_ok(iova_domain_init_rcaches(&f->iovad));
	pfn = alloc_iova_fast(&f->iovad, 2, LAST, true);
	free_iova_fast(&f->iovad, pfn, 2);
	free_iova_fast(&f->iovad, pfn, 2);
	expect_u64(alloc_iova_fast(&f->iovad, 2, LAST, true), pfn);
	expect_u64(alloc_iova_fast(&f->iovad, 2, LAST, true), pfn);
}

#define TEST(test) WITH(linux, test)

TEST_MAIN(TEST(a_range_grows_over_what_is_reserved_below_it),
	  TEST(reserving_across_ranges_makes_one_above_them), TEST(a_range_in_a_cache_is_found),
	  TEST(a_range_that_was_flushed_is_not_found),
	  TEST(a_range_freed_by_another_size_comes_back_for_that),
	  TEST(a_range_freed_twice_comes_back_twice))
