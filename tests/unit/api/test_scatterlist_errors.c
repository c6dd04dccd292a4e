/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists that cannot be mapped: which error comes back, and that nothing of the attempt stays
 * (facts 4.1, 4.3).
 */
#include "unit/api/lists.h"

/* nvme and gpu are below one switch that redirects, and their host bridge is on no list. */
static int setup_unreachable(void **state)
{
	return rig_setup_unlisted(state, NULL) ||
	       pci_p2pdma_add_resource(((struct rig *)*state)->gpu, 0, 0, 0);
}

static int setup_unreachable_direct(void **state)
{
	return rig_setup_unlisted(
		       state, &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU }) ||
	       pci_p2pdma_add_resource(((struct rig *)*state)->gpu, 0, 0, 0);
}

/* clang-format off */
#define WITH_UNREACHABLE(test)                                                        \
	{ #test "__behind_vtd", test, setup_unreachable, rig_teardown, NULL },        \
	{ #test "__without_iommu", test, setup_unreachable_direct, rig_teardown, NULL }
/* clang-format on */

/* Five scattered buffers, with odd ends. */
static void five_buffers(struct rig *rig, struct list *list)
{
	phys_addr_t buf = ram(rig, SZ_64K);

	list_init(list, 5);
	list_set(rig, list, 0, buf + 0x123, SZ_4K - 0x123);
	list_set(rig, list, 1, buf + 2 * SZ_4K, SZ_4K);
	list_set(rig, list, 2, buf + 4 * SZ_4K, 0x777);
	list_set(rig, list, 3, buf + 6 * SZ_4K + 0x20, 2 * SZ_4K);
	list_set(rig, list, 4, buf + 10 * SZ_4K, SZ_4K);
	list_remember(list);
}

/* Maps one page and ends it: starts the machine, and tells which IOVA would be the next. */
static dma_addr_t map_something(struct rig *rig)
{
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);

	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	return dma;
}

/* Tries to map the list, both ways of asking; nothing may stay. */
static void expect_map_fails(struct rig *rig, struct list *list, int error)
{
	struct device *dev = &rig->nvme->dev;
	dma_addr_t next = map_something(rig);
	u64 tables = dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE);
	u64 nodes = dmasim_in_use(rig->s, DMASIM_FAULT_IOVA_NODE);

	list->table.nents = 77;
	expect_error(dma_map_sgtable(dev, &list->table, DMA_BIDIRECTIONAL, 0), error);
	expect_u64(list->table.nents, 77);
	expect_u64(list->table.orig_nents, 5);
	expect_list_restored(list);
	expect_u64(dma_map_sg(dev, list->sg, 5, DMA_BIDIRECTIONAL), 0);
	expect_list_restored(list);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE), tables);
	expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_IOVA_NODE), nodes);
	if (dma_get_merge_boundary(dev))
		expect_u64(map_something(rig), next);
	dmasim_assert_clean(rig->s);
}

static void peer_memory_out_of_reach_is_eremoteio(void **state)
{
	struct rig *rig = *state;

	for (u32 place = 0; place < 5; place++) {
		struct list list;

		five_buffers(rig, &list);
		list_set(rig, &list, place, pci_resource_start(rig->gpu, 0) + 0x40, 0x500);
		list_remember(&list);
		expect_map_fails(rig, &list, -EREMOTEIO);
	}
}

/* A list that was mapped before still holds addresses and lengths in its DMA half. */
static void an_error_does_not_restore_from_stale_fields(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	five_buffers(rig, &list);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
	dma_unmap_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0);
	expect_list_restored(&list);
	list_set(rig, &list, 1, pci_resource_start(rig->gpu, 0), SZ_4K);
	list_remember(&list);
	expect_map_fails(rig, &list, -EREMOTEIO);
}

