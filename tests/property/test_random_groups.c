/* SPDX-License-Identifier: MIT */
/*
 * Random machines: which functions belong together, found by sending requests, is what the strict
 * policy says; and what Linux's policy says differs only in ways that have a name.
 *
 *   edges of a machine      a request of one function arrives in a BAR of the other
 *                           requests of both bear the same number, or one the other's
 *   edges of Linux's rules  a function and a bridge above it that fails the isolation test
 *                           functions of one slot that both fail it
 *
 * Strict groups are what the machine's edges connect. Where Linux's groups are finer, some edge of
 * the machine leads from one to the other, and the place where that request turned says why; where
 * they are coarser, an edge of Linux's rules does, and what failed the test says why (facts
 * "real-bugs" C1, C2).
 */
#include <stdlib.h>
#include <string.h>

#include "property/random_machine.h"
#include "property/seeds.h"

#define MACHINES_FULL 3000
#define NOWHERE	      0x40000000ULL /* no RAM, no window */

/* Why Linux's groups are not those of the machine. */
enum difference {
	SWITCH_PORT,	  /* C1: a port's missing bits open its peers, not what is above or below */
	FUNCTIONS,	  /* C2: one function's missing bits open the others */
	ROOT_PORT,	  /* root ports without ACS */
	CONVENTIONAL_PCI, /* C1: the bridge to a bus, or a function without Express beside others */
	QUIRK,		  /* a table of ids says otherwise than the registers */
	DIFFERENCES,
};

static const char *const names[DIFFERENCES] = { "C1 switch ports", "C2 functions", "root ports",
						"conventional PCI", "quirk table" };

struct node {
	struct pci_dev *pdev;
	u32 parent; /* of a union-find tree */
	int strict; /* groups */
	int linux_group;
	u16 requester;
	bool sends; /* and its requests reach the root, as those of `requester` */
};

struct groups_test {
	struct dump dump;  /* the machine with the strict policy */
	struct dump other; /* and with Linux's */
	struct random_machine machine;
	struct node node[DUMP_FUNCTIONS_MAX];
	u32 count;
	u32 functions, virtual; /* of all machines so far */
	u32 finer[DIFFERENCES];
	u32 coarser[DIFFERENCES];
	u64 seed;
};

/* ---- Sets ------------------------------------------------------------------------------------ */

static void begin_sets(struct groups_test *test)
{
	for (u32 i = 0; i < test->count; i++)
		test->node[i].parent = i;
}

static u32 find(struct groups_test *test, u32 i)
{
	while (test->node[i].parent != i)
		i = test->node[i].parent = test->node[test->node[i].parent].parent;
	return i;
}

static void join(struct groups_test *test, u32 a, u32 b)
{
	test->node[find(test, a)].parent = find(test, b);
}

static u32 index_of(const struct groups_test *test, dmasim_sbdf id)
{
	for (u32 i = 0; i < test->count; i++) {
		if (test->node[i].pdev->dev.id == id)
			return i;
	}
	return test->count;
}

/* ---- The machine ----------------------------------------------------------------------------- */

static struct dmasim *make(struct groups_test *test, struct dump *dump,
			   enum dmasim_group_policy policy)
{
	struct dmasim_config config = { DMASIM_CONFIG, .seed = 1, .group_policy = policy };

	dump->count = 0;
	dump->s = dmasim_create(&config);
	assert_non_null(dump->s);
	random_machine_describe(&test->machine, dump, test->seed);
	expect_ok(dump_import(dump, NULL));
	return dump->s;
}

static void make_both(struct groups_test *test)
{
	struct dmasim *s = make(test, &test->dump, DMASIM_GROUPS_STRICT);
	struct dmasim *other = make(test, &test->other, DMASIM_GROUPS_LINUX);
	struct pci_dev *pdev = NULL, *twin = NULL;

	test->count = 0;
	while ((pdev = dmasim_next_dev(s, pdev))) {
		twin = dmasim_next_dev(other, twin);
		assert_true(twin && twin->dev.id == pdev->dev.id);
		test->node[test->count++] = (struct node){
			.pdev = pdev,
			.strict = dmasim_group(pdev),
			.linux_group = dmasim_group(twin),
		};
		test->functions++;
		test->virtual += pdev->is_virtfn;
	}
}

/* The number that its requests bear where they arrive, as the fault record has it. */
static void find_requester(struct dmasim *s, struct node *node)
{
	struct dmasim_fault_record record = { 0 };
	u8 byte = 0;

	dmasim_dev_write(node->pdev, NOWHERE, &byte, 1);
	node->sends = dmasim_fault_take(s, &record);
	node->requester = record.requester;
}

