/* SPDX-License-Identifier: MIT */
#include "world/report.h"

#include <string.h>

#define IS_BELOW(number, id, name, text) \
	_Static_assert((number) < REPORT_ID_MAX, name " has no place in the tables");
DMASIM_REPORTS(IS_BELOW)
#undef IS_BELOW

void reports_init(struct reports *reports, struct memory *memory)
{
	*reports = (struct reports){ .memory = memory };
	STAILQ_INIT(&reports->list);
	STAILQ_INIT(&reports->rules);
}

/* Suppressed ones use up no expectation; of expectations the one that says more comes first. */
static void judge_expected(struct reports *reports, struct report *report)
{
	enum dmasim_report_id id = report->says.id;
	const struct report_rule *rule;

	report->suppressed = reports->suppressed[id];
	if (!report->suppressed) {
		rule = report_rules_take(&reports->rules, report);
		report->suppressed = rule && rule->suppress;
		report->expected = rule;
	}
	if (report->suppressed)
		report->expected = true;
	if (report->expected || !reports->expected[id])
		return;
	reports->expected[id]--;
	report->expected = true;
}

#define STRINGS 9

/* Every string of a report, where its pointer stands. */
static void strings_of(struct report_content *says, const char **string[STRINGS])
{
	const char **all[STRINGS] = {
		&says->line,
		&says->text,
		&says->linux_text,
		&says->call.file,
		&says->call.function,
		&says->mapped.file,
		&says->mapped.function,
		&says->unmapped.file,
		&says->unmapped.function,
	};

	memcpy(string, all, sizeof(all));
}

/* A copy with its strings behind it; NULL: no memory. */
static struct report *copied(struct reports *reports, struct report *from)
{
	const char **string[STRINGS];
	size_t bytes = sizeof(*from);
	struct report *to;
	char *at;

	strings_of(&from->says, string);
	for (u32 i = 0; i < STRINGS; i++)
		bytes += *string[i] ? strlen(*string[i]) + 1 : 0;
	to = memory_alloc(reports->memory, DMASIM_FAULT_REPORT, bytes);
	if (!to)
		return NULL;
	*to = *from;
	at = (char *)(to + 1);
	strings_of(&to->says, string);
	for (u32 i = 0; i < STRINGS; i++) {
		size_t length = *string[i] ? strlen(*string[i]) + 1 : 0;

		if (!length)
			continue;
		memcpy(at, *string[i], length);
		*string[i] = at;
		at += length;
	}
	return to;
}

/* It may jump out, and is not called again then: it has done with the report what it wanted. */
static void tell(struct reports *reports, struct report *report)
{
	if (!reports->listener || reports->telling)
		return;
	reports->telling = true;
	if (report)
		report->shown = true;
	reports->listener(reports->cookie, report);
	if (report)
		report->shown = false;
	reports->telling = false;
}

void reports_add(struct reports *reports, const struct report_content *content)
{
	struct report report = { .says = *content };
	struct report *kept;

	if (!report.says.linux_text)
		report.says.linux_text = "";
	judge_expected(reports, &report);
	kept = copied(reports, &report);
	if (kept) {
		STAILQ_INSERT_TAIL(&reports->list, kept, link);
		reports->count++;
	} else {
		reports->lost++;
		reports->lost_unexpected += !report.expected;
	}
	if (!report.expected)
		tell(reports, kept);
}

const struct report *reports_at(struct reports *reports, u32 index)
{
	if (!reports->found || index < reports->found_at) {
		reports->found = STAILQ_FIRST(&reports->list);
		reports->found_at = 0;
	}
	if (index >= reports->count)
		return NULL;
	for (; reports->found_at < index; reports->found_at++)
		reports->found = STAILQ_NEXT(reports->found, link);
	return reports->found;
}

void reports_expect(struct reports *reports, enum dmasim_report_id id, u32 count)
{
	reports->expected[id] += count;
}

void reports_suppress(struct reports *reports, enum dmasim_report_id id)
{
	reports->suppressed[id] = true;
}
