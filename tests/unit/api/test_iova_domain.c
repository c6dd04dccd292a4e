/* SPDX-License-Identifier: MIT */
/*
 * Linux's names for IOVA space (dmasim/iova-domain.h), over our allocators and over one that is the
 * program's own.
 */
#include "unit/api/iova_domain.h"

/* ---- struct iova ----------------------------------------------------------------------------- */

/*   |        [3][  5  ]|      from the limit down; aligned or not */
static void a_range_is_as_high_as_its_alignment_lets_it(void **state)
{
	struct fixture *f = *state;

	expect_u64(must_alloc(f, 5, false)->pfn_lo, LAST - 4);
	expect_u64(must_alloc(f, 3, false)->pfn_hi, LAST - 5);
	expect_u64(must_alloc(f, 5, true)->pfn_lo, LAST + 1 - 16);
	expect_u64(records(f), 3);
}

static void any_page_of_a_range_frees_it(void **state)
{
	struct fixture *f = *state;
	dmasim_ulong first = must_alloc(f, 100, true)->pfn_lo;

	free_iova(&f->iovad, first + 57);
	expect_u64(records(f), 0);
	expect_u64(must_alloc(f, 100, true)->pfn_lo, first);
}

static void freeing_what_is_free_is_nothing(void **state)
{
	struct fixture *f = *state;
	dmasim_ulong first;

	free_iova(&f->iovad, 7);
	first = must_alloc(f, 16, true)->pfn_lo;
	free_iova(&f->iovad, first - 1);
	free_iova(&f->iovad, 7);
	expect_u64(records(f), 1);
	assert_non_null(find_iova(&f->iovad, first + 15));
}

static void a_record_frees_its_range(void **state)
{
	struct fixture *f = *state;
	struct iova *iova = must_alloc(f, 16, true);

	__free_iova(&f->iovad, iova);
	expect_u64(records(f), 0);
	assert_null(find_iova(&f->iovad, LAST));
}

static void a_record_of_another_domain_is_reported(void **state)
{
	struct fixture *f = *state;
	struct iova_domain other;
	struct iova *iova;

	dmasim_iova_domain_init(f->s, &other, SZ_4K, 1);
	iova = alloc_iova(&other, 4, LAST, true);
	assert_non_null(iova);
	dmasim_expect(f->s, DMASIM_REPORT_KERNEL_MISUSE, 2);
	__free_iova(&f->iovad, iova);
	must_alloc(f, 4, true);
	__free_iova(&f->iovad, iova);
	assert_ptr_equal(find_iova(&other, LAST), iova);
	assert_non_null(find_iova(&f->iovad, LAST));
	put_iova_domain(&other);
	dmasim_assert_clean(f->s);
}

/* ---- Finding --------------------------------------------------------------------------------- */

static void a_range_has_one_record(void **state)
{
	struct fixture *f = *state;
	struct iova *iova = must_alloc(f, 8, true);

	for (dmasim_ulong pfn = iova->pfn_lo; pfn <= iova->pfn_hi; pfn++)
		assert_ptr_equal(find_iova(&f->iovad, pfn), iova);
	assert_null(find_iova(&f->iovad, iova->pfn_lo - 1));
	assert_null(find_iova(&f->iovad, iova->pfn_hi + 1));
	expect_u64(records(f), 1);
}

static void what_was_reserved_is_found_and_not_handed_out(void **state)
{
	struct fixture *f = *state;
	struct iova *iova = reserve_iova(&f->iovad, LAST - 15, LAST);

	assert_non_null(iova);
	expect_u64(iova->pfn_lo, LAST - 15);
	expect_u64(iova->pfn_hi, LAST);
	assert_ptr_equal(find_iova(&f->iovad, LAST - 3), iova);
	expect_u64(must_alloc(f, 1, true)->pfn_lo, LAST - 16);
	assert_ptr_equal(reserve_iova(&f->iovad, LAST - 15, LAST), iova);
	expect_u64(records(f), 2);
}

static void pages_that_no_address_has_are_not_reserved(void **state)
{
	struct fixture *f = *state;
	const dmasim_ulong last = (dmasim_ulong)(~0ULL >> 12);

	assert_non_null(reserve_iova(&f->iovad, last, last));
	dmasim_expect(f->s, DMASIM_REPORT_BAD_ARGUMENT, 3);
	assert_null(reserve_iova(&f->iovad, 1, last + 1));
	assert_null(reserve_iova(&f->iovad, last + 1, last + 5));
	assert_null(reserve_iova(&f->iovad, 5, 4));
	dmasim_assert_clean(f->s);
}

