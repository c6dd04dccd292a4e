/* SPDX-License-Identifier: MIT */
/*
 * Routes through the root complex: RAM, other ports, other host bridges, the IOMMU, interrupts; and
 * what the CPU sees.
 */
#include "yard.h"

#include <stdio.h>
#include <string.h>

static void another_root_port_is_reached_through_the_root(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;
	struct hw_target target = yard_route(yard, yard->disk, LEFT_AT + 8, true, &route);

	expect_hops(&route, "sent 05:00.0 e0000008", "up 00:02.0 e0000008", "root 05:00.0 e0000008",
		    "across 00:01.0 e0000008", "down 00:01.0 e0000008", "down 01:00.0 e0000008",
		    "down 02:00.0 e0000008", "bar 03:00.0 e0000008");
	assert_ptr_equal(target.function, yard->left);
	assert_true(target.passed_root);
}

/* CPU address 40_00000020 is bus address e0000020 below host bridge 20. */
static void below_another_host_bridge_the_address_is_its_bus_address(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;
	struct hw_target target = yard_route(yard, yard->disk, FAR_AT + 0x20, true, &route);

	expect_hops(&route, "sent 05:00.0 4000000020", "up 00:02.0 4000000020",
		    "root 05:00.0 4000000020", "forward 05:00.0 e0000020", "down 20:01.0 e0000020",
		    "bar 21:00.0 e0000020");
	assert_ptr_equal(target.function, yard->far);
	expect_u64(target.offset, 0x20);
	expect_u64(target.phys, FAR_AT + 0x20);
}

/* A request below host bridge 20 carries bus addresses: e0000000 is `far`, not `left`. */
static void bus_addresses_are_those_of_the_senders_host_bridge(void **state)
{
	const struct yard *yard = *state;
	struct hw_function *port = bench_port(
		yard->bench, &yard->root[1]->bus,
		&(struct bench_port){ 0x10, PCI_EXP_TYPE_ROOT_PORT, 0x22, 0x22, 0xfff00000, 0 });
	struct hw_function *near = bench_endpoint(yard->bench, port->secondary, 0, 0, SZ_4K);
	struct hw_route route;
	struct hw_target target = yard_route(yard, near, FAR_BUS_AT + 0x40, true, &route);

	assert_ptr_equal(target.function, yard->far);
	expect_u64(target.phys, FAR_AT + 0x40);
	expect_hops(&route, "sent 22:00.0 e0000040", "up 20:02.0 e0000040", "root 22:00.0 e0000040",
		    "across 20:01.0 e0000040", "down 20:01.0 e0000040", "bar 21:00.0 e0000040");
	/* DISK_AT lies inside [e0000000, e0ffffff]: of its own host bridge, where nobody has it. */
	assert_int_equal(yard_route(yard, near, DISK_AT, true, NULL).kind, HW_TARGET_UNSUPPORTED);
}

static void without_forwarding_a_request_for_a_bar_is_unsupported(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;

	yard->root[0]->forwards = HW_FORWARDS_NONE;
	assert_int_equal(yard_route(yard, yard->disk, LEFT_AT, true, &route).kind,
			 HW_TARGET_UNSUPPORTED);
	expect_hops(&route, "sent 05:00.0 e0000000", "up 00:02.0 e0000000", "root 05:00.0 e0000000",
		    "unsupported 05:00.0 e0000000");
	assert_int_equal(yard_route(yard, yard->disk, FAR_AT, true, NULL).kind,
			 HW_TARGET_UNSUPPORTED);
	/* RAM is reached as ever, and so is a peer below the switch. */
	assert_int_equal(yard_route(yard, yard->disk, 0x1000, true, NULL).kind, HW_TARGET_RAM);
	assert_int_equal(yard_route(yard, yard->left, RIGHT_AT, true, NULL).kind, HW_TARGET_BAR);
}

static void what_nobody_has_is_unsupported(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;

	assert_int_equal(yard_route(yard, yard->disk, 0x9000000000ULL, true, &route).kind,
			 HW_TARGET_UNSUPPORTED);
	expect_hops(&route, "sent 05:00.0 9000000000", "up 00:02.0 9000000000",
		    "root 05:00.0 9000000000", "unsupported 05:00.0 9000000000");
	/* In the window of host bridge 00, behind no port. */
	assert_int_equal(yard_route(yard, yard->disk, 0xe0f00000, true, NULL).kind,
			 HW_TARGET_UNSUPPORTED);
}