/* True if a request of the one arrives in some BAR of the other; *route is its way. */
static bool reaches(struct pci_dev *from, struct pci_dev *to, struct dmasim_route *route)
{
	for (int bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		if (!(pci_resource_flags(to, bar) & IORESOURCE_MEM))
			continue;
		dmasim_route(from, pci_bus_address(to, bar), true, route);
		if (route->in_bar && route->hop[route->count - 1].at == to->dev.id)
			return true;
	}
	return false;
}

/* ---- What the machine connects --------------------------------------------------------------- */

/* Calls for each edge; route: of the request that arrived, NULL: a shared number. */
typedef void visit_edge(struct groups_test *test, u32 a, u32 b, const struct dmasim_route *route);

static void visit_requesters(struct groups_test *test, visit_edge *visit)
{
	for (u32 i = 0; i < test->count; i++) {
		u32 owner = index_of(test, test->node[i].requester);

		if (!test->node[i].sends)
			continue;
		if (owner < test->count && owner != i)
			visit(test, i, owner, NULL);
		for (u32 k = 0; k < i; k++) {
			if (test->node[k].sends &&
			    test->node[k].requester == test->node[i].requester)
				visit(test, i, k, NULL);
		}
	}
}

static void visit_machine(struct groups_test *test, visit_edge *visit)
{
	struct dmasim_route route;

	visit_requesters(test, visit);
	for (u32 i = 0; i < test->count; i++) {
		for (u32 k = 0; k < test->count; k++) {
			if (i != k && reaches(test->node[i].pdev, test->node[k].pdev, &route))
				visit(test, i, k, &route);
		}
	}
}

static void join_edge(struct groups_test *test, u32 a, u32 b, const struct dmasim_route *route)
{
	(void)route;
	join(test, a, b);
}

static void tell_edge(struct groups_test *test, u32 a, u32 b, const struct dmasim_route *route)
{
	char text[512] = "their requests bear one number, or one the other's";

	if (route)
		dmasim_route_text(route, text, sizeof(text));
	print_message("#   %s and %s: %s\n", pci_name(test->node[a].pdev),
		      pci_name(test->node[b].pdev), text);
}

static void strict_groups_are_what_the_machine_connects(struct groups_test *test)
{
	begin_sets(test);
	visit_machine(test, join_edge);
	for (u32 i = 0; i < test->count; i++) {
		for (u32 k = 0; k < i; k++) {
			bool connected = find(test, i) == find(test, k);
			bool same = test->node[i].strict == test->node[k].strict;

			if (connected == same)
				continue;
			visit_machine(test, tell_edge);
			fail_msg("seed 0x%llx: %s and %s are %sconnected, and in %s group",
				 test->seed, pci_name(test->node[k].pdev),
				 pci_name(test->node[i].pdev), connected ? "" : "not ",
				 same ? "one" : "no common");
		}
	}
}

/* ---- Where Linux differs --------------------------------------------------------------------- */

static bool has_quirk(const struct pci_dev *pdev)
{
	return pdev->vendor != PCI_VENDOR_ID_INTEL || pdev->device != 0x1234;
}

/* Plain ones: registers alone, and no table of ids. */
static bool fails(struct pci_dev *pdev)
{
	u16 capability = 0, control = 0;

	switch (pdev->express_type) {
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_DOWNSTREAM:
		break;
	case PCI_EXP_TYPE_ENDPOINT:
	case PCI_EXP_TYPE_RC_END:
	case PCI_EXP_TYPE_UPSTREAM:
		if (!pdev->multifunction)
			return false;
		break;
	default:
		return true;
	}
	if (!pdev->acs_cap)
		return true;
	pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CAP, &capability);
	pci_read_config_word(pdev, pdev->acs_cap + PCI_ACS_CTRL, &control);
	return (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF) & capability & ~control;
}

/* What a function that lets something pass comes under. */
static enum difference difference_of(const struct pci_dev *pdev)
{
	if (has_quirk(pdev))
		return QUIRK;
	switch (pdev->express_type) {
	case PCI_EXP_TYPE_ROOT_PORT:
		return ROOT_PORT;
	case PCI_EXP_TYPE_DOWNSTREAM:
		return SWITCH_PORT;
	case PCI_EXP_TYPE_ENDPOINT:
	case PCI_EXP_TYPE_RC_END:
	case PCI_EXP_TYPE_UPSTREAM:
		return FUNCTIONS;
	default:
		return CONVENTIONAL_PCI;
	}
}

/* The function that the request was handed across from. */
static struct pci_dev *turning_point(struct groups_test *test, const struct dmasim_route *route)
{
	u32 across = 0;

	while (across < route->count && strcmp(route->hop[across].what, "across"))
		across++;
	assert_true(across && across < route->count);
	return test->node[index_of(test, route->hop[across - 1].at)].pdev;
}

