/* SPDX-License-Identifier: MIT */
#include "check/links.h"

#include "check/whole.h"

#define FEW 4 /* links that end, of a row that goes on: not worth a row of their own */

void links_init(struct owners *owners, struct owner_space *space)
{
	struct owner_links *links =
		memory_alloc(&owners->world->memory, DMASIM_FAULT_CHECK_RECORD, sizeof(*links));

	if (!links) {
		*owners->blind = true;
		return;
	}
	*links = (struct owner_links){ .owners = owners, .space = space };
	interval_tree_init(&links->rows);
	STAILQ_INIT(&links->past);
	space->links = links;
}

void links_fini(struct owners *owners, struct owner_space *space)
{
	memory_free(&owners->world->memory, space->links);
	space->links = NULL;
}

static struct owner_row *row_first(const struct owner_links *links, u64 start, u64 last)
{
	return (struct owner_row *)interval_first(&links->rows, start, last);
}

bool links_has_row(const struct owner_links *links, u64 start, u64 last)
{
	return row_first(links, start, last) != NULL;
}

static struct owner_row *row_next(const struct owner_links *links, const struct owner_row *row,
				  u64 start, u64 last)
{
	return (struct owner_row *)interval_next(&links->rows, &row->at, start, last);
}

/* The first of some pages, which is taken out of them: its number in the row. */
static u32 take_first(u64 *of)
{
	u32 page = (u32)__builtin_ctzll(*of);

	*of &= *of - 1;
	return page;
}

static u64 address_of(const struct owner_row *row, u32 page)
{
	return (row->at.start >> LINKS_ROW_LG2 << LINKS_ROW_LG2) + ((u64)page << INTERVAL_PAGE_LG2);
}

static u32 count_of(u64 which)
{
	return (u32)__builtin_popcountll(which);
}

/* ---- Beginning -------------------------------------------------------- */

static struct owner_row *row_new(struct owner_links *links, const struct owner_range *range,
				 u64 address, const struct dmasim_event *event)
{
	struct owner_row *row = check_pool_get(&links->owners->rows);
	u64 start = address >> LINKS_ROW_LG2 << LINKS_ROW_LG2;
	u64 last = start + ((1ULL << LINKS_ROW_LG2) - 1);
	u64 first_page = range->at.start & ~LINKS_PAGE_LAST;
	u64 last_page = range->at.last | LINKS_PAGE_LAST;

	if (!row)
		return NULL;
	row->at.start = start > first_page ? start : first_page;
	row->at.last = last < last_page ? last : last_page;
	row->space = links->space;
	row->linked = row->synced = 0;
	row->attrs = event->attrs;
	row->site = event->site;
	row->dev = event->dev;
	row->state = range->state;
	row->dir = (u8)event->dir;
	interval_insert(&links->rows, &row->at);
	return row;
}

DMASIM_HOT struct owner_row *links_row(struct owner_links *links, const struct owner_range *range,
				       u64 address, const struct dmasim_event *event)
{
	struct owner_row *row = row_first(links, address, address);

	if (row && !links_is_like(row, range, event))
		return NULL;
	if (!row)
		row = row_new(links, range, address, event);
	if (row)
		*links_near(links, address) = row;
	return row;
}

/* It is none of those that are found any more. */
DMASIM_HOT static void row_leave(struct owner_links *links, struct owner_row *row)
{
	struct owner_row **near = links_near(links, row->at.start);

	if (*near == row)
		*near = NULL;
	interval_remove(&links->rows, &row->at);
}

/* ---- Spreading -------------------------------------------------------- */

static struct piece *piece_of(struct owner_links *links, const struct owner_row *row, u32 page)
{
	struct piece *piece = owners_new_piece(links->owners, links->space,
					       &(struct piece_desc){ .kind = PIECE_LINK,
								     .dev = row->dev,
								     .dma = address_of(row, page),
								     .size = LINKS_PAGE_LAST + 1,
								     .phys = row->phys[page],
								     .dir = row->dir,
								     .attrs = row->attrs,
								     .state = row->state,
								     .synced = true,
								     .site = row->site });

