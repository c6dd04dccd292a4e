/* SPDX-License-Identifier: MIT */
/*
 * What a dump does not say of a function: how large its BARs are. The resizable-BAR capability
 * knows; else a BAR has the largest power of two that divides its address and ends before what
 * comes next.
 *
 *        a bridge's window
 *   |----------------------------------|
 *        BAR 0          BAR 2
 *        |-------|?????||--------------|
 *        ^ aligned to this      ^ ends where the window ends
 *
 * What comes next: a BAR on the same bus, of the same function or another, or of their virtual
 * functions; the window of a bridge on this bus; the end of every window around it.
 *
 * Here, too: ACS off.
 */
#include "hw/config.h"
#include "machine/import.h"
#include "pci/acs.h"

#define IO_BYTES_MAX  256 /* more is not given to one BAR on PCs */
#define MEM_BYTES_MIN 16

u32 import_read(const struct import_function *function, u32 at, u32 bytes)
{
	u32 value = 0;

	for (u32 i = 0; i < bytes; i++) {
		if (at + i < function->config_bytes)
			value |= (u32)function->config[at + i] << (8 * i);
	}
	return value;
}

static struct hw_registers registers_of(const struct import_function *function)
{
	return (struct hw_registers){ function->config, function->config_bytes };
}

u32 import_find_extended(const struct import_function *function, u16 id)
{
	return hw_registers_find_extended(registers_of(function), id);
}

s32 import_express_type(const struct import_function *function)
{
	u32 at = hw_registers_find_capability(registers_of(function), PCI_CAP_ID_EXP);

	if (!at)
		return -1;
	return (s32)((import_read(function, at + PCI_EXP_FLAGS, 2) & PCI_EXP_FLAGS_TYPE) >>
		     PCI_EXP_FLAGS_TYPE_SHIFT);
}

/* ---- Registers -------------------------------------------------------- */

static u32 bar_registers(const struct import_function *function)
{
	switch (import_header_type(function)) {
	case PCI_HEADER_TYPE_NORMAL:
		return PCI_STD_NUM_BARS;
	case PCI_HEADER_TYPE_BRIDGE:
		return PCI_BRIDGE_NUM_BARS;
	default:
		return 1;
	}
}

/*
 * Reads `registers` BARs from `at` on. A 64-bit one in the last register has no upper half, so it
 * cannot be there: *broken has a bit for it.
 */
static void read_bars(const struct import_function *function, u32 at, u32 registers,
		      struct import_bar *bar, u32 *broken)
{
	for (u32 i = 0; i < registers; i++) {
		u32 low = import_read(function, at + 4 * i, 4);

		bar[i].count = 1;
		bar[i].io = low & PCI_BASE_ADDRESS_SPACE_IO;
		bar[i].address = low &
				 (bar[i].io ? PCI_BASE_ADDRESS_IO_MASK : PCI_BASE_ADDRESS_MEM_MASK);
		if (bar[i].io ||
		    (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) != PCI_BASE_ADDRESS_MEM_TYPE_64)
			continue;
		if (i + 1 == registers) {
			bar[i].address = 0;
			*broken |= 1U << i;
			break;
		}
		bar[i].address |= (u64)import_read(function, at + 4 * i + 4, 4) << 32;
		i++;
	}
}

static void read_own_bars(struct import_function *function)
{
	u32 broken = 0;

	read_bars(function, PCI_BASE_ADDRESS_0, bar_registers(function), function->bar, &broken);
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		u32 at = PCI_BASE_ADDRESS_0 + 4 * i;

		/* A register that is not implemented reads as zero. */
		for (u32 byte = 0; byte < 4 && broken & 1U << i; byte++)
			function->config[at + byte] = 0;
	}
}

static void read_virtual_bars(struct import_function *function)
{
	u32 at = import_find_extended(function, PCI_EXT_CAP_ID_SRIOV);
	struct import_bar *bar = &function->bar[PCI_STD_NUM_BARS];
	u32 broken = 0, count;

	if (!at)
		return;
	count = import_read(function, at + PCI_SRIOV_TOTAL_VF, 2);
	if (!count)
		return;
	read_bars(function, at + PCI_SRIOV_BAR, PCI_STD_NUM_BARS, bar, &broken);
	for (u32 i = 0; i < PCI_STD_NUM_BARS; i++) {
		bar[i].count = count;
		/* Virtual functions have no I/O. */
		if (bar[i].io)
			bar[i].address = 0;
	}
}

/* As far as the address registers go: a window with its limit below its base is closed. */
static void read_windows(struct import_function *function)
{
	function->window[0] = HW_NO_SPAN;
	function->window[1] = HW_NO_SPAN;
	if (import_header_type(function) != PCI_HEADER_TYPE_BRIDGE)
		return;
	function->window[0] = hw_registers_window(registers_of(function));
	function->window[1] = hw_registers_prefetch_window(registers_of(function));
}

/* ---- Sizes of BARs ---------------------------------------------------- */

