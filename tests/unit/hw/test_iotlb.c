/* SPDX-License-Identifier: MIT */
/*
 * The translation cache: what it keeps, what it gives up, what invalidations take away.
 */
#include "support/expect.h"

#include <errno.h>
#include <stdlib.h>

#include "hw/iotlb.h"

#define PAGE_4K 12
#define PAGE_2M 21
#define PAGE_1G 30

struct fixture {
	struct world world;
	struct iotlb iotlb;
};

/* One set of four ways: everything competes with everything. */
static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	world_init(&fixture->world, &(struct world_config){ .seed = test_seed(1) });
	*state = fixture;
	return iotlb_init(&fixture->iotlb, &fixture->world, IOTLB_WAYS, IOTLB_WAYS);
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	u64 left;

	iotlb_fini(&fixture->iotlb);
	left = fixture->world.memory.live[DMASIM_FAULT_IOMMU_UNIT];
	world_fini(&fixture->world);
	free(fixture);
	return left ? -1 : 0;
}

static void reshape(struct fixture *fixture, u32 entries, u32 ways)
{
	iotlb_fini(&fixture->iotlb);
	expect_ok(iotlb_init(&fixture->iotlb, &fixture->world, entries, ways));
}

static void resize(struct fixture *fixture, u32 entries)
{
	reshape(fixture, entries, IOTLB_WAYS);
}

/* The page of the address, translated to itself plus a number of the domain's. */
static void fill(struct fixture *fixture, u16 domain, u64 iova, u8 page_lg2)
{
	iotlb_fill(&fixture->iotlb,
		   &(struct iotlb_entry){
			   .page = iova >> page_lg2,
			   .phys = ((iova >> page_lg2) << page_lg2) + ((u64)domain << 40),
			   .tag = iotlb_tag(domain),
			   .page_lg2 = page_lg2,
			   .read = true,
			   .write = domain & 1,
		   });
}

static const struct iotlb_entry *find(struct fixture *fixture, u16 domain, u64 iova)
{
	return iotlb_find(&fixture->iotlb, domain, iova);
}

static bool holds(struct fixture *fixture, u16 domain, u64 iova)
{
	return find(fixture, domain, iova) != NULL;
}

static void an_empty_cache_has_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_null(find(fixture, 0, 0));
	assert_null(find(fixture, 1, ~0ULL));
}

static void what_was_filled_is_found_for_the_whole_page(void **state)
{
	static const u8 sizes[] = { PAGE_4K, PAGE_2M, PAGE_1G };
	struct fixture *fixture = *state;

	for (u16 i = 0; i < 3; i++) {
		u64 bytes = 1ULL << sizes[i], start = 5 * bytes;
		const struct iotlb_entry *entry;

		resize(fixture, IOTLB_WAYS);
		fill(fixture, 3, start + bytes / 2, sizes[i]);
		assert_null(find(fixture, 3, start - 1));
		assert_null(find(fixture, 3, start + bytes));
		assert_non_null(find(fixture, 3, start + bytes - 1));
		entry = find(fixture, 3, start);
		assert_non_null(entry);
		expect_u64(entry->page, 5);
		expect_u64(entry->page_lg2, sizes[i]);
		expect_u64(entry->phys, start + (3ULL << 40));
		assert_true(entry->read && entry->write);
	}
}

static void domains_do_not_see_each_others_translations(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture, 1, 0x5000, PAGE_4K);
	assert_null(find(fixture, 2, 0x5000));
	fill(fixture, 2, 0x5000, PAGE_4K);
	expect_u64(find(fixture, 1, 0x5000)->phys, 0x5000 + (1ULL << 40));
	expect_u64(find(fixture, 2, 0x5000)->phys, 0x5000 + (2ULL << 40));
}

