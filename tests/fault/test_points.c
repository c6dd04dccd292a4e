/* SPDX-License-Identifier: MIT */
/*
 * How many preemption points a flow passes: exact numbers, each derived from what the flow must
 * store.
 *
 *   lock, unlock   the IOVA allocator's locks. Of up to 32 granules: a CPU's cache that has a range
 *                  of the size, or takes one back, has one; one that has none asks the depot and
 *                  then the tree (IN_VAIN). Of more granules, and to reserve: the tree alone. Page
 *                  tables need none: whoever owns the IOVA range owns its entries
 *   pt_leaf        one for each leaf entry that is written
 *   pt_clear       one for each entry that is cleared
 *   pt_table       one for each table that is linked into its parent; the top table has no parent
 *   context        one for each function that is attached
 *   queue          one for each batch of commands: a strict unmap hands over one and waits
 *   config         one for each write to configuration space
 *
 * With four levels the top table holds 512 GiB a slot; below it are tables of 1 GiB, 2 MiB and 4
 * KiB a slot. A machine that has mapped nothing has the top table only.
 */
#include <stdlib.h>

#include "support/rig.h"

#define IN_VAIN 3

struct points {
	u64 lock;
	u64 unlock;
	u64 leaf;
	u64 clear;
	u64 table;
	u64 context;
	u64 queue;
	u64 config;
};

static struct points points_now(struct dmasim *s)
{
	return (struct points){
		.lock = dmasim_point_passes(s, DMASIM_POINT_LOCK),
		.unlock = dmasim_point_passes(s, DMASIM_POINT_UNLOCK),
		.leaf = dmasim_point_passes(s, DMASIM_POINT_PT_LEAF),
		.clear = dmasim_point_passes(s, DMASIM_POINT_PT_CLEAR),
		.table = dmasim_point_passes(s, DMASIM_POINT_PT_TABLE),
		.context = dmasim_point_passes(s, DMASIM_POINT_CONTEXT),
		.queue = dmasim_point_passes(s, DMASIM_POINT_QUEUE),
		.config = dmasim_point_passes(s, DMASIM_POINT_CONFIG),
	};
}

/* Exactly these since `*from`, which moves up to now. */
static void expect_points(struct dmasim *s, struct points *from, struct points expected)
{
	struct points now = points_now(s);

	expect_u64(now.lock - from->lock, expected.lock);
	expect_u64(now.unlock - from->unlock, expected.unlock);
	expect_u64(now.leaf - from->leaf, expected.leaf);
	expect_u64(now.clear - from->clear, expected.clear);
	expect_u64(now.table - from->table, expected.table);
	expect_u64(now.context - from->context, expected.context);
	expect_u64(now.queue - from->queue, expected.queue);
	expect_u64(now.config - from->config, expected.config);
	*from = now;
}

static int setup_with(void **state, struct dmasim_config config)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	if (!rig)
		return -1;
	config.count_points = true;
	rig_init(rig, &config);
	/* This starts the machine. */
	dmasim_group(rig->nvme);
	*state = rig;
	return 0;
}

#define SETUP(name, ...)                                                                        \
	static int name(void **state)                                                           \
	{                                                                                       \
		return setup_with(state, (struct dmasim_config){ DMASIM_CONFIG, __VA_ARGS__ }); \
	}

SETUP(setup, .iommu = DMASIM_VTD)
SETUP(setup_three_levels, .iommu_levels = 3)
SETUP(setup_incoherent, .iommu_incoherent = true)
SETUP(setup_no_1g, .iommu_no_1g = true)
SETUP(setup_direct, .iommu = DMASIM_NO_IOMMU)
SETUP(setup_acs_off, .acs = DMASIM_ACS_OFF)

/* Maps and unmaps so much, so that the tables for it are there. */
static void warm(struct rig *rig, u64 bytes)
{
	struct device *dev = &rig->nvme->dev;
	/* Not aligned as the IOVA is: small leaves. */
	dma_addr_t dma = dma_map_phys(dev, SZ_256M + SZ_4K, bytes, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(dev, dma));
	dma_unmap_phys(dev, dma, bytes, DMA_TO_DEVICE, 0);
}

