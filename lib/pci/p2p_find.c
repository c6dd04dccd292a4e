/* SPDX-License-Identifier: MIT */
/*
 * Discovery: how far clients are from a provider, and which published provider is nearest to all of
 * them (facts "dma-api" 8.7).
 */
#include <limits.h>

#include "os.h"
#include "pci/bus.h"
#include "pci/p2pdma.h"

/* As many candidates as Linux keeps: pointers of a page. */
#define CANDIDATES_MAX 512

int pci_p2pdma_distance_many(struct pci_dev *provider, struct device **clients, int num_clients,
			     bool verbose)
{
	bool supported = true;
	int total = 0;

	if (num_clients <= 0)
		return -1;
	for (int i = 0; i < num_clients && (supported || verbose); i++) {
		int distance;

		if (p2pdma_judge_anew(provider, to_pci_dev(clients[i]), &distance, verbose) ==
		    PCI_P2PDMA_MAP_NOT_SUPPORTED)
			supported = false;
		total += distance;
	}
	return supported ? total : -1;
}

int pci_p2pdma_distance(struct pci_dev *provider, struct device *client, bool verbose)
{
	return pci_p2pdma_distance_many(provider, &client, 1, verbose);
}

void pci_p2pmem_publish(struct pci_dev *pdev, bool publish)
{
	if (pdev->p2pdma)
		pdev->p2pdma->published = publish;
}

bool pci_has_p2pmem(struct pci_dev *pdev)
{
	return pdev->p2pdma && pdev->p2pdma->published;
}

struct candidates {
	int distance;
	u32 count;
	struct pci_dev *pdev[CANDIDATES_MAX];
};

static void consider(struct candidates *nearest, struct pci_dev *pdev, int distance)
{
	if (distance < 0 || distance > nearest->distance)
		return;
	if (distance < nearest->distance)
		nearest->count = 0;
	nearest->distance = distance;
	if (nearest->count < CANDIDATES_MAX)
		nearest->pdev[nearest->count++] = pdev;
}

struct pci_dev *pci_p2pmem_find_many(struct device **clients, int num_clients)
{
	struct candidates *nearest;
	struct pci_dev *found = NULL;
	struct pci_dev *pdev;
	struct platform *p;
	struct os *os;

	if (num_clients <= 0)
		return NULL;
	os = clients[0]->os;
	p = os->platform;
	nearest = os_alloc(os, DMASIM_FAULT_P2P_TABLE, sizeof(*nearest));
	if (!nearest)
		return NULL;
	nearest->distance = INT_MAX;
	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev)) {
		if (pci_has_p2pmem(pdev))
			consider(nearest, pdev,
				 pci_p2pdma_distance_many(pdev, clients, num_clients, false));
	}
	if (nearest->count)
		found = nearest->pdev[p->ops->chance(p->machine, nearest->count)];
	os_free(os, nearest);
	return found;
}
