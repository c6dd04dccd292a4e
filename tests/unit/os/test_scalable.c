/* SPDX-License-Identifier: MIT */
/*
 * VT-d's scalable mode as the software uses it: every requester's requests are translated by the
 * entry of PASID 0, and what is invalidated is that entry (facts "iova-and-page-tables" 3.2). The
 * commands have 32 bytes.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "iommu/iommu.h"
#include "machine/machine.h"
#include "support/rig.h"

#define PASID_CACHE 7U /* types */
#define IOTLB	    2U
#define WAIT	    5U
#define PASID_IOTLB 6U
#define WIDE	    32U

struct fixture {
	struct rig rig; /* first member */
	struct platform_ops ops;
	const struct platform_ops *real;
	u32 deaf_to;   /* types of commands that do not reach the unit, a bit each */
	bool mixed_up; /* what is for the first stage becomes one for the second */
	u64 type[64];  /* word 0 of each command that was handed over */
	u32 commands;
};

static int submit(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct dmasim *s = machine;
	struct fixture *fixture =
		(struct fixture *)((char *)s->platform.ops - offsetof(struct fixture, ops));

	expect_u64(bytes % WIDE, 0);
	for (size_t at = 0; at < bytes; at += WIDE) {
		u64 word[4];
		int err;

		memcpy(word, (const u8 *)commands + at, sizeof(word));
		expect_u64(word[2] | word[3], 0);
		if (fixture->commands < 64)
			fixture->type[fixture->commands++] = le64toh(word[0]);
		if (fixture->mixed_up && (le64toh(word[0]) & 0xf) == PASID_IOTLB)
			word[0] = htole64(le64toh(word[0]) - PASID_IOTLB + IOTLB);
		if (fixture->deaf_to >> (le64toh(word[0]) & 0xf) & 1)
			continue;
		err = fixture->real->queue_submit(machine, unit, word, WIDE);
		if (err)
			return err;
	}
	return 0;
}

static int setup_with(void **state, struct dmasim_config config)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct platform *platform;

	if (!fixture)
		return -1;
	*state = fixture;
	config.size = sizeof(config);
	config.iommu_scalable = true;
	config.context_entries = 8;
	config.pasid_entries = 8;
	rig_init(&fixture->rig, &config);
	platform = &fixture->rig.s->platform;
	fixture->real = platform->ops;
	fixture->ops = *platform->ops;
	fixture->ops.queue_submit = submit;
	platform->ops = &fixture->ops;
	dmasim_group(fixture->rig.nvme); /* starts the machine */
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, (struct dmasim_config){ 0 });
}

static int setup_caching_mode(void **state)
{
	return setup_with(state, (struct dmasim_config){ .iommu_caching_mode = true });
}

static int setup_pass_through(void **state)
{
	return setup_with(state, (struct dmasim_config){ .policy = DMASIM_PASS_THROUGH });
}

static int setup_device_tlb(void **state)
{
	return setup_with(state, (struct dmasim_config){ .iommu_device_tlb = true });
}

static int setup_first_stage(void **state)
{
	return setup_with(state, (struct dmasim_config){ .iommu_first_stage = true });
}

/* What is absent is never cached of it. */
static int setup_first_stage_caching_mode(void **state)
{
	return setup_with(state, (struct dmasim_config){ .iommu_first_stage = true,
							 .iommu_caching_mode = true });
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fixture->rig.s->platform.ops = fixture->real;
	rig_fini(&fixture->rig);
	free(fixture);
	return 0;
}

static u64 requester_of(const struct pci_dev *pdev)
{
	return pdev->dev.id & 0xffff;
}

static struct iommu_domain *domain_of(struct pci_dev *pdev)
{
	return pdev->dev.iommu_group->domain;
}

/* The group's only device goes, and the domain with it. */
static void detach_and_destroy(struct fixture *fixture)
{
	struct pci_dev *nvme = fixture->rig.nvme;
	struct iommu_domain *domain = domain_of(nvme);

	iommu_detach_device(nvme);
	nvme->dev.iommu_group->domain = NULL;
	iommu_domain_destroy(domain);
}

/* ---- What devices reach ---------------------------------------------------------------------- */