static dma_addr_t map(struct rig *rig, phys_addr_t phys, u64 bytes)
{
	dma_addr_t dma = dma_map_phys(&rig->nvme->dev, phys, bytes, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(&rig->nvme->dev, dma));
	return dma;
}

static void unmap(struct rig *rig, dma_addr_t dma, u64 bytes)
{
	dma_unmap_phys(&rig->nvme->dev, dma, bytes, DMA_TO_DEVICE, 0);
}

/* ---- Start ----------------------------------------------------------------------------------- */

/*
 * The rig has the host bridge's function, two root ports, an upstream port, three downstream ports
 * and four endpoints; VT-d serves them all, each with a context entry. Their top tables are
 * nobody's child.
 */
static void starting_changes_one_context_entry_for_each_function(void **state)
{
	struct rig *rig = *state;
	struct points now = points_now(rig->s);

	expect_u64(now.context, 1 + 2 + 1 + 3 + 4);
	expect_u64(now.table, 0);
	expect_u64(now.leaf, 0);
	expect_u64(now.queue, 0);
	/*
	 * Each is its own group; each domain keeps a window and the interrupts' free, and its top
	 * table while the device is attached.
	 */
	expect_u64(now.lock, 3 * 11);
	expect_u64(now.unlock, 3 * 11);
}

static void a_write_to_configuration_space_is_one_point_and_a_read_is_none(void **state)
{
	struct rig *rig = *state;
	struct points from = points_now(rig->s);
	u32 word;

	pci_read_config_dword(rig->nvme, PCI_VENDOR_ID, &word);
	pci_write_config_word(rig->nvme, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	expect_points(rig->s, &from, (struct points){ .config = 1 });
}

/* ---- One call -------------------------------------------------------------------------------- */

static void the_first_map_links_a_table_at_each_level_below_the_top(void **state)
{
	struct rig *rig = *state;
	struct points from = points_now(rig->s);
	dma_addr_t dma = map(rig, SZ_1M, SZ_4K);

	expect_points(rig->s, &from,
		      (struct points){ .lock = IN_VAIN, .unlock = IN_VAIN, .table = 3, .leaf = 1 });
	unmap(rig, dma, SZ_4K);
}

static void with_three_levels_the_first_map_links_two_tables(void **state)
{
	struct rig *rig = *state;
	struct points from = points_now(rig->s);
	dma_addr_t dma = map(rig, SZ_1M, SZ_4K);

	expect_points(rig->s, &from,
		      (struct points){ .lock = IN_VAIN, .unlock = IN_VAIN, .table = 2, .leaf = 1 });
	unmap(rig, dma, SZ_4K);
}

static void a_granule_on_warm_tables_is_one_leaf_and_one_clear(void **state)
{
	struct rig *rig = *state;
	struct points from;
	dma_addr_t dma;

	warm(rig, SZ_4K);
	from = points_now(rig->s);
	dma = map(rig, SZ_1M, SZ_4K);
	expect_points(rig->s, &from, (struct points){ .lock = 1, .unlock = 1, .leaf = 1 });
	unmap(rig, dma, SZ_4K);
	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .clear = 1, .queue = 1 });
}

/* A buffer of one byte more than a granule, from the last byte of a granule on: three granules. */
static void every_granule_that_a_buffer_touches_has_a_leaf(void **state)
{
	struct rig *rig = *state;
	struct points from;
	dma_addr_t dma;

	warm(rig, SZ_64K);
	from = points_now(rig->s);
	dma = map(rig, SZ_1M - 1, SZ_4K + 2);
	expect_points(rig->s, &from,
		      (struct points){ .lock = IN_VAIN, .unlock = IN_VAIN, .leaf = 3 });
	unmap(rig, dma, SZ_4K + 2);
	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .clear = 3, .queue = 1 });
}

/*
 * 4 MiB whose phys is not aligned as the IOVA is: 1024 small leaves.
 *
 *   IOVA   |-------- 2 MiB --------|-------- 2 MiB --------|     two tables of small leaves,
 *                                                                in one table each above
 */
