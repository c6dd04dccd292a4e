/* SPDX-License-Identifier: MIT */
/*
 * Call sites: each Linux-named mapping call notes where it stands, and can be called without.
 */
#include "unit/api/lists.h"
#include "unit/api/sites.h"

/* The newest report is of this kind and names the place. */
static void expect_newest_at(struct dmasim *s, enum dmasim_report_id id, const struct place *place)
{
	struct dmasim_report report;

	assert_true(dmasim_report_count(s) > 0);
	assert_true(dmasim_report_get(s, dmasim_report_count(s) - 1, &report));
	assert_int_equal(report.id, id);
	if (!strstr(report.text, place->words))
		fail_msg("\"%s\" is not in:\n%s", place->words, report.text);
}

static void one_call_functions_note_their_place(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct page *page = dmasim_page(rig->s, ram(rig, SZ_4K));
	struct place place;

	NEXT_LINE(place);
	dma_map_phys(dev, SZ_1M, 1, DMA_NONE, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_DIRECTION, &place);
	NEXT_LINE(place);
	dma_map_page_attrs(dev, page, 0, 1, DMA_NONE, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_DIRECTION, &place);
	NEXT_LINE(place);
	dma_map_page(dev, page, 0, 1, DMA_NONE);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_DIRECTION, &place);
	NEXT_LINE(place);
	dma_unmap_phys(dev, 0x7000, 1, DMA_TO_DEVICE, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, &place);
	NEXT_LINE(place);
	dma_unmap_page_attrs(dev, 0x8000, 1, DMA_TO_DEVICE, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, &place);
	NEXT_LINE(place);
	dma_unmap_page(dev, 0x9000, 1, DMA_TO_DEVICE);
	expect_newest_at(rig->s, DMASIM_REPORT_UNMAP_NOT_MAPPED, &place);
}

static void list_functions_note_their_place(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct list list;
	struct place place;
	int got;

	list_init(&list, 1);
	list_set(rig, &list, 0, ram(rig, SZ_4K), SZ_4K);
	NEXT_LINE(place);
	got = dma_map_sg_attrs(dev, list.sg, 1, DMA_NONE, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_DIRECTION, &place);
	NEXT_LINE(place);
	got += dma_map_sg(dev, list.sg, 1, DMA_NONE);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_DIRECTION, &place);
	assert_int_equal(got, 0);
	NEXT_LINE(place);
	got = dma_map_sgtable(dev, &list.table, DMA_NONE, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_DIRECTION, &place);
	assert_true(got < 0);
	NEXT_LINE(place);
	dma_unmap_sg_attrs(dev, list.sg, 1, DMA_NONE, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_DIRECTION, &place);
	NEXT_LINE(place);
	dma_unmap_sg(dev, list.sg, 1, DMA_NONE);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_DIRECTION, &place);
	NEXT_LINE(place);
	dma_unmap_sgtable(dev, &list.table, DMA_NONE, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_DIRECTION, &place);
}

static void two_step_functions_note_their_place(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct dma_iova_state st, none = { .addr = SZ_4K, .__size = SZ_4K };
	struct place place;
	bool got;
	int err;

	NEXT_LINE(place);
	got = dma_iova_try_alloc(dev, &st, 0, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_ARGUMENT, &place);
	assert_false(got);
	assert_true(dma_iova_try_alloc(dev, &st, 0, 2 * SZ_4K));
	NEXT_LINE(place);
	err = dma_iova_link(dev, &st, 1, SZ_4K, SZ_4K, DMA_TO_DEVICE, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_ARGUMENT, &place);
	expect_error(err, -EIO);
	NEXT_LINE(place);
	err = dma_iova_sync(dev, &none, 0, SZ_4K);
	expect_newest_at(rig->s, DMASIM_REPORT_STATE_UNKNOWN, &place);
	expect_ok(err);
	NEXT_LINE(place);
	dma_iova_unlink(dev, &none, 0, SZ_4K, DMA_TO_DEVICE, 0);
	assert_true(report_says(rig->s, DMASIM_REPORT_STATE_UNKNOWN, place.words) ||
		    report_says(rig->s, DMASIM_REPORT_UNMAP_SHORT, place.words));
	NEXT_LINE(place);
	dma_iova_free(dev, &none);
	expect_newest_at(rig->s, DMASIM_REPORT_STATE_UNKNOWN, &place);
	NEXT_LINE(place);
	dma_iova_destroy(dev, &none, 0, DMA_TO_DEVICE, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_STATE_UNKNOWN, &place);
}

/*
 * (f)(...) and function pointers are the bare functions: their reports name no place, nor an old
 * one.
 */
static void the_bare_functions_name_no_place(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	dma_addr_t (*pointer)(struct device *, phys_addr_t, size_t, enum dma_data_direction,
			      unsigned long) = dma_map_phys;
	struct dmasim_report report;

	dma_map_phys(dev, SZ_1M, 1, DMA_NONE, 0);
	(dma_map_phys)(dev, SZ_1M, 1, DMA_NONE, 0);
	pointer(dev, SZ_1M, 1, DMA_NONE, 0);
	expect_u64(dmasim_report_count(rig->s), 3);
	assert_true(dmasim_report_get(rig->s, 0, &report));
	assert_non_null(strstr(report.text, "test_call_sites.c"));
	for (u32 i = 1; i < 3; i++) {
		assert_true(dmasim_report_get(rig->s, i, &report));
		assert_null(strstr(report.text, "test_call_sites.c"));
	}
}

