/* SPDX-License-Identifier: MIT */
/*
 * dmasim topo: the PCI tree of an lspci dump, as the simulator sees it.
 */
#include <string.h>

#include "cli.h"

/* Of what belongs to a function; its children stand 2 deeper than itself. */
#define DETAIL_INDENT 4

static const char help[] = "usage: dmasim topo FILE | --host\n\n"
			   "Prints the PCI tree of a machine. FILE is what lspci -xxxx printed (as "
			   "root: others see 64\n"
			   "bytes of each function; -xxx shows 256). What the dump does not say is "
			   "inferred, and marked;\n"
			   "what it is too short to show is unknown.\n";

/* ---- Words ------------------------------------------------------------ */

static const char *type_word(struct pci_dev *pdev)
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

	if (dmasim_config_bytes(pdev) < PCI_CFG_SPACE_SIZE)
		return "unknown type";
	if (pdev->express_type < 0)
		return "conventional PCI";
	if ((size_t)pdev->express_type >= count || !words[pdev->express_type])
		return "reserved type";
	return words[pdev->express_type];
}

static void print_size(u64 bytes)
{
	char text[32];

	dmasim_size_text(bytes, text, sizeof(text));
	fputs(text, stdout);
}

/* "0x1000-0x1fff, 4 KiB" */
static void print_range(u64 start, u64 bytes)
{
	printf("0x%llx-0x%llx, ", start, start + bytes - 1);
	print_size(bytes);
}

/* ---- Functions -------------------------------------------------------- */

static u32 read_byte(struct pci_dev *pdev, int where)
{
	u8 value;

	pci_read_config_byte(pdev, where, &value);
	return value;
}

static bool decodes_memory(struct pci_dev *pdev)
{
	return read_byte(pdev, PCI_COMMAND) & PCI_COMMAND_MEMORY;
}

/* Memory decoding is off though there is something to decode. */
static bool is_off(struct pci_dev *pdev)
{
	bool has_memory = pci_is_bridge(pdev);

	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		has_memory = has_memory || pci_resource_flags(pdev, bar) & IORESOURCE_MEM;
	return has_memory && !decodes_memory(pdev);
}

static u32 depth_of(struct pci_dev *pdev)
{
	u32 depth = 1;

	while ((pdev = pci_upstream_bridge(pdev)))
		depth++;
	return depth;
}

static void begin_detail(u32 depth)
{
	printf("%*s", (int)(2 * depth + DETAIL_INDENT), "");
}

static void print_windows(struct pci_dev *pdev, u32 depth)
{
	const struct pci_bridge_window *windows[] = { &pdev->window, &pdev->prefetch_window };

	for (int i = 0; i < 2 && decodes_memory(pdev); i++) {
		if (windows[i]->start > windows[i]->last)
			continue;
		begin_detail(depth);
		printf("window ");
		print_range(windows[i]->start, windows[i]->last - windows[i]->start + 1);
		printf("%s\n", i ? ", prefetchable" : "");
	}
}

static void print_bars(struct pci_dev *pdev, u32 depth)
{
	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		unsigned long flags = pci_resource_flags(pdev, bar);

		if (!flags)
			continue;
		begin_detail(depth);
		printf("BAR %d ", bar);
		if (flags & IORESOURCE_IO) {
			printf("0x%llx, ", pci_resource_start(pdev, bar));
			print_size(pci_resource_len(pdev, bar));
			printf("%s, I/O\n", dmasim_bar_inferred(pdev, (u32)bar) ? " inferred" : "");
			continue;
		}
		printf("0x%llx, ", pci_bus_address(pdev, bar));
		print_size(pci_resource_len(pdev, bar));
		printf("%s, %d-bit%s\n", dmasim_bar_inferred(pdev, (u32)bar) ? " inferred" : "",
		       flags & IORESOURCE_MEM_64 ? 64 : 32,
		       flags & IORESOURCE_PREFETCH ? " prefetchable" : "");
	}
}

/* "ACS cap 0x5f control 0x1d SV+ RR+ CR+ UF+" */
static void print_acs(struct pci_dev *pdev, u32 depth)
{
	static const char *const letters[] = { "SV", "TB", "RR", "CR", "UF", "EC", "DT" };
	u16 cap, control;

	if (!pdev->acs_cap || !dmasim_acs_known(pdev))
		return;
	pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CAP, &cap);
	pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, &control);
	begin_detail(depth);
	printf("ACS cap 0x%02x control 0x%02x", cap, control);
	for (u32 i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		if (control & 1U << i)
			printf(" %s+", letters[i]);
	}
	printf("\n");
}

static const char *without_acs(struct pci_dev *pdev)
{
	if (!dmasim_acs_known(pdev))
		return ", ACS unknown";
	return pdev->acs_cap ? "" : ", no ACS";
}

static void print_buses(struct pci_dev *pdev)
{
	u32 secondary = read_byte(pdev, PCI_SECONDARY_BUS);

	if (!pci_is_bridge(pdev))
		return;
	if (secondary)
		printf(", buses %02x-%02x", secondary, read_byte(pdev, PCI_SUBORDINATE_BUS));
	else
		printf(", leads nowhere");
}

