/* SPDX-License-Identifier: MIT */
/*
 * A machine that a program describes: its tables say what a dump does, and more.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "machine/import.h"

/* ---- Functions -------------------------------------------------------- */

static int read_address(struct import *import, struct import_function *function, const char *bdf)
{
	if (!bdf || !import_address(bdf, function))
		return import_error(import, function->line,
				    "'%.40s' is no address of a function; expected one like "
				    "0000:3a:00.0",
				    bdf ? bdf : "NULL");
	return 0;
}

static int read_registers(struct import *import, struct import_function *function,
			  const struct dmasim_function *from)
{
	for (u32 i = 0; i < from->register_count; i++) {
		u32 at = from->registers[i].at;

		if (at % 4 || at + 4 > function->config_bytes)
			return import_error(import, function->line,
					    "%s has a register at 0x%03x; expected multiples of 4 "
					    "below 0x%x",
					    import_name(function).text, at, function->config_bytes);
		for (u32 byte = 0; byte < 4; byte++)
			function->config[at + byte] = (u8)(from->registers[i].value >> (8 * byte));
	}
	return 0;
}

static int tell_sizes(struct import *import, struct import_function *function, const u64 *bytes,
		      u32 inferred, struct import_bar *bar)
{
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		if (bytes[i] & (bytes[i] - 1))
			return import_error(import, function->line,
					    "%s has a BAR %u of 0x%llx bytes; expected a power of "
					    "two",
					    import_name(function).text, i, bytes[i]);
		bar[i].bytes = bytes[i];
		bar[i].told = bytes[i];
		bar[i].inferred = inferred & 1U << i;
	}
	return 0;
}

static int read_function(struct import *import, const struct dmasim_function *from, u32 line)
{
	u8 config[PCI_CFG_SPACE_EXP_SIZE] = { 0 };
	struct import_function function = {
		.line = line,
		.config = config,
		.config_bytes = from->config_bytes ? from->config_bytes : PCI_CFG_SPACE_EXP_SIZE,
		.acs_hidden = from->acs_hidden,
		.tlb_entries = from->ats_entries,
	};
	u32 bytes = function.config_bytes;
	int err = read_address(import, &function, from->bdf);

	if (!err && bytes != IMPORT_HEADER_BYTES && bytes != PCI_CFG_SPACE_SIZE &&
	    bytes != PCI_CFG_SPACE_EXP_SIZE)
		err = import_error(import, line, "%s has %u registers; expected 64, 256 or 4096",
				   import_name(&function).text, bytes);
	if (!err)
		err = read_registers(import, &function, from);
	if (!err)
		err = tell_sizes(import, &function, from->bar, from->bar_inferred, function.bar);
	if (!err)
		err = tell_sizes(import, &function, from->vf_bar, from->vf_bar_inferred,
				 &function.bar[PCI_STD_NUM_BARS]);
	return err ? err : import_add(import, &function);
}

static int read_description(struct import *import)
{
	const struct dmasim_description *from = import->description;
	int err = 0;

	for (u32 i = 0; !err && i < from->function_count; i++)
		err = read_function(import, &from->functions[i], i + 1);
	if (!err && !from->function_count)
		return import_error(import, 0, "there is no function; expected one at least");
	return err;
}

/* ---- Host bridges ----------------------------------------------------- */

static struct import_root *find_root(struct import *import, u16 segment, u8 bus)
{
	struct import_root *root;

	TAILQ_FOREACH(root, &import->roots, link) {
		if (root->segment == segment && root->bus_first == bus)
			return root;
	}
	return NULL;
}

static int add_window(struct import *import, const struct dmasim_window *window, u32 number)
{
	struct import_root *root = find_root(import, window->segment, window->bus);
	u64 last = window->start + window->bytes - 1;

	if (!root)
		return import_error(import, 0,
				    "window %u is of root bus %04x:%02x; expected one with "
				    "functions",
				    number, window->segment, window->bus);
	if (!window->bytes || last < window->start || last >= MACHINE_ADOPT_START ||
	    window->start < import->s->hw.ram.range[0].bytes)
		return import_error(import, 0,
				    "window %u is 0x%llx bytes at 0x%llx; expected some between "
				    "the RAM at 0 and 0x%llx",
				    number, window->bytes, window->start, MACHINE_ADOPT_START);
	if (root->window_count == HW_ROOT_WINDOWS_MAX)
		return import_error(import, 0,
				    "root bus %04x:%02x has too many windows; expected "
				    "%u at most",
				    window->segment, window->bus, HW_ROOT_WINDOWS_MAX);
	root->window[root->window_count++] = (struct hw_window){
		.start = window->start,
		.bytes = window->bytes,
		.bus_offset = window->bus_offset,
		.inferred = window->inferred,
	};
	return 0;
}

int import_told_windows(struct import *import)
{
	const struct dmasim_description *from = import->description;
	int err = 0;

	for (u32 i = 0; !err && i < from->window_count; i++)
		err = add_window(import, &from->windows[i], i + 1);
	return err;
}

static int add_ranges(struct import *import, const struct dmasim_host_bridge *bridge)
{
	struct import_root *root = find_root(import, bridge->segment, bridge->bus);

	if (!root)
		return import_error(import, 0,
				    "a host bridge has root bus %04x:%02x; expected one with "
				    "functions",
				    bridge->segment, bridge->bus);
	machine_copy_ranges(bridge, root->inbound);
	root->inbound_count = bridge->dma_range_count;
	return 0;
}

int import_told_ranges(struct import *import)
{
	const struct dmasim_description *from = import->description;
	int err = 0;

	for (u32 i = 0; !err && from && i < from->host_bridge_count; i++)
		err = add_ranges(import, &from->host_bridges[i]);
	return err;
}

int dmasim_import_description(struct dmasim *s, const struct dmasim_description *description,
			      const struct dmasim_import *how, struct dmasim_error *error)
{
	struct import import = { .s = s, .file = "description", .description = description };

	if (how)
		import.how = *how;
	return import_machine(&import, read_description, error);
}
