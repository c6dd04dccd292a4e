/* SPDX-License-Identifier: MIT */
/*
 * The list of reports, as programs see it.
 */
#include "machine/reports.h"

#include <string.h>

#include <bsd/string.h>

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

struct reports *reports_settled(struct dmasim *s)
{
	machine_exists(s);
	check_settle(&s->check);
	return &s->world.reports;
}

u32 dmasim_report_count(struct dmasim *s)
{
	const struct reports *reports = reports_settled(s);

	return reports->count + reports->lost;
}

/* Of a long path the end tells more. */
static void copy_site(struct dmasim_report_site *to, const struct report_site *from)
{
	size_t length;

	if (!from->file)
		return;
	length = strlen(from->file);
	to->line = (u32)from->line;
	strlcpy(to->file,
		from->file + (length < sizeof(to->file) ? 0 : length + 1 - sizeof(to->file)),
		sizeof(to->file));
	strlcpy(to->function, from->function, sizeof(to->function));
}

void reports_copy_out(struct dmasim_report *to, const struct report *from)
{
	const struct report_content *says = &from->says;

	*to = (struct dmasim_report){
		.id = says->id,
		.at_ns = says->at_ns,
		.dev = says->dev,
		.dma = says->dma,
		.size = says->size,
		.expected = from->expected,
		.suppressed = from->suppressed,
		.mapping = says->mapping,
		.mapping_size = says->mapping_size,
		.mapping_phys = says->mapping_phys,
	};
	copy_site(&to->call, &says->call);
	copy_site(&to->mapped, &says->mapped);
	copy_site(&to->unmapped, &says->unmapped);
	strlcpy(to->line, says->line, sizeof(to->line));
	strlcpy(to->text, says->text, sizeof(to->text));
	strlcpy(to->linux_text, says->linux_text, sizeof(to->linux_text));
}

bool dmasim_report_get(struct dmasim *s, u32 index, struct dmasim_report *report)
{
	const struct report *found = reports_at(reports_settled(s), index);

	if (found)
		reports_copy_out(report, found);
	return found;
}

/* The next that matches, from *index on, which is moved behind it. */
static const struct report *next(struct reports *reports, const struct dmasim_report_match *match,
				 u32 *index)
{
	const struct report *found = reports_at(reports, *index);

	while (found) {
		++*index;
		if (!match || report_matches(found, match))
			return found;
		found = reports_at(reports, *index);
	}
	return NULL;
}

bool dmasim_report_next(struct dmasim *s, const struct dmasim_report_match *match, u32 *index,
			struct dmasim_report *report)
{
	const struct report *found = next(reports_settled(s), match, index);

	if (found)
		reports_copy_out(report, found);
	return found;
}

bool dmasim_report_find(struct dmasim *s, enum dmasim_report_id id, struct dmasim_report *report)
{
	const struct dmasim_report_match match = { .id = id };
	u32 index = 0;

	return dmasim_report_next(s, &match, &index, report);
}

u32 dmasim_report_matches(struct dmasim *s, const struct dmasim_report_match *match)
{
	struct reports *reports = reports_settled(s);
	u32 count = 0;

	for (u32 index = 0; next(reports, match, &index);)
		count++;
	return count;
}

void dmasim_size_text(u64 bytes, char *buf, size_t len)
{
	struct text text;

	DMASIM_CONTRACT(len, "a text has room for its end");
	text_init(&text, buf, len);
	text_add_size(&text, bytes);
}
