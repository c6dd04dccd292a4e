/* SPDX-License-Identifier: MIT */
/*
 * Routes below the root complex: across a switch, up by redirect, on a shared bus. yard.h has the
 * picture.
 */
#include "yard.h"

static void a_peer_below_the_switch_is_reached_across(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;
	struct hw_target target = yard_route(yard, yard->left, RIGHT_AT + 0x10, true, &route);

	expect_hops(&route, "sent 03:00.0 e0100010", "up 02:00.0 e0100010",
		    "across 02:01.0 e0100010", "down 02:01.0 e0100010", "bar 04:00.0 e0100010");
	assert_int_equal(target.kind, HW_TARGET_BAR);
	assert_ptr_equal(target.function, yard->right);
	expect_u64(target.bar, 0);
	expect_u64(target.offset, 0x10);
	expect_u64(target.phys, RIGHT_AT + 0x10);
	assert_false(target.passed_root);
	assert_null(target.iommu);
}

static void request_redirect_sends_it_up_and_the_root_sends_it_back(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;
	struct hw_target target;

	bench_set_acs(yard->down[0], PCI_ACS_RR);
	bench_set_acs(yard->root_port, PCI_ACS_UF);
	target = yard_route(yard, yard->left, RIGHT_AT, false, &route);
	expect_hops(&route, "sent 03:00.0 e0100000", "up 02:00.0 e0100000",
		    "redirect 02:00.0 e0100000", "up 01:00.0 e0100000", "up 00:01.0 e0100000",
		    "root 03:00.0 e0100000", "forward 03:00.0 e0100000", "down 00:01.0 e0100000",
		    "down 01:00.0 e0100000", "down 02:01.0 e0100000", "bar 04:00.0 e0100000");
	assert_int_equal(target.kind, HW_TARGET_BAR);
	assert_true(target.passed_root);
}

/* The bit counts where the request comes from, and no other bit redirects requests. */
static void only_request_redirect_of_the_senders_port_redirects(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;

	bench_set_acs(yard->down[0], PCI_ACS_SV | PCI_ACS_CR | PCI_ACS_UF);
	bench_set_acs(yard->down[1], PCI_ACS_RR);
	bench_set_acs(yard->upstream, PCI_ACS_RR);
	bench_set_acs(yard->root_port, PCI_ACS_RR | PCI_ACS_UF);
	assert_false(yard_route(yard, yard->left, RIGHT_AT, true, &route).passed_root);
	assert_int_equal(route.count, 5);
	assert_true(yard_route(yard, yard->right, LEFT_AT, true, &route).passed_root);
}

static void what_no_peer_claims_climbs_without_a_redirect(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;

	bench_set_acs(yard->down[0], PCI_ACS_RR);
	yard_route(yard, yard->left, 0x5000, true, &route);
	expect_hops(&route, "sent 03:00.0 5000", "up 02:00.0 5000", "up 01:00.0 5000",
		    "up 00:01.0 5000", "root 03:00.0 5000", "ram 03:00.0 5000");
}

/*   06:00.0 old   |--256--|
 *   06:01.0 older                 |--256--|        one page
 *                 0       100     400     500 */
static void functions_on_a_conventional_bus_hear_each_other(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;
	struct hw_target target = yard_route(yard, yard->old, OLDER_AT + 4, true, &route);

	expect_hops(&route, "sent 06:00.0 e0400404", "across 06:01.0 e0400404",
		    "bar 06:01.0 e0400404");
	assert_ptr_equal(target.function, yard->older);
	assert_false(target.passed_root);
}

static void an_answer_ends_with_a_bar_that_is_smaller_than_a_page(void **state)
{
	const struct yard *yard = *state;
	struct hw_target target = yard_route(yard, yard->disk, OLD_AT + 0x10, true, NULL);

	assert_ptr_equal(target.function, yard->old);
	expect_u64(target.run_bytes, 0xf0);
	target = yard_route(yard, yard->older, OLD_AT + 0xff, true, NULL);
	assert_ptr_equal(target.function, yard->old);
	expect_u64(target.run_bytes, 1);
}

/* Between the two BARs nobody claims; the answer holds only up to the second one. */
static void an_answer_ends_where_the_next_small_bar_begins(void **state)
{
	const struct yard *yard = *state;
	struct hw_target target = yard_route(yard, yard->disk, OLD_AT + 0x180, true, NULL);

	assert_int_equal(target.kind, HW_TARGET_UNSUPPORTED);
	expect_u64(target.run_bytes, 0x400 - 0x180);
	target = yard_route(yard, yard->disk, OLDER_AT + 0x100, true, NULL);
	assert_int_equal(target.kind, HW_TARGET_UNSUPPORTED);
	expect_u64(target.run_bytes, 0x1000 - 0x500);
}

static void an_answer_holds_for_the_rest_of_the_page(void **state)
{
	const struct yard *yard = *state;

	expect_u64(yard_route(yard, yard->left, RIGHT_AT, true, NULL).run_bytes, 0x1000);
	expect_u64(yard_route(yard, yard->left, RIGHT_AT + 0x1ffd, true, NULL).run_bytes, 3);
	expect_u64(yard_route(yard, yard->left, 0x5123, true, NULL).run_bytes, 0xedd);
}

