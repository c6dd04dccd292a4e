/* SPDX-License-Identifier: MIT */
/*
 * Panels of one width, one below the other: the picture of the space, a legend, what the pages are,
 * and two charts of the holes. Colours of text and ground follow the reader's light or dark
 * setting; the others are readable on both.
 */
#include "workbench/draw.h"
#include "workbench/text.h"

#define COLUMNS	 128U
#define ROWS_MAX 14U

/* Pixels. */
#define WIDTH	      1060U
#define MARGIN	      24U
#define LEFT	      136U /* of the picture */
#define CELL_WIDTH    7U
#define PICTURE_WIDTH (COLUMNS * CELL_WIDTH)
#define ROW_HEIGHT    18U
#define ROW_STEP      22U
#define CUT_STEP      24U
#define HEAD_HEIGHT   74U
#define LEGEND_HEIGHT 40U
#define BAR_HEIGHT    72U
#define CHART_HEIGHT  172U
#define CHART_WIDTH   420U
#define CHART_GAP     56U
#define PANEL_GAP     36U

#define CHART_BARS 14U

/* ---- Text ------------------------------------------------------------- */

/* Names come from outside. */
static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '<' || c == '>' || c == '&' || c == '"')
			fprintf(out, "&#%u;", c);
		else
			fputc(c < ' ' || c > '~' ? '?' : c, out);
	}
}

static void put_text(FILE *out, u32 x, u32 y, const char *class, const char *text)
{
	fprintf(out, "<text x=\"%u\" y=\"%u\" class=\"%s\">", x, y, class);
	put_escaped(out, text);
	fputs("</text>\n", out);
}

static void put_box(FILE *out, const char *class, u32 x, u32 y, u32 width, u32 height)
{
	fprintf(out, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>\n", class,
		x, y, width, height);
}

static const char *const part_class[VIEW_PARTS] = { "l0", "l1", "l2", "l3", "l4", "l5",
						    "l6", "ro", "ca", "re", "fr" };

/* ---- The picture ------------------------------------------------------ */

/* Heights are in tenths of a pixel, from the bottom of the row. */
struct bar {
	u32 from;
	u32 height;
};

static void stack(const struct view *view, u64 pages[VIEW_PARTS], struct bar bar[VIEW_PARTS])
{
	u64 below = 0;

	for (u32 part = 0; part < VIEW_PARTS; part++) {
		u64 from = below * ROW_HEIGHT * 10 / view->cell_pages;

		below += pages[part];
		bar[part].from = (u32)from;
		bar[part].height = (u32)(below * ROW_HEIGHT * 10 / view->cell_pages - from);
	}
}

/* A rectangle from one column to another. */
static void put_run(FILE *out, const struct bar *bar, u32 y, u32 column, u32 end)
{
	u32 top = 10 * (y + ROW_HEIGHT) - bar->from - bar->height;
	u32 width = (end - column) * CELL_WIDTH;

	fprintf(out, "M%u %u.%uh%uv%u.%uh-%uz", LEFT + column * CELL_WIDTH, top / 10, top % 10,
		width, bar->height / 10, bar->height % 10, width);
}

/* One part of a row is one path; neighbours of the same height are one rectangle. */
static void put_part(FILE *out, struct bar bar[COLUMNS][VIEW_PARTS], u32 part, u32 y)
{
	bool open = false;
	u32 column = 0;

	while (column < COLUMNS) {
		const struct bar *first = &bar[column][part];
		u32 end = column + 1;

		while (end < COLUMNS && bar[end][part].from == first->from &&
		       bar[end][part].height == first->height)
			end++;
		if (first->height) {
			if (!open)
				fprintf(out, "<path class=\"%s\" d=\"", part_class[part]);
			open = true;
			put_run(out, first, y, column, end);
		}
		column = end;
	}
	if (open)
		fputs("\"/>\n", out);
}

