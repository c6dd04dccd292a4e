/* SPDX-License-Identifier: MIT */
/*
 * The model that judges allocators, against an array with a byte for each page.
 */
#include "support/expect.h"

#include <stdlib.h>
#include <string.h>

#include "property/seeds.h"
#include "workbench/iova_dice.h"
#include "workbench/iova_model.h"

#define PAGES  64
#define ROUNDS 4000 /* full count */
#define STEPS  60

enum { FREE, LIVE, LOST = 2, RESERVED = 4 };

struct pair {
	struct iova_dice dice;
	struct iova_model model;
	u8 page[PAGES]; /* LIVE, LOST, RESERVED */
	u8 held[PAGES]; /* how many live ranges, as rounded up, have it */
};

static u64 draw(struct pair *pair, u64 bound)
{
	return iova_dice_below(&pair->dice, bound);
}

static bool taken(const struct pair *pair, u64 pfn)
{
	return pair->page[pfn] || pair->held[pfn];
}

/* Page by page, from the top. */
static u64 slow_fit(const struct pair *pair, u64 pages, u64 limit, u64 align)
{
	for (u64 pfn = PAGES; pfn-- > pair->model.start_pfn;) {
		bool fits = pfn % align == 0 && pfn + pages - 1 <= limit &&
			    pfn + pages - 1 <= pair->model.last_pfn;

		for (u64 i = pfn; fits && i < pfn + pages; i++)
			fits = !taken(pair, i);
		if (fits)
			return pfn;
	}
	return IOVA_NO_PFN;
}

static u64 slow_largest(const struct pair *pair)
{
	u64 largest = 0, run = 0;

	for (u64 pfn = pair->model.start_pfn; pfn <= pair->model.last_pfn; pfn++) {
		run = taken(pair, pfn) ? 0 : run + 1;
		largest = run > largest ? run : largest;
	}
	return largest;
}

static void hold(struct pair *pair, const struct iova_span *span, int by)
{
	for (u64 pfn = span->first; pfn <= span->held && pfn < PAGES; pfn++)
		pair->held[pfn] = (u8)(pair->held[pfn] + by);
}

/* IOVA_CACHE now and then, where a cache could have rounded the size up. */
static u32 rounds_up(struct pair *pair, u64 pfn, u64 pages)
{
	u64 end = pfn + (1ULL << iova_natural(pages));

	for (u64 i = pfn; i < end; i++) {
		if (i >= PAGES || taken(pair, i))
			return 0;
	}
	return draw(pair, 3) ? 0 : IOVA_CACHE;
}

static void take(struct pair *pair)
{
	u64 pages = 1 + draw(pair, 9), limit = draw(pair, PAGES), lg2 = draw(pair, 4);
	u64 pfn = iova_model_fit(&pair->model, pages, limit, (u32)lg2);

	expect_u64(pfn, slow_fit(pair, pages, limit, 1ULL << lg2));
	if (pfn == IOVA_NO_PFN)
		return;
	iova_model_insert(&pair->model, pfn, pages, rounds_up(pair, pfn, pages), 1);
	for (u64 i = pfn; i < pfn + pages; i++)
		pair->page[i] = LIVE;
	hold(pair, iova_spans_meet(&pair->model.live, pfn, pfn), 1);
}

static void give(struct pair *pair)
{
	struct iova_span span;
	bool reserved = false;
	u32 index;

	if (!pair->model.live.count)
		return;
	index = (u32)draw(pair, pair->model.live.count);
	span = pair->model.live.at[index];
	iova_model_free(&pair->model, index);
	hold(pair, &span, -1);
	for (u64 pfn = span.first; pfn <= span.held && pfn < PAGES; pfn++)
		reserved |= pair->page[pfn] & RESERVED;
	for (u64 pfn = span.first; pfn <= span.last; pfn++)
		pair->page[pfn] &= (u8)~LIVE;
	for (u64 pfn = span.first; reserved && pfn <= span.held && pfn < PAGES; pfn++)
		pair->page[pfn] |= LOST;
}

static void reserve(struct pair *pair)
{
	u64 first = draw(pair, PAGES), last = first + draw(pair, 6);

	iova_model_reserve(&pair->model, first, last);
	for (u64 pfn = first; pfn <= last && pfn < PAGES; pfn++)
		pair->page[pfn] |= RESERVED;
}

static void compare(struct pair *pair)
{
	expect_u64(iova_model_largest(&pair->model), slow_largest(pair));
	for (u64 pfn = 0; pfn < PAGES; pfn++) {
		u64 last;
		bool covered = iova_model_covers(&pair->model, pfn, &last);

		assert_int_equal(covered, taken(pair, pfn));
		for (u64 i = pfn; covered && i <= last && i < PAGES; i++)
			assert_true(taken(pair, i));
		assert_int_equal(!!iova_spans_meet(&pair->model.live, pfn, pfn),
				 pair->page[pfn] & LIVE);
		assert_int_equal(!!iova_spans_meet(&pair->model.reserved, pfn, pfn),
				 !!(pair->page[pfn] & RESERVED));
	}
}

static void one_round(u64 seed)
{
	struct pair pair = { .dice = { seed } };
	u64 start = 1 + draw(&pair, 8);

	iova_model_init(&pair.model, start, start + draw(&pair, PAGES - start));
	for (int i = 0; i < STEPS; i++) {
		switch (draw(&pair, 12)) {
		case 0:
			reserve(&pair);
			break;
		case 1:
		case 2:
		case 3:
		case 4:
			give(&pair);
			break;
		default:
			take(&pair);
		}
		compare(&pair);
	}
	iova_model_fini(&pair.model);
}

static void the_model_is_what_an_array_of_pages_is(void **state)
{
	u64 seed = test_seed(1);

	(void)state;
	for (u32 i = 0; i < scaled(ROUNDS); i++) {
		seed_failed(seed + i);
		one_round(seed + i);
	}
}

/*   |--live--|....|reserved|   nobody knows of what is not known, up to the pages in between */
static void what_is_lost_is_cut_by_what_is_handed_out(void **state)
{
	struct iova_model model;

	(void)state;
	iova_model_init(&model, 1, 100);
	iova_model_lose(&model, 10, 29);
	expect_u64(iova_model_fit(&model, 80, 100, 0), IOVA_NO_PFN);
	iova_model_insert(&model, 15, 3, 0, 1);
	expect_u64(model.lost.count, 2);
	expect_u64(model.lost.at[0].last, 14);
	expect_u64(model.lost.at[1].first, 18);
	iova_model_free(&model, 0);
	expect_u64(iova_model_fit(&model, 3, 20, 0), 15);
	expect_u64(iova_model_largest(&model), 71);
	iova_model_fini(&model);
}

TEST_MAIN(cmocka_unit_test(the_model_is_what_an_array_of_pages_is),
	  cmocka_unit_test(what_is_lost_is_cut_by_what_is_handed_out))
