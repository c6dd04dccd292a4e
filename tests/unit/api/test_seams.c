/* SPDX-License-Identifier: MIT */
/*
 * Where parts of a machine's topology meet: several domains, what is behind VMD, virtual functions
 * and devices that send under other numbers, in peer-to-peer, completions and at the IOMMU.
 */
#include "unit/api/dump.h"

#define VMD_AT	 0x80000000
#define LEFT_AT	 0x80000000
#define RIGHT_AT 0x80100000

/* ---- A switch behind VMD --------------------------------------------------------------------- */

static void describe_port(struct dump *dump, const char *at, u32 type, u32 secondary,
			  u32 subordinate, u32 first, u32 last)
{
	struct dump_function *port = dump_bridge(dump, at, secondary, subordinate);

	dump_express(port, type);
	if (type != PCI_EXP_TYPE_UPSTREAM)
		dump_acs(port, 0x1f, 0);
	dump_window(port, first, last);
}

static void describe_endpoint(struct dump *dump)
{
	struct dump_function *endpoint = dump_device(dump, "00:0e.0");

	dump_put(endpoint, PCI_DEVICE_ID, 2, 0x467f);
	dump_put(endpoint, PCI_CLASS_DEVICE, 2, 0x0104);
	dump_bar_32(endpoint, 2, VMD_AT);
}

/*
 * 10000:e0:06.0 root port [e1, e4] -- e1:00.0 upstream -- e2:00.0 downstream -- e3:00.0
 *                                                      +- e2:01.0 downstream -- e4:00.0
 */
static void describe_switch(struct dump *dump)
{
	describe_endpoint(dump);
	describe_port(dump, "10000:e0:06.0", PCI_EXP_TYPE_ROOT_PORT, 0xe1, 0xe4, LEFT_AT,
		      RIGHT_AT + SZ_1M - 1);
	describe_port(dump, "10000:e1:00.0", PCI_EXP_TYPE_UPSTREAM, 0xe2, 0xe4, LEFT_AT,
		      RIGHT_AT + SZ_1M - 1);
	describe_port(dump, "10000:e2:00.0", PCI_EXP_TYPE_DOWNSTREAM, 0xe3, 0xe3, LEFT_AT,
		      LEFT_AT + SZ_1M - 1);
	describe_port(dump, "10000:e2:01.0", PCI_EXP_TYPE_DOWNSTREAM, 0xe4, 0xe4, RIGHT_AT,
		      RIGHT_AT + SZ_1M - 1);
	dump_bar_32(dump_endpoint(dump, "10000:e3:00.0"), 0, LEFT_AT);
	dump_bar_32(dump_endpoint(dump, "10000:e4:00.0"), 0, RIGHT_AT);
}

/* trust: peers below a switch behind VMD read each other | our reading of the facts */
static void a_completion_behind_vmd_turns_at_the_switch(void **state)
{
	struct dump *dump = *state;
	struct dmasim_route route;

	describe_switch(dump);
	expect_ok(dump_import(dump, NULL));
	dmasim_route(dump_dev(dump, "10000:e3:00.0"), RIGHT_AT, false, &route);
	assert_true(route.in_bar);
	assert_ptr_equal(route.end, dump_dev(dump, "10000:e4:00.0"));
	assert_false(route.passed_root);
	assert_int_equal(route.completion, DMASIM_COMPLETION_DIRECT);
	assert_int_equal(route.back[route.back_count - 1].at,
			 dump_dev(dump, "10000:e3:00.0")->dev.id);
}

/* trust: pci=disable_acs_redir= takes the names of devices behind VMD | our reading of the facts */
static void acs_options_name_what_is_behind_vmd(void **state)
{
	struct dump *dump = *state;
	struct dmasim_config config = { DMASIM_CONFIG, .disable_acs_redir = "10000:e2:00.0",
					.config_acs = "xxx1xxx@10000:e2:01.0" };
	struct pci_dev *left, *right;
	u16 word = 0;

	expect_u64(dmasim_destroy(dump->s), 0);
	dump->s = dmasim_create(&config);
	describe_switch(dump);
	dump_put(&dump->function[3], 0x106, 2, 0x1d);
	expect_ok(dump_import(dump, NULL));
	left = dump_dev(dump, "10000:e2:00.0");
	right = dump_dev(dump, "10000:e2:01.0");
	assert_true(dmasim_group(left) >= 0);
	pci_read_config_word(left, left->acs_cap + PCI_ACS_CTRL, &word);
	expect_u64(word, PCI_ACS_SV | PCI_ACS_UF);
	pci_read_config_word(right, right->acs_cap + PCI_ACS_CTRL, &word);
	expect_u64(word, PCI_ACS_CR);
}

