/* SPDX-License-Identifier: MIT */
/*
 * IOMMU groups: who shares one, by the ACS of each place (facts 18.1, 18.3). Groups share a domain:
 * what one maps, the others reach.
 */
#include "unit/api/machines.h"

static int setup(void **state)
{
	*state = dmasim_create(NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	return dmasim_destroy(*state) ? -1 : 0;
}

static struct pci_dev *bridge(struct dmasim *s, const char *path, enum dmasim_acs acs)
{
	struct pci_dev *pdev = dmasim_add_bridge(s, path, &(struct dmasim_bridge){ .acs = acs });

	assert_non_null(pdev);
	return pdev;
}

static struct pci_dev *end(struct dmasim *s, const char *path)
{
	struct pci_dev *pdev =
		dmasim_add_endpoint(s, path, &(struct dmasim_endpoint){ .bar = { SZ_16K } });

	assert_non_null(pdev);
	return pdev;
}

static bool together(struct pci_dev *first, struct pci_dev *second)
{
	int groups[] = { dmasim_group(first), dmasim_group(second) };

	assert_true(groups[0] >= 0);
	assert_true(groups[1] >= 0);
	assert_int_equal(first->dev.iommu_group == second->dev.iommu_group, groups[0] == groups[1]);
	return groups[0] == groups[1];
}

static u32 count_groups(struct dmasim *s)
{
	int last = -1;

	for (struct pci_dev *p = dmasim_next_dev(s, NULL); p; p = dmasim_next_dev(s, p))
		last = dmasim_group(p) > last ? dmasim_group(p) : last;
	return last + 1;
}

static void ports_that_isolate_leave_everybody_alone(void **state)
{
	struct rig *rig = *state;
	u32 devices = 0;

	for (struct pci_dev *p = dmasim_next_dev(rig->s, NULL); p; p = dmasim_next_dev(rig->s, p))
		devices++;
	expect_u64(count_groups(rig->s), devices);
	assert_false(together(rig->nvme, rig->gpu));
	assert_false(together(rig->nvme, rig->disk));
	assert_false(together(rig->nvme, pci_upstream_bridge(rig->nvme)));
}

/* One root port that does not isolate merges everything below it, itself included. */
static void check_all_off(struct rig *rig)
{
	assert_true(together(rig->nvme, rig->gpu));
	assert_true(together(rig->nvme, rig->nic));
	for (struct pci_dev *p = pci_upstream_bridge(rig->nvme); p; p = pci_upstream_bridge(p))
		assert_true(together(rig->nvme, p));
	/* Two single-function root ports do not share, even so. */
	assert_false(together(rig->nvme, rig->disk));
	assert_true(together(rig->disk, pci_upstream_bridge(rig->disk)));
	/* The host bridge's function, and one group for each root port. */
	expect_u64(count_groups(rig->s), 3);
}

static void with_acs_off_a_root_port_is_one_group(void **state)
{
	check_all_off(*state);
}

static int setup_absent(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_ABSENT });
}

static void without_acs_a_root_port_is_one_group(void **state)
{
	check_all_off(*state);
}

/*
 *   root port (off) -- switch, both ports isolate --+-- a
 *                                                   +-- b
 */
static void a_root_port_that_does_not_isolate_undoes_the_switch_below(void **state)
{
	struct pci_dev *a, *b;

	bridge(*state, "00:01.0", DMASIM_ACS_OFF);
	a = end(*state, "00:01.0/00.0/00.0/00.0");
	b = end(*state, "00:01.0/00.0/01.0/00.0");
	assert_true(together(a, b));
	assert_true(together(a, dmasim_pci_dev(*state, "00:01.0")));
}

/*
 *   root port -- switch --+-- port (off) -- a      a shares with its port
 *                         +-- port       -- b      b is alone
 */
static void check_one_port(struct dmasim *s, enum dmasim_acs acs)
{
	struct pci_dev *port = bridge(s, "00:01.0/00.0/00.0", acs);
	struct pci_dev *a = end(s, "00:01.0/00.0/00.0/00.0");
	struct pci_dev *b = end(s, "00:01.0/00.0/01.0/00.0");

	assert_true(together(a, port));
	assert_false(together(a, b));
	assert_false(together(a, pci_upstream_bridge(port)));
	assert_false(together(b, pci_upstream_bridge(b)));
}

static void one_port_with_acs_off_joins_what_is_below_it(void **state)
{
	check_one_port(*state, DMASIM_ACS_OFF);
}

