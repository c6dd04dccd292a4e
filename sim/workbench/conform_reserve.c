/* SPDX-License-Identifier: MIT */
/*
 * Reserved space. Windows and regions come from firmware, so they may meet each other in any way
 * and lie anywhere.
 */
#include "workbench/conform.h"

#define ROWS_MAX 4

struct reservation {
	u64 first, last;
};

/* After these reservations, every other page of a space can be had, and no page of them. */
static bool kept(struct conform *c, const struct reservation *rows)
{
	bool got[CONFORM_SPACE];

	if (!conform_start(c, 5, CONFORM_SPACE - 1))
		return false;
	for (u32 i = 0; i < ROWS_MAX && rows[i].last; i++) {
		if (conform_reserve(c, rows[i].first, rows[i].last))
			return conform_wrong(c, "reserve(0x%llx, 0x%llx) fails", rows[i].first,
					     rows[i].last);
	}
	conform_take_all(c, got);
	for (u32 pfn = 5; pfn < CONFORM_SPACE; pfn++) {
		const struct reservation *by = NULL;

		for (u32 i = 0; i < ROWS_MAX && rows[i].last; i++) {
			if (pfn >= rows[i].first && pfn <= rows[i].last)
				by = &rows[i];
		}
		if (by && got[pfn])
			return conform_wrong(c, "gives pfn 0x%x: 0x%llx to 0x%llx is reserved", pfn,
					     by->first, by->last);
		if (!by && !got[pfn] && !conform_has(c, IOVA_FAILS_EARLY))
			return conform_wrong(c, "page 0x%x is not reserved and cannot be had", pfn);
	}
	return true;
}

bool conform_check_reserved(struct conform *c)
{
	/* clang-format off */
	static const struct reservation rows[][ROWS_MAX] = {
		{ { 50, 59 } },
		{ { 5, 5 }, { 255, 255 }, { 100, 100 } },
		{ { 5, 255 } },
		/* Overlap, abut, same, inside, around. */
		{ { 50, 59 }, { 55, 70 } },
		{ { 55, 70 }, { 50, 59 } },
		{ { 50, 59 }, { 60, 70 } },
		{ { 60, 70 }, { 50, 59 } },
		{ { 50, 59 }, { 50, 59 } },
		{ { 50, 70 }, { 55, 60 } },
		{ { 55, 60 }, { 50, 70 } },
		{ { 50, 50 }, { 52, 52 }, { 54, 54 }, { 51, 53 } },
		{ { 10, 20 }, { 30, 40 }, { 50, 60 }, { 15, 55 } },
		{ { 10, 20 }, { 30, 40 }, { 50, 60 }, { 6, 100 } },
		{ { 10, 20 }, { 30, 40 }, { 21, 29 }, { 20, 30 } },
		/* Outside, in part or as a whole. */
		{ { 1, 3 } },
		{ { 0, 5 }, { 250, 1ULL << 40 } },
		{ { 1ULL << 40, 1ULL << 41 } },
		{ { 0, ~0ULL >> 12 } },
		{ { 250, ~0ULL }, { 240, ~0ULL }, { ~0ULL, ~0ULL } },
		{ { 0, 4 }, { 256, 300 } },
	};
	/* clang-format on */

	for (u32 i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!kept(c, rows[i]))
			return false;
	}
	/* 0    5        10        19  20       100
	 * [res]..........|  start  ...[  res   ]      8 to 15 would begin below the space */
	if (!conform_start(c, 10, 100) || conform_reserve(c, 0, 5) || conform_reserve(c, 20, 100))
		return conform_wrong(c, "reserve fails");
	return conform_alloc(c, 8, 100, 3) == IOVA_NO_PFN ||
	       conform_wrong(c, "8 pages between 10 and 19, aligned to 8");
}

static bool none_of(struct conform *c, u64 first, u64 last, const char *before)
{
	bool got[CONFORM_SPACE];

	conform_take_all(c, got);
	for (u64 pfn = first; pfn <= last; pfn++) {
		if (got[pfn])
			return conform_wrong(c, "gives pfn 0x%llx, which was reserved when it %s",
					     pfn, before);
	}
	return true;
}

/* All pages go through the caches and back; reserved before they are freed, or after. */
static bool kept_from_caches(struct conform *c, bool while_live)
{
	u64 taken[63];

	if (!conform_start(c, 1, 63))
		return false;
	for (u32 i = 0; i < 63; i++)
		taken[i] = conform_alloc(c, 1, 63, IOVA_CACHE);
	if (while_live && conform_reserve(c, 15, 24))
		return conform_wrong(c, "reserve fails");
	for (u32 i = 0; i < 63; i++) {
		if (taken[i] != IOVA_NO_PFN)
			conform_free(c, taken[i], 1, IOVA_CACHE);
	}
	if (!while_live && conform_reserve(c, 15, 24))
		return conform_wrong(c, "reserve fails");
	for (u32 i = 0; i < 63; i++) {
		u64 pfn = conform_alloc(c, 1, 63, IOVA_CACHE | IOVA_FLUSH);

		if (pfn >= 15 && pfn <= 24)
			return conform_wrong(c, "gives pfn 0x%llx, which was reserved when it %s",
					     pfn,
					     while_live ? "was live, and freed with IOVA_CACHE"
							: "lay in a cache");
	}
	return true;
}

/* Takes all pages, frees some, and reserves in the middle of it. */
bool conform_check_reserved_late(struct conform *c)
{
	bool got[CONFORM_SPACE];
	u64 pfn;

	if (conform_has(c, IOVA_LOOSE_RESERVE)) {
		conform_note(c, "IOVA_LOOSE_RESERVE: not asked for");
		return true;
	}
	if (!conform_start(c, 1, 63))
		return false;
	conform_take_all(c, got);
	for (pfn = 20; pfn < 30; pfn++)
		conform_free(c, pfn, 1, 0);
	if (conform_reserve(c, 15, 24))
		return conform_wrong(c, "reserve fails");
	for (pfn = 15; pfn < 20; pfn++)
		conform_free(c, pfn, 1, 0);
	if (!none_of(c, 15, 24, "was live, or free again"))
		return false;

	return kept_from_caches(c, false) && kept_from_caches(c, true);
}
