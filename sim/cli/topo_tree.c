/* SPDX-License-Identifier: MIT */
/*
 * The tree as text: a line for each function, and below it what else is told of it.
 */
#include "topo.h"

/* Of what belongs to a function; its children stand 2 deeper than itself. */
#define DETAIL_INDENT 4

static const char *plural(u32 count)
{
	return count == 1 ? "" : "s";
}

static void put_size(u64 bytes, FILE *to)
{
	char text[32];

	dmasim_size_text(bytes, text, sizeof(text));
	fputs(text, to);
}

/* "window 0x1000-0x1fff, 4 KiB" */
static void put_range(const char *what, u64 start, u64 bytes, FILE *to)
{
	fprintf(to, "%s 0x%llx-0x%llx, ", what, start, start + bytes - 1);
	put_size(bytes, to);
}

/* ---- Functions -------------------------------------------------------- */

static void begin_detail(const struct topo_function *function, FILE *to)
{
	fprintf(to, "%*s", (int)(2 * function->depth + DETAIL_INDENT), "");
}

static void put_windows(const struct topo_function *function, FILE *to)
{
	for (u32 i = 0; i < function->window_count; i++) {
		const struct topo_window *window = &function->window[i];

		begin_detail(function, to);
		put_range("window", window->start, window->bytes, to);
		fprintf(to, "%s\n", window->prefetch ? ", prefetchable" : "");
	}
}

static void put_bars(const struct topo_function *function, FILE *to)
{
	for (u32 i = 0; i < function->bar_count; i++) {
		const struct topo_bar *bar = &function->bar[i];

		begin_detail(function, to);
		fprintf(to, "BAR %u 0x%llx, ", bar->index, bar->address);
		put_size(bar->bytes, to);
		fprintf(to, "%s, ", bar->inferred ? " inferred" : "");
		if (bar->io)
			fprintf(to, "I/O\n");
		else
			fprintf(to, "%d-bit%s\n", bar->is_64 ? 64 : 32,
				bar->prefetch ? " prefetchable" : "");
	}
}

/* "ACS cap 0x5f control 0x1d SV+ RR+ CR+ UF+" */
static void put_acs(const struct topo_function *function, FILE *to)
{
	const char *letters;

	if (function->acs != TOPO_PRESENT)
		return;
	begin_detail(function, to);
	fprintf(to, "ACS cap 0x%02x control 0x%02x", function->acs_cap, function->acs_control);
	for (u32 bit = 0; (letters = topo_acs_letters(bit)); bit++) {
		if (function->acs_control & 1U << bit)
			fprintf(to, " %s+", letters);
	}
	fprintf(to, "\n");
}

static void put_ats(const struct topo_function *function, FILE *to)
{
	if (function->ats != TOPO_PRESENT)
		return;
	begin_detail(function, to);
	fprintf(to, "ATS %s\n", function->ats_on ? "on" : "off");
}

static void put_virtual_functions(const struct topo_function *function, FILE *to)
{
	if (function->sriov != TOPO_PRESENT)
		return;
	begin_detail(function, to);
	fprintf(to, "SR-IOV, %u virtual function%s at most", function->virtual_functions,
		plural(function->virtual_functions));
	if (function->virtual_on)
		fprintf(to, ", %u on", function->virtual_on);
	fprintf(to, "\n");
}

static void put_buses(const struct topo_function *function, FILE *to)
{
	if (!function->bridge)
		return;
	if (function->secondary)
		fprintf(to, ", buses %02x-%02x", function->secondary, function->subordinate);
	else
		fprintf(to, ", leads nowhere");
}

static const char *without_acs(const struct topo_function *function)
{
	return function->acs == TOPO_UNKNOWN  ? ", ACS unknown"
	       : function->acs == TOPO_ABSENT ? ", no ACS"
					      : "";
}

static void put_function(const struct topo_function *function, FILE *to)
{
	const struct pci_dev *pdev = function->pdev;

	fprintf(to, "%*s%s ", (int)(2 * function->depth), "", function->name);
	if (!function->answered) {
		fprintf(to, "did not answer, unknown type, ACS unknown\n");
		return;
	}
	fprintf(to, "%s [%04x] %04x:%04x, %s", function->class_word, pdev->class_code >> 8,
		pdev->vendor, pdev->device, function->type_word);
	if (function->port_number)
		fprintf(to, " #%u", function->port_number);
	if (function->physfn)
		fprintf(to, ", virtual function of %s", function->physfn);
	if (function->real_dma)
		fprintf(to, ", requests as %s", function->real_dma);
	put_buses(function, to);
	fprintf(to, "%s%s\n", function->memory_off ? ", memory off" : "", without_acs(function));
	put_windows(function, to);
	put_bars(function, to);
	put_virtual_functions(function, to);
	put_acs(function, to);
	put_ats(function, to);
}

/* ---- Machine ---------------------------------------------------------- */

static void put_host_bridge(const struct topo *topo, const struct topo_host_bridge *host, FILE *to)
{
	fprintf(to, "host bridge %04x:%02x, buses %02x-%02x\n", dmasim_domain(host->segment),
		host->bus_first, host->bus_first, host->bus_last);
	for (u32 i = 0; i < host->window_count; i++) {
		const struct topo_window *window = &topo->window[host->first_window + i];

		fprintf(to, "%*s", DETAIL_INDENT, "");
		put_range("window", window->start, window->bytes, to);
		fprintf(to, "%s\n", window->inferred ? ", inferred" : "");
	}
	for (u32 i = 0; i < host->function_count; i++)
		put_function(&topo->function[host->first_function + i], to);
}

void topo_print_tree(const struct topo *topo, FILE *to)
{
	for (u32 i = 0; i < topo->ram_count; i++) {
		put_range("RAM", topo->ram[i].start, topo->ram[i].bytes, to);
		fprintf(to, ", inferred\n");
	}
	for (u32 i = 0; i < topo->host_bridge_count; i++)
		put_host_bridge(topo, &topo->host_bridge[i], to);
	cli_notes(&topo->notes, to);
	fprintf(to, "%u function%s, %u bridge%s, %u host bridge%s\n", topo->function_count,
		plural(topo->function_count), topo->bridge_count, plural(topo->bridge_count),
		topo->host_bridge_count, plural(topo->host_bridge_count));
}