/* The page number of a large page may be the same as that of a small one elsewhere. */
static void sizes_are_told_apart(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture, 1, 7ULL << PAGE_2M, PAGE_2M);
	assert_null(find(fixture, 1, 7ULL << PAGE_4K));
	fill(fixture, 1, 7ULL << PAGE_4K, PAGE_4K);
	expect_u64(find(fixture, 1, 7ULL << PAGE_4K)->page_lg2, PAGE_4K);
	expect_u64(find(fixture, 1, 7ULL << PAGE_2M)->page_lg2, PAGE_2M);
}

/* a b c d fill the set; using a and c leaves b as the one that was not used for longest. */
static void the_least_recently_used_entry_is_replaced(void **state)
{
	struct fixture *fixture = *state;

	for (u64 page = 1; page <= 4; page++)
		fill(fixture, 1, page << PAGE_4K, PAGE_4K);
	find(fixture, 1, 1ULL << PAGE_4K);
	find(fixture, 1, 3ULL << PAGE_4K);
	fill(fixture, 1, 5ULL << PAGE_4K, PAGE_4K);
	assert_false(holds(fixture, 1, 2ULL << PAGE_4K));
	fill(fixture, 1, 6ULL << PAGE_4K, PAGE_4K);
	assert_false(holds(fixture, 1, 4ULL << PAGE_4K));
	assert_true(holds(fixture, 1, 1ULL << PAGE_4K));
	assert_true(holds(fixture, 1, 3ULL << PAGE_4K));
	assert_true(holds(fixture, 1, 5ULL << PAGE_4K));
	assert_true(holds(fixture, 1, 6ULL << PAGE_4K));
}

/* A miss is not a use, and neither is a fill of another page. */
static void only_a_hit_counts_as_a_use(void **state)
{
	struct fixture *fixture = *state;

	for (u64 page = 1; page <= 4; page++)
		fill(fixture, 1, page << PAGE_4K, PAGE_4K);
	find(fixture, 1, 1ULL << PAGE_4K);
	find(fixture, 2, 2ULL << PAGE_4K);
	fill(fixture, 1, 5ULL << PAGE_4K, PAGE_4K);
	assert_false(holds(fixture, 1, 2ULL << PAGE_4K));
	assert_true(holds(fixture, 1, 1ULL << PAGE_4K));
}

static void a_way_that_was_invalidated_is_filled_before_another_is_given_up(void **state)
{
	struct fixture *fixture = *state;

	for (u64 page = 1; page <= 4; page++)
		fill(fixture, 1, page << PAGE_4K, PAGE_4K);
	iotlb_invalidate_range(&fixture->iotlb, 1, 3ULL << PAGE_4K, 3ULL << PAGE_4K);
	fill(fixture, 1, 9ULL << PAGE_4K, PAGE_4K);
	assert_true(holds(fixture, 1, 1ULL << PAGE_4K));
	assert_true(holds(fixture, 1, 2ULL << PAGE_4K));
	assert_true(holds(fixture, 1, 4ULL << PAGE_4K));
	assert_true(holds(fixture, 1, 9ULL << PAGE_4K));
}

/* With random choices any of the four may go, so that software cannot rely on the order. */
static void which_way_is_replaced_is_a_choice_of_the_hardware(void **state)
{
	struct fixture *fixture = *state;
	u32 gone = 0;

	fixture->world.random_choices = true;
	for (int n = 0; n < 200; n++) {
		iotlb_invalidate_all(&fixture->iotlb);
		for (u64 page = 1; page <= 5; page++)
			fill(fixture, 1, page << PAGE_4K, PAGE_4K);
		assert_true(holds(fixture, 1, 5ULL << PAGE_4K));
		for (u64 page = 1; page <= 4; page++)
			gone |= holds(fixture, 1, page << PAGE_4K) ? 0 : 1U << page;
	}
	expect_u64(gone, 0x1e);
}

/* 64 entries hold 64 consecutive pages: they spread over the sets. */
static void consecutive_pages_use_the_whole_cache(void **state)
{
	struct fixture *fixture = *state;

	resize(fixture, 64);
	for (u64 page = 0; page < 64; page++)
		fill(fixture, 1, (100 + page) << PAGE_4K, PAGE_4K);
	for (u64 page = 0; page < 64; page++)
		assert_true(holds(fixture, 1, (100 + page) << PAGE_4K));
	fill(fixture, 1, 164ULL << PAGE_4K, PAGE_4K);
	assert_false(holds(fixture, 1, 100ULL << PAGE_4K));
}