static void map_write_and_unmap(struct fixture *fixture)
{
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_64K);
	u8 from[SZ_64K];
	dma_addr_t dma;

	fill_pattern(from, sizeof(from), 1);
	dma = dma_map_phys(&rig->nvme->dev, buf, SZ_64K, DMA_FROM_DEVICE, 0);
	expect_done(dmasim_dev_write(rig->nvme, dma, from, SZ_64K), SZ_64K);
	assert_memory_equal(dmasim_ptr(rig->s, buf, SZ_64K), from, SZ_64K);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_64K, DMA_FROM_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_u64(dmasim_dev_write(rig->nvme, dma, from, 1).done, 0);
	dmasim_free(rig->s, buf, SZ_64K);
	dmasim_assert_clean(rig->s);
}

/* trust: scalable mode, requests without PASID | our reading of the facts */
static void a_device_reaches_what_is_mapped_and_nothing_else(void **state)
{
	struct fixture *fixture = *state;
	struct dmasim_costs costs;

	map_write_and_unmap(fixture);
	costs = dmasim_costs(fixture->rig.s);
	expect_u64(costs.pasid_misses, 1);
	assert_true(costs.pasid_hits > 0);
	expect_u64(costs.context_misses, 1);
}

/* Where devices have TLBs in legacy mode, in this one they stay off. */
static void device_tlbs_stay_off(void **state)
{
	struct fixture *fixture = *state;

	assert_false(fixture->rig.nvme->ats_enabled);
	map_write_and_unmap(fixture);
}

/* ---- What is sent ---------------------------------------------------------------------------- */

/* In this order: who translates, what it translated, and one wait for both. */
static void detaching_invalidates_the_pasid_and_then_its_domain(void **state)
{
	struct fixture *fixture = *state;
	u64 domain = domain_of(fixture->rig.nvme)->id;

	expect_u64(fixture->commands, 0);
	iommu_detach_device(fixture->rig.nvme);
	expect_u64(fixture->commands, 3);
	expect_u64(fixture->type[0], 0x17 | domain << 16);
	expect_u64(fixture->type[1], 0xe2 | domain << 16);
	expect_u64(fixture->type[2] & 0xf, WAIT);
	expect_u64(dmasim_costs(fixture->rig.s).pasid_invalidations, 1);
	expect_u64(dmasim_costs(fixture->rig.s).context_invalidations, 0);
}

static void a_device_that_was_let_pass_is_detached_the_same_way(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;

	iommu_detach_device(nvme);
	expect_u64(fixture->commands, 4);
	expect_u64(fixture->type[0], 0x31 | requester_of(nvme) << 32);
	expect_u64(fixture->type[1], 0x17);
	expect_u64(fixture->type[2], 0xe2);
}

/* What was absent is cached under domain 0: the entry, and what leads to it. */
static void in_caching_mode_attaching_invalidates_both_entries(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	u64 domain = domain_of(nvme)->id;
	u32 from;

	iommu_detach_device(nvme);
	from = fixture->commands;
	expect_ok(iommu_attach_device(nvme));
	expect_u64(fixture->commands, from + 4);
	expect_u64(fixture->type[from], 0x31 | requester_of(nvme) << 32);
	expect_u64(fixture->type[from + 1], 0x17);
	expect_u64(fixture->type[from + 2], 0xe2 | domain << 16);
	map_write_and_unmap(fixture);
}

static void unmapping_invalidates_the_second_stage(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	u64 domain = domain_of(fixture->rig.nvme)->id;
	dma_addr_t dma = dma_map_phys(dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);

	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(fixture->commands, 2);
	expect_u64(fixture->type[0], 0xf2 | domain << 16);
}

/* ---- What happens without -------------------------------------------------------------------- */

static void a_domain_that_ends_as_it_should_gives_no_report(void **state)
{
	struct fixture *fixture = *state;

	detach_and_destroy(fixture);
	dmasim_assert_clean(fixture->rig.s);
}

/* trust: a PASID's entry not invalidated | our reading of the facts: the last row of 6.4 */
static void an_entry_that_was_not_invalidated_is_told_when_its_tables_go(void **state)
{
	struct fixture *fixture = *state;

	fixture->deaf_to = 1U << PASID_CACHE;
	dmasim_expect(fixture->rig.s, DMASIM_REPORT_TABLE_FREED_EARLY, 1);
	detach_and_destroy(fixture);
	dmasim_assert_clean(fixture->rig.s);
}

