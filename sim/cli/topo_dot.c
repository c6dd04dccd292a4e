/* SPDX-License-Identifier: MIT */
/*
 * The tree as a graph for Graphviz: boxes around host bridges and switches, and the frames of ports
 * in the colour of what ACS does there.
 */
#include "topo.h"

static const char head[] =
	"digraph machine {\n"
	"\trankdir=LR;\n"
	"\tgraph [fontname=\"sans-serif\", fontsize=11, style=rounded, color=\"#8a94a3\"];\n"
	"\tnode [fontname=\"sans-serif\", fontsize=10, shape=box, style=rounded];\n"
	"\tedge [dir=none, color=\"#5d6875\"];\n";

static const char *const looks[] = {
	[TOPO_REDIRECTS] = "color=\"#1f8a4c\", penwidth=2",
	[TOPO_LETS_PASS] = "color=\"#d08700\", penwidth=2",
	[TOPO_NO_ACS] = "color=\"#c8372d\", penwidth=2",
	[TOPO_ACS_HIDDEN] = "color=\"#7b8794\", style=\"rounded,dashed\"",
};

static void put_node(const struct topo_function *function, const char *indent, FILE *to)
{
	char acs[TOPO_TEXT_BYTES];

	fprintf(to, "%s\"%s\" [label=\"%s\\n%s", indent, function->name, topo_title(function),
		function->name);
	if (function->answered)
		fprintf(to, "\\n%04x:%04x", function->pdev->vendor, function->pdev->device);
	if (topo_acs_matters(function))
		fprintf(to, "\\n%s\", %s", topo_acs_text(function, acs),
			looks[topo_isolation(function)]);
	else
		fputc('"', to);
	fputs("];\n", to);
}

/* A host bridge's box has the root bus in it. */
static void put_host_bridge(const struct topo *topo, const struct topo_host_bridge *host, FILE *to)
{
	fprintf(to, "\tsubgraph \"cluster_%04x:%02x\" {\n", dmasim_domain(host->segment),
		host->bus_first);
	fprintf(to, "\t\tlabel=\"host bridge %04x:%02x\\nbuses %02x-%02x\";\n",
		dmasim_domain(host->segment), host->bus_first, host->bus_first, host->bus_last);
	for (u32 i = 0; i < host->function_count; i++) {
		const struct topo_function *function = &topo->function[host->first_function + i];

		if (function->above == TOPO_NONE)
			put_node(function, "\t\t", to);
	}
	fputs("\t}\n", to);
}

/* A switch's box has its upstream port and what is on the bus inside it. */
static void put_switch(const struct topo *topo, u32 upstream, FILE *to)
{
	const struct topo_function *function = &topo->function[upstream];

	fprintf(to, "\tsubgraph \"cluster_%s\" {\n\t\tlabel=\"switch\";\n", function->name);
	put_node(function, "\t\t", to);
	for (u32 i = upstream + 1; i < topo->function_count; i++) {
		if (topo->function[i].above == upstream)
			put_node(&topo->function[i], "\t\t", to);
		if (topo->function[i].depth <= function->depth)
			break;
	}
	fputs("\t}\n", to);
}

static void put_legend(FILE *to)
{
	fputs("\tsubgraph cluster_legend {\n\t\tlabel=\"ACS of ports\";\n", to);
	for (u32 i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		fprintf(to, "\t\t\"legend %u\" [label=\"%s\", %s];\n", i,
			topo_isolation_text((enum topo_isolation)i), looks[i]);
	fputs("\t}\n", to);
}

void topo_print_dot(const struct topo *topo, FILE *to)
{
	fputs(head, to);
	for (u32 i = 0; i < topo->host_bridge_count; i++)
		put_host_bridge(topo, &topo->host_bridge[i], to);
	for (u32 i = 0; i < topo->function_count; i++) {
		const struct topo_function *function = &topo->function[i];

		if (topo_is_switch(function))
			put_switch(topo, i, to);
		else if (function->above != TOPO_NONE &&
			 !topo_is_switch(&topo->function[function->above]))
			put_node(function, "\t", to);
	}
	for (u32 i = 0; i < topo->function_count; i++) {
		u32 above = topo->function[i].above;

		if (above != TOPO_NONE)
			fprintf(to, "\t\"%s\" -> \"%s\";\n", topo->function[above].name,
				topo->function[i].name);
	}
	put_legend(to);
	fputs("}\n", to);
}