static void sizes_are_rounded_up(void **state)
{
	static const u32 row[][2] = {
		{ 0, 1 }, { 1, 1 }, { 4, 1 }, { 5, 2 }, { 9, 4 }, { 64, 16 }
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		resize(fixture, row[i][0]);
		expect_u64(fixture->iotlb.sets, row[i][1]);
	}
	memory_fail(&fixture->world.memory, (struct memory_plan){ DMASIM_FAULT_IOMMU_UNIT, 1 });
	iotlb_fini(&fixture->iotlb);
	expect_error(iotlb_init(&fixture->iotlb, &fixture->world, 64, 4), -ENOMEM);
	/* Nobody has that much memory; it ends all the same, and wraps to nothing small. */
	memory_fail(&fixture->world.memory, (struct memory_plan){ DMASIM_FAULT_IOMMU_UNIT, 1 });
	expect_error(iotlb_init(&fixture->iotlb, &fixture->world, ~0U, 4), -ENOMEM);
	expect_u64(fixture->iotlb.sets, 1U << 30);
}

/* Consecutive pages of as many entries all stay, in any shape; the next one takes the oldest. */
static void any_number_of_ways_holds_as_many_pages(void **state)
{
	static const u32 shape[][3] = {
		{ 64, 1, 64 }, { 64, 2, 32 }, { 64, 16, 4 }, { 64, 64, 1 },
		{ 48, 3, 16 }, { 1, 1, 1 },   { 7, 7, 1 },   { 65536, 8, 8192 },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		u64 first = 0x100000;

		reshape(fixture, shape[i][0], shape[i][1]);
		expect_u64(fixture->iotlb.sets, shape[i][2]);
		for (u64 page = 0; page < shape[i][0]; page++)
			fill(fixture, 1, (first + page) << PAGE_4K, PAGE_4K);
		for (u64 page = 0; page < shape[i][0]; page++)
			assert_true(holds(fixture, 1, (first + page) << PAGE_4K));
		fill(fixture, 1, (first + shape[i][0]) << PAGE_4K, PAGE_4K);
		assert_true(holds(fixture, 1, (first + shape[i][0]) << PAGE_4K));
		assert_false(holds(fixture, 1, first << PAGE_4K));
	}
}

/* ---- Invalidation ---------------------------------------------------------------------------- */

/*   | 0fff | 1000 1fff | 2000 2fff | 3000      a range takes the pages it touches with one byte */
static void a_range_takes_every_page_that_it_touches(void **state)
{
	static const struct {
		u64 start, last;
		u32 left; /* bit n: page n stays */
	} row[] = {
		{ 0x1000, 0x1fff, 0xd }, { 0x1fff, 0x2000, 0x9 }, { 0x1000, 0x1000, 0xd },
		{ 0x0000, 0x3fff, 0x0 }, { 0x2fff, 0x2fff, 0xb }, { 0x4000, 0x9fff, 0xf },
		{ 0x3fff, ~0ULL, 0x7 },	 { 0, ~0ULL, 0x0 },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		u32 left = 0;

		for (u64 page = 0; page < 4; page++)
			fill(fixture, 1, page << PAGE_4K, PAGE_4K);
		iotlb_invalidate_range(&fixture->iotlb, 1, row[i].start, row[i].last);
		for (u64 page = 0; page < 4; page++)
			left |= holds(fixture, 1, page << PAGE_4K) ? 1U << page : 0;
		expect_u64(left, row[i].left);
		iotlb_invalidate_all(&fixture->iotlb);
	}
}