/* A range of the fast calls has no record until somebody asks. */
static void a_fast_range_is_found_too(void **state)
{
	struct fixture *f = *state;
	dmasim_ulong pfn = alloc_iova_fast(&f->iovad, 64, LAST, true);
	struct iova *iova;

	expect_u64(pfn, LAST + 1 - 64);
	expect_u64(records(f), 0);
	iova = find_iova(&f->iovad, pfn + 9);
	assert_non_null(iova);
	expect_u64(iova->pfn_lo, pfn);
	expect_u64(iova->pfn_hi, LAST);
	free_iova_fast(&f->iovad, pfn, 64);
	expect_u64(records(f), 0);
	assert_null(find_iova(&f->iovad, pfn + 9));
}

/* An allocator that does not tell its ranges cannot be asked for one that has no record. */
static void a_fast_range_is_not_found(void **state)
{
	struct fixture *f = *state;
	dmasim_ulong pfn = alloc_iova_fast(&f->iovad, 64, LAST, true);
	struct iova *iova = must_alloc(f, 4, true);

	assert_false(f->tells);
	assert_null(find_iova(&f->iovad, pfn));
	assert_ptr_equal(find_iova(&f->iovad, iova->pfn_hi), iova);
	/* Nor freed, but by the call that knows its size. */
	free_iova(&f->iovad, pfn);
	assert_true(alloc_iova_fast(&f->iovad, 64, LAST, true) != pfn);
	free_iova_fast(&f->iovad, pfn, 64);
	expect_u64(alloc_iova_fast(&f->iovad, 64, LAST, true), pfn);
}

/* ---- The fast calls -------------------------------------------------------------------------- */

static void use_the_fast_calls(struct fixture *f)
{
	dmasim_ulong pfn[10];

	for (u32 i = 0; i < 10; i++) {
		pfn[i] = alloc_iova_fast(&f->iovad, 3, LAST, true);
		expect_u64(pfn[i], LAST + 1 - 4 * (i + 1));
	}
	for (u32 i = 0; i < 10; i++)
		free_iova_fast(&f->iovad, pfn[i], 3);
	for (u32 i = 0; i < 10; i++) {
		dmasim_ulong again = alloc_iova_fast(&f->iovad, 3, LAST, true);

		assert_true(again <= LAST - 3 && again >= LAST + 1 - 40);
		expect_u64(again % 4, 0);
	}
	expect_u64(records(f), 0);
}

static void the_fast_calls_work_with_caches(void **state)
{
	struct fixture *f = *state;

	expect_ok(iova_domain_init_rcaches(&f->iovad));
	use_the_fast_calls(f);
}

static void the_fast_calls_work_without_caches(void **state)
{
	use_the_fast_calls(*state);
}

static void a_fast_call_that_finds_no_place_returns_0(void **state)
{
	struct fixture *f = *state;

	expect_ok(iova_domain_init_rcaches(&f->iovad));
	expect_u64(alloc_iova_fast(&f->iovad, 2, 2, false), 0);
	expect_u64(alloc_iova_fast(&f->iovad, 2, 2, true), 0);
	assert_null(alloc_iova(&f->iovad, 2, 2, true));
	expect_u64(alloc_iova_fast(&f->iovad, 1, 2, true), 2);
	expect_u64(records(f), 0);
}

/* ---- The domain ------------------------------------------------------------------------------ */

static void a_domain_says_its_bounds(void **state)
{
	struct fixture *f = *state;
	struct iova_domain iovad;

	expect_u64(f->iovad.granule, SZ_4K);
	expect_u64(f->iovad.start_pfn, 1);
	expect_u64(f->iovad.dma_32bit_pfn, 0x100000);
	dmasim_iova_domain_init(f->s, &iovad, 512, 9);
	expect_u64(iovad.dma_32bit_pfn, 1 << 23);
	expect_u64(alloc_iova_fast(&iovad, 1, 9, true), 9);
	assert_null(alloc_iova(&iovad, 1, 8, true));
	put_iova_domain(&iovad);
	expect_u64(iova_rcache_range(), 128 * SZ_1K);
}

