/* SPDX-License-Identifier: MIT */
/*
 * dmasim p2p: which devices of a machine reach which others' memory, by which way, and why not.
 */
#include <string.h>

#include "p2p.h"

static const char help[] =
	"usage: dmasim p2p FILE [--provider BDF] [--client BDF] [--acs keep|off] [--classes] "
	"[--why]\n\n"
	"How each client would reach the memory of each provider, as Linux decides it: BUS_ADDR, "
	"below a\n"
	"common switch; THRU_HOST_BRIDGE, by the root complex; NOT_SUPPORTED. FILE is what lspci "
	"-xxxx or\n"
	"-vvv printed, or --host for this machine.\n\n"
	"  --provider BDF   whose memory: a function with a memory BAR\n"
	"  --client BDF     who wants to reach it\n"
	"                   With both: the verdict, its distance in hops, why, what would change "
	"it, and\n"
	"                   the way of a request. Exit status 1: not supported. Otherwise a line "
	"for each\n"
	"                   pair: provider, client, verdict, distance, with tabs between.\n"
	"  --acs keep|off   ACS as the file has it; or all redirection off, as after\n"
	"                   pci=disable_acs_redir= for every port\n"
	"  --classes        all pairs, counted by classes of devices\n"
	"  --why            with the lines: a fifth column says why\n\n"
	"What the file is too short to show of ACS may make a verdict unknown.\n";

bool p2p_is_client(const struct pci_dev *pdev)
{
	return pdev->hdr_type == PCI_HEADER_TYPE_NORMAL;
}

void p2p_judge_pair(struct p2p_pair *pair, const struct p2p_device *provider,
		    const struct p2p_device *client)
{
	pair->known = true;
	dmasim_p2p_why(provider->pdev, client->pdev, &pair->verdict);
	if (!provider->isolated)
		return;
	dmasim_p2p_why(provider->isolated, client->isolated, &pair->isolated);
	pair->known = pair->verdict.type == pair->isolated.type;
}

const char *p2p_word(const struct p2p_pair *pair)
{
	return pair->known ? dmasim_p2p_type_name(pair->verdict.type) : "unknown";
}

/* ---- Lines ------------------------------------------------------------ */

/* NULL starts; false: that was the last. Both machines have the same functions in one order. */
static bool next_device(struct p2p *p2p, struct p2p_device *device)
{
	device->pdev = dmasim_next_dev(p2p->s, device->pdev);
	if (p2p->isolated)
		device->isolated = dmasim_next_dev(p2p->isolated, device->isolated);
	return device->pdev;
}

static void print_line(const struct p2p *p2p, const struct p2p_device *provider,
		       const struct p2p_device *client)
{
	struct p2p_pair pair;
	char text[1024];

	p2p_judge_pair(&pair, provider, client);
	printf("%s\t%s\t%s\t%d", pci_name(provider->pdev), pci_name(client->pdev), p2p_word(&pair),
	       pair.verdict.distance);
	if (p2p->why) {
		dmasim_p2p_why_text(pair.known ? &pair.verdict : &pair.isolated, text,
				    sizeof(text));
		printf("\t%s%s", pair.known ? "" : "if ACS isolates: ", text);
	}
	printf("\n");
}

static void print_lines_of(struct p2p *p2p, const struct p2p_device *provider,
			   const struct p2p_device *only)
{
	struct p2p_device client = { NULL, NULL };

	while (next_device(p2p, &client)) {
		if (!p2p_is_client(client.pdev) || client.pdev == provider->pdev)
			continue;
		if (!only->pdev || only->pdev == client.pdev)
			print_line(p2p, provider, &client);
	}
}

static int print_lines(struct p2p *p2p, const struct p2p_device *provider,
		       const struct p2p_device *client)
{
	struct p2p_device at = { NULL, NULL };

	while (next_device(p2p, &at)) {
		if (!provider->pdev ? dmasim_p2p_provides(at.pdev) : provider->pdev == at.pdev)
			print_lines_of(p2p, &at, client);
	}
	return CLI_DONE;
}

