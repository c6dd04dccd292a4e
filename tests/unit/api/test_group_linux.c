/* SPDX-License-Identifier: MIT */
/*
 * Linux's groups step by step (facts "dma-api" 18.1): each test has a tree in which one step
 * decides.
 */
#include "unit/api/groups.h"

/* ---- Step 1: the numbers of requests ------------------------------------------------------ */

/*
 * trust: what is behind a PCIe-to-PCI bridge shares its group, whatever isolates above
 * | our reading of the facts
 */
static void step_1_devices_behind_a_bridge_to_pci(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 2, ACS_ON);
	dump_express(dump_bridge(dump, "01:00.0", 2, 2), PCI_EXP_TYPE_PCI_BRIDGE);
	dump_device(dump, "02:04.0");
	dump_device(dump, "02:05.0");
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 02:04.0 02:05.0");
	expect_why(dump, "02:05.0", "with 0000:01:00.0: their requests both bear 02:00.0");
}

/* A bridge that leaves the numbers alone: each device is judged by the way up. */
static void step_1_a_bridge_without_alias(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 2, ACS_ON);
	dump_id(dump_bridge(dump, "01:00.0", 2, 2), 0x1a03, 0x1150);
	dump_express(&dump->function[1], PCI_EXP_TYPE_PCI_BRIDGE);
	dump_device(dump, "02:04.0");
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 02:04.0");
	/* Not by number, but as the bridge does not isolate. */
	expect_why(dump, "02:04.0",
		   "with 0000:01:00.0 above it: the way up does not isolate at 0000:01:00.0 "
		   "(a bridge to conventional PCI)");
}

/* ---- Step 2: the way up ------------------------------------------------------------------- */

/*
 *   root port (without UF) -- switch, isolating --+-- a
 *                                                 +-- b      all of it is one
 */
static void step_2_one_bridge_anywhere_above_merges_all_below(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 4, ACS_ON & ~PCI_ACS_UF);
	dump_port(dump, "01:00.0", PCI_EXP_TYPE_UPSTREAM, 2, 4, 0);
	dump_port(dump, "02:00.0", PCI_EXP_TYPE_DOWNSTREAM, 3, 3, ACS_ON);
	dump_port(dump, "02:01.0", PCI_EXP_TYPE_DOWNSTREAM, 4, 4, ACS_ON);
	dump_endpoint(dump, "03:00.0");
	dump_endpoint(dump, "04:00.0");
	dump_root_port(dump, "00:02.0", 5, 5, ACS_ON);
	dump_endpoint(dump, "05:00.0");
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 01:00.0 02:00.0 02:01.0 03:00.0 04:00.0 | 00:02.0 | 05:00.0");
	expect_why(dump, "04:00.0",
		   "with 0000:02:01.0 above it: the way up does not isolate at 0000:00:01.0 "
		   "(ACS without UF)");
	expect_why(dump, "05:00.0",
		   "begins a group: nothing before it joins it, and the way up isolates from "
		   "0000:00:02.0 (ACS is on) on");
}

/*
 * trust: with ACS off in a switch each endpoint below shares with its port, not with its peers (C1)
 * | our reading of the facts
 */
static void c1_peers_below_ports_without_acs_do_not_share(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 4, ACS_ON);
	dump_port(dump, "01:00.0", PCI_EXP_TYPE_UPSTREAM, 2, 4, 0);
	dump_port(dump, "02:00.0", PCI_EXP_TYPE_DOWNSTREAM, 3, 3, 0);
	dump_port(dump, "02:01.0", PCI_EXP_TYPE_DOWNSTREAM, 4, 4, 0);
	dump_endpoint(dump, "03:00.0");
	dump_endpoint(dump, "04:00.0");
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 | 02:00.0 03:00.0 | 02:01.0 04:00.0");
}

/* A capability bit that is 0 need not be on; EC must not be there in any case. */
static void a_capability_bit_that_is_0_is_not_required(void **state)
{
	struct dump *dump = *state;

	dump_acs(dump_root_port(dump, "00:01.0", 1, 1, 0), PCI_ACS_RR | PCI_ACS_CR,
		 PCI_ACS_RR | PCI_ACS_CR);
	dump_endpoint(dump, "01:00.0");
	dump_acs(dump_root_port(dump, "00:02.0", 2, 2, 0), 0, 0);
	dump_endpoint(dump, "02:00.0");
	dump_acs(dump_root_port(dump, "00:03.0", 3, 3, 0), PCI_ACS_RR | PCI_ACS_CR, PCI_ACS_RR);
	dump_endpoint(dump, "03:00.0");
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 | 00:02.0 | 02:00.0 | 00:03.0 03:00.0");
}

/* ---- Step 3: others on the bus with the same number --------------------------------------- */

/*
 * trust: a device that sends as function 1 of its slot is with function 1
 * | our reading of the facts
 */