/* The device is evaluated once, as if the macro were a function. */
static void arguments_are_evaluated_once(void **state)
{
	struct rig *rig = *state;
	struct pci_dev *devices[] = { rig->nvme, rig->gpu, rig->nic };
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma;
	int at = 0;

	dma = dma_map_phys(&devices[at++]->dev, buf++, SZ_4K - 1, DMA_TO_DEVICE, 0);
	assert_int_equal(at, 1);
	expect_u64(buf & 0xfff, 1);
	at = 0;
	dma_unmap_phys(&devices[at++]->dev, dma++, SZ_4K - 1, DMA_TO_DEVICE, 0);
	assert_int_equal(at, 1);
	dmasim_assert_clean(rig->s);
}

/* A call inside the arguments of another: each has its own place. */
static void calls_may_be_nested(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct place place;

	NEXT_LINE(place);
	dma_unmap_phys(dev, dma_map_phys(dev, SZ_1M, 100, DMA_TO_DEVICE, 0), 99, DMA_TO_DEVICE, 0);
	expect_newest_at(rig->s, DMASIM_REPORT_UNMAP_MISMATCH, &place);
}

/* Two places in one run: where it was mapped, and where it was unmapped. */
static dma_addr_t map_here(struct device *dev, phys_addr_t buf, struct place *place)
{
	NEXT_LINE(*place);
	return dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
}

static void unmap_here(struct device *dev, dma_addr_t dma, struct place *place)
{
	NEXT_LINE(*place);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
}

static void a_report_names_the_places_of_each_mapping(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	struct place map[2], unmap[2];
	dma_addr_t dma[2];
	u8 byte;

	dma[0] = map_here(dev, ram(rig, SZ_4K), &map[0]);
	dma[1] = map_here(dev, ram(rig, SZ_4K), &map[1]);
	unmap_here(dev, dma[0], &unmap[0]);
	unmap_here(dev, dma[1], &unmap[1]);
	dmasim_dev_read(rig->nvme, dma[0], &byte, 1);
	expect_newest_at(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, &map[0]);
	expect_newest_at(rig->s, DMASIM_REPORT_USE_AFTER_UNMAP, &unmap[0]);
	assert_non_null(strstr(map[0].words, "in map_here"));
	assert_non_null(strstr(unmap[1].words, "in unmap_here"));
}

static void pools_note_their_place(void **state)
{
	struct rig *rig = *state;
	struct dma_pool *pool = dma_pool_create("test", &rig->nvme->dev, 64, 0, 0);
	struct place place;
	dma_addr_t dma;
	u8 *at;

	at = dma_pool_alloc(pool, GFP_KERNEL, &dma);
	assert_non_null(at);
	assert_null(rig->nvme->dev.site);
	NEXT_LINE(place);
	dma_pool_free(pool, at + 64, dma + 64);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_ARGUMENT, &place);
	assert_null(rig->nvme->dev.site);
	assert_non_null(dma_pool_zalloc(pool, GFP_KERNEL, &dma));
	NEXT_LINE(place);
	dma_pool_destroy(pool);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_ARGUMENT, &place);
	assert_null(rig->nvme->dev.site);
	dma_pool_destroy(NULL);
}

static void what_gives_peer_memory_back_notes_its_place(void **state)
{
	struct rig *rig = *state;
	struct place place;
	struct scatterlist *sg;
	unsigned int count;
	void *memory;

	expect_ok(pcim_p2pdma_init(rig->nvme));
	expect_ok(pci_p2pdma_add_resource(rig->nvme, 0, 0, 0));
	memory = pci_alloc_p2pmem(rig->nvme, 2 * SZ_4K);
	assert_non_null(memory);
	NEXT_LINE(place);
	pci_free_p2pmem(rig->nvme, memory, SZ_4K);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_ARGUMENT, &place);
	pci_free_p2pmem(rig->nvme, memory, 2 * SZ_4K);
	sg = pci_p2pmem_alloc_sgl(rig->nvme, &count, SZ_4K);
	assert_non_null(sg);
	pci_free_p2pmem(rig->nvme, dmasim_ptr(rig->s, sg_phys(sg), SZ_4K), SZ_4K);
	NEXT_LINE(place);
	pci_p2pmem_free_sgl(rig->nvme, sg);
	expect_newest_at(rig->s, DMASIM_REPORT_BAD_ARGUMENT, &place);
	assert_null(rig->nvme->dev.site);
}

TEST_MAIN(IN_BOTH_MODES(one_call_functions_note_their_place),
	  IN_BOTH_MODES(list_functions_note_their_place),
	  BEHIND_VTD(two_step_functions_note_their_place),
	  IN_BOTH_MODES(the_bare_functions_name_no_place), BEHIND_VTD(arguments_are_evaluated_once),
	  IN_BOTH_MODES(pools_note_their_place),
	  BEHIND_VTD(what_gives_peer_memory_back_notes_its_place), BEHIND_VTD(calls_may_be_nested),
	  IN_BOTH_MODES(a_report_names_the_places_of_each_mapping))
