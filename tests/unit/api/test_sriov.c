/* SPDX-License-Identifier: MIT */
/*
 * Virtual functions as drivers see them: found through their physical function, in groups of their
 * own, with mappings of their own.
 */
#include <errno.h>
#include <string.h>

#include "support/expect.h"

static const struct dmasim_endpoint nic = {
	.bar = { SZ_64K },
	.vendor = 0x8086,
	.device = 0x1572,
	.class_code = 0x020000,
	.sriov = { .total_vfs = 8, .vf_offset = 16, .vf_device = 0x154c, .vf_bar = { SZ_16K } },
};

struct card {
	struct dmasim *s;
	struct pci_dev *pf;
};

static int card_setup(void **state)
{
	struct card *card = calloc(1, sizeof(*card));

	if (!card)
		return -1;
	*state = card;
	card->s = dmasim_create(NULL);
	card->pf = dmasim_add_endpoint(card->s, "00:01.0/00.0", &nic);
	return card->pf ? 0 : -1;
}

static int card_teardown(void **state)
{
	struct card *card = *state;
	u64 leaks = dmasim_destroy(card->s);

	free(card);
	return leaks ? -1 : 0;
}

static u32 count_devices(struct dmasim *s)
{
	struct pci_dev *pdev = NULL;
	u32 count = 0;

	while ((pdev = dmasim_next_dev(s, pdev)))
		count++;
	return count;
}

static struct pci_dev *dev(const struct card *card, const char *bdf)
{
	struct pci_dev *pdev = dmasim_pci_dev(card->s, bdf);

	if (!pdev)
		print_error("nobody is at %s\n", bdf);
	assert_non_null(pdev);
	return pdev;
}

/* A virtual function that masters the bus. */
static struct pci_dev *ready(const struct card *card, const char *bdf)
{
	struct pci_dev *pdev = dev(card, bdf);

	expect_ok(pci_enable_device(pdev));
	pci_set_master(pdev);
	return pdev;
}

/*
 * trust: a virtual function is found through its PF
 * | our reading of the facts: is_virtfn, physfn and their ids
 */
static void they_are_found_when_they_are_enabled(void **state)
{
	struct card *card = *state;
	u32 before = count_devices(card->s);
	struct pci_dev *virtfn;

	assert_true(card->pf->is_physfn);
	expect_u64(pci_sriov_get_totalvfs(card->pf), 8);
	expect_u64(pci_num_vf(card->pf), 0);
	expect_ok(pci_enable_sriov(card->pf, 3));
	expect_u64(pci_num_vf(card->pf), 3);
	expect_u64(count_devices(card->s), before + 3);
	virtfn = dev(card, "01:02.2");
	assert_true(virtfn->is_virtfn);
	assert_ptr_equal(virtfn->physfn, card->pf);
	assert_ptr_equal(pci_physfn(virtfn), card->pf);
	expect_u64(virtfn->vendor, 0x8086);
	expect_u64(virtfn->device, 0x154c);
	expect_u64(virtfn->class_code, 0x020000);
	assert_false(virtfn->multifunction);
	assert_string_equal(pci_name(virtfn), "0000:01:02.2");
	assert_ptr_equal(pci_upstream_bridge(virtfn), pci_upstream_bridge(card->pf));
	assert_null(dmasim_pci_dev(card->s, "01:02.3"));
}

static void they_are_gone_when_they_are_disabled(void **state)
{
	struct card *card = *state;
	u32 before = count_devices(card->s);

	expect_ok(pci_enable_sriov(card->pf, 3));
	pci_disable_sriov(card->pf);
	expect_u64(count_devices(card->s), before);
	expect_u64(pci_num_vf(card->pf), 0);
	assert_null(dmasim_pci_dev(card->s, "01:02.0"));
	expect_ok(pci_enable_sriov(card->pf, 8));
	expect_u64(count_devices(card->s), before + 8);
	pci_disable_sriov(card->pf);
	pci_disable_sriov(card->pf);
	expect_u64(count_devices(card->s), before);
}

