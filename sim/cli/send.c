/* SPDX-License-Identifier: MIT */
/*
 * dmasim send: the way of one request through a machine, hop by hop.
 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const char help[] =
	"usage: dmasim send FILE --from BDF --to ADDRESS [--read|--write] [--translated] [--as "
	"BDF]\n"
	"                   [--acs keep|off] [--iommu none|vtd|amd|riscv|smmuv3] [--enable]\n\n"
	"Sends one memory request through the machine and tells its way: a line for each hop, "
	"what\n"
	"decided there, and how it ends. FILE is what lspci -xxxx or -vvv printed, or --host.\n\n"
	"  --from BDF       who sends it\n"
	"  --to ADDRESS     a bus address, or an IOVA where an IOMMU is on the way; or "
	"BDF:BARn[+N],\n"
	"                   byte N of the n-th BAR of a device\n"
	"  --read           a read, whose completion has a way of its own; else a write\n"
	"  --translated     the address is what the device got for a translation request (ATS)\n"
	"  --as BDF         the requester ID that it carries, instead of the sender's own\n"
	"  --acs keep|off   ACS as the file has it; or all redirection off\n"
	"  --iommu KIND     none, vtd, amd, riscv or smmuv3; default vtd. It maps nothing\n"
	"  --enable         first what drivers do: the sender may master the bus, BARs decode\n\n"
	"Exit status: 0 it is delivered; 1 it is refused or blocked; 2 bad input.\n";

struct send {
	const char *file, *from, *to, *as;
	struct dmasim_config config;
	struct dmasim_import how;
	struct dmasim_request request;
	bool enable;
};

/* ---- Arguments -------------------------------------------------------- */

static int read_arguments(struct send *send, int argc, char **argv)
{
	static const char *const acs[] = { "keep", "off", NULL };
	static const char *const iommus[] = { "vtd", "none", "amd", "riscv", "smmuv3", NULL };
	static const enum dmasim_iommu kinds[] = { DMASIM_VTD, DMASIM_NO_IOMMU, DMASIM_AMD_VI,
						   DMASIM_RISCV, DMASIM_SMMUV3 };
	static const char bdf[] = "a BDF, as 0000:3a:00.0";
	int off = false, iommu = 0;
	bool read = false;
	const struct cli_option options[] = {
		{ "--from", .text = &send->from, .expected = bdf },
		{ "--to", .text = &send->to, .expected = "a number or BDF:BARn[+N]" },
		{ "--as", .text = &send->as, .expected = bdf },
		{ "--acs", .words = acs, .word = &off, .expected = "keep or off" },
		{ "--iommu", .words = iommus, .word = &iommu,
		  .expected = "none, vtd, amd, riscv or smmuv3" },
		{ "--read", .flag = &read },
		{ "--write", .flag = &send->request.write },
		{ "--translated", .flag = &send->request.translated },
		{ "--enable", .flag = &send->enable },
		{ NULL },
	};

	if (cli_read_options(argc, argv, options, &send->file))
		return CLI_BAD_INPUT;
	if (read && send->request.write)
		return cli_bad_input("%s: --read or --write, not both", argv[0]);
	if (!send->from || !send->to)
		return cli_bad_input("%s: expected --from BDF and --to ADDRESS (--help tells more)",
				     argv[0]);
	send->request.write = !read;
	send->how.acs_off = off;
	send->config.iommu = kinds[iommu];
	return CLI_DONE;
}

/* ---- What the arguments mean on the machine --------------------------- */

static int find_device(struct dmasim *s, const char *option, const char *bdf, struct pci_dev **pdev)
{
	*pdev = dmasim_pci_dev(s, bdf);
	return *pdev ? CLI_DONE : cli_bad_input("send: %s: no device %s", option, bdf);
}

/* "BDF:BARn[+N]" */
static int read_place(struct dmasim *s, const char *text, u64 *address)
{
	const char *bar = strstr(text, ":BAR");
	u32 index = bar && bar[4] >= '0' && bar[4] <= '5' ? (u32)(bar[4] - '0') : PCI_STD_NUM_BARS;
	struct pci_dev *pdev;
	char bdf[32];
	u64 offset = 0;

	if (!bar || index == PCI_STD_NUM_BARS || (size_t)(bar - text) >= sizeof(bdf) ||
	    (bar[5] && (bar[5] != '+' || !cli_number(bar + 6, &offset))))
		return cli_bad_input("send: --to is a number or BDF:BARn[+N], not '%s'", text);
	snprintf(bdf, sizeof(bdf), "%.*s", (int)(bar - text), text);
	if (find_device(s, "--to", bdf, &pdev))
		return CLI_BAD_INPUT;
	if (!(pci_resource_flags(pdev, (int)index) & IORESOURCE_MEM))
		return cli_bad_input("send: --to: BAR %u of %s is no memory", index,
				     pci_name(pdev));
	if (offset >= pci_resource_len(pdev, (int)index))
		return cli_bad_input("send: --to: BAR %u of %s has 0x%llx bytes", index,
				     pci_name(pdev), pci_resource_len(pdev, (int)index));
	*address = pci_bus_address(pdev, (int)index) + offset;
	return CLI_DONE;
}

