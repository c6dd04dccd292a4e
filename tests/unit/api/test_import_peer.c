/* SPDX-License-Identifier: MIT */
/*
 * Import: peer-to-peer in a machine that was read from a dump, with its ACS and without.
 *
 *   00:00.0 8086:09a2, a host bridge that peers may pass
 *   00:01.0 [01-04] -- 01:00.0 [02-04] --+-- 02:00.0 [03] -- 03:00.0 NVMe
 *                                        +-- 02:01.0 [04] -- 04:00.0 GPU, 16 GiB at 0x4000000000
 *
 * Facts "dma-api" 8.5.
 */
#include "unit/api/dump.h"

#define GPU_BAR	  0x4000000000ULL
#define GPU_BYTES (16ULL * SZ_1G)
#define ISOLATING (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

static void put_windows(struct dump_function *port)
{
	dump_window(port, 0x80000000, 0x800fffff);
	dump_prefetch_window(port, GPU_BAR, GPU_BAR + GPU_BYTES - 1);
}

static void describe(struct dump *dump, u32 control)
{
	struct dump_function *port;

	dump_put(dump_device(dump, "00:00.0"), PCI_DEVICE_ID, 2, 0x09a2);
	port = dump_bridge(dump, "00:01.0", 0x01, 0x04);
	dump_express(port, PCI_EXP_TYPE_ROOT_PORT);
	/* What is for below itself goes up: a redirected request is, for it. */
	dump_acs(port, PCI_ACS_UF, PCI_ACS_UF);
	put_windows(port);
	port = dump_bridge(dump, "01:00.0", 0x02, 0x04);
	dump_express(port, PCI_EXP_TYPE_UPSTREAM);
	put_windows(port);
	port = dump_bridge(dump, "02:00.0", 0x03, 0x03);
	dump_express(port, PCI_EXP_TYPE_DOWNSTREAM);
	dump_acs(port, 0x7f, control);
	dump_window(port, 0x80000000, 0x800fffff);
	port = dump_bridge(dump, "02:01.0", 0x04, 0x04);
	dump_express(port, PCI_EXP_TYPE_DOWNSTREAM);
	dump_acs(port, 0x7f, control);
	dump_prefetch_window(port, GPU_BAR, GPU_BAR + GPU_BYTES - 1);
	dump_bar_32(dump_endpoint(dump, "03:00.0"), 0, 0x80000000);
	dump_bar_64(dump_endpoint(dump, "04:00.0"), 0, GPU_BAR);
}

static void expect_type(struct dump *dump, enum pci_p2pdma_map_type type)
{
	struct pci_dev *gpu = dump_dev(dump, "04:00.0");
	struct pci_dev *nvme = dump_dev(dump, "03:00.0");

	expect_ok(pcim_p2pdma_init(gpu));
	expect_u64(pci_resource_len(gpu, 0), GPU_BYTES);
	assert_int_equal(pci_p2pdma_map_type(pcim_p2pdma_provider(gpu, 0), &nvme->dev), type);
	assert_int_equal(pci_p2pdma_distance(gpu, &nvme->dev, false), 4);
}

static u16 control_of(struct dump *dump, const char *bdf)
{
	struct pci_dev *pdev = dump_dev(dump, bdf);
	u16 control;

	pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, &control);
	return control;
}

static void ports_that_redirect_send_peers_through_the_host_bridge(void **state)
{
	struct dump *dump = *state;
	struct dmasim_route route;

	describe(dump, ISOLATING);
	expect_ok(dump_import(dump, NULL));
	expect_type(dump, PCI_P2PDMA_MAP_THRU_HOST_BRIDGE);
	/* Nothing maps the address, so the IOMMU at the root refuses it. */
	dmasim_route(dump_dev(dump, "03:00.0"), GPU_BAR, true, &route);
	assert_true(route.passed_root);
	assert_true(route.refused);
}

static void with_acs_off_peers_meet_in_the_switch(void **state)
{
	struct dump *dump = *state;
	struct dmasim_route route;

	describe(dump, ISOLATING);
	expect_ok(dump_import(dump, &(struct dmasim_import){ .acs_off = true }));
	expect_type(dump, PCI_P2PDMA_MAP_BUS_ADDR);
	dmasim_route(dump_dev(dump, "03:00.0"), GPU_BAR, true, &route);
	assert_false(route.passed_root);
	assert_true(route.in_bar);
	expect_u64(route.hop[route.count - 1].at, dump_dev(dump, "04:00.0")->dev.id);
}

static void acs_off_clears_what_redirects_and_nothing_else(void **state)
{
	struct dump *dump = *state;

	describe(dump, 0x7f);
	expect_ok(dump_import(dump, &(struct dmasim_import){ .acs_off = true }));
	expect_u64(control_of(dump, "02:00.0"), PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_UF | PCI_ACS_DT);
	expect_u64(control_of(dump, "02:01.0"), PCI_ACS_SV | PCI_ACS_TB | PCI_ACS_UF | PCI_ACS_DT);
}

static void without_it_acs_is_as_in_the_dump(void **state)
{
	struct dump *dump = *state;

	describe(dump, 0x7f);
	expect_ok(dump_import(dump, &(struct dmasim_import){ 0 }));
	expect_u64(control_of(dump, "02:00.0"), 0x7f);
}

/* The ACS capability is not the first one, and the list goes back. */
static void acs_is_cleared_wherever_its_capability_is(void **state)
{
	struct dump *dump = *state;
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x01);

	dump_express(port, PCI_EXP_TYPE_ROOT_PORT);
	dump_extended(port, PCI_EXT_CAP_ID_REBAR);
	dump_put(port, 0x100, 4, PCI_EXT_CAP_ID_REBAR | 1 << 16 | 0xf00U << 20);
	dump_put(port, 0xf00, 4, 0x0001 | 1 << 16 | 0x200U << 20);
	dump_put(port, 0x200, 4, PCI_EXT_CAP_ID_ACS | 1 << 16);
	dump_put(port, 0x204, 4, 0x1d << 16 | 0x1f);
	expect_ok(dump_import(dump, &(struct dmasim_import){ .acs_off = true }));
	expect_u64(control_of(dump, "00:01.0"), PCI_ACS_SV | PCI_ACS_UF);
}

TEST_MAIN(DUMP_TEST(ports_that_redirect_send_peers_through_the_host_bridge),
	  DUMP_TEST(with_acs_off_peers_meet_in_the_switch),
	  DUMP_TEST(acs_off_clears_what_redirects_and_nothing_else),
	  DUMP_TEST(without_it_acs_is_as_in_the_dump),
	  DUMP_TEST(acs_is_cleared_wherever_its_capability_is))
