/* SPDX-License-Identifier: MIT */
/*
 * What flows cost, as exact numbers: they are the figures that carry over to hardware.
 *
 * All flows map 1 MiB (256 granules) for one device behind VT-d with 4 levels, 4 KiB tables of 512
 * entries and an IOTLB of 64 entries. What each number comes from:
 *
 *   entries    one leaf for each granule, written once and cleared once
 *   tables     3: one at each level below the top; the IOVAs of a flow fit into one lowest table
 *   allocs     IOVA ranges
 *   invals     a strict unmap hands over one IOTLB command, which covers a power of two of granules
 *   tlps       a write carries at most 256 bytes, a read asks for at most 512
 *   misses     the first request of each granule; the IOTLB is too small to know it from before
 *   walk       each miss reads one entry at each level
 */
#include <stdlib.h>

#include "support/rig.h"

#define GRANULES (SZ_1M / SZ_4K)

struct fixture {
	struct rig rig;
	phys_addr_t buffer; /* 1 MiB, aligned, contiguous */
	phys_addr_t parts;  /* 2 MiB: every other granule of it is used */
	u8 bytes[SZ_1M];
};

static int setup_with(void **state, const struct dmasim_config *config)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	rig_init(&fixture->rig, config);
	dma_set_max_seg_size(&fixture->rig.nvme->dev, SZ_2M);
	/* This starts the machine: the top tables are there. */
	dmasim_group(fixture->rig.nvme);
	fixture->buffer = dmasim_alloc(fixture->rig.s, SZ_1M);
	fixture->parts = dmasim_alloc(fixture->rig.s, SZ_2M);
	assert_true(fixture->buffer != DMASIM_NO_PHYS && fixture->parts != DMASIM_NO_PHYS);
	*state = fixture;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, NULL);
}

static int setup_three_levels(void **state)
{
	return setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu_levels = 3 });
}

static int setup_large_iotlb(void **state)
{
	return setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .iotlb_entries = 256 });
}

static int setup_walk_cache(void **state)
{
	return setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .walk_entries = 1,
							  .context_entries = 1 });
}

static int setup_direct(void **state)
{
	return setup_with(state,
			  &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU });
}

static int setup_acs_off(void **state)
{
	return setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF });
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	u32 unclean = dmasim_check_clean(fixture->rig.s, NULL, 0);
	u64 leaks = dmasim_destroy(fixture->rig.s);

	free(fixture);
	return unclean || leaks ? -1 : 0;
}

/* Exactly these since `from`. */
static void expect_costs(struct dmasim *s, const struct dmasim_costs *from,
			 struct dmasim_costs expected)
{
	struct dmasim_costs now = dmasim_costs(s);

	expect_u64(now.entries_written - from->entries_written, expected.entries_written);
	expect_u64(now.entries_cleared - from->entries_cleared, expected.entries_cleared);
	expect_u64(now.tables_allocated - from->tables_allocated, expected.tables_allocated);
	expect_u64(now.tables_freed - from->tables_freed, expected.tables_freed);
	expect_u64(now.iova_allocs - from->iova_allocs, expected.iova_allocs);
	expect_u64(now.invalidations - from->invalidations, expected.invalidations);
	expect_u64(now.tlps - from->tlps, expected.tlps);
	expect_u64(now.walk_reads - from->walk_reads, expected.walk_reads);
	for (int level = 0; level < 5; level++)
		expect_u64(now.walk_hits[level] - from->walk_hits[level],
			   expected.walk_hits[level]);
	expect_u64(now.context_hits - from->context_hits, expected.context_hits);
	expect_u64(now.context_misses - from->context_misses, expected.context_misses);
	expect_u64(now.context_invalidations - from->context_invalidations,
		   expected.context_invalidations);
	expect_u64(now.iotlb_hits - from->iotlb_hits, expected.iotlb_hits);
	expect_u64(now.iotlb_misses - from->iotlb_misses, expected.iotlb_misses);
	expect_u64(now.interrupts - from->interrupts, expected.interrupts);
}

static void write_all(struct fixture *fixture, dma_addr_t dma)
{
	expect_done(dmasim_dev_write(fixture->rig.nvme, dma, fixture->bytes, SZ_1M), SZ_1M);
}

/* ---- Sizes of requests ----------------------------------------------------------------------- */