static void step_3_a_device_that_sends_as_another_one(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 1, ACS_ON);
	dump_acs(dump_id(dump_multi(dump_endpoint(dump, "01:00.0")), 0x1b4b, 0x9230), ACS_ALL,
		 ACS_ON);
	dump_acs(dump_endpoint(dump, "01:00.1"), ACS_ALL, ACS_ON);
	dump_acs(dump_endpoint(dump, "01:00.2"), ACS_ALL, ACS_ON);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 01:00.1 | 01:00.2");
	expect_why(dump, "01:00.1",
		   "with 0000:01:00.0: 0000:01:00.1 and it go by each other's number");
}

/* ---- Step 4: functions of the slot -------------------------------------------------------- */

/*
 * trust: of functions of one slot those that do not isolate share, also over the alias of a third
 * | our reading of the facts
 */
static void step_4_functions_that_do_not_isolate(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 1, ACS_ON);
	dump_multi(dump_endpoint(dump, "01:00.0"));
	dump_acs(dump_endpoint(dump, "01:00.1"), ACS_ALL, ACS_ON);
	dump_acs(dump_endpoint(dump, "01:00.2"), ACS_ALL, ACS_ON & ~PCI_ACS_CR);
	dump_endpoint(dump, "01:01.0");
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 01:00.2 | 01:00.1 | 01:01.0");
	expect_why(dump, "01:00.2",
		   "with 0000:01:00.0: functions of one slot, and neither isolates: 0000:01:00.2 "
		   "(ACS without CR)");
}

/*
 * Root ports of one slot, and what is below: the deciding device's slot counts, not the device's.
 *
 *   00:1c.0 (off) -- a
 *   00:1c.1 (off) -- b
 *   00:1c.2 (on)  -- c
 */
static void step_4_root_ports_of_one_slot_join_what_is_below(void **state)
{
	struct dump *dump = *state;

	dump_multi(dump_root_port(dump, "00:1c.0", 1, 1, 0));
	dump_root_port(dump, "00:1c.1", 2, 2, PCI_ACS_RR);
	dump_root_port(dump, "00:1c.2", 3, 3, ACS_ON);
	dump_endpoint(dump, "01:00.0");
	dump_endpoint(dump, "02:00.0");
	dump_endpoint(dump, "03:00.0");
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:1c.0 00:1c.1 01:00.0 02:00.0 | 00:1c.2 | 03:00.0");
}

/*
 * Each devfn is visited once, so a search in a circle ends: every function goes by every number,
 * and no one isolates.
 */
static void steps_3_and_4_end_in_a_circle(void **state)
{
	struct dump *dump = *state;
	char bdf[16];

	dump_root_port(dump, "00:01.0", 1, 1, ACS_ON);
	for (u32 devfn = 0; devfn < 256; devfn++) {
		snprintf(bdf, sizeof(bdf), "01:%02x.%u", PCI_SLOT(devfn), PCI_FUNC(devfn));
		dump_multi(dump_id(dump_endpoint(dump, bdf), 0x10b5, 0x87b0));
	}
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 01:00.1 01:0f.7 01:1f.7");
}

/*
 * trust: X99's root ports isolate by their id alone, so a switch below does not merge (C3)
 * | a real machine's data: groups of Linux 5.8, and of 5.9, which forgot to set the ports up
 */
static void c3_x99_with_a_switch(void **state)
{
	struct dump *dump = *state;

	dump_express(dump_id(dump_multi(dump_bridge(dump, "00:1c.0", 1, 1)), 0x8086, 0x8d10),
		     PCI_EXP_TYPE_ROOT_PORT);
	dump_express(dump_id(dump_bridge(dump, "00:1c.6", 7, 13), 0x8086, 0x8d1c),
		     PCI_EXP_TYPE_ROOT_PORT);
	dump_port(dump, "07:00.0", PCI_EXP_TYPE_UPSTREAM, 8, 13, 0);
	dump_port(dump, "08:01.0", PCI_EXP_TYPE_DOWNSTREAM, 9, 9, 0);
	dump_port(dump, "08:03.0", PCI_EXP_TYPE_DOWNSTREAM, 12, 12, ACS_ON);
	dump_endpoint(dump, "09:00.0");
	dump_endpoint(dump, "0c:00.0");
	expect_ok(dump_import(dump, NULL));
	/* As 5.8 had it: the one port whose ACS is off shares with what is below. */
	expect_groups(dump, "00:1c.0 | 00:1c.6 | 07:00.0 | 08:01.0 09:00.0 | 08:03.0 | 0c:00.0");
	expect_why(dump, "07:00.0",
		   "begins a group: nothing before it joins it, and the way up isolates from "
		   "0000:00:1c.6 (quirk rule E) on");
}

/*
 * trust: asymmetric ACS in a multi-function device leaves the function that has it alone (C2)
 * | our reading of the facts
 */
