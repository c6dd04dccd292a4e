/* SPDX-License-Identifier: MIT */
/*
 * Context entries that change (facts "iova-and-page-tables" 3.2 and 6.4, last row): what the
 * software invalidates; if it does not, what a device does through an entry that is still cached,
 * and what the checker says of that.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "iommu/iommu.h"
#include "machine/machine.h"
#include "support/rig.h"

struct fixture {
	struct rig rig; /* first member */
	struct platform_ops ops;
	const struct platform_ops *real;
	u32 deaf_to;  /* types of commands that do not reach the unit, a bit each */
	u64 type[64]; /* word 0 of each command that was handed over */
	u32 commands;
};

#define CONTEXT 1U /* types */
#define IOTLB	2U
#define WAIT	5U

static int submit(void *machine, u32 unit, const void *commands, size_t bytes)
{
	struct dmasim *s = machine;
	struct fixture *fixture =
		(struct fixture *)((char *)s->platform.ops - offsetof(struct fixture, ops));

	for (size_t at = 0; at < bytes; at += 16) {
		u64 word;
		int err;

		memcpy(&word, (const u8 *)commands + at, sizeof(word));
		word = le64toh(word);
		if (fixture->commands < 64)
			fixture->type[fixture->commands++] = word;
		if (fixture->deaf_to >> (word & 0xf) & 1)
			continue;
		err = fixture->real->queue_submit(machine, unit, (const u8 *)commands + at, 16);
		if (err)
			return err;
	}
	return 0;
}

static int setup_with(void **state, const struct dmasim_config *config)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct platform *platform;

	if (!fixture)
		return -1;
	*state = fixture;
	rig_init(&fixture->rig, config);
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
	return setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .context_entries = 8 });
}

static int setup_caching_mode(void **state)
{
	return setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .context_entries = 8,
							  .iommu_caching_mode = true });
}

static int setup_pass_through(void **state)
{
	return setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .context_entries = 8,
							  .policy = DMASIM_PASS_THROUGH });
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

/* ---- What is sent ---------------------------------------------------------------------------- */

static void attaching_needs_no_invalidation(void **state)
{
	struct fixture *fixture = *state;

	expect_u64(fixture->commands, 0);
}

/* In this order: who translates, what it translated, and one wait for both. */
static void detaching_invalidates_the_context_and_then_its_domain(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	u64 domain = domain_of(nvme)->id;

	iommu_detach_device(nvme);
	expect_u64(fixture->commands, 3);
	expect_u64(fixture->type[0], 0x31 | domain << 16 | requester_of(nvme) << 32);
	expect_u64(fixture->type[1], 0xe2 | domain << 16);
	expect_u64(fixture->type[2] & 0xf, WAIT);
	expect_u64(dmasim_costs(fixture->rig.s).context_invalidations, 1);
}

static void a_device_that_was_let_pass_is_detached_the_same_way(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;

	iommu_detach_device(nvme);
	expect_u64(fixture->commands, 3);
	expect_u64(fixture->type[0], 0x31 | requester_of(nvme) << 32);
	expect_u64(fixture->type[1], 0xe2);
}

/* Absent entries may be cached, under domain id 0. */
static void in_caching_mode_attaching_invalidates_domain_0(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	u64 domain = domain_of(nvme)->id;
	u32 from;

	iommu_detach_device(nvme);
	from = fixture->commands;
	expect_ok(iommu_attach_device(nvme));
	expect_u64(fixture->commands, from + 3);
	expect_u64(fixture->type[from], 0x31 | requester_of(nvme) << 32);
	expect_u64(fixture->type[from + 1], 0xe2 | domain << 16);
}

static void in_caching_mode_mapping_invalidates_what_was_absent(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	u64 domain = domain_of(fixture->rig.nvme)->id;
	u32 from = fixture->commands;
	dma_addr_t dma = dma_map_phys(dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);

	expect_u64(fixture->commands, from + 2);
	expect_u64(fixture->type[from], 0xf2 | domain << 16);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(fixture->commands, from + 4);
}

