/* SPDX-License-Identifier: MIT */
/*
 * The checklist: how dma_map_sg() forms segments (T9).
 */
#include "catalogue/catalogue.h"

/* A list of entries given as (offset in a page of its own, length), mapped: the segments formed. */
static u32 map_list(struct rig *rig, struct list *list, const u32 (*entry)[2], u32 count)
{
	list_init(list, count);
	for (u32 i = 0; i < count; i++) {
		phys_addr_t buf = ram(rig, 4 * SZ_64K);

		list_set(rig, list, i, buf + entry[i][0], entry[i][1]);
	}
	list_remember(list);
	expect_ok(dma_map_sgtable(&rig->nvme->dev, &list->table, DMA_BIDIRECTIONAL, 0));
	expect_unused(list, list->table.nents);
	return list->table.nents;
}

/* It carries its bytes, and leaves nothing behind. */
static void unmap_list(struct rig *rig, struct list *list)
{
	expect_list_carries(rig->s, rig->nvme, &list->table);
	dma_unmap_sgtable(&rig->nvme->dev, &list->table, DMA_BIDIRECTIONAL, 0);
	expect_list_restored(list);
	expect_u64(live_entries(rig->s), 0);
	dmasim_assert_clean(rig->s);
}

/* trust: T09: how lists become segments | our reading of the facts: dma-api 17 */
static void T09_whole_granules_join(void **state)
{
	static const u32 entries[][2] = { { 0x800, 0x800 }, { 0, SZ_4K }, { 0, SZ_16K }, { 0, 7 } };
	struct rig *rig = *state;
	struct list list;

	expect_u64(map_list(rig, &list, entries, 4), 1);
	expect_u64(sg_dma_len(list.sg), 0x800 + SZ_4K + SZ_16K + 7);
	expect_u64(sg_dma_address(list.sg) & (SZ_4K - 1), 0x800);
	unmap_list(rig, &list);
}

/* Bytes that are not the list's lie between: before an offset, and behind an end. */
static void T09_mid_granule_does_not_join(void **state)
{
	static const u32 entries[][2] = {
		{ 0, SZ_4K }, { 0x10, SZ_4K - 0x10 }, { 0, 0x100 }, { 0, SZ_4K }
	};
	struct rig *rig = *state;
	struct list list;

	expect_u64(map_list(rig, &list, entries, 4), 3);
	expect_u64(sg_dma_len(&list.sg[0]), SZ_4K);
	/* The second ends on a granule, so the third joins; the fourth starts behind a gap. */
	expect_u64(sg_dma_len(&list.sg[1]), SZ_4K - 0x10 + 0x100);
	expect_u64(sg_dma_len(&list.sg[2]), SZ_4K);
	unmap_list(rig, &list);
}

static void T09_maximum_segment_size(void **state)
{
	static const u32 entries[][2] = {
		{ 0, SZ_16K }, { 0, SZ_16K }, { 0, SZ_16K }, { 0, SZ_4K }
	};
	struct rig *rig = *state;
	struct list list;

	dma_set_max_seg_size(&rig->nvme->dev, 2 * SZ_16K + SZ_4K);
	expect_u64(map_list(rig, &list, entries, 4), 2);
	expect_u64(sg_dma_len(&list.sg[0]), 2 * SZ_16K);
	expect_u64(sg_dma_len(&list.sg[1]), SZ_16K + SZ_4K);
	unmap_list(rig, &list);
}

/* The default is 64 KiB: facts 2. */
static void T09_maximum_segment_size_unset(void **state)
{
	static const u32 entries[][2] = { { 0, SZ_64K }, { 0, SZ_4K } };
	struct rig *rig = *state;
	struct list list;

	expect_u64(map_list(rig, &list, entries, 2), 2);
	unmap_list(rig, &list);
}

/*
 * A boundary at 16 KiB: an entry that would cross it starts on it, and one that starts on it does
 * not join.
 *
 *   block     |12K.........|pad|12K.........|...|
 *   boundary  |----------------|----------------|
 */
static void T09_segment_boundary(void **state)
{
	static const u32 entries[][2] = { { 0, 3 * SZ_4K }, { 0, 3 * SZ_4K }, { 0, SZ_4K } };
	struct rig *rig = *state;
	struct list list;

	dma_set_seg_boundary(&rig->nvme->dev, SZ_16K - 1);
	expect_u64(map_list(rig, &list, entries, 3), 2);
	expect_u64(sg_dma_address(&list.sg[1]) - sg_dma_address(&list.sg[0]), SZ_16K);
	expect_u64(sg_dma_address(&list.sg[1]) & (SZ_16K - 1), 0);
	expect_u64(sg_dma_len(&list.sg[0]), 3 * SZ_4K);
	expect_u64(sg_dma_len(&list.sg[1]), SZ_16K);
	unmap_list(rig, &list);
}

