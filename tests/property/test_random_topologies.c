/* SPDX-License-Identifier: MIT */
/*
 * Random PCI trees: what the software says about a pair of devices and what the fabric does agree.
 *
 * Software and fabric look at different things (facts "dma-api" 8.5):
 *
 *                upstream port                 the paths meet here
 *                 |          |
 *             crossing    provider's           the fabric asks the crossing port for request
 *               port        port               redirect (RR), and nobody else
 *                 |          |
 *              (switch)   provider             the software counts RR, CR and EC of every function
 *                 |                            on both sides, the meeting one included
 *               client
 *
 * So "by bus address" must always be true, and it is the answer whenever the fabric turns the
 * request below the root, except where a bit is set that does not redirect this request: CR or EC
 * anywhere, RR on the provider's side, in the function where the paths meet, or further down on the
 * client's side.
 */
#include <stdlib.h>
#include <string.h>

#include "property/dice.h"
#include "property/seeds.h"
#include "support/rig.h"

#define TREES_FULL    3000
#define DEVICES_MAX   64
#define ENDPOINTS_MAX 10
#define SWITCH_DEPTH  3
#define PATH_BYTES    96
#define REDIRECT      (PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC)
#define HOST_BRIDGES  2

/* How the ports of a tree treat peer-to-peer requests. */
enum tree_style {
	STYLE_NO_REDIRECT,  /* no port redirects */
	STYLE_ALL_REDIRECT, /* every port redirects requests */
	STYLE_MIXED,	    /* any bits anywhere */
};

struct tree {
	struct dmasim *s;
	struct dice dice;
	u64 seed;
	enum tree_style style;
	struct pci_dev *endpoint[ENDPOINTS_MAX];
	u32 endpoint_count;
	u16 bridge_device[HOST_BRIDGES];
	bool amd;
};

/* ---- Building -------------------------------------------------------------------------------- */

static void add_endpoint(struct tree *tree, const char *path)
{
	u64 bytes = SZ_4K << dice_below(&tree->dice, 6);
	struct pci_dev *pdev;

	if (tree->endpoint_count == ENDPOINTS_MAX)
		return;
	pdev = dmasim_add_endpoint(tree->s, path, &(struct dmasim_endpoint){ .bar = { bytes } });
	assert_non_null(pdev);
	tree->endpoint[tree->endpoint_count++] = pdev;
}

static void add_bridge(struct tree *tree, const char *path)
{
	static const enum dmasim_acs acs[] = { DMASIM_ACS_ISOLATING, DMASIM_ACS_OFF,
					       DMASIM_ACS_ABSENT };
	struct dmasim_bridge bridge = { .acs = acs[dice_from(&tree->dice, 1, 2)] };

	if (tree->style == STYLE_ALL_REDIRECT)
		bridge.acs = DMASIM_ACS_ISOLATING;
	if (tree->style == STYLE_MIXED)
		bridge.acs = acs[dice_below(&tree->dice, 3)];
	assert_non_null(dmasim_add_bridge(tree->s, path, &bridge));
}

static void fill_port(struct tree *tree, const char *port, u32 depth);

/* A switch at the end of a port: an upstream port, and up to three downstream ports. */
static void add_switch(struct tree *tree, const char *port, u32 depth)
{
	u8 ports = (u8)dice_from(&tree->dice, 1, 3);
	bool functions = dice_chance(&tree->dice, 25);
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%.80s/00.0", port);
	add_bridge(tree, path);
	for (u8 i = 0; i < ports; i++) {
		snprintf(path, sizeof(path), "%.80s/00.0/%02x.%u", port, functions ? 0 : i,
			 functions ? i : 0);
		add_bridge(tree, path);
		fill_port(tree, path, depth + 1);
	}
}

static void fill_port(struct tree *tree, const char *port, u32 depth)
{
	char path[PATH_BYTES];
	u32 functions = dice_chance(&tree->dice, 25) ? 2 : 1;

	if (depth < SWITCH_DEPTH && dice_chance(&tree->dice, 55)) {
		add_switch(tree, port, depth);
		return;
	}
	for (u32 i = 0; i < functions; i++) {
		snprintf(path, sizeof(path), "%.80s/00.%u", port, i);
		add_endpoint(tree, path);
	}
}

static void add_root(struct tree *tree, u32 index)
{
	static const u16 listed[] = { 0x09a2, 0x3c00, 0x1234 };
	struct dmasim_host_bridge bridge = { .bus = (u8)(0x40 * index),
					     .vendor = PCI_VENDOR_ID_INTEL };
	bool functions = dice_chance(&tree->dice, 30);
	char path[PATH_BYTES];

	bridge.device = tree->bridge_device[index] = listed[dice_below(&tree->dice, 3)];
	bridge.bus_offset = dice_chance(&tree->dice, 50) ? (u64)(index + 1) << 40 : 0;
	expect_ok(dmasim_add_host_bridge(tree->s, &bridge));
	for (u32 i = 0; i < dice_from(&tree->dice, 1, 3); i++) {
		snprintf(path, sizeof(path), "%02x:%02x.%u", bridge.bus, functions ? 1 : i + 1,
			 functions ? i : 0);
		if (dice_chance(&tree->dice, 15)) {
			add_endpoint(tree, path);
			continue;
		}
		add_bridge(tree, path);
		fill_port(tree, path, 0);
	}
}

