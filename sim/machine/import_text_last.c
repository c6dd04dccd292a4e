/* SPDX-License-Identifier: MIT */
/*
 * What the text of one function does not tell, and the whole file does: numbers for names; how much
 * of configuration space was shown; that a slot has more functions; and where an address is the
 * CPU's.
 */
#include <string.h>

#include "hw/config.h"
#include "machine/import_reader.h"
#include "pci/acs.h"

#define BASE_CLASS_NETWORK 0x02

/* How many functions something was said of, and the first. */
struct count {
	u32 count;
	struct import_name first;
};

struct last {
	struct count unknown;
	struct count chosen;
	struct count assumed;
	struct count counted_bars;
};

static void count_one(struct count *count, const struct import_function *function)
{
	if (!count->count++)
		count->first = import_name(function);
}

static void note(struct import *import, const struct count *count, const char *what)
{
	if (count->count)
		import_note(import, "%u function%s (%s%s) %s", count->count,
			    count->count > 1 ? "s" : "", count->first.text,
			    count->count > 1 ? " ..." : "", what);
}

static void put(struct import_function *function, u32 at, u32 bytes, u32 value)
{
	for (u32 i = 0; i < bytes && at + i < function->config_bytes; i++)
		function->config[at + i] = (u8)(value >> (8 * i));
}

static u32 find_extended(const struct import_function *function, u16 id)
{
	struct hw_registers registers = { function->config, function->config_bytes };

	return hw_registers_find_extended(registers, id);
}

static bool by_text_alone(const struct import_function *function)
{
	return function->told_by == IMPORT_BY_TEXT;
}

/* ---- Numbers ---------------------------------------------------------- */

/* "Device 1901" at the end of a name is the number itself. */
static bool number_in(const char *text, u32 *device)
{
	size_t length = strlen(text);
	const char *at = text + length - 11;

	if (length < 11 || (length > 11 && at[-1] != ' '))
		return false;
	return import_text_begins(at, "Device ") && import_count_digits(at + 7) == 4 &&
	       import_read_digits(at + 7, 4, device);
}

static void set_numbers(struct last *last, struct import_function *function)
{
	const struct import_query *name = function->device_name;
	u32 vendor = IMPORT_ID_UNKNOWN, device = IMPORT_ID_UNKNOWN;

	if (name && name->vendor_length && !name->vendor_twice)
		vendor = name->vendor;
	if (name && !number_in(name->text, &device) && name->found && !name->differ) {
		vendor = name->device_vendor;
		device = name->device;
	}
	if (name) {
		put(function, PCI_VENDOR_ID, 2, vendor);
		put(function, PCI_DEVICE_ID, 2, device);
	}
	if (name && (vendor == IMPORT_ID_UNKNOWN || device == IMPORT_ID_UNKNOWN))
		count_one(&last->unknown, function);
	if (name && name->found > 1 && !name->differ)
		count_one(&last->chosen, function);
	if (function->class_name)
		put(function, PCI_CLASS_DEVICE, 2,
		    function->class_name->found ? function->class_name->device
						: IMPORT_CLASS_UNKNOWN);
	function->device_name = NULL;
	function->class_name = NULL;
}

/* ---- Single functions ------------------------------------------------- */

static bool is_intel_spt(const struct import_function *function)
{
	struct pci_dev pdev = {
		.vendor = (u16)import_read(function, PCI_VENDOR_ID, 2),
		.device = (u16)import_read(function, PCI_DEVICE_ID, 2),
		.express_type = PCI_EXP_TYPE_ROOT_PORT,
	};

	return pci_acs_is_intel_spt(&pdev);
}

/*
 * lspci reads the control word of these ports where others have it, and finds zeros. Where the text
 * is all there is, they are as Linux sets them with an IOMMU.
 */
static void assume_acs(struct last *last, struct import_function *function)
{
	u32 at = find_extended(function, PCI_EXT_CAP_ID_ACS);
	u32 capability = at ? import_read(function, at + PCI_ACS_CAP, 2) : 0;

	if (!by_text_alone(function) || !capability || !is_intel_spt(function) ||
	    import_read(function, at + PCI_ACS_CTRL, 2))
		return;
	put(function, at + PCI_ACS_SPT_CTRL, 4, capability & PCI_ACS_ISOLATION);
	count_one(&last->assumed, function);
}

static bool is_port(const struct import_function *function)
{
	s32 type = import_express_type(function);

	return type == PCI_EXP_TYPE_ROOT_PORT || type == PCI_EXP_TYPE_DOWNSTREAM;
}

/* Linux's list has functions of slots and ports; of Intel's functions those of network cards. */
static bool may_be_listed(const struct import_function *function)
{
	u32 vendor = import_read(function, PCI_VENDOR_ID, 2);

	if (vendor != IMPORT_ID_UNKNOWN && !pci_acs_quirk_vendor((u16)vendor))
		return false;
	if (is_port(function))
		return true;
	return function->config[PCI_HEADER_TYPE] & PCI_HEADER_TYPE_MULTI &&
	       (vendor != PCI_VENDOR_ID_INTEL ||
		import_read(function, PCI_CLASS_DEVICE + 1, 1) == BASE_CLASS_NETWORK);
}

