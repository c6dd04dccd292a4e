/* SPDX-License-Identifier: MIT */
/*
 * Providers, and their verdicts of clients, which are remembered until the provider ends: ACS that
 * changes later does not show (facts "dma-api" 8.1, 8.2).
 */
#include "pci/p2pdma.h"

#include <errno.h>

#include "pci/bus.h"
#include "pci/p2p_allow.h"
#include "pci/p2p_judge.h"

static int compare_client(struct p2pdma_verdict *a, struct p2pdma_verdict *b)
{
	return (a->client > b->client) - (a->client < b->client);
}

RB_PROTOTYPE(p2pdma_verdict_tree, p2pdma_verdict, by_client, compare_client)
RB_GENERATE(p2pdma_verdict_tree, p2pdma_verdict, by_client, compare_client)

static struct p2pdma_verdict *find_verdict(struct pci_dev *provider, dmasim_sbdf client)
{
	struct p2pdma_verdict wanted = { .client = client };

	return RB_FIND(p2pdma_verdict_tree, &provider->p2pdma->verdicts, &wanted);
}

static void remember(struct pci_dev *provider, dmasim_sbdf client, enum pci_p2pdma_map_type type)
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
		RB_INSERT(p2pdma_verdict_tree, &provider->p2pdma->verdicts, verdict);
	}
	verdict->type = type;
}

/* What Linux logs of a verdict that it makes: redirection on the way, and that there is none. */
static void warn(const struct dmasim_p2p_verdict *verdict)
{
	if (verdict->type == PCI_P2PDMA_MAP_NOT_SUPPORTED || verdict->redirect_count)
		PLATFORM_EVENT(verdict->client->dev.os->platform, P2P_WARN,
			       .dev = verdict->client->dev.id, .peer = verdict->provider->dev.id,
			       .count = verdict->redirect_count, .p2p_type = verdict->type);
}

enum pci_p2pdma_map_type p2pdma_judge_anew(struct pci_dev *provider, struct pci_dev *client,
					   int *distance, bool verbose)
{
	struct dmasim_p2p_verdict verdict;

	p2p_judge(provider, client, &verdict);
	*distance = verdict.distance;
	if (verbose)
		warn(&verdict);
	if (provider->p2pdma)
		remember(provider, client->dev.id, verdict.type);
	return verdict.type;
}

enum pci_p2pdma_map_type pci_p2pdma_map_type(struct p2pdma_provider *provider, struct device *dev)
{
	struct pci_dev *owner = to_pci_dev(provider->owner);
	struct p2pdma_verdict *verdict;
	int distance;

	if (!owner->p2pdma)
		return PCI_P2PDMA_MAP_NOT_SUPPORTED;
	verdict = find_verdict(owner, dev->id);
	if (verdict)
		return verdict->type;
	return p2pdma_judge_anew(owner, to_pci_dev(dev), &distance, true);
}

DMASIM_HOT enum pci_p2pdma_map_type pci_p2pdma_state(struct pci_p2pdma_map_state *state,
						     struct device *dev, struct page *page)
{
	if (!is_pci_p2pdma_page(page))
		return PCI_P2PDMA_MAP_NONE;
	if (state->mem != page->provider) {
		state->mem = page->provider;
		state->map = pci_p2pdma_map_type(page->provider, dev);
	}
	return state->map;
}

/* ---- Providers -------------------------------------------------------- */

int pcim_p2pdma_init(struct pci_dev *pdev)
{
	struct pci_p2pdma *p2pdma;

	if (pdev->non_mappable_bars)
		return -EOPNOTSUPP;
	if (pdev->p2pdma)
		return 0;
	/* Bus numbers and BARs stay as they are from here on. */
	if (os_start(pdev->dev.os))
		return -ENOMEM;
	p2pdma = os_alloc(pdev->dev.os, DMASIM_FAULT_P2P_PROVIDER, sizeof(*p2pdma));
	if (!p2pdma)
		return -ENOMEM;
	RB_INIT(&p2pdma->verdicts);
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
	if (bar < 0 || bar >= PCI_STD_NUM_BARS || pdev->non_mappable_bars ||
	    !(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
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
	struct p2pdma_verdict_tree *verdicts;

	if (!pdev->p2pdma)
		return;
	pci_p2pdma_pools_release(pdev);
	verdicts = &pdev->p2pdma->verdicts;
	while (!RB_EMPTY(verdicts)) {
		struct p2pdma_verdict *verdict = RB_ROOT(verdicts);

		RB_REMOVE(p2pdma_verdict_tree, verdicts, verdict);
		os_free(os, verdict);
	}
	os_free(os, pdev->p2pdma);
	pdev->p2pdma = NULL;
}

void pci_p2pdma_unbind(struct pci_dev *pdev)
{
	if (!pdev->p2pdma)
		return;
	pci_p2pdma_pools_in_use(pdev);
	PLATFORM_EVENT(pdev->dev.os->platform, P2P_RELEASE, .dev = pdev->dev.id);
	pci_p2pdma_release(pdev);
}
