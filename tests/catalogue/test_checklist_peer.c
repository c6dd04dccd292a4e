/* SPDX-License-Identifier: MIT */
/*
 * The checklist: the matrix of peer-to-peer verdicts (T10). Each has its type and its distance.
 *
 *   0000:00   [listed for all]   00:01.0 -- switch -- 0: two functions of one device
 *                                                     1: a third function
 *                                00:02.0 -- beside
 *   0000:40   [listed for all, for itself, or not]   40:01.0 -- far, 40:02.0 -- farther
 */
#include "catalogue/catalogue.h"

struct peers {
	struct dmasim *s;
	struct pci_dev *one, *two, *third, *beside, *far, *farther;
	struct pci_dev *port[2]; /* of the switch */
};

static struct pci_dev *add(struct dmasim *s, const char *path)
{
	struct pci_dev *pdev =
		dmasim_add_endpoint(s, path, &(struct dmasim_endpoint){ .bar = { SZ_64K } });

	assert_non_null(pdev);
	return pdev;
}

static void make(struct peers *peers, struct dmasim_config config, u16 vendor, u16 device)
{
	struct dmasim_host_bridge host = { .bus = 0x40, .vendor = vendor, .device = device };

	peers->s = dmasim_create(&config);
	assert_non_null(peers->s);
	expect_ok(dmasim_add_host_bridge(peers->s, &host));
	peers->one = add(peers->s, "00:01.0/00.0/00.0/00.0");
	peers->two = add(peers->s, "00:01.0/00.0/00.0/00.1");
	peers->third = add(peers->s, "00:01.0/00.0/01.0/00.0");
	peers->beside = add(peers->s, "00:02.0/00.0");
	peers->far = add(peers->s, "40:01.0/00.0");
	peers->farther = add(peers->s, "40:02.0/00.0");
	peers->port[0] = pci_upstream_bridge(peers->one);
	peers->port[1] = pci_upstream_bridge(peers->third);
}

static void set_acs(struct pci_dev *pdev, u16 bits)
{
	pci_write_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, bits);
}

/* distance -1: not supported. The verdict that is remembered is the same. */
static void expect_verdict(struct pci_dev *provider, struct pci_dev *client,
			   enum pci_p2pdma_map_type type, int distance)
{
	expect_ok(pcim_p2pdma_init(provider));
	assert_int_equal(pci_p2pdma_distance(provider, &client->dev, false), distance);
	assert_int_equal(pci_p2pdma_map_type(pcim_p2pdma_provider(provider, 0), &client->dev),
			 type);
}

#define expect_bus(provider, client, distance) \
	expect_verdict(provider, client, PCI_P2PDMA_MAP_BUS_ADDR, distance)
#define expect_through(provider, client, distance) \
	expect_verdict(provider, client, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE, distance)
#define expect_none(provider, client) \
	expect_verdict(provider, client, PCI_P2PDMA_MAP_NOT_SUPPORTED, -1)

/* trust: T10: the matrix of peer-to-peer verdicts | our reading of the facts: dma-api 17 */
static void T10_distances_in_the_tree(void **state)
{
	struct peers peers;

	(void)state;
	make(&peers, (struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF }, 0, 0);
	expect_bus(peers.one, peers.one, 0);
	expect_bus(peers.one, peers.two, 2);
	expect_bus(peers.one, peers.third, 4);
	/* Devices up to the root bus on both ways: 4 and 2. */
	expect_through(peers.one, peers.beside, 6);
	expect_through(peers.beside, peers.far, 4);
	expect_through(peers.far, peers.farther, 4);
	expect_u64(dmasim_destroy(peers.s), 0);
}

static void T10_redirection_anywhere_on_the_way(void **state)
{
	static const u16 bits[] = { PCI_ACS_RR, PCI_ACS_CR, PCI_ACS_RR | PCI_ACS_CR };
	static const u16 others = PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_UF | PCI_ACS_DT;
	struct peers peers;

	(void)state;
	make(&peers, (struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF }, 0, 0);
	for (u32 i = 0; i < 3; i++) {
		/* At the client's port, at the provider's, and where two functions meet. */
		set_acs(peers.port[1], bits[i]);
		expect_through(peers.one, peers.third, 4);
		expect_through(peers.third, peers.one, 4);
		expect_bus(peers.one, peers.two, 2);
		set_acs(peers.port[1], others);
		set_acs(peers.port[0], bits[i]);
		expect_through(peers.one, peers.third, 4);
		expect_through(peers.one, peers.two, 2);
		set_acs(peers.port[0], others);
		expect_bus(peers.one, peers.third, 4);
	}
	expect_u64(dmasim_destroy(peers.s), 0);
}

static void T10_lists_of_host_bridges(void **state)
{
	struct dmasim_config amd = { DMASIM_CONFIG, .cpu = DMASIM_CPU_AMD, .cpu_family = 0x17 };
	struct dmasim_config intel = { DMASIM_CONFIG };
	struct peers peers;

	(void)state;
	make(&peers, intel, PCI_VENDOR_ID_INTEL, 0x3c00);
	expect_through(peers.far, peers.farther, 4);
	expect_none(peers.far, peers.beside);
	expect_u64(dmasim_destroy(peers.s), 0);

	make(&peers, intel, PCI_VENDOR_ID_INTEL, 0x1234);
	expect_none(peers.far, peers.farther);
	expect_none(peers.beside, peers.far);
	expect_through(peers.beside, peers.one, 6);
	expect_u64(dmasim_destroy(peers.s), 0);

	make(&peers, amd, PCI_VENDOR_ID_INTEL, 0x1234);
	expect_through(peers.far, peers.farther, 4);
	expect_through(peers.beside, peers.far, 4);
	expect_u64(dmasim_destroy(peers.s), 0);

	amd.cpu_family = 0x16;
	make(&peers, amd, PCI_VENDOR_ID_INTEL, 0x1234);
	expect_none(peers.far, peers.farther);
	expect_u64(dmasim_destroy(peers.s), 0);
}

/* The verdict is remembered, whatever ACS does, until the distance is asked for. */
static void T10_a_remembered_verdict(void **state)
{
	struct p2pdma_provider *memory;
	struct peers peers;

	(void)state;
	make(&peers, (struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF }, 0, 0);
	expect_bus(peers.one, peers.third, 4);
	set_acs(peers.port[1], PCI_ACS_RR);
	memory = pcim_p2pdma_provider(peers.one, 0);
	assert_int_equal(pci_p2pdma_map_type(memory, &peers.third->dev), PCI_P2PDMA_MAP_BUS_ADDR);
	expect_through(peers.one, peers.third, 4);
	expect_u64(dmasim_destroy(peers.s), 0);
}

TEST_MAIN(cmocka_unit_test(T10_distances_in_the_tree),
	  cmocka_unit_test(T10_redirection_anywhere_on_the_way),
	  cmocka_unit_test(T10_lists_of_host_bridges), cmocka_unit_test(T10_a_remembered_verdict))