static void put_row(FILE *out, const struct view *view, const struct view_window *window, u32 row,
		    u32 y)
{
	struct bar bar[COLUMNS][VIEW_PARTS] = { 0 };
	u64 pages[VIEW_PARTS];
	char label[TEXT_BYTES];

	snprintf(label, sizeof(label), "0x%llx", view_row_first(view, window, row));
	put_text(out, LEFT - 12, y + ROW_HEIGHT - 5, "pfn", label);
	put_box(out, "fr", LEFT, y, PICTURE_WIDTH, ROW_HEIGHT);
	for (u32 column = 0; column < COLUMNS; column++) {
		if (view_cell(view, window, row, column, pages))
			stack(view, pages, bar[column]);
	}
	for (u32 part = 0; part < VIEW_FREE; part++)
		put_part(out, bar, part, y);
}

static void put_cut(FILE *out, u32 y, u64 pages)
{
	char size[TEXT_BYTES], text[64];

	snprintf(text, sizeof(text), "%s free", text_pages(pages, size));
	fprintf(out, "<path class=\"cut\" d=\"M%u %uh%uM%u %uh%u\"/>\n", LEFT, y + 9,
		PICTURE_WIDTH / 2 - 70, LEFT + PICTURE_WIDTH / 2 + 70, y + 9,
		PICTURE_WIDTH / 2 - 70);
	put_text(out, LEFT + PICTURE_WIDTH / 2, y + 13, "mid", text);
}

/* Returns where it ends. */
static u32 put_picture(FILE *out, const struct view *view, u32 y)
{
	for (u32 i = 0; i < view->window_count; i++) {
		const struct view_window *window = &view->window[i];

		if (i) {
			put_cut(out, y, view->window[i - 1].first - window->last - 1);
			y += CUT_STEP;
		}
		for (u32 row = 0; row < window->rows; row++, y += ROW_STEP)
			put_row(out, view, window, row, y);
	}
	return y;
}

static u32 picture_height(const struct view *view)
{
	return view->rows * ROW_STEP + (view->window_count ? view->window_count - 1 : 0) * CUT_STEP;
}

/* ---- Legend ----------------------------------------------------------- */

static u32 put_sample(FILE *out, u32 x, u32 y, const char *class, const char *text)
{
	u32 length = 0;

	while (text[length])
		length++;
	put_box(out, class, x, y, 12, 12);
	put_text(out, x + 17, y + 10, "small", text);
	return x + 17 + length * 7 + 16;
}

static void put_legend(FILE *out, const struct space *space, u32 y)
{
	u32 x = LEFT;

	put_text(out, x, y + 10, "small", "live:");
	x += 36;
	for (u32 class = 0; class < SPACE_CLASSES; class ++)
		x = put_sample(out, x, y, part_class[VIEW_LIVE + class], view_class_name(class));
	x += 12;
	if (space->told) {
		x = put_sample(out, x, y, part_class[VIEW_ROUNDING], "rounding");
		x = put_sample(out, x, y, part_class[VIEW_CACHED], "cached");
	}
	x = put_sample(out, x, y, part_class[VIEW_RESERVED], "reserved");
	put_sample(out, x, y, "fr edge", "free");
}

/* ---- What the pages are ----------------------------------------------- */

static void put_figure(FILE *out, u32 x, u32 y, const char *name, u64 pages)
{
	char size[TEXT_BYTES];

	put_text(out, x, y, "small", name);
	put_text(out, x, y + 17, "strong", text_pages(pages, size));
}