	if (piece)
		piece->number = 0;
	return piece;
}

static void spread(struct owner_links *links, struct owner_row *row, u64 which)
{
	u64 rest = row->linked & which;

	links->space->linked -= count_of(rest);
	while (rest) {
		u32 page = take_first(&rest);
		struct piece *piece = piece_of(links, row, page);

		if (!piece)
			continue;
		piece->synced = row->synced >> page & 1;
		piece->number = ++links->owners->pieces;
		interval_insert(&links->space->pieces, &piece->at);
	}
	row->linked &= ~which;
	row->synced &= ~which;
	if (row->linked)
		return;
	row_leave(links, row);
	check_pool_put(&links->owners->rows, row);
}

void links_spread(struct owner_links *links, u64 start, u64 last)
{
	struct owner_row *row = links_in_rows(links->space) ? row_first(links, start, last) : NULL;

	if (links->space->whole)
		whole_spread(links->owners, links->space, start, last);
	while (row) {
		struct owner_row *next = row_next(links, row, start, last);

		spread(links, row, links_mask(row, start, last));
		row = next;
	}
}

/* Those of which [start, last] has only a part. */
static void spread_ends(struct owner_links *links, u64 start, u64 last)
{
	if (start & LINKS_PAGE_LAST)
		links_spread(links, start, start);
	if (~last & LINKS_PAGE_LAST)
		links_spread(links, last, last);
}

DMASIM_HOT bool links_sync(struct owner_links *links, u64 start, u64 last)
{
	struct owner_row *row;
	bool any = false;

	if (links->space->whole)
		whole_spread(links->owners, links->space, start, last);
	spread_ends(links, start, last);
	for (row = row_first(links, start, last); row; row = row_next(links, row, start, last)) {
		u64 mask = row->linked & links_mask(row, start, last);

		row->synced |= mask;
		any |= mask != 0;
	}
	return any;
}

/* ---- Ending ----------------------------------------------------------- */

static void forget(struct owner_links *links, struct owner_row *row)
{
	while (!TAILQ_EMPTY(&row->shown)) {
		struct piece *piece = TAILQ_FIRST(&row->shown);

		TAILQ_REMOVE(&row->shown, piece, of_list);
		check_pool_put(&links->owners->past, piece);
	}
	check_pool_put(&links->owners->rows, row);
}

/* When the link of a page ended: those of a row did so in the order of their addresses. */
static u64 age_of(const struct owner_row *row, u32 page)
{
	return row->ended.age + count_of(row->linked & ((1ULL << page) - 1));
}

/* Rows of which no link is remembered. */
static void forget_oldest(struct owner_links *links)
{
	struct owner_row *row;

	while ((row = STAILQ_FIRST(&links->past)) &&
	       !owners_remembers(links->space, row->ended.age + count_of(row->linked) - 1)) {
		STAILQ_REMOVE_HEAD(&links->past, later);
		forget(links, row);
	}
}

/* All that the row has, which is in no tree. */
static void remember(struct owner_links *links, struct owner_row *row,
		     const struct dmasim_site *where)
{
	struct owners *owners = links->owners;
	u32 count = count_of(row->linked);

	row->ended.where = where;
	row->ended.ns = owners->world->clock.now_ns;
	row->ended.frames_allocated = owners->frames_allocated ? *owners->frames_allocated : 0;
	row->ended.age = links->space->ended;
	TAILQ_INIT(&row->shown);
	STAILQ_INSERT_TAIL(&links->past, row, later);
	links->space->ended += count;
	links->space->linked -= count;
	forget_oldest(links);
}

/* Some links of a row; others stay. */
static void end_part(struct owner_links *links, struct owner_row *row, u64 which,
		     const struct dmasim_site *where)
{
	struct owner_row *part = NULL;

	if (count_of(which) > FEW)
		part = check_pool_get(&links->owners->rows);
	if (!part) {
		spread(links, row, which);
		return;
	}
	*part = *row;
	part->linked = which;
	row->linked &= ~which;
	row->synced &= ~which;
	remember(links, part, where);
}