/* More pages than the cache has entries: it is swept, and one byte of a page is still enough. */
static void a_long_range_takes_what_it_touches_with_one_byte(void **state)
{
	static const struct {
		u64 start, last;
		bool left;
	} row[] = {
		{ 0, 0x800000, false },	       { 0, 0x7fffff, true },
		{ 0x800fff, ~0ULL, false },    { 0x801000, ~0ULL, true },
		{ 0x800800, 0xffffff, false }, { 0, ~0ULL, false },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		fill(fixture, 1, 0x800000, PAGE_4K);
		fill(fixture, 2, 0x800000, PAGE_4K);
		iotlb_invalidate_range(&fixture->iotlb, 1, row[i].start, row[i].last);
		assert_int_equal(holds(fixture, 1, 0x800000), row[i].left);
		assert_true(holds(fixture, 2, 0x800000));
		iotlb_invalidate_all(&fixture->iotlb);
	}
}

/*   2M page  |----------------|
 *   range          |-|            one 4 KiB page inside drops the whole entry */
static void one_small_page_drops_the_large_page_around_it(void **state)
{
	static const u8 sizes[] = { PAGE_2M, PAGE_1G };
	struct fixture *fixture = *state;

	for (int i = 0; i < 2; i++) {
		u64 bytes = 1ULL << sizes[i], start = 3 * bytes;
		const u64 inside[] = { start, start + 0x5000, start + bytes - 0x1000 };
		const u64 outside[] = { start - 0x1000, start + bytes };

		for (int n = 0; n < 2; n++) {
			fill(fixture, 1, start, sizes[i]);
			iotlb_invalidate_range(&fixture->iotlb, 1, outside[n], outside[n] + 0xfff);
			assert_true(holds(fixture, 1, start));
			iotlb_invalidate_all(&fixture->iotlb);
		}
		for (int n = 0; n < 3; n++) {
			fill(fixture, 1, start, sizes[i]);
			iotlb_invalidate_range(&fixture->iotlb, 1, inside[n], inside[n] + 0xfff);
			assert_false(holds(fixture, 1, start));
		}
	}
}

static void a_range_takes_nothing_of_other_domains(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture, 1, 0x1000, PAGE_4K);
	fill(fixture, 2, 0x1000, PAGE_4K);
	fill(fixture, 2, 0, PAGE_1G);
	iotlb_invalidate_range(&fixture->iotlb, 1, 0, ~0ULL);
	assert_false(holds(fixture, 1, 0x1000));
	expect_u64(find(fixture, 2, 0x1000)->page_lg2, PAGE_4K);
	iotlb_invalidate_range(&fixture->iotlb, 2, 0x1000, 0x1fff);
	assert_false(holds(fixture, 2, 0x1000));
}

static void a_domain_goes_as_a_whole_and_alone(void **state)
{
	struct fixture *fixture = *state;

	fill(fixture, 1, 0x1000, PAGE_4K);
	fill(fixture, 1, 5ULL << PAGE_1G, PAGE_1G);
	fill(fixture, 2, 0x1000, PAGE_4K);
	fill(fixture, 0x101, 0x1000, PAGE_4K);
	iotlb_invalidate_domain(&fixture->iotlb, 1);
	assert_false(holds(fixture, 1, 0x1000));
	assert_false(holds(fixture, 1, 5ULL << PAGE_1G));
	assert_true(holds(fixture, 2, 0x1000));
	assert_true(holds(fixture, 0x101, 0x1000));
}

/* The same domain with PASID 5, as the tag is laid out. */
static u64 with_pasid(u16 domain)
{
	return iotlb_tag(domain) | 1ULL << 36 | 5ULL << 16;
}

static void fill_tag(struct fixture *fixture, u64 tag, u64 iova)
{
	iotlb_fill(&fixture->iotlb,
		   &(struct iotlb_entry){ .tag = tag, .page = iova >> 12, .page_lg2 = 12 });
}

