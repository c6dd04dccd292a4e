/* SPDX-License-Identifier: MIT */
/*
 * The checker watches calls that end mappings: for each report a wrong program that gives exactly
 * it, and the right one beside it that gives none.
 */
#include "unit/api/lists.h"
#include "unit/api/sites.h"

/* ---- 10 unmap-not-mapped --------------------------------------------------------------------- */

static void an_unmap_of_what_was_never_mapped(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct place call;

	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	NEXT_LINE(call);
	dma_unmap_phys(dev, 0x5000, SZ_4K, DMA_TO_DEVICE, 0);
	expect_headline(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, call.words);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
}

/* M5. Nothing is freed a second time: the address is not handed out twice. */
static void unmapping_twice(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0), first, second;
	struct place once, twice;

	NEXT_LINE(once);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	NEXT_LINE(twice);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, once.words);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, twice.words);
	if (dma_get_merge_boundary(dev)) {
		first = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
		second = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
		assert_true(first != second);
		dma_unmap_phys(dev, first, SZ_4K, DMA_TO_DEVICE, 0);
		dma_unmap_phys(dev, second, SZ_4K, DMA_TO_DEVICE, 0);
	}
	expect_only(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
}

/* M3: a failed mapping that was never asked about. */
static void unmapping_the_error_value(void **state)
{
	struct rig *rig = *state;

	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_unmap_phys(&rig->nvme->dev, DMA_MAPPING_ERROR, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
}

/* M14, and the story: at unmap nothing tells a bus address from an IOVA. */
static void unmapping_a_bus_address(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	dma_addr_t dma;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	dma = pci_p2pdma_bus_addr_map(pcim_p2pdma_provider(rig->gpu, 0), bar);
	expect_both_ways(rig->s, rig->nvme, dma, bar, SZ_4K);
	dmasim_expect(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, 1);
	dma_unmap_page(&rig->nvme->dev, dma, SZ_4K, DMA_BIDIRECTIONAL);
	expect_only(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, 1);
}

/* Facts 3.1: no bytes map where the buffer does not start on a granule; the unmap is their pair. */
static void no_bytes_that_were_mapped_are_unmapped_without_a_report(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K) + 8;
	dma_addr_t dma = dma_map_phys(dev, buf, 0, DMA_TO_DEVICE, 0);

	expect_ok(dma_mapping_error(dev, dma));
	dma_unmap_phys(dev, dma, 0, DMA_TO_DEVICE, 0);
	dmasim_assert_clean(rig->s);
}

/* ---- 11 unmap-mismatch ----------------------------------------------------------------------- */

static void an_unmap_of_less_than_was_mapped(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct place map, unmap;
	dma_addr_t dma;

	NEXT_LINE(map);
	dma = dma_map_phys(dev, buf, 100, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	NEXT_LINE(unmap);
	dma_unmap_phys(dev, dma, 99, DMA_TO_DEVICE, 0);
	expect_headline(rig->s, DMASIM_REPORT_UNMAP_MISMATCH);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, map.words);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, unmap.words);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

static void an_unmap_of_more_than_was_mapped_in_the_same_granule(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma = dma_map_phys(dev, ram(rig, SZ_4K), 100, DMA_TO_DEVICE, 0);

	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, dma, 101, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

static void an_unmap_with_another_direction(void **state)
{
	static const enum dma_data_direction all[] = { DMA_BIDIRECTIONAL, DMA_TO_DEVICE,
						       DMA_FROM_DEVICE };
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);

	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 3; k++) {
			dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, all[i], 0);

			if (i != k)
				dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
			dma_unmap_phys(dev, dma, SZ_4K, all[k], 0);
		}
	}
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 6);
}

