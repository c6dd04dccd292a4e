/* SPDX-License-Identifier: MIT */
/*
 * How a group is mapped: what the machine says, what devices wish, and which wish wins; and devices
 * that an IOMMU lets pass (facts "dma-api" 2, 18.6).
 */
#include "unit/api/machines.h"

#define HIGH (8ULL * SZ_1G)

/* Below one port that does not isolate: nvme and gpu are one group. disk is another. */
struct machine {
	struct dmasim *s;
	struct pci_dev *nvme, *gpu, *disk;
};

static struct pci_dev *add(struct machine *m, const char *path, struct dmasim_traits traits)
{
	struct pci_dev *pdev = dmasim_add_endpoint(
		m->s, path, &(struct dmasim_endpoint){ .bar = { SZ_16K }, .traits = traits });

	assert_non_null(pdev);
	return pdev;
}

static void start(struct machine *m, enum dmasim_policy policy, bool gpu_untrusted)
{
	m->s = dmasim_create(
		&(struct dmasim_config){ DMASIM_CONFIG, .policy = policy, .acs = DMASIM_ACS_OFF });
	assert_non_null(m->s);
	m->nvme = add(m, "00:01.0/00.0/00.0/00.0", (struct dmasim_traits){ .untrusted = false });
	m->gpu = add(m, "00:01.0/00.0/01.0/00.0",
		     (struct dmasim_traits){ .untrusted = gpu_untrusted });
	m->disk = add(m, "00:02.0/00.0", (struct dmasim_traits){ .untrusted = false });
}

static void end(struct machine *m)
{
	dmasim_assert_clean(m->s);
	expect_u64(dmasim_destroy(m->s), 0);
}

/* Maps, moves data, unmaps; and says which way it was. */
static enum dmasim_policy policy_of(struct machine *m, struct pci_dev *pdev)
{
	struct device *dev = &pdev->dev;
	dma_addr_t dma;
	u64 before;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(64)));
	dma = dma_map_phys(dev, HIGH, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_ok(dma_mapping_error(dev, dma));
	expect_both_ways(m->s, pdev, dma, HIGH, SZ_4K);
	before = dmasim_costs(m->s).invalidations;
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	if (dma == HIGH) {
		expect_u64(dmasim_costs(m->s).invalidations, before);
		return DMASIM_PASS_THROUGH;
	}
	if (dmasim_costs(m->s).invalidations == before + 1)
		return DMASIM_STRICT;
	dmasim_run(m->s, 10000000);
	expect_u64(dmasim_costs(m->s).invalidations, before + 1);
	return DMASIM_LAZY;
}

static void the_machines_policy_is_for_who_says_nothing(void **state)
{
	(void)state;
	for (u32 policy = DMASIM_STRICT; policy <= DMASIM_PASS_THROUGH; policy++) {
		struct machine m;

		start(&m, (enum dmasim_policy)policy, false);
		expect_u64(policy_of(&m, m.nvme), policy);
		expect_u64(policy_of(&m, m.gpu), policy);
		expect_u64(policy_of(&m, m.disk), policy);
		end(&m);
	}
}

/* Numbers of enum dmasim_policy: the smaller is the more careful. */
static void of_two_wishes_in_a_group_the_more_careful_wins(void **state)
{
	(void)state;
	for (u32 i = 0; i < 27; i++) {
		u32 nvme = i % 3, gpu = i / 3 % 3, otherwise = i / 9;
		struct machine m;

		start(&m, (enum dmasim_policy)otherwise, false);
		dmasim_set_policy(m.nvme, (enum dmasim_policy)nvme);
		dmasim_set_policy(m.gpu, (enum dmasim_policy)gpu);
		expect_u64(policy_of(&m, m.gpu), nvme < gpu ? nvme : gpu);
		expect_u64(policy_of(&m, m.nvme), nvme < gpu ? nvme : gpu);
		expect_u64(policy_of(&m, m.disk), otherwise);
		end(&m);
	}
}

