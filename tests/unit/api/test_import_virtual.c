/* SPDX-License-Identifier: MIT */
/*
 * Virtual functions in dumps: those that are told of are there as they were, below the physical
 * function that has enabled them; nobody is made up.
 *
 *   00:01.0 port [01, 02] -- 01:00.0 the PF, which has enabled VF 0 01:10.0 and VF 1 02:10.0
 */
#include "unit/api/dump.h"

#define VF_BARS_AT 0x4001000000ULL

/* Enabled: count of total, the first 0x80 from the physical function, stride apart. */
static struct dump_function *describe_pf(struct dump *dump, u32 count, u32 total, u32 stride)
{
	struct dump_function *port = dump_bridge(dump, "00:01.0", 0x01, 0x02), *pf;

	dump_express(port, PCI_EXP_TYPE_ROOT_PORT);
	dump_prefetch_window(port, 0x4000000000, 0x40ffffffff);
	pf = dump_endpoint(dump, "01:00.0");
	dump_bar_64(pf, 0, 0x4000000000);
	dump_extended(pf, PCI_EXT_CAP_ID_SRIOV);
	dump_put(pf, 0x100 + PCI_SRIOV_CTRL, 2, PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE);
	dump_put(pf, 0x100 + PCI_SRIOV_INITIAL_VF, 2, total);
	dump_put(pf, 0x100 + PCI_SRIOV_TOTAL_VF, 2, total);
	dump_put(pf, 0x100 + PCI_SRIOV_NUM_VF, 2, count);
	dump_put(pf, 0x100 + PCI_SRIOV_VF_OFFSET, 2, 0x80);
	dump_put(pf, 0x100 + PCI_SRIOV_VF_STRIDE, 2, stride);
	dump_put(pf, 0x100 + PCI_SRIOV_VF_DID, 2, 0xbeef);
	dump_put(pf, 0x100 + PCI_SRIOV_BAR, 8, VF_BARS_AT | PCI_BASE_ADDRESS_MEM_TYPE_64);
	return pf;
}

static struct dump_function *describe_vf(struct dump *dump, const char *address)
{
	struct dump_function *virtfn = dump_endpoint(dump, address);

