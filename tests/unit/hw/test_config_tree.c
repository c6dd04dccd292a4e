/* SPDX-License-Identifier: MIT */
/*
 * The tree of functions: who answers which number, lists of capabilities, and functions that come
 * and go.
 */
#include "bench.h"

#include <string.h>

#include "hw/config.h"

/*
 *   bus 00 -- 00.0 endpoint
 *          -- 01.0 port [10, 1f] -- 00.0 port [11, 17] -- 02.3 endpoint
 *          |                     -- 01.0 port [18, 1f] -- 00.0 endpoint
 *          -- 02.0 port [20, 20] -- 00.0 endpoint
 */
struct tree {
	struct hw_root *root;
	struct hw_function *port[4];
	struct hw_function *leaf[4];
};

static struct hw_function *port(struct bench *bench, struct hw_bus *bus, u8 device, u8 secondary,
				u8 subordinate)
{
	return bench_port(bench, bus,
			  &(struct bench_port){ .devfn = PCI_DEVFN(device, 0),
						.express_type = PCI_EXP_TYPE_PCI_BRIDGE,
						.secondary = secondary,
						.subordinate = subordinate,
						.start = 1U << 20 });
}

static struct hw_function *leaf(struct bench *bench, struct hw_bus *bus, u8 devfn)
{
	return bench_add(bench, bus, &(struct bench_function){ .devfn = devfn });
}

static struct tree build(struct bench *bench)
{
	struct tree tree = { .root = hw_root_add(&bench->hw, 1, 0, 0x7f) };

	assert_non_null(tree.root);
	tree.leaf[0] = leaf(bench, &tree.root->bus, 0);
	tree.port[0] = port(bench, &tree.root->bus, 1, 0x10, 0x1f);
	tree.port[1] = port(bench, tree.port[0]->secondary, 0, 0x11, 0x17);
	tree.leaf[1] = leaf(bench, tree.port[1]->secondary, PCI_DEVFN(2, 3));
	tree.port[2] = port(bench, tree.port[0]->secondary, 1, 0x18, 0x1f);
	tree.leaf[2] = leaf(bench, tree.port[2]->secondary, 0);
	tree.port[3] = port(bench, &tree.root->bus, 2, 0x20, 0x20);
	tree.leaf[3] = leaf(bench, tree.port[3]->secondary, 0);
	return tree;
}

static struct hw_function *find(struct bench *bench, u8 bus, u8 device, u8 function)
{
	return hw_function_find(&bench->hw, DMASIM_SBDF(1, bus, device, function));
}

static void requests_go_where_the_bus_numbers_lead(void **state)
{
	struct bench *bench = *state;
	struct tree tree = build(bench);

	assert_ptr_equal(find(bench, 0x00, 0, 0), tree.leaf[0]);
	assert_ptr_equal(find(bench, 0x00, 1, 0), tree.port[0]);
	assert_ptr_equal(find(bench, 0x10, 0, 0), tree.port[1]);
	assert_ptr_equal(find(bench, 0x10, 1, 0), tree.port[2]);
	assert_ptr_equal(find(bench, 0x11, 2, 3), tree.leaf[1]);
	assert_ptr_equal(find(bench, 0x18, 0, 0), tree.leaf[2]);
	assert_ptr_equal(find(bench, 0x20, 0, 0), tree.leaf[3]);
}

/* No such function, device, bus below a bridge that has no further bridge, bus, segment. */
static void where_nobody_is_nobody_answers(void **state)
{
	struct bench *bench = *state;

	build(bench);
	assert_null(find(bench, 0x11, 2, 4));
	assert_null(find(bench, 0x11, 3, 3));
	assert_null(find(bench, 0x12, 2, 3));
	assert_null(find(bench, 0x19, 0, 0));
	assert_null(find(bench, 0x30, 0, 0));
	assert_null(find(bench, 0x80, 0, 0));
	assert_null(hw_function_find(&bench->hw, DMASIM_SBDF(0, 0, 0, 0)));
	assert_null(hw_function_find(&bench->hw, DMASIM_NO_SBDF));
}

