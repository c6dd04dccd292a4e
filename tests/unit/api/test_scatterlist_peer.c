/* SPDX-License-Identifier: MIT */
/*
 * Scatterlists with peer memory: bus addresses carry a flag and take no IOVA (facts 4.2, 4.3).
 *
 * With redirect off, nvme reaches gpu and nic below their common switch, and disk through the host
 * bridge.
 */
#include "unit/api/lists.h"

#define GPU_OFFSET (16 * SZ_4K)

static int setup_peers(struct rig *rig)
{
	return pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0) ||
	       pci_p2pdma_add_resource(rig->nic, 0, 0, 0) ||
	       pci_p2pdma_add_resource(rig->disk, 0, 0, 0);
}

static int setup_vtd(void **state)
{
	return rig_setup_acs_off(state) || setup_peers(*state);
}

static int setup_direct(void **state)
{
	return rig_setup_direct_acs_off(state) || setup_peers(*state);
}

#define WITH_PEERS(test)                                                        \
	{ #test "__behind_vtd", test, setup_vtd, rig_teardown, NULL },          \
	{                                                                       \
#test "__without_iommu", test, setup_direct, rig_teardown, NULL \
	}

static bool behind_iommu(struct rig *rig)
{
	return dma_get_merge_boundary(&rig->nvme->dev) != 0;
}

/*
 * Builds a list from letters: r is a page of RAM, g, n and d are pages of the gpu's, the nic's and
 * the disk's BAR. Each letter's page differs from all others.
 */
static void build(struct rig *rig, struct list *list, const char *letters)
{
	u32 entries = strlen(letters);
	phys_addr_t buf = ram(rig, 2 * entries * SZ_4K);

	list_init(list, entries);
	for (u32 i = 0; i < entries; i++) {
		phys_addr_t phys = buf + 2 * i * SZ_4K;

		if (letters[i] == 'g')
			phys = pci_resource_start(rig->gpu, 0) + GPU_OFFSET + i * SZ_4K;
		else if (letters[i] == 'n')
			phys = pci_resource_start(rig->nic, 0) + i * SZ_4K;
		else if (letters[i] == 'd')
			phys = pci_resource_start(rig->disk, 0) + (i % 4) * SZ_4K;
		list_set(rig, list, i, phys, SZ_4K);
	}
	list_remember(list);
}

/* Maps the list and compares its segments: pages of each, B for a bus address before the number. */
static void expect_segments(struct rig *rig, struct list *list, const char *expected)
{
	char found[256] = "";
	struct scatterlist *sg;
	size_t at = 0;
	u32 i;

	expect_ok(dma_map_sgtable(&rig->nvme->dev, &list->table, DMA_BIDIRECTIONAL, 0));
	for_each_sgtable_dma_sg(&list->table, sg, i)
		at += snprintf(found + at, sizeof(found) - at, "%s%s%u", i ? " " : "",
			       sg_dma_is_bus_address(sg) ? "B" : "", sg_dma_len(sg) / SZ_4K);
	assert_string_equal(found, expected);
	expect_list_carries(rig->s, rig->nvme, &list->table);
}

static void unmap(struct rig *rig, struct list *list)
{
	dma_unmap_sgtable(&rig->nvme->dev, &list->table, DMA_BIDIRECTIONAL, 0);
	expect_list_restored(list);
	dmasim_assert_clean(rig->s);
}

/* One list, its segments behind VT-d, and without an IOMMU, where nothing is joined. */
static void check(struct rig *rig, const char *letters, const char *joined, const char *each)
{
	struct list list;

	build(rig, &list, letters);
	expect_segments(rig, &list, behind_iommu(rig) ? joined : each);
	unmap(rig, &list);
}

static void a_bus_address_at_the_head_of_a_list(void **state)
{
	check(*state, "grrr", "B1 3", "B1 1 1 1");
}

static void a_bus_address_in_the_middle_of_a_list_parts_it(void **state)
{
	check(*state, "rrgrr", "2 B1 2", "1 1 B1 1 1");
}

static void a_bus_address_at_the_tail_of_a_list(void **state)
{
	check(*state, "rrrg", "3 B1", "1 1 1 B1");
}

static void bus_addresses_all_over_a_list(void **state)
{
	check(*state, "grrgrg", "B1 2 B1 1 B1", "B1 1 1 B1 1 B1");
}

/* Even neighbours in one BAR keep a segment each. */
static void bus_addresses_are_never_joined(void **state)
{
	check(*state, "gggg", "B1 B1 B1 B1", "B1 B1 B1 B1");
}

static void a_list_with_two_providers(void **state)
{
	check(*state, "rgnrngr", "1 B1 B1 1 B1 B1 1", "1 B1 B1 1 B1 B1 1");
}

/* Peer memory through the host bridge is like RAM: it takes IOVA space and joins. */
static void peer_memory_through_the_host_bridge_joins_like_ram(void **state)
{
	check(*state, "rdr", "3", "1 1 1");
}

static void bus_address_and_host_bridge_in_one_list(void **state)
{
	check(*state, "dgdrgd", "1 B1 2 B1 1", "1 B1 1 1 B1 1");
}

static void bus_entries_hold_the_bus_address_and_their_own_length(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	struct list list;

	list_init(&list, 3);
	list_set(rig, &list, 0, bar + 0x40, 0x100);
	list_set(rig, &list, 1, ram(rig, SZ_64K), SZ_16K);
	list_set(rig, &list, 2, bar + SZ_4K + 8, 3 * SZ_4K);
	list_remember(&list);
	expect_ok(dma_map_sgtable(&rig->nvme->dev, &list.table, DMA_BIDIRECTIONAL, 0));
	expect_u64(list.table.nents, 3);
	assert_true(sg_dma_is_bus_address(&list.sg[0]));
	assert_false(sg_dma_is_bus_address(&list.sg[1]));
	assert_true(sg_dma_is_bus_address(&list.sg[2]));
	expect_u64(list.sg[0].dma_address, pci_bus_address(rig->gpu, 0) + 0x40);
	expect_u64(list.sg[0].dma_length, 0x100);
	expect_u64(list.sg[1].dma_length, SZ_16K);
	expect_u64(list.sg[2].dma_address, pci_bus_address(rig->gpu, 0) + SZ_4K + 8);
	expect_u64(list.sg[2].dma_length, 3 * SZ_4K);
	expect_list_carries(rig->s, rig->nvme, &list.table);
	unmap(rig, &list);
}

static void a_list_of_bus_addresses_alone_takes_no_iova(void **state)
{
	struct rig *rig = *state;
	struct dmasim_costs before = dmasim_costs(rig->s), after;
	struct list list;

	build(rig, &list, "ggng");
	expect_ok(dma_map_sgtable(&rig->nvme->dev, &list.table, DMA_BIDIRECTIONAL, 0));
	unmap(rig, &list);
	after = dmasim_costs(rig->s);
	expect_u64(after.iova_allocs, before.iova_allocs);
	expect_u64(after.entries_written, before.entries_written);
	expect_u64(after.invalidations, before.invalidations);
}

/* A flag stands in the slot of its segment, which joining moved to the front. */
static void the_flag_is_in_the_segments_slot(void **state)
{
	struct rig *rig = *state;
	struct list list;

	build(rig, &list, "rrrrgr");
	expect_segments(rig, &list, "4 B1 1");
	assert_true(sg_dma_is_bus_address(&list.sg[1]));
	expect_unused(&list, 3);
	unmap(rig, &list);
}

static void bus_segments_do_not_pass_the_root_and_others_do(void **state)
{
	struct rig *rig = *state;
	struct dmasim_route route;
	struct list list;

	build(rig, &list, "grdn");
	expect_ok(dma_map_sgtable(&rig->nvme->dev, &list.table, DMA_BIDIRECTIONAL, 0));
	for (u32 i = 0; i < list.table.nents; i++) {
		dmasim_route(rig->nvme, list.sg[i].dma_address, true, &route);
		assert_false(route.refused);
		assert_int_equal(route.passed_root, !sg_dma_is_bus_address(&list.sg[i]));
	}
	unmap(rig, &list);
}

static void two_unmaps_in_turn_of_lists_that_share_peer_memory(void **state)
{
	struct rig *rig = *state;
	struct list first, second;

	build(rig, &first, "rgr");
	build(rig, &second, "rgr");
	expect_ok(dma_map_sgtable(&rig->nvme->dev, &first.table, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_map_sgtable(&rig->nvme->dev, &second.table, DMA_BIDIRECTIONAL, 0));
	dma_unmap_sgtable(&rig->nvme->dev, &first.table, DMA_BIDIRECTIONAL, 0);
	expect_list_carries(rig->s, rig->nvme, &second.table);
	unmap(rig, &second);
}

TEST_MAIN(WITH_PEERS(a_bus_address_at_the_head_of_a_list),
	  WITH_PEERS(a_bus_address_in_the_middle_of_a_list_parts_it),
	  WITH_PEERS(a_bus_address_at_the_tail_of_a_list),
	  WITH_PEERS(bus_addresses_all_over_a_list), WITH_PEERS(bus_addresses_are_never_joined),
	  WITH_PEERS(a_list_with_two_providers),
	  WITH_PEERS(peer_memory_through_the_host_bridge_joins_like_ram),
	  WITH_PEERS(bus_address_and_host_bridge_in_one_list),
	  WITH_PEERS(bus_entries_hold_the_bus_address_and_their_own_length),
	  WITH_SETUP(a_list_of_bus_addresses_alone_takes_no_iova, setup_vtd),
	  WITH_SETUP(the_flag_is_in_the_segments_slot, setup_vtd),
	  WITH_PEERS(bus_segments_do_not_pass_the_root_and_others_do),
	  WITH_PEERS(two_unmaps_in_turn_of_lists_that_share_peer_memory))
