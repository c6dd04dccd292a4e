/* SPDX-License-Identifier: MIT */
/*
 * Arguments: options from a table, and FILE or --host, of commands that work on one machine; pieces
 * of what others take.
 */
#include <getopt.h>
#include <string.h>

#include "cli.h"

bool cli_bdf(const char *text, dmasim_sbdf *number)
{
	unsigned int segment = 0, bus, device, function;
	int end = 0;

	if (sscanf(text, "%4x:%2x:%2x.%1x%n", &segment, &bus, &device, &function, &end) != 4 ||
	    text[end]) {
		segment = 0;
		end = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &device, &function, &end) != 3 || text[end])
			return false;
	}
	*number = DMASIM_SBDF(segment, bus, device, function);
	return device <= 0x1f && function <= 7;
}

bool cli_asks_for_help(int argc, char **argv, const char *help)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help")) {
			fputs(help, stdout);
			return true;
		}
	}
	return false;
}

static const struct cli_option *find(const struct cli_option *options, const char *name)
{
	for (; options->name; options++) {
		if (!strcmp(options->name, name))
			return options;
	}
	return NULL;
}

/* value is NULL at the end of the line. False: the option cannot have it. */
static bool take_value(const struct cli_option *option, const char *value)
{
	if (!value)
		return false;
	if (option->text) {
		*option->text = value;
		return true;
	}
	for (int i = 0; option->words[i]; i++) {
		if (!strcmp(value, option->words[i])) {
			*option->word = i;
			return true;
		}
	}
	return false;
}

/* Takes the option at argv[*at], and leaves *at at the last word of it. */
static int take_option(const struct cli_option *options, char **argv, int *at)
{
	const struct cli_option *option = find(options, argv[*at]);

	if (!option)
		return cli_bad_input("%s: no option '%s' (--help tells more)", argv[0], argv[*at]);
	if (option->flag) {
		*option->flag = true;
		return CLI_DONE;
	}
	(*at)++;
	if (take_value(option, argv[*at]))
		return CLI_DONE;
	return cli_bad_input("%s: %s '%s': expected %s", argv[0], option->name,
			     argv[*at] ? argv[*at] : "", option->expected);
}

/* What stands where a file may though it begins like an option. */
typedef bool is_file(const char *argument);

static bool is_stdin(const char *argument)
{
	return !strcmp(argument, "-");
}

static int read_all(int argc, char **argv, const struct cli_option *options, is_file *stands_for,
		    const char **file)
{
	*file = NULL;
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-' && !stands_for(argv[i])) {
			if (take_option(options, argv, &i))
				return CLI_BAD_INPUT;
		} else if (*file) {
			return cli_bad_input("%s: unexpected argument '%s'", argv[0], argv[i]);
		} else {
			*file = argv[i];
		}
	}
	return CLI_DONE;
}

int cli_read_options(int argc, char **argv, const struct cli_option *options, const char **file)
{
	if (read_all(argc, argv, options, cli_is_host, file))
		return CLI_BAD_INPUT;
	if (!*file)
		return cli_bad_input("%s: expected the name of an lspci dump, or --host", argv[0]);
	return CLI_DONE;
}

int cli_read_trace_options(int argc, char **argv, const struct cli_option *options,
			   const char **file)
{
	if (read_all(argc, argv, options, is_stdin, file))
		return CLI_BAD_INPUT;
	if (!*file)
		return cli_bad_input("%s: expected the name of a trace, or -", argv[0]);
	return CLI_DONE;
}

/* ---- Of commands that use getopt -------------------------------------- */

int cli_bad_option(const char *command, int option, const char *word)
{
	if (option == ':')
		return cli_bad_input("%s: option '%s' needs a value", command, word);
	if (word[0] == '-' && word[1] == '-')
		return cli_bad_input("%s: no option '%s' (--help tells more)", command, word);
	return cli_bad_input("%s: no option '-%c' (--help tells more)", command, optopt);
}

u32 cli_pieces(const char *text, char piece[CLI_PIECES_MAX][CLI_PIECE_BYTES])
{
	for (u32 count = 0; count < CLI_PIECES_MAX; count++) {
		size_t length = strcspn(text, ":");

		if (!length || length >= CLI_PIECE_BYTES)
			return 0;
		memcpy(piece[count], text, length);
		piece[count][length] = '\0';
		if (!text[length])
			return count + 1;
		text += length + 1;
	}
	return 0;
}

bool cli_size(char *text, u64 *bytes)
{
	static const char units[] = "KMGT";
	size_t length = strlen(text);
	const char *unit = strchr(units, text[length - 1]);
	u32 shift = unit ? 10 * (u32)(unit - units + 1) : 0;

	if (unit)
		text[length - 1] = '\0';
	if (!cli_number(text, bytes) || *bytes > ~0ULL >> shift)
		return false;
	*bytes <<= shift;
	return true;
}
