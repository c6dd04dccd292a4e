/* SPDX-License-Identifier: MIT */
/*
 * All pairs, counted by classes of devices.
 *
 * Where not all of ACS is known there are two tables. More redirection can only take ways by bus
 * address away: those that one machine has and the other has not are the unknown ones.
 */
#include <stdlib.h>
#include <string.h>

#include "p2p.h"

/* More than cli_class_word() has words. */
#define CLASSES_MAX 64

struct classes {
	u32 count;
	const char *word[CLASSES_MAX];
};

/* The class of a device: a word gets its number where it is first seen. */
static u32 class_of(void *cookie, struct pci_dev *pdev)
{
	struct classes *classes = cookie;
	const char *word = cli_class_word(pdev);
	u32 i = 0;

	while (i < classes->count && strcmp(classes->word[i], word) != 0)
		i++;
	if (i == classes->count && i < CLASSES_MAX)
		classes->word[classes->count++] = word;
	return i;
}

/* Numbers are given before anything is counted. */
static void find_classes(struct dmasim *s, struct classes *classes)
{
	struct pci_dev *pdev;

	for (pdev = dmasim_next_dev(s, NULL); pdev; pdev = dmasim_next_dev(s, pdev)) {
		if (!pci_is_bridge(pdev))
			class_of(classes, pdev);
	}
}

static u32 word_columns(const struct classes *classes)
{
	size_t columns = strlen("provider");

	for (u32 i = 0; i < classes->count; i++)
		columns = strlen(classes->word[i]) > columns ? strlen(classes->word[i]) : columns;
	return (u32)columns;
}

static void print_table(const struct classes *classes, const struct dmasim_p2p_counts *counts,
			const struct dmasim_p2p_counts *isolated)
{
	int columns = (int)word_columns(classes);

	printf("%-*s  %-*s  %8s  %16s  %13s%s\n", columns, "provider", columns, "client",
	       "BUS_ADDR", "THRU_HOST_BRIDGE", "NOT_SUPPORTED", isolated ? "  unknown" : "");
	for (u32 i = 0; i < classes->count * classes->count; i++) {
		u64 bus = isolated ? isolated[i].bus_addr : counts[i].bus_addr;

		if (!(counts[i].bus_addr + counts[i].thru_host_bridge + counts[i].not_supported))
			continue;
		printf("%-*s  %-*s  %8llu  %16llu  %13llu", columns,
		       classes->word[i / classes->count], columns,
		       classes->word[i % classes->count], bus, counts[i].thru_host_bridge,
		       counts[i].not_supported);
		if (isolated)
			printf("  %7llu", counts[i].bus_addr - bus);
		printf("\n");
	}
}

int p2p_print_classes(struct p2p *p2p)
{
	struct classes classes = { 0 };
	struct dmasim_p2p_classes how = { .of = class_of, .cookie = &classes };
	struct dmasim_p2p_counts *counts;
	size_t cells;
	int err;

	find_classes(p2p->s, &classes);
	how.count = classes.count ? classes.count : 1;
	cells = (size_t)how.count * how.count;
	counts = calloc(2 * cells, sizeof(*counts));
	err = counts ? dmasim_p2p_table(p2p->s, &how, counts) : -1;
	if (!err && p2p->isolated)
		err = dmasim_p2p_table(p2p->isolated, &how, counts + cells);
	if (!err)
		print_table(&classes, counts, p2p->isolated ? counts + cells : NULL);
	free(counts);
	return err ? cli_bad_input("%s: no memory", p2p->command) : CLI_DONE;
}