static void memory_adopted_from_the_program_is_reached_to_the_byte(void **state)
{
	const struct yard *yard = *state;
	phys_addr_t at = (1ULL << 51) + 0x123;
	struct hw_target target;
	u8 mine[100];

	expect_ok(ram_adopt(&yard->hw->ram, at, mine, sizeof(mine)));
	target = yard_route(yard, yard->disk, at + 10, true, NULL);
	assert_int_equal(target.kind, HW_TARGET_RAM);
	expect_u64(target.run_bytes, 90);
	assert_int_equal(yard_route(yard, yard->disk, at + 100, true, NULL).kind,
			 HW_TARGET_UNSUPPORTED);
	ram_unadopt(&yard->hw->ram, at);
}

/* ---- Interrupts ------------------------------------------------------------------------------ */

static void a_write_to_the_interrupt_window_is_a_message(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;
	struct hw_target target = yard_route(yard, yard->left, 0xfee01004, true, &route);

	assert_int_equal(target.kind, HW_TARGET_INTERRUPT);
	expect_hops(&route, "sent 03:00.0 fee01004", "up 02:00.0 fee01004", "up 01:00.0 fee01004",
		    "up 00:01.0 fee01004", "root 03:00.0 fee01004", "interrupt 03:00.0 fee01004");
	assert_int_equal(yard_route(yard, yard->left, 0xfee00000, true, NULL).kind,
			 HW_TARGET_INTERRUPT);
	assert_int_equal(yard_route(yard, yard->left, 0xfeeffffc, true, NULL).kind,
			 HW_TARGET_INTERRUPT);
	assert_int_equal(yard_route(yard, yard->left, 0xfedffffc, true, NULL).kind,
			 HW_TARGET_UNSUPPORTED);
	assert_int_equal(yard_route(yard, yard->left, 0xfef00000, true, NULL).kind,
			 HW_TARGET_UNSUPPORTED);
}

static void the_interrupt_window_cannot_be_read(void **state)
{
	const struct yard *yard = *state;

	assert_int_equal(yard_route(yard, yard->left, 0xfee01000, false, NULL).kind,
			 HW_TARGET_UNSUPPORTED);
}

/* Even where the tables have an entry for it. */
static void the_interrupt_window_is_never_translated(void **state)
{
	struct yard *yard = *state;
	struct hw_target target;

	yard_iommu(yard);
	yard_map(yard, 0xfee01000, 0x5000, ENTRY_RW);
	target = yard_route(yard, yard->left, 0xfee01000, true, NULL);
	assert_int_equal(target.kind, HW_TARGET_INTERRUPT);
	assert_null(target.iommu);
	expect_u64(yard->hw->costs.walk_reads, 0);
	assert_int_equal(yard_route(yard, yard->left, 0xfee01000, false, NULL).kind,
			 HW_TARGET_UNSUPPORTED);
}

/* Nor does a translation make one: what a function has translated itself is no message. */
static void a_translated_request_is_no_message(void **state)
{
	struct yard *yard = *state;
	struct hw_request request = { .from = yard->left, .address = 0xfee01000, .write = true };

	yard_iommu(yard);
	expect_ok(hw_context_set(yard->iommu, (u16)hw_function_sbdf(yard->left),
				 (struct hw_context){ .type = HW_CONTEXT_TRANSLATE,
						      .levels = 4,
						      .domain = 1,
						      .root = yard->tables.root,
						      .device_tlb = true }));
	request.type = HW_REQUEST_TRANSLATED;
	assert_int_equal(hw_route(yard->hw, &request, NULL).kind, HW_TARGET_UNSUPPORTED);
	request.type = HW_REQUEST_TRANSLATION;
	assert_int_equal(hw_route(yard->hw, &request, NULL).kind, HW_TARGET_UNSUPPORTED);
	expect_u64(yard->hw->costs.interrupts, 0);
}

/* ---- Requester IDs --------------------------------------------------------------------------- */