/* ---- Two domains with the same bus numbers --------------------------------------------------- */

/* trust: completions do not mistake another domain's bus number | our reading of the facts */
static void a_completion_leaves_a_domain_that_has_the_requesters_bus_number(void **state)
{
	struct dump *dump = *state;
	struct dmasim_config config = { DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
					.forwarding = DMASIM_FORWARDING_ALL };
	struct dmasim_route route;

	expect_u64(dmasim_destroy(dump->s), 0);
	dump->s = dmasim_create(&config);
	describe_port(dump, "0000:00:01.0", PCI_EXP_TYPE_ROOT_PORT, 1, 1, 0x90000000, 0x900fffff);
	dump_bar_32(dump_endpoint(dump, "0000:01:00.0"), 0, 0x90000000);
	describe_port(dump, "0001:00:01.0", PCI_EXP_TYPE_ROOT_PORT, 1, 1, 0x91000000, 0x910fffff);
	dump_bar_32(dump_endpoint(dump, "0001:01:00.0"), 0, 0x91000000);
	expect_ok(dump_import(dump, NULL));
	dmasim_route(dump_dev(dump, "0000:01:00.0"), 0x91000000, false, &route);
	assert_true(route.in_bar);
	assert_int_equal(route.completion, DMASIM_COMPLETION_ROOT);
	assert_int_equal(route.back[route.back_count - 1].at,
			 dump_dev(dump, "0000:01:00.0")->dev.id);
}

/* ---- Virtual functions ----------------------------------------------------------------------- */

#define VF_BARS_AT 0x92000000

