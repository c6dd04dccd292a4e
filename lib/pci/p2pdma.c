/* SPDX-License-Identifier: MIT */
/*
 * How a client reaches a provider (facts "dma-api" 8.5), decided from the tree and the ACS bits
 * that the software can see.
 */
#include "pci/p2pdma.h"

#include <errno.h>

#include "pci/bus.h"
#include "pci/p2p_allow.h"

static bool redirects(const struct pci_dev *pdev)
{
	return pci_acs_control(pdev) & (PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC);
}

/* Steps from `from` up to `to`, or -1 if `to` is not at or above it. */
static int steps_up(struct pci_dev *from, const struct pci_dev *to)
{
	int steps = 0;

	while (from != to) {
		from = pci_upstream_bridge(from);
		if (!from)
			return -1;
		steps++;
	}
	return steps;
}

/* Devices from this one up to the root bus, both counted. */
static int depth(struct pci_dev *pdev)
{
	int count = 0;

	for (; pdev; pdev = pci_upstream_bridge(pdev))
		count++;
	return count;
}

/* Where the ways meet, and what lies on them. */
struct path {
	struct pci_dev *meet; /* NULL: only the root complex joins them */
	int distance;
	int redirects;
};

static struct path find_path(struct pci_dev *provider, struct pci_dev *client)
{
	struct path path = { .distance = depth(provider) + depth(client) };
	struct pci_dev *at;
	int from_provider = 0;

	/* The provider's side, with the provider itself and the place where the ways meet. */
	for (at = provider; at; at = pci_upstream_bridge(at), from_provider++) {
		int from_client = steps_up(client, at);

		path.redirects += redirects(at);
		if (from_client >= 0) {
			path.meet = at;
			path.distance = from_provider + from_client;
			break;
		}
	}
	if (!path.meet)
		return path;
	for (at = client; at != path.meet; at = pci_upstream_bridge(at))
		path.redirects += redirects(at);
	return path;
}

/* ---- The host bridge's allow list (facts 8.6) ------------------------- */

/*
 * The function that stands for a host bridge: the first one on its root bus, 00.0 or a root port.
 */
static struct pci_dev *host_device(struct pci_dev *pdev)
{
	struct pci_dev *first;

	while (pci_upstream_bridge(pdev))
		pdev = pci_upstream_bridge(pdev);
	first = pdev->bus->devices;
	if (first->devfn == 0 || first->express_type == PCI_EXP_TYPE_ROOT_PORT)
		return first;
	return NULL;
}

static enum p2p_allow allow_of(struct pci_dev *pdev)
{
	const struct pci_dev *host = host_device(pdev);

	return host ? p2p_allow(host->vendor, host->device) : P2P_ALLOW_NONE;
}

static bool host_bridges_forward(struct pci_dev *provider, struct pci_dev *client)
{
	const struct platform_firmware *firmware = provider->dev.os->firmware;

	if (p2p_allow_cpu(firmware->cpu_vendor, firmware->cpu_family))
		return true;
	if (pci_host_bridge(provider) == pci_host_bridge(client))
		return allow_of(provider) >= P2P_ALLOW_SAME_BRIDGE;
	return allow_of(provider) == P2P_ALLOW_ANY && allow_of(client) == P2P_ALLOW_ANY;
}

/* ---- Verdicts --------------------------------------------------------- */

static enum pci_p2pdma_map_type judge(struct pci_dev *provider, struct pci_dev *client,
				      int *distance)
{
	struct path path = find_path(provider, client);

	*distance = path.distance;
	if (path.meet && !path.redirects)
		return PCI_P2PDMA_MAP_BUS_ADDR;
	return host_bridges_forward(provider, client) ? PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
						      : PCI_P2PDMA_MAP_NOT_SUPPORTED;
}

static struct p2pdma_verdict *find_verdict(struct pci_dev *provider, dmasim_sbdf client)
{
	struct p2pdma_verdict *verdict;

	SLIST_FOREACH(verdict, &provider->p2pdma->verdicts, link) {
		if (verdict->client == client)
			return verdict;
	}
	return NULL;
}

