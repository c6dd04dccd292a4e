/* SPDX-License-Identifier: MIT */
/*
 * The flush queue, through a lazy machine: when what was unmapped is invalidated, and what waits
 * for that (facts "iova-and-page-tables" 1.4).
 */
#include "iova/flush_queue.h"

#include <stdlib.h>

#include "support/rig.h"

#define ROOM (FLUSH_QUEUE_ENTRIES - 1)
#define MS   1000000ULL

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig)
		return -1;
	rig_init(rig, &(struct dmasim_config){ DMASIM_CONFIG, .policy = DMASIM_LAZY });
	*state = rig;
	return 0;
}

static phys_addr_t ram(struct rig *rig, u64 bytes)
{
	phys_addr_t phys = dmasim_alloc(rig->s, bytes);

	assert_true(phys != DMASIM_NO_PHYS);
	return phys;
}

static dma_addr_t map(struct rig *rig, phys_addr_t phys, size_t bytes)
{
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, phys, bytes, DMA_BIDIRECTIONAL, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	return dma;
}

static void unmap(struct rig *rig, dma_addr_t dma, size_t bytes)
{
	dma_unmap_phys(&rig->nvme->dev, dma, bytes, DMA_BIDIRECTIONAL, 0);
}

/* Maps and unmaps a page so many times. */
static void queue(struct rig *rig, phys_addr_t phys, u32 count)
{
	for (u32 i = 0; i < count; i++)
		unmap(rig, map(rig, phys, SZ_4K), SZ_4K);
}

static u64 flushes(struct rig *rig)
{
	return dmasim_costs(rig->s).invalidations;
}

/* ---- When ------------------------------------------------------------------------------------ */

static void the_256th_unmap_flushes_and_every_255th_after_it(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, SZ_4K);
	u64 before = flushes(rig);

	for (u32 n = 1; n <= 1100; n++) {
		queue(rig, phys, 1);
		expect_u64(flushes(rig) - before, (n - 1) / ROOM);
	}
	expect_u64(dmasim_now(rig->s), 0);
}

static void the_timer_flushes_10_ms_after_the_first_unmap(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, SZ_4K);
	u64 before = flushes(rig);

	dmasim_run(rig->s, 50 * MS);
	expect_u64(flushes(rig), before);
	queue(rig, phys, 3);
	dmasim_run(rig->s, 6 * MS);
	queue(rig, phys, 1);
	dmasim_run(rig->s, FLUSH_QUEUE_TIMEOUT_NS - 6 * MS - 1);
	expect_u64(flushes(rig), before);
	dmasim_run(rig->s, 1);
	expect_u64(flushes(rig), before + 1);
	/* Nothing waits: nothing more is flushed. */
	dmasim_run(rig->s, 100 * MS);
	expect_u64(flushes(rig), before + 1);
	/* And again. */
	queue(rig, phys, 1);
	dmasim_run(rig->s, FLUSH_QUEUE_TIMEOUT_NS - 1);
	expect_u64(flushes(rig), before + 1);
	dmasim_run(rig->s, 1);
	expect_u64(flushes(rig), before + 2);
}

static void each_cpu_has_its_ring(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, SZ_4K);
	u64 before = flushes(rig);

	for (u32 cpu = 0; cpu < 4; cpu++) {
		dmasim_set_cpu(rig->s, cpu);
		queue(rig, phys, ROOM);
	}
	expect_u64(flushes(rig), before);
	/* This one is full; the flush covers what waits in the others too. */
	dmasim_set_cpu(rig->s, 2);
	queue(rig, phys, 1);
	expect_u64(flushes(rig), before + 1);
	for (u32 cpu = 0; cpu < 4; cpu++) {
		dmasim_set_cpu(rig->s, cpu);
		queue(rig, phys, cpu == 2 ? ROOM - 1 : ROOM);
	}
	expect_u64(flushes(rig), before + 1);
	dmasim_run(rig->s, 10 * MS);
	expect_u64(flushes(rig), before + 2);
}

static void each_domain_has_its_queue(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, SZ_4K);
	u64 before = flushes(rig);

	queue(rig, phys, ROOM);
	for (u32 i = 0; i < ROOM; i++) {
		dma_addr_t dma = dma_map_phys(&rig->disk->dev, phys, SZ_4K, DMA_TO_DEVICE, 0);

		expect_ok(dma_mapping_error(&rig->disk->dev, dma));
		dma_unmap_phys(&rig->disk->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	}
	expect_u64(flushes(rig), before);
	dmasim_run(rig->s, 10 * MS);
	expect_u64(flushes(rig), before + 2);
}

/* ---- What waits ------------------------------------------------------------------------------ */

static void an_address_is_not_used_again_before_the_flush(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, SZ_4K);
	dma_addr_t used[ROOM], again;

	for (u32 i = 0; i < ROOM; i++) {
		used[i] = map(rig, phys, SZ_4K);
		for (u32 k = 0; k < i; k++)
			assert_true(used[k] != used[i]);
		unmap(rig, used[i], SZ_4K);
	}
	dmasim_run(rig->s, 10 * MS);
	/* Of what is in the CPU's cache, what came last. */
	again = map(rig, phys, SZ_4K);
	expect_u64(again, used[ROOM - 1]);
	unmap(rig, again, SZ_4K);
}