/* Any of the bits that a port has. */
static void set_random_bits(struct tree *tree)
{
	struct pci_dev *pdev = NULL;

	while ((pdev = dmasim_next_dev(tree->s, pdev))) {
		if (!pdev->acs_cap || dice_chance(&tree->dice, 60))
			continue;
		pci_write_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL,
				      (u16)dice_below(&tree->dice, 0x80));
	}
}

static void make_tree(struct tree *tree, u64 seed)
{
	struct dmasim_config config = { DMASIM_CONFIG, .seed = seed };

	*tree = (struct tree){ .seed = seed, .dice = dice_of(seed, 0) };
	tree->style = (enum tree_style)dice_below(&tree->dice, 3);
	tree->amd = dice_chance(&tree->dice, 30);
	config.cpu = tree->amd ? DMASIM_CPU_AMD : DMASIM_CPU_INTEL;
	config.iommu = dice_chance(&tree->dice, 70) ? DMASIM_VTD : DMASIM_NO_IOMMU;
	tree->s = dmasim_create(&config);
	assert_non_null(tree->s);
	for (u32 i = 0; i < HOST_BRIDGES; i++)
		add_root(tree, i);
	if (tree->style == STYLE_MIXED)
		set_random_bits(tree);
}

/* ---- What should be -------------------------------------------------------------------------- */

static u16 acs_bits(const struct pci_dev *pdev)
{
	u16 control = 0;

	if (pdev->acs_cap)
		pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, &control);
	return control;
}

/* The pair's ways up, and where they meet. */
struct ways {
	struct pci_dev *meet;	  /* NULL: nowhere below the root */
	struct pci_dev *crossing; /* the client's last function below that */
	u32 distance;
	bool counted; /* some redirect bit on either way */
	bool turned;  /* the crossing port redirects requests */
	u8 root_bus[2];
};

static u32 steps_to(struct pci_dev *from, struct pci_dev *to)
{
	u32 steps = 0;

	for (; from != to; from = pci_upstream_bridge(from))
		steps++;
	return steps;
}

static bool is_above(struct pci_dev *above, struct pci_dev *from)
{
	for (; from; from = pci_upstream_bridge(from))
		if (from == above)
			return true;
	return false;
}

static u8 root_bus_of(struct pci_dev *pdev)
{
	while (pci_upstream_bridge(pdev))
		pdev = pci_upstream_bridge(pdev);
	return (u8)(pdev->dev.id >> 8);
}

static void find_ways(struct pci_dev *provider, struct pci_dev *client, struct ways *ways)
{
	struct pci_dev *at;

	*ways = (struct ways){ .root_bus = { root_bus_of(provider), root_bus_of(client) } };
	for (at = provider; at && !is_above(at, client); at = pci_upstream_bridge(at))
		ways->counted |= (acs_bits(at) & REDIRECT) != 0;
	ways->meet = at;
	if (at)
		ways->counted |= (acs_bits(at) & REDIRECT) != 0;
	for (; client != at; client = pci_upstream_bridge(client)) {
		ways->counted |= at && (acs_bits(client) & REDIRECT);
		ways->crossing = client;
	}
	ways->turned = ways->crossing && (acs_bits(ways->crossing) & PCI_ACS_RR);
}

/*
 * Functions of one device of the root complex: no bridge is above them, so for the software they
 * meet at the host bridge; but their requests stay in the device.
 */
static bool are_neighbours(struct pci_dev *one, struct pci_dev *other)
{
	return one->bus == other->bus && !pci_upstream_bridge(one) &&
	       PCI_SLOT(one->devfn) == PCI_SLOT(other->devfn);
}

static u32 expected_distance(struct pci_dev *provider, struct pci_dev *client,
			     const struct ways *ways)
{
	return steps_to(provider, ways->meet) + steps_to(client, ways->meet);
}

static bool root_is_trusted(const struct tree *tree, const struct ways *ways)
{
	u16 one = tree->bridge_device[ways->root_bus[0] / 0x40];
	u16 two = tree->bridge_device[ways->root_bus[1] / 0x40];

	if (tree->amd)
		return true;
	if (ways->root_bus[0] == ways->root_bus[1])
		return one != 0x1234;
	return one == 0x09a2 && two == 0x09a2;
}

static enum pci_p2pdma_map_type expected_type(const struct tree *tree, const struct ways *ways)
{
	if (ways->meet && !ways->counted)
		return PCI_P2PDMA_MAP_BUS_ADDR;
	return root_is_trusted(tree, ways) ? PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
					   : PCI_P2PDMA_MAP_NOT_SUPPORTED;
}

/* ---- Checks ---------------------------------------------------------------------------------- */