/* M7: nents is the number given to the map, not the one it returned. */
static void unmapping_a_list_with_the_returned_count(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct list list;
	int count;

	list_init(&list, 4);
	for (u32 i = 0; i < 4; i++)
		list_set(rig, &list, i, buf + 2 * i * SZ_4K, SZ_4K);
	list_remember(&list);
	count = dma_map_sg(dev, list.sg, 4, DMA_TO_DEVICE);
	assert_int_equal(count, 1);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_sg(dev, list.sg, count, DMA_TO_DEVICE);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

static void unmapping_a_list_with_another_direction(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct list list;
	struct place unmap;

	list_init(&list, 2);
	list_set(rig, &list, 0, buf, SZ_4K);
	list_set(rig, &list, 1, buf + SZ_16K, SZ_4K);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	NEXT_LINE(unmap);
	dma_unmap_sgtable(dev, &list.table, DMA_FROM_DEVICE, 0);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, unmap.words);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

/* ---- 12 unmap-foreign ------------------------------------------------------------------------ */

/*
 * M4:
 *   mappings   |bbbbbbb|aaaaaaa|       a is the older one, so b lies below it
 *   unmap of b |---------------|       two granules instead of one: a is gone, too
 */
static void jump(struct dmasim *s, const struct dmasim_report *report, void *cookie)
{
	(void)s;
	(void)report;
	longjmp(*(jmp_buf *)cookie, 1);
}

/* What is told of it is told once, also to those who jump out of the call. */
static void a_list_that_is_unmapped_as_one_buffer_and_left(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct list list;
	jmp_buf out;

	list_init(&list, 2);
	for (u32 i = 0; i < 2; i++)
		list_set(rig, &list, i, buf + 2 * i * SZ_4K, SZ_4K);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	dmasim_on_report(rig->s, jump, &out);
	if (!setjmp(out)) {
		dma_unmap_phys(dev, sg_dma_address(list.table.sgl), sg_dma_len(list.table.sgl),
			       DMA_TO_DEVICE, 0);
		fail_msg("nothing was told");
	}
	dmasim_on_report(rig->s, NULL, NULL);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_UNMAP_MISMATCH), 1);
}

/* Its pages became one segment: they are the list's own, and nobody else's. */
static void a_list_that_is_unmapped_as_if_it_were_one_buffer(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct list list;

	list_init(&list, 3);
	for (u32 i = 0; i < 3; i++)
		list_set(rig, &list, i, buf + 2 * i * SZ_4K, SZ_4K);
	expect_ok(dma_map_sgtable(dev, &list.table, DMA_TO_DEVICE, 0));
	expect_u64(list.table.nents, 1);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
	dma_unmap_phys(dev, sg_dma_address(list.table.sgl), sg_dma_len(list.table.sgl),
		       DMA_TO_DEVICE, 0);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, "it was mapped by another call");
	expect_says(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, "[mapped as scatter-gather]");
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 1);
}

static void an_unmap_that_tears_down_its_neighbour(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct place victim;
	dma_addr_t a, b;

	NEXT_LINE(victim);
	a = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	b = dma_map_phys(dev, buf + SZ_4K, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(b + SZ_4K, a);
	dma_unmap_phys(dev, b, 2 * SZ_4K, DMA_TO_DEVICE, 0);
	assert_true(count_reports(rig->s, DMASIM_REPORT_UNMAP_FOREIGN) == 1);
	expect_headline(rig->s, DMASIM_REPORT_UNMAP_FOREIGN);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_FOREIGN, victim.words);
}

/* Two devices of one group share a domain; the mapping is the nvme's. */
static void an_unmap_of_another_devices_mapping(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct place map, unmap;
	dma_addr_t dma;

	NEXT_LINE(map);
	dma = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_FOREIGN, 1);
	NEXT_LINE(unmap);
	dma_unmap_phys(&rig->gpu->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_FOREIGN, map.words);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_FOREIGN, unmap.words);
	expect_says(rig->s, DMASIM_REPORT_UNMAP_FOREIGN, pci_name(rig->nvme));
	expect_only(rig->s, DMASIM_REPORT_UNMAP_FOREIGN, 1);
}

