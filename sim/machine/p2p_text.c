/* SPDX-License-Identifier: MIT */
/*
 * Peer-to-peer verdicts in words: why, what would change it, and what Linux logs.
 */
#include "machine/machine.h"

/* What Linux prints the names of redirecting functions into. */
#define LINUX_LIST_BYTES 128

const char *dmasim_p2p_type_name(enum pci_p2pdma_map_type type)
{
	static const char *const names[] = {
		[PCI_P2PDMA_MAP_UNKNOWN] = "UNKNOWN",
		[PCI_P2PDMA_MAP_NONE] = "NONE",
		[PCI_P2PDMA_MAP_NOT_SUPPORTED] = "NOT_SUPPORTED",
		[PCI_P2PDMA_MAP_BUS_ADDR] = "BUS_ADDR",
		[PCI_P2PDMA_MAP_THRU_HOST_BRIDGE] = "THRU_HOST_BRIDGE",
	};

	return (size_t)type < sizeof(names) / sizeof(names[0]) ? names[type] : NULL;
}

/* "0000:39:01.0 (RR CR), 0000:39:00.0 (RR CR)" */
static void add_redirects(struct text *text, const struct dmasim_p2p_verdict *verdict)
{
	for (u32 i = 0; i < verdict->redirect_count; i++) {
		text_add(text, "%s%s (", i ? ", " : "", pci_name(verdict->redirect[i].at));
		machine_add_acs_bits(text, verdict->redirect[i].bits, " ");
		text_add(text, ")");
	}
}

/* The value of the boot option: names, with semicolons between. */
static void add_names(struct text *text, const struct dmasim_p2p_verdict *verdict)
{
	for (u32 i = 0; i < verdict->redirect_count; i++)
		text_add(text, "%s%s", i ? ";" : "", pci_name(verdict->redirect[i].at));
}

/* ---- Why -------------------------------------------------------------- */

static void add_way(struct text *text, const struct dmasim_p2p_verdict *verdict)
{
	if (!verdict->meet) {
		text_add(text, "the ways meet at the root complex alone");
		return;
	}
	if (verdict->meet == verdict->provider)
		text_add(text, "provider and client are the same function");
	else
		text_add(text, "the ways meet at %s", pci_name(verdict->meet));
	if (verdict->redirect_count) {
		text_add(text, ", but ACS redirects at ");
		add_redirects(text, verdict);
	} else {
		text_add(text, " and ACS redirects nothing");
	}
}

/* "host bridge 0000:00:00.0 [8086:09a2]" */
static void add_host(struct text *text, const struct dmasim_p2p_host *host)
{
	text_add(text, "host bridge %s [%04x:%04x]", pci_name(host->function),
		 host->function->vendor, host->function->device);
}

/* The one of the two that refuses; the first if both do. */
static const struct dmasim_p2p_host *refusing(const struct dmasim_p2p_verdict *verdict)
{
	const struct dmasim_p2p_host *first = &verdict->host[0];
	bool first_allows = first->listed && (verdict->one_host_bridge || !first->for_itself);

	return first_allows ? &verdict->host[1] : first;
}

static void add_listed(struct text *text, const struct dmasim_p2p_verdict *verdict)
{
	add_host(text, &verdict->host[0]);
	if (!verdict->one_host_bridge) {
		text_add(text, " and ");
		add_host(text, &verdict->host[1]);
	}
	text_add(text, " %s on the list of those that forward between their ports",
		 verdict->one_host_bridge ? "is" : "are");
}

