/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <string.h>

#include "iova.h"

static const char help[] =
	"usage: dmasim iova [draw|check|bench] [--allocator NAME|all] [--plugin FILE.so]\n"
	"                   [--row WORDS] [--quick] [--csv FILE]\n"
	"\n"
	"Exit status: 0 all went as it should, 1 not, 2 bad input.\n";

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

static int read_option(int option, const char *text, struct iova_options *options)
{
	switch (option) {
	case 'a':
		return iova_choose(options, text);
	case 'p':
		return iova_load(options, text);
	case 'r':
		options->row = text;
		return 0;
	case 'c':
		options->csv_name = text;
		return 0;
	default:
		options->quick = true;
		return 0;
	}
}

/* What getopt could not make sense of; word is the last that it looked at. */
static int bad_option(int option, const char *word)
{
	if (option == ':')
		return cli_bad_input("iova: option '%s' needs a value", word);
	if (word[0] == '-' && word[1] == '-')
		return cli_bad_input("iova: no option '%s' (--help tells more)", word);
	return cli_bad_input("iova: no option '-%c' (--help tells more)", optopt);
}

int iova_read_arguments(int argc, char **argv, struct iova_options *options)
{
	static const struct option known[] = {
		{ "allocator", required_argument, NULL, 'a' },
		{ "plugin", required_argument, NULL, 'p' },
		{ "row", required_argument, NULL, 'r' },
		{ "csv", required_argument, NULL, 'c' },
		{ "quick", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option, status;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", known, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return CLI_DONE;
		}
		if (option == ':' || option == '?')
			return bad_option(option, argv[optind - 1]);
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
	return -1;
}
