/* SPDX-License-Identifier: MIT */
/*
 * dmasim topo: the PCI tree of a machine, as the simulator sees it, in the form that is asked for.
 */
#include <errno.h>
#include <string.h>

#include "topo.h"

static const char help[] =
	"usage: dmasim topo FILE | --host [--as FORM]\n\n"
	"Prints the PCI tree of a machine. FILE is what lspci -xxxx or -vvv printed, or both (as\n"
	"root: others see 64 bytes of each function and no capabilities; -xxx shows 256), also as\n"
	"a mail has it. Text with -nn has numbers; names alone are looked up. --host is the\n"
	"machine that this runs on, by its sysfs; --host=ROOT takes another folder for /sys. What\n"
	"is not told is inferred, and marked; what cannot be seen is unknown.\n\n"
	"  --as tree   text (this is the default)\n"
	"  --as dot    a graph for Graphviz: dmasim topo FILE --as dot | dot -Tsvg >tree.svg\n"
	"  --as svg    a picture\n"
	"  --as json   for programs; members keep their names, addresses are hexadecimal strings\n"
	"  --as lspci  a dump, as lspci -D -n -xxxx prints it: lspci -F reads it, and this "
	"command\n"
	"  --as c      a C function that rebuilds the machine\n";

enum form { TREE, DOT, SVG, JSON, LSPCI, C };

static const char *const forms[] = {
	[TREE] = "tree",   [DOT] = "dot", [SVG] = "svg", [JSON] = "json",
	[LSPCI] = "lspci", [C] = "c",	  NULL,
};

struct options {
	const char *command;
	const char *file;
	enum form form;
};

static int read_arguments(struct options *options, int argc, char **argv)
{
	int form = TREE;
	const struct cli_option table[] = {
		{ "--as", .words = forms, .word = &form,
		  .expected = "tree, dot, svg, json, lspci or c" },
		{ NULL },
	};
	int status;

	*options = (struct options){ .command = argv[0] };
	status = cli_read_options(argc, argv, table, &options->file);
	options->form = (enum form)form;
	return status;
}

static int no_memory(const struct options *options)
{
	return cli_bad_input("%s: no memory", options->command);
}

static int print_topo(const struct options *options, const struct topo *topo)
{
	switch (options->form) {
	case DOT:
		topo_print_dot(topo, stdout);
		return CLI_DONE;
	case SVG:
		return topo_print_svg(topo, stdout) ? CLI_DONE : no_memory(options);
	case JSON:
		return topo_print_json(topo, options->command, stdout);
	default:
		topo_print_tree(topo, stdout);
		return CLI_DONE;
	}
}

/* What the library writes itself. Whether all could be written is asked when the command ends. */
static int export(const struct options *options, struct dmasim *s)
{
	int err = options->form == C ? dmasim_export_c(s, stdout, "build_machine")
				     : dmasim_export_lspci(s, stdout);

	return err == -ENOMEM ? no_memory(options) : CLI_DONE;
}

static int print_machine(const struct options *options, struct dmasim *s,
			 const struct dmasim_error *notes)
{
	struct topo topo;
	int status;

	if (options->form == LSPCI || options->form == C)
		return export(options, s);
	status = topo_read(&topo, s, notes) ? print_topo(options, &topo) : no_memory(options);
	topo_free(&topo);
	return status;
}

int cli_topo(int argc, char **argv)
{
	struct options options;
	struct dmasim_error notes;
	struct dmasim *s;
	int status;

	if (cli_asks_for_help(argc, argv, help))
		return CLI_DONE;
	if (read_arguments(&options, argc, argv))
		return CLI_BAD_INPUT;
	s = cli_machine(options.command, options.file, NULL, NULL, &notes);
	if (!s)
		return CLI_BAD_INPUT;
	status = print_machine(&options, s, &notes);
	dmasim_destroy(s);
	return status;
}