static void a_function_answers_to_its_bridges_numbers_of_now(void **state)
{
	struct bench *bench = *state;
	struct tree tree = build(bench);

	expect_u64(hw_function_sbdf(tree.leaf[1]), DMASIM_SBDF(1, 0x11, 2, 3));
	hw_config_write(tree.port[1], PCI_SECONDARY_BUS, 1, 0x15);
	expect_u64(hw_function_sbdf(tree.leaf[1]), DMASIM_SBDF(1, 0x15, 2, 3));
	assert_ptr_equal(find(bench, 0x15, 2, 3), tree.leaf[1]);
	assert_null(find(bench, 0x11, 2, 3));
	/* The bridge above does not lead there any more. */
	hw_config_write(tree.port[0], PCI_SUBORDINATE_BUS, 1, 0x14);
	assert_null(find(bench, 0x15, 2, 3));
}

static void functions_of_a_bus_stand_in_order(void **state)
{
	struct bench *bench = *state;
	static const u8 added[] = { 0x20, 0x08, 0xf8, 0x00, 0x21, 0x18 };
	struct hw_root *root = hw_root_add(&bench->hw, 0, 0, 0);
	struct hw_function *function;
	int last = -1;

	for (size_t i = 0; i < sizeof(added); i++)
		leaf(bench, &root->bus, added[i]);
	TAILQ_FOREACH(function, &root->bus.functions, link) {
		assert_true(function->devfn > last);
		last = function->devfn;
	}
	assert_int_equal(last, 0xf8);
	expect_u64(hw_function_on(&root->bus, 0x18)->devfn, 0x18);
	assert_null(hw_function_on(&root->bus, 0x19));
}

static void removing_a_bridge_removes_what_is_below(void **state)
{
	struct bench *bench = *state;
	struct tree tree = build(bench);

	hw_function_remove(tree.port[0]);
	assert_null(find(bench, 0x00, 1, 0));
	assert_null(find(bench, 0x11, 2, 3));
	assert_ptr_equal(find(bench, 0x20, 0, 0), tree.leaf[3]);
	hw_root_remove(&bench->hw, tree.root);
	expect_u64(bench_live(bench), 0);
}

/* A bridge needs three allocations, an endpoint two. */
static void a_function_without_memory_is_not_there(void **state)
{
	struct bench *bench = *state;
	u8 config[256] = { 0 };
	struct hw_function_desc desc = { .config = config, .config_bytes = sizeof(config) };
	struct hw_root *root;

	bench_fail(bench, 1);
	assert_null(hw_root_add(&bench->hw, 0, 0, 0));
	root = hw_root_add(&bench->hw, 0, 0, 0);
	for (u8 type = 0; type < 2; type++) {
		u64 nth = 0;

		config[PCI_HEADER_TYPE] = type;
		do {
			bench_fail(bench, ++nth);
		} while (!hw_function_add(&bench->hw, &root->bus, &desc) &&
			 bench_live(bench) == 1 && TAILQ_EMPTY(&root->bus.functions));
		expect_u64(nth, 3U + type);
		expect_u64(bench->world.memory.hits, 0);
		hw_function_remove(TAILQ_FIRST(&root->bus.functions));
		expect_u64(bench_live(bench), 1);
	}
}

static void bars_are_powers_of_two(void **state)
{
	struct bench *bench = *state;
	u8 config[64] = { 0 };
	struct hw_function_desc desc = { .config = config,
					 .config_bytes = sizeof(config),
					 .bar_bytes = { SZ_4K + 16 } };
	struct hw_root *root = hw_root_add(&bench->hw, 0, 0, 0);

	expect_contract(hw_function_add(&bench->hw, &root->bus, &desc), "power of two");
}

/* ---- Lists of capabilities ------------------------------------------------------------------- */

static u16 find_capability(struct bench *bench, const u8 *config, u8 id)
{
	struct hw_root *root = hw_root_add(&bench->hw, 0, 0, 0);
	struct hw_function *function = hw_function_add(
		&bench->hw, &root->bus,
		&(struct hw_function_desc){ .config = config, .config_bytes = 4096 });
	u16 found = hw_config_find_capability(function, id);

	hw_root_remove(&bench->hw, root);
	return found;
}

