/* SPDX-License-Identifier: MIT */
/*
 * Where allocations lie: each check looks at one rule and at nothing else, so that what is wrong
 * with an allocator has one name.
 */
#include "workbench/conform.h"

/* Single pages of a whole space, and sizes that would only fit if pfn 0 were taken. */
bool conform_check_start(struct conform *c)
{
	static const u64 starts[] = { 1, 2, 10, 64, 100 };

	for (u32 i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		bool got[CONFORM_SPACE];

		if (!conform_start(c, starts[i], 128))
			return false;
		if (conform_alloc(c, 1, starts[i] - 1, 0) < starts[i])
			return conform_wrong(c, "gives a page below 0x%llx, where the space begins",
					     starts[i]);
		conform_take_all(c, got);
		for (u64 pfn = 0; pfn < starts[i]; pfn++) {
			if (got[pfn])
				return conform_wrong(c,
						     "gives pfn 0x%llx: the space begins at "
						     "0x%llx",
						     pfn, starts[i]);
		}
	}
	if (!conform_start(c, 1, 63))
		return false;
	for (u64 pages = 33; pages <= 64; pages++) {
		if (conform_alloc(c, pages, 63, iova_natural(pages)) == 0)
			return conform_wrong(c, "gives pfn 0: %llu pages aligned to 64 in 1 to 63",
					     pages);
	}
	return true;
}

static bool below_limit(struct conform *c, u64 pages, u64 limit, u32 how)
{
	u64 pfn = conform_alloc(c, pages, limit, how);

	if (pfn == IOVA_NO_PFN || pfn + (pages - 1) <= limit)
		return true;
	return conform_wrong(c, "%llu pages at 0x%llx: beyond the limit 0x%llx", pages, pfn, limit);
}

bool conform_check_limit(struct conform *c)
{
	if (!conform_start(c, 1, 1000))
		return false;
	for (u64 limit = 1; limit <= 1000; limit++) {
		u64 pages = 1 + limit % 5;

		if (!below_limit(c, pages, limit, iova_natural(pages)))
			return false;
	}
	/* What a cache holds is judged by the limit, too. */
	if (!conform_start(c, 1, 1000))
		return false;
	for (u64 limit = 1000; limit >= 10; limit -= 10) {
		u64 pfn = conform_alloc(c, 2, 1000, 1 | IOVA_CACHE);

		if (pfn != IOVA_NO_PFN)
			conform_free(c, pfn, 2, IOVA_CACHE);
		if (!below_limit(c, 2, limit, 1 | IOVA_CACHE))
			return false;
	}
	if (!conform_start(c, 100, 1000) || !below_limit(c, 1, 99, 0))
		return false;
	for (u32 i = 0; i < 1001; i++) {
		if (!below_limit(c, 1, 1000, 0))
			return false;
	}
	return true;
}

static bool aligned(struct conform *c, u64 pages, u32 how)
{
	u64 pfn = conform_alloc(c, pages, CONFORM_NO_LIMIT, how);

	if (pfn == IOVA_NO_PFN || !(pfn & ((1ULL << (how & IOVA_ALIGN_LG2)) - 1)))
		return true;
	return conform_wrong(c, "%llu pages at 0x%llx: not aligned to 0x%llx", pages, pfn,
			     1ULL << (how & IOVA_ALIGN_LG2));
}

bool conform_check_aligned(struct conform *c)
{
	if (!conform_start(c, 1, conform_last(c, (1ULL << 36) - 1)))
		return false;
	for (u64 pages = 1; pages <= 130; pages++) {
		if (!aligned(c, pages, iova_natural(pages)) || !aligned(c, 1, 0) ||
		    !aligned(c, pages, iova_natural(pages) | IOVA_CACHE))
			return false;
	}
	for (u32 lg2 = 8; lg2 <= 34; lg2++) {
		if (!aligned(c, (1ULL << lg2) + 1, lg2 + 1))
			return false;
	}
	for (u32 lg2 = 0; lg2 <= 20 && !conform_has(c, IOVA_NATURAL_ALIGN); lg2++) {
		if (!aligned(c, 1, lg2) || !aligned(c, 3, lg2) || !aligned(c, 32, lg2))
			return false;
	}
	return true;
}

bool conform_check_apart(struct conform *c)
{
	u8 owner[CONFORM_SPACE] = { 0 };
	u8 number = 0;

	if (!conform_start(c, 1, CONFORM_SPACE - 1))
		return false;
	for (u64 pages = 1; number < CONFORM_SPACE - 1; pages = pages % 7 + 1) {
		u64 pfn = conform_alloc(c, pages, CONFORM_NO_LIMIT, iova_natural(pages));

		if (pfn == IOVA_NO_PFN && pages == 1)
			break;
		if (pfn == IOVA_NO_PFN)
			continue;
		number++;
		for (u64 i = pfn; i < pfn + pages && i < CONFORM_SPACE; i++) {
			if (owner[i])
				return conform_wrong(c,
						     "%llu pages at 0x%llx: 0x%llx was handed "
						     "out before",
						     pages, pfn, i);
			owner[i] = number;
		}
	}
	return number > 0 || conform_wrong(c, "gives nothing at all");
}