/* The device's own register says how much a request may carry. */
static void requests_are_as_large_as_the_device_control_register_allows(void **state)
{
	struct fixture *fixture = *state;
	struct pci_dev *nvme = fixture->rig.nvme;
	u16 control;

	pci_read_config_word(nvme, nvme->express_cap + PCI_EXP_DEVCTL, &control);
	expect_u64(128U << ((control & PCI_EXP_DEVCTL_PAYLOAD) >> PCI_EXP_DEVCTL_PAYLOAD_SHIFT),
		   256);
	expect_u64(128U << ((control & PCI_EXP_DEVCTL_READRQ) >> PCI_EXP_DEVCTL_READRQ_SHIFT), 512);
}

/* ---- 1 MiB in each flow ---------------------------------------------------------------------- */

/* trust: costs of 1 MiB in one call | our reading of the facts: counted by hand */
static void one_megabyte_in_one_call(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);
	dma_addr_t dma = dma_map_phys(dev, fixture->buffer, SZ_1M, DMA_FROM_DEVICE, 0);

	write_all(fixture, dma);
	dma_unmap_phys(dev, dma, SZ_1M, DMA_FROM_DEVICE, 0);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .entries_written = 256,
					    .entries_cleared = 256,
					    .tables_allocated = 3,
					    .iova_allocs = 1,
					    .invalidations = 1,
					    .tlps = 4096,
					    .iotlb_hits = 3840,
					    .iotlb_misses = 256,
					    .walk_reads = 1024 });
}

/*
 * One known table of each level is enough: after the first walk of 4 each miss reads one entry. All
 * requests but the first find the context.
 *
 * trust: costs of 1 MiB with a walk cache | our reading of the facts: counted by hand
 */
static void one_megabyte_with_a_walk_cache(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);
	dma_addr_t dma = dma_map_phys(dev, fixture->buffer, SZ_1M, DMA_FROM_DEVICE, 0);

	write_all(fixture, dma);
	dma_unmap_phys(dev, dma, SZ_1M, DMA_FROM_DEVICE, 0);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .entries_written = 256,
					    .entries_cleared = 256,
					    .tables_allocated = 3,
					    .iova_allocs = 1,
					    .invalidations = 1,
					    .tlps = 4096,
					    .iotlb_hits = 3840,
					    .iotlb_misses = 256,
					    .walk_reads = 4 + 255,
					    .walk_hits = { 255, 0, 0 },
					    .context_hits = 4095,
					    .context_misses = 1 });
}

/* With 3 levels a walk is shorter by one entry, and there is a table less. */
static void one_megabyte_with_three_levels(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);
	dma_addr_t dma = dma_map_phys(dev, fixture->buffer, SZ_1M, DMA_FROM_DEVICE, 0);

	write_all(fixture, dma);
	dma_unmap_phys(dev, dma, SZ_1M, DMA_FROM_DEVICE, 0);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .entries_written = 256,
					    .entries_cleared = 256,
					    .tables_allocated = 2,
					    .iova_allocs = 1,
					    .invalidations = 1,
					    .tlps = 4096,
					    .iotlb_hits = 3840,
					    .iotlb_misses = 256,
					    .walk_reads = 768 });
}

/* Page by page: the same entries, but a range and an invalidation for each. */
static void one_megabyte_page_by_page(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);
	dma_addr_t dma[GRANULES];

	for (u32 i = 0; i < GRANULES; i++) {
		struct page *page = dmasim_page(fixture->rig.s, fixture->buffer + i * SZ_4K);

		dma[i] = dma_map_page(dev, page, 0, SZ_4K, DMA_FROM_DEVICE);
		expect_done(dmasim_dev_write(fixture->rig.nvme, dma[i], fixture->bytes, SZ_4K),
			    SZ_4K);
	}
	for (u32 i = 0; i < GRANULES; i++)
		dma_unmap_page(dev, dma[i], SZ_4K, DMA_FROM_DEVICE);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .entries_written = 256,
					    .entries_cleared = 256,
					    .tables_allocated = 3,
					    .iova_allocs = 256,
					    .invalidations = 256,
					    .tlps = 4096,
					    .iotlb_hits = 3840,
					    .iotlb_misses = 256,
					    .walk_reads = 1024 });
}

/* trust: costs of 1 MiB as a list | our reading of the facts: counted by hand */
/* 256 granules that are apart in memory, side by side in one range, and one DMA segment. */
static void one_megabyte_as_a_list(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);
	struct scatterlist sg[GRANULES];

	sg_init_table(sg, GRANULES);
	for (u32 i = 0; i < GRANULES; i++)
		sg_set_page(&sg[i],
			    dmasim_page(fixture->rig.s, fixture->parts + (u64)i * 2 * SZ_4K), SZ_4K,
			    0);
	expect_u64(dma_map_sg(dev, sg, GRANULES, DMA_FROM_DEVICE), 1);
	write_all(fixture, sg_dma_address(sg));
	dma_unmap_sg(dev, sg, GRANULES, DMA_FROM_DEVICE);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .entries_written = 256,
					    .entries_cleared = 256,
					    .tables_allocated = 3,
					    .iova_allocs = 1,
					    .invalidations = 1,
					    .tlps = 4096,
					    .iotlb_hits = 3840,
					    .iotlb_misses = 256,
					    .walk_reads = 1024 });
}

