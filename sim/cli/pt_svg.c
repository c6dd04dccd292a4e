/* SPDX-License-Identifier: MIT */
/*
 * The tree as a picture: tables from left to right, what their entries lead to beside them, in the
 * order of the entries, so that no arrow crosses another.
 *
 *   top table          table               pages
 *   [1] word    --->   [0] word     --->   from, to, size, rights
 *       names              names
 */
#include <stdlib.h>
#include <string.h>

#include "pt.h"
#include "svg.h"

/* Pixels. */
#define MARGIN	    24U
#define HEAD	    64U
#define BOX_HEAD    30U
#define ROW_HEIGHT  32U
#define PAGE_HEIGHT 48U
#define GAP	    14U /* between one box and the next below */
#define COLUMN_GAP  70U
#define PAD	    10U
#define LINE	    17U
#define WIDTH_MIN   720U

/* Of what nobody would find anything in. */
#define ROWS_MAX  24U
#define NODES_MAX 100U
#define LINES_MAX 40U

#define COLUMNS (PGTABLE_LEVELS_MAX + 1)

static const char style[] =
	"<style>\n"
	"text{font-family:system-ui,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2630;"
	"font-size:11px}\n"
	".name{font-size:20px;font-weight:600}.say{font-size:13px;fill:#5b6675}\n"
	".strong{font-size:12px;font-weight:600}.small,.bits,.done{fill:#5b6675}\n"
	".word,.done{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace}\n"
	".bits{font-size:10px}.wrong{fill:#c8372d;font-weight:600}\n"
	".ground{fill:#ffffff}.table{fill:#eef2f6;stroke:#8ea3bf;stroke-width:1.4}\n"
	".row{fill:#ffffff;stroke:#c9d1db}.page{fill:#e4f4ea;stroke:#1f8a4c;stroke-width:1.4}\n"
	".bad{fill:#fbe6e4;stroke:#c8372d;stroke-width:1.4}\n"
	".more{fill:none;stroke:#9aa5b4;stroke-dasharray:3 3}\n"
	".link{fill:none;stroke:#77828f;stroke-width:1.4}.tip{fill:#77828f}\n"
	"@media (prefers-color-scheme:dark){text{fill:#e6eaf0}.ground{fill:#12161c}\n"
	".small,.say,.bits,.done{fill:#9aa7b8}.table{fill:#1a2029;stroke:#4c6384}\n"
	".row{fill:#252d38;stroke:#3d4856}.page{fill:#17352a}.bad{fill:#3d2020}\n"
	".wrong{fill:#ff9d94}}\n"
	"</style>\n";

struct picture {
	const struct pt_tree *tree;
	FILE *to;
	u32 *height;	    /* of each table, with all it leads to; 0: it is not drawn */
	u32 width[COLUMNS]; /* of boxes */
	u32 x[COLUMNS];
	u32 drawn; /* tables */
};

/* ---- Texts ------------------------------------------------------------ */

#define TEXT_BYTES 512

static void row_text(const struct pt_row *row, char text[TEXT_BYTES])
{
	char place[PT_PLACE_BYTES], step[24] = "", count[16] = "";

	if (row->count > 1)
		snprintf(count, sizeof(count), "%u x ", row->count);
	if (row->apart)
		snprintf(step, sizeof(step), " +0x%llx", row->apart);
	snprintf(text, TEXT_BYTES, "%s %s0x%016llx%s", pt_row_place(row, place), count, row->word,
		 step);
}

static void names_text(const struct picture *picture, const struct pt_node *node,
		       const struct pt_row *row, char names[PT_NAMES_BYTES])
{
	const struct pt_options *options = picture->tree->options;

	pt_names(options->format, &options->layout, row->word, node->level, names);
}

/* "0x40000000 to 0x1000000" */
static void way_text(const struct picture *picture, const struct pt_row *row, char text[TEXT_BYTES])
{
	snprintf(text, TEXT_BYTES, "0x%llx to 0x%llx", pt_tree_iova(picture->tree, row->iova),
		 pt_row_phys(row));
}

/* Letters of about the same width, and of half a pixel. */
static u32 width_of(const char *text, u32 half_pixels)
{
	return ((u32)strlen(text) * half_pixels + 1) / 2;
}

#define WORD_WIDTH 14U
#define BITS_WIDTH 12U
#define SAYS_WIDTH 12U

