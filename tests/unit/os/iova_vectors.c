/* SPDX-License-Identifier: MIT */
#include "iova_vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS	  1986
#define SCENARIOS 24
#define TEXT	  64 /* bytes of a spelled result */

struct row {
	char scenario[32];
	u32 step;
	char op[16];
	u64 argument[4];
	char result[TEXT];
	char cached[24], cached32[24];
	u64 max32, nodes;
};

static FILE *open_vectors(void)
{
	const char *folder = getenv("DMASIM_TEST_DATA");
	char path[1024];
	FILE *file;

	if (!folder)
		fail_msg("%s", "DMASIM_TEST_DATA is not set: the folder of iova-vectors.tsv");
	snprintf(path, sizeof(path), "%s/iova-vectors.tsv", folder);
	file = fopen(path, "r");
	if (!file)
		fail_msg("cannot read %s", path);
	return file;
}

/* False: not a row but a comment or the heading. */
static bool parse(const char *line, struct row *row)
{
	char arguments[128], *at = arguments;

	if (sscanf(line, "%31s\t%u\t%15s\t%127s\t%63s\t%23s\t%23s\t%llx\t%llu", row->scenario,
		   &row->step, row->op, arguments, row->result, row->cached, row->cached32,
		   &row->max32, &row->nodes) != 9)
		return false;
	for (u32 i = 0; i < 4; i++) {
		row->argument[i] = strtoull(at, &at, 0);
		at += *at == ',';
	}
	return true;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void say_pfn(char *text, u64 pfn)
{
	if (pfn == IOVA_NO_PFN)
		snprintf(text, TEXT, "%s", "FAIL");
	else
		snprintf(text, TEXT, "0x%llx", pfn);
}

static void find(struct iova_subject *subject, u64 pfn, char *text)
{
	struct rules_range range;

	if (iova_subject_find(subject, pfn, &range))
		snprintf(text, TEXT, "0x%llx-0x%llx", range.lo, range.hi);
	else
		snprintf(text, TEXT, "%s", "none");
}

static void do_trim(struct iova_subject *subject, u32 class, char *text)
{
	u32 before = subject->depot[class];

	subject->depot[class] = subject->ops->trim(subject, class);
	snprintf(text, TEXT, "%u>%u", before, subject->depot[class]);
}

/* Does what the row says; `text` gets the result, spelled as the file spells it. */
static void perform(struct iova_subject *subject, const struct row *row, char *text)
{
	const u64 *argument = row->argument;
	u64 natural = iova_natural(argument[0]);

	snprintf(text, TEXT, "%s", "ok");
	if (!strcmp(row->op, "init")) {
		subject->ops->start(subject, 2, iova_natural(argument[0]), argument[1]);
		snprintf(text, TEXT, "%s", "-");
	} else if (!strcmp(row->op, "alloc")) {
		say_pfn(text, subject->ops->alloc(subject, argument[0], argument[1],
						  argument[2] ? (u32)natural : 0));
	} else if (!strcmp(row->op, "free")) {
		find(subject, argument[0], text);
		subject->ops->free(subject, argument[0]);
	} else if (!strcmp(row->op, "reserve")) {
		assert_true(subject->ops->reserve(subject, argument[0], argument[1]));
		find(subject, argument[1], text);
	} else if (!strcmp(row->op, "find")) {
		find(subject, argument[0], text);
	} else if (!strcmp(row->op, "falloc")) {
		say_pfn(text, subject->ops->fast_alloc(subject, argument[0], argument[1],
						       argument[2], (u32)argument[3]));
	} else if (!strcmp(row->op, "ffree")) {
		subject->ops->fast_free(subject, argument[0], argument[1], (u32)argument[2]);
	} else if (!strcmp(row->op, "trim")) {
		do_trim(subject, (u32)argument[0], text);
	} else {
		fail_msg("an operation that is not known: %s", row->op);
	}
}

static void say_pointer(char *text, u64 pfn)
{
	if (pfn == IOVA_NO_PFN)
		snprintf(text, TEXT, "%s", "anchor");
	else
		say_pfn(text, pfn);
}

/* In a test of every row the row that differs is what one wants to know. */
static void check(const struct row *row, const char *what, const char *seen, const char *recorded)
{
	if (strcmp(seen, recorded) != 0)
		fail_msg("%s %u, %s: %s is %s, and %s for Linux", row->scenario, row->step, row->op,
			 what, seen, recorded);
}

static void check_state(struct iova_subject *subject, const struct row *row)
{
	struct rules_state state = subject->ops->state(subject);
	char text[TEXT], recorded[TEXT];

	say_pointer(text, state.cached);
	check(row, "cached", text, row->cached);
	say_pointer(text, state.cached32);
	check(row, "cached32", text, row->cached32);
	snprintf(text, TEXT, "0x%llx", state.max32);
	snprintf(recorded, TEXT, "0x%llx", row->max32);
	check(row, "max32", text, recorded);
	snprintf(text, TEXT, "%llu", state.nodes);
	snprintf(recorded, TEXT, "%llu", row->nodes);
	check(row, "nodes", text, recorded);
}

void meet_the_vectors(struct iova_subject *subject)
{
	FILE *file = open_vectors();
	u32 rows = 0, scenarios = 0;
	char line[1024];
	struct row row;

	while (fgets(line, sizeof(line), file)) {
		char text[TEXT];

		if (!parse(line, &row))
			continue;
		/* The numbers of full magazines are told before and after. */
		if (!strcmp(row.op, "trim"))
			subject->depot[row.argument[0]] = (u32)strtoul(row.result, NULL, 10);
		perform(subject, &row, text);
		check(&row, "the result", text, row.result);
		check_state(subject, &row);
		scenarios += !strcmp(row.op, "init");
		rows++;
	}
	fclose(file);
	expect_u64(rows, ROWS);
	expect_u64(scenarios, SCENARIOS);
}
