/* SPDX-License-Identifier: MIT */
/*
 * Peer-to-peer, as the public API asks about it.
 */
#include <string.h>

#include "machine/machine.h"
#include "pci/bus.h"
#include "pci/p2p_judge.h"
#include "pci/p2pdma.h"

void dmasim_p2p_why(struct pci_dev *provider, struct pci_dev *client,
		    struct dmasim_p2p_verdict *verdict)
{
	DMASIM_CONTRACT(machine_of(provider) == machine_of(client),
			"provider and client are of one machine");
	p2p_judge(provider, client, verdict);
	if (p2p_provides(provider))
		return;
	verdict->type = PCI_P2PDMA_MAP_NOT_SUPPORTED;
	verdict->reason = DMASIM_P2P_NO_MEMORY;
	verdict->remedy = DMASIM_P2P_NOT_SOFTWARE;
}

bool dmasim_p2p_provides(struct pci_dev *pdev)
{
	machine_of(pdev);
	return p2p_provides(pdev);
}

int dmasim_p2p_table(struct dmasim *s, const struct dmasim_p2p_classes *classes,
		     struct dmasim_p2p_counts *counts)
{
	machine_exists(s);
	DMASIM_CONTRACT(classes && classes->count && classes->of, "there is a class to count in");
	return p2p_table(s->os, classes, counts);
}

bool dmasim_p2pmem(struct pci_dev *pdev, struct dmasim_p2pmem *figures)
{
	bool any;

	machine_of(pdev);
	any = pci_p2pmem_figures(pdev, &figures->size, &figures->available);
	figures->published = any && pci_has_p2pmem(pdev);
	return any;
}

void dmasim_p2pdma_release(struct pci_dev *pdev)
{
	machine_of(pdev);
	pci_p2pdma_unbind(pdev);
}

static void print_lines(FILE *to, dmasim_sbdf dev, const char *lines)
{
	char name[32];
	struct text text;

	text_init(&text, name, sizeof(name));
	text_add_bdf(&text, dev);
	while (*lines) {
		int length = (int)strcspn(lines, "\n");

		fprintf(to, "%s: %.*s\n", name, length, lines);
		lines += length + (lines[length] == '\n');
	}
}

void kernel_log_peer(struct dmasim *s, dmasim_sbdf client, dmasim_sbdf provider)
{
	struct dmasim_p2p_verdict verdict;
	struct pci_dev *from, *to;
	char lines[1024];

	if (!s->kernel.print_to)
		return;
	from = machine_device_at(s, client);
	to = machine_device_at(s, provider);
	p2p_judge(to, from, &verdict);
	dmasim_p2p_log_text(&verdict, lines, sizeof(lines));
	print_lines(s->kernel.print_to, client, lines);
}
