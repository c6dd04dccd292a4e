/* SPDX-License-Identifier: MIT */
/*
 * Peer-to-peer verdicts are remembered for each provider and client, and never forgotten (facts
 * 8.2).
 */
#include "unit/api/machines.h"

/* The rig with redirect off: nvme reaches gpu below their common switch. */
static int setup(void **state)
{
	int err = rig_setup_acs_off(state);

	return err ? err : pcim_p2pdma_init(((struct rig *)*state)->gpu);
}

static enum pci_p2pdma_map_type type_of(struct pci_dev *provider, struct pci_dev *client)
{
	return pci_p2pdma_map_type(pcim_p2pdma_provider(provider, 0), &client->dev);
}

static void set_acs_of_port(struct pci_dev *pdev, u16 bits)
{
	struct pci_dev *port = pci_upstream_bridge(pdev);

	pci_write_config_word(port, port->acs_cap + PCI_ACS_CTRL, bits);
}

static void a_verdict_stays_after_acs_changes(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(type_of(rig->gpu, rig->nvme), PCI_P2PDMA_MAP_BUS_ADDR);
	set_acs_of_port(rig->nvme, PCI_ACS_RR);
	assert_int_equal(type_of(rig->gpu, rig->nvme), PCI_P2PDMA_MAP_BUS_ADDR);
	/* This pair was never asked about: its verdict is new. */
	expect_ok(pcim_p2pdma_init(rig->nvme));
	assert_int_equal(type_of(rig->nvme, rig->gpu), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
}

/* A distance recomputes, and overwrites what is remembered. */
static void asking_for_a_distance_renews_the_verdict(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(type_of(rig->gpu, rig->nvme), PCI_P2PDMA_MAP_BUS_ADDR);
	set_acs_of_port(rig->nvme, PCI_ACS_RR);
	assert_int_equal(pci_p2pdma_distance(rig->gpu, &rig->nvme->dev, false), 4);
	assert_int_equal(type_of(rig->gpu, rig->nvme), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	set_acs_of_port(rig->nvme, 0);
	assert_int_equal(type_of(rig->gpu, rig->nvme), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
}

/* The memory is a help only: the verdict is the same without it. */
static void a_verdict_that_cannot_be_remembered_is_right_all_the_same(void **state)
{
	struct rig *rig = *state;

	dmasim_fail(rig->s, DMASIM_FAULT_P2P_VERDICT, 1);
	assert_int_equal(type_of(rig->gpu, rig->nvme), PCI_P2PDMA_MAP_BUS_ADDR);
	expect_u64(dmasim_failures(rig->s), 1);
	set_acs_of_port(rig->nvme, PCI_ACS_RR);
	assert_int_equal(type_of(rig->gpu, rig->nvme), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
}

static void verdicts_are_remembered_for_each_client(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(type_of(rig->gpu, rig->nvme), PCI_P2PDMA_MAP_BUS_ADDR);
	assert_int_equal(type_of(rig->gpu, rig->disk), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	assert_int_equal(type_of(rig->gpu, rig->nic), PCI_P2PDMA_MAP_BUS_ADDR);
	assert_int_equal(type_of(rig->gpu, rig->nvme), PCI_P2PDMA_MAP_BUS_ADDR);
	assert_int_equal(type_of(rig->gpu, rig->disk), PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
}

/* State of the test below: a machine of its own. */
static int teardown(void **state)
{
	return dmasim_destroy(*state) ? -1 : 0;
}

static const struct dmasim_config acs_off = { DMASIM_CONFIG, .acs = DMASIM_ACS_OFF };

static void bars_of_one_device_agree(void **state)
{
	struct dmasim *s = dmasim_create(&acs_off);
	struct pci_dev *two, *client;

	*state = s;
	two = dmasim_add_endpoint(s, "00:01.0/00.0/00.0/00.0",
				  &(struct dmasim_endpoint){ .bar = { SZ_64K, 0, SZ_1M } });
	client = dmasim_add_endpoint(s, "00:01.0/00.0/01.0/00.0", &(struct dmasim_endpoint){ 0 });
	expect_ok(pcim_p2pdma_init(two));
	for (int bar = 0; bar <= 2; bar += 2)
		assert_int_equal(pci_p2pdma_map_type(pcim_p2pdma_provider(two, bar), &client->dev),
				 PCI_P2PDMA_MAP_BUS_ADDR);
}

TEST_MAIN(WITH_SETUP(a_verdict_stays_after_acs_changes, setup),
	  WITH_SETUP(asking_for_a_distance_renews_the_verdict, setup),
	  WITH_SETUP(a_verdict_that_cannot_be_remembered_is_right_all_the_same, setup),
	  WITH_SETUP(verdicts_are_remembered_for_each_client, setup),
	  cmocka_unit_test_teardown(bars_of_one_device_agree, teardown))
