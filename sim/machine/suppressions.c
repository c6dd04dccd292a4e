/* SPDX-License-Identifier: MIT */
/*
 * Files of rules: which reports are expected or suppressed. dmasim/report.h has the grammar.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "machine/reports.h"

#define LINE_BYTES 1024 /* with its end */
#define FILE_BYTES SZ_1M
#define BLANKS	   " \t\r"

/* A file while it is read. */
struct reader {
	struct memory *memory;
	struct report_rule_list rules;
	struct suppressions_error *error;
	char line[LINE_BYTES];
	char *rest; /* of the line */
};

/* Always -EINVAL. */
static int wrong(const struct reader *reader, const char *found, const char *expected)
{
	struct suppressions_error *error = reader->error;

	error->expected = expected;
	strlcpy(error->found, found, sizeof(error->found));
	for (char *at = error->found; *at; at++) {
		if (*at < ' ' || *at > '~')
			*at = '?';
	}
	return -EINVAL;
}

/* NULL: there are no more. */
static char *next_word(struct reader *reader)
{
	char *word = reader->rest + strspn(reader->rest, BLANKS);
	char *end = word + strcspn(word, BLANKS);

	reader->rest = end + (*end != '\0');
	*end = '\0';
	return *word ? word : NULL;
}

/* A whole number up to `end`; false: it is none, or has more than 64 bits. */
static bool read_number(const char *text, const char *end, u64 *number)
{
	bool is_hex = text[0] == '0' && text[1] == 'x';
	char *stopped;

	/* strtoull() would take a sign, blanks, and another 0x. */
	text += 2 * is_hex;
	if (!(is_hex ? isxdigit((unsigned char)*text) : isdigit((unsigned char)*text)) ||
	    (is_hex && text[1] == 'x'))
		return false;
	errno = 0;
	*number = strtoull(text, &stopped, is_hex ? 16 : 10);
	return !errno && stopped == end;
}

/* ---- A rule ---------------------------------------------------------------------------------- */

static bool is_name(const char *word, enum dmasim_report_id id)
{
	const char *name = dmasim_report_name(id);
	char number[32];
	struct text text;

	if (!name)
		return false;
	text_init(&text, number, sizeof(number));
	text_add(&text, "DMASIM-%03u", id);
	return !strcmp(word, name) || !strcmp(word, number);
}

static bool read_name(const char *word, enum dmasim_report_id *id)
{
	if (!strcmp(word, "*"))
		return true;
	for (u32 i = 1; i < REPORT_ID_MAX; i++) {
		*id = (enum dmasim_report_id)i;
		if (is_name(word, *id))
			return true;
	}
	return false;
}

static int read_action(struct reader *reader, struct report_rule *rule)
{
	const char *word = next_word(reader);
	u64 count;

	rule->suppress = !strcmp(word, "suppress");
	if (!rule->suppress && strcmp(word, "expect") != 0)
		return wrong(reader, word, "a rule begins with suppress or expect");
	rule->left = !rule->suppress;
	word = next_word(reader);
	if (word && !rule->suppress && *word >= '0' && *word <= '9') {
		if (!read_number(word, word + strlen(word), &count) || !count || count > ~0U)
			return wrong(reader, word, "the number of reports is 1 to 4294967295");
		rule->left = (u32)count;
		word = next_word(reader);
	}
	if (!word || !read_name(word, &rule->match.id))
		return wrong(reader, word ? word : "",
			     "a report is use-after-unmap, or DMASIM-017, or *");
	return 0;
}

static int read_addresses(const struct reader *reader, const char *value,
			  struct dmasim_report_match *match)
{
	const char *dash = strchr(value, '-');
	const char *end = value + strlen(value);
	u64 last;

	if (!read_number(value, dash ? dash : end, &match->dma))
		goto is_wrong;
	last = match->dma;
	if (dash && (!read_number(dash + 1, end, &last) || last < match->dma))
		goto is_wrong;
	match->size = last - match->dma + 1;
	if (!match->size)
		match->size = ~0ULL;
	return 0;

is_wrong:
	return wrong(reader, value, "addresses are dma=START or dma=START-LAST, of 64 bits");
}