static void a_map_over_two_tables_links_both(void **state)
{
	struct rig *rig = *state;
	struct points from = points_now(rig->s);
	dma_addr_t dma = map(rig, SZ_1G + SZ_4K, 2 * SZ_2M);

	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .table = 4, .leaf = 1024 });
	unmap(rig, dma, 2 * SZ_2M);
	/*
	 * The range covers the whole span of both lowest tables: they are unlinked from their
	 * parent.
	 */
	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .clear = 1024 + 2, .queue = 1 });
}

/* On untouched tables a leaf of 2 MiB needs the two tables above it. */
static void a_large_page_is_one_leaf(void **state)
{
	struct rig *rig = *state;
	struct points from = points_now(rig->s);
	dma_addr_t dma = map(rig, SZ_1G, SZ_2M);

	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .table = 2, .leaf = 1 });
	unmap(rig, dma, SZ_2M);
	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .clear = 1, .queue = 1 });
}

/*
 * Where small leaves were, of a range that no cache keeps, their empty table stands in the way: it
 * is unlinked, and walks that may know it are invalidated before it is freed (facts
 * "iova-and-page-tables" 6.4).
 */
static void a_large_page_takes_the_place_of_an_empty_table(void **state)
{
	struct rig *rig = *state;
	struct points from;
	dma_addr_t dma;

	warm(rig, SZ_1M);
	from = points_now(rig->s);
	dma = map(rig, SZ_1G, SZ_2M);
	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .leaf = 1, .clear = 1, .queue = 1 });
	unmap(rig, dma, SZ_2M);
}

static void a_gigabyte_is_one_leaf(void **state)
{
	struct rig *rig = *state;
	struct points from = points_now(rig->s);
	dma_addr_t dma = map(rig, SZ_4G, SZ_1G);

	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .table = 1, .leaf = 1 });
	unmap(rig, dma, SZ_1G);
	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .clear = 1, .queue = 1 });
}

/* One table of 512 large leaves; unmapping its whole span unlinks it, too. */
static void without_leaves_of_a_gigabyte_it_is_512(void **state)
{
	struct rig *rig = *state;
	struct points from = points_now(rig->s);
	dma_addr_t dma = map(rig, SZ_4G, SZ_1G);

	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .table = 2, .leaf = 512 });
	unmap(rig, dma, SZ_1G);
	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .clear = 512 + 1, .queue = 1 });
}

/* Refused before anything is taken, or before anything is stored. */
static void a_refused_map_passes_nothing_but_the_allocator(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct points from = points_now(rig->s);

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
	expect_u64(dma_map_phys(dev, SZ_1M, SZ_4K, DMA_NONE, 0), DMA_MAPPING_ERROR);
	expect_points(rig->s, &from, (struct points){ .lock = 0 });
	/* Beyond what an entry can hold: the range is allocated, the table refuses, it is freed. */
	expect_u64(dma_map_phys(dev, 1ULL << 60, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	expect_points(rig->s, &from, (struct points){ .lock = IN_VAIN + 1, .unlock = IN_VAIN + 1 });
}

static void without_an_iommu_nothing_is_stored(void **state)
{
	struct rig *rig = *state;
	struct points from = points_now(rig->s);
	dma_addr_t dma = map(rig, SZ_1M, SZ_64K);

	unmap(rig, dma, SZ_64K);
	expect_points(rig->s, &from, (struct points){ .lock = 0 });
}

/* ---- Lists ----------------------------------------------------------------------------------- */

/*
 * Three entries of a granule each, apart from each other: one range, three leaves, one
 * invalidation.
 */
static void a_list_is_one_allocation_and_one_invalidation(void **state)
{
	struct rig *rig = *state;
	struct scatterlist sg[3];
	struct points from;

	sg_init_table(sg, 3);
	for (u32 i = 0; i < 3; i++)
		sg_set_page(&sg[i], dmasim_page(rig->s, SZ_1M + i * SZ_16K), SZ_4K, 0);
	warm(rig, SZ_64K);
	from = points_now(rig->s);
	expect_u64(dma_map_sg(&rig->nvme->dev, sg, 3, DMA_TO_DEVICE), 1);
	expect_points(rig->s, &from,
		      (struct points){ .lock = IN_VAIN, .unlock = IN_VAIN, .leaf = 3 });
	dma_unmap_sg(&rig->nvme->dev, sg, 3, DMA_TO_DEVICE);
	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .clear = 3, .queue = 1 });
}

