/* SPDX-License-Identifier: MIT */
/*
 * Files of text that an input makes of lines with fields, and what an error of theirs looks like.
 */
#ifndef FUZZ_LINES_H
#define FUZZ_LINES_H

#include "fuzz.h"

#define LINES_BYTES 65536U

struct lines {
	struct bytes bytes; /* of the input */
	size_t length;
	char text[LINES_BYTES];
};

void lines_put(struct lines *lines, char c);
void lines_put_text(struct lines *lines, const char *text);

/* '@' is a hexadecimal digit, '#' a decimal one, '*' a sign: a byte of the input each. */
void lines_put_line(struct lines *lines, const char *line);

/* Any bytes: so many, if the input has them. */
void lines_put_bytes(struct lines *lines, u32 count);

/* The last ones are gone. */
void lines_cut(struct lines *lines, size_t bytes);

/* A sentence without its numbers, as a number. */
u32 lines_kind(const char *text);

/* "PATH:LINE: ... expected ...", in one line. loses_line: a canary. */
void lines_check_error(struct fuzz_run *run, const char *path, char *error, bool loses_line);

#endif
