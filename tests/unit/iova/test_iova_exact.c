/* SPDX-License-Identifier: MIT */
/*
 * "exact" against a byte for each page: the highest place for every uncached request, whatever was
 * freed, cached, reserved, limited, aligned or refused for lack of memory before it.
 */
#include "rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "property/seeds.h"
#include "workbench/iova_dice.h"
#include "workbench/iova_world.h"

#define PAGES	  6000
#define RANGES	  1500
#define CPUS	  2
#define ROUNDS	  2000 /* full count */
#define STEPS	  6000
#define FULL_PAGE (1U << 20) /* more pages than there are */

/* CACHED: it may lie in a cache, or be free. KEPT: it is never given again. */
enum use { FREE, CACHED, LIVE, KEPT };

struct live {
	u64 pfn;
	u64 pages;
	u32 how;
	bool kept; /* it was reserved, in part */
};

struct bench {
	const struct iova_allocator_ops *ops;
	struct iova_world *world;
	struct iova_allocator *allocator;
	struct iova_dice dice;
	u64 start;
	u64 last;
	u64 limit32;
	u32 size_max;	   /* pages of most */
	u32 cache_percent; /* of allocations; with CACHED pages there is no one right place */
	u32 odd_percent;   /* of alignments above the natural one, or of none */
	u32 fail_percent;  /* of calls that find no memory for a node */
	u32 grow_percent;
	u32 reserve_every; /* so many calls, about */
	u32 count;
	u64 exact; /* places that were compared */
	u64 refused;
	u8 page[PAGES];
	struct live live[RANGES];
};

static u64 draw(struct bench *bench, u64 bound)
{
	return iova_dice_below(&bench->dice, bound);
}

/* ---- The array ------------------------------------------------------------------------------- */

/* The highest place all of whose pages are at most `use`. */
static u64 fit(const struct bench *bench, u64 pages, u64 limit, u32 align_lg2, enum use use)
{
	u64 end = (limit < bench->last ? limit : bench->last) + 1;

	while (end >= pages) {
		u64 pfn = (end - pages) >> align_lg2 << align_lg2, at = pfn + pages;

		if (pfn < bench->start)
			break;
		while (at > pfn && bench->page[at - 1] <= use)
			at--;
		if (at == pfn)
			return pfn;
		end = at - 1;
	}
	return IOVA_NO_PFN;
}

static void mark(struct bench *bench, u64 pfn, u64 pages, enum use use)
{
	memset(&bench->page[pfn], use, pages);
}

static void caches_are_empty(struct bench *bench)
{
	for (u64 pfn = 0; pfn <= bench->last; pfn++) {
		if (bench->page[pfn] == CACHED)
			bench->page[pfn] = FREE;
	}
}

static bool any_cached(const struct bench *bench)
{
	return memchr(bench->page, CACHED, bench->last + 1);
}

/* ---- Calls ----------------------------------------------------------------------------------- */

struct request {
	u64 pages;
	u64 limit;
	u32 how;
};

static struct request draw_request(struct bench *bench)
{
	struct request is = { .pages = 1 + draw(bench, bench->size_max), .limit = bench->last };
	u32 align_lg2;

	if (!draw(bench, 3))
		is.pages = 1ULL << draw(bench, iova_natural(bench->size_max) + 1);
	else if (!draw(bench, 30))
		is.pages = 1 + draw(bench, 300);
	align_lg2 = iova_natural(is.pages);
	if (iova_dice_percent(&bench->dice, bench->odd_percent))
		align_lg2 = draw(bench, 2) ? 0 : (u32)draw(bench, 10);
	if (!draw(bench, 4))
		is.limit = draw(bench, 2) ? bench->limit32 : draw(bench, bench->last + 1);
	is.how = align_lg2;
	if (iova_dice_percent(&bench->dice, bench->cache_percent))
		is.how |= IOVA_CACHE | (draw(bench, 4) ? 0 : IOVA_FLUSH);
	return is;
}

static u64 failures(const struct bench *bench)
{
	return iova_world_counts(bench->world)->failures;
}

static void judge_failure(struct bench *bench, const struct request *is, bool refused)
{
	u32 align_lg2 = is->how & IOVA_ALIGN_LG2;
	enum use use = is->how & IOVA_FLUSH ? CACHED : FREE;

	bench->refused += refused;
	if (is->how & IOVA_FLUSH)
		caches_are_empty(bench);
	if (!refused)
		expect_u64(fit(bench, is->pages, is->limit, align_lg2, use), IOVA_NO_PFN);
}

static void judge_place(struct bench *bench, const struct request *is, u64 pfn)
{
	u32 align_lg2 = is->how & IOVA_ALIGN_LG2;
	u64 last = pfn + is->pages - 1;

	assert_in_range(pfn, bench->start, bench->last);
	assert_in_range(last, pfn, is->limit < bench->last ? is->limit : bench->last);
	expect_u64(pfn & ((1ULL << align_lg2) - 1), 0);
	for (u64 i = pfn; i <= last; i++)
		assert_in_range(bench->page[i], FREE, CACHED);
	if (is->how & IOVA_CACHE)
		return;
	bench->exact++;
	if (any_cached(bench)) {
		u64 least = fit(bench, is->pages, is->limit, align_lg2, FREE);

		assert_true(least == IOVA_NO_PFN || pfn >= least);
		assert_true(pfn <= fit(bench, is->pages, is->limit, align_lg2, CACHED));
	} else {
		expect_u64(pfn, fit(bench, is->pages, is->limit, align_lg2, FREE));
	}
}

