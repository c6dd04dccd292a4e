/* SPDX-License-Identifier: MIT */
/*
 * The verdicts of all pairs of a machine, counted by classes of devices.
 *
 * Whether a client is reached by bus address depends on where its way up meets the provider's, and
 * on whether something redirects below that place. So it is enough to know of each bridge how many
 * clients of each class are below it, and how many of those have a way up to it that nothing
 * redirects. Each provider then climbs once: at each bridge it meets what is below that bridge and
 * not below the step before.
 */
#include <errno.h>

#include "os.h"
#include "pci/bus.h"
#include "pci/p2p_judge.h"

#define NO_NODE ~0U

/* Of one function, or of one root bus: there pdev is NULL. */
struct node {
	struct pci_dev *pdev;
	u32 up;	      /* the bridge or the root bus above; NO_NODE: it is a root bus */
	u32 class_of; /* of a client; count of classes: none */
	bool provides;
	bool redirects;
	struct dmasim_p2p_host host; /* of a root bus */
};

struct table {
	struct os *os;
	const struct dmasim_p2p_classes *classes;
	struct dmasim_p2p_counts *counts;
	u32 node_count;
	struct node *node; /* parents before children */
	u32 *below;	   /* of each node: clients of each class at or below it */
	u32 *clean;	   /* those whose way up to it, without it, has nothing that redirects */
	u64 *anywhere;	   /* clients below host bridges that forward to and from others */
	u64 *all;	   /* clients */
};

static u32 *below_of(const struct table *table, u32 node)
{
	return &table->below[(size_t)node * table->classes->count];
}

static u32 *clean_of(const struct table *table, u32 node)
{
	return &table->clean[(size_t)node * table->classes->count];
}

/* ---- Making it -------------------------------------------------------- */

static u32 count_nodes(struct os *os)
{
	struct pci_dev *pdev;
	u32 count = 0;

	for (pdev = pci_next_device(os, NULL); pdev; pdev = pci_next_device(os, pdev))
		count++;
	for (struct pci_bus *root = os->roots; root; root = root->next_root)
		count++;
	return count;
}

static void *array(struct table *table, size_t count, size_t bytes)
{
	return os_alloc(table->os, DMASIM_FAULT_P2P_TABLE, count * bytes + 1);
}

static void table_fini(struct table *table)
{
	os_free(table->os, table->node);
	os_free(table->os, table->below);
	os_free(table->os, table->clean);
	os_free(table->os, table->anywhere);
	os_free(table->os, table->all);
}

static int table_init(struct table *table)
{
	size_t classes = table->classes->count;

	table->node_count = count_nodes(table->os);
	table->node = array(table, table->node_count, sizeof(*table->node));
	table->below = array(table, table->node_count * classes, sizeof(*table->below));
	table->clean = array(table, table->node_count * classes, sizeof(*table->clean));
	table->anywhere = array(table, classes, sizeof(*table->anywhere));
	table->all = array(table, classes, sizeof(*table->all));
	return table->node && table->below && table->clean && table->anywhere && table->all
		       ? 0
		       : -ENOMEM;
}

static void fill_function(struct table *table, struct node *node, struct pci_dev *pdev)
{
	const struct dmasim_p2p_classes *classes = table->classes;

	node->pdev = pdev;
	node->provides = p2p_provides(pdev);
	node->redirects = p2p_redirects(pdev);
	node->class_of = pci_is_bridge(pdev) ? classes->count : classes->of(classes->cookie, pdev);
	if (node->class_of > classes->count)
		node->class_of = classes->count;
}

/* The node of the bus that a function sits on: the last one's way up leads there. */
static u32 node_above(const struct table *table, u32 last, struct pci_dev *pdev)
{
	const struct pci_dev *bridge = pci_upstream_bridge(pdev);
	u32 at = last;

	while (table->node[at].pdev != bridge)
		at = table->node[at].up;
	return at;
}

static void fill_nodes(struct table *table)
{
	const struct platform_host_bridge *host = NULL;
	struct pci_dev *pdev;
	u32 at = 0;

	for (pdev = pci_next_device(table->os, NULL); pdev;
	     pdev = pci_next_device(table->os, pdev)) {
		if (pci_host_bridge(pdev) != host) {
			host = pci_host_bridge(pdev);
			table->node[at++] = (struct node){
				.up = NO_NODE,
				.class_of = table->classes->count,
				.host = p2p_host(pdev),
			};
		}
		table->node[at].up = node_above(table, at - 1, pdev);
		fill_function(table, &table->node[at], pdev);
		at++;
	}
	table->node_count = at;
}

