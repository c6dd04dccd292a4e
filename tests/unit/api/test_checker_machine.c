/* SPDX-License-Identifier: MIT */
/*
 * The checker and the machine around it: a foreign IOVA allocator, running out of memory, and being
 * switched off.
 */
#include <dmasim/iova.h>

#include "unit/api/sites.h"

/* ---- An allocator from outside --------------------------------------------------------------- */

/*
 * Gives out one fixed range again and again, whatever was reserved. The test owns the book, which
 * is handed in as the table's context.
 */
struct book {
	u64 pfn;
	u64 granule_lg2, start_pfn, last_pfn;
	u32 creates, destroys, allocs, frees, reserves;
};

struct iova_allocator {
	struct book *book;
};

static struct iova_allocator *book_create(const struct iova_allocator_config *config)
{
	struct book *book = config->context;
	struct iova_allocator *allocator;

	allocator = config->platform->ops->alloc(config->platform->machine,
						 DMASIM_FAULT_IOVA_DOMAIN, sizeof(*allocator));
	if (!allocator)
		return NULL;
	allocator->book = book;
	book->creates++;
	book->granule_lg2 = config->granule_lg2;
	book->start_pfn = config->start_pfn;
	book->last_pfn = config->last_pfn;
	return allocator;
}

static u64 book_alloc(struct iova_allocator *allocator, u64 pages, u64 limit_pfn, u32 how)
{
	struct book *book = allocator->book;

	(void)how;
	book->allocs++;
	if (!book->pfn || book->pfn + pages - 1 > limit_pfn)
		return IOVA_NO_PFN;
	return book->pfn;
}

static void book_free(struct iova_allocator *allocator, u64 pfn, u64 pages, u32 how)
{
	allocator->book->frees++;
	(void)pfn;
	(void)pages;
	(void)how;
}

static int book_reserve(struct iova_allocator *allocator, u64 first_pfn, u64 last_pfn)
{
	allocator->book->reserves++;
	return first_pfn <= last_pfn ? 0 : -ENOMEM;
}

/* The platform's memory ends with the machine; there is nothing else to give back. */
static void book_destroy(struct iova_allocator *allocator)
{
	allocator->book->destroys++;
}

/* One endpoint behind VT-d whose addresses come from the book. */
struct plugged {
	struct dmasim *s;
	struct pci_dev *pdev;
	struct book book;
	struct iova_allocator_ops ops;
};

static int setup_plugged(void **state)
{
	struct plugged *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	*state = p;
	p->ops = (struct iova_allocator_ops){ .size = sizeof(p->ops),
					      .name = "book",
					      .context = &p->book,
					      .create = book_create,
					      .destroy = book_destroy,
					      .alloc = book_alloc,
					      .free = book_free,
					      .reserve = book_reserve };
	p->s = dmasim_create(&(struct dmasim_config){ DMASIM_CONFIG, .iova_ops = &p->ops });
	p->pdev = dmasim_add_endpoint(p->s, "00:01.0/00.0",
				      &(struct dmasim_endpoint){ .bar = { SZ_64K } });
	return p->pdev && !dma_set_mask(&p->pdev->dev, DMA_BIT_MASK(64)) ? 0 : -1;
}

/* What book_create() took stays: an allocator that leaks is counted. */
static int teardown_plugged(void **state)
{
	struct plugged *p = *state;

	dmasim_destroy(p->s);
	free(p);
	return 0;
}

static void addresses_come_from_the_allocator_that_was_given(void **state)
{
	struct plugged *p = *state;
	struct device *dev = &p->pdev->dev;
	phys_addr_t buf = dmasim_alloc(p->s, SZ_4K);
	dma_addr_t dma;

	p->book.pfn = 0x1234;
	dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(dma, 0x1234000);
	expect_both_ways(p->s, p->pdev, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
	assert_true(p->book.creates >= 1);
	expect_u64(p->book.granule_lg2, 12);
	assert_true(p->book.start_pfn >= 1);
	expect_u64(p->book.last_pfn, (1ULL << 36) - 1);
	assert_true(p->book.reserves > 0);
	expect_u64(p->book.allocs, 1);
	expect_u64(p->book.frees, 1);
	expect_u64(dmasim_report_count(p->s), 0);
}

static void an_allocator_that_is_full_fails_the_map(void **state)
{
	struct plugged *p = *state;
	struct dma_iova_state st;

	expect_u64(dma_map_phys(&p->pdev->dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0), DMA_MAPPING_ERROR);
	assert_false(dma_iova_try_alloc(&p->pdev->dev, &st, 0, SZ_4K));
	expect_u64(p->book.frees, 0);
}

/* 15 iova-in-window: an allocator that does not keep what it was told to reserve. */
static void an_allocator_that_gives_out_a_window_is_reported(void **state)
{
	struct plugged *p = *state;
	struct device *dev = &p->pdev->dev;
	struct place call;
	dma_addr_t dma;

	p->book.pfn = pci_bus_address(p->pdev, 0) >> PAGE_SHIFT;
	dmasim_expect(p->s, DMASIM_REPORT_IOVA_IN_WINDOW, 1);
	NEXT_LINE(call);
	dma = dma_map_phys(dev, dmasim_alloc(p->s, SZ_4K), SZ_4K, DMA_TO_DEVICE, 0);
	expect_headline(p->s, DMASIM_REPORT_IOVA_IN_WINDOW);
	expect_says(p->s, DMASIM_REPORT_IOVA_IN_WINDOW, call.words);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_report_count(p->s), 1);
}