static void what_cannot_be_enabled_is_refused(void **state)
{
	struct card *card = *state;
	struct pci_dev *other =
		dmasim_add_endpoint(card->s, "00:02.0", &(struct dmasim_endpoint){ 0 });

	expect_error(pci_enable_sriov(other, 1), -ENOSYS);
	pci_disable_sriov(other);
	expect_u64(pci_num_vf(other), 0);
	expect_u64(pci_sriov_get_totalvfs(other), 0);
	expect_error(pci_enable_sriov(card->pf, 9), -EINVAL);
	expect_error(pci_enable_sriov(card->pf, -1), -EINVAL);
	expect_ok(pci_enable_sriov(card->pf, 0));
	expect_u64(pci_num_vf(card->pf), 0);
	expect_ok(pci_enable_sriov(card->pf, 1));
	expect_error(pci_enable_sriov(card->pf, 2), -EINVAL);
}

/* ---- Buses ---------------------------------------------------------------------------------- */

/* 254, 255 on bus 01, 256 ... on bus 02, which has no bridge. */
static const struct dmasim_endpoint wide = {
	.sriov = { .total_vfs = 8, .vf_offset = 254, .vf_bar = { SZ_4K } },
};

static void numbers_past_a_bus_are_on_a_bus_without_bridge(void **state)
{
	struct card *card = *state;
	struct pci_dev *pf = dmasim_add_endpoint(card->s, "00:02.0/00.0", &wide);
	struct pci_dev *after = dmasim_add_endpoint(card->s, "00:03.0/00.0", &nic);
	struct pci_dev *first, *third;

	expect_ok(pci_enable_sriov(pf, 8));
	first = dev(card, "02:1f.6");
	third = dev(card, "03:00.0");
	assert_ptr_equal(first->bus, pf->bus);
	assert_ptr_not_equal(third->bus, pf->bus);
	assert_ptr_equal(pci_upstream_bridge(third), pci_upstream_bridge(pf));
	dev(card, "03:00.5");
	/* Bus 03 was kept free for them. */
	assert_string_equal(pci_name(after), "0000:04:00.0");
}

static void on_a_root_bus_too(void **state)
{
	struct card *card = *state;
	struct pci_dev *pf = dmasim_add_endpoint(card->s, "80:02.0", &wide);

	assert_non_null(dmasim_add_endpoint(card->s, "80:03.0/00.0", &nic));
	expect_ok(pci_enable_sriov(pf, 8));
	assert_null(pci_upstream_bridge(dev(card, "81:01.6")));
	dev(card, "81:02.5");
	assert_null(dmasim_pci_dev(card->s, "81:00.0"));
	dev(card, "82:00.0");
}

/* What is added later moves buses; virtual functions move with their physical function. */
static void they_keep_their_place_when_buses_move(void **state)
{
	struct card *card = *state;
	struct pci_dev *pf = dmasim_add_endpoint(card->s, "00:04.0/00.0", &wide);
	struct pci_dev *last;

	expect_ok(pci_enable_sriov(pf, 8));
	last = dev(card, "03:00.5");
	assert_non_null(dmasim_add_endpoint(card->s, "00:03.0/00.0", &nic));
	assert_string_equal(pci_name(pf), "0000:03:00.0");
	assert_string_equal(pci_name(last), "0000:04:00.5");
	assert_ptr_equal(dev(card, "04:00.5"), last);
	expect_u64(pci_resource_start(last, 0),
		   pci_resource_start(dev(card, "03:1f.6"), 0) + 7 * SZ_4K);
}

static void each_is_visited_once_after_its_physical_function(void **state)
{
	struct card *card = *state;
	struct pci_dev *pf = dmasim_add_endpoint(card->s, "00:02.0/00.0", &wide);
	struct pci_dev *pdev = NULL;
	u32 seen = 0;
	bool seen_pf = false;

	expect_ok(pci_enable_sriov(pf, 8));
	while ((pdev = dmasim_next_dev(card->s, pdev))) {
		seen_pf = seen_pf || pdev == pf;
		if (!pdev->is_virtfn)
			continue;
		assert_true(seen_pf);
		seen++;
	}
	expect_u64(seen, 8);
}

