/* SPDX-License-Identifier: MIT */
/*
 * Reading what lspci -x, -xxx or -xxxx prints: a header line, hexadecimal lines of 16 registers, an
 * empty line. Lines of any other shape (the indented text of -v, a mail's signature) mean nothing.
 *
 *   0000:3a:00.0 Non-Volatile memory controller: ...
 *   00: 4d 14 24 a8 46 05 10 00 00 02 08 01 08 00 00 00
 *   10: ...
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "machine/import.h"

#define BYTES_PER_LINE 16
/* All that is told of a line: a hexadecimal one has 53 characters. */
#define LINE_BYTES     128
#define BLOCK_BYTES    16384

RB_GENERATE(import_functions, import_function, by_address, import_compare)

struct reader {
	struct import *import;
	FILE *file;
	u8 block[BLOCK_BYTES];
	size_t filled, taken; /* of the block */
	u64 file_bytes;
	u64 line_bytes;
	u32 line;
	size_t length;
	char text[LINE_BYTES]; /* the present line, cut, without white space at its end */
	bool in_function;
	u32 known; /* registers read so far */
	struct import_function function;
	u8 config[PCI_CFG_SPACE_EXP_SIZE];
};

int import_compare(struct import_function *a, struct import_function *b)
{
	u64 at_a = (u64)a->domain << 16 | (u64)a->bus << 8 | a->devfn;
	u64 at_b = (u64)b->domain << 16 | (u64)b->bus << 8 | b->devfn;

	return (at_a > at_b) - (at_a < at_b);
}

struct import_name import_name(const struct import_function *function)
{
	struct import_name name;
	u32 devfn = function->devfn;

	snprintf(name.text, sizeof(name.text), "%04x:%02x:%02x.%u", function->domain, function->bus,
		 PCI_SLOT(devfn), PCI_FUNC(devfn));
	return name;
}

/* A file may have any name: the error is one line of readable length all the same. */
static void add_file_name(struct text *text, const char *file)
{
	enum { KEPT = 200 };
	size_t length = strlen(file);

	if (length > KEPT) {
		text_add(text, "...");
		file += length - KEPT;
	}
	for (; *file; file++)
		text_add(text, "%c", iscntrl((unsigned char)*file) ? '?' : *file);
}

int import_error(struct import *import, u32 line, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	text_init(&import->error, import->error.at, import->error.size);
	add_file_name(&import->error, import->file);
	if (line)
		text_add(&import->error, ":%u", line);
	text_add(&import->error, ": %s", what);
	return -EINVAL;
}

void import_note(struct import *import, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	text_add(&import->notes, "%s%s", import->notes.length ? "; " : "", what);
}

/* ---- Lines ------------------------------------------------------------ */

/* Text that can be told in an error, whatever the file holds. All white space is a space. */
static char readable(int c)
{
	if (isspace(c))
		return ' ';
	return c > ' ' && c < 0x7f ? (char)c : '?';
}

/* False: the file has no more bytes. */
static bool fill_block(struct reader *reader)
{
	if (reader->taken < reader->filled)
		return true;
	reader->filled = fread(reader->block, 1, BLOCK_BYTES, reader->file);
	reader->taken = 0;
	return reader->filled;
}

static void take_bytes(struct reader *reader, size_t count)
{
	const u8 *from = &reader->block[reader->taken];

	for (size_t i = 0; i < count && reader->length < LINE_BYTES - 1; i++)
		reader->text[reader->length++] = readable(from[i]);
	reader->taken += count;
	reader->line_bytes += count;
}

/* False: there are no more lines. Of a line that is too long, the rest is not read. */
static bool read_line(struct reader *reader)
{
	bool ended = false;

	if (!fill_block(reader))
		return false;
	reader->line++;
	reader->length = 0;
	reader->line_bytes = 1;
	while (!ended && reader->line_bytes <= IMPORT_LINE_BYTES_MAX && fill_block(reader)) {
		const u8 *from = &reader->block[reader->taken];
		size_t left = reader->filled - reader->taken;
		const u8 *end = memchr(from, '\n', left);

		take_bytes(reader, end ? (size_t)(end - from) : left);
		ended = end;
		reader->taken += ended;
	}
	while (reader->length && reader->text[reader->length - 1] == ' ')
		reader->length--;
	reader->text[reader->length] = '\0';
	reader->file_bytes += reader->line_bytes;
	return true;
}

/* Reads `digits` hexadecimal digits; false: they are not. */
static bool read_hex(const char *at, u32 digits, u32 *value)
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

static u32 count_hex(const char *at)
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

struct address {
	u32 domain, bus, device, function;
};

/* [domain:]bus:device.function at the start of the line. The numbers may still be too large. */
static bool is_header(const char *text, struct address *address)
{
	u32 digits = count_hex(text);

	address->domain = 0;
	if (digits >= 4 && digits <= 8) {
		if (text[digits] != ':')
			return false;
		read_hex(text, digits, &address->domain);
		text += digits + 1;
	}
	return read_hex(text, 2, &address->bus) && text[2] == ':' &&
	       read_hex(text + 3, 2, &address->device) && text[5] == '.' &&
	       read_hex(text + 6, 1, &address->function) && ends_word(text[7]);
}