static void pages_and_addresses_turn_into_each_other(void **state)
{
	struct fixture *f = *state;
	struct iova_domain iovad;
	struct iova iova = { .pfn_lo = 0x123456789, .pfn_hi = 0x123456789 };

	expect_u64(iova_shift(&f->iovad), 12);
	expect_u64(iova_mask(&f->iovad), 0xfff);
	expect_u64(iova_offset(&f->iovad, 0x123456789abcULL), 0xabc);
	expect_u64(iova_align(&f->iovad, 4097), 8192);
	expect_u64(iova_align(&f->iovad, 4096), 4096);
	expect_u64(iova_align(&f->iovad, 0), 0);
	expect_u64(iova_pfn(&f->iovad, 0x123456789abcULL), 0x123456789);
	expect_u64(iova_dma_addr(&f->iovad, &iova), 0x123456789000ULL);
	expect_u64(iova_size(&iova), 1);
	dmasim_iova_domain_init(f->s, &iovad, 2048, 1);
	expect_u64(iova_shift(&iovad), 11);
	expect_u64(iova_offset(&iovad, 0xfff), 0x7ff);
	expect_u64(iova_pfn(&iovad, 0xfff), 1);
}

static void domains_do_not_see_each_other(void **state)
{
	struct fixture *f = *state;
	struct iova_domain other;

	dmasim_iova_domain_init(f->s, &other, SZ_4K, 1);
	expect_u64(must_alloc(f, 4, true)->pfn_hi, LAST);
	assert_null(find_iova(&other, LAST));
	expect_u64(alloc_iova_fast(&other, 4, LAST, true), LAST - 3);
	put_iova_domain(&other);
	assert_non_null(find_iova(&f->iovad, LAST));
}

static void the_end_of_a_domain_frees_all(void **state)
{
	struct fixture *f = *state;
	u64 domains = dmasim_in_use(f->s, DMASIM_FAULT_IOVA_DOMAIN);
	u64 nodes = dmasim_in_use(f->s, DMASIM_FAULT_IOVA_NODE);

	expect_ok(iova_domain_init_rcaches(&f->iovad));
	for (u32 i = 1; i < 20; i++) {
		must_alloc(f, i, false);
		assert_true(alloc_iova_fast(&f->iovad, i, LAST, true));
	}
	free_iova_fast(&f->iovad, alloc_iova_fast(&f->iovad, 1, LAST, true), 1);
	assert_non_null(reserve_iova(&f->iovad, 5, 9));
	put_iova_domain(&f->iovad);
	expect_u64(records(f), 0);
	expect_u64(dmasim_in_use(f->s, DMASIM_FAULT_IOVA_DOMAIN), domains);
	expect_u64(dmasim_in_use(f->s, DMASIM_FAULT_IOVA_NODE), nodes);
	/* There is nothing more to end, and nothing to free. */
	put_iova_domain(&f->iovad);
	free_iova(&f->iovad, 5);
	free_iova_fast(&f->iovad, 5, 1);
}

static void a_domain_that_is_not_ended_is_a_leak(void **state)
{
	struct dmasim *s = dmasim_create(NULL);
	struct iova_domain iovad;

	(void)state;
	dmasim_iova_domain_init(s, &iovad, SZ_4K, 1);
	assert_non_null(alloc_iova(&iovad, 1, LAST, true));
	assert_true(dmasim_destroy(s) > 0);
}

/* Linux stops there. */
static void a_granule_that_cannot_be_is_reported(void **state)
{
	static const dmasim_ulong granules[] = { 0, 3, 4095, 4097, 8192 };
	struct fixture *f = *state;

	dmasim_expect(f->s, DMASIM_REPORT_KERNEL_MISUSE, 5);
	for (u32 i = 0; i < 5; i++) {
		struct iova_domain iovad;

		dmasim_iova_domain_init(f->s, &iovad, granules[i], 1);
		assert_null(alloc_iova(&iovad, 1, LAST, true));
		expect_u64(alloc_iova_fast(&iovad, 1, LAST, true), 0);
		assert_null(reserve_iova(&iovad, 1, 2));
		assert_null(find_iova(&iovad, 1));
		free_iova(&iovad, 1);
		free_iova_fast(&iovad, 1, 1);
		expect_error(iova_domain_init_rcaches(&iovad), -ENOMEM);
		put_iova_domain(&iovad);
	}
	dmasim_assert_clean(f->s);
}

static void no_pages_are_reported(void **state)
{
	struct fixture *f = *state;

	dmasim_expect(f->s, DMASIM_REPORT_KERNEL_MISUSE, 2);
	assert_null(alloc_iova(&f->iovad, 0, LAST, true));
	expect_u64(alloc_iova_fast(&f->iovad, 0, LAST, true), 0);
	dmasim_assert_clean(f->s);
}

