/* SPDX-License-Identifier: MIT */
/*
 * ACS bit by bit: what a port or a function does with a request, against the rules in the plainest
 * words; completions; host bridges. yard.h has the picture.
 */
#include "yard.h"

#include "hw/acs.h"

static struct hw_function *other(const struct yard *yard)
{
	struct hw_function *one = bench_add(
		yard->bench, yard->down[0]->secondary,
		&(struct bench_function){ .devfn = 1, .acs = 0x7f, .bar = { { SZ_4K } } });

	bench_command(one, PCI_COMMAND_MASTER);
	return one;
}

/* A port of the switch that has all of ACS, in the place of down[0]'s. */
static void offer_all(struct hw_function *function)
{
	function->config[BENCH_ACS_AT + PCI_ACS_CAP] = 0x7f;
	hw_config_write(function, BENCH_ACS_AT + PCI_ACS_CTRL, 2, 0);
}

static void put_port_number(struct hw_function *port, u8 number)
{
	port->config[BENCH_EXPRESS_AT + PCI_EXP_LNKCAP + 3] = number;
}

/* ---- One port, every control word ------------------------------------------------------------ */

enum outcome { DIRECTLY, UP, BLOCKED };

struct asked {
	u8 bits;
	bool forbidden; /* by the vector */
	bool forged;	/* with a bus that is not below the port */
	bool translated;
};

/* The rules, one sentence each, in the order in which they count. */
static enum outcome rules(struct asked asked)
{
	if (asked.bits & PCI_ACS_TB && asked.translated)
		return BLOCKED;
	if (asked.bits & PCI_ACS_SV && asked.forged)
		return BLOCKED;
	if (asked.bits & PCI_ACS_DT && asked.translated)
		return DIRECTLY;
	if (asked.bits & PCI_ACS_EC && !asked.forbidden)
		return DIRECTLY;
	if (asked.bits & PCI_ACS_EC && !(asked.bits & PCI_ACS_RR))
		return BLOCKED;
	return asked.bits & PCI_ACS_RR ? UP : DIRECTLY;
}

static struct hw_target send(const struct yard *yard, struct asked asked, struct hw_route *route)
{
	struct hw_request request = {
		.from = yard->left,
		.address = RIGHT_AT,
		.write = true,
		.forged = asked.forged,
		.requester = 0x0700,
		.type = asked.translated ? HW_REQUEST_TRANSLATED : HW_REQUEST_UNTRANSLATED,
	};

	return hw_route(yard->hw, &request, route);
}

/*
 * trust: what a switch's port does with each control word
 * | our reading of the facts: PCI Express Base 5.0, 6.12
 */
static void a_port_does_as_each_control_word_says(void **state)
{
	const struct yard *yard = *state;
	u32 seen[3] = { 0 };

	offer_all(yard->down[0]);
	put_port_number(yard->down[1], 5);
	bench_set_acs(yard->root_port, PCI_ACS_UF);
	for (u32 word = 0; word < 0x80 * 8; word++) {
		struct asked asked = { (u8)(word & 0x7f), word & 0x80, word & 0x100, word & 0x200 };
		enum outcome expected = rules(asked);
		struct hw_target target;
		struct hw_route route;

		bench_set_acs(yard->down[0], asked.bits);
		hw_config_write(yard->down[0], BENCH_ACS_AT + PCI_ACS_EGRESS_CTL_V, 4,
				asked.forbidden ? 1U << 5 : ~(1U << 5));
		target = send(yard, asked, &route);
		seen[expected]++;
		expect_u64(target.kind == HW_TARGET_BLOCKED, expected == BLOCKED);
		if (expected == BLOCKED) {
			assert_ptr_equal(target.function, yard->down[0]);
			assert_true(asked.bits & hw_why_bit(target.why));
			continue;
		}
		assert_ptr_equal(target.function, yard->right);
		expect_u64(target.passed_root, expected == UP);
	}
	assert_true(seen[DIRECTLY] && seen[UP] && seen[BLOCKED]);
}

/* The same word where the capability has only some bits: the others cannot be set. */
static void a_bit_without_its_capability_has_no_effect(void **state)
{
	const struct yard *yard = *state;

	for (u32 capability = 0; capability < 0x80; capability++) {
		yard->down[0]->config[BENCH_ACS_AT + PCI_ACS_CAP] = (u8)capability;
		bench_set_acs(yard->down[0], 0x7f);
		expect_u64(yard->down[0]->acs, capability);
		/* Nor if firmware says so. */
		yard->down[0]->config[BENCH_ACS_AT + PCI_ACS_CTRL] = 0x7f;
		expect_u64(acs_decode(yard->down[0]), capability);
	}
}