/* One range given out twice: the page table refuses the second (facts 6.6). */
static void an_allocator_that_gives_out_one_range_twice_fails_the_second_map(void **state)
{
	struct plugged *p = *state;
	struct device *dev = &p->pdev->dev;
	phys_addr_t buf = dmasim_alloc(p->s, SZ_4K), other = dmasim_alloc(p->s, SZ_4K);
	dma_addr_t dma;

	p->book.pfn = 0x1234;
	dma = dma_map_phys(dev, buf, SZ_4K, DMA_BIDIRECTIONAL, 0);
	expect_u64(dma_map_phys(dev, other, SZ_4K, DMA_BIDIRECTIONAL, 0), DMA_MAPPING_ERROR);
	expect_both_ways(p->s, p->pdev, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_BIDIRECTIONAL, 0);
}

/* An allocator's own memory is counted when it leaks. */
static void an_allocator_that_leaks_is_counted(void **state)
{
	struct plugged *p = *state;
	struct dmasim *s = p->s;

	dma_map_phys(&p->pdev->dev, SZ_1M, SZ_4K, DMA_TO_DEVICE, 0);
	assert_true(p->book.creates > 0);
	p->s = NULL;
	expect_u64(dmasim_destroy(s), p->book.creates);
	expect_u64(p->book.destroys, p->book.creates);
}

/* ---- 27 checker-blind ------------------------------------------------------------------------ */

static void a_checker_without_memory_says_so_once_and_stops_judging(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_4K);
	dma_addr_t dma;

	dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_TO_DEVICE, 0);
	dmasim_fail(rig->s, DMASIM_FAULT_CHECK_RECORD, 1);
	dmasim_expect(rig->s, DMASIM_REPORT_CHECKER_BLIND, 1);
	for (int i = 0; i < 100 && !dmasim_failures(rig->s); i++)
		dma = dma_map_phys(dev, buf, SZ_4K, DMA_TO_DEVICE, 0);
	expect_u64(dmasim_failures(rig->s), 1);
	expect_headline(rig->s, DMASIM_REPORT_CHECKER_BLIND);
	/* The call itself was not harmed, and from here on nothing is judged. */
	expect_read_sees(rig->s, rig->nvme, dma, buf, SZ_4K);
	dma_unmap_phys(dev, dma, SZ_4K, DMA_FROM_DEVICE, 0);
	expect_only(rig->s, DMASIM_REPORT_CHECKER_BLIND, 1);
}

/* ---- Switched off ---------------------------------------------------------------------------- */

static int setup_unchecked(void **state)
{
	return rig_setup_with(state, &(struct dmasim_config){ DMASIM_CONFIG, .no_check = true });
}

/* machine.h: the checker does not judge; faults of hardware are still reported. */
static void without_the_checker_hardware_is_still_heard(void **state)
{
	struct rig *rig = *state;
	struct device *dev = &rig->nvme->dev;
	phys_addr_t buf = ram(rig, SZ_16K);
	struct dma_iova_state st;
	u8 byte = 1;

	/* Three mistakes that only the checker sees. */
	dma_unmap_phys(dev, dma_map_phys(dev, buf, 100, DMA_TO_DEVICE, 0), 99, DMA_TO_DEVICE, 0);
	assert_true(dma_iova_try_alloc(dev, &st, 0, SZ_4K));
	expect_ok(dma_iova_link(dev, &st, buf, 0, SZ_4K, DMA_BIDIRECTIONAL, 0));
	expect_done(dmasim_dev_write(rig->nvme, st.addr, &byte, 1), 1);
	expect_u64(dmasim_check_clean(rig->s, NULL, 0), 0);

	dmasim_expect(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
	expect_transfer(dmasim_dev_write(rig->nvme, SZ_1M, &byte, 1), DMASIM_IOMMU_FAULT, 0);
	expect_only(rig->s, DMASIM_REPORT_IOMMU_FAULT, 1);
}

/* What the software itself warns of is no judgement of the checker (facts 3.7, 5.1). */
static void without_the_checker_the_softwares_warnings_are_still_heard(void **state)
{
	struct rig *rig = *state;
	struct dma_iova_state st;

	dmasim_expect(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
	assert_false(dma_iova_try_alloc(&rig->nvme->dev, &st, 0, 0));
	expect_only(rig->s, DMASIM_REPORT_BAD_ARGUMENT, 1);
}

#define PLUGGED(test) cmocka_unit_test_setup_teardown(test, setup_plugged, teardown_plugged)

TEST_MAIN(PLUGGED(addresses_come_from_the_allocator_that_was_given),
	  PLUGGED(an_allocator_that_is_full_fails_the_map),
	  PLUGGED(an_allocator_that_gives_out_a_window_is_reported),
	  PLUGGED(an_allocator_that_gives_out_one_range_twice_fails_the_second_map),
	  PLUGGED(an_allocator_that_leaks_is_counted),
	  BEHIND_VTD(a_checker_without_memory_says_so_once_and_stops_judging),
	  WITH_SETUP(without_the_checker_hardware_is_still_heard, setup_unchecked),
	  WITH_SETUP(without_the_checker_the_softwares_warnings_are_still_heard, setup_unchecked))
