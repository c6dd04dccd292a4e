/* SPDX-License-Identifier: MIT */
/*
 * Reports that are told at once: to a function of the program, or to a debugger.
 */
#include <stdlib.h>
#include <string.h>

#include "machine/reports.h"

static const char lost[] = "a report could not be recorded: no memory\n";

void reports_flush_trace(const struct dmasim *s)
{
	if (s->config.trace)
		fflush(s->config.trace);
}

/* Whoever debugs wants to see all that there is. */
static void stop(const struct dmasim *s, const struct report *report)
{
	reports_flush_trace(s);
	fputs(report ? report->says.text : lost, stderr);
	abort();
}

static void told(void *cookie, const struct report *report)
{
	struct dmasim *s = cookie;
	struct dmasim_report copy = { .dev = DMASIM_NO_SBDF };

	if (s->config.abort_on_report)
		stop(s, report);
	if (report)
		reports_copy_out(&copy, report);
	else
		memcpy(copy.text, lost, sizeof(lost));
	s->tell(s, &copy, s->tell_cookie);
}

static void listen(struct dmasim *s)
{
	struct reports *reports = &s->world.reports;

	reports->listener = s->tell || s->config.abort_on_report ? told : NULL;
	reports->cookie = s;
}

void machine_tell_reports(struct dmasim *s)
{
	listen(s);
}

void machine_tell_no_reports(struct dmasim *s)
{
	s->world.reports.listener = NULL;
}

void dmasim_on_report(struct dmasim *s, dmasim_tell_report *tell, void *cookie)
{
	machine_exists(s);
	s->tell = tell;
	s->tell_cookie = cookie;
	listen(s);
}
