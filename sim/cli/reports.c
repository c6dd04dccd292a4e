/* SPDX-License-Identifier: MIT */
/*
 * dmasim reports: the index of what the checker can say, and what one of them means. The words and
 * the examples are those of sim/check/reports.md, which the build compiles in (reports.h).
 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "reports.h"

#define HEADING "## DMASIM-"

static const char help[] =
	"usage: dmasim reports [NAME | NUMBER]\n"
	"\n"
	"Lists every report that the checker can make; with a name (use-after-unmap) or a number\n"
	"(17, DMASIM-017) says how it comes about, what to do, and shows a real one.\n"
	"\n"
	"Exit status: 0 done, 2 bad input.\n";

static void list(void)
{
	for (int id = 1; id < 1000; id++) {
		if (dmasim_report_name(id))
			printf("DMASIM-%03d %-26s %s\n", id, dmasim_report_name(id),
			       dmasim_report_sentence(id));
	}
}

/* The number of a report that is named so; 0: there is none. */
static int report_called(const char *text)
{
	u64 number;

	if (!strncmp(text, "DMASIM-", 7))
		text += 7;
	/* Numbers are printed with zeros in front, and are decimal all the same. */
	if (*text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 8) {
		number = strtoull(text, NULL, 10);
		return dmasim_report_name((int)number) ? (int)number : 0;
	}
	for (int id = 1; id < 1000; id++) {
		if (dmasim_report_name(id) && !strcmp(dmasim_report_name(id), text))
			return id;
	}
	return 0;
}

static bool is_heading(const char *line)
{
	return !strncmp(line, HEADING, strlen(HEADING));
}

/* The section of the page, from its heading to the next one. False: the page has none. */
static bool print_section(int id)
{
	const size_t lines = reports_page_lines;
	char heading[64];
	size_t at = 0, end;

	snprintf(heading, sizeof(heading), HEADING "%03d ", id);
	while (at < lines && strncmp(reports_page[at], heading, strlen(heading)) != 0)
		at++;
	if (at == lines)
		return false;
	for (end = at + 1; end < lines && !is_heading(reports_page[end]);)
		end++;
	/* Empty lines before the next section are not this one's. */
	while (!*reports_page[end - 1])
		end--;
	puts(reports_page[at] + strlen("## "));
	while (++at < end)
		puts(reports_page[at]);
	return true;
}

int cli_reports(int argc, char **argv)
{
	int id;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(help, stdout);
		return CLI_DONE;
	}
	if (argc > 2)
		return cli_bad_input("%s: unexpected argument '%s'", argv[0], argv[2]);
	if (argc < 2) {
		list();
		return CLI_DONE;
	}
	id = report_called(argv[1]);
	if (!id)
		return cli_bad_input("%s: no report '%s'; expected a name or a number of those "
				     "that `dmasim reports` lists",
				     argv[0], argv[1]);
	if (!print_section(id))
		printf("DMASIM-%03d %s\n\n%s.\n", id, dmasim_report_name(id),
		       dmasim_report_sentence(id));
	return CLI_DONE;
}