static void c2_a_function_with_acs_is_alone(void **state)
{
	struct dump *dump = *state;

	dump_device(dump, "00:00.0");
	dump_multi(dump_device(dump, "00:1f.0"));
	dump_device(dump, "00:1f.2");
	dump_express(dump_device(dump, "00:1f.6"), PCI_EXP_TYPE_RC_END);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:00.0 | 00:1f.0 00:1f.2 | 00:1f.6");
}

/*
 * trust: a root complex endpoint of Intel's leaves the group of its slot
 * | a real machine's data: groups that a patch's mail gives (C12)
 */
static void c12_intels_root_complex_endpoint_is_alone(void **state)
{
	struct dump *dump = *state;

	dump_id(dump_multi(dump_device(dump, "00:14.0")), 0x8086, 0x9ded);
	dump_id(dump_device(dump, "00:14.2"), 0x8086, 0x9def);
	dump_express(dump_id(dump_device(dump, "00:14.3"), 0x8086, 0x9df0), PCI_EXP_TYPE_RC_END);
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:14.0 00:14.2 | 00:14.3");
}

/* ---- Who has a group ---------------------------------------------------------------------- */

static int setup_amd(void **state)
{
	return dump_setup_config(state,
				 &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_AMD_VI });
}

/*
 * trust: AMD's IOMMU covers neither itself nor its host bridge | a real machine's data: boot logs
 */
static void amd_covers_neither_itself_nor_its_host_bridge(void **state)
{
	struct dump *dump = *state;
	struct dump_function *host = dump_multi(dump_device(dump, "00:00.0"));
	struct dump_function *unit = dump_device(dump, "00:00.2");

	dump_put(host, PCI_CLASS_REVISION, 4, (u32)PCI_CLASS_BRIDGE_HOST << 16);
	dump_put(unit, PCI_CLASS_REVISION, 4, (u32)PCI_CLASS_SYSTEM_IOMMU << 16);
	dump_device(dump, "00:00.3");
	dump_device(dump, "00:01.0");
	expect_ok(dump_import(dump, NULL));
	assert_int_equal(dmasim_group(dump_dev(dump, "00:00.0")), -ENODEV);
	assert_int_equal(dmasim_group(dump_dev(dump, "00:00.2")), -ENODEV);
	expect_why(dump, "00:00.2", "in no group: no IOMMU takes its requests");
	expect_groups(dump, "00:00.3 | 00:01.0");
}

static int setup_none(void **state)
{
	return dump_setup_config(
		state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU });
}

static void without_an_iommu_there_are_no_groups(void **state)
{
	struct dump *dump = *state;

	dump_device(dump, "00:00.0");
	expect_ok(dump_import(dump, NULL));
	assert_int_equal(dmasim_group(dump_dev(dump, "00:00.0")), -ENODEV);
	assert_int_equal(dmasim_group_reason(dump_dev(dump, "00:00.0")).kind, DMASIM_GROUP_NONE);
}

/*
 * trust: a number that a device has twice is attached once and for all (C6)
 * | our reading of the facts
 */
static void c6_a_bridge_whose_alias_is_the_devices_own_number(void **state)
{
	struct dump *dump = *state;

	dump_root_port(dump, "00:01.0", 1, 2, ACS_ON);
	dump_express(dump_bridge(dump, "01:00.0", 2, 2), PCI_EXP_TYPE_PCI_BRIDGE);
	dump_device(dump, "02:00.0");
	dump_device(dump, "02:01.0");
	expect_ok(dump_import(dump, NULL));
	expect_groups(dump, "00:01.0 | 01:00.0 02:00.0 02:01.0");
	expect_dma(dump, "02:00.0");
}

TEST_MAIN(DUMP_TEST(step_1_devices_behind_a_bridge_to_pci),
	  DUMP_TEST(step_1_a_bridge_without_alias),
	  DUMP_TEST(step_2_one_bridge_anywhere_above_merges_all_below),
	  DUMP_TEST(c1_peers_below_ports_without_acs_do_not_share),
	  DUMP_TEST(a_capability_bit_that_is_0_is_not_required),
	  DUMP_TEST(step_3_a_device_that_sends_as_another_one),
	  DUMP_TEST(step_4_functions_that_do_not_isolate),
	  DUMP_TEST(step_4_root_ports_of_one_slot_join_what_is_below),
	  DUMP_TEST(steps_3_and_4_end_in_a_circle), DUMP_TEST(c3_x99_with_a_switch),
	  DUMP_TEST(c2_a_function_with_acs_is_alone),
	  DUMP_TEST(c12_intels_root_complex_endpoint_is_alone),
	  cmocka_unit_test_setup_teardown(amd_covers_neither_itself_nor_its_host_bridge, setup_amd,
					  dump_teardown),
	  cmocka_unit_test_setup_teardown(without_an_iommu_there_are_no_groups, setup_none,
					  dump_teardown),
	  DUMP_TEST(c6_a_bridge_whose_alias_is_the_devices_own_number))