/* A bridge to conventional PCI takes what comes from there for its own: bus 06, devfn 0. */
static void behind_a_bridge_to_pci_the_requester_is_its_secondary_bus(void **state)
{
	struct yard *yard = *state;
	struct hw_fault_record record;
	struct hw_target target;

	yard_iommu(yard);
	yard_map(yard, 0x12345000, 0x6000, ENTRY_RW);
	target = yard_route(yard, yard->older, 0x12345000, true, NULL);
	assert_int_equal(target.kind, HW_TARGET_FAULT);
	expect_u64(target.requester, 0x0600);
	assert_true(hw_fault_take(yard->iommu, &record));
	expect_u64(record.word[1] & 0xffff, 0x0600);
	/* The IOMMU looks at that entry, not at the one of 06:01.0. */
	expect_ok(hw_context_set(yard->iommu, 0x0608,
				 (struct hw_context){ .type = HW_CONTEXT_PASS_THROUGH }));
	assert_int_equal(yard_route(yard, yard->older, 0x12345000, true, NULL).kind,
			 HW_TARGET_FAULT);
	expect_ok(hw_context_set(yard->iommu, 0x0600, hw_context_get(yard->iommu, 0x0500)));
	target = yard_route(yard, yard->older, 0x12345000, true, NULL);
	assert_int_equal(target.kind, HW_TARGET_RAM);
	expect_u64(target.phys, 0x6000);
}

/*
 *   00:03.0 bridge to PCI -- 06:02.0 conventional bridge -- 07:01.0     seen as 06:00.0
 *   00:04.0 conventional bridge                          -- 08:01.0     seen as 00:04.0
 */
static void a_conventional_bridge_requests_under_its_own_number(void **state)
{
	struct yard *yard = *state;
	const struct bench_port inner = { 0x10, -1, 7, 7, 0xfff00000, 0 };
	const struct bench_port outer = { 0x20, -1, 8, 8, 0xfff00000, 0 };
	struct hw_function *port = bench_port(yard->bench, yard->old->bus, &inner);
	struct hw_function *deep = bench_endpoint(yard->bench, port->secondary, 0x08, 0, SZ_4K);

	port = bench_port(yard->bench, &yard->root[0]->bus, &outer);
	yard_iommu(yard);
	expect_u64(yard_route(yard, deep, 0x12345000, true, NULL).requester, 0x0600);
	deep = bench_endpoint(yard->bench, port->secondary, 0x08, 0, SZ_4K);
	expect_u64(yard_route(yard, deep, 0x12345000, true, NULL).requester, 0x0020);
	expect_u64(yard_route(yard, yard->left, 0x12345000, true, NULL).requester, 0x0300);
}

/* ---- The IOMMU ------------------------------------------------------------------------------- */

static void at_the_root_an_iova_becomes_an_address_in_ram(void **state)
{
	struct yard *yard = *state;
	struct hw_route route;
	struct hw_target target;

	yard_iommu(yard);
	yard_map(yard, 0x12345000, 0x6000, ENTRY_RW);
	target = yard_route(yard, yard->disk, 0x12345678, true, &route);
	expect_hops(&route, "sent 05:00.0 12345678", "up 00:02.0 12345678", "root 05:00.0 12345678",
		    "iommu 05:00.0 6678", "ram 05:00.0 6678");
	assert_int_equal(target.kind, HW_TARGET_RAM);
	expect_u64(target.phys, 0x6678);
	expect_u64(target.run_bytes, 0x988);
	assert_ptr_equal(target.iommu, yard->iommu);
	expect_u64(target.domain, 1);
}

static void an_iova_may_lead_to_another_devices_bar(void **state)
{
	struct yard *yard = *state;
	struct hw_route route;
	struct hw_target target;

	yard_iommu(yard);
	yard_map(yard, 0x12345000, FAR_AT + 0x3000, ENTRY_W);
	target = yard_route(yard, yard->disk, 0x12345008, true, &route);
	expect_hops(&route, "sent 05:00.0 12345008", "up 00:02.0 12345008", "root 05:00.0 12345008",
		    "iommu 05:00.0 4000003008", "forward 05:00.0 e0003008", "down 20:01.0 e0003008",
		    "bar 21:00.0 e0003008");
	assert_ptr_equal(target.function, yard->far);
	expect_u64(target.offset, 0x3008);
}