/*
 * The danger of the story: with the windows unreserved an IOVA can be the number of a bus address,
 * and an unmap of the latter tears down the former.
 */
static void an_unmap_of_a_bus_address_that_is_somebodys_iova(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K), bar = pci_resource_start(rig->gpu, 0);
	struct p2pdma_provider *provider;
	struct place map;
	dma_addr_t iova, bus;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	provider = pcim_p2pdma_provider(rig->gpu, 0);
	expect_ok(dma_set_mask(&rig->nvme->dev, pci_bus_address(rig->gpu, 0) + SZ_64K - 1));
	dmasim_expect(rig->s, DMASIM_REPORT_IOVA_IN_WINDOW, 1);
	NEXT_LINE(map);
	iova = dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	bus = pci_p2pdma_bus_addr_map(provider, bar + SZ_64K - SZ_4K);
	expect_u64(bus, iova);
	dmasim_expect(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, 1);
	dma_unmap_page(&rig->nic->dev, bus, SZ_4K, DMA_BIDIRECTIONAL);
	expect_says(rig->s, DMASIM_REPORT_BUS_ADDRESS_UNMAPPED, map.words);
	expect_u64(dmasim_report_count(rig->s), 2);
	dmasim_assert_clean(rig->s);
}

static int setup_hidden(void **state)
{
	return rig_setup_with(state,
			      &(struct dmasim_config){ DMASIM_CONFIG, .acs = DMASIM_ACS_OFF,
						       .hide_windows = true, .forcedac = true });
}

static struct page *mapped_pages(struct pci_dev *pdev, u64 bytes, dma_addr_t *dma)
{
	struct page *page = dma_alloc_pages(&pdev->dev, bytes, dma, DMA_BIDIRECTIONAL, GFP_KERNEL);

	assert_non_null(page);
	return page;
}

/* The second device has two mappings where the first one had its larger one. */
static void freeing_pages_after_larger_ones_of_another_device(void **state)
{
	struct rig *rig = *state;
	dma_addr_t large, one, other;
	struct page *first = mapped_pages(rig->nvme, SZ_16K, &large);
	struct page *second = mapped_pages(rig->disk, SZ_4K, &one);
	struct page *third = mapped_pages(rig->disk, SZ_4K, &other);

	assert_true(one - large < SZ_16K && other - large < SZ_16K);
	dma_free_pages(&rig->nvme->dev, SZ_16K, first, large, DMA_BIDIRECTIONAL);
	dma_free_pages(&rig->disk->dev, SZ_4K, second, one, DMA_BIDIRECTIONAL);
	expect_u64(dmasim_report_count(rig->s), 0);
	dma_free_pages(&rig->disk->dev, SZ_4K, third, other, DMA_BIDIRECTIONAL);
	dmasim_assert_clean(rig->s);
}

/* Facts 11, D9. What was given out is freed all the same: the program goes on. */
static void memory_that_came_mapped_is_freed_with_another_size(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;
	void *memory = dma_alloc_coherent(dev, SZ_4K, &dma, GFP_KERNEL);
	struct page *page;

	assert_non_null(memory);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 2);
	dma_free_coherent(dev, SZ_16K, memory, dma);
	page = mapped_pages(rig->nvme, SZ_16K, &dma);
	dma_free_pages(dev, SZ_4K, page, dma, DMA_BIDIRECTIONAL);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, 2);
}

