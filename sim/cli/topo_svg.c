/* SPDX-License-Identifier: MIT */
/*
 * The tree as a picture. Host bridges and switches are boxes that hold ports; a port's colour says
 * what ACS does there. Colours of text and ground follow the reader's light or dark setting; the
 * others are readable on both.
 */
#include <string.h>

#include "svg.h"
#include "topo_place.h"

#define WIDTH_MIN   860U
#define LEGEND_LINE 22U
#define NOTE_LINE   18U

static const char style[] =
	"<style>\n"
	"text{font-family:system-ui,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2630;"
	"font-size:11px}\n"
	".name{font-size:20px;font-weight:600}.say{font-size:13px;fill:#5b6675}\n"
	".host{font-size:14px;font-weight:600}.strong{font-size:12px;font-weight:600}\n"
	".small{fill:#5b6675}.end{text-anchor:end}\n"
	".bdf{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
	"font-size:10.5px;fill:#5b6675}\n"
	".ground{fill:#ffffff}.frame{fill:#eef2f6;stroke:#b6c0cc}\n"
	".switch{fill:#e3eaf4;stroke:#8ea3bf}.device{fill:#f4f6f9}\n"
	".box{fill:#ffffff;stroke:#9aa5b4}.link{fill:none;stroke:#77828f;stroke-width:1.6}\n"
	".on{fill:#e4f4ea;stroke:#1f8a4c;stroke-width:1.8}\n"
	".pass{fill:#fdf1dc;stroke:#d08700;stroke-width:1.8}\n"
	".none{fill:#fbe6e4;stroke:#c8372d;stroke-width:1.8}\n"
	".hidden{fill:#f1f3f5;stroke:#7b8794;stroke-width:1.4;stroke-dasharray:4 3}\n"
	".silent{fill:none;stroke:#9aa5b4;stroke-dasharray:2 4}\n"
	".disk{fill:#3f8cda}.net{fill:#1b9e9e}.gpu{fill:#8e4ab0}.other{fill:#aab3be}\n"
	"@media (prefers-color-scheme:dark){text{fill:#e6eaf0}.ground{fill:#12161c}\n"
	".small,.say,.bdf{fill:#9aa7b8}.frame{fill:#1a2029;stroke:#3d4856}\n"
	".switch{fill:#202a38;stroke:#4c6384}.device{fill:#181d25}\n"
	".box{fill:#252d38;stroke:#56616f}\n"
	".on{fill:#17352a}.pass{fill:#3a2e15}.none{fill:#3d2020}.hidden{fill:#232a33}}\n"
	"</style>\n";

/* ---- Pieces ----------------------------------------------------------- */

static void put_box(FILE *to, const char *class, u32 radius, struct topo_frame box)
{
	cli_svg_box(to, class, radius, box.x, box.y, box.width, box.height);
}

static const char *plural(u32 count)
{
	return count == 1 ? "" : "s";
}

/* ---- Functions -------------------------------------------------------- */

static const char *const looks[] = {
	[TOPO_REDIRECTS] = "on",
	[TOPO_LETS_PASS] = "pass",
	[TOPO_NO_ACS] = "none",
	[TOPO_ACS_HIDDEN] = "hidden",
};

static const char *look_of(const struct topo_function *function)
{
	if (!function->answered)
		return "silent";
	return topo_acs_matters(function) ? looks[topo_isolation(function)] : "box";
}

static const char *stripe_of(const struct topo_function *function)
{
	switch (function->pdev->class_code >> 16) {
	case 0x01:
		return "disk";
	case 0x02:
		return "net";
	case 0x03:
	case 0x12:
		return "gpu";
	default:
		return "other";
	}
}

static const struct topo_bar *largest_bar(const struct topo_function *function)
{
	const struct topo_bar *largest = NULL;

	for (u32 i = 0; i < function->bar_count; i++) {
		const struct topo_bar *bar = &function->bar[i];

		if (!bar->io && (!largest || bar->bytes > largest->bytes))
			largest = bar;
	}
	return largest;
}

/* "bus 01-04" */
static void put_buses(FILE *to, u32 x, u32 y, u32 first, u32 last)
{
	char text[16];

	if (first == last)
		snprintf(text, sizeof(text), "bus %02x", first);
	else
		snprintf(text, sizeof(text), "bus %02x-%02x", first, last);
	cli_svg_text(to, x, y, "small end", text);
}