static void count_finer(struct groups_test *test, u32 a, u32 b, const struct dmasim_route *route)
{
	if (find(test, a) == find(test, b))
		return;
	if (!route)
		fail_msg("seed 0x%llx: %s and %s have one number and not one group", test->seed,
			 pci_name(test->node[a].pdev), pci_name(test->node[b].pdev));
	test->finer[difference_of(turning_point(test, route))]++;
	join(test, a, b);
}

static void count_coarser(struct groups_test *test, u32 a, u32 b, const struct pci_dev *why)
{
	if (find(test, a) == find(test, b))
		return;
	test->coarser[difference_of(why)]++;
	join(test, a, b);
}

static bool is_above(struct pci_dev *above, struct pci_dev *from)
{
	while ((from = pci_upstream_bridge(from))) {
		if (from == above)
			return true;
	}
	return false;
}

/* Linux's rules: only those of one group of Linux's count. */
static void visit_linux(struct groups_test *test)
{
	for (u32 i = 0; i < test->count; i++) {
		struct pci_dev *at = test->node[i].pdev;

		for (u32 k = 0; k < test->count; k++) {
			struct pci_dev *other = test->node[k].pdev;

			if (i == k || test->node[i].linux_group != test->node[k].linux_group)
				continue;
			if (is_above(at, other) && (fails(at) || has_quirk(at)))
				count_coarser(test, i, k, at);
			if (at->dev.id >> 3 == other->dev.id >> 3 && (fails(at) || has_quirk(at)) &&
			    (fails(other) || has_quirk(other)))
				count_coarser(test, i, k, has_quirk(other) ? other : at);
		}
	}
}

static void join_groups(struct groups_test *test, bool linux_groups)
{
	begin_sets(test);
	for (u32 i = 0; i < test->count; i++) {
		for (u32 k = 0; k < i; k++) {
			const struct node *a = &test->node[i], *b = &test->node[k];

			if (linux_groups ? a->linux_group == b->linux_group
					 : a->strict == b->strict)
				join(test, i, k);
		}
	}
}

static void expect_joined(struct groups_test *test, bool linux_groups)
{
	for (u32 i = 0; i < test->count; i++) {
		for (u32 k = 0; k < i; k++) {
			const struct node *a = &test->node[i], *b = &test->node[k];
			bool same = linux_groups ? a->linux_group == b->linux_group
						 : a->strict == b->strict;

			if (same && find(test, i) != find(test, k))
				fail_msg("seed 0x%llx: nothing that has a name joins %s and %s",
					 test->seed, pci_name(b->pdev), pci_name(a->pdev));
		}
	}
}

/* From one partition, the named edges lead to all that the other joins. */
static void differences_have_names(struct groups_test *test)
{
	join_groups(test, true);
	visit_machine(test, count_finer);
	expect_joined(test, false);
	join_groups(test, false);
	visit_linux(test);
	expect_joined(test, true);
}

/* ---- All of them ----------------------------------------------------------------------------- */

static void destroy(struct dump *dump)
{
	dmasim_destroy(dump->s);
	dump->s = NULL;
}

static void print_counts(const char *what, const u32 *counts)
{
	print_message("# Linux %s:", what);
	for (u32 i = 0; i < DIFFERENCES; i++)
		print_message("%s %s %u", i ? "," : "", names[i], counts[i]);
	print_message("\n");
}

/*
 * trust: IOMMU groups of random machines, strict and as Linux makes them
 * | an independent model: what requests reach, and the numbers that they bear
 */
static void strict_groups_are_what_requests_reach(void **state)
{
	struct groups_test *test = calloc(1, sizeof(*test));
	u32 machines = scaled(MACHINES_FULL);
	u64 first = test_seed(1);

	*state = test;
	assert_non_null(test);
	for (u32 i = 0; i < machines; i++) {
		test->seed = first + i;
		make_both(test);
		for (u32 k = 0; k < test->count; k++)
			find_requester(test->dump.s, &test->node[k]);
		strict_groups_are_what_the_machine_connects(test);
		differences_have_names(test);
		destroy(&test->dump);
		destroy(&test->other);
	}
	print_message("# %u machines from seed 0x%llx, %u functions, %u of them virtual\n",
		      machines, first, test->functions, test->virtual);
	print_counts("does not join", test->finer);
	print_counts("joins", test->coarser);
	for (u32 i = 0; machines >= 100 && i < DIFFERENCES; i++)
		assert_true(test->virtual && test->finer[i] + test->coarser[i]);
}

static int teardown(void **state)
{
	struct groups_test *test = *state;

	if (test && test->dump.s) {
		seed_failed(test->seed);
		destroy(&test->dump);
	}
	if (test && test->other.s)
		destroy(&test->other);
	free(test);
	return 0;
}

TEST_MAIN(cmocka_unit_test_teardown(strict_groups_are_what_requests_reach, teardown))
