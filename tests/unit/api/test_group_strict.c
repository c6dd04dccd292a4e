/* SPDX-License-Identifier: MIT */
/*
 * Strict groups: who can reach whom with no IOMMU on the way, in either direction, and who sends
 * under one number. Where Linux thinks otherwise is said.
 */
#include "unit/api/groups.h"

#define UP   PCI_EXP_TYPE_UPSTREAM
#define DOWN PCI_EXP_TYPE_DOWNSTREAM

/* 1 MiB of memory for each number, below a host bridge. */
static u32 place(u32 number)
{
	return 0x80000000 + (number << 20);
}

/* An endpoint whose memory is place(number). */
static struct dump_function *with_memory(struct dump *dump, const char *address, u32 number)
{
	struct dump_function *function = dump_endpoint(dump, address);

	dump_bar_32(function, 0, place(number));
	return function;
}

/* A port that leads to what is at place(first) to place(last). */
static struct dump_function *with_window(struct dump_function *port, u32 first, u32 last)
{
	dump_window(port, place(first), place(last + 1) - 1);
	return port;
}

/*
 *   00:01.0 -- 01:00.0 --+-- 02:00.0 (first)  -- 03:00.0 memory 0
 *                        +-- 02:01.0 (second) -- 04:00.0 memory 1
 *                        +-- 02:02.0 (on)     -- 05:00.0 memory 2
 */
static void describe_switch(struct dump *dump, u32 first, u32 second)
{
	dump_id(dump_device(dump, "00:00.0"), 0x8086, 0x09a2);
	with_window(dump_root_port(dump, "00:01.0", 1, 5, ACS_ON), 0, 2);
	with_window(dump_port(dump, "01:00.0", UP, 2, 5, 0), 0, 2);
	with_window(dump_port(dump, "02:00.0", DOWN, 3, 3, first), 0, 0);
	with_window(dump_port(dump, "02:01.0", DOWN, 4, 4, second), 1, 1);
	with_window(dump_port(dump, "02:02.0", DOWN, 5, 5, ACS_ON), 2, 2);
	with_memory(dump, "03:00.0", 0);
	with_memory(dump, "04:00.0", 1);
	with_memory(dump, "05:00.0", 2);
}

/* ---- Switches ----------------------------------------------------------------------------- */

static void a_switch_that_redirects_keeps_all_apart(void **state)
{
	struct dump *dump = *state;

	describe_switch(dump, ACS_ON, ACS_ON);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:00.0 | 00:01.0 | 01:00.0 | 02:00.0 | 02:01.0 | 02:02.0 | 03:00.0 | "
			    "04:00.0 | 05:00.0");
}

/*
 * trust: strict groups join what a switch port without RR lets across (C1)
 * | our reading of the facts
 */
static void c1_one_port_without_redirection_is_enough(void **state)
{
	struct dump *dump = *state;

	describe_switch(dump, ACS_ON & ~PCI_ACS_RR, ACS_ON);
	expect_ok(dump_import(dump, NULL));
	/* The ports themselves have no memory: they are reached by nobody. */
	expect_groups(dump, "00:00.0 | 00:01.0 | 01:00.0 | 02:00.0 03:00.0 04:00.0 05:00.0 | "
			    "02:01.0 | 02:02.0");
	expect_why(dump, "03:00.0",
		   "with 0000:04:00.0: reaches it with no IOMMU on the way, past 0000:02:00.0 "
		   "(ACS without RR)");
	expect_why(dump, "05:00.0",
		   "with 0000:02:00.0: is reached with no IOMMU on the way, past 0000:02:00.0 "
		   "(ACS without RR)");
}

/* The other bits of ACS let nobody across. */
static void redirection_is_what_counts(void **state)
{
	struct dump *dump = *state;

	describe_switch(dump, PCI_ACS_RR, PCI_ACS_RR);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "02:00.0 | 02:01.0 | 03:00.0 | 04:00.0 | 05:00.0");
}

/* Memory that no way leads to is reached by nobody; what is behind a closed window neither. */
static void memory_that_is_not_there_is_not_reached(void **state)
{
	struct dump *dump = *state;

	describe_switch(dump, 0, 0);
	dump_bar_32(&dump->function[7], 0, 0);
	dump_window(&dump->function[5], 0xfff00000, 0);
	expect_ok(dump_import(dump, NULL));
	/* 03:00.0 and 04:00.0 send; 04:00.0 has no memory, and nobody leads to that of 05:00.0. */
	expect_groups(dump, "02:00.0 | 02:01.0 03:00.0 04:00.0 | 05:00.0 | 02:02.0");
}