static void a_list_that_failed_maps_once_it_can(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	five_buffers(rig, &list);
	list_set(rig, &list, 4, pci_resource_start(rig->gpu, 0), SZ_4K);
	list_remember(&list);
	expect_map_fails(rig, &list, -EREMOTEIO);
	list_set(rig, &list, 4, ram(rig, SZ_4K), SZ_4K);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
	expect_list_carries(rig->s, rig->nvme, &list.table);
	dma_unmap_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* 20 bits hold 255 pages at most; the list wants 257. */
static void no_iova_space_is_enomem(void **state)
{
	struct rig *rig = *state;
	struct list list;

	expect_ok(dma_set_mask(&rig->nvme->dev, DMA_BIT_MASK(20)));
	five_buffers(rig, &list);
	list_set(rig, &list, 2, ram(rig, SZ_1M), SZ_1M);
	list_remember(&list);
	expect_map_fails(rig, &list, -ENOMEM);
}

static void no_page_for_tables_is_enomem(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	u64 tables, nodes;
	struct list list;
	dma_addr_t iova;

	map_something(rig);
	/* A part of the space that has no tables yet. */
	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(30)));
	tables = dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE);
	nodes = dmasim_in_use(rig->s, DMASIM_FAULT_IOVA_NODE);
	five_buffers(rig, &list);
	for (u64 nth = 1; nth <= 2; nth++) {
		dmasim_fail(rig->s, DMASIM_FAULT_TABLE_PAGE, nth);
		expect_error(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0), -ENOMEM);
		expect_u64(dmasim_failures(rig->s), 1);
		expect_list_restored(&list);
		/* A table that was linked before the failure stays, empty, for the next to come. */
		assert_true(dmasim_in_use(rig->s, DMASIM_FAULT_TABLE_PAGE) <= tables + nth - 1);
		expect_u64(dmasim_in_use(rig->s, DMASIM_FAULT_IOVA_NODE), nodes);
	}
	/* The highest range below the mask was not lost. */
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	iova = sg_dma_address(list.table.sgl);
	assert_true(iova < DMA_BIT_MASK(30) && iova >= DMA_BIT_MASK(30) + 1 - SZ_64K);
	dma_unmap_sgtable(dev, &list.table, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/*
 * A length that rounds up to 4 GiB does not fit an unsigned int: -EOVERFLOW inside, -EINVAL here.
 */
static void a_length_that_overflows_is_einval(void **state)
{
	struct rig *rig = *state;
	struct list list;

	five_buffers(rig, &list);
	list_set(rig, &list, 3, SZ_4G, ~0u);
	list_remember(&list);
	expect_map_fails(rig, &list, -EINVAL);
}

/* Entry 3 lies above what the device reaches; entries 0 to 2 are given back. */
static int setup_no_bounce(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .swiotlb = DMASIM_SWIOTLB_OFF });
}

static void without_an_iommu_an_entry_beyond_the_mask_is_eio(void **state)
{
	struct rig *rig = *state;
	struct list list;

	expect_ok(dma_set_mask(&rig->nvme->dev, DMA_BIT_MASK(32)));
	five_buffers(rig, &list);
	list_set(rig, &list, 3, SZ_4G, SZ_4K);
	list_remember(&list);
	/* expect_map_fails() tries twice. */
	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 2);
	expect_map_fails(rig, &list, -EIO);
}

/* Facts 4.1: the list call reports success with nothing mapped. */
static void a_device_without_a_mask_gets_no_segments(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	five_buffers(rig, &list);
	dev->dma_mask = NULL;
	dmasim_expect(rig->s, DMASIM_REPORT_NO_DMA_MASK, 2);
	expect_u64(dma_map_sg(dev, list.sg, 5, DMA_TO_DEVICE), 0);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	expect_u64(list.table.nents, 0);
	expect_list_restored(&list);
	expect_only(rig->s, DMASIM_REPORT_NO_DMA_MASK, 2);
}

static void a_direction_that_does_not_exist_is_refused_and_reported(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	five_buffers(rig, &list);
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_DIRECTION, 2);
	expect_u64(dma_map_sg(dev, list.sg, 5, DMA_NONE), 0);
	expect_error(dma_map_sgtable(dev, &list.table, (enum dma_data_direction)9, 0), -EINVAL);
	expect_list_restored(&list);
	expect_only(rig->s, DMASIM_REPORT_BAD_DIRECTION, 2);
}

static void a_bad_direction_at_unmap_leaves_the_list_mapped(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	five_buffers(rig, &list);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
	dma_unmap_sgtable(dev, &list.table, DMA_NONE, 0);
	expect_list_carries(rig->s, rig->nvme, &list.table);
	dma_unmap_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
}

TEST_MAIN(WITH_UNREACHABLE(peer_memory_out_of_reach_is_eremoteio),
	  WITH_UNREACHABLE(an_error_does_not_restore_from_stale_fields),
	  WITH_UNREACHABLE(a_list_that_failed_maps_once_it_can),
	  BEHIND_VTD(no_iova_space_is_enomem), BEHIND_VTD(no_page_for_tables_is_enomem),
	  BEHIND_VTD(a_length_that_overflows_is_einval),
	  WITH_SETUP(without_an_iommu_an_entry_beyond_the_mask_is_eio, setup_no_bounce),
	  IN_BOTH_MODES(a_device_without_a_mask_gets_no_segments),
	  IN_BOTH_MODES(a_direction_that_does_not_exist_is_refused_and_reported),
	  IN_BOTH_MODES(a_bad_direction_at_unmap_leaves_the_list_mapped))
