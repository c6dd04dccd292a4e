/* SPDX-License-Identifier: MIT */
/*
 * Peer-to-peer verdicts: map type and distance for every pair of places in one tree, with redirect
 * off and on at each port in turn, each compared with facts 8.5 and with the way a request really
 * takes.
 *
 *   host bridge 00
 *    |-- 00:01.0 -- switch --+-- 00.0 --+-- a0      two functions of one device
 *    |                       |          +-- a1
 *    |                       +-- 01.0 -- switch --+-- 00.0 -- b
 *    |                       |                    +-- 01.0 -- c
 *    |                       +-- 02.0 -- d
 *    +-- 00:02.0 -- e
 *   host bridge 40
 *    +-- 40:01.0 -- f
 */
#include "unit/api/machines.h"

#define PLACES 7

struct tree {
	struct dmasim *s;
	struct pci_dev *at[PLACES];
};

static const char *const paths[PLACES] = {
	"00:01.0/00.0/00.0/00.0",
	"00:01.0/00.0/00.0/00.1",
	"00:01.0/00.0/01.0/00.0/00.0/00.0",
	"00:01.0/00.0/01.0/00.0/01.0/00.0",
	"00:01.0/00.0/02.0/00.0",
	"00:02.0/00.0",
	"40:01.0/00.0",
};

enum { A0, A1, B, C, D, E, F };

static void plant(struct tree *tree, const struct dmasim_config *config)
{
	tree->s = dmasim_create(config);
	assert_non_null(tree->s);
	for (int i = 0; i < PLACES; i++) {
		tree->at[i] = dmasim_add_endpoint(tree->s, paths[i],
						  &(struct dmasim_endpoint){ .bar = { SZ_64K } });
		assert_non_null(tree->at[i]);
	}
	for (int i = 0; i < PLACES; i++) {
		expect_ok(dma_set_mask(&tree->at[i]->dev, DMA_BIT_MASK(64)));
		expect_ok(pcim_p2pdma_init(tree->at[i]));
	}
}

/* CMocka's state is the tree, so that a failing test gives its machine back. */
static int setup(void **state)
{
	*state = calloc(1, sizeof(struct tree));
	return *state ? 0 : -1;
}

static void uproot(struct tree *tree)
{
	u64 leaks = dmasim_destroy(tree->s);

	tree->s = NULL;
	expect_u64(leaks, 0);
}

static int teardown(void **state)
{
	struct tree *tree = *state;
	u64 leaks = dmasim_destroy(tree->s);

	free(tree);
	return leaks ? -1 : 0;
}

static const struct dmasim_config vtd_acs_off = { DMASIM_CONFIG, .acs = DMASIM_ACS_OFF };
static const struct dmasim_config direct_acs_off = { DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						     .acs = DMASIM_ACS_OFF };

static struct p2pdma_provider *provider_at(struct tree *tree, int place)
{
	struct p2pdma_provider *provider = pcim_p2pdma_provider(tree->at[place], 0);

	assert_non_null(provider);
	return provider;
}

static bool redirects(struct pci_dev *pdev)
{
	u16 control;

	if (!pdev->acs_cap)
		return false;
	pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, &control);
	return control & (PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC);
}

/* Facts 8.5 in the plainest words: the two ways up as lists, and their first common member. */
static enum pci_p2pdma_map_type reference(struct pci_dev *provider, struct pci_dev *client,
					  int *distance)
{
	struct pci_dev *up[16], *down[16];
	int ups = 0, downs = 0;

	for (struct pci_dev *p = provider; p; p = pci_upstream_bridge(p))
		up[ups++] = p;
	for (struct pci_dev *p = client; p; p = pci_upstream_bridge(p))
		down[downs++] = p;
	for (int i = 0; i < ups; i++) {
		for (int k = 0; k < downs; k++) {
			bool redirected = false;

			if (up[i] != down[k])
				continue;
			for (int n = 0; n <= i; n++)
				redirected |= redirects(up[n]);
			for (int n = 0; n < k; n++)
				redirected |= redirects(down[n]);
			*distance = i + k;
			return redirected ? PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
					  : PCI_P2PDMA_MAP_BUS_ADDR;
		}
	}
	*distance = ups + downs;
	return PCI_P2PDMA_MAP_THRU_HOST_BRIDGE;
}

