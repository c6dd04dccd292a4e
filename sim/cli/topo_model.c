/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "topo.h"

/* ---- Registers -------------------------------------------------------- */

static u32 read_byte(struct pci_dev *pdev, int where)
{
	u8 value;

	pci_read_config_byte(pdev, where, &value);
	return value;
}

static u16 read_word(struct pci_dev *pdev, int where)
{
	u16 value;

	pci_read_config_word(pdev, where, &value);
	return value;
}

static u32 read_dword(struct pci_dev *pdev, int where)
{
	u32 value;

	pci_read_config_dword(pdev, where, &value);
	return value;
}

/* ---- Words ------------------------------------------------------------ */

static const char *type_word(const struct topo_function *function)
{
	static const char *const words[] = {
		[PCI_EXP_TYPE_ENDPOINT] = "endpoint",
		[PCI_EXP_TYPE_LEG_END] = "legacy endpoint",
		[PCI_EXP_TYPE_ROOT_PORT] = "root port",
		[PCI_EXP_TYPE_UPSTREAM] = "upstream port",
		[PCI_EXP_TYPE_DOWNSTREAM] = "downstream port",
		[PCI_EXP_TYPE_PCI_BRIDGE] = "PCIe to PCI bridge",
		[PCI_EXP_TYPE_PCIE_BRIDGE] = "PCI to PCIe bridge",
		[PCI_EXP_TYPE_RC_END] = "root complex endpoint",
		[PCI_EXP_TYPE_RC_EC] = "event collector",
	};
	size_t count = sizeof(words) / sizeof(words[0]);

	if (function->express == TOPO_UNKNOWN)
		return "unknown type";
	if (function->express == TOPO_ABSENT)
		return "conventional PCI";
	if ((size_t)function->express_type >= count || !words[function->express_type])
		return "reserved type";
	return words[function->express_type];
}

const char *topo_acs_letters(u32 bit)
{
	static const char *const letters[] = { "SV", "TB", "RR", "CR", "UF", "EC", "DT" };

	return bit < sizeof(letters) / sizeof(letters[0]) ? letters[bit] : NULL;
}

bool topo_acs_matters(const struct topo_function *function)
{
	if (!function->answered || function->acs == TOPO_PRESENT)
		return function->answered;
	if (function->express == TOPO_PRESENT)
		return function->express_type == PCI_EXP_TYPE_ROOT_PORT ||
		       function->express_type == PCI_EXP_TYPE_DOWNSTREAM;
	return function->bridge && function->express == TOPO_UNKNOWN;
}

enum topo_isolation topo_isolation(const struct topo_function *function)
{
	u16 redirects = PCI_ACS_RR | PCI_ACS_CR;

	if (function->acs == TOPO_UNKNOWN)
		return TOPO_ACS_HIDDEN;
	if (function->acs == TOPO_ABSENT)
		return TOPO_NO_ACS;
	return (function->acs_control & redirects) == redirects ? TOPO_REDIRECTS : TOPO_LETS_PASS;
}

const char *topo_isolation_text(enum topo_isolation isolation)
{
	static const char *const texts[] = {
		[TOPO_REDIRECTS] = "redirects to the root",
		[TOPO_LETS_PASS] = "has ACS, and lets pass",
		[TOPO_NO_ACS] = "no ACS",
		[TOPO_ACS_HIDDEN] = "ACS unknown",
	};

	return texts[isolation];
}

const char *topo_acs_text(const struct topo_function *function, char text[TOPO_TEXT_BYTES])
{
	const char *letters;
	int length;

	if (function->acs != TOPO_PRESENT)
		return topo_isolation_text(topo_isolation(function));
	length = snprintf(text, TOPO_TEXT_BYTES, "ACS%s", function->acs_control ? "" : " off");
	for (u32 bit = 0; (letters = topo_acs_letters(bit)); bit++) {
		if (function->acs_control & 1U << bit)
			length += snprintf(text + length, TOPO_TEXT_BYTES - (size_t)length, " %s",
					   letters);
	}
	return text;
}

const char *topo_title(const struct topo_function *function)
{
	if (!function->answered)
		return "did not answer";
	if (function->bridge && function->express == TOPO_PRESENT)
		return function->type_word;
	return function->class_word;
}

bool topo_is_switch(const struct topo_function *function)
{
	return function->bridge && function->express == TOPO_PRESENT &&
	       function->express_type == PCI_EXP_TYPE_UPSTREAM;
}

/* ---- Functions -------------------------------------------------------- */

static void read_windows(struct topo_function *function)
{
	const struct pci_dev *pdev = function->pdev;
	const struct pci_bridge_window *windows[] = { &pdev->window, &pdev->prefetch_window };

	for (u32 i = 0; i < TOPO_BRIDGE_WINDOWS; i++) {
		if (windows[i]->start > windows[i]->last)
			continue;
		function->window[function->window_count++] = (struct topo_window){
			.start = windows[i]->start,
			.bytes = windows[i]->last - windows[i]->start + 1,
			.prefetch = i,
		};
	}
}