static void put_sriov(struct dump_function *pf, u32 count)
{
	dump_extended(pf, PCI_EXT_CAP_ID_SRIOV);
	dump_put(pf, 0x100 + PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
	dump_put(pf, 0x100 + PCI_SRIOV_INITIAL_VF, 2, count);
	dump_put(pf, 0x100 + PCI_SRIOV_TOTAL_VF, 2, count);
	dump_put(pf, 0x100 + PCI_SRIOV_NUM_VF, 2, count);
	dump_put(pf, 0x100 + PCI_SRIOV_VF_OFFSET, 2, 8);
	dump_put(pf, 0x100 + PCI_SRIOV_VF_STRIDE, 2, 1);
	dump_put(pf, 0x100 + PCI_SRIOV_VF_DID, 2, 0xbeef);
}

static void describe_virtual(struct dump *dump, const char *address)
{
	struct dump_function *virtfn = dump_endpoint(dump, address);

	dump_put(virtfn, PCI_VENDOR_ID, 4, 0xffffffff);
	dump_put(virtfn, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
}

static void expect_arrival(struct dump *dump, struct pci_dev *pdev, dma_addr_t dma, phys_addr_t buf)
{
	char found[6];

	dma_sync_single_for_cpu(&pdev->dev, dma, SZ_4K, DMA_FROM_DEVICE);
	memset(dmasim_ptr(dump->s, buf, SZ_4K), 0, SZ_4K);
	dma_sync_single_for_device(&pdev->dev, dma, SZ_4K, DMA_FROM_DEVICE);
	expect_done(dmasim_dev_write(pdev, dma, "hello", 6), 6);
	expect_u64(dmasim_read(dump->s, buf, found, 6), 6);
	assert_string_equal(found, "hello");
}

/*
 * trust: a function that goes leaves the number that others behind VMD share
 * | our reading of the facts
 */
static void one_that_goes_leaves_the_number_that_others_use(void **state)
{
	struct dump *dump = *state;
	phys_addr_t buf = dmasim_alloc(dump->s, SZ_4K);
	struct pci_dev *pdev;
	dma_addr_t dma;

	describe_switch(dump);
	put_sriov(&dump->function[5], 2);
	describe_virtual(dump, "10000:e3:01.0");
	describe_virtual(dump, "10000:e3:01.1");
	expect_ok(dump_import(dump, NULL));
	assert_string_equal(dump->error.text, "");
	pdev = dump_dev(dump, "10000:e4:00.0");
	assert_int_equal(dmasim_group(dump_dev(dump, "10000:e3:01.1")), dmasim_group(pdev));
	dma = dma_map_phys(&pdev->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	assert_false(dma_mapping_error(&pdev->dev, dma));
	expect_arrival(dump, pdev, dma, buf);
	pci_disable_sriov(dump_dev(dump, "10000:e3:00.0"));
	assert_null(dmasim_pci_dev(dump->s, "10000:e3:01.0"));
	expect_arrival(dump, pdev, dma, buf);
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(dump->s, buf, SZ_4K);
	dmasim_assert_clean(dump->s);
}

static void each_that_cannot_come_leaves_the_number_that_others_use(void **state)
{
	struct dump *dump = *state;
	phys_addr_t buf = dmasim_alloc(dump->s, SZ_4K);
	struct pci_dev *pdev, *pf;
	dma_addr_t dma;
	u64 nth = 0;
	int err;

	describe_switch(dump);
	put_sriov(&dump->function[5], 2);
	dump_put(&dump->function[5], 0x100 + PCI_SRIOV_CTRL, 2, 0);
	expect_ok(dump_import(dump, NULL));
	pdev = dump_dev(dump, "10000:e4:00.0");
	pf = dump_dev(dump, "10000:e3:00.0");
	dma = dma_map_phys(&pdev->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	assert_false(dma_mapping_error(&pdev->dev, dma));
	do {
		dmasim_fail(dump->s, DMASIM_FAULT_ANY, ++nth);
		err = pci_enable_sriov(pf, 2);
		dmasim_fail(dump->s, DMASIM_FAULT_ANY, 0);
		expect_arrival(dump, pdev, dma, buf);
	} while (err == -ENOMEM && nth < 100);
	expect_ok(err);
	assert_true(nth > 3);
	pci_disable_sriov(pf);
	expect_arrival(dump, pdev, dma, buf);
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(dump->s, buf, SZ_4K);
	dmasim_assert_clean(dump->s);
}

/* A physical function with two virtual ones that lend memory, and a disk that has mapped it. */
struct lender {
	struct pci_dev *pf, *virtfn, *disk;
	dma_addr_t dma;
};

static struct lender lend(struct dmasim *s)
{
	static const struct dmasim_endpoint card = {
		.sriov = { .total_vfs = 2, .vf_offset = 16, .vf_bar = { SZ_16K } },
	};
	struct lender lender = {
		.pf = dmasim_add_endpoint(s, "00:01.0/00.0", &card),
		.disk = dmasim_add_endpoint(s, "00:02.0/00.0",
					    &(struct dmasim_endpoint){ .vendor = 0x8086 }),
	};

	expect_ok(pci_enable_sriov(lender.pf, 2));
	lender.virtfn = dmasim_pci_dev(s, "01:02.1");
	assert_non_null(lender.virtfn);
	expect_ok(pcim_p2pdma_init(lender.virtfn));
	lender.dma = dma_map_phys(&lender.disk->dev, pci_resource_start(lender.virtfn, 0), SZ_4K,
				  DMA_TO_DEVICE, DMA_ATTR_MMIO);
	assert_false(dma_mapping_error(&lender.disk->dev, lender.dma));
	return lender;
}

/*
 * trust: a virtual function that goes while its memory is mapped is told of
 * | our reading of the facts
 */
static void a_virtual_function_that_goes_takes_its_memory_away(void **state)
{
	struct dump *dump = *state;
	struct lender lender = lend(dump->s);
	struct dmasim_report report;

	dmasim_expect(dump->s, DMASIM_REPORT_PEER_RELEASED, 1);
	pci_disable_sriov(lender.pf);
	expect_u64(dmasim_report_count(dump->s), 1);
	assert_true(dmasim_report_get(dump->s, 0, &report));
	expect_u64(report.id, DMASIM_REPORT_PEER_RELEASED);
	expect_u64(report.dev, lender.disk->dev.id);
	expect_u64(report.dma, lender.dma);
	assert_non_null(strstr(report.text, "0000:01:02.1"));
}

/*
 * trust: VF MSE that goes off while memory of VFs is mapped is told of
 * | our reading of the facts
 */
static void what_stops_virtual_functions_from_decoding_is_told(void **state)
{
	struct dump *dump = *state;
	struct lender lender = lend(dump->s);
	u16 at = pci_find_ext_capability(lender.pf, PCI_EXT_CAP_ID_SRIOV);

	pci_write_config_word(lender.pf, at + PCI_SRIOV_CTRL,
			      PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
	expect_u64(dmasim_report_count(dump->s), 0);
	dmasim_expect(dump->s, DMASIM_REPORT_PEER_REVOKED, 1);
	pci_write_config_word(lender.pf, at + PCI_SRIOV_CTRL, PCI_SRIOV_CTRL_VFE);
	expect_u64(dmasim_report_count(dump->s), 1);
}

/* trust: ACS of virtual functions is set up when they come | our reading of the facts */
static void acs_of_virtual_functions_is_set_up(void **state)
{
	struct dump *dump = *state;
	struct dmasim_config config = { DMASIM_CONFIG, .acs_enable = true,
					.group_policy = DMASIM_GROUPS_STRICT };
	struct dump_function *pf;
	struct pci_dev *virtfn;
	u16 word = 0;

	expect_u64(dmasim_destroy(dump->s), 0);
	dump->s = dmasim_create(&config);
	describe_port(dump, "00:01.0", PCI_EXP_TYPE_ROOT_PORT, 1, 1, VF_BARS_AT,
		      VF_BARS_AT + SZ_1M - 1);
	pf = dump_endpoint(dump, "01:00.0");
	put_sriov(pf, 2);
	dump_put(pf, 0x100, 4, PCI_EXT_CAP_ID_SRIOV | 1 << 16 | 0x180U << 20);
	dump_put(pf, 0x100 + PCI_SRIOV_CTRL, 2, 0);
	dump_put(pf, 0x100 + PCI_SRIOV_NUM_VF, 2, 0);
	dump_put(pf, 0x100 + PCI_SRIOV_BAR, 4, VF_BARS_AT);
	dump_put(pf, 0x180, 4, PCI_EXT_CAP_ID_ACS | 1 << 16);
	dump_put(pf, 0x180 + PCI_ACS_CAP, 2, PCI_ACS_RR | PCI_ACS_CR);
	expect_ok(dump_import(dump, NULL));
	assert_true(dmasim_group(dump_dev(dump, "01:00.0")) >= 0);
	expect_ok(pci_enable_sriov(dump_dev(dump, "01:00.0"), 2));
	virtfn = dump_dev(dump, "01:01.0");
	assert_true(virtfn->acs_cap);
	pci_read_config_word(virtfn, virtfn->acs_cap + PCI_ACS_CTRL, &word);
	expect_u64(word, PCI_ACS_RR | PCI_ACS_CR);
	assert_int_not_equal(dmasim_group(virtfn), dmasim_group(dump_dev(dump, "01:01.1")));
}

/* ---- Other numbers --------------------------------------------------------------------------- */

static void expect_requester(struct dump *dump, const char *bdf, u16 requester)
{
	struct dmasim_fault_record fault;
	struct pci_dev *pdev = dump_dev(dump, bdf);

	dmasim_expect(dump->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_u64(dmasim_dev_write(pdev, 0x7000, "x", 1).done, 0);
	assert_true(dmasim_fault_take(dump->s, &fault));
	expect_u64(fault.requester, requester);
}

static void expect_mapping_works(struct dump *dump, const char *bdf)
{
	struct pci_dev *pdev = dump_dev(dump, bdf);
	phys_addr_t buf = dmasim_alloc(dump->s, SZ_4K);
	dma_addr_t dma = dma_map_phys(&pdev->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);

	assert_false(dma_mapping_error(&pdev->dev, dma));
	expect_arrival(dump, pdev, dma, buf);
	dma_unmap_phys(&pdev->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(dump->s, buf, SZ_4K);
}

/*
 * 00:01.0 root port -- 01:00.0 a disk controller that sends as function 1, 01:00.2 as itself
 * 00:02.0 root port -- 02:00.0 one that may send under many numbers, and does under its own
 */
static void describe_disks(struct dump *dump)
{
	describe_port(dump, "00:01.0", PCI_EXP_TYPE_ROOT_PORT, 1, 1, 0x90000000, 0x900fffff);
	dump_put(dump_endpoint(dump, "01:00.0"), PCI_VENDOR_ID, 4, 0x92301b4b);
	dump_endpoint(dump, "01:00.2");
	describe_port(dump, "00:02.0", PCI_EXP_TYPE_ROOT_PORT, 2, 2, 0x90100000, 0x901fffff);
	dump_put(dump_endpoint(dump, "02:00.0"), PCI_VENDOR_ID, 4, 0x22608086);
}

/* trust: a device that is known for another number sends under it | our reading of the facts */
static void a_device_sends_under_the_number_it_is_known_for(void **state)
{
	struct dump *dump = *state;
	struct dmasim_fault_record fault;

	describe_disks(dump);
	expect_ok(dump_import(dump, NULL));
	expect_requester(dump, "01:00.0", 0x0101);
	expect_requester(dump, "01:00.2", 0x0102);
	expect_requester(dump, "02:00.0", 0x0200);
	expect_mapping_works(dump, "01:00.0");
	assert_false(dmasim_fault_take(dump->s, &fault));
	dmasim_assert_clean(dump->s);
}

/* What is said of a device beside its number leaves that as it is known. */
static void what_firmware_says_leaves_the_known_number(void **state)
{
	static const struct dmasim_traits untrusted = { .untrusted = true };
	struct dump *dump = *state;

	describe_disks(dump);
	expect_ok(dump_import(dump, NULL));
	expect_ok(dmasim_set_traits(dump_dev(dump, "01:00.0"), &untrusted));
	expect_requester(dump, "01:00.0", 0x0101);
}

/*
 * 00:01.0 root port -- 01:00.0 bridge to PCI that lends no number -- 02:03.0
 * 00:02.0 root port -- 03:00.0 bridge that is Express in truth -- 04:03.0
 * 00:03.0 root port below which translation takes place -- 05:00.0 bridge to PCI -- 06:03.0
 */
static void bridges_lend_the_numbers_they_are_known_for(void **state)
{
	struct dump *dump = *state;
	struct dump_function *bridge;

	dump_express(dump_bridge(dump, "00:01.0", 1, 2), PCI_EXP_TYPE_ROOT_PORT);
	bridge = dump_bridge(dump, "01:00.0", 2, 2);
	dump_express(bridge, PCI_EXP_TYPE_PCI_BRIDGE);
	dump_put(bridge, PCI_VENDOR_ID, 4, 0x11501a03);
	dump_device(dump, "02:03.0");
	dump_express(dump_bridge(dump, "00:02.0", 3, 4), PCI_EXP_TYPE_ROOT_PORT);
	dump_put(dump_bridge(dump, "03:00.0", 4, 4), PCI_VENDOR_ID, 4, 0x10801b21);
	dump_device(dump, "04:03.0");
	bridge = dump_bridge(dump, "00:03.0", 5, 6);
	dump_express(bridge, PCI_EXP_TYPE_PCI_BRIDGE);
	dump_put(bridge, PCI_VENDOR_ID, 4, 0x908414e4);
	dump_express(dump_bridge(dump, "05:00.0", 6, 6), PCI_EXP_TYPE_ROOT_PORT);
	dump_device(dump, "06:03.0");
	expect_ok(dump_import(dump, NULL));
	expect_requester(dump, "02:03.0", 0x0218);
	expect_requester(dump, "04:03.0", 0x0400);
	expect_requester(dump, "06:03.0", 0x0618);
	expect_mapping_works(dump, "02:03.0");
	expect_mapping_works(dump, "04:03.0");
	expect_mapping_works(dump, "06:03.0");
}

TEST_MAIN(DUMP_TEST(a_completion_behind_vmd_turns_at_the_switch),
	  DUMP_TEST(acs_options_name_what_is_behind_vmd),
	  DUMP_TEST(a_completion_leaves_a_domain_that_has_the_requesters_bus_number),
	  DUMP_TEST(one_that_goes_leaves_the_number_that_others_use),
	  DUMP_TEST(a_virtual_function_that_goes_takes_its_memory_away),
	  DUMP_TEST(what_stops_virtual_functions_from_decoding_is_told),
	  DUMP_TEST(a_device_sends_under_the_number_it_is_known_for),
	  DUMP_TEST(what_firmware_says_leaves_the_known_number),
	  DUMP_TEST(bridges_lend_the_numbers_they_are_known_for),
	  DUMP_TEST(acs_of_virtual_functions_is_set_up),
	  DUMP_TEST(each_that_cannot_come_leaves_the_number_that_others_use))