	dump_put(virtfn, PCI_VENDOR_ID, 4, 0xffffffff);
	dump_put(virtfn, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	return virtfn;
}

/*
 * trust: what a dump tells of virtual functions is used
 * | our reading of the facts: names and ids of virtual functions
 */
static void those_that_are_told_of_are_there(void **state)
{
	struct dump *dump = *state;
	struct pci_dev *one, *two;

	describe_pf(dump, 2, 2, 0x100);
	dump_acs(describe_vf(dump, "01:10.0"), 0x1f, 0x1d);
	describe_vf(dump, "02:10.0");
	expect_ok(dump_import(dump, NULL));
	assert_string_equal(dump->error.text, "");
	one = dump_dev(dump, "01:10.0");
	two = dump_dev(dump, "02:10.0");
	expect_u64(pci_num_vf(dump_dev(dump, "01:00.0")), 2);
	assert_true(one->is_virtfn && two->is_virtfn);
	assert_ptr_equal(two->physfn, dump_dev(dump, "01:00.0"));
	expect_u64(one->vendor, PCI_VENDOR_ID_INTEL);
	expect_u64(one->device, 0xbeef);
	expect_u64(one->acs_cap, 0x100);
	expect_u64(two->acs_cap, 0);
	assert_ptr_equal(pci_upstream_bridge(two), dump_dev(dump, "00:01.0"));
	expect_u64(pci_resource_start(two, 0),
		   pci_resource_start(one, 0) + pci_resource_len(one, 0));
	expect_u64(pci_resource_start(one, 0), VF_BARS_AT);
	assert_true(dmasim_bar_inferred(one, 0));
}

static void they_do_dma_under_their_own_numbers(void **state)
{
	struct dump *dump = *state;
	struct dmasim_fault_record fault;
	struct pci_dev *virtfn;

	describe_pf(dump, 2, 2, 0x100);
	describe_vf(dump, "01:10.0");
	describe_vf(dump, "02:10.0");
	expect_ok(dump_import(dump, NULL));
	virtfn = dump_dev(dump, "02:10.0");
	dmasim_expect(dump->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_u64(dmasim_dev_write(virtfn, 0x1000, "x", 1).done, 0);
	assert_true(dmasim_fault_take(dump->s, &fault));
	expect_u64(fault.requester, 0x280);
}

static void one_that_is_enabled_and_not_told_of_is_not_there(void **state)
{
	struct dump *dump = *state;

	describe_pf(dump, 3, 4, 8);
	describe_vf(dump, "01:11.0");
	expect_ok(dump_import(dump, NULL));
	expect_u64(dump_count(dump), 3);
	assert_true(dump_dev(dump, "01:11.0")->is_virtfn);
	assert_null(dmasim_pci_dev(dump->s, "01:10.0"));
	assert_string_equal(dump->error.text, "2 virtual functions of 0000:01:00.0 ...: enabled, "
					      "but not told of, so not there");
}

static void software_can_enable_what_a_dump_has_off(void **state)
{
	struct dump *dump = *state;
	struct dump_function *pf = describe_pf(dump, 0, 4, 0x40);
	struct pci_dev *pdev;

	dump_put(pf, 0x100 + PCI_SRIOV_CTRL, 2, 0);
	expect_ok(dump_import(dump, NULL));
	expect_u64(dump_count(dump), 2);
	pdev = dump_dev(dump, "01:00.0");
	expect_ok(pci_enable_sriov(pdev, 4));
	expect_u64(dump_count(dump), 6);
	expect_u64(pci_resource_start(dump_dev(dump, "02:08.0"), 0),
		   VF_BARS_AT + 3 * pci_resource_len(dump_dev(dump, "01:10.0"), 0));
}

static void software_can_have_others_than_the_dump(void **state)
{
	struct dump *dump = *state;

	describe_pf(dump, 1, 4, 8);
	dump_acs(describe_vf(dump, "01:10.0"), 0x1f, 0x1d);
	expect_ok(dump_import(dump, NULL));
	pci_disable_sriov(dump_dev(dump, "01:00.0"));
	expect_u64(dump_count(dump), 2);
	expect_ok(pci_enable_sriov(dump_dev(dump, "01:00.0"), 4));
	expect_u64(dump_count(dump), 6);
}

/* Text names them as the kernel does, with its numbers and the BARs that it knows. */
static void one_with_ordinary_registers_is_one_all_the_same(void **state)
{
	struct dump *dump = *state;
	struct dump_function *virtfn;

	describe_pf(dump, 1, 1, 0);
	virtfn = dump_endpoint(dump, "01:10.0");
	dump_bar_64(virtfn, 0, VF_BARS_AT);
	expect_ok(dump_import(dump, NULL));
	assert_true(dump_dev(dump, "01:10.0")->is_virtfn);
	expect_u64(pci_resource_start(dump_dev(dump, "01:10.0"), 0), VF_BARS_AT);
	assert_string_equal(dump->error.text, "");
}

/* Another vendor's, a bridge: what sits at a number of theirs and cannot be one. */
static void what_cannot_be_one_is_none(void **state)
{
	struct dump *dump = *state;

	describe_pf(dump, 2, 2, 8);
	dump_put(dump_endpoint(dump, "01:10.0"), PCI_VENDOR_ID, 2, 0x1af4);
	dump_bridge(dump, "01:11.0", 0, 0);
	expect_ok(dump_import(dump, NULL));
	assert_false(dump_dev(dump, "01:10.0")->is_virtfn);
	assert_false(dump_dev(dump, "01:11.0")->is_virtfn);
	assert_non_null(strstr(dump->error.text, "2 virtual functions of 0000:01:00.0"));
}

/* A number between two of theirs, and one past the last. */
static void only_their_numbers_are_theirs(void **state)
{
	struct dump *dump = *state;

	describe_pf(dump, 1, 4, 2);
	describe_vf(dump, "01:10.0");
	describe_vf(dump, "01:10.1");
	describe_vf(dump, "01:10.2");
	expect_ok(dump_import(dump, NULL));
	expect_u64(dump_count(dump), 3);
	assert_non_null(strstr(dump->error.text, "2 functions (0000:01:10.1 ...) left out"));
}

static void one_that_did_not_answer_is_there(void **state)
{
	struct dump *dump = *state;
	struct dump_function *virtfn;

	describe_pf(dump, 1, 1, 0);
	virtfn = describe_vf(dump, "01:10.0");
	memset(virtfn->config, 0xff, sizeof(virtfn->config));
	expect_ok(dump_import(dump, NULL));
	assert_true(dump_dev(dump, "01:10.0")->is_virtfn);
}

/* 00:02.0, and its second one at 01:02.0, where no bridge leads. */
static void on_a_root_bus_their_bus_numbers_are_the_host_bridges(void **state)
{
	struct dump *dump = *state;
	struct dump_function *pf = describe_pf(dump, 2, 2, 0xf8);

	/* As an integrated endpoint, without the port. */
	dump->function[0] = *pf;
	dump->count = 1;
	snprintf(dump->function[0].address, sizeof(pf->address), "00:02.0");
	dump_put(&dump->function[0], 0x100 + PCI_SRIOV_VF_OFFSET, 2, 0xf0);
	describe_vf(dump, "01:00.0");
	describe_vf(dump, "01:1f.0");
	expect_ok(dump_import(dump, NULL));
	expect_u64(dump_count(dump), 3);
	assert_null(pci_upstream_bridge(dump_dev(dump, "01:1f.0")));
}

static void numbers_that_the_port_does_not_have_are_an_error(void **state)
{
	struct dump *dump = *state;

	describe_pf(dump, 2, 2, 0x100);
	dump_put(&dump->function[0], PCI_SUBORDINATE_BUS, 1, 1);
	describe_vf(dump, "01:10.0");
	describe_vf(dump, "02:10.0");
	expect_error(dump_import(dump, NULL), -EINVAL);
	assert_non_null(strstr(dump->error.text, "no way leads to 0000:02:10.0"));
}

/* In groups of their own if their way up isolates: they share no slot with what they depend on. */
static void their_groups_are_their_own(void **state)
{
	struct dump *dump = *state;

	describe_pf(dump, 2, 2, 1);
	dump_acs(&dump->function[0], 0x1f, 0x1d);
	describe_vf(dump, "01:10.0");
	describe_vf(dump, "01:10.1");
	expect_ok(dump_import(dump, NULL));
	assert_int_not_equal(dmasim_group(dump_dev(dump, "01:10.0")),
			     dmasim_group(dump_dev(dump, "01:10.1")));
}

static void each_allocation_that_fails_leaves_nothing(void **state)
{
	struct dump *dump = *state;

	describe_pf(dump, 2, 2, 0x100);
	describe_vf(dump, "01:10.0");
	describe_vf(dump, "02:10.0");
	dump_import_failing(dump);
	expect_u64(dump_count(dump), 4);
}

TEST_MAIN(DUMP_TEST(those_that_are_told_of_are_there),
	  DUMP_TEST(they_do_dma_under_their_own_numbers),
	  DUMP_TEST(one_that_is_enabled_and_not_told_of_is_not_there),
	  DUMP_TEST(software_can_enable_what_a_dump_has_off),
	  DUMP_TEST(software_can_have_others_than_the_dump),
	  DUMP_TEST(one_with_ordinary_registers_is_one_all_the_same),
	  DUMP_TEST(what_cannot_be_one_is_none), DUMP_TEST(only_their_numbers_are_theirs),
	  DUMP_TEST(one_that_did_not_answer_is_there),
	  DUMP_TEST(on_a_root_bus_their_bus_numbers_are_the_host_bridges),
	  DUMP_TEST(numbers_that_the_port_does_not_have_are_an_error),
	  DUMP_TEST(their_groups_are_their_own),
	  DUMP_TEST(each_allocation_that_fails_leaves_nothing))
