/* SPDX-License-Identifier: MIT */
#include "support/lint.h"

#include <stdlib.h>
#include <string.h>

#include "support/expect.h"

struct dmasim_config rig_trace_begin(struct rig_trace *trace, const struct dmasim_config *from)
{
	struct dmasim_config config = { DMASIM_CONFIG };

	*trace = (struct rig_trace){ 0 };
	if (from)
		config = *from;
	if (!getenv("DMASIM_TEST_LINT") || config.trace)
		return config;
	trace->file = open_memstream(&trace->text, &trace->bytes);
	config.trace = trace->file;
	return config;
}

/* The next report from `index` on of a kind that lint sees. */
static bool next_seen(struct dmasim *s, u32 *index, struct dmasim_report *report)
{
	while (dmasim_report_get(s, (*index)++, report)) {
		if (dmasim_lint_sees(report->id))
			return true;
	}
	return false;
}

/* "DMA-API: e1000 0000:03:00.0: ...": who drives the device no trace tells. */
static const char *behind_driver(const char *line)
{
	static const char start[] = "DMA-API: ";

	return strncmp(line, start, strlen(start)) != 0 ? line
							: strchrnul(line + strlen(start), ' ');
}

/* Line by line. */
static bool same_in_linux(const char *a, const char *b)
{
	while (*a && *b) {
		size_t length;

		a = behind_driver(a);
		b = behind_driver(b);
		length = strcspn(a, "\n");
		if (length != strcspn(b, "\n") || strncmp(a, b, length) != 0)
			return false;
		a += length + (a[length] == '\n');
		b += length + (b[length] == '\n');
	}
	return *a == *b;
}

/* By which way a device got somewhere is known of what may be cached, which is in no trace. */
static size_t without_cause(const char *line)
{
	const char *cause = strstr(line, " cause=");

	return cause ? (size_t)(cause - line) : strlen(line);
}

static bool same_line(const struct dmasim_report *a, const struct dmasim_report *b)
{
	size_t length = without_cause(a->line);

	return length == without_cause(b->line) && !strncmp(a->line, b->line, length) &&
	       same_in_linux(a->linux_text, b->linux_text);
}

/* Of two machines the reports that lint sees are the same, in the same order. */
static bool same_reports(struct dmasim *live, struct dmasim *linted)
{
	struct dmasim_report a, b;
	u32 i = 0, k = 0;

	for (;;) {
		bool more = next_seen(live, &i, &a);

		if (more != next_seen(linted, &k, &b)) {
			print_error("lint: %s %s\n", more ? "not found:" : "found, and not live:",
				    more ? a.line : b.line);
			return false;
		}
		if (!more)
			return true;
		if (!same_line(&a, &b)) {
			print_error("lint: live   %s %s\nlint: linted %s %s\n", a.line,
				    a.linux_text, b.line, b.linux_text);
			return false;
		}
	}
}

static void tell_difference(void *cookie, const char *text)
{
	(void)cookie;
	print_error("lint: %s\n", text);
}

static bool lints(FILE *file, struct dmasim *live)
{
	struct dmasim *s = dmasim_create(NULL);
	const struct dmasim_lint lint = { .trace = file,
					  .name = "trace",
					  .differs = tell_difference };
	struct dmasim_lint_result result = { 0 };
	bool good = s && !dmasim_lint(s, &lint, &result);

	if (!good)
		print_error("lint: %s\n", result.error.text);
	good = good && !result.missing && !result.extra;
	/* Where the checker is off, the machine has nothing that lint could find, too. */
	if (good && result.compared)
		good = same_reports(live, s);
	dmasim_destroy(s);
	return good;
}

bool rig_trace_agrees(struct rig_trace *trace, struct dmasim *s)
{
	FILE *file;
	bool good;

	if (!trace->file)
		return true;
	/* What is held back is told, and in the trace. */
	dmasim_report_count(s);
	fflush(trace->file);
	file = fmemopen(trace->text, trace->bytes, "r");
	good = file && lints(file, s);
	if (!good && getenv("DMASIM_TEST_LINT_SHOWS"))
		print_error("%s", trace->text);
	if (file)
		fclose(file);
	return good;
}

void rig_trace_end(struct rig_trace *trace)
{
	if (trace->file)
		fclose(trace->file);
	free(trace->text);
	*trace = (struct rig_trace){ 0 };
}