/* Peer memory in the middle has its own segment, and what follows it does not join what came. */
static void T09_bus_addresses_in_the_middle(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	struct list list;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	list_init(&list, 4);
	list_set(rig, &list, 0, ram(rig, SZ_4K), SZ_4K);
	list_set(rig, &list, 1, ram(rig, SZ_4K), SZ_4K);
	list_set(rig, &list, 2, bar, SZ_16K);
	list_set(rig, &list, 3, ram(rig, SZ_4K), SZ_4K);
	list_remember(&list);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
	/* Behind an IOMMU the first two join; without one nothing does. */
	expect_u64(list.table.nents, translates(dev) ? 3 : 4);
	for (u32 i = 0; i < list.table.nents; i++) {
		bool bus = i == list.table.nents - 2;

		expect_u64(sg_dma_is_bus_address(&list.sg[i]), bus);
		if (bus) {
			expect_u64(sg_dma_address(&list.sg[i]), bar);
			expect_u64(sg_dma_len(&list.sg[i]), SZ_16K);
		}
	}
	if (translates(dev))
		/* It takes no IOVA space. */
		expect_u64(sg_dma_address(&list.sg[2]), sg_dma_address(&list.sg[0]) + 2 * SZ_4K);
	unmap_list(rig, &list);
}

static void T09_nothing_but_bus_addresses(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	u64 allocs = dmasim_costs(rig->s).iova_allocs;
	struct list list;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	list_init(&list, 2);
	list_set(rig, &list, 0, bar, SZ_4K);
	list_set(rig, &list, 1, bar + SZ_4K, SZ_16K);
	list_remember(&list);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_BIDIRECTIONAL, 0));
	expect_u64(list.table.nents, 2);
	expect_u64(dmasim_costs(rig->s).iova_allocs, allocs);
	unmap_list(rig, &list);
}

TEST_MAIN(IN(strict, T09_whole_granules_join), IN(amd_vi, T09_whole_granules_join),
	  IN(riscv, T09_whole_granules_join), IN(smmuv3, T09_whole_granules_join),
	  IN(lazy, T09_whole_granules_join), IN(amd_vi_lazy, T09_whole_granules_join),
	  IN(riscv_lazy, T09_whole_granules_join), IN(smmuv3_lazy, T09_whole_granules_join),
	  IN(strict, T09_mid_granule_does_not_join), IN(amd_vi, T09_mid_granule_does_not_join),
	  IN(riscv, T09_mid_granule_does_not_join), IN(smmuv3, T09_mid_granule_does_not_join),
	  IN(lazy, T09_mid_granule_does_not_join), IN(amd_vi_lazy, T09_mid_granule_does_not_join),
	  IN(riscv_lazy, T09_mid_granule_does_not_join),
	  IN(smmuv3_lazy, T09_mid_granule_does_not_join), IN(strict, T09_maximum_segment_size),
	  IN(amd_vi, T09_maximum_segment_size), IN(riscv, T09_maximum_segment_size),
	  IN(smmuv3, T09_maximum_segment_size), IN(lazy, T09_maximum_segment_size),
	  IN(amd_vi_lazy, T09_maximum_segment_size), IN(riscv_lazy, T09_maximum_segment_size),
	  IN(smmuv3_lazy, T09_maximum_segment_size), IN(strict, T09_maximum_segment_size_unset),
	  IN(amd_vi, T09_maximum_segment_size_unset), IN(riscv, T09_maximum_segment_size_unset),
	  IN(smmuv3, T09_maximum_segment_size_unset), IN(strict, T09_segment_boundary),
	  IN(amd_vi, T09_segment_boundary), IN(riscv, T09_segment_boundary),
	  IN(smmuv3, T09_segment_boundary), IN(lazy, T09_segment_boundary),
	  IN(amd_vi_lazy, T09_segment_boundary), IN(riscv_lazy, T09_segment_boundary),
	  IN(smmuv3_lazy, T09_segment_boundary), IN(strict_bus, T09_bus_addresses_in_the_middle),
	  IN(direct_bus, T09_bus_addresses_in_the_middle),
	  IN(strict_bus, T09_nothing_but_bus_addresses),
	  IN(direct_bus, T09_nothing_but_bus_addresses))