static void add_root(struct text *text, const struct dmasim_p2p_verdict *verdict)
{
	const struct dmasim_p2p_host *host = refusing(verdict);
	const struct pci_dev *below = host == verdict->host ? verdict->provider : verdict->client;

	switch (verdict->reason) {
	case DMASIM_P2P_CPU_FORWARDS:
		text_add(text, "; an AMD CPU of family 0x17 or later forwards between all ports");
		break;
	case DMASIM_P2P_HOST_LISTED:
		text_add(text, "; ");
		add_listed(text, verdict);
		break;
	case DMASIM_P2P_HOST_NOT_LISTED:
		text_add(text, "; ");
		add_host(text, host);
		text_add(text, " is not on the list of those that forward between their ports");
		break;
	case DMASIM_P2P_HOST_FOR_ITSELF:
		text_add(text, "; ");
		add_host(text, host);
		text_add(text, " is on the list only for requests between its own ports");
		break;
	case DMASIM_P2P_HOST_UNKNOWN:
		text_add(text, "; no function 00.0 tells which host bridge is above %s",
			 pci_name(below));
		break;
	default:
		break;
	}
}

void dmasim_p2p_why_text(const struct dmasim_p2p_verdict *verdict, char *buf, size_t len)
{
	struct text text;

	DMASIM_CONTRACT(len, "a text has room for its end");
	text_init(&text, buf, len);
	if (verdict->reason == DMASIM_P2P_NO_MEMORY) {
		text_add(&text, "%s has no memory BAR that others may reach",
			 pci_name(verdict->provider));
		return;
	}
	add_way(&text, verdict);
	add_root(&text, verdict);
}

/* ---- What would change it --------------------------------------------- */

void dmasim_p2p_change_text(const struct dmasim_p2p_verdict *verdict, char *buf, size_t len)
{
	struct text text;

	DMASIM_CONTRACT(len, "a text has room for its end");
	text_init(&text, buf, len);
	switch (verdict->remedy) {
	case DMASIM_P2P_NOTHING_NEEDED:
		text_add(&text, "nothing is needed: no way is shorter");
		break;
	case DMASIM_P2P_CLEAR_REDIRECT:
		text_add(&text, "BUS_ADDR, distance %d, if ACS redirect is clear at ",
			 verdict->distance);
		add_redirects(&text, verdict);
		text_add(&text, ": boot with pci=disable_acs_redir=");
		add_names(&text, verdict);
		break;
	case DMASIM_P2P_NOT_SOFTWARE:
		if (verdict->reason == DMASIM_P2P_NO_MEMORY)
			text_add(&text, "nothing in software gives it memory");
		else
			text_add(&text,
				 "nothing in software: BUS_ADDR needs both below one switch");
		break;
	}
}

/* ---- What Linux logs (facts "dma-api" 8.5) ---------------------------- */

static void add_redirect_log(struct text *text, const struct dmasim_p2p_verdict *verdict)
{
	char list[LINUX_LIST_BYTES];
	struct text names;

	text_init(&names, list, sizeof(list));
	add_names(&names, verdict);
	text_add(text, "ACS redirect is set between the client and provider (%s)\n",
		 pci_name(verdict->provider));
	text_add(text,
		 "to disable ACS redirect for this path, add the kernel parameter: "
		 "pci=disable_acs_redir=%s\n",
		 list);
}

void dmasim_p2p_log_text(const struct dmasim_p2p_verdict *verdict, char *buf, size_t len)
{
	const struct dmasim_p2p_host *host = &verdict->host[0];
	struct text text;

	DMASIM_CONTRACT(len, "a text has room for its end");
	text_init(&text, buf, len);
	if (verdict->redirect_count)
		add_redirect_log(&text, verdict);
	/* Linux names the host bridge only where the ways meet below it. */
	if (verdict->reason == DMASIM_P2P_HOST_NOT_LISTED && verdict->meet)
		text_add(&text, "Host bridge not in P2PDMA whitelist: %04x:%04x\n",
			 host->function->vendor, host->function->device);
	if (verdict->type == PCI_P2PDMA_MAP_NOT_SUPPORTED &&
	    verdict->reason != DMASIM_P2P_NO_MEMORY)
		text_add(&text,
			 "cannot be used for peer-to-peer DMA as the client and provider (%s) do "
			 "not share an upstream bridge or whitelisted host bridge\n",
			 pci_name(verdict->provider));
}