static void widen(struct picture *picture, u32 column, u32 width)
{
	width += 2 * PAD;
	if (picture->width[column] < width)
		picture->width[column] = width;
}

/* ---- Measuring -------------------------------------------------------- */

static bool leads_to_box(const struct picture *picture, const struct pt_row *row)
{
	return row->child != PT_NONE && picture->height[row->child];
}

static u32 rows_shown(const struct pt_node *node)
{
	return node->row_count < ROWS_MAX ? node->row_count : ROWS_MAX;
}

static u32 box_height(const struct pt_node *node)
{
	u32 rows = rows_shown(node);

	return BOX_HEAD + rows * ROW_HEIGHT + (rows < node->row_count ? LINE : 0) + 6;
}

static void measure_row(struct picture *picture, const struct pt_node *node,
			const struct pt_row *row, u32 column)
{
	char text[TEXT_BYTES], names[PT_NAMES_BYTES], says[PT_SAYS_BYTES];

	row_text(row, text);
	widen(picture, column, width_of(text, WORD_WIDTH) + PAD);
	names_text(picture, node, row, names);
	widen(picture, column, width_of(names, BITS_WIDTH) + PAD);
	if (row->child != PT_NONE)
		return;
	way_text(picture, row, text);
	widen(picture, column + 1, width_of(text, WORD_WIDTH));
	widen(picture, column + 1,
	      width_of(pt_row_says(picture->tree, node, row, says), SAYS_WIDTH));
}

static u32 measure(struct picture *picture, u32 index, u32 column)
{
	const struct pt_node *node = &picture->tree->node[index];
	u32 height = box_height(node), beside = 0;

	picture->height[index] = height;
	picture->drawn++;
	widen(picture, column, 150);
	for (u32 i = node->row; i < node->row + rows_shown(node); i++) {
		const struct pt_row *row = &picture->tree->row[i];

		measure_row(picture, node, row, column);
		if (row->child != PT_NONE && picture->drawn < NODES_MAX)
			beside += measure(picture, row->child, column + 1) + GAP;
		else
			beside += PAGE_HEIGHT + GAP;
	}
	if (beside > height + GAP)
		height = beside - GAP;
	picture->height[index] = height;
	return height;
}

/* ---- Drawing ---------------------------------------------------------- */

static void put_link(const struct picture *picture, u32 column, u32 from, u32 to)
{
	u32 x = picture->x[column] + picture->width[column] - 6, end = picture->x[column + 1];
	u32 middle = (x + end) / 2;

	fprintf(picture->to,
		"<path class=\"link\" d=\"M%u %uC%u %u %u %u %u %u\"/>"
		"<path class=\"tip\" d=\"M%u %ul-7 -4v8z\"/>\n",
		x, from, middle, from, middle, to, end - 5, to, end, to);
}

static void put_page(const struct picture *picture, const struct pt_node *node,
		     const struct pt_row *row, u32 column, u32 y)
{
	bool bad = row->said.kind == WALK_MALFORMED;
	u32 x = picture->x[column], width = picture->width[column];
	char text[TEXT_BYTES], says[PT_SAYS_BYTES];
	bool leaf = row->said.kind == WALK_LEAF;

	cli_svg_box(picture->to, leaf ? "page" : bad ? "bad" : "more", 8, x, y, width, PAGE_HEIGHT);
	pt_row_says(picture->tree, node, row, says);
	if (leaf) {
		way_text(picture, row, text);
		cli_svg_text(picture->to, x + PAD, y + 20, "word", text);
	}
	cli_svg_text(picture->to, x + PAD, y + (leaf ? 37 : 28), bad ? "wrong" : "small", says);
}

static void put_row(const struct picture *picture, const struct pt_node *node,
		    const struct pt_row *row, u32 column, u32 y)
{
	u32 x = picture->x[column] + 6, width = picture->width[column] - 12;
	char text[TEXT_BYTES], names[PT_NAMES_BYTES];

	cli_svg_box(picture->to, "row", 3, x, y, width, ROW_HEIGHT - 3);
	row_text(row, text);
	cli_svg_text(picture->to, x + 7, y + 12, "word", text);
	names_text(picture, node, row, names);
	cli_svg_text(picture->to, x + 7, y + 24, "bits", names);
}

