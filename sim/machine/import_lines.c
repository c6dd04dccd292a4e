/* SPDX-License-Identifier: MIT */
/*
 * From bytes to lines. Mails quote with '>' or '|', patches with '+', any number of them, and both
 * change white space at the beginning of lines, so that nothing here depends on it. They wrap long
 * lines between words:
 *
 *   > 00:1c.0 PCI bridge: Intel Corporation Sunrise Point-H PCI Express Root
 *   > Port #1 (rev f1) (prog-if 00 [Normal decode])
 *   > 	Control: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr-
 *   > Stepping- SERR- FastB2B- DisINTx+
 *
 * What lspci begins a line with can be told from what it never begins one with, so a line of the
 * second kind belongs to the one before. That also joins lines which lspci itself breaks (DevCap),
 * and lines of prose, which mean nothing either way.
 */
#include "machine/import_lines.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* A line of 16 registers that is whole has more characters. */
#define HEX_LINE_SHORT 50

/* ---- Bytes ------------------------------------------------------------ */

/* Text that can be told in an error, whatever the file holds. All white space is a space. */
static char readable(int c)
{
	/* Most of a file. */
	if (c > ' ' && c < 0x7f)
		return (char)c;
	return c == ' ' || isspace(c) ? ' ' : '?';
}

/* How many bytes of UTF-8 here are a space, or a mark of no width; 0: none. */
static size_t wide_space(const u8 *at)
{
	if (at[0] == 0xc2 && at[1] == 0xa0)
		return 2;
	if (at[0] == 0xe2 && at[1] == 0x80 && ((at[2] & 0xf0) == 0x80 || at[2] == 0xaf))
		return 3;
	return at[0] == 0xef && at[1] == 0xbb && at[2] == 0xbf ? 3 : 0;
}

/* What colours text in a terminal: ESC [ 0 1 m; 0: nothing of that kind. */
static size_t terminal_code(const u8 *at)
{
	size_t length = 2;

	if (at[0] != 0x1b || at[1] != '[')
		return 0;
	while (at[length] >= ' ' && at[length] < '@')
		length++;
	return length + (at[length] != 0);
}

/* Text gets shorter at most. */
void import_make_readable(char *text)
{
	const u8 *from = (const u8 *)text;

	while (*from) {
		size_t space = *from < 0x80 ? 0 : wide_space(from);
		size_t code = terminal_code(from);

		if (!code)
			*text++ = space ? ' ' : readable(*from);
		from += space + code;
		from += !space && !code;
	}
	*text = '\0';
}

/*
 * What mails, patches and pages have before a line: white space and marks. A wrapped "Port #1" can
 * begin a line with '#' too.
 */
static bool is_mark(const char *at)
{
	if (*at == '#' || *at == ':')
		return at[1] == ' ';
	return *at == ' ' || *at == '>' || *at == '|' || *at == '+';
}

static bool is_mark_or_space(u8 c)
{
	return isspace(c) || c == '>' || c == '|';
}

/* False: the file has no more bytes. */
static bool fill_block(struct import_lines *lines)
{
	if (lines->taken < lines->filled)
		return true;
	lines->filled = fread(lines->block, 1, IMPORT_BLOCK_BYTES, lines->file);
	lines->taken = 0;
	return lines->filled;
}

/* Marks at the beginning need no place; a byte of 0 would end the text. */
static void take_bytes(struct import_lines *lines, size_t count)
{
	struct import_line *line = &lines->next;
	const u8 *from = &lines->block[lines->taken];
	size_t length = line->length, room = IMPORT_LINE_KEPT - 1, i = 0;

	while (!length && i < count && is_mark_or_space(from[i]))
		i++;
	for (; i < count && length < room; i++)
		line->text[length++] = from[i] ? (char)from[i] : '?';
	line->length = length;
	lines->taken += count;
	lines->line_bytes += count;
}

/* The text of a line that is whole, without what is before and behind it. */
static void trim(struct import_line *line)
{
	static const char page[] = "<pre>";
	size_t marks = 0;

	line->text[line->length] = '\0';
	import_make_readable(line->text);
	line->length = strlen(line->text);
	while (is_mark(&line->text[marks]))
		marks++;
	if (!strncmp(line->text + marks, page, strlen(page)))
		marks += strlen(page);
	line->length -= marks;
	memmove(line->text, line->text + marks, line->length + 1);
	while (line->length && line->text[line->length - 1] == ' ')
		line->text[--line->length] = '\0';
}

static int check_limits(struct import_lines *lines)
{
	if (lines->line_bytes > IMPORT_LINE_BYTES_MAX)
		return import_error(lines->import, lines->read,
				    "a line of more than 1 MiB; expected what lspci -xxxx wrote");
	if (lines->file_bytes > IMPORT_FILE_BYTES_MAX)
		return import_error(lines->import, lines->read,
				    "expected a file of at most 256 MiB");
	return 0;
}

static enum import_shape shape_of(const char *text);

/* Reads one line of the file into lines->next. Of a line that is too long, the rest is not read. */
static int read_line(struct import_lines *lines)
{
	struct import_line *line = &lines->next;
	bool ended = false;

	lines->has_next = fill_block(lines);
	if (!lines->has_next)
		return 0;
	line->number = ++lines->read;
	line->length = 0;
	lines->line_bytes = 1;
	while (!ended && lines->line_bytes <= IMPORT_LINE_BYTES_MAX && fill_block(lines)) {
		const u8 *from = &lines->block[lines->taken];
		size_t left = lines->filled - lines->taken;
		const u8 *end = memchr(from, '\n', left);

		take_bytes(lines, end ? (size_t)(end - from) : left);
		ended = end;
		lines->taken += ended;
	}
	trim(line);
	lines->file_bytes += lines->line_bytes;
	line->shape = shape_of(line->text);
	return check_limits(lines);
}