/* The whole BAR is reached without passing the root. */
static bool goes_directly(struct tree *tree, struct pci_dev *provider, struct pci_dev *client)
{
	u64 last = pci_resource_len(provider, 0) - 1;
	struct dmasim_route route[2];

	(void)tree;
	for (u32 i = 0; i < 2; i++) {
		u64 offset = i ? last : 0;

		dmasim_route(client, pci_bus_address(provider, 0) + offset, true, &route[i]);
		if (!route[i].passed_root && route[i].in_bar)
			expect_u64(route[i].phys, pci_resource_start(provider, 0) + offset);
	}
	expect_u64(route[0].passed_root, route[1].passed_root);
	return route[0].in_bar && !route[0].passed_root;
}

static void check_data(struct tree *tree, struct pci_dev *provider, struct pci_dev *client)
{
	u64 bytes = pci_resource_len(provider, 0);
	u8 sent[SZ_4K], found[SZ_4K];

	fill_pattern(sent, sizeof(sent), dice_word(&tree->dice));
	expect_done(dmasim_dev_write(client, pci_bus_address(provider, 0) + bytes - sizeof(sent),
				     sent, sizeof(sent)),
		    sizeof(sent));
	expect_u64(dmasim_read(tree->s, pci_resource_start(provider, 0) + bytes - sizeof(found),
			       found, sizeof(found)),
		   sizeof(found));
	assert_memory_equal(sent, found, sizeof(sent));
}

/* True: by bus address. */
static bool check_pair(struct tree *tree, struct pci_dev *provider, struct pci_dev *client)
{
	struct p2pdma_provider *mem = pcim_p2pdma_provider(provider, 0);
	enum pci_p2pdma_map_type type = pci_p2pdma_map_type(mem, &client->dev);
	bool direct = goes_directly(tree, provider, client);
	struct ways ways;

	find_ways(provider, client, &ways);
	expect_u64(type, expected_type(tree, &ways));
	expect_u64((u64)pci_p2pdma_distance(provider, &client->dev, false),
		   type == PCI_P2PDMA_MAP_NOT_SUPPORTED
			   ? (u64)-1
			   : expected_distance(provider, client, &ways));
	/* By bus address: always true. */
	if (type == PCI_P2PDMA_MAP_BUS_ADDR && !direct)
		fail_msg("%s to %s: by bus address, but the request passes the root",
			 pci_name(client), pci_name(provider));
	/* And the answer, unless a bit counts that does not redirect this request. */
	expect_u64(direct, (ways.meet && !ways.turned) || are_neighbours(provider, client));
	if (tree->style != STYLE_MIXED)
		expect_u64(type == PCI_P2PDMA_MAP_BUS_ADDR,
			   direct && ways.meet && !(acs_bits(ways.meet) & REDIRECT));
	/* Also where nobody said so, which is told. */
	if (direct && type != PCI_P2PDMA_MAP_BUS_ADDR)
		dmasim_expect(tree->s, DMASIM_REPORT_P2P_VERDICT, 1);
	if (direct)
		check_data(tree, provider, client);
	return type == PCI_P2PDMA_MAP_BUS_ADDR;
}

/* Counts the pairs, and those that go by bus address. */
static void check_tree(struct tree *tree, u32 *pairs, u32 *by_bus)
{
	for (u32 i = 0; i < tree->endpoint_count; i++)
		expect_ok(pcim_p2pdma_init(tree->endpoint[i]));
	for (u32 i = 0; i < tree->endpoint_count; i++) {
		for (u32 k = 0; k < tree->endpoint_count; k++) {
			if (i == k)
				continue;
			*by_bus += check_pair(tree, tree->endpoint[i], tree->endpoint[k]);
			*pairs += 1;
		}
	}
	dmasim_assert_clean(tree->s);
}

/* trust: map types of random topologies | an independent model: the routes that requests take */
static void bus_addresses_are_used_where_requests_stay_below_the_root(void **state)
{
	u64 first = test_seed(1);
	u32 trees = scaled(TREES_FULL), pairs = 0, by_bus = 0;
	struct tree *tree = calloc(1, sizeof(*tree));

	*state = tree;
	assert_non_null(tree);
	for (u32 i = 0; i < trees; i++) {
		make_tree(tree, first + i);
		check_tree(tree, &pairs, &by_bus);
		expect_u64(dmasim_destroy(tree->s), 0);
		tree->s = NULL;
	}
	print_message("# %u trees from seed 0x%llx, %u pairs, %u by bus address\n", trees, first,
		      pairs, by_bus);
	/* A check that never sees both answers checks nothing. */
	assert_true(trees < 20 || (by_bus && by_bus < pairs));
}

static int teardown(void **state)
{
	struct tree *tree = *state;

	if (tree && tree->s) {
		seed_failed(tree->seed);
		dmasim_destroy(tree->s);
	}
	free(tree);
	return 0;
}

TEST_MAIN(cmocka_unit_test_teardown(bus_addresses_are_used_where_requests_stay_below_the_root,
				    teardown))
