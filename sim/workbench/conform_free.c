/* SPDX-License-Identifier: MIT */
/*
 * What was freed is free.
 */
#include "workbench/conform.h"

/* Single pages, all of them, freed in an order in which neighbours do not follow each other. */
static bool use_up(struct conform *c, u32 round, u64 last)
{
	bool got[CONFORM_SPACE];
	u64 taken[CONFORM_SPACE], count = 0;

	conform_take_all(c, got);
	for (u64 pfn = 1; pfn <= last; pfn++) {
		if (got[pfn])
			taken[count++] = pfn;
	}
	if (count < last && !conform_has(c, IOVA_FAILS_EARLY))
		return conform_wrong(c, "%llu pages of %llu can be had after %u rounds", count,
				     last, round);
	/* 101 is a prime: every one is freed once. */
	for (u64 i = 0; i < count; i++)
		conform_free(c, taken[i * 101 % count], 1, 0);
	return true;
}

bool conform_check_found_again(struct conform *c)
{
	u64 pfn;

	if (!conform_start(c, 1, CONFORM_SPACE - 1))
		return false;
	for (u32 round = 0; round < 5; round++) {
		if (!use_up(c, round, CONFORM_SPACE - 1))
			return false;
	}
	pfn = conform_alloc(c, 128, CONFORM_NO_LIMIT, 7);
	if (pfn == IOVA_NO_PFN)
		return conform_wrong(c, "all was freed, and 128 pages do not fit in 1 to 255");
	conform_free(c, pfn, 128, 0);
	pfn = conform_alloc(c, CONFORM_SPACE - 1, CONFORM_NO_LIMIT, 0);
	if (pfn == IOVA_NO_PFN)
		return conform_wrong(c, "all was freed, and 255 pages do not fit in 1 to 255");
	/* Sizes of all kinds, freed with the sizes they had. */
	if (!conform_start(c, 1, 4095))
		return false;
	for (u32 round = 0; round < 200; round++) {
		u64 taken[20];

		for (u64 i = 0; i < 20; i++)
			taken[i] = conform_alloc(c, 1 + (i * 7 + round) % 60, CONFORM_NO_LIMIT, 0);
		for (u64 i = 0; i < 20; i++) {
			if (taken[i] != IOVA_NO_PFN)
				conform_free(c, taken[i], 1 + (i * 7 + round) % 60, 0);
		}
	}
	return conform_alloc(c, 4095, CONFORM_NO_LIMIT, 0) != IOVA_NO_PFN ||
	       conform_wrong(c, "all was freed, and 4095 pages do not fit in 1 to 4095");
}

/* Everything through the caches, on all CPUs in turn. */
static bool fill_caches(struct conform *c, u64 pages, u64 last)
{
	u64 taken[CONFORM_SPACE];
	u32 count = 0;

	while (count < CONFORM_SPACE) {
		u64 pfn;

		iova_world_set_cpu(c->world, count % c->options.cpus);
		pfn = conform_alloc(c, pages, last, iova_natural(pages) | IOVA_CACHE | IOVA_FLUSH);
		if (pfn == IOVA_NO_PFN)
			break;
		taken[count++] = pfn;
	}
	if (!count)
		return conform_wrong(c, "no %llu pages fit in 1 to %llu, with IOVA_FLUSH", pages,
				     last);
	for (u32 i = 0; i < count; i++) {
		iova_world_set_cpu(c->world, (i / 3) % c->options.cpus);
		conform_free(c, taken[i], pages, IOVA_CACHE);
	}
	iova_world_set_cpu(c->world, 0);
	return true;
}

