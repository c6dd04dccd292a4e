/* SPDX-License-Identifier: MIT */
/*
 * Bytes as a file of rules for reports (dmasim/report.h): lines with fields that the input fills
 * in, and any bytes between.
 *
 * After each file:
 *   - a refused one leaves no rule and no memory; the error is one line that names the file, the
 *     line and what was expected;
 *   - an accepted one gives a rule for each line that is not empty; read once more as they are
 *     listed, they give the same list;
 *   - nothing leaks.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dmasim/dmasim.h>

#include "lines.h"
#include "rules.h"

enum { FEATURE_REFUSED = 1, FEATURE_ACCEPTED };

static const char *const rule_lines[] = {
	"",
	"# prose",
	"suppress DMASIM-00#",
	"suppress DMASIM-0##  dev=0@:00.# # why",
	"suppress use-after-unmap",
	"  suppress\tmapping-leaked function=foo_* file=?river.c \r",
	"expect unmap-mismatch dma=0x@@000-0x@@fff",
	"expect ## iommu-fault dma=##-###",
	"expect #000000000 use-after-unmap",
	"suppress iommu-fault dev=00@0:@@:0@.#",
	"suppress iommu-fault dma=0x@@@@@@@@@@@@@@@@",
	"suppress iommu-fault file=@ function=@ dev=@ dma=@",
	"expect iommu-fault file=@ file=@",
	"suppress @@",
	"expect",
	"hide *",
};

#define RULE_LINES (sizeof(rule_lines) / sizeof(rule_lines[0]))

static void write_lines(struct lines *lines)
{
	while (lines->bytes.left) {
		u8 what = take8(&lines->bytes);

		if (what < 208)
			lines_put_line(lines, rule_lines[what % RULE_LINES]);
		else if (what < 216)
			lines_put_text(lines, "suppress * ");
		else if (what < 224)
			lines_cut(lines, lines->length < what ? lines->length : 1U + what % 8);
		else
			lines_put_bytes(lines, 1U + what % 8);
	}
}

/* Lines with anything in front of a comment: by another way than the reader's. */
static u32 count_rules(const struct lines *lines)
{
	bool rule = false, comment = false, blank = true;
	u32 count = 0;

	for (size_t i = 0; i <= lines->length; i++) {
		char c = i < lines->length ? lines->text[i] : '\n';

		if (c == '\n') {
			count += rule;
			rule = comment = false;
			blank = true;
			continue;
		}
		comment |= c == '#' && blank;
		blank = c == ' ' || c == '\t' || c == '\r';
		rule |= !comment && !blank;
	}
	return count;
}

/* The rules without where they stand and how often they matched, one a line. */
static char *listed(struct dmasim *s, u32 *count)
{
	static const char matched[] = ": 0 reports";
	size_t size = 4 * LINES_BYTES;
	char *text = malloc(size), *to = text;
	const char *from = text;

	if (!text)
		return NULL;
	*count = dmasim_report_rules(s, text, size);
	while (*from) {
		size_t length = strcspn(from, "\n");
		const char *rule = strchr(strchr(from, ':') + 1, ':') + 2;
		size_t bytes = length - (size_t)(rule - from) - (sizeof(matched) - 1);

		memmove(to, rule, bytes);
		to += bytes;
		*to++ = '\n';
		from += length + 1;
	}
	*to = '\0';
	return text;
}

static void check_refused(struct fuzz_run *run, struct dmasim *s, char *error)
{
	if (run->canary == RULES_KEEPS_RULE)
		dmasim_suppress_match(s, &(struct dmasim_report_match){ 0 });
	lines_check_error(run, "rules", error, run->canary == RULES_LOSES_LINE);
	fuzz_check(run, !dmasim_report_rules(s, NULL, 0), "a rule of a refused file is kept");
	fuzz_check(run, !dmasim_in_use(s, DMASIM_FAULT_REPORT_RULE), "memory is kept");
	fuzz_feature(run, FEATURE_REFUSED, lines_kind(error), 0);
}

static void check_accepted(struct fuzz_run *run, struct dmasim *s, const struct lines *lines)
{
	struct dmasim *again = dmasim_create(NULL);
	struct dmasim_error error = { 0 };
	u32 count, count_again;
	char *first, *second;

	if (!again)
		return;
	first = listed(s, &count);
	fuzz_check(run, first && count == count_rules(lines), "%u rules of %u", count,
		   count_rules(lines));
	fuzz_check(run,
		   first && !dmasim_parse_suppressions(again, first, strlen(first), "list", &error),
		   "what is listed is refused: %s", error.text);
	second = listed(again, &count_again);
	fuzz_check(run, second && first && !strcmp(first, second), "another list the second time");
	fuzz_feature(run, FEATURE_ACCEPTED, count, first ? lines_kind(first) : 0);
	free(first);
	free(second);
	fuzz_check(run, !dmasim_destroy(again), "memory leaks");
}

/* The length without the last line that is a rule. */
static size_t without_last(const struct lines *lines)
{
	size_t length = lines->length;

	while (length && lines->text[length - 1] != 'p')
		length--;
	while (length && lines->text[length - 1] != '\n')
		length--;
	return length;
}

static bool fuzz_rules(struct fuzz_run *run, const u8 *data, size_t size)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	struct dmasim *s = dmasim_create(NULL);
	struct dmasim_error error = { 0 };
	size_t length;
	int err;

	if (!lines || !s) {
		free(lines);
		dmasim_destroy(s);
		return true;
	}
	lines->bytes = (struct bytes){ data, size < FUZZ_INPUT_BYTES ? size : FUZZ_INPUT_BYTES };
	write_lines(lines);
	length = run->canary == RULES_LOSES_RULE ? without_last(lines) : lines->length;
	err = dmasim_parse_suppressions(s, lines->text, length, "rules", &error);
	fuzz_check(run, !err || err == -EINVAL, "result %d", err);
	if (err)
		check_refused(run, s, error.text);
	else
		check_accepted(run, s, lines);
	fuzz_check(run, !dmasim_destroy(s), "memory leaks");
	free(lines);
	return !fuzz_failed(run);
}

static const struct fuzz_canary canaries[] = {
	{ "keeps-rule", RULES_KEEPS_RULE },
	{ "loses-line", RULES_LOSES_LINE },
	{ "loses-rule", RULES_LOSES_RULE },
};

/* Rules with their fields; half a rule; bytes. */
static const u8 pieces[][FUZZ_PIECE_BYTES] = {
	{ 2, 2, 1 },
	{ 4, 3, 1, 0, 2 },
	{ 1, 4 },
	{ 1, 5 },
	{ 4, 6, 1, 2 },
	{ 5, 7, 1, 2, 3, 4 },
	{ 3, 208, 225, '=' },
	{ 5, 9, 0, 0, 3, 1 },
};

const struct fuzz_target fuzz_rules_target = {
	.name = "rules",
	.run = fuzz_rules,
	.canary = canaries,
	.canaries = sizeof(canaries) / sizeof(canaries[0]),
	.piece = pieces,
	.pieces = sizeof(pieces) / sizeof(pieces[0]),
};