/* ---- Without memory -------------------------------------------------------------------------- */

/* Every call once; true if all went well. */
static bool every_call(struct iova_domain *iovad, bool tells)
{
	bool well = !iova_domain_init_rcaches(iovad);
	struct iova *iova = alloc_iova(iovad, 4, LAST, true);
	dmasim_ulong pfn = alloc_iova_fast(iovad, 64, LAST, true);

	well &= iova && pfn && reserve_iova(iovad, 5, 9);
	well &= find_iova(iovad, LAST) && (!pfn || !tells || find_iova(iovad, pfn + 1));
	free_iova_fast(iovad, pfn, 64);
	if (iova)
		__free_iova(iovad, iova);
	free_iova(iovad, 7);
	return well;
}

/* Each allocation in turn fails: then one of the calls does, and what is free stays so. */
static void every_failure_of_memory_is_told(void **state)
{
	struct fixture *f = *state;
	u32 nth = 0;
	bool well;

	do {
		struct iova_domain iovad;

		dmasim_iova_domain_init(f->s, &iovad, SZ_4K, 1);
		dmasim_fail(f->s, DMASIM_FAULT_ANY, ++nth);
		well = every_call(&iovad, f->tells);
		assert_int_equal(well, !dmasim_failures(f->s));
		dmasim_fail(f->s, DMASIM_FAULT_ANY, 0);
		assert_true(every_call(&iovad, f->tells));
		put_iova_domain(&iovad);
		expect_u64(records(f), 0);
	} while (!well);
	assert_true(nth > 3);
}

/* ---- An allocator that serves a part of the space -------------------------------------------- */

static struct iova_allocator *narrow_create(const struct iova_allocator_config *config)
{
	expect_u64(config->last_pfn, LAST);
	return plain_create(config);
}

static u64 narrow_alloc(struct iova_allocator *a, u64 pages, u64 limit_pfn, u32 how)
{
	assert_in_range(limit_pfn, 0, LAST);
	return plain_alloc(a, pages, limit_pfn, how);
}

/* dmasim/iova.h: no last_pfn is above max_pfn, no limit above last_pfn. */
static void what_an_allocator_does_not_serve_is_not_asked_for(void **state)
{
	struct iova_allocator_ops ops = plain_iova;
	struct iova_domain iovad;
	struct dmasim *s;

	(void)state;
	ops.max_pfn = LAST;
	ops.create = narrow_create;
	ops.alloc = narrow_alloc;
	s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .iova_ops = &ops });
	assert_non_null(s);
	dmasim_iova_domain_init(s, &iovad, SZ_4K, 1);
	assert_non_null(alloc_iova(&iovad, 2, ~0UL, true));
	assert_true(alloc_iova_fast(&iovad, 2, ~0UL >> 12, true));
	put_iova_domain(&iovad);
	expect_u64(dmasim_destroy(s), 0);
}

#define ON_ALL(test) WITH(linux, test), WITH(exact, test), WITH(bitmap, test), WITH(own, test)

TEST_MAIN(ON_ALL(a_range_is_as_high_as_its_alignment_lets_it), ON_ALL(any_page_of_a_range_frees_it),
	  ON_ALL(freeing_what_is_free_is_nothing), ON_ALL(a_record_frees_its_range),
	  ON_ALL(a_record_of_another_domain_is_reported), ON_ALL(a_range_has_one_record),
	  ON_ALL(what_was_reserved_is_found_and_not_handed_out),
	  ON_ALL(pages_that_no_address_has_are_not_reserved),
	  WITH(linux, a_fast_range_is_found_too), WITH(exact, a_fast_range_is_found_too),
	  WITH(own, a_fast_range_is_found_too), WITH(bitmap, a_fast_range_is_not_found),

	  ON_ALL(the_fast_calls_work_with_caches), ON_ALL(the_fast_calls_work_without_caches),
	  ON_ALL(a_fast_call_that_finds_no_place_returns_0), ON_ALL(a_domain_says_its_bounds),
	  ON_ALL(pages_and_addresses_turn_into_each_other), ON_ALL(domains_do_not_see_each_other),
	  ON_ALL(the_end_of_a_domain_frees_all), ON_ALL(a_domain_that_is_not_ended_is_a_leak),
	  ON_ALL(a_granule_that_cannot_be_is_reported), ON_ALL(no_pages_are_reported),
	  cmocka_unit_test(what_an_allocator_does_not_serve_is_not_asked_for),
	  ON_ALL(every_failure_of_memory_is_told))
