/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <bsd/string.h>

#include "machine/machine.h"

static const struct {
	enum dmasim_report_id id;
	const char *name;
	const char *sentence;
} registry[] = {
#define REPORT_ENTRY(number, symbol, name, sentence) { DMASIM_REPORT_##symbol, name, sentence },
	DMASIM_REPORTS(REPORT_ENTRY)
#undef REPORT_ENTRY
};

#define REGISTRY_COUNT (sizeof(registry) / sizeof(registry[0]))

const char *dmasim_report_name(enum dmasim_report_id id)
{
	for (size_t i = 0; i < REGISTRY_COUNT; i++) {
		if (registry[i].id == id)
			return registry[i].name;
	}
	return NULL;
}

const char *dmasim_report_sentence(enum dmasim_report_id id)
{
	for (size_t i = 0; i < REGISTRY_COUNT; i++) {
		if (registry[i].id == id)
			return registry[i].sentence;
	}
	return NULL;
}

/* What is held back belongs to the past of whoever asks. */
static struct reports *settled(struct dmasim *s)
{
	machine_exists(s);
	check_settle(&s->check);
	return &s->world.reports;
}

u32 dmasim_report_count(struct dmasim *s)
{
	const struct reports *reports = settled(s);

	return reports->count + reports->lost;
}

static void copy_out(struct dmasim_report *to, const struct report *from)
{
	*to = (struct dmasim_report){
		.id = from->id,
		.at_ns = from->at_ns,
		.dev = from->dev,
		.dma = from->dma,
		.expected = from->expected,
	};
	strlcpy(to->line, from->line, sizeof(to->line));
	strlcpy(to->text, from->text, sizeof(to->text));
	strlcpy(to->linux_text, from->linux_text, sizeof(to->linux_text));
}

bool dmasim_report_get(struct dmasim *s, u32 index, struct dmasim_report *report)
{
	const struct report *found;

	STAILQ_FOREACH(found, &settled(s)->list, link) {
		if (!index--) {
			copy_out(report, found);
			return true;
		}
	}
	return false;
}

void dmasim_expect(struct dmasim *s, enum dmasim_report_id id, u32 count)
{
	DMASIM_CONTRACT(dmasim_report_name(id), "a report that exists is expected");
	reports_expect(settled(s), id, count);
}

void dmasim_suppress(struct dmasim *s, enum dmasim_report_id id)
{
	DMASIM_CONTRACT(dmasim_report_name(id), "a report that exists is suppressed");
	reports_suppress(settled(s), id);
}

static u32 list_unexpected(const struct reports *reports, struct text *text)
{
	const struct report *report;
	u32 found = 0;

	STAILQ_FOREACH(report, &reports->list, link) {
		if (report->expected)
			continue;
		text_add(text, "%s\n", report->line);
		found++;
	}
	if (reports->lost_unexpected) {
		text_add(text, "%u reports could not be recorded: no memory\n",
			 reports->lost_unexpected);
		found += reports->lost_unexpected;
	}
	return found;
}

static u32 list_missing(const struct reports *reports, struct text *text)
{
	u32 found = 0;

	for (size_t i = 0; i < REGISTRY_COUNT; i++) {
		u32 missing = reports->expected[registry[i].id];

		if (missing)
			text_add(text, "expected and did not come: DMASIM-%03u %s, %u times\n",
				 registry[i].id, registry[i].name, missing);
		found += missing;
	}
	return found;
}

u32 dmasim_check_clean(struct dmasim *s, char *buf, size_t len)
{
	struct reports *reports;
	char nothing[1];
	struct text text;
	u32 found;

	text_init(&text, len ? buf : nothing, len ? len : sizeof(nothing));
	reports = settled(s);
	check_leaks(&s->check);
	found = list_unexpected(reports, &text);
	return found + list_missing(reports, &text);
}

void dmasim_size_text(u64 bytes, char *buf, size_t len)
{
	struct text text;

	DMASIM_CONTRACT(len, "a text has room for its end");
	text_init(&text, buf, len);
	text_add_size(&text, bytes);
}