static void link_parts(struct fixture *fixture, struct dma_iova_state *st)
{
	struct device *dev = &fixture->rig.nvme->dev;

	assert_true(dma_iova_try_alloc(dev, st, 0, SZ_1M));
	for (u32 i = 0; i < GRANULES; i++)
		expect_ok(dma_iova_link(dev, st, fixture->parts + (u64)i * 2 * SZ_4K, i * SZ_4K,
					SZ_4K, DMA_FROM_DEVICE, 0));
	expect_ok(dma_iova_sync(dev, st, 0, SZ_1M));
}

/* trust: costs of 1 MiB in 256 links | our reading of the facts: counted by hand */
/* The same as a list: one range, one invalidation. The sync costs nothing on this hardware. */
static void one_megabyte_in_two_steps_of_256_links(void **state)
{
	struct fixture *fixture = *state;
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);
	struct dma_iova_state st;

	link_parts(fixture, &st);
	write_all(fixture, st.addr);
	dma_iova_destroy(&fixture->rig.nvme->dev, &st, SZ_1M, DMA_FROM_DEVICE, 0);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .entries_written = 256,
					    .entries_cleared = 256,
					    .tables_allocated = 3,
					    .iova_allocs = 1,
					    .invalidations = 1,
					    .tlps = 4096,
					    .iotlb_hits = 3840,
					    .iotlb_misses = 256,
					    .walk_reads = 1024 });
}

/* One by one, as HMM does: each unlink is strict. */
static void two_steps_with_256_unlinks_invalidate_256_times(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);
	struct dma_iova_state st;

	link_parts(fixture, &st);
	for (u32 i = 0; i < GRANULES; i++)
		dma_iova_unlink(dev, &st, i * SZ_4K, SZ_4K, DMA_FROM_DEVICE, 0);
	dma_iova_free(dev, &st);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .entries_written = 256,
					    .entries_cleared = 256,
					    .tables_allocated = 3,
					    .iova_allocs = 1,
					    .invalidations = 256 });
}

/* ---- Large pages ----------------------------------------------------------------------------- */

/* trust: 2 MiB are one large leaf | our reading of the facts: counted by hand */
/* One leaf in the table of 2 MiB slots: two tables, and a walk of three entries. */
static void two_megabytes_are_one_entry(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);
	dma_addr_t dma = dma_map_phys(dev, fixture->parts, SZ_2M, DMA_FROM_DEVICE, 0);

	write_all(fixture, dma);
	write_all(fixture, dma + SZ_1M);
	dma_unmap_phys(dev, dma, SZ_2M, DMA_FROM_DEVICE, 0);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .entries_written = 1,
					    .entries_cleared = 1,
					    .tables_allocated = 2,
					    .iova_allocs = 1,
					    .invalidations = 1,
					    .tlps = 8192,
					    .iotlb_hits = 8191,
					    .iotlb_misses = 1,
					    .walk_reads = 3 });
}

/*
 * 2 MiB whose phys is a granule off: 512 small leaves. They fill a table, which goes when the whole
 * of its span is unmapped.
 */
static void two_megabytes_that_are_not_aligned_are_512_entries(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);
	dma_addr_t dma = dma_map_phys(dev, fixture->parts + SZ_4K, SZ_2M, DMA_FROM_DEVICE, 0);

	dma_unmap_phys(dev, dma, SZ_2M, DMA_FROM_DEVICE, 0);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .entries_written = 512,
					    .entries_cleared = 512,
					    .tables_allocated = 3,
					    .tables_freed = 1,
					    .iova_allocs = 1,
					    .invalidations = 1 });
}

/* ---- The IOTLB ------------------------------------------------------------------------------- */

/* A second pass finds nothing in 64 entries that 256 granules went through in order. */
static void a_second_pass_misses_in_a_small_iotlb(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, fixture->buffer, SZ_1M, DMA_BIDIRECTIONAL, 0);
	struct dmasim_costs from;

	write_all(fixture, dma);
	from = dmasim_costs(fixture->rig.s);
	expect_done(dmasim_dev_read(fixture->rig.nvme, dma, fixture->bytes, SZ_1M), SZ_1M);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .tlps = 2048,
					    .iotlb_hits = 1792,
					    .iotlb_misses = 256,
					    .walk_reads = 1024 });
	dma_unmap_phys(dev, dma, SZ_1M, DMA_BIDIRECTIONAL, 0);
}

