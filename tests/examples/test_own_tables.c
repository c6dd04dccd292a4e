/* SPDX-License-Identifier: MIT */
/*
 * Machines whose page tables are a program's own: its format writes them, its walker reads them.
 * The format is that of tests/examples/three_level.c, and its mistakes are found as ours would be.
 */
#include <dmasim/pgtable/pgtable.h>
#include <dmasim/walk.h>
#include <dmasim/walker.h>

#include "support/rig.h"

extern const struct pgtable_ops pgtable_three_level;
extern const struct dmasim_walker_ops three_level_walker;

/* Every kind of unit that takes one, with what bears on its tables. */
static const struct dmasim_config machines[] = {
	{ DMASIM_CONFIG, .iommu_levels = 3 },
	{ DMASIM_CONFIG, .iommu_levels = 3, .policy = DMASIM_LAZY },
	{ DMASIM_CONFIG, .iommu_levels = 4, .iommu_caching_mode = true },
	{ DMASIM_CONFIG, .iommu_levels = 3, .iommu_incoherent = true, .iommu_no_1g = true },
	{ DMASIM_CONFIG, .iommu_levels = 3, .iommu_device_tlb = true, .context_entries = 4 },
	{ DMASIM_CONFIG, .iommu = DMASIM_AMD_VI },
	{ DMASIM_CONFIG, .iommu = DMASIM_AMD_VI, .policy = DMASIM_LAZY },
	/* The first address is at the top of the space: the table grows. */
	{ DMASIM_CONFIG, .iommu = DMASIM_AMD_VI, .forcedac = true },
};

static void own_rig(struct rig *rig, const struct dmasim_config *from)
{
	struct dmasim_config config = *from;

	config.pgtable_format = &pgtable_three_level;
	config.walker_ops = &three_level_walker;
	rig_init(rig, &config);
}

static void on_each(void (*test)(struct rig *rig))
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		struct rig rig;

		own_rig(&rig, &machines[i]);
		test(&rig);
		dmasim_assert_clean(rig.s);
		rig_fini(&rig);
	}
}

static void one_page(struct rig *rig)
{
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);
	struct page *page = dmasim_page(rig->s, buf);
	dma_addr_t dma = dma_map_page(&rig->nvme->dev, page, 0x100, SZ_1K, DMA_FROM_DEVICE);

	expect_done(dmasim_dev_write(rig->nvme, dma, "hello", 6), 6);
	dma_unmap_page(&rig->nvme->dev, dma, SZ_1K, DMA_FROM_DEVICE);
	assert_string_equal(dmasim_ptr(rig->s, buf + 0x100, 6), "hello");
	dmasim_free(rig->s, buf, SZ_4K);
}

static void a_page_is_mapped(void **state)
{
	(void)state;
	on_each(one_page);
}

#define LISTED 3

static void one_list(struct rig *rig)
{
	struct scatterlist list[LISTED], *sg;
	phys_addr_t buf = dmasim_alloc(rig->s, LISTED * SZ_16K);
	unsigned int i;

	sg_init_table(list, LISTED);
	for_each_sg(list, sg, LISTED, i)
		sg_set_page(sg, dmasim_page(rig->s, buf + i * SZ_16K), SZ_16K, 0);
	assert_int_equal(dma_map_sg(&rig->gpu->dev, list, LISTED, DMA_BIDIRECTIONAL), 1);
	for (u64 at = 0; at < LISTED * SZ_16K; at += SZ_4K) {
		u64 word = at;

		expect_done(dmasim_dev_write(rig->gpu, sg_dma_address(list) + at, &word, 8), 8);
	}
	dma_unmap_sg(&rig->gpu->dev, list, LISTED, DMA_BIDIRECTIONAL);
	for (u64 at = 0; at < LISTED * SZ_16K; at += SZ_4K)
		expect_u64(*(u64 *)dmasim_ptr(rig->s, buf + at, 8), at);
	dmasim_free(rig->s, buf, LISTED * SZ_16K);
}

static void a_list_is_mapped(void **state)
{
	(void)state;
	on_each(one_list);
}

