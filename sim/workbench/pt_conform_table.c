/* SPDX-License-Identifier: MIT */
/*
 * The tables behind the leaves: when they go, what there is without memory for them, and what
 * hardware sees while they are written.
 */
#include "workbench/pt_conform.h"

/* An unmap that covers all a table maps unlinks it; the judge looks at when it is freed. */
bool pt_check_tables_later(struct pt_conform *c)
{
	u64 tables;
	u8 lg2;

	if (!pt_start(c, true))
		return false;
	tables = c->world->live;
	for (u32 i = 0; (lg2 = pt_size_lg2(c, i)); i++) {
		u64 size = 1ULL << lg2, span = 2ULL << lg2;
		u64 at = c->last / 3 & ~(size - 1);

		if (!pt_memory(c, lg2) || span > c->last / 4)
			continue;
		if (!pt_map(c, at, pt_memory(c, lg2), size, PT_RW) || !pt_unmap(c, at, size) ||
		    !pt_map(c, at, pt_memory(c, lg2), size, PT_RW) || !pt_unmap(c, at, size))
			return false;
	}
	/* Some may stay for the next map; not more of them than ways that were gone. */
	return c->world->live - tables <= 64U * PGTABLE_LEVELS_MAX ||
	       pt_wrong(c, "%llu tables stay where nothing is mapped", c->world->live - tables);
}

/* What was reached through tables that went is to be forgotten. */
static bool way_forgotten(struct pt_conform *c, u64 start, u64 last)
{
	return !c->gone.table_levels || (c->gone.start <= start && c->gone.last >= last) ||
	       pt_wrong(c,
			"a leaf takes the place of a table that served 0x%llx to 0x%llx, and "
			"gathers 0x%llx to 0x%llx",
			start, last, c->gone.start, c->gone.last);
}

/* Tables in which nothing is mapped make room for a leaf. */
bool pt_check_replaced(struct pt_conform *c)
{
	phys_addr_t phys;
	u64 page;
	u8 lg2;

	if (!pt_start(c, true))
		return false;
	page = pt_page(c);
	phys = pt_memory(c, c->granule_lg2 + 8);
	for (u32 i = 1; (lg2 = pt_size_lg2(c, i)); i++) {
		u64 size = 1ULL << lg2;

		if (!pt_memory(c, lg2) || 4 * size - 1 > c->last)
			continue;
		if (!pt_map(c, size + page, phys, 2 * page, PT_RW) ||
		    !pt_unmap(c, size + page, 2 * page) ||
		    !pt_map(c, size, pt_memory(c, lg2), size, PT_RW) ||
		    !way_forgotten(c, size + page, size + 3 * page - 1) || !pt_unmap(c, size, size))
			return false;
	}
	return true;
}

/* Where a table of the smallest leaves ends, so that two of each kind are needed. */
static bool map_short_of(struct pt_conform *c, u64 iova, u64 bytes, u64 nth, bool *short_of)
{
	phys_addr_t phys = pt_memory(c, c->granule_lg2 + 16);

	if (!pt_map_without(c, iova, phys + pt_page(c), bytes, nth, short_of))
		return false;
	if (*short_of && c->mapped && !pt_unmap(c, iova, c->mapped))
		return false;
	return !*short_of ||
	       (pt_map(c, iova, phys + pt_page(c), bytes, PT_RW) && pt_unmap(c, iova, bytes));
}

bool pt_check_no_memory(struct pt_conform *c)
{
	bool short_of = true;

	for (u64 nth = 1; short_of; nth++) {
		if (!pt_start_without(c, nth, &short_of))
			return false;
	}
	short_of = true;
	for (u64 nth = 1; short_of; nth++) {
		u64 iova, bytes;

		if (!pt_start(c, true))
			return false;
		iova = (c->last / 2 + 1) - 4 * pt_page(c);
		bytes = 8 * pt_page(c);
		if (!map_short_of(c, iova, bytes, nth, &short_of))
			return false;
		if (nth > 64)
			return pt_wrong(c, "a map of 8 pages asks for memory more than 64 times");
	}
	return true;
}

/* ---- While it is written ---------------------------------------------- */

struct pt_watch {
	struct pt_conform *c;
	u64 start;
	u64 last;
	u64 points;
	bool good;
};

static void look(void *cookie)
{
	struct pt_watch *watch = cookie;

	watch->points++;
	if (watch->good)
		watch->good = pt_compare_some(watch->c, watch->start, watch->last);
}

/* Hardware reads what was there before, or what is to be there: never something else. */
bool pt_check_points(struct pt_conform *c)
{
	struct pt_watch watch = { .c = c, .good = true };
	phys_addr_t phys;
	bool good;
	u64 page;

	if (!pt_start(c, true))
		return false;
	page = pt_page(c);
	phys = pt_memory(c, c->granule_lg2 + 8);
	watch.last = 64 * page;
	pt_world_step(c->world, look, &watch);
	/* The model has the leaves before the map, so while it runs they may not be there. */
	good = pt_map(c, page, phys, 6 * page, PT_RW) && watch.good;
	if (good && !watch.points)
		good = pt_wrong(c, "a map passes no preemption point (platform_point())");
	pt_world_step(c->world, NULL, NULL);
	return good && pt_unmap(c, page, 6 * page);
}