/* "10: ...": *bytes is where the registers begin. */
static bool is_hex_line(const char *text, u32 *offset, const char **bytes)
{
	u32 digits = count_hex(text);

	if (digits < 2 || digits > 3 || text[digits] != ':' || !ends_word(text[digits + 1]))
		return false;
	read_hex(text, digits, offset);
	*bytes = text + digits + 1;
	return true;
}

/* ---- Functions -------------------------------------------------------- */

static const char *name_of(const struct reader *reader, struct import_name *name)
{
	*name = import_name(&reader->function);
	return name->text;
}

static int end_function(struct reader *reader)
{
	struct import *import = reader->import;
	struct import_name name;
	u32 known = reader->known;

	if (!reader->in_function)
		return 0;
	reader->in_function = false;
	if (!known)
		return import_error(import, reader->function.line,
				    "%s has no registers; expected lines like '00: 86 80 ...' "
				    "after it, as lspci -xxxx prints them",
				    name_of(reader, &name));
	if (known != IMPORT_HEADER_BYTES && known != PCI_CFG_SPACE_SIZE &&
	    known != PCI_CFG_SPACE_EXP_SIZE)
		return import_error(import, reader->line,
				    "%s is truncated after %u bytes; expected 64, 256 or 4096",
				    name_of(reader, &name), known);
	reader->function.config = reader->config;
	reader->function.config_bytes = known;
	return import_add(import, &reader->function);
}

static int begin_function(struct reader *reader, const struct address *address)
{
	struct import *import = reader->import;
	const struct import_function *before;
	struct import_name name;
	int err = end_function(reader);

	if (err)
		return err;
	if (address->device > 0x1f || address->function > 7)
		return import_error(import, reader->line,
				    "'%.*s' is no address of a function; expected a device of 00 "
				    "to 1f and a function of 0 to 7",
				    (int)strcspn(reader->text, " "), reader->text);
	reader->function = (struct import_function){
		.domain = address->domain,
		.bus = (u8)address->bus,
		.devfn = (u8)PCI_DEVFN(address->device, address->function),
		.line = reader->line,
	};
	before = RB_FIND(import_functions, &import->functions, &reader->function);
	if (before)
		return import_error(import, reader->line,
				    "%s is in line %u already; expected each function once",
				    name_of(reader, &name), before->line);
	reader->in_function = true;
	reader->known = 0;
	return 0;
}

static int read_bytes(struct reader *reader, const char *at)
{
	u32 count = 0, value;

	for (;; count++) {
		u32 length;

		at += strspn(at, " ");
		length = (u32)strcspn(at, " ");
		if (!length)
			break;
		if (length != 2 || !read_hex(at, 2, &value))
			return import_error(reader->import, reader->line,
					    "'%.*s' is no byte; expected two hexadecimal digits",
					    (int)(length < 20 ? length : 20), at);
		if (count < BYTES_PER_LINE)
			reader->config[reader->known + count] = (u8)value;
		at += length;
	}
	if (count != BYTES_PER_LINE)
		return import_error(reader->import, reader->line, "%u bytes in a line; expected 16",
				    count);
	reader->known += BYTES_PER_LINE;
	return 0;
}

static int read_hex_line(struct reader *reader, u32 offset, const char *bytes)
{
	if (!reader->in_function) {
		/* Words of prose can look like an offset. */
		if (offset % BYTES_PER_LINE)
			return 0;
		return import_error(reader->import, reader->line,
				    "registers of no function; expected a line like '3a:00.0 ...' "
				    "before them");
	}
	if (reader->known == PCI_CFG_SPACE_EXP_SIZE)
		return import_error(reader->import, reader->line,
				    "offset %02x after 4096 bytes; expected the next function",
				    offset);
	if (offset != reader->known)
		return import_error(reader->import, reader->line, "offset %02x; expected %02x",
				    offset, reader->known);
	return read_bytes(reader, bytes);
}

static int read_any_line(struct reader *reader)
{
	struct address address;
	const char *bytes;
	u32 offset;

	if (!reader->length)
		return end_function(reader);
	if (is_header(reader->text, &address))
		return begin_function(reader, &address);
	if (is_hex_line(reader->text, &offset, &bytes))
		return read_hex_line(reader, offset, bytes);
	return 0;
}

static int read_file(struct reader *reader)
{
	struct import *import = reader->import;
	int err = 0;

	while (!err && read_line(reader)) {
		if (reader->line_bytes > IMPORT_LINE_BYTES_MAX)
			return import_error(
				import, reader->line,
				"a line of more than 1 MiB; expected what lspci -xxxx wrote");
		if (reader->file_bytes > IMPORT_FILE_BYTES_MAX)
			return import_error(import, reader->line,
					    "expected a file of at most 256 MiB");
		err = read_any_line(reader);
	}
	if (!err && ferror(reader->file))
		return import_error(import, 0, "%s; expected a file that lspci -xxxx wrote",
				    strerror(errno));
	if (!err)
		err = end_function(reader);
	if (!err && !import->function_count)
		return import_error(import, reader->line ? reader->line : 1,
				    "the file has no function; expected lines like '3a:00.0 ...' "
				    "and '00: 86 80 ...', as lspci -xxxx prints them");
	return err;
}

int import_dump(struct import *import)
{
	struct reader reader = { .import = import, .file = fopen(import->file, "re") };
	int err;

	if (!reader.file)
		return import_error(import, 0, "%s; expected a file that lspci -xxxx wrote",
				    strerror(errno));
	err = read_file(&reader);
	fclose(reader.file);
	return err;
}