/* Facts 11, D8. */
static void memory_that_came_mapped_is_freed_twice(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t dma;
	void *memory = dma_alloc_coherent(dev, SZ_4K, &dma, GFP_KERNEL);

	assert_non_null(memory);
	dma_free_coherent(dev, SZ_4K, memory, dma);
	dmasim_expect(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
	dma_free_coherent(dev, SZ_4K, memory, dma);
	expect_only(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, 1);
}

/* ---- 32 kernel-misuse ------------------------------------------------------------------------ */

#define FREED "memory is freed that is still mapped"

static void memory_is_freed_before_it_is_unmapped(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_16K);
	struct list list;

	list_init(&list, 1);
	list_set(rig, &list, 0, buf + SZ_4K, 100);
	expect_u64(dma_map_sg(dev, list.sg, 1, DMA_TO_DEVICE), 1);
	dmasim_expect(rig->s, DMASIM_REPORT_KERNEL_MISUSE, 1);
	dmasim_free(rig->s, buf, SZ_16K);
	expect_says(rig->s, DMASIM_REPORT_KERNEL_MISUSE, FREED);
	dma_unmap_sg(dev, list.sg, 1, DMA_TO_DEVICE);
	expect_only(rig->s, DMASIM_REPORT_KERNEL_MISUSE, 1);
}

static void adopted_memory_goes_before_it_is_unmapped(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	static u8 own[SZ_4K];
	phys_addr_t buf = dmasim_adopt(rig->s, own, sizeof(own));
	dma_addr_t dma = dma_map_phys(dev, buf + 64, 64, DMA_FROM_DEVICE, 0);

	dmasim_expect(rig->s, DMASIM_REPORT_KERNEL_MISUSE, 1);
	dmasim_unadopt(rig->s, buf);
	expect_says(rig->s, DMASIM_REPORT_KERNEL_MISUSE, FREED);
	dma_unmap_phys(dev, dma, 64, DMA_FROM_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_KERNEL_MISUSE, 1);
}

static void memory_is_freed_before_it_is_unlinked(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_TO_DEVICE, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
	dmasim_expect(rig->s, DMASIM_REPORT_KERNEL_MISUSE, 1);
	dmasim_free(rig->s, buf, SZ_4K);
	expect_says(rig->s, DMASIM_REPORT_KERNEL_MISUSE, FREED);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_TO_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_KERNEL_MISUSE, 1);
}

static void memory_that_is_freed_after_its_unmap_is_no_mistake(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K), other = dmasim_alloc(rig->s, SZ_4K);
	dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);

	dmasim_free(rig->s, other, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_free(rig->s, buf, SZ_4K);
	dmasim_assert_clean(rig->s);
}

/* Who was told that it need not unmap frees its memory when the device is done. */
static void memory_that_need_not_be_unmapped_is_freed(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = dmasim_alloc(rig->s, SZ_4K);

	dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	assert_false(dma_need_unmap(dev));
	dmasim_free(rig->s, buf, SZ_4K);
	dmasim_assert_clean(rig->s);
}

