/* SPDX-License-Identifier: MIT */
/*
 * Drawing an address space. What is used stands in windows; long free stretches between them are
 * cut out. Windows are divided into cells of equal size, these stand in rows, the highest addresses
 * in the first row, and each row from low to high.
 */
#ifndef WORKBENCH_DRAW_H
#define WORKBENCH_DRAW_H

#include "workbench/space.h"

/* What a cell may hold: live ranges by their classes, and the other kinds. */
enum view_part {
	VIEW_LIVE,
	VIEW_ROUNDING = VIEW_LIVE + SPACE_CLASSES,
	VIEW_CACHED,
	VIEW_RESERVED,
	VIEW_FREE,
	VIEW_PARTS,
};

#define VIEW_WINDOWS_MAX 12

struct view_window {
	u64 first;
	u64 last;
	u32 rows;
};

struct view {
	const struct space *space;
	u32 columns;
	u64 cell_pages;
	u32 rows; /* of all windows */
	u32 window_count;
	struct view_window window[VIEW_WINDOWS_MAX]; /* the highest first */
};

/*
 * rows_max: how many there may be, at least VIEW_WINDOWS_MAX. cell_pages_min: so much, or more that
 * rows_max needs; a power of two.
 */
void view_init(struct view *view, const struct space *space, u32 columns, u32 rows_max,
	       u64 cell_pages_min);

/*
 * Pages of each part in one cell of a window; row 0 is the highest, column 0 the lowest. False: the
 * cell is outside the window.
 */
bool view_cell(const struct view *view, const struct view_window *window, u32 row, u32 column,
	       u64 pages[VIEW_PARTS]);
/* The lowest pfn of a row. */
u64 view_row_first(const struct view *view, const struct view_window *window, u32 row);

/* "1 page", "2", "3-4" ... */
const char *view_class_name(u32 class);

/* One allocator's space, and what is said about it. */
struct drawing {
	const char *name;
	char title[160]; /* "mixed: 1,000 live ranges, ..." */
	struct space space;
	u64 cached_ranges; /* ~0: the allocator does not tell */
};

/* All of them, one below the other, with cells of one size. */
void draw_text(FILE *out, const struct drawing *drawing, u32 count);
void draw_svg(FILE *out, const struct drawing *drawing, u32 count);

#endif