/* ---- Arguments -------------------------------------------------------- */

static int read_arguments(struct p2p *p2p, int argc, char **argv)
{
	static const char *const acs[] = { "keep", "off", NULL };
	static const char bdf[] = "a BDF, as 0000:3a:00.0";
	int off = false;
	const struct cli_option options[] = {
		{ "--provider", .text = &p2p->provider_bdf, .expected = bdf },
		{ "--client", .text = &p2p->client_bdf, .expected = bdf },
		{ "--acs", .words = acs, .word = &off, .expected = "keep or off" },
		{ "--classes", .flag = &p2p->by_class },
		{ "--why", .flag = &p2p->why },
		{ NULL },
	};

	if (cli_read_options(argc, argv, options, &p2p->file))
		return CLI_BAD_INPUT;
	p2p->acs_off = off;
	if (p2p->by_class && (p2p->provider_bdf || p2p->client_bdf || p2p->why))
		return cli_bad_input("%s: --classes is for all pairs", argv[0]);
	return CLI_DONE;
}

/* ---- Machines --------------------------------------------------------- */

/* Started: what the software sets in ACS when it boots is set. */
static struct dmasim *boot(struct p2p *p2p, enum dmasim_assume assume, struct dmasim_error *notes)
{
	struct dmasim_import how = { .acs_off = p2p->acs_off, .assume = assume };
	struct dmasim *s = cli_machine(p2p->command, p2p->file, NULL, &how, notes);
	struct pci_dev *first = s ? dmasim_next_dev(s, NULL) : NULL;

	if (first)
		dmasim_group(first);
	return s;
}

static int make_machines(struct p2p *p2p)
{
	struct dmasim_error notes;

	p2p->s = boot(p2p, DMASIM_ASSUME_NOTHING, &p2p->notes);
	if (!p2p->s)
		return CLI_BAD_INPUT;
	/* With redirection off it does not matter what the file does not show. */
	if (p2p->acs_off || cli_acs_known(p2p->s))
		return CLI_DONE;
	p2p->isolated = boot(p2p, DMASIM_ASSUME_ISOLATION, &notes);
	return p2p->isolated ? CLI_DONE : CLI_BAD_INPUT;
}

/* bdf NULL: nobody in particular. */
static int find_device(struct p2p *p2p, const char *bdf, struct p2p_device *device)
{
	*device = (struct p2p_device){ NULL, NULL };
	if (!bdf)
		return CLI_DONE;
	device->pdev = dmasim_pci_dev(p2p->s, bdf);
	if (p2p->isolated)
		device->isolated = dmasim_pci_dev(p2p->isolated, bdf);
	if (!device->pdev)
		return cli_bad_input("%s: nobody is at '%s' in %s", p2p->command, bdf, p2p->file);
	if (!p2p_is_client(device->pdev))
		return cli_bad_input("%s: %s is a bridge; expected a device", p2p->command,
				     pci_name(device->pdev));
	return CLI_DONE;
}

static int print(struct p2p *p2p)
{
	struct p2p_device provider, client;

	if (p2p->by_class)
		return p2p_print_classes(p2p);
	if (find_device(p2p, p2p->provider_bdf, &provider) ||
	    find_device(p2p, p2p->client_bdf, &client))
		return CLI_BAD_INPUT;
	if (provider.pdev && client.pdev)
		return p2p_print_pair(p2p, &provider, &client);
	return print_lines(p2p, &provider, &client);
}

int cli_p2p(int argc, char **argv)
{
	struct p2p p2p = { .command = argv[0] };
	int status;

	if (cli_asks_for_help(argc, argv, help))
		return CLI_DONE;
	if (read_arguments(&p2p, argc, argv))
		return CLI_BAD_INPUT;
	status = make_machines(&p2p);
	if (!status)
		status = print(&p2p);
	dmasim_destroy(p2p.isolated);
	dmasim_destroy(p2p.s);
	return status;
}