/* What stands at the right of the second line. */
static void put_right(const struct topo_function *function, struct topo_at at, FILE *to)
{
	const struct topo_bar *bar = largest_bar(function);
	u32 x = at.x + BOX_WIDTH - 10, y = at.y + 30;
	char text[64], size[32];

	if (function->bridge && function->secondary) {
		put_buses(to, x, y, function->secondary, function->subordinate);
	} else if (function->bridge) {
		cli_svg_text(to, x, y, "small end", "leads nowhere");
	} else if (function->virtual_on) {
		snprintf(text, sizeof(text), "%u virtual", function->virtual_on);
		cli_svg_text(to, x, y, "small end", text);
	} else if (bar) {
		dmasim_size_text(bar->bytes, size, sizeof(size));
		snprintf(text, sizeof(text), "%s%s", bar->inferred ? "~ " : "", size);
		cli_svg_text(to, x, y, "small end", text);
	}
}

static void put_function(const struct topo_function *function, struct topo_at at, FILE *to)
{
	struct topo_frame box = { at.x, at.y, BOX_WIDTH, BOX_HEIGHT };
	char title[64], text[TOPO_TEXT_BYTES];

	put_box(to, look_of(function), 6, box);
	snprintf(title, sizeof(title), "%s", topo_title(function));
	if (function->port_number)
		snprintf(title, sizeof(title), "%s #%u", topo_title(function),
			 function->port_number);
	cli_svg_text(to, at.x + 12, at.y + 16, "strong", title);
	/* The column says which domain. */
	cli_svg_text(to, at.x + BOX_WIDTH - 10, at.y + 16, "bdf end",
		     strchr(function->name, ':') + 1);
	if (!function->answered)
		return;
	if (!function->bridge)
		put_box(to, stripe_of(function), 2,
			(struct topo_frame){ at.x, at.y + 6, 4, BOX_HEIGHT - 12 });
	if (topo_acs_matters(function))
		cli_svg_text(to, at.x + 12, at.y + 30, "small", topo_acs_text(function, text));
	else {
		snprintf(text, sizeof(text), "%04x:%04x", function->pdev->vendor,
			 function->pdev->device);
		cli_svg_text(to, at.x + 12, at.y + 30, "bdf", text);
	}
	put_right(function, at, to);
}

/* ---- Links and frames ------------------------------------------------- */

/* From a bridge to the first on its bus, and from there down to the others. */
static void put_links(const struct topo_place *place, u32 bridge, FILE *to)
{
	u32 first = topo_first_below(place->topo, bridge);
	struct topo_at from = place->at[bridge];
	u32 y = from.y + BOX_HEIGHT / 2, x = from.x + BOX_WIDTH, last = y;

	if (first == TOPO_NONE)
		return;
	fprintf(to, "<path class=\"link\" d=\"M%u %uH%u", x, y, place->at[first].x);
	x += LINK_WIDTH / 2;
	for (u32 at = topo_next_beside(place->topo, first); at != TOPO_NONE;
	     at = topo_next_beside(place->topo, at)) {
		last = place->at[at].y + BOX_HEIGHT / 2;
		fprintf(to, "M%u %uH%u", x, last, place->at[at].x);
	}
	if (last != y)
		fprintf(to, "M%u %uV%u", x, y, last);
	fputs("\"/>\n", to);
}

/* Behind the functions of one device. */
static void put_device(const struct topo_place *place, u32 first, FILE *to)
{
	const struct topo *topo = place->topo;
	u32 slot = topo->function[first].pdev->dev.id >> 3, last = first;
	struct topo_at at = place->at[first];

	for (u32 next = first; next != TOPO_NONE; next = topo_next_beside(topo, next)) {
		if (topo->function[next].pdev->dev.id >> 3 == slot)
			last = next;
	}
	if (last != first)
		put_box(to, "device", 8,
			(struct topo_frame){ at.x - 5, at.y - 4, BOX_WIDTH + 10,
					     place->at[last].y + BOX_HEIGHT - at.y + 8 });
}

static void put_host(const struct topo_place *place, u32 index, FILE *to)
{
	const struct topo_host_bridge *host = &place->topo->host_bridge[index];
	struct topo_frame frame = place->host[index];
	u32 lines = topo_host_lines(host);
	char text[64];

	put_box(to, "frame", 12, frame);
	snprintf(text, sizeof(text), "host bridge %04x:%02x", dmasim_domain(host->segment),
		 host->bus_first);
	cli_svg_text(to, frame.x + FRAME_PAD, frame.y + 22, "host", text);
	put_buses(to, frame.x + frame.width - FRAME_PAD, frame.y + 22, host->bus_first,
		  host->bus_last);
	for (u32 i = 0; i < lines; i++) {
		const struct topo_window *window = &place->topo->window[host->first_window + i];

		snprintf(text, sizeof(text), "0x%llx-0x%llx", window->start,
			 window->start + window->bytes - 1);
		if (i + 1 == lines && host->window_count > lines)
			snprintf(text, sizeof(text), "and %u windows more",
				 host->window_count - lines + 1);
		cli_svg_text(to, frame.x + FRAME_PAD, frame.y + 38 + i * HOST_LINE, "bdf", text);
	}
}