static void a_bar_that_does_not_decode_is_not_there(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;

	bench_command(yard->right, PCI_COMMAND_MASTER);
	assert_int_equal(yard_route(yard, yard->left, RIGHT_AT, true, &route).kind,
			 HW_TARGET_UNSUPPORTED);
	expect_hops(&route, "sent 03:00.0 e0100000", "up 02:00.0 e0100000",
		    "across 02:01.0 e0100000", "down 02:01.0 e0100000",
		    "unsupported 03:00.0 e0100000");
}

/*
 * The port's window is closed, so nobody in the switch claims it; and the switch, in whose own
 * window it lies, does not pass it up.
 */
static void a_port_that_does_not_decode_claims_nothing(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;

	bench_command(yard->down[1], PCI_COMMAND_MASTER);
	assert_int_equal(yard_route(yard, yard->left, RIGHT_AT, true, &route).kind,
			 HW_TARGET_UNSUPPORTED);
	expect_hops(&route, "sent 03:00.0 e0100000", "up 02:00.0 e0100000", "up 01:00.0 e0100000",
		    "unsupported 03:00.0 e0100000");
}

/* A bridge passes up what is in none of its windows: what is, comes from the wrong side. */
static void what_lies_in_a_ports_own_window_does_not_climb_through_it(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;

	/* Nobody below the port has it. */
	assert_int_equal(yard_route(yard, yard->left, LEFT_AT + SZ_64K, true, &route).kind,
			 HW_TARGET_UNSUPPORTED);
	expect_hops(&route, "sent 03:00.0 e0010000", "up 02:00.0 e0010000",
		    "unsupported 03:00.0 e0010000");
	/* The sender's own BAR. */
	assert_int_equal(yard_route(yard, yard->left, LEFT_AT, false, &route).kind,
			 HW_TARGET_UNSUPPORTED);
	expect_hops(&route, "sent 03:00.0 e0000000", "up 02:00.0 e0000000",
		    "unsupported 03:00.0 e0000000");
	/* In the windows of the switch, behind none of its ports. */
	assert_int_equal(yard_route(yard, yard->left, 0xe0200000, true, &route).kind,
			 HW_TARGET_UNSUPPORTED);
	expect_hops(&route, "sent 03:00.0 e0200000", "up 02:00.0 e0200000", "up 01:00.0 e0200000",
		    "unsupported 03:00.0 e0200000");
	/* Redirection is for what a peer claims. */
	bench_set_acs(yard->down[0], PCI_ACS_RR);
	assert_int_equal(yard_route(yard, yard->left, 0xe0200000, true, &route).kind,
			 HW_TARGET_UNSUPPORTED);
	expect_u64(route.count, 4);
}

static void a_prefetchable_window_keeps_requests_below_as_well(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;

	hw_config_write(yard->root_port, PCI_PREF_MEMORY_BASE, 2, 0x8000);
	hw_config_write(yard->root_port, PCI_PREF_MEMORY_LIMIT, 2, 0xbff0);
	hw_config_write(yard->root_port, PCI_PREF_BASE_UPPER32, 4, 0x46);
	hw_config_write(yard->root_port, PCI_PREF_LIMIT_UPPER32, 4, 0x46);
	assert_int_equal(yard_route(yard, yard->left, 0x4680000000ULL, true, &route).kind,
			 HW_TARGET_UNSUPPORTED);
	expect_hops(&route, "sent 03:00.0 4680000000", "up 02:00.0 4680000000",
		    "up 01:00.0 4680000000", "up 00:01.0 4680000000",
		    "unsupported 03:00.0 4680000000");
	yard_route(yard, yard->left, 0x467fffffffULL, true, &route);
	assert_int_equal(route.hop[4].kind, HW_HOP_ROOT);
}

/* A function that is told to redirect: its neighbour's BAR lies in the port's own window. */
static void what_a_function_redirects_climbs_through_the_port_whose_window_has_it(void **state)
{
	const struct yard *yard = *state;
	struct hw_function *one = bench_add(
		yard->bench, yard->down[0]->secondary,
		&(struct bench_function){ .devfn = 1, .acs = PCI_ACS_RR, .bar = { { SZ_4K } } });
	struct hw_route route;

	bench_command(one, PCI_COMMAND_MASTER);
	yard_route(yard, one, LEFT_AT, true, &route);
	expect_hops(&route, "sent 03:00.1 e0000000", "across 03:00.0 e0000000",
		    "bar 03:00.0 e0000000");
	bench_set_acs(one, PCI_ACS_RR);
	bench_set_acs(yard->down[0], PCI_ACS_UF);
	bench_set_acs(yard->root_port, PCI_ACS_UF);
	assert_int_equal(yard_route(yard, one, LEFT_AT, true, &route).kind, HW_TARGET_BAR);
	expect_hops(&route, "sent 03:00.1 e0000000", "redirect 03:00.1 e0000000",
		    "up 02:00.0 e0000000", "up 01:00.0 e0000000", "up 00:01.0 e0000000",
		    "root 03:00.1 e0000000", "forward 03:00.1 e0000000", "down 00:01.0 e0000000",
		    "down 01:00.0 e0000000", "down 02:00.0 e0000000", "bar 03:00.0 e0000000");
}