/* Large enough for a leaf of 4 MiB, with small ones on both sides. */
static void in_two_steps(struct rig *rig)
{
	u64 bytes = 16ULL << 20;
	phys_addr_t buf = dmasim_alloc(rig->s, bytes);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(&rig->nvme->dev, &st, buf, bytes));
	expect_ok(dma_iova_link(&rig->nvme->dev, &st, buf, 0, 0x7000, DMA_FROM_DEVICE, 0));
	expect_ok(dma_iova_link(&rig->nvme->dev, &st, buf + 0x7000, 0x7000, bytes - 0x7000,
				DMA_FROM_DEVICE, 0));
	expect_ok(dma_iova_sync(&rig->nvme->dev, &st, 0, bytes));
	for (u64 at = 0; at < bytes; at += SZ_1M - 8)
		expect_done(dmasim_dev_write(rig->nvme, st.addr + at, &at, 8), 8);
	dma_iova_destroy(&rig->nvme->dev, &st, bytes, DMA_FROM_DEVICE, 0);
	for (u64 at = 0; at < bytes; at += SZ_1M - 8)
		expect_u64(*(u64 *)dmasim_ptr(rig->s, buf + at, 8), at);
	dmasim_free(rig->s, buf, bytes);
}

/*
 * trust: machines with page tables of a program's own: single, list and two-step mappings
 *        | our reading of the facts
 */
static void ranges_are_linked(void **state)
{
	(void)state;
	on_each(in_two_steps);
}

/* ---- What does not translate ------------------------------------------ */

static void one_refusal(struct rig *rig)
{
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	u64 word = 0;

	expect_done(dmasim_dev_read(rig->nvme, dma, &word, 8), 8);
	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 2);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_AGAINST_DIRECTION, 1);
	assert_int_equal(dmasim_dev_write(rig->nvme, dma, &word, 8).status, DMASIM_IOMMU_FAULT);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	assert_int_equal(dmasim_dev_read(rig->nvme, dma + SZ_64M, &word, 8).status,
			 DMASIM_IOMMU_FAULT);
	assert_int_equal(dmasim_dev_read(rig->nvme, 1ULL << 60, &word, 8).status,
			 DMASIM_IOMMU_FAULT);
	dmasim_free(rig->s, buf, SZ_4K);
}

/* What an entry is made of, only the walker knows: none are told. */
static void one_walk(struct rig *rig)
{
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	struct dmasim_walk walk;

	expect_ok(dmasim_walk_probe(rig->nvme, dma + 0x123, false, &walk));
	expect_u64(walk.phys, buf + 0x123);
	expect_u64(walk.page_lg2, 12);
	assert_true(walk.read && !walk.write && !walk.fault);
	expect_u64(walk.entries, 0);
	expect_ok(dmasim_walk_probe(rig->nvme, dma, true, &walk));
	assert_true(walk.fault);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_free(rig->s, buf, SZ_4K);
}

static void a_walk_tells_where_it_leads(void **state)
{
	(void)state;
	on_each(one_walk);
}

static void what_is_not_mapped_faults(void **state)
{
	(void)state;
	on_each(one_refusal);
}

/* ---- Its own context -------------------------------------------------- */

static int map_counted(struct pgtable *pt, u64 iova, phys_addr_t phys, u64 bytes, u32 prot,
		       struct iommu_iotlb_gather *gather, u64 *mapped)
{
	u32 *count = pt->context;

	++*count;
	return pgtable_three_level.map(pt, iova, phys, bytes, prot, gather, mapped);
}

static void a_format_has_a_context(void **state)
{
	struct pgtable_ops counting = pgtable_three_level;
	u32 count = 0;
	struct rig rig;

	(void)state;
	counting.context = &count;
	counting.map = map_counted;
	rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .pgtable_format = &counting,
						.walker_ops = &three_level_walker });
	one_page(&rig);
	expect_u64(count, 1);
	rig_fini(&rig);
}

/* ---- What may still be cached ----------------------------------------- */

static u64 unmap_nothing_gathered(struct pgtable *pt, u64 iova, u64 bytes,
				  struct iommu_iotlb_gather *gather)
{
	u64 done = pgtable_three_level.unmap(pt, iova, bytes, gather);

	gather->start = ~0ULL;
	gather->last = 0;
	return done;
}