static void put_tree(const struct topo_place *place, FILE *to)
{
	const struct topo *topo = place->topo;

	fprintf(to, "<g transform=\"translate(%d %d)\">\n", MARGIN, MARGIN + TITLE_HEIGHT);
	for (u32 i = 0; i < topo->host_bridge_count; i++)
		put_host(place, i, to);
	for (u32 i = 0; i < topo->function_count; i++) {
		if (!topo_is_switch(&topo->function[i]) || topo_first_below(topo, i) == TOPO_NONE)
			continue;
		struct topo_frame frame = topo_switch_frame(place, i);

		put_box(to, "switch", 10, frame);
		cli_svg_text(to, frame.x + FRAME_PAD, frame.y + 16, "strong", "switch");
	}
	for (u32 i = 0; i < topo->function_count; i++) {
		if (!PCI_FUNC(topo->function[i].pdev->devfn) && topo->function[i].multifunction)
			put_device(place, i, to);
	}
	for (u32 i = 0; i < topo->function_count; i++)
		put_links(place, i, to);
	for (u32 i = 0; i < topo->function_count; i++) {
		if (!topo->function[i].physfn)
			put_function(&topo->function[i], place->at[i], to);
	}
	fputs("</g>\n", to);
}

/* ---- Around it -------------------------------------------------------- */

static u32 put_sample(FILE *to, u32 x, u32 y, const char *class, u32 width, const char *text)
{
	put_box(to, class, 3, (struct topo_frame){ x, y, width, 13 });
	cli_svg_text(to, x + width + 7, y + 11, "small", text);
	return x + width + 7 + (u32)strlen(text) * 6 + 20;
}

static void put_legend(FILE *to, u32 y)
{
	u32 x = MARGIN;

	cli_svg_text(to, x, y + 11, "small", "ports:");
	x += 40;
	for (u32 i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		x = put_sample(to, x, y, looks[i], 22, topo_isolation_text((enum topo_isolation)i));
	y += LEGEND_LINE;
	x = MARGIN;
	cli_svg_text(to, x, y + 11, "small", "devices:");
	x += 52;
	x = put_sample(to, x, y, "disk", 5, "storage");
	x = put_sample(to, x, y, "net", 5, "network");
	x = put_sample(to, x, y, "gpu", 5, "display, accelerator");
	x = put_sample(to, x, y, "other", 5, "others");
	cli_svg_text(to, x, y + 11, "small", "size: of the largest BAR; ~ inferred");
}

/* to may be NULL. Returns how many there are. */
static u32 put_notes(FILE *to, u32 y, const char *at)
{
	u32 count = 0;
	size_t length;

	for (; (at = cli_note(at, &length)); at += length, count++) {
		if (!to)
			continue;
		fprintf(to, "<text x=\"%d\" y=\"%u\" class=\"small\">note: ", MARGIN,
			y + count * NOTE_LINE);
		cli_svg_escaped(to, at, length);
		fputs("</text>\n", to);
	}
	return count;
}

static void put_picture(const struct topo_place *place, FILE *to)
{
	const struct topo *topo = place->topo;
	u32 notes = put_notes(NULL, 0, topo->notes.text);
	u32 below = MARGIN + TITLE_HEIGHT + place->height + MARGIN;
	u32 height = below + 2 * LEGEND_LINE + notes * NOTE_LINE + MARGIN;
	u32 width = place->width + 2 * MARGIN;
	char text[128];

	if (width < WIDTH_MIN)
		width = WIDTH_MIN;
	cli_svg_begin(to, width, height, style);
	put_box(to, "ground", 0, (struct topo_frame){ 0, 0, width, height });
	cli_svg_text(to, MARGIN, MARGIN + 16, "name", "PCI tree");
	snprintf(text, sizeof(text), "%u function%s, %u bridge%s, %u host bridge%s",
		 topo->function_count, plural(topo->function_count), topo->bridge_count,
		 plural(topo->bridge_count), topo->host_bridge_count,
		 plural(topo->host_bridge_count));
	cli_svg_text(to, MARGIN, MARGIN + 36, "say", text);
	put_tree(place, to);
	put_legend(to, below);
	put_notes(to, below + 2 * LEGEND_LINE + 12, topo->notes.text);
	fputs("</svg>\n", to);
}

bool topo_print_svg(const struct topo *topo, FILE *to)
{
	struct topo_place place;
	bool placed = topo_place(&place, topo);

	if (placed)
		put_picture(&place, to);
	topo_place_free(&place);
	return placed;
}