static void remember(struct pci_dev *provider, dmasim_sbdf client, enum pci_p2pdma_map_type type,
		     int distance)
{
	struct p2pdma_verdict *verdict = find_verdict(provider, client);

	PLATFORM_EVENT(provider->dev.os->platform, P2P_TYPE, .dev = client,
		       .peer = provider->dev.id, .p2p_type = type);
	if (!verdict) {
		verdict = os_alloc(provider->dev.os, DMASIM_FAULT_P2P_VERDICT, sizeof(*verdict));
		/* Not remembered is not wrong: it is judged again next time. */
		if (!verdict)
			return;
		verdict->client = client;
		SLIST_INSERT_HEAD(&provider->p2pdma->verdicts, verdict, link);
	}
	verdict->type = type;
	verdict->distance = distance;
}

enum pci_p2pdma_map_type pci_p2pdma_map_type(struct p2pdma_provider *provider, struct device *dev)
{
	struct pci_dev *owner = to_pci_dev(provider->owner);
	enum pci_p2pdma_map_type type;
	struct p2pdma_verdict *verdict;
	int distance;

	if (!owner->p2pdma)
		return PCI_P2PDMA_MAP_NOT_SUPPORTED;
	verdict = find_verdict(owner, dev->id);
	if (verdict)
		return verdict->type;
	type = judge(owner, to_pci_dev(dev), &distance);
	remember(owner, dev->id, type, distance);
	return type;
}

enum pci_p2pdma_map_type pci_p2pdma_state(struct pci_p2pdma_map_state *state, struct device *dev,
					  struct page *page)
{
	if (!is_pci_p2pdma_page(page))
		return PCI_P2PDMA_MAP_NONE;
	if (state->mem != page->provider) {
		state->mem = page->provider;
		state->map = pci_p2pdma_map_type(page->provider, dev);
	}
	return state->map;
}

int pci_p2pdma_distance(struct pci_dev *provider, struct device *client, bool verbose)
{
	enum pci_p2pdma_map_type type;
	int distance;

	(void)verbose;
	type = judge(provider, to_pci_dev(client), &distance);
	if (provider->p2pdma)
		remember(provider, client->id, type, distance);
	return type == PCI_P2PDMA_MAP_NOT_SUPPORTED ? -1 : distance;
}

/* ---- Providers -------------------------------------------------------- */

int pcim_p2pdma_init(struct pci_dev *pdev)
{
	struct pci_p2pdma *p2pdma;

	if (pdev->p2pdma)
		return 0;
	/* Bus numbers and BARs stay as they are from here on. */
	if (os_start(pdev->dev.os))
		return -ENOMEM;
	p2pdma = os_alloc(pdev->dev.os, DMASIM_FAULT_P2P_PROVIDER, sizeof(*p2pdma));
	if (!p2pdma)
		return -ENOMEM;
	SLIST_INIT(&p2pdma->verdicts);
	SLIST_INIT(&p2pdma->pools);
	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
			continue;
		p2pdma->mem[bar].owner = &pdev->dev;
		p2pdma->mem[bar].bus_offset =
			pci_bus_address(pdev, bar) - pci_resource_start(pdev, bar);
	}
	pdev->p2pdma = p2pdma;
	return 0;
}

struct p2pdma_provider *pcim_p2pdma_provider(struct pci_dev *pdev, int bar)
{
	if (bar < 0 || bar >= PCI_STD_NUM_BARS || !(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
		return NULL;
	if (!pdev->p2pdma) {
		platform_report(pdev->dev.os->platform,
				&(struct platform_report){
					.id = DMASIM_REPORT_BAD_ARGUMENT,
					.dev = pdev->dev.id,
					.what = "pcim_p2pdma_provider() before pcim_p2pdma_init()",
				});
		return NULL;
	}
	return &pdev->p2pdma->mem[bar];
}

void pci_p2pdma_release(struct pci_dev *pdev)
{
	struct os *os = pdev->dev.os;

	if (!pdev->p2pdma)
		return;
	pci_p2pdma_pools_release(pdev);
	while (!SLIST_EMPTY(&pdev->p2pdma->verdicts)) {
		struct p2pdma_verdict *verdict = SLIST_FIRST(&pdev->p2pdma->verdicts);

		SLIST_REMOVE_HEAD(&pdev->p2pdma->verdicts, link);
		os_free(os, verdict);
	}
	os_free(os, pdev->p2pdma);
	pdev->p2pdma = NULL;
}
