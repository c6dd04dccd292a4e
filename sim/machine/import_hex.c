/* SPDX-License-Identifier: MIT */
/*
 * Hexadecimal lines: "10: 00 00 00 92 ...", 16 registers in each, in order.
 */
#include <string.h>

#include "machine/import_reader.h"

#define BYTES_PER_LINE 16

/* 0 to 15; more: no digit. */
static u32 digit(char c)
{
	u32 decimal = (u32)c - '0', letter = ((u32)c | 32) - 'a';

	return decimal < 10 ? decimal : letter < 6 ? letter + 10 : 16;
}

/* As lspci writes it: a space and two digits, 16 times, and nothing else. False: it is not. */
static bool read_plain(const char *at, u8 *to)
{
	for (u32 i = 0; i < BYTES_PER_LINE; i++, at += 3) {
		u32 high, low;

		if (at[0] != ' ' || (high = digit(at[1])) > 15 || (low = digit(at[2])) > 15)
			return false;
		to[i] = (u8)(high << 4 | low);
	}
	return !*at;
}

static int read_bytes(struct import_reader *reader, const char *at)
{
	struct import *import = reader->lines.import;
	u32 line = reader->lines.line.number;
	u32 count = 0, value;

	if (read_plain(at, &reader->config[reader->known])) {
		reader->known += BYTES_PER_LINE;
		return 0;
	}
	for (;; count++) {
		u32 length;

		at += strspn(at, " ");
		length = (u32)strcspn(at, " ");
		if (!length)
			break;
		if (length != 2 || !import_read_digits(at, 2, &value))
			return import_error(import, line,
					    "'%.*s' is no byte; expected two hexadecimal digits",
					    (int)(length < 20 ? length : 20), at);
		if (count < BYTES_PER_LINE)
			reader->config[reader->known + count] = (u8)value;
		at += length;
	}
	if (count != BYTES_PER_LINE)
		return import_error(import, line, "%u bytes in a line; expected 16", count);
	reader->known += BYTES_PER_LINE;
	return 0;
}

int import_hex_line(struct import_reader *reader)
{
	struct import *import = reader->lines.import;
	const struct import_line *line = &reader->lines.line;
	const char *bytes;
	u32 offset;

	import_is_hex(line->text, &offset, &bytes);
	if (!reader->in_function) {
		/* Words of prose can look like an offset. */
		if (offset % BYTES_PER_LINE)
			return 0;
		return import_error(import, line->number,
				    "registers of no function; expected a line like '3a:00.0 ...' "
				    "before them");
	}
	if (reader->known == PCI_CFG_SPACE_EXP_SIZE)
		return import_error(import, line->number,
				    "offset %02x after 4096 bytes; expected the next function",
				    offset);
	if (offset != reader->known)
		return import_error(import, line->number, "offset %02x; expected %02x", offset,
				    reader->known);
	return read_bytes(reader, bytes);
}
