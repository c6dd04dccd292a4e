/* SPDX-License-Identifier: MIT */
/*
 * Reading what lspci prints: a header line, then the text of -v or hexadecimal lines of 16
 * registers or both, an empty line. Lines of any other shape (a mail's prose, lspci -t,
 * /proc/iomem) mean nothing.
 *
 *   0000:3a:00.0 Non-Volatile memory controller: ...
 *   	Control: I/O- Mem+ BusMaster+ ...
 *   00: 4d 14 24 a8 46 05 10 00 00 02 08 01 08 00 00 00
 *   10: ...
 *
 * Of a function that is in the file once as text and once in hexadecimal both are taken: registers
 * that were read stand, and the text tells what they do not. Functions that are only listed, as
 * lspci without options lists them, are left out of a file that tells of others.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "machine/import_reader.h"

RB_GENERATE(import_functions, import_function, by_address, import_compare)

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

/* ---- The end of a function -------------------------------------------- */

static void remove_function(struct import *import, struct import_function *function)
{
	RB_REMOVE(import_functions, &import->functions, function);
	import_free(import, function);
	import->function_count--;
}

/* Registers that were read stand; those behind them are the text's. */
static void put_together(struct import_reader *reader, struct import_function *function,
			 const struct import_function *hex, const struct import_function *text)
{
	struct import_function both = *text;

	both.line = function->line;
	memcpy(reader->both, text->config, text->config_bytes);
	memcpy(reader->both, hex->config, hex->config_bytes);
	both.config = reader->both;
	both.hex_bytes = hex->config_bytes;
	both.told_by = IMPORT_BY_HEX | IMPORT_BY_TEXT;
	both.config_bytes = hex->config_bytes > text->config_bytes ? hex->config_bytes
								   : text->config_bytes;
	both.acs_hidden = text->acs_hidden && hex->config_bytes < PCI_CFG_SPACE_EXP_SIZE;
	both.device_name = NULL;
	both.class_name = NULL;
	both.bars_counted = false;
	*function = both;
}

/* Its text alone. */
static int tell_by_text(struct import_reader *reader, struct import_function *function)
{
	struct import_text *text = &reader->text;
	struct import_ids *ids = &reader->ids;
	int err = 0;

	import_text_end(text);
	function->told_by = IMPORT_BY_TEXT;
	function->config = text->image;
	function->config_bytes = text->whole && !text->denied ? PCI_CFG_SPACE_EXP_SIZE
							      : IMPORT_HEADER_BYTES;
	function->acs_hidden = text->acs_at && !text->acs_shown;
	function->bars_counted = text->bars_counted;
	function->named_virtual = text->named_virtual;
	memcpy(function->bar, text->bar, sizeof(function->bar));
	reader->any_extended |= text->has_extended;
	if (!text->silent && *text->device_name)
		err = import_ids_ask(ids, &ids->devices, text->device_name, &function->device_name);
	if (!err && !text->silent && *text->class_name)
		err = import_ids_ask(ids, &ids->classes, text->class_name, &function->class_name);
	return err;
}

/* What is behind it would look like what is behind nothing. */
static int refuse_lost_bridge(struct import_reader *reader, const struct import_function *function)
{
	return import_error(reader->lines.import, function->line,
			    "bridge %s does not tell its buses; expected a line 'Bus: primary=.., "
			    "secondary=.., subordinate=..' after it",
			    import_name(function).text);
}

/* What the lines since the header tell, in one. */
static int tell(struct import_reader *reader, struct import_function *function)
{
	struct import_function text = *function;
	int err = 0;

	function->config = reader->config;
	function->config_bytes = reader->known;
	function->told_by = reader->known ? IMPORT_BY_HEX : 0;
	if (!reader->text.any || !reader->named)
		return 0;
	if (!reader->known && import_text_lacks_buses(&reader->text))
		return refuse_lost_bridge(reader, function);
	err = tell_by_text(reader, &text);
	if (err)
		return err;
	if (reader->known)
		put_together(reader, function, function, &text);
	else
		*function = text;
	return 0;
}