/* BARs that decode nothing are nowhere, not at address 0. */
static void a_bar_that_is_off_cuts_no_answer_short(void **state)
{
	const struct yard *yard = *state;

	bench_command(yard->right, PCI_COMMAND_MASTER);
	bench_command(yard->old, PCI_COMMAND_MASTER);
	expect_u64(yard_route(yard, yard->left, 0, true, NULL).run_bytes, 0x1000);
	expect_u64(yard_route(yard, yard->older, 0, true, NULL).run_bytes, 0x1000);
}

/* Inside the windows of both ports, but of no BAR. */
static void an_address_in_a_window_that_no_bar_has_is_unsupported(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;
	struct hw_target target = yard_route(yard, yard->left, RIGHT_AT + SZ_16K, true, &route);

	assert_int_equal(target.kind, HW_TARGET_UNSUPPORTED);
	expect_u64(target.phys, RAM_NO_PHYS);
	assert_int_equal(route.hop[route.count - 1].kind, HW_HOP_UNSUPPORTED);
	assert_int_equal(route.count, 5);
}

/* Prefetchable windows claim as the others do. */
static void a_prefetchable_window_is_claimed_across_too(void **state)
{
	const struct yard *yard = *state;
	struct hw_function *wide = bench_add(
		yard->bench, yard->down[1]->secondary,
		&(struct bench_function){ .devfn = 1, .bar = { { SZ_1G, .is_64 = true } } });
	struct hw_route route;

	hw_config_write(yard->down[1], PCI_PREF_MEMORY_BASE, 2, 0x8000);
	hw_config_write(yard->down[1], PCI_PREF_MEMORY_LIMIT, 2, 0xbff0);
	hw_config_write(yard->down[1], PCI_PREF_BASE_UPPER32, 4, 0x46);
	hw_config_write(yard->down[1], PCI_PREF_LIMIT_UPPER32, 4, 0x46);
	bench_set_bar(wide, 0, 0x4680000000ULL);
	bench_command(wide, PCI_COMMAND_MEMORY);
	assert_ptr_equal(yard_route(yard, yard->left, 0x46bfffffffULL, true, &route).function,
			 wide);
	expect_hops(&route, "sent 03:00.0 46bfffffff", "up 02:00.0 46bfffffff",
		    "across 02:01.0 46bfffffff", "down 02:01.0 46bfffffff",
		    "bar 04:00.1 46bfffffff");
}

/* 66 bridges in a row: the way is cut, the answer is not. */
static void a_long_way_is_cut(void **state)
{
	const struct yard *yard = *state;
	struct hw_root *root = hw_root_add(yard->hw, 1, 0, 0xff);
	struct hw_bus *bus = &root->bus;
	struct hw_function *deep;
	struct hw_route route;

	for (u8 i = 1; i <= 66; i++)
		bus = bench_port(yard->bench, bus,
				 &(struct bench_port){ 0, PCI_EXP_TYPE_PCI_BRIDGE, i, 66,
						       0x90000000, 0x900fffff })
			      ->secondary;
	deep = bench_endpoint(yard->bench, bus, 0, 0x90000000, SZ_4K);
	assert_int_equal(yard_route(yard, deep, 0x1000, true, &route).kind, HW_TARGET_RAM);
	expect_u64(route.count, HW_HOPS_MAX);
	assert_int_equal(route.hop[HW_HOPS_MAX - 1].kind, HW_HOP_UP);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, yard_setup, yard_teardown)

TEST_MAIN(TEST(a_peer_below_the_switch_is_reached_across),
	  TEST(request_redirect_sends_it_up_and_the_root_sends_it_back),
	  TEST(only_request_redirect_of_the_senders_port_redirects),
	  TEST(what_no_peer_claims_climbs_without_a_redirect),
	  TEST(functions_on_a_conventional_bus_hear_each_other),
	  TEST(an_answer_ends_with_a_bar_that_is_smaller_than_a_page),
	  TEST(an_answer_ends_where_the_next_small_bar_begins),
	  TEST(an_answer_holds_for_the_rest_of_the_page),
	  TEST(a_bar_that_does_not_decode_is_not_there),
	  TEST(a_port_that_does_not_decode_claims_nothing),
	  TEST(an_address_in_a_window_that_no_bar_has_is_unsupported),
	  TEST(what_lies_in_a_ports_own_window_does_not_climb_through_it),
	  TEST(a_prefetchable_window_keeps_requests_below_as_well),
	  TEST(what_a_function_redirects_climbs_through_the_port_whose_window_has_it),
	  TEST(a_bar_that_is_off_cuts_no_answer_short),
	  TEST(a_prefetchable_window_is_claimed_across_too), TEST(a_long_way_is_cut))