/* PASID 0 is not the same as none. */
static void a_pasid_has_its_own_translations(void **state)
{
	struct fixture *fixture = *state;
	const u64 tags[] = { iotlb_tag(7), iotlb_tag(7) | 1ULL << 36, with_pasid(7),
			     with_pasid(8) };

	for (int i = 0; i < 4; i++) {
		assert_null(iotlb_find(&fixture->iotlb, tags[i], 0x1000));
		fill_tag(fixture, tags[i], 0x1000);
	}
	iotlb_invalidate_range(&fixture->iotlb, tags[1], 0x1000, 0x1fff);
	for (int i = 0; i < 4; i++)
		assert_int_equal(iotlb_find(&fixture->iotlb, tags[i], 0x1000) != NULL, i != 1);
	/* A window of everything is all that one PASID has. */
	iotlb_invalidate_range(&fixture->iotlb, tags[2], 0, ~0ULL);
	for (int i = 0; i < 4; i++)
		assert_int_equal(iotlb_find(&fixture->iotlb, tags[i], 0x1000) != NULL,
				 i == 0 || i == 3);
	fill_tag(fixture, tags[2], 0x1000);
	iotlb_invalidate_domain(&fixture->iotlb, 7);
	for (int i = 0; i < 4; i++)
		assert_int_equal(iotlb_find(&fixture->iotlb, tags[i], 0x1000) != NULL, i == 3);
}

/*   2M page  |----------------|     larger than the window: stays
 *   window         |---|            4 KiB pages inside: gone */
static void pages_larger_than_asked_for_may_stay(void **state)
{
	static const struct {
		u8 page_lg2_max;
		bool small_left, large_left;
	} row[] = {
		{ 11, true, true },   { 12, false, true },  { 20, false, true },
		{ 21, false, false }, { 63, false, false },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		/* By page, and by what the domain has: more pages than there are entries. */
		for (u64 pages = 1; pages <= 512; pages *= 512) {
			fill(fixture, 1, 0x205000, PAGE_4K);
			fill(fixture, 1, 0x200000, PAGE_2M);
			iotlb_invalidate_small_pages(&fixture->iotlb, 1, 0x205000,
						     0x205000 + pages * 0x1000 - 1,
						     row[i].page_lg2_max);
			expect_u64(fixture->iotlb.count[PAGE_4K], row[i].small_left);
			expect_u64(fixture->iotlb.count[PAGE_2M], row[i].large_left);
			iotlb_invalidate_all(&fixture->iotlb);
		}
	}
}

/* Domain 1 has eleven entries of many; the others have no part in what happens to it. */
static void a_domain_costs_what_it_has_and_everything_what_is_there(void **state)
{
	struct fixture *fixture = *state;
	struct iotlb *iotlb = &fixture->iotlb;

	resize(fixture, 65536);
	for (u64 page = 0; page < 32768; page++)
		fill(fixture, 2, page << PAGE_4K, PAGE_4K);
	for (int round = 0; round < 2; round++) {
		u64 before = iotlb->compared;

		for (u64 page = 0; page < 11; page++)
			fill(fixture, 1, page << PAGE_4K, PAGE_4K);
		iotlb_invalidate_domain(iotlb, 3);
		expect_u64(iotlb->compared - before, 0);
		if (round)
			iotlb_invalidate_domain(iotlb, 1);
		else
			iotlb_invalidate_range(iotlb, 1, 0, ~0ULL);
		expect_u64(iotlb->compared - before, 11);
		expect_u64(iotlb->valid, 32768);
		iotlb_invalidate_domain(iotlb, 1);
		expect_u64(iotlb->compared - before, 11);
	}
	for (int round = 0; round < 2; round++) {
		u64 before = iotlb->compared;

		iotlb_invalidate_all(iotlb);
		expect_u64(iotlb->compared - before, round ? 0 : 32768);
		expect_u64(iotlb->present, 0);
		expect_u64(iotlb->valid, 0);
	}
}

