/* SPDX-License-Identifier: MIT */
/*
 * IOMMU groups: which devices share a domain, by which rules, and why (facts "dma-api" 18).
 *
 * A group is made when the machine starts and stays as it is, whatever happens to ACS later.
 */
#ifndef DMASIM_GROUP_H
#define DMASIM_GROUP_H

#include <dmasim/contract.h>
#include <dmasim/types.h>

struct pci_dev;

/* Who decides what a group is. */
enum dmasim_group_policy {
	DMASIM_GROUPS_LINUX = 0, /* as Linux 7.3 does: aliases, then tests of the way up */
	/*
	 * What can reach each other: functions whose requests bear the same number, or of which one
	 * reaches the memory of the other with no IOMMU on the way. What a table of ids says about
	 * isolation does not count.
	 */
	DMASIM_GROUPS_STRICT,
};

/* What decided whether a function keeps apart what is below it, or its own functions. */
enum dmasim_isolation_by {
	DMASIM_ISOLATION_ACS = 0,	  /* its ACS registers: `missing` is what they lack */
	DMASIM_ISOLATION_NO_ACS,	  /* it would need them and has none */
	DMASIM_ISOLATION_QUIRK,		  /* a rule for its id, `rule` of facts "dma-api" 19.1 */
	DMASIM_ISOLATION_CONVENTIONAL,	  /* conventional PCI never does */
	DMASIM_ISOLATION_BRIDGE,	  /* nor do bridges between that and PCI Express */
	DMASIM_ISOLATION_COLLECTOR,	  /* nor event collectors of the root complex */
	DMASIM_ISOLATION_SINGLE_FUNCTION, /* it has no other function to keep apart */
	DMASIM_ISOLATION_TYPE,		  /* its type needs no ACS */
};

/* The isolation test of one function (facts "dma-api" 18.3). */
struct dmasim_isolation {
	bool isolates;
	enum dmasim_isolation_by by;
	u16 missing; /* PCI_ACS_ bits */
	char rule;   /* 'A' to 'J'; 0: none */
};

enum dmasim_group_reason_kind {
	DMASIM_GROUP_NONE = 0, /* no IOMMU covers it: it is in no group */
	/*
	 * It begins a group: nothing joins it with what came before. `at` is the bridge above it,
	 * NULL on a root bus.
	 */
	DMASIM_GROUP_FIRST,
	DMASIM_GROUP_APART,	/* strict: it reaches nobody, and nobody it; `at` as above */
	DMASIM_GROUP_REQUESTER, /* its requests bear `id`, which is of `other` or of both */
	DMASIM_GROUP_BRIDGE,	/* it is below `other`; from there up, `at` does not isolate */
	DMASIM_GROUP_BUS_ALIAS, /* on its bus, it or `at` above it goes by the number of `other` */
	DMASIM_GROUP_FUNCTION,	/* `at`, it or above it, and `other` are functions that reach each
				   other */
	DMASIM_GROUP_REACHES,	/* strict: it reaches the memory of `other`, past `at` */
	DMASIM_GROUP_REACHED,	/* strict: `other` reaches its memory, past `at` */
};

struct dmasim_group_reason {
	enum dmasim_group_reason_kind kind;
	struct pci_dev *other; /* whose group it is in; NULL: FIRST, NONE */
	struct pci_dev *at;    /* the function that decided */
	u16 id;		       /* REQUESTER: the number */
	/* Of `at`, or on a root bus of FIRST itself, when the group was made. */
	struct dmasim_isolation isolation;
};

struct dmasim_group_text {
	char text[256];
};

DMASIM_BEGIN_DECLS

/* The isolation test as it comes out now. */
DMASIM_API struct dmasim_isolation dmasim_isolation(struct pci_dev *pdev);

/*
 * Why the device is in its group. Both start the machine; without memory for that the kind is
 * DMASIM_GROUP_NONE.
 */
DMASIM_API struct dmasim_group_reason dmasim_group_reason(struct pci_dev *pdev);
DMASIM_API struct dmasim_group_text dmasim_group_reason_text(struct pci_dev *pdev);

DMASIM_END_DECLS

#endif