static void read_bars(struct topo_function *function)
{
	struct pci_dev *pdev = function->pdev;

	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		unsigned long flags = pci_resource_flags(pdev, bar);
		bool io = flags & IORESOURCE_IO;

		if (!flags)
			continue;
		function->bar[function->bar_count++] = (struct topo_bar){
			.index = (u32)bar,
			.address = io ? pci_resource_start(pdev, bar) : pci_bus_address(pdev, bar),
			.bytes = pci_resource_len(pdev, bar),
			.io = io,
			.is_64 = flags & IORESOURCE_MEM_64,
			.prefetch = flags & IORESOURCE_PREFETCH,
			.inferred = dmasim_bar_inferred(pdev, (u32)bar),
		};
	}
}

/* Of a virtual function its physical one's capability tells. */
static bool decodes_memory(const struct topo_function *function)
{
	struct pci_dev *physfn = pci_physfn(function->pdev);

	if (function->physfn)
		return read_word(physfn, pci_find_ext_capability(physfn, PCI_EXT_CAP_ID_SRIOV) +
						 PCI_SRIOV_CTRL) &
		       PCI_SRIOV_CTRL_MSE;
	return read_word(function->pdev, PCI_COMMAND) & PCI_COMMAND_MEMORY;
}

static void read_memory(struct topo_function *function)
{
	bool decodes = decodes_memory(function);
	bool has_memory = function->bridge;

	read_bars(function);
	for (u32 i = 0; i < function->bar_count; i++)
		has_memory = has_memory || !function->bar[i].io;
	function->memory_off = has_memory && !decodes;
	if (function->bridge && decodes)
		read_windows(function);
}

static void read_bridge(struct topo_function *function)
{
	function->bridge = pci_is_bridge(function->pdev);
	if (!function->bridge)
		return;
	function->secondary = read_byte(function->pdev, PCI_SECONDARY_BUS);
	function->subordinate = read_byte(function->pdev, PCI_SUBORDINATE_BUS);
}

static void read_express(struct topo_function *function)
{
	struct pci_dev *pdev = function->pdev;

	if (function->config_bytes < PCI_CFG_SPACE_SIZE)
		return;
	function->express = pdev->express_type < 0 ? TOPO_ABSENT : TOPO_PRESENT;
	function->express_type = pdev->express_type;
	function->port = function->express_type >= PCI_EXP_TYPE_ROOT_PORT &&
			 function->express_type <= PCI_EXP_TYPE_DOWNSTREAM;
	if (function->port)
		function->port_number = read_dword(pdev, pdev->express_cap + PCI_EXP_LNKCAP) >>
					PCI_EXP_LNKCAP_PN_SHIFT;
}

static void read_acs(struct topo_function *function)
{
	struct pci_dev *pdev = function->pdev;

	if (!dmasim_acs_known(pdev))
		return;
	function->acs = pdev->acs_cap ? TOPO_PRESENT : TOPO_ABSENT;
	if (!pdev->acs_cap)
		return;
	function->acs_cap = read_word(pdev, pdev->acs_cap + PCI_ACS_CAP);
	function->acs_control = read_word(pdev, pdev->acs_cap + PCI_ACS_CTRL);
}

/* Conventional functions have none, however little of them is known. */
static enum topo_known known_extended(const struct topo_function *function, u32 at)
{
	if (at)
		return TOPO_PRESENT;
	return function->express == TOPO_ABSENT || function->config_bytes == PCI_CFG_SPACE_EXP_SIZE
		       ? TOPO_ABSENT
		       : TOPO_UNKNOWN;
}

static void read_extended(struct topo_function *function)
{
	struct pci_dev *pdev = function->pdev;
	u32 sriov = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_SRIOV);

	read_acs(function);
	function->ats = known_extended(function, pdev->ats_cap);
	if (pdev->ats_cap)
		function->ats_on = read_word(pdev, pdev->ats_cap + PCI_ATS_CTRL) &
				   PCI_ATS_CTRL_ENABLE;
	function->sriov = known_extended(function, sriov);
	if (sriov)
		function->virtual_functions = read_word(pdev, (int)sriov + PCI_SRIOV_TOTAL_VF);
	function->virtual_on = (u32)pci_num_vf(pdev);
}

static void read_function(struct topo *topo, struct topo_function *function, struct pci_dev *pdev)
{
	function->pdev = pdev;
	function->name = pci_name(pdev);
	function->config_bytes = dmasim_config_bytes(pdev);
	/* What did not answer when the dump was made reads as zeros. */
	function->answered = pdev->vendor || pdev->device;
	function->class_word = cli_class_word(pdev);
	function->multifunction = pdev->multifunction;
	function->physfn = pdev->is_virtfn ? pci_name(pdev->physfn) : NULL;
	function->real_dma = pdev->real_dma ? pci_name(pdev->real_dma) : NULL;
	if (function->answered) {
		read_bridge(function);
		read_express(function);
		read_memory(function);
		read_extended(function);
	}
	function->type_word = type_word(function);
	topo->bridge_count += function->bridge;
}