static void put_head(const struct picture *picture, u32 index, u32 column, u32 y)
{
	const struct pt_node *node = &picture->tree->node[index];
	char text[TEXT_BYTES];

	snprintf(text, sizeof(text), "level %u, 0x%llx%s", node->level, node->phys,
		 node->lost	   ? ": no memory is there"
		 : node->row_count ? ""
				   : ": empty");
	cli_svg_text(picture->to, picture->x[column] + PAD, y + 20, node->lost ? "wrong" : "strong",
		     text);
}

static void put_table(const struct picture *picture, u32 index, u32 column, u32 y)
{
	const struct pt_node *node = &picture->tree->node[index];
	u32 shown = rows_shown(node), beside = y;
	char text[TEXT_BYTES];

	cli_svg_box(picture->to, "table", 8, picture->x[column], y, picture->width[column],
		    box_height(node));
	put_head(picture, index, column, y);
	for (u32 i = 0; i < shown; i++) {
		const struct pt_row *row = &picture->tree->row[node->row + i];
		u32 at = y + BOX_HEAD + i * ROW_HEIGHT;
		bool table = leads_to_box(picture, row);

		put_row(picture, node, row, column, at);
		put_link(picture, column, at + ROW_HEIGHT / 2 - 2,
			 beside + (table ? 16 : PAGE_HEIGHT / 2));
		if (table)
			put_table(picture, row->child, column + 1, beside);
		else
			put_page(picture, node, row, column + 1, beside);
		beside += (table ? picture->height[row->child] : PAGE_HEIGHT) + GAP;
	}
	if (shown == node->row_count)
		return;
	snprintf(text, sizeof(text), "and %u more", node->row_count - shown);
	cli_svg_text(picture->to, picture->x[column] + PAD, y + BOX_HEAD + shown * ROW_HEIGHT + 12,
		     "small", text);
}

/* What was done, a line each; to may be NULL. Returns how many lines. */
static u32 put_said(const char *said, FILE *to, u32 y)
{
	u32 lines = 0;

	for (; *said && lines < LINES_MAX; lines++) {
		size_t length = strcspn(said, "\n");

		if (to) {
			fprintf(to,
				"<text x=\"%u\" y=\"%u\" class=\"done\" xml:space=\"preserve\">",
				MARGIN, y + lines * LINE);
			cli_svg_escaped(to, said, length);
			fputs("</text>\n", to);
		}
		said += length + (said[length] == '\n');
	}
	if (*said && to)
		cli_svg_text(to, MARGIN, y + lines * LINE, "small", "and more");
	return lines + (*said != '\0');
}

static u32 place_columns(struct picture *picture)
{
	u32 x = MARGIN;

	for (u32 column = 0; column < COLUMNS && picture->width[column]; column++) {
		picture->x[column] = x;
		x += picture->width[column] + COLUMN_GAP;
	}
	x += MARGIN - COLUMN_GAP;
	return x > WIDTH_MIN ? x : WIDTH_MIN;
}

static void put_picture(struct picture *picture, const char *said)
{
	const struct pt_tree *tree = picture->tree;
	u32 below = HEAD + MARGIN + measure(picture, 0, 0) + 2 * GAP;
	u32 width = place_columns(picture);
	u32 height = below + (put_said(said, NULL, 0) + 1) * LINE + MARGIN;
	char text[PT_HEAD_BYTES], sizes[PT_HEAD_BYTES];

	cli_svg_begin(picture->to, width, height, style);
	cli_svg_box(picture->to, "ground", 0, 0, 0, width, height);
	cli_svg_text(picture->to, MARGIN, MARGIN + 16, "name", tree->options->format->name);
	cli_svg_text(picture->to, MARGIN, MARGIN + 36, "say", pt_tree_title(tree, text));
	snprintf(text, sizeof(text), "leaves of %s", pt_sizes_text(tree->page_sizes, sizes));
	cli_svg_text(picture->to, MARGIN, MARGIN + 53, "say", text);
	put_table(picture, 0, 0, HEAD + MARGIN);
	cli_svg_text(picture->to, MARGIN, below + 12, "small", pt_tree_total(tree, text));
	put_said(said, picture->to, below + 12 + LINE);
	fputs("</svg>\n", picture->to);
}

bool pt_print_svg(const struct pt_tree *tree, const char *said, FILE *to)
{
	struct picture picture = { .tree = tree, .to = to };

	picture.height = calloc(tree->node_count, sizeof(*picture.height));
	if (!picture.height)
		return false;
	put_picture(&picture, said);
	free(picture.height);
	return true;
}