static void add_up(struct table *table)
{
	u32 classes = table->classes->count;

	for (u32 at = table->node_count; at--;) {
		const struct node *node = &table->node[at];

		if (node->class_of < classes) {
			below_of(table, at)[node->class_of]++;
			clean_of(table, at)[node->class_of]++;
			table->all[node->class_of]++;
		}
		for (u32 i = 0; i < classes && node->up != NO_NODE; i++) {
			below_of(table, node->up)[i] += below_of(table, at)[i];
			if (!node->redirects)
				clean_of(table, node->up)[i] += clean_of(table, at)[i];
		}
		if (node->up == NO_NODE && node->host.listed && !node->host.for_itself) {
			for (u32 i = 0; i < classes; i++)
				table->anywhere[i] += below_of(table, at)[i];
		}
	}
}

/* ---- Counting --------------------------------------------------------- */

static void count_through(struct dmasim_p2p_counts *row, bool forwards, u64 pairs)
{
	if (forwards)
		row->thru_host_bridge += pairs;
	else
		row->not_supported += pairs;
}

/* Adds to the provider's row what it meets at `at`, having come up from `from`. */
static void count_met(const struct table *table, struct dmasim_p2p_counts *row, u32 at, u32 from,
		      bool redirected, bool forwards)
{
	bool is_clean = !table->node[from].redirects;

	for (u32 i = 0; i < table->classes->count; i++) {
		u64 met = below_of(table, at)[i] - below_of(table, from)[i];
		u64 clean = clean_of(table, at)[i] - (is_clean ? clean_of(table, from)[i] : 0);

		if (redirected)
			clean = 0;
		row[i].bus_addr += clean;
		count_through(&row[i], forwards, met - clean);
	}
}

/* What is below other host bridges than the provider's. */
static void count_others(const struct table *table, struct dmasim_p2p_counts *row, u32 root)
{
	const struct dmasim_p2p_host *host = &table->node[root].host;
	const struct dmasim_p2p_host both[2] = { *host, *host };
	enum dmasim_p2p_reason reason;
	bool forwards = p2p_hosts_forward(table->os, both, false, &reason);

	for (u32 i = 0; i < table->classes->count; i++) {
		u64 others = table->all[i] - below_of(table, root)[i];
		u64 reached = 0;

		if (forwards && reason == DMASIM_P2P_CPU_FORWARDS)
			reached = others;
		else if (forwards)
			reached = table->anywhere[i] - below_of(table, root)[i];
		row[i].thru_host_bridge += reached;
		row[i].not_supported += others - reached;
	}
}

static u32 root_of(const struct table *table, u32 at)
{
	while (table->node[at].up != NO_NODE)
		at = table->node[at].up;
	return at;
}

static void count_provider(const struct table *table, u32 provider)
{
	const struct node *node = &table->node[provider];
	u32 root = root_of(table, provider);
	const struct dmasim_p2p_host both[2] = { table->node[root].host, table->node[root].host };
	struct dmasim_p2p_counts *row = &table->counts[node->class_of * table->classes->count];
	bool redirected = node->redirects;
	enum dmasim_p2p_reason reason;
	bool forwards = p2p_hosts_forward(table->os, both, true, &reason);
	u32 from = provider;

	for (u32 at = node->up; at != NO_NODE; from = at, at = table->node[at].up) {
		/* Ways that lead to the root bus alone do not meet: nobody asks what redirects. */
		redirected = redirected || table->node[at].redirects || at == root;
		count_met(table, row, at, from, redirected, forwards);
	}
	count_others(table, row, root);
}

int p2p_table(struct os *os, const struct dmasim_p2p_classes *classes,
	      struct dmasim_p2p_counts *counts)
{
	struct table table = { .os = os, .classes = classes, .counts = counts };
	int err = table_init(&table);

	if (!err) {
		for (size_t i = 0; i < (size_t)classes->count * classes->count; i++)
			counts[i] = (struct dmasim_p2p_counts){ 0 };
		fill_nodes(&table);
		add_up(&table);
		for (u32 at = 0; at < table.node_count; at++) {
			if (table.node[at].provides && table.node[at].class_of < classes->count)
				count_provider(&table, at);
		}
	}
	table_fini(&table);
	return err;
}