bool conform_check_caches(struct conform *c)
{
	static const u64 sizes[] = { 1, 2, 3, 8, 20, 32, 33, 1, 4, 2 };
	u64 pfn;

	if (!conform_start(c, 1, CONFORM_SPACE - 1))
		return false;
	for (u32 i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (!fill_caches(c, sizes[i], CONFORM_SPACE - 1))
			return false;
	}
	/* What another CPU's cache holds, and what only all caches together make. */
	pfn = conform_alloc(c, 1, 1, IOVA_CACHE | IOVA_FLUSH);
	if (pfn == IOVA_NO_PFN)
		return conform_wrong(c, "page 1 stays in a cache, with IOVA_FLUSH");
	conform_free(c, pfn, 1, IOVA_CACHE);
	pfn = conform_alloc(c, 128, CONFORM_NO_LIMIT, 7 | IOVA_CACHE | IOVA_FLUSH);
	if (pfn == IOVA_NO_PFN)
		return conform_wrong(c,
				     "all was freed, and with IOVA_FLUSH 128 pages do not fit in 1 "
				     "to 255");
	conform_free(c, pfn, 128, IOVA_CACHE);
	/* What cannot be empties the caches. Some remember that it failed until a page is freed. */
	conform_alloc(c, CONFORM_SPACE, CONFORM_NO_LIMIT, IOVA_CACHE | IOVA_FLUSH);
	pfn = conform_alloc(c, 1, CONFORM_NO_LIMIT, 0);
	if (pfn != IOVA_NO_PFN)
		conform_free(c, pfn, 1, 0);
	pfn = conform_alloc(c, CONFORM_SPACE - 1, CONFORM_NO_LIMIT, 0);
	return pfn != IOVA_NO_PFN ||
	       conform_wrong(c,
			     "all was freed, and 255 pages do not fit in 1 to 255 after a failure "
			     "with IOVA_FLUSH");
}

/* The same calls on one allocator, with another one in use beside it or not. */
bool conform_check_domains(struct conform *c)
{
	struct iova_allocator *other;
	bool got[CONFORM_SPACE];
	u64 pfn[2];

	if (!conform_start(c, 1, CONFORM_SPACE - 1))
		return false;
	conform_take_all(c, got);
	other = c->allocator;
	c->allocator = NULL;
	if (!conform_start(c, 1, CONFORM_SPACE - 1)) {
		c->ops->destroy(other);
		return false;
	}
	pfn[0] = conform_alloc(c, 16, CONFORM_NO_LIMIT, 4);
	c->ops->free(other, 77, 1, 0);
	pfn[1] = c->ops->alloc(other, 1, CONFORM_SPACE - 1, 0);
	c->ops->destroy(other);
	if (pfn[0] == IOVA_NO_PFN)
		return conform_wrong(c, "a new allocator is full because another one is");
	if (got[77] && pfn[1] != 77 && !conform_has(c, IOVA_FAILS_EARLY))
		return conform_wrong(c, "page 77 was freed, and 0x%llx comes", pfn[1]);
	conform_free(c, pfn[0], 16, 0);
	return conform_alloc(c, CONFORM_SPACE - 1, CONFORM_NO_LIMIT, 0) != IOVA_NO_PFN ||
	       conform_wrong(c, "another allocator's end took space from this one");
}

/* One random walk without the cache and one with it, and all is asked now and then. */
bool conform_check_tells(struct conform *c)
{
	const struct iova_allocator_config space = {
		.granule_lg2 = 12,
		.start_pfn = 3,
		.last_pfn = 500,
		.repairs = c->options.repairs,
	};
	struct iova_judge judge;
	bool good;

	for (u32 cache = 0; cache <= IOVA_CACHE; cache += IOVA_CACHE) {
		if (iova_judge_begin(&judge, c->ops, c->world, &space)) {
			iova_judge_reserve(&judge, 0, 4);
			iova_judge_reserve(&judge, 100, 120);
			iova_judge_reserve(&judge, 490, 600);
		}
		for (u64 i = 0; i < 400 && !judge.wrong[0]; i++) {
			u64 pages = 1 + i * 7 % 12;

			if (i % 5 < 3 && i % 100 < 60)
				iova_judge_alloc(&judge, pages, 500, iova_natural(pages) | cache);
			else if (judge.model.live.count)
				iova_judge_free(&judge, (u32)(i * 31) % judge.model.live.count);
			if (i % 10 == 0)
				iova_judge_tells(&judge);
		}
		if (!judge.wrong[0])
			iova_judge_drain(&judge);
		if (!judge.wrong[0])
			iova_judge_tells(&judge);
		good = !judge.wrong[0];
		if (!good)
			conform_wrong(c, "%s", judge.wrong);
		iova_judge_end(&judge);
		if (!good)
			return false;
	}
	if (!c->ops->next || !c->ops->stats)
		conform_note(c, "it has no %s",
			     c->ops->next    ? "stats"
			     : c->ops->stats ? "next"
					     : "next and no stats");
	return true;
}