static void take(struct bench *bench, struct request is)
{
	u64 failed = failures(bench);
	u64 pfn = bench->ops->alloc(bench->allocator, is.pages, is.limit, is.how);

	if (pfn == IOVA_NO_PFN) {
		judge_failure(bench, &is, failures(bench) != failed);
		return;
	}
	judge_place(bench, &is, pfn);
	mark(bench, pfn, is.pages, LIVE);
	bench->live[bench->count++] = (struct live){ pfn, is.pages, is.how & IOVA_CACHE, false };
}

static void give(struct bench *bench, u32 i)
{
	struct live *live = &bench->live[i];

	bench->ops->free(bench->allocator, live->pfn, live->pages, live->how);
	if (live->kept)
		mark(bench, live->pfn, live->pages, KEPT);
	else
		mark(bench, live->pfn, live->pages, live->how && live->pages <= 32 ? CACHED : FREE);
	*live = bench->live[--bench->count];
}

static void reserve(struct bench *bench)
{
	u64 first = draw(bench, bench->last + 1), last = first + draw(bench, 20);
	int err = bench->ops->reserve(bench->allocator, first, last);

	caches_are_empty(bench);
	if (err) {
		bench->refused++;
		return;
	}
	for (u32 i = 0; i < bench->count; i++)
		bench->live[i].kept |= bench->live[i].pfn <= last &&
				       first < bench->live[i].pfn + bench->live[i].pages;
	for (u64 pfn = first; pfn <= last && pfn <= bench->last; pfn++) {
		if (bench->page[pfn] != LIVE)
			bench->page[pfn] = KEPT;
	}
}

static void one_step(struct bench *bench)
{
	bool grow = iova_dice_percent(&bench->dice, bench->grow_percent);

	iova_world_set_cpu(bench->world, (u32)draw(bench, CPUS));
	iova_world_fail(bench->world, DMASIM_FAULT_IOVA_NODE,
			iova_dice_percent(&bench->dice, bench->fail_percent));
	if (!draw(bench, bench->reserve_every))
		reserve(bench);
	else if (bench->count < RANGES && (grow || !bench->count))
		take(bench, draw_request(bench));
	else
		give(bench, (u32)draw(bench, bench->count));
	iova_world_fail(bench->world, DMASIM_FAULT_IOVA_NODE, 0);
}

/* ---- Rounds ---------------------------------------------------------------------------------- */

static void begin(struct bench *bench, u64 start, u64 last, u8 granule_lg2)
{
	bench->ops = dmasim_iova_exact();
	bench->world = iova_world_create(CPUS);
	bench->start = start;
	bench->last = last;
	bench->limit32 = (1ULL << (32 - granule_lg2)) - 1;
	bench->allocator = bench->ops->create(&(struct iova_allocator_config){
		.platform = iova_world_platform(bench->world),
		.cpus = CPUS,
		.granule_lg2 = granule_lg2,
		.start_pfn = start,
		.last_pfn = last,
	});
	assert_non_null(bench->allocator);
}

static void end(struct bench *bench)
{
	bench->ops->destroy(bench->allocator);
	expect_u64(iova_world_destroy(bench->world), 0);
}

static void one_round(struct bench *bench, u64 seed)
{
	static const u32 sizes[] = { 1, 4, 7, 32, 130 };

	*bench = (struct bench){ .dice = { seed } };
	begin(bench, 1 + draw(bench, 70), 100 + draw(bench, PAGES - 100),
	      (u8)(20 + draw(bench, 4)));
	bench->size_max = sizes[draw(bench, 5)];
	bench->cache_percent = draw(bench, 2) ? 0 : 50;
	bench->odd_percent = draw(bench, 3) * 15;
	bench->fail_percent = draw(bench, 2) * 30;
	bench->reserve_every = draw(bench, 3) ? 5000 : 200;
	for (u32 i = 0; i < STEPS; i++) {
		if (i % 500 == 0)
			bench->grow_percent = 20 + draw(bench, 61);
		/* What cannot be empties the caches: from here on the place is known. */
		if (i % 500 == 250)
			take(bench,
			     (struct request){ FULL_PAGE, bench->last, IOVA_CACHE | IOVA_FLUSH });
		if (i % 1000 == 250)
			bench->cache_percent = 0;
		one_step(bench);
	}
	end(bench);
}

/*
 * trust: "exact": highest place, caches, reserves, no memory
 * | an independent model: a byte for each page, searched from the top
 */