static void fill_peer_list(struct rig *rig, struct scatterlist *sg, u32 peers)
{
	sg_init_table(sg, 2);
	for (u32 i = 0; i < 2; i++) {
		phys_addr_t phys = i < peers ? pci_resource_start(rig->gpu, 0) : SZ_1M;

		sg_set_page(&sg[i], dmasim_page(rig->s, phys + i * SZ_16K), SZ_4K, 0);
	}
}

/*
 * Peer memory below the same switch has a bus address: no range, no entry, nothing to invalidate.
 */
static void a_list_of_bus_addresses_stores_nothing(void **state)
{
	struct rig *rig = *state;
	struct scatterlist sg[2];
	struct points from;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	fill_peer_list(rig, sg, 2);
	from = points_now(rig->s);
	expect_u64(dma_map_sg(&rig->nvme->dev, sg, 2, DMA_TO_DEVICE), 2);
	dma_unmap_sg(&rig->nvme->dev, sg, 2, DMA_TO_DEVICE);
	expect_points(rig->s, &from, (struct points){ .lock = 0 });
}

static void a_mixed_list_stores_what_is_not_a_bus_address(void **state)
{
	struct rig *rig = *state;
	struct scatterlist sg[2];
	struct points from;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	fill_peer_list(rig, sg, 1);
	warm(rig, SZ_4K);
	from = points_now(rig->s);
	expect_u64(dma_map_sg(&rig->nvme->dev, sg, 2, DMA_TO_DEVICE), 2);
	expect_points(rig->s, &from, (struct points){ .lock = 1, .unlock = 1, .leaf = 1 });
	dma_unmap_sg(&rig->nvme->dev, sg, 2, DMA_TO_DEVICE);
	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .clear = 1, .queue = 1 });
}

/* ---- Two steps ------------------------------------------------------------------------------- */

static void link_at(struct rig *rig, struct dma_iova_state *st, u32 granule)
{
	expect_ok(dma_iova_link(&rig->nvme->dev, st, SZ_1M + granule * SZ_16K, granule * SZ_4K,
				SZ_4K, DMA_TO_DEVICE, 0));
}

/* VT-d without caching mode does not cache what is not there: a sync has nothing to tell it. */
static void three_links_are_one_allocation_three_leaves_and_one_invalidation(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;
	struct points from;

	warm(rig, SZ_64K);
	from = points_now(rig->s);
	assert_true(dma_iova_try_alloc(dev, &st, 0, 3 * SZ_4K));
	expect_points(rig->s, &from, (struct points){ .lock = IN_VAIN, .unlock = IN_VAIN });
	for (u32 i = 0; i < 3; i++)
		link_at(rig, &st, i);
	expect_points(rig->s, &from, (struct points){ .leaf = 3 });
	expect_ok(dma_iova_sync(dev, &st, 0, 3 * SZ_4K));
	expect_points(rig->s, &from, (struct points){ .lock = 0 });
	dma_iova_destroy(dev, &st, 3 * SZ_4K, DMA_TO_DEVICE, 0);
	expect_points(rig->s, &from,
		      (struct points){ .lock = 1, .unlock = 1, .clear = 3, .queue = 1 });
}

/* Each unlink is strict; the range stays, so the allocator is not asked until the free. */
static void unlinking_one_by_one_invalidates_each_time(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;
	struct points from;

	warm(rig, SZ_64K);
	assert_true(dma_iova_try_alloc(dev, &st, 0, 3 * SZ_4K));
	for (u32 i = 0; i < 3; i++)
		link_at(rig, &st, i);
	from = points_now(rig->s);
	for (u32 i = 0; i < 3; i++)
		dma_iova_unlink(dev, &st, i * SZ_4K, SZ_4K, DMA_TO_DEVICE, 0);
	expect_points(rig->s, &from, (struct points){ .clear = 3, .queue = 3 });
	dma_iova_free(dev, &st);
	expect_points(rig->s, &from, (struct points){ .lock = 1, .unlock = 1 });
}

/*
 *   linked   |....|....|XXXX|     a link of all three writes two leaves, meets the third, takes the
 *   link     |---- ---- ----|     two back, and invalidates what a walk may have seen of them
 */
