/* SPDX-License-Identifier: MIT */
/*
 * The upstream bugs (T16), each as twins: the same program is right with the switch off, and with
 * the switch on something tells: a report, or a device that reaches the wrong bytes.
 */
#include "catalogue/catalogue.h"

#include "catalogue/bounce.h"

/* Both twins of a bug: its bit is or is not in the configuration. */
#define TWINS(bug, test, ...)                                                                  \
	static int test##_setup_off(void **state)                                              \
	{                                                                                      \
		return rig_setup_with(state,                                                   \
				      &(struct dmasim_config){ DMASIM_CONFIG, __VA_ARGS__ });  \
	}                                                                                      \
	static int test##_setup_on(void **state)                                               \
	{                                                                                      \
		return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG,           \
								      .bugs = DMASIM_BUG(bug), \
								      __VA_ARGS__ });          \
	}

#define PAIR(test)                                                            \
	{ #test "__off", test##__off, test##_setup_off, rig_teardown, NULL }, \
	{                                                                     \
#test "__on", test##__on, test##_setup_on, rig_teardown, NULL \
	}

/* ---- A list with peer memory, without an IOMMU ----------------------------------------------- */

TWINS(HOSTBRIDGE_BREAK, T16_hostbridge_break, .iommu = DMASIM_NO_IOMMU)

/* One entry of peer memory that is reached through the host bridge. */
static dma_addr_t map_peer_list(struct rig *rig, struct list *list, phys_addr_t bar)
{
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	list_init(list, 1);
	list_set(rig, list, 0, bar, SZ_4K);
	list_remember(list);
	expect_ok(dma_map_sgtable(&rig->nvme->dev, &list->table, DMA_BIDIRECTIONAL, 0));
	assert_false(sg_dma_is_bus_address(list->sg));
	return sg_dma_address(list->sg);
}

/*
 * trust: T16: direct dma_map_sg() of peer memory behind the host bridge: no address
 * | our reading of the facts: dma-api 17
 */
static void T16_hostbridge_break__off(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	struct list list;
	dma_addr_t dma = map_peer_list(rig, &list, bar);

	expect_u64(dma, bar);
	expect_both_ways(rig->s, rig->nvme, dma, bar, SZ_4K);
	dma_unmap_sgtable(&rig->nvme->dev, &list.table, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* The entry keeps whatever it held: 0 here, and that is memory. */
static void T16_hostbridge_break__on(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	struct list list;
	dma_addr_t dma = map_peer_list(rig, &list, bar);

	expect_u64(dma, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_MISROUTED, 1);
	expect_done(write_byte(rig->nvme, dma, 0x5a), 1);
	expect_u64(byte_at(rig->s, bar), 0);
	expect_u64(byte_at(rig->s, 0), 0x5a);
	dma_unmap_sgtable(&rig->nvme->dev, &list.table, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_ACCESS_MISROUTED, 1);
}

/* ---- A copied head and tail with nothing between them ---------------------------------------- */

TWINS(ZERO_MIDDLE, T16_zero_middle, .traits = { .untrusted = true })

/*
 * trust: T16: a link of head and tail links the nothing between them
 * | our reading of the facts: dma-api 17
 */
static void T16_zero_middle__off(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, 2 * SZ_4K) + 0x800;
	struct dma_iova_state st = bounced_state(rig, buf, SZ_4K);

	dma_iova_destroy(&rig->nvme->dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* A generic page table does not take a link of no bytes: a good buffer cannot be linked. */
static void T16_zero_middle__on(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, 2 * SZ_4K) + 0x800;
	struct dma_iova_state st;

	dma_set_min_align_mask(dev, SZ_4K - 1);
	assert_true(dma_iova_try_alloc(dev, &st, buf, SZ_4K));
	dmasim_expect(rig->s, DMASIM_REPORT_LINKED_NOTHING, 1);
	expect_error(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0), -EINVAL);
	expect_u64(live_entries(rig->s), 0);
	expect_u64(lent(rig->nvme), 0);
	dma_iova_free(dev, &st);
	expect_only(rig->s, DMASIM_REPORT_LINKED_NOTHING, 1);
}

/* ---- A failed link at an offset -------------------------------------------------------------- */

TWINS(UNLINK_FROM_0, T16_unlink_from_0, .traits = { .untrusted = true }, .swiotlb_bytes = SZ_1M)

/* Two links; the second one's tail finds no slot after its middle was linked. */
static struct dma_iova_state fail_second_link(struct rig *rig, phys_addr_t buf)
{
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;
	struct filler filler;

	assert_true(dma_iova_try_alloc(dev, &st, 0, 2 * SZ_4K + 0x100));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
	fill_pool(rig, &filler);
	expect_error(dma_iova_link(dev, &st, buf + SZ_4K, SZ_4K, SZ_4K + 0x100, DMA_BIDIRECTIONAL,
				   DMA_ATTR_NO_WARN),
		     -ENOMEM);
	empty_pool(rig, &filler);
	return st;
}

/*
 * trust: T16: a failed link at an offset undoes what is at offset 0
 * | our reading of the facts: dma-api 17
 */
static void T16_unlink_from_0__off(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st = fail_second_link(rig, buf);

	expect_both_ways(rig->s, rig->nvme, st.addr, buf, SZ_4K);
	dma_iova_destroy(&rig->nvme->dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(live_entries(rig->s), 0);
	dmasim_assert_clean(rig->s);
}

/* The first link is gone although nobody ended it; the second one's granule is still there. */
static void T16_unlink_from_0__on(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st = fail_second_link(rig, buf);

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_transfer(write_byte(rig->nvme, st.addr, 1), DMASIM_IOMMU_FAULT, 0);
	dmasim_expect(rig->s, DMASIM_REPORT_ACCESS_NOT_MAPPED, 1);
	expect_done(write_byte(rig->nvme, st.addr + SZ_4K, 0x5a), 1);
	expect_u64(byte_at(rig->s, buf + SZ_4K), 0x5a);
	/* The end that the driver knows of warns, and leaves that granule. */
	dmasim_expect(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, 1);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(report_says(rig->s, DMASIM_REPORT_FREE_WITH_LINKS, "page table held less"));
	expect_u64(live_entries(rig->s), 1);
	dmasim_assert_clean(rig->s);
}

/* ---- The length of a bus address ------------------------------------------------------------- */

TWINS(BUS_LEN_HEAD, T16_bus_len_head, .acs = DMASIM_ACS_OFF)

/* A page of memory, then four of the gpu's. */
static u32 map_mixed_list(struct rig *rig, struct list *list)
{
	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_1M, 0));
	list_init(list, 2);
	list_set(rig, list, 0, ram(rig, SZ_4K), SZ_4K);
	list_set(rig, list, 1, pci_resource_start(rig->gpu, 0), SZ_16K);
	list_remember(list);
	expect_ok(dma_map_sgtable(&rig->nvme->dev, &list->table, DMA_BIDIRECTIONAL, 0));
	expect_u64(list->table.nents, 2);
	assert_true(sg_dma_is_bus_address(&list->sg[1]));
	return sg_dma_len(&list->sg[1]);
}

/*
 * trust: T16: a bus address has the length of the list's first entry
 * | our reading of the facts: dma-api 17
 */
static void T16_bus_len_head__off(void **state)
{
	struct rig *rig = *state;
	struct list list;

	expect_u64(map_mixed_list(rig, &list), SZ_16K);
	expect_list_carries(rig->s, rig->nvme, &list.table);
	dma_unmap_sgtable(&rig->nvme->dev, &list.table, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* A device that goes by the segments moves a quarter of the peer's bytes. */
static void T16_bus_len_head__on(void **state)
{
	struct rig *rig = *state;
	phys_addr_t bar = pci_resource_start(rig->gpu, 0);
	u8 sent[SZ_16K];
	struct list list;
	u32 length;

	dmasim_expect(rig->s, DMASIM_REPORT_SEGMENT_LENGTH, 1);
	length = map_mixed_list(rig, &list);
	expect_u64(length, SZ_4K);
	memset(sent, 0x5a, sizeof(sent));
	expect_done(dmasim_dev_write(rig->nvme, sg_dma_address(&list.sg[1]), sent, length), length);
	expect_u64(byte_at(rig->s, bar + SZ_4K - 1), 0x5a);
	expect_u64(byte_at(rig->s, bar + SZ_4K), 0);
	dma_unmap_sgtable(&rig->nvme->dev, &list.table, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_SEGMENT_LENGTH, 1);
}

/* ---- The end by the linked length, and queued ------------------------------------------------ */

TWINS(DESTROY_MAPPED_LEN, T16_destroy_mapped_len, .policy = DMASIM_LAZY)

/* A range of 16 KiB of which one granule was linked, used, and ended. */
static struct dma_iova_state use_and_destroy(struct rig *rig, phys_addr_t buf)
{
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st;

	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_16K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_ok(dma_iova_sync(dev, &st, 0, SZ_4K));
	expect_done(write_byte(rig->nvme, st.addr, 1), 1);
	dma_iova_destroy(dev, &st, SZ_4K, DMA_BIDIRECTIONAL, 0);
	return st;
}

/*
 * trust: T16: dma_iova_destroy() frees by the linked length, queued
 * | our reading of the facts: dma-api 17
 */
static void T16_destroy_mapped_len__off(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st = use_and_destroy(rig, ram(rig, SZ_4K)), again;

	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_transfer(write_byte(rig->nvme, st.addr, 2), DMASIM_IOMMU_FAULT, 0);
	assert_true(dma_iova_try_alloc(&rig->nvme->dev, &again, 0, SZ_16K));
	expect_u64(again.addr, st.addr);
	dma_iova_free(&rig->nvme->dev, &again);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

/* The device still reaches the buffer, and three quarters of the range never come back. */
static void T16_destroy_mapped_len__on(void **state)
{
	struct rig *rig = *state;
	phys_addr_t buf = ram(rig, SZ_4K);
	struct dma_iova_state st = use_and_destroy(rig, buf), again;

	dmasim_expect(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
	expect_done(write_byte(rig->nvme, st.addr, 2), 1);
	expect_u64(byte_at(rig->s, buf), 2);
	dmasim_run(rig->s, 20 * 1000 * 1000);
	assert_true(dma_iova_try_alloc(&rig->nvme->dev, &again, 0, SZ_16K));
	assert_true(again.addr != st.addr);
	dma_iova_free(&rig->nvme->dev, &again);
	expect_only(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, 1);
}

/* ---- MMIO below a host bridge with an offset, without an IOMMU ------------------------------- */

#define OFFSET (1ULL << 40)

static int setup_offset(void **state, u32 bugs)
{
	return rig_setup_below(
		state,
		&(struct dmasim_config){ DMASIM_CONFIG, .iommu = DMASIM_NO_IOMMU, .bugs = bugs },
		&(struct dmasim_host_bridge){ .bus_offset = OFFSET,
					      .dma_range_count = 1,
					      .dma_range = { { OFFSET, 0, 1ULL << 46 } } });
}

static int T16_mmio_untranslated_setup_off(void **state)
{
	return setup_offset(state, 0);
}

static int T16_mmio_untranslated_setup_on(void **state)
{
	return setup_offset(state, DMASIM_BUG(MMIO_UNTRANSLATED));
}

/* trust: T16: direct MMIO leaves out the inbound ranges | our reading of the facts: dma-api 17 */
static void T16_mmio_untranslated__off(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->disk, 0);
	dma_addr_t dma = dma_map_resource(dev, bar, SZ_4K, DMA_BIDIRECTIONAL, 0);

	expect_both_ways(rig->s, rig->nvme, dma, bar, SZ_4K);
	dma_unmap_resource(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	dmasim_assert_clean(rig->s);
}

/* The CPU's address on the bus: nobody has it there. */
static void T16_mmio_untranslated__on(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t bar = pci_resource_start(rig->disk, 0);
	dma_addr_t dma = dma_map_resource(dev, bar, SZ_4K, DMA_BIDIRECTIONAL, 0);

	expect_u64(dma, bar);
	dmasim_expect(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
	expect_transfer(write_byte(rig->nvme, dma, 1), DMASIM_UNSUPPORTED_REQUEST, 0);
	dma_unmap_resource(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_only(rig->s, DMASIM_REPORT_UNSUPPORTED_REQUEST, 1);
}

/* ---- A list that is mapped a second time, and fails ------------------------------------------ */

static int setup_unlisted(void **state, u32 bugs)
{
	return rig_setup_unlisted(state, &(struct dmasim_config){ DMASIM_CONFIG, .bugs = bugs });
}

static int T16_stale_sg_restore_setup_off(void **state)
{
	return setup_unlisted(state, 0);
}

static int T16_stale_sg_restore_setup_on(void **state)
{
	return setup_unlisted(state, DMASIM_BUG(STALE_SG_RESTORE));
}

/*
 * Mapped and unmapped, then its first entry becomes peer memory that cannot be reached: the layout
 * never gets to the second one.
 */
static void fail_second_map(struct rig *rig, struct list *list)
{
	struct device *dev = &rig->nvme->dev;

	expect_ok(pci_p2pdma_add_resource(rig->gpu, 0, SZ_64K, 0));
	list_init(list, 2);
	list_set(rig, list, 0, ram(rig, SZ_4K), 0x800);
	list_set(rig, list, 1, ram(rig, SZ_4K) + 0x100, 0x200);
	expect_ok(dma_map_sgtable(dev, &list->table, DMA_BIDIRECTIONAL, 0));
	expect_u64(list->table.nents, 2);
	dma_unmap_sgtable(dev, &list->table, DMA_BIDIRECTIONAL, 0);
	list_set(rig, list, 0, pci_resource_start(rig->gpu, 0), 0x800);
	list_remember(list);
	expect_error(dma_map_sgtable(dev, &list->table, DMA_BIDIRECTIONAL, 0), -EREMOTEIO);
}

/*
 * trust: T16: a failed dma_map_sg() takes old DMA fields for its own
 * | our reading of the facts: dma-api 17
 */
static void T16_stale_sg_restore__off(void **state)
{
	struct rig *rig = *state;
	struct list list;

	fail_second_map(rig, &list);
	expect_list_restored(&list);
	dmasim_assert_clean(rig->s);
}

/* The second entry's old IOVA was added to its offset: the driver's own list is another one now. */
static void T16_stale_sg_restore__on(void **state)
{
	struct rig *rig = *state;
	struct list list;

	dmasim_expect(rig->s, DMASIM_REPORT_LIST_CHANGED, 1);
	fail_second_map(rig, &list);
	assert_true(list.sg[1].offset != list.before[1].offset);
	expect_only(rig->s, DMASIM_REPORT_LIST_CHANGED, 1);
}

TEST_MAIN(PAIR(T16_hostbridge_break), PAIR(T16_zero_middle), PAIR(T16_unlink_from_0),
	  PAIR(T16_bus_len_head), PAIR(T16_destroy_mapped_len), PAIR(T16_mmio_untranslated),
	  PAIR(T16_stale_sg_restore))