static int set_pattern(const struct reader *reader, const char **pattern, const char *value)
{
	if (*pattern)
		return wrong(reader, value, "dev=, function=, file= and dma= each stand once");
	*pattern = value;
	return 0;
}

static int read_key(const struct reader *reader, char *word, struct dmasim_report_match *match)
{
	char *value = strchr(word, '=');

	if (!value)
		return wrong(reader, word, "dev=, function=, file= or dma= follows the report");
	*value++ = '\0';
	if (!*value)
		return wrong(reader, word, "there is a value after the =");
	if (!strcmp(word, "function"))
		return set_pattern(reader, &match->function, value);
	if (!strcmp(word, "file"))
		return set_pattern(reader, &match->file, value);
	if (!strcmp(word, "dev")) {
		if (value[strspn(value, "0123456789abcdef:.*?")])
			return wrong(reader, value, "a device is like 0000:3a:00.0, or 3a:*");
		return set_pattern(reader, &match->dev, value);
	}
	if (strcmp(word, "dma") != 0)
		return wrong(reader, word, "dev=, function=, file= or dma= follows the report");
	if (match->size)
		return wrong(reader, value, "dev=, function=, file= and dma= each stand once");
	return read_addresses(reader, value, match);
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static void cut_comment(char *line)
{
	for (char *at = line; *at; at++) {
		if (*at == '#' && (at == line || strchr(BLANKS, at[-1]))) {
			*at = '\0';
			return;
		}
	}
}

static int read_line(struct reader *reader, const char *file, u32 number)
{
	struct report_rule rule = { .file = file, .line = number };
	char *word;
	int err;

	cut_comment(reader->line);
	reader->rest = reader->line + strspn(reader->line, BLANKS);
	if (!*reader->rest)
		return 0;
	err = read_action(reader, &rule);
	while (!err && (word = next_word(reader)))
		err = read_key(reader, word, &rule.match);
	return err ? err : report_rule_add(&reader->rules, reader->memory, &rule);
}

/* The line that begins here; the number of its bytes, with its end. */
static int take_line(struct reader *reader, const char *text, size_t bytes, size_t *taken)
{
	const char *end = memchr(text, '\n', bytes);
	size_t length = end ? (size_t)(end - text) : bytes;

	*taken = length + (end != NULL);
	if (length >= LINE_BYTES)
		return wrong(reader, "more", "a line has at most 1023 bytes");
	memcpy(reader->line, text, length);
	reader->line[length] = '\0';
	if (strlen(reader->line) != length)
		return wrong(reader, "a byte of 0", "a file of rules is text");
	return 0;
}

int suppressions_parse(struct dmasim *s, const char *text, size_t bytes, const char *name,
		       struct suppressions_error *error)
{
	struct reader reader = { .memory = &s->world.memory, .error = error };
	int err = 0;

	*error = (struct suppressions_error){ 0 };
	STAILQ_INIT(&reader.rules);
	if (bytes > FILE_BYTES)
		err = wrong(&reader, "", "a file of rules has at most 1 MiB");
	while (bytes && !err) {
		size_t taken;

		error->line++;
		err = take_line(&reader, text, bytes, &taken);
		if (!err)
			err = read_line(&reader, name, error->line);
		text += taken;
		bytes -= taken;
	}
	if (err)
		report_rules_free(&reader.rules, reader.memory);
	STAILQ_CONCAT(&s->world.reports.rules, &reader.rules);
	return err;
}

int suppressions_read(struct dmasim *s, const char *path, struct suppressions_error *error)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t bytes = 0;
	int err = file ? 0 : -errno;

	*error = (struct suppressions_error){ 0 };
	if (!err)
		text = memory_alloc(&s->world.memory, DMASIM_FAULT_REPORT_RULE, FILE_BYTES + 1);
	if (!err && !text)
		err = -ENOMEM;
	if (!err) {
		errno = 0;
		bytes = fread(text, 1, FILE_BYTES + 1, file);
		if (ferror(file))
			err = errno ? -errno : -EIO;
	}
	if (file)
		fclose(file);
	if (!err)
		err = suppressions_parse(s, text, bytes, path, error);
	memory_free(&s->world.memory, text);
	return err;
}