/*
 * The checker's set holds what the walker told before: nobody has invalidated that.
 *
 * trust: what may still be cached of tables that a program's own walker reads
 *        | our reading of the facts
 */
static void a_forgotten_invalidation_is_found(void **state)
{
	struct pgtable_ops forgetful = pgtable_three_level;

	(void)state;
	forgetful.unmap = unmap_nothing_gathered;
	for (int amd = 0; amd < 2; amd++) {
		struct rig rig;
		phys_addr_t buf;
		dma_addr_t dma;

		rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG,
							.iommu = amd ? DMASIM_AMD_VI : DMASIM_VTD,
							.pgtable_format = &forgetful,
							.walker_ops = &three_level_walker });
		buf = dmasim_alloc(rig.s, SZ_4K);
		dma = dma_map_phys(&rig.nvme->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
		dmasim_expect(rig.s, DMASIM_REPORT_STALE_TRANSLATION, 1);
		dma_unmap_phys(&rig.nvme->dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
		dmasim_free(rig.s, buf, SZ_4K);
		dmasim_assert_clean(rig.s);
		rig_fini(&rig);
	}
}

/* It says that it has removed all, and gathers that; the entries stay. */
static u64 unmap_nothing_cleared(struct pgtable *pt, u64 iova, u64 bytes,
				 struct iommu_iotlb_gather *gather)
{
	(void)pt;
	iommu_iotlb_gather_add(gather, iova, iova + (bytes - 1));
	gather->leaf_levels = 1;
	return bytes;
}

static void expect_not_cleared(enum dmasim_iommu iommu, enum dmasim_policy policy, u64 bytes)
{
	struct pgtable_ops idle = pgtable_three_level;
	struct dmasim_report report;
	struct rig rig;
	phys_addr_t buf;
	dma_addr_t dma;
	u8 byte = 1;

	idle.unmap = unmap_nothing_cleared;
	rig_init(&rig, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = iommu, .policy = policy,
						.pgtable_format = &idle,
						.walker_ops = &three_level_walker });
	buf = dmasim_alloc(rig.s, bytes);
	dma = dma_map_phys(&rig.nvme->dev, buf, bytes, DMA_FROM_DEVICE, 0);
	dmasim_expect(rig.s, DMASIM_REPORT_STALE_TRANSLATION, 1);
	dma_unmap_phys(&rig.nvme->dev, dma, bytes, DMA_FROM_DEVICE, 0);
	dmasim_run(rig.s, 20000000);
	assert_true(dmasim_report_get(rig.s, 0, &report));
	assert_non_null(strstr(report.text, "not cleared: the page table still has its entry"));
	expect_u64(report.dma, dma);
	expect_u64(report.size, bytes);
	/* And of the device the entry is told, too: nothing cached lets it pass. */
	dmasim_expect(rig.s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	dmasim_dev_write(rig.nvme, dma, &byte, 1);
	assert_true(dmasim_report_get(rig.s, 1, &report));
	assert_non_null(strstr(report.line, "cause=entry"));
	dmasim_assert_clean(rig.s);
	rig_fini(&rig);
}

/*
 * trust: an unmap that leaves entries in a table, which its invalidation cannot end
 *        | our reading of the facts
 */
static void an_entry_that_is_left_is_found(void **state)
{
	(void)state;
	for (int amd = 0; amd < 2; amd++) {
		for (int lazy = 0; lazy < 2; lazy++) {
			enum dmasim_iommu iommu = amd ? DMASIM_AMD_VI : DMASIM_VTD;
			enum dmasim_policy policy = lazy ? DMASIM_LAZY : DMASIM_STRICT;

			expect_not_cleared(iommu, policy, SZ_4K);
			expect_not_cleared(iommu, policy, 4 * SZ_1M);
		}
	}
}

TEST_MAIN(cmocka_unit_test(an_entry_that_is_left_is_found), cmocka_unit_test(a_page_is_mapped),
	  cmocka_unit_test(a_list_is_mapped), cmocka_unit_test(ranges_are_linked),
	  cmocka_unit_test(a_walk_tells_where_it_leads),
	  cmocka_unit_test(what_is_not_mapped_faults), cmocka_unit_test(a_format_has_a_context),
	  cmocka_unit_test(a_forgotten_invalidation_is_found))