/* A flush that another CPU made frees an entry when its own CPU queues the next. */
static void another_cpus_flush_counts(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, SZ_4K);
	dma_addr_t first, next;
	u64 before = flushes(rig);

	dmasim_set_cpu(rig->s, 1);
	first = map(rig, phys, SZ_4K);
	next = map(rig, phys, SZ_4K);
	unmap(rig, first, SZ_4K);
	dmasim_set_cpu(rig->s, 0);
	queue(rig, phys, ROOM + 1);
	expect_u64(flushes(rig), before + 1);
	dmasim_set_cpu(rig->s, 1);
	unmap(rig, next, SZ_4K);
	expect_u64(map(rig, phys, SZ_4K), first);
	unmap(rig, first, SZ_4K);
}

/*
 * What was queued after a flush had begun waits for the next one: here the entry that found the
 * ring full.
 */
static void the_entry_that_flushed_is_not_freed_by_that_flush(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, SZ_4K);
	dma_addr_t last = map(rig, phys, SZ_4K), other;

	queue(rig, phys, ROOM);
	unmap(rig, last, SZ_4K);
	other = map(rig, phys, SZ_4K);
	assert_true(other != last);
	unmap(rig, other, SZ_4K);
	dmasim_run(rig->s, 10 * MS);
	/* Both are in the CPU's cache, the later one above. */
	expect_u64(map(rig, phys, SZ_4K), other);
	expect_u64(map(rig, phys, SZ_4K), last);
	unmap(rig, last, SZ_4K);
	unmap(rig, other, SZ_4K);
}

#define SPAN (3 * SZ_2M + SZ_4K)

static void tables_live_until_the_flush(void **state)
{
	struct rig *rig = *state;
	/* Not aligned as the IOVA: small leaves, in several tables. */
	dma_addr_t dma = map(rig, SZ_256M + SZ_4K, SPAN);
	u64 freed = dmasim_costs(rig->s).tables_freed;
	u64 live = dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE);

	unmap(rig, dma, SPAN);
	expect_u64(dmasim_costs(rig->s).tables_freed, freed);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE), live);
	dmasim_run(rig->s, 10 * MS - 1);
	expect_u64(dmasim_costs(rig->s).tables_freed, freed);
	dmasim_run(rig->s, 1);
	assert_true(dmasim_costs(rig->s).tables_freed >= freed + 3);
	expect_u64(live - dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE),
		   dmasim_costs(rig->s).tables_freed - freed);
	dmasim_assert_clean(rig->s);
}

/* What waits when the machine ends goes with it: the tear-down counts. */
static void a_machine_may_end_while_much_waits(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, SZ_4K);

	for (u32 cpu = 0; cpu < 4; cpu++) {
		dmasim_set_cpu(rig->s, cpu);
		queue(rig, phys, 20);
		unmap(rig, map(rig, SZ_256M + SZ_4K, SPAN), SPAN);
	}
	dmasim_assert_clean(rig->s);
}

/* ---- The window ------------------------------------------------------------------------------ */

static void in_the_window_a_cached_translation_works_and_is_reported(void **state)
{
	struct rig *rig = *state;
	phys_addr_t phys = ram(rig, SZ_4K);
	dma_addr_t dma = map(rig, phys, SZ_4K);
	u8 sent[64], found[64];

	fill_pattern(sent, sizeof(sent), 1);
	expect_done(dmasim_dev_write(rig->nvme, dma, sent, sizeof(sent)), sizeof(sent));
	unmap(rig, dma, SZ_4K);
	fill_pattern(sent, sizeof(sent), 2);
	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_done(dmasim_dev_write(rig->nvme, dma, sent, sizeof(sent)), sizeof(sent));
	expect_u64(dmasim_read(rig->s, phys, found, sizeof(found)), sizeof(found));
	assert_memory_equal(found, sent, sizeof(sent));
	expect_u64(count_reports(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP), 1);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_IOMMU_FAULT), 0);

	/* The window closes. */
	dmasim_run(rig->s, 10 * MS);
	dmasim_suppress(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP);
	dmasim_suppress(rig->s, DMASIM_REPORT_IOMMU_FAULT);
	expect_transfer(dmasim_dev_write(rig->nvme, dma, sent, 1), DMASIM_IOMMU_FAULT, 0);
	dmasim_assert_clean(rig->s);
}

static void a_translation_that_nobody_cached_is_gone_at_once(void **state)
{
	struct rig *rig = *state;
	dma_addr_t dma = map(rig, ram(rig, SZ_4K), SZ_4K);
	u8 byte = 0;

	unmap(rig, dma, SZ_4K);
	dmasim_suppress(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP);
	dmasim_suppress(rig->s, DMASIM_REPORT_IOMMU_FAULT);
	expect_transfer(dmasim_dev_write(rig->nvme, dma, &byte, 1), DMASIM_IOMMU_FAULT, 0);
	assert_true(dmasim_report_count(rig->s) > 0);
	dmasim_assert_clean(rig->s);
}

