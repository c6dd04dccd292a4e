/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "svg.h"

void cli_svg_escaped(FILE *to, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (strchr("<>&", text[i]))
			fprintf(to, "&#%d;", text[i]);
		else
			fputc(text[i], to);
	}
}

void cli_svg_text(FILE *to, u32 x, u32 y, const char *class, const char *text)
{
	fprintf(to, "<text x=\"%u\" y=\"%u\" class=\"%s\">", x, y, class);
	cli_svg_escaped(to, text, strlen(text));
	fputs("</text>\n", to);
}

void cli_svg_box(FILE *to, const char *class, u32 radius, u32 x, u32 y, u32 width, u32 height)
{
	fprintf(to, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"%u\"/>\n",
		class, x, y, width, height, radius);
}

void cli_svg_begin(FILE *to, u32 width, u32 height, const char *style)
{
	fprintf(to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\">\n%s",
		width, height, width, height, style);
}
