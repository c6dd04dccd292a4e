/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "demo", cli_demo, "the unmap flows for peer memory, end to end" },
	{ "iova", cli_iova, "IOVA allocators drawn, judged and measured" },
	{ "fault", cli_fault,
	  "what the IOMMU's fault lines in a kernel log mean, and whose they are" },
	{ "walk", cli_walk, "one translation step by step; the bits of page-table entries" },
	{ "pt", cli_pt, "page tables of every format, as they lie in memory, bit by bit" },
	{ "groups", cli_groups, "the IOMMU groups of an lspci dump, and why" },
	{ "p2p", cli_p2p, "which device reaches which other's memory, by which way, and why not" },
	{ "send", cli_send, "one request on its way, hop by hop" },
	{ "topo", cli_topo, "the PCI tree of a machine: text, picture, graph, JSON, dump, C" },
	{ "lint", cli_lint, "the checker over a trace that another run has written" },
	{ "reports", cli_reports, "every report the checker can make, and what one means" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int cli_bad_input(const char *format, ...)
{
	va_list args;

	fputs("dmasim: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return CLI_BAD_INPUT;
}

bool cli_number(const char *text, u64 *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return *text && *text != '-' && !*end && !errno;
}

static void usage(FILE *to)
{
	fputs("usage: dmasim COMMAND [ARGUMENTS]\n\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\ndmasim COMMAND --help tells more.\n", to);
}

static int run(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return CLI_BAD_INPUT;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return CLI_DONE;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	}
	return cli_bad_input("no command '%s' (dmasim --help lists them)", argv[1]);
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);
	bool lost;

	errno = 0;
	lost = fflush(stdout) || ferror(stdout);
	if (!lost || status == CLI_BAD_INPUT)
		return status;
	return cli_bad_input("cannot write the output: %s",
			     errno ? strerror(errno) : "not all was written");
}