static void functions_have_what_is_about_their_neighbours(void **state)
{
	static const int none[] = { -1, PCI_EXP_TYPE_PCI_BRIDGE, PCI_EXP_TYPE_PCIE_BRIDGE,
				    PCI_EXP_TYPE_RC_EC };
	const struct yard *yard = *state;
	struct hw_function *one = other(yard);

	bench_set_acs(one, 0x7f);
	expect_u64(one->acs, PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_EC | PCI_ACS_DT);
	for (u32 i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		one->express_type = none[i];
		expect_u64(acs_decode(one), 0);
	}
}

/* Bits 15:8 of the capability: 0 means 256; a peer beyond the end is not forbidden. */
static void the_vector_has_as_many_bits_as_the_capability_says(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;

	offer_all(yard->down[0]);
	put_port_number(yard->down[1], 200);
	bench_set_acs(yard->down[0], PCI_ACS_EC);
	hw_config_write(yard->down[0], BENCH_ACS_AT + PCI_ACS_EGRESS_CTL_V + 24, 4, ~0U);
	assert_int_equal(send(yard, (struct asked){ 0 }, &route).kind, HW_TARGET_BLOCKED);
	yard->down[0]->config[BENCH_ACS_AT + PCI_ACS_CAP + 1] = 200;
	assert_int_equal(send(yard, (struct asked){ 0 }, &route).kind, HW_TARGET_BAR);
	yard->down[0]->config[BENCH_ACS_AT + PCI_ACS_CAP + 1] = 201;
	assert_int_equal(send(yard, (struct asked){ 0 }, &route).kind, HW_TARGET_BLOCKED);
	/* And no more can be written: bits 192 to 200 of the last register. */
	yard->down[0]->config[BENCH_ACS_AT + PCI_ACS_CAP + 1] = 0;
	hw_config_write(yard->down[0], BENCH_ACS_AT + PCI_ACS_EGRESS_CTL_V + 24, 4, 0);
	yard->down[0]->config[BENCH_ACS_AT + PCI_ACS_CAP + 1] = 201;
	hw_config_write(yard->down[0], BENCH_ACS_AT + PCI_ACS_EGRESS_CTL_V + 24, 4, ~0U);
	expect_u64(hw_config_read(yard->down[0], BENCH_ACS_AT + PCI_ACS_EGRESS_CTL_V + 24, 4),
		   0x1ff);
}

/* ---- Functions of one device ----------------------------------------------------------------- */

static void a_functions_vector_is_by_function_number(void **state)
{
	const struct yard *yard = *state;
	struct hw_function *one = other(yard);
	struct hw_route route;

	bench_set_acs(one, PCI_ACS_EC);
	hw_config_write(one, BENCH_ACS_AT + PCI_ACS_EGRESS_CTL_V, 4, 2);
	yard_route(yard, one, LEFT_AT, true, &route);
	expect_hops(&route, "sent 03:00.1 e0000000", "across 03:00.0 e0000000",
		    "bar 03:00.0 e0000000");
	hw_config_write(one, BENCH_ACS_AT + PCI_ACS_EGRESS_CTL_V, 4, 1);
	yard_route(yard, one, LEFT_AT, true, &route);
	expect_hops(&route, "sent 03:00.1 e0000000", "blocked 03:00.1 e0000000");
}

/* ---- What is for below the port itself ------------------------------------------------------- */

/* Two ports on the way have the address in their windows: each needs upstream forwarding. */
static void each_port_on_the_way_up_needs_upstream_forwarding(void **state)
{
	const struct yard *yard = *state;
	struct hw_function *one = other(yard);
	struct hw_target target;

	bench_set_acs(one, PCI_ACS_RR);
	target = yard_route(yard, one, LEFT_AT, true, NULL);
	assert_int_equal(target.kind, HW_TARGET_BLOCKED);
	assert_ptr_equal(target.function, yard->down[0]);
	expect_u64(hw_why_bit(target.why), PCI_ACS_UF);
	bench_set_acs(yard->down[0], PCI_ACS_UF);
	target = yard_route(yard, one, LEFT_AT, true, NULL);
	assert_ptr_equal(target.function, yard->root_port);
	bench_set_acs(yard->root_port, PCI_ACS_UF);
	target = yard_route(yard, one, LEFT_AT, true, NULL);
	assert_ptr_equal(target.function, yard->left);
	assert_true(target.passed_root);
}

/* Not redirected, but for below the port: an IOVA may be, and gets to the IOMMU. */
static void upstream_forwarding_is_for_every_request_from_below(void **state)
{
	struct yard *yard = *state;

	yard_iommu(yard);
	yard_map(yard, LEFT_AT + SZ_64K, 0x6000, ENTRY_RW);
	assert_int_equal(yard_route(yard, yard->left, LEFT_AT + SZ_64K, true, NULL).kind,
			 HW_TARGET_UNSUPPORTED);
	bench_set_acs(yard->down[0], PCI_ACS_UF);
	bench_set_acs(yard->root_port, PCI_ACS_UF);
	expect_u64(yard_route(yard, yard->left, LEFT_AT + SZ_64K, true, NULL).phys, 0x6000);
}

