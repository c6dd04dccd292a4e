/* SPDX-License-Identifier: MIT */
#ifndef PCI_P2PDMA_H
#define PCI_P2PDMA_H

#include <bsd/sys/queue.h>

#include <dmasim/p2pdma.h>

#include "mm/page.h"

/* The verdict for one client; never forgotten while the provider lives. */
struct p2pdma_verdict {
	SLIST_ENTRY(p2pdma_verdict) link;
	dmasim_sbdf client;
	enum pci_p2pdma_map_type type;
	int distance;
};

SLIST_HEAD(p2pdma_verdict_list, p2pdma_verdict);

/* A range of peer memory that was handed out. */
struct p2pdma_range {
	LIST_ENTRY(p2pdma_range) link; /* by address */
	phys_addr_t phys;
	u64 bytes; /* a power of two of at least a page */
	void *host;
};

LIST_HEAD(p2pdma_range_list, p2pdma_range);

/* What pci_p2pdma_add_resource() gave of one BAR. */
struct p2pdma_pool {
	SLIST_ENTRY(p2pdma_pool) link;
	struct page_owner pages;
	struct p2pdma_range_list used;
};

SLIST_HEAD(p2pdma_pool_list, p2pdma_pool);

struct pci_p2pdma {
	struct p2pdma_provider mem[PCI_STD_NUM_BARS];
	struct p2pdma_verdict_list verdicts;
	struct p2pdma_pool_list pools;
};

/* Takes all pools back; what was handed out of them is void. */
void pci_p2pdma_pools_release(struct pci_dev *pdev);

#endif
