/* SPDX-License-Identifier: MIT */
/*
 * The end of a test: what was wrong, in lines and in blocks.
 */
#include <string.h>

#include "machine/reports.h"

static u32 list_unexpected(const struct reports *reports, struct text *text)
{
	const struct report *report;
	u32 found = 0;

	STAILQ_FOREACH(report, &reports->list, link) {
		if (report->expected)
			continue;
		text_add(text, "%s\n", report->says.line);
		found++;
	}
	if (reports->lost_unexpected) {
		text_add(text, "%u reports could not be recorded: no memory\n",
			 reports->lost_unexpected);
		found += reports->lost_unexpected;
	}
	return found;
}

/* Registered numbers are below REPORT_ID_MAX. */
static u32 list_missing(const struct reports *reports, struct text *text)
{
	const struct report_rule *rule;
	u32 found = 0;

	for (u32 id = 0; id < REPORT_ID_MAX; id++) {
		u32 missing = reports->expected[id];

		if (missing)
			text_add(text, "expected and did not come: DMASIM-%03u %s, %u times\n", id,
				 dmasim_report_name((enum dmasim_report_id)id), missing);
		found += missing;
	}
	STAILQ_FOREACH(rule, &reports->rules, link) {
		if (rule->suppress || !rule->left)
			continue;
		text_add(text, "expected and did not come: ");
		reports_add_rule(text, rule);
		text_add(text, ", %u times\n", rule->left);
		found += rule->left;
	}
	return found;
}

/* As many as fit whole: half a block helps nobody. */
static void add_blocks(const struct reports *reports, struct text *text)
{
	const struct report *report;

	STAILQ_FOREACH(report, &reports->list, link) {
		if (report->expected)
			continue;
		if (strlen(report->says.text) + 2 > text->size - text->length)
			return;
		text_add(text, "\n%s", report->says.text);
	}
}

u32 dmasim_check_clean(struct dmasim *s, char *buf, size_t len)
{
	struct reports *reports;
	char nothing[1];
	struct text text;
	u32 found;

	text_init(&text, len ? buf : nothing, len ? len : sizeof(nothing));
	reports = reports_settled(s);
	check_leaks(&s->check);
	found = list_unexpected(reports, &text);
	found += list_missing(reports, &text);
	found += kernel_list_slabs(s, &text);
	found += kernel_list_vmallocs(s, &text);
	add_blocks(reports, &text);
	return found;
}