/* ---- Completions ----------------------------------------------------------------------------- */

static void a_completion_turns_or_climbs_as_the_completers_port_says(void **state)
{
	const struct yard *yard = *state;
	struct hw_route route;

	assert_int_equal(yard_route(yard, yard->left, RIGHT_AT, false, &route).completion,
			 HW_COMPLETION_DIRECT);
	bench_set_acs(yard->down[0], PCI_ACS_CR);
	assert_int_equal(yard_route(yard, yard->left, RIGHT_AT, false, &route).completion,
			 HW_COMPLETION_DIRECT);
	bench_set_acs(yard->down[1], PCI_ACS_CR);
	assert_int_equal(yard_route(yard, yard->left, RIGHT_AT, false, &route).completion,
			 HW_COMPLETION_ROOT);
	expect_u64(route.back_count, 10);
	assert_int_equal(route.back[2].kind, HW_HOP_REDIRECTED);
	assert_int_equal(route.back[9].kind, HW_HOP_COMPLETED);
	assert_int_equal(yard_route(yard, yard->left, RIGHT_AT, true, &route).completion,
			 HW_COMPLETION_NONE);
	assert_int_equal(yard_route(yard, yard->left, 0x1000, false, &route).completion,
			 HW_COMPLETION_NONE);
}