/* 34: -> 50 -> 40 -> fc -> end */
static void the_list_is_followed_in_its_own_order(void **state)
{
	u8 config[4096] = { [PCI_STATUS] = PCI_STATUS_CAP_LIST,
			    [PCI_CAPABILITY_LIST] = 0x50,
			    [0x50] = 1,
			    [0x51] = 0x40,
			    [0x40] = 5,
			    [0x41] = 0xfc,
			    [0xfc] = PCI_CAP_ID_EXP };

	expect_u64(find_capability(*state, config, 1), 0x50);
	expect_u64(find_capability(*state, config, 5), 0x40);
	expect_u64(find_capability(*state, config, PCI_CAP_ID_EXP), 0xfc);
	expect_u64(find_capability(*state, config, 2), 0);
	/* The two lowest bits of a pointer are reserved. */
	config[0x51] = 0xff;
	expect_u64(find_capability(*state, config, PCI_CAP_ID_EXP), 0xfc);
	config[PCI_STATUS] = 0;
	expect_u64(find_capability(*state, config, 1), 0);
}

/* A pointer into the header, one to itself, and a circle of three. */
static void a_list_that_leads_nowhere_ends(void **state)
{
	u8 config[4096] = { [PCI_STATUS] = PCI_STATUS_CAP_LIST,
			    [PCI_CAPABILITY_LIST] = 0x50,
			    [0x50] = 1,
			    [0x51] = 0x10,
			    [0x10] = 9 };

	expect_u64(find_capability(*state, config, 9), 0);
	config[0x51] = 0x50;
	expect_u64(find_capability(*state, config, 9), 0);
	config[0x51] = 0x60;
	config[0x60] = 2;
	config[0x61] = 0x70;
	config[0x70] = 3;
	config[0x71] = 0x50;
	expect_u64(find_capability(*state, config, 9), 0);
	expect_u64(find_capability(*state, config, 3), 0x70);
}

static u16 find_extended(struct bench *bench, const u8 *config, u32 bytes, u16 id)
{
	struct hw_root *root = hw_root_add(&bench->hw, 0, 0, 0);
	struct hw_function *function = hw_function_add(
		&bench->hw, &root->bus,
		&(struct hw_function_desc){ .config = config, .config_bytes = bytes });
	u16 found = hw_config_find_extended(function, id);

	hw_root_remove(&bench->hw, root);
	return found;
}

static void put_header(u8 *config, u32 at, u16 id, u32 next)
{
	u32 header = id | 1U << 16 | next << 20;

	for (u32 i = 0; i < 4; i++)
		config[at + i] = (u8)(header >> (8 * i));
}

static void extended_capabilities_are_found(void **state)
{
	u8 config[4096] = { 0 };

	expect_u64(find_extended(*state, config, 4096, 0), 0);
	put_header(config, 0x100, 1, 0xffc);
	put_header(config, 0xffc, PCI_EXT_CAP_ID_ACS, 0);
	expect_u64(find_extended(*state, config, 4096, 1), 0x100);
	expect_u64(find_extended(*state, config, 4096, PCI_EXT_CAP_ID_ACS), 0xffc);
	expect_u64(find_extended(*state, config, 4096, 2), 0);
	/* Not known: not there. */
	expect_u64(find_extended(*state, config, 256, 1), 0);
	memset(config + 0x100, 0xff, 4);
	expect_u64(find_extended(*state, config, 4096, 0xffff), 0);
}

static void an_extended_list_in_a_circle_ends(void **state)
{
	u8 config[4096] = { 0 };

	put_header(config, 0x100, 1, 0x200);
	put_header(config, 0x200, 2, 0x300);
	put_header(config, 0x300, 3, 0x200);
	expect_u64(find_extended(*state, config, 4096, 9), 0);
	expect_u64(find_extended(*state, config, 4096, 3), 0x300);
	put_header(config, 0x300, 3, 0x040);
	expect_u64(find_extended(*state, config, 4096, 9), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

TEST_MAIN(TEST(requests_go_where_the_bus_numbers_lead), TEST(where_nobody_is_nobody_answers),
	  TEST(a_function_answers_to_its_bridges_numbers_of_now),
	  TEST(functions_of_a_bus_stand_in_order), TEST(removing_a_bridge_removes_what_is_below),
	  TEST(a_function_without_memory_is_not_there), TEST(bars_are_powers_of_two),
	  TEST(the_list_is_followed_in_its_own_order), TEST(a_list_that_leads_nowhere_ends),
	  TEST(extended_capabilities_are_found), TEST(an_extended_list_in_a_circle_ends))