/* A bar of all that is not free, and of holes, to scale; and its figures. */
static void put_shares(FILE *out, const struct space *space, u32 y)
{
	const u64 pages[] = { space->pages[SPACE_LIVE], space->pages[SPACE_ROUNDING],
			      space->pages[SPACE_CACHED], space->pages[SPACE_RESERVED],
			      space->hole_pages };
	static const char *const classes[] = { "l2", "ro", "ca", "re", "fr edge" };
	static const char *const names[] = { "live", "lost to rounding", "cached", "reserved",
					     "in holes" };
	u64 all = 0, below = 0;

	for (u32 i = 0; i < 5; i++)
		all += pages[i];
	for (u32 i = 0; i < 5 && all; i++) {
		/* Whole shares first: sums of pages may be large. */
		u64 from = PICTURE_WIDTH * (below >> 8) / ((all >> 8) + 1);
		u64 to;

		if (!(all >> 20))
			from = PICTURE_WIDTH * below / all;
		below += pages[i];
		to = all >> 20 ? PICTURE_WIDTH * (below >> 8) / ((all >> 8) + 1)
			       : PICTURE_WIDTH * below / all;
		if (to > from)
			put_box(out, classes[i], LEFT + (u32)from, y, (u32)(to - from), 12);
	}
	for (u32 i = 0; i < 5; i++) {
		if (i != 1 && i != 2)
			put_figure(out, LEFT + i * 150, y + 32, names[i], pages[i]);
		else if (space->told)
			put_figure(out, LEFT + i * 150, y + 32, names[i], pages[i]);
	}
	put_figure(out, LEFT + 5 * 150, y + 32, "largest hole", space->hole_largest);
}

/* ---- Charts ----------------------------------------------------------- */

struct chart {
	const char *title;
	u64 value[CHART_BARS];
	u64 most;
	bool percent; /* of most; else numbers */
};

static void put_chart_bar(FILE *out, const struct chart *chart, u32 i, u32 x, u32 bottom)
{
	char label[TEXT_BYTES], value[TEXT_BYTES];
	u64 height = chart->most >> 40 ? 0
				       : chart->value[i] * 100 / (chart->most ? chart->most : 1);
	u32 middle = x + i * 30 + 12;

	if (chart->most >> 40)
		height = chart->value[i] / (chart->most / 100);
	if (chart->value[i] && !height)
		height = 1;
	put_box(out, "fr", x + i * 30, bottom - 100, 24, 100);
	if (height)
		put_box(out, chart->percent ? "l1" : "l3", x + i * 30, bottom - (u32)height, 24,
			(u32)height);
	if (i < 10)
		snprintf(label, sizeof(label), "%u", 1U << i);
	else
		snprintf(label, sizeof(label), "%uK%s", 1U << (i - 10),
			 i + 1 == CHART_BARS ? "+" : "");
	put_text(out, middle, bottom + 14, "tick", label);
	if (chart->percent)
		snprintf(value, sizeof(value), "%llu", height);
	else if (chart->value[i] < 10000)
		snprintf(value, sizeof(value), "%llu", chart->value[i]);
	else
		snprintf(value, sizeof(value), "%lluK", chart->value[i] / 1000);
	if (chart->value[i])
		put_text(out, middle, bottom - 104, "tick", value);
}

static void put_chart(FILE *out, const struct chart *chart, u32 x, u32 y)
{
	put_text(out, x, y + 12, "small", chart->title);
	for (u32 i = 0; i < CHART_BARS; i++)
		put_chart_bar(out, chart, i, x, y + 132);
}

static void put_charts(FILE *out, const struct space *space, u32 y)
{
	struct chart holes = { .title = "holes, by the power of two of their pages" };
	struct chart usable = { .title = "% of pages in holes that aligned runs of 2^n can have",
				.most = space->hole_pages,
				.percent = true };

	for (u32 order = 0; order < SPACE_ORDERS; order++)
		holes.value[order < CHART_BARS ? order : CHART_BARS - 1] +=
			space->hole_count[order];
	for (u32 i = 0; i < CHART_BARS; i++) {
		usable.value[i] = space->usable_pages[i];
		if (holes.value[i] > holes.most)
			holes.most = holes.value[i];
	}
	put_chart(out, &holes, LEFT, y);
	put_chart(out, &usable, LEFT + CHART_WIDTH + CHART_GAP, y);
}