/* trust: scalable mode, a translation not invalidated | our reading of the facts */
static void a_translation_that_was_not_invalidated_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);

	fixture->deaf_to = 1U << IOTLB;
	dmasim_expect(fixture->rig.s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(fixture->rig.s);
	fixture->deaf_to = 0;
}

/* What the report is about: the device that was detached goes on writing. */
static void a_detached_device_writes_on_through_a_cached_entry(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);

	expect_done(dmasim_dev_write(rig->nvme, dma, "1", 2), 2);
	fixture->deaf_to = 1U << PASID_CACHE;
	iommu_detach_device(rig->nvme);
	expect_done(dmasim_dev_write(rig->nvme, dma, "2", 2), 2);
	assert_string_equal(dmasim_ptr(rig->s, buf, 2), "2");

	/* Done right it is stopped at once. */
	fixture->deaf_to = 0;
	expect_ok(iommu_attach_device(rig->nvme));
	iommu_detach_device(rig->nvme);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_u64(dmasim_dev_write(rig->nvme, dma, "3", 2).done, 0);
	assert_string_equal(dmasim_ptr(rig->s, buf, 2), "2");
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(rig->s, buf, SZ_4K);
}

/* ---- A first stage --------------------------------------------------------------------------- */

/* Type 6 is for one page of the PASID, or for all of it; a map has nothing to invalidate. */
static void unmapping_invalidates_the_pasids_first_stage(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	u64 domain = domain_of(fixture->rig.nvme)->id;
	u32 from = fixture->commands;
	dma_addr_t dma = dma_map_phys(dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);

	expect_u64(fixture->commands, from);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(fixture->commands, from + 2);
	expect_u64(fixture->type[from], 0x36 | domain << 16);
	iommu_detach_device(fixture->rig.nvme);
	expect_u64(fixture->commands, from + 5);
	expect_u64(fixture->type[from + 2], 0x17 | domain << 16);
	expect_u64(fixture->type[from + 3], 0x26 | domain << 16);
	dmasim_assert_clean(fixture->rig.s);
}

/* trust: a first stage's translation not invalidated | our reading of the facts: 3.2 */
static void a_command_for_the_other_stage_does_not_cover_it(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);
	struct dmasim_report report;

	fixture->mixed_up = true;
	dmasim_expect(fixture->rig.s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	assert_true(dmasim_report_get(fixture->rig.s, 0, &report));
	assert_non_null(strstr(report.text, "left out"));
	assert_non_null(strstr(report.text, "the PASID of requests without one"));
	dmasim_assert_clean(fixture->rig.s);
	fixture->mixed_up = false;
}

/* What may be written may be read: nobody but the checker sees that it should not. */
static void reads_of_what_is_to_be_written_are_told(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	u8 byte;

	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
	expect_done(dmasim_dev_read(rig->nvme, dma, &byte, 1), 1);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(rig->s, buf, SZ_4K);
	dmasim_assert_clean(rig->s);
}

#define T(test, setup) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(T(a_device_reaches_what_is_mapped_and_nothing_else, setup),
	  T(a_device_reaches_what_is_mapped_and_nothing_else, setup_first_stage),
	  T(device_tlbs_stay_off, setup_device_tlb),
	  T(detaching_invalidates_the_pasid_and_then_its_domain, setup),
	  T(a_device_that_was_let_pass_is_detached_the_same_way, setup_pass_through),
	  T(in_caching_mode_attaching_invalidates_both_entries, setup_caching_mode),
	  T(unmapping_invalidates_the_second_stage, setup),
	  T(a_domain_that_ends_as_it_should_gives_no_report, setup),
	  T(an_entry_that_was_not_invalidated_is_told_when_its_tables_go, setup),
	  T(a_translation_that_was_not_invalidated_is_told, setup),
	  T(a_detached_device_writes_on_through_a_cached_entry, setup),
	  T(a_domain_that_ends_as_it_should_gives_no_report, setup_first_stage),
	  T(an_entry_that_was_not_invalidated_is_told_when_its_tables_go, setup_first_stage),
	  T(a_detached_device_writes_on_through_a_cached_entry, setup_first_stage),
	  T(unmapping_invalidates_the_pasids_first_stage, setup_first_stage),
	  T(unmapping_invalidates_the_pasids_first_stage, setup_first_stage_caching_mode),
	  T(a_command_for_the_other_stage_does_not_cover_it, setup_first_stage),
	  T(reads_of_what_is_to_be_written_are_told, setup_first_stage))