/* ---- Words ------------------------------------------------------------ */

bool import_read_digits(const char *at, u32 digits, u32 *value)
{
	*value = 0;
	for (u32 i = 0; i < digits; i++) {
		if (!isxdigit((unsigned char)at[i]))
			return false;
		*value = *value * 16 + (u32)(isdigit((unsigned char)at[i])
						     ? at[i] - '0'
						     : (at[i] | 32) - 'a' + 10);
	}
	return true;
}

u32 import_count_digits(const char *at)
{
	u32 count = 0;

	while (isxdigit((unsigned char)at[count]))
		count++;
	return count;
}

static bool ends_word(char c)
{
	return !c || c == ' ';
}

/* [[domain:]bus:]device.function. The numbers may still be too large. */
bool import_read_address(const char **at, struct import_address *address)
{
	const char *text = *at;
	u32 digits = import_count_digits(text);

	*address = (struct import_address){ 0 };
	if (digits >= 4 && digits <= 8 && text[digits] == ':') {
		import_read_digits(text, digits, &address->domain);
		address->has_domain = true;
		text += digits + 1;
	}
	if (import_read_digits(text, 2, &address->bus) && text[2] == ':') {
		address->has_bus = true;
		text += 3;
	}
	if (address->has_domain > address->has_bus ||
	    !import_read_digits(text, 2, &address->device) || text[2] != '.' ||
	    !import_read_digits(text + 3, 1, &address->function))
		return false;
	*at = text + 4;
	return true;
}

bool import_is_hex(const char *text, u32 *offset, const char **bytes)
{
	u32 digits = import_count_digits(text);

	if (digits < 2 || digits > 3 || text[digits] != ':' || !ends_word(text[digits + 1]))
		return false;
	import_read_digits(text, digits, offset);
	*bytes = text + digits + 1;
	return true;
}

/* The first address has a bus; those that a path goes on with may leave it out. */
static bool is_header(const char *text)
{
	struct import_address address;

	if (!import_read_address(&text, &address) || !address.has_bus)
		return false;
	while (*text == '/') {
		text++;
		if (!import_read_address(&text, &address) || address.has_domain)
			return false;
	}
	return ends_word(*text);
}

/*
 * "Kernel driver in use: ...": a few words that a colon ends. What begins with a small letter is
 * the rest of a line: "VGA compatible" / "controller: ...", "Memory behind" / "bridge: ...".
 */
static bool has_tag(const char *text)
{
	enum { WORDS = 4 };
	u32 spaces = 0;

	if (!isupper((unsigned char)*text) && !isdigit((unsigned char)*text))
		return false;
	for (; *text != ':'; text++) {
		spaces += *text == ' ';
		if (!*text || spaces == WORDS ||
		    !(isalnum((unsigned char)*text) || strchr(" -_/", *text)))
			return false;
	}
	return ends_word(text[1]);
}

static bool begins_with(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static enum import_shape shape_of(const char *text)
{
	static const char *const beginnings[] = {
		"Memory at ",		"Memory behind",
		"Prefetchable memory",	"I/O behind",
		"I/O ports at ",	"Expansion ROM at ",
		"[virtual] Memory at ", "[virtual] I/O p",
		"[virtual] Exp",	"!!! ",
	};
	const char *bytes;
	u32 offset;

	if (!*text)
		return IMPORT_EMPTY;
	if (is_header(text))
		return IMPORT_HEADER;
	if (import_is_hex(text, &offset, &bytes))
		return IMPORT_HEX;
	if (has_tag(text))
		return IMPORT_TAGGED;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		if (begins_with(text, beginnings[i]))
			return IMPORT_TAGGED;
	}
	return IMPORT_OTHER;
}

/* ---- Lines ------------------------------------------------------------ */

/* Nothing but registers: "00 00 00". */
static bool is_bytes(const char *text)
{
	while (import_count_digits(text) == 2 && ends_word(text[2]))
		text += 2 + (text[2] == ' ');
	return !*text;
}

static bool belongs_together(const struct import_line *line, const struct import_line *next)
{
	if (next->shape != IMPORT_OTHER || line->shape == IMPORT_EMPTY)
		return false;
	if (line->shape == IMPORT_HEX)
		return line->length < HEX_LINE_SHORT && is_bytes(next->text);
	return true;
}

/* Whatever has no place is cut. */
static void append(struct import_line *line, const struct import_line *next)
{
	size_t room = sizeof(line->text) - 1 - line->length;
	size_t count = next->length;

	if (!room)
		return;
	line->text[line->length++] = ' ';
	count = count < room - 1 ? count : room - 1;
	memcpy(line->text + line->length, next->text, count);
	line->length += count;
	line->text[line->length] = '\0';
}

int import_lines_next(struct import_lines *lines)
{
	int err = 0;

	if (!lines->has_next)
		err = read_line(lines);
	if (err)
		return err;
	if (lines->has_next) {
		struct import_line *line = &lines->line;

		line->number = lines->next.number;
		line->shape = lines->next.shape;
		line->length = lines->next.length;
		memcpy(line->text, lines->next.text, line->length + 1);
		err = read_line(lines);
		while (!err && lines->has_next && belongs_together(line, &lines->next)) {
			append(line, &lines->next);
			err = read_line(lines);
		}
		return err ? err : 1;
	}
	if (ferror(lines->file))
		return import_error(lines->import, 0, "%s; expected a file that lspci -xxxx wrote",
				    strerror(errno));
	return 0;
}