/* An end that says this is what these links were told to have. */
static bool fits(const struct owner_range *range, const struct dmasim_event *event, u32 state,
		 u32 dir, u64 attrs)
{
	return !range || state != range->state || (dir == event->dir && attrs == event->attrs);
}

/* True if nothing is to be told of what ends: neither of rows, nor of pieces between them. */
static bool all_fit(const struct owner_links *links, u64 start, u64 last,
		    const struct owner_range *range, const struct dmasim_event *event)
{
	const struct owner_row *row;
	struct piece *piece;

	for (row = row_first(links, start, last); row; row = row_next(links, row, start, last)) {
		if (!fits(range, event, row->state, row->dir, row->attrs))
			return false;
	}
	for (piece = owners_first_apart(links->space, start, last); piece;
	     piece = owners_next(links->space, piece, start, last)) {
		if (piece->kind != PIECE_LINK || piece->watched ||
		    !fits(range, event, piece->state, piece->dir, piece->attrs))
			return false;
	}
	return true;
}

DMASIM_HOT void links_end(struct owner_links *links, u64 start, u64 last,
			  const struct owner_range *range, const struct dmasim_event *event)
{
	struct owner_row *row, *next;

	if (links->space->whole)
		whole_spread(links->owners, links->space, start, last);
	spread_ends(links, start, last);
	if (!all_fit(links, start, last, range, event))
		return;
	for (row = row_first(links, start, last); row; row = next) {
		u64 which = row->linked & links_mask(row, start, last);

		next = row_next(links, row, start, last);
		if (which == row->linked) {
			row_leave(links, row);
			remember(links, row, event->site);
		} else if (which) {
			end_part(links, row, which, event->site);
		}
	}
}

/* ---- The past --------------------------------------------------------- */

/* The record of one. It stays as long as the row does. */
static const struct owner_past *shown(struct owner_links *links, struct owner_row *row, u64 dma)
{
	u64 start = dma & ~LINKS_PAGE_LAST;
	struct piece *piece;

	TAILQ_FOREACH(piece, &row->shown, of_list) {
		if (piece->ended.start == start)
			return (struct owner_past *)piece;
	}
	piece = piece_of(links, row, (u32)(start >> INTERVAL_PAGE_LG2) % LINKS_PAGES);
	if (!piece)
		return NULL;
	piece->ended = row->ended;
	piece->ended.start = start;
	piece->ended.last = start + LINKS_PAGE_LAST;
	piece->ended.age = age_of(row, (u32)(start >> INTERVAL_PAGE_LG2) % LINKS_PAGES);
	TAILQ_INSERT_TAIL(&row->shown, piece, of_list);
	return (struct owner_past *)piece;
}

const struct owner_past *links_past(struct owner_links *links, dmasim_sbdf dev, u64 dma)
{
	u32 page = (u32)(dma >> INTERVAL_PAGE_LG2) % LINKS_PAGES;
	struct owner_row *row, *found = NULL;

	STAILQ_FOREACH(row, &links->past, later) {
		if ((dev == DMASIM_NO_SBDF || row->dev == dev) && row->at.start <= dma &&
		    dma <= row->at.last && row->linked & links_bit(dma))
			found = row;
	}
	return found && owners_remembers(links->space, age_of(found, page))
		       ? shown(links, found, dma)
		       : NULL;
}

void links_ended_by(const struct owner_links *links, const struct dmasim_site *where,
		    links_ended *ended, void *cookie)
{
	const struct owner_row *row;

	STAILQ_FOREACH(row, &links->past, later) {
		u64 rest = row->ended.where == where ? row->linked : 0;

		while (rest) {
			u32 page = take_first(&rest);

			if (owners_remembers(links->space, age_of(row, page)))
				ended(cookie, address_of(row, page));
		}
	}
}