/* ---- Panels ----------------------------------------------------------- */

static u32 panel_height(const struct view *view)
{
	return HEAD_HEIGHT + picture_height(view) + LEGEND_HEIGHT + BAR_HEIGHT + CHART_HEIGHT;
}

static u32 put_panel(FILE *out, const struct drawing *drawing, u64 cell_pages, u32 y)
{
	char size[TEXT_BYTES], scale[96];
	struct view view;
	u32 end;

	view_init(&view, &drawing->space, COLUMNS, ROWS_MAX, cell_pages);
	end = y + panel_height(&view);
	put_text(out, LEFT, y + 22, "name", drawing->name);
	put_text(out, LEFT, y + 42, "say", drawing->title);
	snprintf(scale, sizeof(scale),
		 "a column is %llu page%s (%s), filled by what its pages are; high addresses first",
		 view.cell_pages, view.cell_pages == 1 ? "" : "s",
		 text_pages(view.cell_pages, size));
	put_text(out, LEFT, y + 60, "small", scale);
	y = put_picture(out, &view, y + HEAD_HEIGHT);
	put_legend(out, &drawing->space, y + 8);
	put_shares(out, &drawing->space, y + LEGEND_HEIGHT);
	put_charts(out, &drawing->space, y + LEGEND_HEIGHT + BAR_HEIGHT);
	return end;
}

static const char style[] =
	"<style>\n"
	"text{font-family:system-ui,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2630}\n"
	".name{font-size:20px;font-weight:600}.say{font-size:13px}\n"
	".small{font-size:12px;fill:#5b6675}.strong{font-size:14px;font-weight:600}\n"
	".pfn{font:11px ui-monospace,Menlo,Consolas,monospace;text-anchor:end;fill:#5b6675}\n"
	".mid{font-size:12px;text-anchor:middle;fill:#5b6675}\n"
	".tick{font-size:10px;text-anchor:middle;fill:#5b6675}\n"
	".cut{stroke:#9aa5b4;stroke-dasharray:2 5;fill:none}\n"
	".ground{fill:#ffffff}.fr{fill:#e9edf2}.edge{stroke:#b9c2cd;stroke-width:.6}\n"
	".l0{fill:#7cc9f2}.l1{fill:#4fabe6}.l2{fill:#3f8cda}.l3{fill:#4d70cb}.l4{fill:#6558b8}\n"
	".l5{fill:#7d45a1}.l6{fill:#95387f}.ro{fill:#e3b341}.ca{fill:#ee7d45}.re{fill:#8a94a3}\n"
	"@media (prefers-color-scheme:dark){text{fill:#e6eaf0}.ground{fill:#12161c}\n"
	".small,.pfn,.mid,.tick{fill:#9aa7b8}.fr{fill:#262d37}.edge{stroke:#4a5563}}\n"
	"</style>\n";

void draw_svg(FILE *out, const struct drawing *drawing, u32 count)
{
	u32 height = 2 * MARGIN + (count ? count - 1 : 0) * PANEL_GAP, y = MARGIN;
	u64 cell_pages = 1;
	struct view view;

	for (u32 i = 0; i < count; i++) {
		view_init(&view, &drawing[i].space, COLUMNS, ROWS_MAX, cell_pages);
		cell_pages = view.cell_pages;
	}
	for (u32 i = 0; i < count; i++) {
		view_init(&view, &drawing[i].space, COLUMNS, ROWS_MAX, cell_pages);
		height += panel_height(&view);
	}
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\">\n<title>IOVA space</title>\n%s",
		WIDTH, height, WIDTH, height, style);
	put_box(out, "ground", 0, 0, WIDTH, height);
	for (u32 i = 0; i < count; i++)
		y = put_panel(out, &drawing[i], cell_pages, y) + PANEL_GAP;
	fputs("</svg>\n", out);
}
