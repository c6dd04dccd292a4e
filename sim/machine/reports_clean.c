/* SPDX-License-Identifier: MIT */
/*
 * The end of a test: what was wrong, in lines and in blocks.
 */
#include <string.h>

#include "machine/reports.h"

static bool is_wanted(const struct report *report, bool news)
{
	return !report->expected && !(news && report->shown);
}

static u32 list_unexpected(const struct reports *reports, struct text *text, bool news)
{
	const struct report *report;
	u32 found = 0;

	STAILQ_FOREACH(report, &reports->list, link) {
		if (!is_wanted(report, news))
			continue;
		text_add(text, "%s\n", report->says.line);
		found++;
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

/* What is no report of the list. */
static u32 list_others(struct dmasim *s, struct text *text)
{
	const struct reports *reports = &s->world.reports;
	u32 found = reports->lost_unexpected;

	if (found)
		text_add(text, "%u reports could not be recorded: no memory\n", found);
	found += list_missing(reports, text);
	found += kernel_list_slabs(s, text);
	return found + kernel_list_vmallocs(s, text);
}

/* As many as fit whole: half a block helps nobody. */
static void add_blocks(const struct reports *reports, struct text *text, bool news)
{
	const struct report *report;

	STAILQ_FOREACH(report, &reports->list, link) {
		if (!is_wanted(report, news))
			continue;
		if (strlen(report->says.text) + 2 > text->size - text->length)
			return;
		text_add(text, "\n%s", report->says.text);
	}
}

static void note_shown(struct reports *reports)
{
	struct report *report;

	STAILQ_FOREACH(report, &reports->list, link)
		report->shown = true;
}

/* The whole of it, or what has not been shown. */
static u32 look(struct dmasim *s, struct text *text, bool news)
{
	struct reports *reports = reports_settled(s);
	size_t length;
	u32 found, others;

	check_leaks(&s->check);
	found = list_unexpected(reports, text, news);
	length = text->length;
	others = list_others(s, text);
	/* Of these there is news if there are more of them, or fewer. */
	if (news && others == s->others_shown) {
		text->length = length;
		text->at[length] = '\0';
		others = 0;
	}
	add_blocks(reports, text, news);
	reports_flush_trace(s);
	return found + others;
}

u32 dmasim_check_clean(struct dmasim *s, char *buf, size_t len)
{
	char nothing[1];
	struct text text;

	text_init(&text, len ? buf : nothing, len ? len : sizeof(nothing));
	return look(s, &text, false);
}

u32 dmasim_check_news(struct dmasim *s, char *buf, size_t len)
{
	char nothing[1];
	struct text text;
	u32 found;

	text_init(&text, len ? buf : nothing, len ? len : sizeof(nothing));
	found = look(s, &text, true);
	note_shown(&s->world.reports);
	text_init(&text, nothing, sizeof(nothing));
	s->others_shown = list_others(s, &text);
	return found;
}