/*
 * trust: an egress control vector decides for each port, with RR and without
 * | our reading of the facts
 */
static void a_vector_decides_for_each_port(void **state)
{
	struct dump *dump = *state;

	describe_switch(dump, ACS_ON | PCI_ACS_EC, ACS_ON);
	/* Ports number 1, 2 and 3; 02:00.0 may not go to number 2. */
	for (u32 port = 3; port <= 5; port++)
		dump_put(&dump->function[port], 0x40 + PCI_EXP_LNKCAP, 4, (port - 2) << 24);
	dump_put(&dump->function[3], PCI_EXT_CAP_START + PCI_ACS_CAP, 2, ACS_ALL | 8 << 8);
	dump_put(&dump->function[3], PCI_EXT_CAP_START + PCI_ACS_EGRESS_CTL_V, 4, 1 << 2);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "02:00.0 03:00.0 05:00.0 | 02:01.0 | 04:00.0 | 02:02.0");
}

/* ---- Functions of one device -------------------------------------------------------------- */

static void describe_slot(struct dump *dump, u32 first, u32 second, bool second_has_memory)
{
	dump_device(dump, "00:00.0");
	dump_acs(dump_multi(dump_device(dump, "00:1f.0")), ACS_ALL, first);
	dump_express(&dump->function[1], PCI_EXP_TYPE_RC_END);
	dump_acs(dump_device(dump, "00:1f.6"), ACS_ALL, second);
	dump_express(&dump->function[2], PCI_EXP_TYPE_RC_END);
	dump->function[1].bytes = dump->function[2].bytes = PCI_CFG_SPACE_EXP_SIZE;
	if (second_has_memory)
		dump_bar_32(&dump->function[2], 0, place(6));
	dump_bar_32(dump_device(dump, "00:04.0"), 0, place(4));
}

/*
 * trust: strict groups join a function with the one that reaches it, one direction is enough (C2)
 * | our reading of the facts
 */
static void c2_the_function_without_acs_reaches_the_one_with(void **state)
{
	struct dump *dump = *state;

	describe_slot(dump, 0, ACS_ON, true);
	expect_ok(dump_import(dump, NULL));
	/* Another slot of the root complex is reached through the IOMMU. */
	expect_groups(dump, "00:1f.0 00:1f.6 | 00:04.0 | 00:00.0");
}

/* The other way round there is no memory to reach. */
static void a_function_without_memory_is_not_reached(void **state)
{
	struct dump *dump = *state;

	describe_slot(dump, 0, ACS_ON, false);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:1f.0 | 00:1f.6");
}

static void functions_that_redirect_are_apart(void **state)
{
	struct dump *dump = *state;

	describe_slot(dump, ACS_ON, ACS_ON, true);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:1f.0 | 00:1f.6");
}

/* Intel's word for its root complex endpoints is not asked for: the registers say no. */
static void tables_of_ids_do_not_count(void **state)
{
	struct dump *dump = *state;

	dump_express(dump_multi(dump_device(dump, "00:14.0")), PCI_EXP_TYPE_RC_END);
	dump_express(dump_device(dump, "00:14.3"), PCI_EXP_TYPE_RC_END);
	dump_bar_32(&dump->function[0], 0, place(0));
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:14.0 00:14.3");
}

/* ---- Root ports --------------------------------------------------------------------------- */

static void describe_root_ports(struct dump *dump, u32 host, u32 first)
{
	dump_id(dump_device(dump, "00:00.0"), 0x8086, host);
	with_window(dump_root_port(dump, "00:01.0", 1, 1, first), 0, 0);
	with_window(dump_root_port(dump, "00:02.0", 2, 2, ACS_ON), 1, 1);
	with_memory(dump, "01:00.0", 0);
	with_memory(dump, "02:00.0", 1);
}

/*
 * trust: a root port without RR lets across where the root complex forwards
 * | our reading of the facts
 */
static void root_ports_let_across_where_the_root_complex_forwards(void **state)
{
	struct dump *dump = *state;

	describe_root_ports(dump, 0x2f00, 0);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:00.0 | 00:01.0 01:00.0 02:00.0 | 00:02.0");
}

static void a_root_complex_that_is_not_listed_forwards_nothing(void **state)
{
	struct dump *dump = *state;

	describe_root_ports(dump, 0x1234, 0);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 | 02:00.0 | 00:02.0");
}

static void a_root_port_that_redirects_asks_the_iommu(void **state)
{
	struct dump *dump = *state;

	describe_root_ports(dump, 0x2f00, PCI_ACS_RR);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 | 02:00.0 | 00:02.0");
}

/* ---- Conventional PCI, and numbers -------------------------------------------------------- */