/* A window never looks at more pages than there are entries, of any size that is there. */
static void a_long_window_costs_no_more_than_what_is_there(void **state)
{
	struct fixture *fixture = *state;
	u64 before;

	resize(fixture, 65536);
	for (u64 page = 0; page < 8; page++)
		fill(fixture, 1, page << PAGE_4K, PAGE_4K);
	before = fixture->iotlb.compared;
	/* Eight pages are looked up; of nine on, the eight entries are looked at. */
	iotlb_invalidate_range(&fixture->iotlb, 1, 0x100000, 0x107fff);
	expect_u64(fixture->iotlb.compared - before, 8 * IOTLB_WAYS);
	before = fixture->iotlb.compared;
	iotlb_invalidate_range(&fixture->iotlb, 1, 0x100000, 0x108000);
	expect_u64(fixture->iotlb.compared - before, 8);
	expect_u64(fixture->iotlb.valid, 8);
}

/* In a cache of 256 entries domains 1 and 257 are in one list. */
static void domains_that_share_a_list_do_not_share_their_end(void **state)
{
	struct fixture *fixture = *state;

	reshape(fixture, 256, 256);
	expect_u64(fixture->iotlb.lists, 256);
	fill(fixture, 1, 0x1000, PAGE_4K);
	fill(fixture, 257, 0x1000, PAGE_4K);
	iotlb_invalidate_domain(&fixture->iotlb, 1);
	assert_false(holds(fixture, 1, 0x1000));
	assert_true(holds(fixture, 257, 0x1000));
	expect_u64(fixture->iotlb.valid, 1);
}

/* trust: the cost of invalidating one page | our reading of the facts: sets looked at, counted */
static void one_page_costs_the_same_in_a_cache_of_any_size(void **state)
{
	static const u32 entries[] = { 64, 1024, 65536 };
	static const u8 sizes[] = { PAGE_4K, PAGE_2M, PAGE_1G };
	struct fixture *fixture = *state;

	for (int i = 0; i < 3; i++) {
		u64 before;

		resize(fixture, entries[i]);
		for (int size = 0; size < 3; size++) {
			fill(fixture, 1, 7ULL << sizes[size], sizes[size]);
			before = fixture->iotlb.compared;
			iotlb_invalidate_range(&fixture->iotlb, 1, 0x5000, 0x5fff);
			/* One set for each page size that is there. */
			expect_u64(fixture->iotlb.compared - before, (size + 1U) * IOTLB_WAYS);
		}
	}
}

static void all_domains_go_at_once(void **state)
{
	struct fixture *fixture = *state;

	for (u16 domain = 0; domain < 4; domain++)
		fill(fixture, domain, 0x1000, domain & 1 ? PAGE_4K : PAGE_2M);
	iotlb_invalidate_all(&fixture->iotlb);
	for (u16 domain = 0; domain < 4; domain++)
		assert_false(holds(fixture, domain, 0x1000));
	expect_u64(fixture->iotlb.present, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

TEST_MAIN(TEST(an_empty_cache_has_nothing), TEST(what_was_filled_is_found_for_the_whole_page),
	  TEST(domains_do_not_see_each_others_translations), TEST(sizes_are_told_apart),
	  TEST(the_least_recently_used_entry_is_replaced), TEST(only_a_hit_counts_as_a_use),
	  TEST(a_way_that_was_invalidated_is_filled_before_another_is_given_up),
	  TEST(which_way_is_replaced_is_a_choice_of_the_hardware),
	  TEST(consecutive_pages_use_the_whole_cache), TEST(sizes_are_rounded_up),
	  TEST(a_range_takes_every_page_that_it_touches),
	  TEST(a_long_range_takes_what_it_touches_with_one_byte),
	  TEST(one_small_page_drops_the_large_page_around_it),
	  TEST(a_range_takes_nothing_of_other_domains), TEST(a_domain_goes_as_a_whole_and_alone),
	  TEST(any_number_of_ways_holds_as_many_pages), TEST(a_pasid_has_its_own_translations),
	  TEST(pages_larger_than_asked_for_may_stay),
	  TEST(a_domain_costs_what_it_has_and_everything_what_is_there),
	  TEST(a_long_window_costs_no_more_than_what_is_there),
	  TEST(domains_that_share_a_list_do_not_share_their_end),
	  TEST(one_page_costs_the_same_in_a_cache_of_any_size), TEST(all_domains_go_at_once))
