/* SPDX-License-Identifier: MIT */
/*
 * How a client reaches a provider, judged from the tree and the ACS bits that the software can see
 * (facts "dma-api" 8.5).
 */
#ifndef PCI_P2P_JUDGE_H
#define PCI_P2P_JUDGE_H

#include <dmasim/p2p-why.h>

struct os;

/* The ACS bits that redirect. */
#define P2P_REDIRECT_BITS (PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC)

/* Fills in all but elements of redirect[] beyond redirect_count. */
void p2p_judge(struct pci_dev *provider, struct pci_dev *client,
	       struct dmasim_p2p_verdict *verdict);

/* The redirecting bits that are set now; a live read. */
u16 p2p_redirects(const struct pci_dev *pdev);

/* The host bridge above a device, by the function that stands for it. */
struct dmasim_p2p_host p2p_host(const struct pci_dev *pdev);

/* False: requests between these two are not forwarded. *reason says why, or why not. */
bool p2p_hosts_forward(const struct os *os, const struct dmasim_p2p_host host[2], bool one_bridge,
		       enum dmasim_p2p_reason *reason);

/* Counts the verdicts of all pairs, see dmasim_p2p_table(). 0 or -ENOMEM. */
int p2p_table(struct os *os, const struct dmasim_p2p_classes *classes,
	      struct dmasim_p2p_counts *counts);

/* True for a function that others may reach: no bridge, and with a memory BAR to map. */
bool p2p_provides(const struct pci_dev *pdev);

#endif