/* True if the request of the client, by the provider's bus address, is sent up to the root. */
static bool sent_up(struct pci_dev *provider, struct pci_dev *client)
{
	struct pci_dev *below = client;
	u16 control = 0;

	for (struct pci_dev *c = client; c; below = c, c = pci_upstream_bridge(c)) {
		for (struct pci_dev *p = provider; p; p = pci_upstream_bridge(p)) {
			if (p != c)
				continue;
			/* The port through which it comes to the common switch decides. */
			if (below->acs_cap)
				pci_read_config_word(below, below->acs_cap + PCI_ACS_CTRL,
						     &control);
			return control & PCI_ACS_RR;
		}
	}
	return true;
}

/*
 * One request as the verdict says: by bus address, or by what an MMIO mapping gives. Behind an
 * IOMMU that is an IOVA, which nobody below the root claims.
 */
static void expect_route(struct tree *tree, int provider, int client, enum pci_p2pdma_map_type type)
{
	struct pci_dev *pdev = tree->at[client];
	phys_addr_t bar = pci_resource_start(tree->at[provider], 0);
	bool direct = !dma_get_merge_boundary(&pdev->dev);
	struct dmasim_route route;
	bool root = false;
	dma_addr_t dma;

	if (type == PCI_P2PDMA_MAP_BUS_ADDR) {
		dma = pci_p2pdma_bus_addr_map(provider_at(tree, provider), bar);
		dmasim_route(pdev, dma, true, &route);
	} else {
		dma = dma_map_phys(&pdev->dev, bar, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
		expect_ok(dma_mapping_error(&pdev->dev, dma));
		dmasim_route(pdev, dma, true, &route);
		expect_both_ways(tree->s, pdev, dma, bar, 64);
		dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
		root = !direct || sent_up(tree->at[provider], pdev);
	}
	assert_false(route.refused);
	assert_true(route.in_bar);
	expect_u64(route.phys, bar);
	assert_int_equal(route.passed_root, root);
	assert_true(route.count > 0);
	expect_u64(route.hop[route.count - 1].at, tree->at[provider]->dev.id);
}

/* Requests inside one device have a test of their own, below. */
static bool one_device(int provider, int client)
{
	return provider <= A1 && client <= A1;
}

static void expect_verdicts(struct tree *tree)
{
	for (int provider = 0; provider < PLACES; provider++) {
		for (int client = 0; client < PLACES; client++) {
			struct device *dev = &tree->at[client]->dev;
			enum pci_p2pdma_map_type type;
			int distance;

			type = reference(tree->at[provider], tree->at[client], &distance);
			assert_int_equal(pci_p2pdma_map_type(provider_at(tree, provider), dev),
					 type);
			assert_int_equal(pci_p2pdma_distance(tree->at[provider], dev, false),
					 distance);
			if (provider != client && !one_device(provider, client))
				expect_route(tree, provider, client, type);
		}
	}
}

/* ---- Redirect off ---------------------------------------------------------------------------- */

static void distances_are_counted_in_hops(void **state)
{
	static const int expected[PLACES][PLACES] = {
		/*      a0 a1 b  c  d  e  f */
		[A0] = { 0, 2, 6, 6, 4, 6, 6 }, [A1] = { 2, 0, 6, 6, 4, 6, 6 },
		[B] = { 6, 6, 0, 4, 6, 8, 8 },	[C] = { 6, 6, 4, 0, 6, 8, 8 },
		[D] = { 4, 4, 6, 6, 0, 6, 6 },	[E] = { 6, 6, 8, 8, 6, 0, 4 },
		[F] = { 6, 6, 8, 8, 6, 4, 0 },
	};
	struct tree *tree = *state;

	plant(tree, &vtd_acs_off);
	for (int i = 0; i < PLACES; i++)
		for (int k = 0; k < PLACES; k++)
			assert_int_equal(pci_p2pdma_distance(tree->at[i], &tree->at[k]->dev, false),
					 expected[i][k]);
	dmasim_assert_clean(tree->s);
}

static void below_a_common_switch_the_way_is_a_bus_address(void **state)
{
	struct tree *tree = *state;

	plant(tree, &vtd_acs_off);
	for (int i = 0; i < PLACES; i++) {
		for (int k = 0; k < PLACES; k++) {
			bool common = i == k || (i < E && k < E);

			assert_int_equal(
				pci_p2pdma_map_type(provider_at(tree, i), &tree->at[k]->dev),
				common ? PCI_P2PDMA_MAP_BUS_ADDR : PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
		}
	}
	dmasim_assert_clean(tree->s);
}

static void with_redirect_off_requests_go_as_the_verdicts_say(void **state)
{
	struct tree *tree = *state;

	plant(tree, &vtd_acs_off);
	expect_verdicts(tree);
	dmasim_assert_clean(tree->s);
}

static void without_an_iommu_requests_go_as_the_verdicts_say(void **state)
{
	struct tree *tree = *state;

	plant(tree, &direct_acs_off);
	expect_verdicts(tree);
	dmasim_assert_clean(tree->s);
}

static void ports_without_acs_are_like_ports_with_redirect_off(void **state)
{
	struct tree *tree = *state;

	plant(tree, &(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_ABSENT });
	expect_verdicts(tree);
	dmasim_assert_clean(tree->s);
}

/* Functions of one device reach each other inside it; the port above never sees the request. */
static void a_request_between_functions_of_one_device_stays_below_the_root(void **state)
{
	struct tree *tree = *state;

	plant(tree, &vtd_acs_off);
	expect_route(tree, A0, A1, PCI_P2PDMA_MAP_BUS_ADDR);
	expect_route(tree, A1, A0, PCI_P2PDMA_MAP_BUS_ADDR);
}

/* Facts 8.5: two endpoints on the root bus itself have no common bridge, and are 1 + 1 apart. */
static void endpoints_on_the_root_bus_meet_at_the_host_bridge(void **state)
{
	struct tree *tree = *state;
	struct pci_dev *first, *second;

	tree->s = dmasim_create(&vtd_acs_off);
	first = dmasim_add_endpoint(tree->s, "00:03.0",
				    &(struct dmasim_endpoint){ .bar = { SZ_64K } });
	second = dmasim_add_endpoint(tree->s, "00:04.0",
				     &(struct dmasim_endpoint){ .bar = { SZ_64K } });
	expect_ok(pcim_p2pdma_init(first));
	assert_int_equal(pci_p2pdma_distance(first, &second->dev, false), 2);
	assert_int_equal(pci_p2pdma_distance(first, &first->dev, false), 0);
	assert_int_equal(pci_p2pdma_map_type(pcim_p2pdma_provider(first, 0), &second->dev),
			 PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
}

/* ---- Redirect on ----------------------------------------------------------------------------- */

static void isolating_ports_send_everything_through_the_host_bridge(void **state)
{
	struct tree *tree = *state;

	plant(tree, NULL);
	expect_verdicts(tree);
	dmasim_assert_clean(tree->s);
	assert_int_equal(pci_p2pdma_map_type(provider_at(tree, B), &tree->at[D]->dev),
			 PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
}

/* The nth function with an ACS capability, NULL: no more. */
static struct pci_dev *nth_with_acs(struct dmasim *s, int nth)
{
	struct pci_dev *pdev = dmasim_next_dev(s, NULL);

	for (; pdev; pdev = dmasim_next_dev(s, pdev))
		if (pdev->acs_cap && !nth--)
			return pdev;
	return NULL;
}

/* Bits that the port does not offer would not stay. */
static void set_acs(struct pci_dev *port, u16 bits)
{
	u16 control = 0;

	pci_write_config_word(port, port->acs_cap + PCI_ACS_CTRL, bits);
	pci_read_config_word(port, port->acs_cap + PCI_ACS_CTRL, &control);
	assert_int_equal(control, bits);
}

/* What is redirected below a port is for the port itself: without this it would block it. */
static void forward_upstream(struct dmasim *s)
{
	struct pci_dev *port;

	for (int nth = 0; (port = nth_with_acs(s, nth)); nth++)
		set_acs(port, PCI_ACS_UF);
}

static void check_each_port(void **state, const struct dmasim_config *config, u16 bits)
{
	struct tree *tree = *state;
	int ports = 0;

	for (;; ports++) {
		struct pci_dev *port;

		plant(tree, config);
		port = nth_with_acs(tree->s, ports);
		if (!port)
			break;
		forward_upstream(tree->s);
		set_acs(port, bits | PCI_ACS_UF);
		expect_verdicts(tree);
		uproot(tree);
	}
	/* Three root ports, and five downstream ports of two switches. */
	assert_true(ports >= 8);
}

static void request_redirect_at_each_port_in_turn(void **state)
{
	check_each_port(state, &vtd_acs_off, PCI_ACS_RR);
}

/* Without an IOMMU the address is the same either way, so it is the port that sends it up. */
static void request_redirect_at_each_port_in_turn_without_an_iommu(void **state)
{
	check_each_port(state, &direct_acs_off, PCI_ACS_RR);
}

static void completion_redirect_at_each_port_in_turn(void **state)
{
	check_each_port(state, &vtd_acs_off, PCI_ACS_CR);
}

/*
 * A driver that follows the verdict does no wrong, whatever shorter way the hardware would have
 * taken: with redirect on at the provider's port alone, a request by bus address would not be sent
 * up.
 */
static void a_mapping_as_the_verdict_says_is_never_reported(void **state)
{
	struct tree *tree = *state;
	struct pci_dev *port;
	dma_addr_t dma;

	plant(tree, &vtd_acs_off);
	port = pci_upstream_bridge(tree->at[A0]);
	pci_write_config_word(port, port->acs_cap + PCI_ACS_CTRL, PCI_ACS_RR);
	assert_int_equal(pci_p2pdma_map_type(provider_at(tree, A0), &tree->at[D]->dev),
			 PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	dma = dma_map_phys(&tree->at[D]->dev, pci_resource_start(tree->at[A0], 0), SZ_4K,
			   DMA_TO_DEVICE, DMA_ATTR_MMIO);
	dma_unmap_phys(&tree->at[D]->dev, dma, SZ_4K, DMA_TO_DEVICE, DMA_ATTR_MMIO);
	dmasim_assert_clean(tree->s);
}

/* Facts 8.5: SV, TB and UF are ignored. */
static void other_acs_bits_do_not_count(void **state)
{
	struct tree *tree = *state;

	for (int nth = 0;; nth++) {
		struct pci_dev *port;

		plant(tree, &vtd_acs_off);
		port = nth_with_acs(tree->s, nth);
		if (!port)
			break;
		set_acs(port, PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_UF);
		assert_int_equal(pci_p2pdma_map_type(provider_at(tree, A0), &tree->at[D]->dev),
				 PCI_P2PDMA_MAP_BUS_ADDR);
		assert_int_equal(pci_p2pdma_map_type(provider_at(tree, C), &tree->at[B]->dev),
				 PCI_P2PDMA_MAP_BUS_ADDR);
		uproot(tree);
	}
}

/* A root port's redirect is above where the paths meet; it matters to nobody below. */
static void redirect_above_the_common_switch_does_not_count(void **state)
{
	struct tree *tree = *state;
	struct pci_dev *root;

	plant(tree, &vtd_acs_off);
	root = dmasim_pci_dev(tree->s, "00:01.0");
	assert_non_null(root);
	pci_write_config_word(root, root->acs_cap + PCI_ACS_CTRL, PCI_ACS_RR | PCI_ACS_CR);
	assert_int_equal(pci_p2pdma_map_type(provider_at(tree, A0), &tree->at[D]->dev),
			 PCI_P2PDMA_MAP_BUS_ADDR);
	assert_int_equal(pci_p2pdma_distance(tree->at[A0], &tree->at[D]->dev, false), 4);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(TEST(distances_are_counted_in_hops), TEST(below_a_common_switch_the_way_is_a_bus_address),
	  TEST(with_redirect_off_requests_go_as_the_verdicts_say),
	  TEST(without_an_iommu_requests_go_as_the_verdicts_say),
	  TEST(ports_without_acs_are_like_ports_with_redirect_off),
	  TEST(a_request_between_functions_of_one_device_stays_below_the_root),
	  TEST(endpoints_on_the_root_bus_meet_at_the_host_bridge),
	  TEST(isolating_ports_send_everything_through_the_host_bridge),
	  TEST(request_redirect_at_each_port_in_turn),
	  TEST(request_redirect_at_each_port_in_turn_without_an_iommu),
	  TEST(completion_redirect_at_each_port_in_turn),
	  TEST(a_mapping_as_the_verdict_says_is_never_reported), TEST(other_acs_bits_do_not_count),
	  TEST(redirect_above_the_common_switch_does_not_count))
