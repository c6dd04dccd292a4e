/* SPDX-License-Identifier: MIT */
#include "pci/p2p_judge.h"

#include "os.h"
#include "pci/bus.h"
#include "pci/p2p_allow.h"

u16 p2p_redirects(const struct pci_dev *pdev)
{
	return pci_acs_control(pdev) & P2P_REDIRECT_BITS;
}

bool p2p_provides(const struct pci_dev *pdev)
{
	if (pci_is_bridge(pdev) || pdev->non_mappable_bars)
		return false;
	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (pci_resource_flags(pdev, bar) & IORESOURCE_MEM)
			return true;
	}
	return false;
}

/* ---- The way ---------------------------------------------------------- */

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

static void note_redirect(struct dmasim_p2p_verdict *verdict, struct pci_dev *at)
{
	u16 bits = p2p_redirects(at);

	if (bits)
		verdict->redirect[verdict->redirect_count++] =
			(struct dmasim_p2p_redirect){ at, bits };
}

static void find_way(struct dmasim_p2p_verdict *verdict)
{
	struct pci_dev *provider = verdict->provider, *client = verdict->client;
	struct pci_dev *at;
	int from_provider = 0, from_client = 0;

	verdict->distance = depth(provider) + depth(client);
	verdict->meet = NULL;
	verdict->redirect_count = 0;
	for (at = provider; at; at = pci_upstream_bridge(at), from_provider++) {
		from_client = steps_up(client, at);
		if (from_client >= 0)
			break;
	}
	if (!at)
		return;
	verdict->meet = at;
	verdict->distance = from_provider + from_client;
	/* The provider itself counts, and so does the place where the ways meet. */
	for (at = provider; at != verdict->meet; at = pci_upstream_bridge(at))
		note_redirect(verdict, at);
	note_redirect(verdict, verdict->meet);
	for (at = client; at != verdict->meet; at = pci_upstream_bridge(at))
		note_redirect(verdict, at);
}

/* ---- The host bridge (facts 8.6) -------------------------------------- */

struct dmasim_p2p_host p2p_host(const struct pci_dev *pdev)
{
	struct pci_dev *first = pci_root_bus(pdev)->devices;
	enum p2p_allow allow;

	if (first->devfn != 0 && first->express_type != PCI_EXP_TYPE_ROOT_PORT)
		return (struct dmasim_p2p_host){ NULL, false, false };
	allow = p2p_allow(first->vendor, first->device);
	return (struct dmasim_p2p_host){ first, allow != P2P_ALLOW_NONE,
					 allow == P2P_ALLOW_SAME_BRIDGE };
}

static enum dmasim_p2p_reason why_not(const struct dmasim_p2p_host *host, bool one_bridge)
{
	if (!host->function)
		return DMASIM_P2P_HOST_UNKNOWN;
	if (!host->listed)
		return DMASIM_P2P_HOST_NOT_LISTED;
	return host->for_itself && !one_bridge ? DMASIM_P2P_HOST_FOR_ITSELF
					       : DMASIM_P2P_HOST_LISTED;
}

bool p2p_hosts_forward(const struct os *os, const struct dmasim_p2p_host host[2], bool one_bridge,
		       enum dmasim_p2p_reason *reason)
{
	*reason = DMASIM_P2P_CPU_FORWARDS;
	if (p2p_allow_cpu(os->firmware->cpu_vendor, os->firmware->cpu_family))
		return true;
	*reason = why_not(&host[0], one_bridge);
	if (*reason == DMASIM_P2P_HOST_LISTED && !one_bridge)
		*reason = why_not(&host[1], false);
	return *reason == DMASIM_P2P_HOST_LISTED;
}

/* ---- The verdict ------------------------------------------------------ */

void p2p_judge(struct pci_dev *provider, struct pci_dev *client, struct dmasim_p2p_verdict *verdict)
{
	verdict->provider = provider;
	verdict->client = client;
	verdict->one_host_bridge = pci_host_bridge(provider) == pci_host_bridge(client);
	verdict->host[0] = p2p_host(provider);
	verdict->host[1] = p2p_host(client);
	find_way(verdict);
	if (verdict->meet && !verdict->redirect_count) {
		verdict->type = PCI_P2PDMA_MAP_BUS_ADDR;
		verdict->reason = provider == client ? DMASIM_P2P_SAME_FUNCTION
						     : DMASIM_P2P_BELOW_BRIDGE;
		verdict->remedy = DMASIM_P2P_NOTHING_NEEDED;
		return;
	}
	verdict->type = p2p_hosts_forward(provider->dev.os, verdict->host, verdict->one_host_bridge,
					  &verdict->reason)
				? PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
				: PCI_P2PDMA_MAP_NOT_SUPPORTED;
	verdict->remedy = verdict->meet ? DMASIM_P2P_CLEAR_REDIRECT : DMASIM_P2P_NOT_SOFTWARE;
}
