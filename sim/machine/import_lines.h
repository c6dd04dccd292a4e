/* SPDX-License-Identifier: MIT */
/*
 * The lines of a file that somebody pasted: without the marks of a quoting mail, with white space
 * as single characters, and with a line that a mailer wrapped in one piece again.
 */
#ifndef MACHINE_IMPORT_LINES_H
#define MACHINE_IMPORT_LINES_H

#include <stdio.h>

#include "machine/import.h"

#define IMPORT_BLOCK_BYTES 16384
/* All that is told of a line in the file, and of one in one piece: names are the longest. */
#define IMPORT_LINE_KEPT   512
#define IMPORT_TEXT_KEPT   1024

enum import_shape {
	IMPORT_EMPTY,
	IMPORT_HEADER, /* "3a:00.0 ...": a function begins */
	IMPORT_HEX,    /* "10: 00 ..." */
	IMPORT_TAGGED, /* "Control: ...", "Memory at ...": what lspci -v begins a line with */
	IMPORT_OTHER,  /* prose, or the rest of a line that was wrapped */
};

struct import_line {
	u32 number;
	enum import_shape shape;
	size_t length;
	char text[IMPORT_TEXT_KEPT]; /* printable, without white space at either end */
};

struct import_lines {
	struct import *import;
	FILE *file;
	u8 block[IMPORT_BLOCK_BYTES];
	size_t filled, taken; /* of the block */
	u64 file_bytes;
	u64 line_bytes;
	u32 read; /* lines of the file so far */
	bool has_next;
	struct import_line line; /* the present one */
	struct import_line next;
};

/* The next line. 1, 0: there are no more; -EINVAL with the error written. */
int import_lines_next(struct import_lines *lines);

/* Where a header says that its function is: a path through bridges has more than one of these. */
struct import_address {
	bool has_domain, has_bus;
	u32 domain, bus, device, function;
};

/* Reads an address at the start of *at, and moves it behind; false: there is none. */
bool import_read_address(const char **at, struct import_address *address);

/* "10: ...": *bytes is where the registers begin. */
bool import_is_hex(const char *text, u32 *offset, const char **bytes);

/* Reads `digits` hexadecimal digits; false: they are not. */
bool import_read_digits(const char *at, u32 digits, u32 *value);

u32 import_count_digits(const char *at);

/* Makes of any text one that can be told, as all lines are: white space becomes spaces. */
void import_make_readable(char *text);

#endif