/*
 * Without a number nobody knows whether Linux takes the device for isolating whatever its registers
 * say. That matters where they do not say that it isolates.
 */
static void hide_acs(struct import_function *function)
{
	u32 acs = find_extended(function, PCI_EXT_CAP_ID_ACS);

	if (!by_text_alone(function) ||
	    import_read(function, PCI_DEVICE_ID, 2) != IMPORT_ID_UNKNOWN ||
	    !may_be_listed(function))
		return;
	if (!acs || pci_acs_missing(PCI_ACS_ISOLATION, import_read(function, acs + PCI_ACS_CAP, 2),
				    import_read(function, acs + PCI_ACS_CTRL, 2)))
		function->acs_hidden = true;
}

/* A slot with more than one function says so in each of them. */
static void tell_neighbours(struct import_function *function, struct import_function *next)
{
	if (!next || function->domain != next->domain || function->bus != next->bus ||
	    (function->devfn ^ next->devfn) > 7)
		return;
	if (by_text_alone(function))
		function->config[PCI_HEADER_TYPE] |= PCI_HEADER_TYPE_MULTI;
	if (by_text_alone(next))
		next->config[PCI_HEADER_TYPE] |= PCI_HEADER_TYPE_MULTI;
}

static bool is_silent(const struct import_function *function)
{
	return import_read(function, PCI_VENDOR_ID, 4) == 0xffffffff;
}

/* ---- The whole file --------------------------------------------------- */

int import_text_last(struct import_reader *reader)
{
	struct import *import = reader->lines.import;
	struct last last = { 0 };
	struct import_function *function, *before = NULL;
	int err = import_ids_answer(&reader->ids);

	if (err)
		return err;
	RB_FOREACH(function, import_functions, &import->functions) {
		set_numbers(&last, function);
		if (before && !is_silent(function) && !is_silent(before))
			tell_neighbours(before, function);
		before = function;
		/* Where no function shows any, extended capabilities could not be read. */
		if (function->told_by & IMPORT_BY_TEXT && !reader->any_extended &&
		    function->hex_bytes < PCI_CFG_SPACE_EXP_SIZE &&
		    function->config_bytes > PCI_CFG_SPACE_SIZE)
			function->config_bytes = PCI_CFG_SPACE_SIZE;
		assume_acs(&last, function);
		if (function->bars_counted)
			count_one(&last.counted_bars, function);
	}
	RB_FOREACH(function, import_functions, &import->functions)
		hide_acs(function);
	note(import, &last.unknown,
	     "of unknown numbers, which read as fffe (a name stands for none or for several, "
	     "lspci -nn or -xxxx would tell)");
	note(import, &last.chosen,
	     "with names that stand for several numbers, the first of which is taken: they make no "
	     "difference to groups");
	note(import, &last.assumed,
	     "with ACS assumed to be as Linux sets it: lspci -xxxx would tell");
	note(import, &last.counted_bars, "whose BARs are numbered in their order: lspci -vv tells");
	return 0;
}

/* ---- Addresses -------------------------------------------------------- */

static bool is_behind(const struct import_function *bridge, u64 address)
{
	struct hw_registers registers = { bridge->config, bridge->config_bytes };

	return hw_span_has(hw_registers_window(registers), address) ||
	       hw_span_has(hw_registers_prefetch_window(registers), address);
}

/*
 * Text has addresses as the CPU has them, and bridges' registers as the bus has. Where a host
 * bridge makes a difference of whole 4 GiB between them, the window above tells.
 */
static void correct_bars(struct import_function *function)
{
	for (u32 at = PCI_BASE_ADDRESS_0; at < PCI_BASE_ADDRESS_0 + 4 * (PCI_STD_NUM_BARS - 1);
	     at += 4) {
		u32 low = import_read(function, at, 4);
		u64 address = (u64)import_read(function, at + 4, 4) << 32 |
			      (low & PCI_BASE_ADDRESS_MEM_MASK);

		if ((low & (PCI_BASE_ADDRESS_MEM_TYPE_MASK | PCI_BASE_ADDRESS_SPACE_IO)) !=
		    PCI_BASE_ADDRESS_MEM_TYPE_64)
			continue;
		if (!is_behind(function->above, address) &&
		    is_behind(function->above, address & 0xffffffff))
			put(function, at + 4, 4, 0);
		at += 4;
	}
}

void import_text_addresses(struct import *import)
{
	struct import_function *function;

	RB_FOREACH(function, import_functions, &import->functions) {
		const struct import_function *above = function->above;

		if (by_text_alone(function) && above &&
		    import_header_type(function) == PCI_HEADER_TYPE_NORMAL &&
		    import_header_type(above) == PCI_HEADER_TYPE_BRIDGE)
			correct_bars(function);
	}
}