/* Told twice in the same way: a mail and the answer that quotes it. */
static bool is_same(const struct import_function *a, const struct import_function *b)
{
	for (u32 i = 0; i < IMPORT_BARS; i++) {
		if (a->bar[i].bytes != b->bar[i].bytes)
			return false;
	}
	return a->told_by == b->told_by && a->config_bytes == b->config_bytes &&
	       !memcmp(a->config, b->config, a->config_bytes) && a->acs_hidden == b->acs_hidden &&
	       a->device_name == b->device_name && a->class_name == b->class_name;
}

/* It is in the file already. 1: nothing to add. */
static int meet(struct import_reader *reader, struct import_function *function,
		struct import_function *before)
{
	struct import *import = reader->lines.import;
	struct import_function after = *function;

	if (!function->told_by)
		return 1;
	if (is_same(before, function)) {
		reader->repeated++;
		return 1;
	}
	if (before->told_by & function->told_by)
		return import_error(import, function->line,
				    "%s is in line %u already, with other registers; expected one "
				    "state of each function",
				    import_name(function).text, before->line);
	if (before->told_by == IMPORT_BY_HEX)
		put_together(reader, function, before, &after);
	else if (before->told_by)
		put_together(reader, function, &after, before);
	remove_function(import, before);
	return 0;
}

static int check_length(struct import_reader *reader)
{
	struct import *import = reader->lines.import;
	u32 known = reader->known;

	if (!known || known == IMPORT_HEADER_BYTES || known == PCI_CFG_SPACE_SIZE ||
	    known == PCI_CFG_SPACE_EXP_SIZE)
		return 0;
	return import_error(import, reader->lines.line.number,
			    "%s is truncated after %u bytes; expected 64, 256 or 4096",
			    import_name(&reader->function).text, known);
}

static int refuse_bare(struct import_reader *reader, const struct import_function *function)
{
	return import_error(reader->lines.import, function->line,
			    "%s has no registers; expected lines like '00: 86 80 ...' "
			    "after it, as lspci -xxxx prints them, or the text of lspci -vvv",
			    import_name(function).text);
}

static int end_function(struct import_reader *reader)
{
	struct import *import = reader->lines.import;
	struct import_function *function = &reader->function;
	struct import_function *before;
	int err;

	if (!reader->in_function)
		return 0;
	reader->in_function = false;
	/* Prose that begins with an address. */
	if (!reader->named && !reader->known && !reader->text.any)
		return 0;
	err = check_length(reader);
	if (!err && !reader->named && !reader->known)
		err = refuse_bare(reader, function);
	if (!err)
		err = tell(reader, function);
	if (err)
		return err;
	before = RB_FIND(import_functions, &import->functions, function);
	if (before)
		err = meet(reader, function, before);
	if (err)
		return err < 0 ? err : 0;
	return import_add(import, function);
}

/* ---- Headers ---------------------------------------------------------- */

static int set_address(struct import_reader *reader, const struct import_address *address)
{
	struct import_function *function = &reader->function;
	const char *text = reader->lines.line.text;

	if (address->device > 0x1f || address->function > 7)
		return import_error(reader->lines.import, reader->lines.line.number,
				    "'%.*s' is no address of a function; expected a device of 00 "
				    "to 1f and a function of 0 to 7",
				    (int)strcspn(text, " "), text);
	if (address->has_domain)
		function->domain = address->domain;
	if (address->has_bus)
		function->bus = (u8)address->bus;
	function->devfn = (u8)PCI_DEVFN(address->device, address->function);
	return 0;
}

/* "00:1c.0/03:00.0", "00:1c.0/00.0": a bus that is not told is the bridge's. */
static int follow_path(struct import_reader *reader, const char **at)
{
	struct import *import = reader->lines.import;
	struct import_function *function = &reader->function;
	struct import_address address;
	int err;

	import_read_address(at, &address);
	err = set_address(reader, &address);
	while (!err && **at == '/') {
		const struct import_function *bridge;

		++*at;
		import_read_address(at, &address);
		bridge = RB_FIND(import_functions, &import->functions, function);
		if (!address.has_bus && (!bridge || !bridge->told_by))
			return import_error(import, reader->lines.line.number,
					    "the path leads through %s; expected that bridge "
					    "before it",
					    import_name(function).text);
		if (!address.has_bus)
			function->bus = bridge->config[PCI_SECONDARY_BUS];
		err = set_address(reader, &address);
	}
	return err;
}

