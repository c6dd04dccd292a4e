/* SPDX-License-Identifier: MIT */
/*
 * What the files of dmasim p2p share.
 */
#ifndef CLI_P2P_H
#define CLI_P2P_H

#include "cli.h"

/*
 * What a dump is too short to show of ACS makes two machines of it: in one nothing is redirected
 * there, in the other everything is. A verdict that is the same in both is known.
 */
struct p2p {
	const char *command;
	const char *file;
	const char *provider_bdf; /* NULL: all */
	const char *client_bdf;
	bool acs_off;
	bool by_class;
	bool why;
	struct dmasim *s;
	struct dmasim *isolated; /* NULL: all of ACS is known */
	struct dmasim_error notes;
};

/* A function in both machines; in the second NULL if there is none. */
struct p2p_device {
	struct pci_dev *pdev;
	struct pci_dev *isolated;
};

/* The verdicts in both machines. */
struct p2p_pair {
	struct dmasim_p2p_verdict verdict;
	struct dmasim_p2p_verdict isolated;
	bool known; /* both have the same map type */
};

void p2p_judge_pair(struct p2p_pair *pair, const struct p2p_device *provider,
		    const struct p2p_device *client);

/* The map type's name, or "unknown". */
const char *p2p_word(const struct p2p_pair *pair);

/* True for what can be a client: no bridge. */
bool p2p_is_client(const struct pci_dev *pdev);

/* One verdict, why, and the way of a request. What the command exits with. */
int p2p_print_pair(struct p2p *p2p, const struct p2p_device *provider,
		   const struct p2p_device *client);

/* The table by classes of devices. What the command exits with. */
int p2p_print_classes(struct p2p *p2p);

#endif