static void print_virtual_functions(struct pci_dev *pdev, u32 depth)
{
	int at = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_SRIOV);
	u16 count;

	if (!at)
		return;
	pci_read_config_word(pdev, at + PCI_SRIOV_TOTAL_VF, &count);
	begin_detail(depth);
	printf("SR-IOV, %u virtual function%s at most\n", count, count == 1 ? "" : "s");
}

static void print_function(struct pci_dev *pdev)
{
	u32 depth = depth_of(pdev);

	/* What did not answer when the dump was made reads as zeros. */
	if (!pdev->vendor && !pdev->device) {
		printf("%*s%s did not answer, unknown type, ACS unknown\n", (int)(2 * depth), "",
		       pci_name(pdev));
		return;
	}
	printf("%*s%s %s [%04x] %04x:%04x, %s", (int)(2 * depth), "", pci_name(pdev),
	       cli_class_word(pdev), pdev->class_code >> 8, pdev->vendor, pdev->device,
	       type_word(pdev));
	print_buses(pdev);
	printf("%s%s\n", is_off(pdev) ? ", memory off" : "", without_acs(pdev));
	if (pci_is_bridge(pdev))
		print_windows(pdev, depth);
	print_bars(pdev, depth);
	print_virtual_functions(pdev, depth);
	print_acs(pdev, depth);
}

/* ---- Machine ---------------------------------------------------------- */

struct counts {
	u32 functions;
	u32 bridges;
	u32 host_bridges;
};

static u16 segment_of(const struct pci_dev *pdev)
{
	return (u16)(pdev->dev.id >> 16);
}

static u8 bus_of(const struct pci_dev *pdev)
{
	return (u8)(pdev->dev.id >> 8);
}

/* The largest bus number that a bridge below this root bus has; parents come before children. */
static u32 last_bus(struct dmasim *s, struct pci_dev *first)
{
	u32 last = bus_of(first);
	struct pci_dev *pdev;

	for (pdev = first; pdev; pdev = dmasim_next_dev(s, pdev)) {
		u32 subordinate = read_byte(pdev, PCI_SUBORDINATE_BUS);

		if (!pci_upstream_bridge(pdev) &&
		    (bus_of(pdev) != bus_of(first) || segment_of(pdev) != segment_of(first)))
			break;
		if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL &&
		    read_byte(pdev, PCI_SECONDARY_BUS) && subordinate > last)
			last = subordinate;
	}
	return last;
}

static void print_host_bridge(struct dmasim *s, struct pci_dev *first)
{
	struct dmasim_window window;

	printf("host bridge %04x:%02x, buses %02x-%02x\n", segment_of(first), bus_of(first),
	       bus_of(first), last_bus(s, first));
	for (u32 i = 0; dmasim_window(s, i, &window); i++) {
		if (window.segment != segment_of(first) || window.bus != bus_of(first))
			continue;
		printf("%*swindow ", DETAIL_INDENT, "");
		print_range(window.start, window.bytes);
		printf("%s\n", window.inferred ? ", inferred" : "");
	}
}

static void print_tree(struct dmasim *s, struct counts *counts)
{
	struct pci_dev *pdev, *before = NULL;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		bool on_root = !pci_upstream_bridge(pdev);

		if (on_root && (!before || bus_of(before) != bus_of(pdev) ||
				segment_of(before) != segment_of(pdev))) {
			print_host_bridge(s, pdev);
			counts->host_bridges++;
		}
		if (on_root)
			before = pdev;
		print_function(pdev);
		counts->functions++;
		counts->bridges += pci_is_bridge(pdev);
	}
}

static void print_ram(struct dmasim *s)
{
	phys_addr_t start;
	u64 bytes;

	for (u32 i = 0; dmasim_ram(s, i, &start, &bytes); i++) {
		printf("RAM ");
		print_range(start, bytes);
		printf(", inferred\n");
	}
}

static const char *plural(u32 count)
{
	return count == 1 ? "" : "s";
}

static void print_machine(struct dmasim *s, const struct dmasim_error *notes)
{
	struct counts counts = { 0 };

	print_ram(s);
	print_tree(s, &counts);
	cli_notes(notes, stdout);
	printf("%u function%s, %u bridge%s, %u host bridge%s\n", counts.functions,
	       plural(counts.functions), counts.bridges, plural(counts.bridges),
	       counts.host_bridges, plural(counts.host_bridges));
}

int cli_topo(int argc, char **argv)
{
	struct dmasim_error notes;
	struct dmasim *s;

	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(help, stdout);
		return CLI_DONE;
	}
	if (argc > 1 && argv[1][0] == '-' && !cli_is_host(argv[1]))
		return cli_bad_input("%s: no option '%s' (--help tells more)", argv[0], argv[1]);
	if (argc < 2)
		return cli_bad_input("%s: expected the name of an lspci dump", argv[0]);
	if (argc > 2)
		return cli_bad_input("%s: unexpected argument '%s'", argv[0], argv[2]);
	s = cli_machine(argv[0], argv[1], NULL, NULL, &notes);
	if (!s)
		return CLI_BAD_INPUT;
	print_machine(s, &notes);
	dmasim_destroy(s);
	return CLI_DONE;
}
