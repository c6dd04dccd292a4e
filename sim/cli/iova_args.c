/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <string.h>

#include "iova.h"

static const char help[] =
	"usage: dmasim iova [draw|check|bench] [--allocator NAME|all]... [--plugin FILE.so]...\n"
	"                   [--workload NAME] [--live N] [--cpus N] [--limit BITS] [--no-cache]\n"
	"                   [--seed N] [--replay TRACE] [--record TRACE]\n"
	"                   [--as text|svg] [--row WORDS] [--csv FILE] [--quick]\n"
	"                   [--patience SECONDS] [--check NAME] [--scale PERCENT]\n"
	"\n"
	"IOVA allocators side by side. Without a verb, or with draw: the address space after a\n"
	"workload. check judges allocators. bench measures them: on one workload if it is named,\n"
	"else on all rows of its table.\n"
	"\n"
	"  --allocator NAME  one of ours, or all, beside the plugins; without it all, but check is "
	"of\n"
	"                    the plugins if there are any\n"
	"  --plugin FILE.so  an allocator of yours: a shared object with dmasim_iova_plugin()\n"
	"  --workload NAME   what is asked of them; without it mixed, for draw\n"
	"  --live N          ranges that are live; without it what fits the workload\n"
	"  --cpus N          virtual CPUs, up to 256\n"
	"  --limit BITS      addresses below 2^BITS, 13 to 63; without it 48\n"
	"  --no-cache        no allocation is answered by a cache\n"
	"  --seed N          of everything random; without it DMASIM_SEED of the environment, or "
	"1\n"
	"  --replay TRACE    the operations of a trace instead of a workload\n"
	"  --record TRACE    writes the operations as a trace\n"
	"  --as text|svg     how to draw; without it text\n"
	"  --row WORDS       bench: the rows whose name holds these words\n"
	"  --csv FILE        bench: the figures as CSV, too\n"
	"  --quick           bench: small rows, short runs\n"
	"  --patience S      bench: seconds that an allocator may take to get to what is timed;\n"
	"                    without it 300, in quick runs 3\n"
	"  --check NAME      check: this one alone\n"
	"  --scale PERCENT   check: 100 are a million random operations; without it 10\n"
	"\n";

static const char help_end[] =
	"\nExit status: 0 all went as it should, 1 an allocator does not conform, 2 bad input.\n";

static void print_help(void)
{
	const char *name, *what;

	fputs(help, stdout);
	fputs("Workloads:\n", stdout);
	for (u32 i = 0; (name = dmasim_iova_workload_name(i, &what)); i++)
		printf("  %-15s %s\n", name, what);
	fputs("\nChecks:\n", stdout);
	for (u32 i = 0; (name = dmasim_iova_conform_check(i, &what)); i++)
		printf("  %-15s %s\n", name, what);
	fputs(help_end, stdout);
}

/* ---- One argument ----------------------------------------------------- */

static int read_verb(const char *text, struct iova_options *options)
{
	static const char *const names[] = {
		[IOVA_DRAW] = "draw", [IOVA_CHECK] = "check", [IOVA_BENCH] = "bench"
	};

	for (int verb = 0; verb <= IOVA_BENCH; verb++) {
		if (!strcmp(text, names[verb])) {
			options->verb = (enum iova_verb)verb;
			return 0;
		}
	}
	return cli_bad_input("iova: expected draw, check or bench, not '%s'", text);
}

static int read_workload(const char *text, struct iova_options *options)
{
	const char *name;

	for (u32 i = 0; (name = dmasim_iova_workload_name(i, NULL)); i++) {
		if (strcmp(text, name))
			continue;
		options->workload.name = name;
		return 0;
	}
	return cli_bad_input("iova: no workload '%s' (--help lists them)", text);
}

static int read_count(const char *option, const char *text, u64 min, u64 max, u64 *value)
{
	if (cli_number(text, value) && *value >= min && *value <= max)
		return 0;
	return cli_bad_input("iova: %s is a number from %llu to %llu, not '%s'", option, min, max,
			     text);
}

static int read_small(const char *option, const char *text, u32 min, u32 max, u32 *value)
{
	u64 number;
	int status = read_count(option, text, min, max, &number);

	if (!status)
		*value = (u32)number;
	return status;
}

static int read_seed(const char *text, struct iova_options *options)
{
	if (cli_number(text, &options->workload.seed) && options->workload.seed)
		return 0;
	return cli_bad_input("iova: --seed is a number, not 0, not '%s'", text);
}

static int read_as(const char *text, struct iova_options *options)
{
	options->svg = !strcmp(text, "svg");
	options->as_given = true;
	if (options->svg || !strcmp(text, "text"))
		return 0;
	return cli_bad_input("iova: --as is text or svg, not '%s'", text);
}