/* The requester need not exist. */
static int read_requester(struct send *send)
{
	dmasim_sbdf number;

	if (!cli_bdf(send->as, &number))
		return cli_bad_input("send: --as is a BDF, not '%s'", send->as);
	send->request.forged = true;
	send->request.requester = (u16)number;
	return CLI_DONE;
}

static void enable_all(struct dmasim *s)
{
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (!pci_enable_device(pdev))
			pci_set_master(pdev);
	}
}

/* ---- Telling ---------------------------------------------------------- */

struct name {
	char bdf[32];
};

static struct name name_of(const struct dmasim_hop *hop)
{
	struct name name;

	snprintf(name.bdf, sizeof(name.bdf), "%04x:%02x:%02x.%x", dmasim_domain(hop->at >> 16),
		 hop->at >> 8 & 0xff, hop->at >> 3 & 0x1f, hop->at & 7);
	return name;
}

static void print_hops(struct dmasim *s, const struct dmasim_hop *hop, u32 count, bool back)
{
	u64 address = 0;

	for (u32 i = 0; i < count; i++) {
		struct name name = name_of(&hop[i]);
		struct pci_dev *pdev = dmasim_pci_dev(s, name.bdf);

		printf("%s%-11s %s %s", back ? "back " : "", hop[i].what, name.bdf,
		       pdev ? cli_class_word(pdev) : "nobody");
		if (!back && (!i || hop[i].address != address))
			printf(", address 0x%llx", hop[i].address);
		if (hop[i].why)
			printf(": %s", hop[i].why);
		printf("\n");
		address = hop[i].address;
	}
}

static int print_end(const struct dmasim_route *route)
{
	static const char *const completions[] = {
		[DMASIM_COMPLETION_NONE] = "",
		[DMASIM_COMPLETION_DIRECT] = "its completion turns below the root complex\n",
		[DMASIM_COMPLETION_ROOT] = "its completion passes the root complex\n",
		[DMASIM_COMPLETION_LOST] = "",
	};

	if (route->blocked)
		printf("blocked by ACS at %s\n",
		       route->blocked_at ? pci_name(route->blocked_at) : "a function");
	else if (route->refused)
		printf("refused\n");
	else if (route->in_bar)
		printf("delivered to BAR %u of %s at offset 0x%llx, %s\n%s", route->bar,
		       pci_name(route->end), route->offset,
		       route->passed_iommu  ? "through the IOMMU"
		       : route->passed_root ? "through the root complex, past no IOMMU"
					    : "without passing the root complex",
		       completions[route->completion]);
	else
		printf("delivered to %s%s\n",
		       route->phys == DMASIM_NO_PHYS ? "the interrupt controller" : "memory",
		       route->passed_iommu ? ", through the IOMMU" : "");
	return route->refused ? CLI_NEGATIVE : CLI_DONE;
}

/* Of a dump that is too short, ACS reads as off. Memory is reached either way. */
static void note_unknown(struct dmasim *s, const struct dmasim_route *route)
{
	for (u32 i = 0; i < route->count && (route->in_bar || route->blocked); i++) {
		struct pci_dev *pdev = dmasim_pci_dev(s, name_of(&route->hop[i]).bdf);

		if (!pdev || !pci_is_bridge(pdev) || dmasim_acs_known(pdev))
			continue;
		printf("note: ACS of %s is not shown, and read as off: there it may go another "
		       "way\n",
		       pci_name(pdev));
		return;
	}
}

static int send_in(struct dmasim *s, struct send *send)
{
	int status;

	struct dmasim_route route;
	struct pci_dev *from;

	if (find_device(s, "--from", send->from, &from))
		return CLI_BAD_INPUT;
	if (!cli_number(send->to, &send->request.address) &&
	    read_place(s, send->to, &send->request.address))
		return CLI_BAD_INPUT;
	if (send->as && read_requester(send))
		return CLI_BAD_INPUT;
	if (send->enable)
		enable_all(s);
	dmasim_route_request(from, &send->request, &route);
	if (!route.count)
		return cli_bad_input("send: no memory");
	print_hops(s, route.hop, route.count, false);
	print_hops(s, route.back, route.back_count, true);
	status = print_end(&route);
	if (!send->how.acs_off)
		note_unknown(s, &route);
	return status;
}

int cli_send(int argc, char **argv)
{
	struct send send = { .config = { DMASIM_CONFIG } };
	struct dmasim_error notes;
	struct dmasim *s;
	int status;

	if (cli_asks_for_help(argc, argv, help))
		return CLI_DONE;
	if (read_arguments(&send, argc, argv))
		return CLI_BAD_INPUT;
	s = cli_machine("send", send.file, &send.config, &send.how, &notes);
	if (!s)
		return CLI_BAD_INPUT;
	status = send_in(s, &send);
	if (status != CLI_BAD_INPUT)
		cli_notes(&notes, stdout);
	dmasim_destroy(s);
	return status;
}
