/* SPDX-License-Identifier: MIT */
#include "workbench/draw.h"

/* A free stretch is cut out if it is longer than so much of what is in use. */
#define CUT_SHARE 8

static u64 larger(u64 a, u64 b)
{
	return a > b ? a : b;
}

static u64 up(u64 value, u64 unit)
{
	return (value + unit - 1) / unit * unit;
}

/* Windows with free stretches up to `cut` in them. False: there are too many. */
static bool find_windows(struct view *view, u64 cut)
{
	const struct space *space = view->space;
	struct view_window *window = NULL;

	view->window_count = 0;
	for (size_t i = space->count; i-- > 0;) {
		const struct space_stretch *stretch = &space->stretch[i];

		if (stretch->kind == SPACE_FREE) {
			if (stretch->last - stretch->first >= cut)
				window = NULL;
			continue;
		}
		if (!window) {
			if (view->window_count == VIEW_WINDOWS_MAX)
				return false;
			window = &view->window[view->window_count++];
			window->last = stretch->last;
		}
		window->first = stretch->first;
	}
	return true;
}

/* Rows that all windows take. */
static u32 lay_out(struct view *view)
{
	u64 row_pages = view->cell_pages * view->columns, rows = 0;

	for (u32 i = 0; i < view->window_count; i++) {
		struct view_window *window = &view->window[i];
		u64 first = window->first / row_pages * row_pages;
		u64 count = up(window->last + 1 - first, row_pages) / row_pages;

		rows += count;
		if (rows > 1U << 20)
			return 1U << 20;
		window->rows = (u32)count;
	}
	return (u32)rows;
}

void view_init(struct view *view, const struct space *space, u32 columns, u32 rows_max,
	       u64 cell_pages_min)
{
	u64 used = 0;

	*view = (struct view){ .space = space, .columns = columns, .cell_pages = cell_pages_min };
	for (u32 kind = SPACE_LIVE; kind < SPACE_KIND_COUNT; kind++)
		used += space->pages[kind];
	for (;; view->cell_pages *= 2) {
		/* Not shorter than a row: no row belongs to two windows. */
		u64 cut = larger(used / CUT_SHARE, view->cell_pages * columns);

		while (!find_windows(view, cut))
			cut *= 2;
		view->rows = lay_out(view);
		if (view->rows <= rows_max)
			break;
	}
}

u64 view_row_first(const struct view *view, const struct view_window *window, u32 row)
{
	u64 row_pages = view->cell_pages * view->columns;

	return window->first / row_pages * row_pages + (window->rows - 1 - row) * row_pages;
}

/* The first stretch that ends at or above pfn. */
static size_t at(const struct space *space, u64 pfn)
{
	size_t low = 0, high = space->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (space->stretch[middle].last < pfn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static u32 part_of(const struct space_stretch *stretch)
{
	static const u8 parts[] = {
		[SPACE_FREE] = VIEW_FREE,	  [SPACE_LIVE] = VIEW_LIVE,
		[SPACE_ROUNDING] = VIEW_ROUNDING, [SPACE_CACHED] = VIEW_CACHED,
		[SPACE_RESERVED] = VIEW_RESERVED,
	};

	return parts[stretch->kind] + (stretch->kind == SPACE_LIVE ? stretch->class : 0);
}

bool view_cell(const struct view *view, const struct view_window *window, u32 row, u32 column,
	       u64 pages[VIEW_PARTS])
{
	const struct space *space = view->space;
	u64 first = view_row_first(view, window, row) + column * view->cell_pages;
	u64 last = first + view->cell_pages - 1;

	for (u32 part = 0; part < VIEW_PARTS; part++)
		pages[part] = 0;
	if (last < window->first || first > window->last)
		return false;
	for (size_t i = at(space, first); i < space->count; i++) {
		const struct space_stretch *stretch = &space->stretch[i];
		u64 begin = stretch->first > first ? stretch->first : first;
		u64 end = stretch->last < last ? stretch->last : last;

		if (stretch->first > last)
			break;
		pages[part_of(stretch)] += end - begin + 1;
	}
	return true;
}

const char *view_class_name(u32 class)
{
	static const char *const names[SPACE_CLASSES] = { "1 page", "2",     "3-4", "5-8",
							  "9-16",   "17-32", "more" };

	return names[class];
}
