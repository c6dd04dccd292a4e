/* SPDX-License-Identifier: MIT */
#include "world/report.h"

#include <string.h>

void reports_init(struct reports *reports, struct memory *memory)
{
	*reports = (struct reports){ .memory = memory };
	STAILQ_INIT(&reports->list);
}

static bool take_expectation(struct reports *reports, enum dmasim_report_id id)
{
	if (reports->suppressed[id])
		return true;
	if (!reports->expected[id])
		return false;
	reports->expected[id]--;
	return true;
}

void reports_add(struct reports *reports, const struct report_content *content)
{
	size_t line_bytes = strlen(content->line) + 1;
	size_t text_bytes = strlen(content->text) + 1;
	const char *linux_text = content->linux_text ? content->linux_text : "";
	size_t linux_bytes = strlen(linux_text) + 1;
	struct report *report;
	bool expected;
	char *strings;

	report = memory_alloc(reports->memory, DMASIM_FAULT_REPORT,
			      sizeof(*report) + line_bytes + text_bytes + linux_bytes);
	expected = take_expectation(reports, content->id);
	if (!report) {
		reports->lost++;
		reports->lost_unexpected += !expected;
		return;
	}
	strings = (char *)(report + 1);
	memcpy(strings, content->line, line_bytes);
	memcpy(strings + line_bytes, content->text, text_bytes);
	memcpy(strings + line_bytes + text_bytes, linux_text, linux_bytes);
	report->id = content->id;
	report->at_ns = content->at_ns;
	report->dev = content->dev;
	report->dma = content->dma;
	report->expected = expected;
	report->line = strings;
	report->text = strings + line_bytes;
	report->linux_text = strings + line_bytes + text_bytes;
	STAILQ_INSERT_TAIL(&reports->list, report, link);
	reports->count++;
}

void reports_expect(struct reports *reports, enum dmasim_report_id id, u32 count)
{
	reports->expected[id] += count;
}

void reports_suppress(struct reports *reports, enum dmasim_report_id id)
{
	reports->suppressed[id] = true;
}