/* A peer below the switch claims the address on the way: the IOMMU never sees the request. */
static void a_request_that_turns_in_the_switch_is_not_translated(void **state)
{
	struct yard *yard = *state;
	struct hw_target target;

	yard_iommu(yard);
	yard_map(yard, RIGHT_AT, 0x6000, ENTRY_RW);
	target = yard_route(yard, yard->left, RIGHT_AT, true, NULL);
	assert_int_equal(target.kind, HW_TARGET_BAR);
	assert_null(target.iommu);
	bench_set_acs(yard->down[0], PCI_ACS_RR);
	bench_set_acs(yard->root_port, PCI_ACS_UF);
	target = yard_route(yard, yard->left, RIGHT_AT, true, NULL);
	assert_int_equal(target.kind, HW_TARGET_RAM);
	expect_u64(target.phys, 0x6000);
}

static void what_the_iommu_refuses_is_recorded(void **state)
{
	struct yard *yard = *state;
	struct hw_fault_record record;
	struct hw_route route;
	struct hw_target target;

	yard_iommu(yard);
	/* Nobody wants a trace: the record is written all the same. */
	yard->bench->world.trace.on = false;
	target = yard_route(yard, yard->left, 0x7123, true, &route);
	expect_hops(&route, "sent 03:00.0 7123", "up 02:00.0 7123", "up 01:00.0 7123",
		    "up 00:01.0 7123", "root 03:00.0 7123", "fault 03:00.0 7123");
	assert_int_equal(target.kind, HW_TARGET_FAULT);
	expect_u64(target.fault, 5);
	expect_u64(target.phys, RAM_NO_PHYS);
	assert_true(hw_fault_take(yard->iommu, &record));
	expect_u64(record.word[0], 0x7000);
	expect_u64(record.word[1], 1ULL << 63 | 5ULL << 32 | 0x0300);
	assert_false(hw_fault_take(yard->iommu, &record));
}

static void a_translation_to_where_nothing_is_is_unsupported(void **state)
{
	struct yard *yard = *state;
	struct hw_target target;

	yard_iommu(yard);
	yard_map(yard, 0x12345000, SZ_1G, ENTRY_RW);
	target = yard_route(yard, yard->disk, 0x12345000, true, NULL);
	assert_int_equal(target.kind, HW_TARGET_UNSUPPORTED);
	assert_ptr_equal(target.iommu, yard->iommu);
	expect_u64(yard->iommu->faults_total, 0);
}

static void a_probe_leaves_no_trace(void **state)
{
	struct yard *yard = *state;
	struct hw_request request = { .from = yard->disk, .probe = true };
	struct hw_costs before = yard->hw->costs;
	struct hw_route route;
	u64 lines = yard->bench->world.trace.lines;

	yard_iommu(yard);
	yard->hw->trace_hops = true;
	yard_map(yard, 0x12345000, 0x6000, ENTRY_R);
	request.address = 0x12345010;
	expect_u64(hw_route(yard->hw, &request, &route).phys, 0x6010);
	expect_hops(&route, "sent 05:00.0 12345010", "up 00:02.0 12345010", "root 05:00.0 12345010",
		    "iommu 05:00.0 6010", "ram 05:00.0 6010");
	request.write = true;
	assert_int_equal(hw_route(yard->hw, &request, &route).kind, HW_TARGET_FAULT);
	expect_u64(yard->iommu->faults_total, 0);
	assert_memory_equal(&before, &yard->hw->costs, sizeof(before));
	assert_null(iotlb_find(&yard->iommu->iotlb, 1, 0x12345000));
	expect_u64(yard->bench->world.trace.lines, lines);
}

static void hops_and_faults_stand_in_the_trace(void **state)
{
	struct yard *yard = *state;
	char text[1024] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");

	yard_iommu(yard);
	yard->hw->trace_hops = true;
	yard->bench->world.trace.file = file;
	yard_route(yard, yard->disk, 0x7123, false, NULL);
	yard->bench->world.trace.file = NULL;
	fclose(file);
	assert_string_equal(text, "t=0 cpu=0 hop at=0000:05:00.0 what=sent addr=0x7123\n"
				  "t=0 cpu=0 hop at=0000:00:02.0 what=up addr=0x7123\n"
				  "t=0 cpu=0 hop at=0000:05:00.0 what=root addr=0x7123\n"
				  "t=0 cpu=0 fault unit=7 dev=0000:05:00.0 dma=0x7123 reason=0x6 "
				  "dir=read\n"
				  "t=0 cpu=0 hop at=0000:05:00.0 what=fault addr=0x7123\n");
}

/* ---- The CPU's view -------------------------------------------------------------------------- */

