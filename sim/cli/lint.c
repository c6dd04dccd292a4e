/* SPDX-License-Identifier: MIT */
/*
 * dmasim lint: the checker over a trace that another run has written.
 */
#include <errno.h>
#include <string.h>

#include "cli.h"

static const char help[] =
	"usage: dmasim lint TRACE [--line] [--dev BDF] [--from LINE] [--to LINE] [--leaks]\n\n"
	"Reads a trace, as --trace or .trace in a configuration writes it, and tells each mistake\n"
	"that its calls and its devices have made. TRACE may be -, the standard input. Where a "
	"call\n"
	"stood in the program no trace tells: its line in the trace stands for it.\n\n"
	"  --line        a line for each report, and no summary\n"
	"  --dev BDF     reports about this device alone, as 0000:3a:00.0\n"
	"  --from LINE   reports of this line of the trace, and later ones\n"
	"  --to LINE     reports of this line, and earlier ones\n"
	"  --leaks       what is mapped at the end is a leak, though the run did not look for "
	"leaks\n"
	"\n"
	"A run whose checker was on has its own reports in the trace: where they differ from what "
	"is\n"
	"found here, that is told, too. Kinds of reports that need more than a trace tells, and "
	"are "
	"not\nseen:\n";

static const char help_end[] = "\nExit status: 0 nothing is wrong; 1 there are reports, or they "
			       "differ; 2 bad input. A line\n"
			       "that no trace has ends it: what was found before is told.\n";

struct lint_options {
	const char *file, *dev_text, *from_text, *to_text;
	bool line, leaks, one_device;
	dmasim_sbdf dev;
	u64 from, to;
	const char *name; /* as it is told */
	u64 told;
};

/* ---- Arguments -------------------------------------------------------- */

static int read_line_number(const char *option, const char *text, u64 *line)
{
	if (cli_number(text, line) && *line)
		return CLI_DONE;
	return cli_bad_input("lint: %s '%s': expected a line of the trace, from 1", option, text);
}

static int read_arguments(struct lint_options *options, int argc, char **argv)
{
	static const char line[] = "a line of the trace, from 1";
	const struct cli_option table[] = {
		{ "--dev", .text = &options->dev_text, .expected = "a BDF, as 0000:3a:00.0" },
		{ "--from", .text = &options->from_text, .expected = line },
		{ "--to", .text = &options->to_text, .expected = line },
		{ "--line", .flag = &options->line },
		{ "--leaks", .flag = &options->leaks },
		{ NULL },
	};

	if (cli_read_trace_options(argc, argv, table, &options->file))
		return CLI_BAD_INPUT;
	options->to = ~0ULL;
	if (options->dev_text && !cli_bdf(options->dev_text, &options->dev))
		return cli_bad_input("lint: --dev '%s': expected a BDF, as 0000:3a:00.0",
				     options->dev_text);
	options->one_device = options->dev_text;
	if (options->from_text && read_line_number("--from", options->from_text, &options->from))
		return CLI_BAD_INPUT;
	if (options->to_text && read_line_number("--to", options->to_text, &options->to))
		return CLI_BAD_INPUT;
	options->name = strcmp(options->file, "-") != 0 ? options->file : "stdin";
	return CLI_DONE;
}

/* ---- Telling ---------------------------------------------------------- */

static void tell(void *cookie, const struct dmasim_report *report, u64 line)
{
	struct lint_options *options = cookie;

	if (line < options->from || line > options->to ||
	    (options->one_device && report->dev != options->dev))
		return;
	options->told++;
	if (options->line)
		printf("%s:%llu: %s\n", options->name, line, report->line);
	else
		printf("%s\n", report->text);
}

static void tell_difference(void *cookie, const char *text)
{
	(void)cookie;
	printf("differs: %s\n", text);
}

static void sum_up(const struct lint_options *options, const struct dmasim_lint_result *result)
{
	printf("%s: %llu lines, %llu reports", options->name, result->lines, result->found);
	if (options->told != result->found)
		printf(", %llu told", options->told);
	if (result->alive && !options->leaks)
		printf("; alive at the end: %llu (--leaks tells them)", result->alive);
	if (result->not_seen)
		printf("; the run has %llu more, of kinds that no trace shows", result->not_seen);
	if (!result->compared)
		printf("; the run's own checker was off");
	printf("\n");
}

static int judge(struct dmasim *s, FILE *trace, struct lint_options *options)
{
	const struct dmasim_lint lint = {
		.trace = trace,
		.name = options->name,
		.leaks = options->leaks,
		.found = tell,
		.differs = tell_difference,
		.cookie = options,
	};
	struct dmasim_lint_result result;

	if (dmasim_lint(s, &lint, &result))
		return cli_bad_input("%s", result.error.text);
	if (!options->line)
		sum_up(options, &result);
	return options->told || result.missing || result.extra ? CLI_NEGATIVE : CLI_DONE;
}

static void print_help(void)
{
	fputs(help, stdout);
	for (int id = 1; id < 1000; id++) {
		const char *name = dmasim_report_name((enum dmasim_report_id)id);

		if (name && !dmasim_lint_sees((enum dmasim_report_id)id))
			printf("  DMASIM-%03d %s\n", id, name);
	}
	fputs(help_end, stdout);
}

int cli_lint(int argc, char **argv)
{
	struct lint_options options = { 0 };
	struct dmasim *s;
	FILE *trace;
	int status;

	if (cli_asks_for_help(argc, argv, "")) {
		print_help();
		return CLI_DONE;
	}
	if (read_arguments(&options, argc, argv))
		return CLI_BAD_INPUT;
	trace = strcmp(options.file, "-") != 0 ? fopen(options.file, "r") : stdin;
	if (!trace)
		return cli_bad_input("lint: cannot read %s: %s", options.file, strerror(errno));
	/* The seed is the trace's. */
	s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .seed = 1 });
	status = s ? judge(s, trace, &options) : cli_bad_input("lint: no memory");
	dmasim_destroy(s);
	if (trace != stdin)
		fclose(trace);
	return status;
}