/* A function redirects its completions, and the port above does not forward upstream. */
static void a_read_whose_completion_is_lost_is_refused(void **state)
{
	const struct yard *yard = *state;
	struct hw_function *one = other(yard);
	struct hw_target target;
	u8 byte;

	bench_set_bar(one, 0, LEFT_AT + SZ_64K);
	bench_command(one, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	bench_set_acs(one, PCI_ACS_CR);
	target = yard_route(yard, yard->left, LEFT_AT + SZ_64K, false, NULL);
	assert_int_equal(target.kind, HW_TARGET_BLOCKED);
	assert_ptr_equal(target.function, yard->down[0]);
	assert_int_equal(hw_engine_read(yard->left, LEFT_AT + SZ_64K, &byte, 1).status,
			 HW_TRANSFER_BLOCKED);
	assert_int_equal(hw_engine_write(yard->left, LEFT_AT + SZ_64K, &byte, 1).status,
			 HW_TRANSFER_DONE);
	bench_set_acs(yard->down[0], PCI_ACS_UF);
	assert_int_equal(hw_engine_read(yard->left, LEFT_AT + SZ_64K, &byte, 1).status,
			 HW_TRANSFER_DONE);
	yard->root[0]->forwards = HW_FORWARDS_NONE;
	target = yard_route(yard, yard->left, LEFT_AT + SZ_64K, false, NULL);
	assert_int_equal(target.kind, HW_TARGET_UNSUPPORTED);
	assert_int_equal(target.why, HW_WHY_NOT_FORWARDED);
}

/* ---- Host bridges ---------------------------------------------------------------------------- */

static struct hw_function *root_port_of(const struct hw_function *function)
{
	return function->bus->bridge;
}

/* With an IOMMU the address is an IOVA, unless the port leaves the request to the root complex. */
static void request_redirect_of_a_root_port_is_before_the_iommu(void **state)
{
	struct yard *yard = *state;
	struct hw_target target;

	yard_iommu(yard);
	yard_map(yard, LEFT_AT, 0x6000, ENTRY_RW);
	target = yard_route(yard, yard->disk, LEFT_AT, true, NULL);
	assert_ptr_equal(target.function, yard->left);
	assert_true(target.passed_root);
	assert_null(target.iommu);
	bench_set_acs(root_port_of(yard->disk), PCI_ACS_RR);
	target = yard_route(yard, yard->disk, LEFT_AT, true, NULL);
	expect_u64(target.phys, 0x6000);
	bench_set_acs(root_port_of(yard->disk), 0);
	yard->root[0]->forwards = HW_FORWARDS_NONE;
	expect_u64(yard_route(yard, yard->disk, LEFT_AT, true, NULL).phys, 0x6000);
}

static void both_host_bridges_must_forward_to_others(void **state)
{
	const struct yard *yard = *state;

	for (u32 i = 0; i < 9; i++) {
		bool arrives, within;

		yard->root[0]->forwards = (enum hw_forwards)(i % 3);
		yard->root[1]->forwards = (enum hw_forwards)(i / 3);
		arrives = yard_route(yard, yard->disk, FAR_AT, true, NULL).kind == HW_TARGET_BAR;
		within = yard_route(yard, yard->disk, LEFT_AT, true, NULL).kind == HW_TARGET_BAR;
		expect_u64(arrives, i == 8);
		expect_u64(within, i % 3 != HW_FORWARDS_NONE);
	}
}

/* Functions 1.4 and 1.5 of the root complex; 4.0 is another device. */
static void functions_of_the_root_complex_reach_their_neighbours_alone(void **state)
{
	const struct yard *yard = *state;
	struct hw_bus *bus = &yard->root[0]->bus;
	struct hw_function *one = bench_endpoint(yard->bench, bus, 0x0c, 0xe0800000, SZ_4K);
	struct hw_function *two =
		bench_add(yard->bench, bus,
			  &(struct bench_function){ .devfn = 0x0d,
						    .express_type = PCI_EXP_TYPE_RC_END,
						    .acs = 0x7f,
						    .bar = { { SZ_4K } } });
	struct hw_function *far = bench_endpoint(yard->bench, bus, 0x20, 0xe0900000, SZ_4K);
	struct hw_target target;

	bench_command(two, PCI_COMMAND_MASTER);
	yard->root[0]->forwards = HW_FORWARDS_NONE;
	target = yard_route(yard, two, 0xe0800000, true, NULL);
	assert_ptr_equal(target.function, one);
	assert_false(target.passed_root);
	assert_int_equal(yard_route(yard, far, 0xe0800000, true, NULL).kind, HW_TARGET_UNSUPPORTED);
	assert_int_equal(yard_route(yard, one, LEFT_AT, true, NULL).kind, HW_TARGET_UNSUPPORTED);
	bench_set_acs(two, PCI_ACS_RR);
	assert_int_equal(yard_route(yard, two, 0xe0800000, true, NULL).kind, HW_TARGET_UNSUPPORTED);
}

/* ---- Requesters ------------------------------------------------------------------------------ */

static void a_function_may_send_under_another_number(void **state)
{
	const struct yard *yard = *state;

	yard->left->traits.sends_as_other = true;
	yard->left->traits.sends_as = 9;
	expect_u64(yard_route(yard, yard->left, 0x1000, true, NULL).requester, 0x0309);
	/* It still has the bus, so that its port believes it, and its completions find it. */
	bench_set_acs(yard->down[0], PCI_ACS_SV);
	assert_int_equal(yard_route(yard, yard->left, RIGHT_AT, false, NULL).completion,
			 HW_COMPLETION_DIRECT);
}

static void a_bridge_may_pass_numbers_on(void **state)
{
	const struct yard *yard = *state;
	struct hw_function *bridge = yard->old->bus->bridge;

	expect_u64(yard_route(yard, yard->old, 0x1000, true, NULL).requester, 0x0600);
	bridge->traits.alias = HW_ALIAS_NONE;
	expect_u64(yard_route(yard, yard->older, 0x1000, true, NULL).requester, 0x0608);
	bridge->traits.alias = HW_ALIAS_LAST;
	expect_u64(yard_route(yard, yard->older, 0x1000, true, NULL).requester, 0x0608);
	bridge->traits.alias = HW_ALIAS_SECONDARY;
	expect_u64(yard_route(yard, yard->older, 0x1000, true, NULL).requester, 0x0600);
}

/* A translation request is no untranslated one. */
static void translation_blocking_is_for_translation_requests_too(void **state)
{
	const struct yard *yard = *state;
	struct hw_request request = { .from = yard->left, .type = HW_REQUEST_TRANSLATION };

	offer_all(yard->down[0]);
	bench_set_acs(yard->down[0], PCI_ACS_TB);
	assert_int_equal(hw_route(yard->hw, &request, NULL).kind, HW_TARGET_BLOCKED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, yard_setup, yard_teardown)

TEST_MAIN(TEST(a_port_does_as_each_control_word_says),
	  TEST(a_bit_without_its_capability_has_no_effect),
	  TEST(functions_have_what_is_about_their_neighbours),
	  TEST(the_vector_has_as_many_bits_as_the_capability_says),
	  TEST(a_functions_vector_is_by_function_number),
	  TEST(each_port_on_the_way_up_needs_upstream_forwarding),
	  TEST(upstream_forwarding_is_for_every_request_from_below),
	  TEST(a_completion_turns_or_climbs_as_the_completers_port_says),
	  TEST(a_read_whose_completion_is_lost_is_refused),
	  TEST(request_redirect_of_a_root_port_is_before_the_iommu),
	  TEST(both_host_bridges_must_forward_to_others),
	  TEST(functions_of_the_root_complex_reach_their_neighbours_alone),
	  TEST(a_function_may_send_under_another_number), TEST(a_bridge_may_pass_numbers_on),
	  TEST(translation_blocking_is_for_translation_requests_too))