/* The device looks before there is anything, and then again. Returns what the second look got. */
static u64 look_twice(struct fixture *fixture, bool deaf)
{
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	u64 done;

	/* Where a mapping was before there will be one again. */
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_u64(dmasim_dev_write(rig->nvme, dma, "x", 1).done, 0);
	fixture->deaf_to = deaf ? 1U << IOTLB : 0;
	expect_u64(dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0), dma);
	fixture->deaf_to = 0;
	done = dmasim_dev_write(rig->nvme, dma, "x", 1).done;
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(rig->s, buf, SZ_4K);
	return done;
}

/* trust: absent entries in caching mode | our reading of the facts: row 1 of 6.4 */
static void in_caching_mode_what_was_absent_is_refused_until_it_is_invalidated(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;

	dmasim_suppress(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP);
	expect_u64(look_twice(fixture, false), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_ABSENT_CACHED, 1);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_u64(look_twice(fixture, true), 0);
	dmasim_assert_clean(rig->s);
}

/* Each way to map is judged when the device may use it; and each place is told once. */
static void in_caching_mode_every_way_to_map_is_judged(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	struct device *dev = &rig->nvme->dev;
	struct scatterlist sg[2];
	struct dma_iova_state st;
	dma_addr_t dma, coherent;
	void *memory;

	sg_init_table(sg, 2);
	sg_set_page(&sg[0], dmasim_page(rig->s, SZ_1M), SZ_4K, 0);
	sg_set_page(&sg[1], dmasim_page(rig->s, SZ_2M), SZ_4K, 0);
	assert_true(dma_iova_try_alloc(dev, &st, 0, 2 * SZ_4K));
	fixture->deaf_to = 1U << IOTLB;

	dmasim_expect(rig->s, DMASIM_REPORT_ABSENT_CACHED, 1);
	dma = dma_map_phys(dev, SZ_1M, 2 * SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_ABSENT_CACHED, 1);
	memory = dma_alloc_coherent(dev, SZ_4K, &coherent, GFP_KERNEL);
	/* Both entries of the list. */
	dmasim_expect(rig->s, DMASIM_REPORT_ABSENT_CACHED, 2);
	expect_u64(dma_map_sg(dev, sg, 2, DMA_TO_DEVICE), 1);
	/* Links are not ready before their sync. */
	expect_ok(dma_iova_link(dev, &st, SZ_1M, 0, 2 * SZ_4K, DMA_TO_DEVICE, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_ABSENT_CACHED, 1);
	expect_ok(dma_iova_sync(dev, &st, 0, 2 * SZ_4K));
	expect_ok(dma_iova_sync(dev, &st, 0, 2 * SZ_4K));
	expect_u64(dmasim_report_count(rig->s), 5);

	fixture->deaf_to = 0;
	dma_iova_destroy(dev, &st, 2 * SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_sg(dev, sg, 2, DMA_TO_DEVICE);
	dma_free_coherent(dev, SZ_4K, memory, coherent);
	dma_unmap_phys(dev, dma, 2 * SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* Other units do not remember what was not there: nothing need be said. */
static void without_caching_mode_what_was_absent_is_not_remembered(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;

	dmasim_suppress(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP);
	expect_u64(look_twice(fixture, true), 1);
	dmasim_assert_clean(rig->s);
}

/* A device that was refused once is served after it was attached. */
static void in_caching_mode_a_device_that_was_refused_is_served(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 2);
	iommu_detach_device(rig->nvme);
	expect_u64(dmasim_dev_write(rig->nvme, dma, "x", 1).done, 0);
	expect_ok(iommu_attach_device(rig->nvme));
	expect_done(dmasim_dev_write(rig->nvme, dma, "x", 1), 1);

	/* Without the invalidation it is refused on. */
	iommu_detach_device(rig->nvme);
	expect_u64(dmasim_dev_write(rig->nvme, dma, "x", 1).done, 0);
	fixture->deaf_to = 1U << CONTEXT;
	expect_ok(iommu_attach_device(rig->nvme));
	expect_u64(dmasim_dev_write(rig->nvme, dma, "x", 1).done, 0);
	fixture->deaf_to = 0;
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_free(rig->s, buf, SZ_4K);
}

/* ---- What happens without -------------------------------------------------------------------- */

static void a_domain_that_ends_as_it_should_gives_no_report(void **state)
{
	struct fixture *fixture = *state;

	detach_and_destroy(fixture);
	dmasim_assert_clean(fixture->rig.s);
}

/* trust: a context entry not invalidated | our reading of the facts: the last row of 6.4 */
static void a_context_that_was_not_invalidated_is_told_when_its_tables_go(void **state)
{
	struct fixture *fixture = *state;
	struct dmasim *s = fixture->rig.s;
	struct dmasim_report report;

	fixture->deaf_to = 1U << CONTEXT;
	dmasim_expect(s, DMASIM_REPORT_TABLE_FREED_EARLY, 1);
	detach_and_destroy(fixture);
	assert_true(dmasim_report_get(s, 0, &report));
	expect_u64(report.id, DMASIM_REPORT_TABLE_FREED_EARLY);
	assert_non_null(strstr(report.text, "context entry"));
	dmasim_assert_clean(s);
}

/* Executed but not waited for is not over. */
static void a_context_invalidation_counts_only_after_a_wait(void **state)
{
	struct fixture *fixture = *state;

	fixture->deaf_to = 1U << WAIT;
	dmasim_expect(fixture->rig.s, DMASIM_REPORT_TABLE_FREED_EARLY, 1);
	detach_and_destroy(fixture);
	dmasim_assert_clean(fixture->rig.s);
}

/* Tables go although the entry in memory still points to them: no invalidation helps. */
static void an_entry_that_still_points_to_freed_tables_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	struct iommu_domain *domain = domain_of(nvme);

	dmasim_expect(fixture->rig.s, DMASIM_REPORT_TABLE_FREED_EARLY, 1);
	iommu_domain_destroy(domain);
	dmasim_assert_clean(fixture->rig.s);
	nvme->dev.iommu_group->domain = NULL;
	nvme->attached = false;
}

/* What the report is about: the device that was detached goes on writing. */
static void a_detached_device_writes_on_through_a_cached_context(void **state)
{
	struct fixture *fixture = *state;
	struct rig *rig = &fixture->rig;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);

	expect_done(dmasim_dev_write(rig->nvme, dma, "1", 2), 2);
	fixture->deaf_to = 1U << CONTEXT;
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

#define T(test, setup) cmocka_unit_test_setup_teardown(test, setup, teardown)

TEST_MAIN(T(attaching_needs_no_invalidation, setup),
	  T(detaching_invalidates_the_context_and_then_its_domain, setup),
	  T(a_device_that_was_let_pass_is_detached_the_same_way, setup_pass_through),
	  T(in_caching_mode_attaching_invalidates_domain_0, setup_caching_mode),
	  T(in_caching_mode_mapping_invalidates_what_was_absent, setup_caching_mode),
	  T(in_caching_mode_a_device_that_was_refused_is_served, setup_caching_mode),
	  T(in_caching_mode_what_was_absent_is_refused_until_it_is_invalidated, setup_caching_mode),
	  T(in_caching_mode_every_way_to_map_is_judged, setup_caching_mode),
	  T(without_caching_mode_what_was_absent_is_not_remembered, setup),
	  T(a_domain_that_ends_as_it_should_gives_no_report, setup),
	  T(a_context_that_was_not_invalidated_is_told_when_its_tables_go, setup),
	  T(a_context_invalidation_counts_only_after_a_wait, setup),
	  T(an_entry_that_still_points_to_freed_tables_is_told, setup),
	  T(a_detached_device_writes_on_through_a_cached_context, setup))
