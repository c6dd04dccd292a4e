/* SPDX-License-Identifier: MIT */
/*
 * Pieces of pictures.
 */
#ifndef CLI_SVG_H
#define CLI_SVG_H

#include "cli.h"

/* Text may quote what stood in a file. */
void cli_svg_escaped(FILE *to, const char *text, size_t length);

void cli_svg_text(FILE *to, u32 x, u32 y, const char *class, const char *text);

/* With round corners. */
void cli_svg_box(FILE *to, const char *class, u32 radius, u32 x, u32 y, u32 width, u32 height);

/* The first line: its size, and what the classes look like. */
void cli_svg_begin(FILE *to, u32 width, u32 height, const char *style);

#endif