static void the_cpu_finds_ram_and_bars(void **state)
{
	const struct yard *yard = *state;
	struct hw_target target = hw_phys_target(yard->hw, 0x1ffe);

	assert_int_equal(target.kind, HW_TARGET_RAM);
	expect_u64(target.run_bytes, 2);
	target = hw_phys_target(yard->hw, RIGHT_AT + 0x3ff0);
	assert_ptr_equal(target.function, yard->right);
	expect_u64(target.offset, 0x3ff0);
	expect_u64(target.run_bytes, 0x10);
	target = hw_phys_target(yard->hw, FAR_AT + 0xffff0);
	assert_ptr_equal(target.function, yard->far);
	expect_u64(target.offset, 0xffff0);
	expect_u64(target.phys, FAR_AT + 0xffff0);
	target = hw_phys_target(yard->hw, OLDER_AT + 1);
	assert_ptr_equal(target.function, yard->older);
	expect_u64(target.run_bytes, 255);
}

static void the_cpu_finds_nothing_elsewhere(void **state)
{
	static const phys_addr_t nowhere[] = { SZ_1G,	       0xdffff000,     RIGHT_AT + SZ_16K,
					       0xe0f00000,     OLD_AT + 0x100, FAR_AT + SZ_1M,
					       0x9000000000ULL };
	const struct yard *yard = *state;

	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		assert_int_equal(hw_phys_target(yard->hw, nowhere[i]).kind, HW_TARGET_UNSUPPORTED);
	bench_command(yard->right, 0);
	assert_int_equal(hw_phys_target(yard->hw, RIGHT_AT).kind, HW_TARGET_UNSUPPORTED);
	/* The CPU needs no forwarding between ports. */
	yard->root[0]->forwards = HW_FORWARDS_NONE;
	assert_int_equal(hw_phys_target(yard->hw, LEFT_AT).kind, HW_TARGET_BAR);
}

/* Two that claim the same: for the CPU it is the one that it is for devices. */
static void of_two_that_claim_an_address_the_cpu_meets_the_first(void **state)
{
	const struct yard *yard = *state;

	bench_set_bar(yard->older, 0, OLD_AT);
	assert_ptr_equal(hw_phys_target(yard->hw, OLD_AT).function, yard->old);
	assert_ptr_equal(yard_route(yard, yard->disk, OLD_AT, true, NULL).function, yard->old);
}

static void a_bar_has_a_cpu_address_if_a_window_reaches_it(void **state)
{
	const struct yard *yard = *state;

	expect_u64(hw_bar_phys(yard->right, 0), RIGHT_AT);
	expect_u64(hw_bar_phys(yard->far, 0), FAR_AT);
	yard->root[1]->window_count = 0;
	expect_u64(hw_bar_phys(yard->far, 0), RAM_NO_PHYS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, yard_setup, yard_teardown)

TEST_MAIN(TEST(another_root_port_is_reached_through_the_root),
	  TEST(below_another_host_bridge_the_address_is_its_bus_address),
	  TEST(bus_addresses_are_those_of_the_senders_host_bridge),
	  TEST(without_forwarding_a_request_for_a_bar_is_unsupported),
	  TEST(what_nobody_has_is_unsupported),
	  TEST(memory_adopted_from_the_program_is_reached_to_the_byte),
	  TEST(a_write_to_the_interrupt_window_is_a_message),
	  TEST(the_interrupt_window_cannot_be_read), TEST(the_interrupt_window_is_never_translated),
	  TEST(a_translated_request_is_no_message),
	  TEST(behind_a_bridge_to_pci_the_requester_is_its_secondary_bus),
	  TEST(a_conventional_bridge_requests_under_its_own_number),
	  TEST(at_the_root_an_iova_becomes_an_address_in_ram),
	  TEST(an_iova_may_lead_to_another_devices_bar),
	  TEST(a_request_that_turns_in_the_switch_is_not_translated),
	  TEST(what_the_iommu_refuses_is_recorded),
	  TEST(a_translation_to_where_nothing_is_is_unsupported), TEST(a_probe_leaves_no_trace),
	  TEST(hops_and_faults_stand_in_the_trace), TEST(the_cpu_finds_ram_and_bars),
	  TEST(the_cpu_finds_nothing_elsewhere),
	  TEST(of_two_that_claim_an_address_the_cpu_meets_the_first),
	  TEST(a_bar_has_a_cpu_address_if_a_window_reaches_it))