static int read_name(const char **name, const char *text)
{
	*name = text;
	return 0;
}

static int read_option(int option, const char *text, struct iova_options *options)
{
	struct dmasim_iova_workload_config *workload = &options->workload;

	switch (option) {
	case 'a':
		return iova_choose(options, text);
	case 'p':
		return iova_load(options, text);
	case 'w':
		return read_workload(text, options);
	case 'l':
		return read_count("--live", text, 1, DMASIM_IOVA_LIVE_MAX, &workload->live);
	case 'u':
		return read_small("--cpus", text, 1, DMASIM_IOVA_CPUS_MAX, &workload->cpus);
	case 'b':
		return read_small("--limit", text, 13, 63, &workload->limit_bits);
	case 'n':
		workload->no_cache = true;
		return 0;
	case 's':
		return read_seed(text, options);
	case 'y':
		return read_name(&options->replay_name, text);
	case 'o':
		return read_name(&options->record_name, text);
	case 'v':
		return read_as(text, options);
	case 'r':
		return read_name(&options->row, text);
	case 'c':
		return read_name(&options->csv_name, text);
	case 'e':
		return read_small("--patience", text, 1, 100000, &options->patience_s);
	case 'z':
		return read_small("--scale", text, 1, 100000, &options->scale_percent);
	case 'k':
		return read_name(&options->check, text);
	default:
		options->quick = true;
		return 0;
	}
}

/* ---- What does not go together ---------------------------------------- */

static bool has_workload(const struct iova_options *options)
{
	const struct dmasim_iova_workload_config *workload = &options->workload;

	return workload->name || workload->live || workload->cpus || workload->limit_bits ||
	       workload->no_cache;
}

static int misplaced(const char *option, const char *verb)
{
	return cli_bad_input("iova: %s is for %s (--help tells more)", option, verb);
}

static int check_options(const struct iova_options *options)
{
	bool draw = options->verb == IOVA_DRAW, bench = options->verb == IOVA_BENCH;

	if (options->as_given && !draw)
		return misplaced("--as", "draw");
	if (options->csv_name && !bench)
		return misplaced("--csv", "bench");
	if (options->row && !bench)
		return misplaced("--row", "bench");
	if (options->quick && !bench)
		return misplaced("--quick", "bench");
	if (options->patience_s && !bench)
		return misplaced("--patience", "bench");
	if (options->check && options->verb != IOVA_CHECK)
		return misplaced("--check", "check");
	if (options->scale_percent && options->verb != IOVA_CHECK)
		return misplaced("--scale", "check");
	if (options->replay_name && has_workload(options))
		return cli_bad_input("iova: --replay is instead of a workload and its options");
	if (options->verb == IOVA_CHECK &&
	    (has_workload(options) || options->replay_name || options->record_name))
		return cli_bad_input("iova: check has no workload");
	if (bench && !options->workload.name && !options->replay_name &&
	    (has_workload(options) || options->record_name))
		return cli_bad_input("iova: bench expects --workload NAME before its options");
	if (options->row && (options->workload.name || options->replay_name))
		return cli_bad_input("iova: --row is of the table, not of a workload");
	return 0;
}

int iova_read_arguments(int argc, char **argv, struct iova_options *options)
{
	static const struct option known[] = {
		{ "allocator", required_argument, NULL, 'a' },
		{ "plugin", required_argument, NULL, 'p' },
		{ "workload", required_argument, NULL, 'w' },
		{ "live", required_argument, NULL, 'l' },
		{ "cpus", required_argument, NULL, 'u' },
		{ "limit", required_argument, NULL, 'b' },
		{ "no-cache", no_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "replay", required_argument, NULL, 'y' },
		{ "record", required_argument, NULL, 'o' },
		{ "as", required_argument, NULL, 'v' },
		{ "row", required_argument, NULL, 'r' },
		{ "csv", required_argument, NULL, 'c' },
		{ "quick", no_argument, NULL, 'q' },
		{ "patience", required_argument, NULL, 'e' },
		{ "check", required_argument, NULL, 'k' },
		{ "scale", required_argument, NULL, 'z' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option, status;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		if (option == 'h') {
			print_help();
			return CLI_DONE;
		}
		if (option == ':' || option == '?')
			return cli_bad_option("iova", option, argv[optind - 1]);
		status = read_option(option, optarg, options);
		if (status)
			return status;
	}
	if (optind < argc) {
		status = read_verb(argv[optind++], options);
		if (status)
			return status;
	}
	if (optind < argc)
		return cli_bad_input("iova: unexpected argument '%s'", argv[optind]);
	if (!options->workload.seed && !dmasim_env_seed(&options->workload.seed))
		return cli_bad_input("iova: DMASIM_SEED is a number of 64 bits, not 0");
	status = check_options(options);
	return status ? status : -1;
}