static void one_port_without_acs_joins_what_is_below_it(void **state)
{
	check_one_port(*state, DMASIM_ACS_ABSENT);
}

/* The inner switch hangs below a port that does not isolate: all of it is one with that port. */
static void a_port_merges_the_whole_switch_below_it(void **state)
{
	struct pci_dev *port = bridge(*state, "00:01.0/00.0/01.0", DMASIM_ACS_OFF);
	struct pci_dev *b = end(*state, "00:01.0/00.0/01.0/00.0/00.0/00.0");
	struct pci_dev *c = end(*state, "00:01.0/00.0/01.0/00.0/01.0/00.0");
	struct pci_dev *other = end(*state, "00:01.0/00.0/00.0/00.0");

	assert_true(together(b, c));
	assert_true(together(b, port));
	assert_false(together(b, other));
}

/* Each of the four bits of 0x1d must be on; one that is missing undoes the isolation. */
static void each_missing_bit_undoes_the_isolation(void **state)
{
	static const u16 bits[] = { PCI_ACS_SV, PCI_ACS_RR, PCI_ACS_CR, PCI_ACS_UF };

	for (int i = 0; i < 4; i++) {
		struct dmasim *s = dmasim_create(NULL);
		struct pci_dev *a, *b, *root;
		u16 control = 0;

		*state = s;
		a = end(s, "00:01.0/00.0/00.0/00.0");
		b = end(s, "00:01.0/00.0/01.0/00.0");
		root = dmasim_pci_dev(s, "00:01.0");
		pci_read_config_word(root, root->acs_cap + PCI_ACS_CTRL, &control);
		pci_write_config_word(root, root->acs_cap + PCI_ACS_CTRL, control & ~bits[i]);
		assert_true(together(a, b));
		if (i < 3)
			expect_u64(dmasim_destroy(s), 0);
		if (i < 3)
			*state = NULL;
	}
}

/* Facts 18.1: computed once; ACS bits that change later change no group. */
static void groups_do_not_change_after_the_start(void **state)
{
	struct rig *rig = *state;
	int before = dmasim_group(rig->nvme);

	for (struct pci_dev *p = dmasim_next_dev(rig->s, NULL); p; p = dmasim_next_dev(rig->s, p))
		if (p->acs_cap)
			pci_write_config_word(p, p->acs_cap + PCI_ACS_CTRL, 0);
	assert_int_equal(dmasim_group(rig->nvme), before);
	assert_false(together(rig->nvme, rig->gpu));
}

/* ---- Several functions ----------------------------------------------------------------------- */

/* An endpoint of several functions without ACS is one group; the port above isolates. */
static void functions_of_one_endpoint_are_one_group(void **state)
{
	struct pci_dev *first = end(*state, "00:01.0/00.0");
	struct pci_dev *second = end(*state, "00:01.0/00.3");
	struct pci_dev *other = end(*state, "00:02.0/00.0");

	assert_true(together(first, second));
	assert_false(together(first, other));
	assert_false(together(first, pci_upstream_bridge(first)));
}

static void functions_on_the_root_bus_are_one_group(void **state)
{
	struct pci_dev *first = end(*state, "00:04.0");
	struct pci_dev *second = end(*state, "00:04.1");
	struct pci_dev *other = end(*state, "00:05.0");

	assert_true(together(first, second));
	assert_false(together(first, other));
}

/*
 *   00:01.0 root port (first)  -- a
 *   00:01.1 root port (second) -- b      two functions of one device
 */
static bool siblings_share(void **state, enum dmasim_acs first, enum dmasim_acs second)
{
	struct dmasim *s = dmasim_create(NULL);
	struct pci_dev *a, *b;
	bool shared;

	dmasim_destroy(*state);
	*state = s;
	bridge(s, "00:01.0", first);
	bridge(s, "00:01.1", second);
	a = end(s, "00:01.0/00.0");
	b = end(s, "00:01.1/00.0");
	shared = together(a, b);
	assert_int_equal(together(pci_upstream_bridge(a), pci_upstream_bridge(b)), shared);
	assert_int_equal(together(a, pci_upstream_bridge(a)), first != DMASIM_ACS_ISOLATING);
	assert_int_equal(together(b, pci_upstream_bridge(b)), second != DMASIM_ACS_ISOLATING);
	return shared;
}

