/* SPDX-License-Identifier: MIT */
/*
 * The checker watches scatterlists and peer memory: wrong programs with exactly their report, and
 * the right ones beside them.
 */
#include "unit/api/lists.h"
#include "unit/api/sites.h"

static int setup_peers(void **state)
{
	int err = rig_setup_acs_off(state);

	return err ? err : pci_p2pdma_add_resource(((struct rig *)*state)->gpu, 0, SZ_1M, 0);
}

static int setup_peers_direct(void **state)
{
	int err = rig_setup_direct_acs_off(state);

	return err ? err : pci_p2pdma_add_resource(((struct rig *)*state)->gpu, 0, SZ_1M, 0);
}

/* clang-format off */
#define WITH_PEERS(test)                                                        \
	{ #test "__behind_vtd", test, setup_peers, rig_teardown, NULL },        \
	{ #test "__without_iommu", test, setup_peers_direct, rig_teardown, NULL }
/* clang-format on */

static void mixed_list(struct rig *rig, struct list *list)
{
	list_init(list, 3);
	list_set(rig, list, 0, ram(rig, SZ_4K), SZ_4K);
	list_set(rig, list, 1, pci_resource_start(rig->gpu, 0), SZ_4K);
	list_set(rig, list, 2, ram(rig, SZ_4K), SZ_4K);
	list_remember(list);
}

/* ---- 18 bus-flag-lost ------------------------------------------------------------------------ */

/* A driver copies segments into a list of its own and forgets the flag. */
static void a_bus_flag_that_is_lost(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct place map, unmap;
	struct list list;
	u32 at = 0;

	mixed_list(rig, &list);
	NEXT_LINE(map);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
	while (!sg_dma_is_bus_address(&list.sg[at]))
		at++;
	sg_dma_unmark_bus_address(&list.sg[at]);
	dmasim_expect(rig->s, DMASIM_REPORT_BUS_FLAG_LOST, 1);
	NEXT_LINE(unmap);
	dma_unmap_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0);
	expect_headline(rig->s, DMASIM_REPORT_BUS_FLAG_LOST);
	expect_says(rig->s, DMASIM_REPORT_BUS_FLAG_LOST, map.words);
	expect_says(rig->s, DMASIM_REPORT_BUS_FLAG_LOST, unmap.words);
	assert_true(count_reports(rig->s, DMASIM_REPORT_BUS_FLAG_LOST) == 1);
}

static void a_bus_flag_that_is_kept(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;

	mixed_list(rig, &list);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
	expect_list_carries(rig->s, rig->nvme, &list.table);
	dma_unmap_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- 19 p2p-wrong-way ------------------------------------------------------------------------ */

static void peer_memory_mapped_by_phys_although_it_has_a_bus_address(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	struct place call;
	dma_addr_t dma;

	dmasim_expect(rig->s, DMASIM_REPORT_P2P_WRONG_WAY, 1);
	NEXT_LINE(call);
	dma = dma_map_phys(dev, bar, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	expect_headline(rig->s, DMASIM_REPORT_P2P_WRONG_WAY);
	expect_says(rig->s, DMASIM_REPORT_P2P_WRONG_WAY, call.words);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	expect_only(rig->s, DMASIM_REPORT_P2P_WRONG_WAY, 1);
}

static void peer_memory_linked_although_it_has_a_bus_address(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	struct dma_iova_state st;
	struct place call;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	dmasim_expect(rig->s, DMASIM_REPORT_P2P_WRONG_WAY, 1);
	NEXT_LINE(call);
	expect_ok(dma_iova_link(dev, &st, bar, 0, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO));
	expect_says(rig->s, DMASIM_REPORT_P2P_WRONG_WAY, call.words);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	expect_only(rig->s, DMASIM_REPORT_P2P_WRONG_WAY, 1);
}

/* The twin: a peer below another root port has no other way. */
static void peer_memory_through_the_host_bridge_is_mapped_by_phys(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->disk->dev;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	dma_addr_t dma = dma_map_phys(dev, bar, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);

	expect_both_ways(rig->s, rig->disk, dma, bar, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, DMA_ATTR_MMIO);
	dmasim_assert_clean(rig->s);
}

/* ---- 20, 22, 28: refusals that name the call ------------------------------------------------- */

static void a_bad_direction_names_the_call(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct place call;
	dma_addr_t dma;

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
	NEXT_LINE(call);
	dma = dma_map_phys(dev, SZ_1M, SZ_4K, DMA_NONE, 0);
	expect_u64(dma, DMA_MAPPING_ERROR);
	expect_headline(rig->s, DMASIM_REPORT_BAD_DIRECTION);
	expect_says(rig->s, DMASIM_REPORT_BAD_DIRECTION, call.words);
	expect_only(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
}

/* Facts 11, D15: what follows in memory is another mapping. */
static void a_sync_that_goes_on_into_the_next_mapping(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, 2 * SZ_4K);
	dma_addr_t first = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dma_addr_t next = dma_map_phys(dev, buf + SZ_4K, SZ_4K, DMA_TO_DEVICE, 0);
	dma_addr_t low = first < next ? first : next;

	assert_true(low + SZ_4K == (first < next ? next : first));
	dma_sync_single_for_cpu(dev, low, SZ_4K, DMA_TO_DEVICE);
	dmasim_expect(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
	dma_sync_single_for_cpu(dev, low, SZ_4K + 1, DMA_TO_DEVICE);
	expect_says(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, "beyond the end of the mapping");
	dma_unmap_phys(dev, first, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, next, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_SYNC_NOT_MAPPED, 1);
}

/* Without an IOMMU both begin at the same address. */
static void a_sync_of_the_longer_of_two_mappings(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t small = dma_map_phys(dev, buf, 100, DMA_TO_DEVICE, 0);
	dma_addr_t large = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);

	dma_sync_single_for_cpu(dev, small, 100, DMA_TO_DEVICE);
	dma_sync_single_for_cpu(dev, large, SZ_4K, DMA_TO_DEVICE);
	dma_unmap_phys(dev, large, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, small, 100, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* Both begin at the same address, and have one entry. */
static void a_list_with_a_shorter_entry_is_told_apart(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct list large[2], small;
	u8 bytes[4];

	list_init(&small, 1);
	list_set(rig, &small, 0, buf, 2);
	for (u32 i = 0; i < 2; i++) {
		list_init(&large[i], 1);
		list_set(rig, &large[i], 0, buf, 241);
	}
	expect_u64(dma_map_sg(dev, large[0].sg, 1, DMA_TO_DEVICE), 1);
	expect_u64(dma_map_sg(dev, small.sg, 1, DMA_TO_DEVICE), 1);
	expect_u64(dma_map_sg(dev, large[1].sg, 1, DMA_TO_DEVICE), 1);
	dma_unmap_sg(dev, small.sg, 1, DMA_TO_DEVICE);
	dma_unmap_sg(dev, large[0].sg, 1, DMA_TO_DEVICE);
	expect_done(dmasim_dev_read(rig->nvme, sg_dma_address(large[1].sg) + 200, bytes, 4), 4);
	dma_unmap_sg(dev, large[1].sg, 1, DMA_TO_DEVICE);
	dmasim_assert_clean(rig->s);
}

/* The first is over, and its sync for the device was not of the second. */
static void turns_of_two_mappings_of_the_same_memory(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t first = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dma_addr_t second = dma_map_phys(dev, buf, 64, DMA_TO_DEVICE, 0);

	dma_sync_single_for_cpu(dev, first, SZ_4K, DMA_TO_DEVICE);
	dma_sync_single_for_cpu(dev, second, 64, DMA_TO_DEVICE);
	dma_sync_single_for_device(dev, first, SZ_4K, DMA_TO_DEVICE);
	dma_unmap_phys(dev, first, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_write(rig->s, buf, "own", 4), 4);
	dma_sync_single_for_device(dev, second, 64, DMA_TO_DEVICE);
	dma_unmap_phys(dev, second, 64, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

static int setup_untrusted(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .traits.untrusted = true });
}

/* The head and the tail are copies. */
static void a_bad_direction_of_a_link_that_is_copied(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K) + 64;
	struct dma_iova_state st;

	dma_set_min_align_mask(dev, SZ_4K - 1);
	assert_true(dma_iova_try_alloc(dev, &st, buf, 100));
	dmasim_expect(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
	expect_error(dma_iova_link(dev, &st, buf, 0, 100, DMA_NONE, 0), -EINVAL);
	dma_iova_free(dev, &st);
	expect_only(rig->s, DMASIM_REPORT_BAD_DIRECTION, 1);
}

static void a_missing_mask_names_the_call(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct place call;
	dma_addr_t dma;

	dev->dma_mask = NULL;
	dmasim_expect(rig->s, DMASIM_REPORT_NO_DMA_MASK, 1);
	NEXT_LINE(call);
	dma = dma_map_phys(dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dma, DMA_MAPPING_ERROR);
	expect_headline(rig->s, DMASIM_REPORT_NO_DMA_MASK);
	expect_says(rig->s, DMASIM_REPORT_NO_DMA_MASK, call.words);
	expect_only(rig->s, DMASIM_REPORT_NO_DMA_MASK, 1);
}

static int setup_no_bounce(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU,
						       .swiotlb = DMASIM_SWIOTLB_OFF });
}

static void a_mask_that_is_too_small_names_the_call(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct place call;
	dma_addr_t dma;

	expect_ok(dma_set_mask(dev, DMA_BIT_MASK(32)));
	dmasim_expect(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
	NEXT_LINE(call);
	dma = dma_map_phys(dev, SZ_4G, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dma, DMA_MAPPING_ERROR);
	expect_headline(rig->s, DMASIM_REPORT_MASK_OVERFLOW);
	expect_says(rig->s, DMASIM_REPORT_MASK_OVERFLOW, call.words);
	expect_only(rig->s, DMASIM_REPORT_MASK_OVERFLOW, 1);
}

static void a_bad_size_names_the_call(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;
	struct place call;
	bool got;

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	NEXT_LINE(call);
	got = dma_iova_try_alloc(dev, &st, 0, 0);
	assert_false(got);
	expect_says(rig->s, DMASIM_REPORT_BAD_ARGUMENT, call.words);
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

/* Without an IOMMU both have the same DMA addresses; the device reads, so that is no mistake. */
static void two_lists_of_the_same_memory_are_told_apart(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct list two, one, other;

	list_init(&two, 2);
	list_set(rig, &two, 0, buf, SZ_4K);
	list_set(rig, &two, 1, buf + 2 * SZ_4K, SZ_4K);
	list_init(&one, 1);
	list_set(rig, &one, 0, buf, SZ_4K);
	list_init(&other, 1);
	list_set(rig, &other, 0, buf, SZ_4K);
	expect_u64(dma_map_sg(dev, one.sg, 1, DMA_TO_DEVICE), 1);
	assert_true(dma_map_sg(dev, two.sg, 2, DMA_TO_DEVICE) > 0);
	expect_u64(dma_map_sg_attrs(dev, other.sg, 1, DMA_TO_DEVICE, DMA_ATTR_PRIVILEGED), 1);
	dma_sync_sg_for_cpu(dev, one.sg, 1, DMA_TO_DEVICE);
	dma_sync_sg_for_cpu(dev, two.sg, 2, DMA_TO_DEVICE);
	dma_unmap_sg_attrs(dev, other.sg, 1, DMA_TO_DEVICE, DMA_ATTR_PRIVILEGED);
	dma_sync_sg_for_device(dev, one.sg, 1, DMA_TO_DEVICE);
	dma_sync_sg_for_device(dev, two.sg, 2, DMA_TO_DEVICE);
	dma_unmap_sg(dev, two.sg, 2, DMA_TO_DEVICE);
	dma_unmap_sg(dev, one.sg, 1, DMA_TO_DEVICE);
	dmasim_assert_clean(rig->s);
}

/* The first has all that the second has, and more. */
static void a_list_within_another_one_is_told_apart(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct list large, small, later;

	list_init(&small, 2);
	list_set(rig, &small, 0, buf, SZ_4K);
	list_set(rig, &small, 1, buf + 3 * SZ_4K, 86);
	list_init(&large, 2);
	list_set(rig, &large, 0, buf, SZ_16K);
	list_set(rig, &large, 1, buf + 8 * SZ_4K, SZ_4K);
	list_init(&later, 1);
	list_set(rig, &later, 0, buf + 8 * SZ_4K, SZ_4K);
	assert_true(dma_map_sg(dev, small.sg, 2, DMA_TO_DEVICE) > 0);
	assert_true(dma_map_sg(dev, large.sg, 2, DMA_TO_DEVICE) > 0);
	dma_unmap_sg(dev, large.sg, 2, DMA_TO_DEVICE);
	assert_true(dma_map_sg(dev, later.sg, 1, DMA_FROM_DEVICE) > 0);
	dma_unmap_sg(dev, later.sg, 1, DMA_FROM_DEVICE);
	dma_unmap_sg(dev, small.sg, 2, DMA_TO_DEVICE);
	dmasim_assert_clean(rig->s);
}

TEST_MAIN(WITH_PEERS(a_bus_flag_that_is_lost), WITH_PEERS(a_bus_flag_that_is_kept),
	  WITH_SETUP(peer_memory_mapped_by_phys_although_it_has_a_bus_address, setup_peers),
	  WITH_SETUP(peer_memory_linked_although_it_has_a_bus_address, setup_peers),
	  WITH_PEERS(peer_memory_through_the_host_bridge_is_mapped_by_phys),
	  IN_BOTH_MODES(a_bad_direction_names_the_call),
	  IN_BOTH_MODES(a_sync_that_goes_on_into_the_next_mapping),
	  IN_BOTH_MODES(a_sync_of_the_longer_of_two_mappings),
	  IN_BOTH_MODES(turns_of_two_mappings_of_the_same_memory),
	  IN_BOTH_MODES(a_list_with_a_shorter_entry_is_told_apart),
	  WITH_SETUP(a_bad_direction_of_a_link_that_is_copied, setup_untrusted),
	  IN_BOTH_MODES(a_missing_mask_names_the_call),
	  WITH_SETUP(a_mask_that_is_too_small_names_the_call, setup_no_bounce),
	  BEHIND_VTD(a_bad_size_names_the_call),
	  IN_BOTH_MODES(two_lists_of_the_same_memory_are_told_apart),
	  IN_BOTH_MODES(a_list_within_another_one_is_told_apart))