/* The number is that of 02:00.0, which the bridge itself does not use. */
static void a_conventional_bus_is_shared(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 2, ACS_ON);
	dump_express(dump_bridge(dump, "01:00.0", 2, 2), PCI_EXP_TYPE_PCI_BRIDGE);
	dump_device(dump, "02:04.0");
	dump_device(dump, "02:05.0");
	dump_bridge(dump, "00:02.0", 3, 3);
	dump_device(dump, "03:00.0");
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 | 02:04.0 02:05.0 | 00:02.0 03:00.0");
	expect_why(dump, "02:04.0", "with 0000:02:05.0: their requests both bear 02:00.0");
}

static void numbers_of_others_join_them(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 1, ACS_ON);
	dump_acs(dump_id(dump_multi(dump_endpoint(dump, "01:00.0")), 0x1b4b, 0x9230), ACS_ALL,
		 ACS_ON);
	dump_acs(dump_endpoint(dump, "01:00.1"), ACS_ALL, ACS_ON);
	dump_acs(dump_endpoint(dump, "01:00.2"), ACS_ALL, ACS_ON);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 01:00.1 | 01:00.2");
}

/* Numbers are given in order of the first member, as in Linux's policy. */
static void strict_groups_share_a_domain(void **state)
{
	struct dump *dump = *state;

	describe_switch(dump, 0, 0);
	expect_ok(dump_import(dump, NULL));
	assert_int_equal(group_at(dump, "00:00.0"), 0);
	assert_int_equal(group_at(dump, "00:01.0"), 1);
	assert_int_equal(group_at(dump, "01:00.0"), 2);
	assert_int_equal(group_at(dump, "03:00.0"), 3);
	assert_ptr_equal(dump_dev(dump, "03:00.0")->dev.iommu_group,
			 dump_dev(dump, "05:00.0")->dev.iommu_group);
}

/*
 * A device that comes late joins a group that is there, and leaves it; the others stay where they
 * are. The number of a group that ended is given out again.
 */
static void virtual_functions_come_and_go(void **state)
{
	static const struct dmasim_endpoint nic = {
		.bar = { SZ_16K },
		.sriov = { .total_vfs = 8, .vf_offset = 16, .vf_bar = { SZ_16K } },
	};
	struct dump *dump = *state;
	struct pci_dev *card = dmasim_add_endpoint(dump->s, "00:01.0/00.0", &nic);
	struct pci_dev *alone = dmasim_add_endpoint(dump->s, "00:02.0/00.0", &nic);
	int group = dmasim_group(card);
	int other = dmasim_group(alone);

	for (int i = 0; i < 2; i++) {
		expect_ok(pci_enable_sriov(card, 3));
		expect_groups(dump, "01:00.0 01:02.0 01:02.1 01:02.2 | 02:00.0");
		expect_ok(pci_enable_sriov(alone, 1));
		expect_groups(dump, "01:00.0 01:02.2 | 02:00.0 02:02.0");
		assert_int_equal(dmasim_group(card), group);
		assert_int_equal(dmasim_group(alone), other);
		assert_int_equal(dmasim_group_reason(dump_dev(dump, "01:02.0")).kind,
				 DMASIM_GROUP_REACHED);
		assert_int_equal(dmasim_group_reason(card).kind, DMASIM_GROUP_APART);
		pci_disable_sriov(card);
		pci_disable_sriov(alone);
	}
	dmasim_assert_clean(dump->s);
}

TEST_MAIN(STRICT_TEST(virtual_functions_come_and_go),
	  STRICT_TEST(a_switch_that_redirects_keeps_all_apart),
	  STRICT_TEST(c1_one_port_without_redirection_is_enough),
	  STRICT_TEST(redirection_is_what_counts),
	  STRICT_TEST(memory_that_is_not_there_is_not_reached),
	  STRICT_TEST(a_vector_decides_for_each_port),
	  STRICT_TEST(c2_the_function_without_acs_reaches_the_one_with),
	  STRICT_TEST(a_function_without_memory_is_not_reached),
	  STRICT_TEST(functions_that_redirect_are_apart), STRICT_TEST(tables_of_ids_do_not_count),
	  STRICT_TEST(root_ports_let_across_where_the_root_complex_forwards),
	  STRICT_TEST(a_root_complex_that_is_not_listed_forwards_nothing),
	  STRICT_TEST(a_root_port_that_redirects_asks_the_iommu),
	  STRICT_TEST(a_conventional_bus_is_shared), STRICT_TEST(numbers_of_others_join_them),
	  STRICT_TEST(strict_groups_share_a_domain))