/* The current size, as the control register has it; 0: not resizable. */
static u64 resizable_size(const struct import_function *function, u32 index)
{
	u32 at = import_find_extended(function, PCI_EXT_CAP_ID_REBAR);
	u32 control, count;

	if (!at)
		return 0;
	count = (import_read(function, at + PCI_REBAR_CTRL, 4) & PCI_REBAR_CTRL_NBAR_MASK) >>
		PCI_REBAR_CTRL_NBAR_SHIFT;
	for (u32 i = 0; i < count; i++) {
		u32 lg2;

		control = import_read(function, at + PCI_REBAR_CTRL + 8 * i, 4);
		lg2 = (control & PCI_REBAR_CTRL_BAR_SIZE) >> PCI_REBAR_CTRL_BAR_SHIFT;
		/* What has no place in 64 bits becomes 0. */
		if ((control & PCI_REBAR_CTRL_BAR_IDX) == index)
			return (u64)SZ_1M << lg2;
	}
	return 0;
}

static void end_before(u64 *last, u64 start, u64 address)
{
	if (start > address && start - 1 < *last)
		*last = start - 1;
}

static void end_before_function(u64 *last, const struct import_function *other,
				const struct import_bar *bar)
{
	for (u32 i = 0; i < IMPORT_BARS; i++) {
		if (other->bar[i].io == bar->io)
			end_before(last, other->bar[i].address, bar->address);
	}
	for (u32 i = 0; i < 2 && !bar->io; i++) {
		if (other->window[i].start <= other->window[i].last)
			end_before(last, other->window[i].start, bar->address);
	}
}

/*
 * The last address that the BAR can have. 4 GiB needs no word: no power of two here crosses it.
 * What is left out of the tree has no BARs or windows.
 */
static u64 last_address(struct import *import, const struct import_function *function,
			const struct import_bar *bar)
{
	u64 last = ~0ULL;
	struct import_function key = { .domain = function->domain, .bus = function->bus };
	const struct import_function *above;
	struct import_function *other;

	for (other = RB_NFIND(import_functions, &import->functions, &key);
	     other && other->domain == function->domain && other->bus == function->bus;
	     other = RB_NEXT(import_functions, &import->functions, other))
		end_before_function(&last, other, bar);
	for (above = function->above; above && !bar->io; above = above->above) {
		for (u32 i = 0; i < 2; i++) {
			if (hw_span_has(above->window[i], bar->address) &&
			    above->window[i].last < last)
				last = above->window[i].last;
		}
	}
	return last;
}

static u64 inferred_size(const struct import_bar *bar, u64 last)
{
	u64 bytes = bar->address & -bar->address;
	u64 room = (last - bar->address + 1) / bar->count;

	if (bar->io && bytes > IO_BYTES_MAX)
		bytes = IO_BYTES_MAX;
	while (bytes > room)
		bytes >>= 1;
	/* Virtual functions that have no room for a BAR each. */
	return bar->io || bytes >= MEM_BYTES_MIN ? bytes : 0;
}

static void size_bar(struct import *import, struct import_function *function, u32 index)
{
	struct import_bar *bar = &function->bar[index];

	if (!bar->address) {
		bar->bytes = 0;
		bar->inferred = false;
		return;
	}
	if (index < PCI_STD_NUM_BARS && !bar->io && !bar->told)
		bar->bytes = resizable_size(function, index);
	/* What is not at a multiple of its size has another size. */
	if (bar->bytes && !(bar->address & (bar->bytes - 1)))
		return;
	bar->inferred = true;
	bar->bytes = inferred_size(bar, last_address(import, function, bar));
}

static void size_bars(struct import *import, struct import_function *function)
{
	for (u32 i = 0; i < IMPORT_BARS; i++)
		size_bar(import, function, i);
}

/* ---- ACS ---------------------------------------------------------- */

/* Root ports of the 100 and 200 series have the control word at another place. */
static bool is_intel_spt(const struct import_function *function)
{
	return import_read(function, PCI_VENDOR_ID, 2) == PCI_VENDOR_ID_INTEL &&
	       pci_acs_is_spt_id((u16)import_read(function, PCI_DEVICE_ID, 2));
}

static void clear_acs(struct import_function *function)
{
	u32 at = import_find_extended(function, PCI_EXT_CAP_ID_ACS);

	if (!at)
		return;
	at += is_intel_spt(function) ? PCI_ACS_SPT_CTRL : PCI_ACS_CTRL;
	if (at < function->config_bytes)
		function->config[at] &= (u8) ~(PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC);
}

/* A virtual function has none: they are its physical one's. */
static void read_bars_and_windows(struct import_function *function)
{
	read_own_bars(function);
	read_virtual_bars(function);
	read_windows(function);
}

void import_infer(struct import *import)
{
	struct import_function *function;
	struct import_root *root;

	TAILQ_FOREACH(root, &import->roots, link) {
		TAILQ_FOREACH(function, &root->functions, below) {
			if (!function->physfn)
				read_bars_and_windows(function);
			if (import->how.acs_off)
				clear_acs(function);
		}
	}
	TAILQ_FOREACH(root, &import->roots, link) {
		TAILQ_FOREACH(function, &root->functions, below)
			size_bars(import, function);
	}
	import_cpu(import);
}