static void the_place_is_always_the_highest(void **state)
{
	struct bench *bench = malloc(sizeof(*bench));
	u64 seed = test_seed(1), exact = 0, refused = 0;

	(void)state;
	for (u32 i = 0; i < scaled(ROUNDS); i++) {
		seed_failed(seed + i);
		one_round(bench, seed + i);
		exact += bench->exact;
		refused += bench->refused;
	}
	free(bench);
	print_message("# %llu places compared, %llu calls without memory\n", exact, refused);
	assert_true(exact > 1000 && refused > 5);
}

/* ---- One thing each -------------------------------------------------------------------------- */

static u64 alloc(struct bench *bench, u64 pages, u32 how)
{
	return bench->ops->alloc(bench->allocator, pages, bench->last, how);
}

/* A place was found, and no memory for the record of it: it is still there. */
static void a_place_that_was_not_taken_is_not_forgotten(void **state)
{
	struct bench bench = { .count = 0 };

	(void)state;
	begin(&bench, 1, 1023, 12);
	/* A leaf is full: the next range needs memory. */
	expect_ok(bench.ops->reserve(bench.allocator, 1019, 1023));
	for (u64 pfn = 1014; pfn > 1014 - 2 * 63; pfn -= 2)
		expect_ok(bench.ops->reserve(bench.allocator, pfn, pfn));
	iova_world_fail(bench.world, DMASIM_FAULT_IOVA_NODE, 1);
	expect_u64(alloc(&bench, 2, 1), IOVA_NO_PFN);
	expect_u64(failures(&bench), 1);
	expect_u64(alloc(&bench, 3, 2), 1016);
	end(&bench);
}

static void what_is_reserved_while_it_is_live_does_not_come_back_from_a_cache(void **state)
{
	struct bench bench = { .count = 0 };
	u64 pfn;

	(void)state;
	begin(&bench, 1, 1023, 12);
	pfn = alloc(&bench, 2, 1 | IOVA_CACHE);
	expect_u64(pfn, 1022);
	expect_ok(bench.ops->reserve(bench.allocator, 1023, 1023));
	bench.ops->free(bench.allocator, pfn, 2, IOVA_CACHE);
	expect_u64(alloc(&bench, 2, 1 | IOVA_CACHE), 1020);
	end(&bench);
}

/*   4  5 [live 6 7]  8: page 8 finds no memory, so that the live range is as free as it was. */
static void a_reservation_without_memory_keeps_nothing(void **state)
{
	struct bench bench = { .count = 0 };

	(void)state;
	begin(&bench, 1, 1023, 12);
	for (u64 pfn = 10; pfn < 10 + 2 * 63; pfn += 2)
		expect_ok(bench.ops->reserve(bench.allocator, pfn, pfn));
	expect_u64(bench.ops->alloc(bench.allocator, 2, 7, 1), 6);
	iova_world_fail(bench.world, DMASIM_FAULT_IOVA_NODE, 1);
	expect_error(bench.ops->reserve(bench.allocator, 7, 8), -ENOMEM);
	bench.ops->free(bench.allocator, 6, 2, 0);
	expect_u64(bench.ops->alloc(bench.allocator, 2, 7, 1), 6);
	end(&bench);
}

static void what_reaches_the_last_page_of_all_can_be_reserved_again(void **state)
{
	struct bench bench = { .count = 0 };

	(void)state;
	begin(&bench, 1, ~0ULL, 12);
	expect_ok(bench.ops->reserve(bench.allocator, 1ULL << 40, ~0ULL));
	expect_ok(bench.ops->reserve(bench.allocator, 1ULL << 30, ~0ULL));
	expect_ok(bench.ops->reserve(bench.allocator, ~0ULL, ~0ULL));
	expect_u64(alloc(&bench, 1, 0), (1ULL << 30) - 1);
	end(&bench);
}

/* As a driver may, by mistake. */
static void no_pages_given_to_a_cache_are_nothing(void **state)
{
	struct bench bench = { .count = 0 };
	struct iova_stats stats;

	(void)state;
	begin(&bench, 1, 1023, 12);
	bench.ops->free(bench.allocator, 5, 0, IOVA_CACHE);
	expect_u64(alloc(&bench, 1, IOVA_CACHE), 1023);
	bench.ops->free(bench.allocator, 1023, 1, IOVA_CACHE);
	bench.ops->free(bench.allocator, 5, 0, IOVA_CACHE);
	bench.ops->stats(bench.allocator, &stats);
	expect_u64(stats.ranges, 1);
	expect_u64(stats.cached_ranges, stats.cached_pages);
	end(&bench);
}

TEST_MAIN(cmocka_unit_test(no_pages_given_to_a_cache_are_nothing),
	  cmocka_unit_test(a_place_that_was_not_taken_is_not_forgotten),
	  cmocka_unit_test(what_is_reserved_while_it_is_live_does_not_come_back_from_a_cache),
	  cmocka_unit_test(a_reservation_without_memory_keeps_nothing),
	  cmocka_unit_test(what_reaches_the_last_page_of_all_can_be_reserved_again),
	  cmocka_unit_test(the_place_is_always_the_highest))