/* ---- The tree --------------------------------------------------------- */

static u16 segment_of(const struct topo_function *function)
{
	return (u16)(function->pdev->dev.id >> 16);
}

static u8 bus_of(const struct topo_function *function)
{
	return (u8)(function->pdev->dev.id >> 8);
}

/* The bridge above is among those on the way to the function before. */
static void place(struct topo *topo, u32 at)
{
	struct topo_function *function = &topo->function[at];
	const struct pci_dev *above = pci_upstream_bridge(function->pdev);
	u32 candidate = at ? at - 1 : TOPO_NONE;

	function->above = TOPO_NONE;
	function->depth = 1;
	if (!above)
		return;
	while (topo->function[candidate].pdev != above) {
		u32 next = topo->function[candidate].above;

		candidate = next == TOPO_NONE ? candidate - 1 : next;
	}
	function->above = candidate;
	function->depth = topo->function[candidate].depth + 1;
}

/* The first function of all, and one on a root bus that is not the last host bridge's. */
static bool begins_host(const struct topo *topo, const struct topo_function *function)
{
	const struct topo_host_bridge *last;

	if (!topo->host_bridge_count)
		return true;
	last = &topo->host_bridge[topo->host_bridge_count - 1];
	return function->above == TOPO_NONE &&
	       (last->segment != segment_of(function) || last->bus_first != bus_of(function));
}

static void place_below_host(struct topo *topo, u32 at)
{
	struct topo_function *function = &topo->function[at];
	struct topo_host_bridge *host;

	if (begins_host(topo, function))
		topo->host_bridge[topo->host_bridge_count++] = (struct topo_host_bridge){
			.segment = segment_of(function),
			.bus_first = bus_of(function),
			.bus_last = bus_of(function),
			.first_function = at,
		};
	host = &topo->host_bridge[topo->host_bridge_count - 1];
	host->function_count++;
	function->host_bridge = topo->host_bridge_count - 1;
	/* CardBus bridges have their bus numbers at the same place. */
	if (function->pdev->hdr_type != PCI_HEADER_TYPE_NORMAL &&
	    read_byte(function->pdev, PCI_SECONDARY_BUS) &&
	    read_byte(function->pdev, PCI_SUBORDINATE_BUS) > host->bus_last)
		host->bus_last = (u8)read_byte(function->pdev, PCI_SUBORDINATE_BUS);
}

static void read_host_windows(struct topo *topo, struct dmasim *s, struct topo_host_bridge *host)
{
	struct dmasim_window window;

	host->first_window = topo->window_count;
	for (u32 i = 0; dmasim_window(s, i, &window); i++) {
		if (window.segment != host->segment || window.bus != host->bus_first)
			continue;
		topo->window[topo->window_count++] = (struct topo_window){
			.start = window.start,
			.bytes = window.bytes,
			.bus_offset = window.bus_offset,
			.inferred = window.inferred,
		};
	}
	host->window_count = topo->window_count - host->first_window;
}

static bool make_room(struct topo *topo, struct dmasim *s)
{
	struct dmasim_window window;
	struct pci_dev *pdev = NULL;
	phys_addr_t start;
	u64 bytes;
	u32 functions = 0, windows = 0, ranges = 0;

	while ((pdev = dmasim_next_dev(s, pdev)))
		functions++;
	while (dmasim_window(s, windows, &window))
		windows++;
	while (dmasim_ram(s, ranges, &start, &bytes))
		ranges++;
	/* One more, since none is nothing to ask for. */
	topo->function = calloc(functions + 1, sizeof(*topo->function));
	topo->host_bridge = calloc(functions + 1, sizeof(*topo->host_bridge));
	topo->window = calloc(windows + 1, sizeof(*topo->window));
	topo->ram = calloc(ranges + 1, sizeof(*topo->ram));
	return topo->function && topo->host_bridge && topo->window && topo->ram;
}

bool topo_read(struct topo *topo, struct dmasim *s, const struct dmasim_error *notes)
{
	struct pci_dev *pdev;

	*topo = (struct topo){ .notes = *notes };
	if (!make_room(topo, s))
		return false;
	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		u32 at = topo->function_count++;

		read_function(topo, &topo->function[at], pdev);
		place(topo, at);
		place_below_host(topo, at);
	}
	for (u32 i = 0; i < topo->host_bridge_count; i++)
		read_host_windows(topo, s, &topo->host_bridge[i]);
	while (dmasim_ram(s, topo->ram_count, &topo->ram[topo->ram_count].start,
			  &topo->ram[topo->ram_count].bytes))
		topo->ram_count++;
	return true;
}

void topo_free(struct topo *topo)
{
	free(topo->function);
	free(topo->host_bridge);
	free(topo->window);
	free(topo->ram);
}