/* Nor does that mapping count when the memory is mapped anew, for whomever. */
static void memory_that_need_not_be_unmapped_is_mapped_again(void **state)
{
	static const enum dma_data_direction dirs[] = { DMA_FROM_DEVICE, DMA_TO_DEVICE,
							DMA_BIDIRECTIONAL };
	struct rig *rig = *state;
	struct pci_dev *const pdevs[] = { rig->nvme, rig->disk, rig->nvme };
	phys_addr_t buf = ram(rig, SZ_4K);

	for (int i = 0; i < 3; i++) {
		struct device *dev = &pdevs[i]->dev;
		dma_addr_t dma = dma_map_phys(dev, buf, SZ_4K, dirs[i], 0);

		expect_ok(dma_mapping_error(dev, dma));
		assert_false(dma_need_unmap(dev));
	}
	dmasim_assert_clean(rig->s);
	/* Who was not told so has it mapped. */
	dma_map_phys(&rig->gpu->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
	dma_map_phys(&rig->nvme->dev, buf, SZ_4K, DMA_FROM_DEVICE, 0);
	assert_false(dma_need_unmap(&rig->gpu->dev) || dma_need_unmap(&rig->nvme->dev));
	expect_only(rig->s, DMASIM_REPORT_MAPPINGS_OVERLAP, 1);
}

/* ---- 24 mapping-leaked ----------------------------------------------------------------------- */

static void a_mapping_that_is_never_ended(void **state)
{
	struct rig *rig = *state;
	struct place map;
	dma_addr_t dma;

	NEXT_LINE(map);
	dma = dma_map_phys(&rig->nvme->dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 1);
	expect_headline(rig->s, DMASIM_REPORT_MAPPING_LEAKED);
	expect_says(rig->s, DMASIM_REPORT_MAPPING_LEAKED, map.words);
	expect_u64(dmasim_report_count(rig->s), 1);
	dma_unmap_phys(&rig->nvme->dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

static void a_list_that_is_never_unmapped(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_64K);
	struct list list;
	struct place map;

	list_init(&list, 3);
	for (u32 i = 0; i < 3; i++)
		list_set(rig, &list, i, buf + 2 * i * SZ_4K, SZ_4K);
	NEXT_LINE(map);
	expect_ok(dma_map_sgtable(&rig->nvme->dev, &list.table, DMA_TO_DEVICE, 0));
	assert_true(dmasim_check_clean(rig->s, NULL, 0) > 0);
	expect_u64(count_reports(rig->s, DMASIM_REPORT_MAPPING_LEAKED),
		   dmasim_report_count(rig->s));
	expect_says(rig->s, DMASIM_REPORT_MAPPING_LEAKED, map.words);
}

/* Direct mode needs no unmap (dma_need_unmap()), but a leak is one all the same. */
static void a_leak_without_an_iommu(void **state)
{
	struct rig *rig = *state;

	dma_map_phys(&rig->nvme->dev, ram(rig, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 1);
	expect_only(rig->s, DMASIM_REPORT_MAPPING_LEAKED, 0);
}

TEST_MAIN(IN_BOTH_MODES(an_unmap_of_what_was_never_mapped), IN_BOTH_MODES(unmapping_twice),
	  IN_BOTH_MODES(unmapping_the_error_value),
	  WITH_SETUP(unmapping_a_bus_address, rig_setup_acs_off),
	  IN_BOTH_MODES(no_bytes_that_were_mapped_are_unmapped_without_a_report),
	  IN_BOTH_MODES(an_unmap_of_less_than_was_mapped),
	  IN_BOTH_MODES(an_unmap_of_more_than_was_mapped_in_the_same_granule),
	  IN_BOTH_MODES(an_unmap_with_another_direction),
	  BEHIND_VTD(unmapping_a_list_with_the_returned_count),
	  IN_BOTH_MODES(unmapping_a_list_with_another_direction),
	  BEHIND_VTD(a_list_that_is_unmapped_as_if_it_were_one_buffer),
	  BEHIND_VTD(a_list_that_is_unmapped_as_one_buffer_and_left),
	  BEHIND_VTD(an_unmap_that_tears_down_its_neighbour),
	  BEHIND_VTD(freeing_pages_after_larger_ones_of_another_device),
	  IN_BOTH_MODES(memory_that_came_mapped_is_freed_with_another_size),
	  IN_BOTH_MODES(memory_that_came_mapped_is_freed_twice),
	  WITH_SETUP(an_unmap_of_another_devices_mapping, rig_setup_acs_off),
	  WITH_SETUP(an_unmap_of_a_bus_address_that_is_somebodys_iova, setup_hidden),
	  IN_BOTH_MODES(memory_is_freed_before_it_is_unmapped),
	  IN_BOTH_MODES(adopted_memory_goes_before_it_is_unmapped),
	  BEHIND_VTD(memory_is_freed_before_it_is_unlinked),
	  IN_BOTH_MODES(memory_that_is_freed_after_its_unmap_is_no_mistake),
	  WITHOUT_IOMMU(memory_that_need_not_be_unmapped_is_freed),
	  WITHOUT_IOMMU(memory_that_need_not_be_unmapped_is_mapped_again),
	  IN_BOTH_MODES(a_mapping_that_is_never_ended),
	  IN_BOTH_MODES(a_list_that_is_never_unmapped), WITHOUT_IOMMU(a_leak_without_an_iommu))