/* ---- Strict all the same --------------------------------------------------------------------- */

static void two_steps_invalidate_and_free_at_once(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t phys = ram(rig, SZ_16K);
	struct dma_iova_state one;
	u64 before = flushes(rig);
	dma_addr_t at;

	assert_true(dma_iova_try_alloc(dev, &one, phys, SZ_16K));
	at = one.addr;
	expect_ok(dma_iova_link(dev, &one, phys, 0, SZ_16K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &one, 0, SZ_16K));
	dma_iova_unlink(dev, &one, 0, SZ_16K, DMA_BIDIRECTIONAL, 0);
	expect_u64(flushes(rig), before + 1);
	expect_ok(dma_iova_link(dev, &one, phys, 0, SZ_16K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &one, 0, SZ_16K));
	dma_iova_destroy(dev, &one, SZ_16K, DMA_BIDIRECTIONAL, 0);
	expect_u64(flushes(rig), before + 2);
	assert_true(dma_iova_try_alloc(dev, &one, phys, SZ_16K));
	expect_u64(one.addr, at);
	dma_iova_free(dev, &one);
	dmasim_run(rig->s, 50 * MS);
	expect_u64(flushes(rig), before + 2);
}

/* A list is one entry of the queue; so is memory that came mapped. */
static void lists_and_shared_memory_wait_too(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct scatterlist sg[4];
	phys_addr_t phys = ram(rig, 8 * SZ_4K);
	u64 before = flushes(rig);
	dma_addr_t dma;
	void *memory;

	for (u32 n = 1; n <= ROOM; n++) {
		if (n & 1) {
			memory = dma_alloc_coherent(dev, SZ_16K, &dma, GFP_KERNEL);
			assert_non_null(memory);
			dma_free_coherent(dev, SZ_16K, memory, dma);
			continue;
		}
		sg_init_table(sg, 4);
		for (u32 i = 0; i < 4; i++)
			sg_set_page(&sg[i], dmasim_page(rig->s, phys + 2 * i * SZ_4K), SZ_4K, 0);
		assert_true(dma_map_sg(dev, sg, 4, DMA_TO_DEVICE) > 0);
		dma_unmap_sg(dev, sg, 4, DMA_TO_DEVICE);
	}
	expect_u64(flushes(rig), before);
	queue(rig, phys, 1);
	expect_u64(flushes(rig), before + 1);
	dmasim_assert_clean(rig->s);
}

/*
 * On a machine where one domain's queue fails: how many of two endpoints are strict. False: there
 * are not so many domains.
 */
static bool count_strict(u64 nth, u64 *strict)
{
	struct dmasim *s =
		dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .policy = DMASIM_LAZY });
	static const char *const paths[] = { "00:01.0/00.0", "00:02.0/00.0" };
	struct pci_dev *pdev[2];
	phys_addr_t phys = dmasim_alloc(s, SZ_4K);
	bool failed;

	for (u32 i = 0; i < 2; i++)
		pdev[i] =
			dmasim_add_endpoint(s, paths[i], &(struct dmasim_endpoint){ .bar = { 0 } });
	dmasim_fail(s, DMASIM_FAULT_FLUSH_QUEUE, nth);
	assert_true(dmasim_group(pdev[0]) >= 0);
	failed = dmasim_failures(s) > 0;
	for (u32 i = 0; i < 2; i++) {
		dma_addr_t dma = dma_map_phys(&pdev[i]->dev, phys, SZ_4K, DMA_TO_DEVICE, 0);

		expect_ok(dma_mapping_error(&pdev[i]->dev, dma));
		dma_unmap_phys(&pdev[i]->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	}
	*strict = dmasim_costs(s).invalidations;
	/* Each is invalidated once, now or then. */
	dmasim_run(s, 10 * MS);
	expect_u64(dmasim_costs(s).invalidations, 2);
	dmasim_assert_clean(s);
	expect_u64(dmasim_destroy(s), 0);
	return failed;
}

static void without_memory_for_a_queue_that_domain_is_strict(void **state)
{
	u64 strict, sum = 0;

	(void)state;
	for (u64 nth = 1; count_strict(nth, &strict); nth++) {
		assert_true(strict <= 1);
		sum += strict;
	}
	expect_u64(strict, 0);
	expect_u64(sum, 2);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

TEST_MAIN(T(the_256th_unmap_flushes_and_every_255th_after_it),
	  T(the_timer_flushes_10_ms_after_the_first_unmap), T(each_cpu_has_its_ring),
	  T(each_domain_has_its_queue), T(an_address_is_not_used_again_before_the_flush),
	  T(another_cpus_flush_counts), T(the_entry_that_flushed_is_not_freed_by_that_flush),
	  T(tables_live_until_the_flush), T(a_machine_may_end_while_much_waits),
	  T(in_the_window_a_cached_translation_works_and_is_reported),
	  T(a_translation_that_nobody_cached_is_gone_at_once),
	  T(two_steps_invalidate_and_free_at_once), T(lists_and_shared_memory_wait_too),
	  T(without_memory_for_a_queue_that_domain_is_strict))
