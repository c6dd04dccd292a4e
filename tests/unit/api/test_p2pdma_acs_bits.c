/* SPDX-License-Identifier: MIT */
/*
 * Each ACS bit by itself, at each function of a way between two peers that all offer every bit
 * (facts 8.5): RR, CR and EC redirect, the others do not.
 *
 *   00:01.0 [01-04] -- 01:00.0 [02-04] --+-- 02:00.0 [03] -- 03:00.0, the client
 *                                        +-- 02:01.0 [04] -- 04:00.0, the provider
 */
#include "unit/api/dump.h"

#define PROVIDER_BAR 0x90000000u
#define CLIENT_BAR   0x80000000u

static struct dump_function *port(struct dump *dump, const char *bdf, u32 buses, u32 type)
{
	struct dump_function *function = dump_bridge(dump, bdf, buses >> 8, buses & 0xff);

	dump_express(function, type);
	dump_acs(function, 0x7f, 0);
	return function;
}

static void describe(struct dump *dump)
{
	struct dump_function *function;

	dump_put(dump_device(dump, "00:00.0"), PCI_DEVICE_ID, 2, 0x09a2);
	dump_window(port(dump, "00:01.0", 0x0104, PCI_EXP_TYPE_ROOT_PORT), CLIENT_BAR,
		    PROVIDER_BAR + SZ_1M - 1);
	dump_window(port(dump, "01:00.0", 0x0204, PCI_EXP_TYPE_UPSTREAM), CLIENT_BAR,
		    PROVIDER_BAR + SZ_1M - 1);
	dump_window(port(dump, "02:00.0", 0x0303, PCI_EXP_TYPE_DOWNSTREAM), CLIENT_BAR,
		    CLIENT_BAR + SZ_1M - 1);
	dump_window(port(dump, "02:01.0", 0x0404, PCI_EXP_TYPE_DOWNSTREAM), PROVIDER_BAR,
		    PROVIDER_BAR + SZ_1M - 1);
	function = dump_endpoint(dump, "03:00.0");
	dump_acs(function, 0x7f, 0);
	dump_bar_32(function, 0, CLIENT_BAR);
	function = dump_endpoint(dump, "04:00.0");
	dump_acs(function, 0x7f, 0);
	dump_bar_32(function, 0, PROVIDER_BAR);
}

static void set_acs(struct pci_dev *pdev, u16 bits)
{
	u16 control = 0;

	assert_true(pdev->acs_cap != 0);
	pci_write_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, bits);
	pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, &control);
	assert_int_equal(control, bits);
}

/* Asks for the distance first: it computes anew, and the type after it is of now. */
static void expect_type(struct dump *dump, enum pci_p2pdma_map_type type)
{
	struct pci_dev *provider = dump_dev(dump, "04:00.0"), *client = dump_dev(dump, "03:00.0");

	assert_int_equal(pci_p2pdma_distance(provider, &client->dev, false), 4);
	assert_int_equal(pci_p2pdma_map_type(pcim_p2pdma_provider(provider, 0), &client->dev),
			 type);
}

/* The provider, its port and the place where the ways meet count, and the client and its port. */
static void each_bit_at_each_function(void **state)
{
	static const char *const counts[] = { "04:00.0", "02:01.0", "01:00.0", "03:00.0",
					      "02:00.0" };
	struct dump *dump = *state;

	describe(dump);
	expect_ok(dump_import(dump, NULL));
	expect_ok(pcim_p2pdma_init(dump_dev(dump, "04:00.0")));
	expect_type(dump, PCI_P2PDMA_MAP_BUS_ADDR);
	for (int i = 0; i < 5; i++) {
		struct pci_dev *pdev = dump_dev(dump, counts[i]);

		for (u16 bit = PCI_ACS_SV; bit <= PCI_ACS_DT; bit <<= 1) {
			set_acs(pdev, bit);
			expect_type(dump, bit & (PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC)
						  ? PCI_P2PDMA_MAP_THRU_HOST_BRIDGE
						  : PCI_P2PDMA_MAP_BUS_ADDR);
		}
		set_acs(pdev, 0);
	}
	expect_type(dump, PCI_P2PDMA_MAP_BUS_ADDR);
}

static void above_the_meeting_place_no_bit_counts(void **state)
{
	struct dump *dump = *state;

	describe(dump);
	expect_ok(dump_import(dump, NULL));
	expect_ok(pcim_p2pdma_init(dump_dev(dump, "04:00.0")));
	set_acs(dump_dev(dump, "00:01.0"), 0x7f);
	expect_type(dump, PCI_P2PDMA_MAP_BUS_ADDR);
}

TEST_MAIN(DUMP_TEST(each_bit_at_each_function), DUMP_TEST(above_the_meeting_place_no_bit_counts))
