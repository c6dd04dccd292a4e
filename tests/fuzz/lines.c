/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <stdlib.h>
#include <string.h>

void lines_put(struct lines *lines, char c)
{
	if (lines->length < LINES_BYTES)
		lines->text[lines->length++] = c;
}

void lines_put_text(struct lines *lines, const char *text)
{
	while (*text)
		lines_put(lines, *text++);
}

void lines_put_line(struct lines *lines, const char *line)
{
	for (; *line; line++) {
		if (*line == '@')
			lines_put(lines, "0123456789abcdef"[take8(&lines->bytes) & 15]);
		else if (*line == '#')
			lines_put(lines, (char)('0' + take8(&lines->bytes) % 10));
		else if (*line == '*')
			lines_put(lines, take8(&lines->bytes) & 1 ? '+' : '-');
		else
			lines_put(lines, *line);
	}
	lines_put(lines, '\n');
}

void lines_put_bytes(struct lines *lines, u32 count)
{
	for (; count && lines->bytes.left; count--)
		lines_put(lines, (char)take8(&lines->bytes));
}

void lines_cut(struct lines *lines, size_t bytes)
{
	lines->length -= bytes;
}

u32 lines_kind(const char *text)
{
	u32 kind = 1;

	for (; *text; text++) {
		if (*text >= 'g' && *text <= 'z')
			kind = kind * 31 + (u8)*text;
	}
	return kind & 0xffff;
}

void lines_check_error(struct fuzz_run *run, const char *path, char *error, bool loses_line)
{
	size_t length = strlen(path);
	char *line = error + length;

	if (loses_line && *line == ':')
		memmove(line, line + strcspn(line, " "), strlen(line + strcspn(line, " ")) + 1);
	fuzz_check(run, !strncmp(error, path, length), "'%.100s' names no file", error);
	fuzz_check(run, *line == ':' && strtoul(line + 1, NULL, 10) > 0, "'%.100s' names no line",
		   error);
	fuzz_check(run, strstr(error, "expected"), "'%.100s': what was expected?", error);
	fuzz_check(run, !strchr(error, '\n'), "an error of two lines");
}