static int begin_function(struct import_reader *reader)
{
	const struct import_line *line = &reader->lines.line;
	const char *at = line->text;
	int err = end_function(reader);

	if (err)
		return err;
	reader->function = (struct import_function){ .line = line->number };
	err = follow_path(reader, &at);
	if (err)
		return err;
	import_text_begin(&reader->text, reader->lines.import);
	reader->in_function = true;
	reader->named = import_text_header(&reader->text, at);
	reader->known = 0;
	reader->spaced = false;
	return 0;
}

/* ---- The file --------------------------------------------------------- */

/* An empty line ends the function. Where one follows every line, two do. */
static int read_empty_line(struct import_reader *reader)
{
	if (reader->in_function && !reader->known && !reader->text.any)
		reader->spaced = true;
	if (reader->spaced && !reader->after_empty) {
		reader->after_empty = true;
		return 0;
	}
	return end_function(reader);
}

static int read_any_line(struct import_reader *reader)
{
	if (reader->lines.line.shape != IMPORT_EMPTY)
		reader->after_empty = false;
	switch (reader->lines.line.shape) {
	case IMPORT_EMPTY:
		return read_empty_line(reader);
	case IMPORT_HEADER:
		return begin_function(reader);
	case IMPORT_HEX:
		return import_hex_line(reader);
	default:
		return reader->in_function ? import_text_line(&reader->text, &reader->lines.line)
					   : 0;
	}
}

/* Functions of which nothing is told but that they are there. */
static int leave_out_bare(struct import_reader *reader)
{
	struct import *import = reader->lines.import;
	struct import_function *function, *next, *first = NULL;
	struct import_name name;
	u32 count = 0;

	RB_FOREACH_SAFE(function, import_functions, &import->functions, next) {
		if (function->told_by)
			continue;
		if (!first)
			name = import_name(function);
		first = first ? first : function;
		if (++count == import->function_count)
			return refuse_bare(reader, first);
	}
	RB_FOREACH_SAFE(function, import_functions, &import->functions, next) {
		if (!function->told_by)
			remove_function(import, function);
	}
	if (count)
		import_note(import,
			    "%u function%s (%s%s) left out: listed, and nothing told of them",
			    count, count > 1 ? "s" : "", name.text, count > 1 ? " ..." : "");
	return 0;
}

static int read_file(struct import_reader *reader)
{
	struct import *import = reader->lines.import;
	int more = import_lines_next(&reader->lines);
	int err = 0;

	while (!err && more > 0) {
		err = read_any_line(reader);
		if (!err)
			more = import_lines_next(&reader->lines);
	}
	if (err || more < 0)
		return err ? err : more;
	err = end_function(reader);
	if (!err && !import->function_count)
		return import_error(import, reader->lines.read ? reader->lines.read : 1,
				    "the file has no function; expected lines like '3a:00.0 ...' "
				    "and '00: 86 80 ...', as lspci -xxxx prints them, or the text "
				    "of lspci -vvv");
	if (reader->repeated)
		import_note(import, "%u function%s in the file more than once, the same each time",
			    reader->repeated, reader->repeated > 1 ? "s" : "");
	if (!err)
		err = leave_out_bare(reader);
	return err ? err : import_text_last(reader);
}

int import_dump(struct import *import)
{
	struct import_reader *reader = import_alloc(import, sizeof(*reader));
	int err;

	if (!reader)
		return -ENOMEM;
	memset(reader, 0, sizeof(*reader));
	reader->lines.import = import;
	reader->lines.file = fopen(import->file, "re");
	import_ids_init(&reader->ids, import);
	if (reader->lines.file)
		err = read_file(reader);
	else
		err = import_error(import, 0, "%s; expected a file that lspci -xxxx wrote",
				   strerror(errno));
	if (reader->lines.file)
		fclose(reader->lines.file);
	import_ids_fini(&reader->ids);
	import_free(import, reader);
	return err;
}