/* Whoever fails early need only give something: then the space is empty. */
static bool all_pages(struct conform *c, u64 start, u64 last)
{
	bool got[CONFORM_SPACE];

	if (!conform_start(c, start, last))
		return false;
	if (!conform_take_all(c, got))
		return conform_wrong(c, "no page can be had in 0x%llx to 0x%llx", start, last);
	for (u64 pfn = start; pfn <= last && !conform_has(c, IOVA_FAILS_EARLY); pfn++) {
		if (!got[pfn])
			return conform_wrong(c, "page 0x%llx of 0x%llx to 0x%llx cannot be had",
					     pfn, start, last);
	}
	return true;
}

static bool exactly(struct conform *c, u64 pages, u64 limit, u64 expected)
{
	u64 pfn;

	if (!conform_start(c, 1, 1000))
		return false;
	pfn = conform_alloc(c, pages, limit, iova_natural(pages));
	return pfn == expected || (pfn == IOVA_NO_PFN && conform_has(c, IOVA_FAILS_EARLY)) ||
	       conform_wrong(c, "%llu pages fit at 0x%llx alone under the limit 0x%llx", pages,
			     expected, limit);
}

bool conform_check_whole(struct conform *c)
{
	return all_pages(c, 1, CONFORM_SPACE - 1) && all_pages(c, 10, 99) && all_pages(c, 7, 7) &&
	       exactly(c, 1, 1, 1) && exactly(c, 4, 7, 4) && exactly(c, 2, 3, 2);
}

bool conform_check_refuses(struct conform *c)
{
	static const u64 sizes[] = {
		1001, 1024, 1ULL << 36, 1ULL << 61, (1ULL << 62) + 1, 1ULL << 63, (1ULL << 63) + 1,
		~0ULL
	};

	if (!conform_start(c, 1, 1000))
		return false;
	for (u32 i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		u64 pages = sizes[i / 2];
		u64 pfn = conform_alloc(c, pages, 1000, i % 2 ? IOVA_CACHE : 0);

		if (pfn != IOVA_NO_PFN)
			return conform_wrong(c, "0x%llx pages at 0x%llx in 1 to 1000", pages, pfn);
	}
	return conform_alloc(c, 1, 1000, 0) != IOVA_NO_PFN || conform_has(c, IOVA_FAILS_EARLY) ||
	       conform_wrong(c, "gives nothing after it refused");
}

struct placed {
	u64 pages, limit, pfn;
};

static bool all_placed(struct conform *c, const struct placed *rows, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		u64 pfn =
			conform_alloc(c, rows[i].pages, rows[i].limit, iova_natural(rows[i].pages));

		if (pfn != rows[i].pfn)
			return conform_wrong(c,
					     "%llu pages under the limit 0x%llx at 0x%llx: the "
					     "highest place is 0x%llx",
					     rows[i].pages, rows[i].limit, pfn, rows[i].pfn);
	}
	return true;
}

/*   |......[4]..[8     ]|      from the top down, each as high as its alignment allows */
bool conform_check_highest(struct conform *c)
{
	static const struct placed fresh[] = {
		{ 1, 1000, 1000 },	    { 8, 1000, 992 },	{ 3, 1000, 988 },
		{ 1, 1000, 991 }, /* the page that the three left over */
		{ 512, 1000, IOVA_NO_PFN }, { 256, 1000, 512 }, { 2, 900, 898 },
		{ 200, 511, 256 },
	};
	static const struct placed holes[] = {
		{ 2, 100, IOVA_NO_PFN }, { 1, 100, 70 }, { 1, 60, 50 },
		{ 1, 19, IOVA_NO_PFN },	 { 1, 100, 20 },
	};

	if (!conform_has(c, IOVA_HIGHEST_FIT)) {
		conform_note(c, "it does not promise IOVA_HIGHEST_FIT");
		return true;
	}
	if (!conform_start(c, 1, 1000) || !all_placed(c, fresh, sizeof(fresh) / sizeof(fresh[0])) ||
	    !conform_start(c, 1, 100))
		return false;
	for (u64 pfn = 100; pfn >= 1; pfn--)
		conform_alloc(c, 1, 100, 0);
	conform_free(c, 20, 1, 0);
	conform_free(c, 70, 1, 0);
	conform_free(c, 50, 1, 0);
	return all_placed(c, holes, sizeof(holes) / sizeof(holes[0]));
}
