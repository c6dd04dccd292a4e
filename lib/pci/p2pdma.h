/* SPDX-License-Identifier: MIT */
#ifndef PCI_P2PDMA_H
#define PCI_P2PDMA_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include <dmasim/p2pdma.h>

#include "mm/page.h"

/* The verdict for one client; never forgotten while the provider lives. */
struct p2pdma_verdict {
	RB_ENTRY(p2pdma_verdict) by_client;
	dmasim_sbdf client;
	enum pci_p2pdma_map_type type;
};

RB_HEAD(p2pdma_verdict_tree, p2pdma_verdict);

/* A range of peer memory that was handed out. */
struct p2pdma_range {
	LIST_ENTRY(p2pdma_range) link; /* by address */
	phys_addr_t phys;
	u64 bytes; /* a power of two of at least a page */
	void *host;
	const struct dmasim_site *site; /* of the call that took it */
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
	struct p2pdma_verdict_tree verdicts;
	struct p2pdma_pool_list pools;
	bool published;
};

/*
 * Judges without asking what is remembered, and remembers that instead. verbose: what Linux logs is
 * logged.
 */
enum pci_p2pdma_map_type p2pdma_judge_anew(struct pci_dev *provider, struct pci_dev *client,
					   int *distance, bool verbose);

/* Takes all pools back; what was handed out of them is void. */
void pci_p2pdma_pools_release(struct pci_dev *pdev);

/* Bytes of all pools, and what of them is free. False: there is no pool. */
bool pci_p2pmem_figures(const struct pci_dev *pdev, u64 *size, u64 *available);

/* Reports what was handed out and not given back. */
void pci_p2pdma_pools_in_use(struct pci_dev *pdev);

#endif
