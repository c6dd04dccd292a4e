/* SPDX-License-Identifier: MIT */
#include "workbench/draw.h"
#include "workbench/text.h"

#define COLUMNS	      64
#define ROWS_MAX      16
#define INDENT	      "  "
/* Sizes of holes up to 2^this have a line even if there is none. */
#define ORDERS_ALWAYS 6

/* ---- The picture ------------------------------------------------------ */

static const char signs[VIEW_PARTS + 1] = "0123456rcR.";

/* What there is most of; of two alike, what is not free. */
static char sign_of(const u64 pages[VIEW_PARTS])
{
	u64 live = 0, most = 0;
	u32 class = 0, best = VIEW_LIVE;

	for (u32 part = VIEW_LIVE; part < VIEW_LIVE + SPACE_CLASSES; part++) {
		live += pages[part];
		if (pages[part] > pages[class])
			class = part;
	}
	for (u32 part = VIEW_ROUNDING; part < VIEW_PARTS; part++) {
		if (pages[part] > most) {
			most = pages[part];
			best = part;
		}
	}
	return live >= most ? signs[class] : signs[best];
}

static void draw_row(FILE *out, const struct view *view, const struct view_window *window, u32 row)
{
	char line[COLUMNS + 1], label[TEXT_BYTES];
	u64 pages[VIEW_PARTS];
	size_t length = COLUMNS;

	for (u32 column = 0; column < COLUMNS; column++)
		line[column] = view_cell(view, window, row, column, pages) ? sign_of(pages) : ' ';
	while (length && line[length - 1] == ' ')
		length--;
	line[length] = '\0';
	snprintf(label, sizeof(label), "0x%llx", view_row_first(view, window, row));
	fprintf(out, INDENT "%14s  %s\n", label, line);
}

static void draw_cut(FILE *out, u64 pages)
{
	char text[TEXT_BYTES];

	fprintf(out, INDENT "%14s  ... %s free ...\n", "", text_pages(pages, text));
}

static void draw_picture(FILE *out, const struct space *space, u64 cell_pages)
{
	struct view view;
	char text[2][TEXT_BYTES];

	view_init(&view, space, COLUMNS, ROWS_MAX, cell_pages);
	if (!view.window_count) {
		fprintf(out, INDENT "nothing is in use\n\n");
		return;
	}
	fprintf(out, INDENT "a character is %s page%s (%s); the highest addresses stand first\n\n",
		text_count(view.cell_pages, text[0]), view.cell_pages == 1 ? "" : "s",
		text_pages(view.cell_pages, text[1]));
	for (u32 i = 0; i < view.window_count; i++) {
		if (i)
			draw_cut(out, view.window[i - 1].first - view.window[i].last - 1);
		for (u32 row = 0; row < view.window[i].rows; row++)
			draw_row(out, &view, &view.window[i], row);
	}
	fputs("\n" INDENT "live", out);
	for (u32 class = 0; class < SPACE_CLASSES; class ++)
		fprintf(out, "%s %c %s", class ? "," : "", signs[VIEW_LIVE + class],
			view_class_name(class));
	fprintf(out, "; %sR reserved, . free\n\n",
		space->told ? "r lost to rounding, c cached, " : "");
}

/* ---- Figures ---------------------------------------------------------- */

static void print_kind(FILE *out, const char *name, u64 ranges, u64 pages, const char *more)
{
	char text[3][TEXT_BYTES];

	fprintf(out, INDENT "%-10s %10s ranges %14s pages %10s%s\n", name,
		ranges == ~0ULL ? "?" : text_count(ranges, text[0]), text_count(pages, text[1]),
		text_pages(pages, text[2]), more);
}

static void print_kinds(FILE *out, const struct drawing *drawing)
{
	const struct space *space = &drawing->space;
	u64 taken = space->pages[SPACE_LIVE] + space->pages[SPACE_ROUNDING];
	char share[TEXT_BYTES], more[64];

	print_kind(out, "live", space->ranges[SPACE_LIVE], space->pages[SPACE_LIVE], "");
	if (space->told) {
		snprintf(more, sizeof(more), ", %s of what live ranges take",
			 text_share(space->pages[SPACE_ROUNDING], taken, share));
		print_kind(out, "rounding", space->ranges[SPACE_ROUNDING],
			   space->pages[SPACE_ROUNDING], taken ? more : "");
		print_kind(out, "cached", drawing->cached_ranges, space->pages[SPACE_CACHED], "");
	} else {
		fputs(INDENT "the allocator does not tell of rounding and caches: they count as "
			     "free\n",
		      out);
	}
	print_kind(out, "reserved", space->ranges[SPACE_RESERVED], space->pages[SPACE_RESERVED],
		   "");
	print_kind(out, "holes", space->holes, space->hole_pages, "");
	print_kind(out, "open", space->open, space->open_pages, "");
}

static void print_holes(FILE *out, const struct space *space)
{
	u32 orders = space->holes ? space_order(space->hole_largest) + 1 : 0;
	char text[2][TEXT_BYTES], share[TEXT_BYTES];

	if (!orders)
		return;
	fprintf(out, "\n" INDENT "the largest hole is %s pages, %s of all pages in holes\n\n",
		text_count(space->hole_largest, text[0]),
		text_share(space->hole_largest, space->hole_pages, text[1]));
	fprintf(out, INDENT "%14s %10s   of their pages, aligned runs\n", "pages from", "holes");
	fprintf(out, INDENT "%14s %10s   of so many pages can have\n", "", "");
	for (u32 order = 0; order < orders; order++) {
		if (order > ORDERS_ALWAYS && !space->hole_count[order])
			continue;
		fprintf(out, INDENT "%14s %10s   %8s\n", text_count(1ULL << order, text[0]),
			space->hole_count[order] ? text_count(space->hole_count[order], text[1])
						 : "",
			text_share(space->usable_pages[order], space->hole_pages, share));
	}
}

void draw_text(FILE *out, const struct drawing *drawing, u32 count)
{
	u64 cell_pages = 1;
	struct view view;

	for (u32 i = 0; i < count; i++) {
		view_init(&view, &drawing[i].space, COLUMNS, ROWS_MAX, cell_pages);
		cell_pages = view.cell_pages;
	}
	for (u32 i = 0; i < count; i++) {
		fprintf(out, "%s%s after %s\n", i ? "\n" : "", drawing[i].name, drawing[i].title);
		draw_picture(out, &drawing[i].space, cell_pages);
		print_kinds(out, &drawing[i]);
		print_holes(out, &drawing[i].space);
	}
}
