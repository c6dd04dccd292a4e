/* SPDX-License-Identifier: MIT */
/*
 * Why a client reaches a provider as it does, as data and as sentences, and what would change it;
 * and the verdicts of all pairs of a machine, counted by classes of devices (facts "dma-api" 8.5).
 */
#ifndef DMASIM_P2P_WHY_H
#define DMASIM_P2P_WHY_H

#include <dmasim/p2pdma.h>
#include <dmasim/topology.h>

/* What decided the map type. */
enum dmasim_p2p_reason {
	DMASIM_P2P_SAME_FUNCTION = 0, /* BUS_ADDR: provider and client are one */
	DMASIM_P2P_BELOW_BRIDGE,      /* BUS_ADDR: the ways meet at a bridge, nothing redirects */
	DMASIM_P2P_CPU_FORWARDS,      /* THRU_HOST_BRIDGE: whatever the host bridges are */
	DMASIM_P2P_HOST_LISTED,	      /* THRU_HOST_BRIDGE: they are on the allow list */
	/* NOT_SUPPORTED, all of these: */
	DMASIM_P2P_HOST_NOT_LISTED, /* a host bridge is not on the allow list */
	DMASIM_P2P_HOST_FOR_ITSELF, /* it is, but for requests between its own ports only */
	DMASIM_P2P_HOST_UNKNOWN,    /* no function stands for it: 00.0 is not there */
	DMASIM_P2P_NO_MEMORY,	    /* the provider has no memory BAR that may be mapped */
};

/* What would give a shorter way, or one at all. */
enum dmasim_p2p_remedy {
	DMASIM_P2P_NOTHING_NEEDED = 0,
	DMASIM_P2P_CLEAR_REDIRECT, /* BUS_ADDR once the bits of redirect[] are clear */
	DMASIM_P2P_NOT_SOFTWARE,   /* another place in the machine, or another machine */
};

/* A function on the way that has requests or completions redirected. */
struct dmasim_p2p_redirect {
	struct pci_dev *at;
	u16 bits; /* those of PCI_ACS_RR, PCI_ACS_CR and PCI_ACS_EC that are set */
};

/* As many bridges as there are buses, and the two ends. */
#define DMASIM_P2P_REDIRECTS_MAX 260

/* The function that stands for a host bridge, the first on its root bus; NULL: none does. */
struct dmasim_p2p_host {
	struct pci_dev *function;
	bool listed;
	bool for_itself; /* listed for requests between its own ports only */
};

struct dmasim_p2p_verdict {
	struct pci_dev *provider;
	struct pci_dev *client;
	enum pci_p2pdma_map_type type;
	enum dmasim_p2p_reason reason;
	enum dmasim_p2p_remedy remedy;
	int distance;			/* hops, also where it is not supported */
	struct pci_dev *meet;		/* where the ways up meet; NULL: at the root complex */
	bool one_host_bridge;		/* both are below the same */
	struct dmasim_p2p_host host[2]; /* the provider's, the client's */
	/* The provider's side upwards with `meet`, then the client's; 0 if the ways do not meet. */
	u32 redirect_count;
	struct dmasim_p2p_redirect redirect[DMASIM_P2P_REDIRECTS_MAX];
};

/* Pairs of a provider and a client, by what pci_p2pdma_map_type() says of a new one. */
struct dmasim_p2p_counts {
	u64 bus_addr;
	u64 thru_host_bridge;
	u64 not_supported;
};

/* Which class a device is counted in: a number below `count`; any other: none. */
struct dmasim_p2p_classes {
	u32 count; /* 1 or more */
	u32 (*of)(void *cookie, struct pci_dev *pdev);
	void *cookie;
};

DMASIM_BEGIN_DECLS

/*
 * The verdict as things are at present; what pci_p2pdma_map_type() remembers is neither asked nor
 * changed. Both are of one machine.
 */
DMASIM_API void dmasim_p2p_why(struct pci_dev *provider, struct pci_dev *client,
			       struct dmasim_p2p_verdict *verdict);

/*
 * One sentence each, without a full stop: why, and what would change it. Into buf, always
 * terminated, cut at len, which is at least 1.
 */
DMASIM_API void dmasim_p2p_why_text(const struct dmasim_p2p_verdict *verdict, char *buf,
				    size_t len);
DMASIM_API void dmasim_p2p_change_text(const struct dmasim_p2p_verdict *verdict, char *buf,
				       size_t len);

/*
 * What Linux logs of the client when it makes this verdict for the first time, a line each with its
 * newline; nothing for a way by bus address. dmasim_print_to() shows it as it happens.
 */
DMASIM_API void dmasim_p2p_log_text(const struct dmasim_p2p_verdict *verdict, char *buf,
				    size_t len);

/* "BUS_ADDR", "THRU_HOST_BRIDGE", "NOT_SUPPORTED", "NONE", "UNKNOWN"; NULL: no map type. */
DMASIM_API const char *dmasim_p2p_type_name(enum pci_p2pdma_map_type type);

/* True for a function that can be a provider: no bridge, and with a memory BAR to map. */
DMASIM_API bool dmasim_p2p_provides(struct pci_dev *pdev);

/*
 * Counts the verdicts of all pairs of two different functions, a provider (dmasim_p2p_provides())
 * and a client that is no bridge: counts[provider's class * classes->count + client's class]. Takes
 * time in proportion to functions, their depth and classes, not to pairs. 0 or -ENOMEM.
 */
DMASIM_API int dmasim_p2p_table(struct dmasim *s, const struct dmasim_p2p_classes *classes,
				struct dmasim_p2p_counts *counts);

DMASIM_END_DECLS

#endif