static void root_ports_of_one_device_share_if_neither_isolates(void **state)
{
	assert_true(siblings_share(state, DMASIM_ACS_OFF, DMASIM_ACS_OFF));
	assert_true(siblings_share(state, DMASIM_ACS_OFF, DMASIM_ACS_ABSENT));
	assert_true(siblings_share(state, DMASIM_ACS_ABSENT, DMASIM_ACS_ABSENT));
	assert_false(siblings_share(state, DMASIM_ACS_ISOLATING, DMASIM_ACS_OFF));
	assert_false(siblings_share(state, DMASIM_ACS_ABSENT, DMASIM_ACS_ISOLATING));
	assert_false(siblings_share(state, DMASIM_ACS_ISOLATING, DMASIM_ACS_ISOLATING));
}

/* ---- What sharing means ---------------------------------------------------------------------- */

static void a_group_shares_its_mappings(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	struct dmasim_route route;
	u8 byte = 1;

	dmasim_route(rig->gpu, dma, true, &route);
	assert_false(route.refused);
	expect_u64(route.phys, buf);
	dmasim_route(rig->disk, dma, true, &route);
	assert_true(route.refused);
	/* The hardware cannot tell them apart; the checker can. */
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_FOREIGN, 1);
	expect_done(dmasim_dev_write(rig->gpu, dma, &byte, 1), 1);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_FOREIGN, 1);
}

static void addresses_of_a_group_never_collide(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma[40];

	dmasim_suppress(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP);
	for (int i = 0; i < 40; i++) {
		struct pci_dev *pdev = i % 2 ? rig->nvme : rig->gpu;

		dma[i] = dma_map_phys(&pdev->dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
		for (int k = 0; k < i; k++)
			assert_true(dma[k] != dma[i]);
	}
	for (int i = 0; i < 40; i++)
		dma_unmap_phys(i % 2 ? &rig->nvme->dev : &rig->gpu->dev, dma[i], SZ_4K,
			       DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

static void numbers_start_at_0_without_gaps(void **state)
{
	struct rig *rig = *state;
	u32 groups = count_groups(rig->s);

	for (u32 i = 0; i < groups; i++) {
		bool found = false;

		for (struct pci_dev *p = dmasim_next_dev(rig->s, NULL); p;
		     p = dmasim_next_dev(rig->s, p))
			found |= dmasim_group(p) == (int)i;
		assert_true(found);
	}
}

static void asking_for_a_group_starts_the_machine(void **state)
{
	struct dmasim *s = *state;
	struct pci_dev *pdev = end(s, "00:01.0/00.0");

	expect_u64(dmasim_in_use(s, DMASIM_FAULT_IOMMU_GROUP), 0);
	assert_true(dmasim_group(pdev) >= 0);
	assert_true(dmasim_in_use(s, DMASIM_FAULT_IOMMU_GROUP) > 0);
}

static void no_memory_for_a_group_is_enomem(void **state)
{
	struct pci_dev *pdev = end(*state, "00:01.0/00.0");

	dmasim_fail(*state, DMASIM_FAULT_IOMMU_GROUP, 1);
	expect_error(dmasim_group(pdev), -ENOMEM);
	expect_u64(dmasim_failures(*state), 1);
	assert_true(dmasim_group(pdev) >= 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(BEHIND_VTD(ports_that_isolate_leave_everybody_alone),
	  WITH_SETUP(with_acs_off_a_root_port_is_one_group, rig_setup_acs_off),
	  WITH_SETUP(without_acs_a_root_port_is_one_group, setup_absent),
	  TEST(a_root_port_that_does_not_isolate_undoes_the_switch_below),
	  TEST(one_port_with_acs_off_joins_what_is_below_it),
	  TEST(one_port_without_acs_joins_what_is_below_it),
	  TEST(a_port_merges_the_whole_switch_below_it),
	  cmocka_unit_test_teardown(each_missing_bit_undoes_the_isolation, teardown),
	  BEHIND_VTD(groups_do_not_change_after_the_start),
	  TEST(functions_of_one_endpoint_are_one_group),
	  TEST(functions_on_the_root_bus_are_one_group),
	  TEST(root_ports_of_one_device_share_if_neither_isolates),
	  WITH_SETUP(a_group_shares_its_mappings, rig_setup_acs_off),
	  WITH_SETUP(addresses_of_a_group_never_collide, rig_setup_acs_off),
	  BEHIND_VTD(numbers_start_at_0_without_gaps), TEST(asking_for_a_group_starts_the_machine),
	  TEST(no_memory_for_a_group_is_enomem))