/* ---- What they do --------------------------------------------------------------------------- */

static void their_bars_are_slices_of_the_physical_functions(void **state)
{
	struct card *card = *state;
	struct pci_dev *first, *third;
	u32 bar = 9;

	expect_ok(pci_enable_sriov(card->pf, 8));
	first = dev(card, "01:02.0");
	third = dev(card, "01:02.2");
	expect_u64(pci_resource_len(third, 0), SZ_16K);
	expect_u64(pci_resource_start(third, 0), pci_resource_start(first, 0) + 2 * SZ_16K);
	expect_u64(pci_bus_address(third, 0), pci_resource_start(third, 0));
	expect_u64(pci_resource_len(third, 1), 0);
	assert_ptr_equal(dmasim_bar_at(card->s, pci_resource_start(third, 0) + 4, &bar), third);
	expect_u64(bar, 0);
}

static void each_has_a_group_and_mappings_of_its_own(void **state)
{
	struct card *card = *state;
	struct pci_dev *one, *two;
	phys_addr_t buffer = dmasim_alloc(card->s, SZ_4K);
	struct dma_iova_state mapping;

	expect_ok(pci_enable_sriov(card->pf, 2));
	one = ready(card, "01:02.0");
	two = ready(card, "01:02.1");
	assert_int_not_equal(dmasim_group(one), dmasim_group(two));
	assert_int_not_equal(dmasim_group(one), dmasim_group(card->pf));
	assert_true(dma_iova_try_alloc(&one->dev, &mapping, buffer, SZ_4K));
	expect_ok(dma_iova_link(&one->dev, &mapping, buffer, 0, SZ_4K, DMA_FROM_DEVICE, 0));
	expect_ok(dma_iova_sync(&one->dev, &mapping, 0, SZ_4K));
	expect_u64(dmasim_dev_write(one, mapping.addr, "hello", 6).done, 6);
	expect_u64(dmasim_dev_write(two, mapping.addr, "other", 6).done, 0);
	expect_u64(dmasim_dev_write(card->pf, mapping.addr, "other", 6).done, 0);
	assert_string_equal(dmasim_ptr(card->s, buffer, 6), "hello");
	dma_iova_destroy(&one->dev, &mapping, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(card->s, buffer, SZ_4K);
}

static void without_bus_master_they_are_silent(void **state)
{
	struct card *card = *state;

	expect_ok(pci_enable_sriov(card->pf, 1));
	expect_u64(dmasim_dev_write(dev(card, "01:02.0"), 0x1000, "x", 1).status,
		   DMASIM_NOT_MASTER);
}

/* Of a machine that runs: group, domain and context come and go with them. */
static void they_come_and_go_while_the_machine_runs(void **state)
{
	struct card *card = *state;
	phys_addr_t buffer = dmasim_alloc(card->s, SZ_4K);
	int pf_group = dmasim_group(card->pf);

	for (int turn = 0; turn < 3; turn++) {
		struct pci_dev *virtfn;
		dma_addr_t dma;

		expect_ok(pci_enable_sriov(card->pf, 8));
		virtfn = ready(card, "01:02.7");
		assert_int_not_equal(dmasim_group(virtfn), pf_group);
		assert_true(dmasim_group(virtfn) >= 0);
		dma = dma_map_phys(&virtfn->dev, buffer, SZ_4K, DMA_FROM_DEVICE, 0);
		assert_false(dma_mapping_error(&virtfn->dev, dma));
		expect_u64(dmasim_dev_write(virtfn, dma, "hello", 6).done, 6);
		dma_unmap_phys(&virtfn->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
		pci_disable_sriov(card->pf);
	}
	dmasim_free(card->s, buffer, SZ_4K);
	dmasim_assert_clean(card->s);
}

/* The function of a device TLB: VFs cache for themselves. */
static void their_device_tlbs_are_invalidated(void **state)
{
	const struct dmasim_config config = { DMASIM_CONFIG, .iommu_device_tlb = true };
	struct dmasim_endpoint with_ats = nic;
	struct dmasim *s = dmasim_create(&config);
	struct pci_dev *pf, *virtfn;
	phys_addr_t buffer;
	dma_addr_t dma;

	(void)state;
	with_ats.ats = true;
	pf = dmasim_add_endpoint(s, "00:01.0/00.0", &with_ats);
	expect_ok(pci_enable_sriov(pf, 2));
	virtfn = dmasim_pci_dev(s, "01:02.1");
	pci_set_master(virtfn);
	buffer = dmasim_alloc(s, SZ_4K);
	dma = dma_map_phys(&virtfn->dev, buffer, SZ_4K, DMA_FROM_DEVICE, 0);
	assert_true(virtfn->ats_enabled);
	expect_u64(dmasim_dev_write(virtfn, dma, "hello", 6).done, 6);
	dma_unmap_phys(&virtfn->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_u64(dmasim_dev_write(virtfn, dma, "stale", 6).done, 0);
	dmasim_free(s, buffer, SZ_4K);
	expect_u64(dmasim_destroy(s), 0);
}

/* ---- Traits and memory ---------------------------------------------------------------------- */

static void what_firmware_says_of_the_physical_function_goes_for_them(void **state)
{
	struct card *card = *state;
	struct dmasim_endpoint outside = nic;
	struct pci_dev *pf;

	outside.traits.untrusted = true;
	outside.traits.no_snoop = true;
	pf = dmasim_add_endpoint(card->s, "00:02.0/00.0", &outside);
	expect_ok(pci_enable_sriov(pf, 1));
	assert_true(dev(card, "02:02.0")->dev.untrusted);
	assert_false(dev(card, "02:02.0")->dev.dma_coherent);
	expect_ok(pci_enable_sriov(card->pf, 1));
	assert_false(dev(card, "01:02.0")->dev.untrusted);
}

/* Whatever fails: no virtual function is left, and it works when tried again. */
static void expect_all_or_nothing(struct card *card)
{
	u32 before = count_devices(card->s);
	u64 nth = 0;
	int err;

	do {
		dmasim_fail(card->s, DMASIM_FAULT_ANY, ++nth);
		err = pci_enable_sriov(card->pf, 3);
		if (!err)
			break;
		expect_error(err, -ENOMEM);
		expect_u64(dmasim_failures(card->s), 1);
		expect_u64(count_devices(card->s), before);
		expect_u64(pci_num_vf(card->pf), 0);
	} while (nth < 1000);
	/* What hardware has made once it keeps, so the same place is not met twice. */
	assert_true(nth > 3);
	dmasim_fail(card->s, DMASIM_FAULT_ANY, 0);
	expect_u64(count_devices(card->s), before + 3);
}

static void each_allocation_that_fails_leaves_none(void **state)
{
	expect_all_or_nothing(*state);
}

static void also_while_the_machine_runs(void **state)
{
	struct card *card = *state;

	assert_true(dmasim_group(card->pf) >= 0);
	expect_all_or_nothing(card);
	assert_true(dmasim_group(dev(card, "01:02.2")) >= 0);
}

#define CARD_TEST(name) cmocka_unit_test_setup_teardown(name, card_setup, card_teardown)

TEST_MAIN(CARD_TEST(they_are_found_when_they_are_enabled),
	  CARD_TEST(they_are_gone_when_they_are_disabled),
	  CARD_TEST(what_cannot_be_enabled_is_refused),
	  CARD_TEST(numbers_past_a_bus_are_on_a_bus_without_bridge), CARD_TEST(on_a_root_bus_too),
	  CARD_TEST(they_keep_their_place_when_buses_move),
	  CARD_TEST(each_is_visited_once_after_its_physical_function),
	  CARD_TEST(their_bars_are_slices_of_the_physical_functions),
	  CARD_TEST(each_has_a_group_and_mappings_of_its_own),
	  CARD_TEST(without_bus_master_they_are_silent),
	  CARD_TEST(they_come_and_go_while_the_machine_runs),
	  cmocka_unit_test(their_device_tlbs_are_invalidated),
	  CARD_TEST(what_firmware_says_of_the_physical_function_goes_for_them),
	  CARD_TEST(each_allocation_that_fails_leaves_none), CARD_TEST(also_while_the_machine_runs))