static void a_link_that_meets_another_takes_its_leaves_back(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;
	struct points from;

	warm(rig, SZ_64K);
	assert_true(dma_iova_try_alloc(dev, &st, 0, 3 * SZ_4K));
	link_at(rig, &st, 2);
	from = points_now(rig->s);
	dmasim_expect(rig->s, DMASIM_REPORT_LINK_OVERLAP, 1);
	expect_error(dma_iova_link(dev, &st, SZ_1M, 0, 3 * SZ_4K, DMA_TO_DEVICE, 0), -EADDRINUSE);
	expect_points(rig->s, &from, (struct points){ .leaf = 2, .clear = 2, .queue = 1 });
	dma_iova_unlink(dev, &st, 2 * SZ_4K, SZ_4K, DMA_TO_DEVICE, 0);
	dma_iova_free(dev, &st);
}

/* ---- What passes none ------------------------------------------------------------------------ */

static void devices_and_peer_memory_pass_no_points(void **state)
{
	struct rig *rig = *state;
	struct points from;
	dma_addr_t dma;
	void *memory;
	u8 bytes[64];

	warm(rig, SZ_4K);
	dma = map(rig, SZ_1M, SZ_4K);
	from = points_now(rig->s);
	expect_done(dmasim_dev_read(rig->nvme, dma, bytes, sizeof(bytes)), sizeof(bytes));
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	pci_p2pdma_map_type(pcim_p2pdma_provider(rig->gpu, 0), &rig->nvme->dev);
	memory = pci_alloc_p2pmem(rig->gpu, SZ_16K);
	assert_non_null(memory);
	pci_free_p2pmem(rig->gpu, memory, SZ_16K);
	expect_points(rig->s, &from, (struct points){ .lock = 0 });
	unmap(rig, dma, SZ_4K);
}

static int end(void **state)
{
	struct rig *rig = *state;
	bool clean = !dmasim_check_clean(rig->s, NULL, 0);

	if (!clean)
		print_reports(rig->s);
	return rig_teardown(state) || !clean ? -1 : 0;
}

#define WITH(test, setup) cmocka_unit_test_setup_teardown(test, setup, end)
#define POINTS(test)	  WITH(test, setup)
#define INCOHERENT_TOO(test)                                            \
	{ #test, test, setup, end, NULL },                              \
	{                                                               \
#test "__incoherent", test, setup_incoherent, end, NULL \
	}

TEST_MAIN(POINTS(starting_changes_one_context_entry_for_each_function),
	  POINTS(a_write_to_configuration_space_is_one_point_and_a_read_is_none),
	  INCOHERENT_TOO(the_first_map_links_a_table_at_each_level_below_the_top),
	  WITH(with_three_levels_the_first_map_links_two_tables, setup_three_levels),
	  INCOHERENT_TOO(a_granule_on_warm_tables_is_one_leaf_and_one_clear),
	  INCOHERENT_TOO(every_granule_that_a_buffer_touches_has_a_leaf),
	  INCOHERENT_TOO(a_map_over_two_tables_links_both),
	  INCOHERENT_TOO(a_large_page_is_one_leaf),
	  INCOHERENT_TOO(a_large_page_takes_the_place_of_an_empty_table),
	  POINTS(a_gigabyte_is_one_leaf), WITH(without_leaves_of_a_gigabyte_it_is_512, setup_no_1g),
	  POINTS(a_refused_map_passes_nothing_but_the_allocator),
	  WITH(without_an_iommu_nothing_is_stored, setup_direct),
	  POINTS(a_list_is_one_allocation_and_one_invalidation),
	  WITH(a_list_of_bus_addresses_stores_nothing, setup_acs_off),
	  WITH(a_mixed_list_stores_what_is_not_a_bus_address, setup_acs_off),
	  INCOHERENT_TOO(three_links_are_one_allocation_three_leaves_and_one_invalidation),
	  INCOHERENT_TOO(unlinking_one_by_one_invalidates_each_time),
	  INCOHERENT_TOO(a_link_that_meets_another_takes_its_leaves_back),
	  POINTS(devices_and_peer_memory_pass_no_points))