static void a_second_pass_hits_in_an_iotlb_of_256(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, fixture->buffer, SZ_1M, DMA_BIDIRECTIONAL, 0);
	struct dmasim_costs from;

	write_all(fixture, dma);
	from = dmasim_costs(fixture->rig.s);
	expect_done(dmasim_dev_read(fixture->rig.nvme, dma, fixture->bytes, SZ_1M), SZ_1M);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .tlps = 2048, .iotlb_hits = 2048 });
	dma_unmap_phys(dev, dma, SZ_1M, DMA_BIDIRECTIONAL, 0);
}

/* A refused request is a miss, too: the walk reads down to the entry that is not there. */
static void a_fault_costs_a_walk(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, fixture->buffer, SZ_4K, DMA_FROM_DEVICE, 0);
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);

	dmasim_expect(fixture->rig.s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_transfer(dmasim_dev_write(fixture->rig.nvme, dma - SZ_4K, fixture->bytes, 256),
			DMASIM_IOMMU_FAULT, 0);
	expect_costs(fixture->rig.s, &from,
		     (struct dmasim_costs){ .tlps = 1, .iotlb_misses = 1, .walk_reads = 4 });
	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
}

/* ---- Without the IOMMU ----------------------------------------------------------------------- */

static void without_an_iommu_only_requests_cost(void **state)
{
	struct fixture *fixture = *state;
	struct device *dev = &fixture->rig.nvme->dev;
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);
	dma_addr_t dma = dma_map_phys(dev, fixture->buffer, SZ_1M, DMA_FROM_DEVICE, 0);

	write_all(fixture, dma);
	dma_unmap_phys(dev, dma, SZ_1M, DMA_FROM_DEVICE, 0);
	expect_costs(fixture->rig.s, &from, (struct dmasim_costs){ .tlps = 4096 });
}

/* Below a common switch nothing of the IOMMU is touched, though it is on. */
static void peer_memory_by_bus_address_costs_only_requests(void **state)
{
	struct fixture *fixture = *state;
	struct p2pdma_provider *mem;
	struct dmasim_costs from;

	expect_ok(pci_p2pdma_add_resource(fixture->rig.gpu, 0, SZ_1M, 0));
	mem = pcim_p2pdma_provider(fixture->rig.gpu, 0);
	expect_u64(pci_p2pdma_map_type(mem, &fixture->rig.nvme->dev), PCI_P2PDMA_MAP_BUS_ADDR);
	from = dmasim_costs(fixture->rig.s);
	write_all(fixture, pci_p2pdma_bus_addr_map(mem, pci_resource_start(fixture->rig.gpu, 0)));
	expect_costs(fixture->rig.s, &from, (struct dmasim_costs){ .tlps = 4096 });
}

/* A write to the interrupt window is a message. */
static void an_interrupt_is_counted_and_not_translated(void **state)
{
	struct fixture *fixture = *state;
	struct dmasim_costs from = dmasim_costs(fixture->rig.s);
	u32 message = 0x4021;

	expect_done(dmasim_dev_write(fixture->rig.nvme, 0xfee00000, &message, sizeof(message)),
		    sizeof(message));
	expect_costs(fixture->rig.s, &from, (struct dmasim_costs){ .tlps = 1, .interrupts = 1 });
}

#define WITH(test, setup) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define COSTS(test)	  WITH(test, setup)

TEST_MAIN(COSTS(requests_are_as_large_as_the_device_control_register_allows),
	  COSTS(one_megabyte_in_one_call), WITH(one_megabyte_with_three_levels, setup_three_levels),
	  WITH(one_megabyte_with_a_walk_cache, setup_walk_cache), COSTS(one_megabyte_page_by_page),
	  COSTS(one_megabyte_as_a_list), COSTS(one_megabyte_in_two_steps_of_256_links),
	  COSTS(two_steps_with_256_unlinks_invalidate_256_times),
	  COSTS(two_megabytes_are_one_entry),
	  COSTS(two_megabytes_that_are_not_aligned_are_512_entries),
	  COSTS(a_second_pass_misses_in_a_small_iotlb),
	  WITH(a_second_pass_hits_in_an_iotlb_of_256, setup_large_iotlb),
	  COSTS(a_fault_costs_a_walk), WITH(without_an_iommu_only_requests_cost, setup_direct),
	  WITH(peer_memory_by_bus_address_costs_only_requests, setup_acs_off),
	  COSTS(an_interrupt_is_counted_and_not_translated))
