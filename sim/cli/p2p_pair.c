/* SPDX-License-Identifier: MIT */
/*
 * One verdict: why, what would change it, and the way of a request that was mapped as it says.
 */
#include "p2p.h"

/* The largest memory BAR that has an address; -1: there is none. */
static int best_bar(struct pci_dev *pdev)
{
	int best = -1;

	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!(pci_resource_flags(pdev, bar) & IORESOURCE_MEM) ||
		    !pci_resource_start(pdev, bar))
			continue;
		if (best < 0 || pci_resource_len(pdev, bar) > pci_resource_len(pdev, best))
			best = bar;
	}
	return best;
}

static void print_device(const char *label, const struct pci_dev *pdev)
{
	printf("%-9s %s  %s [%04x:%04x]", label, pci_name(pdev), cli_class_word(pdev), pdev->vendor,
	       pdev->device);
}

static void print_devices(const struct dmasim_p2p_verdict *verdict, int bar)
{
	char size[32];

	print_device("client", verdict->client);
	printf("\n");
	print_device("provider", verdict->provider);
	if (bar >= 0) {
		dmasim_size_text(pci_resource_len(verdict->provider, bar), size, sizeof(size));
		printf(", BAR %d of %s at 0x%llx", bar, size,
		       pci_resource_start(verdict->provider, bar));
	}
	printf("\n");
}

static void print_why(const struct dmasim_p2p_verdict *verdict)
{
	char text[2048];

	dmasim_p2p_why_text(verdict, text, sizeof(text));
	printf("%-9s %s\n", "why", text);
	dmasim_p2p_change_text(verdict, text, sizeof(text));
	printf("%-9s %s\n", "change", text);
}

/* ---- The way ---------------------------------------------------------- */

/* Where the request is at last, beside the hops. */
static const char *end_word(const struct dmasim_route *route, const struct pci_dev *provider)
{
	const struct dmasim_hop *last = route->count ? &route->hop[route->count - 1] : NULL;

	if (route->refused || !last)
		return "it does not arrive";
	if (route->in_bar && last->at == provider->dev.id)
		return route->passed_root ? "it arrives, by the root complex"
					  : "it arrives, below the root complex";
	return route->in_bar ? "it arrives in another function" : "it ends in memory";
}

static void print_route(struct pci_dev *client, const struct pci_dev *provider, dma_addr_t dma,
			const char *what)
{
	struct dmasim_route route;
	char text[4096];

	dmasim_route(client, dma, true, &route);
	dmasim_route_text(&route, text, sizeof(text));
	printf("%-9s a write to 0x%llx, %s: %s\n", "request", dma, what,
	       end_word(&route, provider));
	printf("%-9s %s\n", "way", text);
}

/* Through the host bridge: as a driver maps it. */
static void print_mapped_route(struct pci_dev *client, const struct pci_dev *provider,
			       phys_addr_t phys)
{
	struct device *dev = &client->dev;
	dma_addr_t dma;

	dma_set_mask(dev, ~0ULL);
	dma = dma_map_phys(dev, phys, 1, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	if (dma_mapping_error(dev, dma)) {
		printf("%-9s it cannot be mapped\n", "request");
		return;
	}
	print_route(client, provider, dma, "the address of a mapping");
	dma_unmap_phys(dev, dma, 1, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
}

static void print_way(const struct dmasim_p2p_verdict *verdict, int bar)
{
	struct pci_dev *client = verdict->client, *provider = verdict->provider;

	if (bar < 0) {
		printf("%-9s there is nothing to reach\n", "request");
		return;
	}
	if (client == provider) {
		printf("%-9s a function reaches its own memory without one\n", "request");
		return;
	}
	pci_enable_device(provider);
	pci_enable_device(client);
	pci_set_master(client);
	if (verdict->type == PCI_P2PDMA_MAP_THRU_HOST_BRIDGE)
		print_mapped_route(client, provider, pci_resource_start(provider, bar));
	else
		print_route(client, provider, pci_bus_address(provider, bar),
			    "the bus address of the BAR");
}

/* What the dump does not say of ACS decides: both possibilities are told. */
static void print_both(const struct p2p_pair *pair)
{
	char text[2048];

	dmasim_p2p_why_text(&pair->isolated, text, sizeof(text));
	printf("%-9s the file does not show all of ACS on the way\n", "why");
	printf("%-9s %s if nothing redirects there\n", "",
	       dmasim_p2p_type_name(pair->verdict.type));
	printf("%-9s %s if all of it is on: %s\n", "", dmasim_p2p_type_name(pair->isolated.type),
	       text);
	printf("%-9s lspci -xxxx as root shows what it is\n", "change");
}

int p2p_print_pair(struct p2p *p2p, const struct p2p_device *provider,
		   const struct p2p_device *client)
{
	int bar = best_bar(provider->pdev);
	struct p2p_pair pair;

	p2p_judge_pair(&pair, provider, client);
	printf("%s\t%d\n", p2p_word(&pair), pair.verdict.distance);
	print_devices(&pair.verdict, bar);
	if (!pair.known) {
		print_both(&pair);
		return CLI_DONE;
	}
	print_why(&pair.verdict);
	print_way(&pair.verdict, bar);
	cli_notes(&p2p->notes, stdout);
	return pair.verdict.type == PCI_P2PDMA_MAP_NOT_SUPPORTED ? CLI_NEGATIVE : CLI_DONE;
}