static void one_wish_is_enough_for_the_group(void **state)
{
	(void)state;
	for (u32 i = 0; i < 9; i++) {
		u32 wish = i % 3, otherwise = i / 3;
		struct machine m;

		start(&m, (enum dmasim_policy)otherwise, false);
		dmasim_set_policy(m.gpu, (enum dmasim_policy)wish);
		expect_u64(policy_of(&m, m.nvme), wish);
		expect_u64(policy_of(&m, m.disk), otherwise);
		end(&m);
	}
}

static void an_untrusted_device_makes_its_group_strict(void **state)
{
	(void)state;
	for (u32 i = 0; i < 9; i++) {
		u32 wish = i % 3, otherwise = i / 3;
		struct machine m;

		start(&m, (enum dmasim_policy)otherwise, true);
		dmasim_set_policy(m.nvme, (enum dmasim_policy)wish);
		dmasim_set_policy(m.gpu, DMASIM_PASS_THROUGH);
		expect_u64(policy_of(&m, m.nvme), DMASIM_STRICT);
		expect_u64(policy_of(&m, m.gpu), DMASIM_STRICT);
		expect_u64(policy_of(&m, m.disk), otherwise);
		end(&m);
	}
}

/* ---- Pass-through ---------------------------------------------------------------------------- */

static void a_device_that_passes_is_in_direct_mode(void **state)
{
	struct dma_iova_state iova = { 1, 1 };
	struct machine m;
	struct device *dev;
	dma_addr_t dma;
	u8 sent[100];

	(void)state;
	start(&m, DMASIM_PASS_THROUGH, false);
	dev = &m.nvme->dev;
	assert_true(dmasim_group(m.nvme) >= 0);
	expect_u64(dmasim_group(m.nvme), (u64)dmasim_group(m.gpu));
	assert_false(dma_iova_try_alloc(dev, &iova, HIGH, SZ_4K));
	expect_u64(iova.__size, 0);
	expect_u64(dma_get_merge_boundary(dev), 0);
	/* And bounced like one. */
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	dma = dma_map_phys(dev, HIGH, 100, DMA_FROM_DEVICE, 0);
	expect_ok(dma_mapping_error(dev, dma));
	assert_true(dma < SZ_4G);
	expect_u64(dmasim_bounce_use(m.nvme).used, 1);
	fill_pattern(sent, sizeof(sent), 1);
	expect_done(dmasim_dev_write(m.nvme, dma, sent, sizeof(sent)), sizeof(sent));
	dma_unmap_phys(dev, dma, 100, DMA_FROM_DEVICE, 0);
	expect_bytes_at(m.s, HIGH, sent, sizeof(sent));
	expect_u64(dmasim_costs(m.s).entries_written, 0);
	end(&m);
}

/* It passes, but not unseen: nothing maps what it touches. */
static void a_device_that_passes_reaches_what_nobody_mapped(void **state)
{
	struct machine m;
	u8 byte = 1;

	(void)state;
	start(&m, DMASIM_PASS_THROUGH, false);
	dmasim_set_policy(m.disk, DMASIM_STRICT);
	dmasim_expect(m.s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 1);
	expect_done(dmasim_dev_write(m.nvme, HIGH, &byte, 1), 1);
	expect_u64(count_reports(m.s, DMASIM_REPORT_ACCESS_NOT_MAPPED), 1);
	dmasim_suppress(m.s, DMASIM_REPORT_IOMMU_FAULT);
	dmasim_suppress(m.s, DMASIM_REPORT_ACCESS_NOT_MAPPED);
	expect_refused(m.disk, HIGH);
	end(&m);
}

TEST_MAIN(cmocka_unit_test(the_machines_policy_is_for_who_says_nothing),
	  cmocka_unit_test(of_two_wishes_in_a_group_the_more_careful_wins),
	  cmocka_unit_test(one_wish_is_enough_for_the_group),
	  cmocka_unit_test(an_untrusted_device_makes_its_group_strict),
	  cmocka_unit_test(a_device_that_passes_is_in_direct_mode),
	  cmocka_unit_test(a_device_that_passes_reaches_what_nobody_mapped))
